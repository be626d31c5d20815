//! A board without a pair: its serial line, whose every typed byte is kept, its BOOT port, and rescues over them.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker as TaskWaker};
use std::time::Duration;

use crate::common::{Seen, Ticking};
use bootstrap::engine::{Options, RunEnd};
use bootstrap::event::Record;
use bootstrap::path::{Confirmation, Start};
use bootstrap::recover::{self, Access, Asked, Lines, Procedure, Rescue, Tools};
use bootstrap::road::{Connection, LocalFuture, Request, RoadError, Roads};
use bootstrap::store::{SimStore, Store as _};
use lab::{NodeHandle, World};
use routeros::wake::{Plan, State};
use routeros::{BoxLink, ByteLink, LoginOptions, Secret, Shell, Waker, boot};
use routersim::record::EventKind;
use routersim::router::Router;
use routersim::serial::Netboot;
use routersim::spec::Spec;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::watch;

/// Every byte that was sent, with what stood at the end of the line as it was.
pub type Typed = Arc<Mutex<Vec<(String, u8)>>>;

/// How often the cable was pulled, and who reads it.
pub type Pulls = Arc<Mutex<(u32, Vec<TaskWaker>)>>;

/// A cable that keeps what was typed, and at what. It is gone for good once it was pulled.
pub struct Heard {
    io: DuplexStream,
    tail: Vec<u8>,
    typed: Typed,
    pulls: Pulls,
    laid: u32,
}

impl Heard {
    pub fn new(io: DuplexStream, typed: &Typed, pulls: &Pulls) -> Self {
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
pub struct Board {
    pub router: NodeHandle<Router>,
    pub typed: Typed,
    pub pulls: Pulls,
}

/// What lies there is pulled; the next one is not.
pub fn pull(pulls: &Pulls) {
    let mut pulls = pulls.lock().unwrap();
    pulls.0 += 1;
    pulls.1.drain(..).for_each(TaskWaker::wake);
}

impl Board {
    pub fn new(tune: impl FnOnce(&mut Spec)) -> Self {
        let mut spec = Spec::pair_b().version("7.18.2".parse().unwrap());
        spec.booter.broken = true;
        tune(&mut spec);
        let world = World::new(1);
        let router = world.add("B", Router::new(spec, 1).unwrap());
        tokio::task::spawn_local(world.clone().drive(1.0));
        router.with(|router, now| router.power_on(now));
        Self { router, typed: Typed::default(), pulls: Pulls::default() }
    }

    pub fn cable(&self) -> BoxLink {
        let io = lab::serial::cable(&self.router, 115_200);
        Box::new(Heard::new(io, &self.typed, &self.pulls))
    }

    pub fn events(&self) -> Vec<EventKind> {
        self.router.with(|router, _| std::iter::from_fn(|| router.poll_event()).map(|event| event.kind).collect())
    }

    /// Nothing was typed but into an announced window and an open menu.
    #[track_caller]
    pub fn assert_typed_only_where_it_is_the_plan(&self) {
        for (line, byte) in self.typed.lock().unwrap().iter() {
            let window = line.starts_with("Press ") && line.contains(" to enter setup");
            assert!(window || line.is_empty() || line.starts_with("your choice: "), "{byte:#x} was typed at {line:?}");
        }
    }

    /// Keys that were typed into a window.
    pub fn window_keys(&self) -> Vec<u8> {
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

pub fn access<'a>(board: &'a Board, tools: &'a dyn Tools) -> Access<'a> {
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
        beside: Vec::new(),
    }
}

/// Plans and runs; `each` kills the run by returning true.
pub async fn run(
    board: &Board,
    tools: &dyn Tools,
    store: &SimStore,
    procedure: Procedure,
    asked: &Asked,
    each: impl FnMut(&Record) -> bool + 'static,
) -> (Rescue, Option<RunEnd>) {
    let access = access(board, tools);
    let mut disk = store.clone();
    let rescue = recover::prepare(&access, &mut disk, &Ticking, Some(procedure), asked).await.unwrap();
    let plan = rescue.plan.clone().unwrap();
    let (mut seen, kill) = Seen::killing(each);
    let (_keep, stop) = watch::channel(false);
    let confirmation = Confirmation { fingerprint: plan.fingerprint.clone(), serial: None };
    let start = Start { store: &mut disk, clock: &Ticking, sink: &mut seen, stop, options: Options::default() };
    let end = tokio::select! {
        biased;
        () = kill.notified() => None,
        end = recover::run(&access, &plan, &confirmation, start) => Some(end),
    };
    (rescue, end)
}

pub async fn resume(board: &Board, tools: &dyn Tools, store: &SimStore) -> RunEnd {
    tokio::time::sleep(Duration::from_secs(1)).await;
    let access = access(board, tools);
    let mut disk = store.clone();
    let run = disk.runs().unwrap().last().cloned().unwrap();
    let (_keep, stop) = watch::channel(false);
    let mut seen = Seen::default();
    let start = Start { store: &mut disk, clock: &Ticking, sink: &mut seen, stop, options: Options::default() };
    recover::resume(&access, run, start).await.unwrap()
}

pub async fn awake(board: &Board, plan: &Plan) -> (State, String) {
    let mut waker = Waker::new(board.cable(), None);
    let woken = waker.wake(plan).await.unwrap();
    assert_eq!(woken.sent, b"", "{woken:?}");
    (woken.state, woken.boot.map(|boot| boot.to_string()).unwrap_or_default())
}

/// A board whose menu was opened by noise, its cable free again.
pub async fn in_its_menu(broken: bool) -> Board {
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

pub async fn up() -> Board {
    let board = Board::new(|spec| spec.booter.broken = false);
    tokio::time::sleep(Duration::from_secs(90)).await;
    board
}

pub async fn starts_for_ever() -> Board {
    Board::new(|spec| spec.booter.netboot = Netboot::Installer)
}
