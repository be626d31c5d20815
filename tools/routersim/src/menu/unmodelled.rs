//! What a router of this version has and the simulator has not.
//!
//! The command trees of 7.x name far more menus and commands than are modelled. Such a name is no error: a script that uses
//! it is read to its end, and the command itself is refused in words that no router says, so that nobody takes a gap of the
//! simulator for an answer of RouterOS. A version without a tree of its own (before 7.22) is read with the nearest one, and
//! 6.x has none: there `bad command name` also means that it isn't known.

use routeros_script::tree::View;
use routeros_script::{Lookup, Names, commands};

use super::catalog::{anywhere, path_of};
use super::refused::Refused;
use crate::record::EventKind;
use crate::system::System;

impl System {
    /// The tree of this version, or the nearest one; 6.x has none.
    fn tree(&self) -> Option<View> {
        let version = self.language();
        version.is_v7().then(|| View::of(version))
    }

    /// What the version's tree has under a name that no table knows.
    pub(super) fn unmodelled(&self, menu: &[String], word: &str) -> Lookup {
        let Some(tree) = self.tree() else { return Lookup::Unknown };
        let found = Names::lookup(&tree, menu, word);
        let (Lookup::Menu(name) | Lookup::Command(name)) = &found else { return Lookup::Unknown };
        // Of what is modelled for other versions it is known that this one lacks it.
        if anywhere(&path_of(menu), name) {
            return Lookup::Unknown;
        }
        // Shortened names of the root are the language's own commands before they are these.
        if menu.is_empty() && (name != word || commands::find(name, tree.version()).is_some()) {
            return Lookup::Unknown;
        }
        found
    }

    /// Whether a command of the tree is one that only the tree knows.
    pub(super) fn is_unmodelled(&self, menu: &[String], command: &str) -> bool {
        let path = path_of(menu);
        self.special(&path, command).is_none()
            && !(self.verbs(&path).contains(command) && (menu.is_empty() || self.leads(&path)))
    }

    /// Whether a command that is not modelled takes an argument.
    pub(super) fn tree_takes(&self, menu: &[String], command: &str, name: &str) -> bool {
        self.tree().is_some_and(|tree| tree.takes_parameter(menu, command, name))
    }

    /// Refuses such a command, and notes it.
    pub(super) fn not_simulated(&self, path: &str, command: &str, user: &str) -> Refused {
        let command = format!("{path}/{command}");
        let refused = Refused::failure(format!("not simulated: {command}"));
        self.note(EventKind::NotSimulated { command, user: user.to_owned() });
        refused
    }
}
