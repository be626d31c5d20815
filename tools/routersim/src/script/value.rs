//! What variables hold.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use routeros_script::ast::{Block, Expr};
use routeros_script::literal::{self, Literal};

use super::array::Array;

/// A value of the language.
#[derive(Clone, PartialEq, Default)]
pub enum Value {
    /// Never set: `:typeof` says `nothing`.
    #[default]
    Nothing,
    /// Looked for and not there: `:typeof` says `nil`.
    Nil,
    /// `true`, `false`.
    Bool(bool),
    /// A number of 64 bits.
    Num(i64),
    /// Bytes; RouterOS strings have no encoding.
    Str(Rc<[u8]>),
    /// A length of time in nanoseconds.
    Time(i64),
    /// An IPv4 address.
    Ip(Ipv4Addr),
    /// An IPv4 prefix, host bits kept.
    IpPrefix(Ipv4Addr, u8),
    /// An IPv6 address.
    Ip6(Ipv6Addr),
    /// An IPv6 prefix.
    Ip6Prefix(Ipv6Addr, u8),
    /// An item's internal number.
    Id(u64),
    /// An array.
    Array(Rc<Array>),
    /// A block: a function, or what `:parse` gave.
    Code(Rc<Code>),
}

/// A block as a value.
#[derive(Clone, PartialEq)]
pub struct Code {
    pub(super) src: Arc<[u8]>,
    pub(super) body: Body,
    pub(super) menu: Rc<[String]>,
    /// Made by `do={}` of a variable's command: `:typeof` calls it an array of two.
    pub(super) function: bool,
}

#[derive(Clone, PartialEq)]
pub(super) enum Body {
    Block(Arc<Block>),
    /// `(>[...])` and what it holds.
    Quoted(Rc<Expr>),
}

impl Code {
    /// Its text as written, without the braces.
    pub fn source(&self) -> &[u8] {
        match &self.body {
            Body::Block(block) => block.span.of(&self.src),
            Body::Quoted(expr) => expr.span.of(&self.src),
        }
    }
}

impl Value {
    /// A string.
    pub fn str(text: impl AsRef<[u8]>) -> Self {
        Self::Str(Rc::from(text.as_ref()))
    }

    /// An array of these elements.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Self {
        Self::Array(Rc::new(values.into_iter().collect()))
    }

    /// An array of these keys and elements, as `print as-value` gives.
    pub fn record<K: AsRef<[u8]>>(values: impl IntoIterator<Item = (K, Value)>) -> Self {
        let mut array = Array::default();
        values.into_iter().for_each(|(key, value)| array.insert(key.as_ref().to_vec(), value));
        Self::Array(Rc::new(array))
    }

    /// A length of time.
    pub fn time(duration: Duration) -> Self {
        Self::Time(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }

    /// What an unquoted text reads as: `10`, `10m`, `1.2.3.4`, `yes`, `a,b`, or a string.
    pub fn read(text: &str) -> Self {
        Self::from(&Literal::of(text))
    }

    /// What `:typeof` says.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Num(_) => "num",
            Self::Str(_) => "str",
            Self::Time(_) => "time",
            Self::Ip(_) => "ip",
            Self::IpPrefix(..) => "ip-prefix",
            Self::Ip6(_) => "ip6",
            Self::Ip6Prefix(..) => "ip6-prefix",
            Self::Id(_) => "id",
            Self::Array(_) => "array",
            Self::Code(code) if code.function => "array",
            Self::Code(code) => match code.body {
                Body::Block(_) => "code",
                Body::Quoted(_) => "op",
            },
        }
    }

    /// What error messages call its type (inferred).
    pub(super) fn long_type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "boolean",
            Self::Num(_) => "integer number",
            Self::Str(_) => "string",
            Self::Time(_) => "time interval",
            Self::Ip(_) => "ip address",
            Self::IpPrefix(..) => "ip prefix",
            Self::Id(_) => "internal number",
            other => other.type_name(),
        }
    }

    /// What `:put` prints and `:tostr` gives.
    pub fn text(&self) -> Vec<u8> {
        match self {
            Self::Nothing | Self::Nil => Vec::new(),
            Self::Str(text) => text.to_vec(),
            Self::Time(time) => literal::time_text(*time).into_bytes(),
            Self::Array(array) => {
                let mut text = Vec::new();
                for (key, value) in array.pairs() {
                    if !text.is_empty() {
                        text.push(b';');
                    }
                    if let Self::Str(key) = key {
                        text.extend(key.iter());
                        text.push(b'=');
                    }
                    text.extend(value.text());
                }
                text
            }
            Self::Code(_) => b"(code)".to_vec(),
            Self::Bool(value) => value.to_string().into_bytes(),
            Self::Num(value) => value.to_string().into_bytes(),
            Self::Ip(value) => value.to_string().into_bytes(),
            Self::IpPrefix(value, len) => format!("{value}/{len}").into_bytes(),
            Self::Ip6(value) => value.to_string().into_bytes(),
            Self::Ip6Prefix(value, len) => format!("{value}/{len}").into_bytes(),
            Self::Id(value) => format!("*{value:X}").into_bytes(),
        }
    }

    /// As [`Value::text`], for menus, names and messages: bytes that are no UTF-8 stand in it as `raw` has them.
    pub fn to_text(&self) -> String {
        crate::raw::text(&self.text())
    }

    /// Whether it is nothing or nil.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Nothing | Self::Nil)
    }

    /// The value if it is a bool, or a word for one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Str(text) => match &**text {
                b"yes" | b"true" => Some(true),
                b"no" | b"false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value if it is a number, or a text of one.
    pub fn as_num(&self) -> Option<i64> {
        match self {
            Self::Num(value) => Some(*value),
            Self::Str(text) => std::str::from_utf8(text).ok().and_then(literal::number),
            _ => None,
        }
    }

    /// The value as nanoseconds: a time, a number of seconds, or a text of either (`.05` too).
    pub fn as_time(&self) -> Option<i64> {
        const SECOND: i64 = 1_000_000_000;
        match self {
            Self::Time(time) => Some(*time),
            Self::Num(seconds) => seconds.checked_mul(SECOND),
            Self::Str(text) => {
                let text = std::str::from_utf8(text).ok()?;
                if let Some(seconds) = literal::number(text) {
                    return seconds.checked_mul(SECOND);
                }
                let whole = if text.starts_with('.') { format!("0{text}") } else { text.to_owned() };
                literal::time(&whole).or_else(|| literal::time(&format!("{whole}s")))
            }
            _ => None,
        }
    }
}

impl From<&Literal> for Value {
    fn from(literal: &Literal) -> Self {
        match literal {
            Literal::Str(text) => Self::str(text),
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Num(value) => Self::Num(*value),
            Literal::Time(value) => Self::Time(*value),
            Literal::Ip(value) => Self::Ip(*value),
            Literal::IpPrefix(value, len) => Self::IpPrefix(*value, *len),
            Literal::Ip6(value) => Self::Ip6(*value),
            Literal::Ip6Prefix(value, len) => Self::Ip6Prefix(*value, *len),
            Literal::Id(value) => Self::Id(*value),
            Literal::List(values) => Self::list(values.iter().map(Self::from)),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(text) => write!(f, "\"{}\"", text.escape_ascii()),
            Self::Nothing | Self::Nil => f.write_str(self.type_name()),
            Self::Array(array) => array.fmt(f),
            other => write!(f, "{}:{}", other.type_name(), other.to_text()),
        }
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.source().escape_ascii())
    }
}
