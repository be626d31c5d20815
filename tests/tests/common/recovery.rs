//! Rescues of one member of a simulated pair by the product's own roads, a process at a time.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::time::Duration;

use bootstrap::engine::{Options, RunEnd};
use bootstrap::event::Record;
use bootstrap::exit::Exit;
use bootstrap::pair::Pair;
use bootstrap::path::{Confirmation, Start};
use bootstrap::recover::{self, Access, Asked, Lines, Procedure, Rescue};
use bootstrap::road::Roads as _;
use bootstrap::store::{SimStore, Store as _};
use bootstrap::target::{Member, TargetUrl};
use bootstrap::trouble::Trouble;
use jumplead::roads::{PairLine, PairRoads};
use jumplead_tests::boot_port::Netinstall;
use jumplead_tests::states;
use lab::NodeHandle;
use lab::pair::Topology;
use routeros::{LoginOptions, Secret};
use routersim::router::Router;
use tokio::sync::watch;

use crate::common::{Bench, Case, Seen, Ticking};

/// The pair's next HA password.
pub const NEW_PASSWORD: &str = "New-Pair_7.Sloe";

/// B over the HA cable, through A, and over its serial line.
pub const ROADS: [Option<&str>; 2] = [None, Some("serial:///dev/b")];

/// A pair in sync, its standby reached by `road`.
pub async fn ready(version: &'static str, road: Option<&'static str>) -> Bench {
    let mut bench = Bench::new(Case::new(version, Topology::BehindA, false));
    bench.until_done(&SimStore::default()).await;
    if let Some(road) = road {
        bench.site.b.reach = vec![road.parse().unwrap()];
    }
    bench
}

pub fn script(router: &NodeHandle<Router>, text: &str) {
    let started = router.with(|router, now| router.start_script(now, "admin", text));
    started.expect("the router runs");
}

pub async fn done(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

pub async fn restart_b(bench: &Bench) {
    // a power cut takes file writes that are younger than 40 s
    done(45).await;
    bench.pair.b.with(|router, now| {
        router.power_cut(now);
        router.power_on(now);
    });
    done(130).await;
}

pub struct Rescued {
    pub rescue: Rescue,
    pub end: RunEnd,
    pub records: Vec<Record>,
}

/// What one process has of B, as the command line gives it to a rescue.
pub async fn with_access<T>(bench: &Bench, act: impl AsyncFnOnce(&Access<'_>, &PairRoads, &Pair<'_>) -> T) -> T {
    let roads = bench.roads();
    let pair = bench.pair_job(&roads);
    let lines = PairLine { pair: &pair, roads: &roads, member: Member::B };
    let terminal = matches!(bench.site.b.reach.first(), Some(TargetUrl::Via { port: Some(_), .. }));
    let access = Access {
        target: if terminal { "via:edge-1/a?port=usb1" } else { "edge-1/b" }.into(),
        roads: &roads,
        lines: &lines as &dyn Lines,
        line_first: terminal,
        take_over: false,
        tools: &Netinstall(bench.pair.b.clone()),
        pair: Some((&pair, Member::B)),
        login: LoginOptions::new(""),
        new_ha: Some(Secret::new(NEW_PASSWORD)),
        pair_name: Some("edge-1".into()),
        beside: Vec::new(),
    };
    let ended = act(&access, &roads, &pair).await;
    roads.let_go().await;
    ended
}

/// One process that looks, plans and runs to its end; `each` kills it by returning true.
pub async fn recover(
    bench: &Bench,
    store: &SimStore,
    procedure: Procedure,
    asked: &Asked,
    mut each: impl FnMut(&Record) -> bool + 'static,
) -> Result<Option<Rescued>, Trouble> {
    // the cable of the process before is pulled a moment after its end
    done(1).await;
    let kill = std::rc::Rc::new(tokio::sync::Notify::new());
    let killer = std::rc::Rc::clone(&kill);
    let tell: Box<dyn FnMut(&Record)> = Box::new(move |record| {
        if each(record) {
            killer.notify_one();
        }
    });
    let mut seen = Seen { each: Some(tell), ..Seen::default() };
    let (_keep, stop) = watch::channel(false);
    let work = with_access(bench, async |access, _, _| {
        let (mut disk, clock) = (store.clone(), Ticking);
        let rescue = Box::pin(recover::prepare(access, &mut disk, &clock, Some(procedure), asked)).await?;
        let plan = rescue.plan.clone().unwrap();
        let confirmation = Confirmation { fingerprint: plan.fingerprint.clone(), serial: None };
        let start = Start { store: &mut disk, clock: &clock, sink: &mut seen, stop, options: Options::default() };
        let end = Box::pin(recover::run(access, &plan, &confirmation, start)).await;
        Ok((rescue, end))
    });
    let ended = tokio::select! {
        biased;
        () = kill.notified() => None,
        ended = work => Some(ended),
    };
    drop(seen.each.take());
    bench.assert_no_secret(store, &format!("{:?}", seen.records), &seen.records);
    match ended {
        None => Ok(None),
        Some(Err(trouble)) => Err(trouble),
        Some(Ok((rescue, end))) => Ok(Some(Rescued { rescue, end, records: seen.records })),
    }
}

/// Another process goes on with the newest run.
pub async fn resume(bench: &Bench, store: &SimStore) -> RunEnd {
    // the cable of the process before is pulled a moment after its end
    done(1).await;
    with_access(bench, async |access, _, _| {
        let (mut disk, clock) = (store.clone(), Ticking);
        let run = disk.runs().unwrap().last().cloned().unwrap();
        let (_keep, stop) = watch::channel(false);
        let mut seen = Seen::default();
        let start = Start { store: &mut disk, clock: &clock, sink: &mut seen, stop, options: Options::default() };
        recover::resume(access, run, start).await.unwrap()
    })
    .await
}

/// The run's evidence, which holds no secret.
pub fn evidence(bench: &Bench, store: &SimStore) -> String {
    let run = store.runs().unwrap().last().cloned().unwrap();
    let text = String::from_utf8(store.kept_with(&run, "evidence.txt").unwrap().expect("evidence was saved")).unwrap();
    for secret in bench.secrets.all() {
        assert!(!text.contains(secret.reveal()), "a secret is in the evidence");
    }
    text
}

#[track_caller]
pub fn well(bench: &Bench, rescued: &Rescued) {
    if rescued.end.exit != Exit::Done {
        bench.dump();
        panic!("{:#?}\n{:#?}", rescued.end, rescued.rescue);
    }
}

pub async fn f1(bench: &Bench) {
    script(&bench.pair.b, states::PASSWORD_GONE);
    done(2).await;
    restart_b(bench).await;
}
