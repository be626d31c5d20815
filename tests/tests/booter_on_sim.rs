//! RouterBOOT's menu on simulated boards, driven by tasks: what is done, what is written, and every key as the board got it.

mod common;

use std::time::Duration;

use common::simulated;
use lab::{NodeHandle, World};
use routeros::booter::{BootKey, Task};
use routeros::wake::{Plan, State};
use routeros::{Booter, Waker, boot};
use routersim::record::EventKind;
use routersim::router::Router;
use routersim::spec::Spec;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A router whose menu is open, `keys` having been typed in it.
async fn in_the_menu(version: &str, keys: &str) -> (NodeHandle<Router>, Booter) {
    let world = World::new(1);
    let router = world.add("B", Router::new(Spec::pair_b().version(version.parse().unwrap()), 1).unwrap());
    tokio::task::spawn_local(world.clone().drive(1.0));
    let mut line = lab::serial::cable(&router, 115_200);
    router.with(|router, now| router.power_on(now));
    let mut seen = String::new();
    while !seen.contains("enter setup") {
        seen.push(char::from(line.read_u8().await.unwrap()));
    }
    line.write_all(b" ").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    line.write_all(keys.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    // A line that is opened late sees nothing of it.
    drop(line);
    tokio::time::sleep(Duration::from_secs(1)).await;
    events(&router);
    let mut waker = Waker::new(Box::new(lab::serial::cable(&router, 115_200)), None);
    let woken = waker.wake(&Plan::settle(boot::IDLE)).await.unwrap();
    assert!(matches!(woken.state, State::Menu(_)), "{woken:?}");
    (router, Booter::open(waker).await.unwrap())
}

fn events(router: &NodeHandle<Router>) -> Vec<EventKind> {
    router.with(|router, _| std::iter::from_fn(|| router.poll_event()).map(|event| event.kind).collect())
}

fn keys(events: &[EventKind]) -> Vec<(&'static str, char)> {
    let key = |event: &EventKind| match event {
        EventKind::BootKey { menu, key } => Some((*menu, char::from(*key))),
        _ => None,
    };
    events.iter().filter_map(key).filter(|(_, key)| *key != '\x03').collect()
}

#[test]
fn tasks_press_their_own_keys_and_are_written() {
    for (version, before) in [("7.18.2", ""), ("7.18.2", "o"), ("7.18.2", "e"), ("6.44.6", ""), ("6.44.6", "d")] {
        simulated(|| async {
            let (router, mut booter) = in_the_menu(version, before).await;
            let info = booter.info().await.unwrap();
            assert_eq!(info.get("serial number"), Some("7F0002"), "{version}: {info:?}");
            booter.run(&Task::Delay(5)).await.unwrap();
            booter.run(&Task::Key(BootKey::Delete)).await.unwrap();
            booter.run(&Task::EthernetOnce).await.unwrap();
            let (ridden, state) = booter.leave().await.unwrap();
            assert_eq!(state, State::Login, "{version}: {ridden}");
            assert!(ridden.phases.iter().any(|(phase, _)| *phase == boot::Phase::Network), "{ridden}");
            let events = events(&router);
            let pressed: Vec<(&str, char)> = keys(&events).into_iter().filter(|(menu, _)| *menu != "format").collect();
            let wanted = [
                ("main", 'i'),
                ("main", 'd'),
                ("boot delay", '5'),
                ("main", 'k'),
                ("boot key", '2'),
                ("main", 'o'),
                ("boot device", '1'),
                ("main", 'x'),
            ];
            assert!(pressed.ends_with(&wanted), "{version} {before}: {pressed:?}");
            assert!(pressed[..pressed.len() - wanted.len()].iter().all(|(_, key)| key.is_control()), "{pressed:?}");
            assert!(!events.iter().any(|event| event.is_destructive() || matches!(event, EventKind::BootFormatted)));
            let set = |key: &str| {
                router.look(|router| {
                    let storage = router.storage().borrow();
                    let items = storage.config.items("/system/routerboard/settings");
                    items.first().and_then(|item| item.get(key).map(str::to_owned)).unwrap_or_default()
                })
            };
            assert_eq!((set("boot-delay").as_str(), set("enter-setup-on").as_str()), ("5s", "delete-key"), "{version}");
        });
    }
}

#[test]
fn only_the_board_that_was_named_is_formatted() {
    for version in ["7.18.2", "6.44.6"] {
        simulated(|| async {
            let (router, mut booter) = in_the_menu(version, "").await;
            for serial in ["7F0001", ""] {
                let error = booter.run(&Task::Format { serial_number: serial.into() }).await.unwrap_err();
                assert_eq!(error.code(), "routeros.boot.menu");
                assert!(error.to_string().contains("7F0002"), "{error}");
            }
            let before = events(&router);
            assert!(!keys(&before).iter().any(|(_, key)| *key == 'e'), "{before:?}");
            booter.run(&Task::Format { serial_number: "7F0002".into() }).await.unwrap();
            assert!(events(&router).iter().any(|event| matches!(event, EventKind::BootFormatted)));
            assert_eq!(booter.leave().await.unwrap().1, State::NoKernel);
        });
    }
}
