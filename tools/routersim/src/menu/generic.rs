//! Commands that every table has.

use std::time::Duration;

use super::def::{Menu, Shape};
use super::items::Args;
use super::print::{self, Form, Style};
use super::refused::Refused;
use super::row::Row;
use super::screen::Screen;
use super::told::told;
use super::values::{text_of, value_text};
use crate::raw;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{Caller, Policy, System, Who};

/// Columns of what `print file=` writes.
const FILE_WIDTH: usize = 80;
/// The shortest `interval=`: a router repaints no faster.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// How often `follow` looks for new items.
const FOLLOW_EVERY: Duration = Duration::from_millis(500);

impl System {
    pub(super) async fn generic(
        &self,
        ctx: &Ctx,
        caller: &Caller,
        menu: &'static Menu,
        command: &MenuCommand,
    ) -> Result<Value, Error> {
        if !caller.who.policy.covers(Policy::from_list("read")) {
            return Err(Refused::NotPermitted.into());
        }
        let who = &caller.who;
        match command.verb.as_str() {
            "find" => self.find(menu, command).await,
            "get" => self.get(menu, command, who),
            "print" => self.print(ctx, menu, command).await,
            "add" => {
                if command.unnamed().next().is_some() {
                    return Err(Refused::text("expected end of command").into());
                }
                let id = self.add(menu, &named(command, &[]), who)?;
                Ok(Value::Id(u64::from(id)))
            }
            "set" if menu.shape == Shape::Single => {
                self.set(menu, &[0], &named(command, &[]), who)?;
                Ok(Value::Nothing)
            }
            "set" => {
                let ids = self.numbers(ctx, menu, command, 0).await?;
                self.set(menu, &ids, &named(command, &["numbers"]), who)?;
                Ok(Value::Nothing)
            }
            "remove" | "enable" | "disable" => {
                let ids = self.numbers(ctx, menu, command, 0).await?;
                match command.verb.as_str() {
                    "remove" => self.remove(menu, &ids, who)?,
                    verb => self.enable(menu, &ids, verb == "enable", who)?,
                }
                Ok(Value::Nothing)
            }
            "comment" => {
                let ids = self.numbers(ctx, menu, command, 0).await?;
                let text = command.named("comment").or_else(|| command.unnamed().nth(1)).map(text_of);
                self.set(menu, &ids, &vec![("comment".to_owned(), text.unwrap_or_default())], who)?;
                Ok(Value::Nothing)
            }
            "unset" => {
                let ids = self.numbers(ctx, menu, command, 0).await?;
                let name = command.named("value-name").or_else(|| command.unnamed().nth(1)).map(text_of);
                self.unset(menu, &ids, &name.ok_or(Refused::Missing(vec!["value-name"]))?, who)?;
                Ok(Value::Nothing)
            }
            "move" => {
                let ids = self.numbers(ctx, menu, command, 0).await?;
                let before = match command.named("destination").or_else(|| command.unnamed().nth(1)) {
                    Some(arg) => self.pick(menu, &text_of(arg))?.first().copied(),
                    None => None,
                };
                self.move_items(menu, &ids, before, who)?;
                Ok(Value::Nothing)
            }
            other => Err(Refused::BadCommand(other.to_owned()).into()),
        }
    }

    /// The items that a command works on. At a terminal they are asked for when they were not given.
    async fn numbers(
        &self,
        ctx: &Ctx,
        menu: &'static Menu,
        command: &MenuCommand,
        at: usize,
    ) -> Result<Vec<u32>, Error> {
        let given = command.named("numbers").or_else(|| command.unnamed().nth(at));
        let text = match given {
            Some(arg) => item_text(arg),
            None => match Caller::of(ctx).io.as_ref() {
                Some(io) => {
                    let answer = io.ask("numbers", crate::console::Echo::Plain).await.unwrap_or_default();
                    raw::text(&answer)
                }
                None => return Err(Refused::Missing(vec!["numbers"]).into()),
            },
        };
        Ok(self.pick(menu, &text)?)
    }

    /// The rows that a filter lets pass.
    pub(super) async fn filtered(&self, menu: &'static Menu, command: &MenuCommand) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        for row in self.rows(menu) {
            let Some(filter) = &command.filter else {
                rows.push(row);
                continue;
            };
            let Some(sys) = self.rc() else { return Err(Error::interrupted()) };
            let asked = row.clone();
            if filter.matches(move |name| sys.row_value(menu, &asked, name)).await? {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    async fn find(&self, menu: &'static Menu, command: &MenuCommand) -> Result<Value, Error> {
        let mut rows = self.filtered(menu, command).await?;
        // `find name=x` as arguments, where the parser did not make a filter of them.
        for arg in command.args.iter() {
            let Some(name) = arg.name.clone() else { continue };
            let wanted = text_of(arg);
            rows.retain(|row| {
                self.row_value(menu, row, &name).is_some_and(|value| !value.is_none() && value_text(&value) == wanted)
            });
        }
        Ok(Value::list(rows.iter().map(|row| Value::Id(u64::from(row.id)))))
    }

    fn get(&self, menu: &'static Menu, command: &MenuCommand, who: &Who) -> Result<Value, Error> {
        let single = menu.shape == Shape::Single;
        let mut unnamed = command.unnamed();
        let row = if single {
            self.rows(menu).into_iter().next()
        } else {
            let arg = command.named("number").or_else(|| unnamed.next()).ok_or(Refused::Missing(vec!["number"]))?;
            let ids = self.pick(menu, &item_text(arg))?;
            match ids.as_slice() {
                [] => return Err(Refused::NoSuchItem.into()),
                [id] => self.row(menu, *id),
                // `get` of several items takes none of them.
                _ => return Err(Error::invalid_value("number")),
            }
        };
        let row = row.ok_or(Refused::NoSuchItem)?;
        let name = command.named("value-name").or_else(|| unnamed.next()).map(text_of);
        let Some(name) = name else { return Ok(self.row_record(menu, &row)) };
        if self.prop(menu, &name).is_some_and(|prop| prop.secret) && !who.policy.allows("sensitive") {
            return Ok(Value::str(""));
        }
        match self.row_value(menu, &row, &name) {
            Some(value) => Ok(value),
            None => match told(menu.path, &name) {
                Some("") => Ok(Value::Nothing),
                Some(says) => Ok(Value::str(says)),
                None => Err(self.no_property(menu, "get", &name, &who.user).into()),
            },
        }
    }

    async fn print(&self, ctx: &Ctx, menu: &'static Menu, command: &MenuCommand) -> Result<Value, Error> {
        let mut rows = self.filtered(menu, command).await?;
        let from = command.named("from").map(item_text).or_else(|| {
            let words = super::catalog::PRINT_WORDS;
            command
                .unnamed()
                .find(|arg| arg.literal.as_deref().is_none_or(|text| !words.contains(&text)))
                .map(item_text)
        });
        if let Some(from) = from {
            let ids = self.pick(menu, &from)?;
            rows.retain(|row| ids.contains(&row.id));
        }
        if command.flag("count-only") {
            if !command.in_brackets {
                ctx.output.line(rows.len().to_string().as_bytes());
            }
            return Ok(Value::Num(i64::try_from(rows.len()).unwrap_or(i64::MAX)));
        }
        let as_value = command.flag("as-value");
        if as_value {
            // The id stays beside the wanted properties [verify].
            if let Some(wanted) = command.named("proplist").map(text_of) {
                for row in &mut rows {
                    row.values.retain(|name, _| wanted.split(',').any(|one| one == name));
                }
            }
            return Ok(match (menu.shape, rows.first()) {
                (Shape::Single, Some(row)) => self.row_record(menu, row),
                _ => Value::list(rows.iter().map(|row| self.row_record(menu, row))),
            });
        }
        let style = if command.flag("terse") {
            Style::Terse
        } else if command.flag("value-list") {
            Style::ValueList
        } else if command.flag("detail") {
            Style::Detail
        } else if command.flag("brief") {
            Style::Brief
        } else {
            menu.printed
        };
        let counters = self.props(menu).filter(|prop| prop.counter).map(|prop| prop.name);
        let stats = command.flag("stats") || command.flag("stats-detail");
        let stats = Some(["name"].into_iter().chain(counters).collect::<Vec<_>>().join(",")).filter(|_| stats);
        let proplist = command.named("proplist").map(text_of).or(stats.filter(|list| list != "name"));
        let screen = Self::screen(ctx);
        let file = command.named("file").map(text_of);
        let form = Form {
            style,
            proplist: proplist.as_deref(),
            ids: command.flag("show-ids"),
            width: if file.is_some() { FILE_WIDTH } else { screen.columns() },
        };
        let lines = print::lines(self, menu, &rows, form);
        if let Some(file) = file {
            let name = if file.ends_with(".txt") { file } else { format!("{file}.txt") };
            let mut text = raw::bytes(&lines.join("\r\n"));
            text.extend(b"\r\n");
            if let Some(sys) = self.rc() {
                sys.write_file_later(name, move |_| text);
            }
            return Ok(Value::Nothing);
        }
        let paging = !command.flag("without-paging") && !command.in_brackets;
        let follow = command.flag("follow") || command.flag("follow-only");
        let interval = match command.named("interval").map(|arg| arg.value.as_time()) {
            None => None,
            Some(time) => {
                let nanos = time.and_then(|time| u64::try_from(time).ok());
                let every = Duration::from_nanos(nanos.ok_or_else(|| Error::invalid_value("interval"))?);
                Some(every.max(MIN_INTERVAL))
            }
        };
        if screen.terminal().is_none() || (!follow && interval.is_none()) {
            screen.page(&lines, paging).await;
            return Ok(Value::Nothing);
        }
        if !command.flag("follow-only") {
            screen.page(&lines, false).await;
        }
        self.keep_printing(&screen, menu, command, form, rows, if follow { None } else { interval }).await
    }

    /// `follow`: what is added, as it comes; with an interval the whole again each time. Ctrl-C ends it.
    async fn keep_printing(
        &self,
        screen: &Screen,
        menu: &'static Menu,
        command: &MenuCommand,
        form: Form<'_>,
        seen: Vec<Row>,
        interval: Option<Duration>,
    ) -> Result<Value, Error> {
        let mut last = seen.iter().map(|row| row.id).max();
        loop {
            self.kernel.sleep(interval.unwrap_or(FOLLOW_EVERY)).await;
            let mut rows = self.filtered(menu, command).await?;
            if interval.is_none() {
                rows.retain(|row| last.is_none_or(|last| row.id > last));
                last = rows.iter().map(|row| row.id).max().or(last);
            }
            let lines = if rows.is_empty() { Vec::new() } else { print::lines(self, menu, &rows, form) };
            screen.page(&lines, false).await;
        }
    }
}

/// An argument that names items.
fn item_text(arg: &crate::script::Arg) -> String {
    match &arg.value {
        Value::Array(array) => array.values().map(value_text).collect::<Vec<_>>().join(","),
        _ => text_of(arg),
    }
}

/// The named arguments as text, but for those.
pub(super) fn named(command: &MenuCommand, but: &[&str]) -> Args {
    let named = command.args.iter().filter_map(|arg| {
        let name = arg.name.as_deref().filter(|name| !but.contains(name))?;
        Some((name.to_owned(), text_of(arg)))
    });
    named.collect()
}
