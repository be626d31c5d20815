//! `/tool mac-telnet`: the protocol's client machine, called from this router.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use mactelnet::auth::Password;
use mactelnet::client::{Client, Config, Error, Event, LoginPolicy};
use mactelnet::wire::packet::{self, Packet};
use mactelnet::wire::{Frame, Text};
use mactelnet::{Instant, MacAddr, Meta, Terminal};

use super::config::PortId;
use super::error::NetError;
use super::host::{MacTelnetCall, MacTelnetControl, MacTelnetStream};
use super::inner::Inner;
use super::mac_layer::{ports_of, send};
use super::switch::Local;
use crate::kernel::{PipeReader, PipeWriter, pipe};
use crate::raw;

/// Sessions to others at once.
const MAX_CALLS: usize = 32;
/// Bytes shown by the far router that may lie unread: some screens.
const SHOWN_LIMIT: usize = 16 * 1024;
/// Typed bytes that are taken at once.
const TYPED_CHUNK: usize = 4096;

/// One call: a client machine for each port that is tried, until one is answered.
struct Call {
    peer: MacAddr,
    clients: BTreeMap<PortId, Client>,
    /// The port by which the answer came; the others' machines only say goodbye.
    chosen: Option<PortId>,
    /// Set once: the login is over, or the call failed.
    outcome: Option<Result<(), NetError>>,
    /// The caller knows the outcome, or doesn't ask any more.
    seen: bool,
    waker: Option<Waker>,
    /// To the caller.
    shown: Option<PipeWriter>,
    /// Taken from the machine and not yet by the caller.
    backlog: Vec<u8>,
    /// From the caller.
    typed: Option<PipeReader>,
    /// Taken from the caller and not yet by the machine.
    pending: Vec<u8>,
    control: MacTelnetControl,
}

/// All calls of one router.
#[derive(Default)]
pub(super) struct MacClients {
    calls: BTreeMap<u64, Call>,
    next: u64,
}

fn reason(error: &Error) -> NetError {
    match error {
        Error::NoAnswer { .. } | Error::Silent { .. } | Error::Unacknowledged { .. } => NetError::Timeout,
        Error::Rejected { .. } | Error::UnknownUser { .. } => NetError::Login,
        Error::EndedInLogin { .. } => NetError::Closed,
        Error::Gap { .. } => NetError::Reset,
        _ => NetError::Protocol,
    }
}

impl MacClients {
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.calls.values().flat_map(|call| call.clients.values()).filter_map(Client::poll_timeout).min()
    }

    /// Hands a datagram to the calls that wait for its sender.
    pub(super) fn handle(&mut self, now: Instant, local: &Local, frame: &Frame<'_>) {
        let Ok(packet) = Packet::new_checked(frame.payload()) else { return };
        let meta = Meta {
            link: local.port,
            src_mac: frame.src_mac(),
            dst_mac: frame.dst_mac(),
            src_port: frame.src_port(),
            dst_port: frame.dst_port(),
        };
        for call in self.calls.values_mut().filter(|call| call.peer == packet.src()) {
            if let Some(client) = call.clients.get_mut(&local.port) {
                client.handle_datagram(now, &meta, frame.payload());
            }
        }
    }

    /// Ends all sessions in good order.
    pub(super) fn shutdown(&mut self, now: Instant) {
        for client in self.calls.values_mut().flat_map(|call| call.clients.values_mut()) {
            client.abort(now);
        }
    }
}

impl Call {
    fn settle(&mut self, outcome: Result<(), NetError>) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }

    /// Takes events of the machine on `port` while there is room for what they carry.
    fn take_events(&mut self, now: Instant, port: PortId) {
        while self.backlog.is_empty() {
            let Some(event) = self.clients.get_mut(&port).and_then(Client::poll_event) else { return };
            if self.chosen.is_some_and(|chosen| chosen != port) {
                continue;
            }
            match event {
                Event::Answered { .. } => {
                    self.chosen = Some(port);
                    for (_, client) in self.clients.iter_mut().filter(|(other, _)| **other != port) {
                        client.abort(now);
                    }
                }
                Event::LoggedIn { .. } => self.settle(Ok(())),
                Event::Data(bytes) => self.backlog = bytes,
                Event::Proved(_) | Event::Writable => {}
                Event::Closed { .. } => {
                    self.shown = None;
                    self.settle(Err(NetError::Closed));
                }
                Event::Failed(error) => {
                    let last = !self.clients.iter().any(|(other, client)| *other != port && !client.is_over());
                    if self.chosen.is_none() && !last {
                        continue;
                    }
                    *self.control.failure.borrow_mut() = Some(reason(&error));
                    self.shown = None;
                    self.settle(Err(reason(&error)));
                }
            }
        }
    }

    /// Moves bytes both ways. True if something moved.
    fn pump(&mut self, now: Instant, waker: &Waker) -> bool {
        let mut cx = Context::from_waker(waker);
        let mut moved = false;
        if !self.backlog.is_empty() {
            match self.shown.as_ref().map(|shown| shown.poll_write(&mut cx, &self.backlog)) {
                Some(Poll::Ready(Some(written))) => {
                    self.backlog.drain(..written);
                    moved = written > 0;
                }
                Some(Poll::Pending) => {}
                // Nobody looks any more.
                Some(Poll::Ready(None)) | None => {
                    self.backlog.clear();
                    moved = true;
                }
            }
        }
        let Some(client) = self.clients.values_mut().find(|client| client.is_open()) else { return moved };
        if let Some((columns, rows)) = self.control.size.take() {
            client.resize(now, columns, rows);
        }
        *self.control.waker.borrow_mut() = Some(waker.clone());
        if let Some(typed) = &mut self.typed
            && self.pending.is_empty()
            && let Poll::Ready(bytes) = typed.poll_read(&mut cx, TYPED_CHUNK)
        {
            if bytes.is_empty() {
                self.typed = None;
                client.close(now);
                return true;
            }
            self.pending = bytes;
        }
        if !self.pending.is_empty() {
            let taken = client.write(&self.pending);
            self.pending.drain(..taken);
            moved |= taken > 0;
        }
        moved
    }
}

/// Does what is due, and moves what waits.
pub(super) fn run(inner: &mut Inner, now: Instant) {
    let Some(waker) = inner.waker.clone() else { return };
    let mut out = Vec::new();
    for call in inner.mac_clients.calls.values_mut() {
        let ports: Vec<PortId> = call.clients.keys().copied().collect();
        for port in ports {
            if let Some(client) = call.clients.get_mut(&port).filter(|c| c.poll_timeout().is_some_and(|at| at <= now)) {
                client.handle_timeout(now);
            }
            loop {
                call.take_events(now, port);
                if !call.pump(now, &waker) {
                    break;
                }
            }
        }
        for client in call.clients.values_mut() {
            while let Some(transmit) = client.poll_transmit(now) {
                out.push(transmit);
            }
        }
    }
    inner.mac_clients.calls.retain(|_, call| {
        let over = call.clients.values().all(|client| client.is_over() && client.poll_timeout().is_none());
        !(over && call.seen && call.backlog.is_empty())
    });
    for transmit in out {
        let meta = transmit.meta;
        send(inner, meta.link, meta.src_mac, meta.dst_mac, (meta.src_port, meta.dst_port), &transmit.payload);
    }
}

/// Gives a call up whose caller is gone before the login was over.
struct Guard<'a> {
    inner: &'a Rc<RefCell<Inner>>,
    id: u64,
    armed: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let (true, Ok(mut net)) = (self.armed, self.inner.try_borrow_mut()) {
            let now = net.now();
            if let Some(call) = net.mac_clients.calls.get_mut(&self.id) {
                call.seen = true;
                call.settle(Err(NetError::Closed));
                for client in call.clients.values_mut() {
                    client.abort(now);
                }
            }
            net.wake();
        }
    }
}

/// Calls, and waits for the login to be over.
pub(super) async fn connect(inner: &Rc<RefCell<Inner>>, call: MacTelnetCall) -> Result<MacTelnetStream, NetError> {
    let (shown, reader) = pipe(Some(SHOWN_LIMIT));
    let (writer, typed) = pipe(Some(TYPED_CHUNK));
    let control = MacTelnetControl::default();
    let id = {
        let mut net = inner.borrow_mut();
        let now = net.now();
        let ports = ports_of(&net.switch, call.interface.as_deref());
        if ports.is_empty() {
            return Err(NetError::NoInterface(call.interface.unwrap_or_else(|| "all".to_owned())));
        }
        if net.mac_clients.calls.len() >= MAX_CALLS {
            return Err(NetError::Limit("sessions"));
        }
        let mut clients = BTreeMap::new();
        for port in ports {
            let Some(own) = net.switch.port(port).map(|port| port.mac) else { continue };
            let password = Password::new(raw::bytes(&call.password));
            let mut config =
                Config::new(own, call.mac, Text::from(raw::bytes(&call.user).as_slice()), password, net.seed());
            config.link = port;
            // RouterOS's own client speaks from the server's port [R].
            config.port = Some(packet::PORT);
            config.login =
                LoginPolicy::Auto { md5_allowed: true, reason: "RouterOS takes what it is offered".to_owned() };
            config.terminal = Terminal { kind: call.terminal.clone(), columns: call.size.0, rows: call.size.1 };
            clients.insert(port, Client::new(now, config));
        }
        let id = net.mac_clients.next;
        net.mac_clients.next += 1;
        net.mac_clients.calls.insert(
            id,
            Call {
                peer: call.mac,
                clients,
                chosen: None,
                outcome: None,
                seen: false,
                waker: None,
                shown: Some(shown),
                backlog: Vec::new(),
                typed: Some(typed),
                pending: Vec::new(),
                control: control.clone(),
            },
        );
        net.wake();
        id
    };
    let mut guard = Guard { inner, id, armed: true };
    let outcome = poll_fn(|cx: &mut Context<'_>| {
        let mut net = inner.borrow_mut();
        let Some(call) = net.mac_clients.calls.get_mut(&id) else { return Poll::Ready(Err(NetError::Closed)) };
        match call.outcome.clone() {
            Some(outcome) => {
                call.seen = true;
                Poll::Ready(outcome)
            }
            None => {
                call.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
    .await;
    guard.armed = false;
    drop(guard);
    outcome.map(|()| MacTelnetStream { reader, writer, control })
}
