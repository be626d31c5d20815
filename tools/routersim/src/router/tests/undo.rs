//! `/undo`, `/redo`, safe mode.

use super::desk::Desk;
use super::*;

#[test]
fn what_was_done_is_undone_and_done_again() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/interface bridge add name=br1");
        bench.run("/interface bridge port add bridge=br1 interface=ether2; /interface bridge port add bridge=br1 interface=ether3");
        bench.run("/ip address add address=10.0.0.1/24 interface=br1 comment=x");
        bench.run("/interface bridge set br1 name=br2");
        assert_eq!(bench.get("[/ip address get [find comment=x] interface]"), "br2");
        bench.run("/undo");
        assert_eq!(bench.get("[/ip address get [find comment=x] interface]"), "br1");
        bench.run("/redo");
        assert_eq!(bench.get("[/ip address get [find comment=x] interface]"), "br2");
        bench.run("/interface bridge remove br2");
        assert_eq!(bench.get("[:len [/interface bridge port find]]"), "0");
        bench.run("/undo");
        assert_eq!(bench.get("[/interface bridge port get 1 interface]"), "ether3");
        assert_eq!(bench.get("[/interface bridge port get 0 bridge]"), "br2");
        bench.run(":for i from=1 to=5 do={ /undo }");
        assert_eq!(bench.get("([:len [/interface bridge find]] . [:len [/ip address find]])"), "00");
        assert!(bench.fails(":for i from=1 to=99 do={ /undo }").starts_with("failure: nothing to undo"));
        // A new change ends what could be done again.
        bench.run("/system identity set name=r9");
        assert!(bench.fails("/redo").starts_with("failure: nothing to redo"));
    }
}

#[test]
fn a_rule_that_was_moved_goes_back_to_its_place() {
    let mut bench = Bench::v7();
    for n in 1..=4 {
        bench.run(&format!("/ip firewall filter add chain=input comment=r{n}"));
    }
    let order = ":local t \"\"; :foreach i in=[/ip firewall filter find] do={ \
                 :set t ($t . [/ip firewall filter get $i comment]) }; :put $t";
    bench.run("/ip firewall filter move [find comment=r4] [find comment=r1]");
    assert_eq!(bench.run(order), "r4r1r2r3");
    bench.run("/undo");
    assert_eq!(bench.run(order), "r1r2r3r4");
}

#[test]
fn safe_mode_takes_its_own_changes_back_when_the_session_is_lost() {
    let mut bench = Bench::v7();
    let mut console = Desk::at(&mut bench);
    console.log_in(&mut bench);
    console.types(&mut bench, "\u{18}");
    console.sees(&mut bench, "<SAFE>");
    console.types(&mut bench, "/system identity set name=changed\r");
    console.types(&mut bench, "/ip address add address=10.0.0.1/24 interface=ether1\r");
    bench.wait(Duration::from_secs(1));
    // Somebody else's change meanwhile stays.
    bench.run("/ip address add address=10.0.0.2/24 interface=ether2");
    assert_eq!(bench.get("[:len [/system history find floating-undo]]"), "2");
    // Ctrl-D on an empty line undoes and logs out.
    console.types(&mut bench, "\u{4}");
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.get("[/system identity get name]"), "MikroTik");
    assert_eq!(bench.get("[/ip address get [find] address]"), "10.0.0.2/24");
}

#[test]
fn released_safe_mode_keeps_its_changes() {
    let mut bench = Bench::v7();
    let mut console = Desk::at(&mut bench);
    console.log_in(&mut bench);
    console.types(&mut bench, "\u{18}");
    console.sees(&mut bench, "<SAFE>");
    console.types(&mut bench, "/system identity set name=kept\r");
    bench.wait(Duration::from_secs(1));
    console.types(&mut bench, "\u{18}");
    bench.wait(Duration::from_secs(1));
    console.types(&mut bench, "\u{4}");
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.get("[/system identity get name]"), "kept");
}
