//! Worlds of the simplest nodes.

use std::collections::VecDeque;
use std::time::Duration;

use std::task::{Context, Poll, Waker};

use mactelnet::io::Link;
use mactelnet::io::link;
use mactelnet::io::memory::MemoryLink;
use mactelnet::{Instant, MacAddr};

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

const HOST: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

fn try_recv(link: &mut MemoryLink) -> Option<Vec<u8>> {
    let mut frame = Vec::new();
    match link.poll_recv(&mut Context::from_waker(Waker::noop()), &mut frame) {
        Poll::Ready(result) => result.ok().map(|()| frame),
        Poll::Pending => None,
    }
}

fn send(link: &mut MemoryLink, number: u8) {
    link.send(&frame(number)).unwrap();
}

fn setup() -> (World, NodeHandle<Echo>, MemoryLink, WireHandle) {
    let world = World::new(1);
    let echo = world.add("echo", Echo::default());
    let (host, port) = world.host("host", HOST);
    let wire = world.connect(host, echo.port(0), Duration::from_millis(2));
    (world, echo, port, wire)
}

#[test]
fn frames_take_their_time() {
    let (world, echo, mut port, wire) = setup();
    send(&mut port, 1);
    world.run_until(Instant::from_micros(4_999));
    assert_eq!(echo.look(|echo| echo.heard.clone()), [(Instant::from_millis(2), frame(1))]);
    assert_eq!(try_recv(&mut port), None);
    world.run_until(Instant::from_millis(5));
    assert_eq!(try_recv(&mut port), Some(frame(1)));
    assert_eq!(wire.carried(), [1, 1]);
    assert_eq!(echo.look(|echo| echo.links.clone()), [(Instant::ZERO, 0, true)]);
}

#[test]
fn a_cut_loses_what_is_under_way_and_tells_both_ends() {
    let (world, echo, mut port, wire) = setup();
    let tap = Tap::new();
    wire.tap(tap.clone());
    send(&mut port, 1);
    world.run_until(Instant::from_millis(1));
    wire.cut();
    world.run_until(Instant::from_millis(5));
    assert!(echo.look(|echo| echo.heard.is_empty()) && !wire.is_up());
    send(&mut port, 2);
    world.run_until(Instant::from_millis(10));
    wire.restore();
    send(&mut port, 3);
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
        let (world, echo, mut port, wire) = setup();
        wire.cut_after(limit);
        for number in 0..6 {
            send(&mut port, number);
        }
        world.run_until(Instant::from_millis(50));
        assert_eq!(echo.look(|echo| echo.heard.len()), heard, "{limit:?}");
        assert!(!wire.is_up() && try_recv(&mut port).is_none());
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
        let (host, mut port) = world.host("host", HOST);
        let wire = world.connect(host, echo.port(0), CABLE);
        let jitter = Duration::from_millis(1);
        wire.set_all_faults(Faults {
            loss: 20.0,
            duplication: 10.0,
            reordering: 10.0,
            corruption: 5.0,
            jitter,
            hold: Duration::from_millis(3),
            ..Faults::default()
        });
        for number in 0..200 {
            send(&mut port, number);
            world.run_until(world.now() + Duration::from_millis(1));
        }
        world.run_until(world.now() + Duration::from_secs(1));
        let mut back = Vec::new();
        while let Some(frame) = try_recv(&mut port) {
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
    let (host, mut port) = world.host("host", HOST);
    world.connect(host, End::Switch(switch, 0), CABLE);
    world.connect(echo.port(0), End::Switch(switch, 2), CABLE);
    send(&mut port, 1);
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
            let (world, _echo, mut port, _wire) = setup();
            let driver = tokio::task::spawn_local(world.clone().drive(1.0));
            tokio::time::sleep(Duration::from_secs(600)).await;
            let began = tokio::time::Instant::now();
            send(&mut port, 7);
            let mut bytes = Vec::new();
            link::recv(&mut port, &mut bytes).await.unwrap();
            assert_eq!(bytes, frame(7));
            assert!((5..=7).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
            driver.abort();
        })
        .await;
}
