//! What earlier runs on this host know of a router that can't be asked now: from the evidence that they saved.

use crate::store::Store;
use serde::{Deserialize, Serialize};

/// Runs that are looked through, the newest first.
const MAX_RUNS: usize = 60;
/// Files of a run in which a router said what it is.
const FILES: [&str; 2] = ["evidence-rest.txt", "evidence.txt"];

/// A router, as it once described itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Earlier {
    /// The run that knows.
    pub run: String,
    /// `board-name`.
    pub board: Option<String>,
    /// `architecture-name`, as packages name it.
    pub architecture: Option<String>,
    /// `version`, its number alone.
    pub version: Option<String>,
    /// `protected-routerboot`.
    pub protected: Option<bool>,
    /// `mode` of `/system device-mode`.
    pub device_mode: Option<String>,
}

/// Who it was: any of these is enough.
#[derive(Debug, Clone, Default)]
pub struct Who<'a> {
    /// The serial number, told or in the site file.
    pub serial: Option<&'a str>,
    /// The HA port's address.
    pub mac: Option<&'a str>,
    /// TARGET.
    pub target: &'a str,
}

impl Earlier {
    /// The newest saved evidence of this router in which it said what it is. What can't be read is passed over.
    pub fn find(store: &dyn Store, who: &Who<'_>) -> Option<Self> {
        let runs = store.runs().ok()?;
        runs.iter().rev().take(MAX_RUNS).find_map(|run| {
            FILES.iter().find_map(|name| {
                let text = String::from_utf8(store.kept_with(run, name).ok().flatten()?).ok()?;
                // The rest has no head of its own.
                let head = String::from_utf8(store.kept_with(run, "evidence.txt").ok().flatten()?).ok()?;
                let found = is_of(&head, who).then(|| Self::of(run.as_str(), &text))?;
                found.board.is_some().then_some(found)
            })
        })
    }

    fn of(run: &str, text: &str) -> Self {
        let resource = |name: &str| property(text, "/system resource", name);
        let yes = |value: String| matches!(value.as_str(), "enabled" | "yes");
        Self {
            run: run.to_owned(),
            board: resource("board-name"),
            // RouterOS prints the processor's name where packages have a short one [verify].
            architecture: resource("architecture-name").map(|name| if name == "powerpc" { "ppc".into() } else { name }),
            version: resource("version").and_then(|version| version.split_whitespace().next().map(str::to_owned)),
            protected: property(text, "/system routerboard settings", "protected-routerboot").map(yes),
            device_mode: property(text, "/system device-mode", "mode"),
        }
    }
}

/// Who the evidence is of, by the lines above its first section.
fn is_of(text: &str, who: &Who<'_>) -> bool {
    let head = text.split("====").next().unwrap_or_default();
    let serial = head.lines().find_map(|line| line.strip_prefix("serial number: ")).map(str::trim);
    if let (Some(wanted), Some(told)) = (who.serial, serial.filter(|told| *told != "none")) {
        // Lines get swapped: a number decides, where there are two.
        return wanted == told;
    }
    let mac = head.lines().find(|line| line.starts_with("HA port ")).and_then(|line| line.split_once(": "));
    let same_mac = who.mac.is_some_and(|wanted| mac.is_some_and(|(_, told)| told.trim() == wanted));
    same_mac || head.lines().next().is_some_and(|line| line.starts_with(&format!("Evidence of {},", who.target)))
}

/// `name: value` in one section.
fn property(text: &str, section: &str, name: &str) -> Option<String> {
    let mut lines = text
        .lines()
        .skip_while(|line| line.strip_prefix("==== ").is_none_or(|title| title.split("  (").next() != Some(section)));
    lines.next();
    let mut inside = lines.take_while(|line| !line.starts_with("==== "));
    let value = inside.find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':').map(str::trim))?;
    let value: String = value.chars().take(60).filter(|c| !c.is_control()).collect();
    (!value.is_empty()).then_some(value)
}
