//! What single oddities can be.

use serde::{Deserialize, Serialize};

/// Which login a MAC-Telnet server asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginMethod {
    /// The 16-byte salt and the MD5 answer.
    Md5,
    /// EC-SRP5 and its 49-byte keys.
    EcSrp5,
}

/// How an idle console session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdleLogout {
    /// Never by itself.
    Never,
    /// After about 30 s without input, whatever keepalives come (one source, 7.2x).
    Input30,
    /// When nothing at all came from the client for about 90 s.
    Silence90,
}

/// Whose the global variables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Globals {
    /// One environment for all.
    Shared,
    /// One for each user, as the manual says of 7.x.
    PerUser,
}

/// What becomes of names of Ethernet ports at a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortOrder {
    /// Each port has its own name.
    Right,
    /// The first two ports come up under each other's names.
    FirstTwoSwapped,
    /// The last two ports come up under each other's names.
    LastTwoSwapped,
}

/// `/system device-mode`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceMode {
    /// Everything but what is off everywhere (`routerboard`, `install-any-version`, `partitions`, containers).
    Advanced,
    /// As advanced, without what a simple router has no use for; what the pair needs is allowed.
    Basic,
    /// No scheduler, no fetch, no smb.
    Home,
    /// As advanced, with containers.
    Rose,
}
