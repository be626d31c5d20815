//! Packages, boot firmware, device mode.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::power::{answered, asked, say};
use crate::menu::refused::Refused;
use crate::menu::time::format_duration;
use crate::menu::values::text_of;
use crate::quirks::DeviceMode;
use crate::record::Outcome;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::{FEATURES, MAX_ATTEMPTS, PATIENCE, PowerAction, System, Wanted};

/// `/system routerboard upgrade`: takes force at the next start, which RouterBOOT makes two of.
pub(super) async fn routerboard(sys: Rc<System>, ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    const NAME: &str = "/system/routerboard/upgrade";
    if !sys.board.routerboard {
        return Err(Error::failure("not a RouterBOARD"));
    }
    if asked(&sys, ctx, NAME, "Do you really want to upgrade firmware?").await {
        sys.storage.borrow_mut().firmware_next = Some(sys.spec.version);
        sys.log("system,info,critical", "Firmware upgraded successfully, please reboot for changes to take effect!");
        answered(&sys, NAME, Outcome::Done);
    }
    Ok(Value::Nothing)
}

/// `/system package downgrade`: the older packages that lie in the root go in.
pub(super) async fn downgrade(sys: Rc<System>, ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    const NAME: &str = "/system/package/downgrade";
    if asked(&sys, ctx, NAME, "Router will be rebooted. Continue?").await {
        sys.storage.borrow_mut().downgrade = true;
        answered(&sys, NAME, Outcome::Done);
        sys.power.set(Some(PowerAction::Reboot));
    }
    Ok(Value::Nothing)
}

/// No update server is on a simulated wire.
pub(super) async fn check_for_updates(sys: Rc<System>, ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    for (name, value) in [
        ("channel", sys.spec.version.channel().to_owned()),
        ("installed-version", sys.spec.version.to_string()),
        ("status", "ERROR: could not resolve dns name".to_owned()),
    ] {
        ctx.output.line(format!("{name:>19}: {value}").as_bytes());
    }
    Ok(Value::Nothing)
}

/// A change that waits for a hand on the board stops waiting when its command is gone.
struct Waiting(Rc<System>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Ok(mut storage) = self.0.storage.try_borrow_mut() {
            storage.device.waiting = None;
        }
    }
}

fn wanted(sys: &System, command: &MenuCommand) -> Result<Wanted, Error> {
    let mut wanted = Wanted { mode: None, features: BTreeMap::new() };
    for arg in &command.args {
        let Some(name) = arg.name.as_deref() else { continue };
        let text = text_of(arg);
        if name == "mode" {
            wanted.mode = Some(match text.as_str() {
                "advanced" | "enterprise" => DeviceMode::Advanced,
                "basic" => DeviceMode::Basic,
                "home" => DeviceMode::Home,
                "rose" => DeviceMode::Rose,
                _ => return Err(Refused::NoMatch("mode".to_owned()).into()),
            });
        } else if FEATURES.iter().any(|(feature, _)| *feature == name) {
            let on = crate::menu::kind::Kind::Bool.parse(name, &text, sys)? == "yes";
            wanted.features.insert(name.to_owned(), on);
        }
    }
    Ok(wanted)
}

/// `/system device-mode update`: waits for a power cut or the button; nothing that is typed confirms it.
pub(super) async fn device_mode(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let wanted = wanted(&sys, command)?;
    let patience = match command.named("activation-timeout") {
        Some(arg) => {
            let nanos = arg.value.as_time().and_then(|time| u64::try_from(time).ok());
            std::time::Duration::from_nanos(nanos.ok_or_else(|| Error::invalid_value("activation-timeout"))?)
        }
        None => PATIENCE,
    };
    let until = sys.kernel.now() + patience;
    let refused = {
        let mut storage = sys.storage.borrow_mut();
        let device = &mut storage.device;
        device.attempts = device.attempts.saturating_add(1);
        let refused = device.attempts > MAX_ATTEMPTS;
        if !refused {
            device.waiting = Some((wanted, until));
        }
        refused
    };
    let left = format_duration(patience);
    let words = if refused {
        format!(
            "too many unsuccessful attempts, turn off power or reboot by pressing reset or mode button in {left} to reset attempt-count"
        )
    } else {
        format!("turn off power or reboot by pressing reset or mode button in {left} to activate changes")
    };
    say(ctx, &format!("  update: {words}"));
    let waiting = Waiting(Rc::clone(&sys));
    sys.kernel.sleep_until(until).await;
    drop(waiting);
    say(ctx, "  update: timeout");
    Ok(Value::Nothing)
}
