//! A serial line of which nothing is known: listened to, named, and brought to a prompt or a login.
//!
//! A console has no hang-up and no greeting: what stands there may be a login prompt, somebody's half-typed line, a pager, a
//! question, or a boot loader whose menu acts on single keys (routeros-console.md sections 6.6 and 8). So a line is listened
//! to first, and what is typed at one that stays silent is Ctrl-C, the key that harms least wherever it lands: it takes back a
//! half-typed line that Enter would run, answers no question with yes, and no menu of a boot loader knows it. Enter comes
//! second, where Ctrl-C had no answer.
//!
//! A boot loader that is told to be silent can't be told from an idle line, and any key in its window opens its menu. A menu
//! that a key of ours opened, and not one that was open, is left at once by its own exit, and the boot is waited for.

mod state;

use state::LEGIBLE_MIN;
pub use state::{Legibility, Menu, State, classify};

use crate::boot::{self, Boot, Sign};
use crate::booter;
use crate::dialogue::Dialogue;
use crate::error::Error;
use crate::expect::Pattern;
use crate::link::BoxLink;
use crate::options::Suffix;
use crate::question::Question;
use crate::session::CTRL_C;
use crate::terminal::Line;
use crate::transcript::Transcript;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Silence behind which what was said by itself has been said.
const SETTLED: Duration = Duration::from_millis(300);
/// The same behind an answer to a key: the router paints its prompt in one go.
const ANSWERED: Duration = Duration::from_millis(120);
/// For the answer to Ctrl-C. Login prompts have none; an Enter that overtakes the answer finds an empty line.
const CTRL_C_WAIT: Duration = Duration::from_millis(200);
/// For the answer to what only shows. Longer: an Enter that overtakes this answer would run what somebody is typing.
const LOOK_WAIT: Duration = Duration::from_millis(300);
/// For the answer to Enter.
const ENTER_WAIT: Duration = Duration::from_millis(800);
/// The same at a password, whose refusal takes its time.
const REFUSAL_WAIT: Duration = Duration::from_millis(2500);
/// Output that does not end is somebody's command.
const STREAM: Duration = Duration::from_secs(4);
/// Keys that one wake sends, so that two routers wired to each other don't make it go on for ever.
const MAX_KEYS: usize = 24;
/// Lines that are looked at.
const RECENT: usize = 40;
/// Lines behind our keys that are kept to tell who opened a menu: some menus.
const HEARD: usize = 400;

/// What shows a prompt or a line that is being typed and leaves it as it is: Ctrl-L paints it anew on 7.x; Ctrl-B and Ctrl-F
/// move the cursor back and forth, which paints what is typed, on every version (routeros-console.md section 3). A login prompt
/// does not answer; a boot loader's menu does, as to any key it does not know. A question that takes one key \[verify\] is
/// answered no by it.
pub const LOOK: &[u8] = b"\x0c\x02\x06";

/// The own speed of a line at which [`LOOK`] holds no key that acts, at whatever speed a router hears it. Typed at 38400, it is an
/// `8` to a boot loader at 57600; at half a router's speed its Ctrl-B is Ctrl-X there, which takes safe mode, or ends somebody's
/// and keeps its changes.
pub const LOOKS_AT: [u32; 1] = [115_200];

/// Typed first where the line's own speed is another: Ctrl-F alone, which no speed makes a key that acts. It shows no line
/// that is being typed; but a menu answers it as any key, at another speed its answer is garbage, and at half a router's it is an
/// `x`, whose echo is read as Ctrl-F: then nothing more is typed at this speed.
pub const FEEL: &[u8] = b"\x06";

/// Enter, behind Backspaces: were a boot loader asking for `yes` with the word typed already, it would not be that word. More
/// than any keys before it, which may be characters to a boot loader \[verify\]: as many Backspaces as those would take them
/// back alone, and leave the word.
pub const ENTER: &[u8] = b"\x08\x08\x08\x08\x08\x08\r";

/// Speeds in the order in which they are tried: RouterBOARD, x86, then what RouterBOOT can be set to.
pub const SPEEDS: [u32; 5] = [115_200, 9600, 57_600, 38_400, 19_200];

/// What a wake may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How long the line is listened to before anything is typed.
    pub listen: Duration,
    /// Ctrl-C, then Enter are typed at a line that is silent.
    pub poke: bool,
    /// Questions, pagers and half-typed lines are left, by no, quit and Ctrl-C.
    pub leave: bool,
    /// What somebody else has on the line is left as it is, see [`State::session`]: the wake ends there, with nothing typed but
    /// keys that show it.
    pub guest: bool,
    /// A boot is waited for, up to its login; a boot loader's menu that our own key opened is left by its exit.
    pub ride: bool,
    /// Where what comes is garbage, and the link can, these speeds are tried. Only speeds at which something was heard
    /// are typed at.
    pub speeds: Vec<u32>,
}

impl Plan {
    /// Looks and types nothing.
    pub fn listen_only(listen: Duration) -> Self {
        Self { listen, poke: false, leave: false, guest: true, ride: false, speeds: SPEEDS.to_vec() }
    }

    /// Types nothing, and watches a boot to its end.
    pub fn watch(listen: Duration) -> Self {
        Self { ride: true, ..Self::listen_only(listen) }
    }

    /// Finds out what stands there without ending what somebody else does: to a login, a prompt or a half-typed line.
    pub fn look(listen: Duration) -> Self {
        Self { listen, poke: true, leave: false, guest: true, ride: true, speeds: SPEEDS.to_vec() }
    }

    /// Brings the line to a login or a prompt, whoever is there.
    pub fn settle(listen: Duration) -> Self {
        Self { listen, poke: true, leave: true, guest: false, ride: true, speeds: SPEEDS.to_vec() }
    }
}

/// What a wake found and left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Woken {
    /// What stood there: the first state that was known.
    pub first: State,
    /// What stands there now.
    pub state: State,
    /// Everything that was typed.
    pub sent: Vec<u8>,
    /// The speed that was set, where another than the link's own was needed.
    pub speed: Option<u32>,
    /// From the start to the first state that was known.
    pub known: Duration,
    /// How long all of it took.
    pub took: Duration,
    /// The last that was seen, escaped.
    pub seen: String,
    /// The boot that was waited for.
    pub boot: Option<Boot>,
}

impl Woken {
    /// What the look took away and nobody will see again: somebody was one Enter from a format.
    pub fn taken_back(&self) -> Option<&'static str> {
        let asked = self.first == State::Menu(Menu::Format) && self.state != self.first;
        asked.then_some("the boot loader asked whether to format; it was answered no to look, nothing was formatted")
    }
}

/// A line that nobody has logged in on.
#[derive(Debug)]
pub struct Waker {
    dialogue: Dialogue,
}

impl Waker {
    /// Takes a link; nothing is sent.
    pub fn new(link: BoxLink, transcript: Option<Arc<dyn Transcript>>) -> Self {
        Self { dialogue: Dialogue::new(link, Suffix::Serial.size(), transcript) }
    }

    /// Wakes it as far as the plan allows.
    ///
    /// # Errors
    /// [`Error::LinkClosed`]. What a router is stuck in is no error here: see [`Woken::state`].
    pub async fn wake(&mut self, plan: &Plan) -> Result<Woken, Error> {
        wake(&mut self.dialogue, plan).await
    }

    pub(crate) fn dialogue(&mut self) -> &mut Dialogue {
        &mut self.dialogue
    }

    /// Why the link shows garbage, where it knows.
    pub fn unfit(&self) -> Option<String> {
        self.dialogue.unfit()
    }

    /// The link again.
    pub fn into_link(self) -> BoxLink {
        self.dialogue.into_link()
    }
}

/// One wake on its way.
struct Wake<'a> {
    dialogue: &'a mut Dialogue,
    lines: Vec<Line>,
    sent: Vec<u8>,
    /// Every line since the first key.
    heard: Vec<String>,
}

impl Wake<'_> {
    /// Nothing came that can be read: too little of it, bells and line ends alone, or, where another speed could be set, our own
    /// keys.
    fn unread(&self) -> bool {
        let legibility = self.dialogue.legibility;
        let echo = self.dialogue.speed().is_some() && legibility.is_echo();
        legibility.total() < LEGIBLE_MIN || self.dialogue.seen().trim().is_empty() || echo
    }

    fn look(&self) -> Option<State> {
        let skip = self.lines.len().saturating_sub(RECENT);
        let recent: Vec<&str> = self.lines.iter().skip(skip).map(|line| line.text.as_str()).collect();
        classify(&recent, &self.dialogue.expect.current())
    }

    /// What stands at the cursor, or the last line above it.
    fn last_line(&self) -> String {
        let current = self.dialogue.expect.current();
        if !current.trim().is_empty() {
            return current;
        }
        let said = |line: &&Line| !line.text.trim().is_empty();
        self.lines.iter().rev().find(said).map(|line| line.text.clone()).unwrap_or_default()
    }

    /// Until something known stands there, or silence for `quiet`, or a stream that does not end.
    async fn settle(&mut self, quiet: Duration, settled: Duration) -> Result<State, Error> {
        let start = Instant::now();
        loop {
            let before = self.dialogue.legibility.total();
            let step = if before == 0 { settled.min(quiet.saturating_sub(start.elapsed())) } else { settled };
            let wait = self.dialogue.wait(vec![Pattern::Quiet(step)], STREAM, "listening").await;
            match wait {
                Ok(found) => {
                    if !self.sent.is_empty() && self.heard.len() < HEARD {
                        self.heard.extend(found.before.iter().map(|line| line.text.clone()));
                    }
                    self.lines.extend(found.before);
                }
                Err(Error::Timeout { .. }) => return Ok(self.look().unwrap_or_else(|| self.unknown())),
                Err(error) => return Err(error),
            }
            let came = self.dialogue.legibility.total() != before;
            // A verdict of garbage stands before any accidental resemblance.
            let garbage = self.dialogue.legibility.is_garbage();
            if let Some(state) = self.look().filter(|_| !garbage) {
                // What asks for nothing by itself may be the middle of a text.
                let doubtful = matches!(&state, State::Asked(question) if question.is_doubtful());
                if !doubtful || !came {
                    return Ok(state);
                }
            } else if garbage || (!came && start.elapsed() >= quiet) || (came && start.elapsed() >= STREAM) {
                return Ok(self.unknown());
            }
        }
    }

    fn unknown(&self) -> State {
        // A menu that is printed again and again is one that somebody else types into: a console that is wired to this one.
        let menu = || {
            // Lines of a stream that has not paused yet are still in the engine.
            let streamed = self.dialogue.expect.finished_since(0).filter_map(boot::sign).last();
            let read = || self.lines.iter().rev().take(RECENT).find_map(|line| boot::sign(&line.text));
            streamed.or_else(read) == Some(Sign::Menu)
        };
        match self.dialogue.legibility {
            legibility if legibility.is_garbage() => State::Garbage,
            legibility if legibility.total() == 0 => State::Silent,
            _ if menu() => State::Menu(Menu::Main),
            _ => State::Text,
        }
    }

    /// Types a key; what stood there before is no answer to it.
    fn key(&mut self, bytes: &[u8]) {
        self.lines.clear();
        self.dialogue.expect.discard();
        self.dialogue.legibility = Legibility::default();
        self.dialogue.send(bytes);
        self.sent.extend_from_slice(bytes);
    }

    /// A key that was typed here opened the boot loader's menu.
    fn opened_menu(&self, entered: bool) -> bool {
        !self.sent.is_empty() && booter::opened_by_a_key(self.heard.iter().map(String::as_str), entered)
    }

    fn change_speed(&mut self, baud: u32) -> bool {
        if !self.dialogue.set_speed(baud) {
            return false;
        }
        self.lines.clear();
        self.dialogue.forget();
        true
    }

    /// Goes on to a speed that was not tried yet.
    fn next_speed(&mut self, speeds: &mut impl Iterator<Item = u32>, own: Option<u32>) -> Option<u32> {
        let own = own?;
        let next = speeds.find(|next| *next != own)?;
        self.change_speed(next).then_some(next)
    }
}

/// The key that leaves a question without an answer that would change anything.
pub(crate) fn leaving(question: &Question) -> &'static [u8] {
    match question {
        Question::License | Question::YesNo(_) => b"n",
        Question::LicensePager => b"q\r",
        // Any key but `r`, which would remove the default configuration.
        Question::PressEnter | Question::DefaultConfiguration => b"\r",
        Question::Pager { .. } | Question::Monitor => b"q",
        Question::HijackSafeMode => b"d",
        _ => CTRL_C,
    }
}

/// See [`Waker::wake`].
pub(crate) async fn wake(dialogue: &mut Dialogue, plan: &Plan) -> Result<Woken, Error> {
    let start = Instant::now();
    let lines = std::mem::take(&mut dialogue.standing);
    let mut wake = Wake { dialogue, lines, sent: Vec::new(), heard: Vec::new() };
    let mut first: Option<State> = None;
    let mut known = None;
    let own = wake.dialogue.speed();
    let mut speed = None;
    let mut speeds = plan.speeds.iter().copied();
    let mut ridden = None;
    // Ctrl-C and Enter were typed at what stands there, without an answer.
    let (mut ctrl_c, mut enter) = (false, false);
    // The same of a guest's keys.
    let (mut shown, mut entered) = (false, false);
    let mut felt = own.is_none_or(|own| LOOKS_AT.contains(&own));
    // Speeds, `None` the line's own, at which keys had no answer: a menu that answers there later was not open then.
    let mut dumb: Vec<Option<u32>> = Vec::new();
    let mut returned = false;
    // The speed at which an answer was asked for twice.
    let mut proved = None;
    let mut state = wake.settle(plan.listen, SETTLED).await?;
    for _ in 0..MAX_KEYS {
        // At another speed there is nothing to spare any more: what was typed at the line's own stands in it as noise.
        let spares = plan.guest && speed.is_none();
        if first.is_none() && !matches!(state, State::Silent | State::Text | State::Garbage) {
            first = Some(state.clone());
            known = Some(start.elapsed());
        }
        match &state {
            State::Menu(Menu::Main) if plan.ride && (wake.opened_menu(enter || entered) || dumb.contains(&speed)) => {
                let Some((boot, end)) = booter::leave_opened(wake.dialogue).await? else { break };
                ridden = Some(boot);
                state = end;
                break;
            }
            // It may be the late answer to what was typed at the speed before, which says nothing of this one.
            State::Login | State::Prompt(_) if speed.is_some() && plan.poke && !dumb.is_empty() && proved != speed => {
                proved = speed;
                wake.dialogue.forget();
                wake.key(ENTER);
                let again = wake.settle(REFUSAL_WAIT, ANSWERED).await?;
                if matches!(again, State::Login | State::Prompt(_)) {
                    state = again;
                    continue;
                }
                // The line answers, only late: at its own speed there is more patience now.
                if let Some(own) = own {
                    wake.change_speed(own);
                }
                (speed, returned) = (None, true);
                (ctrl_c, enter) = (false, false);
                // What is late of the other speeds is let by.
                wake.settle(REFUSAL_WAIT, SETTLED).await?;
                wake.dialogue.forget();
                wake.key(ENTER);
                state = wake.settle(REFUSAL_WAIT, ANSWERED).await?;
            }
            State::Login | State::Prompt(_) | State::Menu(_) | State::Installer | State::BootLoop(_) => break,
            // What stopped may start again.
            State::KeyWindow | State::Booting | State::Etherboot | State::NoKernel | State::Dead => {
                if !plan.ride {
                    break;
                }
                let line = wake.last_line();
                let (boot, end) = boot::ride(wake.dialogue, &line).await?;
                ridden = Some(boot);
                state = end;
                break;
            }
            // Something began to speak while other speeds were tried: it may speak at the line's own.
            State::Garbage if speed.is_some() && dumb.contains(&None) && !returned => {
                returned = true;
                if let Some(own) = own {
                    wake.change_speed(own);
                }
                speed = None;
                (ctrl_c, enter) = (false, false);
                state = wake.settle(SETTLED, SETTLED).await?;
            }
            State::Garbage => {
                let Some(next) = wake.next_speed(&mut speeds, own) else { break };
                speed = Some(next);
                (ctrl_c, enter) = (false, false);
                state = wake.settle(plan.listen, SETTLED).await?;
            }
            State::Asked(question) if plan.leave => {
                let key = leaving(question);
                wake.key(key);
                state = wake.settle(CTRL_C_WAIT, ANSWERED).await?;
            }
            State::Asked(_) => break,
            State::Silent | State::Text if spares && plan.poke && !felt => {
                felt = true;
                wake.key(FEEL);
                state = wake.settle(LOOK_WAIT, ANSWERED).await?;
                if matches!(state, State::Silent | State::Text) && wake.dialogue.legibility.is_foreign() {
                    state = State::Garbage;
                }
            }
            State::Silent | State::Text if spares && plan.poke && !shown => {
                shown = true;
                wake.key(LOOK);
                state = wake.settle(LOOK_WAIT, ANSWERED).await?;
            }
            State::HalfTyped(_) if spares => break,
            State::Text if spares && !wake.unread() => break,
            // Where nothing shows, no line is being typed. Ctrl-C would end a command that says nothing; Enter waits for it.
            State::Silent | State::Text if spares && plan.poke && !entered => {
                entered = true;
                wake.key(ENTER);
                state = wake.settle(ENTER_WAIT, ANSWERED).await?;
            }
            // An empty password is no answer to give as long as there is another.
            State::Password | State::Silent | State::Text | State::HalfTyped(_)
                if plan.poke && !ctrl_c && !(spares && state != State::Password) =>
            {
                ctrl_c = true;
                let before = state.clone();
                wake.key(CTRL_C);
                state = wake.settle(CTRL_C_WAIT, ANSWERED).await?;
                if before == State::Password && state == State::Silent {
                    state = before;
                }
            }
            State::Password | State::Silent | State::Text | State::HalfTyped(_)
                if plan.poke && !enter && !(spares && state != State::Password) =>
            {
                enter = true;
                let wait = if state == State::Password { REFUSAL_WAIT } else { ENTER_WAIT };
                wake.key(ENTER);
                state = wake.settle(wait, ANSWERED).await?;
            }
            // Keys at the wrong speed may have no answer at all, or too little of one.
            State::Silent | State::Text if plan.poke && wake.unread() => {
                let Some(next) = wake.next_speed(&mut speeds, own) else { break };
                dumb.push(speed.replace(next));
                (ctrl_c, enter) = (false, false);
                state = wake.settle(SETTLED, SETTLED).await?;
            }
            State::Password | State::Silent | State::Text | State::HalfTyped(_) => break,
        }
    }
    if let (State::Silent | State::Text | State::Garbage, Some(own), Some(_)) = (&state, own, speed) {
        // No speed is better than another: back to what the line was opened with.
        wake.change_speed(own);
        speed = None;
    }
    // A boot that was waited for has ended in what stands there now.
    let kept = if ridden.is_some() { 0 } else { wake.lines.len().min(RECENT) };
    wake.dialogue.standing = wake.lines.split_off(wake.lines.len() - kept);
    let seen = wake.dialogue.seen();
    let first = first.unwrap_or_else(|| state.clone());
    let took = start.elapsed();
    Ok(Woken { first, state, sent: wake.sent, speed, known: known.unwrap_or(took), took, seen, boot: ridden })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_stands_there() {
        let menu = ["RouterBOOT-7.4beta4", "What do you want to configure?", "   d - boot delay", "   x - exit setup"];
        for (recent, current, name) in [
            (&[][..], "", ""),
            (&[], "MikroTik Login: ", "login"),
            (&["x"], "Password: ", "password"),
            (&[], "[admin@MikroTik] > ", "prompt"),
            (&[], "[admin@MikroTik] /ip address> ", "prompt"),
            (&[], "[admin@CHR] <SAFE> ", "prompt"),
            (&["system will reboot shortly", ""], "[admin@MikroTik] > ", "booting"),
            (&menu, "your choice: ", "boot-menu"),
            (&["Select boot delay:", "   1 - 1s"], "your choice: ", "boot-menu"),
            (&["that would result in losing all your data"], "type \"yes\" to confirm: ye", "boot-menu"),
            (&["RouterBOOT booter 7.18.2", ""], "Press any key within 2 seconds to enter setup", "key-window"),
            (&[], "Press <delete> key within 1 seconds to enter setup..", "key-window"),
            (&[], "...", "key-window"),
            (&["RouterBOOT booter 2.20", ""], "", "booting"),
            (&[], "loading kernel from nand... OK", "booting"),
            (&["Starting..."], "", "booting"),
            (&[], "trying bootp protocol......", "etherboot"),
            (&["kernel loading failed"], "", "no-kernel"),
            (&["Waiting for installation server..."], "", "installer"),
            (&["System halted."], "", "dead"),
            (&["Reboot, yes? [y/N]: "], "", "question"),
            (&[], "-- [Q quit|D dump|down]", "pager"),
            (&[], "{... ", "continuation"),
            (&[], "{... /ip address remo", "continuation"),
            (&[], "[joe@R] > /ip address remo", "half-typed"),
            (&["  name: MikroTik"], "", ""),
            (&[], "RouterBOOT booter 7 was here] x", "booting"),
        ] {
            let state = classify(recent, current);
            assert_eq!(state.as_ref().map_or("", State::name), name, "{recent:?} {current:?}: {state:?}");
        }
        let Some(State::Menu(Menu::Sub(heading))) = classify(&["Select boot device:"], "your choice: ") else {
            panic!()
        };
        assert_eq!(heading, "Select boot device");
    }

    #[test]
    fn text_is_told_from_noise() {
        let of = |bytes: &[u8]| {
            let mut legibility = Legibility::default();
            legibility.on_bytes(bytes);
            legibility.is_garbage()
        };
        assert!(!of(b"MikroTik Login: "));
        assert!(!of("r\u{e9}seau Login: ".as_bytes()));
        assert!(!of(b"\r\n\x1b[9999B\x1bZ  \x1b[6n"));
        assert!(!of(&[0, 0xff]), "power that comes or goes");
        assert!(of(&[0, 0x80, b'x', 0xf8]));
    }

    proptest! {
        #[test]
        fn no_text_panics(recent in prop::collection::vec("\\PC{0,40}", 0..4), current in "\\PC{0,60}") {
            let recent: Vec<&str> = recent.iter().map(String::as_str).collect();
            if let Some(state) = classify(&recent, &current) {
                let _ = (state.name(), state.to_string());
            }
        }
    }
}
