//! The right router, as a type: nothing acts on a router without one of these.

use crate::facts::Facts;
use crate::mac::Mac;
use crate::road::Evidence;
use crate::site::Site;
use crate::state::{State, classify};
use crate::target::Member;

/// A router that has been proved to be the member that the site file means. Made by [`Target::prove`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    member: Member,
    mac: Mac,
    serial: Option<String>,
    state: State,
    /// The site file names one.
    serial_named: bool,
    serial_checked: bool,
    used: Vec<&'static str>,
    missing: Vec<&'static str>,
}

/// Why a router is not the one that is meant. Nothing was changed on it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No port of that default-name.
    #[error("router {member} has no port {interface}")]
    NoPort {
        /// The member that was meant.
        member: Member,
        /// The default-name.
        interface: String,
    },
    /// Its own console reports another address for the HA port.
    #[error("this is not router {member}: its {interface} is {found}, the site file says {expected}")]
    WrongMac {
        /// The member that was meant.
        member: Member,
        /// The default-name.
        interface: String,
        /// The site file's.
        expected: Mac,
        /// The console's, where it reports one.
        found: String,
    },
    /// Layer 2 and the console do not agree.
    #[error("router {member}: its {what} carries {found}, its console says {expected}")]
    Layer2 {
        /// The member that was meant.
        member: Member,
        /// Frames or announcement.
        what: &'static str,
        /// The console's.
        expected: Mac,
        /// The wire's.
        found: Mac,
    },
    /// Another serial number.
    #[error("this is not router {member}: its serial number is {found}, the site file says {expected}")]
    WrongSerial {
        /// The member that was meant.
        member: Member,
        /// The site file's.
        expected: String,
        /// The console's.
        found: String,
    },
    /// It may not be erased: it is a pair's active.
    #[error("router {member} is the active of a pair and is never erased")]
    Active {
        /// The member.
        member: Member,
    },
    /// It may not be erased: its serial number is not known or was not named.
    #[error("router {member} is erased only when its serial number is in the site file and is confirmed")]
    SerialNotConfirmed {
        /// The member.
        member: Member,
    },
}

impl ProofError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoPort { .. } => "bootstrap.proof.no-port",
            Self::WrongMac { .. } => "bootstrap.proof.wrong-mac",
            Self::Layer2 { .. } => "bootstrap.proof.layer2",
            Self::WrongSerial { .. } => "bootstrap.proof.wrong-serial",
            Self::Active { .. } => "bootstrap.proof.active",
            Self::SerialNotConfirmed { .. } => "bootstrap.proof.serial",
        }
    }
}

impl Target {
    /// Compares everything that is known about who this is. Whatever is missing is noted, never assumed.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn prove(site: &Site, member: Member, facts: &Facts, evidence: &Evidence) -> Result<Self, ProofError> {
        let expected = site.member(member);
        let interface = &site.ha_interface;
        let port = facts.port(interface).ok_or_else(|| ProofError::NoPort { member, interface: interface.clone() })?;
        let mac = match port.orig_mac {
            Some(mac) if mac == expected.ha_mac => mac,
            found => {
                return Err(ProofError::WrongMac {
                    member,
                    interface: interface.clone(),
                    expected: expected.ha_mac,
                    found: found.map_or_else(|| "not reported".to_owned(), |mac| mac.to_string()),
                });
            }
        };
        let mut used = vec!["console's orig-mac-address"];
        let mut missing = Vec::new();
        for (what, seen) in [("frames", evidence.frame_mac), ("announcement", evidence.announced_mac)] {
            match seen {
                // A road may lead to another port of the router than the HA port; then it must be a port that it has.
                Some(seen) if seen == mac || facts.has_mac(seen) => used.push(what),
                Some(found) => return Err(ProofError::Layer2 { member, what, expected: mac, found }),
                None => missing.push(what),
            }
        }
        let serial_checked = match (&expected.serial_number, &facts.serial) {
            (Some(expected), Some(found)) if !expected.eq_ignore_ascii_case(found) => {
                return Err(ProofError::WrongSerial { member, expected: expected.clone(), found: found.clone() });
            }
            (Some(_), Some(_)) => true,
            _ => false,
        };
        if serial_checked {
            used.push("serial number");
        } else {
            missing.push("serial number");
        }
        let state = classify(facts, member, interface);
        let serial_named = expected.serial_number.is_some();
        Ok(Self { member, mac, serial: facts.serial.clone(), state, serial_named, serial_checked, used, missing })
    }

    /// The member that it is.
    pub fn member(&self) -> Member {
        self.member
    }

    /// `orig-mac-address` of its HA port.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// Its state when it was proved.
    pub fn state(&self) -> State {
        self.state
    }

    /// The evidence that agrees.
    pub fn used(&self) -> &[&'static str] {
        &self.used
    }

    /// The evidence that could not be had.
    pub fn missing(&self) -> &[&'static str] {
        &self.missing
    }

    /// This router may be erased: not an active, and its serial number (of a board without one: the address of its HA port) is
    /// both in the site file and named by the confirmation.
    ///
    /// # Errors
    /// [`ProofError::Active`], [`ProofError::SerialNotConfirmed`].
    pub fn erasable(&self, confirmed: &str) -> Result<Erasable<'_>, ProofError> {
        let member = self.member;
        if self.state == State::Active {
            return Err(ProofError::Active { member });
        }
        let name = self.erase_name();
        let named = match &self.serial {
            Some(_) => self.serial_checked && confirmed == name,
            // One that the site file names and the router does not say is no proof of anything.
            None => !self.serial_named && confirmed == name,
        };
        if named { Ok(Erasable(self)) } else { Err(ProofError::SerialNotConfirmed { member }) }
    }

    /// A confirmation that names it could ever be enough: a board's serial number has to be in the site file, too.
    pub fn can_be_confirmed(&self) -> bool {
        self.serial_checked || self.serial.is_none() && !self.serial_named
    }

    /// The site file names a serial number, and the router says none.
    pub fn hides_serial(&self) -> bool {
        self.serial_named && self.serial.is_none()
    }

    /// What a confirmation of erasing it must name.
    pub fn erase_name(&self) -> String {
        self.serial.clone().unwrap_or_else(|| self.mac.to_string())
    }
}

/// A router that may be erased. Lives no longer than the proof that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasable<'t>(&'t Target);

impl Erasable<'_> {
    /// The proof.
    pub fn target(&self) -> &Target {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::tests::EDGE_1;
    use crate::state::tests::{active, erased};

    #[test]
    fn every_piece_of_evidence_must_agree_and_none_is_assumed() {
        let site = Site::parse(EDGE_1).unwrap();
        let facts = erased("7F0002", 0x0b);
        let target = Target::prove(&site, Member::B, &facts, &Evidence::default()).unwrap();
        assert_eq!(target.used(), ["console's orig-mac-address", "serial number"]);
        assert_eq!(target.missing(), ["frames", "announcement"]);
        assert!(target.erasable("7F0002").is_ok());
        assert!(target.erasable("0002").is_err() && target.erasable("").is_err());

        let mac = target.mac();
        let all = Evidence { frame_mac: Some(mac), announced_mac: Some(mac), ..Evidence::default() };
        assert_eq!(Target::prove(&site, Member::B, &facts, &all).unwrap().missing(), [""; 0]);
        let clone = Evidence { frame_mac: Some(site.a.ha_mac), ..all };
        assert_eq!(Target::prove(&site, Member::B, &facts, &clone).unwrap_err().code(), "bootstrap.proof.layer2");
        // A's console at the end of a road that should lead to B
        let wrong = Target::prove(&site, Member::B, &active(), &Evidence::default()).unwrap_err();
        assert_eq!(wrong.code(), "bootstrap.proof.wrong-mac");
        let replaced = erased("7F0999", 0x0b);
        let wrong = Target::prove(&site, Member::B, &replaced, &Evidence::default()).unwrap_err();
        assert_eq!(wrong.code(), "bootstrap.proof.wrong-serial");
    }

    #[test]
    fn an_active_is_never_erasable_whatever_is_typed() {
        let mut site = Site::parse(EDGE_1).unwrap();
        std::mem::swap(&mut site.a, &mut site.b);
        let target = Target::prove(&site, Member::B, &active(), &Evidence::default()).unwrap();
        assert!(matches!(target.erasable("7F0001"), Err(ProofError::Active { .. })));
    }

    #[test]
    fn a_serial_number_that_the_site_file_lacks_does_not_count() {
        let mut site = Site::parse(EDGE_1).unwrap();
        site.b.serial_number = None;
        let target = Target::prove(&site, Member::B, &erased("7F0002", 0x0b), &Evidence::default()).unwrap();
        assert!(target.erasable("7F0002").is_err());
        let mut facts = erased("7F0002", 0x0b);
        facts.serial = None;
        let target = Target::prove(&site, Member::B, &facts, &Evidence::default()).unwrap();
        assert!(target.erasable("74:4D:28:00:00:0B").is_ok(), "a board without serial number is named by its address");
    }
}
