//! The real binary when the host, its disk or its cable fails, and B is not what one wishes; in network namespaces.

use std::time::Duration;

use jumplead_tests::disk::Disk;
use jumplead_tests::leak;
use jumplead_tests::pair::{Pair, Process, SECRETS, Settings, used_before};
use jumplead_tests::run::{Stream, configuration_of_b, finished, proved, ridden_out_or_resumed, silent};
use jumplead_tests::terminal::Far;
use lab::netns::available;

#[test]
fn a_full_and_a_read_only_state_folder_lose_nothing() {
    if !available("a_full_and_a_read_only_state_folder_lose_nothing", &["ip", "unshare", "nsenter"]) {
        return;
    }
    let pair = Pair::new(&Settings::default());
    let disk = Disk::new(&pair);
    let run = |arguments: &[&str]| silent(disk.command(&pair, arguments).output().unwrap().into());
    let (before, plan) = (configuration_of_b(&pair), pair.plan());
    let bootstrap = ["bootstrap", "edge-1", "--confirm", &plan];

    // Before anything is done.
    disk.fill();
    let full = run(&bootstrap).refused(11, "state.full");
    assert!(full.err.contains("nothing was changed") && full.err.contains("make room"), "{}", full.err);
    disk.make_room();
    disk.read_only(true);
    let closed = run(&bootstrap).refused(11, "state.io");
    assert!(closed.err.contains("nothing was changed") && closed.err.contains("writable"), "{}", closed.err);
    disk.read_only(false);
    assert_eq!(configuration_of_b(&pair), before, "a refusal changes nothing");

    // In the middle. A file's last page takes a few records more: the run stops at the first that finds no room.
    let mut command = disk.command(&pair, &["--json"]);
    command.args(bootstrap);
    let mut stream = Stream::of(command);
    assert!(stream.until_started("b.bootstrap-file"), "{}", stream.end().err);
    disk.fill();
    let stopped = silent(stream.end()).expect(11);
    let last = finished(&stopped);
    assert!(last.contains("state.full") && last.contains("\"resumable\":true"), "{last}");
    assert!(last.contains("make room in the state folder") && last.contains("jumplead resume"), "{last}");
    let list = run(&["runs", "list"]).expect(0);
    assert!(list.out.contains("resumable"), "a full disk can be read: {}", list.out);

    // Still no room; then room that may not be used; then all is well again.
    silent(run(&["resume"])).expect(11);
    disk.make_room();
    disk.read_only(true);
    let closed = run(&["resume"]).refused(11, "state.io");
    assert!(closed.err.contains("make the state folder writable again, then:  jumplead resume"), "{}", closed.err);
    disk.read_only(false);
    run(&["resume"]).expect(0);
    proved(&pair);
    let list = run(&["runs", "list"]).expect(0);
    assert_eq!(list.out.lines().filter(|line| line.contains("done")).count(), 1, "{}", list.out);
    assert!(leak::none_below(&disk.seen(), &SECRETS) > 2, "there was something to search");
}

/// What only looks changes nothing and never becomes a run; what is waived is said.
fn looked_at_alone(pair: &Pair) {
    let before = configuration_of_b(pair);
    let dry = silent(pair.jumplead(&["bootstrap", "edge-1", "--dry-run"])).expect(0);
    let words = "dry run: 0 of 9 steps are done already, b.bootstrap-file would be next";
    assert!(dry.err.contains(words), "{}", dry.err);
    pair.jumplead(&["resume"]).refused(3, "state.no-run");
    let list = pair.jumplead(&["runs", "list"]).expect(0).out;
    let run = list.split_whitespace().next().expect("the dry run is listed");
    pair.jumplead(&["resume", run]).refused(2, "journal.dry-run");
    let other = |waived: &[&str]| {
        let words = [&["bootstrap", "edge-1", "--plan-only"], waived].concat();
        silent(pair.command(&words).env("EDGE1_HA", "Other-Pair_9").output().unwrap().into())
    };
    assert!(other(&[]).expect(5).err.contains("preflight refused: a-ha-password"));
    let waived = other(&["--waive", "a-ha-password"]).expect(0);
    assert!(waived.out.contains("waived a-ha-password: a's HA password is another one"), "{}", waived.out);
    assert!(
        waived.err.contains("Nothing was changed. Next:  jumplead bootstrap edge-1 --waive a-ha-password --confirm "),
        "{}",
        waived.err
    );
    assert_eq!(configuration_of_b(pair), before, "a look changes nothing");
}

/// Neither a script nor a person resets a router that they don't name; who does comes as far as was asked for.
fn only_who_names_it_erases_it(pair: &Pair, plan: &str) {
    let before = configuration_of_b(pair);
    let (fingerprint, serial) = plan.split_once(':').expect("it names the router that it erases");
    assert_eq!(serial, "7F0002");
    for unnamed in [fingerprint.to_owned(), format!("{fingerprint}:7F0001")] {
        let refused = silent(pair.jumplead(&["bootstrap", "edge-1", "--confirm", &unnamed])).expect(5);
        for words in ["bootstrap.confirm.serial", "nothing was changed", &format!(" --confirm {plan}\n")] {
            assert!(refused.err.contains(words), "{unnamed}: no {words} in {}", refused.err);
        }
    }
    let asked = |answer: &str| {
        let mut screen = Far::new(None).sized(40, 120);
        let near = || screen.near().try_clone().unwrap();
        let mut command = pair.command(&["bootstrap", "edge-1", "--stop-after", "b.bootstrap-file"]);
        let mut process = Process(command.stdin(near()).stdout(near()).stderr(near()).spawn().unwrap());
        screen.until("erases router b (serial 7F0002, 74:4D:28:00:00:0B).");
        screen.until("Type the last 4 of its serial to go on: ");
        screen.say(format!("{answer}\r").as_bytes());
        (process.0.wait().unwrap().code(), screen)
    };
    for wrong in ["0001", "", "y"] {
        let (code, mut screen) = asked(wrong);
        screen.until("error[bootstrap.confirm.refused]");
        assert_eq!(code, Some(5), "{wrong:?}");
    }
    assert_eq!(configuration_of_b(pair), before, "a refusal changes nothing");
    let runs = || pair.jumplead(&["runs", "list"]).expect(0).out;
    assert!(!runs().contains("resumable"), "{}", runs());
    let (code, mut screen) = asked("0002");
    screen.until("stopped after step b.bootstrap-file, as asked");
    assert_eq!(code, Some(0));
    assert_eq!(configuration_of_b(pair), before, "it was reset behind the step that was named");
    assert!(runs().contains("resumable"), "{}", runs());
    // What only asks for its plan, or means another one, does not go on with it.
    let shown = silent(pair.jumplead(&["resume", "--plan-only"])).expect(0);
    assert!(shown.out.contains(fingerprint) && shown.out.contains("RESET"), "{}", shown.out);
    for other in ["0000-0000", &format!("{fingerprint}:7F0001")] {
        let refused = silent(pair.jumplead(&["resume", "--confirm", other])).expect(12);
        assert!(refused.err.contains("bootstrap.plan.moved") && refused.err.contains(plan), "{}", refused.err);
    }
    pair.jumplead(&["resume", "--waive", "a-ha-password"]).refused(2, "usage.waive");
    assert_eq!(configuration_of_b(pair), before, "it was shown, and went on");
}

#[test]
fn a_used_b_on_6_44_killed_at_the_reset_and_the_hosts_cable_pulled() {
    if !available("a_used_b_on_6_44_killed_at_the_reset_and_the_hosts_cable_pulled", &["ip"]) {
        return;
    }
    let pair = Pair::new(&Settings { version: "6.44.6", b_setup: used_before(), ..Settings::default() });
    let plan = pair.plan();
    looked_at_alone(&pair);
    only_who_names_it_erases_it(&pair, &plan);
    let mut arguments = vec!["resume"];
    // On a busy machine a kill or a signal may come late: the run is further then, at the latest over and proved.
    let mut over = false;
    for (step, after) in [("b.reset", 200), ("b.wait-reset", 300)] {
        if over {
            break;
        }
        let mut run = Stream::start(&pair, &arguments);
        if run.until_started(step) {
            std::thread::sleep(Duration::from_millis(after));
            run.kill();
            let list = pair.jumplead(&["runs", "list"]).expect(0);
            over = list.out.contains("done");
            assert!(over || list.out.contains("resumable"), "killed in {step}: {}", list.out);
        } else {
            silent(run.end()).expect(0);
            over = true;
        }
        arguments = vec!["resume"];
    }
    // The terminal that it runs in is closed.
    if !over {
        let mut run = Stream::start(&pair, &arguments);
        if run.until_started("a.push") {
            run.process.signal("HUP");
        }
        let ended = silent(run.end());
        over = ended.code == Some(0);
        if !over {
            let ended = ended.expect(130);
            assert!(finished(&ended).contains("\"resumable\":true"), "{}", ended.out);
        }
    }
    if !over {
        let mut run = Stream::start(&pair, &arguments);
        if run.until_started("b.wait-standby") {
            pair.host_cable(false);
            std::thread::sleep(Duration::from_secs(3));
            pair.host_cable(true);
        }
        ridden_out_or_resumed(&pair, run);
    }
    proved(&pair);
    let left = pair.exec("edge-1/b", ":put [:len [/system script find name=nightly]]").expect(0);
    assert_eq!(left.out.trim(), "0", "nothing is left of the earlier use");
}
