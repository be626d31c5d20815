//! The prompt's grammar: `[user@identity] path mode`.

use crate::raw;
use crate::spec::Version;

/// What a prompt is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct PromptParts<'a> {
    pub(super) user: &'a str,
    pub(super) identity: &'a str,
    pub(super) path: &'a [String],
    pub(super) version: Version,
    pub(super) safe: bool,
    pub(super) hotlock: bool,
    pub(super) colours: bool,
}

impl PromptParts<'_> {
    /// The prompt's bytes. Blanks: `[admin@R] > ` at the root, `[admin@R] /ip/address> ` in a menu,
    /// `<SAFE> ` in the place of `> ` in safe mode, `>> ` with hotlock \[K\].
    pub(super) fn bytes(&self) -> Vec<u8> {
        let path = match (self.path.is_empty(), self.version.is_v7()) {
            (true, _) => String::new(),
            (false, true) => format!("/{}", self.path.join("/")),
            (false, false) => format!("/{}", self.path.join(" ")),
        };
        let mode = match (self.safe, self.hotlock) {
            (true, _) => "<SAFE> ",
            (false, true) => ">> ",
            (false, false) => "> ",
        };
        let (user, identity) = (self.user, self.identity);
        // Where the colours begin and end is not in any source: name and identity, as consoles show them [I].
        let who = if self.colours {
            format!("[\x1b[m\x1b[32m{user}\x1b[m@\x1b[1m{identity}\x1b[m] ")
        } else {
            format!("[{user}@{identity}] ")
        };
        raw::bytes(&format!("{who}{path}{mode}"))
    }
}

/// The prompt while brackets or quotes are open: `{... `, `{(\... `.
pub(super) fn continuation(open: &[u8]) -> Vec<u8> {
    [open, b"... "].concat()
}

/// The prompt of the last line of a recalled input of several: `line 2 of 3> ` \[K\].
pub(super) fn recalled(line: usize, lines: usize) -> Vec<u8> {
    format!("line {line} of {lines}> ").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_written_as_the_versions_write_them() {
        let path = ["ip".to_owned(), "address".to_owned()];
        let root = PromptParts {
            user: "admin",
            identity: "R (1) ] >",
            path: &[],
            version: Version::new(7, 18, 2),
            safe: false,
            hotlock: false,
            colours: false,
        };
        let text = |parts: PromptParts<'_>| String::from_utf8(parts.bytes()).unwrap();
        assert_eq!(text(root), "[admin@R (1) ] >] > ");
        let menu = PromptParts { path: &path, identity: "R", ..root };
        assert_eq!(text(menu), "[admin@R] /ip/address> ");
        assert_eq!(text(PromptParts { version: Version::new(6, 44, 6), ..menu }), "[admin@R] /ip address> ");
        assert_eq!(text(PromptParts { safe: true, ..menu }), "[admin@R] /ip/address<SAFE> ");
        assert_eq!(text(PromptParts { safe: true, path: &[], ..menu }), "[admin@R] <SAFE> ");
        assert_eq!(text(PromptParts { hotlock: true, path: &[], ..menu }), "[admin@R] >> ");
        assert_eq!(continuation(b"{(\\"), b"{(\\... ");
    }
}
