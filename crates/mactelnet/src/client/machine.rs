//! One session, from the first START to END.

mod input;
mod output;
mod steps;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use zeroize::Zeroize as _;

use super::answers::{Answerers, Answers};
use super::config::{Config, FIRST_PORT, GapPolicy, PORTS};
use super::echo::Echo;
use super::error::Error;
use super::event::Event;
use super::greeting::Greeting;
use super::login::Login;
use super::start::{Start, fresh_key};
use crate::auth::Method;
use crate::proof::{PeerTrait, Prover};
use crate::rng::SeededRng;
use crate::stream::{Duplex, Limits, Stats};
use crate::{Instant, Meta, Transmit};

/// Data bytes in a packet to a router that is not proved: what the C client sends. \[S\]
const MAX_DATA: usize = 512;
/// Packets outstanding towards a proved router: no more than a server of ours holds behind a gap.
const PROVED_WINDOW: usize = 11;
/// A packet is sent at least this often, as the C client does. \[M\]
const KEEPALIVE: Duration = Duration::from_secs(10);
/// Wait for the answer to a keepalive, and how many in a row may stay unanswered. All servers known answer. At 20 % loss
/// both ways ten in a row are lost once in 27,000 idle spells, which is three days; five were, every half hour.
const KEEPALIVE_WAIT: Duration = Duration::from_secs(1);
const KEEPALIVE_TRIES: u32 = 10;
/// Between two steps of the login, once the router has all that was said to it (until then it is the stream's patience that
/// counts). The router's arithmetic takes milliseconds, its patience for wrong passwords seconds, and a bad wire may lose a
/// step several times.
const LOGIN_STEP: Duration = Duration::from_secs(15);
/// A request for MD5 that is acknowledged and not answered for this long will never be. \[M\]
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

/// A login, and the packet that opens it.
type Opening = Result<(Login, Vec<u8>), Error>;

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
    /// What the login begins with, made while START is on its way.
    opening: Option<Opening>,
    outbox: VecDeque<Transmit>,
    events: VecDeque<Event>,
    stale: Vec<Stale>,
    echo: Echo,
    found: PeerTrait,
    answered: bool,
    answers: Answers,
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
        let drawn = config.opening.map(|[a, b, c, d]| (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])));
        let port = config.port.unwrap_or_else(|| {
            let offset = match drawn {
                Some((port, _)) => port % PORTS,
                None => u16::try_from(rng.below(PORTS.into())).unwrap_or(0),
            };
            FIRST_PORT + offset
        });
        let key = drawn.map_or_else(|| fresh_key(&mut rng, &[]), |(_, key)| key);
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
            opening: None,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            stale: Vec::new(),
            echo: Echo::default(),
            found: match config.gap {
                GapPolicy::Trust(found) => found,
                GapPolicy::OneOutstanding | GapPolicy::Prove => PeerTrait::default(),
            },
            answered: false,
            answers: Answers::default(),
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
        (self.answers.starts, self.answers.to_start)
    }

    /// How many routers answer to the address, as far as is known by now.
    pub fn answerers(&self) -> Answerers {
        self.answers.answerers()
    }

    /// Whether bytes can be written: END_AUTH has come, and no end.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_)) && self.ended.is_none()
    }

    /// Whether the session is over and everything said.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

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

    /// Tells the router the terminal's new size. What it was told already is not said again: with one packet outstanding
    /// that would hold up what is typed next by a round trip.
    pub fn resize(&mut self, now: Instant, columns: u16, rows: u16) {
        if (columns, rows) == (self.config.terminal.columns, self.config.terminal.rows) {
            return;
        }
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
    pub fn abort(&mut self, _now: Instant) {
        self.over(Event::Closed { by_peer: false });
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Whoever has it can make the session's keys again.
        self.config.seed.zeroize();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.config).field("key", &self.key).finish_non_exhaustive()
    }
}
