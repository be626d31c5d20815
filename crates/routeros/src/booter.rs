//! RouterBOOT's menu, driven by a list of allowed keys for each task.
//!
//! One key acts at once, and `e`, `l`, `w`, `r` and `g` destroy. So a key is only ever taken out of the menu that is on the
//! screen, by the words behind it, and only those words that the task names; its echo is compared before the next one is
//! sent. Whatever else is seen ends the task, with the menu left open (transcripts 01, 07-11).

use crate::boot::{self, Boot};
use crate::dialogue::Dialogue;
use crate::error::Error;
use crate::expect::Pattern;
use crate::session::CTRL_C;
use crate::wake::{Menu, State, Waker, classify};
use std::collections::BTreeMap;
use std::time::Duration;

/// A menu is printed in one go.
const PRINTED: Duration = Duration::from_millis(300);
/// For a menu to be printed at all; the slowest console speed is 1200.
const ANSWER: Duration = Duration::from_secs(20);
/// For storage to be formatted.
const FORMATS: Duration = Duration::from_secs(300);
/// Ends a question for `yes` by another word, whatever is typed there already: Backspaces alone could make it `yes`, where
/// they take back what was typed behind it. No menu knows this key.
const NO_YES: &[u8] = b"#\r";
/// The words of the key that leaves the menu.
const EXIT: &str = "exit setup";
/// Attempts to have the main menu printed.
const TRIES: usize = 3;

/// Which key opens the menu at the next boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootKey {
    /// Any: the default, and noise is enough.
    Any,
    /// `<Delete>` only.
    Delete,
}

/// What may be done in the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Boots over Ethernet once, then from storage again.
    EthernetOnce,
    /// Sets the boot key.
    Key(BootKey),
    /// Sets the seconds of the key window, 1 to 9.
    Delay(u8),
    /// ERASES the storage, the licence with it on some boards. Only where the board itself says that it has this serial number,
    /// which somebody typed.
    Format {
        /// As typed by a person, from the label.
        serial_number: String,
    },
}

/// What the board says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BoardInfo {
    /// Lower-case name and value, in the order of names: `board type`, `serial number`, `firmware version`, ...
    pub values: BTreeMap<String, String>,
}

impl BoardInfo {
    /// What a banner says, where no menu was asked.
    pub fn of_banner(board: Option<&str>) -> Self {
        Self { values: board.map(|name| ("board type".to_owned(), name.to_owned())).into_iter().collect() }
    }

    /// A value by its name, `serial number`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

/// What was printed between a key and the menu behind it, read.
#[derive(Debug, Default)]
pub struct Page {
    /// What stands behind `your choice: `.
    echo: String,
    lines: Vec<String>,
    /// Key and words.
    entries: Vec<(u8, String)>,
    current: String,
}

impl Page {
    /// Reads finished lines and the one at the cursor.
    pub fn read(lines: Vec<String>, current: String) -> Self {
        let echo =
            lines.iter().find_map(|line| line.trim().strip_prefix("your choice: ")).unwrap_or_default().to_owned();
        // The last menu that was begun.
        let begin = lines.iter().rposition(|line| line.trim_end().ends_with([':', '?'])).map_or(0, |at| at + 1);
        let entries = lines.iter().skip(begin).filter_map(|line| entry(line)).collect();
        Self { echo, lines, entries, current }
    }

    /// The keys that it offers, and the words behind each in lower case.
    pub fn keys(&self) -> impl Iterator<Item = (u8, &str)> {
        self.entries.iter().map(|(key, words)| (*key, words.as_str()))
    }

    /// Names and values, where the page is a board's own.
    pub fn info(&self) -> BoardInfo {
        let mut info = BoardInfo::default();
        for line in &self.lines {
            if let Some((name, value)) = line.split_once(": ")
                && !line.trim_start().starts_with("your choice")
            {
                info.values.insert(name.trim().to_lowercase(), value.trim().to_owned());
            }
        }
        info
    }

    fn key(&self, words: &[&str]) -> Option<(u8, String)> {
        self.entries.iter().find(|(_, text)| words.contains(&text.as_str())).cloned()
    }
}

/// ` * n - boot from NAND, if fail then Ethernet`
fn entry(line: &str) -> Option<(u8, String)> {
    let line = line.trim().trim_start_matches('*').trim_start();
    let (key, text) = line.split_once(" - ")?;
    match key.as_bytes() {
        [key] if key.is_ascii_alphanumeric() => Some((*key, text.trim().to_lowercase())),
        _ => None,
    }
}

/// The boot loader's menu of one router, open.
#[derive(Debug)]
pub struct Booter {
    waker: Waker,
    menu: Page,
}

impl Booter {
    /// The menu that [`Waker::wake`] found, brought to the main menu. Ctrl-C is no menu's key: it is answered by the main menu.
    ///
    /// # Errors
    /// [`Error::BootMenu`] where no menu answers, [`Error::LinkClosed`].
    pub async fn open(waker: Waker) -> Result<Self, Error> {
        let mut booter = Self { waker, menu: Page::default() };
        for _ in 0..TRIES {
            booter.type_keys(CTRL_C, ANSWER).await?;
            let here = classify(&booter.recent(), &booter.menu.current);
            match here {
                Some(State::Menu(Menu::Main)) if !booter.menu.entries.is_empty() => return Ok(booter),
                // It reads a word there: this is not the one.
                Some(State::Menu(Menu::Format)) => booter.type_keys(NO_YES, ANSWER).await?,
                _ => {}
            }
        }
        Err(booter.lost("no main menu is printed"))
    }

    fn recent(&self) -> Vec<&str> {
        self.menu.lines.iter().map(String::as_str).collect()
    }

    fn lost(&mut self, why: &str) -> Error {
        Error::BootMenu { why: why.to_owned(), seen: self.waker.dialogue().seen() }
    }

    async fn type_keys(&mut self, keys: &[u8], limit: Duration) -> Result<(), Error> {
        self.menu = press(self.waker.dialogue(), keys, limit).await?;
        Ok(())
    }

    /// Types the key that stands before one of `words` in the menu on the screen.
    async fn choose(&mut self, words: &[&str]) -> Result<(), Error> {
        let Some((key, text)) = self.menu.key(words) else {
            return Err(self.lost(&format!("this menu has no \"{}\"", words.join("\" or \""))));
        };
        self.type_keys(&[key], ANSWER).await?;
        let wanted = format!("{} - {text}", char::from(key));
        if self.menu.echo.trim().to_lowercase() != wanted {
            let echo = self.menu.echo.clone();
            return Err(self.lost(&format!("\"{wanted}\" was chosen and \"{}\" taken", echo.trim())));
        }
        Ok(())
    }

    /// What the board says of itself. Changes nothing.
    ///
    /// # Errors
    /// [`Error::BootMenu`], [`Error::LinkClosed`].
    pub async fn info(&mut self) -> Result<BoardInfo, Error> {
        self.choose(&["board info"]).await?;
        Ok(self.menu.info())
    }

    /// Does one task and is at the main menu again. What it sets is written when the menu is left.
    ///
    /// # Errors
    /// [`Error::BootMenu`], [`Error::LinkClosed`]; the menu stays open.
    pub async fn run(&mut self, task: &Task) -> Result<(), Error> {
        match task {
            Task::EthernetOnce => {
                self.choose(&["boot device"]).await?;
                self.choose(&["boot ethernet once, then nand", "boot ethernet once, then disk"]).await
            }
            Task::Key(key) => {
                self.choose(&["boot key"]).await?;
                self.choose(&[if *key == BootKey::Any { "any key" } else { "<delete> key only" }]).await
            }
            Task::Delay(seconds) => {
                self.choose(&["boot delay"]).await?;
                self.choose(&[&format!("{seconds}s")]).await
            }
            Task::Format { serial_number } => {
                let info = self.info().await?;
                match info.get("serial number") {
                    Some(own) if own == serial_number && !own.is_empty() => {}
                    own => {
                        let own = own.unwrap_or("none that it tells");
                        return Err(self.lost(&format!("this board's serial number is {own}, not {serial_number}")));
                    }
                }
                self.choose(&["format nand", "format storage"]).await?;
                if !self.menu.current.contains("type \"yes\" to confirm:") {
                    return Err(self.lost("it does not ask for `yes`"));
                }
                self.type_keys(b"yes\r", FORMATS).await
            }
        }
    }

    /// Leaves the menu: writes what was set, and boots. Waits for the login, or for what else comes of it.
    ///
    /// # Errors
    /// [`Error::BootMenu`], [`Error::LinkClosed`].
    pub async fn leave(mut self) -> Result<(Boot, State), Error> {
        let Some((key, _)) = self.menu.key(&[EXIT]) else { return Err(self.lost("this menu has no exit")) };
        let dialogue = self.waker.dialogue();
        dialogue.expect.discard();
        dialogue.send(&[key]);
        boot::ride(dialogue, "").await
    }

    /// The line, with the menu left as it is.
    pub fn into_waker(self) -> Waker {
        self.waker
    }
}

/// Types keys and reads what is printed behind them.
async fn press(dialogue: &mut Dialogue, keys: &[u8], limit: Duration) -> Result<Page, Error> {
    // The line at the cursor is finished by the key: it is read with what follows.
    dialogue.expect.discard();
    dialogue.send(keys);
    printed(dialogue, limit).await
}

/// Whether the menu at the end of `heard` was opened by a key of ours: all lines since the first one that was typed at a line
/// where no menu stood. An open menu says `refresh` to a key that it does not know (transcript 01); one that a key opens
/// begins with its name. So does the one behind a question for `yes` that Enter has ended; there nothing says `refresh`
/// afterwards either, where a menu that Enter's Backspaces opened does. `entered`: Enter was typed, not Ctrl-C alone.
pub(crate) fn opened_by_a_key<'a>(heard: impl IntoIterator<Item = &'a str>, entered: bool) -> bool {
    let mut refreshed = false;
    let mut menus = 0;
    for line in heard {
        let line = line.trim();
        if line.ends_with("refresh") {
            if menus == 0 {
                return false;
            }
            refreshed = true;
        }
        menus += usize::from(line.starts_with("RouterBOOT-"));
    }
    menus > 0 && (refreshed || !entered)
}

/// Leaves the main menu by its exit, and waits for what comes of it: for a menu that was opened by accident, in which nothing
/// was set. The key is taken from the menu that Ctrl-C has printed again. `None`: no exit is offered, and the menu is left
/// as it is.
pub(crate) async fn leave_opened(dialogue: &mut Dialogue) -> Result<Option<(Boot, State)>, Error> {
    let menu = press(dialogue, CTRL_C, ANSWER).await?;
    let recent: Vec<&str> = menu.lines.iter().map(String::as_str).collect();
    let main = classify(&recent, &menu.current) == Some(State::Menu(Menu::Main));
    let Some((key, _)) = menu.key(&[EXIT]).filter(|_| main) else { return Ok(None) };
    dialogue.expect.discard();
    dialogue.send(&[key]);
    let (mut boot, state) = boot::ride(dialogue, "").await?;
    boot.menu_left = true;
    Ok(Some((boot, state)))
}

/// What is printed until it is quiet.
async fn printed(dialogue: &mut Dialogue, limit: Duration) -> Result<Page, Error> {
    let start = tokio::time::Instant::now();
    let mut lines: Vec<String> = Vec::new();
    loop {
        let found = dialogue.wait(vec![Pattern::Quiet(PRINTED)], limit, "reading the boot loader's menu").await;
        match found {
            Ok(found) => lines.extend(found.before.into_iter().map(|line| line.text)),
            Err(error @ Error::LinkClosed { .. }) => return Err(error),
            Err(_) => {}
        }
        let current = dialogue.expect.current();
        let asks = current.trim_end().ends_with("your choice:") || current.contains("to confirm:");
        if (asks && !lines.is_empty()) || start.elapsed() >= limit {
            return Ok(Page::read(lines, current));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_of_menus() {
        assert_eq!(
            entry(" * n - boot from NAND, if fail then Ethernet"),
            Some((b'n', "boot from nand, if fail then ethernet".into()))
        );
        assert_eq!(entry("   x - exit setup"), Some((b'x', "exit setup".into())));
        assert_eq!(entry("your choice: x - exit setup"), None);
        let lines =
            "your choice: o - boot device\n\nSelect boot device:\n   e - boot over Ethernet\n * n - boot from NAND";
        let page = Page::read(lines.lines().map(str::to_owned).collect(), "your choice: ".into());
        assert_eq!((page.echo.as_str(), page.entries.len()), ("o - boot device", 2));
    }

    #[test]
    fn a_menu_that_was_opened_is_told_from_one_that_was_open() {
        let menu = ["", "RouterBOOT-7.4beta4", "What do you want to configure?", "   x - exit setup"];
        let then = |first: &[&'static str], again: &[&'static str]| -> Vec<&'static str> {
            [first, &menu[..], again].concat()
        };
        assert!(opened_by_a_key(then(&[], &[]), false), "Ctrl-C had it opened");
        assert!(
            opened_by_a_key(then(&[], &["your choice: refresh", "", "RouterBOOT-7.4beta4"]), true),
            "Enter's first key"
        );
        assert!(!opened_by_a_key(then(&["refresh"], &[]), false), "it was open");
        assert!(!opened_by_a_key(then(&["your choice: refresh"], &["your choice: refresh"]), true), "it was open");
        assert!(!opened_by_a_key(then(&[], &[]), true), "Enter ended a question for `yes`");
        assert!(!opened_by_a_key(["Starting..."], false));
    }

    proptest! {
        #[test]
        fn no_text_panics(lines in prop::collection::vec("\\PC{0,40}", 0..8)) {
            let page = Page::read(lines, String::new());
            // Only single letters and digits are ever keys.
            prop_assert!(page.entries.iter().all(|(key, _)| key.is_ascii_alphanumeric()));
        }
    }
}
