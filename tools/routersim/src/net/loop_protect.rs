//! `loop-protect`: a port sends packets of its own and shuts itself when it hears one that an own port sent. A clone of
//! this router (a standby that starts with the active's MACs) looks like a loop, and shuts the active's port.
//!
//! From the vendor's manual: EtherType 0x9003; the source is compared with the MACs of the ports that have it on;
//! `disable-time=0` is for ever; a change of the settings begins anew. Inferred: the destination, and what the
//! packets hold; nobody reads it here.

use std::collections::BTreeMap;

use mactelnet::{Instant, MacAddr};
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol};

use super::config::{LoopProtect, Port, PortId};
use super::frame::ETHERNET_HEADER;
use super::host::NetEvent;
use super::inner::Inner;

/// Of its packets.
const ETHERTYPE: u16 = 0x9003;
/// Shorter frames are padded by Ethernet anyway.
const PAYLOAD: usize = 46;

/// A port's settings and where it stands.
struct Watched {
    settings: LoopProtect,
    next: Instant,
    /// Shut, and until when; no time is for ever.
    shut: Option<Option<Instant>>,
}

/// The ports that have it on.
#[derive(Default)]
pub(super) struct LoopProtection {
    ports: BTreeMap<PortId, Watched>,
}

impl LoopProtection {
    /// Takes the settings of a configuration; those that changed begin anew.
    pub(super) fn apply<'a>(&mut self, now: Instant, ports: impl Iterator<Item = &'a Port>) {
        let settings: BTreeMap<PortId, LoopProtect> =
            ports.filter_map(|port| Some((port.index, port.loop_protect?))).collect();
        self.ports.retain(|port, watched| settings.get(port) == Some(&watched.settings));
        for (port, settings) in settings {
            self.ports.entry(port).or_insert(Watched { settings, next: now, shut: None });
        }
    }

    /// The ports that are shut.
    pub(super) fn shut(&self) -> impl Iterator<Item = PortId> {
        self.ports.iter().filter(|(_, watched)| watched.shut.is_some()).map(|(port, _)| *port)
    }

    /// `loop-protect-status`
    pub(super) fn status(&self, port: PortId) -> &'static str {
        match self.ports.get(&port) {
            None => "off",
            Some(watched) if watched.shut.is_some() => "disable",
            Some(_) => "on",
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let next = |watched: &Watched| watched.shut.map_or(Some(watched.next), |until| until);
        self.ports.values().filter_map(next).min()
    }

    /// Ports whose time is over run again. True if there was one.
    fn reopen(&mut self, now: Instant) -> bool {
        let over = |watched: &&mut Watched| watched.shut.flatten().is_some_and(|until| until <= now);
        let mut any = false;
        for watched in self.ports.values_mut().filter(over) {
            (watched.shut, watched.next, any) = (None, now, true);
        }
        any
    }
}

/// The source of such a packet.
fn source(frame: &[u8]) -> Option<MacAddr> {
    let frame = EthernetFrame::new_checked(frame).ok()?;
    (frame.ethertype() == EthernetProtocol::Unknown(ETHERTYPE)).then(|| MacAddr(frame.src_addr().0))
}

fn packet(from: MacAddr) -> Vec<u8> {
    let mut bytes = vec![0; ETHERNET_HEADER + PAYLOAD];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
    frame.set_src_addr(EthernetAddress(from.octets()));
    frame.set_dst_addr(EthernetAddress::BROADCAST);
    frame.set_ethertype(EthernetProtocol::Unknown(ETHERTYPE));
    bytes
}

/// Looks at a frame that came in. True if the port is shut for it.
pub(super) fn hear(inner: &mut Inner, now: Instant, port: PortId, frame: &[u8]) -> bool {
    let Some(from) = source(frame).filter(|_| inner.switch.port_runs(port)) else { return false };
    let name = |index: PortId| inner.switch.port(index).map(|port| port.name.clone()).unwrap_or_default();
    let own = |index: &&PortId| inner.switch.port(**index).is_some_and(|port| port.mac == from);
    let Some(sender) = inner.loop_protection.ports.keys().find(own).map(|index| name(*index)) else { return false };
    let interface = name(port);
    let Some(watched) = inner.loop_protection.ports.get_mut(&port) else { return false };
    let time = watched.settings.disable_time;
    watched.shut = Some((!time.is_zero()).then(|| now + time));
    inner.event(NetEvent::Loop { interface, from, sender });
    inner.ports_shut(now);
    true
}

/// Sends what is due, and opens what was shut long enough.
pub(super) fn run(inner: &mut Inner, now: Instant) {
    if inner.loop_protection.reopen(now) {
        inner.ports_shut(now);
    }
    let mut send = Vec::new();
    for (index, watched) in &mut inner.loop_protection.ports {
        if watched.shut.is_none() && watched.next <= now {
            watched.next = now + watched.settings.send_interval;
            send.extend(inner.switch.port(*index).map(|port| (*index, packet(port.mac))));
        }
    }
    for (port, frame) in send {
        inner.transmit(port, frame);
    }
}
