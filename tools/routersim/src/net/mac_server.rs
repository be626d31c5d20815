//! MAC-Telnet into this router: the protocol's server machine, with consoles behind it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mactelnet::auth::Password;
use mactelnet::server::{AuthScheme, Config, Credential as Proof, EventKind, Server, SessionId, UnknownUser, Users};
use mactelnet::wire::Frame;
use mactelnet::wire::packet::Packet;
use mactelnet::{Instant, MacAddr, Meta};

use super::config::{LoginKind, NetConfig};
use super::host::{MacTelnetSession, NetHost};
use super::inner::Inner;
use super::mac_layer::{allows, send};
use super::switch::{Local, Switch};
use crate::console::split_login;
use crate::kernel::{PipeReader, PipeWriter, pipe};
use crate::raw;

/// RouterOS keeps the session of a client that went away without END for about 90 s (7.23.2) \[R\].
const IDLE: Duration = Duration::from_secs(90);
/// The words of a refusal come about 1 s after END_AUTH (7.23) \[R\].
const REFUSAL_DELAY: Duration = Duration::from_secs(1);
/// Shown bytes that a console may be ahead of the wire: some screens.
const OUTPUT_LIMIT: usize = 16 * 1024;
/// Typed bytes that a console may be behind; a client that sends on and on is put out.
const INPUT_LIMIT: usize = 1024 * 1024;

struct HostUsers(Weak<dyn NetHost>);

impl Users for HostUsers {
    fn lookup(&self, name: &[u8]) -> Option<Proof> {
        let credential = self.0.upgrade()?.credential(&raw::text(name))?;
        Some(Proof::Password(Password::new(raw::bytes(&credential.password))))
    }
}

struct Session {
    client: MacAddr,
    interface: String,
    size: Rc<Cell<(u16, u16)>>,
    /// To the console; absent before the login.
    input: Option<PipeWriter>,
    /// From the console.
    output: Option<PipeReader>,
}

/// What the rest of the router is to be told, once the network is free to be called again.
#[derive(Debug)]
pub(super) enum Notice {
    /// A console is to be run.
    Session(MacTelnetSession),
    /// A login was refused: user, client.
    Refused(String, MacAddr),
}

/// The MAC-Telnet server of one router.
pub(super) struct MacServer {
    kind: LoginKind,
    server: Server<HostUsers>,
    host: Weak<dyn NetHost>,
    seed: [u8; 32],
    sessions: BTreeMap<SessionId, Session>,
    pub notices: Vec<Notice>,
}

fn server(host: &Weak<dyn NetHost>, kind: LoginKind, seed: [u8; 32]) -> Server<HostUsers> {
    let config = Config {
        auth: match kind {
            LoginKind::EcSrp5 => AuthScheme::EcSrp5 { md5_decoy: true },
            LoginKind::Md5 => AuthScheme::Md5,
        },
        unknown_user: UnknownUser::Derived,
        seed,
        idle_timeout: IDLE,
        idle_text: None,
        refusal_delay: REFUSAL_DELAY,
        ..Config::default()
    };
    Server::new(config, HostUsers(Weak::clone(host)))
}

impl MacServer {
    pub(super) fn new(host: Weak<dyn NetHost>, seed: [u8; 32]) -> Self {
        let kind = LoginKind::default();
        let server = server(&host, kind, seed);
        Self { kind, server, host, seed, sessions: BTreeMap::new(), notices: Vec::new() }
    }

    /// Takes ports and services of a configuration. Another kind of login ends all sessions, as the restart of
    /// the service that it would take on a router.
    pub(super) fn configure(&mut self, switch: &Switch, config: &NetConfig) {
        let kind = config.services.mac_telnet_login;
        if kind != self.kind {
            self.kind = kind;
            self.sessions.clear();
            self.server = server(&self.host, kind, self.seed);
        }
        let bridges = config.bridges.iter().map(|bridge| bridge.mac);
        self.server.set_macs(switch.ports().map(|port| port.mac).chain(bridges).collect());
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    /// Ends every session with END, as a router that shuts down in good order.
    pub(super) fn shutdown(&mut self, now: Instant) {
        let sessions: Vec<SessionId> = self.server.sessions().collect();
        for session in sessions {
            self.server.close(now, session);
        }
    }

    fn take_events(&mut self, now: Instant, switch: &Switch) {
        while let Some(event) = self.server.poll_event() {
            let id = event.session;
            match event.kind {
                EventKind::Opened { client, link, .. } => {
                    let interface = switch.owner(link).unwrap_or_default().to_owned();
                    let session = Session { client, interface, size: Rc::default(), input: None, output: None };
                    self.sessions.insert(id, session);
                }
                EventKind::Login { user, suffix, terminal, .. } => {
                    let Some(session) = self.sessions.get_mut(&id) else { continue };
                    let mut login = raw::text(user.as_bytes());
                    if let Some(suffix) = suffix {
                        login.push('+');
                        login.push_str(&raw::text(suffix.as_bytes()));
                    }
                    let (to_console, input) = pipe(None);
                    let (output, from_console) = pipe(Some(OUTPUT_LIMIT));
                    session.size.set((terminal.columns, terminal.rows));
                    session.input = Some(to_console);
                    session.output = Some(from_console);
                    self.notices.push(Notice::Session(MacTelnetSession {
                        login,
                        mac: session.client,
                        interface: session.interface.clone(),
                        terminal: terminal.kind,
                        size: Rc::clone(&session.size),
                        input,
                        output,
                    }));
                }
                EventKind::Refused { user } => {
                    let client = self.sessions.get(&id).map(|session| session.client).unwrap_or_default();
                    // The log names the user without the console's suffix [I].
                    let user = raw::text(split_login(user.as_bytes()).0);
                    self.notices.push(Notice::Refused(user, client));
                }
                EventKind::Data(bytes) => {
                    if let Some(input) = self.sessions.get(&id).and_then(|session| session.input.as_ref()) {
                        input.push(&bytes);
                        if input.unread() > INPUT_LIMIT {
                            self.server.close(now, id);
                        }
                    }
                }
                EventKind::Writable => {}
                EventKind::Resized { columns, rows } => {
                    if let Some(session) = self.sessions.get(&id) {
                        session.size.set((columns, rows));
                    }
                }
                EventKind::Closed(_) => {
                    self.sessions.remove(&id);
                }
            }
        }
    }

    /// Hands what consoles show to the machine, as much as it takes. `waker` is woken when they show more.
    fn take_output(&mut self, now: Instant, waker: &Waker) {
        let mut cx = Context::from_waker(waker);
        for (id, session) in &mut self.sessions {
            let Some(output) = &mut session.output else { continue };
            loop {
                let room = self.server.room(*id);
                if room == 0 {
                    break;
                }
                match output.poll_read(&mut cx, room) {
                    Poll::Pending => break,
                    Poll::Ready(bytes) if bytes.is_empty() => {
                        session.output = None;
                        self.server.close(now, *id);
                        break;
                    }
                    Poll::Ready(bytes) => {
                        let taken = self.server.write(now, *id, &bytes);
                        output.unread(bytes.get(taken..).unwrap_or_default());
                        if taken == 0 {
                            break;
                        }
                    }
                }
            }
        }
    }
}

/// Takes a datagram for UDP port 20561.
pub(super) fn handle(inner: &mut Inner, now: Instant, local: &Local, frame: &Frame<'_>) {
    if !allows(&inner.config.services.mac_telnet, &inner.switch, local.port) {
        return;
    }
    // Only the port's own MAC and its bridge's: what another interface has is not called through this one (inferred).
    let own = inner.switch.port(local.port).map(|port| port.mac);
    let bridge = inner.switch.bridge_of(local.port).and_then(|bridge| inner.switch.mac(bridge));
    let Ok(packet) = Packet::new_checked(frame.payload()) else { return };
    if Some(packet.dst()) != own && Some(packet.dst()) != bridge {
        return;
    }
    let meta = Meta {
        link: local.port,
        src_mac: frame.src_mac(),
        dst_mac: frame.dst_mac(),
        src_port: frame.src_port(),
        dst_port: frame.dst_port(),
    };
    inner.mac_server.server.handle_datagram(now, &meta, frame.payload());
}

/// Does what is due, and moves what waits.
pub(super) fn run(inner: &mut Inner, now: Instant) {
    let server = &mut inner.mac_server;
    if server.poll_timeout().is_some_and(|at| at <= now) {
        server.server.handle_timeout(now);
    }
    server.take_events(now, &inner.switch);
    if let Some(waker) = &inner.waker {
        server.take_output(now, waker);
    }
    server.take_events(now, &inner.switch);
    while let Some(transmit) = inner.mac_server.server.poll_transmit(now) {
        let meta = transmit.meta;
        send(inner, meta.link, meta.src_mac, meta.dst_mac, (meta.src_port, meta.dst_port), &transmit.payload);
    }
}
