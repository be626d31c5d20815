//! The real binary and a pair whose standby is reached over its serial console alone: a port, RFC 2217, plain TCP. Foreign
//! programs stand in between, as adapters and console servers do.

use std::time::Duration;

use jumplead_tests::console_server::{Server, Way};
use jumplead_tests::pair::{ADAPTER, Pair, Settings, used_before};
use jumplead_tests::run::{Stream, killed_in_each, proved, ridden_out_or_resumed, silent};
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

/// Clean and dirty, the tool killed in every step.
fn killed(test: &str, way: Way, settings: &Settings, moments: &[(&str, u64)]) {
    if !available(test, &way.programs()) {
        return;
    }
    let pair = Pair::new(settings);
    let _server = Server::new(&pair, way);
    killed_in_each(&pair, moments);
}

fn over_rfc2217_killed_in_every_step() {
    let moments = [
        ("b.bootstrap-file", 150),
        ("b.import", 300),
        ("a.push", 900),
        ("b.wait-standby", 500),
        ("pair.verify", 100),
        ("pair.clean", 0),
    ];
    killed("over_rfc2217_killed_in_every_step", Way::Rfc2217, &Settings::default(), &moments);
}

fn over_plain_tcp_on_6_44_killed_in_every_step_of_a_reset() {
    let settings = Settings { version: "6.44.6", b_setup: used_before(), ..Settings::default() };
    let moments = [("b.bootstrap-file", 700), ("b.reset", 150), ("b.wait-reset", 400), ("b.wait-standby", 1200)];
    killed("over_plain_tcp_on_6_44_killed_in_every_step_of_a_reset", Way::Raw, &settings, &moments);
}

/// What is between host and router is unplugged for a moment in every step that needs it, of one run after the other.
fn the_adapter_is_unplugged_in_every_step() {
    let way = Way::Port;
    if !available("the_adapter_is_unplugged_in_every_step", &way.programs()) {
        return;
    }
    let pair = Pair::new(&Settings { b_setup: used_before(), ..Settings::default() });
    let mut server = Server::new(&pair, way);
    let plan = pair.plan();
    let mut run = Stream::start(&pair, &["bootstrap", "edge-1", "--confirm", &plan]);
    let steps = ["b.bootstrap-file", "b.reset", "b.wait-reset", "b.wait-standby", "pair.verify", "pair.clean"];
    for (number, step) in steps.into_iter().enumerate() {
        // On a busy machine a step may be over before the one before it was seen.
        if !run.until_started(step) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100 * number as u64));
        server.unplug();
        std::thread::sleep(Duration::from_secs(1));
        server.plug();
    }
    ridden_out_or_resumed(&pair, run);
    proved(&pair);
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
