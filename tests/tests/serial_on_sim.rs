//! The serial line of simulated routers: a login through a whole boot, and an erased standby that is reached over it alone.

mod common;

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bootstrap::event::Event;
use bootstrap::exit::Exit;
use bootstrap::pair::Users;
use bootstrap::road::{LocalFuture, Purpose, Request, Roads as _};
use bootstrap::store::SimStore;
use bootstrap::target::{Member, TargetUrl};
use common::{A_ETHER1, ADAPTER, Bench, Case, Part, VIA_SERIAL, simulated};
use jumplead::lab_roads::LabLines;
use jumplead::line_road::{Lines, Opened};
use lab::pair::Topology;
use routeros::{BoxLink, ByteLink, LoginOptions, Secret, Shell, Suffix};
use routersim::record::EventKind;
use routersim::router::Router;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

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

/// What the router refuses while a command runs is refused, as over every other link: the markers of its beginning and of its
/// end are alike, and the one is not taken for the other, damaged.
#[test]
fn a_command_that_fails_is_refused_and_not_unknown() {
    simulated(|| async {
        let pair = pair_in_the_dark();
        let line = lab::serial::cable(&pair.b, 115_200);
        pair.b.with(|router, now| router.power_on(now));
        let shell = Shell::login(line, on_a_line()).await.unwrap();
        for (command, words) in [
            ("/ip address remove [find where no=such]", None),
            ("/ip address remove *99", Some("no such item")),
            (":error \"as it was meant\"", Some("as it was meant")),
            ("/ip address add address=10.9.9.1/24 interface=ether77", Some("does not match any value of interface")),
        ] {
            let outcome = shell.exec(routeros::Command::new(command)).await.unwrap();
            match (&outcome, words) {
                (routeros::Outcome::Refused(refusal), Some(words)) => {
                    assert_eq!(refusal.stage, routeros::Stage::Run, "{command}: {refusal:?}");
                    assert!(refusal.text.contains(words), "{command}: {refusal:?}");
                }
                (routeros::Outcome::Refused(_) | routeros::Outcome::Done(_), None) => {}
                _ => panic!("{command}: {outcome:?}"),
            }
        }
        assert_eq!(shell.value("(1 + 1)").await.unwrap().text(), "2");
    });
}

/// Lines whose first drops a key of the login's name, as a router does that goes down.
struct DropsAKey(LabLines, Cell<u32>);

impl Lines for DropsAKey {
    fn open<'a>(&'a self, url: &'a TargetUrl) -> LocalFuture<'a, Opened> {
        Box::pin(async move {
            let Some((link, notes)) = self.0.open(url).await? else { return Ok(None) };
            self.1.set(self.1.get() + 1);
            let link = Dropping { link, dropped: self.1.get() > 1 };
            Ok(Some((Box::new(link) as BoxLink, notes)))
        })
    }
}

struct Dropping {
    link: BoxLink,
    dropped: bool,
}

impl AsyncRead for Dropping {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.link).poll_read(cx, buf)
    }
}

impl AsyncWrite for Dropping {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        if !self.dropped && bytes.starts_with(b"admin") {
            self.dropped = true;
            return Poll::Ready(Ok(1));
        }
        Pin::new(&mut self.link).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.link).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.link).poll_shutdown(cx)
    }
}

impl ByteLink for Dropping {
    fn describe(&self) -> String {
        self.link.describe()
    }
}

/// A key that was lost is no wrong password: the login has a second chance. A wrong password has no third.
#[test]
fn a_login_that_lost_a_key_is_tried_once_more() {
    for (password, opened, taken) in [("", 2, true), ("wrong", 2, false)] {
        simulated(|| async move {
            let case = Case { road_b: Some("serial:///dev/b"), ..Case::new("7.18.2", Topology::BehindA, false) };
            let bench = Bench::new(case);
            let lines = Rc::new(DropsAKey(LabLines { a: bench.pair.a.clone(), b: bench.pair.b.clone() }, Cell::new(0)));
            let roads = bench.roads_over(Rc::clone(&lines) as Rc<dyn Lines>);
            let mut login = LoginOptions::new("admin");
            login.passwords = vec![Secret::new(password)];
            let via = LoginOptions::new("admin");
            let request = Request { member: Member::B, purpose: Purpose::Read, login, via, restarting: None };
            let connected = roads.connect(&request).await;
            assert_eq!(lines.1.get(), opened, "{connected:?}");
            match connected {
                Ok(connection) => {
                    assert!(taken);
                    assert_eq!(connection.shell.value("(1 + 1)").await.unwrap().text(), "2");
                }
                Err(error) => assert_eq!((taken, error.code.as_str()), (false, "routeros.login.rejected")),
            }
        });
    }
}

/// Who listens for a second router beside a way through A listens for the one on A's road that was taken, not its first.
#[test]
fn the_way_through_the_other_one_is_the_road_that_was_taken() {
    simulated(|| async {
        let mut bench = Bench::new(Case::new("7.18.2", Topology::BehindA, false));
        bench.site.a.reach.insert(0, "mac://74:4D:28:0A:00:99%host".parse().unwrap());
        let roads = bench.roads();
        assert_eq!(roads.taken(Member::A), None);
        let connection = bench.pair_job(&roads).open(Member::B, Purpose::Read, Users::Own).await.unwrap();
        assert_eq!(connection.road, "via:a");
        assert_eq!(roads.taken(Member::A).as_deref(), Some(format!("mac://{A_ETHER1}%host").as_str()));
    });
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
    over_a_line_alone("serial:///dev/b");
}

/// The same console on a serial port of A, which restarts and reset happen behind.
#[test]
fn an_erased_standby_on_a_serial_port_of_the_active_becomes_the_proved_one() {
    over_a_line_alone(VIA_SERIAL);
}

/// The terminal's own prefix arrives as the byte that it is, a break as a break, and A has its console back behind them.
#[test]
fn every_key_reaches_what_hangs_on_a_serial_port() {
    simulated(|| async {
        let case = Case { road_b: Some(VIA_SERIAL), ..Case::new("7.18.2", lab::pair::Topology::BehindA, false) };
        let bench = Bench::new(case);
        bench.keep_console.set(true);
        let login = bench.pair_job(&bench.roads()).logins(Member::A, Users::OfA).unwrap().remove(0);
        let a = Shell::login(bench.link(A_ETHER1, &login).await, login).await.unwrap();
        let (mut line, mut near) = a.serial_terminal(ADAPTER).await.unwrap();
        let keys = b"x\x01q\x01\x01Q";
        line.write_all(keys).await.unwrap();
        line.send_break().unwrap();
        line.flush().await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(line);
        let (a, _) = near.back().await.unwrap();
        assert_eq!(a.value("[/port get [find name=usb1] used-by]").await.unwrap().text(), "", "the port is free again");
        let (mut typed, mut breaks) = (Vec::new(), 0);
        for (_, event) in bench.events().into_iter().filter(|(who, _)| *who == 'B') {
            match event.kind {
                EventKind::ConsoleIn { bytes, .. } => typed.extend(bytes),
                EventKind::SerialBreak => breaks += 1,
                _ => {}
            }
        }
        assert_eq!((typed.as_slice(), breaks), (keys.as_slice(), 1));
    });
}

fn over_a_line_alone(road: &'static str) {
    for (version, dirty) in [("7.18.2", true), ("6.44.6", false)] {
        let case = Case { road_b: Some(road), ..Case::new(version, lab::pair::Topology::BehindA, dirty) };
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

/// A run to its end; its records' starts of B: how many, and the names of the stretches.
async fn starts_of_b(bench: &Bench, store: &SimStore) -> Vec<(Option<usize>, Vec<String>)> {
    let starts: Rc<RefCell<Vec<_>>> = Rc::default();
    let seen = Rc::clone(&starts);
    let part = bench
        .process(store, move |record| {
            if let Event::BootWatched { boots, phases, .. } = &record.event {
                seen.borrow_mut().push((*boots, phases.iter().map(|phase| phase.phase.clone()).collect()));
            }
            false
        })
        .await;
    assert!(matches!(&part, Part::Ended(end) if end.exit == Exit::Done), "{part:#?}");
    bench.assert_proved();
    starts.take()
}

/// New boot firmware makes the start behind the reset two starts.
#[test]
fn two_starts_in_a_row_are_waited_for_and_timed_on_every_road() {
    for road in [Some("serial:///dev/b"), None] {
        let case = Case { road_b: road, ..Case::new("7.22.1", lab::pair::Topology::BehindA, true) };
        simulated(|| async move {
            let bench = Bench::new(case);
            bench.pair.b.with(|router, now| router.start_script(now, "admin", "/system routerboard upgrade"));
            let starts = starts_of_b(&bench, &SimStore::default()).await;
            assert_eq!(starts.len(), 2, "behind the reset and behind the restore: {starts:?}");
            let (boots, phases) = &starts[0];
            if road.is_some() {
                assert_eq!((*boots, starts[1].0), (Some(2), Some(1)), "{starts:?}");
                let loaders = phases.iter().filter(|phase| *phase == "boot loader").count();
                assert_eq!((loaders, phases.last().map(String::as_str)), (2, Some("login")), "{starts:?}");
            } else {
                assert_eq!((*boots, phases.join(" ").as_str()), (None, "silent answers"), "{starts:?}");
            }
            let keys = bench.log.borrow().iter().filter(|(_, e)| matches!(e.kind, EventKind::BootKey { .. })).count();
            assert_eq!(keys, 0, "nothing was typed into a boot loader");
        });
    }
}

/// A box that says nothing while it boots, with the longest key window: the plan says the risk, and no key opens its menu.
#[test]
fn a_silent_boot_is_waited_out_before_anything_is_typed() {
    for kill in [None, Some("b.wait-reset"), Some("b.wait-standby")] {
        let case = Case { road_b: Some("serial:///dev/b"), ..Case::new("7.22.1", lab::pair::Topology::BehindA, true) };
        simulated(|| async move {
            let mut settings = case.settings();
            for (name, value) in [("silent-boot", "yes"), ("boot-delay", "9s")] {
                settings.b.booter.settings.insert(name.to_owned(), value.to_owned());
            }
            let bench = Bench::with(case, settings);
            let prepared = bootstrap::path::prepare(&bench.pair_job(&bench.roads()), &[]).await.unwrap();
            let notes = prepared.plan.unwrap().notes.join("\n");
            assert!(notes.contains("b boots silently"), "{notes}");
            let store = SimStore::default();
            if let Some(step) = kill {
                let started = move |record: &bootstrap::event::Record| matches!(&record.event, Event::StepStarted { step: s, .. } if s == step);
                assert!(matches!(bench.process(&store, started).await, Part::Killed));
            }
            starts_of_b(&bench, &store).await;
            let keys = bench.log.borrow().iter().filter(|(_, e)| matches!(e.kind, EventKind::BootKey { .. })).count();
            assert_eq!(keys, 0, "killed in {kill:?}: nothing was typed into a boot loader");
        });
    }
}
