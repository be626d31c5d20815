//! DHCP, PPP, queues, SNMP, RADIUS, IPsec: configuration that exports and prints, without effect on the simulated network.

use super::interface::{LIST_MENU, SINGLE_MENU};
use super::short::{count, list, no, single, text, time, word, yes};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Shape, V6, V7, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, Named, UniqueName};
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::system::{System, Who};

pub(super) static MENUS: &[&Menu] = &[
    &DHCP_SERVER,
    &DHCP_NETWORK,
    &DHCP_LEASE,
    &DHCP_RELAY,
    &IPSEC_PROFILE,
    &IPSEC_PROPOSAL,
    &IPSEC_PEER,
    &IPSEC_IDENTITY,
    &IPSEC_POLICY,
    &PPP_PROFILE,
    &PPP_SECRET,
    &PPP_ACTIVE,
    &PPP_AAA,
    &QUEUE_TYPE,
    &QUEUE_SIMPLE,
    &QUEUE_TREE,
    &QUEUE_INTERFACE,
    &SNMP,
    &SNMP_COMMUNITY,
    &RADIUS,
    &RADIUS_INCOMING,
    &PROXY,
    &SOCKS,
    &TRAFFIC_FLOW,
    &UPNP,
];

/// What cannot be taken away has the flag `*`.
pub(super) struct Default;

impl Hooks for Default {
    fn fill(&self, _sys: &System, item: &Item, row: &mut Row) -> bool {
        row.flag("default", item.builtin);
        true
    }

    fn duplicate(&self) -> Option<&'static str> {
        UniqueName.duplicate()
    }
}

const EDIT: Verbs = Verbs::SET.and(Verbs::ADD).and(Verbs::REMOVE).and(Verbs::COMMENT);

list!(DHCP_SERVER, "/ip/dhcp-server", [
    text("name").req(),
    prop("interface", Kind::Iface(&[])).req(),
    word("relay").quiet(),
    prop("address-pool", Kind::Ref("/ip/pool", &["static-only"])).or("static-only"),
    time("lease-time").or("10m").when(V6),
    time("lease-time").or("30m").when(V7),
    word("authoritative").or("yes").quiet(),
    text("lease-script").or("").quiet(),
    no("add-arp").quiet(),
    no("always-broadcast").quiet(),
    word("address-lists").or("").quiet(),
    word("bootp-lease-time").or("forever").quiet(),
    word("bootp-support").or("static").quiet(),
    word("client-mac-limit").or("unlimited").quiet(),
    yes("conflict-detection").quiet(),
    word("delay-threshold").or("none").quiet(),
    word("dhcp-option-set").or("none").quiet(),
    word("insert-queue-before").quiet(),
    word("parent-queue").quiet(),
    word("server-address").quiet(),
    no("use-framed-as-classless").or("yes").quiet(),
    word("use-radius").or("no").quiet(),
    no("use-reconfigure").quiet().when(V7),
], columns ["name", "interface", "relay", "address-pool", "lease-time"],
    flags: &[flag('D', "dynamic").last(), flag('X', "disabled"), flag('I', "invalid")], hooks: &UniqueName);
list!(DHCP_NETWORK, "/ip/dhcp-server/network", [
    prop("address", Kind::Net).req(),
    word("gateway").or(""),
    word("netmask").quiet(),
    word("dns-server").or(""),
    word("wins-server").or("").quiet(),
    word("ntp-server").or("").quiet(),
    text("domain").or(""),
    word("dhcp-option").or("").quiet(),
    word("dhcp-option-set").or("").quiet(),
    text("boot-file-name").or("").quiet(),
    word("next-server").quiet(),
    word("caps-manager").or("").quiet(),
    no("dns-none").quiet(),
    no("ntp-none").quiet().when(V7),
], columns ["address", "gateway", "dns-server", "domain"], verbs: EDIT);
list!(DHCP_LEASE, "/ip/dhcp-server/lease", [
    prop("address", Kind::Ip),
    prop("mac-address", Kind::Mac),
    word("client-id"),
    prop("server", Kind::Ref("/ip/dhcp-server", &["all"])),
    word("address-lists").or("").quiet(),
    word("dhcp-option").or("").quiet(),
    word("host-name").ro(),
    word("rate-limit").or("").quiet(),
    word("status").or("waiting").ro(),
    word("last-seen").or("never").ro(),
], columns ["address", "mac-address", "host-name", "server", "rate-limit", "status", "last-seen"],
    flags: &[flag('X', "disabled"), flag('R', "radius").last(), flag('D', "dynamic").last(), flag('B', "blocked")]);
list!(DHCP_RELAY, "/ip/dhcp-relay", [
    text("name").req(),
    prop("interface", Kind::Iface(&[])).req(),
    word("dhcp-server").req(),
    prop("local-address", Kind::Ip),
], columns ["name", "interface", "dhcp-server", "local-address"], hooks: &UniqueName);

list!(IPSEC_PROFILE, "/ip/ipsec/profile", [
    text("name").req(),
    word("hash-algorithm").or("sha1"),
    word("enc-algorithm").or("aes-128,3des"),
    word("dh-group").or("modp2048,modp1024"),
    time("lifetime").or("1d"),
    yes("nat-traversal"),
    word("dpd-interval").or("2m"),
    count("dpd-maximum-failures").or("5"),
], columns ["name", "hash-algorithm", "enc-algorithm", "dh-group"], verbs: EDIT, printed: Style::Detail,
    flags: &[flag('*', "default")], export: Export::AddOrSet("name"), hooks: &Default);
list!(IPSEC_PROPOSAL, "/ip/ipsec/proposal", [
    text("name").req(),
    word("auth-algorithms").or("sha1"),
    word("enc-algorithms").or("aes-256-cbc,aes-192-cbc,aes-128-cbc"),
    time("lifetime").or("30m"),
    word("pfs-group").or("modp1024"),
], columns ["name", "auth-algorithms", "enc-algorithms"], printed: Style::Detail,
    flags: &[flag('X', "disabled").last(), flag('*', "default")], export: Export::AddOrDefault, hooks: &Default);
list!(IPSEC_PEER, "/ip/ipsec/peer", [
    text("name").req(),
    word("address"),
    prop("local-address", Kind::Ip),
    prop("profile", Kind::Ref("/ip/ipsec/profile", &["default"])).or("default"),
    word("exchange-mode").or("main"),
    no("passive").quiet(),
    yes("send-initial-contact"),
], columns ["name", "address", "profile"], printed: Style::Detail, hooks: &UniqueName);
list!(IPSEC_IDENTITY, "/ip/ipsec/identity", [
    prop("peer", Kind::Ref("/ip/ipsec/peer", &[])).req(),
    word("auth-method").or("pre-shared-key"),
    text("secret").secret(),
    prop("certificate", Kind::Ref("/certificate", &["none"])),
    word("generate-policy").or("no"),
    word("policy-template-group").quiet(),
], columns ["peer", "auth-method"], printed: Style::Detail);
list!(IPSEC_POLICY, "/ip/ipsec/policy", [
    word("peer"),
    no("tunnel"),
    word("src-address"),
    word("dst-address"),
    word("protocol").or("all"),
    word("action").or("encrypt"),
    word("level").or("require"),
    prop("proposal", Kind::Ref("/ip/ipsec/proposal", &["default"])).or("default"),
    no("template").quiet(),
    word("group").quiet(),
    word("src-port").quiet(),
    word("dst-port").quiet(),
    word("ipsec-protocols").or("esp").quiet(),
    word("sa-src-address").quiet(),
    word("sa-dst-address").quiet(),
], columns ["peer", "tunnel", "src-address", "dst-address", "action"], shape: Shape::Ordered,
    flags: &[flag('X', "disabled"), flag('*', "default")],
    export: Export::AddOrDefault, hooks: &Default);

list!(PPP_PROFILE, "/ppp/profile", [
    text("name").req(),
    word("local-address"),
    word("remote-address"),
    word("bridge").quiet(),
    word("use-compression").or("default"),
    word("use-encryption").or("default"),
    word("only-one").or("default"),
    word("change-tcp-mss").or("default"),
    word("rate-limit").quiet(),
    word("dns-server").quiet(),
    word("wins-server").quiet(),
    word("address-list").or("").quiet(),
    word("bridge-horizon").quiet(),
    word("bridge-learning").or("default").quiet(),
    word("bridge-path-cost").quiet(),
    word("bridge-port-priority").quiet(),
    word("idle-timeout").quiet(),
    word("incoming-filter").quiet(),
    word("outgoing-filter").quiet(),
    word("insert-queue-before").quiet(),
    word("interface-list").quiet(),
    word("parent-queue").quiet(),
    word("queue-type").quiet(),
    word("session-timeout").quiet(),
    word("use-ipv6").or("yes").quiet(),
    word("use-mpls").or("default").quiet(),
    word("use-upnp").or("default").quiet(),
    text("on-up").or(""),
    text("on-down").or(""),
], columns ["name", "local-address", "remote-address"], verbs: EDIT, printed: Style::Detail,
    flags: &[flag('*', "default")], export: Export::AddOrSet("name"), hooks: &Default);
list!(PPP_SECRET, "/ppp/secret", [
    text("name").req(),
    prop("service", Kind::Enum(&["any", "async", "l2tp", "ovpn", "pppoe", "pptp", "sstp"])).or("any"),
    word("caller-id").or("").quiet(),
    text("password").or("").secret(),
    word("profile").or("default"),
    word("local-address"),
    word("remote-address"),
    word("routes").or("").quiet(),
    word("limit-bytes-in").or("0").quiet(),
    word("limit-bytes-out").or("0").quiet(),
], columns ["name", "service", "profile", "remote-address"], flags: &[flag('X', "disabled")], hooks: &UniqueName);
list!(PPP_ACTIVE, "/ppp/active", [
    text("name").ro(),
    word("service").ro(),
    word("caller-id").ro(),
    word("address").ro(),
    time("uptime").ro(),
], columns ["name", "service", "caller-id", "address", "uptime"], verbs: Verbs::REMOVE, export: Export::No);
single!(PPP_AAA, "/ppp/aaa", [no("use-radius"), yes("accounting"), time("interim-update").or("0s")]);

list!(QUEUE_TYPE, "/queue/type", [
    text("name").req(),
    word("kind").req(),
    word("pfifo-limit"),
    word("bfifo-limit"),
    word("mq-pfifo-limit"),
    word("pcq-rate"),
    word("pcq-limit"),
    word("pcq-total-limit"),
    word("pcq-classifier"),
    word("pcq-burst-rate"),
    word("pcq-burst-threshold"),
    word("pcq-burst-time"),
    word("pcq-dst-address-mask"),
    word("pcq-dst-address6-mask"),
    word("pcq-src-address-mask"),
    word("pcq-src-address6-mask"),
    word("red-avg-packet"),
    word("red-burst"),
    word("red-limit"),
    word("red-max-threshold"),
    word("red-min-threshold"),
    word("sfq-allot"),
    word("sfq-perturb"),
], columns ["name", "kind"], verbs: EDIT, flags: &[flag('*', "default")], export: Export::AddOrSet("name"), hooks: &Default);
list!(QUEUE_SIMPLE, "/queue/simple", [
    text("name").req(),
    word("target").req(),
    word("dst").or("").quiet(),
    word("parent").or("none"),
    word("packet-marks").or(""),
    word("priority").or("8/8"),
    word("queue").or("default-small/default-small"),
    word("limit-at").or("0/0"),
    word("max-limit").or("0/0"),
    word("burst-limit").or("0/0"),
    word("burst-threshold").or("0/0"),
    word("burst-time").or("0s/0s"),
    word("bucket-size").or("0.1/0.1").quiet(),
    word("time").or("").quiet(),
    word("total-queue").or("default-small").quiet(),
    word("total-limit-at").or("0").quiet(),
    word("total-max-limit").or("0").quiet(),
    word("total-priority").or("8").quiet(),
    word("total-burst-limit").or("0").quiet(),
    word("total-burst-threshold").or("0").quiet(),
    word("total-burst-time").or("0s").quiet(),
    word("total-bucket-size").or("0.1").quiet(),
], columns ["name", "target", "max-limit"], shape: Shape::Ordered, printed: Style::Detail,
    flags: &[flag('X', "disabled"), flag('I', "invalid").last(), flag('D', "dynamic")], hooks: &UniqueName);
list!(QUEUE_TREE, "/queue/tree", [
    text("name").req(),
    word("parent").req(),
    word("packet-mark").or(""),
    word("limit-at").or("0"),
    word("queue").or("default-small"),
    count("priority").or("8"),
    word("burst-limit").or("0").quiet(),
    word("burst-threshold").or("0").quiet(),
    word("burst-time").or("0s").quiet(),
    word("bucket-size").or("0.1").quiet(),
    word("max-limit").or("0"),
], columns ["name", "parent", "max-limit"], printed: Style::Detail, hooks: &UniqueName);

/// One for each interface; what somebody set is kept by the interface's name.
struct Queues;

impl Hooks for Queues {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let set = sys.config(|config| config.items(QUEUE_INTERFACE.path).to_vec());
        let row = |(name, id): (String, u32)| {
            let known = set.iter().find(|item| item.get("interface") == Some(&name));
            let or = if sys.socket(&name).is_some() { "only-hardware-queue" } else { "no-queue" };
            let queue = known.and_then(|item| item.get("queue")).unwrap_or(or);
            Row::new(id).with("name", name.as_str()).with("interface", name.as_str()).with("queue", queue)
        };
        Some(sys.interface_names().into_iter().zip(1..).map(row).collect())
    }

    fn set_row(&self, sys: &System, id: u32, named: &Named, _who: &Who) -> Option<Result<(), Refused>> {
        Some(keep_row(sys, &QUEUE_INTERFACE, "interface", id, named))
    }
}

/// Keeps values of a row that is not stored, by its name.
pub(super) fn keep_row(sys: &System, menu: &'static Menu, key: &str, id: u32, named: &Named) -> Result<(), Refused> {
    let row = sys.rows(menu).into_iter().find(|row| row.id == id).ok_or(Refused::NoSuchItem)?;
    let name = row.text("name").to_owned();
    let mut values = Vec::new();
    for (property, text) in named {
        let prop = sys.prop(menu, property).filter(|prop| !prop.read_only);
        let prop = prop.ok_or_else(|| Refused::BadParameter(property.clone()))?;
        values.push((prop.name, prop.kind.parse(property, text, sys)?));
    }
    sys.config_mut(|config| {
        let known = config.items(menu.path).iter().find(|item| item.get(key) == Some(&name)).map(|item| item.id);
        let known = known.unwrap_or_else(|| {
            let item = Item::default().with(key, name.as_str());
            config.insert(menu.path, menu.id_space, item, None)
        });
        if let Some(item) = config.item_mut(menu.path, known) {
            values.into_iter().for_each(|(property, value)| item.put(property, value));
        }
    });
    Ok(())
}

list!(QUEUE_INTERFACE, "/queue/interface", [
    prop("interface", Kind::Iface(&[])).ro(),
    word("queue"),
], columns ["interface", "queue"], verbs: Verbs::SET, export: Export::SetNamed("interface"), hooks: &Queues);

single!(
    SNMP,
    "/snmp",
    [
        no("enabled"),
        text("contact").or(""),
        text("location").or(""),
        text("engine-id").or("").when(V6),
        text("engine-id-suffix").or("").when(V7),
        word("src-address").or("::"),
        word("trap-target").or(""),
        word("trap-community").or("public"),
        count("trap-version").or("1"),
        word("trap-generators").or("temp-exception"),
        word("trap-interfaces").or("").quiet(),
        word("vrf").or("main").when(V7),
    ]
);
list!(SNMP_COMMUNITY, "/snmp/community", [
    text("name").req(),
    word("addresses").or("::/0"),
    word("security").or("none"),
    yes("read-access"),
    no("write-access"),
    word("authentication-protocol").or("MD5"),
    word("encryption-protocol").or("DES"),
    text("authentication-password").or("").secret(),
    text("encryption-password").or("").secret(),
], columns ["name", "addresses", "security", "read-access", "write-access"],
    flags: &[flag('X', "disabled").last(), flag('*', "default")], export: Export::AddOrDefault, hooks: &Default);
list!(RADIUS, "/radius", [
    word("service").or(""),
    word("called-id").or("").quiet(),
    word("domain").or("").quiet(),
    prop("address", Kind::Ip).req(),
    text("secret").or("").secret(),
    count("authentication-port").or("1812"),
    count("accounting-port").or("1813"),
    time("timeout").or("300ms"),
    word("protocol").or("udp").when(V7),
    word("src-address").or("0.0.0.0").quiet(),
], columns ["service", "called-id", "domain", "address"], shape: Shape::Ordered);
single!(RADIUS_INCOMING, "/radius/incoming", [no("accept"), count("port").or("3799")]);

single!(
    PROXY,
    "/ip/proxy",
    [no("enabled"), word("src-address").or("::"), word("port").or("8080"), no("anonymous"), no("cache-on-disk"),]
);
single!(SOCKS, "/ip/socks", [no("enabled"), count("port").or("1080"), count("max-connections").or("200")]);
single!(
    TRAFFIC_FLOW,
    "/ip/traffic-flow",
    [
        no("enabled"),
        word("interfaces").or("all"),
        word("cache-entries").or("256k"),
        time("active-flow-timeout").or("30m"),
        time("inactive-flow-timeout").or("15s"),
    ]
);
single!(UPNP, "/ip/upnp", [no("enabled"), no("allow-disable-external-interface"), yes("show-dummy-rule")]);
