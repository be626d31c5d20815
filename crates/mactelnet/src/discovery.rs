//! Discovery: asks by MNDP, keeps asking while it listens, and puts together what one router says on several wires.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::wire::{Text, mndp};
use crate::{Instant, MacAddr};

/// Questions are repeated this often: a router that is just starting misses the first, and RouterOS takes 1 to 3 s to answer.
pub const ASK_INTERVAL: Duration = Duration::from_secs(2);
/// Routers kept at once; more on one segment is an attack or a mistake, and the list says that it is full.
pub const MAX_ROUTERS: usize = 1024;
/// Sightings kept of one router: it has one for each of its MACs on each of our links.
pub const MAX_SIGHTINGS: usize = 64;

/// One way in which a router was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The link it was heard on, by the caller's number.
    pub link: usize,
    /// Source of the frame. Zero where the link does not show it.
    pub frame_mac: MacAddr,
    /// What the announcement says.
    pub announced_mac: Option<MacAddr>,
    pub interface: Option<Text>,
    pub ipv4: Option<Ipv4Addr>,
    pub ipv6: Option<Ipv6Addr>,
    pub first: Instant,
    pub last: Instant,
}

impl Sighting {
    /// The MAC to talk to.
    pub fn mac(&self) -> MacAddr {
        if self.frame_mac == MacAddr::ZERO { self.announced_mac.unwrap_or_default() } else { self.frame_mac }
    }
}

/// One router, as far as its announcements tell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Router {
    pub identity: Option<Text>,
    pub version: Option<Text>,
    pub platform: Option<Text>,
    pub board: Option<Text>,
    pub software_id: Option<Text>,
    /// As of the last announcement.
    pub uptime: Option<Duration>,
    pub sightings: Vec<Sighting>,
}

impl Router {
    /// Whether it looks like a router without configuration: default identity and no address. A guess, never a proof.
    pub fn looks_erased(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.as_bytes() == b"MikroTik")
            && self.sightings.iter().all(|sighting| sighting.ipv4.is_none_or(|address| address.is_unspecified()))
    }
}

/// One MAC that does not stand for one router on one wire: nothing may be written to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// Heard on several links.
    SeveralLinks { mac: MacAddr, links: Vec<usize> },
    /// Announced by routers that differ in board or licence.
    SeveralRouters { mac: MacAddr },
}

/// Asks and listens.
#[derive(Debug, Clone)]
pub struct Discovery {
    links: usize,
    ask_at: Instant,
    to_ask: Vec<usize>,
    routers: Vec<Router>,
    overflow: u64,
}

impl Discovery {
    /// On `links` links, numbered from 0. The first question is due at once.
    pub fn new(now: Instant, links: usize) -> Self {
        Self { links, ask_at: now, to_ask: Vec::new(), routers: Vec::new(), overflow: 0 }
    }

    /// A question to be broadcast on the link with this number, UDP 5678 both ends.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<(usize, Vec<u8>)> {
        if self.to_ask.is_empty() && now >= self.ask_at {
            self.ask_at = now + ASK_INTERVAL;
            self.to_ask = (0..self.links).rev().collect();
        }
        self.to_ask.pop().map(|link| (link, mndp::REQUEST.to_vec()))
    }

    /// When a question is due next.
    pub fn poll_timeout(&self) -> Instant {
        self.ask_at
    }

    /// Takes a payload from UDP port 5678. Returns the router that it told something new of, by its place in
    /// [`Discovery::routers`]; questions, damage and repetitions return `None`.
    pub fn handle_payload(&mut self, now: Instant, link: usize, frame_mac: MacAddr, payload: &[u8]) -> Option<usize> {
        let said = mndp::Announcement::parse(payload).ok().flatten()?;
        if said.mac.is_none() && said.identity.is_none() {
            return None;
        }
        let mac = if frame_mac == MacAddr::ZERO { said.mac? } else { frame_mac };
        let place = match self.routers.iter().position(|router| is_same(router, &said, mac)) {
            Some(place) => place,
            None if self.routers.len() >= MAX_ROUTERS => {
                self.overflow += 1;
                return None;
            }
            None => {
                self.routers.push(Router::default());
                self.routers.len() - 1
            }
        };
        let router = self.routers.get_mut(place)?;
        let mut news = false;
        for (known, said) in [
            (&mut router.identity, &said.identity),
            (&mut router.version, &said.version),
            (&mut router.platform, &said.platform),
            (&mut router.board, &said.board),
            (&mut router.software_id, &said.software_id),
        ] {
            if said.is_some() && known != said {
                known.clone_from(said);
                news = true;
            }
        }
        router.uptime = said.uptime.map(|seconds| Duration::from_secs(u64::from(seconds))).or(router.uptime);
        let full = router.sightings.len() >= MAX_SIGHTINGS;
        let seen = router.sightings.iter_mut().find(|sighting| {
            sighting.link == link && sighting.frame_mac == frame_mac && sighting.announced_mac == said.mac
        });
        match seen {
            Some(sighting) => {
                news |= sighting.ipv4 != said.ipv4 || sighting.interface != said.interface;
                sighting.last = now;
                sighting.ipv4 = said.ipv4;
                sighting.ipv6 = said.ipv6;
                sighting.interface = said.interface;
            }
            None if full => self.overflow += 1,
            None => {
                news = true;
                router.sightings.push(Sighting {
                    link,
                    frame_mac,
                    announced_mac: said.mac,
                    interface: said.interface,
                    ipv4: said.ipv4,
                    ipv6: said.ipv6,
                    first: now,
                    last: now,
                });
            }
        }
        news.then_some(place)
    }

    /// Everything heard so far, in the order in which it was first heard.
    pub fn routers(&self) -> &[Router] {
        &self.routers
    }

    /// Announcements that found no room.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Why `mac` must not be written to, of what was last heard in the `memory` before the newest announcement: a clone
    /// that went away long ago, as a standby is while it restores the active's backup, stands in nobody's way.
    pub fn conflict(&self, mac: MacAddr, memory: Duration) -> Option<Conflict> {
        let all = || self.routers.iter().enumerate().flat_map(|(place, r)| r.sightings.iter().map(move |s| (place, s)));
        let newest = all().map(|(_, sighting)| sighting.last).max()?;
        let seen: Vec<(usize, usize)> = all()
            .filter(|(_, sighting)| sighting.mac() == mac && newest.saturating_since(sighting.last) <= memory)
            .map(|(place, sighting)| (place, sighting.link))
            .collect();
        let mut links: Vec<usize> = seen.iter().map(|(_, link)| *link).collect();
        links.sort_unstable();
        links.dedup();
        if links.len() > 1 {
            return Some(Conflict::SeveralLinks { mac, links });
        }
        let first = seen.first()?.0;
        seen.iter().any(|(place, _)| *place != first).then_some(Conflict::SeveralRouters { mac })
    }

    /// MACs that must not be written to, because more than one router or link answers for them.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut seen: Vec<(MacAddr, usize, usize)> = Vec::new();
        for (place, router) in self.routers.iter().enumerate() {
            for sighting in &router.sightings {
                seen.push((sighting.mac(), place, sighting.link));
            }
        }
        let mut macs: Vec<MacAddr> = seen.iter().map(|(mac, ..)| *mac).collect();
        macs.sort_unstable();
        macs.dedup();
        let mut conflicts = Vec::new();
        for mac in macs {
            let mut links: Vec<usize> = seen.iter().filter(|entry| entry.0 == mac).map(|entry| entry.2).collect();
            links.sort_unstable();
            links.dedup();
            if links.len() > 1 {
                conflicts.push(Conflict::SeveralLinks { mac, links });
            }
            let mut places: Vec<usize> = seen.iter().filter(|entry| entry.0 == mac).map(|entry| entry.1).collect();
            places.sort_unstable();
            places.dedup();
            if places.len() > 1 {
                conflicts.push(Conflict::SeveralRouters { mac });
            }
        }
        conflicts
    }
}

/// Whether an announcement is of a router already known: the same licence on the same board, or, where a licence is
/// not announced, the same MAC on the same board. The identity does not count: the members of a pair share it.
fn is_same(router: &Router, said: &mndp::Announcement, mac: MacAddr) -> bool {
    if router.board != said.board {
        return false;
    }
    match (&router.software_id, &said.software_id) {
        // Every C server announces this same text.
        (Some(known), Some(said)) if known.as_bytes() != b"MAC-Telnet" => known == said,
        (Some(known), Some(said)) if known != said => false,
        _ => router.sightings.iter().any(|sighting| sighting.mac() == mac),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(last: u8) -> MacAddr {
        MacAddr([0x74, 0x4d, 0x28, 0, 0, last])
    }

    fn said(last: u8, software_id: Option<&str>, identity: &str) -> Vec<u8> {
        mndp::Announcement {
            mac: Some(mac(last)),
            identity: Some(Text::from(identity)),
            board: Some(Text::from("CCR1009-7G-1C")),
            software_id: software_id.map(Text::from),
            ..mndp::Announcement::default()
        }
        .to_vec([0; 4])
        .unwrap()
    }

    #[test]
    fn a_clone_that_went_away_is_forgotten_for_writing() {
        let mut discovery = Discovery::new(Instant::ZERO, 1);
        let says = |board: &str| {
            let said = mndp::Announcement { mac: Some(mac(1)), board: Some(board.into()), ..Default::default() };
            said.to_vec([0; 4]).unwrap()
        };
        let at = |seconds| Instant::ZERO + Duration::from_secs(seconds);
        let memory = Duration::from_secs(60);
        discovery.handle_payload(at(0), 0, mac(1), &says("one"));
        assert_eq!(discovery.conflict(mac(1), memory), None);
        discovery.handle_payload(at(1), 0, mac(1), &says("two"));
        assert_eq!(discovery.conflict(mac(1), memory), Some(Conflict::SeveralRouters { mac: mac(1) }));
        assert_eq!(discovery.conflict(mac(2), memory), None);
        discovery.handle_payload(at(61), 0, mac(1), &says("two"));
        assert_eq!(discovery.conflict(mac(1), memory), None);
        discovery.handle_payload(at(61), 0, mac(1), &says("one"));
        assert!(discovery.conflict(mac(1), memory).is_some());
    }

    #[test]
    fn asks_every_link_again_and_again() {
        let mut discovery = Discovery::new(Instant::ZERO, 2);
        let mut asked = Vec::new();
        for millis in [0, 0, 0, 1000, 2000, 2000, 2000] {
            asked.extend(discovery.poll_transmit(Instant::from_millis(millis)).map(|(link, _)| (millis, link)));
        }
        assert_eq!(asked, [(0, 0), (0, 1), (2000, 0), (2000, 1)]);
    }

    #[test]
    fn one_router_on_several_wires_is_one() {
        let mut discovery = Discovery::new(Instant::ZERO, 2);
        assert_eq!(discovery.handle_payload(Instant::ZERO, 0, mac(1), &said(1, Some("AAAA-BBBB"), "edge")), Some(0));
        assert_eq!(discovery.handle_payload(Instant::ZERO, 0, mac(1), &said(1, Some("AAAA-BBBB"), "edge")), None);
        assert_eq!(discovery.handle_payload(Instant::ZERO, 1, mac(2), &said(2, Some("AAAA-BBBB"), "edge")), Some(0));
        // The other member of a pair has the same identity and another licence.
        assert_eq!(discovery.handle_payload(Instant::ZERO, 0, mac(3), &said(3, Some("CCCC-DDDD"), "edge")), Some(1));
        assert_eq!(discovery.routers().len(), 2);
        assert_eq!(discovery.conflicts(), []);
    }

    #[test]
    fn one_mac_twice_is_told() {
        let mut discovery = Discovery::new(Instant::ZERO, 2);
        discovery.handle_payload(Instant::ZERO, 0, mac(1), &said(1, Some("AAAA-BBBB"), "edge"));
        discovery.handle_payload(Instant::ZERO, 1, mac(1), &said(1, Some("CCCC-DDDD"), "edge"));
        assert_eq!(
            discovery.conflicts(),
            [Conflict::SeveralLinks { mac: mac(1), links: vec![0, 1] }, Conflict::SeveralRouters { mac: mac(1) }]
        );
    }

    #[test]
    fn a_flood_is_bounded() {
        let mut discovery = Discovery::new(Instant::ZERO, 1);
        for n in 0..(MAX_ROUTERS as u32 + 100) {
            let [_, a, b, c] = n.to_be_bytes();
            let mac = MacAddr([2, 0, 0, a, b, c]);
            let payload =
                mndp::Announcement { mac: Some(mac), ..mndp::Announcement::default() }.to_vec([0; 4]).unwrap();
            discovery.handle_payload(Instant::ZERO, 0, mac, &payload);
        }
        assert_eq!(discovery.routers().len(), MAX_ROUTERS);
        assert_eq!(discovery.overflow(), 100);
    }

    #[test]
    fn a_request_is_no_router() {
        let mut discovery = Discovery::new(Instant::ZERO, 1);
        for request in [&[0u8; 4][..], &[0, 0, 0, 0, 0, 6, 0, 0], &[0; 9], &[], &[1, 2, 3]] {
            assert_eq!(discovery.handle_payload(Instant::ZERO, 0, mac(1), request), None);
        }
        assert!(discovery.routers().is_empty());
    }
}
