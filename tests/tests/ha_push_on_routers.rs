//! What a push of our on-router scripts carries beside the configuration, and what it leaves behind when it breaks.

use bootstrap::ha;
use jumplead_tests::ha_pair::{OPEN, PASSWORD, Pair, VERSIONS};
use jumplead_tests::leak;
use lab::NodeHandle;
use routersim::record::{EventKind, Phase};
use routersim::router::{Router, Running};
use routersim::spec::{Spec, Version};

const SECRET: &str = "Cl1ent-Secret";

/// The files of a router that hold a secret; the product's own bootstrap file is removed by the product.
fn leaks(router: &NodeHandle<Router>) -> Vec<String> {
    router.look(|router| {
        let storage = router.storage().borrow();
        let files = storage.files.list().filter(|(name, _)| !name.contains("HA_jumplead_"));
        files
            .filter_map(|(name, file)| Some(format!("{name}: {}", leak::found(&file.contents, &[PASSWORD, SECRET])?)))
            .collect()
    })
}

fn has(router: &NodeHandle<Router>, name: &str) -> bool {
    router.look(|router| router.storage().borrow().files.get(name).is_some())
}

fn names(router: &NodeHandle<Router>, test: impl Fn(&str) -> bool) -> Vec<String> {
    router.look(|router| {
        let storage = router.storage().borrow();
        storage.files.list().map(|(name, _)| name.to_owned()).filter(|name| test(name)).collect()
    })
}

fn by(way: &str, pair: &Pair) {
    pair.run(&pair.a, &format!("/ppp secret add name=client password={SECRET}"));
    if way == "quiet" {
        pair.choose("quiet");
    }
}

/// A version and a way for each other: what a push does is not one version's.
const BOTH: [(Version, &str); 2] = [(VERSIONS[0], "quiet"), (VERSIONS[1], "backup")];

/// Names of the files at which a push is broken.
fn moments(way: &str) -> &'static [&'static str] {
    if way == "quiet" {
        &["HA_quiet-all.rsc", "HA_scripts.rsc", "HA_quiet-second.txt", "HA_quiet-go.txt"]
    } else {
        &["HA_key_rsa.pem", "HA_b2s.backup", "HA_restore-backup.txt"]
    }
}

/// A push of the active, until it has this file; the last of a push with what it is there for.
fn push_until(pair: &Pair, active: &NodeHandle<Router>, file: &str) -> Running {
    for old in ["HA_b2s.backup", "HA_key_rsa.pem"] {
        pair.run(active, &format!("/file remove [find name=\"{old}\"]"));
    }
    let running = pair.start(active, ":global HAPushStandby; $HAPushStandby");
    pair.until(file, 120, |_| {
        let text = active.look(|router| router.storage().borrow().files.get(file).map(|file| file.contents.clone()));
        let wanted = if file.contains("restore") {
            "backup load"
        } else if file.contains("go") {
            "reset-configuration"
        } else {
            ""
        };
        text.is_some_and(|text| String::from_utf8_lossy(&text).contains(wanted) && !text.is_empty())
    });
    running
}

/// The HA cable goes in the middle: the push says that it broke, and nothing in clear stays, on neither of them. Both are
/// active then; the one that stays it when the cable is back pushes next.
#[test]
fn a_push_whose_cable_goes_leaves_no_secret() {
    for (version, way) in BOTH {
        let pair = Pair::new(version, 16);
        pair.install();
        pair.basic_networking();
        by(way, &pair);
        pair.call(&pair.a, "HAPushStandby");
        pair.wait(200);
        assert!(pair.sync().contains("GOOD"), "{version} {way}: {}", pair.tail());
        let roles = || if pair.master(&pair.a) { (&pair.a, &pair.b) } else { (&pair.b, &pair.a) };
        for moment in moments(way) {
            let (active, standby) = roles();
            pair.run(active, "/system scheduler disable ha_checkchanges");
            let running = push_until(&pair, active, moment);
            if !moment.contains("key") && !moment.contains("b2s") {
                assert_ne!(leaks(active), Vec::<String>::new(), "{version} {way} {moment}: nothing was there");
            }
            pair.cable.cut();
            pair.until("the push ends", 600, |_| running.result().is_some());
            assert_eq!(leaks(active), Vec::<String>::new(), "{version} {way} {moment}");
            // what is not seen to arrive last may have arrived
            let last = moment.contains("go") || moment.contains("restore");
            let broke = running
                .result()
                .is_some_and(|result| result.is_err_and(|error| error.to_string().contains("BROKEN OFF")));
            assert!(broke || last, "{version} {way} {moment}: {}", running.output());
            pair.wait(130);
            assert_eq!(leaks(standby), Vec::<String>::new(), "{version} {way} {moment} on the other one");
            pair.cable.restore();
            pair.wait(150);
            pair.run(active, "/system scheduler enable ha_checkchanges");
            assert!(pair.master(&pair.a) != pair.master(&pair.b), "{version} {way} {moment}\n{}", pair.tail());
        }
        let active = roles().0;
        // by itself, at the next check, which may be under way
        pair.wait(900);
        let said = pair.call(active, "HAInSync");
        assert!(said.contains("GOOD"), "{version} {way}: {said}\n{}", pair.tail());
        assert_eq!((leaks(&pair.a), leaks(&pair.b)), (vec![], vec![]), "{version} {way}");
    }
}

/// What pushes is killed, or A loses its power in the middle, with all that it wrote on its storage.
#[test]
fn a_push_that_nobody_ends_leaves_no_secret() {
    for (version, way) in BOTH {
        let spec = |spec: Spec| spec.version(version).quirk(|quirks| quirks.write_back_seconds = Some(Some(0)));
        let pair = Pair::of(spec(Spec::pair_a()), spec(Spec::pair_b()), 17);
        pair.install();
        pair.basic_networking();
        by(way, &pair);
        let moment = moments(way).last().unwrap();
        push_until(&pair, &pair.a, moment);
        pair.run(&pair.a, "/system script job remove [find script=\"ha_pushbackup\"]");
        assert_ne!(leaks(&pair.a), Vec::<String>::new(), "{version} {way}: it was killed too late");
        pair.wait(75);
        assert_eq!(leaks(&pair.a), Vec::<String>::new(), "{version} {way} killed");
        if pair.phase(&pair.b) != Phase::Up {
            pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        }
        push_until(&pair, &pair.a, moment);
        pair.a.with(Router::power_cut);
        assert_ne!(leaks(&pair.a), Vec::<String>::new(), "{version} {way}: the power went too late");
        pair.a.with(Router::power_on);
        pair.until("A is back", 120, |pair| pair.phase(&pair.a) == Phase::Up);
        pair.wait(8);
        assert_eq!(leaks(&pair.a), Vec::<String>::new(), "{version} {way} power");
    }
}

/// A pair in sync, whose active has an address more since, which nobody sends by itself.
fn with_news(version: Version, way: &str) -> Pair {
    let spec = |spec: Spec| spec.version(version).quirk(|quirks| quirks.write_back_seconds = Some(Some(0)));
    let pair = Pair::of(spec(Spec::pair_a()), spec(Spec::pair_b()), 18);
    pair.install();
    pair.basic_networking();
    by(way, &pair);
    pair.call(&pair.a, "HAPushStandby");
    pair.wait(200);
    assert!(pair.sync().contains("GOOD"), "{version} {way}: {}", pair.tail());
    pair.run(
        &pair.a,
        "/system scheduler disable ha_checkchanges; /ip address add address=203.0.113.1/24 interface=ether4",
    );
    pair
}

/// Without power for a moment.
fn b_starts_again(pair: &Pair) {
    pair.b.with(Router::power_cut);
    pair.b.with(Router::power_on);
    pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
    pair.wait(60);
}

/// A push that broke off, and then the standby starts again: it holds what it held, and says nothing else.
#[test]
fn a_push_that_broke_leaves_no_version_of_what_did_not_come() {
    for (version, way) in BOTH {
        let pair = with_news(version, way);
        // all but the last files are there
        push_until(&pair, &pair.a, moments(way)[1]);
        pair.run(&pair.a, "/system script job remove [find script=\"ha_pushbackup\"]");
        assert!(has(&pair.b, "HA_run-after-hastartup.rsc"), "{version} {way}: it was killed too early");
        b_starts_again(&pair);
        assert_eq!(pair.get(&pair.b, "[:len [/ip address find address~\"203.0.113.1\"]]"), "0", "{version} {way}");
        let said = pair.call(&pair.a, "HAInSync");
        assert!(said.contains("NOT READY (no)"), "{version} {way}: {said}\n{}", pair.tail());
        // and the next check brings it what it lacks
        assert!(pair.sync().contains("NEED TO PUSH"), "{version} {way}");
        pair.wait(200);
        assert!(pair.sync().contains("GOOD"), "{version} {way}: {}", pair.tail());
    }
}

/// A backup that the standby does not load, here because it is gone, is no version of anything either.
#[test]
fn a_backup_that_is_refused_is_no_version() {
    let (version, way) = BOTH.into_iter().find(|(_, way)| *way == "backup").unwrap();
    let pair = with_news(version, way);
    push_until(&pair, &pair.a, moments(way)[2]);
    pair.run(&pair.b, "/file remove [find name=\"HA_b2s.backup\"]");
    pair.wait(60);
    assert_eq!(pair.get(&pair.b, "[:len [/log find message~\"backup of the active was refused\"]]"), "1");
    b_starts_again(&pair);
    let said = pair.call(&pair.a, "HAInSync");
    assert!(said.contains("NOT READY (no)"), "{said}\n{}", pair.tail());
}

/// Files in directories come with them, and what the active removes is removed. Packages, and what is HA's, stay.
#[test]
fn the_standby_gets_the_files_and_loses_what_is_gone() {
    for (version, way) in BOTH {
        {
            let pair = Pair::new(version, 19);
            pair.install();
            pair.basic_networking();
            let put = |router: &NodeHandle<Router>, name: &str, text: &str| {
                router.with(|router, _| {
                    let system = router.system().unwrap();
                    if let Some((directory, _)) = name.rsplit_once('/') {
                        system.make_directory(directory).unwrap();
                    }
                    system.write_file(name, text.as_bytes().to_vec()).unwrap();
                });
            };
            put(&pair.a, "root.txt", "root");
            put(&pair.a, "a dir/deep/keep $1.txt", "keep");
            put(&pair.a, "later/x.txt", "x");
            put(&pair.a, "routeros-a.npk", "package");
            for number in 0..60 {
                put(&pair.a, &format!("many/file-with-a-name-that-is-rather-long-{number}.txt"), "x");
            }
            put(&pair.b, "old/only/of-b.txt", "b");
            put(&pair.b, "routeros-b.npk", "package");
            by(way, &pair);
            pair.call(&pair.a, "HAPushStandby");
            pair.wait(200);
            assert!(pair.sync().contains("GOOD"), "{version} {way}: {}", pair.tail());
            let ours = |name: &str| !name.starts_with("HA_") && !name.ends_with(".npk");
            assert_eq!(names(&pair.a, ours), names(&pair.b, ours), "{version} {way}");
            assert!(has(&pair.b, "a dir/deep/keep $1.txt"), "{version}");
            assert!(has(&pair.b, "routeros-b.npk") && !has(&pair.b, "routeros-a.npk"), "{version}");
            assert_eq!(pair.get(&pair.b, "[:len [/ip smb shares find name=HA_mkdir]]"), "0", "{version}");
            assert!(pair.call(&pair.a, "HAQuietList").contains("NOT CARRIED: 1 packages"), "{version}");

            pair.run(&pair.a, "/file remove [find name~\"^later/\"]; /file remove later; /file remove root.txt");
            assert!(pair.sync().contains("NEED TO PUSH"), "{version}");
            pair.wait(200);
            assert!(pair.sync().contains("GOOD"), "{version} {way}: {}", pair.tail());
            assert_eq!(names(&pair.a, ours), names(&pair.b, ours), "{version} {way}");
            assert!(!has(&pair.b, "later") && !has(&pair.b, "root.txt"), "{version} {way}");
        }
    }
}

/// A file with other contents under its name goes over once, without a restart; one that is written to all the time never
/// does by itself, and nothing of it makes the standby another version.
#[test]
fn contents_that_change_in_place_go_over_once_and_restart_nothing() {
    for (version, way) in [(VERSIONS[0], "backup"), (VERSIONS[1], "quiet")] {
        let pair = Pair::new(version, 29);
        pair.install();
        pair.basic_networking();
        let write = |name: &str, text: &str| {
            pair.a.with(|router, _| router.system().unwrap().write_file(name, text.as_bytes().to_vec()).unwrap());
        };
        let of_b = |name: &str| {
            let text = pair.b.look(|router| router.system().unwrap().read_file(name)).unwrap_or_default();
            String::from_utf8(text).unwrap()
        };
        for name in ["page.txt", "log.0.txt", "still.txt"] {
            write(name, "first");
        }
        write("once.auto.rsc", "/system note set note=run");
        by(way, &pair);
        pair.call(&pair.a, "HAPushStandby");
        pair.wait(200);
        assert!(pair.sync().contains("GOOD"), "{version} {way}: {}", pair.tail());
        let version_of_a = || {
            pair.run(&pair.a, "/system script run ha_setconfigver; :global haMasterConfigVer; :put $haMasterConfigVer")
        };
        let before = version_of_a();
        let restarts = |pair: &Pair| pair.seen(1, |kind| *kind == EventKind::Phase(Phase::RouterBoot));
        let boots = restarts(&pair);

        pair.run(&pair.a, "/file set [find name=\"page.txt\"] contents=second");
        let said = pair.call(&pair.a, "HAInSync");
        assert!(said.contains("page.txt has changed since it was sent") && said.contains("GOOD"), "{version}: {said}");
        assert!(!said.contains("still.txt"), "{version}: {said}");
        assert!(!pair.sync().contains("sent again"), "{version}: it may still be written to");
        assert_eq!(of_b("page.txt"), "first", "{version}");
        let said = pair.sync();
        assert!(said.contains("page.txt was sent again") && said.contains("GOOD"), "{version}: {said}");
        assert_eq!(of_b("page.txt"), "second", "{version}");
        let said = pair.sync();
        assert!(!said.contains("sent again") && said.contains("GOOD"), "{version}: {said}");

        for turn in 0..4 {
            write("log.0.txt", &format!("line {turn}"));
            pair.wait(2);
            assert!(!pair.sync().contains("sent again"), "{version}, turn {turn}");
        }
        let said = pair.call(&pair.a, "HASyncStandby");
        assert!(said.contains("log.0.txt was sent again"), "{version}: {said}");
        assert_eq!(of_b("log.0.txt"), "line 3", "{version}");
        assert_eq!((version_of_a(), restarts(&pair)), (before, boots), "{version}: no other version, no restart");
        // What a router runs as it comes by FTP is not sent, and an edit does not stay behind when the role goes.
        assert_eq!(of_b("once.auto.rsc"), "");
        assert!(pair.call(&pair.a, "HAQuietList").contains("NOT CARRIED: 1 files named .auto.rsc"));
        pair.run(&pair.a, "/file set [find name=\"page.txt\"] contents=third");
        let said = pair.call(&pair.a, "HASwitchRole");
        assert!(said.contains("page.txt was sent again") && said.contains("DONE"), "{version}: {said}");
        assert_eq!(of_b("page.txt"), "third", "{version}");
    }
}

/// A board with a directory `flash` keeps nothing else: both ways, a restart of the standby, its own backup, a switch.
#[test]
fn a_board_with_a_flash_directory_syncs_in_both_ways() {
    for (version, way) in [(VERSIONS[0], "backup"), (VERSIONS[1], "quiet")] {
        {
            let spec = |spec: Spec| spec.version(version).quirk(|quirks| quirks.flash_directory = Some(true));
            let pair = Pair::of(spec(Spec::pair_a()), spec(Spec::pair_b()), 23);
            // it came by FTP, into RAM
            pair.a.with(|router, _| {
                router.system().unwrap().write_file("HA_init.rsc", ha::render_init().into()).unwrap()
            });
            pair.install();
            pair.basic_networking();
            by(way, &pair);
            pair.run(&pair.a, "/system backup save name=flash/mine password=x");
            pair.call(&pair.a, "HAPushStandby");
            pair.wait(200);
            assert!(pair.sync().contains("GOOD"), "{version} {way}: {}", pair.tail());
            assert!(has(&pair.b, "flash/mine.backup"), "{version} {way}");
            pair.wait(30);
            for router in [&pair.a, &pair.b] {
                assert_eq!(leaks(router), Vec::<String>::new(), "{version} {way}");
            }
            assert!(has(&pair.b, "flash/HA_own.backup") && has(&pair.b, "flash/HA_ports.txt"), "{version} {way}");
            // it knows its version after a restart
            pair.start(&pair.b, "/system reboot");
            pair.wait(120);
            assert!(pair.sync().contains("GOOD"), "{version} {way} restarted: {}", pair.tail());
            pair.start(&pair.b, &format!("/system backup load name=flash/HA_own.backup password=\"{PASSWORD}\""));
            pair.wait(120);
            assert!(pair.sync().contains("GOOD"), "{version} {way} own backup: {}", pair.tail());
            pair.call(&pair.a, "HASwitchRole");
            pair.wait(5);
            assert!(pair.master(&pair.b) && !pair.master(&pair.a), "{version} {way}");
            assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("1".into(), "8".into()), "{version} {way}");
        }
    }
}

/// A version that makes no directory by a script: what does not go over is named, and the rest goes.
#[test]
fn a_file_that_is_not_taken_is_named() {
    let pair = Pair::new(Version::new(7, 22, 1), 29);
    pair.install();
    pair.basic_networking();
    pair.a.with(|router, _| {
        let system = router.system().unwrap();
        system.make_directory("sub").unwrap();
        system.write_file("sub/x.txt", b"x".to_vec()).unwrap();
    });
    // on B a file is in the directory's place, and it is no file that a sync takes away
    pair.a.with(|router, _| router.system().unwrap().write_file("big.txt", vec![b'x'; 1000]).unwrap());
    pair.b.with(|router, _| router.system().unwrap().make_directory("big.txt/user").unwrap());
    pair.b.with(|router, _| router.system().unwrap().write_file("big.txt/user/HA.npk", vec![]).unwrap());
    pair.call(&pair.a, "HAPushStandby");
    pair.wait(150);
    let said = pair.call(&pair.a, "HAInSync");
    assert!(said.contains("files that the standby did not take: big.txt"), "{said}\n{}", pair.tail());
    assert!(has(&pair.b, "sub/x.txt"));
}

/// The ten-minute check and a person's push at once: one of them works, the other one says why it does not.
#[test]
fn two_pushes_at_once_are_one() {
    let pair = Pair::ready(Version::new(7, 22, 1));
    let first = push_until(&pair, &pair.a, "HA_b2s.backup");
    let said = pair.fails(&pair.a, ":global HAPushStandby; $HAPushStandby");
    assert!(said.contains("a push is under way already"), "{said}");
    pair.until("the push ends", 300, |_| first.result().is_some());
    assert!(matches!(first.result(), Some(Ok(_))), "{}", first.output());
}

/// The regular check comes at any time, also while the standby goes down with what it has just been given: a second push would
/// meet a router that starts, and leave it with another version than the active's for as long as until the next check.
#[test]
fn a_check_behind_a_push_is_no_second_push() {
    for (version, way) in BOTH {
        let pair = Pair::new(version, 19);
        pair.install();
        pair.basic_networking();
        by(way, &pair);
        pair.run(&pair.a, "/system scheduler disable ha_checkchanges");
        pair.call(&pair.a, "HAPushStandby");
        let checked = pair.run(&pair.a, "/system script run ha_checkchanges");
        assert!(!checked.contains("NEED TO PUSH"), "{version} {way}: {checked}");
        pair.wait(200);
        let checked = pair.run(&pair.a, "/system script run ha_checkchanges");
        assert!(checked.contains("GOOD"), "{version} {way}: {checked}");
        // A change of later on is pushed.
        pair.run(&pair.a, "/ip dns static add name=later.example address=192.0.2.9");
        pair.wait(10);
        let checked = pair.run(&pair.a, "/system script run ha_checkchanges");
        assert!(checked.contains("NEED TO PUSH"), "{version} {way}: {checked}");
    }
}
