use std::time::Duration;

use mactelnet::Instant;

use super::Router;
use crate::menu::ExportForm;
use crate::record::{Event, EventKind, Outcome, Phase};
use crate::spec::{Spec, Version};

mod beyond;
mod bytes;
mod certificates;
mod desk;
mod habits;
mod imports;
mod logging;
mod power;
mod printing;
mod undo;
mod updates;
mod verdicts;

/// One router and its clock.
struct Bench {
    router: Router,
    now: Instant,
    events: Vec<Event>,
}

impl Bench {
    fn of(spec: Spec) -> Self {
        let mut bench =
            Self { router: Router::new(spec, 7).unwrap(), now: Instant::from_millis(5), events: Vec::new() };
        bench.router.power_on(bench.now);
        bench.until(Phase::Up);
        bench
    }

    fn v6() -> Self {
        Self::of(Spec::pair_a().version(Version::new(6, 44, 6)))
    }

    fn v7() -> Self {
        Self::of(Spec::pair_a())
    }

    fn step(&mut self) {
        self.now = self.router.poll_timeout().expect("nothing will ever happen").max(self.now);
        self.router.handle_timeout(self.now);
        while self.router.poll_transmit().is_some() {}
        while let Some(event) = self.router.poll_event() {
            self.events.push(event);
        }
    }

    fn until(&mut self, phase: Phase) {
        let limit = self.now + Duration::from_secs(600);
        while self.router.phase() != phase {
            assert!(self.now < limit, "never {phase:?}");
            self.step();
        }
    }

    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while self.router.poll_timeout().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = end;
        self.router.handle_timeout(end);
        while let Some(event) = self.router.poll_event() {
            self.events.push(event);
        }
    }

    /// What a script prints, without its last line end.
    fn run(&mut self, text: &str) -> String {
        let result = self.router.run_script(&mut self.now, "admin", text);
        match result {
            Ok(said) => said.trim_end_matches('\n').to_owned(),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    fn fails(&mut self, text: &str) -> String {
        self.router.run_script(&mut self.now, "admin", text).expect_err(text)
    }

    /// The value of an expression, as `:put` prints it.
    fn get(&mut self, expression: &str) -> String {
        self.run(&format!(":put {expression}"))
    }

    fn seen(&self, test: impl Fn(&EventKind) -> bool) -> bool {
        self.events.iter().any(|event| test(&event.kind))
    }
}

#[test]
fn an_erased_router_has_its_facts_and_nothing_else() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        assert_eq!(bench.get("[/system identity get name]"), "MikroTik");
        assert_eq!(bench.get("[:len [/ip address find]]"), "0");
        assert_eq!(bench.get("[:len [/system script find]]"), "0");
        assert_eq!(bench.get("[:len [/interface ethernet find]]"), "8");
        assert_eq!(
            bench.get("[/interface ethernet get [find default-name=\"ether8\"] orig-mac-address]"),
            "74:4D:28:00:00:0A"
        );
        assert_eq!(bench.get("[/system routerboard get serial-number]"), "7F0001");
        assert_eq!(bench.get("[/system resource get board-name]"), "CCR1009-7G-1C");
        assert_eq!(bench.get("[:len [/user find]]"), "1");
        assert_eq!(bench.get("[/interface ethernet get ether1 running]"), "false");
        assert_eq!(bench.get("[/interface ethernet get ether1 disabled]"), "false");
    }
    assert_eq!(Bench::v6().get("[/system resource get version]"), "6.44.6 (long-term)");
    assert_eq!(Bench::v7().get("[/system resource get version]"), "7.18.2 (stable)");
}

#[test]
fn items_are_added_set_found_and_removed() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/ip address add address=10.0.0.1/24 interface=ether1 comment=test");
        assert_eq!(bench.get("[/ip address get [find comment=test] network]"), "10.0.0.0");
        assert_eq!(bench.get("[:len [/ip address find interface=ether1 comment!=\"other\"]]"), "1");
        assert_eq!(bench.get("[:len [/ip address find comment!=\"test\"]]"), "0");
        assert_eq!(bench.get("[:len [/interface ethernet find comment!=\"x\"]]"), "8");
        assert_eq!(
            bench.fails("/ip address add address=10.0.0.1/24 interface=ether1"),
            "failure: already have such address"
        );
        assert_eq!(
            bench.fails("/ip address add address=10.0.0.2/24 interface=ether9"),
            "input does not match any value of interface"
        );
        assert_eq!(bench.fails("/ip address add address=10.0.0.2/24"), "missing value(s) of argument(s) interface");
        assert!(bench.fails("/ip address add adress=1").starts_with("expected end of command (line 1 column 17)"));
        assert!(bench.fails("/ip zzz print").starts_with("bad command name zzz (line 1 column "));
        bench.run("/ip address set [find comment=test] disabled=yes");
        assert_eq!(bench.get("[/ip address get [find comment=test] disabled]"), "true");
        assert_eq!(bench.fails("/ip address set *99 disabled=no"), "no such item");
        bench.run("/ip address remove [find comment=test]");
        bench.run("/ip address remove [find comment=test]");
        assert_eq!(bench.get("[:len [/ip address find]]"), "0");
    }
}

#[test]
fn references_follow_a_renamed_interface() {
    let mut bench = Bench::v7();
    bench.run("/ip address add address=10.0.0.1/24 interface=ether1");
    bench.run("/interface ethernet set ether1 name=wan");
    assert_eq!(bench.get("[/ip address get 0 interface]"), "wan");
    assert_eq!(bench.get("[/interface get wan default-name]"), "ether1");
    assert_eq!(
        bench.fails("/interface ethernet set ether2 name=wan"),
        "failure: already have interface with such name"
    );
}

#[test]
fn a_clock_gives_times_and_seconds() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/system clock set time=02:03:04");
        assert_eq!(bench.get("[:typeof [/system clock get time]]"), "time");
        assert_eq!(bench.get("([/system clock get time] > 01:00:00)"), "true");
        assert!(bench.get("\"$[/system clock get time]\"").starts_with("02:03:0"));
        assert_eq!(bench.get("([/system clock get gmt-offset] + 1)"), "1");
        assert!(bench.run("/system clock print").contains("gmt-offset: +00:00"));
        assert!(bench.run("/system clock print").contains("time: 02:03:0"));
    }
}

/// Scripts hand on what `find` and `add` gave them.
#[test]
fn a_reference_may_be_an_id() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run(":global br [/interface bridge add name=br1]");
        bench.run(":global br; /interface bridge port add bridge=$br interface=([/interface ethernet find]->2)");
        assert_eq!(bench.get("[/interface bridge port get 0 bridge]"), "br1");
        assert_eq!(bench.get("[/interface bridge port get 0 interface]"), "ether3");
        bench.run("/ip address add address=10.0.0.1/24 interface=[/interface find name=ether2]");
        assert_eq!(bench.get("[/ip address get 0 interface]"), "ether2");
        let refused = "input does not match any value of interface";
        assert_eq!(bench.fails("/ip address add address=10.0.1.1/24 interface=*FFFF"), refused);
    }
}

#[test]
fn rules_have_an_order() {
    let mut bench = Bench::v6();
    bench.run("/ip firewall filter add chain=input action=drop comment=a");
    bench.run("/ip firewall filter add chain=input action=accept comment=b place-before=0");
    assert_eq!(bench.get("[/ip firewall filter get 0 comment]"), "b");
    bench.run("/ip firewall filter move 1 destination=0");
    assert_eq!(bench.get("[/ip firewall filter get 0 comment]"), "a");
}

#[test]
fn files_have_the_versions_ways_and_limits() {
    let mut old = Bench::v6();
    old.run("/file print file=note");
    assert_eq!(old.get("[:len [/file find name=\"note.txt\"]]"), "0");
    old.wait(Duration::from_secs(2));
    old.run("/file set [find name=\"note.txt\"] contents=\"hello\\n\"");
    assert_eq!(old.get("[/file get note.txt contents]"), "hello");
    assert!(old.fails("/file add name=x contents=y").starts_with("bad command name add"));
    let long = "x".repeat(4096);
    assert_eq!(old.fails(&format!("/file set note.txt contents=\"{long}\"")), "failure: new contents too long");
    let mut new = Bench::v7();
    new.run(&format!("/file add name=x.txt contents=\"{long}\""));
    assert_eq!(new.get("[/file get x.txt size]"), "4096");
    new.run("/file remove [find]");
    assert_eq!(new.get("[:len [/file find]]"), "0");
}

#[test]
fn a_script_runs_by_name_and_globals_are_shared() {
    let mut bench = Bench::v6();
    bench.run("/system script add name=one source=\":global x 5; :put \\\"one\\\"\"");
    assert_eq!(bench.run("/system script run one; :global x; :put ($x + 1)"), "one\n6");
    assert_eq!(bench.get("[:len [/system script job find script=\"one\"]]"), "0");
    bench.run("/system script add name=self source=\":global n [:len [/system script job find script=self]]\"");
    assert_eq!(bench.run("/system script run [find name=self]; :global n; :put $n"), "1");
    bench.run("/system script run [find name=none]");
    bench.run(":execute one");
    bench.run("/system script add name=bad source=\":put (\"");
    assert!(bench.fails("/system script run bad").contains("(line 1 column"));
    bench.run("/user add name=r group=read password=p");
    let denied = bench.router.run_script(&mut bench.now, "r", "/ip address add address=1.1.1.1/32 interface=ether1");
    assert_eq!(denied, Err("not enough permissions (9)".to_owned()));
    let denied = bench.router.run_script(&mut bench.now, "r", "/system script run one");
    assert_eq!(denied, Err("not enough permissions (9)".to_owned()));
}

#[test]
fn an_export_imports_again() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run(
            "/interface bridge add name=bridge-ether8 protocol-mode=none comment=\"HA \\\"x\\\"\"\n\
             /interface bridge port add bridge=bridge-ether8 interface=ether8\n\
             /ip address add address=169.254.23.1/24 interface=bridge-ether8\n\
             /system script add name=s source=\":put \\\"\\$x\\\"\\n:put 2\"\n\
             /interface ethernet set ether2 name=two disabled=yes\n\
             /system identity set name=\"a b\"\n\
             /export file=all",
        );
        bench.wait(Duration::from_secs(3));
        let before = bench.router.system().unwrap().export("", ExportForm::default());
        bench.run("/system reset-configuration no-defaults=yes skip-backup=yes");
        bench.until(Phase::RouterBoot);
        bench.until(Phase::Up);
        assert!(bench.run("/import all.rsc").ends_with("Script file loaded and executed successfully"));
        let after = bench.router.system().unwrap().export("", ExportForm::default());
        assert_eq!(before[1..], after[1..]);
    }
}

#[test]
fn a_setup_makes_the_state_on_arrival() {
    let spec = Spec::pair_b().setup("/ip address add address=10.9.8.7/24 interface=ether2\n:global gone 1\n:delay 5");
    let mut bench = Bench::of(spec);
    assert_eq!(bench.get("[/ip address get 0 address]"), "10.9.8.7/24");
    assert_eq!(bench.run(":global gone; :put [:typeof $gone]"), "nothing");
    assert_eq!(bench.get("[:len [/system history find]]"), "0");
    let bad = Spec::pair_b().setup("/ip address add");
    assert!(matches!(Router::new(bad, 1), Err(crate::spec::SpecError::Setup(_))));
}

#[test]
fn the_same_seed_gives_the_same_events() {
    let run = |seed: u64| {
        let mut bench =
            Bench { router: Router::new(Spec::pair_a(), seed).unwrap(), now: Instant::ZERO, events: Vec::new() };
        bench.router.power_on(bench.now);
        bench.until(Phase::Up);
        bench.run("/system scheduler add name=t interval=1m on-event=\":log info tick\"; /system backup save name=b password=p");
        bench.run("/ip ssh export-host-key key-file-prefix=HA");
        bench.wait(Duration::from_secs(300));
        bench.run("/system reboot");
        bench.until(Phase::RouterBoot);
        bench.until(Phase::Up);
        (bench.events, bench.router.system().unwrap().read_file("HA_rsa.pem"))
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3).1, run(4).1);
}

#[test]
fn secrets_leave_with_an_export_only_where_the_version_lets_them() {
    let secret = "/ppp secret add name=x password=Geheim1";
    let mut old = Bench::v6();
    old.run(secret);
    assert!(old.run("/export").contains("password=Geheim1"));
    assert!(!old.run("/export hide-sensitive").contains("Geheim1"));
    let mut new = Bench::v7();
    new.run(secret);
    assert!(!new.run("/export").contains("Geheim1"));
    assert!(new.run("/export show-sensitive").contains("Geheim1"));
    assert!(!new.run(":put [/system history print as-value]").contains("Geheim1"));
    assert!(!new.run("/user export; /user print detail").contains("password"));
}

#[test]
fn abbreviations_resolve_where_they_are_unique() {
    let mut bench = Bench::v7();
    assert_eq!(bench.run(":put [/sys ident get name]; :put [/system/identity/get name]"), "MikroTik\nMikroTik");
    assert!(bench.fails("/i print").starts_with("ambiguous"));
    assert!(bench.fails("/ip address print bogus=1").starts_with("expected end of command (line 1 column 19)"));
}

#[test]
fn print_has_its_forms() {
    let mut bench = Bench::v6();
    bench.run("/ip address add address=10.0.0.1/24 interface=ether1 comment=\"to the lab\"");
    let text = bench.run("/ip address print");
    assert!(text.contains("ADDRESS") && text.contains(";;; to the lab") && text.contains("10.0.0.1/24"), "{text}");
    assert!(bench.run("/ip address print detail").contains("address=10.0.0.1/24 network=10.0.0.0 interface=ether1"));
    assert!(bench.run("/ip address print terse").contains("comment=to the lab address=10.0.0.1/24"));
    assert_eq!(bench.run("/ip address print count-only where interface=ether1"), "1");
    assert_eq!(bench.get("[:len [/ip address print as-value where interface=ether2]]"), "0");
    assert_eq!(bench.get("([/ip address print as-value]->0->\"address\")"), "10.0.0.1/24");
    assert!(bench.run("/system identity print").contains("name: MikroTik"));
}

#[test]
fn the_log_is_found_by_its_text() {
    let mut bench = Bench::v7();
    bench.run("/log warning \"ha_startup: DONE\"; :log error message=\"ha_startup: FAILED\"");
    assert_eq!(bench.get("[:len [/log find message~\"ha_startup.*(DONE|FAILED)\"]]"), "2");
    assert_eq!(bench.get("[:tostr [/log get [find message~\"DONE\"] topics]]"), "script;warning");
}

#[test]
fn the_password_policy_refuses_weak_ones() {
    let mut bench = Bench::of(Spec::pair_b().quirk(|quirks| {
        quirks.password_categories = Some(3);
        quirks.password_length = Some(8);
    }));
    assert!(bench.fails("/user add name=ha group=full password=0123456789abcdef").starts_with("failure: password"));
    assert!(bench.fails("/user add name=ha group=full password=Ab1").starts_with("failure: password"));
    bench.run("/user add name=ha group=full password=Abcdefgh-1");
    assert_eq!(bench.get("[/user settings get minimum-categories]"), "3");
}

#[test]
fn globals_can_belong_to_their_user() {
    let mut bench = Bench::of(Spec::pair_a().quirk(|quirks| quirks.globals = Some(crate::quirks::Globals::PerUser)));
    bench.run("/user add name=ha group=full password=x; :global mine 1");
    let other = bench.router.run_script(&mut bench.now, "ha", ":global mine; :put [:typeof $mine]");
    assert_eq!(other, Ok("nothing\n".to_owned()));
    assert_eq!(bench.run(":global mine; :put $mine"), "1");
}

#[test]
fn a_service_names_its_addresses_by_version() {
    let mut bench = Bench::v7();
    bench.run("/ip service set ftp address=\",169.254.23.0/24,10.0.0.1\"");
    assert_eq!(bench.get("[:tostr [/ip service get [find name=ftp] address]]"), "169.254.23.0/24;10.0.0.1/32");
    assert!(
        bench
            .fails("/ip service set ftp available-from=1.1.1.1")
            .starts_with("expected end of command (line 1 column 21)")
    );
    let mut bench = Bench::of(Spec::pair_a().version(Version::new(7, 24, 0)));
    bench.run("/ip service set ftp available-from=169.254.23.0/24");
    // Its tree has the old name still.
    assert!(
        bench
            .fails("/ip service set ftp address=1.1.1.1")
            .starts_with("failure: not simulated: /ip/service/set address")
    );
}

#[test]
fn host_keys_travel_as_files() {
    let mut a = Bench::v6();
    a.run("/ip ssh export-host-key key-file-prefix=HA");
    assert_eq!(a.get("[:len [/file find name~\"^HA_(dsa|rsa)\"]]"), "4");
    let key = a.router.system().unwrap().read_file("HA_rsa").unwrap();
    let mut b = Bench::of(Spec::pair_b());
    b.router.system().unwrap().write_file("HA_rsa", key).unwrap();
    assert_ne!(a.router.system().unwrap().host_key(), b.router.system().unwrap().host_key());
    b.run("/ip ssh import-host-key private-key-file=HA_rsa");
    assert_eq!(a.router.system().unwrap().host_key(), b.router.system().unwrap().host_key());
    b.run("/ip ssh export-host-key key-file-prefix=HA");
    assert_eq!(b.get("[:len [/file find name~\"dsa\"]]"), "0");
}

#[test]
fn the_clock_is_set_and_dates_are_the_versions() {
    let mut old = Bench::v6();
    assert_eq!(old.get("[/system clock get date]"), "jan/02/2026");
    old.run("/system clock set date=mar/04/2026 time=10:20:30");
    assert_eq!(old.get("[/system clock get date]"), "mar/04/2026");
    assert!(old.get("[/system clock get time]").starts_with("10:20:3"));
    assert_eq!(Bench::v7().get("[/system clock get date]"), "2026-01-02");
}

#[test]
fn jobs_run_beside_each_other_and_can_be_ended() {
    let mut bench = Bench::v6();
    bench.run("/system script add name=long source=\":delay 1000; :global done yes\"; :execute long");
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.get("[:len [/system script job find script=long]]"), "1");
    bench.run("/system script job remove [find script=long]");
    bench.wait(Duration::from_secs(1100));
    assert_eq!(bench.run(":global done; :put [:typeof $done]"), "nothing");
    bench.run(":execute \":put hello\" file=out");
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.get("[/file get out.txt contents]"), "hello");
    bench.run(":execute \":error stop\"");
    bench.wait(Duration::from_secs(1));
    assert_eq!(bench.get("[:len [/log find topics~\"error\" message~\"stop\\$\"]]"), "1");
}
