//! From one phase to the next.

use super::{Client, END_WAIT, MAX_DATA, PROOF_TIME, PROVED_WINDOW, Phase, Proving, Stale};
use crate::Instant;
use crate::client::error::Error;
use crate::client::event::Event;
use crate::client::login::Login;
use crate::client::start::{Start, fresh_key};
use crate::proof::{Message, PeerTrait, Prover};
use crate::stream::{Duplex, Limits, distance};
use crate::wire::Text;
use crate::wire::control;
use crate::wire::packet::{self, PacketType};

impl Client {
    pub(super) fn begin_proof(&mut self, now: Instant) {
        let key = fresh_key(&mut self.rng, &[self.key]);
        self.next_key = Some(key);
        self.phase = Phase::Proving(Box::new(Proving {
            prover: Prover::new(now, Message::Request { key }),
            streams: Duplex::new(Limits::CLIENT, MAX_DATA, self.config.patience),
            asked: false,
            done: false,
            deadline: now + PROOF_TIME,
        }));
    }

    pub(super) fn end_proof(&mut self, now: Instant) {
        let Phase::Proving(proving) = &self.phase else { return };
        let over = proving.prover.is_over() && (proving.done || !proving.asked);
        if !over && now < proving.deadline {
            return;
        }
        self.found = PeerTrait { holds_ack_at_gap: proving.prover.verdict() };
        self.events.push_back(Event::Proved(self.found));
        *self.streams.tx.rtt_mut() = proving.prover.rtt().clone();
        // In stream order nothing was acknowledged past the proof's own packets; END carries no claim.
        self.abandon(now, self.key, 0);
        self.key = self.next_key.take().unwrap_or_else(|| fresh_key(&mut self.rng, &[self.key]));
        self.begin_start(now);
    }

    pub(super) fn begin_start(&mut self, now: Instant) {
        self.phase = Phase::Starting { start: Start::new(now, self.key, self.streams.tx.rtt()), proof: false };
        self.send_start(self.key);
    }

    pub(super) fn begin_login(&mut self, now: Instant) {
        if self.found.holds_ack_at_gap == Some(true) {
            self.streams.tx.open_window(PROVED_WINDOW, self.config.max_data.clamp(1, packet::MAX_DATA));
        }
        let opening = self.opening.take();
        match opening.unwrap_or_else(|| Login::begin(&self.config, &mut self.rng)) {
            Ok((login, packet)) => {
                self.streams.tx.push_packet(packet);
                self.phase = Phase::Login { login: Box::new(login), step_at: now };
            }
            Err(error) => self.fail(error),
        }
    }

    /// After any input: what may follow from the state alone.
    pub(super) fn settle(&mut self, now: Instant) {
        self.end_proof(now);
        if let Some((counter, grace)) = self.ended {
            self.peer_ended(now, counter, grace);
        }
        if let Phase::Draining { give_up } = &self.phase
            && (self.streams.tx.is_idle() || *give_up <= now)
        {
            self.send_end(now);
        }
        if let Some((columns, rows)) = self.new_size
            && matches!(self.phase, Phase::Open(_))
            && self.streams.room() > 2 * control::HEADER_LEN
        {
            self.new_size = None;
            let mut packet = Vec::new();
            control::emit_size(columns, rows, &mut packet);
            self.streams.tx.push_packet(packet);
        }
    }

    /// END has come; everything that was sent before it may have, too.
    pub(super) fn peer_ended(&mut self, now: Instant, counter: u32, grace: Instant) {
        let ahead = distance(counter, self.streams.rx().next());
        // A counter far off says nothing: it is the C tools' habit, not known of RouterOS.
        let behind_gap = self.streams.rx().held_bytes() > 0;
        let missing = (0 < ahead && ahead < i32::from(u16::MAX)) || behind_gap;
        let expired = grace <= now;
        match &self.phase {
            Phase::Login { login, .. } => {
                if missing && !expired {
                    return;
                }
                let said = login.said();
                let error = if login.proved() || said.is_some() {
                    Error::Rejected { method: login.method(), said }
                } else {
                    Error::EndedInLogin { asked: login.method() }
                };
                self.fail(error);
            }
            Phase::Open(open) => {
                if (missing || open.greeting.is_empty()) && !expired {
                    return;
                }
                if open.greeting.refusal().is_some() || open.greeting.is_empty() {
                    self.refused(now);
                } else if missing {
                    let gap = self.streams.rx().gap();
                    let missing = if gap > 0 { gap } else { ahead.max(0).cast_unsigned() };
                    self.fail(Error::Gap { missing });
                } else {
                    self.over(Event::Closed { by_peer: true });
                }
            }
            Phase::Draining { .. } => self.over(Event::Closed { by_peer: true }),
            _ => {}
        }
    }

    /// The login was refused after END_AUTH.
    pub(super) fn refused(&mut self, now: Instant) {
        let Phase::Open(open) = &mut self.phase else { return };
        let error = Error::Rejected { method: open.method, said: open.greeting.refusal().map(Text::from) };
        if open.kept_back.is_some() {
            // The server changed its key in the middle: the refusal says nothing about the password.
            self.rekeyed += 1;
            self.abandon(now, self.key, self.streams.tx.next());
            self.ended = None;
            let rtt = self.streams.tx.rtt().clone();
            self.answers.forget_first();
            self.streams = Duplex::new(Limits::CLIENT, MAX_DATA, self.config.patience);
            *self.streams.tx.rtt_mut() = rtt;
            self.key = fresh_key(&mut self.rng, &[self.key]);
            self.begin_start(now);
            return;
        }
        self.fail(error);
    }

    pub(super) fn fail(&mut self, error: Error) {
        if let Phase::Open(open) = &mut self.phase
            && let Some(kept) = open.kept_back.take()
        {
            self.deliver(kept);
        }
        self.over(Event::Failed(error));
    }

    /// The end: END is sent, once; the router's own is confirmed by it. A router that answered no START is told, too, of
    /// every key: its answers may be what was lost.
    pub(super) fn over(&mut self, event: Event) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        if let Phase::Starting { start, .. } = &self.phase {
            for other in start.others(self.key) {
                self.send(PacketType::End, other, 0);
            }
        }
        if !matches!(self.phase, Phase::Ending { .. }) {
            let counter = if self.ended.is_some() { 0 } else { self.streams.tx.next() };
            self.send(PacketType::End, self.key, counter);
        }
        self.phase = Phase::Over;
        self.streams.tx.discard_queue();
        self.events.push_back(event);
    }

    pub(super) fn send_end(&mut self, now: Instant) {
        if let Phase::Starting { start, .. } = &self.phase {
            for other in start.others(self.key) {
                self.abandon(now, other, 0);
            }
        }
        self.send(PacketType::End, self.key, self.streams.tx.next());
        self.phase = Phase::Ending { tries: 1, at: now + END_WAIT };
    }

    /// Has a session that the router may hold for `key` ended.
    pub(super) fn abandon(&mut self, now: Instant, key: u16, counter: u32) {
        self.send(PacketType::End, key, counter);
        self.stale.push(Stale { key, counter, tries: 1, at: now + END_WAIT });
    }
}
