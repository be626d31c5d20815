//! Users that the standby gets where no backup carries them: an export has none, and no router tells a password or a key.

use super::{REFERENCE, SiteError, secret};
use crate::secret::SecretRef;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt::Write as _;

/// More users than a pair has.
const MAX_USERS: usize = 32;
/// More keys than a person has.
const MAX_KEYS: usize = 8;
/// A key of a file: 6.x sets no more than 4095 bytes of one from a script.
const MAX_KEY: usize = 4000;

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSite {
    /// Its name.
    pub name: String,
    /// Its group; groups are a part of the export.
    pub group: String,
    /// Its password; `None` for A's own user, which has that of `pair.a.password`.
    pub password: Option<SecretRef>,
    /// Its public SSH keys, each a line as in a `.pub` file.
    pub ssh_keys: Vec<String>,
}

/// A user that the standby gets in the quiet way of sync.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "User")]
pub(super) struct RawUser {
    /// Its name.
    name: String,
    /// Its group, as on A.
    group: String,
    /// Where its password comes from; left out for the user of `pair.a`.
    #[schemars(regex(pattern = REFERENCE))]
    password: Option<String>,
    /// Its public SSH keys, each the line of a `.pub` file. They are no secrets.
    #[serde(default)]
    #[schemars(length(max = MAX_KEYS))]
    ssh_keys: Vec<String>,
}

/// Checks the users of a pair whose A is logged in to as `own`.
pub(super) fn check(raw: Vec<RawUser>, own: &str, own_password: bool) -> Result<Vec<UserSite>, SiteError> {
    const KEY: &str = "pair.users";
    if raw.len() > MAX_USERS {
        return Err(SiteError::value(KEY, format!("no more than {MAX_USERS} are expected")));
    }
    let mut users: Vec<UserSite> = Vec::with_capacity(raw.len());
    for raw in raw {
        let plain = |text: &str| !text.is_empty() && text.len() <= 64 && !text.chars().any(char::is_control);
        if !plain(&raw.name) || raw.name.contains('+') {
            return Err(SiteError::value(KEY, "a user's name without `+` and control characters"));
        }
        if raw.name == "ha" {
            return Err(SiteError::value(KEY, "`ha` belongs to the scripts, its password is secrets.ha_password"));
        }
        if users.iter().any(|user| user.name == raw.name) {
            return Err(SiteError::value(KEY, format!("{} is there twice", raw.name)));
        }
        let key = format!("{KEY}.{}", raw.name);
        if !plain(&raw.group) {
            return Err(SiteError::value(&key, "a group is the name of one, as full or read"));
        }
        match (raw.password.is_some(), raw.name == own) {
            (true, true) => {
                return Err(SiteError::value(&key, "the password of a's user is pair.a.password"));
            }
            (false, true) if !own_password => {
                return Err(SiteError::value(&key, "a's user is made with pair.a.password, which is missing"));
            }
            (false, false) => return Err(SiteError::value(&key, "it has no password")),
            _ => {}
        }
        if raw.ssh_keys.len() > MAX_KEYS {
            return Err(SiteError::value(&key, format!("no more than {MAX_KEYS} keys are expected")));
        }
        for line in &raw.ssh_keys {
            let printable = line.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            let known = line.starts_with("ssh-") || line.starts_with("ecdsa-");
            // a private key in the wrong place isn't repeated
            if !known || !printable || line.len() > MAX_KEY || line.split(' ').count() < 2 {
                return Err(SiteError::value(&key, "an SSH key is the one line of a .pub file"));
            }
        }
        users.push(UserSite {
            name: raw.name,
            group: raw.group,
            password: secret(&key, raw.password)?,
            ssh_keys: raw.ssh_keys,
        });
    }
    Ok(users)
}

/// The users as the site file has them.
pub(super) fn redacted(users: &[UserSite], out: &mut String) {
    for user in users {
        let _ = write!(out, "[[pair.users]]\nname = {:?}\ngroup = {:?}\n", user.name, user.group);
        if let Some(secret) = &user.password {
            let _ = writeln!(out, "password = {:?}", secret.to_string());
        }
        if !user.ssh_keys.is_empty() {
            let _ = writeln!(out, "ssh_keys = {:?}", user.ssh_keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Site, tests::EDGE_1};

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 night@desk";

    fn with(users: &str) -> Result<Site, String> {
        let text = EDGE_1.replacen("[secrets]", &format!("{users}\n[secrets]"), 1);
        Site::parse(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn users_read_back_as_they_are_shown() {
        let site = with(&format!(
            "[[pair.users]]\nname = \"night\"\ngroup = \"read\"\npassword = \"env:NIGHT\"\nssh_keys = [\"{KEY}\"]\n\
             [[pair.users]]\nname = \"admin\"\ngroup = \"full\"\n"
        ))
        .unwrap();
        assert_eq!(site.users.len(), 2);
        assert_eq!(site.users[0].ssh_keys, [KEY]);
        let shown = site.redacted().replace("cmd:(not shown)", "cmd:pass show edge-1/ha");
        assert_eq!(Site::parse(&shown).unwrap(), site, "{shown}");
    }

    #[test]
    fn mistakes_are_named_and_no_key_is_repeated() {
        for (users, expected) in [
            ("[[pair.users]]\nname = \"ha\"\ngroup = \"full\"", "belongs to the scripts"),
            ("[[pair.users]]\nname = \"night\"\ngroup = \"read\"", "it has no password"),
            (
                "[[pair.users]]\nname = \"admin\"\ngroup = \"full\"\npassword = \"env:X\"",
                "the password of a's user is pair.a.password",
            ),
            (
                "[[pair.users]]\nname = \"admin\"\ngroup = \"full\"\nssh_keys = [\"-----BEGIN hunter2\"]",
                "an SSH key is the one line of a .pub file",
            ),
            ("[[pair.users]]\nname = \"admin\"\ngroup = \"full\"\npasswort = \"env:X\"", "did you mean `password`"),
            (
                "[[pair.users]]\nname = \"admin\"\ngroup = \"full\"\n[[pair.users]]\nname = \"admin\"\ngroup = \"full\"",
                "admin is there twice",
            ),
        ] {
            let error = with(users).expect_err(users);
            assert!(error.contains(expected) && !error.contains("hunter2"), "{users}: {error}");
        }
    }
}
