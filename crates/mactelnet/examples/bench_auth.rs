//! What a login and a frame cost, in CPU time: `cargo run --release -p mactelnet --example bench_auth`.
//!
//! Prints one line for each figure: name, value, unit, goal. The clock is the wall's; the least of several batches is
//! taken, which is what the work itself costs on a machine that does other things too.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark reads a clock and prints")]

use std::hint::black_box;
use std::time::Instant;

use mactelnet::MacAddr;
use mactelnet::auth::{Client, Password, Server, Verifier, curve};
use mactelnet::wire::packet::{CLIENT_TYPE_MAC_TELNET, Direction, PacketType, Repr};
use mactelnet::wire::{Frame, Packet, frame};

const BATCHES: usize = 15;

/// Nanoseconds that one call takes.
fn cost<T>(calls: u32, mut call: impl FnMut() -> T) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..BATCHES {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(call());
        }
        least = least.min(start.elapsed().as_secs_f64());
    }
    least * 1e9 / f64::from(calls)
}

fn line(name: &str, value: f64, unit: &str, goal: &str) {
    println!("{name:<44} {value:>9.3} {unit:<3} {goal}");
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let password = Password::from("correct horse battery staple");
    let verifier = Verifier::new(b"admin", &password, &[3; 16]);
    let server = Server::new(&verifier, &[1; 32])?;
    let (key, salt) = (server.public_key(), [3; 16]);

    let handshake = cost(50, || {
        let client = Client::new(black_box(&[2; 32]));
        client.prove(b"admin", &password, &key, &salt)
    });
    let m = [7; 32];
    let hash = cost(50, || curve::hash_to_point(black_box(&m), true));
    let point = curve::hash_to_point(&m, true);
    let x = curve::encode_x(&point);
    // One try and the lift are part of any implementation; the rest is the price of a fixed number of tries.
    let lift = cost(50, || curve::lift(black_box(&x), true));
    line("ec-srp5 client, group arithmetic", (handshake - hash + lift) / 1e6, "ms", "goal 0.25");
    line("ec-srp5 client, all, fixed tries", handshake / 1e6, "ms", "goal 0.8");
    line("ec-srp5 hash to point, fixed tries", hash / 1e6, "ms", "");
    let client = Client::new(&[2; 32]);
    let proof = client.prove(b"admin", &password, &key, &salt)?;
    let serve = cost(50, || {
        let server = Server::new(&verifier, black_box(&[1; 32]))?;
        server.verify(&client.public_key(), &proof)
    });
    line("ec-srp5 server, all, fixed tries", serve / 1e6, "ms", "");

    let (a, b) = (MacAddr([2, 0, 0, 0, 0, 1]), MacAddr([2, 0, 0, 0, 0, 2]));
    let repr = Repr {
        kind: PacketType::Data,
        direction: Direction::ToServer,
        src: a,
        dst: b,
        session_key: 0x1234,
        client_type: CLIENT_TYPE_MAC_TELNET,
        counter: 77,
    };
    for len in [0, 64, 1024] {
        let payload = repr.to_vec(&vec![b'x'; len]);
        let bytes = frame::Repr::new(a, b, 20561, 20561, 1).to_vec(&payload)?;
        let parse = cost(100_000, || {
            let frame = Frame::new_checked(black_box(&bytes)).ok()?;
            let packet = Packet::new_checked(frame.payload()).ok()?;
            Some((
                Repr::from_packet(&packet, Direction::ToServer),
                packet.data().len(),
                frame.src_mac(),
                frame.dst_port(),
            ))
        });
        line(&format!("frame and packet of {len} data bytes, parsed"), parse, "ns", "goal 100");
        let mut out = Vec::with_capacity(2048);
        let mut inner = Vec::with_capacity(2048);
        let data = vec![b'x'; len];
        let emit = cost(100_000, || {
            out.clear();
            inner.clear();
            repr.emit(black_box(&data), &mut inner);
            frame::Repr::new(a, b, 20561, 20561, 1).emit(&inner, &mut out)
        });
        line(&format!("frame and packet of {len} data bytes, made"), emit, "ns", "");
    }
    Ok(())
}
