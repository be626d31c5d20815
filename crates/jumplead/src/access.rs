//! One router for `recover` and `bundle`: by any TARGET, with the pair that it belongs to where one is named.

use std::cell::RefCell;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;

use bootstrap::marker::Who;
use bootstrap::pair::{Pair, PairSecrets};
use bootstrap::recover::{Access, Lines, ToolEnd, Tools};
use bootstrap::road::{Connection, Evidence, LocalFuture, Request, RoadError, Roads};
use bootstrap::secret::{self, Asker as _, SecretError, SecretRef};
use bootstrap::store::DirStore;
use bootstrap::target::quoted;
use bootstrap::trouble::{Kind, Trouble};
use routeros::{BoxLink, LoginOptions, Secret, Shell};
use serial_console::io::Endpoint;

use crate::cli::Global;
use crate::cmd::bootstrap::{TerminalAsker, unfetched};
use crate::cmd::config;
use crate::failure::{Exit, Failure, Result};
use crate::folders;
use crate::known::KnownRouters;
use crate::line_road::{self, HostLines, LineLink};
use crate::mac_road::MacRoad;
use crate::output::Output;
use crate::reach::{self, Reach, Target};
use crate::roads::{PairLine, PairRoads};
use crate::segment::{HostSegment, LazyWatch};

/// What a program of the host said that is kept, in bytes from its end.
const SAID: usize = 600;

/// The roads of one router: all lead to it, whatever member is asked for.
struct OneRoad<'a> {
    reach: &'a Reach,
    target: Target,
}

impl Roads for OneRoad<'_> {
    fn connect<'a>(&'a self, request: &'a Request) -> LocalFuture<'a, std::result::Result<Connection, RoadError>> {
        Box::pin(async move {
            let login = &request.login;
            match &self.target {
                Target::Mac(target) => self.reach.mac_road().connect(target, request.purpose, login).await,
                Target::Line { endpoint, url } => {
                    let link = LineLink::open(endpoint, url).await?;
                    let listen = line_road::listen(request.purpose, request.restarting, false);
                    let shell = Shell::login(link, line_road::options(login, listen, self.reach.takes_over())).await;
                    let shell = shell.map_err(|error| RoadError::from_console(url.clone(), &error))?;
                    Ok(Connection { shell, road: url.clone(), evidence: Evidence::default() })
                }
                Target::Member { .. } => unreachable!("a member has the roads of its pair"),
            }
        })
    }
}

/// The serial line among the roads.
struct OneLine(Option<(Endpoint, String)>);

impl Lines for OneLine {
    fn line(&self) -> LocalFuture<'_, std::result::Result<Option<BoxLink>, RoadError>> {
        Box::pin(async {
            let Some((endpoint, url)) = &self.0 else { return Ok(None) };
            Ok(Some(Box::new(LineLink::open(endpoint, url).await?) as BoxLink))
        })
    }
}

/// Programs of this host: words, no shell, nothing of our environment's secrets.
struct HostTools;

impl Tools for HostTools {
    fn run<'a>(&'a self, argv: &'a [String]) -> LocalFuture<'a, std::result::Result<ToolEnd, Trouble>> {
        Box::pin(async move {
            let trouble = |why: String| Trouble::new(Kind::Host, "recover.netinstall", why);
            let (program, words) = argv.split_first().ok_or_else(|| trouble("no program is named".into()))?;
            let mut command = tokio::process::Command::new(program);
            command.args(words).stdin(Stdio::null()).kill_on_drop(true).env_remove("JUMPLEAD_PASSWORD");
            let output =
                command.output().await.map_err(|error| trouble(format!("{program} can't be started: {error}")))?;
            let mut said = output.stdout;
            said.extend(output.stderr);
            let tail = said.split_off(said.len().saturating_sub(SAID));
            let text = String::from_utf8_lossy(&tail);
            let said = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
            Ok(ToolEnd { ok: output.status.success(), said })
        })
    }
}

/// Which secrets of a pair are fetched.
#[derive(Debug, Clone, Copy)]
pub enum Wants<'a> {
    /// Those of the logins: who looks needs no other.
    Logins,
    /// All of them, and where a new HA password comes from.
    All { new_ha: Option<&'a str> },
}

/// Runs `act` on the router that TARGET means; `member_of`, PAIR/b, says which member a line leads to.
pub async fn with_access<T>(
    out: &Output,
    global: &Global,
    typed: &str,
    member_of: Option<&str>,
    wants: Wants<'_>,
    act: impl AsyncFnOnce(&Access<'_>) -> Result<T>,
) -> Result<T> {
    global.links.raw_only("a rescue")?;
    let target = reach::target(typed)?;
    let named = match member_of {
        None => None,
        Some(text) => match reach::target(text)? {
            Target::Member { pair, member, by: None } => Some((pair, member)),
            _ => {
                return Err(Failure::new(Exit::Usage, "usage.target", "--as names a member of a pair")
                    .hint("as in  --as edge-1/b"));
            }
        },
    };
    let (pair, member) = match (&target, named) {
        (Target::Member { pair, member, .. }, None) => (pair.clone(), *member),
        (Target::Member { .. }, Some(_)) => {
            return Err(Failure::new(Exit::Usage, "usage.target", "the TARGET is a member of a pair already"));
        }
        (_, Some(named)) => named,
        (_, None) => return alone(out, global, typed, target, act).await,
    };
    reach::site_file_says(global)?;
    let mut site = config::load(&pair)?;
    let by = match &target {
        Target::Member { by, .. } => by.clone(),
        _ => Some(typed.parse().map_err(|error: bootstrap::target::TargetError| {
            Failure::new(Exit::Usage, error.code(), error.to_string())
        })?),
    };
    site.reach_by(member, by);
    let site = Rc::new(site);
    let state = folders::state(global.state_dir.as_deref())?;
    let mut store = DirStore::new(&state);
    let mut asker = TerminalAsker { allowed: !global.non_interactive };
    let secrets = match wants {
        Wants::Logins => PairSecrets::of_logins(&site, &mut asker, &mut store),
        Wants::All { .. } => PairSecrets::resolve(&site, &mut asker, &mut store),
    };
    let secrets = secrets.map_err(|error| {
        unfetched(&error)
            .hint(format!("see which secrets the site file names:  jumplead config show {}", quoted(&pair)))
    })?;
    let new_ha = match wants {
        Wants::All { new_ha: Some(reference) } => Some(new_password(reference, &site.name, &mut asker, &mut store)?),
        _ => None,
    };
    let warnings = Rc::new(RefCell::new(Vec::new()));
    let mac = MacRoad {
        segment: Rc::new(HostSegment(global.links.clone())),
        watch: LazyWatch::default(),
        listen: true,
        known: Rc::new(RefCell::new(known(&state)?)),
        warnings: Rc::clone(&warnings),
    };
    let roads = PairRoads::new(Rc::clone(&site), mac, Rc::new(HostLines)).taking_over(global.take_over);
    let mut seed = [0; 8];
    asker.random(&mut seed);
    let seed = u64::from_be_bytes(seed);
    // Who only looks needs no folder that can be written; a run says so itself.
    let who = Who::of(&mut store, seed, &folders::operator()).unwrap_or_else(|_| Who::nobody());
    let pair_of = Pair { site: &site, roads: &roads, secrets, seed, who };
    let lines = PairLine { pair: &pair_of, roads: &roads, member };
    let only_line = matches!(target, Target::Line { .. }) || target.terminal().is_some();
    let access = Access {
        target: again(typed),
        roads: &roads,
        lines: &lines,
        line_first: only_line,
        take_over: global.take_over,
        tools: &HostTools,
        pair: Some((&pair_of, member)),
        login: LoginOptions::new(""),
        new_ha,
        pair_name: Some(pair),
        beside: beside(global, member_of, false),
    };
    let ended = act(&access).await;
    roads.let_go().await;
    warnings.borrow().iter().for_each(|warning| out.warn(warning));
    ended
}

/// The password behind a reference, as the pair's scripts take it. A generated one could not be told from the last, and a command's
/// words, which may be secret, would stand in the run's journal.
fn new_password(reference: &str, pair: &str, asker: &mut TerminalAsker, store: &mut DirStore) -> Result<Secret> {
    let what = "the new HA password";
    let said = |exit, error: &SecretError| {
        Failure::new(exit, error.code(), error.to_string()).hint("--new-ha-password env:NAME, file:PATH or prompt")
    };
    let wrong = |error: &SecretError| said(Exit::Usage, error);
    let reference: SecretRef = reference.parse().map_err(|error| wrong(&error))?;
    if matches!(reference, SecretRef::Generate | SecretRef::Cmd(_)) {
        return Err(wrong(&SecretError::Form));
    }
    let secret = secret::resolve(&reference, what, &format!("{pair}.new_ha_password"), asker, store)
        .map_err(|error| said(unfetched(&error).exit, &error))?;
    secret::check_ha_password(&secret, what).map_err(|error| wrong(&error))?;
    Ok(secret)
}

fn known(state: &Path) -> Result<KnownRouters> {
    KnownRouters::open(state).map_err(|error| {
        Failure::new(Exit::LacksRight, "state.io", format!("{} can't be read", state.join("routers.json").display()))
            .cause(error)
    })
}

async fn alone<T>(
    out: &Output,
    global: &Global,
    typed: &str,
    target: Target,
    act: impl AsyncFnOnce(&Access<'_>) -> Result<T>,
) -> Result<T> {
    let reach = Reach::new(global)?;
    let line = match &target {
        Target::Line { endpoint, url } => Some((endpoint.clone(), url.clone())),
        _ => None,
    };
    let only_line = line.is_some();
    let (roads, lines) = (OneRoad { reach: &reach, target }, OneLine(line));
    let access = Access {
        target: again(typed),
        roads: &roads,
        lines: &lines,
        line_first: only_line,
        take_over: global.take_over,
        tools: &HostTools,
        pair: None,
        login: reach.login()?,
        new_ha: None,
        pair_name: None,
        beside: beside(global, None, true),
    };
    let ended = act(&access).await;
    reach.warn(out);
    ended
}

/// What was typed beside the target and is wanted again: which member it is, or who logs in where no site file says that.
fn beside(global: &Global, member_of: Option<&str>, own_login: bool) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(member_of.map(|member| format!("--as {}", quoted(&again(member)))));
    if own_login {
        words.extend(global.user.as_deref().map(|user| format!("--user {}", quoted(user))));
        // A command may hold a secret of its own, and this is kept in the run's journal: lines that are printed add it.
        let kept = global.password.as_deref().filter(|reference| !reference.starts_with("cmd:"));
        words.extend(kept.map(|reference| format!("--password {}", quoted(reference))));
    }
    if global.take_over {
        words.push("--take-over".to_owned());
    }
    words
}

/// A target as it can be typed from any folder.
fn again(typed: &str) -> String {
    if let Some((pair, member)) = typed.rsplit_once('/')
        && matches!(member, "a" | "b")
        && !typed.contains("://")
        && let Ok(path) = folders::site_file(pair)
        && pair.contains('/')
        && let Ok(path) = path.canonicalize()
    {
        return format!("{}/{member}", path.display());
    }
    typed.to_owned()
}
