//! The command tree of a version: menus, commands and their arguments, as `/console/inspect` of real routers tells them.
//!
//! The table itself (`facts.txt`) is made by `cargo xtask tree`. RouterOS 6 has no such data; its menus are a subset in
//! space-joined spelling, so [`View::of`] gives the oldest tree there and [`View::exact`] says that it isn't the
//! version's own.

use std::sync::OnceLock;

use crate::names::{Lookup, Names, pick};
use crate::version::Version;

/// A menu; the root is [`ROOT`].
pub type MenuId = usize;

/// The root menu.
pub const ROOT: MenuId = 0;

/// What the router's hint says about the type of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No hint: numbers, booleans, enumerations, items.
    Other,
    /// Text.
    Str,
    /// A time interval.
    Time,
    /// Code.
    Script,
    /// Any value.
    Value,
    /// IPv4 addresses, prefixes or ranges of them.
    Ip,
    /// IPv6 addresses or prefixes.
    Ip6,
    /// A MAC address.
    Mac,
    /// Some of a list of words.
    Words,
    /// A number with limits.
    Number,
}

/// An argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Its type, as far as known.
    pub kind: Kind,
}

#[derive(Debug, Default)]
struct Menu {
    name: &'static str,
    parent: MenuId,
    /// One bit a version.
    there: u32,
    menus: Vec<MenuId>,
    commands: Vec<Command>,
}

#[derive(Debug)]
struct Command {
    name: &'static str,
    /// The list of arguments for each version; the last one holds for all that follow.
    lists: Vec<Option<usize>>,
}

#[derive(Debug, Default)]
struct Table {
    versions: Vec<Version>,
    lists: Vec<Vec<Argument>>,
    menus: Vec<Menu>,
}

static FACTS: &str = include_str!("facts.txt");

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::read(FACTS))
}

impl Table {
    fn read(facts: &'static str) -> Self {
        let mut table = Self { menus: vec![Menu { there: u32::MAX, ..Menu::default() }], ..Self::default() };
        let mut at = ROOT;
        for line in facts.lines() {
            let mut words = line.split(' ');
            let tag = words.next().unwrap_or_default();
            match tag {
                "v" => table.versions = words.filter_map(|word| word.parse().ok()).collect(),
                "a" => table.lists.push(words.filter(|word| !word.is_empty()).map(argument).collect()),
                "m" => {
                    let name = words.next().unwrap_or_default();
                    let there = words.next().map_or(u32::MAX, |bits| {
                        bits.bytes().enumerate().fold(0, |all, (at, bit)| all | u32::from(bit == b'1') << at)
                    });
                    let id = table.menus.len();
                    table.menus.push(Menu { name, parent: at, there, ..Menu::default() });
                    if let Some(menu) = table.menus.get_mut(at) {
                        menu.menus.push(id);
                    }
                    at = id;
                }
                "u" => at = table.menus.get(at).map_or(ROOT, |menu| menu.parent),
                "c" => {
                    let name = words.next().unwrap_or_default();
                    let lists = words.map(|word| word.parse().ok()).collect();
                    if let Some(menu) = table.menus.get_mut(at) {
                        menu.commands.push(Command { name, lists });
                    }
                }
                _ => {}
            }
        }
        table
    }
}

fn argument(word: &'static str) -> Argument {
    let (name, letter) = word.split_once(':').unwrap_or((word, ""));
    let kind = match letter {
        "s" => Kind::Str,
        "t" => Kind::Time,
        "x" => Kind::Script,
        "v" => Kind::Value,
        "a" | "p" | "r" => Kind::Ip,
        "6" => Kind::Ip6,
        "m" => Kind::Mac,
        "e" => Kind::Words,
        "n" => Kind::Number,
        _ => Kind::Other,
    };
    Argument { name, kind }
}

/// What a word is in a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A menu below it.
    Menu(MenuId),
    /// A command of it: its name and arguments.
    Command(&'static str, &'static [Argument]),
}

/// The tree of one version.
#[derive(Debug, Clone, Copy)]
pub struct View {
    at: usize,
    version: Version,
    exact: bool,
}

impl View {
    /// The tree for `version`: its own, or else the nearest older one of the same major version, or else the oldest.
    pub fn of(version: Version) -> Self {
        let versions = &table().versions;
        let older = versions.iter().rposition(|have| *have <= version && have.major == version.major);
        let at = older.unwrap_or(0);
        let have = versions.get(at).copied().unwrap_or(version);
        Self { at, version: have, exact: older.is_some() && have.minor == version.minor }
    }

    /// The version whose tree this is.
    pub fn version(self) -> Version {
        self.version
    }

    /// Whether it is the tree of the version that was asked for (patch releases share one).
    pub fn exact(self) -> bool {
        self.exact
    }

    fn menu(self, id: MenuId) -> Option<&'static Menu> {
        table().menus.get(id)
    }

    fn menus(self, id: MenuId) -> impl Iterator<Item = (MenuId, &'static Menu)> {
        let ids = self.menu(id).map(|menu| menu.menus.as_slice()).unwrap_or_default();
        ids.iter().filter_map(move |id| {
            let menu = self.menu(*id)?;
            if menu.there >> self.at & 1 == 1 { Some((*id, menu)) } else { None }
        })
    }

    /// The menus directly below `id`, with their names.
    pub fn below(self, id: MenuId) -> impl Iterator<Item = (MenuId, &'static str)> {
        self.menus(id).map(|(id, menu)| (id, menu.name))
    }

    /// The commands of a menu, each with its arguments.
    pub fn commands(self, id: MenuId) -> impl Iterator<Item = (&'static str, &'static [Argument])> {
        let commands = self.menu(id).map(|menu| menu.commands.as_slice()).unwrap_or_default();
        commands.iter().filter_map(move |command| {
            let list = (*command.lists.get(self.at).or(command.lists.last())?)?;
            Some((command.name, table().lists.get(list)?.as_slice()))
        })
    }

    /// The menu above `id`; the root's is itself.
    pub fn parent(self, id: MenuId) -> MenuId {
        self.menu(id).map_or(ROOT, |menu| menu.parent)
    }

    /// The path of a menu: `/ip/address/`; `/` for the root.
    pub fn path(self, id: MenuId) -> String {
        let mut names = Vec::new();
        let mut at = id;
        while at != ROOT {
            let Some(menu) = self.menu(at) else { break };
            names.push(menu.name);
            at = menu.parent;
        }
        names.reverse();
        names.iter().fold(String::from("/"), |path, name| path + name + "/")
    }

    /// What is called exactly `word` in the menu.
    pub fn exactly(self, id: MenuId, word: &str) -> Option<Found> {
        self.commands(id)
            .find(|(name, _)| *name == word)
            .map(|(name, arguments)| Found::Command(name, arguments))
            .or_else(|| self.menus(id).find(|(_, menu)| menu.name == word).map(|(id, _)| Found::Menu(id)))
    }

    /// What `word` means in the menu: its whole name, or the only one that begins with it. `Err` if several do.
    #[allow(clippy::result_unit_err)]
    pub fn lookup(self, id: MenuId, word: &str) -> Result<Option<Found>, ()> {
        let names = self.commands(id).map(|(name, _)| name).chain(self.menus(id).map(|(_, menu)| menu.name));
        Ok(pick(names, word)?.and_then(|name| self.exactly(id, name)))
    }

    /// The arguments of a command, by whole names; `None` where this version has no such command.
    pub fn arguments(self, menu: &[String], command: &str) -> Option<&'static [Argument]> {
        match self.exactly(self.find(menu)?, command)? {
            Found::Command(_, arguments) => Some(arguments),
            Found::Menu(_) => None,
        }
    }

    fn find(self, menu: &[String]) -> Option<MenuId> {
        menu.iter().try_fold(ROOT, |at, name| self.menus(at).find(|(_, menu)| menu.name == *name).map(|(id, _)| id))
    }
}

/// The tree as the checker of names wants it.
impl Names for View {
    fn lookup(&self, menu: &[String], word: &str) -> Lookup {
        match self.find(menu).map(|id| View::lookup(*self, id, word)) {
            Some(Ok(Some(Found::Menu(id)))) => {
                Lookup::Menu(self.menu(id).map_or(String::new(), |menu| menu.name.to_owned()))
            }
            Some(Ok(Some(Found::Command(name, _)))) => Lookup::Command(name.to_owned()),
            Some(Err(())) => Lookup::Ambiguous,
            Some(Ok(None)) | None => Lookup::Unknown,
        }
    }

    fn takes_parameter(&self, menu: &[String], command: &str, name: &str) -> bool {
        self.arguments(menu, command)
            .is_none_or(|arguments| matches!(pick(arguments.iter().map(|argument| argument.name), name), Ok(Some(_))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        View::of(Version::new(7, 22, 1))
    }

    #[test]
    fn short_words_find_their_menu() {
        let Ok(Some(Found::Menu(ip))) = view().lookup(ROOT, "ip") else { panic!() };
        let Ok(Some(Found::Menu(address))) = view().lookup(ip, "addr") else { panic!() };
        assert_eq!(view().path(address), "/ip/address/");
        assert!(matches!(view().lookup(address, "pr"), Ok(Some(Found::Command("print", _)))));
        assert_eq!(view().lookup(ROOT, "i"), Err(()));
        assert_eq!(view().lookup(ROOT, "zzz"), Ok(None));
        assert_eq!(view().parent(address), ip);
    }

    #[test]
    fn versions_differ() {
        assert!(view().exact());
        assert_eq!(View::of(Version::new(7, 99, 0)).version(), Version::new(7, 24, 0));
        assert!(!View::of(Version::new(6, 49, 0)).exact());
        let newer = View::of(Version::new(7, 24, 0));
        assert!(view().exactly(ROOT, "ping").is_some() && newer.exactly(ROOT, "ping").is_none());
    }
}
