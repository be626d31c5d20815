//! Which state of the pair's life one router is in.

use crate::facts::Facts;
use crate::target::Member;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Names that an erased router gives itself, by image.
const DEFAULT_IDENTITIES: [&str; 3] = ["MikroTik", "RouterOS", "CHR"];

/// State of one router, as far as bringing in a standby needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing configured at all.
    Erased,
    /// Erased but for the HA address and the user `ha`: ready to be pushed to.
    Bootstrapped,
    /// VRRP master.
    Active,
    /// Has the pair's scripts, VRRP is on, is not master, data ports closed.
    Standby,
    /// Has the pair's scripts and is neither: startup failed, is under way, or VRRP is off.
    HaUnsettled,
    /// Configured by somebody.
    Configured,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Erased => "erased",
            Self::Bootstrapped => "bootstrapped, waiting for the active's configuration",
            Self::Active => "active",
            Self::Standby => "standby",
            Self::HaUnsettled => "neither active nor standby, though it has HA scripts",
            Self::Configured => "configured",
        })
    }
}

/// Whether a router is the active: VRRP items of the pair that are master.
pub(crate) const MASTERS: &str = "[/interface vrrp find where name=\"HA_VRRP\" and master=yes]";

/// What a line that would take down an active says instead.
pub(crate) const ACTIVE_NOW: &str = "it is the active now";

/// Addresses of the pair's own network; fixed, as operators know them.
pub fn ha_address(member: Member) -> &'static str {
    match member {
        Member::A => "169.254.23.1",
        Member::B => "169.254.23.2",
    }
}

/// The state of `member`.
pub fn classify(facts: &Facts, member: Member, ha_interface: &str) -> State {
    if facts.is_active() {
        return State::Active;
    }
    if facts.scripts.iter().any(|script| script == "ha_startup") {
        let vrrp_on = facts.vrrp.is_some_and(|vrrp| !vrrp.disabled);
        let settled = vrrp_on && open_data_ports(facts, ha_interface).is_empty();
        return if settled { State::Standby } else { State::HaUnsettled };
    }
    if !leftovers(facts, member, ha_interface).is_empty() {
        return State::Configured;
    }
    let own = format!("{}/24", ha_address(member));
    let addressed = facts.addresses.iter().any(|address| address.address == own);
    let user = facts.users.iter().any(|user| user == "ha");
    if addressed && user && facts.ftp { State::Bootstrapped } else { State::Erased }
}

/// Names of ports that are switched on though a standby's must not be.
pub fn open_data_ports(facts: &Facts, ha_interface: &str) -> Vec<String> {
    let open =
        |port: &&crate::facts::Port| !port.disabled && port.default_name != ha_interface && port.comment != "HA_RESCUE";
    facts.ports.iter().filter(open).map(|port| port.name.clone()).collect()
}

/// What shows that a router is not erased; empty when it is. What the bootstrap itself puts there doesn't count.
pub fn leftovers(facts: &Facts, member: Member, ha_interface: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !DEFAULT_IDENTITIES.contains(&facts.identity.as_str()) {
        found.push("its identity is set".to_owned());
    }
    let own = format!("{}/24", ha_address(member));
    for address in &facts.addresses {
        let ours =
            address.address == own && facts.port(ha_interface).is_some_and(|port| port.name == address.interface);
        if !ours && !address.dynamic {
            found.push(format!("address {} on {}", address.address, address.interface));
        }
    }
    for (what, names) in [("script", &facts.scripts), ("scheduler", &facts.schedulers), ("bridge", &facts.bridges)] {
        found.extend(names.iter().map(|name| format!("{what} {name}")));
    }
    found.extend(
        facts.users.iter().filter(|user| !matches!(user.as_str(), "admin" | "ha")).map(|user| format!("user {user}")),
    );
    found.extend(facts.other.iter().map(|(menu, count)| format!("{count} in {menu}")));
    if facts.vrrp.is_some() {
        found.push("VRRP".to_owned());
    }
    for item in &mut found {
        // a hostile name must not reach a terminal
        *item = item.chars().take(80).map(|c| if c.is_control() { '.' } else { c }).collect();
    }
    found
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::facts::{Address, Ha, Port, Vrrp};
    use std::time::Duration;

    pub(crate) fn erased(serial: &str, last: u8) -> Facts {
        let port = |n: u8| Port {
            default_name: format!("ether{n}"),
            name: format!("ether{n}"),
            orig_mac: (n == 8).then_some(crate::mac::Mac([0x74, 0x4d, 0x28, 0, 0, last])),
            mac: None,
            disabled: false,
            running: n == 8,
            comment: String::new(),
        };
        Facts {
            identity: "MikroTik".into(),
            version: "7.18.2 (stable)".into(),
            board: "CCR1009-7G-1C".into(),
            serial: Some(serial.into()),
            uptime: Duration::from_secs(100),
            ports: (1..=8).map(port).collect(),
            users: vec!["admin".into()],
            ..Facts::default()
        }
    }

    pub(crate) fn active() -> Facts {
        Facts {
            identity: "edge-1_HA_A_ACTIVE".into(),
            scripts: crate::ha::names().map(str::to_owned).collect(),
            vrrp: Some(Vrrp { disabled: false, master: true }),
            users: vec!["admin".into(), "ha".into()],
            ha: Some(Ha {
                build: crate::ha::build(),
                interface: "ether8".into(),
                mac_a: "74:4D:28:00:00:0A".parse().ok(),
                mac_b: "74:4D:28:00:00:0B".parse().ok(),
                sync: Some(crate::site::Sync::Backup),
            }),
            ftp: true,
            ..erased("7F0001", 0x0a)
        }
    }

    #[test]
    fn states() {
        let mut b = erased("7F0002", 0x0b);
        assert_eq!(classify(&b, Member::B, "ether8"), State::Erased);
        b.addresses.push(Address {
            address: "169.254.23.2/24".into(),
            interface: "ether8".into(),
            dynamic: false,
            comment: String::new(),
        });
        b.users.push("ha".into());
        b.ftp = true;
        assert_eq!(classify(&b, Member::B, "ether8"), State::Bootstrapped);
        assert_eq!(classify(&b, Member::A, "ether8"), State::Configured, "the other one's address");
        b.addresses[0].interface = "ether1".into();
        assert_eq!(classify(&b, Member::B, "ether8"), State::Configured, "on another port");
        let mut a = active();
        assert_eq!(classify(&a, Member::A, "ether8"), State::Active);
        a.vrrp = Some(Vrrp { disabled: false, master: false });
        assert_eq!(classify(&a, Member::A, "ether8"), State::HaUnsettled, "data ports are open");
        for port in &mut a.ports {
            port.disabled = port.default_name != "ether8";
        }
        assert_eq!(classify(&a, Member::A, "ether8"), State::Standby);
    }
}
