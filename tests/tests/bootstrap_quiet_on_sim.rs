//! The whole path with `sync = "quiet"`: nothing of A is ever loaded on B, nothing speaks for A, the same end.

mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bootstrap::event::{Event, Record};
use bootstrap::exit::Exit;
use bootstrap::path::prepare;
use bootstrap::preflight::Verdict;
use bootstrap::secret::SecretRef;
use bootstrap::site::{Sync, UserSite};
use bootstrap::store::SimStore;
use common::{A_PASSWORD, Bench, Case, HA_PASSWORD, Part, simulated};
use lab::pair::Topology;
use mactelnet::MacAddr;
use routeros::Secret;
use routersim::menu::Item;
use routersim::record::{EventKind, Phase};
use routersim::router::Router;

const A_ETHER2: MacAddr = MacAddr([0x74, 0x4D, 0x28, 0x0A, 0, 2]);

const VERSIONS: [&str; 2] = ["6.44.6", "7.22.1"];

fn quiet(version: &'static str, topology: Topology, dirty: bool) -> Case {
    Case { sync: Sync::Quiet, ..Case::new(version, topology, dirty) }
}

/// Every other one, or all with `JUMPLEAD_SEEDS` set: each is seconds of CPU.
fn some<T>(all: Vec<T>) -> Vec<T> {
    let every = if std::env::var_os("JUMPLEAD_SEEDS").is_some() { 1 } else { 2 };
    all.into_iter().skip(every - 1).step_by(every).collect()
}

/// What the quiet way is for, beside the pair being proved.
fn assert_quiet(bench: &Bench, what: &str) {
    bench.assert_proved();
    assert_eq!(bench.counts('B').1, 0, "{what}: no backup was loaded");
    let base = bench.pair.a.look(|router| {
        router.system().unwrap().config(|config| {
            config.by_name("/system/script", "ha_config_base").unwrap().get("source").unwrap_or_default().to_owned()
        })
    });
    assert!(base.contains(":global haSync \"quiet\""), "{what}: {base}");
    let password = bench.pair.b.look(|router| {
        router
            .system()
            .unwrap()
            .config(|config| config.by_name("/user", "admin").unwrap().get("password").unwrap_or_default().to_owned())
    });
    assert_eq!(password, A_PASSWORD, "{what}: the user of an erased router is not left open");
    // the data switch learns who speaks where: A's ether2 is port 0, B's is port 1
    let spoke = bench.pair.world.speakers(bench.pair.data_switch);
    let for_a = spoke.iter().filter(|speaker| speaker.port == 1 && speaker.mac == A_ETHER2).count();
    assert_eq!(for_a, 0, "{what}: b spoke for a: {spoke:?}");
    assert!(spoke.iter().any(|speaker| speaker.port == 0 && speaker.mac == A_ETHER2), "{what}: a is heard: {spoke:?}");
}

const NIGHT: &str = "Night-Password_4";
const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC night@desk";
const CURVE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI night@hall";

/// 6.x takes RSA keys only.
fn keys(version: &str) -> &'static [&'static str] {
    if version.starts_with('6') { &[RSA] } else { &[RSA, CURVE] }
}

/// A has users beside its own: one that the site file knows, with a group of A's, and one that it doesn't.
fn with_users(case: Case) -> Bench {
    let mut settings = case.settings();
    settings.a.setup.push_str(&format!(
        "/user group add name=watch policy=read,test,ssh\n/user add name=night group=watch password=\"{NIGHT}\"\n\
         /user add name=gone group=read password=Other-User_4\n"
    ));
    let mut bench = Bench::with(case, settings);
    let user = |name: &str, group: &str, password, keys: &[&str]| UserSite {
        name: name.to_owned(),
        group: group.to_owned(),
        password,
        ssh_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
    };
    bench.site.users = vec![
        user("night", "watch", Some(SecretRef::Env("UNUSED".into())), keys(case.version)),
        user("admin", "full", None, &[RSA]),
    ];
    bench.secrets.users = vec![Some(Secret::new(NIGHT)), None];
    bench
}

/// Name, group and password of B's users; user, kind and owner of their keys.
fn users_of_b(bench: &Bench) -> [Vec<String>; 2] {
    bench.pair.b.look(|router| {
        router.system().unwrap().config(|config| {
            [("/user", ["name", "group", "password"]), ("/user/ssh-keys", ["user", "key-type", "key-owner"])].map(
                |(menu, names)| {
                    let line = |item: &Item| names.map(|name| item.get(name).unwrap_or_default()).join(" ");
                    config.items(menu).iter().map(line).collect()
                },
            )
        })
    })
}

/// On one road also with users: all of A's that the site file names, with their groups, passwords and SSH keys.
#[test]
fn clean_and_dirty_on_both_roads() {
    for version in VERSIONS {
        for (topology, dirty) in [(Topology::BehindA, true), (Topology::OnSegment, false)] {
            simulated(|| async move {
                let case = quiet(version, topology, dirty);
                let bench = if dirty { with_users(case) } else { Bench::new(case) };
                if dirty {
                    let prepared = prepare(&bench.pair_job(&bench.roads()), &[]).await.unwrap();
                    let check = prepared.checks.iter().find(|check| check.name == "quiet-users").unwrap();
                    assert_eq!(check.found, "users of a that b does not get: gone", "{version}");
                }
                match bench.process(&SimStore::default(), |_| false).await {
                    Part::Ended(end) if end.exit == Exit::Done => {
                        assert!(!format!("{end:?}").contains(NIGHT), "{version}");
                    }
                    other => {
                        bench.dump();
                        panic!("{case:?}: {other:#?}");
                    }
                }
                assert_eq!(bench.counts('B').0, 1 + usize::from(dirty), "{case:?}: the sync's own reset");
                assert_quiet(&bench, &format!("{case:?}"));
                if dirty {
                    let [users, found] = users_of_b(&bench);
                    assert!(users.contains(&format!("night watch {NIGHT}")), "{version}: {users:?}");
                    assert!(!users.iter().any(|user| user.starts_with("gone")), "{version}: {users:?}");
                    let mut wanted = vec!["night rsa night@desk"];
                    wanted.extend((keys(version).len() > 1).then_some("night ed25519 night@hall"));
                    wanted.push("admin rsa night@desk");
                    assert_eq!(found, wanted, "{version}");
                }
            });
        }
    }
}

/// Over B's serial console alone: what a console server may write down of the line does not hold the password that the
/// console asks for without an echo. (The HA password has no such question: it is in the file that is typed.)
#[test]
fn the_own_password_is_not_on_the_line() {
    let case = Case { road_b: Some("serial:///dev/b"), ..quiet("7.22.1", Topology::BehindA, false) };
    simulated(|| async move {
        let bench = Bench::new(case);
        bench.keep_console.set(true);
        let part = bench.process(&SimStore::default(), |_| false).await;
        assert!(matches!(&part, Part::Ended(end) if end.exit == Exit::Done), "{part:#?}");
        let mut shown = Vec::new();
        for (_, event) in bench.events().into_iter().filter(|(who, _)| *who == 'B') {
            if let EventKind::ConsoleOut { bytes, .. } = event.kind {
                shown.extend(bytes);
            }
        }
        let shown = String::from_utf8_lossy(&shown);
        assert!(shown.contains("/password") && shown.contains(HA_PASSWORD), "the line was recorded");
        assert!(!shown.contains(A_PASSWORD));
        let admin = format!("admin full {A_PASSWORD}");
        assert!(users_of_b(&bench)[0].contains(&admin), "{:?}", users_of_b(&bench));
    });
}

/// Before anything is chosen the checks say what an export leaves behind, and the plan repeats it.
#[test]
fn what_is_not_carried_is_said_first() {
    simulated(|| async {
        let mut case = quiet("7.22.1", Topology::BehindA, false);
        let mut settings = case.settings();
        settings.a.setup.push_str("/user add name=night group=read password=Other-User_4\n");
        let bench = Bench::with(case, settings.clone());
        let prepared = prepare(&bench.pair_job(&bench.roads()), &[]).await.unwrap();
        let check = prepared.checks.iter().find(|check| check.name == "quiet-carries-all").unwrap();
        assert_eq!(check.verdict, Verdict::Warn);
        assert!(check.found.contains("users and their passwords") && check.found.contains(" night"), "{check:?}");
        let plan = prepared.plan.unwrap();
        assert!(plan.notes.iter().any(|note| note.starts_with("NOT CARRIED: users")), "{plan:?}");
        let steps: Vec<&str> = plan.steps.iter().map(|step| step.id.id()).collect();
        let wanted = [
            "b.bootstrap-file",
            "b.import",
            "a.choose-sync",
            "a.reach-b",
            "a.push",
            "b.wait-standby",
            "b.user",
            "pair.verify",
            "pair.clean",
        ];
        assert_eq!(steps, wanted);
        // and a quiet active is not given the other way by a site file that does not say so
        case.sync = Sync::Backup;
        settings.a.setup.push_str(
            "/system script set ha_config_base source=([/system script get ha_config_base source] . \":global haSync \\\"quiet\\\"\\n\")\n",
        );
        let bench = Bench::with(case, settings);
        let prepared = prepare(&bench.pair_job(&bench.roads()), &[]).await.unwrap();
        assert!(prepared.refused());
        assert!(
            prepared.checks.iter().any(|c| c.name == "a-sync-is-the-site-files" && c.verdict == Verdict::Fail),
            "{:?}",
            prepared.checks
        );
    });
}

/// A key that B's version does not import is refused before anything is changed; waived, it ends the run at its step, not before.
#[test]
fn a_key_that_b_does_not_take_is_said_first() {
    for (version, refused) in [("6.44.6", true), ("7.22.1", false)] {
        simulated(|| async move {
            let mut bench = with_users(quiet(version, Topology::BehindA, true));
            bench.site.users[0].ssh_keys = vec![RSA.to_owned(), CURVE.to_owned()];
            let name = "b-takes-ssh-keys";
            let prepared = prepare(&bench.pair_job(&bench.roads()), &[]).await.unwrap();
            let check = prepared.checks.iter().find(|check| check.name == name);
            assert_eq!(check.is_some(), refused, "{version}");
            assert_eq!(prepared.refused(), refused, "{version}");
            let Some(check) = check else { return };
            assert!(check.found.contains("given to night") && !check.found.contains("AAAA"), "{check:?}");
            bench.waive = vec![name.to_owned()];
            let Part::Ended(end) = bench.process(&SimStore::default(), |_| false).await else { panic!() };
            assert_eq!(
                end.failure.as_ref().map(|failure| failure.code.as_str()),
                Some("bootstrap.handoff.ssh-keys"),
                "{end:?}"
            );
        });
    }
}

/// A port of A that shuts itself when it hears a clone is named where the sync makes one, and only there.
#[test]
fn loop_protect_is_said_first() {
    simulated(|| async {
        for version in ["6.44.6", "7.22.1"] {
            for sync in [Sync::Backup, Sync::Quiet] {
                let mut case = quiet(version, Topology::BehindA, false);
                case.sync = sync;
                let mut settings = case.settings();
                settings.a.setup.push_str("/interface ethernet set ether2,ether8 loop-protect=on\n");
                let bench = Bench::with(case, settings);
                let prepared = prepare(&bench.pair_job(&bench.roads()), &[]).await.unwrap();
                let check = prepared.checks.iter().find(|check| check.name == "a-loop-protect");
                let found = check.map(|check| check.found.as_str());
                let wanted = "loop-protect is on at a's ether2: b's start can shut them";
                assert_eq!(found, (sync == Sync::Backup).then_some(wanted), "{version}");
            }
        }
    });
}

/// B loses power when a step begins, and in the middle of being made again: the run, or the next ones, end with the pair proved.
#[test]
fn b_loses_power_and_the_run_goes_on() {
    let moments: [(&str, &str, u64); 6] = [
        ("7.22.1", "b.import", 50),
        ("6.44.6", "a.push", 1000),
        ("7.22.1", "a.push", 6000),
        ("7.22.1", "b.wait-standby", 30_000),
        ("6.44.6", "b.wait-standby", 57_500),
        ("6.44.6", "b.user", 50),
    ];
    for (version, step, after) in some(moments.to_vec()) {
        simulated(|| async move {
            let bench = Rc::new(Bench::new(quiet(version, Topology::BehindA, false)));
            let store = SimStore::default();
            let (b, once) = (bench.pair.b.clone(), Cell::new(false));
            bench
                .process(&store, move |record| {
                    let now = matches!(&record.event, Event::StepStarted { step: s, .. } if s == step);
                    if now && !once.replace(true) {
                        let b = b.clone();
                        tokio::task::spawn_local(async move {
                            tokio::time::sleep(Duration::from_millis(after)).await;
                            b.with(Router::power_cut);
                            tokio::time::sleep(Duration::from_secs(5)).await;
                            b.with(Router::power_on);
                        });
                    }
                    false
                })
                .await;
            bench.until_done(&store).await;
            assert_quiet(&bench, &format!("{version}, {after} ms into {step}"));
        });
    }
}

/// Scripts on B that are there when it is cut off; A has 28.
const SO_FAR: [(&str, usize); 4] = [("7.22.1", 1), ("6.44.6", 0), ("6.44.6", 27), ("7.22.1", 14)];

/// Wherever B is cut off while it is made again: it comes back on the cable, never with A's version and half of A's
/// configuration, and the run goes on.
#[test]
fn b_is_cut_off_while_it_is_made_again() {
    for (version, so_far) in some(SO_FAR.to_vec()) {
        simulated(|| async move {
            let bench = Bench::new(quiet(version, Topology::BehindA, false));
            let store = SimStore::default();
            let cut = Rc::new(Cell::new(None));
            let (done, b) = (Rc::clone(&cut), bench.pair.b.clone());
            tokio::task::spawn_local(async move {
                let count = |menu: &str| b.look(|r| r.system().map_or(0, |s| s.config(|c| c.items(menu).len())));
                while b.look(Router::phase) == Phase::Up {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                // the mark of a sync that is under way
                while count("/system/scheduler") == 0 || count("/system/script") < so_far {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                done.set(Some(count("/system/script")));
                b.with(Router::power_cut);
                tokio::time::sleep(Duration::from_secs(5)).await;
                b.with(Router::power_on);
            });
            bench.until_done(&store).await;
            println!("{version}: cut off with {:?} scripts", cut.get());
            assert!(cut.get().is_some());
            assert_quiet(&bench, &format!("{version}, cut off with {:?} scripts", cut.get()));
        });
    }
}

/// A configuration that B does not take whole: never the proved standby, and what to do about it.
#[test]
fn a_configuration_that_is_not_taken_whole_ends_the_run() {
    simulated(|| async {
        let case = quiet("7.22.1", Topology::BehindA, false);
        let bench = Bench::new(case);
        let store = SimStore::default();
        let a = bench.pair.a.clone();
        let part = bench
            .process(&store, move |record| {
                if matches!(&record.event, Event::StepStarted { step, .. } if step == "a.push") {
                    spoil(&a);
                }
                false
            })
            .await;
        let Part::Ended(end) = part else { unreachable!() };
        let failure = end.failure.clone().unwrap_or_else(|| panic!("{end:?}"));
        assert_eq!(failure.code, "bootstrap.handoff.not-whole", "{failure:?}");
        assert!(failure.causes.iter().any(|cause| cause.contains("not taken whole")), "{failure:?}");
        assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
    });
}

/// What A sends is not what B can take.
fn spoil(a: &lab::NodeHandle<Router>) {
    let (_, source) = bootstrap::ha::scripts().into_iter().find(|(name, _)| *name == "ha_sendquiet").unwrap();
    let send = "$haUpload fileFrom=\"HA_quiet-all.rsc\"";
    let spoil = "/file set [find name=\"HA_quiet-all.rsc\"] contents=\"/ip address add address=192.0.2.7/24 interface=nowhere\"";
    assert!(source.contains(send));
    let source = source.replace(send, &format!("{spoil}\n{send}"));
    let quoted = source.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n");
    let text = format!("/system script set ha_sendquiet source=\"{quoted}\"");
    a.with(|router, now| router.start_script(now, "admin", &text)).unwrap();
}

/// B has the version and one thing is not as it is on A: the end check names it, without its value.
#[test]
fn an_export_that_differs_is_no_proof() {
    simulated(|| async {
        let case = quiet("7.22.1", Topology::BehindA, false);
        let bench = Bench::new(case);
        let changed = Rc::new(Cell::new(false));
        let (b, seen) = (bench.pair.b.clone(), Rc::clone(&changed));
        let stop = move |record: &Record| {
            if matches!(&record.event, Event::StepStarted { step, .. } if step == "pair.verify") && !seen.get() {
                let text = "/ip address add address=203.0.113.77/24 interface=ether3";
                seen.set(b.with(|router, now| router.start_script(now, "admin", text)).is_some());
            }
            false
        };
        match bench.process(&SimStore::default(), stop).await {
            Part::Ended(end) => {
                assert!(changed.get() && end.exit == Exit::EndCheck, "{end:#?}");
                let said = format!("{end:?}");
                assert!(said.contains("the exports differ: only b has: /ip address add address interface"), "{said}");
                assert!(!said.contains("203.0.113.77"), "{said}");
            }
            other => panic!("{other:#?}"),
        }
    });
}
