//! `/ip firewall`. Rules are configuration only: the simulated network does not filter.

use super::address_list;
use super::interface::{LIST_MENU, SINGLE_MENU};
use super::ip::DYNAMIC_ID;
use super::short::{count, list, no, single, text, time, word, yes};
use crate::menu::def::{Export, Menu, Shape, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, Plain};
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::row::Row;
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[
    &address_list::LIST,
    &CONNECTION,
    &TRACKING,
    &SERVICE_PORT,
    &FILTER,
    &NAT,
    &MANGLE,
    &RAW,
    &address_list::IPV6_LIST,
    &IPV6_FILTER,
];

/// An interface, or `!` and one.
const IFACE: Kind = Kind::Not(&Kind::Iface(&["all", "all-ethernet", "all-vlan", "all-ppp", "all-wireless"]));
/// An interface list, or `!` and one.
const IFACE_LIST: Kind = Kind::Not(&Kind::Ref("/interface/list", &["all", "none", "dynamic", "static"]));

/// Chain, action, what belongs to the action, then what every rule can ask of a packet.
macro_rules! rules {
    ($name:ident, $path:literal, $actions:expr, [$($own:expr),* $(,)?], $hooks:expr) => {
        static $name: Menu = Menu {
            path: $path,
            shape: Shape::Ordered,
            props: &[
                word("chain").req().always(),
                prop("action", Kind::Enum($actions)).or("accept").always(),
                $($own,)*
                word("address-list"),
                word("address-list-timeout"),
                word("jump-target"),
                word("connection-state"),
                word("connection-nat-state"),
                word("connection-type"),
                word("connection-mark"),
                word("connection-limit"),
                word("connection-rate"),
                word("connection-bytes"),
                word("packet-mark"),
                word("routing-mark"),
                word("protocol"),
                word("src-address"),
                word("dst-address"),
                word("src-address-list"),
                word("dst-address-list"),
                word("src-address-type"),
                word("dst-address-type"),
                word("src-mac-address"),
                prop("in-interface", IFACE),
                prop("out-interface", IFACE),
                prop("in-interface-list", IFACE_LIST),
                prop("out-interface-list", IFACE_LIST),
                word("in-bridge-port"),
                word("out-bridge-port"),
                word("src-port"),
                word("dst-port"),
                word("any-port"),
                word("port"),
                word("in-bridge-port-list"),
                word("out-bridge-port-list"),
                word("ingress-priority"),
                word("priority"),
                word("fragment"),
                word("realm"),
                word("tos"),
                word("p2p"),
                word("headers"),
                word("hop-limit"),
                word("icmp-options"),
                word("tcp-flags"),
                word("tcp-mss"),
                word("ipsec-policy"),
                word("ipv4-options"),
                word("layer7-protocol"),
                word("content"),
                word("dscp"),
                word("limit"),
                word("dst-limit"),
                word("hotspot"),
                word("nth"),
                word("packet-size"),
                word("per-connection-classifier"),
                word("psd"),
                word("random"),
                word("time"),
                word("ttl"),
                word("tls-host"),
                word("reject-with"),
                no("log"),
                text("log-prefix").or(""),
            ],
            flags: &[flag('X', "disabled"), flag('I', "invalid").last(), flag('D', "dynamic")],
            columns: &["chain", "action"],
            printed: Style::Detail,
            id_space: $path,
            hooks: $hooks,
            ..LIST_MENU
        };
    };
}

/// Where a rule of the filter has the action fasttrack-connection, each of these tables begins with a rule of the system's own
/// in that chain. Nobody can change it: `/ip firewall filter disable [find]` is refused for it \[pear2/Net_RouterOS#36\], and
/// nothing is moved before it \[one project's tests; that `place-before` is refused like `move` is inferred\]. Mangle has three in
/// a router; one is enough here.
struct Fasttracked(&'static str);

impl Hooks for Fasttracked {
    fn dynamic(&self, sys: &System) -> Vec<Row> {
        let fast = sys.config(|config| {
            let mut rules = config.items("/ip/firewall/filter").iter();
            rules.any(|rule| !rule.disabled && rule.get("action") == Some("fasttrack-connection"))
        });
        if !fast {
            return Vec::new();
        }
        let mut row = Row::new(DYNAMIC_ID)
            .with("chain", self.0)
            .with("action", "passthrough")
            .with("comment", "special dummy rule to show fasttrack counters");
        row.flag("disabled", false);
        row.flag("invalid", false);
        row.flag("dynamic", true);
        vec![row]
    }
}

const FILTER_ACTIONS: &[&str] = &[
    "accept",
    "add-dst-to-address-list",
    "add-src-to-address-list",
    "drop",
    "fasttrack-connection",
    "jump",
    "log",
    "passthrough",
    "reject",
    "return",
    "tarpit",
];

rules!(
    FILTER,
    "/ip/firewall/filter",
    FILTER_ACTIONS,
    [yes("hw-offload").when(|v, _| v.is_v7()).quiet()],
    &Fasttracked("forward")
);
rules!(IPV6_FILTER, "/ipv6/firewall/filter", FILTER_ACTIONS, [], &Plain);
rules!(
    NAT,
    "/ip/firewall/nat",
    &[
        "accept",
        "add-dst-to-address-list",
        "add-src-to-address-list",
        "dst-nat",
        "endpoint-independent-nat",
        "jump",
        "log",
        "masquerade",
        "netmap",
        "passthrough",
        "redirect",
        "return",
        "same",
        "src-nat",
    ],
    [word("to-addresses"), word("to-ports"), no("randomise-ports").quiet()],
    &Plain
);
rules!(
    MANGLE,
    "/ip/firewall/mangle",
    &[
        "accept",
        "add-dst-to-address-list",
        "add-src-to-address-list",
        "change-dscp",
        "change-mss",
        "change-ttl",
        "clear-df",
        "fasttrack-connection",
        "jump",
        "log",
        "mark-connection",
        "mark-packet",
        "mark-routing",
        "passthrough",
        "return",
        "route",
        "set-priority",
        "sniff-pc",
        "sniff-tzsp",
        "strip-ipv4-options",
    ],
    [
        word("new-connection-mark"),
        word("new-packet-mark"),
        word("new-routing-mark"),
        word("new-dscp"),
        word("new-mss"),
        word("new-ttl"),
        word("new-priority"),
        yes("passthrough").quiet(),
    ],
    &Fasttracked("prerouting")
);
rules!(
    RAW,
    "/ip/firewall/raw",
    &[
        "accept",
        "add-dst-to-address-list",
        "add-src-to-address-list",
        "drop",
        "jump",
        "log",
        "notrack",
        "passthrough",
        "return",
    ],
    [],
    &Fasttracked("prerouting")
);

/// No packet of the simulated network is tracked.
struct Connections;

impl Hooks for Connections {
    fn rows(&self, _sys: &System) -> Option<Vec<Row>> {
        Some(Vec::new())
    }
}

list!(CONNECTION, "/ip/firewall/connection", [
    word("protocol").ro(),
    word("src-address").ro(),
    word("dst-address").ro(),
    word("reply-src-address").ro(),
    word("reply-dst-address").ro(),
    word("connection-mark").ro(),
    word("connection-type").ro(),
    word("tcp-state").ro(),
    time("timeout").ro(),
], columns ["protocol", "src-address", "dst-address", "tcp-state", "timeout"], verbs: Verbs::REMOVE, export: Export::No,
    flags: &[flag('S', "seen-reply"), flag('A', "assured"), flag('C', "confirmed"), flag('D', "dying"), flag('F', "fasttrack"), flag('s', "srcnat"), flag('d', "dstnat")],
    hooks: &Connections);

single!(
    TRACKING,
    "/ip/firewall/connection/tracking",
    [
        prop("enabled", Kind::Enum(&["auto", "no", "yes"])).or("auto"),
        yes("loose-tcp-tracking"),
        time("tcp-established-timeout").or("1d"),
        time("udp-timeout").or("30s"),
        time("udp-stream-timeout").or("3m"),
        time("icmp-timeout").or("10s"),
        time("generic-timeout").or("10m"),
    ]
);

list!(SERVICE_PORT, "/ip/firewall/service-port", [
    text("name").ro(),
    prop("ports", Kind::List(&Kind::Num(0, 65_535))),
    count("sip-direct-media").quiet(),
], columns ["name", "ports"], verbs: Verbs::SET.and(Verbs::ENABLE), export: Export::SetNamed("name"));
