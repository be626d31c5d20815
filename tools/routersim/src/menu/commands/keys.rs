//! SSH host keys, opaque: what is exported on one router and imported on another makes both have the same.

use std::rc::Rc;

use crate::menu::refused::Refused;
use crate::menu::values::text_of;
use crate::script::{Ctx, Error, MenuCommand, Value};
use crate::system::System;

impl System {
    /// The host key, made on first use.
    pub fn host_key(&self) -> String {
        // Two boards never have the same, whatever their seeds.
        let board = md5::compute(self.spec.serial_number.as_bytes()).0;
        let fresh = format!("{:x}{:016x}", md5::Digest(board), self.kernel.random());
        self.config_mut(|config| {
            let item = config.single_mut("/ip/ssh");
            if item.get("host-key").is_none() {
                item.put("host-key", fresh);
            }
            item.get("host-key").unwrap_or_default().to_owned()
        })
    }
}

fn wrapped(kind: &str, key: &str) -> Vec<u8> {
    format!("-----BEGIN {kind} PRIVATE KEY-----\n{key}\n-----END {kind} PRIVATE KEY-----\n").into_bytes()
}

pub(super) async fn export(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let prefix = command.named("key-file-prefix").map(text_of).ok_or(Refused::Missing(vec!["key-file-prefix"]))?;
    let key = sys.host_key();
    let kinds: &[(&str, &str)] =
        if sys.quirks.host_keys_pem { &[("RSA", "rsa")] } else { &[("DSA", "dsa"), ("RSA", "rsa")] };
    for (kind, end) in kinds {
        let (private, public) = if sys.quirks.host_keys_pem {
            (format!("{prefix}_{end}.pem"), format!("{prefix}_{end}_pub.pem"))
        } else {
            (format!("{prefix}_{end}"), format!("{prefix}_{end}_pub"))
        };
        let full = |_| Error::failure("no space left");
        sys.write_file(&private, wrapped(kind, &key)).map_err(full)?;
        sys.write_file(&public, format!("ssh-{end} {}\n", &key[..16]).into_bytes()).map_err(full)?;
    }
    Ok(Value::Nothing)
}

pub(super) async fn import(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let file = command.named("private-key-file").map(text_of).ok_or(Refused::Missing(vec!["private-key-file"]))?;
    let text = sys.read_file(&file).ok_or_else(|| Error::failure("can't read file"))?;
    let text = String::from_utf8_lossy(&text);
    let key = text.lines().find(|line| !line.starts_with('-') && !line.is_empty() && text.contains("PRIVATE KEY"));
    let key = key.ok_or_else(|| Error::failure("unable to load key file (wrong format or bad passphrase)!"))?;
    sys.config_mut(|config| config.single_mut("/ip/ssh").put("host-key", key));
    if sys.quirks.key_import_consumes {
        let _ = sys.remove_file(&file);
    }
    Ok(Value::Nothing)
}

pub(super) async fn regenerate(sys: Rc<System>, _ctx: &Ctx, _command: &MenuCommand) -> Result<Value, Error> {
    sys.config_mut(|config| config.single_mut("/ip/ssh").values.remove("host-key"));
    sys.host_key();
    Ok(Value::Nothing)
}
