//! What a console asks before it gives a prompt, or instead of one.

use regex::Regex;
use std::sync::LazyLock;

/// A question at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// `Login: `, also with an identity in front.
    LoginName,
    /// `Password: ` of a login.
    Password,
    /// `Do you want to see the software license? [Y/n]: `: one key.
    License,
    /// The licence's own pager: `press Enter (q to abort)`.
    LicensePager,
    /// `Please press "Enter" to continue!`
    PressEnter,
    /// The default-configuration screen of 6.x: one key, and `r` would remove the configuration.
    DefaultConfiguration,
    /// `new password> `
    NewPassword,
    /// `repeat new password> `
    RepeatPassword,
    /// `old password: `, `password: `: of a command, not of a login.
    Secret(String),
    /// A confirmation, in the router's words.
    YesNo(String),
    /// `Hijacking Safe Mode from someone - unroll/release/don't take it [u/r/d]:`
    HijackSafeMode,
    /// `-- [Q quit|D dump|down]`, with the directions in which there is more: `right` alone for a table that is only too wide.
    Pager {
        /// What stands to the right of the screen is not shown.
        right: bool,
    },
    /// `-- [Q quit|D dump|C-z pause]`
    Monitor,
    /// An open bracket or quote: `{... `
    Continuation(String),
    /// A value that a command lacks: `numbers: `
    Value(String),
}

/// The end of what was seen: where questions stand.
#[derive(Debug, Clone, Copy)]
pub struct Tail<'a> {
    /// The line at the cursor.
    pub current: &'a str,
    /// The last finished line with text, where nothing is at the cursor: a `[y/N]` question ends its line.
    pub previous: Option<&'a str>,
}

fn regex(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "constant patterns, each compiled by a test")]
    Regex::new(pattern).expect("a constant pattern")
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| regex($text));
    };
}

pattern!(YES_NO, r"\? \[[yY]/[nN]\]:? ?$");
pattern!(PAGER, r"^-- \[Q quit\|D dump(?:\|(?:left|right|up|down))*\]$");
pattern!(MONITOR, r"^-- \[Q quit\|(?:D dump\|)?C-z pause\]$");
pattern!(CONTINUATION, r#"^[{(\["\\ ]*[{(\["\\]\.\.\. $|^line \d+ of \d+> $"#);
pattern!(SECRET, r"^(?:old |new |retype new )?password: $");
pattern!(VALUE, r"^[a-z][a-z0-9]*(?:[ -][a-z0-9]+){0,5}: $");
pattern!(PASSWORD_LIKE, r"(?i)(?:password|passphrase)[^>:]{0,24}[>:] ?\**$");

/// Whether a line at the cursor asks for something that must not be guessed, echoed or answered by a machine.
pub fn asks_password(current: &str) -> bool {
    PASSWORD_LIKE.is_match(current.trim_end_matches(' '))
}

impl Question {
    /// The question at the end of what was seen, if there is one.
    pub fn at(tail: Tail<'_>) -> Option<Self> {
        let current = tail.current;
        if current.trim().is_empty() {
            return tail.previous.and_then(Self::finished);
        }
        if current.trim_end() == "Password:" {
            return Some(Self::Password);
        }
        if current.trim_end().ends_with("Login:") && !current.contains('[') {
            return Some(Self::LoginName);
        }
        match current.trim_end() {
            "repeat new password>" => return Some(Self::RepeatPassword),
            "new password>" => return Some(Self::NewPassword),
            _ => {}
        }
        if let Some(question) = Self::finished(current) {
            return Some(question);
        }
        let trimmed = current.trim_end();
        // A repaint pads the line to the width of the terminal.
        let padded = format!("{trimmed} ");
        let current = if current.ends_with(' ') { padded.as_str() } else { current };
        if PAGER.is_match(trimmed) {
            return Some(Self::Pager { right: trimmed.contains("|right") });
        }
        if MONITOR.is_match(trimmed) {
            return Some(Self::Monitor);
        }
        if CONTINUATION.is_match(current) {
            return Some(Self::Continuation(current.to_owned()));
        }
        if SECRET.is_match(current) {
            return Some(Self::Secret(trimmed.to_owned()));
        }
        VALUE.is_match(current).then(|| Self::Value(trimmed.trim_end_matches(':').to_owned()))
    }

    /// Questions that may also end their line and wait on the next one.
    fn finished(line: &str) -> Option<Self> {
        let line = line.trim_end();
        if line.contains("software license? [Y/n]") && line.ends_with([':', ']']) {
            Some(Self::License)
        } else if line.ends_with("press Enter (q to abort)") {
            Some(Self::LicensePager)
        } else if line.contains("press \"Enter\" to continue") {
            Some(Self::PressEnter)
        } else if line.contains("or hit any other key to continue")
            || line.starts_with("If you are connected using the above IP and you remove it")
        {
            Some(Self::DefaultConfiguration)
        } else if line.ends_with("[u/r/d]:") {
            Some(Self::HijackSafeMode)
        } else if YES_NO.is_match(line) {
            Some(Self::YesNo(line.to_owned()))
        } else {
            None
        }
    }

    /// Whether these words could as well be the middle of a command's output, and so need a longer silence behind them.
    pub fn is_doubtful(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Secret(_) | Self::Continuation(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(current: &str) -> Option<Question> {
        Question::at(Tail { current, previous: None })
    }

    fn after(previous: &str) -> Option<Question> {
        Question::at(Tail { current: "", previous: Some(previous) })
    }

    #[test]
    fn questions_at_the_cursor() {
        assert_eq!(at("MikroTik Login: "), Some(Question::LoginName));
        assert_eq!(at("Login: "), Some(Question::LoginName));
        assert_eq!(at("Password: "), Some(Question::Password));
        assert_eq!(at("Password:"), Some(Question::Password));
        assert_eq!(at("Do you want to see the software license? [Y/n]: "), Some(Question::License));
        assert_eq!(at("new password> "), Some(Question::NewPassword));
        assert_eq!(at("repeat new password> "), Some(Question::RepeatPassword));
        assert_eq!(at("new password> ****"), None);
        assert_eq!(at("Please press \"Enter\" to continue!"), Some(Question::PressEnter));
        for (names, right) in [
            ("|down", false),
            ("|up|down", false),
            ("|up", false),
            ("|left", false),
            ("|right", true),
            ("|right|up", true),
            ("|left|right|up|down", true),
        ] {
            assert_eq!(at(&format!("-- [Q quit|D dump{names}]")), Some(Question::Pager { right }), "{names}");
        }
        assert_eq!(at("-- [Q quit|D dump|C-z pause]"), Some(Question::Monitor));
        assert_eq!(at("{... "), Some(Question::Continuation("{... ".into())));
        assert_eq!(at(&format!("{{...{}", " ".repeat(70))), Some(Question::Continuation("{... ".into())));
        assert_eq!(at("\"... "), Some(Question::Continuation("\"... ".into())));
        assert_eq!(at("{(\\... "), Some(Question::Continuation("{(\\... ".into())));
        assert_eq!(at("line 2 of 3> "), Some(Question::Continuation("line 2 of 3> ".into())));
        assert_eq!(at("numbers: "), Some(Question::Value("numbers".into())));
        assert_eq!(at("password: "), Some(Question::Secret("password:".into())));
        assert_eq!(at("old password: "), Some(Question::Secret("old password:".into())));
    }

    #[test]
    fn questions_that_end_their_line() {
        for text in ["Reboot, yes? [y/N]: ", "Dangerous! Reset anyway? [y/N]:", "Restore and reboot? [y/N]:"] {
            assert_eq!(after(text), Some(Question::YesNo(text.trim_end().into())));
        }
        assert_eq!(
            after("Do you really want to upgrade firmware? [y/n]"),
            Some(Question::YesNo("Do you really want to upgrade firmware? [y/n]".into()))
        );
        assert_eq!(
            after("To remove this default configuration type \"r\" or hit any other key to continue."),
            Some(Question::DefaultConfiguration)
        );
        assert_eq!(
            after("If you are connected using the above IP and you remove it, you will be disconnected."),
            Some(Question::DefaultConfiguration)
        );
        assert_eq!(
            after("Hijacking Safe Mode from someone - unroll/release/don't take it [u/r/d]:"),
            Some(Question::HijackSafeMode)
        );
    }

    #[test]
    fn what_is_no_question() {
        for text in ["", "  name: CHR", "[admin@MikroTik] > ", "Flags: X - disabled", "numbers: 1", "12:00 echo: x"] {
            assert_eq!(at(text), None, "{text}");
            assert_eq!(after(text), None, "{text}");
        }
        assert_eq!(at("login failure for user x via Login: [admin@x] "), None);
    }

    #[test]
    fn nothing_is_answered_at_passwords() {
        for text in ["Password: ", "new password> ", "new password> ***", "repeat new password> ", "old password: "] {
            assert!(asks_password(text), "{text}");
        }
        for text in ["", "  ", "[admin@MikroTik] > ", "Change your password"] {
            assert!(!asks_password(text), "{text}");
        }
    }
}
