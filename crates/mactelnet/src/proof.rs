//! Proof that a peer keeps its acknowledgement at a gap.
//!
//! The C tools acknowledge and deliver a packet that lies behind a lost one, and the lost bytes are gone without a
//! sign; towards them only one packet may be outstanding. Whether a peer does so is found out in a session of its
//! own, opened before the real one and ended after it, which never logs in and carries only control packets of a
//! type that every known server acknowledges and ignores:
//!
//! 1. a packet in order, until it is acknowledged; then a pause in which late duplicates of that answer die out;
//! 2. a packet *behind a gap*. An acknowledgement past the gap is the C tools' fault: not proved, for good.
//!    An acknowledgement that stays before it is half the proof;
//! 3. the packet that fills the gap. The acknowledgement must now move.
//!
//! Two rounds must agree. Silence proves nothing: the window stays at one.
//!
//! The first packet names the key that the real session will have. A server of ours answers it with a proof in the
//! other direction, and remembers the result for exactly that client, port and key; so a C client on the same host
//! is never taken for a proved one.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Instant;
use crate::stream::{Rtt, advance, distance};
use crate::wire::control::{self, ControlType, Element};

/// The control type that carries proofs. RouterOS and the C tools know none above 9; unknown ones are acknowledged
/// and ignored. \[M\]
pub const CONTROL: ControlType = ControlType::Unknown(0x6a);
/// Rounds that must agree.
const ROUNDS: u32 = 2;
/// How often a packet is sent before the peer's silence is taken for one.
const MAX_TRIES: u32 = 6;
/// The shortest pause before a gap is made.
const MIN_SETTLE: Duration = Duration::from_millis(10);

/// What is known of a peer. Remembered by the caller for the peer's MAC, and no longer than the peer surely runs the
/// same software.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeerTrait {
    /// Whether it keeps its acknowledgement at a gap. `None`: not known.
    pub holds_ack_at_gap: Option<bool>,
}

/// What a proof packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// First packet of a client: prove yourself, and me, for the session with this key.
    Request {
        /// Key of the session to come.
        key: u16,
    },
    /// A packet of a round.
    Round,
    /// The sender has come to its verdict.
    Done,
}

impl Message {
    /// A packet's data.
    pub fn to_vec(self) -> Vec<u8> {
        let (kind, key) = match self {
            Self::Request { key } => (0, key),
            Self::Round => (1, 0),
            Self::Done => (2, 0),
        };
        let [high, low] = key.to_be_bytes();
        let mut out = Vec::new();
        control::emit(CONTROL, &[b'G', b'A', b'P', kind, high, low], &mut out);
        out
    }

    /// The message that a packet's data begins with.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let Some(Element::Control(control)) = control::elements(data).next() else { return None };
        match (control.kind, control.value) {
            (CONTROL, [b'G', b'A', b'P', 0, high, low]) => {
                Some(Self::Request { key: u16::from_be_bytes([*high, *low]) })
            }
            (CONTROL, [b'G', b'A', b'P', 1, 0, 0]) => Some(Self::Round),
            (CONTROL, [b'G', b'A', b'P', 2, 0, 0]) => Some(Self::Done),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A packet in order was sent.
    InOrder,
    /// Pause before the gap.
    Settle,
    /// A packet behind a gap was sent.
    Gap,
    /// The gap was filled.
    Fill,
    /// Last packet: says that we are done.
    Done,
    Over,
}

/// The side that asks for the proof: a tiny sender with its own idea of what to send.
#[derive(Debug, Clone)]
pub struct Prover {
    opening: Message,
    step: Step,
    round: u32,
    /// Contiguous end, acknowledged.
    base: u32,
    len: usize,
    rtt: Rtt,
    sent: Instant,
    tries: u32,
    deadline: Option<Instant>,
    outgoing: VecDeque<(u32, Message)>,
    verdict: Option<bool>,
}

impl Prover {
    /// A proof that begins with `opening`, at offset 0.
    pub fn new(now: Instant, opening: Message) -> Self {
        let mut prover = Self {
            opening,
            step: Step::InOrder,
            round: 0,
            base: 0,
            len: opening.to_vec().len(),
            rtt: Rtt::default(),
            sent: now,
            tries: 0,
            deadline: None,
            outgoing: VecDeque::new(),
            verdict: None,
        };
        prover.send(now);
        prover
    }

    /// What has been found out: final once [`Self::is_over`].
    pub fn verdict(&self) -> Option<bool> {
        self.verdict
    }

    /// Whether nothing more will be sent.
    pub fn is_over(&self) -> bool {
        self.step == Step::Over
    }

    /// The round-trip time measured.
    pub fn rtt(&self) -> &Rtt {
        &self.rtt
    }

    /// The next DATA packet to send: counter and data.
    pub fn poll(&mut self) -> Option<(u32, Vec<u8>)> {
        self.outgoing.pop_front().map(|(counter, message)| (counter, message.to_vec()))
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    fn position(&self, packets: usize) -> u32 {
        advance(self.base, self.len * packets)
    }

    fn send(&mut self, now: Instant) {
        let (packets, message) = match self.step {
            Step::InOrder if self.round == 0 => (0, self.opening),
            Step::InOrder | Step::Fill => (0, Message::Round),
            Step::Gap => (1, Message::Round),
            Step::Done => (0, Message::Done),
            Step::Settle | Step::Over => return,
        };
        self.outgoing.push_back((self.position(packets), message));
        self.sent = now;
        self.tries += 1;
        self.deadline = Some(now + self.rtt.rto());
    }

    fn enter(&mut self, now: Instant, step: Step) {
        self.step = step;
        self.tries = 0;
        self.deadline = None;
        if step == Step::Settle {
            let pause = self.rtt.smoothed().unwrap_or_default() * 2;
            self.deadline = Some(now + pause.max(MIN_SETTLE));
        }
        self.send(now);
    }

    fn conclude(&mut self, now: Instant, verdict: Option<bool>) {
        self.verdict = verdict;
        self.enter(now, if verdict == Some(true) { Step::Done } else { Step::Over });
    }

    /// Takes an ACK of the proof's session.
    pub fn handle_ack(&mut self, now: Instant, counter: u32) {
        let past = distance(counter, self.base);
        if past < 0 {
            return;
        }
        let [none, one, two] = [0, 1, 2].map(|n| self.position(n));
        match self.step {
            Step::InOrder if counter == one => {
                if self.tries == 1 {
                    self.rtt.sample(now.saturating_since(self.sent));
                }
                self.base = one;
                self.enter(now, Step::Settle);
            }
            // Nothing that is sent yet lies past the base.
            Step::Settle if counter != none => self.conclude(now, Some(false)),
            Step::Gap if counter == none => self.enter(now, Step::Fill),
            Step::Gap => self.conclude(now, Some(false)),
            // It kept the packet behind the gap, or dropped it: safe either way.
            Step::Fill if counter == two || counter == one => {
                self.base = counter;
                self.round += 1;
                if self.round == ROUNDS {
                    self.conclude(now, Some(true));
                } else {
                    self.enter(now, Step::InOrder);
                }
            }
            Step::Fill if counter != none => self.conclude(now, Some(false)),
            Step::Done if counter == one => self.enter(now, Step::Over),
            _ => {}
        }
    }

    /// Resends, or gives up.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|at| now < at) {
            return;
        }
        match self.step {
            Step::Settle => self.enter(now, Step::Gap),
            Step::Over => self.deadline = None,
            _ if self.tries < MAX_TRIES => {
                self.rtt.back_off();
                self.send(now);
            }
            Step::Done => self.enter(now, Step::Over),
            _ => self.conclude(now, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Receiver;

    #[test]
    fn messages_are_controls() {
        for message in [Message::Request { key: 0x1234 }, Message::Round, Message::Done] {
            let bytes = message.to_vec();
            assert_eq!(bytes.len(), 15);
            assert_eq!(Message::parse(&bytes), Some(message));
        }
        assert_eq!(Message::parse(b"GAP"), None);
    }

    /// Runs a proof against `answer`, which gets each packet and its number, and gives the ACKs.
    fn run(mut answer: impl FnMut(u32, &[u8]) -> Vec<u32>) -> Option<bool> {
        let mut now = Instant::ZERO;
        let mut prover = Prover::new(now, Message::Request { key: 7 });
        for _ in 0..1000 {
            while let Some((counter, data)) = prover.poll() {
                now += Duration::from_millis(2);
                for ack in answer(counter, &data) {
                    prover.handle_ack(now, ack);
                }
            }
            if prover.is_over() {
                return prover.verdict();
            }
            now = prover.poll_timeout().unwrap();
            prover.handle_timeout(now);
        }
        panic!("no end");
    }

    #[test]
    fn a_peer_that_holds_is_proved_whether_it_keeps_packets_or_not() {
        for room in [1000, 0] {
            let mut rx = Receiver::new(room);
            let verdict = run(|counter, data| {
                rx.receive(Instant::ZERO, counter, data);
                vec![rx.next()]
            });
            assert_eq!(verdict, Some(true), "{room}");
        }
    }

    #[test]
    fn a_peer_that_passes_gaps_is_found_out_also_when_every_answer_comes_twice() {
        for copies in [1, 2, 3] {
            let mut newest = 0;
            let verdict = run(|counter, data| {
                newest = newest.max(advance(counter, data.len()));
                vec![newest; copies]
            });
            assert_eq!(verdict, Some(false));
        }
    }

    #[test]
    fn silence_proves_nothing() {
        assert_eq!(run(|_, _| vec![]), None);
        // Answers what is in order, and nothing else.
        let mut next = 0;
        let verdict = run(|counter, data| {
            if counter == next {
                next = advance(next, data.len());
                return vec![next];
            }
            vec![]
        });
        assert_eq!(verdict, None);
    }
}
