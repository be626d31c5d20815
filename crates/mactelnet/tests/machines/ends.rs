//! Whoever may hold a session hears of its end.

use std::collections::BTreeSet;
use std::time::Duration;

use mactelnet::client::{Client, Config, Error, Event};
use mactelnet::server::{self, Server};
use mactelnet::wire::packet::{Direction, Packet, PacketType};
use mactelnet::{Instant, MacAddr, Transmit};

use crate::pair::{self, client_config, server_config};

/// Keys of the STARTs and of the ENDs among these packets.
fn keys(sent: &[Transmit]) -> [BTreeSet<u16>; 2] {
    [PacketType::Start, PacketType::End].map(|kind| {
        let packets = sent.iter().map(|sent| Packet::new_checked(&sent.payload).unwrap());
        packets.filter(|packet| packet.kind() == kind).map(|packet| packet.session_key(Direction::ToServer)).collect()
    })
}

/// Nobody answers, or the answers are lost; `end` is done to the client after so much time.
fn unanswered(time: Duration, end: impl FnOnce(&mut Client, Instant)) -> [BTreeSet<u16>; 2] {
    let (mut now, mut sent) = (Instant::ZERO, Vec::new());
    let mut client = Client::new(now, client_config(1));
    let mut end = Some(end);
    while !client.is_over() {
        sent.extend(std::iter::from_fn(|| client.poll_transmit(now)));
        now += Duration::from_millis(10);
        client.handle_timeout(now);
        if now >= Instant::ZERO + time
            && let Some(end) = end.take()
        {
            end(&mut client, now);
        }
    }
    sent.extend(std::iter::from_fn(|| client.poll_transmit(now)));
    keys(&sent)
}

#[test]
fn every_key_that_was_tried_is_ended() {
    let [starts, ends] = unanswered(Duration::from_secs(60), |_, _| {});
    assert!(starts.len() > 3 && starts == ends, "no answer: {starts:?} {ends:?}");
    let [starts, ends] = unanswered(Duration::from_secs(4), Client::close);
    assert!(starts.len() > 1 && starts == ends, "closed: {starts:?} {ends:?}");
    let [starts, ends] = unanswered(Duration::from_secs(4), Client::abort);
    assert!(starts.len() > 1 && starts == ends, "given up: {starts:?} {ends:?}");
}

#[test]
fn a_session_that_makes_room_is_told_so() {
    let mut now = Instant::ZERO;
    let mut server = Server::new(server::Config { max_half_open: 1, ..server_config(1) }, pair::users());
    let mut client = Client::new(now, client_config(1));
    let mut other = Client::new(now, Config { local: MacAddr([2, 0, 0, 0, 0, 9]), ..client_config(2) });
    // The login begins; what follows is too slow.
    let open = |client: &mut Client, server: &mut Server<pair::Users>, now| {
        while let Some(sent) = client.poll_transmit(now) {
            server.handle_datagram(now, &sent.meta, &sent.payload);
        }
    };
    open(&mut client, &mut server, now);
    let ack = server.poll_transmit(now).unwrap();
    client.handle_datagram(now, &ack.meta, &ack.payload);
    now += Duration::from_secs(4);
    open(&mut other, &mut server, now);
    let told: Vec<Transmit> = std::iter::from_fn(|| server.poll_transmit(now)).collect();
    let meant = |sent: &&Transmit| sent.meta.dst_mac == client.meta().src_mac;
    assert_eq!(told.iter().filter(meant).count(), 1, "{told:?}");
    let end = told.iter().find(meant).unwrap().clone();
    assert_eq!(Packet::new_checked(&end.payload).unwrap().kind(), PacketType::End);
    client.handle_datagram(now, &end.meta, &end.payload);
    client.handle_timeout(now + Duration::from_secs(2));
    let failed = std::iter::from_fn(|| client.poll_event())
        .any(|event| matches!(event, Event::Failed(Error::EndedInLogin { .. })));
    assert!(failed, "at once, not after fifteen seconds");
}
