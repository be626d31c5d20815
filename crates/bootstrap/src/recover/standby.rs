//! Plans for a standby that failed: mended in place, its backup loaded, or held.

use super::access::Access;
use super::plan::{Asked, Draft, Subject, refuse};
use crate::facts::Facts;
use crate::plan::{Act, Effect, REBOOT_LIMIT_S, STEP_LIMIT_S};
use crate::trouble::Trouble;

/// The standby's own backup, as `ha_saveown` writes it.
pub(super) const OWN_BACKUP: &str = "HA_own.backup";
/// What was pushed to it: the active's.
pub(super) const PUSHED_BACKUP: &str = "HA_b2s.backup";

pub(super) fn repair(draft: &mut Draft, subject: &mut Subject) {
    draft.change(Act::ClosePorts, "data ports closed");
    draft.change(Act::HaPort, "HA port on, with its own MAC");
    draft.change(Act::HaUser, "the HA password, the user ha, FTP");
    draft.look(Act::Peer, "the active answers on the HA cable");
    let title = if subject.ours { "run its startup again, in place" } else { "HA address and VRRP on" };
    draft.step(Act::Startup, title, Effect::Reversible, REBOOT_LIMIT_S);
    draft.step(Act::VerifyStandby, "prove it: standby, ports closed, own MAC", Effect::ReadOnly, STEP_LIMIT_S);
    draft.note("it is not restarted; data ports stay closed all the time");
    draft.note("without the active's answer VRRP stays off: alone it would open its data ports");
    older(subject);
}

/// What a standby has that was mended or restored may be older than the active's configuration.
fn older(subject: &mut Subject) {
    if subject.ours {
        subject
            .afterwards
            .push("where it holds another version than the active, on the active:  $HASyncStandby".into());
    }
}

/// A file of the router by its name; below flash/ where only that lasts.
pub(super) fn file<'a>(files: &'a [String], name: &str) -> Option<&'a String> {
    files.iter().find(|file| file.strip_prefix("flash/").unwrap_or(file) == name)
}

pub(super) fn known_good(
    draft: &mut Draft,
    subject: &mut Subject,
    facts: Option<&Facts>,
    asked: &Asked,
) -> Result<(), Trouble> {
    let named = |name: &str| file(facts.map(|facts| facts.files.as_slice()).unwrap_or_default(), name).cloned();
    let has = |name: &str| named(name).is_some();
    let backup = if has(OWN_BACKUP) {
        draft.note("HA_own.backup is this standby's own: ports off, own MACs; it speaks for nobody while it starts");
        OWN_BACKUP
    } else if has(PUSHED_BACKUP) && asked.cloned_window {
        draft.note("HA_b2s.backup IS THE ACTIVE'S: while it starts, this router speaks with the active's MACs and addresses on every");
        draft.note("cabled data port, for up to 15 s. Its data cables must be OUT, or its switch ports shut");
        PUSHED_BACKUP
    } else {
        let why = if has(PUSHED_BACKUP) {
            "it has no backup of its own; HA_b2s.backup is the active's, and opens the window of cloned MACs"
        } else {
            "there is no HA_own.backup on it"
        };
        return Err(refuse("recover.no-backup", why)
            .hint("pull its data cables, then accept that window:  --accept-cloned-window")
            .hint("or repair it in place, without a restart:  repair"));
    };
    subject.backup = named(backup);
    draft.change(Act::ClosePorts, "data ports closed");
    if subject.keeps_secret() {
        draft.change(Act::HaUser, "the HA password, which opens the backup");
    }
    draft.step(Act::LoadBackup, &format!("LOAD {backup}, restart"), Effect::PointOfNoReturn, REBOOT_LIMIT_S);
    draft.step(Act::VerifyStandby, "wait for it; prove it", Effect::ReadOnly, REBOOT_LIMIT_S);
    draft.note("its configuration becomes the backup's; files stay");
    older(subject);
    Ok(())
}

pub(super) fn quarantine(draft: &mut Draft, subject: &mut Subject, access: &Access<'_>) {
    draft.change(Act::ClosePorts, "data ports closed");
    draft.change(Act::Quarantine, "VRRP and FTP off, startup held, identity marked");
    draft.note("it stays so over its next starts; FTP is off so that the active pushes nothing to it");
    let back = "back, when the cause is gone:  /system scheduler enable [find name~\"^ha_\"], then restart it once";
    draft.note(back);
    subject.afterwards.push(back.to_owned());
    subject.afterwards.push(format!("or in place, once:  {}", access.recover("repair")));
}
