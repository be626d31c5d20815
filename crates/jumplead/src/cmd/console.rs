//! `console`: a terminal on a router. Works in a pipe too.

use std::io::IsTerminal;
use std::task::Poll;
use std::time::Duration;

use routeros::{Outcome, Shell};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use crate::failure::{Exit, Failure, Result};
use crate::output::Output;
use crate::term::{self, RawMode};

/// Ctrl-], as telnet has it: no RouterOS console and no boot loader uses it.
const ESCAPE: u8 = 0x1d;

/// In a pipe, how long the router may be quiet after the last input before the session is closed.
const QUIET_AFTER_INPUT: Duration = Duration::from_secs(2);

/// How long an adapter that was unplugged, or a server that closed, is waited for.
const REOPEN: Duration = Duration::from_secs(3600);
/// Longer than a character at 300 bits a second.
const BREAK: Duration = Duration::from_millis(300);

const MENU: &str = "\r\n[jumplead] q quit   s session   b break   ] send Ctrl-]   any other key goes on\r\n";

/// A link as a terminal sees it: lines have a break, and may come back.
pub trait Attached: routeros::ByteLink {
    /// Sends a break. False: this link has none.
    async fn send_break(&mut self) -> std::io::Result<bool> {
        Ok(false)
    }

    /// Waits until the link is there again. False: it is over.
    async fn reopen(&mut self) -> bool {
        false
    }

    /// What the menu says of it.
    fn state(&mut self) -> String {
        self.describe()
    }
}

impl Attached for crate::mac_road::MacLink {}

impl Attached for routeros::Attached {}

impl Attached for crate::line_road::LineLink {
    async fn send_break(&mut self) -> std::io::Result<bool> {
        self.send_break(BREAK).await
    }

    async fn reopen(&mut self) -> bool {
        self.reopen(REOPEN).await.is_ok()
    }

    fn state(&mut self) -> String {
        self.state()
    }
}

/// What a key typed at the console means.
#[derive(Debug, PartialEq, Eq)]
enum Typed {
    Send(Vec<u8>),
    Menu,
    Session,
    Break,
    Quit,
    Back,
}

/// Splits what was typed at the escape key.
#[derive(Debug, Default)]
struct Escape {
    menu: bool,
}

impl Escape {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Typed> {
        let mut out = Vec::new();
        let mut plain = Vec::new();
        for &byte in bytes {
            if self.menu {
                self.menu = false;
                out.push(match byte {
                    b'q' | b'.' => Typed::Quit,
                    b's' => Typed::Session,
                    b'b' => Typed::Break,
                    b']' | ESCAPE => Typed::Send(vec![ESCAPE]),
                    _ => Typed::Back,
                });
            } else if byte == ESCAPE {
                if !plain.is_empty() {
                    out.push(Typed::Send(std::mem::take(&mut plain)));
                }
                self.menu = true;
                out.push(Typed::Menu);
            } else {
                plain.push(byte);
            }
        }
        if !plain.is_empty() {
            out.push(Typed::Send(plain));
        }
        out
    }
}

/// Why a session ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Quit,
    Router,
    Signal,
    Input,
}

/// Runs a terminal over `link` until one side ends it. The terminal is restored on every way out.
pub async fn run<L: Attached>(link: &mut L, out: &Output) -> Result {
    let name = link.describe();
    let interactive = term::interactive();
    if interactive {
        out.say(format!("Connected to {name}. Ctrl-] opens the menu."));
    }
    let raw = if interactive {
        Some(RawMode::enter().map_err(|error| {
            Failure::new(Exit::Bug, "console.terminal", "the terminal refused raw mode").cause(error)
        })?)
    } else {
        None
    };
    let end = pump(link, interactive).await;
    let _ = tokio::time::timeout(Duration::from_millis(500), link.shutdown()).await;
    drop(raw);
    match end {
        Ok(End::Quit | End::Input) => {
            if interactive {
                out.say(format!("\nDisconnected from {name}."));
            }
            Ok(())
        }
        Ok(End::Router) => {
            out.say(format!("\n{name} closed the session."));
            Ok(())
        }
        Ok(End::Signal) => {
            Err(Failure::new(Exit::Interrupted, "console.interrupted", "interrupted").state("the session was closed"))
        }
        Err(error) => Err(Failure::new(Exit::ExecUnknown, "console.lost", format!("the session with {name} broke"))
            .cause(error)
            .state("what was typed last may or may not have reached the router")
            .hint(format!("see whether it answers:  jumplead ping {name}"))),
    }
}

/// How long the routers on the way may take to let a console go.
const LEAVE: Duration = Duration::from_secs(15);

/// A console of a pair's member, proved to be its; the last router of a hop is left before the first.
///
/// In a pipe every line is a command of its own, guarded by who must answer: what stands behind a line that ended the far
/// session would otherwise be typed at the near router.
pub async fn member(shell: Shell, out: &Output) -> Result {
    let broken = |error: &routeros::Error| {
        Failure::new(Exit::ExecUnknown, error.code(), error.to_string())
            .state("what was typed last may or may not have reached the router")
    };
    if !term::interactive() {
        let ended = tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => {
                Err(Failure::new(Exit::Interrupted, "console.interrupted", "interrupted").state("the session was closed"))
            }
            ended = lines(&shell, out) => ended,
        };
        let _ = tokio::time::timeout(LEAVE, shell.close()).await;
        return ended;
    }
    let mut attached = shell.attach().await.map_err(|error| broken(&error).state("nothing was typed"))?;
    let ended = run(&mut attached, out).await;
    let _ = tokio::time::timeout(LEAVE, attached.leave()).await;
    ended
}

/// Runs every line of standard input, one at a time, and prints what the router says.
async fn lines(shell: &Shell, out: &Output) -> Result {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        match shell.exec(line).await {
            Ok(Outcome::Done(output)) if output.text.is_empty() => {}
            Ok(Outcome::Done(output)) => out.data(output.text.trim_end()),
            Ok(Outcome::Refused(refusal)) => out.data(refusal.to_string()),
            Ok(Outcome::Unknown(unknown)) => {
                return Err(Failure::new(
                    Exit::ExecUnknown,
                    "routeros.exec.unknown",
                    "it is not known whether a line ran",
                )
                .cause(&unknown)
                .state("the lines behind it were not typed")
                .hint("look at the router before you repeat it"));
            }
            Err(error) => {
                return Err(Failure::new(Exit::ExecUnknown, error.code(), error.to_string())
                    .state("this line and those behind it were not typed"));
            }
        }
    }
    Ok(())
}

async fn pump<L: Attached>(link: &mut L, interactive: bool) -> std::io::Result<End> {
    let mut stdin = tokio::io::stdin();
    let mut stdout = tokio::io::stdout();
    let mut window = signal(SignalKind::window_change())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut escape = Escape::default();
    let (mut typed, mut shown) = ([0; 1024], [0; 4096]);
    let mut quiet: Option<Instant> = None;
    let terminal = std::io::stdout().is_terminal();
    loop {
        let deadline = quiet.unwrap_or_else(|| Instant::now() + Duration::from_secs(86_400));
        tokio::select! {
            biased;
            _ = terminate.recv() => return Ok(End::Signal),
            _ = hangup.recv() => return Ok(End::Signal),
            _ = interrupt.recv() => return Ok(End::Signal),
            _ = window.recv(), if interactive => {
                if let Some((columns, rows)) = term::size() {
                    link.resize(columns, rows);
                }
            }
            n = link.read(&mut shown) => {
                let n = match n {
                    Ok(n) if n > 0 => n,
                    lost => match come_back(link, interactive, &mut stdin, &mut stdout, [&mut terminate, &mut hangup]).await? {
                        Back::There => continue,
                        Back::Over => return lost.map(|_| End::Router),
                        Back::Left(end) => return Ok(end),
                    },
                };
                let shown = shown.get(..n).unwrap_or_default();
                let rest = if terminal { shown } else { term::write_at_once(shown)? };
                if !rest.is_empty() {
                    stdout.write_all(rest).await?;
                    stdout.flush().await?;
                }
                quiet = quiet.map(|_| Instant::now() + QUIET_AFTER_INPUT);
            }
            n = stdin.read(&mut typed), if quiet.is_none() => {
                let n = n?;
                let typed = typed.get(..n).unwrap_or_default();
                if n == 0 {
                    quiet = Some(Instant::now() + QUIET_AFTER_INPUT);
                } else if interactive {
                    for act in escape.feed(typed) {
                        match act {
                            Typed::Send(bytes) => link.write_all(&bytes).await?,
                            Typed::Quit => return Ok(End::Quit),
                            Typed::Menu => stdout.write_all(MENU.as_bytes()).await?,
                            Typed::Session => {
                                let state = link.state();
                                stdout.write_all(format!("\r\n[jumplead] {state}\r\n").as_bytes()).await?;
                            }
                            Typed::Break => {
                                let sent = if link.send_break().await? { "break sent" } else { "this line has no break" };
                                stdout.write_all(format!("\r\n[jumplead] {sent}\r\n").as_bytes()).await?;
                            }
                            Typed::Back => {}
                        }
                    }
                    stdout.flush().await?;
                    link.flush().await?;
                } else {
                    // A console takes CR for Enter; a LF behind it would be a second Enter.
                    let line: Vec<u8> = typed.iter().filter(|b| **b != b'\r').map(|b| if *b == b'\n' { b'\r' } else { *b }).collect();
                    link.write_all(&line).await?;
                    link.flush().await?;
                }
            }
            () = sleep_until(deadline), if quiet.is_some() => return Ok(End::Input),
        }
    }
}

/// How a lost link went on.
enum Back {
    There,
    Over,
    Left(End),
}

/// Waits for a line that was lost, marking the gap; Ctrl-] q leaves.
async fn come_back<L: Attached>(
    link: &mut L,
    interactive: bool,
    stdin: &mut tokio::io::Stdin,
    stdout: &mut tokio::io::Stdout,
    [terminate, hangup]: [&mut tokio::signal::unix::Signal; 2],
) -> std::io::Result<Back> {
    if !interactive {
        return Ok(Back::Over);
    }
    let name = link.describe();
    let mut reopened = Box::pin(link.reopen());
    // A link that never comes back says so at once.
    let at_once = std::future::poll_fn(|cx| match reopened.as_mut().poll(cx) {
        Poll::Ready(there) => Poll::Ready(Some(there)),
        Poll::Pending => Poll::Ready(None),
    });
    if let Some(there) = at_once.await {
        return Ok(if there { Back::There } else { Back::Over });
    }
    let mark = format!("\r\n[jumplead] {name} is gone; waiting for it. Ctrl-] q quits\r\n");
    stdout.write_all(mark.as_bytes()).await?;
    stdout.flush().await?;
    let (mut escape, mut typed) = (Escape::default(), [0; 1024]);
    loop {
        tokio::select! {
            biased;
            _ = terminate.recv() => return Ok(Back::Left(End::Signal)),
            _ = hangup.recv() => return Ok(Back::Left(End::Signal)),
            there = &mut reopened => {
                if !there {
                    return Ok(Back::Over);
                }
                stdout.write_all(b"[jumplead] it is back; what was said meanwhile is lost\r\n").await?;
                stdout.flush().await?;
                return Ok(Back::There);
            }
            n = stdin.read(&mut typed) => {
                let n = n?;
                if n == 0 || escape.feed(typed.get(..n).unwrap_or_default()).contains(&Typed::Quit) {
                    return Ok(Back::Left(End::Quit));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_key_splits_what_is_typed() {
        let mut escape = Escape::default();
        assert_eq!(escape.feed(b"ab\x1d"), [Typed::Send(b"ab".to_vec()), Typed::Menu]);
        assert_eq!(escape.feed(b"]c"), [Typed::Send(vec![ESCAPE]), Typed::Send(b"c".to_vec())]);
        assert_eq!(escape.feed(b"\x1dq"), [Typed::Menu, Typed::Quit]);
        assert_eq!(escape.feed(b"\x1d\x1d"), [Typed::Menu, Typed::Send(vec![ESCAPE])]);
        assert_eq!(escape.feed(b"\x1dx"), [Typed::Menu, Typed::Back]);
    }
}
