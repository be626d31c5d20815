//! `ROUTER.toml`, and the same as a builder for tests.

use std::collections::BTreeMap;
use std::time::Duration;

use mactelnet::MacAddr;
use serde::Deserialize;

use super::{Board, Version};
use crate::quirks::{QuirkOverrides, Quirks};
use crate::serial::Netboot;

/// The state in which a router leaves the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As after `/system reset-configuration no-defaults=yes`.
    #[default]
    Erased,
    /// MikroTik's default configuration: 192.168.88.1/24 on the first port's bridge, a default firewall.
    Default,
}

/// A user who exists before the first boot, besides or instead of `admin`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSpec {
    /// Login name.
    pub name: String,
    /// Password in clear: a simulated one.
    #[serde(default)]
    pub password: String,
    /// `full`, `write` or `read`.
    #[serde(default = "full")]
    pub group: String,
}

fn full() -> String {
    "full".to_owned()
}

impl std::fmt::Debug for UserSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserSpec").field("name", &self.name).field("group", &self.group).finish_non_exhaustive()
    }
}

/// A file that lies on the router before the first boot: given here, or read from the host by who runs the router.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum FileSpec {
    /// Text.
    Text(String),
    /// A path on the host.
    From {
        /// Path, relative to the ROUTER.toml.
        from: String,
    },
}

/// The serial console's line: where programs of this host find it, and how good it is. All places lead to the same line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SerialSpec {
    /// A pseudo terminal; this is the name of a link to it.
    pub pty: Option<String>,
    /// An address to listen at, for RFC 2217: `127.0.0.1:0`.
    pub rfc2217: Option<String>,
    /// An address to listen at, for bytes as they are.
    pub tcp: Option<String>,
    /// Whether the place for RFC 2217 has wires; without them it answers nothing about DTR and RTS, as ser2net on a pty.
    pub wires: bool,
    /// One damaged character in so many, each way; 0: none.
    pub error_every: u32,
    /// What each character takes besides its time on the wire, each way, milliseconds.
    pub latency_ms: u32,
    /// From Enter to the router's first act, milliseconds.
    pub think_ms: u32,
    /// Serial adapters in its USB sockets, by the names that RouterOS gives their ports: `usb1`.
    pub adapters: BTreeMap<String, AdapterSpec>,
}

/// A serial adapter in a USB socket of the router. No console and no boot loader is on it: it is for `/system serial-terminal`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdapterSpec {
    /// Where its cable ends, for `routersim run`: a device of this host, such as the `pty` of another router.
    pub device: Option<String>,
}

impl Default for SerialSpec {
    fn default() -> Self {
        // 310 ms for a whole command on a CHR's serial console were measured [S3]; 50 ms are what is the least.
        Self {
            pty: None,
            rfc2217: None,
            tcp: None,
            wires: true,
            error_every: 0,
            latency_ms: 0,
            think_ms: 50,
            adapters: BTreeMap::new(),
        }
    }
}

/// RouterBOOT on arrival. Later it is what RouterOS and the boot loader's own menu set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BooterSpec {
    /// Properties of `/system routerboard settings`.
    pub settings: BTreeMap<String, String>,
    /// Who answers a network boot.
    pub netboot: Netboot,
    /// An address to listen at, `127.0.0.1:0`: who connects stands for netinstall on the BOOT port's cable.
    pub server: Option<String>,
    /// The storage was formatted: nothing is left to boot from.
    pub formatted: bool,
    /// The system on the storage is broken: its kernel is loaded and panics, and the board starts again by itself, for ever.
    /// An installation mends it.
    pub broken: bool,
}

/// How long the phases of a start take, before [`Spec::time_scale`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boot {
    /// From the reboot command until the ports go dark.
    pub shutdown: Duration,
    /// RouterBOOT: banner, key window.
    pub routerboot: Duration,
    /// Loading and starting the kernel; uptime counts from its end.
    pub kernel: Duration,
    /// From uptime zero to the console process.
    pub services: Duration,
    /// From the console process to the scheduler's startup items: 3 s by the manual.
    pub startup: Duration,
}

impl Default for Boot {
    /// A CCR1009: 60 s from the command to the console, startup items at uptime 7 s (ha-system.md section 5).
    fn default() -> Self {
        Self {
            shutdown: Duration::from_secs(4),
            routerboot: Duration::from_secs(8),
            kernel: Duration::from_secs(40),
            services: Duration::from_secs(4),
            startup: Duration::from_secs(3),
        }
    }
}

/// Everything that is decided before a router is switched on for the first time.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// A name for logs and tests; the router itself does not know it.
    #[serde(default = "default_name")]
    pub name: String,
    /// Board name, one of [`super::BOARDS`].
    #[serde(default = "default_board")]
    pub board: String,
    /// RouterOS version.
    #[serde(default = "default_version")]
    pub version: Version,
    /// Serial number on the label; ignored on boards without one.
    #[serde(default = "default_serial")]
    pub serial_number: String,
    /// Burnt-in address of the first port; the others count up from it, in hardware order.
    #[serde(default = "default_mac", deserialize_with = "mac")]
    pub base_mac: MacAddr,
    /// Burnt-in addresses of single ports, by default name, where they don't follow [`Spec::base_mac`].
    #[serde(default)]
    pub macs: BTreeMap<String, String>,
    /// State on arrival.
    #[serde(default)]
    pub state: State,
    /// The `admin` password that a reset returns to (sticker models); empty on the others.
    #[serde(default)]
    pub factory_password: String,
    /// Users on arrival; `admin` with the factory password when none is named `admin`.
    #[serde(default)]
    pub users: Vec<UserSpec>,
    /// Files on arrival, by name.
    #[serde(default)]
    pub files: BTreeMap<String, FileSpec>,
    /// `/system script` entries on arrival: name and source.
    #[serde(default)]
    pub scripts: BTreeMap<String, String>,
    /// RouterOS commands that bring the router into its state on arrival; run as `admin` before the first
    /// boot, so that they leave configuration and files and no globals, log or history.
    #[serde(default)]
    pub setup: String,
    /// Which host interface each port is on, for `routersim run`.
    #[serde(default)]
    pub ports: BTreeMap<String, String>,
    /// The serial console.
    #[serde(default)]
    pub serial: SerialSpec,
    /// The boot loader.
    #[serde(default)]
    pub booter: BooterSpec,
    /// Oddities that differ from what the version has by itself.
    #[serde(default)]
    pub quirks: QuirkOverrides,
    /// Factor on all boot times; 1.0 is a CCR1009, 0.1 ten times as quick.
    #[serde(default = "one")]
    pub time_scale: f64,
    /// Unix time of the simulation's epoch, for `/system clock`, file and log times.
    #[serde(default = "default_epoch")]
    pub epoch: u64,
    /// Boot phases.
    #[serde(skip)]
    pub boot: Boot,
}

fn default_name() -> String {
    "router".to_owned()
}

fn default_board() -> String {
    "CCR1009-7G-1C".to_owned()
}

fn default_version() -> Version {
    Version::new(7, 18, 2)
}

fn default_serial() -> String {
    "7F0001".to_owned()
}

fn default_mac() -> MacAddr {
    MacAddr([0x74, 0x4D, 0x28, 0, 0, 0x03])
}

fn one() -> f64 {
    1.0
}

/// 2026-01-02 03:04:05 UTC: no holiday, no midnight, no round number.
fn default_epoch() -> u64 {
    1_767_323_045
}

fn mac<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<MacAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// A specification that makes no router.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The TOML does not parse or has unknown keys.
    #[error("{0}")]
    Toml(String),
    /// No such board.
    #[error("no board `{0}` is known")]
    UnknownBoard(String),
    /// A port that the board does not have.
    #[error("board {board} has no port `{port}`")]
    UnknownPort {
        /// Board name.
        board: String,
        /// Port named.
        port: String,
    },
    /// The setup commands failed.
    #[error("setup: {0}")]
    Setup(String),
    /// Text that is no MAC address.
    #[error("`{0}` is no MAC address")]
    Mac(String),
    /// An adapter's name that no port can have.
    #[error("`{0}` is no name of an adapter's port: it is one like usb1")]
    Adapter(String),
    /// A time scale that is zero, negative or no number.
    #[error("time_scale must be a positive number")]
    TimeScale,
    /// A file that could not be read from the host.
    #[error("file `{name}`: {cause}")]
    File {
        /// Path on the host.
        name: String,
        /// What went wrong.
        cause: String,
    },
}

impl SpecError {
    /// A stable name for the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Toml(_) => "routersim.spec.toml",
            Self::UnknownBoard(_) => "routersim.spec.board",
            Self::UnknownPort { .. } => "routersim.spec.port",
            Self::Setup(_) => "routersim.spec.setup",
            Self::Mac(_) => "routersim.spec.mac",
            Self::Adapter(_) => "routersim.spec.adapter",
            Self::TimeScale => "routersim.spec.time-scale",
            Self::File { .. } => "routersim.spec.file",
        }
    }
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            name: default_name(),
            board: default_board(),
            version: default_version(),
            serial_number: default_serial(),
            base_mac: default_mac(),
            macs: BTreeMap::new(),
            state: State::Erased,
            factory_password: String::new(),
            users: Vec::new(),
            files: BTreeMap::new(),
            scripts: BTreeMap::new(),
            setup: String::new(),
            ports: BTreeMap::new(),
            serial: SerialSpec::default(),
            booter: BooterSpec::default(),
            quirks: QuirkOverrides::default(),
            time_scale: 1.0,
            epoch: default_epoch(),
            boot: Boot::default(),
        }
    }
}

impl Spec {
    /// Reads a `ROUTER.toml`.
    pub fn from_toml(text: &str) -> Result<Self, SpecError> {
        let spec: Self = toml::from_str(text).map_err(|error| SpecError::Toml(error.to_string()))?;
        spec.check()?;
        Ok(spec)
    }

    /// Router A of the default pair: ether8 is 74:4D:28:00:00:0A, serial number 7F0001.
    pub fn pair_a() -> Self {
        Self::member("A", "7F0001", 0x0A)
    }

    /// Router B of the default pair: ether8 is 74:4D:28:00:00:0B, serial number 7F0002, erased.
    pub fn pair_b() -> Self {
        Self::member("B", "7F0002", 0x0B)
    }

    /// The pair's documented addresses are those of ether8; the other ports count up in a range of their own.
    fn member(name: &str, serial: &str, last: u8) -> Self {
        let ha = MacAddr([0x74, 0x4D, 0x28, 0, 0, last]);
        Self {
            name: name.to_owned(),
            serial_number: serial.to_owned(),
            base_mac: MacAddr([0x74, 0x4D, 0x28, last, 0, 1]),
            macs: BTreeMap::from([("ether8".to_owned(), ha.to_string())]),
            ..Self::default()
        }
    }

    /// Refuses what can make no router.
    pub fn check(&self) -> Result<(), SpecError> {
        let board = self.board()?;
        let names = board.port_names();
        for port in self.ports.keys().chain(self.macs.keys()) {
            if !names.contains(port) {
                return Err(SpecError::UnknownPort { board: self.board.clone(), port: port.clone() });
            }
        }
        if let Some(text) = self.macs.values().find(|text| text.parse::<MacAddr>().is_err()) {
            return Err(SpecError::Mac(text.clone()));
        }
        let named = |name: &&String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if let Some(name) = self.serial.adapters.keys().find(|name| !named(name) || name.starts_with("serial")) {
            return Err(SpecError::Adapter(name.clone()));
        }
        if !(self.time_scale.is_finite() && self.time_scale > 0.0) {
            return Err(SpecError::TimeScale);
        }
        Ok(())
    }

    /// The board.
    pub fn board(&self) -> Result<&'static Board, SpecError> {
        Board::by_name(&self.board).ok_or_else(|| SpecError::UnknownBoard(self.board.clone()))
    }

    /// Reads the files that are named by a path on the host, through `read`.
    pub fn load_files(&mut self, mut read: impl FnMut(&str) -> std::io::Result<String>) -> Result<(), SpecError> {
        for file in self.files.values_mut() {
            if let FileSpec::From { from } = file {
                let text =
                    read(from).map_err(|error| SpecError::File { name: from.clone(), cause: error.to_string() })?;
                *file = FileSpec::Text(text);
            }
        }
        Ok(())
    }

    /// The oddities that hold: the version's, then the specification's own.
    pub fn quirks(&self) -> Quirks {
        Quirks::resolve(self.version, &self.quirks)
    }

    /// A boot duration under [`Spec::time_scale`].
    pub fn scaled(&self, duration: Duration) -> Duration {
        duration.mul_f64(self.time_scale)
    }

    /// Burnt-in addresses of all ports, with their default names, in hardware order.
    pub fn port_macs(&self) -> Vec<(String, MacAddr)> {
        let names = self.board().map(Board::port_names).unwrap_or_default();
        let [a, b, c, d, e, g] = self.base_mac.octets();
        let base = u32::from_be_bytes([0, d, e, g]);
        let mut ports = Vec::with_capacity(names.len());
        for (name, low) in names.into_iter().zip(base..) {
            let [_, d, e, g] = low.to_be_bytes();
            let own = self.macs.get(&name).and_then(|text| text.parse().ok());
            ports.push((name, own.unwrap_or(MacAddr([a, b, c, d, e, g]))));
        }
        ports
    }

    /// With that RouterOS version.
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// With one more file.
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.insert(name.to_owned(), FileSpec::Text(text.to_owned()));
        self
    }

    /// With one more user.
    pub fn user(mut self, name: &str, password: &str, group: &str) -> Self {
        self.users.push(UserSpec { name: name.to_owned(), password: password.to_owned(), group: group.to_owned() });
        self
    }

    /// With commands that are run before the first boot.
    pub fn setup(mut self, commands: &str) -> Self {
        commands.clone_into(&mut self.setup);
        self
    }

    /// With a label password.
    pub fn label(mut self, password: &str) -> Self {
        password.clone_into(&mut self.factory_password);
        self
    }

    /// With a serial adapter in a USB socket.
    pub fn adapter(mut self, name: &str) -> Self {
        self.serial.adapters.insert(name.to_owned(), AdapterSpec::default());
        self
    }

    /// With oddities changed.
    pub fn quirk(mut self, change: impl FnOnce(&mut QuirkOverrides)) -> Self {
        change(&mut self.quirks);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_file_reads_and_unknown_keys_are_errors() {
        let spec = Spec::from_toml(
            "version = \"6.44.6\"\nserial_number = \"7F0002\"\nbase_mac = \"74:4D:28:00:00:04\"\n\
             [ports]\nether8 = \"veth1\"\n[files]\n\"a.txt\" = \"text\"\n[quirks]\nflash_directory = true\n",
        )
        .unwrap();
        assert_eq!(spec.version, Version::new(6, 44, 6));
        assert!(spec.quirks().flash_directory);
        assert_eq!(spec.port_macs()[7].1.to_string(), "74:4D:28:00:00:0B");
        assert!(matches!(Spec::from_toml("versoin = \"7.1\""), Err(SpecError::Toml(_))));
        assert!(matches!(Spec::from_toml("[ports]\nether9 = \"x\""), Err(SpecError::UnknownPort { .. })));
        assert!(matches!(Spec::from_toml("board = \"x\""), Err(SpecError::UnknownBoard(_))));
    }

    #[test]
    fn the_default_pair_has_the_documented_addresses() {
        let (a, b) = (Spec::pair_a().port_macs(), Spec::pair_b().port_macs());
        assert_eq!((a[7].0.as_str(), a[7].1.to_string().as_str()), ("ether8", "74:4D:28:00:00:0A"));
        assert_eq!(b[7].1.to_string(), "74:4D:28:00:00:0B");
        assert!(a.iter().all(|(_, mac)| b.iter().all(|(_, other)| mac != other)));
    }

    #[test]
    fn the_example_file_is_a_router() {
        let spec = Spec::from_toml(include_str!("../../ROUTER.toml")).unwrap();
        assert_eq!(spec.ports["ether8"], "veth1");
        let router = crate::Router::new(spec, 1).unwrap();
        assert_eq!(router.ports().len(), 8);
    }
}
