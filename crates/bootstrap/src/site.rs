//! The site file: what a pair is, where its members are, where its secrets come from.

mod users;

pub use users::UserSite;

use crate::mac::Mac;
use crate::secret::SecretRef;
use crate::target::{LoginMode, Member, TargetUrl, pair_name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// The one format number of site files.
pub const FORMAT: u32 = 1;
/// More text than any site file has.
const MAX_LEN: usize = 64 * 1024;
/// More roads than anyone tries one after the other.
const MAX_REACH: usize = 16;

/// A site file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The pair's name.
    pub name: String,
    /// Default-name of the HA port on both members.
    pub ha_interface: String,
    /// How the pair syncs.
    pub sync: Sync,
    /// Router A.
    pub a: MemberSite,
    /// Router B.
    pub b: MemberSite,
    /// Users that the standby gets in the quiet way of sync, beside A's own.
    pub users: Vec<UserSite>,
    /// The password of the user `ha`.
    pub ha_password: Option<SecretRef>,
}

/// How the active's configuration gets to the standby.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// By a backup that the standby loads; until its first closing its data ports speak with the active's addresses.
    #[default]
    Backup,
    /// By a reset and the active's export, data ports off throughout; what an export lacks is not carried.
    Quiet,
}

impl std::fmt::Display for Sync {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Backup => "backup",
            Self::Quiet => "quiet",
        })
    }
}

/// One member as the site file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberSite {
    /// `orig-mac-address` of its HA port.
    pub ha_mac: Mac,
    /// Needed where a step erases a board that has one.
    pub serial_number: Option<String>,
    /// Roads, in the order in which they are tried. `mac://` has its address filled in.
    pub reach: Vec<TargetUrl>,
    /// The user of its own configuration.
    pub user: String,
    /// That user's password.
    pub password: Option<SecretRef>,
    /// What the label says, where boards have one.
    pub factory_password: Option<SecretRef>,
    /// Which MAC-Telnet login may be used.
    pub login: LoginMode,
}

impl Site {
    /// One member.
    pub fn member(&self, member: Member) -> &MemberSite {
        match member {
            Member::A => &self.a,
            Member::B => &self.b,
        }
    }

    /// Where its secrets come from, under their keys.
    pub fn secrets(&self) -> Vec<(String, &SecretRef)> {
        let mut all = vec![("secrets.ha_password".to_owned(), &self.ha_password)];
        for (name, member) in [("a", &self.a), ("b", &self.b)] {
            all.push((format!("pair.{name}.password"), &member.password));
            all.push((format!("pair.{name}.factory_password"), &member.factory_password));
        }
        all.extend(self.users.iter().map(|user| (format!("pair.users.{}", user.name), &user.password)));
        all.into_iter().filter_map(|(key, secret)| Some((key, secret.as_ref()?))).collect()
    }

    /// Leaves a member no road but this one, where one is given.
    pub fn reach_by(&mut self, member: Member, road: Option<TargetUrl>) {
        let entry = match member {
            Member::A => &mut self.a,
            Member::B => &mut self.b,
        };
        if let Some(road) = road {
            entry.reach = vec![road];
        }
    }

    /// Parses and checks a site file.
    ///
    /// # Errors
    /// [`SiteError`] with the line and, for an unknown key, the one that was probably meant.
    pub fn parse(text: &str) -> Result<Self, SiteError> {
        if text.len() > MAX_LEN {
            return Err(SiteError::new("site.syntax", None, "this is no site file: it is far too long"));
        }
        let raw: RawSite = toml::from_str(text).map_err(|error| SiteError::from_toml(&error, text))?;
        raw.check()
    }

    /// The file as it is understood: defaults filled in, secrets as references, commands left out.
    pub fn redacted(&self) -> String {
        let mut out = String::new();
        let _ = write!(
            out,
            "format = {FORMAT}\n[pair]\nname = {:?}\nha_interface = {:?}\nsync = \"{}\"\n",
            self.name, self.ha_interface, self.sync
        );
        for (name, member) in [("a", &self.a), ("b", &self.b)] {
            let _ = write!(out, "[pair.{name}]\nha_mac = \"{}\"\n", member.ha_mac);
            if let Some(serial) = &member.serial_number {
                let _ = writeln!(out, "serial_number = {serial:?}");
            }
            let roads: Vec<String> = member.reach.iter().map(|road| format!("{:?}", road.to_string())).collect();
            let _ = writeln!(out, "reach = [{}]\nuser = {:?}", roads.join(", "), member.user);
            for (key, secret) in [("password", &member.password), ("factory_password", &member.factory_password)] {
                if let Some(secret) = secret {
                    let _ = writeln!(out, "{key} = {:?}", secret.to_string());
                }
            }
            let _ = writeln!(out, "login = \"{}\"", member.login);
        }
        users::redacted(&self.users, &mut out);
        if let Some(secret) = &self.ha_password {
            let _ = writeln!(out, "[secrets]\nha_password = {:?}", secret.to_string());
        }
        out
    }
}

/// What is wrong with a site file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct SiteError {
    code: &'static str,
    /// Line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl std::fmt::Display for SiteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, " (did you mean `{suggestion}`?)"),
            None => Ok(()),
        }
    }
}

impl SiteError {
    fn new(code: &'static str, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { code, line, message: message.into(), suggestion: None }
    }

    fn value(key: &str, why: impl std::fmt::Display) -> Self {
        Self::new("site.value", None, format!("{key}: {why}"))
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    fn from_toml(error: &toml::de::Error, text: &str) -> Self {
        let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
        // serde: unknown field `x`, expected one of `a`, `b`
        let mut words = message.split('`').skip(1).step_by(2);
        let unknown = words.next().unwrap_or_default();
        if message.starts_with("unknown field") {
            let suggestion = closest(unknown, words);
            return Self { suggestion, ..Self::new("site.unknown-key", line, format!("unknown key `{unknown}`")) };
        }
        if message.starts_with("unknown variant") {
            let known: Vec<String> = words.map(|word| format!("{word:?}")).collect();
            let message = format!("{unknown:?} is no value of this key, which is {}", known.join(" or "));
            return Self::new("site.value", line, message);
        }
        // the message of a wrong type repeats the value: it may be a password in the wrong place
        let message = if message.starts_with("invalid type") {
            "a value of another type is expected here".to_owned()
        } else {
            message
        };
        Self::new("site.syntax", line, message)
    }
}

/// The known word that is nearest to `word`, if it is near at all.
pub(crate) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let best = known.map(|k| (distance(word, k), k)).min()?;
    (best.0 <= 1 + word.len() / 3).then(|| best.1.to_owned())
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// The site file of an HA pair: what it is, where its members are, where its secrets come from. No secret stands in it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Jumplead site file")]
struct RawSite {
    /// The format of this file: 1.
    #[schemars(range(min = FORMAT, max = FORMAT))]
    format: u32,
    /// The pair.
    pair: RawPair,
    /// Where the pair's own secrets come from.
    secrets: Option<RawSecrets>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Pair")]
struct RawPair {
    /// What the pair is called, here and in the state folder.
    name: String,
    /// Default-name of the HA port on both members; `ether8` when it is left out.
    ha_interface: Option<String>,
    #[serde(default)]
    sync: Sync,
    /// Router A, the active.
    a: RawMember,
    /// Router B, the one that becomes the standby.
    b: RawMember,
    /// Users that the standby gets in the quiet way of sync, beside A's own.
    #[serde(default)]
    users: Vec<users::RawUser>,
}

/// One router of the pair.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Member")]
struct RawMember {
    /// `orig-mac-address` of its HA port.
    #[schemars(regex(pattern = "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$"))]
    ha_mac: String,
    /// From the label, or `/system routerboard print`; needed where a step erases a board that has one.
    serial_number: Option<String>,
    /// Roads, tried in this order: `via:a`, `mac://%eth1`, `serial:///dev/...`, `rfc2217://host:port` and so on.
    #[schemars(length(min = 1, max = MAX_REACH))]
    reach: Vec<String>,
    /// The user of its own configuration; `admin` when it is left out.
    user: Option<String>,
    /// Where that user's password comes from: `env:NAME`, `file:PATH`, `cmd:COMMAND` or `prompt`.
    #[schemars(regex(pattern = OWN))]
    password: Option<String>,
    /// Where the password on the label comes from, for boards that ship with one.
    #[schemars(regex(pattern = OWN))]
    factory_password: Option<String>,
    #[schemars(with = "Option<crate::target::LoginMode>")]
    login: Option<String>,
}

/// What secrets references look like.
const REFERENCE: &str = "^(env:.+|file:.+|cmd:.+|prompt|generate)$";
/// Those of passwords that a router has already.
const OWN: &str = "^(env:.+|file:.+|cmd:.+|prompt)$";

/// Secrets of the pair.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Secrets")]
struct RawSecrets {
    /// Where the password of the user `ha` comes from.
    #[schemars(regex(pattern = REFERENCE))]
    ha_password: Option<String>,
}

/// The JSON schema of a site file, for editors.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RawSite).to_value()
}

impl RawSite {
    fn check(self) -> Result<Site, SiteError> {
        if self.format != FORMAT {
            return Err(SiteError::new(
                "site.format",
                None,
                format!("format {} is not known to this version, which reads format {FORMAT}", self.format),
            ));
        }
        let ha_interface = self.pair.ha_interface.unwrap_or_else(|| "ether8".to_owned());
        if ha_interface.is_empty()
            || ha_interface.len() > 32
            || !ha_interface.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.' | b'_'))
        {
            return Err(SiteError::value("pair.ha_interface", "a default-name is like ether8 or sfp-sfpplus1"));
        }
        let name = pair_name(&self.pair.name).map_err(|why| SiteError::value("pair.name", why))?;
        let a = self.pair.a.check(Member::A, &name)?;
        let b = self.pair.b.check(Member::B, &name)?;
        if a.ha_mac == b.ha_mac {
            return Err(SiteError::value("pair.b.ha_mac", "both members have the same address"));
        }
        if a.serial_number.is_some() && a.serial_number == b.serial_number {
            return Err(SiteError::value("pair.b.serial_number", "both members have the same serial number"));
        }
        for (member, entry, other) in [(Member::A, &a, &b), (Member::B, &b, &a)] {
            if entry.reach.iter().any(|road| road.mac() == Some(other.ha_mac)) {
                let why = format!("{} is router {}", other.ha_mac, member.other());
                return Err(SiteError::value(&format!("pair.{member}.reach"), why));
            }
        }
        let via_each_other =
            |member: &MemberSite, other| member.reach.iter().all(|road| via(road, &name) == Some(other));
        if via_each_other(&a, Member::B) && via_each_other(&b, Member::A) {
            return Err(SiteError::value("pair.a.reach", "each member is only reached through the other"));
        }
        let users = users::check(self.pair.users, &a.user, a.password.is_some())?;
        let ha_password = secret("secrets.ha_password", self.secrets.and_then(|s| s.ha_password))?;
        Ok(Site { name, ha_interface, sync: self.pair.sync, a, b, users, ha_password })
    }
}

/// The member of this very pair that a road leads through.
pub(crate) fn via(road: &TargetUrl, name: &str) -> Option<Member> {
    match road {
        TargetUrl::Via { pair, member, .. } if pair.as_deref().is_none_or(|pair| pair == name) => Some(*member),
        _ => None,
    }
}

impl RawMember {
    fn check(self, member: Member, pair: &str) -> Result<MemberSite, SiteError> {
        let key = |name: &str| format!("pair.{member}.{name}");
        let ha_mac: Mac = self.ha_mac.parse().map_err(|why| SiteError::value(&key("ha_mac"), why))?;
        if !ha_mac.is_station() {
            return Err(SiteError::value(&key("ha_mac"), "this is no port's own address"));
        }
        if self.reach.is_empty() || self.reach.len() > MAX_REACH {
            return Err(SiteError::value(&key("reach"), format!("between 1 and {MAX_REACH} roads are expected")));
        }
        let mut reach = Vec::with_capacity(self.reach.len());
        for text in &self.reach {
            let mut road: TargetUrl = text.parse().map_err(|why| SiteError::value(&key("reach"), why))?;
            match &mut road {
                TargetUrl::Mac { mac: mac @ None, .. } => *mac = Some(ha_mac),
                TargetUrl::Pair { .. } => {
                    return Err(SiteError::value(
                        &key("reach"),
                        "a road can't be a member of a pair; write via:PAIR/a",
                    ));
                }
                road if via(road, pair) == Some(member) => {
                    return Err(SiteError::value(&key("reach"), "a router is not reached through itself"));
                }
                _ => {}
            }
            reach.push(road);
        }
        let serial_number = self.serial_number.map(|s| s.trim().to_owned());
        if serial_number
            .as_ref()
            .is_some_and(|s| s.is_empty() || s.len() > 32 || !s.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err(SiteError::value(&key("serial_number"), "letters and digits, as on the label"));
        }
        if serial_number.as_deref() == Some("FILL-IN") {
            return Err(SiteError::value(
                &key("serial_number"),
                "still to be filled in: as on the label, or leave the line out",
            ));
        }
        let user = self.user.unwrap_or_else(|| "admin".to_owned());
        if user.is_empty() || user.len() > 64 || user.contains('+') || user.chars().any(char::is_control) {
            return Err(SiteError::value(&key("user"), "a user's name without `+` and control characters"));
        }
        let login = self.login.as_deref().map(str::parse).transpose();
        let login: Option<LoginMode> = login.map_err(|why| SiteError::value(&key("login"), why))?;
        Ok(MemberSite {
            ha_mac,
            serial_number,
            reach,
            user,
            password: own(&key("password"), self.password)?,
            factory_password: own(&key("factory_password"), self.factory_password)?,
            login: login.unwrap_or_default(),
        })
    }
}

/// A password that a router has already.
fn own(key: &str, text: Option<String>) -> Result<Option<SecretRef>, SiteError> {
    text.map(|text| SecretRef::of_a_router(&text).map_err(|why| SiteError::value(key, why))).transpose()
}

fn secret(key: &str, text: Option<String>) -> Result<Option<SecretRef>, SiteError> {
    text.map(|text| text.parse().map_err(|why| SiteError::value(key, why))).transpose()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const EDGE_1: &str = r#"
format = 1
[pair]
name = "edge-1"
ha_interface = "ether8"
[pair.a]
ha_mac = "74:4d:28:00:00:0a"
serial_number = "7F0001"
reach = ["mac://%eth1"]
user = "admin"
password = "env:EDGE1_A"
[pair.b]
ha_mac = "74:4D:28:00:00:0B"
serial_number = "7F0002"
reach = ["via:a", "mac://%eth1", "rfc2217://oob.example:4001"]
factory_password = "prompt"
login = "auto"
[secrets]
ha_password = "cmd:pass show edge-1/ha"
"#;

    #[test]
    fn the_example_and_its_redacted_form() {
        let site = Site::parse(EDGE_1).unwrap();
        insta::assert_snapshot!(site.redacted(), @r#"
        format = 1
        [pair]
        name = "edge-1"
        ha_interface = "ether8"
        sync = "backup"
        [pair.a]
        ha_mac = "74:4D:28:00:00:0A"
        serial_number = "7F0001"
        reach = ["mac://74:4D:28:00:00:0A%eth1"]
        user = "admin"
        password = "env:EDGE1_A"
        login = "auto"
        [pair.b]
        ha_mac = "74:4D:28:00:00:0B"
        serial_number = "7F0002"
        reach = ["via:a", "mac://74:4D:28:00:00:0B%eth1", "rfc2217://oob.example:4001"]
        user = "admin"
        factory_password = "prompt"
        login = "auto"
        [secrets]
        ha_password = "cmd:(not shown)"
        "#);
        // what is shown is a site file itself, but for commands
        let shown = site.redacted().replace("cmd:(not shown)", "cmd:pass show edge-1/ha");
        assert_eq!(Site::parse(&shown).unwrap(), site);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let cases = [
            (
                "reach = [\"mac://%eth1\"]",
                "raech = [\"mac://%eth1\"]",
                "line 9: unknown key `raech` (did you mean `reach`?)",
            ),
            ("format = 1", "format = 2", "format 2 is not known"),
            ("74:4D:28:00:00:0B", "74:4D:28:00:00:0A", "both members have the same address"),
            ("74:4D:28:00:00:0B", "74:4D:28:00:00", "pair.b.ha_mac: `74:4D:28:00:00` is no MAC"),
            ("\"via:a\"", "\"via:b\"", "not reached through itself"),
            ("env:EDGE1_A", "hunter2", "pair.a.password: a secret is given as env:NAME"),
            ("env:EDGE1_A", "generate", "pair.a.password: a password that is made up now (`generate`) is no router's"),
            ("\"prompt\"", "\"generate\"", "pair.b.factory_password: a password that is made up now"),
            ("mac://%eth1", "mac://74:4D:28:00:00:0B%eth1", "pair.a.reach: 74:4D:28:00:00:0B is router b"),
            (
                "ha_interface = \"ether8\"",
                "sync = \"none\"",
                "line 5: \"none\" is no value of this key, which is \"backup\" or \"quiet\"",
            ),
            ("\"env:EDGE1_A\"", "12345678", "line 11: a value of another type"),
            ("login = \"auto\"", "login = \"telnet\"", "a login is `auto`"),
            ("name = \"edge-1\"", "name = \"../edge\"", "pair.name"),
            ("7F0002", "7F0001", "same serial number"),
            ("ether8", "eth er8", "default-name"),
        ];
        for (from, to, expected) in cases {
            assert!(EDGE_1.contains(from), "{from}");
            let error = Site::parse(&EDGE_1.replacen(from, to, 1)).expect_err(to).to_string();
            assert!(error.contains(expected), "{to}: {error}");
            assert!(!error.contains("hunter2") && !error.contains("12345678"), "{error}");
        }
    }
}
