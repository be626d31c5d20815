//! What is wrong with a script: what the router refuses, which names it doesn't know, and what a console would do to it
//! if somebody pasted it.

use crate::error::ParseErrorKind;
use crate::judge::{Outcome, commands_of, judge, judge_any_board};
use crate::parser::parse;
use crate::span::{Lines, Position, Span};
use crate::tree::View;
use crate::version::Version;

/// The longest line that is pasted in one piece: about as much as a console takes without answering.
pub const PASTED_LINE: usize = 1024;
/// How many places of one kind are told; a file of tabs is told once and counted.
const PLACES: usize = 3;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Runs, but not as pasted, or can't be checked.
    Warning,
    /// The router refuses it: at once, or when it gets there.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable code.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong; errors in the router's words, with their place.
    pub message: String,
    /// The bytes that it is about.
    pub span: Span,
    /// Their line and column.
    pub position: Position,
    /// What to do.
    pub help: &'static str,
}

/// What a script does to whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the router makes of it, the menus left out that only some boards or packages have.
    pub outcome: Outcome,
    /// The version whose names it was checked with.
    pub names: Version,
    /// Whether those are the version's own.
    pub exact: bool,
    /// In the order of their place; errors of the router first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// What a router makes of `src`, the text that was checked, that has no package and is no board: there the menus that were
    /// not checked are unknown. Of a version without a tree it is not known.
    pub fn strict(&self, src: &[u8], version: Version) -> Outcome {
        if version.major == self.names.major { judge(src, version) } else { self.outcome.clone() }
    }
}

/// Commands that ask before they act, or take over the terminal, when they are typed.
const ASKING: &[(&str, &str)] = &[
    ("/system/reboot", "Reboot, yes? [y/N]:"),
    ("/system/shutdown", "Shutdown, yes? [y/N]:"),
    ("/system/reset-configuration", "Dangerous! Reset anyway? [y/N]:"),
    ("/system/backup/load", "Restore and reboot? [y/N]:"),
    ("/system/package/downgrade", "Router will be rebooted. Continue? [y/N]:"),
    ("/system/package/update/install", "a screen of its own until it reboots"),
    ("/system/routerboard/upgrade", "Do you really want to upgrade firmware? [y/n]"),
    ("/system/device-mode/update", "please activate by turning power off or pressing reset or mode button"),
    ("/password", "old-password:"),
    ("/system/ssh", "a session of its own"),
    ("/system/telnet", "a session of its own"),
    ("/tool/mac-telnet", "a session of its own"),
];

/// Menus and commands that the trees have and older versions have not, with the first version that has them. Each is a fact of the
/// manual or of the scripts that work on both; most of what came with 7 is not here.
const SINCE: &[(&str, Version)] = &[
    ("/routing/bgp/connection", Version::new(7, 0, 0)),
    ("/file/read", Version::new(7, 0, 0)),
    ("/file/add", Version::new(7, 9, 0)),
];

/// The name that `path` has of what came after `version`, and since when it is there.
fn too_new(path: &str, version: Version) -> Option<(&'static str, Version)> {
    let found = SINCE.iter().find(|(known, since)| {
        version < *since && path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    found.map(|(known, since)| (known.rsplit('/').next().unwrap_or_default(), *since))
}

/// Checks a script for a version.
pub fn lint(src: &[u8], version: Version) -> Report {
    let view = View::of(version);
    let outcome =
        if version.major == view.version().major { judge_any_board(src, version) } else { grammar(src, version) };
    let lines = Lines::of(src);
    let mut findings = Vec::new();
    match &outcome {
        Outcome::Refused(error) => findings.push(Finding {
            code: error.code(),
            severity: Severity::Error,
            message: error.message.clone(),
            span: error.span,
            position: error.position,
            help: if error.span.start == 0 && src.starts_with(b"\xEF\xBB\xBF") {
                "the file begins with a byte order mark: save it without"
            } else {
                help(&error.kind)
            },
        }),
        Outcome::Accepted { late, commands, absent, .. } => {
            // RouterOS 6 has no tree at all, which the report says once.
            let absent = if version.major == view.version().major { absent.as_slice() } else { &[] };
            for absent in absent.iter().take(PLACES) {
                findings.push(Finding {
                    code: "script.names.not-checked",
                    severity: Severity::Warning,
                    message: match absent.argument {
                        None => format!("this tree was made without {}: not checked", absent.needs),
                        Some(name) => format!("{name}: this tree was made without {}: not checked", absent.needs),
                    },
                    span: absent.span,
                    position: lines.position(absent.span.start),
                    help: match absent.argument {
                        None => "the router has this menu only where it has that",
                        Some(_) => "the router has this argument only where it has that",
                    },
                });
            }
            more(&mut findings, "script.names.not-checked", absent.len());
            for late in late {
                let error = &late.error;
                // RouterOS 6 has no tree of its own here: a name that a newer one lacks may well exist there.
                let known = version.major == view.version().major;
                findings.push(Finding {
                    code: error.code(),
                    severity: if known { Severity::Error } else { Severity::Warning },
                    message: error.message.clone(),
                    span: error.span,
                    position: error.position,
                    help: help(&error.kind),
                });
            }
            let mut asked = [0_usize; ASKING.len()];
            for command in commands {
                let asks = ASKING.iter().zip(&mut asked).find(|((path, _), _)| *path == command.path);
                if let Some(((_, question), count)) = asks {
                    *count += 1;
                    if *count > PLACES {
                        continue;
                    }
                    findings.push(Finding {
                        code: "script.paste.question",
                        severity: Severity::Warning,
                        message: format!("pasted, it asks `{question}` and takes what follows for the answer"),
                        span: command.span,
                        position: lines.position(command.span.start),
                        help: "put it last, or import the file instead",
                    });
                }
            }
        }
    }
    if !view.exact() && !matches!(outcome, Outcome::Refused(_)) {
        newer(src, version, &lines, &mut findings);
    }
    paste(src, version, &lines, &mut findings);
    Report { outcome, names: view.version(), exact: view.exact(), findings }
}

/// What the nearest tree has and this version has not yet. Behind a name that only this version has nothing is looked at.
fn newer(src: &[u8], version: Version, lines: &Lines, findings: &mut Vec<Finding>) {
    for used in commands_of(src, version) {
        let Some((name, since)) = too_new(&used.path, version) else { continue };
        let position = lines.position(used.span.start);
        findings.push(Finding {
            code: "script.names.too-new",
            severity: Severity::Error,
            message: format!("bad command name {name}: it is there since RouterOS {since}"),
            span: used.span,
            position,
            help: "do it in another way on this version, or read the text when it runs, by `:parse` and `on-error`",
        });
    }
}

/// What can be said of a version without a command tree (RouterOS 6): whether the text is a script at all. Names of a newer
/// tree only serve to find what is worth a warning; where they lead to a refusal, they are no help.
fn grammar(src: &[u8], version: Version) -> Outcome {
    if let Err(error) = parse(src, version) {
        return Outcome::Refused(error);
    }
    match judge_any_board(src, version) {
        accepted @ Outcome::Accepted { .. } => accepted,
        Outcome::Refused(_) => {
            Outcome::Accepted { form: String::new(), late: Vec::new(), commands: Vec::new(), absent: Vec::new() }
        }
    }
}

fn help(kind: &ParseErrorKind) -> &'static str {
    match kind {
        ParseErrorKind::BadCommandName(_) => {
            "the router has no such menu or command; packages that are not installed add some"
        }
        ParseErrorKind::BadParameter(_) => "the command has no such argument",
        ParseErrorKind::ExpectedEndOfCommand => "the command takes no more arguments here, or not this one",
        ParseErrorKind::ExpectedCommandName => "a command, a menu, `$`, `(`, `[` or `{` must stand here",
        ParseErrorKind::MissingClosingBrace | ParseErrorKind::ExpectedClosingBrace => "a `{` is never closed",
        _ => "nothing of the script runs until this is right",
    }
}

/// What a console would do to the text, key by key.
fn paste(src: &[u8], version: Version, lines: &Lines, findings: &mut Vec<Finding>) {
    let mut counts = [0_usize; 5];
    let mut long = 0;
    let mut line_start = 0;
    for (at, byte) in src.iter().enumerate() {
        let which = match byte {
            b'\t' => 0,
            b'?' if !version.is_v7() && at.checked_sub(1).and_then(|at| src.get(at)) != Some(&b'\\') => 1,
            b'\n' => {
                if at - line_start > PASTED_LINE {
                    long_line(lines, line_start, at, findings, &mut long);
                }
                line_start = at + 1;
                continue;
            }
            b'\r' if src.get(at + 1) == Some(&b'\n') => continue,
            // Once a character.
            0x80..=0xBF if at.checked_sub(1).and_then(|at| src.get(at)).is_some_and(|before| *before >= 0x80) => {
                continue;
            }
            0x80.. => 3,
            0..=0x1F | 0x7F => 2,
            _ => continue,
        };
        let Some(count) = counts.get_mut(which) else { continue };
        *count += 1;
        if *count > PLACES {
            continue;
        }
        let (code, message, help) = match which {
            0 => (
                "script.paste.tab",
                "pasted, a tab completes what stands before it",
                "indent with blanks; write `\\t` in strings",
            ),
            1 => (
                "script.paste.help",
                "pasted on RouterOS 6, `?` prints help and is lost",
                "write `\\?` or `\\3F` in strings",
            ),
            2 => (
                "script.paste.control",
                "pasted, a control character is a key of the line editor",
                "write it as an escape",
            ),
            _ => (
                "script.paste.byte",
                "pasted, bytes above ASCII depend on the terminal",
                "write them as escapes: `\\C3\\A4`",
            ),
        };
        findings.push(Finding {
            code,
            severity: Severity::Warning,
            message: message.to_owned(),
            span: Span::new(at, at + 1),
            position: lines.position(at),
            help,
        });
    }
    if src.len() - line_start > PASTED_LINE {
        long_line(lines, line_start, src.len(), findings, &mut long);
    }
    let kinds = ["script.paste.tab", "script.paste.help", "script.paste.control", "script.paste.byte"];
    for (code, total) in kinds.into_iter().zip(counts) {
        more(findings, code, total);
    }
    more(findings, "script.paste.long-line", long);
}

/// Says at the last place of a kind how many there are behind it.
fn more(findings: &mut [Finding], code: &str, total: usize) {
    let behind = total.saturating_sub(PLACES);
    if behind > 0
        && let Some(last) = findings.iter_mut().rev().find(|finding| finding.code == code)
    {
        last.message.push_str(&format!("; {behind} more like it"));
    }
}

fn long_line(lines: &Lines, start: usize, end: usize, findings: &mut Vec<Finding>, count: &mut usize) {
    *count += 1;
    if *count > PLACES {
        return;
    }
    findings.push(Finding {
        code: "script.paste.long-line",
        severity: Severity::Warning,
        message: format!(
            "pasted, a line of {} bytes may lose some of them: no console says when it is full",
            end - start
        ),
        span: Span::new(start, start + 1),
        position: lines.position(start),
        help: "break it with a backslash, or import the file instead",
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(src: &str, version: &str) -> Vec<&'static str> {
        lint(src.as_bytes(), version.parse().unwrap()).findings.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn finds_what_the_router_refuses_and_what_a_paste_breaks() {
        assert_eq!(codes(":put \"a\"\n", "7.22.1"), Vec::<&str>::new());
        assert_eq!(codes(":put \"a", "7.22.1"), ["script.parse.syntax"]);
        assert_eq!(
            codes("/zzz\n\t:put \u{e4}\n", "7.22.1"),
            ["script.parse.expected-end-of-command", "script.paste.tab", "script.paste.byte"]
        );
        for asking in ["/system reboot", "/system routerboard upgrade", "/system/device-mode/update mode=advanced"] {
            assert!(codes(asking, "7.22.1").contains(&"script.paste.question"), "{asking}");
        }
        assert_eq!(codes("/system package update install", "7.22.1"), ["script.paste.question"]);
        assert_eq!(codes(":put \"a?\\?\"", "6.49.10"), ["script.paste.help"]);
        assert_eq!(codes(":put \"a?\"", "7.22.1"), Vec::<&str>::new());
        let long = format!(":put \"{}\"\n", "a".repeat(2000));
        assert_eq!(codes(&long, "7.22.1"), ["script.paste.long-line"]);
        // Where there are many, how many is said at the last that is shown.
        let found = lint(long.repeat(PLACES + 23).as_bytes(), "7.22.1".parse().unwrap()).findings;
        assert_eq!(found.len(), PLACES);
        assert!(found.last().unwrap().message.ends_with("; 23 more like it"), "{found:?}");
    }

    #[test]
    fn menus_of_boards_and_packages_are_not_checked() {
        for src in [
            "/system routerboard print",
            "/system/routerboard/settings/set auto-upgrade=yes",
            ":put [/system routerboard get serial-number]",
            ":if ([/system routerboard get model] = \"x\") do={ /interface ethernet poe set ether1 poe-out=off }",
            "/interface wireless\nset [ find default-name=wlan1 ] disabled=no ssid=\"a b\"\n",
            "/interface wireless security-profiles\nset [ find default=yes ] mode=none\n/ip address print",
            "/container add remote-image=x envlist=y; :put a",
            "/user-manager/user/add name=x",
            "/interface ethernet\nset [ find default-name=ether1 ] poe-out=off name=a\nset 1 poe-out=auto-on",
            "/interface ethernet set 0 bandwidth=unlimited/unlimited",
            "/interface ethernet set 0 !power-cycle-ping-address",
            "/ip firewall filter add action=fasttrack-connection chain=forward hw-offload=yes",
            "/ip route add dst-address=0.0.0.0/0 gateway=1.1.1.1 suppress-hw-offload=no",
            "/system resource irq rps set ether1 disabled=no",
            ":put [/system health get [find name=temperature] value]",
            "/system health settings set fan-full-speed-temp=65C",
        ] {
            for version in ["7.22.1", "7.24"] {
                let report = lint(src.as_bytes(), version.parse().unwrap());
                assert!(!report.findings.is_empty() && matches!(report.outcome, Outcome::Accepted { .. }), "{src}");
                for finding in &report.findings {
                    assert_eq!(finding.code, "script.names.not-checked", "{src}");
                }
                // An argument is said once.
                assert!(!src.contains("poe-out") || report.findings.len() < 3, "{src}");
            }
        }
        // Only there.
        assert!(codes("/interface vlan add poe-out=off", "7.22.1").contains(&"script.parse.expected-end-of-command"));
        assert!(codes("/interface ethernet set 0 poe-outt=off", "7.24").contains(&"script.parse.bad-parameter"));
        // What follows is read again.
        assert!(codes("/interface wireless\nset 0 ssid=x\n/zzz", "7.22.1").contains(&"script.parse.bad-command-name"));
        assert!(codes("/interface wireless\nset 0 ssid=\"x", "7.22.1").contains(&"script.parse.syntax"));
        assert!(codes("/interface wirelesz print", "7.22.1").contains(&"script.parse.bad-command-name"));
    }

    #[test]
    fn names_of_another_major_version_are_only_a_warning() {
        let report = lint(b"/zzz print", "6.49.10".parse().unwrap());
        assert_eq!(report.findings[0].severity, Severity::Warning);
        assert!(!report.exact);
        // Menus and arguments that only RouterOS 6 has.
        for src in [
            "/interface wireless\nset [find default-name=wlan1] disabled=no\n",
            "/ip route add dst-address=1.1.1.1 routing-mark=x",
            "/routing bgp instance\nset default as=55",
        ] {
            assert!(lint(src.as_bytes(), "6.49.10".parse().unwrap()).findings.is_empty(), "{src}");
        }
        assert_eq!(codes(":put (1 +", "6.49.10"), ["script.parse.syntax"]);
        // what came later is known for some, also before a name that only this version has
        for (src, version, wrong) in [
            ("/routing bgp connection add name=x", "6.44.6", true),
            ("/routing bgp connection add name=x", "7.11.2", false),
            ("/file add name=x\n/routing bgp instance\nset default as=55", "6.44.6", true),
            ("/file add name=x", "7.8", true),
            ("/file add name=x", "7.9", false),
            ("/file print", "6.44.6", false),
            (":do {:local f [:parse \"/file add name=x\"]; $f} on-error={}", "6.44.6", false),
        ] {
            assert_eq!(codes(src, version).contains(&"script.names.too-new"), wrong, "{src} {version}");
        }
        assert_eq!(lint(b"/zzz print", "7.24".parse().unwrap()).findings[0].severity, Severity::Error);
    }
}
