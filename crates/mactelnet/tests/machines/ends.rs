//! Whoever may hold a session hears of its end.

use std::collections::BTreeSet;
use std::time::Duration;

use mactelnet::client::Client;
use mactelnet::wire::packet::{Direction, Packet, PacketType};
use mactelnet::{Instant, Transmit};

use crate::pair::client_config;

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
