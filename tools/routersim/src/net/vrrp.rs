//! VRRP version 3 for IPv4 (RFC 5798): advertisements, and the machine of one virtual router.

use std::net::Ipv4Addr;
use std::time::Duration;

use mactelnet::{Instant, MacAddr};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{EthernetAddress, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet, Ipv4Repr};

use super::frame::{ETHERNET_HEADER, PROTOCOL_VRRP};
use super::host::VrrpState;

/// 224.0.0.18
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// The Ethernet group of 224.0.0.18.
const GROUP_MAC: [u8; 6] = [0x01, 0x00, 0x5E, 0x00, 0x00, 0x12];
/// Version 3, type 1 (ADVERTISEMENT): the only type there is.
const VERSION_AND_TYPE: u8 = 0x31;
/// An advertisement that came through a router is forged (RFC 5798 section 7.1).
const TTL: u8 = 255;
/// The owner of the addresses always wins.
const OWNER: u8 = 255;

/// One advertisement, without the address list, which no machine looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Advert {
    /// Sender's primary address.
    pub source: Ipv4Addr,
    /// Virtual router.
    pub vrid: u8,
    /// 0: the master resigns.
    pub priority: u8,
    /// Interval, 12 bits of centiseconds.
    pub centiseconds: u16,
}

fn ones_complement(sum: u32, bytes: &[u8]) -> u32 {
    bytes.chunks(2).fold(sum, |sum, pair| {
        let word = u16::from_be_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]);
        sum + u32::from(word)
    })
}

fn fold(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn pseudo_header(source: Ipv4Addr, length: usize) -> u32 {
    let sum = ones_complement(0, &source.octets());
    ones_complement(sum, &GROUP.octets()) + u32::from(PROTOCOL_VRRP) + length as u32
}

impl Advert {
    /// Reads a frame. Wrong version, time to live, length or checksum: `None`.
    ///
    /// Implementations disagreed for years whether the checksum covers the pseudo-header for IPv4 too
    /// (RFC 5798 section 5.2.8 says yes); both are taken.
    pub(super) fn parse(frame: &[u8]) -> Option<Self> {
        let frame = EthernetFrame::new_checked(frame).ok()?;
        let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
        if packet.hop_limit() != TTL || packet.dst_addr() != GROUP || !packet.verify_checksum() {
            return None;
        }
        let bytes = packet.payload();
        let [version, vrid, priority, count, high, low, _, _, addresses @ ..] = bytes else {
            return None;
        };
        if *version != VERSION_AND_TYPE || *vrid == 0 || addresses.len() < usize::from(*count) * 4 {
            return None;
        }
        let plain = ones_complement(0, bytes);
        if fold(plain) != 0xffff && fold(plain + pseudo_header(packet.src_addr(), bytes.len())) != 0xffff {
            return None;
        }
        let centiseconds = u16::from_be_bytes([high & 0x0f, *low]);
        Some(Self { source: packet.src_addr(), vrid: *vrid, priority: *priority, centiseconds })
    }

    /// The whole frame, from the virtual router's MAC.
    pub(super) fn emit(&self, addresses: &[Ipv4Addr]) -> Vec<u8> {
        let count = addresses.len().min(255);
        let length = 8 + 4 * count;
        let mut body = Vec::with_capacity(length);
        body.extend([VERSION_AND_TYPE, self.vrid, self.priority, count as u8]);
        body.extend((self.centiseconds & 0x0fff).to_be_bytes());
        body.extend([0, 0]);
        for address in addresses.iter().take(count) {
            body.extend(address.octets());
        }
        let checksum = !fold(ones_complement(pseudo_header(self.source, length), &body));
        body[6..8].copy_from_slice(&checksum.to_be_bytes());

        let ip = Ipv4Repr {
            src_addr: self.source,
            dst_addr: GROUP,
            next_header: IpProtocol::from(PROTOCOL_VRRP),
            payload_len: length,
            hop_limit: TTL,
        };
        let mut bytes = vec![0; ETHERNET_HEADER + ip.buffer_len() + length];
        let mut frame = EthernetFrame::new_unchecked(&mut bytes[..]);
        frame.set_src_addr(EthernetAddress(virtual_mac(self.vrid).octets()));
        frame.set_dst_addr(EthernetAddress(GROUP_MAC));
        frame.set_ethertype(EthernetProtocol::Ipv4);
        let mut packet = Ipv4Packet::new_unchecked(frame.payload_mut());
        ip.emit(&mut packet, &ChecksumCapabilities::default());
        packet.payload_mut().copy_from_slice(&body);
        bytes
    }
}

/// 00:00:5E:00:01:vrid
pub(super) fn virtual_mac(vrid: u8) -> MacAddr {
    MacAddr([0x00, 0x00, 0x5E, 0x00, 0x01, vrid])
}

/// What is set by configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub vrid: u8,
    pub priority: u8,
    pub interval: Duration,
    pub preemption: bool,
    /// The parent's primary address.
    pub primary: Ipv4Addr,
}

/// What the machine wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Send an advertisement with this priority.
    Advertise(Advert),
    /// Tell the segment that the virtual addresses are here now.
    GratuitousArp,
    /// The role changed.
    Became(VrrpState),
}

/// The machine of one virtual router.
#[derive(Debug)]
pub(super) struct Machine {
    settings: Settings,
    state: VrrpState,
    /// When the next advertisement is due (master), or the master counts as dead (backup).
    timer: Option<Instant>,
    /// The master's interval, as a backup heard it.
    heard_interval: Duration,
}

impl Machine {
    pub(super) fn new(settings: Settings) -> Self {
        let heard_interval = settings.interval;
        Self { settings, state: VrrpState::Initialize, timer: None, heard_interval }
    }

    pub(super) fn state(&self) -> VrrpState {
        self.state
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.timer
    }

    /// Takes new settings; timers that run keep running.
    pub(super) fn set(&mut self, settings: Settings) {
        if self.state != VrrpState::Backup {
            self.heard_interval = settings.interval;
        }
        self.settings = settings;
    }

    fn skew(&self) -> Duration {
        self.heard_interval * (256 - u32::from(self.settings.priority)) / 256
    }

    fn master_down(&self) -> Duration {
        self.heard_interval * 3 + self.skew()
    }

    fn advert(&self, priority: u8) -> Action {
        let centiseconds = (self.settings.interval.as_millis() / 10).clamp(1, 0x0fff) as u16;
        Action::Advertise(Advert { source: self.settings.primary, vrid: self.settings.vrid, priority, centiseconds })
    }

    fn become_master(&mut self, now: Instant) -> Vec<Action> {
        self.state = VrrpState::Master;
        self.timer = Some(now + self.settings.interval);
        vec![self.advert(self.settings.priority), Action::GratuitousArp, Action::Became(VrrpState::Master)]
    }

    fn become_backup(&mut self, now: Instant) -> Vec<Action> {
        self.state = VrrpState::Backup;
        self.timer = Some(now + self.master_down());
        vec![Action::Became(VrrpState::Backup)]
    }

    /// Startup event: the instance is enabled and its parent runs.
    pub(super) fn start(&mut self, now: Instant) -> Vec<Action> {
        if self.state != VrrpState::Initialize {
            return Vec::new();
        }
        self.heard_interval = self.settings.interval;
        if self.settings.priority == OWNER { self.become_master(now) } else { self.become_backup(now) }
    }

    /// Shutdown event: a master resigns, which makes the others take over after their skew time.
    pub(super) fn stop(&mut self) -> Vec<Action> {
        let before = std::mem::replace(&mut self.state, VrrpState::Initialize);
        self.timer = None;
        match before {
            VrrpState::Initialize => Vec::new(),
            VrrpState::Backup => vec![Action::Became(VrrpState::Initialize)],
            VrrpState::Master => vec![self.advert(0), Action::Became(VrrpState::Initialize)],
        }
    }

    pub(super) fn handle(&mut self, now: Instant, advert: &Advert) -> Vec<Action> {
        if advert.vrid != self.settings.vrid {
            return Vec::new();
        }
        let interval = Duration::from_millis(u64::from(advert.centiseconds.max(1)) * 10);
        match self.state {
            VrrpState::Initialize => Vec::new(),
            VrrpState::Backup => {
                if advert.priority == 0 {
                    self.timer = Some(now + self.skew());
                } else if !self.settings.preemption || advert.priority >= self.settings.priority {
                    self.heard_interval = interval;
                    self.timer = Some(now + self.master_down());
                }
                Vec::new()
            }
            VrrpState::Master => {
                if advert.priority == 0 {
                    self.timer = Some(now + self.settings.interval);
                    return vec![self.advert(self.settings.priority)];
                }
                let mine = (self.settings.priority, self.settings.primary);
                if (advert.priority, advert.source) <= mine {
                    return Vec::new();
                }
                self.heard_interval = interval;
                self.become_backup(now)
            }
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Vec<Action> {
        if self.timer.is_none_or(|at| at > now) {
            return Vec::new();
        }
        match self.state {
            VrrpState::Initialize => {
                self.timer = None;
                Vec::new()
            }
            VrrpState::Backup => self.become_master(now),
            VrrpState::Master => {
                self.timer = Some(now + self.settings.interval);
                vec![self.advert(self.settings.priority)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Ipv4Addr = Ipv4Addr::new(169, 254, 23, 1);
    const B: Ipv4Addr = Ipv4Addr::new(169, 254, 23, 2);

    fn settings(primary: Ipv4Addr, priority: u8) -> Settings {
        Settings { vrid: 1, priority, interval: Duration::from_secs(1), preemption: true, primary }
    }

    fn advert(source: Ipv4Addr, priority: u8) -> Advert {
        Advert { source, vrid: 1, priority, centiseconds: 100 }
    }

    #[test]
    fn the_frame_is_the_one_of_the_rfc() {
        let bytes = advert(A, 100).emit(&[Ipv4Addr::new(169, 254, 23, 10)]);
        #[rustfmt::skip]
        let expected = [
            0x01, 0x00, 0x5E, 0x00, 0x00, 0x12, 0x00, 0x00, 0x5E, 0x00, 0x01, 0x01, 0x08, 0x00,
            0x45, 0x00, 0x00, 0x20, 0x00, 0x00, 0x40, 0x00, 0xff, 0x70, 0xda, 0x5b, // DF, as smoltcp emits
            169, 254, 23, 1, 224, 0, 0, 18,
            0x31, 0x01, 0x64, 0x01, 0x00, 0x64, 0x08, 0x02, 169, 254, 23, 10,
        ];
        assert_eq!(bytes, expected);
        assert_eq!(Advert::parse(&bytes), Some(advert(A, 100)));
        for at in ETHERNET_HEADER..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 0x40;
            assert_eq!(Advert::parse(&bad), None, "byte {at}");
        }
    }

    #[test]
    fn a_backup_takes_over_after_the_down_timer() {
        let mut machine = Machine::new(settings(B, 100));
        assert_eq!(machine.start(Instant::ZERO), [Action::Became(VrrpState::Backup)]);
        assert_eq!(machine.poll_timeout(), Some(Instant::from_micros(3_609_375)));
        assert!(machine.handle(Instant::from_millis(500), &advert(A, 100)).is_empty());
        assert_eq!(machine.poll_timeout(), Some(Instant::from_micros(4_109_375)));
        assert!(machine.handle_timeout(Instant::from_millis(4_109)).is_empty());
        let actions = machine.handle_timeout(Instant::from_micros(4_109_375));
        assert_eq!(
            actions,
            [Action::Advertise(advert(B, 100)), Action::GratuitousArp, Action::Became(VrrpState::Master)]
        );
    }

    #[test]
    fn masters_settle_by_priority_then_address() {
        let mut machine = Machine::new(settings(A, 100));
        machine.start(Instant::ZERO);
        machine.handle_timeout(Instant::from_millis(4_000));
        assert!(machine.handle(Instant::from_millis(4_100), &advert(A, 99)).is_empty());
        assert_eq!(machine.state(), VrrpState::Master);
        assert_eq!(machine.handle(Instant::from_millis(4_200), &advert(B, 100)), [Action::Became(VrrpState::Backup)]);
    }

    #[test]
    fn a_resigning_master_is_followed_after_the_skew() {
        let mut machine = Machine::new(settings(B, 100));
        machine.start(Instant::ZERO);
        machine.handle(Instant::from_millis(100), &advert(A, 0));
        assert_eq!(machine.poll_timeout(), Some(Instant::from_micros(100_000 + 609_375)));
        machine.handle_timeout(Instant::from_millis(800));
        assert_eq!(machine.stop().first(), Some(&Action::Advertise(advert(B, 0))));
    }

    #[test]
    fn preemption_is_a_choice() {
        for (preemption, reset) in [(true, false), (false, true)] {
            let mut machine = Machine::new(Settings { preemption, ..settings(B, 150) });
            machine.start(Instant::ZERO);
            let before = machine.poll_timeout();
            machine.handle(Instant::from_millis(100), &advert(A, 100));
            assert_eq!(machine.poll_timeout() != before, reset);
        }
        let mut owner = Machine::new(settings(A, 255));
        assert_eq!(owner.start(Instant::ZERO).last(), Some(&Action::Became(VrrpState::Master)));
    }
}
