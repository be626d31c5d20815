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
fn an_import_can_be_shown_and_begin_later() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        let script = "/ip address\nadd address=10.0.0.1/24 interface=ether1\n:global a 5; :local b 6\n:put \"$a $b\"\nzzz qqq\n\
                      :put never\n";
        bench.router.system().unwrap().write_file("s.rsc", script.as_bytes().to_vec()).unwrap();
        // Whole files are read first: nothing runs.
        assert!(bench.fails("/import s.rsc").contains("(line 5 column 1)"));
        assert_eq!(bench.get("[:len [/ip address find]]"), "0");
        let said = bench.run(":do { /import s.rsc verbose=yes } on-error={ :put failed }");
        assert!(said.contains("#line 2\nadd address=10.0.0.1/24 interface=ether1\n"), "{said}");
        assert!(said.contains("\n5 \n") && said.ends_with("failed") && !said.contains("never"), "{said}");
        assert_eq!(bench.get("[:len [/ip address find]]"), "1");
        bench.run("/import s.rsc from-line=6");
    }
}

#[test]
fn an_import_that_is_only_tried_counts_what_is_wrong() {
    for version in [Version::new(7, 18, 2), Version::new(7, 22, 1), Version::new(7, 24, 0)] {
        let mut bench = Bench::of(Spec::pair_a().version(version));
        let mut tried = |script: &str| {
            bench.router.system().unwrap().write_file("s.rsc", script.as_bytes().to_vec()).unwrap();
            let said = bench.run(":do { /import s.rsc verbose=yes dry-run } on-error={ :put failed }");
            assert_eq!(bench.get("[:len [/interface list find name=new]]"), "0");
            said
        };
        // The manual's example.
        let said = tried("this\n:put ok\nis\n/ip address\nadd adress=1\nprint\n:put )\n");
        assert!(said.starts_with("#line 1\nthis\nbad command name this (line 1 column 1)\n#line 2\n"), "{said}");
        assert!(said.contains("#line 3\nis\nbad command name is (line 3 column 1)\n"), "{said}");
        let words = if version.at_least(7, 23) { "bad parameter adress" } else { "expected end of command" };
        assert!(said.contains(&format!("\n{words} (line 5 column 5)\n")), "{said}");
        assert!(said.contains("(line 7 column ") && said.ends_with("failed"), "{said}");
        // Names of things are looked up only when it runs.
        let said = tried("/interface list add name=new\n/interface list member add list=none interface=ether1\n");
        assert!(said.ends_with("\nNo syntax errors found in the import file"), "{said}");
        // A condition ends with its line, a body does not: 7.20.8 said two errors of the first, at these places.
        let said = tried(":if ([:len $x] != 1\n     || [:len $y] != 1\n     || [:len $z] != 1) do={\n:put 1 }\n");
        assert!(said.starts_with("#line 1..2\n") && said.contains("\nsyntax error (line 1 column 20)\n"), "{said}");
        assert!(
            said.contains("#line 3\n     || [:len $z] != 1) do={\nexpected command name (line 3 column 6)\n"),
            "{said}"
        );
        let said = tried(":if (1 = 1) do={\n  :put 1\n}\n:local a 1\n:set a 2\n");
        assert!(said.starts_with("#line 1..3\n:if (1 = 1) do={\n  :put 1\n}\n#line 4\n"), "{said}");
        assert!(said.ends_with("#line 5\n:set a 2\nsyntax error (line 5 column 6)\nfailed"), "{said}");
        assert_eq!(
            bench.fails("/import s.rsc verbose=yes dry-run").split(" (/import").next(),
            Some("Script Error: found 1 error(s) in import file")
        );
    }
    assert!(Bench::v7().fails("/import s.rsc verbose=yes dry-run=yes").starts_with("expected end of command"));
    assert!(Bench::v6().fails("/import s.rsc verbose=yes dry-run").starts_with("expected end of command"));
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
        let own = if bench.router.spec().version.is_v7() { " use-script-permissions" } else { "" };
        assert!(bench.fails(&format!("/system script run weak{own}")).starts_with("not enough permissions (9)"));
        bench.run("/user group add name=few policy=read,write; /user add name=joe group=few password=Joe-1234-x");
        bench.run("/system script add name=strong policy=read,write,reboot source=\":put hi\"");
        let said = bench.router.run_script(&mut bench.now, "joe", "/system script run strong");
        assert!(said.is_err_and(|words| words.starts_with("not enough permissions (9)")));
        let said = bench.router.run_script(&mut bench.now, "joe", "/system reboot");
        assert!(said.is_err_and(|words| words.starts_with("not enough permissions (9)")));
    }
}
