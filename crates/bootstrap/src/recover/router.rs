//! Steps on the router's own console. What an operator would type (ha-system.md 4.5), each line proving the router first.

use super::job::{RouterJob, closed};
use crate::diagnosis::{Name, StartupLog};
use crate::engine::{Probe, Progress};
use crate::evidence::{Evidence, USUAL};
use crate::facts::{self, Facts};
use crate::pair::Users;
use crate::path::{BOOTSTRAP_FILE, bootstrap_file};
use crate::road::Purpose;
use crate::state::{State, classify, ha_address, open_data_ports};
use crate::target::Member;
use crate::trouble::{Kind, Trouble};
use routeros::text::quote;
use routeros::{Command, FileName, Proof};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

/// After this long a startup has said how it ended, or says nothing.
const STARTUP_SAYS: Duration = Duration::from_secs(200);
/// Between two looks at a router that is on its way.
pub(super) const POLL: Duration = Duration::from_secs(2);
/// What a start usually takes until its startup is done.
pub(super) const USUAL_START: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(130));
/// A startup that was run in place and is gone after so long did not do its work.
const STARTUP_WORKS: Duration = Duration::from_secs(20);
/// Failures of one router that are remembered.
const MAX_FAILURES: usize = 20;
/// Two starts that are seen within this time of each other are one: clocks and uptimes are rounded.
pub(super) const SAME_START: i64 = 90;
/// The state folder's part.
pub(super) const FAILURES: &str = "failures";

/// A start that failed, as later runs compare it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failed {
    /// The step that it failed at.
    pub signature: String,
    /// When that start was, in seconds.
    pub boot: i64,
}

/// Every failure that is remembered of a router.
pub(super) fn failures(kept: Option<Vec<u8>>) -> Vec<Failed> {
    kept.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

/// When it was started, by this host's clock.
pub(super) fn boot(now: jiff::Timestamp, uptime: Duration) -> i64 {
    now.as_second() - i64::try_from(uptime.as_secs()).unwrap_or(0)
}

fn interface_list(menu: &str, interface: &str) -> String {
    format!("[/interface {menu} find default-name={}]", quote(interface))
}

/// Schedulers of the startup that are off.
const HELD: &str = "[/system scheduler find where name=\"ha_startup\" and disabled=yes]";

impl RouterJob<'_> {
    pub(super) fn member(&self) -> Member {
        self.subject.member.unwrap_or(Member::B)
    }

    fn port(&self) -> String {
        quote(&self.subject.ha_interface)
    }

    pub(super) fn key(&self) -> String {
        self.subject.mac.map_or_else(|| self.subject.target.clone(), |mac| mac.to_string())
    }

    pub(super) fn proof(&self) -> Result<Proof, Trouble> {
        let mac = self.subject.mac.ok_or_else(closed)?;
        Ok(Proof::ha_port(&self.subject.ha_interface, &mac.to_string())?)
    }

    fn header(&self, now: jiff::Timestamp) -> String {
        let subject = self.subject;
        let mac = subject.mac.map_or_else(|| "not known".to_owned(), |mac| mac.to_string());
        let seen: Vec<String> = subject.seen.iter().map(|line| format!("seen: {line}")).collect();
        let text = format!(
            "Evidence of {}, taken {} before anything was changed, for the procedure {}\nstate: {:?}\nHA port {}: {mac}\nserial number: {}\n{}\n\n",
            subject.target,
            now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            subject.procedure,
            subject.state,
            subject.ha_interface,
            subject.serial.as_deref().unwrap_or("none"),
            seen.join("\n")
        );
        self.redactor.text(&text)
    }

    /// Saves what it says, before anything is changed.
    pub(super) async fn evidence(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        if self.subject.state == Name::F8 {
            let seen = self.subject.seen.join("\n");
            let text = Evidence::of_line(&seen, &[], &self.redactor).to_text();
            let place = progress.keep("evidence.txt", format!("{}{text}", self.header(progress.now())).as_bytes())?;
            return Ok(Some(place));
        }
        let hurry = self.hurry;
        let console = self.console().await?;
        let glance = facts::glance(&console.shell).await?;
        // now, not when all is saved: over a slow line that is minutes later, and would be another start
        let started = boot(progress.now(), glance.uptime);
        let redactor = std::mem::take(&mut self.redactor);
        let console = self.console().await;
        let evidence = match (console, hurry) {
            (Err(trouble), _) => Err(trouble),
            (Ok(console), true) => Ok(Evidence::log(&console.shell, &redactor).await),
            (Ok(console), false) => Ok(Evidence::collect(&console.shell, &redactor, USUAL).await),
        };
        self.redactor = redactor;
        self.touch();
        let evidence = evidence?;
        if !evidence.has_log() {
            self.leave().await;
            return Err(Trouble::new(Kind::Transient, "recover.evidence", "its log could not be read to its end")
                .cause(evidence.summary()));
        }
        let now = progress.now();
        let text = format!("{}{}", self.header(now), evidence.to_text());
        let place = progress.keep("evidence.txt", text.as_bytes())?;
        if let Some(signature) = self.subject.failure.clone().filter(|_| self.subject.state == Name::F1) {
            let mut known = failures(progress.recall(FAILURES, &self.key())?);
            let this = Failed { signature, boot: started };
            if !known.iter().any(|one| (one.boot - this.boot).abs() < SAME_START) {
                known.push(this);
                let skip = known.len().saturating_sub(MAX_FAILURES);
                let json = serde_json::to_vec(&known.split_off(skip)).unwrap_or_default();
                progress.remember(FAILURES, &self.key(), &json)?;
            }
        }
        Ok(Some(format!("{}: {place}", evidence.summary())))
    }

    pub(super) async fn evidence_rest(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        let redactor = std::mem::take(&mut self.redactor);
        let evidence = match self.console().await {
            Ok(console) => Ok(Evidence::collect(&console.shell, &redactor, USUAL).await),
            Err(trouble) => Err(trouble),
        };
        self.redactor = redactor;
        self.touch();
        let evidence = evidence?;
        let place = progress.keep("evidence-rest.txt", evidence.to_text().as_bytes())?;
        Ok(Some(format!("{}: {place}", evidence.summary())))
    }

    pub(super) async fn count(&mut self, expression: &str) -> Result<u32, Trouble> {
        let text = self.look(&format!(":put [:len {expression}]")).await?;
        text.trim()
            .parse()
            .map_err(|_| Trouble::new(Kind::Transient, "recover.unverified", format!("no number came of {expression}")))
    }

    pub(super) async fn probe_hold(&mut self) -> Result<Probe, Trouble> {
        // in one line: where it restarts again and again there are seconds
        let on_or_running = ":put ([:len [/system scheduler find where name=\"ha_startup\" and disabled=no]] + \
             [:len [/system script job find where script=\"ha_startup\"]])";
        Ok(if self.look(on_or_running).await?.trim() == "0" { Probe::Done(None) } else { Probe::NotDone })
    }

    /// Its startup restarts it after some seconds: that is ended, and no next start runs it.
    pub(super) async fn hold(&mut self) -> Result<Option<String>, Trouble> {
        let line = "/system scheduler disable [find name=\"ha_startup\"]; /system script job remove [find script=\"ha_startup\"]";
        self.run(line).await.map_err(Trouble::acted)?;
        self.hurry = false;
        self.say("the loop is held: it stays up, its startup is off until this run puts it on again");
        Ok(None)
    }

    pub(super) async fn probe_closed(&mut self) -> Result<Probe, Trouble> {
        // the same as `open_data_ports`, without all the other facts: over a line those take ten seconds
        let open = format!(
            "[/interface ethernet find where disabled=no and default-name!={} and comment!=\"HA_RESCUE\"]",
            self.port()
        );
        Ok(if self.count(&open).await? == 0 { Probe::Done(Some("they are".into())) } else { Probe::NotDone })
    }

    pub(super) async fn close_ports(&mut self) -> Result<Option<String>, Trouble> {
        let port = self.port();
        self.run(format!(
            "/interface bonding disable [find comment!=\"HA_RESCUE\"]; \
             /interface ethernet disable [find default-name!={port} comment!=\"HA_RESCUE\"]"
        ))
        .await
        .map_err(Trouble::acted)?;
        // closed first: no port speaks while its address changes
        self.run(format!("/interface ethernet reset-mac-address [find default-name!={port} comment!=\"HA_RESCUE\"]"))
            .await
            .map_err(Trouble::acted)?;
        self.say("its data ports are closed");
        Ok(None)
    }

    pub(super) async fn probe_ha_port(&mut self) -> Result<Probe, Trouble> {
        let port = self.port();
        let asked = format!(
            ":foreach i in=[/interface ethernet find where default-name={port} and disabled=no] do={{\
             :put (\"own=\" . ([:tostr [/interface ethernet get $i mac-address]] = [:tostr [/interface ethernet get $i orig-mac-address]]))}}"
        );
        let own = self.look(&asked).await?.trim() == "own=true";
        Ok(if own { Probe::Done(Some("it is".into())) } else { Probe::NotDone })
    }

    pub(super) async fn ha_port(&mut self) -> Result<Option<String>, Trouble> {
        let port = interface_list("ethernet", &self.subject.ha_interface);
        self.run(format!("/interface ethernet reset-mac-address {port}; /interface ethernet enable {port}"))
            .await
            .map_err(Trouble::acted)?;
        self.say("its HA port is on, its data ports are closed");
        Ok(None)
    }

    pub(super) async fn probe_ha_user(&mut self) -> Result<Probe, Trouble> {
        let done = if self.subject.keeps_secret() {
            // our startup makes user and FTP itself
            self.count("[/ppp secret find name=\"HA_PASSWORD\"]").await? > 0
        } else {
            let facts = self.facts().await?;
            facts.users.iter().any(|user| user == "ha") && facts.ftp
        };
        Ok(if done { Probe::Done(Some("they are there".into())) } else { Probe::NotDone })
    }

    pub(super) async fn ha_user(&mut self) -> Result<Option<String>, Trouble> {
        let password = || {
            let missing = Trouble::new(
                Kind::Operator,
                "recover.needs-pair",
                "the HA password is missing on it, and no site file says it",
            );
            self.access
                .pair
                .map(|(pair, _)| quote(pair.secrets.ha.reveal()))
                .ok_or(missing.hint("name it as PAIR/b, or the pair beside its line:  --as PAIR/b"))
        };
        let private = |text: String| Command { private: true, ..Command::new(text) };
        if self.subject.keeps_secret() {
            let line = format!(
                "/ppp secret add name=\"HA_PASSWORD\" password={} disabled=yes comment=\"HA_AUTO\"",
                password()?
            );
            self.run(private(line)).await.map_err(Trouble::acted)?;
            return Ok(Some("the HA password was missing".into()));
        }
        let facts = self.facts().await?;
        if !facts.users.iter().any(|user| user == "ha") {
            let password = self.access.pair.map(|(pair, _)| quote(pair.secrets.ha.reveal())).ok_or_else(|| {
                Trouble::new(
                    Kind::Operator,
                    "recover.needs-pair",
                    "the user ha is missing, and no site file says its password",
                )
                .hint("name it as PAIR/b, or the pair beside its line:  --as PAIR/b")
            })?;
            let line = format!("/user add name=\"ha\" group=full password={password}");
            self.run(private(line)).await.map_err(Trouble::acted)?;
        }
        self.run("/ip service set [:pick [/ip service find name=\"ftp\"] 0] disabled=no")
            .await
            .map_err(Trouble::acted)?;
        Ok(None)
    }

    /// Without the other one's answer VRRP would make this one the active, and open its ports.
    pub(super) async fn peer(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        let member = self.member();
        let other = match self.access.pair {
            Some((pair, _)) => Some(pair.site.member(member.other()).ha_mac),
            None => self.facts().await?.ha.and_then(|ha| if member == Member::B { ha.mac_a } else { ha.mac_b }),
        };
        let Some(mac) = other else {
            return Err(Trouble::new(Kind::Operator, "recover.no-active", "who the other member is, nobody says")
                .hint("name it as PAIR/b, or the pair beside its line:  --as PAIR/b"));
        };
        let port = self.subject.ha_interface.clone();
        let interface = facts::hop_interface(&self.console().await?.shell, &port).await?;
        let began = Instant::now();
        loop {
            let command = Command {
                timeout: Some(Duration::from_secs(15)),
                ..Command::new(format!("/ping {mac} interface={} count=3", quote(&interface)))
            };
            let said = self.run(command).await?;
            let received =
                said.rsplit("received=").next().and_then(|rest| rest.split(' ').next()?.trim().parse::<u32>().ok());
            if said.contains("received=") && received.is_some_and(|count| count > 0) {
                return Ok(Some(format!("{mac} answers")));
            }
            if began.elapsed() > Duration::from_secs(30) || progress.left().is_zero() {
                return Err(Trouble::new(
                    Kind::Operator,
                    "recover.no-active",
                    format!("the other member, {mac}, does not answer on the HA cable; VRRP stays off here"),
                )
                .hint("is the HA cable in? is MAC-Ping allowed there?")
                .hint("is the other one down, so that this one has to take over: decide it beside the routers, cables first"));
            }
            progress.waiting("the active to answer on the HA cable", (Duration::ZERO, Duration::from_secs(10)));
            progress.pause(POLL).await?;
        }
    }

    async fn log(&mut self) -> Result<StartupLog, Trouble> {
        Ok(StartupLog::read(&self.console().await?.shell).await?)
    }

    fn is_standby(&self, facts: &Facts) -> bool {
        let interface = &self.subject.ha_interface;
        let port = facts.port(interface);
        classify(facts, self.member(), interface) == State::Standby
            && open_data_ports(facts, interface).is_empty()
            && port.is_some_and(|port| port.mac == port.orig_mac)
    }

    pub(super) async fn probe_startup(&mut self) -> Result<Probe, Trouble> {
        let facts = self.facts().await?;
        let mended = self.log().await?.mended();
        Ok(if self.is_standby(&facts) && mended && self.count(HELD).await? == 0 {
            Probe::Done(Some("it is the standby".into()))
        } else {
            Probe::NotDone
        })
    }

    pub(super) async fn startup(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        if self.subject.ours {
            // in the background: the HA port is set up anew, and this console may lie behind it
            self.run(":execute \":global haAllowBootstrap true; /system script run ha_startup\"")
                .await
                .map_err(Trouble::acted)?;
        } else {
            self.startup_by_hand().await?;
        }
        self.say("its startup was run in place; its data ports are closed");
        let began = Instant::now();
        loop {
            progress.pause(POLL).await.map_err(Trouble::acted)?;
            let looked = match self.facts().await {
                Ok(facts) if self.is_standby(&facts) => Ok(true),
                Ok(_) => Ok(false),
                Err(trouble) => Err(trouble),
            };
            let last = match looked {
                Ok(true) if !self.subject.ours || self.log().await?.mended() => return self.let_start().await,
                Ok(_) => {
                    let jobs = self.count("[/system script job find where script=\"ha_startup\"]").await?;
                    let log = self.log().await?;
                    let step = log
                        .last_step()
                        .map_or("no step was logged".to_owned(), |(line, means)| format!("{line} ({means})"));
                    if jobs == 0 && began.elapsed() > STARTUP_WORKS {
                        return Err(Trouble::new(Kind::Fatal, "recover.startup", "its startup failed again, in place")
                            .cause(format!("last startup line: {step}"))
                            .hint("mend what that line names, or load its own backup:  known-good")
                            .acted());
                    }
                    step
                }
                Err(trouble) if matches!(trouble.kind, Kind::Transient | Kind::Silent | Kind::Login) => {
                    self.leave().await;
                    trouble.message
                }
                Err(trouble) => return Err(trouble.acted()),
            };
            if progress.left().is_zero() {
                return Err(Trouble::new(Kind::Silent, "recover.startup", "it did not become the standby")
                    .cause(last)
                    .acted());
            }
            progress.waiting("its startup", (Duration::from_secs(6), Duration::from_secs(15)));
        }
    }

    /// What a quarantine held runs again at its next start: our startup makes the other schedulers anew itself.
    async fn let_start(&mut self) -> Result<Option<String>, Trouble> {
        let held = self.count(HELD).await?;
        if held > 0 {
            self.run("/system scheduler enable [find name~\"^ha_\"]").await.map_err(Trouble::acted)?;
        }
        Ok((held > 0).then(|| "its startup was held, and is not any more".to_owned()))
    }

    /// What the startup of another build did not come to.
    async fn startup_by_hand(&mut self) -> Result<(), Trouble> {
        let facts = self.facts().await?;
        if facts.vrrp.is_none() {
            return Err(Trouble::new(
                Kind::Operator,
                "recover.no-vrrp",
                "its startup did not come to VRRP: there is none to switch on",
            )
            .hint("address, user and FTP are there: the active can give it its configuration again:  $HASyncStandby")
            .hint("or load its own backup:  known-good"));
        }
        let own = ha_address(self.member());
        if !facts.addresses.iter().any(|address| address.address == format!("{own}/24")) {
            let interface = self.subject.ha_interface.clone();
            let on = facts::hop_interface(&self.console().await?.shell, &interface).await?;
            self.run(format!("/ip address add address={own}/24 interface={}", quote(on)))
                .await
                .map_err(Trouble::acted)?;
        }
        self.run("/interface vrrp enable [find name=\"HA_VRRP\"]").await.map_err(Trouble::acted)?;
        Ok(())
    }

    /// Waits until it is the standby, and asks the active what it thinks of that.
    pub(super) async fn verify_standby(&mut self, progress: &mut Progress<'_>) -> Result<Option<String>, Trouble> {
        let said = loop {
            let last = match self.facts().await {
                Ok(facts) if self.is_standby(&facts) => {
                    // What a restart brought back looks like the standby before its startup has begun, and another line that
                    // says that it is done would keep that one from running at all.
                    let said = self.log().await.map(|log| log.mended());
                    let silent = !self.restarted || facts.uptime > STARTUP_SAYS;
                    match said {
                        Ok(said) if said || silent => break said,
                        Ok(_) => "its startup has not ended".to_owned(),
                        Err(trouble) if trouble.kind == Kind::Transient => {
                            self.leave().await;
                            trouble.message
                        }
                        Err(trouble) => return Err(trouble),
                    }
                }
                Ok(facts) => {
                    let state = classify(&facts, self.member(), &self.subject.ha_interface);
                    let log = self.log().await.unwrap_or_default();
                    if facts.uptime > STARTUP_SAYS && log.signature().is_some() && !log.mended() {
                        return Err(Trouble::new(
                            Kind::EndCheck,
                            "recover.verify",
                            format!("it is {state}, and its startup failed"),
                        )
                        .hint(format!("a second failure:  {}", self.access.recover("quarantine"))));
                    }
                    self.leave().await;
                    format!("it is {state}")
                }
                Err(trouble) if matches!(trouble.kind, Kind::Transient | Kind::Silent | Kind::Login) => {
                    self.leave().await;
                    trouble.message
                }
                Err(trouble) => return Err(trouble),
            };
            if progress.left().is_zero() {
                return Err(Trouble::new(Kind::EndCheck, "recover.verify", "it did not become the standby").cause(last));
            }
            progress.waiting("it to be the standby", USUAL_START);
            progress.pause(POLL).await?;
        };
        if !said {
            self.run("/log warning \"HA_jumplead: mended, ha_startup: DONE by hand\"").await?;
        }
        progress.remember(FAILURES, &self.key(), b"[]")?;
        self.say("it is the standby, its data ports are closed");
        let words = self.words_of_active().await;
        Ok(Some(format!("standby, data ports closed, HA port with its own MAC{words}")))
    }

    /// What the active says of it; only words, where it can't be asked.
    async fn words_of_active(&self) -> String {
        let Some((pair, member)) = self.access.pair else { return String::new() };
        let Ok(connection) = pair.open(member.other(), Purpose::Read, Users::OfA).await else {
            return "; the active was not asked".into();
        };
        let command =
            Command { timeout: Some(Duration::from_secs(60)), ..Command::new("/system script run ha_insync") };
        let said = match connection.shell.run(command).await {
            Ok(output) => {
                let line = output.text.lines().rev().find(|line| line.starts_with("ha_insync: "));
                line.map(|line| self.redactor.text(line.trim_start_matches("ha_insync: ")))
            }
            Err(_) => None,
        };
        pair.roads.give_back(connection).await;
        said.map_or_else(|| "; the active gave no answer".into(), |said| format!("; the active says: {said}"))
    }

    pub(super) async fn probe_quarantine(&mut self) -> Result<Probe, Trouble> {
        let held = self.count("[/system scheduler find where name~\"^ha_\" and disabled=no]").await? == 0;
        let facts = self.facts().await?;
        let silent = facts.vrrp.is_none_or(|vrrp| vrrp.disabled) && !facts.ftp;
        let marked = facts.identity.ends_with("_QUARANTINE");
        Ok(if held && silent && marked { Probe::Done(Some("it is".into())) } else { Probe::NotDone })
    }

    pub(super) async fn quarantine(&mut self) -> Result<Option<String>, Trouble> {
        let identity = self.facts().await?.identity;
        let base: String = identity.split("_HA_").next().unwrap_or_default().chars().take(40).collect();
        let name = format!("{base}_HA_{}_QUARANTINE", self.member().to_string().to_uppercase());
        for line in [
            "/interface vrrp disable [find name=\"HA_VRRP\"]".to_owned(),
            "/ip service set [:pick [/ip service find name=\"ftp\"] 0] disabled=yes".to_owned(),
            "/system scheduler disable [find name~\"^ha_\"]".to_owned(),
            format!("/system identity set name={}", quote(&name)),
        ] {
            self.run(line).await.map_err(Trouble::acted)?;
        }
        self.say("it is in quarantine: data ports closed, VRRP and FTP off, startup held");
        Ok(Some(format!("identity {}", crate::evidence::escape(&name))))
    }

    /// Jobs that are there over two lines of this console: its own lines are jobs, too, but never the same one.
    async fn waiting_jobs(&mut self) -> Result<Vec<String>, Trouble> {
        let list = ":foreach j in=[/system script job find where type!=\"login\"] do={:put (\"job=\" . [:tostr $j])}";
        let first = self.run(list).await?;
        let second = self.run(list).await?;
        let ids = |text: &str| -> Vec<String> {
            let id = |line: &str| line.trim().strip_prefix("job=").map(str::to_owned);
            let plain = |id: &String| id.starts_with('*') && id.bytes().skip(1).all(|b| b.is_ascii_hexdigit());
            text.lines().filter_map(id).filter(plain).collect()
        };
        let before = ids(&first);
        Ok(ids(&second).into_iter().filter(|id| before.contains(id)).collect())
    }

    pub(super) async fn probe_end_job(&mut self) -> Result<Probe, Trouble> {
        Ok(if self.waiting_jobs().await?.is_empty() {
            Probe::Done(Some("nothing waits".into()))
        } else {
            Probe::NotDone
        })
    }

    pub(super) async fn end_job(&mut self) -> Result<Option<String>, Trouble> {
        let jobs = self.waiting_jobs().await?;
        for job in &jobs {
            // one that has ended by then, with the one that it belonged to, is ended
            self.run(format!(":do {{/system script job remove {job}}} on-error={{}}")).await.map_err(Trouble::acted)?;
        }
        self.say("the job that waited was ended");
        Ok(Some(format!("{} ended", jobs.len())))
    }

    pub(super) async fn probe_bootstrapped(&mut self) -> Result<Probe, Trouble> {
        let facts = self.facts().await?;
        let state = classify(&facts, self.member(), &self.subject.ha_interface);
        // The file has the HA password in clear.
        let file = facts.files.iter().any(|file| file.trim_start_matches("flash/") == BOOTSTRAP_FILE);
        Ok(match state {
            State::Bootstrapped if !file => Probe::Done(Some("it has them".into())),
            _ => Probe::NotDone,
        })
    }

    /// The same lines that a bootstrap gives an erased router.
    pub(super) async fn finish_bootstrap(&mut self) -> Result<Option<String>, Trouble> {
        let (pair, member) = self.access.pair.ok_or_else(closed)?;
        let text = bootstrap_file(pair.site, member, &pair.secrets.ha);
        let facts = self.facts().await?;
        let folder = if facts.has_flash_folder() { "flash/" } else { "" };
        let name = FileName::ours(&format!("{folder}{BOOTSTRAP_FILE}"))?;
        if classify(&facts, member, &self.subject.ha_interface) == State::Bootstrapped {
            self.console().await?.shell.remove_file(&name).await.map_err(|error| Trouble::from(error).acted())?;
            return Ok(Some("it had run; the file with the HA password is removed".into()));
        }
        self.console().await?.shell.put_file(&name, text.as_bytes()).await?;
        self.say("the bootstrap file with the HA password is on it");
        let import =
            Command { timeout: Some(Duration::from_secs(90)), ..Command::new(format!("/import {}", name.as_str())) };
        let ran = self.run(import).await;
        let removed = self.console().await?.shell.remove_file(&name).await;
        let words = ran
            .map_err(|trouble| trouble.acted().hint("a user that is refused: the password policy of /user settings"))?;
        removed?;
        self.say("address, user and FTP were set");
        Ok(Some(self.redactor.text(words.lines().last().unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_told_by_the_hosts_clock() {
        let now: jiff::Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(boot(now, Duration::from_secs(60)), now.as_second() - 60);
        assert_eq!(failures(None), []);
        assert_eq!(failures(Some(b"nonsense".to_vec())), []);
    }
}
