//! A switch that learns MACs, and remembers who ever spoke where: the witness of cloned addresses.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use mactelnet::{Instant, MacAddr};

/// How long an address stays where it was heard.
const AGEING: Duration = Duration::from_secs(300);

/// Somebody who spoke on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// Port of the switch.
    pub port: usize,
    /// Source MAC.
    pub mac: MacAddr,
    /// Source address of its IPv4 packets or sender of its ARP; `None` for frames with neither.
    pub ip: Option<Ipv4Addr>,
    /// First frame.
    pub first: Instant,
    /// Last frame.
    pub last: Instant,
    /// How many frames.
    pub frames: u64,
}

impl Speaker {
    /// From its first frame to its last.
    pub fn lasted(&self) -> Duration {
        self.last.saturating_since(self.first)
    }
}

/// One row of a report: `port 1  74:4D:28:00:00:0B  169.254.23.2  first 61.204 s, for 3.100 s, 17 frames`.
impl fmt::Display for Speaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ip = self.ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string());
        let first = self.first.since_epoch().as_secs_f64();
        write!(f, "port {}  {}  {ip:<15}  first {first:.3} s, for ", self.port, self.mac)?;
        write!(f, "{:.3} s, {} frames", self.lasted().as_secs_f64(), self.frames)
    }
}

/// A MAC was heard on another port than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// When.
    pub at: Instant,
    /// Who.
    pub mac: MacAddr,
    /// Where it was.
    pub from: usize,
    /// Where it is.
    pub to: usize,
}

/// The state of one switch.
#[derive(Debug)]
pub(crate) struct Switch {
    ports: usize,
    /// How long a port listens before it forwards: zero is an edge port, 30 s classic spanning tree.
    forward_delay: Duration,
    up_since: BTreeMap<usize, Instant>,
    hosts: BTreeMap<MacAddr, (usize, Instant)>,
    speakers: BTreeMap<(usize, MacAddr, Option<Ipv4Addr>), Speaker>,
    moves: Vec<Move>,
}

impl Switch {
    pub(crate) fn new(ports: usize, forward_delay: Duration) -> Self {
        Self {
            ports,
            forward_delay,
            up_since: BTreeMap::new(),
            hosts: BTreeMap::new(),
            speakers: BTreeMap::new(),
            moves: Vec::new(),
        }
    }

    pub(crate) fn set_link(&mut self, now: Instant, port: usize, up: bool) {
        if up {
            self.up_since.entry(port).or_insert(now);
        } else {
            self.up_since.remove(&port);
            self.hosts.retain(|_, (at, _)| *at != port);
        }
    }

    fn forwards(&self, now: Instant, port: usize) -> bool {
        self.up_since.get(&port).is_some_and(|since| now.saturating_since(*since) >= self.forward_delay)
    }

    /// Takes a frame; the ports by which it leaves.
    pub(crate) fn receive(&mut self, now: Instant, port: usize, frame: &[u8]) -> Vec<usize> {
        let Some((destination, source)) = macs(frame) else {
            return Vec::new();
        };
        if source.is_multicast() {
            return Vec::new();
        }
        let key = (port, source, sender_ip(frame));
        let speaker = self.speakers.entry(key).or_insert(Speaker {
            port,
            mac: source,
            ip: key.2,
            first: now,
            last: now,
            frames: 0,
        });
        speaker.last = now;
        speaker.frames += 1;
        if !self.forwards(now, port) {
            return Vec::new();
        }
        if let Some((from, _)) = self.hosts.insert(source, (port, now)).filter(|(from, _)| *from != port) {
            self.moves.push(Move { at: now, mac: source, from, to: port });
        }
        let known = self.hosts.get(&destination).filter(|(_, heard)| now.saturating_since(*heard) < AGEING);
        let ports: Vec<usize> = match known {
            Some((to, _)) if !destination.is_multicast() => vec![*to],
            _ => (0..self.ports).collect(),
        };
        ports.into_iter().filter(|to| *to != port && self.forwards(now, *to)).collect()
    }

    pub(crate) fn speakers(&self) -> Vec<Speaker> {
        self.speakers.values().cloned().collect()
    }

    pub(crate) fn moves(&self) -> Vec<Move> {
        self.moves.clone()
    }
}

fn macs(frame: &[u8]) -> Option<(MacAddr, MacAddr)> {
    let (destination, rest) = frame.split_first_chunk::<6>()?;
    let (source, rest) = rest.split_first_chunk::<6>()?;
    (rest.len() >= 2).then_some((MacAddr(*destination), MacAddr(*source)))
}

fn sender_ip(frame: &[u8]) -> Option<Ipv4Addr> {
    let (ethertype, payload) = frame.get(12..)?.split_first_chunk::<2>()?;
    let octets = match ethertype {
        [0x08, 0x00] => payload.get(12..16)?,
        [0x08, 0x06] => payload.get(14..18)?,
        _ => return None,
    };
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some(Ipv4Addr::from(octets)).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(from: u8, to: u8) -> Vec<u8> {
        let mut bytes = vec![2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 0x08, 0x00];
        bytes.extend([0; 12]);
        bytes.extend([10, 0, 0, from, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn it_learns_and_tells_of_moves() {
        let mut switch = Switch::new(3, Duration::ZERO);
        for port in 0..3 {
            switch.set_link(Instant::ZERO, port, true);
        }
        assert_eq!(switch.receive(Instant::ZERO, 0, &frame(1, 2)), [1, 2]);
        assert_eq!(switch.receive(Instant::ZERO, 1, &frame(2, 1)), [0]);
        let later = Instant::from_millis(5);
        assert_eq!(switch.receive(later, 2, &frame(1, 2)), [1]);
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        assert_eq!(switch.moves(), [Move { at: later, mac, from: 0, to: 2 }]);
        let ports: Vec<usize> = switch.speakers().iter().filter(|s| s.mac == mac).map(|s| s.port).collect();
        assert_eq!(ports, [0, 2]);
        assert_eq!(switch.speakers()[0].ip, Some(Ipv4Addr::new(10, 0, 0, 1)));
        switch.receive(Instant::from_millis(1500), 0, &frame(1, 2));
        let first = switch.speakers().swap_remove(0);
        assert_eq!(first.lasted(), Duration::from_millis(1500));
        assert_eq!(
            first.to_string(),
            "port 0  02:00:00:00:00:01  10.0.0.1         first 0.000 s, for 1.500 s, 2 frames"
        );
    }

    #[test]
    fn a_port_that_listens_hears_and_forwards_nothing() {
        let mut switch = Switch::new(2, Duration::from_secs(30));
        switch.set_link(Instant::ZERO, 0, true);
        switch.set_link(Instant::ZERO, 1, true);
        assert!(switch.receive(Instant::from_millis(29_999), 0, &frame(1, 2)).is_empty());
        assert_eq!(switch.speakers().len(), 1);
        assert_eq!(switch.receive(Instant::from_millis(30_000), 0, &frame(1, 2)), [1]);
    }
}
