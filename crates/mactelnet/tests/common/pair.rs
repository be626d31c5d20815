//! A client and a server on a bad wire, in virtual time. No socket, no clock: the same seed gives the same run.
#![allow(dead_code, clippy::print_stdout)] // every user takes what it needs; a trace is asked for

use std::collections::BTreeMap;
use std::time::Duration;

use mactelnet::auth::Password;
use mactelnet::client::{self, Client, Error, GapPolicy};
use mactelnet::faults::{Faults, FaultyWire};
use mactelnet::rng::SeededRng;
use mactelnet::server::{self, Server, SessionId};
use mactelnet::wire::Packet;
use mactelnet::{Instant, MacAddr, Meta};

pub const CLIENT: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
pub const SERVER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
pub const USER: &str = "admin";
pub const PASSWORD: &str = "lab-pw-1";

pub type Users = BTreeMap<String, Password>;

pub fn users() -> Users {
    BTreeMap::from([(USER.to_owned(), Password::from(PASSWORD))])
}

pub fn seed(n: u64) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&n.to_le_bytes());
    seed
}

pub fn client_config(n: u64) -> client::Config {
    client::Config::new(CLIENT, SERVER, USER, Password::from(PASSWORD), seed(n))
}

pub fn server_config(n: u64) -> server::Config {
    server::Config { macs: vec![SERVER], seed: seed(!n), ..server::Config::default() }
}

/// What a faulty wire is called in tables, and how bad it is each way.
pub fn conditions() -> Vec<(&'static str, Faults)> {
    let lan = Faults::delay(Duration::from_micros(100));
    let hold = Duration::from_millis(5);
    let far = Duration::from_millis(70);
    vec![
        ("clean", lan),
        ("loss 1 %", Faults { loss: 1.0, ..lan }),
        ("loss 5 %", Faults { loss: 5.0, ..lan }),
        ("loss 20 %", Faults { loss: 20.0, ..lan }),
        ("duplication 20 %", Faults { duplication: 20.0, ..lan }),
        ("reordering 20 %", Faults { reordering: 20.0, hold, ..lan }),
        ("140 ms", Faults::delay(far)),
        ("all together", Faults { loss: 20.0, duplication: 20.0, reordering: 20.0, hold, ..Faults::delay(far) }),
    ]
}

struct Datagram {
    to_server: bool,
    meta: Meta,
    payload: Vec<u8>,
}

pub struct Pair {
    pub now: Instant,
    pub client: Client,
    pub server: Server<Users>,
    pub up: FaultyWire,
    pub down: FaultyWire,
    flight: BTreeMap<(Instant, u64), Datagram>,
    next: u64,
    /// Prints every datagram: to look at the seed that failed (JUMPLEAD_TRACE=1).
    trace: bool,
    key: u16,
    /// Datagrams sent by each side.
    pub sent: [u64; 2],
    pub client_events: Vec<client::Event>,
    pub server_events: Vec<server::Event>,
    /// The session that is logged in.
    pub session: Option<SessionId>,
    pub received_down: Vec<u8>,
    pub received_up: Vec<u8>,
}

impl Pair {
    pub fn new(n: u64, faults: Faults, client: client::Config, server: server::Config) -> Self {
        Self {
            now: Instant::ZERO,
            client: Client::new(Instant::ZERO, client),
            server: Server::new(server, users()),
            up: FaultyWire::new(faults, n),
            down: FaultyWire::new(faults, n ^ 0xffff_0000),
            flight: BTreeMap::new(),
            next: 0,
            trace: std::env::var_os("JUMPLEAD_TRACE").is_some(),
            key: 0,
            sent: [0; 2],
            client_events: Vec::new(),
            server_events: Vec::new(),
            session: None,
            received_down: Vec::new(),
            received_up: Vec::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.client.poll_transmit(self.now) {
            self.post(true, transmit);
        }
        while let Some(transmit) = self.server.poll_transmit(self.now) {
            self.post(false, transmit);
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                client::Event::Data(data) => self.received_down.extend(data),
                other => self.client_events.push(other),
            }
        }
        while let Some(event) = self.server.poll_event() {
            match event.kind {
                server::EventKind::Data(data) => self.received_up.extend(data),
                kind => {
                    if let server::EventKind::Login { .. } = kind {
                        self.session = Some(event.session);
                    }
                    self.server_events.push(server::Event { session: event.session, kind });
                }
            }
        }
        // Taking data may have freed an acknowledgement.
        while let Some(transmit) = self.client.poll_transmit(self.now) {
            self.post(true, transmit);
        }
        while let Some(transmit) = self.server.poll_transmit(self.now) {
            self.post(false, transmit);
        }
    }

    fn post(&mut self, to_server: bool, transmit: mactelnet::Transmit) {
        assert!(transmit.payload.len() <= 1472);
        self.sent[usize::from(!to_server)] += 1;
        if to_server && let Ok(packet) = Packet::new_checked(&transmit.payload) {
            self.key = packet.session_key(mactelnet::wire::Direction::ToServer);
        }
        let wire = if to_server { &mut self.up } else { &mut self.down };
        let arrivals = wire.pass(self.now, &transmit.payload);
        if self.trace {
            let times: Vec<String> = arrivals.iter().map(|(at, _)| at.to_string()).collect();
            let packet = Packet::new_checked(&transmit.payload);
            println!("{} {} {packet:?} -> {times:?}", self.now, if to_server { "C>S" } else { "S>C" });
        }
        for (at, payload) in arrivals {
            self.flight.insert((at, self.next), Datagram { to_server, meta: transmit.meta, payload });
            self.next += 1;
        }
    }

    /// Up to the next thing that happens; false when nothing ever will.
    pub fn step(&mut self) -> bool {
        self.drain();
        let arrival = self.flight.first_key_value().map(|(key, _)| key.0);
        let timeouts = [arrival, self.client.poll_timeout(), self.server.poll_timeout()];
        let Some(at) = timeouts.into_iter().flatten().min() else { return false };
        self.now = self.now.max(at);
        if arrival == Some(at) {
            let (_, datagram) = self.flight.pop_first().unwrap();
            if datagram.to_server {
                self.server.handle_datagram(self.now, &datagram.meta, &datagram.payload);
            } else {
                self.client.handle_datagram(self.now, &datagram.meta, &datagram.payload);
            }
        } else {
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
        }
        self.drain();
        true
    }

    /// Steps until `done`; false if virtual time runs past `limit` first, or nothing happens any more.
    pub fn run(&mut self, limit: Duration, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + limit;
        let (mut last, mut still) = (self.now, 0);
        loop {
            still = if self.now == last { still + 1 } else { 0 };
            last = self.now;
            assert!(still < 100_000, "time stands still at {last}");
            if done(self) {
                return true;
            }
            if self.now >= end || !self.step() {
                return false;
            }
        }
    }

    /// Injects a datagram as if it had just arrived.
    pub fn inject(&mut self, to_server: bool, payload: &[u8]) {
        if to_server {
            let meta = Meta { src_mac: CLIENT, dst_mac: SERVER, src_port: 1024, dst_port: 20561, link: 0 };
            self.server.handle_datagram(self.now, &meta, payload);
        } else {
            let port = self.client.meta().src_port;
            let meta = Meta { src_mac: SERVER, dst_mac: CLIENT, src_port: 20561, dst_port: port, link: 0 };
            self.client.handle_datagram(self.now, &meta, payload);
        }
    }

    /// Key of the client's last packet.
    pub fn client_key(&self) -> u16 {
        self.key
    }

    pub fn failure(&self) -> Option<&Error> {
        self.client_events.iter().find_map(|event| match event {
            client::Event::Failed(error) => Some(error),
            _ => None,
        })
    }

    pub fn logged_in(&mut self) -> bool {
        self.run(Duration::from_secs(60), |pair| pair.session.is_some() && pair.client.is_open())
    }
}

/// What a transfer came to.
#[derive(Debug)]
pub struct Transfer {
    /// Virtual time from login to the last byte, each way after the other.
    pub down: Duration,
    pub up: Duration,
    pub login: Duration,
    /// DATA packets, and how many of them were sent again.
    pub packets: u64,
    pub resent: u64,
    pub datagrams: u64,
    /// Whether the window was open: client, server.
    pub proved: (bool, bool),
}

/// Logs in, moves `down` bytes from the server and `up` bytes to it, says what it took; the error says what went wrong.
pub fn transfer(n: u64, faults: Faults, gap: GapPolicy, down: usize, up: usize) -> Result<Transfer, String> {
    let config = client::Config { gap, ..client_config(n) };
    let mut pair = Pair::new(n, faults, config, server_config(n));
    if !pair.logged_in() {
        return Err(format!("no login: {:?}", pair.failure()));
    }
    let login = pair.now.since_epoch();
    let session = pair.session.unwrap();
    let mut rng = SeededRng::new(&seed(n), "payload");
    let mut payload =
        |len: usize| -> Vec<u8> { (0..len.div_ceil(64)).flat_map(|_| rng.bytes::<64>()).take(len).collect() };
    let (down_bytes, up_bytes) = (payload(down), payload(up));
    let limit = Duration::from_secs(3600);

    let mut written = 0;
    let done = pair.run(limit, |pair| {
        written += pair.server.write(pair.now, session, &down_bytes[written..]);
        pair.received_down.len() >= down || pair.client.is_over()
    });
    let at_down = pair.now;
    if !done || pair.received_down != down_bytes {
        let got = pair.received_down.len();
        return Err(format!("down: {got} of {down}, {:?}", pair.failure()));
    }
    let mut written = 0;
    let done = pair.run(limit, |pair| {
        written += pair.client.write(&up_bytes[written..]);
        pair.received_up.len() >= up || pair.client.is_over()
    });
    let at_up = pair.now;
    if !done || pair.received_up != up_bytes {
        let got = pair.received_up.len();
        return Err(format!("up: {got} of {up}, {:?}", pair.failure()));
    }
    let (ours, theirs) = (pair.client.stats(), pair.server.stats(session).unwrap_or_default());
    let proved = (pair.client.found().holds_ack_at_gap == Some(true), pair.server.window(session) > Some(1));
    pair.client.close(pair.now);
    if !pair.run(Duration::from_secs(60), |pair| pair.client.is_over()) {
        return Err("no end".into());
    }
    pair.run(Duration::from_secs(120), |pair| pair.server.sessions().next().is_none());
    if let Some(error) = pair.failure() {
        return Err(format!("end: {error:?}"));
    }
    if pair.server.sessions().next().is_some() || pair.server.memory() != 0 {
        return Err("the server holds a session that is over".into());
    }
    Ok(Transfer {
        login,
        down: at_down.saturating_since(Instant::ZERO + login),
        up: at_up.saturating_since(at_down),
        packets: ours.packets + theirs.packets,
        resent: ours.resent + theirs.resent,
        datagrams: pair.sent[0] + pair.sent[1],
        proved,
    })
}

/// What came of many sessions at one server.
pub struct Crowd {
    /// How many were opened, and how many typed exactly what their client did.
    pub opened: usize,
    pub exact: usize,
    /// The server's own count of what it holds, at most.
    pub counted: usize,
    /// By how much the process grew, its clients and what they typed among it; 0 where that can't be known.
    pub grown: usize,
}

/// The process's memory; 0 where that can't be known.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok()).unwrap_or(0) * 1024
}

/// So many clients at one server, each of which types 3000 bytes of its own.
pub fn crowd(count: u16) -> Crowd {
    let before = resident();
    let most = usize::from(count) + 100;
    let mut server =
        Server::new(server::Config { max_sessions: most, max_half_open: most, ..server_config(1) }, users());
    let now = Instant::ZERO;
    let of = |n: u16| n.to_be_bytes();
    let mut clients: Vec<_> = (0..count)
        .map(|n| {
            let local = MacAddr([2, 0, 0, 1, of(n)[0], of(n)[1]]);
            Client::new(now, client::Config { local, login: client::LoginPolicy::Md5, ..client_config(n.into()) })
        })
        .collect();
    let mut typed = BTreeMap::<SessionId, Vec<u8>>::new();
    let mut owners = BTreeMap::new();
    let (mut counted, mut grown) = (0, 0);
    for round in 0..400 {
        for (n, client) in clients.iter_mut().enumerate() {
            if round == 20 {
                client.write(&[n.to_le_bytes()[0]; 3000]);
            }
            while let Some(sent) = client.poll_transmit(now) {
                server.handle_datagram(now, &sent.meta, &sent.payload);
            }
            while client.poll_event().is_some() {}
        }
        counted = counted.max(server.memory());
        grown = grown.max(resident().saturating_sub(before));
        while let Some(event) = server.poll_event() {
            match event.kind {
                server::EventKind::Opened { client, .. } => drop(owners.insert(event.session, client)),
                server::EventKind::Data(data) => typed.entry(event.session).or_default().extend(data),
                _ => {}
            }
        }
        let mut moved = false;
        while let Some(sent) = server.poll_transmit(now) {
            moved = true;
            let n = usize::from(u16::from_be_bytes([sent.meta.dst_mac.0[4], sent.meta.dst_mac.0[5]]));
            clients[n].handle_datagram(now, &sent.meta, &sent.payload);
        }
        if !moved && round > 30 {
            break;
        }
    }
    let exact = typed.iter().filter(|(session, bytes)| **bytes == vec![owners[*session].0[5]; 3000]).count();
    Crowd { opened: owners.len(), exact, counted, grown }
}
