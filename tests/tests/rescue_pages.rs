//! What the README and the card of 3 a.m. (docs/serial.md) tell somebody to type at a router in trouble, typed word by word, by the
//! real binary at a simulated pair that is in the state that the page speaks of.

#[path = "../../crates/jumplead/src/cli_in_docs/lines.rs"]
mod lines;

use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Command, Stdio};

use jumplead_tests::binary::Ended;
use jumplead_tests::console_server::{Server, Way};
use jumplead_tests::leak;
use jumplead_tests::line_process::{LineRouter, noise_until_the_menu};
use jumplead_tests::pair::{ADMIN_PASSWORD, Pair, SECRETS};
use jumplead_tests::rescue::{is_standby, over, restarted, until};
use jumplead_tests::states;
use jumplead_tests::terminal::Far;

const README: &str = include_str!("../../README.md");
const SERIAL: &str = include_str!("../../docs/serial.md");

/// What B is in when a command is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    /// Its startup has failed.
    F1,
    /// Its configuration names another address.
    F2,
    /// Its boot loader's menu is open.
    Menu,
    /// It starts again and again: a router of its own.
    Loop,
    /// It finds nothing to boot from: another one.
    Nothing,
    /// It is off.
    Off,
    /// Its line is read at another speed.
    Garbled,
    /// It is the standby.
    Standby,
    /// Whatever it was in.
    Any,
}

/// How a command is typed, and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// By itself, with this exit code.
    With(i32),
    /// With nobody there to ask: it shows its plan and stops at its question.
    Asks,
    /// At a terminal, where a person says yes.
    Yes,
    /// A terminal, in which these keys are typed; the menu's `q` ends it.
    Console(&'static str),
}

use Ends::{Asks, Console, With, Yes};
use In::{Any, F1, F2, Garbled, Loop, Menu, Nothing, Off, Standby};

/// A command as the page has it; the state; how it ends; what it says.
type Step = (&'static str, In, Ends, &'static [&'static str]);

const FAILED: &[&str] = &[
    "F1  its startup failed",
    "  seen   ",
    "FAILED - DATA PORTS CLOSED",
    "  do  1  ",
    "  not    don't switch its data ports on",
];
const FITS: &[&str] = &["F1  ", "  fits   leave ", "  fits   repair ", "  fits   quarantine ", "Nothing was changed"];
const LOADER: &[&str] = &["F8  ", "  do  1  jumplead recover serial://", "leave-loader: a plan, one question"];
const NO_ANSWER: &[&str] = &["nothing answers on the line", "  do  1  power? its LED; then the cable"];

/// Of the README's paragraph about a router that does not answer.
const OF_README: &[Step] = &[
    ("jumplead diagnose edge-1.toml/b", F1, With(0), FAILED),
    ("jumplead diagnose serial:///dev/...", F1, With(0), FAILED),
    ("jumplead recover edge-1.toml/b", F1, With(0), FITS),
    (
        "jumplead recover edge-1.toml/b repair",
        F1,
        Asks,
        &["1 b  save evidence: log, files, export", "run its startup again, in place", "repair --confirm "],
    ),
    ("jumplead bundle edge-1.toml", F1, With(0), &["edge-1"]),
];

/// Of the card, from its first row to the end of what is said of rescues.
const OF_CARD: &[Step] = &[
    ("jumplead diagnose serial:///dev/...", F1, With(0), FAILED),
    ("jumplead diagnose serial:///dev/...", Menu, With(0), LOADER),
    (
        "jumplead recover serial:///dev/... leave-loader",
        Menu,
        Yes,
        &["leave the menu", "Go ahead with plan", "Done   leave the menu", "Proved "],
    ),
    ("jumplead console serial:///dev/...", Menu, Console("x"), &["x - exit setup"]),
    ("jumplead diagnose serial:///dev/...", Nothing, With(0), &["F8  ", "BOOT (ether1)"]),
    (
        "jumplead recover TARGET netinstall",
        Nothing,
        With(5),
        &["the command for this board, as root:  netinstall-cli -i INTERFACE", "--netinstall PATH --package FILE"],
    ),
    ("jumplead diagnose serial:///dev/...", Off, With(0), NO_ANSWER),
    ("jumplead diagnose serial:///dev/...", Loop, With(0), &["F8  ", "boot loop", "3 starts in ", "Rebooting in "]),
    (
        "jumplead recover TARGET etherboot",
        Loop,
        Asks,
        &["a cable on the port marked BOOT (ether1)", "TYPE THE ANNOUNCED KEY", "etherboot --confirm "],
    ),
    ("jumplead diagnose PAIR/b", F2, With(0), &["F2  its HA port's address is neither of the pair's"]),
    (
        "jumplead recover PAIR/b right-mac",
        F2,
        Asks,
        &["74:4D:28:00:00:FF becomes 74:4D:28:00:00:0B", "right-mac --confirm "],
    ),
    ("jumplead diagnose PAIR/b", F1, With(0), FAILED),
    ("jumplead recover PAIR/b repair", F1, Asks, &["run its startup again, in place", "repair --confirm "]),
    ("jumplead diagnose serial:///dev/...", Garbled, With(0), &["up ", "  do  1  "]),
    ("jumplead diagnose serial:///dev/...", Off, With(0), NO_ANSWER),
    ("jumplead recover TARGET password", Any, With(0), &["Protected RouterBOOT", "Device-mode"]),
    ("jumplead recover TARGET --sheet", Any, With(0), &["REMOTE HANDS", "marked BOOT (ether1)"]),
    ("jumplead recover edge-1/b", F1, With(0), FITS),
    (
        "jumplead recover edge-1/b repair --plan-only",
        F1,
        With(0),
        &["F1  ", "the active answers on the HA cable", "Nothing was changed"],
    ),
    (
        "jumplead recover rfc2217://oob.example:4001 repair --as edge-1/b",
        F1,
        Yes,
        &["then stands in the logs of rfc2217://", "Go ahead with plan", "Proved ", "the active says: "],
    ),
    ("jumplead bundle edge-1", Standby, With(0), &["edge-1"]),
    ("jumplead resume", Standby, With(3), &["error[state.no-run]"]),
    (
        "jumplead recover via:edge-1/a ha-password --new-ha-password env:NEW_HA",
        Standby,
        Asks,
        &["the active asks the standby with it", "ha-password --new-ha-password env:NEW_HA --confirm "],
    ),
];

/// A page from one text to another.
fn part(page: &'static str, from: &str, to: &str) -> &'static str {
    let start = page.find(from).unwrap_or_else(|| panic!("no {from:?}"));
    let rest = &page[start..];
    &rest[..rest.find(to).unwrap_or_else(|| panic!("no {to:?} behind {from:?}"))]
}

#[test]
fn the_pages_of_rescues_are_walked_word_by_word() {
    let pages = [
        (part(README, "A router that does not answer:", "\n\n"), OF_README),
        (part(SERIAL, "## At 3 a.m.", "## Wiring"), OF_CARD),
    ];
    for (page, steps) in &pages {
        // no command is told that is not walked here
        let typed: Vec<String> = steps.iter().map(|step| step.0.to_owned()).collect();
        let told: Vec<String> = lines::commands(page).iter().map(|line| lines::words(line).join(" ")).collect();
        assert_eq!(told, typed);
    }
    let steps = &|| pages.iter().flat_map(|(_, steps)| *steps);
    std::thread::scope(|scope| {
        for state in ALONE {
            scope.spawn(move || {
                let (router, url) = alone(state);
                for (command, _, ends, words) in steps().filter(|step| step.1 == state) {
                    let typed = own(command, &[(&["serial:///dev/...", "TARGET"], &url)]);
                    let mut program = router.command(&typed.iter().map(String::as_str).collect::<Vec<_>>());
                    said(command, &mut program, *ends, words);
                }
            });
        }
        over("the_pages_of_rescues_are_walked_word_by_word", Way::Rfc2217, |pair, server| {
            pair.site_reaching(&["via:a", &server.url()], "ether8", "74:4D:28:00:00:0B", "7F0002");
            let mut walk = Walk { pair, server, now: Standby };
            for (command, wanted, ends, words) in steps().filter(|step| !ALONE.contains(&step.1)) {
                walk.to(*wanted);
                walk.typed(command, *ends, words);
            }
        });
    });
}

/// States in which it is no member any more, each of a router of its own.
const ALONE: [In; 4] = [Loop, Nothing, Off, Garbled];

/// That router, and where it is looked at.
fn alone(state: In) -> (LineRouter, String) {
    if state == Loop {
        let router = LineRouter::in_a_loop("");
        let url = router.urls()[0].clone();
        return (router, url);
    }
    let router = LineRouter::start();
    let [mut url, rfc2217, _] = router.urls();
    match state {
        Nothing => router.format(),
        // It goes down under that very command, which says so.
        Off => {
            drop(router.exec(&url, ":execute \":delay 1; /system shutdown\""));
            // Its last words are heard here: who comes later finds a line that says nothing.
            drop(router.command(&["diagnose", &url]).output());
        }
        _ => url = format!("{rfc2217}?baud=9600"),
    }
    (router, url)
}

/// A command as the page has it, with what stands for somebody's own.
fn own(command: &str, instead: &[(&[&str], &str)]) -> Vec<String> {
    let mut words = lines::words(command);
    words.remove(0);
    for word in &mut words {
        if let Some((_, own)) = instead.iter().find(|(of, _)| of.contains(&word.as_str())) {
            *word = (*own).to_owned();
        }
    }
    words
}

/// Types it; what it says.
fn said(command: &str, program: &mut Command, ends: Ends, words: &[&str]) -> String {
    let said = match ends {
        With(code) => {
            let ended = Ended::from(program.output().unwrap()).expect(code);
            format!("{}{}", ended.out, ended.err)
        }
        Asks => {
            let ended = Ended::from(program.output().unwrap()).refused(2, "recover.confirm");
            format!("{}{}", ended.out, ended.err)
        }
        Yes | Console(_) => {
            let mut screen = Far::new(None).sized(24, 200);
            let near = || Stdio::from(screen.near().try_clone().unwrap());
            let mut child = program.stdin(near()).stdout(near()).stderr(near()).spawn().unwrap();
            let mut said = String::new();
            if let Console(keys) = ends {
                said += &screen.until("Ctrl-]");
                screen.say(keys.as_bytes());
                said += &screen.until("Login:");
                screen.say(b"\x1dq");
            } else {
                said += &screen.until("[y/N] ");
                screen.say(b"y\n");
                // the plan has a line of it, and so has the run: over a line it takes half of the time
                for end in ["save evidence: log, files, export  ", "Proved ", "Run "] {
                    said += &screen.until(end);
                }
            }
            assert!(child.wait().unwrap().success(), "{command}: {said}");
            said
        }
    };
    for words in words {
        assert!(said.contains(words), "{command}: {words:?} is not in\n{said}");
    }
    assert_eq!(leak::found(said.as_bytes(), &SECRETS), None, "{command}");
    said
}

struct Walk<'a, 'b> {
    pair: &'a Pair,
    server: &'a Server<'b>,
    now: In,
}

impl Walk<'_, '_> {
    /// Brings B there.
    fn to(&mut self, wanted: In) {
        if wanted == self.now || wanted == Any {
            return;
        }
        let right = states::WRONG_MAC.replace(":0B", ":XX").replace(":FF", ":0B").replace(":XX", ":FF");
        let leave = self.now == Menu;
        if leave {
            self.typed("jumplead console serial:///dev/...", Console("x"), &[]);
            until(self.pair, "[:len [/log find message~\"ha_startup: FAILED|I AM UNKNOWN\"]] > 0");
        }
        match (self.now, wanted) {
            (_, Menu) => self.opens_the_menu(),
            (_, F2) => restarted(self.pair, states::WRONG_MAC, "I AM UNKNOWN"),
            (Standby, F1) => restarted(self.pair, states::PASSWORD_GONE, "FAILED - DATA PORTS CLOSED"),
            (F2, F1) => restarted(self.pair, &right, "FAILED - DATA PORTS CLOSED"),
            (Menu, F1) => {}
            (_, Standby) => is_standby(self.pair),
            (from, to) => unreachable!("from {from:?} to {to:?}"),
        }
        self.now = wanted;
    }

    fn opens_the_menu(&self) {
        self.pair.exec("edge-1/b", ":execute \":delay 5; /system reboot\"").expect(0);
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        let mut line = std::fs::OpenOptions::new();
        line.read(true).write(true).custom_flags(i32::try_from(flags.bits()).unwrap());
        noise_until_the_menu(&mut line.open(self.pair.folder.path().join("b.line")).unwrap());
    }

    fn typed(&mut self, command: &str, ends: Ends, words: &[&str]) {
        let (line, server) = (self.pair.line_b(), self.server.url());
        let member = format!("{}/b", self.pair.home().join("config/jumplead/edge-1.toml").display());
        let typed = own(
            command,
            &[
                (&["serial:///dev/...", "TARGET"], &line),
                (&["rfc2217://oob.example:4001"], &server),
                (&["edge-1.toml/b"], &member),
                (&["edge-1.toml"], member.trim_end_matches("/b")),
                (&["PAIR/b"], "edge-1/b"),
            ],
        );
        println!("{:?}: {command}", self.now);
        let mut program = self.pair.command(&typed.iter().map(String::as_str).collect::<Vec<_>>());
        program.env("JUMPLEAD_PASSWORD", ADMIN_PASSWORD).env("NEW_HA", "Another-Pair_9.Sloe");
        let said = said(command, program.current_dir(self.pair.home()), ends, words);
        match (command, ends) {
            ("jumplead recover edge-1/b", _) => {
                let shown = part(part(SERIAL, "## Rescue", "## Wiring"), "```text\n", "\n```");
                assert_eq!(steady(&said), shown.trim_start_matches("```text\n"));
            }
            // it goes on by itself
            (_, Yes) if self.now == F1 => self.now = Standby,
            (_, Yes | Console(_)) => {
                self.now = F1;
                until(self.pair, "[:len [/log find message~\"ha_startup: FAILED\"]] > 0");
            }
            _ => {}
        }
    }
}

/// A screen without what is another number each time.
fn steady(said: &str) -> String {
    let line = |line: &str| match line.split_once(", up ") {
        Some((before, after)) => format!("{before}, up 93 s{}", after.split_once(" s").map_or("", |(_, rest)| rest)),
        None => line.to_owned(),
    };
    said.trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}
