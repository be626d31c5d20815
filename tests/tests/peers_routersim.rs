//! The simulated router as a process, against programs that nobody here wrote: Debian's MAC-Telnet tools, ping, curl.
//!
//! In network namespaces, as root. Skipped aloud otherwise; with `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests, though no unit tests: clippy.toml does not see that

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use bootstrap::ha::{PairConfig, render_installed};
use lab::Tap;
use lab::netns::{Namespace, available, veth};
use lab::pair::{Pair, Settings};
use routersim::net::{MacTelnetCall, PingOptions};
use tempfile::TempDir;

const MAC: &str = "74:4D:28:00:00:0B";
/// Real time that anything here may take; a loaded machine is slow, a hang is not.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, built once: `cargo test` builds no binaries of other packages.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let output = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "routersim", "--features", "real", "--bin", "routersim"])
            .args(["--message-format", "json"])
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        assert!(output.status.success(), "routersim builds");
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let messages = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let mut executables = messages.filter_map(|m| m["executable"].as_str().map(PathBuf::from));
        executables.next().expect("cargo names the executable")
    })
}

/// Bytes of a child's output, as they come.
struct Lines(Receiver<Vec<u8>>, Vec<u8>);

impl Lines {
    fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            loop {
                let bytes = source.fill_buf().map(<[u8]>::to_vec).unwrap_or_default();
                source.consume(bytes.len());
                if bytes.is_empty() || sender.send(bytes).is_err() {
                    return;
                }
            }
        });
        Self(receiver, Vec::new())
    }

    /// Reads until `end` was seen; everything since the last call.
    fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.1.windows(end.len()).position(|window| window == end.as_bytes()) {
                let rest = self.1.split_off(at + end.len());
                let seen = std::mem::replace(&mut self.1, rest);
                return String::from_utf8_lossy(&seen).into_owned();
            }
            match self.0.recv_timeout(PATIENCE) {
                Ok(bytes) => self.1.extend(bytes),
                Err(error) => panic!(
                    "waited for {end:?} and saw {:?} ({})",
                    String::from_utf8_lossy(&self.1),
                    if error == RecvTimeoutError::Timeout { "silence" } else { "end" }
                ),
            }
        }
    }
}

/// A child that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A router in a namespace of its own, and a host in another, one cable between them.
struct Lab {
    host: Namespace,
    router: Running,
    ready: serde_json::Value,
    // Dropped last: the namespace and the specification outlive the process.
    _namespace: Namespace,
    _folder: TempDir,
}

const SPEC: &str = r#"
name = "B"
serial_number = "7F0002"
time_scale = 0.01
setup = """
/system identity set name=SIM
ADDRESS
"""
[macs]
ether8 = "74:4D:28:00:00:0B"
[ports]
ether8 = "r8"
[quirks]
login = "md5"
license_question = false
[[users]]
name = "admin"
password = "lab"
"#;

/// The host has an address; the router has one or none.
fn lab(router_address: bool) -> Lab {
    let (namespace, host) = (Namespace::new("router").unwrap(), Namespace::new("host").unwrap());
    veth((&namespace, "r8", None), (&host, "h0", None)).unwrap();
    // Debian's 0.4.4 looks at interfaces with an address only ("No suitable devices found"), raw mode included,
    // and its socket mode asks the routing table for 255.255.255.255.
    host.address("h0", "10.9.8.2/24").unwrap();
    host.run("ip", &["route", "add", "255.255.255.255/32", "dev", "h0"]).unwrap();
    let setup = if router_address { "/ip address add address=10.9.8.1/24 interface=ether8" } else { "" };
    let folder = TempDir::new().unwrap();
    let spec = folder.path().join("ROUTER.toml");
    std::fs::write(&spec, SPEC.replace("ADDRESS", setup)).unwrap();
    let mut child = namespace
        .command(binary().to_str().unwrap())
        .arg("run")
        .arg(&spec)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = Lines::of(child.stdout.take().unwrap());
    let router = Running(child);
    let ready = serde_json::from_str(&lines.until("\n")).unwrap();
    Lab { host, router, ready, _namespace: namespace, _folder: folder }
}

fn run(lab: &Lab, program: &str, arguments: &[&str]) -> Output {
    lab.host.command(program).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What Debian's client found, one CSV line a router.
fn discovered(lab: &Lab) -> String {
    // It asks once and collects for this long; the router answers within three seconds.
    text(&run(lab, "mactelnet", &["-l", "-B", "-t", "5"]))
}

/// Debian's client in a session: types, and reads what comes.
struct Session {
    _child: Running,
    input: ChildStdin,
    output: Lines,
}

fn log_in(lab: &Lab, arguments: &[&str], password: &str) -> Session {
    let mut child = lab
        .host
        .command("mactelnet")
        .args(arguments)
        .args(["-A", "-t", "5", "-u", "admin", "-p", password, MAC])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let input = child.stdin.take().unwrap();
    let output = Lines::of(child.stdout.take().unwrap());
    Session { _child: Running(child), input, output }
}

impl Session {
    fn types(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }
}

#[test]
fn ping_and_ftp() {
    if !available("ping_and_ftp", &["ping", "curl"]) {
        return;
    }
    let lab = lab(true);
    assert_eq!(lab.ready["event"], "ready");
    assert_eq!(lab.ready["ports"]["ether8"]["mac"], MAC);
    for size in ["56", "1472"] {
        let ping = run(&lab, "ping", &["-c", "3", "-i", "0.2", "-W", "5", "-s", size, "10.9.8.1"]);
        assert!(text(&ping).contains("3 received"), "{}", text(&ping));
    }
    let gone = run(&lab, "ping", &["-c", "1", "-W", "1", "10.9.8.77"]);
    assert!(!gone.status.success());

    let folder = TempDir::new().unwrap();
    let (up, down) = (folder.path().join("up.bin"), folder.path().join("down.bin"));
    let mut state = 1_u32;
    let bytes: Vec<u8> = (0..1_000_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    std::fs::write(&up, &bytes).unwrap();
    let url = "ftp://10.9.8.1/up.bin";
    let put = run(&lab, "curl", &["-sS", "--user", "admin:lab", "-T", up.to_str().unwrap(), url]);
    assert!(put.status.success(), "{}", text(&put));
    let list = run(&lab, "curl", &["-sS", "--user", "admin:lab", "--list-only", "ftp://10.9.8.1/"]);
    assert!(text(&list).lines().any(|name| name == "up.bin"), "{}", text(&list));
    let get = run(&lab, "curl", &["-sS", "--user", "admin:lab", "-o", down.to_str().unwrap(), url]);
    assert!(get.status.success(), "{}", text(&get));
    assert!(std::fs::read(&down).unwrap() == bytes);
    let refused = run(&lab, "curl", &["-sS", "--user", "admin:wrong", "ftp://10.9.8.1/"]);
    assert!(text(&refused).contains("denied") || text(&refused).contains("530"), "{}", text(&refused));
}

#[test]
fn debians_tools_find_ping_and_enter_it() {
    if !available("debians_tools_find_ping_and_enter_it", &["mactelnet", "macping"]) {
        return;
    }
    let lab = lab(true);
    let ping = text(&run(&lab, "macping", &["-c", "3", MAC]));
    assert!(ping.contains("3 packets received, 0% packet loss"), "{ping}");
    let nobody = text(&run(&lab, "macping", &["-c", "1", "74:4D:28:00:00:0C"]));
    assert!(nobody.contains("0 packets received"), "{nobody}");
    let found = discovered(&lab);
    for part in ["74:4d:28:0:0:b", "'SIM'", "'MikroTik'", "'7.18.2", "'CCR1009-7G-1C'", "'ether8'", "10.9.8.1"] {
        assert!(found.contains(part), "{part} in {found}");
    }

    let mut session = log_in(&lab, &[], "lab");
    session.output.until("[admin@SIM] >");
    session.types("/system identity set name=ENTERED\r");
    session.output.until("[admin@ENTERED] >");
    session.types("/quit\r");
    drop(session);
    assert!(discovered(&lab).contains("'ENTERED'"));

    let mut wrong = log_in(&lab, &[], "wrong");
    wrong.output.until("Login failed, incorrect username or password");
}

#[test]
fn debians_client_enters_a_router_without_address() {
    if !available("debians_client_enters_a_router_without_address", &["mactelnet"]) {
        return;
    }
    let lab = lab(false);
    for (mode, name) in [(&[][..], "SOCKET"), (&["-n"][..], "RAW")] {
        let mut session = log_in(&lab, mode, "lab");
        session.output.until("] >");
        session.types(&format!("/system identity set name={name}\r"));
        session.output.until(&format!("[admin@{name}] >"));
    }
    assert!(discovered(&lab).contains("'RAW'"));
}

#[test]
fn a_signal_ends_it_in_good_order_and_a_missing_interface_at_once() {
    if !available("a_signal_ends_it", &["kill"]) {
        return;
    }
    let mut lab = lab(false);
    let pid = lab.ready["pid"].to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = lab.router.0.wait().unwrap();
    assert_eq!(status.code(), Some(0));

    // The host's namespace has no such interface.
    let spec = lab._folder.path().join("ROUTER.toml");
    let output = lab.host.command(binary().to_str().unwrap()).arg("run").arg(&spec).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("there is no interface r8 [routersim.real.interface]"), "{}", text(&output));
}

/// Programs that only read need no root: just whether `program` is there.
fn installed(test: &str, program: &str) -> bool {
    if Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return true;
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} can't run in CI: no `{program}`");
    // Straight to the descriptor: the harness hides what a passing test prints.
    std::io::stderr().write_all(format!("SKIPPED {test}: `{program}` is not installed\n").as_bytes()).unwrap();
    false
}

#[test]
fn wireshark_reads_what_is_on_the_wire() {
    if !installed("wireshark_reads_what_is_on_the_wire", "tshark") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ha.pcap");
    let pair_config = PairConfig {
        interface: "ether8".to_owned(),
        mac_a: "74:4D:28:00:00:0A".to_owned(),
        mac_b: MAC.to_owned(),
        password: "Simulated-Pair-1".to_owned(),
    };
    let mut settings = Settings::standard(21, &render_installed(&pair_config));
    settings.b.setup.push_str("/ip address add address=169.254.23.2/24 interface=ether8\n");
    let (pair, _link) = Pair::new(&settings).unwrap();
    pair.ha_wire.tap(Tap::pcap(std::fs::File::create(&path).unwrap()).unwrap());
    pair.power_on();
    assert!(pair.boot(Duration::from_secs(300), Duration::from_secs(60)));
    let net = pair.a.look(|router| router.system().and_then(|system| system.net())).unwrap();
    let kernel = pair.a.look(|router| router.system().map(|system| system.kernel.clone())).unwrap();
    let done = Rc::new(Cell::new(false));
    let set = Rc::clone(&done);
    pair.a.with(|_, _| {
        kernel.spawn("test", async move {
            let there = Ipv4Addr::new(169, 254, 23, 2);
            net.ping(there, &PingOptions { count: 3, ..PingOptions::default() }).await;
            net.mac_ping(MAC.parse().unwrap(), &PingOptions { count: 3, ..PingOptions::default() }).await;
            net.ftp_put(there, 21, "admin", "", "x.txt", &[b'x'; 100_000]).await.unwrap();
            let call = MacTelnetCall {
                mac: MAC.parse().unwrap(),
                interface: None,
                user: "admin".to_owned(),
                password: String::new(),
                terminal: "vt102".to_owned(),
                size: (80, 24),
            };
            let mut session = net.mac_telnet_connect(call).await.unwrap();
            session.reader.read(100).await;
            set.set(true);
        });
    });
    assert!(pair.world.run_until_done(pair.world.now() + Duration::from_secs(120), || done.get()));
    pair.world.run_until(pair.world.now() + Duration::from_secs(5));

    let tshark = |arguments: &[&str]| {
        let output =
            Command::new("tshark").args(["-n", "-r", path.to_str().unwrap()]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let fields = tshark(&["-T", "fields", "-e", "frame.protocols", "-e", "icmp.type", "-e", "arp.isgratuitous"]);
    let least = [
        (":vrrp", 40),
        (":mndp", 2),
        (":mactelnet", 10),
        (":icmp:data\t0", 3),
        (":arp", 2),
        (":ftp", 10),
        (":tcp", 50),
    ];
    for (part, least) in least {
        let found = fields.lines().filter(|line| line.contains(part)).count();
        assert!(found >= least, "{found} of {part}");
    }
    assert!(fields.lines().any(|line| line.ends_with("1") && line.contains(":arp")), "a gratuitous ARP");
    let bad = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 || udp.checksum.status == 0 \
        || tcp.checksum.status == 0 || icmp.checksum.status == 0 || vrrp.checksum.status == 0";
    let checks = ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE"];
    let checks = checks.iter().flat_map(|check| ["-o", check]);
    let arguments: Vec<&str> = ["-Y", bad].into_iter().chain(checks).collect();
    assert_eq!(tshark(&arguments), "");
}
