//! What a rescue on a simulated pair rides out, and where it stops: killed at every step, its cable pulled, a silent boot,
//! another router, a boot loader that its road does not lead to, words that are meant for a terminal.

mod common;
#[path = "common/recovery.rs"]
mod recovery;

use bootstrap::event::Record;
use bootstrap::exit::Exit;
use bootstrap::recover::{self, Asked, Procedure};
use bootstrap::store::{SimStore, Store as _};
use common::{Bench, Case, Ticking, simulated};
use jumplead_tests::states;
use lab::pair::Topology;
use recovery::{done, evidence, f1, ready, recover, resume, script, well, with_access};
use routersim::record::{EventKind, Phase};
use routersim::router::Router;

/// A box that says nothing while it boots, with the longest key window: the plan says so, and after the restart that it orders
/// nothing is typed before the login prompt.
#[test]
fn a_silent_boot_is_in_the_plan_and_waited_out() {
    simulated(|| async {
        let case = Case::new("7.18.2", Topology::BehindA, false);
        let mut settings = case.settings();
        for (name, value) in [("silent-boot", "yes"), ("boot-delay", "9s")] {
            settings.b.booter.settings.insert(name.to_owned(), value.to_owned());
        }
        let mut bench = Bench::with(case, settings);
        bench.until_done(&SimStore::default()).await;
        bench.site.b.reach = vec!["serial:///dev/b".parse().unwrap()];
        script(&bench.pair.b, "/system script run ha_saveown");
        done(60).await;
        f1(&bench).await;
        let keys = || bench.events().iter().filter(|(_, e)| matches!(e.kind, EventKind::BootKey { .. })).count();
        let before = keys();
        let store = SimStore::default();
        let rescued =
            recover(&bench, &store, Procedure::KnownGood, &Asked::default(), |_| false).await.unwrap().unwrap();
        well(&bench, &rescued);
        let plan = rescued.rescue.plan.as_ref().unwrap();
        assert!(
            plan.silent_boot && plan.notes.iter().any(|note| note.contains("it boots silently")),
            "{:?}",
            plan.notes
        );
        assert_eq!(keys(), before, "nothing was typed into its boot loader");
    });
}

/// The process dies at each step of the longest rescue; the next one goes on, and what can't be taken back is done once.
#[test]
fn killed_at_every_step_and_gone_on_with() {
    for step in
        ["router.evidence", "router.close-ports", "router.ha-user", "router.load-backup", "router.verify-standby"]
    {
        simulated(|| async move {
            let bench = ready("7.18.2", Some("serial:///dev/b")).await;
            script(&bench.pair.b, "/system script run ha_saveown");
            done(60).await;
            f1(&bench).await;
            script(&bench.pair.b, "/interface ethernet enable ether3");
            let (store, before) = (SimStore::default(), bench.counts('B'));
            let kill = move |record: &Record| matches!(&record.event, bootstrap::event::Event::StepStarted { step: at, .. } if at == step);
            let killed = recover(&bench, &store, Procedure::KnownGood, &Asked::default(), kill).await.unwrap();
            assert!(killed.is_none(), "{step} was never started");
            store.crash(0);
            let mut end = resume(&bench, &store).await;
            if end.exit != Exit::Done && end.resumable {
                end = resume(&bench, &store).await;
            }
            assert_eq!(end.exit, Exit::Done, "{step}: {end:#?}");
            assert_eq!(bench.counts('B').1, before.1 + 1, "{step}: the backup was loaded once");
            assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"], "{step}");
        });
    }
}

/// A boot loader speaks on its serial line alone: over the HA cable nothing is planned, and what is said of a forgotten password
/// is what the active says.
#[test]
fn over_the_ha_cable_a_boot_loader_is_out_of_reach() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", Topology::BehindA, false));
        bench.until_done(&SimStore::default()).await;
        // in its menu, in a loop of starts, with nothing to boot from; and what would be the way out of each
        for (state, procedure) in
            [("menu", Procedure::LeaveLoader), ("loop", Procedure::Etherboot), ("formatted", Procedure::Netinstall)]
        {
            let keys = || {
                let of_b = bench.events().into_iter().filter(|(who, _)| *who == 'B');
                of_b.filter(|(_, event)| matches!(event.kind, EventKind::BootKey { .. })).count()
            };
            let before = keys();
            bench.pair.b.with(|router, now| {
                router.power_cut(now);
                let mut spec = router.spec().clone();
                spec.booter.broken = state == "loop";
                spec.booter.formatted = state == "formatted";
                *router = Router::new(spec, 1).unwrap();
                let port = router.port("ether8").unwrap();
                router.set_link(now, port, true);
            });
            let mut line = lab::serial::cable(&bench.pair.b, 115_200);
            bench.pair.b.with(|router, now| router.power_on(now));
            done(2).await;
            if state == "menu" {
                tokio::io::AsyncWriteExt::write_all(&mut line, b"  ").await.unwrap();
            }
            done(1).await;
            drop(line);
            done(60).await;
            assert_eq!(keys() > before, state == "menu", "{state}");
            let touched = keys();
            with_access(&bench, async |access, _, _| {
                let mut store = SimStore::default();
                let prepared = recover::prepare(access, &mut store, &Ticking, Some(procedure), &Asked::default()).await;
                let refused = prepared.map(|_| ()).unwrap_err();
                // what the active says of a neighbour that is not there
                assert_eq!(refused.code, "routeros.hop.refused", "{state}, {procedure:?}: {refused:?}");
                assert_eq!(store.runs().unwrap(), []);
                let says = recover::look(access, &store).await.says(access).join("\n");
                for words in [
                    "no serial line is among its roads",
                    "the other member answers: the active",
                    "nothing is lost by erasing",
                ] {
                    assert!(says.contains(words), "{state}: {words} is not in {says}");
                }
            })
            .await;
            assert_eq!(keys(), touched, "{state}: nobody types at a boot loader from the cable");
            assert_ne!(bench.pair.b.look(Router::phase), Phase::Up, "{state}");
        }
    });
}

/// Cables are swapped between plan and run, or the site file means another router: nothing is changed.
#[test]
fn the_wrong_router_is_never_rescued() {
    simulated(|| async {
        let mut bench = ready("7.18.2", Some("serial:///dev/b")).await;
        f1(&bench).await;
        bench.site.b.serial_number = Some("7F0999".into());
        let store = SimStore::default();
        let refused = recover(&bench, &store, Procedure::Repair, &Asked::default(), |_| false).await.err().unwrap();
        assert_eq!(refused.code, "bootstrap.proof.wrong-serial", "{refused:?}");
        assert_eq!(store.runs().unwrap(), []);
    });
    // Of the pair in the next rack: it answers in b's place, and both its addresses are others.
    for procedure in [Procedure::Repair, Procedure::Quarantine, Procedure::KnownGood] {
        simulated(|| async move {
            let bench = ready("7.18.2", Some("serial:///dev/b")).await;
            f1(&bench).await;
            script(&bench.pair.b, states::WRONG_MAC);
            script(&bench.pair.b, &states::WRONG_MAC.replace(":00:0B", ":00:0A").replace(":00:FF", ":00:FE"));
            let store = SimStore::default();
            let refused = recover(&bench, &store, procedure, &Asked::default(), |_| false).await.err().unwrap();
            assert_eq!(refused.code, "recover.other-pair", "{refused:?}");
            assert!(!refused.acted);
            assert_eq!(store.runs().unwrap(), []);
        });
    }
}

/// A run that stopped, and a member that was made the active by hand since: nothing of it goes on.
#[test]
fn an_active_is_not_rescued_by_a_run_that_goes_on() {
    for (procedure, after) in [(Procedure::Repair, "router.ha-user"), (Procedure::KnownGood, "router.evidence")] {
        simulated(|| async move {
            let bench = ready("7.18.2", Some("serial:///dev/b")).await;
            f1(&bench).await;
            let store = SimStore::default();
            let asked = Asked { cloned_window: true, ..Asked::default() };
            let left = recover(
                &bench,
                &store,
                procedure,
                &asked,
                move |record| matches!(&record.event, bootstrap::event::Event::StepCompleted { step, .. } if step == after),
            );
            assert!(left.await.unwrap().is_none(), "killed");
            let password = bench.secrets.ha.reveal();
            script(
                &bench.pair.b,
                &format!(
                    ":if ([:len [/ppp secret find name=HA_PASSWORD]] = 0) do={{/ppp secret add name=HA_PASSWORD \
                     password=\"{password}\" disabled=yes}}; :global haAllowBootstrap true; /system script run ha_startup"
                ),
            );
            done(60).await;
            bench.pair.a.with(|router, now| router.power_cut(now));
            done(30).await;
            let open = bench.ports_on(&bench.pair.b);
            assert!(open.len() > 1, "it is the active: {open:?}");
            let before = bench.destructive('B');
            let end = resume(&bench, &store).await;
            let failure = end.failure.unwrap();
            assert_eq!(failure.code, "recover.active", "{failure:?}");
            assert_eq!((bench.ports_on(&bench.pair.b), bench.destructive('B')), (open, before));
        });
    }
}

/// What a router says may be meant for the terminal of whoever reads it.
#[test]
fn hostile_words_are_only_words_in_the_evidence() {
    simulated(|| async {
        let bench = ready("7.18.2", None).await;
        f1(&bench).await;
        script(&bench.pair.b, "/log warning \"HA_x \\1B[2J\\9B31m password=hunter2-planted\"");
        done(3).await;
        let store = SimStore::default();
        let rescued = recover(&bench, &store, Procedure::Leave, &Asked::default(), |_| false).await.unwrap().unwrap();
        well(&bench, &rescued);
        let text = evidence(&bench, &store);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{text:?}");
        assert!(!text.contains("hunter2"), "{text}");
    });
}

/// The HA cable, which is the road, is pulled as each step begins, and put back a while later. Not behind the startup: then it
/// is a standby in service, and a pulled cable makes both active (F4), whoever looks on.
#[test]
fn the_cable_is_pulled_at_every_step_before_it_is_in_service() {
    for step in ["router.evidence", "router.ha-user", "router.peer", "router.startup"] {
        simulated(|| async move {
            let bench = ready("7.18.2", None).await;
            f1(&bench).await;
            let store = SimStore::default();
            let wire = bench.pair.ha_wire.clone();
            let mut pulled = false;
            let pull = move |record: &Record| {
                let begins =
                    matches!(&record.event, bootstrap::event::Event::StepStarted { step: at, .. } if at == step);
                if begins && !pulled {
                    pulled = true;
                    wire.cut();
                    let wire = wire.clone();
                    tokio::task::spawn_local(async move {
                        done(20).await;
                        wire.restore();
                    });
                }
                false
            };
            let first = recover(&bench, &store, Procedure::Repair, &Asked::default(), pull).await.unwrap().unwrap();
            let mut end = first.end;
            if end.exit != Exit::Done {
                assert!(end.resumable, "{step}: {end:#?}");
                done(30).await;
                end = resume(&bench, &store).await;
            }
            assert_eq!(end.exit, Exit::Done, "{step}: {end:#?}");
            assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"], "{step}");
            assert_eq!(bench.destructive('A'), [], "{step}");
        });
    }
}
