//! One command, from its first byte to a certain result or an honest "unknown".

use crate::error::Error;
use crate::expect::{EXCERPT, Found, Pattern, escape_tail};
use crate::frame::{Mark, Nonce, behind_echo, join, output, unwrap};
use crate::outcome::{Outcome, Output, Refusal, RefusalClass, Stage, Unknown};
use crate::proof::Proof;
use crate::question::Question;
use crate::refusal::{LOOKS_REFUSED, classify};
use crate::session::{CTRL_C, FENCE, Session};
use crate::shell::Command;
use crate::terminal::Line;
use crate::text::{MAX_LINE, check_sendable, check_whole};
use crate::unpaged::Unpaged;
use std::time::Duration;
use tokio::time::Instant;

/// Silence behind a prompt after which the command may have failed. Prompts are also painted while a line is echoed.
const MAY_HAVE_FAILED: Duration = Duration::from_millis(500);
/// The same, after the router's own words for a refusal.
const HAS_FAILED: Duration = Duration::from_millis(20);
/// Silence behind a question.
const ASKED: Duration = Duration::from_millis(250);
/// Silence behind what could as well be output, such as `name: `.
const ASKED_PERHAPS: Duration = Duration::from_millis(1500);
/// For a single key to be taken before Enter is sent behind it.
const KEY: Duration = Duration::from_millis(1500);

/// How a command may be treated while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// Questions are answered no, a fence is typed when the end stays out.
    Ordinary,
    /// Nothing is sent behind the line, but `y` to a question that the proved line itself asks.
    Destructive,
}

/// What is known of a command while it runs.
#[derive(Debug)]
struct Run {
    nonce: Nonce,
    /// The command as it was typed, and where in the line.
    typed: Unpaged,
    offset: usize,
    began: bool,
    /// Everything printed since the line was sent, and where the command's own output begins.
    seen: Vec<Line>,
    body: usize,
    /// A fence was typed, after so many lines.
    fence: Option<usize>,
    /// The router's words for a refusal were seen.
    failed: bool,
    /// The line has run on another router, where it did nothing.
    elsewhere: bool,
    /// A question that was declined, how, and how many lines were seen before it.
    asked: Option<(String, RefusalClass, usize)>,
    incomplete: bool,
    confirmed: bool,
    /// A pager hid the right ends of rows.
    cut: bool,
    /// A key was sent that may need Enter behind it.
    key_sent: bool,
}

impl Session {
    /// Runs a command. `Err` means that nothing of it ran.
    pub(crate) async fn exec(&mut self, command: &Command, care: Care, proof: Option<Proof>) -> Result<Outcome, Error> {
        check_sendable(&command.text)?;
        check_whole(&command.text)?;
        let proof = proof.or_else(|| self.proof.clone());
        self.ready().await?;
        let private = command.private || self.dialogue.log.masker.finds(command.text.as_bytes());
        self.dialogue.log.set_private(private);
        let result = self.run_line(command, care, proof.as_ref()).await;
        self.dialogue.log.set_private(false);
        result
    }

    async fn run_line(&mut self, command: &Command, care: Care, proof: Option<&Proof>) -> Result<Outcome, Error> {
        let nonce = self.nonces.next();
        let mut typed = match care {
            Care::Ordinary => Unpaged::of(&command.text),
            Care::Destructive => Unpaged::plain(&command.text),
        };
        let (mut line, mut offset) = nonce.command(&typed.text, proof);
        if line.len() > MAX_LINE {
            typed = Unpaged::plain(&command.text);
            (line, offset) = nonce.command(&typed.text, proof);
        }
        check_sendable(&line)?;
        let deadline = Instant::now() + command.timeout.unwrap_or(self.options.timeouts.command);
        self.dialogue.expect.discard();
        if let Err(error) = self.type_line(&line).await {
            self.out_of_step = true;
            return Err(error);
        }
        let mut run = Run {
            nonce,
            typed,
            offset,
            began: false,
            seen: Vec::new(),
            body: 0,
            fence: None,
            failed: false,
            elsewhere: false,
            asked: None,
            incomplete: false,
            confirmed: false,
            cut: false,
            key_sent: false,
        };
        // From here on a failure is no proof that nothing ran.
        let outcome = self.follow(&mut run, care, proof, deadline).await;
        outcome.or_else(|error| match error {
            error if run.elsewhere => Err(error),
            error => {
                self.out_of_step = true;
                // No pattern matched behind these. A line that was not finished may end in half a secret, which nothing masks.
                run.seen.extend(self.dialogue.expect.unmatched().cloned());
                let mut unknown = run.unknown(error, self.options.suffix.size().cols);
                unknown.seen = self.dialogue.log.masker.mask_text(&unknown.seen);
                // The echo of the line itself may hold a secret that nobody said is one.
                if let Error::Timeout { seen, .. } | Error::LinkClosed { seen, .. } = &mut *unknown.cause {
                    *seen = match unknown.seen.trim() {
                        "" => "nothing behind the line that was typed".to_owned(),
                        text => escape_tail(text, EXCERPT),
                    };
                }
                Ok(Outcome::Unknown(unknown))
            }
        })
    }

    async fn follow(
        &mut self,
        run: &mut Run,
        care: Care,
        proof: Option<&Proof>,
        mut deadline: Instant,
    ) -> Result<Outcome, Error> {
        let shared = self.shared.clone();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let found = tokio::select! {
                biased;
                found = self.dialogue.wait(run.patterns(), left, "running a command") => found?,
                // Its time is over now: what has come is looked at once more.
                () = shared.stop.notified() => {
                    deadline = Instant::now();
                    continue;
                }
            };
            let pattern = found.pattern;
            run.seen.extend(found.before);
            match found.found {
                Found::Line(line) => match pattern {
                    0 => {
                        let mut end = line;
                        let marker = run.nonce.mark(Mark::Done);
                        let own = end.text.find(&marker).unwrap_or(0);
                        end.text.truncate(own);
                        if !end.text.trim().is_empty() {
                            run.seen.push(end);
                        }
                        return self.finish(run, care, proof).await;
                    }
                    1 => {
                        run.elsewhere = true;
                        let found = run.nonce.value(Mark::Wrong, &line.text);
                        self.settle().await;
                        return Err(match proof {
                            Some(proof) => self.wrong_router(proof, found, "running a command"),
                            None => Error::Closed,
                        });
                    }
                    2 => {
                        run.began = true;
                        run.seen.push(line);
                        run.body = run.seen.len();
                    }
                    3 => {
                        let found = run.nonce.value(Mark::Fence, &line.text);
                        self.settle().await;
                        return self.refused(run, proof, found);
                    }
                    _ => {
                        run.failed = true;
                        run.seen.push(line);
                    }
                },
                Found::Prompt(_) => {
                    if self.near_prompt_shows().is_some() {
                        return Err(self.hop_lost("running a command"));
                    }
                    if care == Care::Destructive {
                        if run.failed {
                            return Ok(Outcome::Refused(self.refusal(run)));
                        }
                    } else if run.fence.is_none() {
                        run.fence = Some(run.seen.len());
                        run.key_sent = false;
                        self.dialogue.send(run.nonce.fence(proof).as_bytes());
                        self.dialogue.send(b"\r");
                    }
                }
                Found::Question(question) => self.question(run, care, question)?,
                Found::Quiet | Found::Cursor => {
                    // A key alone was not enough here; behind it Enter can only answer the same question.
                    run.key_sent = false;
                    self.dialogue.send(b"\r");
                }
            }
        }
    }

    /// The command has ended well.
    async fn finish(&mut self, run: &mut Run, care: Care, proof: Option<&Proof>) -> Result<Outcome, Error> {
        if run.fence.is_some() {
            // Typed too early, on a prompt that was only a repaint: it runs behind the command.
            let nonce = run.nonce.clone();
            if self.await_fence(&nonce, FENCE).await.is_err() {
                self.out_of_step = true;
            }
        }
        self.settle().await;
        if let (Some((question, class, asked)), Care::Ordinary) = (&run.asked, care) {
            let mut before = output(run.seen.get(run.body..*asked).unwrap_or_default(), &run.nonce);
            // It stands on a line of its own, which may have ended already.
            before.pop_if(|line| line.text.contains(question.trim()));
            return Ok(Outcome::Refused(Refusal {
                class: *class,
                stage: Stage::Run,
                text: question.clone(),
                output: self.dialogue.log.masker.mask_text(&join(&before)),
                position: None,
            }));
        }
        let lines = output(&run.seen[run.body..], &run.nonce);
        let (text, joined) = unwrap(&lines, self.options.suffix.size().cols);
        Ok(Outcome::Done(Output {
            text,
            identity: proof.map(|proof| proof.expected().to_owned()),
            truncated: self.dialogue.expect.lost() || run.cut,
            cut: run.cut,
            joined,
            clean: lines.iter().all(|line| line.clean),
        }))
    }

    /// The fence has shown that everything typed has ended, and DONE never came.
    fn refused(&mut self, run: &Run, proof: Option<&Proof>, found: Option<String>) -> Result<Outcome, Error> {
        if let Some(proof) = proof
            && found.as_deref() != Some(proof.expected())
        {
            return Err(self.wrong_router(proof, found, "running a command"));
        }
        let refusal = self.refusal(run);
        if self.dialogue.is_line() && run.may_be_done() {
            // The command may have ended well, and said so in a line that was damaged on its way.
            return Err(Error::Garbled { what: "a command".into(), seen: self.dialogue.seen() });
        }
        if !run.began && refusal.text.is_empty() && !run.incomplete {
            // Neither begun nor refused: the line went somewhere else.
            return Err(Error::Garbled { what: "a command".into(), seen: self.dialogue.seen() });
        }
        Ok(Outcome::Refused(refusal))
    }

    fn refusal(&self, run: &Run) -> Refusal {
        let mut refusal = run.refusal();
        refusal.text = self.dialogue.log.masker.mask_text(&refusal.text);
        refusal.output = self.dialogue.log.masker.mask_text(&refusal.output);
        refusal
    }

    fn question(&mut self, run: &mut Run, care: Care, question: Question) -> Result<(), Error> {
        if self.near_prompt_shows().is_some() {
            return Err(self.hop_lost("running a command"));
        }
        if matches!(question, Question::LoginName | Question::Password) {
            let error = Error::LinkClosed {
                waiting: "running a command".into(),
                why: "the router has logged this session out".into(),
                seen: self.dialogue.seen(),
            };
            self.over = Some(error.clone());
            return Err(error);
        }
        if care == Care::Destructive {
            // Only the proved line can have asked, and only once; a key without Enter acts on no other prompt.
            if run.began && !run.confirmed && matches!(question, Question::YesNo(_)) {
                run.confirmed = true;
                self.dialogue.send(b"y");
            }
            return Ok(());
        }
        match question {
            Question::YesNo(text) => {
                run.asked = Some((text, RefusalClass::Question, run.seen.len()));
                run.key_sent = true;
                self.dialogue.send(b"n");
            }
            Question::HijackSafeMode => {
                run.asked = Some(("safe mode is held by somebody else".into(), RefusalClass::Question, run.seen.len()));
                run.key_sent = true;
                self.dialogue.send(b"d");
            }
            Question::Pager { right } => {
                run.cut |= right;
                self.dialogue.send(b"D");
            }
            Question::Continuation(_) => {
                run.incomplete = true;
                self.dialogue.send(CTRL_C);
            }
            Question::Monitor => self.dialogue.send(CTRL_C),
            Question::Value(text) | Question::Secret(text) => {
                run.asked = Some((text, RefusalClass::Input, run.seen.len()));
                self.dialogue.send(CTRL_C);
            }
            Question::NewPassword | Question::RepeatPassword => {
                run.asked = Some(("new password".into(), RefusalClass::Input, run.seen.len()));
                self.dialogue.send(CTRL_C);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Run {
    fn patterns(&self) -> Vec<Pattern> {
        let settle = if self.failed { HAS_FAILED } else { MAY_HAVE_FAILED };
        let mut patterns = vec![
            Pattern::Line(self.nonce.mark(Mark::Done)),
            Pattern::Line(self.nonce.mark(Mark::Wrong)),
            Pattern::Line(self.nonce.mark(Mark::Began)),
            Pattern::Line(self.nonce.mark(Mark::Fence)),
            Pattern::LineRegex(LOOKS_REFUSED.clone()),
            Pattern::Prompt(settle),
            Pattern::Question(ASKED, ASKED_PERHAPS),
        ];
        if self.key_sent {
            patterns.push(Pattern::Quiet(KEY));
        }
        patterns
    }

    /// Whether a line came, behind what is known to be the marker of its beginning, that could have been the marker of its
    /// good end: the two differ by a letter.
    fn may_be_done(&self) -> bool {
        let marker = self.nonce.mark(Mark::Done);
        let like = |line: &Line| {
            let text = line.text.trim();
            let same = text.bytes().zip(marker.bytes()).filter(|(a, b)| a == b).count();
            text.len().abs_diff(marker.len()) <= 1 && same * 2 > marker.len()
        };
        self.seen[self.body..].iter().any(like)
    }

    /// The lines that the router printed in place of a result.
    fn words(&self) -> Vec<&Line> {
        if self.began {
            return output(&self.seen[self.body..], &self.nonce);
        }
        // Without BEGAN the words stand behind the echo of the line, whose first rows may not hold the nonce.
        let fence = self.fence.unwrap_or(self.seen.len());
        let mut words = output(behind_echo(&self.seen[..fence], &self.nonce), &self.nonce);
        words.extend(output(&self.seen[fence..], &self.nonce));
        words
    }

    fn refusal(&self) -> Refusal {
        let stage = if self.began { Stage::Run } else { Stage::Parse };
        let mut refusal = classify(&self.words(), stage, |column| {
            u32::try_from(self.offset)
                .ok()
                .filter(|offset| column > *offset)
                .map_or(column, |offset| self.typed.column(column - offset))
        });
        if self.incomplete {
            refusal.class = RefusalClass::Incomplete;
            refusal.text = "an open bracket or quote: the line was taken back".into();
        } else if let Some((question, class, _)) = &self.asked {
            refusal.class = *class;
            refusal.text.clone_from(question);
        }
        refusal
    }

    fn unknown(&self, error: Error, cols: u16) -> Unknown {
        let words = self.words();
        let seen = if self.began { unwrap(&words, cols).0 } else { join(&words) };
        Unknown { cause: Box::new(error), began: self.began, seen }
    }
}
