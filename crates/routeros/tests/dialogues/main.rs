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

mod commands;
mod login;
mod proof;

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
    /// Keys are echoed one by one, as on a serial line; Ctrl-C takes back what stands there.
    echo: bool,
    /// The echo of this key, counted from here, is damaged.
    spoil: Option<usize>,
}

fn link() -> (DuplexStream, Peer) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    (ours, Peer { io: theirs, prompt: P.into(), mac: Some(MAC_B), typed: Vec::new(), echo: false, spoil: None })
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
                Ok(3) if self.echo => {
                    self.typed.push(format!("{}^C", String::from_utf8_lossy(&line)));
                    line.clear();
                    let painted = format!("\r\n{}", self.painted());
                    self.send(painted).await;
                }
                Ok(byte) => {
                    line.push(byte);
                    if self.echo {
                        let damaged = self.spoil == Some(0);
                        self.spoil = self.spoil.and_then(|left| left.checked_sub(1));
                        self.send([if damaged { byte ^ 1 } else { byte }]).await;
                    }
                }
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
        let echoed = if self.echo { "" } else { line };
        let mut frame = format!("{echoed}\r{}{line}\r\n", self.prompt);
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

impl Peer {
    async fn near_again(&mut self) {
        self.prompt = "[admin@edge_HA_A_ACTIVE] > ".into();
        self.mac = Some(MAC_A);
        let painted = self.painted();
        self.send(format!("\r\nWelcome back!\r\n{painted}")).await;
    }
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
