//! A serial cable from a host to a router of the world.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use routersim::router::Router;
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
            router.with(|router, now| router.serial_send(now, bytes, baud.load(Ordering::Relaxed)));
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
