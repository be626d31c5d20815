//! The state of one console session, owned by one task: who is there, whether we are in step, what went before.

use crate::dialogue::Dialogue;
use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::frame::{Mark, Nonce, Nonces};
use crate::link::BoxLink;
use crate::login;
use crate::options::LoginOptions;
use crate::prompt::Prompt;
use crate::proof::Proof;
use crate::question::Question;
use crate::secret::Secret;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// For a router to answer a line that does nothing. A command on an open session takes 0.3 s; a busy router or a lossy
/// link takes its time.
pub(crate) const FENCE: Duration = Duration::from_secs(8);
/// For the prompt behind a marker: it is painted at once.
const PROMPT_BEHIND: Duration = Duration::from_secs(3);
/// How often a serial line's router is asked who it is before it is believed to be another one.
const ASKED: usize = 3;
/// Silence after which a prompt during resynchronisation counts.
const SETTLE: Duration = Duration::from_millis(300);
/// For the router to close the link after `/quit`.
const QUIT: Duration = Duration::from_secs(5);
/// Attempts to get a session back in step.
const RESYNC_ROUNDS: usize = 3;
/// Ctrl-C: takes back a line, stops a command, leaves a question. The one key that harms nowhere.
pub(crate) const CTRL_C: &[u8] = b"\x03";

/// The router that a hop was made from, and how to know it again.
#[derive(Debug, Clone)]
pub(crate) struct Near {
    pub(crate) prompt: Prompt,
    pub(crate) proof: Option<Proof>,
    pub(crate) options: LoginOptions,
    /// What the far router's proof expression yields at the near one; `None` where it has no answer.
    pub(crate) answer: Option<String>,
    /// Whether its console is a serial line, in whose stead something else was at the cursor.
    pub(crate) line: bool,
}

/// What the handle shows and says beside the task's requests.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) prompt: Mutex<String>,
    /// The command that is under way gets no more time.
    pub(crate) stop: Notify,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) dialogue: Dialogue,
    pub(crate) options: LoginOptions,
    pub(crate) prompt: Prompt,
    pub(crate) proof: Option<Proof>,
    /// The password that was typed at this router's login, where one was.
    pub(crate) password: Option<Secret>,
    /// The routers behind, the nearest last.
    pub(crate) near: Vec<Near>,
    pub(crate) nonces: Nonces,
    /// Something was left unfinished: nothing is sent before `Session::resync`.
    pub(crate) out_of_step: bool,
    /// Why this session can't be used any more.
    pub(crate) over: Option<Error>,
    pub(crate) shared: Arc<Shared>,
}

impl Session {
    /// Logs in on a link.
    pub(crate) async fn open(link: BoxLink, options: LoginOptions) -> Result<Self, Error> {
        let mut dialogue = Dialogue::new(link, options.suffix.size(), options.transcript.clone());
        for secret in options.secrets.iter().chain(&options.passwords) {
            dialogue.log.masker.add(secret);
        }
        if let crate::options::NewPassword::Set(secret) = &options.new_password {
            dialogue.log.masker.add(secret);
        }
        let mut ladder = login::Ladder::new(&options.passwords);
        let prompt = login::login(&mut dialogue, &options, &mut ladder, login::Mode::Direct).await?;
        if options.wake.is_some() {
            dialogue.guard();
        }
        let mut session = Self {
            dialogue,
            prompt,
            proof: options.proof.clone(),
            password: ladder.typed().cloned(),
            near: Vec::new(),
            nonces: Nonces::new(options.seed),
            options,
            out_of_step: false,
            over: None,
            shared: Arc::default(),
        };
        let proof = session.proof.clone();
        let found = session.arrive(proof.as_ref()).await?;
        check(proof.as_ref(), found)?;
        Ok(session)
    }

    /// After the first prompt: learns it exactly, goes to the root menu, says who is there.
    pub(crate) async fn arrive(&mut self, proof: Option<&Proof>) -> Result<Option<String>, Error> {
        let found = match self.fence(proof).await {
            Ok(found) => found,
            // A prompt in the middle of a banner, a key lost while the router still started its editor.
            Err(Error::Timeout { .. }) => self.resync_as(proof).await?,
            Err(error) => return Err(error),
        };
        if !self.prompt.path.is_empty() {
            // A session that was left in a menu: every later line has an absolute path, what users type may not.
            self.dialogue.send(b"/\r");
            self.await_prompt().await?;
        }
        Ok(found)
    }

    pub(crate) fn learn(&mut self, prompt: Prompt) {
        self.dialogue.expect.set_prompt(&prompt);
        self.dialogue.far_prompt(&prompt.text);
        if let Ok(mut shared) = self.shared.prompt.lock() {
            shared.clone_from(&prompt.text);
        }
        self.prompt = prompt;
    }

    async fn await_prompt(&mut self) -> Result<(), Error> {
        let wait = self.dialogue.wait(vec![Pattern::Prompt(Duration::ZERO)], PROMPT_BEHIND, "waiting for the prompt");
        if let Found::Prompt(prompt) = wait.await?.found {
            self.learn(prompt);
        }
        Ok(())
    }

    /// Takes in the prompt behind a marker; without it the session is out of step.
    pub(crate) async fn settle(&mut self) {
        if self.await_prompt().await.is_err() {
            self.out_of_step = true;
        }
    }

    /// Types a line that does nothing and says who is there. `Ok(None)` where the router could not tell or nothing
    /// was asked.
    pub(crate) async fn fence(&mut self, proof: Option<&Proof>) -> Result<Option<String>, Error> {
        let mut asked = 1;
        loop {
            let nonce = self.nonces.next();
            self.type_line(&nonce.fence(proof)).await?;
            let found = self.await_fence(&nonce, FENCE).await?;
            self.await_prompt().await?;
            // What comes over a serial line may be damaged: another router says the same again.
            let odd = proof.is_some_and(|proof| found.as_deref() != Some(proof.expected()));
            if !odd || !self.dialogue.is_line() || asked == ASKED {
                return Ok(found);
            }
            asked += 1;
        }
    }

    pub(crate) async fn await_fence(&mut self, nonce: &Nonce, limit: Duration) -> Result<Option<String>, Error> {
        let wait =
            self.dialogue.wait(vec![Pattern::Line(nonce.mark(Mark::Fence))], limit, "asking the router who it is");
        match wait.await?.found {
            Found::Line(line) => Ok(nonce.value(Mark::Fence, &line.text)),
            _ => Ok(None),
        }
    }

    /// Whether the near router's prompt, unlike the far one's, is at the cursor.
    pub(crate) fn near_prompt_shows(&self) -> Option<&Near> {
        let near = self.near.last()?;
        let current = self.dialogue.expect.current();
        (near.prompt.text != self.prompt.text && near.prompt.is(&current)).then_some(near)
    }

    /// Two erased routers look the same.
    pub(crate) fn both_prompts_are_alike(&self) -> bool {
        self.near.last().is_some_and(|near| near.prompt.text == self.prompt.text)
    }

    pub(crate) fn hop_lost(&mut self, waiting: &str) -> Error {
        let near = self.near.last().map(|near| near.prompt.text.clone()).unwrap_or_default();
        let error = Error::HopLost { waiting: waiting.to_owned(), near };
        self.over = Some(error.clone());
        error
    }

    /// The error for an answer that is not the right router's.
    pub(crate) fn wrong_router(&mut self, proof: &Proof, found: Option<String>, waiting: &str) -> Error {
        if self.near.last().is_some_and(|near| near.answer == found) {
            return self.hop_lost(waiting);
        }
        let found = found.unwrap_or_else(|| "a router that has no answer".into());
        let error = Error::WrongRouter { expected: proof.expected().to_owned(), found };
        // A line that was proved otherwise than the session says nothing about the session.
        if self.proof.as_ref() == Some(proof) {
            self.over = Some(error.clone());
        }
        error
    }

    /// Before anything is sent: the link is up, the far session is there, we are in step.
    pub(crate) async fn ready(&mut self) -> Result<(), Error> {
        self.dialogue.catch_up().await;
        if let Some(error) = &self.over {
            return Err(error.clone());
        }
        if self.dialogue.expect.at_eof() {
            let error = self.dialogue.closed("between commands");
            self.over = Some(error.clone());
            return Err(error);
        }
        self.stays_up("between commands")?;
        if self.near_prompt_shows().is_some() {
            return Err(self.hop_lost("between commands"));
        }
        if self.out_of_step {
            let proof = self.proof.clone();
            let found = self.resync_as(proof.as_ref()).await?;
            if let Some(proof) = &proof
                && found.as_deref() != Some(proof.expected())
            {
                return Err(self.wrong_router(proof, found, "getting back in step"));
            }
        }
        Ok(())
    }

    /// Nothing is typed at a router that was seen to restart: a boot loader listens there.
    fn stays_up(&mut self, waiting: &str) -> Result<(), Error> {
        if !self.dialogue.restarts() {
            return Ok(());
        }
        let why = "the router restarts".to_owned();
        let error = Error::LinkClosed { waiting: waiting.to_owned(), why, seen: self.dialogue.seen() };
        self.over = Some(error.clone());
        Err(error)
    }

    /// Gets back to a prompt, whatever was left open, and asks who is there.
    pub(crate) async fn resync_as(&mut self, proof: Option<&Proof>) -> Result<Option<String>, Error> {
        let mut round = 1;
        loop {
            if self.near_prompt_shows().is_some() {
                return Err(self.hop_lost("getting back in step"));
            }
            self.stays_up("getting back in step")?;
            self.dialogue.send(CTRL_C);
            let patterns = vec![Pattern::Prompt(SETTLE), Pattern::Question(SETTLE, SETTLE)];
            match self.dialogue.wait(patterns, FENCE, "getting back in step").await {
                Ok(found) => match found.found {
                    Found::Question(Question::LoginName | Question::Password) => {
                        let error = Error::LinkClosed {
                            waiting: "getting back in step".into(),
                            why: "the router has logged this session out".into(),
                            seen: self.dialogue.seen(),
                        };
                        self.over = Some(error.clone());
                        return Err(error);
                    }
                    Found::Question(Question::Pager { .. } | Question::Monitor) => self.dialogue.send(b"q"),
                    _ => {}
                },
                Err(error @ Error::LinkClosed { .. }) => {
                    self.over = Some(error.clone());
                    return Err(error);
                }
                // Silence: the fence below has the last word.
                Err(_) => {}
            }
            if self.near_prompt_shows().is_some() {
                return Err(self.hop_lost("getting back in step"));
            }
            self.stays_up("getting back in step")?;
            self.dialogue.expect.discard();
            match self.fence(proof).await {
                Ok(found) => {
                    self.out_of_step = false;
                    return Ok(found);
                }
                Err(error) if round == RESYNC_ROUNDS => return Err(error),
                Err(_) => round += 1,
            }
        }
    }

    /// Keeps reading while nobody asks anything: answers probes, notices the end. Returns when something came.
    pub(crate) async fn idle(&mut self) {
        self.dialogue.pump().await;
    }

    /// Leaves every hop, then `/quit`, and drops the link.
    pub(crate) async fn close(mut self) -> Result<(), Error> {
        while !self.near.is_empty() {
            match self.unhop().await {
                Ok(()) => {}
                Err(Error::LinkClosed { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        if let Err(error) = self.ready().await {
            // It was not let go of: it is gone.
            return if self.dialogue.restarts() { Err(error) } else { Ok(()) };
        }
        self.dialogue.send(b"/quit\r");
        let patterns = vec![Pattern::Line("interrupted".into()), Pattern::Question(Duration::ZERO, QUIT)];
        match self.dialogue.wait(patterns, QUIT, "logging out").await {
            Ok(_) | Err(Error::LinkClosed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Checks who is there and guards every later command with it.
    pub(crate) async fn prove(&mut self, proof: Proof) -> Result<(), Error> {
        self.ready().await?;
        let found = match self.fence(Some(&proof)).await {
            Ok(found) => found,
            Err(error) => {
                self.out_of_step = true;
                return Err(error);
            }
        };
        check(Some(&proof), found)?;
        self.proof = Some(proof);
        Ok(())
    }
}

/// Whether the answer is the one that the proof expects.
pub(crate) fn check(proof: Option<&Proof>, found: Option<String>) -> Result<(), Error> {
    match proof {
        Some(proof) if found.as_deref() != Some(proof.expected()) => Err(Error::WrongRouter {
            expected: proof.expected().to_owned(),
            found: found.unwrap_or_else(|| "a router that has no answer".into()),
        }),
        _ => Ok(()),
    }
}
