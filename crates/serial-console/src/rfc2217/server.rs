//! The server: offers a line with its speed, framing, break and wires.

use std::collections::VecDeque;

use super::request::{Purge, Request, code};
use crate::settings::{DataBits, Flow, LineSettings, LineState, ModemState, Parity, StopBits};
use crate::telnet::{self, Decoder, Item, Options, Policy, Standing, command, option};

/// Bytes for the wire that wait to be taken; beyond, data is not accepted.
const MAX_OUT: usize = 64 * 1024;
/// Words about options that are answered within one connection.
const MAX_WORDS: usize = 200;
/// Events that wait: a client may not make us hold more.
const MAX_EVENTS: usize = 1024;

/// What the server is, and what it does worse than others.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Its signature.
    pub signature: String,
    /// The line as it stands.
    pub line: LineSettings,
    /// Its wires; `None`: it has none, and nothing about DTR and RTS is answered, as ser2net does on a pty.
    pub modem: Option<ModemState>,
    /// Whether COM-PORT is agreed to.
    pub com_port: bool,
    /// Four bytes more behind the answer about the speed, as some servers send.
    pub long_baud: bool,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            signature: "jumplead".into(),
            line: LineSettings::default(),
            modem: Some(ModemState { cd: true, ri: false, dsr: true, cts: true }),
            com_port: true,
            long_baud: false,
        }
    }
}

/// What the client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent {
    /// Bytes for the line.
    Data(Vec<u8>),
    /// Other settings; the server has answered that they hold.
    Line(LineSettings),
    /// Break begins or ends.
    Break(bool),
    /// A telnet break: as long as the server likes.
    BreakPulse,
    /// DTR.
    Dtr(bool),
    /// RTS.
    Rts(bool),
    /// Buffers are to be emptied.
    Purge(Purge),
}

/// One connection.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    decoder: Decoder,
    options: Options,
    words: usize,
    out: Vec<u8>,
    events: VecDeque<ServerEvent>,
    modem_mask: u8,
    line_mask: u8,
    suspended: bool,
    dtr: bool,
    rts: bool,
    breaking: bool,
    /// The client has sent a request.
    used: bool,
}

impl Server {
    /// Greets the client.
    pub fn new(config: ServerConfig) -> Self {
        let policies = [
            Policy { option: option::BINARY, ours: true, theirs: true },
            Policy { option: option::SGA, ours: true, theirs: true },
            // The router behind us echoes: clients are told not to.
            Policy { option: option::ECHO, ours: true, theirs: false },
            Policy { option: option::COM_PORT, ours: false, theirs: config.com_port },
        ];
        let mut server = Self {
            config,
            decoder: Decoder::default(),
            options: Options::new(&policies),
            words: 0,
            out: Vec::new(),
            events: VecDeque::new(),
            modem_mask: 0xff,
            line_mask: 0,
            suspended: false,
            dtr: true,
            rts: true,
            breaking: false,
            used: false,
        };
        for which in [option::BINARY, option::SGA, option::ECHO] {
            server.options.offer(which, &mut server.out);
        }
        for which in [option::BINARY, option::SGA] {
            server.options.request(which, &mut server.out);
        }
        if server.config.com_port {
            server.options.request(option::COM_PORT, &mut server.out);
        }
        server
    }

    /// Bytes came.
    pub fn handle_bytes(&mut self, mut bytes: &[u8]) {
        while let (Some(item), rest) = self.decoder.next(bytes) {
            bytes = rest;
            match item {
                Item::Data(data) => self.event(ServerEvent::Data(data)),
                Item::Negotiate(verb, which) => self.word(verb, which),
                Item::Subnegotiation(option::COM_PORT, data) if self.config.com_port => {
                    // pyserial that hears our DO before it has offered never says WILL: who uses the option has agreed.
                    if !self.agreed() {
                        self.used = true;
                        self.tell_modem();
                    }
                    if let Some(request) = Request::parse(&data) {
                        self.request(&request);
                    }
                }
                Item::Command(command::BRK) => self.event(ServerEvent::BreakPulse),
                // "Are you there?" wants something that people can see.
                Item::Command(command::AYT) => self.out.extend_from_slice(b"\r\n[yes]\r\n"),
                Item::Subnegotiation(..) | Item::Command(_) => {}
            }
        }
    }

    fn agreed(&self) -> bool {
        self.used || self.options.theirs(option::COM_PORT) == Standing::On
    }

    fn event(&mut self, event: ServerEvent) {
        if let (ServerEvent::Data(more), Some(ServerEvent::Data(data))) = (&event, self.events.back_mut())
            && data.len() < MAX_OUT
        {
            data.extend_from_slice(more);
        } else if self.events.len() < MAX_EVENTS {
            self.events.push_back(event);
        }
    }

    fn word(&mut self, verb: telnet::Verb, which: u8) {
        self.words += 1;
        if self.words > MAX_WORDS {
            return;
        }
        let before = self.agreed();
        self.options.receive(verb, which, &mut self.out);
        if which == option::BINARY {
            self.decoder.set_binary(self.options.theirs(option::BINARY) == Standing::On);
        }
        if !before && self.agreed() {
            self.tell_modem();
        }
    }

    fn tell_modem(&mut self) {
        self.tell(code::NOTIFY_MODEMSTATE, &[self.config.modem.unwrap_or_default().to_byte()]);
    }

    fn tell(&mut self, number: u8, value: &[u8]) {
        if self.out.len() < MAX_OUT {
            telnet::subnegotiation(option::COM_PORT, &[&[number + code::ANSWER], value].concat(), &mut self.out);
        }
    }

    fn request(&mut self, request: &Request) {
        let before = self.config.line;
        let line = &mut self.config.line;
        match request {
            Request::Signature => return self.tell(code::SIGNATURE, self.config.signature.clone().as_bytes()),
            Request::Told(_) => return,
            Request::Baud(value) => line.baud = value.unwrap_or(line.baud),
            Request::Data(value) => line.data = value.unwrap_or(line.data),
            Request::Parity(value) => line.parity = value.unwrap_or(line.parity),
            Request::Stop(value) => line.stop = value.unwrap_or(line.stop),
            Request::Flow(value) => line.flow = value.unwrap_or(line.flow),
            Request::Break(Some(on)) => {
                self.breaking = *on;
                self.event(ServerEvent::Break(*on));
            }
            Request::Dtr(Some(_)) | Request::Rts(Some(_)) if self.config.modem.is_none() => return,
            Request::Dtr(Some(on)) => {
                self.dtr = *on;
                self.event(ServerEvent::Dtr(*on));
            }
            Request::Rts(Some(on)) => {
                self.rts = *on;
                self.event(ServerEvent::Rts(*on));
            }
            Request::Break(None) | Request::Dtr(None) | Request::Rts(None) | Request::InboundFlow(_) => {}
            Request::Suspend => self.suspended = true,
            Request::Resume => self.suspended = false,
            Request::LineMask(mask) => self.line_mask = *mask,
            Request::ModemMask(mask) => self.modem_mask = *mask,
            Request::Purge(which) => self.event(ServerEvent::Purge(*which)),
        }
        if self.config.line != before {
            self.event(ServerEvent::Line(self.config.line));
        }
        self.confirm(request);
    }

    /// The answer: how it stands now.
    fn confirm(&mut self, request: &Request) {
        let line = self.config.line;
        let answer = match request {
            Request::Signature | Request::Told(_) => return,
            Request::Baud(_) => Request::Baud(Some(line.baud)),
            Request::Data(_) => Request::Data(Some::<DataBits>(line.data)),
            Request::Parity(_) => Request::Parity(Some::<Parity>(line.parity)),
            Request::Stop(_) => Request::Stop(Some::<StopBits>(line.stop)),
            Request::Flow(_) => Request::Flow(Some::<Flow>(line.flow)),
            Request::Break(_) => Request::Break(Some(self.breaking)),
            Request::Dtr(_) => Request::Dtr(self.config.modem.map(|_| self.dtr)),
            Request::Rts(_) => Request::Rts(self.config.modem.map(|_| self.rts)),
            Request::InboundFlow(_) => Request::InboundFlow(14),
            other => other.clone(),
        };
        let mut data = answer.emit();
        if self.config.long_baud && matches!(answer, Request::Baud(_)) {
            data.extend_from_slice(&[0; 4]);
        }
        if let Some((number, value)) = data.split_first() {
            self.tell(*number, value);
        }
    }

    /// What the client wants.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.events.pop_front()
    }

    /// Bytes for the wire.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if self.out.is_empty() { None } else { Some(std::mem::take(&mut self.out)) }
    }

    /// Queues data of the line; how many bytes of it were taken. None while the client asks for silence.
    pub fn write(&mut self, data: &[u8]) -> usize {
        if self.suspended {
            return 0;
        }
        let count = data.len().min(MAX_OUT.saturating_sub(self.out.len()) / 2);
        let binary = self.options.ours(option::BINARY) == Standing::On;
        telnet::encode(data.get(..count).unwrap_or_default(), binary, &mut self.out);
        count
    }

    /// The line's wires, where it has any.
    pub fn modem(&self) -> Option<ModemState> {
        self.config.modem
    }

    /// The line's wires changed.
    pub fn set_modem(&mut self, modem: ModemState) {
        let before = self.config.modem.unwrap_or_default().to_byte();
        self.config.modem = Some(modem);
        // The low nibble says what changed, in the same order.
        let changed = (before ^ modem.to_byte()) >> 4;
        if self.agreed() && (changed << 4 | changed) & self.modem_mask != 0 {
            self.tell(code::NOTIFY_MODEMSTATE, &[modem.to_byte() | changed]);
        }
    }

    /// A break or an error was seen on the line.
    pub fn set_line_state(&mut self, state: LineState) {
        if self.agreed() && state.has(self.line_mask) {
            self.tell(code::NOTIFY_LINESTATE, &[state.0]);
        }
    }

    /// Asks the client to send nothing, or to go on.
    pub fn suspend_client(&mut self, on: bool) {
        if self.agreed() {
            self.tell(if on { code::FLOWCONTROL_SUSPEND } else { code::FLOWCONTROL_RESUME }, &[]);
        }
    }

    /// The settings that the client asked for last.
    pub fn line(&self) -> LineSettings {
        self.config.line
    }
}
