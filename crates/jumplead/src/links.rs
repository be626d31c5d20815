//! The host's interfaces as links.

use std::io;

use mactelnet::io::interfaces::matches;
use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::io::trace::TraceLink;
use mactelnet::io::{BoxLink, Interface, interfaces};

use crate::failure::{Exit, Failure, Result};

/// The interfaces that fit one of `globs`; without globs, all that are up.
pub fn choose(globs: &[String]) -> Result<Vec<Interface>> {
    let all = interfaces();
    let chosen: Vec<Interface> = if globs.is_empty() {
        all.iter().filter(|interface| interface.up).cloned().collect()
    } else {
        all.iter().filter(|interface| globs.iter().any(|glob| matches(glob, &interface.name))).cloned().collect()
    };
    if chosen.is_empty() {
        let names: Vec<&str> = all.iter().map(|interface| interface.name.as_str()).collect();
        let wanted = if globs.is_empty() { "that is up".to_owned() } else { format!("like {}", globs.join(", ")) };
        return Err(Failure::new(
            Exit::NotFound,
            "host.interface.none",
            format!("there is no Ethernet interface {wanted}"),
        )
        .hint(format!(
            "interfaces of this host: {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        )));
    }
    Ok(chosen)
}

/// The interface with this name.
pub fn by_name(name: &str) -> Result<Interface> {
    choose(&[name.to_owned()])?.into_iter().find(|interface| interface.name == name).ok_or_else(|| {
        Failure::new(Exit::NotFound, "host.interface.none", format!("there is no Ethernet interface {name}"))
            .hint("list them:  jumplead doctor")
    })
}

/// A raw link on `interface`.
pub fn open(interface: &Interface) -> Result<BoxLink> {
    match RawLink::open(&interface.name, Capture::MacServices) {
        Ok(link) => Ok(Box::new(TraceLink(link))),
        Err(error) => Err(refused(&interface.name, &error)),
    }
}

/// A raw link on the interface `name`. The host's interfaces are listed once: a list costs as much as a round trip.
pub fn open_named(name: &str) -> Result<BoxLink> {
    match RawLink::open(name, Capture::MacServices) {
        // Says which interfaces there are.
        Err(error) if error.kind() == io::ErrorKind::NotFound => open(&by_name(name)?),
        Err(error) => Err(refused(name, &error)),
        Ok(link) => Ok(Box::new(TraceLink(link))),
    }
}

/// Why an interface could not be opened.
fn refused(name: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let binary =
                std::env::current_exe().map_or_else(|_| "jumplead".to_owned(), |path| path.display().to_string());
            Failure::new(
                Exit::LacksRight,
                "host.right.cap-net-raw",
                format!("raw frames on {name} need the right CAP_NET_RAW"),
            )
            .cause(error)
            .hint(format!("give it to this program once:  sudo setcap cap_net_raw+ep {binary}"))
            .hint("or run as root; try without any right:  jumplead rehearse")
        }
        io::ErrorKind::NotFound => {
            Failure::new(Exit::NotFound, "host.interface.none", error.to_string()).hint("list them:  jumplead doctor")
        }
        _ => Failure::new(Exit::LacksRight, "host.interface.open", format!("{name} could not be opened")).cause(error),
    }
}

/// Raw links on all of `interfaces`. Those that can't be opened are named; all of them failing is an error.
pub fn open_all(interfaces: &[Interface]) -> Result<(Vec<BoxLink>, Vec<String>)> {
    let (mut links, mut warnings, mut first) = (Vec::new(), Vec::new(), None);
    for interface in interfaces {
        match open(interface) {
            Ok(link) => links.push(link),
            Err(failure) => {
                warnings.push(format!("{}: {}", interface.name, failure.message));
                first.get_or_insert(failure);
            }
        }
    }
    match first {
        Some(failure) if links.is_empty() => Err(failure),
        _ => Ok((links, warnings)),
    }
}
