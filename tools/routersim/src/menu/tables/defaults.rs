//! Items that a router makes itself and that exports set, as exports of 6.45 and 7.19 show them that show every property. What
//! has no table keeps only those values that scripts ask for.

use crate::menu::config::{Config, Item};
use crate::spec::Version;

/// In which versions an item is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum There {
    Both,
    V6,
    V7,
}

use There::{Both, V6, V7};

/// Names and values.
type Values = &'static [(&'static str, &'static str)];

/// Menu, versions, values. Several of a menu are in the order of their numbers.
const ITEMS: &[(&str, There, Values)] = &[
    ("/caps-man/manager/interface", V6, &[("interface", "all"), ("forbid", "no")]),
    ("/interface/lte/apn", Both, &[("name", "default"), ("apn", "internet"), ("default-route-distance", "2")]),
    ("/interface/wireless/security-profiles", V6, &[("name", "default"), ("mode", "none")]),
    ("/ip/dhcp-client/option", Both, &[("name", "clientid_duid"), ("code", "61"), ("value", "0xff$(CLIENT_DUID)")]),
    ("/ip/dhcp-client/option", Both, &[("name", "clientid"), ("code", "61"), ("value", "0x01$(CLIENT_MAC)")]),
    ("/ip/dhcp-client/option", Both, &[("name", "hostname"), ("code", "12"), ("value", "$(HOSTNAME)")]),
    ("/ip/hotspot/profile", Both, &[("name", "default"), ("html-directory", "hotspot")]),
    ("/ip/hotspot/user", Both, &[("name", "default-trial")]),
    ("/ip/hotspot/user/profile", Both, &[("name", "default"), ("shared-users", "1")]),
    ("/ip/ipsec/mode-config", Both, &[("name", "request-only"), ("responder", "no")]),
    ("/ip/ipsec/policy/group", Both, &[("name", "default")]),
    ("/ip/ipsec/profile", Both, &[("name", "default")]),
    ("/ip/ipsec/proposal", Both, &[("name", "default")]),
    (
        "/ip/ipsec/policy",
        Both,
        &[("src-address", "::/0"), ("dst-address", "::/0"), ("template", "yes"), ("group", "default")],
    ),
    ("/ip/smb/users", Both, &[("name", "guest"), ("read-only", "yes")]),
    ("/mpls/interface", V6, &[("interface", "all"), ("mpls-mtu", "1508")]),
    ("/ppp/profile", Both, &[("name", "default"), ("change-tcp-mss", "yes")]),
    ("/ppp/profile", Both, &[("name", "default-encryption"), ("change-tcp-mss", "yes"), ("use-encryption", "yes")]),
    ("/queue/type", Both, &[("name", "default"), ("kind", "pfifo"), ("pfifo-limit", "50")]),
    ("/queue/type", Both, &[("name", "ethernet-default"), ("kind", "pfifo"), ("pfifo-limit", "50")]),
    (
        "/queue/type",
        Both,
        &[("name", "wireless-default"), ("kind", "sfq"), ("sfq-allot", "1514"), ("sfq-perturb", "5")],
    ),
    (
        "/queue/type",
        Both,
        &[
            ("name", "synchronous-default"),
            ("kind", "red"),
            ("red-avg-packet", "1000"),
            ("red-burst", "20"),
            ("red-limit", "60"),
            ("red-max-threshold", "50"),
            ("red-min-threshold", "10"),
        ],
    ),
    ("/queue/type", Both, &[("name", "hotspot-default"), ("kind", "sfq"), ("sfq-allot", "1514"), ("sfq-perturb", "5")]),
    ("/queue/type", Both, &[("name", "pcq-upload-default"), ("kind", "pcq"), ("pcq-classifier", "src-address")]),
    ("/queue/type", Both, &[("name", "pcq-download-default"), ("kind", "pcq"), ("pcq-classifier", "dst-address")]),
    ("/queue/type", Both, &[("name", "only-hardware-queue"), ("kind", "none")]),
    ("/queue/type", Both, &[("name", "multi-queue-ethernet-default"), ("kind", "mq-pfifo"), ("mq-pfifo-limit", "50")]),
    ("/queue/type", Both, &[("name", "default-small"), ("kind", "pfifo"), ("pfifo-limit", "10")]),
    ("/routing/bfd/interface", V6, &[("interface", "all"), ("interval", "0.2s"), ("min-rx", "0.2s")]),
    ("/routing/bgp/instance", V6, &[("name", "default"), ("as", "65530")]),
    ("/routing/bgp/template", V7, &[("name", "default"), ("as", "65530")]),
    ("/routing/ospf/instance", V6, &[("name", "default"), ("router-id", "0.0.0.0")]),
    ("/routing/ospf/area", V6, &[("name", "backbone"), ("instance", "default"), ("area-id", "0.0.0.0")]),
    ("/snmp/community", Both, &[("name", "public")]),
    ("/tool/romon/port", Both, &[("interface", "all")]),
];

/// Ids that exports write for items of their own.
const IDS: &[(&str, &str, u32)] =
    &[("/ppp/profile", "default", 0), ("/ppp/profile", "default-encryption", 0xFFFF_FFFE)];

/// Whether a menu has such items, in some version.
pub(super) fn has(path: &str) -> bool {
    ITEMS.iter().any(|(menu, ..)| *menu == path)
}

/// Puts them into a configuration.
pub fn fill(config: &mut Config, version: Version) {
    let here = |there: There| there == Both || (there == V7) == version.is_v7();
    for (menu, _, values) in ITEMS.iter().filter(|(_, there, _)| here(*there)) {
        let mut item = Item { builtin: true, ..Item::default() };
        for (name, value) in *values {
            item.put(name, *value);
        }
        let id = IDS.iter().find(|(path, name, _)| path == menu && item.get("name") == Some(name)).map(|(.., id)| *id);
        match id {
            Some(id) => config.items_mut(menu).push(Item { id, ..item }),
            None => {
                config.insert(menu, menu, item, None);
            }
        }
    }
}
