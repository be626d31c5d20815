//! Recorded dialogues: what a router says, byte by byte as captured, and what must be typed.
//!
//! The forms of echo, repaint and prompt are those seen on 7.21 to 7.23 (one echo, one repaint, four returns and a padded
//! prompt), of 6.x where a test says so. The far side here knows no RouterOS: it takes lines apart just far enough to
//! print the markers that they ask for.

#![expect(clippy::unwrap_used, reason = "a peer that fails is a test that fails")]

use proptest::prelude::*;
use regex::Regex;
use routeros::{
    Destructive, Direction, Error, FileName, Gone, HopOptions, LoginOptions, NewPassword, Outcome, Proof, RefusalClass,
    Secret, Shell, Stage, Suffix, Transcript,
};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

const P: &str = "[admin@MikroTik] > ";
const MAC_A: &str = "74:4D:28:00:00:0A";
const MAC_B: &str = "74:4D:28:00:00:0B";

/// The router's end of the link.
struct Peer {
    io: DuplexStream,
    prompt: String,
    /// What the HA port's proof expression yields here.
    mac: Option<&'static str>,
    /// Every line that was typed, for what must not be.
    typed: Vec<String>,
}

fn link() -> (DuplexStream, Peer) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    (ours, Peer { io: theirs, prompt: P.into(), mac: Some(MAC_B), typed: Vec::new() })
}

impl Peer {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
    }

    async fn key(&mut self) -> u8 {
        self.io.read_u8().await.unwrap()
    }

    /// What is typed until Enter; `None` at the end of the stream.
    async fn line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        loop {
            match self.io.read_u8().await {
                Ok(b'\r') => break,
                Ok(byte) => line.push(byte),
                Err(_) => return None,
            }
        }
        let line = String::from_utf8(line).unwrap();
        self.typed.push(line.clone());
        Some(line)
    }

    /// The prompt as it is painted: four returns, padding to the width, the prompt again.
    fn painted(&self) -> String {
        format!("\r\r\r\r{}{}\r{}", self.prompt.trim_end(), " ".repeat(61), self.prompt)
    }

    fn frame(&self, line: &str, output: &[String]) -> String {
        let mut frame = format!("{line}\r{}{line}\r\n", self.prompt);
        for line in output {
            frame.push_str(&format!("\r{line}\r\n"));
        }
        frame + &self.painted()
    }

    /// What the line prints, `body` standing for its command: the output, or a refusal.
    fn printed(&self, line: &str, body: Result<&[&str], &str>) -> Vec<String> {
        let nonce = Regex::new(r#""QA" \. "([0-9a-f]+)" \. "([BKWF])""#).unwrap();
        let found = nonce.captures(line).unwrap_or_else(|| panic!("no marker in {line}"));
        let n = &found[1];
        let mac = self.mac.unwrap_or("");
        if &found[2] == "F" {
            let value = if line.contains("orig-mac-address") { format!("{mac}E{n}") } else { String::new() };
            return vec![format!("QA{n}F{value}")];
        }
        let expected = Regex::new(r#"orig-mac-address\]="([0-9A-F:]+)""#).unwrap();
        if expected.captures(line).is_some_and(|expected| &expected[1] != mac) {
            return vec![format!("QA{n}W{mac}E{n}")];
        }
        let mut lines = vec![format!("QA{n}B")];
        match body {
            Ok(output) => {
                lines.extend(output.iter().map(|line| line.to_string()));
                lines.push(format!("QA{n}K"));
            }
            Err(words) => lines.push(words.to_owned()),
        }
        lines
    }

    async fn answer(&mut self, body: Result<&[&str], &str>) -> String {
        let line = self.line().await.expect("a line");
        let frame = self.frame(&line, &self.printed(&line, body));
        self.send(frame).await;
        line
    }

    /// Answers every line with `ok`, until the link ends.
    async fn serve(mut self) -> Self {
        while let Some(line) = self.line().await {
            let line = line.trim_start_matches('\x03').to_owned();
            let frame = self.frame(&line, &self.printed(&line, Ok(&["ok"])));
            if self.io.write_all(frame.as_bytes()).await.is_err() {
                break;
            }
        }
        self
    }
}

fn options() -> LoginOptions {
    LoginOptions::new("admin")
}

fn proof(mac: &str) -> Proof {
    Proof::ha_port("ether8", mac).unwrap()
}

/// A shell, and the peer behind its first prompt.
async fn logged_in(options: LoginOptions) -> (Shell, Peer) {
    let (ours, mut peer) = link();
    let first = peer.painted();
    peer.send(first).await;
    let (shell, ()) = tokio::join!(Shell::login(ours, options), async {
        peer.answer(Ok(&[])).await;
    });
    (shell.unwrap(), peer)
}

fn done(outcome: Result<Outcome, Error>) -> String {
    match outcome {
        Ok(Outcome::Done(output)) => output.text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_probing_router_gets_true_answers_and_no_stall() {
    let (ours, mut peer) = link();
    let start = Instant::now();
    let login = Shell::login(ours, LoginOptions { suffix: Suffix::Plain, ..options() });
    let router = async {
        peer.send(b"\r\x1b[9999B\r\x1b[9999B\x1bZ  \x1b[6n").await;
        let mut answer = [0; 32];
        let n = peer.io.read(&mut answer).await.unwrap();
        assert_eq!(&answer[..n], b"\x1b[?1;0c\x1b[4098;3R");
        peer.send(b"\x1b[H\x1b[9999C\x1b[6n").await;
        let n = peer.io.read(&mut answer).await.unwrap();
        assert_eq!(&answer[..n], b"\x1b[1;511R");
        peer.send("\x1b[H\u{e9}H\x1b[6n".as_bytes()).await;
        let n = peer.io.read(&mut answer).await.unwrap();
        assert_eq!(&answer[..n], b"\x1b[1;3R");
        peer.send(b"\x1b[4l\x1b[20l\x1b[?7h\x1b[?5l\x1b[?25h\r\n  MikroTik RouterOS 7.23.1 (c) 1999-2026\r\n\r\n")
            .await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    assert_eq!(shell.unwrap().prompt(), P.trim_end());
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_serial_line_is_woken_and_tries_the_ladder() {
    let (ours, mut peer) = link();
    let passwords = vec![Secret::from("wrong"), Secret::default(), Secret::from("LABEL123")];
    let login = Shell::login(ours, LoginOptions { suffix: Suffix::Serial, wake: true, passwords, ..options() });
    let router = async {
        assert_eq!(peer.line().await.unwrap(), "");
        for password in ["wrong", ""] {
            peer.send(b"\r\nMikroTik 7.18.2 (stable)\r\nMikroTik Login: ").await;
            assert_eq!(peer.line().await.unwrap(), "admin+ct160w4098h");
            peer.send(b"admin+ct160w4098h\r\nPassword: ").await;
            assert_eq!(peer.line().await.unwrap(), password);
            peer.send(b"\r\nLogin failed, incorrect username or password\r\n\r\n").await;
        }
        peer.send(b"MikroTik Login: ").await;
        assert_eq!(peer.line().await.unwrap(), "admin+ct160w4098h");
        peer.send(b"admin+ct160w4098h\r\nPassword: ").await;
        assert_eq!(peer.line().await.unwrap(), "LABEL123");
        peer.send(b"\r\n").await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    shell.unwrap();
}

#[tokio::test(start_paused = true)]
async fn refusals_of_a_login() {
    // By text after a MAC-Telnet login that "succeeded", and the end of the session.
    let (ours, mut peer) = link();
    peer.send(b"Login failed, incorrect username or password\r\n").await;
    drop(peer);
    assert_eq!(
        Shell::login(ours, options()).await.unwrap_err(),
        Error::LoginRejected { user: "admin".into(), tried: 1 }
    );
    // The end without words.
    let (ours, peer) = link();
    drop(peer);
    assert!(matches!(Shell::login(ours, options()).await, Err(Error::LinkClosed { .. })));
    // Silence.
    let (ours, _peer) = link();
    let start = Instant::now();
    let Err(Error::Timeout { waiting, .. }) = Shell::login(ours, options()).await else { panic!() };
    assert_eq!(waiting, "logging in");
    assert!(start.elapsed() < Duration::from_secs(120));
}

#[tokio::test(start_paused = true)]
async fn screens_of_a_fresh_router() {
    let (ours, mut peer) = link();
    let login = Shell::login(ours, options());
    let router = async {
        peer.send(b"\r\nDo you want to see the software license? [Y/n]").await;
        assert_eq!(peer.key().await, b'n');
        // The rest of the question comes late, then its line ends: that is no second question.
        peer.send(b": ").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        peer.send(b"\r\n[n]\r\nPress F1 for help\r\n\r\n").await;
        peer.send(b"2025-07-21 17:18:42 system,error,critical login failure for user admin via local\r\n\r\n").await;
        peer.send(b"Change your password (Ctrl-C to skip)\r\n\r\nnew password> ").await;
        assert_eq!(peer.key().await, 3);
        peer.send(b"\r\n").await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    shell.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_default_configuration_is_never_removed() {
    let (ours, mut peer) = link();
    let login = Shell::login(ours, options());
    let router = async {
        peer.send(b"The following default configuration has been installed on your router:\r\n---\r\n").await;
        peer.send(b"To remove this default configuration type \"r\" or hit any other key to continue.\r\n").await;
        peer.send(b"If you are connected using the above IP and you remove it, you will be disconnected.\r\n").await;
        assert_eq!(peer.key().await, b'\r');
        let painted = peer.painted();
        peer.send(painted).await;
        // One of the two lines may have been answered twice: Enter at a prompt does nothing.
        let mut line = peer.line().await.unwrap();
        if line.is_empty() {
            line = peer.line().await.unwrap();
        }
        let frame = peer.frame(&line, &peer.printed(&line, Ok(&[])));
        peer.send(frame).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    shell.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_password_is_set_once_for_each_question() {
    let (ours, mut peer) = link();
    let new_password = NewPassword::Set(Secret::from("N3wSecret"));
    let login = Shell::login(ours, LoginOptions { new_password, ..options() });
    let router = async {
        peer.send(b"Change your password\r\nnew password> ").await;
        assert_eq!(peer.line().await.unwrap(), "N3wSecret");
        peer.send(b"*********\r\x1b[9999Bnew password> *********\r\nrepeat new password> ").await;
        assert_eq!(peer.line().await.unwrap(), "N3wSecret");
        peer.send(b"*********\r\nPassword changed\r\n").await;
        let painted = peer.painted();
        peer.send(painted).await;
        peer.answer(Ok(&[])).await;
    };
    let (shell, ()) = tokio::join!(login, router);
    shell.unwrap();
}

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

impl Peer {
    async fn near_again(&mut self) {
        self.prompt = "[admin@edge_HA_A_ACTIVE] > ".into();
        self.mac = Some(MAC_A);
        let painted = self.painted();
        self.send(format!("\r\nWelcome back!\r\n{painted}")).await;
    }
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

#[derive(Debug, Default)]
struct Log(Mutex<Vec<u8>>);

impl Transcript for Log {
    fn record(&self, _: Direction, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }
}

#[tokio::test(start_paused = true)]
async fn secrets_stay_out_of_transcripts_and_errors() {
    let log = Arc::new(Log::default());
    let options = LoginOptions {
        transcript: Some(log.clone()),
        secrets: vec![Secret::from("Gr33nPig"), Secret::from("oth3r\"one")],
        ..options()
    };
    assert!(!format!("{options:?}").contains("Gr33n"));
    let (shell, mut peer) = logged_in(options).await;
    let (outcome, _) = tokio::join!(shell.exec(":put visible"), peer.answer(Ok(&["it is Gr33nPig here"])));
    done(outcome);
    let (outcome, _) =
        tokio::join!(shell.exec("/user add name=ha password=\"Gr33nPig\" group=full"), peer.answer(Ok(&[])));
    done(outcome);
    let router = async {
        peer.answer(Err("failure: Gr33nPig is no good")).await;
        peer.answer(Ok(&[])).await;
    };
    let (outcome, ()) = tokio::join!(shell.exec("/x y z"), router);
    assert!(!format!("{outcome:?}").contains("Gr33nPig"), "{outcome:?}");
    let router = async {
        let line = peer.line().await.unwrap();
        let began = peer.printed(&line, Ok(&[]))[0].clone();
        peer.send(format!("{line}\r{P}{line}\r\n\r{began}\r\n\rsaid Gr33nPig\r\n\rand Gr33nPig")).await;
        drop(peer);
    };
    let (outcome, ()) = tokio::join!(shell.exec(":put 1"), router);
    let shown = format!("{outcome:?}");
    assert!(!shown.contains("Gr33nPig"), "{shown}");
    drop(shell);
    tokio::task::yield_now().await;
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("it is [masked] here") && log.contains("bytes withheld]"), "{log}");
    assert!(!log.contains("Gr33nPig"));
}

/// Polls `future` at most `polls` times, running everything else in between, then drops it.
async fn poll_times(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_at_any_poll_leaves_the_session_in_step() {
    let mut finished = 0;
    for polls in 0..40 {
        let (shell, peer) = logged_in(options()).await;
        let peer = tokio::spawn(peer.serve());
        finished += usize::from(poll_times(shell.exec(":put dropped"), polls).await);
        assert_eq!(done(shell.exec(":put second").await), "ok", "dropped at poll {polls}");
        assert_eq!(done(shell.exec(":put third").await), "ok");
        drop(shell);
        let peer = peer.await.unwrap();
        for line in &peer.typed {
            assert!(line.starts_with(":put (\"QA\" . "), "a whole line: {line}");
        }
        let second = peer.typed.iter().filter(|line| line.contains(":put second")).count();
        assert_eq!(second, 1);
    }
    assert!((1..40).contains(&finished), "{finished}");
}

#[tokio::test(start_paused = true)]
async fn callers_take_turns() {
    let (shell, peer) = logged_in(options()).await;
    let peer = tokio::spawn(peer.serve());
    let (a, b, c) = tokio::join!(shell.exec(":put 1"), shell.exec(":put 2"), shell.exec(":put 3"));
    for outcome in [a, b, c] {
        assert_eq!(done(outcome), "ok");
    }
    drop(shell);
    assert_eq!(peer.await.unwrap().typed.len(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever a hostile or broken far side says, a command ends, and only the marker makes it `Done`.
    #[test]
    fn garbage_is_never_a_result(noise in prop::collection::vec(any::<u8>(), 0..400), cut in 1usize..50) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (shell, mut peer) = logged_in(options()).await;
            let router = async {
                peer.line().await.unwrap();
                for chunk in noise.chunks(cut) {
                    peer.send(chunk).await;
                    tokio::task::yield_now().await;
                }
                peer
            };
            let (outcome, _peer) = tokio::join!(shell.exec("/system identity print"), router);
            assert!(matches!(outcome, Ok(Outcome::Unknown(_))), "{outcome:?}");
        });
    }
}
