//! `export`: the configuration as commands that make it again.

use super::config::Item;
use super::def::{Export, Menu, UNSET};
use super::quote::{folded, quote_word, terse};
use super::row::Row;
use super::tables::MENUS;
use super::time::Calendar;
use super::values::text_of;
use crate::menu::Config;
use crate::raw;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{Caller, System};

/// How much an export shows, and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExportForm {
    /// Secrets are left out.
    pub hide_secrets: bool,
    /// One line a command, each with its whole path.
    pub terse: bool,
    /// Also what has its default value.
    pub verbose: bool,
}

/// `/export` and the `export` of a menu, on the screen or into a file.
pub async fn run(sys: &System, ctx: &Ctx, path: &str, command: &MenuCommand) -> Result<Value, Error> {
    let sensitive = Caller::of(ctx).who.policy.allows("sensitive");
    let hide_secrets = if sys.quirks.export_hides_secrets {
        !(command.flag("show-sensitive") && sensitive)
    } else {
        command.flag("hide-sensitive") || !sensitive
    };
    let form = ExportForm { hide_secrets, terse: command.flag("terse"), verbose: command.flag("verbose") };
    if let Some(file) = command.named("file").map(text_of) {
        let name = if file.ends_with(".rsc") { file } else { format!("{file}.rsc") };
        let path = path.to_owned();
        if let Some(sys) = sys.rc() {
            sys.write_file_later(name, move |sys| {
                let mut text = raw::bytes(&sys.export(&path, form).join("\r\n"));
                text.extend(b"\r\n");
                text
            });
        }
        return Ok(Value::Nothing);
    }
    let lines = sys.export(path, form);
    System::screen(ctx).page(&lines, false).await;
    Ok(Value::Nothing)
}

impl System {
    /// The lines of an export of everything below a path.
    pub fn export(&self, path: &str, form: ExportForm) -> Vec<String> {
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
        let fresh = crate::system::erased(&self.spec);
        // what is stored only is referred to by name alone: its interfaces first, for those that name them, the rest last
        let stored = || self.stored().all();
        let interface = |menu: &&Menu| menu.path.starts_with("/interface/");
        let menus = stored().filter(interface);
        let menus = menus.chain(MENUS.iter().flat_map(|area| area.iter()).copied());
        for menu in menus.chain(stored().filter(|menu| !interface(menu))) {
            let below = path.is_empty() || menu.path == path || menu.path.starts_with(&format!("{path}/"));
            if !below || menu.export == Export::No || self.menu(menu.path).is_none() {
                continue;
            }
            let commands = self.exported(menu, &fresh, form);
            if commands.is_empty() {
                continue;
            }
            let words = format!("/{}", menu.path.trim_start_matches('/').replace('/', " "));
            if form.terse {
                for (verb, given) in commands {
                    lines.extend(terse(&format!("{words} {verb}"), &given));
                }
            } else {
                lines.push(words);
                for (verb, given) in commands {
                    lines.extend(self.state_comment(menu, &given).map(str::to_owned));
                    lines.extend(folded(&verb, &given));
                }
            }
        }
        lines
    }

    /// The comment line above a command whose item does not work now (quirk `export_state_comments`).
    fn state_comment(&self, menu: &'static Menu, given: &[String]) -> Option<&'static str> {
        let interface = || given.iter().find_map(|word| word.strip_prefix("interface="));
        let idle = self.quirks.export_state_comments
            && menu.path == "/ip/dhcp-client"
            && interface().is_some_and(|name| !self.is_running(name));
        idle.then_some("# Interface not active")
    }

    /// Each command with its words.
    fn exported(&self, menu: &'static Menu, fresh: &Config, form: ExportForm) -> Vec<(String, Vec<String>)> {
        let mut items = self.config(|config| config.items(menu.path).to_vec());
        if items.is_empty() && menu.shape == super::def::Shape::Single {
            items.push(Item::default());
        }
        let mut commands = Vec::new();
        for item in items {
            let Some(row) = self.stored_row(menu, &item) else { continue };
            if row.is("dynamic") {
                continue;
            }
            let mut given = self.given(menu, &item, &row, form);
            let factory = !form.verbose && is_factory(fresh, menu, &item);
            match menu.export {
                Export::Add if item.builtin => {}
                Export::Add => commands.push(("add".to_owned(), given)),
                Export::SetBy(_) | Export::SetNamed(_) if factory => {}
                Export::AddOrSet(_) | Export::AddOrDefault if item.builtin => {
                    if !form.verbose {
                        given = self.beyond_factory(menu, &item, fresh, given, form);
                    }
                    let verb = match menu.export {
                        Export::AddOrSet(key) => {
                            given.retain(|word| !word.starts_with(&format!("{key}=")));
                            format!("set {}", quote_word(row.text(key)))
                        }
                        _ => "set [ find default=yes ]".to_owned(),
                    };
                    if !given.is_empty() {
                        commands.push((verb, given));
                    }
                }
                Export::AddOrSet(_) | Export::AddOrDefault => commands.push(("add".to_owned(), given)),
                Export::SetBy(key) => {
                    given.retain(|word| !word.starts_with(&format!("{key}=")));
                    commands.push((format!("set [ find {key}={} ]", quote_word(row.text(key))), given));
                }
                Export::SetNamed(key) => {
                    given.retain(|word| !word.starts_with(&format!("{key}=")));
                    commands.push((format!("set {}", quote_word(row.text(key))), given));
                }
                Export::Single if !given.is_empty() => commands.push(("set".to_owned(), given)),
                _ => {}
            }
        }
        commands
    }

    /// Of an item that the system made: what is not as it made it.
    fn beyond_factory(
        &self,
        menu: &'static Menu,
        item: &Item,
        fresh: &Config,
        mut given: Vec<String>,
        form: ExportForm,
    ) -> Vec<String> {
        let Some(old) = fresh.item(menu.path, item.id) else { return given };
        let Some(row) = self.stored_row(menu, old) else { return given };
        let name = |word: &str| word.split('=').next().unwrap_or_default().trim_start_matches('!').to_owned();
        let mut before = self.given(menu, old, &row, form);
        if item.disabled != old.disabled {
            given.retain(|word| name(word) != "disabled");
            given.push(format!("disabled={}", if item.disabled { "yes" } else { "no" }));
        }
        let same: Vec<String> = given.iter().filter(|word| before.contains(word)).cloned().collect();
        given.retain(|word| !same.contains(word));
        // What has its default again though the system had made it otherwise.
        before.retain(|word| !same.contains(word) && given.iter().all(|other| name(other) != name(word)));
        for word in before.iter().map(|word| name(word)).filter(|word| word != "disabled") {
            let value = item.get(&word).or_else(|| self.prop(menu, &word)?.default);
            given.push(value.map_or_else(|| format!("!{word}"), |value| format!("{word}={}", quote_word(value))));
        }
        given.sort_by_key(|word| name(word));
        given
    }

    /// `name=value`, or the name alone of a switch, of what differs from the default and can be set, by name as RouterOS has them.
    fn given(&self, menu: &'static Menu, item: &Item, row: &Row, form: ExportForm) -> Vec<String> {
        let mut words = Vec::new();
        for prop in self.props(menu) {
            if prop.read_only || prop.write_only || (form.hide_secrets && prop.secret) {
                continue;
            }
            let value = match item.get(prop.name) {
                Some(value) => value,
                None if (form.verbose || prop.always_exported) && prop.default.is_some() => {
                    prop.default.unwrap_or_default()
                }
                None => continue,
            };
            let named_so = prop.name == "name" && item.get("default-name") == Some(value);
            let default = prop.default == Some(value) && !prop.always_exported;
            if !form.verbose && (named_so || default) {
                continue;
            }
            if value == UNSET {
                words.push((prop.name, format!("!{}", prop.name)));
                continue;
            }
            if value == "yes" && self.stands_alone(prop.name) && written_alone(menu, prop.name) {
                words.push((prop.name, prop.name.to_owned()));
                continue;
            }
            let shown = row.get(prop.name);
            if shown.is_none() && !prop.write_only && item.get(prop.name).is_some() {
                continue; // taken out of the row: it means nothing for this item
            }
            let value = shown.unwrap_or(value);
            words.push((prop.name, format!("{}={}", prop.name, quote_word(value))));
        }
        if let Some(comment) = item.get("comment").filter(|_| menu.verbs.has(super::def::Verbs::COMMENT)) {
            words.push(("comment", format!("comment={}", quote_word(comment))));
        }
        let disabled = match menu.export {
            Export::SetNamed(_) if menu.can_disable() => Some(item.disabled),
            Export::Add | Export::SetBy(_) if menu.can_disable() && (item.disabled || form.verbose) => {
                Some(item.disabled)
            }
            _ => None,
        };
        if let Some(disabled) = disabled {
            words.push(("disabled", if disabled { "disabled=yes" } else { "disabled=no" }.to_owned()));
        }
        words.sort_by_key(|(name, _)| *name);
        words.into_iter().map(|(_, word)| word).collect()
    }
}

/// Switches that 7.x writes without a value; elsewhere it writes `passive=yes`.
fn written_alone(menu: &Menu, name: &str) -> bool {
    name != "passive" || menu.path == "/routing/ospf/interface-template"
}

/// Whether an item that can't be added is as the factory made it.
fn is_factory(fresh: &Config, menu: &'static Menu, item: &Item) -> bool {
    fresh.items(menu.path).iter().any(|other| other.values == item.values && other.disabled == item.disabled)
}
