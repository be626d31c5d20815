//! Whole networks on wires of virtual time.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use mactelnet::{Instant, MacAddr};

use super::*;
use crate::kernel::Kernel;

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
        Port { index, name: name.clone(), default_name: name, orig_mac: own, mac: own, disabled: false }
    };
    NetConfig {
        ports: vec![port(0), port(1)],
        bridges: vec![Bridge {
            name: "bridge-ha".to_owned(),
            mac: mac(node, 1),
            disabled: false,
            ports: vec![BridgePort { interface: "ether2".to_owned(), disabled: false }],
        }],
        vrrps: vec![Vrrp {
            name: "HA_VRRP".to_owned(),
            parent: "bridge-ha".to_owned(),
            vrid: 1,
            priority,
            interval: Duration::from_secs(1),
            preemption: true,
            disabled: true,
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

#[test]
fn pings_are_answered_by_address_only() {
    let mut pair = Pair::new();
    let replies = ping(&mut pair, 0, B, PingOptions { count: 3, ..PingOptions::default() });
    let times: Vec<_> = replies.iter().map(|reply| reply.outcome.clone()).collect();
    // The first one waits for ARP.
    let reply = |millis| PingOutcome::Reply { size: 56, ttl: 64, time: Duration::from_millis(millis) };
    assert_eq!(times, [reply(2), reply(1), reply(1)]);

    let gone = ping(&mut pair, 0, Ipv4Addr::new(169, 254, 23, 77), PingOptions::default());
    assert_eq!(gone[0].outcome, PingOutcome::Timeout);
    let nowhere = ping(&mut pair, 0, Ipv4Addr::new(8, 8, 8, 8), PingOptions::default());
    assert_eq!(nowhere[0].outcome, PingOutcome::Failed(NetError::NoRoute));
    assert!(matches!(ping(&mut pair, 0, A, PingOptions::default())[0].outcome, PingOutcome::Reply { .. }));

    // A default route through B leads off the network; B forwards nothing and stays silent.
    pair.change(0, |config| {
        config.routes.push(Route { destination: Prefix::ALL, gateway: B, distance: 250, disabled: false });
    });
    let routed = ping(&mut pair, 0, Ipv4Addr::new(8, 8, 8, 8), PingOptions::default());
    assert_eq!(routed[0].outcome, PingOutcome::Timeout);
}

#[test]
fn a_disabled_port_is_silent() {
    let mut pair = Pair::new();
    pair.change(1, |config| config.ports[1].disabled = true);
    assert_eq!(ping(&mut pair, 0, B, PingOptions::default())[0].outcome, PingOutcome::Timeout);
    let sent = pair.sent;
    let net = pair.nodes[1].net.clone();
    let reply = pair.job(1, async move { net.ping_once(A, 0, &PingOptions::default()).await });
    assert_eq!(reply.outcome, PingOutcome::Timeout);
    let from_b = pair.flight.values().filter(|(to, _)| *to == 0).count();
    assert_eq!(from_b, 0, "{} frames before", sent);
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
fn a_megabyte_goes_up_and_down_exactly_with_loss() {
    for loss in [0, 20, 100] {
        let mut pair = Pair::new();
        pair.loss = loss;
        let (net, bytes) = (pair.nodes[0].net.clone(), contents(1_000_000));
        let upload = bytes.clone();
        let put = pair.job(0, async move { net.ftp_put(B, 21, "ha", "secret", "/flash/big.bin", &upload).await });
        assert_eq!(put, Ok(()), "loss {loss}");
        assert_eq!(pair.nodes[1].disk.files.borrow().get("flash/big.bin"), Some(&bytes), "loss {loss}");
        let stored = NetEvent::FtpUploaded { user: "ha".to_owned(), path: "flash/big.bin".to_owned() };
        assert!(pair.nodes[1].events.iter().any(|(_, event)| *event == stored));
        let net = pair.nodes[0].net.clone();
        let got = pair.job(0, async move { net.ftp_get(B, 21, "ha", "secret", "flash/big.bin").await });
        assert!(got.as_ref() == Ok(&bytes), "loss {loss}: {:?}", got.map(|bytes| bytes.len()));
    }
}

fn fetch(pair: &mut Pair, user: &'static str, password: &'static str, path: &'static str) -> Result<Vec<u8>, NetError> {
    let net = pair.nodes[0].net.clone();
    pair.job(0, async move { net.ftp_get(B, 21, user, password, path).await })
}

#[test]
fn ftp_refuses_in_words() {
    let mut pair = Pair::new();
    assert_eq!(fetch(&mut pair, "ha", "wrong", "x"), Err(NetError::Login));
    assert_eq!(*pair.nodes[1].disk.log.borrow(), ["failure ha 169.254.23.1 ftp"]);
    assert!(matches!(fetch(&mut pair, "ha", "secret", "x"), Err(NetError::Ftp { code: 550, .. })));
    pair.change(1, |config| {
        config.services.ftp.addresses = vec![Prefix { address: SHARED, length: 32 }];
    });
    assert!(matches!(fetch(&mut pair, "ha", "secret", "x"), Err(NetError::Closed | NetError::Reset)));
    pair.change(1, |config| config.services.ftp.enabled = false);
    assert_eq!(fetch(&mut pair, "ha", "secret", "x"), Err(NetError::Refused));
    pair.plug(false);
    assert_eq!(fetch(&mut pair, "ha", "secret", "x"), Err(NetError::Timeout));
    let net = pair.nodes[0].net.clone();
    let put = pair.job(0, async move { net.ftp_put(B, 21, "ha", "secret\r\nDELE x", "x", b"").await });
    assert_eq!(put, Err(NetError::Timeout));
}

#[test]
fn a_transfer_cut_in_the_middle_fails_and_leaves_nothing() {
    let mut pair = Pair::new();
    let net = pair.nodes[0].net.clone();
    let bytes = contents(1_000_000);
    let result = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&result);
    pair.nodes[0].kernel.spawn("put", async move {
        *slot.borrow_mut() = Some(net.ftp_put(B, 21, "ha", "secret", "big", &bytes).await);
    });
    pair.run_for(Duration::from_millis(15));
    assert!(result.borrow().is_none());
    pair.cut = true;
    pair.run_for(Duration::from_secs(120));
    assert!(matches!(*result.borrow(), Some(Err(_))), "{:?}", result.borrow());
    assert!(pair.nodes[1].disk.files.borrow().is_empty());
}

#[test]
fn vrrp_takes_over_and_gives_back() {
    let mut pair = Pair::new();
    for node in [0, 1] {
        pair.change(node, |config| config.vrrps[0].disabled = false);
    }
    pair.run_for(Duration::from_secs(5));
    // Both start at once with equal priority: the higher address wins.
    assert_eq!(pair.roles(), [VrrpState::Backup, VrrpState::Master]);
    assert!(matches!(ping(&mut pair, 0, SHARED, PingOptions::default())[0].outcome, PingOutcome::Reply { .. }));

    // The master's power goes: 3.61 s after its last advertisement at the latest.
    let cut = pair.now;
    pair.nodes[1].net.apply(NetConfig::default());
    pair.cut = true;
    pair.run_for(Duration::from_secs(5));
    pair.cut = false;
    let at = pair.nodes[0]
        .events
        .iter()
        .rev()
        .find(|(_, event)| matches!(event, NetEvent::Vrrp { state: VrrpState::Master, .. }))
        .map(|(at, _)| *at - cut)
        .unwrap();
    assert!(at > Duration::from_millis(2_600) && at <= Duration::from_millis(3_611), "{at:?}");

    // It comes back and waits as backup: equal priority doesn't preempt a master who speaks.
    let back = pair.nodes[1].config.clone();
    pair.nodes[1].net.apply(back);
    pair.run_for(Duration::from_secs(10));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Backup]);

    // An orderly end: the other takes over after its skew time alone.
    let resigned = pair.now;
    pair.nodes[0].net.shutdown();
    pair.run_until(resigned + Duration::from_secs(2), |pair| pair.roles()[1] == VrrpState::Master);
    let took = pair.now - resigned;
    assert!(took < Duration::from_millis(620), "{took:?}");
    assert!(pair.nodes[1].net.is_running("HA_VRRP"));
}

#[test]
fn a_higher_priority_takes_the_role() {
    let mut pair = Pair::new();
    for node in [0, 1] {
        pair.change(node, |config| config.vrrps[0].disabled = false);
    }
    pair.run_for(Duration::from_secs(5));
    pair.change(0, |config| config.vrrps[0].priority = 150);
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Backup]);
}

#[test]
fn a_bridge_lets_a_lone_router_become_master() {
    let mut pair = Pair::new();
    pair.plug(false);
    pair.change(0, |config| config.vrrps[0].disabled = false);
    pair.change(1, |config| {
        config.bridges.clear();
        config.vrrps[0].parent = "ether2".to_owned();
        config.vrrps[0].disabled = false;
    });
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Initialize]);
    pair.change(1, |config| config.vrrps[0].runs_without_link = true);
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Master]);
}

#[test]
fn neighbours_hear_of_each_other() {
    let mut pair = Pair::new();
    pair.run_for(Duration::from_secs(2));
    let seen = pair.nodes[0].net.neighbours();
    assert_eq!(seen.len(), 1);
    let neighbour = &seen[0];
    assert_eq!((neighbour.identity.as_str(), neighbour.board.as_str()), ("router2", "CCR1009-7G-1C"));
    assert_eq!(
        (neighbour.interface.as_str(), neighbour.interface_name.as_str()),
        ("bridge-ha/ether2", "bridge-ha/ether2")
    );
    assert_eq!((neighbour.mac, neighbour.address), (mac(2, 1), Some(B)));

    pair.change(1, |config| config.services.discovery = Allowed::None);
    pair.run_for(Duration::from_secs(150));
    let again = pair.nodes[0].net.neighbours();
    assert_eq!(again[0].heard, neighbour.heard);
    pair.run_for(Duration::from_secs(60));
    assert!(pair.nodes[0].net.neighbours().is_empty());
}

fn mac_ping(pair: &mut Pair, to: MacAddr, interface: &str) -> PingOutcome {
    let net = pair.nodes[0].net.clone();
    let options = PingOptions { interface: Some(interface.to_owned()), ..PingOptions::default() };
    pair.job(0, async move { net.mac_ping_once(to, 0, &options).await.outcome })
}

#[test]
fn mac_pings_need_the_right_mac_and_leave() {
    let mut pair = Pair::new();
    let reply = PingOutcome::Reply { size: 56, ttl: 0, time: Duration::from_millis(1) };
    assert_eq!(mac_ping(&mut pair, mac(2, 1), "bridge-ha"), reply);
    assert_eq!(mac_ping(&mut pair, mac(2, 1), "ether2"), reply);
    assert_eq!(mac_ping(&mut pair, mac(2, 0), "ether2"), PingOutcome::Timeout);
    let none = NetError::NoInterface("ether1".to_owned());
    assert_eq!(mac_ping(&mut pair, mac(2, 1), "ether1"), PingOutcome::Failed(none));
    pair.change(1, |config| config.services.mac_ping = Allowed::None);
    assert_eq!(mac_ping(&mut pair, mac(2, 1), "ether2"), PingOutcome::Timeout);
}

fn call(interface: Option<&str>, user: &str, password: &str) -> MacTelnetCall {
    MacTelnetCall {
        mac: mac(2, 1),
        interface: interface.map(str::to_owned),
        user: user.to_owned(),
        password: password.to_owned(),
        terminal: "vt102".to_owned(),
        size: (132, 43),
    }
}

/// Runs an echoing console on the second router for the next session; gives back what was logged in.
fn echo_console(pair: &Pair) {
    let disk = Rc::clone(&pair.nodes[1].disk);
    let kernel = pair.nodes[1].kernel.clone();
    pair.nodes[1].kernel.spawn("consoles", async move {
        loop {
            let session = disk.sessions.borrow_mut().pop();
            let Some(mut session) = session else {
                kernel.sleep(Duration::from_millis(1)).await;
                continue;
            };
            let (columns, rows) = session.size.get();
            let line = format!("{} {} {} {columns}x{rows}\n", session.login, session.mac, session.interface);
            session.output.push(line.as_bytes());
            loop {
                let bytes = session.input.read(4096).await;
                if bytes.is_empty() || bytes == b"quit\r" {
                    break;
                }
                if bytes == b"size\r" {
                    session.output.push(format!("{:?}", session.size.get()).as_bytes());
                    continue;
                }
                session.output.write_all(&bytes).await;
            }
        }
    });
}

async fn read_until(reader: &mut crate::kernel::PipeReader, end: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while !all.ends_with(end) {
        let bytes = reader.read(4096).await;
        if bytes.is_empty() {
            break;
        }
        all.extend(bytes);
    }
    all
}

#[test]
fn mac_telnet_carries_a_console_both_ways_exactly() {
    for (login, loss) in [(LoginKind::EcSrp5, 0), (LoginKind::EcSrp5, 100), (LoginKind::Md5, 20)] {
        let mut pair = Pair::new();
        pair.loss = loss;
        pair.change(1, |config| config.services.mac_telnet_login = login);
        echo_console(&pair);
        let net = pair.nodes[0].net.clone();
        let text = contents(50_000);
        let typed = text.clone();
        let (hello, echoed, size, rest, failure) = pair.job(0, async move {
            let mut session = net.mac_telnet_connect(call(None, "ha+ct", "secret")).await.unwrap();
            let hello = read_until(&mut session.reader, b"\n").await;
            let (mut echoed, mut at) = (Vec::new(), 0);
            while echoed.len() < typed.len() {
                if at < typed.len() {
                    let end = (at + 1000).min(typed.len());
                    assert!(session.writer.write_all(&typed[at..end]).await);
                    at = end;
                }
                let bytes = session.reader.read(4096).await;
                assert!(!bytes.is_empty());
                echoed.extend(bytes);
            }
            session.control.resize(100, 30);
            net.kernel.timeout(Duration::from_secs(5), std::future::pending::<()>()).await;
            session.writer.push(b"size\r");
            let size = read_until(&mut session.reader, b")").await;
            session.writer.push(b"quit\r");
            let rest = read_until(&mut session.reader, b"never").await;
            (hello, echoed, size, rest, session.control.failure())
        });
        assert_eq!(String::from_utf8_lossy(&hello), format!("ha+ct {} bridge-ha 132x43\n", mac(1, 1)));
        assert!(echoed == text, "loss {loss}");
        assert_eq!(size, b"(100, 30)");
        assert_eq!((rest, failure), (Vec::new(), None));
    }
}

#[test]
fn mac_telnet_refuses_and_misses() {
    let mut pair = Pair::new();
    echo_console(&pair);
    let net = pair.nodes[0].net.clone();
    let (shown, failure) = pair.job(0, async move {
        match net.mac_telnet_connect(call(Some("bridge-ha"), "ha", "wrong")).await {
            Ok(mut session) => (read_until(&mut session.reader, b"never").await, session.control.failure()),
            Err(error) => (Vec::new(), Some(error)),
        }
    });
    assert_eq!(failure, Some(NetError::Login));
    assert_eq!(String::from_utf8_lossy(&shown).trim(), "Login failed, incorrect username or password");
    assert_eq!(*pair.nodes[1].disk.log.borrow(), [format!("failure ha {} mac-telnet", mac(1, 1))]);

    let try_call = |pair: &mut Pair, call: MacTelnetCall| {
        let net = pair.nodes[0].net.clone();
        pair.job(0, async move { net.mac_telnet_connect(call).await.map(drop) })
    };
    let down = try_call(&mut pair, call(Some("ether1"), "ha", "secret"));
    assert_eq!(down, Err(NetError::NoInterface("ether1".to_owned())));
    pair.change(1, |config| {
        config.services.mac_telnet = Allowed::Only(["ether1".to_owned()].into());
    });
    assert_eq!(try_call(&mut pair, call(Some("bridge-ha"), "ha", "secret")), Err(NetError::Timeout));
    pair.change(1, |config| {
        config.services.mac_telnet = Allowed::Only(["bridge-ha".to_owned()].into());
    });
    assert_eq!(try_call(&mut pair, call(Some("bridge-ha"), "ha", "secret")), Ok(()));
}

#[test]
fn a_call_without_interface_tries_all_and_keeps_the_one_that_answers() {
    let mut pair = Pair::new();
    pair.nodes[0].net.set_link(0, true);
    let net = pair.nodes[0].net.clone();
    let made = pair.job(0, async move { net.mac_telnet_connect(call(None, "ha", "secret")).await });
    assert!(made.is_ok(), "{made:?}");
    pair.run_for(Duration::from_secs(30));
    assert!(!pair.nodes[1].disk.sessions.borrow()[0].input.is_finished());
    let net = pair.nodes[0].net.clone();
    let nobody = MacTelnetCall { mac: mac(9, 9), ..call(None, "ha", "secret") };
    let missed = pair.job(0, async move { net.mac_telnet_connect(nobody).await.map(drop) });
    assert_eq!(missed, Err(NetError::Timeout));
}

#[test]
fn a_caller_who_leaves_ends_the_far_session() {
    let mut pair = Pair::new();
    let net = pair.nodes[0].net.clone();
    let session = pair.job(0, async move { net.mac_telnet_connect(call(None, "ha", "secret")).await.unwrap() });
    pair.run_for(Duration::from_secs(1));
    let mut far = pair.nodes[1].disk.sessions.borrow_mut().pop().unwrap();
    assert!(!far.input.is_finished());
    drop(session);
    pair.run_for(Duration::from_secs(1));
    assert!(far.input.is_finished() && far.input.take(10).is_empty());
    // Silence instead of END: after 90 s.
    let net = pair.nodes[0].net.clone();
    let _session = pair.job(0, async move { net.mac_telnet_connect(call(None, "ha", "secret")).await.unwrap() });
    pair.run_for(Duration::from_secs(60));
    let far = pair.nodes[1].disk.sessions.borrow_mut().pop().unwrap();
    assert!(!far.input.is_finished(), "keepalives keep it");
    pair.cut = true;
    pair.run_for(Duration::from_secs(80));
    assert!(!far.input.is_finished());
    pair.run_for(Duration::from_secs(20));
    assert!(far.input.is_finished());
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
