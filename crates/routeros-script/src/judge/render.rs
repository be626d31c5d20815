//! Values as the intermediate form writes them.

use std::collections::BTreeMap;

use crate::literal::{self, Literal};
use crate::tree::Kind;

/// A value on its way into the form.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// Written as it is.
    Atom(String),
    /// An operator and its operands.
    Node(Node),
}

/// An operator and its operands.
///
/// `a - b - c` is `(- (- a b) c)`: what opens before the first operand is kept apart from it, so that a chain of operators
/// grows at its end only, and isn't copied once for each of them.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// The innermost operator first; the last is this node's own.
    operators: Vec<&'static str>,
    text: String,
}

impl Node {
    pub(super) fn new(operator: &'static str, first: Form) -> Self {
        match first {
            Form::Atom(text) => Self { operators: vec![operator], text },
            Form::Node(mut node) => {
                node.text.push(')');
                node.operators.push(operator);
                node
            }
        }
    }

    /// The operator.
    pub(super) fn is(&self, operator: &str) -> bool {
        self.operators.last() == Some(&operator)
    }

    pub(super) fn push(&mut self, operand: &str) {
        self.text.push(' ');
        self.text.push_str(operand);
    }

    /// The operands alone, blanks between them.
    pub(super) fn operands(mut self) -> String {
        self.operators.pop();
        let mut text = opened(&self.operators);
        text.push_str(&self.text);
        text
    }

    fn text(self) -> String {
        let mut text = opened(&self.operators);
        text.push_str(&self.text);
        text.push(')');
        text
    }
}

/// What opens before the first operand of nested operators.
fn opened(operators: &[&str]) -> String {
    operators.iter().rev().flat_map(|operator| ["(", operator, " "]).collect()
}

impl Form {
    pub(super) fn text(self) -> String {
        match self {
            Self::Atom(text) => text,
            Self::Node(node) => node.text(),
        }
    }
}

/// Bytes of a string as they are shown: as they are, quotes, backslashes and control characters too.
pub(super) fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An unquoted value where any value may stand.
pub(super) fn any(text: &str) -> String {
    match Literal::single(text) {
        Literal::Str(_) | Literal::Id(_) | Literal::List(_) => text.replace(',', ";"),
        literal => literal.to_string(),
    }
}

/// Arguments of firewall rules that may be negated: a flag for `!` stands before their value.
const NEGATABLE: &[&str] = &[
    "connection-bytes",
    "connection-mark",
    "connection-nat-state",
    "connection-rate",
    "connection-state",
    "connection-type",
    "dscp",
    "dst-address",
    "dst-address-list",
    "dst-address-type",
    "dst-port",
    "icmp-options",
    "in-bridge-port",
    "in-bridge-port-list",
    "in-interface",
    "in-interface-list",
    "layer7-protocol",
    "limit",
    "out-bridge-port",
    "out-bridge-port-list",
    "out-interface",
    "out-interface-list",
    "packet-mark",
    "packet-size",
    "port",
    "protocol",
    "routing-mark",
    "src-address",
    "src-address-list",
    "src-address-type",
    "src-mac-address",
    "src-port",
    "tcp-flags",
    "tcp-mss",
];

/// Arguments for which `yes` and `no` are two words among others, not truth values.
const WORDS: &[&str] = &[
    "add-default-route",
    "allow-dual-stack-queue",
    "authoritative",
    "bootp-support",
    "bridge-learning",
    "change-tcp-mss",
    "check-certificate",
    "dhcpv6-use-radius",
    "only-one",
    "remote-ipv6-prefix-reuse",
    "rx-flow-control",
    "tx-flow-control",
    "use-compression",
    "use-encryption",
    "use-ipv6",
    "use-mpls",
    "use-peer-dns",
    "use-radius",
    "use-upnp",
];

/// Menus whose `address` is an address with the length of its network.
const NETWORKS: &[&str] = &["/ip/address/", "/ip/dhcp-server/network/"];

/// Enumerations of two words, of which the first is kept as a truth value: path, argument, the words for yes and no.
const PAIRS: &[(&str, &str, &str, &str)] = &[("/certificate/", "type", "pkcs12", "pem")];

/// An unquoted value of the argument `name` of a command in the menu `path`.
pub(super) fn bare(path: &str, name: &str, kind: Kind, text: &str) -> String {
    if name == "comment" || kind == Kind::Str {
        return text.to_owned();
    }
    if path.contains("/firewall/") && NEGATABLE.contains(&name) {
        let (negated, value) = text.strip_prefix('!').map_or(("", text), |value| ("true", value));
        return format!("{negated};{}", list(value));
    }
    if let Some((.., yes, no)) = PAIRS.iter().find(|(menu, argument, ..)| *menu == path && *argument == name)
        && (text == *yes || text == *no)
    {
        return (text == *yes).to_string();
    }
    if name == "per-connection-classifier" && path.contains("/firewall/") {
        let (negated, value) = text.strip_prefix('!').map_or(("", text), |value| ("true", value));
        return format!("{negated};{}", value.replace([':', '/'], ";"));
    }
    if matches!(name, "hop-limit" | "ttl") && path.contains("/firewall/") {
        return text.replace(':', ";");
    }
    match kind {
        Kind::Time => literal::time(text)
            .or_else(|| literal::number(text).and_then(|seconds| seconds.checked_mul(1_000_000_000)))
            .or_else(|| literal::decimal_seconds(text))
            .map_or_else(|| text.to_owned(), literal::time_text),
        Kind::Value | Kind::Script => any(text),
        Kind::Ip if NETWORKS.contains(&path) && name == "address" => {
            let (address, length) = text.split_once('/').unwrap_or((text, ""));
            format!("{};{length}", ip(address))
        }
        Kind::Ip => text.split(',').map(ip).collect::<Vec<_>>().join(";"),
        _ if matches!(text, "yes" | "no") && !WORDS.contains(&name) => any(text),
        _ if name == "interface" => text.to_owned(),
        // Two numbers with a dot between them are an address only where one is wanted.
        _ if text.bytes().filter(|byte| *byte == b'.').count() < 3 => text.replace(',', ";"),
        _ => list(text),
    }
}

fn ip(text: &str) -> String {
    let (address, rest) = text.split_at(text.find(['/', '-']).unwrap_or(text.len()));
    literal::ip(address).map_or_else(|| text.to_owned(), |ip| format!("{ip}{rest}"))
}

fn list(text: &str) -> String {
    text.split(',')
        .map(|one| literal::ip(one).map_or_else(|| one.to_owned(), |ip| ip.to_string()))
        .collect::<Vec<_>>()
        .join(";")
}

/// Values without and with a name: the first in their order, the others by name.
#[derive(Debug, Default)]
pub(super) struct Keyed {
    unnamed: Vec<String>,
    named: BTreeMap<String, String>,
}

impl Keyed {
    pub(super) fn push(&mut self, value: String) {
        self.unnamed.push(value);
    }

    pub(super) fn insert(&mut self, name: String, value: String) {
        self.named.insert(name, value);
    }

    pub(super) fn text(self) -> String {
        let named = self.named.into_iter().map(|(name, value)| format!("{name}={value}"));
        self.unnamed.into_iter().chain(named).collect::<Vec<_>>().join(";")
    }
}
