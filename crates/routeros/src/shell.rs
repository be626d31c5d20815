//! The shell: a handle to the task that owns a session.

use crate::attach::Attached;
use crate::boot::{self, Boot};
use crate::error::Error;
use crate::exec::Care;
use crate::expect::{Found, Pattern};
use crate::hop::HopOptions;
use crate::link::ByteLink;
use crate::options::LoginOptions;
use crate::outcome::{Outcome, Output};
use crate::proof::Proof;
use crate::secret::Secret;
use crate::session::{Session, Shared};
use crate::value::{Look, Value, look_statement, parse_looks};
use routeros_script::Version;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Requests that wait for the session; callers beyond wait in `send`.
const QUEUE: usize = 8;
/// Statements that read values, in one line.
const LOOKS_BYTES: usize = 1000;
/// Attempts to read values: a log line may have been pushed into the answer.
const READS: usize = 3;
/// Answers that are compared with the one before, until two agree. What is read may move by itself, as a clock does.
const AGREE: usize = 4;
/// Silence behind a near prompt after which the far session has ended.
const NEAR_SETTLE: Duration = Duration::from_millis(500);

/// A command and how to run it. `"...".into()` is the plain form.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// One line, one or more statements, absolute paths.
    pub text: String,
    /// Instead of the session's.
    pub timeout: Option<Duration>,
    /// Keeps both directions out of the transcript while it runs: its line or its output holds a part of a secret.
    pub private: bool,
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A command may set a password.
        f.debug_struct("Command").field("bytes", &self.text.len()).field("timeout", &self.timeout).finish()
    }
}

impl Command {
    /// A command with the session's timeout.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), timeout: None, private: false }
    }
}

impl<T: Into<String>> From<T> for Command {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// How a session ended that was expected to.
#[derive(Debug)]
pub enum Gone {
    /// The link itself ended.
    LinkClosed,
    /// The far session ended; this is the near router's shell, proved.
    BackAt(Shell),
    /// A serial line shows that the router restarts. The link is dropped, with nothing typed.
    Restarts,
    /// Nothing came for the given time, which proves nothing. The link is dropped.
    Silent,
}

/// A hop that failed, with the near shell where it could be kept.
#[derive(Debug)]
pub struct HopFailed {
    /// Why.
    pub error: Error,
    /// The near router's shell, proved and usable, unless the link went too.
    pub near: Option<Shell>,
}

#[derive(Debug)]
pub(crate) enum Request {
    Exec {
        command: Command,
        care: Care,
        proof: Option<Proof>,
        reply: oneshot::Sender<Result<Outcome, Error>>,
    },
    Prove {
        proof: Proof,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// Lines that do nothing but fill a variable, several at a time; gives which of them the router echoed as they are.
    Pour {
        lines: Vec<String>,
        reply: oneshot::Sender<Result<Vec<bool>, Error>>,
    },
    /// Another password for the user who is logged in.
    OwnPassword {
        new: Secret,
        reply: oneshot::Sender<Result<bool, Error>>,
    },
    Mask(Secret),
    /// Gives the session away and ends the task.
    Take(oneshot::Sender<Session>),
}

/// A logged-in console. One task owns the link and runs one request at a time; a request that is dropped before its
/// first byte is never sent, one that is dropped later is run to its end before the next begins.
#[derive(Debug)]
pub struct Shell {
    requests: mpsc::Sender<Request>,
    shared: Arc<Shared>,
    link: String,
    hops: usize,
    /// The link itself leads through another router.
    behind: bool,
    boots: Vec<Boot>,
    speed: Option<u32>,
    /// Of the terminal that the login asked for.
    columns: u16,
    /// Nothing proves what the link carries: a serial line.
    unproved: bool,
}

async fn serve(mut session: Session, mut requests: mpsc::Receiver<Request>) {
    loop {
        tokio::select! {
            biased;
            request = requests.recv() => match request {
                None => return,
                Some(Request::Take(reply)) => {
                    let _ = reply.send(session);
                    return;
                }
                Some(Request::Mask(secret)) => session.dialogue.log.masker.add(&secret),
                Some(Request::Exec { reply, .. }) if reply.is_closed() => {}
                Some(Request::Exec { command, care, proof, reply }) => {
                    let _ = reply.send(session.exec(&command, care, proof).await);
                }
                Some(Request::Pour { lines, mut reply }) => {
                    let poured = session.pour(&lines, &mut reply).await;
                    let _ = reply.send(poured);
                }
                Some(Request::OwnPassword { new, reply }) => {
                    let _ = reply.send(session.own_password(&new).await);
                }
                Some(Request::Prove { proof, reply }) => {
                    let _ = reply.send(session.prove(proof).await);
                }
            },
            () = session.idle() => {}
        }
    }
}

impl Shell {
    /// Logs in on `link`, which has authenticated already (MAC-Telnet, SSH) or will ask `Login:` and `Password:`.
    ///
    /// # Errors
    /// [`Error::LoginRejected`], [`Error::NewPassword`], [`Error::WrongRouter`], [`Error::LinkClosed`], [`Error::Timeout`].
    pub async fn login(link: impl ByteLink + 'static, options: LoginOptions) -> Result<Self, Error> {
        Ok(Self::start(Session::open(Box::new(link), options).await?))
    }

    pub(crate) fn start(session: Session) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let shell = Self {
            requests: sender,
            shared: session.shared.clone(),
            link: session.dialogue.describe(),
            hops: session.near.len(),
            behind: session.dialogue.near_prompt().is_some(),
            boots: session.dialogue.boots.clone(),
            speed: session.dialogue.speed(),
            columns: session.options.suffix.size().cols,
            unproved: session.dialogue.is_line(),
        };
        tokio::spawn(serve(session, receiver));
        shell
    }

    /// The exact prompt, as learned last.
    pub fn prompt(&self) -> String {
        self.shared.prompt.lock().map(|prompt| prompt.clone()).unwrap_or_default()
    }

    /// The boots that its login waited out, on a serial line.
    pub fn boots(&self) -> &[Boot] {
        &self.boots
    }

    /// The speed at which the login was had, in bits a second, where the link has one that is set here.
    pub fn speed(&self) -> Option<u32> {
        self.speed
    }

    /// Columns of the terminal that the login asked for.
    pub(crate) fn columns(&self) -> usize {
        usize::from(self.columns)
    }

    /// The link, for people.
    pub fn describe(&self) -> String {
        match self.hops {
            0 => self.link.clone(),
            hops => format!("{} and {hops} hop{} on", self.link, if hops == 1 { "" } else { "s" }),
        }
    }

    /// Runs one line. `Err` means that it certainly did not run.
    ///
    /// # Errors
    /// [`Error::WrongRouter`], [`Error::HopLost`], [`Error::LinkClosed`], [`Error::Unsendable`], [`Error::Closed`].
    pub async fn exec(&self, command: impl Into<Command>) -> Result<Outcome, Error> {
        self.request(command.into(), Care::Ordinary, None).await
    }

    /// The command that is under way gets no more time: its outcome is what has come by now, or unknown. What the router does of
    /// it ends with the session at the latest.
    pub fn stop(&self) {
        self.shared.stop.notify_waiters();
    }

    pub(crate) async fn exec_destructive(&self, command: Command, proof: Proof) -> Result<Outcome, Error> {
        self.request(command, Care::Destructive, Some(proof)).await
    }

    async fn request(&self, command: Command, care: Care, proof: Option<Proof>) -> Result<Outcome, Error> {
        let (reply, answer) = oneshot::channel();
        let request = Request::Exec { command, care, proof, reply };
        self.requests.send(request).await.map_err(|_| Error::Closed)?;
        // The task answers every request that it takes; it is gone only together with its runtime.
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// Types lines ahead of their answers, as far as the router's input buffer surely holds them.
    pub(crate) async fn pour(&self, lines: Vec<String>) -> Result<Vec<bool>, Error> {
        self.ask(|reply| Request::Pour { lines, reply }).await
    }

    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Request,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| Error::Closed)?;
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// Whether this is the console of a router behind another one.
    pub(crate) fn is_hop(&self) -> bool {
        self.hops > 0 || self.behind
    }

    /// Runs one line that only looks. A serial line may damage what it carries: there it is asked until two answers agree.
    ///
    /// # Errors
    /// As [`Self::exec`], and [`Error::Garbled`] where no two answers agree.
    pub async fn read(&self, command: impl Into<Command>) -> Result<Outcome, Error> {
        let command = command.into();
        let mut last = self.exec(command.clone()).await?;
        if !self.unproved {
            return Ok(last);
        }
        for _ in 0..AGREE {
            let next = self.exec(command.clone()).await?;
            if next == last {
                return Ok(next);
            }
            last = next;
        }
        Err(Error::Garbled { what: "a question, by the answers to it".into(), seen: "each time another one".into() })
    }

    /// Runs one line that must succeed.
    ///
    /// # Errors
    /// As [`Self::exec`], and [`Error::Refused`], [`Error::Unknown`].
    pub async fn run(&self, command: impl Into<Command>) -> Result<Output, Error> {
        self.exec(command).await?.done()
    }

    /// The exact value of an expression such as `[/system identity get name]`.
    ///
    /// # Errors
    /// As [`Self::run`], and [`Error::Garbled`].
    pub async fn value(&self, expression: &str) -> Result<Value, Error> {
        match self.look(&[expression], false).await?.pop() {
            Some(Look::Whole(value)) => Ok(value),
            _ => self.spell(expression, false).await,
        }
    }

    /// The exact values of several expressions, in as few lines as fit; `None` for each that the router fails on.
    ///
    /// # Errors
    /// As [`Self::value`]; an expression that does not parse fails all.
    pub async fn values(&self, expressions: &[&str]) -> Result<Vec<Option<Value>>, Error> {
        let mut values = Vec::with_capacity(expressions.len());
        let mut rest = expressions;
        while !rest.is_empty() {
            let mut length = 0;
            let fits = rest
                .iter()
                .take_while(|expression| {
                    length += look_statement(expression, true).len() + 2;
                    length <= LOOKS_BYTES
                })
                .count();
            let (now, later) = rest.split_at(fits.max(1));
            rest = later;
            for (look, expression) in self.look(now, true).await?.into_iter().zip(now) {
                values.push(match look {
                    Look::Whole(value) => Some(value),
                    Look::Long => Some(self.spell(expression, false).await?),
                    Look::Absent => None,
                });
            }
        }
        Ok(values)
    }

    async fn look(&self, expressions: &[&str], lenient: bool) -> Result<Vec<Look>, Error> {
        let statements: Vec<String> = expressions.iter().map(|e| look_statement(e, lenient)).collect();
        let line = statements.join("; ");
        let mut length = 0;
        for _ in 0..READS {
            let output = self.read(line.as_str()).await?.done()?;
            match parse_looks(&output) {
                Some(looks) if looks.len() == expressions.len() => return Ok(looks),
                _ => length = output.text.len(),
            }
        }
        // Not the text: a value may be a secret.
        Err(Error::Garbled { what: expressions.join(", "), seen: format!("{length} bytes") })
    }

    /// The router's version.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub async fn version(&self) -> Result<Version, Error> {
        let text = self.value("[/system resource get version]").await?.text();
        text.parse().map_err(|_| Error::Garbled { what: "the version".into(), seen: text })
    }

    /// Checks who this is now, and guards every later command with it.
    ///
    /// # Errors
    /// [`Error::WrongRouter`] and those of [`Self::run`].
    pub async fn prove(&self, proof: Proof) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Prove { proof, reply }).await.map_err(|_| Error::Closed)?;
        answer.await.unwrap_or(Err(Error::Closed))
    }

    /// Masks one more secret, before the next command runs.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn mask(&self, secret: Secret) -> Result<(), Error> {
        self.requests.send(Request::Mask(secret)).await.map_err(|_| Error::Closed)
    }

    pub(crate) async fn take(self) -> Result<Session, Error> {
        let (reply, session) = oneshot::channel();
        self.requests.send(Request::Take(reply)).await.map_err(|_| Error::Closed)?;
        session.await.map_err(|_| Error::Closed)
    }

    /// From here to a neighbour. This shell becomes the far one's near end.
    ///
    /// # Errors
    /// [`HopFailed`], with this shell back where possible.
    pub async fn hop(self, options: HopOptions) -> Result<Self, HopFailed> {
        let mut session = self.take().await.map_err(|error| HopFailed { error, near: None })?;
        match session.hop(&options).await {
            Ok(()) => Ok(Self::start(session)),
            Err(error) => {
                let near = session.over.is_none().then(|| Self::start(session));
                Err(HopFailed { error, near })
            }
        }
    }

    /// Ends the hop, or finds that it has ended, and proves that the console is the near router's again.
    ///
    /// # Errors
    /// [`HopFailed`]; `near` is then this shell itself if it is no hop.
    pub async fn unhop(self) -> Result<Self, HopFailed> {
        let mut session = self.take().await.map_err(|error| HopFailed { error, near: None })?;
        match session.unhop().await {
            Ok(()) => Ok(Self::start(session)),
            Err(Error::NotAHop) => Err(HopFailed { error: Error::NotAHop, near: Some(Self::start(session)) }),
            Err(error) => Err(HopFailed { error, near: None }),
        }
    }

    /// Sends nothing and waits until the session ends: after a reboot was ordered. Silence for `silence` also counts,
    /// where the link itself does not notice the end.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the session is still alive after `limit`.
    pub async fn wait_gone(self, silence: Duration, limit: Duration) -> Result<Gone, Error> {
        let mut session = self.take().await?;
        let deadline = tokio::time::Instant::now() + limit;
        session.dialogue.catch_up().await;
        session.dialogue.unguard();
        let serial = session.options.wake.is_some();
        loop {
            if session.dialogue.restarts() {
                return Ok(Gone::Restarts);
            }
            if session.near_prompt_shows().is_some() {
                return match session.back().await {
                    Ok(()) => Ok(Gone::BackAt(Self::start(session))),
                    Err(Error::LinkClosed { .. }) => Ok(Gone::LinkClosed),
                    Err(error) => Err(error),
                };
            }
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let mut patterns = vec![Pattern::Prompt(NEAR_SETTLE), Pattern::Quiet(silence)];
            let boots = patterns.len();
            if serial {
                patterns.extend(boot::patterns());
            }
            match session.dialogue.wait(patterns, left, "waiting for the session to end").await {
                Ok(found) if found.pattern >= boots => return Ok(Gone::Restarts),
                Ok(found) if found.found == Found::Quiet => return Ok(Gone::Silent),
                Ok(_) if session.both_prompts_are_alike() => {
                    // Whose prompt it is can only be asked; the question changes nothing on either.
                    let proof = session.proof.clone();
                    if let Ok(found) = session.fence(proof.as_ref()).await
                        && session.near.last().is_some_and(|near| near.answer == found)
                    {
                        return match session.back().await {
                            Ok(()) => Ok(Gone::BackAt(Self::start(session))),
                            Err(error) => Err(error),
                        };
                    }
                }
                Ok(_) => {}
                Err(Error::LinkClosed { .. }) => return Ok(Gone::LinkClosed),
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the console itself away, to a person.
    ///
    /// # Errors
    /// [`Error::HopRefused`] where nobody could tell the two routers of a hop apart, and those of [`Self::run`].
    pub async fn attach(self) -> Result<Attached, Error> {
        Attached::new(self.take().await?).await
    }

    /// Leaves every hop, then `/quit`, and drops the link.
    ///
    /// # Errors
    /// [`Error::Timeout`] when the router does not let go.
    pub async fn close(self) -> Result<(), Error> {
        self.take().await?.close().await
    }
}
