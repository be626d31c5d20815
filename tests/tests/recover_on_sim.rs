//! Each rescue on a simulated pair: for our HA scripts, and for stand-ins of the original ones (own making: single scripts of
//! ours are replaced), over the HA cable and over the serial line.

mod common;
#[path = "common/recovery.rs"]
mod recovery;

use bootstrap::diagnosis::Name;
use bootstrap::event::Record;
use bootstrap::exit::Exit;
use bootstrap::recover::{self, Asked, Procedure};
use bootstrap::store::{SimStore, Store as _};
use bootstrap::target::Member;
use common::{Bench, Case, Ticking, simulated};
use jumplead_tests::states;
use lab::NodeHandle;
use lab::pair::Topology;
use recovery::{NEW_PASSWORD, ROADS, done, evidence, f1, ready, recover, restart_b, resume, script, well, with_access};
use routersim::record::EventKind;
use routersim::router::Router;

#[test]
fn f1_is_left_as_it_is_with_its_evidence() {
    simulated(|| async {
        let bench = ready("7.18.2", None).await;
        f1(&bench).await;
        let store = SimStore::default();
        let rescued = recover(&bench, &store, Procedure::Leave, &Asked::default(), |_| false).await.unwrap().unwrap();
        well(&bench, &rescued);
        assert_eq!(rescued.rescue.diagnosis.state, Name::F1);
        assert_eq!(rescued.end.changed, bootstrap::event::Changed::None);
        let text = evidence(&bench, &store);
        for words in
            ["ha_startup: START", "FAILED", "==== /export", "==== /interface ethernet", "HA_ports.txt", "ha_startup"]
        {
            assert!(text.contains(words), "{words} is not in:\n{text}");
        }
        assert!(!text.contains("MISSING") && !text.starts_with("PARTIAL"), "{text}");
    });
}

#[test]
fn f1_is_repaired_in_place_and_the_active_says_so() {
    for (version, road) in [("7.18.2", None), ("6.44.6", Some("serial:///dev/b"))] {
        simulated(|| async move {
            let bench = ready(version, road).await;
            f1(&bench).await;
            let store = SimStore::default();
            let rescued =
                recover(&bench, &store, Procedure::Repair, &Asked::default(), |_| false).await.unwrap().unwrap();
            well(&bench, &rescued);
            assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"], "the data ports stay closed");
            let said = format!("{:?}", rescued.records);
            assert!(said.contains("the active says: GOOD"), "{version}: {said}");
            assert!(evidence(&bench, &store).contains("FAILED"));
            bench.assert_proved();
        });
    }
}

#[test]
fn f1_of_another_build_is_repaired_by_hand() {
    for road in ROADS {
        simulated(|| async move {
            let bench = ready("7.18.2", road).await;
            script(&bench.pair.b, &states::fails_at_once());
            restart_b(&bench).await;
            // as such a startup leaves it
            script(&bench.pair.b, states::SILENT);
            done(5).await;
            let store = SimStore::default();
            let rescued =
                recover(&bench, &store, Procedure::Repair, &Asked::default(), |_| false).await.unwrap().unwrap();
            well(&bench, &rescued);
            assert_eq!(rescued.rescue.diagnosis.state, Name::F1);
            assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
        });
    }
}

#[test]
fn f1_loads_the_standbys_own_backup_and_no_other_unasked() {
    simulated(|| async {
        let bench = ready("7.18.2", None).await;
        // the proved standby saves its own
        script(&bench.pair.b, "/system script run ha_saveown");
        done(60).await;
        f1(&bench).await;
        let store = SimStore::default();
        let before = bench.counts('B');
        let rescued =
            recover(&bench, &store, Procedure::KnownGood, &Asked::default(), |_| false).await.unwrap().unwrap();
        well(&bench, &rescued);
        assert_eq!(bench.counts('B').1, before.1 + 1, "one backup was loaded");
        assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
    });
    simulated(|| async {
        let bench = ready("7.18.2", None).await;
        script(&bench.pair.b, "/file remove HA_own.backup");
        f1(&bench).await;
        let store = SimStore::default();
        let refused = recover(&bench, &store, Procedure::KnownGood, &Asked::default(), |_| false).await;
        let refused = refused.err().unwrap();
        assert_eq!(refused.code, "recover.no-backup", "{refused:?}");
        assert_eq!(store.runs().unwrap(), []);
    });
}

/// The active's backup where there is no other, with its window accepted: our build's is sealed with the HA password, which is
/// what this router has lost; other builds' with a word that everybody knows.
#[test]
fn f1_loads_the_actives_backup_where_its_window_is_accepted() {
    let accepted = Asked { cloned_window: true, ..Asked::default() };
    for ours in [true, false] {
        simulated(|| async {
            let bench = ready("7.18.2", None).await;
            script(&bench.pair.b, ":do {/file remove HA_own.backup} on-error={}");
            if ours {
                f1(&bench).await;
            } else {
                script(&bench.pair.a, "/system backup save name=HA_b2s password=p");
                done(5).await;
                let pushed = bench.pair.a.look(|r| r.system().unwrap().read_file("HA_b2s.backup").unwrap());
                script(&bench.pair.a, "/file remove HA_b2s.backup");
                bench.pair.b.with(|r, _| r.system().unwrap().write_file("HA_b2s.backup", pushed).unwrap());
                script(&bench.pair.b, &states::fails_at_once());
                restart_b(&bench).await;
            }
            let store = SimStore::default();
            let before = bench.counts('B');
            let refused = recover(&bench, &store, Procedure::KnownGood, &Asked::default(), |_| false).await;
            assert_eq!(refused.err().unwrap().code, "recover.no-backup");
            let rescued = recover(&bench, &store, Procedure::KnownGood, &accepted, |_| false).await.unwrap().unwrap();
            well(&bench, &rescued);
            assert_eq!(rescued.rescue.diagnosis.state, Name::F1);
            assert_eq!(bench.counts('B').1, before.1 + 1, "one backup was loaded");
            assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
            let notes = rescued.rescue.plan.unwrap().notes.join("\n");
            assert!(notes.contains("HA_b2s.backup IS THE ACTIVE'S"), "{notes}");
        });
    }
}

#[test]
fn twice_the_same_failure_is_quarantined_and_never_restarted() {
    let faults = [states::PASSWORD_GONE.to_owned(), states::fails_at_once()];
    for (road, fault) in ROADS.iter().flat_map(|road| faults.iter().map(move |fault| (*road, fault))) {
        simulated(|| async move {
            let bench = ready("7.18.2", road).await;
            script(&bench.pair.b, fault);
            done(2).await;
            restart_b(&bench).await;
            let store = SimStore::default();
            let first = recover(&bench, &store, Procedure::Leave, &Asked::default(), |_| false).await.unwrap().unwrap();
            well(&bench, &first);
            assert!(!first.rescue.twice);
            restart_b(&bench).await;
            for procedure in [Procedure::Repair, Procedure::KnownGood] {
                let refused = recover(&bench, &store, procedure, &Asked::default(), |_| false).await.err().unwrap();
                assert_eq!(refused.code, "recover.twice", "{refused:?}");
            }
            let boots = |bench: &Bench| {
                bench
                    .events()
                    .iter()
                    .filter(|(who, e)| {
                        *who == 'B' && matches!(e.kind, EventKind::Phase(routersim::record::Phase::RouterBoot))
                    })
                    .count()
            };
            let before = boots(&bench);
            let held =
                recover(&bench, &store, Procedure::Quarantine, &Asked::default(), |_| false).await.unwrap().unwrap();
            well(&bench, &held);
            assert!(held.rescue.twice);
            assert_eq!(boots(&bench), before, "it was not restarted");
            let (b, on) = (&bench.pair.b, bench.ports_on(&bench.pair.b));
            assert_eq!(on, ["ether8"]);
            assert_eq!(bench.single(b, "/system/identity", "name").as_deref(), Some("edge-1_HA_B_QUARANTINE"));
            // it stays so over the next start, and the active pushes nothing to it
            restart_b(&bench).await;
            done(1300).await;
            assert_eq!(bench.ports_on(b), ["ether8"]);
            assert_eq!(bench.single(b, "/system/identity", "name").as_deref(), Some("edge-1_HA_B_QUARANTINE"));
            bench.pair.b.look(|r| {
                assert_ne!(r.system().unwrap().vrrp_state("HA_VRRP"), Some(routersim::net::VrrpState::Master))
            });
        });
    }
}

/// Both ways back that a quarantine names: the next start is a standby's own again, and takes over when it has to.
#[test]
fn a_quarantine_is_known_and_left_by_the_ways_that_it_names() {
    for by_hand in [false, true] {
        simulated(|| async move {
            let bench = ready("7.18.2", Some("serial:///dev/b")).await;
            f1(&bench).await;
            let store = SimStore::default();
            let held =
                recover(&bench, &store, Procedure::Quarantine, &Asked::default(), |_| false).await.unwrap().unwrap();
            well(&bench, &held);
            let subject = held.rescue.plan.unwrap().subject.unwrap();
            assert!(subject.afterwards.iter().any(|back| back.contains("/system scheduler enable")), "{subject:?}");
            let seen = with_access(&bench, async |access, _, _| {
                recover::prepare(access, &mut store.clone(), &Ticking, None, &Asked::default()).await.unwrap()
            });
            let seen = seen.await.diagnosis;
            assert!(seen.evidence.iter().any(|line| line.contains("its startup is held")), "{seen:?}");
            assert!(seen.procedure[0].contains("/system scheduler enable"), "{seen:?}");
            if by_hand {
                let password = bench.secrets.ha.reveal();
                script(
                    &bench.pair.b,
                    &format!("/ppp secret add name=HA_PASSWORD password=\"{password}\" disabled=yes"),
                );
                script(&bench.pair.b, "/system scheduler enable [find name~\"^ha_\"]");
            } else {
                let mended =
                    recover(&bench, &store, Procedure::Repair, &Asked::default(), |_| false).await.unwrap().unwrap();
                well(&bench, &mended);
            }
            restart_b(&bench).await;
            done(120).await;
            bench.assert_roles();
            bench.pair.a.with(|router, now| router.power_cut(now));
            done(30).await;
            assert!(bench.ports_on(&bench.pair.b).len() > 1, "it takes over");
        });
    }
}

#[test]
fn f2_gets_the_address_that_the_site_file_proves() {
    for road in ROADS {
        simulated(|| async move {
            let bench = ready("7.18.2", road).await;
            script(&bench.pair.b, states::WRONG_MAC);
            restart_b(&bench).await;
            let store = SimStore::default();
            let rescued =
                recover(&bench, &store, Procedure::RightMac, &Asked::default(), |_| false).await.unwrap().unwrap();
            assert_eq!(rescued.rescue.diagnosis.state, Name::F2);
            well(&bench, &rescued);
            bench.assert_proved();
        });
    }
}

#[test]
fn f2_of_another_build_is_held_in_its_window() {
    for road in ROADS {
        simulated(|| async move {
            let bench = ready("7.18.2", road).await;
            script(&bench.pair.b, &states::loops());
            script(&bench.pair.b, states::WRONG_MAC);
            restart_b(&bench).await;
            let store = SimStore::default();
            let rescued =
                recover(&bench, &store, Procedure::RightMac, &Asked::default(), |_| false).await.unwrap().unwrap();
            assert_eq!(rescued.rescue.diagnosis.state, Name::F2);
            well(&bench, &rescued);
            assert!(evidence(&bench, &store).contains("I AM UNKNOWN"));
            assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
        });
    }
    simulated(|| async {
        let bench = ready("7.18.2", Some("serial:///dev/b")).await;
        script(&bench.pair.b, &states::loops());
        script(&bench.pair.b, states::WRONG_MAC);
        restart_b(&bench).await;
        let store = SimStore::default();
        let rescued =
            recover(&bench, &store, Procedure::Quarantine, &Asked::default(), |_| false).await.unwrap().unwrap();
        well(&bench, &rescued);
        let boots = |bench: &Bench| {
            bench
                .events()
                .iter()
                .filter(|(who, e)| {
                    *who == 'B' && matches!(e.kind, EventKind::Phase(routersim::record::Phase::RouterBoot))
                })
                .count()
        };
        let before = boots(&bench);
        done(600).await;
        assert_eq!(boots(&bench), before, "the loop is over");
    });
}

#[test]
fn f6_is_finished_for_the_job_that_waits_in_vain() {
    for road in ROADS {
        simulated(|| async move {
            let bench = Bench::new(Case { road_b: road, ..Case::new("7.18.2", Topology::BehindA, false) });
            bench.pair.b.with(|router, _| {
                router.system().unwrap().write_file("HA_bootstrap.rsc", states::WAITS.as_bytes().to_vec()).unwrap();
            });
            script(&bench.pair.b, "/import HA_bootstrap.rsc");
            done(30).await;
            let store = SimStore::default();
            let rescued = recover(&bench, &store, Procedure::FinishBootstrap, &Asked::default(), |_| false)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(rescued.rescue.diagnosis.state, Name::F6);
            well(&bench, &rescued);
            // It held the HA password; what it left is the other build's own file, which says none.
            assert_eq!(bench.our_files(&bench.pair.b), [""; 0], "the file that was imported is gone");
            let waits = |bench: &Bench| {
                bench
                    .events()
                    .iter()
                    .filter(|(who, e)| {
                        *who == 'B'
                            && matches!(&e.kind, EventKind::Log { message, .. } if message.contains("bootstrap failed"))
                    })
                    .count()
            };
            let before = waits(&bench);
            done(60).await;
            assert_eq!(waits(&bench), before, "nothing waits any more");
            // and the bootstrap goes on from there
            bench.until_done(&SimStore::default()).await;
            bench.assert_proved();
        });
    }
}

/// Where a router keeps the HA password, and what its user `ha` has.
fn ha_passwords(router: &NodeHandle<Router>) -> [Option<String>; 2] {
    [("/ppp/secret", "HA_PASSWORD"), ("/user", "ha")].map(|(menu, name)| {
        router.look(|r| r.system()?.config(|c| c.by_name(menu, name)?.get("password").map(str::to_owned)))
    })
}

fn new_password() -> Asked {
    Asked { new_password: Some("env:NEW_HA".into()), ..Asked::default() }
}

/// Both members get it, the tool killed at any step, B reached over the cable or over its serial line; the pair's next sync goes
/// over it.
#[test]
fn another_ha_password_over_the_ha_cable() {
    let steps = ["router.ha-password", "router.save-own", "peer.ha-password", "pair.verify-ha-password"];
    let cases = [("6.44.6", None), ("7.18.2", None)].into_iter().chain(steps.map(|step| ("7.18.2", Some(step))));
    for (version, step) in cases {
        simulated(|| async move {
            let on_its_line = matches!(step, Some("router.ha-password" | "pair.verify-ha-password"));
            let bench = ready(version, on_its_line.then_some("serial:///dev/b")).await;
            let store = SimStore::default();
            let kill = move |record: &Record| matches!(&record.event, bootstrap::event::Event::StepStarted { step: at, .. } if Some(at.as_str()) == step);
            let rescued = recover(&bench, &store, Procedure::HaPassword, &new_password(), kill).await.unwrap();
            match rescued {
                Some(rescued) => {
                    assert!(step.is_none());
                    well(&bench, &rescued);
                    assert!(!format!("{:?}", rescued.records).contains(NEW_PASSWORD));
                }
                None => {
                    store.crash(0);
                    let end = resume(&bench, &store).await;
                    assert_eq!(end.exit, Exit::Done, "{step:?}: {end:#?}");
                }
            }
            let new = || [Some(NEW_PASSWORD.to_owned()), Some(NEW_PASSWORD.to_owned())];
            assert_eq!(ha_passwords(&bench.pair.a), new(), "{version} {step:?}");
            assert_eq!(ha_passwords(&bench.pair.b), new(), "{version} {step:?}");
            // the next check of the active finds a change, and gives it to the standby
            let before = bench.counts('B').1;
            done(1500).await;
            assert_eq!(bench.counts('B').1, before + 1, "{version} {step:?}");
            assert_eq!(ha_passwords(&bench.pair.b), new(), "{version} {step:?}");
            bench.assert_proved();
        });
    }
}

/// Over a console server, without a password, or for another build: refused before anything is typed.
#[test]
fn another_ha_password_is_not_said_where_it_is_heard() {
    let heard = "recover.overheard";
    for (of, url, asked, code) in [
        (Some(Member::B), "tcp://oob.example:4001", new_password(), heard),
        (Some(Member::B), "rfc2217://oob.example:4001", new_password(), heard),
        (Some(Member::A), "rfc2217://oob.example:4001", new_password(), heard),
        (None, "", Asked::default(), "recover.new-password"),
    ] {
        simulated(|| async move {
            let mut bench = ready("7.18.2", None).await;
            if let Some(member) = of {
                // it is not the road that is taken, but might be
                let entry = if member == Member::A { &mut bench.site.a } else { &mut bench.site.b };
                entry.reach.push(url.parse().unwrap());
            }
            let before = ha_passwords(&bench.pair.b);
            let refused = recover(&bench, &SimStore::default(), Procedure::HaPassword, &asked, |_| false).await;
            assert_eq!(refused.err().unwrap().code, code);
            assert_eq!(ha_passwords(&bench.pair.b), before);
        });
    }
}
