//! Two hosts, each with a state folder of its own, at work on one pair: a marker on the active keeps them apart.

mod common;

use bootstrap::engine::RunEnd;
use bootstrap::event::{Changed, Event, Record};
use bootstrap::exit::Exit;
use bootstrap::marker::{CHECK, FILE};
use bootstrap::store::SimStore;
use common::{Bench, Case, Part, simulated};
use lab::pair::Topology;

const VERSIONS: [&str; 2] = ["7.18.2", "6.44.6"];

/// A process on the host of this number.
async fn on(bench: &Bench, host: u64, store: &SimStore, each: impl FnMut(&Record) -> bool + 'static) -> Option<RunEnd> {
    bench.host.set(host);
    match bench.process(store, each).await {
        Part::Ended(end) => Some(*end),
        Part::Killed => None,
    }
}

fn started(step: &'static str) -> impl FnMut(&Record) -> bool {
    move |record| matches!(&record.event, Event::StepStarted { step: now, .. } if now == step)
}

/// The first was killed before the point of no return. The second is refused until somebody says that nobody is at work; then
/// the first, gone on with, stops before it erases anything.
#[test]
fn another_hosts_marker_stops_a_run_until_it_is_waived() {
    for version in VERSIONS {
        simulated(|| async move {
            let mut bench = Bench::new(Case::new(version, Topology::BehindA, true));
            let (first, second) = (SimStore::default(), SimStore::default());
            assert_eq!(on(&bench, 1, &first, started("b.reset")).await, None);
            assert_eq!(bench.our_files(&bench.pair.a), [FILE], "{version}");

            let refused = on(&bench, 2, &second, |_| false).await.unwrap();
            let failure = refused.failure.unwrap();
            assert_eq!((refused.exit, failure.code.as_str()), (Exit::Locked, "bootstrap.marker.other"), "{failure:?}");
            assert_eq!((refused.changed, refused.resumable), (Changed::None, false));
            assert!(failure.causes[0].contains("run 2026-11-22-01 of test on edge-1, since"), "{failure:?}");
            assert!(failure.hints[0].contains("--waive no-other-run"), "{failure:?}");
            assert_eq!(refused.next, "jumplead bootstrap edge-1 --plan-only");
            assert_eq!((bench.counts('B'), bench.our_files(&bench.pair.a).len()), ((0, 0), 1));

            bench.waive = vec![CHECK.to_owned()];
            assert_eq!(on(&bench, 2, &second, started("b.reset")).await, None);
            let stopped = on(&bench, 1, &first, |_| false).await.unwrap();
            let failure = stopped.failure.unwrap();
            assert_eq!((stopped.exit, failure.code.as_str()), (Exit::Locked, "bootstrap.marker.other"), "{failure:?}");
            assert!(stopped.resumable, "what it did stands in its journal");
            assert_eq!(bench.counts('B'), (0, 0), "{version}: nothing was erased by the one that lost");

            let done = on(&bench, 2, &second, |_| false).await.unwrap();
            assert_eq!(done.exit, Exit::Done, "{done:?}");
            bench.assert_proved();
            assert_eq!(bench.counts('B'), (1, 1), "{version}");
        });
    }
}

/// Both saw no marker when they looked.
#[test]
fn of_two_that_begin_at_once_one_erases() {
    for version in VERSIONS {
        simulated(|| async move {
            let bench = Bench::new(Case::new(version, Topology::OnSegment, true));
            let (first, second) = (SimStore::default(), SimStore::default());
            let ends = tokio::join!(on(&bench, 1, &first, |_| false), on(&bench, 2, &second, |_| false));
            let mut exits = [ends.0.as_ref().unwrap().exit, ends.1.as_ref().unwrap().exit];
            exits.sort_by_key(|exit| exit.code());
            assert_eq!(exits, [Exit::Done, Exit::Locked], "{version}: {ends:?}");
            bench.assert_proved();
            assert_eq!(bench.counts('B'), (1, 1), "{version}: erased once");
        });
    }
}

/// A killed run of the same state folder is in nobody's way: its lock says that it is not going on.
#[test]
fn a_hosts_own_marker_is_passed_over() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", Topology::BehindA, false));
        assert_eq!(on(&bench, 1, &SimStore::default(), started("b.import")).await, None);
        assert_eq!(bench.our_files(&bench.pair.a), [FILE]);
        let done = on(&bench, 1, &SimStore::default(), |_| false).await.unwrap();
        assert_eq!(done.exit, Exit::Done, "{done:?}");
        bench.assert_proved();
    });
}

/// A run that fails lets go of the pair.
#[test]
fn a_run_that_stops_takes_its_marker_away() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", Topology::BehindA, false));
        let store = SimStore::default();
        let (pair, mut now) = (bench.pair.clone(), started("a.reach-b"));
        let cut = move |record: &Record| {
            if now(record) {
                pair.ha_wire.cut();
            }
            false
        };
        let stopped = on(&bench, 1, &store, cut).await.unwrap();
        assert!(stopped.exit == Exit::StepFailed && stopped.resumable, "{stopped:?}");
        assert_eq!(bench.our_files(&bench.pair.a).iter().filter(|name| *name == FILE).count(), 0);
        bench.pair.ha_wire.restore();
        bench.until_done(&store).await;
        bench.assert_proved();
    });
}

/// What nobody can read is somebody's all the same, and no dead end.
#[test]
fn a_marker_that_can_not_be_read_is_refused_and_waived_like_any_other() {
    for version in VERSIONS {
        simulated(|| async move {
            let mut bench = Bench::new(Case::new(version, Topology::BehindA, false));
            bench.pair.a.with(|router, _| router.system().unwrap().write_file(FILE, vec![0xff; 100_000]).unwrap());
            let refused = on(&bench, 1, &SimStore::default(), |_| false).await.unwrap();
            let failure = refused.failure.unwrap();
            assert_eq!((refused.exit, failure.code.as_str()), (Exit::Locked, "bootstrap.marker.other"), "{failure:?}");
            assert!(failure.causes[0].contains("run unknown of unknown"), "{failure:?}");
            bench.waive = vec![CHECK.to_owned()];
            let done = on(&bench, 1, &SimStore::default(), |_| false).await.unwrap();
            assert_eq!(done.exit, Exit::Done, "{done:?}");
            bench.assert_proved();
        });
    }
}
