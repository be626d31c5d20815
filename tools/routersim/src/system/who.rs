//! On whose behalf something runs, and what that allows.

use std::fmt;
use std::rc::Rc;

use crate::record::{SessionId, Via};

/// Policies of RouterOS's user groups, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy(u32);

/// Names, in the order in which RouterOS lists them.
pub const POLICIES: &[&str] = &[
    "local",
    "telnet",
    "ssh",
    "ftp",
    "reboot",
    "read",
    "write",
    "policy",
    "test",
    "winbox",
    "password",
    "web",
    "sniff",
    "sensitive",
    "api",
    "romon",
    "dude",
    "tikapp",
    "rest-api",
];

impl Policy {
    /// Every policy.
    pub const ALL: Self = Self(u32::MAX);
    /// None.
    pub const NONE: Self = Self(0);

    /// From a comma-separated list; names with `!` and unknown ones add nothing.
    pub fn from_list(list: &str) -> Self {
        let mut bits = 0;
        for name in list.split(',') {
            if let Some(at) = POLICIES.iter().position(|policy| *policy == name.trim()) {
                bits |= 1 << at;
            }
        }
        Self(bits)
    }

    /// Whether all of `other` are in it.
    pub const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether the policy of that name is in it.
    pub fn allows(self, name: &str) -> bool {
        self.covers(Self::from_list(name))
    }

    /// What is in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The names, in RouterOS's order.
    pub fn names(self) -> String {
        let names = POLICIES.iter().filter(|name| self.allows(name)).copied();
        names.collect::<Vec<_>>().join(",")
    }
}

/// Somebody who gives commands.
#[derive(Clone, PartialEq, Eq)]
pub struct Who {
    /// User name; `*sys` for the system itself.
    pub user: Rc<str>,
    /// What is allowed.
    pub policy: Policy,
    /// How the command came in.
    pub via: Via,
    /// The console session in which it was typed.
    pub session: Option<SessionId>,
}

impl Who {
    /// The system itself.
    pub fn system(via: Via) -> Self {
        Self { user: Rc::from("*sys"), policy: Policy::ALL, via, session: None }
    }
}

impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} via {:?}", self.user, self.via)
    }
}
