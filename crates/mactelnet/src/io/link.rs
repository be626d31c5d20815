//! A link: send a frame, receive a frame, say what it is.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use crate::MacAddr;

/// How frames travel on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Frames on a network interface.
    Raw,
    /// A UDP socket: no Ethernet addresses are seen, and the host's own rules may drop what arrives.
    Udp,
    /// In memory.
    Memory,
}

/// What a link is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkInfo {
    /// The interface's name.
    pub name: String,
    /// The interface's own MAC: frames leave with it as source, inside and outside the packet.
    pub mac: MacAddr,
    pub kind: LinkKind,
}

/// Carries whole Ethernet frames, without their check sequence.
pub trait Link: Send {
    /// What it is.
    fn info(&self) -> &LinkInfo;

    /// Sends a frame at once. A link that is full drops it, as a wire would: that is no error.
    ///
    /// # Errors
    /// The link is gone for good (interface removed or down, other end dropped).
    fn send(&mut self, frame: &[u8]) -> io::Result<()>;

    /// Receives the next frame into `frame`, replacing what it held.
    ///
    /// # Errors
    /// As [`Link::send`].
    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>>;
}

/// Any link, owned.
pub type BoxLink = Box<dyn Link>;

impl<L: Link + ?Sized> Link for Box<L> {
    fn info(&self) -> &LinkInfo {
        (**self).info()
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        (**self).send(frame)
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        (**self).poll_recv(cx, frame)
    }
}

impl fmt::Debug for dyn Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(self.info()).finish()
    }
}

/// Waits for the next frame. Dropping the future loses nothing.
///
/// # Errors
/// As [`Link::poll_recv`].
pub async fn recv<L: Link + ?Sized>(link: &mut L, frame: &mut Vec<u8>) -> io::Result<()> {
    poll_fn(|cx| link.poll_recv(cx, frame)).await
}

/// Waits for the next frame of any of `links`; returns its place. A link that fails is reported once by its place.
/// The first link with a frame wins; none starves, since every frame is handled before the next wait.
pub async fn recv_any(links: &mut [BoxLink], start: usize, frame: &mut Vec<u8>) -> (usize, io::Result<()>) {
    poll_fn(|cx| {
        let count = links.len();
        for step in 0..count {
            let place = (start + step) % count;
            if let Some(link) = links.get_mut(place)
                && let Poll::Ready(result) = link.poll_recv(cx, frame)
            {
                return Poll::Ready((place, result));
            }
        }
        Poll::Pending
    })
    .await
}
