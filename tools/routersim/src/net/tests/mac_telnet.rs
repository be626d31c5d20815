//! Neighbours, MAC-Ping, and the router as a MAC-Telnet client.

use super::*;

#[test]
fn neighbours_hear_of_each_other() {
    let mut pair = Pair::new();
    pair.run_for(Duration::from_secs(2));
    let seen = pair.nodes[0].net.neighbours();
    assert_eq!(seen.len(), 1);
    let neighbour = &seen[0];
    assert_eq!((neighbour.identity.as_str(), neighbour.board.as_str()), ("router2", "CCR1009-7G-1C"));
    assert_eq!(
        (neighbour.interface.as_str(), neighbour.interface_name.as_str()),
        ("bridge-ha/ether2", "bridge-ha/ether2")
    );
    assert_eq!((neighbour.mac, neighbour.address), (mac(2, 1), Some(B)));

    pair.change(1, |config| config.services.discovery = Allowed::None);
    pair.run_for(Duration::from_secs(150));
    let again = pair.nodes[0].net.neighbours();
    assert_eq!(again[0].heard, neighbour.heard);
    pair.run_for(Duration::from_secs(60));
    assert!(pair.nodes[0].net.neighbours().is_empty());
}

fn mac_ping(pair: &mut Pair, to: MacAddr, interface: &str) -> PingOutcome {
    let net = pair.nodes[0].net.clone();
    let options = PingOptions { interface: Some(interface.to_owned()), ..PingOptions::default() };
    pair.job(0, async move { net.mac_ping_once(to, 0, &options).await.outcome })
}

#[test]
fn mac_pings_need_the_right_mac_and_leave() {
    let mut pair = Pair::new();
    let reply = PingOutcome::Reply { size: 56, ttl: 0, time: Duration::from_millis(1) };
    assert_eq!(mac_ping(&mut pair, mac(2, 1), "bridge-ha"), reply);
    assert_eq!(mac_ping(&mut pair, mac(2, 1), "ether2"), reply);
    assert_eq!(mac_ping(&mut pair, mac(2, 0), "ether2"), PingOutcome::Timeout);
    let none = NetError::NoInterface("ether1".to_owned());
    assert_eq!(mac_ping(&mut pair, mac(2, 1), "ether1"), PingOutcome::Failed(none));
    pair.change(1, |config| config.services.mac_ping = Allowed::None);
    assert_eq!(mac_ping(&mut pair, mac(2, 1), "ether2"), PingOutcome::Timeout);
}

fn call(interface: Option<&str>, user: &str, password: &str) -> MacTelnetCall {
    MacTelnetCall {
        mac: mac(2, 1),
        interface: interface.map(str::to_owned),
        user: user.to_owned(),
        password: password.to_owned(),
        terminal: "vt102".to_owned(),
        size: (132, 43),
    }
}

/// Runs an echoing console on the second router for the next session; gives back what was logged in.
fn echo_console(pair: &Pair) {
    let disk = Rc::clone(&pair.nodes[1].disk);
    let kernel = pair.nodes[1].kernel.clone();
    pair.nodes[1].kernel.spawn("consoles", async move {
        loop {
            let session = disk.sessions.borrow_mut().pop();
            let Some(mut session) = session else {
                kernel.sleep(Duration::from_millis(1)).await;
                continue;
            };
            let (columns, rows) = session.size.get();
            let line = format!("{} {} {} {columns}x{rows}\n", session.login, session.mac, session.interface);
            session.output.push(line.as_bytes());
            loop {
                let bytes = session.input.read(4096).await;
                if bytes.is_empty() || bytes == b"quit\r" {
                    break;
                }
                if bytes == b"size\r" {
                    session.output.push(format!("{:?}", session.size.get()).as_bytes());
                    continue;
                }
                session.output.write_all(&bytes).await;
            }
        }
    });
}

async fn read_until(reader: &mut crate::kernel::PipeReader, end: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while !all.ends_with(end) {
        let bytes = reader.read(4096).await;
        if bytes.is_empty() {
            break;
        }
        all.extend(bytes);
    }
    all
}

#[test]
fn mac_telnet_carries_a_console_both_ways_exactly() {
    for (login, loss) in [(LoginKind::EcSrp5, 0), (LoginKind::EcSrp5, 100), (LoginKind::Md5, 20)] {
        let mut pair = Pair::new();
        pair.loss = loss;
        pair.change(1, |config| config.services.mac_telnet_login = login);
        echo_console(&pair);
        let net = pair.nodes[0].net.clone();
        let text = contents(50_000);
        let typed = text.clone();
        let (hello, echoed, size, rest, failure) = pair.job(0, async move {
            let mut session = net.mac_telnet_connect(call(None, "ha+ct", "secret")).await.unwrap();
            let hello = read_until(&mut session.reader, b"\n").await;
            let (mut echoed, mut at) = (Vec::new(), 0);
            while echoed.len() < typed.len() {
                if at < typed.len() {
                    let end = (at + 1000).min(typed.len());
                    assert!(session.writer.write_all(&typed[at..end]).await);
                    at = end;
                }
                let bytes = session.reader.read(4096).await;
                assert!(!bytes.is_empty());
                echoed.extend(bytes);
            }
            session.control.resize(100, 30);
            net.kernel.timeout(Duration::from_secs(5), std::future::pending::<()>()).await;
            session.writer.push(b"size\r");
            let size = read_until(&mut session.reader, b")").await;
            session.writer.push(b"quit\r");
            let rest = read_until(&mut session.reader, b"never").await;
            (hello, echoed, size, rest, session.control.failure())
        });
        assert_eq!(String::from_utf8_lossy(&hello), format!("ha+ct {} bridge-ha 132x43\n", mac(1, 1)));
        assert!(echoed == text, "loss {loss}");
        assert_eq!(size, b"(100, 30)");
        assert_eq!((rest, failure), (Vec::new(), None));
    }
}

#[test]
fn mac_telnet_refuses_and_misses() {
    let mut pair = Pair::new();
    echo_console(&pair);
    let net = pair.nodes[0].net.clone();
    let (shown, failure) = pair.job(0, async move {
        match net.mac_telnet_connect(call(Some("bridge-ha"), "ha", "wrong")).await {
            Ok(mut session) => (read_until(&mut session.reader, b"never").await, session.control.failure()),
            Err(error) => (Vec::new(), Some(error)),
        }
    });
    assert_eq!(failure, Some(NetError::Login));
    assert_eq!(String::from_utf8_lossy(&shown).trim(), "Login failed, incorrect username or password");
    assert_eq!(*pair.nodes[1].disk.log.borrow(), [format!("failure ha {} mac-telnet", mac(1, 1))]);

    let try_call = |pair: &mut Pair, call: MacTelnetCall| {
        let net = pair.nodes[0].net.clone();
        pair.job(0, async move { net.mac_telnet_connect(call).await.map(drop) })
    };
    let down = try_call(&mut pair, call(Some("ether1"), "ha", "secret"));
    assert_eq!(down, Err(NetError::NoInterface("ether1".to_owned())));
    pair.change(1, |config| {
        config.services.mac_telnet = Allowed::Only(["ether1".to_owned()].into());
    });
    assert_eq!(try_call(&mut pair, call(Some("bridge-ha"), "ha", "secret")), Err(NetError::Timeout));
    pair.change(1, |config| {
        config.services.mac_telnet = Allowed::Only(["bridge-ha".to_owned()].into());
    });
    assert_eq!(try_call(&mut pair, call(Some("bridge-ha"), "ha", "secret")), Ok(()));
}

#[test]
fn a_call_without_interface_tries_all_and_keeps_the_one_that_answers() {
    let mut pair = Pair::new();
    pair.nodes[0].net.set_link(0, true);
    let net = pair.nodes[0].net.clone();
    let made = pair.job(0, async move { net.mac_telnet_connect(call(None, "ha", "secret")).await });
    assert!(made.is_ok(), "{made:?}");
    pair.run_for(Duration::from_secs(30));
    assert!(!pair.nodes[1].disk.sessions.borrow()[0].input.is_finished());
    let net = pair.nodes[0].net.clone();
    let nobody = MacTelnetCall { mac: mac(9, 9), ..call(None, "ha", "secret") };
    let missed = pair.job(0, async move { net.mac_telnet_connect(nobody).await.map(drop) });
    assert_eq!(missed, Err(NetError::Timeout));
}

#[test]
fn a_caller_who_leaves_ends_the_far_session() {
    let mut pair = Pair::new();
    let net = pair.nodes[0].net.clone();
    let session = pair.job(0, async move { net.mac_telnet_connect(call(None, "ha", "secret")).await.unwrap() });
    pair.run_for(Duration::from_secs(1));
    let mut far = pair.nodes[1].disk.sessions.borrow_mut().pop().unwrap();
    assert!(!far.input.is_finished());
    drop(session);
    pair.run_for(Duration::from_secs(1));
    assert!(far.input.is_finished() && far.input.take(10).is_empty());
    // Silence instead of END: after 90 s.
    let net = pair.nodes[0].net.clone();
    let _session = pair.job(0, async move { net.mac_telnet_connect(call(None, "ha", "secret")).await.unwrap() });
    pair.run_for(Duration::from_secs(60));
    let far = pair.nodes[1].disk.sessions.borrow_mut().pop().unwrap();
    assert!(!far.input.is_finished(), "keepalives keep it");
    pair.cut = true;
    pair.run_for(Duration::from_secs(80));
    assert!(!far.input.is_finished());
    pair.run_for(Duration::from_secs(20));
    assert!(far.input.is_finished());
}
