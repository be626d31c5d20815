//! `recover`: one router in trouble: what is seen, a plan, one question, what was done and what it proved. And the page for
//! the person who stands beside the router.

use bootstrap::engine::Options;
use bootstrap::path::{Confirmation, Start, keep_plan};
use bootstrap::plan::Plan;
use bootstrap::recover::{self, Access, Asked, Procedure, Rescue, Subject};
use bootstrap::render;
use bootstrap::store::{DirStore, RunId};
use bootstrap::target::TargetUrl;
use serde_json::json;
use tokio::sync::watch;

use super::bootstrap::{WallClock, go_ahead, interruptible};
use super::change::{Screen, finish, from_trouble, not_resumed, unless_stopped};
use super::{config, diagnose};
use crate::access::with_access;
use crate::cli::{Global, RescueOptions};
use crate::failure::{Exit, Failure, Result};
use crate::output::Output;
use crate::{folders, term};

/// `recover TARGET [PROCEDURE]`
pub async fn run(
    out: &Output,
    global: &Global,
    target: &str,
    procedure: Option<Procedure>,
    rescue: &RescueOptions,
) -> Result {
    if procedure == Some(Procedure::Password) {
        return password(out, global, target, rescue).await;
    }
    let mut store = DirStore::new(folders::state(global.state_dir.as_deref())?);
    let new_ha = rescue.new_ha_password.as_deref();
    with_access(out, global, target, rescue.member_of.as_deref(), new_ha, async |access| {
        let mut screen = Screen::new(out);
        let ended =
            interruptible(async |stop| go(out, global, access, &mut store, &mut screen, procedure, rescue, stop).await);
        match ended.await {
            Some(ended) => ended,
            None => Err(screen.left_at_once()),
        }
    })
    .await
}

#[expect(clippy::too_many_arguments, reason = "what one command needs, each once")]
async fn go(
    out: &Output,
    global: &Global,
    access: &Access<'_>,
    store: &mut DirStore,
    screen: &mut Screen,
    procedure: Option<Procedure>,
    options: &RescueOptions,
    mut stop: watch::Receiver<bool>,
) -> Result {
    let asked = Asked {
        cloned_window: options.accept_cloned_window,
        netinstall: options.netinstall.clone(),
        package: options.package.clone(),
        architecture: options.architecture.clone(),
        interface: options.boot_interface.clone(),
        new_password: options.new_ha_password.clone(),
    };
    if procedure == Some(Procedure::Netinstall) {
        there(&asked)?;
    }
    let prepared = recover::prepare(access, store, &WallClock, procedure, &asked);
    let still = format!(
        "still looking at {}; one that restarts again and again is waited for, up to {} minutes. Nothing was changed; Ctrl-C stops",
        access.target,
        recover::PATIENCE.as_secs() / 60
    );
    let prepared = out.patiently(&still, prepared);
    let prepared = unless_stopped(&mut stop, prepared).await?.map_err(|trouble| from_trouble(&trouble))?;
    let Rescue { diagnosis, fits, plan, .. } = &prepared;
    let Some(mut plan) = plan.clone() else {
        if !out.json {
            diagnose::show(out, diagnosis);
            for procedure in fits {
                out.data(format!("  fits   {:17} {}", procedure.name(), procedure.says()));
            }
        }
        let names: Vec<&str> = fits.iter().map(|one| one.name()).collect();
        out.object(json!({"diagnosis": diagnosis, "twice": prepared.twice, "procedures": names}), &[]);
        out.say(format!("Nothing was changed. Next:  jumplead recover {} {} --plan-only", access.target, names[0]));
        return Ok(());
    };
    if let Some(subject) = &mut plan.subject {
        subject.member_of.clone_from(&options.member_of);
    }
    show(out, screen, &prepared, &plan, options.plan_only);
    keep_plan(store, &plan).map_err(|error| Failure::new(Exit::LacksRight, error.code(), error.to_string()))?;
    let again = again(access, &plan);
    if options.plan_only {
        out.object(json!({"plan": plan, "diagnosis": diagnosis}), &[]);
        out.say(format!("Nothing was changed. Next:  {again} --confirm {}", plan.fingerprint));
        return Ok(());
    }
    let fingerprint = match &options.confirm {
        Some(given) => given.clone(),
        None if options.dry_run => plan.fingerprint.clone(),
        None if global.non_interactive || out.json || !term::interactive() => {
            return Err(Failure::new(
                Exit::Usage,
                "recover.confirm",
                "a plan has to be confirmed, and there is nobody to ask",
            )
            .hint(format!("go ahead with exactly this plan:  {again} --confirm {}", plan.fingerprint)));
        }
        None if unless_stopped(&mut stop, go_ahead(&plan)).await? => plan.fingerprint.clone(),
        None => return Err(Failure::new(Exit::PreflightRefused, "recover.confirm", "the plan was not confirmed")),
    };
    let confirmation = Confirmation { fingerprint, serial: None };
    let options = Options { dry_run: options.dry_run, ..Options::default() };
    let start = Start { store, clock: &WallClock, sink: screen, stop, options };
    finish(recover::run(access, &plan, &confirmation, start).await)
}

/// `resume` of a run that was a rescue.
pub async fn resume(out: &Output, global: &Global, run: &RunId, subject: &Subject, dry_run: bool) -> Result {
    let mut store = DirStore::new(folders::state(global.state_dir.as_deref())?);
    let new_ha = subject.new_password.as_deref();
    with_access(out, global, &subject.target, subject.member_of.as_deref(), new_ha, async |access| {
        let mut screen = Screen::new(out);
        let ended = interruptible(async |stop| {
            let options = Options { dry_run, ..Options::default() };
            let start = Start { store: &mut store, clock: &WallClock, sink: &mut screen, stop, options };
            recover::resume(access, run.clone(), start).await
        });
        match ended.await {
            Some(Ok(end)) => finish(end),
            Some(Err(error)) => {
                let anew = format!("jumplead recover {} {} --plan-only", subject.target, subject.procedure);
                Err(not_resumed(&error, &anew))
            }
            None => Err(screen.left_at_once()),
        }
    })
    .await
}

fn again(access: &Access<'_>, plan: &Plan) -> String {
    let procedure = plan.subject.as_ref().map_or("", |subject| subject.procedure.name());
    let member_of = plan.subject.as_ref().and_then(|subject| subject.member_of.as_ref());
    let member_of = member_of.map_or_else(String::new, |pair| format!(" --as {pair}"));
    let new_ha = plan.subject.as_ref().and_then(|subject| subject.new_password.as_ref());
    let new_ha = new_ha.map_or_else(String::new, |reference| format!(" --new-ha-password {}", quoted(reference)));
    format!("jumplead recover {} {procedure}{member_of}{new_ha}", access.target)
}

/// As one word of a shell.
fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A program or package that is missing is said before the board is touched.
fn there(asked: &Asked) -> Result {
    for file in [&asked.netinstall, &asked.package].into_iter().flatten() {
        if !std::path::Path::new(file).is_file() {
            return Err(Failure::new(Exit::Usage, "recover.netinstall", format!("there is no file {file}")));
        }
    }
    Ok(())
}

fn show(out: &Output, screen: &mut Screen, prepared: &Rescue, plan: &Plan, as_data: bool) {
    if out.json {
        return;
    }
    if as_data {
        diagnose::show(out, &prepared.diagnosis);
        render::plan(plan).iter().for_each(|line| out.data(&line.text));
    } else if !out.quiet {
        out.say(format!("Seen   {:?}: {}", prepared.diagnosis.state, prepared.diagnosis.says));
        prepared.diagnosis.evidence.iter().for_each(|line| out.say(format!("       {line}")));
        render::plan(plan).iter().for_each(|line| screen.line(line));
    }
}

/// What is possible without the password. Nobody is asked for one, and nobody logs in on the router.
async fn password(out: &Output, global: &Global, target: &str, rescue: &RescueOptions) -> Result {
    let store = DirStore::new(folders::state(global.state_dir.as_deref())?);
    let unasked = Global { non_interactive: true, ..global.clone() };
    with_access(out, &unasked, target, rescue.member_of.as_deref(), None, async |access| {
        let seen = out.patiently("still looking at its line; nothing is changed", recover::look(access, &store)).await;
        let says = seen.says(&access.target);
        out.object(json!({"seen": seen.lines, "password": says}), &[]);
        if !out.json {
            says.iter().for_each(|line| out.data(line));
        }
        Ok(())
    })
    .await
}

/// The page for the person who stands beside the router. No router is asked.
pub fn sheet(out: &Output, target: &str) -> Result {
    let url: Option<TargetUrl> = target.parse().ok();
    let mut lines = vec!["REMOTE HANDS: one router, read each line aloud before you do it".to_owned(), String::new()];
    let mut port = "ether8".to_owned();
    if let Some(TargetUrl::Pair { pair, member }) = url {
        let site = config::load(&pair)?;
        let entry = site.member(member);
        port.clone_from(&site.ha_interface);
        let serial = entry.serial_number.clone().unwrap_or_else(|| "NOT IN THE SITE FILE: read it aloud first".into());
        lines.push(format!("The router:   {member} of pair {}", site.name));
        lines.push(format!("Its label:    S/N {serial}"));
        lines.push(format!("              MAC of {port}: {}", entry.ha_mac));
    } else {
        lines.push(format!(
            "The router:   {}",
            target.chars().filter(|c| !c.is_control()).take(120).collect::<String>()
        ));
        lines.push("Its label:    S/N ____________   first MAC ____________".into());
    }
    lines.extend(
        [
            "",
            " 1  Read the serial number letter by letter. Is it not the one above: STOP, touch nothing.",
            " 2  Say which LEDs are on: power, and each port with a cable. One that goes on and off each second: say so, the",
            "    boot loader is protected and no cable will help.",
            " 3  Data cables (every port but the HA port): take a photo, then pull them out. NOT from the other router.",
        ]
        .map(str::to_owned),
    );
    lines.push(format!(" 4  The HA cable stays: {port} to {port} of the other router. Is its LED on?"));
    lines.extend(
        [
            " 5  Console cable: RJ45 socket marked CONSOLE or SERIAL with a Cisco cable, or DB9 with a null-modem cable.",
            "    Never from one router's console to the other's.",
            " 6  For a network installation: a cable from the port marked BOOT (ether1) to the laptop. No other port boots.",
            " 7  Only when told: power off, count to ten, power on. Once. Then hands off: no key, no button.",
            "    The button erases when it is held. Do not hold it.",
            " 8  Data cables go back in only when told, in the order of the photo.",
        ]
        .map(str::to_owned),
    );
    if out.json {
        out.object(json!({"sheet": lines}), &[]);
    } else {
        lines.iter().for_each(|line| out.data(line));
    }
    Ok(())
}
