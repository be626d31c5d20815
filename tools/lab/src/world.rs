//! Nodes, hosts and switches on wires, under one clock.
//!
//! The world itself is a plain event queue with microsecond times: [`World::run_until`] runs it without any
//! runtime. [`World::drive`] ties it to tokio's clock, paused or real, for hosts that are tokio tasks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use mactelnet::faults::Faults;
use mactelnet::io::memory::MemoryLink;
use mactelnet::{Instant, MacAddr};
use tokio::sync::Notify;

use crate::host::Host;
use crate::node::Node;
use crate::switch::{Move, Speaker, Switch};
use crate::tap::{Direction, Tap};
use crate::wire::{CutAfter, End, HostId, NodeId, Plugs, SwitchId, Wire, WireId};

/// A cable of some metres and two transceivers.
pub const CABLE: Duration = Duration::from_micros(20);

/// A node that wants its timeout again at once gets it so much later, so that time passes.
const MIN_STEP: Duration = Duration::from_micros(1);
/// Rounds of link changes at one instant, against two nodes that answer each other for ever.
const MAX_SETTLE: usize = 1000;

enum Event {
    Frame { wire: WireId, epoch: u64, to: usize, frame: Vec<u8> },
    Cut(WireId),
}

struct Slot {
    name: String,
    node: Rc<RefCell<dyn Node>>,
    /// When it was last called, so that a timeout in the past doesn't stop time.
    called: Instant,
}

struct Inner {
    now: Instant,
    sequence: u64,
    queue: BTreeMap<(Instant, u64), Event>,
    nodes: Vec<Slot>,
    switches: Vec<Switch>,
    hosts: Vec<Host>,
    wires: Vec<Wire>,
    plugs: Plugs,
    seed: u64,
}

/// A world; clones are the same one.
#[derive(Clone)]
pub struct World {
    inner: Rc<RefCell<Inner>>,
    changed: Rc<Notify>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.inner.borrow();
        write!(f, "World({} nodes, {} wires, at {})", inner.nodes.len(), inner.wires.len(), inner.now)
    }
}

/// A node in a world, with its own type.
pub struct NodeHandle<N> {
    world: World,
    id: NodeId,
    node: Rc<RefCell<N>>,
}

impl<N> Clone for NodeHandle<N> {
    fn clone(&self) -> Self {
        Self { world: self.world.clone(), id: self.id, node: Rc::clone(&self.node) }
    }
}

impl<N> fmt::Debug for NodeHandle<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeHandle({})", self.id.0)
    }
}

impl<N: Node + 'static> NodeHandle<N> {
    /// Its name in the world.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The end of a wire at one of its ports.
    pub fn port(&self, port: usize) -> End {
        End::Node(self.id, port)
    }

    /// Does something to the node at the present time, and lets the world see what came of it.
    pub fn with<R>(&self, act: impl FnOnce(&mut N, Instant) -> R) -> R {
        let now = self.world.now();
        let result = act(&mut self.node.borrow_mut(), now);
        self.world.inner.borrow_mut().after_node(self.id);
        self.world.changed.notify_one();
        result
    }

    /// Takes something out of the node that changes nothing of its life.
    pub fn look_mut<R>(&self, look: impl FnOnce(&mut N) -> R) -> R {
        look(&mut self.node.borrow_mut())
    }

    /// Looks at the node.
    pub fn look<R>(&self, look: impl FnOnce(&N) -> R) -> R {
        look(&self.node.borrow())
    }
}

/// Controls of one wire.
#[derive(Clone)]
pub struct WireHandle {
    world: World,
    id: WireId,
}

impl fmt::Debug for WireHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WireHandle({})", self.id.0)
    }
}

impl WireHandle {
    fn with<R>(&self, act: impl FnOnce(&mut Wire) -> R) -> R {
        let mut inner = self.world.inner.borrow_mut();
        let result = act(&mut inner.wires[self.id.0]);
        inner.settle();
        drop(inner);
        self.world.changed.notify_one();
        result
    }

    /// Its name in the world.
    pub fn id(&self) -> WireId {
        self.id
    }

    /// Pulls the cable: both ends lose link, what is under way is lost.
    pub fn cut(&self) {
        self.with(Wire::cut);
    }

    /// Cuts by itself later.
    pub fn cut_after(&self, limit: CutAfter) {
        self.with(|wire| wire.cut_after(limit));
    }

    /// Plugs it in again, and makes it carry frames.
    pub fn restore(&self) {
        self.with(|wire| {
            wire.plugged = true;
            wire.deaf = false;
        });
    }

    /// Carries nothing from now on, while both ends keep link.
    pub fn go_deaf(&self) {
        self.with(|wire| wire.deaf = true);
    }

    /// Faults of one direction.
    pub fn set_faults(&self, direction: Direction, faults: Faults) {
        self.with(|wire| wire.faults[usize::from(direction == Direction::Backward)].set(faults));
    }

    /// Faults of both directions.
    pub fn set_all_faults(&self, faults: Faults) {
        self.with(|wire| wire.faults.iter_mut().for_each(|way| way.set(faults)));
    }

    /// One-way delay.
    pub fn set_latency(&self, latency: Duration) {
        self.with(|wire| wire.latency = latency);
    }

    /// Lets `tap` hear every frame that is put on it.
    pub fn tap(&self, tap: Tap) {
        self.with(|wire| wire.tap(tap));
    }

    /// Frames carried, duplicates counted twice: forward, backward.
    pub fn carried(&self) -> [u64; 2] {
        self.with(|wire| wire.carried)
    }

    /// Whether both ends have link.
    pub fn is_up(&self) -> bool {
        self.with(|wire| wire.told == [true; 2])
    }
}

impl World {
    /// An empty world at time zero; `seed` decides all faults.
    pub fn new(seed: u64) -> Self {
        let inner = Inner {
            now: Instant::ZERO,
            sequence: 0,
            queue: BTreeMap::new(),
            nodes: Vec::new(),
            switches: Vec::new(),
            hosts: Vec::new(),
            wires: Vec::new(),
            plugs: Plugs::new(),
            seed,
        };
        Self { inner: Rc::new(RefCell::new(inner)), changed: Rc::new(Notify::new()) }
    }

    /// The world's time.
    pub fn now(&self) -> Instant {
        self.inner.borrow().now
    }

    /// Puts a node into the world.
    pub fn add<N: Node + 'static>(&self, name: &str, node: N) -> NodeHandle<N> {
        let node = Rc::new(RefCell::new(node));
        let mut inner = self.inner.borrow_mut();
        let id = NodeId(inner.nodes.len());
        let called = inner.now;
        inner.nodes.push(Slot { name: name.to_owned(), node: node.clone(), called });
        inner.after_node(id);
        NodeHandle { world: self.clone(), id, node }
    }

    /// Puts a switch into the world; `forward_delay` is how long its ports listen before they forward.
    pub fn switch(&self, ports: usize, forward_delay: Duration) -> SwitchId {
        let mut inner = self.inner.borrow_mut();
        inner.switches.push(Switch::new(ports, forward_delay));
        SwitchId(inner.switches.len() - 1)
    }

    /// Puts a host into the world: its link, and where to plug its cable.
    pub fn host(&self, name: &str, mac: MacAddr) -> (End, MemoryLink) {
        let mut inner = self.inner.borrow_mut();
        let (host, link) = Host::new(name, mac);
        inner.hosts.push(host);
        (End::Host(HostId(inner.hosts.len() - 1)), link)
    }

    /// Lays a cable. An end that had another one loses that.
    pub fn connect(&self, a: End, b: End, latency: Duration) -> WireHandle {
        let mut inner = self.inner.borrow_mut();
        let id = WireId(inner.wires.len());
        // Wires differ by their number, and don't change with what else is in the world.
        let seed = inner.seed ^ (id.0 as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        inner.wires.push(Wire::new([a, b], latency, seed));
        for (index, end) in [a, b].into_iter().enumerate() {
            if let Some((old, _)) = inner.plugs.insert(end, (id, index)) {
                inner.wires[old.0].cut();
            }
        }
        inner.settle();
        drop(inner);
        self.changed.notify_one();
        WireHandle { world: self.clone(), id }
    }

    /// Who ever spoke at a switch.
    pub fn speakers(&self, switch: SwitchId) -> Vec<Speaker> {
        self.inner.borrow().switches[switch.0].speakers()
    }

    /// The same for people: one row for each port, MAC and address that spoke, and for how long.
    pub fn report(&self, switch: SwitchId) -> String {
        self.speakers(switch).iter().map(|speaker| format!("{speaker}\n")).collect()
    }

    /// Which MACs changed their port at a switch.
    pub fn moves(&self, switch: SwitchId) -> Vec<Move> {
        self.inner.borrow().switches[switch.0].moves()
    }

    /// Does what happens until `until`, in order, and sets the clock to it.
    pub fn run_until(&self, until: Instant) {
        let mut inner = self.inner.borrow_mut();
        inner.take_from_hosts();
        inner.run_until(until);
    }

    /// As [`World::run_until`], stopping as soon as `done`. Whether it was.
    pub fn run_until_done(&self, until: Instant, done: impl Fn() -> bool) -> bool {
        loop {
            if done() {
                return true;
            }
            let next = self.inner.borrow().next_event();
            match next {
                Some(at) if at <= until => self.run_until(at.max(self.now())),
                _ => {
                    self.run_until(until);
                    return done();
                }
            }
        }
    }

    /// When something happens next.
    pub fn next_event(&self) -> Option<Instant> {
        self.inner.borrow().next_event()
    }

    /// Runs the world along tokio's clock, `scale` times as fast, for ever. To be spawned on a `LocalSet`.
    pub async fn drive(self, scale: f64) {
        let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        let (origin, began) = (tokio::time::Instant::now(), self.now());
        loop {
            let now = began + origin.elapsed().mul_f64(scale);
            {
                let mut inner = self.inner.borrow_mut();
                inner.run_until(now);
                // What hosts have sent since the last turn, they sent now.
                inner.take_from_hosts();
                inner.run_until(now);
            }
            let wait = self.next_event().map(|at| at.saturating_since(began).div_f64(scale));
            // Beyond a day there is no difference between later and never.
            let deadline = origin + wait.unwrap_or(Duration::MAX).min(origin.elapsed() + Duration::from_secs(86_400));
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = self.host_sends() => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }
}

impl World {
    async fn host_sends(&self) {
        poll_fn(|cx| {
            let mut inner = self.inner.borrow_mut();
            let sends = inner.hosts.iter_mut().any(|host| host.poll_sends(cx));
            if sends { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Inner {
    fn push(&mut self, at: Instant, event: Event) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), event);
    }

    fn next_event(&self) -> Option<Instant> {
        let frame = self.queue.keys().next().map(|key| key.0);
        let due = self.nodes.iter().filter_map(Self::due).min();
        frame.into_iter().chain(due).min()
    }

    fn due(slot: &Slot) -> Option<Instant> {
        let at = slot.node.borrow().poll_timeout()?;
        Some(at.max(slot.called + MIN_STEP))
    }

    fn take_from_hosts(&mut self) {
        for host in 0..self.hosts.len() {
            while let Some(frame) = self.hosts[host].take() {
                self.transmit(End::Host(HostId(host)), frame);
            }
        }
    }

    fn run_until(&mut self, until: Instant) {
        loop {
            // Timers before frames of the same time, nodes in their order.
            let node = self.nodes.iter().enumerate().filter_map(|(i, slot)| Self::due(slot).map(|at| (at, i))).min();
            let frame = self.queue.keys().next().copied();
            match (node, frame) {
                (Some((at, index)), frame) if at <= until && frame.is_none_or(|(when, _)| at <= when) => {
                    self.now = self.now.max(at);
                    let now = self.now;
                    self.nodes[index].called = now;
                    let node = Rc::clone(&self.nodes[index].node);
                    node.borrow_mut().handle_timeout(now);
                    self.after_node(NodeId(index));
                }
                (_, Some(key)) if key.0 <= until => {
                    self.now = self.now.max(key.0);
                    if let Some(event) = self.queue.remove(&key) {
                        self.happen(event);
                    }
                }
                _ => {
                    self.now = self.now.max(until);
                    return;
                }
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Cut(wire) => {
                self.wires[wire.0].cut();
                self.settle();
            }
            Event::Frame { wire, epoch, to, frame } => {
                let wire = &self.wires[wire.0];
                if wire.epoch == epoch {
                    let end = wire.ends[to];
                    self.deliver(end, frame);
                }
            }
        }
    }

    fn deliver(&mut self, end: End, frame: Vec<u8>) {
        let now = self.now;
        match end {
            End::Node(id, port) => {
                self.nodes[id.0].called = now;
                let node = Rc::clone(&self.nodes[id.0].node);
                node.borrow_mut().handle_frame(now, port, &frame);
                self.after_node(id);
            }
            End::Switch(id, port) => {
                for to in self.switches[id.0].receive(now, port, &frame) {
                    self.transmit(End::Switch(id, to), frame.clone());
                }
            }
            End::Host(id) => self.hosts[id.0].give(frame),
        }
    }

    fn transmit(&mut self, from: End, frame: Vec<u8>) {
        let Some((id, index)) = self.plugs.get(&from).copied() else {
            return;
        };
        let now = self.now;
        let link = self.link_at(id, 1 - index) && self.link_at(id, index);
        let wire = &mut self.wires[id.0];
        let epoch = wire.epoch;
        let carried = wire.carry(now, index, &frame, link);
        for (at, frame) in carried.arrivals {
            self.push(at, Event::Frame { wire: id, epoch, to: 1 - index, frame });
        }
        if let Some(at) = carried.cut {
            self.push(at, Event::Cut(id));
        }
    }

    /// Takes what a node sends and tells others whether it drives its ports.
    fn after_node(&mut self, id: NodeId) {
        self.drain(id);
        self.settle();
    }

    fn drain(&mut self, id: NodeId) {
        loop {
            let next = self.nodes[id.0].node.borrow_mut().poll_transmit();
            let Some((port, frame)) = next else {
                return;
            };
            self.transmit(End::Node(id, port), frame);
        }
    }

    /// Whether end `index` of a wire sees link: the cable is there and the far end drives it.
    fn link_at(&self, wire: WireId, index: usize) -> bool {
        let wire = &self.wires[wire.0];
        let far = match wire.ends[1 - index] {
            End::Node(id, port) => self.nodes[id.0].node.borrow().carrier(port),
            End::Switch(..) | End::Host(_) => true,
        };
        wire.plugged && far
    }

    /// Tells every end whose link changed, until nothing changes any more.
    fn settle(&mut self) {
        for _ in 0..MAX_SETTLE {
            let mut change = None;
            for (id, wire) in self.wires.iter().enumerate() {
                // A wire that lost its place to another one says nothing about the port.
                let mine = |index: usize| self.plugs.get(&wire.ends[index]) == Some(&(WireId(id), index));
                let index = (0..2).find(|index| mine(*index) && wire.told[*index] != self.link_at(WireId(id), *index));
                if let Some(index) = index {
                    change = Some((id, index));
                    break;
                }
            }
            let Some((id, index)) = change else {
                return;
            };
            let up = self.link_at(WireId(id), index);
            self.wires[id].told[index] = up;
            let now = self.now;
            match self.wires[id].ends[index] {
                End::Node(node, port) => {
                    let slot = &self.nodes[node.0];
                    tracing::trace!(node = %slot.name, port, up, "link");
                    let node_ref = Rc::clone(&slot.node);
                    node_ref.borrow_mut().set_link(now, port, up);
                    self.drain(node);
                }
                End::Switch(switch, port) => self.switches[switch.0].set_link(now, port, up),
                End::Host(_) => {}
            }
        }
    }
}
