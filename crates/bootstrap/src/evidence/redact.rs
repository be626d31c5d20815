//! Takes secrets out of a router's words: those that are known, in every form in which one travels, and whatever stands where
//! RouterOS and its scripts keep one.

use regex::{Captures, Regex};
use routeros::Secret;
use routeros::transcript::{MASK, Masker};
use std::sync::LazyLock;

/// Properties that hold secrets, of menus of 6.43 to 7.24, and names that scripts of such pairs give theirs.
const NAMES: &str = r"[a-z0-9_.-]*(?:password|passwd|passphrase|secret|psk|shared-key|preshared-key|private-key|private-pre-shared-key|auth-key|encryption-key|authentication-key|wep-key|static-key-[0-3]|community|token|otp)";

#[expect(clippy::expect_used, reason = "constant patterns, each compiled by a test")]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// A fold of an export: a backslash, a line end, four blanks.
static FOLD: LazyLock<Regex> = LazyLock::new(|| regex(r"\\\r?\n {4}"));
/// `password="..."`, `password=\"...\"` inside a script's source, `password=x`; `:global haPassword "..."`.
static VALUES: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(
        r#"(?i)\b(?P<name>{NAMES})(?P<sep>\s*=\s*|\s+)(?P<value>\\"(?:[^"\\]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|[^\s;"'\])}}]+)"#
    ))
});

/// `password=`, of whatever value.
static NAMED: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"(?i)\b(?P<name>{NAMES})\s*=")));

/// The name of the first property in a command that holds a secret.
pub fn named_secret(command: &str) -> Option<&str> {
    NAMED.captures(command)?.name("name").map(|name| name.as_str())
}

/// Takes secrets out of texts.
#[derive(Debug, Default)]
pub struct Redactor {
    masker: Masker,
}

impl Redactor {
    /// One that knows these.
    pub fn new(secrets: &[Secret]) -> Self {
        let mut masker = Masker::default();
        for secret in secrets {
            masker.add(secret);
        }
        Self { masker }
    }

    /// The text without secrets, and without anything that a terminal acts on.
    pub fn text(&self, text: &str) -> String {
        // unfolded first: half a secret on each of two lines is one
        let whole = FOLD.replace_all(text, "");
        let known = self.masker.mask_text(&whole);
        let blind = VALUES.replace_all(&known, |found: &Captures<'_>| {
            let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
            let (name, sep, value) = (part("name"), part("sep"), part("value"));
            // words of a sentence (`password of user x`) are kept; a text in quotes is a value
            let quoted = value.starts_with(['"', '\\']);
            let nothing =
                matches!(value, "\"\"" | "\\\"\\\"" | "$password" | "[masked]") || value.starts_with(['$', '[']);
            if nothing || (!sep.contains('=') && !quoted) { found[0].to_owned() } else { format!("{name}{sep}{MASK}") }
        });
        let text = escape(&blind);
        // what masking may have joined
        self.masker.mask_text(&text)
    }

    /// Whether a known secret is in `bytes`, in any form.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        self.masker.finds(bytes)
    }
}

/// What moves a terminal's cursor, or turns the direction of what it shows, as an escape: a file that is looked at with `cat`
/// is only read.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match c {
            '\n' | '\t' => out.push(c),
            '\r' => {}
            c if c.is_control() || turns => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_command_that_sets_a_secret_names_it() {
        for (command, name) in [
            ("/user set [find name=joe] password=\"x\"", Some("password")),
            ("/ppp secret add name=x Password = y", Some("Password")),
            ("set wpa2-pre-shared-key=", Some("wpa2-pre-shared-key")),
            ("/ppp secret print where name=x", None),
            (":put \"the password of joe\"", None),
        ] {
            assert_eq!(named_secret(command), name, "{command}");
        }
    }

    #[test]
    fn secrets_in_every_place_that_routers_have_for_them() {
        let redactor = Redactor::new(&[Secret::new("Quince-77-known")]);
        for text in [
            "/ppp secret add name=x password=hunter2-hidden",
            "/ppp secret add name=x password=\"hunter2-hidden x\" service=any",
            "add name=ha_config_base source=\":global haPassword \\\"hunter2-hidden\\\"\\n:global haMacA \\\"x\\\"\"",
            "/user add name=ha password=\\\"hunter2-hidden\\\" group=full",
            "/interface wireless security-profiles set wpa2-pre-shared-key=hunter2-hidden",
            "/ip ipsec identity add secret=hunter2-hidden",
            "/interface wireguard add private-key=\"hunter2-hidden=\"",
            "/ppp secret add name=x password=hunter2-\\\r\n    hidden",
            "log: the key is Quince-77-known",
            "log: 5175696e63652d37372d6b6e6f776e",
            "log: UXVpbmNlLTc3LWtub3du",
            "comment=Quince-\\\n    77-known",
        ] {
            let shown = redactor.text(text);
            for secret in ["hunter2", "hidden", "Quince", "5175696e", "UXVpbmNl"] {
                assert!(!shown.contains(secret), "{text} -> {shown}");
            }
        }
        let base = redactor.text("source=\":global haPassword \\\"hunter2\\\"\\n:global haMacA \\\"74:4D\\\"\"");
        assert!(base.contains("haMacA \\\"74:4D\\\""), "{base}");
    }

    #[test]
    fn what_is_no_secret_stays() {
        let redactor = Redactor::new(&[]);
        for text in
            ["login failure: wrong password from 10.0.0.1", "add name=x password=\"\"", "password=$secret group=full"]
        {
            assert_eq!(redactor.text(text), text);
        }
    }

    #[test]
    fn nothing_moves_a_cursor() {
        let shown = Redactor::default().text("a\u{1b}[2J\u{9b}1m\u{202e}b\r\nc\u{7}");
        assert_eq!(shown, "a\\u{1b}[2J\\u{9b}1m\\u{202e}b\nc\\u{7}");
    }

    proptest! {
        #[test]
        fn any_text_is_survived_and_no_known_secret_is(before in "\\PC{0,60}", after in "[\\x00-\\x7f]{0,60}") {
            let redactor = Redactor::new(&[Secret::new("Quince-77-known")]);
            let shown = redactor.text(&format!("{before}Quince-77-known{after}"));
            prop_assert!(!redactor.finds(shown.as_bytes()), "{shown}");
            prop_assert!(!shown.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')));
        }
    }
}
