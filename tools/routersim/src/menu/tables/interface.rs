//! `/interface` and below.

use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Prop, Shape, V6, V7, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, Named, Plain, UniqueName};
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::net::VrrpState;
use crate::system::{System, Who};

use super::lookup::by_path;
use super::short::{list, no, single, time, word, yes};

/// The id space that all interfaces share.
pub const INTERFACES: &str = "interface";

/// The menus whose items are interfaces, in the order in which `/interface` lists them.
pub const INTERFACE_MENUS: &[&str] = &[
    "/interface/ethernet",
    "/interface/bridge",
    "/interface/vrrp",
    "/interface/bonding",
    "/interface/vlan",
    "/interface/eoip",
    "/interface/gre",
    "/interface/ipip",
    "/interface/pppoe-client",
    "/interface/l2tp-client",
    "/interface/wireguard",
];

const LISTS: &[&str] = &["all", "none", "dynamic", "static"];
pub(super) const ARP: Kind = Kind::Enum(&["enabled", "disabled", "local-proxy-arp", "proxy-arp", "reply-only"]);
const PROTOCOL: Kind = Kind::Enum(&["none", "rstp", "stp", "mstp"]);

pub(super) static MENUS: &[&Menu] = &[&ALL, &BRIDGE, &ETHERNET, &VRRP, &BONDING, &LIST, &BRIDGE_SETTINGS];

/// Menus that refer to interfaces of any kind.
pub(super) static MEMBERS: &[&Menu] = &[&BRIDGE_PORT, &BRIDGE_VLAN, &LIST_MEMBER];

/// What most menus are: a stored list that is exported by `add`.
pub(super) const LIST_MENU: Menu = Menu {
    path: "",
    shape: Shape::List,
    props: &[],
    flags: &[],
    columns: &[],
    printed: Style::Brief,
    verbs: Verbs::ALL,
    when: |_, _| true,
    id_space: "",
    export: Export::Add,
    hooks: &Plain,
};

/// A menu of one.
pub(super) const SINGLE_MENU: Menu =
    Menu { shape: Shape::Single, verbs: Verbs::SET, export: Export::Single, ..LIST_MENU };

/// Of a CCR1009's ports; which board has which is not kept here.
const L2MTU: &str = "1580";
const MAX_L2MTU: &str = "10226";

static ALL: Menu = Menu {
    path: "/interface",
    props: &[
        prop("name", Kind::Str),
        prop("default-name", Kind::Str).ro(),
        prop("type", Kind::Str).ro(),
        prop("mtu", Kind::Num(68, 65535)),
        prop("actual-mtu", Kind::Num(68, 65535)).ro(),
        prop("l2mtu", Kind::Num(68, 65535)).ro(),
        prop("max-l2mtu", Kind::Num(68, 65535)).ro(),
        prop("mac-address", Kind::Mac).ro(),
        word("last-link-up-time").ro().quiet(),
        prop("link-downs", Kind::Num(0, 4_294_967_295)).ro().quiet(),
        prop("rx-byte", Kind::Num(0, i64::MAX)).counter(),
        prop("tx-byte", Kind::Num(0, i64::MAX)).counter(),
        prop("rx-packet", Kind::Num(0, i64::MAX)).counter(),
        prop("tx-packet", Kind::Num(0, i64::MAX)).counter(),
    ],
    flags: &[flag('D', "dynamic").last(), flag('X', "disabled"), flag('R', "running").last(), flag('S', "slave")],
    columns: &["name", "type", "actual-mtu", "l2mtu", "max-l2mtu", "mac-address"],
    verbs: Verbs::SET.and(Verbs::ENABLE).and(Verbs::COMMENT),
    id_space: INTERFACES,
    export: Export::No,
    hooks: &AllHooks,
    ..LIST_MENU
};

struct AllHooks;

impl AllHooks {
    fn home(sys: &System, id: u32) -> Option<&'static Menu> {
        let path = INTERFACE_MENUS.iter().find(|path| sys.config(|config| config.item(path, id).is_some()))?;
        by_path(path)
    }
}

impl Hooks for AllHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let mut rows = Vec::new();
        for path in INTERFACE_MENUS {
            let Some(menu) = by_path(path) else { continue };
            let kind = match path.rsplit('/').next() {
                Some("ethernet") => "ether",
                Some("bonding") => "bond",
                Some("wireguard") => "wg",
                Some("pppoe-client") => "pppoe-out",
                Some("l2tp-client") => "l2tp-out",
                Some("gre") => "gre-tunnel",
                Some("ipip") => "ipip-tunnel",
                Some(kind) => kind,
                None => "",
            };
            for inner in sys.rows(menu) {
                let mut row = Row::new(inner.id).with("type", kind);
                for name in ["name", "default-name", "mtu", "mac-address", "comment", "disabled", "running", "slave"] {
                    if let Some(value) = inner.get(name) {
                        row.put(name, value);
                    }
                }
                if let Some(mtu) = inner.get("mtu") {
                    row.put("actual-mtu", mtu);
                }
                if kind == "ether" && sys.board.routerboard {
                    row.put("l2mtu", L2MTU);
                    row.put("max-l2mtu", MAX_L2MTU);
                }
                row.flag("dynamic", false);
                if let Some(counters) = inner.get("name").and_then(|name| sys.counters(name)) {
                    if let Some(up) = counters.up {
                        row.put("last-link-up-time", sys.stamp_of(up));
                    }
                    row.put("link-downs", counters.downs.to_string());
                    row.put("rx-byte", counters.rx_bytes.to_string());
                    row.put("tx-byte", counters.tx_bytes.to_string());
                    row.put("rx-packet", counters.rx_packets.to_string());
                    row.put("tx-packet", counters.tx_packets.to_string());
                }
                rows.push(row);
            }
        }
        Some(rows)
    }

    fn set_row(&self, sys: &System, id: u32, named: &Named, who: &Who) -> Option<Result<(), Refused>> {
        let menu = Self::home(sys, id);
        Some(menu.ok_or(Refused::NoSuchItem).and_then(|menu| sys.set(menu, &[id], &named.to_vec(), who)))
    }
}

const MTU: Prop = prop("mtu", Kind::Num(68, 65535)).or("1500");

static ETHERNET: Menu = Menu {
    path: "/interface/ethernet",
    props: &[
        prop("name", Kind::Str),
        prop("default-name", Kind::Str).ro(),
        MTU,
        prop("l2mtu", Kind::Num(0, 65535)).or("1580"),
        prop("mac-address", Kind::Mac),
        prop("orig-mac-address", Kind::Mac).ro(),
        prop("arp", ARP).or("enabled"),
        prop("arp-timeout", Kind::TimeOr(&["auto"])).or("auto"),
        prop("loop-protect", Kind::Enum(&["default", "on", "off"])).or("default"),
        word("loop-protect-status").or("off").ro(),
        time("loop-protect-send-interval").or("5s"),
        time("loop-protect-disable-time").or("5m"),
        yes("disable-running-check").quiet(),
        yes("auto-negotiation"),
        word("advertise").quiet(),
        yes("full-duplex").when(V6),
        prop("tx-flow-control", Kind::Enum(&["auto", "off", "on"])).or("off"),
        prop("rx-flow-control", Kind::Enum(&["auto", "off", "on"])).or("off"),
        word("speed").quiet(),
        word("bandwidth").or("unlimited/unlimited").when(V6),
        word("bandwidth").or("unlimited/unlimited").quiet().when(V7),
        // Of boards that feed others; what a port has is not known here, so each takes them.
        prop("poe-out", Kind::Enum(&["auto-on", "forced-on", "off"])).quiet(),
        prop("poe-priority", Kind::Num(0, 255)).quiet(),
        word("poe-voltage").quiet(),
        word("poe-lldp-enabled").quiet().when(V7),
        word("power-cycle-interval").quiet(),
        word("power-cycle-ping-enabled").quiet(),
        word("power-cycle-ping-address").quiet(),
        word("power-cycle-ping-timeout").quiet(),
        word("switch").ro().quiet(),
    ],
    flags: &[flag('X', "disabled"), flag('R', "running").last(), flag('S', "slave")],
    columns: &["name", "mtu", "mac-address", "arp"],
    verbs: Verbs::SET.and(Verbs::ENABLE).and(Verbs::COMMENT),
    id_space: INTERFACES,
    export: Export::SetBy("default-name"),
    hooks: &EthernetHooks,
    ..LIST_MENU
};

struct EthernetHooks;

impl Hooks for EthernetHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let default_name = item.get("default-name").unwrap_or_default();
        let Some(socket) = sys.socket(default_name) else { return false };
        row.put("orig-mac-address", socket.mac.to_string());
        if row.get("mac-address").is_none() {
            row.put("mac-address", socket.mac.to_string());
        }
        let name = row.text("name").to_owned();
        row.flag("running", !item.disabled && sys.is_running(&name));
        row.flag("slave", sys.bridge_of(&name).is_some() || sys.bond_of(&name).is_some());
        row.put("loop-protect-status", sys.loop_status(socket.index));
        true
    }
}

static BRIDGE: Menu = Menu {
    path: "/interface/bridge",
    props: &[
        prop("name", Kind::Str).always(),
        prop("mtu", Kind::NumOr(68, 65535, &["auto"])).or("auto"),
        prop("mac-address", Kind::Mac).ro(),
        prop("arp", ARP).or("enabled"),
        prop("arp-timeout", Kind::TimeOr(&["auto"])).or("auto").quiet(),
        prop("protocol-mode", PROTOCOL).or("rstp"),
        prop("fast-forward", Kind::Bool).or("yes"),
        prop("auto-mac", Kind::Bool).or("yes"),
        prop("admin-mac", Kind::Mac),
        word("priority").or("0x8000"),
        time("ageing-time").or("5m"),
        time("max-message-age").or("20s"),
        time("forward-delay").or("15s"),
        prop("transmit-hold-count", Kind::Num(1, 10)).or("6"),
        no("vlan-filtering"),
        prop("pvid", Kind::Num(1, 4094)).or("1").quiet(),
        prop("frame-types", FRAMES).or("admit-all").quiet(),
        no("ingress-filtering").quiet(),
        word("ether-type").or("0x8100").quiet(),
        no("dhcp-snooping"),
        no("add-dhcp-option82").quiet(),
        no("igmp-snooping"),
    ],
    flags: &[flag('X', "disabled"), flag('R', "running")],
    columns: &["name", "mtu", "mac-address", "protocol-mode"],
    printed: Style::Detail,
    id_space: INTERFACES,
    hooks: &BridgeHooks,
    ..LIST_MENU
};

struct BridgeHooks;

impl Hooks for BridgeHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let name = item.get("name").unwrap_or_default();
        row.put("mac-address", sys.bridge_mac(item).to_string());
        row.flag("running", !item.disabled && sys.is_running(name));
        true
    }

    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        if item.get("admin-mac").is_some() && item.get("auto-mac").is_none() {
            item.put("auto-mac", "no");
        }
        auto_name(sys, item, "bridge");
        Ok(())
    }

    fn removing(&self, sys: &System, item: &Item) -> Result<(), Refused> {
        let name = item.get("name").unwrap_or_default().to_owned();
        // Its ports go with it.
        sys.config_mut(|config| {
            config.items_mut("/interface/bridge/port").retain(|port| port.get("bridge") != Some(&name))
        });
        Ok(())
    }
}

const FRAMES: Kind = Kind::Enum(&["admit-all", "admit-only-untagged-and-priority-tagged", "admit-only-vlan-tagged"]);

list!(BRIDGE_VLAN, "/interface/bridge/vlan", [
    prop("bridge", Kind::Ref("/interface/bridge", &[])).req(),
    prop("vlan-ids", Kind::List(&Kind::Word)).or(""),
    prop("tagged", Kind::List(&Kind::Iface(&[]))).or(""),
    prop("untagged", Kind::List(&Kind::Iface(&[]))).or(""),
], columns ["bridge", "vlan-ids", "tagged", "untagged"], flags: &[flag('X', "disabled").last(), flag('D', "dynamic")]);
single!(
    BRIDGE_SETTINGS,
    "/interface/bridge/settings",
    [no("use-ip-firewall"), no("use-ip-firewall-for-vlan"), no("use-ip-firewall-for-pppoe"), yes("allow-fast-path"),]
);

/// `bridge1`, `vrrp2`: the first number that is free.
pub(super) fn auto_name(sys: &System, item: &mut Item, stem: &str) {
    if item.get("name").is_none() {
        let taken = sys.interface_names();
        let name = (1_u32..).map(|n| format!("{stem}{n}")).find(|name| !taken.contains(name));
        item.put("name", name.unwrap_or_else(|| stem.to_owned()));
    }
}

static BRIDGE_PORT: Menu = Menu {
    path: "/interface/bridge/port",
    props: &[
        prop("interface", Kind::Iface(&["none"])).req(),
        prop("bridge", Kind::Ref("/interface/bridge", &["none"])).req(),
        yes("hw"),
        prop("pvid", Kind::Num(1, 4094)).or("1"),
        prop("frame-types", FRAMES).or("admit-all"),
        yes("ingress-filtering").or("no").when(V6),
        yes("ingress-filtering").when(V7),
        prop("priority", Kind::Word).or("0x80"),
        prop("point-to-point", Kind::Enum(&["auto", "yes", "no"])).or("auto"),
        prop("learn", Kind::Enum(&["auto", "yes", "no"])).or("auto"),
        no("trusted"),
        no("bpdu-guard"),
        no("auto-isolate"),
        no("restricted-role"),
        no("restricted-tcn"),
        yes("broadcast-flood"),
        yes("unknown-unicast-flood"),
        yes("unknown-multicast-flood"),
        prop("path-cost", Kind::Num(1, 200_000_000)).or("10"),
        prop("edge", Kind::Enum(&["auto", "no", "no-discover", "yes", "yes-discover"])).or("auto"),
        word("horizon").or("none"),
    ],
    flags: &[flag('X', "disabled"), flag('I', "inactive").last(), flag('D', "dynamic").last()],
    columns: &["interface", "bridge", "hw", "pvid", "priority", "path-cost", "horizon"],
    id_space: "/interface/bridge/port",
    hooks: &BridgePortHooks,
    ..LIST_MENU
};

struct BridgePortHooks;

impl Hooks for BridgePortHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let interface = item.get("interface").unwrap_or_default();
        row.flag("inactive", !item.disabled && !sys.is_running(interface));
        true
    }

    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        let taken = sys.config(|config| {
            let ports = config.items("/interface/bridge/port");
            ports.iter().any(|port| port.id != item.id && port.get("interface") == item.get("interface"))
        });
        if taken { Err(Refused::failure("device already added as bridge port")) } else { Ok(()) }
    }
}

static VRRP: Menu = Menu {
    path: "/interface/vrrp",
    props: &[
        prop("name", Kind::Str).always(),
        MTU,
        prop("mac-address", Kind::Mac).ro(),
        prop("arp", ARP).or("enabled"),
        prop("interface", Kind::Iface(&[])).req(),
        prop("vrid", Kind::Num(1, 255)).or("1"),
        prop("priority", Kind::Num(1, 255)).or("100"),
        prop("interval", Kind::Time).or("1s"),
        prop("preemption-mode", Kind::Bool).or("yes"),
        prop("authentication", Kind::Enum(&["none", "simple", "ah"])).or("none"),
        prop("password", Kind::Str).or("").secret(),
        prop("on-backup", Kind::Str).or(""),
        prop("on-fail", Kind::Str).or("").when(V7),
        prop("on-master", Kind::Str).or(""),
        prop("version", Kind::Num(2, 3)).or("3"),
        prop("v3-protocol", Kind::Enum(&["ipv4", "ipv6"])).or("ipv4"),
    ],
    flags: &[
        flag('X', "disabled"),
        flag('I', "invalid").last(),
        flag('R', "running").last(),
        flag('M', "master"),
        flag('B', "backup"),
    ],
    columns: &["name", "interface", "mac-address", "vrid", "priority", "interval", "version"],
    id_space: INTERFACES,
    hooks: &VrrpHooks,
    ..LIST_MENU
};

struct VrrpHooks;

impl Hooks for VrrpHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let name = item.get("name").unwrap_or_default();
        let vrid: u8 = item.get("vrid").and_then(|vrid| vrid.parse().ok()).unwrap_or(1);
        row.put("mac-address", format!("00:00:5E:00:01:{vrid:02X}"));
        let state = if item.disabled { None } else { sys.vrrp_state(name) };
        row.flag("running", !item.disabled && sys.is_running(name));
        row.flag("master", state == Some(VrrpState::Master));
        row.flag("backup", state == Some(VrrpState::Backup));
        row.flag(
            "invalid",
            !item.disabled && !sys.interface_names().iter().any(|known| Some(known.as_str()) == item.get("interface")),
        );
        true
    }

    fn prepare(&self, sys: &System, item: &mut Item, old: Option<&Item>) -> Result<(), Refused> {
        auto_name(sys, item, "vrrp");
        // disable and enable have their own effect
        if sys.quirks.vrrp_set_resets && old.is_some_and(|old| old.disabled == item.disabled) {
            *sys.volatile.borrow_mut().vrrp_writes.entry(item.id).or_default() += 1;
        }
        Ok(())
    }

    fn set_to_the_same(&self, sys: &System) {
        sys.reconfigure();
    }
}

static BONDING: Menu = Menu {
    path: "/interface/bonding",
    props: &[
        prop("name", Kind::Str).always(),
        MTU,
        prop("mac-address", Kind::Mac).ro(),
        prop("slaves", Kind::List(&Kind::Iface(&[]))).req(),
        prop(
            "mode",
            Kind::Enum(&[
                "802.3ad",
                "active-backup",
                "balance-alb",
                "balance-rr",
                "balance-tlb",
                "balance-xor",
                "broadcast",
            ]),
        )
        .or("balance-rr"),
        prop("primary", Kind::Iface(&["none"])).or("none"),
        prop("link-monitoring", Kind::Enum(&["arp", "mii", "none"])).or("mii"),
        time("arp-interval").or("100ms"),
        word("arp-ip-targets").or(""),
        time("mii-interval").or("100ms"),
        time("down-delay").or("0s"),
        time("up-delay").or("0s"),
        prop("lacp-rate", Kind::Enum(&["1sec", "30secs"])).or("30secs"),
        word("transmit-hash-policy").or("layer-2"),
        prop("min-links", Kind::Num(0, 4_294_967_295)).or("0"),
        prop("forced-mac-address", Kind::Mac).quiet(),
    ],
    printed: Style::Detail,
    flags: &[flag('X', "disabled").last(), flag('R', "running")],
    columns: &["name", "mtu", "mode", "slaves"],
    id_space: INTERFACES,
    hooks: &BondingHooks,
    ..LIST_MENU
};

struct BondingHooks;

impl Hooks for BondingHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        let name = item.get("name").unwrap_or_default();
        if let Some(mac) = sys.mac_of(name) {
            row.put("mac-address", mac.to_string());
        }
        row.flag("running", !item.disabled && sys.is_running(name));
        true
    }

    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        auto_name(sys, item, "bonding");
        Ok(())
    }
}

static LIST: Menu = Menu {
    path: "/interface/list",
    props: &[
        prop("name", Kind::Str).req(),
        prop("include", Kind::List(&Kind::Ref("/interface/list", LISTS))).or(""),
        prop("exclude", Kind::List(&Kind::Ref("/interface/list", LISTS))).or(""),
    ],
    flags: &[flag('*', "builtin"), flag('D', "dynamic")],
    columns: &["name", "include", "exclude"],
    verbs: Verbs::SET.and(Verbs::ADD).and(Verbs::REMOVE).and(Verbs::COMMENT),
    id_space: "/interface/list",
    hooks: &ListHooks,
    ..LIST_MENU
};

struct ListHooks;

impl Hooks for ListHooks {
    fn fill(&self, _sys: &System, item: &Item, row: &mut Row) -> bool {
        row.flag("builtin", item.builtin);
        true
    }

    fn duplicate(&self) -> Option<&'static str> {
        UniqueName.duplicate()
    }
}

static LIST_MEMBER: Menu = Menu {
    path: "/interface/list/member",
    props: &[prop("list", Kind::Ref("/interface/list", &[])).req(), prop("interface", Kind::Iface(&[])).req()],
    flags: &[flag('X', "disabled"), flag('D', "dynamic")],
    columns: &["list", "interface"],
    id_space: "/interface/list/member",
    hooks: &MemberHooks,
    ..LIST_MENU
};

struct MemberHooks;

impl Hooks for MemberHooks {
    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        let taken = sys.config(|config| {
            config.items("/interface/list/member").iter().any(|other| {
                other.id != item.id
                    && other.get("list") == item.get("list")
                    && other.get("interface") == item.get("interface")
            })
        });
        if taken { Err(Refused::failure("already have such entry")) } else { Ok(()) }
    }
}
