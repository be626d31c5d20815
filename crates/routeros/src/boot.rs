//! A serial line while its router boots: what is seen there, and the patience not to type into it.
//!
//! RouterBOOT opens its menu on any byte that arrives in its key window, and its menu acts on single keys: what types at a
//! booting router stops it, or worse (routeros-console.md sections 0 and 8). So a serial line is listened to before it is
//! poked, and from the first sign of a boot on nothing is sent until the login prompt is there.

use crate::dialogue::Dialogue;
use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::question::Question;
use crate::wake::{Menu, State};
use regex::Regex;
use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::time::Instant;

/// How long a line is listened to whose router is not expected to boot: longer than a second, in which a boot loader that counts
/// its key window down prints a dot.
pub const IDLE: Duration = Duration::from_millis(1050);
/// How long where it may be booting: longer than the longest key window of the boot loader, 9 s, in which nothing but dots is
/// said. What it says before and behind the window is a sign; while its kernel loads it is silent for longer, and deaf.
/// A box with silent boot can't be told from an idle one.
pub const SUSPECT: Duration = Duration::from_secs(12);
/// How long where it surely restarts, and says nothing while it boots: only its login prompt ends that. Longer than a boot
/// usually takes; two boots in a row are told from an idle line by nothing.
pub const SILENT: Duration = Duration::from_secs(180);
/// From the first sign of a boot to the login prompt, and from the start of a second one on anew: the slowest boards take
/// minutes, and some boots are two.
pub const BOOT: Duration = Duration::from_secs(300);
/// Starts in a row without a login prompt that are a loop: an upgrade takes two.
pub const LOOP: usize = 3;
/// A line that is silent for so long in the middle of a boot, or stays in a menu: nobody will come.
pub const STUCK: Duration = Duration::from_secs(120);
/// A system that stopped says no more, unless it starts again: a kernel that panics, a watchdog.
const STOPPED: Duration = Duration::from_secs(30);
/// Of a line that is kept for people.
const MAX_SAID: usize = 160;
/// A menu that was printed waits for ever. This is only to be sure that it was printed to its end.
const MENU: Duration = Duration::from_secs(2);
/// Kernels that were not found, in a row: the network boot that follows repeats for ever.
const NO_KERNEL: usize = 3;

/// What a line of a boot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The system goes down, the boot loader speaks, a kernel loads or starts.
    Booting,
    /// The boot loader's menu is open: it waits for a key, for ever.
    Menu,
    /// Nothing to boot from was found.
    NoKernel,
    /// The network installer runs and waits for its server.
    Installer,
    /// The system stopped and says so.
    Dead,
}

#[expect(clippy::expect_used, reason = "constant patterns, each compiled by a test")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// Signs, by the texts of transcripts 01 to 13. The first that fits counts.
static SIGNS: LazyLock<Vec<(Sign, Regex)>> = LazyLock::new(|| {
    vec![
        (Sign::Menu, regex(r"^\s*(What do you want to configure\?|RouterBOOT-\d)")),
        (Sign::NoKernel, regex(r"kernel loading failed\s*$|kernel out of range\s*$")),
        (
            Sign::Installer,
            regex(r"^\s*(Waiting for installation server|Welcome to MikroTik Router Software (remote )?installation)"),
        ),
        (
            Sign::Dead,
            regex(
                r"^\s*(System halted|System Halted|Power down\.|Kernel panic)|reboot: Power down|rc\.sysinit: .*cannot create /var/run/utmp",
            ),
        ),
        (
            Sign::Booting,
            regex(
                r"(?x)^\s*(
                    RouterBOOT\ (backup\ )?booter\ | Press\ (any\ key|<delete>\ key|Ctrl\+E)\ | loading\ kernel
                  | setting\ up\ elf\ image | jumping\ to\ kernel | Starting\.\.\.\s*$ | Starting\ services\.\.\.
                  | Rebooting\.\.\. | Stopping\ services\.\.\. | Restarting\ system\. | trying\ (bootp|dhcp)\ protocol
                  | writing\ settings\ to\ flash | Please,\ check\ ethernet\ cable
                ) | reboot:\ Restarting\ system | system\ will\ reboot\ shortly",
            ),
        ),
    ]
});

/// What this line says of a boot, if anything.
pub fn sign(line: &str) -> Option<Sign> {
    SIGNS.iter().find(|(_, form)| form.is_match(line)).map(|(sign, _)| *sign)
}

/// Patterns for all signs.
pub(crate) fn patterns() -> impl Iterator<Item = Pattern> {
    SIGNS.iter().map(|(_, form)| Pattern::LineRegex(form.clone()))
}

/// A stretch of a boot, by the line that begins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The old system goes down.
    Down,
    /// The boot loader: its banner, its key window.
    Loader,
    /// The boot loader asks the network.
    Network,
    /// The kernel is loaded and started.
    Kernel,
    /// The system starts its services.
    System,
    /// The login prompt.
    Login,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "going down",
            Self::Loader => "boot loader",
            Self::Network => "network boot",
            Self::Kernel => "kernel",
            Self::System => "system",
            Self::Login => "login",
        })
    }
}

/// Whether this line announces the boot loader's key. The welcome of RouterOS 7 has a line that begins as it does: `Press F1
/// for help`.
fn is_key_window(line: &str) -> bool {
    line.starts_with("Press ") && line.contains(" key within ")
}

/// The phase that this line begins or belongs to, if it tells.
pub fn phase(line: &str) -> Option<Phase> {
    let line = line.trim_start();
    let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
    if begins(&["Rebooting...", "Stopping services...", "Restarting system.", "system will reboot"])
        || line.contains("reboot: Restarting system")
    {
        Some(Phase::Down)
    } else if begins(&["RouterBOOT booter ", "RouterBOOT backup booter ", "RouterBOOT-", "writing settings"])
        || is_key_window(line)
        || begins(&["Press Ctrl+E to enter etherboot"])
    {
        Some(Phase::Loader)
    } else if begins(&["trying bootp", "trying dhcp"]) {
        Some(Phase::Network)
    } else if begins(&["loading kernel", "setting up elf", "jumping to kernel"]) {
        Some(Phase::Kernel)
    } else if begins(&["Starting..."]) || begins(&["Starting services"]) {
        Some(Phase::System)
    } else {
        None
    }
}

/// The timing of a boot that was waited for: when each phase was first seen, from the first sign on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Boot {
    /// Phases in their order; a second boot begins them anew.
    pub phases: Vec<(Phase, Duration)>,
    /// A key that was typed to look opened the boot loader's menu, as it does where a boot is silent; the menu was left by its
    /// exit, with nothing set in it.
    pub menu_left: bool,
}

impl Boot {
    fn note(&mut self, phase: Phase, at: Duration) {
        if self.phases.last().is_none_or(|(last, _)| *last != phase) {
            self.phases.push((phase, at));
        }
    }

    /// How many boots it was: an upgrade takes two.
    pub fn count(&self) -> usize {
        let back =
            self.phases.windows(2).filter(|pair| matches!(pair, [(a, _), (b, _)] if b < a && *a != Phase::Network));
        1 + back.count()
    }
}

impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (phase, when)) in self.phases.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{phase} at {:.1} s", when.as_secs_f64())?;
        }
        if self.menu_left {
            f.write_str("; a key had opened its boot loader's menu, which was left again")?;
        }
        Ok(())
    }
}

/// A router that starts again and again and comes to no login prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BootLoop {
    /// Starts that were seen, the newest with them.
    pub starts: usize,
    /// For how long that was watched.
    pub took: Duration,
    /// The last line that a system said before the newest start; empty where none said anything.
    pub last: String,
    /// The board's name, by the boot loader's banner.
    pub board: Option<String>,
}

impl fmt::Display for BootLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it starts again and again: {} starts in {} s and no login prompt",
            self.starts,
            self.took.as_secs()
        )?;
        if self.last.is_empty() {
            f.write_str("; no system said anything")
        } else {
            write!(f, "; the last line before the newest one: {}", self.last)
        }
    }
}

/// Starts, counted by what the boot loader says first, or by what the kernel does where a boot loader is silent.
#[derive(Debug, Default)]
struct Starts {
    loaders: usize,
    kernels: usize,
    /// A boot loader has spoken since the last kernel.
    loader: bool,
    /// The next line that says anything is the board's name.
    names: bool,
    board: Option<String>,
    /// The last line of a system.
    heard: String,
    /// The same as the newest start began.
    last: String,
}

impl Starts {
    fn count(&self) -> usize {
        self.loaders.max(self.kernels)
    }

    fn line(&mut self, line: &str) {
        let line = line.trim();
        let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
        if begins(&["RouterBOOT booter ", "RouterBOOT backup booter "]) {
            self.loaders += 1;
            (self.loader, self.names) = (true, true);
            self.last = std::mem::take(&mut self.heard);
        } else if begins(&["Starting..."]) && !begins(&["Starting services"]) {
            self.kernels += 1;
            if !std::mem::take(&mut self.loader) {
                self.last = std::mem::take(&mut self.heard);
            }
            self.heard = said(line).into_owned();
        } else if !line.is_empty() {
            if std::mem::take(&mut self.names) && self.board.is_none() {
                let name = line.trim_start_matches("RouterBOARD ").trim_start_matches("RouterBoard ");
                self.board = Some(said(name).into_owned());
            }
            // What some boards say before their banner (routeros-console.md section 8.1) is no system's.
            let early = line.starts_with(":0000") || line.starts_with("AL3");
            if !self.loader && !early {
                self.heard = said(line).into_owned();
            }
        }
    }
}

/// A line of the router for people: nothing in it acts on a terminal.
fn said(line: &str) -> Cow<'_, str> {
    if line.chars().count() <= MAX_SAID && !line.contains(char::is_control) {
        return Cow::Borrowed(line);
    }
    line.chars().take(MAX_SAID).map(|c| if c.is_control() { '.' } else { c }).collect()
}

/// Waits out a boot whose first sign was `first`, with nothing sent, to the login prompt or to where it is stuck: a menu,
/// an installer, a system that stopped, nothing to boot from, silence, starts without an end. It ends: a start has its time,
/// and only so many are watched.
///
/// # Errors
/// [`Error::LinkClosed`].
pub(crate) async fn ride(dialogue: &mut Dialogue, first: &str) -> Result<(Boot, State), Error> {
    let start = Instant::now();
    let mut boot = Boot::default();
    let mut starts = Starts::default();
    let mut deadline = start + BOOT;
    let mut failures = 0;
    let mut line = first.to_owned();
    let end = loop {
        let phase = phase(&line);
        if let Some(phase) = phase {
            boot.note(phase, start.elapsed());
        }
        let kind = sign(&line);
        let mut stuck = STUCK;
        match kind {
            Some(Sign::Menu) => stuck = MENU,
            Some(Sign::NoKernel) => failures += 1,
            Some(Sign::Installer) => break State::Installer,
            Some(Sign::Dead) => stuck = STOPPED,
            // A board that asks the network first finds its kernel behind that.
            _ if phase == Some(Phase::System) => failures = 0,
            _ => {}
        }
        if failures >= NO_KERNEL {
            break State::NoKernel;
        }
        if starts.count() >= LOOP {
            let Starts { last, board, .. } = starts;
            break State::BootLoop(BootLoop { starts: LOOP, took: start.elapsed(), last, board });
        }
        let mut wanted: Vec<Pattern> = patterns().collect();
        wanted.extend([Pattern::Question(Duration::ZERO, BOOT), Pattern::Quiet(stuck)]);
        let left = deadline.saturating_duration_since(Instant::now());
        let before = starts.count();
        match dialogue.wait(wanted, left, "waiting for the router to boot").await {
            Ok(found) => {
                found.before.iter().for_each(|line| starts.line(&line.text));
                match found.found {
                    Found::Line(next) => {
                        starts.line(&next.text);
                        line = next.text;
                    }
                    Found::Question(Question::LoginName) => {
                        boot.note(Phase::Login, start.elapsed());
                        break State::Login;
                    }
                    Found::Question(_) | Found::Prompt(_) | Found::Cursor => line.clear(),
                    Found::Quiet if kind == Some(Sign::Menu) => break State::Menu(Menu::Main),
                    Found::Quiet if kind == Some(Sign::Dead) => break State::Dead,
                    Found::Quiet => break State::Silent,
                }
            }
            // Something is said all the time, and none of it is the end of a boot.
            Err(Error::Timeout { .. }) => break State::Booting,
            Err(error) => return Err(error),
        }
        if starts.count() > before {
            deadline = Instant::now() + BOOT;
        }
    };
    Ok((boot, end))
}

/// The error for a router that a boot left at `state`.
pub(crate) fn stuck(dialogue: &Dialogue, state: &State) -> Option<Error> {
    let why = match state {
        State::Menu(_) => return Some(Error::BootLoader { seen: dialogue.seen() }),
        State::Installer => "it waits for a network installation",
        State::Dead => "it stopped",
        State::NoKernel => "it finds nothing to boot from",
        State::Silent => "it fell silent on its way",
        State::Booting => "it boots, and has not come to a login prompt in its time",
        State::BootLoop(seen) => return Some(Error::BootLoop { starts: seen.clone(), seen: dialogue.seen() }),
        _ => return None,
    };
    Some(Error::NotBooting { why: why.to_owned(), seen: dialogue.seen() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_boots_are_two() {
        let ms = Duration::from_millis;
        let mut boot = Boot::default();
        for (at, line) in
            ["Rebooting...", "RouterBOOT booter 7", "loading kernel... OK", "Starting..."].iter().enumerate()
        {
            boot.note(phase(line).unwrap(), ms(at as u64));
        }
        assert_eq!(boot.count(), 1);
        boot.note(phase("Rebooting...").unwrap(), ms(5));
        boot.note(Phase::Loader, ms(6));
        boot.note(Phase::Kernel, ms(7));
        boot.note(Phase::Login, ms(8000));
        assert_eq!(boot.count(), 2);
        assert!(boot.to_string().ends_with("login at 8.0 s"), "{boot}");
        // A network boot that fails and goes on with the disk is one boot.
        let once = [Phase::Loader, Phase::Network, Phase::Kernel].map(|phase| (phase, ms(1)));
        assert_eq!(Boot { phases: once.to_vec(), ..Boot::default() }.count(), 1);
    }

    #[test]
    fn lines_of_the_transcripts() {
        for (line, expected) in [
            ("RouterBOOT booter 2.20", Sign::Booting),
            ("RouterBOOT backup booter 3.27", Sign::Booting),
            ("Press any key within 2 seconds to enter setup..", Sign::Booting),
            ("Press <delete> key within 1 seconds to enter setup.", Sign::Booting),
            ("loading kernel from nand... OK", Sign::Booting),
            ("setting up elf image... kernel out of range", Sign::NoKernel),
            ("trying bootp protocol... failed", Sign::Booting),
            ("kernel loading failed", Sign::NoKernel),
            ("RouterBOOT-7.4beta4", Sign::Menu),
            ("What do you want to configure?", Sign::Menu),
            ("Starting...", Sign::Booting),
            ("Starting services...", Sign::Booting),
            ("[   42.806006] reboot: Restarting system", Sign::Booting),
            ("Waiting for installation server...", Sign::Installer),
            ("System halted.", Sign::Dead),
        ] {
            assert_eq!(sign(line), Some(expected), "{line}");
        }
        for line in [
            "",
            "MikroTik 7.18.2 (stable)",
            "  name: Starting...x",
            "[admin@MikroTik] > /log print where message=\"RouterBOOT booter 7\"",
            "12:00:00 echo: system,error,critical login failure for user RouterBOOT-7 via local",
        ] {
            assert_eq!(sign(line), None, "{line}");
        }
    }
}
