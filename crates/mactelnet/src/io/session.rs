//! Drives one client over one link: a MAC-Telnet session as a byte stream.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use zeroize::{Zeroize as _, Zeroizing};

use super::clock::Clock;
use super::link::{BoxLink, Link as _, recv};
use crate::auth::Method;
use crate::client::{Answerers, Client, Config, Error, Event};
use crate::proof::PeerTrait;
use crate::wire::frame;
use crate::{Meta, Transmit};

/// Terminal bytes that wait in either direction between the program and the driver.
const PIPE: usize = 64 * 1024;
/// Output that the program did not take; above it the client keeps it, and makes the router wait. What else the router
/// sends is heard all the same: a router whose keepalives go unread would look dead.
const BACKLOG: usize = 256 * 1024;
/// After END_AUTH: how long a router may say nothing before the login counts as good. A refusal came 1.1 s after it. \[R\]
const ADMISSION: Duration = Duration::from_secs(3);
/// How long [`AsyncWrite::poll_shutdown`] waits for the router to confirm the end.
const FAREWELL: Duration = Duration::from_secs(2);
/// Typed bytes that are taken from the program at once.
const READ: usize = 4096;
/// Window changes that wait; only the last counts, and there are never many.
const RESIZES: usize = 8;

/// What is known of a session's end.
#[derive(Debug, Default)]
struct Ending(Mutex<Option<Result<(), Error>>>);

/// Who answers, seen from outside of the session; it may be known only after the login.
#[derive(Debug, Clone, Default)]
pub struct Company(Arc<AtomicU8>);

impl Company {
    /// How many routers have answered by now.
    pub fn answerers(&self) -> Answerers {
        match self.0.load(Ordering::Relaxed) {
            0 => Answerers::One,
            1 => Answerers::Unsure,
            _ => Answerers::Two,
        }
    }

    fn note(&self, answerers: Answerers) {
        self.0.fetch_max(answerers as u8, Ordering::Relaxed);
    }
}

/// A logged-in MAC-Telnet session: what the router prints can be read, what is written is typed.
///
/// A gap or a silent router is an error of `read`; the router's own END is the end of file. Dropping it ends the
/// session, as long as the runtime lives; [`AsyncWrite::poll_shutdown`] waits for that.
#[derive(Debug)]
pub struct Session {
    pipe: DuplexStream,
    resizes: mpsc::Sender<(u16, u16)>,
    ending: Arc<Ending>,
    task: Option<JoinHandle<()>>,
    farewell: Option<Pin<Box<tokio::time::Sleep>>>,
    method: Method,
    found: PeerTrait,
    company: Company,
}

/// What the driver tells about the login.
type Admission = Result<(Method, PeerTrait), Error>;

impl Session {
    /// Opens a session and logs in. Dropping the future ends the attempt.
    ///
    /// # Errors
    /// As the client says; a link that fails is [`Error::Reported`].
    pub async fn connect(link: BoxLink, config: Config) -> Result<Self, Error> {
        let (pipe, inner) = tokio::io::duplex(PIPE);
        let (resizes, resized) = mpsc::channel(RESIZES);
        let (admitted, admission) = oneshot::channel();
        let ending = Arc::new(Ending::default());
        let company = Company::default();
        let driver = Driver {
            clock: Clock::new(),
            link,
            pipe: Some(inner),
            resized,
            admitted: Some(admitted),
            logged_in: None,
            shown: Vec::new(),
            // As much as is read at once, so that it never moves and leaves a copy behind.
            typed: Zeroizing::new(Vec::with_capacity(READ)),
            ip_id: 1,
            ending: Arc::clone(&ending),
            company: company.clone(),
        };
        let asked = config.login.asks_for();
        let task = tokio::spawn(driver.run(config));
        // If this future is dropped, so is the receiver, and the driver gives up.
        match admission.await {
            Ok(Ok((method, found))) => {
                Ok(Self { pipe, resizes, ending, task: Some(task), farewell: None, method, found, company })
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Error::EndedInLogin { asked }),
        }
    }

    /// By which login.
    pub fn method(&self) -> Method {
        self.method
    }

    /// What was found out about the router or trusted, see [`crate::client::GapPolicy`].
    pub fn found(&self) -> PeerTrait {
        self.found
    }

    /// How many routers answer in this session: to be looked at until something is typed, and afterwards.
    pub fn company(&self) -> Company {
        self.company.clone()
    }

    /// Tells the router the terminal's new size.
    pub fn resize(&self, columns: u16, rows: u16) {
        // Full: the driver has the news of one change already and will hear of the next.
        let _ = self.resizes.try_send((columns, rows));
    }

    /// Why the session failed, once it has.
    pub fn error(&self) -> Option<Error> {
        self.ending.0.lock().ok()?.clone()?.err()
    }
}

fn broken(error: Error) -> io::Error {
    let kind = match error {
        Error::Silent { .. } | Error::Unacknowledged { .. } | Error::NoAnswer { .. } => io::ErrorKind::TimedOut,
        Error::Gap { .. } => io::ErrorKind::InvalidData,
        _ => io::ErrorKind::ConnectionAborted,
    };
    io::Error::new(kind, error)
}

impl AsyncRead for Session {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.pipe).poll_read(cx, buf);
        if let Poll::Ready(Ok(())) = polled
            && buf.filled().len() == before
            && buf.remaining() > 0
            && let Some(error) = self.error()
        {
            return Poll::Ready(Err(broken(error)));
        }
        polled
    }
}

impl AsyncWrite for Session {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.pipe).poll_write(cx, bytes) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.error().map_or(error, broken))),
            polled => polled,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    /// Types what was written, ends the session, and waits a while for the router to confirm it.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        std::task::ready!(Pin::new(&mut self.pipe).poll_shutdown(cx))?;
        let farewell = self.farewell.get_or_insert_with(|| Box::pin(tokio::time::sleep(FAREWELL)));
        let late = farewell.as_mut().poll(cx).is_ready();
        let done = self.task.as_mut().is_none_or(|task| Pin::new(task).poll(cx).is_ready());
        if done || late {
            self.task = None;
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

/// The task behind a session.
struct Driver {
    clock: Clock,
    link: BoxLink,
    /// Gone once the program has dropped the session.
    pipe: Option<DuplexStream>,
    resized: mpsc::Receiver<(u16, u16)>,
    admitted: Option<oneshot::Sender<Admission>>,
    /// Since when, and how.
    logged_in: Option<(crate::Instant, Method)>,
    /// For the program.
    shown: Vec<u8>,
    /// For the router.
    typed: Zeroizing<Vec<u8>>,
    ip_id: u16,
    ending: Arc<Ending>,
    company: Company,
}

/// A driver with its client: however the task goes, also by the end of the runtime, the router is told once. One that is
/// not told keeps a user logged in.
struct Parting {
    driver: Driver,
    client: Client,
}

impl Parting {
    fn tell(&mut self) {
        let now = self.driver.clock.now();
        if !self.client.is_over() {
            self.client.abort(now);
        }
        while let Some(transmit) = self.client.poll_transmit(now) {
            let _ = self.driver.send(&transmit);
        }
    }
}

impl Drop for Parting {
    fn drop(&mut self) {
        self.tell();
    }
}

impl Driver {
    async fn run(self, config: Config) {
        let asked = config.login.asks_for();
        let client = Client::new(self.clock.now(), config);
        let mut parting = Parting { driver: self, client };
        let ended = parting.driver.pump(&mut parting.client).await;
        parting.tell();
        let this = &mut parting.driver;
        if let Ok(mut ending) = this.ending.0.lock() {
            *ending = Some(ended.clone());
        }
        if let Some(admitted) = this.admitted.take() {
            let _ = admitted.send(Err(ended.err().unwrap_or(Error::EndedInLogin { asked })));
        }
        // What was received is delivered before the end is seen.
        if let Some(pipe) = &mut this.pipe {
            let _ = pipe.write_all(&this.shown).await;
            let _ = pipe.shutdown().await;
        }
    }

    fn send(&mut self, transmit: &Transmit) -> io::Result<()> {
        let meta = &transmit.meta;
        let repr = frame::Repr::new(meta.src_mac, meta.dst_mac, meta.src_port, meta.dst_port, self.ip_id);
        self.ip_id = self.ip_id.wrapping_add(1);
        match repr.to_vec(&transmit.payload) {
            Ok(bytes) => self.link.send(&bytes),
            Err(_) => Ok(()),
        }
    }

    /// Until the session is over, or the program has gone and the router was told.
    async fn pump(&mut self, client: &mut Client) -> Result<(), Error> {
        let mut frame = Vec::new();
        // Not in this future, which is moved several times before it runs: each of its pages costs as much as a system call.
        let mut input = Zeroizing::new(vec![0; READ]);
        loop {
            let now = self.clock.now();
            client.handle_timeout(now);
            if !self.typed.is_empty() {
                let taken = client.write(&self.typed);
                self.typed.drain(..taken);
                if self.typed.is_empty() {
                    self.typed.zeroize();
                }
            }
            if self.pipe.is_none() {
                // Nobody reads any more, and the router's last words must not hold up the end.
                self.shown.clear();
                if self.typed.is_empty() {
                    client.close(now);
                }
            }
            // Events first: taking output may free an acknowledgement that was withheld.
            if let Some(end) = self.take_events(client) {
                return end;
            }
            while let Some(transmit) = client.poll_transmit(now) {
                self.send(&transmit).map_err(|error| link_lost(&error))?;
            }
            self.admit(client, now);
            let wake = [
                client.poll_timeout(),
                self.logged_in.filter(|_| self.admitted.is_some()).map(|(at, _)| at + ADMISSION),
            ]
            .into_iter()
            .flatten()
            .min();
            let wake = wake.map_or_else(|| tokio::time::Instant::now() + FAREWELL, |at| self.clock.at(at));
            let read = self.admitted.is_none() && self.typed.is_empty();
            // A segment flooded with frames is always ready: whoever reads and types gets a turn between any two.
            let moved = DuplexStreamOption(self.pipe.as_mut()).at_once(&mut input, &self.shown, read).await;
            if let Some(moved) = moved {
                self.moved(moved, &input);
                continue;
            }
            let gone = async {
                match &mut self.admitted {
                    Some(admitted) => admitted.closed().await,
                    None => std::future::pending().await,
                }
            };
            let mut deaf = DuplexStreamOption(self.pipe.as_mut());
            tokio::select! {
                biased;
                // The attempt was given up: the router is told, until it confirms.
                () = gone => {
                    self.admitted = None;
                    self.pipe = None;
                }
                Some((columns, rows)) = self.resized.recv() => client.resize(self.clock.now(), columns, rows),
                result = recv(&mut self.link, &mut frame) => {
                    result.map_err(|error| link_lost(&error))?;
                    if let Ok(view) = frame::Frame::new_checked(&frame) {
                        let meta = Meta {
                            link: client.meta().link,
                            src_mac: view.src_mac(),
                            dst_mac: view.dst_mac(),
                            src_port: view.src_port(),
                            dst_port: view.dst_port(),
                        };
                        client.handle_datagram(self.clock.now(), &meta, view.payload());
                        self.company.note(client.answerers());
                    }
                }
                moved = deaf.exchange(&mut input, &self.shown, read) => self.moved(moved, &input),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn moved(&mut self, moved: Moved, input: &[u8]) {
        match moved {
            Moved::Typed(0) | Moved::Gone => self.pipe = None,
            Moved::Typed(n) => self.typed.extend_from_slice(input.get(..n).unwrap_or_default()),
            Moved::Shown(n) => drop(self.shown.drain(..n)),
        }
    }

    /// Hands events on; `Some` when the session is over.
    fn take_events(&mut self, client: &mut Client) -> Option<Result<(), Error>> {
        while self.shown.len() < BACKLOG {
            match client.poll_event()? {
                Event::Answered { .. } | Event::Proved(_) | Event::Writable => {}
                Event::LoggedIn { method } => self.logged_in = Some((self.clock.now(), method)),
                Event::Data(data) => self.shown.extend_from_slice(&data),
                Event::Closed { .. } => return Some(Ok(())),
                Event::Failed(error) => return Some(Err(error)),
            }
        }
        None
    }

    /// Tells the program that the login was good, as soon as that is sure.
    fn admit(&mut self, client: &Client, now: crate::Instant) {
        let Some((at, method)) = self.logged_in else { return };
        if self.admitted.is_some()
            && (client.is_admitted() || now >= at + ADMISSION)
            && let Some(admitted) = self.admitted.take()
        {
            // A program that has gone meanwhile is noticed at the pipe.
            let _ = admitted.send(Ok((method, client.found())));
        }
    }
}

fn link_lost(error: &io::Error) -> Error {
    Error::LinkLost(error.to_string().as_str().into())
}

/// What passed through the pipe to the program.
enum Moved {
    /// Bytes were typed; none: the program is done.
    Typed(usize),
    /// Bytes were taken.
    Shown(usize),
    /// The program has dropped the session.
    Gone,
}

/// The driver's end of the pipe, which may be gone.
struct DuplexStreamOption<'a>(Option<&'a mut DuplexStream>);

impl DuplexStreamOption<'_> {
    /// As [`Self::exchange`], without waiting.
    async fn at_once(&mut self, input: &mut [u8], shown: &[u8], read: bool) -> Option<Moved> {
        let mut exchange = std::pin::pin!(self.exchange(input, shown, read));
        std::future::poll_fn(|cx| {
            Poll::Ready(match exchange.as_mut().poll(cx) {
                Poll::Ready(moved) => Some(moved),
                Poll::Pending => None,
            })
        })
        .await
    }

    /// Waits until bytes can move one way or the other.
    async fn exchange(&mut self, input: &mut [u8], shown: &[u8], read: bool) -> Moved {
        let Some(pipe) = self.0.as_mut() else { return std::future::pending().await };
        std::future::poll_fn(|cx| {
            if !shown.is_empty() {
                match Pin::new(&mut **pipe).poll_write(cx, shown) {
                    Poll::Ready(Ok(n)) if n > 0 => return Poll::Ready(Moved::Shown(n)),
                    Poll::Ready(_) => return Poll::Ready(Moved::Gone),
                    Poll::Pending => {}
                }
            }
            if read {
                let mut buf = ReadBuf::new(input);
                match Pin::new(&mut **pipe).poll_read(cx, &mut buf) {
                    Poll::Ready(Ok(())) => return Poll::Ready(Moved::Typed(buf.filled().len())),
                    Poll::Ready(Err(_)) => return Poll::Ready(Moved::Gone),
                    Poll::Pending => {}
                }
            }
            Poll::Pending
        })
        .await
    }
}
