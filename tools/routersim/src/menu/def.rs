//! What a menu is: its properties, flags, verbs. The tables in [`super::tables`] are made of these.

use std::fmt;

use super::hooks::Hooks;
use super::kind::Kind;
use super::print::Style;
use crate::quirks::Quirks;
use crate::spec::Version;

/// Decides by version and oddities whether something is there.
pub type When = fn(Version, &Quirks) -> bool;

/// In every version.
pub const ALWAYS: When = |_, _| true;
/// In 6.x only.
pub const V6: When = |v, _| !v.is_v7();
/// In 7.x only.
pub const V7: When = |v, _| v.is_v7();

/// One property.
#[derive(Clone, Copy)]
pub struct Prop {
    /// RouterOS's name.
    pub name: &'static str,
    /// Form of its values.
    pub kind: Kind,
    /// Value of an item that has none of its own. `None`: the property is then absent (nil).
    pub default: Option<&'static str>,
    /// May be read only.
    pub read_only: bool,
    /// `add` wants it.
    pub required: bool,
    /// Left out of 7.x exports; never shown by `print`, never given by `get`.
    pub secret: bool,
    /// Written by `set` and `add`, shown by nothing (a password).
    pub write_only: bool,
    /// Absent while it has its default value.
    pub quiet: bool,
    /// A counter: given by `get`, `find` and `print stats`, left out of other prints.
    pub counter: bool,
    /// Exported also when it has its default value.
    pub always_exported: bool,
    /// In which versions.
    pub when: When,
}

/// A property of that name and form: absent until set, read and written.
pub const fn prop(name: &'static str, kind: Kind) -> Prop {
    Prop {
        name,
        kind,
        default: None,
        read_only: false,
        required: false,
        secret: false,
        write_only: false,
        quiet: false,
        counter: false,
        always_exported: false,
        when: ALWAYS,
    }
}

impl Prop {
    /// With a default value.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Read only.
    pub const fn ro(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Wanted by `add`.
    pub const fn req(mut self) -> Self {
        self.required = true;
        self
    }

    /// Secret, but shown by `print` and `get` to who may see it.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Never shown.
    pub const fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Not shown while it has its default value.
    pub const fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// A counter, which only `print stats` shows.
    pub const fn counter(mut self) -> Self {
        self.counter = true;
        self.read_only = true;
        self
    }

    /// Exported always.
    pub const fn always(mut self) -> Self {
        self.always_exported = true;
        self
    }

    /// Only in those versions.
    pub const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

/// Stored for a property that was given no value though it has a default: `!keepalive`.
pub const UNSET: &str = "!";

impl fmt::Debug for Prop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A flag column: the letter that `print` shows, and the word by which `find` and `get` know it.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// `X`
    pub letter: char,
    /// `disabled`
    pub name: &'static str,
    /// The last one of its column.
    pub last: bool,
    /// In which versions.
    pub when: When,
}

/// A flag, in the same column as the next one.
pub const fn flag(letter: char, name: &'static str) -> Flag {
    Flag { letter, name, last: false, when: ALWAYS }
}

impl Flag {
    /// The last one of its column: only one letter of a column is on at a time.
    pub const fn last(mut self) -> Self {
        self.last = true;
        self
    }

    /// Only in those versions.
    pub const fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }
}

/// How many items a menu has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One set of properties: `set` and `get` take no item.
    Single,
    /// Items without an order of their own.
    List,
    /// Items whose order counts: `move`, `place-before`.
    Ordered,
}

/// Commands that a list of items can have besides `print`, `find` and `get`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verbs(u8);

impl Verbs {
    /// None of them.
    pub const READ: Self = Self(0);
    /// `set`, `unset`
    pub const SET: Self = Self(1);
    /// `add`
    pub const ADD: Self = Self(2);
    /// `remove`
    pub const REMOVE: Self = Self(4);
    /// `enable`, `disable`
    pub const ENABLE: Self = Self(8);
    /// `comment`
    pub const COMMENT: Self = Self(16);
    /// All of them.
    pub const ALL: Self = Self(31);

    /// Both sets.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are in it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// A menu.
pub struct Menu {
    /// As `/ip/address`.
    pub path: &'static str,
    /// How many items.
    pub shape: Shape,
    /// In the order in which `print detail` and `export` write them.
    pub props: &'static [Prop],
    /// In the order of their columns.
    pub flags: &'static [Flag],
    /// Properties that a plain `print` shows.
    pub columns: &'static [&'static str],
    /// How a plain `print` shows items.
    pub printed: Style,
    /// Commands.
    pub verbs: Verbs,
    /// In which versions.
    pub when: When,
    /// Menus whose items share one row of ids.
    pub id_space: &'static str,
    /// Whether it is part of `export`, and how `export` names an item that it can't add.
    pub export: Export,
    /// What is particular about it.
    pub hooks: &'static dyn Hooks,
}

/// How a menu takes part in `export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// Not at all.
    No,
    /// `add ...` for each item that is not dynamic.
    Add,
    /// `set [ find PROP=value ] ...` for each item that differs from its default.
    SetBy(&'static str),
    /// `add ...` for each item, `set VALUE ...` by that property for one that the system made and somebody changed.
    AddOrSet(&'static str),
    /// `add ...` for each item, `set [ find default=yes ] ...` for the one that the system made and somebody changed.
    AddOrDefault,
    /// `set PROP-value ...` by name (`/ip service`).
    SetNamed(&'static str),
    /// `set ...`, if it differs from the default.
    Single,
}

impl Menu {
    /// The property of that name in that version.
    pub fn prop(&self, name: &str, version: Version, quirks: &Quirks) -> Option<&'static Prop> {
        self.props.iter().find(|prop| prop.name == name && (prop.when)(version, quirks))
    }

    /// Whether `name` is one of its flags.
    pub fn is_flag(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag.name == name)
    }

    /// Whether its items can be disabled.
    pub fn can_disable(&self) -> bool {
        self.verbs.has(Verbs::ENABLE)
    }
}

impl fmt::Debug for Menu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)
    }
}
