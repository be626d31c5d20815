//! The standard pair: A active with HA scripts, B fresh from the shelf, a host that looks on.

use std::time::Duration;

use mactelnet::io::memory::MemoryLink;
use mactelnet::{Instant, MacAddr};
use routersim::record::{Event, Phase};
use routersim::router::Router;
use routersim::spec::{Spec, SpecError};

use crate::wire::{End, SwitchId};
use crate::world::{CABLE, NodeHandle, WireHandle, World};

/// Where the host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Topology {
    /// On A's first port; A.ether8 and B.ether8 have a cable of their own. The road to B is `via:a`.
    #[default]
    BehindA,
    /// On the HA segment, a small switch between both routers' HA ports. The road to B is `mac://`.
    OnSegment,
}

/// What pair to build.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Seed of everything: routers, wires.
    pub seed: u64,
    /// Where the host is.
    pub topology: Topology,
    /// Router A on arrival. Its `setup` is what makes it active: the HA scripts, its port's address and all.
    pub a: Spec,
    /// Router B on arrival.
    pub b: Spec,
    /// Default-name of the HA port on both.
    pub ha_port: String,
    /// Default-names of the ports of both that are cabled to the data switch.
    pub data_ports: Vec<String>,
    /// How long the data switch's ports listen before they forward: zero is an edge port.
    pub forward_delay: Duration,
    /// MAC of the host's interface.
    pub host_mac: MacAddr,
}

/// Commands of somebody's earlier use: what makes a second-hand B dirty.
const DIRTY: &str = "/system identity set name=branch-office-7
/interface bridge add name=lan
/interface bridge port add bridge=lan interface=ether3
/ip address add address=192.168.50.1/24 interface=lan
/ip address add address=203.0.113.9/30 interface=ether1
/ip route add gateway=203.0.113.10
/system script add name=nightly source=\":log info nightly\"
/system scheduler add name=nightly on-event=nightly interval=1d
";

/// Commands that make the standard A an active that is in use: a name, addresses, what `installed` adds, and a password.
pub fn active_setup(installed: &str, admin_password: &str) -> String {
    format!(
        "/system identity set name=edge-1\n/ip address add address=192.0.2.11/24 interface=ether1\n\
         /ip address add address=198.51.100.1/24 interface=ether2\n{installed}/user set [find name=admin] password=\"{admin_password}\"\n"
    )
}

impl Settings {
    /// The standard pair: two CCR1009, B erased. `installed` are the commands that leave A installed.
    pub fn standard(seed: u64, installed: &str) -> Self {
        let mut a = Spec::pair_a();
        a.setup.push_str(installed);
        Self {
            seed,
            topology: Topology::default(),
            a,
            b: Spec::pair_b(),
            ha_port: "ether8".to_owned(),
            data_ports: vec!["ether2".to_owned()],
            forward_delay: Duration::ZERO,
            host_mac: MacAddr([0x02, 0, 0, 0, 0, 0x77]),
        }
    }

    /// As [`Settings::standard`], with a B that was used before.
    pub fn dirty(seed: u64, installed: &str) -> Self {
        let mut settings = Self::standard(seed, installed);
        settings.b.setup.push_str(DIRTY);
        settings
    }
}

/// A pair in its world. The routers are off: [`Pair::power_on`].
#[derive(Debug)]
pub struct Pair {
    /// The world.
    pub world: World,
    /// Router A.
    pub a: NodeHandle<Router>,
    /// Router B.
    pub b: NodeHandle<Router>,
    /// The cable between the HA ports, or that of A to the HA segment's switch.
    pub ha_wire: WireHandle,
    /// The cable of B's HA port to the HA segment's switch; the same as `ha_wire` where there is one cable.
    pub ha_wire_b: WireHandle,
    /// The host's cable.
    pub host_wire: WireHandle,
    /// The switch on the data ports: first A's, then B's.
    pub data_switch: SwitchId,
    /// The cables of A and B to it, for each of the data ports.
    pub data_wires: Vec<[WireHandle; 2]>,
}

/// A port that the board doesn't have.
fn port(spec: &Spec, name: &str) -> Result<usize, SpecError> {
    let found = spec.port_macs().iter().position(|(own, _)| own == name);
    found.ok_or_else(|| SpecError::UnknownPort { board: spec.board.clone(), port: name.to_owned() })
}

impl Pair {
    /// Lays out the pair and its cables; the host's link is the second part.
    ///
    /// # Errors
    /// A specification makes no router, or lacks a port that is to be cabled.
    pub fn new(settings: &Settings) -> Result<(Self, MemoryLink), SpecError> {
        let world = World::new(settings.seed);
        let ha = [port(&settings.a, &settings.ha_port)?, port(&settings.b, &settings.ha_port)?];
        let mut data = Vec::new();
        for name in &settings.data_ports {
            data.push([port(&settings.a, name)?, port(&settings.b, name)?]);
        }
        let a = world.add("A", Router::new(settings.a.clone(), settings.seed)?);
        let b = world.add("B", Router::new(settings.b.clone(), settings.seed ^ 0x5EED_000B)?);
        let (host, link) = world.host("host", settings.host_mac);
        let (ha_wire, ha_wire_b, host_wire) = match settings.topology {
            Topology::BehindA => {
                let wire = world.connect(a.port(ha[0]), b.port(ha[1]), CABLE);
                (wire.clone(), wire, world.connect(host, a.port(0), CABLE))
            }
            Topology::OnSegment => {
                let segment = world.switch(3, Duration::ZERO);
                let plug = |end: End, number: usize| world.connect(end, End::Switch(segment, number), CABLE);
                (plug(a.port(ha[0]), 0), plug(b.port(ha[1]), 1), plug(host, 2))
            }
        };
        let data_switch = world.switch(data.len() * 2, settings.forward_delay);
        let plug = |end: End, number: usize| world.connect(end, End::Switch(data_switch, number), CABLE);
        let wires = |(number, ports): (usize, &[usize; 2])| {
            [plug(a.port(ports[0]), number), plug(b.port(ports[1]), data.len() + number)]
        };
        let data_wires = data.iter().enumerate().map(wires).collect();
        Ok((Self { world, a, b, ha_wire, ha_wire_b, host_wire, data_switch, data_wires }, link))
    }

    /// Switches both on.
    pub fn power_on(&self) {
        for router in [&self.a, &self.b] {
            router.with(|router, now| router.power_on(now));
        }
    }

    /// Runs the world, without tokio's clock, until both consoles are up and `settled` more has passed.
    /// False if they are not within `patience`.
    pub fn boot(&self, patience: Duration, settled: Duration) -> bool {
        let up = || [&self.a, &self.b].iter().all(|router| router.look(Router::phase) == Phase::Up);
        let until = self.world.now() + patience;
        if !self.world.run_until_done(until, up) {
            return false;
        }
        self.world.run_until(self.world.now() + settled);
        true
    }

    /// What both routers recorded since the last call, in order of time; A's first where both are of one time.
    pub fn take_events(&self) -> Vec<(char, Event)> {
        let mut all: Vec<(Instant, char, Event)> = Vec::new();
        for (name, router) in [('A', &self.a), ('B', &self.b)] {
            router.with(|router, _| {
                while let Some(event) = router.poll_event() {
                    all.push((event.at, name, event));
                }
            });
        }
        all.sort_by_key(|(at, name, _)| (*at, *name));
        all.into_iter().map(|(_, name, event)| (name, event)).collect()
    }
}
