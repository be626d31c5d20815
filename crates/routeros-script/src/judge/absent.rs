//! Menus that depend on the board or on a package. The trees were made on x86 and CHR without extra packages, so they lack
//! them: for `lint`, what stands there is not wrong, it is not checked.

use super::items::Items;
use super::outcome::Used;
use super::reader::{Read, Reader};
use crate::error::ParseErrorKind;
use crate::span::Span;

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
    ("/system/routerboard", "a RouterBOARD"),
    ("/system/swos", "a board that runs SwOS too"),
    ("/tr069-client", "the package tr069-client"),
    ("/user-manager", "the package user-manager"),
    ("/zerotier", "the package zerotier"),
];

/// A statement in such a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// What the router needs for it.
    pub needs: &'static str,
    /// The statement.
    pub span: Span,
}

/// What a router needs for a menu that the trees lack.
fn needs(path: &str) -> Option<&'static str> {
    let below = |menu: &str| path.strip_prefix(menu).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    ABSENT.iter().find(|(menu, _)| below(menu)).map(|(_, needs)| *needs)
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
        self.absent.push(Absent { needs, span });
        if menu {
            self.nowhere = Some(path);
        }
        Ok(true)
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
    use super::ABSENT;
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
        }
    }
}
