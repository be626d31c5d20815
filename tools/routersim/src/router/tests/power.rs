//! Starts, resets, backups, power cuts, and who keeps what.

use super::*;

#[test]
fn a_cold_start_takes_its_phases() {
    let bench = Bench::v7();
    let phases: Vec<(Phase, u64)> = bench
        .events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::Phase(phase) => Some((phase, event.at.since_epoch().as_secs())),
            _ => None,
        })
        .collect();
    assert_eq!(phases, [(Phase::RouterBoot, 0), (Phase::Kernel, 8), (Phase::Services, 48), (Phase::Up, 52)]);
}

#[test]
fn the_scheduler_runs_at_startup_and_by_interval() {
    let mut bench = Bench::v6();
    bench.wait(Duration::from_secs(5));
    bench.run(
        "/system script add name=tick source={:global ticks; :if ([:typeof $ticks] = \"nothing\") do={:set ticks 0}; :set ticks ($ticks + 1)}\n\
         /system scheduler add name=boot start-time=startup on-event=\":global booted [/system resource get uptime]\"\n\
         /system scheduler add name=ten interval=10m on-event=tick",
    );
    bench.wait(Duration::from_secs(25 * 60));
    assert_eq!(bench.run(":global ticks; :put $ticks"), "2");
    assert_eq!(bench.run(":global booted; :put [:typeof $booted]"), "nothing");
    bench.run("/system scheduler disable ten");
    bench.wait(Duration::from_secs(25 * 60));
    assert_eq!(bench.run(":global ticks; :put $ticks"), "2");
    bench.run("/system reboot");
    bench.until(Phase::RouterBoot);
    bench.until(Phase::Up);
    bench.wait(Duration::from_secs(5));
    assert_eq!(bench.run(":global booted; :put $booted"), "00:00:07");
    assert_eq!(bench.run(":global ticks; :put [:typeof $ticks]"), "nothing");
}

#[test]
fn a_crashed_console_forgets_globals_and_starts_again() {
    let mut bench = Bench::v6();
    bench.run(
        "/system scheduler add name=boot start-time=startup on-event=\":global seen [/system resource get uptime]\"",
    );
    bench.run(":global keep 1");
    bench.wait(Duration::from_secs(100));
    bench.router.crash_console(bench.now);
    assert_eq!(bench.run(":global keep; :put [:typeof $keep]"), "nothing");
    bench.wait(Duration::from_secs(5));
    assert!(bench.run(":global seen; :put $seen").starts_with("00:01:"));
    assert!(bench.seen(|kind| *kind == EventKind::ConsoleCrash));
}

#[test]
fn a_backup_restores_configuration_and_addresses_but_no_files() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        bench.run("/system identity set name=before; /file print file=old");
        bench.wait(Duration::from_secs(2));
        bench.run("/user add name=ha group=full password=secret; /interface ethernet disable ether3");
        bench.run("/system backup save name=snap password=p");
        bench.run("/system identity set name=after; /file remove old.txt; /user remove ha");
        assert_eq!(bench.fails("/system backup load name=snap password=q"), "failure: wrong password");
        assert_eq!(bench.fails("/system backup load name=nosuch password=q"), "failure: backup file not found");
        assert_eq!(bench.fails("/system backup load name=snap"), "missing value(s) of argument(s) password");
        assert!(!bench.seen(|kind| kind.is_destructive()));
        bench.run("/system backup load name=snap.backup password=p");
        bench.until(Phase::ShuttingDown);
        assert_eq!(bench.get("[/system identity get name]"), "after");
        bench.until(Phase::RouterBoot);
        bench.until(Phase::Up);
        assert!(bench.seen(|kind| matches!(kind, EventKind::BackupLoaded { name } if name == "snap.backup")));
        assert_eq!(bench.get("[/system identity get name]"), "before");
        assert_eq!(bench.get("[:len [/user find name=ha]]"), "1");
        assert_eq!(bench.get("[/interface ethernet get ether3 disabled]"), "true");
        assert_eq!(bench.get("[:len [/file find name=\"old.txt\"]]"), "0");
        assert_eq!(bench.get("[:len [/system history find]]"), "0");
    }
}

#[test]
fn a_backup_of_another_router_brings_its_addresses() {
    let mut a = Bench::v7();
    a.run("/system backup save name=snap password=p");
    let file = a.router.system().unwrap().read_file("snap.backup").unwrap();
    let mut b = Bench::of(Spec::pair_b());
    b.router.system().unwrap().write_file("snap.backup", file.clone()).unwrap();
    b.run("/system backup load name=snap password=p");
    b.until(Phase::RouterBoot);
    b.until(Phase::Up);
    let port = "[/interface ethernet get [find default-name=ether8] ";
    assert_eq!(b.get(&format!("{port} mac-address]")), "74:4D:28:00:00:0A");
    assert_eq!(b.get(&format!("{port} orig-mac-address]")), "74:4D:28:00:00:0B");
    b.run("/interface ethernet reset-mac-address [find default-name=ether8]");
    assert_eq!(b.get(&format!("{port} mac-address]")), "74:4D:28:00:00:0B");
    let mut other = Bench::v6();
    other.router.system().unwrap().write_file("snap.backup", file).unwrap();
    assert_eq!(other.fails("/system backup load name=snap password=p"), "failure: backup is from another version");
}

#[test]
fn a_reset_erases_and_runs_the_script_after_it() {
    for version in [Version::new(6, 44, 6), Version::new(7, 18, 2)] {
        let mut bench =
            Bench::of(Spec::pair_b().version(version).file("after.rsc", "/system identity set name=reborn\n"));
        bench.run("/ip address add address=10.0.0.1/24 interface=ether1; /user add name=x group=full password=y");
        bench.run("/system routerboard settings set auto-upgrade=yes");
        bench.run("/system reset-configuration no-defaults=yes skip-backup=yes run-after-reset=after.rsc");
        bench.until(Phase::RouterBoot);
        bench.until(Phase::Up);
        bench.wait(Duration::from_secs(1));
        assert!(bench.seen(|kind| *kind == EventKind::ConfigErased { keep_users: false, no_defaults: true }));
        assert_eq!(bench.get("[/system identity get name]"), "reborn");
        assert_eq!(bench.get("[:len [/ip address find]]"), "0");
        assert_eq!(bench.get("[:len [/user find]]"), "1");
        assert_eq!(bench.get("[/system routerboard settings get auto-upgrade]"), "true");
        assert_eq!(bench.get("[:len [/file find name=\"after.rsc\"]]"), "1");
        assert_eq!(bench.get("[:len [/file find name=\"auto-before-reset.backup\"]]"), "0");
    }
}

#[test]
fn a_reset_without_options_leaves_a_backup_and_the_default_configuration() {
    let mut bench = Bench::of(Spec::pair_b().label("LABEL123"));
    bench.run("/user add name=x group=full password=y; /system reset-configuration keep-users=yes");
    bench.until(Phase::RouterBoot);
    bench.until(Phase::Up);
    assert_eq!(bench.get("[/ip address get 0 address]"), "192.168.88.1/24");
    assert_eq!(bench.get("[:len [/user find name=x]]"), "1");
    assert_eq!(bench.get("[:len [/file find name=\"auto-before-reset.backup\"]]"), "1");
    let system = bench.router.system().unwrap();
    assert!(system.password_right("admin", b"LABEL123", None) && !system.password_right("admin", b"", None));
}

#[test]
fn a_script_after_a_reset_is_cut_off() {
    let mut bench = Bench::of(Spec::pair_b().file("slow.rsc", ":delay 300\n/system identity set name=late\n"));
    bench.run("/system reset-configuration no-defaults=yes skip-backup=yes run-after-reset=slow.rsc");
    bench.until(Phase::RouterBoot);
    bench.until(Phase::Up);
    bench.wait(Duration::from_secs(400));
    assert_eq!(bench.get("[/system identity get name]"), "MikroTik");
    assert_eq!(bench.get("[:len [/log find message~\"limit exceeded\"]]"), "1");
}

#[test]
fn a_power_cut_takes_files_that_were_just_written() {
    let mut bench = Bench::v7();
    bench.run(
        "/file add name=a.txt contents=a; :delay 60; /file add name=b.txt contents=b; /system identity set name=kept",
    );
    bench.wait(Duration::from_secs(5));
    bench.router.power_cut(bench.now);
    assert_eq!(bench.router.phase(), Phase::Off);
    bench.router.power_on(bench.now);
    bench.until(Phase::Up);
    assert_eq!(bench.get("[:len [/file find name=\"a.txt\"]]"), "1");
    assert_eq!(bench.get("[:len [/file find name=\"b.txt\"]]"), "0");
    assert_eq!(bench.get("[/system identity get name]"), "kept");
    assert!(bench.seen(|kind| matches!(kind, EventKind::PowerCut { lost: 1 })));
    assert_eq!(bench.get("[:len [/log find message~\"without proper shutdown\"]]"), "1");
}

#[test]
fn destructive_commands_are_recorded_with_their_outcome() {
    let mut bench = Bench::v7();
    let _ = bench.fails("/system backup load name=none password=x");
    bench.wait(Duration::from_secs(1));
    assert!(bench.seen(|kind| matches!(kind, EventKind::Asked { command: "/system/backup/load", .. })));
    assert!(bench.seen(|kind| matches!(
        kind,
        EventKind::Answered { command: "/system/backup/load", outcome: Outcome::Refused(_) }
    )));
}

#[test]
fn late_and_swapped_ports() {
    let late = Spec::pair_a().quirk(|quirks| quirks.late_ports_ms = Some(4000));
    let mut bench = Bench::of(late);
    assert_eq!(bench.get("[:len [/interface ethernet find]]"), "0");
    bench.wait(Duration::from_secs(5));
    assert_eq!(bench.get("[:len [/interface ethernet find]]"), "8");
    let swapped = Spec::pair_a().quirk(|quirks| quirks.port_order = Some(crate::quirks::PortOrder::LastTwoSwapped));
    let mut bench = Bench::of(swapped);
    assert_eq!(bench.get("[/interface ethernet get ether7 orig-mac-address]"), "74:4D:28:00:00:0A");
}

#[test]
fn a_flash_directory_is_all_that_stays() {
    let mut bench = Bench::of(Spec::pair_b().quirk(|quirks| quirks.flash_directory = Some(true)));
    bench.run("/file add name=ram.txt contents=x; /file add name=\"flash/kept.txt\" contents=x");
    assert_eq!(bench.get("[/file get flash type]"), "disk");
    bench.run("/system reboot");
    bench.until(Phase::RouterBoot);
    bench.until(Phase::Up);
    assert_eq!(bench.get("[:len [/file find name=\"ram.txt\"]]"), "0");
    assert_eq!(bench.get("[:len [/file find name=\"flash/kept.txt\"]]"), "1");
}

#[test]
fn home_mode_refuses_what_the_pair_needs() {
    let mut bench =
        Bench::of(Spec::pair_a().quirk(|quirks| quirks.device_mode = Some(crate::quirks::DeviceMode::Home)));
    let words = "failure: not allowed by device-mode";
    assert_eq!(bench.fails("/system scheduler add name=x on-event=y interval=1m"), words);
    assert_eq!(bench.fails("/tool fetch mode=ftp address=1.1.1.1 src-path=x"), words);
}

#[test]
fn a_chr_has_no_board() {
    let spec = Spec { board: "CHR".to_owned(), ..Spec::pair_a() };
    let mut bench = Bench::of(spec);
    assert_eq!(bench.get("[/system routerboard get routerboard]"), "false");
    assert_eq!(bench.get("[:typeof [/system routerboard get serial-number]]"), "nothing");
    assert_eq!(bench.fails("/system routerboard settings set auto-upgrade=yes"), "no such item");
}

#[test]
fn a_shutdown_asks_a_person_writes_everything_and_stays_off() {
    for mut bench in [Bench::v6(), Bench::v7()] {
        let mut desk = super::desk::Desk::at(&mut bench);
        desk.log_in(&mut bench);
        desk.types(&mut bench, "/system shutdown\r");
        desk.sees(&mut bench, "Shutdown, yes? [y/N]:");
        desk.types(&mut bench, "n");
        bench.wait(Duration::from_secs(30));
        assert_eq!(bench.router.phase(), Phase::Up, "declined");
        // young enough that a power cut would take it
        bench.run("/system identity set name=kept; /file print file=young");
        bench.wait(Duration::from_secs(3));
        assert_eq!(bench.get("[:len [/file find name=\"young.txt\"]]"), "1");
        bench.run("/system shutdown");
        bench.until(Phase::Off);
        assert!((0..bench.router.ports().len()).all(|port| !bench.router.carrier(port)));
        bench.wait(Duration::from_secs(3600));
        assert_eq!(bench.router.phase(), Phase::Off, "nothing starts it but power");
        bench.router.power_on(bench.now);
        bench.until(Phase::Up);
        assert_eq!(bench.get("[/system identity get name]"), "kept");
        assert_eq!(bench.get("[:len [/file find name=\"young.txt\"]]"), "1");
        assert_eq!(bench.get("[:len [/log find message~\"without proper shutdown\"]]"), "0");
    }
}
