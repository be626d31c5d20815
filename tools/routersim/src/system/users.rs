//! Who may log in, and what for.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::core::System;
use super::who::{Policy, Who};
use crate::menu::Item;
use crate::menu::kind::parse_cidr;
use crate::net::Prefix;
use crate::raw;
use crate::record::{EventKind, Via};

impl System {
    /// A user that is not disabled.
    pub fn user(&self, name: &str) -> Option<Item> {
        self.config(|config| config.by_name("/user", name).filter(|user| !user.disabled).cloned())
    }

    /// What a user's group allows.
    pub fn policy_of(&self, user: &str) -> Policy {
        let group = self.user(user).and_then(|user| user.get("group").map(str::to_owned)).unwrap_or_default();
        let policy = self.config(|config| {
            config.by_name("/user/group", &group).and_then(|group| group.get("policy").map(str::to_owned))
        });
        policy.map_or(Policy::NONE, |policy| Policy::from_list(&policy))
    }

    /// A user as somebody who gives commands.
    pub fn who(&self, user: &str, via: Via) -> Who {
        Who { user: Rc::from(user), policy: self.policy_of(user), via, session: None }
    }

    /// Whether there is such a user, and the address is one that the user may come from.
    pub fn welcome(&self, user: &str, from: Option<Ipv4Addr>) -> bool {
        let Some(user) = self.user(user) else { return false };
        let allowed = user.get("address").unwrap_or_default();
        from.is_none_or(|from| {
            allowed.is_empty()
                || allowed
                    .split(',')
                    .filter_map(parse_cidr)
                    .any(|(address, length)| Prefix { address, length }.contains(from))
        })
    }

    /// Whether the password is the user's, and the address one that the user may come from.
    pub fn password_right(&self, user: &str, password: &[u8], from: Option<Ipv4Addr>) -> bool {
        let own = self.user(user).map(|user| raw::bytes(user.get("password").unwrap_or_default()));
        self.welcome(user, from) && own.is_some_and(|own| own == password)
    }

    /// A user's public keys, in base64.
    pub fn ssh_keys(&self, user: &str) -> Vec<String> {
        self.config(|config| {
            let keys = config.items("/user/ssh-keys").iter().filter(|item| item.get("user") == Some(user));
            keys.filter_map(|item| item.get("key").map(str::to_owned)).collect()
        })
    }

    /// Whether SSH takes no password of this user any more: there are keys, and `always-allow-password-login` is off \[doc\].
    pub fn keys_alone(&self, user: &str) -> bool {
        let item = self.config(|config| config.items("/ip/ssh").first().cloned()).unwrap_or_default();
        match item.get("password-authentication") {
            Some("yes") => false,
            Some("no") => true,
            _ => item.get("always-allow-password-login") != Some("yes") && !self.ssh_keys(user).is_empty(),
        }
    }

    /// Whether the policy of `/user settings` lets a password pass; else why not.
    pub fn check_password(&self, password: &str) -> Result<(), String> {
        let (length, categories) = self.config(|config| {
            let own = config.items("/user/settings").first();
            let number = |name: &str, or: u8| {
                own.and_then(|item| item.get(name))
                    .and_then(|text| text.parse::<usize>().ok())
                    .unwrap_or(usize::from(or))
            };
            (
                number("minimum-password-length", self.quirks.password_length),
                number("minimum-categories", self.quirks.password_categories),
            )
        });
        let has = |test: fn(&char) -> bool| usize::from(password.chars().any(|c| test(&c)));
        let found = has(|c| c.is_ascii_lowercase())
            + has(|c| c.is_ascii_uppercase())
            + has(|c| c.is_ascii_digit())
            + has(|c| !c.is_ascii_alphanumeric());
        if password.chars().count() < length {
            return Err(format!("password must be at least {length} characters long"));
        }
        if found < categories {
            return Err(format!("password must contain characters of at least {categories} categories"));
        }
        Ok(())
    }

    /// A login was taken.
    pub fn login_taken(&self, user: &str, from: &str, word: &str, via: Via) {
        self.note(EventKind::Login { user: user.to_owned(), via, ok: true });
        let now = self.unix_time();
        self.storage.borrow_mut().last_logins.insert(user.to_owned(), now);
        let from = if from.is_empty() { String::new() } else { format!(" from {from}") };
        self.log("system,info,account", &format!("user {user} logged in{from} via {word}"));
    }

    /// A login was refused.
    pub fn login_refused(&self, user: &str, from: &str, word: &str, via: Via) {
        self.note(EventKind::Login { user: user.to_owned(), via, ok: false });
        let from = if from.is_empty() { String::new() } else { format!(" from {from}") };
        self.log("system,error,critical", &format!("login failure for user {user}{from} via {word}"));
    }

    /// A session has ended.
    pub fn login_over(&self, user: &str, from: &str, word: &str) {
        let from = if from.is_empty() { String::new() } else { format!(" from {from}") };
        self.log("system,info,account", &format!("user {user} logged out{from} via {word}"));
    }
}
