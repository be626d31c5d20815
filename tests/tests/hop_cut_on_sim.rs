//! The hop ends inside the destructive line: what is left of the line is typed at the active router.
//!
//! The host types the line that the product really sends, at A, over MAC-Telnet, and through A's own `/tool mac-telnet` or
//! `/system serial-terminal`; the hop ends after each of its bytes; the rest goes on to A. Judged by A's recorder alone.

mod common;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bootstrap::path::BOOTSTRAP_FILE;
use common::{A_ETHER1, ADAPTER, Bench, Case, HA_PASSWORD, MacLink, OLD_PASSWORD, VIA_SERIAL, simulated};
use lab::pair::Topology;
use routeros::{ByteLink, Destructive, FileName, HopOptions, LoginOptions, NearShell, Proof, Secret, Shell, Suffix};
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

/// By which road the lines go through A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hop {
    /// A's `/tool mac-telnet`; B's console dies.
    MacTelnet,
    /// A's `/system serial-terminal`; the adapter of its port is unplugged.
    SerialTerminal,
    /// The same, and both routers show the same prompt.
    Alike,
}

/// Where what is typed stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Nowhere,
    /// Before the Enter of a line that has the mark, when so many with it have passed.
    Enter(usize),
    /// When so many bytes were typed.
    After(usize),
}

/// What is typed from the beginning of the work on.
#[derive(Debug)]
struct Cut {
    mark: &'static [u8],
    stop: Stop,
    typed: Vec<u8>,
    /// What was typed when it stopped.
    at: usize,
    held: bool,
    waker: Option<Waker>,
}

fn last_line(typed: &[u8]) -> &[u8] {
    let begin = typed.iter().rposition(|byte| *byte == b'\r').map_or(0, |at| at + 1);
    &typed[begin..]
}

impl Cut {
    /// How many of `bytes` may pass.
    fn room(&mut self, bytes: &[u8]) -> usize {
        match self.stop {
            Stop::Nowhere => bytes.len(),
            Stop::After(at) => bytes.len().min(at - self.typed.len()),
            Stop::Enter(skip) => {
                let Some(enter) = bytes.iter().position(|byte| *byte == b'\r') else { return bytes.len() };
                let line = [last_line(&self.typed), &bytes[..enter]].concat();
                if !line.windows(self.mark.len()).any(|window| window == self.mark) {
                    return enter + 1;
                }
                match skip.checked_sub(1) {
                    None => enter,
                    Some(left) => {
                        // The whole line may not be taken at once: it counts when its Enter is.
                        if enter == 0 {
                            self.stop = Stop::Enter(left);
                        }
                        if enter == 0 { 1 } else { enter }
                    }
                }
            }
        }
    }
}

/// Holds what is typed behind the cut until it is let go.
struct CutLink {
    inner: MacLink,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl AsyncRead for CutLink {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for CutLink {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let mut room = bytes.len();
        if let Some(cut) = self.cut.lock().unwrap().as_mut() {
            if !cut.held {
                room = cut.room(bytes);
            }
            if cut.held || room == 0 {
                if !cut.held {
                    (cut.held, cut.stop, cut.at) = (true, Stop::Nowhere, cut.typed.len());
                }
                cut.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
        }
        let polled = Pin::new(&mut self.inner).poll_write(cx, &bytes[..room]);
        if let (Poll::Ready(Ok(written)), Some(cut)) = (&polled, self.cut.lock().unwrap().as_mut()) {
            cut.typed.extend_from_slice(&bytes[..*written]);
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

/// What A is called while it is active.
const A_IDENTITY: &str = "edge-1_HA_A_ACTIVE";

fn login(user: &str, password: &str, mac: &str) -> LoginOptions {
    let mut login = LoginOptions::new(user);
    login.passwords = vec![Secret::new(password)];
    login.proof = Some(Proof::ha_port("ether8", mac).unwrap());
    login.timeouts.command = Duration::from_secs(5);
    login.secrets = vec![Secret::new(HA_PASSWORD)];
    login
}

/// A console of B through A, and A's own when it comes back from a serial terminal.
async fn console_of_b(a: Shell, hop: Hop) -> (Shell, Option<NearShell>) {
    let login = login("admin", OLD_PASSWORD, "74:4D:28:00:00:0B");
    if hop == Hop::MacTelnet {
        let options = HopOptions { host: "74:4D:28:00:00:0B".into(), interface: "bridge-ether8".into(), login };
        return (a.hop(options).await.map_err(|failed| failed.error).unwrap(), None);
    }
    let (line, lent) = a.serial_terminal(ADAPTER).await.map_err(|failed| failed.error).unwrap();
    let login = LoginOptions { suffix: Suffix::Serial, wake: Some(routeros::boot::IDLE), ..login };
    (Shell::login(line, login).await.unwrap(), Some(lent))
}

/// One attempt, stopped there. What was typed up to then.
async fn attempt(bench: &Bench, hop: Hop, typing: Typing, stop: Stop) -> Vec<u8> {
    let near = login("admin", common::A_PASSWORD, "74:4D:28:00:00:0A");
    let cut = Arc::new(Mutex::new(None));
    let link = CutLink { inner: bench.link(A_ETHER1, &near).await, cut: Arc::clone(&cut) };
    let a = Shell::login(link, near).await.unwrap();
    let (b, lent) = console_of_b(a, hop).await;
    *cut.lock().unwrap() = Some(Cut { mark: typing.mark(), stop, typed: Vec::new(), at: 0, held: false, waker: None });
    let held = |cut: &Mutex<Option<Cut>>| cut.lock().unwrap().as_ref().is_some_and(|cut| cut.held);
    let proof = Proof::ha_port("ether8", "74:4D:28:00:00:0B").unwrap();
    let act = "/system reset-configuration no-defaults=yes keep-users=no skip-backup=yes \
               run-after-reset=HA_jumplead_bootstrap.rsc";
    let act = Destructive::new(proof, act).unwrap();
    let (state, near, far) = (Arc::clone(&cut), bench.pair.a.clone(), bench.pair.b.clone());
    let disturb = async move {
        while !held(&state) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // the bytes are on B; then the hop ends, and A's prompt is back
        tokio::time::sleep(Duration::from_millis(300)).await;
        match hop {
            Hop::MacTelnet => far.with(Router::crash_console),
            Hop::SerialTerminal | Hop::Alike => near.with(|router, now| router.plug_adapter(now, ADAPTER, false)),
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mut cut = state.lock().unwrap();
        let cut = cut.as_mut().unwrap();
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
    let outcome = tokio::time::timeout(Duration::from_secs(240), work).await;
    // whatever the driver made of it, what it typed has arrived
    tokio::time::sleep(Duration::from_secs(3)).await;
    disturbed.abort();
    assert!(outcome.is_ok(), "the driver hangs, {stop:?}");
    drop(b);
    tokio::time::sleep(Duration::from_secs(1)).await;
    if let Some(mut lent) = lent {
        // the terminal is left, and A is who it was
        let (a, _) = lent.back().await.unwrap_or_else(|error| panic!("{stop:?}: {error}"));
        assert_eq!(a.value("[/system identity get name]").await.unwrap().text(), A_IDENTITY);
        a.close().await.unwrap();
        bench.pair.a.with(|router, now| router.plug_adapter(now, ADAPTER, true));
        // what was left half typed there, and in its variables
        bench.pair.b.with(Router::crash_console);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut cut = cut.lock().unwrap().take().unwrap();
    cut.typed.truncate(cut.at);
    cut.typed
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

fn every_byte(hop: Hop, typing: Typing, part: usize, of: usize, version: &'static str) {
    simulated(|| async move {
        let road_b = (hop != Hop::MacTelnet).then_some(VIA_SERIAL);
        let case = Case { road_b, ..Case::new(version, Topology::BehindA, true) };
        let mut settings = case.settings();
        if hop == Hop::Alike {
            settings.b.setup.push_str(&format!("/system identity set name={A_IDENTITY}\n"));
        }
        let bench = Bench::with(case, settings);
        let identity = bench.single(&bench.pair.b, "/system/identity", "name");
        // The line, and what is typed before it: a cut there is one more.
        let enter = Stop::Enter(typing.skip());
        if matches!(typing, Typing::Piece(_)) {
            // The first time the file has to be made.
            attempt(&bench, hop, typing, enter).await;
        }
        let whole = attempt(&bench, hop, typing, enter).await;
        assert_a_untouched(&bench, whole.len());
        let line = last_line(&whole).len();
        let before = whole.len() - line;
        assert!(line > 50 && last_line(&whole).windows(typing.mark().len()).any(|w| w == typing.mark()), "{whole:?}");
        let mut tried = 1;
        // Without its Enter the line is not whole; with it, it is B's to run.
        for after in (1 + part..line).step_by(of) {
            let typed = attempt(&bench, hop, typing, Stop::After(before + after)).await;
            assert_eq!(typed, whole[..before + after], "what is typed is the same each time");
            assert_a_untouched(&bench, after);
            tried += 1;
        }
        println!("{hop:?} {typing:?} {version}: {tried} cuts of {line}");
        assert!(tried > 50 / of, "only {tried} cuts");
        assert_eq!(bench.counts('A'), (0, 0));
        assert_eq!(bench.single(&bench.pair.b, "/system/identity", "name"), identity);
    });
}

#[test]
fn reset_line_cut_after_every_odd_byte() {
    every_byte(Hop::MacTelnet, Typing::Reset, 0, 2, "7.18.2");
}

#[test]
fn reset_line_cut_after_every_even_byte() {
    every_byte(Hop::MacTelnet, Typing::Reset, 1, 2, "7.18.2");
}

#[test]
fn reset_line_cut_after_every_byte_on_6_44() {
    every_byte(Hop::MacTelnet, Typing::Reset, 0, 1, "6.44.6");
}

/// The bootstrap file takes so many pieces; one more would never be begun.
const PIECES: usize = 4;

/// All bytes take minutes: every fifth here, each piece from another one, all with `JUMPLEAD_EVERY_BYTE` set.
fn pieces(version: &'static str, which: std::ops::Range<usize>) {
    let step = if std::env::var_os("JUMPLEAD_EVERY_BYTE").is_some() { 1 } else { 5 };
    for piece in which {
        every_byte(Hop::MacTelnet, Typing::Piece(piece), piece % step, step, version);
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
    every_byte(Hop::MacTelnet, Typing::Import, 0, 1, "7.18.2");
    every_byte(Hop::MacTelnet, Typing::Import, 0, 1, "6.44.6");
}

/// Over a line every byte takes minutes, too: every seventh here.
fn on_a_serial_port(hop: Hop, typing: Typing, part: usize, version: &'static str) {
    let step = if std::env::var_os("JUMPLEAD_EVERY_BYTE").is_some() { 1 } else { 7 };
    every_byte(hop, typing, part % step, step, version);
}

#[test]
fn reset_line_cut_on_a_serial_port() {
    on_a_serial_port(Hop::SerialTerminal, Typing::Reset, 0, "7.18.2");
    on_a_serial_port(Hop::SerialTerminal, Typing::Reset, 3, "6.44.6");
}

#[test]
fn reset_line_cut_on_a_serial_port_between_two_of_one_name() {
    on_a_serial_port(Hop::Alike, Typing::Reset, 1, "7.18.2");
}

#[test]
fn file_and_import_cut_on_a_serial_port() {
    on_a_serial_port(Hop::SerialTerminal, Typing::Piece(0), 2, "7.18.2");
    on_a_serial_port(Hop::SerialTerminal, Typing::Import, 4, "7.18.2");
    on_a_serial_port(Hop::Alike, Typing::Piece(1), 5, "6.44.6");
}

/// The same apparatus sees it when a line is not safe: the act in plain words does reach A.
#[test]
fn a_line_in_plain_words_would_have_reset_a() {
    simulated(|| async {
        let bench = Bench::new(Case::new("7.18.2", Topology::BehindA, true));
        let near = login("admin", common::A_PASSWORD, "74:4D:28:00:00:0A");
        let mut plain = near.clone();
        plain.proof = None;
        let a = Shell::login(bench.link(A_ETHER1, &plain).await, plain).await.unwrap();
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
