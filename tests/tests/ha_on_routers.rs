//! Our on-router scripts on two simulated routers with one cable between their HA ports: from two erased
//! routers to a pair in sync, through roles, reboots and a lost cable. Looks at state and events only.

use std::cell::RefCell;
use std::time::Duration;

use bootstrap::ha;
use bootstrap::path::{BOOTSTRAP_FILE, bootstrap_file};
use bootstrap::site::Site;
use bootstrap::target::Member;
use lab::{NodeHandle, WireHandle, World};
use mactelnet::Instant;
use routeros::Secret;
use routersim::record::{Event, EventKind, Phase};
use routersim::router::{Router, Running};
use routersim::spec::{Spec, Version};

const MAC_A: &str = "74:4D:28:00:00:0A";
const MAC_B: &str = "74:4D:28:00:00:0B";
/// Four categories of characters, none of which needs quoting.
const PASSWORD: &str = "Simulated-Pair-1";

const SITE: &str = r#"
format = 1
[pair]
name = "edge-1"
ha_interface = "ether8"
[pair.a]
ha_mac = "74:4D:28:00:00:0A"
serial_number = "7F0001"
reach = ["mac://%eth1"]
user = "admin"
password = "env:EDGE1_A"
[pair.b]
ha_mac = "74:4D:28:00:00:0B"
serial_number = "7F0002"
reach = ["via:a"]
[secrets]
ha_password = "env:EDGE1_HA"
"#;

struct Pair {
    world: World,
    a: NodeHandle<Router>,
    b: NodeHandle<Router>,
    cable: WireHandle,
    events: RefCell<[Vec<Event>; 2]>,
}

impl Pair {
    fn new(version: Version, seed: u64) -> Self {
        let world = World::new(seed);
        let a = Spec::pair_a().version(version).file("HA_init.rsc", &ha::render_init());
        let b = Spec::pair_b().version(version);
        let a = world.add("A", Router::new(a, seed).unwrap());
        let b = world.add("B", Router::new(b, seed + 1).unwrap());
        let cable = world.connect(a.port(7), b.port(7), Duration::from_micros(5));
        a.with(Router::power_on);
        b.with(Router::power_on);
        let pair = Self { world, a, b, cable, events: RefCell::default() };
        pair.until("both are up", 120, |pair| pair.phase(&pair.a) == Phase::Up && pair.phase(&pair.b) == Phase::Up);
        pair
    }

    fn phase(&self, router: &NodeHandle<Router>) -> Phase {
        router.look(Router::phase)
    }

    fn take_events(&self) {
        for (node, list) in [&self.a, &self.b].into_iter().zip(self.events.borrow_mut().iter_mut()) {
            node.with(|router, _| {
                while let Some(event) = router.poll_event() {
                    list.push(event);
                }
            });
        }
    }

    fn wait(&self, seconds: u64) {
        self.world.run_until(self.world.now() + Duration::from_secs(seconds));
    }

    fn until(&self, what: &str, seconds: u64, done: impl Fn(&Self) -> bool) {
        let end = self.world.now() + Duration::from_secs(seconds);
        assert!(self.world.run_until_done(end, || done(self)), "not within {seconds} s: {what}\n{}", self.tail());
    }

    /// What the routers' logs said last, for a test that fails.
    fn tail(&self) -> String {
        self.take_events();
        let mut text = String::new();
        for (name, list) in ["A", "B"].iter().zip(self.events.borrow().iter()) {
            for event in list.iter().rev().take(25).rev() {
                text.push_str(&format!("{name} {} {:?}\n", event.at, event.kind));
            }
        }
        text
    }

    fn start(&self, router: &NodeHandle<Router>, text: &str) -> Running {
        router.with(|router, now| router.start_script(now, "admin", text)).expect("the router runs")
    }

    /// Runs a script to its end. What it printed.
    fn run(&self, router: &NodeHandle<Router>, text: &str) -> String {
        let running = self.start(router, text);
        self.until(text, 600, |_| running.result().is_some());
        match running.result() {
            Some(Ok(_)) => running.output(),
            other => panic!("{text}: {other:?}\n{}\n{}", running.output(), self.tail()),
        }
    }

    fn get(&self, router: &NodeHandle<Router>, expression: &str) -> String {
        self.run(router, &format!(":put {expression}")).trim_end().to_owned()
    }

    fn master(&self, router: &NodeHandle<Router>) -> bool {
        router.look(|router| {
            let Some(system) = router.system() else { return false };
            system.vrrp_state("HA_VRRP") == Some(routersim::net::VrrpState::Master)
        })
    }

    fn seen(&self, which: usize, test: impl Fn(&EventKind) -> bool) -> usize {
        self.take_events();
        self.events.borrow()[which].iter().filter(|event| test(&event.kind)).count()
    }

    fn install(&self) {
        self.run(&self.a, "/import HA_init.rsc");
        let call = format!("$HAInstall interface=\"ether8\" macA=\"{MAC_A}\" macB=\"{MAC_B}\" password=\"{PASSWORD}\"");
        self.run(&self.a, &format!(":global HAInstall; {call}"));
        self.until("A is master", 60, |pair| pair.master(&pair.a));
        self.wait(5);
    }

    /// Puts the product's own bootstrap file on B, as it is put there through a console.
    fn put_bootstrap(&self) {
        let site = Site::parse(SITE).unwrap();
        let text = bootstrap_file(&site, Member::B, &Secret::new(PASSWORD));
        let put = |router: &mut Router, _| {
            router.system().unwrap().write_file(BOOTSTRAP_FILE, text.into_bytes()).unwrap();
        };
        self.b.with(put);
    }

    /// What the bootstrap makes of an erased B.
    fn basic_networking(&self) {
        self.put_bootstrap();
        self.run(&self.b, &format!("/import {BOOTSTRAP_FILE}"));
        self.answers();
    }

    fn answers(&self) {
        let replies = self.get(&self.a, "[/ping 169.254.23.2 count=2 as-value]");
        assert_eq!(replies.matches("time=").count(), 2, "{replies}");
    }

    fn sync(&self) -> String {
        self.run(&self.a, "/system script run ha_checkchanges")
    }

    /// From two erased routers to the pair in sync.
    fn ready(version: Version) -> Self {
        let pair = Self::new(version, 11);
        pair.install();
        pair.basic_networking();
        pair.first_push();
        pair
    }

    fn first_push(&self) {
        let pair = self;
        assert!(pair.sync().contains("NEED TO PUSH"));
        pair.until("B goes down to restore", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(30);
    }
}

const VERSIONS: [Version; 2] = [Version::new(6, 44, 6), Version::new(7, 18, 2)];

/// Ports of a router that are enabled, by default name.
const OPEN: &str = "[:len [/interface ethernet find disabled=no]]";

#[test]
fn two_erased_routers_become_a_pair_in_sync() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        assert_eq!(pair.seen(1, |kind| matches!(kind, EventKind::BackupLoaded { .. })), 1, "{version}");
        assert_eq!(pair.seen(0, EventKind::is_destructive), 0, "{version}");
        assert!(pair.master(&pair.a) && !pair.master(&pair.b), "{version}");
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik_HA_B_STANDBY");
        assert_eq!(pair.get(&pair.a, "[/system identity get name]"), "MikroTik_HA_A_ACTIVE");
        assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("8".to_owned(), "1".to_owned()));
        assert_eq!(pair.get(&pair.b, "[/interface ethernet get [find disabled=no] default-name]"), "ether8");
        let said = pair.sync();
        assert!(said.contains("GOOD"), "{version}: {said}");
        assert_eq!(pair.seen(1, |kind| matches!(kind, EventKind::BackupLoaded { .. })), 1, "{version}");
    }
}

#[test]
fn a_dirty_standby_is_reset_and_bootstrapped_by_the_script_after_it() {
    for version in VERSIONS {
        let pair = Pair::new(version, 5);
        pair.install();
        pair.run(&pair.b, "/ip address add address=10.0.0.1/24 interface=ether1; /system identity set name=old");
        pair.put_bootstrap();
        let reset = "/system reset-configuration no-defaults=yes skip-backup=yes";
        pair.run(&pair.b, &format!("{reset} run-after-reset={BOOTSTRAP_FILE}"));
        pair.until("B resets", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(15);
        pair.answers();
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik");
        pair.first_push();
        assert!(pair.sync().contains("GOOD"), "{version}");
    }
}

#[test]
fn a_change_on_the_active_reaches_the_standby() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        pair.run(&pair.a, "/ip address add address=192.0.2.1/24 interface=ether1 comment=customer");
        assert!(pair.sync().contains("NEED TO PUSH"));
        pair.until("B goes down to restore", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(30);
        assert_eq!(pair.get(&pair.b, "[:len [/ip address find comment=\"customer\"]]"), "1", "{version}");
        assert!(pair.sync().contains("GOOD"), "{version}");
    }
}

#[test]
fn the_standby_takes_over_and_the_old_active_comes_back_as_standby() {
    for version in VERSIONS {
        let pair = Pair::ready(version);
        pair.a.with(Router::power_cut);
        let cut = pair.world.now();
        pair.until("B takes over", 20, |pair| pair.master(&pair.b));
        let took = pair.world.now().saturating_since(cut);
        assert!(took < Duration::from_secs(5), "{version}: {took:?}");
        pair.wait(5);
        assert_eq!(pair.get(&pair.b, OPEN), "8", "{version}");
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik_HA_B_ACTIVE");
        pair.a.with(Router::power_on);
        pair.until("A is up", 120, |pair| pair.phase(&pair.a) == Phase::Up);
        pair.wait(40);
        assert!(pair.master(&pair.b) && !pair.master(&pair.a), "{version}");
        assert_eq!(pair.get(&pair.a, OPEN), "1", "{version}");
    }
}

#[test]
fn without_the_cable_both_are_active_and_one_gives_in_when_it_comes_back() {
    let pair = Pair::ready(Version::new(7, 18, 2));
    pair.cable.cut();
    pair.wait(10);
    assert!(pair.master(&pair.a) && pair.master(&pair.b));
    pair.cable.restore();
    pair.wait(10);
    assert!(pair.master(&pair.a) != pair.master(&pair.b));
}

#[test]
fn an_uploaded_auto_script_runs_and_leaves_its_log() {
    for version in VERSIONS {
        let pair = Pair::new(version, 9);
        pair.install();
        pair.basic_networking();
        let put = |router: &mut Router, _| {
            let text = b":put [/interface ethernet get ether8 orig-mac-address]\n:error \"enough\"\n".to_vec();
            router.system().unwrap().write_file("try.rsc", text).unwrap();
        };
        pair.a.with(put);
        let fetch = "/tool fetch mode=ftp upload=yes address=169.254.23.2 src-path=try.rsc";
        let wrong = pair.start(&pair.a, &format!("{fetch} dst-path=HA_try.auto.rsc user=ha password=wrong"));
        pair.until("the login is refused", 60, |_| wrong.result().is_some());
        assert!(wrong.result().unwrap().is_err());
        pair.run(&pair.a, &format!("{fetch} dst-path=HA_try.auto.rsc user=ha password={PASSWORD}"));
        pair.wait(2);
        let log = pair.b.look(|router| router.system().unwrap().read_file("HA_try.auto.log")).unwrap();
        assert_eq!(String::from_utf8_lossy(&log), format!("{MAC_B}\nenough\n"), "{version}");
        let back = "/tool fetch mode=ftp address=169.254.23.2 src-path=HA_try.auto.log dst-path=got.txt";
        pair.run(&pair.a, &format!("{back} user=ha password={PASSWORD}"));
        assert_eq!(pair.get(&pair.a, "[:pick [/file get got.txt contents] 0 17]"), MAC_B);
    }
}

#[test]
fn two_runs_of_one_seed_are_the_same() {
    let run = || {
        let pair = Pair::ready(Version::new(7, 18, 2));
        pair.take_events();
        (pair.world.now(), pair.events.take())
    };
    let (first, second): ((Instant, _), _) = (run(), run());
    assert_eq!(first.0, second.0);
    for (one, other) in first.1.iter().zip(second.1.iter()) {
        assert_eq!(one.len(), other.len());
        let differs = one.iter().zip(other).find(|(one, other)| one != other);
        assert!(differs.is_none(), "{differs:?}");
    }
}

/// A small generator of its own, so that a seed names one course of events.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Power cuts, pulled cables and syncs at any time: afterwards one is the active, its ports are open, the other's are
/// closed, and they can be brought in sync.
#[test]
fn whatever_happens_the_pair_can_be_brought_in_sync_again() {
    for seed in 1..=6 {
        let version = VERSIONS[usize::try_from(seed % 2).unwrap()];
        let pair = Pair::ready(version);
        let mut dice = Dice(seed);
        for _ in 0..8 {
            let router = if dice.below(2) == 0 { &pair.a } else { &pair.b };
            match dice.below(5) {
                0 => {
                    router.with(Router::power_cut);
                    pair.wait(dice.below(40));
                    router.with(Router::power_on);
                }
                1 => {
                    pair.cable.cut();
                    pair.wait(dice.below(20));
                    pair.cable.restore();
                }
                _ => {
                    let _ = router
                        .with(|router, now| router.start_script(now, "admin", "/system script run ha_checkchanges"));
                }
            }
            pair.wait(dice.below(50));
        }
        pair.wait(400);
        let (a, b) = (pair.master(&pair.a), pair.master(&pair.b));
        assert!(a != b, "seed {seed}: masters {a} {b}\n{}", pair.tail());
        let (active, standby) = if a { (&pair.a, &pair.b) } else { (&pair.b, &pair.a) };
        assert_eq!(pair.get(active, OPEN), "8", "seed {seed}");
        assert_eq!(pair.get(standby, OPEN), "1", "seed {seed}\n{}", pair.tail());
        for _ in 0..3 {
            if pair.run(active, "/system script run ha_checkchanges").contains("GOOD") {
                break;
            }
            pair.wait(300);
        }
        let said = pair.run(active, "/system script run ha_checkchanges");
        assert!(said.contains("GOOD"), "seed {seed}: {said}\n{}", pair.tail());
    }
}
