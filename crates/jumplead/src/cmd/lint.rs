//! `lint`: a script as the router would judge it, and what a console would do to it in a paste.

use std::io::{IsTerminal, Read};
use std::path::Path;

use ariadne::{Color, Config, IndexType, Label, Report as Drawing, ReportKind, Source};
use routeros_script::lint::{Finding, Report, Severity, lint};
use routeros_script::{Outcome, Version};
use serde_json::{Value, json};

use crate::failure::{Exit, Failure, Result};
use crate::output::Output;

pub fn run(out: &Output, files: &[std::path::PathBuf], version: &str, form: bool) -> Result {
    let version: Version = version.parse().map_err(|error| {
        Failure::new(Exit::Usage, "script.version.malformed", format!("{error}")).hint("as in  --routeros 7.22.1")
    })?;
    let mut refused = Vec::new();
    let mut reports = Vec::new();
    let mut warnings = Vec::new();
    for file in files {
        let text = read(file)?;
        let report = lint(&text, version);
        if !report.exact && warnings.is_empty() {
            let warning = if version.major == report.names.major {
                format!("no data of the names in RouterOS {version}: those of {} were used", report.names)
            } else {
                format!(
                    "no data of the names in RouterOS {}: the grammar is checked, menus and arguments are not",
                    version.major
                )
            };
            if !out.json {
                out.warn(&warning);
            }
            warnings.push(warning);
        }
        let name = file.display().to_string();
        if out.json {
            reports.push(object(&name, &report, &report.strict(&text, version), form));
        } else if form {
            // As a router prints it, control characters too; none of them reaches a terminal.
            let strict = report.strict(&text, version);
            let text = strict.text();
            let text = if std::io::stdout().is_terminal() { shown(text.as_bytes()) } else { text.to_owned() };
            out.bytes(format!("{text}\n").as_bytes(), false);
        } else {
            // Once a file: a script may have as many findings as lines.
            let source = Source::from(shown(&text));
            report.findings.iter().for_each(|finding| draw(out, &name, &source, finding));
        }
        if report.findings.iter().any(|finding| finding.severity == Severity::Error) {
            refused.push(name);
        }
    }
    out.result(refused.is_empty(), json!({"routeros": version.to_string(), "files": reports}), &warnings);
    if refused.is_empty() {
        if !form {
            let what = if files.len() == 1 { "it" } else { "them all" };
            out.say(match warnings.is_empty() {
                true => format!("RouterOS {version} takes {what}"),
                false => {
                    format!("RouterOS {version} takes {what}, as far as that is known: not all names were checked")
                }
            });
        }
        return Ok(());
    }
    let mut failure = Failure::new(
        Exit::LintRefused,
        "script.refused",
        format!("RouterOS {version} would refuse {}", refused.join(", ")),
    );
    // The one object of `--json` has told it already.
    failure.shown = out.json;
    Err(failure)
}

fn read(file: &Path) -> std::result::Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(Exit::Usage, "usage.file", format!("{} can't be read", file.display())).cause(error)
    };
    if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map_err(unreadable)?;
        return Ok(text);
    }
    std::fs::read(file).map_err(unreadable)
}

fn object(name: &str, report: &Report, strict: &Outcome, form: bool) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code,
                "severity": if finding.severity == Severity::Error { "error" } else { "warning" },
                "message": finding.message,
                "line": finding.position.line,
                "column": finding.position.column,
                "help": finding.help,
            })
        })
        .collect();
    let verdict = |outcome: &Outcome| match outcome {
        Outcome::Refused(_) => "refused",
        Outcome::Accepted { late, .. } if late.is_empty() => "accepted",
        Outcome::Accepted { .. } => "late errors",
    };
    let mut object = json!({
        "file": name,
        "verdict": verdict(&report.outcome),
        "strict_verdict": verdict(strict),
        "findings": findings,
    });
    if form && let Some(fields) = object.as_object_mut() {
        fields.insert("form".to_owned(), json!(strict.text()));
    }
    object
}

/// A longer line is not drawn.
const DRAWN_LINE: usize = 400;

/// A text as it is drawn. Bytes that are no text are drawn as `?`, so that places stay true; what would move the cursor
/// of whoever reads this is no text either.
fn shown(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            let drawn = !c.is_control() || matches!(c, '\n' | '\t');
            if drawn { shown.push(c) } else { shown.extend(std::iter::repeat_n('?', c.len_utf8())) }
        }
        shown.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    shown
}

/// A finding with the line that it is about.
fn draw(out: &Output, name: &str, source: &Source, finding: &Finding) {
    let shown = source.text();
    let begins = finding.span.start.saturating_sub(finding.position.column.saturating_sub(1));
    let line = shown.as_bytes().get(begins..).unwrap_or_default();
    if line.iter().take(DRAWN_LINE + 1).position(|byte| *byte == b'\n').unwrap_or(line.len()) > DRAWN_LINE {
        let kind = if finding.severity == Severity::Error { "Error" } else { "Warning" };
        let (line, column) = (finding.position.line, finding.position.column);
        out.data(format!("[{}] {kind}: {}", finding.code, finding.message));
        out.data(format!("   {name}:{line}:{column}: {}", finding.help));
        return;
    }
    let (kind, color) = match finding.severity {
        Severity::Error => (ReportKind::Error, Color::Red),
        Severity::Warning => (ReportKind::Warning, Color::Yellow),
    };
    // Whole characters.
    let edge = |at: usize, step: isize| {
        let mut at = at.min(shown.len());
        while !shown.is_char_boundary(at) {
            at = at.saturating_add_signed(step);
        }
        at
    };
    let start = edge(finding.span.start, -1);
    let end = edge(finding.span.end.max(start + 1), 1);
    let span = (name.to_owned(), start..end);
    let drawing = Drawing::build(kind, span.clone())
        .with_config(Config::default().with_index_type(IndexType::Byte))
        .with_code(finding.code)
        .with_message(&finding.message)
        .with_label(Label::new(span).with_message(finding.help).with_color(color))
        .finish();
    let mut bytes = Vec::new();
    if drawing.write((name.to_owned(), source), &mut bytes).is_ok() {
        out.data(String::from_utf8_lossy(&bytes).trim_end());
    }
}
