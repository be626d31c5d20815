//! The roads to the members of a pair, in the order of the site file.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bootstrap::facts::hop_interface;
use bootstrap::pair::Pair;
use bootstrap::recover;
use bootstrap::road::{Connection, Evidence, LocalFuture, Request, RoadError, RoadTrouble, Roads};
use bootstrap::site::Site;
use bootstrap::target::{Member, TargetUrl};
use mactelnet::MacAddr;
use routeros::{BoxLink, HopOptions, LoginOptions, NearShell, SerialTerminal, Shell};
use tokio::time::Instant;

use crate::line_road::{self, Lines, Opened};
use crate::mac_road::{MacRoad, MacTarget};
use crate::reach::{line_request, menu_left};

/// A console that nothing was typed at for longer is opened anew: RouterOS 7 logs out silently after 30 s without input
/// [one source, to be verified].
const STALE: Duration = Duration::from_secs(15);

/// For a router to let a console go.
const GOODBYE: Duration = Duration::from_secs(3);

/// A console of the near router that waits for the next hop.
#[derive(Debug)]
struct Kept {
    member: Member,
    shell: Shell,
    used: Instant,
}

/// For the near router to leave a serial terminal and say who it is: some round trips, and the attempts where one is lost.
const BACK: Duration = Duration::from_secs(30);

/// What a `reach` may hold.
pub const ROADS: &str =
    "roads are mac://%INTERFACE, via:a, via:a?port=usb1, serial:///dev/..., rfc2217://HOST:PORT, tcp:// and telnet://";

/// What this process knows of a line.
#[derive(Debug, Clone, Copy, Default)]
struct KnownLine {
    /// When its last session was ended in good order.
    let_go: Option<Instant>,
    /// The speed at which a login was had, where the site file has another.
    speed: Option<u32>,
}

/// Roads of one pair.
#[derive(Clone)]
pub struct PairRoads {
    pub site: Rc<Site>,
    pub mac: MacRoad,
    lines: Rc<dyn Lines>,
    take_over: bool,
    /// Lines that were opened, by their road.
    known: Rc<RefCell<BTreeMap<String, KnownLine>>>,
    /// What the last hop left: waiting for a router that restarts is a hop every few seconds, and a login of its own for
    /// each would fill the near router's log.
    kept: Rc<RefCell<Option<Kept>>>,
    /// By which road each member's own console was had last.
    taken: Rc<RefCell<BTreeMap<Member, String>>>,
    /// A near router's console that comes back when the line on its serial port has been left.
    lent: Rc<RefCell<Option<(Member, NearShell)>>>,
}

impl PairRoads {
    pub fn new(site: Rc<Site>, mac: MacRoad, lines: Rc<dyn Lines>) -> Self {
        Self {
            site,
            mac,
            lines,
            take_over: false,
            known: Rc::default(),
            kept: Rc::default(),
            taken: Rc::default(),
            lent: Rc::default(),
        }
    }

    /// Somebody else's session on a line is ended, as the operator asks.
    pub fn taking_over(mut self, take_over: bool) -> Self {
        self.take_over = take_over;
        self
    }

    /// A console's line. No frame says who is there: the console's own answer is all the evidence.
    ///
    /// A login that was refused has one more chance, behind a new look at the line: a key that a router dropped as it went
    /// down, or that the line damaged, is no wrong password.
    async fn line(&self, url: &TargetUrl, request: &Request) -> Result<Connection, RoadError> {
        match self.line_once(url, request).await {
            Err(error) if error.trouble == RoadTrouble::LoginRefused && !request.login.passwords.is_empty() => {
                self.line_once(url, request).await
            }
            settled => settled,
        }
    }

    async fn line_once(&self, url: &TargetUrl, request: &Request) -> Result<Connection, RoadError> {
        let road = url.to_string();
        let near = if let TargetUrl::Via { member, .. } = url { Some(*member) } else { None };
        let opened = self.open(url, request).await;
        let known = self.known.borrow_mut().get_mut(&road).map(std::mem::take);
        let (mut link, notes) = match opened {
            Ok(Some(opened)) => opened,
            Ok(None) => return Err(unsupported(&road)),
            // It was there a moment ago: an adapter that was unplugged comes back.
            Err(error) if error.trouble == RoadTrouble::Host && known.is_some() => {
                self.known.borrow_mut().insert(road, known.unwrap_or_default());
                return Err(RoadError { trouble: RoadTrouble::Transient, ..error });
            }
            Err(error) => return Err(error),
        };
        self.warn(notes);
        let written = link.speed();
        let before = known.unwrap_or_default();
        if let Some(speed) = before.speed {
            link.set_speed(speed);
        }
        let idle = before.let_go.is_some_and(|at| at.elapsed() < STALE);
        self.known.borrow_mut().insert(road.clone(), KnownLine { let_go: None, ..before });
        let listen = line_road::listen(request.purpose, request.restarting, idle);
        let shell = Shell::login(link, line_road::options(&request.login, listen, self.take_over)).await;
        let shell = shell.map_err(|error| match (&error, near) {
            // The terminal was over before it could be known for that: the near router has answered.
            (routeros::Error::WrongRouter { found, .. }, Some(near))
                if *found == self.site.member(near).ha_mac.to_string() =>
            {
                let over = RoadError::from_console(road.clone(), &error);
                RoadError { trouble: RoadTrouble::Transient, message: format!("{near} itself answers there"), ..over }
            }
            _ => RoadError::from_console(road.clone(), &error),
        })?;
        self.warn(shell.boots().iter().filter_map(menu_left).map(|note| format!("{road}: {note}")).collect());
        if let Some(note) = line_road::other_speed(&road, written, shell.speed()) {
            self.known.borrow_mut().entry(road.clone()).or_default().speed = shell.speed();
            self.warn(vec![note]);
        }
        Ok(Connection { shell, road, evidence: Evidence::default() })
    }

    /// An open line, with nothing sent on it; `None` where the URL means none.
    pub async fn open(&self, url: &TargetUrl, request: &Request) -> Opened {
        match url {
            TargetUrl::Via { pair: None, member: near, port: Some(port) } if *near != request.member => {
                let link = self.terminal(*near, port, request).await?;
                Ok(Some((Box::new(link) as BoxLink, Vec::new())))
            }
            url => self.lines.open(url).await,
        }
    }

    /// What is wired to a serial port of `near`.
    pub async fn terminal(&self, near: Member, port: &str, request: &Request) -> Result<SerialTerminal, RoadError> {
        let connection = self.near(near, &via(near, request)).await?;
        match connection.shell.serial_terminal(port).await {
            Ok((link, shell)) => {
                *self.lent.borrow_mut() = Some((near, shell));
                Ok(link)
            }
            Err(failed) => {
                if let Some(shell) = failed.near {
                    self.keep(near, shell).await;
                }
                let mut error = RoadError::from_console(format!("via:{near}?port={port}"), &failed.error);
                if matches!(failed.error, routeros::Error::HopRefused { .. } | routeros::Error::PortInUse { .. }) {
                    error.hints.push(format!("look at {near}:  /port print"));
                    error.hints.push(format!(
                        "a port that its console has is freed there by  /system console disable [find port={port}]"
                    ));
                }
                Err(error)
            }
        }
    }

    /// The console of `near` that was lent to a line which is gone by now. While something boots on that line it does not come.
    async fn returned(&self, near: Member) -> Result<Option<Kept>, RoadError> {
        let lent = self.lent.borrow_mut().take();
        let Some((member, mut shell)) = lent else { return Ok(None) };
        match tokio::time::timeout(BACK, shell.back()).await {
            // It may have been left long ago: a router logs out who types nothing.
            Ok(Ok((shell, used))) => {
                self.keep_since(member, shell, used).await;
                Ok(self.kept.borrow_mut().take_if(|kept| kept.member == near))
            }
            Ok(Err(_)) => Ok(None),
            Err(_) => {
                *self.lent.borrow_mut() = Some((member, shell));
                Err(RoadError {
                    trouble: RoadTrouble::Transient,
                    code: "road.lent".into(),
                    road: Roads::taken(self, member).unwrap_or_else(|| member.to_string()),
                    message: format!("the console of {member} is behind a router that starts on its serial port"),
                    hints: vec![format!(
                        "it comes back with that router's login; by hand, on {member}'s console:  Ctrl-A, then Q"
                    )],
                })
            }
        }
    }

    /// Each thing is said once.
    fn warn(&self, news: Vec<String>) {
        let mut warnings = self.mac.warnings.borrow_mut();
        for note in news {
            if !warnings.contains(&note) {
                warnings.push(note);
            }
        }
    }

    /// The console of `member` that a hop or a terminal left, where it is on a line: a line has one reader, and to open it again
    /// would meet ourselves.
    async fn at_hand(&self, member: Member) -> Result<Option<Connection>, RoadError> {
        let Some(road) = Roads::taken(self, member).filter(|road| is_line(road)) else { return Ok(None) };
        let mut kept = self.kept.borrow_mut().take_if(|kept| kept.member == member);
        if kept.is_none() {
            kept = self.returned(member).await?;
        }
        match kept {
            Some(kept) if kept.used.elapsed() < STALE => {
                Ok(Some(Connection { shell: kept.shell, road, evidence: Evidence::default() }))
            }
            Some(kept) => {
                goodbye(kept.shell).await;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// A console of `near` that still answers: the one that was kept, or a new one.
    async fn near(&self, near: Member, request: &Request) -> Result<Connection, RoadError> {
        let mut kept = self.kept.borrow_mut().take();
        if kept.is_none() {
            kept = self.returned(near).await?;
        }
        match kept {
            Some(kept) if kept.member == near && kept.used.elapsed() < STALE && !self.doubled(near) => {
                Ok(Connection { shell: kept.shell, road: near.to_string(), evidence: Evidence::default() })
            }
            other => {
                if let Some(kept) = other {
                    goodbye(kept.shell).await;
                }
                self.direct(near, request).await
            }
        }
    }

    /// Whether a second router with an address of `member` has been heard since its console was opened: opening anew says so.
    fn doubled(&self, member: Member) -> bool {
        let entry = self.site.member(member);
        entry.reach.iter().any(|road| match road {
            TargetUrl::Mac { mac, .. } => self.mac.doubled(MacAddr(mac.unwrap_or(entry.ha_mac).0)),
            _ => false,
        })
    }

    async fn keep(&self, member: Member, shell: Shell) {
        self.keep_since(member, shell, Instant::now()).await;
    }

    async fn keep_since(&self, member: Member, shell: Shell, used: Instant) {
        let before = self.kept.borrow_mut().replace(Kept { member, shell, used });
        if let Some(before) = before {
            goodbye(before.shell).await;
        }
    }

    async fn take(&self, member: Member, road: &TargetUrl, request: &Request) -> Result<Connection, RoadError> {
        let entry = self.site.member(member);
        match road {
            TargetUrl::Mac { mac, interface, login } => {
                let target = MacTarget {
                    mac: MacAddr(mac.unwrap_or(entry.ha_mac).0),
                    interface: interface.clone(),
                    login: login.unwrap_or(entry.login),
                    either: false,
                };
                self.mac.connect(&target, request.purpose, &request.login).await
            }
            TargetUrl::Via { pair: None, member: near, port: None } if *near != member => {
                self.hop(*near, member, request).await
            }
            url if url.is_line() => self.line(url, request).await,
            other => Err(unsupported(&other.to_string())),
        }
    }

    /// Through `near`'s own MAC-Telnet client.
    async fn hop(&self, near: Member, far: Member, request: &Request) -> Result<Connection, RoadError> {
        let road = format!("via:{near}");
        let connection = self.near(near, &via(near, request)).await?;
        let console = |error: &routeros::Error| RoadError::from_console(road.clone(), error);
        let interface =
            hop_interface(&connection.shell, &self.site.ha_interface).await.map_err(|error| console(&error))?;
        let options =
            HopOptions { host: self.site.member(far).ha_mac.to_string(), interface, login: request.login.clone() };
        match connection.shell.hop(options).await {
            Ok(shell) => Ok(Connection { shell, road, evidence: Evidence::default() }),
            Err(failed) => {
                if let Some(shell) = failed.near {
                    self.keep(near, shell).await;
                }
                let mut error = console(&failed.error);
                if matches!(failed.error, routeros::Error::HopRefused { .. }) {
                    let (mac, port) = (self.site.member(far).ha_mac, &self.site.ha_interface);
                    error.hints.push(format!(
                        "nothing let {near} in at {mac} behind its {port}: is the HA cable in, is {far} on, and is pair.{far}.ha_mac that of its {port}?"
                    ));
                }
                Err(error)
            }
        }
    }

    /// Roads that lead to `member` without the other one.
    async fn direct(&self, member: Member, request: &Request) -> Result<Connection, RoadError> {
        self.first(member, request, |road| !matches!(road, TargetUrl::Via { .. })).await
    }

    /// The first road that works. A refused login or a wrong router ends the search: the next road leads to the same router.
    async fn first(
        &self,
        member: Member,
        request: &Request,
        fits: impl Fn(&TargetUrl) -> bool,
    ) -> Result<Connection, RoadError> {
        let mut last: Option<RoadError> = None;
        for road in self.site.member(member).reach.iter().filter(|road| fits(road)) {
            let (begun, purpose) = (Instant::now(), request.purpose);
            let taken = Box::pin(self.take(member, road, request)).await;
            let ms = begun.elapsed().as_millis();
            match &taken {
                Ok(there) => tracing::debug!(%member, road = there.road, ?purpose, ms, "reached"),
                Err(error) => tracing::debug!(%member, %road, ?purpose, ms, code = error.code, "not reached"),
            }
            match taken {
                Ok(connection) => {
                    self.taken.borrow_mut().insert(member, connection.road.clone());
                    return Ok(connection);
                }
                Err(error) if matches!(error.trouble, RoadTrouble::LoginRefused | RoadTrouble::WrongRouter) => {
                    return Err(error);
                }
                // What could be cured by waiting says more than a road that can't be taken at all.
                Err(error) if last.is_some() && error.trouble == RoadTrouble::Fatal => {}
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| RoadError {
            trouble: RoadTrouble::Fatal,
            code: "road.none".into(),
            road: format!("pair.{member}.reach"),
            message: "the site file names no road that can be taken".into(),
            hints: vec![ROADS.into()],
        }))
    }
}

impl std::fmt::Debug for PairRoads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairRoads").field("site", &self.site.name).finish_non_exhaustive()
    }
}

impl Roads for PairRoads {
    fn connect<'a>(&'a self, request: &'a Request) -> LocalFuture<'a, Result<Connection, RoadError>> {
        Box::pin(async {
            match self.at_hand(request.member).await? {
                Some(connection) => Ok(connection),
                None => self.first(request.member, request, |_| true).await,
            }
        })
    }

    fn give_back(&self, connection: Connection) -> LocalFuture<'_, ()> {
        Box::pin(async move {
            // Whose console lies behind a hop says the road that it was taken by.
            let near = [Member::A, Member::B].into_iter().find(|member| connection.road == format!("via:{member}"));
            match near {
                None => {
                    if goodbye(connection.shell).await
                        && let Some(line) = self.known.borrow_mut().get_mut(&connection.road)
                    {
                        line.let_go = Some(Instant::now());
                    }
                }
                Some(near) => {
                    // A console that does not come back loses its link, which ends the session.
                    if let Ok(Ok(shell)) = tokio::time::timeout(GOODBYE, connection.shell.unhop()).await {
                        self.keep(near, shell).await;
                    }
                }
            }
        })
    }

    fn taken(&self, member: Member) -> Option<String> {
        self.taken.borrow().get(&member).cloned()
    }

    fn left_over(&self, member: Member, shell: Shell) -> LocalFuture<'_, ()> {
        Box::pin(self.keep(member, shell))
    }

    fn let_go(&self) -> LocalFuture<'_, ()> {
        Box::pin(async {
            let lent = self.lent.borrow().as_ref().map(|(near, _)| *near);
            let returned = match lent {
                Some(near) => self.returned(near).await.unwrap_or_else(|error| {
                    self.warn(
                        error.hints.iter().map(|hint| format!("{}: {}; {hint}", error.road, error.message)).collect(),
                    );
                    None
                }),
                None => None,
            };
            let kept = returned.or_else(|| self.kept.borrow_mut().take());
            if let Some(kept) = kept {
                goodbye(kept.shell).await;
            }
        })
    }
}

/// The serial line among the roads to a member of a pair, for a rescue.
#[derive(Debug)]
pub struct PairLine<'a> {
    pub pair: &'a Pair<'a>,
    pub roads: &'a PairRoads,
    pub member: Member,
}

impl recover::Lines for PairLine<'_> {
    fn line(&self) -> LocalFuture<'_, Result<Option<BoxLink>, RoadError>> {
        Box::pin(async {
            let Some(road) = self.roads.site.member(self.member).reach.iter().find(|road| road.is_line()) else {
                return Ok(None);
            };
            let request = line_request(self.pair, self.member).map_err(|trouble| RoadError {
                trouble: RoadTrouble::Fatal,
                code: trouble.code,
                road: road.to_string(),
                message: trouble.message,
                hints: trouble.hints,
            })?;
            Ok(self.roads.open(road, &request).await?.map(|(link, _)| link))
        })
    }
}

fn is_line(road: &str) -> bool {
    road.parse::<TargetUrl>().is_ok_and(|url| url.is_line())
}

/// The request for the router on the way.
fn via(near: Member, request: &Request) -> Request {
    Request {
        member: near,
        purpose: request.purpose,
        login: request.via.clone(),
        via: LoginOptions::new(""),
        restarting: None,
    }
}

/// Logs out, as far as the router still answers; whether it did.
async fn goodbye(shell: Shell) -> bool {
    matches!(tokio::time::timeout(GOODBYE, shell.close()).await, Ok(Ok(())))
}

fn unsupported(road: &str) -> RoadError {
    RoadError {
        trouble: RoadTrouble::Fatal,
        code: "road.unsupported".into(),
        road: road.to_owned(),
        message: "this version can't take this road yet".into(),
        hints: vec![ROADS.into()],
    }
}
