//! `/ip` and below.

use std::net::Ipv4Addr;

use super::interface::{LIST_MENU, SINGLE_MENU};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Prop, Shape, V7, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, Plain, UniqueName};
use crate::menu::kind::{Kind, mask, parse_cidr, prefix_of_netmask};
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::menu::time::format_duration;
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[
    &ADDRESS,
    &CLOUD,
    &DHCP_CLIENT,
    &DNS,
    &FILTER,
    &NAT,
    &NEIGHBOR,
    &DISCOVERY,
    &ROUTE,
    &SERVICE,
    &SMB,
    &SMB_SHARES,
    &SSH,
    &CERTIFICATE,
];

/// Numbers of rows that are not stored begin here.
pub(crate) const DYNAMIC_ID: u32 = 0x8000_0000;

static ADDRESS: Menu = Menu {
    path: "/ip/address",
    props: &[
        prop("address", Kind::Cidr).req(),
        prop("netmask", Kind::Ip).write_only(),
        prop("network", Kind::Ip),
        prop("interface", Kind::Iface(&[])).req(),
        prop("actual-interface", Kind::Str).ro(),
    ],
    flags: &[flag('X', "disabled"), flag('I', "invalid"), flag('D', "dynamic")],
    columns: &["address", "network", "interface"],
    id_space: "/ip/address",
    hooks: &AddressHooks,
    ..LIST_MENU
};

struct AddressHooks;

impl Hooks for AddressHooks {
    fn fill(&self, sys: &System, item: &Item, row: &mut Row) -> bool {
        if let Some((ip, length)) = item.get("address").and_then(parse_cidr)
            && row.get("network").is_none()
        {
            row.put("network", Ipv4Addr::from(u32::from(ip) & mask(length)).to_string());
        }
        let interface = item.get("interface").unwrap_or_default();
        row.put("actual-interface", sys.bridge_of(interface).unwrap_or_else(|| interface.to_owned()));
        row.flag("invalid", !sys.interface_names().iter().any(|known| known == interface));
        true
    }

    fn prepare(&self, sys: &System, item: &mut Item, old: Option<&Item>) -> Result<(), Refused> {
        if let Some(netmask) = item.values.remove("netmask")
            && let (Ok(netmask), Some((ip, _))) = (netmask.parse(), item.get("address").and_then(parse_cidr))
        {
            let length = prefix_of_netmask(netmask).ok_or_else(|| Refused::InvalidValue("netmask".to_owned()))?;
            item.put("address", format!("{ip}/{length}"));
        }
        if old.is_some_and(|old| old.get("address") != item.get("address") && old.get("network") == item.get("network"))
        {
            item.values.remove("network");
        }
        let address = item.get("address").and_then(parse_cidr);
        let same = sys.config(|config| {
            config.items("/ip/address").iter().any(|other| {
                other.id != item.id
                    && !other.disabled
                    && other.get("interface") == item.get("interface")
                    && other.get("address").and_then(parse_cidr).map(|cidr| cidr.0) == address.map(|cidr| cidr.0)
            })
        });
        if same && !item.disabled { Err(Refused::failure("already have such address")) } else { Ok(()) }
    }
}

static ROUTE: Menu = Menu {
    path: "/ip/route",
    props: &[
        prop("dst-address", Kind::Net).or("0.0.0.0/0"),
        prop("pref-src", Kind::Ip),
        prop("gateway", Kind::Str).req(),
        prop("gateway-status", Kind::Str).ro(),
        prop("check-gateway", Kind::Enum(&["none", "arp", "ping", "bfd"])),
        prop("distance", Kind::Num(1, 255)).or("1"),
        prop("scope", Kind::Num(0, 255)).or("30"),
        prop("target-scope", Kind::Num(0, 255)).or("10"),
    ],
    flags: &[
        flag('X', "disabled"),
        flag('A', "active"),
        flag('D', "dynamic"),
        flag('C', "connect"),
        flag('S', "static"),
    ],
    columns: &["dst-address", "pref-src", "gateway", "distance"],
    id_space: "/ip/route",
    hooks: &RouteHooks,
    ..LIST_MENU
};

struct RouteHooks;

impl Hooks for RouteHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let mut rows = Vec::new();
        for item in sys.config(|config| config.items("/ip/route").to_vec()) {
            let mut row = Row::new(item.id);
            for prop in ROUTE.props {
                if let Some(value) = item.get(prop.name).or(prop.default) {
                    row.put(prop.name, value);
                }
            }
            if let Some(comment) = item.get("comment") {
                row.put("comment", comment);
            }
            row.flag("disabled", item.disabled);
            row.flag("dynamic", false);
            row.flag("connect", false);
            row.flag("static", true);
            let gateway = item.get("gateway").unwrap_or_default();
            row.flag("active", !item.disabled && sys.reaches(gateway));
            rows.push(row);
        }
        for (at, (prefix, address, interface, up)) in sys.connected().into_iter().enumerate() {
            let mut row = Row::new(DYNAMIC_ID + u32::try_from(at).unwrap_or(0))
                .with("dst-address", prefix)
                .with("pref-src", address)
                .with("gateway", interface)
                .with("distance", "0")
                .with("scope", "10");
            row.flag("disabled", false);
            row.flag("active", up);
            row.flag("dynamic", true);
            row.flag("connect", true);
            row.flag("static", false);
            rows.push(row);
        }
        Some(rows)
    }

    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        let gateway = item.get("gateway").unwrap_or_default();
        if gateway.parse::<Ipv4Addr>().is_ok() || sys.interface_names().iter().any(|known| known == gateway) {
            Ok(())
        } else {
            Err(Refused::InvalidValue("gateway".to_owned()))
        }
    }
}

const PROTOCOLS: Kind = Kind::Str;

/// Rules are configuration only: the simulated network does not filter.
static FILTER: Menu = Menu {
    path: "/ip/firewall/filter",
    shape: Shape::Ordered,
    props: &[
        prop("chain", Kind::Str).req().always(),
        prop(
            "action",
            Kind::Enum(&[
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
            ]),
        )
        .or("accept")
        .always(),
        prop("connection-state", Kind::Str),
        prop("protocol", PROTOCOLS),
        prop("src-address", Kind::Str),
        prop("dst-address", Kind::Str),
        prop("src-port", Kind::Str),
        prop("dst-port", Kind::Str),
        prop("in-interface", Kind::Iface(&["all-ethernet", "all-vlan", "all-ppp"])),
        prop("out-interface", Kind::Iface(&["all-ethernet", "all-vlan", "all-ppp"])),
        prop("in-interface-list", Kind::Str),
        prop("out-interface-list", Kind::Str),
        prop("jump-target", Kind::Str),
        prop("log", Kind::Bool).or("no"),
        prop("log-prefix", Kind::Str).or(""),
    ],
    flags: &[flag('X', "disabled"), flag('I', "invalid"), flag('D', "dynamic")],
    columns: &["chain", "action"],
    id_space: "/ip/firewall/filter",
    hooks: &Plain,
    ..LIST_MENU
};

static NAT: Menu = Menu {
    path: "/ip/firewall/nat",
    shape: Shape::Ordered,
    props: &[
        prop("chain", Kind::Str).req().always(),
        prop("action", Kind::Enum(&["accept", "dst-nat", "masquerade", "redirect", "src-nat"])).or("accept").always(),
        prop("protocol", PROTOCOLS),
        prop("src-address", Kind::Str),
        prop("dst-address", Kind::Str),
        prop("dst-port", Kind::Str),
        prop("to-addresses", Kind::Str),
        prop("to-ports", Kind::Str),
        prop("in-interface", Kind::Iface(&[])),
        prop("out-interface", Kind::Iface(&[])),
        prop("out-interface-list", Kind::Str),
    ],
    flags: &[flag('X', "disabled"), flag('I', "invalid"), flag('D', "dynamic")],
    columns: &["chain", "action"],
    id_space: "/ip/firewall/nat",
    hooks: &Plain,
    ..LIST_MENU
};

const ADDRESSES: Kind = Kind::List(&Kind::Net);

const fn service_address(name: &'static str) -> Prop {
    prop(name, ADDRESSES).or("")
}

static SERVICE: Menu = Menu {
    path: "/ip/service",
    props: &[
        prop("name", Kind::Str).ro(),
        prop("port", Kind::Num(1, 65535)),
        service_address("address").when(|_, quirks| !quirks.service_available_from),
        service_address("available-from").when(|_, quirks| quirks.service_available_from),
        prop("certificate", Kind::Str),
        prop("vrf", Kind::Str).or("main").when(V7),
    ],
    flags: &[flag('X', "disabled"), flag('I', "invalid")],
    columns: &["name", "port", "address", "certificate"],
    verbs: Verbs::SET.and(Verbs::ENABLE),
    id_space: "/ip/service",
    export: Export::SetNamed("name"),
    hooks: &Plain,
    ..LIST_MENU
};

static NEIGHBOR: Menu = Menu {
    path: "/ip/neighbor",
    props: &[
        prop("interface", Kind::Str).ro(),
        prop("address", Kind::Ip).ro(),
        prop("address4", Kind::Ip).ro(),
        prop("mac-address", Kind::Mac).ro(),
        prop("identity", Kind::Str).ro(),
        prop("platform", Kind::Str).ro(),
        prop("version", Kind::Str).ro(),
        prop("age", Kind::Time).ro(),
        prop("uptime", Kind::Time).ro(),
        prop("software-id", Kind::Str).ro(),
        prop("board", Kind::Str).ro(),
        prop("interface-name", Kind::Str).ro(),
    ],
    columns: &["interface", "address", "mac-address", "identity", "version", "board"],
    verbs: Verbs::READ,
    export: Export::No,
    hooks: &NeighborHooks,
    ..LIST_MENU
};

struct NeighborHooks;

impl Hooks for NeighborHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let neighbours = sys.net().map(|net| net.neighbours()).unwrap_or_default();
        let now = sys.kernel.now();
        let rows = neighbours.into_iter().enumerate().map(|(at, neighbour)| {
            let mut row = Row::new(u32::try_from(at + 1).unwrap_or(0))
                .with("interface", neighbour.interface)
                .with("mac-address", neighbour.mac.to_string())
                .with("identity", neighbour.identity)
                .with("platform", neighbour.platform)
                .with("version", neighbour.version)
                .with("board", neighbour.board)
                .with("software-id", neighbour.software_id)
                .with("interface-name", neighbour.interface_name)
                .with("uptime", format_duration(neighbour.uptime))
                .with("age", format_duration(now.saturating_since(neighbour.heard)));
            if let Some(address) = neighbour.address {
                row.put("address", address.to_string());
                row.put("address4", address.to_string());
            }
            row
        });
        Some(rows.collect())
    }
}

/// Interface lists that a service can be bound to, with the `!` that 6.4x and 7.x put before `dynamic`.
pub(super) const LIST_NAME: Kind = Kind::Ref("/interface/list", &["all", "none", "dynamic", "static", "!dynamic"]);

static DISCOVERY: Menu = Menu {
    path: "/ip/neighbor/discovery-settings",
    props: &[
        prop("discover-interface-list", LIST_NAME).or("!dynamic"),
        prop("protocol", Kind::Str).or("cdp,lldp,mndp").when(|v, _| v.at_least(6, 44)),
    ],
    ..SINGLE_MENU
};

static CLOUD: Menu = Menu {
    path: "/ip/cloud",
    props: &[
        prop("ddns-enabled", Kind::Enum(&["no", "yes", "auto"])).or("no"),
        prop("update-time", Kind::Bool).or("yes"),
    ],
    ..SINGLE_MENU
};

/// Clients are configuration only: no DHCP server is on a simulated wire, so none is ever bound.
static DHCP_CLIENT: Menu = Menu {
    path: "/ip/dhcp-client",
    props: &[
        prop("interface", Kind::Iface(&[])).req(),
        prop("add-default-route", Kind::Enum(&["yes", "no", "special-classless"])).or("yes"),
        prop("default-route-distance", Kind::Num(1, 255)).or("1"),
        prop("use-peer-dns", Kind::Bool).or("yes"),
        prop("use-peer-ntp", Kind::Bool).or("yes"),
        prop("status", Kind::Str).or("searching...").ro(),
    ],
    flags: &[flag('X', "disabled"), flag('I', "invalid"), flag('D', "dynamic")],
    columns: &["interface", "use-peer-dns", "add-default-route", "status"],
    id_space: "/ip/dhcp-client",
    hooks: &Plain,
    ..LIST_MENU
};

static DNS: Menu = Menu {
    path: "/ip/dns",
    props: &[
        prop("servers", Kind::List(&Kind::Ip)).or(""),
        prop("allow-remote-requests", Kind::Bool).or("no"),
        prop("cache-size", Kind::Str).or("2048KiB"),
    ],
    ..SINGLE_MENU
};

static SSH: Menu = Menu {
    path: "/ip/ssh",
    props: &[
        prop("forwarding-enabled", Kind::Enum(&["no", "local", "remote", "both"])).or("no"),
        prop("always-allow-password-login", Kind::Bool).or("no"),
        prop("strong-crypto", Kind::Bool).or("no"),
        prop("host-key-size", Kind::Enum(&["1024", "1536", "2048", "4096", "8192"])).or("2048"),
        // What the key is is opaque; export and import carry this text.
        prop("host-key", Kind::Str).write_only(),
    ],
    ..SINGLE_MENU
};

static SMB: Menu = Menu {
    path: "/ip/smb",
    props: &[
        prop("enabled", Kind::Enum(&["no", "yes", "auto"])).or("no"),
        prop("domain", Kind::Str).or("MSHOME"),
        prop("comment", Kind::Str).or("MikrotikSMB"),
    ],
    ..SINGLE_MENU
};

static SMB_SHARES: Menu = Menu {
    path: "/ip/smb/shares",
    props: &[
        prop("name", Kind::Str).req(),
        prop("directory", Kind::Str).or(""),
        prop("max-sessions", Kind::Num(0, 1000)).or("10"),
    ],
    flags: &[flag('X', "disabled"), flag('*', "default")],
    columns: &["name", "directory", "max-sessions"],
    id_space: "/ip/smb/shares",
    hooks: &ShareHooks,
    ..LIST_MENU
};

/// A share's directory is made with it, which is what scripts use shares for.
struct ShareHooks;

impl Hooks for ShareHooks {
    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        let directory = item.get("directory").unwrap_or_default().to_owned();
        if directory.is_empty() {
            return Ok(());
        }
        sys.make_directory(&directory).map_err(|_| Refused::failure("cannot create directory"))
    }

    fn duplicate(&self) -> Option<&'static str> {
        UniqueName.duplicate()
    }
}

/// No certificates are simulated; the list is there to be looked at.
static CERTIFICATE: Menu = Menu {
    path: "/certificate",
    props: &[prop("name", Kind::Str), prop("common-name", Kind::Str), prop("fingerprint", Kind::Str).ro()],
    flags: &[flag('K', "private-key"), flag('T', "trusted")],
    columns: &["name", "common-name"],
    verbs: Verbs::REMOVE,
    id_space: "/certificate",
    export: Export::No,
    hooks: &Plain,
    ..LIST_MENU
};
