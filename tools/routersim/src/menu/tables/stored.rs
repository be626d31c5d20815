//! Menus of a version's command tree that have no table here: stored, without any effect.
//!
//! The tree names a menu's commands and their arguments; what a router does with them it doesn't tell. So such a menu keeps
//! what it is given, and shows and exports it again. There is no default, no check of values and no item of the system's
//! own but those that every export addresses ([`super::defaults`]). 6.x has no tree: `six.txt` names its menus, those that 7.22
//! has too by its tree.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{LazyLock, Mutex, PoisonError};

use routeros_script::Version;
use routeros_script::tree::{Argument, Kind as Hint, MenuId, ROOT, View};

use super::defaults;
use super::interface::{LIST_MENU, SINGLE_MENU};
use super::lookup::{all_by_path, has_table};
use super::services::Default as DefaultHooks;
use crate::menu::def::{Export, Flag, Menu, Prop, Shape, Verbs, flag, prop};
use crate::menu::kind::Kind;
use crate::quirks::{QuirkOverrides, Quirks};

/// Arguments of `add` and `set` that are no properties.
const NO_PROPERTY: &[&str] = &["numbers", "copy-from", "place-before", "comment", "disabled"];
/// A property whose name has one of these is left out where secrets are hidden.
const SECRET: &[&str] = &["password", "passphrase", "secret", "private-key", "preshared-key", "pre-shared-key"];
/// Columns of a plain print; the tree doesn't say which a router shows.
const COLUMNS: usize = 4;

/// Menus that the trees lack; how to read it stands in it.
static FACTS: &str = include_str!("six.txt");
/// The tree that tells of 6.x what it has in common with it.
pub const NEAREST: Version = Version::new(7, 22, 0);
/// The first version without wireless interfaces of its own: a package has them from then on.
const WIRELESS_APART: (u16, u16) = (7, 13);

/// The flag of an item of the system's own.
static DEFAULT: [Flag; 1] = [flag('*', "default")];

/// The stored menus of one tree.
#[derive(Debug, Default)]
pub struct Stored {
    menus: BTreeMap<&'static str, &'static Menu>,
    /// Their paths and all on the way to them.
    paths: BTreeSet<&'static str>,
}

/// What the stored menus of a router depend on: the tree, whether it is 6.x, with wireless interfaces, a board.
type Key = (Version, bool, bool, bool);

/// One for each such, for all routers of a process.
static TREES: LazyLock<Mutex<BTreeMap<Key, &'static Stored>>> = LazyLock::new(Mutex::default);

/// The stored menus of a version, on a board or a machine that is none.
pub fn of(version: Version, board: bool) -> &'static Stored {
    let six = !version.is_v7();
    let view = View::of(if six { NEAREST } else { version });
    let wireless = !version.at_least(WIRELESS_APART.0, WIRELESS_APART.1);
    let mut trees = TREES.lock().unwrap_or_else(PoisonError::into_inner);
    trees.entry((view.version(), six, wireless, board)).or_insert_with(|| {
        let mut stored = Stored::default();
        if !six {
            stored.gather(view, ROOT);
        }
        for line in FACTS.lines().filter(|line| !line.starts_with('#')) {
            let tag = line.chars().next().unwrap_or_default();
            let here = match tag {
                'w' => wireless,
                'b' => board,
                _ => six,
            };
            if here {
                stored.keep(named(view, line.trim_start_matches(['w', 'b'])));
            }
        }
        Box::leak(Box::new(stored))
    })
}

/// A menu of a line of the facts, unless a table of 6.x has it.
fn named(view: View, line: &str) -> Option<&'static Menu> {
    let (path, own) = line.split_once(' ').unwrap_or((line, ""));
    let (marks, path) = path.split_at(path.find('/').unwrap_or(0));
    let six = crate::spec::Version::new(6, 44, 6);
    let quirks = Quirks::resolve(six, &QuirkOverrides::default());
    if all_by_path(path).iter().any(|menu| (menu.when)(six, &quirks)) {
        return None;
    }
    let words: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
    let of_tree = |command: &str| view.arguments(&words, command).filter(|_| !marks.contains('!'));
    let mut commands: BTreeMap<&str, &[Argument]> = BTreeMap::new();
    commands.extend(["add", "set"].into_iter().filter_map(|name| Some((name, of_tree(name)?))));
    let also: &[&str] = match marks.trim_end_matches('!') {
        "=" => &["set"],
        "+" => &["add", "set", "remove", "enable", "comment"],
        "~" => &["set", "numbers", "enable", "comment"],
        _ => &[],
    };
    let rest = ["remove", "enable", "comment", "move"].into_iter().filter(|name| of_tree(name).is_some());
    for name in rest.chain(also.iter().copied()) {
        commands.entry(name).or_default();
    }
    let more = own.split(' ').filter(|name| !name.is_empty());
    let more = more.map(|name| &*Box::leak(name.to_owned().into_boxed_str()));
    made(path, &commands, more)
}

impl Stored {
    /// The menu at a path (`/ip/proxy`).
    pub fn menu(&self, path: &str) -> Option<&'static Menu> {
        self.menus.get(path).copied()
    }

    /// Whether the path is a menu's or on the way to one.
    pub fn leads(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Names directly below a path.
    pub fn children(&self, path: &str) -> Vec<&'static str> {
        let below = format!("{path}/");
        let from = (Bound::Included(below.as_str()), Bound::Unbounded);
        let under = self.paths.range::<str, _>(from).copied().map_while(|other| other.strip_prefix(below.as_str()));
        under.filter(|rest| !rest.contains('/')).collect()
    }

    /// All of them, by path.
    pub fn all(&self) -> impl Iterator<Item = &'static Menu> {
        self.menus.values().copied()
    }

    fn gather(&mut self, view: View, id: MenuId) {
        for (id, _) in view.below(id) {
            let path = view.path(id);
            self.keep(menu(view, id, path.trim_end_matches('/')));
            self.gather(view, id);
        }
    }

    fn keep(&mut self, menu: Option<&'static Menu>) {
        let Some(menu) = menu else { return };
        let ends = menu.path.match_indices('/').map(|(at, _)| at).skip(1).chain([menu.path.len()]);
        self.paths.extend(ends.filter_map(|end| menu.path.get(..end)));
        self.menus.insert(menu.path, menu);
    }
}

/// The menu of a path, unless it has a table or keeps nothing.
fn menu(view: View, id: MenuId, path: &str) -> Option<&'static Menu> {
    if has_table(path) {
        return None;
    }
    let commands: BTreeMap<&str, &[Argument]> = view.commands(id).collect();
    if commands.contains_key("print") { made(path, &commands, std::iter::empty()) } else { None }
}

/// A menu with those commands, and the properties of its `add` and `set` and `more`.
fn made(
    path: &str,
    commands: &BTreeMap<&str, &[Argument]>,
    more: impl Iterator<Item = &'static str>,
) -> Option<&'static Menu> {
    let has = |name: &str| commands.contains_key(name);
    if !has("set") && !has("add") {
        return None;
    }
    let more: Vec<Argument> = more.map(|name| Argument { name, kind: Hint::Other }).collect();
    let given = ["add", "set"].into_iter().filter_map(|name| commands.get(name)).flat_map(|list| list.iter());
    let given = given.chain(&more);
    let mut props: Vec<Prop> = Vec::new();
    for argument in given {
        if !NO_PROPERTY.contains(&argument.name) && props.iter().all(|known| known.name != argument.name) {
            props.push(property(argument));
        }
    }
    let props: &'static [Prop] = Box::leak(props.into_boxed_slice());
    let path: &'static str = Box::leak(path.to_owned().into_boxed_str());
    let numbered = has("numbers")
        || commands.get("set").is_some_and(|list| list.iter().any(|argument| argument.name == "numbers"));
    let columns: Vec<&'static str> =
        props.iter().filter(|prop| !prop.secret).map(|prop| prop.name).take(COLUMNS).collect();
    let menu = if has("add") || numbered {
        let verbs = [
            ("set", Verbs::SET),
            ("add", Verbs::ADD),
            ("remove", Verbs::REMOVE),
            ("enable", Verbs::ENABLE),
            ("comment", Verbs::COMMENT),
        ];
        let verbs = verbs.into_iter().filter(|(name, _)| has(name)).fold(Verbs::READ, |all, (_, verb)| all.and(verb));
        let list = Menu {
            path,
            shape: if has("move") { Shape::Ordered } else { Shape::List },
            props,
            columns: Box::leak(columns.into_boxed_slice()),
            verbs,
            id_space: path,
            export: if has("add") { Export::Add } else { Export::No },
            ..LIST_MENU
        };
        if defaults::has(path) {
            Menu { flags: &DEFAULT, export: Export::AddOrDefault, hooks: &DefaultHooks, ..list }
        } else {
            list
        }
    } else {
        Menu { path, props, ..SINGLE_MENU }
    };
    Some(Box::leak(Box::new(menu)))
}

fn property(argument: &Argument) -> Prop {
    let kind = match argument.kind {
        Hint::Str | Hint::Script => Kind::Str,
        _ => Kind::Any,
    };
    let property = prop(argument.name, kind);
    if SECRET.iter().any(|word| argument.name.contains(word)) { property.secret() } else { property }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_makes_menus_that_have_no_table() {
        let stored = of(Version::new(7, 22, 1), true);
        assert!(stored.menu("/ip/address").is_none(), "it has a table");
        let vxlan = stored.menu("/interface/vxlan").unwrap();
        assert!(vxlan.props.iter().any(|prop| prop.name == "vni") && vxlan.verbs.has(Verbs::ADD));
        assert!(stored.children("/interface").contains(&"vxlan") && stored.leads("/interface"));
        assert!(!stored.leads("/interface/wireless") && of(Version::new(7, 11, 0), true).leads("/interface/wireless"));
        let secrets = |path: &str| stored.menu(path).unwrap().props.iter().filter(|prop| prop.secret).count();
        assert!(secrets("/interface/sstp-client") > 0, "passwords are left out where secrets are");
    }

    #[test]
    fn the_page_counts_them() {
        let page = include_str!("../../../../../docs/simulator.md");
        let count = of(Version::new(7, 22, 1), true).menus.len();
        let said = format!("{count} more are stored only");
        assert!(page.contains(&said), "{said}");
    }

    #[test]
    fn what_is_known_of_6_has_no_table() {
        let six = of(Version::new(6, 44, 6), true);
        for line in FACTS.lines().filter(|line| !line.starts_with('#')) {
            let path = line.split(' ').next().unwrap().trim_start_matches(|c| c != '/');
            assert!(six.menu(path).is_some(), "{path}");
        }
        let has = |path: &str, name: &str| six.menu(path).unwrap().props.iter().any(|prop| prop.name == name);
        assert!(
            has("/interface/lte/apn", "apn") && has("/ip/smb/users", "password") && !has("/routing/filter", "rule")
        );
        assert!(!of(Version::new(6, 44, 6), false).leads("/lcd"));
    }
}
