//! The real binary and a pair whose standby is reached over its serial console alone: a port, RFC 2217, plain TCP. Foreign
//! programs stand in between, as adapters and console servers do.

use std::collections::BTreeSet;
use std::time::Duration;

use jumplead_tests::console_server::{Server, Way};
use jumplead_tests::pair::{ADAPTER, Pair, Settings, used_before};
use jumplead_tests::run::{
    Round, Stream, each_is_hit, finished, killed_in_each, proved, ridden_out_or_resumed, silent,
};
use lab::netns::available;

/// All at once: what they do most is listen, at real lines in real time.
#[test]
fn over_serial_consoles() {
    let cases: [(&str, fn()); 5] = [
        (
            "over_a_port_from_dirty_to_proved_past_a_road_that_leads_nowhere",
            over_a_port_from_dirty_to_proved_past_a_road_that_leads_nowhere,
        ),
        ("over_rfc2217_killed_in_every_step", over_rfc2217_killed_in_every_step),
        (
            "over_plain_tcp_on_6_44_killed_in_every_step_of_a_reset",
            over_plain_tcp_on_6_44_killed_in_every_step_of_a_reset,
        ),
        ("the_adapter_is_unplugged_in_every_step", the_adapter_is_unplugged_in_every_step),
        (
            "a_road_that_dies_in_the_middle_is_followed_by_the_next",
            a_road_that_dies_in_the_middle_is_followed_by_the_next,
        ),
    ];
    std::thread::scope(|scope| {
        for (name, case) in cases {
            std::thread::Builder::new().name(name.into()).spawn_scoped(scope, case).unwrap();
        }
    });
}

/// The first road of the site file leads nowhere, the second one is B's serial console: it carries the whole job.
fn over_a_port_from_dirty_to_proved_past_a_road_that_leads_nowhere() {
    if !available("over_a_port_from_dirty_to_proved_past_a_road_that_leads_nowhere", &["ip"]) {
        return;
    }
    // A start of nine seconds: one of two may be over before a line whose speed is not known yet was opened.
    let pair = Pair::new(&Settings { b_setup: used_before(), time_scale: 0.15, ..Settings::default() });
    let line = pair.line_b();
    // Its speed is another one than the site file says, too.
    let road = format!("{line}?baud=9600");
    pair.site_reaching(&["tcp://127.0.0.1:9", &road], "ether8", "74:4D:28:00:00:0B", "7F0002");
    assert_eq!(pair.exec("edge-1/b", ":put [/system routerboard get serial-number]").expect(0).out.trim(), "7F0002");
    let plan = pair.plan();
    let run = silent(pair.jumplead(&["bootstrap", "edge-1", "--confirm", &plan, "-v"])).expect(0);
    assert!(run.err.contains(&format!("back on {road}")), "the road is named: {}", run.err);
    assert!(run.err.contains("the line's speed is 115200, not 9600: write ?baud=115200"), "{}", run.err);
    proved(&pair);
    let list = pair.jumplead(&["runs", "list"]).expect(0).out;
    let shown = pair.jumplead(&["runs", "show", list.split_whitespace().next().unwrap()]).expect(0);
    let start = shown.out.lines().find(|line| line.contains("b's start on serial://"));
    assert!(start.is_some_and(|line| line.contains("login at ")), "a start is in the journal: {}", shown.out);
}

/// B's console hangs on A's serial adapter, and B has no other road: looked at, asked, made the standby.
#[test]
fn on_a_serial_port_of_the_active() {
    if !available("on_a_serial_port_of_the_active", &["ip"]) {
        return;
    }
    let pair = Pair::new(&Settings { b_setup: used_before(), b_on_a: true, ..Settings::default() });
    let road = format!("via:a?port={ADAPTER}");
    pair.site_reaching(&[&road], "ether8", "74:4D:28:00:00:0B", "7F0002");
    let line = format!("via:edge-1/a?port={ADAPTER}");
    let serial = pair.exec(&line, ":put [/system routerboard get serial-number]").expect(0);
    assert_eq!(serial.out.trim(), "7F0002", "{}", serial.err);
    let told = pair.jumplead(&["--json", "diagnose", &line]).expect(0).out;
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["data"]["state"], "Configured", "{told}");
    let listened = pair.jumplead(&["diagnose", "--listen", &line]).expect(0);
    assert!(listened.out.contains("nothing was asked"), "{}", listened.out);
    // A port that the console of A has is not taken from it.
    let taken = pair.exec("via:edge-1/a?port=serial0", ":put 1");
    assert!(taken.err.contains("its port serial0 is used by Serial Console"), "{}", taken.err);
    assert!(taken.err.contains("/system console disable [find port=serial0]"), "{}", taken.err);
    let plan = pair.plan();
    let run = silent(pair.jumplead(&["bootstrap", "edge-1", "--confirm", &plan, "-v"])).expect(0);
    assert!(run.err.contains(&format!("back on {road}")), "the road is named: {}", run.err);
    proved(&pair);
}

/// Clean and dirty, the tool killed in every step. All that were begun come back, where the programs are there.
fn killed(test: &str, way: Way, settings: &Settings, moments: &[(&'static str, u64)]) -> Option<BTreeSet<String>> {
    available(test, &way.programs()).then(|| {
        each_is_hit(moments, |missing| {
            let pair = Pair::new(settings);
            let _server = Server::new(&pair, way);
            killed_in_each(&pair, missing)
        })
    })
}

fn named(moments: &[(&'static str, u64)]) -> BTreeSet<String> {
    moments.iter().map(|(step, _)| (*step).to_owned()).collect()
}

fn over_rfc2217_killed_in_every_step() {
    let moments = [
        ("b.bootstrap-file", 150),
        ("b.import", 300),
        ("a.reach-b", 0),
        ("a.push", 900),
        ("b.wait-standby", 500),
        ("pair.verify", 100),
        ("pair.clean", 0),
    ];
    let begun = killed("over_rfc2217_killed_in_every_step", Way::Rfc2217, &Settings::default(), &moments);
    assert!(begun.is_none_or(|begun| begun == named(&moments)), "each step that it has");
}

fn over_plain_tcp_on_6_44_killed_in_every_step_of_a_reset() {
    let settings = Settings { version: "6.44.6", b_setup: used_before(), ..Settings::default() };
    let moments = [("b.bootstrap-file", 700), ("b.reset", 150), ("b.wait-reset", 400), ("b.wait-standby", 1200)];
    let begun = killed("over_plain_tcp_on_6_44_killed_in_every_step_of_a_reset", Way::Raw, &settings, &moments);
    let of_b = |begun: &BTreeSet<String>| begun.iter().filter(|step| step.starts_with("b.")).cloned().collect();
    assert!(begun.as_ref().map(of_b).is_none_or(|begun: BTreeSet<_>| begun == named(&moments)), "{begun:?}");
}

/// What is between host and router is unplugged for a moment in every step that needs it.
fn the_adapter_is_unplugged_in_every_step() {
    let way = Way::Port;
    if !available("the_adapter_is_unplugged_in_every_step", &way.programs()) {
        return;
    }
    let moments = [
        ("b.bootstrap-file", 0),
        ("b.reset", 100),
        ("b.wait-reset", 200),
        ("b.wait-standby", 300),
        ("pair.verify", 0),
        ("pair.clean", 0),
    ];
    let begun = each_is_hit(&moments, |missing| {
        let pair = Pair::new(&Settings { b_setup: used_before(), ..Settings::default() });
        let mut server = Server::new(&pair, way);
        unplugged_in_each(&pair, &mut server, missing)
    });
    // What a does needs no road to b.
    let of_a = |step: &String| step.starts_with("a.");
    assert_eq!(begun.into_iter().filter(|step| !of_a(step)).collect::<BTreeSet<_>>(), named(&moments));
}

/// One run, resumed where a gap was too much for it, until the pair is proved.
fn unplugged_in_each(pair: &Pair, server: &mut Server<'_>, moments: &[(&'static str, u64)]) -> Round {
    let plan = pair.plan();
    let mut run = Stream::start(pair, &["bootstrap", "edge-1", "--confirm", &plan]);
    let mut round = Round::default();
    for (step, after) in moments {
        if !run.until_started(step) {
            round.begun.extend(run.begun());
            let list = pair.jumplead(&["runs", "list"]).expect(0);
            if list.out.contains("done") {
                break;
            }
            // The gap before this one stopped it.
            let ended = silent(run.end());
            assert!(finished(&ended).contains("\"resumable\":true"), "{}", ended.err);
            run = Stream::start(pair, &["resume"]);
            if !run.until_started(step) {
                break;
            }
        }
        if run.goes_on(step, Duration::from_millis(*after)) {
            round.hit.push(step);
        }
        server.unplug();
        std::thread::sleep(Duration::from_secs(1));
        server.plug();
    }
    round.begun.extend(ridden_out_or_resumed(pair, run));
    proved(pair);
    round
}

/// A console server dies for good in the middle: the next road of the site file is taken, in the same run.
fn a_road_that_dies_in_the_middle_is_followed_by_the_next() {
    let way = Way::Rfc2217;
    if !available("a_road_that_dies_in_the_middle_is_followed_by_the_next", &way.programs()) {
        return;
    }
    // A start of nine seconds: a busy machine may notice late that the step has begun.
    let pair = Pair::new(&Settings { b_setup: used_before(), time_scale: 0.15, ..Settings::default() });
    let mut server = Server::new(&pair, way);
    let (first, second) = (server.url(), pair.line_b());
    pair.site_reaching(&[&first, &second], "ether8", "74:4D:28:00:00:0B", "7F0002");
    let plan = pair.plan();
    let mut run = Stream::start(&pair, &["bootstrap", "edge-1", "--confirm", &plan]);
    assert!(run.until_started("b.wait-reset"), "{}", run.end().err);
    server.unplug();
    let ended = silent(run.end()).expect(0);
    assert!(ended.out.contains(&format!("back on {second}")), "{}", ended.out);
    proved(&pair);
}
