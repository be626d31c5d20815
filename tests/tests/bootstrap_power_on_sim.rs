//! A's power goes, anybody's power goes at any moment, the disk fills up at any record; and a seed repeats its story.

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bootstrap::engine::RunEnd;
use bootstrap::event::Event;
use bootstrap::exit::Exit;
use bootstrap::store::{SimFault, SimStore, Store as _};
use common::{Bench, Case, Part, simulated};
use lab::NodeHandle;
use lab::pair::Topology;
use mactelnet::rng::SeededRng;
use routersim::record::{EventKind, Via};
use routersim::router::Router;

const VIA: Topology = Topology::BehindA;

/// A boot of either router and the start of its scripts, with room to spare.
const BOOT: Duration = Duration::from_secs(150);
/// New processes until a run is over or nothing moves any more.
const PROCESSES: usize = 4;

/// Which seeds, of a claim about many: the first few, or as many as the variable says (`cargo xtask simulate`).
fn seeds(few: u64) -> std::ops::Range<u64> {
    1..1 + std::env::var("JUMPLEAD_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

/// A few steps, or all where the sweep was asked for.
fn some(few: &'static [&'static str], all: &'static [&'static str]) -> &'static [&'static str] {
    if std::env::var_os("JUMPLEAD_SEEDS").is_some() { all } else { few }
}

/// Off for five seconds, `after` this long.
fn power_fails(router: &NodeHandle<Router>, after: Duration) {
    let router = router.clone();
    tokio::task::spawn_local(async move {
        tokio::time::sleep(after).await;
        router.with(Router::power_cut);
        tokio::time::sleep(Duration::from_secs(5)).await;
        router.with(Router::power_on);
    });
}

/// New processes until the run is done, or says for the last time why not.
async fn until_over(bench: &Bench, store: &SimStore) -> RunEnd {
    let mut last = None;
    for _ in 0..PROCESSES {
        let Part::Ended(end) = bench.process(store, |_| false).await else { unreachable!() };
        if end.exit == Exit::Done {
            return *end;
        }
        last = Some(*end);
        tokio::time::sleep(BOOT).await;
    }
    last.unwrap()
}

/// Goes on after a disturbed first process, checks what must be so, and says how it went.
async fn gone_on(bench: &Bench, store: &SimStore, first: RunEnd, what: &str) -> RunEnd {
    let began = first.exit;
    let end = if began == Exit::Done {
        first
    } else {
        tokio::time::sleep(BOOT).await;
        until_over(bench, store).await
    };
    println!("{what}: {began:?}, in the end {:?}; active: {:?}", end.exit, actives(bench));
    assert_nothing_lost(bench, &end, what);
    end
}

/// What must be so however a disturbed run ended.
fn assert_nothing_lost(bench: &Bench, end: &RunEnd, what: &str) {
    assert_eq!(bench.counts('A').0, 0, "{what}: the active is never erased");
    for (_, event) in bench.events().iter().filter(|(who, _)| *who == 'A') {
        if let EventKind::Asked { command, user, via } = &event.kind {
            // A pair whose roles were swapped gives A what B has: its own sync, not the run.
            assert!(user == "ha" && *via == Via::AutoRsc, "{what}: {command} on a by {user} via {via:?}");
        }
    }
    let (erased, restored) = bench.counts('B');
    assert!(erased <= usize::from(bench.case.dirty), "{what}: b was erased {erased} times");
    assert!(restored <= 2, "{what}: b was restored {restored} times");
    if end.exit == Exit::Done {
        bench.assert_proved();
        return;
    }
    let failure = end.failure.as_ref().unwrap_or_else(|| panic!("{what}: {end:?}"));
    assert!(matches!(end.exit, Exit::StepFailed | Exit::Stuck | Exit::EndCheck), "{what}: {end:?}");
    assert!(!failure.state.is_empty() && !failure.hints.is_empty(), "{what}: {failure:?}");
    assert!(end.next.starts_with("jumplead "), "{what}: {end:?}");
}

/// Who is the active by its own identity.
fn actives(bench: &Bench) -> Vec<char> {
    let active =
        |router| bench.single(router, "/system/identity", "name").is_some_and(|name| name.ends_with("_ACTIVE"));
    [('A', &bench.pair.a), ('B', &bench.pair.b)].into_iter().filter(|(_, r)| active(r)).map(|(who, _)| who).collect()
}

/// One process; `disturb` once when this step begins.
async fn disturbed(
    bench: &Rc<Bench>,
    store: &SimStore,
    step: &'static str,
    disturb: impl Fn(&Bench) + 'static,
) -> RunEnd {
    let (other, done) = (Rc::clone(bench), Rc::new(Cell::new(false)));
    let once = Rc::clone(&done);
    let part = bench
        .process(store, move |record| {
            if matches!(&record.event, Event::StepStarted { step: s, .. } if s == step) && !once.replace(true) {
                disturb(&other);
            }
            false
        })
        .await;
    assert!(done.get(), "{step} was not begun: nothing was disturbed");
    let Part::Ended(end) = part else { unreachable!() };
    *end
}

fn a_loses_power(dirty: bool, steps: &'static [&'static str]) {
    for step in steps {
        simulated(|| async move {
            let bench = Rc::new(Bench::new(Case::new("7.18.2", VIA, dirty)));
            let store = SimStore::default();
            let first =
                disturbed(&bench, &store, step, |bench| power_fails(&bench.pair.a, Duration::from_millis(50))).await;
            let end = gone_on(&bench, &store, first, step).await;
            if end.exit != Exit::Done {
                let failure = end.failure.unwrap();
                assert!(
                    failure.hints.iter().any(|hint| hint.contains("b may be the active now")),
                    "{step}: {failure:?}"
                );
                assert_eq!(actives(&bench), ['B'], "{step}");
            }
        });
    }
}

#[test]
fn a_loses_power_while_b_waits_for_it() {
    a_loses_power(
        false,
        some(&["b.import"], &["b.bootstrap-file", "b.import", "a.reach-b", "a.push", "b.wait-standby"]),
    );
    a_loses_power(true, some(&[], &["b.bootstrap-file", "b.reset", "b.wait-reset", "a.push", "b.wait-standby"]));
}

/// B is the only active by then, and stays it: the pair goes on with its roles swapped, and the run says so.
#[test]
fn a_loses_power_when_b_can_take_over() {
    a_loses_power(false, some(&["pair.verify"], &["pair.verify", "pair.clean"]));
}

/// In the middle of whatever is going on: a router, or the cable between both, is gone at some moment of the run.
#[test]
fn power_cuts_at_seeded_moments() {
    for seed in seeds(2) {
        simulated(|| async move {
            let case = Case { seed, ..Case::new("7.18.2", VIA, seed.is_multiple_of(2)) };
            let bench = Rc::new(Bench::new(case));
            let store = SimStore::default();
            let mut rng = SeededRng::new(&[7; 32], &format!("moment {seed}"));
            let [who, high, low] = rng.bytes::<3>();
            // A whole run takes about two minutes of router time, most of them waiting for B.
            let after = Duration::from_millis(u64::from(u16::from_be_bytes([high, low])) * 2);
            let what = format!("seed {seed}: {} off after {after:?}", if who & 1 == 0 { 'A' } else { 'B' });
            power_fails(if who & 1 == 0 { &bench.pair.a } else { &bench.pair.b }, after);
            let Part::Ended(first) = bench.process(&store, |_| false).await else { unreachable!() };
            gone_on(&bench, &store, *first, &what).await;
        });
    }
}

/// The disk is full when the run wants to write its next record: it stops before it acts, and goes on when there is room.
#[test]
fn the_disk_fills_up_in_any_step_and_the_run_goes_on() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", VIA, true));
        let store = SimStore::default();
        let mut stops = 0;
        loop {
            let (full, count) = (store.clone(), Cell::new(0));
            let part = bench
                .process(&store, move |record| {
                    if matches!(record.event, Event::StepStarted { .. } | Event::StepCompleted { .. }) {
                        count.set(count.get() + 1);
                        // What is announced may be done; nothing behind it can be. Each process comes further: steps that
                        // are done already are records, too.
                        if count.get() == 2 + 2 * stops {
                            full.set_fault(SimFault::FullAt(0));
                        }
                    }
                    false
                })
                .await;
            store.set_fault(SimFault::None);
            let Part::Ended(end) = part else { unreachable!() };
            if end.exit == Exit::Done {
                break;
            }
            stops += 1;
            assert!(end.exit == Exit::Host && end.resumable, "{end:?}");
            let failure = end.failure.unwrap();
            assert_eq!(failure.code, "state.full");
            assert!(failure.hints[0].contains("make room"), "{failure:?}");
            assert!(end.next.contains("resume"), "{}", end.next);
            assert!(stops < 20, "it goes on");
        }
        assert!(stops > 3, "{stops}");
        bench.assert_proved();
        assert_eq!(bench.counts('B'), (1, 1), "nothing twice");
    });
}

/// Everything that happened on both routers, byte for byte, and the journal.
fn story(case: Case) -> (String, String) {
    let kept = RefCell::default();
    let keep = &kept;
    simulated(|| async move {
        let bench = Bench::new(case);
        bench.keep_console.set(true);
        let store = SimStore::default();
        let faults = lab::Faults { loss: 0.02, duplication: 0.02, reordering: 0.02, ..lab::Faults::default() };
        bench.pair.ha_wire.set_all_faults(faults);
        bench.pair.host_wire.set_all_faults(faults);
        if case.seed.is_multiple_of(2) {
            power_fails(&bench.pair.b, Duration::from_secs(20 + case.seed % 60));
        }
        until_over(&bench, &store).await;
        let run = store.runs().unwrap().remove(0);
        let events: String = bench.events().iter().map(|(who, event)| format!("{who} {event:?}\n")).collect();
        keep.replace((events, String::from_utf8_lossy(&store.read(&run).unwrap()).into_owned()));
    });
    kept.into_inner()
}

#[test]
fn a_seed_repeats_its_story() {
    for seed in seeds(1) {
        let version = if seed % 4 < 2 { "6.44.6" } else { "7.18.2" };
        let case = Case { seed, ..Case::new(version, VIA, seed.is_multiple_of(3)) };
        let (one, other) = (story(case), story(case));
        let differs = one.0.lines().zip(other.0.lines()).find(|(one, other)| one != other);
        assert!(one.0 == other.0, "seed {seed}, recorder: {differs:?}");
        assert!(one.1 == other.1, "seed {seed}: the journal");
        assert!(one.0.lines().count() > 500 && one.1.lines().count() > 5, "there was something to compare");
        println!("seed {seed}: {} events and {} bytes of journal, the same twice", one.0.lines().count(), one.1.len());
    }
}
