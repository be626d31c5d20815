//! The serial line of simulated routers: a login through a whole boot, and an erased standby that is reached over it alone.

mod common;

use std::time::Duration;

use bootstrap::exit::Exit;
use bootstrap::store::SimStore;
use common::{Bench, Case, Part, simulated};
use routeros::{LoginOptions, Shell, Suffix};
use routersim::record::EventKind;
use routersim::router::Router;

fn on_a_line() -> LoginOptions {
    LoginOptions { suffix: Suffix::Serial, wake: Some(routeros::boot::SUSPECT), ..LoginOptions::new("admin") }
}

/// Keys that a boot loader took.
fn boot_keys(router: &lab::NodeHandle<Router>) -> Vec<EventKind> {
    router.with(|router, _| {
        let mut keys = Vec::new();
        while let Some(event) = router.poll_event() {
            if matches!(event.kind, EventKind::BootKey { .. }) {
                keys.push(event.kind);
            }
        }
        keys
    })
}

/// A pair whose routers are off, its world running.
fn pair_in_the_dark() -> lab::pair::Pair {
    let case = Case::new("7.18.2", lab::pair::Topology::BehindA, false);
    let (pair, _link) = lab::pair::Pair::new(&case.settings()).unwrap();
    tokio::task::spawn_local(pair.world.clone().drive(1.0));
    pair
}

/// Whenever the line is opened, from before the power comes to an idle login prompt: nothing is typed into the key window,
/// and the login is had.
#[test]
fn a_login_at_any_moment_of_a_boot_types_nothing_into_the_boot_loader() {
    for after in (0..=36).map(|n| n * 250).chain([20_000, 49_000, 53_000, 60_000, 100_000]) {
        simulated(|| async move {
            let pair = pair_in_the_dark();
            let line = lab::serial::cable(&pair.b, 115_200);
            pair.b.with(|router, now| router.power_on(now));
            tokio::time::sleep(Duration::from_millis(after)).await;
            let mut line = Some(line);
            // A router that is not up yet is waited for, over a line that is opened anew each time.
            let shell = loop {
                let link = line.take().unwrap_or_else(|| lab::serial::cable(&pair.b, 115_200));
                match Shell::login(link, on_a_line()).await {
                    Ok(shell) => break shell,
                    Err(routeros::Error::Timeout { .. }) => {}
                    Err(error) => panic!("opened {after} ms after power on: {error}"),
                }
            };
            assert_eq!(shell.value("[/system identity get name]").await.unwrap().text(), "MikroTik");
            assert_eq!(boot_keys(&pair.b), [], "opened {after} ms after power on");
        });
    }
}

#[test]
fn a_menu_that_is_open_is_named_and_left_alone() {
    simulated(|| async {
        let pair = pair_in_the_dark();
        let mut noise = lab::serial::cable(&pair.b, 115_200);
        pair.b.with(|router, now| router.power_on(now));
        tokio::time::sleep(Duration::from_millis(2500)).await;
        tokio::io::AsyncWriteExt::write_all(&mut noise, b"o").await.unwrap();
        let error = Shell::login(noise, on_a_line()).await.unwrap_err();
        assert_eq!(error.code(), "routeros.boot.loader", "{error}");
        assert_eq!(boot_keys(&pair.b).len(), 1, "only the noise's own key");
    });
}

#[test]
fn an_erased_standby_over_serial_alone_becomes_the_proved_one() {
    for (version, dirty) in [("7.18.2", true), ("6.44.6", false)] {
        let case = Case { road_b: Some("serial:///dev/b"), ..Case::new(version, lab::pair::Topology::BehindA, dirty) };
        simulated(|| async move {
            let bench = Bench::new(case);
            match bench.process(&SimStore::default(), |_| false).await {
                Part::Ended(end) if end.exit == Exit::Done => {}
                other => {
                    bench.dump();
                    panic!("{case:?}: {other:#?}");
                }
            }
            assert_eq!(bench.counts('B'), (usize::from(dirty), 1), "erased and restored as the plan says");
            bench.assert_proved();
            let keys = bench.log.borrow().iter().filter(|(_, e)| matches!(e.kind, EventKind::BootKey { .. })).count();
            assert_eq!(keys, 0, "nothing was typed into a boot loader");
        });
    }
}
