//! The serial cable of a rehearsal: from the host to router B's console.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use bootstrap::road::LocalFuture;
use bootstrap::target::TargetUrl;
use lab::NodeHandle;
use routeros::{BoxLink, ByteLink};
use routersim::router::Router;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::line_road::{Lines, Opened};

/// The cable that leads to router B, whatever port the URL names.
pub struct RehearsalLines(pub NodeHandle<Router>);

impl Lines for RehearsalLines {
    fn open<'a>(&'a self, url: &'a TargetUrl) -> LocalFuture<'a, Opened> {
        Box::pin(async move {
            let TargetUrl::Serial { baud, .. } = url else { return Ok(None) };
            let speed = Arc::new(AtomicU32::new(*baud));
            let io = lab::serial::cable_at(&self.0, Arc::clone(&speed));
            Ok(Some((Box::new(Cable { io, speed, name: url.to_string() }) as BoxLink, Vec::new())))
        })
    }
}

/// The host's end. Dropping it pulls the cable.
struct Cable {
    io: DuplexStream,
    speed: Arc<AtomicU32>,
    name: String,
}

impl ByteLink for Cable {
    fn describe(&self) -> String {
        self.name.clone()
    }

    fn speed(&self) -> Option<u32> {
        Some(self.speed.load(Ordering::Relaxed))
    }

    fn set_speed(&mut self, baud: u32) -> bool {
        self.speed.store(baud, Ordering::Relaxed);
        true
    }
}

impl AsyncRead for Cable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Cable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
