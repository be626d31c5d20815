//! Commands of `/certificate`, and `/user ssh-keys import`.

use std::rc::Rc;

use crate::menu::config::Item;
use crate::menu::refused::Refused;
use crate::menu::tables;
use crate::menu::values::{text_of, value_text};
use crate::script::{Arg, Ctx, Error, MenuCommand, Value};
use crate::system::System;

/// The first version that takes users' keys of an elliptic curve.
const CURVES: routeros_script::Version = routeros_script::Version::new(7, 10, 0);

fn given(command: &MenuCommand, name: &str) -> Option<String> {
    command.named(name).map(text_of)
}

fn items(sys: &System, menu: &str, arg: Option<&Arg>) -> Result<Vec<u32>, Error> {
    let menu = tables::by_path(menu).ok_or(Refused::NoSuchItem)?;
    let arg = arg.ok_or(Refused::Missing(vec!["number"]))?;
    let text = match &arg.value {
        Value::Array(array) => array.values().map(value_text).collect::<Vec<_>>().join(","),
        _ => text_of(arg),
    };
    Ok(sys.pick(menu, &text)?)
}

pub(super) async fn sign(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let arg = command.named("number").or_else(|| command.unnamed().next());
    for id in items(&sys, "/certificate", arg)? {
        sys.sign_certificate(id, given(command, "ca").as_deref(), given(command, "name").as_deref())?;
    }
    if !command.in_brackets {
        ctx.output.line(b"  progress: done");
    }
    Ok(Value::Nothing)
}

pub(super) async fn export(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let arg = command.named("numbers").or_else(|| command.unnamed().next());
    let passphrase = given(command, "export-passphrase").unwrap_or_default();
    let pkcs12 = match given(command, "type").as_deref() {
        None | Some("pem") => false,
        Some("pkcs12") => true,
        Some(_) => return Err(Refused::NoMatch("type".to_owned()).into()),
    };
    for id in items(&sys, "/certificate", arg)? {
        let name = sys.config(|config| config.item("/certificate", id)?.get("name").map(str::to_owned));
        let file = given(command, "file-name").unwrap_or(format!("cert_export_{}", name.unwrap_or_default()));
        sys.export_certificate(id, &file, &passphrase, pkcs12)?;
    }
    Ok(Value::Nothing)
}

pub(super) async fn import(sys: Rc<System>, ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    let file = given(command, "file-name").ok_or(Refused::Missing(vec!["file-name"]))?;
    let passphrase = given(command, "passphrase").unwrap_or_default();
    let found = sys.import_certificates(&file, given(command, "name").as_deref(), &passphrase)?;
    let counts = [
        ("certificates-imported", found.certificates),
        ("private-keys-imported", found.keys),
        ("files-imported", u32::from(found.certificates + found.keys > 0)),
        ("decryption-failures", found.failures),
        ("keys-with-no-certificate", found.orphans),
    ];
    if command.in_brackets {
        return Ok(Value::record(counts.map(|(name, count)| (name, Value::Num(count.into())))));
    }
    for (name, count) in counts {
        ctx.output.line(format!("{name:>26}: {count}").as_bytes());
    }
    Ok(Value::Nothing)
}

/// `/user ssh-keys import public-key-file= user=`
pub(super) async fn ssh_key(sys: Rc<System>, _ctx: &Ctx, command: &MenuCommand) -> Result<Value, Error> {
    const MENU: &str = "/user/ssh-keys";
    let file = given(command, "public-key-file").ok_or(Refused::Missing(vec!["public-key-file"]))?;
    let user = given(command, "user").ok_or(Refused::Missing(vec!["user"]))?;
    if sys.user(&user).is_none() {
        return Err(Refused::NoMatch("user".to_owned()).into());
    }
    let text = sys.read_file(&file).ok_or_else(|| Error::failure("can't open file"))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut words = text.split_whitespace();
    let (kind, key) = (words.next().unwrap_or_default(), words.next());
    // 6.x and 7.x up to 7.9 were seen to refuse elliptic curves; that 7.10 takes them is inferred.
    let curve = kind.starts_with("ecdsa-") || kind == "ssh-ed25519";
    let kind =
        kind.strip_prefix("ssh-").or(kind.strip_prefix("ecdsa-")).filter(|_| !curve || *sys.spec.version >= CURVES);
    let (Some(kind), Some(key)) = (kind, key) else {
        return Err(Error::failure("unable to load key file (wrong format or bad passphrase)!"));
    };
    let item = Item::default()
        .with("user", user)
        .with("key-owner", words.next().unwrap_or_default())
        .with("key-type", kind)
        .with("key", key);
    sys.config_mut(|config| config.insert(MENU, MENU, item, None));
    // RouterOS takes the file with the key \[doc\].
    let _ = sys.remove_file(&file);
    Ok(Value::Nothing)
}
