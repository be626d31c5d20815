//! What stands on a line, told from its last lines, and whether its bytes are text at all.

use std::fmt;
use std::sync::LazyLock;

use regex::Regex;

use crate::boot::{self, BootLoop, Sign};
use crate::prompt::Prompt;
use crate::question::{Question, Tail};

/// Lines above a prompt in which the end of its session is announced.
const LEAVING: usize = 4;
/// Bytes of which a verdict can be made; power that comes or goes makes one or two.
pub(super) const LEGIBLE_MIN: usize = 3;

/// Which menu of RouterBOOT is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Menu {
    /// The main menu.
    Main,
    /// A submenu, by its heading.
    Sub(String),
    /// It asks for `yes` and would erase everything.
    Format,
}

/// What stands on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing came, whatever was typed.
    Silent,
    /// Characters that are none: the line has another speed.
    Garbage,
    /// Something is said that is none of the below: a command's output.
    Text,
    /// The boot loader waits for a key, for some seconds: any byte opens its menu.
    KeyWindow,
    /// The boot loader, the kernel or the system on its way up or down.
    Booting,
    /// The boot loader asks the network for a system.
    Etherboot,
    /// The boot loader's menu waits for a key, for ever.
    Menu(Menu),
    /// Nothing to boot from was found.
    NoKernel,
    /// The network installer waits for its server.
    Installer,
    /// The system stopped and says so.
    Dead,
    /// The router starts again and again and comes to no login prompt.
    BootLoop(BootLoop),
    /// A name is asked for.
    Login,
    /// A login's password is asked for.
    Password,
    /// Something else is asked.
    Asked(Question),
    /// A session is open.
    Prompt(Prompt),
    /// The same, with something typed behind its prompt.
    HalfTyped(Prompt),
}

impl State {
    /// A word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Garbage => "garbage",
            Self::Text => "text",
            Self::KeyWindow => "key-window",
            Self::Booting => "booting",
            Self::Etherboot => "etherboot",
            Self::Menu(_) => "boot-menu",
            Self::NoKernel => "no-kernel",
            Self::Installer => "installer",
            Self::Dead => "dead",
            Self::BootLoop(_) => "boot-loop",
            Self::Login => "login",
            Self::Password => "password",
            Self::Asked(Question::Pager { .. } | Question::Monitor) => "pager",
            Self::Asked(Question::Continuation(_)) => "continuation",
            Self::Asked(_) => "question",
            Self::Prompt(_) => "prompt",
            Self::HalfTyped(_) => "half-typed",
        }
    }

    /// What of somebody else's stands there, in words: a session of another user than `own` or one in safe mode, a command's
    /// question or output. What is half typed is never repeated: it may hold a secret.
    pub fn session(&self, own: &str) -> Option<String> {
        let of = |prompt: &Prompt| {
            let path = if prompt.path.is_empty() { String::new() } else { format!(" in {}", prompt.path) };
            let safe = if prompt.safe { ", SAFE MODE TAKEN: ending it keeps or undoes its changes" } else { "" };
            format!("prompt of {}{path}{safe}", prompt.user)
        };
        match self {
            Self::Prompt(prompt) if prompt.user != own || prompt.safe => Some(of(prompt)),
            Self::HalfTyped(prompt) if prompt.user != own || prompt.safe => Some(of(prompt) + ", a half-typed line"),
            // What a login itself is asked is nobody's work.
            Self::Asked(
                Question::License
                | Question::LicensePager
                | Question::PressEnter
                | Question::DefaultConfiguration
                | Question::NewPassword
                | Question::RepeatPassword,
            ) => None,
            Self::Asked(_) => Some(self.to_string()),
            Self::Text => Some("a command's output, or a line that is being typed".to_owned()),
            _ => None,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => f.write_str("nothing answers"),
            Self::Garbage => f.write_str("characters that are none: the line has another speed"),
            Self::Text => f.write_str("output of a command"),
            Self::KeyWindow => f.write_str("the boot loader's key window: any byte would open its menu"),
            Self::Booting => f.write_str("it boots"),
            Self::Etherboot => f.write_str("the boot loader asks the network for a system"),
            Self::Menu(Menu::Main) => f.write_str("the boot loader's main menu is open"),
            Self::Menu(Menu::Sub(heading)) => write!(f, "the boot loader's menu \"{heading}\" is open"),
            Self::Menu(Menu::Format) => f.write_str("the boot loader asks for `yes` to erase everything"),
            Self::NoKernel => f.write_str("the boot loader finds nothing to boot from"),
            Self::Installer => f.write_str("the network installer waits for its server"),
            Self::Dead => f.write_str("the system stopped"),
            Self::BootLoop(seen) => seen.fmt(f),
            Self::Login => f.write_str("a login prompt"),
            Self::Password => f.write_str("a login's password prompt"),
            Self::Asked(Question::Pager { .. } | Question::Monitor) => {
                f.write_str("somebody's output, a screen at a time")
            }
            Self::Asked(Question::Continuation(text)) => write!(f, "somebody's open bracket or quote: {}", text.trim()),
            Self::Asked(Question::YesNo(text)) => write!(f, "a question: {text}"),
            Self::Asked(question) => write!(f, "a question: {question:?}"),
            Self::Prompt(prompt) => write!(f, "a session is open: {}", prompt.text),
            Self::HalfTyped(prompt) => write!(f, "a session is open, with a half-typed line: {}", prompt.text),
        }
    }
}

#[expect(clippy::expect_used, reason = "constant patterns, each compiled by a test")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

static WINDOW: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^\s*(Press (any key|<delete> key) within \d+ seconds? to enter setup)?\.{0,10}\s*$"));
/// An open bracket or quote, with more typed behind it.
static CONTINUED: LazyLock<Regex> = LazyLock::new(|| regex(r#"^([{(\["\\ ]*[{(\["\\]\.\.\. ).*\S"#));
static NETBOOT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^\s*(trying (bootp|dhcp) protocol\.*\s*(OK)?\s*$|Got IP address|resolved mac address|transfer (started|ok))",
    )
});
static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^\s*(Select .*:|Silent boot:|Boot protocol:|Booter options:|Upgrade firmware.*|What do you want to configure\?)\s*$",
    )
});

fn of_sign(sign: Sign) -> State {
    match sign {
        Sign::Booting => State::Booting,
        Sign::Menu => State::Menu(Menu::Main),
        Sign::NoKernel => State::NoKernel,
        Sign::Installer => State::Installer,
        Sign::Dead => State::Dead,
    }
}

/// What stands at the end of `recent` lines with `current` at the cursor. `None`: nothing that is known.
pub fn classify(recent: &[&str], current: &str) -> Option<State> {
    if let Some(prompt) = Prompt::parse(current) {
        // A reboot that was ordered leaves the prompt for some seconds.
        let going = recent.iter().rev().take(LEAVING).any(|line| boot::phase(line) == Some(boot::Phase::Down));
        if going {
            return Some(State::Booting);
        }
        return Some(State::Prompt(prompt));
    }
    if let Some(prompt) = Prompt::before_text(current) {
        return Some(State::HalfTyped(prompt));
    }
    let here = current.trim();
    let last = recent.iter().rev().find(|line| !line.trim().is_empty()).copied();
    if here.ends_with("your choice:") {
        let heading = recent.iter().rev().find(|line| HEADING.is_match(line)).map(|line| line.trim());
        return Some(State::Menu(match heading {
            Some(heading) if !heading.starts_with("What do you") => Menu::Sub(heading.trim_end_matches(':').to_owned()),
            _ => Menu::Main,
        }));
    }
    // What was typed there, if anything, stands behind the colon.
    if here.contains("type \"yes\" to confirm:") {
        return Some(State::Menu(Menu::Format));
    }
    if !here.is_empty() && WINDOW.is_match(current) {
        return Some(State::KeyWindow);
    }
    match Question::at(Tail { current, previous: last }) {
        Some(Question::LoginName) => return Some(State::Login),
        Some(Question::Password) => return Some(State::Password),
        Some(question) => return Some(State::Asked(question)),
        None => {}
    }
    if let Some(open) = CONTINUED.captures(current) {
        return Some(State::Asked(Question::Continuation(open.get(1).map_or("", |open| open.as_str()).to_owned())));
    }
    let line = if here.is_empty() { last? } else { current };
    if NETBOOT.is_match(line) {
        return Some(State::Etherboot);
    }
    if let Some(sign) = boot::sign(line) {
        return Some(of_sign(sign));
    }
    // A boot says much that nobody knows: its newest sign stands until it asks for somebody.
    let mut above =
        recent.iter().rev().take_while(|line| Prompt::parse(line).is_none() && !line.trim_end().ends_with("Login:"));
    let sign = above.find_map(|line| boot::sign(line).filter(|sign| *sign != Sign::Menu));
    sign.filter(|_| here.is_empty()).map(of_sign)
}

/// Whether bytes are text or what a UART makes of another speed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Legibility {
    total: usize,
    odd: usize,
    /// Characters that show: neither blanks nor what steers a terminal.
    shown: usize,
    /// Bytes that may be the echo of what is typed to look.
    looks: usize,
    /// Bytes of a character in UTF-8 so far, and how many are still to come.
    begun: usize,
    to_come: usize,
}

impl Legibility {
    /// Takes bytes as they came.
    pub fn on_bytes(&mut self, bytes: &[u8]) {
        self.total = self.total.saturating_add(bytes.len());
        for byte in bytes {
            match byte {
                0x80..=0xbf if self.to_come > 0 => {
                    (self.begun, self.to_come) = (self.begun + 1, self.to_come - 1);
                    if self.to_come == 0 {
                        // A name in another script than ours is no noise.
                        self.odd = self.odd.saturating_sub(self.begun);
                        self.shown = self.shown.saturating_add(1);
                        self.begun = 0;
                    }
                    self.odd = self.odd.saturating_add(usize::from(self.to_come > 0));
                }
                byte => {
                    self.to_come = match byte {
                        0xc2..=0xdf => 1,
                        0xe0..=0xef => 2,
                        0xf0..=0xf4 => 3,
                        _ => 0,
                    };
                    self.begun = usize::from(self.to_come > 0);
                    // Ctrl-B, Ctrl-C and Ctrl-F may be the echo of what was typed to look.
                    let usual = matches!(byte, 0x02 | 0x03 | 0x06..=0x0d | 0x1b | 0x20..=0x7e);
                    self.odd = self.odd.saturating_add(usize::from(!usual));
                    self.looks = self.looks.saturating_add(usize::from(matches!(byte, 0x02 | 0x03 | 0x06)));
                }
            }
        }
        self.shown = self.shown.saturating_add(bytes.iter().filter(|byte| matches!(byte, 0x21..=0x7e)).count());
    }

    /// No character that shows: the echo of our own keys, which a router at twice the speed sends back as they were.
    pub fn is_echo(&self) -> bool {
        self.shown == 0
    }

    /// Something in it no router says at this speed, however little it is: no character, or the echo of our own key alone.
    pub fn is_foreign(&self) -> bool {
        self.odd > 0 || (self.looks > 0 && self.is_echo())
    }

    /// Bytes so far.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Too much of it is no text. Names in UTF-8 are a small part of what a router says.
    pub fn is_garbage(&self) -> bool {
        self.total >= LEGIBLE_MIN && self.odd * 6 >= self.total
    }
}
