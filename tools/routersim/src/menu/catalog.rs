//! The tree of menus and commands of one version, as the language looks words up in it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::LazyLock;

use routeros_script::names::pick;
use routeros_script::{Lookup, Names, judge};

use super::commands::{COMMANDS, Command};
use super::def::{Menu, Shape, Verbs, When};
use super::tables::stored::Stored;
use super::tables::{self, MENUS};
use crate::system::System;

/// Commands that every list has.
const READ_VERBS: &[&str] = &["find", "get", "print"];
/// Words that `print` takes.
pub const PRINT_WORDS: &[&str] = &[
    "as-value",
    "brief",
    "count-only",
    "detail",
    "comments",
    "follow",
    "follow-only",
    "once",
    "show-ids",
    "stats",
    "stats-detail",
    "terse",
    "timestamp",
    "value-list",
    "without-paging",
];
/// Arguments that `print` takes.
const PRINT_ARGS: &[&str] = &["file", "from", "interval", "proplist", "where", "append"];
/// Words that `export` takes.
pub(super) const EXPORT_WORDS: &[&str] = &["compact", "hide-sensitive", "show-sensitive", "terse", "verbose"];

/// Every path that is a menu or on the way to one, and the versions of what lies there or below. One for all routers of a
/// process.
static PATHS: LazyLock<BTreeMap<String, Vec<When>>> = LazyLock::new(|| {
    let mut index: BTreeMap<String, Vec<When>> = BTreeMap::new();
    let menus = MENUS.iter().flat_map(|area| area.iter()).map(|menu| (menu.path, menu.when));
    for (path, when) in menus.chain(COMMANDS.iter().map(|command| (command.path, command.when))) {
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
        for part in ends.filter_map(|end| path.get(..end)) {
            index.entry(part.to_owned()).or_default().push(when);
        }
    }
    index
});

/// The names that were asked for, by path. What a router has does not change while it runs, and scripts look up the same
/// few paths all day: to collect them anew each time was a third of a simulation.
#[derive(Debug, Default)]
pub struct Collected {
    children: RefCell<HashMap<String, Rc<Words>>>,
    verbs: RefCell<HashMap<String, Rc<Words>>>,
}

/// Names of menus or commands, in order.
pub type Words = BTreeSet<&'static str>;

fn collected(kept: &RefCell<HashMap<String, Rc<Words>>>, path: &str, collect: impl FnOnce() -> Words) -> Rc<Words> {
    if let Some(words) = kept.borrow().get(path) {
        return Rc::clone(words);
    }
    let words = Rc::new(collect());
    kept.borrow_mut().insert(path.to_owned(), Rc::clone(&words));
    words
}

/// `["ip", "address"]` as `/ip/address`.
pub fn path_of(menu: &[String]) -> String {
    menu.iter().map(|segment| format!("/{segment}")).collect()
}

/// In which versions the menu or the command `word` of a path is here.
pub(super) fn known(path: &str, word: &str) -> Vec<When> {
    let mut whens = PATHS.get(&format!("{path}/{word}")).cloned().unwrap_or_default();
    let commands = COMMANDS.iter().filter(|command| command.path == path && command.name == word);
    whens.extend(commands.map(|command| command.when));
    // Until some version of 7.x files could not be made by a command.
    if (path, word) == ("/file", "add") {
        whens.push(|_, quirks| quirks.file_add);
    }
    whens
}

impl System {
    /// The menu at a path, in this version.
    pub fn menu(&self, path: &str) -> Option<&'static Menu> {
        let mut all = tables::all_by_path(path).iter().copied();
        all.find(|menu| (menu.when)(self.spec.version, &self.quirks)).or_else(|| self.stored().menu(path))
    }

    /// The menus that are stored only, in this version.
    pub(crate) fn stored(&self) -> &'static Stored {
        tables::stored::of(*self.spec.version, self.board.routerboard)
    }

    /// The command that is no table's, in this version.
    pub fn special(&self, path: &str, name: &str) -> Option<&'static Command> {
        COMMANDS.iter().find(|command| {
            command.path == path && command.name == name && (command.when)(self.spec.version, &self.quirks)
        })
    }

    fn paths(&self) -> impl Iterator<Item = &'static str> {
        let (version, quirks) = (self.spec.version, &self.quirks);
        let menus = MENUS.iter().flat_map(|area| area.iter()).filter(move |menu| (menu.when)(version, quirks));
        let commands = COMMANDS.iter().filter(move |command| (command.when)(version, quirks));
        menus.map(|menu| menu.path).chain(commands.map(|command| command.path))
    }

    /// Names of the menus directly below a path.
    pub fn children(&self, path: &str) -> Rc<Words> {
        collected(&self.collected.children, path, || {
            let below = format!("{path}/");
            self.paths()
                .filter_map(|other| other.strip_prefix(below.as_str())?.split('/').next())
                .filter(|name| !name.is_empty())
                .chain(self.stored().children(path))
                .collect()
        })
    }

    fn has_child(&self, path: &str, word: &str) -> bool {
        !word.is_empty() && self.leads(&format!("{path}/{word}"))
    }

    /// Whether a path is a menu's or on the way to one, in this version.
    pub(super) fn leads(&self, path: &str) -> bool {
        let (version, quirks) = (self.spec.version, &self.quirks);
        PATHS.get(path).is_some_and(|all| all.iter().any(|when| when(version, quirks))) || self.stored().leads(path)
    }

    /// Names of the commands of a menu.
    pub fn verbs(&self, path: &str) -> Rc<Words> {
        collected(&self.collected.verbs, path, || self.verbs_of(path))
    }

    fn verbs_of(&self, path: &str) -> Words {
        let mut names: Words = COMMANDS
            .iter()
            .filter(|command| command.path == path && (command.when)(self.spec.version, &self.quirks))
            .map(|command| command.name)
            .collect();
        names.insert("export");
        let Some(menu) = self.menu(path) else { return names };
        if menu.shape == Shape::Single {
            names.extend(["get", "print"]);
            if menu.verbs.has(Verbs::SET) {
                names.insert("set");
            }
            return names;
        }
        names.extend(READ_VERBS);
        for (verb, words) in [
            (Verbs::SET, &["set", "unset"] as &[&str]),
            (Verbs::ADD, &["add"]),
            (Verbs::REMOVE, &["remove"]),
            (Verbs::ENABLE, &["enable", "disable"]),
            (Verbs::COMMENT, &["comment"]),
        ] {
            if menu.verbs.has(verb) {
                names.extend(words);
            }
        }
        if menu.shape == Shape::Ordered {
            names.insert("move");
        }
        if path == "/file" && !self.quirks.file_add {
            names.remove("add");
        }
        names
    }

    /// Names of a menu's properties that can be given.
    fn settable(&self, menu: &'static Menu, name: &str) -> bool {
        self.prop(menu, name).is_some_and(|prop| !prop.read_only)
            || name == "disabled" && menu.can_disable()
            || name == "comment" && menu.verbs.has(Verbs::COMMENT)
    }

    fn readable(&self, menu: &'static Menu, name: &str) -> bool {
        self.row_value(menu, &super::row::Row::default(), name).is_some()
    }

    /// Whether the name alone of a property in `add` and `set` switches it on, as exports of 7.x write it.
    pub(super) fn stands_alone(&self, word: &str) -> bool {
        self.spec.version.is_v7() && judge::stands_alone(word)
    }

    /// Whether an argument of a command that is modelled is modelled too.
    pub(super) fn models_parameter(&self, path: &str, command: &str, name: &str) -> bool {
        if judge::of_boards(path, command, name).is_some() && !self.board.routerboard {
            return false;
        }
        if let Some(special) = self.special(path, command) {
            return special.args.contains(&name) || special.words.contains(&name);
        }
        if command == "export" {
            return name == "file" || EXPORT_WORDS.contains(&name);
        }
        let Some(menu) = self.menu(path) else { return false };
        match command {
            "print" => PRINT_ARGS.contains(&name) || PRINT_WORDS.contains(&name),
            "find" => self.readable(menu, name),
            "get" => matches!(name, "number" | "value-name"),
            "add" => {
                self.settable(menu, name) && !self.tree_lacks(path, command, name)
                    || name == "copy-from"
                    || name == "place-before" && menu.shape == Shape::Ordered
                    || menu.path == "/file" && name == "type"
            }
            "set" => {
                self.settable(menu, name) && !self.tree_lacks(path, command, name)
                    || name == "numbers" && menu.shape != Shape::Single
            }
            "unset" => matches!(name, "numbers" | "value-name"),
            "move" => matches!(name, "numbers" | "destination"),
            "comment" => matches!(name, "numbers" | "comment"),
            "remove" | "enable" | "disable" => name == "numbers",
            _ => false,
        }
    }

    /// The whole name of a command's argument, or the only one that begins so, of those that are modelled and those that the
    /// tree has. What fits several is none, as a router reads it.
    pub(super) fn parameter(&self, path: &str, command: &str, name: &str) -> Option<String> {
        let menu: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        let mine = self.parameters(path, command).into_iter().filter(|mine| self.models_parameter(path, command, mine));
        let tree = self.tree_parameters(&menu, command);
        let all: BTreeSet<&str> = mine.chain(tree.iter().copied()).collect();
        pick(all.into_iter(), name).ok().flatten().map(str::to_owned)
    }

    fn parameters(&self, path: &str, command: &str) -> Vec<&'static str> {
        if let Some(special) = self.special(path, command) {
            return special.args.to_vec();
        }
        match command {
            "print" => PRINT_ARGS.to_vec(),
            "export" => vec!["file"],
            "add" | "set" => {
                let own = self.menu(path).into_iter().flat_map(|menu| menu.props.iter()).map(|prop| prop.name);
                own.chain(["comment", "copy-from", "disabled", "numbers", "place-before"]).collect()
            }
            _ => vec!["comment", "destination", "number", "numbers", "value-name"],
        }
    }

    /// The word without a value that is meant, for commands that have such: whole, or the only one that begins so.
    pub(super) fn flag_word(&self, path: &str, command: &str, word: &str) -> Option<&'static str> {
        let words = match (self.special(path, command), command) {
            (Some(special), _) => special.words,
            (None, "print") => PRINT_WORDS,
            (None, "export") => EXPORT_WORDS,
            _ => return None,
        };
        pick(words.iter().copied(), word).ok().flatten()
    }

    /// Whether an argument without a name is modelled.
    pub(super) fn models_word(&self, path: &str, command: &str, word: &str) -> bool {
        if let Some(special) = self.special(path, command) {
            return special.unnamed || special.words.contains(&word);
        }
        match command {
            "print" => PRINT_WORDS.contains(&word) || self.menu(path).is_some_and(|menu| menu.shape != Shape::Single),
            "export" => EXPORT_WORDS.contains(&word),
            "add" => false,
            "set" => self.menu(path).is_some_and(|menu| menu.shape != Shape::Single),
            // Items are named by words, and so are the properties of `get` and `unset`.
            _ => true,
        }
    }
}

impl Names for System {
    fn lookup(&self, menu: &[String], word: &str) -> Lookup {
        let path = path_of(menu);
        // Whole names are what scripts are full of: they need no list of all names.
        if self.has_child(&path, word) {
            return Lookup::Menu(word.to_owned());
        }
        if self.special(&path, word).is_some() {
            return Lookup::Command(word.to_owned());
        }
        let verbs = self.verbs(&path);
        if verbs.contains(word) {
            return Lookup::Command(word.to_owned());
        }
        // A whole name that only the tree has is not the beginning of another.
        let beyond = self.unmodelled(menu, word);
        if matches!(&beyond, Lookup::Menu(name) | Lookup::Command(name) if name == word) {
            return beyond;
        }
        let menus = self.children(&path);
        let begins = |name: &&&str| !word.is_empty() && name.starts_with(word);
        let mut found = menus.iter().filter(begins).map(|name| Lookup::Menu((*name).to_owned())).collect::<Vec<_>>();
        found.extend(verbs.iter().filter(begins).map(|name| Lookup::Command((*name).to_owned())));
        match (found.pop(), found.is_empty()) {
            // Another that only the tree has.
            (Some(_), true) if !menu.is_empty() && self.tree_doubts(menu, word) => Lookup::Ambiguous,
            (Some(one), true) => one,
            (Some(_), false) => Lookup::Ambiguous,
            (None, _) => beyond,
        }
    }

    fn takes_parameter(&self, menu: &[String], command: &str, name: &str) -> bool {
        !self.is_unmodelled(menu, command)
            && (self.models_parameter(&path_of(menu), command, name)
                || self.parameter(&path_of(menu), command, name).is_some())
            || self.tree_takes(menu, command, name)
    }

    fn takes_word(&self, menu: &[String], command: &str, word: &str) -> bool {
        if matches!(command, "add" | "set") {
            // `!name` is a property without a value; some are switched on by their name alone.
            if let Some(name) = word.strip_prefix('!')
                && self.takes_parameter(menu, command, name)
            {
                return true;
            }
            if self.stands_alone(word) && self.takes_parameter(menu, command, word) {
                return true;
            }
        }
        !self.is_unmodelled(menu, command)
            && (self.models_word(&path_of(menu), command, word)
                || self.flag_word(&path_of(menu), command, word).is_some())
            || self.tree_takes_word(menu, command, word)
    }
}

/// How long the last word of `line` is, and the names that it can become.
pub fn complete(sys: &System, path: &[String], line: &[u8]) -> (usize, Vec<String>) {
    let line = String::from_utf8_lossy(line);
    let line = line.rsplit(['[', '{', ';', '(']).next().unwrap_or_default();
    let mut menu = path.to_vec();
    let mut command: Option<String> = None;
    let text = line.trim_start();
    let absolute = text.starts_with(['/', ':']);
    if absolute {
        menu.clear();
    }
    let text = text.trim_start_matches(['/', ':']);
    let at = text.rfind([' ', '/']).map_or(0, |at| at + 1);
    let (before, word) = text.split_at(at);
    for part in before.split([' ', '/']).filter(|part| !part.is_empty()) {
        if command.is_some() {
            break;
        }
        match sys.lookup(&menu, part) {
            Lookup::Menu(name) => menu.push(name),
            Lookup::Command(name) => command = Some(name),
            _ => return (word.len(), Vec::new()),
        }
    }
    let here = path_of(&menu);
    let mut names: Vec<String> = match command {
        None => sys.children(&here).union(&sys.verbs(&here)).map(|name| (*name).to_owned()).collect(),
        Some(command) => sys.menu(&here).map_or_else(Vec::new, |table| {
            sys.props(table)
                .map(|prop| prop.name.to_owned())
                .filter(|name| sys.takes_parameter(&menu, &command, name))
                .collect()
        }),
    };
    names.sort();
    names.retain(|name| name.starts_with(word));
    (word.len(), names)
}
