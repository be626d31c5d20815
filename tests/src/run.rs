//! One `bootstrap` or `resume` of the real binary on a pair, and what its end must look like.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::binary::Ended;
use crate::leak;
use crate::pair::{Pair, Process, SECRETS};

/// Lines of a process's event stream.
#[derive(Debug)]
pub struct Stream {
    /// The process itself.
    pub process: Process,
    lines: BufReader<ChildStdout>,
    /// What was read so far.
    told: String,
}

impl Stream {
    /// Starts jumplead with `--json`.
    pub fn start(pair: &Pair, arguments: &[&str]) -> Self {
        let mut command = pair.command(&["--json"]);
        command.args(arguments);
        Self::of(command)
    }

    /// Starts a command that prints events.
    pub fn of(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { process: Process(child), lines, told: String::new() }
    }

    /// Reads until this step has been started; false if the run is over before.
    pub fn until_started(&mut self, step: &str) -> bool {
        loop {
            let before = self.told.len();
            if self.lines.read_line(&mut self.told).unwrap() == 0 {
                return false;
            }
            let line = &self.told[before..];
            if line.contains("\"step_started\"") && line.contains(&format!("\"{step}\"")) {
                return true;
            }
        }
    }

    /// Reads on for so long, or until this step is over; whether it still goes on.
    pub fn goes_on(&mut self, step: &str, long: Duration) -> bool {
        let until = Instant::now() + long;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).unwrap();
            let said = !self.lines.buffer().is_empty()
                || poll(&mut [PollFd::new(self.lines.get_ref(), PollFlags::IN)], Some(&left)).unwrap() > 0;
            if !said {
                return true;
            }
            let before = self.told.len();
            let over = self.lines.read_line(&mut self.told).unwrap() == 0;
            let line = &self.told[before..];
            if over || (line.contains("\"step_completed\"") && line.contains(&format!("\"{step}\""))) {
                return false;
            }
        }
    }

    /// The steps that were begun so far.
    pub fn begun(&self) -> BTreeSet<String> {
        begun_in(&self.told)
    }

    /// Reads what people are told until this was said, or nothing more is; byte for byte, so that the rest stays there.
    pub fn until_said(&mut self, words: &str) -> bool {
        let stderr = self.process.0.stderr.as_mut().unwrap();
        let (mut said, mut byte) = (Vec::new(), [0]);
        while stderr.read(&mut byte).unwrap() > 0 {
            said.push(byte[0]);
            if said.ends_with(words.as_bytes()) {
                return true;
            }
        }
        false
    }

    /// Reads to the end. `out` is all of its events.
    pub fn end(mut self) -> Ended {
        let mut out = self.told;
        self.lines.read_to_string(&mut out).unwrap();
        let mut err = String::new();
        self.process.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Ended { code: self.process.0.wait().unwrap().code(), out, err }
    }

    /// As a power cut would: no signal handler, no buffer flushed.
    pub fn kill(mut self) {
        self.process.0.kill().unwrap();
        self.process.0.wait().unwrap();
    }
}

/// The steps that were begun, by an event stream.
fn begun_in(told: &str) -> BTreeSet<String> {
    let events = told.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let started = events.filter(|event| event["event"] == "step_started");
    started.filter_map(|event| event["step"].as_str().map(str::to_owned)).collect()
}

/// Both routers say that they are a pair, nothing of ours lies about, and no secret anywhere.
#[track_caller]
pub fn proved(pair: &Pair) {
    for (target, others) in [("edge-1/a", "/a"), ("edge-1/b", "/b")] {
        let files = pair.exec(target, ":put [:len [/file find name~\"HA_jumplead\"]]").expect(0);
        assert_eq!(files.out.trim(), "0", "left on {others}");
    }
    let role = |target| pair.exec(target, ":put [/interface vrrp get [find name=HA_VRRP] master]").expect(0).out;
    assert_eq!((role("edge-1/a").trim(), role("edge-1/b").trim()), ("true", "false"));
    let identity = pair.exec("edge-1/b", ":put [/system identity get name]").expect(0);
    assert_eq!(identity.out.trim(), "edge-1_HA_B_STANDBY");
    let on = ":foreach i in=[/interface ethernet find disabled=no] do={:put [/interface ethernet get $i default-name]}";
    assert_eq!(pair.exec("edge-1/b", on).expect(0).out.trim(), "ether8", "the standby's ports");
    let named = "/system script run ha_setconfigver; :global haMasterConfigVer; :put $haMasterConfigVer";
    let named = pair.exec("edge-1/a", named).expect(0).out;
    let loaded = pair.exec("edge-1/b", ":put [/file get HA_config-version.txt contents]").expect(0).out;
    assert!(named.starts_with("boot="), "the active has named its configuration: {named}");
    assert_eq!(loaded.trim(), named.trim(), "the standby's configuration is the active's");
    // B's own port has B's own address, and A's data address came over.
    let port = pair.exec("edge-1/b", ":put [/interface ethernet get [find default-name=ether8] mac-address]").expect(0);
    assert_eq!(port.out.trim(), "74:4D:28:00:00:0B");
    let address = pair.exec("edge-1/b", ":put [:len [/ip address find address=\"198.51.100.1/24\"]]").expect(0);
    assert_eq!(address.out.trim(), "1");
    assert!(leak::none_below(&pair.home(), &SECRETS) > 2, "there was something to search");
}

/// Nothing that was printed holds a secret.
#[track_caller]
pub fn silent(ended: Ended) -> Ended {
    let leak = leak::found(format!("{}{}", ended.out, ended.err).as_bytes(), &SECRETS);
    assert!(leak.is_none(), "{leak:?} in what was printed");
    ended
}

/// What the plan and every refusal must leave as it is.
pub fn configuration_of_b(pair: &Pair) -> String {
    let export = pair.exec("edge-1/b", "/export").expect(0).out;
    // The heading holds the time of day.
    export.lines().filter(|line| !line.contains(" by RouterOS ")).map(|line| format!("{line}\n")).collect()
}

/// The last line of an event stream, which says how it ended.
#[track_caller]
pub fn finished(ended: &Ended) -> &str {
    let last = ended.out.lines().last().unwrap_or_default();
    assert!(last.contains("\"run_finished\""), "{last}\n{}", ended.err);
    last
}

/// A disturbance was short enough to be ridden out, or the run stopped and says so, and goes on. The steps that were begun.
#[track_caller]
pub fn ridden_out_or_resumed(pair: &Pair, run: Stream) -> BTreeSet<String> {
    let ended = silent(run.end());
    let mut begun = begun_in(&ended.out);
    if ended.code != Some(0) {
        let last = finished(&ended);
        assert!(last.contains("\"resumable\":true"), "{last}\n{}", ended.err);
        begun.extend(begun_in(&silent(pair.jumplead(&["--json", "resume"])).expect(0).out));
    }
    begun
}

/// One run that is killed in each of these steps, so many milliseconds after its beginning, and resumed until the pair is
/// proved. What it was not killed in comes back, see [`each_is_hit`], and every step that it began.
#[track_caller]
pub fn killed_in_each(pair: &Pair, moments: &[(&'static str, u64)]) -> Round {
    let plan = pair.plan();
    let mut arguments = vec!["bootstrap", "edge-1", "--confirm", &plan];
    let mut round = Round::default();
    let mut over = false;
    for (step, after) in moments {
        let mut run = Stream::start(pair, &arguments);
        if !run.until_started(step) {
            // On a busy machine the one before came further than it was meant to: this one had less to do.
            round.begun.extend(run.begun());
            silent(run.end()).expect(0);
            over = true;
            break;
        }
        if run.goes_on(step, Duration::from_millis(*after)) {
            round.hit.push(step);
        }
        round.begun.extend(run.begun());
        run.kill();
        let list = pair.jumplead(&["runs", "list"]).expect(0);
        over = list.out.contains("done");
        if over {
            break;
        }
        assert!(list.out.contains("resumable"), "killed in {step}: {}", list.out);
        arguments = vec!["resume"];
    }
    if !over {
        let run = Stream::start(pair, &["resume"]);
        let ended = silent(run.end()).expect(0);
        round.begun.extend(begun_in(&ended.out));
    }
    proved(pair);
    let list = pair.jumplead(&["runs", "list"]).expect(0);
    assert_eq!(list.out.lines().count(), 1, "one run from the beginning to the end: {}", list.out);
    round
}

/// What came of a run that something was to befall in some of its steps.
#[derive(Debug, Default)]
pub struct Round {
    /// The steps that it befell: they were under way.
    pub hit: Vec<&'static str>,
    /// Every step that was begun.
    pub begun: BTreeSet<String>,
}

/// How often a step that was over too soon is tried again, with a pair of its own.
const ROUNDS: usize = 3;

/// Rounds of a run until each of these steps was hit: on a busy machine one may be over before it was seen to begin. Every step
/// that was begun comes back.
#[track_caller]
pub fn each_is_hit(
    moments: &[(&'static str, u64)],
    mut round: impl FnMut(&[(&'static str, u64)]) -> Round,
) -> BTreeSet<String> {
    let (mut missed, mut begun) = (moments.to_vec(), BTreeSet::new());
    for _ in 0..ROUNDS {
        let of = round(&missed);
        println!("hit in {:?} of {missed:?}", of.hit);
        missed.retain(|(step, _)| !of.hit.contains(step));
        begun.extend(of.begun);
        if missed.is_empty() {
            return begun;
        }
    }
    panic!("over before they could be hit, {ROUNDS} times: {missed:?}");
}
