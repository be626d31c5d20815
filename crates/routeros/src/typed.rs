//! A line that is typed at a router, and on a serial line proved by its echo before Enter.
//!
//! A serial line has no checksum: one changed bit makes another command. So there Enter follows only when the router's own
//! echo is what was typed, piece by piece; else the line is taken back and typed anew. Nothing has run by then: the framed
//! lines open a bracket first, and a changed bit that makes Enter of a letter leaves it open.

use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::session::{CTRL_C, Session};
use crate::wake::leaving;
use std::time::Duration;

/// Characters that are typed before their echo is compared. The editor shows at least half of its width: 255 of 511 over
/// the network, 499 of 999 on a line.
const PIECE: usize = 120;
/// Characters of the piece before that are compared again, so that nothing slips in between.
const OVERLAP: usize = 40;
/// For the echo of a piece: what a console server and the line take, several times over.
const ECHO: Duration = Duration::from_secs(2);
/// Silence behind a line that was taken back.
const TAKEN_BACK: Duration = Duration::from_millis(100);
/// For the prompt behind it.
const PROMPT: Duration = Duration::from_secs(3);
/// Keys that are sent to take one line back.
const ROUNDS: usize = 6;
/// A line that is damaged every time is not one that has noise now and then.
const TRIES: usize = 5;

impl Session {
    /// Types a line and Enter.
    ///
    /// # Errors
    /// [`Error::Garbled`] where the echo of a serial line never was what was typed, and those of the link; the line did not
    /// run.
    pub(crate) async fn type_line(&mut self, line: &str) -> Result<(), Error> {
        if !self.dialogue.is_line() {
            self.dialogue.send(line.as_bytes());
            self.dialogue.send(b"\r");
            return Ok(());
        }
        let (safe, hotlock) = (self.prompt.safe, self.prompt.hotlock);
        for _ in 0..TRIES {
            if self.echoes(line).await? {
                self.dialogue.send(b"\r");
                return Ok(());
            }
            self.take_back(safe, hotlock).await?;
        }
        Err(Error::Garbled { what: "a line that was typed, by its echo".into(), seen: self.dialogue.seen() })
    }

    /// Types it without Enter; whether the router shows exactly that.
    async fn echoes(&mut self, line: &str) -> Result<bool, Error> {
        let characters: Vec<char> = line.chars().collect();
        let mut done = 0;
        for piece in characters.chunks(PIECE) {
            let text: String = piece.iter().collect();
            self.dialogue.send(text.as_bytes());
            let from = done.max(OVERLAP) - OVERLAP;
            done += piece.len();
            let shown: String = characters.get(from..done).unwrap_or_default().iter().collect();
            let wanted = if from == 0 { format!("{} {shown}", self.prompt.text) } else { shown };
            match self.dialogue.wait(vec![Pattern::Cursor(wanted)], ECHO, "reading a line's echo").await {
                Ok(_) => {}
                Err(Error::Timeout { .. }) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Takes back what stands in the line, with the modes as they were: one changed bit makes the keys of safe mode and
    /// hotlock of letters.
    async fn take_back(&mut self, safe: bool, hotlock: bool) -> Result<(), Error> {
        let mut round = 1;
        self.dialogue.send(CTRL_C);
        let prompt = loop {
            let patterns = vec![Pattern::Prompt(TAKEN_BACK), Pattern::Question(TAKEN_BACK, TAKEN_BACK)];
            match self.dialogue.wait(patterns, PROMPT, "taking a line back").await {
                Ok(found) => match found.found {
                    Found::Prompt(prompt) => break prompt,
                    // The key was damaged, too, or another one has opened something: it is left without an answer.
                    Found::Question(question) if round < ROUNDS => self.dialogue.send(leaving(&question)),
                    _ => {}
                },
                Err(Error::Timeout { .. }) if round < ROUNDS => self.dialogue.send(CTRL_C),
                Err(error) => return Err(error),
            }
            round += 1;
        };
        for (differs, key) in [(prompt.safe != safe, b"\x18"), (prompt.hotlock != hotlock, b"\x16")] {
            if differs {
                self.dialogue.send(key);
                self.dialogue.wait(vec![Pattern::Prompt(TAKEN_BACK)], PROMPT, "taking a line back").await?;
            }
        }
        self.dialogue.expect.discard();
        Ok(())
    }
}
