//! The Layer-2 segments that this host sees: real interfaces, or the lab's wires. Who is there is watched all the time
//! that a run lasts, so that a clone is noticed before anything is written, and a router that comes back at once.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mactelnet::MacAddr;
use mactelnet::client::Answerers;
use mactelnet::discovery::{Conflict, Discovery, Router, Sighting};
use mactelnet::io::{BoxLink, Company, discover_into, new_discovery};
use tokio::time::Instant;

use crate::failure::Result;
use crate::links::{self, HostLinks};

/// How long the segment is listened to before the first write: a wired RouterOS takes up to 3 s to answer
/// (mac-telnet.md section 8), and both ends have other things to do.
pub const WINDOW: Duration = Duration::from_millis(3500);

/// How long it is listened to beside a session, which waits for nobody: the answers to the first three questions, one of
/// which may be lost.
const BESIDE: Duration = Duration::from_secs(8);

/// A second router with the same address that was last heard longer ago has gone: the pair's own restore makes one for
/// half a minute. Routers that are there answer every two seconds.
const CLONE_MEMORY: Duration = Duration::from_secs(60);

/// A watch ends by itself after a time that no run reaches.
const FOREVER: Duration = Duration::from_secs(7 * 86_400);

/// What opens links.
pub trait Segment {
    /// The interfaces to look on: the named one, or all that are up and no other's ports.
    fn interfaces(&self, name: Option<&str>) -> Result<Vec<String>>;
    /// A link on one interface; several may be open at once.
    fn open(&self, name: &str) -> Result<BoxLink>;
    /// A link on one interface for a session, see [`HostLinks::open_session`].
    fn session(&self, name: &str) -> Result<BoxLink> {
        self.open(name)
    }
    /// A fresh seed for a session's keys.
    fn seed(&self) -> [u8; 32];
    /// What a session begins with, see [`mactelnet::client::Config::opening`].
    fn opening(&self) -> Option<[u8; 4]> {
        None
    }
}

/// The host's own interfaces.
#[derive(Debug, Clone)]
pub struct HostSegment(pub HostLinks);

impl Segment for HostSegment {
    fn interfaces(&self, name: Option<&str>) -> Result<Vec<String>> {
        match name {
            Some(name) => Ok(vec![links::by_name(name)?.name]),
            None => Ok(links::choose(&[])?.into_iter().map(|interface| interface.name).collect()),
        }
    }

    fn open(&self, name: &str) -> Result<BoxLink> {
        self.0.open_named(name)
    }

    fn session(&self, name: &str) -> Result<BoxLink> {
        self.0.open_session(name)
    }

    fn seed(&self) -> [u8; 32] {
        random()
    }

    fn opening(&self) -> Option<[u8; 4]> {
        Some(random())
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // A host without randomness must not log in with foreseeable keys: there is nothing sensible left to do.
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the host has no randomness");
        std::process::abort();
    }
    bytes
}

/// Listens on all interfaces until dropped.
#[derive(Debug)]
pub struct Watch {
    heard: Arc<Mutex<Discovery>>,
    names: Vec<String>,
    /// When the first request left. Time in which nobody listened, because a password was typed, does not count.
    since: Arc<OnceLock<Instant>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    /// Starts to ask and listen on every interface that can be opened.
    pub fn start(segment: &dyn Segment) -> Result<Self> {
        Self::on(segment, segment.interfaces(None)?)
    }

    /// Starts to ask and listen on those of the interfaces that can be opened.
    fn on(segment: &dyn Segment, mut names: Vec<String>) -> Result<Self> {
        let mut links = Vec::new();
        let mut first = None;
        names.retain(|name| match segment.open(name) {
            Ok(link) => {
                links.push(link);
                true
            }
            Err(failure) => {
                tracing::debug!(interface = name, code = failure.code, "not listened on");
                first.get_or_insert(failure);
                false
            }
        });
        tracing::debug!(interfaces = names.join(" "), "asking and listening for routers");
        if let (true, Some(failure)) = (links.is_empty(), first) {
            return Err(failure);
        }
        let heard = Arc::new(new_discovery(links.len()));
        let (shared, since) = (Arc::clone(&heard), Arc::new(OnceLock::new()));
        let begun = Arc::clone(&since);
        let task = tokio::spawn(async move {
            begun.get_or_init(Instant::now);
            discover_into(&shared, links, FOREVER, |_, _| true).await;
        });
        Ok(Self { heard, names, since, task })
    }

    /// Waits until the whole window has been listened to.
    pub async fn window(&self) {
        let since = loop {
            match self.since.get() {
                Some(since) => break *since,
                None => tokio::task::yield_now().await,
            }
        };
        tokio::time::sleep_until(since + WINDOW).await;
    }

    /// What is wrong with writing to `mac`, if it is more than one router or stands on more than one wire.
    pub fn conflict(&self, mac: MacAddr) -> Option<String> {
        let heard = self.heard.lock().ok()?;
        if heard.overflow() > 0 {
            return Some(format!("so many routers are announced here that a second {mac} would not be noticed"));
        }
        heard.conflict(mac, CLONE_MEMORY).map(|conflict| match conflict {
            Conflict::SeveralLinks { links, .. } => {
                let names: Vec<&str> =
                    links.iter().filter_map(|link| self.names.get(*link)).map(String::as_str).collect();
                format!("{mac} is heard on {}", names.join(" and "))
            }
            Conflict::SeveralRouters { .. } => format!("{mac} is announced by two different routers"),
        })
    }

    /// How `mac` was seen, and the router behind it.
    pub fn sighting(&self, mac: MacAddr) -> Option<(Router, Sighting, String)> {
        let heard = self.heard.lock().ok()?;
        heard.routers().iter().find_map(|router| {
            let sighting = router.sightings.iter().find(|sighting| sighting.mac() == mac)?;
            Some((router.clone(), sighting.clone(), self.names.get(sighting.link)?.clone()))
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Somebody on this host's segments, with whom a session is.
#[derive(Debug, Clone)]
pub struct OnSegment {
    mac: MacAddr,
    interface: Option<String>,
    company: Company,
    links: HostLinks,
}

impl OnSegment {
    /// On its interface, or on all.
    pub fn new(mac: MacAddr, interface: Option<String>, links: HostLinks) -> Self {
        Self { mac, interface, company: Company::default(), links }
    }

    /// With who has answered in the session itself.
    pub fn with(self, company: Company) -> Self {
        Self { company, ..self }
    }

    /// Listens beside the session for a second router with this address; ends when one is heard, and never if none is.
    pub async fn second_router(self) -> String {
        let segment = HostSegment(self.links);
        let names = self.interface.map_or_else(|| segment.interfaces(None), |name| Ok(vec![name]));
        if let Ok(watch) = names.and_then(|names| Watch::on(&segment, names)) {
            while watch.since.get().is_none_or(|since| since.elapsed() < BESIDE) {
                if self.company.answerers() == Answerers::Two {
                    return format!("two routers answer to {}", self.mac);
                }
                if let Some(said) = watch.conflict(self.mac) {
                    return said;
                }
                tokio::time::sleep(LOOK).await;
            }
        }
        std::future::pending().await
    }
}

/// How often what was heard is looked through.
const LOOK: Duration = Duration::from_millis(50);

/// A watch that starts when it is first wanted.
#[derive(Debug, Default, Clone)]
pub struct LazyWatch(Rc<RefCell<Option<Rc<Watch>>>>);

impl LazyWatch {
    /// The watch, if it was started.
    pub fn peek(&self) -> Option<Rc<Watch>> {
        self.0.borrow().clone()
    }

    /// The watch, started if it was not.
    pub fn get(&self, segment: &dyn Segment) -> Result<Rc<Watch>> {
        if let Some(watch) = &*self.0.borrow() {
            return Ok(Rc::clone(watch));
        }
        let watch = Rc::new(Watch::start(segment)?);
        *self.0.borrow_mut() = Some(Rc::clone(&watch));
        Ok(watch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mactelnet::io::Link as _;
    use mactelnet::io::memory::{MemoryLink, wire};
    use mactelnet::wire::{frame, mndp};

    struct OneWire(RefCell<Option<MemoryLink>>);

    impl Segment for OneWire {
        fn interfaces(&self, _: Option<&str>) -> Result<Vec<String>> {
            Ok(vec!["eth1".into()])
        }

        fn open(&self, _: &str) -> Result<BoxLink> {
            Ok(Box::new(self.0.borrow_mut().take().unwrap()))
        }

        fn seed(&self) -> [u8; 32] {
            [0; 32]
        }
    }

    fn announcement(last: u32, identity: String) -> Vec<u8> {
        let [_, _, c, d] = last.to_be_bytes();
        let mac = MacAddr([2, 0, 0, 0, c, d]);
        let said = mndp::Announcement {
            mac: Some(mac),
            identity: Some(identity.as_str().into()),
            software_id: Some(format!("ID-{last}").as_str().into()),
            ..mndp::Announcement::default()
        };
        let payload = said.to_vec([0; 4]).unwrap();
        frame::Repr::new(mac, MacAddr::BROADCAST, mndp::PORT, mndp::PORT, 1).to_vec(&payload).unwrap()
    }

    /// A password that is typed holds up the one thread: in that time nobody listens, and nobody was asked.
    #[tokio::test(start_paused = true)]
    async fn the_window_begins_when_the_first_question_has_left() {
        let (ours, mut theirs) = wire(("eth1", MacAddr([2, 1, 0, 0, 0, 1])), ("x", MacAddr([2, 1, 0, 0, 0, 2])));
        let watch = Watch::start(&OneWire(RefCell::new(Some(ours)))).unwrap();
        assert_eq!(watch.since.get(), None);
        let mut request = Vec::new();
        let asked = tokio::time::Instant::now();
        tokio::join!(watch.window(), async { mactelnet::io::link::recv(&mut theirs, &mut request).await.unwrap() });
        assert!(asked.elapsed() >= WINDOW && watch.since.get().is_some());
    }

    /// Twenty thousand announcements that each say something new take a moment, not minutes, and what can't be kept
    /// makes writing unsafe.
    #[tokio::test]
    async fn a_flood_of_announcements_is_outlived_and_refuses_writing() {
        let (ours, mut theirs) = wire(("eth1", MacAddr([2, 1, 0, 0, 0, 1])), ("x", MacAddr([2, 1, 0, 0, 0, 2])));
        let watch = Watch::start(&OneWire(RefCell::new(Some(ours)))).unwrap();
        let flood = async {
            for n in 0..20_000u32 {
                theirs.send(&announcement(n % 900, format!("r{n}"))).unwrap();
                if n % 100 == 0 {
                    tokio::task::yield_now().await;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        tokio::time::timeout(Duration::from_secs(30), flood).await.unwrap();
        assert_eq!(watch.conflict(MacAddr([2, 0, 0, 0, 0, 7])), None);
        assert!(watch.sighting(MacAddr([2, 0, 0, 0, 0, 7])).is_some());
        for n in 2000..3000 {
            theirs.send(&announcement(n, "more".into())).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(watch.conflict(MacAddr([2, 0, 0, 0, 0, 7])).is_some());
    }
}
