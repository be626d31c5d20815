//! What the router's configuration asks of the network, as one value that is compared and applied whole.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use mactelnet::{Instant, MacAddr};

use crate::ssh::Offer;

/// A physical Ethernet socket, counted from 0 as on the front of the box. Names may move
/// between sockets (a quirk of some boots); this number doesn't.
pub type PortId = usize;

/// What passed a port since the router started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes of frames received, without the checksum.
    pub rx_bytes: u64,
    /// The same, sent.
    pub tx_bytes: u64,
    /// Frames received.
    pub rx_packets: u64,
    /// Frames sent.
    pub tx_packets: u64,
    /// How often it went down.
    pub downs: u32,
    /// When it came up last.
    pub up: Option<Instant>,
}

/// Everything that [`Net::apply`](super::Net::apply) looks at. Two equal values mean no change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetConfig {
    /// The Ethernet ports that have appeared since boot.
    pub ports: Vec<Port>,
    /// Bonds and their slaves.
    pub bonds: Vec<Bond>,
    /// Bridges and their ports.
    pub bridges: Vec<Bridge>,
    /// VRRP instances.
    pub vrrps: Vec<Vrrp>,
    /// IPv4 addresses, in order of entry: the first of an interface is its primary one.
    pub addresses: Vec<Address>,
    /// Static routes (connected ones follow from the addresses).
    pub routes: Vec<Route>,
    /// Who is served what.
    pub services: Services,
    /// What neighbours are told.
    pub identity: Identity,
}

/// One Ethernet port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The socket on the box.
    pub index: PortId,
    /// `name`
    pub name: String,
    /// `default-name`
    pub default_name: String,
    /// `orig-mac-address`
    pub orig_mac: MacAddr,
    /// `mac-address`
    pub mac: MacAddr,
    /// A disabled port has no carrier, sends nothing and hears nothing.
    pub disabled: bool,
    /// `loop-protect=on`; `default` works as off.
    pub loop_protect: Option<LoopProtect>,
}

/// How a port looks for loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopProtect {
    /// `loop-protect-send-interval`
    pub send_interval: Duration,
    /// `loop-protect-disable-time`; zero is for ever.
    pub disable_time: Duration,
}

/// `/interface bonding`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bond {
    /// `name`
    pub name: String,
    /// `disabled`: its slaves are interfaces of their own again (inferred).
    pub disabled: bool,
    /// `slaves`: names of Ethernet ports.
    pub slaves: Vec<String>,
    /// `primary`: gives the MAC and, where one slave works at a time, is the one.
    pub primary: Option<String>,
    /// `forced-mac-address`; without it the bond has its primary's, or its first slave's.
    pub forced_mac: Option<MacAddr>,
    /// Which slaves work.
    pub mode: BondMode,
}

/// What `mode` of a bond comes to here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BondMode {
    /// All slaves receive; one sends, chosen by the destination (`balance-rr`, `balance-xor`).
    #[default]
    Spread,
    /// One slave at a time: `active-backup`, `balance-tlb`, `balance-alb`, and `802.3ad` without a partner that speaks LACP.
    One,
    /// All slaves receive and send everything.
    Broadcast,
}

/// `/interface bridge`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// `name`
    pub name: String,
    /// `mac-address`: the administrator's, or the one RouterOS took from a port.
    pub mac: MacAddr,
    /// `disabled`
    pub disabled: bool,
    /// Its ports.
    pub ports: Vec<BridgePort>,
}

/// `/interface bridge port`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgePort {
    /// Name of an Ethernet port or a bond.
    pub interface: String,
    /// `disabled`: the port is then its own interface again.
    pub disabled: bool,
}

/// `/interface vrrp`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vrrp {
    /// `name`
    pub name: String,
    /// `interface`: an Ethernet port, a bond or a bridge.
    pub parent: String,
    /// Virtual router id, 1 to 255; the virtual MAC is 00:00:5E:00:01:vrid.
    pub vrid: u8,
    /// 1 to 255; 255 means owner of the addresses.
    pub priority: u8,
    /// `interval`
    pub interval: Duration,
    /// `preemption-mode`
    pub preemption: bool,
    /// `disabled`
    pub disabled: bool,
    /// How often its settings were written; another number starts its machine anew, where they do (quirk `vrrp_set_resets`).
    pub writes: u64,
    /// Quirk: before 6.45 an instance became master on a parent without link (ha-system.md section 6).
    pub runs_without_link: bool,
}

/// `/ip address`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address itself.
    pub address: Ipv4Addr,
    /// Length of the network's prefix, 0 to 32.
    pub prefix: u8,
    /// `interface`
    pub interface: String,
    /// `disabled`
    pub disabled: bool,
}

/// `/ip route`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `dst-address`
    pub destination: Prefix,
    /// `gateway`
    pub gateway: Ipv4Addr,
    /// `distance`: the lowest usable one of a destination wins.
    pub distance: u8,
    /// `disabled`
    pub disabled: bool,
}

/// An IPv4 network: an address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prefix {
    /// Any address inside.
    pub address: Ipv4Addr,
    /// 0 to 32; more counts as 32.
    pub length: u8,
}

impl Prefix {
    /// 0.0.0.0/0
    pub const ALL: Self = Self { address: Ipv4Addr::UNSPECIFIED, length: 0 };

    /// Whether `address` lies inside.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        let host_bits = 32 - u32::from(self.length.min(32));
        let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
        u32::from(self.address) & mask == u32::from(address) & mask
    }
}

/// A set of interfaces, as `/tool mac-server` and `/ip neighbor discovery-settings` name one.
/// A bridge in the set stands for its ports too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Allowed {
    /// `all`
    #[default]
    All,
    /// `none`
    None,
    /// The members of an interface list, by name.
    Only(BTreeSet<String>),
}

impl Allowed {
    /// Whether `interface` is in the set.
    pub fn contains(&self, interface: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(names) => names.contains(interface),
        }
    }
}

/// `/ip service`, `/tool mac-server`, `/ip neighbor discovery-settings`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// The FTP server.
    pub ftp: TcpService,
    /// The SSH server.
    pub ssh: TcpService,
    /// What the SSH server offers to a client.
    pub ssh_offer: Offer,
    /// Where MAC-Telnet logins are taken.
    pub mac_telnet: Allowed,
    /// Which login MAC-Telnet asks for.
    pub mac_telnet_login: LoginKind,
    /// Where MAC-Ping is answered.
    pub mac_ping: Allowed,
    /// Where neighbours are told about us and listened to.
    pub discovery: Allowed,
}

/// Which proof of the password MAC-Telnet asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoginKind {
    /// EC-SRP5, from 6.43 on.
    #[default]
    EcSrp5,
    /// The MD5 challenge of earlier versions.
    Md5,
}

/// A row of `/ip service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpService {
    /// Not `disabled`.
    pub enabled: bool,
    /// `port`
    pub port: u16,
    /// `address` (`available-from` from 7.24 on); empty lets everybody in.
    pub addresses: Vec<Prefix>,
}

impl TcpService {
    /// A service for everybody.
    pub fn at(port: u16) -> Self {
        Self { enabled: true, port, addresses: Vec::new() }
    }

    /// Whether it serves clients at `from`.
    pub fn admits(&self, from: Ipv4Addr) -> bool {
        self.addresses.is_empty() || self.addresses.iter().any(|prefix| prefix.contains(from))
    }
}

impl Default for Services {
    fn default() -> Self {
        Self {
            ftp: TcpService::at(21),
            ssh: TcpService::at(22),
            ssh_offer: Offer::of(true, false),
            mac_telnet: Allowed::default(),
            mac_telnet_login: LoginKind::default(),
            mac_ping: Allowed::default(),
            discovery: Allowed::default(),
        }
    }
}

/// What an MNDP announcement tells beside MAC, interface and address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// `/system identity`
    pub identity: String,
    /// e.g. `7.18.2 (stable) 2025-02-26 12:31:05`
    pub version: String,
    /// `MikroTik`
    pub platform: String,
    /// e.g. `CCR1009-7G-1C`
    pub board: String,
    /// `/system license` software-id
    pub software_id: String,
    /// When this boot began; uptime is counted from here.
    pub booted: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_contains_its_network_only() {
        let net = Prefix { address: Ipv4Addr::new(169, 254, 23, 1), length: 24 };
        assert!(net.contains(Ipv4Addr::new(169, 254, 23, 10)));
        assert!(!net.contains(Ipv4Addr::new(169, 254, 24, 1)));
        assert!(Prefix::ALL.contains(Ipv4Addr::BROADCAST));
        let host = Prefix { address: Ipv4Addr::new(10, 0, 0, 1), length: 32 };
        assert!(host.contains(Ipv4Addr::new(10, 0, 0, 1)) && !host.contains(Ipv4Addr::new(10, 0, 0, 2)));
    }
}
