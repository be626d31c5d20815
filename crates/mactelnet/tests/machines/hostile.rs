//! Bytes from somebody who means harm, or from a broken router.

use mactelnet::wire::control::{self, ControlType};
use mactelnet::wire::packet::{CLIENT_TYPE_MAC_TELNET, PORT, Repr};
use mactelnet::{Instant, Meta};
use proptest::prelude::*;

use super::*;
use crate::pair::{CLIENT, SERVER, users};

/// Something that reaches a machine.
#[derive(Debug, Clone)]
enum Act {
    /// Any bytes.
    Noise(Vec<u8>),
    /// A packet of the session, or nearly: type, key and counter off by this much, data.
    Packet {
        kind: u8,
        key: i8,
        counter: i64,
        data: Vec<u8>,
    },
    /// The same, with controls inside.
    Controls {
        counter: i64,
        controls: Vec<(u8, Vec<u8>)>,
    },
    /// Nothing, for so many milliseconds.
    Wait(u16),
    /// The program writes.
    Write(u16),
    Close,
}

fn act() -> impl Strategy<Value = Act> {
    let counter = prop_oneof![
        6 => Just(0i64),
        2 => -3000i64..3000,
        1 => any::<u32>().prop_map(i64::from),
    ];
    let data = prop::collection::vec(any::<u8>(), 0..1450);
    let kinds = prop::sample::select(vec![0u8, 1, 1, 1, 2, 2, 4, 5, 255, 3, 77]);
    let control = (
        prop::sample::select(vec![0u8, 1, 1, 2, 3, 4, 5, 6, 7, 9, 0x6a, 200]),
        prop_oneof![
            Just(Vec::new()),
            prop::collection::vec(any::<u8>(), 16),
            prop::collection::vec(any::<u8>(), 33),
            prop::collection::vec(any::<u8>(), 49),
            prop::collection::vec(any::<u8>(), 0..200),
            Just(b"GAP\0\x12\x34".to_vec()),
            Just(b"GAP\x01\0\0".to_vec()),
            Just(b"GAP\x02\0\0".to_vec()),
        ],
    );
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..100).prop_map(Act::Noise),
        6 => (kinds, prop::sample::select(vec![0i8, 0, 0, 0, 1]), counter.clone(), data)
            .prop_map(|(kind, key, counter, data)| Act::Packet { kind, key, counter, data }),
        6 => (counter, prop::collection::vec(control, 0..5))
            .prop_map(|(counter, controls)| Act::Controls { counter, controls }),
        3 => (0u16..20_000).prop_map(Act::Wait),
        1 => (0u16..5000).prop_map(Act::Write),
        1 => Just(Act::Close),
    ]
}

pub(super) fn packet(direction: Direction, kind: u8, key: u16, counter: u32, data: &[u8]) -> Vec<u8> {
    let (src, dst) = if direction == Direction::ToServer { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    Repr {
        kind: PacketType::from(kind),
        direction,
        src,
        dst,
        session_key: key,
        client_type: CLIENT_TYPE_MAC_TELNET,
        counter,
    }
    .to_vec(data)
}

fn controls(list: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (kind, value) in list {
        control::emit(ControlType::from(*kind), value, &mut out);
    }
    out.truncate(1450);
    out
}

/// Lets the timers of a machine run until `end`; fails if they do not come to rest.
fn timers(now: &mut Instant, end: Instant, mut next: impl FnMut(Instant) -> Option<Instant>) {
    for _ in 0..10_000 {
        match next(*now) {
            Some(at) if at <= end => *now = (*now).max(at),
            _ => {
                *now = end;
                return;
            }
        }
    }
    panic!("timers do not come to rest at {now}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn the_server_survives_and_stays_small(acts in prop::collection::vec(act(), 1..80), scheme in 0usize..3) {
        let auth = [AuthScheme::Either, AuthScheme::Md5, AuthScheme::EcSrp5 { md5_decoy: true }][scheme];
        let mut server = server::Server::new(server::Config { auth, ..server_config(1) }, users());
        let mut now = Instant::ZERO;
        let meta = Meta { link: 0, src_mac: CLIENT, dst_mac: SERVER, src_port: 1024, dst_port: PORT };
        // The stream as an honest client would count it, so that offsets of 0 hit.
        let mut counter = 0u32;
        server.handle_datagram(now, &meta, &packet(Direction::ToServer, 0, 5, 0, &[]));
        for act in acts {
            match act {
                Act::Noise(bytes) => server.handle_datagram(now, &meta, &bytes),
                Act::Packet { kind, key, counter: off, data } => {
                    let at = counter.wrapping_add(off as u32);
                    let key = 5u16.wrapping_add_signed(key.into());
                    server.handle_datagram(now, &meta, &packet(Direction::ToServer, kind, key, at, &data));
                    if kind == 1 && off == 0 && key == 5 {
                        counter = counter.wrapping_add(data.len() as u32);
                    }
                }
                Act::Controls { counter: off, controls: list } => {
                    let data = controls(&list);
                    let at = counter.wrapping_add(off as u32);
                    server.handle_datagram(now, &meta, &packet(Direction::ToServer, 1, 5, at, &data));
                    if off == 0 {
                        counter = counter.wrapping_add(data.len() as u32);
                    }
                }
                Act::Wait(ms) => {
                    let end = now + Duration::from_millis(ms.into());
                    timers(&mut now, end, |now| {
                        server.handle_timeout(now);
                        while server.poll_transmit(now).is_some() {}
                        server.poll_timeout()
                    });
                }
                Act::Write(len) => {
                    for id in server.sessions().collect::<Vec<_>>() {
                        server.write(now, id, &vec![b'x'; len.into()]);
                    }
                }
                Act::Close => {
                    for id in server.sessions().collect::<Vec<_>>() {
                        server.close(now, id);
                    }
                }
            }
            // Amplification: a handful of packets for each that came in, the window of a session at most.
            let mut sent = 0;
            while let Some(t) = server.poll_transmit(now) {
                prop_assert!(t.payload.len() <= 1472 && t.meta.dst_mac == CLIENT);
                sent += 1;
            }
            prop_assert!(sent <= 30, "{}", sent);
            prop_assert!(server.memory() <= server.sessions().count() * 64 * 1024);
        }
        // Events were left to pile up: the bytes in them are bounded too. Then everything ends by itself.
        while server.poll_event().is_some() {}
        let end = now + Duration::from_secs(300);
        timers(&mut now, end, |now| {
            server.handle_timeout(now);
            while server.poll_transmit(now).is_some() {}
            server.poll_timeout()
        });
        prop_assert_eq!(server.sessions().count(), 0);
    }

    #[test]
    fn the_client_survives_and_ends(acts in prop::collection::vec(act(), 1..80), prove: bool, md5: bool) {
        let gap = if prove { GapPolicy::Prove } else { GapPolicy::OneOutstanding };
        let login = if md5 { LoginPolicy::Md5 } else {
            LoginPolicy::Auto { md5_allowed: true, reason: String::new() }
        };
        let mut now = Instant::ZERO;
        let mut client = client::Client::new(now, client::Config { gap, login, ..client_config(1) });
        let meta = Meta {
            link: 0, src_mac: SERVER, dst_mac: CLIENT, src_port: PORT, dst_port: client.meta().src_port,
        };
        let mut key = 0;
        let mut counter = 0u32;
        let drain = |client: &mut client::Client, now, key: &mut u16| {
            let mut sent = 0;
            while let Some(t) = client.poll_transmit(now) {
                let packet = Packet::new_checked(&t.payload).unwrap();
                *key = packet.session_key(Direction::ToServer);
                assert!(t.payload.len() <= 1472);
                sent += 1;
                assert!(sent <= 40);
            }
        };
        drain(&mut client, now, &mut key);
        client.handle_datagram(now, &meta, &packet(Direction::ToClient, 2, key, 0, &[]));
        for act in acts {
            drain(&mut client, now, &mut key);
            match act {
                Act::Noise(bytes) => client.handle_datagram(now, &meta, &bytes),
                Act::Packet { kind, key: off_key, counter: off, data } => {
                    let at = counter.wrapping_add(off as u32);
                    let key = key.wrapping_add_signed(off_key.into());
                    client.handle_datagram(now, &meta, &packet(Direction::ToClient, kind, key, at, &data));
                    if kind == 1 && off == 0 && off_key == 0 {
                        counter = counter.wrapping_add(data.len() as u32);
                    }
                }
                Act::Controls { counter: off, controls: list } => {
                    let data = controls(&list);
                    let at = counter.wrapping_add(off as u32);
                    client.handle_datagram(now, &meta, &packet(Direction::ToClient, 1, key, at, &data));
                    if off == 0 {
                        counter = counter.wrapping_add(data.len() as u32);
                    }
                }
                Act::Wait(ms) => {
                    let end = now + Duration::from_millis(ms.into());
                    timers(&mut now, end, |now| {
                        client.handle_timeout(now);
                        drain(&mut client, now, &mut key);
                        client.poll_timeout()
                    });
                }
                Act::Write(len) => drop(client.write(&vec![b'x'; len.into()])),
                Act::Close => client.close(now),
            }
        }
        // Left alone, it ends, with exactly one last event.
        let end = now + Duration::from_secs(300);
        timers(&mut now, end, |now| {
            client.handle_timeout(now);
            drain(&mut client, now, &mut key);
            client.poll_timeout()
        });
        prop_assert!(client.is_over());
        let mut ends = 0;
        while let Some(event) = client.poll_event() {
            prop_assert_eq!(ends, 0, "after the end: {:?}", event);
            ends += usize::from(matches!(event, client::Event::Closed { .. } | client::Event::Failed(_)));
        }
        prop_assert_eq!(ends, 1);
    }
}

/// Moves `text` down over a cable of 2 ms while `each_way` datagrams of garbage a second reach both machines; how long it
/// took in virtual time, and how many they were.
fn transfer_beside_garbage(text: &[u8], each_way: u128) -> (Duration, u128) {
    let mut pair = Pair::new(1, Faults::delay(Duration::from_millis(2)), client_config(1), server_config(1));
    assert!(pair.logged_in());
    let session = pair.session.unwrap();
    let mut rng = mactelnet::rng::SeededRng::new(&[1; 32], "garbage");
    let (began, mut written, mut injected) = (pair.now, 0, 0);
    while pair.received_down.len() < text.len() {
        written += pair.server.write(pair.now, session, &text[written..]);
        assert!(pair.step());
        let elapsed = pair.now.saturating_since(began);
        while injected < elapsed.as_micros() * each_way / 1_000_000 {
            let mut noise = rng.bytes::<60>();
            let to_server = injected % 2 == 0;
            if noise[59] & 1 == 0 {
                // As good as a packet of the session, but for its key and counter.
                let (from, to) = if to_server { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
                noise[0] = 1;
                noise[1] &= 3;
                noise[2..14].copy_from_slice(&[from.0, to.0].concat());
                let kind = if to_server { 16..18 } else { 14..16 };
                noise[kind].copy_from_slice(&CLIENT_TYPE_MAC_TELNET.to_be_bytes());
            }
            pair.inject(to_server, &noise);
            injected += 1;
        }
        assert!(elapsed < Duration::from_secs(60), "{} of {} bytes", pair.received_down.len(), text.len());
    }
    assert_eq!(pair.received_down, text);
    assert!(pair.server.sessions().count() <= server::config::MAX_HALF_OPEN + 1);
    (pair.now.saturating_since(began), injected)
}

#[test]
fn garbage_at_100_000_frames_a_second_costs_a_session_nothing() {
    let text = vec![b'y'; 100_000];
    let (quiet, _) = transfer_beside_garbage(&text, 0);
    let (noisy, frames) = transfer_beside_garbage(&text, 100_000);
    println!("{} bytes in {quiet:?}; beside {frames} frames of garbage, 100,000 a second: {noisy:?}", text.len());
    assert!(frames > 10_000 && noisy <= quiet * 2, "{frames} frames: {noisy:?} instead of {quiet:?}");
}
