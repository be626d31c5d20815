//! The simulated router as a process, against programs that nobody here wrote: Debian's MAC-Telnet tools, ping, curl.
//!
//! In network namespaces, as root. Skipped aloud otherwise; with `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests, though no unit tests: clippy.toml does not see that

use std::cell::Cell;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::{ChildStdin, Command, Output, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bootstrap::ha::{PairConfig, render_installed};
use jumplead_tests::binary::{self, Ended};
use jumplead_tests::conformance::{Claim, version_of};
use jumplead_tests::router_process::{Lines, MAC, PASSWORD, PATIENCE, Plan, Rig, Running, VERSIONS, text, with_both};
use lab::Tap;
use lab::netns::available;
use lab::pair::{Pair, Settings};
use routersim::net::{MacTelnetCall, PingOptions};
use tempfile::TempDir;

/// A router with the older login, which Debian's client knows too, and a host that Debian's tools can work on.
fn lab(version: &str, address: bool) -> Rig {
    let plan = Plan::new(version).quirk("login = \"md5\"");
    let rig = if address { plan } else { plan.without_address() }.start();
    // Debian's 0.4.4 looks at interfaces with an address only ("No suitable devices found"), raw mode included,
    // and its socket mode asks the routing table for 255.255.255.255.
    rig.host.run("ip", &["route", "add", "255.255.255.255/32", "dev", "h0"]).unwrap();
    rig
}

/// What Debian's client found, one CSV line a router.
fn discovered(lab: &Rig) -> String {
    // It asks once and collects for this long; the router answers within three seconds.
    text(&lab.run("mactelnet", &["-l", "-B", "-t", "5"]))
}

/// Debian's client in a session: types, and reads what comes.
struct Session {
    _child: Running,
    input: ChildStdin,
    output: Lines,
}

fn log_in(lab: &Rig, arguments: &[&str], password: &str) -> Session {
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
    if available("ping_and_ftp", &["ping", "curl"]) {
        with_both(pings_and_puts);
    }
}

fn pings_and_puts(version: &str) {
    let (pings, curls) = (version_of("ping", "-V"), version_of("curl", "--version"));
    let lab = lab(version, true);
    assert_eq!((&lab.ready["event"], &lab.ready["version"]), (&"ready".into(), &version.into()));
    assert_eq!(lab.ready["ports"]["ether8"]["mac"], MAC);
    let claim =
        Claim::new("ping", pings.as_str(), "three echoes of 56 and of 1472 bytes; nobody at another address", version);
    for size in ["56", "1472"] {
        let ping = lab.run("ping", &["-c", "3", "-i", "0.2", "-W", "5", "-s", size, "10.9.8.1"]);
        assert!(text(&ping).contains("3 received"), "{}", text(&ping));
    }
    let gone = lab.run("ping", &["-c", "1", "-W", "1", "10.9.8.77"]);
    assert!(!gone.status.success());
    claim.holds();

    let claim = Claim::new("curl", curls.as_str(), "FTP: put and get of 1 MB, list, delete, a wrong password", version);
    put_list_get_delete(&lab);
    claim.holds();

    let claim =
        Claim::new("curl", curls.as_str(), "FTP: an `.auto.rsc` runs when it is put, and its log can be got", version);
    auto_rsc(&lab);
    claim.holds();
}

fn curl(lab: &Rig, arguments: &[&str]) -> Output {
    lab.command("curl").args(["-sS", "--user", "admin:lab"]).args(arguments).output().unwrap()
}

fn put_list_get_delete(lab: &Rig) {
    let (up, down) = (lab.folder.path().join("up.bin"), lab.folder.path().join("down.bin"));
    let mut state = 1_u32;
    let bytes: Vec<u8> = (0..1_000_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    std::fs::write(&up, &bytes).unwrap();
    let url = "ftp://10.9.8.1/up.bin";
    let put = curl(lab, &["-T", up.to_str().unwrap(), url]);
    assert!(put.status.success(), "{}", text(&put));
    let list = || text(&curl(lab, &["--list-only", "ftp://10.9.8.1/"]));
    assert!(list().lines().any(|name| name == "up.bin"), "{}", list());
    let get = curl(lab, &["-o", down.to_str().unwrap(), url]);
    assert!(get.status.success(), "{}", text(&get));
    assert!(std::fs::read(&down).unwrap() == bytes);
    let delete = curl(lab, &["-Q", "DELE up.bin", "--list-only", "ftp://10.9.8.1/"]);
    assert!(delete.status.success() && !list().contains("up.bin"), "{}", text(&delete));
    let refused = lab.run("curl", &["-sS", "--user", "admin:wrong", "ftp://10.9.8.1/"]);
    assert!(text(&refused).contains("denied") || text(&refused).contains("530"), "{}", text(&refused));
}

fn auto_rsc(lab: &Rig) {
    let script = lab.folder.path().join("x");
    std::fs::write(&script, "/system identity set name=FROM-FTP\n:foo\n").unwrap();
    let put = curl(lab, &["-T", script.to_str().unwrap(), "ftp://10.9.8.1/x.auto.rsc"]);
    assert!(put.status.success(), "{}", text(&put));
    // It runs when the upload has come whole, and leaves what it said beside it.
    let deadline = Instant::now() + PATIENCE;
    let said = loop {
        let log = curl(lab, &["ftp://10.9.8.1/x.auto.log"]);
        if log.status.success() {
            break text(&log);
        }
        assert!(Instant::now() < deadline, "{}", text(&curl(lab, &["--list-only", "ftp://10.9.8.1/"])));
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(said.contains("bad command name foo (line 2 column 2)"), "{said}");
}

#[test]
fn debians_tools_find_ping_and_enter_it() {
    if available("debians_tools_find_ping_and_enter_it", &["mactelnet", "macping", "mndp", "script"]) {
        with_both(debians_tools);
    }
}

fn debians_tools(version: &str) {
    let tools = version_of("mactelnet", "-v");
    let lab = lab(version, true);
    let claim = Claim::new("macping", tools.as_str(), "three answers; nobody at another MAC", version);
    let ping = text(&lab.run("macping", &["-c", "3", MAC]));
    assert!(ping.contains("3 packets received, 0% packet loss"), "{ping}");
    let nobody = text(&lab.run("macping", &["-c", "1", "74:4D:28:00:00:0C"]));
    assert!(nobody.contains("0 packets received"), "{nobody}");
    claim.holds();

    let claim =
        Claim::new("mactelnet -l", tools.as_str(), "MNDP: identity, board, version, interface, address", version);
    let found = discovered(&lab);
    let number = format!("'{version}");
    for part in ["74:4d:28:0:0:b", "'SIM'", "'MikroTik'", &number, "'CCR1009-7G-1C'", "'ether8'", "10.9.8.1"] {
        assert!(found.contains(part), "{part} in {found}");
    }
    // mndp never ends by itself, and flushes nothing into a pipe: `timeout` and a terminal of its own.
    let shown = text(&lab.run("timeout", &["-s", "INT", "4", "script", "-qec", "mndp", "/dev/null"]));
    for part in ["74:4d:28:0:0:b", "SIM", version] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    claim.holds();

    let claim = Claim::new("mactelnet", tools.as_str(), "a console, a command, `/quit`; a wrong password", version);
    let mut session = log_in(&lab, &[], "lab");
    session.output.until("[admin@SIM] >");
    session.types("/system identity set name=ENTERED\r");
    session.output.until("[admin@ENTERED] >");
    session.types("/quit\r");
    drop(session);
    assert!(discovered(&lab).contains("'ENTERED'"));
    let mut wrong = log_in(&lab, &[], "wrong");
    wrong.output.until("Login failed, incorrect username or password");
    claim.holds();
}

#[test]
fn debians_client_enters_a_router_without_address() {
    if !available("debians_client_enters_a_router_without_address", &["mactelnet"]) {
        return;
    }
    let version = VERSIONS[1];
    let lab = lab(version, false);
    let does = "a console of a router without any address, by socket and by raw frames";
    let claim = Claim::new("mactelnet", version_of("mactelnet", "-v"), does, version);
    for (mode, name) in [(&[][..], "SOCKET"), (&["-n"][..], "RAW")] {
        let mut session = log_in(&lab, mode, "lab");
        session.output.until("] >");
        session.types(&format!("/system identity set name={name}\r"));
        session.output.until(&format!("[admin@{name}] >"));
    }
    assert!(discovered(&lab).contains("'RAW'"));
    claim.holds();
}

/// An erased router asks its first login for a new password, twice. What a script has in its lines is no answer to that:
/// each runs as a command, and the router still has no password.
#[test]
fn lines_in_a_pipe_are_commands_and_never_a_new_password() {
    if !available("lines_in_a_pipe_are_commands_and_never_a_new_password", &["ip"]) {
        return;
    }
    let rig = Plan::new("7.18.2").without_password().start();
    let target = format!("mac://{MAC}%h0");
    let script = |lines: &str, more: &[&str]| -> Ended {
        let mut command = rig.command(binary::jumplead().to_str().unwrap());
        binary::isolate(&mut command, rig.folder.path());
        command.env("JUMPLEAD_PASSWORD", "").args(["console", &target]).args(more);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    };
    let log = rig.folder.path().join("clean.log");
    let twice = ":put (6 * 7)\n:put (6 * 7)\n:put \"before\"; :error \"as meant\"\n";
    let ended = script(twice, &["--log", log.to_str().unwrap()]).expect(0);
    assert_eq!(ended.out.lines().collect::<Vec<_>>(), ["42", "42", "before", "as meant"], "{ended:?}");
    assert!(std::fs::read_to_string(&log).unwrap().ends_with("as meant\n"));
    // with another password this would be refused
    let ended = script(":put [/system identity get name]\n", &[]).expect(0);
    assert_eq!(ended.out.trim(), "SIM");
}

/// What was printed before a refusal is data; a line that cannot be sent says that nothing was.
#[test]
fn exec_keeps_data_and_words_apart() {
    if !available("exec_keeps_data_and_words_apart", &["ip"]) {
        return;
    }
    let rig = Plan::new("7.18.2").start();
    let exec = |line: &str| -> Ended {
        let mut command = rig.command(binary::jumplead().to_str().unwrap());
        binary::isolate(&mut command, rig.folder.path());
        command.env("JUMPLEAD_PASSWORD", PASSWORD).args(["exec", &format!("mac://{MAC}%h0"), "--", line]);
        command.output().unwrap().into()
    };
    let refused = exec(":put \"a\"; :put \"b\"; :error \"x\"").expect(13);
    assert_eq!(refused.out, "a\nb\n");
    assert!(refused.err.contains("the router refused it: x"), "{}", refused.err);
    // A question is nobody's here to answer; what came before it is data.
    let asked = exec(":put before; /system reboot").expect(13);
    assert_eq!(asked.out, "before\n");
    assert!(asked.err.contains("it asked, and was answered no: Reboot, yes? [y/N]"), "{}", asked.err);
    assert!(!asked.err.contains("the router refused"), "{}", asked.err);
    assert!(asked.err.contains(&format!("jumplead console mac://{MAC}%h0")), "{}", asked.err);
    let lacks = exec("/password").expect(13);
    assert!(lacks.err.contains("it asked for what the command does not say"), "{}", lacks.err);
    let unsendable = exec(":put unfinished {").expect(2);
    assert!(unsendable.out.is_empty() && unsendable.err.contains("can't be typed"), "{unsendable:?}");
}

/// Whoever asks a router for a Unix shell ran nothing there, and is told what to type.
#[test]
fn a_router_has_no_unix_shell() {
    if !available("a_router_has_no_unix_shell", &["ip"]) {
        return;
    }
    let rig = Plan::new("7.18.2").start();
    let mut command = rig.command(binary::jumplead().to_str().unwrap());
    binary::isolate(&mut command, rig.folder.path());
    command.env("JUMPLEAD_PASSWORD", PASSWORD);
    command.args(["exec", &format!("mac://{MAC}%h0"), "--shell", "posix", "--", "/system identity set name=RAN"]);
    let ended = Ended::from(command.output().unwrap()).refused(6, "routeros.timeout");
    assert!(ended.err.contains("the command was not run"), "{}", ended.err);
    assert!(ended.err.contains(&format!("jumplead exec mac://{MAC}%h0 -- COMMAND")), "{}", ended.err);
    assert_eq!(ended.out, "");
}

/// A router that hangs in mid-command: nobody knows what it did, what it had printed is data, and the hint is a command.
#[test]
fn a_router_that_falls_silent_in_mid_command_leaves_the_result_unknown() {
    if !available("a_router_that_falls_silent", &["ip", "ping", "kill"]) {
        return;
    }
    for json in [false, true] {
        let rig = Plan::new("7.18.2").start();
        let mut command = rig.command(binary::jumplead().to_str().unwrap());
        binary::isolate(&mut command, rig.folder.path());
        command.env("JUMPLEAD_PASSWORD", PASSWORD).args(if json { &["--json"][..] } else { &[] });
        // The second address shows that the line has got so far.
        let line = ":put before; /ip address add address=10.9.8.3/24 interface=ether8; :delay 10m";
        command.args(["exec", &format!("mac://{MAC}%h0"), "--timeout", "8s", "--", line]);
        let exec = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let until = Instant::now() + PATIENCE;
        while !rig.run("ping", &["-c", "1", "-W", "1", "10.9.8.3"]).status.success() {
            assert!(Instant::now() < until, "the command does not begin");
        }
        let pid = rig.ready["pid"].to_string();
        assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
        let unknown = Ended::from(exec.wait_with_output().unwrap()).expect(14);
        if json {
            assert!(unknown.out.contains("it had printed before: before"), "{}", unknown.out);
        } else {
            assert_eq!(unknown.out, "before\n");
            assert!(unknown.err.contains("error[routeros.exec.unknown]"), "{}", unknown.err);
            let next = format!("jumplead console mac://{MAC}%h0");
            assert!(unknown.err.contains("had begun") && unknown.err.contains(&next), "{}", unknown.err);
        }
    }
}

#[test]
fn a_signal_ends_it_in_good_order_and_a_missing_interface_at_once() {
    if !available("a_signal_ends_it", &["kill"]) {
        return;
    }
    let mut lab = lab(VERSIONS[1], false);
    let pid = lab.ready["pid"].to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = lab.router.0.wait().unwrap();
    assert_eq!(status.code(), Some(0));

    // The host's namespace has no such interface.
    let spec = lab.folder.path().join("ROUTER.toml");
    let output = lab.host.command(binary::routersim().to_str().unwrap()).arg("run").arg(&spec).output().unwrap();
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
    let does = "a pair's HA wire: VRRP, MNDP, MAC-Telnet, ICMP, ARP, FTP, TCP; nothing malformed, every checksum right";
    let claim = Claim::new("tshark", version_of("tshark", "--version"), does, VERSIONS[1]);
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
    claim.holds();
}
