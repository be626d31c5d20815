//! `/system reset-configuration`, and how a pending change of the whole configuration is taken at a start.

use super::core::{Pending, Storage, System};
use super::factory::{self, BOARD_MENUS, USER_MENUS};
use crate::menu::Config;
use crate::record::EventKind;
use crate::spec::Spec;

/// What a reset keeps and does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reset {
    /// Users stay.
    pub keep_users: bool,
    /// The factory's default configuration stays away.
    pub no_defaults: bool,
    /// No `auto-before-reset.backup` is written.
    pub skip_backup: bool,
    /// A file that is run as a script after the next start.
    pub run_after_reset: Option<String>,
}

impl System {
    /// Takes a reset for the next start.
    pub fn take_reset(&self, reset: Reset) {
        if !reset.skip_backup {
            // A full storage does not stop a reset.
            let _ = self.save_backup("auto-before-reset", "");
        }
        self.storage.borrow_mut().pending = Some(Pending::Reset(reset));
    }
}

impl Storage {
    /// Puts a pending reset or restore into force; what there is to record.
    pub fn settle(&mut self, spec: &Spec) -> Option<EventKind> {
        let pending = self.pending.take()?;
        let keep = |from: &Config, to: &mut Config, menus: &[&str]| {
            for menu in menus {
                to.take_menu(menu, from);
            }
        };
        match pending {
            Pending::Reset(reset) => {
                let fresh = if reset.no_defaults { factory::erased(spec) } else { factory::defaults(spec) };
                let old = std::mem::replace(&mut self.config, fresh);
                keep(&old, &mut self.config, BOARD_MENUS);
                if reset.keep_users {
                    keep(&old, &mut self.config, USER_MENUS);
                }
                self.license_pending = spec.quirks().license_question;
                self.run_after_reset = reset.run_after_reset;
                Some(EventKind::ConfigErased { keep_users: reset.keep_users, no_defaults: reset.no_defaults })
            }
            Pending::Restore { name, config } => {
                let old = std::mem::replace(&mut self.config, config);
                keep(&old, &mut self.config, BOARD_MENUS);
                Some(EventKind::BackupLoaded { name })
            }
        }
    }
}
