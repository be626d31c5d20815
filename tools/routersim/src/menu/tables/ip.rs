//! `/ip` and below.

use std::net::Ipv4Addr;

use super::interface::{LIST_MENU, SINGLE_MENU};
use super::short::{list, no, single, time, word, yes};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Prop, V6, V7, Verbs, flag, prop};
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
    &NEIGHBOR,
    &DISCOVERY,
    &ROUTE,
    &SERVICE,
    &SMB,
    &SMB_SHARES,
    &SSH,
    &SETTINGS,
    &ARP,
    &POOL,
    &DNS_STATIC,
];

/// Numbers of rows that are not stored begin here.
pub(crate) const DYNAMIC_ID: u32 = 0x8000_0000;

static ADDRESS: Menu = Menu {
    path: "/ip/address",
    props: &[
        prop("address", Kind::Cidr).req(),
        prop("netmask", Kind::Ip).write_only(),
        prop("network", Kind::Ip),
        prop("broadcast", Kind::Ip),
        prop("interface", Kind::Iface(&[])).req(),
        prop("actual-interface", Kind::Word).ro(),
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
        // A router writes it into every export.
        if let (Some((ip, length)), None) = (address, item.get("network")) {
            item.put("network", Ipv4Addr::from(u32::from(ip) & mask(length)).to_string());
        }
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
        prop("pref-src", Kind::Ip).when(V6),
        prop("pref-src", Kind::Ip).quiet().when(V7),
        prop("gateway", Kind::Word),
        word("gateway-status").ro().when(V6),
        word("immediate-gw").ro().when(V7),
        word("local-address").ro().when(V7),
        prop("check-gateway", Kind::Enum(&["none", "arp", "ping", "bfd"])),
        prop("routing-table", Kind::Word).or("main").when(V7),
        prop("routing-mark", Kind::Word).when(V6),
        prop("type", Kind::Enum(&["unicast", "blackhole", "prohibit", "unreachable"])).when(V6),
        prop("blackhole", Kind::Bool).when(V7),
        prop("suppress-hw-offload", Kind::Bool).or("no").when(V7),
        prop("distance", Kind::Num(1, 255)).or("1"),
        prop("scope", Kind::Num(0, 255)).or("30"),
        prop("target-scope", Kind::Num(0, 255)).or("10"),
    ],
    flags: &[
        flag('X', "disabled").when(V6),
        flag('A', "active").last().when(V6),
        flag('D', "dynamic").last().when(V6),
        flag('C', "connect").when(V6),
        flag('S', "static").when(V6),
        flag('r', "rip").when(V6),
        flag('b', "bgp").when(V6),
        flag('o', "ospf").when(V6),
        flag('m', "mme").last().when(V6),
        flag('B', "blackhole").when(V6),
        flag('U', "unreachable").when(V6),
        flag('P', "prohibit").when(V6),
        flag('D', "dynamic").last().when(V7),
        flag('X', "disabled").when(V7),
        flag('A', "active").last().when(V7),
        flag('c', "connect").when(V7),
        flag('s', "static").when(V7),
    ],
    columns: &["dst-address", "pref-src", "gateway", "routing-table", "distance"],
    id_space: "/ip/route",
    hooks: &RouteHooks,
    ..LIST_MENU
};

struct RouteHooks;

impl Hooks for RouteHooks {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let v7 = sys.spec.version.is_v7();
        let mut rows = Vec::new();
        for item in sys.config(|config| config.items("/ip/route").to_vec()) {
            let mut row = Row::new(item.id);
            for prop in sys.props(&ROUTE) {
                if let Some(value) = item.get(prop.name).or(prop.default.filter(|_| !prop.quiet)) {
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
            for kind in ["blackhole", "unreachable", "prohibit"] {
                if !v7 && item.get("type") == Some(kind) {
                    row.flag(kind, true);
                }
            }
            let gateway = item.get("gateway").unwrap_or_default();
            row.flag("active", !item.disabled && (goes_nowhere(&item) || sys.reaches(gateway)));
            rows.push(row);
        }
        for (at, (prefix, address, interface, up)) in sys.connected().into_iter().enumerate() {
            let mut row = Row::new(DYNAMIC_ID + u32::try_from(at).unwrap_or(0))
                .with("dst-address", prefix)
                .with(if v7 { "local-address" } else { "pref-src" }, address)
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
        // One host is a network, too.
        if let Some(host) = item.get("dst-address").filter(|text| !text.contains('/')).map(|host| format!("{host}/32"))
        {
            item.put("dst-address", host);
        }
        let Some(gateway) = item.get("gateway") else { return wants_gateway(item) };
        if gateway.parse::<Ipv4Addr>().is_ok() || sys.interface_names().iter().any(|known| known == gateway) {
            Ok(())
        } else {
            Err(Refused::InvalidValue("gateway".to_owned()))
        }
    }
}

/// Whether a route drops what it takes: such a one needs no gateway.
fn goes_nowhere(item: &Item) -> bool {
    item.get("blackhole") == Some("yes") || item.get("type").is_some_and(|kind| kind != "unicast")
}

/// The refusal of a route that has no gateway, if it needs one.
pub(super) fn wants_gateway(item: &Item) -> Result<(), Refused> {
    if goes_nowhere(item) { Ok(()) } else { Err(Refused::Missing(vec!["gateway"])) }
}

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
        prop("certificate", Kind::Ref("/certificate", &["none"])),
        prop("vrf", Kind::Word).or("main").when(V7),
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
        prop("interface-name", Kind::Word).ro(),
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
        prop("protocol", Kind::Word).or("cdp,lldp,mndp").when(|v, _| v.at_least(6, 44)),
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
        word("dhcp-options").quiet(),
        prop("script", Kind::Str).or("").quiet(),
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
        prop("servers", Kind::List(&Kind::Host)).or(""),
        prop("allow-remote-requests", Kind::Bool).or("no"),
        prop("max-udp-packet-size", Kind::Num(50, 65_507)).or("4096"),
        prop("cache-size", Kind::Word).or("2048KiB"),
        time("cache-max-ttl").or("1w"),
        word("max-concurrent-queries").or("100").quiet(),
        word("max-concurrent-tcp-sessions").or("20").quiet(),
        time("query-server-timeout").or("2s").quiet(),
        time("query-total-timeout").or("10s").quiet(),
        word("use-doh-server").or("").when(|v, _| v.at_least(6, 47)),
        no("verify-doh-cert").when(|v, _| v.at_least(6, 47)),
    ],
    ..SINGLE_MENU
};

static SSH: Menu = Menu {
    path: "/ip/ssh",
    props: &[
        prop("forwarding-enabled", Kind::Enum(&["no", "local", "remote", "both"])).or("no"),
        // One took the other's place; in which version is not known [verify].
        prop("always-allow-password-login", Kind::Bool).or("no").when(|v, _| !v.at_least(7, 22)),
        prop("password-authentication", Kind::Enum(&["no", "yes", "yes-if-no-key"]))
            .or("yes-if-no-key")
            .when(|v, _| v.at_least(7, 22)),
        prop("strong-crypto", Kind::Bool).or("no"),
        prop("host-key-size", Kind::Enum(&["1024", "1536", "2048", "4096", "8192"])).or("2048"),
        // What the key is is opaque; export and import carry this text.
        prop("host-key", Kind::Str).ro().write_only(),
    ],
    ..SINGLE_MENU
};

single!(
    SETTINGS,
    "/ip/settings",
    [
        yes("ip-forward"),
        yes("send-redirects"),
        yes("accept-source-route").or("no"),
        yes("accept-redirects").or("no"),
        yes("secure-redirects"),
        prop("rp-filter", Kind::Enum(&["no", "loose", "strict"])).or("no"),
        no("tcp-syncookies"),
        prop("max-neighbor-entries", Kind::Num(0, 4_294_967_295)).or("8192"),
        time("arp-timeout").or("30s"),
        prop("icmp-rate-limit", Kind::Num(0, 4_294_967_295)).or("10"),
        yes("allow-fast-path"),
    ]
);

list!(ARP, "/ip/arp", [
    prop("address", Kind::Ip).req(),
    prop("mac-address", Kind::Mac),
    prop("interface", Kind::Iface(&[])).req(),
    no("published"),
], columns ["address", "mac-address", "interface"],
    flags: &[
        flag('X', "disabled"),
        flag('I', "invalid"),
        flag('H', "DHCP"),
        flag('D', "dynamic"),
        flag('P', "published"),
        flag('C', "complete"),
    ]);

list!(POOL, "/ip/pool", [
    prop("name", Kind::Str).req(),
    word("ranges").req(),
    prop("next-pool", Kind::Ref("/ip/pool", &["none"])).or("none"),
], columns ["name", "ranges"], verbs: Verbs::SET.and(Verbs::ADD).and(Verbs::REMOVE).and(Verbs::COMMENT), hooks: &UniqueName);

list!(DNS_STATIC, "/ip/dns/static", [
    word("name"),
    word("regexp"),
    prop("type", Kind::Enum(&["A", "AAAA", "CNAME", "FWD", "MX", "NS", "NXDOMAIN", "SRV", "TXT"]))
        .or("A")
        .when(|v, _| v.at_least(6, 47)),
    prop("address", Kind::Host),
    word("cname"),
    prop("ttl", Kind::Time).or("1d"),
], columns ["name", "type", "address", "ttl"], hooks: &StaticHooks);

/// An entry with an address of IPv6 is one of type AAAA.
struct StaticHooks;

impl Hooks for StaticHooks {
    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        let ip6 = item.get("address").is_some_and(|text| text.contains(':'));
        let a = item.get("type").is_none_or(|kind| kind == "A");
        if ip6 && a && sys.prop(&DNS_STATIC, "type").is_some() {
            item.put("type", "AAAA");
        }
        Ok(())
    }
}

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
