//! The language's own commands: names, parameters, first version.

use crate::version::Version;

/// One command of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// Parameters that may be given without a name, in order.
    pub unnamed: &'static [&'static str],
    /// Parameters that need their name.
    pub named: &'static [&'static str],
    /// Whether an unnamed `{ }` is code.
    pub code: bool,
    /// First version that has it.
    pub since: (u16, u16),
}

const fn old(name: &'static str, unnamed: &'static [&'static str], named: &'static [&'static str]) -> Builtin {
    Builtin { name, unnamed, named, code: false, since: (0, 0) }
}

const fn new(
    name: &'static str,
    unnamed: &'static [&'static str],
    named: &'static [&'static str],
    since: (u16, u16),
) -> Builtin {
    Builtin { name, unnamed, named, code: false, since }
}

const fn code(builtin: Builtin) -> Builtin {
    Builtin { code: true, ..builtin }
}

/// All of them, by name. Parameters are those that `/console/inspect` of 7.22-7.24 reports; the first versions of the newer
/// ones are inferred from change logs and scripts.
pub const BUILTINS: &[Builtin] = &[
    new("break", &[], &[], (7, 22)),
    new("continue", &[], &[], (7, 22)),
    new("convert", &["value"], &["from", "to", "transform"], (7, 12)),
    old("delay", &["delay-time"], &[]),
    new("deserialize", &["value"], &["from", "delimiter", "options"], (7, 12)),
    code(old("do", &["command"], &["if", "on-error", "while"])),
    old("error", &["message"], &[]),
    code(old("execute", &["script"], &["as-string", "file"])),
    new("exit", &[], &[], (7, 22)),
    old("find", &["in", "key", "from"], &[]),
    old("for", &["counter"], &["from", "to", "step", "do", "on-error"]),
    old("foreach", &["counter"], &["in", "do", "on-error"]),
    old("global", &["name", "value"], &["do"]),
    old("if", &["condition"], &["do", "else"]),
    old("len", &["value"], &[]),
    old("local", &["name", "value"], &["do"]),
    old("nothing", &[], &[]),
    code(new("onerror", &["error", "in"], &["do"], (7, 13))),
    old("parse", &["value"], &[]),
    old("pick", &["counter", "begin", "end"], &[]),
    old("put", &["message"], &[]),
    code(new("retry", &["command"], &["delay", "max", "on-error"], (7, 16))),
    old("return", &["value"], &[]),
    new("rndnum", &[], &["from", "to"], (7, 1)),
    new("rndstr", &[], &["from", "length"], (7, 1)),
    new("serialize", &["value"], &["to", "delimiter", "file-name", "options", "order"], (7, 12)),
    old("set", &["name", "value"], &["do"]),
    code(old("time", &["command"], &[])),
    old("toarray", &["value"], &["delimiter"]),
    old("tobool", &["value"], &[]),
    new("tocrlf", &["input"], &[], (7, 15)),
    old("toid", &["value"], &[]),
    old("toip", &["value"], &[]),
    old("toip6", &["value"], &[]),
    new("tolf", &["input"], &[], (7, 15)),
    new("tonsec", &["value"], &[], (7, 12)),
    old("tonum", &["value"], &[]),
    old("tostr", &["value"], &[]),
    old("totime", &["value"], &[]),
    old("typeof", &["value"], &[]),
    old("while", &["condition"], &["do"]),
];

impl Builtin {
    /// Whether it has a parameter of this name.
    pub fn has(&self, parameter: &str) -> bool {
        self.unnamed.contains(&parameter) || self.named.contains(&parameter)
    }

    /// The parameter that the bare word `word` switches on, if it is one of those.
    pub fn flag(&self, word: &str) -> Option<&'static str> {
        self.named.iter().copied().find(|name| *name == word && *name == "as-string")
    }
}

/// The command called exactly `name` in `version`.
pub fn find(name: &str, version: Version) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name && version.at_least(builtin.since.0, builtin.since.1))
}

/// The commands of `version` whose names begin with `start`.
pub fn beginning_with(start: &str, version: Version) -> impl Iterator<Item = &'static Builtin> {
    BUILTINS
        .iter()
        .filter(move |builtin| builtin.name.starts_with(start) && version.at_least(builtin.since.0, builtin.since.1))
}

/// Whether `{ }` as the value of an argument of this name holds code in every command. Routers know it by the
/// argument's type; these are the names that take scripts.
pub fn takes_code(argument: &str) -> bool {
    matches!(argument, "do" | "else" | "command" | "script" | "source" | "on-error")
        || argument.starts_with("on-")
        || argument.ends_with("-script")
}
