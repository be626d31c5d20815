//! The router's end of the serial line: the boot loader's and the console's turn at it.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use mactelnet::Instant;
use serial_console::LineSettings;

use super::machine::Router;
use super::netboot::{Installation, Told};
use crate::kernel::{PipeReader, PipeWriter, pipe};
use crate::record::{EventKind, Phase};
use crate::serial::{Board, Booter, Exit, Line, Settings, Wire};
use crate::spec::Spec;
use crate::system::{BUILT_IN, Storage};

/// Where the boot loader's settings are for RouterOS.
const SETTINGS: &str = "/system/routerboard/settings";
/// RouterOS's own speed: "auto" means this one in practice (routeros-console.md section 7).
const CONSOLE_BAUD: u32 = 115_200;
/// Output that waits in the console while the UART is busy.
const CONSOLE_BUFFER: usize = 4096;

/// Characters that wait for the console: a UART's line discipline holds 4 KB and loses the rest
/// (routeros-console.md section 3, inferred).
const UART_BUFFER: usize = 4096;

/// What the router has of its serial port.
#[derive(Debug)]
pub(super) struct Serial {
    pub(super) line: Line,
    /// Typed, and not looked at yet.
    waiting: VecDeque<(Instant, u8)>,
    pub(super) booter: Option<Booter>,
    console: Option<(PipeWriter, PipeReader)>,
    /// Nothing is left to boot from.
    pub(super) formatted: bool,
    /// What is there to boot from dies.
    pub(super) broken: bool,
    /// How many cables were laid; the last one is there.
    pub(super) cables: u64,
    /// What is offered on the BOOT port's cable, and how far it has come.
    pub(super) offer: Option<Installation>,
    pub(super) told: Vec<Told>,
}

impl Default for Serial {
    fn default() -> Self {
        Self {
            line: Line::new(CONSOLE_BAUD),
            waiting: VecDeque::new(),
            booter: None,
            console: None,
            formatted: false,
            broken: false,
            cables: 0,
            offer: None,
            told: Vec::new(),
        }
    }
}

impl Serial {
    /// As the specification has it.
    pub(super) fn new(spec: &Spec, seed: u64) -> Self {
        let mut serial = Self { formatted: spec.booter.formatted, broken: spec.booter.broken, ..Self::default() };
        serial.line.set_wire(Wire {
            error_every: spec.serial.error_every,
            latency: Duration::from_millis(spec.serial.latency_ms.into()),
            seed,
        });
        serial
    }

    /// No power.
    pub(super) fn off(&mut self) {
        self.line.off();
        (self.booter, self.console) = (None, None);
        self.waiting.clear();
    }

    /// The console is gone with its system.
    pub(super) fn drop_console(&mut self) {
        self.console = None;
        self.waiting.clear();
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let waiting = self.waiting.front().map(|(at, _)| *at);
        let booter = self.booter.as_ref().and_then(Booter::poll_timeout);
        [self.line.poll_timeout(), booter, waiting].into_iter().flatten().min()
    }

    /// Whether the boot loader has somebody in its menu, or nothing to boot from.
    pub(super) fn holds_the_boot(&self) -> bool {
        self.booter.as_ref().is_some_and(|booter| booter.exit().is_none())
    }
}

fn settings(storage: &Storage) -> Settings {
    let items = storage.config.items(SETTINGS);
    let get = |name: &str| items.first().and_then(|item| item.get(name)).unwrap_or_default();
    let is = |name: &str| matches!(get(name), "yes" | "true");
    let delay = get("boot-delay").trim_end_matches('s').parse().unwrap_or(2);
    Settings {
        delay: u8::clamp(delay, 1, 9),
        delete_key: get("enter-setup-on") == "delete-key",
        baud: match get("baud-rate") {
            "off" => 0,
            text => text.parse().unwrap_or(CONSOLE_BAUD),
        },
        silent: is("silent-boot"),
        device: match get("boot-device") {
            "ethernet" => b'e',
            "try-ethernet-once-then-nand" => b'1',
            "nand-only" => b'o',
            _ => b'n',
        },
        dhcp: get("boot-protocol") == "dhcp",
        backup: is("force-backup-booter"),
        protected: get("protected-routerboot") == "enabled",
    }
}

fn write(storage: &mut Storage, settings: &Settings) {
    let yes = |on: bool| if on { "yes" } else { "no" };
    let item = storage.config.single_mut(SETTINGS);
    item.put("boot-delay", format!("{}s", settings.delay));
    item.put("enter-setup-on", if settings.delete_key { "delete-key" } else { "any-key" });
    item.put("baud-rate", if settings.baud == 0 { "off".to_owned() } else { settings.baud.to_string() });
    item.put("silent-boot", yes(settings.silent));
    let device = match settings.device {
        b'e' => "ethernet",
        b'1' => "try-ethernet-once-then-nand",
        b'o' => "nand-only",
        _ => "nand-if-fail-then-ethernet",
    };
    item.put("boot-device", device);
    item.put("boot-protocol", if settings.dhcp { "dhcp" } else { "bootp" });
    item.put("force-backup-booter", yes(settings.backup));
}

impl Router {
    /// Plugs a cable into the serial port, or pulls it. The session on it notices neither.
    pub fn plug_serial(&mut self, now: Instant, plugged: bool) {
        self.pump(now);
        self.serial.line.plug(plugged);
        self.pump(now);
    }

    /// Lays a new cable in the place of the one that is there, and plugs it in. Its number, for [`Self::serial_cable`].
    pub fn lay_serial_cable(&mut self, now: Instant) -> u64 {
        self.serial.cables += 1;
        self.plug_serial(now, true);
        self.serial.cables
    }

    /// The number of the cable that is there: what an older one still carries belongs to nobody.
    pub fn serial_cable(&self) -> u64 {
        self.serial.cables
    }

    /// Another cable, or another state of it.
    pub fn set_serial_wire(&mut self, wire: Wire) {
        self.serial.line.set_wire(wire);
    }

    /// A break arrives. Neither the boot loader nor RouterOS does anything about it \[I\].
    pub fn serial_break(&mut self, now: Instant) {
        self.note(now, EventKind::SerialBreak);
    }

    /// The other end drives its wires.
    pub fn serial_wires(&mut self, now: Instant, dtr: bool, rts: bool) {
        self.note(now, EventKind::SerialWires { dtr, rts });
    }

    /// Whether the port drives its own wires: it does while it has power.
    pub fn serial_ready(&self) -> bool {
        self.phase() != Phase::Off
    }

    /// Somebody types on the serial line, at `line`'s speed and framing.
    pub fn serial_send(&mut self, now: Instant, bytes: &[u8], line: LineSettings) {
        self.pump(now);
        self.serial.line.send(now, bytes, line);
        self.pump(now);
    }

    /// What has come over the serial line, as one who listens at `baud` bits a second gets it.
    pub fn serial_take(&mut self, baud: u32) -> Vec<u8> {
        self.serial.line.take_breaks();
        self.serial.line.take_out(baud)
    }

    /// As [`Router::serial_take`]; wakes when there is something.
    pub fn poll_serial(&mut self, cx: &mut Context<'_>, baud: u32) -> Poll<Vec<u8>> {
        let polled = self.serial.line.poll_out(cx, baud);
        self.serial.line.take_breaks();
        polled
    }

    /// The speed at which the router's port is.
    pub fn serial_baud(&self) -> u32 {
        self.serial.line.baud()
    }

    /// The kernel or a service writes to the console.
    pub(super) fn console_text(&mut self, now: Instant, text: &str) {
        self.serial.line.print(now, text.replace('\n', "\r\n").as_bytes());
    }

    /// The boot loader begins, where the board has one.
    pub(super) fn start_booter(&mut self, now: Instant) {
        // A specification was checked when the router was made.
        let Ok(board) = self.spec().board() else { return };
        if !board.routerboard {
            return;
        }
        let mut settings = settings(&self.storage().borrow());
        // Off: neither heard nor seen, until RouterOS says otherwise.
        if settings.baud == 0 {
            (settings.silent, settings.protected) = (true, true);
        } else {
            self.serial.line.set_baud(settings.baud);
        }
        let spec = self.spec();
        let mac = spec.port_macs().first().map(|(_, mac)| mac.to_string()).unwrap_or_default();
        let texts = Board {
            model: board.name.to_owned(),
            version: self.storage().borrow().firmware.to_string(),
            modern: self.storage().borrow().firmware.is_v7(),
            serial_number: spec.serial_number.clone(),
            memory: board.memory >> 20,
            storage: board.storage >> 20,
            mac,
            netboot: self.netboot(),
        };
        let banner = spec.scaled(spec.boot.routerboot / 4);
        let formatted = self.serial.formatted;
        self.serial.booter = Some(Booter::new(now, texts, settings, formatted, banner, spec.time_scale));
    }

    /// Moves what is on the line and what waits for it. True when something came of it.
    pub(super) fn turn_serial(&mut self, now: Instant) -> bool {
        self.serial.line.turn(now);
        let typed = self.serial.line.take_in(now);
        if self.phase() == Phase::RouterBoot {
            return self.turn_booter(now, &typed);
        }
        self.serial.booter = None;
        let up = self.phase() == Phase::Up;
        let console = self.system().is_some_and(|system| system.has_console(BUILT_IN));
        if up && !console {
            // The session on it ends with it [I].
            self.serial.drop_console();
            self.serial.line.set_baud(CONSOLE_BAUD);
            let Some(system) = self.system().cloned() else { return false };
            let Some((lost, moved)) = super::ports::pass(&system, BUILT_IN, &mut self.serial.line, now, &typed) else {
                return false;
            };
            self.note_lost(now, lost);
            return moved;
        }
        if up && self.serial.line.is_plugged() {
            self.serial.line.set_baud(CONSOLE_BAUD);
            let dead = self.serial.console.as_ref().is_none_or(|(_, shown)| shown.is_finished());
            if dead {
                self.serial.console = self.open_line();
            }
        }
        if self.serial.console.is_none() {
            return false;
        }
        let typed = self.think(now, &typed);
        let Some((keys, shown)) = &mut self.serial.console else { return false };
        if !typed.is_empty() {
            keys.push(&typed);
        }
        let room = self.serial.line.room();
        // Taking nothing would still wake the console, and so would giving it nothing: each turn would ask for the next.
        let text = if room > 0 { shown.take(room) } else { Vec::new() };
        self.serial.line.print(now, &text);
        !typed.is_empty() || !text.is_empty()
    }

    /// What the console gets now of what was typed: keys at once, Enter and what is behind it when it comes to them.
    fn think(&mut self, now: Instant, typed: &[u8]) -> Vec<u8> {
        let think = self.spec().scaled(Duration::from_millis(self.spec().serial.think_ms.into()));
        let waiting = &mut self.serial.waiting;
        let mut lost = 0;
        for byte in typed {
            if waiting.len() == UART_BUFFER {
                lost += 1;
                continue;
            }
            let behind = waiting.back().map_or(now, |(at, _)| *at);
            waiting.push_back((if *byte == b'\r' { behind.max(now) + think } else { behind.max(now) }, *byte));
        }
        let due = waiting.iter().take_while(|(at, _)| *at <= now).count();
        let bytes = waiting.drain(..due).map(|(_, byte)| byte).collect();
        self.note_lost(now, lost);
        bytes
    }

    fn open_line(&self) -> Option<(PipeWriter, PipeReader)> {
        let system = Rc::clone(self.system()?);
        let (typed, input) = pipe(None);
        let (output, shown) = pipe(Some(CONSOLE_BUFFER));
        let (transport, login) = (crate::console::Transport::Serial, crate::console::Login::Ask);
        system.open_console(transport, login, "", input, output)?;
        Some((typed, shown))
    }

    fn turn_booter(&mut self, now: Instant, typed: &[u8]) -> bool {
        let Some(booter) = &mut self.serial.booter else { return false };
        for key in typed {
            booter.key(now, *key);
        }
        booter.turn(now);
        let (text, keys, exit) = (booter.take_out(), booter.take_keys(), booter.exit());
        let told = booter.take_told();
        let formatted = booter.is_formatted();
        let (settings, written) = (booter.settings().clone(), booter.written().clone());
        self.serial.told.extend(told);
        self.serial.line.print(now, &text);
        for (menu, key) in keys {
            self.note(now, EventKind::BootKey { menu, key });
        }
        if formatted && !self.serial.formatted {
            self.serial.formatted = true;
            self.note(now, EventKind::BootFormatted);
        }
        // What holds for one boot only is gone with it.
        let stored = self::settings(&self.storage().borrow());
        if stored.baud != 0 && stored.device != written.device {
            write(&mut self.storage().borrow_mut(), &Settings { device: written.device, ..stored });
        }
        match exit {
            Some(Exit::Restart) => {
                write(&mut self.storage().borrow_mut(), &settings);
                self.restart_booter(now);
                true
            }
            Some(Exit::Installed) => {
                self.installed(now);
                self.restart_booter(now);
                true
            }
            Some(Exit::Kernel) => self.leave_booter(now),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests;
