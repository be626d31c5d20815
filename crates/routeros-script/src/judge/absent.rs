//! Menus and arguments that depend on the board or on a package. The trees were made on x86 and CHR without extra packages,
//! so they lack them: for `lint`, what stands there is not wrong, it is not checked.

use super::items::Items;
use super::outcome::Used;
use super::reader::{Read, Reader};
use crate::error::ParseErrorKind;
use crate::span::Span;
use crate::tree::{Argument, Kind};

/// By path: what a router must have for the menu to be there.
const ABSENT: &[(&str, &str)] = &[
    ("/app", "the package container"),
    ("/caps-man", "the package wireless"),
    ("/container", "the package container"),
    ("/dude", "the package dude"),
    ("/interface/ethernet/poe", "a board with PoE"),
    ("/interface/ethernet/switch", "a board with a switch chip"),
    ("/interface/w60g", "a board with a 60 GHz radio"),
    ("/interface/wireless", "the package wireless"),
    ("/iot", "the package iot"),
    ("/lcd", "a board with a display"),
    ("/lora", "the package lora"),
    ("/partitions", "a board with partitions"),
    ("/system/gps", "the package gps"),
    ("/system/resource/irq/rps", "a board with more than one processor"),
    ("/system/routerboard", "a RouterBOARD"),
    ("/system/swos", "a board that runs SwOS too"),
    ("/tr069-client", "the package tr069-client"),
    ("/user-manager", "the package user-manager"),
    ("/zerotier", "the package zerotier"),
];

/// Menus that the trees have in another shape: `/system/health` of 7 is a list on boards that measure something.
const OTHERWISE: &[(&str, &str)] = &[("/system/health", "a board that measures its health")];

/// Arguments that `add` and `set` of a menu have on boards only. They are in exports of boards and in the manual; an x86 has
/// the menu without them.
static ARGUMENTS: &[(&str, &str, &[Argument])] = &[
    (
        "/interface/ethernet",
        "a board with PoE",
        &[
            argument("poe-lldp-enabled"),
            argument("poe-out"),
            argument("poe-priority"),
            argument("poe-voltage"),
            argument("power-cycle-interval"),
            argument("power-cycle-ping-address"),
            argument("power-cycle-ping-enabled"),
            argument("power-cycle-ping-timeout"),
        ],
    ),
    ("/interface/ethernet", "a board with a switch chip", &[argument("bandwidth")]),
    ("/ip/firewall/filter", "a board that offloads connections", &[argument("hw-offload")]),
    ("/ip/route", "a board that offloads routes", &[argument("suppress-hw-offload")]),
    ("/ipv6/route", "a board that offloads routes", &[argument("suppress-hw-offload")]),
];

const fn argument(name: &'static str) -> Argument {
    Argument { name, kind: Kind::Other }
}

/// A statement in such a menu, or an argument of such a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// What the router needs for it.
    pub needs: &'static str,
    /// The argument; none where it is the whole statement. Said once, however often it is given.
    pub argument: Option<&'static str>,
    /// Where it stands.
    pub span: Span,
}

/// The argument of `add` and `set` of a menu (`/ip/route`) that only boards have, and what the board must have.
pub fn of_boards(menu: &str, command: &str, name: &str) -> Option<(&'static Argument, &'static str)> {
    if !matches!(command, "add" | "set") {
        return None;
    }
    let lists = ARGUMENTS.iter().filter(|(path, ..)| *path == menu);
    lists.into_iter().find_map(|(_, needs, list)| Some((list.iter().find(|known| known.name == name)?, *needs)))
}

/// What a router needs for a menu to be as it is on boards.
pub(super) fn otherwise(path: &str) -> bool {
    OTHERWISE.iter().any(|(menu, _)| path == *menu)
}

/// What a router needs for a menu that the trees lack.
fn needs(path: &str) -> Option<&'static str> {
    let below = |menu: &str| path.strip_prefix(menu).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ABSENT.iter().chain(OTHERWISE).find(|(menu, _)| below(menu)).map(|(_, needs)| *needs)
}

impl Reader<'_> {
    /// The rest of a statement behind the path of an unknown menu or command, unread, if it is such a one. `begin`: where the
    /// statement begins.
    pub(super) fn absent_menu(&mut self, mut path: String, begin: usize, items: &mut Items) -> Read<bool> {
        let Some(needs) = needs(&path).filter(|_| self.boards) else { return Ok(false) };
        loop {
            self.lex.blanks();
            let before = self.lex.pos;
            if self.lex.version.is_v7() {
                self.lex.eat(b'/');
            }
            match self.word_of_path() {
                Some(word) if self.lex.peek() != Some(b'=') => path = format!("{path}/{word}"),
                _ => {
                    self.lex.pos = before;
                    break;
                }
            }
        }
        // Which words are menus is not known: what has no arguments and ends in none of the usual commands is one.
        let last = path.rsplit('/').next().unwrap_or_default();
        let menu = self.at_end() && !matches!(last, "print" | "find" | "export" | "upgrade" | "scan" | "monitor");
        self.skip_statement()?;
        let span = Span::new(begin, self.lex.pos);
        items.push(path.clone());
        self.commands.push(Used { path: path.clone(), span });
        self.absent.push(Absent { needs, argument: None, span });
        if menu {
            self.nowhere = Some(path);
        }
        Ok(true)
    }

    /// The argument of a command, where only boards have it. It is read as if it were there.
    pub(super) fn absent_argument(
        &mut self,
        menu: &str,
        command: &str,
        name: &str,
        span: Span,
    ) -> Option<&'static Argument> {
        let (argument, needs) =
            of_boards(menu.trim_end_matches('/'), command, name).filter(|_| self.boards && self.lex.version.is_v7())?;
        if self.absent.iter().all(|absent| absent.argument != Some(argument.name)) {
            self.absent.push(Absent { needs, argument: Some(argument.name), span });
        }
        Some(argument)
    }

    /// Everything up to the end of the statement; brackets and quotes have to be closed.
    fn skip_statement(&mut self) -> Read<()> {
        let (mut open, mut quoted) = (0_usize, false);
        while let Some(byte) = self.lex.peek() {
            match byte {
                b'\\' => self.lex.pos += 1,
                b'"' => quoted = !quoted,
                _ if quoted => {}
                b'{' | b'[' | b'(' => open += 1,
                b'}' | b']' | b')' if open > 0 => open -= 1,
                b'}' | b']' => return Ok(()),
                b'\n' | b';' if open == 0 => return Ok(()),
                _ => {}
            }
            self.lex.pos += 1;
        }
        self.lex.pos = self.lex.pos.min(self.lex.src.len());
        if open > 0 || quoted { self.fail(ParseErrorKind::Syntax) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{ABSENT, ARGUMENTS};
    use crate::Version;
    use crate::tree::{Found, ROOT, View};

    #[test]
    fn the_trees_lack_them() {
        for version in [Version::new(7, 22, 1), Version::new(7, 24, 0)] {
            for (path, _) in ABSENT {
                let view = View::of(version);
                let found = path.split('/').skip(1).try_fold(ROOT, |at, name| match view.exactly(at, name) {
                    Some(Found::Menu(id)) => Some(id),
                    _ => None,
                });
                assert_eq!(found, None, "{path} {version}");
            }
            for (path, _, arguments) in ARGUMENTS {
                let menu: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
                let set = View::of(version).arguments(&menu, "set").unwrap();
                for argument in *arguments {
                    assert!(set.iter().all(|known| known.name != argument.name), "{path} {}", argument.name);
                }
            }
        }
    }
}
