//! What goes out, and when.

use super::{
    Client, END_TRIES, END_WAIT, KEEPALIVE, KEEPALIVE_TRIES, KEEPALIVE_WAIT, LOGIN_STEP, MD5_SILENCE, Phase,
    REFUSAL_GRACE,
};
use crate::client::answers::Answerers;
use crate::client::config::LoginPolicy;
use crate::client::error::Error;
use crate::client::event::Event;
use crate::client::login::Login;
use crate::client::start::Due;
use crate::wire::packet::{self, CLIENT_TYPE_MAC_TELNET, Direction, PacketType};
use crate::{Instant, MacAddr, Meta, Transmit};

impl Client {
    /// The next datagram to send, if there is one.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        let transmit = self.next_transmit(now)?;
        self.last_sent = now;
        Some(transmit)
    }

    pub(super) fn next_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if let Some(transmit) = self.outbox.pop_front() {
            return Some(transmit);
        }
        match &mut self.phase {
            Phase::Proving(proving) => {
                if let Some(counter) = proving.streams.poll_ack() {
                    return Some(self.transmit(PacketType::Ack, self.key, counter));
                }
                let (counter, data) = proving.prover.poll()?;
                let payload = self.header(PacketType::Data, self.key, counter).to_vec(&data);
                Some(Transmit { meta: self.meta, payload })
            }
            Phase::Starting { proof: false, .. } if self.opening.is_none() => {
                // The router is a round trip away, and the key pair is ready by then.
                self.opening = Some(Login::begin(&self.config, &mut self.rng));
                None
            }
            Phase::Starting { .. } | Phase::Over => None,
            _ => {
                if let Some(counter) = self.streams.poll_ack() {
                    self.echo.sent(counter);
                    return Some(self.transmit(PacketType::Ack, self.key, counter));
                }
                let header = self.header(PacketType::Data, self.key, 0);
                let outgoing = self.streams.tx.poll(now)?;
                let payload = packet::Repr { counter: outgoing.counter, ..header }.to_vec(outgoing.data);
                // BEGINAUTH, as START: whoever has this address is to answer.
                let meta = if outgoing.counter == 0 { self.to_all() } else { self.meta };
                Some(Transmit { meta, payload })
            }
        }
    }

    /// The next event, if there is one. Taking [`Event::Data`] makes room for more: a client whose bytes are not
    /// taken stops acknowledging.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if let Event::Data(data) = &event {
            self.streams.taken(data.len());
        }
        Some(event)
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let stale = self.stale.iter().map(|s| s.at).min();
        let own = match &self.phase {
            Phase::Starting { start, .. } => Some(start.poll_timeout()),
            Phase::Proving(proving) => {
                let prover = proving.prover.poll_timeout();
                Some(prover.map_or(proving.deadline, |at| at.min(proving.deadline)))
            }
            Phase::Login { step_at, .. } => self.login_deadline(*step_at),
            Phase::Open(open) => {
                let refused = open.refused_at.map(|at| at + REFUSAL_GRACE);
                [refused, Some(self.keepalive_at()), self.echo.poll_timeout()].into_iter().flatten().min()
            }
            Phase::Draining { give_up } => Some(*give_up),
            Phase::Ending { at, .. } => Some(*at),
            Phase::Over => None,
        };
        if matches!(self.phase, Phase::Over) {
            return stale;
        }
        let gap = self.streams.rx().gap_since().map(|since| since + self.config.patience);
        let ended = self.ended.map(|(_, grace)| grace);
        [stale, own, gap, ended, self.streams.tx.poll_timeout()].into_iter().flatten().min()
    }

    pub(super) fn keepalive_at(&self) -> Instant {
        if self.keepalives == 0 { self.last_sent + KEEPALIVE } else { self.last_sent + KEEPALIVE_WAIT }
    }

    /// None while a packet is on its way: that is resent, and has its own end.
    pub(super) fn login_deadline(&self, step_at: Instant) -> Option<Instant> {
        let md5 = matches!(self.config.login, LoginPolicy::Md5) && self.streams.rx().next() == 0;
        (!self.streams.tx.in_flight()).then_some(step_at + if md5 { MD5_SILENCE } else { LOGIN_STEP })
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.resend_stale(now);
        if self.is_over() {
            return;
        }
        if let Err(stalled) = self.streams.tx.handle_timeout(now) {
            let (waited, tries) = (stalled.waited, stalled.tries);
            let silent = now.saturating_since(self.last_heard) >= waited;
            let error = if silent { Error::Silent { waited } } else { Error::Unacknowledged { waited, tries } };
            return self.fail(error);
        }
        if self.streams.rx().gap_since().is_some_and(|since| since + self.config.patience <= now) {
            return self.fail(Error::Gap { missing: self.streams.rx().gap() });
        }
        self.phase_timeout(now);
        self.settle(now);
    }

    pub(super) fn phase_timeout(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Starting { start, .. } => {
                match start.handle_timeout(now, self.config.connect_timeout, self.config.peer, &mut self.rng) {
                    Due::Nothing => {}
                    Due::Send(key) => {
                        self.key = key;
                        self.send_start(key);
                    }
                    Due::Fail(error) => self.fail(error),
                }
            }
            Phase::Proving(proving) => proving.prover.handle_timeout(now),
            Phase::Login { login, step_at } => {
                let (proved, step_at) = (login.proved(), *step_at);
                if self.login_deadline(step_at).is_some_and(|at| at <= now) {
                    let md5 = matches!(self.config.login, LoginPolicy::Md5);
                    let error = if md5 && !proved {
                        Error::WantsEcSrp5
                    } else {
                        Error::LoginStalled { waited: now.saturating_since(step_at) }
                    };
                    self.fail(error);
                }
            }
            Phase::Open(open) => {
                if open.refused_at.is_some_and(|at| at + REFUSAL_GRACE <= now) {
                    return self.refused(now);
                }
                if self.echo.handle_timeout(now) {
                    self.streams.queue_ack();
                }
                if self.keepalive_at() <= now {
                    if self.keepalives >= KEEPALIVE_TRIES {
                        let waited = now.saturating_since(self.last_heard);
                        return self.fail(Error::Silent { waited });
                    }
                    self.keepalives += 1;
                    self.streams.queue_ack();
                }
            }
            Phase::Ending { tries, at } if *at <= now => {
                if *tries >= END_TRIES {
                    self.over(Event::Closed { by_peer: false });
                } else {
                    *tries += 1;
                    *at = now + END_WAIT;
                    self.send(PacketType::End, self.key, self.streams.tx.next());
                }
            }
            _ => {}
        }
    }

    pub(super) fn resend_stale(&mut self, now: Instant) {
        let mut due = Vec::new();
        for stale in &mut self.stale {
            if stale.at <= now {
                stale.tries += 1;
                stale.at = now + END_WAIT;
                due.push((stale.key, stale.counter));
            }
        }
        self.stale.retain(|stale| stale.tries <= END_TRIES);
        for (key, counter) in due {
            self.send(PacketType::End, key, counter);
        }
    }

    pub(super) fn send_start(&mut self, key: u16) {
        self.answers.starts += 1;
        self.send(PacketType::Start, key, 0);
    }

    pub(super) fn send(&mut self, kind: PacketType, key: u16, counter: u32) {
        let transmit = self.transmit(kind, key, counter);
        self.outbox.push_back(transmit);
    }

    pub(super) fn transmit(&self, kind: PacketType, key: u16, counter: u32) -> Transmit {
        let all = kind == PacketType::Start || (kind == PacketType::End && self.answerers() == Answerers::Two);
        let meta = if all { self.to_all() } else { self.meta };
        Transmit { meta, payload: self.header(kind, key, counter).to_vec(&[]) }
    }

    /// To everybody on the segment: a switch leads what is addressed to one of two routers with one address to one of
    /// them, and nobody would learn of the other. The C client sends everything so. \[S\] Who wants either of two wants
    /// one of them to hear all of it.
    fn to_all(&self) -> Meta {
        if self.config.either { self.meta } else { Meta { dst_mac: MacAddr::BROADCAST, ..self.meta } }
    }

    pub(super) fn header(&self, kind: PacketType, key: u16, counter: u32) -> packet::Repr {
        packet::Repr {
            kind,
            direction: Direction::ToServer,
            src: self.config.local,
            dst: self.config.peer,
            session_key: key,
            client_type: CLIENT_TYPE_MAC_TELNET,
            counter,
        }
    }
}
