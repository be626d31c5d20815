//! A serial line while its router boots: what is seen there, and the patience not to type into it.
//!
//! RouterBOOT opens its menu on any byte that arrives in its key window, and its menu acts on single keys: what types at a
//! booting router stops it, or worse (routeros-console.md sections 0 and 8). So a serial line is listened to before it is
//! poked, and from the first sign of a boot on nothing is sent until the login prompt is there.

use crate::dialogue::Dialogue;
use crate::error::Error;
use crate::expect::{Found, Pattern};
use crate::question::Question;
use regex::Regex;
use std::sync::LazyLock;
use std::time::Duration;

/// How long a line is listened to whose router is not expected to boot.
pub const IDLE: Duration = Duration::from_millis(800);
/// How long where it may be booting: longer than the longest key window of the boot loader, 9 s, in which nothing but dots is
/// said. What it says before and behind the window is a sign; while its kernel loads it is silent for longer, and deaf.
/// A box with silent boot can't be told from an idle one.
pub const SUSPECT: Duration = Duration::from_secs(12);
/// A prompt or a question behind which nothing comes for so long stands there.
const SETTLED: Duration = Duration::from_millis(300);

/// From the first sign of a boot to the login prompt: the slowest boards take minutes, and some boots are two.
const BOOT: Duration = Duration::from_secs(300);
/// A line that is silent for so long in the middle of a boot, or stays in a menu: nobody will come.
const STUCK: Duration = Duration::from_secs(120);
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
            regex(r"^\s*(Waiting for installation server|Welcome to MikroTik Router Software remote installation)"),
        ),
        (Sign::Dead, regex(r"^\s*(System halted|System Halted|Power down\.|Kernel panic)|reboot: Power down")),
        (
            Sign::Booting,
            regex(
                r"(?x)^\s*(
                    RouterBOOT\ (backup\ )?booter\ | Press\ (any\ key|<delete>\ key|Ctrl\+E)\ | loading\ kernel
                  | setting\ up\ elf\ image | jumping\ to\ kernel | Starting\.\.\.\s*$ | Starting\ services\.\.\.
                  | Rebooting\.\.\. | Stopping\ services\.\.\. | Restarting\ system\. | trying\ (bootp|dhcp)\ protocol
                  | writing\ settings\ to\ flash
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

/// Listens without a byte sent. Returns when the line may be typed at: it is quiet, at a prompt or a question.
///
/// # Errors
/// [`Error::BootLoader`], [`Error::NotBooting`], [`Error::LinkClosed`].
pub(crate) async fn listen(dialogue: &mut Dialogue, quiet: Duration) -> Result<(), Error> {
    let mut wanted: Vec<Pattern> = patterns().collect();
    wanted.extend([Pattern::Prompt(SETTLED), Pattern::Question(SETTLED, quiet), Pattern::Quiet(quiet)]);
    match dialogue.wait(wanted, BOOT, "listening before anything is typed").await?.found {
        Found::Line(line) => ride(dialogue, &line.text).await,
        _ => Ok(()),
    }
}

/// Waits out a boot whose first sign was `first`, with nothing sent, to the login prompt.
///
/// # Errors
/// As [`listen`].
pub(crate) async fn ride(dialogue: &mut Dialogue, first: &str) -> Result<(), Error> {
    let mut failures = 0;
    let mut line = first.to_owned();
    loop {
        let kind = sign(&line);
        let mut stuck = STUCK;
        match kind {
            Some(Sign::Menu) => stuck = MENU,
            Some(Sign::NoKernel) => failures += 1,
            Some(Sign::Installer) => return Err(not_booting(dialogue, "it waits for a network installation")),
            Some(Sign::Dead) => return Err(not_booting(dialogue, "it stopped")),
            _ => {}
        }
        if failures >= NO_KERNEL {
            return Err(not_booting(dialogue, "it finds nothing to boot from"));
        }
        let mut wanted: Vec<Pattern> = patterns().collect();
        wanted.extend([Pattern::Question(Duration::ZERO, BOOT), Pattern::Quiet(stuck)]);
        match dialogue.wait(wanted, BOOT, "waiting for the router to boot").await?.found {
            Found::Line(next) => line = next.text,
            Found::Question(Question::LoginName) => return Ok(()),
            Found::Question(_) | Found::Prompt(_) => line.clear(),
            Found::Quiet if kind == Some(Sign::Menu) => {
                return Err(Error::BootLoader { seen: dialogue.seen() });
            }
            Found::Quiet => return Err(not_booting(dialogue, "it fell silent on its way")),
        }
    }
}

fn not_booting(dialogue: &Dialogue, why: &str) -> Error {
    Error::NotBooting { why: why.to_owned(), seen: dialogue.seen() }
}

#[cfg(test)]
mod tests {
    use super::*;

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
