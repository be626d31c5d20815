//! `tree DIR`: the command tree of real routers, as a table of facts of our own form.
//!
//! Reads the `inspect-VERSION.json` files of a folder (what `/console/inspect` of a router tells: menus, commands,
//! arguments, hints of types) and writes `crates/routeros-script/src/tree/facts.txt`. The files themselves are other
//! people's and stay where they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::run::{root, say};

type Node = Map<String, Value>;

/// Writes the table from the files in `words[0]`.
pub fn tree(words: &[&str]) -> Result<()> {
    let [folder] = words else { bail!("usage: cargo xtask tree DIR") };
    let mut files: Vec<(Vec<u32>, String, Node)> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(version) = name.strip_prefix("inspect-").and_then(|rest| rest.strip_suffix(".json")) else { continue };
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let order = version.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        files.push((order, version.to_owned(), serde_json::from_str(&text)?));
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    if files.is_empty() {
        bail!("no inspect-VERSION.json in {folder}");
    }
    let mut table = Table::default();
    let roots: Vec<Option<&Node>> = files.iter().map(|(.., node)| Some(node)).collect();
    table.menu(&roots);
    let mut out = String::from(
        "# The command tree of RouterOS, version by version. Made by `cargo xtask tree`, not by hand.\n\
         # v VERSIONS / a ARGUMENTS of a command (name:kind) / m MENU [in which versions] ... u / c COMMAND its list\n",
    );
    let versions: Vec<&str> = files.iter().map(|(_, version, _)| version.as_str()).collect();
    writeln!(out, "v {}", versions.join(" "))?;
    let mut lists: Vec<(&String, &usize)> = table.lists.iter().collect();
    lists.sort_by_key(|(_, at)| **at);
    for (list, _) in lists {
        writeln!(out, "a {list}")?;
    }
    out.push_str(&table.lines);
    let path = Path::new(&root()).join("crates/routeros-script/src/tree/facts.txt");
    std::fs::write(&path, &out)?;
    say(&format!(
        "{}: {} bytes, {} lists of arguments, versions {}",
        path.display(),
        out.len(),
        table.lists.len(),
        versions.join(" ")
    ));
    Ok(())
}

#[derive(Default)]
struct Table {
    lists: BTreeMap<String, usize>,
    lines: String,
}

fn kind_of(node: &Node) -> &str {
    node.get("_type").and_then(Value::as_str).unwrap_or_default()
}

fn children(node: &Node) -> impl Iterator<Item = (&String, &Node)> {
    node.iter().filter_map(|(name, child)| child.as_object().map(|child| (name, child)))
}

impl Table {
    /// One menu in every version (`None` where it is missing).
    fn menu(&mut self, menus: &[Option<&Node>]) {
        let names: BTreeSet<&String> =
            menus.iter().flatten().flat_map(|menu| children(menu).map(|(name, _)| name)).collect();
        for name in names {
            let nodes: Vec<Option<&Node>> =
                menus.iter().map(|menu| menu.and_then(|menu| menu.get(name)).and_then(Value::as_object)).collect();
            let is = |kinds: &[&str]| -> Vec<Option<&Node>> {
                nodes.iter().map(|node| node.filter(|node| kinds.contains(&kind_of(node)))).collect()
            };
            let menus = is(&["dir", "path"]);
            let commands = is(&["cmd"]);
            if menus.iter().any(Option::is_some) {
                let there: String = menus.iter().map(|menu| if menu.is_some() { '1' } else { '0' }).collect();
                let there = if there.contains('0') { format!(" {there}") } else { String::new() };
                let _ = writeln!(self.lines, "m {name}{there}");
                self.menu(&menus);
                self.lines.push_str("u\n");
            }
            if commands.iter().any(Option::is_some) {
                let lists: Vec<String> = commands.iter().map(|command| self.list(*command)).collect();
                let same = lists.windows(2).all(|pair| pair[0] == pair[1]);
                let lists = if same { lists.into_iter().take(1).collect::<Vec<_>>() } else { lists };
                let _ = writeln!(self.lines, "c {name} {}", lists.join(" "));
            }
        }
    }

    /// The number of a command's list of arguments, `-` for a command that isn't there.
    fn list(&mut self, command: Option<&Node>) -> String {
        let Some(command) = command else { return "-".to_owned() };
        let arguments: Vec<String> = children(command)
            .filter(|(_, node)| kind_of(node) == "arg")
            .map(|(name, node)| {
                format!("{name}{}", letter(node.get("desc").and_then(Value::as_str).unwrap_or_default()))
            })
            .collect();
        let next = self.lists.len();
        self.lists.entry(arguments.join(" ")).or_insert(next).to_string()
    }
}

/// What the router's own hint says about the type of an argument, in a letter.
fn letter(hint: &str) -> &'static str {
    match hint {
        "" => "",
        "script" => ":x",
        "see documentation" => ":v",
        hint if hint.starts_with("string value") => ":s",
        hint if hint.ends_with("time interval)") || hint == "time interval" => ":t",
        hint if hint.contains("(IP address range)") => ":r",
        hint if hint.contains("(IP address)") => ":a",
        hint if hint.contains("(IP prefix)") => ":p",
        hint if hint.contains("IPv6") => ":6",
        hint if hint.contains("(MAC address)") => ":m",
        hint if hint.contains('|') => ":e",
        _ => ":n",
    }
}
