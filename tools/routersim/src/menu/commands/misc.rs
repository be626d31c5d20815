//! The log's own words, passwords, single odd commands.

use std::rc::Rc;

use crate::console::Echo;
use crate::menu::Refused;
use crate::menu::tables;
use crate::menu::values::{text_of, value_text};
use crate::raw;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{Caller, System};

pub(super) async fn log(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let arg = command.named("message").or_else(|| command.unnamed().next()).ok_or(Refused::Missing(vec!["message"]))?;
    sys.log(&format!("script,{}", command.verb), &arg.value.to_text());
    Ok(Value::Nothing)
}

/// `/undo`. What RouterOS says when nothing is left is inferred.
pub(super) async fn undo(sys: Rc<System>, _ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    if sys.undo() { Ok(Value::Nothing) } else { Err(Error::failure("nothing to undo")) }
}

/// `/redo`
pub(super) async fn redo(sys: Rc<System>, _ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    if sys.redo() { Ok(Value::Nothing) } else { Err(Error::failure("nothing to redo")) }
}

/// Ends the session; in a script it only ends the script.
pub(super) async fn quit(_sys: Rc<System>, _ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    let mut error = Error::interrupted();
    crate::system::QUIT.clone_into(&mut error.message);
    Err(error)
}

pub(super) async fn password(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let caller = Caller::of(ctx);
    let user = caller.who.user.to_string();
    let mut values = Vec::new();
    // The words of the questions are 6.x's; 7.x names the arguments.
    let words: [(&'static str, &str); 3] = if sys.spec.version.is_v7() {
        [
            ("old-password", "old-password"),
            ("new-password", "new-password"),
            ("confirm-new-password", "confirm-new-password"),
        ]
    } else {
        [
            ("old-password", "old password"),
            ("new-password", "new password"),
            ("confirm-new-password", "retype new password"),
        ]
    };
    for (name, word) in words {
        let value = match (command.named(name), &caller.io) {
            (Some(arg), _) => text_of(arg),
            (None, Some(io)) => raw::text(&io.ask(word, Echo::Stars).await.unwrap_or_default()),
            (None, None) => return Err(Refused::Missing(vec![name]).into()),
        };
        values.push(value);
    }
    let [old, new, again] = values.as_slice() else { return Err(Error::interrupted()) };
    if !sys.password_right(&user, &raw::bytes(old), None) {
        return Err(Error::failure("wrong old password"));
    }
    if new != again {
        return Err(Error::failure("new passwords do not match"));
    }
    sys.put_password(&user, new)?;
    Ok(Value::Nothing)
}

pub(super) async fn reset_mac_address(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let menu = tables::by_path("/interface/ethernet").ok_or(Refused::NoSuchItem)?;
    let arg = command.named("numbers").or_else(|| command.unnamed().next()).ok_or(Refused::Missing(vec!["numbers"]))?;
    let text = match &arg.value {
        Value::Array(array) => array.values().map(value_text).collect::<Vec<_>>().join(","),
        _ => text_of(arg),
    };
    for id in sys.pick(menu, &text)? {
        sys.unset(menu, &[id], "mac-address", &Caller::of(ctx).who)?;
    }
    Ok(Value::Nothing)
}

/// There is no internet here.
pub(super) async fn force_update(_sys: Rc<System>, _ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    Err(Error::failure("cloud server is not reachable"))
}

/// `/ip dns cache flush`: names are only known from `/ip dns static`, which is no cache.
pub(super) async fn flush_names(_sys: Rc<System>, _ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    Ok(Value::Nothing)
}

/// `/tool e-mail send`: it goes out in the background, as published scripts say that wait for `last-status`, and no server is
/// there. The words of the log are inferred.
pub(super) async fn send_mail(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    if command.named("to").is_none() {
        return Err(Refused::Missing(vec!["to"]).into());
    }
    let subject = command.named("subject").map(text_of).unwrap_or_default();
    sys.volatile.borrow_mut().mail_failed = true;
    sys.log("e-mail,error", &format!("Error sending e-mail <{subject}>: connection failed"));
    Ok(Value::Nothing)
}

/// `/file read file= offset= chunk-size=`: a record with the piece under `data`.
pub(super) async fn read_file(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let number = |name: &str, or: usize| -> Result<usize, Error> {
        match command.named(name) {
            Some(arg) => {
                arg.value.as_num().and_then(|n| usize::try_from(n).ok()).ok_or_else(|| Error::invalid_value(name))
            }
            None => Ok(or),
        }
    };
    let name = command.named("file").map(text_of).ok_or(Refused::Missing(vec!["file"]))?;
    let (offset, chunk) = (number("offset", 0)?, number("chunk-size", 32_768)?);
    let text = sys.read_file(&name).ok_or(Refused::NoSuchItem)?;
    let end = offset.saturating_add(chunk).min(text.len());
    let piece = text.get(offset..end).unwrap_or_default();
    Ok(Value::record([("data", Value::str(piece))]))
}
