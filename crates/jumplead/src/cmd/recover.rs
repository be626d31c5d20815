//! `recover`: a router that is stuck in its boot loader, over its serial line: what is seen, a plan, one question, what was
//! done and what it proved. And the page for the person who stands beside the router.

use bootstrap::diagnosis::of_line;
use bootstrap::target::TargetUrl;
use clap::ValueEnum as _;
use routeros::booter::{BoardInfo, Task};
use routeros::wake::{Plan, State};
use routeros::{Booter, Waker, boot};
use serde_json::json;

use crate::cli::{Global, Procedure};
use crate::cmd::config;
use crate::failure::{Exit, Failure, Result};
use crate::line_road::LineLink;
use crate::output::{Output, clean};
use crate::reach::{self, Target};
use crate::term;

/// What the operator said.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub target: &'a str,
    pub procedure: Procedure,
    pub plan_only: bool,
    pub confirm: Option<&'a str>,
}

/// The same procedure on the same board has the same fingerprint: FNV-1a over both, nobody has an interest to forge it.
fn fingerprint(procedure: Procedure, info: &BoardInfo) -> String {
    let text =
        format!("{procedure:?} {} {}", info.get("board type").unwrap_or(""), info.get("serial number").unwrap_or(""));
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{:04x}-{:04x}", hash >> 16, hash & 0xffff)
}

fn steps(procedure: Procedure) -> Vec<&'static str> {
    match procedure {
        Procedure::LeaveLoader => vec![
            "leave the menu: nothing is written, it boots from what is set",
            "wait for its login prompt, typing nothing",
        ],
        Procedure::Etherboot => vec![
            "set the boot device: Ethernet once, then storage again (written to the boot loader's flash)",
            "leave the menu: it asks the network on the port marked BOOT (ether1), once",
            "wait for what comes of it, typing nothing",
        ],
    }
}

/// What has to be there before the board asks the network.
const ETHERBOOT_NEEDS: [&str; 3] = [
    "a cable on the port marked BOOT (ether1) to a host; an HA cable on ether8 never boots a router",
    "on that host, as root:  netinstall-cli -i INTERFACE routeros-VERSION-ARCHITECTURE.npk   (keeps the configuration; -e erases it)",
    "started before you go ahead: the board asks for some seconds only",
];

pub async fn run(out: &Output, global: &Global, asked: Asked<'_>) -> Result {
    let Target::Line { endpoint, url } = reach::target(asked.target)? else {
        return Err(Failure::new(
            Exit::Usage,
            "usage.target",
            "recover takes a serial line: a boot loader speaks nothing else",
        )
        .hint("as in  jumplead recover serial:///dev/serial/by-id/...")
        .hint("for a router that answers otherwise:  jumplead diagnose TARGET"));
    };
    let broken = |error: routeros::Error| Failure::new(Exit::TimedOut, error.code(), error.to_string());
    let link = LineLink::open(&endpoint, &url).await.map_err(reach::failure)?;
    link.notes().iter().for_each(|note| out.warn(note));
    let mut waker = Waker::new(Box::new(link), None);
    let heard = waker.wake(&Plan::listen_only(boot::IDLE)).await.map_err(broken)?;
    let woken = match heard.state {
        // Whoever waits in a menu says nothing: Ctrl-C has it printed again.
        State::Silent | State::Text | State::Garbage => waker.wake(&Plan::settle(boot::IDLE)).await.map_err(broken)?,
        _ => heard,
    };
    if !matches!(woken.state, State::Menu(_)) {
        let says = of_line(&woken.state).map_or_else(|| woken.state.to_string(), |diagnosis| diagnosis.says);
        return Err(Failure::new(
            Exit::PreflightRefused,
            "recover.not-in-the-loader",
            format!("no boot-loader menu is open: {says}"),
        )
        .state("nothing was changed")
        .hint(format!("what to do instead:  jumplead diagnose {url}")));
    }
    let open = "the boot loader's menu is open, as it was";
    let menu = |error: routeros::Error| Failure::new(Exit::StepFailed, error.code(), error.to_string()).state(open);
    let mut booter = Booter::open(waker).await.map_err(menu)?;
    let info = booter.info().await.map_err(menu)?;
    let fingerprint = fingerprint(asked.procedure, &info);
    out.say(format!("Seen   {}", woken.state));
    for (name, value) in &info.values {
        out.say(clean(&format!("       {name}: {value}")));
    }
    let procedure = asked.procedure.to_possible_value();
    out.say(format!("Plan {fingerprint}: {}", procedure.as_ref().map_or("", |value| value.get_name())));
    for (number, step) in steps(asked.procedure).iter().enumerate() {
        out.say(format!("   {}  {step}", number + 1));
    }
    if asked.procedure == Procedure::Etherboot {
        ETHERBOOT_NEEDS.iter().for_each(|need| out.say(format!("       needs {need}")));
    }
    if asked.plan_only {
        out.object(json!({"fingerprint": fingerprint, "board": info.values, "done": false}), &[]);
        return Ok(());
    }
    confirm(out, global, &asked, &fingerprint).map_err(|failure| failure.state(open))?;
    if asked.procedure == Procedure::Etherboot {
        booter.run(&Task::EthernetOnce).await.map_err(|error| {
            Failure::new(Exit::StepFailed, error.code(), error.to_string())
                .state("the boot loader's menu is open; what was set in it is written when it is left")
                .hint(format!("look, and leave by hand:  jumplead console {url}"))
        })?;
    }
    let (ridden, state) = booter.leave().await.map_err(|error| {
        Failure::new(Exit::StepFailed, error.code(), error.to_string())
            .state("the menu was left; what became of it was not seen")
    })?;
    out.say(format!("Done   left the menu; {ridden}"));
    out.object(json!({"fingerprint": fingerprint, "board": info.values, "done": true, "state": state.name()}), &[]);
    match (state, asked.procedure) {
        (State::Login, Procedure::LeaveLoader) => {
            out.say("Proved its login prompt is there. Who it is, it says only behind a login:");
            out.say(format!("       jumplead diagnose {url}"));
            Ok(())
        }
        (State::Login, Procedure::Etherboot) => {
            out.say(
                "Proved it boots from its storage: no server answered on the BOOT port, or the installation is over.",
            );
            Ok(())
        }
        (State::Installer, Procedure::Etherboot) => {
            out.say("Proved the installer runs and waits for netinstall-cli; when it restarts:");
            out.say(format!("       jumplead diagnose {url}"));
            Ok(())
        }
        (other, _) => {
            let mut failure = Failure::new(Exit::Stuck, "recover.still-stuck", format!("it did not come up: {other}"))
                .state("the boot loader's menu was left; the router is not up");
            failure.hints = of_line(&other).map(|diagnosis| diagnosis.procedure).unwrap_or_default();
            Err(failure)
        }
    }
}

fn confirm(out: &Output, global: &Global, asked: &Asked<'_>, fingerprint: &str) -> Result {
    if let Some(given) = asked.confirm {
        return if given == fingerprint {
            Ok(())
        } else {
            Err(Failure::new(
                Exit::FactsMoved,
                "recover.confirm",
                format!("{given} is another plan; this one is {fingerprint}"),
            ))
        };
    }
    if global.non_interactive || out.json || !term::interactive() {
        return Err(Failure::new(
            Exit::Usage,
            "recover.confirm",
            "a plan has to be confirmed, and there is nobody to ask",
        )
        .hint(format!("go ahead with exactly this plan:  --confirm {fingerprint}")));
    }
    out.say("Go ahead? [y/N] ");
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(_) if matches!(answer.trim(), "y" | "Y" | "yes") => Ok(()),
        _ => Err(Failure::new(Exit::PreflightRefused, "recover.confirm", "the plan was not confirmed")),
    }
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
