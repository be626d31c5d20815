//! Logging rules and actions; imports that are shown; commands that need the router.

use super::*;

#[test]
fn rules_say_what_is_kept_and_where() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run(":log debug unseen");
        assert_eq!(bench.get("[:len [/log find message=unseen]]"), "0");
        bench.run(
            "/system logging action add name=few target=memory memory-lines=2; \
             /system logging action add name=files target=disk disk-file-name=kept disk-lines-per-file=2; \
             /system logging add topics=script,!error action=few prefix=mine; /system logging add topics=script action=files",
        );
        bench.run(":log info a; :log info b; :log info c; :log error d");
        assert_eq!(bench.get("[:len [/log find buffer=few]]"), "2");
        assert_eq!(bench.get("[/log get [find buffer=few message~\"c\"] message]"), "mine: c");
        assert_eq!(bench.get("[:len [/log find buffer=memory message=d]]"), "1");
        assert!(bench.get("[/file get kept.0.txt contents]").contains("script,error d"));
        assert!(bench.get("[/file get kept.1.txt contents]").contains("script,info a"));
        bench.run("/system logging disable [find topics=info]; :log info gone");
        assert_eq!(bench.get("[:len [/log find buffer=memory message=gone]]"), "0");
        bench.run("/system logging action set memory memory-lines=1; :log warning one; :log warning two");
        assert_eq!(bench.get("[:len [/log find buffer=memory]]"), "1");
    }
}

#[test]
fn an_import_can_be_shown_begin_later_and_only_be_tried() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        let script = "/ip address\nadd address=10.0.0.1/24 interface=ether1\n:local a 5\n:put \"a is $a\"\nzzz qqq\n:put never\n";
        bench.router.system().unwrap().write_file("s.rsc", script.as_bytes().to_vec()).unwrap();
        // Whole files are read first: nothing runs.
        assert!(bench.fails("/import s.rsc").contains("(line 5 column 1)"));
        assert_eq!(bench.get("[:len [/ip address find]]"), "0");
        let said = bench.run(":do { /import s.rsc verbose=yes } on-error={ :put failed }");
        assert!(said.contains("#line 2\nadd address=10.0.0.1/24 interface=ether1\n"), "{said}");
        assert!(said.contains("a is 5\n") && said.ends_with("failed") && !said.contains("never"), "{said}");
        assert_eq!(bench.get("[:len [/ip address find]]"), "1");
        bench.run("/import s.rsc from-line=6");
        bench.run("/ip address remove [find]");
        let said = bench.run(":do { /import s.rsc verbose=yes dry-run=yes } on-error={ :put failed }");
        assert!(said.contains("#line 2\n") && said.ends_with("failed"), "{said}");
        assert_eq!(bench.get("[:len [/ip address find]]"), "0");
    }
}

#[test]
fn the_language_asks_the_router() {
    let mut bench = Bench::of(Spec::pair_a().version(Version::new(7, 22, 1)));
    assert_eq!(bench.get("[:len [:range from=3 to=6]]"), "4");
    assert_eq!(bench.get("[:typeof [:timestamp]]"), "time");
    bench.run("/system script add name=who source=\":put [:jobname]\"");
    assert_eq!(bench.run("/system script run who"), "who");
    assert_eq!(bench.run(":grep script={ :put one; :put two; :put three } pattern=\"^t\""), "two\nthree");
    bench.run("/ip dns static add name=\"r.lan\" address=10.0.0.1");
    assert_eq!(bench.get("[:resolve \"r.lan\"]"), "10.0.0.1");
    assert!(bench.fails(":resolve nowhere.example").starts_with("failure: resolve failed"));
    let mut old = Bench::v6();
    assert!(old.fails(":range from=3 to=6").starts_with("bad command name range"));
}

#[test]
fn a_script_is_refused_what_its_policies_lack() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/system script add name=weak policy=read source=\"/system identity set name=x\"");
        assert!(bench.fails("/system script run weak").starts_with("not enough permissions (9)"));
        bench.run("/user group add name=few policy=read,write; /user add name=joe group=few password=Joe-1234-x");
        bench.run("/system script add name=strong policy=read,write,reboot source=\":put hi\"");
        let said = bench.router.run_script(&mut bench.now, "joe", "/system script run strong");
        assert!(said.is_err_and(|words| words.starts_with("not enough permissions (9)")));
        let said = bench.router.run_script(&mut bench.now, "joe", "/system reboot");
        assert!(said.is_err_and(|words| words.starts_with("not enough permissions (9)")));
    }
}
