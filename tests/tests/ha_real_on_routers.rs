//! Our on-router scripts where a real router is less tidy than a simulated one: what operators have on theirs, what two scripts
//! do to each other, and oddities that are switched on here. Two simulated routers.

use std::time::Duration;

use jumplead_tests::ha_pair::{MAC_A, MAC_B, OPEN, PASSWORD, Pair, VERSIONS};
use lab::NodeHandle;
use routersim::menu::ExportForm;
use routersim::quirks::QuirkOverrides;
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::spec::{Spec, Version};

fn says(text: &str) -> impl Fn(&EventKind) -> bool + '_ {
    move |kind| matches!(kind, EventKind::Log { message, .. } if message.contains(text))
}

fn with(version: Version, seed: u64, quirk: fn(&mut QuirkOverrides)) -> Pair {
    let spec = |spec: Spec| spec.version(version).quirk(quirk);
    Pair::of(spec(Spec::pair_a()), spec(Spec::pair_b()), seed)
}

fn made(pair: Pair) -> Pair {
    pair.install();
    pair.basic_networking();
    pair.first_push();
    assert!(pair.sync().contains("GOOD"), "{}", pair.tail());
    pair
}

fn ready(version: Version) -> Pair {
    made(Pair::new(version, 11))
}

fn call() -> String {
    format!(
        ":global HAInstall; $HAInstall interface=\"ether8\" macA=\"{MAC_A}\" macB=\"{MAC_B}\" password=\"{PASSWORD}\""
    )
}

fn open(pair: &Pair) -> (String, String) {
    (pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN))
}

fn ports(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

fn restart(pair: &Pair, router: &NodeHandle<Router>) {
    router.with(Router::power_cut);
    pair.wait(1);
    router.with(Router::power_on);
    pair.until("it is back", 120, |pair| pair.phase(router) == Phase::Up);
}

/// An installation that can't work changes nothing, and one that fails leaves the ports as they were.
#[test]
fn an_installation_that_fails_leaves_the_ports_on() {
    for version in VERSIONS {
        let pair = Pair::new(version, 5);
        pair.run(&pair.a, "/import HA_init.rsc");
        // as left by the factory, all ports but one
        pair.run(&pair.a, "/interface bridge add name=lan; :foreach p in={\"ether2\";\"ether8\"} do={/interface bridge port add bridge=lan interface=$p}");
        let why = pair.fails(&pair.a, &call());
        assert!(why.contains("nothing changed, ether8 is in a bridge"), "{version}: {why}");
        pair.run(&pair.a, "/interface bridge port remove [find interface=ether8]");
        pair.run(&pair.a, "/interface bonding add name=bond1 slaves=ether7,ether8 mode=active-backup");
        let why = pair.fails(&pair.a, &call());
        assert!(why.contains("nothing changed, ether8 is a slave of bond1"), "{version}: {why}");
        pair.run(&pair.a, "/interface bonding set bond1 slaves=ether6,ether7");
        assert_eq!(pair.seen(0, says("ha_startup:")), 0, "{version}");
        // a bridge of the HA bridge's name that startup can't make its own
        pair.run(&pair.a, "/interface bridge add name=bridge-ether8; /interface ethernet disable ether5");
        let why = pair.fails(&pair.a, &call());
        assert!(why.contains("startup failed, the ports are as they were"), "{version}: {why}");
        assert_eq!(pair.get(&pair.a, OPEN), "7", "{version}");
        assert_eq!(pair.get(&pair.a, "[/interface bonding get bond1 disabled]"), "false", "{version}");
        pair.run(&pair.a, "/interface bridge remove bridge-ether8");
        pair.run(&pair.a, &call());
        pair.until("A is master", 60, |pair| pair.master(&pair.a));
    }
}

const FIREWALL: &str = "/ip firewall filter add chain=forward action=fasttrack-connection comment=fast; \
     /ip firewall filter add chain=input action=drop comment=last; \
     /ip firewall raw add chain=prerouting action=drop comment=\"drop the rest\"";

/// A quiet sync that is cut off where the active has a fasttrack rule: the filter then has a rule that nobody may disable.
#[test]
fn a_quiet_sync_that_is_cut_off_ends_reachable_with_fasttrack_too() {
    for version in VERSIONS {
        let pair = Pair::new(version, 6);
        pair.run(&pair.a, FIREWALL);
        pair.install();
        pair.basic_networking();
        pair.choose("quiet");
        pair.start(&pair.a, ":global HAPushStandby; $HAPushStandby");
        pair.until("B is reset", 200, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        let there =
            |pair: &Pair, menu: &str| pair.b.look(|r| r.system().map_or(0, |s| s.config(|c| c.items(menu).len())));
        pair.until("half of it is there", 120, |pair| {
            there(pair, "/system/scheduler") > 0 && there(pair, "/ip/firewall/filter") > 2
        });
        restart(&pair, &pair.b);
        pair.wait(20);
        assert!(pair.seen(1, says("the sync was cut off")) > 0, "{version}\n{}", pair.tail());
        assert_eq!(pair.get(&pair.b, OPEN), "1", "{version}");
        pair.answers();
        pair.call(&pair.a, "HAPushStandby");
        pair.wait(200);
        assert!(pair.sync().contains("GOOD"), "{version}\n{}", pair.tail());
    }
}

/// The HA link is let through before all rules that somebody made, in the filter and in raw.
#[test]
fn the_ha_link_comes_first_in_both_tables() {
    for version in VERSIONS {
        let pair = Pair::new(version, 7);
        pair.run(&pair.a, FIREWALL);
        let pair = made(pair);
        // a start makes them anew
        restart(&pair, &pair.b);
        pair.wait(30);
        for router in [&pair.a, &pair.b] {
            for (menu, count) in [("filter", "4"), ("raw", "3")] {
                let all = format!("[/ip firewall {menu} find where !dynamic]");
                let rules = format!(
                    ":foreach i in=[:pick {all} 0 2] do={{:put ([/ip firewall {menu} get $i comment] . \" \" . [/ip firewall {menu} get $i chain])}}"
                );
                let first = if menu == "raw" { "prerouting" } else { "input" };
                let said = pair.run(router, &rules);
                let mut said: Vec<&str> = said.lines().collect();
                said.sort_unstable();
                let mut wanted = vec![format!("HA_AUTO {first}"), "HA_AUTO output".to_owned()];
                wanted.sort_unstable();
                assert_eq!(said, wanted, "{version} {menu}");
                assert_eq!(pair.get(router, &format!("[:len {all}]")), count, "{version} {menu}");
            }
        }
    }
}

/// Several addresses that FTP serves stay, and the HA network is one of them, on both.
#[test]
fn two_addresses_of_ftp_stay() {
    for version in [VERSIONS[0], VERSIONS[1], Version::new(7, 24, 0)] {
        let pair = Pair::new(version, 8);
        let word = if version.at_least(7, 24) { "available-from" } else { "address" };
        pair.run(&pair.a, &format!("/ip service set ftp {word}=192.0.2.0/24,198.51.100.0/24 disabled=no"));
        let pair = made(pair);
        for router in [&pair.a, &pair.b] {
            let list = pair.get(router, &format!("[:tostr [/ip service get ftp {word}]]"));
            assert_eq!(list, "169.254.23.0/24;192.0.2.0/24;198.51.100.0/24", "{version}");
        }
        pair.run(&pair.a, "/ip address add address=192.0.2.1/24 interface=ether1");
        assert!(pair.sync().contains("NEED TO PUSH"), "{version}");
        pair.wait(200);
        assert!(pair.sync().contains("GOOD"), "{version}\n{}", pair.tail());
    }
}

/// A boot job whose startup fails at once leaves no VRRP of the last life behind.
#[test]
fn a_startup_that_fails_leaves_vrrp_off() {
    for version in VERSIONS {
        let pair = ready(version);
        pair.run(&pair.b, "/system script set ha_startup source=\":error broken\"");
        restart(&pair, &pair.b);
        pair.wait(30);
        assert!(pair.seen(1, says("FAILED - DATA PORTS CLOSED")) > 0, "{version}");
        assert_eq!(pair.get(&pair.b, "[/interface vrrp get HA_VRRP disabled]"), "true", "{version}");
        assert_eq!(open(&pair), ports("8", "1"), "{version}");
    }
}

/// Early versions lost the last lines of a file that runs on arrival.
#[test]
fn files_that_run_on_arrival_may_lose_their_last_lines() {
    for (version, way) in [(VERSIONS[0], "backup"), (VERSIONS[0], "quiet"), (VERSIONS[1], "backup")] {
        let pair = with(version, 9, |quirks| quirks.auto_rsc_lost_lines = Some(3));
        pair.install();
        pair.basic_networking();
        pair.choose(way);
        pair.call(&pair.a, "HAPushStandby");
        pair.wait(200);
        assert!(pair.sync().contains("GOOD"), "{version} {way}\n{}", pair.tail());
        pair.wait(30);
        let files = pair.files(&pair.b);
        assert!(files.iter().any(|name| name == "HA_own.backup"), "{version} {way}: {files:?}");
    }
}

/// What VRRP hangs on is left alone when the role goes.
#[test]
fn the_ha_port_keeps_its_mac_when_the_role_goes() {
    for version in VERSIONS {
        let pair = ready(version);
        pair.run(&pair.b, "/interface ethernet set ether8 mac-address=02:00:00:00:00:77; /interface ethernet set ether2 mac-address=02:00:00:00:00:78");
        pair.run(&pair.b, "/system script run ha_onbackup");
        let mac = |port: &str| pair.get(&pair.b, &format!("[/interface ethernet get {port} mac-address]"));
        assert_eq!(mac("ether8"), "02:00:00:00:00:77", "{version}");
        assert_eq!(mac("ether2"), "74:4D:28:0B:00:02", "{version}");
    }
}

/// How often a router became a standby, or its VRRP stopped.
fn losses(pair: &Pair, which: usize) -> usize {
    pair.seen(which, says("ha_onbackup: data ports closed"))
}

/// A write to a VRRP interface makes a master resign: an active writes nothing, and is never a standby for a moment, whether it
/// started, took over or got the role. The standby writes, and stays one.
#[test]
fn an_active_writes_nothing_to_vrrp() {
    for version in VERSIONS {
        let pair = made(with(version, 12, |quirks| quirks.vrrp_set_resets = Some(true)));
        let priority = |router| pair.get(router, "[/interface vrrp get HA_VRRP priority]");
        pair.wait(200);
        // one of its first listening, before it was the master
        assert_eq!(losses(&pair, 0), 1, "{version}\n{}", pair.tail());
        assert_eq!((priority(&pair.a), priority(&pair.b)), ("90".to_owned(), "100".to_owned()), "{version}");
        let said = pair.call(&pair.a, "HASwitchRole");
        assert!(said.contains("DONE"), "{version}: {said}\n{}", pair.tail());
        let before = losses(&pair, 1);
        pair.wait(400);
        assert!(pair.master(&pair.b) && !pair.master(&pair.a), "{version}");
        assert_eq!(losses(&pair, 1), before, "{version}\n{}", pair.tail());
        // it goes on as a standby like any other
        assert_eq!(priority(&pair.a), "100", "{version}");
        assert_eq!(pair.get(&pair.a, "[/interface vrrp get HA_VRRP preemption-mode]"), "false", "{version}");
        assert!(pair.call(&pair.b, "HASwitchRole").contains("DONE"), "{version}\n{}", pair.tail());
        pair.wait(200);
        // the other one takes over, and stays
        pair.a.with(Router::power_cut);
        pair.wait(10);
        let before = losses(&pair, 1);
        pair.wait(200);
        assert!(pair.master(&pair.b) && losses(&pair, 1) == before, "{version}\n{}", pair.tail());
        pair.a.with(Router::power_on);
        pair.wait(300);
        assert!(pair.master(&pair.b) && !pair.master(&pair.a), "{version}");
        assert_eq!(open(&pair), ports("1", "8"), "{version}");
    }
}

/// A router whose HA port has no link while it starts believes that it is alone; it gives way when the link comes.
#[test]
fn a_start_without_a_link_does_not_beat_the_active() {
    for version in VERSIONS {
        let pair = ready(version);
        let before = losses(&pair, 0);
        pair.cable.cut();
        restart(&pair, &pair.b);
        pair.until("B believes that it is alone", 60, |pair| pair.master(&pair.b));
        pair.wait(5);
        pair.cable.restore();
        pair.wait(20);
        assert!(pair.master(&pair.a) && !pair.master(&pair.b), "{version}\n{}", pair.tail());
        assert_eq!(losses(&pair, 0), before, "{version}");
        assert_eq!(open(&pair), ports("8", "1"), "{version}");
    }
}

/// A standby that does not raise itself: nothing has changed, and it does not take over later.
#[test]
fn a_standby_that_does_not_take_over_keeps_its_priority() {
    for version in VERSIONS {
        let pair = ready(version);
        // it takes the order, and somebody sets it back
        pair.run(&pair.b, "/system scheduler add name=back interval=1s on-event=\"/interface vrrp set [find preemption-mode=yes] priority=40 preemption-mode=no\"");
        let error = pair.fails(&pair.a, "/system script run ha_switchrole");
        assert!(
            error.contains("did not take over; this router is still active, nothing changed"),
            "{version}: {error}"
        );
        pair.run(&pair.b, "/system scheduler remove back");
        assert_eq!(pair.get(&pair.b, "[/interface vrrp get HA_VRRP priority]"), "100", "{version}");
        pair.wait(60);
        assert!(pair.master(&pair.a) && !pair.master(&pair.b), "{version}");
        assert_eq!(open(&pair), ports("8", "1"), "{version}");
    }
}

/// A log on disk shows lines of earlier boots: a start is not taken for a restarted console.
#[test]
fn a_log_on_disk_does_not_hide_a_start() {
    for version in VERSIONS {
        let pair = Pair::new(version, 13);
        pair.run(&pair.a, "/system logging add topics=warning action=disk");
        let pair = made(pair);
        // the one who dies as the active has open ports in what it stored
        let starts = pair.seen(0, says("ha_startup: START"));
        restart(&pair, &pair.a);
        pair.wait(40);
        assert!(pair.get(&pair.a, "[:len [/log find message~\"ha_startup: DONE\" buffer=disk]]") != "1", "{version}");
        assert_eq!(pair.seen(0, says("ha_startup: START")), starts + 1, "{version}\n{}", pair.tail());
        assert_eq!(open(&pair), ports("1", "8"), "{version}");
        assert!(pair.call(&pair.b, "HAInSync").contains("MASTER VERSION"), "{version}");
    }
}

/// Warnings that are logged elsewhere only: a start sees to it that its own are kept.
#[test]
fn a_router_that_logs_no_warnings_to_memory_can_be_active() {
    for version in VERSIONS {
        let pair = Pair::new(version, 14);
        pair.run(&pair.a, "/system logging set [find topics=warning] action=remote");
        let pair = made(pair);
        restart(&pair, &pair.b);
        pair.wait(30);
        assert!(pair.call(&pair.a, "HAInSync").contains("GOOD"), "{version}\n{}", pair.tail());
        pair.a.with(Router::power_cut);
        pair.wait(10);
        assert_eq!(pair.get(&pair.b, OPEN), "8", "{version}\n{}", pair.tail());
    }
}

/// on-master that goes on while the role has gone again opens nothing that stays open.
#[test]
fn an_overtaken_on_master_leaves_the_ports_shut() {
    for version in VERSIONS {
        let pair = ready(version);
        let error = pair.fails(&pair.b, "/system script run ha_onmaster");
        assert!(error.contains("OVERTAKEN"), "{version}: {error}");
        assert_eq!(open(&pair), ports("8", "1"), "{version}");
        assert_eq!(pair.get(&pair.b, "[/interface ethernet get ether1 mac-address]"), "74:4D:28:0B:00:01", "{version}");
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik_HA_B_STANDBY", "{version}");
    }
}

/// Whatever has opened a standby's port: safe mode of a session that is lost undoes also what others did meanwhile.
#[test]
fn a_port_of_a_standby_that_is_on_is_shut() {
    for version in VERSIONS {
        let pair = ready(version);
        pair.run(
            &pair.b,
            "/interface ethernet enable ether2; /interface ethernet set ether3 comment=HA_RESCUE disabled=no",
        );
        pair.wait(65);
        assert_eq!(open(&pair), ports("8", "2"), "{version}");
        assert!(pair.seen(1, says("1 data ports of this standby were on")) == 1, "{version}\n{}", pair.tail());
    }
}

/// Stricter rules for passwords than when the pair's was chosen, on both, and both lose power: one of them is active again. 6.x has
/// no such rules.
#[test]
fn what_does_not_decide_the_role_does_not_end_a_start() {
    for version in [VERSIONS[1], Version::new(7, 24, 0)] {
        let pair = ready(version);
        for router in [&pair.a, &pair.b] {
            pair.run(router, "/user settings set minimum-password-length=60");
            router.with(Router::power_cut);
        }
        pair.wait(5);
        for router in [&pair.a, &pair.b] {
            router.with(Router::power_on);
        }
        pair.wait(120);
        assert!(pair.master(&pair.a) != pair.master(&pair.b), "{version}\n{}", pair.tail());
        for which in [0, 1] {
            assert!(pair.seen(which, says("the user ha was not set")) > 0, "{version}");
        }
        let (a, b) = open(&pair);
        assert!([(a.as_str(), b.as_str()), (b.as_str(), a.as_str())].contains(&("8", "1")), "{version}: {a} {b}");
    }
}

/// A table of ports that knows fewer, or has another order: no port is under another's name.
#[test]
fn a_port_that_is_new_is_not_under_another_name() {
    for version in VERSIONS {
        let pair = ready(version);
        let table = pair.get(&pair.b, "[/file get HA_ports.txt contents]");
        let mut parts: Vec<&str> = table.split(',').collect();
        assert_eq!(parts.len(), 9, "{table}");
        parts.remove(3);
        parts.swap(1, 5);
        pair.run(&pair.b, &format!("/file set HA_ports.txt contents=\"{}\"", parts.join(",")));
        // files of the last 40 s are lost with the power
        pair.wait(50);
        restart(&pair, &pair.b);
        pair.wait(30);
        assert_eq!(pair.seen(1, says("PORTS UNDER OTHER NAMES")), 0, "{version}\n{}", pair.tail());
        assert_eq!(pair.get(&pair.b, "[/file get HA_ports.txt contents]"), table, "{version}");
        // one that this start lacks stays known
        pair.run(&pair.b, &format!("/file set HA_ports.txt contents=\"{table},ether99=74:4D:28:0B:00:63\""));
        pair.wait(50);
        restart(&pair, &pair.b);
        pair.wait(30);
        assert!(pair.get(&pair.b, "[/file get HA_ports.txt contents]").contains("ether99"), "{version}");
        assert!(pair.call(&pair.a, "HAInSync").contains("GOOD"), "{version}\n{}", pair.tail());
    }
}

/// Other scripts read what `ha_config` sets while it runs again.
#[test]
fn nobody_finds_the_facts_of_the_pair_empty() {
    for version in VERSIONS {
        let pair = ready(version);
        // slowly, so that every state between two of its statements is seen
        let (_, source) = bootstrap::ha::scripts().into_iter().find(|(name, _)| *name == "ha_config").unwrap();
        let (mut slow, mut depth) = (String::new(), 0);
        for line in source.lines() {
            depth += line.matches('{').count() as i32 - line.matches('}').count() as i32;
            slow.push_str(line);
            slow.push_str(if depth == 0 { "\n:delay 0.1\n" } else { "\n" });
        }
        let quoted = slow.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n");
        pair.run(&pair.a, &format!("/system script add name=slow source=\"{quoted}\""));
        let reader = pair.start(
            &pair.a,
            ":global isMaster; :global haAddressOther; :global haMacMe; :global haIdentity; :local bad 0; \
             :for i from=1 to=1000 do={ :delay 0.02; :if (([:len $haAddressOther] = 0) or ([:len $haMacMe] = 0) \
             or ($haIdentity != \"A\") or (!$isMaster)) do={ :set bad ($bad + 1) } }; :put \"bad $bad\"",
        );
        pair.run(&pair.a, "/system script run slow");
        pair.until("it has read", 60, |_| reader.result().is_some());
        assert_eq!(reader.output().trim(), "bad 0", "{version}");
    }
}

/// An export that is there and not whole yet is waited for.
#[test]
fn a_slow_export_is_waited_for() {
    for version in VERSIONS {
        let pair = with(version, 15, |quirks| quirks.export_grows_ms = Some(1300));
        pair.install();
        pair.basic_networking();
        pair.choose("quiet");
        // what is left of it without its parts: above all the scripts
        let measured = pair.run(&pair.a, "/system script run ha_measure; :global haMeasure; :put $haMeasure");
        assert!(measured.trim().parse::<usize>().is_ok_and(|size| size > 50_000), "{version}: {measured}");
        pair.call(&pair.a, "HAPushStandby");
        pair.wait(300);
        assert!(pair.sync().contains("GOOD"), "{version}\n{}", pair.tail());
        assert_eq!(
            pair.get(&pair.a, "[:len [/system script find]]"),
            pair.get(&pair.b, "[:len [/system script find]]")
        );
    }
}

/// What is each router's own in an export, and no part of its configuration: the comment lines above what does not work on a
/// standby, whose ports are off, and the length of the serial number.
#[test]
fn equal_routers_with_other_comment_lines_are_in_sync() {
    for version in [VERSIONS[0], VERSIONS[1], Version::new(7, 24, 0)] {
        let (a, b) = (Spec::pair_a().version(version), Spec::pair_b().version(version));
        let pair = Pair::of(a, Spec { serial_number: "HGE0A1B2C3D".to_owned(), ..b }, 16);
        // a cable, so that the active's ether1 runs
        pair.world.connect(pair.a.port(0), pair.a.port(1), Duration::from_micros(5));
        pair.run(&pair.a, "/ip dhcp-client add interface=ether1 disabled=no comment=uplink");
        pair.install();
        pair.basic_networking();
        pair.choose("quiet");
        pair.call(&pair.a, "HAPushStandby");
        pair.wait(200);
        assert!(pair.sync().contains("GOOD"), "{version}\n{}", pair.tail());
        let idle = |router: &NodeHandle<Router>| {
            let lines = router.look(|router| router.system().unwrap().export("/ip/dhcp-client", ExportForm::default()));
            lines.iter().any(|line| line == "# Interface not active")
        };
        assert_eq!((idle(&pair.a), idle(&pair.b)), (false, version.is_v7()), "{version}");
    }
}
