//! Commands of the language that need the router: its clock, jobs, names, and other scripts' output.

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use crate::menu::refused::Refused;
use crate::menu::values::{text_of, value_text};
use crate::raw;
use crate::script::{Ctx, Error, MenuCommand, Value, text_matches};
use crate::system::{Collect, System};

fn first<'a>(command: &'a MenuCommand, name: &'static str) -> Option<&'a crate::script::Arg> {
    command.named(name).or_else(|| command.unnamed().next())
}

fn number(command: &MenuCommand, name: &str) -> Result<Option<i64>, Error> {
    match command.named(name) {
        Some(arg) => arg.value.as_num().map(Some).ok_or_else(|| Error::invalid_value(name)),
        None => Ok(None),
    }
}

/// `:timestamp`: time since 1970, as a time value.
pub(super) async fn timestamp(sys: Rc<System>, _ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    Ok(Value::time(Duration::from_secs(sys.unix_time())))
}

/// `:jobname`: the script that runs, empty for a line of text.
pub(super) async fn jobname(sys: Rc<System>, ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    let volatile = sys.volatile.borrow();
    let here = sys.kernel.current();
    let mine = volatile.jobs.list().filter(|job| job.kernel.is_some() && job.kernel == here);
    let name = mine.filter_map(|job| job.script.clone()).last();
    let _ = ctx;
    Ok(Value::str(name.unwrap_or_default()))
}

/// `:environment print`: the globals that the user sees. Texts are in quotes, arrays in braces (manual); the rest is inferred.
pub(super) async fn environment(sys: Rc<System>, ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    for (name, value) in sys.globals_of(&ctx.user).all() {
        let value = match &value {
            Value::Str(text) => routeros_script::quote::literal(text),
            Value::Array(_) => format!("{{{}}}", value.to_text().replace(';', "; ")),
            value => value.to_text(),
        };
        ctx.output.line(&raw::bytes(&format!("{}={value}", raw::text(&name))));
    }
    Ok(Value::Nothing)
}

/// `:range from= to=`: an array of numbers.
pub(super) async fn range(_sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    /// More than a script needs; a router's memory would end too.
    const MOST: i64 = 1 << 16;
    let mut unnamed = command.unnamed().map(|arg| arg.value.as_num().ok_or_else(|| Error::invalid_value("from")));
    let mut next = || unnamed.next().transpose();
    let from = match number(command, "from")? {
        Some(from) => from,
        None => next()?.unwrap_or(0),
    };
    let to = match number(command, "to")? {
        Some(to) => to,
        None => next()?.ok_or(Refused::Missing(vec!["to"]))?,
    };
    if to.saturating_sub(from) >= MOST {
        return Err(Error::invalid_value("to"));
    }
    Ok(Value::list((from..=to).map(Value::Num)))
}

/// `:grep`: the lines of a file or of a script's output in which a pattern is found, with lines around.
pub(super) async fn grep(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let pattern = command.named("pattern").map(text_of).ok_or(Refused::Missing(vec!["pattern"]))?;
    let around = |name: &str| -> Result<usize, Error> {
        Ok(number(command, name)?.and_then(|n| usize::try_from(n).ok()).unwrap_or(0))
    };
    let (before, after) = (around("before")?, around("after")?);
    let text = match (command.named("filename"), command.named("script")) {
        (Some(file), _) => sys.read_file(&text_of(file)).ok_or(Refused::NoSuchItem)?,
        (None, Some(script)) => {
            let output = Collect::default();
            let source = value_text(&script.value);
            Box::pin(sys.run_event("grep", &raw::bytes(&source), ctx.with_output(Rc::new(output.clone())))).await?;
            output.take()
        }
        (None, None) => return Err(Refused::Missing(vec!["script"]).into()),
    };
    let text = raw::text(&text);
    let lines: Vec<&str> = text.lines().collect();
    let mut wanted = vec![false; lines.len()];
    for (at, line) in lines.iter().enumerate() {
        if text_matches(&raw::bytes(line), &raw::bytes(&pattern))? {
            let end = (at + after + 1).min(lines.len());
            wanted[at.saturating_sub(before)..end].fill(true);
        }
    }
    let found = lines.iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(line, _)| *line);
    if command.flag("as-array") {
        return Ok(Value::list(found.map(|line| Value::str(raw::bytes(line)))));
    }
    let found: Vec<&str> = found.collect();
    if command.in_brackets {
        return Ok(Value::str(raw::bytes(&found.join("\n"))));
    }
    found.iter().for_each(|line| ctx.output.line(&raw::bytes(line)));
    Ok(Value::Nothing)
}

/// The address of a name: what `/ip dns static` knows; there is no server.
pub(super) fn address_of(sys: &System, name: &str) -> Option<Ipv4Addr> {
    if let Ok(address) = name.parse() {
        return Some(address);
    }
    sys.config(|config| {
        let mut items = config.items("/ip/dns/static").iter().filter(|item| !item.disabled);
        // An IPv6 address is no answer here.
        items.find_map(|item| item.get("address")?.parse().ok().filter(|_| item.get("name") == Some(name)))
    })
}

/// `:resolve`
pub(super) async fn resolve(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let name = first(command, "domain-name").map(text_of).ok_or(Refused::Missing(vec!["domain-name"]))?;
    address_of(&sys, &name).map(Value::Ip).ok_or_else(|| Error::failure("resolve failed"))
}

/// `:beep`: nobody hears it.
pub(super) async fn beep(_sys: Rc<System>, _ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    Ok(Value::Nothing)
}

/// `/system logging action clear`
pub(super) async fn clear_log(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let action = first(command, "action").map(text_of).ok_or(Refused::Missing(vec!["action"]))?;
    sys.volatile.borrow_mut().log.clear(&action);
    Ok(Value::Nothing)
}
