//! `/system history`: what was changed, newest first.

use std::collections::VecDeque;

/// Actions kept \[doc\].
const MAX_ACTIONS: usize = 100;

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
}

/// The list.
#[derive(Debug, Default)]
pub struct History {
    actions: VecDeque<Action>,
    last_id: u32,
}

impl History {
    /// Notes an action.
    pub fn push(&mut self, mut action: Action) {
        self.last_id = self.last_id.wrapping_add(1);
        action.id = self.last_id;
        self.actions.push_front(action);
        self.actions.truncate(MAX_ACTIONS);
    }

    /// All actions, newest first.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        self.actions.iter()
    }
}
