//! The real binary and a pair of simulated routers on real interfaces, in network namespaces.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jumplead_tests::leak;
use jumplead_tests::line_process::owners_alone;
use jumplead_tests::pair::{MAC_A, Pair, Process, SECRETS, Settings, active_of_another_pair};
use jumplead_tests::run::{Stream, configuration_of_b, each_is_hit, finished, killed_in_each, proved, silent};
use jumplead_tests::terminal::Far;
use lab::netns::available;

/// How long a console may take to show a prompt on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn from_erased_to_proved_after_all_that_is_refused() {
    if !available("from_erased_to_proved_after_all_that_is_refused", &["ip"]) {
        return;
    }
    let pair = Pair::new(&Settings::default());
    let before = configuration_of_b(&pair);

    let wrong = pair.command(&["bootstrap", "edge-1", "--plan-only"]).env("EDGE1_A", "not-this-one").output().unwrap();
    silent(wrong.into()).expect(4);
    let missing = pair.command(&["bootstrap", "edge-1", "--plan-only"]).env_remove("EDGE1_A").output().unwrap();
    silent(missing.into()).expect(4);
    pair.site("ether8", "74:4D:28:00:00:0B", "7F0003");
    let serial = silent(pair.jumplead(&["bootstrap", "edge-1", "--plan-only"])).expect(5);
    assert!(serial.err.contains("7F0002") && serial.err.contains("7F0003"), "{}", serial.err);
    pair.site("ether8", "74:4D:28:00:00:0B", "7F0002");
    let plan = pair.plan();
    silent(pair.jumplead(&["--non-interactive", "bootstrap", "edge-1"])).refused(2, "bootstrap.confirm.missing");
    silent(pair.jumplead(&["bootstrap", "edge-1", "--confirm", "0000-0000"])).expect(12);
    assert_eq!(configuration_of_b(&pair), before, "a refusal changes nothing");

    let mut first = Stream::start(&pair, &["bootstrap", "edge-1", "--confirm", &plan]);
    assert!(first.until_started("b.bootstrap-file"), "{}", first.end().err);
    let second = silent(pair.jumplead(&["bootstrap", "edge-1", "--confirm", &plan]));
    second.expect(10);
    silent(first.end()).expect(0);
    proved(&pair);
    let list = silent(pair.jumplead(&["runs", "list"])).expect(0);
    assert!(list.out.contains("edge-1  done"), "{}", list.out);
    replayed(&pair, list.out.split_whitespace().next().unwrap());
    bundled(&pair);

    // Labels swapped: what the site file calls b is the active.
    pair.swapped_site();
    let swapped = silent(pair.jumplead(&["bootstrap", "edge-1", "--plan-only"])).expect(5);
    assert!(format!("{}{}", swapped.out, swapped.err).contains("b-is-not-active"), "{}{}", swapped.out, swapped.err);
    let waived = pair.jumplead(&["bootstrap", "edge-1", "--waive", "b-is-not-active", "--confirm", "0000-0000"]);
    assert!(matches!(silent(waived.clone()).code, Some(2 | 5)), "an identity check can't be waived: {}", waived.err);
    pair.site("ether8", "74:4D:28:00:00:0B", "7F0002");
    proved(&pair);
    another_ha_password(&pair);
}

/// A line for each record of the journal, in its order, with its time.
fn replayed(pair: &Pair, run: &str) {
    let records = silent(pair.jumplead(&["runs", "export", run])).expect(0).out.lines().count();
    let lines = silent(pair.jumplead(&["runs", "replay", run])).expect(0).out;
    assert_eq!(lines.lines().count(), records, "{lines}");
    let (first, last) = (lines.lines().next().unwrap(), lines.lines().last().unwrap());
    assert!(first.ends_with("Z  bootstrap edge-1") && last.contains("Z  finished, exit code 0."), "{lines}");
    let place = |words: &str| lines.find(words).unwrap_or_else(|| panic!("no {words} in {lines}"));
    assert!(place("Z  plan ") < place("Z  b.import started") && place("b.import started") < place("b.import ok, "));
    pair.jumplead(&["runs", "replay", "2026-01-01-77"]).refused(3, "state.no-run");
}

/// A site file from what is on the segment, and the segment watched.
fn found_and_watched(pair: &Pair) {
    let made = silent(pair.jumplead(&["config", "init", "--name", "found", "--for", "4s"])).expect(0);
    assert!(made.out.contains(&format!("# seen on host0: {MAC_A}  edge-1_HA_A_ACTIVE  ")), "{}", made.out);
    assert!(made.out.contains(&format!("reach = [\"mac://{MAC_A}%host0\"]")), "the configured one is a: {}", made.out);
    let file = pair.home().join("found.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        silent(pair.jumplead(&["config", "check", file.to_str().unwrap()]))
    };
    assert_eq!(check(&made.out).code, Some(2), "what is marked is missing");
    // Only the HA ports' addresses and the serial numbers are the operator's to fill in.
    let mut own = ["74:4D:28:00:00:0A", "7F0001", "74:4D:28:00:00:0B", "7F0002"].into_iter();
    let mut filled = String::new();
    for line in made.out.lines().filter(|line| !line.starts_with('#')) {
        let marked = line.contains("FILL-IN");
        filled += &format!("{}\n", if marked { line.replace("FILL-IN", own.next().unwrap()) } else { line.to_owned() });
    }
    check(&filled).expect(0);

    let mut command = pair.command(&["discover", "--watch", "--interface", "host*"]);
    let mut watch = Process(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut seen = std::io::BufReader::new(watch.0.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut seen, &mut line).unwrap();
    assert!(line.starts_with(&format!("host0  {MAC_A}  edge-1_HA_A_ACTIVE  ")), "{line}");
    assert!(watch.0.try_wait().unwrap().is_none(), "it goes on");
    watch.signal("INT");
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
}

/// Of both members, by the real binary; it is nowhere but on the routers.
fn another_ha_password(pair: &Pair) {
    const NEW: &str = "New-Pair_7.Sloe";
    let run = |words: &[&str]| {
        let mut all = vec!["recover", "edge-1/b", "ha-password", "--new-ha-password", "env:NEW_HA"];
        all.extend(words);
        silent(pair.command(&all).env("NEW_HA", NEW).output().unwrap().into())
    };
    let planned = run(&["--plan-only"]).expect(0);
    let (_, rest) = planned.err.split_once("--confirm ").unwrap_or_else(|| panic!("no plan in: {planned:?}"));
    let ended = run(&["--confirm", rest.split_whitespace().next().unwrap()]).expect(0);
    assert!(ended.err.contains("had an answer"), "{}", ended.err);
    for text in [&planned.out, &planned.err, &ended.out, &ended.err] {
        assert_eq!(leak::found(text.as_bytes(), &[NEW]), None);
    }
    leak::none_below(&pair.state(), &[NEW]);
    for member in ["edge-1/a", "edge-1/b"] {
        let asked = format!(":put ([/ppp secret get [find name=HA_PASSWORD] password] = \"{NEW}\")");
        assert_eq!(pair.exec(member, &asked).expect(0).out.trim(), "true", "{member}");
    }
}

/// Both routers and the runs are in one file, for its owner alone, without a secret; a pair whose routers are gone has none.
fn bundled(pair: &Pair) {
    let file = pair.state().join("bundle.txt");
    let name = file.display().to_string();
    silent(pair.jumplead(&["bundle", "edge-1", "--output", &name])).expect(0);
    owners_alone(&file);
    let text = std::fs::read_to_string(&file).unwrap();
    for head in ["######## edge-1/a", "######## edge-1/b", "==== /export", "######## run ", "\"run_finished\""] {
        assert!(text.contains(head), "{head} is not in {text}");
    }
    assert!(!text.contains("MISSING") && !text.contains("not read"), "{text}");
    assert_eq!(leak::found(text.as_bytes(), &SECRETS), None);
    std::fs::remove_file(&file).unwrap();
    let shown = silent(pair.jumplead(&["bundle", "edge-1", "--output", "-"])).expect(0);
    assert!(shown.out.contains("######## edge-1/b") && shown.out.contains("\"run_finished\""), "{}", shown.out);
    pair.host_cable(false);
    silent(pair.jumplead(&["bundle", "edge-1", "--output", &name])).expect(3);
    assert!(!file.exists());
    pair.host_cable(true);
}

#[test]
fn a_router_that_does_not_answer_is_3() {
    if !available("a_router_that_does_not_answer_is_3", &["ip"]) {
        return;
    }
    let pair = Pair::new(&Settings::default());
    let absent = "mac://74:4D:28:0A:00:99%host0";
    silent(pair.jumplead(&["exec", absent, "--", ":put 1"])).expect(3);
    silent(pair.jumplead(&["ping", absent, "-c", "1"])).expect(3);
    pair.site("ether8", "74:4D:28:00:00:0C", "7F0002");
    silent(pair.jumplead(&["bootstrap", "edge-1", "--plan-only"])).expect(3);
    pair.host_cable(false);
    silent(pair.jumplead(&["bootstrap", "edge-1", "--plan-only"])).expect(3);
    assert_eq!(std::fs::read_dir(pair.state().join("runs")).map_or(0, Iterator::count), 0, "no run began");
}

#[test]
fn the_active_of_another_pair_is_never_touched() {
    if !available("the_active_of_another_pair_is_never_touched", &["ip"]) {
        return;
    }
    let pair = Pair::of_two_actives(&Settings { b_setup: active_of_another_pair(), ..Settings::default() });
    let state = |pair: &Pair| pair.exec("edge-1/b", ":put [/system identity get name]").out;
    let before = state(&pair);
    let refused = silent(pair.jumplead(&["bootstrap", "edge-1", "--plan-only"]));
    let said = format!("{}{}", refused.out, refused.err);
    assert!(refused.code == Some(5) && said.contains("b-is-of-no-other-pair"), "{said}");
    let insisted =
        silent(pair.jumplead(&["bootstrap", "edge-1", "--waive", "b-is-of-no-other-pair", "--confirm", "0000-0000"]));
    assert!(matches!(insisted.code, Some(2 | 5)), "{}", insisted.err);
    assert_eq!(state(&pair), before);
}

#[test]
fn killed_in_every_step_and_resumed_to_the_proved_pair() {
    if !available("killed_in_every_step_and_resumed_to_the_proved_pair", &["ip"]) {
        return;
    }
    // After how long within the step; the moments differ so that some are before and some after its effect.
    let moments = [
        ("b.bootstrap-file", 0),
        ("b.import", 400),
        ("a.reach-b", 0),
        ("a.push", 900),
        ("b.wait-standby", 700),
        ("pair.verify", 0),
        ("pair.clean", 0),
    ];
    let begun = each_is_hit(&moments, |missing| killed_in_each(&Pair::new(&Settings::default()), missing));
    assert_eq!(begun, moments.iter().map(|(step, _)| (*step).to_owned()).collect(), "each step that it has");
}

#[test]
fn interrupted_and_unplugged_and_resumed() {
    if !available("interrupted_and_unplugged_and_resumed", &["ip"]) {
        return;
    }
    let pair = Pair::new(&Settings::default());
    // Runs are kept in a folder of one's own: each line that is to be typed next names it.
    let folder = pair.home().join("runs of mine").display().to_string();
    let named = format!(" --state-dir '{folder}'");
    let own = |words: &[&str]| pair.jumplead(&[words, &["--state-dir", &folder]].concat());
    let planned = silent(own(&["bootstrap", "edge-1", "--plan-only"])).expect(0);
    let (line, plan) = planned.err.lines().find_map(|line| line.split_once(" --confirm ")).expect("a plan");
    let plan = plan.split_whitespace().next().unwrap();
    assert!(line.contains(&named), "{}", planned.err);
    let mut run = Stream::start(&pair, &["bootstrap", "edge-1", "--confirm", plan, "--state-dir", &folder]);
    assert!(run.until_started("b.bootstrap-file"), "{}", run.end().err);
    let list = own(&["runs", "list"]).expect(0).out;
    assert!(list.contains("running") && !list.contains("resumable"), "it is going on: {list}");
    run.process.signal("INT");
    let interrupted = silent(run.end()).expect(130);
    let last = finished(&interrupted);
    assert!(last.contains("\"resumable\":true"), "{last}");
    let last: serde_json::Value = serde_json::from_str(last).unwrap();
    let next = last["next"].as_str().unwrap_or_default();
    assert!(next.starts_with("jumplead resume ") && next.ends_with(&named), "{last}");
    let list = own(&["runs", "list"]).expect(0).out;
    assert!(list.contains("resumable") && !list.contains("running"), "it has stopped: {list}");
    assert_eq!(pair.jumplead(&["runs", "list"]).expect(0).out, "", "nothing is kept elsewhere");
    // Who begins anew instead is told of it, whatever comes of that.
    let anew = own(&["bootstrap", "edge-1", "--plan-only"]);
    let (_, run) = anew.err.split_once("edge-1 was cut off; what goes on with it:  jumplead resume ").unwrap();
    assert!(
        run.lines().next().unwrap().ends_with(&named) && list.starts_with(run.split(' ').next().unwrap()),
        "{}",
        anew.err
    );

    // The host's cable is out, and whoever started the run does not wait for it.
    let resume = ["resume", "--state-dir", &folder];
    let mut run = Stream::start(&pair, &resume);
    assert!(run.until_started("b.import"), "{}", run.end().err);
    pair.host_cable(false);
    std::thread::sleep(Duration::from_millis(300));
    run.process.signal("TERM");
    let ended = silent(run.end()).expect(130);
    assert!(finished(&ended).contains("\"resumable\":true"), "{}", ended.out);
    pair.host_cable(true);

    let mut run = Stream::start(&pair, &resume);
    assert!(run.until_started("a.push"), "{}", run.end().err);
    pair.ha_cable(false);
    std::thread::sleep(Duration::from_secs(3));
    pair.ha_cable(true);
    let ended = silent(run.end());
    if ended.code != Some(0) {
        assert!(finished(&ended).contains("\"resumable\":true"), "{}", ended.err);
        silent(own(&["resume"])).expect(0);
    }
    proved(&pair);
    assert!(
        pair.jumplead(&["ping", &format!("mac://{MAC_A}%host0"), "-c", "2", "--interval", "100ms"]).code == Some(0)
    );
}

/// The first Ctrl-C waits for a router that says nothing any more; the second does not, and that router is told all the
/// same.
#[test]
fn a_second_interrupt_leaves_at_once_and_no_session_behind() {
    if !available("a_second_interrupt_leaves_at_once_and_no_session_behind", &["ip"]) {
        return;
    }
    let pair = Pair::new(&Settings::default());
    let plan = pair.plan();
    // Whoever asks is one of them.
    let users = || pair.exec("edge-1/a", ":put [:len [/user active find]]").expect(0).out;
    let before = users();
    let mut run = Stream::start(&pair, &["bootstrap", "edge-1", "--confirm", &plan]);
    assert!(run.until_started("b.bootstrap-file"), "{}", run.end().err);
    pair.freeze_a(true);
    run.process.signal("INT");
    assert!(run.until_said("Ctrl-C again stops at once."), "{}", run.end().err);
    run.process.signal("INT");
    let left = silent(run.end()).expect(130);
    assert!(finished(&left).contains("\"resumable\":true"), "{}", left.out);
    pair.freeze_a(false);
    assert_eq!(users(), before, "a session was left on a");
    silent(pair.jumplead(&["resume"])).expect(0);
    proved(&pair);
}

/// A router whose questions for the terminal are not all answered waits ten seconds.
const STALL: Duration = Duration::from_secs(9);

/// Opens a console on a terminal and ends it by the escape key or a signal; the terminal must be as it was.
fn console_gives_back(pair: &Pair, end: &str, code: i32) {
    let mut screen = Far::new(None).sized(24, 80);
    let before = screen.settings();
    let mut command = pair.command(&["--password", "env:EDGE1_A", "console", &format!("mac://{MAC_A}%host0")]);
    let near = || screen.near().try_clone().unwrap();
    command.stdin(near()).stdout(near()).stderr(near());
    let mut process = Process(command.spawn().unwrap());
    let took = screen.prompt();
    assert!(took < STALL, "{took:?}");
    assert_ne!(screen.settings(), before, "a console is raw");
    if end == "keys" {
        screen.say(b"\x1dq");
    } else {
        process.signal(end);
    }
    assert_eq!(process.0.wait().unwrap().code(), Some(code), "{end}");
    assert_eq!(screen.settings(), before, "{end}");
}

/// Ends with the test, however that ends.
struct Tmux(std::path::PathBuf);

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(&self.0).arg("kill-server").output();
    }
}

/// In a terminal that nobody here wrote, and that does not answer everything.
fn console_in_tmux(pair: &Pair) {
    if !available("console_in_tmux", &["tmux"]) {
        return;
    }
    let socket = pair.home().join("tmux");
    let tmux = |words: &[&str]| {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&socket).args(["-f", "/dev/null"]).args(words);
        command
    };
    let _server = Tmux(socket.clone());
    let begun = Instant::now();
    let mut start = tmux(&["new-session", "-d", "-x", "80", "-y", "24", "--", "ip", "netns", "exec", pair.host.name()]);
    pair.dress(&mut start, &["--password", "env:EDGE1_A", "console", &format!("mac://{MAC_A}%host0")]);
    assert!(start.status().unwrap().success());
    let screen = || String::from_utf8(tmux(&["capture-pane", "-p"]).output().unwrap().stdout).unwrap();
    while !screen().contains("] >") {
        assert!(begun.elapsed() < STALL, "{}", screen());
        std::thread::sleep(Duration::from_millis(20));
    }
    // Nobody else's frames are looked at.
    let interface = pair.host.run("ip", &["-d", "link", "show", "host0"]).unwrap();
    assert!(String::from_utf8_lossy(&interface.stdout).contains("promiscuity 0"), "{interface:?}");
    assert!(tmux(&["send-keys", "C-]", "q"]).status().unwrap().success());
    while tmux(&["has-session"]).output().unwrap().status.success() {
        assert!(begun.elapsed() < PATIENCE, "{}", screen());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_console_gives_the_terminal_back_on_every_way_out() {
    if !available("a_console_gives_the_terminal_back_on_every_way_out", &["ip"]) {
        return;
    }
    let pair = Pair::new(&Settings::default());
    console_gives_back(&pair, "keys", 0);
    console_gives_back(&pair, "TERM", 130);
    console_gives_back(&pair, "HUP", 130);
    console_in_tmux(&pair);
    found_and_watched(&pair);
    // In a pipe: the commands, then the end.
    let target = format!("mac://{MAC_A}%host0");
    let mut command = pair.command(&["--password", "env:EDGE1_A", "console", &target]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b":put (6 * 7)\n").unwrap();
    let ended = silent(child.wait_with_output().unwrap().into()).expect(0);
    assert!(ended.out.lines().any(|line| line.trim() == "42"), "{}", ended.out);
    // A line that can't be sent certainly did not run, as `exec` says of it, and those behind it are not typed.
    let mut command = pair.command(&["--password", "env:EDGE1_A", "console", &target]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b":put first\n:put unfinished {\n:put third\n").unwrap();
    let ended = silent(child.wait_with_output().unwrap().into()).refused(2, "routeros.exec.unsendable");
    assert_eq!(ended.out.trim(), "first");
    assert!(ended.err.contains("this line and those behind it were not typed"), "{}", ended.err);
    // Nor one that is no text.
    let mut command = pair.command(&["--password", "env:EDGE1_A", "console", &target]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b":put first\n:put \"\xe4\"\n:put third\n").unwrap();
    let ended = silent(child.wait_with_output().unwrap().into()).refused(2, "console.input");
    assert_eq!(ended.out.trim(), "first");
    let alone = pair.jumplead(&["--password", "env:EDGE1_A", "exec", &target, "--", ":put unfinished {"]);
    alone.refused(2, "routeros.exec.unsendable");
}
