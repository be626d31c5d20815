//! The startup race: what a standby's data ports say while it starts and the other router is the active.
//!
//! A boot is made from kept storages of a pair in sync, with ports that come late or under each other's names and services that
//! are slow, as the seed says. All data ports of both routers are in one switch, which remembers who ever spoke where; a host
//! there asks for the active's addresses all the time, one of a port and one of a bond, and so measures the outage when the
//! active dies.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use lab::{CABLE, End, Node, NodeHandle, World};
use mactelnet::{Instant, MacAddr};
use routersim::quirks::PortOrder;
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::spec::{Spec, Version};
use routersim::system::Storage;

use crate::ha_pair::{PASSWORD, Pair};

/// The addresses of A's `ether1` and of its bond of `ether3` and `ether4`, which the network's hosts ask for.
const SERVICES: [Ipv4Addr; 2] = [Ipv4Addr::new(198, 51, 100, 1), Ipv4Addr::new(203, 0, 113, 1)];
/// The ports whose MACs those are, counted from 0.
const SERVED_BY: [usize; 2] = [0, 2];
/// Data ports of one router.
const DATA_PORTS: usize = 7;
/// How long a standby has to start; ports come up to 5 s late.
const START: Duration = Duration::from_secs(110);

/// How a standby is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// By a reset and the quiet sync's script.
    Quiet,
    /// By a backup of the active.
    Backup,
}

/// How the standby came to what it starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The start after a reset that the quiet sync made: its script applies the active's configuration.
    QuietSync,
    /// Any later start of a standby that was made so.
    Restart(Made),
    /// The start after the standby's own backup was loaded.
    OwnBackup(Made),
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
    pair.run(&pair.a, "/interface bonding add name=bond1 slaves=ether3,ether4 mode=802.3ad");
    for (address, interface) in SERVICES.iter().zip(["ether1", "bond1"]) {
        pair.run(&pair.a, &format!("/ip address add address={address}/24 interface={interface} comment=service"));
    }
    pair.install();
    pair.basic_networking();
    if matches!(way, Way::QuietSync | Way::Restart(Made::Quiet) | Way::OwnBackup(Made::Quiet)) {
        pair.choose("quiet");
    }
    pair.call(&pair.a, "HAPushStandby");
    pair.until("B goes down", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
    if !matches!(way, Way::QuietSync | Way::BackupSync) {
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(60);
        assert!(pair.sync().contains("GOOD"), "{}", pair.tail());
        pair.wait(30);
        if matches!(way, Way::OwnBackup(_)) {
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
    /// First to last of them, for each port of B.
    pub windows: BTreeMap<usize, Duration>,
    /// How long each data port of B was up in this start, by its name.
    pub up: BTreeMap<String, Duration>,
    /// Frames with B's own MACs from B's data ports.
    pub own: u64,
    /// Names of ports were right, so that B must have become a standby.
    pub healthy: bool,
    /// From A's death until a host heard A's MACs answer again for both addresses; only where `healthy`.
    pub outage: Option<Duration>,
    /// Where it is not `healthy`: why B does not take over, as A or B said it before A died.
    pub refused: Option<String>,
    /// Its names are wrong and it is its first start, so that nothing could tell.
    pub unknowable: bool,
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

/// A host that asks for the service addresses, and when it was answered for which by whom.
struct Asker {
    next: Instant,
    every: Duration,
    out: Vec<Ipv4Addr>,
    answers: Rc<RefCell<Vec<(Instant, Ipv4Addr, MacAddr)>>>,
}

const ASKER: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

impl Node for Asker {
    fn handle_frame(&mut self, now: Instant, _: usize, frame: &[u8]) {
        // an ARP reply
        if frame.len() >= 42 && frame[12..14] == [8, 6] && frame[20..22] == [0, 2] {
            let mut mac = [0; 6];
            mac.copy_from_slice(&frame[6..12]);
            let address = Ipv4Addr::new(frame[28], frame[29], frame[30], frame[31]);
            self.answers.borrow_mut().push((now, address, MacAddr(mac)));
        }
    }
    fn set_link(&mut self, _: Instant, _: usize, _: bool) {}
    fn handle_timeout(&mut self, now: Instant) {
        if now >= self.next {
            self.out = SERVICES.to_vec();
            self.next = now + self.every;
        }
    }
    fn poll_transmit(&mut self) -> Option<(usize, Vec<u8>)> {
        let address = self.out.pop()?;
        let mut frame = vec![0xff; 6];
        frame.extend(ASKER);
        frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend(ASKER);
        let [a, b, c, _] = address.octets();
        frame.extend([a, b, c, 77, 0, 0, 0, 0, 0, 0]);
        frame.extend(address.octets());
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
    let every = Duration::from_millis(500);
    let asker = Asker { next: world.now(), every, out: Vec::new(), answers: Rc::clone(&answers) };
    let asker = world.add("host", asker);
    world.connect(asker.port(0), End::Switch(switch, 2 * DATA_PORTS), CABLE);
    b.with(Router::power_on);
    let began = world.now();
    let until = began + START;
    let mut left = false;
    while world.now() < until {
        wait(1);
        left |= !master(&a);
    }
    if left {
        result.wrong = Some("A lost the role while B started".into());
    }
    result.up = data_ports_up(&b, began, until);
    let cloned: BTreeSet<MacAddr> =
        a.look(|router| router.spec().port_macs().into_iter().map(|(_, mac)| mac).collect());
    let own: BTreeSet<MacAddr> = b.look(|router| router.spec().port_macs().into_iter().map(|(_, mac)| mac).collect());
    for speaker in world.speakers(switch) {
        let Some(port) = speaker.port.checked_sub(DATA_PORTS).filter(|port| *port < DATA_PORTS) else { continue };
        let ip = speaker.ip.is_some_and(|ip| SERVICES.contains(&ip) || ip == Ipv4Addr::new(169, 254, 23, 1));
        if cloned.contains(&speaker.mac) || ip {
            result.foreign += speaker.frames;
            let window = speaker.last.saturating_since(speaker.first);
            let known = result.windows.entry(port).or_default();
            *known = (*known).max(window);
        } else if own.contains(&speaker.mac) {
            result.own += speaker.frames;
        }
    }
    // A first start has no table to compare with: B takes the names that it finds for the right ones.
    let first = order == PortOrder::FirstTwoSwapped && kept.b.files.get("HA_ports.txt").is_none();
    result.unknowable = first;
    if !result.healthy && !first && result.wrong.is_none() {
        result.refused = why_not(&world, &a, &b, order);
        if result.refused.is_none() {
            result.wrong = Some("nobody said why B does not take over".into());
        }
    }
    if result.wrong.is_none() {
        // anywhere between two of its advertisements
        world.run_until(world.now() + Duration::from_millis(dice.below(1000)));
        let died = world.now();
        a.with(Router::power_cut);
        asker.with(|asker, now| {
            asker.every = Duration::from_millis(20);
            asker.next = now;
        });
        answers.borrow_mut().clear();
        wait(12);
        if first {
            return result;
        }
        if !result.healthy {
            // under other names its configuration is on other cables: nobody may answer
            if let Some(first) = answers.borrow().first() {
                result.wrong = Some(format!("B's ports have other names, and after A died it answered: {first:?}"));
            }
            return result;
        }
        let macs = a.look(|router| router.spec().port_macs());
        let answers = answers.borrow();
        let back = SERVICES.iter().zip(SERVED_BY).map(|(address, port)| {
            let first = answers.iter().find(|(_, asked, _)| asked == address);
            first.filter(|(_, _, mac)| *mac == macs[port].1).map(|(at, ..)| at.saturating_since(died))
        });
        let back: Option<Vec<Duration>> = back.collect();
        result.outage = back.and_then(|back| back.into_iter().max());
        if result.outage.is_none() {
            let first = answers.first();
            result.wrong = Some(format!("not both addresses were answered for with A's MACs after it died: {first:?}"));
        }
    }
    result
}

/// What was said of a start under other names: by A when it is asked, where the HA port is the right one; else by B's log, since
/// B has no cable to A.
fn why_not(world: &World, a: &NodeHandle<Router>, b: &NodeHandle<Router>, order: PortOrder) -> Option<String> {
    let (router, asked, word) = if order == PortOrder::FirstTwoSwapped {
        (a, ":global HAInSync; $HAInSync", "under other names")
    } else {
        let log = ":foreach i in=[/log find message~\"ha_startup\"] do={:put [/log get $i message]}";
        (b, log, "I AM UNKNOWN - WRONG MAC")
    };
    let running = router.with(|router, now| router.start_script(now, "admin", asked))?;
    world.run_until_done(world.now() + Duration::from_secs(60), || running.result().is_some());
    running.output().lines().find(|line| line.contains(word)).map(str::to_owned)
}

/// How long each data port of a router was up between two moments.
fn data_ports_up(router: &NodeHandle<Router>, began: Instant, until: Instant) -> BTreeMap<String, Duration> {
    let mut since: BTreeMap<String, Instant> = BTreeMap::new();
    let mut up: BTreeMap<String, Duration> = BTreeMap::new();
    router.with(|router, _| {
        while let Some(event) = router.poll_event() {
            let EventKind::Port { name, running } = event.kind else { continue };
            if !name.starts_with("ether") || name == "ether8" || event.at < began {
                continue;
            }
            match (running, since.remove(&name)) {
                (true, _) => drop(since.insert(name, event.at)),
                (false, Some(at)) => *up.entry(name).or_default() += event.at.saturating_since(at),
                (false, None) => {}
            }
        }
    });
    for (name, at) in since {
        *up.entry(name).or_default() += until.saturating_since(at);
    }
    up
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
    /// The longest window of each port, from the first frame to the last.
    pub windows: BTreeMap<usize, Duration>,
    /// The longest time that each data port was up.
    pub up: BTreeMap<String, Duration>,
    /// Frames for A, and with B's own MACs.
    pub frames: (u64, u64),
    /// Measured outages: count, sum, longest.
    pub outages: (u32, Duration, Duration),
    /// Starts under other names: those in which it was said why B does not take over, and no host was answered when A died; and
    /// first ones, in which nothing could tell.
    pub other_names: (u64, u64),
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
        self.other_names.0 += u64::from(boot.refused.is_some());
        self.other_names.1 += u64::from(boot.unknowable);
        for (port, window) in &boot.windows {
            let known = self.windows.entry(*port).or_default();
            *known = (*known).max(*window);
        }
        for (port, up) in &boot.up {
            let known = self.up.entry(port.clone()).or_default();
            *known = (*known).max(*up);
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
            writeln!(f, "  ether{}: first to last such frame {:.2} s at most", port + 1, window.as_secs_f64())?;
        }
        for (port, up) in &self.up {
            writeln!(f, "  {port} was up for {:.2} s at most", up.as_secs_f64())?;
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
        let (refused, unknowable) = self.other_names;
        if refused + unknowable > 0 {
            writeln!(
                f,
                "  under other names: {refused} said so and stayed silent when A died; {unknowable} were a first start"
            )?;
        }
        for (seed, wrong) in self.wrong.iter().take(10) {
            writeln!(f, "  WRONG, seed {seed}: {wrong}")?;
        }
        Ok(())
    }
}
