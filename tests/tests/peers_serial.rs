//! The serial line on this host: the real binary and programs that people use, against the simulated router's console, and
//! through ser2net and socat. Foreign programs are skipped aloud where they are missing; with `CI=true` that is a failure.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jumplead_tests::binary::{Ended, isolate, jumplead};
use jumplead_tests::line_process::{LineRouter, PATIENCE, Running, free_port, listens};
use jumplead_tests::terminal::Far;
use lab::netns::available;
/// Debian's, which has python3-serial; another one may come first in PATH.
const PYTHON: &str = "/usr/bin/python3";

#[test]
fn every_place_of_the_simulated_console() {
    let router = LineRouter::start();
    let before = std::fs::read_link(&router.pty).unwrap();
    // By a name of the operator's own: line 1 is at the port behind the base.
    let base = router.rfc2217.rsplit_once(':').unwrap().1.parse::<u16>().unwrap() - 1;
    let config = router.folder.path().join("config/jumplead");
    std::fs::create_dir_all(&config).unwrap();
    let consoles = format!("[server.lab]\nhost = \"127.0.0.1\"\nkind = \"shelf\"\n[kind.shelf]\nrfc2217 = {base}\n");
    std::fs::write(config.join("consoles.toml"), consoles).unwrap();
    router.exec("console://nowhere/1", ":put 1").refused(11, "serial.server.unknown");
    for url in [
        "console://lab/1".to_owned(),
        format!("serial://{}", router.pty),
        format!("rfc2217://{}", router.rfc2217),
        format!("tcp://{}", router.tcp),
        format!("telnet://{}", router.rfc2217),
        // A second stop bit is no more than a pause, and a pty's missing wires are no error.
        format!("serial://{}?framing=8n2&dtr=on", router.pty),
        format!("rfc2217://{}?framing=8n2&rts=off", router.rfc2217),
    ] {
        router.answers(&url);
    }
    assert_eq!(std::fs::read_link(&router.pty).unwrap(), before);
    let missing = router.exec("serial:///dev/no-such-port", ":put 1");
    missing.refused(11, "serial.port.missing");
    let mut ports = Command::new(jumplead());
    isolate(&mut ports, router.folder.path());
    let listed: Ended = ports.args(["ports", "--json"]).output().unwrap().into();
    assert!(listed.expect(0).out.contains("\"ports\""));
}

/// A client that has the line of this port. ser2net lets go of a line a moment after its last client has gone.
fn hold(port: u16) -> TcpStream {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let (mut said, mut piece) = (Vec::new(), [0; 512]);
        let has_it = loop {
            match client.read(&mut piece) {
                Ok(0) => break false,
                Ok(count) => said.extend_from_slice(&piece[..count]),
                Err(_) => break !String::from_utf8_lossy(&said).contains("in use"),
            }
        };
        if has_it {
            return client;
        }
        assert!(Instant::now() < until, "the line is not to be had");
    }
}

#[test]
fn ser2net_in_its_modes() {
    if !available("ser2net_in_its_modes", &["ser2net"]) {
        return;
    }
    let router = LineRouter::start();
    let [rfc, telnet, raw, taken, gone] = [free_port(), free_port(), free_port(), free_port(), free_port()];
    let accept = |name: &str, accepter: &str, port: u16| {
        format!(
            "connection: &{name}\n    accepter: {accepter},tcp,127.0.0.1,{port}\n    connector: serialdev(nouucplock=true),{},115200n81,local\n",
            router.pty
        )
        .replace("tcp,tcp", "tcp")
    };
    let file = router.folder.path().join("ser2net.yaml");
    let text = [
        "%YAML 1.1\n---\n".to_owned(),
        accept("rfc", "telnet(rfc2217=true)", rfc),
        accept("plain", "telnet", telnet),
        accept("raw", "tcp", raw),
        accept("taken", "telnet(rfc2217=true)", taken) + "    options:\n      kickolduser: true\n",
        accept("gone", "telnet(rfc2217=true)", gone).replace(&router.pty, "/nowhere/ttyUSB0"),
    ];
    std::fs::write(&file, text.concat()).unwrap();
    let mut command = Command::new("ser2net");
    command.args(["-n", "-d", "-c"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Running(command.spawn().unwrap());
    for port in [rfc, telnet, raw, taken, gone] {
        listens(port);
    }
    // It lets go of the port a moment after its client has gone.
    let patient = |url: &str| {
        let until = Instant::now() + PATIENCE;
        loop {
            let ended = router.exec(url, ":put (6 * 7)");
            if ended.code == Some(0) || Instant::now() > until {
                assert_eq!(ended.out.trim(), "42", "{url}: {}", ended.err);
                return;
            }
            assert!(ended.err.contains("in use"), "{url}: {}", ended.err);
        }
    };
    patient(&format!("rfc2217://127.0.0.1:{rfc}"));
    patient(&format!("telnet://127.0.0.1:{telnet}"));
    patient(&format!("tcp://127.0.0.1:{raw}"));
    // Telnet where bytes as they are were asked for is no speed: the URL to write is said.
    for (port, verb) in [(telnet, "exec"), (rfc, "exec"), (telnet, "diagnose")] {
        let url = format!("tcp://127.0.0.1:{port}");
        let until = Instant::now() + PATIENCE;
        let unfit = loop {
            // It may find the line not yet let go.
            let ended = if verb == "exec" { router.exec(&url, ":put 1") } else { router.jumplead(&[verb, &url]) };
            if ended.code == Some(2) || Instant::now() > until {
                break ended.refused(2, "routeros.line.unfit");
            }
        };
        assert!(unfit.err.contains(&format!("rfc2217://127.0.0.1:{port}, or telnet://127.0.0.1:{port}")), "{unfit:?}");
    }
    // Whoever comes takes the line from who has it, who is told by the end of the connection.
    let kicked = format!("rfc2217://127.0.0.1:{taken}");
    patient(&kicked);
    let mut first = hold(taken);
    patient(&kicked);
    let mut rest = Vec::new();
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(first.read_to_end(&mut rest).is_ok(), "it still has the line");
    // Somebody has the line: one on the same place, one on another place of the same line.
    let _holder = hold(rfc);
    router.exec(&format!("rfc2217://127.0.0.1:{rfc}"), ":put 1").refused(6, "serial.net.in-use");
    // A server whose own adapter is not there.
    let unplugged = router.exec(&format!("rfc2217://127.0.0.1:{gone}"), ":put 1").refused(6, "serial.net.no-device");
    assert!(unplugged.err.contains("Device open failure"), "{}", unplugged.err);
    let other = router.exec(&format!("tcp://127.0.0.1:{raw}"), ":put 1");
    assert!(other.code != Some(0) && other.err.contains("in use"), "{}", other.err);
}

#[test]
fn socat_makes_a_port_of_a_socket() {
    if !available("socat_makes_a_port_of_a_socket", &["socat"]) {
        return;
    }
    let router = LineRouter::start();
    let link = router.folder.path().join("socat");
    let mut command = Command::new("socat");
    command.arg(format!("PTY,link={},raw,echo=0", link.display())).arg(format!("TCP:{}", router.tcp));
    let _socat = Running(command.spawn().unwrap());
    let until = Instant::now() + PATIENCE;
    while !link.exists() {
        assert!(Instant::now() < until, "socat makes no link");
        std::thread::sleep(Duration::from_millis(20));
    }
    router.answers(&format!("serial://{}", link.display()));
}

/// Runs a Python program to its end; what it printed.
fn python(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let file = folder.join("peer.py");
    std::fs::write(&file, program).unwrap();
    let output = Command::new(PYTHON).arg(&file).args(arguments).stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

const PYSERIAL: &str = r#"
import sys, time, serial
def until(port, text):
    seen, end = b"", time.time() + 60
    while text not in seen:
        assert time.time() < end, seen
        seen += port.read(64)
    return seen
for url in sys.argv[1:]:
    port = serial.serial_for_url(url, baudrate=115200, timeout=0.2)
    port.write(b"\r")
    until(port, b"Login: ")
    if url.startswith("rfc2217"):
        port.dtr, port.rts = False, True
        assert (port.cts, port.dsr, port.ri) == (True, True, False), "wires"
        port.send_break(0.05)
        port.reset_input_buffer()
        port.baudrate = 9600
        port.write(b"\r\r\r")
        time.sleep(0.3)
        seen = port.read(200)
        assert b"Login" not in seen, seen
        port.baudrate = 115200
        port.write(b"\r")
        until(port, b"Login: ")
    port.write(b"admin+ct80w24h\r")
    until(port, b"Password: ")
    port.write(b"lab\r")
    until(port, b"] > ")
    port.write(b":put (40 + 2)\r")
    until(port, b"42")
    port.write(b"/quit\r")
    until(port, b"Login: ")
    port.close()
    print("ok", url.split(":")[0])
"#;

#[test]
fn pyserial_on_our_server() {
    if !available("pyserial_on_our_server", &[PYTHON]) {
        return;
    }
    let has = Command::new(PYTHON).args(["-c", "import serial"]).stderr(Stdio::null()).status().unwrap().success();
    if !has {
        available("pyserial_on_our_server", &["python3-serial"]);
        return;
    }
    let router = LineRouter::start();
    let urls = [format!("rfc2217://{}", router.rfc2217), format!("socket://{}", router.tcp)];
    let said = python(router.folder.path(), PYSERIAL, &[&urls[0], &urls[1]]);
    assert_eq!(said, "ok rfc2217\nok socket\n");
}

/// Types at a program in a terminal of its own, waiting for what it shows.
const TYPIST: &str = r#"
import os, pty, select, sys, time
command, leave = sys.argv[2:], bytes.fromhex(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "vt100"
    os.execvp(command[0], command)
seen = b""
def until(text):
    global seen
    end = time.time() + 60
    while text not in seen:
        assert time.time() < end, (text, seen)
        if select.select([fd], [], [], 0.2)[0]:
            try:
                seen += os.read(fd, 4096)
            except OSError:
                assert False, (text, seen)
    seen = seen[seen.index(text) + len(text):]
def keys(text):
    for key in text:
        os.write(fd, bytes([key]))
        time.sleep(0.01)
hello = {"picocom": b"ready", "console": b"for help]"}
until(hello.get(command[0], b"onnected"))
# A key that comes before the program made its terminal raw is another key.
end = time.time() + 60
while b"Login: " not in seen:
    assert time.time() < end, seen
    keys(b"\r")
    if select.select([fd], [], [], 1)[0]:
        seen += os.read(fd, 4096)
time.sleep(0.2)
while select.select([fd], [], [], 0.2)[0]:
    os.read(fd, 4096)
seen = b""
keys(b"admin+ct80w24h\r")
until(b"Password: ")
keys(b"lab\r")
until(b"] > ")
keys(b":put (40 + 2)\r")
until(b"42")
keys(b"/quit\r")
until(b"Login: ")
keys(leave)
end = time.time() + 60
while os.waitpid(pid, os.WNOHANG)[0] == 0:
    assert time.time() < end, "it does not end"
    time.sleep(0.02)
    if select.select([fd], [], [], 0)[0]:
        try:
            os.read(fd, 4096)
        except OSError:
            pass
print("ok")
"#;

#[test]
fn terminals_that_people_type_at() {
    if !available("terminals_that_people_type_at", &[PYTHON, "tio", "picocom"]) {
        return;
    }
    let router = LineRouter::start();
    let url = format!("serial://{}", router.pty);
    let ours = jumplead().display().to_string();
    // Ctrl-T q, Ctrl-A Ctrl-X, Ctrl-] q
    let programs: [&[&str]; 3] = [
        &["1471", "tio", "-b", "115200", &router.pty],
        &["0118", "picocom", "-b", "115200", &router.pty],
        &["1d71", &ours, "console", &url],
    ];
    for program in programs {
        assert_eq!(python(router.folder.path(), TYPIST, program), "ok\n", "{program:?}");
    }
}

/// conserver holds our line as a port, as telnet and as plain TCP; people reach it by its own client.
#[test]
fn conserver_in_between() {
    if !available("conserver_in_between", &[PYTHON, "conserver", "console"]) {
        return;
    }
    let router = LineRouter::start();
    let [port, base] = [free_port(), free_port()];
    let (rfc2217, tcp) = (router.rfc2217.rsplit_once(':').unwrap().1, router.tcp.rsplit_once(':').unwrap().1);
    let file = router.folder.path().join("conserver.cf");
    let text = format!(
        "default full {{ rw *; }}\ndefault * {{ logfile \"\"; timestamp \"\"; include full; master localhost; }}\n\
         console port {{ type device; device {}; baud 115200; parity none; }}\n\
         console telnet {{ type host; host 127.0.0.1; port {rfc2217}; protocol telnet; }}\n\
         console raw {{ type host; host 127.0.0.1; port {tcp}; protocol raw; }}\naccess * {{ trusted 127.0.0.1; }}\n",
        router.pty
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new("conserver");
    command.arg("-C").arg(&file).args(["-p", &port.to_string(), "-b", &base.to_string(), "-M", "127.0.0.1"]);
    let server = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    listens(port);
    for console in ["port", "telnet", "raw"] {
        // Ctrl-E c .
        let client = ["05632e", "console", "-M", "127.0.0.1", "-p", &port.to_string(), "-l", "root", console];
        assert_eq!(python(router.folder.path(), TYPIST, &client), "ok\n", "{console}");
    }
    server.terminate();
}

/// Who takes the lock that everybody takes is named, and our own lock holds for them.
#[test]
fn a_port_that_another_program_has_names_it() {
    if !available("a_port_that_another_program_has_names_it", &["picocom"]) {
        return;
    }
    let router = LineRouter::start();
    let hold = |program: &str, arguments: &[&str]| {
        let mut screen = Far::new(None).sized(24, 80);
        let mut command = Command::new(program);
        isolate(&mut command, router.folder.path());
        let near = || screen.near().try_clone().unwrap();
        command.args(arguments).env("TERM", "vt100").stdin(near()).stdout(near()).stderr(near());
        let child = Running(command.spawn().unwrap());
        screen.until(if program == "picocom" { "ready" } else { "onnected" });
        (child, screen)
    };
    let url = format!("serial://{}", router.pty);
    let (mut theirs, mut screen) = hold("picocom", &["-b", "115200", &router.pty]);
    let refused = router.exec(&url, ":put 1");
    assert!(
        refused.err.contains("error[serial.port.busy]") && refused.err.contains("picocom (pid "),
        "{}",
        refused.err
    );
    screen.say(&[1, 0x18]);
    theirs.0.wait().unwrap();
    router.answers(&url);
    let (mut ours, mut screen) = hold(&jumplead().display().to_string(), &["console", &url]);
    let mut other = Command::new("picocom");
    let said = other.args(["-b", "115200", "-X", &router.pty]).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(!said.status.success() && text.to_lowercase().contains("lock"), "{text}");
    screen.say(b"\x1dq");
    ours.0.wait().unwrap();
    router.answers(&url);
}

/// What the kernel is asked for while a port is opened, used and closed: no wire is driven, and no break sent.
#[test]
fn no_wire_is_touched_unasked() {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !traced.is_ok_and(|status| status.success()) {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "strace can't trace here, and CI skips nothing");
        let _ = std::io::stderr().write_all(b"SKIPPED no_wire_is_touched_unasked: strace can't trace here\n");
        return;
    }
    let router = LineRouter::start();
    let trace = router.folder.path().join("trace");
    let mut program = Command::new("strace");
    program.args(["-f", "-e", "trace=ioctl", "-o"]).arg(&trace).arg(jumplead());
    isolate(&mut program, router.folder.path());
    program.args(["exec", &format!("serial://{}", router.pty), "--", ":put (6 * 7)"]).env("JUMPLEAD_PASSWORD", "lab");
    assert_eq!(Ended::from(program.output().unwrap()).expect(0).out.trim(), "42");
    let calls = std::fs::read_to_string(&trace).unwrap();
    assert!(calls.contains("TCGETS") && calls.contains("TIOCEXCL"), "{calls}");
    for wire in ["TIOCMSET", "TIOCMBIS", "TIOCMBIC", "TIOCSBRK", "TCSBRK"] {
        assert!(!calls.contains(wire), "{wire}: {calls}");
    }
}
