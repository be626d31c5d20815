//! A user's own password, by `/password`: it is asked for and not echoed, so that what a console server writes down of a line
//! does not hold it. For another user's password RouterOS has no such question (routeros-console.md section 1.5; inferred).

use std::time::Duration;

use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::outcome::Stage;
use crate::question::Question;
use crate::refusal::classify;
use crate::secret::Secret;
use crate::session::Session;
use crate::shell::{Request, Shell};
use crate::terminal::Line;

/// Silence behind a question or the prompt.
const SETTLED: Duration = Duration::from_millis(250);
/// For the next question.
const ANSWER: Duration = Duration::from_secs(10);
/// A hidden answer has no echo to be proved by: what a bad line did to it is refused, as the wrong or another password, or
/// leaves a question open. Whether an attempt has changed it may not be known then, so every second one takes the new one for
/// the old.
const TRIES: usize = 4;
const DOING: &str = "changing the own password";

impl Session {
    /// False, with nothing typed: not here. Behind another router the session may end between two answers, and the secret
    /// would be typed at that one's prompt; and the old password is known only where this session typed it.
    pub(crate) async fn own_password(&mut self, new: &Secret) -> Result<bool, Error> {
        let Some(old) = self.password.clone() else { return Ok(false) };
        if !self.near.is_empty() || self.dialogue.near_prompt().is_some() || !self.dialogue.is_line() {
            return Ok(false);
        }
        self.dialogue.log.masker.add(new);
        let mut tries = 1;
        loop {
            self.ready().await?;
            let now = if tries % 2 == 1 { &old } else { new };
            match self.ask_password(now, new).await {
                Ok(()) => {
                    self.password = Some(new.clone());
                    return Ok(true);
                }
                Err(error) => {
                    self.out_of_step = !matches!(error, Error::Refused(_));
                    let again = matches!(error, Error::Refused(_) | Error::Timeout { .. } | Error::Garbled { .. });
                    if !again || tries == TRIES {
                        return Err(error);
                    }
                    tries += 1;
                }
            }
        }
    }

    async fn ask_password(&mut self, old: &Secret, new: &Secret) -> Result<(), Error> {
        self.dialogue.expect.discard();
        self.type_line("/password").await?;
        let mut said: Vec<Line> = Vec::new();
        // `old password`, `new password`, `retype new password` on 6.x; 7.x names the arguments [I].
        for (secret, word) in [(old, "old"), (new, "new"), (new, "new")] {
            let patterns = vec![Pattern::Question(SETTLED, SETTLED), Pattern::Prompt(SETTLED)];
            let found = self.dialogue.wait(patterns, ANSWER, DOING).await?;
            said.extend(found.before);
            match found.found {
                Found::Question(Question::Secret(asked) | Question::Value(asked))
                    if asked.contains("password") && asked.contains(word) =>
                {
                    self.dialogue.send_secret(secret);
                }
                Found::Prompt(_) => return Err(refused(&said)),
                _ => return Err(Error::Garbled { what: "what /password asks".into(), seen: self.dialogue.seen() }),
            }
        }
        let found = self.dialogue.wait(vec![Pattern::Prompt(SETTLED)], ANSWER, DOING).await?;
        said.extend(found.before);
        // What was asked, with its stars, is no answer.
        let is_answer = |line: &&Line| !line.text.trim().is_empty() && !line.text.contains("password: ");
        let said: Vec<Line> =
            said.iter().filter(is_answer).filter(|line| !line.text.ends_with("/password")).cloned().collect();
        if said.iter().any(|line| line.text.to_lowercase().contains("password") || line.text.starts_with("failure")) {
            return Err(refused(&said));
        }
        Ok(())
    }
}

fn refused(said: &[Line]) -> Error {
    Error::Refused(classify(&said.iter().collect::<Vec<_>>(), Stage::Run, |column| column))
}

impl Shell {
    /// Gives the user who is logged in another password, by the router's hidden questions. False, with nothing typed, where that
    /// can't be done: on other links than a line, and where the line was found logged in. A login proves it.
    ///
    /// # Errors
    /// [`Error::Refused`] in the router's words, and those of [`Shell::run`].
    pub async fn own_password(&self, new: Secret) -> Result<bool, Error> {
        self.ask(|reply| Request::OwnPassword { new, reply }).await
    }

    /// Who is logged in.
    pub fn user(&self) -> String {
        let prompt = self.prompt();
        let user = prompt.trim_start_matches('[').split_once('@').map(|(user, _)| user);
        user.unwrap_or_default().to_owned()
    }
}
