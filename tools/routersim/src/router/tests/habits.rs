//! Habits of real routers that scripts stumble over.

use super::*;

#[test]
fn a_fasttrack_rule_brings_one_of_the_systems_own() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/ip firewall filter add chain=input action=drop comment=mine");
        assert_eq!(bench.get("[:len [/ip firewall filter find]]"), "1");
        bench.run("/ip firewall filter add chain=forward action=fasttrack-connection");
        assert_eq!(bench.get("[:len [/ip firewall filter find]]"), "3");
        assert_eq!(bench.get("[/ip firewall filter get 0 action]"), "passthrough");
        assert_eq!(bench.get("([:len [/ip firewall raw find]] . [:len [/ip firewall nat find]])"), "10");
        assert_eq!(bench.fails("/ip firewall filter disable [find]"), "failure: cannot change builtin");
        assert_eq!(bench.fails("/ip firewall filter remove [find]"), "failure: cannot remove builtin");
        assert_eq!(
            bench.fails("/ip firewall filter add chain=input action=accept place-before=0"),
            "failure: cannot move builtin"
        );
        bench.run("/ip firewall filter disable [find where !dynamic]");
        // with the rule that wants it
        assert_eq!(bench.get("[:len [/ip firewall filter find]]"), "2");
        assert!(!bench.run("/ip firewall filter export").contains("dummy"));
    }
}

#[test]
fn a_log_on_disk_shows_lines_of_earlier_boots() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/system logging add topics=warning action=disk; :log warning before");
        assert_eq!(bench.get("[:len [/log find message=before]]"), "2");
        bench.wait(Duration::from_secs(60));
        bench.router.power_cut(bench.now);
        bench.router.power_on(bench.now);
        bench.until(Phase::Up);
        assert_eq!(bench.get("[/log get [find message=before] buffer]"), "disk");
        assert_eq!(bench.get("[:len [/log find buffer=memory message=before]]"), "0");
    }
}

/// Also one that the user has already.
#[test]
fn a_password_is_judged_whenever_it_is_set() {
    let mut bench = Bench::v7();
    bench.run("/user add name=x group=read password=short; /user settings set minimum-password-length=12");
    assert!(bench.fails("/user set x password=short").contains("at least 12 characters"));
    bench.run("/user set x group=full");
}

#[test]
fn an_export_can_be_seen_half_written() {
    let mut bench = Bench::of(Spec::pair_a().quirk(|quirks| quirks.export_grows_ms = Some(1000)));
    bench.run("/export file=all");
    let mut sizes = Vec::new();
    bench.wait(Duration::from_millis(500));
    for _ in 0..3 {
        bench.wait(Duration::from_millis(1000));
        sizes.push(bench.router.system().unwrap().read_file("all.rsc").map(|text| text.len()));
    }
    assert_eq!(sizes[0], Some(0));
    assert!(sizes[0] < sizes[1] && sizes[1] < sizes[2], "{sizes:?}");
}
