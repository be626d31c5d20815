//! One TARGET of a command that talks: who it is, as whom to log in, and a session with it.

use std::cell::{OnceCell, RefCell};
use std::io::Write as _;
use std::rc::Rc;
use std::time::Instant;

use bootstrap::mac::Mac;
use bootstrap::marker::Who;
use bootstrap::pair::{Pair, PairSecrets, Users};
use bootstrap::road::{NO_PORT, Purpose, Request, RoadError, RoadTrouble, Roads};
use bootstrap::secret::{Asker, SecretError, SecretRef, Unasked, resolve};
use bootstrap::site::Site;
use bootstrap::store::DirStore;
use bootstrap::target::{Member, TargetUrl, quoted};
use bootstrap::trouble::Trouble;
use mactelnet::MacAddr;
use routeros::boot::Boot;
use routeros::{BoxLink, LoginOptions, Secret, SerialTerminal, Shell, Suffix};
use serial_console::io::Endpoint;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::cli::Global;
use crate::cmd::bootstrap::{TerminalAsker, unfetched};
use crate::cmd::change::from_trouble;
use crate::cmd::config;
use crate::failure::{Exit, Failure, Result};
use crate::folders;
use crate::known::KnownRouters;
use crate::line_road::{self, Hearsay, HostLines, LineLink};
use crate::links::HostLinks;
use crate::mac_road::{CONFLICT, MacLink, MacRoad, MacTarget};
use crate::output::Output;
use crate::roads::PairRoads;
use crate::segment::{HostSegment, LazyWatch, OnSegment};
use crate::term;

/// The user of a router that nobody configured.
const DEFAULT_USER: &str = "admin";

/// A parsed TARGET that this version can talk to.
#[derive(Debug, Clone)]
pub enum Target {
    Mac(MacTarget),
    Line {
        endpoint: Endpoint,
        url: String,
    },
    /// A member of a pair, by all of its roads or by one.
    Member {
        pair: String,
        member: Member,
        by: Option<TargetUrl>,
    },
}

impl Target {
    /// The other member's serial port, where that is the only road to the one that is meant.
    pub fn terminal(&self) -> Option<&str> {
        match self {
            Self::Member { by: Some(TargetUrl::Via { port, .. }), .. } => port.as_deref(),
            _ => None,
        }
    }
}

/// Parses TARGET.
pub fn target(text: &str) -> Result<Target> {
    let url: TargetUrl = text.parse().map_err(|error: bootstrap::target::TargetError| {
        Failure::new(Exit::Usage, error.code(), error.to_string())
            .hint("a router is written as  mac://74:4D:28:00:00:0B%eth1  or  PAIR/b")
    })?;
    match url {
        TargetUrl::Mac { mac: Some(mac), interface, login } => {
            Ok(Target::Mac(MacTarget { mac: MacAddr(mac.0), interface, login: login.unwrap_or_default(), either: false }))
        }
        TargetUrl::Mac { mac: None, .. } => {
            Err(Failure::new(Exit::Usage, "target.mac", "outside a site file the MAC must be written")
                .hint("as in  mac://74:4D:28:00:00:0B%eth1; find it:  jumplead discover"))
        }
        TargetUrl::Pair { pair, member } => Ok(Target::Member { pair, member, by: None }),
        TargetUrl::Via { pair: Some(pair), member: near, port } => {
            let by = TargetUrl::Via { pair: None, member: near, port };
            Ok(Target::Member { pair, member: near.other(), by: Some(by) })
        }
        TargetUrl::Via { pair: None, .. } => {
            Err(Failure::new(Exit::Usage, "target.pair", format!("{url}: through which pair's router?"))
                .hint("outside a site file the pair is named, as in  via:edge-1/a?port=usb1"))
        }
        url => match line_road::endpoint(&url).map_err(failure)? {
            Some(endpoint) => Ok(Target::Line { endpoint, url: url.to_string() }),
            None => Err(Failure::new(
                Exit::Usage,
                "road.unsupported",
                format!("{url}: this version can't take this road yet"),
            )
            .hint("roads are mac://MAC%INTERFACE, serial:///dev/..., rfc2217://, tcp://, telnet://HOST:PORT, via:PAIR/a?port=usb1, and PAIR/a or PAIR/b")),
        },
    }
}

/// What a look did to a router that boots silently, where it did.
pub fn menu_left(boot: &Boot) -> Option<String> {
    boot.menu_left.then(|| {
        "it boots silently: a key that was typed to look had opened its boot loader's menu, which was left by its exit; nothing \
         was set in it, and it went on booting"
            .to_owned()
    })
}

/// A failure of a road, of a command that changes nothing.
pub fn failure(error: RoadError) -> Failure {
    let exit = match error.trouble {
        // It answered before.
        RoadTrouble::Silent if error.code == "routeros.timeout" => Exit::TimedOut,
        RoadTrouble::Silent => Exit::NotFound,
        RoadTrouble::LoginRefused => Exit::LoginRefused,
        RoadTrouble::WrongRouter => Exit::PreflightRefused,
        RoadTrouble::Transient if error.code == "host.interface.lost" => Exit::LacksRight,
        RoadTrouble::Transient => Exit::TimedOut,
        // As `ping` and `discover` say it.
        RoadTrouble::Host if error.code == "host.interface.none" => Exit::NotFound,
        RoadTrouble::Host => Exit::LacksRight,
        RoadTrouble::Fatal if error.code == NO_PORT => Exit::NotFound,
        // The line is as it was asked for; it is the router that is in no state for this.
        RoadTrouble::Fatal if error.code.starts_with("routeros.boot.") => Exit::PreflightRefused,
        RoadTrouble::Session => Exit::PreflightRefused,
        RoadTrouble::Fatal => Exit::Usage,
    };
    let mut failure = Failure::new(exit, error.code, format!("{}: {}", error.road, error.message));
    if failure.code == CONFLICT {
        failure = failure.state("nothing was sent to either of them");
    }
    failure.hints = error.hints;
    match error.trouble {
        RoadTrouble::LoginRefused => {
            failure.hint("another login:  --user NAME --password env:VARIABLE   (or file:PATH, prompt)")
        }
        _ => failure,
    }
}

/// What is said before a person types at one of two routers.
pub fn warning_of_two(said: &str) -> String {
    format!("WARNING: {said}. What you type may be carried out by the wrong router.")
}

/// Asks, on a terminal that is not raw.
async fn either_will_do(said: &str) -> bool {
    let question = format!("{}\nGo on with one of them, whichever it is? [y/N] ", warning_of_two(said));
    let _ = std::io::stderr().lock().write_all(question.as_bytes());
    let mut line = String::new();
    // Not the blocking way: a signal must end it.
    let asked = BufReader::new(tokio::io::stdin()).read_line(&mut line).await;
    asked.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

/// A pair and the roads to it.
pub struct ReachedPair {
    pub site: Rc<Site>,
    pub roads: PairRoads,
    secrets: PairSecrets,
    seed: u64,
}

impl ReachedPair {
    /// As the crates know it.
    pub fn pair(&self) -> Pair<'_> {
        Pair {
            site: &self.site,
            roads: &self.roads,
            secrets: self.secrets.clone(),
            seed: self.seed,
            who: Who::nobody(),
        }
    }

    /// Whom a road's frames go to: its own router, or the one that it leads through.
    fn on_segment(&self, road: &str, links: &HostLinks) -> Option<OnSegment> {
        let to = |mac: Mac, interface: &Option<String>| {
            Some(OnSegment::new(MacAddr(mac.0), interface.clone(), links.clone()))
        };
        let road = match road.parse().ok()? {
            TargetUrl::Via { member: near, .. } => Roads::taken(&self.roads, near)?.parse().ok()?,
            road => road,
        };
        match road {
            TargetUrl::Mac { mac: Some(mac), interface, .. } => to(mac, &interface),
            _ => None,
        }
    }

    /// What hangs on a serial port of the other member, nothing sent.
    pub async fn terminal(&self, member: Member, port: &str) -> Result<SerialTerminal> {
        let request = line_request(&self.pair(), member).map_err(|trouble| from_trouble(&trouble))?;
        self.roads.terminal(member.other(), port, &request).await.map_err(failure)
    }
}

/// The request for a bare line of `member`: nobody logs in there, but at the router on the way.
pub fn line_request(pair: &Pair<'_>, member: Member) -> std::result::Result<Request, Trouble> {
    let via = pair.logins(member.other(), Users::OfA)?.into_iter().next().unwrap_or_else(|| LoginOptions::new(""));
    Ok(Request { member, purpose: Purpose::Read, login: LoginOptions::new(""), via, restarting: None })
}

/// Who logs in where no site file says so.
pub fn user(global: &Global) -> &str {
    global.user.as_deref().unwrap_or(DEFAULT_USER)
}

/// What talking to a target needs.
pub struct Reach {
    road: MacRoad,
    user: String,
    /// Fetched when a login needs it: a pair's member has the site file's.
    password: OnceCell<Secret>,
    global: Global,
    /// Of the line that was opened last.
    hearsay: RefCell<Hearsay>,
}

impl Reach {
    /// What single targets are logged in to with is fetched later.
    pub fn new(global: &Global) -> Result<Self> {
        let state = folders::state(global.state_dir.as_deref())?;
        let known = KnownRouters::open(&state).map_err(|error| {
            Failure::new(
                Exit::LacksRight,
                "state.io",
                format!("{} can't be read", state.join("routers.json").display()),
            )
            .cause(error)
        })?;
        let road = MacRoad {
            segment: Rc::new(HostSegment(global.links.clone())),
            watch: LazyWatch::default(),
            listen: false,
            known: Rc::new(RefCell::new(known)),
            warnings: Rc::default(),
        };
        let user = user(global).to_owned();
        Ok(Self { road, user, password: OnceCell::new(), global: global.clone(), hearsay: RefCell::default() })
    }

    fn password(&self) -> Result<Secret> {
        if let Some(password) = self.password.get() {
            return Ok(password.clone());
        }
        let fetched = password(&self.global)?;
        Ok(self.password.get_or_init(|| fetched).clone())
    }

    /// The login that was asked for.
    pub fn login(&self) -> Result<LoginOptions> {
        let mut options = LoginOptions::new(self.user.clone());
        options.passwords = vec![self.password()?];
        options.secrets = options.passwords.clone();
        Ok(options)
    }

    /// Whether somebody else's session on a line is ended.
    pub fn takes_over(&self) -> bool {
        self.global.take_over
    }

    /// How links of this host are opened.
    pub fn links(&self) -> HostLinks {
        self.global.links.clone()
    }

    /// The road to routers at a MAC address.
    pub fn mac_road(&self) -> &MacRoad {
        &self.road
    }

    /// A raw session for a console. Where two routers answer to the address, a person may say that either will do: what
    /// is typed can be seen there.
    pub async fn session(&self, target: &MacTarget, suffix: Suffix, size: (u16, u16)) -> Result<MacLink> {
        match self.link(target, suffix, size).await {
            Err(failure) if failure.code == CONFLICT && term::interactive() && !self.global.non_interactive => {
                if either_will_do(&failure.message).await {
                    self.link(&MacTarget { either: true, ..target.clone() }, suffix, size).await
                } else {
                    Err(failure)
                }
            }
            ended => ended,
        }
    }

    /// A raw session with the one router at this address, reached by MAC-Telnet.
    pub async fn link(&self, target: &MacTarget, suffix: Suffix, size: (u16, u16)) -> Result<MacLink> {
        let name = format!("{}{}", self.user, suffix.text());
        let passwords = [self.password()?];
        let opened = self.road.open(target, Purpose::Read, &name, &passwords, size).await;
        Ok(opened.map_err(failure)?.0.beside(self.global.links.clone()))
    }

    /// An open line, with nothing sent on it.
    pub async fn line(&self, endpoint: &Endpoint, url: &str) -> Result<LineLink> {
        let link = LineLink::open(endpoint, url).await.map_err(failure)?;
        self.road.warnings.borrow_mut().extend(link.notes().iter().cloned());
        self.hearsay.replace(link.hearsay());
        Ok(link)
    }

    /// A login on a line that is open.
    pub async fn login_on(&self, link: BoxLink, url: &str) -> Result<Shell> {
        let options = line_road::options(&self.login()?, routeros::boot::IDLE, self.global.take_over);
        let written = link.speed();
        let shell = Shell::login(link, options).await;
        let shell = shell.map_err(|error| failure(RoadError::from_console(url, &error)))?;
        let mut warnings = self.road.warnings.borrow_mut();
        warnings.extend(shell.boots().iter().filter_map(menu_left));
        warnings.extend(line_road::other_speed(url, written, shell.speed()));
        Ok(shell)
    }

    /// A logged-in RouterOS shell.
    pub async fn shell(&self, target: &Target) -> Result<Shell> {
        self.console(target).await.map(|(shell, _)| shell)
    }

    /// A logged-in RouterOS shell, and whom its frames go to on this host's own segments, where they do.
    pub async fn console(&self, target: &Target) -> Result<(Shell, Option<OnSegment>)> {
        let begun = Instant::now();
        let reached = self.reached(target).await;
        let ms = begun.elapsed().as_millis();
        match &reached {
            Ok((shell, _)) => tracing::info!(by = shell.describe(), ms, "reached"),
            Err(failure) => tracing::info!(code = failure.code, ms, "not reached"),
        }
        reached
    }

    async fn reached(&self, target: &Target) -> Result<(Shell, Option<OnSegment>)> {
        match target {
            Target::Mac(target) => {
                let connected = self.road.connect(target, Purpose::Read, &self.login()?).await;
                let to = OnSegment::new(target.mac, target.interface.clone(), self.links());
                Ok((connected.map_err(failure)?.shell, (!target.either).then_some(to)))
            }
            Target::Line { endpoint, url } => {
                let link = self.line(endpoint, url).await?;
                Ok((self.login_on(Box::new(link), url).await?, None))
            }
            Target::Member { pair, member, by } => {
                let reached = self.pair(pair, *member, by.clone())?;
                let connection = reached
                    .pair()
                    .open(*member, Purpose::Read, Users::OfA)
                    .await
                    .map_err(|trouble| from_trouble(&trouble))?;
                let to = reached.on_segment(&connection.road, &self.global.links);
                Ok((connection.shell, to))
            }
        }
    }

    /// A pair of which one member is wanted, by the roads of its site file or by the given one alone.
    pub fn pair(&self, pair: &str, member: Member, by: Option<TargetUrl>) -> Result<ReachedPair> {
        site_file_says(&self.global)?;
        let mut site = config::load(pair)?;
        site.reach_by(member, by);
        let site = Rc::new(site);
        let mut store = DirStore::new(folders::state(self.global.state_dir.as_deref())?);
        let mut asker = TerminalAsker { allowed: !self.global.non_interactive };
        let secrets = PairSecrets::to_look(&site, member, &mut asker, &mut store).map_err(|error| {
            unfetched(&error)
                .hint(format!("see which secrets the site file names:  jumplead config show {}", quoted(pair)))
        })?;
        let roads =
            PairRoads::new(Rc::clone(&site), self.road.clone(), Rc::new(HostLines)).taking_over(self.global.take_over);
        let mut seed = [0; 8];
        asker.random(&mut seed);
        Ok(ReachedPair { site, roads, secrets, seed: u64::from_be_bytes(seed) })
    }

    /// What a console server told of the line, by itself.
    pub fn told(&self) -> Vec<String> {
        self.hearsay.borrow().line().into_iter().collect()
    }

    /// What should be known of the logins that were made.
    pub fn warnings(&self) -> Vec<String> {
        self.road.warnings.borrow().iter().cloned().chain(self.told()).collect()
    }

    /// Says it.
    pub fn warn(&self, out: &Output) {
        self.warnings().iter().for_each(|warning| out.warn(warning));
    }
}

/// Who logs in at a member of a pair stands in its site file: an option that would not be heeded is refused.
pub fn site_file_says(global: &Global) -> Result {
    let given = [("--user", global.user.is_some()), ("--password", global.password.is_some())];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => {
            let message =
                format!("{name} is of a single router: who logs in at a pair's member stands in the site file");
            Err(Failure::new(Exit::Usage, "usage.login", message)
                .hint("user and password below [pair.a] and [pair.b]; what they are now:  jumplead config show PAIR"))
        }
    }
}

/// `--password REF`, JUMPLEAD_PASSWORD, a question at the terminal, or the empty password of an erased router.
fn password(global: &Global) -> Result<Secret> {
    let mut asker = TerminalAsker { allowed: !global.non_interactive };
    if let Some(reference) = &global.password {
        let wrong = |error: SecretError| {
            Failure::new(Exit::Usage, error.code(), error.to_string())
                .hint("for instance:  --password env:ROUTER_PASSWORD")
        };
        let reference = SecretRef::of_a_router(reference).map_err(wrong)?;
        let mut store = DirStore::new(folders::state(global.state_dir.as_deref())?);
        return resolve(&reference, "password", "password", &mut asker, &mut store).map_err(|error| {
            unfetched(&error).hint("where else it may be:  --password file:PATH, cmd:COMMAND or prompt")
        });
    }
    match std::env::var("JUMPLEAD_PASSWORD") {
        Ok(password) => return Ok(Secret::new(password)),
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(Failure::new(Exit::Usage, "secret.unfit", "JUMPLEAD_PASSWORD is no UTF-8 text"));
        }
        Err(std::env::VarError::NotPresent) => {}
    }
    match asker.prompt(&format!("password of {} (empty on an erased router)", user(global))) {
        Ok(password) => Ok(password),
        Err(Unasked::Nobody) => Ok(Secret::default()),
        Err(Unasked::Interrupted) => Err(unfetched(&SecretError::Interrupted)),
    }
}
