//! A serial line of which nothing is known, from many named states: what is found, what is left, what was typed into a boot
//! loader as the router received it, and how long it took.

mod common;
#[path = "common/starts.rs"]
mod starts;

use std::time::Duration;

use common::simulated;
use jumplead::lab_roads::Cable;
use lab::{NodeHandle, World};
use routeros::wake::{ENTER, FEEL, LOOK, LOOKS_AT, Legibility, Plan, SPEEDS, State};
use routeros::{Error, LoginOptions, Outcome, Secret, Shell, Suffix, Waker, Woken, boot};
use routersim::record::EventKind;
use routersim::router::Router;
use routersim::serial::seen_at;
use routersim::spec::Spec;
use starts::{Do, In7, SILENT_BOOT, Sleep, Start, Type, Until, Up, begun, start, starts, type_in};

fn drain(router: &NodeHandle<Router>) -> Vec<EventKind> {
    router.with(|router, _| std::iter::from_fn(|| router.poll_event()).map(|event| event.kind).collect())
}

/// Wakes a line in this state, and gives what was found and every key that a boot loader took meanwhile.
async fn wake(of: &Start, seed: u64, plan: &Plan) -> (Woken, Vec<(String, u8)>, Vec<EventKind>) {
    let (router, line) = begun(of, seed).await;
    drain(&router);
    let mut waker = Waker::new(Box::new(line), None);
    let woken = waker.wake(plan).await.unwrap();
    let events = drain(&router);
    let keys = events.iter().filter_map(|event| match event {
        EventKind::BootKey { menu, key } => Some(((*menu).to_string(), *key)),
        _ => None,
    });
    let harm = events.iter().filter(|event| event.is_destructive() || matches!(event, EventKind::BootFormatted));
    (woken, keys.collect(), harm.cloned().collect())
}

/// How long the whole of it may take, by what there was to wait for: a person sits in front of it.
fn patience(of: &Start, woken: &Woken) -> Duration {
    Duration::from_millis(match woken.state {
        // A start of this board takes fifty seconds; what it says behind its end is listened to.
        _ if woken.boot.is_some() => 60_000,
        // Every speed was listened to, and typed at.
        State::Silent => 8_000,
        // Another speed was listened to, and what answered there was asked twice.
        _ if of.baud != 115_200 => 3_500,
        // It never pauses.
        _ if !of.idle => 4_500,
        _ => 2_000,
    })
}

#[test]
fn from_any_state_to_a_known_one() {
    let starts = starts();
    assert!(starts.len() >= 40, "{}", starts.len());
    let wrong = std::cell::RefCell::new(Vec::new());
    for of in &starts {
        let mut took = Vec::new();
        for seed in [1, 2, 3] {
            simulated(|| async {
                let (woken, keys, harm) = wake(of, seed, &Plan::settle(boot::IDLE)).await;
                println!(
                    "{:<42} {:>6} ms  {} -> {}",
                    of.name,
                    woken.took.as_millis(),
                    woken.first.name(),
                    woken.state.name()
                );
                if (woken.first.name(), woken.state.name()) != (of.first, of.end) {
                    wrong.borrow_mut().push(format!("{}: {woken:?}", of.name));
                }
                // Whatever menu it was: no key that any menu knows, as it arrived.
                let acts: Vec<_> = keys.iter().filter(|(_, key)| key.is_ascii_graphic() || *key == b' ').collect();
                let fits = match acts.as_slice() {
                    [] => !of.left,
                    [(menu, b'x')] => {
                        of.left && menu == "main" && woken.boot.as_ref().is_some_and(|boot| boot.menu_left)
                    }
                    _ => false,
                };
                if woken.took > patience(of, &woken) {
                    wrong.borrow_mut().push(format!("{}: {:?}", of.name, woken.took));
                }
                if !harm.is_empty() || !fits {
                    wrong.borrow_mut().push(format!("{}: {harm:?} {keys:?}", of.name));
                }
                took.push(woken.known);
            });
            if !of.idle {
                break;
            }
        }
        took.sort();
        let median = took[took.len() / 2];
        if of.idle && median >= Duration::from_millis(1500) {
            wrong.borrow_mut().push(format!("{}: {median:?}", of.name));
        }
    }
    assert!(wrong.borrow().is_empty(), "{:#?}", wrong.borrow());
}

#[test]
fn listening_alone_types_nothing_and_names_what_speaks() {
    for of in starts().iter().filter(|of| of.open && of.first != "silent") {
        simulated(|| async {
            let (woken, keys, _) = wake(of, 1, &Plan::listen_only(boot::IDLE)).await;
            assert_eq!(woken.sent, b"", "{}", of.name);
            assert_eq!(keys, [], "{}", of.name);
            assert_eq!(woken.first.name(), of.first, "{}: {woken:?}", of.name);
        });
    }
}

#[test]
fn a_boot_that_is_waited_for_has_its_phases_timed() {
    simulated(|| async {
        let starts = starts();
        let of = starts.iter().find(|of| of.name == "going down").unwrap();
        let (woken, keys, _) = wake(of, 1, &Plan::settle(boot::SUSPECT)).await;
        assert_eq!((keys, woken.sent), (vec![], vec![]), "nothing is typed between the banner and the login");
        assert_eq!(woken.state, State::Login);
        let ridden = woken.boot.unwrap();
        let phases: Vec<boot::Phase> = ridden.phases.iter().map(|(phase, _)| *phase).collect();
        let rest = [boot::Phase::Loader, boot::Phase::Kernel, boot::Phase::System, boot::Phase::Login];
        assert!(phases.ends_with(&rest), "{ridden}");
        assert_eq!(ridden.count(), 1);
        assert!(ridden.phases.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{ridden}");
    });
}

/// What a look finds and leaves where that is not what a wake does, and whose it says that is: it ends nothing of somebody else's.
const LOOKS: &[(&str, &[&str], &str)] = &[
    ("question", &["password asked, none is set", "licence asked", "new password asked", "repeat asked"], ""),
    ("question", &["reboot asked, seen"], "a question: Reboot, yes? [y/N]:"),
    ("question", &["value asked"], "a question: Value(\"old-password\")"),
    ("pager", &["pager, seen", "pager", "pager, 6.x"], "somebody's output, a screen at a time"),
    ("continuation", &["open brace, seen", "open brace"], "somebody's open bracket or quote: {..."),
    ("continuation", &["open quote"], "somebody's open bracket or quote: \"..."),
    ("continuation", &["open parenthesis"], "somebody's open bracket or quote: (..."),
    (
        "prompt",
        &["safe mode", "safe mode, read at 57600"],
        "prompt of admin, SAFE MODE TAKEN: ending it keeps or undoes its changes",
    ),
    ("prompt", &["another user"], "prompt of joe"),
    (
        "half-typed",
        &[
            "half-typed line",
            "half-typed erasure",
            "half-typed reboot, 6.x",
            "half-typed removal",
            "half-typed chat",
            "half-typed line without an echo",
            "prompt, in pieces",
            "words to choose from",
            "help at a question mark, 6.x",
        ],
        "",
    ),
    // A command that says nothing is not ended to find out whose it is.
    ("silent", &["a command that waits", "a prompt before the output"], ""),
];

/// A look is as quick, and as harmless in every menu of the boot loader, and names what is nobody's session as a wake does; what
/// somebody has there is named for what it is.
#[test]
fn a_look_from_any_state() {
    let (mut wrong, mut took, mut other) = (Vec::new(), Vec::new(), 0);
    for of in &starts() {
        let named = LOOKS.iter().find(|(_, names, _)| names.contains(&of.name));
        other += usize::from(named.is_some());
        let (first, end, whose) = match named {
            Some((state, _, whose)) => (*state, *state, *whose),
            // What the other one answers to the first key is a password's question.
            None if of.name == "wired to a console, both up" => ("password", of.end, ""),
            None => (of.first, of.end, ""),
        };
        simulated(|| async {
            let (woken, keys, harm) = wake(of, 2, &Plan::look(boot::IDLE)).await;
            let acts: Vec<_> = keys.iter().filter(|(_, key)| key.is_ascii_graphic() || *key == b' ').collect();
            let left = acts.iter().all(|(menu, key)| of.left && menu == "main" && *key == b'x') && acts.len() < 2;
            let same = (woken.first.name(), woken.state.name()) == (first, end);
            let of_whom = woken.state.session("admin").unwrap_or_default();
            if of.idle && woken.state.name() != "silent" {
                took.push(woken.known);
            }
            if !harm.is_empty() || !left || !same || of_whom != whose || woken.took > patience(of, &woken) {
                wrong.push(format!("{}: {of_whom:?} {woken:?} {keys:?} {harm:?}", of.name));
            }
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(other, LOOKS.iter().map(|(_, names, _)| names.len()).sum::<usize>(), "each is the name of a start");
    took.sort();
    assert!(took[took.len() / 2] < Duration::from_millis(1500), "{took:?}");
    assert!(took[took.len() - 1] < Duration::from_millis(2000), "{took:?}");
}

const JOE: &str = "/user add name=joe group=full\n";
const JOE_7: [Do; 5] = [Up, Type("joe+ct80w60h\r"), Until("word: "), Type("\r"), Until("new password> ")];
const JOE_6: [Do; 5] = [Up, Type("joe+ct80w60h\r"), Until("word: "), Type("\r"), Until("> ")];

/// How often somebody was logged out since the last call.
fn logged_out(router: &NodeHandle<Router>) -> usize {
    let out = |kind: &EventKind| matches!(kind, EventKind::Log { message, .. } if message.contains(" logged out"));
    drain(router).iter().filter(|kind| out(kind)).count()
}

/// A look leaves somebody else's session as it is: it is named, nobody is logged out, what safe mode holds is held, and the
/// half-typed line can be ended and does what it was to do.
#[test]
fn a_look_leaves_another_users_session_as_it_is() {
    const ADD: &str = "/ip address add address=10.9.9.9/24 interface=ether1";
    // What was done, what is named of it, what is typed afterwards, and whether the address is there then.
    let cases: &[(&[Do], &str, &str, bool)] = &[
        (&[], "prompt of joe", "", false),
        (&[Type(ADD)], "a half-typed line", "\r", true),
        (&[Type(ADD), Type("\x01")], "a half-typed line", "\x05\r", true),
        (&[Type("{\r"), Until("... "), Type(ADD)], "", "\r}\r", true),
        (&[Type("\x18"), Until("<SAFE>"), Type(ADD), Type("\r"), Until("> ")], "SAFE MODE TAKEN", "\x04", false),
        (&[Type("\x18"), Until("<SAFE>"), Type(ADD)], "SAFE MODE TAKEN", "\r", true),
    ];
    for (six, before) in [(false, &JOE_7[..]), (true, &JOE_6[..])] {
        for (done, named, then, there) in cases {
            simulated(|| async {
                let more: &[Do] = if six { &[] } else { &[Type("\x03"), Until("> ")] };
                let done: &'static [Do] = [before, more, &[Sleep(1000)], done, &[Sleep(500)]].concat().leak();
                let of = Start { six, setup: JOE, ..start("joe", done, "", "") };
                let (router, line) = begun(&of, 1).await;
                drain(&router);
                let mut waker = Waker::new(Box::new(line), None);
                let woken = waker.wake(&Plan::look(boot::IDLE)).await.unwrap();
                let what = format!("6.x {six}, {named}: {woken:?}");
                let who = woken.state.session("admin").expect(&what);
                assert!(who.contains(named) && (named.is_empty() || who.contains("joe")), "{what}: {who}");
                assert!(!who.contains("10.9.9.9"), "{who}");
                // A login that is a guest finds the same and goes.
                let options = LoginOptions {
                    suffix: Suffix::Serial,
                    wake: Some(boot::IDLE),
                    guest: true,
                    ..LoginOptions::new("admin")
                };
                let refused = Shell::login(waker.into_link(), options).await.unwrap_err();
                assert_eq!(refused.code(), "routeros.line.session", "{what}: {refused}");
                assert_eq!(logged_out(&router), 0, "{what}");
                // He goes on where he was.
                let mut line = Cable::new(&router, 115_200, "serial");
                type_in(&mut line, then).await;
                tokio::time::sleep(Duration::from_secs(2)).await;
                let count = ":put [:len [/ip address find address=\"10.9.9.9/24\"]]";
                let asked = router.with(|router, now| router.start_script(now, "admin", count)).unwrap();
                tokio::time::sleep(Duration::from_secs(2)).await;
                assert_eq!(asked.output().trim(), if *there { "1" } else { "0" }, "{what}");
            });
        }
    }
}

/// A session of the login's own user in a person's window cuts what is typed and shown: a guest leaves it as it is, who may end
/// it logs in anew. One that a broken run has left is gone on with.
#[test]
fn a_console_that_a_person_left_logged_in_is_no_session_of_ours() {
    for (window, ours) in [("+ct80w40h", false), ("+t80w40h", false), ("+t200w40h", false), ("+ct999w4098h", true)] {
        simulated(|| async move {
            let done = [Up, In7(window)];
            let of = Start { done: Box::leak(Box::new(done)), ..start("", &[], "", "") };
            let (router, line) = begun(&of, 1).await;
            drain(&router);
            let mut options = LoginOptions::new("admin");
            (options.suffix, options.wake, options.guest) = (Suffix::Serial, Some(boot::IDLE), true);
            let asked = Shell::login(Box::new(line), options.clone()).await;
            assert_eq!(logged_out(&router), 0, "{window}");
            let shell = match asked {
                Ok(shell) => {
                    assert!(ours, "{window}");
                    shell
                }
                Err(error) => {
                    assert_eq!(error.code(), "routeros.line.session", "{window}: {error}");
                    options.guest = false;
                    let again = Cable::new(&router, 115_200, "serial");
                    let shell = Shell::login(Box::new(again), options).await.unwrap();
                    assert_eq!(logged_out(&router), 1, "{window}");
                    assert!(!ours, "{window}");
                    shell
                }
            };
            let long = format!(":put \"{}\"", "long ".repeat(100));
            let said = shell.exec(long.as_str()).await.unwrap();
            let Outcome::Done(said) = said else { panic!("{window}: {said:?}") };
            assert_eq!(said.text.trim(), "long ".repeat(100).trim(), "{window}");
            assert_eq!(logged_out(&router), 0, "{window}");
        });
    }
}

/// Whenever a login begins in a silent boot, whichever of its keys falls into the window: no menu stays open.
#[test]
fn a_login_in_a_silent_boot_leaves_the_menu_that_its_key_opened() {
    let mut opened = 0;
    for after in (200..6200).step_by(400) {
        simulated(|| async {
            let mut spec = Spec::pair_b().version("6.44.6".parse().unwrap());
            spec.setup.push_str(SILENT_BOOT);
            let world = World::new(after);
            let router = world.add("B", Router::new(spec, after).unwrap());
            tokio::task::spawn_local(world.clone().drive(1.0));
            router.with(|router, now| router.power_on(now));
            tokio::time::sleep(Duration::from_millis(after)).await;
            let mut options = LoginOptions::new("admin");
            options.passwords = vec![Secret::new("")];
            (options.suffix, options.wake) = (Suffix::Serial, Some(boot::IDLE));
            let shell = Shell::login(Box::new(Cable::new(&router, 115_200, "serial")), options).await;
            let keys: Vec<u8> = router.with(|router, _| {
                std::iter::from_fn(|| router.poll_event())
                    .filter_map(|event| if let EventKind::BootKey { key, .. } = event.kind { Some(key) } else { None })
                    .collect()
            });
            let acts: Vec<u8> = keys.iter().copied().filter(|key| key.is_ascii_graphic() || *key == b' ').collect();
            let left = acts == *b"x";
            assert!(left || acts.is_empty(), "{after} ms: {keys:?}");
            assert_eq!(left, !keys.is_empty(), "{after} ms: the menu stays open: {keys:?} {shell:?}");
            match shell {
                Ok(shell) => assert_eq!(shell.boots().iter().any(|boot| boot.menu_left), left, "{after} ms"),
                // It was deaf for longer than a login has patience.
                Err(Error::Timeout { .. }) => assert!(!left, "{after} ms"),
                Err(error) => panic!("{after} ms: {error:?}"),
            }
            opened += usize::from(left);
        });
    }
    assert!(opened >= 3, "{opened}");
}

/// What a router's console or boot loader can be set to.
const USUAL: [u32; 8] = [1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200];
/// What a line of this host may be opened with besides.
const UNUSUAL: [u32; 12] =
    [300, 600, 1800, 7200, 14_400, 28_800, 76_800, 128_000, 230_400, 460_800, 921_600, 4_000_000];
/// Digits choose in every menu below the main one, whose letters these are; `x` leaves it, and is no key of those below.
const ACTS: &[u8] = b"dksnobpelwrgjtycfiz0123456789";

/// What is typed at an unknown line is harmless at every other speed, too; what is read there is known for garbage.
#[test]
fn at_the_wrong_speed() {
    let text = b"\r\nRouterBOOT booter 7.18.2\r\n\r\nCCR1009-7G-1C\r\n\r\nMikroTik 7.18.2 (stable)\r\nMikroTik Login: ";
    let mut felt = 0;
    for ours in USUAL.into_iter().chain(UNUSUAL) {
        for theirs in USUAL.into_iter().filter(|theirs| *theirs != ours) {
            let heard = |keys| seen_at(keys, ours, theirs);
            let acts = |keys, also: &[u8]| heard(keys).iter().any(|byte| ACTS.contains(byte) || also.contains(byte));
            // The first that is typed at a silent line: nothing anywhere, but a key to a menu, which answers any.
            for first in [b"\x03".as_slice(), FEEL] {
                assert!(!acts(first, b"\r\n\x03\x04\x18"), "{ours} heard at {theirs}: {:?}", heard(first));
            }
            let needs_feel = acts(LOOK, b"\r\n\x03\x04\x18");
            assert!(!(LOOKS_AT.contains(&ours) && needs_feel), "{ours} heard at {theirs}: {:?}", heard(LOOK));
            // Where it would act, what was typed before it has had its answer.
            assert!(!(needs_feel && heard(FEEL).is_empty()), "{ours} heard at {theirs}");
            felt += usize::from(needs_feel);
            // Behind one of them, and may be heard as `x`.
            if USUAL.contains(&ours) {
                assert!(!acts(ENTER, b"\r\n\x18"), "{ours} heard at {theirs}: {:?}", heard(ENTER));
            }
            if SPEEDS.contains(&ours) && SPEEDS.contains(&theirs) {
                let mut legibility = Legibility::default();
                legibility.on_bytes(&seen_at(text, theirs, ours));
                assert!(legibility.is_garbage(), "{theirs} read at {ours}: {:?}", seen_at(text, theirs, ours));
            }
        }
    }
    assert!(felt > 2, "it is for something: {felt}");
}
