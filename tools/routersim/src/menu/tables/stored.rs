//! Menus of a version's command tree that have no table here: stored, without any effect.
//!
//! The tree names a menu's commands and their arguments; what a router does with them it doesn't tell. So such a menu keeps
//! what it is given, and shows and exports it again. There is no default, no check of values and no item of the system's
//! own. 6.x has no tree: what has no table is refused there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{LazyLock, Mutex, PoisonError};

use routeros_script::Version;
use routeros_script::tree::{Argument, Kind as Hint, MenuId, ROOT, View};

use super::interface::{LIST_MENU, SINGLE_MENU};
use super::lookup::has_table;
use crate::menu::def::{Export, Menu, Prop, Shape, Verbs, prop};
use crate::menu::kind::Kind;

/// Arguments of `add` and `set` that are no properties.
const NO_PROPERTY: &[&str] = &["numbers", "copy-from", "place-before", "comment", "disabled"];
/// A property whose name has one of these is left out where secrets are hidden.
const SECRET: &[&str] = &["password", "passphrase", "secret", "private-key", "preshared-key", "pre-shared-key"];
/// Columns of a plain print; the tree doesn't say which a router shows.
const COLUMNS: usize = 4;

/// The stored menus of one tree.
#[derive(Debug, Default)]
pub struct Stored {
    menus: BTreeMap<&'static str, &'static Menu>,
    /// Their paths and all on the way to them.
    paths: BTreeSet<&'static str>,
}

/// One for each tree, for all routers of a process.
static TREES: LazyLock<Mutex<BTreeMap<Version, &'static Stored>>> = LazyLock::new(Mutex::default);

/// The stored menus of a version; `None` where it has no tree.
pub fn of(version: Version) -> Option<&'static Stored> {
    if !version.is_v7() {
        return None;
    }
    let view = View::of(version);
    let mut trees = TREES.lock().unwrap_or_else(PoisonError::into_inner);
    Some(trees.entry(view.version()).or_insert_with(|| {
        let mut stored = Stored::default();
        stored.gather(view, ROOT);
        Box::leak(Box::new(stored))
    }))
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
            let path = path.trim_end_matches('/');
            if let Some(menu) = menu(view, id, path) {
                let ends = menu.path.match_indices('/').map(|(at, _)| at).skip(1).chain([menu.path.len()]);
                self.paths.extend(ends.filter_map(|end| menu.path.get(..end)));
                self.menus.insert(menu.path, menu);
            }
            self.gather(view, id);
        }
    }
}

/// The menu of a path, unless it has a table or keeps nothing.
fn menu(view: View, id: MenuId, path: &str) -> Option<&'static Menu> {
    if has_table(path) {
        return None;
    }
    let commands: BTreeMap<&str, &[Argument]> = view.commands(id).collect();
    let has = |name: &str| commands.contains_key(name);
    if !has("print") || !has("set") && !has("add") {
        return None;
    }
    let given = ["add", "set"].into_iter().filter_map(|name| commands.get(name)).flat_map(|list| list.iter());
    let mut props: Vec<Prop> = Vec::new();
    for argument in given {
        if !NO_PROPERTY.contains(&argument.name) && props.iter().all(|known| known.name != argument.name) {
            props.push(property(argument));
        }
    }
    let props: &'static [Prop] = Box::leak(props.into_boxed_slice());
    let path: &'static str = Box::leak(path.to_owned().into_boxed_str());
    let numbered = commands.get("set").is_some_and(|list| list.iter().any(|argument| argument.name == "numbers"));
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
        Menu {
            path,
            shape: if has("move") { Shape::Ordered } else { Shape::List },
            props,
            columns: Box::leak(columns.into_boxed_slice()),
            verbs,
            id_space: path,
            export: if has("add") { Export::Add } else { Export::No },
            ..LIST_MENU
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
        let stored = of(Version::new(7, 22, 1)).unwrap();
        assert!(stored.menu("/ip/address").is_none(), "it has a table");
        let vxlan = stored.menu("/interface/vxlan").unwrap();
        assert!(vxlan.props.iter().any(|prop| prop.name == "vni") && vxlan.verbs.has(Verbs::ADD));
        assert!(stored.children("/interface").contains(&"vxlan") && stored.leads("/interface"));
        assert!(of(Version::new(6, 44, 6)).is_none());
        let secrets = |path: &str| stored.menu(path).unwrap().props.iter().filter(|prop| prop.secret).count();
        assert!(secrets("/interface/sstp-client") > 0, "passwords are left out where secrets are");
    }

    #[test]
    fn the_page_counts_them() {
        let page = include_str!("../../../../../docs/simulator.md");
        let count = of(Version::new(7, 22, 1)).unwrap().menus.len();
        let said = format!("{count} more are stored only");
        assert!(page.contains(&said), "{said}");
    }
}
