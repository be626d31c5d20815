//! Both directions of one session, and the acknowledgements between them.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Arrival, Receiver, Sender};
use crate::Instant;

/// Acknowledgements waiting to be sent. They are sent after every packet that comes in; a caller that lets more than
/// these pile up loses the oldest, which the newer ones make up for.
const MAX_PENDING_ACKS: usize = 16;

/// How much one session may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes written and not yet acknowledged.
    pub send: usize,
    /// Bytes held behind a gap.
    pub held: usize,
    /// Bytes received and not yet taken: above this, acknowledgements are withheld, so that the peer stops;
    /// above twice this, packets are dropped.
    pub unread: usize,
}

impl Limits {
    /// For a server of many sessions: under 64 KB each.
    pub const SERVER: Self = Self { send: 20 << 10, held: 16 << 10, unread: 8 << 10 };
    /// For a client, which has one.
    pub const CLIENT: Self = Self { send: 64 << 10, held: 64 << 10, unread: 256 << 10 };
}

/// The two streams of a session.
#[derive(Debug, Clone)]
pub struct Duplex {
    /// What we send.
    pub tx: Sender,
    rx: Receiver,
    limits: Limits,
    acks: VecDeque<u32>,
    unread: usize,
    withheld: bool,
}

impl Duplex {
    /// Fresh streams, one packet of `max_data` bytes outstanding.
    pub fn new(limits: Limits, max_data: usize, patience: Duration) -> Self {
        Self {
            tx: Sender::new(max_data, patience),
            rx: Receiver::new(limits.held),
            limits,
            acks: VecDeque::new(),
            unread: 0,
            withheld: false,
        }
    }

    /// The receiving half.
    pub fn rx(&self) -> &Receiver {
        &self.rx
    }

    /// Queues as much of `data` as there is room for; how much that is.
    pub fn write(&mut self, data: &[u8]) -> usize {
        let len = data.len().min(self.room());
        self.tx.push_plain(data.get(..len).unwrap_or_default());
        len
    }

    /// How much [`Self::write`] would take.
    pub fn room(&self) -> usize {
        self.limits.send.saturating_sub(self.tx.buffered())
    }

    /// Takes a DATA packet: what can be delivered, piece by packet. The acknowledgement is queued.
    pub fn receive(&mut self, now: Instant, counter: u32, data: &[u8]) -> Vec<Vec<u8>> {
        let full = self.unread > self.limits.unread;
        if full && self.unread > 2 * self.limits.unread {
            self.withheld = true;
            return Vec::new();
        }
        let (arrival, pieces) = self.rx.receive(now, counter, data);
        if full && arrival == Arrival::InOrder {
            self.withheld = true;
        } else if !self.withheld {
            self.queue_ack();
        }
        pieces
    }

    /// Counts `bytes` as delivered to the reader and not yet taken.
    pub fn delivered(&mut self, bytes: usize) {
        self.unread += bytes;
    }

    /// The reader took `bytes`.
    pub fn taken(&mut self, bytes: usize) {
        self.unread = self.unread.saturating_sub(bytes);
        if self.withheld && self.unread <= self.limits.unread {
            self.withheld = false;
            self.queue_ack();
        }
    }

    /// Queues an ACK that says how far we are (also: keepalive, and its answer).
    pub fn queue_ack(&mut self) {
        if self.acks.len() >= MAX_PENDING_ACKS {
            self.acks.pop_front();
        }
        self.acks.push_back(self.rx.next());
    }

    /// The next ACK to send: its counter.
    pub fn poll_ack(&mut self) -> Option<u32> {
        self.acks.pop_front()
    }

    /// Bytes that this session holds, all together.
    pub fn memory(&self) -> usize {
        self.tx.buffered() + self.rx.held_bytes() + self.unread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_does_not_read_stops_the_peer() {
        let limits = Limits { send: 100, held: 100, unread: 10 };
        let mut duplex = Duplex::new(limits, 10, Duration::from_secs(15));
        let (mut counter, mut acked) = (0, 0);
        for _ in 0..10 {
            let got = duplex.receive(Instant::ZERO, counter, &[b'x'; 6]).concat().len();
            duplex.delivered(got);
            if let Some(ack) = duplex.poll_ack() {
                acked = ack;
                counter = ack;
            }
        }
        // Two fill it, the third is kept but not acknowledged, and its repetitions bring nothing.
        assert_eq!((acked, duplex.rx().next(), duplex.memory()), (12, 18, 18));
        duplex.taken(18);
        assert_eq!(duplex.poll_ack(), Some(18));
        assert_eq!(duplex.write(&[0; 1000]), 100);
        assert_eq!(duplex.write(&[0; 1000]), 0);
    }
}
