//! What a router of a simulated pair is said to be, at every station of its life and in its failures.

mod common;

use std::rc::Rc;
use std::time::Duration;

use bootstrap::diagnosis::{Diagnosis, Name, StartupLog, of_facts};
use bootstrap::facts;
use bootstrap::road::{Purpose, Request, Roads as _};
use bootstrap::signs::Signs;
use bootstrap::store::SimStore;
use bootstrap::target::Member;
use common::{Bench, Case, simulated};
use jumplead::lab_roads::LabLines;
use jumplead::roads::PairRoads;
use jumplead_tests::states;
use lab::NodeHandle;
use lab::pair::Topology;
use routeros::{LoginOptions, Proof, Secret};
use routersim::router::Router;

async fn diagnose(bench: &Bench, member: Member, password: &str) -> Diagnosis {
    diagnose_over(bench, &bench.roads(), member, password).await
}

async fn diagnose_over(bench: &Bench, roads: &PairRoads, member: Member, password: &str) -> Diagnosis {
    let mut login = LoginOptions::new("admin");
    login.passwords = vec![Secret::new(password)];
    let mac = bench.site.member(member).ha_mac.to_string();
    login.proof = Some(Proof::ha_port("ether8", &mac).unwrap());
    let mut via = LoginOptions::new("admin");
    via.passwords = vec![Secret::new(common::A_PASSWORD)];
    let request = Request { member, purpose: Purpose::Read, login, via, restarting: None };
    let connection = roads.connect(&request).await.unwrap();
    let facts = facts::read(&connection.shell, "ether8").await.unwrap();
    let log = StartupLog::read(&connection.shell).await.unwrap();
    let signs = Signs::read(&connection.shell, &facts, &log).await.unwrap();
    let before = bench.events().len();
    let _ = connection.shell.close().await;
    assert!(bench.events().len() >= before);
    of_facts(&facts, None, "ether8", &log, &signs)
}

/// It is said to be the same over the cables, and over its serial line alone.
async fn on_each_road(bench: &mut Bench, member: Member, password: &str, state: Name, words: &str) {
    let cable = if member == Member::A { "mac://74:4D:28:0A:00:01%host" } else { "via:a" };
    let router = if member == Member::A { bench.pair.a.clone() } else { bench.pair.b.clone() };
    for road in ["serial:///dev/its-own", cable] {
        let entry = if member == Member::A { &mut bench.site.a } else { &mut bench.site.b };
        entry.reach = vec![road.parse().unwrap()];
        let roads = bench.roads_over(Rc::new(LabLines { a: router.clone(), b: router.clone() }));
        is(&diagnose_over(bench, &roads, member, password).await, state, words);
    }
}

#[test]
fn stations_of_a_standbys_life() {
    for version in ["7.18.2", "6.44.6"] {
        simulated(|| async move {
            let bench = Bench::new(Case::new(version, Topology::BehindA, false));
            let active = diagnose(&bench, Member::A, common::A_PASSWORD).await;
            assert_eq!(active.state, Name::X1, "nobody is there yet: {active:#?}");
            let erased = diagnose(&bench, Member::B, "").await;
            assert_eq!(erased.state, Name::E1, "{erased:#?}");
            bench.until_done(&SimStore::default()).await;
            let standby = diagnose(&bench, Member::B, common::A_PASSWORD).await;
            assert_eq!(standby.state, Name::S4, "{standby:#?}");
            let active = diagnose(&bench, Member::A, common::A_PASSWORD).await;
            assert_eq!(active.state, Name::X2, "{active:#?}");
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

fn script(router: &NodeHandle<Router>, text: &str) {
    let started = router.with(|router, now| router.start_script(now, "admin", text));
    started.expect("the router runs");
}

async fn seconds(count: u64) {
    tokio::time::sleep(Duration::from_secs(count)).await;
}

async fn restart(router: &NodeHandle<Router>) {
    // a power cut takes file writes that are younger than 40 s
    seconds(45).await;
    router.with(|router, now| {
        router.power_cut(now);
        router.power_on(now);
    });
}

/// B of a pair whose A is up, erased and reached by its line.
fn erased() -> Bench {
    Bench::new(Case { road_b: Some("serial:///dev/b"), ..Case::new("7.18.2", Topology::BehindA, false) })
}

#[track_caller]
fn is(diagnosis: &Diagnosis, state: Name, words: &str) {
    assert_eq!(diagnosis.state, state, "{diagnosis:#?}");
    let shown = format!("{} {}", diagnosis.says, diagnosis.evidence.join("\n"));
    assert!(shown.contains(words), "{words} is not in {diagnosis:#?}");
    assert!(!diagnosis.procedure.is_empty(), "{diagnosis:#?}");
}

/// What an erased router comes to before it has the pair's scripts.
#[test]
fn before_the_scripts_are_there() {
    // what it is told, how long ago, and what it is said to be
    for (told, passes, state, words) in [
        ("/ip address add address=192.168.88.1/24 interface=ether1", 1, Name::E0, "192.168.88.1"),
        ("/ip address add address=10.9.8.7/24 interface=ether1", 1, Name::Configured, "10.9.8.7"),
        (
            "/ip address add address=169.254.23.2/24 interface=ether8; /user add name=ha group=full password=\"Some-1.Sloe\"; /ip service set ftp disabled=no",
            1,
            Name::B2,
            "bootstrapped",
        ),
        (states::WAITS, 60, Name::F6, "bootstrap failed...waiting"),
        ("/log error \"HA_site: backup FAILED\"", 1, Name::E1, "erased"),
    ] {
        simulated(|| async move {
            let bench = erased();
            // up, its clock young
            let _ = diagnose(&bench, Member::B, "").await;
            script(&bench.pair.b, told);
            seconds(passes).await;
            is(&diagnose(&bench, Member::B, "").await, state, words);
        });
    }
}

/// A bootstrap says once that it waits, right behind the reset.
#[test]
fn a_bootstrap_that_has_just_begun_to_wait() {
    simulated(|| async {
        let bench = erased();
        let _ = diagnose(&bench, Member::B, "").await;
        restart(&bench.pair.b).await;
        seconds(75).await;
        script(&bench.pair.b, "/log error \"ha_startup: 0.0 B bootstrap failed...waiting\"; :delay 100");
        is(&diagnose(&bench, Member::B, "").await, Name::B1, "0.0 B bootstrap failed");
    });
}

/// While the active puts its files there, and when they are there and nothing comes of them.
#[test]
fn a_configuration_on_its_way_and_one_that_is_not_loaded() {
    for version in ["7.18.2", "6.44.6"] {
        simulated(|| async move {
            let mut bench =
                Bench::new(Case { road_b: Some("serial:///dev/b"), ..Case::new(version, Topology::BehindA, false) });
            let _ = diagnose(&bench, Member::B, "").await;
            bench.pair.b.with(|router, _| {
                router.system().unwrap().write_file("HA_b2s.backup", b"no backup at all".to_vec()).unwrap();
            });
            is(&diagnose(&bench, Member::B, "").await, Name::S1, "HA_b2s.backup is ");
            seconds(60).await;
            on_each_road(&mut bench, Member::B, "", Name::F7, "HA_b2s.backup is there").await;
        });
    }
}

/// Scripts without an installation, and while one runs.
#[test]
fn scripts_that_are_not_installed_yet() {
    simulated(|| async {
        let bench = erased();
        let _ = diagnose(&bench, Member::B, "").await;
        let scripts = "/system script add name=ha_config source=\":global haInterface\"; /system script add name=ha_startup source=\":delay 1\"; \
             /system script add name=ha_install source=\":delay 40\"";
        script(&bench.pair.b, scripts);
        seconds(1).await;
        is(&diagnose(&bench, Member::B, "").await, Name::P1, "not installed");
        script(&bench.pair.b, "/system script run ha_install");
        seconds(1).await;
        is(&diagnose(&bench, Member::B, "").await, Name::P2, "ha_install runs");
        seconds(60).await;
        is(&diagnose(&bench, Member::B, "").await, Name::P1, "not installed");
    });
}

/// A member in its failures, each as it comes about.
#[test]
fn failures_of_a_member() {
    simulated(|| async {
        let mut bench = erased();
        bench.until_done(&SimStore::default()).await;
        let at = async |bench: &Bench, member| diagnose(bench, member, common::A_PASSWORD).await;
        // Somebody else's line is no failure of the startup.
        script(&bench.pair.b, "/log error \"HA_site: backup FAILED\"");
        seconds(2).await;
        is(&at(&bench, Member::B).await, Name::S4, "standby");
        // F3: the console process dies under it.
        bench.pair.b.with(Router::crash_console);
        seconds(20).await;
        on_each_road(&mut bench, Member::B, common::A_PASSWORD, Name::F3, "console restarted").await;
        // F2: its configuration names another address than its own.
        script(&bench.pair.b, states::WRONG_MAC);
        restart(&bench.pair.b).await;
        seconds(130).await;
        is(&at(&bench, Member::B).await, Name::F2, "I AM UNKNOWN");
        // F1: its startup fails.
        let right_mac = states::WRONG_MAC.replace(":0B", ":XX").replace(":FF", ":0B").replace(":XX", ":FF");
        script(&bench.pair.b, &right_mac);
        seconds(1).await;
        script(&bench.pair.b, states::PASSWORD_GONE);
        restart(&bench.pair.b).await;
        seconds(130).await;
        is(&at(&bench, Member::B).await, Name::F1, "FAILED - DATA PORTS CLOSED");
        // S3: a startup that takes its time.
        let slow = "/system script set ha_startup source=\"/log warning \\\"ha_startup: START\\\"\\n:delay 90\"";
        script(&bench.pair.b, slow);
        restart(&bench.pair.b).await;
        seconds(75).await;
        is(&at(&bench, Member::B).await, Name::S3, "starting");
        // F5, on the active: the line alone may be of a fault that is over.
        is(&at(&bench, Member::A).await, Name::X2, "answers");
        let paused = "/log error \"ha_checkchanges: PAUSED, two pushes did not bring the standby in sync (x); HASyncStandby by hand tries again\"";
        script(&bench.pair.a, paused);
        seconds(1).await;
        is(&at(&bench, Member::A).await, Name::X2, "answers");
        let a = bench.pair.a.clone();
        let pushes = |count: &'static [u8]| {
            let put =
                |router: &mut Router, _| router.system().unwrap().write_file("HA_pushes.txt", count.to_vec()).unwrap();
            a.with(put);
        };
        pushes(b"2");
        on_each_road(&mut bench, Member::A, common::A_PASSWORD, Name::F5, "without effect: 2").await;
        // F4: what one router can say of it, and what not.
        pushes(b"0");
        bench.pair.ha_wire.cut();
        bench.pair.ha_wire_b.cut();
        seconds(30).await;
        let alone = at(&bench, Member::A).await;
        is(&alone, Name::X1, "(F4), only a look at both shows");
        assert!(alone.evidence.iter().any(|line| line.contains("has no link")), "{alone:#?}");
    });
}
