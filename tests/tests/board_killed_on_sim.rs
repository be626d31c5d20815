//! Rescues of a board over its line, the tool killed and the cable pulled as each of their steps begins.

#[path = "common/board.rs"]
mod board;
mod common;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use board::{Board, in_its_menu, pull, resume, run, starts_for_ever, up};
use bootstrap::event::{Event, Record};
use bootstrap::exit::Exit;
use bootstrap::recover::{Asked, Procedure, Tools as _, reappears};
use bootstrap::store::SimStore;
use common::simulated;
use jumplead_tests::boot_port::Netinstall;
use routeros::{LoginOptions, Shell, boot};
use routersim::record::EventKind;

/// The tool killed, and then the cable pulled, as each step begins; whatever the step, the run is gone on with to its end.
fn through_every_step(procedure: Procedure, board: impl AsyncFn() -> Board, proved: impl AsyncFn(&Board)) {
    let asked = match procedure {
        Procedure::Netinstall => Asked {
            netinstall: Some("netinstall-cli".into()),
            packages: vec!["routeros-7.19.4-tile.npk".into()],
            interface: Some("eth9".into()),
            ..Asked::default()
        },
        _ => Asked::default(),
    };
    let steps = Rc::new(std::cell::RefCell::new(Vec::<String>::new()));
    simulated(|| async {
        let (board, steps) = (board().await, Rc::clone(&steps));
        let tools = Netinstall(board.router.clone());
        let (_, end) = run(&board, &tools, &SimStore::default(), procedure, &asked, move |record| {
            if let Event::StepStarted { step, .. } = &record.event {
                steps.borrow_mut().push(step.clone());
            }
            false
        })
        .await;
        assert_eq!(end.map(|end| end.exit), Some(Exit::Done), "{procedure:?}");
        proved(&board).await;
    });
    assert!(!steps.borrow().is_empty());
    for step in steps.borrow().iter() {
        for pulled in [false, true] {
            simulated(|| async {
                let board = board().await;
                let (store, tools) = (SimStore::default(), Netinstall(board.router.clone()));
                let (at, pulls) = (step.clone(), Arc::clone(&board.pulls));
                let blow = move |record: &Record| {
                    let now = matches!(&record.event, Event::StepStarted { step, .. } if *step == at);
                    if now && pulled {
                        pull(&pulls);
                    }
                    now && !pulled
                };
                let (_, mut end) = run(&board, &tools, &store, procedure, &asked, blow).await;
                assert!(end.is_some() == pulled, "{procedure:?}: {step} was not reached");
                if pulled {
                    assert_eq!(board.pulls.lock().unwrap().0, 1, "{procedure:?}: {step} was not reached");
                }
                if end.as_ref().is_none_or(|end| end.exit != Exit::Done) {
                    assert!(end.as_ref().is_none_or(|end| end.resumable), "{procedure:?}, {step}: {end:?}");
                    end = Some(resume(&board, &tools, &store).await);
                }
                assert_eq!(
                    end.as_ref().map(|end| end.exit),
                    Some(Exit::Done),
                    "{procedure:?}, {step}, pulled {pulled}: {end:?}"
                );
                proved(&board).await;
            });
        }
    }
}

/// Somebody's login prompt, which says nothing until it is asked.
async fn comes_up(board: &Board) {
    tokio::time::sleep(Duration::from_secs(120)).await;
    let mut login = LoginOptions::new("admin");
    login.wake = Some(boot::IDLE);
    let shell = Shell::login(board.cable(), login).await.unwrap();
    assert_eq!(shell.value("(1 + 1)").await.unwrap().text(), "2");
}

#[test]
fn left_as_it_is_with_the_tool_killed_and_the_line_pulled() {
    through_every_step(Procedure::Leave, up, comes_up);
}

#[test]
fn out_of_the_loader_with_the_tool_killed_and_the_line_pulled() {
    through_every_step(Procedure::LeaveLoader, async || in_its_menu(false).await, comes_up);
}

#[test]
fn etherboot_with_the_line_pulled() {
    through_every_step(Procedure::Etherboot, starts_for_ever, async |board| {
        // An installer that has said its piece is as silent as an open menu or a dead kernel: only that it asked the network, and
        // installs what it is offered now, shows that it runs.
        tokio::time::sleep(Duration::from_secs(60)).await;
        let asked = board.router.with(|router, _| router.take_told());
        assert_eq!(format!("{asked:?}"), "[Asked]");
        let argv = ["netinstall-cli".to_owned(), "routeros-7.19.4-tile.npk".to_owned()];
        let tool = Netinstall(board.router.clone());
        let ended = tokio::time::timeout(Duration::from_secs(180), tool.run(&argv)).await;
        assert!(ended.is_ok_and(|ended| ended.is_ok_and(|ended| ended.ok)), "the installer waited for nothing");
        board.assert_typed_only_where_it_is_the_plan();
        comes_up(board).await;
    });
}

/// The installer waits for whoever runs netinstall-cli, at some time; the board is heard coming back, and nothing is typed.
#[test]
fn a_board_that_is_installed_by_hand_is_waited_for() {
    for (minutes, comes) in [(10, true), (40, false)] {
        simulated(async || {
            let board = starts_for_ever().await;
            let tool = Netinstall(board.router.clone());
            let (_, end) =
                run(&board, &tool, &SimStore::default(), Procedure::Etherboot, &Asked::default(), |_| false).await;
            assert_eq!(end.map(|end| end.exit), Some(Exit::Done));
            board.typed.lock().unwrap().clear();
            let argv = ["netinstall-cli".to_owned(), "routeros-7.19.4-tile.npk".to_owned()];
            let by_hand = async {
                tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
                tool.run(&argv).await
            };
            let access = board::access(&board, &tool);
            let back = reappears(&access, Duration::from_secs(30 * 60));
            let waited = async {
                tokio::select! {
                    biased;
                    back = back => back.unwrap(),
                    () = async { drop(by_hand.await); std::future::pending().await } => unreachable!(),
                }
            };
            assert_eq!(waited.await, comes, "{minutes} minutes");
            assert!(board.typed.lock().unwrap().is_empty());
            if comes {
                comes_up(&board).await;
            }
        });
    }
}

#[test]
fn installed_from_the_menu_with_the_tool_killed_and_the_line_pulled() {
    through_every_step(
        Procedure::Netinstall,
        async || in_its_menu(true).await,
        async |board| {
            assert!(board.events().iter().any(|event| matches!(event, EventKind::Installed { .. })));
            comes_up(board).await;
        },
    );
}
