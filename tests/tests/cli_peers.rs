//! The real binary against Debian's mactelnetd: words, exit codes, and that standard output is data alone.
//!
//! In network namespaces, as root. Skipped aloud otherwise; with `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests, though no unit tests: clippy.toml does not see that

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use jumplead_tests::binary::{Ended, isolate, jumplead};
use jumplead_tests::c_server::{CServer, MACTELNETD, PASSWORD, PROMPT, USER};
use jumplead_tests::inside::inside;
use jumplead_tests::pair::Process;
use jumplead_tests::terminal::Far;
use lab::netns::{Namespace, available, veth};
use mactelnet::MacAddr;
use mactelnet::io::Link as _;
use mactelnet::io::link::recv;
use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::wire::frame::{self, Frame};
use mactelnet::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction, PORT, Packet, PacketType, Repr};
use tempfile::TempDir;

const SERVER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const CLIENT: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const THERE: &str = "mac://02:00:00:00:00:01%v0?login=md5";
const ABSENT: &str = "mac://02:00:00:00:00:09%v0?login=md5";

/// The daemon, and a host without any IPv4 address, which is how an engineer's port usually is.
struct Lab {
    host: Namespace,
    home: TempDir,
    _server: CServer,
    _namespace: Namespace,
}

impl Lab {
    fn new(test: &str) -> Option<Self> {
        if !available(test, &[MACTELNETD, "unshare"]) {
            return None;
        }
        let (namespace, host) = (Namespace::new("server").unwrap(), Namespace::new("host").unwrap());
        veth((&namespace, "v0", Some(SERVER)), (&host, "v0", Some(CLIENT))).unwrap();
        namespace.address("v0", "192.0.2.1/24").unwrap();
        namespace.run("ip", &["route", "add", "default", "dev", "v0"]).unwrap();
        let server = CServer::start(&namespace, false).unwrap();
        Some(Self { host, home: TempDir::new().unwrap(), _server: server, _namespace: namespace })
    }

    fn command(&self, password: &str, words: &[&str]) -> Command {
        let mut command = self.host.command(jumplead().to_str().unwrap());
        isolate(&mut command, self.home.path());
        command.args(words).env("JUMPLEAD_USER", USER).env("JUMPLEAD_PASSWORD", password);
        command
    }

    fn run(&self, password: &str, words: &[&str]) -> Ended {
        self.command(password, words).output().unwrap().into()
    }
}

fn json(out: &str) -> serde_json::Value {
    serde_json::from_str(out).unwrap_or_else(|error| panic!("{error}: {out:?}"))
}

#[test]
fn discover_and_ping() {
    let Some(lab) = Lab::new("discover_and_ping") else { return };
    let found = lab.run("", &["discover", "-i", "v0", "--for", "3s"]).expect(0);
    assert!(found.out.contains("02:00:00:00:00:01"), "{}", found.out);
    let found = lab.run("", &["discover", "-i", "v0", "--for", "3s", "--json"]).expect(0);
    assert!(json(&found.out).to_string().contains("02:00:00:00:00:01"), "{}", found.out);
    assert!(found.out.contains("MAC-Telnet") || found.out.contains("Linux"), "{}", found.out);

    let ping = lab.run("", &["ping", THERE, "-c", "3", "--interval", "20ms"]).expect(0);
    assert_eq!(ping.out.lines().count(), 3, "a line an answer, and no other: {}", ping.out);
    assert!(ping.out.lines().all(|line| line.contains("time=")), "{}", ping.out);
    let ping = lab.run("", &["ping", THERE, "-c", "2", "--interval", "20ms", "--json"]).expect(0);
    assert_eq!(json(&ping.out)["data"]["received"], 2, "{}", ping.out);
    lab.run("", &["ping", ABSENT, "-c", "1"]).refused(3, "ping.silent");
}

#[test]
fn exec_in_a_unix_shell() {
    let Some(lab) = Lab::new("exec_in_a_unix_shell") else { return };
    let exec = |words: &[&str]| lab.run(PASSWORD, &[&["exec", THERE, "--shell", "posix", "--"], words].concat());
    let done = exec(&["id", "-un"]).expect(0);
    assert_eq!(done.out, format!("{USER}\n"), "standard output is the command's");
    // Exact bytes, many packets, and what looks like a prompt.
    let done = exec(&["seq 1 5000; printf '$ '"]).expect(0);
    let wanted: String = (1..=5000).map(|n| format!("{n}\n")).chain(["$ ".to_owned()]).collect();
    assert!(done.out == wanted, "{} bytes, not {}", done.out.len(), wanted.len());
    // The true exit status.
    assert_eq!(exec(&["exit 7"]).code, Some(7));
    assert_eq!(exec(&["false"]).code, Some(1));
    assert_eq!(exec(&["no-such-program-anywhere"]).code, Some(127));
    // What had come when the time was up is not thrown away.
    let cut = ["exec", THERE, "--shell", "posix", "--timeout", "3s", "--", "seq 3; sleep 30"];
    assert_eq!(lab.run(PASSWORD, &cut).expect(14).out, "1\n2\n3\n");

    let refused = lab.run("wrong", &["exec", THERE, "--shell", "posix", "--", "id"]).expect(4);
    assert_eq!(refused.out, "", "nothing but data");
    assert!(refused.err.contains("error[") && !refused.err.contains("wrong\n"), "{}", refused.err);
    let absent = lab.run(PASSWORD, &["exec", ABSENT, "--shell", "posix", "--", "id"]).expect(3);
    assert_eq!(absent.out, "");
}

#[test]
fn console_in_a_pipe() {
    let Some(lab) = Lab::new("console_in_a_pipe") else { return };
    let console = |password: &str, typed: &[u8]| -> Ended {
        // The suffix that asks a router for a plain console would be a part of the name to this server.
        let mut command = lab.command(password, &["console", "--shell", "posix", "--log", "/dev/full", THERE]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A login that is refused reads nothing of it.
        let _ = child.stdin.take().unwrap().write_all(typed);
        child.wait_with_output().unwrap().into()
    };
    let session = console(PASSWORD, b"echo answer=$((6 * 7))\nexit\n").expect(0);
    assert!(session.out.contains("answer=42\r\n"), "{}", session.out);
    assert!(session.err.contains("closed the session"), "{}", session.err);
    // A log that can't be written is told once, and is no reason to end.
    assert_eq!(session.err.matches("/dev/full can't be written any more").count(), 1, "{}", session.err);
    // The input ends, and the session with it, after what it printed was shown.
    let session = console(PASSWORD, b"echo answer=$((6 * 8))\n").expect(0);
    assert!(session.out.contains("answer=48\r\n"), "{}", session.out);
    let refused = console("wrong", b"exit\n").expect(4);
    assert!(!refused.out.contains("answer"), "{}", refused.out);
}

/// A router that takes the START and what follows, and says nothing: it would keep the session until it times out.
async fn half_a_router(stop: impl FnOnce()) -> bool {
    let mut link = RawLink::open("v0", Capture::MacServices).unwrap();
    let (mut frame, mut stop, mut ended) = (Vec::new(), Some(stop), false);
    let heard = async {
        while !ended && recv(&mut link, &mut frame).await.is_ok() {
            let Ok(view) = Frame::new_checked(&frame) else { continue };
            let Ok(packet) = Packet::new_checked(view.payload()) else { continue };
            let counter = match packet.kind() {
                PacketType::Start => 0,
                PacketType::Data => packet.counter() + u32::try_from(packet.data().len()).unwrap(),
                PacketType::End => {
                    ended = true;
                    continue;
                }
                _ => continue,
            };
            let ack = Repr {
                kind: PacketType::Ack,
                direction: Direction::ToClient,
                src: SERVER,
                dst: CLIENT,
                session_key: packet.session_key(Direction::ToServer),
                client_type: CLIENT_TYPE_MAC_TELNET,
                counter,
            };
            let answer = frame::Repr::new(SERVER, CLIENT, PORT, view.src_port(), 1).to_vec(&ack.to_vec(&[])).unwrap();
            link.send(&answer).unwrap();
            if packet.kind() == PacketType::Data
                && let Some(stop) = stop.take()
            {
                stop();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), heard).await.is_ok_and(|()| ended)
}

/// Nobody else knows of a session that is only being opened: whoever opens it ends it.
#[test]
fn a_console_in_a_pipe_that_is_ended_in_its_login_ends_its_session() {
    if !available("a_console_in_a_pipe_that_is_ended_in_its_login_ends_its_session", &["ip"]) {
        return;
    }
    let (router, host) = (Namespace::new("router").unwrap(), Namespace::new("host").unwrap());
    veth((&router, "v0", Some(SERVER)), (&host, "v0", Some(CLIENT))).unwrap();
    let home = TempDir::new().unwrap();
    for signal in ["TERM", "HUP"] {
        let started = std::sync::Barrier::new(2);
        let wait = || {
            started.wait();
        };
        let answering = || inside(&router, || half_a_router(wait));
        std::thread::scope(|scope| {
            let told = scope.spawn(answering);
            let mut command = host.command(jumplead().to_str().unwrap());
            isolate(&mut command, home.path());
            command.args(["console", "mac://02:00:00:00:00:01%v0"]).env("JUMPLEAD_PASSWORD", PASSWORD);
            let command = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut console = Process(command.spawn().unwrap());
            started.wait();
            // Signals are listened to a millisecond after the first packets at the latest.
            std::thread::sleep(Duration::from_millis(300));
            console.signal(signal);
            assert_eq!(console.0.wait().unwrap().code(), Some(130), "{signal}");
            assert!(told.join().unwrap(), "{signal}: no END");
        });
    }
}

#[test]
fn a_console_says_how_large_its_screen_is_and_when_that_changes() {
    let Some(lab) = Lab::new("a_console_says_how_large_its_screen_is_and_when_that_changes") else { return };
    let mut screen = Far::new(None).sized(24, 81);
    let near = || screen.near().try_clone().unwrap();
    let mut command = lab.command(PASSWORD, &["console", "--shell", "posix", THERE]);
    let mut console = Process(command.stdin(near()).stdout(near()).stderr(near()).spawn().unwrap());
    screen.until(PROMPT);
    screen.say(b"stty size\r");
    screen.until("24 81");
    screen.say(b"until stty size | grep -qx '50 300'; do sleep 0.05; done; echo wi''de\r");
    screen.until("echo wi''de\r\n");
    let mut screen = screen.sized(50, 300);
    console.signal("WINCH");
    screen.until("wide\r\n");
    screen.say(b"\x1dq");
    assert_eq!(console.0.wait().unwrap().code(), Some(0));
}
