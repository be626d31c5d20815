//! Traces frames through `tracing`: addresses, types and lengths, never the bytes of a session.

use std::io;
use std::task::{Context, Poll, ready};

use super::link::{Link, LinkInfo};
use crate::wire::frame::Frame;

/// A link whose frames are traced.
#[derive(Debug)]
pub struct TraceLink<L>(pub L);

fn trace(direction: &str, link: &LinkInfo, frame: &[u8]) {
    if !tracing::enabled!(tracing::Level::TRACE) {
        return;
    }
    match Frame::new_checked(frame) {
        Ok(view) => tracing::trace!(
            link = %link.name,
            direction,
            src = %view.src_mac(),
            dst = %view.dst_mac(),
            ports = %format_args!("{}>{}", view.src_port(), view.dst_port()),
            len = view.payload().len(),
            "frame"
        ),
        Err(error) => tracing::trace!(link = %link.name, direction, len = frame.len(), %error, "frame"),
    }
}

impl<L: Link> Link for TraceLink<L> {
    fn info(&self) -> &LinkInfo {
        self.0.info()
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        trace("out", self.0.info(), frame);
        self.0.send(frame)
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        ready!(self.0.poll_recv(cx, frame))?;
        trace("in", self.0.info(), frame);
        Poll::Ready(Ok(()))
    }
}
