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

#[test]
fn reply_frames_are_those_of_the_captures() {
    let mut sim = Sim::at_prompt(Host::default());
    // T19, 1
    assert_eq!(
        sim.type_and_take(":put \"hello\"\r"),
        format!(":put \"hello\"\r{P}:put \"hello\"\r\n\rhello\r\n{}", painted())
    );
    // T19, 2
    assert_eq!(
        sim.type_and_take("/bogus/nope print\r"),
        format!("/bogus/nope print\r{P}/bogus/nope print\r\n\rsyntax error (line 1 column 7)\r\n{}", painted())
    );
    // T19, 4
    assert_eq!(sim.type_and_take(":put \"\"\r"), format!(":put \"\"\r{P}:put \"\"\r\n{}", painted()));
    // Enter alone
    assert_eq!(sim.type_and_take("\r"), format!("\r{P}\r\n{}", painted()));
}

#[test]
fn a_long_line_scrolls_sideways_as_captured() {
    // T19, 3
    let mut sim = Sim::at_prompt(Host::default());
    let line = r#"/ip/address add address=nonsense; :put ("CH" . "AIN" . "RAN")"#;
    let tail = r#"<ss=nonsense; :put ("CH" . "AIN" . "RAN")"#;
    let expected = [
        line[..60].to_owned(),
        format!("\r{P}{}>", &line[..59]),
        format!("\r{tail}{}", pad(79 - tail.len())),
        format!("\r{tail}"),
        format!("\r{tail}\r\n"),
        format!("\rsyntax error (line 1 column 7)\r\n{}", painted()),
    ];
    assert_eq!(sim.type_and_take(format!("{line}\r")), expected.concat());
}

#[test]
fn dumb_mode_repaints_at_every_key() {
    // T18: user and identity make a prompt of 33 bytes; 18 keys cost 18,910 bytes.
    let host = Host { version: Version::new(6, 49, 17), identity: "mk-rb3011-test".into(), ..Host::default() };
    let mut sim = Sim::named(host, "username12345+cte999w255h");
    sim.run(Duration::from_secs(1));
    let p = "[username12345@mk-rb3011-test] > ";
    assert_eq!(p.len(), 33);
    let first = sim.take();
    assert!(first.starts_with("\r\r\n\r\r\n\r\r\n\r\r\n\r\r\n\r\r\n\r\r\n\r\n\r  MMM      MMM  "), "{first:?}");
    let bare = p.trim_end();
    assert!(first.ends_with(&format!("level\r\n\r\r\r\r\r\r{bare}{}\r{p}", pad(966))), "{first:?}");
    assert_eq!(sim.type_and_take("/"), format!("/\r\r{p}/{}\x1b[K\r{p}/", pad(964)));
    assert_eq!(sim.type_and_take("i"), format!("i\r\r{p}/i{}\x1b[K\r{p}/i", pad(963)));
    sim.keys("p service export");
    let keys = 2 * (1 + 2 + 998 + 3 + 1 + 33) + 1 + 2 + sim.take().len();
    // With the repaint at Enter and the CR of the first line of output.
    let enter = sim.type_and_take("\r");
    let last = format!("\r{p}/ip service export\r\n\r");
    assert!(enter.starts_with(&last), "{enter:?}");
    assert_eq!(keys + last.len(), 18_910);
    assert!(enter.ends_with(&format!("\r\r\r\r{bare}{}\r{p}\r\r{bare}{}\x1b[K\r{p}", pad(966), pad(966))));
}

// ---- the terminal probe

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

#[test]
fn a_true_cursor_is_probed_without_a_stall() {
    let mut sim = Sim::named(Host::default(), "admin");
    let mut emulator = Emulator::new(40, 132);
    let trips = converse(&mut sim, &mut emulator);
    assert_eq!((trips, emulator.answered), (5, 5), "one trip for each question");
    assert!(sim.now < Instant::from_millis(2000), "{:?}", sim.now);
    assert!(screen(&emulator).ends_with(P.trim_end()), "{}", screen(&emulator));
    // The width and the several-line editor are the probed ones: 120 typed characters need no scrolling mark.
    let line = "x".repeat(130);
    sim.keys(&line);
    let bytes = sim.screen.take(usize::MAX);
    emulator.show(&bytes);
    let shown = screen(&emulator);
    assert!(shown.contains(&format!("{P}{}\n{}", "x".repeat(132 - 19), "x".repeat(17))), "{shown}");
    assert_eq!(emulator.screen.screen().cursor_position(), (39, 17));
    // Enter repaints from the first row: the screen stays the same.
    sim.keys("\r");
    let bytes = sim.screen.take(usize::MAX);
    emulator.show(&bytes);
    assert_eq!(screen(&emulator).matches('x').count(), 131, "{}", screen(&emulator));
}

#[test]
fn the_first_question_is_the_captured_one() {
    let mut sim = Sim::named(Host::default(), "admin");
    sim.run(Duration::from_millis(300));
    assert_eq!(sim.take(), "\r\x1b[9999B\r\x1b[9999B\x1bZ  \x1b[6n");
}

#[test]
fn an_unanswered_probe_stalls_ten_seconds_and_gives_80_columns() {
    let mut sim = Sim::named(Host::default(), "admin");
    sim.run(Duration::from_millis(10_183));
    assert_eq!(sim.take(), "\r\x1b[9999B\r\x1b[9999B\x1bZ  \x1b[6n");
    sim.run(Duration::from_millis(1));
    let shown = sim.take();
    assert!(shown.starts_with("\x1b[9999B\r"), "{shown:?}");
    assert!(shown.ends_with(&painted()));
}

#[test]
fn a_wrong_answer_stalls_as_long() {
    let mut sim = Sim::named(Host::default(), "admin");
    for _ in 0..110 {
        sim.run(Duration::from_millis(100));
        let bytes = sim.screen.take(usize::MAX);
        // A fixed report, whatever the cursor did.
        for _ in 0..bytes.windows(4).filter(|bytes| bytes == b"\x1b[6n").count() {
            sim.keys("\x1b[?1;0c\x1b[24;80R");
        }
        if bytes.windows(3).any(|bytes| bytes == b"MMM") {
            break;
        }
    }
    assert!(sim.now >= Instant::from_millis(10_184) && sim.now < Instant::from_millis(10_400), "{:?}", sim.now);
}

#[test]
fn always_1_1_is_a_terminal_without_data() {
    let mut sim = Sim::named(Host::default(), "admin");
    for _ in 0..20 {
        sim.run(Duration::from_millis(100));
        let bytes = sim.screen.take(usize::MAX);
        for _ in 0..bytes.windows(4).filter(|bytes| bytes == b"\x1b[6n").count() {
            sim.keys("\x1b[?1;0c\x1b[1;1R");
        }
    }
    sim.take();
    assert_eq!(sim.type_and_take(":put \"hello\"\r"), ":put \"hello\"\r\n\r\r\r\r] > ");
}

#[test]
fn lines_typed_into_the_probe_are_glued() {
    // T21: what is sent before the prompt loses its line ends.
    let mut sim = Sim::named(Host::default(), "admin");
    sim.keys("qui\r/system\r");
    sim.run(Duration::from_secs(11));
    assert!(sim.take().ends_with("> qui/system"));
    assert!(sim.host.ran.borrow().is_empty());
}

#[test]
fn t_in_the_login_name_asks_nothing() {
    let mut sim = Sim::named(Host::default(), "admin+ct511w4098h");
    sim.run(Duration::from_millis(184));
    let shown = sim.take();
    assert!(!shown.contains('\x1b'), "{shown:?}");
    assert!(shown.ends_with(&format!("\r\r\r\r[admin@MikroTik] >{}\r{P}", pad(510 - 18))));
    // Letters first: height 511, and 80 columns.
    let mut wrong = Sim::named(Host::default(), "admin+ctw511h4098");
    wrong.run(Duration::from_millis(184));
    assert!(wrong.take().ends_with(&painted()));
}

// ---- before the prompt

#[test]
fn serial_and_telnet_ask_for_name_and_password() {
    let mut sim = Sim::new(Host::default(), Transport::Serial, Login::Ask);
    sim.run(Duration::from_millis(20));
    assert_eq!(sim.take(), "\r\nMikroTik 7.21.5 (stable)\r\nMikroTik Login: ");
    // CR LF is two Enters here: name, and an empty password.
    sim.keys("admin\r\n");
    sim.run(Duration::from_millis(55));
    sim.run(Duration::from_millis(20));
    assert_eq!(
        sim.take(),
        "admin\r\nPassword: \r\nLogin failed, incorrect username or password\r\n\r\nMikroTik Login: "
    );
    assert_eq!(*sim.host.failures.borrow(), ["admin"]);
    sim.keys("admin+ct80w24h\rsecret\r");
    sim.run(Duration::from_secs(1));
    let shown = sim.take();
    assert!(shown.starts_with("admin+ct80w24h\r\nPassword: \r\n") && shown.ends_with(&painted()), "{shown:?}");

    let mut telnet =
        Sim::new(Host { version: Version::new(6, 44, 6), ..Host::default() }, Transport::Telnet, Login::Ask);
    telnet.run(Duration::from_millis(20));
    assert_eq!(telnet.take(), "\r\nMikroTik v6.44.6 (long-term)\r\nLogin: ");
    telnet.keys("admin+ct\r\0secret\r\n");
    telnet.run(Duration::from_secs(1));
    assert!(telnet.take().ends_with(&painted()), "CR NUL and CR LF are one Enter");
}

#[test]
fn a_refused_mac_telnet_login_is_text() {
    // T26: 46 bytes, about a second after the exchange.
    let mut sim = Sim::new(Host::default(), Transport::MacTelnet, Login::Refused);
    sim.run(Duration::from_millis(1000));
    assert_eq!(sim.take(), "");
    sim.run(Duration::from_millis(100));
    let text = sim.take();
    assert_eq!((text.as_str(), text.len()), ("Login failed, incorrect username or password\r\n", 46));
    assert_eq!(sim.end.get(), Some(EndReason::Refused));
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

#[test]
fn a_first_login_asks_for_licence_and_password() {
    // T15
    let mut sim = Sim::named(first_login(), "admin+ct80w24h");
    sim.run(Duration::from_secs(1));
    let banner = sim.take();
    for row in [
        "  MMM      MMM       KKK                          TTTTTTTTTTT      KKK",
        "  MMM  MM  MMM  III  KKKKK     RRR  RRR  OOO  OOO     TTT     III  KKKKK",
        "  MikroTik RouterOS 7.21.5 (c) 1999-2025       https://www.mikrotik.com/",
    ] {
        assert!(banner.contains(&format!("\r{row}\r\n")), "{banner}");
    }
    assert!(banner.ends_with("\rDo you want to see the software license? [Y/n]: \r\n"));
    let shown = sim.type_and_take("n");
    assert!(sim.host.license_seen.get());
    let repainted = |prompt: &str| format!("\r\r\r\r{prompt}{}\r{prompt}", pad(79 - prompt.len()));
    let expected = [
        "n\r\n\rPress F1 for help\r\n\r\r\n",
        "\r2025-07-21 17:18:42 system,error,critical login failure for user admin via local\r\n\r\r\n",
        "\rChange your password\r\n",
        &repainted("new password> "),
    ];
    assert_eq!(shown, expected.concat());
    assert_eq!(sim.type_and_take("abc\r"), format!("***\rnew password> ***\r\n{}", repainted("repeat new password> ")));
    assert_eq!(
        sim.type_and_take("abd\r"),
        format!(
            "***\rrepeat new password> ***\r\n\r\r\n\rTry again, error: New passwords do not match!\r\n{}",
            repainted("new password> ")
        )
    );
    let shown = sim.type_and_take("abc\rabc\r");
    assert!(shown.ends_with(&format!("\r\r\n\rPassword changed\r\n{}", painted())), "{shown:?}");
    assert_eq!(*sim.host.passwords.borrow(), [b"abc"]);
}

#[test]
fn ctrl_c_skips_the_password_and_an_extra_enter_is_an_answer() {
    let mut sim = Sim::named(Host { version: Version::new(7, 23, 2), ..first_login() }, "admin+ct80w24h");
    sim.run(Duration::from_secs(1));
    // One Enter too many after the licence question: an empty new password.
    let shown = sim.type_and_take("n\r");
    assert!(shown.contains("\rChange your password (Ctrl-C to skip)\r\n"));
    assert!(shown.ends_with("\rrepeat new password> "), "{shown:?}");
    let shown = sim.type_and_take("\r");
    assert!(shown.contains("\rTry again, error: password too short\r\n"), "{shown:?}");
    let shown = sim.type_and_take("ab\x03");
    assert!(shown.ends_with(&painted()) && !shown.contains("Password changed"));
    assert!(sim.host.passwords.borrow().is_empty());
}

#[test]
fn a_late_probe_answer_becomes_the_password() {
    let mut host = first_login();
    host.welcome.license_question = false;
    host.quirks.probe_at_password = true;
    let mut sim = Sim::named(host, "admin+ct80w24h");
    sim.run(Duration::from_secs(1));
    assert!(sim.take().ends_with("new password> \x1b[6n"));
    sim.keys("\x1b[1;1R\r");
    sim.keys("\x1b[1;1R\r");
    assert_eq!(*sim.host.passwords.borrow(), [b"\x1b[1;1R"]);
}

#[test]
fn the_licence_is_left_by_q_enter() {
    let mut sim = Sim::named(first_login(), "admin+ct80w24h");
    sim.run(Duration::from_secs(1));
    assert!(sim.type_and_take("y").ends_with("press Enter (q to abort)"));
    assert!(sim.type_and_take("\r").ends_with("press Enter (q to abort)"));
    assert!(sim.type_and_take("q\r").ends_with("new password> "));
}

#[test]
fn the_default_configuration_screen_takes_one_key() {
    // T16
    let welcome = Welcome { default_configuration: Some("RouterMode:\n * WAN port".into()), ..Welcome::default() };
    for (key, removed) in [("\r", false), ("r", true), ("x", false)] {
        let host = Host { version: Version::new(6, 44, 6), welcome: welcome.clone(), ..Host::default() };
        let mut sim = Sim::named(host, "admin+ct80w24h");
        sim.run(Duration::from_secs(1));
        let shown = sim.take();
        assert!(shown.contains("\r[?]             Gives the list of available commands\r\n"));
        assert!(shown.contains("\rRouterMode:\r\n\r * WAN port\r\n"), "{shown:?}");
        assert!(shown.replace("\r\n\r", "").ends_with("you will be disconnected.\r\n"));
        assert!(sim.type_and_take(key).ends_with(&painted()));
        assert_eq!(sim.host.defaults_removed.get(), Some(removed), "{key:?}");
    }
}

// ---- at the prompt

#[test]
fn prompts_follow_path_and_version() {
    let mut sim = Sim::at_prompt(Host::default());
    assert!(sim.type_and_take("/ip/address\r").ends_with("\r[admin@MikroTik] /ip/address> "));
    let mut old = Sim::at_prompt(Host { version: Version::new(6, 44, 6), ..Host::default() });
    assert!(old.type_and_take("/ip/address\r").ends_with("\r[admin@MikroTik] /ip address> "));
}

#[test]
fn open_brackets_change_the_prompt() {
    let mut sim = Sim::at_prompt(Host::default());
    let small = |prompt: &str| format!("\r\r\r\r{prompt}{}\r{prompt}", pad(79 - prompt.len()));
    assert!(sim.type_and_take("{\r").ends_with(&small("{... ")));
    assert!(sim.type_and_take(":put (1 + \\\r").ends_with(&small("{(\\... ")));
    assert!(sim.type_and_take("2)\r").ends_with(&small("{... ")));
    assert!(sim.host.ran.borrow().is_empty());
    assert!(sim.type_and_take("}\r").ends_with(&painted()));
    assert_eq!(*sim.host.ran.borrow(), [b"{\n:put (1 + \\\n2)\n}"]);
    // Recalled, and Ctrl-C drops it all.
    assert!(sim.type_and_take("\x1b[A").ends_with("\rline 4 of 4> }"));
    assert!(sim.type_and_take("\x03").ends_with(&painted()));
    assert!(sim.type_and_take("{\r").ends_with(&small("{... ")));
    assert!(sim.type_and_take("\x03").ends_with(&painted()));
    assert_eq!(sim.host.ran.borrow().len(), 1);
}

#[test]
fn two_lines_in_one_write_are_two_inputs() {
    let mut sim = Sim::at_prompt(Host::default());
    let shown = sim.type_and_take(":put \"a\"\r:put \"b\"\r");
    let one = |text: &str| format!(":put \"{text}\"\r{P}:put \"{text}\"\r\n\r{text}\r\n{}", painted());
    assert_eq!(shown, one("a") + &one("b"));
}

#[test]
fn editing_keys_change_the_line() {
    let mut sim = Sim::at_prompt(Host::default());
    sim.keys(":put \"ac\"\x1b[D\x1b[D\x1b[Cb\x02\x02\x1b[3~\x01\x05\r");
    sim.keys("junk\x15:put \"x\"\x01\x06\x0b\x15:put \"yz\x7f\"\r");
    sim.keys("\x1b[A\x1b[A\x1b[B\r");
    let ran: Vec<String> =
        sim.host.ran.borrow().iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    assert_eq!(ran, [":put \"ab\"", ":put \"y\"", ":put \"y\""]);
}

#[test]
fn the_screen_agrees_with_the_line() {
    let mut sim = Sim::at_prompt(Host::default());
    let mut emulator = Emulator::new(24, 80);
    emulator.show(painted().as_bytes());
    let line = "/ip firewall filter add chain=input comment=\"one two three four five six seven eight nine ten\"";
    for byte in line.bytes() {
        let bytes = sim.type_and_take([byte]);
        emulator.show(bytes.as_bytes());
    }
    assert_eq!(emulator.screen.screen().cursor_position().0, 0, "one screen line only");
    assert!(screen(&emulator).starts_with('<') && screen(&emulator).ends_with("nine ten\""), "{}", screen(&emulator));
    let bytes = sim.type_and_take("\x01");
    emulator.show(bytes.as_bytes());
    assert!(screen(&emulator).starts_with(&format!("{P}/ip firewall")) && screen(&emulator).ends_with('>'));
    assert_eq!(emulator.screen.screen().cursor_position(), (0, 19));
}

#[test]
fn tab_completes_and_lists() {
    let mut sim = Sim::at_prompt(Host::default());
    assert_eq!(sim.type_and_take("/id\t"), "/identity ");
    sim.keys("\x15");
    sim.take();
    assert_eq!(sim.type_and_take("/i\t"), "/i");
    assert!(sim.type_and_take("\t").starts_with(&format!("\r{P}/i\r\n\ridentity  interface  ip\r\n")));
}

#[test]
fn a_question_mark_is_help_on_6_and_text_on_7() {
    let mut old = Sim::at_prompt(Host { version: Version::new(6, 44, 6), ..Host::default() });
    let shown = old.type_and_take("/ip ?");
    assert!(shown.starts_with(&format!("/ip \r{P}/ip \r\n\rprint -- Print values\r\n")), "{shown:?}");
    assert!(shown.ends_with(&format!("\r{P}/ip ")));
    assert_eq!(old.type_and_take("\\?"), "\\?");
    let mut new = Sim::at_prompt(Host::default());
    assert_eq!(new.type_and_take("a?"), "a?");
}

#[test]
fn a_comment_line_is_chat_on_7() {
    let mut sim = Sim::at_prompt(Host::default());
    sim.keys("# hello\r");
    assert!(sim.host.ran.borrow().is_empty());
    sim.take();
    sim.run(Duration::from_secs(2));
    assert!(sim.take().starts_with("\radmin:  hello "));
}

#[test]
fn quit_says_interrupted() {
    let mut sim = Sim::at_prompt(Host::default());
    assert_eq!(sim.type_and_take("/quit\r"), format!("/quit\r{P}/quit\r\n\rinterrupted\r\n"));
    assert_eq!(sim.end.get(), Some(EndReason::Quit));
    let mut sim = Sim::at_prompt(Host::default());
    sim.keys("x\x04\x7f\x04");
    assert_eq!(sim.end.get(), Some(EndReason::LoggedOut));
}

#[test]
fn safe_mode_is_in_the_prompt_and_undone_by_ctrl_d() {
    let mut sim = Sim::at_prompt(Host::default());
    let shown = sim.type_and_take("\x18");
    assert!(shown.starts_with("\r\n\rTaking Safe Mode session... Success!\r\n"), "{shown:?}");
    assert!(shown.ends_with("\r[admin@MikroTik] <SAFE> "));
    sim.keys("\x04");
    assert_eq!(*sim.host.safe.borrow(), [SafeMode::Take, SafeMode::Unroll]);
    let mut sim = Sim::at_prompt(Host { version: Version::new(6, 44, 6), ..Host::default() });
    assert!(sim.type_and_take("\x18").contains("\r[Safe Mode taken]\r\n"));
    sim.keys("/quit\r");
    assert_eq!(*sim.host.safe.borrow(), [SafeMode::Take, SafeMode::Release]);
}

#[test]
fn log_lines_come_into_an_idle_session_only() {
    let line = LogLine {
        clock: "23:17:46".into(),
        topics: "system,error,critical".into(),
        message: "login failure for user admin from 192.168.4.31 via api".into(),
        ..LogLine::default()
    };
    // T22, on a probed terminal
    let mut sim = Sim::named(Host { identity: "CHR".into(), ..Host::default() }, "admin");
    let mut emulator = Emulator::new(40, 132);
    converse(&mut sim, &mut emulator);
    sim.host.notices.publish(Notice::Log(line.clone()));
    sim.run(Duration::from_millis(900));
    sim.keys("x\x7f");
    sim.take();
    sim.run(Duration::from_millis(900));
    assert_eq!(sim.take(), "", "a key was typed meanwhile");
    sim.run(Duration::from_millis(100));
    assert_eq!(
        sim.take(),
        "\r23:17:46 echo: system,error,critical login failure for user admin from 192.168.4.31 via api\x1b[K\r\n\r\x1b[9999B[admin@CHR] > "
    );
    // The half-typed line comes back.
    let mut plain = Sim::at_prompt(Host::default());
    plain.keys("/ip ad");
    plain.host.notices.publish(Notice::Log(line));
    plain.take();
    plain.run(Duration::from_secs(2));
    let shown = plain.take();
    assert!(shown.starts_with("\r23:17:46 echo: system,error,critical login failure"), "{shown:?}");
    assert!(shown.ends_with(&format!("\r{P}/ip ad")), "{shown:?}");
}

#[test]
fn an_idle_session_ends_silently() {
    let mut host = Host::default();
    host.quirks.idle_logout = Some(Duration::from_secs(30));
    let mut sim = Sim::at_prompt(host);
    sim.run(Duration::from_secs(20));
    sim.keys("x");
    sim.take();
    sim.run(Duration::from_millis(29_999));
    assert_eq!(sim.end.get(), None);
    sim.run(Duration::from_millis(1));
    assert_eq!((sim.end.get(), sim.take().as_str()), (Some(EndReason::Idle), ""));
}

#[test]
fn only_waiting_for_the_user_is_idle() {
    let mut host = commanding(|io| async move {
        io.sleep(Duration::from_secs(100)).await;
        io.confirm("Reboot, yes?").await;
        LineResult::default()
    });
    host.quirks.idle_logout = Some(Duration::from_secs(30));
    let mut sim = Sim::at_prompt(host);
    sim.keys("/system/reboot\r");
    sim.run(Duration::from_secs(129));
    assert_eq!(sim.end.get(), None, "100 s of work and 29 s of waiting");
    sim.run(Duration::from_secs(1));
    assert_eq!(sim.end.get(), Some(EndReason::Idle));
}

#[test]
fn the_prompt_comes_twice_where_it_does() {
    // T22, over SSH
    let mut host = Host { identity: "CHR".into(), ..Host::default() };
    host.quirks.double_prompt = true;
    let mut sim = Sim::named(host, "admin");
    let mut emulator = Emulator::new(40, 132);
    converse(&mut sim, &mut emulator);
    let shown = sim.type_and_take(":put \"x\"\r");
    let p = "\x1b[9999B[admin@CHR] > ";
    assert!(shown.ends_with(&format!("\rx\r\n\r\r\r{p}\r\n\r\r\r\r{p}")), "{shown:?}");
}

// ---- running commands

/// A host whose one command is `command`.
fn commanding<F>(command: impl Fn(CommandIo) -> F + 'static) -> Host
where
    F: Future<Output = LineResult> + 'static,
{
    Host { run: Rc::new(move |_, io| Box::pin(command(io))), ..Host::default() }
}

#[test]
fn a_question_is_answered_on_the_next_line() {
    // T17, T23
    let host = commanding(|io| async move {
        if io.confirm("Reboot, yes?").await {
            io.line(b"system will reboot shortly");
        }
        LineResult::default()
    });
    let mut sim = Sim::at_prompt(host);
    assert!(sim.type_and_take("/system/reboot\r").ends_with("\r\n\rReboot, yes? [y/N]: \r\n"));
    assert_eq!(sim.type_and_take("y"), format!("y\r\n\rsystem will reboot shortly\r\n{}", painted()));
    sim.keys("/system/reboot\r");
    sim.take();
    assert_eq!(sim.type_and_take("\r"), format!("\r\n{}", painted()));
}

#[test]
fn asked_values_stand_behind_their_names() {
    let host = commanding(|io| async move {
        let numbers = io.ask("numbers", Echo::Plain).await.unwrap_or_default();
        let password = io.ask("password", Echo::Stars).await.unwrap_or_default();
        io.line(&[numbers.as_slice(), b"/", &password].concat());
        LineResult::default()
    });
    let mut sim = Sim::at_prompt(host);
    sim.keys("remove\r");
    sim.take();
    assert_eq!(sim.type_and_take("01\x7f\rpw\r"), format!("01\x08 \x08\r\n\rpassword: **\r\n\r0/pw\r\n{}", painted()));
}

#[test]
fn ctrl_c_and_the_clients_end_stop_a_command() {
    let dropped = Rc::new(Cell::new(0));
    struct Count(Rc<Cell<u32>>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let counter = Rc::clone(&dropped);
    let host = commanding(move |io| {
        let count = Count(Rc::clone(&counter));
        async move {
            let _count = count;
            io.line(b"begun");
            io.sleep(Duration::from_secs(3600)).await;
            LineResult::default()
        }
    });
    let mut sim = Sim::at_prompt(host);
    assert!(sim.type_and_take(":delay 1h\r").ends_with("\rbegun\r\n"), "shown while it runs");
    assert_eq!(sim.type_and_take("typed ahead\x03"), format!("\rinterrupted\r\n{}", painted()));
    assert_eq!(dropped.get(), 1);
    sim.keys(":delay 1h\r");
    sim.keys = None;
    sim.run(Duration::ZERO);
    assert_eq!((dropped.get(), sim.end.get()), (2, Some(EndReason::Vanished)));
}

#[test]
fn the_pager_stops_at_the_terminals_height() {
    let pages = |count: usize, width: usize| {
        commanding(move |io| async move {
            let lines: Vec<Vec<u8>> =
                (0..count).map(|n| format!("{n:>3} {}", "x".repeat(width)).into_bytes()).collect();
            io.page(&lines).await;
            LineResult::default()
        })
    };
    let rows = |text: &str| text.matches("x\r\n").count();
    let mut sim = Sim::at_prompt(pages(60, 10));
    let shown = sim.type_and_take("print\r");
    assert!(shown.ends_with("\r-- [Q quit|D dump|down]"), "{shown:?}");
    assert_eq!(rows(&shown), 23);
    let shown = sim.type_and_take(" ");
    assert!(shown.ends_with("\r-- [Q quit|D dump|up|down]"));
    assert_eq!(rows(&shown), 23);
    let shown = sim.type_and_take("D");
    assert_eq!(rows(&shown), 14);
    assert!(shown.ends_with(&painted()));
    sim.keys("print\r");
    sim.take();
    let shown = sim.type_and_take("q");
    assert_eq!((rows(&shown), shown.ends_with(&painted())), (0, true));
    // Short and too wide: `right` alone.
    let mut wide = Sim::at_prompt(pages(3, 100));
    assert!(wide.type_and_take("print\r").ends_with("\r-- [Q quit|D dump|right]"));
    assert!(wide.type_and_take("\x1b[C").ends_with("\r-- [Q quit|D dump|left]"));
    assert!(wide.type_and_take("\r").ends_with(&painted()));
    // A large terminal never pages.
    let mut large = Sim::named(pages(4000, 10), "admin+ct511w4098h");
    large.run(Duration::from_secs(1));
    large.take();
    assert_eq!(rows(&large.type_and_take("print\r")), 4000);
}

#[test]
fn long_output_wraps_at_the_width() {
    let mut sim = Sim::at_prompt(Host::default());
    let shown = sim.type_and_take(format!(":put \"{}\"\r", "y".repeat(100)));
    assert!(shown.contains(&format!("\r{}\r\n\r{}\r\n", "y".repeat(80), "y".repeat(20))));
}

#[test]
fn output_waits_for_a_slow_client() {
    let host = commanding(|io| async move {
        for _ in 0..100 {
            io.line(&[b'z'; 60]);
            io.flush().await;
        }
        LineResult::default()
    });
    let kernel = Kernel::new(Instant::ZERO, 1);
    let (keys, input) = pipe(None);
    let (output, mut screen) = pipe(Some(256));
    let options = SessionOptions {
        session: SessionId(1),
        transport: Transport::Ssh,
        login: Login::Done { name: b"a+ct".to_vec() },
        from: String::new(),
    };
    let terminal = Terminal { input, output: output.clone(), kernel: kernel.downgrade() };
    kernel.spawn("console", async move {
        run(terminal, Rc::new(host), options).await;
    });
    keys.push(b"go\r");
    let mut now = Instant::ZERO;
    let mut seen = Vec::new();
    for _ in 0..200 {
        now += Duration::from_millis(10);
        kernel.run(now);
        assert!(output.unread() <= 256);
        seen.extend(screen.take(usize::MAX));
    }
    assert_eq!(String::from_utf8(seen).unwrap().matches(&"z".repeat(60)).count(), 100);
}

#[test]
fn faults_are_switched_on_by_quirks() {
    let mut host = Host::default();
    host.quirks.prompt_first = true;
    host.quirks.no_echo = true;
    let mut sim = Sim::at_prompt(host);
    let shown = sim.type_and_take(":put \"a\"\r");
    assert_eq!(shown, format!("\r{P}:put \"a\"\r\n{}\r\n\ra\r\n{}", painted(), painted()));
    let mut host = Host::default();
    host.quirks.split_output = Some(3);
    let mut sim = Sim::named(host, "admin+ct80w24h");
    sim.run(Duration::from_millis(184));
    assert_eq!(sim.take().len(), 3);
    sim.run(Duration::from_millis(1));
    assert_eq!(sim.take().len(), 3);
    sim.run(Duration::from_secs(2));
    assert!(sim.take().ends_with(P));
}

// ---- the hop

#[test]
fn a_hop_is_transparent_both_ways() {
    let far: Rc<RefCell<Option<(PipeReader, PipeWriter)>>> = Rc::default();
    let ends = Rc::clone(&far);
    let host = commanding(move |io| {
        let ends = Rc::clone(&ends);
        async move {
            let connect = async |name: Vec<u8>, password: Vec<u8>| {
                assert_eq!((name.as_slice(), password.as_slice()), (b"admin+ct".as_slice(), b"pw".as_slice()));
                let (far_input, typed) = pipe(Some(64));
                let (shows, far_output) = pipe(Some(64));
                *ends.borrow_mut() = Some((typed, shows));
                Ok(hop::Far { output: far_output, input: far_input, keep: () })
            };
            let error = hop::mac_telnet(&io, &ConsoleQuirks::default(), "74:4D:28:00:00:0B", connect).await.err();
            LineResult { error, ..LineResult::default() }
        }
    });
    let mut sim = Sim::at_prompt(host);
    assert!(sim.type_and_take("/tool/mac-telnet host=74:4D:28:00:00:0B\r").ends_with("\r\n\rLogin: "));
    assert_eq!(
        sim.type_and_take("admin+ct\rpw\r"),
        "admin+ct\r\n\rPassword: \r\n\rTrying 74:4D:28:00:00:0B...\r\n\rConnected to 74:4D:28:00:00:0B\r\n"
    );
    let (mut typed, shows) = far.borrow_mut().take().unwrap();
    let all: Vec<u8> = (0..=255).collect();
    let mut got = Vec::new();
    sim.keys(&all);
    while got.len() < 256 {
        let bytes = typed.take(16);
        assert!(!bytes.is_empty(), "stalled after {}", got.len());
        got.extend(bytes);
        sim.run(Duration::ZERO);
    }
    assert_eq!(got, all, "Ctrl-C and all else go to the far router");
    shows.push(b"\r\r\r\rfar> ");
    sim.run(Duration::ZERO);
    assert_eq!(sim.take(), "\r\r\r\rfar> ");
    // What is typed after the far end is gone lands at the near prompt.
    shows.close();
    drop((typed, shows));
    sim.run(Duration::ZERO);
    let shown = sim.take();
    assert_eq!(shown, format!("\rConnection closed by foreign host\r\n\r\r\n\rWelcome back!\r\n{}", painted()));
    assert_eq!(sim.type_and_take("x"), "x");
}

#[test]
fn the_far_console_lives_inside_the_near_one() {
    // The near command runs a whole second session, as the network between them would.
    let far_end = Rc::new(Cell::new(None));
    let kernel: Rc<RefCell<Option<Kernel>>> = Rc::default();
    let (ended, kernels) = (Rc::clone(&far_end), Rc::clone(&kernel));
    let host = commanding(move |io| {
        let (ended, kernel) = (Rc::clone(&ended), kernels.borrow().as_ref().unwrap().clone());
        async move {
            let connect = async |name: Vec<u8>, _| {
                let (input, typed) = pipe(Some(4096));
                let (shows, output) = pipe(Some(4096));
                let options = SessionOptions {
                    session: SessionId(2),
                    transport: Transport::MacTelnet,
                    login: Login::Done { name },
                    from: "74:4D:28:00:00:0A".into(),
                };
                let terminal = Terminal { input: typed, output: shows, kernel: kernel.downgrade() };
                let far: Rc<dyn ConsoleHost> = Rc::new(Host { identity: "B".into(), ..first_login() });
                kernel.spawn("far", async move {
                    ended.set(run(terminal, far, options).await.map(|end| end.reason));
                });
                Ok(hop::Far { output, input, keep: () })
            };
            let error = hop::mac_telnet(&io, &ConsoleQuirks::default(), "74:4D:28:00:00:0B", connect).await.err();
            LineResult { error, ..LineResult::default() }
        }
    });
    let mut sim = Sim::named(Host { identity: "A".into(), ..host }, "admin");
    *kernel.borrow_mut() = Some(sim.kernel.clone());
    let mut emulator = Emulator::new(40, 132);
    converse(&mut sim, &mut emulator);
    sim.keys("/tool/mac-telnet 74:4D:28:00:00:0B\r");
    // The far probe is answered by the near client's own terminal, through the near router.
    sim.keys("admin\rpw\r");
    converse(&mut sim, &mut emulator);
    assert!(screen(&emulator).ends_with("Do you want to see the software license? [Y/n]:"), "{}", screen(&emulator));
    sim.keys("n\x03");
    converse(&mut sim, &mut emulator);
    assert!(screen(&emulator).ends_with("[admin@B] >"), "{}", screen(&emulator));
    assert_eq!(sim.host.ran.borrow().len(), 1, "Ctrl-C went to the far console");
    sim.keys(":put \"on B\"\r/quit\r:put \"typed behind\"\r");
    converse(&mut sim, &mut emulator);
    assert_eq!(far_end.get(), Some(EndReason::Quit));
    let shown = screen(&emulator);
    assert!(shown.contains("\non B\n") && shown.contains("\ninterrupted\n"), "{shown}");
    // What was typed behind /quit went to the far console and is lost there.
    assert!(shown.ends_with("Welcome back!\n[admin@A] >"), "{shown}");
    assert_eq!(sim.host.ran.borrow().len(), 1);
    sim.keys.take();
    sim.run(Duration::from_millis(1));
    kernel.borrow_mut().take();
}

// ---- whatever is typed

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
