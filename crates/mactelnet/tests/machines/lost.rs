//! What is lost on the way, and what is made of it.

use std::collections::VecDeque;
use std::time::Duration;

use mactelnet::client::{Client, Error, Event};
use mactelnet::server::{EventKind, Server};
use mactelnet::wire::packet::{Packet, PacketType};
use mactelnet::{Instant, Transmit};

use crate::pair::{self, client_config, server_config};

/// The router's packets that reach nobody.
type Lost = fn(&Packet<'_>) -> bool;

/// A login, over a wire of 1 ms that loses what `lost` names, and what follows within so much time: the client, and the
/// counters of all DATA packets that reached the server, which prints nothing.
fn login(time: Duration, lost: Lost) -> (Client, Vec<u32>) {
    login_beside(time, lost, false)
}

/// The same; if `repeated`, the ACK of START comes again each second.
fn login_beside(time: Duration, lost: Lost, repeated: bool) -> (Client, Vec<u32>) {
    let mut now = Instant::ZERO;
    let mut client = Client::new(now, client_config(1));
    let mut server = Server::new(server_config(1), pair::users());
    let (mut counters, mut first) = (Vec::new(), None);
    let mut wire: VecDeque<(bool, Transmit)> = VecDeque::new();
    while now < Instant::ZERO + time && !client.is_over() {
        now += Duration::from_millis(1);
        for _ in 0..wire.len() {
            let Some((up, Transmit { meta, payload })) = wire.pop_front() else { break };
            let packet = Packet::new_checked(&payload).unwrap();
            if up {
                if packet.kind() == PacketType::Data {
                    counters.push(packet.counter());
                }
                server.handle_datagram(now, &meta, &payload);
            } else if !lost(&packet) {
                client.handle_datagram(now, &meta, &payload);
                first.get_or_insert((meta, payload));
            }
        }
        if let Some((meta, payload)) = &first
            && repeated
            && now.since_epoch().subsec_millis() == 0
        {
            client.handle_datagram(now, meta, payload);
        }
        client.handle_timeout(now);
        server.handle_timeout(now);
        wire.extend(std::iter::from_fn(|| client.poll_transmit(now)).map(|sent| (true, sent)));
        wire.extend(std::iter::from_fn(|| server.poll_transmit(now)).map(|sent| (false, sent)));
        while server.poll_event().is_some_and(|event| !matches!(event.kind, EventKind::Closed(_))) {}
    }
    (client, counters)
}

#[test]
fn what_a_router_has_answered_is_not_sent_again() {
    // Every ACK but the one of START, which is at 0.
    let lost: Lost = |packet| packet.kind() == PacketType::Ack && packet.counter() != 0;
    let (client, counters) = login(Duration::from_secs(5), lost);
    assert!(client.is_open());
    assert_eq!(counters.len(), 2, "BEGINAUTH and the password, each once: {counters:?}");
    assert!(client.is_flushed() && client.stats().resent == 0);
    // One that is acknowledged and answered is sent once anyhow, and one that is neither comes again.
    assert_eq!(login(Duration::from_secs(5), |_| false).1.len(), 2);
    let neither: Lost = |packet| packet.kind() == PacketType::Data || packet.counter() != 0;
    assert!(login(Duration::from_secs(5), neither).1.len() > 5);
}

/// Three ways of a router to get stuck in a login are three errors.
#[test]
fn a_router_that_acknowledges_nothing_is_told_from_one_that_does_not_go_on() {
    // Neither hears nor says anything; repeats the ACK of START, which says that it is there; hears, and says nothing.
    let silent: Lost = |packet| packet.kind() == PacketType::Data || packet.counter() != 0;
    let stalled: Lost = |packet| packet.kind() == PacketType::Data;
    for (lost, repeated, code) in [
        (silent, false, "mactelnet.session.silent"),
        (silent, true, "mactelnet.session.unacknowledged"),
        (stalled, false, "mactelnet.auth.stalled"),
    ] {
        let (mut client, _) = login_beside(Duration::from_secs(60), lost, repeated);
        let failed = std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
            Event::Failed(error) => Some(error),
            _ => None,
        });
        assert_eq!(failed.as_ref().map(Error::code), Some(code), "{failed:?}");
    }
}
