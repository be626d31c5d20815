//! The boot loader's key window, caught on purpose: where a router starts again and again there is no other way in.
//!
//! The only place of this crate that types while a router boots. A key is typed while the announced window stands on the line,
//! the one that it announces, and at no other time; a window that is missed is missed, and the next start brings another
//! (routeros-console.md section 8).

use crate::boot;
use crate::booter::Booter;
use crate::dialogue::Dialogue;
use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::question::Question;
use crate::session::CTRL_C;
use crate::wake::{State, Waker, classify};
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at the line: a tenth of the shortest window.
const LOOK: Duration = Duration::from_millis(100);
/// For an answer to a key, before it is typed once more.
const ANSWER: Duration = Duration::from_millis(500);
/// A key may be damaged on the line; more of them would only come behind the window.
const KEYS: usize = 2;
/// Windows that pass with a key typed into each: nobody hears it.
const WINDOWS: usize = 3;
/// Lines that are kept of one start.
const LINES: usize = 60;

/// `<Delete>`: which byte the boot loader takes for it was not found; this one is likely \[verify\].
const DELETE: &[u8] = b"\x7f";
/// What terminals send for that key.
const DELETE_SEQUENCE: &[u8] = b"\x1b[3~";
/// Boots over Ethernet, once, where the banner says so.
const CTRL_E: &[u8] = b"\x05";

/// What came of it.
#[derive(Debug)]
pub enum Caught {
    /// The menu is open.
    Menu(Box<Booter>),
    /// The boot loader asks the network for a system; nothing is written.
    Etherboot,
    /// Windows passed with the announced key typed into each, and no menu opened.
    Deaf {
        /// So many.
        windows: usize,
    },
    /// No window was announced, or it came to something else by itself: what stands there.
    Not(State),
}

/// Types the announced key into the boot loader's window, in one of the next starts. `ctrl_e`: where only `<Delete>` opens the
/// menu, and it did not, Ctrl+E may be typed where the banner announces it. Gives up after `limit`.
///
/// # Errors
/// [`Error::LinkClosed`], and those of [`Booter::open`].
pub async fn catch(mut waker: Waker, limit: Duration, ctrl_e: bool) -> Result<Caught, Error> {
    let end = Instant::now() + limit;
    let mut watch = Watch { lines: Vec::new(), windows: 0, typed: None, keys: 0, at: Instant::now() };
    loop {
        let dialogue = waker.dialogue();
        let mut wanted: Vec<Pattern> = boot::patterns().collect();
        wanted.extend([Pattern::Question(Duration::ZERO, boot::BOOT), Pattern::Quiet(LOOK)]);
        match dialogue.wait(wanted, LOOK * 2, "waiting for the boot loader's key window").await {
            Ok(found) => {
                watch.lines.extend(found.before.into_iter().map(|line| line.text));
                match found.found {
                    Found::Line(line) => watch.lines.push(line.text),
                    Found::Question(Question::LoginName) => return Ok(Caught::Not(State::Login)),
                    _ => {}
                }
            }
            Err(Error::Timeout { .. }) => {}
            Err(error) => return Err(error),
        }
        let skip = watch.lines.len().saturating_sub(LINES);
        watch.lines.drain(..skip);
        match watch.look(dialogue, ctrl_e) {
            Some(State::Menu(_)) => return Ok(Caught::Menu(Box::new(Booter::open(waker).await?))),
            Some(State::Etherboot | State::Installer) if watch.typed == Some(CTRL_E) => return Ok(Caught::Etherboot),
            Some(state @ State::Installer) => return Ok(Caught::Not(state)),
            state if Instant::now() >= end => return Ok(Caught::Not(state.unwrap_or(State::Silent))),
            Some(State::KeyWindow) | None => {}
            // Whatever else: this window is over.
            Some(_) if watch.windows >= WINDOWS => return Ok(Caught::Deaf { windows: watch.windows }),
            Some(_) => {}
        }
    }
}

/// One start after another, as far as its window matters.
struct Watch {
    lines: Vec<String>,
    /// Windows into which a key was typed.
    windows: usize,
    /// What was typed into the newest one.
    typed: Option<&'static [u8]>,
    /// How often, and when last. 0: the window is over.
    keys: usize,
    at: Instant,
}

impl Watch {
    /// Looks at what stands there, and types where that is an announced window.
    fn look(&mut self, dialogue: &mut Dialogue, ctrl_e: bool) -> Option<State> {
        let current = dialogue.expect.current();
        let recent: Vec<&str> = self.lines.iter().map(String::as_str).collect();
        let state = classify(&recent, &current);
        let announced = current.trim_start().starts_with("Press ");
        if state != Some(State::KeyWindow) || !announced {
            if state.is_some() {
                self.keys = 0;
            }
            return state;
        }
        if self.keys == 0 {
            self.windows += 1;
            let begin = self.lines.iter().rposition(|line| line.contains("RouterBOOT ")).unwrap_or(0);
            let etherboot = self.lines.iter().skip(begin).any(|line| line.contains("Press Ctrl+E to enter etherboot"));
            self.typed = Some(key(&current, self.windows, ctrl_e && etherboot));
        } else if self.keys >= KEYS || self.at.elapsed() < ANSWER {
            return state;
        }
        self.keys += 1;
        self.at = Instant::now();
        if let Some(keys) = self.typed {
            dialogue.send(keys);
        }
        state
    }
}

/// The key for a window that stands on the line, `windows` of them with it having been tried.
fn key(window: &str, windows: usize, ctrl_e: bool) -> &'static [u8] {
    match (window.contains("<delete>"), windows) {
        // No menu knows it, should it come twice.
        (false, _) => CTRL_C,
        (true, 1) => DELETE,
        (true, _) if ctrl_e => CTRL_E,
        (true, _) => DELETE_SEQUENCE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_the_announced_one() {
        let any = "Press any key within 2 seconds to enter setup.";
        let delete = "Press <delete> key within 1 seconds to enter setup";
        assert_eq!(key(any, 1, true), CTRL_C);
        assert_eq!(key(any, 3, true), CTRL_C, "Ctrl+E proves no board");
        assert_eq!(key(delete, 1, true), DELETE);
        assert_eq!(key(delete, 2, true), CTRL_E);
        assert_eq!(key(delete, 2, false), DELETE_SEQUENCE);
    }
}
