//! SSH into this router: the protocol's machine on a TCP connection, with consoles, single lines and file transfers behind it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::error::NetError;
use super::host::{NetHost, SshExec, SshSession};
use super::stack::Net;
use super::tcp::TcpStream;
use super::{scp, sftp};
use crate::console::split_login;
use crate::kernel::{PipeReader, PipeWriter, pipe};
use crate::raw;
use crate::ssh::{ChannelId, Event, Proof, Server};

/// How long a client may be silent before it is in \[I\].
const LOGIN_GRACE: Duration = Duration::from_secs(120);
/// Bytes that are read at once.
const CHUNK: usize = 16 * 1024;
/// Shown bytes that a console may be ahead of the wire: some screens.
const OUTPUT_LIMIT: usize = 16 * 1024;
/// Typed bytes that a console may be behind; more wait in the client's window.
const INPUT_LIMIT: usize = 4 * 1024;
/// The end of what is typed.
const CTRL_D: u8 = 0x04;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Console,
    Line,
    /// SFTP or SCP.
    Files,
}

/// What runs on a channel.
struct Running {
    input: PipeWriter,
    /// Typed, and not taken by `input` yet.
    typed: Vec<u8>,
    kind: Kind,
    /// Nothing more will be typed.
    eof: bool,
    output: Option<PipeReader>,
    status: Rc<Cell<u32>>,
}

struct Connection {
    net: Net,
    host: Rc<dyn NetHost>,
    stream: TcpStream,
    remote: Ipv4Addr,
    server: Server,
    running: BTreeMap<ChannelId, Running>,
}

/// Serves one connection until it ends.
pub(super) async fn serve(net: Net, stream: TcpStream) {
    let (Some(host), Some((_, remote))) = (net.host(), stream.addresses()) else { return };
    let services = net.services();
    if !services.ssh.admits(remote) {
        stream.abort();
        return;
    }
    let (text, bits) = host.ssh_host_key();
    let server = Server::new(services.ssh_offer, net.ssh_keys(text, bits), net.seed());
    let kernel = net.kernel.clone();
    let mut connection = Connection { net, host, stream, remote, server, running: BTreeMap::new() };
    loop {
        // A connection that broke has nobody to tell.
        let step = if connection.server.user().is_some() {
            connection.step().await
        } else {
            kernel.timeout(LOGIN_GRACE, connection.step()).await.unwrap_or(Err(NetError::Timeout))
        };
        if !matches!(step, Ok(true)) {
            return;
        }
    }
}

impl Connection {
    /// Sends what is to be sent, then waits for something to happen. False: the connection is over.
    async fn step(&mut self) -> Result<bool, NetError> {
        let out = self.server.take_output();
        self.stream.write_all(&out).await?;
        if self.server.over().is_some() {
            self.stream.finish().await?;
            return Ok(false);
        }
        let received = poll_fn(|cx| {
            if self.move_bytes(cx) {
                return Poll::Ready(Ok(None));
            }
            self.stream.poll_read(cx, CHUNK).map_ok(Some)
        });
        if let Some(bytes) = received.await? {
            if bytes.is_empty() {
                return Ok(false);
            }
            self.server.handle_bytes(&bytes);
        }
        while let Some(event) = self.server.poll_event() {
            self.handle(event);
        }
        Ok(true)
    }

    /// Moves bytes between channels and what runs on them. True: something moved.
    fn move_bytes(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        for (id, running) in &mut self.running {
            while !running.typed.is_empty() {
                let taken = match running.input.poll_write(cx, &running.typed) {
                    Poll::Pending => break,
                    Poll::Ready(Some(taken)) => taken,
                    // Nobody reads: it goes nowhere.
                    Poll::Ready(None) => running.typed.len(),
                };
                running.typed.drain(..taken);
                self.server.consumed(*id, taken);
                moved = true;
            }
            if running.eof && running.kind == Kind::Files && running.typed.is_empty() && !running.input.is_closed() {
                running.input.close();
                moved = true;
            }
            while let Some(output) = &mut running.output {
                let room = self.server.room(*id);
                if room == 0 {
                    break;
                }
                match output.poll_read(cx, room) {
                    Poll::Pending => break,
                    Poll::Ready(bytes) if bytes.is_empty() => {
                        running.output = None;
                        self.server.finish(*id, running.status.get());
                    }
                    Poll::Ready(bytes) => {
                        // There was room for all of it.
                        let _ = self.server.write(*id, &bytes);
                    }
                }
                moved = true;
            }
        }
        moved
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Login { user, proof } => self.log_in(&user, &proof),
            Event::Shell { channel } => {
                let (session, _) = self.begin(channel, Kind::Console);
                self.host.ssh_session(session);
            }
            Event::Sftp { channel } => {
                let (session, _) = self.begin(channel, Kind::Files);
                if let Some(user) = self.transfers() {
                    let (net, host) = (self.net.clone(), Rc::clone(&self.host));
                    self.spawn("sftp", sftp::serve(net, host, session, user));
                }
            }
            Event::Exec { channel, command } => {
                if let Some(request) = scp::request(&command) {
                    let (session, status) = self.begin(channel, Kind::Files);
                    status.set(1);
                    if let Some(user) = self.transfers() {
                        let (net, host) = (self.net.clone(), Rc::clone(&self.host));
                        self.spawn("scp", scp::serve(net, host, session, user, request, status));
                    }
                    return;
                }
                let (session, status) = self.begin(channel, Kind::Line);
                self.host.ssh_exec(SshExec { session, command, status });
            }
            Event::Data { channel, bytes } => match self.running.get_mut(&channel) {
                Some(running) => running.typed.extend(bytes),
                None => self.server.consumed(channel, bytes.len()),
            },
            Event::Eof { channel } => {
                // What was typed before is still done, then the console hears the end of it as Ctrl-D [I].
                if let Some(running) = self.running.get_mut(&channel) {
                    running.eof = true;
                    if running.kind == Kind::Console {
                        running.typed.push(CTRL_D);
                    }
                }
            }
            Event::Closed { channel } => {
                self.running.remove(&channel);
            }
        }
    }

    fn log_in(&mut self, login: &str, proof: &Proof) {
        let user = raw::text(split_login(login.as_bytes()).0);
        // An empty password is not asked for [I].
        let taken = match proof {
            Proof::None => self.host.ssh_login(&user, b"", self.remote),
            Proof::Password(password) => self.host.ssh_login(&user, password, self.remote),
            Proof::Key { blob, .. } => self.host.ssh_key(&user, blob, self.remote),
        };
        let tried = !matches!(proof, Proof::None | Proof::Key { proven: false, .. });
        if !taken && tried {
            self.host.login_failed(&user, &self.remote.to_string(), "ssh");
        }
        self.server.answer_login(taken);
    }

    /// Who transfers files here, if that is allowed; a channel whose pipes nobody takes ends at once.
    fn transfers(&self) -> Option<String> {
        let login = self.server.user().unwrap_or_default();
        let user = raw::text(split_login(login.as_bytes()).0);
        self.host.may_transfer(&user).then_some(user)
    }

    fn spawn(&self, name: &str, job: impl Future<Output = ()> + 'static) {
        if let Some(kernel) = self.net.kernel.upgrade() {
            kernel.spawn(name, job);
        }
    }

    /// Pipes for what is to run on a channel.
    fn begin(&mut self, channel: ChannelId, kind: Kind) -> (SshSession, Rc<Cell<u32>>) {
        let (to_console, input) = pipe(Some(INPUT_LIMIT));
        let (output, from_console) = pipe(Some(OUTPUT_LIMIT));
        let status = Rc::new(Cell::new(0));
        let running = Running {
            input: to_console,
            typed: Vec::new(),
            kind,
            eof: false,
            output: Some(from_console),
            status: Rc::clone(&status),
        };
        self.running.insert(channel, running);
        let login = self.server.user().unwrap_or_default().to_owned();
        (SshSession { login, from: self.remote, input, output }, status)
    }
}
