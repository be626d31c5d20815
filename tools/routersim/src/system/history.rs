//! `/system history`: what was changed, newest first, and what takes it back.

use std::collections::VecDeque;

use crate::menu::Item;
use crate::record::SessionId;

/// Actions kept \[doc\].
pub const MAX_ACTIONS: usize = 100;

/// A stored item and where it stood in its menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its place, from 0.
    pub at: usize,
    /// The item.
    pub item: Item,
}

/// What became of one stored item: enough to take it back, and to do it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its menu's path.
    pub menu: &'static str,
    /// Its number.
    pub id: u32,
    /// What it was; none when it was added.
    pub before: Option<Placed>,
    /// What it is; none when it was removed.
    pub after: Option<Placed>,
}

/// One action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Number of its id.
    pub id: u32,
    /// E.g. `address added`.
    pub action: String,
    /// Who.
    pub by: String,
    /// Unix time.
    pub time: u64,
    /// The commands that do it again (7.x).
    pub redo: String,
    /// The commands that undo it (7.x).
    pub undo: String,
    /// The items that it changed, in the order of the changes.
    pub changes: Vec<Change>,
    /// The session that made it in safe mode (`floating-undo`).
    pub floating: Option<SessionId>,
    /// Whether `/undo` took it back: `/redo` does it again.
    pub undone: bool,
}

/// The list.
#[derive(Debug, Default)]
pub struct History {
    actions: VecDeque<Action>,
    last_id: u32,
}

impl History {
    /// Notes an action. What was undone before it can't be done again any more.
    pub fn push(&mut self, mut action: Action) {
        self.last_id = self.last_id.wrapping_add(1);
        action.id = self.last_id;
        self.actions.retain(|action| !action.undone);
        self.actions.push_front(action);
        self.actions.truncate(MAX_ACTIONS);
    }

    /// All actions, newest first.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter()
    }

    /// Marks the newest action that stands as undone; its changes.
    pub fn undo(&mut self) -> Option<Vec<Change>> {
        let action = self.actions.iter_mut().find(|action| !action.undone)?;
        action.undone = true;
        Some(action.changes.clone())
    }

    /// Marks the oldest undone action as standing again; its changes.
    pub fn redo(&mut self) -> Option<Vec<Change>> {
        let action = self.actions.iter_mut().rev().find(|action| action.undone)?;
        action.undone = false;
        Some(action.changes.clone())
    }

    /// Takes out what a session did in safe mode, newest first.
    pub fn take_floating(&mut self, session: SessionId) -> Vec<Change> {
        let mut changes = Vec::new();
        self.actions.retain(|action| {
            let mine = action.floating == Some(session);
            if mine && !action.undone {
                changes.extend(action.changes.iter().rev().cloned());
            }
            !mine
        });
        changes
    }

    /// What a session did in safe mode stands.
    pub fn settle_floating(&mut self, session: SessionId) {
        for action in self.actions.iter_mut().filter(|action| action.floating == Some(session)) {
            action.floating = None;
        }
    }

    /// How many actions of a session float.
    pub fn floating(&self, session: SessionId) -> usize {
        self.actions.iter().filter(|action| action.floating == Some(session)).count()
    }
}
