//! `print`: tables, details, terse lines, value lists, and the lines of a menu of one.
//!
//! The forms follow prints of real routers that people have posted (6.4x and 7.x). 7.x names only the flags and columns
//! that occur; which columns it leaves out of tables that are wider than the terminal is not modelled: the pager cuts.

use super::def::{Flag, Menu, Prop, Shape};
use super::kind::Kind;
use super::row::Row;
use super::values::shown;
use crate::system::System;

/// How items are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A table of the main properties.
    Brief,
    /// All properties, `name=value`, several lines an item.
    Detail,
    /// All properties, one line an item.
    Terse,
    /// One line a property, with the values of all items.
    ValueList,
    /// A line of text an item, as the log is read.
    Lines,
}

/// What to print, and how.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// The style.
    pub style: Style,
    /// `proplist=`, if it was given.
    pub proplist: Option<&'a str>,
    /// `show-ids`: ids in place of numbers.
    pub ids: bool,
    /// Columns of the terminal.
    pub width: usize,
}

impl Form<'_> {
    fn wants(&self, prop: &Prop) -> bool {
        self.proplist.map_or(!prop.counter, |list| list.split(',').any(|one| one == prop.name))
    }

    /// An item's number, or its id.
    fn number(&self, at: usize, row: &Row) -> String {
        if self.ids { format!("*{:X}", row.id) } else { at.to_string() }
    }
}

/// The lines of a `print`.
pub fn lines(sys: &System, menu: &'static Menu, rows: &[Row], form: Form<'_>) -> Vec<String> {
    if menu.shape == Shape::Single {
        return rows.first().map_or_else(Vec::new, |row| single(sys, menu, row, form));
    }
    match form.style {
        Style::Brief if sys.spec.version.is_v7() => brief_v7(sys, menu, rows, form),
        Style::Brief => brief_v6(sys, menu, rows, form),
        Style::Detail => detail(sys, menu, rows, form),
        Style::Terse => terse(sys, menu, rows, form),
        Style::ValueList => value_list(sys, menu, rows, form),
        Style::Lines => rows.iter().map(|row| joined(menu, row)).collect(),
    }
}

fn joined(menu: &'static Menu, row: &Row) -> String {
    let words: Vec<&str> = menu.columns.iter().map(|name| row.text(name)).collect();
    format!(" {}", words.join(" "))
}

fn single(sys: &System, menu: &'static Menu, row: &Row, form: Form<'_>) -> Vec<String> {
    let props: Vec<_> = sys.props(menu).filter(|prop| row.get(prop.name).is_some() && form.wants(prop)).collect();
    let width = props.iter().map(|prop| prop.name.len()).max().unwrap_or(0) + 2;
    let mut lines = Vec::new();
    for prop in props {
        let text = shown(prop.kind, row.text(prop.name));
        let mut parts = text.split('\n').map(|part| part.trim_end_matches('\r'));
        lines.push(format!("{:>width$}: {}", prop.name, parts.next().unwrap_or_default()).trim_end().to_owned());
        lines.extend(parts.map(|part| format!("{:width$}  {part}", "")));
    }
    lines
}

/// The flags of a menu, in groups: each group is one column.
fn groups(sys: &System, menu: &'static Menu) -> Vec<Vec<Flag>> {
    let mut groups: Vec<Vec<Flag>> = Vec::new();
    let mut open = false;
    let own = menu.flags.iter().copied().filter(|flag| (flag.when)(sys.spec.version, &sys.quirks));
    let disabled = super::def::flag('X', "disabled");
    let implied = menu.can_disable() && !menu.flags.iter().any(|flag| flag.name == "disabled");
    for flag in implied.then_some(disabled).into_iter().chain(own) {
        match groups.last_mut() {
            Some(group) if open => group.push(flag),
            _ => groups.push(vec![flag]),
        }
        open = !flag.last;
    }
    groups
}

/// The first line: what the letters mean. `upper`: as 7.x writes it above a table.
fn legend(sys: &System, groups: &[Vec<Flag>], upper: bool) -> Option<String> {
    if groups.is_empty() {
        return None;
    }
    let between = if sys.spec.version.is_v7() { "; " } else { ", " };
    let words: Vec<String> = groups
        .iter()
        .map(|group| {
            let words: Vec<String> = group
                .iter()
                .map(|flag| {
                    let name = if upper { flag.name.to_uppercase() } else { flag.name.to_owned() };
                    format!("{} - {name}", flag.letter)
                })
                .collect();
            words.join(", ")
        })
        .collect();
    let blank = if upper { "" } else { " " };
    Some(format!("Flags: {}{blank}", words.join(between)))
}

fn letters(groups: &[Vec<Flag>], row: &Row) -> String {
    let letter = |group: &Vec<Flag>| group.iter().find(|flag| row.is(flag.name)).map_or(' ', |flag| flag.letter);
    groups.iter().map(letter).collect()
}

struct Table {
    /// Name, title, width, whether numbers stand at the right.
    columns: Vec<(&'static str, String, usize, bool)>,
}

impl Table {
    fn of(sys: &System, menu: &'static Menu, rows: &[Row], form: Form<'_>) -> Self {
        let known = |name: &&str| sys.prop(menu, name).is_some();
        let names: Vec<&'static str> = match form.proplist {
            Some(list) => list.split(',').filter_map(|name| sys.prop(menu, name).map(|prop| prop.name)).collect(),
            None => menu.columns.iter().copied().filter(known).collect(),
        };
        let v7 = sys.spec.version.is_v7();
        let columns = names.into_iter().filter_map(|name| {
            if v7 && form.proplist.is_none() && !rows.iter().any(|row| !row.text(name).is_empty()) {
                return None;
            }
            let title = name.to_uppercase();
            let width = rows.iter().map(|row| cell(sys, menu, row, name).chars().count()).max().unwrap_or(0);
            let right = sys.prop(menu, name).is_some_and(|prop| prop.kind.is_number());
            Some((name, title.clone(), width.max(title.len()), right))
        });
        Self { columns: columns.collect() }
    }

    fn line(&self, gap: &str, cells: impl Fn(&str, &str) -> String) -> String {
        let cells = self.columns.iter().map(|(name, title, width, right)| {
            let text = cells(name, title);
            if *right { format!("{text:>width$}") } else { format!("{text:<width$}") }
        });
        cells.collect::<Vec<_>>().join(gap)
    }
}

fn cell(sys: &System, menu: &'static Menu, row: &Row, name: &str) -> String {
    let kind = sys.prop(menu, name).map_or(Kind::Str, |prop| prop.kind);
    shown(kind, row.text(name)).replace(['\r', '\n'], " ")
}

fn brief_v7(sys: &System, menu: &'static Menu, rows: &[Row], form: Form<'_>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut groups = groups(sys, menu);
    for group in &mut groups {
        group.retain(|flag| rows.iter().any(|row| row.is(flag.name)));
    }
    groups.retain(|group| !group.is_empty());
    let table = Table::of(sys, menu, rows, form);
    let mut lines: Vec<String> = legend(sys, &groups, true).into_iter().collect();
    let titles: Vec<&str> = table.columns.iter().map(|(_, title, ..)| title.as_str()).collect();
    lines.push(format!("Columns: {}", titles.join(", ")));
    let numbers: Vec<String> = rows.iter().enumerate().map(|(at, row)| form.number(at, row)).collect();
    let width = numbers.iter().map(String::len).max().unwrap_or(1);
    let flags = if groups.is_empty() { 0 } else { groups.len() + 1 };
    let title = table.line("  ", |_, title| title.to_owned());
    lines.push(format!("{:>width$} {:flags$}{title}", "#", "").trim_end().to_owned());
    for (row, number) in rows.iter().zip(&numbers) {
        if let Some(comment) = row.get("comment") {
            lines.push(format!(";;; {comment}"));
        }
        let letters = letters(&groups, row);
        let cells = table.line("  ", |name, _| cell(sys, menu, row, name));
        lines.push(format!("{number:>width$} {letters:flags$}{cells}").trim_end().to_owned());
    }
    lines
}

fn brief_v6(sys: &System, menu: &'static Menu, rows: &[Row], form: Form<'_>) -> Vec<String> {
    let groups = groups(sys, menu);
    let table = Table::of(sys, menu, rows, form);
    let mut lines: Vec<String> = legend(sys, &groups, false).into_iter().collect();
    let numbers: Vec<String> = rows.iter().enumerate().map(|(at, row)| form.number(at, row)).collect();
    let width = numbers.iter().map(String::len).max().unwrap_or(0).max(2);
    let flags = groups.len();
    let title = table.line(" ", |_, title| title.to_owned());
    lines.push(format!("{:>width$} {:flags$} {title}", "#", "").trim_end().to_owned());
    for (row, number) in rows.iter().zip(&numbers) {
        let head = format!("{number:>width$} {:flags$} ", letters(&groups, row));
        let cells = table.line(" ", |name, _| cell(sys, menu, row, name));
        match row.get("comment") {
            // The comment has the number, the values stand below.
            Some(comment) => {
                lines.push(format!("{head};;; {comment}"));
                lines.push(format!("{:indent$}{cells}", "", indent = head.len()).trim_end().to_owned());
            }
            None => lines.push(format!("{head}{cells}").trim_end().to_owned()),
        }
    }
    lines
}

/// The properties of a row that are there, as `name=value`.
fn words(sys: &System, menu: &'static Menu, row: &Row, form: Form<'_>, quoted: bool) -> Vec<String> {
    let words = sys.props(menu).filter(|prop| form.wants(prop)).filter_map(|prop| {
        let value = shown(prop.kind, row.get(prop.name)?);
        let text = quoted && prop.kind == Kind::Str && !value.contains('\n');
        Some(if text { format!("{}=\"{value}\"", prop.name) } else { format!("{}={value}", prop.name) })
    });
    words.collect()
}

fn detail(sys: &System, menu: &'static Menu, rows: &[Row], form: Form<'_>) -> Vec<String> {
    let groups = groups(sys, menu);
    let mut lines: Vec<String> = legend(sys, &groups, false).into_iter().collect();
    for (at, row) in rows.iter().enumerate() {
        let head = format!("{:>2} {} ", form.number(at, row), letters(&groups, row));
        let indent = " ".repeat(head.len());
        let mut line = head.clone();
        if let Some(comment) = row.get("comment") {
            lines.push(format!("{head};;; {comment}"));
            line.clone_from(&indent);
        }
        let mut fresh = true;
        for word in words(sys, menu, row, form, true) {
            // A text of several lines stands below its name.
            if let Some((name, text)) = word.split_once('=').filter(|(_, text)| text.contains('\n')) {
                lines.push(format!("{line}{name}="));
                lines.extend(text.lines().map(|text| format!("{indent}  {}", text.trim_end_matches('\r'))));
                line.clone_from(&indent);
                fresh = true;
                continue;
            }
            if !fresh && line.chars().count() + word.chars().count() >= form.width {
                lines.push(std::mem::replace(&mut line, indent.clone()));
            }
            line.push_str(&word);
            line.push(' ');
            fresh = false;
        }
        if !line.trim().is_empty() {
            lines.push(line);
        }
        lines.push(String::new());
    }
    lines
}

fn terse(sys: &System, menu: &'static Menu, rows: &[Row], form: Form<'_>) -> Vec<String> {
    let groups = groups(sys, menu);
    let lines = rows.iter().enumerate().map(|(at, row)| {
        let comment = row.get("comment").map(|comment| format!("comment={comment}"));
        let words: Vec<String> = comment.into_iter().chain(words(sys, menu, row, form, false)).collect();
        let line = format!("{:>2} {} {}", form.number(at, row), letters(&groups, row), words.join(" "));
        line.replace(['\r', '\n'], " ")
    });
    lines.collect()
}

fn value_list(sys: &System, menu: &'static Menu, rows: &[Row], form: Form<'_>) -> Vec<String> {
    let props: Vec<_> = sys
        .props(menu)
        .filter(|prop| form.wants(prop) && rows.iter().any(|row| row.get(prop.name).is_some()))
        .collect();
    let name_width = props.iter().map(|prop| prop.name.len()).max().unwrap_or(0) + 2;
    let widths: Vec<usize> = rows
        .iter()
        .map(|row| props.iter().map(|prop| cell(sys, menu, row, prop.name).chars().count()).max().unwrap_or(0))
        .collect();
    let lines = props.iter().map(|prop| {
        let cells = rows.iter().zip(&widths).map(|(row, width)| format!("{:<width$}", cell(sys, menu, row, prop.name)));
        let cells: Vec<String> = cells.collect();
        format!("{:>name_width$}: {}", prop.name, cells.join(" ")).trim_end().to_owned()
    });
    lines.collect()
}
