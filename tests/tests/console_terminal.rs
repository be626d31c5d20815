//! The terminal that people sit at: the real binary on a screen, at a port behind which the test is the router.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jumplead_tests::binary::{isolate, jumplead};
use jumplead_tests::line_process::LineRouter;
use jumplead_tests::pair::Process;
use jumplead_tests::router_process::PASSWORD;
use jumplead_tests::terminal::Far;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

struct Desk {
    folder: TempDir,
    screen: Far,
    line: Far,
    console: Process,
    screen_before: String,
    line_before: String,
}

impl Desk {
    fn open(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let line = Far::new(Some(&folder.path().join("line"))).raw();
        let screen = Far::new(None).sized(24, 80);
        let (screen_before, line_before) = (screen.settings(), line.settings());
        assert!(!screen.is_raw(), "as a shell leaves it");
        let mut command = Command::new(jumplead());
        isolate(&mut command, folder.path());
        command.current_dir(folder.path()).arg("console").arg(format!("serial://{}", line.path().display()));
        command.args(arguments);
        let near = || screen.near().try_clone().unwrap();
        command.stdin(near()).stdout(near()).stderr(near());
        let console = Process(command.spawn().unwrap());
        let mut desk = Self { folder, screen, line, console, screen_before, line_before };
        desk.screen.until("Ctrl-] opens the menu.");
        assert!(desk.screen.is_raw());
        desk
    }

    fn menu(&mut self, key: &str) {
        self.screen.say(b"\x1d");
        self.screen.until("the last lines again\r\n");
        self.screen.say(key.as_bytes());
    }

    /// What stands in the last row when it is written next.
    fn status(&mut self) -> String {
        self.screen.until("\x1b[24;1H\x1b[7m");
        self.screen.until("Ctrl-] menu")
    }

    /// By the menu's `q`; everything is as it was found.
    #[track_caller]
    fn quit(mut self) -> TempDir {
        self.menu("q");
        self.ended()
    }

    #[track_caller]
    fn ended(mut self) -> TempDir {
        assert_eq!(self.console.0.wait().unwrap().code(), Some(0));
        self.left()
    }

    #[track_caller]
    fn left(self) -> TempDir {
        assert_eq!(self.screen.settings(), self.screen_before);
        assert_eq!(self.line.settings(), self.line_before);
        self.folder
    }
}

/// However a question for a password ends, the terminal shows again what is typed.
#[test]
fn a_password_question_leaves_the_terminal_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    for end in ["\x03", "\x04", "term", "hup"] {
        let mut screen = Far::new(None).sized(24, 80);
        let before = screen.settings();
        let near = || screen.near().try_clone().unwrap();
        let mut command = Command::new(jumplead());
        isolate(&mut command, folder.path());
        command.args(["--password", "prompt", "exec", "mac://74:4D:28:00:00:0B%none", "--", ":put 1"]);
        let mut process = Process(command.stdin(near()).stdout(near()).stderr(near()).spawn().unwrap());
        screen.until("password: ");
        screen.say(b"typ\xc3\xa9\x7fd");
        match end {
            "term" => kill_process(Pid::from_child(&process.0), Signal::TERM).unwrap(),
            "hup" => kill_process(Pid::from_child(&process.0), Signal::HUP).unwrap(),
            key => screen.say(key.as_bytes()),
        }
        let seen = screen.until("secret.interrupted");
        assert!(!seen.contains("typ"), "it was shown: {seen}");
        assert_eq!(process.0.wait().unwrap().code(), Some(130), "{end:?}");
        assert_eq!(screen.settings(), before, "{end:?}");
    }
}

/// What a command had printed when a signal came is not thrown away.
#[test]
fn a_signal_at_a_command_keeps_what_came() {
    let router = LineRouter::start();
    let urls = router.urls();
    for (n, (url, json)) in [(&urls[2], false), (&urls[0], true)].into_iter().enumerate() {
        let said = ":put one; /log info began; :delay 600s; :put two";
        let arguments: &[&str] = if json { &["--json"] } else { &[] };
        let mut command = router.command(&[arguments, &["exec", url, "--", said]].concat());
        let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(8));
        kill_process(Pid::from_child(&process), Signal::INT).unwrap();
        let ended = jumplead_tests::binary::Ended::from(process.wait_with_output().unwrap()).expect(130);
        let (one, two) = if json { ("it had printed before: one", "two") } else { ("one", "two") };
        assert!(ended.out.contains(one) && !ended.out.contains(&format!("{two}\n")), "{ended:?}");
        assert!(format!("{}{}", ended.out, ended.err).contains("exec.interrupted"), "{ended:?}");
        let began = router.exec(&urls[1], ":put [:len [/log find message=began]]").expect(0);
        assert_eq!(began.out.trim(), (n + 1).to_string());
    }
}

#[test]
fn nothing_is_sent_on_attach_and_all_that_is_typed_is() {
    let mut desk = Desk::open(&[]);
    desk.line.say(b"\r\nMikroTik Login: ");
    desk.screen.until("MikroTik Login: ");
    // Whatever had been sent before would stand in front of this.
    desk.screen.say(b"admin\r");
    assert_eq!(desk.line.until("admin\r"), "admin\r");
    desk.menu("]");
    assert_eq!(desk.line.until("\x1d"), "\x1d");
    desk.quit();
}

#[test]
fn speed_logs_times_hexadecimal_and_search() {
    let mut desk = Desk::open(&["--log", "clean.log", "--log-raw", "raw.log", "--status"]);
    assert_eq!(desk.line.baud(), 115_200);
    desk.screen.until("\x1b[1;23r");
    let (status, port) = (desk.status(), desk.line.path().display().to_string());
    assert!(status.contains(&port) && status.contains("115200 8N1") && status.contains("  00:00:0"), "{status}");
    desk.line.say(b"\rone \x1b[31mneedle\x1b[m\r\n\rtwo\r\n");
    desk.screen.until("two");
    desk.menu("v");
    desk.screen.until("bits a second: ");
    desk.screen.say(b"57600\r");
    desk.screen.until("57600 bits a second");
    assert_eq!(desk.line.baud(), 57_600);
    let status = desk.status();
    assert!(status.contains("57600 8N1"), "{status}");
    desk.menu("/");
    desk.screen.until("search back for: ");
    desk.screen.say(b"NEEDLE\r");
    let found = desk.screen.until("  one needle\r\n");
    assert!(found.contains("1 lines hold `NEEDLE`"), "{found:?}");
    desk.menu("t");
    desk.screen.until("times: Clock");
    desk.line.say(b"\r\nthree\r\n");
    let stamped = desk.screen.until("three");
    assert!(stamped.contains("] three") && stamped.contains('['), "{stamped:?}");
    desk.menu("x");
    desk.screen.until("hexadecimal");
    desk.line.say(b"\x00\xff");
    desk.screen.until("00 ff ");
    desk.menu("s");
    desk.screen.until("57600 8N1");
    for (key, words) in [("b", "this line has no break"), ("d", "no such wire"), ("r", "no such wire")] {
        desk.menu(key);
        desk.screen.until(words);
    }
    desk.menu("q");
    // The last row is given back: everything scrolls, and nothing stands there.
    desk.screen.until("\x1b[r\x1b[24;1H\x1b[K");
    let folder = desk.ended();
    let raw = std::fs::read(folder.path().join("raw.log")).unwrap();
    assert!(raw.windows(2).any(|two| two == b"\x00\xff") && raw.starts_with(b"\rone \x1b[31m"), "{raw:?}");
    let clean = std::fs::read_to_string(folder.path().join("clean.log")).unwrap();
    assert!(clean.contains(" one needle\n") && clean.contains("-- jumplead: 57600 bits a second"), "{clean}");
}

#[test]
fn a_file_is_typed_line_by_line_and_any_key_stops_it() {
    let mut desk = Desk::open(&[]);
    let text: String = (0..20).map(|number| format!(":put {number}\n")).collect();
    std::fs::write(desk.folder.path().join("file.rsc"), &text).unwrap();
    desk.menu("f");
    desk.screen.until("file to send: ");
    desk.screen.say(b"file.rsc\r");
    for number in 0..20 {
        let line = format!(":put {number}\r");
        assert_eq!(desk.line.until(&line), line, "one at a time, and nothing else");
        desk.line.say(format!("{line}\n{number}\r\n> ").as_bytes());
    }
    let told = desk.screen.until("file.rsc sent");
    assert!(told.contains("50 %"), "{told}");
    desk.menu("f");
    desk.screen.until("file to send: ");
    desk.screen.say(b"file.rsc\r");
    desk.line.until(":put 0\r");
    desk.screen.say(b"x");
    desk.screen.until("file.rsc stopped after line ");
    desk.menu("f");
    desk.screen.until("file to send: ");
    desk.screen.say(b"nowhere\r");
    desk.screen.until("nowhere can't be sent");
    desk.quit();
}

#[test]
fn an_adapter_that_comes_back_is_opened_again_and_the_gap_is_marked() {
    let mut desk = Desk::open(&["--log", "clean.log", "--map", "INLCRNL,ODELBS"]);
    desk.line.say(b"before\n");
    assert!(desk.screen.until("before\r\n").contains("before\r\n"), "line ends are mapped");
    let path = desk.line.path().to_owned();
    desk.line = Far::new(None);
    desk.screen.until("is gone; waiting for it");
    desk.screen.say(b"typed into the gap");
    // The menu opens behind it: by then it was read. Its key may come to be read before or after the line is back.
    desk.menu("z");
    desk.line = Far::new(Some(&path)).raw();
    desk.screen.until("it is back after ");
    desk.screen.say(b"\x7f");
    assert_eq!(desk.line.until("\x08"), "\x08", "what was typed into the gap is lost, and erase is mapped");
    desk.line_before = {
        let fresh = Far::new(None).raw();
        fresh.settings()
    };
    let folder = desk.quit();
    let clean = std::fs::read_to_string(folder.path().join("clean.log")).unwrap();
    for text in [" before\n", "is gone; waiting for it", "it is back after "] {
        assert!(clean.contains(text), "{text}: {clean}");
    }
}

#[test]
fn signals_give_screen_and_port_back() {
    for (signal, arguments) in [("TERM", &[][..]), ("HUP", &["--status"]), ("INT", &["--hex"])] {
        let mut desk = Desk::open(arguments);
        desk.line.say(b"x");
        desk.screen.until(if arguments == ["--hex"] { "78 " } else { "x" });
        assert_ne!(desk.line.settings(), desk.line_before, "the port is the program's, too");
        assert_eq!(desk.line.baud(), 115_200);
        desk.console.signal(signal);
        assert_eq!(desk.console.0.wait().unwrap().code(), Some(130), "{signal}");
        desk.left();
    }
}

/// A command that waits for a router gives the port back too, however it is ended.
#[test]
fn signals_end_a_command_and_the_port_is_as_it_was() {
    let exec: (&[&str], &[&str]) = (&["exec"], &["--", ":put 1"]);
    for (signal, (command, rest)) in [
        ("INT", exec),
        ("TERM", exec),
        ("HUP", exec),
        ("INT", (&["diagnose"], &[])),
        ("TERM", (&["diagnose"], &["--listen"])),
        ("TERM", (&["bundle"], &["--output", "bundle.txt"])),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut line = Far::new(Some(&folder.path().join("line"))).raw();
        let before = line.settings();
        let mut program = Command::new(jumplead());
        isolate(&mut program, folder.path());
        program.args(command).arg(format!("serial://{}?baud=9600", line.path().display())).args(rest);
        program.env("JUMPLEAD_PASSWORD", "").current_dir(folder.path());
        let mut process = Process(program.spawn().unwrap());
        let until = Instant::now() + Duration::from_secs(60);
        while line.baud() != 9600 {
            assert!(Instant::now() < until, "{command:?} does not open its port");
            std::thread::sleep(Duration::from_millis(10));
        }
        if !rest.contains(&"--listen") {
            // It has listened, and asks who is there.
            line.until("\r");
        }
        process.signal(signal);
        let code = process.0.wait().unwrap().code();
        assert_eq!(code, Some(130), "{command:?} {signal}");
        assert_eq!(line.settings(), before, "{command:?} {signal}");
    }
}

/// What only a console server knows, and what it must not hear unsaid: a secret in clear, characters at the wrong speed.
#[test]
fn a_console_server_tells_of_its_line_and_hears_no_secret_without_a_word() {
    let router = LineRouter::start();
    let url = format!("rfc2217://{}", router.rfc2217);
    let set = router.jumplead(&["--json", "exec", &url, "--", "/user set [find name=nobody] password=x"]);
    assert!(set.err.contains("`password` goes in clear"), "{}", set.err);
    let object: serde_json::Value = serde_json::from_str(set.out.trim()).unwrap();
    assert_eq!(object["ok"], true, "{object}");
    assert!(object["warnings"][0].as_str().unwrap().contains("in clear"), "{object}");
    assert!(!router.exec(&format!("serial://{}", router.pty), ":put [:len \"password=\"]").err.contains("in clear"));
    let mut screen = Far::new(None).sized(24, 80);
    let mut command = router.command(&["console", &url, "--log", "clean.log"]);
    command.current_dir(router.folder.path());
    let near = || screen.near().try_clone().unwrap();
    command.stdin(near()).stdout(near()).stderr(near());
    let mut console = Process(command.spawn().unwrap());
    screen.until("Ctrl-] opens the menu.");
    screen.say(b"\r");
    screen.until("Login: ");
    screen.say(b"admin+ct80w24h\r");
    screen.until("Password: ");
    screen.say(format!("{PASSWORD}\r").as_bytes());
    screen.until("] > ");
    screen.say(b"/user set 0 pass");
    screen.until("pass");
    screen.say(b"word=");
    screen.until("`password` goes in clear over the console server");
    // So is a file, before it is sent.
    let file = "# users\n/user add name=told group=read password=Hush-Hush_5\n";
    std::fs::write(router.folder.path().join("users.rsc"), file).unwrap();
    screen.say(b"\x03");
    for (once, heard) in
        [(true, "users.rsc was not sent: in its line 2 `password` goes in clear"), (false, "users.rsc sent;")]
    {
        screen.say(b"\x1d");
        screen.until("the last lines again\r\n");
        screen.say(b"f");
        screen.until("file to send: ");
        screen.say(b"users.rsc\r");
        let seen = screen.until(heard);
        assert!(!once || !seen.contains("Hush-Hush_5"), "{seen}");
    }
    screen.say(b"\x03\x1d");
    screen.until("the last lines again\r\n");
    screen.say(b"v");
    screen.until("bits a second: ");
    screen.say(b"9600\r");
    screen.until("9600 bits a second");
    // The router echoes at its own speed.
    screen.say(b"\r\r");
    screen.until("the console server tells of characters without their stop bit");
    screen.say(b"\x1d");
    screen.until("the last lines again\r\n");
    screen.say(b"q");
    assert_eq!(console.0.wait().unwrap().code(), Some(0));
    let log = std::fs::read_to_string(router.folder.path().join("clean.log")).unwrap();
    assert!(log.contains("-- jumplead: the console server tells of"), "{log}");
}

/// Tells the test below that it is the child.
const PANICS: &str = "JUMPLEAD_TEST_PANICS";

#[test]
fn a_panic_gives_the_screen_back() {
    if std::env::var_os(PANICS).is_some() {
        let _raw = jumplead::term::RawMode::enter().unwrap();
        println!("it is raw");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        panic!("as asked");
    }
    let mut screen = Far::new(None).sized(24, 80);
    let before = screen.settings();
    let near = || screen.near().try_clone().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_panic_gives_the_screen_back", "--nocapture"]).env(PANICS, "1");
    let mut child = Process(command.stdin(near()).stdout(near()).stderr(near()).spawn().unwrap());
    screen.until("it is raw");
    assert_ne!(screen.settings(), before);
    screen.say(b"\n");
    screen.until("as asked");
    assert_eq!(child.0.wait().unwrap().code(), Some(101));
    assert_eq!(screen.settings(), before);
}
