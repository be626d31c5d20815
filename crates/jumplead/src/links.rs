//! The host's interfaces as links.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use mactelnet::io::interfaces::{master, matches};
use mactelnet::io::pcap::{Contents, PcapLink, PcapSink};
use mactelnet::io::raw::{Capture, RawLink};
use mactelnet::io::trace::TraceLink;
use mactelnet::io::udp::{self, UdpLink};
use mactelnet::io::{BoxLink, Interface, interfaces};

use crate::failure::{Exit, Failure, Result};

/// The interfaces that fit one of `globs`; without globs, all that are up, but for [`heard_by_others`].
pub fn choose(globs: &[String]) -> Result<Vec<Interface>> {
    let all = interfaces();
    let chosen: Vec<Interface> = if globs.is_empty() {
        let up: Vec<Interface> = all.iter().filter(|interface| interface.up).cloned().collect();
        up.iter().filter(|interface| !heard_by_others(master(&interface.name).as_deref(), &up)).cloned().collect()
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

/// Whether what arrives at a port of `master` arrives at one of `up` again: a router that is heard on both would look
/// like two. A port whose master is down hears for itself alone.
fn heard_by_others(master: Option<&str>, up: &[Interface]) -> bool {
    master.is_some_and(|master| up.iter().any(|other| other.name == master))
}

/// The interface with this name.
pub fn by_name(name: &str) -> Result<Interface> {
    choose(&[name.to_owned()])?.into_iter().find(|interface| interface.name == name).ok_or_else(|| {
        Failure::new(Exit::NotFound, "host.interface.none", format!("there is no Ethernet interface {name}"))
            .hint("list them:  jumplead doctor")
    })
}

/// How frames leave this host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum How {
    #[default]
    Raw,
    Udp,
}

/// How this process's links are opened.
#[derive(Debug, Clone, Default)]
pub struct HostLinks {
    how: How,
    capture: Option<Arc<Captured>>,
}

/// A file for frames. What stands in it goes with the first link: a command that comes to none leaves it as it is.
#[derive(Debug)]
struct Captured {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Opened(File),
    Begun(PcapSink),
}

impl Captured {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), state: Mutex::new(State::Opened(capture(path)?)) })
    }

    fn sink(&self) -> io::Result<PcapSink> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &*state {
            State::Begun(sink) => return Ok(sink.clone()),
            State::Opened(file) => file.try_clone()?,
        };
        file.set_len(0)?;
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let sink = PcapSink::new(file, Contents::Redacted, started)?;
        *state = State::Begun(sink.clone());
        Ok(sink)
    }

    fn refused(&self, error: io::Error) -> Failure {
        unwritable(&self.path, error)
    }
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::new(Exit::Usage, "usage.pcap", format!("{} can't be written", path.display())).cause(error)
}

impl HostLinks {
    /// As the command line says.
    pub fn new(how: How, pcap: Option<&Path>) -> Result<Self> {
        let capture = pcap.map(|path| Captured::new(path).map_err(|error| unwritable(path, error))).transpose()?;
        Ok(Self { how, capture: capture.map(Arc::new) })
    }

    /// Refuses what needs to see Ethernet addresses: proofs of who is there, and whatever writes.
    pub fn raw_only(&self, what: &str) -> Result {
        match self.how {
            How::Raw => Ok(()),
            How::Udp => Err(Failure::new(
                Exit::Usage,
                "usage.link",
                format!("{what} needs raw frames: UDP shows no Ethernet address, and the host may drop answers unseen"),
            )
            .state("nothing was sent")
            .hint("leave out --link udp; the right for raw frames:  jumplead doctor")),
        }
    }

    /// A link on `interface`.
    pub fn open(&self, interface: &Interface) -> Result<BoxLink> {
        let link: BoxLink = match self.how {
            How::Raw => {
                let link = RawLink::open(&interface.name, Capture::MacServices);
                Box::new(TraceLink(link.map_err(|error| refused(&interface.name, &error))?))
            }
            How::Udp => Box::new(TraceLink(udp(interface)?)),
        };
        self.captured(link)
    }

    /// A link on the interface `name`, to listen.
    pub fn open_named(&self, name: &str) -> Result<BoxLink> {
        self.named(name, Capture::MacServices)
    }

    /// A link on the interface `name` for one session, whose first prompt is waited for.
    pub fn open_session(&self, name: &str) -> Result<BoxLink> {
        self.named(name, Capture::OneSession)
    }

    /// The host's interfaces are listed once: a list costs as much as a round trip.
    fn named(&self, name: &str, capture: Capture) -> Result<BoxLink> {
        if self.how == How::Udp {
            return self.open(&by_name(name)?);
        }
        match RawLink::open(name, capture) {
            // Says which interfaces there are.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.open(&by_name(name)?),
            Err(error) => Err(refused(name, &error)),
            Ok(link) => self.captured(Box::new(TraceLink(link))),
        }
    }

    /// Links on all of `interfaces`. Those that can't be opened are named; all of them failing is an error.
    pub fn open_all(&self, interfaces: &[Interface]) -> Result<(Vec<BoxLink>, Vec<String>)> {
        let (mut links, mut warnings, mut first) = (Vec::new(), Vec::new(), None);
        for interface in interfaces {
            match self.open(interface) {
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

    /// Ends the capture: why it is not whole, if so.
    pub fn finish(&self) -> Option<String> {
        let state = self.capture.as_ref()?.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State::Begun(sink) = &*state else { return None };
        let error = sink.finish().err()?;
        Some(format!("the capture is not whole: {error}"))
    }

    fn captured(&self, link: BoxLink) -> Result<BoxLink> {
        Ok(match &self.capture {
            Some(captured) => {
                let sink = captured.sink().map_err(|error| captured.refused(error))?;
                Box::new(PcapLink::new(link, sink))
            }
            None => link,
        })
    }
}

/// A UDP link, where it can be trusted to hear what was answered.
fn udp(interface: &Interface) -> Result<UdpLink> {
    let name = &interface.name;
    if udp::filtered(name) {
        return Err(Failure::new(
            Exit::LacksRight,
            "host.link.rp-filter",
            format!(
                "rp_filter is on for {name}: answers from routers without a fitting address would be dropped unseen"
            ),
        )
        .hint(format!(
            "turn it off:  sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.{}.rp_filter=0",
            name.replace('.', "/")
        ))
        .hint("or leave out --link udp; the right for raw frames:  jumplead doctor"));
    }
    UdpLink::open(interface).map_err(|error| {
        Failure::new(Exit::LacksRight, "host.interface.open", format!("UDP on {name} can't be opened")).cause(error)
    })
}

/// A file for its owner alone: it names routers and users.
fn capture(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    // A pipe whose reader is slow would hold up the session.
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is there and no regular file"));
    }
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    Ok(file)
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
            .hint("or run as root; to look and talk only, by UDP:  --link udp")
            .hint("try without any right:  jumplead rehearse")
        }
        io::ErrorKind::NotFound => {
            Failure::new(Exit::NotFound, "host.interface.none", error.to_string()).hint("list them:  jumplead doctor")
        }
        _ => Failure::new(Exit::LacksRight, "host.interface.open", format!("{name} could not be opened")).cause(error),
    }
}

#[cfg(test)]
mod tests {
    use mactelnet::MacAddr;

    use super::*;

    #[test]
    fn a_port_is_left_to_its_master_where_that_hears() {
        let up = ["eth1", "br0"].map(|name| Interface {
            name: name.to_owned(),
            mac: MacAddr([2, 0, 0, 0, 0, 1]),
            up: true,
            addresses: Vec::new(),
        });
        assert!(heard_by_others(Some("br0"), &up));
        assert!(!heard_by_others(Some("br0"), &up[..1]), "it is down, or no Ethernet interface");
        assert!(!heard_by_others(None, &up));
    }
}
