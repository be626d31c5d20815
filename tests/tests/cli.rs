//! The real binary where it needs no right and no router: how commands end, what they say, in which form.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use bootstrap::event::Record;
use bootstrap::journal::encode;
use jumplead_tests::binary::{self, Ended, end_of};
use jumplead_tests::leak;
use jumplead_tests::site::edge_1;
use serde_json::Value;
use tempfile::TempDir;

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::jumplead());
    command.args(arguments);
    binary::isolate(&mut command, home);
    command
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn run(home: &TempDir, arguments: &[&str]) -> Ended {
    command(home.path(), arguments).output().unwrap().into()
}

fn escapes(ended: &Ended) -> bool {
    ended.out.contains('\x1b') || ended.err.contains('\x1b')
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

fn json(text: &str) -> Value {
    let mut lines = json_lines(text);
    assert_eq!(lines.len(), 1, "one object: {text}");
    lines.remove(0)
}

fn site() -> String {
    edge_1("mac://74:4D:28:0A:00:01%eth1")
}

/// A home whose configuration folder holds the site file of `edge-1`.
fn home_with_site(text: &str) -> TempDir {
    let home = home();
    let folder = home.path().join("config/jumplead");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("edge-1.toml"), text).unwrap();
    home
}

// ---- rehearse

/// The event stream of one rehearsal on lossy cables, played once for all tests that read it.
fn story() -> &'static str {
    static STORY: OnceLock<String> = OnceLock::new();
    STORY.get_or_init(|| run(&home(), &["rehearse", "--json", "--seed", "7", "--faults", "all"]).expect(0).out)
}

#[track_caller]
fn proved(arguments: &[&str]) {
    let home = home();
    let ended = run(&home, arguments).expect(0);
    assert!(!escapes(&ended), "a pipe gets no escapes");
    let last = ended.err.lines().filter(|line| line.starts_with("The pair is proved.")).count();
    assert_eq!(last, 1, "{}", ended.err);
    // `cargo xtask bench` prints these two of a run, and the line above.
    for said in ["Our own part of the waits", "Logins at router a"] {
        assert!(ended.err.lines().any(|line| line.starts_with(said)), "{said}: {}", ended.err);
    }
    assert!(!home.path().join("state").exists(), "a rehearsal leaves nothing behind");
    assert!(!ended.err.contains("jumplead runs show"), "there is no run to show: {}", ended.err);
}

#[test]
fn a_rehearsal_on_the_segment_ends_proved() {
    proved(&["rehearse", "--road", "mac"]);
}

#[test]
fn a_rehearsal_with_a_dirty_b_over_a_ends_proved_on_the_older_version() {
    proved(&["rehearse", "--dirty", "--routeros", "6.44.6"]);
}

#[test]
fn a_rehearsal_as_json_is_a_stream_that_ends_with_its_result_and_repeats_itself() {
    let first = story();
    let events = json_lines(first);
    assert!(events.iter().all(|event| event["format"] == 1 && event["event"].is_string()));
    let sequence: Vec<_> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert!(sequence.iter().copied().eq(0..events.len() as u64), "{sequence:?}");
    let last = events.last().unwrap();
    assert_eq!(last["event"], "run_finished");
    assert_eq!((&last["exit_code"], &last["resumable"], &last["changed"]), (&0.into(), &false.into(), &"b".into()));
    let kinds = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!(kinds("step_started"), kinds("step_completed") + kinds("attempt_retry"));
    assert_eq!((kinds("run_started"), kinds("plan"), kinds("preflight"), kinds("step_failed")), (1, 1, 1, 0));

    let again = run(&home(), &["rehearse", "--json", "--seed", "7", "--faults", "all"]).expect(0);
    let differs = first.lines().zip(again.out.lines()).find(|(one, other)| one != other);
    assert!(first == again.out, "one seed, one story, whatever is lost: {differs:?}");
}

/// What the README shows is what stands on the screen, the consoles, the wires and the waits left out.
#[test]
fn the_readme_shows_the_screen_of_a_rehearsal() {
    let readme = include_str!("../../README.md");
    let (_, screen) = readme.split_once("```text\nPreflight").unwrap();
    let (screen, _) = screen.split_once("\n```").unwrap();
    let shown = format!("Preflight{screen}");
    let said = run(&home(), &["rehearse", "--dirty"]).expect(0).err;
    let mut rest = said.lines();
    for line in shown.lines() {
        assert!(rest.any(|said| said.trim_end() == line), "the README has: {line}\nit says:\n{}", end_of(&said));
    }
    for word in ["      ~ MAC-Telnet A ether8 -> B ether8: no answer", "      ~ FTP ", "    B | ", "    A * "] {
        assert!(said.contains(word), "{word} is live on the screen");
    }
}

#[test]
fn a_rehearsal_writes_the_cables_for_wireshark() {
    let home = home();
    let file = home.path().join("cables.pcap");
    let ended = run(&home, &["rehearse", "--pcap", file.to_str().unwrap()]).expect(0);
    assert!(ended.err.contains("The pair is proved."), "{}", ended.err);
    let bytes = std::fs::read(&file).unwrap();
    let (mut frames, mut last) = (Vec::new(), None);
    for packet in mactelnet::pcap::Reader::new(bytes.as_slice()).unwrap() {
        let packet = packet.unwrap();
        assert!(last <= Some(packet.at), "time runs forward");
        last = Some(packet.at);
        frames.push(packet.frame);
    }
    // MAC-Telnet of two cables: host to A's first port, A's HA port to B's.
    let between = |a: [u8; 6], b: [u8; 6]| {
        frames
            .iter()
            .filter(|frame| frame.len() > 42 && frame[36..38] == 20561_u16.to_be_bytes())
            .filter(|frame| frame[6..12] == a && (frame[0..6] == b || frame[0..6] == [0xff; 6]))
            .count()
    };
    let host = [0x02, 0, 0, 0, 0, 0x77];
    assert!(between(host, [0x74, 0x4D, 0x28, 0x0A, 0, 1]) > 20, "the host's console of A");
    assert!(between([0x74, 0x4D, 0x28, 0, 0, 0x0A], [0x74, 0x4D, 0x28, 0, 0, 0x0B]) > 20, "A's console of B");
}

// ---- how commands are refused

/// The capture of another day goes with the first frame of this one.
#[test]
fn a_command_that_comes_to_no_link_leaves_a_capture_as_it_is() {
    let home = home();
    let file = home.path().join("kept.pcap");
    std::fs::write(&file, "of another day").unwrap();
    let path = file.to_str().unwrap();
    run(&home, &["--pcap", path, "exec", "mac://%eth1", "--", "x"]).refused(2, "target.mac");
    run(&home, &["--pcap", path, "bootstrap", "nosuch"]).refused(2, "site.read");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "of another day");
}

#[test]
fn wrong_usage_is_2_and_says_what_and_with_which_code() {
    let home = home();
    for (arguments, code) in [
        (&["--bogus"][..], "usage.arguments"),
        (&["bootstrap"], "usage.arguments"),
        (&["rehearse", "--seeds", "9..3"], "usage.arguments"),
        (&["discover", "--for", "2 weeks"], "usage.arguments"),
        (&["rehearse", "--routeros", "x"], "rehearse.routeros"),
        (&["rehearse", "--routeros", "5.26"], "rehearse.routeros"),
        // Not even the form of a plan's fingerprint: nobody is asked, and no run is recorded.
        (&["bootstrap", "edge-1", "--confirm", "xxx"], "usage.arguments"),
        (&["recover", "serial:///dev/null", "leave", "--confirm", "7F0002"], "usage.arguments"),
        (&["resume", "--confirm", "f70f10c3:7F0002"], "usage.arguments"),
        (&["rehearse", "--pcap", "/nonexistent/x"], "rehearse.pcap"),
        (&["bootstrap", "nosuch"], "site.read"),
        (&["exec", "mac://74:4D:28:00:00:0B%none", "--", ""], "usage.command"),
        (&["ping", "nosuch/a"], "site.read"),
        // Who logs in at a member, its site file says.
        (&["exec", "nosuch/b", "--user", "root", "--", "x"], "usage.login"),
        (&["--password", "env:X", "bootstrap", "nosuch"], "usage.login"),
        (&["recover", "nosuch/b", "--user", "root"], "usage.login"),
        (&["ping", "x"], "target.invalid"),
        (&["exec", "mac://%eth1", "--", "x"], "target.mac"),
        (&["runs", "show", "../../etc/passwd"], "state.run-id"),
        (&["--log-file", "/nonexistent/x", "doctor"], "host.log-file"),
    ] {
        let ended = run(&home, arguments).refused(2, code);
        assert!(ended.out.is_empty(), "stdout is data: {}", ended.out);
        assert!(!ended.err.contains('\u{b7}'), "no line end of ours is shown as a foreign one: {}", ended.err);
        let mut with_json = vec!["--json"];
        with_json.extend(arguments);
        let ended = run(&home, &with_json).expect(2);
        let object = json(&ended.out);
        assert_eq!(
            (&object["ok"], &object["exit_code"], &object["error"]["code"]),
            (&false.into(), &2.into(), &code.into())
        );
        assert!(!object["error"]["message"].as_str().unwrap().is_empty());
    }
    let older = run(&home, &["rehearse", "--routeros", "5.26"]).expect(2);
    assert!(older.err.contains("`5.26` is not simulated: routers of 6.x and 7.x are"), "{}", older.err);
    let confirmed = run(&home, &["bootstrap", "edge-1", "--confirm", "xxx"]).expect(2);
    assert!(confirmed.err.contains("a plan's fingerprint is like f70f-10c3"), "{}", confirmed.err);
    assert!(!home.path().join("state").exists(), "and nothing was written down");
    let bare = run(&home, &[]).expect(2);
    assert!(bare.err.contains("Usage:") && bare.out.is_empty());
}

#[test]
fn a_long_command_that_could_not_begin_ends_its_stream_all_the_same() {
    let home = home();
    for arguments in
        [&["--json", "bootstrap", "nosuch"][..], &["--json", "resume"], &["--json", "rehearse", "--routeros", "x"]]
    {
        let ended = run(&home, arguments);
        let last = json_lines(&ended.out).pop().unwrap();
        assert_eq!(last["event"], "run_finished");
        assert_eq!(last["exit_code"].as_i64(), ended.code.map(i64::from));
        assert_eq!((&last["resumable"], &last["changed"]), (&false.into(), &"none".into()));
    }
}

#[test]
fn a_secret_as_an_argument_is_refused_and_not_repeated() {
    let home = home_with_site(&site().replace("env:EDGE1_A", "Hunter2-Hunter2"));
    for (arguments, code) in [
        (&["--password", "Hunter2-Hunter2", "exec", "mac://74:4D:28:00:00:0B%eth1", "--", "x"][..], "secret.form"),
        (&["exec", "mac://admin:Hunter2-Hunter2@74:4D:28:00:00:0B%eth1", "--", "x"], "target.invalid"),
        (&["console", "ssh://admin:Hunter2-Hunter2@192.0.2.1"], "target.invalid"),
        (&["exec", "mac://74:4D:28:00:00:0B%eth1?password=Hunter2-Hunter2", "--", "x"], "target.invalid"),
        (&["config", "check", "edge-1"], "site.value"),
    ] {
        let ended = run(&home, arguments);
        let leak = leak::found(format!("{}{}", ended.out, ended.err).as_bytes(), &["Hunter2-Hunter2"]);
        assert!(leak.is_none(), "{arguments:?}: {leak:?}\n{}", ended.err);
        ended.refused(2, code);
    }
}

// ---- the site file

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    let home = home_with_site(&site().replace("ha_interface", "ha_interfase"));
    let ended = run(&home, &["config", "check", "edge-1"]).refused(2, "site.unknown-key");
    assert!(ended.err.contains("line 4") && ended.err.contains("did you mean `ha_interface`"), "{}", ended.err);
}

/// The page for the person beside the router is of the site file's router, asks nobody, and says what must not be done.
#[test]
fn a_sheet_names_the_router_by_its_label() {
    let home = home_with_site(&site());
    let sheet = run(&home, &["recover", "edge-1/b", "--sheet"]).expect(0);
    for words in [
        "b of pair edge-1",
        "S/N 7F0002",
        "MAC of ether8: 74:4D:28:00:00:0B",
        "letter by letter",
        "NOT from the other router",
        "marked BOOT (ether1)",
        "Do not hold it",
    ] {
        assert!(sheet.out.contains(words), "{words} is not in {}", sheet.out);
    }
    assert!(sheet.out.lines().all(|line| line.chars().count() <= 120), "it fits a page: {}", sheet.out);
    let other = run(&home, &["recover", "serial:///dev/ttyS9", "--sheet"]).expect(0);
    assert!(other.out.contains("serial:///dev/ttyS9") && other.out.contains("S/N ____________"), "{}", other.out);
    let object = json(&run(&home, &["--json", "recover", "edge-1/b", "--sheet"]).expect(0).out);
    assert!(object["data"]["sheet"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("7F0002")));
    run(&home, &["recover", "edge-9/b", "--sheet"]).refused(2, "site.read");
    // What to type next names the pair, not the line.
    let secrets = run(&home, &["recover", "serial:///dev/ttyS9", "--as", "edge-1/b"]).expect(4);
    assert!(secrets.err.contains("jumplead config show edge-1\n"), "{}", secrets.err);
}

#[test]
fn a_right_site_file_is_checked_and_shown() {
    let home = home_with_site(&site());
    let checked = run(&home, &["config", "check", "edge-1"]).expect(0);
    assert!(checked.err.contains("EDGE1_A"), "what the environment lacks is said: {}", checked.err);
    assert!(checked.err.contains("jumplead bootstrap edge-1 --plan-only"));
    let path = home.path().join("config/jumplead/edge-1.toml");
    run(&home, &["config", "check", path.to_str().unwrap()]).expect(0);

    let shown = run(&home, &["config", "show", "edge-1"]).expect(0);
    for word in ["edge-1", "ether8", "74:4D:28:00:00:0B", "7F0002", "via:a"] {
        assert!(shown.out.contains(word), "{word} in {}", shown.out);
    }
    // A reference is no secret; what it leads to is.
    let shown = command(home.path(), &["config", "show", "edge-1"]).env("EDGE1_A", "Hunter2-Hunter2").output().unwrap();
    assert_eq!(leak::found(&shown.stdout, &["Hunter2-Hunter2"]), None);
    let object = json(&run(&home, &["--json", "config", "check", "edge-1"]).expect(0).out);
    assert_eq!((&object["ok"], &object["command"], &object["format"]), (&true.into(), &"config".into(), &1.into()));
    assert!(!object["warnings"].as_array().unwrap().is_empty());
}

/// What a run would miss is said by its key: a file that is not there is refused, a variable may be set where the run begins.
#[test]
fn secrets_that_are_not_there_are_named_by_their_keys() {
    let secret = home();
    let file = secret.path().join("ha");
    let text = site().replace("env:EDGE1_HA", &format!("file:{}", file.display()));
    let home = home_with_site(&text);
    let gone = run(&home, &["config", "check", "edge-1"]).refused(4, "secret.file");
    assert!(gone.err.contains("secrets.ha_password: ") && gone.err.contains("No such file"), "{}", gone.err);
    std::fs::write(&file, "S3cret-Sloe.9").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    run(&home, &["config", "check", "edge-1"]).refused(4, "secret.file-open");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let checked = run(&home, &["config", "check", "edge-1"]).expect(0);
    assert!(checked.err.contains("pair.a.password: the environment has no EDGE1_A"), "{}", checked.err);
    assert!(!checked.err.contains("EDGE1_HA"), "{}", checked.err);
    let home = home_with_site(&site());
    let checked = run(&home, &["config", "check", "edge-1"]).expect(0);
    assert!(checked.err.contains("secrets.ha_password: the environment has no EDGE1_HA"), "{}", checked.err);
    // Nobody can be asked: what would be asked for is named as the file has it.
    let home = home_with_site(&site().replace("env:EDGE1_A", "prompt"));
    let mut asked = command(home.path(), &["--non-interactive", "bootstrap", "edge-1"]);
    let asked: Ended = asked.env("EDGE1_HA", "Pair-Sloe.9").output().unwrap().into();
    let asked = asked.refused(4, "secret.prompt");
    assert!(asked.err.contains("pair.a.password of edge-1 must be asked for"), "{}", asked.err);
    let short: Ended = command(home.path(), &["bootstrap", "edge-1"]).env("EDGE1_HA", "short").output().unwrap().into();
    let short = short.refused(4, "secret.unfit");
    assert!(short.err.contains("secrets.ha_password of edge-1 is not between 8 and 64"), "{}", short.err);
}

#[test]
fn a_site_file_on_an_interface_that_is_not_there_is_3() {
    let home = home();
    run(&home, &["config", "init", "--interface", "nosuch*"]).refused(3, "host.interface.none");
    run(&home, &["discover", "--interface", "nosuch*"]).refused(3, "host.interface.none");
}

// ---- past runs

#[test]
fn no_runs_is_an_empty_list() {
    let home = home();
    let list = run(&home, &["runs", "list"]).expect(0);
    assert_eq!((list.out.as_str(), list.err.trim()), ("", "no runs yet"));
    assert_eq!(json(&run(&home, &["--json", "runs", "list"]).expect(0).out)["data"]["runs"], serde_json::json!([]));
    run(&home, &["runs", "show", "2026-11-22-01"]).refused(3, "state.no-run");
    run(&home, &["resume"]).refused(3, "state.no-run");
    assert!(!home.path().join("state").exists(), "looking makes no folder");
}

/// A state folder with one run that was cut off in the middle, as a power cut leaves it.
fn home_with_run(damage: impl FnOnce(&mut Vec<u8>)) -> TempDir {
    let home = home_with_site(&site());
    let records = story().lines().take(9).map(|line| serde_json::from_str::<Record>(line).unwrap());
    let mut journal: Vec<u8> = records.flat_map(|record| encode(&record).into_bytes()).collect();
    damage(&mut journal);
    let folder = home.path().join("state/jumplead/runs/2026-01-01-01");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("journal.jsonl"), journal).unwrap();
    home
}

#[test]
fn a_run_that_was_cut_off_is_listed_shown_and_resumable() {
    let home = home_with_run(|journal| journal.extend(b"{\"format\":1,\"run\":\"2026-01-01-01\",\"se"));
    let list = run(&home, &["runs", "list"]).expect(0);
    assert_eq!(list.out.trim(), "2026-01-01-01  rehearsal  cut off  resumable");
    let shown = run(&home, &["runs", "show", "2026-01-01-01"]).expect(0);
    assert!(shown.err.contains("Next:  jumplead resume 2026-01-01-01"), "{}", shown.err);
    assert_eq!(shown.out.lines().count(), 10, "a heading and nine records: {}", shown.out);
    assert_eq!(json_lines(&run(&home, &["runs", "export", "2026-01-01-01"]).expect(0).out).len(), 9);
}

#[test]
fn a_run_that_has_ended_is_not_said_to_go_on() {
    let of = |finished: bool| {
        let home = home_with_run(|journal| {
            let last = story().lines().last().filter(|_| finished);
            let last = last.map(|line| serde_json::from_str::<Record>(line).unwrap());
            journal.extend(last.map(|record| encode(&Record { seq: 9, ..record })).unwrap_or_default().into_bytes());
        });
        run(&home, &["resume", "2026-01-01-01", "--plan-only"]).expect(0)
    };
    assert!(of(false).err.contains("It goes on with:  jumplead resume 2026-01-01-01"));
    let ended = of(true);
    assert!(
        ended.err.contains("there is nothing to go on with") && !ended.err.contains("jumplead resume"),
        "{ended:?}"
    );
}

/// What can't be written is known before a router is asked, and what was not written leaves no file.
#[test]
fn a_bundle_that_can_not_be_written_is_told_at_once() {
    let home = home();
    let bundle = |output: &str| run(&home, &["bundle", "serial:///dev/nosuch", "--output", output]);
    bundle("/nonexistent/x").refused(11, "bundle.write");
    let path = home.path().join("x.txt");
    bundle(path.to_str().unwrap()).refused(11, "serial.port.missing");
    assert!(!path.exists());
    std::fs::write(&path, "mine").unwrap();
    bundle(path.to_str().unwrap()).refused(2, "bundle.exists");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let both = run(&home, &["--json", "bundle", "serial:///dev/nosuch", "--output", "-"]).expect(2);
    assert_eq!(json(&both.out)["error"]["code"], "usage.output");
}

#[test]
fn a_damaged_journal_is_told_and_hides_nothing_else() {
    let home = home_with_run(|journal| {
        let middle = journal.len() / 2;
        journal[middle..middle + 40].fill(0);
    });
    let other = home.path().join("state/jumplead/runs/2026-01-02-01");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(other.join("journal.jsonl"), b"").unwrap();
    let list = run(&home, &["runs", "list"]).expect(0);
    let lines: Vec<_> = list.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", list.out);
    assert!(lines[1].contains("2026-01-01-01") && !lines[1].contains("resumable"), "{}", list.out);
    run(&home, &["runs", "show", "2026-01-01-01"]).expect(8);
    // Nothing of it may be guessed: a resumed run could repeat what can't be repeated.
    let ended = run(&home, &["resume", "2026-01-01-01"]);
    assert!(ended.code == Some(8) && ended.err.contains("error["), "{}", ended.err);
}

// ---- the form of what is printed

#[test]
fn a_pipe_gets_no_escapes_and_colour_can_be_asked_for() {
    let home = home();
    for arguments in [&["runs", "list"][..], &["doctor"], &["--help"], &["bootstrap", "nosuch"], &["--bogus"]] {
        let ended = run(&home, arguments);
        assert!(!escapes(&ended) && !ended.err.contains("panicked"), "{arguments:?}: {ended:?}");
        let no_color: Ended = command(home.path(), arguments).env("NO_COLOR", "1").output().unwrap().into();
        assert!(!escapes(&no_color), "{arguments:?} with NO_COLOR");
    }
    assert!(escapes(&run(&home, &["--color", "always", "bootstrap", "nosuch"])));
    assert!(!escapes(&run(&home, &["--color", "never", "bootstrap", "nosuch"])));
}

#[test]
fn a_reader_that_goes_away_is_no_crash() {
    let home = home();
    let mut child = command(home.path(), &["rehearse", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
}

/// A site file that is there is not to be made anew: what is typed so, a shell's `>`, would empty it.
#[test]
fn an_unreadable_site_file_is_not_written_over() {
    let home = home();
    std::fs::write(home.path().join("edge-1.toml"), b"format = 1 # \xff\n").unwrap();
    let mut check = command(home.path(), &["config", "check", "edge-1.toml"]);
    let ended = Ended::from(check.current_dir(home.path()).output().unwrap());
    assert!(ended.code == Some(2) && ended.err.contains("UTF-8") && !ended.err.contains('>'), "{}", ended.err);
    // Nor is one read that has no end.
    run(&home, &["config", "check", "/dev/zero"]).refused(2, "site.read");
}

/// Addresses and names stand in a log: it is its owner's, and a file has no colours.
#[test]
fn a_log_file_is_its_owners_and_plain() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = home();
    let log = home.path().join("log");
    let path = log.to_str().unwrap();
    run(&home, &["-vvv", "--log-file", path, "rehearse"]).expect(0);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.lines().count() > 2 && !text.contains('\x1b'), "{}", &text[..text.len().min(400)]);
    assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o077, 0);
}

/// Data that could not be written is said, whatever the command; /dev/full is a full disk.
#[test]
fn data_that_is_lost_is_11() {
    let home = home();
    for arguments in [&["config", "schema"][..], &["rehearse", "--json"], &["explain"], &["--help"], &["-V"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ended: Ended = command(home.path(), arguments).stdout(full).output().unwrap().into();
        assert_eq!(ended.code, Some(11), "{arguments:?}: {ended:?}");
        if !arguments.contains(&"--json") {
            assert!(ended.err.starts_with("error[host.stdout]"), "{}", ended.err);
        }
    }
}

/// A descriptor that our parent closed is nobody else's: the next file would get its number, and our words with it.
#[test]
fn a_closed_standard_output_is_no_file_of_ours() {
    let home = home();
    let file = home.path().join("cables.pcap");
    let mut closed = Command::new("sh");
    closed.args(["-c", "exec \"$0\" rehearse --json --pcap \"$1\" >&- 2>&-"]).arg(binary::jumplead()).arg(&file);
    binary::isolate(&mut closed, home.path());
    assert_eq!(closed.status().unwrap().code(), Some(0));
    let bytes = std::fs::read(&file).unwrap();
    let packets = mactelnet::pcap::Reader::new(bytes.as_slice()).unwrap().map(Result::unwrap).count();
    assert!(packets > 100, "{packets}");
    assert!(!bytes.windows(9).any(|window| window == b"\"event\":\""), "an event stands in the capture");
}

/// A capture that is cut off is not called one.
#[test]
fn a_torn_capture_of_a_rehearsal_is_told() {
    let ended = run(&home(), &["rehearse", "--pcap", "/dev/full"]).expect(0);
    assert!(!ended.err.contains("for Wireshark"), "{}", ended.err);
    assert!(ended.err.contains("/dev/full is not whole"), "{}", ended.err);
}

/// Names of the subcommands in a help text.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, rest)) = help.split_once("Commands:\n") else { return Vec::new() };
    let lines = rest.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

fn collect_help(home: &TempDir, path: &[String], all: &mut String) {
    let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
    arguments.push("--help");
    let help = run(home, &arguments).expect(0).out;
    all.push_str(&format!("==== jumplead {}\n{}\n", arguments.join(" "), help.trim_end()));
    for name in subcommands(&help) {
        let mut below = path.to_vec();
        below.push(name);
        collect_help(home, &below, all);
    }
}

#[test]
fn the_help_is_the_one_in_the_docs() {
    let home = home();
    let mut help = String::new();
    collect_help(&home, &[], &mut help);
    assert!(help.contains("==== jumplead runs show --help"));
    let file = binary::workspace().join("docs/help.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &help).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let changed = help.lines().zip(kept.lines()).find(|(new, old)| new != old);
    assert!(
        kept == help,
        "docs/help.txt is not what --help prints ({changed:?}); if that is meant:\n\
         UPDATE_SNAPSHOTS=1 cargo test -p jumplead-tests --test cli the_help"
    );
}

#[test]
fn the_schema_of_site_files_is_the_one_in_the_docs() {
    let home = home();
    let schema = run(&home, &["config", "schema"]).expect(0).out;
    let file = binary::workspace().join("docs/site.schema.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&file, &schema).unwrap();
    }
    assert!(
        std::fs::read_to_string(&file).unwrap_or_default() == schema,
        "docs/site.schema.json is not what `config schema` prints; if that is meant:\n\
         UPDATE_SNAPSHOTS=1 cargo test -p jumplead-tests --test cli the_schema"
    );
}

#[test]
fn completions_and_manual_pages_come_from_the_commands() {
    let home = home();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&home, &["completions", shell]).expect(0).out;
        assert!(script.contains("rehearse") && script.contains("dirty"), "{shell}");
    }
    assert!(run(&home, &["man"]).expect(0).out.contains(".TH jumplead 1"));
    let page = run(&home, &["man", "config", "init"]).expect(0).out;
    assert!(page.contains(".TH jumplead-config-init 1") && page.contains("\\-\\-state\\-dir"), "{page}");
    run(&home, &["man", "nosuch"]).refused(2, "usage.command");
}

// ---- scripts

#[test]
fn lint_judges_scripts_as_the_router_does() {
    let home = home();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let good = file("good.rsc", ":put \"a\"\n/ip address print\n");
    let late = file("late.rsc", "/zzz print\n");
    let wrong = file("wrong.rsc", ":if (1=1) do={:put a\n");
    assert_eq!(run(&home, &["lint", &good]).code, Some(0));
    let ended = run(&home, &["lint", "--routeros", "7.22.1", &late, &wrong]);
    assert_eq!(ended.code, Some(15));
    assert!(ended.out.contains("bad command name zzz (line 1 column 2)"), "{}", ended.out);
    assert!(ended.out.contains("expected closing brace (line 2 column 1)"), "{}", ended.out);
    assert!(!escapes(&ended));
    let ended = run(&home, &["lint", "--form", &good]);
    assert_eq!(ended.out, "(evl /putmessage=a);(evl /ip/address/print)\n");
    // Bytes are shown as they are, as a router does it.
    let ended = run(&home, &["lint", "--form", &file("bytes.rsc", ":put \"a\\07\\t\\\"\"")]);
    assert_eq!(ended.out, "(evl /putmessage=(. a \u{7} \t \"))\n");
    let ended = run(&home, &["lint", "--json", &wrong]);
    assert_eq!(ended.code, Some(15));
    let object = json(&ended.out);
    assert_eq!((&object["ok"], &object["data"]["files"][0]["verdict"]), (&false.into(), &"refused".into()));
    assert_eq!(object["data"]["files"][0]["findings"][0]["code"], "script.parse.expected-closing-brace");
    // A menu that only some boards have is nothing to refuse; the form and the strict verdict are a CHR's.
    let board = file("board.rsc", "/zerotier/peer/print\n");
    let ended = run(&home, &["lint", "--routeros", "7.22.1", "--form", &board]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "syntax error (line 1 column 10)\n"));
    let object = json(&run(&home, &["lint", "--routeros", "7.22.1", "--json", &board]).out);
    let checked = &object["data"]["files"][0];
    assert_eq!((&checked["verdict"], &checked["strict_verdict"]), (&"accepted".into(), &"refused".into()));
    // Any bytes are drawn, none of them reaches the terminal as a command to it.
    for (text, code) in
        [(":put \"\u{e9}\u{201c}\"\n", 0), ("\u{feff}:put 1\n", 15), (":put \"\u{1b}[2J\u{9b}\"\n/zzz\n", 15)]
    {
        let ended = run(&home, &["lint", &file("odd.rsc", text)]);
        assert_eq!(ended.code, Some(code), "{text:?}");
        assert!(!escapes(&ended), "{text:?}");
    }
    // RouterOS 6 has other menus: only the grammar is judged.
    let older = file("older.rsc", "/interface wireless\nset [find default-name=wlan1] disabled=no\n");
    let ended = run(&home, &["lint", "--routeros", "6.49.10", &older]);
    assert_eq!(ended.code, Some(0));
    for words in ["the grammar is checked, menus and arguments are not", "not all names were checked"] {
        assert!(ended.err.contains(words), "{words}: {}{}", ended.out, ended.err);
    }
    let newer = file("newer.rsc", "/file add name=x.txt contents=y\n");
    let ended = run(&home, &["lint", "--routeros", "6.44.6", &newer]);
    assert_eq!(ended.code, Some(15));
    assert!(ended.out.contains("bad command name add: it is there since RouterOS 7.9"), "{}", ended.out);
    assert_eq!(run(&home, &["lint", "/nowhere/x.rsc"]).code, Some(2));
    assert_eq!(run(&home, &["lint", "--routeros", "seven", &good]).code, Some(2));
}

// ---- a host that does not let us write

#[test]
fn a_state_folder_that_can_not_be_written_is_11_before_anything_is_done() {
    let home = home();
    // A file where the folder should be: it stops root too.
    std::fs::write(home.path().join("file"), "").unwrap();
    let state = home.path().join("file/state");
    let ended = command(home.path(), &["--state-dir", state.to_str().unwrap(), "runs", "list"]).output().unwrap();
    Ended::from(ended).expect(11);
    std::fs::create_dir(home.path().join("odd")).unwrap();
    std::fs::write(home.path().join("odd/routers.json"), "{").unwrap();
    let odd = home.path().join("odd");
    run(&home, &["--state-dir", odd.to_str().unwrap(), "exec", "mac://74:4D:28:00:00:0B%eth1", "--", "x"])
        .refused(11, "state.io");
}

/// What `ha render` prints is a file that both generations of routers would import.
#[test]
fn the_rendered_ha_scripts_are_a_file_that_routers_take() {
    let home = home();
    let ended = run(&home, &["ha", "render"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.out.contains("ha_startup") && !ended.out.contains("HAInstall interface=\"ether8\""));
    let path = home.path().join("HA_init.rsc");
    std::fs::write(&path, &ended.out).unwrap();
    let path = path.display().to_string();
    for version in ["6.44.6", "7.22.1"] {
        let ended = run(&home, &["lint", "--routeros", version, &path]);
        assert_eq!(ended.code, Some(0), "{version}: {}", ended.out);
    }
}
