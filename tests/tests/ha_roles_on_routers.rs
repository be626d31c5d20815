//! Our on-router scripts: giving the role away, keeping it, and starting without a word. Two simulated routers.

use jumplead_tests::ha_pair::{MAC_B, OPEN, Pair, VERSIONS};
use jumplead_tests::startup_race::{Made, Sum, Way, boot, prepare};
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::spec::Version;

fn says(text: &str) -> impl Fn(&EventKind) -> bool + '_ {
    move |kind| matches!(kind, EventKind::Log { message, .. } if message.contains(text))
}

fn boots(pair: &Pair) -> [usize; 2] {
    [0, 1].map(|which| pair.seen(which, |kind| matches!(kind, EventKind::Phase(Phase::RouterBoot))))
}

fn in_sync(version: Version) -> Pair {
    let pair = Pair::ready(version);
    assert!(pair.sync().contains("GOOD"), "{}", pair.tail());
    pair.wait(20);
    pair
}

/// There and back again: nobody restarts, both are in sync all the time, the network sees the same MACs.
#[test]
fn a_switch_restarts_nobody() {
    for version in VERSIONS {
        let pair = in_sync(version);
        let before = boots(&pair);
        let said = pair.call(&pair.a, "HASwitchRole");
        assert!(said.contains("DONE, the other router is active"), "{version}: {said}\n{}", pair.tail());
        assert!(pair.master(&pair.b) && !pair.master(&pair.a), "{version}");
        assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("1".to_owned(), "8".to_owned()), "{version}");
        assert_eq!(pair.get(&pair.b, "[/interface ethernet get ether1 mac-address]"), "74:4D:28:0A:00:01", "{version}");
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik_HA_B_ACTIVE");
        assert_eq!(pair.get(&pair.a, "[/system identity get name]"), "MikroTik_HA_A_STANDBY");
        assert!(pair.call(&pair.b, "HAInSync").contains("GOOD"), "{version}\n{}", pair.tail());
        pair.wait(1500);
        assert_eq!(boots(&pair), before, "{version}: no check made a push of it\n{}", pair.tail());
        let said = pair.call(&pair.b, "HASwitchRole");
        assert!(said.contains("DONE"), "{version}: {said}");
        assert!(pair.master(&pair.a), "{version}");
        assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("8".to_owned(), "1".to_owned()), "{version}");
        assert_eq!(boots(&pair), before, "{version}");
    }
}

/// BGP follows the role, in the menu that the version has: sessions of the active are on, those of the standby off, and one
/// marked `HA_OFF` is never switched on. The other version's menu is not even tried.
#[test]
fn bgp_follows_the_role_by_the_versions_own_menu() {
    for version in VERSIONS {
        let (menu, more) = if version.major == 6 {
            ("/routing bgp peer", "remote-address=192.0.2.254 remote-as=65001")
        } else {
            ("/routing bgp connection", "remote.address=192.0.2.254 local.role=ebgp as=65000")
        };
        let pair = Pair::new(version, 17);
        pair.run(
            &pair.a,
            &format!("{menu} add name=isp {more}; {menu} add name=kept {more} comment=HA_OFF disabled=yes"),
        );
        pair.install();
        pair.basic_networking();
        pair.first_push();
        assert!(pair.sync().contains("GOOD"), "{version}: {}", pair.tail());
        let off = |router, name: &str| pair.get(router, &format!("[{menu} get [find name={name}] disabled]"));
        let states = || [&pair.a, &pair.b].map(|router| (off(router, "isp"), off(router, "kept")));
        let (on, standby) = (("false".to_owned(), "true".to_owned()), ("true".to_owned(), "true".to_owned()));
        assert_eq!(states(), [on.clone(), standby.clone()], "{version}");
        assert!(pair.call(&pair.a, "HASwitchRole").contains("DONE"), "{version}: {}", pair.tail());
        pair.wait(5);
        assert_eq!(states(), [standby, on], "{version}");
        for which in [0, 1] {
            assert_eq!(pair.seen(which, says("bad command name")), 0, "{version}: {}", pair.tail());
        }
    }
}

/// Without the proof nothing changes: not the standby, another version, nobody there, startup failed, a preferred router set.
#[test]
fn a_switch_wants_the_proof() {
    for version in VERSIONS {
        let pair = in_sync(version);
        let refused = |why: &str| {
            let router = if why == "NOT MASTER" { &pair.b } else { &pair.a };
            let error = pair.fails(router, "/system script run ha_switchrole");
            assert!(error.contains(why), "{version}: {error}");
            assert!(pair.master(&pair.a), "{version}");
            assert_eq!(pair.get(&pair.a, OPEN), "8", "{version}");
        };
        refused("NOT MASTER");
        pair.run(&pair.b, "/interface ethernet enable ether2");
        refused("1 open data ports");
        pair.run(&pair.b, "/interface ethernet disable ether2");
        pair.run(&pair.a, "/ip address add address=192.0.2.1/24 interface=ether1");
        refused("NOT SWITCHING, nothing changed: the standby holds another version");
        pair.b.with(Router::power_cut);
        refused("does not answer");
    }
}

/// The standby takes VRRP over and opens nothing: the old active takes the role back by itself.
#[test]
fn a_standby_that_does_not_open_is_retreated_from() {
    for version in VERSIONS {
        let pair = in_sync(version);
        pair.run(&pair.b, "/system script set ha_onmaster source=\":error broken\"");
        let error = pair.fails(&pair.a, "/system script run ha_switchrole");
        assert!(error.contains("RETREAT"), "{version}: {error}");
        pair.wait(5);
        assert!(pair.master(&pair.a) && !pair.master(&pair.b), "{version}\n{}", pair.tail());
        assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("8".to_owned(), "1".to_owned()), "{version}");
    }
}

/// The preferred router comes back as a standby, is brought in sync, and then gets the role without a restart of the other.
#[test]
fn a_preferred_router_gets_the_role_back_when_it_is_in_sync() {
    let pair = Pair::new(Version::new(7, 22, 1), 11);
    pair.install();
    let prefer = format!(":global haPreferMac \\\"{MAC_B}\\\"\\n");
    pair.run(
        &pair.a,
        &format!(
            "/system script set ha_config_base source=([/system script get ha_config_base source] . \"{prefer}\")"
        ),
    );
    pair.basic_networking();
    pair.first_push();
    assert!(pair.master(&pair.a), "it does not take the role by itself");
    assert!(pair.sync().contains("GOOD"), "{}", pair.tail());
    pair.until("B has it", 60, |pair| pair.master(&pair.b) && !pair.master(&pair.a));
    pair.wait(20);
    assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("1".to_owned(), "8".to_owned()), "{}", pair.tail());
}

/// Ports that the operator keeps off, the hooks, and a hook that fails.
#[test]
fn marked_ports_and_hooks() {
    let pair = Pair::new(Version::new(6, 44, 6), 11);
    pair.install();
    pair.run(&pair.a, "/interface ethernet set ether5 comment=\"HA_OFF spare\" disabled=yes; /interface ethernet set ether6 comment=HA_RESCUE");
    for (hook, more) in [("on_startup", ""), ("on_master", ":error oops"), ("on_backup", "")] {
        pair.run(&pair.a, &format!("/system script add name={hook} source=\"/log info \\\"hook {hook}\\\"; {more}\""));
    }
    pair.basic_networking();
    pair.first_push();
    assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("7".to_owned(), "2".to_owned()));
    assert_eq!(
        pair.get(&pair.b, "[/interface ethernet get ether6 mac-address]"),
        "74:4D:28:0B:00:06",
        "a rescue port has its own"
    );
    assert!(pair.seen(1, says("hook on_startup")) > 0, "{}", pair.tail());
    assert!(pair.seen(1, says("hook on_backup")) > 0, "{}", pair.tail());
    pair.a.with(Router::power_cut);
    pair.wait(10);
    assert_eq!(pair.get(&pair.b, OPEN), "7");
    assert!(pair.seen(1, says("hook on_master")) == 1 && pair.seen(1, says("on_master failed")) == 1);
}

/// A sample of what `cargo xtask startup-race` does 10,000 times.
#[test]
fn a_quiet_standby_starts_without_a_word_for_the_active() {
    for (way, version) in [
        (Way::QuietSync, VERSIONS[0]),
        (Way::Restart(Made::Backup), VERSIONS[1]),
        (Way::Restart(Made::Quiet), VERSIONS[0]),
        (Way::OwnBackup(Made::Backup), VERSIONS[0]),
        (Way::OwnBackup(Made::Quiet), VERSIONS[1]),
        (Way::BackupSync, VERSIONS[1]),
    ] {
        let kept = prepare(version, way);
        let mut sum = Sum::default();
        // 6: the last two ports under each other's names, 10: the first two; 1469: ports so late that the sync's own startup and
        // the boot job meet
        for seed in [0, 1, 2, 6, 10, 1469] {
            sum.add(seed, &boot(&kept, seed));
        }
        assert!(sum.wrong.is_empty() && sum.outages.0 > 0, "{way:?} {version}\n{sum}");
        if matches!(way, Way::Restart(_) | Way::OwnBackup(_)) {
            assert!(sum.other_names.0 > 0 && sum.other_names.1 == 0, "{way:?}: no start under other names\n{sum}");
        }
        assert!(sum.outages.2.as_secs() < 6, "{way:?} {version}\n{sum}");
        if way == Way::BackupSync {
            assert!(sum.leaking > 0 && !sum.windows.is_empty(), "the harness sees a window\n{sum}");
        } else {
            assert_eq!(sum.leaking, 0, "{way:?} {version}\n{sum}");
        }
    }
}
