//! `recover`: one router in trouble: what is seen, a plan, one question, what was done and what it proved. And the page for
//! the person who stands beside the router.

use bootstrap::diagnosis::Name;
use bootstrap::engine::Options;
use bootstrap::path::{Confirmation, Start, keep_plan};
use bootstrap::plan::Plan;
use bootstrap::recover::{self, Access, Asked, Login, Procedure, Rescue, Subject};
use bootstrap::render;
use bootstrap::store::{DirStore, RunId};
use bootstrap::target::{Member, TargetUrl, quoted};
use serde_json::json;
use tokio::sync::watch;

use super::bootstrap::{WallClock, go_ahead, interruptible};
use super::change::{Screen, finish, from_trouble, not_resumed, repeated, unless_stopped};
use super::{config, diagnose, picked_up, runs};
use crate::access::{Wants, with_access};
use crate::cli::{Global, RescueOptions};
use crate::failure::{Exit, Failure, Result};
use crate::output::Output;
use crate::{folders, reach, term};

/// `linux/if.h`
const IFF_UP: u32 = 1;

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
    let wants = match procedure {
        // Looks, and keeps nothing in which it would have to be masked.
        None if rescue.new_ha_password.is_none() => Wants::Logins,
        _ => Wants::All { new_ha: rescue.new_ha_password.as_deref() },
    };
    let installed = with_access(out, global, target, rescue.member_of.as_deref(), wants, async |access| {
        let mut screen = Screen::new(out);
        let ended =
            interruptible(async |stop| go(out, global, access, &mut store, &mut screen, procedure, rescue, stop).await);
        match ended.await {
            Some(ended) => ended,
            None => Err(screen.left_at_once(&folder(global))),
        }
    })
    .await?;
    pick_up(out, global, installed).await
}

/// Its line is let go of by now.
async fn pick_up(out: &Output, global: &Global, installed: Option<String>) -> Result {
    match installed {
        Some(pair) => Box::pin(picked_up::bootstrap(out, global, &pair)).await,
        None => Ok(()),
    }
}

/// The pair whose standby it installed.
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
) -> Result<Option<String>> {
    let of_a_plan =
        [("--confirm", options.confirm.is_some()), ("--accept-cloned-window", options.accept_cloned_window)];
    if let (None, Some((name, _))) = (procedure, of_a_plan.iter().find(|(_, given)| *given)) {
        return Err(Failure::new(
            Exit::Usage,
            "usage.procedure",
            format!("{name} is of a plan, and no procedure was named"),
        )
        .state("nothing was asked and nothing was changed")
        .hint(format!("see which fit:  {}", access.recover(""))));
    }
    let asked = Asked {
        cloned_window: options.accept_cloned_window,
        netinstall: options.netinstall.as_deref().map(absolute),
        packages: options.package.iter().map(|file| absolute(file)).collect(),
        architecture: options.architecture.clone(),
        interface: options.boot_interface.clone(),
        new_password: options.new_ha_password.clone(),
    };
    if procedure == Some(Procedure::Netinstall) {
        there(&asked)?;
    }
    if let Some(name) = &asked.interface
        && matches!(procedure, Some(Procedure::Netinstall | Procedure::Etherboot))
        && let Some(doubt) = boot_cable(name)?
    {
        out.warn(doubt);
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
        // A boot loader that waits is not left as it is for the first thing.
        let acts = fits.iter().find(|one| **one != Procedure::Leave && diagnosis.state == Name::F8);
        let next = access.recover(acts.map_or(names[0], |one| one.name()));
        out.say(format!("Nothing was changed. Next:  {next} --plan-only{}", typed(unkept(global))));
        return Ok(None);
    };
    let mut again = String::new();
    if let Some(subject) = &mut plan.subject {
        subject.member_of.clone_from(&options.member_of);
        subject.login = login(global);
        again = format!("{}{}", subject.again(), typed(unkept(global)));
    }
    show(out, screen, &prepared, &plan, options.plan_only);
    runs::warn_of_cut_off(out, store, &access.target, &folder(global));
    keep_plan(store, &plan).map_err(|error| Failure::new(Exit::LacksRight, error.code(), error.to_string()))?;
    if options.plan_only {
        out.object(json!({"plan": plan, "diagnosis": diagnosis}), &[]);
        out.say(format!("Nothing was changed. Next:  {again} --confirm {}", plan.fingerprint));
        return Ok(None);
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
    let dry_run = options.dry_run;
    let options = Options { dry_run, typed: folder(global), ..Options::default() };
    let start = Start { store, clock: &WallClock, sink: screen, stop: stop.clone(), options };
    finish(recover::run(access, &plan, &confirmation, start).await)?;
    match &plan.subject {
        Some(subject) if !dry_run => Ok(picked_up::installed(out, global, access, subject, &mut stop).await),
        _ => Ok(None),
    }
}

/// `resume` of a run that was a rescue.
pub async fn resume(
    out: &Output,
    global: &Global,
    run: &RunId,
    subject: &Subject,
    mut screen: Screen,
    dry_run: bool,
) -> Result {
    let mut store = DirStore::new(folders::state(global.state_dir.as_deref())?);
    let wants = Wants::All { new_ha: subject.new_password.as_deref() };
    // As the run was begun, unless another way was said now.
    let login = &subject.login;
    let global = &Global {
        user: global.user.clone().or_else(|| login.user.clone()),
        password: global.password.clone().or_else(|| login.password.clone()),
        take_over: global.take_over || login.take_over,
        ..global.clone()
    };
    let installed = with_access(out, global, &subject.target, subject.member_of.as_deref(), wants, async |access| {
        let ended = interruptible(async |mut stop| {
            let options = Options { dry_run, typed: folder(global), ..Options::default() };
            let start = Start { store: &mut store, clock: &WallClock, sink: &mut screen, stop: stop.clone(), options };
            let ended = recover::resume(access, run.clone(), start).await;
            match ended.map(finish) {
                Ok(Ok(())) if !dry_run => Ok(Ok(picked_up::installed(out, global, access, subject, &mut stop).await)),
                Ok(ended) => Ok(ended.map(|()| None)),
                Err(error) => Err(error),
            }
        });
        match ended.await {
            Some(Ok(ended)) => ended,
            Some(Err(error)) => {
                let anew = format!("{}{} --plan-only", subject.again(), typed(unkept(global)));
                Err(not_resumed(&error, &anew, &folder(global)))
            }
            None => Err(screen.left_at_once(&folder(global))),
        }
    })
    .await?;
    pick_up(out, global, installed).await
}

/// A file as it can be named from any folder, and is not looked for on the PATH.
fn absolute(file: &str) -> String {
    std::path::absolute(file).map_or_else(|_| file.to_owned(), |path| path.display().to_string())
}

/// Words behind others on a line of a shell.
fn typed(words: impl IntoIterator<Item = String>) -> String {
    words.into_iter().map(|word| format!(" {}", quoted(&word))).collect()
}

/// Where runs are kept. Whose session is ended, the run itself knows.
fn folder(global: &Global) -> String {
    repeated(&Global { take_over: false, ..global.clone() })
}

/// As whom to log in when the run goes on.
fn login(global: &Global) -> Login {
    let password = global.password.clone().filter(|reference| !reference.starts_with("cmd:"));
    Login { user: global.user.clone(), password, take_over: global.take_over }
}

/// What a line that is typed again needs and no journal keeps: a command's words may be secret, a folder is this host's.
fn unkept(global: &Global) -> Vec<String> {
    let command = global.password.iter().filter(|reference| reference.starts_with("cmd:"));
    let mut words: Vec<String> = command.flat_map(|reference| ["--password".to_owned(), reference.clone()]).collect();
    if let Some(folder) = &global.state_dir {
        words.extend(["--state-dir".to_owned(), absolute(&folder.display().to_string())]);
    }
    words
}

/// A program or package that is missing is said before the board is touched.
fn there(asked: &Asked) -> Result {
    for file in asked.netinstall.iter().chain(&asked.packages) {
        if !std::path::Path::new(file).is_file() {
            return Err(Failure::new(Exit::Usage, "recover.netinstall", format!("there is no file {file}")));
        }
    }
    Ok(())
}

/// The host's end of the BOOT port's cable: one that is missing or off is refused, one without a carrier doubted. A board may switch
/// its port on only when it asks the network.
fn boot_cable(name: &str) -> Result<Option<String>> {
    let all = std::path::Path::new("/sys/class/net");
    if !all.is_dir() {
        return Ok(None);
    }
    let of = |what: &str| std::fs::read_to_string(all.join(name).join(what)).ok();
    let refused = |why: String, hint: String| {
        Err(Failure::new(Exit::Usage, "recover.netinstall", why).state("nothing was changed").hint(hint))
    };
    let flags = (!name.contains('/')).then(|| of("flags")).flatten();
    let Some(flags) = flags else {
        return refused(format!("this host has no interface {name}"), "which there are:  ip -brief link".into());
    };
    let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).unwrap_or(IFF_UP);
    if flags & IFF_UP == 0 {
        let hint = format!("switch it on, as root:  ip link set {} up", quoted(name));
        return refused(format!("the interface {name} is off"), hint);
    }
    let dead = of("carrier").is_some_and(|carrier| carrier.trim() == "0");
    let says = "has no carrier: is its cable in, and at the port marked BOOT? Some boards switch that port on only when they ask the network";
    Ok(dead.then(|| format!("the interface {name} {says}")))
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
    with_access(out, &unasked, target, rescue.member_of.as_deref(), Wants::Logins, async |access| {
        let seen = out.patiently("still looking at its line; nothing is changed", recover::look(access, &store)).await;
        let says = seen.says(access);
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
        if member == Member::A {
            lines.push("              THE SITE FILE CALLS THIS ONE THE ACTIVE. Before anything is pulled: does b carry the traffic now?".into());
            lines.push("              Nobody knows, or it does not: STOP, touch nothing on this one.".into());
        }
        lines.push(format!("Its label:    S/N {serial}"));
        lines.push(format!("              MAC of {port}: {}", entry.ha_mac));
    } else {
        if url.is_none() {
            reach::target(target)?;
        }
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
