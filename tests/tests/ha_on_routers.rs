//! Our on-router scripts on two simulated routers with one cable between their HA ports: from two erased
//! routers to a pair in sync, through roles, reboots and a lost cable. Looks at state and events only.

use std::time::Duration;

use bootstrap::path::BOOTSTRAP_FILE;
use jumplead_tests::ha_pair::{MAC_B, OPEN, PASSWORD, Pair, VERSIONS};
use mactelnet::Instant;
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::spec::Version;

#[test]
fn two_erased_routers_become_a_pair_in_sync() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        assert_eq!(pair.seen(1, |kind| matches!(kind, EventKind::BackupLoaded { .. })), 1, "{version}");
        assert_eq!(pair.seen(0, EventKind::is_destructive), 0, "{version}");
        assert!(pair.master(&pair.a) && !pair.master(&pair.b), "{version}");
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik_HA_B_STANDBY");
        assert_eq!(pair.get(&pair.a, "[/system identity get name]"), "MikroTik_HA_A_ACTIVE");
        assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("8".to_owned(), "1".to_owned()));
        assert_eq!(pair.get(&pair.b, "[/interface ethernet get [find disabled=no] default-name]"), "ether8");
        let said = pair.sync();
        assert!(said.contains("GOOD"), "{version}: {said}");
        assert_eq!(pair.seen(1, |kind| matches!(kind, EventKind::BackupLoaded { .. })), 1, "{version}");
    }
}

#[test]
fn a_dirty_standby_is_reset_and_bootstrapped_by_the_script_after_it() {
    for version in VERSIONS {
        let pair = Pair::new(version, 5);
        pair.install();
        pair.run(&pair.b, "/ip address add address=10.0.0.1/24 interface=ether1; /system identity set name=old");
        pair.put_bootstrap();
        let reset = "/system reset-configuration no-defaults=yes skip-backup=yes";
        pair.run(&pair.b, &format!("{reset} run-after-reset={BOOTSTRAP_FILE}"));
        pair.until("B resets", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(15);
        pair.answers();
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik");
        pair.first_push();
        assert!(pair.sync().contains("GOOD"), "{version}");
    }
}

#[test]
fn a_change_on_the_active_reaches_the_standby() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        pair.run(&pair.a, "/ip address add address=192.0.2.1/24 interface=ether1 comment=customer");
        assert!(pair.sync().contains("NEED TO PUSH"));
        pair.until("B goes down to restore", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(30);
        assert_eq!(pair.get(&pair.b, "[:len [/ip address find comment=\"customer\"]]"), "1", "{version}");
        assert!(pair.sync().contains("GOOD"), "{version}");
    }
}

#[test]
fn the_standby_takes_over_and_the_old_active_comes_back_as_standby() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        pair.a.with(Router::power_cut);
        let cut = pair.world.now();
        pair.until("B takes over", 20, |pair| pair.master(&pair.b));
        let took = pair.world.now().saturating_since(cut);
        assert!(took < Duration::from_secs(5), "{version}: {took:?}");
        pair.wait(5);
        assert_eq!(pair.get(&pair.b, OPEN), "8", "{version}");
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik_HA_B_ACTIVE");
        pair.a.with(Router::power_on);
        pair.until("A is up", 120, |pair| pair.phase(&pair.a) == Phase::Up);
        pair.wait(40);
        assert!(pair.master(&pair.b) && !pair.master(&pair.a), "{version}");
        assert_eq!(pair.get(&pair.a, OPEN), "1", "{version}");
    }
}

#[test]
fn without_the_cable_both_are_active_and_one_gives_in_when_it_comes_back() {
    let pair = Pair::ready(Version::new(7, 18, 2));
    pair.cable.cut();
    pair.wait(10);
    assert!(pair.master(&pair.a) && pair.master(&pair.b));
    pair.cable.restore();
    pair.wait(10);
    assert!(pair.master(&pair.a) != pair.master(&pair.b));
}

#[test]
fn an_uploaded_auto_script_runs_and_leaves_its_log() {
    for version in VERSIONS {
        let pair = Pair::new(version, 9);
        pair.install();
        pair.basic_networking();
        let put = |router: &mut Router, _| {
            let text = b":put [/interface ethernet get ether8 orig-mac-address]\n:error \"enough\"\n".to_vec();
            router.system().unwrap().write_file("try.rsc", text).unwrap();
        };
        pair.a.with(put);
        let fetch = "/tool fetch mode=ftp upload=yes address=169.254.23.2 src-path=try.rsc";
        let wrong = pair.start(&pair.a, &format!("{fetch} dst-path=HA_try.auto.rsc user=ha password=wrong"));
        pair.until("the login is refused", 60, |_| wrong.result().is_some());
        assert!(wrong.result().unwrap().is_err());
        pair.run(&pair.a, &format!("{fetch} dst-path=HA_try.auto.rsc user=ha password={PASSWORD}"));
        pair.wait(2);
        let log = pair.b.look(|router| router.system().unwrap().read_file("HA_try.auto.log")).unwrap();
        let log = String::from_utf8_lossy(&log);
        assert!(log.starts_with(&format!("{MAC_B}\nenough")), "{version}: {log}");
        let back = "/tool fetch mode=ftp address=169.254.23.2 src-path=HA_try.auto.log dst-path=got.txt";
        pair.run(&pair.a, &format!("{back} user=ha password={PASSWORD}"));
        assert_eq!(pair.get(&pair.a, "[:pick [/file get got.txt contents] 0 17]"), MAC_B);
    }
}

#[test]
fn two_runs_of_one_seed_are_the_same() {
    let run = || {
        let pair = Pair::ready(Version::new(7, 18, 2));
        pair.take_events();
        (pair.world.now(), pair.events.take())
    };
    let (first, second): ((Instant, _), _) = (run(), run());
    assert_eq!(first.0, second.0);
    for (one, other) in first.1.iter().zip(second.1.iter()) {
        assert_eq!(one.len(), other.len());
        let differs = one.iter().zip(other).find(|(one, other)| one != other);
        assert!(differs.is_none(), "{differs:?}");
    }
}

/// A small generator of its own, so that a seed names one course of events.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Power cuts, pulled cables and syncs at any time: afterwards one is the active, its ports are open, the other's are
/// closed, and they can be brought in sync.
#[test]
fn whatever_happens_the_pair_can_be_brought_in_sync_again() {
    for seed in 1..=4 {
        let version = VERSIONS[usize::try_from(seed % 2).unwrap()];
        let pair = Pair::ready(version);
        let mut dice = Dice(seed);
        for _ in 0..8 {
            let router = if dice.below(2) == 0 { &pair.a } else { &pair.b };
            match dice.below(5) {
                0 => {
                    router.with(Router::power_cut);
                    pair.wait(dice.below(40));
                    router.with(Router::power_on);
                }
                1 => {
                    pair.cable.cut();
                    pair.wait(dice.below(20));
                    pair.cable.restore();
                }
                _ => {
                    let _ = router
                        .with(|router, now| router.start_script(now, "admin", "/system script run ha_checkchanges"));
                }
            }
            pair.wait(dice.below(50));
        }
        pair.wait(400);
        let (a, b) = (pair.master(&pair.a), pair.master(&pair.b));
        assert!(a != b, "seed {seed}: masters {a} {b}\n{}", pair.tail());
        let (active, standby) = if a { (&pair.a, &pair.b) } else { (&pair.b, &pair.a) };
        assert_eq!(pair.get(active, OPEN), "8", "seed {seed}");
        assert_eq!(pair.get(standby, OPEN), "1", "seed {seed}\n{}", pair.tail());
        for _ in 0..3 {
            if pair.run(active, "/system script run ha_checkchanges").contains("GOOD") {
                break;
            }
            pair.wait(300);
        }
        let said = pair.run(active, "/system script run ha_checkchanges");
        assert!(said.contains("GOOD"), "seed {seed}: {said}\n{}", pair.tail());
    }
}
