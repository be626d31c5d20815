//! `/routing` and `/ipv6`: configuration that prints and exports; no routing protocol runs.

use super::interface::{LIST_MENU, SINGLE_MENU};
use super::services::Default;
use super::short::{count, list, no, single, text, time, word, yes};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Shape, V6, V7, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, UniqueName};
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::refused::Refused;
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[
    &TABLE,
    &RULE,
    &BGP_INSTANCE,
    &BGP_PEER,
    &BGP_NETWORK,
    &BGP_VPNV4,
    &BGP_ADVERTISEMENTS,
    &BGP_TEMPLATE,
    &BGP_CONNECTION,
    &BGP_SESSION,
    &OSPF_INSTANCE,
    &OSPF_AREA,
    &OSPF_INTERFACE,
    &OSPF_TEMPLATE,
    &OSPF_NETWORK,
    &OSPF_NEIGHBOR,
    &IPV6_ADDRESS,
    &IPV6_ROUTE,
    &IPV6_NEIGHBOR,
    &IPV6_ND,
    &IPV6_SETTINGS,
];

const AS: Kind = Kind::Num(0, 4_294_967_295);

list!(TABLE, "/routing/table", [text("name").req(), no("fib").quiet()], columns ["name", "fib"],
    flags: &[flag('D', "dynamic").last(), flag('X', "disabled"), flag('I', "invalid")], when: V7, hooks: &UniqueName);
list!(RULE, "/routing/rule", [
    word("src-address"),
    word("dst-address"),
    word("routing-mark"),
    word("interface"),
    word("action").or("lookup").always(),
    word("table"),
], columns ["src-address", "dst-address", "action", "table"], shape: Shape::Ordered, when: V7);

list!(BGP_INSTANCE, "/routing/bgp/instance", [
    text("name").req(),
    prop("as", AS).or("65530"),
    word("router-id"),
    no("redistribute-connected"),
    no("redistribute-static"),
    no("redistribute-rip"),
    no("redistribute-ospf"),
    no("redistribute-other-bgp"),
    text("out-filter").or(""),
    yes("client-to-client-reflection"),
    no("ignore-as-path-len"),
], columns ["name", "as", "router-id"], printed: Style::Detail,
    flags: &[flag('*', "default"), flag('X', "disabled")], export: Export::AddOrSet("name"), when: V6, hooks: &Default);
list!(BGP_PEER, "/routing/bgp/peer", [
    text("name"),
    word("instance").or("default"),
    prop("remote-address", Kind::Ip).req(),
    prop("remote-as", AS).req(),
    text("tcp-md5-key").or("").secret(),
    word("nexthop-choice").or("default"),
    no("multihop"),
    no("route-reflect"),
    time("hold-time").or("3m"),
    word("ttl").or("default"),
    text("in-filter").or(""),
    text("out-filter").or(""),
    word("address-families").or("ip"),
    no("default-originate").quiet(),
    word("update-source").quiet(),
    word("state").ro(),
], columns ["name", "remote-address", "remote-as"], printed: Style::Brief,
    flags: &[flag('X', "disabled"), flag('E', "established")], when: V6);
list!(BGP_NETWORK, "/routing/bgp/network", [prop("network", Kind::Net).req(), yes("synchronize")],
    columns ["network", "synchronize"], when: V6);
list!(BGP_VPNV4, "/routing/bgp/vpnv4-route", [word("dst-address").ro(), word("gateway").ro(), word("interface").ro()],
    columns ["dst-address", "gateway"], verbs: Verbs::READ, export: Export::No, when: V6);
list!(BGP_ADVERTISEMENTS, "/routing/bgp/advertisements", [
    word("peer").ro(),
    word("prefix").ro(),
    word("nexthop").ro(),
], columns ["peer", "prefix", "nexthop"], verbs: Verbs::READ, export: Export::No);
list!(BGP_TEMPLATE, "/routing/bgp/template", [
    text("name").req(),
    prop("as", AS),
    prop("router-id", Kind::Ip),
    word("address-families"),
    word("routing-table"),
], columns ["name", "as"], printed: Style::Detail, flags: &[flag('*', "default"), flag('X', "disabled")],
    export: Export::AddOrSet("name"), when: V7, hooks: &Default);
list!(BGP_CONNECTION, "/routing/bgp/connection", [
    text("name").req(),
    word("remote.address"),
    word("remote.as"),
    word("local.address"),
    word("local.role"),
    prop("as", AS),
    word("instance"),
    word("templates"),
    prop("router-id", Kind::Ip),
    word("address-families"),
    word("routing-table"),
    no("connect").or("yes").quiet(),
    no("listen").or("yes").quiet(),
    text("tcp-md5-key").secret(),
    word("output.network"),
    word("output.redistribute"),
    text("output.filter-chain"),
    text("input.filter"),
], columns ["name", "remote.address"], printed: Style::Detail,
    flags: &[flag('D', "dynamic").last(), flag('X', "disabled"), flag('I', "inactive")], when: V7, hooks: &UniqueName);
list!(BGP_SESSION, "/routing/bgp/session", [
    text("name").ro(),
    word("remote.address").ro(),
    word("remote.as").ro(),
    time("uptime").ro(),
], columns ["name", "remote.address"], verbs: Verbs::READ, export: Export::No, flags: &[flag('E', "established")], when: V7);

list!(OSPF_INSTANCE, "/routing/ospf/instance", [
    text("name").req(),
    word("version").or("2").when(V7),
    word("router-id"),
    word("redistribute").when(V7),
    word("redistribute-connected").or("no").when(V6),
    word("redistribute-static").or("no").when(V6),
    word("distribute-default").or("never").when(V6),
    word("originate-default").when(V7),
], columns ["name", "router-id"], printed: Style::Detail, flags: &[flag('*', "default"), flag('X', "disabled")],
    export: Export::AddOrDefault, hooks: &Default);
list!(OSPF_AREA, "/routing/ospf/area", [
    text("name").req(),
    word("instance").or("default"),
    word("area-id").or("0.0.0.0"),
    word("type").or("default"),
], columns ["name", "instance", "area-id", "type"], flags: &[flag('*', "default"), flag('X', "disabled"), flag('I', "invalid")],
    export: Export::AddOrDefault, hooks: &Default);
list!(OSPF_INTERFACE, "/routing/ospf/interface", [
    word("interface").or("all"),
    count("cost").or("10"),
    count("priority").or("1"),
    word("authentication").or("none"),
    text("authentication-key").or("").secret(),
    word("network-type").or("default"),
    no("passive"),
], columns ["interface", "cost", "priority", "network-type"], when: V6);
list!(OSPF_TEMPLATE, "/routing/ospf/interface-template", [
    word("interfaces"),
    word("area").req(),
    word("networks"),
    word("type").or("broadcast"),
    count("cost"),
    text("auth-key").secret(),
    no("passive").quiet(),
], columns ["interfaces", "area", "type"], printed: Style::Detail, when: V7);
list!(OSPF_NETWORK, "/routing/ospf/network", [prop("network", Kind::Net).req(), word("area").req()],
    columns ["network", "area"], when: V6);
list!(OSPF_NEIGHBOR, "/routing/ospf/neighbor", [
    word("instance").ro(),
    word("router-id").ro(),
    word("address").ro(),
    word("interface").ro(),
    word("state").ro(),
], columns ["router-id", "address", "interface", "state"], printed: Style::Detail, verbs: Verbs::READ, export: Export::No);

list!(IPV6_ADDRESS, "/ipv6/address", [
    word("address").req(),
    word("from-pool").or(""),
    prop("interface", Kind::Iface(&[])).req(),
    word("actual-interface").ro(),
    no("eui-64"),
    yes("advertise"),
    no("no-dad"),
], columns ["address", "from-pool", "interface", "advertise"],
    flags: &[flag('X', "disabled"), flag('I', "invalid").last(), flag('D', "dynamic").last(), flag('G', "global"), flag('L', "link-local")]);
list!(IPV6_ROUTE, "/ipv6/route", [
    word("dst-address").or("::/0"),
    word("gateway"),
    prop("type", Kind::Enum(&["unicast", "unreachable"])).when(V6),
    prop("blackhole", Kind::Bool).when(V7),
    prop("check-gateway", Kind::Enum(&["none", "arp", "ping", "bfd"])).quiet(),
    prop("distance", Kind::Num(1, 255)).or("1"),
    word("routing-table").or("main").quiet().when(V7),
    prop("scope", Kind::Num(0, 255)).or("30").quiet(),
    prop("target-scope", Kind::Num(0, 255)).or("10").quiet(),
    no("suppress-hw-offload").quiet().when(V7),
], columns ["dst-address", "gateway", "distance"], hooks: &Route6);

struct Route6;

impl Hooks for Route6 {
    fn prepare(&self, _sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        if item.get("gateway").is_some() { Ok(()) } else { super::ip::wants_gateway(item) }
    }
}

list!(IPV6_NEIGHBOR, "/ipv6/neighbor", [
    word("address").ro(),
    word("interface").ro(),
    word("mac-address").ro(),
    word("status").ro(),
], columns ["address", "interface", "mac-address", "status"], verbs: Verbs::REMOVE, export: Export::No);
list!(IPV6_ND, "/ipv6/nd", [
    word("interface").or("all"),
    word("ra-interval").or("3m20s-10m"),
    time("ra-lifetime").or("30m"),
    word("mtu").or("unspecified"),
    yes("advertise-dns"),
    no("managed-address-configuration"),
    no("other-configuration"),
], columns ["interface", "ra-interval", "ra-lifetime"], printed: Style::Detail);
single!(
    IPV6_SETTINGS,
    "/ipv6/settings",
    [
        no("disable-ipv6").when(V7),
        yes("forward"),
        word("accept-redirects").or("yes-if-forwarding-disabled"),
        word("accept-router-advertisements").or("yes-if-forwarding-disabled"),
        count("max-neighbor-entries").or("8192"),
    ]
);
