//! The whole path on simulated pairs: clean and dirty B, through A and on the segment, on 6.x and 7.x.

mod common;

use bootstrap::exit::Exit;
use bootstrap::store::SimStore;
use common::{Bench, Case, Part, simulated};

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
            match bench.process(&SimStore::default(), |_| false).await {
                Part::Ended(end) if end.exit == Exit::Done => {}
                other => {
                    bench.dump();
                    panic!("{case:?}: {other:#?}");
                }
            }
            assert_eq!(bench.counts('B'), (usize::from(case.dirty), 1), "erased and restored as the plan says");
            bench.assert_proved();
        });
    }
}
