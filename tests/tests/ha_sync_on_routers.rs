//! Our on-router scripts: is the standby ready, and what a sync may and may not do. Two simulated routers.

use std::time::Duration;

use jumplead_tests::ha_pair::{MAC_B, OPEN, PASSWORD, Pair, VERSIONS};
use routersim::menu::ExportForm;
use routersim::quirks::Globals;
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::spec::{Spec, Version};

fn loads(kind: &EventKind) -> bool {
    matches!(kind, EventKind::BackupLoaded { .. })
}

fn says(text: &str) -> impl Fn(&EventKind) -> bool + '_ {
    move |kind| matches!(kind, EventKind::Log { message, .. } if message.contains(text))
}

#[test]
fn asking_whether_it_is_in_sync_changes_nothing() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        assert!(pair.sync().contains("GOOD"));
        pair.wait(10);
        let changes = |pair: &Pair| {
            // the question itself is a file
            let config = |kind: &EventKind| match kind {
                EventKind::Config { menu, .. } => menu != "/file",
                kind => matches!(kind, EventKind::BackupSaved { .. }),
            };
            (pair.seen(0, config), pair.seen(1, config), pair.seen(1, loads))
        };
        let before = changes(&pair);
        let said = pair.call(&pair.a, "HAInSync");
        assert!(said.contains("GOOD, the standby is ready"), "{version}: {said}");
        let said = pair.call(&pair.b, "HAInSync");
        assert!(said.contains("NOT MASTER"), "{version}: {said}");
        assert_eq!(changes(&pair), before, "{version}\n{}", pair.tail());

        pair.run(&pair.a, "/ip address add address=192.0.2.1/24 interface=ether1");
        let before = changes(&pair);
        let said = pair.call(&pair.a, "HAInSync");
        assert!(said.contains("NOT READY (no): the standby holds another version"), "{version}: {said}");
        pair.b.with(Router::power_cut);
        let said = pair.call(&pair.a, "HAInSync");
        assert!(said.contains("NOT READY (unknown): the other router does not answer"), "{version}: {said}");
        assert_eq!(changes(&pair), before, "{version}");
    }
}

/// A port of the standby that somebody switched on, and one that the active keeps off without a mark, are told.
#[test]
fn what_a_switch_would_change_is_told() {
    let pair = Pair::ready(Version::new(7, 22, 1));
    pair.run(&pair.b, "/interface ethernet enable ether3");
    let said = pair.call(&pair.a, "HAInSync");
    assert!(said.contains("NOT READY (no): the standby has 1 open data ports"), "{said}");
    pair.run(
        &pair.a,
        "/interface ethernet disable ether4,ether5; /interface ethernet set ether5 comment=\"HA_OFF spare\"",
    );
    let said = pair.call(&pair.a, "HAInSync");
    assert!(said.contains("ether4 is off here and would be on after a switch"), "{said}");
    assert!(!said.contains("ether5"), "{said}");
}

/// Something on the active changes its configuration every minute: the standby restarts twice, then it is left alone and that
/// is told. By hand it is pushed again.
#[test]
fn a_sync_that_does_not_settle_is_stopped() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        pair.sync();
        let before = pair.seen(1, loads);
        let churn = "/system identity set name=([/system identity get name]); /ip address set [find interface=ether1] comment=[/system clock get time]";
        pair.run(&pair.a, "/ip address add address=192.0.2.1/24 interface=ether1");
        pair.run(&pair.a, &format!("/system scheduler add name=churn interval=1m on-event=\"{churn}\""));
        for _ in 0..5 {
            pair.wait(600);
        }
        assert_eq!(pair.seen(1, loads) - before, 2, "{version}\n{}", pair.tail());
        assert!(pair.seen(0, says("PAUSED, two pushes did not bring the standby in sync")) >= 2, "{version}");
        assert!(pair.sync().contains("PAUSED"), "{version}");
        assert!(pair.call(&pair.a, "HASyncStandby").contains("NEED TO PUSH"), "{version}");
        pair.wait(120);
        assert_eq!(pair.seen(1, loads) - before, 3, "{version}");
        // once it settles, the next check by hand brings it in sync, and the count starts anew
        pair.run(&pair.a, "/system scheduler remove churn");
        pair.call(&pair.a, "HASyncStandby");
        pair.wait(150);
        assert!(pair.call(&pair.a, "HASyncStandby").contains("GOOD"), "{version}");
        assert_eq!(pair.get(&pair.a, "[/file get HA_pushes.txt contents]"), "0");
    }
}

/// The console process dies: soon after the start, and much later. The active keeps its ports, and its functions come back.
#[test]
fn a_console_crash_never_closes_the_active() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        for wait in [0, 400] {
            pair.wait(wait);
            for router in [&pair.a, &pair.b] {
                router.with(Router::crash_console);
            }
            for _ in 0..20 {
                pair.wait(1);
                assert!(pair.master(&pair.a) && !pair.master(&pair.b), "{version}");
                assert_eq!(
                    (pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)),
                    ("8".to_owned(), "1".to_owned()),
                    "{version}"
                );
            }
            assert!(pair.call(&pair.a, "HAInSync").contains("GOOD"), "{version}");
        }
        assert!(pair.seen(0, says("console restarted, ports left as they are")) >= 2, "{version}");
        // also when the check itself can't run
        pair.run(&pair.a, "/system script set ha_config source=\":error broken\"");
        pair.a.with(Router::crash_console);
        pair.wait(20);
        assert_eq!(pair.get(&pair.a, OPEN), "8", "{version}\n{}", pair.tail());
    }
}

#[test]
fn a_dead_cable_is_told_on_both() {
    let pair = Pair::ready(Version::new(6, 44, 6));
    pair.wait(70);
    pair.cable.cut();
    pair.wait(80);
    for (which, router) in [&pair.a, &pair.b].into_iter().enumerate() {
        assert!(pair.seen(which, says("HA LINK DEAD, ether8 without link")) > 0, "{which}\n{}", pair.tail());
        let said = pair.call(router, "HAInSync");
        assert!(said.contains("HA LINK DEAD since"), "{said}");
    }
    pair.cable.restore();
    pair.wait(130);
    for (which, _) in [&pair.a, &pair.b].into_iter().enumerate() {
        assert!(pair.seen(which, says("HA LINK OK")) > 0, "{which}");
    }
}

/// A deaf cable: both ends have link, nothing passes.
#[test]
fn a_deaf_cable_is_told_too() {
    let pair = Pair::ready(Version::new(7, 22, 1));
    pair.wait(70);
    pair.cable.go_deaf();
    pair.wait(80);
    for which in [0, 1] {
        assert!(pair.seen(which, says("HA LINK DEAD, ether8 with link")) > 0, "{which}\n{}", pair.tail());
    }
}

/// Every version's own words: services, files, keys, dates, and the hardening of the active.
#[test]
fn a_hardened_active_has_a_standby_that_answers_on_every_version() {
    for version in ["6.43.13", "6.46.6", "6.49.10", "7.11.2", "7.20.8", "7.24"] {
        let version: Version = version.parse().unwrap();
        let pair = Pair::new(version, 3);
        let word = if version.at_least(7, 24) { "available-from" } else { "address" };
        pair.run(&pair.a, &format!("/ip service set ftp {word}=192.0.2.0/24 disabled=no"));
        pair.run(
            &pair.a,
            "/tool mac-server set allowed-interface-list=none; /tool mac-server ping set enabled=no; \
             /ip neighbor discovery-settings set discover-interface-list=none",
        );
        if version.is_v7() {
            pair.run(&pair.a, "/user settings set minimum-categories=4 minimum-password-length=12");
        }
        pair.install();
        pair.basic_networking();
        pair.first_push();
        assert!(pair.sync().contains("GOOD"), "{version}: {}", pair.tail());
        let services = pair.get(&pair.b, &format!("[:tostr [/ip service get ftp {word}]]"));
        assert!(services.contains("169.254.23.0/24") && services.contains("192.0.2.0/24"), "{version}: {services}");
        let pings =
            pair.get(&pair.a, &format!("[:len [:tostr [/ping {MAC_B} count=1 interface=bridge-ether8 as-value]]]"));
        assert_ne!(pings, "0", "{version}");
        for menu in [
            "/tool mac-server get allowed-interface-list",
            "/ip neighbor discovery-settings get discover-interface-list",
        ] {
            assert_eq!(pair.get(&pair.b, &format!("[{menu}]")), "HA_L2", "{version}");
        }
        assert_eq!(pair.get(&pair.b, "[/interface list member get [find list=HA_L2] interface]"), "bridge-ether8");
        // the host keys of both are one, and lie about nowhere
        let key = |router: &lab::NodeHandle<Router>| router.look(|router| router.system().unwrap().host_key());
        assert_eq!(key(&pair.a), key(&pair.b), "{version}");
        assert_eq!(pair.get(&pair.b, "[:len [/file find name~\"^HA_key_\"]]"), "0", "{version}");
        assert_eq!(pair.get(&pair.a, "[:len [/file find name~\"^HA_key_\"]]"), "0", "{version}");
    }
}

/// The HA password stands in no export that hides secrets, in no script, no global and no readable file; backups are sealed.
#[test]
fn the_password_is_nowhere_to_be_read() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        assert!(pair.sync().contains("GOOD"));
        pair.wait(60);
        for (name, router) in [("A", &pair.a), ("B", &pair.b)] {
            router.look(|router| {
                let system = router.system().unwrap();
                let hidden = system
                    .export("", ExportForm { hide_secrets: true, terse: true, ..ExportForm::default() })
                    .join("\n");
                assert!(hidden.contains("HA_PASSWORD") && !hidden.contains(PASSWORD), "{version} {name}: export");
                for (_, global, value) in system.globals() {
                    assert!(!value.contains(PASSWORD), "{version} {name}: global {global}");
                }
                let storage = router.storage().borrow();
                for (path, file) in storage.files.list() {
                    let text = String::from_utf8_lossy(&file.contents);
                    assert!(path.starts_with("HA_jumplead_") || !text.contains(PASSWORD), "{version} {name}: {path}");
                }
            });
            let files = pair.get(router, "[:len [/file find name~\"backup\"]]");
            assert_ne!(files, "0", "{version} {name}");
        }
        let load = "/system backup load name=HA_backup_beforeHA.backup password=\"\"";
        let running = pair.start(&pair.a, load);
        pair.until("refused", 60, |_| running.result().is_some());
        assert!(running.result().unwrap().is_err(), "{version}: the first backup is sealed too");
    }
}

/// A base that an earlier build wrote, with the password in its text, gives it up.
#[test]
fn an_earlier_base_gives_its_password_up() {
    let pair = Pair::ready(Version::new(7, 22, 1));
    pair.run(&pair.a, "/ppp secret remove HA_PASSWORD");
    let base = format!(
        ":global haPassword \\\"{PASSWORD}\\\"\\n:global haInterface \\\"ether8\\\"\\n:global haMacA \\\"74:4D:28:00:00:0A\\\"\\n:global haMacB \\\"{MAC_B}\\\"\\n:global haPreferMac \\\"\\\"\\n"
    );
    pair.run(&pair.a, &format!("/system script set ha_config_base source=\"{base}\""));
    pair.call(&pair.a, "HAPushStandby");
    pair.wait(150);
    assert!(!pair.get(&pair.a, "[/system script get ha_config_base source]").contains(PASSWORD));
    assert!(pair.sync().contains("GOOD"), "{}", pair.tail());
}

/// A proved standby saves its own backup: ports off, own MACs.
#[test]
fn a_proved_standby_saves_its_own_backup() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        assert!(pair.sync().contains("GOOD"));
        pair.wait(20);
        assert_eq!(pair.seen(1, says("this standby's own backup is HA_own.backup")), 1, "{version}\n{}", pair.tail());
        // once for each version
        assert!(pair.sync().contains("GOOD"));
        pair.wait(20);
        assert_eq!(pair.seen(1, says("this standby's own backup is HA_own.backup")), 1, "{version}");
        let before = pair.seen(1, |kind| matches!(kind, EventKind::Port { running: true, .. }));
        pair.start(&pair.b, &format!("/system backup load name=HA_own.backup password=\"{PASSWORD}\""));
        pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(30);
        let after = pair.seen(1, |kind| matches!(kind, EventKind::Port { running: true, .. }));
        assert!(after > before, "the HA port came up");
        assert!(pair.sync().contains("GOOD"), "{version}");
        let macs = "[:len [/interface ethernet find mac-address~\"74:4D:28:0A\"]]";
        assert_eq!(pair.get(&pair.b, macs), "0", "{version}");
    }
}

/// Neither way crosses versions or models; a router whose FTP runs no scripts is said to be one.
#[test]
fn a_push_that_can_not_work_is_refused_before_it_begins() {
    let v7 = Version::new(7, 22, 1);
    let pair = Pair::of(Spec::pair_a().version(v7), Spec::pair_b().version(Version::new(7, 20, 8)), 3);
    pair.install();
    pair.basic_networking();
    let error = pair.fails(&pair.a, "/system script run ha_pushbackup");
    assert!(error.contains("nothing pushed, RouterOS differs: 7.22.1"), "{error}");
    assert_eq!(pair.seen(1, EventKind::is_destructive), 0);

    let dead = Version::new(6, 46, 0);
    let pair = Pair::new(dead, 3);
    pair.install();
    pair.basic_networking();
    let error = pair.fails(&pair.a, "/system script run ha_pushbackup");
    assert!(error.contains("takes files and does not run them"), "{error}");
}

/// The manual says that globals belong to the user who made them; nothing here relies on another user's.
#[test]
fn globals_may_belong_to_one_user_each() {
    for version in VERSIONS {
        let own = |spec: Spec| spec.version(version).quirk(|quirks| quirks.globals = Some(Globals::PerUser));
        let pair = Pair::of(own(Spec::pair_a()), own(Spec::pair_b()), 5);
        pair.install();
        pair.basic_networking();
        pair.first_push();
        assert!(pair.sync().contains("GOOD"), "{version}: {}", pair.tail());
        pair.a.with(Router::power_cut);
        pair.wait(10);
        assert_eq!(pair.get(&pair.b, OPEN), "8", "{version}");
        pair.a.with(Router::power_on);
        pair.wait(120);
        assert_eq!(pair.get(&pair.a, OPEN), "1", "{version}");
    }
}

/// `$HAInstall` on a router that has been up for long, and again later: it keeps the preferred MAC, the way and the password.
#[test]
fn install_on_a_router_that_is_up_for_long() {
    for version in VERSIONS {
        let pair = Pair::new(version, 3);
        pair.world.run_until(pair.world.now() + Duration::from_secs(86_400));
        pair.install();
        assert_eq!(pair.get(&pair.a, "[/ip address get [find interface=bridge-ether8] address]"), "169.254.23.1/24");
        pair.run(&pair.a, "/system script set ha_config_base source=([/system script get ha_config_base source] . \":global haPreferMac \\\"74:4D:28:00:00:0A\\\"\\n\")");
        pair.run(&pair.a, ":global HAInstall; :global haInterface; :global haMacMe; $HAInstall interface=$haInterface macA=$haMacMe macB=\"74:4D:28:00:00:0C\" password=$haPassword");
        let base = pair.get(&pair.a, "[/system script get ha_config_base source]");
        assert!(base.contains("haPreferMac \"74:4D:28:00:00:0A\"") && base.contains("00:0C"), "{version}: {base}");
        assert_eq!(pair.get(&pair.a, "[/ppp secret get HA_PASSWORD password]"), PASSWORD, "{version}");
        assert_eq!(pair.get(&pair.a, OPEN), "8", "{version}");
    }
}

/// What the standby's ports said for the active while it started with the active's backup is measured, port by port, and told;
/// made again quietly they said nothing.
#[test]
fn what_a_start_exposed_is_measured_and_told() {
    for version in VERSIONS {
        for quiet in [false, true] {
            let pair = Pair::new(version, 13);
            for port in [0, 2, 3] {
                let _data = pair.world.connect(pair.a.port(port), pair.b.port(port), lab::CABLE);
            }
            pair.run(&pair.a, "/interface bonding add name=bond1 slaves=ether3,ether4 mode=active-backup");
            pair.run(&pair.a, "/ip address add address=192.0.2.1/24 interface=bond1");
            pair.install();
            pair.basic_networking();
            if quiet {
                pair.choose("quiet");
            }
            pair.call(&pair.a, "HAPushStandby");
            pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
            pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
            pair.wait(60);
            let said = pair.call(&pair.a, "HAInSync");
            assert!(said.contains("GOOD, the standby is ready"), "{version}: {said}\n{}", pair.tail());
            let told = said.lines().find(|line| line.contains("spoke for this one"));
            if quiet {
                assert_eq!(told, None, "{version}");
                continue;
            }
            let told = told.unwrap_or_else(|| panic!("{version}: {said}\n{}", pair.tail()));
            for port in ["ether1 ", "ether3 "] {
                let one = told.split(", ").find(|part| part.contains(port)).unwrap_or_default();
                assert!(one.contains("frames as 74:4D:28:0A:00:0") && one.contains(" in 00:00:0"), "{version}: {told}");
            }
            assert!(!told.contains("ether2 ") && !told.contains("ether4 "), "no link, a waiting slave: {told}");
            assert!(pair.seen(1, says("this router spoke for the active: ether1")) == 1, "{version}");
        }
    }
}

/// A standby that starts with the active's backup looks like a loop to `loop-protect`: one of the two ports of a cable is
/// shut, for five minutes. One that is made again quietly never does.
#[test]
fn a_clone_is_a_loop_to_loop_protect() {
    for version in VERSIONS {
        for quiet in [false, true] {
            let pair = Pair::new(version, 14);
            let _data = pair.world.connect(pair.a.port(0), pair.b.port(0), lab::CABLE);
            pair.run(&pair.a, "/interface ethernet set ether1 loop-protect=on loop-protect-send-interval=1s");
            pair.install();
            pair.basic_networking();
            if quiet {
                pair.choose("quiet");
            }
            pair.call(&pair.a, "HAPushStandby");
            pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
            pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
            pair.wait(30);
            let loops = [0, 1].map(|which| pair.seen(which, says("received loop protect packet")));
            let status = pair.get(&pair.a, "[/interface ethernet get ether1 loop-protect-status]");
            if quiet {
                assert_eq!((loops, status.as_str()), ([0, 0], "on"), "{version}\n{}", pair.tail());
            } else {
                assert!(loops != [0, 0], "{version}\n{}", pair.tail());
                assert_eq!(status, if loops[0] > 0 { "disable" } else { "on" }, "{version}");
            }
        }
    }
}

/// Bonds: closed on the standby, opened with the service MACs when it takes over.
#[test]
fn a_bond_follows_the_role() {
    for version in VERSIONS {
        let pair = Pair::new(version, 13);
        let _data = pair.world.connect(pair.a.port(2), pair.b.port(2), lab::CABLE);
        pair.run(&pair.a, "/interface bonding add name=bond1 slaves=ether3,ether4");
        pair.install();
        pair.basic_networking();
        pair.first_push();
        let bond = |router, what| pair.get(router, &format!("[/interface bonding get bond1 {what}]"));
        assert_eq!(
            (bond(&pair.a, "disabled"), bond(&pair.b, "disabled")),
            ("false".into(), "true".into()),
            "{version}"
        );
        assert_eq!(bond(&pair.a, "mac-address"), "74:4D:28:0A:00:03", "{version}");
        pair.call(&pair.a, "HASwitchRole");
        pair.wait(5);
        assert_eq!(
            (bond(&pair.a, "disabled"), bond(&pair.b, "disabled")),
            ("true".into(), "false".into()),
            "{version}"
        );
        assert_eq!(bond(&pair.b, "mac-address"), "74:4D:28:0A:00:03", "{version}");
    }
}
