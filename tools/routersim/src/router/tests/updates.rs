//! Packages, boot firmware, device mode.

use super::*;
use crate::system::{PACKAGE_MAGIC, package_file};

impl Bench {
    fn boots(&self) -> usize {
        self.events.iter().filter(|event| event.kind == EventKind::Phase(Phase::RouterBoot)).count()
    }

    fn put(&mut self, name: &str, contents: Vec<u8>) {
        self.router.system().unwrap().write_file(name, contents).unwrap();
    }

    fn reboot(&mut self) {
        self.router.start_script(self.now, "admin", "/system reboot");
        self.until(Phase::RouterBoot);
        self.until(Phase::Up);
    }
}

#[test]
fn a_package_is_installed_by_a_reboot_of_two_starts() {
    let mut bench = Bench::v6();
    bench.run("/system identity set name=kept");
    let board = bench.router.spec().board().unwrap();
    let (name, contents) = package_file(Version::new(7, 18, 2), board);
    assert_eq!(name, "routeros-7.18.2-tile.npk");
    bench.put(&name, contents);
    let before = bench.boots();
    bench.reboot();
    assert_eq!(bench.boots() - before, 2);
    assert_eq!(bench.get("[/system resource get version]"), "7.18.2 (stable)");
    assert_eq!(bench.get("[/system resource get factory-software]"), "6.44.6");
    assert_eq!(bench.get("[/system identity get name]"), "kept");
    assert_eq!(bench.get("[:len [/file find name~\"npk\"]]"), "0");
    assert_eq!(bench.get("[:len [/log find message~\"installed routeros-7.18.2\"]]"), "1");
    // The firmware stays until it is told to.
    assert_eq!(bench.get("[/system routerboard get current-firmware]"), "6.44.6");
    assert_eq!(bench.get("[/system routerboard get upgrade-firmware]"), "7.18.2");
    bench.run("/system routerboard upgrade");
    assert_eq!(bench.get("[/system routerboard get current-firmware]"), "6.44.6");
    let before = bench.boots();
    bench.reboot();
    assert_eq!(bench.boots() - before, 2);
    assert_eq!(bench.get("[/system routerboard get current-firmware]"), "7.18.2");
}

#[test]
fn only_whole_newer_packages_for_the_board_are_taken() {
    let mut bench = Bench::v7();
    bench.put("routeros-7.19.1-tile.npk", b"half a file".to_vec());
    bench.put("routeros-7.20-arm64.npk", PACKAGE_MAGIC.to_vec());
    bench.put("routeros-7.12.1-tile.npk", PACKAGE_MAGIC.to_vec());
    let before = bench.boots();
    bench.reboot();
    assert_eq!(bench.boots() - before, 1);
    assert_eq!(bench.get("[/system resource get version]"), "7.18.2 (stable)");
    assert_eq!(bench.get("[:len [/log find message~\"7.19.1-tile.npk: broken package\"]]"), "1");
    assert_eq!(bench.get("[:len [/log find message~\"arm64.npk: wrong architecture\"]]"), "1");
    // An older one wants to be asked for.
    bench.router.start_script(bench.now, "admin", "/system package downgrade");
    bench.until(Phase::RouterBoot);
    bench.until(Phase::Up);
    assert_eq!(bench.get("[/system resource get version]"), "7.12.1 (stable)");
}

#[test]
fn device_mode_changes_by_a_hand_on_the_board_only() {
    let mut bench = Bench::v7();
    let refused = "failure: not allowed by device-mode";
    assert_eq!(bench.fails("/system routerboard settings set silent-boot=yes"), refused);
    bench.run("/system routerboard settings set auto-upgrade=yes");
    let ask = "/system device-mode update routerboard=yes mode=home";
    bench.router.start_script(bench.now, "admin", ask);
    bench.wait(Duration::from_secs(10));
    bench.router.press_button(bench.now);
    bench.until(Phase::Up);
    assert_eq!(bench.get("[/system device-mode get mode]"), "home");
    bench.run("/system routerboard settings set silent-boot=yes");
    assert_eq!(bench.fails("/system scheduler add name=x interval=1m on-event=y"), refused);
    // Nobody comes: nothing changes, and after three times nothing is taken.
    for _ in 0..3 {
        bench.run("/system device-mode update mode=advanced");
    }
    bench.router.start_script(bench.now, "admin", "/system device-mode update mode=advanced");
    bench.wait(Duration::from_secs(10));
    bench.router.power_cut(bench.now);
    bench.router.power_on(bench.now);
    bench.until(Phase::Up);
    assert_eq!(bench.get("[/system device-mode get mode]"), "home");
    assert_eq!(bench.get("[/system device-mode get attempt-count]"), "0");
}
