//! Interfaces that the simulated network does not have: VLANs and tunnels are stored, listed and referred to, and never run.

use super::interface::{INTERFACES, LIST_MENU};
use super::short::{count, list, no, text, time, word, yes};
use crate::menu::config::Item;
use crate::menu::def::{Menu, V7, flag, prop};
use crate::menu::hooks::{Hooks, UniqueName};
use crate::menu::kind::Kind;
use crate::menu::refused::Refused;
use crate::system::System;

pub(super) static MENUS: &[&Menu] =
    &[&VLAN, &EOIP, &GRE, &IPIP, &PPPOE_CLIENT, &L2TP_CLIENT, &WIREGUARD, &WIREGUARD_PEERS];

const MTU: Kind = Kind::NumOr(68, 65_535, &["auto"]);

/// Interfaces are named `vlan1`, `eoip-tunnel1` and so on when no name is given.
struct Named(&'static str);

impl Hooks for Named {
    fn prepare(&self, sys: &System, item: &mut Item, _old: Option<&Item>) -> Result<(), Refused> {
        super::interface::auto_name(sys, item, self.0);
        Ok(())
    }
}

list!(VLAN, "/interface/vlan", [
    text("name").always(),
    prop("mtu", Kind::Num(68, 65_535)).or("1500"),
    word("mac-address").ro(),
    prop("arp", super::interface::ARP).or("enabled"),
    prop("arp-timeout", Kind::TimeOr(&["auto"])).or("auto").quiet(),
    prop("loop-protect", Kind::Enum(&["default", "on", "off"])).or("default").quiet(),
    prop("vlan-id", Kind::Num(1, 4095)).or("1").always(),
    prop("interface", Kind::Iface(&[])).req(),
    no("use-service-tag"),
], columns ["name", "mtu", "arp", "vlan-id", "interface"],
    flags: &[flag('X', "disabled"), flag('R', "running").last()],
    id_space: INTERFACES, hooks: &Named("vlan"));

list!(EOIP, "/interface/eoip", [
    text("name").always(),
    prop("mtu", MTU).or("auto"),
    prop("mac-address", Kind::Mac),
    prop("arp", super::interface::ARP).or("enabled"),
    prop("arp-timeout", Kind::TimeOr(&["auto"])).or("auto").quiet(),
    word("local-address").quiet(),
    word("remote-address").req(),
    prop("tunnel-id", Kind::Num(0, 65_535)).or("0").always(),
    text("ipsec-secret").secret(),
    word("keepalive").or("10s,10"),
    no("allow-fast-path").or("yes"),
], columns ["name", "mtu", "mac-address", "remote-address", "tunnel-id"],
    flags: &[flag('X', "disabled"), flag('R', "running").last()], id_space: INTERFACES, hooks: &Named("eoip-tunnel"));

list!(GRE, "/interface/gre", [
    text("name").always(),
    prop("mtu", MTU).or("auto"),
    word("local-address"),
    word("remote-address").req(),
    text("ipsec-secret").secret(),
    word("keepalive").or("10s,10"),
    yes("allow-fast-path"),
], columns ["name", "mtu", "remote-address"],
    flags: &[flag('X', "disabled"), flag('R', "running").last()], id_space: INTERFACES, hooks: &Named("gre-tunnel"));

list!(IPIP, "/interface/ipip", [
    text("name").always(),
    prop("mtu", MTU).or("auto"),
    word("local-address"),
    word("remote-address").req(),
    text("ipsec-secret").secret(),
], columns ["name", "mtu", "remote-address"],
    flags: &[flag('X', "disabled"), flag('R', "running").last()], id_space: INTERFACES, hooks: &Named("ipip-tunnel"));

list!(PPPOE_CLIENT, "/interface/pppoe-client", [
    text("name").always(),
    prop("max-mtu", MTU).or("auto"),
    prop("max-mru", MTU).or("auto"),
    prop("interface", Kind::Iface(&[])).req(),
    text("user").or(""),
    text("password").or("").secret(),
    word("profile").or("default"),
    text("service-name").or(""),
    text("ac-name").or(""),
    no("add-default-route"),
    no("dial-on-demand"),
    no("use-peer-dns"),
    word("allow").or("pap,chap,mschap1,mschap2"),
], columns ["name", "interface", "user", "profile"],
    flags: &[flag('X', "disabled"), flag('I', "invalid").last(), flag('R', "running")],
    id_space: INTERFACES, hooks: &Named("pppoe-out"));

list!(L2TP_CLIENT, "/interface/l2tp-client", [
    text("name").always(),
    count("max-mtu").or("1450"),
    count("max-mru").or("1450"),
    word("connect-to").req(),
    text("user").or(""),
    text("password").or("").secret(),
    word("profile").or("default-encryption"),
    no("use-ipsec"),
    text("ipsec-secret").or("").secret(),
    no("add-default-route"),
], columns ["name", "connect-to", "user", "profile"],
    flags: &[flag('X', "disabled"), flag('R', "running").last()], id_space: INTERFACES, hooks: &Named("l2tp-out"));

list!(WIREGUARD, "/interface/wireguard", [
    text("name").always(),
    count("mtu").or("1420"),
    prop("listen-port", Kind::Num(0, 65_535)).or("0").always(),
    text("private-key").secret(),
    text("public-key").ro(),
], columns ["name", "mtu", "listen-port"],
    flags: &[flag('X', "disabled"), flag('R', "running").last()],
    when: V7, id_space: INTERFACES, hooks: &Named("wireguard"));

list!(WIREGUARD_PEERS, "/interface/wireguard/peers", [
    text("name").when(|v, _| v.at_least(7, 15)),
    prop("interface", Kind::Ref("/interface/wireguard", &[])).req(),
    text("public-key").req(),
    text("private-key").secret().when(|v, _| v.at_least(7, 15)),
    text("preshared-key").secret(),
    text("endpoint-address").or(""),
    prop("endpoint-port", Kind::Num(0, 65_535)).or("0"),
    word("allowed-address").or(""),
    time("persistent-keepalive").quiet(),
], columns ["interface", "public-key", "endpoint-port", "allowed-address"], flags: &[flag('X', "disabled")], when: V7, hooks: &UniqueName);
