//! A serial cable from a host to a router of the world.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use routersim::router::Router;
use routersim::serial::LineSettings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, split};

use crate::world::NodeHandle;

/// Bytes that a host's driver holds, each way.
const BUFFER: usize = 64 * 1024;

/// Plugs a cable in and gives the host's end, at `baud` bits a second. Dropping the end pulls the cable; the session on the
/// router stays. To be called inside a `LocalSet`.
pub fn cable(router: &NodeHandle<Router>, baud: u32) -> DuplexStream {
    cable_at(router, Arc::new(AtomicU32::new(baud)))
}

/// As [`cable`], at a speed that the host may change.
pub fn cable_at(router: &NodeHandle<Router>, baud: Arc<AtomicU32>) -> DuplexStream {
    let (host, far) = tokio::io::duplex(BUFFER);
    let (mut typed, mut shown) = split(far);
    let mine = router.with(|router, now| router.lay_serial_cable(now));
    let (show, speed) = (router.clone(), Arc::clone(&baud));
    let showing = tokio::task::spawn_local(async move {
        loop {
            // The host's next cable may be there before this one has noticed that it was dropped.
            let read = |cx: &mut std::task::Context<'_>| {
                show.look_mut(|router| match router.serial_cable() == mine {
                    true => router.poll_serial(cx, speed.load(Ordering::Relaxed)),
                    false => std::task::Poll::Pending,
                })
            };
            let bytes = poll_fn(read).await;
            if shown.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let router = router.clone();
    tokio::task::spawn_local(async move {
        let mut space = [0; 1024];
        while let Ok(count) = typed.read(&mut space).await {
            if count == 0 {
                break;
            }
            let bytes = space.get(..count).unwrap_or_default();
            router.with(|router, now| router.serial_send(now, bytes, LineSettings::at(baud.load(Ordering::Relaxed))));
        }
        showing.abort();
        router.with(|router, now| {
            if router.serial_cable() == mine {
                router.plug_serial(now, false);
            }
        });
    });
    host
}

/// A null-modem cable between ports of two routers. It stays until this is pulled or dropped.
#[derive(Debug)]
pub struct NullModem {
    ends: [(NodeHandle<Router>, String); 2],
    ways: Vec<tokio::task::JoinHandle<()>>,
}

impl NullModem {
    /// Lays it. To be called inside a `LocalSet`.
    pub fn new(a: (&NodeHandle<Router>, &str), b: (&NodeHandle<Router>, &str)) -> Self {
        let ends = [a, b].map(|(router, port)| (router.clone(), port.to_owned()));
        for (router, port) in &ends {
            router.with(|router, now| router.plug_port(now, port, true));
        }
        let way = |from: usize, to: usize| {
            let ((from, from_port), (to, to_port)) = (ends[from].clone(), ends[to].clone());
            tokio::task::spawn_local(async move {
                loop {
                    let (bytes, breaks) = poll_fn(|cx| {
                        let baud = to.look(|router| router.port_baud(&to_port));
                        from.look_mut(|router| router.poll_port(cx, &from_port, baud))
                    })
                    .await;
                    let baud = from.look(|router| router.port_baud(&from_port));
                    to.with(|router, now| {
                        router.port_send(now, &to_port, &bytes, baud);
                        (0..breaks).for_each(|_| router.serial_break(now));
                    });
                }
            })
        };
        let ways = vec![way(0, 1), way(1, 0)];
        Self { ends, ways }
    }
}

impl Drop for NullModem {
    fn drop(&mut self) {
        self.ways.iter().for_each(tokio::task::JoinHandle::abort);
        for (router, port) in &self.ends {
            router.with(|router, now| router.plug_port(now, port, false));
        }
    }
}
