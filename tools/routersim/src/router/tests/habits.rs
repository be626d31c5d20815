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

/// The manual's examples, "Script permissions" and "Scheduler".
#[test]
fn a_script_has_its_callers_rights_and_may_not_want_more() {
    const RUN: &str = "/system script run";
    for version in [Version::new(6, 44, 6), Version::new(7, 18, 2), Version::new(7, 22, 1)] {
        let mut bench = Bench::of(Spec::pair_a().version(version));
        bench.run(
            "/user group add name=some policy=read,write,test,ssh; /user add name=jo group=some password=p; \
             /system script add name=none policy=\"\" source=\"/ip address add address=10.1.1.1/32 interface=ether1\"; \
             /system script add name=all source=\":log warning all-ran\"; \
             /system script add name=bold dont-require-permissions=yes source=\"/user add name=x group=full\"",
        );
        // Its own are empty.
        let own = format!("{RUN} none use-script-permissions");
        match version.is_v7() {
            true => {
                bench.run(&format!("{RUN} none"));
                assert!(bench.fails(&own).starts_with("not enough permissions (9)"));
            }
            false => {
                assert_eq!(bench.fails(&format!("{RUN} none")), "not enough permissions (9)");
                assert_eq!(bench.fails(&own), "expected end of command");
            }
        }
        let mut jo = |text: &str| bench.router.run_script(&mut bench.now, "jo", text);
        assert!(jo(&format!("{RUN} all")).unwrap_err().starts_with("not enough permissions (9)"));
        jo(&format!("{RUN} bold")).unwrap();
        // What jo adds has jo's rights.
        jo("/system scheduler add name=jos start-time=startup on-event=all; /system script add name=jos source=x")
            .unwrap();
        assert_eq!(bench.get("[/system scheduler get jos policy]"), "read;write;test");
        assert_eq!(bench.get("[/system script get jos policy]"), "read;write;test");
        // A scheduler that has less than the script.
        bench.run(
            "/system scheduler add name=less start-time=startup policy=read,write on-event=all; \
             /system scheduler add name=also start-time=startup policy=read,write on-event=\"/system script run all\"",
        );
        bench.router.power_cut(bench.now);
        bench.router.power_on(bench.now);
        bench.until(Phase::Up);
        bench.wait(Duration::from_secs(10));
        assert_eq!(bench.get("[:len [/log find message~\"all-ran\"]]"), "0");
        assert_eq!(bench.get("[:len [/log find message~\"not enough permissions\"]]"), "3");
        assert_eq!(bench.get("[/system script get all run-count]"), "0");
    }
}

#[test]
fn an_address_with_a_timeout_counts_down_and_goes() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run(
            "/ip firewall address-list add list=l address=10.0.0.1; \
             /ip firewall address-list add list=l address=10.0.0.2 timeout=1m; \
             /ip firewall address-list add list=l address=10.0.0.3 timeout=1h comment=long",
        );
        let refused = bench.fails("/ip firewall address-list add list=l address=10.0.0.2");
        assert!(refused.starts_with("failure: already have such entry"), "{refused}");
        assert_eq!(bench.get("[:len [/ip firewall address-list find dynamic]]"), "2");
        assert!(bench.get("[/ip firewall address-list get 0 creation-time]").contains(':'));
        let export = bench.run("/ip firewall address-list export");
        assert!(export.contains("add address=10.0.0.1 list=l") && !export.contains("10.0.0.2"), "{export}");
        assert!(!export.contains("10.0.0.3"), "{export}");
        bench.wait(Duration::from_secs(30));
        let left = bench.get("[/ip firewall address-list get 1 timeout]");
        assert!(["00:00:29", "00:00:30"].contains(&left.as_str()), "{left}");
        bench.run("/ip firewall address-list set [find comment=long] timeout=2h comment=longer");
        bench.wait(Duration::from_secs(31));
        assert_eq!(bench.get("[:len [/ip firewall address-list find]]"), "2");
        bench.wait(Duration::from_secs(3700));
        assert_eq!(bench.get("[:len [/ip firewall address-list find]]"), "2");
        let row = if bench.router.spec().version.is_v7() { "1 D l" } else { " 1 D ;;; longer" };
        assert!(bench.run("/ip firewall address-list print").contains(row));
        // It lies in RAM.
        bench.run("/ipv6 firewall address-list add list=l address=2001:db8::1/128 timeout=1d");
        bench.router.power_cut(bench.now);
        bench.router.power_on(bench.now);
        bench.until(Phase::Up);
        assert_eq!(bench.get("[/ip firewall address-list get [find] address]"), "10.0.0.1");
        assert_eq!(bench.get("[:len [/ipv6 firewall address-list find]]"), "0");
    }
}

/// Versions before 7.23 don't name what they can't read; what may stand without a name is read as a value first.
#[test]
fn what_is_read_only_can_not_be_set() {
    for (version, named) in
        [(Version::new(6, 44, 6), false), (Version::new(7, 18, 2), false), (Version::new(7, 24, 0), true)]
    {
        let mut bench = Bench::of(Spec::pair_a().version(version));
        for (line, name, column) in [
            ("/interface set ether1 running=yes", "running", 23),
            ("/interface ethernet set running=yes", "running", 32),
            ("/interface vrrp set 0 master=yes", "master", 23),
            ("/ip address set 0 invalid=no", "invalid", 19),
            ("/ip address set 0 actual-interface=ether1", "actual-interface", 19),
            ("/system script set 0 run-count=0", "run-count", 22),
        ] {
            let words = if named { format!("bad parameter {name} ") } else { "expected end of command ".to_owned() };
            let column = if named { line.find(name).unwrap() + 1 } else { column };
            assert_eq!(bench.fails(line), format!("{words}(line 1 column {column})"), "{version} {line}");
        }
        assert!(bench.fails("/ip address add disabled").starts_with("expected end of command"));
    }
}

#[test]
fn names_may_be_shortened_as_far_as_they_are_clear() {
    for version in [Version::new(6, 44, 6), Version::new(7, 18, 2), Version::new(7, 22, 1)] {
        let mut bench = Bench::of(Spec::pair_a().version(version));
        bench.run("/ip addr add addr=10.0.0.2/24 int=ether2 comm=x");
        bench.run("/ip addr set [find comment=x] dis=yes");
        assert_eq!(bench.get("[/ip addr get [find comment=x] disabled]"), "true");
        assert_eq!(bench.run("/ip addr pr count"), "1");
        assert!(bench.run("/ip addr pr det").contains("interface=ether2"));
        assert!(bench.run("/ip addr exp ter").contains("/ip address add address=10.0.0.2/24"));
        assert!(bench.fails("/ip a").starts_with("ambiguous command name a (line 1 column 5)"));
        assert!(bench.fails("/ip address e").starts_with("ambiguous command name e (line 1 column 13)"));
        bench.run("/system script add na=d sou=\":put ran\"; /system script run d");
        if version.at_least(7, 22) {
            // Of names that only the tree has, too.
            assert!(bench.fails("/ip address add co=1").starts_with("expected end of command (line 1 column 17)"));
            let said = bench.fails("/interface ethernet cab ether8");
            assert!(said.starts_with("failure: not simulated: /interface/ethernet/cable-test"), "{said}");
        }
    }
}

#[test]
fn globals_are_listed_and_go_when_set_to_nothing() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run(":global num 5; :global text \"t u\"; :global list {x=5;y=2}");
        let listed = "list={x=5; y=2}\nnum=5\ntext=\"t u\"";
        assert_eq!(bench.run(":environment print"), listed);
        assert_eq!(bench.run("/environment print"), listed);
        assert!(bench.run("/system script environment print").contains(" text"));
        assert_eq!(
            bench.run(":global num; :set num; :put [:typeof $num]; :set num 6; :put $num; :set num"),
            "nothing\n6"
        );
        assert_eq!(bench.get("[:len [/system script environment find name=num]]"), "0");
        assert_eq!(bench.run(":global num; :put [:typeof $num]"), "nothing");
        // A local one only loses its value.
        assert_eq!(bench.run(":local a 1; :set a; :put [:typeof $a]; :set a 2; :put $a"), "nothing\n2");
    }
}

/// The words for what `add` wants.
#[test]
fn an_item_without_what_it_needs_is_named_so() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        assert_eq!(bench.fails("/ip address add"), "missing value(s) of argument(s) address interface");
        assert_eq!(bench.fails("/ip firewall address-list add list=x"), "missing value(s) of argument(s) address");
        assert_eq!(
            bench.fails("/interface bridge port add interface=ether1"),
            "missing value(s) of argument(s) bridge"
        );
        assert_eq!(bench.fails("/user add name=x"), "missing value(s) of argument(s) group");
    }
}

/// What scripts of others lean on, and was wrong or missing here once.
#[test]
fn failover_and_update_scripts_find_what_they_ask_for() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        // A number, also of nobody.
        assert_eq!(bench.get("([/ping 192.0.2.1 count=1] = 0)"), "true");
        assert_eq!(bench.get("[:typeof [/ping 192.0.2.1 count=1]]"), "num");
        // Nothing, where a router has nothing to tell; a name that no router knows is another matter.
        for asked in ["/system package update get latest-version", "/tool e-mail get last-status"] {
            assert_eq!(bench.get(&format!("[:len [{asked}]]")), "0", "{asked}");
        }
        bench.run("/ip dhcp-server lease add address=192.168.88.9 mac-address=02:00:00:00:00:01");
        assert_eq!(bench.get("[:len [/ip dhcp-server lease get 0 host-name]]"), "0");
        assert!(bench.fails("/ip dhcp-server lease get 0 zzz").contains("input does not match any value"));
        bench.run("/system scheduler add name=hourly interval=1h on-event=\":nothing\"");
        let next = bench.get("[:len [/system scheduler get hourly next-run]]");
        assert!(next.parse::<u32>().is_ok_and(|length| length >= 19), "{next}");
        bench.run("/system scheduler disable hourly");
        assert_eq!(bench.get("[:len [/system scheduler get hourly next-run]]"), "0");
        let fetch = bench.fails("/tool fetch url=\"https://example.com/x\" mode=https");
        assert!(fetch.starts_with("failure: resolving error"), "{fetch}");
    }
}

#[test]
fn netwatch_asks_and_runs_its_scripts() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run(
            "/tool netwatch add host=192.0.2.1 interval=10s timeout=1s down-script=\":log warning \\\"it is down\\\"\" \
             up-script=\":log warning \\\"it is up\\\"\"",
        );
        bench.wait(Duration::from_secs(3));
        assert_eq!(bench.get("[/tool netwatch get 0 status]"), "down");
        assert_eq!(bench.get("[:len [/log find message=\"it is down\"]]"), "1");
        bench.run("/tool netwatch set 0 host=127.0.0.1");
        bench.wait(Duration::from_secs(3));
        assert_eq!(bench.get("[/tool netwatch get 0 status]"), "up");
        bench.wait(Duration::from_secs(30));
        assert_eq!(bench.get("[:len [/log find message=\"it is up\"]]"), "1", "once");
        bench.run("/tool netwatch disable 0");
        assert_eq!(bench.get("[/tool netwatch get 0 status]"), "unknown");
    }
}
