//! RouterBOOT: a banner, a window in which a key opens the menu, menus of single keys.

use std::time::Duration;

use mactelnet::Instant;

use super::menus::{self, Entry, Sub};
use crate::router::Told;

/// Ctrl+E in the window starts the network boot.
const CTRL_E: u8 = 0x05;
/// Which byte `<Delete>` is was not found; 0x7f is likely \[I\].
const DELETE: u8 = 0x7f;
/// How long a network boot looks for a server before it gives up.
const BOOTP: Duration = Duration::from_secs(6);
/// How long the installer's image takes.
const TRANSFER: Duration = Duration::from_secs(1);
/// How long the installer formats and writes (inferred).
const INSTALLS: Duration = Duration::from_secs(40);
/// From the end of the window to the kernel's own first line.
const LOADING: Duration = Duration::from_secs(2);

/// What lies in the board, not in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Seconds of the key window, 1 to 9.
    pub delay: u8,
    /// Only `<Delete>` opens the menu.
    pub delete_key: bool,
    /// Bits a second; 0 is off.
    pub baud: u32,
    /// Nothing is shown.
    pub silent: bool,
    /// The key of the boot-device menu: `e`, `n`, `1`, `o`.
    pub device: u8,
    /// DHCP instead of BOOTP.
    pub dhcp: bool,
    /// The backup booter is loaded.
    pub backup: bool,
    /// No key is heard.
    pub protected: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            delay: 2,
            delete_key: false,
            baud: 115_200,
            silent: false,
            device: b'n',
            dhcp: false,
            backup: false,
            protected: false,
        }
    }
}

/// Who answers a network boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Netboot {
    /// Nobody.
    #[default]
    Nobody,
    /// Somebody gives it RouterOS's installer, and then has nothing to install (transcript 12).
    Installer,
    /// The same, with a package to install.
    Packages,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The kernel is loaded.
    Kernel,
    /// It starts again, with its settings written.
    Restart,
    /// The installer has written the storage, and starts the board again.
    Installed,
}

#[derive(Debug, Clone)]
enum State {
    Banner,
    /// The key window; a dot for each of the seconds that are left.
    Window(u8),
    Loading,
    Bootp {
        then_nand: bool,
    },
    Transfer,
    Installer,
    Installs,
    Main,
    Sub(&'static Sub),
    Format(Vec<u8>),
}

/// What the board is, for its texts.
#[derive(Debug, Clone)]
pub struct Board {
    /// Model.
    pub model: String,
    /// Of the firmware: RouterOS's own.
    pub version: String,
    /// RouterBOOT 7's texts.
    pub modern: bool,
    /// Serial number.
    pub serial_number: String,
    /// Memory, MiB.
    pub memory: u64,
    /// Storage, MiB.
    pub storage: u64,
    /// Burnt-in address of the first port.
    pub mac: String,
    /// Who answers on its boot port.
    pub netboot: Netboot,
}

/// One start of the boot loader.
#[derive(Debug)]
pub struct Booter {
    board: Board,
    settings: Settings,
    written: Settings,
    /// Nothing is left to boot from.
    formatted: bool,
    state: State,
    until: Option<Instant>,
    scale: f64,
    out: Vec<u8>,
    exit: Option<Exit>,
    keys: Vec<(&'static str, u8)>,
    told: Vec<Told>,
}

impl Booter {
    /// Power came, or a reboot; `banner` from now it speaks. Times are multiplied by `scale`.
    pub fn new(now: Instant, board: Board, settings: Settings, formatted: bool, banner: Duration, scale: f64) -> Self {
        let written = settings.clone();
        Self {
            board,
            settings,
            written,
            formatted,
            state: State::Banner,
            until: Some(now + banner),
            scale,
            out: Vec::new(),
            exit: None,
            keys: Vec::new(),
            told: Vec::new(),
        }
    }

    /// The settings as they are now.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings as they outlive a power cut.
    pub fn written(&self) -> &Settings {
        &self.written
    }

    /// Whether the storage is empty.
    pub fn is_formatted(&self) -> bool {
        self.formatted
    }

    /// How it ended.
    pub fn exit(&self) -> Option<Exit> {
        self.exit
    }

    /// When [`Booter::turn`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.until
    }

    /// What it shows.
    pub fn take_out(&mut self) -> Vec<u8> {
        let out = std::mem::take(&mut self.out);
        // The installer is another program.
        if self.settings.silent && !self.in_menu() && !matches!(self.state, State::Installer | State::Installs) {
            Vec::new()
        } else {
            out
        }
    }

    /// Keys that a menu took since the last call, with the menu's name.
    pub fn take_keys(&mut self) -> Vec<(&'static str, u8)> {
        std::mem::take(&mut self.keys)
    }

    fn in_menu(&self) -> bool {
        matches!(self.state, State::Main | State::Sub(_) | State::Format(_))
    }

    fn say(&mut self, text: &str) {
        for line in text.split_inclusive('\n') {
            match line.strip_suffix('\n') {
                Some(line) => self.out.extend([line.as_bytes(), b"\r\n"].concat()),
                None => self.out.extend(line.as_bytes()),
            }
        }
    }

    fn wait(&mut self, now: Instant, time: Duration) {
        self.until = Some(now + time.mul_f64(self.scale));
    }

    /// Time has passed.
    pub fn turn(&mut self, now: Instant) {
        while let Some(at) = self.until.filter(|at| *at <= now) {
            self.until = None;
            match self.state.clone() {
                State::Banner => self.banner(at),
                State::Window(left) => {
                    self.say(".");
                    if left <= 1 { self.load(at) } else { self.window(at, left - 1) }
                }
                State::Loading => {
                    self.say("setting up elf image... OK\njumping to kernel code\n");
                    self.exit = Some(Exit::Kernel);
                }
                State::Bootp { .. } if self.board.netboot != Netboot::Nobody => {
                    self.told.push(Told::Asked);
                    self.say(
                        " OK\nGot IP address: 192.168.88.3\nresolved mac address 02:00:5E:10:00:01\ntransfer started ",
                    );
                    self.state = State::Transfer;
                    self.wait(at, TRANSFER);
                }
                State::Transfer => {
                    let Board { version, mac, .. } = self.board.clone();
                    self.say(&format!(
                        "............................... transfer ok, time=0.46s\nsetting up elf image... OK\njumping to kernel code\n\
                         Welcome to MikroTik Router Software remote installation {version}\n\
                         Press Ctrl-Alt-Delete to abort\n\nmac-address: {mac}\n\nChecking old configuration...\n\
                         Waiting for installation server...\n"
                    ));
                    self.state = State::Installer;
                    self.install(at);
                }
                State::Installs => {
                    // The same words as when a system goes down [I].
                    self.say("Rebooting...\n");
                    self.told.push(Told::Done);
                    self.formatted = false;
                    self.exit = Some(Exit::Installed);
                }
                State::Bootp { then_nand } => {
                    self.say(" failed\nkernel loading failed\n");
                    if then_nand && !self.formatted { self.nand(at) } else { self.bootp(at, false) }
                }
                State::Main | State::Sub(_) | State::Format(_) | State::Installer => {}
            }
        }
    }

    /// The installer's server has something for it. What it says meanwhile on the line was not found: nothing, here.
    fn install(&mut self, now: Instant) {
        if self.board.netboot == Netboot::Packages {
            self.told.push(Told::Formats);
            self.state = State::Installs;
            self.wait(now, INSTALLS);
        }
    }

    /// Somebody answers a network boot, or nobody does any more.
    pub fn set_netboot(&mut self, now: Instant, netboot: Netboot) {
        self.board.netboot = netboot;
        match self.state {
            State::Installer => self.install(now),
            State::Installs if netboot != Netboot::Packages => {
                // Formatted, and nothing came behind it.
                self.formatted = true;
                self.until = None;
                self.state = State::Installer;
            }
            _ => {}
        }
    }

    /// How far an installation has come since the last call.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    fn banner(&mut self, now: Instant) {
        let booter = if self.settings.backup { "backup booter" } else { "booter" };
        let Board { model, version, memory, storage, modern, .. } = self.board.clone();
        let board = if modern { model } else { format!("RouterBOARD {model}") };
        let kind = if modern { " Storage size" } else { "   NAND size" };
        let etherboot = if modern { "Press Ctrl+E to enter etherboot mode\n" } else { "" };
        let key = if self.settings.delete_key { "<delete>" } else { "any" };
        let delay = self.settings.delay;
        // The boards of transcript 11 alone.
        let before = if self.board.model.starts_with("RB4011") { ":00000050\nAL31400X-140\n" } else { "" };
        self.say(&format!(
            "\n\n{before}RouterBOOT {booter} {version}\n\n{board}\n\nCPU frequency: 1000 MHz\n  Memory size: {memory} MiB\n\
             {kind}: {storage} MiB\n\n{etherboot}Press {key} key within {delay} seconds to enter setup"
        ));
        self.window(now, delay);
    }

    fn window(&mut self, now: Instant, left: u8) {
        self.state = State::Window(left);
        self.wait(now, Duration::from_secs(1));
    }

    fn load(&mut self, now: Instant) {
        self.say("\n");
        match self.settings.device {
            b'e' => self.bootp(now, false),
            b'1' => {
                self.settings.device = b'n';
                self.written.device = b'n';
                self.bootp(now, true);
            }
            _ => self.nand(now),
        }
    }

    fn nand(&mut self, now: Instant) {
        if self.formatted {
            self.say("kernel loading failed\n");
            return self.bootp(now, false);
        }
        self.say("loading kernel... OK\n");
        self.state = State::Loading;
        self.wait(now, LOADING);
    }

    fn bootp(&mut self, now: Instant, then_nand: bool) {
        self.say(if self.settings.dhcp { "trying dhcp protocol......" } else { "trying bootp protocol......" });
        self.state = State::Bootp { then_nand };
        self.wait(now, BOOTP);
    }

    /// A character arrived.
    pub fn key(&mut self, now: Instant, key: u8) {
        if self.exit.is_some() || self.settings.protected {
            return;
        }
        match self.state.clone() {
            State::Window(_) if key == CTRL_E && self.board.modern => {
                self.keys.push(("window", key));
                self.say("\n");
                self.bootp(now, true);
            }
            State::Window(_) if !self.settings.delete_key || key == DELETE => {
                self.keys.push(("window", key));
                self.until = None;
                self.say("\n\n");
                self.main_menu();
            }
            State::Main => {
                self.keys.push(("main", key));
                self.main_key(now, key);
            }
            State::Sub(sub) => {
                self.keys.push((sub.name, key));
                self.sub_key(now, sub, key);
            }
            State::Format(mut typed) => {
                self.keys.push(("format", key));
                match key {
                    b'\r' => {
                        let yes = typed == b"yes";
                        self.say(if yes { "\nformatting... OK\n" } else { "\n" });
                        self.formatted |= yes;
                        self.main_menu();
                    }
                    // The worst of what is thinkable [verify]: Backspace takes back, and Ctrl-C is a character like any other.
                    0x08 | 0x7f => {
                        if typed.pop().is_some() {
                            self.say("\x08 \x08");
                        }
                        self.state = State::Format(typed);
                    }
                    _ => {
                        self.out.push(key);
                        typed.push(key);
                        // The word has three letters; more can't become it.
                        typed.truncate(8);
                        self.state = State::Format(typed);
                    }
                }
            }
            // Before its banner and while it loads it does not listen.
            State::Banner
            | State::Window(_)
            | State::Loading
            | State::Bootp { .. }
            | State::Transfer
            | State::Installer
            | State::Installs => {}
        }
    }

    fn entries(&self) -> &'static [Entry] {
        if self.board.modern { menus::MODERN } else { menus::OLDER }
    }

    fn main_menu(&mut self) {
        self.state = State::Main;
        let lines: String =
            self.entries().iter().map(|(key, text)| format!("   {} - {text}\n", char::from(*key))).collect();
        let version = self.board.version.clone();
        self.say(&format!("\nRouterBOOT-{version}\nWhat do you want to configure?\n{lines}your choice: "));
    }

    fn sub_menu(&mut self, sub: &'static Sub) {
        self.state = State::Sub(sub);
        let current = self.current(sub);
        let lines: String = sub
            .entries
            .iter()
            .map(|(key, text)| {
                let mark = if current == Some(*key) { '*' } else { ' ' };
                format!(" {mark} {} - {text}\n", char::from(*key))
            })
            .collect();
        self.say(&format!("\n{}\n{lines}your choice: ", sub.heading));
    }

    /// The key of the present value.
    fn current(&self, sub: &Sub) -> Option<u8> {
        let settings = &self.settings;
        let baud = settings.baud.to_string();
        match sub.name {
            "boot delay" => Some(b'0' + settings.delay),
            "boot key" => Some(if settings.delete_key { b'2' } else { b'1' }),
            "serial console" => {
                let text = if settings.baud == 0 { "off" } else { baud.as_str() };
                sub.entries.iter().find(|(_, entry)| *entry == text).map(|(key, _)| *key)
            }
            "silent boot" => Some(if settings.silent { b'1' } else { b'0' }),
            "boot device" => Some(settings.device),
            "boot protocol" => Some(if settings.dhcp { b'2' } else { b'1' }),
            "booter options" => Some(if settings.backup { b'2' } else { b'1' }),
            _ => None,
        }
    }

    fn main_key(&mut self, now: Instant, key: u8) {
        // An unknown key, Enter among them, shows the menu again.
        let Some((_, text)) = self.entries().iter().find(|(known, _)| *known == key) else {
            self.say("refresh\n");
            return self.main_menu();
        };
        self.say(&format!("{} - {text}\n", char::from(key)));
        match key {
            b'd' => self.sub_menu(&menus::DELAY),
            b'k' => self.sub_menu(&menus::KEY),
            b's' => self.sub_menu(&menus::SERIAL),
            b'n' => self.sub_menu(&menus::SILENT),
            b'o' => self.sub_menu(&menus::DEVICE),
            b'p' => self.sub_menu(&menus::PROTOCOL),
            b'b' => self.sub_menu(&menus::BOOTER),
            b'g' => self.sub_menu(&menus::UPGRADE),
            // No question is asked.
            b'r' => {
                self.settings = Settings { protected: self.settings.protected, ..Settings::default() };
                self.main_menu();
            }
            b'e' => {
                self.say(
                    "\nDo you realy want to format your storage device?\nthat would result in losing all your data\n\
                     type \"yes\" to confirm: ",
                );
                self.state = State::Format(Vec::new());
            }
            b'i' => {
                let Board { model, version, serial_number, memory, storage, mac, .. } = self.board.clone();
                self.say(&format!(
                    "\nBoard Info:\n\n        Board type: {model}\n     Serial number: {serial_number}\n\
                     \x20 Firmware version: {version}\n       Memory size: {memory} MiB\n      Storage size: {storage} MiB\n\
                     \x20 eth1 MAC address: {mac}\n"
                ));
                self.main_menu();
            }
            b'x' | b'j' => self.leave(now),
            // Tests, partitions, licence: taken note of, and not built.
            _ => self.main_menu(),
        }
    }

    fn sub_key(&mut self, now: Instant, sub: &'static Sub, key: u8) {
        let Some((_, text)) = sub.entries.iter().find(|(known, _)| *known == key) else {
            self.say("refresh\n");
            return self.main_menu();
        };
        self.say(&format!("{} - {text}\n", char::from(key)));
        match sub.name {
            "boot delay" => self.settings.delay = key - b'0',
            "boot key" => self.settings.delete_key = key == b'2',
            "serial console" => self.settings.baud = text.parse().unwrap_or(0),
            "silent boot" => self.settings.silent = key == b'1',
            "boot device" if key == b'b' => return self.load(now),
            "boot device" => self.settings.device = key,
            "boot protocol" => self.settings.dhcp = key == b'2',
            "booter options" => self.settings.backup = key == b'2',
            _ => {}
        }
        self.main_menu();
    }

    fn leave(&mut self, now: Instant) {
        if self.settings == self.written {
            self.load(now);
        } else {
            self.say("writing settings to flash... OK\n");
            self.exit = Some(Exit::Restart);
        }
    }
}
