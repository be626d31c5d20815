//! The table of oddities: name, meaning, type, value by version, source.

use serde::{Deserialize, Serialize};

use super::kinds::{DeviceMode, Globals, IdleLogout, LoginMethod, PortOrder};
use crate::spec::Version;

macro_rules! quirks {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $value:expr, $source:literal;)*) => {
        /// The oddities that hold for one router.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct Quirks {
            $($(#[doc = $doc])+ pub $name: $type,)*
        }

        /// Those that a specification sets itself; `None` leaves the version's.
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct QuirkOverrides {
            $($(#[doc = $doc])+ #[serde(default)] pub $name: Option<$type>,)*
        }

        impl Quirks {
            /// The version's oddities under the overrides.
            pub fn resolve(version: Version, overrides: &QuirkOverrides) -> Self {
                Self { $($name: overrides.$name.clone().unwrap_or_else(|| { let of: fn(Version) -> $type = $value; of(version) }),)* }
            }
        }

        /// Name, meaning and source of each, in the order of the table.
        pub(super) const TEXTS: &[(&str, &str, &str)] = &[$((stringify!($name), concat!($($doc),+), $source),)*];
    };
}

quirks! {
    /// The login of the MAC layer. Current versions know EC-SRP5 only; 6.43.12 and 6.44rc1 still took MD5,
    /// 6.45.6 and 6.45.7 refuse it.
    login: LoginMethod = |v| if v < Version::new(6, 45, 1) { LoginMethod::Md5 } else { LoginMethod::EcSrp5 },
        "ha-system.md section 6: two field reports, so 6.43 and 6.44 are tested both ways";
    /// How idle sessions end.
    idle_logout: IdleLogout = |v| if v.is_v7() { IdleLogout::Input30 } else { IdleLogout::Silence90 },
        "routeros-console.md section 10, MAC-Telnet extras: sources disagree";
    /// Milliseconds without a key until a critical log line is pushed into a console session; up to 19 s were seen.
    log_push_ms: u32 = |_| 1000, "routeros-console.md section 2";
    /// The console asks for the cursor while `new password>` is on the screen.
    probe_at_password: bool = |_| false, "routeros-console.md, fact 9";
    /// The prompt comes twice after output, as seen over SSH.
    double_prompt: bool = |_| false, "routeros-console.md section 2";
    /// The byte that ends `/tool mac-telnet` from the near side. `None`: none does.
    hop_escape: Option<u8> = |_| None, "in no source, to be verified";
    /// The lines that `/tool mac-telnet` prints when it ends; none at all is another guess. RouterOS's telnet client says these.
    hop_farewell: Vec<String> = |_| vec!["Connection closed by foreign host".into(), String::new(), "Welcome back!".into()],
        "in no source, to be verified";
    /// Fault of the console: the prompt is painted before a command's output too.
    prompt_first: bool = |_| false, "a fault to inject: routeros-console.md section 10";
    /// Fault of the console: output comes in pieces of this many bytes, 1 ms apart.
    split_output: Option<u16> = |_| None, "a fault to inject: routeros-console.md section 10";
    /// Fault of the console: keys are not echoed; the repaint at Enter remains.
    no_echo: bool = |_| false, "a fault to inject: routeros-console.md section 10";
    /// Whose global variables are: one environment for all, or one for each user.
    globals: Globals = |_| Globals::Shared, "script-subset.md section 6; one 7.x user saw another user's empty (upstream #23)";
    /// The board keeps files below `flash/` only; the rest is RAM.
    flash_directory: bool = |_| false, "script-subset.md section 5.5; MikroTik manual, Files";
    /// Seconds for which a file write stays in RAM, lost by a power cut, not by a reboot. `None`: the board's,
    /// 40 s on NAND boards with many cores.
    write_back_seconds: Option<u32> = |_| None, "MikroTik manual, Files (ha-system.md section 4.1)";
    /// Milliseconds after the console's start until the Ethernet ports appear.
    late_ports_ms: u32 = |_| 0, "ha-system.md section 2: `delaying1`";
    /// Names of ports after a start: right, or two of them swapped.
    port_order: PortOrder = |_| PortOrder::Right, "ha-system.md section 7: \"swapped positions\"";
    /// Device mode on arrival; `home` refuses scheduler, fetch and smb.
    device_mode: DeviceMode = |_| DeviceMode::Advanced, "ha-system.md section 6; routeros-console.md section 8.3";
    /// `/system routerboard settings` but for auto-upgrade is locked by device-mode in every mode: 7.17 and later.
    routerboard_locked: bool = |v| v.at_least(7, 17), "routeros-console.md, fact 11";
    /// `/user settings minimum-categories` of a router that nobody configured.
    password_categories: u8 = |_| 0, "ha-system.md section 9";
    /// `/user settings minimum-password-length` of a router that nobody configured.
    password_length: u8 = |_| 0, "ha-system.md section 9";
    /// `.auto.rsc` files are not run on arrival: 6.46 as first released.
    auto_rsc_dead: bool = |v| v == Version::new(6, 46, 0), "upstream #16";
    /// The last lines of an `.auto.rsc` file that are not run. Early versions lost some, which is why the original scripts end
    /// such files with empty lines; how many is not known.
    auto_rsc_lost_lines: u8 = |_| 0, "script-subset.md section 5.2";
    /// Every `set` of a VRRP interface, of any property and also to what it is, starts its state machine anew: a master resigns
    /// and runs on-backup. Measured on 7.23 and 7.24 by one project; on 6.x nobody has said so.
    vrrp_set_resets: bool = |v| v.is_v7(),
        "rzemykers/mikrotik-wan-quality-monitor, README and docs/design.md (one source, to be verified; what 6.x does, too)";
    /// VRRP does not become master on a port without link: 6.45 and later.
    vrrp_needs_link: bool = |v| v.at_least(6, 45), "upstream #11";
    /// The licence question after a reset: 7.13 and later.
    license_question: bool = |v| v.at_least(7, 13), "MikroTik manual, Configuration Management";
    /// The new-password question on an empty `admin` password: 6.49 and later.
    password_question: bool = |v| v.at_least(6, 49), "routeros-console.md section 1.5";
    /// Seconds after which `run-after-reset` is cut off; `None`: never. 120 on 7.x.
    reset_script_seconds: Option<u32> = |v| v.is_v7().then_some(120), "MikroTik manual (routeros-console.md section 5)";
    /// Bytes that `contents=` of a file takes and gives: about 4 KB on 6.x, 60 KB on 7.x.
    file_contents_limit: u32 = |v| if v.is_v7() { 60 * 1024 } else { 4095 }, "routeros-console.md section 6.5; the 6.x figure is inferred";
    /// `/file add` exists: 7.9 and later.
    file_add: bool = |v| v.at_least(7, 9), "MikroTik manual, Files";
    /// Milliseconds until the file of `/export file=` and `/file print file=` appears.
    background_file_ms: u32 = |_| 1200, "script-subset.md section 3: up to 2 s";
    /// Milliseconds between the three states of a file that `/export file=` writes: empty, half, whole. 0: whole at once. It is
    /// said to be written in the background; that it can be seen half written is inferred.
    export_grows_ms: u32 = |_| 0, "script-subset.md section 3: a background writer";
    /// `/ip service` calls its address list `available-from`: reported of 7.24.
    service_available_from: bool = |v| v.at_least(7, 24), "ha-system.md section 6, to be verified";
    /// `/system history print detail as-value` has undo and redo texts with quotes: 7.x.
    history_undo_text: bool = |v| v.is_v7(), "ha-system.md section 6";
    /// `[/ping ...]` is the number of replies: public scripts count with it on 6.x and 7.x. On 7.1 it is no plain number, here nothing.
    ping_gives_count: bool = |v| !v.is_v7() || v.at_least(7, 2), "public failover scripts for 7.x; ha-system.md section 6 for 7.1: \"no longer a plain number\", what it is instead is to be verified";
    /// `export` leaves secrets out unless asked: 7.x.
    export_hides_secrets: bool = |v| v.is_v7(), "MikroTik manual, Configuration Management";
    /// A plain export says in a comment line which DHCP client's interface is not active; other menus of a router have such lines,
    /// too. Seen in exports of 7.x; of 6.x it is not known.
    export_state_comments: bool = |v| v.is_v7(), "exports of 7.x in public repositories: `# Interface not active` below `/ip dhcp-client`";
    /// SSH host keys are `*_dsa` and `*_rsa` on 6.x, `*.pem` without DSA on 7.x.
    host_keys_pem: bool = |v| v.is_v7(), "ha-system.md section 1";
    /// Importing a key consumes its file.
    key_import_consumes: bool = |_| false, "script-subset.md section 4, to be verified";
    /// A backup holds certificates with their keys; the manual says that they have to be imported again.
    backup_keeps_certificates: bool = |_| true, "ha-system.md section 9, to be verified: upstream compares certificate ids after a restore";
    /// Restoring a backup wants the same RouterOS version, not only the same board.
    backup_wants_version: bool = |_| true, "MikroTik manual, Backup";
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
