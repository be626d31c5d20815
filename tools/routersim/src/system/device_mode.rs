//! `/system device-mode`: what is allowed at all, changed only by somebody who stands at the board.

use std::collections::BTreeMap;
use std::time::Duration;

use mactelnet::Instant;

use super::core::System;
use crate::quirks::DeviceMode;

/// Changes that nobody confirmed, after which none is taken any more \[doc\].
pub const MAX_ATTEMPTS: u8 = 3;
/// How long a change waits for a hand on the board \[doc\].
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Features that a mode allows or not, and the modes that allow them (manual, Device-mode; the list is not whole).
pub const FEATURES: &[(&str, &[DeviceMode])] = {
    use DeviceMode::{Advanced, Basic, Rose};
    &[
        ("scheduler", &[Advanced, Basic, Rose]),
        ("fetch", &[Advanced, Basic, Rose]),
        ("smb", &[Advanced, Basic, Rose]),
        ("email", &[Advanced, Basic, Rose]),
        ("sniffer", &[Advanced, Rose]),
        ("bandwidth-test", &[Advanced, Rose]),
        ("romon", &[Advanced, Rose]),
        ("proxy", &[Advanced, Rose]),
        ("hotspot", &[Advanced, Rose]),
        ("socks", &[Advanced, Rose]),
        ("container", &[Rose]),
        ("traffic-gen", &[]),
        ("routerboard", &[]),
        ("partitions", &[]),
        ("install-any-version", &[]),
    ]
};

/// A board's device mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceState {
    /// The mode.
    pub mode: DeviceMode,
    /// Features that were set one by one.
    pub own: BTreeMap<String, bool>,
    /// Changes that nobody confirmed since the last one that somebody did.
    pub attempts: u8,
    /// A change that waits for a hand on the board, and until when.
    pub waiting: Option<(Wanted, Instant)>,
}

/// What an update asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Another mode.
    pub mode: Option<DeviceMode>,
    /// Single features.
    pub features: BTreeMap<String, bool>,
}

impl DeviceState {
    /// A board in that mode.
    pub fn new(mode: DeviceMode) -> Self {
        Self { mode, own: BTreeMap::new(), attempts: 0, waiting: None }
    }

    /// Whether a feature is allowed. What no table knows is.
    pub fn allows(&self, feature: &str) -> bool {
        let by_mode =
            FEATURES.iter().find(|(name, _)| *name == feature).is_none_or(|(_, modes)| modes.contains(&self.mode));
        self.own.get(feature).copied().unwrap_or(by_mode)
    }

    /// The power was cut, or the button pressed: a change that waits comes true, and attempts count anew.
    pub fn touched(&mut self, now: Instant) {
        self.attempts = 0;
        let Some((wanted, until)) = self.waiting.take() else { return };
        if now <= until {
            if let Some(mode) = wanted.mode {
                self.mode = mode;
                self.own.clear();
            }
            self.own.extend(wanted.features);
        }
    }
}

impl System {
    /// Whether device-mode allows a feature; before 7.x there is none.
    pub fn device_allows(&self, feature: &str) -> bool {
        !self.spec.version.is_v7() || self.storage.borrow().device.allows(feature)
    }
}
