//! What a router of this version has and the simulator has not.
//!
//! The command trees of 7.x name far more menus, commands and arguments than are modelled. Such a name is no error: a script
//! that uses it is read to its end, and the command itself is refused in words that no router says, so that nobody takes a gap
//! of the simulator for an answer of RouterOS. A version without a tree of its own (before 7.22) is read with the nearest one;
//! 6.x has none, only tables of names ([`super::six`]): there `bad command name` may also mean that it isn't known, and so may
//! `expected end of command`.

use routeros_script::judge::{of_boards, takes_unnamed};
use routeros_script::tree::{Argument, View};
use routeros_script::{Lookup, Names, commands};

use super::catalog::{EXPORT_WORDS, PRINT_WORDS, known, path_of};
use super::def::{Menu, Prop, When};
use super::refused::Refused;
use super::six;
use super::tables::stored;
use crate::quirks::{QuirkOverrides, Quirks};
use crate::record::EventKind;
use crate::script::MenuCommand;
use crate::system::System;

impl System {
    /// The tree of this version, or the nearest one; 6.x has none.
    fn tree(&self) -> Option<View> {
        let version = self.language();
        version.is_v7().then(|| View::of(version))
    }

    /// What the version's tree has under a name that no table knows.
    pub(super) fn unmodelled(&self, menu: &[String], word: &str) -> Lookup {
        let path = path_of(menu);
        let Some(tree) = self.tree() else { return six::lookup(&path, word) };
        let found = Names::lookup(&tree, menu, word);
        let (Lookup::Menu(name) | Lookup::Command(name)) = &found else { return Lookup::Unknown };
        if self.lacks(tree, &known(&path, name)) {
            return Lookup::Unknown;
        }
        // Shortened names of the root are the language's own commands before they are these.
        if menu.is_empty() && (name != word || commands::find(name, tree.version()).is_some()) {
            return Lookup::Unknown;
        }
        found
    }

    /// Whether it is known that this router lacks what is modelled for those versions, though the tree has it: the tree is
    /// another version's, or a quirk took it away.
    fn lacks(&self, tree: View, modelled: &[When]) -> bool {
        let version = self.spec.version;
        let own = || Quirks::resolve(version, &QuirkOverrides::default());
        !modelled.is_empty() && (!tree.exact() || modelled.iter().any(|when| when(version, &own())))
    }

    /// Whether a command of the tree is one that only the tree knows.
    pub(super) fn is_unmodelled(&self, menu: &[String], command: &str) -> bool {
        let path = path_of(menu);
        self.special(&path, command).is_none()
            && !(self.verbs(&path).contains(command) && (menu.is_empty() || self.leads(&path)))
    }

    /// The same for 6.x. Of commands that are only known by name no arguments are; `add` and `set` of a table take what 7.22 has
    /// there and what else is known of 6.x, but for what the table knows to be of other versions.
    fn six_takes(&self, menu: &[String], command: &str, name: &str) -> bool {
        if self.is_unmodelled(menu, command) {
            return true;
        }
        let path = path_of(menu);
        if !matches!(command, "add" | "set") || self.special(&path, command).is_some() {
            return false;
        }
        let later = || {
            let here = |prop: &&Prop| prop.name == name && (prop.when)(self.spec.version, &self.quirks);
            self.menu(&path).is_some_and(|menu| {
                menu.props.iter().any(|prop| prop.name == name) && !menu.props.iter().any(|prop| here(&prop))
            })
        };
        let arguments = View::of(stored::NEAREST).arguments(menu, command);
        (arguments.is_some_and(|list| list.iter().any(|argument| argument.name == name)) || six::takes(&path, name))
            && !later()
    }

    /// Whether the tree's command takes an argument, as far as is known.
    pub(super) fn tree_takes(&self, menu: &[String], command: &str, name: &str) -> bool {
        let Some(tree) = self.tree() else { return self.six_takes(menu, command, name) };
        if tree.arguments(menu, command).is_none() || !tree.takes_parameter(menu, command, name) {
            return false;
        }
        let prop = self.menu(&path_of(menu)).and_then(|menu| menu.props.iter().find(|prop| prop.name == name));
        prop.is_none_or(|prop| (prop.when)(self.spec.version, &self.quirks) || !self.lacks(tree, &[prop.when]))
    }

    /// Whether this very version's tree finds several names that begin with a word.
    pub(super) fn tree_doubts(&self, menu: &[String], word: &str) -> bool {
        self.tree().is_some_and(|tree| tree.exact() && Names::lookup(&tree, menu, word) == Lookup::Ambiguous)
    }

    /// Names of the arguments of the tree's command, but for those that this router lacks.
    pub(super) fn tree_parameters(&self, menu: &[String], command: &str) -> Vec<&'static str> {
        let list = self.tree().and_then(|tree| tree.arguments(menu, command)).unwrap_or_default();
        list.iter().map(|argument| argument.name).filter(|name| self.tree_takes(menu, command, name)).collect()
    }

    /// Whether the tree's command takes a value or a word that stands without a name.
    pub(super) fn tree_takes_word(&self, menu: &[String], command: &str, word: &str) -> bool {
        let arguments = self.tree().and_then(|tree| tree.arguments(menu, command));
        self.tree_takes(menu, command, word) || arguments.is_some_and(|list| takes_unnamed(command, list))
    }

    fn tree_names(&self, menu: &[String], command: &str, name: &str) -> bool {
        let has = |list: &[Argument]| list.iter().any(|argument| argument.name == name);
        self.tree().and_then(|tree| tree.arguments(menu, command)).is_some_and(has)
    }

    /// Whether this very version's tree has the command, and without that argument. Tables are made for all versions.
    pub(super) fn tree_lacks(&self, path: &str, command: &str, name: &str) -> bool {
        let menu: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        // The tree was made on a machine that is no board.
        if self.board.routerboard && of_boards(path, command, name).is_some() {
            return false;
        }
        let arguments = self.tree().filter(|tree| tree.exact()).and_then(|tree| tree.arguments(&menu, command));
        arguments.is_some_and(|list| !list.iter().any(|argument| argument.name == name))
    }

    /// Whether both the command and its argument are modelled, or stored.
    #[cfg(test)]
    pub(crate) fn models(&self, menu: &[String], command: &str, name: &str) -> bool {
        !self.is_unmodelled(menu, command) && self.models_parameter(&path_of(menu), command, name)
    }

    /// The refusal of a command that is not modelled, or of one with an argument that isn't.
    pub(super) fn beyond(&self, path: &str, command: &MenuCommand, user: &str) -> Option<Refused> {
        let (menu, verb) = (command.menu.as_slice(), command.verb.as_str());
        if self.is_unmodelled(menu, verb) {
            return Some(self.not_simulated(&format!("{path}/{verb}"), user));
        }
        let special = self.special(path, verb).is_some();
        let unknown = command.args.iter().find_map(|arg| match (&arg.name, &arg.literal) {
            (Some(name), _) => (!self.models_parameter(path, verb, name.trim_start_matches('!'))).then_some(name),
            (None, Some(word)) if special => (!self.models_word(path, verb, word)).then_some(word),
            (None, Some(word)) => {
                let words = match verb {
                    "print" => PRINT_WORDS,
                    "export" => EXPORT_WORDS,
                    _ => return None,
                };
                (!words.contains(&word.as_str()) && self.tree_names(menu, verb, word)).then_some(word)
            }
            (None, None) => None,
        });
        unknown.map(|name| self.not_simulated(&format!("{path}/{verb} {name}"), user))
    }

    /// The refusal of `get` and `unset` for a property that the menu's table lacks.
    pub(super) fn no_property(&self, menu: &Menu, verb: &str, name: &str, user: &str) -> Refused {
        let path: Vec<String> = menu.path.split('/').skip(1).map(str::to_owned).collect();
        if ["set", "add"].iter().any(|command| self.tree_names(&path, command, name)) {
            return self.not_simulated(&format!("{}/{verb} {name}", menu.path), user);
        }
        Refused::NoMatch("value-name".to_owned())
    }

    /// Refuses what is not modelled, and notes it.
    pub(in crate::menu) fn not_simulated(&self, what: &str, user: &str) -> Refused {
        self.note(EventKind::NotSimulated { command: what.to_owned(), user: user.to_owned() });
        Refused::failure(format!("not simulated: {what}"))
    }
}
