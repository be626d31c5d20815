//! The host's network interfaces.

use std::net::Ipv4Addr;
use std::path::Path;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use crate::MacAddr;

/// One Ethernet interface of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub mac: MacAddr,
    pub up: bool,
    /// Its IPv4 addresses; a raw link needs none.
    pub addresses: Vec<Ipv4Addr>,
}

/// Every interface with a MAC, loopback left out, in the system's order; none where the system does not say. One whose name
/// is no UTF-8 is left out: there would be no way to name it. (pnet has such a list, too, and takes every name for UTF-8
/// unseen.)
pub fn interfaces() -> Vec<Interface> {
    let mut found: Vec<Interface> = Vec::new();
    for said in getifaddrs().into_iter().flatten() {
        let name = said.interface_name;
        if said.flags.contains(InterfaceFlags::IFF_LOOPBACK) || name.contains(char::REPLACEMENT_CHARACTER) {
            continue;
        }
        let Some(address) = said.address else { continue };
        if let Some(mac) = address.as_link_addr().and_then(|link| link.addr()).map(MacAddr) {
            if mac != MacAddr::ZERO {
                let up = said.flags.contains(InterfaceFlags::IFF_UP);
                found.push(Interface { name, mac, up, addresses: Vec::new() });
            }
        } else if let (Some(ip), Some(known)) =
            (address.as_sockaddr_in(), found.iter_mut().find(|known| known.name == name))
        {
            // Link addresses come before those of a protocol.
            known.addresses.push(ip.ip());
        }
    }
    found
}

/// The bridge, bond or team that takes what arrives at the interface `name`, which is a port of it: a frame is seen on
/// both. Reads sysfs, where it is mounted.
pub fn master(name: &str) -> Option<String> {
    let link = Path::new("/sys/class/net").join(name).join("master");
    // A team says no kind of itself. A VRF is a master, too, and only routes: its ports are heard by themselves.
    let told = std::fs::read_to_string(link.join("uevent")).ok()?;
    let kind = told.lines().find_map(|line| line.strip_prefix("DEVTYPE="));
    let master = std::fs::read_link(&link).ok()?.file_name()?.to_str()?.to_owned();
    matches!(kind, None | Some("bridge" | "bond")).then_some(master)
}

/// How long a packet the interface `name` carries. Reads sysfs, where it is mounted.
pub fn mtu(name: &str) -> Option<usize> {
    std::fs::read_to_string(Path::new("/sys/class/net").join(name).join("mtu")).ok()?.trim().parse().ok()
}

/// Whether `name` fits `glob`, in which `*` stands for any text and `?` for one character.
pub fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, n));
                g += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => {
                g += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    g = at + 1;
                    n = taken + 1;
                }
                None => return false,
            },
        }
    }
    glob.get(g..).is_none_or(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::{master, matches, mtu};

    #[test]
    fn the_loopback_is_no_port_and_carries_long_packets() {
        // Where there is no sysfs, nothing is known.
        assert!(mtu("lo").is_none_or(|mtu| mtu > 1500));
        assert_eq!((mtu("no such interface"), master("lo"), master("no such interface")), (None, None, None));
    }

    #[test]
    fn globs() {
        for (glob, name, yes) in [
            ("eth1", "eth1", true),
            ("eth1", "eth10", false),
            ("eth*", "eth10", true),
            ("*", "", true),
            ("e*1", "eth1.22", false),
            ("e*1", "eth1.21.1", true),
            ("eth?", "eth1", true),
            ("eth?", "eth", false),
            ("", "eth1", false),
        ] {
            assert_eq!(matches(glob, name), yes, "{glob} {name}");
        }
    }
}
