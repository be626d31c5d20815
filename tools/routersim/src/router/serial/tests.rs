//! The router's serial line, from the first byte of the boot loader to a session that outlives the cable.

use std::time::Duration;

use serial_console::LineSettings;

use super::*;
use crate::serial::Netboot;

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
        self.router.serial_send(self.now, text.as_bytes(), LineSettings::at(baud));
    }

    /// As admin, whose password is `lab`.
    fn log_in(&mut self) {
        self.until("Login: ");
        self.send("admin+ct80w40h\r");
        self.until("Password: ");
        self.send("lab\r");
        self.until("] > ");
        self.run(Duration::from_secs(1));
        self.seen.clear();
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
    desk.router.serial_send(now, b"admin\r", LineSettings::at(9600));
    desk.run(Duration::from_secs(2));
    assert!(!desk.seen.contains("Password"), "{}", desk.seen);
    let now = desk.now;
    desk.router.serial_send(now, b"\r", LineSettings::at(115_200));
    desk.run(Duration::from_secs(2));
    desk.router.serial_send(desk.now, b"\radmin\r", LineSettings::at(115_200));
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
    let spec = set("silent-boot", "yes");
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
    assert!(keys.len() > 10 && keys[0].0 == "window", "the login's echo opens the menu and walks through it: {keys:?}");
    let mut refused = 0;
    while let Some(event) = up.router.poll_event() {
        refused += usize::from(matches!(event.kind, EventKind::Login { ok: false, .. }));
    }
    assert!(refused > 2, "the boot loader's text is taken for names: {refused}");
}

/// Router B, with one of its boot loader's settings changed.
fn set(name: &str, value: &str) -> Spec {
    let mut spec = Spec::pair_b();
    spec.booter.settings.insert(name.into(), value.into());
    spec
}

#[test]
fn a_protected_boot_loader_hears_no_key() {
    let mut desk = Desk::new(set("protected-routerboot", "enabled"));
    for _ in 0..80 {
        desk.send("e\x05");
        desk.run(Duration::from_millis(100));
    }
    desk.until("Login: ");
    assert_eq!(desk.keys(), []);
}

#[test]
fn only_delete_opens_the_menu_where_it_is_the_key() {
    let mut desk = Desk::new(set("enter-setup-on", "delete-key"));
    desk.until("Press <delete> key within 2 seconds");
    desk.send("\rx ");
    desk.run(Duration::from_millis(500));
    desk.send("\x7f");
    desk.until("your choice: ");
    assert_eq!(desk.keys(), [("window", 0x7f)]);
}

/// Transcripts 10, 12 and 13.
#[test]
fn etherboot_once_and_ctrl_e_reach_the_installer_and_the_next_boot_does_not() {
    let mut spec = set("boot-device", "try-ethernet-once-then-nand");
    spec.booter.netboot = Netboot::Installer;
    let mut desk = Desk::new(spec.clone());
    let seen = desk.until("Waiting for installation server...");
    assert!(seen.contains("trying bootp protocol...... OK") && seen.contains("Got IP address: "), "{seen}");
    desk.run(Duration::from_secs(3600));
    assert_eq!(desk.router.phase(), Phase::RouterBoot, "it waits for ever");
    let now = desk.now;
    desk.router.power_cut(now);
    assert!(!desk.router.serial_ready());
    desk.router.power_on(now);
    assert!(!desk.until("Login: ").contains("bootp"), "once");

    spec.booter.settings.clear();
    let mut desk = Desk::new(spec);
    desk.until("Press Ctrl+E");
    for _ in 0..10 {
        desk.send("\x05");
        desk.run(Duration::from_millis(100));
    }
    desk.until("Waiting for installation server...");
}

/// Netinstall on the BOOT port's cable: the configuration is kept with its users, files are gone, and RouterOS is the package's.
#[test]
fn a_network_installation_keeps_the_configuration_or_not() {
    use crate::router::{Installation, Keep, Told};
    let mut spec = set("boot-device", "try-ethernet-once-then-nand").file("note.txt", "text");
    spec.setup = "/user set admin password=lab\n/system identity set name=kept\n".into();
    for (keep, identity) in [(Keep::Old, "kept"), (Keep::Default, "MikroTik"), (Keep::Empty, "MikroTik")] {
        let mut desk = Desk::new(spec.clone());
        let offer = Installation::of(&desk.router, "routeros-7.19.4-tile.npk", keep).unwrap();
        assert_eq!(Installation::of(&desk.router, "routeros-7.19.4-arm.npk", keep), None);
        desk.router.offer_installation(desk.now, Some(offer));
        let seen = desk.until(&format!("{identity} Login: "));
        assert!(seen.contains("Waiting for installation server...") && seen.contains("7.19.4"), "{seen}");
        assert_eq!(desk.router.take_told(), [Told::Asked, Told::Formats, Told::Done]);
        assert_eq!(desk.router.storage().borrow().files.list().count(), 0, "files are gone");
        let addresses = desk.router.storage().borrow().config.items("/ip/address").len();
        assert_eq!(addresses, usize::from(keep == Keep::Default), "{keep:?}");
    }
}

/// Who offers goes away in the middle: the storage was formatted by then, and what was on it is lost.
#[test]
fn an_installation_that_is_cut_leaves_nothing_to_boot_from() {
    use crate::router::{Installation, Keep};
    let mut spec = set("boot-device", "try-ethernet-once-then-nand");
    spec.setup = "/system identity set name=lost\n".into();
    let mut desk = Desk::new(spec);
    let offer = Installation::of(&desk.router, "routeros-7.18.2-tile.npk", Keep::Old);
    desk.router.offer_installation(desk.now, offer.clone());
    desk.until("Waiting for installation server...");
    desk.router.offer_installation(desk.now, None);
    let now = desk.now;
    desk.router.power_cut(now);
    desk.router.power_on(now);
    desk.until("kernel loading failed");
    desk.router.offer_installation(desk.now, offer);
    assert!(!desk.until("Login: ").contains("lost"));
}

#[test]
fn a_formatted_storage_finds_nothing_for_ever() {
    let mut spec = Spec::pair_b();
    spec.booter.formatted = true;
    let mut desk = Desk::new(spec);
    for _ in 0..5 {
        desk.until("kernel loading failed");
    }
    let now = desk.now;
    desk.router.power_cut(now);
    desk.router.power_on(now);
    desk.until("trying bootp protocol");
}

#[test]
fn a_reboot_and_an_upgrade_of_two_boots_say_so() {
    let version: crate::spec::Version = "7.19.4".parse().unwrap();
    let mut desk = Desk::new(Spec { setup: "/user set admin password=lab\n".into(), ..Spec::pair_b() });
    desk.log_in();
    let (name, package) = crate::system::package_file(version, desk.router.spec().board().unwrap());
    desk.router.storage().borrow_mut().files.write(desk.now, 0, &name, package).unwrap();
    desk.send("/system reboot\r");
    desk.until("[y/N]: ");
    desk.send("y");
    let seen = desk.until("MikroTik Login: ");
    assert_eq!(seen.matches("RouterBOOT booter 7.18.2").count(), 2, "{seen}");
    for text in
        ["system will reboot shortly", "Rebooting...\r\nStopping services...", "reboot: Restarting system", "7.19.4"]
    {
        assert!(seen.contains(text), "{text}: {seen}");
    }
    assert_eq!(desk.keys(), []);
}

/// Six thousand keys while a command runs: four thousand wait for it, the rest is lost, and nobody says so.
#[test]
fn what_nobody_reads_is_lost() {
    let mut desk = Desk::new(Spec { setup: "/user set admin password=lab\n".into(), ..Spec::pair_b() });
    desk.log_in();
    desk.send(":delay 10s\r");
    desk.run(Duration::from_secs(1));
    desk.send(&format!(":put [:len \"{}\"]\r", "x".repeat(6000)));
    desk.run(Duration::from_secs(20));
    desk.send("\"]\r");
    desk.run(Duration::from_secs(20));
    let typed = desk.seen.matches('x').count();
    assert!(typed > 0 && !desk.seen.contains("6000"), "{}", desk.seen);
}

#[test]
fn enter_takes_its_time_and_keys_do_not() {
    let mut desk = Desk::new(Spec { setup: "/user set admin password=lab\n".into(), ..Spec::pair_b() });
    desk.log_in();
    desk.send(":put (6 * 7)");
    desk.run(Duration::from_millis(5));
    assert!(desk.seen.contains("(6 * 7)"), "{:?}", desk.seen);
    desk.send("\r");
    desk.run(Duration::from_millis(45));
    assert!(!desk.seen.contains("42"), "{:?}", desk.seen);
    desk.until("42");
}

#[test]
fn a_bad_cable_damages_both_ways() {
    let mut spec = Spec::pair_b();
    spec.serial.error_every = 40;
    let mut desk = Desk::new(spec);
    desk.run(Duration::from_secs(80));
    assert!(desk.seen.contains('\u{fffd}') || !desk.seen.contains("Press any key within 2 seconds"), "{}", desk.seen);
    let events = |desk: &mut Desk| {
        let mut count = 0;
        while let Some(event) = desk.router.poll_event() {
            count += usize::from(matches!(event.kind, EventKind::SerialBreak | EventKind::SerialWires { .. }));
        }
        count
    };
    assert_eq!(events(&mut desk), 0);
    let now = desk.now;
    desk.router.serial_break(now);
    desk.router.serial_wires(now, false, true);
    assert_eq!(events(&mut desk), 2);
}
