//! The prompt: `[user@identity] /path<SAFE> > `.

/// Marks of a prompt's end that are looked at in one line.
const MAX_MARKS: usize = 8;

/// A prompt, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// All of it, without blanks at its end.
    pub text: String,
    /// The user, without login-name suffix.
    pub user: String,
    /// The router's identity: anything, also `a] > b`.
    pub identity: String,
    /// The menu, empty at the root.
    pub path: String,
    /// Safe mode is on.
    pub safe: bool,
    /// Hotlock is on: words complete themselves while they are typed.
    pub hotlock: bool,
}

impl Prompt {
    /// Whether `line`, the line at the cursor, is a prompt and nothing behind it.
    ///
    /// The identity may hold anything, so the brackets that count are the first and the last. A line that merely looks
    /// like a prompt is taken for one: a prompt proves nothing, whoever needs proof asks for a marker.
    pub fn parse(line: &str) -> Option<Self> {
        let text = line.trim_end_matches(' ');
        let inner = text.strip_prefix('[')?;
        let (before, rest) = match inner.rfind("] ") {
            Some(at) => (&inner[..at], &inner[at + 2..]),
            // `[admin@CHR] <SAFE>` keeps its blank, `[admin@CHR]/ip>` is no form that was ever seen.
            None => return None,
        };
        let (user, identity) = before.split_once('@')?;
        if user.is_empty() || identity.is_empty() {
            return None;
        }
        let (rest, hotlock, arrow) = match rest.strip_suffix(">>") {
            Some(rest) => (rest, true, true),
            None => match rest.strip_suffix("<SAFE>") {
                // At the root of 7.23.2 the mode stands alone, without the arrow.
                Some(_) => (rest, false, false),
                None => (rest.strip_suffix('>')?, false, true),
            },
        };
        let rest = rest.trim_end_matches(' ');
        let (path, safe) = match rest.strip_suffix("<SAFE>") {
            Some(path) => (path.trim_end_matches(' '), true),
            None => (rest, false),
        };
        if !arrow && !safe {
            return None;
        }
        let path_like = |c: char| c.is_ascii_alphanumeric() || "/-_ ".contains(c);
        if !(path.is_empty() || path.starts_with('/') && path.chars().all(path_like)) {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            user: user.to_owned(),
            identity: identity.to_owned(),
            path: path.to_owned(),
            safe,
            hotlock,
        })
    }

    /// The prompt at the beginning of `line`, where something stands behind it: the shortest that is one.
    pub fn before_text(line: &str) -> Option<Self> {
        let ends = line.match_indices("> ").map(|(at, mark)| at + mark.len());
        ends.take(MAX_MARKS)
            .filter(|at| !line.get(*at..).unwrap_or_default().trim().is_empty())
            .find_map(|at| Self::parse(line.get(..at)?))
    }

    /// Whether the line at the cursor is this very prompt.
    pub fn is(&self, line: &str) -> bool {
        line.trim_end_matches(' ') == self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_of_the_manual_and_the_wire() {
        for (line, user, identity, path, safe, hotlock) in [
            ("[admin@MikroTik] > ", "admin", "MikroTik", "", false, false),
            ("[admin@MikroTik] >", "admin", "MikroTik", "", false, false),
            ("[admin@MikroTik] /ip/address> ", "admin", "MikroTik", "/ip/address", false, false),
            ("[admin@MikroTik] /ip address> ", "admin", "MikroTik", "/ip address", false, false),
            ("[admin@MikroTik] /ip/route<SAFE> ", "admin", "MikroTik", "/ip/route", true, false),
            ("[admin@CHR] <SAFE> ", "admin", "CHR", "", true, false),
            ("[admin@CHR] <SAFE> > ", "admin", "CHR", "", true, false),
            ("[admin@MikroTik] >> ", "admin", "MikroTik", "", false, true),
            ("[a@12(13)] > ", "a", "12(13)", "", false, false),
            ("[a@x] > y] > ", "a", "x] > y", "", false, false),
            ("[a@b] >] > ", "a", "b] >", "", false, false),
            ("[a@b c@d] > ", "a", "b c@d", "", false, false),
        ] {
            let prompt = Prompt::parse(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (prompt.user.as_str(), prompt.identity.as_str(), prompt.path.as_str(), prompt.safe, prompt.hotlock),
                (user, identity, path, safe, hotlock),
                "{line}"
            );
            assert!(prompt.is(line));
        }
    }

    #[test]
    fn a_prompt_with_a_line_behind_it() {
        for (line, user, safe) in [
            ("[joe@R] > /ip address remo", "joe", false),
            ("[joe@R] /ip/address> add address=\"a > b\"", "joe", false),
            ("[joe@CHR] <SAFE> /user remove x", "joe", true),
            ("[joe@R] >> x", "joe", false),
        ] {
            let prompt = Prompt::before_text(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((prompt.user.as_str(), prompt.safe), (user, safe), "{line}");
        }
        for line in ["[joe@R] > ", "[joe@R] >", "x > y", "", "{... x"] {
            assert_eq!(Prompt::before_text(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_no_prompt() {
        for line in [
            "",
            ">",
            "[admin@MikroTik] > x",
            "[admin@MikroTik]",
            "[Safe Mode taken]",
            "[42] > ",
            "MikroTik Login: ",
            "new password> ",
            "[admin@MikroTik] bad path> ",
            "{... ",
        ] {
            assert_eq!(Prompt::parse(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_identity_is_found(identity in "[ -~]{1,40}", user in "[a-z][a-z0-9.-]{0,20}") {
            let line = format!("[{user}@{identity}] > ");
            let prompt = Prompt::parse(&line).unwrap();
            prop_assert_eq!(prompt.user, user);
            prop_assert_eq!(prompt.identity, identity);
        }

        #[test]
        fn no_text_panics(line in "\\PC{0,80}") {
            let _ = Prompt::parse(&line);
        }
    }
}
