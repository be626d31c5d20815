//! Our on-router scripts where a real router is less tidy than a simulated one: what operators have on theirs, what two scripts
//! do to each other, and oddities that are switched on here. Two simulated routers.

use jumplead_tests::ha_pair::{MAC_A, MAC_B, OPEN, PASSWORD, Pair, VERSIONS};
use routersim::record::EventKind;

fn says(text: &str) -> impl Fn(&EventKind) -> bool + '_ {
    move |kind| matches!(kind, EventKind::Log { message, .. } if message.contains(text))
}

fn call() -> String {
    format!(
        ":global HAInstall; $HAInstall interface=\"ether8\" macA=\"{MAC_A}\" macB=\"{MAC_B}\" password=\"{PASSWORD}\""
    )
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
