//! What runs inside one simulated router: jobs on virtual time, byte pipes, seeded randomness.
//!
//! One thread, one order: jobs run in the order in which they became ready, timers fire in the order
//! of (time, creation). The same inputs at the same times give the same run.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

pub use mactelnet::Instant;

/// Names one job of one kernel; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The jobs that woke since the last look. Wakers must be `Send`, so this is the one locked place.
#[derive(Default)]
struct Ready(Mutex<VecDeque<JobId>>);

impl Ready {
    fn push(&self, id: JobId) {
        if let Ok(mut queue) = self.0.lock()
            && !queue.contains(&id)
        {
            queue.push_back(id);
        }
    }

    fn pop(&self) -> Option<JobId> {
        self.0.lock().ok().and_then(|mut queue| queue.pop_front())
    }
}

struct JobWaker {
    id: JobId,
    ready: Arc<Ready>,
}

impl Wake for JobWaker {
    fn wake(self: Arc<Self>) {
        self.ready.push(self.id);
    }
}

struct Job {
    name: String,
    /// Taken out while it is being polled.
    task: Option<Task>,
}

struct Inner {
    now: Cell<Instant>,
    next_job: Cell<u64>,
    next_timer: Cell<u64>,
    jobs: RefCell<BTreeMap<JobId, Job>>,
    timers: RefCell<BTreeMap<(Instant, u64), Waker>>,
    ready: Arc<Ready>,
    current: Cell<Option<JobId>>,
    random: Cell<u64>,
}

/// A handle on one router's kernel; clones are the same kernel.
#[derive(Clone)]
pub struct Kernel(Rc<Inner>);

/// A handle that does not keep the kernel alive, for what its own jobs hold.
#[derive(Clone)]
pub struct WeakKernel(Weak<Inner>);

impl WeakKernel {
    /// The kernel, if it still runs.
    pub fn upgrade(&self) -> Option<Kernel> {
        self.0.upgrade().map(Kernel)
    }

    /// Waits for `duration` of virtual time; for ever if the kernel is gone.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        let deadline = self.upgrade().map_or(Instant::ZERO, |kernel| kernel.now() + duration);
        Sleep { kernel: self.clone(), deadline, key: None }
    }

    /// As [`Kernel::timeout`], for jobs: it keeps no kernel alive while it waits. Without a kernel it gives up at once.
    pub async fn timeout<T>(&self, duration: Duration, future: impl Future<Output = T>) -> Option<T> {
        let sleep = self.upgrade()?.sleep(duration);
        first(sleep, future).await
    }
}

impl fmt::Debug for WeakKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakKernel")
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("now", &self.0.now.get()).field("jobs", &self.0.jobs.borrow().len()).finish()
    }
}

impl Kernel {
    /// A kernel whose clock stands at `now` and whose randomness comes from `seed`.
    pub fn new(now: Instant, seed: u64) -> Self {
        Self(Rc::new(Inner {
            now: Cell::new(now),
            next_job: Cell::new(1),
            next_timer: Cell::new(0),
            jobs: RefCell::default(),
            timers: RefCell::default(),
            ready: Arc::default(),
            current: Cell::new(None),
            random: Cell::new(seed ^ 0x9E37_79B9_7F4A_7C15),
        }))
    }

    /// A handle that does not keep the kernel alive.
    pub fn downgrade(&self) -> WeakKernel {
        WeakKernel(Rc::downgrade(&self.0))
    }

    /// The kernel's clock.
    pub fn now(&self) -> Instant {
        self.0.now.get()
    }

    /// The next number of a SplitMix64 sequence: good enough to vary a simulation, no secret.
    pub fn random(&self) -> u64 {
        let state = self.0.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.random.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Starts a job. It runs at the next [`Kernel::run`].
    pub fn spawn(&self, name: impl Into<String>, future: impl Future<Output = ()> + 'static) -> JobId {
        let id = JobId(self.0.next_job.get());
        self.0.next_job.set(id.0 + 1);
        self.0.jobs.borrow_mut().insert(id, Job { name: name.into(), task: Some(Box::pin(future)) });
        self.0.ready.push(id);
        id
    }

    /// Ends a job where it stands. A job may end itself: it is dropped once it yields.
    pub fn kill(&self, id: JobId) -> bool {
        // Dropping a job may drop pipes and wake others, so nothing stays borrowed meanwhile.
        let job = self.0.jobs.borrow_mut().remove(&id);
        job.is_some()
    }

    /// The job that runs at this moment.
    pub fn current(&self) -> Option<JobId> {
        self.0.current.get()
    }

    /// The jobs that have not ended, with their names, oldest first.
    pub fn jobs(&self) -> Vec<(JobId, String)> {
        self.0.jobs.borrow().iter().map(|(id, job)| (*id, job.name.clone())).collect()
    }

    /// Moves the clock to `now`, fires the timers that are due, and runs jobs until all of them wait.
    pub fn run(&self, now: Instant) {
        if now > self.now() {
            self.0.now.set(now);
        }
        loop {
            while let Some(id) = self.0.ready.pop() {
                self.poll_job(id);
            }
            let due = {
                let mut timers = self.0.timers.borrow_mut();
                match timers.first_key_value() {
                    Some((key, _)) if key.0 <= self.now() => timers.pop_first(),
                    _ => None,
                }
            };
            match due {
                Some((_, waker)) => waker.wake(),
                None => return,
            }
        }
    }

    fn poll_job(&self, id: JobId) {
        let Some(mut task) = self.0.jobs.borrow_mut().get_mut(&id).and_then(|job| job.task.take()) else {
            return;
        };
        let waker = Waker::from(Arc::new(JobWaker { id, ready: Arc::clone(&self.0.ready) }));
        let before = self.0.current.replace(Some(id));
        let done = task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
        self.0.current.set(before);
        if done {
            self.kill(id);
        } else {
            // If it was killed while it ran, `task` is dropped here.
            let mut jobs = self.0.jobs.borrow_mut();
            if let Some(job) = jobs.get_mut(&id) {
                job.task = Some(task);
                return;
            }
            drop(jobs);
        }
    }

    /// When [`Kernel::run`] is wanted next; `now` if a job is ready already.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.0.ready.0.lock().is_ok_and(|queue| !queue.is_empty());
        if waiting {
            return Some(self.now());
        }
        self.0.timers.borrow().first_key_value().map(|(key, _)| key.0)
    }

    /// Waits for `duration` of virtual time.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.now() + duration)
    }

    /// Waits until the clock reaches `deadline`.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { kernel: self.downgrade(), deadline, key: None }
    }

    /// Runs `future`, giving up after `duration`.
    pub async fn timeout<T>(&self, duration: Duration, future: impl Future<Output = T>) -> Option<T> {
        first(self.sleep(duration), future).await
    }
}

/// Runs `future`, giving up when `sleep` is over.
async fn first<T>(sleep: Sleep, future: impl Future<Output = T>) -> Option<T> {
    let mut sleep = Box::pin(sleep);
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| {
        if let Poll::Ready(value) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(value));
        }
        sleep.as_mut().poll(cx).map(|()| None)
    })
    .await
}

/// Waits for a point in virtual time.
#[derive(Debug)]
pub struct Sleep {
    kernel: WeakKernel,
    deadline: Instant,
    key: Option<(Instant, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // Without a kernel nobody will ever poll this again.
        let Some(kernel) = self.kernel.upgrade() else {
            return Poll::Pending;
        };
        if let Some(key) = self.key.take() {
            kernel.0.timers.borrow_mut().remove(&key);
        }
        if kernel.now() >= self.deadline {
            return Poll::Ready(());
        }
        let key = (self.deadline, kernel.0.next_timer.get());
        kernel.0.next_timer.set(key.1 + 1);
        kernel.0.timers.borrow_mut().insert(key, cx.waker().clone());
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let (Some(key), Some(kernel)) = (self.key.take(), self.kernel.upgrade()) {
            kernel.0.timers.borrow_mut().remove(&key);
        }
    }
}

#[derive(Default)]
struct PipeState {
    bytes: VecDeque<u8>,
    closed: bool,
    limit: Option<usize>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The writing end of a byte pipe; dropping the last clone closes it.
#[derive(Clone)]
pub struct PipeWriter(Rc<PipeWriterEnd>);

struct PipeWriterEnd(Rc<RefCell<PipeState>>);

/// The reading end of a byte pipe; dropping it makes writes vanish.
pub struct PipeReader(Rc<RefCell<PipeState>>);

/// A byte pipe between jobs (or between a job and the world outside the kernel).
/// `limit` is how many unread bytes [`PipeWriter::write_all`] lets lie before it waits.
pub fn pipe(limit: Option<usize>) -> (PipeWriter, PipeReader) {
    let state = Rc::new(RefCell::new(PipeState { limit, ..PipeState::default() }));
    (PipeWriter(Rc::new(PipeWriterEnd(Rc::clone(&state)))), PipeReader(state))
}

impl PipeWriter {
    /// Writes without waiting, whatever lies unread.
    pub fn push(&self, bytes: &[u8]) {
        let mut state = self.0.0.borrow_mut();
        if state.closed {
            return;
        }
        state.bytes.extend(bytes);
        if let Some(waker) = state.reader.take() {
            waker.wake();
        }
    }

    /// Writes as much of `bytes` as the limit leaves room for. `None`: the reader is gone.
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Option<usize>> {
        let mut state = self.0.0.borrow_mut();
        if state.closed {
            return Poll::Ready(None);
        }
        let room = state.limit.map_or(bytes.len(), |limit| limit.saturating_sub(state.bytes.len()).min(bytes.len()));
        if room == 0 && !bytes.is_empty() {
            state.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.bytes.extend(&bytes[..room]);
        if let Some(waker) = state.reader.take() {
            waker.wake();
        }
        Poll::Ready(Some(room))
    }

    /// Writes all of `bytes`, waiting while the reader lags by more than the limit. False: the reader is gone.
    pub async fn write_all(&self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        std::future::poll_fn(move |cx| {
            loop {
                match self.poll_write(cx, rest) {
                    Poll::Ready(Some(written)) => rest = &rest[written..],
                    Poll::Ready(None) => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
                if rest.is_empty() {
                    return Poll::Ready(true);
                }
            }
        })
        .await
    }

    /// Ends the stream; what lies unread can still be read.
    pub fn close(&self) {
        let mut state = self.0.0.borrow_mut();
        state.closed = true;
        if let Some(waker) = state.reader.take() {
            waker.wake();
        }
    }

    /// Whether the stream has ended, from either side.
    pub fn is_closed(&self) -> bool {
        self.0.0.borrow().closed
    }

    /// Bytes written and not read yet.
    pub fn unread(&self) -> usize {
        self.0.0.borrow().bytes.len()
    }
}

impl Drop for PipeWriterEnd {
    fn drop(&mut self) {
        let mut state = self.0.borrow_mut();
        state.closed = true;
        if let Some(waker) = state.reader.take() {
            waker.wake();
        }
    }
}

impl PipeReader {
    /// Waits for bytes and takes at most `max` of them; empty at the end of the stream.
    pub async fn read(&mut self, max: usize) -> Vec<u8> {
        std::future::poll_fn(|cx| self.poll_read(cx, max)).await
    }

    /// Waits for one byte; `None` at the end of the stream.
    pub async fn read_byte(&mut self) -> Option<u8> {
        self.read(1).await.first().copied()
    }

    /// As [`PipeReader::read`], for hand-written futures.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, max: usize) -> Poll<Vec<u8>> {
        let mut state = self.0.borrow_mut();
        if state.bytes.is_empty() && !state.closed {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        drop(state);
        Poll::Ready(self.take(max))
    }

    /// Takes at most `max` bytes that lie ready, without waiting.
    pub fn take(&mut self, max: usize) -> Vec<u8> {
        let mut state = self.0.borrow_mut();
        let n = state.bytes.len().min(max);
        let bytes = state.bytes.drain(..n).collect();
        if let Some(waker) = state.writer.take() {
            waker.wake();
        }
        bytes
    }

    /// Bytes that lie ready.
    pub fn ready(&self) -> usize {
        self.0.borrow().bytes.len()
    }

    /// Puts bytes back in front, to be read again.
    pub fn unread(&mut self, bytes: &[u8]) {
        let mut state = self.0.borrow_mut();
        for byte in bytes.iter().rev() {
            state.bytes.push_front(*byte);
        }
    }

    /// Whether the stream has ended and everything was read.
    pub fn is_finished(&self) -> bool {
        let state = self.0.borrow();
        state.closed && state.bytes.is_empty()
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        let mut state = self.0.borrow_mut();
        state.closed = true;
        state.bytes.clear();
        if let Some(waker) = state.writer.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for PipeWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PipeWriter({} unread)", self.unread())
    }
}

impl fmt::Debug for PipeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PipeReader({} ready)", self.0.borrow().bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_sleep_on_virtual_time_in_order() {
        let kernel = Kernel::new(Instant::ZERO, 1);
        let log = Rc::new(RefCell::new(Vec::new()));
        for (name, millis) in [("late", 20), ("early", 10)] {
            let (k, log) = (kernel.clone(), Rc::clone(&log));
            kernel.spawn(name, async move {
                k.sleep(Duration::from_millis(millis)).await;
                log.borrow_mut().push((name, k.now()));
            });
        }
        kernel.run(Instant::ZERO);
        while let Some(at) = kernel.poll_timeout() {
            kernel.run(at);
        }
        assert_eq!(*log.borrow(), [("early", Instant::from_millis(10)), ("late", Instant::from_millis(20))]);
        assert!(kernel.jobs().is_empty());
    }

    #[test]
    fn pipes_wait_for_room_and_end() {
        let kernel = Kernel::new(Instant::ZERO, 1);
        let (writer, mut reader) = pipe(Some(4));
        kernel.spawn("writer", async move {
            assert!(writer.write_all(b"0123456789").await);
        });
        let seen = Rc::new(RefCell::new(Vec::new()));
        let copy = Rc::clone(&seen);
        let k = kernel.clone();
        kernel.spawn("reader", async move {
            loop {
                let bytes = reader.read(3).await;
                if bytes.is_empty() {
                    break;
                }
                copy.borrow_mut().extend(bytes);
                k.sleep(Duration::from_millis(1)).await;
            }
        });
        kernel.run(Instant::ZERO);
        while let Some(at) = kernel.poll_timeout() {
            kernel.run(at);
        }
        assert_eq!(*seen.borrow(), b"0123456789");
        assert!(kernel.jobs().is_empty());
    }

    #[test]
    fn a_timeout_gives_up_and_leaves_no_timer() {
        let kernel = Kernel::new(Instant::ZERO, 1);
        let k = kernel.clone();
        let out = Rc::new(Cell::new(None));
        let o = Rc::clone(&out);
        kernel.spawn("t", async move {
            let never = std::future::pending::<()>();
            o.set(Some(k.timeout(Duration::from_secs(1), never).await.is_none()));
            assert_eq!(k.timeout(Duration::from_secs(9), async { 7 }).await, Some(7));
        });
        kernel.run(Instant::ZERO);
        kernel.run(Instant::from_millis(1000));
        assert_eq!(out.get(), Some(true));
        assert_eq!(kernel.poll_timeout(), None);
    }
}
