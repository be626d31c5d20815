//! Oddities of real routers, named one by one, each with the source that it comes from.
//!
//! A version has its own set; a specification overrides single ones. The rest of the simulator asks
//! [`Quirks`], never the version number, where the reference calls something an oddity.

use serde::Deserialize;

use crate::spec::Version;

/// Which login a MAC-Telnet server asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoginMethod {
    /// The 16-byte salt and the MD5 answer.
    Md5,
    /// EC-SRP5 and its 49-byte keys.
    EcSrp5,
}

/// How an idle console session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Globals {
    /// One environment for all.
    Shared,
    /// One for each user, as the manual says of 7.x.
    PerUser,
}

/// What becomes of names of Ethernet ports at a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceMode {
    /// Everything the pair needs is allowed.
    Advanced,
    /// No scheduler, no fetch, no smb.
    Home,
}

macro_rules! quirks {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $value:expr;)*) => {
        /// The oddities that hold for one router.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Quirks {
            $($(#[$doc])* pub $name: $type,)*
        }

        /// Those that a specification sets itself; `None` leaves the version's.
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct QuirkOverrides {
            $($(#[$doc])* #[serde(default)] pub $name: Option<$type>,)*
        }

        impl Quirks {
            /// The version's oddities under the overrides.
            pub fn resolve(version: Version, overrides: &QuirkOverrides) -> Self {
                Self { $($name: overrides.$name.clone().unwrap_or_else(|| { let of: fn(Version) -> $type = $value; of(version) }),)* }
            }
        }
    };
}

quirks! {
    /// The login of the MAC layer. Current versions know EC-SRP5 only; 6.43.12 and 6.44rc1 still took MD5,
    /// 6.45.6 and 6.45.7 refuse it (ha-system.md section 6; two sources, so 6.43 and 6.44 are tested both ways).
    login: LoginMethod = |v| if v < Version::new(6, 45, 1) { LoginMethod::Md5 } else { LoginMethod::EcSrp5 };
    /// How idle sessions end (routeros-console.md section 10, MAC-Telnet extras: sources disagree).
    idle_logout: IdleLogout = |v| if v.is_v7() { IdleLogout::Input30 } else { IdleLogout::Silence90 };
    /// Milliseconds without a key until a critical log line is pushed into a console session; up to 19 s were seen
    /// (routeros-console.md section 2).
    log_push_ms: u32 = |_| 1000;
    /// The console asks for the cursor while `new password>` is on the screen (routeros-console.md, fact 9).
    probe_at_password: bool = |_| false;
    /// The prompt comes twice after output, as seen over SSH (routeros-console.md section 2).
    double_prompt: bool = |_| false;
    /// The byte that ends `/tool mac-telnet` from the near side; in no source, to be verified. `None`: none does.
    hop_escape: Option<u8> = |_| None;
    /// Fault of the console: the prompt is painted before a command's output too.
    prompt_first: bool = |_| false;
    /// Fault of the console: output comes in pieces of this many bytes, 1 ms apart.
    split_output: Option<u16> = |_| None;
    /// Fault of the console: keys are not echoed; the repaint at Enter remains.
    no_echo: bool = |_| false;
    /// Whose globals are (script-subset.md section 6; one 7.x user saw another user's empty, upstream #23).
    globals: Globals = |_| Globals::Shared;
    /// The board keeps files below `flash/` only; the rest is RAM (script-subset.md section 5.5).
    flash_directory: bool = |_| false;
    /// Seconds for which a file write stays in RAM, lost by a power cut, not by a reboot. `None`: the board's,
    /// 40 s on NAND boards with many cores \[doc\].
    write_back_seconds: Option<u32> = |_| None;
    /// Milliseconds after the console's start until the Ethernet ports appear (ha-system.md section 2: `delaying1`).
    late_ports_ms: u32 = |_| 0;
    /// Names of ports after a start ("swapped positions", ha-system.md section 7).
    port_order: PortOrder = |_| PortOrder::Right;
    /// Device mode; `home` refuses scheduler, fetch and smb (ha-system.md section 6).
    device_mode: DeviceMode = |_| DeviceMode::Advanced;
    /// `/user settings minimum-categories` (ha-system.md section 9).
    password_categories: u8 = |_| 0;
    /// `/user settings minimum-password-length`.
    password_length: u8 = |_| 0;
    /// `.auto.rsc` files are not run on arrival: 6.46 as first released (upstream #16).
    auto_rsc_dead: bool = |v| v == Version::new(6, 46, 0);
    /// VRRP does not become master on a port without link: 6.45 and later (upstream #11).
    vrrp_needs_link: bool = |v| v.at_least(6, 45);
    /// The licence question after a reset: 7.13 and later \[doc\].
    license_question: bool = |v| v.at_least(7, 13);
    /// The new-password question on an empty `admin` password: 6.49 and later.
    password_question: bool = |v| v.at_least(6, 49);
    /// Whether `run-after-reset` is cut off, and after how many seconds: 120 on 7.x \[doc\].
    reset_script_seconds: Option<u32> = |v| v.is_v7().then_some(120);
    /// Bytes that `contents=` takes and gives: about 4 KB on 6.x (inferred), 60 KB on 7.x \[doc\].
    file_contents_limit: u32 = |v| if v.is_v7() { 60 * 1024 } else { 4095 };
    /// `/file add` exists: 7.9 and later \[doc\].
    file_add: bool = |v| v.at_least(7, 9);
    /// Milliseconds until the file of `/export file=` and `/file print file=` appears (script-subset.md section 3: up to 2 s).
    background_file_ms: u32 = |_| 1200;
    /// `/ip service` calls its address list `available-from`: reported of 7.24 (ha-system.md section 6, to be verified).
    service_available_from: bool = |v| v.at_least(7, 24);
    /// `/system history print detail as-value` has undo and redo texts with quotes: 7.x (ha-system.md section 6).
    history_undo_text: bool = |v| v.is_v7();
    /// `[/ping ...]` is the number of replies: 6.x. On 7.x "no longer a plain number" (ha-system.md section 6), here
    /// nothing at all without `as-value`, to be verified.
    ping_gives_count: bool = |v| !v.is_v7();
    /// `export` leaves secrets out unless asked: 7.x \[doc\].
    export_hides_secrets: bool = |v| v.is_v7();
    /// SSH host keys are `*_dsa` and `*_rsa` on 6.x, `*.pem` without DSA on 7.x.
    host_keys_pem: bool = |v| v.is_v7();
    /// Importing a key consumes its file (script-subset.md section 4, to be verified).
    key_import_consumes: bool = |_| false;
    /// Restoring a backup wants the same RouterOS version, not only the same board \[doc\].
    backup_wants_version: bool = |_| true;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_its_own_and_overrides_win() {
        let none = QuirkOverrides::default();
        let old = Quirks::resolve(Version::new(6, 44, 6), &none);
        let new = Quirks::resolve(Version::new(7, 18, 2), &none);
        assert_eq!((old.login, new.login), (LoginMethod::Md5, LoginMethod::EcSrp5));
        assert_eq!((old.file_contents_limit, new.file_contents_limit), (4095, 61_440));
        assert!(!old.license_question && new.license_question);
        let forced = QuirkOverrides { login: Some(LoginMethod::EcSrp5), ..QuirkOverrides::default() };
        assert_eq!(Quirks::resolve(Version::new(6, 44, 6), &forced).login, LoginMethod::EcSrp5);
    }
}
