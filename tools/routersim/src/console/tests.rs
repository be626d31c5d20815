//! Sessions against byte literals of real captures, and against a real screen.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::kernel::{Instant, Kernel, PipeReader, PipeWriter, pipe};
use crate::record::SessionId;
use crate::spec::Version;

mod commands;
mod probe;
mod prompt;
mod screen;
mod welcome;

/// What the tests' commands do; the console must not care.
type Run = Rc<dyn Fn(LineRequest, CommandIo) -> LocalFuture<'static, LineResult>>;

struct Host {
    version: Version,
    identity: String,
    quirks: ConsoleQuirks,
    welcome: Welcome,
    run: Run,
    notices: Notices,
    ran: RefCell<Vec<Vec<u8>>>,
    passwords: RefCell<Vec<Vec<u8>>>,
    failures: RefCell<Vec<String>>,
    defaults_removed: Cell<Option<bool>>,
    license_seen: Cell<bool>,
    safe: RefCell<Vec<SafeMode>>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            version: Version::new(7, 21, 5),
            identity: "MikroTik".into(),
            quirks: ConsoleQuirks::default(),
            welcome: Welcome::default(),
            run: Rc::new(|request, io| Box::pin(shows(request, io))),
            notices: Notices::new(),
            ran: RefCell::default(),
            passwords: RefCell::default(),
            failures: RefCell::default(),
            defaults_removed: Cell::default(),
            license_seen: Cell::default(),
            safe: RefCell::default(),
        }
    }
}

/// A stand-in for the evaluator: `:put "TEXT"`, `/quit`, a path alone enters it; all else is a syntax error.
async fn shows(request: LineRequest, io: CommandIo) -> LineResult {
    let text = String::from_utf8_lossy(&request.text).into_owned();
    if let Some(put) = text.strip_prefix(":put \"") {
        io.line(put.trim_end_matches('"').as_bytes());
        return LineResult::default();
    }
    if text == "/quit" {
        return LineResult { quit: true, ..LineResult::default() };
    }
    if let Some(path) = text.strip_prefix('/')
        && !path.contains(' ')
    {
        let path = path.split('/').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        return LineResult { path: Some(path), ..LineResult::default() };
    }
    LineResult { error: Some("syntax error (line 1 column 7)".into()), ..LineResult::default() }
}

impl ConsoleHost for Host {
    fn identity(&self) -> String {
        self.identity.clone()
    }
    fn version(&self) -> Version {
        self.version
    }
    fn copyright_year(&self) -> u16 {
        2025
    }
    fn quirks(&self) -> ConsoleQuirks {
        self.quirks.clone()
    }
    fn authenticate(&self, _: &SessionOptions, user: &str, password: &[u8]) -> bool {
        user == "admin" && password == b"secret"
    }
    fn login_failed(&self, _: &SessionOptions, user: &str) {
        self.failures.borrow_mut().push(user.to_owned());
    }
    fn logged_in(&self, _: &SessionOptions, _: &str) {}
    fn logged_out(&self, _: &SessionOptions, _: &str, _: EndReason) {}
    fn welcome(&self, _: &str) -> Welcome {
        self.welcome.clone()
    }
    fn license_seen(&self) {
        self.license_seen.set(true);
    }
    fn default_configuration_answered(&self, remove: bool) {
        self.defaults_removed.set(Some(remove));
    }
    fn set_password(&self, _: &str, password: &[u8]) -> Result<(), String> {
        if password.is_empty() {
            return Err("password too short".into());
        }
        self.passwords.borrow_mut().push(password.to_vec());
        Ok(())
    }
    fn run_line<'a>(&'a self, request: LineRequest, io: CommandIo) -> LocalFuture<'a, LineResult> {
        self.ran.borrow_mut().push(request.text.clone());
        (self.run)(request, io)
    }
    fn complete(&self, _: &[String], line: &[u8]) -> Completion {
        let word = line.rsplit(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
        let words: [&[u8]; 3] = [b"identity", b"interface", b"ip"];
        let options: Vec<Vec<u8>> =
            words.iter().filter(|option| option.starts_with(word)).map(|option| option.to_vec()).collect();
        Completion { word: word.len(), options }
    }
    fn help(&self, _: &[String], _: &[u8]) -> Vec<HelpRow> {
        vec![HelpRow { word: "print".into(), text: "Print values".into() }]
    }
    fn safe_mode(&self, _: SessionId, _: &str, what: SafeMode) -> SafeModeReply {
        self.safe.borrow_mut().push(what);
        SafeModeReply::Done
    }
    fn notices(&self) -> Notices {
        self.notices.clone()
    }
}

struct Sim {
    kernel: Kernel,
    host: Rc<Host>,
    keys: Option<PipeWriter>,
    screen: PipeReader,
    end: Rc<Cell<Option<EndReason>>>,
    now: Instant,
}

impl Sim {
    fn new(host: Host, transport: Transport, login: Login) -> Self {
        let kernel = Kernel::new(Instant::ZERO, 7);
        let (keys, input) = pipe(None);
        let (output, screen) = pipe(None);
        let host = Rc::new(host);
        let end = Rc::new(Cell::new(None));
        let options = SessionOptions { session: SessionId(1), transport, login, from: String::new() };
        let terminal = Terminal { input, output, kernel: kernel.downgrade() };
        let (h, e): (Rc<dyn ConsoleHost>, _) = (Rc::clone(&host) as _, Rc::clone(&end));
        kernel.spawn("console", async move {
            let ended = run(terminal, h, options).await;
            e.set(ended.map(|ended| ended.reason));
        });
        Self { kernel, host, keys: Some(keys), screen, end, now: Instant::ZERO }
    }

    /// A session that is in, with this login name.
    fn named(host: Host, name: &str) -> Self {
        Self::new(host, Transport::MacTelnet, Login::Done { name: name.as_bytes().to_vec() })
    }

    /// At the prompt of an 80-column terminal that was not probed.
    fn at_prompt(host: Host) -> Self {
        let mut sim = Self::named(host, "admin+ct80w24h");
        sim.run(Duration::from_secs(1));
        sim.take();
        sim
    }

    fn run(&mut self, duration: Duration) {
        let until = self.now + duration;
        self.kernel.run(self.now);
        while let Some(at) = self.kernel.poll_timeout().filter(|at| *at <= until) {
            self.kernel.run(at);
        }
        self.now = until;
        self.kernel.run(until);
    }

    fn keys(&mut self, bytes: impl AsRef<[u8]>) {
        self.keys.as_ref().unwrap().push(bytes.as_ref());
        self.run(Duration::ZERO);
    }

    fn take(&mut self) -> String {
        String::from_utf8(self.screen.take(usize::MAX)).unwrap()
    }

    fn type_and_take(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.keys(bytes);
        self.take()
    }
}

const P: &str = "[admin@MikroTik] > ";

fn pad(columns: usize) -> String {
    " ".repeat(columns)
}

/// `\r\r\r\rP PAD \rP` at 80 columns.
fn painted() -> String {
    format!("\r\r\r\r[admin@MikroTik] >{}\r{P}", pad(61))
}

/// A terminal with a true cursor: answers what the router asks, after `delay` each.
struct Emulator {
    screen: vt100::Parser,
    tail: Vec<u8>,
    answered: usize,
}

impl Emulator {
    fn new(rows: u16, columns: u16) -> Self {
        Self {
            screen: vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0),
            tail: Vec::new(),
            answered: 0,
        }
    }

    /// Shows bytes; gives the answers.
    fn show(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut answers = Vec::new();
        for byte in bytes {
            self.tail.push(*byte);
            if self.tail.ends_with(b"\x1b[6n") {
                let (row, column) = self.screen.screen().cursor_position();
                answers.extend(format!("\x1b[{};{}R", row + 1, column + 1).as_bytes());
                self.answered += 1;
            } else if self.tail.ends_with(b"\x1bZ") {
                answers.extend(b"\x1b[?1;0c");
            } else if self.tail.ends_with(b"\x1bD") {
                // vt100 has no IND: as LF it scrolls without moving sideways.
                self.screen.process(b"\n");
            } else if *byte != b'Z' || !self.tail.ends_with(b"\x1bZ") {
                self.screen.process(&[*byte]);
            }
        }
        answers
    }
}

/// Plays until nothing more is asked; gives the round trips that were needed.
fn converse(sim: &mut Sim, emulator: &mut Emulator) -> usize {
    let mut trips = 0;
    for _ in 0..50 {
        sim.run(Duration::from_millis(200));
        let bytes = sim.screen.take(usize::MAX);
        let answers = emulator.show(&bytes);
        if answers.is_empty() {
            if bytes.is_empty() {
                break;
            }
            continue;
        }
        trips += 1;
        sim.keys(&answers);
    }
    trips
}

fn screen(emulator: &Emulator) -> String {
    emulator.screen.screen().contents().trim_end().to_owned()
}

fn first_login() -> Host {
    let line = LogLine {
        stamp: "2025-07-21 17:18:42".into(),
        clock: "17:18:42".into(),
        topics: "system,error,critical".into(),
        message: "login failure for user admin via local".into(),
    };
    Host {
        welcome: Welcome {
            license_question: true,
            critical_log: vec![line],
            change_password: true,
            ..Welcome::default()
        },
        ..Host::default()
    }
}

/// A host whose one command is `command`.
fn commanding<F>(command: impl Fn(CommandIo) -> F + 'static) -> Host
where
    F: Future<Output = LineResult> + 'static,
{
    Host { run: Rc::new(move |_, io| Box::pin(command(io))), ..Host::default() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// No bytes panic, and a byte never costs more than a few screen lines beside what its command says.
    #[test]
    fn arbitrary_bytes_never_panic_and_cost_little(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        name in "[a-z+0-9cetwh]{0,12}",
        v7: bool,
        transport in prop_oneof![Just(Transport::Serial), Just(Transport::Telnet), Just(Transport::Ssh), Just(Transport::MacTelnet)],
    ) {
        let version = if v7 { Version::new(7, 23, 2) } else { Version::new(6, 44, 6) };
        let welcome = Welcome {
            license_question: true,
            change_password: true,
            default_configuration: Some("x".into()),
            no_key: Some(("ABCD-EFGH".into(), "23h49m".into())),
            ..Welcome::default()
        };
        let host = Host { version, welcome, ..Host::default() };
        let columns = usize::from(split_login(name.as_bytes()).1.width.unwrap_or(80));
        let mut sim = Sim::new(host, transport, Login::Done { name: name.into_bytes() });
        sim.run(Duration::from_secs(11));
        sim.screen.take(usize::MAX);
        for byte in bytes {
            sim.keys.as_ref().unwrap().push(&[byte]);
            sim.run(Duration::from_millis(1));
            let cost = sim.screen.take(usize::MAX).len();
            prop_assert!(cost < 8 * (columns + 1024), "{cost} bytes for {byte:#x} at {columns} columns");
        }
    }

    /// The same line gives the same command however it is cut into writes, and the screen shows its end.
    #[test]
    fn a_line_is_taken_as_typed(line in "[ -~]{1,200}", cut in 0usize..200) {
        prop_assume!(!line.starts_with('#') && !line.trim().is_empty() && !line.starts_with("/quit"));
        let mut sim = Sim::at_prompt(Host::default());
        let cut = cut.min(line.len());
        sim.keys(&line[..cut]);
        sim.keys(&line[cut..]);
        let shown = sim.take();
        let mut emulator = Emulator::new(24, 80);
        emulator.show(painted().as_bytes());
        emulator.show(shown.as_bytes());
        let tail = &line[line.len().saturating_sub(20)..];
        prop_assert!(screen(&emulator).ends_with(tail.trim()), "{}", screen(&emulator));
        sim.keys("\r");
        let ran = sim.host.ran.borrow().concat();
        if routeros_script::incomplete(line.as_bytes()).is_none() {
            prop_assert_eq!(String::from_utf8(ran).unwrap(), line);
        }
    }
}
