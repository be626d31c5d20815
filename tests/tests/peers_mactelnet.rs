//! Our client, server, discovery and MAC-Ping against Debian's mactelnetd, mactelnet, macping and mndp 0.4.4, and
//! Wireshark's dissectors.
//!
//! In network namespaces, as root. Skipped aloud otherwise; with `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used)] // tests, though no unit tests: clippy.toml does not see that

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::io::Write;
use std::process::{Output, Stdio};
use std::time::Duration;

use jumplead_tests::c_server::{CServer, MACTELNETD, PASSWORD, PROMPT, USER};
use jumplead_tests::inside::inside;
use jumplead_tests::our_server::{self, OurServer, announcement};
use lab::netns::{Namespace, available, veth};
use mactelnet::auth::{Method, Password};
use mactelnet::client::{Client, Config, Error, GapPolicy, LoginPolicy};
use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::io::{Link as _, Session, discover, ping};
use mactelnet::pcap::Writer;
use mactelnet::server::Server;
use mactelnet::wire::{frame, mndp};
use mactelnet::{Instant, MacAddr, Meta, Transmit, macping};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SERVER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const CLIENT: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const NOBODY: MacAddr = MacAddr([2, 0, 0, 0, 0, 9]);
/// Real time that anything may take; a loaded machine is slow, a hang is not.
const PATIENCE: Duration = Duration::from_secs(120);

/// Two namespaces and a cable: `v0` in both.
struct Cable {
    server: Namespace,
    client: Namespace,
}

/// Which ends have an IPv4 address.
fn cable(server: bool, client: bool) -> Cable {
    let cable = Cable { server: Namespace::new("server").unwrap(), client: Namespace::new("client").unwrap() };
    veth((&cable.server, "v0", Some(SERVER)), (&cable.client, "v0", Some(CLIENT))).unwrap();
    for (namespace, wanted, address) in
        [(&cable.server, server, "192.0.2.1/24"), (&cable.client, client, "192.0.2.2/24")]
    {
        if wanted {
            namespace.address("v0", address).unwrap();
            // Their socket mode asks the routing table where 255.255.255.255 is.
            namespace.run("ip", &["route", "add", "default", "dev", "v0"]).unwrap();
        }
    }
    cable
}

fn config(peer: MacAddr, password: &str, login: LoginPolicy) -> Config {
    let mut config = Config::new(CLIENT, peer, USER, Password::from(password), [11; 32]);
    config.login = login;
    config
}

fn auto() -> LoginPolicy {
    LoginPolicy::Auto { md5_allowed: true, reason: "a test".to_owned() }
}

async fn connect(config: Config) -> Result<Session, Error> {
    let link = Box::new(RawLink::open("v0", Capture::MacServices).unwrap());
    tokio::time::timeout(PATIENCE, Session::connect(link, config)).await.expect("in time")
}

/// Logs in, types, and reads to the session's end.
async fn converse(config: Config, typed: &str) -> Result<String, Error> {
    let mut session = connect(config).await?;
    session.write_all(typed.as_bytes()).await.unwrap();
    let mut shown = Vec::new();
    tokio::time::timeout(PATIENCE, session.read_to_end(&mut shown)).await.expect("in time").unwrap();
    Ok(String::from_utf8(shown).unwrap())
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Other traffic on the interface costs this process nothing; a session one frame, the one that makes it set the kernel's
/// filter.
#[test]
fn the_kernel_keeps_other_traffic_away() {
    if !available("the_kernel_keeps_other_traffic_away", &["ip"]) {
        return;
    }
    const FLOOD: usize = 10_000;
    let cable = cable(false, false);
    let send = |frames: &[Vec<u8>]| {
        inside(&cable.server, || async move {
            let mut link = RawLink::open("v0", Capture::MacServices).unwrap();
            // Not faster than a queue of the kernel's takes them: none is to be missing for another reason.
            for some in frames.chunks(20) {
                some.iter().for_each(|frame| link.send(frame).unwrap());
                std::thread::sleep(Duration::from_micros(200));
            }
        });
    };
    let frame = |port, byte| frame::Repr::new(SERVER, CLIENT, port, port, 1).to_vec(&[byte; 40]).unwrap();
    let (foreign, ours) = (frame(53, 0), [frame(20561, 1), frame(5678, 2)]);
    for (capture, lets_in) in [(Capture::OneSession, true), (Capture::MacServices, false)] {
        inside(&cable.client, || async {
            let mut link = RawLink::open("v0", capture).unwrap();
            let mut next = async || {
                let mut frame = Vec::new();
                let came = poll_fn(|cx| link.poll_recv(cx, &mut frame));
                let came = tokio::time::timeout(PATIENCE, came).await;
                came.expect("in time").unwrap();
                (frame, link.foreign())
            };
            send(&[foreign.clone(), ours[0].clone()]);
            let (first, before) = next().await;
            assert_eq!(first, ours[0]);
            assert_eq!(before > 0, lets_in, "a session's first foreign frame is seen, and not handed on: {before}");
            send(&vec![foreign.clone(); FLOOD]);
            send(&ours);
            for wanted in &ours {
                let (came, after) = next().await;
                assert_eq!(&came, wanted);
                assert_eq!(after, before, "frames that the kernel let through");
            }
        });
    }
}

#[test]
fn our_client_in_their_server() {
    if !available("our_client_in_their_server", &[MACTELNETD, "unshare"]) {
        return;
    }
    // Their server needs an address, our client none: nor a route, nor a socket.
    for (raw, client_address) in [(false, true), (false, false), (true, true), (true, false)] {
        let cable = cable(true, client_address);
        let _server = CServer::start(&cable.server, raw).unwrap();
        for login in [LoginPolicy::Md5, auto()] {
            let typed = "echo answer=$((6 * 7)); id -un; stty size\rexit\r";
            let shown = inside(&cable.client, || converse(config(SERVER, PASSWORD, login.clone()), typed)).unwrap();
            for part in [PROMPT, "answer=42\r\n", "mtlab\r\n", "24 80\r\n"] {
                assert!(shown.contains(part), "raw {raw}, address {client_address}, {login:?}: {part:?} in {shown:?}");
            }
        }
    }
}

/// 150 KB come whole and in order, though the server sends nothing twice; and a window that was asked to be proved stays
/// closed, since this server takes what lies behind a gap.
#[test]
fn much_output_of_their_server() {
    if !available("much_output_of_their_server", &[MACTELNETD, "unshare"]) {
        return;
    }
    let cable = cable(true, false);
    let _server = CServer::start(&cable.server, false).unwrap();
    let wanted: String = (1..=25_000).map(|n| format!("{n}\r\n")).collect();
    let shown = inside(&cable.client, || async {
        let mut config = config(SERVER, PASSWORD, LoginPolicy::Md5);
        config.gap = GapPolicy::Prove;
        let mut session = connect(config).await.unwrap();
        assert_eq!(session.method(), Method::Md5);
        assert_eq!(session.found().holds_ack_at_gap, Some(false));
        session.write_all(b"stty -echo; seq 1 25000; exit\r").await.unwrap();
        let mut shown = Vec::new();
        tokio::time::timeout(PATIENCE, session.read_to_end(&mut shown)).await.expect("in time").unwrap();
        String::from_utf8(shown).unwrap()
    });
    assert!(
        shown.contains(&wanted),
        "{} bytes, ending in {:?}",
        shown.len(),
        &shown[shown.len().saturating_sub(200)..]
    );
}

#[test]
fn their_server_refuses_and_is_absent() {
    if !available("their_server_refuses_and_is_absent", &[MACTELNETD, "unshare"]) {
        return;
    }
    let cable = cable(true, true);
    let _server = CServer::start(&cable.server, false).unwrap();
    for login in [LoginPolicy::Md5, auto()] {
        let refused = inside(&cable.client, || converse(config(SERVER, "wrong", login.clone()), "exit\r"));
        let said = Some("Login failed, incorrect username or password".into());
        assert_eq!(refused, Err(Error::Rejected { method: Method::Md5, said }), "{login:?}");
    }
    let downgraded = inside(&cable.client, || converse(config(SERVER, PASSWORD, LoginPolicy::EcSrp5), "exit\r"));
    assert!(matches!(downgraded, Err(Error::Downgrade { .. })), "{downgraded:?}");
    let mut absent = config(NOBODY, PASSWORD, LoginPolicy::Md5);
    absent.connect_timeout = Duration::from_millis(700);
    let absent = inside(&cable.client, || converse(absent, "exit\r"));
    assert!(matches!(absent, Err(Error::NoAnswer { peer: NOBODY, .. })), "{absent:?}");
}

/// Their client, with what it is given to type.
fn their_client(cable: &Cable, mode: &[&str], password: &str, typed: &[u8]) -> Output {
    let mut child = cable
        .client
        .command("timeout")
        .args(["120", "mactelnet"])
        .args(mode)
        .args(["-A", "-u", USER, "-p", password, &SERVER.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(typed).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn their_client_in_our_server() {
    if !available("their_client_in_our_server", &["mactelnet"]) {
        return;
    }
    // Ours never has an address. Theirs finds no interface without one, in either mode.
    let cable = cable(false, true);
    let _server = OurServer::start(&cable.server, "v0").unwrap();
    let bulk = our_server::bulk(200_000);
    for mode in [&[][..], &["-n"]] {
        let output = their_client(&cable, mode, PASSWORD, b"echo hello there\rsize\rbulk 200000\rexit\r");
        let shown = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(shown.starts_with(our_server::PROMPT), "{}", &shown[..200.min(shown.len())]);
        // In a pipe it says that it has no size.
        assert!(shown.contains("hello there\r\n") && shown.contains(" 0x0\r\n"), "{}", &shown[..200]);
        assert!(shown.contains(std::str::from_utf8(&bulk).unwrap()), "{mode:?}: {} bytes", shown.len());
        assert!(shown.ends_with("bye\r\n"));

        let refused = text(&their_client(&cable, mode, "wrong", b"exit\r"));
        assert!(refused.contains("Login failed, incorrect username or password"), "{refused}");
        assert!(!refused.contains(our_server::PROMPT), "{refused}");
    }
    // Typed more than a packet's worth; the sum tells that all of it came, once.
    let typed = our_server::bulk(20_000);
    let shown = text(&their_client(&cable, &[], PASSWORD, &[b"take 20000\r", &typed[..], b"exit\r"].concat()));
    assert!(shown.contains(&our_server::sum(&typed)), "{shown}");
}

/// Their tools wait for an answer for a second or two, which a busy machine may need alone: they are asked again.
fn in_time(ask: impl Fn() -> String, wanted: &str) -> String {
    let begun = std::time::Instant::now();
    loop {
        let said = ask();
        if said.contains(wanted) || begun.elapsed() > PATIENCE {
            return said;
        }
    }
}

#[test]
fn their_tools_find_and_ping_ours() {
    if !available("their_tools_find_and_ping_ours", &["mactelnet", "macping", "mndp"]) {
        return;
    }
    let cable = cable(false, true);
    let _server = OurServer::start(&cable.server, "v0").unwrap();
    for size in [&[][..], &["-s", "1400"]] {
        let ping =
            || cable.client.command("macping").args(["-f", "-c", "3"]).args(size).arg(SERVER.to_string()).output();
        let output = in_time(|| text(&ping().unwrap()), "3 packets received, 0% packet loss");
        assert!(output.contains("3 packets received, 0% packet loss"), "{output}");
    }
    let listen = || cable.client.command("mactelnet").args(["-l", "-B", "-t", "1"]).output();
    let found = in_time(|| text(&listen().unwrap()), "'jumplead-lab'");
    for part in ["'2:0:0:0:0:1'", "'jumplead-lab'", "'MikroTik'", "'7.18.2 (stable)'", "'CCR1009-7G-1C'", "'ABCD-EFGH'"]
    {
        assert!(found.contains(part), "{part} in {found}");
    }
    // mndp never ends by itself, and flushes nothing into a pipe: `timeout` and a terminal of its own.
    let mndp = ["-s", "INT", "2", "script", "-qec", "mndp", "/dev/null"];
    let found = in_time(|| text(&cable.client.command("timeout").args(mndp).output().unwrap()), "jumplead-lab");
    assert!(found.contains("2:0:0:0:0:1") && found.contains("jumplead-lab"), "{found}");
}

#[test]
fn ours_find_and_ping_theirs() {
    if !available("ours_find_and_ping_theirs", &[MACTELNETD, "unshare"]) {
        return;
    }
    for (raw, client_address) in [(false, true), (true, false)] {
        let cable = cable(true, client_address);
        let _server = CServer::start(&cable.server, raw).unwrap();
        let (found, statistics, nobody) = inside(&cable.client, || async {
            let link = || RawLink::open("v0", Capture::MacServices).unwrap();
            let (found, failed) = discover(vec![Box::new(link())], PATIENCE, |found, _| {
                // All that there is to find.
                found.routers().is_empty()
            })
            .await;
            assert!(failed.is_empty(), "{failed:?}");
            let ask = |peer, count, timeout| macping::Config {
                local: CLIENT,
                peer,
                count,
                interval: Duration::from_millis(20),
                timeout,
                data_len: 38,
                token: 7,
            };
            let statistics = ping(&mut link(), ask(SERVER, 5, PATIENCE), |_| {}).await.unwrap();
            (found, statistics, ping(&mut link(), ask(NOBODY, 1, Duration::from_millis(500)), |_| {}).await.unwrap())
        });
        let [router] = found.routers() else { panic!("{:?}", found.routers()) };
        assert_eq!(router.sightings[0].mac(), SERVER);
        let said = format!("{router:?}");
        assert!(said.contains("MAC-Telnet") && said.contains("Linux"), "{said}");
        assert_eq!((statistics.sent, statistics.received), (5, 5), "raw {raw}");
        assert_eq!((nobody.sent, nobody.received), (1, 0));
    }
}

// ---- Wireshark's dissectors --------------------------------------------------------------------------------------------

/// A whole session between our machines, both logins, with discovery and MAC-Ping, as a capture file.
fn everything_we_send() -> Vec<u8> {
    let mut file = Writer::new(Vec::new()).unwrap();
    let mut id = 1;
    let mut write = |now: Instant, meta: &Meta, payload: &[u8]| {
        let header = frame::Repr::new(meta.src_mac, meta.dst_mac, meta.src_port, meta.dst_port, id);
        id += 1;
        let mut bytes = header.to_vec(payload).unwrap();
        bytes.resize(bytes.len().max(frame::MIN_FRAME), 0);
        file.write(now, &bytes).unwrap();
    };
    let meta = |src: MacAddr, dst: MacAddr, port: u16| Meta {
        link: 0,
        src_mac: src,
        dst_mac: dst,
        src_port: port,
        dst_port: port,
    };
    let mut now = Instant::ZERO;
    write(now, &meta(CLIENT, MacAddr::BROADCAST, 5678), &mndp::REQUEST);
    write(now, &meta(SERVER, MacAddr::BROADCAST, 5678), &announcement(SERVER).to_vec([0, 1, 0, 0]).unwrap());
    let ask = macping::Config {
        local: CLIENT,
        peer: SERVER,
        count: 1,
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        data_len: 38,
        token: 7,
    };
    let request = macping::Pinger::new(now, ask).poll_transmit(now).unwrap();
    write(now, &meta(CLIENT, SERVER, 20561), &request);
    write(now, &meta(SERVER, CLIENT, 20561), &macping::answer(SERVER, &request).unwrap().unwrap());

    for login in [LoginPolicy::EcSrp5, LoginPolicy::Md5] {
        let mut client = Client::new(now, config(SERVER, PASSWORD, login));
        let users = BTreeMap::from([(USER.to_owned(), Password::from(PASSWORD))]);
        let config = mactelnet::server::Config { macs: vec![SERVER], ..mactelnet::server::Config::default() };
        let mut server = Server::new(config, users);
        let mut shown = 0;
        while !client.is_over() {
            now += Duration::from_micros(100);
            client.handle_timeout(now);
            server.handle_timeout(now);
            while let Some(Transmit { meta, payload }) = client.poll_transmit(now) {
                write(now, &meta, &payload);
                server.handle_datagram(now, &meta, &payload);
            }
            while let Some(event) = server.poll_event() {
                match event.kind {
                    mactelnet::server::EventKind::Login { .. } => {
                        assert_eq!(server.write(now, event.session, &our_server::bulk(4000)), 4000);
                    }
                    mactelnet::server::EventKind::Data(typed) if typed.ends_with(b"exit\r") => {
                        server.close(now, event.session);
                    }
                    _ => {}
                }
            }
            while let Some(Transmit { meta, payload }) = server.poll_transmit(now) {
                write(now, &meta, &payload);
                client.handle_datagram(now, &meta, &payload);
            }
            while let Some(event) = client.poll_event() {
                if let mactelnet::client::Event::Data(data) = event {
                    shown += data.len();
                    if shown == 4000 {
                        client.resize(now, 132, 43);
                        assert_eq!(client.write(b"exit\r"), 5);
                    }
                }
            }
            assert!(now < Instant::from_millis(20_000), "a session without end");
        }
        assert_eq!(shown, 4000);
    }
    file.into_inner()
}

#[test]
fn wireshark_decodes_what_we_send() {
    if !available("wireshark_decodes_what_we_send", &["tshark"]) {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("ours.pcap");
    std::fs::write(&path, everything_we_send()).unwrap();
    let tshark = |arguments: &[&str]| {
        let mut command = std::process::Command::new("tshark");
        // Port 20561 is in the dissector's own table; nothing of the user's preferences is read.
        command.env("HOME", folder.path()).args(["-n", "-r", path.to_str().unwrap()]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let fields = |filter: &str, names: &[&str]| {
        let mut arguments = vec!["-Y", filter, "-T", "fields"];
        arguments.extend(names.iter().flat_map(|name| ["-e", name]));
        tshark(&arguments)
    };
    let wrong = tshark(&["-Y", "_ws.malformed or _ws.expert.severity >= 0x600000 or ip.checksum.status == 0"]);
    assert_eq!(wrong, "", "malformed, or found wrong");
    // The dissector knows no requests: four zero bytes are data to it.
    let all = tshark(&["-Y", "!(udp.port == 5678 and udp.length == 12)", "-T", "fields", "-e", "frame.protocols"]);
    let known = |line: &str| line.contains(":udp:mactelnet") || line.ends_with(":udp:mndp");
    assert!(all.lines().count() > 20 && all.lines().all(known), "{all}");

    let types = fields("mactelnet", &["mactelnet.type"]);
    for kind in ["0", "1", "2", "255"] {
        assert!(types.lines().any(|line| line == kind), "type {kind} in {types:?}");
    }
    let controls = fields("mactelnet.control", &["mactelnet.data_type"]);
    let named: BTreeSet<&str> = controls.split_whitespace().flat_map(|line| line.split(',')).collect();
    let sent = ["0x00", "0x01", "0x02", "0x03", "0x04", "0x05", "0x06", "0x09"];
    let missing: Vec<_> = sent.iter().filter(|kind| !named.contains(**kind)).collect();
    assert!(missing.is_empty(), "{missing:?} in {named:?}");
    let told = tshark(&["-V"]);
    for part in ["mtlab", "jumplead-lab", "7.18.2 (stable)", "CCR1009-7G-1C", "ABCD-EFGH", "ether8"] {
        assert!(told.contains(part), "{part}");
    }
}
