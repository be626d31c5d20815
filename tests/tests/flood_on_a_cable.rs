//! The real binary in a session while garbage comes over the same cable, 100,000 frames a second. In network namespaces, as
//! root; skipped aloud otherwise, and with `CI=true` a skip is a failure.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jumplead_tests::binary::{self, Ended};
use jumplead_tests::inside::inside;
use jumplead_tests::router_process::{MAC, PASSWORD, PATIENCE, Plan, Rig, text};
use lab::netns::available;
use mactelnet::MacAddr;
use mactelnet::io::Link as _;
use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::rng::SeededRng;
use mactelnet::wire::frame;
use mactelnet::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction, PORT, PacketType, Repr};

/// What is claimed, in frames a second, and what is sent so that it is reached beside others at work.
const CLAIMED: f64 = 100_000.0;
const SENT: f64 = 130_000.0;
/// A busy machine may be too slow to send as many; the session has to be right each time.
const TRIES: usize = 5;

/// Half of it is other traffic, half is as good as the router's own packets but for key and counter.
fn garbage(router: MacAddr, host: MacAddr) -> Vec<Vec<u8>> {
    let mut rng = SeededRng::new(&[5; 32], "garbage");
    let mut frames = Vec::new();
    for kind in [PacketType::Data, PacketType::Ack].into_iter().cycle().take(256) {
        let noise = rng.bytes::<60>();
        let mut foreign = [host.octets().as_slice(), router.octets().as_slice(), &noise[..48]].concat();
        // IPv4 and UDP to another port, or no IPv4 at all.
        if noise[50] & 1 == 0 {
            foreign = frame::Repr::new(router, host, 53, 53, 1).to_vec(&noise).unwrap();
        } else {
            foreign[12..14].copy_from_slice(&0x86dd_u16.to_be_bytes());
        }
        frames.push(foreign);
        let packet = Repr {
            kind,
            direction: Direction::ToClient,
            src: router,
            dst: host,
            session_key: u16::from_be_bytes([noise[51], noise[52]]),
            client_type: CLIENT_TYPE_MAC_TELNET,
            counter: u32::from_be_bytes([noise[53], noise[54], noise[55], noise[56]]),
        };
        let alike = packet.to_vec(if kind == PacketType::Data { &noise[..20] } else { &[] });
        frames.push(frame::Repr::new(router, host, PORT, PORT, 1).to_vec(&alike).unwrap());
    }
    frames
}

/// Sends it out of the router's port until told to stop.
async fn flood(frames: &[Vec<u8>], stop: &AtomicBool) {
    let mut link = RawLink::open("r8", Capture::MacServices).unwrap();
    let (began, mut sent) = (Instant::now(), 0.0);
    let mut next = frames.iter().cycle();
    while !stop.load(Ordering::Relaxed) {
        let due = began.elapsed().as_secs_f64() * SENT;
        while sent < due && !stop.load(Ordering::Relaxed) {
            link.send(next.next().unwrap()).unwrap();
            sent += 1.0;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// Frames that have arrived at the host's port, as its own counter says.
fn arrived(rig: &Rig) -> f64 {
    text(&rig.run("cat", &["/sys/class/net/h0/statistics/rx_packets"])).trim().parse().unwrap()
}

fn exec(rig: &Rig, command: &str) -> Ended {
    let mut exec: Command = rig.command(binary::jumplead().to_str().unwrap());
    exec.args(["exec", &format!("mac://{MAC}%h0"), "--timeout", "60s", "--", command]);
    binary::isolate(&mut exec, rig.folder.path());
    exec.env("JUMPLEAD_PASSWORD", PASSWORD).output().unwrap().into()
}

#[test]
fn a_session_is_exact_beside_100_000_frames_of_garbage_a_second() {
    if !available("a_session_is_exact_beside_100_000_frames_of_garbage_a_second", &["ip"]) {
        return;
    }
    let rig = Plan::new("7.18.2").start();
    let host: MacAddr = text(&rig.run("cat", &["/sys/class/net/h0/address"])).trim().parse().unwrap();
    let frames = garbage(MAC.parse().unwrap(), host);
    let command = ":for i from=1 to=600 do={:put (\"line \" . $i . \" of what must come whole and in order\")}";
    let expected: String = (1..=600).map(|i| format!("line {i} of what must come whole and in order\n")).collect();
    let session = || {
        let (began, before) = (Instant::now(), arrived(&rig));
        let ended = exec(&rig, command).expect(0);
        assert!(ended.out == expected, "{}\n{}", ended.out, ended.err);
        let took = began.elapsed();
        (took, (arrived(&rig) - before) / took.as_secs_f64())
    };
    let (quiet, _) = session();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| inside(&rig.namespace, || flood(&frames, &stop)));
        // Whatever goes wrong, the flood ends with the test.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let until = Instant::now() + PATIENCE;
            while arrived(&rig) < CLAIMED {
                assert!(Instant::now() < until, "nothing is sent");
                std::thread::sleep(Duration::from_millis(50));
            }
            let mut rates = Vec::new();
            while rates.len() < TRIES && !rates.iter().any(|rate| *rate >= CLAIMED) {
                let (took, rate) = session();
                println!("{} bytes in {took:?} beside {rate:.0} frames a second; {quiet:?} without", expected.len());
                rates.push(rate);
            }
            assert!(rates.iter().any(|rate| *rate >= CLAIMED), "no try had {CLAIMED} frames a second: {rates:.0?}");
        }));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = ended {
            std::panic::resume_unwind(panic);
        }
    });
}
