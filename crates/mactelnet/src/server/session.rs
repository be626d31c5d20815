//! One session of the server, from START to END.

use std::time::Duration;

use super::backoff::Backoff;
use super::config::{Config, REFUSAL_TEXT, Users};
use super::event::{CloseReason, EventKind};
use super::login::{Login, Step, Verdict};
use crate::proof::{Message, Prover};
use crate::stream::rtt::INITIAL_RTO;
use crate::stream::{Duplex, Limits};
use crate::wire::control::{self, ControlType, Element};
use crate::wire::packet::{self, CLIENT_TYPE_MAC_TELNET, Direction, PacketType};
use crate::{Instant, MacAddr, Meta, Transmit};

/// Data bytes in a packet to a client that is not proved: what the C server sends. \[S\]
pub(super) const MAX_DATA: usize = 1024;
/// Packets outstanding towards a proved client. 13 full packets fit the send buffer, and 2 ms of round trip times the
/// speed of a hundred-megabit cable is 25 KB.
pub(super) const PROVED_WINDOW: usize = 13;
/// From START to a login that is neither right nor wrong: what a person needs to read a question, twice.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last words (a refusal, output before a close) may take to arrive before END is sent without them.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Least time between two answers to ACKs that acknowledge nothing. Keepalives, for which they are, come a second apart at
/// the least, and 10 s as a rule; without it, two servers that each take the other for a client would answer each other for
/// ever. (They can be made to: with a session key of 0x0015 the two fields that swap places with the direction are equal.)
const ANSWER_EVERY: Duration = Duration::from_millis(500);
/// How often END is sent, and how long each waits for its confirmation.
const END_TRIES: u32 = 4;
const END_WAIT: Duration = Duration::from_millis(250);

enum Phase {
    /// The login goes on.
    Login(Box<Login>),
    /// The proof of the password is judged, but told only now or later.
    Judged {
        at: Instant,
        verdict: Verdict,
        login: Box<Login>,
    },
    /// Bytes both ways.
    Open,
    /// END_AUTH is sent; then the words, then END.
    Refused {
        words_at: Option<Instant>,
        give_up: Instant,
    },
    /// A throw-away session for a proof of the client, see [`crate::proof`].
    Proving {
        prover: Box<Prover>,
        key: u16,
    },
    /// What is written goes out, then END.
    Draining {
        reason: CloseReason,
        give_up: Instant,
    },
    /// END was sent.
    Ending {
        reason: CloseReason,
        tries: u32,
        at: Instant,
        send: bool,
    },
    Over,
}

/// What a session hands up.
pub(super) enum Up {
    Event(EventKind),
    /// A login was right, and told so.
    Accepted,
    /// The client's session with this key has proved that it holds acknowledgements at gaps.
    Proved(u16),
}

pub(super) struct Session {
    pub(super) client: MacAddr,
    pub(super) key: u16,
    local: MacAddr,
    /// How packets reach the client: as the START came, for the whole session. \[S\]
    reply: Meta,
    pub(super) streams: Duplex,
    phase: Phase,
    opened: Instant,
    last_heard: Instant,
    /// When an ACK that acknowledged nothing was answered last.
    answered: Option<Instant>,
    start_acks: u32,
    /// END with counter 0 is owed: the confirmation.
    confirm_end: bool,
    want_writable: bool,
    pub(super) up: Vec<Up>,
    /// When the server has this session woken.
    pub(super) woken_at: Option<Instant>,
    pub(super) ready: bool,
}

impl Session {
    pub(super) fn new(
        now: Instant,
        number: u64,
        packet: &packet::Packet<'_>,
        meta: &Meta,
        config: &Config,
        proved: bool,
    ) -> Self {
        let mut streams = Duplex::new(Limits::SERVER, MAX_DATA, config.patience);
        if proved {
            streams.tx.open_window(PROVED_WINDOW, packet::MAX_DATA);
        }
        let (client, local) = (packet.src(), packet.dst());
        Self {
            client,
            key: packet.session_key(Direction::ToServer),
            local,
            reply: Meta {
                link: meta.link,
                src_mac: local,
                dst_mac: client,
                src_port: packet::PORT,
                dst_port: meta.src_port,
            },
            streams,
            phase: Phase::Login(Box::new(Login::new(number))),
            opened: now,
            last_heard: now,
            answered: None,
            start_acks: 1,
            confirm_end: false,
            want_writable: false,
            up: vec![Up::Event(EventKind::Opened { client, local, link: meta.link })],
            woken_at: None,
            ready: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over) && !self.confirm_end
    }

    /// Not logged in, and not on its way out either.
    pub(super) fn is_half_open(&self) -> bool {
        !matches!(self.phase, Phase::Open | Phase::Draining { .. } | Phase::Ending { .. } | Phase::Over)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    pub(super) fn client_port(&self) -> u16 {
        self.reply.dst_port
    }

    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    fn tell(&mut self, kind: EventKind) {
        if let EventKind::Data(data) = &kind {
            self.streams.delivered(data.len());
        }
        self.up.push(Up::Event(kind));
    }

    fn over(&mut self, reason: CloseReason) {
        if !matches!(self.phase, Phase::Over) {
            self.phase = Phase::Over;
            self.tell(EventKind::Closed(reason));
        }
    }

    pub(super) fn handle(
        &mut self,
        now: Instant,
        packet: &packet::Packet<'_>,
        config: &Config,
        users: &impl Users,
        backoff: &mut Backoff,
    ) {
        match packet.kind() {
            // The ACK of the first START was lost. Once there is data, a START can only be a late duplicate.
            PacketType::Start if self.streams.rx().next() == 0 => self.start_acks = 1,
            PacketType::Data => {
                self.last_heard = now;
                self.first_sample(now);
                for piece in self.streams.receive(now, packet.counter(), packet.data()) {
                    self.piece(now, &piece, config, users, backoff);
                }
            }
            PacketType::Ack => {
                self.last_heard = now;
                self.acknowledged(now, packet.counter());
            }
            PacketType::End => {
                let reason = match self.phase {
                    Phase::Refused { .. } => CloseReason::Refused,
                    Phase::Proving { .. } => CloseReason::Proof,
                    Phase::Ending { reason, .. } | Phase::Draining { reason, .. } => reason,
                    _ => CloseReason::Client,
                };
                // The answer to our END needs none.
                self.confirm_end = !matches!(self.phase, Phase::Ending { .. });
                self.over(reason);
            }
            _ => {}
        }
    }

    /// The client's first DATA answers the ACK of its START at once: that is a round trip, before anything of ours needs
    /// one. Resends on either side make it longer than it was, which later measurements repair.
    fn first_sample(&mut self, now: Instant) {
        let rtt = now.saturating_since(self.opened);
        if self.streams.rx().next() == 0 && self.streams.tx.rtt().smoothed().is_none() && rtt < INITIAL_RTO {
            self.streams.tx.rtt_mut().sample(rtt);
        }
    }

    fn acknowledged(&mut self, now: Instant, counter: u32) {
        if let Phase::Proving { prover, .. } = &mut self.phase {
            prover.handle_ack(now, counter);
            self.proof_over();
            return;
        }
        if self.streams.tx.acknowledge(now, counter) {
            if self.want_writable && self.streams.room() > 0 {
                self.want_writable = false;
                self.tell(EventKind::Writable);
            }
        } else if !self.streams.tx.in_flight() {
            // A keepalive: RouterOS's client drops a server that does not answer. [R] While packets of ours are on
            // their way it needs no answer, and the C client would take one for the ACK that it waits for. [S]
            if self.answered.is_none_or(|at| now.saturating_since(at) >= ANSWER_EVERY) {
                self.answered = Some(now);
                self.streams.queue_ack();
            }
        }
        self.progress(now);
    }

    /// One packet's worth of the client's stream, in order.
    fn piece(&mut self, now: Instant, data: &[u8], config: &Config, users: &impl Users, backoff: &mut Backoff) {
        match &mut self.phase {
            Phase::Login(login) => {
                if config.answer_proofs
                    && self.streams.tx.next() == 0
                    && let Some(Message::Request { key }) = Message::parse(data)
                {
                    let prover = Box::new(Prover::new(now, Message::Round));
                    self.phase = Phase::Proving { prover, key };
                    return;
                }
                for element in control::elements(data) {
                    if let Element::Control(control) = element {
                        login.control(control);
                    }
                }
                match login.step(config, users) {
                    Step::Wait => {}
                    Step::Answer(value) => self.send_control(ControlType::PassSalt, &value),
                    Step::Verdict(verdict) => {
                        let login = Box::new(std::mem::replace(login.as_mut(), Login::new(0)));
                        let refused = matches!(verdict, Verdict::Refused { .. });
                        let delay = backoff.judged(now, self.client, refused);
                        self.phase = Phase::Judged { at: now + delay, verdict, login };
                        self.progress(now);
                        if delay.is_zero() {
                            self.tell_verdict(now, config);
                        }
                    }
                }
            }
            Phase::Open => self.typed(data),
            _ => {}
        }
    }

    fn typed(&mut self, data: &[u8]) {
        let (mut columns, mut rows) = (None, None);
        for element in control::elements(data) {
            match element {
                Element::Control(control) if control.kind == ControlType::TermWidth => columns = control.as_size(),
                Element::Control(control) if control.kind == ControlType::TermHeight => rows = control.as_size(),
                // Late parts of the login; RouterOS 5.20 typed them into its shell. [R]
                Element::Control(_) => {}
                Element::Plain(plain) => self.tell(EventKind::Data(plain.to_vec())),
            }
        }
        if let (Some(columns), Some(rows)) = (columns, rows) {
            self.tell(EventKind::Resized { columns, rows });
        }
    }

    fn send_control(&mut self, kind: ControlType, value: &[u8]) {
        let mut packet = Vec::new();
        control::emit(kind, value, &mut packet);
        self.streams.tx.push_packet(packet);
    }

    fn tell_verdict(&mut self, now: Instant, config: &Config) {
        let Phase::Judged { verdict, login, .. } = std::mem::replace(&mut self.phase, Phase::Open) else { return };
        self.send_control(ControlType::EndAuth, &[]);
        match verdict {
            Verdict::Accepted { user, suffix, method } => {
                self.up.push(Up::Accepted);
                self.tell(EventKind::Login { user, suffix, method, terminal: login.terminal });
            }
            Verdict::Refused { user } => {
                let words_at = now + config.refusal_delay;
                self.phase = Phase::Refused { words_at: Some(words_at), give_up: words_at + LAST_WORDS };
                self.tell(EventKind::Refused { user });
            }
        }
    }

    fn proof_over(&mut self) {
        let Phase::Proving { prover, key } = &self.phase else { return };
        if prover.verdict() == Some(true) {
            self.up.push(Up::Proved(*key));
        }
    }

    pub(super) fn write(&mut self, data: &[u8]) -> usize {
        if !self.is_open() {
            return 0;
        }
        let taken = self.streams.write(data);
        self.want_writable |= taken < data.len();
        taken
    }

    /// Ends it once everything written has arrived.
    pub(super) fn close(&mut self, now: Instant, reason: CloseReason) {
        if !matches!(self.phase, Phase::Draining { .. } | Phase::Ending { .. } | Phase::Over) {
            self.phase = Phase::Draining { reason, give_up: now + LAST_WORDS };
            self.progress(now);
        }
    }

    /// Ends it without a word.
    pub(super) fn forget(&mut self, reason: CloseReason) {
        self.streams.tx.discard_queue();
        self.over(reason);
    }

    fn end(&mut self, now: Instant, reason: CloseReason) {
        self.phase = Phase::Ending { reason, tries: 1, at: now + END_WAIT, send: true };
    }

    /// Moves on what waits for the streams to be empty, or for a time.
    fn progress(&mut self, now: Instant) {
        let idle = self.streams.tx.is_idle();
        match &mut self.phase {
            Phase::Refused { words_at, give_up } => {
                if words_at.is_some_and(|at| at <= now) {
                    *words_at = None;
                    self.streams.tx.push_plain(REFUSAL_TEXT);
                } else if words_at.is_none() && (idle || *give_up <= now) {
                    self.end(now, CloseReason::Refused);
                }
            }
            Phase::Draining { reason, give_up } if idle || *give_up <= now => {
                let reason = *reason;
                self.end(now, reason);
            }
            _ => {}
        }
    }

    pub(super) fn poll_timeout(&self, config: &Config) -> Option<Instant> {
        let own = match &self.phase {
            Phase::Login(_) => Some(self.opened + LOGIN_TIMEOUT),
            Phase::Judged { at, .. } => Some((*at).min(self.opened + LOGIN_TIMEOUT)),
            Phase::Open => None,
            Phase::Refused { words_at, give_up } => Some(words_at.unwrap_or(*give_up)),
            Phase::Proving { prover, .. } => {
                let end = self.opened + LOGIN_TIMEOUT;
                Some(prover.poll_timeout().map_or(end, |at| at.min(end)))
            }
            Phase::Draining { give_up, .. } => Some(*give_up),
            Phase::Ending { at, .. } => Some(*at),
            Phase::Over => return None,
        };
        // Each only where handling it moves on: a deadline that stays in the past would be a busy loop.
        let gap = self.streams.rx().gap_since().filter(|_| self.is_open()).map(|since| since + config.patience);
        let waits = matches!(self.phase, Phase::Login(_) | Phase::Proving { .. } | Phase::Open);
        let idle = waits.then(|| self.last_heard + config.idle_timeout);
        [own, gap, idle, self.streams.tx.poll_timeout()].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, config: &Config) {
        if self.streams.tx.handle_timeout(now).is_err() {
            match self.phase {
                Phase::Draining { reason, .. } => self.end(now, reason),
                Phase::Refused { .. } => self.end(now, CloseReason::Refused),
                _ => self.end(now, CloseReason::Stalled),
            }
        }
        if self.streams.rx().gap_since().is_some_and(|since| since + config.patience <= now) && self.is_open() {
            self.end(now, CloseReason::Gap);
        }
        let idle = self.last_heard + config.idle_timeout <= now;
        match &mut self.phase {
            Phase::Login(_) | Phase::Proving { .. } if idle || self.opened + LOGIN_TIMEOUT <= now => {
                self.end(now, CloseReason::NoLogin);
            }
            Phase::Proving { prover, .. } => {
                prover.handle_timeout(now);
                self.proof_over();
            }
            Phase::Judged { at, .. } if *at <= now && *at < self.opened + LOGIN_TIMEOUT => {
                self.tell_verdict(now, config)
            }
            // So many were refused before that this one is not told any more.
            Phase::Judged { .. } if self.opened + LOGIN_TIMEOUT <= now => self.end(now, CloseReason::NoLogin),
            Phase::Open if idle => match &config.idle_text {
                Some(text) => {
                    self.streams.tx.push_plain(text);
                    self.close(now, CloseReason::Idle);
                }
                None => self.forget(CloseReason::Idle),
            },
            Phase::Ending { reason, tries, at, send } if *at <= now => {
                if *tries >= END_TRIES {
                    let reason = *reason;
                    self.over(reason);
                } else {
                    *tries += 1;
                    *send = true;
                    *at = now + END_WAIT;
                }
            }
            _ => {}
        }
        self.progress(now);
    }

    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        if self.start_acks > 0 {
            self.start_acks -= 1;
            return Some(self.transmit(PacketType::Ack, 0, &[]));
        }
        if std::mem::take(&mut self.confirm_end) {
            return Some(self.transmit(PacketType::End, 0, &[]));
        }
        if matches!(self.phase, Phase::Over) {
            return None;
        }
        if let Some(counter) = self.streams.poll_ack() {
            return Some(self.transmit(PacketType::Ack, counter, &[]));
        }
        if let Phase::Ending { send, .. } = &mut self.phase {
            let counter = self.streams.tx.next();
            return std::mem::take(send).then(|| self.transmit(PacketType::End, counter, &[]));
        }
        if let Phase::Proving { prover, .. } = &mut self.phase {
            let (counter, data) = prover.poll()?;
            return Some(self.transmit(PacketType::Data, counter, &data));
        }
        let header = self.header(PacketType::Data, 0);
        let outgoing = self.streams.tx.poll(now)?;
        let payload = packet::Repr { counter: outgoing.counter, ..header }.to_vec(outgoing.data);
        Some(Transmit { meta: self.reply, payload })
    }

    /// END, as it is sent; for a session that is given up.
    pub(super) fn last_end(&self) -> Transmit {
        self.transmit(PacketType::End, self.streams.tx.next(), &[])
    }

    fn header(&self, kind: PacketType, counter: u32) -> packet::Repr {
        packet::Repr {
            kind,
            direction: Direction::ToClient,
            src: self.local,
            dst: self.client,
            session_key: self.key,
            client_type: CLIENT_TYPE_MAC_TELNET,
            counter,
        }
    }

    fn transmit(&self, kind: PacketType, counter: u32, data: &[u8]) -> Transmit {
        Transmit { meta: self.reply, payload: self.header(kind, counter).to_vec(data) }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("client", &self.client).field("key", &self.key).finish_non_exhaustive()
    }
}
