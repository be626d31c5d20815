//! A host's end of a wire.

use std::task::{Context, Poll};

use mactelnet::MacAddr;
use mactelnet::io::memory::{MemoryLink, QUEUE};
use tokio::sync::mpsc;

/// The world's side of a host's link.
#[derive(Debug)]
pub(crate) struct Host {
    to: mpsc::Sender<Vec<u8>>,
    from: mpsc::Receiver<Vec<u8>>,
    /// Taken while waiting, before the world's turn.
    waiting: Option<Vec<u8>>,
    /// The link was dropped: nothing comes any more.
    gone: bool,
}

impl Host {
    pub(crate) fn new(name: &str, mac: MacAddr) -> (Self, MemoryLink) {
        let (to, inbox) = mpsc::channel(QUEUE);
        let (out, from) = mpsc::channel(QUEUE);
        (Self { to, from, waiting: None, gone: false }, MemoryLink::new(name, mac, out, inbox))
    }

    /// Whether the host has sent something; else `cx` is woken when it does.
    pub(crate) fn poll_sends(&mut self, cx: &mut Context<'_>) -> bool {
        if self.waiting.is_none() && !self.gone {
            match self.from.poll_recv(cx) {
                Poll::Ready(Some(frame)) => self.waiting = Some(frame),
                Poll::Ready(None) => self.gone = true,
                Poll::Pending => {}
            }
        }
        self.waiting.is_some()
    }

    /// The next frame that the host has sent.
    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        self.waiting.take().or_else(|| self.from.try_recv().ok())
    }

    /// Hands the host a frame; one that doesn't read loses it.
    pub(crate) fn give(&self, frame: Vec<u8>) {
        // Full or gone: as on a card whose ring nobody empties.
        let _ = self.to.try_send(frame);
    }
}
