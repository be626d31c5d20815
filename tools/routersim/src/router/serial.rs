//! The router's end of the serial line: the boot loader's and the console's turn at it.

use std::rc::Rc;
use std::task::{Context, Poll};

use mactelnet::Instant;

use super::machine::Router;
use crate::kernel::{PipeReader, PipeWriter, pipe};
use crate::record::{EventKind, Phase};
use crate::serial::{Board, Booter, Exit, Line, Settings};
use crate::system::Storage;

/// Where the boot loader's settings are for RouterOS.
const SETTINGS: &str = "/system/routerboard/settings";
/// RouterOS's own speed: "auto" means this one in practice (routeros-console.md section 7).
const CONSOLE_BAUD: u32 = 115_200;
/// Output that waits in the console while the UART is busy.
const CONSOLE_BUFFER: usize = 4096;

/// What the router has of its serial port.
#[derive(Debug)]
pub(super) struct Serial {
    pub(super) line: Line,
    booter: Option<Booter>,
    console: Option<(PipeWriter, PipeReader)>,
    /// Nothing is left to boot from.
    formatted: bool,
}

impl Default for Serial {
    fn default() -> Self {
        Self { line: Line::new(CONSOLE_BAUD), booter: None, console: None, formatted: false }
    }
}

impl Serial {
    /// No power.
    pub(super) fn off(&mut self) {
        let plugged = self.line.is_plugged();
        *self = Self { formatted: self.formatted, ..Self::default() };
        self.line.plug(plugged);
    }

    /// The console is gone with its system.
    pub(super) fn drop_console(&mut self) {
        self.console = None;
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.line.poll_timeout(), self.booter.as_ref().and_then(Booter::poll_timeout)].into_iter().flatten().min()
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

    /// Somebody types on the serial line, at `baud` bits a second.
    pub fn serial_send(&mut self, now: Instant, bytes: &[u8], baud: u32) {
        self.pump(now);
        self.serial.line.send(now, bytes, baud);
        self.pump(now);
    }

    /// What has come over the serial line, as one who listens at `baud` bits a second gets it.
    pub fn serial_take(&mut self, baud: u32) -> Vec<u8> {
        self.serial.line.take_out(baud)
    }

    /// As [`Router::serial_take`]; wakes when there is something.
    pub fn poll_serial(&mut self, cx: &mut Context<'_>, baud: u32) -> Poll<Vec<u8>> {
        self.serial.line.poll_out(cx, baud)
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
            version: spec.version.to_string(),
            modern: spec.version.is_v7(),
            serial_number: spec.serial_number.clone(),
            memory: board.memory >> 20,
            storage: board.storage >> 20,
            mac,
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
        if up && self.serial.line.is_plugged() {
            self.serial.line.set_baud(CONSOLE_BAUD);
            let dead = self.serial.console.as_ref().is_none_or(|(_, shown)| shown.is_finished());
            if dead {
                self.serial.console = self.open_line();
            }
        }
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
        let formatted = booter.is_formatted();
        let settings = booter.settings().clone();
        self.serial.line.print(now, &text);
        for (menu, key) in keys {
            self.note(now, EventKind::BootKey { menu, key });
        }
        if formatted && !self.serial.formatted {
            self.serial.formatted = true;
            self.note(now, EventKind::BootFormatted);
        }
        match exit {
            Some(Exit::Restart) => {
                write(&mut self.storage().borrow_mut(), &settings);
                self.restart_booter(now);
                true
            }
            Some(Exit::Kernel) => self.leave_booter(now),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Spec;
    use std::time::Duration;

    struct Desk {
        router: Router,
        now: Instant,
        seen: String,
    }

    impl Desk {
        fn new(spec: Spec) -> Self {
            let mut router = Router::new(spec, 1).unwrap();
            router.plug_serial(Instant::ZERO, true);
            router.power_on(Instant::ZERO);
            Self { router, now: Instant::ZERO, seen: String::new() }
        }

        fn run(&mut self, time: Duration) {
            let until = self.now + time;
            loop {
                let baud = self.router.serial_baud();
                self.seen += &String::from_utf8_lossy(&self.router.serial_take(baud));
                match self.router.poll_timeout() {
                    Some(at) if at <= until => {
                        self.now = self.now.max(at);
                        self.router.handle_timeout(self.now);
                    }
                    _ => break,
                }
            }
            self.now = until;
            self.router.handle_timeout(until);
            self.seen += &String::from_utf8_lossy(&self.router.serial_take(self.router.serial_baud()));
        }

        /// Until `text` was seen; what was seen up to then is taken away.
        #[track_caller]
        fn until(&mut self, text: &str) -> String {
            for _ in 0..20_000 {
                if let Some(at) = self.seen.find(text) {
                    return self.seen.drain(..at + text.len()).collect();
                }
                self.run(Duration::from_millis(10));
            }
            panic!("no {text:?} in {:?}", self.seen);
        }

        fn send(&mut self, text: &str) {
            let baud = self.router.serial_baud();
            self.router.serial_send(self.now, text.as_bytes(), baud);
        }

        fn keys(&mut self) -> Vec<(&'static str, u8)> {
            let mut keys = Vec::new();
            while let Some(event) = self.router.poll_event() {
                if let EventKind::BootKey { menu, key } = event.kind {
                    keys.push((menu, key));
                }
            }
            keys
        }
    }

    #[test]
    fn a_whole_boot_and_a_login_and_a_session_that_survives_the_cable() {
        let mut desk = Desk::new(Spec::pair_b());
        let boot = desk.until("MikroTik Login: ");
        let mut rest = boot.as_str();
        for text in [
            "RouterBOOT booter 7.18.2",
            "CCR1009-7G-1C",
            "Press any key within 2 seconds to enter setup..",
            "loading kernel... OK",
            "jumping to kernel code",
            "Starting...",
            "Starting services...",
            "MikroTik 7.18.2 (stable)",
        ] {
            let at = rest.find(text).unwrap_or_else(|| panic!("no {text:?} in {boot:?}"));
            rest = &rest[at..];
        }
        desk.send("admin+ct80w40h\r");
        desk.until("Password: ");
        desk.send("\r");
        desk.until("[Y/n]: ");
        desk.send("n");
        desk.until("new password> ");
        desk.send("\x03");
        desk.until("[admin@MikroTik] > ");
        desk.send("/system identity");
        desk.run(Duration::from_secs(2));
        let now = desk.now;
        desk.router.plug_serial(now, false);
        desk.run(Duration::from_secs(60));
        desk.seen.clear();
        let now = desk.now;
        desk.router.plug_serial(now, true);
        desk.send(" print\r");
        desk.until("name: MikroTik");
    }

    #[test]
    fn the_wrong_speed_reads_as_garbage_and_types_garbage() {
        let mut desk = Desk::new(Spec::pair_b());
        desk.until("MikroTik Login: ");
        let now = desk.now;
        desk.router.serial_send(now, b"admin\r", 9600);
        desk.run(Duration::from_secs(2));
        assert!(!desk.seen.contains("Password"), "{}", desk.seen);
        let now = desk.now;
        desk.router.serial_send(now, b"\r", 115_200);
        desk.run(Duration::from_secs(2));
        desk.router.serial_send(desk.now, b"\radmin\r", 115_200);
        for _ in 0..100 {
            desk.router.handle_timeout(desk.now);
            desk.now += Duration::from_millis(10);
        }
        assert!(!String::from_utf8_lossy(&desk.router.serial_take(9600)).contains("Password"));
    }

    #[test]
    fn any_key_opens_the_menu_and_an_unknown_one_refreshes_it() {
        let mut desk = Desk::new(Spec::pair_b());
        desk.until("to enter setup");
        desk.send("\r");
        desk.until("your choice: ");
        desk.run(Duration::from_secs(600));
        assert_eq!(desk.router.phase(), Phase::RouterBoot, "a menu waits for ever");
        desk.send("\r");
        assert!(desk.until("refresh\r\n").contains("refresh"));
        desk.until("your choice: ");
        desk.send("o");
        let sub = desk.until("your choice: ");
        assert!(sub.contains(" * n - boot from NAND, if fail then Ethernet"), "{sub}");
        desk.send("1");
        desk.until("your choice: ");
        desk.send("x");
        desk.until("writing settings to flash... OK");
        desk.until("trying bootp protocol");
        desk.until("kernel loading failed");
        desk.until("loading kernel... OK");
        desk.until("Login: ");
        assert_eq!(
            desk.keys(),
            [("window", b'\r'), ("main", b'\r'), ("main", b'o'), ("boot device", b'1'), ("main", b'x')]
        );
    }

    #[test]
    fn format_asks_and_takes_only_yes() {
        let mut desk = Desk::new(Spec::pair_b());
        desk.until("to enter setup");
        desk.send("e");
        desk.until("your choice: ");
        desk.send("e");
        desk.until("to confirm: ");
        desk.send("y\r");
        desk.until("your choice: ");
        desk.send("x");
        desk.until("Login: ");
        let now = desk.now;
        desk.router.power_cut(now);
        desk.router.power_on(now);
        desk.until("to enter setup");
        desk.send("e");
        desk.until("your choice: ");
        desk.send("e");
        desk.until("to confirm: ");
        desk.send("yes\r");
        desk.until("your choice: ");
        desk.send("x");
        for _ in 0..3 {
            desk.until("trying bootp protocol");
            desk.until("kernel loading failed");
        }
    }

    #[test]
    fn a_silent_boot_says_nothing_and_still_hears() {
        // Later versions refuse this by device-mode.
        let mut spec = Spec { version: "6.44.6".parse().unwrap(), ..Spec::pair_b() };
        spec.setup.push_str("/system routerboard settings set silent-boot=yes\n");
        let mut desk = Desk::new(spec.clone());
        let boot = desk.until("Login: ");
        assert!(boot.trim_start().starts_with("Starting..."), "{boot:?}");
        let mut desk = Desk::new(spec);
        for _ in 0..80 {
            desk.send("\r");
            desk.run(Duration::from_millis(100));
        }
        assert!(desk.seen.contains("What do you want to configure?"), "{:?}", desk.seen);
    }

    /// Transcript 25: each types into the other, and neither gets on.
    #[test]
    fn two_routers_back_to_back() {
        let mut up = Desk::new(Spec::pair_a());
        up.until("Login: ");
        let mut booting = Desk::new(Spec::pair_b());
        for _ in 0..6_000 {
            for desk in [&mut up, &mut booting] {
                desk.run(Duration::from_millis(10));
            }
            let (said, answered) = (std::mem::take(&mut booting.seen), std::mem::take(&mut up.seen));
            up.send(&said);
            booting.send(&answered);
        }
        let keys = booting.keys();
        assert!(
            keys.len() > 10 && keys[0].0 == "window",
            "the login's echo opens the menu and walks through it: {keys:?}"
        );
        let mut refused = 0;
        while let Some(event) = up.router.poll_event() {
            refused += usize::from(matches!(event.kind, EventKind::Login { ok: false, .. }));
        }
        assert!(refused > 2, "the boot loader's text is taken for names: {refused}");
    }
}
