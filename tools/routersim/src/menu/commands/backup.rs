//! `/system backup`.

use std::rc::Rc;

use super::power::{answered, asked, say};
use crate::console::Echo;
use crate::menu::refused::Refused;
use crate::menu::time::Calendar;
use crate::menu::values::text_of;
use crate::record::Outcome;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{Caller, PowerAction, System};

pub(super) async fn save(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let name = command.named("name").map(text_of).unwrap_or_else(|| {
        let now = Calendar::from_unix(sys.unix_time());
        let identity = crate::console::ConsoleHost::identity(sys.as_ref());
        format!("{identity}-{}-{}", now.date(true).replace('-', ""), &now.time().replace(':', "")[..4])
    });
    let password = command.named("password").map(text_of).unwrap_or_default();
    let plain = command.flag("dont-encrypt");
    let result = sys.save_backup(&name, if plain { "" } else { &password });
    result.map_err(|error| Error::new(error.to_string()))?;
    ctx.output.line(b"Configuration backup saved");
    Ok(Value::Nothing)
}

pub(super) async fn load(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    const NAME: &str = "/system/backup/load";
    let name = command.named("name").map(text_of).ok_or(Refused::Missing(vec!["name"]))?;
    let password = match (command.named("password").map(text_of), &Caller::of(ctx).io) {
        (Some(password), _) => password,
        (None, Some(io)) => {
            let typed = io.ask("password", Echo::Stars).await.unwrap_or_default();
            crate::raw::text(&typed)
        }
        (None, None) => return Err(Refused::Missing(vec!["password"]).into()),
    };
    if !asked(&sys, ctx, NAME, "Restore and reboot?").await {
        return Ok(Value::Nothing);
    }
    say(ctx, "Restoring system configuration");
    if let Err(error) = sys.load_backup(&name, &password) {
        answered(&sys, NAME, Outcome::Refused(error.to_string()));
        return Err(Error::new(error.to_string()));
    }
    say(ctx, "System configuration restored, rebooting now");
    answered(&sys, NAME, Outcome::Done);
    sys.power.set(Some(PowerAction::Reboot));
    Ok(Value::Nothing)
}
