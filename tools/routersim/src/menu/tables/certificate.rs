//! `/certificate`, `/user ssh-keys`: opaque items.

use super::interface::{LIST_MENU, SINGLE_MENU};
use super::short::{count, list, no, single, text, word};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, Verbs, flag, prop};
use crate::menu::hooks::Hooks;
use crate::menu::kind::Kind;
use crate::menu::print::Style;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::system::System;

pub(super) static MENUS: &[&Menu] = &[&CERTIFICATE, &SETTINGS, &SSH_KEYS];

struct Certificates;

impl Hooks for Certificates {
    fn fill(&self, _sys: &System, item: &Item, row: &mut Row) -> bool {
        let signs = item.get("key-usage").unwrap_or("key-cert-sign").contains("key-cert-sign");
        row.flag("private-key", item.get("key").is_some());
        row.flag("authority", item.get("key").is_some() && item.get("issuer").is_none() && signs);
        row.flag("issued", item.get("issuer").is_some());
        row.flag("trusted", item.get("trusted") == Some("yes"));
        true
    }

    fn prepare(&self, _sys: &System, item: &mut Item, old: Option<&Item>) -> Result<(), Refused> {
        let fixed = ["common-name", "key-size", "key-usage", "subject-alt-name", "days-valid"];
        let signed = old.filter(|old| old.get("fingerprint").is_some());
        if signed.is_some_and(|old| fixed.iter().any(|name| old.get(name) != item.get(name))) {
            return Err(Refused::failure("can't modify signed certificate"));
        }
        if item.get("name").is_none() {
            let name = item.get("common-name").unwrap_or("cert1").to_owned();
            item.put("name", name);
        }
        Ok(())
    }

    fn duplicate(&self) -> Option<&'static str> {
        Some("failure: certificate with the same name already exists")
    }
}

list!(CERTIFICATE, "/certificate", [
    text("name"),
    text("issuer").ro(),
    prop("digest-algorithm", Kind::Enum(&["md5", "sha1", "sha256", "sha384", "sha512"])).or("sha256"),
    word("key-type").or("rsa").ro(),
    text("country"),
    text("state"),
    text("locality"),
    text("organization"),
    text("unit"),
    text("common-name"),
    prop("key-size", Kind::Enum(&["1024", "1536", "2048", "4096", "8192", "prime256v1", "secp384r1", "secp521r1"])).or("2048"),
    word("subject-alt-name"),
    count("days-valid").or("365"),
    prop("trusted", Kind::Bool).or("no"),
    word("key-usage").or("digital-signature,key-encipherment,data-encipherment,key-cert-sign,crl-sign,tls-server,tls-client"),
    text("serial-number").ro(),
    text("fingerprint").ro(),
    word("invalid-before").ro(),
    word("invalid-after").ro(),
    text("key").ro().write_only(),
], columns ["name", "common-name", "subject-alt-name", "fingerprint"],
    flags: &[
        flag('K', "private-key").last(),
        flag('A', "authority").last(),
        flag('I', "issued").last(),
        flag('T', "trusted"),
    ],
    verbs: Verbs::SET.and(Verbs::ADD).and(Verbs::REMOVE),
    export: Export::No,
    hooks: &Certificates);

single!(
    SETTINGS,
    "/certificate/settings",
    [no("crl-download"), no("crl-use"), prop("crl-store", Kind::Enum(&["ram", "system"])).or("ram"),]
);

list!(SSH_KEYS, "/user/ssh-keys", [
    prop("user", Kind::Ref("/user", &[])).ro(),
    text("key-owner").ro(),
    word("key-type").ro(),
    count("bits").ro(),
    text("key").write_only(),
], columns ["user", "key-type", "bits", "key-owner"], verbs: Verbs::REMOVE, export: Export::No, printed: Style::Brief);
