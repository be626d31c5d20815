//! How a rescue gets at its router: a console by the caller's roads, or the bare serial line.

use crate::mac::Mac;
use crate::pair::{Pair, Users};
use crate::road::{Connection, LocalFuture, Purpose, Request, Restarting, RoadError, Roads};
use crate::target::{Member, TargetUrl, quoted};
use crate::trouble::{Kind, Trouble};
use routeros::{BoxLink, LoginOptions, Proof, Secret};
use std::time::Duration;
use tokio::time::Instant;

/// Between two attempts at a line that somebody has.
pub(super) const LET_GO: Duration = Duration::from_millis(500);
/// A router keeps its serial port for a host that is gone until the session has ended: RouterOS 7.23.2 after about 90 s without a
/// word \[R\].
const HELD: Duration = Duration::from_secs(100);
/// Somebody has the router's port.
pub(super) const IN_USE: &str = "routeros.port.in-use";

/// Opens the serial line of a router, where one of its roads is one.
pub trait Lines {
    /// The line, nothing sent; `None` where no road is one.
    fn line(&self) -> LocalFuture<'_, Result<Option<BoxLink>, RoadError>>;
}

/// How a program of the host ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolEnd {
    /// Its exit status was success.
    pub ok: bool,
    /// The last that it said, for people.
    pub said: String,
}

/// Runs programs of this host that a rescue needs: words of argv, no shell.
pub trait Tools {
    /// Runs it to its end; it is ended when this is dropped.
    fn run<'a>(&'a self, argv: &'a [String]) -> LocalFuture<'a, Result<ToolEnd, Trouble>>;
}

/// Runs nothing.
#[derive(Debug, Clone, Copy)]
pub struct NoTools;

impl Tools for NoTools {
    fn run<'a>(&'a self, _: &'a [String]) -> LocalFuture<'a, Result<ToolEnd, Trouble>> {
        Box::pin(async { Err(Trouble::new(Kind::Host, "recover.netinstall", "no program may be run here")) })
    }
}

/// One router that may need a rescue.
pub struct Access<'a> {
    /// Where it is, as it was typed and can be typed again.
    pub target: String,
    /// The roads; of a single router, all lead to it.
    pub roads: &'a dyn Roads,
    /// Its line.
    pub lines: &'a dyn Lines,
    /// The line is the only road: it is listened to before anybody logs in on it.
    pub line_first: bool,
    /// Somebody else's session on the line is ended, as the operator asks; otherwise it is left alone.
    pub take_over: bool,
    /// Programs of this host.
    pub tools: &'a dyn Tools,
    /// The pair that it belongs to, where the operator says so.
    pub pair: Option<(&'a Pair<'a>, Member)>,
    /// The login of a router without a pair.
    pub login: LoginOptions,
    /// The HA password that is to be the pair's.
    pub new_ha: Option<Secret>,
    /// The pair as it can be typed again, for hints.
    pub pair_name: Option<String>,
    /// Options of the login that were typed beside the target, as words of a shell: hints repeat them.
    pub beside: Vec<String>,
}

fn servers(ways: &[TargetUrl]) -> Vec<String> {
    ways.iter().filter(|way| way.is_server()).map(ToString::to_string).collect()
}

impl std::fmt::Debug for Access<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Access<'_> {
    /// A `recover` of this router as it can be typed again.
    pub fn recover(&self, words: &str) -> String {
        super::plan::command(&self.target, words, &self.beside)
    }

    /// The pair as a word of a shell; PAIR where it is not known.
    pub(super) fn pair_word(&self) -> String {
        quoted(self.pair_name.as_deref().unwrap_or("PAIR"))
    }

    /// Default-name of the HA port.
    pub fn ha_interface(&self) -> &str {
        self.pair.map_or("ether8", |(pair, _)| pair.site.ha_interface.as_str())
    }

    /// The member that it is.
    pub fn member(&self) -> Option<Member> {
        self.pair.map(|(_, member)| member)
    }

    /// Whether a serial line is among the ways to it.
    pub fn has_line(&self) -> bool {
        match self.pair {
            Some((pair, member)) => pair.site.member(member).reach.iter().any(TargetUrl::is_line),
            None => self.target.parse().is_ok_and(|typed: TargetUrl| typed.is_line()),
        }
    }

    /// Console servers among the ways to it, and among the other member's where one leads through it: each may be the one
    /// that is taken.
    pub fn servers(&self) -> Vec<String> {
        let Some((pair, member)) = self.pair else {
            let typed: Option<TargetUrl> = self.target.parse().ok();
            return servers(typed.as_slice());
        };
        let ways = &pair.site.member(member).reach;
        if ways.iter().any(|way| matches!(way, TargetUrl::Via { .. })) { self.servers_of_both() } else { servers(ways) }
    }

    /// Console servers among the ways to either member.
    pub fn servers_of_both(&self) -> Vec<String> {
        let Some((pair, member)) = self.pair else { return self.servers() };
        [member, member.other()].iter().flat_map(|member| servers(&pair.site.member(*member).reach)).collect()
    }

    /// Everything that must never be shown.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut all = self.pair.map_or_else(Vec::new, |(pair, _)| pair.secrets.all());
        all.extend(self.new_ha.clone());
        all.extend(self.login.passwords.iter().filter(|secret| !secret.is_empty()).cloned());
        all
    }

    /// Its bare line. A router's port that somebody has is waited for: it may be a process of ours that was killed.
    pub(super) async fn line(&self) -> Result<Option<BoxLink>, Trouble> {
        let began = Instant::now();
        loop {
            match self.lines.line().await {
                Err(error) if error.code == IN_USE && began.elapsed() < HELD => tokio::time::sleep(LET_GO).await,
                settled => return Ok(settled?),
            }
        }
    }

    /// A console of it. `who`: HA port and its address; every line that is typed then proves itself. Of a pair's member the
    /// site file's address is always asked for.
    /// `restarting`: a restart that was ordered and may not be over.
    ///
    /// # Errors
    /// Trouble with the road, the login, or another router at its end.
    pub async fn shell(
        &self,
        who: Option<(&str, Mac)>,
        purpose: Purpose,
        restarting: Option<Restarting>,
    ) -> Result<Connection, Trouble> {
        if let Some((pair, member)) = self.pair {
            return pair.open_after(member, purpose, Users::Own, restarting).await;
        }
        let mut login = self.login.clone();
        login.secrets = self.secrets();
        login.proof = match who {
            Some((interface, mac)) => Some(Proof::ha_port(interface, &mac.to_string())?),
            None => None,
        };
        let via = LoginOptions::new("");
        let request = Request { member: Member::B, purpose, login, via, restarting };
        Ok(self.roads.connect(&request).await?)
    }
}
