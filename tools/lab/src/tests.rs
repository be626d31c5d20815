//! Worlds of the simplest nodes.

use std::collections::VecDeque;
use std::time::Duration;

use mactelnet::Instant;

use super::*;

/// Sends every frame back by its port, a millisecond later, and notes what came.
#[derive(Default)]
struct Echo {
    waiting: VecDeque<(Instant, usize, Vec<u8>)>,
    out: VecDeque<(usize, Vec<u8>)>,
    heard: Vec<(Instant, Vec<u8>)>,
    links: Vec<(Instant, usize, bool)>,
    dark: bool,
}

impl Node for Echo {
    fn handle_frame(&mut self, now: Instant, port: usize, frame: &[u8]) {
        self.heard.push((now, frame.to_vec()));
        self.waiting.push_back((now + Duration::from_millis(1), port, frame.to_vec()));
    }

    fn set_link(&mut self, now: Instant, port: usize, up: bool) {
        self.links.push((now, port, up));
    }

    fn handle_timeout(&mut self, now: Instant) {
        while let Some((_, port, frame)) = self.waiting.pop_front_if(|(at, ..)| *at <= now) {
            self.out.push_back((port, frame));
        }
    }

    fn poll_transmit(&mut self) -> Option<(usize, Vec<u8>)> {
        self.out.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.waiting.front().map(|(at, ..)| *at)
    }

    fn carrier(&self, _port: usize) -> bool {
        !self.dark
    }
}

fn frame(number: u8) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xB5];
    bytes.push(number);
    bytes
}

fn setup() -> (World, NodeHandle<Echo>, HostPort, WireHandle) {
    let world = World::new(1);
    let echo = world.add("echo", Echo::default());
    let (host, port) = world.host();
    let wire = world.connect(End::Host(host), echo.port(0), Duration::from_millis(2));
    (world, echo, port, wire)
}

#[test]
fn frames_take_their_time() {
    let (world, echo, port, wire) = setup();
    port.send(frame(1));
    world.run_until(Instant::from_millis(10));
    assert_eq!(echo.look(|echo| echo.heard.clone()), [(Instant::from_millis(2), frame(1))]);
    assert_eq!(port.try_recv(), Some((Instant::from_millis(5), frame(1))));
    assert_eq!(port.try_recv(), None);
    assert_eq!(wire.carried(), [1, 1]);
    assert_eq!(echo.look(|echo| echo.links.clone()), [(Instant::ZERO, 0, true)]);
}

#[test]
fn a_cut_loses_what_is_under_way_and_tells_both_ends() {
    let (world, echo, port, wire) = setup();
    let tap = Tap::new();
    wire.tap(tap.clone());
    port.send(frame(1));
    world.run_until(Instant::from_millis(1));
    wire.cut();
    world.run_until(Instant::from_millis(5));
    assert!(echo.look(|echo| echo.heard.is_empty()) && !wire.is_up());
    port.send(frame(2));
    world.run_until(Instant::from_millis(10));
    wire.restore();
    port.send(frame(3));
    world.run_until(Instant::from_millis(20));
    assert_eq!(echo.look(|echo| echo.heard.clone()), [(Instant::from_millis(12), frame(3))]);
    let links = [(Instant::ZERO, 0, true), (Instant::from_millis(1), 0, false), (Instant::from_millis(10), 0, true)];
    assert_eq!(echo.look(|echo| echo.links.clone()), links);
    let carried: Vec<bool> = tap.frames().iter().map(|tapped| tapped.carried).collect();
    assert_eq!(carried, [true, false, true, true]);
}

#[test]
fn a_wire_cuts_itself_after_a_count() {
    for (limit, heard) in [(CutAfter::Frames(3), 3), (CutAfter::Bytes(2 * 15 + 14), 2)] {
        let (world, echo, port, wire) = setup();
        wire.cut_after(limit);
        for number in 0..6 {
            port.send(frame(number));
        }
        world.run_until(Instant::from_millis(50));
        assert_eq!(echo.look(|echo| echo.heard.len()), heard, "{limit:?}");
        assert!(!wire.is_up() && port.try_recv().is_none());
    }
}

#[test]
fn a_dark_port_takes_the_link_away() {
    let world = World::new(1);
    let (one, two) = (world.add("one", Echo::default()), world.add("two", Echo::default()));
    let wire = world.connect(one.port(0), two.port(3), CABLE);
    assert!(wire.is_up());
    world.run_until(Instant::from_millis(1));
    one.with(|node, _| node.dark = true);
    assert_eq!(two.look(|node| node.links.last().copied()), Some((Instant::from_millis(1), 3, false)));
    assert!(!wire.is_up());
    one.with(|node, _| node.dark = false);
    assert!(wire.is_up());
}

#[test]
fn faults_repeat_with_the_seed() {
    let run = |seed| {
        let world = World::new(seed);
        let echo = world.add("echo", Echo::default());
        let (host, port) = world.host();
        let wire = world.connect(End::Host(host), echo.port(0), CABLE);
        let jitter = Duration::from_millis(1);
        wire.set_all_faults(Faults { loss: 200, duplicate: 100, reorder: 100, corrupt: 50, jitter });
        for number in 0..200 {
            port.send(frame(number));
            world.run_until(world.now() + Duration::from_millis(1));
        }
        world.run_until(world.now() + Duration::from_secs(1));
        let mut back = Vec::new();
        while let Some(frame) = port.try_recv() {
            back.push(frame);
        }
        (echo.look(|echo| echo.heard.clone()), back)
    };
    let first = run(3);
    assert_eq!(first, run(3));
    assert_ne!(first, run(4));
    let numbers: Vec<u8> = first.0.iter().filter_map(|(_, frame)| frame.last().copied()).collect();
    assert!(numbers.len() > 120 && numbers.len() < 220);
    assert!(numbers.windows(2).any(|pair| pair[0] > pair[1]), "something was overtaken");
}

#[test]
fn a_switch_joins_and_witnesses() {
    let world = World::new(1);
    let switch = world.switch(3, Duration::ZERO);
    let echo = world.add("echo", Echo::default());
    let (host, port) = world.host();
    world.connect(End::Host(host), End::Switch(switch, 0), CABLE);
    world.connect(echo.port(0), End::Switch(switch, 2), CABLE);
    port.send(frame(1));
    world.run_until(Instant::from_millis(10));
    // The echo comes back with the host's own MAC as its source: a move, and the destination isn't there.
    assert_eq!(echo.look(|echo| echo.heard.len()), 1);
    assert_eq!(world.speakers(switch).len(), 2);
    assert_eq!(world.moves(switch).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_world_runs_along_a_paused_clock() {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let (world, _echo, port, _wire) = setup();
            let driver = tokio::task::spawn_local(world.clone().drive(1.0));
            tokio::time::sleep(Duration::from_secs(600)).await;
            let began = tokio::time::Instant::now();
            port.send(frame(7));
            let (at, bytes) = port.recv().await;
            assert_eq!(bytes, frame(7));
            assert_eq!(at, Instant::from_millis(600_005));
            assert!(began.elapsed() <= Duration::from_millis(7), "{:?}", began.elapsed());
            driver.abort();
        })
        .await;
}
