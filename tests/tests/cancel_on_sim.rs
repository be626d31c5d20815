//! What is given up at any poll: the next request is answered rightly, no router was acted on, no session stays behind.

mod common;

use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use bootstrap::road::{Purpose, Request, Roads as _};
use bootstrap::target::Member;
use common::{A_PASSWORD, Bench, Case, simulated};
use lab::pair::Topology;
use routeros::{FileName, LoginOptions, Proof, Secret, Shell};
use routersim::record::EventKind;

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

/// Nobody asked for anything destructive or configured anything, and every session that was opened is closed.
async fn assert_untouched(bench: &Bench) {
    tokio::time::sleep(GONE).await;
    let mut open = 0;
    for (who, event) in bench.events() {
        match event.kind {
            EventKind::SessionOpened { .. } if event.at >= bench.ready => open += 1,
            EventKind::SessionClosed { .. } if event.at >= bench.ready => open -= 1,
            EventKind::Asked { command, .. } => panic!("{who}: {command}"),
            EventKind::Config { menu, verb, user, .. } => {
                // The pair's own scripts on A write their files in the name of admin.
                let own = user == "*sys" || (who == 'A' && menu == "/file");
                assert!(own || event.at < bench.ready, "{who}: {verb} in {menu} by {user}");
            }
            _ => {}
        }
    }
    assert_eq!(open, 0, "sessions that stay behind");
}

#[test]
fn commands_and_files_given_up_at_any_poll() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", Topology::BehindA, false));
        let shell = console(&bench, Member::A).await;
        let (mut polls, mut done) = (0, 0);
        while done < 3 {
            done += usize::from(given_up(shell.exec(format!(":delay 30ms; :put first-{polls}")), polls).await);
            let second = shell.run(format!(":put second-{polls}")).await;
            assert_eq!(second.unwrap().text, format!("second-{polls}"), "given up at poll {polls}");
            polls += 1;
        }
        println!("a command was given up at each of {polls} polls");
        assert!(polls > 20, "{polls}");

        let name = FileName::ours("HA_jumplead_test.rsc").unwrap();
        let (mut polls, mut done) = (0, 0);
        while done < 1 {
            done += usize::from(given_up(shell.put_file(&name, b"# torn\n".repeat(90).as_slice()), polls).await);
            let whole = format!("# whole {polls}\n");
            shell.put_file(&name, whole.as_bytes()).await.unwrap();
            assert_eq!(shell.read_file(name.as_str()).await.unwrap(), whole.as_bytes(), "given up at poll {polls}");
            polls += 20;
        }
        shell.remove_file(&name).await.unwrap();
        shell.close().await.unwrap();
        println!("a file was given up at every twentieth of {polls} polls");
    });
}

#[test]
fn roads_given_up_at_any_poll() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", Topology::BehindA, false));
        // The login at A, the hop, and the login at B, which asks its questions.
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
            // Past the beginning, moments that are further and further apart.
            polls += 1 + polls / 5;
        }
        let near = console(&bench, Member::A).await;
        assert_eq!(near.run(":put [/system identity get name]").await.unwrap().text, "edge-1_HA_A_ACTIVE");
        near.close().await.unwrap();
        let far = console(&bench, Member::B).await;
        assert_eq!(far.run(":put [/system identity get name]").await.unwrap().text, "MikroTik");
        far.close().await.unwrap();
        println!("a road was given up at moments up to poll {polls}");
        assert_untouched(&bench).await;
    });
}
