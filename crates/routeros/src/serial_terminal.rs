//! What hangs on a serial port of a logged-in router, by its `/system serial-terminal`, and safely back.
//!
//! To whoever uses it, it is a serial line like any other. To the router it is a command that takes every key but its prefix,
//! Ctrl-A: a second one sends one, `Q` ends it (T31). It can also end by itself, when an adapter is unplugged or the router's
//! console dies; what is typed next lands on the near router. So what comes is watched for the near router's prompt, which
//! ends the line; and where both routers show the same prompt, the proof on each typed line has the last word, as on a hop.
//!
//! The near router gets its console back when the line is dropped, whatever the reason: the terminal is quit, the router
//! proved, and only then its shell handed out by [`NearShell`].

use crate::boot::{self, Phase};
use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::hop::{BACK_ROUNDS, HAS_ENDED};
use crate::link::ByteLink;
use crate::outcome::Outcome;
use crate::session::{Near, Session};
use crate::shell::{HopFailed, Shell};
use crate::text::check_sendable;
use crate::value::Value;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Ctrl-A.
pub(crate) const PREFIX: u8 = 0x01;
/// Ends the terminal.
const QUIT: &[u8] = &[PREFIX, b'Q'];
/// Makes the terminal send a break.
const BREAK: &[u8] = &[PREFIX, b'B'];
/// What the terminal says first.
const HELLO: &str = "[Ctrl-A is the prefix key]";
/// How a router's question for a name ends.
const LOGIN: &str = "Login:";
/// For the near prompt behind [`QUIT`].
const QUIT_WAIT: Duration = Duration::from_secs(5);
/// The word for a router's own console on a port, which stays; with a number behind it on RouterOS 7.
const CONSOLE: &str = "Serial Console";
/// Characters in the name of a port.
const NAME: usize = 32;

/// A line on a serial port of the router that a shell was at.
#[derive(Debug)]
pub struct SerialTerminal {
    port: String,
    session: Option<Session>,
    /// The near router's prompt, by which its end is known.
    near: String,
    /// The far router's, once somebody has logged in there.
    far: Option<String>,
    /// The near router's prompt has shown: the terminal is over.
    over: bool,
    /// The near router is on a serial line itself, up to where it was looked through for a boot.
    seen: Option<u64>,
    /// A boot loader is on the line, the near router's for all that is known.
    loader: bool,
    back: Option<oneshot::Sender<Left>>,
}

/// The near router's shell, and when it was proved.
type Left = Result<(Shell, Instant), Error>;

/// The near router's shell, proved, once its terminal has been left.
#[derive(Debug)]
pub struct NearShell(oneshot::Receiver<Left>);

impl NearShell {
    /// Waits for it, and says since when it has stood idle; its line must have been dropped. What boots on that line is waited
    /// out first. May be dropped and called again.
    ///
    /// # Errors
    /// The near router's console could not be had back: its link is closed.
    pub async fn back(&mut self) -> Result<(Shell, Instant), Error> {
        (&mut self.0).await.unwrap_or(Err(Error::Closed))
    }
}

fn check_port(port: &str) -> Result<(), Error> {
    let fits =
        (1..=NAME).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fits { Ok(()) } else { Err(Error::Unsendable { why: format!("{port:?} is no name of a serial port") }) }
}

impl Shell {
    /// Takes a serial port of this router.
    ///
    /// # Errors
    /// [`HopFailed`], with this shell back where possible: [`Error::NoPort`] where the router has no such port, [`Error::HopRefused`] where
    /// its own console is there, [`Error::PortInUse`] where somebody else has it, and [`Error::Unsendable`] without a proof of this router, which nobody could know again.
    pub async fn serial_terminal(self, port: &str) -> Result<(SerialTerminal, NearShell), HopFailed> {
        if let Err(error) = self.free_port(port).await {
            return Err(HopFailed { error, near: Some(self) });
        }
        let mut session = self.take().await.map_err(|error| HopFailed { error, near: None })?;
        if session.proof.is_none() {
            let why = "a serial terminal needs a proof of the router that has the port".to_owned();
            return Err(HopFailed { error: Error::Unsendable { why }, near: Some(Self::start(session)) });
        }
        let (near, is_line) = (session.prompt.text.clone(), session.dialogue.is_line());
        match session.open_terminal(port).await {
            Ok(()) => {
                let (back, shell) = oneshot::channel();
                let terminal = SerialTerminal {
                    port: port.to_owned(),
                    near,
                    far: None,
                    over: false,
                    seen: is_line.then(|| session.dialogue.expect.line_number()),
                    loader: false,
                    session: Some(session),
                    back: Some(back),
                };
                Ok((terminal, NearShell(shell)))
            }
            Err(error) => {
                let near = session.over.is_none().then(|| Self::start(session));
                Err(HopFailed { error, near })
            }
        }
    }

    /// Whether the port is there, and nobody's: RouterOS's own console would share it, or be shared.
    async fn free_port(&self, port: &str) -> Result<(), Error> {
        check_port(port)?;
        let of = |name: &str| format!("[/port get [find name=\"{port}\"] {name}]");
        let (used, inactive) = (of("used-by"), of("inactive"));
        let mut values = self.values(&[&used, &inactive]).await?;
        let (inactive, used) = (values.pop().flatten(), values.pop().flatten());
        let why = match used.as_ref().map(Value::text) {
            None => return Err(Error::NoPort { port: port.to_owned(), has: self.ports().await }),
            Some(user) if user.starts_with(CONSOLE) => format!("its port {port} is used by {user}"),
            Some(user) if !user.is_empty() => {
                return Err(Error::PortInUse { port: port.to_owned(), user: user.to_owned() });
            }
            Some(_) if inactive.is_some_and(|value| value.text() == "true") => format!("its port {port} is inactive"),
            Some(_) => return Ok(()),
        };
        Err(Error::HopRefused { why })
    }
}

impl Shell {
    /// Names of its serial ports, for people; none where it does not say.
    async fn ports(&self) -> Vec<String> {
        const PORTS: &str = ":foreach i in=[/port find] do={:put (\"port=\" . [/port get $i name])}";
        let Ok(Outcome::Done(output)) = self.read(PORTS).await else { return Vec::new() };
        let names = output.text.lines().filter_map(|line| line.trim_end().strip_prefix("port="));
        names.filter(|name| check_port(name).is_ok()).map(str::to_owned).collect()
    }
}

impl Session {
    /// Opens the terminal. After an error the session is the near router's again, or over.
    async fn open_terminal(&mut self, port: &str) -> Result<(), Error> {
        let line = format!("/system serial-terminal port={port}");
        check_sendable(&line)?;
        self.ready().await?;
        self.near.push(Near {
            prompt: self.prompt.clone(),
            proof: self.proof.clone(),
            options: self.options.clone(),
            answer: None,
            line: self.dialogue.is_line(),
        });
        match self.enter(&line).await {
            Ok(()) => Ok(()),
            Err(error) => {
                if let Err(lost) = self.leave_terminal().await {
                    self.over = Some(lost);
                }
                Err(error)
            }
        }
    }

    async fn enter(&mut self, line: &str) -> Result<(), Error> {
        self.dialogue.expect.discard();
        self.type_line(line).await?;
        // A boot that shows from here on is the far router's.
        self.dialogue.unguard();
        let patterns = vec![Pattern::Line(HELLO.into()), Pattern::Prompt(HAS_ENDED)];
        let first = self.dialogue.wait(patterns, self.options.timeouts.hop, "opening the serial terminal").await?;
        match first.found {
            Found::Line(_) => {
                self.dialogue.set_prefix(Some(PREFIX));
                Ok(())
            }
            _ => Err(self.hop_refused(&first.before, line)),
        }
    }

    /// Whether the near router's prompt stands at the cursor, whatever is typed behind it.
    pub(crate) fn near_stands(&self) -> bool {
        let current = self.dialogue.expect.current();
        self.near.last().is_some_and(|near| current.starts_with(&near.prompt.text))
    }

    /// Quits the terminal and proves the near router. After an error the console is nobody's: the link must go.
    async fn leave_terminal(&mut self) -> Result<(), Error> {
        self.dialogue.take_back();
        self.dialogue.set_prefix(None);
        let mut last = Error::NotAHop;
        for _ in 0..BACK_ROUNDS {
            self.dialogue.catch_up().await;
            self.dialogue.expect.discard();
            // Where the terminal has ended already, this is a letter in the near router's line, which is taken back below.
            self.dialogue.send(QUIT);
            let patterns = vec![Pattern::Prompt(HAS_ENDED), Pattern::Quiet(HAS_ENDED)];
            match self.dialogue.wait(patterns, QUIT_WAIT, "leaving the serial terminal").await {
                // Only then is Ctrl-C the near router's, and no boot loader's.
                Ok(_) if self.near_stands() => return self.back().await,
                Err(error @ Error::LinkClosed { .. }) => return Err(error),
                Err(error) => last = error,
                Ok(_) => {}
            }
        }
        Err(last)
    }
}

impl Session {
    /// Waits, with nothing typed, until no boot loader can be on the line any more: a login stands there, or the near router.
    async fn boot_over(&mut self) -> Result<(), Error> {
        self.dialogue.take_back();
        let until = Instant::now() + boot::BOOT;
        loop {
            if self.near_stands() || self.dialogue.expect.current().trim_end().ends_with(LOGIN) {
                return Ok(());
            }
            let left = until.saturating_duration_since(Instant::now());
            let patterns = vec![Pattern::Question(Duration::ZERO, boot::BOOT), Pattern::Quiet(HAS_ENDED)];
            self.dialogue.wait(patterns, left, "waiting for what boots on the serial port").await?;
        }
    }
}

impl SerialTerminal {
    fn session(&mut self) -> std::io::Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| std::io::ErrorKind::BrokenPipe.into())
    }

    /// For a person, who proves nothing: whatever looks like the near router's prompt ends the line, even if it is the far
    /// one's.
    pub fn end_at_near_prompt(&mut self) {
        self.far = Some(String::new());
    }

    /// Sends a break.
    ///
    /// # Errors
    /// The line is over.
    pub fn send_break(&mut self) -> std::io::Result<()> {
        if self.over {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.session()?.dialogue.send(BREAK);
        Ok(())
    }

    /// Looks at what has just come.
    fn look(&mut self) {
        let Some(session) = &mut self.session else { return };
        let told_apart = self.far.as_ref().is_some_and(|far| *far != self.near);
        self.over = told_apart && session.near_stands();
        if let Some(from) = self.seen {
            let expect = &session.dialogue.expect;
            // While it only goes down, nobody listens to keys yet.
            self.loader |=
                expect.finished_since(from).any(|line| boot::phase(line).is_some_and(|phase| phase > Phase::Down));
            self.seen = Some(expect.line_number());
            // Whoever's boot it was, it is over: a login knows neither key of what ends the terminal.
            if expect.current().trim_end().ends_with(LOGIN) {
                self.loader = false;
            }
        }
    }
}

impl AsyncRead for SerialTerminal {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        if self.over {
            return Poll::Ready(Ok(()));
        }
        ready!(self.session()?.dialogue.poll_pass(cx, buf))?;
        self.look();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SerialTerminal {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        if self.over {
            return Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()));
        }
        self.session()?.dialogue.poll_type(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.session()?.dialogue.poll_typed(cx)
    }

    /// The terminal is left when this is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl ByteLink for SerialTerminal {
    fn describe(&self) -> String {
        let near = self.session.as_ref().map(|session| session.dialogue.describe()).unwrap_or_default();
        format!("{} of {near}", self.port)
    }

    fn near_prompt(&self) -> Option<&str> {
        Some(&self.near)
    }

    fn far_prompt(&mut self, prompt: &str) {
        self.far = Some(prompt.to_owned());
    }
}

impl Drop for SerialTerminal {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        // Without a runtime nothing can be typed.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (back, loader) = (self.back.take(), self.loader);
        runtime.spawn(async move {
            // Nothing is typed where the near router itself may be in its boot loader.
            let quiet = if loader { session.boot_over().await } else { Ok(()) };
            let left = match quiet {
                Ok(()) => session.leave_terminal().await.map(|()| (Shell::start(session), Instant::now())),
                Err(error) => Err(error),
            };
            let unwanted = match back {
                Some(back) => back.send(left).err(),
                None => Some(left),
            };
            if let Some(Ok((shell, _))) = unwanted {
                // Its own failure changes nothing any more.
                let _ = shell.close().await;
            }
        });
    }
}
