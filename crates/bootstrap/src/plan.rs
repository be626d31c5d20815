//! The plan: a pure function of the site file and the facts.

use crate::preflight::Survey;
use crate::proof::Target;
use crate::recover::Subject;
use crate::site::{Site, Sync};
use crate::state::State;
use crate::target::{Member, TargetUrl};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// A board's own serial port, where its console is unless it was disabled.
const BUILT_IN: &str = "serial0";

/// What a step does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Looks.
    ReadOnly,
    /// Can be taken back.
    Reversible,
    /// Replaces what was there, on a router whose former state was given up before.
    Destructive,
    /// From here the only way is forward.
    PointOfNoReturn,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "read-only",
            Self::Reversible => "reversible",
            Self::Destructive => "destructive",
            Self::PointOfNoReturn => "POINT OF NO RETURN",
        })
    }
}

/// The steps of a bootstrap and of a rescue; each knows its job (`path`, `recover`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Act {
    /// Writes the bootstrap file and reads it back.
    #[serde(rename = "b.bootstrap-file")]
    BootstrapFile,
    /// Resets B; the bootstrap file runs after it.
    #[serde(rename = "b.reset")]
    Reset,
    /// Waits until B is back, erased.
    #[serde(rename = "b.wait-reset")]
    WaitReset,
    /// Runs the bootstrap file where the reset didn't.
    #[serde(rename = "b.import")]
    Import,
    /// Makes the site file's way of sync A's own.
    #[serde(rename = "a.choose-sync")]
    ChooseSync,
    /// A logs in to B over the HA address.
    #[serde(rename = "a.reach-b")]
    ReachB,
    /// A gives its configuration to B, which restores it and reboots.
    #[serde(rename = "a.push")]
    Push,
    /// Waits until B is back as the standby.
    #[serde(rename = "b.wait-standby")]
    WaitStandby,
    /// A's user with A's password on B, where the sync carries no users.
    #[serde(rename = "b.user")]
    User,
    /// Proves roles, versions and closed ports.
    #[serde(rename = "pair.verify")]
    Verify,
    /// Removes our files.
    #[serde(rename = "pair.clean")]
    Clean,
    /// Saves what the router says of itself.
    #[serde(rename = "router.evidence")]
    Evidence,
    /// Stops a loop of restarts in the seconds in which the router answers.
    #[serde(rename = "router.hold")]
    Hold,
    /// Saves what there was no time for before.
    #[serde(rename = "router.evidence-rest")]
    EvidenceRest,
    /// Closes the data ports.
    #[serde(rename = "router.close-ports")]
    ClosePorts,
    /// HA port on, with its own MAC.
    #[serde(rename = "router.ha-port")]
    HaPort,
    /// The HA password, the user and FTP.
    #[serde(rename = "router.ha-user")]
    HaUser,
    /// The other member answers on the HA cable.
    #[serde(rename = "router.peer")]
    Peer,
    /// What the startup did not do: address, VRRP.
    #[serde(rename = "router.startup")]
    Startup,
    /// Loads a backup; the router restarts.
    #[serde(rename = "router.load-backup")]
    LoadBackup,
    /// The other member's configuration gets the right address, too.
    #[serde(rename = "peer.ha-mac")]
    PeerMac,
    /// The pair's configuration gets the right address.
    #[serde(rename = "router.ha-mac")]
    RightMac,
    /// Restarts it, once.
    #[serde(rename = "router.restart")]
    Restart,
    /// Proves the standby.
    #[serde(rename = "router.verify-standby")]
    VerifyStandby,
    /// VRRP and FTP off, startup held, identity marked.
    #[serde(rename = "router.quarantine")]
    Quarantine,
    /// The new HA password on the standby.
    #[serde(rename = "router.ha-password")]
    HaPassword,
    /// The standby's own backup is saved with it.
    #[serde(rename = "router.save-own")]
    SaveOwn,
    /// The same password on the active.
    #[serde(rename = "peer.ha-password")]
    PeerHaPassword,
    /// The active reaches the standby with it.
    #[serde(rename = "pair.verify-ha-password")]
    VerifyHaPassword,
    /// Ends the job that waits.
    #[serde(rename = "router.end-job")]
    EndJob,
    /// Address, user and FTP of an erased router.
    #[serde(rename = "router.bootstrap")]
    FinishBootstrap,
    /// Types the announced key into the boot loader's window, in one of the next starts.
    #[serde(rename = "loader.catch")]
    CatchWindow,
    /// Sets the boot device in the boot loader's menu.
    #[serde(rename = "loader.ethernet-once")]
    EthernetOnce,
    /// Leaves the boot loader's menu.
    #[serde(rename = "loader.leave")]
    LeaveLoader,
    /// Leaves it with a network installation waiting on this host.
    #[serde(rename = "loader.install")]
    Install,
}

impl Act {
    /// Those of a bootstrap, in the order of a plan.
    pub const ALL: [Self; 11] = [
        Self::BootstrapFile,
        Self::Reset,
        Self::WaitReset,
        Self::Import,
        Self::ChooseSync,
        Self::ReachB,
        Self::Push,
        Self::WaitStandby,
        Self::User,
        Self::Verify,
        Self::Clean,
    ];

    /// The step's name.
    pub fn id(self) -> &'static str {
        match self {
            Self::BootstrapFile => "b.bootstrap-file",
            Self::Reset => "b.reset",
            Self::WaitReset => "b.wait-reset",
            Self::Import => "b.import",
            Self::ChooseSync => "a.choose-sync",
            Self::ReachB => "a.reach-b",
            Self::Push => "a.push",
            Self::WaitStandby => "b.wait-standby",
            Self::User => "b.user",
            Self::Verify => "pair.verify",
            Self::Clean => "pair.clean",
            Self::Evidence => "router.evidence",
            Self::Hold => "router.hold",
            Self::EvidenceRest => "router.evidence-rest",
            Self::ClosePorts => "router.close-ports",
            Self::HaPort => "router.ha-port",
            Self::HaUser => "router.ha-user",
            Self::Peer => "router.peer",
            Self::Startup => "router.startup",
            Self::LoadBackup => "router.load-backup",
            Self::PeerMac => "peer.ha-mac",
            Self::RightMac => "router.ha-mac",
            Self::Restart => "router.restart",
            Self::VerifyStandby => "router.verify-standby",
            Self::Quarantine => "router.quarantine",
            Self::HaPassword => "router.ha-password",
            Self::SaveOwn => "router.save-own",
            Self::PeerHaPassword => "peer.ha-password",
            Self::VerifyHaPassword => "pair.verify-ha-password",
            Self::EndJob => "router.end-job",
            Self::FinishBootstrap => "router.bootstrap",
            Self::CatchWindow => "loader.catch",
            Self::EthernetOnce => "loader.ethernet-once",
            Self::LeaveLoader => "loader.leave",
            Self::Install => "loader.install",
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its name and job.
    pub id: Act,
    /// The router that it changes; none for looking at both.
    pub member: Option<Member>,
    /// For people.
    pub title: String,
    /// What it does.
    pub effect: Effect,
    /// The end of patience, in seconds.
    pub limit_s: u64,
    /// It acts on the one router of a rescue that belongs to no pair as far as is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The pair.
    pub pair: String,
    /// The command.
    pub command: String,
    /// `3f9c-a1d2`: stands for everything below.
    pub fingerprint: String,
    /// The facts that it was made for, by name.
    pub basis: Vec<(String, String)>,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What a confirmation has to name, when a step erases: B's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erases: Option<String>,
    /// B says nothing on its console while it boots: its login prompt is the first that shows that it is up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent_boot: bool,
    /// What it means for the pair.
    pub notes: Vec<String>,
    /// How B gets A's configuration.
    #[serde(default)]
    pub sync: Sync,
    /// Of a rescue: which router, and what was seen of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<Subject>>,
}

impl Plan {
    /// What `--confirm` says of it: its fingerprint, and behind a colon the router that it erases.
    pub fn confirmed_by(&self) -> String {
        match &self.erases {
            Some(serial) => format!("{}:{serial}", self.fingerprint),
            None => self.fingerprint.clone(),
        }
    }

    /// `name` is router b's serial number, or the address of its HA port.
    pub(crate) fn is_of_b(&self, name: &str) -> bool {
        self.basis.iter().any(|(fact, value)| matches!(fact.as_str(), "b serial number" | "b mac") && value == name)
    }

    /// Which facts are not as they were when `confirmed` was shown.
    pub fn moved_since(&self, confirmed: &Plan) -> Vec<String> {
        let mut moved = Vec::new();
        for (name, now) in &self.basis {
            match confirmed.basis.iter().find(|(n, _)| n == name) {
                Some((_, then)) if then != now => moved.push(format!("{name}: was {then}, is {now}")),
                Some(_) => {}
                None => moved.push(format!("{name}: is {now}")),
            }
        }
        moved
    }

    /// Which routers the site file means by now, where they are not those that the plan was made for.
    pub fn moved_site(&self, site: &Site) -> Vec<String> {
        let mut now = vec![
            ("ha interface", Some(site.ha_interface.clone())),
            ("a mac", Some(site.a.ha_mac.to_string())),
            ("b mac", Some(site.b.ha_mac.to_string())),
        ];
        // a number that was added later only says more; the proof compares it with the router's
        now.extend(
            [("a serial number", &site.a), ("b serial number", &site.b)]
                .map(|(name, member)| (name, member.serial_number.clone())),
        );
        let mut moved: Vec<String> = now
            .into_iter()
            .filter_map(|(name, now)| {
                let (now, (_, then)) = (now?, self.basis.iter().find(|(n, _)| n == name)?);
                (*then != now && then != "none").then(|| format!("{name}: was {then}, is {now}"))
            })
            .collect();
        if self.sync != site.sync {
            moved.push(format!("sync: was {}, is {}", self.sync, site.sync));
        }
        moved
    }

    /// The number of steps that can't be taken back.
    pub fn points_of_no_return(&self) -> usize {
        self.steps.iter().filter(|step| step.effect == Effect::PointOfNoReturn).count()
    }

    /// About how long it takes, in seconds: what is usual, not the limits.
    pub fn usual_s(&self) -> u64 {
        self.steps
            .iter()
            .map(|step| match step.id {
                Act::WaitReset | Act::WaitStandby | Act::VerifyStandby | Act::LeaveLoader | Act::CatchWindow => 100,
                Act::Install => 300,
                Act::Push | Act::Startup => 15,
                Act::ChooseSync | Act::User => 1,
                _ => 5,
            })
            .sum()
    }
}

/// Patience for a reset or restore until a console answers [ha-system: 60-110 s are usual, 180 s is suspicious].
pub const REBOOT_LIMIT_S: u64 = 300;
/// Patience for anything else: several times what the slowest board takes.
pub const STEP_LIMIT_S: u64 = 120;
/// An export of a large configuration, and its import, take minutes on a small CPU [ha-system section 9].
pub const QUIET_LIMIT_S: u64 = 900;
/// Both exports through consoles.
pub const VERIFY_QUIET_LIMIT_S: u64 = 480;

/// The plan that turns B into the standby, from whatever state B is in. `None` when B is the active, or who it is is not known.
pub fn bootstrap(site: &Site, survey: &Survey) -> Option<Plan> {
    let a = survey.a_proof.as_ref().ok()?;
    let b = survey.b_proof.as_ref().ok()?;
    let in_sync = survey.a_version.is_some() && survey.a_version == survey.b_version;
    let mut steps = Vec::new();
    let mut notes = Vec::new();
    let step = |id, member, title: &str, effect, limit_s| Step {
        id,
        member,
        title: title.to_owned(),
        effect,
        limit_s,
        alone: false,
    };
    let (b_only, a_only) = (Some(Member::B), Some(Member::A));
    let write =
        step(Act::BootstrapFile, b_only, "write the bootstrap file, read it back", Effect::Reversible, STEP_LIMIT_S);
    let import = |effect| step(Act::Import, b_only, "HA address, user and FTP", effect, STEP_LIMIT_S);
    match b.state() {
        State::Active => return None,
        State::Configured | State::HaUnsettled => {
            steps.push(write);
            steps.push(step(
                Act::Reset,
                b_only,
                "RESET, then run the bootstrap file",
                Effect::PointOfNoReturn,
                REBOOT_LIMIT_S,
            ));
            steps.push(step(Act::WaitReset, b_only, "wait for the reset", Effect::ReadOnly, REBOOT_LIMIT_S));
            steps.push(import(Effect::Destructive));
            notes.push("everything configured on b is lost; files stay".to_owned());
        }
        // One that was bootstrapped for another HA password has its address and user, and lets nobody in.
        State::Erased | State::Bootstrapped => {
            steps.push(write);
            steps.push(import(Effect::Reversible));
        }
        State::Standby => {}
    }
    let choose = site.sync == Sync::Quiet && survey.a.ha.as_ref().and_then(|ha| ha.sync) != Some(Sync::Quiet);
    if choose {
        steps.push(step(
            Act::ChooseSync,
            a_only,
            "the quiet way of sync from now on",
            Effect::Reversible,
            STEP_LIMIT_S,
        ));
    }
    // another way of sync is a change of A's configuration: B has that one not yet
    if choose || !(b.state() == State::Standby && in_sync) {
        steps.push(step(Act::ReachB, a_only, "log in to b over the HA address", Effect::ReadOnly, STEP_LIMIT_S));
        let (what, limit) = match site.sync {
            Sync::Backup => ("a gives its configuration to b, b restores it", REBOOT_LIMIT_S),
            Sync::Quiet => ("a gives its export to b, b is reset and runs it", QUIET_LIMIT_S),
        };
        steps.push(step(Act::Push, b_only, what, Effect::Destructive, limit));
        steps.push(step(Act::WaitStandby, b_only, "wait for b as standby", Effect::ReadOnly, limit));
        notes.push(match site.sync {
            Sync::Backup => {
                "the pair syncs: b reboots with a's configuration, users and data-port addresses".to_owned()
            }
            Sync::Quiet => {
                "the pair syncs quietly: b is reset and made again from a's export, data ports shut".to_owned()
            }
        });
    }
    if site.sync == Sync::Quiet {
        notes.extend(survey.not_carried.iter().map(|what| format!("NOT CARRIED: {what}")));
        let mut names: Vec<&str> = Vec::new();
        if site.a.password.is_some() {
            names.push(&site.a.user);
            if site.a.user != "admin" && !site.users.iter().any(|user| user.name == "admin") {
                notes.push("b's user admin gets a's password, too: b must not take over with an open one".to_owned());
            }
        } else {
            notes
                .push("the site file has no pair.a.password: b's user admin keeps the password that it has".to_owned());
        }
        names.extend(site.users.iter().map(|user| user.name.as_str()).filter(|name| *name != site.a.user));
        if !names.is_empty() {
            let title = match site.users.is_empty() {
                true => format!("user {} with a's password", site.a.user),
                false => format!("users {} with the site file's passwords and SSH keys", names.join(", ")),
            };
            steps.push(step(Act::User, b_only, &title, Effect::Reversible, STEP_LIMIT_S));
        }
    }
    let (what, limit) = match site.sync {
        Sync::Backup => ("verify roles, version and closed ports", STEP_LIMIT_S),
        Sync::Quiet => ("verify roles, version, closed ports and equal exports", VERIFY_QUIET_LIMIT_S),
    };
    steps.push(step(Act::Verify, None, what, Effect::ReadOnly, limit));
    steps.push(step(Act::Clean, None, "remove our files", Effect::Reversible, STEP_LIMIT_S));
    if site.b.reach.iter().any(TargetUrl::is_server) {
        notes.push("b can be reached by a console server, which may log the HA password".to_owned());
    }
    let on_built_in = |road: &&TargetUrl| matches!(road, TargetUrl::Via { port: Some(port), .. } if port == BUILT_IN);
    if let Some(road) = site.b.reach.iter().find(on_built_in) {
        notes.push(format!(
            "{road}: a's console there is off, so b's will be when it has a's configuration, and this road ends then"
        ));
    }
    let silent_boot = survey.b.silent_boot;
    if site.b.reach.iter().any(TargetUrl::is_line) {
        notes.push(others_on_the_line("b"));
    }
    if silent_boot && site.b.reach.iter().any(TargetUrl::is_line) {
        notes.extend(silent_boot_notes("b"));
    }
    let erases = steps.iter().any(|s| s.id == Act::Reset).then(|| b.erase_name());
    let basis = basis(site, survey, a, b);
    let fingerprint = fingerprint(&site.name, &basis, &steps);
    let (pair, command, sync) = (site.name.clone(), "bootstrap".to_owned(), site.sync);
    Some(Plan { pair, command, fingerprint, basis, steps, erases, silent_boot, notes, sync, subject: None })
}

/// What a run does where somebody else is logged in on the line that it needs.
pub(crate) fn others_on_the_line(who: &str) -> String {
    format!(
        "somebody else's session on {who}'s serial line stops the run and is left alone; with --take-over it is ended, with its \
         half-typed line"
    )
}

/// What a router that boots silently means for a run that restarts it on its line.
pub(crate) fn silent_boot_notes(who: &str) -> [String; 3] {
    [
        format!(
            "{who} boots silently (silent-boot=yes): nothing on its line tells a boot from an idle console, and a key in its boot \
             loader stops it"
        ),
        "after each restart nothing is typed on it before its login prompt, for up to 3 min".to_owned(),
        format!("don't power-cycle {who} by hand while the run is on"),
    ]
}

/// The fact of a plan that erases b: what is on it.
pub(crate) const CONFIGURATION: &str = "b configuration";

/// The fact of a plan that says what b was.
pub(crate) const STATE_OF_B: &str = "b state";

/// What decides about the steps and about whom they hit. Times and counters are left out: they always move.
fn basis(site: &Site, survey: &Survey, a: &Target, b: &Target) -> Vec<(String, String)> {
    let serial = |facts: &crate::facts::Facts| facts.serial.clone().unwrap_or_else(|| "none".into());
    let row = |name: &str, value: String| (name.to_owned(), value);
    let mut basis = vec![
        row("ha interface", site.ha_interface.clone()),
        row("a mac", a.mac().to_string()),
        row("a serial number", serial(&survey.a)),
        row("a version", survey.a.version.clone()),
        row("a state", a.state().to_string()),
        row("b mac", b.mac().to_string()),
        row("b serial number", serial(&survey.b)),
        row("b version", survey.b.version.clone()),
        row(STATE_OF_B, b.state().to_string()),
        row("b road", survey.roads.1.clone()),
    ];
    // What is erased is what was shown.
    if matches!(b.state(), State::Configured | State::HaUnsettled) {
        basis.push(row(CONFIGURATION, survey.b.configuration()));
    }
    basis
}

pub(crate) fn fingerprint(pair: &str, basis: &[(String, String)], steps: &[Step]) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        // with its length: no two lists read the same
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    add(pair);
    for (name, value) in basis {
        add(name);
        add(value);
    }
    for step in steps {
        add(step.id.id());
        add(&step.effect.to_string());
    }
    let hex: Vec<String> = hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}", hex[..2].concat(), hex[2..].concat())
}

/// Whether a text has the form of a plan's fingerprint.
pub fn is_fingerprint(text: &str) -> bool {
    let part = |text: &str| text.len() == 4 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    text.split_once('-').is_some_and(|(one, two)| part(one) && part(two))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::preflight::tests::survey;
    use crate::site::tests::EDGE_1;
    use crate::state::tests::{active, erased};

    pub(crate) fn shown(plan: &Plan) -> String {
        let mut out = format!("{} erases {:?}\n", plan.fingerprint, plan.erases);
        for step in &plan.steps {
            let member = step.member.map_or("-".to_owned(), |m| m.to_string());
            out.push_str(&format!(
                "{member} {:18} {} ({}, {} s)\n",
                step.id.id(),
                step.title,
                step.effect,
                step.limit_s
            ));
        }
        for note in &plan.notes {
            out.push_str(&format!("note: {note}\n"));
        }
        out
    }

    #[test]
    fn clean_dirty_bootstrapped_and_done() {
        let site = Site::parse(EDGE_1).unwrap();
        let clean = erased("7F0002", 0x0b);
        let mut dirty = clean.clone();
        dirty.identity = "old-router".into();
        let mut standby = active();
        standby.serial = Some("7F0002".into());
        standby.vrrp = Some(crate::facts::Vrrp { disabled: false, master: false });
        for port in &mut standby.ports {
            port.disabled = port.default_name != "ether8";
            if port.default_name == "ether8" {
                port.orig_mac = Some(site.b.ha_mac);
            }
        }
        let plan = |b| bootstrap(&site, &survey(&site, active(), b)).unwrap();
        insta::assert_snapshot!("clean", shown(&plan(clean)));
        insta::assert_snapshot!("dirty", shown(&plan(dirty)));
        let mut done = survey(&site, active(), standby);
        done.b_version = done.a_version.clone();
        insta::assert_snapshot!("done", shown(&bootstrap(&site, &done).unwrap()));
    }

    #[test]
    fn fingerprints_have_a_form_of_their_own() {
        let site = Site::parse(EDGE_1).unwrap();
        let plan = bootstrap(&site, &survey(&site, active(), erased("7F0002", 0x0b))).unwrap();
        assert!(is_fingerprint(&plan.fingerprint), "{}", plan.fingerprint);
        for text in ["", "xxx", "f70f10c3", "f70f-10c", "f70f-10cg", "F70F-10C3", "f70f-10c3-", "7F0002"] {
            assert!(!is_fingerprint(text), "{text}");
        }
    }

    #[test]
    fn the_same_facts_give_the_same_fingerprint_and_others_are_named() {
        let site = Site::parse(EDGE_1).unwrap();
        let first = bootstrap(&site, &survey(&site, active(), erased("7F0002", 0x0b))).unwrap();
        let mut later = erased("7F0002", 0x0b);
        later.uptime += std::time::Duration::from_secs(60);
        assert_eq!(bootstrap(&site, &survey(&site, active(), later.clone())).unwrap(), first);
        later.version = "7.19 (stable)".into();
        let moved = bootstrap(&site, &survey(&site, active(), later)).unwrap();
        assert_ne!(moved.fingerprint, first.fingerprint);
        assert_eq!(moved.moved_since(&first), ["b version: was 7.18.2 (stable), is 7.19 (stable)"]);
    }

    #[test]
    fn a_road_that_ends_with_the_sync_is_said_to() {
        let notes = |road: &str| {
            let mut site = Site::parse(EDGE_1).unwrap();
            site.reach_by(Member::B, Some(road.parse().unwrap()));
            let survey = survey(&site, active(), erased("7F0002", 0x0b));
            bootstrap(&site, &survey).unwrap().notes.join("\n")
        };
        assert!(notes("via:a?port=serial0").contains("this road ends then"));
        assert!(!notes("via:a?port=usb1").contains("this road ends then"));
    }

    #[test]
    fn there_is_no_plan_against_an_active() {
        let site = Site::parse(EDGE_1).unwrap();
        let mut b = active();
        b.serial = Some("7F0002".into());
        if let Some(port) = b.ports.iter_mut().find(|port| port.default_name == "ether8") {
            port.orig_mac = Some(site.b.ha_mac);
        }
        assert_eq!(bootstrap(&site, &survey(&site, active(), b)), None);
    }
}
