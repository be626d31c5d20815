//! The hop ends inside the destructive line: what is left of the line is typed at the active router.
//!
//! The host types the line that the product really sends, at A, over MAC-Telnet and A's own `/tool mac-telnet`; B's console
//! dies after each of its bytes; the rest goes on to A. Judged by A's recorder alone.

mod common;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bootstrap::path::BOOTSTRAP_FILE;
use common::{A_ETHER1, Bench, Case, HA_PASSWORD, MacLink, OLD_PASSWORD, simulated};
use lab::pair::Topology;
use routeros::{ByteLink, Destructive, FileName, HopOptions, LoginOptions, Proof, Secret, Shell};
use routersim::record::EventKind;
use routersim::router::Router;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is being typed at B when the hop ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Typing {
    /// The destructive line.
    Reset,
    /// A piece of the bootstrap file, by number: text that would configure whoever runs it.
    Piece(usize),
    /// The import of that file.
    Import,
}

impl Typing {
    /// What only its line holds.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Reset => b":execute",
            Self::Piece(_) => b":set ($HAjl->\"0",
            Self::Import => b"/import",
        }
    }

    /// How many lines with the mark go before the one that is cut.
    fn skip(self) -> usize {
        if let Self::Piece(number) = self { number } else { 0 }
    }
}

/// Where the line is cut, and how far that has come.
#[derive(Debug, Default)]
struct Cut {
    /// Bytes of the line that pass before the cut; none is cut while this is `None`.
    after: Option<usize>,
    mark: &'static [u8],
    /// Lines with the mark that still pass whole.
    skip: usize,
    /// The line was begun: its whole length.
    line: usize,
    passed: usize,
    held: bool,
    waker: Option<Waker>,
}

/// Passes the first bytes of the destructive line, then holds the rest until it is let go.
struct CutLink {
    inner: MacLink,
    cut: Arc<Mutex<Cut>>,
}

impl AsyncRead for CutLink {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for CutLink {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let mut room = bytes.len();
        {
            let mut cut = self.cut.lock().unwrap();
            if cut.held {
                cut.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            if let Some(after) = cut.after {
                if cut.line == 0 && bytes.windows(cut.mark.len()).any(|w| w == cut.mark) {
                    match cut.skip.checked_sub(1) {
                        Some(left) => cut.skip = left,
                        None => cut.line = bytes.len(),
                    }
                }
                if cut.line > 0 {
                    room = after - cut.passed;
                    if room == 0 {
                        (cut.held, cut.after) = (true, None);
                        cut.waker = Some(cx.waker().clone());
                        return Poll::Pending;
                    }
                }
            }
        }
        let polled = Pin::new(&mut self.inner).poll_write(cx, &bytes[..room.min(bytes.len())]);
        if let Poll::Ready(Ok(written)) = polled {
            let mut cut = self.cut.lock().unwrap();
            if cut.line > 0 {
                cut.passed += written;
            }
        }
        polled
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl ByteLink for CutLink {
    fn describe(&self) -> String {
        self.inner.describe()
    }
}

fn login(user: &str, password: &str, mac: &str) -> LoginOptions {
    let mut login = LoginOptions::new(user);
    login.passwords = vec![Secret::new(password)];
    login.proof = Some(Proof::ha_port("ether8", mac).unwrap());
    login.timeouts.command = Duration::from_secs(5);
    login.secrets = vec![Secret::new(HA_PASSWORD)];
    login
}

/// One attempt, cut after `after` bytes. The length of the line, as far as it was begun.
async fn attempt(bench: &Bench, typing: Typing, after: usize) -> usize {
    let cut =
        Arc::new(Mutex::new(Cut { after: Some(after), mark: typing.mark(), skip: typing.skip(), ..Cut::default() }));
    let near = login("admin", common::A_PASSWORD, "74:4D:28:00:00:0A");
    let inner = bench.roads.link(A_ETHER1, &near).await;
    let link = CutLink { inner, cut: Arc::clone(&cut) };
    let a = Shell::login(link, near).await.unwrap();
    let hop = HopOptions {
        host: "74:4D:28:00:00:0B".into(),
        interface: "bridge-ether8".into(),
        login: login("admin", OLD_PASSWORD, "74:4D:28:00:00:0B"),
    };
    let b = a.hop(hop).await.map_err(|failed| failed.error).unwrap();
    let proof = Proof::ha_port("ether8", "74:4D:28:00:00:0B").unwrap();
    let act = "/system reset-configuration no-defaults=yes keep-users=no skip-backup=yes \
               run-after-reset=HA_jumplead_bootstrap.rsc";
    let act = Destructive::new(proof, act).unwrap();
    let (state, router) = (Arc::clone(&cut), bench.pair.b.clone());
    let disturb = async move {
        while !state.lock().unwrap().held {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // the bytes are on B; then its console dies, and A's prompt is back
        tokio::time::sleep(Duration::from_millis(300)).await;
        router.with(Router::crash_console);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut cut = state.lock().unwrap();
        cut.held = false;
        if let Some(waker) = cut.waker.take() {
            waker.wake();
        }
    };
    let disturbed = tokio::task::spawn_local(disturb);
    let text = bootstrap::path::bootstrap_file(&bench.site, bootstrap::target::Member::B, &Secret::new(HA_PASSWORD));
    let file = FileName::ours(BOOTSTRAP_FILE).unwrap();
    let work = async {
        match typing {
            Typing::Reset => drop(b.destroy(&act).await),
            Typing::Piece(_) => drop(b.put_file(&file, text.as_bytes()).await),
            Typing::Import => drop(b.exec(format!("/import {BOOTSTRAP_FILE}")).await),
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(120), work).await;
    // whatever the driver made of it, what it typed has arrived
    tokio::time::sleep(Duration::from_secs(3)).await;
    disturbed.abort();
    assert!(outcome.is_ok(), "the driver hangs, cut after {after}");
    let line = cut.lock().unwrap().line;
    // one write is the whole line: no part of it escapes the cuts
    assert!(typing != Typing::Reset || line > act.statement().len(), "{line} bytes are only a part of the line");
    drop(b);
    tokio::time::sleep(Duration::from_secs(1)).await;
    line
}

/// Nothing that erases, replaces or restarts a router was even asked for on A, nor was anything configured there.
fn assert_a_untouched(bench: &Bench, after: usize) {
    assert_eq!(bench.our_files(&bench.pair.a), [""; 0], "files on A, cut after {after}");
    for (who, event) in bench.events() {
        if who != 'A' || event.at < bench.ready {
            continue;
        }
        match event.kind {
            EventKind::Asked { command, .. } => panic!("A was asked for {command}, cut after {after}"),
            // A's own scheduled scripts note in files of theirs what they saw of B; no line of ours may leave a file.
            EventKind::Config { menu, properties, .. } if menu == "/file" && properties == ["contents"] => {}
            EventKind::Config { menu, verb, user, .. } if user != "*sys" => {
                panic!("A: {verb} in {menu} by {user}, cut after {after}")
            }
            kind if kind.is_destructive() => panic!("A: {kind:?}, cut after {after}"),
            _ => {}
        }
    }
}

fn every_byte(typing: Typing, part: usize, of: usize, version: &'static str) {
    simulated(|| async move {
        let bench = Bench::new(Case::new(version, Topology::BehindA, true));
        let (mut after, mut tried) = (1 + part, 0);
        loop {
            let line = attempt(&bench, typing, after).await;
            assert!(line > 50, "the line was never begun: cut after {after}, {line}");
            assert_a_untouched(&bench, after);
            tried += 1;
            after += of;
            // the last byte is the Enter: with it the line is whole, and B's to run
            if after >= line {
                break;
            }
        }
        println!("{typing:?} {version}: {tried} cuts");
        assert!(tried > 50 / of, "only {tried} cuts");
        assert_eq!(bench.counts('A'), (0, 0));
        assert_eq!(bench.single(&bench.pair.b, "/system/identity", "name").as_deref(), Some("branch-office-7"));
    });
}

#[test]
fn reset_line_cut_after_every_odd_byte() {
    every_byte(Typing::Reset, 0, 2, "7.18.2");
}

#[test]
fn reset_line_cut_after_every_even_byte() {
    every_byte(Typing::Reset, 1, 2, "7.18.2");
}

#[test]
fn reset_line_cut_after_every_byte_on_6_44() {
    every_byte(Typing::Reset, 0, 1, "6.44.6");
}

/// The bootstrap file takes so many pieces; one more would never be begun.
const PIECES: usize = 4;

/// All bytes take minutes: every fifth here, each piece from another one, all with `JUMPLEAD_EVERY_BYTE` set.
fn pieces(version: &'static str, which: std::ops::Range<usize>) {
    let step = if std::env::var_os("JUMPLEAD_EVERY_BYTE").is_some() { 1 } else { 5 };
    for piece in which {
        every_byte(Typing::Piece(piece), piece % step, step, version);
    }
}

#[test]
fn first_pieces_of_the_file_cut() {
    pieces("7.18.2", 0..2);
}

#[test]
fn last_pieces_of_the_file_cut() {
    pieces("7.18.2", 2..PIECES);
}

#[test]
fn pieces_of_the_file_cut_on_6_44() {
    pieces("6.44.6", 0..PIECES);
}

#[test]
fn import_line_cut_after_every_byte() {
    every_byte(Typing::Import, 0, 1, "7.18.2");
    every_byte(Typing::Import, 0, 1, "6.44.6");
}

/// The same apparatus sees it when a line is not safe: the act in plain words does reach A.
#[test]
fn a_line_in_plain_words_would_have_reset_a() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", Topology::BehindA, true));
        let near = login("admin", common::A_PASSWORD, "74:4D:28:00:00:0A");
        let mut plain = near.clone();
        plain.proof = None;
        let a = Shell::login(bench.roads.link(A_ETHER1, &plain).await, plain).await.unwrap();
        // the end of an unguarded line, as it would be left over
        let _ = a.exec(":execute \"/system reset-configuration no-defaults=yes skip-backup=yes\"").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let asked = |(who, event): &(char, routersim::record::Event)| {
            *who == 'A' && matches!(event.kind, EventKind::Asked { command: "/system/reset-configuration", .. })
        };
        assert!(bench.events().iter().any(asked), "the recorder sees at once that A was asked");
        // the configuration goes when the kernel starts again
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(bench.counts('A').0, 1, "and that it was erased");
    });
}
