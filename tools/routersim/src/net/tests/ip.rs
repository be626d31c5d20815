//! Ping and FTP.

use super::*;

#[test]
fn pings_are_answered_by_address_only() {
    let mut pair = Pair::new();
    let replies = ping(&mut pair, 0, B, PingOptions { count: 3, ..PingOptions::default() });
    let times: Vec<_> = replies.iter().map(|reply| reply.outcome.clone()).collect();
    // The first one waits for ARP.
    let reply = |millis| PingOutcome::Reply { size: 56, ttl: 64, time: Duration::from_millis(millis) };
    assert_eq!(times, [reply(2), reply(1), reply(1)]);

    let gone = ping(&mut pair, 0, Ipv4Addr::new(169, 254, 23, 77), PingOptions::default());
    assert_eq!(gone[0].outcome, PingOutcome::Timeout);
    let nowhere = ping(&mut pair, 0, Ipv4Addr::new(8, 8, 8, 8), PingOptions::default());
    assert_eq!(nowhere[0].outcome, PingOutcome::Failed(NetError::NoRoute));
    assert!(matches!(ping(&mut pair, 0, A, PingOptions::default())[0].outcome, PingOutcome::Reply { .. }));

    // A default route through B leads off the network; B forwards nothing and stays silent.
    pair.change(0, |config| {
        config.routes.push(Route { destination: Prefix::ALL, gateway: B, distance: 250, disabled: false });
    });
    let routed = ping(&mut pair, 0, Ipv4Addr::new(8, 8, 8, 8), PingOptions::default());
    assert_eq!(routed[0].outcome, PingOutcome::Timeout);
}

#[test]
fn a_disabled_port_is_silent() {
    let mut pair = Pair::new();
    pair.change(1, |config| config.ports[1].disabled = true);
    assert_eq!(ping(&mut pair, 0, B, PingOptions::default())[0].outcome, PingOutcome::Timeout);
    let sent = pair.sent;
    let net = pair.nodes[1].net.clone();
    let reply = pair.job(1, async move { net.ping_once(A, 0, &PingOptions::default()).await });
    assert_eq!(reply.outcome, PingOutcome::Timeout);
    let from_b = pair.flight.values().filter(|(to, _)| *to == 0).count();
    assert_eq!(from_b, 0, "{} frames before", sent);
}

#[test]
fn a_megabyte_goes_up_and_down_exactly_with_loss() {
    for loss in [0, 20, 100] {
        let mut pair = Pair::new();
        pair.loss = loss;
        let (net, bytes) = (pair.nodes[0].net.clone(), contents(1_000_000));
        let upload = bytes.clone();
        let put = pair.job(0, async move { net.ftp_put(B, 21, "ha", "secret", "/flash/big.bin", &upload).await });
        assert_eq!(put, Ok(()), "loss {loss}");
        assert_eq!(pair.nodes[1].disk.files.borrow().get("flash/big.bin"), Some(&bytes), "loss {loss}");
        let stored = NetEvent::FtpUploaded { user: "ha".to_owned(), path: "flash/big.bin".to_owned() };
        assert!(pair.nodes[1].events.iter().any(|(_, event)| *event == stored));
        let net = pair.nodes[0].net.clone();
        let got = pair.job(0, async move { net.ftp_get(B, 21, "ha", "secret", "flash/big.bin").await });
        assert!(got.as_ref() == Ok(&bytes), "loss {loss}: {:?}", got.map(|bytes| bytes.len()));
    }
}

fn fetch(pair: &mut Pair, user: &'static str, password: &'static str, path: &'static str) -> Result<Vec<u8>, NetError> {
    let net = pair.nodes[0].net.clone();
    pair.job(0, async move { net.ftp_get(B, 21, user, password, path).await })
}

#[test]
fn ftp_refuses_in_words() {
    let mut pair = Pair::new();
    assert_eq!(fetch(&mut pair, "ha", "wrong", "x"), Err(NetError::Login));
    assert_eq!(*pair.nodes[1].disk.log.borrow(), ["failure ha 169.254.23.1 ftp"]);
    assert!(matches!(fetch(&mut pair, "ha", "secret", "x"), Err(NetError::Ftp { code: 550, .. })));
    pair.change(1, |config| {
        config.services.ftp.addresses = vec![Prefix { address: SHARED, length: 32 }];
    });
    assert!(matches!(fetch(&mut pair, "ha", "secret", "x"), Err(NetError::Closed | NetError::Reset)));
    pair.change(1, |config| config.services.ftp.enabled = false);
    assert_eq!(fetch(&mut pair, "ha", "secret", "x"), Err(NetError::Refused));
    pair.plug(false);
    assert_eq!(fetch(&mut pair, "ha", "secret", "x"), Err(NetError::Timeout));
    let net = pair.nodes[0].net.clone();
    let put = pair.job(0, async move { net.ftp_put(B, 21, "ha", "secret\r\nDELE x", "x", b"").await });
    assert_eq!(put, Err(NetError::Timeout));
}

#[test]
fn a_transfer_cut_in_the_middle_fails_and_leaves_nothing() {
    let mut pair = Pair::new();
    let net = pair.nodes[0].net.clone();
    let bytes = contents(1_000_000);
    let result = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&result);
    pair.nodes[0].kernel.spawn("put", async move {
        *slot.borrow_mut() = Some(net.ftp_put(B, 21, "ha", "secret", "big", &bytes).await);
    });
    pair.run_for(Duration::from_millis(15));
    assert!(result.borrow().is_none());
    pair.cut = true;
    pair.run_for(Duration::from_secs(120));
    assert!(matches!(*result.borrow(), Some(Err(_))), "{:?}", result.borrow());
    assert!(pair.nodes[1].disk.files.borrow().is_empty());
}
