//! stdout is data, stderr is talk.

use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::{Color, Global};
use crate::failure::{Exit, Failure, NOTHING_CHANGED};
use crate::term;

pub const GREEN: Style = AnsiColor::Green.on_default();
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
pub const RED: Style = AnsiColor::Red.on_default().bold();
pub const CYAN: Style = AnsiColor::Cyan.on_default();
pub const PLAIN: Style = Style::new();
pub const DIM: Style = Style::new().dimmed();

/// Format number of everything machine-readable.
pub const FORMAT: u32 = 1;

/// Where a command's words go.
#[derive(Debug, Clone)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    pub verbose: bool,
    pub command: &'static str,
}

impl Output {
    pub fn new(global: &Global, command: &'static str) -> Self {
        let choice = match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self { json: global.json, quiet: global.quiet, verbose: global.verbose > 0, command }
    }

    /// A line of data.
    pub fn data(&self, line: impl AsRef<str>) {
        written(writeln!(anstream::stdout(), "{}", line.as_ref()));
    }

    /// A line of data that begins with `head` in this style. On a terminal it fits, in a pipe it is whole.
    pub fn fitted(&self, style: Style, head: &str, rest: &str) {
        let whole = format!("{head}{rest}");
        let fits = term::size().map_or(whole.clone(), |(columns, _)| wrap(&whole, usize::from(columns)));
        // Lines are broken behind the head: it is no longer than a word.
        let rest = fits.strip_prefix(head).unwrap_or(rest);
        self.data(format!("{style}{head}{style:#}{rest}"));
    }

    /// Data as it came, and where `line` is wanted, with an end of its last line.
    pub fn bytes(&self, bytes: &[u8], line: bool) {
        let mut stdout = io::stdout().lock();
        let end: &[u8] = if line && !bytes.is_empty() && !bytes.ends_with(b"\n") { b"\n" } else { b"" };
        written(stdout.write_all(bytes).and_then(|()| stdout.write_all(end)).and_then(|()| stdout.flush()));
    }

    /// A line of talk.
    pub fn say(&self, line: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{}", line.as_ref());
        }
    }

    /// Waits for something, and says what for where it takes its time.
    pub async fn patiently<T>(&self, what: &str, act: impl Future<Output = T>) -> T {
        const LONG: std::time::Duration = std::time::Duration::from_secs(8);
        tokio::pin!(act);
        tokio::select! {
            biased;
            done = &mut act => return done,
            () = tokio::time::sleep(LONG) => self.say(what),
        }
        act.await
    }

    /// A warning: shown even with `-q`.
    pub fn warn(&self, line: impl AsRef<str>) {
        let _ = writeln!(anstream::stderr(), "{YELLOW}warning{YELLOW:#}: {}", clean(line.as_ref()));
    }

    /// One JSON line of an event stream.
    pub fn event(&self, event: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(event) {
            written(writeln!(io::stdout().lock(), "{}", ascii_controls(&line)));
        }
    }

    /// The one object of a one-shot command.
    pub fn object(&self, data: impl Serialize, warnings: &[String]) {
        self.result(true, data, warnings);
    }

    /// The same of a command that found what it was asked for, or did not.
    pub fn result(&self, ok: bool, data: impl Serialize, warnings: &[String]) {
        if self.json {
            self.event(
                &json!({"format": FORMAT, "command": self.command, "ok": ok, "data": data, "warnings": warnings}),
            );
        }
    }

    /// A failure, in full.
    pub fn failure(&self, failure: &Failure) {
        if failure.shown {
            return;
        }
        if self.json {
            let mut object = json!({"format": FORMAT, "command": self.command, "ok": false, "data": Value::Null, "warnings": [], "error": failure, "exit_code": failure.status.map_or(failure.exit as i32, i32::from)});
            if let Some(found) = &failure.found {
                object["data"] = found.0.clone();
                object["warnings"] = json!(found.1);
            }
            // The last line of a stream of events is always its result, also when no run began.
            if matches!(self.command, "bootstrap" | "recover" | "resume" | "rehearse") {
                let stands =
                    self.command == "resume" && !matches!(failure.exit, Exit::Usage | Exit::NotFound | Exit::Stuck);
                object["event"] = json!("run_finished");
                object["resumable"] = json!(stands || failure.changed.is_some());
                object["changed"] = json!(failure.changed.unwrap_or_default());
            }
            self.event(&object);
            return;
        }
        let mut err = anstream::stderr().lock();
        let _ = writeln!(err, "{RED}error[{}]{RED:#}: {}", failure.code, clean(&failure.message));
        for cause in &failure.causes {
            let _ = writeln!(err, "  because   {}", clean(cause));
        }
        // Of what was only typed wrongly there is nothing to say, unless something was done before it.
        if failure.exit != Exit::Usage || failure.state != NOTHING_CHANGED {
            let _ = writeln!(err, "  state     {}", clean(&failure.state));
        }
        for hint in &failure.hints {
            let _ = writeln!(err, "{CYAN}hint{CYAN:#}: {}", clean(hint));
        }
    }
}

/// The first error of standard output that lost data: a full disk, most likely.
static LOST: Mutex<Option<io::Error>> = Mutex::new(None);
/// Whether the reader of standard output went away.
static UNREAD: AtomicBool = AtomicBool::new(false);

/// What became of something written to standard output.
pub fn written(result: io::Result<()>) {
    match result {
        Ok(()) => {}
        // A reader that went away (`| head`) is no error of ours.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => UNREAD.store(true, Ordering::Relaxed),
        Err(error) => {
            let mut lost = LOST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            lost.get_or_insert(error);
        }
    }
}

/// Whether nobody reads standard output any more.
pub fn unread() -> bool {
    UNREAD.load(Ordering::Relaxed)
}

/// Data that could not be written is a failure of a command that did all else.
pub fn complete() -> crate::failure::Result {
    let lost = LOST.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    lost.map_or(Ok(()), |error| {
        Err(Failure::new(Exit::LacksRight, "host.stdout", "standard output could not be written")
            .cause(error)
            .state("the command did its work; a part of what it printed is lost")
            .hint("is the disk full, or the limit for files reached?"))
    })
}

/// What moves a terminal's cursor, or turns the direction of what it shows: controls of both sets, marks and overrides of
/// direction, and line ends that only some know.
fn acts(c: char) -> bool {
    let marks = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
    c.is_control() || marks.contains(&c) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text that may hold a router's words is only text on a terminal.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if acts(c) { '\u{b7}' } else { c }).collect()
}

/// A line as lines of at most `columns`: what does not fit goes on below the column where the line's last table cell, or
/// its text, begins. Nothing is lost; a word longer than a line stays whole, so that it can be copied.
pub fn wrap(text: &str, columns: usize) -> String {
    if columns < NARROWEST || text.chars().count() <= columns {
        return text.to_owned();
    }
    let margin = text.len() - text.trim_start().len();
    let cell = text[margin..].find("  ").map(|gap| {
        let gap = margin + gap;
        text.len() - text[gap..].trim_start().len()
    });
    let indent = cell.filter(|cell| *cell <= columns / 3).unwrap_or(margin + 2);
    let options = textwrap::Options::new(columns)
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .word_separator(textwrap::WordSeparator::AsciiSpace);
    let indent = " ".repeat(indent);
    textwrap::fill(text, options.subsequent_indent(&indent))
}

/// A terminal narrower than this is left to break lines itself.
const NARROWEST: usize = 40;

/// The first `columns` of a line.
pub fn cut(text: &str, columns: usize) -> String {
    text.chars().take(columns).collect()
}

/// The same JSON with what a terminal would act on written as escapes. Outside of strings JSON has none of it.
fn ascii_controls(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if acts(c) {
            // All of them have four digits.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_of_others_are_only_words() {
        assert_eq!(
            super::clean("a\u{1b}[2J\rb\nc\u{9b}1m\u{202e}d \u{e9}"),
            "a\u{b7}[2J\u{b7}b\u{b7}c\u{b7}1m\u{b7}d \u{e9}"
        );
    }

    #[test]
    fn lines_fit_a_terminal_and_lose_nothing() {
        let step =
            "[ 6/ 7] -  verify roles, version and closed ports            ok       0.3 s   a=active b=standby, equal";
        let wrapped = super::wrap(step, 80);
        assert_eq!(
            wrapped,
            "[ 6/ 7] -  verify roles, version and closed ports            ok       0.3 s\n           a=active b=standby, equal"
        );
        assert_eq!(super::wrap(step, 200), step);
        let check = "           warn  b-is-clean: b must be reset: 6 things configured, its identity is set, address";
        assert!(super::wrap(check, 80).ends_with("\n                 is set, address"), "{}", super::wrap(check, 80));
        for columns in 0..200 {
            for text in [step, check, "", "   ", "\u{e9}\u{e9}  \u{1f600} x"] {
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                assert_eq!(words(&super::wrap(text, columns)), words(text));
            }
        }
    }

    #[test]
    fn json_never_carries_what_a_terminal_acts_on() {
        let name = "a\u{1b}[2J\u{9b}1m\u{7f}\u{202e}d\u{2066}\u{200f} \u{e9}\n";
        let line = super::ascii_controls(&serde_json::to_string(&serde_json::json!({ "identity": name })).unwrap());
        assert!(!line.contains(super::acts), "{line:?}");
        assert!(line.contains("\\u009b") && line.contains("\\u202e") && line.contains('\u{e9}'), "{line}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back["identity"], name);
    }
}
