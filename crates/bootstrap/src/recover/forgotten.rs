//! A password that nobody knows: what is possible on this board, and what it costs. Nobody logs in, and nothing is changed.

use super::access::Access;
use super::find::{Found, line};
use super::known::{Earlier, Who};
use crate::facts;
use crate::pair::Users;
use crate::road::Purpose;
use crate::store::Store;
use routeros::wake::State;

/// What could be seen without the password.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// A line each, for people.
    pub lines: Vec<String>,
    /// The boot loader's menu is open.
    pub menu: bool,
    /// Its boot loader is protected, by what an earlier run saw. `None`: not known.
    pub protected: Option<bool>,
    /// It belongs to a pair, as far as was said.
    pub of_pair: bool,
    /// The other member is the active. `None`: not asked, or no answer.
    pub other_is_active: Option<bool>,
}

/// Looks at its line, at the other member, at what earlier runs saved.
pub async fn look(access: &Access<'_>, store: &dyn Store) -> Seen {
    let mut seen = Seen { of_pair: access.pair.is_some(), ..Seen::default() };
    let mut serial = access.pair.and_then(|(pair, member)| pair.site.member(member).serial_number.clone());
    let mut did = Vec::new();
    let found = line(access, &mut did).await;
    seen.lines.append(&mut did);
    match found {
        Ok(Some(Found::Line { state, board, diagnosis, .. })) => {
            seen.menu = matches!(state, State::Menu(_));
            seen.lines.push(format!("on its line: {}", diagnosis.says));
            for name in ["board type", "serial number", "firmware version"] {
                seen.lines.extend(board.get(name).map(|value| format!("{name}: {}", crate::evidence::escape(value))));
            }
            serial = board.get("serial number").map(str::to_owned).or(serial);
        }
        Ok(Some(Found::Router { .. })) => {}
        Ok(None) if access.line_first => {
            seen.lines.push("on its line: it is up, a login or a session stands there".into())
        }
        Ok(None) => seen
            .lines
            .push("no serial line is among its roads, or it is up there: its boot loader was not asked".into()),
        Err(trouble) => seen.lines.push(format!("its line could not be looked at: {}", trouble.message)),
    }
    if let Some((pair, member)) = access.pair {
        match pair.look(member.other(), Purpose::Read, Users::OfA).await {
            Ok(look) => {
                let active = look.facts.is_active();
                seen.other_is_active = Some(active);
                let role = if active { "the active" } else { "not the active" };
                seen.lines
                    .push(format!("the other member answers: {role}, {}, {}", look.facts.board, look.facts.version));
                if facts::protected(&look.connection.shell).await.unwrap_or_default() == Some(true) {
                    seen.lines.push("its boot loader is protected; ask whether this one's is, too".into());
                }
                pair.roads.give_back(look.connection).await;
            }
            Err(trouble) => seen.lines.push(format!("the other member was not reached: {}", trouble.message)),
        }
    }
    let mac = access.pair.map(|(pair, member)| pair.site.member(member).ha_mac.to_string());
    let who = Who { serial: serial.as_deref(), mac: mac.as_deref(), target: &access.target };
    match Earlier::find(store, &who) {
        Some(earlier) => seen.earlier(&earlier),
        None => seen.lines.push("no earlier run on this host has saved what it is".into()),
    }
    seen
}

impl Seen {
    fn earlier(&mut self, earlier: &Earlier) {
        let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "not told".into());
        self.lines.push(format!(
            "run {} saw: {}, RouterOS {}, protected-routerboot {}, device-mode {}",
            earlier.run,
            told(&earlier.board),
            told(&earlier.version),
            match earlier.protected {
                Some(true) => "ENABLED",
                Some(false) => "disabled",
                None => "not told",
            },
            told(&earlier.device_mode),
        ));
        // A menu that is open hears keys, whatever was so once.
        self.protected = if self.menu { Some(false) } else { earlier.protected };
    }

    /// What is possible, and what it costs.
    pub fn says(&self, access: &Access<'_>) -> Vec<String> {
        self.said(&access.recover("etherboot"), &access.pair_word())
    }

    fn said(&self, etherboot: &str, pair: &str) -> Vec<String> {
        let mut says: Vec<String> = self.lines.iter().map(|line| format!("seen   {line}")).collect();
        says.push("A password can't be read back from a router, over no line.".into());
        says.push("1  It may be another: the label's (boards that have one printed go back to it when they are erased; others to none, and".into());
        says.push("   RouterOS 6.49 and later then asks for a new one), the site file's, the other member's (after a sync it is the active's).".into());
        let erases = "this router's configuration, an hour; data cables out meanwhile";
        match (self.of_pair, self.other_is_active) {
            (_, Some(true)) => {
                says.push("2  The other member is the active and answers: nothing is lost by erasing this one; the active gives everything back.".into());
            }
            (true, Some(false)) => {
                says.push("2  THE OTHER MEMBER IS NOT THE ACTIVE: this one may be, and forwards without a password. Don't touch it; bring the other one up first.".into());
            }
            (true, None) => {
                says.push("2  The other member was not reached: until it is known to be the active, this one may be. Then don't touch it: it goes on forwarding.".into());
            }
            (false, _) => {
                says.push("2  Is it the standby of a pair?  --as PAIR/b  looks at the active. Is it the active, or alone: it goes on forwarding; erasing loses all.".into());
            }
        }
        if self.protected == Some(true) {
            says.push("3  ITS BOOT LOADER IS PROTECTED (Protected RouterBOOT): it takes no key, no Etherboot and no short button. The admin's password, or".into());
            says.push(format!(
                "   the button held for the time that was set (20 s to 10 min), which erases everything. Cost: {erases}."
            ));
        } else {
            says.push("3  The button: power off, hold it, power on, let go when its LED begins to flash (about 5 s): the configuration is erased.".into());
            says.push(format!("   Then:  jumplead bootstrap {pair}    Cost: {erases}."));
            let way = if self.menu {
                "its menu is open: no button is needed"
            } else {
                "with the button, or its boot loader's menu"
            };
            says.push(format!(
                "4  A network installation with -e, on a cable to the port marked BOOT (ether1), {way}:"
            ));
            says.push(format!("   {etherboot} --plan-only    Cost: everything on it; the licence stays."));
            if self.protected.is_none() {
                says.push("Protected RouterBOOT is not known here (an LED that goes on and off each second tells it): then neither 3 nor 4 helps, only the".into());
                says.push("   admin's password, or the button held for the time that was set (20 s to 10 min), which erases everything.".into());
            }
        }
        says.push("Device-mode: it needs the button or a power cut within its time; three failed attempts lock it; no line can change it.".into());
        says
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_possible_depends_on_what_was_seen() {
        let text = |seen: Seen| seen.said("jumplead recover edge-1/b etherboot", "edge-1").join("\n");
        let unknown = text(Seen::default());
        assert!(unknown.contains("--as PAIR/b") && unknown.contains("is not known here"), "{unknown}");
        let standby = text(Seen { of_pair: true, other_is_active: Some(true), ..Seen::default() });
        assert!(standby.contains("nothing is lost by erasing this one"), "{standby}");
        let active = text(Seen { of_pair: true, other_is_active: Some(false), ..Seen::default() });
        assert!(active.contains("Don't touch it") && !active.contains("nothing is lost"), "{active}");
        let earlier = Earlier { run: "r".into(), protected: Some(true), ..Earlier::default() };
        let mut shut = Seen::default();
        shut.earlier(&earlier);
        let protected = text(shut);
        assert!(protected.contains("IS PROTECTED") && !protected.contains("etherboot"), "{protected}");
        let mut open = Seen { menu: true, ..Seen::default() };
        open.earlier(&earlier);
        assert!(text(open).contains("its menu is open"));
    }
}
