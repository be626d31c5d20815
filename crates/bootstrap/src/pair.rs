//! One pair as a run sees it: its site file, its roads, its secrets, and how to log in to its members.

use crate::facts::{self, Facts};
use crate::marker::Who;
use crate::proof::Target;
use crate::road::{Connection, Purpose, Request, Restarting, Roads};
use crate::secret::{Asker, SecretError, SecretRef, check_ha_password, resolve};
use crate::site::{MemberSite, Site, Sync, via};
use crate::state::State;
use crate::store::Store;
use crate::target::Member;
use crate::trouble::{Kind, Trouble};
use routeros::{LoginOptions, Proof, Secret};
use std::time::Duration;

/// A command that only looks: the longest list takes a slow board a second or two. What takes longer says so itself.
const LOOK_LIMIT: Duration = Duration::from_secs(15);

/// The secrets of one pair, resolved.
#[derive(Debug, Clone, Default)]
pub struct PairSecrets {
    /// Of the user `ha`; empty where only a login was asked for.
    pub ha: Secret,
    /// Of A's user.
    pub a: Option<Secret>,
    /// Of B's user, where the site file gives one.
    pub b: Option<Secret>,
    /// What B's label says.
    pub b_factory: Option<Secret>,
    /// Of the site file's users, in their order; empty where a backup carries them.
    pub users: Vec<Option<Secret>>,
}

impl PairSecrets {
    /// Fetches all that the site file refers to, each once.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn resolve(site: &Site, asker: &mut dyn Asker, store: &mut dyn Store) -> Result<Self, SecretError> {
        let mut fetch = Fetch { site, asker, store };
        let ha = fetch.get(site.ha_password.as_ref(), "secrets", "ha_password")?;
        let what = fetch.what("secrets", "ha_password");
        let ha = ha.ok_or_else(|| SecretError::Unfit { what: what.clone(), why: "missing from the site file" })?;
        check_ha_password(&ha, &what)?;
        let carried = if site.sync == Sync::Quiet { site.users.as_slice() } else { &[] };
        let users =
            carried.iter().map(|user| fetch.get(user.password.as_ref(), "pair", &format!("users.{}", user.name)));
        let users = users.collect::<Result<_, _>>()?;
        Ok(Self { users, ha, ..fetch.logins(&[Member::A, Member::B])? })
    }

    /// Fetches what a login to `member` may need and nothing else: who looks at a router needs no HA password.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn to_look(
        site: &Site,
        member: Member,
        asker: &mut dyn Asker,
        store: &mut dyn Store,
    ) -> Result<Self, SecretError> {
        // A standby has the active's users.
        let through_b = site.a.reach.iter().any(|road| via(road, &site.name).is_some());
        let members: &[Member] = if member == Member::B || through_b { &[Member::A, Member::B] } else { &[Member::A] };
        Fetch { site, asker, store }.logins(members)
    }

    /// Fetches what logins to both members need.
    ///
    /// # Errors
    /// [`SecretError`].
    pub fn of_logins(site: &Site, asker: &mut dyn Asker, store: &mut dyn Store) -> Result<Self, SecretError> {
        Fetch { site, asker, store }.logins(&[Member::A, Member::B])
    }

    /// Everything that must never be shown.
    pub fn all(&self) -> Vec<Secret> {
        let mut all = vec![self.ha.clone()];
        all.extend([&self.a, &self.b, &self.b_factory].into_iter().chain(&self.users).flatten().cloned());
        all.retain(|secret| !secret.is_empty());
        all
    }
}

/// Secrets of one site file on their way.
struct Fetch<'a> {
    site: &'a Site,
    asker: &'a mut dyn Asker,
    store: &'a mut dyn Store,
}

impl Fetch<'_> {
    /// What is asked for is named as the site file names it.
    fn what(&self, table: &str, name: &str) -> String {
        format!("{table}.{name} of {}", self.site.name)
    }

    fn get(&mut self, reference: Option<&SecretRef>, table: &str, name: &str) -> Result<Option<Secret>, SecretError> {
        let (what, kept) = (self.what(table, name), format!("{}.{name}", self.site.name));
        reference.map(|reference| resolve(reference, &what, &kept, self.asker, self.store)).transpose()
    }

    fn logins(&mut self, members: &[Member]) -> Result<PairSecrets, SecretError> {
        let site = self.site;
        let b = members.contains(&Member::B).then_some(&site.b);
        Ok(PairSecrets {
            a: self.get(site.a.password.as_ref(), "pair", "a.password")?,
            b: self.get(b.and_then(|b| b.password.as_ref()), "pair", "b.password")?,
            b_factory: self.get(b.and_then(|b| b.factory_password.as_ref()), "pair", "b.factory_password")?,
            ..PairSecrets::default()
        })
    }
}

/// A pair, ready to be worked on.
pub struct Pair<'a> {
    /// The site file.
    pub site: &'a Site,
    /// How members are reached.
    pub roads: &'a dyn Roads,
    /// Their secrets.
    pub secrets: PairSecrets,
    /// Makes the markers of this run's consoles unlike those of others.
    pub seed: u64,
    /// Who makes its runs.
    pub who: Who,
}

impl std::fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pair").field("site", &self.site.name).finish_non_exhaustive()
    }
}

/// Whose users B has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Users {
    /// Its own: an erased router's, or whatever was configured.
    Own,
    /// A's, which came with A's configuration.
    OfA,
}

/// One look at one member.
#[derive(Debug)]
pub struct Look {
    /// The console.
    pub connection: Connection,
    /// What it says.
    pub facts: Facts,
    /// Who it is.
    pub target: Target,
}

impl Look {
    /// Its state.
    pub fn state(&self) -> State {
        self.target.state()
    }
}

impl Pair<'_> {
    /// Logins for a member, the likeliest first. Every one carries the proof of who must answer.
    ///
    /// # Errors
    /// Trouble when the site file's address can't be put into a console line.
    pub fn logins(&self, member: Member, users: Users) -> Result<Vec<LoginOptions>, Trouble> {
        let proof = Proof::ha_port(&self.site.ha_interface, &self.site.member(member).ha_mac.to_string())?;
        let mut logins: Vec<LoginOptions> = Vec::new();
        let mut add = |user: &str, secret: Option<&Secret>| {
            let Some(secret) = secret else { return };
            if let Some(login) = logins.iter_mut().find(|login| login.user == user) {
                if !login.passwords.contains(secret) {
                    login.passwords.push(secret.clone());
                }
                return;
            }
            let mut login = LoginOptions::new(user);
            login.passwords = vec![secret.clone()];
            login.proof = Some(proof.clone());
            login.secrets = self.secrets.all();
            login.seed = self.seed;
            login.timeouts.command = LOOK_LIMIT;
            logins.push(login);
        };
        let empty = Secret::default();
        let (a, b): (&MemberSite, &MemberSite) = (&self.site.a, &self.site.b);
        match member {
            // a router with a configuration of its own has a password; an empty one is said so by `password`
            Member::A => add(&a.user, self.secrets.a.as_ref().or(Some(&empty))),
            Member::B => {
                if users == Users::OfA {
                    add(&a.user, self.secrets.a.as_ref());
                }
                add(&b.user, self.secrets.b.as_ref());
                add("admin", Some(&empty));
                add("admin", self.secrets.b_factory.as_ref());
                add(&a.user, self.secrets.a.as_ref());
            }
        }
        Ok(logins)
    }

    /// A proved console of a member.
    ///
    /// # Errors
    /// Trouble of the last login that was tried.
    pub async fn open(&self, member: Member, purpose: Purpose, users: Users) -> Result<Connection, Trouble> {
        self.open_after(member, purpose, users, None).await
    }

    /// The same, of a member that may be restarting.
    ///
    /// # Errors
    /// Trouble of the last login that was tried.
    pub async fn open_after(
        &self,
        member: Member,
        purpose: Purpose,
        users: Users,
        restarting: Option<Restarting>,
    ) -> Result<Connection, Trouble> {
        let via = self.logins(member.other(), Users::OfA)?.into_iter().next();
        let via = via.ok_or_else(|| Trouble::new(Kind::Bug, "bootstrap.bug", "no login for the other member"))?;
        let mut last = None;
        let mut whose = member;
        for login in self.logins(member, users)? {
            let request = Request { member, purpose, login, via: via.clone(), restarting };
            match self.roads.connect(&request).await {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    // The router on the way refused it, as its road says.
                    let near = self.site.member(member.other());
                    let at_near = error.road.contains(&near.ha_mac.to_string())
                        || near.reach.iter().any(|road| road.to_string() == error.road);
                    whose = if at_near { member.other() } else { member };
                    let trouble = Trouble::from(error);
                    // somebody's session may be of the next login's user
                    if trouble.kind != Kind::Login && trouble.code != "routeros.line.session" {
                        return Err(trouble);
                    }
                    last = Some(trouble);
                }
            }
        }
        let trouble = last.unwrap_or_else(|| Trouble::new(Kind::Login, "bootstrap.login", "no login to try"));
        Err(match whose {
            _ if trouble.kind != Kind::Login => trouble,
            Member::A => trouble.hint("check pair.a.user and pair.a.password"),
            Member::B => trouble.hint(
                "a board made since about 2022 has its password on the label: set pair.b.factory_password; a configured one needs pair.b.user and pair.b.password",
            ),
        })
    }

    /// Opens a console, reads the facts and proves who it is.
    ///
    /// # Errors
    /// Trouble with the road, the console, or the proof.
    pub async fn look(&self, member: Member, purpose: Purpose, users: Users) -> Result<Look, Trouble> {
        let connection = self.open(member, purpose, users).await?;
        self.look_on(member, connection).await
    }

    /// Reads the facts on a console and proves who it is.
    ///
    /// # Errors
    /// Trouble with the console, or the proof.
    pub async fn look_on(&self, member: Member, connection: Connection) -> Result<Look, Trouble> {
        let facts = facts::read(&connection.shell, &self.site.ha_interface).await?;
        let target = Target::prove(self.site, member, &facts, &connection.evidence)?;
        Ok(Look { connection, facts, target })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Unasked;
    use crate::site::tests::EDGE_1;
    use crate::store::SimStore;

    #[derive(Default)]
    struct Asked(Vec<String>);

    impl Asker for Asked {
        fn prompt(&mut self, what: &str) -> Result<Secret, Unasked> {
            self.0.push(what.to_owned());
            Ok(Secret::new("Planted-1"))
        }
        fn random(&mut self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn who_looks_is_asked_for_what_a_login_needs() {
        let text = EDGE_1.replace("env:EDGE1_A", "prompt").replace("cmd:pass show edge-1/ha", "prompt");
        let [a, b] = ["a.password", "b.factory_password"].map(|name| format!("pair.{name} of edge-1"));
        let asked = |text: &str, member| {
            let mut asker = Asked::default();
            PairSecrets::to_look(&Site::parse(text).unwrap(), member, &mut asker, &mut SimStore::default()).unwrap();
            asker.0
        };
        assert_eq!(asked(&text, Member::A), [a.as_str()]);
        assert_eq!(asked(&text, Member::B), [a.as_str(), &b]);
        let through_b = text.replacen("mac://%eth1", "via:b", 1).replace("\"via:a\", ", "");
        assert_eq!(asked(&through_b, Member::A), [a.as_str(), &b]);
        let mut asker = Asked::default();
        PairSecrets::resolve(&Site::parse(&text).unwrap(), &mut asker, &mut SimStore::default()).unwrap();
        assert_eq!(asker.0, ["secrets.ha_password of edge-1", &a, &b]);
    }
}
