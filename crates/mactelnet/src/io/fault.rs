//! A bad wire around any link, for tests and rehearsals.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::Sleep;

use super::clock::Clock;
use super::link::{Link, LinkInfo};
use crate::Instant;
use crate::faults::{Faults, FaultyWire};

/// Frames under way at once in one direction; more are lost, as a queue of finite length loses them.
const IN_FLIGHT: usize = 4096;

/// Frames under way in one direction, by arrival.
#[derive(Debug, Default)]
struct Flight {
    frames: BTreeMap<(Instant, u64), Vec<u8>>,
    next: u64,
}

impl Flight {
    fn add(&mut self, arrivals: Vec<(Instant, Vec<u8>)>) {
        for (at, frame) in arrivals {
            if self.frames.len() < IN_FLIGHT {
                self.frames.insert((at, self.next), frame);
                self.next += 1;
            }
        }
    }

    fn due(&mut self, now: Instant) -> Option<Vec<u8>> {
        let first = self.frames.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    fn next(&self) -> Option<Instant> {
        self.frames.first_key_value().map(|(key, _)| key.0)
    }
}

/// A link that loses, duplicates, reorders, delays and damages, both ways.
///
/// What was sent leaves only while the link is polled, so keep receiving.
#[derive(Debug)]
pub struct FaultLink<L> {
    inner: L,
    clock: Clock,
    out: (FaultyWire, Flight),
    inward: (FaultyWire, Flight),
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<L: Link> FaultLink<L> {
    /// The same faults both ways; the same seed draws the same.
    pub fn new(inner: L, faults: Faults, seed: u64) -> Self {
        Self {
            inner,
            clock: Clock::new(),
            out: (FaultyWire::new(faults, seed), Flight::default()),
            inward: (FaultyWire::new(faults, !seed), Flight::default()),
            sleep: None,
        }
    }
}

impl<L: Link> Link for FaultLink<L> {
    fn info(&self) -> &LinkInfo {
        self.inner.info()
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let now = self.clock.now();
        let arrivals = self.out.0.pass(now, frame);
        self.out.1.add(arrivals);
        while let Some(frame) = self.out.1.due(now) {
            self.inner.send(&frame)?;
        }
        Ok(())
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        loop {
            let now = self.clock.now();
            while let Some(frame) = self.out.1.due(now) {
                self.inner.send(&frame)?;
            }
            let mut moved = false;
            while let Poll::Ready(result) = self.inner.poll_recv(cx, frame) {
                result?;
                let arrivals = self.inward.0.pass(now, frame);
                self.inward.1.add(arrivals);
                moved = true;
                if self.inward.1.frames.len() >= IN_FLIGHT {
                    break;
                }
            }
            if let Some(arrived) = self.inward.1.due(now) {
                *frame = arrived;
                return Poll::Ready(Ok(()));
            }
            let next = [self.out.1.next(), self.inward.1.next()].into_iter().flatten().min();
            let Some(next) = next else {
                self.sleep = None;
                return Poll::Pending;
            };
            let mut sleep = Box::pin(tokio::time::sleep_until(self.clock.at(next)));
            if sleep.as_mut().poll(cx).is_pending() {
                self.sleep = Some(sleep);
                if !moved {
                    return Poll::Pending;
                }
            }
        }
    }
}
