//! What is given up at any poll: the next request is answered rightly, no router was acted on, no session stays behind.

mod common;

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use bootstrap::road::{Purpose, Request, Roads as _};
use bootstrap::target::Member;
use common::{A_PASSWORD, ADAPTER, Bench, Case, VIA_SERIAL, simulated};
use lab::pair::Topology;
use routeros::{Destructive, FileName, LoginOptions, Proof, Secret, Shell};
use routersim::record::{EventKind, Phase};

/// Between two polls: the grain of timers, shorter than what a router does.
const STEP: Duration = Duration::from_millis(1);
/// A session that was ended, or is silent, is gone on both ends after this.
const GONE: Duration = Duration::from_secs(100);

/// Polls `future` at most `polls` times, a step of time apart, then drops it. Whether it was done.
async fn given_up(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::time::sleep(STEP).await;
    }
    false
}

fn login(member: Member) -> LoginOptions {
    let mut login = LoginOptions::new("admin");
    let mac = if member == Member::A { "74:4D:28:00:00:0A" } else { "74:4D:28:00:00:0B" };
    login.proof = Some(Proof::ha_port("ether8", mac).unwrap());
    login.passwords = vec![if member == Member::A { Secret::new(A_PASSWORD) } else { Secret::default() }];
    login
}

async fn console(bench: &Bench, member: Member) -> Shell {
    let request =
        Request { member, purpose: Purpose::Write, login: login(member), via: login(Member::A), restarting: None };
    bench.roads().connect(&request).await.unwrap().shell
}

/// Every session that was opened is closed, of the routers that did not restart.
async fn assert_all_closed(bench: &Bench, routers: &[char]) {
    tokio::time::sleep(GONE).await;
    let mut open = Vec::new();
    for (who, event) in bench.events() {
        match event.kind {
            EventKind::SessionOpened { session, via } if event.at >= bench.ready && routers.contains(&who) => {
                open.push((who, session, via, event.at));
            }
            EventKind::SessionClosed { session } => open.retain(|one| (one.0, one.1) != (who, session)),
            _ => {}
        }
    }
    assert_eq!(open, [], "sessions that stay behind");
}

/// Nobody asked for anything destructive or configured anything, and every session that was opened is closed.
async fn assert_untouched(bench: &Bench) {
    assert_all_closed(bench, &['A', 'B']).await;
    assert_unasked(bench);
}

/// Nobody asked for anything destructive or configured anything.
fn assert_unasked(bench: &Bench) {
    for (who, event) in bench.events() {
        match event.kind {
            EventKind::Asked { command, .. } => panic!("{who}: {command}"),
            EventKind::Config { menu, verb, user, .. } => {
                // The pair's own scripts on A write their files in the name of admin.
                let own = user == "*sys" || (who == 'A' && menu == "/file");
                assert!(own || event.at < bench.ready, "{who}: {verb} in {menu} by {user}");
            }
            _ => {}
        }
    }
}

/// How often each of them went down.
fn restarts(bench: &Bench) -> (usize, usize) {
    let down = |router| {
        let went = |kind: &EventKind| matches!(kind, EventKind::Phase(Phase::ShuttingDown));
        bench.events().into_iter().filter(|(who, event)| *who == router && went(&event.kind)).count()
    };
    (down('A'), down('B'))
}

#[test]
fn commands_and_files_given_up_at_any_poll() {
    for version in ["7.18.2", "6.44.6"] {
        simulated(|| commands_and_files(version));
    }
}

async fn commands_and_files(version: &'static str) {
    let bench = Bench::new(Case::new(version, Topology::BehindA, false));
    let shell = console(&bench, Member::A).await;
    let (mut polls, mut done) = (0, 0);
    while done < 3 {
        done += usize::from(given_up(shell.exec(format!(":delay 30ms; :put first-{polls}")), polls).await);
        let second = shell.run(format!(":put second-{polls}")).await;
        assert_eq!(second.unwrap().text, format!("second-{polls}"), "given up at poll {polls}");
        polls += 1;
    }
    println!("{version}: a command was given up at each of {polls} polls");
    assert!(polls > 20, "{polls}");

    let name = FileName::ours("HA_jumplead_test.rsc").unwrap();
    let whole = |polls: usize| format!("# whole {polls}\n").into_bytes();
    let (mut polls, mut done) = (0, 0);
    while done < 1 {
        done += usize::from(given_up(shell.put_file(&name, b"# torn\n".repeat(90).as_slice()), polls).await);
        shell.put_file(&name, &whole(polls)).await.unwrap();
        assert_eq!(shell.read_file(name.as_str()).await.unwrap(), whole(polls), "given up at poll {polls}");
        polls += 1;
    }
    println!("{version}: a file was given up at each of {polls} polls");
    assert!(polls > 5, "{polls}");

    shell.put_file(&name, &whole(0)).await.unwrap();
    let (mut polls, mut done) = (0, 0);
    while done < 1 {
        done += usize::from(given_up(shell.read_file(name.as_str()), polls).await);
        let second = shell.run(format!(":put second-{polls}")).await;
        assert_eq!(second.unwrap().text, format!("second-{polls}"), "reading given up at poll {polls}");
        polls += 1;
    }
    assert_eq!(shell.read_file(name.as_str()).await.unwrap(), whole(0));
    println!("{version}: reading a file was given up at each of {polls} polls");
    assert!(polls > 5, "{polls}");
    shell.remove_file(&name).await.unwrap();
    shell.close().await.unwrap();
}

#[test]
fn roads_given_up_at_any_poll() {
    // 6.x differs in the login alone: moments that are further and further apart, each by half.
    for (version, denominator) in [("7.18.2", usize::MAX), ("6.44.6", 2)] {
        simulated(|| roads(version, denominator));
    }
}

/// The login at A, the hop, and the login at B, which asks its questions: every poll, or past the beginning moments that are
/// further and further apart, each by one part in `denominator`.
async fn roads(version: &'static str, denominator: usize) {
    let bench = Bench::new(Case::new(version, Topology::BehindA, false));
    let (mut polls, mut done) = (1, false);
    while !done {
        let request = Request {
            member: Member::B,
            purpose: Purpose::Write,
            login: login(Member::B),
            via: login(Member::A),
            restarting: None,
        };
        let roads = bench.roads();
        done = given_up(roads.connect(&request), polls).await;
        roads.let_go().await;
        polls += 1 + polls / denominator;
    }
    let near = console(&bench, Member::A).await;
    assert_eq!(near.run(":put [/system identity get name]").await.unwrap().text, "edge-1_HA_A_ACTIVE");
    near.close().await.unwrap();
    let far = console(&bench, Member::B).await;
    assert_eq!(far.run(":put [/system identity get name]").await.unwrap().text, "MikroTik");
    far.close().await.unwrap();
    println!("{version}: a road was given up at moments up to poll {polls}");
    assert_untouched(&bench).await;
}

/// An order that proves who carries it out.
fn reboot_of_b() -> Destructive {
    Destructive::new(Proof::ha_port("ether8", "74:4D:28:00:00:0B").unwrap(), "/system reboot").unwrap()
}

/// A restart and the start behind it, with room to spare.
const RESTART: Duration = Duration::from_secs(100);

/// An order that is given up before it was typed is none; one that was typed is carried out once, and by nobody else.
#[test]
fn a_destructive_order_through_a_given_up_at_any_poll() {
    for version in ["7.18.2", "6.44.6"] {
        simulated(|| async move {
            let bench = Bench::new(Case::new(version, Topology::BehindA, false));
            let act = reboot_of_b();
            let (mut polls, mut done, mut spared) = (0, false, 0);
            let mut far = console(&bench, Member::B).await;
            while !done {
                let (of_a, before) = restarts(&bench);
                done = given_up(far.destroy(&act), polls).await;
                let second = far.run(format!(":put second-{polls}")).await;
                if let Ok(output) = &second {
                    assert_eq!(output.text, format!("second-{polls}"), "given up at poll {polls}");
                }
                tokio::time::sleep(Duration::from_secs(10)).await;
                let (a, b) = restarts(&bench);
                assert_eq!(a, of_a, "a restarted, given up at poll {polls}");
                if b == before {
                    // It goes on as if nothing had been asked of it.
                    assert!(second.is_ok() && !done, "given up at poll {polls}: {second:?}");
                    spared += 1;
                } else {
                    assert_eq!(b, before + 1, "given up at poll {polls}");
                    assert!(polls > 0, "what was never polled was sent");
                    drop(far);
                    tokio::time::sleep(RESTART).await;
                    far = console(&bench, Member::B).await;
                }
                polls += 1;
            }
            far.close().await.unwrap();
            println!("{version}: an order was given up at each of {polls} polls, {spared} times before it was typed");
            assert!(spared > 0 && polls > 5, "{spared} of {polls}");
            assert_all_closed(&bench, &['A']).await;
        });
    }
}

/// Whoever stops waiting for a router that goes down leaves no session behind, wherever they stop.
#[test]
fn the_wait_for_a_restart_given_up_at_any_poll() {
    for (version, denominator) in [("7.18.2", 2), ("6.44.6", 1)] {
        simulated(|| async move {
            let bench = Bench::new(Case::new(version, Topology::BehindA, false));
            let act = reboot_of_b();
            let (mut polls, mut done, mut times) = (0, false, 0);
            while !done {
                let far = console(&bench, Member::B).await;
                let _ = far.destroy(&act).await;
                done = given_up(far.wait_gone(Duration::from_secs(120), Duration::from_secs(300)), polls).await;
                tokio::time::sleep(RESTART).await;
                times += 1;
                assert_eq!(restarts(&bench), (0, times), "given up at poll {polls}");
                polls += 1 + polls / denominator;
            }
            let far = console(&bench, Member::B).await;
            assert_eq!(far.run(":put [/system identity get name]").await.unwrap().text, "MikroTik");
            far.close().await.unwrap();
            println!("{version}: a wait was given up {times} times, at moments up to poll {polls}");
            assert_all_closed(&bench, &['A']).await;
        });
    }
}

/// A's own terminal on its serial port: its console comes back, and the port is free for whoever is next.
#[test]
fn a_serial_terminal_of_a_given_up_at_any_poll() {
    for (version, denominator) in [("7.18.2", 5), ("6.44.6", 2)] {
        simulated(|| async move {
            let case = Case { road_b: Some(VIA_SERIAL), ..Case::new(version, Topology::BehindA, false) };
            let bench = Bench::new(case);
            // The roads of the case lead to B; A is logged in to as usual.
            let (mut polls, mut done, mut times) = (0, false, 0);
            while !done {
                let near = console(&bench, Member::A).await;
                done = given_up(near.serial_terminal(ADAPTER), polls).await;
                let near = console(&bench, Member::A).await;
                let (line, mut lent) = near.serial_terminal(ADAPTER).await.unwrap_or_else(|failed| {
                    panic!("{version}: behind one that was given up at poll {polls}: {}", failed.error)
                });
                drop(line);
                let (near, _) = lent.back().await.unwrap();
                assert_eq!(near.run(":put [/system identity get name]").await.unwrap().text, "edge-1_HA_A_ACTIVE");
                near.close().await.unwrap();
                times += 1;
                polls += 1 + polls / denominator;
            }
            println!("{version}: a serial terminal was given up {times} times, at moments up to poll {polls}");
            assert!(times > 5, "{times}");
            // A serial console has no hang-up: the prompt that B shows on it stays.
            assert_all_closed(&bench, &['A']).await;
            assert_unasked(&bench);
        });
    }
}
