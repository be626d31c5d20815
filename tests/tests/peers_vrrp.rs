//! The simulated router's VRRP against keepalived: who is master, and how long it takes, from a capture's timestamps.
//!
//! In network namespaces, as root. Skipped aloud otherwise; with `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests, though no unit tests: clippy.toml does not see that

use std::process::{Command, Stdio};

use jumplead_tests::conformance::{Claim, version_of};
use jumplead_tests::router_process::{HOST, Lines, Plan, ROUTER, Rig, Running, text, with_both};
use lab::netns::available;

/// The address that both answer for.
const VIRTUAL: &str = "10.9.8.10";
/// Virtual router 51.
const VIRTUAL_MAC: &str = "00:00:5e:00:01:33";
/// The router's priority.
const PRIORITY: u8 = 100;
/// Timers are late on a loaded machine, never early; captured times are the kernel's, microseconds apart.
const EARLY: f64 = 0.005;
/// As late as that only a machine that didn't let one of both run: tried again, and never each time.
const LATE: f64 = 1.0;
const TRIES: usize = 3;

/// Skew_Time of RFC 5798 section 6.1, at one advertisement a second.
fn skew(priority: u8) -> f64 {
    f64::from(256 - u16::from(priority)) / 256.0
}

/// One advertisement, as tshark read it.
#[derive(Debug, Clone, PartialEq)]
struct Advert {
    at: f64,
    from: String,
    priority: u8,
}

/// tshark on the host's end of the cable.
struct Watch {
    _tshark: Running,
    lines: Lines,
    seen: Vec<Advert>,
}

impl Watch {
    fn start(rig: &Rig) -> Self {
        let fields = "frame.time_epoch ip.src vrrp.prio vrrp.checksum.status vrrp.version ip.ttl eth.src";
        let mut command = rig.command("tshark");
        command.args(["-n", "-l", "-i", "h0", "-f", "ip proto 112", "-T", "fields"]);
        command.args(fields.split(' ').flat_map(|field| ["-e", field]));
        let mut tshark = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = Lines::of(tshark.stdout.take().unwrap());
        Self { _tshark: Running(tshark), lines, seen: Vec::new() }
    }

    /// Takes the next advertisement, and fails if it is none that the RFC allows.
    fn next(&mut self) -> &Advert {
        let line = self.lines.until("\n");
        let fields: Vec<&str> = line.trim_end().split('\t').collect();
        let [at, from, priority, checksum, version, ttl, mac] = fields[..] else { panic!("{line:?}") };
        assert_eq!((checksum, version, ttl), ("1", "3", "255"), "{line:?}");
        if from == ROUTER {
            assert_eq!(mac, VIRTUAL_MAC, "{line:?}");
        }
        let advert = Advert { at: at.parse().unwrap(), from: from.to_owned(), priority: priority.parse().unwrap() };
        self.seen.push(advert);
        self.seen.last().unwrap()
    }

    /// The next advertisement from there.
    fn from(&mut self, address: &str) -> Advert {
        loop {
            if self.next().from == address {
                return self.seen.last().unwrap().clone();
            }
        }
    }

    /// Waits until one is the only one that speaks, for three of its advertisements.
    fn settles(&mut self, address: &str) {
        let mut alone = 0;
        while alone < 3 {
            alone = if self.next().from == address { alone + 1 } else { 0 };
        }
    }
}

/// keepalived on the host.
struct Keepalived {
    parent: Running,
    pid_file: std::path::PathBuf,
}

impl Keepalived {
    fn start(rig: &Rig, priority: u8) -> Self {
        let place = |name: &str| rig.folder.path().join(name);
        let (configuration, pid_file) = (place("keepalived.conf"), place("vrrp.pid"));
        let text = format!(
            "global_defs {{\n vrrp_version 3\n vrrp_garp_master_delay 0\n}}\nvrrp_instance V {{\n state BACKUP\n interface h0\n \
             virtual_router_id 51\n priority {priority}\n advert_int 1\n virtual_ipaddress {{\n  {VIRTUAL}/24\n }}\n}}\n"
        );
        std::fs::write(&configuration, text).unwrap();
        // What an earlier one left behind is not this one's.
        let _ = std::fs::remove_file(&pid_file);
        let mut command = rig.command("keepalived");
        command.args(["-n", "-l", "-P", "-f"]).arg(&configuration);
        command.arg("-p").arg(place("keepalived.pid")).arg("-r").arg(&pid_file);
        let parent = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { parent: Running(parent), pid_file }
    }

    /// Ends it in good order: it resigns.
    fn stop(mut self) {
        signal("TERM", &self.parent.0.id().to_string());
        self.parent.0.wait().unwrap();
    }

    /// Ends it without a word. The parent would make a new child, and the child resigns when the parent is gone.
    fn vanish(mut self, rig: &Rig) {
        let child = std::fs::read_to_string(&self.pid_file).unwrap();
        signal("STOP", &self.parent.0.id().to_string());
        signal("KILL", child.trim());
        signal("KILL", &self.parent.0.id().to_string());
        self.parent.0.wait().unwrap();
        // What it answered for goes with it, as with a host that died.
        let _ = rig.host.run("ip", &["address", "del", &format!("{VIRTUAL}/24"), "dev", "h0"]);
    }
}

fn signal(name: &str, pid: &str) {
    assert!(Command::new("kill").args(["-s", name, pid]).status().unwrap().success());
}

/// Whether what came after `start` came in time: never sooner than `least` seconds, and not `LATE` seconds later.
#[track_caller]
fn in_time(start: &Advert, end: &Advert, least: f64) -> bool {
    let took = end.at - start.at;
    assert!(took >= least - EARLY, "{took:.3} s and not at least {least:.3} s: {start:?} {end:?}");
    let late = took > least + LATE;
    if late {
        eprintln!("late: {took:.3} s and not {least:.3} s: {start:?} {end:?}");
    }
    !late
}

/// A takeover as the RFC's timers want it, in one of a few tries. `None` of a try: it says nothing.
#[track_caller]
fn takes_over(least: f64, mut attempt: impl FnMut() -> Option<(Advert, Advert)>) {
    let good = (0..TRIES).any(|_| attempt().is_some_and(|(start, end)| in_time(&start, &end, least)));
    assert!(good, "{TRIES} tries, and none within {LATE} s of {least:.3} s");
}

#[test]
fn keepalived_takes_over_and_gives_back() {
    if available("keepalived_takes_over_and_gives_back", &["keepalived", "tshark", "ping", "kill"]) {
        with_both(with_keepalived);
    }
}

/// The better one takes over and resigns: its farewell, and what the router said next. `None`: one of both was not let
/// run for so long that the other had to take over in between, as the RFC wants it.
fn resigning(rig: &Rig, watch: &mut Watch) -> Option<(Advert, Advert)> {
    let better = Keepalived::start(rig, 150);
    watch.from(HOST);
    watch.settles(HOST);
    better.stop();
    let farewell = loop {
        let advert = watch.from(HOST);
        if advert.priority == 0 {
            break advert;
        }
    };
    let before = watch.seen.iter().rev().nth(1).is_some_and(|advert| advert.from == HOST);
    let next = watch.from(ROUTER);
    watch.settles(ROUTER);
    before.then_some((farewell, next))
}

fn with_keepalived(version: &str) {
    let plan = Plan::new(version).setup(
        "/interface vrrp add name=vrrp1 interface=ether8 vrid=51 priority=100\n\
         /ip address add address=10.9.8.10/32 interface=vrrp1",
    );
    let mut rig = plan.start();
    let mut watch = Watch::start(&rig);
    let claim = |did: &str| Claim::new("keepalived", version_of("keepalived", "--version"), did, version);
    let decoded = Claim::new(
        "tshark",
        version_of("tshark", "--version"),
        "VRRP: every advertisement's version, time to live, MAC and checksum",
        version,
    );
    assert_eq!(watch.from(ROUTER).priority, PRIORITY);

    let answers = claim("alone, the router is master and answers for the address with the virtual MAC (`ping`)");
    let ping = rig.run("ping", &["-c", "2", "-i", "0.2", "-W", "30", VIRTUAL]);
    assert!(text(&ping).contains("2 received"), "{}", text(&ping));
    let neighbour = text(&rig.run("ip", &["neighbour", "show", VIRTUAL]));
    assert!(neighbour.contains(VIRTUAL_MAC), "{neighbour}");
    answers.holds();

    let resigns = claim("with a higher priority it takes over; when it resigns, the router follows after Skew_Time");
    takes_over(skew(PRIORITY), || resigning(&rig, &mut watch));
    resigns.holds();

    let dies = claim("when it dies without a word, the router takes over after Master_Down_Interval");
    takes_over(3.0 + skew(PRIORITY), || {
        let better = Keepalived::start(&rig, 150);
        watch.from(HOST);
        watch.settles(HOST);
        better.vanish(&rig);
        let next = watch.from(ROUTER);
        let last = watch.seen.iter().rfind(|advert| advert.from == HOST).cloned();
        watch.settles(ROUTER);
        last.map(|last| (last, next))
    });
    dies.holds();

    let gives_back =
        claim("with a lower priority it waits; it takes over when the router dies, and gives back when it returns");
    let worse = Keepalived::start(&rig, 50);
    // The time in which it would have taken over, and some.
    for _ in 0..5 {
        let before = watch.seen.last().cloned().unwrap();
        let advert = watch.next().clone();
        if advert.from == HOST && before.from == ROUTER {
            // It was not let hear the router in time.
            in_time(&before, &advert, 3.0 + skew(50));
        }
    }
    takes_over(3.0 + skew(50), || {
        watch.settles(ROUTER);
        rig.cut_power();
        let taken = watch.from(HOST);
        assert_eq!(taken.priority, 50);
        let last = watch.seen.iter().rfind(|advert| advert.from == ROUTER).cloned();
        rig.restart();
        watch.from(ROUTER);
        watch.settles(ROUTER);
        last.map(|last| (last, taken))
    });
    worse.stop();
    gives_back.holds();
    decoded.holds();
}
