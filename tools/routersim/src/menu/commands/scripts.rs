//! `/system script run`, `/import`.

use std::rc::Rc;

use crate::menu::kind::Kind;
use crate::menu::refused::Refused;
use crate::menu::tables;
use crate::menu::values::{text_of, value_text};
use crate::script::{Ctx, Error, ErrorKind, MenuCommand, Value};
use crate::system::{CALLERS_RIGHTS_SINCE, Caller, System};

const OWN_RIGHTS: &str = "use-script-permissions";

pub(super) async fn run(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let knows_own = sys.spec.version.at_least(CALLERS_RIGHTS_SINCE.0, CALLERS_RIGHTS_SINCE.1);
    let is_own =
        |arg: &&crate::script::Arg| knows_own && arg.name.is_none() && arg.literal.as_deref() == Some(OWN_RIGHTS);
    let own = command.args.iter().any(|arg| is_own(&arg));
    let mut unnamed = command.unnamed().filter(|arg| !is_own(arg));
    let arg = command.named("number").or_else(|| unnamed.next()).ok_or(Refused::Missing(vec!["number"]))?;
    if unnamed.next().is_some() {
        return Err(Refused::text("expected end of command").into());
    }
    let text = match &arg.value {
        Value::Array(array) => array.values().map(value_text).collect::<Vec<_>>().join(","),
        _ => text_of(arg),
    };
    let menu = tables::by_path("/system/script").ok_or(Refused::NoSuchItem)?;
    // An empty `find` runs nothing and is no error (script-subset.md section 4, to be verified).
    let mut value = Value::Nothing;
    for id in sys.pick(menu, &text)? {
        let item = sys.config(|config| config.item(menu.path, id).cloned()).ok_or(Refused::NoSuchItem)?;
        value = sys.run_item(&item, ctx, own).await?;
    }
    Ok(value)
}

pub(super) async fn import(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let knows_dry = sys.spec.version.at_least(7, 16);
    // It is a word alone (7.24.4).
    if command.named("dry-run").is_some() {
        return Err(Refused::text("expected end of command").into());
    }
    let mut unnamed =
        command.unnamed().filter(|arg| !(knows_dry && arg.literal.as_deref() == Some("dry-run"))).map(text_of);
    let name = command.named("file-name").map(text_of).or_else(|| unnamed.next());
    let name = name.ok_or(Refused::Missing(vec!["file-name"]))?;
    if unnamed.next().is_some() {
        return Err(Refused::text("expected end of command").into());
    }
    let v7 = sys.spec.version.is_v7();
    // Of 7.24.4 the words are measured; of 6.x nothing is known.
    let text = sys.read_file(&name).ok_or_else(|| match v7 {
        true => Refused::text("Cannot open import file, file does not exist"),
        false => Refused::failure("file doesn't exist"),
    })?;
    let flag = |name: &str| -> Result<bool, Error> {
        match command.named(name) {
            Some(arg) => Ok(Kind::Bool.parse(name, &text_of(arg), sys.as_ref())? == "yes"),
            None => Ok(command.flag(name)),
        }
    };
    let verbose = flag("verbose")?;
    let dry = knows_dry && command.flag("dry-run");
    // The report of a dry run begins with the first line of the file (7.24.4).
    if !(dry || verbose && v7) {
        ctx.output.line(&crate::raw::bytes(&format!("Opening script file {name}")));
    }
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
        Ok(_) if dry => {
            ctx.output.line(b"No syntax errors found in the import file");
            Ok(Value::Nothing)
        }
        Ok(_) => {
            ctx.output.line(b"");
            ctx.output.line(b"Script file loaded and executed successfully");
            Ok(Value::Nothing)
        }
        // The manual's example of 7.x; of 6.x nothing is known.
        Err(error) if error.kind == ErrorKind::Parse && v7 => {
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
