//! The work behind the steps of a rescue: which step is whose, and what state the router is in, in words.

use super::access::Access;
use super::plan::Subject;
use crate::engine::{History, Job, Probe, Progress};
use crate::evidence::Redactor;
use crate::facts::{self, Facts};
use crate::plan::{Act, Step};
use crate::road::{Connection, Purpose, Restarting};
use crate::state::MASTERS;
use crate::trouble::{Kind, Trouble};
use tokio::time::Instant;

/// A console that nothing was typed at for longer is opened anew: RouterOS 7 logs out silently after 30 s without input
/// [one source, to be verified].
const STALE: std::time::Duration = std::time::Duration::from_secs(15);

/// Does the steps of one plan on one router.
#[derive(Debug)]
pub struct RouterJob<'a> {
    pub(super) access: &'a Access<'a>,
    pub(super) subject: &'a Subject,
    pub(super) redactor: Redactor,
    connection: Option<Connection>,
    used: Instant,
    /// A loop of restarts was not held yet: there are seconds.
    pub(super) hurry: bool,
    /// This run ordered a restart: what the router is then counts when its startup has ended.
    pub(super) restarted: bool,
    /// Ctrl+E in the boot loader's window has made it ask the network: no menu is open.
    pub(super) asks_network: bool,
    /// The serial number that the boot loader told, where nothing was known before.
    pub(super) told: Option<String>,
    /// When a restart was ordered whose end was not seen yet.
    pub(super) restart: Option<Instant>,
    words: String,
}

impl<'a> RouterJob<'a> {
    /// Nothing is opened yet.
    pub fn new(access: &'a Access<'a>, subject: &'a Subject) -> Self {
        let redactor = Redactor::new(&access.secrets());
        let words = format!("the router was {}", subject.seen.first().map_or("not looked at", String::as_str));
        Self {
            access,
            subject,
            redactor,
            connection: None,
            used: Instant::now(),
            hurry: false,
            restarted: false,
            asks_network: false,
            told: None,
            restart: None,
            words,
        }
    }

    /// What is known of the router now.
    pub(super) fn say(&mut self, words: impl Into<String>) {
        self.words = words.into();
    }

    /// A proved console: the one at hand, or a new one.
    pub(super) async fn console(&mut self) -> Result<&Connection, Trouble> {
        if self.used.elapsed() > STALE {
            self.leave().await;
        }
        self.used = Instant::now();
        if self.connection.is_none() {
            let who = self.subject.mac.map(|mac| (self.subject.ha_interface.as_str(), mac));
            let purpose = if self.hurry { Purpose::Read } else { Purpose::Write };
            self.connection = Some(self.access.shell(who, purpose, self.restarting()).await?);
        }
        self.connection.as_ref().ok_or_else(closed)
    }

    fn restarting(&self) -> Option<Restarting> {
        self.restart.map(|ordered| Restarting { ago: ordered.elapsed(), silent: self.subject.silent_boot })
    }

    /// It has been up for so long: a restart that was ordered before is over.
    pub(super) fn started(&mut self, uptime: std::time::Duration) {
        self.restart = self.restart.filter(|ordered| uptime >= ordered.elapsed());
    }

    /// Its facts now.
    pub(super) async fn facts(&mut self) -> Result<Facts, Trouble> {
        let interface = self.subject.ha_interface.clone();
        let read = facts::read(&self.console().await?.shell, &interface).await;
        self.touch();
        match read {
            Ok(facts) => {
                self.started(facts.uptime);
                Ok(facts)
            }
            Err(error) => {
                self.connection = None;
                Err(error.into())
            }
        }
    }

    /// The console was in use until now.
    pub(super) fn touch(&mut self) {
        self.used = Instant::now();
    }

    /// One line that changes something. The console's proof stands around it.
    pub(super) async fn run(&mut self, line: impl Into<routeros::Command>) -> Result<String, Trouble> {
        let output = self.console().await?.shell.run(line).await;
        self.touch();
        match output {
            Ok(output) => Ok(output.text),
            Err(error) => {
                self.connection = None;
                Err(error.into())
            }
        }
    }

    /// One line that only looks: what a line may have damaged is asked again.
    pub(super) async fn look(&mut self, line: &str) -> Result<String, Trouble> {
        let outcome = self.console().await?.shell.read(line).await;
        self.touch();
        match outcome.and_then(routeros::Outcome::done) {
            Ok(output) => Ok(output.text),
            Err(error) => {
                self.connection = None;
                Err(error.into())
            }
        }
    }

    /// The console, to be used up.
    pub(super) async fn take(&mut self) -> Result<Connection, Trouble> {
        self.console().await?;
        self.connection.take().ok_or_else(closed)
    }

    /// Lets the console go, politely where it still answers.
    pub(super) async fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.access.roads.give_back(connection).await;
        }
    }

    /// At the end of a run.
    pub async fn close(&mut self) {
        self.leave().await;
    }
}

pub(super) fn active_now() -> Trouble {
    let message = "it is the active of its pair now: nothing more is done to it";
    Trouble::new(Kind::Operator, "recover.active", message).hint("look at both, then make a new plan")
}

pub(super) fn closed() -> Trouble {
    Trouble::new(Kind::Transient, "bootstrap.console.closed", "the console is closed")
}

fn foreign(act: Act) -> Trouble {
    Trouble::new(Kind::Bug, "bootstrap.bug", format!("{} is no step of a rescue", act.id()))
}

impl Job for RouterJob<'_> {
    async fn probe(&mut self, step: &Step, history: &History, progress: &mut Progress<'_>) -> Result<Probe, Trouble> {
        self.hurry =
            !self.subject.ours && self.subject.state == crate::diagnosis::Name::F2 && !history.completed(Act::Hold);
        let later = |acts: &[Act]| acts.iter().any(|act| history.started(*act));
        // An order that was refused, or had no effect, is none.
        self.restarted = later(&[Act::LoadBackup, Act::Restart]) && super::restart::ordered(progress)?.is_some();
        match step.id {
            // what was saved before anything was changed is the evidence: what is seen after it is another state
            Act::Evidence | Act::EvidenceRest if history.completed(step.id) => Ok(Probe::Done(None)),
            Act::Evidence | Act::EvidenceRest | Act::Peer | Act::VerifyStandby => Ok(Probe::NotDone),
            Act::SaveOwn | Act::VerifyHaPassword => Ok(Probe::NotDone),
            Act::HaPassword => self.probe_password().await,
            Act::PeerHaPassword => self.probe_peer_password().await,
            Act::ClosePorts | Act::HaPort | Act::HaUser if self.restarted => {
                Ok(Probe::Done(Some("before the restart that this run ordered".into())))
            }
            Act::Startup if later(&[Act::VerifyStandby]) => Ok(Probe::Done(None)),
            Act::Hold | Act::RightMac if self.restarted => Ok(Probe::Done(None)),
            Act::Hold => self.probe_hold().await,
            Act::ClosePorts => self.probe_closed().await,
            Act::HaPort => self.probe_ha_port().await,
            Act::HaUser => self.probe_ha_user().await,
            Act::Startup => self.probe_startup().await,
            Act::LoadBackup | Act::Restart => self.probe_restarted(history.started(step.id), progress).await,
            Act::PeerMac => self.probe_peer_mac().await,
            Act::RightMac => self.probe_right_mac().await,
            Act::Quarantine => self.probe_quarantine().await,
            Act::EndJob => self.probe_end_job().await,
            Act::FinishBootstrap => self.probe_bootstrapped().await,
            Act::CatchWindow => self.probe_window(history).await,
            Act::EthernetOnce | Act::LeaveLoader | Act::Install => self.probe_loader(step.id, history).await,
            other => Err(foreign(other)),
        }
    }

    /// It may have become the active since the plan was made, days before a run that is gone on with.
    async fn begin(&mut self, step: &Step) -> Result<(), Trouble> {
        let of_a_system = matches!(
            step.id,
            Act::Hold
                | Act::ClosePorts
                | Act::HaPort
                | Act::HaUser
                | Act::Startup
                | Act::LoadBackup
                | Act::Restart
                | Act::RightMac
                | Act::Quarantine
                | Act::FinishBootstrap
        );
        if of_a_system && self.count(MASTERS).await? > 0 {
            return Err(active_now());
        }
        Ok(())
    }

    async fn apply(&mut self, step: &Step, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        match step.id {
            Act::Evidence => self.evidence(progress).await,
            Act::EvidenceRest => self.evidence_rest(progress).await,
            Act::Hold => self.hold().await,
            Act::ClosePorts => self.close_ports().await,
            Act::HaPort => self.ha_port().await,
            Act::HaUser => self.ha_user().await,
            Act::Peer => self.peer(progress).await,
            Act::Startup => self.startup(progress).await,
            Act::LoadBackup => self.load_backup(progress).await,
            Act::Restart => self.restart(progress).await,
            Act::PeerMac => self.peer_mac().await,
            Act::RightMac => self.right_mac().await,
            Act::VerifyStandby => self.verify_standby(progress).await,
            Act::Quarantine => self.quarantine().await,
            Act::HaPassword => self.password().await,
            Act::SaveOwn => self.save_own().await,
            Act::PeerHaPassword => self.peer_password().await,
            Act::VerifyHaPassword => self.verify_password(progress).await,
            Act::EndJob => self.end_job().await,
            Act::FinishBootstrap => self.finish_bootstrap().await,
            Act::CatchWindow => self.catch_window(progress).await,
            Act::EthernetOnce => self.ethernet_once().await,
            Act::LeaveLoader => self.leave_loader().await,
            Act::Install => self.install(progress).await,
            other => Err(foreign(other)),
        }
    }

    async fn verify(&mut self, step: &Step, _: &mut Progress<'_>) -> Result<(), Trouble> {
        let probe = match step.id {
            Act::Hold => self.probe_hold().await?,
            Act::ClosePorts => self.probe_closed().await?,
            Act::HaPort => self.probe_ha_port().await?,
            Act::HaUser => self.probe_ha_user().await?,
            Act::PeerMac => self.probe_peer_mac().await?,
            Act::RightMac => self.probe_right_mac().await?,
            Act::Quarantine => self.probe_quarantine().await?,
            Act::HaPassword => self.probe_password().await?,
            Act::PeerHaPassword => self.probe_peer_password().await?,
            Act::EndJob => self.probe_end_job().await?,
            Act::FinishBootstrap => self.probe_bootstrapped().await?,
            // waits end with what they wait for, or look themselves
            _ => return Ok(()),
        };
        match probe {
            Probe::Done(_) => Ok(()),
            _ => Err(Trouble::new(
                Kind::Transient,
                "recover.unverified",
                format!("{}: the router does not show it", step.title),
            )
            .acted()),
        }
    }

    fn forget(&mut self) {
        self.connection = None;
    }

    fn state(&self) -> String {
        self.words.clone()
    }
}
