//! `/system serial-terminal`.

use std::rc::Rc;

use crate::console::serial_terminal;
use crate::menu::refused::Refused;
use crate::menu::values::text_of;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{Caller, System};

pub(super) async fn terminal(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let port = command.named("port").or_else(|| command.unnamed().next()).map(text_of);
    let port = port.ok_or(Refused::Missing(vec!["port"]))?;
    let Some(io) = Caller::of(ctx).io.clone() else {
        return Err(Error::failure("interactive command"));
    };
    serial_terminal::run(&io, sys.open_port(&port)?).await;
    Ok(Value::Nothing)
}
