//! What routers tell of an item and nothing here ever finds out: a lease's address in use, the newest version. `get` gives
//! nothing for it, as on a router that does not know it yet; scripts ask for just that.
//!
//! Names by the manual's lists of read-only properties.

/// Of a menu: names, and where it is known what a router says that has nothing to tell, that.
const TOLD: &[(&str, &[(&str, &str)])] = &[
    (
        "/ip/dhcp-server/lease",
        &[
            ("active-address", ""),
            ("active-client-id", ""),
            ("active-mac-address", ""),
            ("active-server", ""),
            ("agent-circuit-id", ""),
            ("agent-remote-id", ""),
            ("expires-after", ""),
            ("src-mac-address", ""),
        ],
    ),
    (
        "/ip/dhcp-client",
        &[
            ("address", ""),
            ("dhcp-server", ""),
            ("expires-after", ""),
            ("gateway", ""),
            ("primary-dns", ""),
            ("primary-ntp", ""),
            ("secondary-dns", ""),
            ("secondary-ntp", ""),
        ],
    ),
    ("/system/package/update", &[("latest-version", ""), ("status", "")]),
    ("/tool/e-mail", &[("last-address", "")]),
    (
        "/ip/cloud",
        &[("dns-name", ""), ("public-address", ""), ("public-address-ipv6", ""), ("status", ""), ("warning", "")],
    ),
    ("/ip/hotspot/user", &[("bytes-in", "0"), ("bytes-out", "0"), ("uptime", "0s")]),
    ("/ppp/secret", &[("last-caller-id", ""), ("last-disconnect-reason", ""), ("last-logged-out", "")]),
    (
        "/interface/wireguard/peers",
        &[
            ("current-endpoint-address", ""),
            ("current-endpoint-port", "0"),
            ("last-handshake", ""),
            ("rx", "0"),
            ("tx", "0"),
        ],
    ),
    ("/interface/pppoe-client", &[("status", ""), ("uptime", "")]),
    ("/ip/ipsec/policy", &[("active", ""), ("ph2-count", "0"), ("ph2-state", "no-phase2")]),
    ("/ip/dns", &[("cache-used", ""), ("dynamic-servers", "")]),
    ("/system/ntp/client", &[("freq-drift", ""), ("synced-server", ""), ("synced-stratum", "")]),
    (
        "/ipv6/dhcp-client",
        &[("address", ""), ("dhcp-server-v6", ""), ("expires-after", ""), ("prefix", ""), ("status", "searching...")],
    ),
];

/// What a router without anything to tell gives for that property; `None`: it has none of that name, as far as is known here.
pub(super) fn told(menu: &str, name: &str) -> Option<&'static str> {
    let (_, names) = TOLD.iter().find(|(path, _)| *path == menu)?;
    names.iter().find(|(known, _)| *known == name).map(|(_, says)| *says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::menu::tables::by_path;

    /// What a table has is the table's to tell.
    #[test]
    fn nothing_is_told_twice() {
        for (path, names) in TOLD {
            let Some(menu) = by_path(path) else { continue };
            let known: Vec<_> = menu.props.iter().map(|prop| prop.name).collect();
            let twice: Vec<_> = names.iter().filter(|(name, _)| known.contains(name)).collect();
            assert_eq!(twice, Vec::<&(&str, &str)>::new(), "{path}");
        }
    }
}
