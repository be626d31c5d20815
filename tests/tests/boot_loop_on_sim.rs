//! A board whose kernel loads and dies, again and again: named, caught in its boot loader's window, installed over the network.

mod common;

use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker as TaskWaker};
use std::time::Duration;

use bootstrap::diagnosis::{Name, of_line};
use bootstrap::engine::{Options, RunEnd};
use bootstrap::event::{Event, Record};
use bootstrap::exit::Exit;
use bootstrap::path::{Confirmation, Start};
use bootstrap::recover::{self, Access, Asked, Lines, NoTools, Procedure, Rescue, ToolEnd, Tools};
use bootstrap::road::{Connection, LocalFuture, Request, RoadError, Roads};
use bootstrap::store::{SimStore, Store as _};
use bootstrap::trouble::Trouble;
use common::{Seen, SimClock, simulated};
use lab::{NodeHandle, World};
use routeros::wake::{Plan, State};
use routeros::{BoxLink, ByteLink, LoginOptions, Secret, Shell, Waker, boot};
use routersim::record::EventKind;
use routersim::router::{Installation, Keep, Router};
use routersim::serial::Netboot;
use routersim::spec::Spec;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::watch;

/// Every byte that was sent, with what stood at the end of the line as it was.
type Typed = Arc<Mutex<Vec<(String, u8)>>>;

/// How often the cable was pulled, and who reads it.
type Pulls = Arc<Mutex<(u32, Vec<TaskWaker>)>>;

/// A cable that keeps what was typed, and at what. It is gone for good once it was pulled.
struct Heard {
    io: DuplexStream,
    tail: Vec<u8>,
    typed: Typed,
    pulls: Pulls,
    laid: u32,
}

impl Heard {
    fn new(io: DuplexStream, typed: &Typed, pulls: &Pulls) -> Self {
        let laid = pulls.lock().unwrap().0;
        Self { io, tail: Vec::new(), typed: Arc::clone(typed), pulls: Arc::clone(pulls), laid }
    }
}

impl AsyncRead for Heard {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        {
            let mut pulls = self.pulls.lock().unwrap();
            if pulls.0 != self.laid {
                return Poll::Ready(Ok(()));
            }
            pulls.1.push(cx.waker().clone());
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        self.tail.extend_from_slice(&buf.filled()[before..]);
        polled
    }
}

impl AsyncWrite for Heard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.pulls.lock().unwrap().0 != self.laid {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        }
        let text = String::from_utf8_lossy(&self.tail).into_owned();
        let line = text.rsplit(['\n', '\r']).next().unwrap_or_default().to_owned();
        self.typed.lock().unwrap().extend(bytes.iter().map(|byte| (line.clone(), *byte)));
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl ByteLink for Heard {
    fn describe(&self) -> String {
        "serial".into()
    }
}

/// The router, its line, and nothing else.
struct Board {
    router: NodeHandle<Router>,
    typed: Typed,
    pulls: Pulls,
}

/// What lies there is pulled; the next one is not.
fn pull(pulls: &Pulls) {
    let mut pulls = pulls.lock().unwrap();
    pulls.0 += 1;
    pulls.1.drain(..).for_each(TaskWaker::wake);
}

impl Board {
    fn new(tune: impl FnOnce(&mut Spec)) -> Self {
        let mut spec = Spec::pair_b().version("7.18.2".parse().unwrap());
        spec.booter.broken = true;
        tune(&mut spec);
        let world = World::new(1);
        let router = world.add("B", Router::new(spec, 1).unwrap());
        tokio::task::spawn_local(world.clone().drive(1.0));
        router.with(|router, now| router.power_on(now));
        Self { router, typed: Typed::default(), pulls: Pulls::default() }
    }

    fn cable(&self) -> BoxLink {
        let io = lab::serial::cable(&self.router, 115_200);
        Box::new(Heard::new(io, &self.typed, &self.pulls))
    }

    fn events(&self) -> Vec<EventKind> {
        self.router.with(|router, _| std::iter::from_fn(|| router.poll_event()).map(|event| event.kind).collect())
    }

    /// Nothing was typed but into an announced window and an open menu.
    #[track_caller]
    fn assert_typed_only_where_it_is_the_plan(&self) {
        for (line, byte) in self.typed.lock().unwrap().iter() {
            let window = line.starts_with("Press ") && line.contains(" to enter setup");
            assert!(window || line.is_empty() || line.starts_with("your choice: "), "{byte:#x} was typed at {line:?}");
        }
    }

    /// Keys that were typed into a window.
    fn window_keys(&self) -> Vec<u8> {
        let typed = self.typed.lock().unwrap();
        typed.iter().filter(|(line, _)| line.starts_with("Press ")).map(|(_, byte)| *byte).collect()
    }
}

impl Lines for Board {
    fn line(&self) -> LocalFuture<'_, Result<Option<BoxLink>, RoadError>> {
        Box::pin(async { Ok(Some(self.cable())) })
    }
}

impl Roads for Board {
    fn connect<'a>(&'a self, request: &'a Request) -> LocalFuture<'a, Result<Connection, RoadError>> {
        Box::pin(async {
            let mut login = request.login.clone();
            login.wake = Some(boot::IDLE);
            let shell = Shell::login(self.cable(), login).await;
            let shell = shell.map_err(|error| RoadError::from_console("serial:///dev/b", &error))?;
            Ok(Connection { shell, road: "serial:///dev/b".into(), evidence: Default::default() })
        })
    }
}

/// A program of the host that waits on the BOOT port's cable, and installs whoever asks.
struct Netinstall(NodeHandle<Router>);

impl Tools for Netinstall {
    fn run<'a>(&'a self, argv: &'a [String]) -> LocalFuture<'a, Result<ToolEnd, Trouble>> {
        Box::pin(async move {
            let package = argv.last().unwrap().clone();
            self.0.with(|router, now| {
                let offer = Installation::of(router, &package, Keep::Old);
                router.offer_installation(now, offer);
            });
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let told = self.0.with(|router, _| router.take_told());
                if told.iter().any(|told| format!("{told:?}") == "Done") {
                    self.0.with(|router, now| router.offer_installation(now, None));
                    return Ok(ToolEnd { ok: true, said: "Sent reboot command".into() });
                }
            }
        })
    }
}

fn access<'a>(board: &'a Board, tools: &'a dyn Tools) -> Access<'a> {
    let mut login = LoginOptions::new("admin");
    login.passwords = vec![Secret::new("")];
    Access {
        target: "serial:///dev/b".into(),
        roads: board,
        lines: board,
        take_over: false,
        line_first: true,
        tools,
        pair: None,
        login,
        new_ha: None,
        pair_name: None,
    }
}

/// Plans and runs; `each` kills the run by returning true.
async fn run(
    board: &Board,
    tools: &dyn Tools,
    store: &SimStore,
    procedure: Procedure,
    asked: &Asked,
    mut each: impl FnMut(&Record) -> bool + 'static,
) -> (Rescue, Option<RunEnd>) {
    let access = access(board, tools);
    let mut disk = store.clone();
    let rescue = recover::prepare(&access, &mut disk, &SimClock, Some(procedure), asked).await.unwrap();
    let plan = rescue.plan.clone().unwrap();
    let kill = Rc::new(tokio::sync::Notify::new());
    let killer = Rc::clone(&kill);
    let tell: Box<dyn FnMut(&Record)> = Box::new(move |record| {
        if each(record) {
            killer.notify_one();
        }
    });
    let mut seen = Seen { each: Some(tell), ..Seen::default() };
    let (_keep, stop) = watch::channel(false);
    let confirmation = Confirmation { fingerprint: plan.fingerprint.clone(), serial: None };
    let start = Start { store: &mut disk, clock: &SimClock, sink: &mut seen, stop, options: Options::default() };
    let end = tokio::select! {
        biased;
        () = kill.notified() => None,
        end = recover::run(&access, &plan, &confirmation, start) => Some(end),
    };
    (rescue, end)
}

async fn resume(board: &Board, tools: &dyn Tools, store: &SimStore) -> RunEnd {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let access = access(board, tools);
    let mut disk = store.clone();
    let run = disk.runs().unwrap().last().cloned().unwrap();
    let (_keep, stop) = watch::channel(false);
    let mut seen = Seen::default();
    let start = Start { store: &mut disk, clock: &SimClock, sink: &mut seen, stop, options: Options::default() };
    recover::resume(&access, run, start).await.unwrap()
}

async fn awake(board: &Board, plan: &Plan) -> (State, String) {
    let mut waker = Waker::new(board.cable(), None);
    let woken = waker.wake(plan).await.unwrap();
    assert_eq!(woken.sent, b"", "{woken:?}");
    (woken.state, woken.boot.map(|boot| boot.to_string()).unwrap_or_default())
}

#[test]
fn a_loop_of_starts_is_named_with_nothing_typed() {
    // One that speaks; one whose boot loader is silent; one that asks the network first.
    for (name, setting, board_told) in [
        ("speaks", None, true),
        ("silent", Some(("silent-boot", "yes")), false),
        ("network first", Some(("boot-device", "try-ethernet-once-then-nand")), true),
    ] {
        simulated(|| async move {
            let board = Board::new(|spec| {
                spec.booter.settings.extend(setting.map(|(key, value)| (key.to_owned(), value.to_owned())));
            });
            // The first start begins to be watched when a look has heard something.
            tokio::time::sleep(Duration::from_millis(if name == "silent" { 7900 } else { 1500 })).await;
            let began = tokio::time::Instant::now();
            let (state, ridden) = awake(&board, &Plan::watch(Duration::from_secs(60))).await;
            let State::BootLoop(found) = &state else { panic!("{name}: {state:?}, {ridden}") };
            assert_eq!(found.starts, boot::LOOP, "{name}");
            assert!(found.last.starts_with("Rebooting in "), "{name}: {found:?}");
            assert_eq!(found.board.as_deref(), board_told.then_some("CCR1009-7G-1C"), "{name}");
            assert!(began.elapsed() < Duration::from_secs(300), "{name}: {:?}", began.elapsed());
            let diagnosis = of_line(&state).unwrap();
            assert_eq!(diagnosis.state, Name::F8);
            let shown = format!("{diagnosis:?}");
            for words in ["boot loop", "3 starts in ", "Rebooting in ", "etherboot"] {
                assert!(shown.contains(words), "{name}: {words} is not in {shown}");
            }
            assert!(board.typed.lock().unwrap().is_empty());
        });
    }
}

/// A command that wants a login says so, and ends.
#[test]
fn a_login_at_a_loop_of_starts_ends_with_its_own_error() {
    simulated(|| async {
        let board = Board::new(|_| {});
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let road = |error: &routeros::Error| RoadError::from_console("serial:///dev/b", error);
        let mut login = LoginOptions::new("admin");
        login.wake = Some(boot::SUSPECT);
        let began = tokio::time::Instant::now();
        let error = Shell::login(board.cable(), login).await.unwrap_err();
        assert_eq!(error.code(), "routeros.boot.loop", "{error}");
        assert!(road(&error).hints.iter().any(|hint| hint.contains("etherboot --plan-only")));
        assert!(error.to_string().contains("3 starts") && error.to_string().contains("Rebooting in"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(300), "{:?}", began.elapsed());
        assert!(board.typed.lock().unwrap().is_empty());
    });
}

/// What is said without an end is no boot that is waited for without one.
#[test]
fn a_line_that_never_stops_booting_has_its_time() {
    simulated(|| async {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        tokio::task::spawn_local(async move {
            use tokio::io::AsyncWriteExt as _;
            while far.write_all(b"loading kernel... OK\r\nStarting services...\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        });
        let typed = Typed::default();
        let mut waker = Waker::new(Box::new(Heard::new(near, &typed, &Pulls::default())), None);
        let began = tokio::time::Instant::now();
        let woken = waker.wake(&Plan::settle(boot::IDLE)).await.unwrap();
        assert_eq!(woken.state, State::Booting, "{woken:?}");
        assert!(began.elapsed() < boot::BOOT + Duration::from_secs(10), "{:?}", began.elapsed());
        assert!(typed.lock().unwrap().is_empty());
    });
}

/// An upgrade takes two starts, and is none.
#[test]
fn two_starts_are_no_loop() {
    simulated(|| async {
        let board = Board::new(|spec| spec.booter.broken = false);
        board.router.with(|router, now| {
            router.power_cut(now);
            router.power_on(now);
        });
        tokio::time::sleep(Duration::from_secs(20)).await;
        board.router.with(|router, now| {
            router.power_cut(now);
            router.power_on(now);
        });
        let (state, _) = awake(&board, &Plan::watch(boot::SUSPECT)).await;
        assert_eq!(state, State::Login);
    });
}

#[test]
fn etherboot_is_reached_from_the_loop() {
    simulated(|| async {
        let board = Board::new(|spec| spec.booter.netboot = Netboot::Installer);
        let (rescue, end) =
            run(&board, &NoTools, &SimStore::default(), Procedure::Etherboot, &Asked::default(), |_| false).await;
        assert_eq!(rescue.diagnosis.state, Name::F8);
        assert_eq!(rescue.fits, [Procedure::Leave, Procedure::Etherboot, Procedure::Netinstall]);
        let plan = rescue.plan.unwrap();
        let notes = plan.notes.join("\n");
        assert!(notes.contains("here it is the plan") && notes.contains("-tile.npk"), "{notes}");
        let end = end.unwrap();
        assert_eq!(end.exit, Exit::Done, "{end:?}");
        let events = board.events();
        let keys: Vec<(&str, u8)> = events
            .iter()
            .filter_map(|event| match event {
                EventKind::BootKey { menu, key } if *key != 3 => Some((*menu, *key)),
                _ => None,
            })
            .collect();
        assert!(keys.ends_with(&[("main", b'o'), ("boot device", b'1'), ("main", b'i'), ("main", b'x')]), "{keys:?}");
        assert!(events.iter().any(|event| matches!(event, EventKind::BootKey { menu: "window", key: 3 })));
        assert!(!events.iter().any(|event| event.is_destructive() || matches!(event, EventKind::BootFormatted)));
        assert_eq!(board.window_keys(), [3], "one key, in one window");
        board.assert_typed_only_where_it_is_the_plan();
    });
}

#[test]
fn killed_around_the_window_and_gone_on_with() {
    for step in ["loader.catch", "loader.ethernet-once", "loader.leave"] {
        // Behind the last step's end there is nothing left to kill.
        for at_the_end in [false, true].into_iter().filter(|end| !end || step != "loader.leave") {
            simulated(|| async move {
                let board = Board::new(|spec| spec.booter.netboot = Netboot::Installer);
                let store = SimStore::default();
                let dies = move |record: &Record| match &record.event {
                    Event::StepStarted { step: id, .. } => !at_the_end && id == step,
                    Event::StepCompleted { step: id, .. } => at_the_end && id == step,
                    _ => false,
                };
                let (_, end) = run(&board, &NoTools, &store, Procedure::Etherboot, &Asked::default(), dies).await;
                assert_eq!(end, None, "{step} was not reached");
                let end = resume(&board, &NoTools, &store).await;
                assert_eq!(end.exit, Exit::Done, "{step}, {at_the_end}: {end:?}");
                board.assert_typed_only_where_it_is_the_plan();
            });
        }
    }
}

/// The window passes while nobody looks: the next one is waited for.
#[test]
fn a_window_that_is_missed_is_waited_for_again() {
    simulated(|| async {
        let board = Board::new(|_| {});
        // In the middle of a kernel's silence.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let caught = routeros::window::catch(Waker::new(board.cable(), None), Duration::from_secs(300), false).await;
        assert!(matches!(caught, Ok(routeros::window::Caught::Menu(_))), "{caught:?}");
        assert_eq!(board.window_keys(), [3]);
        board.assert_typed_only_where_it_is_the_plan();
    });
}

#[test]
fn a_boot_loader_that_wants_delete_or_hears_nothing() {
    for (setting, ctrl_e, keys, wanted) in [
        (("enter-setup-on", "delete-key"), false, vec![0x7f], "Menu"),
        (("protected-routerboot", "enabled"), false, vec![3; 6], "Deaf"),
    ] {
        simulated(|| async move {
            let board = Board::new(|spec| {
                spec.booter.settings.insert(setting.0.into(), setting.1.into());
            });
            let caught =
                routeros::window::catch(Waker::new(board.cable(), None), Duration::from_secs(600), ctrl_e).await;
            assert!(format!("{caught:?}").starts_with(&format!("Ok({wanted}")), "{setting:?}: {caught:?}");
            assert_eq!(board.window_keys(), keys, "{setting:?}");
            board.assert_typed_only_where_it_is_the_plan();
        });
    }
}

/// With a program and a package, from the loop to a login.
#[test]
fn a_board_in_a_loop_is_installed() {
    simulated(|| async {
        let board = Board::new(|_| {});
        let tools = Netinstall(board.router.clone());
        let asked = Asked {
            netinstall: Some("netinstall-cli".into()),
            package: Some("routeros-7.19.4-tile.npk".into()),
            interface: Some("eth9".into()),
            ..Asked::default()
        };
        let (_, end) = run(&board, &tools, &SimStore::default(), Procedure::Netinstall, &asked, |_| false).await;
        let end = end.unwrap();
        assert_eq!(end.exit, Exit::Done, "{end:?}");
        assert!(board.events().iter().any(|event| matches!(event, EventKind::Installed { .. })));
        board.assert_typed_only_where_it_is_the_plan();
        let (state, _) = awake(&board, &Plan::watch(Duration::from_secs(60))).await;
        assert_eq!(state, State::Silent, "its login prompt stands there, and says nothing");
    });
}

/// What the router said of itself while it was up decides what is planned when it can't be asked any more.
#[test]
fn what_an_earlier_run_saved_is_known() {
    for protected in [false, true] {
        simulated(|| async move {
            let store = SimStore::default();
            let tune = move |spec: &mut Spec| {
                let setting = if protected { "enabled" } else { "disabled" };
                spec.booter.settings.insert("protected-routerboot".into(), setting.into());
            };
            let healthy = Board::new(|spec| {
                tune(spec);
                spec.booter.broken = false;
            });
            tokio::time::sleep(Duration::from_secs(90)).await;
            let (_, end) = run(&healthy, &NoTools, &store, Procedure::Leave, &Asked::default(), |_| false).await;
            assert_eq!(end.unwrap().exit, Exit::Done);
            let broken = Board::new(tune);
            // A look that hears something within its second types nothing.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            let access = access(&broken, &NoTools);
            let mut disk = store.clone();
            let asked = Asked::default();
            let prepared = recover::prepare(&access, &mut disk, &SimClock, Some(Procedure::Etherboot), &asked).await;
            // The loop was named as its newest kernel began: now that one dies, and a banner comes.
            tokio::time::sleep(Duration::from_millis(41_500)).await;
            let says = recover::look(&access, &store).await.says("serial:///dev/b").join("\n");
            assert!(says.contains("boot loop") && says.contains("board type: CCR1009-7G-1C"), "{says}");
            assert_eq!(says.contains("ITS BOOT LOADER IS PROTECTED"), protected, "{says}");
            assert_eq!(says.contains("etherboot --plan-only"), !protected, "{says}");
            match prepared {
                Err(trouble) => {
                    assert!(protected);
                    assert_eq!(trouble.code, "recover.protected");
                }
                Ok(rescue) => {
                    assert!(!protected);
                    let notes = rescue.plan.unwrap().notes.join("\n");
                    for words in ["routeros-7.18.2-tile.npk", "ARCHITECTURE tile: what it said of itself in run "] {
                        assert!(notes.contains(words), "{words} is not in {notes}");
                    }
                }
            }
            assert!(broken.typed.lock().unwrap().is_empty(), "nobody logs in to look");
        });
    }
}

/// A board whose menu was opened by noise, its cable free again.
async fn in_its_menu(broken: bool) -> Board {
    use tokio::io::AsyncWriteExt as _;
    let board = Board::new(|spec| {
        spec.booter.broken = broken;
        spec.booter.netboot = Netboot::Installer;
    });
    let mut noise = lab::serial::cable(&board.router, 115_200);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    noise.write_all(b" ").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(noise);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let opened = board.events().iter().any(|event| matches!(event, EventKind::BootKey { menu: "window", key: b' ' }));
    assert!(opened);
    board
}

async fn up() -> Board {
    let board = Board::new(|spec| spec.booter.broken = false);
    tokio::time::sleep(Duration::from_secs(90)).await;
    board
}

async fn starts_for_ever() -> Board {
    Board::new(|spec| spec.booter.netboot = Netboot::Installer)
}

/// The tool killed, and then the cable pulled, as each step begins; whatever the step, the run is gone on with to its end.
fn through_every_step(procedure: Procedure, board: impl AsyncFn() -> Board, proved: impl AsyncFn(&Board)) {
    let asked = match procedure {
        Procedure::Netinstall => Asked {
            netinstall: Some("netinstall-cli".into()),
            package: Some("routeros-7.19.4-tile.npk".into()),
            interface: Some("eth9".into()),
            ..Asked::default()
        },
        _ => Asked::default(),
    };
    let steps = Rc::new(std::cell::RefCell::new(Vec::<String>::new()));
    simulated(|| async {
        let (board, steps) = (board().await, Rc::clone(&steps));
        let tools = Netinstall(board.router.clone());
        let (_, end) = run(&board, &tools, &SimStore::default(), procedure, &asked, move |record| {
            if let Event::StepStarted { step, .. } = &record.event {
                steps.borrow_mut().push(step.clone());
            }
            false
        })
        .await;
        assert_eq!(end.map(|end| end.exit), Some(Exit::Done), "{procedure:?}");
        proved(&board).await;
    });
    assert!(!steps.borrow().is_empty());
    for step in steps.borrow().iter() {
        for pulled in [false, true] {
            simulated(|| async {
                let board = board().await;
                let (store, tools) = (SimStore::default(), Netinstall(board.router.clone()));
                let (at, pulls) = (step.clone(), Arc::clone(&board.pulls));
                let blow = move |record: &Record| {
                    let now = matches!(&record.event, Event::StepStarted { step, .. } if *step == at);
                    if now && pulled {
                        pull(&pulls);
                    }
                    now && !pulled
                };
                let (_, mut end) = run(&board, &tools, &store, procedure, &asked, blow).await;
                assert!(end.is_some() == pulled, "{procedure:?}: {step} was not reached");
                if pulled {
                    assert_eq!(board.pulls.lock().unwrap().0, 1, "{procedure:?}: {step} was not reached");
                }
                if end.as_ref().is_none_or(|end| end.exit != Exit::Done) {
                    assert!(end.as_ref().is_none_or(|end| end.resumable), "{procedure:?}, {step}: {end:?}");
                    end = Some(resume(&board, &tools, &store).await);
                }
                assert_eq!(
                    end.as_ref().map(|end| end.exit),
                    Some(Exit::Done),
                    "{procedure:?}, {step}, pulled {pulled}: {end:?}"
                );
                proved(&board).await;
            });
        }
    }
}

/// Somebody's login prompt, which says nothing until it is asked.
async fn comes_up(board: &Board) {
    tokio::time::sleep(Duration::from_secs(120)).await;
    let mut login = LoginOptions::new("admin");
    login.wake = Some(boot::IDLE);
    let shell = Shell::login(board.cable(), login).await.unwrap();
    assert_eq!(shell.value("(1 + 1)").await.unwrap().text(), "2");
}

#[test]
fn left_as_it_is_with_the_tool_killed_and_the_line_pulled() {
    through_every_step(Procedure::Leave, up, comes_up);
}

#[test]
fn out_of_the_loader_with_the_tool_killed_and_the_line_pulled() {
    through_every_step(Procedure::LeaveLoader, async || in_its_menu(false).await, comes_up);
}

#[test]
fn etherboot_with_the_line_pulled() {
    through_every_step(Procedure::Etherboot, starts_for_ever, async |board| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let (state, _) = awake(board, &Plan::watch(Duration::from_secs(60))).await;
        assert!(matches!(state, State::Installer | State::Etherboot | State::Silent), "{state:?}");
        board.assert_typed_only_where_it_is_the_plan();
    });
}

#[test]
fn installed_from_the_menu_with_the_tool_killed_and_the_line_pulled() {
    through_every_step(
        Procedure::Netinstall,
        async || in_its_menu(true).await,
        async |board| {
            assert!(board.events().iter().any(|event| matches!(event, EventKind::Installed { .. })));
            comes_up(board).await;
        },
    );
}
