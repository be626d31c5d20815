//! `/undo`, `/redo`, safe mode: changes of stored items taken back and done again.

use super::core::System;
use super::history::{Change, MAX_ACTIONS, Placed};
use crate::console::{Notice, SafeMode, SafeModeReply};
use crate::menu::tables;
use crate::record::SessionId;

impl System {
    /// An item where it stands.
    pub(crate) fn placed(&self, menu: &str, id: u32) -> Option<Placed> {
        self.config(|config| {
            let items = config.items(menu);
            let at = items.iter().position(|item| item.id == id)?;
            items.get(at).map(|item| Placed { at, item: item.clone() })
        })
    }

    /// Makes an item what it was, or was going to be; `None`: not there.
    fn put_placed(&self, menu: &'static str, id: u32, wanted: Option<&Placed>) {
        let Some(table) = tables::by_path(menu) else { return };
        let now = self.config_mut(|config| {
            let now = config.remove(menu, id);
            if let Some(placed) = wanted {
                let items = config.items_mut(menu);
                items.insert(placed.at.min(items.len()), placed.item.clone());
            }
            now
        });
        if let (Some(now), Some(wanted)) = (&now, wanted)
            && let (Some(from), Some(to)) = (now.get("name"), wanted.item.get("name"))
            && from != to
        {
            self.rename_references(table, from, to);
        }
        match (wanted, now) {
            (Some(placed), _) => table.hooks.changed(self, &placed.item, false),
            (None, Some(item)) => table.hooks.changed(self, &item, true),
            (None, None) => {}
        }
    }

    fn revert(&self, changes: &[Change]) {
        for change in changes.iter().rev() {
            self.put_placed(change.menu, change.id, change.before.as_ref());
        }
        self.reconfigure();
    }

    /// `/undo`; whether there was something.
    pub fn undo(&self) -> bool {
        let changes = self.volatile.borrow_mut().history.undo();
        if let Some(changes) = &changes {
            self.revert(changes);
        }
        changes.is_some()
    }

    /// `/redo`; whether there was something.
    pub fn redo(&self) -> bool {
        let changes = self.volatile.borrow_mut().history.redo();
        for change in changes.iter().flatten() {
            self.put_placed(change.menu, change.id, change.after.as_ref());
        }
        self.reconfigure();
        changes.is_some()
    }

    /// Takes back what a session did in safe mode.
    fn unroll(&self, session: SessionId) {
        let changes = self.volatile.borrow_mut().history.take_floating(session);
        // They are newest first already.
        for change in &changes {
            self.put_placed(change.menu, change.id, change.before.as_ref());
        }
        self.reconfigure();
    }

    /// The session that a change is taken back with, when it holds safe mode. One that filled the history loses
    /// safe mode and keeps its changes \[doc\].
    pub(crate) fn floating(&self, session: Option<SessionId>) -> Option<SessionId> {
        let session = session?;
        let full = {
            let volatile = self.volatile.borrow();
            if volatile.safe_mode.as_ref().is_none_or(|(holder, _)| *holder != session) {
                return None;
            }
            volatile.history.floating(session) + 1 >= MAX_ACTIONS
        };
        if full {
            self.end_safe_mode(session);
            self.notices.publish(Notice::SafeModeLost { session });
            return None;
        }
        Some(session)
    }

    fn end_safe_mode(&self, session: SessionId) {
        let mut volatile = self.volatile.borrow_mut();
        volatile.safe_mode = None;
        volatile.history.settle_floating(session);
    }

    /// What the console's safe-mode key does.
    pub(crate) fn safe_mode_key(&self, session: SessionId, user: &str, what: SafeMode) -> SafeModeReply {
        let held = self.volatile.borrow().safe_mode.clone();
        match (what, held) {
            (SafeMode::Take, Some((holder, by))) if holder != session => return SafeModeReply::Held { by },
            (SafeMode::Hijack { unroll }, Some((holder, _))) if holder != session => {
                if unroll {
                    self.unroll(holder);
                }
                self.end_safe_mode(holder);
                self.notices.publish(Notice::SafeModeLost { session: holder });
                self.volatile.borrow_mut().safe_mode = Some((session, user.to_owned()));
            }
            (SafeMode::Take | SafeMode::Hijack { .. }, _) => {
                self.volatile.borrow_mut().safe_mode = Some((session, user.to_owned()));
            }
            (SafeMode::Release, Some((holder, _))) if holder == session => self.end_safe_mode(session),
            (SafeMode::Unroll, Some((holder, _))) if holder == session => {
                self.unroll(session);
                self.end_safe_mode(session);
            }
            // It is another's, or nobody's: nothing to end.
            (SafeMode::Release | SafeMode::Unroll, _) => {}
        }
        SafeModeReply::Done
    }
}
