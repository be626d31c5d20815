//! What a command said, and whether it is known how it ended.

use super::*;

#[tokio::test(start_paused = true)]
async fn output_is_clean_whatever_is_pushed_between() {
    let (shell, mut peer) = logged_in(options()).await;
    let router = async {
        let line = peer.line().await.unwrap();
        let printed = peer.printed(&line, Ok(&["  name: CHR", "", "[admin@MikroTik] > not a prompt", "last"]));
        let mut frame = peer.frame(&line, &printed[..2]);
        // A log line between two lines of output, the prompt painted behind it as RouterOS does.
        frame.push_str(
            "\r23:17:46 echo: system,error,critical login failure for user admin via api\x1b[K\r\n\r\x1b[9999B",
        );
        frame.push_str(P);
        for line in &printed[2..] {
            frame.push_str(&format!("\r{line}\r\n"));
        }
        frame.push_str(&peer.painted());
        // One byte at a time: escapes and markers are cut everywhere.
        for byte in frame.bytes() {
            peer.send([byte]).await;
            tokio::task::yield_now().await;
        }
    };
    let (outcome, ()) = tokio::join!(shell.exec("/system identity print"), router);
    let text = done(outcome);
    assert_eq!(text, "  name: CHR\n\n[admin@MikroTik] > not a prompt\nlast");
}

#[tokio::test(start_paused = true)]
async fn identities_that_look_like_prompts() {
    for identity in ["x] > y", "a b(c)", "b] >", "edge [1] > x", "a@b", "RB @ home] /ip> "] {
        let (ours, mut peer) = link();
        peer.prompt = format!("[admin@{identity}] > ");
        let first = peer.painted();
        peer.send(first).await;
        let (shell, ()) = tokio::join!(Shell::login(ours, options()), async {
            peer.answer(Ok(&[])).await;
        });
        let shell = shell.unwrap();
        assert_eq!(shell.prompt(), peer.prompt.trim_end());
        let (outcome, _) = tokio::join!(shell.exec(":put 1"), peer.answer(Ok(&["1"])));
        assert_eq!(done(outcome), "1");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_are_certain() {
    let (shell, mut peer) = logged_in(options()).await;
    // While running: BEGAN, the words, the prompt; the fence says that nothing else comes.
    let router = async {
        peer.answer(Err("failure: already have such address")).await;
        peer.answer(Ok(&[])).await;
    };
    let (outcome, ()) = tokio::join!(shell.exec("/ip address add address=10.0.0.1/24 interface=ether1"), router);
    let Ok(Outcome::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((refusal.class, refusal.stage), (RefusalClass::Duplicate, Stage::Run));
    assert_eq!(refusal.text, "failure: already have such address");
    // While parsing: no BEGAN; the column is that of the typed line.
    let router = async {
        let line = peer.line().await.unwrap();
        let column = line.find("nope").unwrap() + 1;
        let frame = peer.frame(&line, &[format!("bad command name nope (line 1 column {column})")]);
        peer.send(frame).await;
        peer.answer(Ok(&[])).await;
    };
    let (outcome, ()) = tokio::join!(shell.exec("/system nope"), router);
    let Ok(Outcome::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((refusal.class, refusal.stage), (RefusalClass::BadCommand, Stage::Parse));
    assert_eq!(refusal.position, Some((1, 9)));
    assert_eq!(refusal.text, "bad command name nope (line 1 column 9)");
    // And the session goes on.
    let (outcome, _) = tokio::join!(shell.exec(":put 1"), peer.answer(Ok(&["1"])));
    assert_eq!(done(outcome), "1");
}

#[tokio::test(start_paused = true)]
async fn a_prompt_before_the_output_ends_nothing() {
    let (shell, mut peer) = logged_in(options()).await;
    let router = async {
        let line = peer.line().await.unwrap();
        let painted = peer.painted();
        peer.send(format!("{line}\r{P}{line}\r\n{painted}")).await;
        // So long a silence that the fence is typed; it waits until the command has ended.
        let fence = peer.line().await.unwrap();
        let printed = peer.printed(&line, Ok(&["slow"]));
        let frame = peer.frame("", &printed);
        peer.send(frame).await;
        let frame = peer.frame(&fence, &peer.printed(&fence, Ok(&[])));
        peer.send(frame).await;
    };
    let (outcome, ()) = tokio::join!(shell.exec("/system package update check-for-updates"), router);
    assert_eq!(done(outcome), "slow");
    let (outcome, _) = tokio::join!(shell.exec(":put 2"), peer.answer(Ok(&["2"])));
    assert_eq!(done(outcome), "2");
}

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_no() {
    let (shell, mut peer) = logged_in(options()).await;
    let router = async {
        let line = peer.line().await.unwrap();
        let began = peer.printed(&line, Ok(&[]))[0].clone();
        peer.send(format!("{line}\r{P}{line}\r\n\r{began}\r\n\rReboot, yes? [y/N]: \r\n")).await;
        assert_eq!(peer.key().await, b'n');
        let painted = peer.painted();
        peer.send(format!("n\r\n{painted}")).await;
        peer.answer(Ok(&[])).await;
    };
    let (outcome, ()) = tokio::join!(shell.exec("/system reboot"), router);
    let Ok(Outcome::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refusal.class, RefusalClass::Question);
    assert_eq!(refusal.text, "Reboot, yes? [y/N]:");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_the_router_finds_open_is_taken_back() {
    let (shell, mut peer) = logged_in(options()).await;
    let router = async {
        let line = peer.line().await.unwrap();
        peer.send(format!("{line}\r{P}{line}\r\n\r{{... ")).await;
        assert_eq!(peer.key().await, 3);
        let painted = peer.painted();
        peer.send(format!("\r\n{painted}")).await;
        peer.answer(Ok(&[])).await;
    };
    let (outcome, ()) = tokio::join!(shell.exec(":put x"), router);
    let Ok(Outcome::Refused(refusal)) = outcome else { panic!("{outcome:?}") };
    assert_eq!((refusal.class, refusal.stage), (RefusalClass::Incomplete, Stage::Parse));
}

#[tokio::test(start_paused = true)]
async fn a_pager_is_let_run_out() {
    let (shell, mut peer) = logged_in(options()).await;
    let router = async {
        let line = peer.line().await.unwrap();
        let printed = peer.printed(&line, Ok(&["one", "two"]));
        peer.send(format!("{line}\r{P}{line}\r\n\r{}\r\n\r{}\r\n-- [Q quit|D dump|down]", printed[0], printed[1]))
            .await;
        assert_eq!(peer.key().await, b'D');
        let painted = peer.painted();
        peer.send(format!("\r\x1b[K\r{}\r\n\r{}\r\n{painted}", printed[2], printed[3])).await;
    };
    let (outcome, ()) = tokio::join!(shell.exec("/log print"), router);
    assert_eq!(done(outcome), "one\ntwo");
}

#[tokio::test(start_paused = true)]
async fn a_dead_link_leaves_the_result_unknown() {
    let (shell, mut peer) = logged_in(options()).await;
    let router = async {
        let line = peer.line().await.unwrap();
        let began = peer.printed(&line, Ok(&[]))[0].clone();
        peer.send(format!("{line}\r{P}{line}\r\n\r{began}\r\n\rhalf")).await;
        drop(peer);
    };
    let (outcome, ()) = tokio::join!(shell.exec("/system backup save name=x"), router);
    let Ok(Outcome::Unknown(unknown)) = outcome else { panic!("{outcome:?}") };
    assert!(unknown.began);
    assert!(matches!(*unknown.cause, Error::LinkClosed { .. }));
    assert_eq!(Error::Unknown(unknown).code(), "routeros.exec.unknown");
    // The next one certainly does not run.
    assert!(matches!(shell.exec(":put 1").await, Err(Error::LinkClosed { .. })));
}

/// No pattern matches what a command prints; it is kept all the same, whole lines of it, and no question or echo of ours.
#[tokio::test(start_paused = true)]
async fn what_was_printed_before_the_silence_is_kept() {
    for ends in [false, true] {
        let (shell, mut peer) = logged_in(options()).await;
        let router = async {
            let line = peer.line().await.unwrap();
            let began = peer.printed(&line, Ok(&[]))[0].clone();
            let wide = "x".repeat(usize::from(options().suffix.size().cols));
            peer.send(format!("{line}\r{P}{line}\r\n\r{began}\r\n\rbefore\r\n\r{wide}\r\n\ry\r\n\rhalf")).await;
            if ends { None } else { Some(peer) }
        };
        let (outcome, peer) = tokio::join!(shell.exec(":put before; :delay 15s"), router);
        let Ok(Outcome::Unknown(unknown)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(matches!(*unknown.cause, Error::Timeout { .. }), peer.is_some());
        assert!(unknown.began);
        let lines: Vec<&str> = unknown.seen.lines().collect();
        assert!(matches!(lines[..], ["before", wide] if wide.ends_with("xy")), "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_timeout_nothing_is_sent_before_the_session_is_in_step() {
    let (shell, mut peer) = logged_in(options()).await;
    let line = {
        let router = async { peer.line().await.unwrap() };
        let (outcome, line) = tokio::join!(shell.exec("/tool fetch url=x"), router);
        let Ok(Outcome::Unknown(unknown)) = outcome else { panic!("{outcome:?}") };
        assert!(!unknown.began && matches!(*unknown.cause, Error::Timeout { .. }));
        line
    };
    let router = async {
        assert_eq!(peer.key().await, 3, "Ctrl-C before anything else");
        // The old command's output comes at last; it is nobody's.
        let printed = peer.printed(&line, Ok(&["stale"]));
        let frame = peer.frame("", &printed);
        peer.send(frame).await;
        peer.answer(Ok(&[])).await;
        peer.answer(Ok(&["fresh"])).await;
    };
    let (outcome, ()) = tokio::join!(shell.exec(":put fresh"), router);
    assert_eq!(done(outcome), "fresh");
}

#[tokio::test(start_paused = true)]
async fn values_are_exact() {
    let (shell, mut peer) = logged_in(options()).await;
    let (value, _) =
        tokio::join!(shell.value("[/system identity get name]"), peer.answer(Ok(&["<<Vstr 11 a >> [b] > >>"])));
    assert_eq!(value.unwrap().bytes, b"a >> [b] > ");
    // A log line in the middle spoils the frame: it is asked again.
    let router = async {
        let line = peer.line().await.unwrap();
        let printed = peer.printed(&line, Ok(&["<<Vstr 3 a\r12:00:00 echo: x,y z"]));
        let frame = peer.frame(&line, &printed);
        peer.send(frame).await;
        peer.answer(Ok(&["<<Vstr 3 abc>>"])).await;
    };
    let (value, ()) = tokio::join!(shell.value("[/system identity get name]"), router);
    assert_eq!(value.unwrap().text(), "abc");
    // Not printable: spelled out.
    let router = async {
        peer.answer(Ok(&["<<L>>"])).await;
        peer.answer(Ok(&["<<Tstr 3>>", "<<D0 9,,62,>>"])).await;
    };
    let (value, ()) = tokio::join!(shell.value("$x"), router);
    assert_eq!(value.unwrap().bytes, [10, 0, 63]);
    // Several at once; one fails.
    let (values, _) =
        tokio::join!(shell.values(&["[/a get b]", "[/c get d]"]), peer.answer(Ok(&["<<Vnum 1 7>>", "<<X>>"])));
    let values = values.unwrap();
    assert_eq!(values[0].as_ref().unwrap().text(), "7");
    assert!(values[1].is_none());
}

#[tokio::test(start_paused = true)]
async fn what_would_act_as_a_key_is_never_typed() {
    let (shell, peer) = logged_in(options()).await;
    let typed = peer.typed.len();
    for command in ["}; /system reboot; {", ":put (", "/ip address\tprint", "a\rb", "a\nb", "\x03", "x\x7f"] {
        assert!(matches!(shell.exec(command).await, Err(Error::Unsendable { .. })), "{command:?}");
    }
    assert!(FileName::ours("x").is_err());
    assert_eq!(peer.typed.len(), typed);
}
