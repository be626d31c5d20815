//! `config`: the site file.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use bootstrap::secret::SecretError;
use bootstrap::site::Site;
use bootstrap::target::{Member, TargetUrl, quoted};
use mactelnet::discovery::{Router, Sighting};
use mactelnet::io::discover;
use serde_json::json;

use crate::failure::{Exit, Failure, Result};
use crate::folders;
use crate::links::{self, HostLinks};
use crate::output::Output;

/// Bytes of a site file at most.
const MAX_SITE: u64 = 1 << 20;

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = Vec::new();
    let length = std::fs::File::open(path)?.take(MAX_SITE + 1).read_to_end(&mut text)?;
    let unfit = |why: String| std::io::Error::new(std::io::ErrorKind::InvalidData, why);
    if length as u64 > MAX_SITE {
        return Err(unfit("it is longer than 1 MiB".into()));
    }
    String::from_utf8(text).map_err(|error| unfit(error.to_string()))
}

/// Reads and checks the site file that PAIR means.
pub fn load(pair: &str) -> Result<Site> {
    let path = folders::site_file(pair)?;
    let text = read(&path).map_err(|error| {
        let there = error.kind() != std::io::ErrorKind::NotFound;
        // Whoever types it at a file that is there loses the file.
        let here = Path::new(pair).extension().is_none().then(|| format!("{pair}.toml"));
        let failure = Failure::new(Exit::Usage, "site.read", format!("the site file {} can't be read", path.display()));
        let hint = match here.filter(|here| !there && Path::new(here).is_file()) {
            Some(here) => format!("there is one in this folder: write {} in place of {}", quoted(&here), quoted(pair)),
            None if error.kind() == std::io::ErrorKind::PermissionDenied => "whose is it?  ls -l".to_owned(),
            None if there => "it is a text file in UTF-8".to_owned(),
            None => "make one from what is found:  jumplead config init > NEW.toml   (not over one that is filled in)"
                .to_owned(),
        };
        failure.cause(error).hint(hint)
    })?;
    parse(&path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Site> {
    Site::parse(text).map_err(|error| {
        Failure::new(Exit::Usage, error.code(), format!("{}: {error}", path.display()))
            .hint("the form of a site file is in docs/contract.md, section 3")
    })
}

/// `config show`
pub fn show(out: &Output, pair: &str) -> Result {
    let site = load(pair)?;
    if out.json {
        out.object(json!({"site": site.redacted()}), &[]);
    } else {
        out.data(site.redacted().trim_end());
    }
    Ok(())
}

/// `config check`: the form, and what a run would miss. No secret is read.
pub fn check(out: &Output, pair: &str) -> Result {
    let site = load(pair)?;
    let mut warnings = Vec::new();
    for member in [Member::A, Member::B] {
        let entry = site.member(member);
        if entry.serial_number.is_none() {
            warnings.push(format!("pair.{member} has no serial_number: a board that has one will not be erased"));
        }
        let taken = |road: &&TargetUrl| match road {
            TargetUrl::Mac { .. } | TargetUrl::Via { .. } => true,
            TargetUrl::ConsoleSsh { .. } => false,
            road => road.is_line(),
        };
        let usable = entry.reach.iter().filter(taken).count();
        if usable == 0 {
            return Err(Failure::new(
                Exit::Usage,
                "site.no-road",
                format!("pair.{member}.reach holds no road that this version can take"),
            )
            .hint(crate::roads::ROADS));
        }
        if usable < entry.reach.len() {
            warnings.push(format!("pair.{member}.reach: ssh:// and console+ssh:// are passed over"));
        }
    }
    for (key, secret) in site.secrets() {
        match secret.is_there() {
            Ok(()) => {}
            // It may be set where the run is started.
            Err(error @ SecretError::NoEnv(_)) => warnings.push(format!("{key}: {error} at the moment")),
            Err(error) => {
                return Err(Failure::new(Exit::LoginRefused, error.code(), format!("{key}: {error}")));
            }
        }
    }
    if site.ha_password.is_none() {
        warnings.push("secrets.ha_password is missing: the standby's HA user can't be made without it".into());
    }
    for warning in &warnings {
        out.warn(warning);
    }
    out.object(json!({"pair": site.name, "ok": true}), &warnings);
    out.say(format!("{}: the site file is right. Next:  jumplead bootstrap {} --plan-only", site.name, quoted(pair)));
    Ok(())
}

/// `config init`: a site file from what is found, on stdout.
pub async fn init(out: &Output, host: &HostLinks, name: &str, globs: &[String], duration: Duration) -> Result {
    let interfaces = links::choose(globs)?;
    let (links, warnings) = host.open_all(&interfaces)?;
    for warning in &warnings {
        out.warn(warning);
    }
    let names: Vec<String> = links.iter().map(|link| link.info().name.clone()).collect();
    out.say(format!("Asking on {} for {:.1} s", names.join(", "), duration.as_secs_f64()));
    let (found, _) = discover(links, duration, |_, _| true).await;
    let text = render(name, found.routers(), &names);
    if out.json {
        out.object(json!({"site": text}), &warnings);
    } else {
        out.data(text.trim_end());
    }
    out.say(format!("Fill in what is marked, save it as {name}.toml, then:  jumplead config check {name}.toml"));
    Ok(())
}

/// The usual one; whoever has another writes it over.
const HA_INTERFACE: &str = "ether8";

fn render(name: &str, routers: &[Router], links: &[String]) -> String {
    let mut text = String::from("# Made by `jumplead config init`. Lines with FILL-IN are yours.\n");
    for router in routers {
        for sighting in &router.sightings {
            let plain = |text: &Option<mactelnet::wire::Text>| {
                text.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
            };
            let _ = writeln!(
                text,
                "# seen on {}: {}  {}  {}{}",
                links.get(sighting.link).map_or("?", String::as_str),
                sighting.mac(),
                plain(&router.identity),
                plain(&router.board),
                if router.looks_erased() { "  (looks erased)" } else { "" }
            );
        }
    }
    // The active is the one that has a configuration. With anything but one of each, the operator chooses.
    let erased: Vec<&Router> = routers.iter().filter(|router| router.looks_erased()).collect();
    let configured: Vec<&Router> = routers.iter().filter(|router| !router.looks_erased()).collect();
    let place = |found: &[&Router]| match found {
        [only] => {
            only.sightings.first().map(|sighting| (sighting.mac().to_string(), links.get(sighting.link).cloned()))
        }
        _ => None,
    };
    let a = place(&configured);
    let b = place(&erased);
    // The MAC that a router is seen by is its HA port's only where it says that it is that port.
    let ha_port = |sighting: &Sighting| {
        let port = sighting.interface.as_ref().map(ToString::to_string).unwrap_or_default();
        port.rsplit('/').next() == Some(HA_INTERFACE)
    };
    let b_mac = match erased.as_slice() {
        [only] => only.sightings.iter().find(|sighting| ha_port(sighting)).map(|sighting| sighting.mac().to_string()),
        _ => None,
    };
    let interface = |found: &Option<(String, Option<String>)>| {
        found
            .as_ref()
            .and_then(|(_, link)| link.clone())
            .or_else(|| links.first().cloned())
            .unwrap_or_else(|| "eth1".to_owned())
    };
    let a_mac = a.as_ref().map_or("FILL-IN", |(mac, _)| mac.as_str());
    let b_mac = b_mac.as_deref().unwrap_or("FILL-IN");
    let _ = write!(
        text,
        "format = 1
[pair]
name = {name:?}
ha_interface = \"{HA_INTERFACE}\"          # default-name of the HA port on both members
sync = \"backup\"
[pair.a]                          # the active
ha_mac = \"FILL-IN\"               # orig-mac-address of its HA port, not of the port seen above
serial_number = \"FILL-IN\"
reach = [\"mac://{a_mac}%{}\"]
user = \"admin\"
password = \"prompt\"
[pair.b]                          # the erased one
ha_mac = \"{b_mac}\"               # of its HA port, too
serial_number = \"FILL-IN\"        # from the label
reach = [\"via:a\", \"mac://%{}\"]
factory_password = \"prompt\"      # the label's, where the board has one; remove the line otherwise
[secrets]
ha_password = \"prompt\"           # the one that a has from $HAInstall; env:NAME or file:PATH where nobody is to be asked
",
        interface(&a),
        interface(&b),
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen on another port, a router does not tell the address of its HA port.
    #[test]
    fn the_address_of_another_port_is_not_taken_for_the_ha_ports() {
        let seen = |interface: &str| {
            let said = mactelnet::wire::mndp::Announcement {
                mac: Some(mactelnet::MacAddr([0x74, 0x4d, 0x28, 0, 0, 0x0b])),
                identity: Some("MikroTik".into()),
                interface: Some(interface.into()),
                ..Default::default()
            };
            let mut heard = mactelnet::discovery::Discovery::new(mactelnet::Instant::ZERO, 1);
            let payload = said.to_vec([0; 4]).unwrap();
            heard.handle_payload(
                mactelnet::Instant::ZERO,
                0,
                mactelnet::MacAddr([0x74, 0x4d, 0x28, 0, 0, 0x0b]),
                &payload,
            );
            render("edge-1", heard.routers(), &["eth1".to_owned()])
        };
        let of_b = |text: &str| text.split("[pair.b]").nth(1).unwrap().lines().nth(1).unwrap().to_owned();
        assert!(of_b(&seen("ether8")).contains("74:4D:28:00:00:0B"), "{}", seen("ether8"));
        assert!(of_b(&seen("bridge/ether8")).contains("74:4D:28:00:00:0B"));
        assert!(of_b(&seen("ether1")).contains("FILL-IN"), "{}", seen("ether1"));
    }

    #[test]
    fn what_init_prints_is_a_site_file_once_filled_in() {
        let text = render("edge-1", &[], &["eth1".to_owned()]);
        let mut macs = ["74:4D:28:00:00:0A", "74:4D:28:00:01:0A", "74:4D:28:00:00:0B"].iter();
        let mut serials = ["7F0001", "7F0002"].iter();
        let filled: Vec<String> = text
            .lines()
            .map(|line| match line {
                _ if line.starts_with("ha_mac") || line.starts_with("reach = [\"mac://FILL") => {
                    line.replace("FILL-IN", macs.next().unwrap())
                }
                _ if line.starts_with("serial") => line.replace("FILL-IN", serials.next().unwrap()),
                _ => line.to_owned(),
            })
            .collect();
        let site = Site::parse(&filled.join("\n")).unwrap();
        assert_eq!(site.name, "edge-1");
        // As the README has it, a is active and has a password already.
        assert!(site.secrets().iter().all(|(_, secret)| **secret == bootstrap::secret::SecretRef::Prompt), "{text}");
    }
}
