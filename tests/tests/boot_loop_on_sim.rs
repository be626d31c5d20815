//! A board whose kernel loads and dies, again and again: named, caught in its boot loader's window, installed over the network.

#[path = "common/board.rs"]
mod board;
mod common;

use std::time::Duration;

use board::{Board, Heard, Pulls, Typed, access, awake, resume, run};
use bootstrap::diagnosis::{Name, of_line};
use bootstrap::event::{Event, Record};
use bootstrap::exit::Exit;
use bootstrap::recover::{self, Asked, NoTools, Procedure};
use bootstrap::road::RoadError;
use bootstrap::store::SimStore;
use common::{SimClock, simulated};
use jumplead_tests::boot_port::Netinstall;
use routeros::wake::{Plan, State};
use routeros::{LoginOptions, Shell, Waker, boot};
use routersim::record::EventKind;
use routersim::serial::Netboot;
use routersim::spec::Spec;

#[test]
fn a_loop_of_starts_is_named_with_nothing_typed() {
    // One that speaks; one whose boot loader is silent; one that asks the network first.
    for (name, setting, board_told) in [
        ("speaks", None, true),
        ("silent", Some(("silent-boot", "yes")), false),
        ("network first", Some(("boot-device", "try-ethernet-once-then-nand")), true),
    ] {
        simulated(|| async move {
            let board = Board::new(|spec| {
                spec.booter.settings.extend(setting.map(|(key, value)| (key.to_owned(), value.to_owned())));
            });
            // The first start begins to be watched when a look has heard something.
            tokio::time::sleep(Duration::from_millis(if name == "silent" { 7900 } else { 1500 })).await;
            let began = tokio::time::Instant::now();
            let (state, ridden) = awake(&board, &Plan::watch(Duration::from_secs(60))).await;
            let State::BootLoop(found) = &state else { panic!("{name}: {state:?}, {ridden}") };
            assert_eq!(found.starts, boot::LOOP, "{name}");
            assert!(found.last.starts_with("Rebooting in "), "{name}: {found:?}");
            assert_eq!(found.board.as_deref(), board_told.then_some("CCR1009-7G-1C"), "{name}");
            assert!(began.elapsed() < Duration::from_secs(300), "{name}: {:?}", began.elapsed());
            let diagnosis = of_line(&state).unwrap();
            assert_eq!(diagnosis.state, Name::F8);
            let shown = format!("{diagnosis:?}");
            for words in ["boot loop", "3 starts in ", "Rebooting in ", "etherboot"] {
                assert!(shown.contains(words), "{name}: {words} is not in {shown}");
            }
            assert!(board.typed.lock().unwrap().is_empty());
        });
    }
}

/// A command that wants a login says so, and ends.
#[test]
fn a_login_at_a_loop_of_starts_ends_with_its_own_error() {
    simulated(|| async {
        let board = Board::new(|_| {});
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let road = |error: &routeros::Error| RoadError::from_console("serial:///dev/b", error);
        let mut login = LoginOptions::new("admin");
        login.wake = Some(boot::SUSPECT);
        let began = tokio::time::Instant::now();
        let error = Shell::login(board.cable(), login).await.unwrap_err();
        assert_eq!(error.code(), "routeros.boot.loop", "{error}");
        assert!(road(&error).hints.iter().any(|hint| hint.contains("etherboot --plan-only")));
        assert!(error.to_string().contains("3 starts") && error.to_string().contains("Rebooting in"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(300), "{:?}", began.elapsed());
        assert!(board.typed.lock().unwrap().is_empty());
    });
}

/// What is said without an end is no boot that is waited for without one.
#[test]
fn a_line_that_never_stops_booting_has_its_time() {
    simulated(|| async {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        tokio::task::spawn_local(async move {
            use tokio::io::AsyncWriteExt as _;
            while far.write_all(b"loading kernel... OK\r\nStarting services...\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        });
        let typed = Typed::default();
        let mut waker = Waker::new(Box::new(Heard::new(near, &typed, &Pulls::default())), None);
        let began = tokio::time::Instant::now();
        let woken = waker.wake(&Plan::settle(boot::IDLE)).await.unwrap();
        assert_eq!(woken.state, State::Booting, "{woken:?}");
        assert!(began.elapsed() < boot::BOOT + Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(typed.lock().unwrap().is_empty());
    });
}

/// An upgrade takes two starts, and is none.
#[test]
fn two_starts_are_no_loop() {
    simulated(|| async {
        let board = Board::new(|spec| spec.booter.broken = false);
        board.router.with(|router, now| {
            router.power_cut(now);
            router.power_on(now);
        });
        tokio::time::sleep(Duration::from_secs(20)).await;
        board.router.with(|router, now| {
            router.power_cut(now);
            router.power_on(now);
        });
        let (state, _) = awake(&board, &Plan::watch(boot::SUSPECT)).await;
        assert_eq!(state, State::Login);
    });
}

#[test]
fn etherboot_is_reached_from_the_loop() {
    simulated(|| async {
        let board = Board::new(|spec| spec.booter.netboot = Netboot::Installer);
        let (rescue, end) =
            run(&board, &NoTools, &SimStore::default(), Procedure::Etherboot, &Asked::default(), |_| false).await;
        assert_eq!(rescue.diagnosis.state, Name::F8);
        assert_eq!(rescue.fits, [Procedure::Leave, Procedure::Etherboot, Procedure::Netinstall]);
        let plan = rescue.plan.unwrap();
        let notes = plan.notes.join("\n");
        assert!(notes.contains("here it is the plan") && notes.contains("-tile.npk"), "{notes}");
        let end = end.unwrap();
        assert_eq!(end.exit, Exit::Done, "{end:?}");
        let events = board.events();
        let keys: Vec<(&str, u8)> = events
            .iter()
            .filter_map(|event| match event {
                EventKind::BootKey { menu, key } if *key != 3 => Some((*menu, *key)),
                _ => None,
            })
            .collect();
        assert!(keys.ends_with(&[("main", b'o'), ("boot device", b'1'), ("main", b'i'), ("main", b'x')]), "{keys:?}");
        assert!(events.iter().any(|event| matches!(event, EventKind::BootKey { menu: "window", key: 3 })));
        assert!(!events.iter().any(|event| event.is_destructive() || matches!(event, EventKind::BootFormatted)));
        assert_eq!(board.window_keys(), [3], "one key, in one window");
        board.assert_typed_only_where_it_is_the_plan();
    });
}

#[test]
fn killed_around_the_window_and_gone_on_with() {
    for step in ["loader.catch", "loader.ethernet-once", "loader.leave"] {
        // Behind the last step's end there is nothing left to kill.
        for at_the_end in [false, true].into_iter().filter(|end| !end || step != "loader.leave") {
            simulated(|| async move {
                let board = Board::new(|spec| spec.booter.netboot = Netboot::Installer);
                let store = SimStore::default();
                let dies = move |record: &Record| match &record.event {
                    Event::StepStarted { step: id, .. } => !at_the_end && id == step,
                    Event::StepCompleted { step: id, .. } => at_the_end && id == step,
                    _ => false,
                };
                let (_, end) = run(&board, &NoTools, &store, Procedure::Etherboot, &Asked::default(), dies).await;
                assert_eq!(end, None, "{step} was not reached");
                let end = resume(&board, &NoTools, &store).await;
                assert_eq!(end.exit, Exit::Done, "{step}, {at_the_end}: {end:?}");
                board.assert_typed_only_where_it_is_the_plan();
            });
        }
    }
}

/// The window passes while nobody looks: the next one is waited for.
#[test]
fn a_window_that_is_missed_is_waited_for_again() {
    simulated(|| async {
        let board = Board::new(|_| {});
        // In the middle of a kernel's silence.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let caught = routeros::window::catch(Waker::new(board.cable(), None), Duration::from_secs(300), false).await;
        assert!(matches!(caught, Ok(routeros::window::Caught::Menu(_))), "{caught:?}");
        assert_eq!(board.window_keys(), [3]);
        board.assert_typed_only_where_it_is_the_plan();
    });
}

#[test]
fn a_boot_loader_that_wants_delete_or_hears_nothing() {
    for (setting, ctrl_e, keys, wanted) in [
        (("enter-setup-on", "delete-key"), false, vec![0x7f], "Menu"),
        (("protected-routerboot", "enabled"), false, vec![3; 6], "Deaf"),
    ] {
        simulated(|| async move {
            let board = Board::new(|spec| {
                spec.booter.settings.insert(setting.0.into(), setting.1.into());
            });
            let caught =
                routeros::window::catch(Waker::new(board.cable(), None), Duration::from_secs(600), ctrl_e).await;
            assert!(format!("{caught:?}").starts_with(&format!("Ok({wanted}")), "{setting:?}: {caught:?}");
            assert_eq!(board.window_keys(), keys, "{setting:?}");
            board.assert_typed_only_where_it_is_the_plan();
        });
    }
}

/// With a program and a package, from the loop to a login.
#[test]
fn a_board_in_a_loop_is_installed() {
    simulated(|| async {
        let board = Board::new(|_| {});
        let tools = Netinstall(board.router.clone());
        let asked = Asked {
            netinstall: Some("netinstall-cli".into()),
            packages: vec!["routeros-7.19.4-tile.npk".into()],
            interface: Some("eth9".into()),
            ..Asked::default()
        };
        let (_, end) = run(&board, &tools, &SimStore::default(), Procedure::Netinstall, &asked, |_| false).await;
        let end = end.unwrap();
        assert_eq!(end.exit, Exit::Done, "{end:?}");
        assert!(board.events().iter().any(|event| matches!(event, EventKind::Installed { .. })));
        board.assert_typed_only_where_it_is_the_plan();
        let (state, _) = awake(&board, &Plan::watch(Duration::from_secs(60))).await;
        assert_eq!(state, State::Silent, "its login prompt stands there, and says nothing");
    });
}

/// What the router said of itself while it was up decides what is planned when it can't be asked any more.
#[test]
fn what_an_earlier_run_saved_is_known() {
    for protected in [false, true] {
        simulated(|| async move {
            let store = SimStore::default();
            let tune = move |spec: &mut Spec| {
                let setting = if protected { "enabled" } else { "disabled" };
                spec.booter.settings.insert("protected-routerboot".into(), setting.into());
            };
            let healthy = Board::new(|spec| {
                tune(spec);
                spec.booter.broken = false;
            });
            tokio::time::sleep(Duration::from_secs(90)).await;
            let (_, end) = run(&healthy, &NoTools, &store, Procedure::Leave, &Asked::default(), |_| false).await;
            assert_eq!(end.unwrap().exit, Exit::Done);
            let broken = Board::new(tune);
            // A look that hears something within its second types nothing.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            let access = access(&broken, &NoTools);
            let mut disk = store.clone();
            let asked = Asked::default();
            let prepared = recover::prepare(&access, &mut disk, &SimClock, Some(Procedure::Etherboot), &asked).await;
            // The loop was named as its newest kernel began: now that one dies, and a banner comes.
            tokio::time::sleep(Duration::from_millis(41_500)).await;
            let says = recover::look(&access, &store).await.says(&access).join("\n");
            assert!(says.contains("boot loop") && says.contains("board type: CCR1009-7G-1C"), "{says}");
            assert_eq!(says.contains("ITS BOOT LOADER IS PROTECTED"), protected, "{says}");
            assert_eq!(says.contains("etherboot --plan-only"), !protected, "{says}");
            match prepared {
                Err(trouble) => {
                    assert!(protected);
                    assert_eq!(trouble.code, "recover.protected");
                }
                Ok(rescue) => {
                    assert!(!protected);
                    let notes = rescue.plan.unwrap().notes.join("\n");
                    for words in ["routeros-7.18.2-tile.npk", "ARCHITECTURE tile: what it said of itself in run "] {
                        assert!(notes.contains(words), "{words} is not in {notes}");
                    }
                }
            }
            assert!(broken.typed.lock().unwrap().is_empty(), "nobody logs in to look");
        });
    }
}
