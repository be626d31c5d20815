//! What is on its way to the router. A line that is held (flow control, a console server that stopped reading) takes no bytes:
//! what is typed waits here, and nothing that waits keeps the menu or a signal from being heard.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use routeros::ByteLink;
use tokio::io::ReadBuf;

/// More than anybody types; a file waits until nothing else does.
const MAX: usize = 4096;

/// Bytes that the link has not taken yet.
#[derive(Debug, Default)]
pub struct Outward {
    bytes: Vec<u8>,
    /// Taken by the link, and perhaps not sent on yet.
    unflushed: bool,
}

/// What happened on the link.
#[derive(Debug)]
pub enum Passed {
    /// So many bytes came, none at its end; or it broke.
    Came(std::io::Result<usize>),
    /// All that waited is on its way.
    Gone,
}

impl Outward {
    /// Puts bytes behind what waits. False: there is no room for them, and none of them goes.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        let fits = self.bytes.len() + bytes.len() <= MAX;
        if fits {
            self.bytes.extend_from_slice(bytes);
        }
        fits
    }

    /// Nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets what waits. How much that was.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.bytes).len()
    }

    fn poll_out<L: ByteLink>(&mut self, link: &mut L, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        while !self.bytes.is_empty() {
            let taken = ready!(Pin::new(&mut *link).poll_write(cx, &self.bytes))?;
            if taken == 0 {
                return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into()));
            }
            self.bytes.drain(..taken);
            self.unflushed = true;
        }
        ready!(Pin::new(link).poll_flush(cx))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }

    /// Waits until something comes, or what waits is gone. Cancel-safe.
    pub async fn pass<L: ByteLink>(&mut self, link: &mut L, space: &mut [u8]) -> Passed {
        std::future::poll_fn(|cx| {
            let mut space = ReadBuf::new(&mut *space);
            if let Poll::Ready(came) = Pin::new(&mut *link).poll_read(cx, &mut space) {
                return Poll::Ready(Passed::Came(came.map(|()| space.filled().len())));
            }
            if self.bytes.is_empty() && !self.unflushed {
                return Poll::Pending;
            }
            self.poll_out(link, cx).map(|sent| sent.map_or_else(|error| Passed::Came(Err(error)), |()| Passed::Gone))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test(start_paused = true)]
    async fn what_a_held_line_does_not_take_waits_and_what_comes_is_heard() {
        let (mut link, mut far) = tokio::io::duplex(4);
        let mut outward = Outward::default();
        let mut space = [0; 16];
        assert!(outward.push(b"reboot"));
        let held = tokio::time::timeout(Duration::from_secs(9), outward.pass(&mut link, &mut space)).await;
        assert!(held.is_err() && !outward.is_empty(), "{held:?}");
        far.write_all(b"log").await.unwrap();
        assert!(matches!(outward.pass(&mut link, &mut space).await, Passed::Came(Ok(3))));
        let mut read = [0; 6];
        let (_, passed) = tokio::join!(far.read_exact(&mut read), outward.pass(&mut link, &mut space));
        assert!(matches!(passed, Passed::Gone) && outward.is_empty(), "{passed:?}");
        assert_eq!(&read, b"reboot");
        assert!(!outward.push(&[0; MAX + 1]) && outward.is_empty(), "all or nothing");
        drop(far);
        assert!(matches!(outward.pass(&mut link, &mut space).await, Passed::Came(Ok(0))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_forgotten_is_not_sent() {
        let (mut link, mut far) = tokio::io::duplex(2);
        let mut outward = Outward::default();
        outward.push(b"abcd");
        let mut space = [0; 4];
        let held = tokio::time::timeout(Duration::from_secs(1), outward.pass(&mut link, &mut space)).await;
        assert!(held.is_err());
        assert_eq!(outward.clear(), 2);
        drop(link);
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, b"ab");
    }
}
