//! Each rescue on a simulated pair: for our HA scripts, and for stand-ins of the original ones (own making: single scripts of
//! ours are replaced), over the HA cable and over the serial line; killed at every step, and gone on with.

mod common;

use std::time::Duration;

use bootstrap::diagnosis::Name;
use bootstrap::engine::{Options, RunEnd};
use bootstrap::event::Record;
use bootstrap::exit::Exit;
use bootstrap::journal::Clock;
use bootstrap::path::{Confirmation, Start};
use bootstrap::recover::{self, Access, Asked, Lines, NoTools, Procedure, Rescue};
use bootstrap::road::{LocalFuture, RoadError};
use bootstrap::store::{SimStore, Store as _};
use bootstrap::target::Member;
use bootstrap::trouble::Trouble;
use common::{Bench, Case, Seen, SimClock, simulated};
use jumplead_tests::states;
use lab::NodeHandle;
use lab::pair::Topology;
use routeros::{BoxLink, LoginOptions, Secret};
use routersim::record::EventKind;
use routersim::router::Router;
use tokio::sync::watch;

/// The pair's next HA password.
const NEW_PASSWORD: &str = "New-Pair_7.Sloe";

struct SimLine(NodeHandle<Router>);

impl Lines for SimLine {
    fn line(&self) -> LocalFuture<'_, Result<Option<BoxLink>, RoadError>> {
        Box::pin(async { Ok(Some(Box::new(lab::serial::cable(&self.0, 115_200)) as BoxLink)) })
    }
}

/// Nobody has a line to it.
struct NoLine;

impl Lines for NoLine {
    fn line(&self) -> LocalFuture<'_, Result<Option<BoxLink>, RoadError>> {
        Box::pin(async { Ok(None) })
    }
}

/// The host's clock, which goes on: starts are told by it.
struct Ticking;

impl Clock for Ticking {
    fn now(&self) -> jiff::Timestamp {
        static BEGAN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
        let gone = tokio::time::Instant::now().into_std().saturating_duration_since(*BEGAN);
        SimClock.now() + jiff::SignedDuration::try_from(gone).unwrap()
    }
}

/// B over the HA cable, through A, and over its serial line.
const ROADS: [Option<&str>; 2] = [None, Some("serial:///dev/b")];

/// A pair in sync, its standby reached by `road`.
async fn ready(version: &'static str, road: Option<&'static str>) -> Bench {
    let mut bench = Bench::new(Case::new(version, Topology::BehindA, false));
    bench.until_done(&SimStore::default()).await;
    if let Some(road) = road {
        bench.site.b.reach = vec![road.parse().unwrap()];
    }
    bench
}

fn script(router: &NodeHandle<Router>, text: &str) {
    let started = router.with(|router, now| router.start_script(now, "admin", text));
    started.expect("the router runs");
}

async fn done(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

async fn restart_b(bench: &Bench) {
    // a power cut takes file writes that are younger than 40 s
    done(45).await;
    bench.pair.b.with(|router, now| {
        router.power_cut(now);
        router.power_on(now);
    });
    done(130).await;
}

struct Rescued {
    rescue: Rescue,
    end: RunEnd,
    records: Vec<Record>,
}

/// One process that looks, plans and runs to its end; `each` kills it by returning true.
async fn recover(
    bench: &Bench,
    store: &SimStore,
    procedure: Procedure,
    asked: &Asked,
    mut each: impl FnMut(&Record) -> bool + 'static,
) -> Result<Option<Rescued>, Trouble> {
    // the cable of the process before is pulled a moment after its end
    done(1).await;
    let roads = bench.roads();
    let pair = bench.pair_job(&roads);
    let lines = SimLine(bench.pair.b.clone());
    let access = Access {
        target: "edge-1/b".into(),
        roads: &roads,
        lines: &lines,
        line_first: false,
        take_over: false,
        tools: &NoTools,
        pair: Some((&pair, Member::B)),
        login: LoginOptions::new("admin"),
        new_ha: Some(Secret::new(NEW_PASSWORD)),
        pair_name: Some("edge-1".into()),
    };
    let (mut disk, clock) = (store.clone(), Ticking);
    let rescue = recover::prepare(&access, &mut disk, &clock, Some(procedure), asked).await?;
    let plan = rescue.plan.clone().unwrap();
    let kill = std::rc::Rc::new(tokio::sync::Notify::new());
    let killer = std::rc::Rc::clone(&kill);
    let tell: Box<dyn FnMut(&Record)> = Box::new(move |record| {
        if each(record) {
            killer.notify_one();
        }
    });
    let mut seen = Seen { each: Some(tell), ..Seen::default() };
    let (_keep, stop) = watch::channel(false);
    let confirmation = Confirmation { fingerprint: plan.fingerprint.clone(), serial: None };
    let start = Start { store: &mut disk, clock: &clock, sink: &mut seen, stop, options: Options::default() };
    let end = tokio::select! {
        biased;
        () = kill.notified() => None,
        end = recover::run(&access, &plan, &confirmation, start) => Some(end),
    };
    drop(seen.each.take());
    bench.assert_no_secret(store, &format!("{:?}", seen.records), &seen.records);
    Ok(end.map(|end| Rescued { rescue, end, records: seen.records }))
}

async fn resume(bench: &Bench, store: &SimStore) -> RunEnd {
    // the cable of the process before is pulled a moment after its end
    done(1).await;
    let roads = bench.roads();
    let pair = bench.pair_job(&roads);
    let lines = SimLine(bench.pair.b.clone());
    let access = Access {
        target: "edge-1/b".into(),
        roads: &roads,
        lines: &lines,
        line_first: false,
        take_over: false,
        tools: &NoTools,
        pair: Some((&pair, Member::B)),
        login: LoginOptions::new("admin"),
        new_ha: Some(Secret::new(NEW_PASSWORD)),
        pair_name: Some("edge-1".into()),
    };
    let (mut disk, clock) = (store.clone(), Ticking);
    let run = disk.runs().unwrap().last().cloned().unwrap();
    let (_keep, stop) = watch::channel(false);
    let mut seen = Seen::default();
    let start = Start { store: &mut disk, clock: &clock, sink: &mut seen, stop, options: Options::default() };
    recover::resume(&access, run, start).await.unwrap()
}

/// The run's evidence, which holds no secret.
fn evidence(bench: &Bench, store: &SimStore) -> String {
    let run = store.runs().unwrap().last().cloned().unwrap();
    let text = String::from_utf8(store.kept_with(&run, "evidence.txt").unwrap().expect("evidence was saved")).unwrap();
    for secret in bench.secrets.all() {
        assert!(!text.contains(secret.reveal()), "a secret is in the evidence");
    }
    text
}

#[track_caller]
fn well(bench: &Bench, rescued: &Rescued) {
    if rescued.end.exit != Exit::Done {
        bench.dump();
        panic!("{:#?}\n{:#?}", rescued.end, rescued.rescue);
    }
}

async fn f1(bench: &Bench) {
    script(&bench.pair.b, states::PASSWORD_GONE);
    done(2).await;
    restart_b(bench).await;
}

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

#[test]
fn twice_the_same_failure_is_quarantined_and_never_restarted() {
    for road in ROADS {
        simulated(|| async move {
            let bench = ready("7.18.2", road).await;
            script(&bench.pair.b, &states::fails_at_once());
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
            let text = ":local done false\n:while (!$done) do={\n:do {\n/user add name=ha group=nowhere password=short\n:set done true\n} on-error={ /log error \"ha_startup: 0.0 B bootstrap failed...waiting\"; :delay 5 }\n}\n";
            bench.pair.b.with(|router, _| {
                router.system().unwrap().write_file("HA_bootstrap.rsc", text.as_bytes().to_vec()).unwrap();
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
    for (of, asked, code) in [
        (Some(Member::B), new_password(), heard),
        (Some(Member::A), new_password(), heard),
        (None, Asked::default(), "recover.new-password"),
    ] {
        simulated(|| async move {
            let mut bench = ready("7.18.2", None).await;
            if let Some(member) = of {
                // it is not the road that is taken, but might be
                let entry = if member == Member::A { &mut bench.site.a } else { &mut bench.site.b };
                entry.reach.push("tcp://oob.example:4001".parse().unwrap());
            }
            let before = ha_passwords(&bench.pair.b);
            let refused = recover(&bench, &SimStore::default(), Procedure::HaPassword, &asked, |_| false).await;
            assert_eq!(refused.err().unwrap().code, code);
            assert_eq!(ha_passwords(&bench.pair.b), before);
        });
    }
}

/// A boot loader speaks on its serial line alone: over the HA cable nothing is planned, and what is said of a forgotten password
/// is what the active says.
#[test]
fn over_the_ha_cable_a_boot_loader_is_out_of_reach() {
    simulated(|| async {
        let case = Case::new("7.18.2", Topology::BehindA, false);
        let bench = Bench::new(case);
        bench.until_done(&SimStore::default()).await;
        bench.pair.b.with(|router, now| router.power_cut(now));
        let mut line = lab::serial::cable(&bench.pair.b, 115_200);
        bench.pair.b.with(|router, now| router.power_on(now));
        done(2).await;
        tokio::io::AsyncWriteExt::write_all(&mut line, b"  ").await.unwrap();
        done(1).await;
        drop(line);
        done(60).await;
        let events = bench.events();
        assert!(
            events.iter().any(|(who, e)| *who == 'B' && matches!(e.kind, EventKind::BootKey { menu: "window", .. }))
        );
        let roads = bench.roads();
        let pair = bench.pair_job(&roads);
        let access = Access {
            target: "edge-1/b".into(),
            roads: &roads,
            lines: &NoLine,
            line_first: false,
            take_over: false,
            tools: &NoTools,
            pair: Some((&pair, Member::B)),
            login: LoginOptions::new("admin"),
            new_ha: None,
            pair_name: Some("edge-1".into()),
        };
        let mut store = SimStore::default();
        let procedure = Procedure::LeaveLoader;
        let prepared = recover::prepare(&access, &mut store, &Ticking, Some(procedure), &Asked::default()).await;
        let refused = prepared.map(|_| ()).unwrap_err();
        assert_eq!(refused.kind, bootstrap::trouble::Kind::Transient, "{procedure:?}: {refused:?}");
        assert_eq!(store.runs().unwrap(), []);
        let says = recover::look(&access, &store).await.says("edge-1/b").join("\n");
        for words in
            ["no serial line is among its roads", "the other member answers: the active", "nothing is lost by erasing"]
        {
            assert!(says.contains(words), "{words} is not in {says}");
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
