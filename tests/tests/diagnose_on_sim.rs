//! What a router of a simulated pair is said to be, at every station of its life and in its failures.

mod common;

use std::time::Duration;

use bootstrap::diagnosis::{Diagnosis, Name, StartupLog, of_facts};
use bootstrap::facts;
use bootstrap::road::{Purpose, Request, Roads as _};
use bootstrap::store::SimStore;
use bootstrap::target::Member;
use common::{Bench, Case, simulated};
use lab::pair::Topology;
use routeros::{LoginOptions, Proof, Secret};

async fn diagnose(bench: &Bench, member: Member, password: &str) -> Diagnosis {
    let mut login = LoginOptions::new("admin");
    login.passwords = vec![Secret::new(password)];
    let mac = bench.site.member(member).ha_mac.to_string();
    login.proof = Some(Proof::ha_port("ether8", &mac).unwrap());
    let mut via = LoginOptions::new("admin");
    via.passwords = vec![Secret::new(common::A_PASSWORD)];
    let request = Request { member, purpose: Purpose::Read, login, via, restarting: None };
    let connection = bench.roads().connect(&request).await.unwrap();
    let facts = facts::read(&connection.shell, "ether8").await.unwrap();
    let log = StartupLog::read(&connection.shell).await.unwrap();
    let before = bench.events().len();
    let _ = connection.shell.close().await;
    assert!(bench.events().len() >= before);
    of_facts(&facts, None, "ether8", &log)
}

#[test]
fn stations_of_a_standbys_life() {
    for version in ["7.18.2", "6.44.6"] {
        simulated(|| async move {
            let bench = Bench::new(Case::new(version, Topology::BehindA, false));
            let active = diagnose(&bench, Member::A, common::A_PASSWORD).await;
            assert_eq!(active.state, Name::X, "{active:#?}");
            let erased = diagnose(&bench, Member::B, "").await;
            assert_eq!(erased.state, Name::E1, "{erased:#?}");
            bench.until_done(&SimStore::default()).await;
            let standby = diagnose(&bench, Member::B, common::A_PASSWORD).await;
            assert_eq!(standby.state, Name::S4, "{standby:#?}");
            // It restarts: for a while it is neither.
            bench.pair.b.with(|router, now| {
                router.power_cut(now);
                router.power_on(now);
            });
            tokio::time::sleep(Duration::from_secs(300)).await;
            let again = diagnose(&bench, Member::B, common::A_PASSWORD).await;
            assert_eq!(again.state, Name::S4, "{again:#?}");
            assert_eq!(bench.destructive('A'), [], "looking changes nothing");
        });
    }
}

#[test]
fn somebody_elses_router_is_no_member() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", Topology::BehindA, true));
        let used = diagnose(&bench, Member::B, common::OLD_PASSWORD).await;
        assert_eq!(used.state, Name::Configured, "{used:#?}");
        assert!(used.evidence.iter().any(|line| line.contains("192.168.50.1")), "{used:#?}");
    });
}
