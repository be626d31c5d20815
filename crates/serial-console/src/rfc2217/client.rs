//! The client: asks for a speed and a framing, and never waits for an answer that need not come.
//!
//! Facts of section 9 of routeros-console.md (measured on ser2net 4.3.11): nothing at all answers DTR and RTS where the
//! device has none; an answer to a break proves nothing; some servers append bytes to their answer about the speed.

use std::collections::VecDeque;
use std::time::Duration;

use super::request::{Purge, Request, code};
use crate::settings::{LineSettings, LineState, ModemState, Wires};
use crate::telnet::{self, Decoder, Item, Options, Policy, Standing, option};

/// How long each question may be unanswered before it counts as not supported.
const ANSWER: Duration = Duration::from_millis(500);
/// How long the server may take to answer each telnet option, RFC 2217 itself among them. Nothing at all comes from a raw port.
const AGREE: Duration = Duration::from_millis(1500);
/// Bytes for the wire that wait to be taken; beyond, data is not accepted.
pub const MAX_OUT: usize = 64 * 1024;
/// Events that wait; beyond, the oldest go: a server that tells its wires a thousand times a second.
const MAX_EVENTS: usize = 64;
/// Words about options that are answered within one connection. Honest ones need a dozen; the rest is a server that
/// changes its mind for ever.
const MAX_WORDS: usize = 200;

/// What to ask for.
#[derive(Debug, Clone, Default)]
pub struct ClientConfig {
    /// The settings of the line; `None` is plain telnet, or a line to be left as it is.
    pub line: Option<LineSettings>,
    /// The wires that are driven from the beginning on.
    pub wires: Wires,
    /// Whether COM-PORT is offered at all.
    pub com_port: bool,
}

impl ClientConfig {
    /// RFC 2217 with these settings.
    pub fn rfc2217(line: LineSettings, wires: Wires) -> Self {
        Self { line: Some(line), wires, com_port: true }
    }

    /// Telnet only.
    pub fn telnet() -> Self {
        Self::default()
    }
}

/// What can be asked for, each on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Setting {
    /// RFC 2217 itself.
    ComPort,
    Baud,
    DataBits,
    Parity,
    StopBits,
    Flow,
    Break,
    Dtr,
    Rts,
    Purge,
    Signature,
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Asked, not answered.
    Asked {
        /// Until when an answer is waited for.
        until: Duration,
    },
    /// The server says that it is so. On a pty this proves nothing for a break.
    Confirmed,
    /// The server says that it is something else: its own number for it.
    Differs(u32),
    /// No answer in time, or one that says no.
    NotSupported,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A question got its answer, or will get none.
    Settled(Setting, State),
    /// The far side's wires.
    Modem(ModemState),
    /// Breaks and errors that the server saw on the line.
    Line(LineState),
    /// Who the server says it is.
    Signature(String),
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    decoder: Decoder,
    options: Options,
    /// Options that were asked for, and until when their answers are waited for.
    options_open: Vec<(u8, Duration)>,
    words: usize,
    states: Vec<(Setting, Request, State)>,
    /// What is to be asked once the server agreed.
    held: Vec<(Setting, Request)>,
    out: Vec<u8>,
    received: VecDeque<u8>,
    events: VecDeque<Event>,
    modem: Option<ModemState>,
    suspended: bool,
    break_until: Option<Duration>,
    signature: Option<String>,
}

impl Client {
    /// Greets the server.
    pub fn new(now: Duration, config: ClientConfig) -> Self {
        let policies = [
            Policy { option: option::BINARY, ours: true, theirs: true },
            Policy { option: option::SGA, ours: true, theirs: true },
            // The router echoes, not we.
            Policy { option: option::ECHO, ours: false, theirs: true },
            Policy { option: option::COM_PORT, ours: config.com_port, theirs: false },
        ];
        let mut client = Self {
            config,
            decoder: Decoder::default(),
            options: Options::new(&policies),
            options_open: Vec::new(),
            words: 0,
            states: Vec::new(),
            held: Vec::new(),
            out: Vec::new(),
            received: VecDeque::new(),
            events: VecDeque::new(),
            modem: None,
            suspended: false,
            break_until: None,
            signature: None,
        };
        if client.config.com_port {
            client.options.offer(option::COM_PORT, &mut client.out);
            client.states.push((Setting::ComPort, Request::Signature, State::Asked { until: now + AGREE }));
        }
        for which in [option::BINARY, option::SGA] {
            client.options.offer(which, &mut client.out);
            client.options.request(which, &mut client.out);
            client.options_open.push((which, now + AGREE));
        }
        client
    }

    /// Bytes came.
    pub fn handle_bytes(&mut self, now: Duration, mut bytes: &[u8]) {
        while let (Some(item), rest) = self.decoder.next(bytes) {
            bytes = rest;
            match item {
                Item::Data(data) => self.received.extend(data),
                Item::Negotiate(verb, option) => self.word(now, verb, option),
                Item::Subnegotiation(option::COM_PORT, data) => self.answer(now, &data),
                Item::Subnegotiation(..) | Item::Command(_) => {}
            }
        }
    }

    fn word(&mut self, now: Duration, verb: telnet::Verb, which: u8) {
        self.words += 1;
        if self.words > MAX_WORDS {
            return;
        }
        self.options.receive(verb, which, &mut self.out);
        let options = &self.options;
        self.options_open
            .retain(|(open, _)| options.ours(*open) == Standing::Asked || options.theirs(*open) == Standing::Asked);
        if which == option::BINARY {
            self.decoder.set_binary(self.options.theirs(option::BINARY) == Standing::On);
        }
        if which == option::COM_PORT {
            match self.options.ours(option::COM_PORT) {
                Standing::On => self.agreed(now),
                Standing::Off => self.refused(),
                Standing::Unsaid | Standing::Asked | Standing::Unanswered => {}
            }
        }
    }

    fn agreed(&mut self, now: Duration) {
        if self.state(Setting::ComPort) == Some(State::Confirmed) {
            return;
        }
        self.settle(Setting::ComPort, State::Confirmed);
        self.ask(now, Setting::Signature, Request::Signature);
        if let Some(line) = self.config.line {
            self.set_line(now, line);
        }
        let Wires { dtr, rts } = self.config.wires;
        for (setting, request) in
            [(Setting::Dtr, dtr.map(|on| Request::Dtr(Some(on)))), (Setting::Rts, rts.map(|on| Request::Rts(Some(on))))]
        {
            if let Some(request) = request {
                self.ask(now, setting, request);
            }
        }
        for (setting, request) in std::mem::take(&mut self.held) {
            self.ask(now, setting, request);
        }
        // Who is told of wires and errors need not ask for them; no answer is waited for.
        for mask in [Request::ModemMask(0xff), Request::LineMask(0x1e)] {
            telnet::subnegotiation(option::COM_PORT, &mask.emit(), &mut self.out);
        }
    }

    fn refused(&mut self) {
        self.settle(Setting::ComPort, State::NotSupported);
        for (setting, _) in std::mem::take(&mut self.held) {
            self.events_push(Event::Settled(setting, State::NotSupported));
        }
    }

    fn set_line(&mut self, now: Duration, line: LineSettings) {
        for (setting, request) in [
            (Setting::Baud, Request::Baud(Some(line.baud))),
            (Setting::DataBits, Request::Data(Some(line.data))),
            (Setting::Parity, Request::Parity(Some(line.parity))),
            (Setting::StopBits, Request::Stop(Some(line.stop))),
            (Setting::Flow, Request::Flow(Some(line.flow))),
        ] {
            self.ask(now, setting, request);
        }
    }

    /// Sends a question whose answer has its own time.
    fn ask(&mut self, now: Duration, setting: Setting, request: Request) {
        telnet::subnegotiation(option::COM_PORT, &request.emit(), &mut self.out);
        self.states.retain(|(known, ..)| *known != setting);
        self.states.push((setting, request, State::Asked { until: now + ANSWER }));
    }

    /// Asks now, later once the server has agreed, or not at all.
    fn ask_in_time(&mut self, now: Duration, setting: Setting, request: Request) {
        match self.state(Setting::ComPort) {
            Some(State::Confirmed) => self.ask(now, setting, request),
            Some(State::Asked { .. }) => {
                self.held.retain(|(known, _)| *known != setting);
                self.held.push((setting, request));
            }
            _ => self.events_push(Event::Settled(setting, State::NotSupported)),
        }
    }

    fn events_push(&mut self, event: Event) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn settle(&mut self, setting: Setting, state: State) {
        let Some(entry) = self.states.iter_mut().find(|(known, ..)| *known == setting) else { return };
        if entry.2 != state {
            entry.2 = state;
            self.events_push(Event::Settled(setting, state));
        }
    }

    fn asked(&self, setting: Setting) -> Option<&Request> {
        self.states.iter().find(|(known, ..)| *known == setting).map(|(_, request, _)| request)
    }

    /// An answer; one that comes late still counts.
    fn answer(&mut self, _now: Duration, data: &[u8]) {
        let Some((&number, value)) = data.split_first() else { return };
        let Some(number) = number.checked_sub(code::ANSWER) else {
            // Some servers leave the 100 away when they tell something by themselves.
            return self.notified(number, value);
        };
        let setting = match number {
            code::SIGNATURE => {
                let text: String =
                    String::from_utf8_lossy(value).chars().filter(|c| !c.is_control()).take(80).collect();
                self.signature = Some(text.clone());
                self.events_push(Event::Signature(text));
                return self.settle(Setting::Signature, State::Confirmed);
            }
            code::NOTIFY_LINESTATE | code::NOTIFY_MODEMSTATE => return self.notified(number, value),
            code::FLOWCONTROL_SUSPEND | code::FLOWCONTROL_RESUME => return self.notified(number, value),
            code::PURGE_DATA => return self.settle(Setting::Purge, State::Confirmed),
            code::SET_BAUDRATE => Setting::Baud,
            code::SET_DATASIZE => Setting::DataBits,
            code::SET_PARITY => Setting::Parity,
            code::SET_STOPSIZE => Setting::StopBits,
            code::SET_CONTROL => match value.first() {
                Some(0..=3) => Setting::Flow,
                Some(4..=6) => Setting::Break,
                Some(7..=9) => Setting::Dtr,
                Some(10..=12) => Setting::Rts,
                _ => return,
            },
            _ => return,
        };
        let Some(request) = self.asked(setting) else { return };
        let got = match setting {
            // Some servers send four bytes more than they should.
            Setting::Baud => value.get(..4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes),
            _ => value.first().map(|byte| u32::from(*byte)),
        };
        let Some(got) = got else { return };
        let emitted = request.emit();
        let want = match setting {
            Setting::Baud => emitted.get(1..5).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes),
            _ => emitted.get(1).map(|byte| u32::from(*byte)),
        };
        // The question itself as the answer: ser2net's way to say that there is no such wire.
        let echoed_query = number == code::SET_CONTROL && matches!(got, 0 | 4 | 7 | 10);
        let state = match want {
            _ if echoed_query => State::NotSupported,
            Some(want) if want == got => State::Confirmed,
            _ if got == 0 => State::NotSupported,
            _ => State::Differs(got),
        };
        self.settle(setting, state);
    }

    fn notified(&mut self, number: u8, value: &[u8]) {
        match (number, value.first()) {
            (code::NOTIFY_MODEMSTATE, Some(byte)) => {
                let modem = ModemState::from_byte(*byte);
                self.modem = Some(modem);
                self.events_push(Event::Modem(modem));
            }
            (code::NOTIFY_LINESTATE, Some(byte)) => self.events_push(Event::Line(LineState(*byte))),
            (code::FLOWCONTROL_SUSPEND, _) => self.suspended = true,
            (code::FLOWCONTROL_RESUME, _) => self.suspended = false,
            _ => {}
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.break_until.is_some_and(|until| until <= now) {
            self.break_until = None;
            self.ask(now, Setting::Break, Request::Break(Some(false)));
        }
        let options = &mut self.options;
        self.options_open.retain(|(which, until)| *until > now || !options.give_up(*which));
        let late: Vec<Setting> = self
            .states
            .iter()
            .filter(|(.., state)| matches!(state, State::Asked { until } if *until <= now))
            .map(|(setting, ..)| *setting)
            .collect();
        for setting in late {
            if setting == Setting::ComPort { self.refused() } else { self.settle(setting, State::NotSupported) }
        }
    }

    /// When [`Client::handle_timeout`] is wanted next.
    pub fn poll_timeout(&self) -> Option<Duration> {
        let asked = self.states.iter().filter_map(|(.., state)| match state {
            State::Asked { until } => Some(*until),
            _ => None,
        });
        let options = self.options_open.iter().map(|(_, until)| *until);
        asked.chain(options).chain(self.break_until).min()
    }

    /// Bytes for the wire.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if self.out.is_empty() { None } else { Some(std::mem::take(&mut self.out)) }
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes at most `max` bytes of the line.
    pub fn take_data(&mut self, max: usize) -> Vec<u8> {
        let count = max.min(self.received.len());
        self.received.drain(..count).collect()
    }

    /// Bytes of the line that were not taken yet.
    pub fn unread(&self) -> usize {
        self.received.len()
    }

    /// Queues data for the line; how many bytes of it were taken. None while the server asks for silence.
    pub fn write(&mut self, data: &[u8]) -> usize {
        if self.suspended {
            return 0;
        }
        let count = data.len().min(MAX_OUT.saturating_sub(self.out.len()) / 2);
        let binary = self.options.ours(option::BINARY) == Standing::On;
        telnet::encode(data.get(..count).unwrap_or_default(), binary, &mut self.out);
        count
    }

    /// How a question stands; `None`: it was never asked.
    pub fn state(&self, setting: Setting) -> Option<State> {
        self.states.iter().find(|(known, ..)| *known == setting).map(|(.., state)| *state)
    }

    /// Whether nothing that data should wait for is open: BINARY, and the settings of the line. Each has its own time to be
    /// answered in, so this comes true whatever the server does, as long as [`Client::handle_timeout`] is called.
    pub fn is_settled(&self) -> bool {
        let binary_open = self.options_open.iter().any(|(which, _)| *which == option::BINARY);
        !binary_open && self.states.iter().all(|(.., state)| !matches!(state, State::Asked { .. }))
    }

    /// Whether the server has said nothing at all about options: it may be a raw port.
    pub fn is_mute(&self) -> bool {
        self.words == 0
    }

    /// Whether every byte comes through as it is.
    pub fn is_binary(&self) -> (bool, bool) {
        (self.options.ours(option::BINARY) == Standing::On, self.options.theirs(option::BINARY) == Standing::On)
    }

    /// Another speed or framing.
    pub fn set_settings(&mut self, now: Duration, line: LineSettings) {
        self.config.line = Some(line);
        if self.state(Setting::ComPort) == Some(State::Confirmed) {
            self.set_line(now, line);
        } else if !matches!(self.state(Setting::ComPort), Some(State::Asked { .. })) {
            self.events_push(Event::Settled(Setting::Baud, State::NotSupported));
        }
    }

    /// A break that ends by itself. Nobody can prove that it arrived.
    pub fn send_break(&mut self, now: Duration, lasts: Duration) {
        if self.state(Setting::ComPort) == Some(State::Confirmed) {
            self.ask(now, Setting::Break, Request::Break(Some(true)));
            self.break_until = Some(now + lasts);
        } else {
            // The telnet command is all that is left; ser2net takes it where it was told to.
            self.out.extend_from_slice(&[telnet::command::IAC, telnet::command::BRK]);
            self.events_push(Event::Settled(Setting::Break, State::NotSupported));
        }
    }

    /// DTR.
    pub fn set_dtr(&mut self, now: Duration, on: bool) {
        self.ask_in_time(now, Setting::Dtr, Request::Dtr(Some(on)));
    }

    /// RTS.
    pub fn set_rts(&mut self, now: Duration, on: bool) {
        self.ask_in_time(now, Setting::Rts, Request::Rts(Some(on)));
    }

    /// Empties the server's buffers.
    pub fn purge(&mut self, now: Duration, which: Purge) {
        self.ask_in_time(now, Setting::Purge, Request::Purge(which));
    }

    /// The far side's wires, as last told. `None`: never told.
    pub fn modem(&self) -> Option<ModemState> {
        self.modem
    }

    /// Who the server says it is.
    pub fn signature(&self) -> Option<&str> {
        self.signature.as_deref()
    }
}
