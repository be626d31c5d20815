//! Whole networks on wires of virtual time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use mactelnet::{Instant, MacAddr};

use super::*;
use crate::kernel::Kernel;

mod ip;
mod loops;
mod mac_telnet;
mod vrrp;

const A: Ipv4Addr = Ipv4Addr::new(169, 254, 23, 1);
const B: Ipv4Addr = Ipv4Addr::new(169, 254, 23, 2);
const SHARED: Ipv4Addr = Ipv4Addr::new(169, 254, 23, 10);

/// Files and users in the simplest way.
#[derive(Default)]
struct Disk {
    files: RefCell<BTreeMap<String, Vec<u8>>>,
    log: RefCell<Vec<String>>,
    sessions: RefCell<Vec<MacTelnetSession>>,
}

impl NetHost for Disk {
    fn credential(&self, user: &str) -> Option<Credential> {
        (user == "ha").then(|| Credential { password: "secret".to_owned() })
    }

    fn ftp_login(&self, user: &str, password: &str, _from: Ipv4Addr) -> bool {
        user == "ha" && password == "secret"
    }

    fn read_file(&self, path: &str) -> Option<Vec<u8>> {
        self.files.borrow().get(path).cloned()
    }

    fn write_file(&self, path: &str, contents: Vec<u8>, _user: &str) -> Result<(), FileError> {
        self.files.borrow_mut().insert(path.to_owned(), contents);
        Ok(())
    }

    fn rename_file(&self, _from: &str, _to: &str) -> Result<(), FileError> {
        Err(FileError::Denied)
    }

    fn make_directory(&self, _path: &str) -> Result<(), FileError> {
        Err(FileError::Denied)
    }

    fn remove_file(&self, path: &str) -> Result<(), FileError> {
        self.files.borrow_mut().remove(path).map(drop).ok_or(FileError::NotFound)
    }

    fn is_directory(&self, path: &str) -> bool {
        path.is_empty() || path == "flash"
    }

    fn list_directory(&self, _path: &str) -> Vec<FileEntry> {
        let files = self.files.borrow();
        let entry = |(name, bytes): (&String, &Vec<u8>)| FileEntry {
            name: name.clone(),
            size: bytes.len() as u64,
            directory: false,
        };
        files.iter().map(entry).collect()
    }

    fn mac_telnet_session(&self, session: MacTelnetSession) {
        self.sessions.borrow_mut().push(session);
    }

    fn login_failed(&self, user: &str, from: &str, via: &str) {
        self.log.borrow_mut().push(format!("failure {user} {from} {via}"));
    }
}

struct Node {
    kernel: Kernel,
    net: Net,
    disk: Rc<Disk>,
    config: NetConfig,
    events: Vec<(Instant, NetEvent)>,
}

fn mac(node: u8, port: u8) -> MacAddr {
    MacAddr([0x74, 0x4D, 0x28, node, 0, port])
}

/// A router with two ports, the second of them in a bridge with an address and VRRP.
fn config(node: u8, address: Ipv4Addr, priority: u8) -> NetConfig {
    let port = |index: usize| {
        let name = format!("ether{}", index + 1);
        let own = mac(node, index as u8);
        Port {
            index,
            name: name.clone(),
            default_name: name,
            orig_mac: own,
            mac: own,
            disabled: false,
            loop_protect: None,
        }
    };
    NetConfig {
        ports: vec![port(0), port(1)],
        bridges: vec![Bridge {
            name: "bridge-ha".to_owned(),
            mac: mac(node, 1),
            disabled: false,
            ports: vec![BridgePort { interface: "ether2".to_owned(), disabled: false }],
        }],
        bonds: Vec::new(),
        vrrps: vec![Vrrp {
            name: "HA_VRRP".to_owned(),
            parent: "bridge-ha".to_owned(),
            vrid: 1,
            priority,
            interval: Duration::from_secs(1),
            preemption: true,
            disabled: true,
            writes: 0,
            runs_without_link: false,
        }],
        addresses: vec![
            Address { address, prefix: 24, interface: "bridge-ha".to_owned(), disabled: false },
            Address { address: SHARED, prefix: 32, interface: "HA_VRRP".to_owned(), disabled: false },
        ],
        routes: Vec::new(),
        services: Services::default(),
        identity: Identity {
            identity: format!("router{node}"),
            version: "7.18.2 (stable)".to_owned(),
            platform: "MikroTik".to_owned(),
            board: "CCR1009-7G-1C".to_owned(),
            software_id: "ABCD-1234".to_owned(),
            booted: Instant::ZERO,
        },
    }
}

/// Two routers with a cable between their second ports.
struct Pair {
    now: Instant,
    nodes: [Node; 2],
    flight: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
    latency: Duration,
    /// Frames in 1000 that are lost.
    loss: u64,
    random: u64,
    cut: bool,
}

impl Pair {
    fn new() -> Self {
        let node = |number: u8, address| {
            let kernel = Kernel::new(Instant::ZERO, number.into());
            let disk = Rc::new(Disk::default());
            let host: Rc<dyn NetHost> = disk.clone();
            let net = Net::new(&kernel, Rc::downgrade(&host));
            let config = config(number, address, 100);
            net.apply(config.clone());
            net.set_link(1, true);
            Node { kernel, net, disk, config, events: Vec::new() }
        };
        let nodes = [node(1, A), node(2, B)];
        let latency = Duration::from_micros(500);
        Self { now: Instant::ZERO, nodes, flight: BTreeMap::new(), sent: 0, latency, loss: 0, random: 7, cut: false }
    }

    fn chance(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % 1000
    }

    fn drain(&mut self) {
        for index in 0..2 {
            self.nodes[index].kernel.run(self.now);
            while let Some(event) = self.nodes[index].net.poll_event() {
                self.nodes[index].events.push((self.now, event));
            }
            while let Some((port, frame)) = self.nodes[index].net.poll_transmit() {
                // Nothing is plugged into the first ports.
                if port == 1 && !self.cut && self.chance() >= self.loss {
                    self.sent += 1;
                    self.flight.insert((self.now + self.latency, self.sent), (1 - index, frame));
                }
            }
        }
    }

    /// Runs until `until`, or until `done`.
    fn run_until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) {
        loop {
            self.drain();
            if done(self) {
                return;
            }
            let timer = self.nodes.iter().filter_map(|node| node.kernel.poll_timeout()).min();
            let frame = self.flight.keys().next().map(|key| key.0);
            let Some(next) = timer.into_iter().chain(frame).min().filter(|at| *at <= until) else {
                self.now = self.now.max(until);
                self.drain();
                return;
            };
            self.now = self.now.max(next);
            while let Some(entry) = self.flight.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let (to, frame) = entry.remove();
                self.nodes[to].net.handle_frame(1, &frame);
            }
        }
    }

    fn run_for(&mut self, duration: Duration) {
        self.run_until(self.now + duration, |_| false);
    }

    /// Runs a job on a node to its end.
    fn job<T: 'static>(&mut self, node: usize, job: impl Future<Output = T> + 'static) -> T {
        let slot = Rc::new(RefCell::new(None));
        let (out, done) = (Rc::clone(&slot), Rc::new(Cell::new(false)));
        let set = Rc::clone(&done);
        self.nodes[node].kernel.spawn("test", async move {
            *out.borrow_mut() = Some(job.await);
            set.set(true);
        });
        self.run_until(self.now + Duration::from_secs(3600), |_| done.get());
        slot.take().expect("the job ends within an hour")
    }

    fn change(&mut self, node: usize, change: impl FnOnce(&mut NetConfig)) {
        change(&mut self.nodes[node].config);
        let config = self.nodes[node].config.clone();
        self.nodes[node].net.apply(config);
    }

    fn plug(&mut self, up: bool) {
        self.cut = !up;
        for node in &self.nodes {
            node.net.set_link(1, up);
        }
    }

    fn roles(&self) -> [VrrpState; 2] {
        [0, 1].map(|node| self.nodes[node].net.vrrp_state("HA_VRRP").unwrap())
    }
}

fn ping(pair: &mut Pair, node: usize, to: Ipv4Addr, options: PingOptions) -> Vec<PingReply> {
    let net = pair.nodes[node].net.clone();
    pair.job(node, async move { net.ping(to, &options).await })
}

fn contents(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_frames() {
    let run = || {
        let mut pair = Pair::new();
        pair.loss = 50;
        for node in [0, 1] {
            pair.change(node, |config| config.vrrps[0].disabled = false);
        }
        let net = pair.nodes[0].net.clone();
        let bytes = contents(50_000);
        let put = pair.job(0, async move { net.ftp_put(B, 21, "ha", "secret", "x", &bytes).await });
        assert_eq!(put, Ok(()));
        let events: Vec<_> = pair.nodes.iter().map(|node| node.events.clone()).collect();
        (pair.now, pair.sent, pair.random, events)
    };
    assert_eq!(run(), run());
}

#[test]
fn garbage_does_no_harm() {
    let mut pair = Pair::new();
    pair.change(1, |config| config.vrrps[0].disabled = false);
    pair.run_for(Duration::from_secs(5));
    let mut state = 99_u64;
    let mut byte = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let advert = super::vrrp::Advert { source: A, vrid: 1, priority: 1, centiseconds: 100 }.emit(&[SHARED]);
    for round in 0..20_000 {
        let mut frame = advert.clone();
        for _ in 0..(round % 4) + 1 {
            let at = usize::from(byte()) % frame.len();
            frame[at] = byte();
        }
        if round % 3 == 0 {
            frame = (0..byte()).map(|_| byte()).collect();
            if frame.len() > 14 {
                frame[..6].copy_from_slice(&mac(2, 1).octets());
                frame[6] &= !1;
                frame[12..14].copy_from_slice(&[0x08, 0x00]);
            }
        }
        pair.nodes[1].net.handle_frame(1, &frame);
        let now = pair.now;
        pair.nodes[1].kernel.run(now);
    }
    assert!(matches!(ping(&mut pair, 0, B, PingOptions::default())[0].outcome, PingOutcome::Reply { .. }));
}
