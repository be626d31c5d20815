//! The procedures, by name, and which of them fits what was found.

use super::find::Found;
use super::plan::Before;
use super::standby::{OWN_BACKUP, PUSHED_BACKUP, file};
use crate::diagnosis::Name;
use routeros::wake::State;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What can be done for one router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Procedure {
    /// Evidence and a report; the router is left as it is.
    Leave,
    /// What a failed startup did not do is done in place.
    Repair,
    /// Loads the standby's own backup.
    KnownGood,
    /// Closed, silent, and held so through its next starts.
    Quarantine,
    /// The pair's configuration gets the address that the site file proves.
    RightMac,
    /// Does what a bootstrap waits for in vain.
    FinishBootstrap,
    /// Leaves the boot loader's menu.
    LeaveLoader,
    /// Boots over Ethernet once.
    Etherboot,
    /// The same, with netinstall run here.
    Netinstall,
    /// Another HA password on both members, over the HA cable.
    HaPassword,
    /// What is possible without the password, and what it costs. Does nothing.
    Password,
}

impl Procedure {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Leave,
        Self::Repair,
        Self::KnownGood,
        Self::Quarantine,
        Self::RightMac,
        Self::FinishBootstrap,
        Self::LeaveLoader,
        Self::Etherboot,
        Self::Netinstall,
        Self::HaPassword,
        Self::Password,
    ];

    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leave => "leave",
            Self::Repair => "repair",
            Self::KnownGood => "known-good",
            Self::Quarantine => "quarantine",
            Self::RightMac => "right-mac",
            Self::FinishBootstrap => "finish-bootstrap",
            Self::LeaveLoader => "leave-loader",
            Self::Etherboot => "etherboot",
            Self::Netinstall => "netinstall",
            Self::HaPassword => "ha-password",
            Self::Password => "password",
        }
    }

    /// In a line.
    pub fn says(self) -> &'static str {
        match self {
            Self::Leave => "evidence and a report; the router is left as it is",
            Self::Repair => {
                "HA port on with its own MAC, user, FTP, VRRP, in place; data ports stay closed; proved as the standby"
            }
            Self::KnownGood => "load the standby's own backup (ports off, own MACs), wait, prove it",
            Self::Quarantine => "data ports closed, VRRP and FTP off, its startup held, its identity marked",
            Self::RightMac => {
                "set the address that the site file proves in the pair's configuration, restart once, prove it"
            }
            Self::FinishBootstrap => "end the waiting job, set address, user and FTP, verify",
            Self::LeaveLoader => "leave the boot loader's menu; nothing is written",
            Self::Etherboot => "boot over Ethernet once, for a netinstall that you run",
            Self::Netinstall => "boot over Ethernet once, with --netinstall PATH --package FILE run here",
            Self::HaPassword => {
                "--new-ha-password REF on both members, over the HA cable, the standby first; proved by its use"
            }
            Self::Password => "what is possible without the password, and what it costs; does nothing",
        }
    }
}

impl fmt::Display for Procedure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Procedure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|one| one.name() == text).ok_or_else(|| format!("a procedure is one of {}", names()))
    }
}

/// The procedures that fit, the gentlest first.
pub fn fitting(found: &Found, before: &Before) -> Vec<Procedure> {
    use Procedure::*;
    // In place is no restart: it is the way back, whatever stands there now and however often it had failed.
    if let (true, Found::Router { facts, .. }) = (found.diagnosis().held, found)
        && facts.ha.as_ref().is_some_and(|ha| ha.is_ours())
        && !facts.is_active()
    {
        return match found.diagnosis().state {
            Name::F2 => vec![Leave, RightMac, Quarantine],
            _ => vec![Leave, Repair, Quarantine],
        };
    }
    match (found.diagnosis().state, found) {
        (Name::F1, _) if before.twice => vec![Leave, Quarantine],
        (Name::F1, _) => vec![Leave, Repair, KnownGood, Quarantine],
        (Name::F2, _) => vec![Leave, RightMac, Quarantine],
        (Name::F6, _) => vec![Leave, FinishBootstrap],
        (Name::F8, Found::Line { state: State::Menu(_), .. }) => vec![Leave, LeaveLoader, Etherboot, Netinstall],
        (Name::F8, Found::Line { state: State::BootLoop(_), .. }) => vec![Leave, Etherboot, Netinstall],
        (Name::F8, _) => vec![Leave, Netinstall],
        (Name::S4, _) => vec![Leave, HaPassword],
        _ => vec![Leave],
    }
}

/// Those of them that can be done as things are: a backup is loaded where there is one, this router's own or the active's.
pub fn offered(found: &Found, before: &Before) -> Vec<Procedure> {
    let mut fits = fitting(found, before);
    if let Found::Router { facts, .. } = found
        && ![OWN_BACKUP, PUSHED_BACKUP].iter().any(|name| file(&facts.files, name).is_some())
    {
        fits.retain(|one| *one != Procedure::KnownGood);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_typed_as_they_are_shown() {
        for procedure in Procedure::ALL {
            assert_eq!(procedure.name().parse::<Procedure>(), Ok(procedure));
        }
        assert!("x".parse::<Procedure>().unwrap_err().contains("known-good"));
    }
}
