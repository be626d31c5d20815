//! Wrong passwords, many at once.

use std::time::Duration;

use mactelnet::auth::Password;
use mactelnet::client::{self, Client};
use mactelnet::server::{EventKind, Server};
use mactelnet::{Instant, Transmit};

use crate::pair::{self, client_config, server_config};

/// Guesses that a host is told the outcome of within so much time, with so many sessions at once, each begun anew when it
/// ends.
fn guesses(at_once: u64, time: Duration) -> usize {
    let mut now = Instant::ZERO;
    let mut server = Server::new(server_config(1), pair::users());
    let mut next = 100;
    let mut guess = |now| {
        next += 1;
        // A port each: answers are told apart by it.
        let port = Some(2000 + u16::try_from(next).unwrap());
        Client::new(now, client::Config { password: Password::from("wrong"), port, ..client_config(next) })
    };
    let mut clients: Vec<Client> = (0..at_once).map(|_| guess(now)).collect();
    let mut told = 0;
    while now < Instant::ZERO + time {
        now += Duration::from_millis(5);
        for client in &mut clients {
            client.handle_timeout(now);
            if client.is_over() {
                *client = guess(now);
            }
            while let Some(Transmit { meta, payload }) = client.poll_transmit(now) {
                server.handle_datagram(now, &meta, &payload);
            }
            while client.poll_event().is_some() {}
        }
        server.handle_timeout(now);
        while let Some(Transmit { meta, payload }) = server.poll_transmit(now) {
            clients.iter_mut().for_each(|client| client.handle_datagram(now, &meta, &payload));
        }
        while let Some(event) = server.poll_event() {
            told += usize::from(matches!(event.kind, EventKind::Refused { .. }));
        }
    }
    told
}

#[test]
fn many_sessions_at_once_are_no_more_guesses() {
    let minute = Duration::from_secs(60);
    let one = guesses(1, minute);
    assert!((12..=14).contains(&one), "{one}");
    let many = guesses(24, minute);
    assert!(many <= one + 2, "{many} in a minute, {one} one after the other");
}
