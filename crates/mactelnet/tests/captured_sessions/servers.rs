//! Our server in the place of each captured one.

use std::collections::BTreeMap;
use std::time::Duration;

use mactelnet::auth::{self, Answer, Offer, Password, md5};
use mactelnet::server::{self, AuthScheme, CloseReason, EventKind, Server, SessionId};
use mactelnet::wire::control::{self, Element};
use mactelnet::wire::packet::{self, Repr};
use mactelnet::wire::{ControlType, Direction, PacketType};
use mactelnet::{Instant, Meta, Terminal};

use crate::capture::{Event, Stream, acknowledgements, ends, session, stream, without_secrets};
use crate::{CLIENT, MAX_ROUNDS, SERVER};

/// The client typed `exit`.
const LEFT: [&str; 5] = ["a1", "a2", "b3", "b4", "b5"];
/// The same; the captured server was shut down later, and spoke once more behind the session's end.
const SPOKE_BEHIND: &str = "b2";
const RESIZED: &str = "a3";
/// Refused, and what the client took for the password.
const REFUSED: [(&str, &str); 4] = [("b1", "wrong"), ("c1", "wrong"), ("c2", "lab-pw-1"), ("c3", "wrong")];
/// Asked for MD5 where EC-SRP5 is wanted.
const TOO_OLD: [&str; 2] = ["b6", "b7"];
const ANOTHER: &str = "c4";
const IDLED: &str = "f1";
const KILLED: &str = "f2";
const SHUT_DOWN: &str = "f3";
const REPEATED: &str = "g1";
/// The server died in the middle, which a machine does not.
const DIED: &str = "f4";

/// The captures whose server ours stands for, and the one that it can't.
pub fn relived() -> Vec<&'static str> {
    let refused = REFUSED.map(|(prefix, _)| prefix);
    [&LEFT[..], &refused, &TOO_OLD, &[SPOKE_BEHIND, RESIZED, ANOTHER, IDLED, KILLED, SHUT_DOWN, REPEATED, DIED]]
        .concat()
}

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
    for prefix in LEFT {
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
fn a_session_that_has_ended_says_nothing_more() {
    let captured = session(SPOKE_BEHIND);
    let served = live_as_server(&captured, scheme(&captured), "lab-pw-1", Duration::from_secs(60));
    let theirs = without_secrets(&stream(&captured, Direction::ToClient));
    let ours = without_secrets(&served.stream());
    assert_eq!(theirs.strip_prefix(&ours[..]), Some(&b"\r\n\r\nDaemon shutting down.\r\n"[..]));
    assert_eq!(served.closed(), Some(CloseReason::Server));
    assert_eq!(served.typed(), "echo hello; id -un\rexit\r");
}

#[test]
fn a_server_whose_client_resized() {
    let served = compare_server(RESIZED, "lab-pw-1", Duration::ZERO);
    assert_eq!(served.events.last(), Some(&EventKind::Resized { columns: 300, rows: 50 }));
}

#[test]
fn servers_that_refused() {
    for (prefix, password) in REFUSED {
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
    for prefix in TOO_OLD {
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
    let served = compare_server(IDLED, "lab-pw-1", Duration::from_secs(60));
    assert_eq!(served.closed(), Some(CloseReason::Server));
    for keepalive in session(IDLED).iter().filter(|e| (10..25).contains(&(e.at.as_micros() / 1_000_000))) {
        let answered = |(at, header, _): &(Instant, Repr, _)| *at == keepalive.at && header.kind == PacketType::Ack;
        assert!(keepalive.header.direction == Direction::ToClient || served.sent.iter().any(answered));
    }
}

#[test]
fn a_server_whose_client_was_killed() {
    let served = compare_server(KILLED, "lab-pw-1", Duration::from_secs(60));
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
    let served = compare_server(SHUT_DOWN, "lab-pw-1", Duration::from_secs(60));
    assert_eq!(served.closed(), Some(CloseReason::Server));
}

#[test]
fn a_server_that_is_asked_for_another() {
    let captured = session(ANOTHER);
    let served = live_as_server(&captured, AuthScheme::Either, "lab-pw-1", Duration::from_secs(60));
    assert!(served.sent.is_empty() && served.events.is_empty());
}

/// The repeated BEGINAUTH of g1 gets the same key from ours, so that the right password is right.
#[test]
fn a_server_whose_client_repeated_its_opening() {
    let captured = session(REPEATED);
    let served = live_as_server(&captured, scheme(&captured), "lab-pw-1", Duration::from_secs(1));
    assert!(served.events.iter().any(|event| matches!(event, EventKind::Login { .. })), "{:?}", served.events);
    let answers = |data: &[u8]| {
        control::elements(data).filter(|e| matches!(e, Element::Control(c) if c.kind == ControlType::PassSalt)).count()
    };
    assert_eq!(answers(&served.stream()), 1);
}
