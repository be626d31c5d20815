//! Ports and bridges: which frames come in, to whom they go, and by which port a frame leaves.

use std::collections::BTreeMap;
use std::time::Duration;

use mactelnet::{Instant, MacAddr};

use super::config::{Bridge, NetConfig, Port, PortId};
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
    /// The Ethernet port's name, or that of the bridge it is in.
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

/// The state of ports and bridges.
#[derive(Debug, Default)]
pub(super) struct Switch {
    ports: BTreeMap<PortId, Port>,
    links: BTreeMap<PortId, bool>,
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
        self.member.clear();
        for (index, port) in &self.ports {
            let bridge = self
                .bridges
                .values()
                .find(|bridge| bridge.ports.iter().any(|member| !member.disabled && member.interface == port.name));
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

    /// Plugs or pulls. True if that was a change.
    pub(super) fn set_link(&mut self, port: PortId, up: bool) -> bool {
        if !up {
            for hosts in self.hosts.values_mut() {
                hosts.retain(|_, (at, _)| *at != port);
            }
        }
        self.links.insert(port, up).unwrap_or(false) != up
    }

    /// Whether frames pass a port.
    pub(super) fn port_runs(&self, port: PortId) -> bool {
        self.links.get(&port).is_some_and(|up| *up) && self.ports.get(&port).is_some_and(|port| !port.disabled)
    }

    /// Whether an Ethernet port or bridge is running; `None` if there is none of that name. An enabled
    /// bridge runs whatever its ports do: that is why the HA pair has one (ha-system.md section 6, 6.45).
    pub(super) fn runs(&self, interface: &str) -> Option<bool> {
        if self.bridges.contains_key(interface) {
            return Some(true);
        }
        self.port_named(interface).map(|index| self.port_runs(index))
    }

    /// Whether an Ethernet port of that name is enabled, or a bridge.
    pub(super) fn enabled(&self, interface: &str) -> bool {
        self.bridges.contains_key(interface) || self.ports.values().any(|port| port.name == interface && !port.disabled)
    }

    fn port_named(&self, name: &str) -> Option<PortId> {
        self.ports.iter().find(|(_, port)| port.name == name).map(|(index, _)| *index)
    }

    /// The ports through which `interface` (an Ethernet port or a bridge) speaks, that run now.
    pub(super) fn running_ports(&self, interface: &str) -> Vec<PortId> {
        let ports: Vec<PortId> = if self.bridges.contains_key(interface) {
            self.member.iter().filter(|(_, bridge)| *bridge == interface).map(|(port, _)| *port).collect()
        } else {
            self.port_named(interface).into_iter().collect()
        };
        ports.into_iter().filter(|port| self.port_runs(*port)).collect()
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

    /// The interface that owns a port: its bridge, or the port itself.
    pub(super) fn owner(&self, port: PortId) -> Option<&str> {
        self.bridge_of(port).or_else(|| self.ports.get(&port).map(|port| port.name.as_str()))
    }

    /// The MAC by which an interface speaks.
    pub(super) fn mac(&self, interface: &str) -> Option<MacAddr> {
        if let Some(bridge) = self.bridges.get(interface) {
            return Some(bridge.mac);
        }
        self.ports.values().find(|port| port.name == interface).map(|port| port.mac)
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
        if !self.port_runs(port) || source.is_multicast() {
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
                forward.retain(|to| *to != port);
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
            Some((port, heard)) if now.saturating_since(*heard) < AGEING && self.port_runs(*port) => vec![*port],
            _ => self.running_ports(interface),
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
        Port { index, name: name.clone(), default_name: name, orig_mac: own, mac: own, disabled: false }
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
        assert!(switch.running_ports("ether1").is_empty());
        assert_eq!(
            (switch.runs("ether1"), switch.runs("ether2"), switch.runs("bridge1")),
            (Some(false), Some(true), None)
        );
    }
}
