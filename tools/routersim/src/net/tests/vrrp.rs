//! Who is master.

use super::*;

#[test]
fn vrrp_takes_over_and_gives_back() {
    let mut pair = Pair::new();
    for node in [0, 1] {
        pair.change(node, |config| config.vrrps[0].disabled = false);
    }
    pair.run_for(Duration::from_secs(5));
    // Both start at once with equal priority: the higher address wins.
    assert_eq!(pair.roles(), [VrrpState::Backup, VrrpState::Master]);
    assert!(matches!(ping(&mut pair, 0, SHARED, PingOptions::default())[0].outcome, PingOutcome::Reply { .. }));

    // The master's power goes: 3.61 s after its last advertisement at the latest.
    let cut = pair.now;
    pair.nodes[1].net.apply(NetConfig::default());
    pair.cut = true;
    pair.run_for(Duration::from_secs(5));
    pair.cut = false;
    let at = pair.nodes[0]
        .events
        .iter()
        .rev()
        .find(|(_, event)| matches!(event, NetEvent::Vrrp { state: VrrpState::Master, .. }))
        .map(|(at, _)| *at - cut)
        .unwrap();
    assert!(at > Duration::from_millis(2_600) && at <= Duration::from_millis(3_611), "{at:?}");

    // It comes back and waits as backup: equal priority doesn't preempt a master who speaks.
    let back = pair.nodes[1].config.clone();
    pair.nodes[1].net.apply(back);
    pair.run_for(Duration::from_secs(10));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Backup]);

    // An orderly end: the other takes over after its skew time alone.
    let resigned = pair.now;
    pair.nodes[0].net.shutdown();
    pair.run_until(resigned + Duration::from_secs(2), |pair| pair.roles()[1] == VrrpState::Master);
    let took = pair.now - resigned;
    assert!(took < Duration::from_millis(620), "{took:?}");
    assert!(pair.nodes[1].net.is_running("HA_VRRP"));
}

#[test]
fn a_higher_priority_takes_the_role() {
    let mut pair = Pair::new();
    for node in [0, 1] {
        pair.change(node, |config| config.vrrps[0].disabled = false);
    }
    pair.run_for(Duration::from_secs(5));
    pair.change(0, |config| config.vrrps[0].priority = 150);
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Backup]);
}

/// Settings that were written start the machine anew: a master resigns, and the other one takes over.
#[test]
fn a_master_whose_settings_are_written_resigns() {
    let mut pair = Pair::new();
    for node in [0, 1] {
        pair.change(node, |config| config.vrrps[0].disabled = false);
    }
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Backup, VrrpState::Master]);
    pair.change(0, |config| config.vrrps[0].writes = 1);
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Backup, VrrpState::Master], "a standby only listens anew");
    pair.change(1, |config| config.vrrps[0].writes = 1);
    assert_eq!(pair.roles()[1], VrrpState::Backup);
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Backup]);
}

#[test]
fn a_bridge_lets_a_lone_router_become_master() {
    let mut pair = Pair::new();
    pair.plug(false);
    pair.change(0, |config| config.vrrps[0].disabled = false);
    pair.change(1, |config| {
        config.bridges.clear();
        config.vrrps[0].parent = "ether2".to_owned();
        config.vrrps[0].disabled = false;
    });
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Initialize]);
    pair.change(1, |config| config.vrrps[0].runs_without_link = true);
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.roles(), [VrrpState::Master, VrrpState::Master]);
}
