//! Looks at both members before anything is planned.

use crate::facts;
use crate::ha::PASSWORD_OF_PAIR;
use crate::pair::{Pair, Users};
use crate::preflight::Survey;
use crate::proof::Target;
use crate::road::Purpose;
use crate::site::Sync;
use crate::state::State;
use crate::target::Member;
use crate::trouble::Trouble;
use routeros::text::quote;
use routeros::{Command, Outcome, Shell};

/// Reads both members' facts. Changes nothing.
///
/// # Errors
/// Trouble with a road, a login or a console. Who a router is, is a check, not trouble, as long as a console answered.
pub async fn survey(pair: &Pair<'_>) -> Result<Survey, Trouble> {
    // It only reads, but its login shows a proof of the password: to nobody who is not known to be alone with that address.
    let a_console = pair.open(Member::A, Purpose::Write, Users::OfA).await?;
    let a = facts::read(&a_console.shell, &pair.site.ha_interface).await.map_err(of(Member::A))?;
    let a_proof = Target::prove(pair.site, Member::A, &a, &a_console.evidence);
    // Scripts that were put there and never installed say nothing: a check tells that, before any of them is run.
    let has = |name: &str| a.ha.is_some() && a.scripts.iter().any(|script| script == name);
    let a_password_fits = if has("ha_config") { password_fits(pair, &a_console.shell).await? } else { None };
    let a_version = match has("ha_setconfigver") {
        true => Some(facts::active_version(&a_console.shell).await.map_err(of(Member::A))?),
        false => None,
    };
    let lists = match pair.site.sync {
        Sync::Quiet => "ha_quietlist",
        Sync::Backup => "ha_filelist",
    };
    let not_carried = match has(lists) {
        true => facts::not_carried(&a_console.shell, pair.site.sync).await.map_err(of(Member::A))?,
        false => Vec::new(),
    };
    let a_loop_protect = match pair.site.sync {
        Sync::Backup => {
            let asked = facts::loop_protected(&a_console.shell, &pair.site.ha_interface).await;
            asked.map_err(of(Member::A))?
        }
        Sync::Quiet => Vec::new(),
    };
    let a_marker = super::marker::on(&a_console.shell).await.map_err(of(Member::A))?;
    let a_marker = a_marker.map(|marker| {
        let own = marker.is_by(&pair.who);
        (marker, own)
    });
    let a_road = a_console.road.clone();
    let mut weak_logins: Vec<Member> = a_console.evidence.weak_login.then_some(Member::A).into_iter().collect();
    pair.roads.give_back(a_console).await;

    let b_console = pair.open(Member::B, Purpose::Write, Users::Own).await?;
    let mut b = facts::read(&b_console.shell, &pair.site.ha_interface).await.map_err(of(Member::B))?;
    b.silent_boot = facts::silent_boot(&b_console.shell).await.map_err(of(Member::B))?;
    let b_proof = Target::prove(pair.site, Member::B, &b, &b_console.evidence);
    let standby = b_proof.as_ref().is_ok_and(|target| target.state() == State::Standby);
    let b_version = match standby {
        true => facts::standby_version(&b_console.shell).await.map_err(of(Member::B))?,
        false => None,
    };
    let b_road = b_console.road.clone();
    weak_logins.extend(b_console.evidence.weak_login.then_some(Member::B));
    pair.roads.give_back(b_console).await;
    Ok(Survey {
        a,
        a_proof,
        a_password_fits,
        a_version,
        a_loop_protect,
        a_marker,
        not_carried,
        b,
        b_proof,
        b_version,
        weak_logins,
        roads: (a_road, b_road),
    })
}

/// What went wrong on a console, with whose console it was.
fn of(member: Member) -> impl Fn(routeros::Error) -> Trouble {
    move |error| {
        let trouble = Trouble::from(error);
        Trouble { message: format!("router {member}: {}", trouble.message), ..trouble }
    }
}

/// Whether A's scripts have our HA password: A compares, so that its own never travels.
async fn password_fits(pair: &Pair<'_>, a: &Shell) -> Result<Option<bool>, Trouble> {
    let mut command = Command::new(format!(
        "/system script run ha_config; {PASSWORD_OF_PAIR}; :put (\"fits=\" . ($p = {}))",
        quote(pair.secrets.ha.reveal())
    ));
    command.private = true;
    Ok(match a.exec(command).await.map_err(of(Member::A))? {
        Outcome::Done(output) if output.text.contains("fits=true") => Some(true),
        Outcome::Done(output) if output.text.contains("fits=false") => Some(false),
        Outcome::Done(_) | Outcome::Refused(_) => None,
        unknown @ Outcome::Unknown(_) => return Err(unknown.done().err().map_or_else(unknown_bug, of(Member::A))),
    })
}

fn unknown_bug() -> Trouble {
    Trouble::new(crate::trouble::Kind::Bug, "bootstrap.bug", "an unknown outcome had no cause")
}
