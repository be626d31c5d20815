//! Named states of a serial line, and how a router comes into each.

use std::time::Duration;

use jumplead::lab_roads::Cable;
use lab::serial::NullModem;
use lab::{NodeHandle, World};
use routersim::record::Phase;
use routersim::router::Router;
use routersim::spec::{Spec, Version};
use routersim::system::BUILT_IN;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What somebody did before the line was opened.
#[derive(Clone, Copy)]
pub enum Do {
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
pub use Do::{BackToBack, In6, In7, Menu, On, Sleep, Type, Until, Up};

pub struct Start {
    pub name: &'static str,
    pub six: bool,
    pub setup: &'static str,
    pub tune: fn(Spec) -> Spec,
    pub done: &'static [Do],
    /// The names of what is found and what is left.
    pub first: &'static str,
    pub end: &'static str,
    /// Nothing moves there: it has to be quick.
    pub idle: bool,
    /// The line has been open since the power came.
    pub open: bool,
    /// A key opens the boot loader's menu there, which is left by `x`: once, and no other key acts.
    pub left: bool,
    pub baud: u32,
}

pub const fn start(name: &'static str, done: &'static [Do], first: &'static str, end: &'static str) -> Start {
    let tune = std::convert::identity;
    Start { name, six: false, setup: "", tune, done, first, end, idle: true, open: false, left: false, baud: 115_200 }
}

const SEVEN: Do = In7("+ct80w40h");
const SIX: Do = In6("+ct80w40h");
pub const SILENT_BOOT: &str = "/system routerboard settings set silent-boot=yes\n";
const PASSWORD: &str = "/user set [find name=admin] password=\"Sim_1\"\n";
const RESET: &str = "/system reset-configuration no-defaults=yes\r";

pub fn starts() -> Vec<Start> {
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
        // Ctrl-B at half the router's speed is Ctrl-X there.
        Start {
            idle: false,
            baud: 57_600,
            ..start("safe mode, read at 57600", &[Up, SEVEN, Type("\x18"), Until("<SAFE>")], p, p)
        },
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

pub async fn type_in(line: &mut Cable, text: &str) {
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
pub async fn begun(of: &Start, seed: u64) -> (NodeHandle<Router>, Cable) {
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
