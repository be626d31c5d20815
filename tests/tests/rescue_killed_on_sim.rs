//! Rescues of one member, the tool killed as each of their steps begins, and the line pulled for twenty seconds in each: with
//! the HA cable out a standby becomes an active, so what is pulled there is its serial line.

mod common;
#[path = "common/recovery.rs"]
mod recovery;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use bootstrap::event::{Event, Record};
use bootstrap::exit::Exit;
use bootstrap::recover::{Asked, Procedure};
use bootstrap::store::SimStore;
use common::{Bench, Case, simulated};
use jumplead_tests::states;
use lab::pair::Topology;
use recovery::{NEW_PASSWORD, done, f1, ready, recover, restart_b, resume, script};

const LINE: Option<&str> = Some("serial:///dev/b");

/// What happens as a step begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    None,
    /// To the tool, whose road is the HA cable.
    Killed,
    /// The serial line.
    Pulled,
}

struct Story<P, Q> {
    procedure: Procedure,
    asked: Asked,
    /// The tool's road to B where that is not pulled.
    road: Option<&'static str>,
    /// The pair with its trouble, B reached by this road.
    trouble: P,
    proved: Q,
}

impl<P: AsyncFn(Option<&'static str>) -> Bench, Q: AsyncFn(&Bench)> Story<P, Q> {
    /// Of a rescue that asks for nothing.
    fn of(procedure: Procedure, trouble: P, proved: Q) -> Self {
        Self { procedure, asked: Asked::default(), road: None, trouble, proved }
    }

    /// One run, with a blow as `at` begins. The steps that were begun come back.
    fn told(&self, at: &str, blow: Blow) -> Vec<String> {
        let steps = Rc::new(RefCell::new(Vec::new()));
        simulated(|| async {
            let bench = Rc::new((self.trouble)(if blow == Blow::Pulled { LINE } else { self.road }).await);
            let (store, struck) = (SimStore::default(), Rc::new(Cell::new(0)));
            let (other, count, begun, at) = (Rc::clone(&bench), Rc::clone(&struck), Rc::clone(&steps), at.to_owned());
            let each = move |record: &Record| {
                let Event::StepStarted { step, .. } = &record.event else { return false };
                begun.borrow_mut().push(step.clone());
                if blow == Blow::None || *step != at || count.get() > 0 {
                    return false;
                }
                count.set(1);
                if blow == Blow::Pulled {
                    other.pull_serial_of_b();
                }
                blow == Blow::Killed
            };
            let name = format!("{:?}, {blow:?}", self.procedure);
            let ended = recover(&bench, &store, self.procedure, &self.asked, each).await.unwrap();
            assert_eq!(struck.get() == 1, blow != Blow::None, "{name}: its step was not begun");
            assert_eq!(ended.is_none(), blow == Blow::Killed, "{name}");
            let mut end = ended.map(|rescued| rescued.end);
            if end.is_none() {
                store.crash(0);
            }
            // A line that is out for longer than a step bears stops the run, and it is gone on with.
            for _ in 0..3 {
                if end.as_ref().is_some_and(|end| end.exit == Exit::Done) {
                    break;
                }
                assert!(end.as_ref().is_none_or(|end| end.resumable && blow != Blow::None), "{name}: {end:#?}");
                end = Some(resume(&bench, &store).await);
            }
            assert_eq!(end.as_ref().map(|end| end.exit), Some(Exit::Done), "{name}: {end:#?}");
            (self.proved)(&bench).await;
        });
        steps.take()
    }

    fn through_every_step(&self, expected: &[&str]) {
        assert_eq!(self.told("", Blow::None), expected, "{:?}", self.procedure);
        expected.iter().for_each(|step| self.through(step));
    }

    fn through(&self, step: &str) {
        for blow in [Blow::Killed, Blow::Pulled] {
            println!("{:?}, {step}, {blow:?}", self.procedure);
            self.told(step, blow);
        }
    }
}

async fn is_the_standby(bench: &Bench) {
    bench.assert_proved();
}

#[test]
fn repair_of_ours() {
    let trouble = async |road| {
        let bench = ready("7.18.2", road).await;
        f1(&bench).await;
        script(&bench.pair.b, "/interface ethernet enable ether2");
        bench
    };
    let story = Story::of(Procedure::Repair, trouble, is_the_standby);
    story.through_every_step(&[
        "router.evidence",
        "router.close-ports",
        "router.ha-user",
        "router.peer",
        "router.startup",
        "router.verify-standby",
    ]);
}

/// Nobody reaches it but over its line.
#[test]
fn repair_with_the_ha_port_off() {
    let trouble = async |road| {
        let bench = ready("7.18.2", road).await;
        f1(&bench).await;
        script(&bench.pair.b, "/interface ethernet disable ether8");
        bench
    };
    let story = Story { road: LINE, ..Story::of(Procedure::Repair, trouble, is_the_standby) };
    story.through("router.ha-port");
}

#[test]
fn known_good_of_ours() {
    let trouble = async |road| {
        let bench = ready("7.18.2", road).await;
        script(&bench.pair.b, "/system script run ha_saveown");
        done(60).await;
        f1(&bench).await;
        bench
    };
    let story = Story::of(Procedure::KnownGood, trouble, is_the_standby);
    story.through_every_step(&["router.evidence", "router.ha-user", "router.load-backup", "router.verify-standby"]);
}

#[test]
fn right_mac_of_ours_and_of_the_active() {
    let trouble = async |road| {
        let bench = ready("7.18.2", road).await;
        script(&bench.pair.a, states::WRONG_MAC);
        script(&bench.pair.b, states::WRONG_MAC);
        restart_b(&bench).await;
        script(&bench.pair.b, "/interface ethernet enable ether2");
        bench
    };
    let proved = async |bench: &Bench| {
        bench.assert_roles();
        let named = bench.pair.a.look(|r| {
            r.system().unwrap().config(|c| {
                let script = c.by_name("/system/script", "ha_config_base").unwrap();
                script.get("source").unwrap().contains("74:4D:28:00:00:0B")
            })
        });
        assert!(named, "the active's configuration has the right address, too");
    };
    let story = Story::of(Procedure::RightMac, trouble, proved);
    story.through_every_step(&[
        "router.evidence",
        "router.close-ports",
        "peer.ha-mac",
        "router.ha-mac",
        "router.restart",
        "router.verify-standby",
    ]);
}

#[test]
fn right_mac_of_another_builds_loop() {
    let trouble = async |road| {
        let bench = ready("7.18.2", road).await;
        script(&bench.pair.b, &states::loops());
        script(&bench.pair.b, states::WRONG_MAC);
        restart_b(&bench).await;
        bench
    };
    let proved = async |bench: &Bench| assert_eq!(bench.ports_on(&bench.pair.b), ["ether8"]);
    let story = Story::of(Procedure::RightMac, trouble, proved);
    story.through_every_step(&[
        "router.evidence",
        "router.hold",
        "router.evidence-rest",
        "router.ha-mac",
        "router.restart",
        "router.verify-standby",
    ]);
}

#[test]
fn a_waiting_bootstrap_is_finished() {
    let trouble = async |road_b| {
        let bench = Bench::new(Case { road_b, ..Case::new("7.18.2", Topology::BehindA, false) });
        bench.pair.b.with(|router, _| {
            router.system().unwrap().write_file("HA_bootstrap.rsc", states::WAITS.as_bytes().to_vec()).unwrap();
        });
        script(&bench.pair.b, "/import HA_bootstrap.rsc");
        done(30).await;
        bench
    };
    let proved = async |bench: &Bench| {
        bench.until_done(&SimStore::default()).await;
        bench.assert_proved();
    };
    let story = Story::of(Procedure::FinishBootstrap, trouble, proved);
    story.through_every_step(&["router.evidence", "router.end-job", "router.bootstrap"]);
}

#[test]
fn another_ha_password() {
    let story = Story {
        procedure: Procedure::HaPassword,
        asked: Asked { new_password: Some("env:NEW_HA".into()), ..Asked::default() },
        road: None,
        trouble: async |road| ready("7.18.2", road).await,
        proved: async |bench: &Bench| {
            for router in [&bench.pair.a, &bench.pair.b] {
                let of = router
                    .look(|r| r.system()?.config(|c| c.by_name("/user", "ha")?.get("password").map(str::to_owned)));
                assert_eq!(of.as_deref(), Some(NEW_PASSWORD));
            }
        },
    };
    story.through_every_step(&[
        "router.evidence",
        "router.ha-password",
        "router.save-own",
        "peer.ha-password",
        "pair.verify-ha-password",
    ]);
}
