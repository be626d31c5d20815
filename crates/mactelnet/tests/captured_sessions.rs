//! Both machines relive the sessions in `fixtures/captures`: the other end's captured packets come at their times, and
//! what our end does is compared in kind: the same offsets of both streams, the same acknowledgements, the same end.
//!
//! MD5 sessions come out byte for byte. Private keys of captured EC-SRP5 logins are not known, so there our client
//! makes its own key (same length, so every offset stays), and to our server the captured client's key and proof are
//! replaced by ones made for the server's key.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use mactelnet::auth::{self, Answer, Offer, Password, md5};
use mactelnet::client::{self, Client, LoginPolicy};
use mactelnet::pcap::Reader;
use mactelnet::server::{self, AuthScheme, CloseReason, EventKind, Server, SessionId};
use mactelnet::wire::control::{self, Element};
use mactelnet::wire::packet::{self, PORT, Repr};
use mactelnet::wire::{ControlType, Direction, Frame, PacketType, mndp, ping};
use mactelnet::{Instant, MacAddr, Meta, Terminal, macping};

const SERVER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const CLIENT: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const REFUSAL: &str = "Login failed, incorrect username or password";
/// Wake-ups in a wait of a minute at most.
const MAX_ROUNDS: u32 = 1000;
const EVERY: [&str; 22] = [
    "a1", "a2", "a3", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "c1", "c2", "c3", "c4", "d1", "d2", "d3", "e1", "f1",
    "f2", "f3", "f4",
];

/// A MAC-Telnet packet of a capture.
#[derive(Clone)]
struct Event {
    at: Instant,
    port: u16,
    header: Repr,
    data: Vec<u8>,
}

impl Event {
    fn end(&self) -> u32 {
        self.header.counter + u32::try_from(self.data.len()).unwrap()
    }
}

fn frames(prefix: &str) -> Vec<(Instant, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/captures");
    let mut found = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let path = found.find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(prefix)).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let records: Vec<_> = Reader::new(&bytes[..]).unwrap().map(Result::unwrap).collect();
    let first = records[0].at;
    records.into_iter().map(|record| (Instant::ZERO + record.at.saturating_since(first), record.frame)).collect()
}

/// The session of a capture: without MNDP.
fn session(prefix: &str) -> Vec<Event> {
    let mut events = Vec::new();
    for (at, bytes) in frames(prefix) {
        let frame = Frame::new_checked(&bytes).unwrap();
        if frame.dst_port() == mndp::PORT {
            continue;
        }
        let to_server = frame.dst_port() == PORT;
        let direction = if to_server { Direction::ToServer } else { Direction::ToClient };
        let port = if to_server { frame.src_port() } else { frame.dst_port() };
        let (header, data) = Repr::parse(frame.payload(), direction).unwrap();
        events.push(Event { at, port, header, data: data.to_vec() });
    }
    events
}

/// The bytes of one direction, by offset. Retransmissions must agree.
#[derive(Default, Debug, PartialEq)]
struct Stream(Vec<Option<u8>>);

impl Stream {
    fn add(&mut self, counter: u32, data: &[u8]) {
        let start = counter as usize;
        self.0.resize(self.0.len().max(start + data.len()), None);
        for (slot, byte) in self.0[start..].iter_mut().zip(data) {
            assert!(slot.is_none_or(|old| old == *byte), "a resend differs at {start}");
            *slot = Some(*byte);
        }
    }

    fn whole(&self) -> Vec<u8> {
        self.0.iter().map(|byte| byte.expect("no hole in what a machine sends")).collect()
    }
}

fn stream(events: &[Event], direction: Direction) -> Vec<u8> {
    let mut stream = Stream::default();
    for event in events.iter().filter(|e| e.header.direction == direction && e.header.kind == PacketType::Data) {
        stream.add(event.header.counter, &event.data);
    }
    stream.whole()
}

/// The values of control packets blanked that hold keys and proofs; names and lengths stay.
fn without_secrets(stream: &[u8]) -> Vec<u8> {
    let mut blanked = stream.to_vec();
    let mut at = 0;
    while stream[at..].starts_with(&control::MAGIC) {
        let len = u32::from_be_bytes(stream[at + 5..at + 9].try_into().unwrap()) as usize;
        let value = &mut blanked[at + 9..at + 9 + len];
        match ControlType::from(stream[at + 4]) {
            ControlType::PassSalt if len > 49 || len == 39 => value[len - 33..].fill(0),
            ControlType::PassSalt | ControlType::Password => value.fill(0),
            _ => {}
        }
        at += 9 + len;
    }
    blanked
}

/// New acknowledgements of one end, in order, that are offsets of the other's stream.
fn acknowledgements(acks: impl Iterator<Item = u32>, ends: &[u32]) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    for ack in acks.filter(|ack| ends.contains(ack)) {
        if found.last().is_none_or(|last| *last < ack) {
            found.push(ack);
        }
    }
    found
}

fn ends(events: &[Event], direction: Direction) -> Vec<u32> {
    let data = events.iter().filter(|e| e.header.direction == direction && e.header.kind == PacketType::Data);
    data.map(Event::end).collect()
}

// ---- the client ------------------------------------------------------------------------------------------------------

/// A client's whole life.
struct Lived {
    events: Vec<client::Event>,
    sent: Vec<(Instant, Repr, Vec<u8>)>,
}

impl Lived {
    fn output(&self) -> String {
        let data = self.events.iter().filter_map(|e| match e {
            client::Event::Data(data) => Some(data.as_slice()),
            _ => None,
        });
        String::from_utf8(data.collect::<Vec<_>>().concat()).unwrap()
    }

    fn last(&self) -> &client::Event {
        self.events.last().unwrap()
    }

    fn stream(&self) -> Vec<u8> {
        let mut stream = Stream::default();
        for (_, header, data) in self.sent.iter().filter(|(_, header, _)| header.kind == PacketType::Data) {
            stream.add(header.counter, data);
        }
        stream.whole()
    }

    fn acks(&self) -> impl Iterator<Item = u32> {
        self.sent.iter().filter(|(_, header, _)| header.kind == PacketType::Ack).map(|(_, header, _)| header.counter)
    }

    fn kinds(&self, kind: PacketType) -> usize {
        self.sent.iter().filter(|(_, header, _)| header.kind == kind).count()
    }
}

struct Replay {
    client: Client,
    lived: Lived,
}

impl Replay {
    fn drain(&mut self, now: Instant) {
        while let Some(transmit) = self.client.poll_transmit(now) {
            let (header, data) = Repr::parse(&transmit.payload, Direction::ToServer).unwrap();
            self.lived.sent.push((now, header, data.to_vec()));
        }
        while let Some(event) = self.client.poll_event() {
            self.lived.events.push(event);
        }
    }

    /// Lets time pass.
    fn until(&mut self, now: Instant) {
        self.drain(now);
        let mut rounds = 0..MAX_ROUNDS;
        while let Some(at) = self.client.poll_timeout().filter(|at| *at <= now) {
            rounds.next().expect("a machine that wakes without end");
            self.client.handle_timeout(at);
            self.drain(at);
        }
    }
}

/// Our client in the place of the captured one: it types what that one typed, and hears the captured server, whose
/// packets are given our session's key and port. Then `more` time passes.
fn live_as_client(captured: &[Event], policy: LoginPolicy, more: Duration) -> Lived {
    let first = &captured[0].header;
    let mut config = client::Config::new(first.src, first.dst, "mtlab", Password::from("lab-pw-1"), [7; 32]);
    config.login = policy;
    config.terminal = Terminal { kind: "xterm".to_owned(), columns: 120, rows: 40 };
    let client = Client::new(Instant::ZERO, config);
    let mut replay = Replay { client, lived: Lived { events: Vec::new(), sent: Vec::new() } };
    let mut typed_until = 0;
    for event in captured {
        replay.until(event.at);
        let new = event.header.direction == Direction::ToServer
            && event.header.kind == PacketType::Data
            && event.end() > typed_until;
        if new {
            typed_until = event.end();
            let mut size = (None, None);
            for element in control::elements(&event.data) {
                match element {
                    Element::Plain(typed) => assert_eq!(replay.client.write(typed), typed.len()),
                    Element::Control(c) if c.kind == ControlType::TermWidth => size.0 = c.as_size(),
                    Element::Control(c) if c.kind == ControlType::TermHeight => size.1 = c.as_size(),
                    Element::Control(_) => {}
                }
            }
            if let (true, (Some(columns), Some(rows))) = (replay.client.is_open(), size) {
                replay.client.resize(event.at, columns, rows);
            }
        } else if event.header.direction == Direction::ToClient {
            let key =
                replay.lived.sent.iter().rev().find(|(_, h, _)| h.kind == PacketType::Start).unwrap().1.session_key;
            let payload = Repr { session_key: key, ..event.header }.to_vec(&event.data);
            let meta = Meta {
                link: 0,
                src_mac: SERVER,
                dst_mac: CLIENT,
                src_port: PORT,
                dst_port: replay.client.meta().src_port,
            };
            replay.client.handle_datagram(event.at, &meta, &payload);
        }
        replay.drain(event.at);
    }
    replay.until(captured.last().unwrap().at + more);
    replay.lived
}

fn policy(captured: &[Event]) -> LoginPolicy {
    let opening = captured.iter().find(|e| e.header.kind == PacketType::Data).map_or(0, |e| e.data.len());
    if opening == control::HEADER_LEN {
        LoginPolicy::Md5
    } else {
        LoginPolicy::Auto { md5_allowed: true, reason: "captured".to_owned() }
    }
}

/// All that must be so whatever became of the session.
fn compare_client(prefix: &str, more: Duration) -> Lived {
    let captured = session(prefix);
    let lived = live_as_client(&captured, policy(&captured), more);
    let theirs = stream(&captured, Direction::ToServer);
    assert_eq!(without_secrets(&lived.stream()), without_secrets(&theirs), "{prefix}: what is sent, and where");
    let ends = ends(&captured, Direction::ToClient);
    let of_theirs = captured
        .iter()
        .filter(|e| e.header.direction == Direction::ToServer && e.header.kind == PacketType::Ack)
        .map(|e| e.header.counter);
    let theirs = acknowledgements(of_theirs, &ends);
    let ours = acknowledgements(lived.acks(), &ends);
    // A captured client that died (f2) acknowledged less.
    assert!(ours.starts_with(&theirs), "{prefix}: {ours:?} {theirs:?}");
    assert_eq!(lived.kinds(PacketType::Start), 1, "{prefix}");
    lived
}

#[test]
fn clients_that_reached_a_prompt_and_typed_exit() {
    for prefix in ["a1", "a2", "b2", "b3", "b4", "b5"] {
        let lived = compare_client(prefix, Duration::from_secs(60));
        assert_eq!(lived.last(), &client::Event::Closed { by_peer: true }, "{prefix}");
        let output = lived.output();
        assert!(output.contains("LAB> hello\r\nmtlab\r\nLAB> exit\r\n") && output.ends_with("exit\r\n"), "{prefix}");
        let (_, end, _) = lived.sent.iter().find(|(_, header, _)| header.kind == PacketType::End).unwrap();
        assert_eq!(end.counter, 0, "{prefix}: END is confirmed with 0");
        let method = if prefix.starts_with('a') { auth::Method::EcSrp5 } else { auth::Method::Md5 };
        assert!(lived.events.contains(&client::Event::LoggedIn { method }), "{prefix}");
    }
}

#[test]
fn md5_clients_send_the_captured_bytes() {
    for prefix in ["b2", "b4"] {
        let captured = session(prefix);
        let lived = compare_client(prefix, Duration::ZERO);
        assert_eq!(lived.stream(), stream(&captured, Direction::ToServer), "{prefix}");
        let packets = |of: &mut dyn Iterator<Item = (Repr, Vec<u8>)>| -> Vec<(u32, Vec<u8>)> {
            of.filter(|(header, _)| header.kind == PacketType::Data).map(|(h, data)| (h.counter, data)).collect()
        };
        let ours = packets(&mut lived.sent.iter().map(|(_, header, data)| (*header, data.clone())));
        let of_theirs = captured.iter().filter(|e| e.header.direction == Direction::ToServer);
        let theirs = packets(&mut of_theirs.map(|e| (e.header, e.data.clone())));
        assert_eq!(ours, theirs, "{prefix}: packet by packet");
    }
}

#[test]
fn a_client_whose_window_changed() {
    let lived = compare_client("a3", Duration::ZERO);
    assert!(lived.output().ends_with("LAB> 40 120\r\nLAB> "));
    assert!(lived.events.iter().all(|e| !matches!(e, client::Event::Closed { .. } | client::Event::Failed(_))));
}

#[test]
fn clients_that_were_refused() {
    for (prefix, method) in [("b1", auth::Method::Md5), ("c1", auth::Method::EcSrp5), ("c3", auth::Method::Md5)] {
        let lived = compare_client(prefix, Duration::from_secs(60));
        let error = client::Error::Rejected { method, said: Some(REFUSAL.into()) };
        assert_eq!(lived.last(), &client::Event::Failed(error), "{prefix}");
        assert!(lived.output().contains(REFUSAL), "{prefix}: the text is delivered as well");
        assert_eq!(lived.kinds(PacketType::End), 1, "{prefix}");
    }
    // c2 has another user's name, and so other offsets; it ends the same.
    let captured = session("c2");
    let lived = live_as_client(&captured, policy(&captured), Duration::from_secs(60));
    assert!(matches!(lived.last(), client::Event::Failed(client::Error::Rejected { .. })));
}

/// The captured clients sent keepalives for ever; ours says what is wrong.
#[test]
fn clients_that_asked_a_server_for_md5_that_wants_ec_srp5() {
    for prefix in ["b6", "b7"] {
        let captured = session(prefix);
        let lived = live_as_client(&captured, LoginPolicy::Md5, Duration::ZERO);
        assert_eq!(lived.last(), &client::Event::Failed(client::Error::WantsEcSrp5), "{prefix}");
        assert_eq!(lived.stream(), stream(&captured, Direction::ToServer), "{prefix}");
    }
}

#[test]
fn a_client_that_nobody_answered() {
    let captured = session("c4");
    let lived = live_as_client(&captured, policy(&captured), Duration::from_secs(60));
    assert!(matches!(lived.last(), client::Event::Failed(client::Error::NoAnswer { tries: 4.., .. })));
    assert_eq!(lived.sent.len(), lived.kinds(PacketType::Start), "nothing but START");
}

#[test]
fn a_client_that_idled_is_kept_alive() {
    let captured = session("f1");
    let lived = compare_client("f1", Duration::from_secs(60));
    assert_eq!(lived.last(), &client::Event::Closed { by_peer: true });
    let idle = Instant::from_millis(5000)..Instant::from_millis(25_000);
    let keepalives = lived.sent.iter().filter(|(at, header, _)| idle.contains(at) && header.kind == PacketType::Ack);
    let counters: Vec<_> = keepalives.map(|(_, header, _)| header.counter).collect();
    // The captured answers come when that client's keepalives were answered, so ours asks again in between.
    // Ours carry what was received, where 0.6.3 puts what it sent: 365, not 148.
    assert!((2..=6).contains(&counters.len()) && counters.iter().all(|counter| *counter == 365), "{counters:?}");
    assert!(captured.iter().any(|e| e.at > idle.start && e.header.counter == 148));
}

#[test]
fn a_client_that_the_server_ended() {
    for (prefix, text) in [("f2", "Timeout\r\n"), ("f3", "\r\n\r\nDaemon shutting down.\r\n")] {
        let lived = compare_client(prefix, Duration::from_secs(60));
        assert_eq!(lived.last(), &client::Event::Closed { by_peer: true }, "{prefix}");
        // END is counted before the text; the text is shown all the same.
        assert!(lived.output().ends_with(text), "{prefix}");
    }
}

#[test]
fn a_client_whose_server_is_gone() {
    let captured = session("f4");
    let lived = compare_client("f4", Duration::from_secs(60));
    let client::Event::Failed(client::Error::Silent { waited }) = lived.last() else { panic!("{:?}", lived.last()) };
    assert!(*waited >= Duration::from_secs(8), "{waited:?}");
    let copies: Vec<_> = lived.sent.iter().filter(|(_, header, _)| header.counter == 148).map(|s| &s.2).collect();
    assert!(copies.len() > 5 && copies.iter().all(|data| **data == b"x"));
    assert!(lived.output().ends_with("LAB> ") && captured.len() > 20);
}

/// A server that changed its key in the middle, and refuses the right password: ours begins anew, where the captured
/// client told its user that the password was wrong.
#[test]
fn a_client_that_met_a_changed_key() {
    let captured = session("g1");
    let lived = live_as_client(&captured, policy(&captured), Duration::from_millis(300));
    let starts: Vec<_> = lived.sent.iter().filter(|(_, h, _)| h.kind == PacketType::Start).collect();
    assert!(starts.len() > 1);
    assert_ne!(starts[0].1.session_key, starts[1].1.session_key);
    assert!(!lived.events.iter().any(|e| matches!(e, client::Event::Failed(_) | client::Event::LoggedIn { .. })));
}

// ---- the server ------------------------------------------------------------------------------------------------------

/// What our server did in the captured one's place.
struct Served {
    events: Vec<EventKind>,
    sent: Vec<(Instant, Repr, Vec<u8>)>,
}

impl Served {
    fn stream(&self) -> Vec<u8> {
        let mut stream = Stream::default();
        for (_, header, data) in self.sent.iter().filter(|(_, header, _)| header.kind == PacketType::Data) {
            stream.add(header.counter, data);
        }
        stream.whole()
    }

    fn closed(&self) -> Option<CloseReason> {
        self.events.iter().find_map(|event| match event {
            EventKind::Closed(reason) => Some(*reason),
            _ => None,
        })
    }

    fn typed(&self) -> String {
        let data = self.events.iter().filter_map(|e| match e {
            EventKind::Data(data) => Some(data.as_slice()),
            _ => None,
        });
        String::from_utf8(data.collect::<Vec<_>>().concat()).unwrap()
    }
}

/// The captured client's secrets, made anew for our server's key.
struct Proofs {
    exchange: auth::Client,
    password: Password,
    answer: Option<Answer>,
}

impl Proofs {
    /// A client's DATA with its own key and proof put in, if the password is one that we can speak for.
    fn replace(&self, data: &[u8]) -> Vec<u8> {
        let mut made = Vec::new();
        for element in control::elements(data) {
            match element {
                Element::Control(c) => {
                    let value = match (c.kind, &self.answer) {
                        (ControlType::PassSalt, _) => {
                            let offer = Offer::parse(c.value).unwrap();
                            Offer::new(offer.name(), self.exchange.public_key()).unwrap().to_vec()
                        }
                        (ControlType::Password, Some(Answer::Md5 { salt })) => {
                            md5::response(&self.password, salt).to_vec()
                        }
                        (ControlType::Password, Some(Answer::EcSrp5 { key, salt })) => {
                            self.exchange.prove(b"mtlab", &self.password, key, salt).unwrap().to_vec()
                        }
                        _ => c.value.to_vec(),
                    };
                    assert_eq!(value.len(), c.value.len());
                    control::emit(c.kind, &value, &mut made);
                }
                Element::Plain(plain) => made.extend_from_slice(plain),
            }
        }
        made
    }
}

struct Serving {
    server: Server<BTreeMap<String, Password>>,
    session: Option<SessionId>,
    proofs: Proofs,
    served: Served,
}

impl Serving {
    fn drain(&mut self, now: Instant) {
        while let Some(transmit) = self.server.poll_transmit(now) {
            let (header, data) = Repr::parse(&transmit.payload, Direction::ToClient).unwrap();
            for element in control::elements(data) {
                if let Element::Control(c) = element
                    && c.kind == ControlType::PassSalt
                {
                    self.proofs.answer = Some(Answer::parse(c.value).unwrap());
                }
            }
            self.served.sent.push((now, header, data.to_vec()));
        }
        while let Some(event) = self.server.poll_event() {
            self.session = Some(event.session);
            self.served.events.push(event.kind);
        }
    }

    fn until(&mut self, now: Instant) {
        self.drain(now);
        let mut rounds = 0..MAX_ROUNDS;
        while let Some(at) = self.server.poll_timeout().filter(|at| *at <= now) {
            rounds.next().expect("a machine that wakes without end");
            self.server.handle_timeout(at);
            self.drain(at);
        }
    }
}

/// Our server in the place of the captured one; the captured client speaks to it, as one who knows `password`. What
/// the captured server's shell printed is printed at its time, and the session closed when it was closed.
fn live_as_server(captured: &[Event], scheme: AuthScheme, password: &str, more: Duration) -> Served {
    let config = server::Config { macs: vec![SERVER], auth: scheme, seed: [9; 32], ..server::Config::default() };
    let users = BTreeMap::from([("mtlab".to_owned(), Password::from("lab-pw-1"))]);
    let proofs = Proofs { exchange: auth::Client::new(&[5; 32]), password: Password::from(password), answer: None };
    let served = Served { events: Vec::new(), sent: Vec::new() };
    let mut serving = Serving { server: Server::new(config, users), session: None, proofs, served };
    for event in captured {
        serving.until(event.at);
        let logged_in = serving.served.events.iter().any(|event| matches!(event, EventKind::Login { .. }));
        match (event.header.direction, event.header.kind, serving.session) {
            (Direction::ToServer, _, _) => {
                let meta =
                    Meta { link: 0, src_mac: CLIENT, dst_mac: SERVER, src_port: event.port, dst_port: packet::PORT };
                let payload = event.header.to_vec(&serving.proofs.replace(&event.data));
                serving.server.handle_datagram(event.at, &meta, &payload);
            }
            (Direction::ToClient, PacketType::Data, Some(id)) if logged_in => {
                for element in control::elements(&event.data) {
                    // The words of a timeout are the machine's own.
                    if let Element::Plain(shown) = element
                        && shown != server::config::IDLE_TEXT
                    {
                        serving.server.write(event.at, id, shown);
                    }
                }
            }
            (Direction::ToClient, PacketType::End, Some(id)) if logged_in => serving.server.close(event.at, id),
            _ => {}
        }
        serving.drain(event.at);
    }
    serving.until(captured.last().unwrap().at + more);
    serving.served
}

fn scheme(captured: &[Event]) -> AuthScheme {
    let answer = captured.iter().find(|e| e.header.direction == Direction::ToClient && !e.data.is_empty());
    match answer.map(|answer| answer.data.len()) {
        Some(25) => AuthScheme::Md5,
        _ => AuthScheme::EcSrp5 { md5_decoy: false },
    }
}

/// All that must be so whatever became of the session.
fn compare_server(prefix: &str, password: &str, more: Duration) -> Served {
    let captured = session(prefix);
    let served = live_as_server(&captured, scheme(&captured), password, more);
    let theirs = without_secrets(&stream(&captured, Direction::ToClient));
    assert_eq!(without_secrets(&served.stream()), theirs, "{prefix}: what is sent, and where");
    let ends = ends(&captured, Direction::ToServer);
    let theirs = captured.iter().filter(|e| e.header.direction == Direction::ToClient);
    let theirs = theirs.filter(|e| e.header.kind == PacketType::Ack).map(|e| e.header.counter);
    let ours = served.sent.iter().filter(|(_, h, _)| h.kind == PacketType::Ack).map(|(_, h, _)| h.counter);
    assert_eq!(acknowledgements(ours, &ends), acknowledgements(theirs, &ends), "{prefix}");
    served
}

#[test]
fn servers_whose_client_typed_exit() {
    for prefix in ["a1", "a2", "b3", "b4", "b5"] {
        let served = compare_server(prefix, "lab-pw-1", Duration::from_secs(60));
        assert_eq!(served.closed(), Some(CloseReason::Server), "{prefix}");
        assert_eq!(served.typed(), "echo hello; id -un\rexit\r", "{prefix}");
        let logins = served.events.iter().filter_map(|event| match event {
            EventKind::Login { user, terminal, .. } => Some((user.as_bytes(), terminal.clone())),
            _ => None,
        });
        let terminal = Terminal { kind: "xterm".to_owned(), columns: 120, rows: 40 };
        assert_eq!(logins.collect::<Vec<_>>(), [(&b"mtlab"[..], terminal)], "{prefix}");
        // The captured client confirmed; nothing was left to repeat.
        assert_eq!(served.sent.iter().filter(|(_, h, _)| h.kind == PacketType::End).count(), 1, "{prefix}");
    }
}

#[test]
fn a_server_whose_client_resized() {
    let served = compare_server("a3", "lab-pw-1", Duration::ZERO);
    assert_eq!(served.events.last(), Some(&EventKind::Resized { columns: 300, rows: 50 }));
}

#[test]
fn servers_that_refused() {
    for (prefix, password) in [("b1", "wrong"), ("c1", "wrong"), ("c2", "lab-pw-1"), ("c3", "wrong")] {
        let served = compare_server(prefix, password, Duration::from_secs(60));
        assert_eq!(served.closed(), Some(CloseReason::Refused), "{prefix}");
        let user: &[u8] = if prefix == "c2" { b"nobodyhere" } else { b"mtlab" };
        assert!(
            served.events.iter().any(|e| matches!(e, EventKind::Refused { user: name } if name.as_bytes() == user))
        );
    }
}

#[test]
fn servers_that_want_ec_srp5_say_nothing_to_md5() {
    for prefix in ["b6", "b7"] {
        let captured = session(prefix);
        let scheme = AuthScheme::EcSrp5 { md5_decoy: false };
        let served = live_as_server(&captured, scheme, "lab-pw-1", Duration::ZERO);
        let kinds: Vec<_> = served.sent.iter().map(|(_, header, _)| header.kind).collect();
        // START and BEGINAUTH acknowledged. Who does not log in is not kept for ever, which the C server does.
        assert!(kinds.starts_with(&[PacketType::Ack; 2]) && !kinds.contains(&PacketType::Data), "{prefix} {kinds:?}");
    }
}

#[test]
fn a_server_answers_keepalives() {
    let served = compare_server("f1", "lab-pw-1", Duration::from_secs(60));
    assert_eq!(served.closed(), Some(CloseReason::Server));
    for keepalive in session("f1").iter().filter(|e| (10..25).contains(&(e.at.as_micros() / 1_000_000))) {
        let answered = |(at, header, _): &(Instant, Repr, _)| *at == keepalive.at && header.kind == PacketType::Ack;
        assert!(keepalive.header.direction == Direction::ToClient || served.sent.iter().any(answered));
    }
}

#[test]
fn a_server_whose_client_was_killed() {
    let served = compare_server("f2", "lab-pw-1", Duration::from_secs(60));
    assert_eq!(served.closed(), Some(CloseReason::Idle));
    let at = |wanted: &dyn Fn(&Repr, &[u8]) -> bool| {
        served.sent.iter().find(|(_, header, data)| wanted(header, data)).unwrap().0.as_micros() / 1000
    };
    assert!((14_900..15_200).contains(&at(&|_, data| data == server::config::IDLE_TEXT)));
    // END waits for the text to arrive, for a while.
    assert!((14_900..17_500).contains(&at(&|header, _| header.kind == PacketType::End)));
}

#[test]
fn a_server_that_shuts_down() {
    let served = compare_server("f3", "lab-pw-1", Duration::from_secs(60));
    assert_eq!(served.closed(), Some(CloseReason::Server));
}

#[test]
fn a_server_that_is_asked_for_another() {
    let captured = session("c4");
    let served = live_as_server(&captured, AuthScheme::Either, "lab-pw-1", Duration::from_secs(60));
    assert!(served.sent.is_empty() && served.events.is_empty());
}

/// The repeated BEGINAUTH of g1 gets the same key from ours, so that the right password is right.
#[test]
fn a_server_whose_client_repeated_its_opening() {
    let captured = session("g1");
    let served = live_as_server(&captured, scheme(&captured), "lab-pw-1", Duration::from_secs(1));
    assert!(served.events.iter().any(|event| matches!(event, EventKind::Login { .. })), "{:?}", served.events);
    let answers = |data: &[u8]| {
        control::elements(data).filter(|e| matches!(e, Element::Control(c) if c.kind == ControlType::PassSalt)).count()
    };
    assert_eq!(answers(&served.stream()), 1);
}

// ---- the rest --------------------------------------------------------------------------------------------------------

#[test]
fn pings_are_answered_with_the_captured_bytes() {
    for prefix in ["d1", "d2", "d3"] {
        let (mut asked, mut answered) = (Vec::new(), Vec::new());
        for (_, bytes) in frames(prefix) {
            let frame = Frame::new_checked(&bytes).unwrap();
            match ping::Repr::parse(frame.payload()) {
                Ok((header, _)) if frame.dst_port() == PORT && header.reply => answered.push(frame.payload().to_vec()),
                Ok(_) if frame.dst_port() == PORT => {
                    asked.push(macping::answer(SERVER, frame.payload()).unwrap().unwrap());
                }
                _ => {}
            }
        }
        // A flood's last reply may have come after the capture's end.
        assert!(!answered.is_empty() && asked.starts_with(&answered), "{prefix}");
    }
}

/// Our ping in the C tool's place: it asks when that asked, with as many bytes, and its times are the captured ones.
/// The C tool's own answers, which pass by, are none to it.
#[test]
fn pings_are_asked_as_they_were_captured() {
    for prefix in ["d1", "d2", "d3"] {
        let mut pings = Vec::new();
        for (at, bytes) in frames(prefix) {
            let frame = Frame::new_checked(&bytes).unwrap();
            if frame.dst_port() == PORT
                && let Ok((header, data)) = ping::Repr::parse(frame.payload())
            {
                pings.push((at, header, frame.payload().to_vec(), data.len()));
            }
        }
        let (_, first, _, data_len) = pings[0].clone();
        let config = macping::Config {
            local: first.src,
            peer: first.dst,
            count: 0,
            interval: Duration::ZERO,
            timeout: Duration::from_secs(60),
            data_len,
            token: 7,
        };
        let mut pinger = macping::Pinger::new(Instant::ZERO, config);
        let (mut waiting, mut times) = (std::collections::VecDeque::new(), Vec::new());
        for (at, header, payload, _) in pings {
            if header.reply {
                assert_eq!(pinger.handle_payload(at, &payload), None, "{prefix}: an answer to somebody else");
                let (asked, ours): (Instant, Vec<u8>) = waiting.pop_front().unwrap();
                let (_, data) = ping::Repr::parse(&ours).unwrap();
                let event = pinger.handle_payload(at, &header.to_vec(data));
                assert!(
                    matches!(event, Some(macping::Event::Reply { time, .. }) if time == at.saturating_since(asked)),
                    "{prefix}: {event:?}"
                );
                times.push(at.saturating_since(asked));
            } else {
                let ours = pinger.poll_transmit(at).unwrap();
                assert_eq!((ping::Repr::parse(&ours).unwrap().0, ours.len()), (header, payload.len()), "{prefix}");
                waiting.push_back((at, ours));
            }
        }
        let found = pinger.statistics();
        assert_eq!(usize::try_from(found.received).unwrap(), times.len());
        assert_eq!((Some(found.min), Some(found.max)), (times.iter().min().copied(), times.iter().max().copied()));
    }
}

#[test]
fn every_capture_is_relived() {
    let text = include_str!("captured_sessions.rs");
    for prefix in EVERY {
        let named = text.matches(&format!("\"{prefix}\"")).count();
        assert!(named > 1 || prefix == "e1", "{prefix}");
    }
}
