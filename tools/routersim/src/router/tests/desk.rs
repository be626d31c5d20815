//! A person at the serial console.

use super::*;

/// A person at the serial console, who sees text and types.
pub(super) struct Desk {
    typed: crate::kernel::PipeWriter,
    shown: crate::kernel::PipeReader,
    seen: String,
}

impl Desk {
    pub(super) fn at(bench: &mut Bench) -> Self {
        let (_, typed, shown) = bench.router.open_serial(bench.now).unwrap();
        Self { typed, shown, seen: String::new() }
    }

    pub(super) fn sees(&mut self, bench: &mut Bench, wanted: &str) {
        let end = bench.now + Duration::from_secs(30);
        loop {
            self.seen.push_str(&String::from_utf8_lossy(&self.shown.take(1 << 16)));
            if let Some(at) = self.seen.find(wanted) {
                self.seen.drain(..at + wanted.len());
                return;
            }
            assert!(bench.now < end && bench.router.poll_timeout().is_some(), "no {wanted:?} in {:?}", self.seen);
            bench.step();
        }
    }

    pub(super) fn types(&mut self, bench: &mut Bench, text: &str) {
        self.types_bytes(bench, text.as_bytes());
    }

    pub(super) fn types_bytes(&mut self, bench: &mut Bench, bytes: &[u8]) {
        self.typed.push(bytes);
        bench.router.handle_timeout(bench.now);
    }

    /// What is shown and was not looked at, in bytes.
    pub(super) fn takes(&mut self) -> Vec<u8> {
        self.seen.clear();
        self.shown.take(1 << 16)
    }

    pub(super) fn log_in(&mut self, bench: &mut Bench) {
        self.types(bench, "\r");
        self.sees(bench, "Login: ");
        self.types(bench, "admin+ct160w4098h\r");
        self.sees(bench, "Password: ");
        self.types(bench, "\r");
        if bench.router.storage().borrow().license_pending {
            self.sees(bench, "license? [Y/n]: ");
            self.types(bench, "n");
        }
        if bench.router.system().unwrap().quirks.password_question {
            self.sees(bench, "new password> ");
            self.types(bench, "\x03");
        }
        self.sees(bench, "] > ");
    }
}

#[test]
fn a_reset_typed_at_a_console_is_asked_about() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/system identity set name=precious");
        let mut desk = Desk::at(&mut bench);
        desk.log_in(&mut bench);
        desk.types(&mut bench, "/system reset-configuration no-defaults=yes skip-backup=yes\r");
        desk.sees(&mut bench, "[y/N]:");
        desk.types(&mut bench, "n");
        bench.wait(Duration::from_secs(20));
        assert_eq!(bench.router.phase(), Phase::Up);
        let declined = |kind: &EventKind| matches!(kind, EventKind::Answered { outcome: Outcome::Declined, .. });
        assert!(bench.seen(declined));
        desk.types(&mut bench, "/system reset-configuration no-defaults=yes skip-backup=yes\r");
        desk.sees(&mut bench, "[y/N]:");
        desk.types(&mut bench, "y");
        bench.until(Phase::RouterBoot);
        bench.until(Phase::Up);
        assert!(bench.seen(EventKind::is_destructive));
        assert_eq!(bench.get("[/system identity get name]"), "MikroTik");
    }
}

#[test]
fn a_console_session_lists_itself_and_its_errors_are_words() {
    let mut bench = Bench::v7();
    let mut desk = Desk::at(&mut bench);
    desk.log_in(&mut bench);
    assert_eq!(bench.get("[:len [/user active find name=admin]]"), "1");
    desk.types(&mut bench, "/ip\r");
    desk.sees(&mut bench, "/ip> ");
    desk.types(&mut bench, "address add address=10.0.0.1/24 interface=ether1\r");
    desk.sees(&mut bench, "/ip> ");
    desk.types(&mut bench, "address print\r");
    desk.sees(&mut bench, "10.0.0.1/24");
    desk.types(&mut bench, "/zzz\r");
    desk.sees(&mut bench, "bad command name zzz (line 1 column 2)");
    desk.types(&mut bench, "/\r");
    desk.types(&mut bench, "/user add name=x group=none\r");
    desk.sees(&mut bench, "input does not match any value of group");
    desk.types(&mut bench, "/quit\r");
    desk.sees(&mut bench, "Login: ");
    assert_eq!(bench.get("[:len [/user active find]]"), "0");
    assert!(bench.seen(|kind| matches!(kind, EventKind::Login { user, ok: true, .. } if user == "admin")));
}

#[test]
fn an_import_asks_nothing_and_one_that_imports_itself_ends() {
    let mut bench = Bench::v6();
    bench.router.system().unwrap().write_file("down.rsc", b"/system reboot\n".to_vec()).unwrap();
    bench.router.system().unwrap().write_file("loop.rsc", b"/import loop.rsc\n".to_vec()).unwrap();
    assert!(bench.fails("/import loop.rsc").contains("nesting"));
    assert_eq!(bench.fails("/import none.rsc"), "failure: file doesn't exist");
    assert_eq!(Bench::v7().fails("/import none.rsc"), "Cannot open import file, file does not exist");
    let mut desk = Desk::at(&mut bench);
    desk.log_in(&mut bench);
    desk.types(&mut bench, "/import down.rsc\r");
    bench.until(Phase::RouterBoot);
}

/// As in the manual's example.
#[test]
fn an_import_says_what_is_wrong_to_who_catches_it() {
    let mut bench = Bench::v7();
    bench.run("/file add name=bad.rsc contents=\"this is no script\"");
    let said = bench.run(":onerror e in={/import bad.rsc} do={:put $e}");
    assert_eq!(said.lines().last(), Some("Script Error: bad command name this (line 1 column 1)"));
}
