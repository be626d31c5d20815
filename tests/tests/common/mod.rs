//! A simulated pair with a host that runs the product's own crates, in the simulated world.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bootstrap::engine::{Options, RunEnd};
use bootstrap::event::{Record, Sink};
use bootstrap::exit::Exit;
use bootstrap::ha::{PairConfig, render_installed};
use bootstrap::journal::{Clock, parse};
use bootstrap::pair::PairSecrets;
use bootstrap::path::{Confirmation, Start, prepare, resume, run};
use bootstrap::road::{Purpose, Roads as _};
use bootstrap::site::{Site, Sync};
use bootstrap::store::{SimStore, Store as _};
use bootstrap::target::LoginMode;
use jumplead::known::KnownRouters;
use jumplead::lab_roads::{INTERFACE, LabLines, LabSegment};
use jumplead::line_road::Lines;
pub use jumplead::mac_road::MacLink;
use jumplead::mac_road::{MacRoad, MacTarget};
use jumplead::roads::PairRoads;
use jumplead::segment::LazyWatch;
use lab::Hub;
use lab::pair::{Pair, Settings, Topology};
use lab::serial::NullModem;
use mactelnet::MacAddr;
use routeros::{LoginOptions, Secret};
use routersim::record::{Event, EventKind};
use routersim::router::Router;
use routersim::spec::Version;
use routersim::system::BUILT_IN;
use tokio::sync::watch;

pub const HA_PASSWORD: &str = "Sim-Pair_1";
pub const A_PASSWORD: &str = "Admin-of-A_7";
pub const OLD_PASSWORD: &str = "Old-Branch_3";
/// A's serial adapter, where B's console hangs on one.
pub const ADAPTER: &str = "usb1";
pub const VIA_SERIAL: &str = "via:a?port=usb1";
pub const A_ETHER1: MacAddr = MacAddr([0x74, 0x4D, 0x28, 0x0A, 0, 1]);

/// What is run.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub version: &'static str,
    pub topology: Topology,
    pub dirty: bool,
    pub seed: u64,
    /// B's only road, where it is not the topology's own.
    pub road_b: Option<&'static str>,
    /// How the site file wants the pair to sync.
    pub sync: Sync,
    /// What stands on B's label: its only login when it is erased.
    pub label: Option<&'static str>,
}

impl Case {
    pub fn new(version: &'static str, topology: Topology, dirty: bool) -> Self {
        Self { version, topology, dirty, seed: 1, road_b: None, sync: Sync::Backup, label: None }
    }

    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for version in ["7.18.2", "6.44.6"] {
            for topology in [Topology::BehindA, Topology::OnSegment] {
                for dirty in [false, true] {
                    all.push(Self::new(version, topology, dirty));
                }
            }
        }
        all
    }

    pub fn settings(&self) -> Settings {
        let installed = render_installed(&PairConfig {
            interface: "ether8".into(),
            mac_a: "74:4D:28:00:00:0A".into(),
            mac_b: "74:4D:28:00:00:0B".into(),
            password: HA_PASSWORD.into(),
        });
        let mut settings =
            if self.dirty { Settings::dirty(self.seed, &installed) } else { Settings::standard(self.seed, &installed) };
        settings.topology = self.topology;
        let version: Version = self.version.parse().unwrap();
        settings.a = settings.a.version(version).user("admin", A_PASSWORD, "full");
        settings.a.setup.push_str("/system identity set name=edge-1\n");
        settings.b = settings.b.version(version);
        if self.road_b == Some(VIA_SERIAL) {
            settings.a = settings.a.adapter(ADAPTER);
        }
        if let Some(label) = self.label {
            settings.b = settings.b.label(label);
        }
        if self.dirty {
            settings.b = settings.b.user("admin", OLD_PASSWORD, "full");
        }
        settings
    }

    pub fn site(&self) -> Site {
        let a_mac = match self.topology {
            Topology::BehindA => A_ETHER1.to_string(),
            Topology::OnSegment => "74:4D:28:00:00:0A".into(),
        };
        let b_road = match self.topology {
            Topology::BehindA => "via:a",
            Topology::OnSegment => "mac://%host",
        };
        let b_road = self.road_b.unwrap_or(b_road);
        let b_password = if self.dirty { "password = \"env:UNUSED\"\n" } else { "" };
        Site::parse(&format!(
            "format = 1\n[pair]\nname = \"edge-1\"\nsync = \"{}\"\n[pair.a]\nha_mac = \"74:4D:28:00:00:0A\"\nserial_number = \"7F0001\"\n\
             reach = [\"mac://{a_mac}%host\"]\npassword = \"env:UNUSED\"\n[pair.b]\nha_mac = \"74:4D:28:00:00:0B\"\n\
             serial_number = \"7F0002\"\nreach = [\"{b_road}\"]\n{b_password}[secrets]\nha_password = \"env:UNUSED\"\n",
            self.sync
        ))
        .unwrap()
    }

    pub fn secrets(&self) -> PairSecrets {
        PairSecrets {
            ha: Secret::new(HA_PASSWORD),
            a: Some(Secret::new(A_PASSWORD)),
            b: self.dirty.then(|| Secret::new(OLD_PASSWORD)),
            b_factory: self.label.map(Secret::new),
            users: Vec::new(),
        }
    }
}

/// Wall-clock time of the simulated world.
pub struct SimClock;

impl Clock for SimClock {
    fn now(&self) -> jiff::Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }
}

/// The host's clock, which goes on: starts are told by it.
pub struct Ticking;

impl Clock for Ticking {
    fn now(&self) -> jiff::Timestamp {
        static BEGAN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
        let gone = tokio::time::Instant::now().into_std().saturating_duration_since(*BEGAN);
        SimClock.now() + jiff::SignedDuration::try_from(gone).unwrap()
    }
}

/// Keeps the records and tells a test about each.
#[derive(Default)]
pub struct Seen {
    pub records: Vec<Record>,
    pub each: Option<Box<dyn FnMut(&Record)>>,
}

impl Seen {
    /// `each` sees every record; by returning true it kills the process.
    pub fn killing(mut each: impl FnMut(&Record) -> bool + 'static) -> (Self, Rc<tokio::sync::Notify>) {
        let kill = Rc::new(tokio::sync::Notify::new());
        let killer = Rc::clone(&kill);
        let tell: Box<dyn FnMut(&Record)> = Box::new(move |record| {
            if each(record) {
                killer.notify_one();
            }
        });
        (Self { each: Some(tell), ..Self::default() }, kill)
    }
}

impl Sink for Seen {
    fn record(&mut self, record: &Record) {
        if let Some(each) = &mut self.each {
            each(record);
        }
        self.records.push(record.clone());
    }
}

/// A booted pair, its world being driven.
pub struct Bench {
    pub pair: Rc<Pair>,
    pub site: Site,
    pub case: Case,
    pub secrets: PairSecrets,
    /// Names of the checks that the operator waives.
    pub waive: Vec<String>,
    /// When the product began: what was configured before came from elsewhere.
    pub ready: mactelnet::Instant,
    pub log: Rc<RefCell<Vec<(char, Event)>>>,
    /// Console bytes are most of what is recorded; kept for a failing test's eyes.
    pub keep_console: Rc<Cell<bool>>,
    /// Whether the segment is listened to, which a proved window needs.
    pub listen: Cell<bool>,
    /// Which host a process runs on: its state folder.
    pub host: Cell<u64>,
    /// B's console on A's serial adapter, where it is.
    pub null_modem: Option<NullModem>,
    hub: Hub,
    /// What was learnt of routers, between processes.
    state: tempfile::TempDir,
    /// Processes so far: each has seeds of its own.
    processes: Cell<u64>,
}

/// A recorder that nobody reads forgets its oldest events, and a check of what is left would prove nothing.
fn drain(pair: &Pair, log: &RefCell<Vec<(char, Event)>>, keep_console: bool) {
    for router in [&pair.a, &pair.b] {
        assert_eq!(router.look(Router::events_dropped), 0, "events were lost: the recorder was read too seldom");
    }
    let console = |kind: &EventKind| matches!(kind, EventKind::ConsoleIn { .. } | EventKind::ConsoleOut { .. });
    log.borrow_mut().extend(pair.take_events().into_iter().filter(|(_, e)| keep_console || !console(&e.kind)));
}

impl Bench {
    /// Both routers are up and A is active.
    pub fn new(case: Case) -> Self {
        Self::with(case, case.settings())
    }

    pub fn with(case: Case, settings: Settings) -> Self {
        let (pair, link) = Pair::new(&settings).unwrap();
        pair.power_on();
        assert!(pair.boot(Duration::from_secs(200), Duration::from_secs(30)));
        let site = case.site();
        tokio::task::spawn_local(pair.world.clone().drive(1.0));
        let ready = pair.world.now();
        let secrets = case.secrets();
        let (pair, log) = (Rc::new(pair), Rc::new(RefCell::default()));
        let keep_console = Rc::new(Cell::new(std::env::var_os("JUMPLEAD_KEEP_CONSOLE").is_some()));
        let (reads, into, keep) = (Rc::clone(&pair), Rc::clone(&log), Rc::clone(&keep_console));
        tokio::task::spawn_local(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                drain(&reads, &into, keep.get());
            }
        });
        let null_modem =
            (case.road_b == Some(VIA_SERIAL)).then(|| NullModem::new((&pair.a, ADAPTER), (&pair.b, BUILT_IN)));
        let (hub, state, processes) = (Hub::new(link), tempfile::tempdir().unwrap(), Cell::new(0));
        Self {
            pair,
            site,
            case,
            secrets,
            waive: Vec::new(),
            ready,
            log,
            keep_console,
            listen: Cell::new(true),
            host: Cell::new(1),
            null_modem,
            hub,
            state,
            processes,
        }
    }

    /// The product's own roads, as a new process has them.
    pub fn roads(&self) -> PairRoads {
        self.roads_over(Rc::new(LabLines { a: self.pair.a.clone(), b: self.pair.b.clone() }))
    }

    /// The same, over serial lines of another make.
    pub fn roads_over(&self, lines: Rc<dyn Lines>) -> PairRoads {
        let process = self.processes.get();
        self.processes.set(process + 1);
        let seed = self.case.seed.wrapping_mul(0x1_0000_0001).wrapping_add(process << 20);
        let mac = MacRoad {
            segment: Rc::new(LabSegment::new(self.hub.clone(), seed)),
            watch: LazyWatch::default(),
            listen: self.listen.get(),
            known: Rc::new(RefCell::new(KnownRouters::open(self.state.path()).unwrap())),
            warnings: Rc::default(),
        };
        PairRoads::new(Rc::new(self.site.clone()), mac, lines)
    }

    /// A session on the host's wire without a shell on it.
    pub async fn link(&self, mac: MacAddr, login: &LoginOptions) -> MacLink {
        self.link_for(Purpose::Read, mac, login).await
    }

    /// The same; who is to write waits until it was heard who is there.
    pub async fn link_for(&self, purpose: Purpose, mac: MacAddr, login: &LoginOptions) -> MacLink {
        let target = MacTarget { mac, interface: Some(INTERFACE.into()), login: LoginMode::Auto, either: false };
        let size = (login.suffix.size().cols, login.suffix.size().rows);
        let roads = self.roads();
        let opened = roads.mac.open(&target, purpose, &login.login_name(), &login.passwords, size).await;
        opened.unwrap().0
    }

    pub fn pair_job<'a>(&'a self, roads: &'a PairRoads) -> bootstrap::pair::Pair<'a> {
        bootstrap::pair::Pair {
            site: &self.site,
            roads,
            secrets: self.secrets.clone(),
            seed: self.case.seed,
            who: bootstrap::marker::Who::new(self.host.get(), "test"),
        }
    }

    /// B's serial line is out for twenty seconds, once what begins now is under way. It gives no sign of it: what is typed
    /// meanwhile is lost, and so is what the router says.
    pub fn pull_serial_of_b(&self) {
        let b = self.pair.b.clone();
        tokio::task::spawn_local(async move {
            tokio::time::sleep(Duration::from_millis(130)).await;
            b.with(|router, now| router.plug_serial(now, false));
            tokio::time::sleep(Duration::from_secs(20)).await;
            b.with(|router, now| router.plug_serial(now, true));
        });
    }

    /// Everything that both routers recorded until now, without console bytes unless they are kept.
    pub fn events(&self) -> Vec<(char, Event)> {
        drain(&self.pair, &self.log, self.keep_console.get());
        self.log.borrow().clone()
    }

    /// What acts on configuration as a whole, by router.
    pub fn destructive(&self, who: char) -> Vec<EventKind> {
        self.events().into_iter().filter(|(w, e)| *w == who && e.kind.is_destructive()).map(|(_, e)| e.kind).collect()
    }

    /// Events worth reading, for a failing test.
    pub fn dump(&self) {
        for (who, event) in self.events() {
            match &event.kind {
                EventKind::ConsoleOut { bytes, session } => {
                    println!("{who} {} out {session} {}", event.at, String::from_utf8_lossy(bytes).escape_debug());
                }
                EventKind::ConsoleIn { bytes, session } => {
                    println!("{who} {} in  {session} {}", event.at, String::from_utf8_lossy(bytes).escape_debug());
                }
                kind => println!("{who} {} {kind:?}", event.at),
            }
        }
    }

    /// A value of a menu of one on a router.
    pub fn single(&self, router: &lab::NodeHandle<Router>, menu: &str, key: &str) -> Option<String> {
        router.look(|r| r.system()?.config(|c| c.items(menu).iter().find_map(|i| i.get(key).map(str::to_owned))))
    }

    /// Default-names of the Ethernet ports that are switched on, as the router's configuration has them.
    pub fn ports_on(&self, router: &lab::NodeHandle<Router>) -> Vec<String> {
        router.look(|r| {
            r.system().unwrap().config(|c| {
                let on = c.items("/interface/ethernet").iter().filter(|item| !item.disabled);
                on.map(|item| item.get("default-name").unwrap_or_default().to_owned()).collect()
            })
        })
    }

    /// Names of the files that the product put on a router.
    pub fn our_files(&self, router: &lab::NodeHandle<Router>) -> Vec<String> {
        router.look(|r| {
            let storage = r.storage().borrow();
            storage.files.list().map(|(name, _)| name.to_owned()).filter(|n| n.contains("HA_jumplead_")).collect()
        })
    }

    /// What the active called its configuration when it was last asked to, by the user who proves the pair.
    fn version_of_active(&self) -> String {
        let globals = self.pair.a.look(|r| r.system().unwrap().globals());
        let named = || globals.iter().filter(|(_, name, _)| name == "haMasterConfigVer");
        let one = named().find(|(owner, ..)| owner == "admin").or_else(|| named().next());
        one.map(|(.., value)| value.clone()).unwrap_or_default()
    }

    /// The pair is proved: looked at in the routers themselves, not in what the product says.
    pub fn assert_proved(&self) {
        self.assert_roles();
        let b = &self.pair.b;
        let named = self.version_of_active();
        let loaded = b.look(|r| {
            let storage = r.storage().borrow();
            storage.files.get("HA_config-version.txt").map(|file| String::from_utf8_lossy(&file.contents).into_owned())
        });
        assert!(!named.is_empty(), "the active has named its configuration");
        assert_eq!(
            loaded.as_deref().map(str::trim),
            Some(named.as_str()),
            "the standby's configuration is the active's"
        );
    }

    /// Active and standby, ports and files: what a rescue leaves that makes a change, which the next sync gives the other one.
    pub fn assert_roles(&self) {
        let (a, b) = (&self.pair.a, &self.pair.b);
        assert_eq!(self.single(a, "/system/identity", "name").as_deref(), Some("edge-1_HA_A_ACTIVE"));
        assert_eq!(self.single(b, "/system/identity", "name").as_deref(), Some("edge-1_HA_B_STANDBY"));
        assert_eq!(self.ports_on(a).len(), 8, "the active's ports");
        assert_eq!(self.ports_on(b), ["ether8"], "the standby's ports");
        for (name, router) in [("A", a), ("B", b)] {
            let ours = self.our_files(router);
            assert_eq!(ours, [""; 0], "files left on {name}");
        }
        assert_eq!(self.destructive('A'), [], "nothing destructive on A");
    }
}

/// How one process's part of a run ended.
#[derive(Debug)]
pub enum Part {
    /// By itself.
    Ended(Box<RunEnd>),
    /// The test killed the process.
    Killed,
}

impl Bench {
    /// One process: a new run, or the newest run resumed. `each` sees every record; it kills the process by returning true.
    pub async fn process(&self, store: &SimStore, each: impl FnMut(&Record) -> bool + 'static) -> Part {
        let roads = self.roads();
        let pair = self.pair_job(&roads);
        let (mut seen, kill) = Seen::killing(each);
        let (_keep, stop) = watch::channel(false);
        let mut disk = store.clone();
        // only a run whose plan was confirmed can be gone on with
        let old = disk.runs().unwrap().last().cloned().filter(|run| {
            let (records, _) = parse(&disk.read(run).unwrap()).unwrap();
            records.iter().any(|record| matches!(record.event, bootstrap::event::Event::Plan { .. }))
        });
        let work = async {
            let prepared = match &old {
                Some(_) => None,
                None => match prepare(&pair, &self.waive).await {
                    Ok(prepared) => Some(prepared),
                    Err(trouble) => return RunEnd::from(trouble),
                },
            };
            let options = Options::default();
            let start = Start { store: &mut disk, clock: &SimClock, sink: &mut seen, stop, options };
            match (old, prepared) {
                (Some(run), _) => resume(&pair, run, start).await.unwrap(),
                (None, Some(prepared)) => {
                    let confirmation = match &prepared.plan {
                        Some(plan) => {
                            Confirmation { fingerprint: plan.fingerprint.clone(), serial: plan.erases.clone() }
                        }
                        None => Confirmation { fingerprint: String::new(), serial: None },
                    };
                    run(&pair, &prepared, &confirmation, start).await
                }
                (None, None) => unreachable!(),
            }
        };
        let part = tokio::select! {
            biased;
            () = kill.notified() => Part::Killed,
            end = work => {
                roads.let_go().await;
                Part::Ended(Box::new(end))
            }
        };
        // both hold references into what is looked at next
        drop(seen.each.take());
        if let Part::Ended(end) = &part {
            let hints = end.failure.iter().flat_map(|failure| &failure.hints);
            for hint in hints.chain([&end.next]) {
                assert!(!hint.contains("PAIR"), "it can't be typed as it stands: {hint}");
            }
        }
        self.assert_no_secret(store, &format!("{:?} {part:?}", seen.records), &seen.records);
        part
    }

    /// No artefact of a run holds a secret, in any form in which one travels.
    pub fn assert_no_secret(&self, store: &SimStore, debug: &str, records: &[Record]) {
        let mut renderer = bootstrap::render::Renderer::new();
        let shown: Vec<String> =
            records.iter().flat_map(|record| renderer.record(record)).map(|line| line.text).collect();
        let mut artefacts = vec![("debug".to_owned(), debug.to_owned()), ("lines".to_owned(), shown.join("\n"))];
        for run in store.runs().unwrap() {
            let journal = store.read(&run).unwrap();
            artefacts.push((run.to_string(), String::from_utf8_lossy(&journal).into_owned()));
        }
        for secret in self.secrets.all() {
            let plain = secret.reveal();
            let hex: String = plain.bytes().map(|b| format!("{b:02x}")).collect();
            let escaped: String = plain.bytes().map(|b| format!("\\{b:02X}")).collect();
            for form in [plain.to_owned(), hex.to_uppercase(), hex, escaped, base64(plain.as_bytes())] {
                for (name, text) in &artefacts {
                    // joined again: wrapped or spread over lines it is a secret, too
                    let joined: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                    assert!(!text.contains(&form) && !joined.contains(&form), "a secret is in {name}");
                }
            }
        }
    }

    /// A new process until the run is done; what it needs is a bounded number of them.
    pub async fn until_done(&self, store: &SimStore) -> RunEnd {
        let mut last = None;
        for _ in 0..4 {
            match self.process(store, |_| false).await {
                Part::Ended(end) if end.exit == Exit::Done => return *end,
                Part::Ended(end) => last = Some(end),
                Part::Killed => unreachable!(),
            }
        }
        panic!("not done: {last:#?}");
    }

    /// How often a router's configuration was erased, and how often a backup took its place.
    pub fn counts(&self, who: char) -> (usize, usize) {
        let events = self.destructive(who);
        let erased = events.iter().filter(|kind| matches!(kind, EventKind::ConfigErased { .. })).count();
        (erased, events.len() - erased)
    }
}

/// Base64 without its last, possibly shared, character.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks_exact(3) {
        let bits = u32::from_be_bytes([0, chunk[0], chunk[1], chunk[2]]);
        for shift in [18, 12, 6, 0] {
            out.push(char::from(DIGITS[(bits >> shift & 63) as usize]));
        }
    }
    out
}

/// Runs a test in the simulated world.
pub fn simulated<F: Future<Output = ()>>(test: impl FnOnce() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        // In a debug build each future below has its whole state on the stack as it is made: a test's thread has two megabytes.
        Box::pin(test()).await;
    });
}
