//! Client and server against each other, and against bytes that neither sent.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod clones;
mod ends;
mod guesses;
mod hostile;
mod lost;
mod many;
#[path = "../common/pair.rs"]
mod pair;
mod storms;

use std::time::Duration;

use hostile::packet;
use mactelnet::auth::{Method, Password};
use mactelnet::client::{self, Error, GapPolicy, LoginPolicy};
use mactelnet::faults::Faults;
use mactelnet::server::{self, AuthScheme, CloseReason, EventKind, UnknownUser};
use mactelnet::wire::packet::{Direction, Packet, PacketType};
use mactelnet::{MacAddr, Terminal};
use pair::{Pair, client_config, conditions, server_config, transfer};

const DOWN: usize = 200_000;
const UP: usize = 50_000;

/// How many seeds: a moderate number, or what the variable says (1000 for the whole claim).
fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("JUMPLEAD_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(20)
}

fn exact(name: &str, gap: GapPolicy) {
    let (_, faults) = conditions().into_iter().find(|(other, _)| *other == name).unwrap();
    for n in seeds() {
        if let Err(why) = transfer(n, faults, gap, DOWN, UP) {
            panic!("{name}, {gap:?}, seed {n}: {why}");
        }
    }
}

#[test]
fn exact_at_1_percent_loss() {
    exact("loss 1 %", GapPolicy::OneOutstanding);
}

#[test]
fn exact_at_5_percent_loss() {
    exact("loss 5 %", GapPolicy::OneOutstanding);
}

#[test]
fn exact_at_20_percent_loss() {
    exact("loss 20 %", GapPolicy::OneOutstanding);
}

#[test]
fn exact_at_20_percent_duplication() {
    exact("duplication 20 %", GapPolicy::OneOutstanding);
}

#[test]
fn exact_at_20_percent_reordering() {
    exact("reordering 20 %", GapPolicy::OneOutstanding);
}

#[test]
fn exact_at_140_ms() {
    exact("140 ms", GapPolicy::OneOutstanding);
}

#[test]
fn exact_with_all_together() {
    exact("all together", GapPolicy::OneOutstanding);
}

#[test]
fn exact_with_a_window_whatever_the_wire_does() {
    for (name, _) in conditions() {
        exact(name, GapPolicy::Prove);
    }
}

#[test]
fn no_storm_at_140_ms() {
    for gap in [GapPolicy::OneOutstanding, GapPolicy::Prove] {
        let far = Faults::delay(Duration::from_millis(70));
        let done = transfer(1, far, gap, DOWN, UP).unwrap();
        assert_eq!(done.resent, 0, "{done:?}");
        // One ACK for each packet, and what login and end take.
        assert!(done.datagrams < done.packets * 2 + 40, "{done:?}");
    }
}

#[test]
fn a_proof_opens_both_windows_and_pays() {
    let lan = Faults::delay(Duration::from_millis(1));
    let one = transfer(1, lan, GapPolicy::OneOutstanding, DOWN, UP).unwrap();
    let proved = transfer(1, lan, GapPolicy::Prove, DOWN, UP).unwrap();
    assert_eq!((one.proved, proved.proved), ((false, false), (true, true)));
    assert!(proved.down * 8 < one.down && proved.up * 8 < one.up, "{one:?} {proved:?}");
    assert!(proved.login < one.login + Duration::from_millis(100), "{one:?} {proved:?}");
}

/// Longer packets than the interface carries would all be refused by the kernel.
#[test]
fn a_window_keeps_to_what_the_interface_carries() {
    use mactelnet::proof::PeerTrait;
    use mactelnet::wire::packet::data_within;
    for mtu in [1500, 1400, 9000] {
        let gap = GapPolicy::Trust(PeerTrait { holds_ack_at_gap: Some(true) });
        let mut pair = login(client::Config { gap, max_data: data_within(mtu), ..client_config(1) }, server_config(1));
        assert_eq!(pair.client.write(&[b'x'; 5000]), 5000);
        let sent = std::iter::from_fn(|| pair.client.poll_transmit(pair.now));
        let longest = sent.map(|sent| 28 + sent.payload.len()).max();
        assert_eq!(longest, Some(mtu.min(1500)));
    }
    assert_eq!(data_within(0), 1);
}

fn login(client: client::Config, server: server::Config) -> Pair {
    let mut pair = Pair::new(7, Faults::delay(Duration::from_millis(1)), client, server);
    pair.run(Duration::from_secs(60), |pair| {
        pair.client.is_over() || (pair.session.is_some() && pair.client.is_open())
    });
    pair
}

#[test]
fn the_right_login_is_found_for_every_server() {
    let auto = |md5_allowed| LoginPolicy::Auto { md5_allowed, reason: "a test says so".into() };
    let decoy = AuthScheme::EcSrp5 { md5_decoy: true };
    let strict = AuthScheme::EcSrp5 { md5_decoy: false };
    let cases: &[(LoginPolicy, AuthScheme, Result<Method, &str>)] = &[
        (auto(false), AuthScheme::Either, Ok(Method::EcSrp5)),
        (auto(true), strict, Ok(Method::EcSrp5)),
        (auto(true), AuthScheme::Md5, Ok(Method::Md5)),
        (auto(false), AuthScheme::Md5, Err("mactelnet.auth.downgrade")),
        (LoginPolicy::EcSrp5, AuthScheme::Md5, Err("mactelnet.auth.downgrade")),
        (LoginPolicy::EcSrp5, decoy, Ok(Method::EcSrp5)),
        (LoginPolicy::Md5, AuthScheme::Either, Ok(Method::Md5)),
        (LoginPolicy::Md5, strict, Err("mactelnet.auth.wants-ec-srp5")),
        (LoginPolicy::Md5, decoy, Err("mactelnet.auth.rejected")),
    ];
    for (policy, auth, expected) in cases {
        let client = client::Config { login: policy.clone(), ..client_config(1) };
        let mut pair = login(client, server::Config { auth: *auth, ..server_config(1) });
        pair.run(Duration::from_secs(10), |pair| pair.client.is_over() || pair.session.is_some());
        let method = pair.client_events.iter().find_map(|event| match event {
            client::Event::LoggedIn { method } => Some(*method),
            _ => None,
        });
        let outcome = match pair.failure() {
            Some(error) => Err(error.code()),
            None => Ok(method.unwrap()),
        };
        assert_eq!(outcome, *expected, "{policy:?} {auth:?}: {:?}", pair.failure());
    }
}

#[test]
fn names_passwords_and_terminals_arrive() {
    let terminal = Terminal { kind: "xterm-with-a-name-that-is-far-too-long".into(), columns: 300, rows: 50 };
    let client = client::Config { user: "admin+ct200w".into(), terminal, ..client_config(1) };
    let pair = login(client, server_config(1));
    let Some(EventKind::Login { user, suffix, method, terminal }) =
        pair.server_events.iter().map(|e| e.kind.clone()).find(|k| matches!(k, EventKind::Login { .. }))
    else {
        panic!("{:?}", pair.failure())
    };
    assert_eq!((user, suffix, method), ("admin".into(), Some("ct200w".into()), Method::EcSrp5));
    assert_eq!(terminal, Terminal { kind: "xterm-with-a-name-that-is-far".into(), columns: 300, rows: 50 });
}

#[test]
fn a_refusal_is_an_error_with_the_routers_words() {
    let wrong =
        |name: &str| client::Config { user: name.into(), password: Password::from("wrong"), ..client_config(1) };
    for name in ["admin", "nobody"] {
        for delay in [0, 1000] {
            let refusal_delay = Duration::from_millis(delay);
            let mut pair = login(wrong(name), server::Config { refusal_delay, ..server_config(1) });
            assert!(pair.run(Duration::from_secs(10), |pair| pair.client.is_over()));
            let said = "Login failed, incorrect username or password".into();
            let expected = Error::Rejected { method: Method::EcSrp5, said: Some(said) };
            assert_eq!(pair.failure(), Some(&expected));
            assert_eq!(pair.received_down, server::config::REFUSAL_TEXT);
            pair.run(Duration::from_secs(10), |pair| pair.server.sessions().next().is_none());
            assert_eq!(pair.server_events.last().unwrap().kind, EventKind::Closed(CloseReason::Refused));
        }
    }
    let quirk = server::Config { unknown_user: UnknownUser::KeyOnly, ..server_config(1) };
    let pair = login(wrong("nobody"), quirk);
    assert_eq!(pair.failure(), Some(&Error::UnknownUser { method: Method::EcSrp5 }));
}

/// A router that hangs up in the middle of the login, without a word: the error says which login was asked for. END in front
/// of the proof can't be a refusal of it.
#[test]
fn an_end_in_the_login_says_which_login_was_asked_for() {
    let auto = LoginPolicy::Auto { md5_allowed: true, reason: "a test says so".into() };
    for (policy, asked) in
        [(LoginPolicy::Md5, Method::Md5), (auto, Method::EcSrp5), (LoginPolicy::EcSrp5, Method::EcSrp5)]
    {
        let client = client::Config { login: policy, ..client_config(1) };
        let mut pair = Pair::new(7, Faults::delay(Duration::from_millis(1)), client, server_config(1));
        let answered = |event: &client::Event| matches!(event, client::Event::Answered { .. });
        assert!(pair.run(Duration::from_secs(5), |pair| pair.client_events.iter().any(answered)));
        let end = packet(Direction::ToClient, PacketType::End.into(), pair.client_key(), 0, &[]);
        pair.inject(false, &end);
        assert!(pair.run(Duration::from_secs(30), |pair| pair.failure().is_some()));
        let error = pair.failure().unwrap();
        assert_eq!(error, &Error::EndedInLogin { asked });
        assert!(error.to_string().contains(&asked.to_string()), "{error}");
    }
}

#[test]
fn refusals_slow_their_source_down() {
    let mut pair = login(client_config(1), server_config(1));
    let mut times = Vec::new();
    for n in 0..6 {
        let begun = pair.now;
        let config = client::Config { password: Password::from("wrong"), ..client_config(10 + n) };
        pair.client = client::Client::new(pair.now, config);
        pair.client_events.clear();
        assert!(pair.run(Duration::from_secs(30), |pair| pair.client.is_over()));
        assert_eq!(pair.failure().map(Error::code), Some("mactelnet.auth.rejected"), "{n}");
        times.push(pair.now.saturating_since(begun).as_secs());
    }
    assert_eq!(times, [0, 0, 0, 0, 1, 2]);
}

#[test]
fn a_salt_tells_nothing_about_a_name() {
    let salt = |name: &str, n: u64| {
        let mut pair =
            Pair::new(n, Faults::default(), client::Config { user: name.into(), ..client_config(n) }, server_config(1));
        let mut salts = Vec::new();
        pair.run(Duration::from_secs(1), |pair| pair.client.is_over() || pair.session.is_some());
        // The salt is seen by running the client's part again by hand.
        let mut server = server::Server::new(server_config(1), pair::users());
        let mut client = client::Client::new(pair.now, client::Config { user: name.into(), ..client_config(n) });
        for _ in 0..10 {
            while let Some(t) = client.poll_transmit(pair.now) {
                server.handle_datagram(pair.now, &t.meta, &t.payload);
            }
            while let Some(t) = server.poll_transmit(pair.now) {
                let packet = Packet::new_checked(&t.payload).unwrap();
                if packet.kind() == PacketType::Data && packet.data().len() == 58 {
                    salts.push(packet.data()[42..].to_vec());
                }
                client.handle_datagram(pair.now, &t.meta, &t.payload);
            }
        }
        salts.dedup();
        assert_eq!(salts.len(), 1);
        salts.remove(0)
    };
    assert_eq!(salt("admin", 1), salt("admin", 2));
    assert_eq!(salt("nobody", 1), salt("nobody", 2));
    assert_eq!(salt("nobody", 1), salt("nobody+ct", 2));
    assert_ne!(salt("nobody", 1), salt("someone", 1));
}

#[test]
fn keepalives_hold_an_idle_session_and_find_a_dead_router() {
    let mut pair = login(client_config(1), server_config(1));
    assert!(!pair.run(Duration::from_secs(600), |pair| pair.client.is_over()), "{:?}", pair.failure());
    assert!(pair.client.is_open());
    // One each way every ten seconds.
    assert!(pair.sent[0] < 80 && pair.sent[1] < 80, "{:?}", pair.sent);
    pair.up.set(Faults { loss: 100.0, ..Faults::default() });
    pair.down.set(Faults { loss: 100.0, ..Faults::default() });
    let begun = pair.now;
    assert!(pair.run(Duration::from_secs(60), |pair| pair.client.is_over()));
    assert_eq!(pair.failure().map(Error::code), Some("mactelnet.session.silent"));
    assert!(pair.now.saturating_since(begun) < Duration::from_secs(25));
    assert!(pair.run(Duration::from_secs(60), |pair| pair.server.sessions().next().is_none()));
    assert_eq!(pair.server_events.last().unwrap().kind, EventKind::Closed(CloseReason::Idle));
}

#[test]
fn an_idle_session_outlives_a_bad_wire() {
    for n in 0..5 {
        // As long as RouterOS keeps one.
        let server = server::Config { idle_timeout: Duration::from_secs(90), ..server_config(n) };
        let mut pair = login(client_config(n), server);
        let faults = Faults { loss: 20.0, ..Faults::delay(Duration::from_millis(1)) };
        pair.up.set(faults);
        pair.down.set(faults);
        assert!(!pair.run(Duration::from_secs(3600), |pair| pair.client.is_over()), "{n}: {:?}", pair.failure());
        assert!(pair.client.is_open(), "{n}");
    }
}

#[test]
fn no_router_no_session() {
    let mut pair = Pair::new(1, Faults { loss: 100.0, ..Faults::default() }, client_config(1), server_config(1));
    assert!(pair.run(Duration::from_secs(60), |pair| pair.client.is_over()));
    let Some(Error::NoAnswer { tries, .. }) = pair.failure() else { panic!("{:?}", pair.failure()) };
    assert!((8..30).contains(tries), "{tries}");
    assert!(pair.now.since_epoch() >= Duration::from_secs(8));
}

#[test]
fn typed_bytes_that_are_not_acknowledged_end_the_session() {
    let mut pair = login(client_config(1), server_config(1));
    pair.up.set(Faults { loss: 100.0, ..Faults::default() });
    pair.down.set(Faults { loss: 100.0, ..Faults::default() });
    let begun = pair.now;
    assert_eq!(pair.client.write(b"/system reboot\r"), 15);
    assert!(pair.run(Duration::from_secs(60), |pair| pair.client.is_over()));
    let waited = pair.now.saturating_since(begun);
    assert!(waited >= Duration::from_secs(8) && waited < Duration::from_secs(20), "{waited:?}");
    assert_eq!(pair.failure().map(Error::code), Some("mactelnet.session.silent"));
}

#[test]
fn both_sides_end_sessions_with_everything_said() {
    for by_server in [true, false] {
        let mut pair = login(client_config(1), server_config(1));
        let session = pair.session.unwrap();
        pair.server.write(pair.now, session, &[b'x'; 10_000]);
        pair.client.write(b"exit\r");
        if by_server {
            pair.server.close(pair.now, session);
        } else {
            pair.client.close(pair.now);
        }
        assert!(
            pair.run(Duration::from_secs(10), |pair| {
                pair.client.is_over() && pair.server.sessions().next().is_none()
            })
        );
        assert_eq!(pair.client_events.last(), Some(&client::Event::Closed { by_peer: by_server }));
        let reason = if by_server { CloseReason::Server } else { CloseReason::Client };
        assert_eq!(pair.server_events.last().unwrap().kind, EventKind::Closed(reason));
        // Whoever closes gets out what it wrote; what the other still writes then is for nobody.
        if by_server {
            assert_eq!(pair.received_down.len(), 10_000);
        } else {
            assert_eq!(pair.received_up, b"exit\r");
        }
    }
}

#[test]
fn confirmations_are_not_confirmed() {
    let mut pair = login(client_config(1), server_config(1));
    pair.client.close(pair.now);
    assert!(pair.run(Duration::from_secs(10), |pair| pair.client.is_over() && pair.server.sessions().next().is_none()));
    // Late copies of the two ENDs, and their answers, delivered until nothing moves: two lost confirmations answering
    // each other would never come to rest.
    let sent = pair.sent;
    let key = pair.client_key();
    for counter in [0, 148] {
        for (to_server, direction) in [(true, Direction::ToServer), (false, Direction::ToClient)] {
            let (src, dst) = if to_server { (pair::CLIENT, pair::SERVER) } else { (pair::SERVER, pair::CLIENT) };
            let end = mactelnet::wire::packet::Repr {
                kind: PacketType::End,
                direction,
                src,
                dst,
                session_key: key,
                client_type: mactelnet::wire::packet::CLIENT_TYPE_MAC_TELNET,
                counter,
            };
            pair.inject(to_server, &end.to_vec(&[]));
            pair.run(Duration::from_secs(10), |_| false);
        }
    }
    assert_eq!((pair.sent[0] - sent[0], pair.sent[1] - sent[1]), (1, 1));
}

#[test]
fn window_changes_and_the_magic_as_text_arrive() {
    let mut pair = login(client_config(1), server_config(1));
    pair.client.resize(pair.now, 132, 43);
    let mut text = b"a".to_vec();
    for _ in 0..50 {
        text.extend_from_slice(&mactelnet::wire::control::MAGIC);
        text.extend_from_slice(&[5, 0, 0, 0, 2, 1, 1]);
    }
    let session = pair.session.unwrap();
    assert_eq!(pair.client.write(&text), text.len());
    assert_eq!(pair.client.write(&text), text.len());
    pair.server.write(pair.now, session, &text);
    pair.run(Duration::from_secs(10), |pair| {
        pair.received_up.len() >= 2 * text.len() && !pair.received_down.is_empty()
    });
    pair.run(Duration::from_secs(1), |_| false);
    assert_eq!(pair.received_up, [&text[..], &text[..]].concat());
    assert_eq!(pair.received_down, text);
    let sizes = pair.server_events.iter().filter(|e| matches!(e.kind, EventKind::Resized { .. })).count();
    assert_eq!(sizes, 1);
}

/// The client that asks anew, in a packet of its own, as the C client does after a pause.
#[test]
fn a_beginauth_that_comes_again_gets_the_same_key_and_not_for_ever() {
    use mactelnet::server::Server;
    use mactelnet::wire::control::{self, ControlType, Element};
    let mut server = Server::new(server_config(1), pair::users());
    let now = mactelnet::Instant::ZERO;
    let mut client = client::Client::new(now, client_config(1));
    let start = client.poll_transmit(now).unwrap();
    server.handle_datagram(now, &start.meta, &start.payload);
    let ack = server.poll_transmit(now).unwrap();
    client.handle_datagram(now, &ack.meta, &ack.payload);
    let opening = client.poll_transmit(now).unwrap();
    let first = Packet::new_checked(&opening.payload).unwrap();
    let (mut counter, mut answers) = (first.counter(), Vec::new());
    for _ in 0..20 {
        let repr = mactelnet::wire::packet::Repr {
            kind: PacketType::Data,
            direction: Direction::ToServer,
            src: pair::CLIENT,
            dst: pair::SERVER,
            session_key: first.session_key(Direction::ToServer),
            client_type: mactelnet::wire::packet::CLIENT_TYPE_MAC_TELNET,
            counter,
        };
        counter += u32::try_from(first.data().len()).unwrap();
        server.handle_datagram(now, &opening.meta, &repr.to_vec(first.data()));
        while let Some(sent) = server.poll_transmit(now) {
            let packet = Packet::new_checked(&sent.payload).unwrap();
            if packet.kind() != PacketType::Data {
                continue;
            }
            for element in control::elements(packet.data()) {
                if let Element::Control(control) = element
                    && control.kind == ControlType::PassSalt
                {
                    answers.push(control.value.to_vec());
                }
            }
            // What was sent is taken, so that the next answer may go out.
            let taken = packet.counter() + u32::try_from(packet.data().len()).unwrap();
            let taken = mactelnet::wire::packet::Repr { kind: PacketType::Ack, counter: taken, ..repr };
            server.handle_datagram(now, &opening.meta, &taken.to_vec(&[]));
        }
    }
    assert!((2..=8).contains(&answers.len()), "{} answers", answers.len());
    assert!(answers.iter().all(|answer| answer.len() > 32 && *answer == answers[0]), "{answers:?}");
}

/// The C server ignores a second START for a key that it knows, so after a lost answer only another key helps.
#[test]
fn start_is_resent_with_the_same_key_twice_and_then_with_a_new_one() {
    let mut now = mactelnet::Instant::ZERO;
    let mut client = client::Client::new(now, client_config(1));
    let mut keys = Vec::new();
    while !client.is_over() {
        while let Some(sent) = client.poll_transmit(now) {
            let packet = Packet::new_checked(&sent.payload).unwrap();
            if packet.kind() == PacketType::Start {
                assert!(sent.meta.dst_mac.is_broadcast());
                keys.push(packet.session_key(Direction::ToServer));
            }
        }
        now = client.poll_timeout().unwrap();
        client.handle_timeout(now);
    }
    let mut seen = Vec::new();
    for three in keys.chunks(3) {
        assert!(three.iter().all(|key| *key == three[0]), "{keys:?}");
        assert!(!seen.contains(&three[0]), "a new key is none of those before: {keys:?}");
        seen.push(three[0]);
    }
    assert!(seen.len() > 2, "{keys:?}");
}

#[test]
fn logins_survive_a_wire_that_doubles_every_packet_late() {
    // Every packet twice, and the copy late: the client's own resends are such copies.
    let faults =
        Faults { duplication: 100.0, jitter: Duration::from_millis(30), ..Faults::delay(Duration::from_millis(20)) };
    for n in 0..20 {
        let mut pair = Pair::new(n, faults, client_config(n), server_config(n));
        assert!(pair.logged_in(), "{n}: {:?}", pair.failure());
    }
}

#[test]
fn a_thousand_sessions_each_small_all_exact() {
    let crowd = pair::crowd(1000);
    assert_eq!((crowd.opened, crowd.exact), (1000, 1000));
    assert!(crowd.counted < 1000 * 64 * 1024, "{}", crowd.counted);
}

#[test]
fn floods_of_starts_are_bounded_and_honest_clients_still_get_in() {
    let mut pair = Pair::new(1, Faults::delay(Duration::from_millis(1)), client_config(1), server_config(1));
    let header = mactelnet::wire::packet::Repr {
        kind: PacketType::Start,
        direction: Direction::ToServer,
        src: MacAddr([4, 0, 0, 0, 0, 0]),
        dst: pair::SERVER,
        session_key: 0,
        client_type: mactelnet::wire::packet::CLIENT_TYPE_MAC_TELNET,
        counter: 0,
    };
    for n in 0..2000u16 {
        pair.inject(true, &mactelnet::wire::packet::Repr { session_key: n, ..header }.to_vec(&[]));
        while pair.server.poll_transmit(pair.now).is_some() {}
    }
    assert_eq!(pair.server.sessions().count(), server::config::MAX_HALF_OPEN);
    assert!(pair.logged_in(), "{:?}", pair.failure());
}
