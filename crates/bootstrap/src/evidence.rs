//! What a router can say of its trouble, taken before anything is changed: its log lies in RAM and is gone with the next
//! start. Read-only, over any shell.

mod redact;

pub use redact::{Redactor, escape, named_secret};

use crate::diagnosis::StartupLog;
use routeros::{Command, Error, Outcome, Shell};
use std::fmt::Write as _;
use std::time::Duration;
use tokio::time::Instant;

/// Of one section, in bytes: a log of 1000 lines is about 100 KB, an export of a full pair about as much.
const MAX_SECTION: usize = 256 * 1024;
/// Of everything.
const MAX_ALL: usize = 2 * 1024 * 1024;
/// Files that are read, the largest of each in bytes: what the HA scripts write are lines, exports are read anew.
const MAX_FILES: usize = 40;
const MAX_FILE: usize = 16 * 1024;
/// For one command; an export takes a slow board a minute.
const LONGEST: Duration = Duration::from_secs(120);
/// For everything, unless the caller has less time.
pub const USUAL: Duration = Duration::from_secs(300);

/// How far a section was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// To its end.
    Whole,
    /// Its end is missing: it was longer than what is kept.
    Cut,
    /// The router refused the question, in these words: another version or board may not know it.
    Refused(String),
    /// Not at all, and why.
    Missing(String),
}

/// One question and its answer, secrets masked and nothing in it that moves a terminal's cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is.
    pub name: String,
    /// The answer.
    pub text: String,
    /// How far it was read.
    pub read: Read,
}

/// Everything that was read of one router.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// In the order in which it was read: what is lost first comes first.
    pub sections: Vec<Section>,
}

/// The name of the section that holds the log.
const LOG: &str = "log";

/// Lines that fit every version; each `get` is exact where a `print` cuts columns.
const ALL_LOG: &str = ":foreach i in=[/log find] do={:put ([:tostr [/log get $i time]] . \" \" . [:tostr [/log get $i topics]] . \" \" . [/log get $i message])}";
const FILES: &str = ":foreach i in=[/file find] do={:put ([:tostr [/file get $i size]] . \" \" . [/file get $i name])}";
const FILE_TIMES: &str = "/file print detail without-paging";
const USERS: &str = ":foreach i in=[/user find] do={:put ([/user get $i name] . \" \" . [/user get $i group])}";

/// The questions behind log and files, by name.
const QUESTIONS: [(&str, &str); 17] = [
    ("/interface vrrp", "/interface vrrp print detail without-paging"),
    ("/interface ethernet", "/interface ethernet print detail without-paging"),
    ("/ip address", "/ip address print detail without-paging"),
    ("/system identity", ":put [/system identity get name]"),
    ("/system resource", "/system resource print"),
    ("/system routerboard", "/system routerboard print"),
    ("/system routerboard settings", "/system routerboard settings print"),
    ("/system device-mode", "/system device-mode print"),
    ("/system clock", "/system clock print"),
    ("users and their groups", USERS),
    ("/user settings", "/user settings print"),
    ("/system scheduler", "/system scheduler print detail without-paging"),
    ("/system script job", "/system script job print detail without-paging"),
    ("/ip service", "/ip service print detail without-paging"),
    ("/ip neighbor", "/ip neighbor print detail without-paging"),
    ("/interface bridge port", "/interface bridge port print detail without-paging"),
    ("/file, in detail", FILE_TIMES),
];

/// One collection under way.
struct Collector<'a> {
    shell: &'a Shell,
    redactor: &'a Redactor,
    until: Instant,
    evidence: Evidence,
    total: usize,
    /// Why nothing more is asked.
    over: Option<String>,
}

impl Collector<'_> {
    fn add(&mut self, name: &str, text: &str, read: Read) {
        let mut read = read;
        let mut text = self.redactor.text(text);
        let room = MAX_SECTION.min(MAX_ALL.saturating_sub(self.total));
        if text.len() > room {
            let cut = (0..=room).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text.truncate(cut);
            read = Read::Cut;
        }
        self.total += text.len();
        let read = match read {
            Read::Refused(words) => Read::Refused(self.redactor.text(&words)),
            Read::Missing(why) => Read::Missing(self.redactor.text(&why)),
            other => other,
        };
        self.evidence.sections.push(Section { name: escape(name), text, read });
    }

    /// Why nothing can be asked any more, if so.
    fn stopped(&mut self) -> Option<String> {
        if self.over.is_none() && Instant::now() >= self.until {
            self.over = Some("no time was left".into());
        }
        self.over.clone()
    }

    /// Asks one question; the answer is kept. `None` where there is none.
    async fn ask(&mut self, name: &str, command: &str) -> Option<String> {
        if let Some(why) = self.stopped() {
            self.add(name, "", Read::Missing(why));
            return None;
        }
        let left = self.until.saturating_duration_since(Instant::now()).min(LONGEST);
        let command = Command { timeout: Some(left), private: true, ..Command::new(command) };
        match self.shell.exec(command).await {
            Ok(Outcome::Done(output)) => {
                let read = if output.truncated { Read::Cut } else { Read::Whole };
                self.add(name, &output.text, read);
                Some(output.text)
            }
            Ok(Outcome::Refused(refusal)) => {
                self.add(name, "", Read::Refused(refusal.to_string()));
                None
            }
            Ok(Outcome::Unknown(unknown)) => {
                // what came of it is evidence, too
                self.add(name, &unknown.seen.clone(), Read::Cut);
                if matches!(*unknown.cause, Error::LinkClosed { .. } | Error::Closed | Error::HopLost { .. }) {
                    self.over = Some("the console ended".into());
                }
                None
            }
            Err(error) => {
                self.over = Some(error.to_string());
                self.add(name, "", Read::Missing(error.to_string()));
                None
            }
        }
    }

    /// Texts of the HA scripts' files, those of the last start first.
    async fn files(&mut self) {
        let Some(list) = self.ask("files: size and name", FILES).await else { return };
        let mut files: Vec<(usize, &str)> = list.lines().filter_map(file_of_line).collect();
        files.sort_by_key(|(_, name)| (!base(name).starts_with("HA_boot"), (*name).to_owned()));
        for (size, name) in files.into_iter().take(MAX_FILES) {
            let title = format!("file {name}");
            if let Some(why) = self.stopped() {
                self.add(&title, "", Read::Missing(why));
                continue;
            }
            if size > MAX_FILE {
                self.add(&title, "", Read::Missing(format!("{size} bytes are too many to be read over a console")));
                continue;
            }
            match self.shell.read_file(name).await {
                Ok(bytes) => self.add(&title, &String::from_utf8_lossy(&bytes), Read::Whole),
                Err(error @ (Error::Closed | Error::LinkClosed { .. })) => {
                    self.over = Some(error.to_string());
                    self.add(&title, "", Read::Missing(error.to_string()));
                }
                Err(error) => self.add(&title, "", Read::Missing(error.to_string())),
            }
        }
    }
}

/// `1234 HA_boot_log.txt`, where it is a text of the HA scripts with a name that is plain.
fn file_of_line(line: &str) -> Option<(usize, &str)> {
    let (size, name) = line.trim().split_once(' ')?;
    let text = [".txt", ".rsc", ".log"].iter().any(|end| name.ends_with(end));
    let ours = base(name).starts_with("HA_") && text && routeros::FileName::explicit(name).is_ok();
    ours.then_some((size.parse().ok()?, name))
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

impl Evidence {
    /// Reads it, the log first; what can't be read is said in its place. Changes nothing, and never fails: an empty answer is
    /// one, too.
    pub async fn collect(shell: &Shell, redactor: &Redactor, budget: Duration) -> Self {
        let until = Instant::now() + budget;
        let mut all = Collector { shell, redactor, until, evidence: Self::default(), total: 0, over: None };
        all.ask(LOG, ALL_LOG).await;
        all.files().await;
        for (name, question) in QUESTIONS {
            all.ask(name, question).await;
        }
        // 7.x hides secrets unless it is told to show them; 6.x has to be told to hide them
        let hidden = all.ask("/export", "/export hide-sensitive").await.is_some();
        if !hidden && matches!(all.evidence.sections.last().map(|s| &s.read), Some(Read::Refused(_))) {
            all.evidence.sections.pop();
            if is_v7(&all.evidence) {
                all.ask("/export", "/export").await;
            } else {
                all.add("/export", "", Read::Missing("this version did not promise to hide secrets".into()));
            }
        }
        all.evidence
    }

    /// The log alone: of a router that is about to restart.
    pub async fn log(shell: &Shell, redactor: &Redactor) -> Self {
        let until = Instant::now() + LONGEST;
        let mut all = Collector { shell, redactor, until, evidence: Self::default(), total: 0, over: None };
        all.ask(LOG, ALL_LOG).await;
        all.evidence
    }

    /// What stands on a line of a router that nobody can log in to.
    pub fn of_line(seen: &str, board: &[(String, String)], redactor: &Redactor) -> Self {
        let section =
            |name: &str, text: String| Section { name: name.into(), text: redactor.text(&text), read: Read::Whole };
        let mut sections = vec![section("on the line", seen.to_owned())];
        if !board.is_empty() {
            let lines: Vec<String> = board.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            sections.push(section("board info of the boot loader", lines.join("\n")));
        }
        Self { sections }
    }

    /// The log was read.
    pub fn has_log(&self) -> bool {
        self.section(LOG).is_some_and(|section| matches!(section.read, Read::Whole | Read::Cut))
    }

    /// A section by its name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The startup's lines, of the log and of what the last start wrote into files.
    pub fn startup(&self) -> StartupLog {
        StartupLog::of(self.section(LOG).map_or("", |section| section.text.as_str()))
    }

    /// Names of what could not be read, or not to its end.
    pub fn gaps(&self) -> Vec<String> {
        let gap = |section: &Section| match &section.read {
            Read::Whole | Read::Refused(_) => None,
            Read::Cut => Some(format!("{} (its end)", section.name)),
            Read::Missing(_) => Some(section.name.clone()),
        };
        self.sections.iter().filter_map(gap).collect()
    }

    /// As a text for people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let gaps = self.gaps();
        if !gaps.is_empty() {
            let _ = writeln!(text, "PARTIAL: not here are {}\n", gaps.join(", "));
        }
        for section in &self.sections {
            let how = match &section.read {
                Read::Whole => String::new(),
                Read::Cut => "  (CUT: its end is missing)".to_owned(),
                Read::Refused(words) => format!("  (refused: {words})"),
                Read::Missing(why) => format!("  (MISSING: {why})"),
            };
            let _ = writeln!(text, "==== {}{how}", section.name);
            if !section.text.is_empty() {
                let _ = writeln!(text, "{}", section.text.trim_end_matches('\n'));
            }
            text.push('\n');
        }
        text
    }

    /// In a few words: `23 sections, 41 KB, log of 80 lines`.
    pub fn summary(&self) -> String {
        let lines = self.section(LOG).map_or(0, |section| section.text.lines().count());
        let bytes: usize = self.sections.iter().map(|section| section.text.len()).sum();
        let gaps = self.gaps();
        let partial = if gaps.is_empty() { String::new() } else { format!("; PARTIAL, not read: {}", gaps.join(", ")) };
        format!("{} sections, {} KB, {lines} lines of log{partial}", self.sections.len(), bytes.div_ceil(1024))
    }
}

fn is_v7(evidence: &Evidence) -> bool {
    let resource = evidence.section("/system resource").map_or("", |section| section.text.as_str());
    let version = resource.lines().find_map(|line| line.trim().strip_prefix("version: "));
    version
        .and_then(|text| text.parse::<routeros::Version>().ok())
        .is_some_and(|v| v >= routeros::Version::new(7, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_read() {
        assert_eq!(file_of_line("12 HA_boot_log.txt"), Some((12, "HA_boot_log.txt")));
        assert_eq!(file_of_line("12 flash/HA_boot_log.txt"), Some((12, "flash/HA_boot_log.txt")));
        for other in ["12 HA_b2s.backup", "12 notes.txt", "x HA_a.txt", "12 HA_\"].txt", ""] {
            assert_eq!(file_of_line(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_missing_is_said_first() {
        let section = |name: &str, read| Section { name: name.into(), text: "x".into(), read };
        let evidence = Evidence {
            sections: vec![
                section("log", Read::Cut),
                section("/system device-mode", Read::Refused("bad command name".into())),
                section("/export", Read::Missing("the console ended".into())),
            ],
        };
        let text = evidence.to_text();
        assert!(text.starts_with("PARTIAL: not here are log (its end), /export\n"), "{text}");
        assert!(text.contains("==== /export  (MISSING: the console ended)"), "{text}");
        assert!(evidence.summary().contains("PARTIAL"));
    }
}
