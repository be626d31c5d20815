//! The sending half: what is queued, what is on its way, and when to send it again.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::{Rtt, advance, distance};
use zeroize::Zeroizing;

use crate::Instant;
use crate::wire::control::plain_len;

/// Duplicate acknowledgements that prove the oldest packet lost: fewer may be mere reordering (RFC 5681's three).
const DUPLICATE_ACKS: u32 = 3;

/// The peer acknowledged nothing for the whole of its patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stalled {
    /// How long it was waited for.
    pub waited: Duration,
    /// How often the oldest packet was sent.
    pub tries: u32,
}

/// A packet to be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// Offset of the first byte.
    pub counter: u32,
    /// The bytes.
    pub data: &'a [u8],
    /// Whether it was sent before, then with the same bytes.
    pub resent: bool,
}

/// What was sent, for figures and tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// DATA packets, first sendings only.
    pub packets: u64,
    /// Sendings after the first.
    pub resent: u64,
    /// Bytes acknowledged.
    pub acknowledged: u64,
}

/// Wiped when it is not needed any more: it may be a password, or what proves one.
type Bytes = Zeroizing<Vec<u8>>;

#[derive(Clone)]
struct Segment {
    counter: u32,
    data: Bytes,
    first_sent: Instant,
    last_sent: Instant,
    tries: u32,
}

#[derive(Clone)]
enum Queued {
    /// Goes out as one packet of its own.
    Packet(Bytes),
    /// Terminal bytes; may be cut anywhere.
    Plain(Bytes),
}

/// One direction's stream as sent so far.
#[derive(Clone)]
pub struct Sender {
    unacknowledged: u32,
    next: u32,
    flight: VecDeque<Segment>,
    queue: VecDeque<Queued>,
    queued_bytes: usize,
    flight_bytes: usize,
    window: usize,
    max_data: usize,
    patience: Duration,
    rtt: Rtt,
    /// When the oldest packet is sent again.
    deadline: Option<Instant>,
    /// Since when the oldest packet has been the oldest.
    waiting_since: Instant,
    resend: bool,
    duplicates: u32,
    /// End of what was sent when a loss was noticed: until it is acknowledged every advance resends the next packet.
    recover: Option<u32>,
    /// When something was last sent again.
    resent_at: Instant,
    stats: Stats,
}

impl Sender {
    /// A stream at offset 0 with one packet outstanding at a time.
    pub fn new(max_data: usize, patience: Duration) -> Self {
        Self {
            unacknowledged: 0,
            next: 0,
            flight: VecDeque::new(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            flight_bytes: 0,
            window: 1,
            max_data: max_data.max(1),
            patience,
            rtt: Rtt::default(),
            deadline: None,
            waiting_since: Instant::ZERO,
            resend: false,
            duplicates: 0,
            recover: None,
            resent_at: Instant::ZERO,
            stats: Stats::default(),
        }
    }

    /// Lets `packets` of up to `max_data` bytes be outstanding. Only for a peer that is known to keep its
    /// acknowledgement at a gap: others lose what is sent behind a lost packet.
    pub fn open_window(&mut self, packets: usize, max_data: usize) {
        self.window = packets.max(1);
        self.max_data = max_data.max(1);
    }

    /// How many packets may be outstanding.
    pub fn window(&self) -> usize {
        self.window
    }

    /// The round-trip time estimate.
    pub fn rtt(&self) -> &Rtt {
        &self.rtt
    }

    /// The estimate, to be fed from packets outside the stream (START).
    pub fn rtt_mut(&mut self) -> &mut Rtt {
        &mut self.rtt
    }

    /// Offset of the next new byte that goes out.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Offset up to which the peer has acknowledged.
    pub fn acknowledged(&self) -> u32 {
        self.unacknowledged
    }

    /// Bytes queued or on their way.
    pub fn buffered(&self) -> usize {
        self.queued_bytes + self.flight_bytes
    }

    /// Whether everything written has been acknowledged.
    pub fn is_idle(&self) -> bool {
        self.flight.is_empty() && self.queue.is_empty()
    }

    /// Whether something is on its way, unacknowledged.
    pub fn in_flight(&self) -> bool {
        !self.flight.is_empty()
    }

    /// Figures so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Queues `data` as one packet (control packets stand at the start of a packet).
    pub fn push_packet(&mut self, data: Vec<u8>) {
        self.queued_bytes += data.len();
        self.queue.push_back(Queued::Packet(data.into()));
    }

    /// Queues terminal bytes.
    pub fn push_plain(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.queued_bytes += data.len();
        match self.queue.back_mut() {
            Some(Queued::Plain(tail)) => extend(tail, data),
            _ => self.queue.push_back(Queued::Plain(data.to_vec().into())),
        }
    }

    /// Forgets what has not been sent yet.
    pub fn discard_queue(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
    }

    /// Takes an acknowledgement. Whether it was one: at the end of a packet that is on its way. Any other says
    /// nothing about this stream (the C tools answer ACKs with the other stream's counter) and changes nothing.
    pub fn acknowledge(&mut self, now: Instant, counter: u32) -> bool {
        let advance_by = distance(counter, self.unacknowledged);
        if advance_by == 0 {
            self.duplicate();
            return false;
        }
        let Some(last) = self.flight.iter().position(|s| advance(s.counter, s.data.len()) == counter) else {
            return false;
        };
        let mut sent_again = false;
        let mut newest = (now, now);
        for segment in self.flight.drain(..=last) {
            self.flight_bytes -= segment.data.len();
            self.stats.acknowledged += segment.data.len() as u64;
            sent_again |= segment.tries > 1;
            newest = (segment.first_sent, segment.last_sent);
        }
        // Answers name the contiguous end: where nothing had to be sent again, the last packet caused this one.
        if sent_again {
            self.rtt.ambiguous_sample(now.saturating_since(newest.1));
        } else {
            self.rtt.sample(now.saturating_since(newest.0));
        }
        self.unacknowledged = counter;
        self.duplicates = 0;
        self.resend = false;
        self.waiting_since = now;
        // An answer sooner than a round trip after the resend is one to the first sending: nothing was lost, only doubled
        // or late, and to go on would send the whole window again.
        let needless = self.rtt.shortest().is_some_and(|rtt| now.saturating_since(self.resent_at) < rtt);
        if needless || self.recover.is_some_and(|end| distance(counter, end) >= 0) {
            self.recover = None;
        }
        if self.recover.is_some() && !self.flight.is_empty() {
            self.resend = true;
        }
        self.deadline = (!self.flight.is_empty()).then(|| now + self.rtt.rto());
        true
    }

    /// All that is on its way has arrived, as something else that the peer said proves: it is not sent again. When it did is
    /// not known, and nothing is measured.
    pub fn arrived(&mut self) {
        for segment in self.flight.drain(..) {
            self.stats.acknowledged += segment.data.len() as u64;
        }
        self.flight_bytes = 0;
        self.unacknowledged = self.next;
        self.duplicates = 0;
        self.resend = false;
        self.recover = None;
        self.deadline = None;
    }

    fn duplicate(&mut self) {
        if self.flight.len() > 1 && self.recover.is_none() {
            self.duplicates += 1;
            if self.duplicates == DUPLICATE_ACKS {
                self.recover = Some(self.next);
                self.resend = true;
            }
        }
    }

    /// The next packet to send, if one is due or the window has room.
    pub fn poll(&mut self, now: Instant) -> Option<Outgoing<'_>> {
        if self.resend {
            self.resend = false;
            let rto = self.rtt.rto();
            let oldest = self.flight.front_mut()?;
            oldest.tries += 1;
            oldest.last_sent = now;
            self.stats.resent += 1;
            self.resent_at = now;
            self.deadline = Some(now + rto);
            return Some(Outgoing { counter: oldest.counter, data: &oldest.data, resent: true });
        }
        if self.flight.len() >= self.window {
            return None;
        }
        let data = self.next_packet()?;
        self.queued_bytes -= data.len();
        self.flight_bytes += data.len();
        if self.flight.is_empty() {
            self.waiting_since = now;
            self.deadline = Some(now + self.rtt.rto());
        }
        let counter = self.next;
        self.next = advance(self.next, data.len());
        self.stats.packets += 1;
        self.flight.push_back(Segment { counter, data, first_sent: now, last_sent: now, tries: 1 });
        let segment = self.flight.back()?;
        Some(Outgoing { counter, data: &segment.data, resent: false })
    }

    fn next_packet(&mut self) -> Option<Bytes> {
        match self.queue.front_mut()? {
            Queued::Packet(data) => {
                let data = std::mem::take(data);
                self.queue.pop_front();
                Some(data)
            }
            Queued::Plain(data) => {
                let len = plain_len(data, self.max_data);
                let rest = Bytes::new(data.split_off(len));
                let packet = std::mem::replace(data, rest);
                if data.is_empty() {
                    self.queue.pop_front();
                }
                Some(packet)
            }
        }
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Marks the oldest packet for resending when its time has come.
    ///
    /// # Errors
    /// [`Stalled`] when the peer's time is over; the stream is dead then.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), Stalled> {
        if self.deadline.is_none_or(|at| now < at) {
            return Ok(());
        }
        let Some(oldest) = self.flight.front() else {
            self.deadline = None;
            return Ok(());
        };
        let waited = now.saturating_since(self.waiting_since);
        if waited >= self.patience {
            self.deadline = None;
            return Err(Stalled { waited, tries: oldest.tries });
        }
        self.rtt.back_off();
        self.resend = true;
        self.duplicates = 0;
        self.recover = Some(self.next);
        let left = self.patience.saturating_sub(waited);
        self.deadline = Some(now + self.rtt.rto().min(left));
        Ok(())
    }
}

/// Appends, and wipes what the bytes leave behind when they have to move.
fn extend(to: &mut Bytes, data: &[u8]) {
    if to.capacity() - to.len() < data.len() {
        let mut moved = Bytes::new(Vec::with_capacity((to.len() + data.len()).max(2 * to.capacity())));
        moved.extend_from_slice(to);
        *to = moved;
    }
    to.extend_from_slice(data);
}

impl fmt::Debug for Sender {
    /// Without the bytes: they may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("next", &self.next).field("stats", &self.stats).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::rtt::{INITIAL_RTO, PATIENCE};
    use super::*;

    fn sent(tx: &mut Sender, now: Instant) -> Vec<(u32, Vec<u8>, bool)> {
        std::iter::from_fn(|| tx.poll(now).map(|o| (o.counter, o.data.to_vec(), o.resent))).collect()
    }

    const fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn one_packet_at_a_time_and_only_the_right_ack_counts() {
        let mut tx = Sender::new(4, PATIENCE);
        tx.push_plain(b"abcdefgh");
        assert_eq!(sent(&mut tx, at(0)), [(0, b"abcd".to_vec(), false)]);
        for wrong in [0, 2, 3, 5, 8, 100, u32::MAX] {
            assert!(!tx.acknowledge(at(1), wrong), "{wrong}");
            assert_eq!(sent(&mut tx, at(1)), []);
        }
        assert!(tx.acknowledge(at(2), 4));
        assert_eq!(sent(&mut tx, at(2)), [(4, b"efgh".to_vec(), false)]);
        assert_eq!(tx.stats().resent, 0);
    }

    /// 4 GB of a session, and it goes on as before: the counters are compared on the circle.
    #[test]
    fn a_stream_goes_on_behind_4_gb() {
        let mut tx = Sender::new(4, PATIENCE);
        tx.rtt_mut().sample(Duration::from_millis(2));
        tx.open_window(8, 4);
        let begin = u32::MAX - 5;
        (tx.unacknowledged, tx.next) = (begin, begin);
        tx.push_plain(b"abcdefghijklmnopqrst");
        let counters: Vec<u32> = sent(&mut tx, at(0)).into_iter().map(|packet| packet.0).collect();
        assert_eq!(counters, [begin, begin + 4, 2, 6, 10]);
        for wrong in [begin - 1, begin + 1, 0, 1, 3, 15, 1 << 31] {
            assert!(!tx.acknowledge(at(2), wrong), "{wrong}");
        }
        assert!(tx.acknowledge(at(2), 2), "two packets, the second across the end of the counter");
        // The third is lost: three answers to what came behind it bring it back, and its own ends the recovery.
        for _ in 0..3 {
            tx.acknowledge(at(3), 2);
        }
        assert_eq!(sent(&mut tx, at(3)), [(2, b"ijkl".to_vec(), true)]);
        assert!(tx.acknowledge(at(6), 14));
        assert!(tx.is_idle() && tx.poll_timeout().is_none());
        assert_eq!((tx.next(), tx.acknowledged()), (14, 14));
        assert_eq!(tx.stats(), Stats { packets: 5, resent: 1, acknowledged: 20 });
    }

    /// A loss in front of the end of the counter is made good packet by packet until all that was under way then has arrived.
    #[test]
    fn a_recovery_ends_behind_4_gb() {
        let mut tx = Sender::new(1, PATIENCE);
        tx.rtt_mut().sample(Duration::from_millis(2));
        tx.open_window(8, 1);
        let begin = u32::MAX - 3;
        (tx.unacknowledged, tx.next) = (begin, begin);
        tx.push_plain(b"abcdefgh");
        assert_eq!(sent(&mut tx, at(0)).len(), 8);
        for _ in 0..3 {
            tx.acknowledge(at(2), begin);
        }
        assert_eq!(sent(&mut tx, at(2)), [(begin, b"a".to_vec(), true)]);
        assert!(tx.acknowledge(at(5), begin.wrapping_add(2)));
        assert_eq!(sent(&mut tx, at(5)), [(begin + 2, b"c".to_vec(), true)]);
        assert!(tx.acknowledge(at(8), 4), "all of it");
        tx.push_plain(b"ij");
        assert_eq!(sent(&mut tx, at(8)), [(4, b"i".to_vec(), false), (5, b"j".to_vec(), false)]);
        assert!(tx.acknowledge(at(10), 5));
        assert_eq!(sent(&mut tx, at(10)), [], "the recovery is over");
    }

    #[test]
    fn resends_the_same_bytes_then_gives_up() {
        let mut tx = Sender::new(1024, PATIENCE);
        tx.push_plain(b"a");
        assert_eq!(sent(&mut tx, at(0)), [(0, b"a".to_vec(), false)]);
        tx.push_plain(b"b");
        let mut tries = 1;
        let end = loop {
            let now = tx.poll_timeout().unwrap();
            match tx.handle_timeout(now) {
                Ok(()) => {
                    assert_eq!(sent(&mut tx, now), [(0, b"a".to_vec(), true)]);
                    tries += 1;
                }
                Err(stalled) => {
                    assert_eq!(stalled.tries, tries);
                    break now;
                }
            }
        };
        assert!(end >= at(8000) && end <= at(16_000), "{end}");
        assert!((6..20).contains(&tries), "{tries}");
        assert!(tx.poll_timeout().is_none());
    }

    #[test]
    fn controls_keep_their_own_packet() {
        let mut tx = Sender::new(4, PATIENCE);
        tx.push_plain(b"ab");
        tx.push_packet(b"CONTROL".to_vec());
        tx.push_plain(b"cd");
        tx.push_plain(b"e");
        tx.open_window(9, 4);
        let packets: Vec<_> = sent(&mut tx, at(0)).into_iter().map(|p| p.1).collect();
        assert_eq!(packets, [b"ab".to_vec(), b"CONTROL".to_vec(), b"cde".to_vec()]);
    }

    #[test]
    fn three_duplicate_acks_resend_the_oldest_and_partial_advances_the_next() {
        let mut tx = Sender::new(1, PATIENCE);
        tx.rtt_mut().sample(Duration::from_millis(2));
        tx.open_window(8, 1);
        tx.push_plain(b"abcdefgh");
        assert_eq!(sent(&mut tx, at(0)).len(), 8);
        // a and c are lost: every later one is answered with 0.
        for _ in 0..2 {
            tx.acknowledge(at(2), 0);
            assert_eq!(sent(&mut tx, at(2)), []);
        }
        tx.acknowledge(at(2), 0);
        assert_eq!(sent(&mut tx, at(2)), [(0, b"a".to_vec(), true)]);
        for _ in 0..5 {
            tx.acknowledge(at(2), 0);
            assert_eq!(sent(&mut tx, at(2)), []);
        }
        assert!(tx.acknowledge(at(4), 2));
        assert_eq!(sent(&mut tx, at(4)), [(2, b"c".to_vec(), true)]);
        assert!(tx.acknowledge(at(6), 8));
        assert!(tx.is_idle() && tx.poll_timeout().is_none());
        assert_eq!(tx.stats(), Stats { packets: 8, resent: 2, acknowledged: 8 });
    }

    #[test]
    fn no_resend_before_the_round_trip() {
        // 140 ms: 200 packets, one at a time, and not one needless sending.
        let mut tx = Sender::new(10, PATIENCE);
        tx.push_plain(&[b'x'; 2000]);
        let mut now = at(0);
        while !tx.is_idle() {
            while tx.poll(now).is_some() {}
            let answer = now + Duration::from_millis(140);
            if let Some(timeout) = tx.poll_timeout()
                && timeout < answer
            {
                tx.handle_timeout(timeout).unwrap();
                while tx.poll(timeout).is_some() {}
            }
            now = answer;
            assert!(tx.acknowledge(now, tx.next()));
        }
        assert_eq!(tx.stats().resent, 0);
        assert!(INITIAL_RTO > Duration::from_millis(140));
    }
}
