//! From a logged-in router to its neighbour by `/tool mac-telnet`, and safely back.
//!
//! While a hop is open the link belongs to whichever router holds the other end of the near one's console. Every line
//! to the far router is guarded by its proof; going back is proved by what the same expression yields at the near one.

use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::login::{Ladder, Mode, login};
use crate::options::{LoginOptions, NewPassword};
use crate::proof::Proof;
use crate::question::Question;
use crate::session::{CTRL_C, Near, Session, check};
use crate::text::{check_sendable, quote};
use std::time::Duration;

/// Silence behind a prompt after which `/tool mac-telnet` has ended instead of asking for a name.
pub(crate) const HAS_ENDED: Duration = Duration::from_secs(1);
/// For `/quit` to bring the near prompt back.
const QUIT: Duration = Duration::from_secs(10);
/// Attempts to get back to the near router.
pub(crate) const BACK_ROUNDS: usize = 3;

/// How to hop: from a logged-in router to its neighbour by `/tool mac-telnet`.
#[derive(Debug, Clone)]
pub struct HopOptions {
    /// The neighbour's address on the shared cable: `74:4D:28:00:00:0B`.
    pub host: String,
    /// The near router's interface, by its current name.
    pub interface: String,
    /// The login at the far router. It must have a proof.
    pub login: LoginOptions,
}

impl HopOptions {
    fn command(&self) -> Result<String, Error> {
        let mac = self.host.split(':').count() == 6
            && self.host.split(':').all(|byte| byte.len() == 2 && byte.bytes().all(|c| c.is_ascii_hexdigit()));
        if !mac {
            return Err(Error::Unsendable { why: format!("{:?} is no hardware address", self.host) });
        }
        let line = format!("/tool mac-telnet host={} interface={}", self.host, quote(&self.interface));
        check_sendable(&line)?;
        Ok(line)
    }
}

impl Session {
    /// Opens the hop. After an error the session is the near router's again, or over.
    pub(crate) async fn hop(&mut self, options: &HopOptions) -> Result<(), Error> {
        let command = options.command()?;
        let Some(proof) = options.login.proof.clone() else {
            return Err(Error::Unsendable { why: "a hop needs a proof of the far router".into() });
        };
        self.ready().await?;
        let answer = match self.fence(Some(&proof)).await {
            Ok(answer) => answer,
            Err(error) => {
                self.out_of_step = true;
                return Err(error);
            }
        };
        if answer.as_deref() == Some(proof.expected()) {
            return Err(Error::HopRefused { why: "this console already is the router to hop to".into() });
        }
        let masker = &mut self.dialogue.log.masker;
        for secret in options.login.secrets.iter().chain(&options.login.passwords) {
            masker.add(secret);
        }
        if let NewPassword::Set(secret) = &options.login.new_password {
            masker.add(secret);
        }
        self.near.push(Near {
            prompt: self.prompt.clone(),
            proof: self.proof.clone(),
            options: self.options.clone(),
            answer,
            line: self.dialogue.is_line(),
        });
        match self.reach(&command, options, &proof).await {
            Ok(()) => {
                self.proof = Some(proof);
                self.options = options.login.clone();
                Ok(())
            }
            Err(error) => {
                if let Err(lost) = self.back().await {
                    self.over = Some(lost);
                }
                Err(error)
            }
        }
    }

    /// From the near prompt to the far one, proved.
    async fn reach(&mut self, command: &str, options: &HopOptions, proof: &Proof) -> Result<(), Error> {
        let mut ladder = Ladder::new(&options.login.passwords);
        loop {
            self.dialogue.expect.discard();
            self.dialogue.send(command.as_bytes());
            self.dialogue.send(b"\r");
            let patterns = vec![Pattern::Question(Duration::ZERO, HAS_ENDED), Pattern::Prompt(HAS_ENDED)];
            let first = self.dialogue.wait(patterns, options.login.timeouts.hop, "opening the hop").await?;
            let question = match first.found {
                Found::Question(question @ (Question::LoginName | Question::Password)) => question,
                _ => return Err(self.hop_refused(&first.before, command)),
            };
            if question == Question::LoginName {
                self.dialogue.send(options.login.login_name().as_bytes());
                self.dialogue.send(b"\r");
            }
            match login(&mut self.dialogue, &options.login, &mut ladder, Mode::Hop).await {
                Ok(prompt) => {
                    let said = self.dialogue.seen();
                    // On a line what is typed is proved by its echo, which stands behind the far prompt.
                    if self.dialogue.is_line() {
                        self.learn(prompt);
                    }
                    let found = self.arrive(Some(proof)).await?;
                    if self.near.last().is_some_and(|near| near.answer == found) {
                        // That prompt was the near router's: its client has given up.
                        return Err(Error::HopRefused { why: self.reason(&said) });
                    }
                    return check(Some(proof), found);
                }
                Err(Error::LoginRejected { .. }) if !ladder.is_exhausted() => self.near_again().await?,
                Err(error) => return Err(error),
            }
        }
    }

    /// What is left of an excerpt without the login's own dialogue and the near router's prompts: its reason.
    fn reason(&self, said: &str) -> String {
        let prompt = self.near.last().map(|near| near.prompt.text.trim().to_owned()).unwrap_or_default();
        let ours = |line: &&str| {
            let line = line.trim();
            let dialogue = ["Login:", "Password:", "Trying "].iter().any(|word| line.starts_with(word));
            !line.is_empty() && !dialogue && (prompt.is_empty() || !line.contains(prompt.as_str()))
        };
        // An excerpt has its line ends escaped.
        let words: Vec<&str> = said.split("\\n").filter(ours).map(str::trim).collect();
        if words.is_empty() { said.to_owned() } else { words.join("; ") }
    }

    /// The near router's words for why `command` did not lead on.
    pub(crate) fn hop_refused(&self, before: &[crate::terminal::Line], command: &str) -> Error {
        let words: Vec<&str> = before
            .iter()
            .filter(|line| !line.prompt && !line.text.contains(command))
            .map(|line| line.text.trim())
            .filter(|text| !text.is_empty())
            .collect();
        Error::HopRefused { why: self.dialogue.log.masker.mask_text(&words.join("; ")) }
    }

    /// Waits for the near prompt after the far router has refused a login.
    async fn near_again(&mut self) -> Result<(), Error> {
        let Some(near) = self.near.last().cloned() else { return Err(Error::NotAHop) };
        if near.prompt.is(&self.dialogue.expect.current()) {
            return Ok(());
        }
        let patterns = vec![Pattern::Prompt(HAS_ENDED), Pattern::Question(HAS_ENDED, HAS_ENDED)];
        match self.dialogue.wait(patterns, QUIT, "waiting for the near router after a refused login").await?.found {
            Found::Prompt(prompt) if prompt.text == near.prompt.text => Ok(()),
            _ => Err(Error::HopRefused { why: self.dialogue.seen() }),
        }
    }

    /// Leaves the far router and proves the near one. After an error the console is nobody's: the link must go.
    pub(crate) async fn unhop(&mut self) -> Result<(), Error> {
        if self.near.is_empty() {
            return Err(Error::NotAHop);
        }
        self.dialogue.catch_up().await;
        if !matches!(self.over, Some(Error::HopLost { .. })) && self.near_prompt_shows().is_none() {
            // `/quit` at a prompt of either router only ends that session; it is typed once, and only in step.
            self.ready().await?;
            self.dialogue.expect.discard();
            self.dialogue.send(b"/quit\r");
            let wait = self.dialogue.wait(vec![Pattern::Prompt(HAS_ENDED)], QUIT, "leaving the far router");
            match wait.await {
                Ok(_) | Err(Error::Timeout { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.back().await
    }

    /// The far session is over, or was never there: proves that the near router answers and makes it ours again.
    pub(crate) async fn back(&mut self) -> Result<(), Error> {
        let Some(near) = self.near.last().cloned() else { return Err(Error::NotAHop) };
        let far = self.proof.clone();
        let mut last = Error::NotAHop;
        for round in 0..BACK_ROUNDS {
            self.dialogue.catch_up().await;
            if round > 0 || !near.prompt.is(&self.dialogue.expect.current()) {
                // A name or password question of the near one's client, or nothing at all.
                self.dialogue.send(CTRL_C);
                let wait =
                    self.dialogue.wait(vec![Pattern::Prompt(HAS_ENDED)], QUIT, "getting back to the near router");
                match wait.await {
                    Ok(_) => {}
                    Err(error @ Error::LinkClosed { .. }) => return Err(error),
                    Err(error) => {
                        last = error;
                        continue;
                    }
                }
            }
            self.dialogue.expect.discard();
            let question = near.proof.clone().or_else(|| far.clone());
            match self.fence(question.as_ref()).await {
                Ok(found) => {
                    let ours = match (&near.proof, &far) {
                        (Some(proof), _) => found.as_deref() == Some(proof.expected()),
                        (None, Some(_)) => found == near.answer,
                        (None, None) => self.prompt.text == near.prompt.text,
                    };
                    if ours {
                        self.proof = near.proof;
                        self.options = near.options;
                        self.near.pop();
                        if near.line && !self.dialogue.is_line() {
                            self.dialogue.guard();
                        }
                        self.over = None;
                        self.out_of_step = false;
                        return Ok(());
                    }
                    last = Error::WrongRouter {
                        expected: near.prompt.text.clone(),
                        found: found.unwrap_or_else(|| self.prompt.text.clone()),
                    };
                }
                Err(error @ Error::LinkClosed { .. }) => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
