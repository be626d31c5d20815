//! What `/system history` keeps of a change.

use super::core::System;
use super::history::{Action, Change};
use super::who::Who;
use crate::menu::quote_word;
use crate::menu::{Args, Menu};

impl System {
    /// Notes a change in the history. Files, jobs and the board's own settings are no part of it.
    pub(crate) fn remember(
        &self,
        menu: &'static Menu,
        verb: &str,
        item: &str,
        args: &Args,
        who: &Who,
        changes: Vec<Change>,
    ) {
        if matches!(menu.path, "/file" | "/system/script/job" | "/system/script/environment" | "/certificate") {
            return;
        }
        let noun = menu.path.rsplit('/').next().unwrap_or_default();
        let done = match verb {
            "add" => "added",
            "remove" => "removed",
            "move" => "moved",
            _ => "changed",
        };
        let words = menu.path.replace('/', " ");
        let words = format!("/{}", words.trim_start());
        let given: Vec<String> = args
            .iter()
            .map(|(name, value)| {
                let secret = self.prop(menu, name).is_some_and(|prop| prop.secret || prop.write_only);
                if secret { format!("{name}=\"\"") } else { format!("{name}={}", quote_word(value)) }
            })
            .collect();
        let given = given.join(" ");
        let (redo, undo) = match verb {
            "add" => (format!("{words} add {given}"), format!("{words} remove {item}")),
            "remove" => (format!("{words} remove {item}"), format!("{words} add copy-from={item}")),
            _ => (format!("{words} {verb} {item} {given}"), format!("{words} {verb} {item} \"\"")),
        };
        let action = Action {
            id: 0,
            action: format!("{noun} {done}"),
            by: who.user.to_string(),
            time: self.unix_time(),
            redo,
            undo,
            changes,
            floating: self.floating(who.session),
            undone: false,
        };
        self.volatile.borrow_mut().history.push(action);
    }
}
