//! How a command reads its arguments: which may stand without a name, which are switched on by their name alone, which
//! take `{ }` as code or as text.

use crate::commands;
use crate::tree::{Argument, Kind};
use crate::version::Version;

/// What `{ }` is as the value of an argument.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Braces {
    Code,
    Text,
    Array,
    /// Nothing: it begins no value.
    None,
}

/// A command with what is known about its arguments.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    /// The menu's path, `/ip/address/`.
    pub(super) root: bool,
    pub(super) name: &'static str,
    pub(super) arguments: &'static [Argument],
    builtin: Option<&'static commands::Builtin>,
}

/// Switched on by their name alone, in every command that has them.
const FLAGS: &[&str] = &[
    "append",
    "as-array",
    "as-string",
    "as-string-value",
    "as-value",
    "blackhole",
    "brief",
    "comments",
    "compact",
    "count-only",
    "detail",
    "do-not-fragment",
    "dry-run",
    "fib",
    "follow",
    "follow-only",
    "hide-sensitive",
    "ignore-missing",
    "keep-users",
    "no-defaults",
    "no-summaries",
    "once",
    "passive",
    "show-ids",
    "show-sensitive",
    "skip-backup",
    "terse",
    "value-list",
    "verbose",
    "without-paging",
];

/// Arguments of `print` that want a value.
const PRINT_VALUES: &[&str] = &["file", "from", "group-by", "interval", "on-event", "order-by", "proplist", "where"];

impl Shape {
    pub(super) fn of(root: bool, name: &'static str, arguments: &'static [Argument], version: Version) -> Self {
        let builtin = if root { commands::find(name, version) } else { None };
        Self { root, name, arguments, builtin }
    }

    pub(super) fn argument(&self, name: &str) -> Option<&'static Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// The argument that `word` means: its name or the only one that begins with it.
    pub(super) fn meant(&self, word: &str) -> Option<&'static Argument> {
        let name = crate::names::pick(self.arguments.iter().map(|argument| argument.name), word).ok().flatten()?;
        self.argument(name)
    }

    /// Names of the arguments that may stand without theirs, in order.
    pub(super) fn unnamed(&self) -> Vec<&'static str> {
        if let Some(builtin) = self.builtin {
            return builtin.unnamed.to_vec();
        }
        unnamed(self.name, self.arguments)
    }

    /// Whether its name alone switches it on.
    pub(super) fn is_flag(&self, argument: &Argument) -> bool {
        let print = matches!(self.name, "print" | "export") && argument.kind == Kind::Other;
        FLAGS.contains(&argument.name) || (print && !PRINT_VALUES.contains(&argument.name))
    }

    /// Whether it can only be switched on, so that `=` behind it is an error.
    pub(super) fn takes_no_value(&self, argument: &Argument) -> bool {
        argument.name == "blackhole" || (matches!(self.name, "print" | "export") && self.is_flag(argument))
    }

    /// Whether it names a variable that comes to be.
    pub(super) fn is_variable(&self, name: &str) -> bool {
        self.root
            && matches!(
                (self.name, name),
                ("local" | "global" | "set", "name") | ("for" | "foreach", "counter") | ("onerror", "error")
            )
    }

    /// Whether it is one of the language's own.
    pub(super) fn is_builtin(&self) -> bool {
        self.builtin.is_some()
    }

    pub(super) fn braces(&self, argument: &Argument) -> Braces {
        let name = argument.name;
        if matches!(name, "do" | "else" | "on-error" | "command")
            || (self.name == "onerror" && name == "in")
            || argument.kind == Kind::Script
        {
            return Braces::Code;
        }
        let script = name == "script" || name == "source" || name.starts_with("on-") || name.ends_with("-script");
        match argument.kind {
            Kind::Str if script => Braces::Text,
            Kind::Value if self.root => Braces::Array,
            _ => Braces::None,
        }
    }
}

/// The arguments of a menu's command that may stand without their names, in order.
fn unnamed(command: &str, arguments: &'static [Argument]) -> Vec<&'static str> {
    let order: &[&str] = match command {
        "find" | "add" | "export" => &[],
        "print" => &["from"],
        "comment" => &["numbers", "comment"],
        "move" => &["numbers", "destination"],
        "get" | "edit" | "unset" => &["numbers", "number", "value-name"],
        "info" | "warning" | "error" | "debug" => &["message"],
        "ping" | "ssh" | "telnet" | "traceroute" => &["address"],
        "mac-telnet" => &["host"],
        "fetch" => &["url"],
        "import" => &["numbers", "file-name"],
        "resolve" => &["domain-name"],
        "style" => &["style"],
        "beep" => &["frequency", "length"],
        "monitor-traffic" | "torch" => &["interface"],
        "send" => &["port", "phone-number", "message"],
        "load" => &["name"],
        "range" => &["from", "to"],
        "grep" => &["script"],
        _ => &["numbers", "number"],
    };
    order
        .iter()
        .filter_map(|name| arguments.iter().find(|argument| argument.name == *name))
        .map(|argument| argument.name)
        .collect()
}

/// Whether an argument of `add` and `set` is switched on by its name alone, as exports write it.
pub fn stands_alone(name: &str) -> bool {
    FLAGS.contains(&name)
}

/// Whether a menu's command takes values without names.
pub fn takes_unnamed(command: &str, arguments: &'static [Argument]) -> bool {
    !unnamed(command, arguments).is_empty()
}
