//! The whole path on simulated pairs: clean and dirty B, through A and on the segment, on 6.x and 7.x.

mod common;

use bootstrap::engine::Options;
use bootstrap::exit::Exit;
use bootstrap::path::{Confirmation, Prepared, Start, prepare, run};
use bootstrap::store::SimStore;
use common::{Bench, Case, Seen, SimClock, simulated};
use tokio::sync::watch;

fn confirmed(prepared: &Prepared) -> Confirmation {
    let plan = prepared.plan.as_ref().expect("a plan");
    Confirmation { fingerprint: plan.fingerprint.clone(), serial: plan.erases.clone() }
}

async fn bootstrap(bench: &Bench, store: &SimStore, seen: &mut Seen) -> bootstrap::engine::RunEnd {
    let pair = bench.pair_job();
    let prepared = match prepare(&pair, &[]).await {
        Ok(prepared) => prepared,
        Err(trouble) => return trouble.into(),
    };
    let (_keep, stop) = watch::channel(false);
    let mut store = store.clone();
    let start = Start { store: &mut store, clock: &SimClock, sink: seen, stop, options: Options::default() };
    run(&pair, &prepared, &confirmed(&prepared), start).await
}

/// The end check of these tests can fail: an erased B, and a B with one port switched on, are not proved.
#[test]
fn the_check_itself_can_fail() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", lab::pair::Topology::BehindA, false));
        assert_eq!(bench.ports_on(&bench.pair.b).len(), 8, "an erased router's ports are on");
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| bench.assert_proved())).is_err());
    });
}

#[test]
fn every_road_version_and_state_of_b() {
    for case in Case::all() {
        simulated(|| async move {
            let bench = Bench::new(case);
            let mut seen = Seen::default();
            let end = bootstrap(&bench, &SimStore::default(), &mut seen).await;
            if end.exit != Exit::Done {
                bench.dump();
                for record in &seen.records {
                    println!("{:?}", record.event);
                }
                panic!("{case:?}: {end:#?}");
            }
            bench.assert_proved();
        });
    }
}
