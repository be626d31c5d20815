//! The whole path on simulated pairs: clean and dirty B, through A and on the segment, on 6.x and 7.x.

mod common;

use bootstrap::exit::Exit;
use bootstrap::store::SimStore;
use common::{Bench, Case, Part, simulated};
use lab::pair::Topology;

/// The end check of these tests can fail: an erased B, and a B with one port switched on, are not proved.
#[test]
fn the_check_itself_can_fail() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", lab::pair::Topology::BehindA, false));
        assert_eq!(bench.ports_on(&bench.pair.b).len(), 8, "an erased router's ports are on");
        let fails = |check: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_err();
        assert!(fails(&|| bench.assert_proved()));
        let store = SimStore::default();
        bench.assert_no_secret(&store, "nothing to see", &[]);
        for planted in ["x Sim-Pair_1 y", "Sim-\n  Pair_1", "53696d2d506169725f31", "U2ltLVBhaXJf"] {
            assert!(fails(&|| bench.assert_no_secret(&store, planted, &[])), "{planted}");
        }
    });
}

/// A board whose first password is printed on its label: on a clean one it is the login, and a reset brings it back.
#[test]
fn a_label_password_is_the_login_of_an_erased_router() {
    for dirty in [false, true] {
        simulated(|| async move {
            let case = Case { label: Some("LABEL7KQ3X"), ..Case::new("7.18.2", Topology::BehindA, dirty) };
            let bench = Bench::new(case);
            bench.until_done(&SimStore::default()).await;
            bench.assert_proved();
        });
    }
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

/// Cables that lose, double and reorder frames: slower, and the same end.
#[test]
fn bad_cables() {
    for seed in 1..=3 {
        simulated(|| async move {
            let case = Case { seed, ..Case::new("7.18.2", lab::pair::Topology::BehindA, true) };
            let bench = Bench::new(case);
            let faults = lab::Faults { loss: 0.02, duplication: 0.02, reordering: 0.02, ..lab::Faults::default() };
            bench.pair.ha_wire.set_all_faults(faults);
            bench.pair.host_wire.set_all_faults(faults);
            let store = SimStore::default();
            bench.until_done(&store).await;
            bench.assert_proved();
            assert_eq!(bench.counts('B').0, 1, "seed {seed}");
        });
    }
}
