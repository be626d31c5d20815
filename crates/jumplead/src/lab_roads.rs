//! Where roads begin in the simulated world: the host's wire, and its serial cable to router B's console.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use bootstrap::road::LocalFuture;
use bootstrap::target::TargetUrl;
use lab::{Hub, NodeHandle};
use mactelnet::io::BoxLink as Wire;
use routeros::{BoxLink, ByteLink};
use routersim::router::Router;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use crate::failure::Result;
use crate::line_road::{Lines, Opened};
use crate::segment::Segment;

/// The host's interface in the lab.
pub const INTERFACE: &str = "host";

/// The lab's segment: one interface, shared.
#[derive(Debug)]
pub struct LabSegment {
    hub: Hub,
    seeds: Cell<u64>,
}

impl LabSegment {
    /// Sessions get seeds that follow `seed`.
    pub fn new(hub: Hub, seed: u64) -> Self {
        Self { hub, seeds: Cell::new(seed) }
    }
}

impl Segment for LabSegment {
    fn interfaces(&self, _: Option<&str>) -> Result<Vec<String>> {
        Ok(vec![INTERFACE.to_owned()])
    }

    fn open(&self, _: &str) -> Result<Wire> {
        Ok(self.hub.open())
    }

    fn seed(&self) -> [u8; 32] {
        let next = self.seeds.get().wrapping_add(1);
        self.seeds.set(next);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&next.to_be_bytes());
        seed
    }
}

/// The host's port with the cable to router A's console; any other port that a URL names has the one to B's.
pub const PORT_A: &str = "/dev/rehearsal-a";

/// The cables to both consoles.
#[derive(Debug)]
pub struct LabLines {
    pub a: NodeHandle<Router>,
    pub b: NodeHandle<Router>,
}

impl Lines for LabLines {
    fn open<'a>(&'a self, url: &'a TargetUrl) -> LocalFuture<'a, Opened> {
        Box::pin(async move {
            let TargetUrl::Serial { path, line, .. } = url else { return Ok(None) };
            let router = if path == PORT_A { &self.a } else { &self.b };
            Ok(Some((Box::new(Cable::new(router, line.baud, &url.to_string())) as BoxLink, Vec::new())))
        })
    }
}

/// The host's end, whose speed it can set. Dropping it pulls the cable.
#[derive(Debug)]
pub struct Cable {
    io: DuplexStream,
    speed: Arc<AtomicU32>,
    name: String,
}

impl Cable {
    /// Plugs it into a router's console.
    pub fn new(router: &NodeHandle<Router>, baud: u32, name: &str) -> Self {
        let speed = Arc::new(AtomicU32::new(baud));
        Self { io: lab::serial::cable_at(router, Arc::clone(&speed)), speed, name: name.to_owned() }
    }
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
