//! `/system script run`, `/import`.

use std::rc::Rc;

use crate::menu::kind::Kind;
use crate::menu::refused::Refused;
use crate::menu::tables;
use crate::menu::values::{text_of, value_text};
use crate::script::{Ctx, Error, ErrorKind, MenuCommand, Value};
use crate::system::{Caller, System};

pub(super) async fn run(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let arg = command.named("number").or_else(|| command.unnamed().next()).ok_or(Refused::Missing(vec!["number"]))?;
    let text = match &arg.value {
        Value::Array(array) => array.values().map(value_text).collect::<Vec<_>>().join(","),
        _ => text_of(arg),
    };
    let menu = tables::by_path("/system/script").ok_or(Refused::NoSuchItem)?;
    // An empty `find` runs nothing and is no error (script-subset.md section 4, to be verified).
    let mut value = Value::Nothing;
    for id in sys.pick(menu, &text)? {
        let item = sys.config(|config| config.item(menu.path, id).cloned()).ok_or(Refused::NoSuchItem)?;
        value = sys.run_item(&item, ctx).await?;
    }
    Ok(value)
}

pub(super) async fn import(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let arg = command.named("file-name").or_else(|| command.unnamed().next());
    let name = arg.map(text_of).ok_or(Refused::Missing(vec!["file-name"]))?;
    let text = sys.read_file(&name).ok_or_else(|| Refused::failure("file doesn't exist"))?;
    ctx.output.line(&crate::raw::bytes(&format!("Opening script file {name}")));
    let flag = |name: &str| -> Result<bool, Error> {
        match command.named(name) {
            Some(arg) => Ok(Kind::Bool.parse(name, &text_of(arg), sys.as_ref())? == "yes"),
            None => Ok(command.flag(name)),
        }
    };
    let (verbose, dry) = (flag("verbose")?, flag("dry-run")?);
    let from = match command.named("from-line") {
        Some(arg) => arg.value.as_num().and_then(|line| usize::try_from(line).ok()),
        None => Some(1),
    };
    let text = behind(&text, from.filter(|line| *line > 0).ok_or_else(|| Error::invalid_value("from-line"))?);
    // Nothing is asked inside a file, also not at a terminal.
    let caller = Caller { io: None, ..(*Caller::of(ctx)).clone() };
    let mut inner = ctx.clone();
    inner.session = Some(Rc::new(caller));
    let result = if verbose || dry {
        Box::pin(sys.run_aloud(&name, &text, inner, dry)).await
    } else {
        Box::pin(sys.run_text(&name, None, &text, inner)).await
    };
    match result {
        Ok(_) => {
            ctx.output.line(b"");
            ctx.output.line(b"Script file loaded and executed successfully");
            Ok(Value::Nothing)
        }
        // The manual's example of 7.x; of 6.x nothing is known.
        Err(error) if error.kind == ErrorKind::Parse && sys.spec.version.is_v7() => {
            Err(Error { message: format!("Script Error: {error}"), ..error })
        }
        Err(error) if error.kind == ErrorKind::Parse => Err(error),
        Err(error) if error.kind == ErrorKind::Interrupted => Err(error),
        Err(error) => Err(Error::new(format!("Script Error: {error}"))),
    }
}

/// The text from a line on; the lines before it are empty, so that places in messages stay.
fn behind(text: &[u8], line: usize) -> Vec<u8> {
    let mut kept = Vec::with_capacity(text.len());
    for (at, part) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
        kept.extend(if at + 1 < line { b"\n" } else { part });
    }
    kept
}
