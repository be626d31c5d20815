//! The lab's standard pair: what is where, who hears whom, and that one seed gives one history.

#![allow(clippy::unwrap_used)] // tests, though no unit tests: clippy.toml does not see that

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bootstrap::ha::{PairConfig, render_installed};
use lab::Faults;
use lab::pair::{Pair, Settings, Topology};
use mactelnet::MacAddr;
use mactelnet::io::Link;
use mactelnet::io::memory::MemoryLink;
use mactelnet::wire::{Frame, mndp};
use routersim::router::Router;

const PATIENCE: Duration = Duration::from_secs(300);

fn installed() -> String {
    let pair = PairConfig {
        interface: "ether8".to_owned(),
        mac_a: "74:4D:28:00:00:0A".to_owned(),
        mac_b: "74:4D:28:00:00:0B".to_owned(),
        password: "Simulated-Pair-1".to_owned(),
    };
    render_installed(&pair)
}

/// MACs announced to the host so far.
fn announced(link: &mut MemoryLink) -> Vec<MacAddr> {
    let mut macs = Vec::new();
    let mut bytes = Vec::new();
    while let Poll::Ready(Ok(())) = link.poll_recv(&mut Context::from_waker(Waker::noop()), &mut bytes) {
        let Ok(frame) = Frame::new_checked(&bytes) else { continue };
        if frame.dst_port() == mndp::PORT
            && let Ok(Some(announcement)) = mndp::Announcement::parse(frame.payload())
        {
            macs.extend(announcement.mac);
        }
    }
    macs.sort_unstable();
    macs.dedup();
    macs
}

fn mac(text: &str) -> MacAddr {
    text.parse().unwrap()
}

#[test]
fn the_host_hears_whom_its_place_lets_it() {
    let ha = [mac("74:4D:28:00:00:0A"), mac("74:4D:28:00:00:0B")];
    for (topology, expected) in
        [(Topology::BehindA, vec![mac("74:4D:28:0A:00:01")]), (Topology::OnSegment, ha.to_vec())]
    {
        let mut settings = Settings::standard(11, "");
        settings.topology = topology;
        let (pair, mut link) = Pair::new(&settings).unwrap();
        pair.power_on();
        assert!(pair.boot(PATIENCE, Duration::from_secs(5)));
        assert_eq!(announced(&mut link), expected, "{topology:?}");
        assert!(pair.ha_wire.is_up() && pair.ha_wire_b.is_up() && pair.host_wire.is_up());
    }
}

#[test]
fn a_is_master_alone_and_its_data_ports_speak() {
    let (pair, _link) = Pair::new(&Settings::standard(12, &installed())).unwrap();
    pair.power_on();
    assert!(pair.boot(PATIENCE, Duration::from_secs(60)));
    let role = |router: &Router| router.system().and_then(|system| system.vrrp_state("HA_VRRP"));
    assert_eq!(pair.a.look(role), Some(routersim::net::VrrpState::Master));
    assert_eq!(pair.b.look(role), None);
    // A's data port is open again once it is master, and B's was never closed: both announce themselves.
    let speakers = pair.world.speakers(pair.data_switch);
    let ports: Vec<usize> = speakers.iter().map(|speaker| speaker.port).collect();
    assert!(ports.contains(&0) && ports.contains(&1), "{speakers:?}");
    assert!(pair.world.moves(pair.data_switch).is_empty());
}

#[test]
fn one_seed_one_history() {
    let run = |seed| {
        let mut settings = Settings::dirty(seed, &installed());
        settings.topology = Topology::OnSegment;
        let (pair, _link) = Pair::new(&settings).unwrap();
        pair.data_wires[0][1].set_all_faults(Faults { loss: 30.0, ..Faults::default() });
        pair.power_on();
        assert!(pair.boot(PATIENCE, Duration::from_secs(1800)));
        (pair.world.now(), format!("{:?}", pair.take_events()), pair.world.speakers(pair.data_switch))
    };
    let first = run(5);
    assert!(first.1.len() > 1000);
    assert_eq!(first, run(5));
    assert_ne!(first, run(6));
}
