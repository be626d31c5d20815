//! What a rehearsal shows besides the run itself: both consoles, what the routers do, what is on the wires.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use bootstrap::event::{Event, Record, Sink};
use bootstrap::render::{Line, Tone};
use lab::pair::Pair;
use lab::{Tap, Tapped};
use mactelnet::wire::frame::Frame;
use mactelnet::wire::packet::{Packet, PacketType};
use mactelnet::{Instant, MacAddr};
use routersim::record::{EventKind, Phase, SessionId, Via};

use super::change::Screen;
use super::wires::Wires;

/// How often news are looked for: often enough to stand between the right lines of the run.
const LOOK: Duration = Duration::from_millis(200);
/// Columns of a console line that are shown.
const WIDTH: usize = 96;
/// Lines that are remembered as shown; a rehearsal has some hundred.
const SEEN: usize = 10_000;

/// The stage: the pair, and what was already shown of it.
#[derive(Debug, Clone)]
pub struct Theatre(Rc<Stage>);

#[derive(Debug)]
struct Stage {
    pair: Pair,
    tap: Tap,
    host: MacAddr,
    screen: Rc<RefCell<Screen>>,
    show: bool,
    /// Everything, also what was shown before in the same form.
    all: bool,
    consoles: RefCell<BTreeMap<(char, SessionId), ConsoleLine>>,
    seen: RefCell<BTreeSet<String>>,
    waits: RefCell<Waits>,
    wires: RefCell<Wires>,
    /// Frames that were heard.
    heard: Cell<usize>,
    /// MAC-Telnet logins at router A, each a line in its log.
    logins: Cell<usize>,
}

/// What the waits of a run cost beyond what the router itself takes.
#[derive(Debug, Default)]
struct Waits {
    /// The wait that goes on, and since when.
    on: Option<(String, Instant)>,
    /// When router B first became ready for what is waited for. What comes behind that is no new beginning.
    ready: Option<Instant>,
    /// Step, when B was ready for it, and when it was done.
    over: Vec<(String, Instant, Instant)>,
}

/// One wait of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The step.
    pub step: String,
    /// How long the routers waited for us between being ready and the step's end.
    pub own: Duration,
    /// All the time between the two: logins, questions and the last word on a try that began before are the routers'.
    pub whole: Duration,
}

impl Theatre {
    /// A stage that shows each kind of line once, or with `all` every line.
    /// `host` is where the tool speaks from.
    pub fn new(pair: Pair, tap: Tap, host: MacAddr, screen: Rc<RefCell<Screen>>, show: bool, all: bool) -> Self {
        let mut wires = Wires::default();
        wires.name(host, "host");
        for (name, router) in [("A", &pair.a), ("B", &pair.b)] {
            let ports = router.look(|router| router.system().map(|system| system.net_config().ports));
            for port in ports.unwrap_or_default() {
                wires.name(port.orig_mac, &format!("{name} {}", port.default_name));
            }
        }
        Self(Rc::new(Stage {
            pair,
            tap,
            host,
            screen,
            show,
            all,
            consoles: RefCell::default(),
            seen: RefCell::default(),
            waits: RefCell::default(),
            wires: RefCell::new(wires),
            heard: Cell::new(0),
            logins: Cell::new(0),
        }))
    }

    /// Shows news as long as it is let run.
    pub async fn follow(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            self.show_news();
        }
    }

    /// Shows what happened since the last call.
    pub fn show_news(&self) {
        for (router, event) in self.0.pair.take_events() {
            self.hear(event.at);
            if router == 'B' {
                self.0.waits.borrow_mut().look(event.at, &event.kind);
            }
            if router == 'A' && matches!(event.kind, EventKind::Login { ok: true, via: Via::MacTelnet, .. }) {
                self.0.logins.set(self.0.logins.get() + 1);
            }
            if !self.0.show {
                continue;
            }
            let text = match event.kind {
                EventKind::ConsoleOut { session, bytes } => {
                    let mut consoles = self.0.consoles.borrow_mut();
                    for line in consoles.entry((router, session)).or_default().feed(&bytes) {
                        if self.0.all || self.is_news(&line) {
                            self.line(router, "|", &line);
                        }
                    }
                    continue;
                }
                kind => describe(&kind),
            };
            if let Some(text) = text {
                self.line(router, "*", &text);
            }
        }
        self.hear(self.0.pair.world.now());
    }

    /// What was on the wires until then.
    fn hear(&self, until: Instant) {
        let frames = self.0.tap.after(self.0.heard.get());
        for tapped in frames.iter().take_while(|tapped| tapped.at <= until) {
            self.0.heard.set(self.0.heard.get() + 1);
            let news = self.0.wires.borrow_mut().hear(&tapped.frame);
            if let Some(news) = news.filter(|_| self.0.show) {
                self.line(' ', "~", &news);
            }
        }
    }

    /// Whether a console line says something that no console has said yet. Markers around results are no news, a hop
    /// shows the far console's lines on the near one too, and waiting asks the same things again and again.
    fn is_news(&self, line: &str) -> bool {
        let shape = without_markers(line);
        let mut seen = self.0.seen.borrow_mut();
        !shape.is_empty() && seen.len() < SEEN && seen.insert(shape)
    }

    fn line(&self, router: char, sign: &str, text: &str) {
        let text: String = text.chars().take(WIDTH).collect();
        self.0.screen.borrow_mut().line(&Line { tone: Tone::Dim, text: format!("    {router} {sign} {text}") });
    }

    /// The waits until now.
    pub fn waits(&self) -> Vec<Wait> {
        let frames = self.0.tap.frames();
        let waits = self.0.waits.borrow();
        let wait = |(step, ready, done): &(String, Instant, Instant)| Wait {
            step: step.clone(),
            own: ours(&frames, self.0.host, *ready, *done),
            whole: done.saturating_since(*ready),
        };
        waits.over.iter().map(wait).collect()
    }

    /// MAC-Telnet logins at router A until now.
    pub fn logins(&self) -> usize {
        self.0.logins.get()
    }

    /// How much of what was on both cables.
    pub fn show_wires(&self) {
        let text = self.0.wires.borrow().summary();
        self.0.screen.borrow_mut().line(&Line { tone: Tone::Plain, text });
    }
}

impl Sink for Theatre {
    /// What the routers did before a record stands before it.
    fn record(&mut self, record: &Record) {
        self.show_news();
        let now = self.0.pair.world.now();
        match &record.event {
            Event::StepStarted { step, .. } if step.starts_with("b.wait-") => {
                self.0.waits.borrow_mut().begin(step, now);
            }
            Event::StepCompleted { step, .. } => self.0.waits.borrow_mut().end(step, now),
            _ => {}
        }
        self.0.screen.borrow_mut().record(record);
    }
}

impl Waits {
    fn begin(&mut self, step: &str, now: Instant) {
        (self.on, self.ready) = (Some((step.to_owned(), now)), None);
    }

    /// What router B does while it is waited for.
    fn look(&mut self, at: Instant, kind: &EventKind) {
        if let Some((step, began)) = &self.on
            && at >= *began
            && is_ready(step, kind)
        {
            self.ready.get_or_insert(at);
        }
    }

    /// A router that was ready before anybody waited for it waits for us from then on.
    fn end(&mut self, step: &str, now: Instant) {
        if let Some((step, began)) = self.on.take_if(|(on, _)| on == step) {
            self.over.push((step, self.ready.unwrap_or(began), now));
        }
    }
}

/// Our own part of each wait, as a line.
pub fn own_part(waits: &[Wait]) -> String {
    let list: Vec<String> = waits
        .iter()
        .map(|wait| format!("{} {} ms of {}", wait.step, wait.own.as_millis(), wait.whole.as_millis()))
        .collect();
    let sum: Duration = waits.iter().map(|wait| wait.own).sum();
    format!("Our own part of the waits (router ready -> our next act): {} ms: {}", sum.as_millis(), list.join(", "))
}

/// How long routers waited for us between `ready` and `done`: the silence before each frame by which we begin or type
/// something. What passed before a router's own word was the router's time.
fn ours(frames: &[Tapped], host: MacAddr, ready: Instant, done: Instant) -> Duration {
    let mut last = ready;
    let mut own = Duration::ZERO;
    for tapped in frames.iter().filter(|tapped| tapped.at > ready && tapped.at <= done) {
        let Ok(view) = Frame::new_checked(&tapped.frame) else { continue };
        let Ok(packet) = Packet::new_checked(view.payload()) else { continue };
        if view.src_mac() == host
            && (packet.kind() == PacketType::Start || packet.kind() == PacketType::Data && !packet.data().is_empty())
        {
            own += tapped.at.saturating_since(last);
            last = tapped.at;
        } else if view.dst_mac() == host || packet.dst() == host {
            last = tapped.at;
        }
    }
    own
}

/// Whether router B is now what a step waits for: its console is up behind a reset, its start as a standby is done.
fn is_ready(step: &str, kind: &EventKind) -> bool {
    match kind {
        EventKind::Phase(phase) => step == "b.wait-reset" && *phase == Phase::Up,
        EventKind::Log { message, .. } => step != "b.wait-reset" && message == "ha_startup: DONE",
        _ => false,
    }
}

/// A line without the prompt's name and without the run's own markers: runs of ten hex digits.
fn without_markers(line: &str) -> String {
    let line = line.split_once("] > ").map_or(line, |(_, typed)| typed);
    // A long command is shown from where the editor has scrolled to: in the middle of its marker.
    let line = line.strip_prefix('<').and_then(|rest| rest.split_once("\"B\"); ")).map_or(line, |(_, asked)| asked);
    let bytes = line.as_bytes();
    let mut shape = String::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let run = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if run >= 10 {
            at += run;
        } else {
            shape.push(char::from(*byte));
            at += 1;
        }
    }
    let shape = shape.trim();
    // `QA` and what is left of a marker.
    if shape.starts_with('Q') && shape.len() <= 4 { String::new() } else { shape.to_owned() }
}

/// What a router did, as a line; what is of no interest to an operator is left out.
fn describe(kind: &EventKind) -> Option<String> {
    Some(match kind {
        EventKind::Phase(phase) => format!("{phase:?}"),
        EventKind::PowerCut { .. } => "power cut".to_owned(),
        EventKind::ConsoleCrash => "the console process died".to_owned(),
        EventKind::Login { user, via, ok } => {
            format!("login of {user} by {via:?}: {}", if *ok { "taken" } else { "refused" })
        }
        EventKind::Asked { command, via, .. } => format!("asked to {command} by {via:?}"),
        EventKind::ConfigErased { .. } => "CONFIGURATION ERASED".to_owned(),
        EventKind::BackupLoaded { name } => format!("loads the backup {name}"),
        EventKind::BackupSaved { name } => format!("saves the backup {name}"),
        EventKind::FileWritten { name, size } => format!("file {name}, {size} bytes"),
        EventKind::Vrrp { interface, master } => {
            format!("{interface} is {}", if *master { "MASTER" } else { "BACKUP" })
        }
        EventKind::Port { name, running } => format!("{name} {}", if *running { "up" } else { "down" }),
        EventKind::ScriptEnded { name, error: Some(error) } => format!("script {name} failed: {error}"),
        EventKind::Log { topics, message } if topics.contains("script") => format!("log {message}"),
        _ => return None,
    })
}

/// Puts a console's bytes together into the lines that stand on its screen at each line end.
#[derive(Debug, Default)]
struct ConsoleLine {
    line: Vec<char>,
    column: usize,
    escape: Option<u8>,
    last: String,
}

impl ConsoleLine {
    fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            match (self.escape, byte) {
                // ESC, then either one more byte or `[` ... a letter.
                (Some(0), b'[') => self.escape = Some(1),
                (Some(0), _) => self.escape = None,
                (Some(_), 0x40..=0x7e) => self.escape = None,
                (Some(_), _) => {}
                (None, 0x1b) => self.escape = Some(0),
                (None, b'\r') => self.column = 0,
                (None, b'\n') => {
                    let text: String = self.line.drain(..).collect();
                    self.column = 0;
                    let text = text.trim().to_owned();
                    // A repaint shows the same line twice.
                    if !text.is_empty() && text != self.last {
                        lines.push(text.clone());
                    }
                    self.last = text;
                }
                (None, 0x08) => self.column = self.column.saturating_sub(1),
                (None, 0x20..) => {
                    let c = if byte < 0x7f { char::from(byte) } else { '.' };
                    // A console line has a width; what is beyond any is not kept.
                    if self.column < 4096 {
                        if self.column >= self.line.len() {
                            self.line.resize(self.column + 1, ' ');
                        }
                        if let Some(cell) = self.line.get_mut(self.column) {
                            *cell = c;
                        }
                        self.column += 1;
                    }
                }
                (None, _) => {}
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a router does behind its being ready does not begin the wait again, and nothing from before it counts.
    #[test]
    fn a_wait_is_counted_from_the_first_readiness() {
        let at = Instant::from_millis;
        let up = EventKind::Phase(Phase::Up);
        let mut waits = Waits::default();
        waits.look(at(5), &up);
        waits.begin("b.wait-reset", at(10));
        for (ms, kind) in [(9, &up), (20, &EventKind::Phase(Phase::Off)), (30, &up), (40, &up)] {
            waits.look(at(ms), kind);
        }
        waits.end("b.import", at(45));
        waits.end("b.wait-reset", at(50));
        assert_eq!(waits.over, [("b.wait-reset".to_owned(), at(30), at(50))]);
        waits.begin("b.wait-standby", at(60));
        waits.look(at(65), &up);
        waits.end("b.wait-standby", at(70));
        assert_eq!(waits.over[1], ("b.wait-standby".to_owned(), at(60), at(70)), "it was ready before");
    }

    #[test]
    fn markers_are_no_news() {
        assert_eq!(without_markers("QA8a4baa5dc0K"), "");
        assert_eq!(without_markers("[admin@x] > :put (\"QA\" . \"8a4baa5dc0\")"), ":put (\"QA\" . \"\")");
        assert_eq!(without_markers("count=0"), "count=0");
        assert_eq!(without_markers("<7f\" . \"B\"); :put 1"), without_markers("<0a1\" . \"B\"); :put 1"));
    }

    #[test]
    fn a_repainted_line_is_shown_once() {
        let mut console = ConsoleLine::default();
        assert_eq!(console.feed(b":put 1\r[a@b] > :put 1\r\n\r1\r\n\r\x1b[9999B[a@b] >   \r"), ["[a@b] > :put 1", "1"]);
    }
}
