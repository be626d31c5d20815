//! Lines that prove the router, and hops to another.

use super::*;

#[tokio::test(start_paused = true)]
async fn another_router_does_nothing_and_says_who_it_is() {
    let (shell, mut peer) = logged_in(options()).await;
    let (proved, _) = tokio::join!(shell.prove(proof(MAC_B)), peer.answer(Ok(&[])));
    proved.unwrap();
    // A console server's ports were swapped meanwhile.
    peer.mac = Some(MAC_A);
    let (outcome, line) = tokio::join!(shell.exec("/system identity set name=x"), peer.answer(Ok(&[])));
    assert_eq!(outcome.unwrap_err(), Error::WrongRouter { expected: MAC_B.into(), found: MAC_A.into() });
    assert!(line.starts_with(":if (["), "{line}");
    assert!(matches!(shell.exec(":put 1").await, Err(Error::WrongRouter { .. })), "and nothing more is typed");
    let (ours, mut peer) = link();
    peer.mac = Some(MAC_A);
    let first = peer.painted();
    peer.send(first).await;
    let login = Shell::login(ours, LoginOptions { proof: Some(proof(MAC_B)), ..options() });
    let (shell, _) = tokio::join!(login, peer.answer(Ok(&[])));
    assert!(matches!(shell, Err(Error::WrongRouter { .. })));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_behind_a_destructive_line() {
    let (shell, mut peer) = logged_in(options()).await;
    let act = Destructive::new(proof(MAC_B), "/system reset-configuration no-defaults=yes").unwrap();
    let router = async {
        // Not even its echo comes: the router is gone.
        let line = peer.line().await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        (line, peer)
    };
    let (outcome, (line, mut peer)) = tokio::join!(shell.destroy(&act), router);
    assert!(matches!(outcome, Ok(Outcome::Unknown(_))));
    assert!(!line.contains("reset"), "{line}");
    let gone = shell.wait_gone(Duration::from_secs(30), Duration::from_secs(60)).await.unwrap();
    assert!(matches!(gone, Gone::Silent));
    let mut rest = Vec::new();
    peer.io.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"", "nothing behind it");
}

#[tokio::test(start_paused = true)]
async fn only_the_proved_line_may_confirm() {
    let act = Destructive::new(proof(MAC_B), "/system reset-configuration no-defaults=yes").unwrap();
    for began in [true, false] {
        let (shell, mut peer) = logged_in(options()).await;
        let router = async {
            let line = peer.line().await.unwrap();
            let printed = peer.printed(&line, Ok(&[]));
            let marker = if began { &printed[0] } else { "" };
            peer.send(format!("{line}\r{P}{line}\r\n\r{marker}\r\nDangerous! Reset anyway? [y/N]: \r\n")).await;
            let mut answer = [0; 16];
            let n = tokio::time::timeout(Duration::from_secs(100), peer.io.read(&mut answer)).await;
            n.map(|n| answer[..n.unwrap()].to_vec())
        };
        let (outcome, answer) = tokio::join!(shell.destroy(&act), router);
        assert_eq!(answer.ok().as_deref(), began.then_some(&b"y"[..]));
        assert!(matches!(outcome, Ok(Outcome::Unknown(_))));
    }
}

/// From A's prompt to B's, both as the other end of one link.
async fn hopped(b_prompt: &str) -> (Shell, Peer) {
    let (ours, mut peer) = link();
    peer.prompt = "[admin@edge_HA_A_ACTIVE] > ".into();
    peer.mac = Some(MAC_A);
    let first = peer.painted();
    peer.send(first).await;
    let (near, _) = tokio::join!(Shell::login(ours, options()), peer.answer(Ok(&[])));
    let near = near.unwrap();
    let hop = near.hop(HopOptions {
        host: MAC_B.into(),
        interface: "ether8".into(),
        login: LoginOptions { proof: Some(proof(MAC_B)), ..options() },
    });
    let router = async {
        peer.answer(Ok(&[])).await;
        let line = peer.line().await.unwrap();
        assert_eq!(line, format!("/tool mac-telnet host={MAC_B} interface=\"ether8\""));
        let a = peer.prompt.clone();
        peer.send(format!("{line}\r{a}{line}\r\nLogin: ")).await;
        assert_eq!(peer.line().await.unwrap(), "admin+ct511w4098h");
        peer.send(b"admin+ct511w4098h\r\nPassword: ").await;
        assert_eq!(peer.line().await.unwrap(), "");
        peer.send(format!("\r\nTrying {MAC_B}...\r\nConnected to {MAC_B}\r\n\r\n")).await;
        peer.prompt = b_prompt.into();
        peer.mac = Some(MAC_B);
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (far, ()) = tokio::join!(hop, router);
    (far.unwrap(), peer)
}

#[tokio::test(start_paused = true)]
async fn a_hop_and_back() {
    let (far, mut peer) = hopped(P).await;
    let (outcome, line) = tokio::join!(far.exec("/system identity print"), peer.answer(Ok(&["name: B"])));
    let Ok(Outcome::Done(output)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((output.text.as_str(), output.identity.as_deref()), ("name: B", Some(MAC_B)));
    assert!(line.contains(MAC_B));
    let router = async {
        assert_eq!(peer.line().await.unwrap(), "/quit");
        peer.send(b"/quit\r\ninterrupted\r\n").await;
        peer.near_again().await;
        peer.answer(Ok(&[])).await;
        peer
    };
    let (near, mut peer) = tokio::join!(far.unhop(), router);
    let near = near.unwrap();
    let (outcome, _) = tokio::join!(near.exec(":put 1"), peer.answer(Ok(&["1"])));
    assert_eq!(done(outcome), "1");
}

#[tokio::test(start_paused = true)]
async fn a_lost_hop_is_noticed_before_anything_is_typed() {
    let (far, mut peer) = hopped(P).await;
    peer.near_again().await;
    let typed = peer.typed.len();
    let error = far.exec("/system reboot").await.unwrap_err();
    assert!(matches!(error, Error::HopLost { .. }), "{error:?}");
    assert_eq!(error.code(), "routeros.hop.lost");
    assert_eq!(peer.typed.len(), typed);
    let (near, line) = tokio::join!(far.unhop(), peer.answer(Ok(&[])));
    near.unwrap();
    assert!(line.contains("\"F\""), "the first thing typed asks who is there: {line}");
}

#[tokio::test(start_paused = true)]
async fn a_line_for_the_far_router_does_nothing_on_the_near_one() {
    // Both look the same: only the guard can tell.
    let (far, mut peer) = hopped("[admin@edge_HA_A_ACTIVE] > ").await;
    peer.near_again().await;
    let (outcome, line) = tokio::join!(far.exec("/system identity set name=x"), peer.answer(Ok(&[])));
    assert!(matches!(outcome, Err(Error::HopLost { .. })), "{outcome:?}");
    assert!(line.starts_with(":if (["));
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_ends_in_the_middle_of_a_command() {
    let (far, mut peer) = hopped(P).await;
    let router = async {
        let line = peer.line().await.unwrap();
        let began = peer.printed(&line, Ok(&[]))[0].clone();
        peer.send(format!("{line}\r{P}{line}\r\n\r{began}\r\n")).await;
        peer.near_again().await;
        peer
    };
    let (outcome, mut peer) = tokio::join!(far.exec("/import HA_jumplead_b.rsc"), router);
    let Ok(Outcome::Unknown(unknown)) = outcome else { panic!("{outcome:?}") };
    assert!(unknown.began && matches!(*unknown.cause, Error::HopLost { .. }));
    let (gone, _) = tokio::join!(far.wait_gone(Duration::from_secs(10), Duration::from_secs(60)), peer.answer(Ok(&[])));
    assert!(matches!(gone, Ok(Gone::BackAt(_))), "{gone:?}");
}

#[tokio::test(start_paused = true)]
async fn refused_hops_give_the_near_shell_back() {
    let (ours, mut peer) = link();
    peer.mac = Some(MAC_A);
    let first = peer.painted();
    peer.send(first).await;
    let (near, _) = tokio::join!(Shell::login(ours, options()), peer.answer(Ok(&[])));
    let to = |interface: &str| HopOptions {
        host: MAC_B.into(),
        interface: interface.into(),
        login: LoginOptions { proof: Some(proof(MAC_B)), ..options() },
    };
    let router = async {
        peer.answer(Ok(&[])).await;
        let line = peer.line().await.unwrap();
        let frame = peer.frame(&line, &["input does not match any value of interface".into()]);
        peer.send(frame).await;
        peer.answer(Ok(&[])).await;
    };
    let (failed, ()) = tokio::join!(near.unwrap().hop(to("ether9")), router);
    let failed = failed.unwrap_err();
    assert_eq!(failed.error, Error::HopRefused { why: "input does not match any value of interface".into() });
    // The far router refuses the login and the near prompt is back.
    let router = async {
        peer.answer(Ok(&[])).await;
        let line = peer.line().await.unwrap();
        peer.send(format!("{line}\r{P}{line}\r\nLogin: ")).await;
        peer.line().await.unwrap();
        peer.send(b"\r\nPassword: ").await;
        peer.line().await.unwrap();
        peer.send(b"\r\nTrying...\r\nLogin failed, incorrect username or password\r\n\r\n").await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (failed, ()) = tokio::join!(failed.near.unwrap().hop(to("ether8")), router);
    let failed = failed.unwrap_err();
    assert_eq!(failed.error, Error::LoginRejected { user: "admin".into(), tried: 1 });
    assert!(failed.near.is_some());
}
