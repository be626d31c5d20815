//! The port marked BOOT: who is on its cable with RouterOS's installer and a package.

use mactelnet::Instant;

use super::machine::Router;
use crate::record::EventKind;
use crate::serial::Netboot;
use crate::spec::Version;
use crate::system::{Pending, Reset, package_version};

/// What becomes of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It is kept, users with it; where there is none, the factory's default comes.
    Old,
    /// `-r`: the factory's default.
    Default,
    /// `-e`: none.
    Empty,
}

/// An installation that somebody on the BOOT port's cable offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// What is put on the storage.
    pub version: Version,
    /// What becomes of the configuration.
    pub keep: Keep,
}

impl Installation {
    /// By the package's file name, which has to be one for this router's board.
    pub fn of(router: &Router, package: &str, keep: Keep) -> Option<Self> {
        let board = router.spec().board().ok()?;
        Some(Self { version: package_version(package, board)?, keep })
    }
}

/// How far an installation has come, as who offers it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The board asked for a boot image and got it.
    Asked,
    /// Its installer answers, and formats the storage.
    Formats,
    /// All is written; it starts again.
    Done,
}

impl Router {
    /// Somebody offers an installation on the BOOT port's cable, or `None`: nobody does any more.
    pub fn offer_installation(&mut self, now: Instant, offer: Option<Installation>) {
        self.pump(now);
        self.serial.offer = offer;
        self.serial.told.clear();
        let netboot = self.netboot();
        if let Some(booter) = &mut self.serial.booter {
            booter.set_netboot(now, netboot);
        }
        self.pump(now);
    }

    /// How far the installation has come since the last call.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.serial.told)
    }

    pub(super) fn netboot(&self) -> Netboot {
        if self.serial.offer.is_some() { Netboot::Packages } else { self.spec().booter.netboot }
    }

    /// The installer has written the storage. Files are gone whatever is kept \[I\]; without a configuration to keep, a start
    /// brings the factory's default \[I\].
    pub(super) fn installed(&mut self, now: Instant) {
        let Some(offer) = self.serial.offer.clone() else { return };
        // what the boot loader found formatted when it began had no configuration any more
        let keep = if self.serial.formatted && offer.keep == Keep::Old { Keep::Default } else { offer.keep };
        let reset = |no_defaults| Reset { no_defaults, skip_backup: true, ..Reset::default() };
        {
            let mut storage = self.storage().borrow_mut();
            storage.files.format();
            storage.pending = match keep {
                Keep::Old => None,
                Keep::Default => Some(Pending::Reset(reset(false))),
                Keep::Empty => Some(Pending::Reset(reset(true))),
            };
            storage.boot_notes.clear();
        }
        (self.serial.formatted, self.serial.broken) = (false, false);
        self.set_version(offer.version);
        self.note(now, EventKind::Installed { version: offer.version.to_string(), kept: keep == Keep::Old });
    }
}
