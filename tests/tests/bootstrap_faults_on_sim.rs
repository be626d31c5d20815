//! When things go wrong on the way: nothing is lost, the wrong router is never touched, the run goes on or says why not.

mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bootstrap::event::{Changed, Event};
use bootstrap::exit::Exit;
use bootstrap::store::{SimFault, SimStore, Store as _};
use common::{Bench, Case, Part, simulated};
use lab::WireHandle;
use lab::pair::Topology;
use routeros::Secret;
use routersim::record::EventKind;

const VIA: Topology = Topology::BehindA;
const SEGMENT: Topology = Topology::OnSegment;

async fn ended(bench: &Bench, store: &SimStore) -> bootstrap::engine::RunEnd {
    match bench.process(store, |_| false).await {
        Part::Ended(end) => *end,
        Part::Killed => unreachable!(),
    }
}

/// What the product typed changed nothing on either router.
fn assert_untouched(bench: &Bench) {
    assert_eq!((bench.counts('A'), bench.counts('B')), ((0, 0), (0, 0)));
    for (who, event) in bench.events() {
        match event.kind {
            // A's own watch notes a dead HA cable in a file.
            EventKind::Config { menu, properties, .. }
                if who == 'A' && menu == "/file" && properties == ["contents"] => {}
            EventKind::Config { menu, verb, user, .. } => {
                assert!(user == "*sys" || event.at < bench.ready, "{who}: {verb} in {menu} by {user}");
            }
            EventKind::Asked { command, via, .. } => panic!("{who}: {command} via {via:?}"),
            _ => {}
        }
    }
}

#[test]
fn refusals_that_change_nothing() {
    type Break = fn(&mut Bench);
    let cases: [(&str, bool, Break, Exit, &str); 8] = [
        ("wrong mac", false, |b| b.site.b.ha_mac.0[5] = 0x0c, Exit::TimedOut, "routeros.hop"),
        (
            "wrong serial",
            false,
            |b| b.site.b.serial_number = Some("7F0999".into()),
            Exit::Preflight,
            "bootstrap.preflight",
        ),
        ("b's address is a's", false, |b| b.site.b.ha_mac = b.site.a.ha_mac, Exit::TimedOut, ""),
        ("wrong password of a", false, |b| b.secrets.a = Some(Secret::new("nope")), Exit::Login, "mactelnet.auth"),
        ("wrong password of b", true, |b| b.secrets.b = Some(Secret::new("nope")), Exit::Login, "routeros.login"),
        (
            "other ha password",
            false,
            |b| b.secrets.ha = Secret::new("Other-Pair_9"),
            Exit::Preflight,
            "bootstrap.preflight",
        ),
        ("no serial in the site file", true, |b| b.site.b.serial_number = None, Exit::Preflight, ""),
        ("cable out", false, |b| b.pair.ha_wire.cut(), Exit::TimedOut, ""),
    ];
    for (name, dirty, break_it, exit, code) in cases {
        simulated(|| async move {
            let mut bench = Bench::new(Case::new("7.18.2", VIA, dirty));
            break_it(&mut bench);
            let end = ended(&bench, &SimStore::default()).await;
            let failure = end.failure.clone().unwrap_or_else(|| panic!("{name}: {end:?}"));
            assert_eq!(end.exit, exit, "{name}: {failure:?}");
            assert!(failure.code.starts_with(code), "{name}: {failure:?}");
            assert_eq!(end.changed, Changed::None, "{name}");
            assert_eq!(failure.state, "nothing was changed", "{name}");
            assert!(!end.next.is_empty(), "{name}");
            assert_untouched(&bench);
        });
    }
}

/// Members the wrong way round: the plan would erase the active.
#[test]
fn the_active_is_never_the_target() {
    simulated(|| async {
        let mut bench = Bench::new(Case::new("7.18.2", SEGMENT, false));
        let site = &mut bench.site;
        std::mem::swap(&mut site.a, &mut site.b);
        bench.secrets.b = bench.secrets.a.clone();
        bench.secrets.a = Some(Secret::default());
        let end = ended(&bench, &SimStore::default()).await;
        assert_eq!(end.exit, Exit::Preflight, "{end:?}");
        let failure = end.failure.unwrap();
        assert!(failure.message.contains("b-is-not-active"), "{failure:?}");
        assert_untouched(&bench);
    });
}

/// The process dies right after each record it writes, and once more after the next one; a new one goes on.
fn killed_after_every(case: Case, parity: usize, step: usize) {
    let total = Rc::new(Cell::new(0));
    let mut nth = parity + 1;
    loop {
        let seen = Rc::clone(&total);
        let mut past_the_end = false;
        let end = &mut past_the_end;
        simulated(|| async move {
            let bench = Bench::new(case);
            let store = SimStore::default();
            let count = Rc::clone(&seen);
            count.set(0);
            let part = bench
                .process(&store, move |record| {
                    if matches!(record.event, Event::Waiting { .. }) {
                        return false;
                    }
                    count.set(count.get() + 1);
                    count.get() == nth
                })
                .await;
            if let Part::Ended(_) = part {
                *end = true;
                return;
            }
            store.crash(nth % 3);
            bench.until_done(&store).await;
            bench.assert_proved();
            let (erased, restored) = bench.counts('B');
            assert_eq!(erased, usize::from(case.dirty), "killed after record {nth}");
            assert!((1..=2).contains(&restored), "killed after record {nth}: restored {restored} times");
        });
        if past_the_end {
            return;
        }
        nth += step;
    }
}

/// Every other record, since each step writes more than one, spread over both topologies and both versions.
#[test]
fn killed_after_each_odd_record_through_a() {
    killed_after_every(Case::new("7.18.2", VIA, true), 0, 8);
    killed_after_every(Case::new("6.44.6", VIA, true), 4, 8);
}

#[test]
fn killed_after_each_odd_record_on_the_segment_between_those() {
    killed_after_every(Case::new("7.18.2", SEGMENT, true), 2, 8);
    killed_after_every(Case::new("6.44.6", SEGMENT, true), 6, 8);
}

/// What happens to the hardware when a step begins.
fn disturbed(case: Case, steps: &'static [&'static str], disturb: fn(&Bench)) {
    for step in steps {
        simulated(|| async move {
            let bench = Rc::new(Bench::new(case));
            let store = SimStore::default();
            let (other, done) = (Rc::clone(&bench), Cell::new(false));
            bench
                .process(&store, move |record| {
                    let now = matches!(&record.event, Event::StepStarted { step: s, .. } if s == step);
                    if now && !done.replace(true) {
                        disturb(&other);
                    }
                    false
                })
                .await;
            bench.until_done(&store).await;
            bench.assert_proved();
            let (erased, _) = bench.counts('B');
            assert_eq!(erased, usize::from(case.dirty), "disturbed in {step}");
        });
    }
}

const STEPS: &[&str] = &[
    "b.bootstrap-file",
    "b.reset",
    "b.wait-reset",
    "b.import",
    "a.reach-b",
    "a.push",
    "b.wait-standby",
    "pair.verify",
    "pair.clean",
];

/// Out for twenty seconds, as soon as the step is under way.
fn pulled(wire: &WireHandle) {
    let wire = wire.clone();
    tokio::task::spawn_local(async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        wire.cut();
        tokio::time::sleep(Duration::from_secs(20)).await;
        wire.restore();
    });
}

/// Behind the hand-off the cable is VRRP's only voice: see the test of the swapped roles.
#[test]
fn the_cable_between_both_is_pulled_for_twenty_seconds() {
    let steps = &["b.bootstrap-file", "b.import", "a.push", "b.wait-standby"];
    disturbed(Case::new("7.18.2", VIA, true), steps, |bench| pulled(&bench.pair.ha_wire));
}

/// With the host on the HA segment it is three cables: b's, a's, and the host's own. The steps are those that the other road's
/// cable was not pulled in, and those in which it is another matter.
#[test]
fn each_cable_of_the_segment_is_pulled_for_twenty_seconds() {
    let (old, new) = (Case::new("6.44.6", SEGMENT, true), Case::new("7.18.2", SEGMENT, true));
    disturbed(old, &["b.reset", "a.push"], |bench| pulled(&bench.pair.ha_wire_b));
    disturbed(new, &["b.wait-reset", "a.reach-b"], |bench| pulled(&bench.pair.ha_wire));
    disturbed(new, &["b.wait-standby"], |bench| pulled(&bench.pair.host_wire));
    disturbed(old, &["pair.verify"], |bench| pulled(&bench.pair.host_wire));
}

/// The line gives no sign of it: what is typed meanwhile is lost, and so is what the router says.
#[test]
fn the_serial_line_is_pulled_for_twenty_seconds_in_every_step() {
    let case = Case { road_b: Some("serial:///dev/b"), ..Case::new("7.22.1", VIA, true) };
    disturbed(case, STEPS, |bench| {
        let b = bench.pair.b.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(130)).await;
            b.with(|router, now| router.plug_serial(now, false));
            tokio::time::sleep(Duration::from_secs(20)).await;
            b.with(|router, now| router.plug_serial(now, true));
        });
    });
}

#[test]
fn killed_after_each_eighth_record_over_the_serial_line() {
    let case = Case { road_b: Some("serial:///dev/b"), ..Case::new("7.22.1", VIA, true) };
    killed_after_every(case, 1, 8);
}

/// Both are master while the cable is out, and of equals the higher address stays: B. The pair goes on with one active, the
/// run can't reach A behind its closed ports, and says what may have happened.
#[test]
fn a_cable_pulled_behind_the_hand_off_swaps_the_roles_and_the_run_says_so() {
    for step in ["pair.verify", "pair.clean"] {
        simulated(|| async move {
            let bench = Bench::new(Case::new("7.18.2", VIA, false));
            let (store, wire, once) = (SimStore::default(), bench.pair.ha_wire.clone(), Cell::new(false));
            let part = bench
                .process(&store, move |record| {
                    let begins = matches!(&record.event, Event::StepStarted { step: s, .. } if s == step);
                    if begins && !once.replace(true) {
                        let wire = wire.clone();
                        tokio::task::spawn_local(async move {
                            wire.cut();
                            tokio::time::sleep(Duration::from_secs(20)).await;
                            wire.restore();
                        });
                    }
                    false
                })
                .await;
            let Part::Ended(end) = part else { unreachable!() };
            tokio::time::sleep(Duration::from_secs(30)).await;
            let identity = |router| bench.single(router, "/system/identity", "name").unwrap();
            assert_eq!(identity(&bench.pair.b), "edge-1_HA_B_ACTIVE", "{step}");
            assert_eq!(identity(&bench.pair.a), "edge-1_HA_A_STANDBY", "{step}");
            assert_eq!(end.exit, Exit::StepFailed, "{step}: {end:?}");
            let failure = end.failure.unwrap();
            assert!(failure.hints.iter().any(|hint| hint.contains("b may be the active now")), "{step}: {failure:?}");
            assert!(failure.state.contains("does not answer; when last seen, "), "{step}: {failure:?}");
            assert_eq!(bench.counts('A'), (0, 0));
        });
    }
}

/// Off for five seconds.
fn power_of_b_fails(bench: &Bench) {
    let b = bench.pair.b.clone();
    tokio::task::spawn_local(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        b.with(routersim::router::Router::power_cut);
        tokio::time::sleep(Duration::from_secs(5)).await;
        b.with(routersim::router::Router::power_on);
    });
}

#[test]
fn b_loses_power_in_every_step() {
    let (via, segment) = (Case::new("7.18.2", VIA, true), Case::new("6.44.6", SEGMENT, true));
    disturbed(via, &["b.reset", "b.import", "a.push", "pair.verify"], power_of_b_fails);
    disturbed(
        segment,
        &["b.bootstrap-file", "b.wait-reset", "a.reach-b", "b.wait-standby", "pair.clean"],
        power_of_b_fails,
    );
}

/// B does not come back, behind its reset or behind its restore: the run ends, says so and what to do, and goes on when it is
/// there again. A stays what it was.
#[test]
fn a_restart_that_never_ends_is_said_and_gone_on_with() {
    for (step, code) in [("b.wait-reset", "bootstrap.wait.no-answer"), ("b.wait-standby", "bootstrap.wait.no-standby")]
    {
        simulated(|| async move {
            let bench = Bench::new(Case::new("7.18.2", VIA, true));
            let (store, b, once) = (SimStore::default(), bench.pair.b.clone(), Cell::new(false));
            let part = bench
                .process(&store, move |record| {
                    let begins = matches!(&record.event, Event::StepStarted { step: s, .. } if s == step);
                    if begins && !once.replace(true) {
                        b.with(routersim::router::Router::power_cut);
                    }
                    false
                })
                .await;
            let Part::Ended(end) = part else { unreachable!() };
            assert_eq!((end.exit, end.resumable), (Exit::StepFailed, true), "{end:?}");
            let failure = end.failure.unwrap();
            assert_eq!(failure.code, code, "{failure:?}");
            assert!(failure.state.contains("a is active") || failure.state.contains("a was the active"), "{failure:?}");
            assert!(failure.hints.iter().any(|hint| hint.contains("jumplead resume")), "{failure:?}");
            assert_eq!(bench.single(&bench.pair.a, "/system/identity", "name").as_deref(), Some("edge-1_HA_A_ACTIVE"));
            bench.pair.b.with(routersim::router::Router::power_on);
            bench.until_done(&store).await;
            bench.assert_proved();
            assert_eq!(bench.counts('B').0, 1, "{step}");
        });
    }
}

#[test]
fn two_runs_at_once_and_a_disk_that_fails() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", VIA, false));
        let store = SimStore::default();
        let held = store.clone().lock("edge-1").unwrap();
        let end = ended(&bench, &store).await;
        assert_eq!((end.exit, end.changed), (Exit::Locked, Changed::None));
        drop(held);
        for fault in [SimFault::ReadOnly, SimFault::FullAt(0), SimFault::FullAt(900)] {
            store.set_fault(fault);
            let end = ended(&bench, &store).await;
            assert_eq!((end.exit, end.changed), (Exit::Host, Changed::None), "{fault:?}");
            assert!(!end.failure.unwrap().hints.is_empty());
        }
        assert_untouched(&bench);
    });
}
