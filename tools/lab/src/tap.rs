//! Recorders on wires.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::rc::Rc;

use mactelnet::Instant;
use mactelnet::pcap::Writer;

/// Which way a frame went on its wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the end named first when the wire was laid.
    Forward,
    /// Towards it.
    Backward,
}

/// A frame as it was put on a wire, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tapped {
    /// When.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// The frame.
    pub frame: Vec<u8>,
    /// Whether it was on its way when last seen: neither lost nor sent into a cut wire.
    pub carried: bool,
}

/// Frames that one tap remembers; later ones are counted only.
const MAX_TAPPED: usize = 1 << 20;

/// What a tap on a wire heard; clones are the same tap.
#[derive(Clone, Default)]
pub struct Tap(Rc<RefCell<Heard>>);

#[derive(Default)]
struct Heard {
    frames: Vec<Tapped>,
    missed: usize,
    pcap: Option<Writer<Box<dyn Write>>>,
    trouble: Option<io::Error>,
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tap({} frames)", self.0.borrow().frames.len())
    }
}

impl Tap {
    /// A tap that remembers, and nothing else.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tap that also writes a pcap stream. Writing ends at the first error, see [`Self::trouble`]: a capture is no
    /// reason to fail.
    ///
    /// # Errors
    /// Those of writing the header.
    pub fn pcap(out: impl Write + 'static) -> io::Result<Self> {
        let tap = Self::default();
        tap.0.borrow_mut().pcap = Some(Writer::new(Box::new(out) as Box<dyn Write>)?);
        Ok(tap)
    }

    /// What was heard so far.
    pub fn frames(&self) -> Vec<Tapped> {
        self.0.borrow().frames.clone()
    }

    /// What was heard since so many frames.
    pub fn after(&self, count: usize) -> Vec<Tapped> {
        self.0.borrow().frames.get(count..).unwrap_or_default().to_vec()
    }

    /// Frames heard and not remembered, when there were too many.
    pub fn missed(&self) -> usize {
        self.0.borrow().missed
    }

    /// Why the pcap stream ended early, asked for once.
    pub fn trouble(&self) -> Option<io::Error> {
        self.0.borrow_mut().trouble.take()
    }

    pub(crate) fn hear(&self, tapped: Tapped) {
        let mut heard = self.0.borrow_mut();
        if let Some(out) = &mut heard.pcap
            && let Err(error) = out.write(tapped.at, &tapped.frame).and_then(|()| out.flush())
        {
            heard.pcap = None;
            heard.trouble = Some(error);
        }
        if heard.frames.len() < MAX_TAPPED {
            heard.frames.push(tapped);
        } else {
            heard.missed += 1;
        }
    }
}
