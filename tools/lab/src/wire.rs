//! A cable between two ends.

use std::collections::BTreeMap;
use std::time::Duration;

use mactelnet::Instant;
use mactelnet::faults::{Faults, FaultyWire};

use crate::tap::{Direction, Tap, Tapped};

/// What a wire's end is plugged into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A port of a node.
    Node(NodeId, usize),
    /// A port of a switch.
    Switch(SwitchId, usize),
    /// A host's only port.
    Host(HostId),
}

/// Names a node of one world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub(crate) usize);

/// Names a switch of one world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SwitchId(pub(crate) usize);

/// Names a host of one world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostId(pub(crate) usize);

/// Names a wire of one world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WireId(pub(crate) usize);

/// When a wire is cut by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutAfter {
    /// After so many more frames of either direction were carried.
    Frames(u64),
    /// Before the first frame that would make more than so many bytes of either direction.
    Bytes(u64),
}

/// The state of one wire.
#[derive(Debug)]
pub(crate) struct Wire {
    pub ends: [End; 2],
    pub latency: Duration,
    pub faults: [FaultyWire; 2],
    /// Whether the cable is plugged at both ends.
    pub plugged: bool,
    /// Carries nothing, though both ends have link: a converter in the middle that died.
    pub deaf: bool,
    cut_after: Option<CutAfter>,
    /// Counts the cuts: what was under way when it was cut never arrives.
    pub epoch: u64,
    /// The latest arrival so far.
    latest: Instant,
    taps: Vec<Tap>,
    pub carried: [u64; 2],
    /// Link as last told to each end.
    pub told: [bool; 2],
}

/// What the world does after a frame was put on a wire.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// Arrivals at the far end.
    pub arrivals: Vec<(Instant, Vec<u8>)>,
    /// The wire is to be cut at this time.
    pub cut: Option<Instant>,
}

pub(crate) fn direction(from: usize) -> Direction {
    if from == 0 { Direction::Forward } else { Direction::Backward }
}

impl Wire {
    pub(crate) fn new(ends: [End; 2], latency: Duration, seed: u64) -> Self {
        Self {
            ends,
            latency,
            faults: [FaultyWire::new(Faults::default(), seed), FaultyWire::new(Faults::default(), !seed)],
            plugged: true,
            deaf: false,
            cut_after: None,
            epoch: 0,
            latest: Instant::ZERO,
            taps: Vec::new(),
            carried: [0; 2],
            told: [false; 2],
        }
    }

    pub(crate) fn tap(&mut self, tap: Tap) {
        self.taps.push(tap);
    }

    pub(crate) fn cut_after(&mut self, limit: CutAfter) {
        self.cut_after = Some(limit);
    }

    pub(crate) fn cut(&mut self) {
        self.plugged = false;
        self.cut_after = None;
        self.epoch += 1;
    }

    /// Takes a frame at end `from`; `link` is whether the wire is alive from end to end.
    pub(crate) fn carry(&mut self, now: Instant, from: usize, frame: &[u8], link: bool) -> Carried {
        let mut result = Carried::default();
        let mut refused = !link || self.deaf;
        if !refused {
            let length = frame.len() as u64;
            self.cut_after = match self.cut_after {
                Some(CutAfter::Frames(0)) => {
                    refused = true;
                    Some(CutAfter::Frames(0))
                }
                Some(CutAfter::Frames(left)) => Some(CutAfter::Frames(left - 1)),
                Some(CutAfter::Bytes(left)) if length > left => {
                    refused = true;
                    Some(CutAfter::Bytes(0))
                }
                Some(CutAfter::Bytes(left)) => Some(CutAfter::Bytes(left - length)),
                None => None,
            };
            // What was carried still arrives; then the link goes.
            let over = matches!(self.cut_after, Some(CutAfter::Frames(0) | CutAfter::Bytes(0)));
            result.cut = over.then_some(now);
        }
        if !refused {
            let mut arrivals = self.faults[from].pass(now + self.latency, frame);
            self.carried[from] += arrivals.len() as u64;
            self.latest = arrivals.iter().map(|(at, _)| *at).fold(self.latest, Instant::max);
            result.arrivals.append(&mut arrivals);
        }
        let carried = !result.arrivals.is_empty();
        for tap in &self.taps {
            tap.hear(Tapped { at: now, direction: direction(from), frame: frame.to_vec(), carried });
        }
        result.cut = result.cut.map(|at| at.max(self.latest));
        result
    }
}

/// Which wire is at which end.
pub(crate) type Plugs = BTreeMap<End, (WireId, usize)>;
