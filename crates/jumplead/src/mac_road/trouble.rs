//! What went wrong with a session, as trouble of the road: each with what to type next.

use bootstrap::road::{RoadError, RoadTrouble};
use mactelnet::MacAddr;
use mactelnet::auth::Method;
use mactelnet::client::Error as ClientError;

use super::describe;

/// One MAC that is more than one router, or on more than one interface.
pub const CONFLICT: &str = "mactelnet.mac.conflict";

/// More than one router has this address, or more than one interface leads to it.
pub(super) fn conflict(mac: MacAddr, interface: Option<&str>, said: String) -> RoadError {
    let on = interface.map_or_else(String::new, |name| format!(" --interface {name}"));
    RoadError {
        trouble: RoadTrouble::WrongRouter,
        code: CONFLICT.into(),
        road: describe(mac, interface),
        message: said,
        hints: vec![
            format!("see who they are:  jumplead discover{on}"),
            "take the cable of the wrong one out, then try again".into(),
        ],
    }
}

pub(super) fn wrong(road: &str, code: &str, message: String) -> RoadError {
    RoadError { trouble: RoadTrouble::WrongRouter, code: code.into(), road: road.into(), message, hints: Vec::new() }
}

/// A session's failure as trouble of the road.
pub(super) fn trouble(road: &str, error: &ClientError) -> RoadError {
    let (trouble, hint) = match error {
        ClientError::NoAnswer { .. } => {
            (RoadTrouble::Silent, Some(format!("see whether it is there:  jumplead ping {road}")))
        }
        ClientError::Rejected { method: Method::EcSrp5, .. } => (
            RoadTrouble::LoginRefused,
            Some("boards made since about 2022 ship with the password printed on the label".into()),
        ),
        ClientError::Rejected { .. } => (
            RoadTrouble::LoginRefused,
            Some("this router asked for the old MD5 login; user and password are compared with case".into()),
        ),
        ClientError::UnknownUser { .. } => (RoadTrouble::LoginRefused, Some("name the user:  --user NAME".into())),
        ClientError::Downgrade { .. } => (
            RoadTrouble::LoginRefused,
            Some(format!(
                "if you are sure that this is the right router, write it as  '{road}?login=md5'  or login = \"md5\" in the site file"
            )),
        ),
        ClientError::WantsEcSrp5 => (
            RoadTrouble::LoginRefused,
            Some("this router asked for the newer login (EC-SRP5); use login = \"auto\"".into()),
        ),
        ClientError::Gap { .. } => (
            RoadTrouble::Transient,
            Some(format!("see how much is lost on the way, then try again:  jumplead ping {road} -c 20")),
        ),
        ClientError::LinkLost(_) => {
            (RoadTrouble::Transient, Some("see whether its cable is in and it is up:  jumplead doctor".into()))
        }
        error if error.is_transient() => (
            RoadTrouble::Transient,
            Some(format!("see whether it still answers, then try again:  jumplead ping {road}")),
        ),
        // A key or an answer that no router gives is a refused login.
        ClientError::Login(_) | ClientError::Reported(_) | ClientError::Unasked => (
            RoadTrouble::LoginRefused,
            Some(format!("see who answers there:  jumplead discover; jumplead ping {road}")),
        ),
        _ => (RoadTrouble::Fatal, Some("see what answers there:  jumplead discover".into())),
    };
    let mut hints: Vec<String> = hint.into_iter().collect();
    if let ClientError::EndedInLogin { asked: Method::Md5 } = error {
        hints.push("a router from 6.45.1 on wants the newer login (EC-SRP5); use login = \"auto\"".into());
    }
    RoadError { trouble, code: error.code().into(), road: road.into(), message: error.to_string(), hints }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What may well succeed later says what to type meanwhile, with the address of this very router.
    #[test]
    fn every_failure_of_a_session_has_a_next_command() {
        let (peer, waited) = (MacAddr([0x74, 0x4d, 0x28, 0, 0, 0x0b]), Duration::from_secs(15));
        let road = describe(peer, Some("eth1"));
        let transient = [
            ClientError::NoAnswer { peer, tries: 3, waited },
            ClientError::LoginStalled { waited },
            ClientError::EndedInLogin { asked: Method::EcSrp5 },
            ClientError::EndedInLogin { asked: Method::Md5 },
            ClientError::Silent { waited },
            ClientError::Unacknowledged { waited, tries: 9 },
            ClientError::Gap { missing: 5 },
        ];
        for error in transient {
            assert!(error.is_transient(), "{error:?}");
            let told = trouble(&road, &error);
            assert!(told.hints.iter().any(|hint| hint.contains(&format!("jumplead ping {road}"))), "{told:?}");
        }
        let others = [
            ClientError::TwoRouters { peer },
            ClientError::Rejected { method: Method::Md5, said: None },
            ClientError::Rejected { method: Method::EcSrp5, said: None },
            ClientError::UnknownUser { method: Method::EcSrp5 },
            ClientError::Downgrade { reason: String::new() },
            ClientError::WantsEcSrp5,
            ClientError::Reported("no".into()),
        ];
        let lost = trouble(&road, &ClientError::LinkLost("Network is down".into()));
        assert!(
            lost.trouble == RoadTrouble::Transient && lost.hints.iter().any(|hint| hint.contains("jumplead doctor"))
        );
        for error in others {
            assert!(!error.is_transient() && !trouble(&road, &error).hints.is_empty(), "{error:?}");
        }
    }
}
