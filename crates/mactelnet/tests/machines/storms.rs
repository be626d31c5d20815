//! Two servers that take each other for clients.

use std::collections::VecDeque;
use std::time::Duration;

use mactelnet::server::{self, Server};
use mactelnet::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction, PORT, PacketType, Repr};
use mactelnet::{Instant, MacAddr, Meta, Transmit};

use crate::pair::{self, server_config};

const MACS: [MacAddr; 2] = [MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 3])];

/// A START from `src`, whose key looks the same in both directions.
fn forged(src: MacAddr, dst: MacAddr) -> (Meta, Vec<u8>) {
    let start = Repr {
        kind: PacketType::Start,
        direction: Direction::ToServer,
        src,
        dst,
        session_key: CLIENT_TYPE_MAC_TELNET,
        client_type: CLIENT_TYPE_MAC_TELNET,
        counter: 0,
    };
    (Meta { link: 0, src_mac: src, dst_mac: dst, src_port: PORT, dst_port: PORT }, start.to_vec(&[]))
}

/// Lets the servers answer each other for so long; how many packets that takes.
fn packets(servers: &mut [Server<pair::Users>], time: Duration) -> usize {
    let (mut now, mut sent) = (Instant::ZERO, 0);
    for n in 0..servers.len() {
        let (src, dst) = (MACS[(n + 1) % MACS.len()], MACS[n]);
        let (meta, start) = forged(src, dst);
        servers[n].handle_datagram(now, &meta, &start);
    }
    let mut wire: VecDeque<Transmit> = VecDeque::new();
    while now < Instant::ZERO + time && sent < 10_000 {
        now += Duration::from_millis(1);
        for _ in 0..wire.len() {
            let Some(Transmit { meta, payload }) = wire.pop_front() else { break };
            servers.iter_mut().for_each(|server| server.handle_datagram(now, &meta, &payload));
        }
        for server in servers.iter_mut() {
            server.handle_timeout(now);
            while let Some(transmit) = server.poll_transmit(now) {
                sent += 1;
                wire.push_back(transmit);
            }
        }
    }
    sent
}

#[test]
fn two_servers_do_not_answer_each_other_without_end() {
    let server =
        |macs: &[MacAddr]| Server::new(server::Config { macs: macs.to_vec(), ..server_config(1) }, pair::users());
    let sent = packets(&mut [server(&MACS[..1]), server(&MACS[1..])], Duration::from_secs(10));
    assert!((2..=50).contains(&sent), "{sent} packets in 10 s");
    // One that hears itself on another of its links takes no part.
    assert_eq!(packets(&mut [server(&MACS)], Duration::from_secs(10)), 0);
}
