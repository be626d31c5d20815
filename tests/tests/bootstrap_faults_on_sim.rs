//! When things go wrong on the way: nothing is lost, the wrong router is never touched, the run goes on or says why not.

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bootstrap::event::{Changed, Event};
use bootstrap::exit::Exit;
use bootstrap::store::{SimFault, SimStore, Store as _};
use bootstrap::target::TargetUrl;
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
        ("b's address is a's", false, |b| b.site.b.ha_mac = b.site.a.ha_mac, Exit::TimedOut, "routeros.hop.refused"),
        ("wrong password of a", false, |b| b.secrets.a = Some(Secret::new("nope")), Exit::Login, "mactelnet.auth"),
        ("wrong password of b", true, |b| b.secrets.b = Some(Secret::new("nope")), Exit::Login, "routeros.login"),
        (
            "other ha password",
            false,
            |b| b.secrets.ha = Secret::new("Other-Pair_9"),
            Exit::Preflight,
            "bootstrap.preflight",
        ),
        ("no serial in the site file", true, |b| b.site.b.serial_number = None, Exit::Preflight, "bootstrap.preflight"),
        ("cable out", false, |b| b.pair.ha_wire.cut(), Exit::TimedOut, "routeros.hop.refused"),
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

/// Scripts that were imported and never installed can't be run: it is a check that says so, before any of them is.
#[test]
fn an_active_whose_scripts_were_never_installed_is_told_how() {
    simulated(|| async {
        for (taken, found, hint) in [
            ("ha_config_base", "$HAInstall was not run", "$HAInstall interface="),
            ("ha_pushbackup", "missing on a: ha_pushbackup", "jumplead ha render > HA_init.rsc"),
        ] {
            let mut bench = Bench::new(Case::new("7.18.2", VIA, false));
            let line = format!("/system script remove {taken}");
            bench.pair.a.with(|router, now| router.start_script(now, "admin", &line)).unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            bench.ready = bench.pair.world.now();
            let end = ended(&bench, &SimStore::default()).await;
            let failure = end.failure.clone().unwrap();
            assert_eq!((end.exit, failure.code.as_str()), (Exit::Preflight, "bootstrap.preflight"), "{failure:?}");
            assert!(failure.message.contains("a-ha-scripts"), "{failure:?}");
            assert!(failure.causes.iter().any(|cause| cause.contains(found)), "{failure:?}");
            assert!(failure.hints.iter().any(|line| line.contains(hint)), "{failure:?}");
            assert_untouched(&bench);
        }
    });
}

/// Somebody answers, at the very address or on the very line, and is another router: its burnt-in address is not the one in the
/// site file.
#[test]
fn a_router_that_answers_in_b_s_place_is_left_alone() {
    for (topology, road_b) in [(VIA, None), (SEGMENT, None), (VIA, Some("serial:///dev/b"))] {
        simulated(|| async move {
            let case = Case { road_b, ..Case::new("7.18.2", topology, false) };
            let mut settings = case.settings();
            settings.b.setup.push_str("/interface ethernet set ether8 mac-address=74:4D:28:00:00:0C\n");
            let mut bench = Bench::with(case, settings);
            bench.site.b.ha_mac.0[5] = 0x0c;
            for road in &mut bench.site.b.reach {
                // It was filled in when the file was read.
                if let TargetUrl::Mac { mac, .. } = road {
                    *mac = Some(bench.site.b.ha_mac);
                }
            }
            let end = ended(&bench, &SimStore::default()).await;
            let failure = end.failure.clone().unwrap_or_else(|| panic!("{road_b:?}: {end:?}"));
            assert_eq!((end.exit, end.changed), (Exit::Preflight, Changed::None), "{road_b:?}: {failure:?}");
            assert_eq!(failure.code, "routeros.proof.wrong-router", "{road_b:?}: {failure:?}");
            assert!(failure.message.contains("74:4D:28:00:00:0B"), "who it is: {failure:?}");
            assert_eq!(failure.state, "nothing was changed", "{road_b:?}");
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

/// What happens to the hardware when a step begins, in a run for each of them. The steps that a run has come back.
fn disturbed(case: Case, steps: &[&'static str], disturb: fn(&Bench)) -> Vec<String> {
    let begun = Rc::new(RefCell::new(Vec::new()));
    for step in steps.iter().copied() {
        let begun = Rc::clone(&begun);
        begun.borrow_mut().clear();
        simulated(|| async move {
            let bench = Rc::new(Bench::new(case));
            let store = SimStore::default();
            let (other, done) = (Rc::clone(&bench), Rc::new(Cell::new(false)));
            let once = Rc::clone(&done);
            bench
                .process(&store, move |record| {
                    if let Event::StepStarted { step: id, .. } = &record.event {
                        begun.borrow_mut().push(id.clone());
                        if id == step && !once.replace(true) {
                            disturb(&other);
                        }
                    }
                    false
                })
                .await;
            assert!(done.get(), "{step} was not begun: nothing was disturbed");
            bench.until_done(&store).await;
            bench.assert_proved();
            let (erased, _) = bench.counts('B');
            assert_eq!(erased, usize::from(case.dirty), "disturbed in {step}");
        });
    }
    begun.take()
}

/// Of a B that is erased first, and of one that is erased already: what it runs behind its reset is imported there.
const STEPS: [&str; 8] = [
    "b.bootstrap-file",
    "b.reset",
    "b.wait-reset",
    "a.reach-b",
    "a.push",
    "b.wait-standby",
    "pair.verify",
    "pair.clean",
];
const ONLY_CLEAN: [&str; 1] = ["b.import"];

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
    disturbed(Case::new("7.18.2", VIA, true), &STEPS[..6], |bench| pulled(&bench.pair.ha_wire));
    disturbed(Case::new("7.18.2", VIA, false), &ONLY_CLEAN, |bench| pulled(&bench.pair.ha_wire));
}

/// With the host on the HA segment it is three cables: b's, a's, and the host's own.
#[test]
fn each_cable_of_the_segment_is_pulled_for_twenty_seconds() {
    let (old, new) = (Case::new("6.44.6", SEGMENT, true), Case::new("7.18.2", SEGMENT, true));
    disturbed(old, &["b.reset", "a.push"], |bench| pulled(&bench.pair.ha_wire_b));
    disturbed(Case { dirty: false, ..old }, &ONLY_CLEAN, |bench| pulled(&bench.pair.ha_wire_b));
    disturbed(new, &["b.wait-reset", "a.reach-b"], |bench| pulled(&bench.pair.ha_wire));
    disturbed(new, &["b.bootstrap-file", "b.wait-standby", "pair.clean"], |bench| pulled(&bench.pair.host_wire));
    disturbed(old, &["pair.verify"], |bench| pulled(&bench.pair.host_wire));
}

#[test]
fn the_serial_line_is_pulled_for_twenty_seconds_in_every_step() {
    let case = Case { road_b: Some("serial:///dev/b"), ..Case::new("7.22.1", VIA, true) };
    let had = disturbed(case, &STEPS, Bench::pull_serial_of_b);
    assert_eq!(had, STEPS, "each step of its plan was one of them");
    let had = disturbed(Case { dirty: false, ..case }, &ONLY_CLEAN, Bench::pull_serial_of_b);
    assert!(had.iter().all(|step| STEPS.contains(&step.as_str()) || ONLY_CLEAN.contains(&step.as_str())), "{had:?}");
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
    let on = |of: &[usize]| of.iter().map(|at| STEPS[*at]).collect::<Vec<_>>();
    disturbed(via, &on(&[1, 4, 6]), power_of_b_fails);
    let had = disturbed(segment, &on(&[0, 2, 3, 5, 7]), power_of_b_fails);
    assert_eq!(had, STEPS, "each step of the plan was one of them");
    disturbed(Case { dirty: false, ..via }, &ONLY_CLEAN, power_of_b_fails);
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

/// What somebody else does in the middle of a run, by the code that the run ends with; and what takes it back.
struct Meddled {
    dirty: bool,
    step: &'static str,
    on: char,
    script: &'static str,
    exit: Exit,
    code: &'static str,
    state: &'static str,
    mend: &'static str,
}

/// The run ends and says what it found, what state things are in and what to type; that goes on to the proved pair.
#[test]
fn what_others_change_in_the_middle_is_named_and_gone_on_with() {
    let cases = [
        Meddled {
            dirty: true,
            step: "b.reset",
            on: 'b',
            script: "/file remove [find name~\"jumplead\"]",
            exit: Exit::StepFailed,
            code: "bootstrap.file.gone",
            state: "b",
            mend: "",
        },
        Meddled {
            dirty: false,
            step: "a.reach-b",
            on: 'b',
            script: "/ip service set ftp disabled=yes",
            exit: Exit::StepFailed,
            code: "bootstrap.handoff.unreachable",
            state: "a is active",
            mend: "/ip service set ftp disabled=no",
        },
        Meddled {
            dirty: false,
            step: "a.push",
            on: 'a',
            script: "/interface vrrp disable [find]",
            exit: Exit::StepFailed,
            code: "bootstrap.handoff.not-active",
            state: "b is bootstrapped",
            mend: "/interface vrrp enable [find]",
        },
        // What b has is the pair's last copy then.
        Meddled {
            dirty: true,
            step: "b.bootstrap-file",
            on: 'a',
            script: "/interface vrrp disable [find]",
            exit: Exit::StepFailed,
            code: "bootstrap.handoff.not-active",
            state: "b",
            mend: "/interface vrrp enable [find]",
        },
        Meddled {
            dirty: true,
            step: "b.reset",
            on: 'b',
            script: "/user add name=others group=full password=Other-User_4; /user set [find name=admin] group=read",
            exit: Exit::StepFailed,
            code: "bootstrap.reset.no-effect",
            state: "b is as it was",
            mend: "/user set [find name=admin] group=full; /user remove [find name=others]",
        },
        Meddled {
            dirty: false,
            step: "b.import",
            on: 'b',
            script: "/ip address add address=192.0.2.9/24 interface=ether2",
            exit: Exit::StepFailed,
            code: "bootstrap.state.moved",
            state: "b",
            mend: "/ip address remove [find address=\"192.0.2.9/24\"]",
        },
        Meddled {
            dirty: false,
            step: "a.push",
            on: 'a',
            script: "/system script set [find name=ha_pushbackup] name=gone",
            exit: Exit::StepFailed,
            code: "bootstrap.handoff.push",
            state: "a is active",
            mend: "/system script set [find name=gone] name=ha_pushbackup",
        },
        Meddled {
            dirty: false,
            step: "a.push",
            on: 'b',
            script: ":for i from=1 to=600 do={ /file remove [find name~\"backup\"]; :delay 300ms }",
            exit: Exit::StepFailed,
            code: "bootstrap.handoff.restore-refused",
            state: "a is active",
            mend: "/system script job remove [find]",
        },
        Meddled {
            dirty: false,
            step: "pair.verify",
            on: 'b',
            // Again and again: b's own watch shuts a port that is open on a standby.
            script: ":for i from=1 to=900 do={ /interface ethernet enable ether3; :delay 300ms }",
            exit: Exit::EndCheck,
            code: "bootstrap.verify",
            state: "b",
            mend: "/system script job remove [find]; /interface ethernet disable ether3",
        },
        Meddled {
            dirty: false,
            step: "pair.verify",
            on: 'b',
            script: ":global was; :if ([:typeof $was] = \"nothing\") do={ :set was [/file get HA_config-version.txt contents] }; \
                     /file set HA_config-version.txt contents=(\"not \" . $was)",
            exit: Exit::EndCheck,
            code: "bootstrap.verify",
            state: "b",
            mend: ":global was; /file set HA_config-version.txt contents=$was",
        },
    ];
    for case in cases {
        simulated(|| async move {
            let bench = Bench::new(Case::new("7.18.2", VIA, case.dirty));
            let store = SimStore::default();
            let meddled = if case.on == 'a' { bench.pair.a.clone() } else { bench.pair.b.clone() };
            let act = move |by, text: &'static str| meddled.with(|router, now| router.start_script(now, by, text));
            let first = act.clone();
            let part = bench
                .process(&store, move |record| {
                    // Before every try: a run that can put it right itself does.
                    if matches!(&record.event, Event::StepStarted { step: s, .. } if s == case.step) {
                        first("admin", case.script).unwrap();
                    }
                    false
                })
                .await;
            let Part::Ended(end) = part else { unreachable!() };
            let failure = end.failure.clone().unwrap_or_else(|| panic!("{} did not come", case.code));
            assert_eq!((end.exit, failure.code.as_str()), (case.exit, case.code), "{end:?}");
            assert!(failure.state.contains(case.state), "{failure:?}");
            assert!(failure.hints.iter().any(|hint| hint.contains("jumplead resume")), "{failure:?}");
            if case.code == "bootstrap.state.moved" {
                let anew = "make a new plan:  jumplead bootstrap edge-1 --plan-only";
                assert!(failure.hints.iter().any(|hint| hint == anew), "{failure:?}");
            }
            // The others' own user, where they took the rights of ours.
            act(if case.script.contains("name=others") { "others" } else { "admin" }, case.mend).unwrap();
            bench.until_done(&store).await;
            bench.assert_proved();
            assert_eq!(bench.counts('A'), (0, 0), "{}", case.code);
            assert!(bench.counts('B').0 <= usize::from(case.dirty), "{}", case.code);
        });
    }
}

/// A run that was left before the reset, and a B that was put to use since: it is not erased, also where it is still
/// configured; as it was shown, it is.
#[test]
fn what_is_erased_is_what_was_shown() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", VIA, true));
        let store = SimStore::default();
        let left = bench.process(
            &store,
            |record| matches!(&record.event, Event::StepCompleted { step, .. } if step == "b.bootstrap-file"),
        );
        assert!(matches!(left.await, Part::Killed));
        let used = |script: &str| bench.pair.b.with(|router, now| router.start_script(now, "admin", script)).unwrap();
        used("/ip address add address=192.0.2.9/24 interface=ether2");
        let end = ended(&bench, &store).await;
        let failure = end.failure.unwrap();
        assert_eq!((failure.code.as_str(), end.resumable), ("bootstrap.state.moved", true), "{failure:?}");
        assert!(failure.message.contains("2 addresses") && failure.message.contains("3 addresses"), "{failure:?}");
        let hints = &failure.hints;
        assert!(hints.iter().any(|hint| hint.ends_with("  jumplead bootstrap edge-1 --plan-only")), "{hints:?}");
        assert_eq!(bench.counts('B'), (0, 0));
        used("/ip address remove [find address=\"192.0.2.9/24\"]");
        bench.until_done(&store).await;
        bench.assert_proved();
    });
}

/// The HA cable comes out while b restarts with a's configuration: both are active then, and that is what is said, at once.
#[test]
fn two_actives_are_not_called_one() {
    simulated(|| async {
        let road = Some("serial:///dev/b");
        let bench = Bench::new(Case { road_b: road, ..Case::new("7.18.2", Topology::BehindA, false) });
        let store = SimStore::default();
        let wire = bench.pair.ha_wire.clone();
        let part = bench
            .process(&store, move |record| {
                if matches!(&record.event, Event::StepStarted { step, .. } if step == "b.wait-standby") {
                    wire.cut();
                }
                false
            })
            .await;
        let Part::Ended(end) = part else { unreachable!() };
        let failure = end.failure.unwrap();
        // It came back as the standby, and heard nothing of a then.
        let codes = ["bootstrap.wait.b-active", "bootstrap.verify"];
        assert!(end.exit == Exit::EndCheck && codes.contains(&failure.code.as_str()), "{failure:?}");
        assert!(failure.hints.iter().any(|hint| hint.contains("pull b's data cables first")), "{failure:?}");
    });
}

/// Bootstrapped once, for another HA password: its user is given this pair's.
#[test]
fn a_member_that_was_bootstrapped_for_another_password_is_taken_in() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", VIA, false));
        let other = "/user add name=ha group=full password=\"Other-Pair.Key_77\"";
        bench.pair.b.with(|router, now| router.start_script(now, "admin", other)).unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let end = ended(&bench, &SimStore::default()).await;
        assert_eq!(end.exit, Exit::Done, "{end:?}");
        bench.assert_proved();
        assert_eq!(bench.counts('B').0, 0, "nothing is erased for it");
    });
}

/// In the moment between the last look and the line of the reset B becomes an active: the line itself looks, and refuses.
#[test]
fn a_reset_that_finds_the_active_is_refused_on_its_own_line() {
    simulated(|| async {
        let case = Case { road_b: Some("serial:///dev/b"), ..Case::new("7.18.2", VIA, true) };
        let mut settings = case.settings();
        // Of no pair that a could be in: nobody else speaks there.
        settings.b.setup.push_str("/interface vrrp add name=HA_VRRP interface=ether8 vrid=99 disabled=yes\n");
        let bench = Bench::with(case, settings);
        let (pair, store, once) = (Rc::clone(&bench.pair), SimStore::default(), Cell::new(false));
        let part = bench
            .process(&store, move |record| {
                let now = matches!(&record.event, Event::StepStarted { step, .. } if step == "b.reset");
                if now && !once.replace(true) {
                    let on = "/interface vrrp enable HA_VRRP";
                    pair.b.with(|router, now| router.start_script(now, "admin", on)).unwrap();
                    pair.world.run_until(pair.world.now() + Duration::from_secs(6));
                }
                false
            })
            .await;
        let Part::Ended(end) = part else { unreachable!() };
        let failure = end.failure.clone().unwrap_or_else(|| panic!("{end:?}"));
        assert_eq!((end.exit, failure.code.as_str()), (Exit::StepFailed, "bootstrap.state.moved"), "{failure:?}");
        assert_eq!(failure.message, "b is active now; nothing was erased");
        assert!(failure.state.contains("b is as it was"), "{failure:?}");
        assert!(
            failure.hints.iter().any(|hint| hint.ends_with("  jumplead bootstrap edge-1 --plan-only")),
            "{failure:?}"
        );
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(bench.counts('B'), (0, 0));
    });
}

/// A number that the site file names and the router does not say proves nothing: it is not erased. Where nothing is erased the
/// address of the HA port is enough, and the number is counted as missing.
#[test]
fn a_serial_number_that_the_router_hides() {
    for dirty in [true, false] {
        simulated(|| async move {
            let case = Case::new("7.18.2", VIA, dirty);
            let mut settings = case.settings();
            settings.b.serial_number = String::new();
            let bench = Bench::with(case, settings);
            let end = ended(&bench, &SimStore::default()).await;
            if !dirty {
                assert_eq!(end.exit, Exit::Done, "{end:?}");
                return bench.assert_proved();
            }
            let failure = end.failure.unwrap();
            assert_eq!((end.exit, failure.code.as_str()), (Exit::Preflight, "bootstrap.preflight"), "{failure:?}");
            let says = "the site file names its serial number, and b says none";
            assert!(failure.causes.iter().any(|cause| cause.contains("b-serial-number-known") && cause.contains(says)));
            assert!(failure.hints.iter().any(|hint| hint.contains("/system routerboard print")), "{failure:?}");
            assert_untouched(&bench);
        });
    }
}
