//! What comes in.

use std::mem;

use super::{Client, END_GRACE, Open, Phase};
use crate::client::answers::Answerers;
use crate::client::error::Error;
use crate::client::event::Event;
use crate::client::greeting::Greeting;
use crate::client::login::Step;
use crate::client::machine::MAX_REKEYED;
use crate::proof::Message;
use crate::stream::distance;
use crate::wire::control::{self, Element};
use crate::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction, Packet, PacketType};
use crate::{Instant, Meta};

impl Client {
    /// Takes the payload of a UDP datagram from port 20561. What is not of this session is ignored.
    pub fn handle_datagram(&mut self, now: Instant, meta: &Meta, payload: &[u8]) {
        let Ok(packet) = Packet::new_checked(payload) else { return };
        if packet.src() != self.config.peer
            || packet.dst() != self.config.local
            || packet.client_type(Direction::ToClient) != CLIENT_TYPE_MAC_TELNET
            || (meta.dst_port != 0 && meta.dst_port != self.meta.src_port)
        {
            return;
        }
        let key = packet.session_key(Direction::ToClient);
        if key != self.key {
            return self.other_key(now, key, &packet);
        }
        if matches!(self.phase, Phase::Over) {
            // Its END again: our confirmation was lost. A counter of 0 is a confirmation itself, or as good as one; to
            // answer that would go on for ever.
            if packet.kind() == PacketType::End && packet.counter() != 0 && self.outbox.is_empty() {
                self.send(PacketType::End, key, 0);
            }
            return;
        }
        self.last_heard = now;
        self.keepalives = 0;
        match packet.kind() {
            PacketType::Ack => self.handle_ack(now, key, packet.counter()),
            PacketType::Data => self.handle_data(now, &packet),
            PacketType::End => self.handle_end(now, packet.counter()),
            _ => {}
        }
        self.settle(now);
    }

    /// A packet for a session that we tried, or gave up.
    pub(super) fn other_key(&mut self, now: Instant, key: u16, packet: &Packet<'_>) {
        match (packet.kind(), &self.phase) {
            (PacketType::Ack, Phase::Starting { start, .. }) if start.tried(key) => {
                self.key = key;
                self.handle_ack(now, key, packet.counter());
            }
            (PacketType::End, _) => self.stale.retain(|stale| stale.key != key),
            _ => {}
        }
    }

    pub(super) fn handle_ack(&mut self, now: Instant, key: u16, counter: u32) {
        // No other packet of this session is acknowledged at 0.
        if counter == 0 && !matches!(self.phase, Phase::Proving(_)) {
            self.answers.to_start += 1;
        }
        match &mut self.phase {
            Phase::Starting { start, proof } => {
                let Some(others) = start.answered(now, key, self.streams.tx.rtt_mut()) else { return };
                let proof = *proof;
                for other in others {
                    self.abandon(now, other, 0);
                }
                if !mem::replace(&mut self.answered, true) {
                    self.events.push_back(Event::Answered { rtt: self.rtt() });
                }
                if proof { self.begin_proof(now) } else { self.begin_login(now) }
            }
            Phase::Proving(proving) => proving.prover.handle_ack(now, counter),
            _ => {
                let tx = &self.streams.tx;
                let ours = distance(counter, tx.acknowledged()) > 0 && distance(counter, tx.next()) <= 0;
                if self.echo.received(counter, ours) {
                    return;
                }
                if !self.streams.tx.acknowledge(now, counter) {
                    return;
                }
                if let Phase::Login { step_at, .. } = &mut self.phase {
                    *step_at = now;
                }
                if self.want_writable && self.streams.room() > 0 {
                    self.want_writable = false;
                    self.events.push_back(Event::Writable);
                }
            }
        }
    }

    pub(super) fn handle_data(&mut self, now: Instant, packet: &Packet<'_>) {
        match &mut self.phase {
            Phase::Starting { .. } | Phase::Over => {}
            Phase::Proving(proving) => {
                for piece in proving.streams.receive(now, packet.counter(), packet.data()) {
                    match Message::parse(&piece) {
                        Some(Message::Round) => proving.asked = true,
                        Some(Message::Done) => proving.done = true,
                        _ => {}
                    }
                }
            }
            _ => {
                self.echo.data(now);
                if packet.counter() == 0 && !packet.data().is_empty() {
                    self.answers.first_packet(packet.data());
                    self.refuse_two();
                }
                for piece in self.streams.receive(now, packet.counter(), packet.data()) {
                    self.piece(now, &piece);
                }
            }
        }
    }

    /// A session with two routers ends before anything is typed, unless it is wanted with either.
    fn refuse_two(&mut self) {
        let typed = !matches!(self.phase, Phase::Login { .. }) && self.is_admitted();
        if self.answerers() == Answerers::Two && !self.config.either && !typed {
            self.fail(Error::TwoRouters { peer: self.config.peer });
        }
    }

    /// One packet's worth of the router's stream, in order.
    pub(super) fn piece(&mut self, now: Instant, data: &[u8]) {
        for element in control::elements(data) {
            match (&mut self.phase, element) {
                (Phase::Login { login, step_at }, Element::Control(control)) => {
                    *step_at = now;
                    match login.control(&self.config, control) {
                        Step::Wait => {}
                        // Each answers what was sent last, whose ACK may be lost: a password that came again behind
                        // END_AUTH was typed into its shell by RouterOS 5.20 (issue 4 of the C tools), and a BEGINAUTH
                        // that comes again makes mactelnetd 0.6.3 change its key. [R][M]
                        Step::Send(packet) => {
                            self.streams.tx.arrived();
                            self.streams.tx.push_packet(packet);
                        }
                        Step::Over => {
                            self.streams.tx.arrived();
                            self.logged_in();
                        }
                        Step::Fail(error) => return self.fail(error),
                    }
                }
                (Phase::Login { login, .. }, Element::Plain(plain)) => login.plain(plain),
                // No control after END_AUTH means anything to a client.
                (_, Element::Control(_)) => {}
                (Phase::Open(open), Element::Plain(plain)) => {
                    open.greeting.add(plain);
                    open.refused_at = open.greeting.refusal().map(|_| open.refused_at.unwrap_or(now));
                    match &mut open.kept_back {
                        Some(kept) => kept.extend_from_slice(plain),
                        None => self.deliver(plain.to_vec()),
                    }
                }
                (Phase::Draining { .. } | Phase::Ending { .. }, Element::Plain(plain)) => self.deliver(plain.to_vec()),
                (_, Element::Plain(_)) => {}
            }
        }
        if let Phase::Open(open) = &mut self.phase
            && !open.greeting.undecided()
            && let Some(kept) = open.kept_back.take()
        {
            self.events.push_back(Event::LoggedIn { method: open.method });
            self.deliver(kept);
        }
    }

    pub(super) fn deliver(&mut self, data: Vec<u8>) {
        if !data.is_empty() {
            self.streams.delivered(data.len());
            self.events.push_back(Event::Data(data));
        }
    }

    pub(super) fn logged_in(&mut self) {
        let Phase::Login { login, .. } = &self.phase else { return };
        let method = login.method();
        let kept_back = (login.rekeyed() && self.rekeyed < MAX_REKEYED).then(Vec::new);
        if kept_back.is_none() {
            self.events.push_back(Event::LoggedIn { method });
        }
        self.phase = Phase::Open(Box::new(Open { method, greeting: Greeting::default(), kept_back, refused_at: None }));
    }

    pub(super) fn handle_end(&mut self, now: Instant, counter: u32) {
        match &mut self.phase {
            // An END of a key that is only being tried: nothing was opened.
            Phase::Starting { .. } => {}
            Phase::Proving(proving) => {
                proving.done = true;
                proving.deadline = now;
            }
            // Our END is confirmed, or theirs crossed it.
            Phase::Ending { .. } => self.over(Event::Closed { by_peer: false }),
            _ if self.ended.is_none() => self.ended = Some((counter, now + END_GRACE)),
            _ => {}
        }
    }
}
