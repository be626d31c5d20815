//! One `recover` of the real binary on a pair whose standby is in trouble, over its serial console: the tool is killed, the line
//! is pulled, and what it comes to.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "helpers of tests")]

use std::time::{Duration, Instant};

use crate::binary::{Ended, end_of};
use crate::console_server::{Server, Way};
use crate::leak;
use crate::pair::{ADMIN_PASSWORD, Pair, SECRETS, Settings, standby};
use crate::run::{Stream, ridden_out_or_resumed, silent};

/// For a router to be up again and in the state that it was brought into, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// From the order to restart until its system is up.
const STARTS: Duration = Duration::from_secs(5);
/// How long a line is pulled.
const PULLED: Duration = Duration::from_secs(1);

/// What befalls a run as one of its steps begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// As a power cut would: no signal handler, no buffer flushed. Another process goes on.
    Killed,
    /// What stands between host and router is ended and started again.
    Pulled,
}

/// A pair whose B is the standby, ready to come into trouble, and reached over its line alone.
pub fn standby_pair() -> Pair {
    let pair = Pair::new(&Settings { b_setup: standby(), b_late: true, ..Settings::default() });
    // What is done to B is the test's alone.
    pair.exec("edge-1/a", "/system scheduler disable ha_checkchanges").expect(0);
    pair
}

/// Waits until `expression` is true on B.
#[track_caller]
pub fn until(pair: &Pair, expression: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let asked = pair.exec("edge-1/b", &format!(":put ({expression})"));
        if asked.out.trim() == "true" {
            return;
        }
        assert!(Instant::now() < until, "never true on B: {expression}: {asked:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Runs `commands` on B and restarts it; until its log, which is new then, has a line with these words.
#[track_caller]
pub fn restarted(pair: &Pair, commands: &str, words: &str) {
    if !commands.is_empty() {
        pair.exec("edge-1/b", commands).expect(0);
    }
    pair.exec("edge-1/b", "/log warning \"the life before\"; :execute \":delay 1; /system reboot\"").expect(0);
    // Who only looks listens for a second: a look that began just before would type into the boot loader's key window.
    std::thread::sleep(STARTS);
    let new = "[:len [/log find message=\"the life before\"]] = 0";
    until(pair, &format!("({new}) and ([:len [/log find message~\"{words}\"]] > 0)"));
}

/// What `diagnose` at B's line says that it is.
#[track_caller]
pub fn named(pair: &Pair, server: &Server<'_>, state: &str) -> String {
    let mut look = pair.command(&["diagnose", &server.url()]);
    let ended: Ended = look.env("JUMPLEAD_PASSWORD", ADMIN_PASSWORD).output().unwrap().into();
    let ended = ended.expect(0);
    assert!(ended.out.starts_with(&format!("{state}  ")), "over {}: {}", server.url(), ended.out);
    ended.out
}

/// What `recover edge-1/b PROCEDURE` plans.
#[track_caller]
pub fn planned(pair: &Pair, procedure: &str) -> Ended {
    silent(pair.jumplead(&["recover", "edge-1/b", procedure, "--plan-only"]))
}

/// The plan's fingerprint.
#[track_caller]
pub fn fingerprint(planned: &Ended) -> String {
    let (_, rest) = planned.err.split_once("--confirm ").unwrap_or_else(|| panic!("no plan in: {planned:?}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Goes on with a run that stopped by itself.
#[track_caller]
fn gone_on_with(pair: &Pair, run: Stream) -> Stream {
    let ended = silent(run.end());
    let list = pair.jumplead(&["runs", "list"]).expect(0);
    assert!(list.out.lines().next().unwrap_or_default().ends_with("resumable"), "{ended:?}\n{}", list.out);
    println!("stopped with {:?}, gone on with: {}", ended.code, end_of(&ended.out));
    Stream::start(pair, &["resume"])
}

/// Rescues B over its line, with these blows in their order; the run is proved by its own last step.
#[track_caller]
pub fn rescued(pair: &Pair, server: &mut Server<'_>, procedure: &str, blows: &[(&str, Blow)]) {
    let began = Instant::now();
    let plan = fingerprint(&planned(pair, procedure).expect(0));
    let mut run = Stream::start(pair, &["recover", "edge-1/b", procedure, "--confirm", &plan]);
    let mut pulled = false;
    for (step, blow) in blows {
        let mut begun = run.until_started(step);
        if !begun && pulled {
            // what a pull stops says so, and goes on
            run = gone_on_with(pair, run);
            begun = run.until_started(step);
        }
        if !begun {
            let ended = run.end();
            let (out, err) = (end_of(&ended.out), end_of(&ended.err));
            panic!("{procedure}: {step} was not begun: {:?}\n{out}\n{err}", ended.code);
        }
        pulled = *blow == Blow::Pulled;
        match blow {
            Blow::Killed => {
                run.kill();
                run = Stream::start(pair, &["resume"]);
            }
            Blow::Pulled => {
                server.unplug();
                std::thread::sleep(PULLED);
                server.plug();
            }
        }
    }
    ridden_out_or_resumed(pair, run);
    let list = pair.jumplead(&["runs", "list"]).expect(0);
    let last = list.out.lines().next().unwrap_or_default();
    assert!(last.contains("done"), "{procedure}: {}", list.out);
    eprintln!("{procedure} over {}: {:.0} s", server.url(), began.elapsed().as_secs_f64());
}

/// Its data ports are closed, its HA port is on with its own address, VRRP speaks and is not the master.
#[track_caller]
pub fn is_standby(pair: &Pair) {
    let asked = "[:len [/interface ethernet find where disabled=no]] . \
        [/interface ethernet get [find default-name=ether8] mac-address] . \
        [/interface vrrp get [find name=HA_VRRP] master] . [/interface vrrp get [find name=HA_VRRP] disabled]";
    let seen = pair.exec("edge-1/b", &format!(":put ({asked})")).expect(0);
    assert_eq!(seen.out.trim(), "174:4D:28:00:00:0Bfalsefalse");
}

/// Closed and silent, and nothing of its own starts again.
#[track_caller]
pub fn is_quarantined(pair: &Pair) {
    let asked = "[:len [/interface ethernet find where disabled=no]] . [:len [/system scheduler find name~\"^ha_\" disabled=no]] . \
        [/system identity get name]";
    let seen = pair.exec("edge-1/b", &format!(":put ({asked})")).expect(0);
    assert!(seen.out.trim().ends_with("_HA_B_QUARANTINE") && seen.out.trim().starts_with("10"), "{}", seen.out);
}

/// The programs that a way takes are there, and the pair's state folder holds no secret at the end.
pub fn over(test: &str, way: Way, case: impl FnOnce(&Pair, &mut Server<'_>)) {
    if !lab::netns::available(test, &way.programs()) {
        return;
    }
    let pair = standby_pair();
    let mut server = Server::new(&pair, way);
    until(&pair, "[:len [/log find message=\"ha_startup: DONE\"]] > 0");
    case(&pair, &mut server);
    assert!(leak::none_below(&pair.home(), &SECRETS) > 2, "there was something to search");
}
