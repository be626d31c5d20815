//! The whole path on simulated pairs: clean and dirty B, through A and on the segment, on 6.x and 7.x.

mod common;

use std::collections::{BTreeSet, HashMap};

use bootstrap::exit::Exit;
use bootstrap::road::Purpose;
use bootstrap::store::SimStore;
use common::{Bench, Case, Part, simulated};
use lab::Tap;
use lab::pair::Topology;
use mactelnet::MacAddr;
use mactelnet::wire::frame::Frame;
use mactelnet::wire::packet::{Direction, PORT, Packet, PacketType};
use routeros::{FileName, LoginOptions, Shell};

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

/// How `/tool mac-telnet` ends is in no source: with other words, with none, and where a byte ends it from the near side,
/// the way through A is the same.
#[test]
fn a_hop_may_end_in_any_words_or_none() {
    for (farewell, escape) in
        [(vec![], Some(0x1d)), (vec!["[admin@far] > closed".to_owned()], Some(0x18)), (vec![], None)]
    {
        simulated(|| async move {
            let case = Case::new("7.18.2", Topology::BehindA, true);
            let mut settings = case.settings();
            settings.a = settings.a.quirk(|quirks| {
                quirks.hop_farewell = Some(farewell);
                quirks.hop_escape = Some(escape);
            });
            let bench = Bench::with(case, settings);
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

/// The most data packets that a client had under way at once, in any session that carried more than a proof does.
fn most_under_way(frames: &[lab::Tapped]) -> usize {
    let mut sessions: HashMap<u16, (BTreeSet<u32>, usize, usize)> = HashMap::new();
    for tapped in frames {
        let Ok(frame) = Frame::new_checked(&tapped.frame) else { continue };
        let (to_router, from_router) = (frame.dst_port() == PORT, frame.src_port() == PORT);
        let Ok(packet) = Packet::new_checked(frame.payload()) else { continue };
        if to_router && packet.kind() == PacketType::Data {
            let session = sessions.entry(packet.session_key(Direction::ToServer)).or_default();
            session.0.insert(packet.counter());
            session.1 = session.1.max(session.0.len());
            session.2 += packet.data().len();
        } else if from_router && packet.kind() == PacketType::Ack {
            let session = sessions.entry(packet.session_key(Direction::ToClient)).or_default();
            session.0.retain(|counter| *counter >= packet.counter());
        }
    }
    sessions.values().filter(|(.., bytes)| *bytes > 1500).map(|(_, most, _)| *most).max().unwrap_or(0)
}

/// Towards a router that has proved in a run that it keeps its acknowledgement at a gap, the next session sends more than
/// one packet at a time; where nobody listens, and so nobody knows which version is there, it does not.
#[test]
fn a_window_opens_towards_a_router_that_proved_it() {
    for listen in [true, false] {
        simulated(|| async move {
            let bench = Bench::new(Case::new("7.18.2", Topology::OnSegment, false));
            bench.listen.set(listen);
            bench.until_done(&SimStore::default()).await;
            bench.assert_proved();
            let tap = Tap::new();
            bench.pair.host_wire.tap(tap.clone());
            let purpose = if listen { Purpose::Write } else { Purpose::Read };
            let login =
                LoginOptions { passwords: bench.secrets.a.iter().cloned().collect(), ..LoginOptions::new("admin") };
            let a = Shell::login(bench.link_for(purpose, MacAddr(bench.site.a.ha_mac.0), &login).await, login)
                .await
                .unwrap();
            a.put_file(&FileName::ours("HA_jumplead_window").unwrap(), &[b'w'; 20_000]).await.unwrap();
            let most = most_under_way(&tap.frames());
            assert!(if listen { most > 1 } else { most == 1 }, "listens {listen}: {most} packets under way");
        });
    }
}
