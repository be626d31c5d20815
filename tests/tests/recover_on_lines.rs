//! Rescues of a standby with the real binary, two simulated routers on one HA cable, over each kind of serial line. In each
//! procedure the tool is killed in one step, the line is pulled in another, and both fall elsewhere over the next line.

use std::time::{Duration, Instant};

use jumplead_tests::binary::Ended;
use jumplead_tests::console_server::{Server, Way};
use jumplead_tests::leak;
use jumplead_tests::pair::Pair;
use jumplead_tests::rescue::Blow::{Killed, Pulled};
use jumplead_tests::rescue::{
    Blow, fingerprint, is_quarantined, is_standby, named, over, planned, rescued, restarted, until,
};
use jumplead_tests::run::{Stream, silent};
use jumplead_tests::states;

type Case = fn(Way, &Pair, &mut Server<'_>);

/// All at once, each with a pair of its own: what they do most is listen, at real lines in real time.
fn over_each(test: &str, cases: &[(&str, Case)]) {
    std::thread::scope(|scope| {
        for way in Way::ALL {
            for (name, case) in cases {
                let run = move || over(test, way, |pair, server| case(way, pair, server));
                std::thread::Builder::new().name(format!("{name} over {way:?}")).spawn_scoped(scope, run).unwrap();
            }
        }
    });
}

/// One of three, by the road.
fn by<T>(way: Way, port: T, rfc2217: T, raw: T) -> T {
    match way {
        Way::Port => port,
        Way::Rfc2217 => rfc2217,
        Way::Raw => raw,
    }
}

type Blows = [(&'static str, Blow); 2];

/// A failed startup of ours: `ether3` is open, as an operator's try leaves it.
fn fails(pair: &Pair) {
    restarted(pair, states::PASSWORD_GONE, "FAILED - DATA PORTS CLOSED");
    pair.exec("edge-1/b", "/interface ethernet enable ether3").expect(0);
}

#[test]
fn rescues_of_our_scripts_over_each_kind_of_line() {
    over_each(
        "rescues_of_our_scripts_over_each_kind_of_line",
        &[
            ("repair", failed_is_repaired),
            ("quarantine", failed_is_quarantined),
            ("known-good, right-mac", known_good_then_right_mac),
            ("twice", twice_is_quarantined),
        ],
    );
}

fn failed_is_repaired(way: Way, pair: &Pair, server: &mut Server<'_>) {
    fails(pair);
    let blows: Blows = by(
        way,
        [("router.evidence", Pulled), ("router.startup", Killed)],
        [("router.close-ports", Killed), ("router.verify-standby", Pulled)],
        [("router.ha-user", Killed), ("router.startup", Pulled)],
    );
    rescued(pair, server, "repair", &blows);
    is_standby(pair);
    is_one_of_two_actives(pair, server);
    // F5 shows on it: the words and the count that its check leaves
    pair.exec("edge-1/b", "/log error \"ha_checkchanges: PAUSED, two pushes did not bring the standby in sync (x)\"")
        .expect(0);
    pair.exec("edge-1/b", "/file add name=HA_pushes.txt contents=2").expect(0);
    named(pair, server, "F5");
}

/// F4: the rescued standby takes over when the cable is pulled, and a, which nobody has told, stays the active. What is looked
/// at can't tell that, and says so, and that the cable stays out; the look changes nothing.
fn is_one_of_two_actives(pair: &Pair, server: &Server<'_>) {
    const ROLE: &str =
        "[/interface vrrp get [find name=HA_VRRP] master] . [:len [/interface ethernet find disabled=no]]";
    let role = |member| pair.exec(member, &format!(":put ({ROLE})")).expect(0).out.trim().to_owned();
    let two = || ["edge-1/a", "edge-1/b"].map(role);
    pair.ha_cable(false);
    // It opens its ports one after the other.
    until(pair, &format!("({ROLE}) = \"true8\""));
    assert_eq!(two(), ["true8"; 2]);
    let shown = named(pair, server, "X1");
    for words in ["whether the other one is active, too (F4), only a look at both shows", "don't plug the HA cable in"]
    {
        assert!(shown.contains(words), "{words} is not in {shown}");
    }
    assert_eq!(two(), ["true8"; 2], "the look leaves both as they were");
}

fn failed_is_quarantined(way: Way, pair: &Pair, server: &mut Server<'_>) {
    // F3: what runs its startup a second time in one start is a console that was started anew
    pair.exec("edge-1/b", "/system script run ha_startup").expect(0);
    named(pair, server, "F3");
    fails(pair);
    let blows: Blows = by(
        way,
        [("router.evidence", Killed), ("router.quarantine", Pulled)],
        [("router.close-ports", Pulled), ("router.quarantine", Killed)],
        [("router.evidence", Pulled), ("router.close-ports", Killed)],
    );
    rescued(pair, server, "quarantine", &blows);
    is_quarantined(pair);
}

fn known_good_then_right_mac(way: Way, pair: &Pair, server: &mut Server<'_>) {
    // the proved standby saves its own
    pair.exec("edge-1/b", "/system script run ha_saveown").expect(0);

    fails(pair);
    let blows: Blows = by(
        way,
        [("router.close-ports", Pulled), ("router.load-backup", Killed)],
        [("router.evidence", Killed), ("router.ha-user", Pulled)],
        [("router.load-backup", Pulled), ("router.verify-standby", Killed)],
    );
    rescued(pair, server, "known-good", &blows);
    is_standby(pair);

    restarted(pair, states::WRONG_MAC, "I AM UNKNOWN");
    let blows: Blows = by(
        way,
        [("router.ha-mac", Killed), ("router.verify-standby", Pulled)],
        [("router.evidence", Pulled), ("router.restart", Killed)],
        [("router.evidence", Killed), ("router.restart", Pulled)],
    );
    rescued(pair, server, "right-mac", &blows);
    is_standby(pair);
}

/// From here on a start is another one, by the clock of this host.
const ANOTHER_START: Duration = Duration::from_secs(95);

#[test]
fn rescues_of_stand_ins_over_each_kind_of_line() {
    over_each(
        "rescues_of_stand_ins_over_each_kind_of_line",
        &[("by hand", is_repaired_by_hand), ("the loop", the_loop_is_held), ("twice", twice_of_a_stand_in)],
    );
}

fn is_repaired_by_hand(way: Way, pair: &Pair, server: &mut Server<'_>) {
    // what repairs it by hand does not run its startup
    restarted(pair, &states::fails_at_once(), "FAILED - DATA PORTS CLOSED");
    pair.exec("edge-1/b", states::SILENT).expect(0);
    let blows: Blows = by(
        way,
        [("router.evidence", Killed), ("router.startup", Pulled)],
        [("router.evidence", Pulled), ("router.startup", Killed)],
        [("router.peer", Pulled), ("router.verify-standby", Killed)],
    );
    rescued(pair, server, "repair", &blows);
    is_standby(pair);
}

fn the_loop_is_held(way: Way, pair: &Pair, server: &mut Server<'_>) {
    pair.exec("edge-1/b", &states::loops()).expect(0);
    restarted(pair, states::WRONG_MAC, "I AM UNKNOWN");
    let blows: Blows = by(
        way,
        [("router.hold", Killed), ("router.restart", Pulled)],
        [("router.evidence-rest", Pulled), ("router.ha-mac", Killed)],
        [("router.evidence-rest", Killed), ("router.verify-standby", Pulled)],
    );
    rescued(pair, server, "right-mac", &blows);
    is_standby(pair);
}

fn twice_is_quarantined(way: Way, pair: &Pair, server: &mut Server<'_>) {
    fails_twice(way, pair, server, states::PASSWORD_GONE);
}

fn twice_of_a_stand_in(way: Way, pair: &Pair, server: &mut Server<'_>) {
    fails_twice(way, pair, server, &states::fails_at_once());
}

fn fails_twice(way: Way, pair: &Pair, server: &mut Server<'_>, fault: &str) {
    restarted(pair, fault, "FAILED - DATA PORTS CLOSED");
    let first = Instant::now();
    rescued(pair, server, "leave", &[]);
    std::thread::sleep(ANOTHER_START.saturating_sub(first.elapsed()));
    restarted(pair, "", "FAILED - DATA PORTS CLOSED");
    planned(pair, "repair").refused(5, "recover.twice");
    planned(pair, "known-good").refused(5, "recover.twice");
    let blows: Blows = by(
        way,
        [("router.evidence", Pulled), ("router.quarantine", Killed)],
        [("router.evidence", Killed), ("router.quarantine", Pulled)],
        [("router.evidence", Killed), ("router.quarantine", Killed)],
    );
    pair.exec("edge-1/b", "/log warning \"this life\"").expect(0);
    rescued(pair, server, "quarantine", &blows);
    is_quarantined(pair);
    until(pair, "[:len [/log find message=\"this life\"]] = 1");
}

/// A new HA password over a port of this host, which nobody overhears: on both members, the tool killed between the two.
#[test]
fn another_ha_password_over_a_port() {
    const NEW: &str = "Pl4nted-New-Medlar.88";
    over("another_ha_password_over_a_port", Way::Port, |pair, _| {
        let with = |words: &[&str]| {
            let mut command = pair.command(words);
            command.env("NEW_HA", NEW);
            command
        };
        let words = ["recover", "edge-1/b", "ha-password", "--new-ha-password", "env:NEW_HA"];
        let planned: Ended = with(&[&words[..], &["--plan-only"]].concat()).output().unwrap().into();
        let known = fingerprint(&silent(planned).expect(0));
        let mut run = Stream::of(with(&[&["--json"][..], &words, &["--confirm", &known]].concat()));
        assert!(run.until_started("peer.ha-password"));
        run.kill();
        let ended: Ended = with(&["resume"]).output().unwrap().into();
        let ended = silent(ended).expect(0);
        assert!(ended.err.contains("the active asked the standby with it"), "{}", ended.err);
        for member in ["edge-1/a", "edge-1/b"] {
            let asked = format!(":put ([/ppp secret get [find name=HA_PASSWORD] password] = \"{NEW}\")");
            assert_eq!(pair.exec(member, &asked).expect(0).out.trim(), "true", "{member}");
        }
        assert!(leak::none_below(&pair.home(), &[NEW]) > 2, "there was something to search");
    });
}
