//! `export`: the configuration as commands that make it again.

use super::def::{Export, Menu};
use super::quote::quote_word;
use super::row::Row;
use super::tables::MENUS;
use super::time::Calendar;
use super::values::text_of;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{Caller, System};

/// `/export` and the `export` of a menu, on the screen or into a file.
pub async fn run(sys: &System, ctx: &Ctx, path: &str, command: &MenuCommand) -> Result<Value, Error> {
    let sensitive = Caller::of(ctx).who.policy.allows("sensitive");
    let hide = if sys.quirks.export_hides_secrets {
        !(command.flag("show-sensitive") && sensitive)
    } else {
        command.flag("hide-sensitive") || !sensitive
    };
    let terse = command.flag("terse");
    if let Some(file) = command.named("file").map(text_of) {
        let name = if file.ends_with(".rsc") { file } else { format!("{file}.rsc") };
        let path = path.to_owned();
        if let Some(sys) = sys.rc() {
            sys.write_file_later(name, move |sys| {
                let mut text = sys.export(&path, hide, terse).join("\r\n").into_bytes();
                text.extend(b"\r\n");
                text
            });
        }
        return Ok(Value::Nothing);
    }
    let lines = sys.export(path, hide, terse);
    System::screen(ctx).page(&lines, false).await;
    Ok(Value::Nothing)
}

impl System {
    /// The lines of an export of everything below a path.
    pub fn export(&self, path: &str, hide_secrets: bool, terse: bool) -> Vec<String> {
        let now = Calendar::from_unix(self.unix_time());
        let v7 = self.spec.version.is_v7();
        let mut lines = vec![
            format!("# {} {} by RouterOS {}", now.date(v7), now.time(), self.spec.version),
            format!("# software id = {}", self.software_id()),
            "#".to_owned(),
        ];
        if self.board.routerboard {
            lines.push(format!("# model = {}", self.board.name));
            lines.push(format!("# serial number = {}", self.spec.serial_number));
        }
        for menu in MENUS.iter().flat_map(|area| area.iter()) {
            let below = path.is_empty() || menu.path == path || menu.path.starts_with(&format!("{path}/"));
            if !below || menu.export == Export::No || self.menu(menu.path).is_none() {
                continue;
            }
            let commands = self.exported(menu, hide_secrets);
            if commands.is_empty() {
                continue;
            }
            let words = format!("/{}", menu.path.trim_start_matches('/').replace('/', " "));
            if terse {
                lines.extend(commands.iter().map(|command| format!("{words} {command}")));
            } else {
                lines.push(words);
                lines.extend(commands);
            }
        }
        lines
    }

    fn exported(&self, menu: &'static Menu, hide: bool) -> Vec<String> {
        let items = self.config(|config| config.items(menu.path).to_vec());
        let mut commands = Vec::new();
        for item in items {
            let Some(row) = self.stored_row(menu, &item) else { continue };
            let mut given = self.given(menu, &item, &row, hide);
            if let Some(comment) = item.get("comment") {
                given.insert(0, format!("comment={}", quote_word(comment)));
            }
            let given_disabled = match menu.export {
                Export::Add => item.disabled.then_some("yes"),
                Export::SetBy(_) => item.disabled.then_some("yes"),
                Export::SetNamed(_) => Some(if item.disabled { "yes" } else { "no" }),
                _ => None,
            };
            let factory = self.is_factory(menu, &item);
            match menu.export {
                Export::Add if item.builtin => {}
                Export::Add => {
                    if let Some(value) = given_disabled {
                        given.push(format!("disabled={value}"));
                    }
                    commands.push(format!("add {}", given.join(" ")));
                }
                Export::SetBy(key) if !factory => {
                    given.retain(|word| !word.starts_with(&format!("{key}=")));
                    if let Some(value) = given_disabled {
                        given.push(format!("disabled={value}"));
                    }
                    commands.push(format!("set [ find {key}={} ] {}", row.text(key), given.join(" ")));
                }
                Export::SetNamed(key) if !factory => {
                    if let Some(value) = given_disabled {
                        given.push(format!("disabled={value}"));
                    }
                    commands.push(format!("set {} {}", row.text(key), given.join(" ")));
                }
                Export::Single if !given.is_empty() => commands.push(format!("set {}", given.join(" "))),
                _ => {}
            }
        }
        commands
    }

    /// Whether an item that can't be added is as the factory made it.
    fn is_factory(&self, menu: &'static Menu, item: &super::config::Item) -> bool {
        let fresh = crate::system::erased(&self.spec);
        fresh.items(menu.path).iter().any(|other| other.values == item.values && other.disabled == item.disabled)
    }

    /// `name=value` of what differs from the default and can be set.
    fn given(&self, menu: &'static Menu, item: &super::config::Item, row: &Row, hide: bool) -> Vec<String> {
        let mut words = Vec::new();
        for prop in self.props(menu) {
            if prop.read_only || prop.write_only || (hide && prop.secret) {
                continue;
            }
            let Some(value) = item.get(prop.name) else { continue };
            if prop.name == "name" && item.get("default-name") == Some(value) {
                continue;
            }
            if prop.default == Some(value) && !prop.always_exported {
                continue;
            }
            let value = row.get(prop.name).unwrap_or(value);
            words.push(format!("{}={}", prop.name, quote_word(value)));
        }
        words
    }
}
