//! A slow cable: frames between two interfaces of one namespace, each direction through the wire of the faults.

use std::collections::BTreeMap;
use std::io;
use std::thread::JoinHandle;

use lab::netns::Namespace;
use mactelnet::Instant;
use mactelnet::faults::{Faults, FaultyWire};
use mactelnet::io::link::recv_any;
use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::io::{BoxLink, Clock, Link as _};
use tokio::sync::oneshot;

use crate::inside::enter;

/// The relay; ended when dropped.
#[derive(Debug)]
pub struct Relay {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Relay {
    /// Carries MAC services between `a` and `b` of the namespace.
    ///
    /// # Errors
    /// An interface cannot be opened.
    pub fn start(namespace: &Namespace, a: &str, b: &str, faults: Faults, seed: u64) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, wait) = std::sync::mpsc::channel();
        let (name, ends) = (namespace.name().to_owned(), [a.to_owned(), b.to_owned()]);
        let thread = std::thread::spawn(move || {
            enter(&name)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let mut links: Vec<BoxLink> = Vec::new();
                for end in &ends {
                    // Frames for other MACs than the interface's must come in: promiscuous.
                    links.push(Box::new(RawLink::open(end, Capture::Everything)?));
                }
                let _ = ready.send(());
                carry(links, faults, seed, stopped).await
            })
        });
        if wait.recv().is_err() {
            return Err(thread.join().ok().and_then(Result::err).unwrap_or_else(|| io::ErrorKind::Other.into()));
        }
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

async fn carry(
    mut links: Vec<BoxLink>,
    faults: Faults,
    seed: u64,
    mut stopped: oneshot::Receiver<()>,
) -> io::Result<()> {
    let clock = Clock::new();
    let mut wires = [FaultyWire::new(faults, seed), FaultyWire::new(faults, !seed)];
    let mut flight: BTreeMap<(Instant, u64), (usize, Vec<u8>)> = BTreeMap::new();
    let (mut next, mut frame) = (0, Vec::new());
    loop {
        let now = clock.now();
        while let Some(first) = flight.first_entry().filter(|first| first.key().0 <= now) {
            let (to, frame) = first.remove();
            if let Some(link) = links.get_mut(to) {
                link.send(&frame)?;
            }
        }
        // Timers of the runtime have a grain of a millisecond, which is half of a round trip here: the rest is spun.
        let spin = flight.first_key_value().map(|(key, _)| key.0);
        let wake = async {
            match spin {
                Some(at) if at.saturating_since(now).as_micros() > 1500 => {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
                Some(_) => tokio::task::yield_now().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = &mut stopped => return Ok(()),
            (from, received) = recv_any(&mut links, 0, &mut frame) => {
                received?;
                let arrivals = wires.get_mut(from).map(|wire| wire.pass(clock.now(), &frame)).unwrap_or_default();
                for (at, frame) in arrivals {
                    flight.insert((at, next), (1 - from.min(1), frame));
                    next += 1;
                }
            }
            () = wake => {}
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
