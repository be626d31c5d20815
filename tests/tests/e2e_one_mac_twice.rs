//! The real binary where one MAC address is two routers, where a router does not announce itself, and where the host may
//! not send raw frames; in network namespaces.

use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jumplead_tests::inside::inside;
use jumplead_tests::pair::Process;
use jumplead_tests::run::silent;
use jumplead_tests::terminal::Far;
use jumplead_tests::twins::{INTERFACE, MAC, Twins};
use lab::netns::available;
use mactelnet::MacAddr;
use mactelnet::io::Link as _;
use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::pcap::Reader;
use mactelnet::wire::frame::{Frame, Repr};
use mactelnet::wire::mndp;

/// A router whose questions for the terminal are not all answered waits ten seconds.
const STALL: Duration = Duration::from_secs(9);

const NAME: &str = ":put [/system identity get name]";

fn target() -> String {
    format!("mac://{MAC}%{INTERFACE}")
}

/// Runs a command on one of them alone.
fn on(twins: &Twins, router: &str, command: &str) -> String {
    for name in ["one", "two"] {
        twins.cable(name, name == router);
    }
    silent(twins.jumplead(&["exec", &target(), "--", command])).expect(0).out.trim().to_owned()
}

/// The console on a terminal.
fn console(twins: &Twins, target: &str) -> (Far, Process) {
    let screen = Far::new(None).sized(24, 80);
    let near = || screen.near().try_clone().unwrap();
    let mut command = twins.command(&["console", target]);
    command.stdin(near()).stdout(near()).stderr(near());
    let process = Process(command.spawn().unwrap());
    (screen, process)
}

/// A router whose questions are all answered does not wait the ten seconds that it gives them.
#[track_caller]
fn prompt(screen: &mut Far) {
    let took = screen.prompt();
    assert!(took < STALL, "{took:?}");
}

#[test]
fn of_two_routers_with_one_mac_neither_is_written_to() {
    if !available("of_two_routers_with_one_mac_neither_is_written_to", &["ip"]) {
        return;
    }
    let twins = Twins::new();
    twins.cable("two", true);
    let rename = ["exec", &target(), "--", "/system identity set name=WRITTEN"];
    let refused = silent(twins.jumplead(&rename)).refused(5, "mactelnet.mac.conflict");
    assert!(refused.err.contains("nothing was sent to either of them"), "{}", refused.err);
    assert!(refused.err.contains(&format!("jumplead discover --interface {INTERFACE}")), "{}", refused.err);

    // In a pipe nobody can be asked.
    let mut piped = twins.command(&["console", &target()]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may be over already.
    let _ = piped.stdin.take().unwrap().write_all(b"/system identity set name=WRITTEN\n");
    silent(piped.wait_with_output().unwrap().into()).refused(5, "mactelnet.mac.conflict");

    // A person is, and no is the answer unless they say otherwise.
    let (mut screen, mut process) = console(&twins, &target());
    screen.until("may be carried out by the wrong router");
    screen.until("[y/N] ");
    screen.say(b"\r");
    assert_eq!(process.0.wait().unwrap().code(), Some(5));
    let (mut screen, mut process) = console(&twins, &target());
    screen.until("[y/N] ");
    screen.say(b"y\r");
    prompt(&mut screen);
    screen.say(b":put (6 * 7)\r");
    screen.until("\n\r42");
    screen.say(b"\x1dq");
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
    assert_eq!([on(&twins, "one", NAME), on(&twins, "two", NAME)], ["ONE", "TWO"]);
}

/// One that takes no logins answers no START, but it announces itself; also beside a console that a site file led to.
#[test]
fn a_second_router_that_is_heard_beside_a_console_holds_the_keys() {
    if !available("a_second_router_that_is_heard_beside_a_console_holds_the_keys", &["ip"]) {
        return;
    }
    let twins = Twins::new();
    on(&twins, "two", "/tool mac-server set allowed-interface-list=none");
    twins.cable("one", true);
    for target in [target(), "edge-1/b".to_owned()] {
        let (mut screen, mut process) = console(&twins, &target);
        screen.until("announced by two different routers");
        screen.until("Ctrl-] q leaves.");
        screen.say(b"/system identity set name=WRITTEN\r");
        // Pressed by itself, after a moment; nothing of what was typed before it goes to the router later.
        std::thread::sleep(Duration::from_millis(500));
        screen.say(b"y");
        screen.until("going on");
        screen.say(b"\x1dq");
        assert_eq!(process.0.wait().unwrap().code(), Some(0), "{target}");
    }
    // A command can't be kept back any more; whoever gave it is told.
    let warned = silent(twins.jumplead(&["exec", "edge-1/b", "--", ":delay 5s; :put done"])).expect(0);
    assert!(warned.err.contains("announced by two different routers"), "{}", warned.err);
    // Nor is there anybody to press a key in a pipe: what is not typed yet stays where it is.
    let mut piped = twins.command(&["console", &target()]);
    let mut piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = ":delay 15s\n/system identity set name=WRITTEN\n";
    piped.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    silent(piped.wait_with_output().unwrap().into()).refused(5, "mactelnet.mac.conflict");
    assert_eq!(on(&twins, "one", NAME), "ONE");
}

/// `exec` finds the interface by asking the router itself, not by its announcements.
#[test]
fn a_router_that_announces_nothing_is_found_without_its_interface() {
    if !available("a_router_that_announces_nothing_is_found_without_its_interface", &["ip"]) {
        return;
    }
    let twins = Twins::new();
    let quiet = "/ip neighbor discovery-settings set discover-interface-list=none";
    silent(twins.jumplead(&["exec", &target(), "--", quiet])).expect(0);
    let heard = twins.jumplead(&["discover", "--for", "2s"]);
    assert!(!heard.out.contains(MAC), "it announces itself: {}", heard.out);
    let begun = Instant::now();
    let anywhere = format!("mac://{MAC}");
    let said = silent(twins.jumplead(&["exec", &anywhere, "--", NAME])).expect(0);
    assert_eq!(said.out.trim(), "ONE");
    assert!(begun.elapsed() < Duration::from_secs(3), "it was waited for: {:?}", begun.elapsed());
    let absent = silent(twins.jumplead(&["exec", "mac://74:4D:28:00:00:99", "--", NAME]));
    absent.refused(3, "mactelnet.connect.unheard");
}

/// Announces a router in VLAN 10, and another that has only marked its frames with a priority, out of this interface.
async fn tagged(interface: &str, stop: &AtomicBool) {
    let mut link = RawLink::open(interface, Capture::MacServices).unwrap();
    while !stop.load(Ordering::Relaxed) {
        for (name, tag, last) in [("IN-VLAN-10", [0x81, 0, 0, 10], 1), ("PRIORITY-7", [0x81, 0, 0xe0, 0], 2)] {
            let mac = MacAddr([2, 9, 9, 9, 9, last]);
            let said =
                mndp::Announcement { mac: Some(mac), identity: Some(name.into()), ..mndp::Announcement::default() };
            let payload = said.to_vec([0; 4]).unwrap();
            let mut frame = Repr::new(mac, MacAddr::BROADCAST, mndp::PORT, mndp::PORT, 1).to_vec(&payload).unwrap();
            frame.splice(12..12, tag);
            link.send(&frame).unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Where the cable is a port of the host's own bridge, every frame is seen on both: that is one router all the same. And
/// what comes with a VLAN's tag is none of the interface's, though the kernel shows it there without the tag.
#[test]
fn a_router_behind_a_bridge_of_the_host_is_one() {
    if !available("a_router_behind_a_bridge_of_the_host_is_one", &["ip"]) {
        return;
    }
    let twins = Twins::new();
    for words in ["add br9 type bridge", "set h0 master br9", "set br9 up"] {
        let words: Vec<&str> = ["link"].into_iter().chain(words.split(' ')).collect();
        twins.host().run("ip", &words).unwrap();
    }
    let stop = AtomicBool::new(false);
    let heard = std::thread::scope(|scope| {
        scope.spawn(|| inside(twins.switch(), || tagged("nowhere", &stop)));
        let heard = twins.jumplead(&["discover", "--for", "4s"]);
        stop.store(true, Ordering::Relaxed);
        silent(heard).expect(0)
    });
    assert!(heard.out.contains("PRIORITY-7") && !heard.out.contains("IN-VLAN-10"), "{}", heard.out);
    assert!(heard.out.contains(MAC) && heard.out.contains("br9") && !heard.out.contains("h0"), "{}", heard.out);
    assert!(!heard.err.contains("h0") && !heard.err.contains("warning"), "{}", heard.err);
    let anywhere = format!("mac://{MAC}");
    let said = silent(twins.jumplead(&["exec", &anywhere, "--", ":delay 5s; :put done"])).expect(0);
    assert_eq!((said.out.trim(), said.err.contains("heard")), ("done", false), "{}", said.err);
    let planned = silent(twins.jumplead(&["bootstrap", "edge-1", "--plan-only"]));
    assert!(!planned.err.contains("mactelnet.mac.conflict"), "{}", planned.err);
    // A name that somebody gives is taken, whatever it is.
    for interface in [INTERFACE, "br9"] {
        let there = format!("mac://{MAC}%{interface}");
        let said = silent(twins.jumplead(&["exec", &there, "--", NAME])).expect(0);
        assert_eq!(said.out.trim(), "ONE", "{interface}");
        let heard = silent(twins.jumplead(&["discover", "--interface", interface, "--for", "4s"])).expect(0);
        assert!(heard.out.contains(MAC), "{interface}: {}", heard.out);
    }
}

/// Nothing that writes for sure, nothing that must see Ethernet addresses, and nothing where the host may drop answers.
#[test]
fn a_host_without_the_right_to_raw_frames_talks_by_udp() {
    if !available("a_host_without_the_right_to_raw_frames_talks_by_udp", &["ip", "setpriv"]) {
        return;
    }
    let twins = Twins::new();
    let raw = silent(twins.unprivileged(false, &["exec", &target(), "--", NAME]));
    let raw = raw.refused(11, "host.right.cap-net-raw");
    assert!(raw.err.contains("--link udp"), "{}", raw.err);
    let said = silent(twins.unprivileged(false, &["--link", "udp", "exec", &target(), "--", NAME])).expect(0);
    assert_eq!(said.out.trim(), "ONE");
    let heard = twins.unprivileged(false, &["--link", "udp", "discover", "--interface", INTERFACE, "--for", "4s"]);
    assert!(heard.expect(0).out.contains(MAC));

    let filtered = ["--link", "udp", "exec", &target(), "--", NAME];
    let filtered = silent(twins.unprivileged(true, &filtered)).refused(11, "host.link.rp-filter");
    assert!(filtered.err.contains(&format!("sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.{INTERFACE}")));
    twins.unprivileged(false, &["--link", "udp", "ping", &target()]).refused(2, "usage.link");
    twins.unprivileged(false, &["--link", "udp", "recover", &target()]).refused(2, "usage.link");
    let bootstrap = ["--link", "udp", "bootstrap", "edge-1", "--plan-only"];
    twins.unprivileged(false, &bootstrap).refused(2, "usage.link");

    // `doctor` says the same of the host before anybody needs it.
    let well = twins.jumplead(&["doctor"]).expect(0);
    assert!(well.out.lines().any(|line| line.starts_with("ok    raw-frames ")), "{}", well.out);
    assert!(well.out.contains(&format!("{INTERFACE} ")), "{}", well.out);
    let lacking = twins.unprivileged(true, &["doctor"]).refused(11, "doctor.raw-frames");
    assert!(lacking.out.lines().any(|line| line.starts_with("fail  raw-frames ")), "{}", lacking.out);
    assert!(lacking.out.contains("rp_filter is on") && lacking.err.contains("sudo setcap cap_net_raw+ep "));
    let said = twins.unprivileged(false, &["doctor", "--json"]);
    let lines: Vec<serde_json::Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let raw = lines[0]["data"]["checks"].as_array().unwrap().iter().find(|check| check["check"] == "raw-frames");
    assert_eq!(raw.unwrap()["verdict"], "fail", "{}", said.out);
    // One object, also of a failure.
    assert_eq!((said.code, lines.len(), lines[0]["error"]["code"].as_str()), (Some(11), 1, Some("doctor.raw-frames")));
}

#[test]
fn what_passes_is_captured_without_what_is_typed() {
    if !available("what_passes_is_captured_without_what_is_typed", &["ip"]) {
        return;
    }
    let twins = Twins::new();
    let file = twins.folder().join("session.pcap");
    let path = file.to_str().unwrap();
    let command = ":put (\"typed-\" . \"and-shown\")";
    let said = silent(twins.jumplead(&["--pcap", path, "exec", &target(), "--", command])).expect(0);
    assert_eq!(said.out.trim(), "typed-and-shown");
    let bytes = std::fs::read(&file).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    for secret in ["typed-", "and-shown"] {
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is in the capture");
    }
    let records: Vec<_> = Reader::new(&bytes[..]).unwrap().map(Result::unwrap).collect();
    let ours = MAC.parse().unwrap();
    let from = |router: bool| {
        records.iter().filter(|record| (Frame::new_checked(&record.frame).unwrap().src_mac() == ours) == router).count()
    };
    assert!(from(true) > 5 && from(false) > 5, "{} of the router, {} of ours", from(true), from(false));
    twins.jumplead(&["--pcap", "/nowhere/x.pcap", "exec", &target(), "--", NAME]).refused(2, "usage.pcap");
}
