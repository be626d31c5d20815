//! Recorders on wires.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, Write};
use std::rc::Rc;

use mactelnet::Instant;

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
    pcap: Option<Box<dyn Write>>,
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

    /// A tap that also writes a pcap stream. Writing ends silently at the first error: a capture is no reason to fail.
    ///
    /// # Errors
    /// Those of writing the header.
    pub fn pcap(mut out: impl Write + 'static) -> io::Result<Self> {
        out.write_all(&pcap_header())?;
        let tap = Self::default();
        tap.0.borrow_mut().pcap = Some(Box::new(out));
        Ok(tap)
    }

    /// What was heard so far.
    pub fn frames(&self) -> Vec<Tapped> {
        self.0.borrow().frames.clone()
    }

    /// Frames heard and not remembered, when there were too many.
    pub fn missed(&self) -> usize {
        self.0.borrow().missed
    }

    pub(crate) fn hear(&self, tapped: Tapped) {
        let mut heard = self.0.borrow_mut();
        if let Some(out) = &mut heard.pcap
            && out.write_all(&pcap_record(tapped.at, &tapped.frame)).and_then(|()| out.flush()).is_err()
        {
            heard.pcap = None;
        }
        if heard.frames.len() < MAX_TAPPED {
            heard.frames.push(tapped);
        } else {
            heard.missed += 1;
        }
    }
}

/// Classic pcap, microseconds, Ethernet, no length limit below 64 KB.
fn pcap_header() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(24);
    bytes.extend(0xA1B2_C3D4_u32.to_le_bytes());
    bytes.extend(2_u16.to_le_bytes());
    bytes.extend(4_u16.to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend(65_550_u32.to_le_bytes());
    bytes.extend(1_u32.to_le_bytes());
    bytes
}

fn pcap_record(at: Instant, frame: &[u8]) -> Vec<u8> {
    let micros = at.as_micros();
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(16 + frame.len());
    bytes.extend(u32::try_from(micros / 1_000_000).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(((micros % 1_000_000) as u32).to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(frame);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pcap_is_what_wireshark_opens() {
        let header = pcap_header();
        assert_eq!(header[..8], [0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0]);
        assert_eq!(header[20..], [1, 0, 0, 0]);
        let record = pcap_record(Instant::from_micros(3_000_007), b"abc");
        assert_eq!(record, [3, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, b'a', b'b', b'c']);
    }
}
