//! `discover`: routers on the segments, merged by router.

use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use mactelnet::discovery::{Conflict, Discovery, Router};
use mactelnet::io::{BoxLink, Interface, Link as _, discover};
use mactelnet::wire::Text;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::exec::stopped;
use crate::failure::{Exit, Failure, Result};
use crate::links::{self, HostLinks};
use crate::output::{self, Output};

/// What is printed where a router says nothing.
const NOTHING: &str = "-";

/// Whether somebody still reads standard output is looked at so often.
const READER: Duration = Duration::from_millis(300);

/// Links to listen on.
struct Opened {
    links: Vec<BoxLink>,
    names: Vec<String>,
    warnings: Vec<String>,
}

fn open(out: &Output, host: &HostLinks, interfaces: &[Interface]) -> Result<Opened> {
    let (links, warnings) = host.open_all(interfaces)?;
    warnings.iter().for_each(|warning| out.warn(warning));
    let names = links.iter().map(|link| link.info().name.clone()).collect();
    Ok(Opened { links, names, warnings })
}

/// `discover --watch`: each change, until a signal comes or nobody reads any more.
pub async fn watch(out: &Output, host: &HostLinks, globs: &[String]) -> Result {
    let Opened { links, names, .. } = open(out, host, &links::choose(globs)?)?;
    out.say(format!("Listening on {}; Ctrl-C ends it.", names.join(", ")));
    let forever = Duration::from_secs(7 * 86_400);
    let listening = discover(links, forever, |found, place| {
        if let Some(router) = found.routers().get(place) {
            show_change(out, router, &names);
        }
        !output::unread()
    });
    let failed = tokio::select! {
        biased;
        () = stopped() => return Ok(()),
        () = nobody_reads() => return Ok(()),
        (_, failed) = listening => failed,
    };
    match failed.into_iter().next() {
        Some((name, error)) if !output::unread() => Err(lost(&name, &error)),
        _ => Ok(()),
    }
}

/// Waits until the reader of standard output went away: nothing may be written for hours that would tell it.
async fn nobody_reads() {
    loop {
        tokio::time::sleep(READER).await;
        let stdout = rustix::stdio::stdout();
        let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
        if poll(&mut asked, Some(&Timespec::default())).is_ok() && asked[0].revents().contains(PollFlags::ERR) {
            return;
        }
    }
}

/// `discover`
pub async fn run(out: &Output, host: &HostLinks, globs: &[String], duration: Duration) -> Result {
    let interfaces = links::choose(globs)?;
    let names: Vec<String> = interfaces.iter().map(|interface| interface.name.clone()).collect();
    let Opened { links, names: opened, mut warnings } = open(out, host, &interfaces)?;
    out.say(format!("Asking on {} for {:.1} s", opened.join(", "), duration.as_secs_f64()));
    let (found, failed) = discover(links, duration, |_, _| true).await;
    for (name, error) in failed {
        let warning = format!("{name}: {error}");
        out.warn(&warning);
        warnings.push(warning);
    }
    for conflict in found.conflicts() {
        let warning = describe_conflict(&conflict, &opened);
        out.warn(&warning);
        warnings.push(warning);
    }
    if found.overflow() > 0 {
        let warning = format!("{} announcements found no room: something floods this segment", found.overflow());
        out.warn(&warning);
        warnings.push(warning);
    }
    let routers = found.routers();
    let data = || json!({"routers": routers.iter().map(|router| as_json(router, &opened)).collect::<Vec<_>>(), "interfaces": opened});
    if out.json && !routers.is_empty() {
        out.object(data(), &warnings);
    } else if !routers.is_empty() {
        out.data(table(&found, &opened));
        out.say(format!("{} router{}", routers.len(), if routers.len() == 1 { "" } else { "s" }));
    }
    if routers.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            "discover.nothing",
            format!("no router answered on {}", names.join(", ")),
        )
        .hint("a hardened router announces nothing; if you know its MAC, ask it:  jumplead ping mac://MAC%INTERFACE")
        .hint("is the cable in, and the interface up?  jumplead doctor")
        .found(data(), warnings));
    }
    Ok(())
}

/// An interface that failed while it was listened on.
pub fn lost(name: &str, error: &std::io::Error) -> Failure {
    Failure::new(Exit::LacksRight, "host.interface.lost", format!("{name} failed"))
        .cause(error)
        .hint("is it up, and its cable in?  jumplead doctor")
}

/// Longest name that a row shows whole; `--json` has all of it.
const NAME: usize = 40;

fn text(text: Option<&Text>) -> String {
    let whole = text.map_or_else(|| NOTHING.to_owned(), ToString::to_string);
    if whole.chars().count() <= NAME {
        return whole;
    }
    let mut cut = output::cut(&whole, NAME - 1);
    cut.push('\u{2026}');
    cut
}

/// The version's number, without channel and date.
fn version(router: &Router) -> String {
    text(router.version.as_ref()).split(' ').next().unwrap_or(NOTHING).to_owned()
}

fn link_name(links: &[String], link: usize) -> &str {
    links.get(link).map_or("?", String::as_str)
}

fn state(router: &Router) -> &'static str {
    if router.looks_erased() { "looks erased (default identity, no address)" } else { "" }
}

fn table(found: &Discovery, links: &[String]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["WHERE", "MAC", "IDENTITY", "BOARD", "VERSION", "UPTIME", "STATE"]);
    for router in found.routers() {
        for (n, sighting) in router.sightings.iter().enumerate() {
            let place = link_name(links, sighting.link).to_owned();
            let mac = sighting.mac().to_string();
            if n == 0 {
                table.add_row([
                    place,
                    mac,
                    text(router.identity.as_ref()),
                    text(router.board.as_ref()),
                    version(router),
                    router.uptime.map_or_else(|| NOTHING.to_owned(), short_time),
                    state(router).to_owned(),
                ]);
            } else {
                table.add_row([place, mac, "\"".to_owned()]);
            }
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// `41d`, `3h`, `3m`, `12s`: one unit is enough to tell routers apart.
fn short_time(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=59 => format!("{seconds}s"),
        seconds @ 60..=3_599 => format!("{}m", seconds / 60),
        seconds @ 3_600..=86_399 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn show_change(out: &Output, router: &Router, links: &[String]) {
    if out.json {
        out.event(&as_json(router, links));
        return;
    }
    if let Some(last) = router.sightings.iter().max_by_key(|sighting| sighting.last) {
        out.data(format!(
            "{}  {}  {}  {}  {}  {}",
            link_name(links, last.link),
            last.mac(),
            text(router.identity.as_ref()),
            text(router.board.as_ref()),
            version(router),
            state(router)
        ));
    }
}

fn as_json(router: &Router, links: &[String]) -> Value {
    let plain = |text: Option<&Text>| text.map(ToString::to_string);
    json!({
        "identity": plain(router.identity.as_ref()),
        "board": plain(router.board.as_ref()),
        "version": plain(router.version.as_ref()),
        "platform": plain(router.platform.as_ref()),
        "software_id": plain(router.software_id.as_ref()),
        "uptime_s": router.uptime.map(|time| time.as_secs()),
        "looks_erased": router.looks_erased(),
        "seen": router.sightings.iter().map(|sighting| json!({
            "interface": link_name(links, sighting.link),
            "mac": sighting.mac().to_string(),
            "announced_mac": sighting.announced_mac.map(|mac| mac.to_string()),
            "router_interface": plain(sighting.interface.as_ref()),
            "ipv4": sighting.ipv4.map(|address| address.to_string()),
        })).collect::<Vec<_>>(),
    })
}

fn describe_conflict(conflict: &Conflict, links: &[String]) -> String {
    match conflict {
        Conflict::SeveralLinks { mac, links: places } => {
            let names: Vec<&str> = places.iter().map(|place| link_name(links, *place)).collect();
            format!(
                "{mac} is heard on {}: name the interface when you talk to it, and don't write to it",
                names.join(" and ")
            )
        }
        Conflict::SeveralRouters { mac } => {
            format!("{mac} is announced by two different routers: one of them is cloned; don't write to it")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mactelnet::wire::mndp::Announcement;
    use mactelnet::{Instant, MacAddr};

    #[test]
    fn hostile_names_stay_on_their_line() {
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        let mut found = Discovery::new(Instant::ZERO, 1);
        let hostile = Announcement {
            mac: Some(mac),
            identity: Some(Text::from("\x1b[2Jedge\r\nroot")),
            board: Some(Text::from("RB\u{202e}4011")),
            ..Announcement::default()
        };
        found.handle_payload(Instant::ZERO, 0, mac, &hostile.to_vec([0; 4]).unwrap());
        let shown = table(&found, &["eth1".to_owned()]);
        assert_eq!(shown.lines().count(), 2, "{shown}");
        assert!(!shown.contains(['\x1b', '\r', '\u{202e}']), "{shown:?}");
    }

    #[test]
    fn times_are_short() {
        let shown = [5, 65, 3_700, 90_000 * 40].map(|seconds| short_time(Duration::from_secs(seconds)));
        assert_eq!(shown, ["5s", "1m", "1h", "41d"]);
    }
}
