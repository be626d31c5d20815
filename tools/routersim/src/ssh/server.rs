//! One connection: logins (RFC 4252), then sessions on channels (RFC 4254).

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use super::algorithms::Offer;
use super::keys::HostKeys;
use super::transport::{Broken, SERVICE_REQUEST, Transport};
use super::user_key::verify;
use super::wire::{Reader, Writer};

/// Failed logins after which the connection is closed \[I\]; `none` doesn't count.
const MAX_FAILURES: u32 = 6;
/// Sessions open on one connection; more are refused.
const MAX_CHANNELS: usize = 10;
/// What a client may send before it is told that it was read.
const WINDOW: u32 = 64 * 1024;
/// The longest piece that a client may send at once, and the longest that we send.
const MAX_PIECE: u32 = 32 * 1024;
/// Bytes that lie ready to be sent before [`Server::room`] is none.
const MAX_UNSENT: usize = 64 * 1024;
/// Requests and events that wait to be looked at; a client can't make more than it sends.
const MAX_EVENTS: usize = 4096;

const SERVICE_ACCEPT: u8 = 6;
const USERAUTH_REQUEST: u8 = 50;
const USERAUTH_FAILURE: u8 = 51;
const USERAUTH_SUCCESS: u8 = 52;
const USERAUTH_PK_OK: u8 = 60;
const GLOBAL_REQUEST: u8 = 80;
const REQUEST_FAILURE: u8 = 82;
const CHANNEL_OPEN: u8 = 90;
const OPEN_CONFIRMATION: u8 = 91;
const OPEN_FAILURE: u8 = 92;
const WINDOW_ADJUST: u8 = 93;
const CHANNEL_DATA: u8 = 94;
const CHANNEL_EXTENDED_DATA: u8 = 95;
const CHANNEL_EOF: u8 = 96;
const CHANNEL_CLOSE: u8 = 97;
const CHANNEL_REQUEST: u8 = 98;
const CHANNEL_SUCCESS: u8 = 99;
const CHANNEL_FAILURE: u8 = 100;

/// Names a channel of one connection; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChannelId(u32);

/// How a client wants to prove who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// Not at all: it asks which ways there are, or whether any is needed.
    None,
    /// A password.
    Password(Vec<u8>),
    /// A public key, as its file has it but for base64. Not `proven`: the client asks first whether it would do.
    Key {
        /// The key.
        blob: Vec<u8>,
        /// The client has signed with it.
        proven: bool,
    },
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Password(_) => "Password",
            Self::Key { .. } => "Key",
        })
    }
}

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A login, to be answered by [`Server::answer_login`]; nothing is looked at before.
    Login {
        /// The whole name, with its suffix.
        user: String,
        /// How it is proved.
        proof: Proof,
    },
    /// A console.
    Shell {
        /// Where.
        channel: ChannelId,
    },
    /// One line to be run.
    Exec {
        /// Where.
        channel: ChannelId,
        /// The line.
        command: Vec<u8>,
    },
    /// The subsystem `sftp`.
    Sftp {
        /// Where.
        channel: ChannelId,
    },
    /// Bytes typed; [`Server::consumed`] gives the room back.
    Data {
        /// Where.
        channel: ChannelId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Nothing more will be typed.
    Eof {
        /// Where.
        channel: ChannelId,
    },
    /// A channel is gone, on the client's wish or on ours.
    Closed {
        /// Which.
        channel: ChannelId,
    },
}

#[derive(Debug)]
struct Channel {
    /// The client's number for it.
    theirs: u32,
    /// What we may still send.
    window: u32,
    piece: u32,
    /// What the client may still send, and what of it was consumed since it was told.
    incoming: u32,
    consumed: u32,
    /// A shell or a command runs on it.
    busy: bool,
    closing: bool,
}

/// Where the login stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Login {
    /// The service was not yet asked for.
    Before,
    /// Waiting for a request.
    Open,
    /// One is out to be answered: user, and whether it counts.
    Asked(String, bool),
    /// In, as this user.
    Done(String),
}

/// One connection's server side.
#[derive(Debug)]
pub struct Server {
    transport: Transport,
    login: Login,
    /// Algorithm and key that a client asks about, while the answer is out.
    offered: Option<(Vec<u8>, Vec<u8>)>,
    failures: u32,
    channels: BTreeMap<ChannelId, Channel>,
    next_channel: u32,
    events: VecDeque<Event>,
    over: Option<Broken>,
}

impl Server {
    /// A connection that a client just opened. `seed` is for its secrets.
    pub fn new(offer: Offer, keys: Rc<HostKeys>, seed: [u8; 32]) -> Self {
        Self {
            transport: Transport::new(offer, keys, seed),
            login: Login::Before,
            offered: None,
            failures: 0,
            channels: BTreeMap::new(),
            next_channel: 0,
            events: VecDeque::new(),
            over: None,
        }
    }

    /// Takes bytes from the client.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.transport.handle_bytes(bytes);
        self.turn();
    }

    /// What is to be sent to the client.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.transport.take_output()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Why the connection is over; what [`Server::take_output`] still has is the farewell.
    pub fn over(&self) -> Option<Broken> {
        self.over
    }

    /// The user who is in.
    pub fn user(&self) -> Option<&str> {
        match &self.login {
            Login::Done(user) => Some(user),
            _ => None,
        }
    }

    fn turn(&mut self) {
        // A login that waits for its answer holds everything behind it back.
        while self.over.is_none() && !matches!(self.login, Login::Asked(..)) && self.events.len() < MAX_EVENTS {
            let outcome = match self.transport.next() {
                Ok(None) => return,
                Ok(Some(payload)) => self.handle(&payload),
                Err(broken) => Err(broken),
            };
            if let Err(broken) = outcome {
                self.end(broken);
            }
        }
    }

    fn end(&mut self, broken: Broken) {
        if broken != Broken::ByClient {
            self.transport.disconnect(broken);
        }
        self.over = Some(broken);
        for channel in std::mem::take(&mut self.channels).into_keys() {
            self.events.push_back(Event::Closed { channel });
        }
    }

    fn handle(&mut self, payload: &[u8]) -> Result<(), Broken> {
        let mut reader = Reader(payload);
        let number = reader.u8().ok_or(Broken::Protocol)?;
        match number {
            SERVICE_REQUEST => self.service(&mut reader),
            USERAUTH_REQUEST => self.authenticate(&mut reader),
            GLOBAL_REQUEST..=CHANNEL_FAILURE if matches!(self.login, Login::Done(_)) => {
                self.connection(number, &mut reader)
            }
            GLOBAL_REQUEST..=CHANNEL_FAILURE => return Err(Broken::Protocol),
            _ => {
                self.transport.unimplemented();
                Some(())
            }
        }
        .ok_or(Broken::Protocol)
    }

    fn service(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let name = reader.string()?;
        if name != b"ssh-userauth" {
            return None;
        }
        if self.login == Login::Before {
            self.login = Login::Open;
        }
        self.transport.send(Writer::message(SERVICE_ACCEPT).string(name));
        Some(())
    }

    fn authenticate(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let (user, service, method) = (reader.text()?.to_owned(), reader.string()?, reader.string()?);
        match self.login {
            Login::Open => {}
            // Requests after the login are passed over (RFC 4252 section 5.1).
            Login::Done(_) => return Some(()),
            Login::Before | Login::Asked(..) => return None,
        }
        if service != b"ssh-connection" {
            return None;
        }
        let proof = match method {
            b"none" => Proof::None,
            b"password" => {
                let change = reader.bool()?;
                let password = reader.string()?.to_vec();
                if change {
                    return self.refuse(true);
                }
                Proof::Password(password)
            }
            b"publickey" => {
                let signed = reader.bool()?;
                let (algorithm, blob) = (reader.string()?, reader.string()?);
                if signed {
                    // what is signed: the session, and the request up to here (RFC 4252 section 7)
                    let request = Writer::default().string(self.transport.session()).u8(USERAUTH_REQUEST);
                    let request = request.string(user.as_bytes()).string(service).string(method).bool(true);
                    let request = request.string(algorithm).string(blob).0;
                    let signature = reader.string()?;
                    if Reader(signature).string() != Some(algorithm) || !verify(blob, &request, signature) {
                        return self.refuse(true);
                    }
                } else {
                    self.offered = Some((algorithm.to_vec(), blob.to_vec()));
                }
                Proof::Key { blob: blob.to_vec(), proven: signed }
            }
            _ => return self.refuse(true),
        };
        // a client tries all keys that it has: asking about one does not count
        let counts = !matches!(proof, Proof::None | Proof::Key { proven: false, .. });
        self.login = Login::Asked(user.clone(), counts);
        self.events.push_back(Event::Login { user, proof });
        Some(())
    }

    fn refuse(&mut self, counts: bool) -> Option<()> {
        self.failures += u32::from(counts);
        self.transport.send(Writer::message(USERAUTH_FAILURE).string(b"publickey,password").bool(false));
        if self.failures >= MAX_FAILURES {
            self.end(Broken::TooManyLogins);
        }
        Some(())
    }

    /// Answers an [`Event::Login`].
    pub fn answer_login(&mut self, taken: bool) {
        let Login::Asked(user, counts) = std::mem::replace(&mut self.login, Login::Open) else { return };
        if let Some((algorithm, blob)) = self.offered.take().filter(|_| taken) {
            self.transport.send(Writer::message(USERAUTH_PK_OK).string(&algorithm).string(&blob));
        } else if taken {
            self.login = Login::Done(user);
            self.transport.send(Writer::message(USERAUTH_SUCCESS));
        } else {
            self.refuse(counts);
        }
        self.turn();
    }

    fn connection(&mut self, number: u8, reader: &mut Reader<'_>) -> Option<()> {
        if number == GLOBAL_REQUEST {
            reader.string()?;
            if reader.bool()? {
                self.transport.send(Writer::message(REQUEST_FAILURE));
            }
            return Some(());
        }
        if number == CHANNEL_OPEN {
            return self.open(reader);
        }
        let id = ChannelId(reader.u32()?);
        // What crosses our close is for nobody.
        let Some(channel) = self.channels.get_mut(&id) else { return Some(()) };
        match number {
            WINDOW_ADJUST => channel.window = channel.window.saturating_add(reader.u32()?),
            CHANNEL_DATA => {
                let bytes = reader.string()?.to_vec();
                channel.incoming = channel.incoming.checked_sub(u32::try_from(bytes.len()).ok()?)?;
                self.events.push_back(Event::Data { channel: id, bytes });
            }
            CHANNEL_EXTENDED_DATA => {
                reader.u32()?;
                let length = u32::try_from(reader.string()?.len()).ok()?;
                channel.incoming = channel.incoming.checked_sub(length)?;
                self.consumed(id, usize::try_from(length).ok()?);
            }
            CHANNEL_EOF => self.events.push_back(Event::Eof { channel: id }),
            CHANNEL_CLOSE => {
                let theirs = channel.theirs;
                if !channel.closing {
                    self.transport.send(Writer::message(CHANNEL_CLOSE).u32(theirs));
                }
                self.channels.remove(&id);
                self.events.push_back(Event::Closed { channel: id });
            }
            CHANNEL_REQUEST => return self.request(id, reader),
            // Answers to what we never ask.
            _ => {}
        }
        Some(())
    }

    fn open(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let kind = reader.string()?;
        let (theirs, window, piece) = (reader.u32()?, reader.u32()?, reader.u32()?);
        // 1: administratively prohibited (`forwarding-enabled=no`); 4: resource shortage.
        let refusal = match kind {
            b"session" if self.channels.len() < MAX_CHANNELS => None,
            b"session" => Some((4, &b"too many sessions"[..])),
            _ => Some((1, &b"forwarding disabled"[..])),
        };
        if let Some((reason, words)) = refusal {
            self.transport.send(Writer::message(OPEN_FAILURE).u32(theirs).u32(reason).string(words).string(b""));
            return Some(());
        }
        let id = ChannelId(self.next_channel);
        self.next_channel = self.next_channel.wrapping_add(1);
        let channel = Channel {
            theirs,
            window,
            piece: piece.clamp(1, MAX_PIECE),
            incoming: WINDOW,
            consumed: 0,
            busy: false,
            closing: false,
        };
        self.channels.insert(id, channel);
        self.transport.send(Writer::message(OPEN_CONFIRMATION).u32(theirs).u32(id.0).u32(WINDOW).u32(MAX_PIECE));
        Some(())
    }

    fn request(&mut self, id: ChannelId, reader: &mut Reader<'_>) -> Option<()> {
        let (kind, wants_answer) = (reader.string()?, reader.bool()?);
        let channel = self.channels.get_mut(&id)?;
        let taken = match kind {
            // There is no real terminal, and the console measures by itself [K S1].
            b"pty-req" | b"window-change" => true,
            b"shell" if !channel.busy => {
                channel.busy = true;
                self.events.push_back(Event::Shell { channel: id });
                true
            }
            b"exec" if !channel.busy => {
                channel.busy = true;
                self.events.push_back(Event::Exec { channel: id, command: reader.string()?.to_vec() });
                true
            }
            b"subsystem" if !channel.busy && reader.string()? == b"sftp" => {
                channel.busy = true;
                self.events.push_back(Event::Sftp { channel: id });
                true
            }
            _ => false,
        };
        if wants_answer {
            let answer = if taken { CHANNEL_SUCCESS } else { CHANNEL_FAILURE };
            self.transport.send(Writer::message(answer).u32(channel.theirs));
        }
        Some(())
    }

    /// How many bytes [`Server::write`] would take.
    pub fn room(&self, channel: ChannelId) -> usize {
        let Some(channel) = self.channels.get(&channel).filter(|channel| !channel.closing) else { return 0 };
        let room = MAX_UNSENT.saturating_sub(self.transport.unsent());
        usize::try_from(channel.window).unwrap_or(usize::MAX).min(room)
    }

    /// Sends bytes to the client; how many of them it has room for.
    pub fn write(&mut self, channel: ChannelId, bytes: &[u8]) -> usize {
        let room = self.room(channel);
        let Some(state) = self.channels.get_mut(&channel) else { return 0 };
        let bytes = bytes.get(..room).unwrap_or(bytes);
        for piece in bytes.chunks(usize::try_from(state.piece).unwrap_or(1)) {
            // No longer than the room, which is no more than the window.
            state.window = state.window.saturating_sub(u32::try_from(piece.len()).unwrap_or(u32::MAX));
            self.transport.send(Writer::message(CHANNEL_DATA).u32(state.theirs).string(piece));
        }
        bytes.len()
    }

    /// So many typed bytes were taken: the client may send as many more.
    pub fn consumed(&mut self, channel: ChannelId, count: usize) {
        let Some(channel) = self.channels.get_mut(&channel) else { return };
        channel.consumed = channel.consumed.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        if channel.consumed >= WINDOW / 2 {
            channel.incoming = channel.incoming.saturating_add(channel.consumed);
            let more = std::mem::take(&mut channel.consumed);
            self.transport.send(Writer::message(WINDOW_ADJUST).u32(channel.theirs).u32(more));
        }
    }

    /// Ends a channel in good order, with the exit status of what ran on it.
    pub fn finish(&mut self, channel: ChannelId, status: u32) {
        let Some(state) = self.channels.get_mut(&channel).filter(|state| !state.closing) else { return };
        state.closing = true;
        let theirs = state.theirs;
        let exit = Writer::message(CHANNEL_REQUEST).u32(theirs).string(b"exit-status").bool(false).u32(status);
        self.transport.send(exit);
        self.transport.send(Writer::message(CHANNEL_EOF).u32(theirs));
        self.transport.send(Writer::message(CHANNEL_CLOSE).u32(theirs));
    }
}
