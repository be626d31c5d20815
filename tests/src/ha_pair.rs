//! Two simulated routers with one cable between their HA ports and our own scripts on A's storage, driven without a host: a
//! person's or a test's hand runs scripts in them, and tests look at state and events.

use std::cell::RefCell;
use std::time::Duration;

use bootstrap::ha;
use bootstrap::path::{BOOTSTRAP_FILE, bootstrap_file};
use bootstrap::site::Site;
use bootstrap::target::Member;
use lab::{NodeHandle, WireHandle, World};
use routeros::Secret;
use routersim::record::{Event, EventKind, Phase};
use routersim::router::{Router, Running};
use routersim::spec::{Spec, Version};

/// `orig-mac-address` of A's HA port.
pub const MAC_A: &str = "74:4D:28:00:00:0A";
/// The same of B.
pub const MAC_B: &str = "74:4D:28:00:00:0B";
/// Four categories of characters, none of which needs quoting.
pub const PASSWORD: &str = "Simulated-Pair-1";

/// How many of a router's ports are on.
pub const OPEN: &str = "[:len [/interface ethernet find disabled=no]]";

/// The versions that most tests run on.
pub const VERSIONS: [Version; 2] = [Version::new(6, 44, 6), Version::new(7, 22, 1)];

/// The pair.
pub struct Pair {
    pub world: World,
    pub a: NodeHandle<Router>,
    pub b: NodeHandle<Router>,
    pub cable: WireHandle,
    pub events: RefCell<[Vec<Event>; 2]>,
}

impl Pair {
    /// Two erased routers, switched on; `HA_init.rsc` lies on both.
    pub fn new(version: Version, seed: u64) -> Self {
        Self::of(Spec::pair_a().version(version), Spec::pair_b().version(version), seed)
    }

    /// Two routers of these specifications.
    pub fn of(a: Spec, b: Spec, seed: u64) -> Self {
        let world = World::new(seed);
        let a = a.file("HA_init.rsc", &ha::render_init());
        let b = b.file("HA_init.rsc", &ha::render_init());
        let a = world.add("A", Router::new(a, seed).unwrap());
        let b = world.add("B", Router::new(b, seed + 1).unwrap());
        let cable = world.connect(a.port(7), b.port(7), Duration::from_micros(5));
        a.with(Router::power_on);
        b.with(Router::power_on);
        let pair = Self { world, a, b, cable, events: RefCell::default() };
        pair.until("both are up", 120, |pair| pair.phase(&pair.a) == Phase::Up && pair.phase(&pair.b) == Phase::Up);
        pair
    }

    pub fn phase(&self, router: &NodeHandle<Router>) -> Phase {
        router.look(Router::phase)
    }

    pub fn take_events(&self) {
        for (node, list) in [&self.a, &self.b].into_iter().zip(self.events.borrow_mut().iter_mut()) {
            node.with(|router, _| {
                while let Some(event) = router.poll_event() {
                    list.push(event);
                }
            });
        }
    }

    pub fn wait(&self, seconds: u64) {
        self.world.run_until(self.world.now() + Duration::from_secs(seconds));
    }

    pub fn until(&self, what: &str, seconds: u64, done: impl Fn(&Self) -> bool) {
        let end = self.world.now() + Duration::from_secs(seconds);
        assert!(self.world.run_until_done(end, || done(self)), "not within {seconds} s: {what}\n{}", self.tail());
    }

    /// What the routers' logs said last, for a test that fails.
    pub fn tail(&self) -> String {
        self.take_events();
        let mut text = String::new();
        for (name, list) in ["A", "B"].iter().zip(self.events.borrow().iter()) {
            for event in list.iter().rev().take(25).rev() {
                text.push_str(&format!("{name} {} {:?}\n", event.at, event.kind));
            }
        }
        text
    }

    pub fn start(&self, router: &NodeHandle<Router>, text: &str) -> Running {
        router.with(|router, now| router.start_script(now, "admin", text)).expect("the router runs")
    }

    /// Runs a script to its end. What it printed.
    pub fn run(&self, router: &NodeHandle<Router>, text: &str) -> String {
        let running = self.start(router, text);
        self.until(text, 600, |_| running.result().is_some());
        match running.result() {
            Some(Ok(_)) => running.output(),
            other => panic!("{text}: {other:?}\n{}\n{}", running.output(), self.tail()),
        }
    }

    /// Calls one of the operators' functions, as `HASyncStandby`.
    pub fn call(&self, router: &NodeHandle<Router>, function: &str) -> String {
        self.run(router, &format!(":global {function}; ${function}"))
    }

    /// Runs a script that must fail: its error.
    pub fn fails(&self, router: &NodeHandle<Router>, text: &str) -> String {
        let running = self.start(router, text);
        self.until(text, 600, |_| running.result().is_some());
        match running.result() {
            Some(Err(error)) => error.to_string(),
            other => panic!("{text}: {other:?}"),
        }
    }

    pub fn get(&self, router: &NodeHandle<Router>, expression: &str) -> String {
        self.run(router, &format!(":put {expression}")).trim_end().to_owned()
    }

    /// Names of a router's files.
    pub fn files(&self, router: &NodeHandle<Router>) -> Vec<String> {
        router.look(|router| router.storage().borrow().files.list().map(|(name, _)| name.to_owned()).collect())
    }

    pub fn master(&self, router: &NodeHandle<Router>) -> bool {
        router.look(|router| {
            let Some(system) = router.system() else { return false };
            system.vrrp_state("HA_VRRP") == Some(routersim::net::VrrpState::Master)
        })
    }

    pub fn seen(&self, which: usize, test: impl Fn(&EventKind) -> bool) -> usize {
        self.take_events();
        self.events.borrow()[which].iter().filter(|event| test(&event.kind)).count()
    }

    pub fn install(&self) {
        self.run(&self.a, "/import HA_init.rsc");
        let call = format!("$HAInstall interface=\"ether8\" macA=\"{MAC_A}\" macB=\"{MAC_B}\" password=\"{PASSWORD}\"");
        self.run(&self.a, &format!(":global HAInstall; {call}"));
        self.until("A is master", 60, |pair| pair.master(&pair.a));
        self.wait(5);
    }

    /// Puts the product's own bootstrap file on B, as it is put there through a console.
    pub fn put_bootstrap(&self) {
        let site = Site::parse(&crate::site::edge_1("mac://%eth1")).unwrap();
        let text = bootstrap_file(&site, Member::B, &Secret::new(PASSWORD));
        let put = |router: &mut Router, _| {
            router.system().unwrap().write_file(BOOTSTRAP_FILE, text.into_bytes()).unwrap();
        };
        self.b.with(put);
    }

    /// What the bootstrap makes of an erased B.
    pub fn basic_networking(&self) {
        self.put_bootstrap();
        self.run(&self.b, &format!("/import {BOOTSTRAP_FILE}"));
        self.answers();
    }

    /// Sets the way of sync, by `$HAInstall`, which keeps all the rest.
    pub fn choose(&self, way: &str) -> String {
        let call = format!("$HAInstall interface=\"ether8\" macA=\"{MAC_A}\" macB=\"{MAC_B}\" sync={way} accept=yes");
        self.run(&self.a, &format!(":global HAInstall; {call}"))
    }

    pub fn answers(&self) {
        let replies = self.get(&self.a, "[/ping 169.254.23.2 count=2 as-value]");
        assert_eq!(replies.matches("time=").count(), 2, "{replies}");
    }

    pub fn sync(&self) -> String {
        self.run(&self.a, "/system script run ha_checkchanges")
    }

    /// From two erased routers to the pair in sync.
    pub fn ready(version: Version) -> Self {
        let pair = Self::new(version, 11);
        pair.install();
        pair.basic_networking();
        pair.first_push();
        pair
    }

    pub fn first_push(&self) {
        let pair = self;
        assert!(pair.sync().contains("NEED TO PUSH"));
        pair.until("B goes down to restore", 60, |pair| pair.phase(&pair.b) == Phase::RouterBoot);
        pair.until("B is back", 120, |pair| pair.phase(&pair.b) == Phase::Up);
        pair.wait(30);
    }
}
