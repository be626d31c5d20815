//! All parts of the network behind the handle, and how a frame passes between them.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::rc::{Rc, Weak};
use std::task::Waker;

use mactelnet::{Instant, MacAddr};
use smoltcp::iface::SocketHandle;

use super::config::{Counters, NetConfig, PortId, Prefix, Vrrp};
use super::frame::{self, Kind};
use super::host::{NetEvent, NetHost, VrrpState};
use super::l3::{L3, Shape};
use super::loop_protect::{self, LoopProtection};
use super::mac_client::{self, MacClients};
use super::mac_layer::{self, MacLayer};
use super::mac_server::{self, MacServer, Notice};
use super::switch::{Local, Switch};
use super::vrrp::{Machine, virtual_mac};
use crate::kernel::WeakKernel;
use crate::ssh::HostKeys;

/// Frames that wait to be looked at or to be taken by the driver; beyond that they are lost, as on a NIC's ring.
const MAX_QUEUE: usize = 4096;
/// Events that nobody takes are dropped, oldest first.
const MAX_EVENTS: usize = 4096;
/// Rounds of frames between our own interfaces at one instant, against a loop of our own making.
const MAX_ROUNDS: usize = 10_000;
/// The interface through which the router speaks to itself.
const LOOPBACK: &str = "lo";
/// The loopback's address on its own Ethernet: any local one.
const LOOPBACK_MAC: MacAddr = MacAddr([0x02, 0, 0, 0, 0, 0x01]);

/// Names one IPv4 interface for its lifetime; never used again.
pub(super) type L3Id = u64;

/// One VRRP machine, and what it was made from.
pub(super) struct Instance {
    pub config: Vrrp,
    pub machine: Machine,
}

/// A connection to a service of this router.
pub(super) struct Accepted {
    pub port: u16,
    pub l3: L3Id,
    pub handle: SocketHandle,
}

/// Where a connection leaves, and with which of our addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path {
    pub l3: L3Id,
    pub source: Ipv4Addr,
}

/// 32 bytes of a kernel's randomness.
fn seed(kernel: &WeakKernel) -> [u8; 32] {
    let mut seed = [0; 32];
    if let Some(kernel) = kernel.upgrade() {
        seed.chunks_mut(8).for_each(|part| part.copy_from_slice(&kernel.random().to_be_bytes()));
    }
    seed
}

/// All parts of the network.
pub(super) struct Inner {
    pub kernel: WeakKernel,
    pub host: Weak<dyn NetHost>,
    pub config: NetConfig,
    pub switch: Switch,
    pub loop_protection: LoopProtection,
    pub mac_layer: MacLayer,
    pub mac_server: MacServer,
    pub mac_clients: MacClients,
    pub vrrps: BTreeMap<String, Instance>,
    pub l3: BTreeMap<L3Id, L3>,
    l3_of: BTreeMap<String, L3Id>,
    next_l3: L3Id,
    received: VecDeque<(PortId, Vec<u8>)>,
    transmit: VecDeque<(PortId, Vec<u8>)>,
    events: VecDeque<NetEvent>,
    running: BTreeMap<String, bool>,
    pub counters: BTreeMap<PortId, Counters>,
    /// Wakes the job that runs all this.
    pub waker: Option<Waker>,
    next_port: u16,
    next_ident: u16,
    /// Time to live of the last echo reply for each identifier that is waited for.
    pub echo_ttls: BTreeMap<u16, u8>,
    /// SSH host keys and what they were made of: text and bits.
    pub ssh_keys: Option<(String, usize, Rc<HostKeys>)>,
}

impl Inner {
    pub(super) fn new(kernel: WeakKernel, host: Weak<dyn NetHost>) -> Self {
        let random = kernel.upgrade().map_or(0, |kernel| kernel.random());
        let mac_server = MacServer::new(Weak::clone(&host), seed(&kernel));
        Self {
            kernel,
            host,
            config: NetConfig::default(),
            switch: Switch::default(),
            loop_protection: LoopProtection::default(),
            mac_layer: MacLayer::default(),
            mac_server,
            mac_clients: MacClients::default(),
            vrrps: BTreeMap::new(),
            l3: BTreeMap::new(),
            l3_of: BTreeMap::new(),
            next_l3: 0,
            received: VecDeque::new(),
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            running: BTreeMap::new(),
            counters: BTreeMap::new(),
            waker: None,
            next_port: 49_152 + (random % 8_192) as u16,
            next_ident: (random >> 32) as u16,
            echo_ttls: BTreeMap::new(),
            ssh_keys: None,
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.kernel.upgrade().map_or(Instant::ZERO, |kernel| kernel.now())
    }

    pub(super) fn random(&self) -> u64 {
        self.kernel.upgrade().map_or(0, |kernel| kernel.random())
    }

    /// A seed for one session's secrets.
    pub(super) fn seed(&self) -> [u8; 32] {
        seed(&self.kernel)
    }

    /// What the rest of the router is to be told, while nothing of this is borrowed.
    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.mac_server.notices)
    }

    /// Has the network's job run.
    pub(super) fn wake(&self) {
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// A local port that no earlier connection used lately.
    pub(super) fn ephemeral_port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = if port >= 65_000 { 49_152 } else { port + 1 };
        port
    }

    /// An identifier for echo requests.
    pub(super) fn echo_ident(&mut self) -> u16 {
        self.next_ident = self.next_ident.wrapping_add(1);
        self.next_ident
    }

    pub(super) fn event(&mut self, event: NetEvent) {
        if self.events.len() >= MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    pub(super) fn poll_event(&mut self) -> Option<NetEvent> {
        self.events.pop_front()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<(PortId, Vec<u8>)> {
        self.transmit.pop_front()
    }

    pub(super) fn receive(&mut self, port: PortId, frame: &[u8]) {
        if self.received.len() < MAX_QUEUE {
            self.received.push_back((port, frame.to_vec()));
        }
    }

    /// Sends a frame by one port.
    pub(super) fn transmit(&mut self, port: PortId, frame: Vec<u8>) {
        if self.switch.port_runs(port) && self.transmit.len() < MAX_QUEUE {
            let counters = self.counters.entry(port).or_default();
            counters.tx_packets += 1;
            counters.tx_bytes += frame.len() as u64;
            self.transmit.push_back((port, frame));
        }
    }

    /// Sends a frame from an Ethernet port, a bond or a bridge.
    pub(super) fn send(&mut self, now: Instant, interface: &str, frame: Vec<u8>) {
        let Some((_, destination)) = frame::addresses(&frame) else {
            return;
        };
        for port in self.switch.towards(now, interface, destination) {
            self.transmit(port, frame.clone());
        }
    }

    // Configuration.

    pub(super) fn apply(&mut self, now: Instant, config: NetConfig) {
        if config == self.config {
            return;
        }
        self.loop_protection.apply(now, config.ports.iter());
        self.switch.apply(&config);
        self.config = config;
        self.ports_shut(now);
    }

    /// Shuts the ports that heard themselves.
    pub(super) fn ports_shut(&mut self, now: Instant) {
        self.switch.set_shut(self.loop_protection.shut().collect());
        self.refresh(now);
    }

    pub(super) fn set_link(&mut self, now: Instant, port: PortId, up: bool) {
        if !self.switch.set_link(port, up) {
            return;
        }
        let owner = self.switch.owner(port).map(str::to_owned);
        if let Some(l3) = owner.and_then(|owner| self.l3_of.get(&owner)).and_then(|id| self.l3.get_mut(id)) {
            l3.forget_neighbours();
        }
        self.refresh(now);
    }

    /// Brings what follows from configuration and links up to date.
    fn refresh(&mut self, now: Instant) {
        self.refresh_vrrps(now);
        self.refresh_l3(now);
        self.count_links(now);
        self.tell_running();
        self.mac_layer.ports_changed(now, &self.switch, &self.config);
        self.mac_server.configure(&self.switch, &self.config);
        self.wake();
    }

    pub(super) fn primary_address(&self, interface: &str) -> Option<Ipv4Addr> {
        let mut own = self.config.addresses.iter().filter(|a| !a.disabled && a.interface == interface);
        own.next().map(|address| address.address)
    }

    /// The address that an announcement on `interface` carries.
    pub(super) fn announced_address(&self, interface: &str) -> Option<Ipv4Addr> {
        self.primary_address(interface)
    }

    pub(super) fn runs(&self, interface: &str) -> bool {
        match self.vrrp_state(interface) {
            Some(state) => state == VrrpState::Master,
            None => self.switch.runs(interface).unwrap_or(false),
        }
    }

    /// Notes which ports came up or went down since last time.
    fn count_links(&mut self, now: Instant) {
        for port in self.switch.ports() {
            let runs = self.switch.port_runs(port.index);
            if self.running.get(&port.name).copied().unwrap_or(false) != runs {
                let counters = self.counters.entry(port.index).or_default();
                if runs { counters.up = Some(now) } else { counters.downs += 1 }
            }
        }
    }

    /// Tells the changes of `running` since last time.
    pub(super) fn tell_running(&mut self) {
        let ports = self.config.ports.iter().map(|port| &port.name);
        let bonds = self.config.bonds.iter().map(|bond| &bond.name);
        let bridges = self.config.bridges.iter().map(|bridge| &bridge.name);
        let vrrps = self.config.vrrps.iter().map(|vrrp| &vrrp.name);
        let running: BTreeMap<String, bool> =
            ports.chain(bonds).chain(bridges).chain(vrrps).map(|name| (name.clone(), self.runs(name))).collect();
        for (interface, now) in &running {
            if self.running.get(interface).copied().unwrap_or(false) != *now {
                self.event(NetEvent::Running { interface: interface.clone(), running: *now });
            }
        }
        self.running = running;
    }

    // IPv4 interfaces.

    fn shapes(&self) -> BTreeMap<String, Shape> {
        let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
        let mut own = vec![Prefix { address: Ipv4Addr::LOCALHOST, length: 8 }];
        for address in self.config.addresses.iter().filter(|address| !address.disabled) {
            let name = &address.interface;
            let vrrp = self.vrrps.get(name).map(|instance| &instance.config);
            // what is a port of a bridge, or a slave of a bond, has no addresses of its own
            let bridged = self.switch.ports().any(|p| {
                let face = self.switch.face(p.index) == Some(name);
                (face && self.switch.bridge_of(p.index).is_some()) || (!face && p.name == *name)
            });
            let (parent, mac) = match vrrp {
                Some(vrrp) if !vrrp.disabled => (vrrp.parent.as_str(), Some(virtual_mac(vrrp.vrid))),
                Some(_) => continue,
                None => (name.as_str(), self.switch.mac(name)),
            };
            let Some(mac) = mac.filter(|_| !bridged && self.switch.enabled(parent)) else {
                continue;
            };
            let mut prefix = Prefix { address: address.address, length: address.prefix };
            if vrrp.is_some() {
                // The virtual address is a /32; its neighbours are those of the parent's network around it.
                let around = self.config.addresses.iter().find(|other| {
                    !other.disabled
                        && other.interface == parent
                        && Prefix { address: other.address, length: other.prefix }.contains(address.address)
                });
                prefix.length = around.map_or(prefix.length, |around| around.prefix);
            }
            if self.runs(name) {
                own.push(Prefix { address: address.address, length: 32 });
            }
            let shape = shapes.entry(name.clone()).or_insert(Shape { mac, addresses: Vec::new(), routes: Vec::new() });
            shape.addresses.push(prefix);
        }
        for shape in shapes.values_mut() {
            let mut best: BTreeMap<Prefix, (u8, Ipv4Addr)> = BTreeMap::new();
            for route in self.config.routes.iter().filter(|route| !route.disabled) {
                let near = shape.addresses.iter().any(|a| a.contains(route.gateway) && a.address != route.gateway);
                let better = best.get(&route.destination).is_none_or(|(distance, _)| route.distance < *distance);
                if near && better {
                    best.insert(route.destination, (route.distance, route.gateway));
                }
            }
            shape.routes = best.into_iter().map(|(destination, (_, gateway))| (destination, gateway)).collect();
        }
        shapes.insert(LOOPBACK.to_owned(), Shape { mac: LOOPBACK_MAC, addresses: own, routes: Vec::new() });
        shapes
    }

    pub(super) fn refresh_l3(&mut self, now: Instant) {
        let shapes = self.shapes();
        let gone: Vec<String> = self.l3_of.keys().filter(|name| !shapes.contains_key(*name)).cloned().collect();
        for name in gone {
            if let Some(mut l3) = self.l3_of.remove(&name).and_then(|id| self.l3.remove(&id)) {
                // Whoever waits on a connection of it is woken to see that it is gone.
                l3.abort_all();
            }
        }
        let services = [&self.config.services.ftp, &self.config.services.ssh];
        let open = services.into_iter().filter(|service| service.enabled && service.port != 0);
        let ports: Vec<u16> = open.map(|service| service.port).collect();
        for (name, shape) in shapes {
            let id = match self.l3_of.get(&name) {
                Some(id) => *id,
                None => {
                    let id = self.next_l3;
                    self.next_l3 += 1;
                    self.l3.insert(id, L3::new(shape.clone(), self.random(), now));
                    self.l3_of.insert(name, id);
                    id
                }
            };
            if let Some(l3) = self.l3.get_mut(&id) {
                l3.reshape(shape);
                l3.listen(&ports);
            }
        }
    }

    /// Where to send what is for `to`.
    pub(super) fn path(&self, to: Ipv4Addr, source: Option<Ipv4Addr>, interface: Option<&str>) -> Option<Path> {
        let active = || {
            let enabled = self.config.addresses.iter().filter(|address| !address.disabled);
            enabled.filter(|address| self.l3_of.contains_key(&address.interface) && self.runs(&address.interface))
        };
        if interface.is_none() && (to.is_loopback() || active().any(|address| address.address == to)) {
            return self.l3_of.get(LOOPBACK).map(|l3| Path { l3: *l3, source: to });
        }
        // A /32 connects nothing.
        let connected = |to: Ipv4Addr| {
            active()
                .filter(|a| a.prefix < 32 && Prefix { address: a.address, length: a.prefix }.contains(to))
                .filter(|a| interface.is_none_or(|name| name == a.interface))
                .filter(|a| source.is_none_or(|source| source == a.address))
                .max_by_key(|address| address.prefix)
        };
        let routed = || {
            let routes = self.config.routes.iter().filter(|route| !route.disabled && route.destination.contains(to));
            let usable = routes.filter_map(|route| connected(route.gateway).map(|address| (route, address)));
            usable.min_by_key(|(route, _)| (u8::MAX - route.destination.length, route.distance)).map(|found| found.1)
        };
        let address = connected(to).or_else(routed)?;
        Some(Path { l3: *self.l3_of.get(&address.interface)?, source: address.address })
    }

    // Running.

    /// Does everything that is due at `now`; the connections to our services that came about are returned.
    pub(super) fn run(&mut self, now: Instant) -> Vec<Accepted> {
        let mut accepted = Vec::new();
        for _ in 0..MAX_ROUNDS {
            while let Some((port, frame)) = self.received.pop_front() {
                self.handle_frame(now, port, &frame);
            }
            loop_protect::run(self, now);
            self.run_vrrps(now);
            mac_layer::run(self, now);
            mac_server::run(self, now);
            mac_client::run(self, now);
            if !self.run_l3(now, &mut accepted) {
                break;
            }
        }
        accepted
    }

    /// True if the loopback has something to say to itself.
    fn run_l3(&mut self, now: Instant, accepted: &mut Vec<Accepted>) -> bool {
        let mut again = false;
        let interfaces: Vec<(String, L3Id)> = self.l3_of.iter().map(|(name, id)| (name.clone(), *id)).collect();
        for (name, id) in interfaces {
            let Some(l3) = self.l3.get_mut(&id) else {
                continue;
            };
            let frames = l3.poll(now);
            accepted.extend(l3.accept().into_iter().map(|(port, handle)| Accepted { port, l3: id, handle }));
            if name == LOOPBACK {
                again = !frames.is_empty();
                for frame in frames {
                    l3.receive(frame);
                }
                continue;
            }
            let parent = match self.vrrps.get(&name) {
                Some(instance) if instance.machine.state() != VrrpState::Master => continue,
                Some(instance) => instance.config.parent.clone(),
                None => name,
            };
            for frame in frames {
                self.send(now, &parent, frame);
            }
        }
        again
    }

    fn handle_frame(&mut self, now: Instant, port: PortId, bytes: &[u8]) {
        if loop_protect::hear(self, now, port, bytes) {
            return;
        }
        let vrrps = &self.vrrps;
        let virtuals = |interface: &str| -> Vec<MacAddr> {
            let masters = vrrps.values().filter(|i| i.machine.state() == VrrpState::Master);
            masters.filter(|i| i.config.parent == interface).map(|i| virtual_mac(i.config.vrid)).collect()
        };
        let verdict = self.switch.receive(now, port, bytes, virtuals);
        if self.switch.port_runs(port) {
            let counters = self.counters.entry(port).or_default();
            counters.rx_packets += 1;
            counters.rx_bytes += bytes.len() as u64;
        }
        for to in verdict.forward {
            self.transmit(to, bytes.to_vec());
        }
        if let Some(local) = verdict.local {
            self.deliver(now, local);
        }
    }

    fn deliver(&mut self, now: Instant, local: Local) {
        match frame::kind(&local.frame) {
            Kind::Udp(port) if MacLayer::takes(port) => return mac_layer::handle(self, now, &local),
            Kind::Vrrp => return self.handle_advert(now, &local),
            Kind::EchoReply { ident, ttl } => {
                if let Some(slot) = self.echo_ttls.get_mut(&ident) {
                    *slot = ttl;
                }
            }
            Kind::Udp(_) | Kind::Other => {}
        }
        let group = local.destination.is_multicast();
        let mut to_base = true;
        for (name, instance) in &self.vrrps {
            let mine = local.destination == virtual_mac(instance.config.vrid);
            if instance.config.parent != local.interface || instance.machine.state() != VrrpState::Master {
                continue;
            }
            if let Some(l3) = self.l3_of.get(name).and_then(|id| self.l3.get_mut(id)).filter(|_| mine || group) {
                l3.receive(local.frame.clone());
            }
            to_base &= !mine;
        }
        let base_mac = self.switch.mac(&local.interface);
        if let Some(l3) = self.l3_of.get(&local.interface).and_then(|id| self.l3.get_mut(id)).filter(|_| to_base) {
            let mut frame = local.frame;
            // A bridge takes what is for its ports' own MACs.
            if let Some(mac) = base_mac.filter(|_| !group) {
                frame::set_destination(&mut frame, mac);
            }
            l3.receive(frame);
        }
    }

    /// Resigns and resets, as the last act before a reboot.
    pub(super) fn shutdown(&mut self, now: Instant) {
        let names: Vec<String> = self.vrrps.keys().cloned().collect();
        for name in names {
            self.stop_vrrp(now, &name);
        }
        self.mac_server.shutdown(now);
        self.mac_clients.shutdown(now);
        for l3 in self.l3.values_mut() {
            l3.abort_all();
        }
        self.run(now);
        self.tell_running();
    }

    /// When [`Inner::run`] is wanted next.
    pub(super) fn poll_timeout(&mut self, now: Instant) -> Option<Instant> {
        let vrrp = self.vrrps.values().filter_map(|instance| instance.machine.poll_timeout()).min();
        let l3 = self.l3.values_mut().filter_map(|l3| l3.poll_timeout(now)).min();
        let mac = [self.mac_layer.poll_timeout(), self.mac_server.poll_timeout(), self.mac_clients.poll_timeout()];
        [vrrp, l3, self.loop_protection.poll_timeout()].into_iter().chain(mac).flatten().min()
    }
}
