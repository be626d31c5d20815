//! `loop-protect`.

use super::*;

/// A router whose other end speaks with its MAC, as a clone does, shuts its port, for as long as it is told; a change of the
/// settings opens it sooner. Without a clone nothing is shut.
#[test]
fn a_clone_shuts_the_port_that_hears_it() {
    let every = |send, disable| {
        Some(LoopProtect { send_interval: Duration::from_secs(send), disable_time: Duration::from_secs(disable) })
    };
    let on = |disable| every(5, disable);
    let mut pair = Pair::new();
    pair.change(0, |config| config.ports[1].loop_protect = on(300));
    pair.change(1, |config| config.ports[1].loop_protect = every(2, 300));
    let status = |pair: &Pair| [0, 1].map(|node| pair.nodes[node].net.loop_status(1));
    pair.run_for(Duration::from_secs(60));
    assert_eq!(status(&pair), ["on", "on"]);

    let own = pair.nodes[0].config.ports[1].mac;
    pair.change(0, |config| config.ports[1].loop_protect = on(60));
    pair.run_for(Duration::from_secs(1));
    pair.change(1, |config| config.ports[1].mac = own);
    // who hears the other first is shut, and speaks no more
    let begun = pair.now;
    pair.run_until(begun + Duration::from_secs(6), |pair| pair.nodes[0].net.loop_status(1) == "disable");
    assert!(!pair.nodes[0].net.carrier(1) && !pair.nodes[0].net.is_running("ether2"));
    let told = NetEvent::Loop { interface: "ether2".to_owned(), from: own, sender: "ether2".to_owned() };
    assert!(pair.nodes[0].events.iter().any(|(_, event)| *event == told));
    let before = pair.sent;
    // what is shut sends nothing and hears nothing
    pair.change(1, |config| config.ports[1].loop_protect = None);
    pair.run_for(Duration::from_secs(50));
    assert_eq!((status(&pair), pair.sent - before), (["disable", "off"], 0));
    pair.run_for(Duration::from_secs(12));
    assert_eq!(status(&pair), ["on", "off"]);
    assert!(pair.nodes[0].net.is_running("ether2"));

    // for ever, until somebody changes it
    pair.change(0, |config| config.ports[1].loop_protect = on(0));
    pair.change(1, |config| config.ports[1].loop_protect = on(0));
    pair.run_for(Duration::from_secs(86_400));
    assert_eq!(status(&pair), ["disable", "disable"]);
    pair.change(1, |config| config.ports[1].mac = mac(2, 1));
    pair.change(0, |config| config.ports[1].loop_protect = on(300));
    pair.change(1, |config| config.ports[1].loop_protect = on(300));
    pair.run_for(Duration::from_secs(60));
    assert_eq!(status(&pair), ["on", "on"]);
}
