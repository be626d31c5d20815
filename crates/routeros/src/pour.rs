//! Many lines in a row, typed ahead of their answers: what a slow line needs to be kept busy.
//!
//! At Enter the router paints the line once more as it has it, so the finished line on the screen is what will run: a line
//! whose painting is exactly what was typed has arrived. The lines set elements of a variable and nothing else, each its
//! own, so that a line may come twice, or in another order, or not at all.

use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::session::Session;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::oneshot;

/// Bytes typed and not yet seen again. A UART's line discipline holds 4 KB and loses the rest without a word \[I\].
const WINDOW: usize = 2048;
/// Silence after which what is still awaited will not come.
const LOST: Duration = Duration::from_millis(1500);
/// For one painting to come while others do.
const PATIENCE: Duration = Duration::from_secs(30);

impl Session {
    /// Types `lines`; see the module. Stops at the first sign that something went wrong, and is then out of step.
    /// `gone`: nobody waits for the answer any more.
    pub(crate) async fn pour(
        &mut self,
        lines: &[String],
        gone: &mut oneshot::Sender<Result<Vec<bool>, Error>>,
    ) -> Result<Vec<bool>, Error> {
        self.ready().await?;
        // What is typed is a part of a file, which may hold a part of a secret.
        self.dialogue.log.set_private(true);
        let poured = self.pour_lines(lines, gone).await;
        self.dialogue.log.set_private(false);
        poured
    }

    async fn pour_lines(
        &mut self,
        lines: &[String],
        gone: &mut oneshot::Sender<Result<Vec<bool>, Error>>,
    ) -> Result<Vec<bool>, Error> {
        let mut seen = vec![false; lines.len()];
        let mut typed: VecDeque<(usize, String)> = VecDeque::new();
        let (mut next, mut under_way) = (0, 0);
        let safe = self.prompt.safe;
        // Every line that is typed begins with a colon.
        let painted = format!("{} :", self.prompt.text);
        self.dialogue.expect.discard();
        loop {
            while let Some(line) = lines.get(next)
                && (typed.is_empty() || under_way + line.len() < WINDOW)
                && !gone.is_closed()
            {
                self.dialogue.send(line.as_bytes());
                self.dialogue.send(b"\r");
                under_way += line.len() + 1;
                typed.push_back((next, format!("{} {line}", self.prompt.text)));
                next += 1;
            }
            let Some((number, wanted)) = typed.front() else { break };
            let patterns = vec![Pattern::Line(painted.clone()), Pattern::Quiet(LOST)];
            let found = match self.dialogue.wait(patterns, PATIENCE, "putting a file").await {
                Ok(found) => found.found,
                Err(Error::Timeout { .. }) => Found::Quiet,
                Err(error) => return Err(error),
            };
            match found {
                Found::Line(line) if line.text.trim_end() == *wanted => {
                    if let (Some(mark), Some(line)) = (seen.get_mut(*number), lines.get(*number)) {
                        *mark = true;
                        under_way -= line.len() + 1;
                    }
                    typed.pop_front();
                }
                // A byte was lost or changed, on its way there or back: what the router has now is not known.
                _ => {
                    self.out_of_step = true;
                    break;
                }
            }
        }
        if self.out_of_step {
            self.recover(safe).await?;
        } else {
            self.settle().await;
        }
        Ok(seen)
    }

    /// Back in step, with the modes as they were: one changed bit makes the keys of safe mode and hotlock of letters.
    async fn recover(&mut self, safe: bool) -> Result<(), Error> {
        // What is still on its way is typed by then, and what it shows is shown.
        let _ = self.dialogue.wait(vec![Pattern::Quiet(LOST / 3)], PATIENCE, "putting a file").await;
        self.ready().await?;
        for key in [(self.prompt.safe != safe, b"\x18"), (self.prompt.hotlock, b"\x16")] {
            if let (true, key) = key {
                self.dialogue.send(key);
                self.out_of_step = true;
                self.ready().await?;
            }
        }
        Ok(())
    }
}
