//! Where a rescue stops and what it says then: each code of `recover.*` that no rescue to its end shows.

#[path = "common/board.rs"]
mod board;
mod common;
#[path = "common/recovery.rs"]
mod recovery;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use board::{Board, access, in_its_menu, pull, run, up};
use bootstrap::engine::{Options, RunEnd};
use bootstrap::event::{Event, Record};
use bootstrap::exit::Exit;
use bootstrap::marker::FILE;
use bootstrap::path::{Confirmation, Start};
use bootstrap::recover::{self, Asked, Lines, NoTools, Procedure};
use bootstrap::road::{LocalFuture, RoadError};
use bootstrap::store::{SimStore, Store as _};
use bootstrap::trouble::Kind;
use common::{Bench, Seen, SimClock, simulated};
use jumplead_tests::states;
use recovery::{done, f1, ready, recover as rescue, restart_b, resume, script};
use routeros::BoxLink;
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;

fn code(end: Option<&RunEnd>) -> &str {
    end.and_then(|end| end.failure.as_ref()).map_or("", |failure| failure.code.as_str())
}

/// A rescue of a board that stops by itself; `each` is told what happens.
async fn stops(board: &Board, procedure: Procedure, each: impl FnMut(&Record) -> bool + 'static) -> String {
    let (_, end) = run(board, &NoTools, &SimStore::default(), procedure, &Asked::default(), each).await;
    code(end.as_ref()).to_owned()
}

/// Why nothing is planned for it.
async fn refused(board: &Board, procedure: Procedure) -> String {
    let access = access(board, &NoTools);
    let (mut store, asked) = (SimStore::default(), Asked::default());
    let prepared = recover::prepare(&access, &mut store, &SimClock, Some(procedure), &asked).await;
    prepared.err().unwrap().code
}

fn begins(record: &Record, step: &str) -> bool {
    matches!(&record.event, Event::StepStarted { step: at, .. } if at == step)
}

#[test]
fn a_loop_whose_window_does_not_open_its_menu() {
    for (setting, wanted) in [
        (("protected-routerboot", "enabled"), "recover.deaf-loader"),
        (("silent-boot", "yes"), "recover.no-window"),
        // it dies no more
        (("silent-boot", "yes"), "recover.came-up"),
    ] {
        simulated(|| async move {
            let board = Board::new(|spec| {
                spec.booter.settings.insert(setting.0.into(), setting.1.into());
            });
            let silent = setting.0 == "silent-boot";
            // a look that hears something within its second types nothing
            tokio::time::sleep(Duration::from_millis(if silent { 12_000 } else { 1500 })).await;
            let router = board.router.clone();
            let mended = move |record: &Record| {
                if wanted == "recover.came-up" && begins(record, "loader.catch") {
                    router.with(|router, now| {
                        router.power_cut(now);
                        let mut spec = router.spec().clone();
                        spec.booter.broken = false;
                        *router = Router::new(spec, 1).unwrap();
                        router.power_on(now);
                    });
                }
                false
            };
            assert_eq!(stops(&board, Procedure::Etherboot, mended).await, wanted);
        });
    }
}

/// The menu is left, and what boots then dies.
#[test]
fn a_board_that_does_not_come_up_behind_its_menu() {
    simulated(|| async {
        let board = in_its_menu(true).await;
        assert_eq!(stops(&board, Procedure::LeaveLoader, |_| false).await, "recover.still-stuck");
    });
}

/// A line that says what it will.
struct Other<F>(F);

impl<F: Fn() -> Option<BoxLink>> Lines for Other<F> {
    fn line(&self) -> LocalFuture<'_, Result<Option<BoxLink>, RoadError>> {
        Box::pin(async { Ok((self.0)()) })
    }
}

/// It was among the roads when the plan was made.
#[test]
fn a_boot_loader_whose_line_is_no_road_any_more() {
    simulated(|| async {
        let board = in_its_menu(false).await;
        let (mut store, asked, none) = (SimStore::default(), Asked::default(), Other(|| None));
        let mut access = access(&board, &NoTools);
        let prepared = recover::prepare(&access, &mut store, &SimClock, Some(Procedure::LeaveLoader), &asked).await;
        let plan = prepared.unwrap().plan.unwrap();
        access.lines = &none;
        let (_keep, stop) = watch::channel(false);
        let mut seen = Seen::default();
        let start = Start { store: &mut store, clock: &SimClock, sink: &mut seen, stop, options: Options::default() };
        let confirmation = Confirmation { fingerprint: plan.fingerprint.clone(), serial: None };
        let end = recover::run(&access, &plan, &confirmation, start).await;
        assert_eq!(code(Some(&end)), "recover.no-line");
    });
}

/// Whatever is typed into it opens some menu, or is lost: nothing arrives at the router's end.
#[test]
fn a_line_that_boots_and_boots() {
    simulated(|| async {
        let board = Board::new(|_| {});
        let mut access = access(&board, &NoTools);
        let (opened, arrived) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Vec::new())));
        let (count, typed) = (Rc::clone(&opened), Rc::clone(&arrived));
        let booting = Other(move || {
            count.set(count.get() + 1);
            let (near, far) = tokio::io::duplex(1 << 16);
            let (mut hears, mut says) = tokio::io::split(far);
            tokio::task::spawn_local(async move {
                while says.write_all(b"loading kernel... OK\r\nStarting services...\r\n").await.is_ok() {
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            });
            let typed = Rc::clone(&typed);
            tokio::task::spawn_local(async move {
                while let Ok(byte) = hears.read_u8().await {
                    typed.borrow_mut().push(byte);
                }
            });
            Some(Box::new(near) as BoxLink)
        });
        access.lines = &booting;
        let looked = recover::find(&access, recover::PATIENCE).await;
        assert_eq!(looked.err().unwrap().code, "recover.booting");
        // What is on its way is heard before it is counted.
        done(1).await;
        assert!(opened.get() > 0, "nobody looked at the line");
        assert_eq!(*arrived.borrow(), b"");
    });
}

/// Without its pair a router can't be told the pair's password, and one without the HA port can't be proved.
#[test]
fn a_router_of_which_no_site_file_is_named() {
    simulated(|| async {
        let board = up().await;
        script(&board.router, states::WAITS);
        done(30).await;
        assert_eq!(refused(&board, Procedure::FinishBootstrap).await, "recover.needs-pair");
        script(&board.router, "/log error \"ha_startup: I AM UNKNOWN - WRONG MAC\"");
        done(1).await;
        assert_eq!(refused(&board, Procedure::RightMac).await, "recover.mac-unproved");
    });
}

/// The line goes as the log is read: it is read again, and the run says why.
#[test]
fn a_log_that_is_cut_off_is_read_again() {
    simulated(|| async {
        let board = up().await;
        let (pulls, retries) = (Arc::clone(&board.pulls), Rc::new(RefCell::new(Vec::new())));
        let told = Rc::clone(&retries);
        let mut pulled = false;
        let each = move |record: &Record| {
            if begins(record, "router.evidence") && !std::mem::replace(&mut pulled, true) {
                let pulls = Arc::clone(&pulls);
                tokio::task::spawn_local(async move {
                    tokio::time::sleep(Duration::from_millis(1500)).await;
                    pull(&pulls);
                });
            }
            if let Event::AttemptRetry { code, .. } = &record.event {
                told.borrow_mut().push(code.clone());
            }
            false
        };
        let (_, end) = run(&board, &NoTools, &SimStore::default(), Procedure::Leave, &Asked::default(), each).await;
        assert_eq!(end.unwrap().exit, Exit::Done);
        assert_eq!(*retries.borrow(), ["recover.evidence"]);
    });
}

/// The line goes while a restart is ordered: whether it was taken is looked at before it is ordered again.
#[test]
fn an_order_that_was_cut_off_is_not_given_twice() {
    let unknown = Rc::new(RefCell::new(Vec::new()));
    for ms in (6..14).map(|n| n * 50) {
        simulated(|| async {
            let board = up().await;
            script(
                &board.router,
                "/system script add name=ha_startup source=\":delay 1\"; /system backup save name=HA_own password=x",
            );
            script(&board.router, "/ppp secret add name=HA_PASSWORD password=x; /log error \"ha_startup: FAILED\"");
            done(60).await;
            let (pulls, told) = (Arc::clone(&board.pulls), Rc::clone(&unknown));
            let mut pulled = false;
            let each = move |record: &Record| {
                if begins(record, "router.load-backup") && !std::mem::replace(&mut pulled, true) {
                    let pulls = Arc::clone(&pulls);
                    tokio::task::spawn_local(async move {
                        tokio::time::sleep(Duration::from_millis(ms)).await;
                        pull(&pulls);
                    });
                }
                if let Event::AttemptRetry { code, .. } = &record.event {
                    told.borrow_mut().push((ms, code.clone()));
                }
                begins(record, "router.verify-standby")
            };
            let store = SimStore::default();
            let (_, end) = run(&board, &NoTools, &store, Procedure::KnownGood, &Asked::default(), each).await;
            assert_eq!(end, None, "{ms}");
            done(60).await;
            let loaded = board.events().iter().filter(|kind| kind.is_destructive()).count();
            assert_eq!(loaded, 1, "{ms}");
        });
    }
    // before, and after that, its session is over before the order, or the order is on its way
    assert!(unknown.borrow().iter().any(|(_, code)| code == "recover.unknown"), "{unknown:?}");
}

/// Why nothing is planned for the pair's B.
async fn unplanned(bench: &Bench, procedure: Procedure) -> String {
    rescue(bench, &SimStore::default(), procedure, &Asked::default(), |_| false).await.err().unwrap().code
}

/// A rescue of B that stops by itself.
async fn stopped(bench: &Bench, store: &SimStore, procedure: Procedure) -> String {
    let rescued = rescue(bench, store, procedure, &Asked::default(), |_| false).await.unwrap().unwrap();
    code(Some(&rescued.end)).to_owned()
}

/// One standby, and what keeps its rescues from their end, one after the other.
#[test]
fn a_standby_whose_rescue_can_not_end_well() {
    simulated(|| async {
        let mut bench = ready("7.18.2", Some("serial:///dev/b")).await;
        let store = SimStore::default;
        script(&bench.pair.b, "/system script run ha_saveown");
        done(60).await;
        assert_eq!(unplanned(&bench, Procedure::Repair).await, "recover.unfit", "it is the standby");
        // Words of a failure on a router that is the active by now; and a configuration that names a port which it does not have.
        for wire in [&bench.pair.ha_wire, &bench.pair.ha_wire_b] {
            wire.cut();
        }
        done(30).await;
        script(&bench.pair.b, "/log error \"ha_startup: I AM UNKNOWN - WRONG MAC\"");
        done(1).await;
        assert_eq!(unplanned(&bench, Procedure::Quarantine).await, "recover.active");
        let other = "/system script set ha_config_base source=([/system script get ha_config_base source] . \"\\n:global haInterface ether99\")";
        script(&bench.pair.b, other);
        done(1).await;
        assert_eq!(unplanned(&bench, Procedure::Quarantine).await, "recover.unproved");
        let back = ":local s [/system script get ha_config_base source]; /system script set ha_config_base source=[:pick $s 0 ([:len $s] - 28)]";
        script(&bench.pair.b, back);
        for wire in [&bench.pair.ha_wire, &bench.pair.ha_wire_b] {
            wire.restore();
        }
        f1(&bench).await;
        // Nobody answers on the HA cable: VRRP stays off, and the run is gone on with when somebody does.
        let cut = store();
        bench.pair.ha_wire.cut();
        assert_eq!(stopped(&bench, &cut, Procedure::Repair).await, "recover.no-active");
        assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
        bench.pair.ha_wire.restore();
        done(5).await;
        assert_eq!(resume(&bench, &cut).await.exit, Exit::Done);
        // Somebody else opens the ports as soon as they are closed.
        f1(&bench).await;
        script(&bench.pair.b, ":while (true) do={/interface ethernet enable ether3; :delay 300ms}");
        assert_eq!(stopped(&bench, &store(), Procedure::Quarantine).await, "recover.unverified");
        script(&bench.pair.b, "/system script job remove [find]");
        done(5).await;
        // Its own backup is none.
        bench.pair.b.with(|router, _| {
            router.system().unwrap().write_file("HA_own.backup", b"no backup at all".to_vec()).unwrap();
        });
        assert_eq!(stopped(&bench, &store(), Procedure::KnownGood).await, "recover.no-effect");
        // What it fails at is still there.
        script(&bench.pair.b, "/system script set ha_macs source=\":error \\\"still\\\"\"");
        assert_eq!(stopped(&bench, &store(), Procedure::Repair).await, "recover.startup");
        // Another fault behind the one that is mended: it starts, and fails.
        script(&bench.pair.b, states::WRONG_MAC);
        restart_b(&bench).await;
        let serial = bench.site.b.serial_number.take();
        assert_eq!(unplanned(&bench, Procedure::RightMac).await, "recover.mac-unproved");
        bench.site.b.serial_number = serial;
        assert_eq!(stopped(&bench, &store(), Procedure::RightMac).await, "recover.verify");
        // Another build's startup that does not come to VRRP.
        script(&bench.pair.b, &states::fails_at_once());
        script(&bench.pair.b, "/interface vrrp remove HA_VRRP");
        restart_b(&bench).await;
        assert_eq!(stopped(&bench, &store(), Procedure::Repair).await, "recover.no-vrrp");
    });
}

/// In the moment between a look at B and the line of the order it becomes the active: of a VRRP in which nobody else speaks.
fn takes_over(bench: &Bench) -> impl Fn() + use<> {
    const ON: &str = "/interface vrrp remove [find]; /interface vrrp add name=HA_VRRP interface=ether8 vrid=99";
    let pair = Rc::clone(&bench.pair);
    move || {
        script(&pair.b, ON);
        pair.world.run_until(pair.world.now() + Duration::from_secs(6));
    }
}

/// The order itself looks for the active, and is refused there; and it is no order any more: a restart by hand that comes behind
/// it does not pass for the one that was refused.
#[test]
fn a_restart_that_finds_the_active_is_refused_on_its_own_line() {
    for (procedure, order) in [(Procedure::KnownGood, "router.load-backup"), (Procedure::RightMac, "router.restart")] {
        simulated(|| async move {
            let bench = ready("7.18.2", Some("serial:///dev/b")).await;
            script(&bench.pair.b, "/system script run ha_saveown");
            done(60).await;
            if procedure == Procedure::KnownGood {
                f1(&bench).await;
            } else {
                script(&bench.pair.b, states::WRONG_MAC);
                restart_b(&bench).await;
            }
            let starts = |bench: &Bench| {
                let boot = |kind: &EventKind| matches!(kind, EventKind::Phase(Phase::RouterBoot));
                bench.events().iter().filter(|(who, event)| *who == 'B' && boot(&event.kind)).count()
            };
            let (store, takes_over) = (SimStore::default(), takes_over(&bench));
            let before = (starts(&bench), bench.destructive('B'));
            let mut once = false;
            let each = move |record: &Record| {
                if begins(record, order) && !std::mem::replace(&mut once, true) {
                    takes_over();
                }
                false
            };
            let rescued = Box::pin(rescue(&bench, &store, procedure, &Asked::default(), each)).await.unwrap().unwrap();
            let failure = rescued.end.failure.unwrap();
            assert_eq!((rescued.end.exit, failure.code.as_str()), (Exit::StepFailed, "recover.active"), "{failure:?}");
            assert!(failure.message.contains("it is the active of its pair now"), "{failure:?}");
            assert!(failure.state.contains("it refused to restart and is as it was"), "{failure:?}");
            assert!(failure.hints.iter().any(|hint| hint.contains("make a new plan")), "{failure:?}");
            done(60).await;
            assert_eq!((starts(&bench), bench.destructive('B')), before, "{order}");
            let run = store.runs().unwrap().last().cloned().unwrap();
            assert_eq!(store.kept_with(&run, "restart-ordered").unwrap().as_deref(), Some(&b""[..]), "{order}");
            // It is no active any more, and somebody restarts it.
            script(&bench.pair.b, "/interface vrrp remove [find]");
            restart_b(&bench).await;
            let end = resume(&bench, &store).await;
            assert_eq!(end.exit, Exit::Done, "{end:?}");
            assert_eq!(starts(&bench), before.0 + 2, "{order}: one by hand, and one that was ordered");
        });
    }
}

/// Another host is at work on the pair: its marker on the active keeps a rescue of the standby away, too, and what is printed
/// takes it away. A look, and one's own marker, are in nobody's way.
#[test]
fn a_rescue_heeds_another_hosts_marker() {
    simulated(|| async {
        let bench = ready("7.18.2", Some("serial:///dev/b")).await;
        f1(&bench).await;
        let mark = |place: u64| {
            let text =
                format!("run=2026-11-22-07 by=joe@ops-2 pair=edge-1 since=2026-11-22T09:00:00Z place={place:016x}\n");
            bench.pair.a.with(|router, _| router.system().unwrap().write_file(FILE, text.into_bytes()).unwrap());
        };
        mark(2);
        let (store, before) = (SimStore::default(), bench.destructive('B'));
        let refused = rescue(&bench, &store, Procedure::Quarantine, &Asked::default(), |_| false).await.err().unwrap();
        assert_eq!((refused.code.as_str(), refused.kind), ("bootstrap.marker.other", Kind::Locked), "{refused:?}");
        assert!(refused.message.contains("run 2026-11-22-07 of joe@ops-2 on edge-1, since"), "{refused:?}");
        assert_eq!((store.runs().unwrap(), bench.destructive('B')), (vec![], before));
        let taken = refused.hints.iter().find_map(|hint| hint.split_once("on a:  ")).map(|(_, line)| line.to_owned());
        let left = rescue(&bench, &store, Procedure::Leave, &Asked::default(), |_| false).await.unwrap().unwrap();
        assert_eq!(left.end.exit, Exit::Done, "what only saves evidence needs nobody's leave");
        mark(bench.host.get());
        let begun = |record: &Record| begins(record, "router.evidence");
        let own = rescue(&bench, &store, Procedure::Repair, &Asked::default(), begun).await.unwrap();
        assert!(own.is_none(), "one's own run has its lock");
        mark(2);
        let taken = taken.expect("a line that takes it away");
        let ran = bench.pair.a.with(|router, now| router.start_script(now, "admin", &taken)).unwrap();
        done(2).await;
        let ran = ran.result();
        assert!(matches!(ran, Some(Ok(_))) && bench.our_files(&bench.pair.a).is_empty(), "{taken}: {ran:?}");
        let done = rescue(&bench, &SimStore::default(), Procedure::Repair, &Asked::default(), |_| false).await;
        assert_eq!(done.unwrap().unwrap().end.exit, Exit::Done);
    });
}
