//! Our server machine on a real interface, with a small shell behind it, so that foreign clients have something to
//! meet: `echo WORDS`, `size`, `bulk BYTES`, `take BYTES`, `exit`.

use std::collections::BTreeMap;
use std::io;
use std::thread::JoinHandle;

use lab::netns::Namespace;
use mactelnet::auth::Password;
use mactelnet::io::link::recv;
use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::io::{Clock, Link};
use mactelnet::server::{Config, EventKind, Server, SessionId};
use mactelnet::wire::frame::{self, Frame};
use mactelnet::wire::mndp::{self, Announcement};
use mactelnet::wire::packet::PORT;
use mactelnet::{MacAddr, Meta, Terminal, macping};
use tokio::sync::oneshot;

use crate::c_server::{PASSWORD, USER};
use crate::inside::enter;

/// The shell's prompt.
pub const PROMPT: &str = "ours> ";
/// How it announces itself.
pub const IDENTITY: &str = "jumplead-lab";

/// Bytes of `bulk`, the same every time: lines of printable characters that no loss leaves unnoticed.
pub fn bulk(bytes: usize) -> Vec<u8> {
    let mut made = Vec::with_capacity(bytes + 64);
    let mut line = 0u32;
    while made.len() < bytes {
        let mixed = line.wrapping_mul(0x9E37_79B9);
        made.extend_from_slice(format!("{line:08} {mixed:08x} the quick brown fox jumps over it\r\n").as_bytes());
        line += 1;
    }
    made.truncate(bytes);
    made
}

/// The server; ended when dropped.
#[derive(Debug)]
pub struct OurServer {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl OurServer {
    /// Serves `interface` of the namespace.
    ///
    /// # Errors
    /// The interface cannot be opened.
    pub fn start(namespace: &Namespace, interface: &str) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, wait) = std::sync::mpsc::channel();
        let (name, interface) = (namespace.name().to_owned(), interface.to_owned());
        let thread = std::thread::spawn(move || {
            enter(&name)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                let link = RawLink::open(&interface, Capture::MacServices)?;
                let _ = ready.send(());
                Driver::new(link).run(stopped).await
            })
        });
        // An error drops the sender, and is the thread's result.
        if wait.recv().is_err() {
            return Err(thread.join().ok().and_then(Result::err).unwrap_or_else(|| io::ErrorKind::Other.into()));
        }
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for OurServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One session's shell.
#[derive(Default)]
struct Shell {
    terminal: Terminal,
    line: Vec<u8>,
    /// Output that there was no room for.
    waiting: Vec<u8>,
    /// `take`: bytes that are still to come, and what they add up to.
    taking: usize,
    sum: u64,
    exit: bool,
}

impl Shell {
    fn input(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.taking > 0 {
                self.sum = self.sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
                self.taking -= 1;
                if self.taking == 0 {
                    let took = format!("took {:016x}\r\n{PROMPT}", self.sum);
                    self.waiting.extend_from_slice(took.as_bytes());
                }
            } else if matches!(byte, b'\r' | b'\n') {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                self.command(&line);
            } else {
                self.line.push(*byte);
            }
        }
    }

    fn command(&mut self, line: &str) {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "echo" => self.waiting.extend_from_slice(format!("{rest}\r\n").as_bytes()),
            "size" => {
                let Terminal { kind, columns, rows } = &self.terminal;
                self.waiting.extend_from_slice(format!("{kind} {columns}x{rows}\r\n").as_bytes());
            }
            "bulk" => self.waiting.extend_from_slice(&bulk(rest.parse().unwrap_or(0))),
            "take" => {
                self.taking = rest.parse().unwrap_or(0);
                self.sum = 0;
            }
            "exit" => {
                self.waiting.extend_from_slice(b"bye\r\n");
                self.exit = true;
            }
            _ => {}
        }
        if !self.exit && self.taking == 0 {
            self.waiting.extend_from_slice(PROMPT.as_bytes());
        }
    }
}

/// What `take` says of bytes.
pub fn sum(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("took {sum:016x}")
}

struct Driver {
    link: RawLink,
    mac: MacAddr,
    clock: Clock,
    server: Server<BTreeMap<String, Password>>,
    shells: BTreeMap<SessionId, Shell>,
    ip_id: u16,
}

impl Driver {
    fn new(link: RawLink) -> Self {
        let mac = link.info().mac;
        let config = Config { macs: vec![mac], seed: [3; 32], ..Config::default() };
        let users = BTreeMap::from([(USER.to_owned(), Password::from(PASSWORD))]);
        let (clock, server) = (Clock::new(), Server::new(config, users));
        Self { link, mac, clock, server, shells: BTreeMap::new(), ip_id: 1 }
    }

    async fn run(mut self, mut stopped: oneshot::Receiver<()>) -> io::Result<()> {
        let mut bytes = Vec::new();
        loop {
            self.work()?;
            let wake = self.server.poll_timeout().map(|at| self.clock.at(at));
            let sleep = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = &mut stopped => return Ok(()),
                received = recv(&mut self.link, &mut bytes) => {
                    received?;
                    self.frame(&bytes)?;
                }
                () = sleep => self.server.handle_timeout(self.clock.now()),
            }
        }
    }

    fn frame(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Ok(frame) = Frame::new_checked(bytes) else { return Ok(()) };
        let meta = Meta {
            link: 0,
            src_mac: frame.src_mac(),
            dst_mac: frame.dst_mac(),
            src_port: frame.src_port(),
            dst_port: frame.dst_port(),
        };
        match frame.dst_port() {
            mndp::PORT if mndp::Packet::new_checked(frame.payload()).is_ok_and(|packet| packet.is_request()) => {
                let said = announcement(self.mac).to_vec([0; 4]).unwrap_or_default();
                self.send(
                    &Meta { dst_mac: MacAddr::BROADCAST, dst_port: mndp::PORT, ..meta.reply_from(self.mac) },
                    &said,
                )
            }
            PORT => {
                if let Ok(Some(pong)) = macping::answer(self.mac, frame.payload()) {
                    return self.send(&meta.reply_from(self.mac), &pong);
                }
                self.server.handle_datagram(self.clock.now(), &meta, frame.payload());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn send(&mut self, meta: &Meta, payload: &[u8]) -> io::Result<()> {
        self.ip_id = self.ip_id.wrapping_add(1);
        let header = frame::Repr::new(meta.src_mac, meta.dst_mac, meta.src_port, meta.dst_port, self.ip_id);
        header.to_vec(payload).map_or(Ok(()), |frame| self.link.send(&frame))
    }

    fn work(&mut self) -> io::Result<()> {
        let now = self.clock.now();
        while let Some(event) = self.server.poll_event() {
            let shell = self.shells.entry(event.session).or_default();
            match event.kind {
                EventKind::Login { terminal, .. } => {
                    shell.terminal = terminal;
                    shell.waiting.extend_from_slice(PROMPT.as_bytes());
                }
                EventKind::Data(bytes) => shell.input(&bytes),
                EventKind::Resized { columns, rows } => {
                    shell.terminal = Terminal { columns, rows, ..shell.terminal.clone() };
                }
                EventKind::Closed(_) => {
                    self.shells.remove(&event.session);
                }
                EventKind::Opened { .. } | EventKind::Refused { .. } | EventKind::Writable => {}
            }
        }
        for (id, shell) in &mut self.shells {
            if !shell.waiting.is_empty() {
                let taken = self.server.write(now, *id, &shell.waiting);
                shell.waiting.drain(..taken);
            }
            if shell.exit && shell.waiting.is_empty() {
                shell.exit = false;
                self.server.close(now, *id);
            }
        }
        while let Some(transmit) = self.server.poll_transmit(now) {
            self.send(&transmit.meta, &transmit.payload)?;
        }
        Ok(())
    }
}

/// What it says of itself.
pub fn announcement(mac: MacAddr) -> Announcement {
    Announcement {
        mac: Some(mac),
        identity: Some(IDENTITY.into()),
        version: Some("7.18.2 (stable)".into()),
        platform: Some("MikroTik".into()),
        uptime: Some(61),
        software_id: Some("ABCD-EFGH".into()),
        board: Some("CCR1009-7G-1C".into()),
        unpack: Some(0),
        interface: Some("ether8".into()),
        ..Announcement::default()
    }
}
