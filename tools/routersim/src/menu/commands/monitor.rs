//! `/interface ethernet monitor`.

use std::rc::Rc;
use std::time::Duration;

use crate::menu::Refused;
use crate::menu::tables;
use crate::menu::values::{text_of, value_text};
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::System;

/// How often it shows the state anew.
const EVERY: Duration = Duration::from_secs(1);

/// The state of ports, once or for ever. What a port and its partner advertise is not known here; it shows less than a router.
pub(super) async fn ethernet(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let menu = tables::by_path("/interface/ethernet").ok_or(Refused::NoSuchItem)?;
    let words = ["once", "as-value", "without-paging"];
    let given = command
        .named("numbers")
        .or_else(|| command.unnamed().find(|arg| arg.literal.as_deref().is_none_or(|word| !words.contains(&word))));
    let text = match &given.ok_or(Refused::Missing(vec!["numbers"]))?.value {
        Value::Array(array) => array.values().map(value_text).collect::<Vec<_>>().join(","),
        _ => given.map(text_of).unwrap_or_default(),
    };
    let ids = sys.pick(menu, &text)?;
    let every = match command.named("interval").map(|arg| arg.value.as_time()) {
        None => EVERY,
        Some(time) => {
            let nanos = time.and_then(|time| u64::try_from(time).ok());
            Duration::from_nanos(nanos.ok_or_else(|| Error::invalid_value("interval"))?).max(EVERY)
        }
    };
    loop {
        let ports: Vec<_> = ids.iter().filter_map(|id| sys.row(menu, *id)).collect();
        let states: Vec<Vec<(&str, Value)>> = ports
            .iter()
            .map(|row| state(&sys, row.text("name"), row.text("default-name"), row.text("auto-negotiation")))
            .collect();
        if command.flag("as-value") {
            // Several: one value after the other under each name.
            let Some((first, more)) = states.split_first() else { return Ok(Value::Nothing) };
            let of = |name: &str, value: &Value| {
                let others = more.iter().map(|one| {
                    one.iter().find(|(other, _)| *other == name).map_or(Value::str(""), |(_, value)| value.clone())
                });
                if more.is_empty() { value.clone() } else { Value::list([value.clone()].into_iter().chain(others)) }
            };
            return Ok(Value::record(first.iter().map(|(name, value)| (*name, of(name, value)))));
        }
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in states.iter().flatten() {
            if !names.contains(name) {
                names.push(name);
            }
        }
        for name in names {
            let of = |one: &Vec<(&str, Value)>| {
                one.iter().find(|(other, _)| *other == name).map_or_else(String::new, |(_, value)| value_text(value))
            };
            let values: Vec<String> = states.iter().map(of).collect();
            ctx.output.line(format!("{name:>26}: {}", values.join(" ")).trim_end().as_bytes());
        }
        if command.flag("once") {
            return Ok(Value::Nothing);
        }
        sys.kernel.sleep(every).await;
    }
}

/// What is known of one port.
fn state<'a>(sys: &System, name: &str, default_name: &str, negotiates: &str) -> Vec<(&'a str, Value)> {
    let up = sys.is_running(name);
    let mut state = vec![("name", Value::str(name)), ("status", Value::str(if up { "link-ok" } else { "no-link" }))];
    if up {
        let rate = if default_name.starts_with("sfp-sfpplus") { "10Gbps" } else { "1Gbps" };
        let negotiation = if negotiates == "no" { "disabled" } else { "done" };
        state.push(("auto-negotiation", Value::str(negotiation)));
        state.push(("rate", Value::str(rate)));
        state.push(("full-duplex", Value::Bool(true)));
        state.push(("tx-flow-control", Value::Bool(false)));
        state.push(("rx-flow-control", Value::Bool(false)));
    }
    state
}
