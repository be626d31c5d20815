//! Whether it is one router that a session was opened with, and on one interface.

use bootstrap::road::{RoadError, RoadTrouble};
use mactelnet::client::Answerers;
use mactelnet::io::Company;
use mactelnet::io::knock::{Manner, knock};

use super::trouble::conflict;
use super::{MacRoad, MacTarget, describe};
use crate::failure::{Failure, Result};

impl MacRoad {
    /// Refuses a session that two routers answer in, before anything is typed. Nobody waits for a second one: it must have
    /// answered by now. A START that was answered too often is looked into.
    pub async fn alone(
        &self,
        target: &MacTarget,
        interface: &str,
        company: &Company,
    ) -> std::result::Result<(), RoadError> {
        if target.either {
            return Ok(());
        }
        let said = match company.answerers() {
            Answerers::One => return Ok(()),
            Answerers::Two => format!("two routers answer to {}", target.mac),
            Answerers::Unsure => {
                let link = self.segment.open(interface).map_err(|failure| host(target, failure))?;
                let knocked = knock(&mut [link], target.mac, &self.segment.seed(), Manner::HOW_MANY).await;
                if !knocked.iter().any(mactelnet::io::knock::Knocked::twice) {
                    return Ok(());
                }
                format!("{} answers everything twice: there are two, or the network doubles every frame", target.mac)
            }
        };
        Err(conflict(target.mac, Some(interface), said))
    }

    /// Of several interfaces the one on which the router answers, for reading; also one that announces nothing.
    pub(super) async fn first_that_answers(
        &self,
        target: &MacTarget,
        names: Vec<String>,
    ) -> Result<std::result::Result<String, RoadError>> {
        let (mut links, mut opened, mut first) = (Vec::new(), Vec::new(), None);
        for name in &names {
            match self.segment.open(name) {
                Ok(link) => {
                    links.push(link);
                    opened.push(name.as_str());
                }
                Err(failure) => drop(first.get_or_insert(failure)),
            }
        }
        if let (true, Some(failure)) = (links.is_empty(), first) {
            return Err(failure);
        }
        let knocked = knock(&mut links, target.mac, &self.segment.seed(), Manner::WHERE).await;
        let answering: Vec<&str> =
            opened.iter().zip(&knocked).filter(|(_, knocked)| knocked.answered()).map(|(name, _)| *name).collect();
        Ok(match answering.as_slice() {
            [only] => Ok((*only).to_owned()),
            [first, ..] if target.either => Ok((*first).to_owned()),
            [] => Err(RoadError {
                trouble: RoadTrouble::Silent,
                code: "mactelnet.connect.unheard".into(),
                road: describe(target.mac, None),
                message: format!("{} does not answer on {}", target.mac, opened.join(", ")),
                hints: vec!["see who is there:  jumplead discover".into()],
            }),
            several => {
                let mut error =
                    conflict(target.mac, None, format!("{} answers on {}", target.mac, several.join(" and ")));
                error.hints.push(format!(
                    "if it is one router with two cables, name the interface:  {}",
                    describe(target.mac, several.first().copied())
                ));
                Err(error)
            }
        })
    }
}

fn host(target: &MacTarget, failure: Failure) -> RoadError {
    RoadError {
        trouble: RoadTrouble::Host,
        code: failure.code,
        road: describe(target.mac, target.interface.as_deref()),
        message: failure.message,
        hints: failure.hints,
    }
}
