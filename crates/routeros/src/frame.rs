//! Lines whose results can be told from everything else that a console prints.
//!
//! A marker is put together by the router: the echo of the line shows its parts, only its output shows the whole.
//! A line runs its statements in order and stops at the first that fails, so
//! `:put BEGAN; COMMAND; :put DONE` prints DONE only if the command succeeded, the error in the router's own words
//! otherwise, and no BEGAN at all if the line did not parse. A second line, the fence, is typed only when DONE stays out.

use crate::proof::Proof;
use crate::terminal::Line;
use regex::Regex;
use std::sync::LazyLock;

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The line runs, on the right router.
    Began,
    /// The command ended without error.
    Done,
    /// The line runs on another router, and did nothing.
    Wrong,
    /// Everything typed before has ended.
    Fence,
}

impl Mark {
    fn letter(self) -> char {
        match self {
            Self::Began => 'B',
            Self::Done => 'K',
            Self::Wrong => 'W',
            Self::Fence => 'F',
        }
    }
}

/// The name of one exchange: no other line of this session, and hardly one of another, holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nonce(String);

/// Source of nonces, from a seed.
#[derive(Debug)]
pub(crate) struct Nonces(u64);

impl Nonces {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> Nonce {
        // splitmix64: full period, so no nonce comes twice in a session.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        Nonce(format!("{:010x}", z & 0xFF_FFFF_FFFF))
    }
}

impl Nonce {
    /// The marker as the router prints it.
    pub(crate) fn mark(&self, mark: Mark) -> String {
        format!("QA{}{}", self.0, mark.letter())
    }

    /// The nonce itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn put(&self, mark: Mark) -> String {
        format!(":put (\"QA\" . \"{}\" . \"{}\")", self.0, mark.letter())
    }

    /// The marker, the value of `expression`, and the nonce again as its end.
    fn put_with(&self, mark: Mark, expression: &str) -> String {
        format!(":put (\"QA\" . \"{0}\" . \"{1}\" . {expression} . \"E{0}\")", self.0, mark.letter())
    }

    /// The line that runs `command`, and where in it the command begins.
    pub(crate) fn command(&self, command: &str, proof: Option<&Proof>) -> (String, usize) {
        let (began, done) = (self.put(Mark::Began), self.put(Mark::Done));
        let (head, tail) = match proof {
            None => (format!("{began}; "), format!("; {done}")),
            Some(proof) => {
                // Asked twice: any end of this line that begins before the second question still asks it, any end
                // that begins behind it has closing brackets too many and does not parse.
                let condition = proof.condition();
                (
                    format!(":if ({condition}) do={{:if ({condition}) do={{{began}; "),
                    format!("; {done}}}}} else={{{}}}", self.put_with(Mark::Wrong, proof.expression())),
                )
            }
        };
        (format!("{head}{command}{tail}"), head.len())
    }

    /// The line that says who is there and that everything before has ended.
    pub(crate) fn fence(&self, proof: Option<&Proof>) -> String {
        match proof {
            None => self.put(Mark::Fence),
            Some(proof) => format!(
                ":do {{{}}} on-error={{{}}}",
                self.put_with(Mark::Fence, proof.expression()),
                self.put_with(Mark::Fence, "\"\"")
            ),
        }
    }

    /// The value behind a marker made by [`Self::put_with`]: `None` where the router could not tell.
    pub(crate) fn value(&self, mark: Mark, line: &str) -> Option<String> {
        let (_, rest) = line.split_once(&self.mark(mark))?;
        let value = &rest[..rest.rfind(&format!("E{}", self.0))?];
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Whether a line is an echo, a repaint or a marker of this exchange, and no output.
    fn is_ours(&self, text: &str) -> bool {
        text.contains(&self.0)
    }
}

/// Log lines that are pushed into a session, and kernel lines of a serial console.
static PUSHED: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "a constant pattern, compiled by a test")]
    Regex::new(r"^(?:\d\d:\d\d:\d\d echo: [a-z0-9-]+(?:,[a-z0-9!-]+)* |\[ *\d+\.\d{6}\] )").expect("constant")
});

/// The lines of one exchange that are output: no prompts, no echo, nothing pushed.
pub(crate) fn output<'a>(lines: &'a [Line], nonce: &Nonce) -> Vec<&'a Line> {
    let mut kept: Vec<&Line> = lines
        .iter()
        .filter(|line| !line.prompt && !nonce.is_ours(&line.text) && !PUSHED.is_match(&line.text))
        .collect();
    while kept.last().is_some_and(|line| line.text.trim().is_empty()) {
        kept.pop();
    }
    kept
}

/// The lines behind the last echo of the exchange: where an error stands that kept the line from running at all.
pub(crate) fn behind_echo<'a>(lines: &'a [Line], nonce: &Nonce) -> &'a [Line] {
    let start = lines.iter().rposition(|line| nonce.is_ours(&line.text)).map_or(0, |at| at + 1);
    &lines[start..]
}

/// One text of lines, blanks at their ends dropped: tables are padded to the width.
pub(crate) fn join(lines: &[&Line]) -> String {
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        text.push_str(line.text.trim_end());
    }
    text
}

/// As [`join`], but lines that the router broke at the width of its terminal are whole again: rows of just that width go on in
/// the next. Also how many such rows there were: one that ended there by itself can't be told from them.
pub(crate) fn unwrap(lines: &[&Line], cols: u16) -> (String, usize) {
    let mut text = String::new();
    let mut full = 0;
    for (at, line) in lines.iter().enumerate() {
        let last = at + 1 == lines.len();
        if !last && is_full(&line.text, usize::from(cols)) {
            full += 1;
            // A table is padded with blanks, and its next row is another.
            if !line.text.ends_with("  ") {
                text.push_str(&line.text);
                continue;
            }
        }
        text.push_str(line.text.trim_end());
        if !last {
            text.push('\n');
        }
    }
    (text, full)
}

/// Whether a row fills the terminal. A router that was not asked for UTF-8 counts bytes, one of which may have been cut off its
/// character.
fn is_full(text: &str, cols: usize) -> bool {
    let bytes = || text.chars().map(|c| if c == char::REPLACEMENT_CHARACTER { 1 } else { c.len_utf8() }).sum::<usize>();
    text.len() >= cols && (text.chars().count() == cols || bytes() == cols)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn line(text: &str) -> Line {
        Line { text: text.into(), clean: true, prompt: false }
    }

    #[test]
    fn rows_as_wide_as_the_terminal_go_on_in_the_next() {
        let unwrapped = |rows: &[&str]| {
            let lines: Vec<Line> = rows.iter().map(|row| line(row)).collect();
            unwrap(&lines.iter().collect::<Vec<_>>(), 4)
        };
        assert_eq!(unwrapped(&["one", "two "]), ("one\ntwo".into(), 0));
        assert_eq!(unwrapped(&["abcd", "efgh", "i"]), ("abcdefghi".into(), 2));
        assert_eq!(unwrapped(&["abc ", "d"]), ("abc d".into(), 1), "a blank at the seam is kept");
        assert_eq!(unwrapped(&["ab  ", "cd"]), ("ab\ncd".into(), 1), "padded");
        assert_eq!(unwrapped(&["x", "abcd"]), ("x\nabcd".into(), 0), "nothing follows");
        assert_eq!(unwrapped(&["\u{fc}\u{fc}", "x"]), ("\u{fc}\u{fc}x".into(), 1), "bytes are counted");
        assert_eq!(
            unwrapped(&["\u{fc}\u{fc}\u{fc}\u{fc}", "x"]),
            ("\u{fc}\u{fc}\u{fc}\u{fc}x".into(), 1),
            "or characters"
        );
    }

    #[test]
    fn no_echo_holds_a_marker() {
        let proof = Proof::ha_port("ether8", "74:4D:28:00:00:0B").unwrap();
        let nonce = Nonces::new(7).next();
        for line in [
            nonce.command(":put 1", None).0,
            nonce.command(":put 1", Some(&proof)).0,
            nonce.fence(None),
            nonce.fence(Some(&proof)),
        ] {
            for mark in [Mark::Began, Mark::Done, Mark::Wrong, Mark::Fence] {
                assert!(!line.contains(&nonce.mark(mark)), "{line}");
            }
        }
    }

    #[test]
    fn the_command_is_where_it_is_said_to_be() {
        let proof = Proof::ha_port("ether8", "74:4D:28:00:00:0B").unwrap();
        for proof in [None, Some(&proof)] {
            let (line, at) = Nonces::new(1).next().command("/system identity print", proof);
            assert!(line[at..].starts_with("/system identity print; :put"), "{line}");
        }
    }

    /// A line for the far router that loses its beginning to the near one: what is left either does not parse, or
    /// asks the near router who it is before anything else.
    #[test]
    fn no_end_of_a_guarded_line_runs_unguarded() {
        let proof = Proof::ha_port("ether8", "74:4D:28:00:00:0B").unwrap();
        for command in [
            "/user add name=ha group=full password=\"x\"",
            ":global a \"b\"; /system reboot",
            "/ip address add address=169.254.23.2/24 interface=[find default-name=\"ether8\"]",
            "/system script run HA_jumplead_x",
        ] {
            let (line, at) = Nonces::new(1).next().command(command, Some(&proof));
            for version in [routeros_script::Version::new(6, 44, 6), routeros_script::Version::new(7, 18, 2)] {
                routeros_script::parse(line.as_bytes(), version).unwrap();
                for cut in 1..line.len() {
                    let end = &line.as_bytes()[cut..];
                    if routeros_script::incomplete(end).is_some() || routeros_script::parse(end, version).is_err() {
                        continue;
                    }
                    let guard = format!(":if ({}) do={{", proof.condition());
                    let guarded = line[cut..].find(&guard).is_some_and(|guard| cut + guard < at);
                    assert!(guarded || cut >= at + command.len(), "{}", &line[cut..]);
                }
            }
        }
    }

    #[test]
    fn values_behind_markers() {
        let nonce = Nonces::new(3).next();
        let printed = format!("QA{0}F74:4D:28:00:00:0BE{0}", nonce.0);
        assert_eq!(nonce.value(Mark::Fence, &printed).as_deref(), Some("74:4D:28:00:00:0B"));
        assert_eq!(nonce.value(Mark::Fence, &format!("QA{0}FE{0}", nonce.0)), None);
        assert_eq!(nonce.value(Mark::Wrong, &printed), None);
    }

    #[test]
    fn nonces_differ() {
        let mut nonces = Nonces::new(0);
        let many: BTreeSet<String> = (0..10_000).map(|_| nonces.next().0).collect();
        assert_eq!(many.len(), 10_000);
    }

    #[test]
    fn what_is_pushed_is_no_output() {
        let nonce = Nonces::new(0).next();
        let lines = [
            line("one"),
            line("23:17:46 echo: system,error,critical login failure for user admin via api"),
            line("12:00:00 echo of a word"),
            line("[   42.806006] reboot: Restarting system"),
            Line { text: "[admin@CHR] >".into(), prompt: true, clean: false },
            line("two   "),
            line(""),
        ];
        assert_eq!(join(&output(&lines, &nonce)), "one\n12:00:00 echo of a word\ntwo");
    }
}
