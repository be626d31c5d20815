//! `doctor`: what this host can do, and what it lacks.

use std::path::Path;

use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::io::{Interface, interfaces, udp};
use serde_json::json;

use crate::failure::{Exit, Failure, Result};
use crate::folders;
use crate::output::{GREEN, Output, RED};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Ok,
    Fail,
}

struct Check {
    name: &'static str,
    verdict: Verdict,
    says: String,
    hint: Option<String>,
}

pub fn run(out: &Output, state_dir: &Path) -> Result {
    let checks = [raw_frames(), interfaces_up(), udp_link(), state_folder(state_dir), other_listeners()];
    let failed = checks.iter().find(|check| check.verdict == Verdict::Fail);
    if out.json {
        let list: Vec<_> = checks
            .iter()
            .map(|check| json!({"check": check.name, "verdict": word(check.verdict), "says": check.says, "hint": check.hint}))
            .collect();
        let data = json!({"checks": list});
        if let Some(check) = failed {
            return Err(lacking(check).found(data, Vec::new()));
        }
        out.object(data, &[]);
    } else {
        for check in &checks {
            let style = match check.verdict {
                Verdict::Ok => GREEN,
                Verdict::Fail => RED,
            };
            let head = format!("{:<4}", word(check.verdict));
            out.fitted(style, &head, &format!("  {:<16} {}", check.name, check.says));
            if let Some(hint) = &check.hint {
                out.data(format!("      {:<16} hint: {hint}", ""));
            }
        }
    }
    failed.map_or(Ok(()), |check| Err(lacking(check)))
}

fn lacking(check: &Check) -> Failure {
    let says = format!("this host can't do everything: {}", check.says);
    let mut failure = Failure::new(Exit::LacksRight, format!("doctor.{}", check.name), says);
    failure.hints.extend(check.hint.clone());
    failure
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Fail => "fail",
    }
}

fn raw_frames() -> Check {
    let name = "raw-frames";
    let Some(interface) = interfaces().into_iter().next() else {
        return Check { name, verdict: Verdict::Fail, says: "no Ethernet interface".into(), hint: None };
    };
    match RawLink::open(&interface.name, Capture::MacServices) {
        Ok(_) => Check {
            name,
            verdict: Verdict::Ok,
            says: "this process may send and receive raw frames".into(),
            hint: None,
        },
        Err(error) => {
            let binary =
                std::env::current_exe().map_or_else(|_| "jumplead".to_owned(), |path| path.display().to_string());
            Check {
                name,
                verdict: Verdict::Fail,
                says: error.to_string(),
                hint: Some(format!("sudo setcap cap_net_raw+ep {binary}")),
            }
        }
    }
}

fn interfaces_up() -> Check {
    let all = interfaces();
    let list: Vec<String> = all
        .iter()
        .map(|interface| format!("{} {}{}", interface.name, interface.mac, if interface.up { "" } else { " (down)" }))
        .collect();
    let up = all.iter().any(|interface| interface.up);
    Check {
        name: "interfaces",
        verdict: if up { Verdict::Ok } else { Verdict::Fail },
        says: if list.is_empty() { "none".into() } else { list.join(", ") },
        hint: (!up).then(|| "put the cable in and bring the interface up:  ip link set INTERFACE up".into()),
    }
}

/// What `--link udp` could be used for here.
fn udp_link() -> Check {
    let (filtered, heard): (Vec<_>, Vec<_>) =
        interfaces().into_iter().filter(|interface| interface.up).partition(|interface| udp::filtered(&interface.name));
    let names = |interfaces: &[Interface]| {
        interfaces.iter().map(|interface| interface.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let says = match (heard.as_slice(), filtered.as_slice()) {
        ([], []) => "no interface is up".into(),
        (_, []) => "--link udp would work too, to look and talk; raw frames don't need it".into(),
        ([], _) => "not to be had: rp_filter is on; raw frames don't need it".into(),
        _ => format!("on {} only: rp_filter is on for {}; raw frames don't need it", names(&heard), names(&filtered)),
    };
    Check { name: "udp-link", verdict: Verdict::Ok, says, hint: None }
}

fn state_folder(folder: &Path) -> Check {
    let name = "state-folder";
    let tried = folders::make_private(folder)
        .and_then(|()| tempfile::NamedTempFile::new_in(folder))
        .and_then(|file| file.as_file().sync_all());
    match tried {
        Ok(()) => Check { name, verdict: Verdict::Ok, says: folder.display().to_string(), hint: None },
        Err(error) => Check {
            name,
            verdict: Verdict::Fail,
            says: format!("{}: {error}", folder.display()),
            hint: Some("name another one:  --state-dir DIR".into()),
        },
    }
}

/// A packet socket hears everything anyway; a MAC-Telnet server on this host answers for its own MAC only.
fn other_listeners() -> Check {
    let held: Vec<&str> = [(20561u16, "20561 (MAC-Telnet)"), (5678, "5678 (MNDP)")]
        .into_iter()
        .filter(|(port, _)| udp_port_is_bound(*port))
        .map(|(_, name)| name)
        .collect();
    let says = if held.is_empty() {
        "nobody else listens on UDP 20561 and 5678".to_owned()
    } else {
        format!("another program listens on UDP {}; raw frames are not disturbed by it", held.join(" and "))
    };
    Check { name: "other-listeners", verdict: Verdict::Ok, says, hint: None }
}

fn udp_port_is_bound(port: u16) -> bool {
    let suffix = format!(":{port:04X}");
    std::fs::read_to_string("/proc/net/udp").is_ok_and(|table| {
        table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).any(|local| local.ends_with(&suffix))
    })
}
