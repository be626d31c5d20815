//! Two routers with one MAC address.

use std::time::Duration;

use mactelnet::Instant;
use mactelnet::client::{Answerers, Client, Config, Error, Event};
use mactelnet::faults::Faults;
use mactelnet::server::{CloseReason, EventKind, Server};

use crate::pair::{self, Pair, client_config, server_config, users};

/// Carries everything between the client and both routers, as a hub does or, what is not broadcast, to the one that a
/// switch has learnt last; the second router is slower. Until nothing moves any more.
fn run(client: &mut Client, routers: &mut [Server<pair::Users>; 2], switch: bool) -> Vec<Event> {
    let mut now = Instant::ZERO;
    let (mut events, mut learnt) = (Vec::new(), 0);
    for _ in 0..50 {
        now += Duration::from_millis(1);
        client.handle_timeout(now);
        while let Some(sent) = client.poll_transmit(now) {
            for (n, router) in routers.iter_mut().enumerate() {
                if sent.meta.dst_mac.is_broadcast() || !switch || learnt == n {
                    router.handle_datagram(now, &sent.meta, &sent.payload);
                }
            }
        }
        for (n, router) in routers.iter_mut().enumerate() {
            while let Some(sent) = router.poll_transmit(now) {
                learnt = n;
                client.handle_datagram(now, &sent.meta, &sent.payload);
            }
        }
        events.extend(std::iter::from_fn(|| client.poll_event()));
    }
    events
}

fn routers() -> [Server<pair::Users>; 2] {
    [1, 2].map(|n| Server::new(server_config(n), users()))
}

#[test]
fn a_login_at_two_routers_is_refused_before_the_password_is_proved() {
    for switch in [false, true] {
        let mut routers = routers();
        let mut client = Client::new(Instant::ZERO, client_config(1));
        let events = run(&mut client, &mut routers, switch);
        let failed = Event::Failed(Error::TwoRouters { peer: pair::SERVER });
        assert_eq!(events.last(), Some(&failed), "{events:?}");
        assert!(!events.iter().any(|event| matches!(event, Event::LoggedIn { .. })), "{events:?}");
        for router in &mut routers {
            let said: Vec<EventKind> = std::iter::from_fn(|| router.poll_event()).map(|event| event.kind).collect();
            assert!(!said.iter().any(|kind| matches!(kind, EventKind::Login { .. })), "{said:?}");
            assert!(said.contains(&EventKind::Closed(CloseReason::Client)), "the other one is told, too: {said:?}");
        }
    }
}

#[test]
fn who_wants_either_gets_the_one_that_the_switch_leads_to() {
    let mut routers = routers();
    let mut client = Client::new(Instant::ZERO, Config { either: true, ..client_config(1) });
    let events = run(&mut client, &mut routers, true);
    assert!(events.iter().any(|event| matches!(event, Event::LoggedIn { .. })) && client.is_open(), "{events:?}");
    assert_eq!(client.answerers(), Answerers::One);
    assert_eq!(routers.map(|router| router.sessions().count()), [1, 0]);
}

#[test]
fn a_network_that_doubles_frames_is_no_second_router() {
    let faults = Faults { duplication: 100.0, ..Faults::delay(Duration::from_millis(1)) };
    let mut pair = Pair::new(1, faults, client_config(1), server_config(1));
    assert!(pair.logged_in(), "{:?}", pair.failure());
    assert_eq!(pair.client.answerers(), Answerers::Unsure);
    let mut pair = Pair::new(1, Faults::delay(Duration::from_millis(1)), client_config(1), server_config(1));
    assert!(pair.logged_in());
    assert_eq!((pair.client.answerers(), pair.client.starts_and_answers()), (Answerers::One, (1, 1)));
}
