//! Certificates and keys as opaque items: what one router exports another one imports; nothing is verified with them.

use sha2::{Digest, Sha256};

use super::backup::{seal, unseal};
use super::core::System;
use crate::menu::time::Calendar;
use crate::menu::{Item, Refused};

const MENU: &str = "/certificate";
/// Words that frame a certificate, and a private key in clear and sealed.
const CERTIFICATE: &str = "CERTIFICATE";
const SEALED_KEY: &str = "ENCRYPTED PRIVATE KEY";
const OPEN_KEY: &str = "PRIVATE KEY";
/// What a certificate's own file carries of it.
const CARRIED: &[&str] = &[
    "common-name",
    "country",
    "state",
    "locality",
    "organization",
    "unit",
    "subject-alt-name",
    "key-size",
    "key-usage",
    "digest-algorithm",
    "days-valid",
    "issuer",
    "serial-number",
    "invalid-before",
    "invalid-after",
    "fingerprint",
];
/// The shortest passphrase with which a key is exported \[doc\].
const PASSPHRASE: usize = 8;

/// What an import found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Certificates that are new.
    pub certificates: u32,
    /// Private keys that found their certificate.
    pub keys: u32,
    /// Keys that the passphrase did not open.
    pub failures: u32,
    /// Keys of no certificate.
    pub orphans: u32,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    digits.chunks(2).map(|pair| u8::try_from(pair.first()? * 16 + pair.get(1)?).ok()).collect()
}

/// `body` between its `BEGIN` and `END` lines.
fn framed(word: &str, body: &[u8]) -> String {
    format!("-----BEGIN {word}-----\n{}\n-----END {word}-----\n", hex(body))
}

/// The framed parts of a file: word and text.
fn frames(text: &str) -> Vec<(&str, String)> {
    let mut parts = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines().map(str::trim) {
        if let Some(word) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) {
            open = Some((word, String::new()));
        } else if line.starts_with("-----END ") {
            parts.extend(open.take());
        } else if let Some((_, body)) = &mut open {
            body.push_str(line);
        }
    }
    parts
}

impl System {
    fn date_in(&self, days: u64) -> String {
        let when = Calendar::from_unix(self.unix_time() + days * 86_400);
        format!("{} {}", when.date(self.spec.version.is_v7()), when.time())
    }

    /// `sign`: the template becomes a certificate with a key; `ca` names who signs it, or it signs itself.
    pub fn sign_certificate(&self, id: u32, ca: Option<&str>, name: Option<&str>) -> Result<(), Refused> {
        let item = self.config(|config| config.item(MENU, id).cloned()).ok_or(Refused::NoSuchItem)?;
        if item.get("fingerprint").is_some() {
            return Err(Refused::failure("certificate is already signed"));
        }
        let issuer = match ca {
            Some(ca) => {
                let ca = self.config(|config| config.by_name(MENU, ca).cloned());
                let ca = ca.filter(|ca| ca.get("key").is_some()).ok_or(Refused::NoMatch("ca".to_owned()))?;
                Some(ca.get("common-name").unwrap_or_default().to_owned())
            }
            None => None,
        };
        let words: Vec<String> = (0..4).map(|_| format!("{:016x}", self.kernel.random())).collect();
        let key = words.concat();
        let days = item.get("days-valid").and_then(|days| days.parse().ok()).unwrap_or(365);
        let (from, to) = (self.date_in(0), self.date_in(days));
        self.config_mut(|config| {
            let Some(item) = config.item_mut(MENU, id) else { return };
            item.put("fingerprint", hex(&Sha256::digest(key.as_bytes())));
            item.put("serial-number", key[..16].to_uppercase());
            item.put("invalid-before", from);
            item.put("invalid-after", to);
            if let Some(issuer) = issuer {
                item.put("issuer", format!("CN={issuer}"));
            }
            if let Some(name) = name {
                item.put("name", name);
            }
            item.put("key", key);
        });
        Ok(())
    }

    /// `export-certificate`: `NAME.crt`, with a passphrase also `NAME.key`; or both in `NAME.p12`.
    pub fn export_certificate(&self, id: u32, file: &str, passphrase: &str, pkcs12: bool) -> Result<(), Refused> {
        let item = self.config(|config| config.item(MENU, id).cloned()).ok_or(Refused::NoSuchItem)?;
        if item.get("fingerprint").is_none() {
            return Err(Refused::failure("can't export template"));
        }
        if (pkcs12 || !passphrase.is_empty()) && passphrase.len() < PASSPHRASE {
            return Err(Refused::failure("passphrase must be at least 8 characters long"));
        }
        let carried: Vec<String> =
            CARRIED.iter().filter_map(|name| item.get(name).map(|value| format!("{name}={value}"))).collect();
        let certificate = framed(CERTIFICATE, carried.join("\n").as_bytes());
        let sealed = item.get("key").filter(|_| !passphrase.is_empty()).map(|key| {
            let body = format!("{} {key}", item.get("fingerprint").unwrap_or_default());
            framed(SEALED_KEY, &seal(&self.kernel, passphrase, body.into_bytes()))
        });
        let full = |_| Refused::failure("no space left");
        if pkcs12 {
            let both = format!("{certificate}{}", sealed.unwrap_or_default());
            return self.write_file(&format!("{file}.p12"), both.into_bytes()).map_err(full);
        }
        self.write_file(&format!("{file}.crt"), certificate.into_bytes()).map_err(full)?;
        match sealed {
            Some(sealed) => self.write_file(&format!("{file}.key"), sealed.into_bytes()).map_err(full),
            None => Ok(()),
        }
    }

    /// `import`: every certificate and key of a file. One that another tool made is taken as it is, by its fingerprint.
    pub fn import_certificates(&self, file: &str, name: Option<&str>, passphrase: &str) -> Result<Imported, Refused> {
        let text = self.read_file(file).ok_or_else(|| Refused::failure("file not found"))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut found = Imported::default();
        for (word, body) in frames(&text) {
            match word {
                CERTIFICATE => {
                    let stem = name.map_or_else(|| format!("{file}_{}", found.certificates), str::to_owned);
                    found.certificates += u32::from(self.take_certificate(&stem, &body));
                }
                SEALED_KEY => match unhex(&body).and_then(|body| unseal(passphrase, &body)) {
                    Some(key) => self.take_key(&String::from_utf8_lossy(&key), &mut found),
                    None => found.failures += 1,
                },
                OPEN_KEY => self.take_key(&body, &mut found),
                _ => {}
            }
        }
        Ok(found)
    }

    fn take_certificate(&self, name: &str, body: &str) -> bool {
        let mut item = Item::default().with("name", name).with("trusted", "yes");
        match unhex(body).and_then(|bytes| String::from_utf8(bytes).ok()).filter(|text| text.contains("fingerprint=")) {
            Some(text) => {
                let pairs = text.lines().filter_map(|line| line.split_once('='));
                pairs.filter(|(name, _)| CARRIED.contains(name)).for_each(|(name, value)| item.put(name, value));
            }
            None => item.put("fingerprint", hex(&Sha256::digest(body.as_bytes()))),
        }
        let known = self.config(|config| {
            config.items(MENU).iter().any(|other| other.get("fingerprint") == item.get("fingerprint"))
        });
        if !known {
            self.config_mut(|config| config.insert(MENU, MENU, item, None));
        }
        !known
    }

    /// A key goes to the certificate whose fingerprint it names.
    fn take_key(&self, text: &str, found: &mut Imported) {
        let mut words = text.split_whitespace();
        let (fingerprint, key) = (words.next(), words.next());
        let taken = self.config_mut(|config| {
            let mut items = config.items_mut(MENU).iter_mut();
            let item =
                items.find(|item| item.get("fingerprint").is_some() && item.get("fingerprint") == fingerprint)?;
            item.put("key", key?);
            Some(())
        });
        match taken {
            Some(()) => found.keys += 1,
            None => found.orphans += 1,
        }
    }
}
