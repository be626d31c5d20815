//! An in-memory wire, for the simulated world.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc;

use super::link::{Link, LinkInfo, LinkKind};
use crate::MacAddr;

/// Frames that lie unread at one end before more are dropped, as a network card's ring drops them.
pub const QUEUE: usize = 1024;

/// One end of an in-memory wire.
#[derive(Debug)]
pub struct MemoryLink {
    info: LinkInfo,
    out: mpsc::Sender<Vec<u8>>,
    inbox: mpsc::Receiver<Vec<u8>>,
}

impl MemoryLink {
    /// An end that sends into `out` and receives from `inbox`: whoever holds the other ends is the wire.
    pub fn new(name: &str, mac: MacAddr, out: mpsc::Sender<Vec<u8>>, inbox: mpsc::Receiver<Vec<u8>>) -> Self {
        Self { info: LinkInfo { name: name.to_owned(), mac, kind: LinkKind::Memory }, out, inbox }
    }
}

/// A wire without delay or loss between two ends.
pub fn wire(a: (&str, MacAddr), b: (&str, MacAddr)) -> (MemoryLink, MemoryLink) {
    let (to_b, from_a) = mpsc::channel(QUEUE);
    let (to_a, from_b) = mpsc::channel(QUEUE);
    (MemoryLink::new(a.0, a.1, to_b, from_b), MemoryLink::new(b.0, b.1, to_a, from_a))
}

impl Link for MemoryLink {
    fn info(&self) -> &LinkInfo {
        &self.info
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        match self.out.try_send(frame.to_vec()) {
            Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        match ready!(self.inbox.poll_recv(cx)) {
            Some(received) => {
                *frame = received;
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}
