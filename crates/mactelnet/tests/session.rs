//! The tokio driver: a session as a byte stream, on an in-memory wire under a paused clock.
#![cfg(feature = "io")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "common/pair.rs"]
mod pair;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use mactelnet::client::{Config, Error};
use mactelnet::faults::Faults;
use mactelnet::io::fault::FaultLink;
use mactelnet::io::link::recv;
use mactelnet::io::memory::{MemoryLink, wire};
use mactelnet::io::{BoxLink, Clock, Link, LinkInfo, Session};
use mactelnet::server::{CloseReason, EventKind, Server};
use mactelnet::wire::frame::{Frame, Repr};
use mactelnet::wire::packet::{Packet, PacketType};
use mactelnet::{Meta, auth::Password};
use pair::{CLIENT, SERVER, client_config, server_config, users};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const PROMPT: &[u8] = b"\r\n[admin@MikroTik] > ";

/// What a router was told to do, and what it saw.
#[derive(Default)]
struct Log {
    closed: Vec<CloseReason>,
    logins: u32,
    typed: Vec<u8>,
}

/// A router: prompts, takes what is typed, prints `output` when a line comes, ends at `exit`.
async fn serve(mut link: impl Link, output: Vec<u8>, log: Arc<Mutex<Log>>) -> io::Result<()> {
    let clock = Clock::new();
    let mut server = Server::new(server_config(1), users());
    let mut to_write: Vec<(mactelnet::server::SessionId, Vec<u8>, bool)> = Vec::new();
    let mut frame = Vec::new();
    loop {
        let now = clock.now();
        server.handle_timeout(now);
        while let Some(event) = server.poll_event() {
            let mut log = log.lock().unwrap();
            match event.kind {
                EventKind::Login { .. } => {
                    log.logins += 1;
                    to_write.push((event.session, PROMPT.to_vec(), false));
                }
                EventKind::Data(data) => {
                    log.typed.extend_from_slice(&data);
                    let exit = log.typed.ends_with(b"exit\r");
                    if data.ends_with(b"\r") {
                        to_write.push((event.session, output.clone(), exit));
                    }
                }
                EventKind::Closed(reason) => log.closed.push(reason),
                _ => {}
            }
        }
        for (session, bytes, exit) in &mut to_write {
            let taken = server.write(now, *session, bytes);
            bytes.drain(..taken);
            if bytes.is_empty() && *exit {
                server.close(now, *session);
            }
        }
        to_write.retain(|(_, bytes, _)| !bytes.is_empty());
        while let Some(t) = server.poll_transmit(now) {
            let repr = Repr::new(t.meta.src_mac, t.meta.dst_mac, t.meta.src_port, t.meta.dst_port, 1);
            link.send(&repr.to_vec(&t.payload).unwrap())?;
        }
        let wake =
            server.poll_timeout().map_or(tokio::time::Instant::now() + Duration::from_secs(60), |at| clock.at(at));
        tokio::select! {
            biased;
            result = recv(&mut link, &mut frame) => {
                result?;
                let view = Frame::new_checked(&frame).unwrap();
                let meta = Meta {
                    link: 0,
                    src_mac: view.src_mac(),
                    dst_mac: view.dst_mac(),
                    src_port: view.src_port(),
                    dst_port: view.dst_port(),
                };
                server.handle_datagram(clock.now(), &meta, view.payload());
            }
            () = tokio::time::sleep_until(wake) => {}
        }
    }
}

fn router(output: &[u8]) -> (MemoryLink, Arc<Mutex<Log>>, tokio::task::JoinHandle<io::Result<()>>) {
    let log = Arc::new(Mutex::new(Log::default()));
    let (ours, theirs) = wire(("eth1", CLIENT), ("ether8", SERVER));
    let task = tokio::spawn(serve(theirs, output.to_vec(), Arc::clone(&log)));
    (ours, log, task)
}

async fn until(session: &mut Session, end: &[u8]) -> Vec<u8> {
    let mut got = Vec::new();
    while !got.ends_with(end) {
        assert!(session.read_buf(&mut got).await.unwrap() > 0, "ended after {:?}", String::from_utf8_lossy(&got));
    }
    got
}

#[tokio::test(start_paused = true)]
async fn a_dialogue_from_login_to_the_routers_own_end() {
    let (link, log, _router) = router(b"done");
    let mut session = Session::connect(Box::new(link), client_config(1)).await.unwrap();
    until(&mut session, PROMPT).await;
    session.resize(132, 43);
    session.write_all(b"/system identity print\r").await.unwrap();
    assert_eq!(until(&mut session, b"done").await, b"done");
    session.write_all(b"exit\r").await.unwrap();
    let mut rest = Vec::new();
    session.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"done");
    assert_eq!(session.error(), None);
    assert_eq!(log.lock().unwrap().closed, [CloseReason::Server]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_types_what_was_written_and_waits_for_the_end() {
    let (link, log, _router) = router(b"");
    let mut session = Session::connect(Box::new(link), client_config(1)).await.unwrap();
    session.write_all(&[b'x'; 20_000]).await.unwrap();
    session.shutdown().await.unwrap();
    let log = log.lock().unwrap();
    assert_eq!((log.typed.len(), &log.closed[..]), (20_000, &[CloseReason::Client][..]));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_session_is_ended() {
    let (link, log, _router) = router(b"");
    let session = Session::connect(Box::new(link), client_config(1)).await.unwrap();
    drop(session);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(log.lock().unwrap().closed, [CloseReason::Client]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_an_error() {
    let (link, _, _router) = router(b"");
    let config = Config { password: Password::from("wrong"), ..client_config(1) };
    let error = Session::connect(Box::new(link), config).await.unwrap_err();
    assert_eq!(error.code(), "mactelnet.auth.rejected");
}

#[tokio::test(start_paused = true)]
async fn a_router_that_dies_is_noticed_though_nothing_is_typed() {
    let (link, _, router) = router(b"");
    let (ours, theirs) = wire(("eth1", CLIENT), ("relay", SERVER));
    // A wire whose far end stays plugged in when the router loses power.
    let relay = tokio::spawn(relay(theirs, link));
    let mut session = Session::connect(Box::new(ours), client_config(1)).await.unwrap();
    until(&mut session, PROMPT).await;
    router.abort();
    let begun = tokio::time::Instant::now();
    let error = session.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    assert_eq!(session.error().map(|e| e.code()), Some("mactelnet.session.silent"));
    relay.abort();
}

async fn relay(mut a: MemoryLink, mut b: MemoryLink) {
    let (mut from_a, mut from_b) = (Vec::new(), Vec::new());
    let mut dead = false;
    loop {
        tokio::select! {
            biased;
            _ = recv(&mut a, &mut from_a) => dead |= b.send(&from_a).is_err(),
            result = recv(&mut b, &mut from_b), if !dead => {
                dead |= result.is_err();
                if !dead {
                    let _ = a.send(&from_b);
                }
            }
        }
    }
}

/// Moves the counters of everything that the router sends after a marker, as if what lay between had been lost and
/// never sent again.
struct Hole {
    inner: MemoryLink,
    open: bool,
}

impl Link for Hole {
    fn info(&self) -> &LinkInfo {
        self.inner.info()
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.inner.send(frame)
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        ready!(self.inner.poll_recv(cx, frame))?;
        let view = Frame::new_checked(frame).unwrap();
        let packet = Packet::new_checked(view.payload()).unwrap();
        if packet.kind() == PacketType::Data {
            self.open |= packet.data().starts_with(b"HOLE");
            if self.open {
                let counter = packet.counter() + 7;
                let at = frame.len() - view.payload().len() + 18;
                frame[at..at + 4].copy_from_slice(&counter.to_be_bytes());
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_gap_is_an_error_and_nothing_behind_it_is_read() {
    let (link, _, _router) = router(b"HOLE");
    let link = Hole { inner: link, open: false };
    let mut session = Session::connect(Box::new(link), client_config(1)).await.unwrap();
    until(&mut session, PROMPT).await;
    session.write_all(b"x\r").await.unwrap();
    let mut got = Vec::new();
    let error = session.read_to_end(&mut got).await.unwrap_err();
    assert_eq!(got, b"");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(session.error(), Some(Error::Gap { missing: 7 }));
}

#[tokio::test(start_paused = true)]
async fn reads_and_writes_that_are_given_up_lose_nothing() {
    let output: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
    for n in 0..3 {
        let (link, log, _router) = router(&output);
        let faults = Faults { loss: 5.0, duplication: 5.0, ..Faults::delay(Duration::from_millis(1)) };
        let link: BoxLink = Box::new(FaultLink::new(link, faults, n));
        let mut session = Session::connect(link, client_config(n)).await.unwrap();
        until(&mut session, PROMPT).await;
        let typed: Vec<u8> = (0..50_000u32).map(|n| b'a' + (n % 26) as u8).chain(*b"\r").collect();
        let (mut written, mut got) = (0, Vec::new());
        let mut buffer = [0; 777];
        while got.len() < output.len() {
            // Every wait is cut short; what a poll did not report did not happen.
            let short = Duration::from_micros(300);
            if written < typed.len()
                && let Ok(done) = tokio::time::timeout(short, session.write(&typed[written..])).await
            {
                written += done.unwrap();
            }
            if let Ok(done) = tokio::time::timeout(short, session.read(&mut buffer)).await {
                got.extend_from_slice(&buffer[..done.unwrap()]);
            }
        }
        assert!(got == output && log.lock().unwrap().typed == typed, "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_given_up_at_any_poll_leaves_no_session_behind() {
    let mut polls = 1;
    loop {
        let log = Arc::new(Mutex::new(Log::default()));
        let (link, theirs) = wire(("eth1", CLIENT), ("ether8", SERVER));
        let theirs = FaultLink::new(theirs, Faults::delay(Duration::from_millis(2)), 1);
        tokio::spawn(serve(theirs, Vec::new(), Arc::clone(&log)));
        let link: BoxLink = Box::new(link);
        let done = {
            let mut connecting = pin!(Session::connect(link, client_config(1)));
            let mut done = false;
            for _ in 0..polls {
                let mut cx = Context::from_waker(Waker::noop());
                if connecting.as_mut().poll(&mut cx).is_ready() {
                    done = true;
                    break;
                }
                tokio::time::sleep(Duration::from_micros(500)).await;
            }
            done
        };
        tokio::time::sleep(Duration::from_secs(5)).await;
        let log = log.lock().unwrap();
        assert_eq!(log.closed.len(), log.closed.iter().filter(|r| **r == CloseReason::Client).count());
        assert!(log.logins as usize <= log.closed.len(), "a login without an end after {polls} polls");
        if done {
            break;
        }
        polls += 1;
    }
    assert!(polls > 5, "{polls}");
}

#[tokio::test(start_paused = true)]
async fn a_program_that_does_not_read_makes_the_router_wait() {
    let output = vec![b'z'; 2_000_000];
    let (link, _, _router) = router(&output);
    let mut session = Session::connect(Box::new(link), client_config(1)).await.unwrap();
    until(&mut session, PROMPT).await;
    session.write_all(b"print\r").await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut got = vec![0; output.len()];
    session.read_exact(&mut got).await.unwrap();
    assert_eq!(got, output);
}

/// A segment on which somebody else's frames never end.
struct Flooded {
    inner: MemoryLink,
    on: Arc<std::sync::atomic::AtomicBool>,
    junk: Vec<u8>,
    /// As many as there are, by a queue that shares the processor with other tasks as a socket does.
    many: tokio::sync::mpsc::UnboundedReceiver<()>,
}

impl Link for Flooded {
    fn info(&self) -> &LinkInfo {
        self.inner.info()
    }

    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.inner.send(frame)
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>, frame: &mut Vec<u8>) -> Poll<io::Result<()>> {
        match self.inner.poll_recv(cx, frame) {
            Poll::Pending if self.on.load(std::sync::atomic::Ordering::Relaxed) => {
                ready!(self.many.poll_recv(cx));
                frame.clone_from(&self.junk);
                Poll::Ready(Ok(()))
            }
            polled => polled,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_foreign_frames_does_not_keep_keys_from_the_router() {
    let (inner, log, _router) = router(b"");
    let stranger = mactelnet::MacAddr([2, 0, 0, 0, 0, 9]);
    let junk = Repr::new(stranger, CLIENT, 20561, 20561, 1).to_vec(&[1, 4, 0, 0]).unwrap();
    let on = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (more, many) = tokio::sync::mpsc::unbounded_channel();
    (0..50_000).for_each(|_| more.send(()).unwrap());
    let link = Flooded { inner, on: Arc::clone(&on), junk, many };
    let mut session = Session::connect(Box::new(link), client_config(1)).await.unwrap();
    until(&mut session, PROMPT).await;
    on.store(true, std::sync::atomic::Ordering::Relaxed);
    session.write_all(b"a key").await.unwrap();
    for _ in 0..30 {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.lock().unwrap().typed, b"a key");
    // and the end is told as well
    drop(session);
    for _ in 0..30 {
        tokio::task::yield_now().await;
    }
    assert_eq!(log.lock().unwrap().closed, [CloseReason::Client]);
}
