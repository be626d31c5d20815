//! A serial line of which nothing is known, from many named states: what is found, what is left, what was typed into a boot
//! loader as the router received it, and how long it took.

mod common;

use std::time::Duration;

use common::simulated;
use jumplead::lab_roads::Cable;
use lab::serial::NullModem;
use lab::{NodeHandle, World};
use routeros::wake::{ENTER, FEEL, LOOK, LOOKS_AT, Legibility, Plan, SPEEDS, State};
use routeros::{Error, LoginOptions, Outcome, Secret, Shell, Suffix, Waker, Woken, boot};
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::serial::seen_at;
use routersim::spec::{Spec, Version};
use routersim::system::BUILT_IN;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What somebody did before the line was opened.
#[derive(Clone, Copy)]
enum Do {
    /// Power, and an idle login prompt.
    Up,
    /// Power, nothing else.
    On,
    Sleep(u64),
    Type(&'static str),
    Until(&'static str),
    /// A login, with `+suffix`, of 7.x and 6.x.
    In7(&'static str),
    In6(&'static str),
    /// Types these keys in the main menu of the boot loader.
    Menu(&'static str),
    /// Power, with the console of another router on the line for so many milliseconds.
    BackToBack(u64),
}
use Do::{BackToBack, In6, In7, Menu, On, Sleep, Type, Until, Up};

struct Start {
    name: &'static str,
    six: bool,
    setup: &'static str,
    tune: fn(Spec) -> Spec,
    done: &'static [Do],
    /// The names of what is found and what is left.
    first: &'static str,
    end: &'static str,
    /// Nothing moves there: it has to be quick.
    idle: bool,
    /// The line has been open since the power came.
    open: bool,
    /// A key opens the boot loader's menu there, which is left by `x`: once, and no other key acts.
    left: bool,
    baud: u32,
}

const fn start(name: &'static str, done: &'static [Do], first: &'static str, end: &'static str) -> Start {
    let tune = std::convert::identity;
    Start { name, six: false, setup: "", tune, done, first, end, idle: true, open: false, left: false, baud: 115_200 }
}

const SEVEN: Do = In7("+ct80w40h");
const SIX: Do = In6("+ct80w40h");
const SILENT_BOOT: &str = "/system routerboard settings set silent-boot=yes\n";
const PASSWORD: &str = "/user set [find name=admin] password=\"Sim_1\"\n";
const RESET: &str = "/system reset-configuration no-defaults=yes\r";

fn starts() -> Vec<Start> {
    let p = "prompt";
    vec![
        start("login", &[Up], "login", "login"),
        Start { six: true, ..start("login, 6.x", &[Up], "login", "login") },
        start("a name half typed", &[Up, Type("adm")], "login", "login"),
        start("password asked, none is set", &[Up, Type("admin\r"), Until("Password: ")], "question", p),
        Start { setup: PASSWORD, ..start("password asked", &[Up, Type("admin\r"), Until("word: ")], "login", "login") },
        Start {
            setup: PASSWORD,
            ..start("password half typed", &[Up, Type("admin\r"), Until("word: "), Type("secr")], "login", "login")
        },
        start(
            "licence asked",
            &[Up, Type("admin+ct80w40h\r"), Until("word: "), Type("\r"), Until("[Y/n]: ")],
            "question",
            p,
        ),
        // The same with the line open all the time, so that the question itself is read.
        Start { open: true, ..start("reboot asked, seen", &[Up, SEVEN, Type("/system reboot\r")], "question", p) },
        Start { open: true, ..start("pager, seen", &[Up, In7("+ct80w8h"), Type("/interface print\r")], "pager", p) },
        Start { open: true, ..start("open brace, seen", &[Up, SEVEN, Type("{\r")], "continuation", p) },
        Start { open: true, ..start("prompt, seen", &[Up, SEVEN, Type("/ip address\r")], p, p) },
        Start { open: true, ..start("value asked", &[Up, SEVEN, Type("/password\r")], "question", p) },
        start(
            "new password asked",
            &[
                Up,
                Type("admin+ct80w40h\r"),
                Until("word: "),
                Type("\r"),
                Until("[Y/n]: "),
                Type("n"),
                Until("new password> "),
            ],
            p,
            p,
        ),
        start(
            "repeat asked",
            &[
                Up,
                Type("admin+ct80w40h\r"),
                Until("word: "),
                Type("\r"),
                Until("[Y/n]: "),
                Type("n"),
                Until("new password> "),
                Type("x\r"),
                Until("repeat new password> "),
            ],
            p,
            p,
        ),
        start("prompt", &[Up, SEVEN], p, p),
        Start { six: true, ..start("prompt, 6.x", &[Up, SIX], p, p) },
        start("prompt, 999 columns", &[Up, In7("+ct999w40h")], p, p),
        start("prompt, dumb", &[Up, In7("+cte80w40h")], p, p),
        start("prompt, colours", &[Up, In7("+t80w40h")], p, p),
        start("menu", &[Up, SEVEN, Type("/ip address\r"), Until("/ip/address> ")], p, p),
        Start { six: true, ..start("menu, 6.x", &[Up, SIX, Type("/ip address\r"), Until("/ip address> ")], p, p) },
        start("safe mode", &[Up, SEVEN, Type("\x18"), Until("<SAFE>")], p, p),
        start("half-typed line", &[Up, SEVEN, Type("/ip address remo")], p, p),
        start("half-typed erasure", &[Up, SEVEN, Type("/system reset-configuration no-defaults=yes")], p, p),
        Start { six: true, ..start("half-typed reboot, 6.x", &[Up, SIX, Type("/system reboot")], p, p) },
        start("half-typed removal", &[Up, SEVEN, Type("/user remove [find]")], p, p),
        start("open brace", &[Up, SEVEN, Type("{\r"), Until("... ")], p, p),
        start("open quote", &[Up, SEVEN, Type(":put \"x\r"), Until("... ")], p, p),
        start("open parenthesis", &[Up, SEVEN, Type(":put (1 + \r"), Until("... ")], p, p),
        start("reboot asked", &[Up, SEVEN, Type("/system reboot\r"), Until("[y/N]: ")], p, p),
        start("erasure asked", &[Up, SEVEN, Type(RESET), Until("[y/N]: ")], p, p),
        Start { six: true, ..start("erasure asked, 6.x", &[Up, SIX, Type(RESET), Until("[y/N]: ")], p, p) },
        start("pager", &[Up, In7("+ct80w8h"), Type("/interface print\r"), Until("-- [Q quit")], p, p),
        Start {
            six: true,
            ..start("pager, 6.x", &[Up, In6("+ct80w8h"), Type("/interface print\r"), Until("-- [Q")], p, p)
        },
        start("a command that waits", &[Up, SEVEN, Type(":delay 1000s\r"), Sleep(500)], p, p),
        Start {
            six: true,
            setup: "/system identity set name=\"edge [1] > x (2)\"\n",
            ..start("a name like a prompt", &[Up, SIX], p, p)
        },
        Start {
            six: true,
            setup: "/user add name=joe group=full\n",
            ..start("another user", &[Up, Type("joe+ct80w40h\r"), Until("word: "), Type("\r"), Until("> ")], p, p)
        },
        Start {
            tune: |spec| spec.quirk(|q| q.double_prompt = Some(true)),
            ..start("prompt, painted twice", &[Up, SEVEN], p, p)
        },
        Start {
            tune: |spec| spec.quirk(|q| q.split_output = Some(Some(3))),
            ..start("prompt, in pieces", &[Up, SEVEN, Type("/ip address remo")], p, p)
        },
        Start {
            tune: |spec| spec.quirk(|q| q.no_echo = Some(true)),
            ..start("half-typed line without an echo", &[Up, SEVEN, Type("/system reboot")], p, p)
        },
        Start {
            tune: |spec| spec.quirk(|q| q.prompt_first = Some(true)),
            ..start("a prompt before the output", &[Up, SEVEN, Type(":delay 1000s\r"), Sleep(500)], p, p)
        },
        start("half-typed chat", &[Up, SEVEN, Type("# anybody here")], p, p),
        start("hotlock", &[Up, SEVEN, Type("\x16"), Sleep(200)], p, p),
        start("words to choose from", &[Up, SEVEN, Type("/ip a\t\t"), Sleep(200)], p, p),
        Start { six: true, ..start("help at a question mark, 6.x", &[Up, SIX, Type("/ip ?"), Sleep(200)], p, p) },
        start("logged out", &[Up, SEVEN, Type("/quit\r"), Until("Login: ")], "login", "login"),
        Start {
            setup: PASSWORD,
            ..start(
                "a login that was refused",
                &[Up, Type("admin\r"), Until("word: "), Type("wrong\r"), Until("Login: ")],
                "login",
                "login",
            )
        },
        // It waits ten seconds for answers, and takes keys for some of them; a login is patient enough.
        Start {
            idle: false,
            ..start(
                "the terminal is asked for its size",
                &[Up, Type("admin\r"), Until("word: "), Type("\r"), Until("\x1b[6n")],
                "silent",
                "silent",
            )
        },
        // Transcript 25: each types into the other.
        Start { idle: false, ..start("wired to a console, restarted", &[BackToBack(8_000)], "boot-menu", "boot-menu") },
        start("wired to a console, both up", &[Up, BackToBack(20_000), Sleep(200_000)], "login", "login"),
        start("boot loader, main menu", &[On, Menu("")], "boot-menu", "boot-menu"),
        Start { six: true, ..start("boot loader, main menu, 6.x", &[On, Menu("")], "boot-menu", "boot-menu") },
        start("boot loader, delay", &[On, Menu("d")], "boot-menu", "boot-menu"),
        start("boot loader, key", &[On, Menu("k")], "boot-menu", "boot-menu"),
        start("boot loader, serial console", &[On, Menu("s")], "boot-menu", "boot-menu"),
        start("boot loader, silent boot", &[On, Menu("n")], "boot-menu", "boot-menu"),
        start("boot loader, device", &[On, Menu("o")], "boot-menu", "boot-menu"),
        start("boot loader, protocol", &[On, Menu("p")], "boot-menu", "boot-menu"),
        start("boot loader, booter", &[On, Menu("b")], "boot-menu", "boot-menu"),
        start("boot loader, upgrade", &[On, Menu("g")], "boot-menu", "boot-menu"),
        start("boot loader, format asked", &[On, Menu("e")], "boot-menu", "boot-menu"),
        start("boot loader, format with the word typed", &[On, Menu("eyes")], "boot-menu", "boot-menu"),
        Start { open: true, ..start("boot loader, menu seen", &[On, Menu("o")], "boot-menu", "boot-menu") },
        Start { idle: false, open: true, ..start("banner", &[On, Until("booter ")], "key-window", "login") },
        Start { idle: false, open: true, ..start("key window", &[On, Until("Memory size")], "key-window", "login") },
        Start { idle: false, open: true, ..start("kernel", &[On, Until("setting up")], "booting", "login") },
        // Its sign was missed, and it does not hear yet.
        Start { idle: false, open: true, ..start("services, late", &[On, Until("Starting...")], "silent", "silent") },
        Start {
            idle: false,
            open: true,
            ..start(
                "going down",
                &[Up, SEVEN, Type("/system reboot\r"), Until("]: "), Type("y"), Sleep(3000)],
                "booting",
                "login",
            )
        },
        Start {
            idle: false,
            open: true,
            ..start(
                "nothing to boot from",
                &[On, Menu("eyes\rx"), Until("kernel loading failed")],
                "etherboot",
                "no-kernel",
            )
        },
        Start { idle: false, ..start("no power", &[], "silent", "silent") },
        Start { six: true, setup: SILENT_BOOT, ..start("silent boot, up", &[Up], "login", "login") },
        // It can't be told from an idle line: listened to for so short a time, the menu opens. It is left by its exit.
        Start {
            idle: false,
            six: true,
            setup: SILENT_BOOT,
            left: true,
            ..start("silent boot, its window", &[On, Sleep(1500)], "boot-menu", "login")
        },
        Start { idle: false, baud: 9600, ..start("login, read at 9600", &[Up], "login", "login") },
        // At half the router's speed its echo of Enter reads as Enter.
        Start { idle: false, baud: 57_600, ..start("login, read at 57600", &[Up], "login", "login") },
        Start { idle: false, baud: 57_600, ..start("prompt, read at 57600", &[Up, SEVEN], p, p) },
        // Typed at these, what only shows is a choice of these menus at the router's own.
        Start {
            idle: false,
            baud: 38_400,
            ..start("boot delay, read at 38400", &[On, Menu("d")], "boot-menu", "boot-menu")
        },
        Start {
            idle: false,
            baud: 76_800,
            ..start("serial console, read at 76800", &[On, Menu("s")], "boot-menu", "boot-menu")
        },
        Start {
            idle: false,
            baud: 19_200,
            ..start("boot menu, read at 19200", &[On, Menu("")], "boot-menu", "boot-menu")
        },
    ]
}

async fn until(line: &mut Cable, text: &str) {
    let mut seen = String::new();
    while !seen.contains(text) {
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_secs(120), line.read_exact(&mut byte)).await;
        assert!(read.is_ok(), "no {text:?} in {seen:?}");
        seen.push(char::from(byte[0]));
    }
}

async fn type_in(line: &mut Cable, text: &str) {
    line.write_all(text.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20 + text.len() as u64)).await;
}

async fn act(world: &World, router: &NodeHandle<Router>, line: &mut Cable, what: Do) {
    match what {
        BackToBack(ms) => {
            let other = world.add("C", Router::new(Spec::pair_a(), 7).unwrap());
            other.with(|other, now| other.power_on(now));
            while other.look(Router::phase) != Phase::Up {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let wired = NullModem::new((&other, BUILT_IN), (router, BUILT_IN));
            router.with(|router, now| router.power_on(now));
            tokio::time::sleep(Duration::from_millis(ms)).await;
            drop(wired);
        }
        On => router.with(|router, now| router.power_on(now)),
        Up => {
            router.with(|router, now| router.power_on(now));
            until(line, "Login: ").await;
        }
        Sleep(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Type(text) => type_in(line, text).await,
        Until(text) => until(line, text).await,
        In7(suffix) | In6(suffix) => {
            type_in(line, &format!("admin{suffix}\r")).await;
            until(line, "Password: ").await;
            type_in(line, "\r").await;
            if matches!(what, In7(_)) {
                until(line, "[Y/n]: ").await;
                type_in(line, "n").await;
                until(line, "new password> ").await;
                type_in(line, "\x03").await;
            }
            until(line, "> ").await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Menu(keys) => {
            until(line, "enter setup").await;
            type_in(line, " ").await;
            until(line, "your choice: ").await;
            type_in(line, keys).await;
        }
    }
}

/// A router in this state, and its line.
async fn begun(of: &Start, seed: u64) -> (NodeHandle<Router>, Cable) {
    let version: Version = if of.six { "6.44.6" } else { "7.18.2" }.parse().unwrap();
    let mut spec = Spec::pair_b().version(version);
    spec.setup.push_str(of.setup);
    spec = (of.tune)(spec);
    let world = World::new(seed);
    let router = world.add("B", Router::new(spec, seed).unwrap());
    tokio::task::spawn_local(world.clone().drive(1.0));
    let mut line = Cable::new(&router, 115_200, "serial");
    for what in of.done {
        act(&world, &router, &mut line, *what).await;
    }
    if !of.open {
        drop(line);
        tokio::time::sleep(Duration::from_millis(100 + seed * 37)).await;
        line = Cable::new(&router, of.baud, "serial");
    }
    (router, line)
}

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

/// A look is as quick, and as harmless in every menu of the boot loader, and names what is nobody's session as a wake does.
#[test]
fn a_look_from_any_state() {
    let (mut wrong, mut took) = (Vec::new(), Vec::new());
    for of in &starts() {
        simulated(|| async {
            let (woken, keys, harm) = wake(of, 2, &Plan::look(boot::IDLE)).await;
            let acts: Vec<_> = keys.iter().filter(|(_, key)| key.is_ascii_graphic() || *key == b' ').collect();
            let left = acts.iter().all(|(menu, key)| of.left && menu == "main" && *key == b'x') && acts.len() < 2;
            // A command that says nothing is not ended to find out whose it is.
            let same = woken.state.name() == of.end || of.end == "prompt";
            if of.idle && woken.state.name() != "silent" {
                took.push(woken.known);
            }
            if !harm.is_empty() || !left || !same {
                wrong.push(format!("{}: {woken:?} {keys:?} {harm:?}", of.name));
            }
        });
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
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
                assert!(!acts(first, b"\r\n\x03\x04"), "{ours} heard at {theirs}: {:?}", heard(first));
            }
            let needs_feel = acts(LOOK, b"\r\n\x03\x04");
            assert!(!(LOOKS_AT.contains(&ours) && needs_feel), "{ours} heard at {theirs}: {:?}", heard(LOOK));
            // Where it would act, what was typed before it has had its answer.
            assert!(!(needs_feel && heard(FEEL).is_empty()), "{ours} heard at {theirs}");
            felt += usize::from(needs_feel);
            // Behind one of them, and may be heard as `x`.
            if USUAL.contains(&ours) {
                assert!(!acts(ENTER, b"\r\n"), "{ours} heard at {theirs}: {:?}", heard(ENTER));
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
