//! `print`: tables, details, terse lines, and the lines of a menu of one.

use super::def::{Menu, Shape};
use super::kind::Kind;
use super::row::Row;
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
}

/// The lines of a `print`.
pub fn lines(sys: &System, menu: &'static Menu, rows: &[Row], style: Style, proplist: Option<&str>) -> Vec<String> {
    let wanted = |name: &str| proplist.is_none_or(|list| list.split(',').any(|one| one == name));
    if menu.shape == Shape::Single {
        return rows.first().map_or_else(Vec::new, |row| single(sys, menu, row, &wanted));
    }
    match style {
        Style::Brief => brief(sys, menu, rows, proplist),
        Style::Detail | Style::Terse => detail(sys, menu, rows, style, &wanted),
    }
}

fn single(sys: &System, menu: &'static Menu, row: &Row, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let props: Vec<_> = sys.props(menu).filter(|prop| row.get(prop.name).is_some() && wanted(prop.name)).collect();
    let width = props.iter().map(|prop| prop.name.len()).max().unwrap_or(0) + 2;
    let lines = props.iter().map(|prop| format!("{:>width$}: {}", prop.name, row.text(prop.name)));
    lines.collect()
}

/// The first line: what the letters mean.
fn legend(sys: &System, menu: &'static Menu) -> Option<String> {
    let mut flags: Vec<(char, &str)> = menu.flags.iter().map(|flag| (flag.letter, flag.name)).collect();
    if menu.can_disable() && !flags.iter().any(|flag| flag.1 == "disabled") {
        flags.insert(0, ('X', "disabled"));
    }
    if flags.is_empty() {
        return None;
    }
    let v7 = sys.spec.version.is_v7();
    let words: Vec<String> = flags
        .iter()
        .map(
            |(letter, name)| {
                if v7 { format!("{letter} - {}", name.to_uppercase()) } else { format!("{letter} - {name}") }
            },
        )
        .collect();
    Some(format!("Flags: {} ", words.join(", ")).trim_end().to_owned())
}

fn letters(menu: &'static Menu, row: &Row) -> String {
    menu.flags.iter().filter(|flag| row.is(flag.name)).map(|flag| flag.letter).collect()
}

fn brief(sys: &System, menu: &'static Menu, rows: &[Row], proplist: Option<&str>) -> Vec<String> {
    let own: Vec<&str> = match proplist {
        Some(list) => list.split(',').collect(),
        None => menu.columns.to_vec(),
    };
    let columns: Vec<&str> = own.into_iter().filter(|name| sys.prop(menu, name).is_some()).collect();
    let v7 = sys.spec.version.is_v7();
    let mut lines: Vec<String> = legend(sys, menu).into_iter().collect();
    if rows.is_empty() && v7 {
        return Vec::new();
    }
    let names: Vec<String> = columns.iter().map(|name| name.to_uppercase()).collect();
    if v7 {
        lines.push(format!("Columns: {}", names.join(", ")));
    }
    let cell = |row: &Row, name: &str| row.text(name).replace(['\r', '\n'], " ");
    let widths: Vec<usize> = columns
        .iter()
        .zip(&names)
        .map(|(name, title)| rows.iter().map(|row| cell(row, name).chars().count()).max().unwrap_or(0).max(title.len()))
        .collect();
    let number = rows.len().saturating_sub(1).to_string().len().max(if v7 { 1 } else { 2 });
    let flags = menu.flags.len().min(4);
    let mut title =
        if v7 { format!("{:<number$} {:flags$} ", "#", "") } else { format!("{:>number$} {:flags$} ", "#", "") };
    for (name, width) in names.iter().zip(&widths) {
        title.push_str(&format!("{name:<width$}  "));
    }
    lines.push(title.trim_end().to_owned());
    for (at, row) in rows.iter().enumerate() {
        if let Some(comment) = row.get("comment") {
            lines.push(format!("{:number$}  ;;; {comment}", ""));
        }
        let mut line = if v7 {
            format!("{at:<number$} {:flags$} ", letters(menu, row))
        } else {
            format!("{at:>number$} {:flags$} ", letters(menu, row))
        };
        for (name, width) in columns.iter().zip(&widths) {
            line.push_str(&format!("{:<width$}  ", cell(row, name)));
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

fn detail(sys: &System, menu: &'static Menu, rows: &[Row], style: Style, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    /// Where `print detail` breaks lines.
    const WIDTH: usize = 100;
    let terse = style == Style::Terse;
    let mut lines: Vec<String> = if terse { Vec::new() } else { legend(sys, menu).into_iter().collect() };
    for (at, row) in rows.iter().enumerate() {
        let mut words = Vec::new();
        if let Some(comment) = row.get("comment").filter(|_| terse) {
            words.push(format!("comment={comment}"));
        }
        for prop in sys.props(menu) {
            let Some(value) = row.get(prop.name).filter(|_| wanted(prop.name)) else { continue };
            let value = match prop.kind {
                Kind::Str | Kind::Ref(..) if !terse => format!("\"{value}\""),
                _ => value.to_owned(),
            };
            words.push(format!("{}={value}", prop.name));
        }
        let head = format!("{at:>2} {:<3} ", letters(menu, row));
        if terse {
            lines.push(format!("{head}{}", words.join(" ")));
            continue;
        }
        let mut line = match row.get("comment") {
            Some(comment) => {
                lines.push(format!("{head};;; {comment}"));
                " ".repeat(head.len())
            }
            None => head.clone(),
        };
        let mut fresh = true;
        for word in words {
            if !fresh && line.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::replace(&mut line, " ".repeat(head.len())).trim_end().to_owned());
                fresh = true;
            }
            if !fresh {
                line.push(' ');
            }
            line.push_str(&word);
            fresh = false;
        }
        lines.push(line.trim_end().to_owned());
        lines.push(String::new());
    }
    lines
}
