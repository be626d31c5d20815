//! The receiving half: bytes in order, once each, and never past a gap.

use super::{advance, distance};
use crate::Instant;

/// Most out-of-order packets that are held, so that a flood of one-byte packets stays small. More than any
/// window of ours.
pub const MAX_HELD_PACKETS: usize = 64;

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It continued the stream (perhaps with its tail only, perhaps closing a gap).
    InOrder,
    /// All of it had been received before.
    Duplicate,
    /// It lies behind a gap and is kept until that closes.
    Held,
    /// It lies behind a gap and there is no room to keep it; it must be sent again.
    Dropped,
}

/// One direction's stream as received so far.
#[derive(Debug, Clone)]
pub struct Receiver {
    next: u32,
    /// Packets behind a gap, nearest first, none within what is received. Ends may overlap.
    held: Vec<(u32, Vec<u8>)>,
    held_bytes: usize,
    max_held_bytes: usize,
    gap_since: Option<Instant>,
}

impl Receiver {
    /// A stream at offset 0 that holds at most `max_held_bytes` behind a gap.
    pub fn new(max_held_bytes: usize) -> Self {
        Self { next: 0, held: Vec::new(), held_bytes: 0, max_held_bytes, gap_since: None }
    }

    /// Offset up to which everything has arrived: what an ACK says.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Bytes held behind a gap.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Since when the stream has stood still before a gap.
    pub fn gap_since(&self) -> Option<Instant> {
        self.gap_since
    }

    /// Width of the gap before the nearest packet held, 0 if there is none.
    pub fn gap(&self) -> u32 {
        self.held.first().map_or(0, |(counter, _)| counter.wrapping_sub(self.next))
    }

    /// Takes one packet and gives back what can now be delivered: one piece for each packet, in order.
    pub fn receive(&mut self, now: Instant, counter: u32, data: &[u8]) -> (Arrival, Vec<Vec<u8>>) {
        let start = distance(counter, self.next);
        let end = distance(advance(counter, data.len()), self.next);
        if start > 0 {
            return (self.hold(now, counter, data), Vec::new());
        }
        if end <= 0 {
            // An empty packet in its place is no duplicate, but brings nothing either.
            return (if end == 0 && start == 0 { Arrival::InOrder } else { Arrival::Duplicate }, Vec::new());
        }
        let seen = usize::try_from(-i64::from(start)).unwrap_or(0);
        let mut pieces = vec![data.get(seen..).unwrap_or_default().to_vec()];
        self.next = self.next.wrapping_add(end.cast_unsigned());
        self.take_held(now, &mut pieces);
        (Arrival::InOrder, pieces)
    }

    fn hold(&mut self, now: Instant, counter: u32, data: &[u8]) -> Arrival {
        let ahead = distance(counter, self.next);
        let at = self.held.partition_point(|(other, _)| distance(*other, self.next) < ahead);
        if let Some((other, held)) = self.held.get(at)
            && *other == counter
            && held.len() >= data.len()
        {
            return Arrival::Held;
        }
        // Honest senders reach no further than their window; anything else would let one packet pin a place for ever.
        let reach = usize::try_from(ahead).unwrap_or(usize::MAX).saturating_add(data.len());
        if data.is_empty()
            || reach > self.max_held_bytes
            || self.held_bytes + data.len() > self.max_held_bytes
            || self.held.len() >= MAX_HELD_PACKETS
        {
            return Arrival::Dropped;
        }
        self.held.insert(at, (counter, data.to_vec()));
        self.held_bytes += data.len();
        self.gap_since.get_or_insert(now);
        Arrival::Held
    }

    fn take_held(&mut self, now: Instant, pieces: &mut Vec<Vec<u8>>) {
        let mut taken = 0;
        for (counter, data) in &mut self.held {
            let start = distance(*counter, self.next);
            if start > 0 {
                break;
            }
            taken += 1;
            self.held_bytes -= data.len();
            let seen = usize::try_from(-i64::from(start)).unwrap_or(0);
            if seen < data.len() {
                data.drain(..seen);
                self.next = advance(self.next, data.len());
                pieces.push(std::mem::take(data));
            }
        }
        self.held.drain(..taken);
        self.gap_since = (!self.held.is_empty()).then_some(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Instant = Instant::ZERO;

    #[test]
    fn a_gap_is_never_passed_over() {
        let mut rx = Receiver::new(1000);
        assert_eq!(rx.receive(NOW, 0, b"ab"), (Arrival::InOrder, vec![b"ab".to_vec()]));
        assert_eq!(rx.receive(NOW, 4, b"ef"), (Arrival::Held, vec![]));
        assert_eq!((rx.next(), rx.gap()), (2, 2));
        assert_eq!(rx.receive(NOW, 6, b"gh"), (Arrival::Held, vec![]));
        assert_eq!(rx.receive(NOW, 0, b"ab"), (Arrival::Duplicate, vec![]));
        assert_eq!(rx.gap_since(), Some(NOW));
        let pieces = ["cd", "ef", "gh"].map(|s| s.as_bytes().to_vec()).to_vec();
        assert_eq!(rx.receive(NOW, 2, b"cd"), (Arrival::InOrder, pieces));
        assert_eq!((rx.next(), rx.gap_since(), rx.held_bytes()), (8, None, 0));
    }

    #[test]
    fn partial_overlap_delivers_the_new_tail() {
        let mut rx = Receiver::new(1000);
        rx.receive(NOW, 0, b"abcd");
        assert_eq!(rx.receive(NOW, 2, b"cdef"), (Arrival::InOrder, vec![b"ef".to_vec()]));
    }

    #[test]
    fn counters_wrap() {
        let mut rx = Receiver::new(1000);
        rx.next = u32::MAX - 1;
        assert_eq!(rx.receive(NOW, 1, b"d").0, Arrival::Held);
        assert_eq!(rx.receive(NOW, u32::MAX - 1, b"abc").1.concat(), b"abcd");
        assert_eq!(rx.next(), 2);
        assert_eq!(rx.receive(NOW, u32::MAX, b"bc").0, Arrival::Duplicate);
    }

    proptest! {
        /// Packets of any cut, in any order, with overlaps: the stream is exact, in order, once; what is held is bounded.
        #[test]
        fn any_order_gives_the_stream(len in 1usize..400, cuts in prop::collection::vec((0usize..400, 1usize..60), 1..200), offset: u32) {
            let stream: Vec<u8> = (0..len).map(|i| i.to_le_bytes()[0]).collect();
            let mut rx = Receiver::new(300);
            rx.next = offset;
            let mut got = Vec::new();
            let whole = (0..len).step_by(7).map(|at| (at, 7));
            for (at, n) in cuts.into_iter().chain(whole) {
                let Some(data) = stream.get(at..(at + n).min(len)) else { continue };
                let before = got.len();
                let (arrival, pieces) = rx.receive(NOW, advance(offset, at), data);
                got.extend(pieces.concat());
                prop_assert!(rx.held_bytes() <= 300);
                prop_assert_eq!(got.len() > before, arrival == Arrival::InOrder && !data.is_empty());
                prop_assert_eq!(rx.next(), advance(offset, got.len()));
            }
            prop_assert_eq!(got, stream);
        }
    }
}
