//! A member whose console hangs on a serial port of the other one (`via:a?port=usb1`): what `diagnose` says of it there, and its
//! rescues.

mod common;
#[path = "common/recovery.rs"]
mod recovery;

use bootstrap::diagnosis::{Diagnosis, Name};
use bootstrap::event::{Event, Record};
use bootstrap::exit::Exit;
use bootstrap::recover::{self, Asked, Lines as _, Procedure};
use bootstrap::store::{SimStore, Store as _};
use bootstrap::target::Member;
use common::{ADAPTER, Bench, Case, VIA_SERIAL, simulated};
use jumplead::roads::PairLine;
use jumplead::{How, Output, of_member_on_line};
use jumplead_tests::states;
use lab::pair::Topology;
use lab::serial::NullModem;
use recovery::{NEW_PASSWORD, done, evidence, f1, recover, restart_b, resume, script, well, with_access};
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::serial::{LineSettings, Netboot};
use routersim::system::BUILT_IN;

/// What `diagnose via:edge-1/a?port=usb1` says.
async fn diagnose(bench: &Bench) -> Result<Diagnosis, String> {
    done(1).await;
    with_access(bench, async |_, roads, pair| {
        let line = PairLine { pair, roads, member: Member::B }.line().await.map_err(|error| error.code)?;
        let out = Output { json: false, quiet: true, verbose: false, command: "diagnose" };
        let how = How { listen: false, take_over: false, user: "admin" };
        of_member_on_line(&out, pair, Member::B, line.unwrap(), how).await.map_err(|failure| failure.code)
    })
    .await
}

async fn named(bench: &Bench, state: Name) -> Diagnosis {
    let diagnosis = diagnose(bench).await.unwrap();
    assert_eq!(diagnosis.state, state, "{diagnosis:#?}");
    diagnosis
}

/// Rescues it, the host gone from the wire and the process with it as `step` begins, where one is named: A hears of no end. Another
/// process goes on then.
async fn rescued(bench: &Bench, store: &SimStore, procedure: Procedure, step: Option<&'static str>) {
    rescued_with(bench, store, procedure, &Asked::default(), step).await;
}

async fn rescued_with(
    bench: &Bench,
    store: &SimStore,
    procedure: Procedure,
    asked: &Asked,
    step: Option<&'static str>,
) {
    let wire = bench.pair.host_wire.clone();
    let kill = move |record: &Record| {
        let now = matches!(&record.event, Event::StepStarted { step: at, .. } if Some(at.as_str()) == step);
        if now {
            wire.cut();
        }
        now
    };
    match Box::pin(recover(bench, store, procedure, asked, kill)).await.unwrap() {
        Some(rescued) => {
            assert_eq!(step, None, "{procedure}: it was not begun");
            well(bench, &rescued);
        }
        None => {
            store.crash(0);
            done(5).await;
            bench.pair.host_wire.restore();
            let end = resume(bench, store).await;
            assert_eq!(end.exit, Exit::Done, "{procedure}, {step:?}: {end:#?}");
        }
    }
    assert_eq!(bench.destructive('A'), [], "{procedure}: nothing destructive on A");
}

/// From an erased router to a standby and through what befalls it, one road all along.
#[test]
fn on_a_serial_port_of_the_active_each_state_is_named_and_rescued() {
    simulated(|| async {
        let bench = Bench::new(Case { road_b: Some(VIA_SERIAL), ..Case::new("7.18.2", Topology::BehindA, false) });
        let store = SimStore::default();
        named(&bench, Name::E1).await;
        // F7: a configuration that is not loaded.
        bench.pair.b.with(|router, _| {
            router.system().unwrap().write_file("HA_b2s.backup", b"no backup at all".to_vec()).unwrap();
        });
        done(60).await;
        named(&bench, Name::F7).await;
        script(&bench.pair.b, "/file remove HA_b2s.backup");
        // F6: a bootstrap that waits in vain.
        script(&bench.pair.b, states::WAITS);
        done(30).await;
        named(&bench, Name::F6).await;
        rescued(&bench, &store, Procedure::FinishBootstrap, None).await;
        bench.until_done(&SimStore::default()).await;
        bench.assert_proved();
        named(&bench, Name::S4).await;
        script(&bench.pair.b, "/system script run ha_saveown");
        done(60).await;
        // F1: in place, and by its own backup, behind a restart.
        f1(&bench).await;
        named(&bench, Name::F1).await;
        rescued(&bench, &store, Procedure::Repair, Some("router.startup")).await;
        bench.assert_proved();
        f1(&bench).await;
        let before = bench.counts('B');
        rescued(&bench, &store, Procedure::KnownGood, Some("router.load-backup")).await;
        assert!(evidence(&bench, &store).contains("FAILED"));
        assert_eq!(bench.counts('B').1, before.1 + 1, "one backup was loaded");
        bench.assert_proved();
        // F2
        script(&bench.pair.b, states::WRONG_MAC);
        restart_b(&bench).await;
        named(&bench, Name::F2).await;
        rescued(&bench, &store, Procedure::RightMac, None).await;
        bench.assert_proved();
        // F3
        bench.pair.b.with(Router::crash_console);
        done(20).await;
        named(&bench, Name::F3).await;
        // F5 shows on the active, which it is behind a cut cable.
        restart_b(&bench).await;
        bench.pair.ha_wire.cut();
        bench.pair.ha_wire_b.cut();
        done(30).await;
        // F4: the active that it is now can't tell whether the other one is, too.
        let alone = named(&bench, Name::X1).await;
        assert!(alone.evidence.iter().any(|line| line.contains("(F4), only a look at both shows")), "{alone:#?}");
        script(
            &bench.pair.b,
            "/log error \"ha_checkchanges: PAUSED, two pushes did not bring the standby in sync (x)\"",
        );
        bench.pair.b.with(|router, _| router.system().unwrap().write_file("HA_pushes.txt", b"2".to_vec()).unwrap());
        done(1).await;
        named(&bench, Name::F5).await;
        let keys = bench.log.borrow().iter().filter(|(_, e)| matches!(e.kind, EventKind::BootKey { .. })).count();
        assert_eq!(keys, 0, "nothing was typed into a boot loader");
    });
}

/// The proved standby, reached by nothing but A's serial port.
async fn standby() -> Bench {
    let bench = Bench::new(Case { road_b: Some(VIA_SERIAL), ..Case::new("7.18.2", Topology::BehindA, false) });
    bench.until_done(&SimStore::default()).await;
    bench
}

/// What befalls the standby of another build: mended by hand, held in its loop of restarts.
#[test]
fn on_a_serial_port_of_the_active_stand_ins_are_rescued() {
    simulated(|| async {
        let (bench, store) = (standby().await, SimStore::default());
        script(&bench.pair.b, &states::fails_at_once());
        restart_b(&bench).await;
        script(&bench.pair.b, states::SILENT);
        done(5).await;
        named(&bench, Name::F1).await;
        rescued(&bench, &store, Procedure::Repair, Some("router.startup")).await;
        assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
    });
    simulated(|| async {
        let (bench, store) = (standby().await, SimStore::default());
        script(&bench.pair.b, &states::loops());
        script(&bench.pair.b, states::WRONG_MAC);
        restart_b(&bench).await;
        rescued(&bench, &store, Procedure::RightMac, Some("router.ha-mac")).await;
        assert!(evidence(&bench, &store).contains("I AM UNKNOWN"));
        assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
    });
}

/// The same failure a second time, of ours and of another build.
#[test]
fn on_a_serial_port_of_the_active_twice_the_same_failure_is_quarantined() {
    for fault in [states::PASSWORD_GONE.to_owned(), states::fails_at_once()] {
        simulated(|| async {
            let (bench, store) = (standby().await, SimStore::default());
            script(&bench.pair.b, &fault);
            done(2).await;
            restart_b(&bench).await;
            rescued(&bench, &store, Procedure::Leave, None).await;
            restart_b(&bench).await;
            let refused = recover(&bench, &store, Procedure::Repair, &Asked::default(), |_| false).await;
            assert_eq!(refused.err().unwrap().code, "recover.twice");
            rescued(&bench, &store, Procedure::Quarantine, Some("router.quarantine")).await;
            assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
            let name = bench.single(&bench.pair.b, "/system/identity", "name");
            assert_eq!(name.as_deref(), Some("edge-1_HA_B_QUARANTINE"));
        });
    }
}

/// The new HA password goes over A's port, which keeps nothing of it, to B, and over the HA cable's road to A.
#[test]
fn on_a_serial_port_of_the_active_another_ha_password() {
    simulated(|| async {
        let (bench, store) = (standby().await, SimStore::default());
        let asked = Asked { new_password: Some("env:NEW_HA".into()), ..Asked::default() };
        rescued_with(&bench, &store, Procedure::HaPassword, &asked, Some("peer.ha-password")).await;
        for router in [&bench.pair.a, &bench.pair.b] {
            let kept = bench.single(router, "/ppp/secret", "password");
            assert_eq!(kept.as_deref(), Some(NEW_PASSWORD));
        }
        bench.assert_proved();
    });
}

/// RouterOS comes from the BOOT port, the tool killed under way; A's console has stood idle for a minute by then.
#[test]
fn on_a_serial_port_of_the_active_a_board_is_installed() {
    let asked = Asked {
        netinstall: Some("netinstall-cli".into()),
        packages: vec!["routeros-7.18.2-tile.npk".into()],
        interface: Some("eth9".into()),
        ..Asked::default()
    };
    for step in [None, Some("loader.install")] {
        simulated(|| async {
            let mut bench =
                Bench::new(Case { road_b: Some(VIA_SERIAL), ..Case::new("7.18.2", Topology::BehindA, false) });
            let store = SimStore::default();
            starts(&mut bench, false);
            tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
            bench.pair.b.with(|router, now| router.serial_send(now, b" ", LineSettings::at(115_200)));
            done(1).await;
            named(&bench, Name::F8).await;
            rescued_with(&bench, &store, Procedure::Netinstall, &asked, step).await;
            done(60).await;
            let installed = |kind: &EventKind| matches!(kind, EventKind::Installed { .. });
            assert!(bench.events().iter().any(|(who, event)| *who == 'B' && installed(&event.kind)));
            named(&bench, Name::E1).await;
        });
    }
}

/// B's board anew, its kernel dying where it is `broken`, its console on A's port as before; it starts.
fn starts(bench: &mut Bench, broken: bool) {
    bench.null_modem = None;
    bench.pair.b.with(|router, now| {
        router.power_cut(now);
        let mut spec = router.spec().clone();
        spec.booter.broken = broken;
        spec.booter.netboot = Netboot::Installer;
        *router = Router::new(spec, 1).unwrap();
        let port = router.port("ether8").unwrap();
        router.set_link(now, port, true);
    });
    bench.null_modem = Some(NullModem::new((&bench.pair.a, ADAPTER), (&bench.pair.b, BUILT_IN)));
    bench.pair.b.with(|router, now| router.power_on(now));
}

/// Keys that B's boot loader took.
fn boot_keys(bench: &Bench) -> Vec<(&'static str, u8)> {
    let key = |kind: &EventKind| match kind {
        EventKind::BootKey { menu, key } => Some((*menu, *key)),
        _ => None,
    };
    bench.events().iter().filter(|(who, _)| *who == 'B').filter_map(|(_, event)| key(&event.kind)).collect()
}

/// Somebody has the port: a terminal whose host has died has it until A notices. A look says so, a rescue waits; a port that A's
/// own console has is nobody else's.
#[test]
fn a_port_of_the_active_that_somebody_has_is_waited_for() {
    simulated(|| async {
        let mut bench = Bench::new(Case { road_b: Some(VIA_SERIAL), ..Case::new("7.18.2", Topology::BehindA, false) });
        let (store, in_use) = (SimStore::default(), "routeros.port.in-use");
        let held = with_access(&bench, async |access, _, _| {
            let line = access.lines.line().await.unwrap();
            done(60).await;
            drop(line);
        });
        let rescue = async {
            done(2).await;
            assert_eq!(diagnose(&bench).await.unwrap_err(), in_use);
            recover(&bench, &store, Procedure::Leave, &Asked::default(), |_| false).await.unwrap().unwrap()
        };
        let ((), rescue) = tokio::join!(held, rescue);
        well(&bench, &rescue);
        bench.site.b.reach = vec!["via:a?port=serial0".parse().unwrap()];
        let console = "routeros.hop.refused";
        assert_eq!(diagnose(&bench).await.unwrap_err(), console);
        let refused = recover(&bench, &store, Procedure::Leave, &Asked::default(), |_| false).await;
        let refused = refused.err().unwrap();
        assert_eq!(refused.code, console);
        assert!(
            refused.hints.iter().any(|hint| hint.contains("/system console disable [find port=serial0]")),
            "{refused:?}"
        );
        // One that is not there is named with those that are.
        bench.site.b.reach = vec!["via:a?port=serial7".parse().unwrap()];
        let refused = recover(&bench, &store, Procedure::Leave, &Asked::default(), |_| false).await;
        let refused = refused.err().unwrap();
        assert_eq!(refused.code, "routeros.port.absent");
        assert!(refused.message.contains("no serial port serial7, but serial0, usb1"), "{refused:?}");
        assert_eq!(store.runs().unwrap().len(), 1);
    });
}

#[test]
fn on_a_serial_port_of_the_active_a_boot_loader_is_named_and_left() {
    simulated(|| async {
        let mut bench = Bench::new(Case { road_b: Some(VIA_SERIAL), ..Case::new("7.18.2", Topology::BehindA, false) });
        let store = SimStore::default();
        for step in [None, Some("loader.leave")] {
            starts(&mut bench, false);
            // noise opens its menu
            tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
            bench.pair.b.with(|router, now| router.serial_send(now, b" ", LineSettings::at(115_200)));
            done(1).await;
            let found = named(&bench, Name::F8).await;
            assert!(found.says.contains("menu"), "{found:#?}");
            rescued(&bench, &store, Procedure::LeaveLoader, step).await;
            done(60).await;
            assert_eq!(bench.pair.b.look(Router::phase), Phase::Up);
            named(&bench, Name::E1).await;
        }
        // what is possible without a password is said, and nothing done
        let says =
            with_access(&bench, async |access, _, _| recover::look(access, &store).await.says(access)).await.join("\n");
        assert!(says.contains("it is up") && says.contains("the other member answers: the active"), "{says}");
        // In a loop of starts its window is caught.
        let before = boot_keys(&bench).len();
        starts(&mut bench, true);
        let found = named(&bench, Name::F8).await;
        assert!(found.says.contains("boot loop"), "{found:#?}");
        assert_eq!(boot_keys(&bench).len(), before, "a look types nothing into a boot");
        rescued(&bench, &store, Procedure::Etherboot, None).await;
        let mut keys = boot_keys(&bench);
        keys.retain(|(_, key)| *key != 3);
        assert!(keys.ends_with(&[("main", b'o'), ("boot device", b'1'), ("main", b'i'), ("main", b'x')]), "{keys:?}");
        assert_eq!(store.runs().unwrap().len(), 3);
    });
}
