//! Ports, bonds and bridges: which frames come in, to whom they go, and by which port a frame leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mactelnet::{Instant, MacAddr};

use super::config::{Bond, BondMode, Bridge, NetConfig, Port, PortId};
use super::frame;

/// How long a bridge remembers where a MAC was (`ageing-time`, RouterOS's default).
const AGEING: Duration = Duration::from_secs(300);
/// MACs that one bridge remembers; later ones are flooded.
const MAX_HOSTS: usize = 4096;
/// Groups 01:80:C2:00:00:00 to :0F are for the neighbour alone and cross no bridge (IEEE 802.1D).
const LINK_LOCAL: [u8; 5] = [0x01, 0x80, 0xC2, 0x00, 0x00];

/// A frame for this router itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Local {
    /// The port by which it came.
    pub port: PortId,
    /// The Ethernet port's name, or that of the bond or bridge it is in.
    pub interface: String,
    /// The destination as it came: the interface's MAC, the bridge port's own, a virtual one or a group.
    pub destination: MacAddr,
    pub source: MacAddr,
    pub frame: Vec<u8>,
}

/// Where a frame goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// To this router.
    pub local: Option<Local>,
    /// Onwards through a bridge.
    pub forward: Vec<PortId>,
}

/// The state of ports, bonds and bridges.
#[derive(Debug, Default)]
pub(super) struct Switch {
    /// A slave has its bond's MAC.
    ports: BTreeMap<PortId, Port>,
    links: BTreeMap<PortId, bool>,
    /// Shut by `loop-protect`: as if they were disabled.
    shut: BTreeSet<PortId>,
    bonds: BTreeMap<String, Bond>,
    /// Bond of each slave.
    slave: BTreeMap<PortId, String>,
    bridges: BTreeMap<String, Bridge>,
    /// Bridge of each bridged port.
    member: BTreeMap<PortId, String>,
    hosts: BTreeMap<String, BTreeMap<MacAddr, (PortId, Instant)>>,
}

impl Switch {
    /// Takes the ports and bridges of a configuration.
    pub(super) fn apply(&mut self, config: &NetConfig) {
        self.ports = config.ports.iter().map(|port| (port.index, port.clone())).collect();
        self.bridges =
            config.bridges.iter().filter(|b| !b.disabled).map(|bridge| (bridge.name.clone(), bridge.clone())).collect();
        self.enslave(config);
        self.member.clear();
        for index in self.ports.keys() {
            let face = self.face(*index);
            let bridge = self.bridges.values().find(|bridge| {
                bridge.ports.iter().any(|member| !member.disabled && Some(member.interface.as_str()) == face)
            });
            if let Some(bridge) = bridge {
                self.member.insert(*index, bridge.name.clone());
            }
        }
        let (bridges, ports, member) = (&self.bridges, &self.ports, &self.member);
        self.hosts.retain(|name, _| bridges.contains_key(name));
        for (name, hosts) in &mut self.hosts {
            hosts.retain(|_, (port, _)| {
                member.get(port) == Some(name) && ports.get(port).is_some_and(|port| !port.disabled)
            });
        }
    }

    /// Finds each bond's slaves and gives them its MAC.
    fn enslave(&mut self, config: &NetConfig) {
        self.bonds =
            config.bonds.iter().filter(|b| !b.disabled).map(|bond| (bond.name.clone(), bond.clone())).collect();
        self.slave.clear();
        for bond in self.bonds.values() {
            let named =
                |name: &String| self.ports.values().find(|port| port.name == *name).map(|port| (port.index, port.mac));
            let slaves: Vec<PortId> = bond.slaves.iter().filter_map(named).map(|(index, _)| index).collect();
            let first = bond.primary.iter().chain(&bond.slaves).find_map(named).map(|(_, mac)| mac);
            for index in slaves {
                // a port is the slave of the first bond that names it
                if self.slave.contains_key(&index) {
                    continue;
                }
                self.slave.insert(index, bond.name.clone());
                if let (Some(port), Some(mac)) = (self.ports.get_mut(&index), bond.forced_mac.or(first)) {
                    port.mac = mac;
                }
            }
        }
    }

    /// The interface that other menus know a port by: its bond, or the port itself.
    pub(super) fn face(&self, port: PortId) -> Option<&str> {
        self.slave.get(&port).or_else(|| self.ports.get(&port).map(|port| &port.name)).map(String::as_str)
    }

    /// Slaves of a bond that run, its primary first, then in the order of `slaves`.
    fn running_slaves(&self, bond: &Bond) -> Vec<PortId> {
        let names = bond.primary.iter().chain(bond.slaves.iter().filter(|name| bond.primary.as_ref() != Some(*name)));
        let ports = names.filter_map(|name| self.port_named(name));
        ports.filter(|port| self.slave.get(port) == Some(&bond.name) && self.port_runs(*port)).collect()
    }

    /// The ports by which a frame to `destination` leaves that would leave by `port`: the same one, or what its bond chooses.
    fn by(&self, port: PortId, destination: MacAddr) -> Vec<PortId> {
        let Some(bond) = self.slave.get(&port).and_then(|name| self.bonds.get(name)) else { return vec![port] };
        let slaves = self.running_slaves(bond);
        match bond.mode {
            BondMode::Broadcast => slaves,
            BondMode::One => slaves.into_iter().take(1).collect(),
            BondMode::Spread => {
                let at = usize::from(destination.octets()[5]) % slaves.len().max(1);
                slaves.get(at).copied().into_iter().collect()
            }
        }
    }

    /// Whether a port speaks of itself: any but a slave, and of a bond its first.
    pub(super) fn speaks(&self, port: PortId) -> bool {
        let bond = self.slave.get(&port).and_then(|name| self.bonds.get(name));
        bond.is_none_or(|bond| self.running_slaves(bond).first() == Some(&port))
    }

    /// Whether what comes in by a port is looked at: a waiting slave of a bond with one that works is deaf, and what a bond
    /// sent itself and another slave hears is dropped.
    fn hears(&self, port: PortId, source: MacAddr) -> bool {
        let Some(bond) = self.slave.get(&port).and_then(|name| self.bonds.get(name)) else { return true };
        let own = self.ports.get(&port).is_some_and(|port| port.mac == source);
        !own && (bond.mode != BondMode::One || self.running_slaves(bond).first() == Some(&port))
    }

    /// Plugs or pulls. True if that was a change.
    pub(super) fn set_link(&mut self, port: PortId, up: bool) -> bool {
        if !up {
            for hosts in self.hosts.values_mut() {
                hosts.retain(|_, (at, _)| *at != port);
            }
        }
        self.links.insert(port, up).unwrap_or(false) != up
    }

    /// Shuts these ports, and no others.
    pub(super) fn set_shut(&mut self, ports: BTreeSet<PortId>) {
        self.shut = ports;
    }

    /// Whether a port drives its end of the cable.
    pub(super) fn drives(&self, port: PortId) -> bool {
        self.ports.get(&port).is_some_and(|port| !port.disabled) && !self.shut.contains(&port)
    }

    /// Whether frames pass a port.
    pub(super) fn port_runs(&self, port: PortId) -> bool {
        self.links.get(&port).is_some_and(|up| *up) && self.drives(port)
    }

    /// Whether an Ethernet port, bond or bridge is running; `None` if there is none of that name. An enabled
    /// bridge runs whatever its ports do: that is why the HA pair has one (ha-system.md section 6, 6.45).
    pub(super) fn runs(&self, interface: &str) -> Option<bool> {
        if self.bridges.contains_key(interface) {
            return Some(true);
        }
        if let Some(bond) = self.bonds.get(interface) {
            return Some(!self.running_slaves(bond).is_empty());
        }
        self.port_named(interface).map(|index| self.port_runs(index))
    }

    /// Whether an Ethernet port of that name is enabled, or a bond or bridge.
    pub(super) fn enabled(&self, interface: &str) -> bool {
        self.bridges.contains_key(interface)
            || self.bonds.contains_key(interface)
            || self.ports.values().any(|port| port.name == interface && !port.disabled)
    }

    fn port_named(&self, name: &str) -> Option<PortId> {
        self.ports.iter().find(|(_, port)| port.name == name).map(|(index, _)| *index)
    }

    /// The ports through which `interface` (an Ethernet port, a bond or a bridge) speaks to `destination`, that run now.
    fn running_ports(&self, interface: &str, destination: MacAddr) -> Vec<PortId> {
        if let Some(bond) = self.bonds.get(interface) {
            let slaves = self.running_slaves(bond);
            return slaves.first().map_or_else(Vec::new, |port| self.by(*port, destination));
        }
        if !self.bridges.contains_key(interface) {
            return self.port_named(interface).filter(|port| self.port_runs(*port)).into_iter().collect();
        }
        let members = self.member.iter().filter(|(_, bridge)| *bridge == interface).map(|(port, _)| *port);
        members.filter(|port| self.port_runs(*port) && self.by(*port, destination).contains(port)).collect()
    }

    /// Every port, in order.
    pub(super) fn ports(&self) -> impl Iterator<Item = &Port> {
        self.ports.values()
    }

    /// One port.
    pub(super) fn port(&self, port: PortId) -> Option<&Port> {
        self.ports.get(&port)
    }

    /// The bridge that a port is in.
    pub(super) fn bridge_of(&self, port: PortId) -> Option<&str> {
        self.member.get(&port).map(String::as_str)
    }

    /// The interface that owns a port: its bridge, its bond, or the port itself.
    pub(super) fn owner(&self, port: PortId) -> Option<&str> {
        self.bridge_of(port).or_else(|| self.face(port))
    }

    /// The MAC by which an interface speaks.
    pub(super) fn mac(&self, interface: &str) -> Option<MacAddr> {
        if let Some(bridge) = self.bridges.get(interface) {
            return Some(bridge.mac);
        }
        let slave =
            || self.slave.iter().find(|(_, bond)| *bond == interface).and_then(|(port, _)| self.ports.get(port));
        self.ports.values().find(|port| port.name == interface).or_else(slave).map(|port| port.mac)
    }

    /// Whether frames to `mac` on `port` are for this router; `virtuals` are the virtual MACs held on its interface.
    fn is_own(&self, port: PortId, mac: MacAddr, virtuals: &[MacAddr]) -> bool {
        if virtuals.contains(&mac) {
            return true;
        }
        let Some(bridge) = self.bridge_of(port) else {
            return self.ports.get(&port).is_some_and(|port| port.mac == mac);
        };
        self.bridges.get(bridge).is_some_and(|bridge| bridge.mac == mac)
            || self
                .member
                .iter()
                .any(|(member, name)| name == bridge && self.ports.get(member).is_some_and(|port| port.mac == mac))
    }

    /// Looks at a frame that came in.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        port: PortId,
        bytes: &[u8],
        virtuals: impl Fn(&str) -> Vec<MacAddr>,
    ) -> Verdict {
        let Some((source, destination)) = frame::addresses(bytes) else {
            return Verdict::default();
        };
        let Some(interface) = self.owner(port).map(str::to_owned) else {
            return Verdict::default();
        };
        if !self.port_runs(port) || source.is_multicast() || !self.hears(port, source) {
            return Verdict::default();
        }
        let own = self.is_own(port, destination, &virtuals(&interface));
        let group = destination.is_multicast();
        let local = (own || group).then(|| Local {
            port,
            interface: interface.clone(),
            destination,
            source,
            frame: bytes.to_vec(),
        });
        let mut forward = Vec::new();
        if self.bridges.contains_key(&interface) {
            self.learn(now, &interface, source, port);
            let link_local = destination.octets().starts_with(&LINK_LOCAL) && destination.octets()[5] < 16;
            if !own && !link_local {
                forward = self.towards(now, &interface, destination);
                forward.retain(|to| *to != port && (self.face(*to) != self.face(port)));
            }
        }
        Verdict { local, forward }
    }

    fn learn(&mut self, now: Instant, bridge: &str, mac: MacAddr, port: PortId) {
        let hosts = self.hosts.entry(bridge.to_owned()).or_default();
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(&mac) {
            hosts.retain(|_, (_, heard)| now.saturating_since(*heard) < AGEING);
        }
        if hosts.len() < MAX_HOSTS || hosts.contains_key(&mac) {
            hosts.insert(mac, (port, now));
        }
    }

    /// The ports by which a frame from `interface` to `destination` leaves.
    pub(super) fn towards(&self, now: Instant, interface: &str, destination: MacAddr) -> Vec<PortId> {
        let known = self.hosts.get(interface).and_then(|hosts| hosts.get(&destination));
        match known {
            Some((port, heard)) if now.saturating_since(*heard) < AGEING && self.port_runs(*port) => {
                self.by(*port, destination)
            }
            _ => self.running_ports(interface, destination),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::config::BridgePort;

    fn mac(last: u8) -> MacAddr {
        MacAddr([0x74, 0x4D, 0x28, 0, 0, last])
    }

    fn port(index: PortId) -> Port {
        let name = format!("ether{}", index + 1);
        let own = mac(index as u8 + 1);
        Port {
            index,
            name: name.clone(),
            default_name: name,
            orig_mac: own,
            mac: own,
            disabled: false,
            loop_protect: None,
        }
    }

    fn frame(from: MacAddr, to: MacAddr) -> Vec<u8> {
        let mut bytes = to.octets().to_vec();
        bytes.extend(from.octets());
        bytes.extend([0x88, 0xB5, 1, 2, 3]);
        bytes
    }

    fn bridged() -> Switch {
        let member = |name: &str| BridgePort { interface: name.to_owned(), disabled: false };
        let bridge = Bridge {
            name: "bridge1".to_owned(),
            mac: mac(1),
            disabled: false,
            ports: vec![member("ether1"), member("ether2"), member("ether3")],
        };
        let config = NetConfig { ports: (0..4).map(port).collect(), bridges: vec![bridge], ..NetConfig::default() };
        let mut switch = Switch::default();
        switch.apply(&config);
        for index in 0..4 {
            switch.set_link(index, true);
        }
        switch
    }

    #[test]
    fn a_bridge_learns_and_floods() {
        let mut switch = bridged();
        let none = |_: &str| Vec::new();
        let verdict = switch.receive(Instant::ZERO, 0, &frame(mac(0xA0), mac(0xA1)), none);
        assert_eq!((verdict.local, verdict.forward), (None, vec![1, 2]));
        let verdict = switch.receive(Instant::ZERO, 2, &frame(mac(0xA1), mac(0xA0)), none);
        assert_eq!(verdict.forward, [0]);
        switch.set_link(0, false);
        assert_eq!(switch.towards(Instant::ZERO, "bridge1", mac(0xA0)), [1, 2]);
        let broadcast = switch.receive(Instant::ZERO, 1, &frame(mac(0xA0), MacAddr::BROADCAST), none);
        assert!(broadcast.local.is_some() && broadcast.forward == [2]);
        assert_eq!(switch.towards(Instant::from_millis(400_000), "bridge1", mac(0xA1)), [1, 2]);
    }

    #[test]
    fn both_macs_of_a_bridged_port_are_own() {
        let mut switch = bridged();
        for own in [mac(1), mac(2)] {
            let verdict = switch.receive(Instant::ZERO, 1, &frame(mac(0xA0), own), |_| Vec::new());
            assert_eq!(verdict.local.map(|local| local.interface), Some("bridge1".to_owned()));
            assert!(verdict.forward.is_empty());
        }
        let alone = switch.receive(Instant::ZERO, 3, &frame(mac(0xA0), mac(1)), |_| Vec::new());
        assert_eq!(alone, Verdict::default());
        let virtual_mac = MacAddr([0, 0, 0x5E, 0, 1, 1]);
        let master = switch.receive(Instant::ZERO, 3, &frame(mac(0xA0), virtual_mac), |_| vec![virtual_mac]);
        assert!(master.local.is_some());
    }

    #[test]
    fn a_disabled_port_is_dead() {
        let mut switch = bridged();
        let mut config = NetConfig { ports: (0..4).map(port).collect(), ..NetConfig::default() };
        config.ports[0].disabled = true;
        switch.apply(&config);
        let verdict = switch.receive(Instant::ZERO, 0, &frame(mac(0xA0), MacAddr::BROADCAST), |_| Vec::new());
        assert_eq!(verdict, Verdict::default());
        assert!(switch.running_ports("ether1", MacAddr::BROADCAST).is_empty());
        assert_eq!(
            (switch.runs("ether1"), switch.runs("ether2"), switch.runs("bridge1")),
            (Some(false), Some(true), None)
        );
    }

    fn bonded(mode: BondMode) -> Switch {
        let bond = Bond {
            name: "bond1".to_owned(),
            disabled: false,
            slaves: vec!["ether2".to_owned(), "ether3".to_owned()],
            primary: None,
            forced_mac: None,
            mode,
        };
        let config = NetConfig { ports: (0..4).map(port).collect(), bonds: vec![bond], ..NetConfig::default() };
        let mut switch = Switch::default();
        switch.apply(&config);
        for index in 0..4 {
            switch.set_link(index, true);
        }
        switch
    }

    #[test]
    fn a_bond_is_one_interface_with_its_first_slaves_mac() {
        let mut switch = bonded(BondMode::One);
        let heard = |switch: &mut Switch, port, to| {
            let verdict = switch.receive(Instant::ZERO, port, &frame(mac(0xA0), to), |_| Vec::new());
            verdict.local.map(|local| local.interface)
        };
        assert_eq!(switch.mac("bond1"), Some(mac(2)));
        assert_eq!(switch.port(2).map(|port| port.mac), Some(mac(2)), "all slaves have it");
        assert_eq!((switch.runs("bond1"), switch.owner(2)), (Some(true), Some("bond1")));
        assert_eq!(heard(&mut switch, 1, mac(2)), Some("bond1".to_owned()));
        assert_eq!(heard(&mut switch, 2, mac(2)), None, "the other one waits");
        assert_eq!(switch.towards(Instant::ZERO, "bond1", MacAddr::BROADCAST), [1]);
        assert!(switch.speaks(0) && switch.speaks(1) && !switch.speaks(2));
        switch.set_link(1, false);
        assert_eq!(switch.towards(Instant::ZERO, "bond1", MacAddr::BROADCAST), [2]);
        assert_eq!(heard(&mut switch, 2, mac(2)), Some("bond1".to_owned()));
        switch.set_link(2, false);
        assert_eq!(switch.runs("bond1"), Some(false));
    }

    #[test]
    fn the_other_modes_of_a_bond() {
        let mut switch = bonded(BondMode::Spread);
        assert_eq!(switch.towards(Instant::ZERO, "bond1", mac(0xA0)), [1]);
        assert_eq!(switch.towards(Instant::ZERO, "bond1", mac(0xA1)), [2]);
        for from in [1, 2] {
            let verdict = switch.receive(Instant::ZERO, from, &frame(mac(0xA0), MacAddr::BROADCAST), |_| Vec::new());
            assert!(verdict.local.is_some() && verdict.forward.is_empty());
        }
        let echo = switch.receive(Instant::ZERO, 2, &frame(mac(2), MacAddr::BROADCAST), |_| Vec::new());
        assert_eq!(echo, Verdict::default(), "what it sent itself");
        assert_eq!(bonded(BondMode::Broadcast).towards(Instant::ZERO, "bond1", mac(0xA1)), [1, 2]);
    }
}
