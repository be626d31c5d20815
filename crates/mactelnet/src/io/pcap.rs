//! Writes what passes a link to a capture file that Wireshark opens.

use std::collections::VecDeque;
use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::clock::Clock;
use super::link::{Link, LinkInfo};
use crate::Instant;
use crate::pcap::Writer;
use crate::redact::redact;

/// The sockets of a host bring one frame within this time, busy as the host may be.
const SAME_FRAME: Duration = Duration::from_secs(1);
/// More frames of late than that are not looked through.
const RECENT: usize = 256;

/// What is written of each frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// All of it: for simulated runs, which hold no secret of anybody's.
    Whole,
    /// Headers and what a login says in public; terminal bytes and proofs zeroed, see [`crate::redact`].
    Redacted,
}

/// One capture file, shared by any number of links.
#[derive(Clone)]
pub struct PcapSink {
    shared: Arc<Mutex<Shared>>,
    contents: Contents,
    clock: Clock,
    started: Duration,
}

/// Received frames of late, and which links brought each: a host's sockets on one interface all hear the same.
#[derive(Default)]
struct Heard {
    recent: VecDeque<(Instant, u64, Vec<usize>)>,
}

impl Heard {
    /// Whether `link` is the first to bring this frame. A frame that one link brings twice was sent twice.
    fn first(&mut self, now: Instant, link: usize, interface: &str, frame: &[u8]) -> bool {
        while self.recent.front().is_some_and(|(at, ..)| *at + SAME_FRAME < now) || self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        let mut hasher = DefaultHasher::new();
        (interface, frame).hash(&mut hasher);
        let sum = hasher.finish();
        let known = self.recent.iter_mut().find(|(_, other, links)| *other == sum && !links.contains(&link));
        if let Some((.., links)) = known {
            links.push(link);
            return false;
        }
        self.recent.push_back((now, sum, vec![link]));
        true
    }
}

struct Shared {
    heard: Heard,
    /// Links until now.
    links: usize,
    /// `None` after an error: a full disk ends the capture, never the session.
    writer: Option<Writer<Box<dyn Write + Send>>>,
    error: Option<io::Error>,
}

impl PcapSink {
    /// Begins a file in `sink`. `started` is the time of day, since 1970, that tokio's clock stands at now.
    ///
    /// # Errors
    /// The header could not be written.
    pub fn new(sink: impl Write + Send + 'static, contents: Contents, started: Duration) -> io::Result<Self> {
        let writer = Writer::new(Box::new(sink) as Box<dyn Write + Send>)?;
        let shared =
            Arc::new(Mutex::new(Shared { heard: Heard::default(), links: 0, writer: Some(writer), error: None }));
        Ok(Self { shared, contents, clock: Clock::new(), started })
    }

    /// Writes one frame.
    pub fn write(&self, frame: &[u8]) {
        if let Ok(mut shared) = self.shared.lock() {
            self.record(&mut shared, frame);
        }
    }

    /// Writes one frame that `link` received on `interface`, unless another link there has brought it.
    fn received(&self, link: usize, interface: &str, frame: &[u8]) {
        if let Ok(mut shared) = self.shared.lock()
            && shared.heard.first(self.clock.now(), link, interface, frame)
        {
            self.record(&mut shared, frame);
        }
    }

    fn record(&self, shared: &mut Shared, frame: &[u8]) {
        let at = Instant::ZERO + self.started + self.clock.now().since_epoch();
        let Some(writer) = &mut shared.writer else { return };
        let written = match self.contents {
            Contents::Whole => writer.write(at, frame),
            Contents::Redacted => writer.write(at, &redact(frame)),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "the capture ends here");
            shared.writer = None;
            shared.error = Some(error);
        }
    }

    /// Flushes the file, and says whether the capture is whole.
    ///
    /// # Errors
    /// The one that ended the capture, once.
    pub fn finish(&self) -> io::Result<()> {
        let Ok(mut shared) = self.shared.lock() else { return Ok(()) };
        match (shared.error.take(), &mut shared.writer) {
            (Some(error), _) => Err(error),
            (None, Some(writer)) => writer.flush(),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for PcapSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcapSink").field("contents", &self.contents).finish_non_exhaustive()
    }
}

/// A link whose frames are captured, both ways.
#[derive(Debug)]
pub struct PcapLink<L> {
    inner: L,
    number: usize,
    sink: PcapSink,
}

impl<L: Link> PcapLink<L> {
    /// Captures what passes `inner`.
    pub fn new(inner: L, sink: PcapSink) -> Self {
        let number = sink.shared.lock().map_or(0, |mut shared| {
            shared.links += 1;
            shared.links
        });
        Self { inner, number, sink }
    }
}

impl<L: Link> Link for PcapLink<L> {
    fn info(&self) -> &LinkInfo {
        self.inner.info()
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.sink.write(frame);
        self.inner.send(frame)
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        ready!(self.inner.poll_recv(cx, frame))?;
        self.sink.received(self.number, &self.inner.info().name, frame);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MacAddr;
    use crate::io::link::recv;
    use crate::io::memory::wire;
    use crate::pcap::Reader;
    use crate::wire::frame::Repr;

    /// A file that can be read back, and that fills up.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut file = self.0.lock().unwrap();
            if file.len() + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            file.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Two sockets on one interface hear everything twice; what was sent twice stays.
    #[tokio::test(start_paused = true)]
    async fn what_two_links_hear_is_written_once_and_what_is_resent_twice() {
        let disk = Disk(Arc::default(), 10_000);
        let sink = PcapSink::new(disk.clone(), Contents::Whole, Duration::ZERO).unwrap();
        for (link, interface, frame) in
            [(1, "a", b"1"), (2, "a", b"1"), (1, "a", b"1"), (2, "a", b"1"), (2, "b", b"1"), (2, "a", b"2")]
        {
            sink.received(link, interface, frame);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        sink.received(2, "a", b"2");
        let file = disk.0.lock().unwrap().clone();
        let frames: Vec<_> = Reader::new(&file[..]).unwrap().map(|record| record.unwrap().frame).collect();
        assert_eq!(frames, [b"1", b"1", b"1", b"2", b"2"].map(|frame| frame.to_vec()));
    }

    #[tokio::test(start_paused = true)]
    async fn both_directions_are_written_and_a_full_disk_stops_nothing() {
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        for (room, kept) in [(10_000, 2), (150, 1)] {
            let disk = Disk(Arc::default(), room);
            let sink = PcapSink::new(disk.clone(), Contents::Whole, Duration::from_secs(1_000_000)).unwrap();
            let (a, mut b) = wire(("a", mac), ("b", mac));
            let mut a = PcapLink::new(a, sink.clone());
            let frame = Repr::new(mac, mac, 1, 2, 3).to_vec(&[7; 20]).unwrap();
            let mut got = Vec::new();
            a.send(&frame).unwrap();
            recv(&mut b, &mut got).await.unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            b.send(&frame).unwrap();
            recv(&mut a, &mut got).await.unwrap();
            assert_eq!(got, frame);
            assert_eq!(sink.finish().is_ok(), kept == 2);
            let file = disk.0.lock().unwrap().clone();
            let records: Vec<_> = Reader::new(&file[..]).unwrap().map(Result::unwrap).collect();
            assert_eq!(records.len(), kept);
            assert_eq!(records[0].at, Instant::from_millis(1_000_000_000));
            assert!(records.iter().all(|record| record.frame == frame));
            if let Some(second) = records.get(1) {
                assert_eq!(second.at, Instant::from_millis(1_000_002_000));
            }
        }
    }
}
