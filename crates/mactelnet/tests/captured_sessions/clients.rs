//! Our client in the place of each captured one.

use std::time::Duration;

use mactelnet::auth::{self, Password};
use mactelnet::client::{self, Client, LoginPolicy};
use mactelnet::wire::control::{self, Element};
use mactelnet::wire::packet::{PORT, Repr};
use mactelnet::wire::{ControlType, Direction, PacketType};
use mactelnet::{Instant, Meta, Terminal};

use crate::capture::{Event, Stream, acknowledgements, ends, session, stream, without_secrets};
use crate::{CLIENT, MAX_ROUNDS, SERVER};

const REFUSAL: &str = "Login failed, incorrect username or password";

/// The client typed `exit`.
const LEFT: [&str; 6] = ["a1", "a2", "b2", "b3", "b4", "b5"];
/// The window changed.
const RESIZED: &str = "a3";
/// A wrong password, and by which login.
const WRONG: [(&str, auth::Method); 3] =
    [("b1", auth::Method::Md5), ("c1", auth::Method::EcSrp5), ("c3", auth::Method::Md5)];
/// A user that the server does not have.
const UNKNOWN: &str = "c2";
/// Asked for MD5 where EC-SRP5 is wanted.
const TOO_OLD: [&str; 2] = ["b6", "b7"];
const NOBODY: &str = "c4";
const IDLED: &str = "f1";
/// The server ended it, with these words.
const ENDED: [(&str, &str); 2] = [("f2", "Timeout\r\n"), ("f3", "\r\n\r\nDaemon shutting down.\r\n")];
const GONE: &str = "f4";
const REKEYED: &str = "g1";

/// The captures whose client ours stands for.
pub fn relived() -> Vec<&'static str> {
    let refused = WRONG.map(|(prefix, _)| prefix);
    let ended = ENDED.map(|(prefix, _)| prefix);
    [&LEFT[..], &refused, &TOO_OLD, &ended, &[RESIZED, UNKNOWN, NOBODY, IDLED, GONE, REKEYED]].concat()
}

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
    for prefix in LEFT {
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
    let lived = compare_client(RESIZED, Duration::ZERO);
    assert!(lived.output().ends_with("LAB> 40 120\r\nLAB> "));
    assert!(lived.events.iter().all(|e| !matches!(e, client::Event::Closed { .. } | client::Event::Failed(_))));
}

#[test]
fn clients_that_were_refused() {
    for (prefix, method) in WRONG {
        let lived = compare_client(prefix, Duration::from_secs(60));
        let error = client::Error::Rejected { method, said: Some(REFUSAL.into()) };
        assert_eq!(lived.last(), &client::Event::Failed(error), "{prefix}");
        assert!(lived.output().contains(REFUSAL), "{prefix}: the text is delivered as well");
        assert_eq!(lived.kinds(PacketType::End), 1, "{prefix}");
    }
    // It has another user's name, and so other offsets; it ends the same.
    let captured = session(UNKNOWN);
    let lived = live_as_client(&captured, policy(&captured), Duration::from_secs(60));
    assert!(matches!(lived.last(), client::Event::Failed(client::Error::Rejected { .. })));
}

/// The captured clients sent keepalives for ever; ours says what is wrong.
#[test]
fn clients_that_asked_a_server_for_md5_that_wants_ec_srp5() {
    for prefix in TOO_OLD {
        let captured = session(prefix);
        let lived = live_as_client(&captured, LoginPolicy::Md5, Duration::ZERO);
        assert_eq!(lived.last(), &client::Event::Failed(client::Error::WantsEcSrp5), "{prefix}");
        assert_eq!(lived.stream(), stream(&captured, Direction::ToServer), "{prefix}");
    }
}

#[test]
fn a_client_that_nobody_answered() {
    let captured = session(NOBODY);
    let lived = live_as_client(&captured, policy(&captured), Duration::from_secs(60));
    assert!(matches!(lived.last(), client::Event::Failed(client::Error::NoAnswer { tries: 4.., .. })));
    // And, where the captured client said no more, END for every key: it may be the answers that were lost.
    let keys: std::collections::BTreeSet<u16> = lived.sent.iter().map(|(_, header, _)| header.session_key).collect();
    assert_eq!(lived.kinds(PacketType::End), keys.len());
    assert_eq!(lived.sent.len(), lived.kinds(PacketType::Start) + keys.len(), "nothing but these");
}

#[test]
fn a_client_that_idled_is_kept_alive() {
    let captured = session(IDLED);
    let lived = compare_client(IDLED, Duration::from_secs(60));
    assert_eq!(lived.last(), &client::Event::Closed { by_peer: true });
    let idle = Instant::from_millis(5000)..Instant::from_millis(25_000);
    let keepalives = lived.sent.iter().filter(|(at, header, _)| idle.contains(at) && header.kind == PacketType::Ack);
    let counters: Vec<_> = keepalives.map(|(_, header, _)| header.counter).collect();
    // The captured answers come when that client's keepalives were answered, so ours asks again in between, each second.
    // Ours carry what was received, where 0.6.3 puts what it sent: 365, not 148.
    assert!((2..=12).contains(&counters.len()) && counters.iter().all(|counter| *counter == 365), "{counters:?}");
    assert!(captured.iter().any(|e| e.at > idle.start && e.header.counter == 148));
}

#[test]
fn a_client_that_the_server_ended() {
    for (prefix, text) in ENDED {
        let lived = compare_client(prefix, Duration::from_secs(60));
        assert_eq!(lived.last(), &client::Event::Closed { by_peer: true }, "{prefix}");
        // END is counted before the text; the text is shown all the same.
        assert!(lived.output().ends_with(text), "{prefix}");
    }
}

#[test]
fn a_client_whose_server_is_gone() {
    let captured = session(GONE);
    let lived = compare_client(GONE, Duration::from_secs(60));
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
    let captured = session(REKEYED);
    let lived = live_as_client(&captured, policy(&captured), Duration::from_millis(300));
    let starts: Vec<_> = lived.sent.iter().filter(|(_, h, _)| h.kind == PacketType::Start).collect();
    assert!(starts.len() > 1);
    assert_ne!(starts[0].1.session_key, starts[1].1.session_key);
    assert!(!lived.events.iter().any(|e| matches!(e, client::Event::Failed(_) | client::Event::LoggedIn { .. })));
}
