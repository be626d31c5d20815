//! One session, from the first START to END.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::config::{Config, FIRST_PORT, GapPolicy, PORTS};
use super::echo::Echo;
use super::error::Error;
use super::event::Event;
use super::greeting::Greeting;
use super::login::{Login, Step};
use super::start::{Due, Start, fresh_key};
use crate::auth::Method;
use crate::proof::{Message, PeerTrait, Prover};
use crate::rng::SeededRng;
use crate::stream::{Duplex, Limits, Stats, distance};
use crate::wire::Text;
use crate::wire::control::{self, Element};
use crate::wire::packet::{self, CLIENT_TYPE_MAC_TELNET, Direction, Packet, PacketType};
use crate::{Instant, Meta, Transmit};

/// Data bytes in a packet to a router that is not proved: what the C client sends. [S]
const MAX_DATA: usize = 512;
/// Packets outstanding towards a proved router: no more than a server of ours holds behind a gap.
const PROVED_WINDOW: usize = 11;
/// A packet is sent at least this often, as the C client does. [M]
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Wait for the answer to a keepalive, and how many in a row may stay unanswered. All servers known answer.
const KEEPALIVE_WAIT: Duration = Duration::from_secs(2);
const KEEPALIVE_TRIES: u32 = 5;
/// Between two steps of the login. The router's arithmetic takes milliseconds, its patience for wrong passwords seconds.
const LOGIN_STEP: Duration = Duration::from_secs(10);
/// A request for MD5 that is acknowledged and not answered for this long will never be. [M]
const MD5_SILENCE: Duration = Duration::from_secs(4);
/// Whole time for a proof; then the login goes on without.
const PROOF_TIME: Duration = Duration::from_secs(3);
/// After END: how long for output that is still on its way, or for a refusal's text.
const END_GRACE: Duration = Duration::from_secs(1);
/// After a refusal's text: how long for END. RouterOS sends several.
const REFUSAL_GRACE: Duration = Duration::from_secs(3);
/// How long output may take to go out before END is sent without it.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often END is sent, and how long each waits for its confirmation.
const END_TRIES: u32 = 3;
const END_WAIT: Duration = Duration::from_millis(250);
/// How often a login is begun anew when the server changed its key in the middle of it.
const MAX_REKEYED: u32 = 3;

enum Phase {
    /// START is out; for a throw-away session if `proof`.
    Starting {
        start: Start,
        proof: bool,
    },
    Proving(Box<Proving>),
    Login {
        login: Box<Login>,
        step_at: Instant,
    },
    Open(Box<Open>),
    /// What is written goes out, then END.
    Draining {
        give_up: Instant,
    },
    Ending {
        tries: u32,
        at: Instant,
    },
    Over,
}

/// The throw-away session.
struct Proving {
    prover: Prover,
    streams: Duplex,
    /// Whether the router proves us in turn, and is through with it.
    asked: bool,
    done: bool,
    deadline: Instant,
}

/// After END_AUTH.
struct Open {
    method: Method,
    greeting: Greeting,
    /// Set if a refusal would say nothing about the password: output is kept back until it is none.
    kept_back: Option<Vec<u8>>,
    /// The refusal was read; END should follow.
    refused_at: Option<Instant>,
}

/// A session that is not wanted any more, and is told so until it confirms.
struct Stale {
    key: u16,
    counter: u32,
    tries: u32,
    at: Instant,
}

/// One session with one router.
pub struct Client {
    config: Config,
    rng: SeededRng,
    meta: Meta,
    key: u16,
    /// For the session after a proof, which names it.
    next_key: Option<u16>,
    streams: Duplex,
    phase: Phase,
    outbox: VecDeque<Transmit>,
    events: VecDeque<Event>,
    stale: Vec<Stale>,
    echo: Echo,
    found: PeerTrait,
    answered: bool,
    starts: u32,
    start_answers: u32,
    rekeyed: u32,
    last_heard: Instant,
    last_sent: Instant,
    keepalives: u32,
    /// END came: until when what is missing may still arrive.
    ended: Option<(u32, Instant)>,
    want_writable: bool,
    new_size: Option<(u16, u16)>,
}

impl Client {
    /// Begins to open a session.
    pub fn new(now: Instant, config: Config) -> Self {
        let mut rng = SeededRng::new(&config.seed, "client");
        let port = config.port.unwrap_or_else(|| {
            let offset = u16::try_from(rng.below(PORTS.into())).unwrap_or(0);
            FIRST_PORT + offset
        });
        let key = fresh_key(&mut rng, &[]);
        let proof = config.gap == GapPolicy::Prove;
        let streams = Duplex::new(Limits::CLIENT, MAX_DATA, config.patience);
        let start = Start::new(now, key, streams.tx.rtt());
        let mut client = Self {
            meta: config.meta(port),
            rng,
            key,
            next_key: None,
            streams,
            phase: Phase::Starting { start, proof },
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            stale: Vec::new(),
            echo: Echo::default(),
            found: match config.gap {
                GapPolicy::Trust(found) => found,
                GapPolicy::OneOutstanding | GapPolicy::Prove => PeerTrait::default(),
            },
            answered: false,
            starts: 0,
            start_answers: 0,
            rekeyed: 0,
            last_heard: now,
            last_sent: now,
            keepalives: 0,
            ended: None,
            want_writable: false,
            new_size: None,
            config,
        };
        client.send_start(key);
        client
    }

    /// Where its datagrams come from and go to. Only what is sent to `src_port` is meant for it.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// What is known of the router.
    pub fn found(&self) -> PeerTrait {
        self.found
    }

    /// Figures of what was sent.
    pub fn stats(&self) -> Stats {
        self.streams.tx.stats()
    }

    /// The smoothed round-trip time.
    pub fn rtt(&self) -> Option<Duration> {
        self.streams.tx.rtt().smoothed()
    }

    /// STARTs sent, and ACKs that answer them. More answers than STARTs: two routers answer to one MAC, or the
    /// network doubles frames.
    pub fn starts_and_answers(&self) -> (u32, u32) {
        (self.starts, self.start_answers)
    }

    /// Whether bytes can be written: END_AUTH has come, and no end.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_)) && self.ended.is_none()
    }

    /// Whether the session is over and everything said.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    // ---- input -------------------------------------------------------------------------------------------------

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
            // Its END again: our confirmation was lost.
            if packet.kind() == PacketType::End && self.outbox.is_empty() {
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
    fn other_key(&mut self, now: Instant, key: u16, packet: &Packet<'_>) {
        match (packet.kind(), &self.phase) {
            (PacketType::Ack, Phase::Starting { start, .. }) if start.tried(key) => {
                self.key = key;
                self.handle_ack(now, key, packet.counter());
            }
            (PacketType::End, _) => self.stale.retain(|stale| stale.key != key),
            _ => {}
        }
    }

    fn handle_ack(&mut self, now: Instant, key: u16, counter: u32) {
        if counter == 0 && self.streams.rx().next() == 0 {
            self.start_answers += u32::from(self.streams.tx.acknowledged() == 0);
        }
        match &mut self.phase {
            Phase::Starting { start, proof } => {
                let Some(others) = start.answered(now, key, self.streams.tx.rtt_mut()) else { return };
                let proof = *proof;
                for other in others {
                    self.abandon(now, other, 0);
                }
                if !std::mem::replace(&mut self.answered, true) {
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
                if self.streams.tx.acknowledge(now, counter) && self.want_writable && self.streams.room() > 0 {
                    self.want_writable = false;
                    self.events.push_back(Event::Writable);
                }
            }
        }
    }

    fn handle_data(&mut self, now: Instant, packet: &Packet<'_>) {
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
                for piece in self.streams.receive(now, packet.counter(), packet.data()) {
                    self.piece(now, &piece);
                }
            }
        }
    }

    /// One packet's worth of the router's stream, in order.
    fn piece(&mut self, now: Instant, data: &[u8]) {
        for element in control::elements(data) {
            match (&mut self.phase, element) {
                (Phase::Login { login, step_at }, Element::Control(control)) => {
                    *step_at = now;
                    match login.control(&self.config, control) {
                        Step::Wait => {}
                        Step::Send(packet) => self.streams.tx.push_packet(packet),
                        Step::Over => self.logged_in(),
                        Step::Fail(error) => return self.fail(now, error),
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

    fn deliver(&mut self, data: Vec<u8>) {
        if !data.is_empty() {
            self.streams.delivered(data.len());
            self.events.push_back(Event::Data(data));
        }
    }

    fn logged_in(&mut self) {
        let Phase::Login { login, .. } = &self.phase else { return };
        let method = login.method();
        let kept_back = (login.rekeyed() && self.rekeyed < MAX_REKEYED).then(Vec::new);
        if kept_back.is_none() {
            self.events.push_back(Event::LoggedIn { method });
        }
        self.phase = Phase::Open(Box::new(Open { method, greeting: Greeting::default(), kept_back, refused_at: None }));
    }

    fn handle_end(&mut self, now: Instant, counter: u32) {
        match &mut self.phase {
            // An END of a key that is only being tried: nothing was opened.
            Phase::Starting { .. } => {}
            Phase::Proving(proving) => {
                proving.done = true;
                proving.deadline = now;
            }
            // Our END is confirmed, or theirs crossed it.
            Phase::Ending { .. } => self.over(now, Event::Closed { by_peer: false }),
            _ if self.ended.is_none() => self.ended = Some((counter, now + END_GRACE)),
            _ => {}
        }
    }

    // ---- steps -------------------------------------------------------------------------------------------------

    fn begin_proof(&mut self, now: Instant) {
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

    fn end_proof(&mut self, now: Instant) {
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

    fn begin_start(&mut self, now: Instant) {
        self.phase = Phase::Starting { start: Start::new(now, self.key, self.streams.tx.rtt()), proof: false };
        self.send_start(self.key);
    }

    fn begin_login(&mut self, now: Instant) {
        if self.found.holds_ack_at_gap == Some(true) {
            self.streams.tx.open_window(PROVED_WINDOW, packet::MAX_DATA);
        }
        match Login::begin(&self.config, &mut self.rng) {
            Ok((login, packet)) => {
                self.streams.tx.push_packet(packet);
                self.phase = Phase::Login { login: Box::new(login), step_at: now };
            }
            Err(error) => self.fail(now, error),
        }
    }

    /// After any input: what may follow from the state alone.
    fn settle(&mut self, now: Instant) {
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
    fn peer_ended(&mut self, now: Instant, counter: u32, grace: Instant) {
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
                    Error::EndedInLogin
                };
                self.fail(now, error);
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
                    self.fail(now, Error::Gap { missing });
                } else {
                    self.over(now, Event::Closed { by_peer: true });
                }
            }
            Phase::Draining { .. } => self.over(now, Event::Closed { by_peer: true }),
            _ => {}
        }
    }

    /// The login was refused after END_AUTH.
    fn refused(&mut self, now: Instant) {
        let Phase::Open(open) = &mut self.phase else { return };
        let error = Error::Rejected { method: open.method, said: open.greeting.refusal().map(Text::from) };
        if open.kept_back.is_some() {
            // The server changed its key in the middle: the refusal says nothing about the password.
            self.rekeyed += 1;
            self.abandon(now, self.key, self.streams.tx.next());
            self.ended = None;
            let rtt = self.streams.tx.rtt().clone();
            self.streams = Duplex::new(Limits::CLIENT, MAX_DATA, self.config.patience);
            *self.streams.tx.rtt_mut() = rtt;
            self.key = fresh_key(&mut self.rng, &[self.key]);
            self.begin_start(now);
            return;
        }
        self.fail(now, error);
    }

    fn fail(&mut self, now: Instant, error: Error) {
        if let Phase::Open(open) = &mut self.phase
            && let Some(kept) = open.kept_back.take()
        {
            self.deliver(kept);
        }
        self.over(now, Event::Failed(error));
    }

    /// The end: END is sent, once; the router's own is confirmed by it.
    fn over(&mut self, _now: Instant, event: Event) {
        if matches!(self.phase, Phase::Over) {
            return;
        }
        let silent = matches!(event, Event::Failed(Error::NoAnswer { .. }));
        if !silent && !matches!(self.phase, Phase::Ending { .. }) {
            let counter = if self.ended.is_some() { 0 } else { self.streams.tx.next() };
            self.send(PacketType::End, self.key, counter);
        }
        self.phase = Phase::Over;
        self.streams.tx.discard_queue();
        self.events.push_back(event);
    }

    fn send_end(&mut self, now: Instant) {
        self.send(PacketType::End, self.key, self.streams.tx.next());
        self.phase = Phase::Ending { tries: 1, at: now + END_WAIT };
    }

    /// Has a session that the router may hold for `key` ended.
    fn abandon(&mut self, now: Instant, key: u16, counter: u32) {
        self.send(PacketType::End, key, counter);
        self.stale.push(Stale { key, counter, tries: 1, at: now + END_WAIT });
    }

    // ---- commands ----------------------------------------------------------------------------------------------

    /// Queues bytes to be typed, as much as there is room for: how much that is. After less than all,
    /// [`Event::Writable`] tells when to go on. 0 before [`Event::LoggedIn`] and after the end.
    pub fn write(&mut self, data: &[u8]) -> usize {
        match &self.phase {
            Phase::Open(open) if open.kept_back.is_none() && self.ended.is_none() => {
                let taken = self.streams.write(data);
                self.want_writable |= taken < data.len();
                taken
            }
            _ => 0,
        }
    }

    /// Whether the router has said something after END_AUTH that is no refusal, nor the beginning of one: the login
    /// was good.
    pub fn is_admitted(&self) -> bool {
        match &self.phase {
            Phase::Open(open) => open.kept_back.is_none() && !open.greeting.is_empty() && !open.greeting.undecided(),
            _ => false,
        }
    }

    /// Whether everything written has been acknowledged.
    pub fn is_flushed(&self) -> bool {
        self.streams.tx.is_idle()
    }

    /// Tells the router the terminal's new size.
    pub fn resize(&mut self, now: Instant, columns: u16, rows: u16) {
        self.config.terminal.columns = columns;
        self.config.terminal.rows = rows;
        self.new_size = matches!(self.phase, Phase::Open(_)).then_some((columns, rows));
        self.settle(now);
    }

    /// Ends the session: what was written goes out first, then END, until it is confirmed or clearly will not be.
    pub fn close(&mut self, now: Instant) {
        match self.phase {
            Phase::Open(_) => {
                self.phase = Phase::Draining { give_up: now + LAST_WORDS };
                self.settle(now);
            }
            Phase::Draining { .. } | Phase::Ending { .. } | Phase::Over => {}
            _ => self.send_end(now),
        }
    }

    /// Ends the session at once: one END, and no wait for anything.
    pub fn abort(&mut self, now: Instant) {
        self.over(now, Event::Closed { by_peer: false });
    }

    // ---- output ------------------------------------------------------------------------------------------------

    /// The next datagram to send, if there is one.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        let transmit = self.next_transmit(now)?;
        self.last_sent = now;
        Some(transmit)
    }

    fn next_transmit(&mut self, now: Instant) -> Option<Transmit> {
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
            Phase::Starting { .. } | Phase::Over => None,
            _ => {
                if let Some(counter) = self.streams.poll_ack() {
                    self.echo.sent(counter);
                    return Some(self.transmit(PacketType::Ack, self.key, counter));
                }
                let header = self.header(PacketType::Data, self.key, 0);
                let outgoing = self.streams.tx.poll(now)?;
                let payload = packet::Repr { counter: outgoing.counter, ..header }.to_vec(outgoing.data);
                Some(Transmit { meta: self.meta, payload })
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
            Phase::Login { step_at, .. } => Some(self.login_deadline(*step_at)),
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

    fn keepalive_at(&self) -> Instant {
        if self.keepalives == 0 { self.last_sent + KEEPALIVE } else { self.last_sent + KEEPALIVE_WAIT }
    }

    fn login_deadline(&self, step_at: Instant) -> Instant {
        let md5 = matches!(self.config.login, super::LoginPolicy::Md5) && self.streams.rx().next() == 0;
        step_at + if md5 { MD5_SILENCE } else { LOGIN_STEP }
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
            return self.fail(now, error);
        }
        if self.streams.rx().gap_since().is_some_and(|since| since + self.config.patience <= now) {
            return self.fail(now, Error::Gap { missing: self.streams.rx().gap() });
        }
        self.phase_timeout(now);
        self.settle(now);
    }

    fn phase_timeout(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Starting { start, .. } => {
                match start.handle_timeout(now, self.config.connect_timeout, self.config.peer, &mut self.rng) {
                    Due::Nothing => {}
                    Due::Send(key) => {
                        self.key = key;
                        self.send_start(key);
                    }
                    Due::Fail(error) => self.fail(now, error),
                }
            }
            Phase::Proving(proving) => proving.prover.handle_timeout(now),
            Phase::Login { login, step_at } => {
                let (proved, step_at) = (login.proved(), *step_at);
                if self.login_deadline(step_at) <= now {
                    let md5 = matches!(self.config.login, super::LoginPolicy::Md5);
                    // Unacknowledged packets are resent for longer; they have their own end.
                    let error = if md5 && !proved && !self.streams.tx.in_flight() {
                        Error::WantsEcSrp5
                    } else {
                        Error::LoginStalled { waited: now.saturating_since(step_at) }
                    };
                    self.fail(now, error);
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
                        return self.fail(now, Error::Silent { waited });
                    }
                    self.keepalives += 1;
                    self.streams.queue_ack();
                }
            }
            Phase::Ending { tries, at } if *at <= now => {
                if *tries >= END_TRIES {
                    self.over(now, Event::Closed { by_peer: false });
                } else {
                    *tries += 1;
                    *at = now + END_WAIT;
                    self.send(PacketType::End, self.key, self.streams.tx.next());
                }
            }
            _ => {}
        }
    }

    fn resend_stale(&mut self, now: Instant) {
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

    fn send_start(&mut self, key: u16) {
        self.starts += 1;
        self.send(PacketType::Start, key, 0);
    }

    fn send(&mut self, kind: PacketType, key: u16, counter: u32) {
        let transmit = self.transmit(kind, key, counter);
        self.outbox.push_back(transmit);
    }

    fn transmit(&self, kind: PacketType, key: u16, counter: u32) -> Transmit {
        Transmit { meta: self.meta, payload: self.header(kind, key, counter).to_vec(&[]) }
    }

    fn header(&self, kind: PacketType, key: u16, counter: u32) -> packet::Repr {
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

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.config).field("key", &self.key).finish_non_exhaustive()
    }
}
