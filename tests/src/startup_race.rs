//! The startup race: what a standby's data ports say while it starts and the other router is the active.
//!
//! A boot is made from kept storages of a pair in sync, with ports that come late or under each other's names and services that
//! are slow, as the seed says. All data ports of both routers are in one switch, which remembers who ever spoke where; a host
//! there asks for the active's address all the time, and so measures the outage when the active dies.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use lab::{CABLE, End, Node, NodeHandle, World};
use mactelnet::{Instant, MacAddr};
use routersim::quirks::PortOrder;
use routersim::record::Phase;
use routersim::router::Router;
use routersim::spec::{Spec, Version};
use routersim::system::Storage;

use crate::ha_pair::{PASSWORD, Pair};

/// The address of A's `ether1`, which the network's hosts ask for.
const SERVICE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// Data ports of one router.
const DATA_PORTS: usize = 7;
/// How long a standby has to start; ports come up to 5 s late.
const START: Duration = Duration::from_secs(110);

/// How the standby came to what it starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The start after a reset that the quiet sync made: its script applies the active's configuration.
    QuietSync,
    /// Any later start of a standby.
    Restart,
    /// The start after the standby's own backup was loaded.
    OwnBackup,
    /// The start after a backup of the active was loaded.
    BackupSync,
}

/// What outlives a reboot, of both.
pub struct Kept {
    version: Version,
    a: Storage,
    b: Storage,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept({})", self.version)
    }
}

fn kept(router: &NodeHandle<Router>) -> Storage {
    router.look(|router| router.storage().borrow().clone())
}

/// Makes a pair and stops it where the standby is about to start.
pub fn prepare(version: Version, way: Way) -> Kept {
    let pair = Pair::new(version, 21);
    pair.run(&pair.a, &format!("/ip address add address={SERVICE}/24 interface=ether1 comment=service"));
    pair.install();
    pair.basic_networking();
    if way == Way::QuietSync {
        pair.choose("quiet");
    }
    pair.call(&pair.a, "HAPushStandby");
    pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
    if !matches!(way, Way::QuietSync | Way::BackupSync) {
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(40);
        assert!(pair.sync().contains("GOOD"), "{}", pair.tail());
        pair.wait(30);
        if way == Way::OwnBackup {
            pair.start(&pair.b, &format!("/system backup load name=HA_own.backup password=\"{PASSWORD}\""));
        } else {
            pair.start(&pair.b, "/system reboot");
        }
        pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
    }
    Kept { version, a: kept(&pair.a), b: kept(&pair.b) }
}

/// What one start showed.
#[derive(Debug, Clone, Default)]
pub struct Boot {
    /// Frames with a MAC or an IP address of A from B's data ports while A was master.
    pub foreign: u64,
    /// First to last of them, for each port of B, and until when after B's kernel came up.
    pub windows: BTreeMap<usize, Duration>,
    /// Frames with B's own MACs from B's data ports.
    pub own: u64,
    /// Names of ports were right, so that B must have become a standby.
    pub healthy: bool,
    /// From A's death until a host heard A's MAC answer again; only where `healthy`.
    pub outage: Option<Duration>,
    /// What is wrong, if anything.
    pub wrong: Option<String>,
}

/// A small generator of its own, so that a seed names one course of events.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// A host that asks for the service address, and when it was answered by whom.
struct Asker {
    next: Instant,
    every: Duration,
    out: bool,
    answers: Rc<RefCell<Vec<(Instant, MacAddr)>>>,
}

const ASKER: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

impl Node for Asker {
    fn handle_frame(&mut self, now: Instant, _: usize, frame: &[u8]) {
        // an ARP reply for the service address
        if frame.len() >= 42 && frame[12..14] == [8, 6] && frame[20..22] == [0, 2] && frame[28..32] == SERVICE.octets()
        {
            let mut mac = [0; 6];
            mac.copy_from_slice(&frame[6..12]);
            self.answers.borrow_mut().push((now, MacAddr(mac)));
        }
    }
    fn set_link(&mut self, _: Instant, _: usize, _: bool) {}
    fn handle_timeout(&mut self, now: Instant) {
        if now >= self.next {
            self.out = true;
            self.next = now + self.every;
        }
    }
    fn poll_transmit(&mut self) -> Option<(usize, Vec<u8>)> {
        if !std::mem::take(&mut self.out) {
            return None;
        }
        let mut frame = vec![0xff; 6];
        frame.extend(ASKER);
        frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend(ASKER);
        frame.extend([198, 51, 100, 77, 0, 0, 0, 0, 0, 0]);
        frame.extend(SERVICE.octets());
        Some((0, frame))
    }
    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.next)
    }
}

/// One start, as `seed` says.
pub fn boot(kept: &Kept, seed: u64) -> Boot {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let late = if dice.below(2) == 0 { 0 } else { u32::try_from(dice.below(5000)).unwrap_or(0) };
    let order = match dice.below(10) {
        0 => PortOrder::FirstTwoSwapped,
        1 => PortOrder::LastTwoSwapped,
        _ => PortOrder::Right,
    };
    let mut spec = Spec::pair_b().version(kept.version).quirk(|quirks| {
        quirks.late_ports_ms = Some(late);
        quirks.port_order = Some(order);
    });
    spec.boot.services = spec.boot.services.mul_f64(0.5 + dice.below(400) as f64 / 100.0);
    spec.boot.startup += Duration::from_millis(dice.below(3000));

    let world = World::new(seed);
    let make = |spec: Spec, storage: &Storage| {
        let router = Router::new(spec, seed).expect("a known board");
        *router.storage().borrow_mut() = storage.clone();
        router
    };
    let a = world.add("A", make(Spec::pair_a().version(kept.version), &kept.a));
    let b = world.add("B", make(spec, &kept.b));
    let _ha = world.connect(a.port(7), b.port(7), CABLE);
    let switch = world.switch(2 * DATA_PORTS + 1, Duration::ZERO);
    for port in 0..DATA_PORTS {
        world.connect(a.port(port), End::Switch(switch, port), CABLE);
        world.connect(b.port(port), End::Switch(switch, DATA_PORTS + port), CABLE);
    }
    let mut result = Boot { healthy: order == PortOrder::Right, ..Boot::default() };
    let wait = |seconds: u64| world.run_until(world.now() + Duration::from_secs(seconds));
    a.with(Router::power_on);
    wait(75);
    if !master(&a) {
        result.wrong = Some("A did not become active alone".into());
        return result;
    }
    let answers = Rc::new(RefCell::new(Vec::new()));
    let every = Duration::from_millis(200);
    let asker = Asker { next: world.now(), every, out: false, answers: Rc::clone(&answers) };
    let asker = world.add("host", asker);
    world.connect(asker.port(0), End::Switch(switch, 2 * DATA_PORTS), CABLE);
    b.with(Router::power_on);
    let until = world.now() + START;
    let mut left = false;
    while world.now() < until {
        wait(1);
        left |= !master(&a);
    }
    if left {
        result.wrong = Some("A lost the role while B started".into());
    }
    let cloned: BTreeSet<MacAddr> =
        a.look(|router| router.spec().port_macs().into_iter().map(|(_, mac)| mac).collect());
    let own: BTreeSet<MacAddr> = b.look(|router| router.spec().port_macs().into_iter().map(|(_, mac)| mac).collect());
    for speaker in world.speakers(switch) {
        let Some(port) = speaker.port.checked_sub(DATA_PORTS).filter(|port| *port < DATA_PORTS) else { continue };
        let ip = speaker.ip.is_some_and(|ip| ip == SERVICE || ip == Ipv4Addr::new(169, 254, 23, 1));
        if cloned.contains(&speaker.mac) || ip {
            result.foreign += speaker.frames;
            let window = speaker.last.saturating_since(speaker.first);
            let known = result.windows.entry(port).or_default();
            *known = (*known).max(window);
        } else if own.contains(&speaker.mac) {
            result.own += speaker.frames;
        }
    }
    if result.healthy && result.wrong.is_none() {
        let died = world.now();
        a.with(Router::power_cut);
        asker.with(|asker, now| {
            asker.every = Duration::from_millis(20);
            asker.next = now;
        });
        answers.borrow_mut().clear();
        wait(12);
        let service = a.look(|router| router.spec().port_macs()[0].1);
        result.outage =
            answers.borrow().first().filter(|(_, mac)| *mac == service).map(|(at, _)| at.saturating_since(died));
        if result.outage.is_none() {
            result.wrong = Some(format!("nobody answered for A's MAC after it died: {:?}", answers.borrow().first()));
        }
    }
    result
}

fn master(router: &NodeHandle<Router>) -> bool {
    router.look(|router| {
        let state = router.system().and_then(|system| system.vrrp_state("HA_VRRP"));
        state == Some(routersim::net::VrrpState::Master)
    })
}

/// Many starts of one way.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// Starts.
    pub boots: u64,
    /// Those in which a data port of B spoke for A.
    pub leaking: u64,
    /// The longest window of each port.
    pub windows: BTreeMap<usize, Duration>,
    /// Frames for A, and with B's own MACs.
    pub frames: (u64, u64),
    /// Measured outages: count, sum, longest.
    pub outages: (u32, Duration, Duration),
    /// Seed and what was wrong.
    pub wrong: Vec<(u64, String)>,
}

impl Sum {
    /// Takes one more in.
    pub fn add(&mut self, seed: u64, boot: &Boot) {
        self.boots += 1;
        self.leaking += u64::from(boot.foreign > 0);
        self.frames.0 += boot.foreign;
        self.frames.1 += boot.own;
        for (port, window) in &boot.windows {
            let known = self.windows.entry(*port).or_default();
            *known = (*known).max(*window);
        }
        if let Some(outage) = boot.outage {
            self.outages.0 += 1;
            self.outages.1 += outage;
            self.outages.2 = self.outages.2.max(outage);
        }
        if let Some(wrong) = &boot.wrong {
            self.wrong.push((seed, wrong.clone()));
        }
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "  {} starts, {} in which B spoke for A ({} frames); {} frames with B's own MACs",
            self.boots, self.leaking, self.frames.0, self.frames.1
        )?;
        for (port, window) in &self.windows {
            writeln!(f, "  longest window of ether{}: {:.2} s", port + 1, window.as_secs_f64())?;
        }
        let (count, sum, longest) = self.outages;
        if count > 0 {
            writeln!(
                f,
                "  A died {count} times: outage {:.2} s on average, {:.2} s at most",
                sum.as_secs_f64() / f64::from(count),
                longest.as_secs_f64()
            )?;
        }
        for (seed, wrong) in self.wrong.iter().take(10) {
            writeln!(f, "  WRONG, seed {seed}: {wrong}")?;
        }
        Ok(())
    }
}
