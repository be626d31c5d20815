//! What is spoken below IP: neighbour discovery (MNDP) and MAC-Ping. mac-telnet.md sections 7 and 8.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::task::Waker;
use std::time::Duration;

use mactelnet::wire::frame::{Frame, Repr as FrameRepr};
use mactelnet::wire::{Text, mndp, packet, ping};
use mactelnet::{Instant, MacAddr};

use super::config::{Allowed, NetConfig, PortId};
use super::host::Neighbour;
use super::inner::Inner;
use super::mac_server;
use super::switch::{Local, Switch};
use crate::raw;

/// From one announcement to the next \[R\].
const ANNOUNCE_EVERY: Duration = Duration::from_secs(60);
/// A request is answered after 1 to 3 s on a wired segment \[R\].
const ANSWER_FROM: Duration = Duration::from_secs(1);
const ANSWER_SPREAD_MICROS: u64 = 2_000_000;
/// A port that comes up is announced on so much later, when the switch behind it listens (inferred).
const AFTER_LINK_UP: Duration = Duration::from_millis(500);
/// A neighbour that missed three announcements is gone (inferred).
const NEIGHBOUR_LIFE: Duration = Duration::from_secs(200);
/// Neighbours that are remembered; a segment that invents more is not believed.
const MAX_NEIGHBOURS: usize = 512;
/// MAC-Pings under way at once.
const MAX_PINGS: usize = 64;
/// Bytes of a MAC-Ping's data by which its reply is known.
const NONCE: usize = 8;

struct Probe {
    mac: MacAddr,
    reply: Option<(Instant, usize)>,
    waker: Option<Waker>,
}

/// State of the MAC layer.
#[derive(Default)]
pub(super) struct MacLayer {
    /// When to announce next on each running port.
    announce: BTreeMap<PortId, Instant>,
    neighbours: BTreeMap<(PortId, MacAddr), Neighbour>,
    probes: BTreeMap<u64, Probe>,
    announcements: u16,
    ip_id: u16,
}

/// Whether a set of interfaces has a port, by its own name (or its bond's) or its bridge's.
pub(super) fn allows(allowed: &Allowed, switch: &Switch, port: PortId) -> bool {
    let own = switch.face(port).is_some_and(|name| allowed.contains(name));
    own || switch.bridge_of(port).is_some_and(|bridge| allowed.contains(bridge))
}

/// `ether2`, or `bridge/ether2`.
pub(super) fn interface_name(switch: &Switch, port: PortId) -> String {
    let name = switch.face(port).unwrap_or_default();
    switch.bridge_of(port).map_or_else(|| name.to_owned(), |bridge| format!("{bridge}/{name}"))
}

/// The running ports of `interface`, or of all interfaces.
pub(super) fn ports_of(switch: &Switch, interface: Option<&str>) -> Vec<PortId> {
    let ports = switch.ports().map(|port| port.index).filter(|port| switch.port_runs(*port) && switch.speaks(*port));
    let named = |port: &PortId| {
        interface
            .is_none_or(|interface| switch.owner(*port) == Some(interface) || switch.face(*port) == Some(interface))
    };
    ports.filter(named).collect()
}

impl MacLayer {
    /// Whether datagrams to this UDP port are the MAC layer's.
    pub(super) fn takes(port: u16) -> bool {
        port == packet::PORT || port == mndp::PORT
    }

    /// Begins announcing on ports that came up, ceases on those that went down.
    pub(super) fn ports_changed(&mut self, now: Instant, switch: &Switch, config: &NetConfig) {
        let wanted = |port: &PortId| {
            switch.port_runs(*port) && switch.speaks(*port) && allows(&config.services.discovery, switch, *port)
        };
        let ports: Vec<PortId> = switch.ports().map(|port| port.index).filter(wanted).collect();
        self.announce.retain(|port, _| ports.contains(port));
        for port in ports {
            self.announce.entry(port).or_insert(now + AFTER_LINK_UP);
        }
        self.neighbours.retain(|(port, _), _| switch.port_runs(*port));
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.announce.values().min().copied()
    }

    /// The table, without what was not heard for long.
    pub(super) fn neighbours(&self, now: Instant) -> Vec<Neighbour> {
        let fresh = |neighbour: &&Neighbour| now.saturating_since(neighbour.heard) < NEIGHBOUR_LIFE;
        self.neighbours.values().filter(fresh).cloned().collect()
    }

    /// Begins a MAC-Ping. The number names it; `None`: too many already.
    pub(super) fn begin_probe(&mut self, mac: MacAddr, nonce: u64) -> Option<u64> {
        if self.probes.len() >= MAX_PINGS {
            return None;
        }
        self.probes.insert(nonce, Probe { mac, reply: None, waker: None });
        Some(nonce)
    }

    /// When and how large the reply came; if it has not, `waker` is woken by it.
    pub(super) fn probe_reply(&mut self, nonce: u64, waker: &Waker) -> Option<(Instant, usize)> {
        let probe = self.probes.get_mut(&nonce)?;
        if probe.reply.is_none() {
            probe.waker = Some(waker.clone());
        }
        probe.reply
    }

    pub(super) fn end_probe(&mut self, nonce: u64) {
        self.probes.remove(&nonce);
    }

    fn next_ip_id(&mut self) -> u16 {
        self.ip_id = self.ip_id.wrapping_add(1);
        self.ip_id
    }
}

/// Sends a datagram of the MAC layer by one port: from its MAC, and to 255.255.255.255 whatever the Ethernet destination.
pub(super) fn send(inner: &mut Inner, port: PortId, from: MacAddr, to: MacAddr, ports: (u16, u16), payload: &[u8]) {
    let mut repr = FrameRepr::new(from, to, ports.0, ports.1, inner.mac_layer.next_ip_id());
    repr.src_ip = inner.switch.owner(port).and_then(|o| inner.announced_address(o)).unwrap_or(Ipv4Addr::UNSPECIFIED);
    // What is longer than a frame can be is not sent.
    if let Ok(frame) = repr.to_vec(payload) {
        inner.transmit(port, frame);
    }
}

/// Does what is due.
pub(super) fn run(inner: &mut Inner, now: Instant) {
    let due: Vec<PortId> =
        inner.mac_layer.announce.iter().filter(|(_, at)| **at <= now).map(|(port, _)| *port).collect();
    for port in due {
        inner.mac_layer.announce.insert(port, now + ANNOUNCE_EVERY);
        announce(inner, now, port);
    }
}

fn announce(inner: &mut Inner, now: Instant, port: PortId) {
    let Some(mac) = inner.switch.port(port).map(|port| port.mac) else {
        return;
    };
    let text = |text: &str| Some(Text::from(raw::bytes(text).as_slice()));
    let identity = &inner.config.identity;
    let announcement = mndp::Announcement {
        mac: Some(mac),
        identity: text(&identity.identity),
        version: text(&identity.version),
        platform: text(&identity.platform),
        uptime: Some(u32::try_from(now.saturating_since(identity.booted).as_secs()).unwrap_or(u32::MAX)),
        software_id: text(&identity.software_id),
        board: text(&identity.board),
        unpack: Some(1),
        interface: text(&interface_name(&inner.switch, port)),
        ipv4: inner.switch.owner(port).and_then(|owner| inner.announced_address(owner)),
        ..mndp::Announcement::default()
    };
    inner.mac_layer.announcements = inner.mac_layer.announcements.wrapping_add(1);
    // RouterOS 7 sends two varying bytes and 00 00 [R].
    let [high, low] = inner.mac_layer.announcements.to_be_bytes();
    if let Ok(payload) = announcement.to_vec([low, high, 0, 0]) {
        send(inner, port, mac, MacAddr::BROADCAST, (mndp::PORT, mndp::PORT), &payload);
    }
}

/// Takes a datagram of the MAC layer.
pub(super) fn handle(inner: &mut Inner, now: Instant, local: &Local) {
    let Ok(frame) = Frame::new_checked(&local.frame) else {
        return;
    };
    if frame.dst_port() == mndp::PORT {
        return handle_mndp(inner, now, local, &frame);
    }
    if let Ok((header, data)) = ping::Repr::parse(frame.payload()) {
        return handle_ping(inner, now, local, &frame, header, data);
    }
    inner.mac_clients.handle(now, local, &frame);
    mac_server::handle(inner, now, local, &frame);
}

fn handle_mndp(inner: &mut Inner, now: Instant, local: &Local, frame: &Frame<'_>) {
    let port = local.port;
    if !allows(&inner.config.services.discovery, &inner.switch, port) {
        return;
    }
    let Ok(packet) = mndp::Packet::new_checked(frame.payload()) else {
        return;
    };
    if packet.is_request() {
        // One answer serves all who asked meanwhile.
        let at = now + ANSWER_FROM + Duration::from_micros(inner.random() % ANSWER_SPREAD_MICROS);
        if let Some(slot) = inner.mac_layer.announce.get_mut(&port) {
            *slot = (*slot).min(at);
        }
        return;
    }
    let Some(heard) = mndp::Announcement::from_packet(&packet) else {
        return;
    };
    let mac = heard.mac.unwrap_or(local.source);
    if inner.switch.ports().any(|port| port.mac == mac) {
        return;
    }
    let text = |text: Option<Text>| text.map_or_else(String::new, |t| raw::text(t.as_bytes()));
    let neighbour = Neighbour {
        port,
        interface: interface_name(&inner.switch, port),
        mac,
        address: heard.ipv4,
        identity: text(heard.identity),
        platform: text(heard.platform),
        version: text(heard.version),
        board: text(heard.board),
        software_id: text(heard.software_id),
        interface_name: text(heard.interface),
        uptime: Duration::from_secs(heard.uptime.unwrap_or(0).into()),
        heard: now,
    };
    let table = &mut inner.mac_layer.neighbours;
    if table.len() >= MAX_NEIGHBOURS && !table.contains_key(&(port, mac)) {
        table.retain(|_, old| now.saturating_since(old.heard) < NEIGHBOUR_LIFE);
    }
    if table.len() < MAX_NEIGHBOURS || table.contains_key(&(port, mac)) {
        table.insert((port, mac), neighbour);
    }
}

fn handle_ping(inner: &mut Inner, now: Instant, local: &Local, frame: &Frame<'_>, header: ping::Repr, data: &[u8]) {
    // Answered only when both the frame and the packet name this interface [S][R].
    if local.destination.is_multicast() {
        return;
    }
    if header.reply {
        let Some(nonce) = data.first_chunk::<NONCE>().map(|bytes| u64::from_be_bytes(*bytes)) else {
            return;
        };
        if let Some(probe) = inner.mac_layer.probes.get_mut(&nonce).filter(|probe| probe.mac == header.src) {
            probe.reply.get_or_insert((now, frame.payload().len()));
            if let Some(waker) = probe.waker.take() {
                waker.wake();
            }
        }
        return;
    }
    if header.dst == local.destination && allows(&inner.config.services.mac_ping, &inner.switch, local.port) {
        let reply = header.to_reply().to_vec(data);
        send(inner, local.port, header.dst, local.source, (packet::PORT, frame.src_port()), &reply);
    }
}

/// Sends one MAC-Ping of `size` payload bytes by every port given.
pub(super) fn send_probe(inner: &mut Inner, ports: &[PortId], to: MacAddr, nonce: u64, size: usize) {
    let length = size.saturating_sub(ping::HEADER_LEN).clamp(NONCE, ping::MAX_DATA);
    let mut data = vec![0; length];
    data[..NONCE].copy_from_slice(&nonce.to_be_bytes());
    for port in ports {
        let Some(own) = inner.switch.port(*port).map(|port| port.mac) else {
            continue;
        };
        let payload = ping::Repr { reply: false, src: own, dst: to }.to_vec(&data);
        send(inner, *port, own, to, (packet::PORT, packet::PORT), &payload);
    }
}
