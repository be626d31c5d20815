//! The failure states of such pairs, for our scripts and for stand-ins that behave as the facts say of the original ones (own
//! making: single scripts of ours are replaced). docs/failures.md is what these tests found.

use std::time::Duration;

use jumplead_tests::ha_pair::{MAC_B, OPEN, PASSWORD, Pair, VERSIONS};
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::serial::LineSettings;
use routersim::spec::{Spec, Version};

fn logged(pair: &Pair, which: usize, text: &str) -> usize {
    pair.seen(which, |kind| matches!(kind, EventKind::Log { message, .. } if message.contains(text)))
}

fn boots(pair: &Pair, which: usize) -> usize {
    pair.seen(which, |kind| matches!(kind, EventKind::Phase(Phase::RouterBoot)))
}

fn ready(version: Version) -> Pair {
    let pair = Pair::ready(version);
    assert!(pair.sync().contains("GOOD"));
    pair
}

fn script(pair: &Pair, router: &lab::NodeHandle<Router>, name: &str, source: &str) {
    let source = source.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n");
    pair.run(router, &format!("/system script set {name} source=\"{source}\""));
}

/// The active is the master, with all its ports, and has not restarted since the pair was made.
fn active_is_untouched(pair: &Pair) {
    assert!(pair.master(&pair.a), "{}", pair.tail());
    assert_eq!(pair.get(&pair.a, OPEN), "8");
    assert_eq!((boots(pair, 0), pair.seen(0, EventKind::is_destructive)), (1, 0), "{}", pair.tail());
}

fn restart_b(pair: &Pair) {
    pair.start(&pair.b, "/system reboot");
    pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
    pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
}

/// F1: startup fails, the router never becomes a standby; its ports are closed.
fn f1(version: Version, stand_in: bool) -> bool {
    let pair = ready(version);
    if stand_in {
        script(&pair, &pair.b, "ha_startup", ":error \"something\"");
    } else {
        pair.run(&pair.b, "/ppp secret remove HA_PASSWORD");
    }
    restart_b(&pair);
    pair.wait(40);
    assert_eq!(pair.get(&pair.b, OPEN), "1");
    active_is_untouched(&pair);
    logged(&pair, 1, "FAILED - DATA PORTS CLOSED") > 0
}

/// F2: an unknown MAC makes it restart for ever.
fn f2(version: Version, stand_in: bool) -> bool {
    let pair = ready(version);
    if stand_in {
        script(&pair, &pair.b, "ha_startup", "/log error \"I AM UNKNOWN - WRONG MAC\"\n:delay 15\n/system reboot");
    }
    pair.run(&pair.b, "/system script set ha_config_base source=([/system script get ha_config_base source] . \":global haMacB \\\"74:4D:28:00:00:FF\\\"\\n\")");
    restart_b(&pair);
    let before = boots(&pair, 1);
    pair.wait(300);
    assert!(logged(&pair, 1, "I AM UNKNOWN") > 0);
    if !stand_in {
        assert_eq!(pair.get(&pair.b, OPEN), "1");
        // its MAC server answers on the HA port
        let said = pair.run(&pair.a, &format!("/ping {MAC_B} count=3"));
        assert!(said.contains("received=3"), "{said}");
    }
    boots(&pair, 1) > before
}

/// F3: the active's console restarts, and its data ports go off.
fn f3(version: Version, stand_in: bool) -> bool {
    let pair = ready(version);
    if stand_in {
        script(&pair, &pair.a, "ha_startup", "/log error \"ATTEMPTED TO RUN AGAIN\"\n:error \"again\"");
        let close = "/interface ethernet disable [find default-name!=\\\"ether8\\\" comment!=\\\"HA_RESCUE\\\"]";
        pair.run(&pair.a, &format!("/system scheduler set ha_startup on-event=\":do {{/system script run ha_startup}} on-error={{:delay 5; {close}}}\""));
    }
    pair.a.with(Router::crash_console);
    pair.wait(20);
    assert!(pair.master(&pair.a));
    pair.get(&pair.a, OPEN) != "8"
}

/// F4: the HA cable is cut, and both are active.
fn f4(version: Version, _stand_in: bool) -> bool {
    let pair = ready(version);
    pair.cable.cut();
    pair.wait(10);
    let split = pair.master(&pair.a) && pair.master(&pair.b);
    pair.wait(60);
    for which in [0, 1] {
        assert!(logged(&pair, which, "HA LINK DEAD") > 0, "{}", pair.tail());
    }
    split
}

/// F5: the versions never match, and every check restarts the standby.
fn f5(version: Version, stand_in: bool) -> bool {
    let pair = ready(version);
    // the second newest change of the history as text: on 7.x it has quotes, which break the quoted string that carries it
    script(
        &pair,
        &pair.a,
        "ha_setconfigver",
        ":global haMasterConfigVer [:tostr [:pick [/system history print detail as-value] 1]]",
    );
    if stand_in {
        script(
            &pair,
            &pair.a,
            "ha_checkchanges",
            ":global haSyncByHand true\n/system script run ha_insync\n:global haInSync\n:if ($haInSync != \"yes\") do={ /system script run ha_pushbackup }",
        );
    }
    let two = "/ip address add address=192.0.2.1/24 interface=ether1 comment=\"a b\"; \
               /ip address add address=192.0.2.2/24 interface=ether2";
    pair.run(&pair.a, two);
    let before = boots(&pair, 1);
    for _ in 0..5 {
        pair.wait(600);
    }
    boots(&pair, 1) - before > 2
}

/// F6: the bootstrap waits for ever for a user that is refused.
fn f6(version: Version, stand_in: bool) -> bool {
    let pair = Pair::new(version, 3);
    pair.install();
    // 6.x has no rules for passwords; there it is a user who is there already
    let rules = version.major > 6;
    let refuse = if rules { "/user settings set minimum-password-length=30" } else { "/user add name=ha group=read" };
    pair.run(&pair.b, refuse);
    if stand_in {
        let text = ":local done false\n:while (!$done) do={\n:do {\n/user add name=ha group=full password=short\n:set done true\n} on-error={ /log error \"bootstrap failed...waiting\"; :delay 5 }\n}\n";
        let put =
            |router: &mut Router, _| router.system().unwrap().write_file("try.rsc", text.as_bytes().to_vec()).unwrap();
        pair.b.with(put);
        let running = pair.start(&pair.b, "/import try.rsc");
        pair.wait(300);
        assert!(logged(&pair, 1, "bootstrap failed") > 10);
        return running.result().is_none();
    }
    pair.put_bootstrap();
    let file = pair.start(&pair.b, "/import HA_jumplead_bootstrap.rsc");
    // and what a person pastes
    let printed = pair.call(&pair.a, "HABootstrap");
    let pasted: Vec<_> =
        printed.lines().filter(|line| line.starts_with(":if")).map(|line| pair.start(&pair.b, line)).collect();
    assert_eq!(pasted.len(), 3, "{printed}");
    pair.wait(300);
    if let Some(ended) = file.result() {
        assert_eq!(ended.is_err(), rules, "and says why, where it can't do it");
    }
    let refused = pasted.iter().filter(|line| matches!(line.result(), Some(Err(_)))).count();
    assert_eq!(refused, usize::from(rules), "the line for the user says so too");
    file.result().is_none() || pasted.iter().any(|line| line.result().is_none())
}

/// F7: the standby gets a backup that it does not load, and nobody says so.
fn f7(version: Version, stand_in: bool) -> bool {
    let older = if version.major == 6 { Version::new(6, 43, 16) } else { Version::new(7, 20, 8) };
    if !stand_in {
        let board = "RB4011iGS+".to_owned();
        let pair = Pair::of(Spec::pair_a().version(version), Spec { board, ..Spec::pair_b().version(version) }, 3);
        pair.install();
        pair.basic_networking();
        let error = pair.fails(&pair.a, "/system script run ha_pushbackup");
        assert!(error.contains("nothing pushed, the model differs"), "{error}");
        assert_eq!(pair.seen(1, EventKind::is_destructive), 0);
    }
    let pair = Pair::of(Spec::pair_a().version(version), Spec::pair_b().version(older), 3);
    pair.install();
    pair.basic_networking();
    let push = if stand_in {
        "/system script run ha_config; /system script run ha_sendbackup"
    } else {
        "/system script run ha_pushbackup"
    };
    let running = pair.start(&pair.a, push);
    pair.until("it ends", 120, |_| running.result().is_some());
    pair.wait(60);
    assert_eq!(pair.seen(1, EventKind::is_destructive), 0);
    let sent = pair.seen(1, |kind| matches!(kind, EventKind::FileWritten { name, .. } if name == "HA_b2s.backup"));
    sent > 0 && running.result().unwrap().is_ok()
}

/// F8: a key on the serial line while the standby starts, and it stays in RouterBOOT's menu; no script has a part in it.
fn f8(version: Version, _stand_in: bool) -> bool {
    let pair = ready(version);
    pair.b.with(|router, now| router.plug_serial(now, true));
    let restart = |key: bool| {
        pair.b.with(Router::power_cut);
        pair.b.with(Router::power_on);
        for _ in 0..80 {
            if key {
                pair.b.with(|router, now| router.serial_send(now, b" ", LineSettings::at(router.serial_baud())));
            }
            pair.world.run_until(pair.world.now() + Duration::from_millis(100));
        }
        pair.wait(120);
        pair.phase(&pair.b)
    };
    assert_eq!(restart(false), Phase::Up, "without the key it starts");
    let hangs = restart(true) == Phase::RouterBoot;
    let said = pair.call(&pair.a, "HAInSync");
    assert_eq!(said.contains("NOT READY (unknown)"), hangs, "{said}");
    hangs
}

type State = (&'static str, &'static str, fn(Version, bool) -> bool, &'static str);

const STATES: [State; 8] = [
    ("F1", "startup fails", f1, "data ports closed, the log says `FAILED`; the active is not touched"),
    ("F2", "unknown MAC, restarts for ever", f2, "ours stays up with closed ports and can be reached on the HA port"),
    ("F3", "a console crash closes the active", f3, "ours tells a restarted console from a start by the log"),
    (
        "F4",
        "split brain when the HA cable dies",
        f4,
        "both say so within a minute; isolate one before the cable goes back in",
    ),
    ("F5", "the sync loops", f5, "ours pushes twice at most, then says `PAUSED`"),
    ("F6", "the bootstrap waits for ever", f6, "ours ends and says why"),
    ("F7", "a restore refused unseen", f7, "ours compares version and model before it sends anything"),
    ("F8", "hangs in RouterBOOT", f8, "`$HAInSync` on the active says that it does not answer"),
];

/// The table is what happens. `UPDATE_FAILURES=1` writes it.
#[test]
fn the_table_of_failures_is_what_happens() {
    let word = |occurs: bool| if occurs { "*occurs*" } else { "*cannot*" };
    let mut table = String::from("| state | | our scripts | stand-ins | |\n|---|---|---|---|---|\n");
    for (state, what, run, note) in STATES {
        // what differs by version names them; what doesn't is said once
        let both = |stand_in: bool| {
            let [old, new] = VERSIONS.map(|version| run(version, stand_in));
            let [six, seven] = VERSIONS;
            if old == new { word(old).to_owned() } else { format!("{} on {six}, {} on {seven}", word(old), word(new)) }
        };
        table.push_str(&format!("| {state} | {what} | {} | {} | {note} |\n", both(false), both(true)));
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/failures.md");
    let head = "# Failure states\n\nWhat `tests/tests/ha_failures_on_routers.rs` finds on two simulated routers, of 6.44.6 and of 7.22.1, and writes here with `UPDATE_FAILURES=1`.\nThe stand-ins are our own, made from what is known of the original scripts' behaviour. *cannot* means: what makes it happen there\ndoes not make it happen here.\n\n";
    let page = format!("{head}{table}");
    if std::env::var_os("UPDATE_FAILURES").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page);
    assert!(!page.contains(PASSWORD));
}
