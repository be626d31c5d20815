//! The plan of a rescue: a pure function of what was found, what is known from before, and what was asked.

use super::access::Access;
use super::find::Found;
use super::known::Earlier;
use super::netinstall::{by_hand, netinstall};
use super::procedure::{Procedure, fitting};
use super::standby::{OWN_BACKUP, known_good, quarantine, repair};
use crate::diagnosis::Name;
use crate::facts::{Facts, Ha};
use crate::mac::Mac;
use crate::plan::{
    Act, Effect, Plan, REBOOT_LIMIT_S, STEP_LIMIT_S, Step, fingerprint, others_on_the_line, silent_boot_notes,
};
use crate::target::{Member, quoted};
use crate::trouble::{Kind, Trouble};
use routeros::wake::State as Line;
use serde::{Deserialize, Serialize};

/// Patience for evidence over a slow line: an export of minutes.
const EVIDENCE_LIMIT_S: u64 = 600;
/// Patience for the boot loader's window in a loop of starts: three of them, each as slow as the slowest boards are.
const WINDOW_LIMIT_S: u64 = 900;
/// Patience for a network installation.
pub(super) const INSTALL_LIMIT_S: u64 = 1200;

/// What was asked for beside the procedure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Loading the active's backup is accepted, with the window in which the standby speaks for it.
    pub cloned_window: bool,
    /// `netinstall-cli`.
    pub netinstall: Option<String>,
    /// The packages: RouterOS first, where it is several.
    pub packages: Vec<String>,
    /// What this board's packages are for, where somebody knows it better.
    pub architecture: Option<String>,
    /// The host's interface on the BOOT port's cable.
    pub interface: Option<String>,
    /// Where the new HA password comes from.
    pub new_password: Option<String>,
}

/// What is known of the router from before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Before {
    /// An earlier start failed at the same step: a third one would show nothing new.
    pub twice: bool,
    /// The other member's configuration has a wrong address for this one.
    pub peer_mac: Option<Mac>,
    /// What the active runs, where it could be asked.
    pub active_version: Option<String>,
    /// The active's board: both members are of one model.
    pub active_board: Option<String>,
    /// What it was, by evidence of an earlier run.
    pub earlier: Option<Earlier>,
}

/// Which router a rescue is for, and what was seen: all that a resumed run needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// As it was typed, and can be typed from anywhere.
    pub target: String,
    /// `--as`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_of: Option<String>,
    /// As whom to log in on a single router.
    #[serde(default, skip_serializing_if = "Login::is_usual")]
    pub login: Login,
    /// What is done.
    pub procedure: Procedure,
    /// The state that it was in.
    pub state: Name,
    /// The same in words, and what shows it.
    pub seen: Vec<String>,
    /// The HA port's default-name.
    pub ha_interface: String,
    /// Its burnt-in address: every line proves it. `None` in a boot loader.
    pub mac: Option<Mac>,
    /// Serial number, where one was told.
    pub serial: Option<String>,
    /// Which one its address makes it, where that is known.
    pub member: Option<Member>,
    /// It starts again and again, and its boot loader's window has to be caught.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub looping: bool,
    /// It runs our scripts, not another build's.
    pub ours: bool,
    /// The startup's failure, for the next run to compare.
    pub failure: Option<String>,
    /// An address in its configuration that is to be replaced by its own.
    pub wrong_mac: Option<Mac>,
    /// The same in the other member's.
    pub peer_mac: Option<Mac>,
    /// The backup that is loaded.
    pub backup: Option<String>,
    /// What is run on this host.
    pub argv: Vec<String>,
    /// Where the new HA password comes from, for a run that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_password: Option<String>,
    /// It boots silently, and a line leads to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent_boot: bool,
    /// What is to be done afterwards, by whoever reads the plan or the report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub afterwards: Vec<String>,
    /// Options that were typed beside target and procedure, as words of a shell: hints repeat them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
}

impl Subject {
    /// The command that plans this anew.
    pub fn again(&self) -> String {
        command(&self.target, self.procedure.name(), &self.beside)
    }

    /// Our scripts, and the backup that they made, have the HA password in a PPP secret of their own; a backup of ours is sealed
    /// with it, whoever made it.
    pub(super) fn keeps_secret(&self) -> bool {
        self.ours || self.backup.as_deref().is_some_and(|name| name.ends_with(OWN_BACKUP))
    }
}

/// A `recover` as it can be typed.
pub(super) fn command(target: &str, words: &str, beside: &[String]) -> String {
    let beside: String = beside.iter().map(|word| format!(" {word}")).collect();
    format!("jumplead recover {} {words}{beside}", quoted(target))
}

impl Asked {
    /// The options that say all this.
    fn typed(&self) -> Vec<String> {
        let one = |option: &str, value: &str| format!("{option} {}", quoted(value));
        let given = |option: &str, value: &Option<String>| value.as_ref().map(|value| one(option, value));
        let mut words: Vec<String> = given("--netinstall", &self.netinstall).into_iter().collect();
        words.extend(self.packages.iter().map(|file| one("--package", file)));
        words.extend(given("--architecture", &self.architecture));
        words.extend(given("--boot-interface", &self.interface));
        words.extend(given("--new-ha-password", &self.new_password));
        words.extend(self.cloned_window.then(|| "--accept-cloned-window".to_owned()));
        words
    }
}

/// As whom to log in on a single router, for a run that goes on: references, no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Login {
    /// `--user`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `--password`, but for a command's words, which may be secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// `--take-over`
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub take_over: bool,
}

impl Login {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// What it means that console servers hear the HA password, and what to do about it.
fn overheard(servers: &[String], again: &str) -> Vec<String> {
    if servers.is_empty() {
        return Vec::new();
    }
    vec![
        format!("the HA password, where a step types it, then stands in the logs of {}", servers.join(", ")),
        format!("change it on both, over the HA cable:  jumplead recover {again} ha-password --new-ha-password REF"),
    ]
}

/// One plan being made.
pub(super) struct Draft {
    steps: Vec<Step>,
    notes: Vec<String>,
    member: Option<Member>,
}

impl Draft {
    pub(super) fn step(&mut self, id: Act, title: &str, effect: Effect, limit_s: u64) {
        let alone = self.member.is_none();
        self.steps.push(Step { id, member: self.member, title: title.to_owned(), effect, limit_s, alone });
    }

    pub(super) fn look(&mut self, id: Act, title: &str) {
        self.step(id, title, Effect::ReadOnly, STEP_LIMIT_S);
    }

    pub(super) fn change(&mut self, id: Act, title: &str) {
        self.step(id, title, Effect::Reversible, STEP_LIMIT_S);
    }

    pub(super) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

pub(super) fn refuse(code: &str, message: impl Into<String>) -> Trouble {
    Trouble::new(Kind::Operator, code, message)
}

/// Makes the plan of one procedure.
///
/// # Errors
/// Why it does not fit; nothing was changed.
pub(super) fn plan(
    access: &Access<'_>,
    found: &Found,
    before: &Before,
    procedure: Procedure,
    asked: &Asked,
) -> Result<Plan, Trouble> {
    let fits = fitting(found, before);
    let diagnosis = found.diagnosis();
    if !fits.contains(&procedure) {
        if before.twice && diagnosis.state == Name::F1 {
            return Err(refuse(
                "recover.twice",
                "it failed a second time at the same step: another start would show nothing new",
            )
            .hint(format!("keep it closed and silent:  {}", access.recover("quarantine"))));
        }
        let names: Vec<&str> = fits.iter().map(|one| one.name()).collect();
        let message = format!("{procedure} does not fit: {} ({:?})", diagnosis.says, diagnosis.state);
        let next = match procedure {
            Procedure::LeaveLoader | Procedure::Etherboot => "recover.not-in-the-loader",
            _ => "recover.unfit",
        };
        return Err(refuse(next, message)
            .hint(format!("what fits: {}", names.join(", ")))
            .hint(format!("look:  jumplead diagnose {}", quoted(&access.target))));
    }
    not_protected(access, found, before, procedure)?;
    let (facts, log) = match found {
        Found::Router { facts, log, .. } => (Some(facts.as_ref()), Some(log)),
        Found::Line { .. } => (None, None),
    };
    let interface = facts.and_then(|f| f.ha.as_ref()).map_or(access.ha_interface(), |ha| ha.interface.as_str());
    let mac = facts.and_then(|facts| facts.port(interface)?.orig_mac);
    let member = access.member().or_else(|| own_member(facts?, mac?));
    let serial = match found {
        Found::Router { facts, .. } => facts.serial.clone(),
        Found::Line { board, .. } => board.get("serial number").map(str::to_owned),
    };
    if let (Some((pair, member)), Some(told)) = (access.pair, &serial)
        && pair.site.member(member).serial_number.as_ref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(told))
    {
        return Err(Trouble::new(
            Kind::WrongRouter,
            "bootstrap.proof.wrong-serial",
            format!("this is not router {member}: its serial number is {told}"),
        ));
    }
    let mut subject = Subject {
        target: access.target.clone(),
        member_of: None,
        login: Login::default(),
        procedure,
        state: diagnosis.state,
        seen: std::iter::once(diagnosis.says.clone()).chain(diagnosis.evidence.clone()).collect(),
        ha_interface: interface.to_owned(),
        mac,
        serial,
        member,
        looping: matches!(found, Found::Line { state: Line::BootLoop(_), .. }),
        ours: facts.and_then(|f| f.ha.as_ref()).is_some_and(Ha::is_ours),
        failure: log.and_then(|log| log.signature()),
        wrong_mac: None,
        peer_mac: None,
        backup: None,
        argv: Vec::new(),
        new_password: None,
        silent_boot: facts.is_some_and(|facts| facts.silent_boot),
        afterwards: Vec::new(),
        beside: access.beside.iter().cloned().chain(asked.typed()).collect(),
    };
    let mut draft = Draft { steps: Vec::new(), notes: Vec::new(), member };
    let loops = facts.is_some() && diagnosis.state == Name::F2 && !subject.ours;
    let first =
        if loops { "save the log first, in the seconds that it answers" } else { "save evidence: log, files, export" };
    draft.step(Act::Evidence, first, Effect::ReadOnly, EVIDENCE_LIMIT_S);
    let acts =
        !matches!(procedure, Procedure::Leave | Procedure::LeaveLoader | Procedure::Etherboot | Procedure::Netinstall);
    if acts && mac.is_none() {
        return Err(refuse("recover.unproved", format!("it has no port {interface} whose address could prove it"))
            .hint("name the pair, whose site file says which port it is:  --as PAIR/b"));
    }
    // What a wrong address is written over by its own says another pair by that very address.
    if let (true, Some((pair, member)), Some(ha)) =
        (acts && procedure != Procedure::RightMac, access.pair, facts.and_then(|facts| facts.ha.as_ref()))
        && (ha.is_of_another(pair.site) || procedure == Procedure::HaPassword && !ha.is_of(pair.site))
    {
        return Err(Trouble::new(
            Kind::WrongRouter,
            "recover.other-pair",
            format!("this is not router {member} of {}: its scripts' pair is {}", pair.site.name, ha.pair()),
        )
        .hint("nothing was changed; see which router is on the cable, and whether the site file names the right one"));
    }
    if acts && facts.is_some_and(Facts::is_active) {
        return Err(refuse("recover.active", "it is the active of its pair: nothing is done to it"));
    }
    if loops && acts {
        draft.change(Act::Hold, "hold the loop: startup held, its waiting job ended");
        draft.step(Act::EvidenceRest, "save the rest: files, export", Effect::ReadOnly, EVIDENCE_LIMIT_S);
    }
    match procedure {
        Procedure::Leave => draft.note("nothing is changed on the router"),
        Procedure::Repair => repair(&mut draft, &mut subject),
        Procedure::KnownGood => known_good(&mut draft, &mut subject, facts, asked)?,
        Procedure::Quarantine => quarantine(&mut draft, &mut subject, access),
        Procedure::RightMac => right_mac(&mut draft, &mut subject, access, facts, before)?,
        Procedure::FinishBootstrap => finish_bootstrap(&mut draft, &mut subject, access)?,
        Procedure::LeaveLoader => {
            draft.step(
                Act::LeaveLoader,
                "leave the menu; wait for its login, typing nothing",
                Effect::Reversible,
                REBOOT_LIMIT_S,
            );
            draft.note("nothing is written: it boots from what is set");
        }
        Procedure::Etherboot => {
            boot_port(&mut draft);
            let (command, notes) = by_hand(found, before, asked);
            draft.note(format!("on that host, as root:  {command}"));
            notes.into_iter().for_each(|note| draft.note(note));
            draft.note("started before you go ahead: the board asks for some seconds only");
            subject.afterwards.push(look_at_the_pair(access));
            catch_window(&mut draft, &subject);
            draft.change(Act::EthernetOnce, "boot device: Ethernet once, then storage again");
            draft.step(
                Act::LeaveLoader,
                "leave the menu; wait for what comes of it",
                Effect::Reversible,
                REBOOT_LIMIT_S,
            );
        }
        Procedure::Netinstall => {
            netinstall(&mut draft, &mut subject, found, before, asked)?;
            subject.afterwards.push(look_at_the_pair(access));
        }
        Procedure::HaPassword => ha_password(&mut draft, &mut subject, access, asked)?,
        Procedure::Password => {}
    }
    if draft.steps.iter().any(|step| matches!(step.id, Act::HaUser | Act::FinishBootstrap)) {
        subject.afterwards.extend(overheard(&access.servers(), &over_the_cable(access)));
    }
    draft.notes.extend(subject.afterwards.iter().map(|what| format!("then:  {what}")));
    let board = match found {
        Found::Router { facts, .. } => facts.board.clone(),
        Found::Line { board, .. } => board.get("board type").unwrap_or("none").to_owned(),
    };
    let row = |name: &str, value: String| (name.to_owned(), value);
    let none = || "none".to_owned();
    let mut basis = vec![
        row("target", access.target.clone()),
        row("procedure", procedure.to_string()),
        row("state", format!("{:?}", diagnosis.state)),
        row("board", board),
        row("serial number", subject.serial.clone().unwrap_or_else(none)),
        row("ha mac", mac.map_or_else(none, |mac| mac.to_string())),
        row("version", facts.map_or_else(none, |facts| facts.version.clone())),
        row("failure", subject.failure.clone().unwrap_or_else(none)),
        row("program", subject.argv.join(" ")),
    ];
    basis.extend(subject.new_password.clone().map(|reference| row("new ha password", reference)));
    if access.has_line() && facts.is_some() {
        draft.note(others_on_the_line("the router"));
    }
    let silent_boot = subject.silent_boot;
    if silent_boot && draft.steps.iter().any(|step| matches!(step.id, Act::LoadBackup | Act::Restart)) {
        draft.notes.extend(silent_boot_notes("it"));
    }
    let fingerprint = fingerprint(&access.target, &basis, &draft.steps);
    Ok(Plan {
        pair: access.target.clone(),
        command: "recover".into(),
        fingerprint,
        basis,
        steps: draft.steps,
        erases: None,
        silent_boot,
        sync: access.pair.map_or_else(Default::default, |(pair, _)| pair.site.sync),
        notes: draft.notes,
        subject: Some(Box::new(subject)),
    })
}

fn own_member(facts: &Facts, mac: Mac) -> Option<Member> {
    let ha = facts.ha.as_ref()?;
    [(Member::A, ha.mac_a), (Member::B, ha.mac_b)]
        .into_iter()
        .find(|(_, own)| *own == Some(mac))
        .map(|(member, _)| member)
}

fn right_mac(
    draft: &mut Draft,
    subject: &mut Subject,
    access: &Access<'_>,
    facts: Option<&Facts>,
    before: &Before,
) -> Result<(), Trouble> {
    let unproved = |why: &str| {
        Err(refuse("recover.mac-unproved", why)
            .hint(format!(
                "put this router's ha_mac and serial_number into the site file, from its label, and name it as {}/{}",
                access.pair_word(),
                access.member().unwrap_or(Member::B)
            ))
            .hint(format!("until then:  {}", access.recover("quarantine"))))
    };
    let Some((pair, member)) = access.pair else { return unproved("no site file says which address is right") };
    let entry = pair.site.member(member);
    if subject.mac != Some(entry.ha_mac) {
        return unproved("its HA port's address is not the site file's");
    }
    let same = |wanted: &String| subject.serial.as_ref().is_some_and(|told| wanted.eq_ignore_ascii_case(told));
    if !entry.serial_number.as_ref().is_some_and(same) {
        return unproved("its serial number is not in the site file, so nothing but one address says who it is");
    }
    let ha = facts.and_then(|facts| facts.ha.as_ref());
    let configured = ha.and_then(|ha| if member == Member::A { ha.mac_a } else { ha.mac_b });
    let Some(wrong) = configured.filter(|mac| *mac != entry.ha_mac) else {
        return unproved("its configuration names that address already: something else is wrong");
    };
    subject.wrong_mac = Some(wrong);
    subject.peer_mac = before.peer_mac;
    draft.change(Act::ClosePorts, "data ports closed");
    if before.peer_mac.is_some() {
        let other = draft.member.map(Member::other);
        draft.steps.push(Step {
            id: Act::PeerMac,
            member: other,
            title: "the active's configuration gets the right address".into(),
            effect: Effect::Reversible,
            limit_s: STEP_LIMIT_S,
            alone: false,
        });
    }
    draft.change(Act::RightMac, &format!("{wrong} becomes {} in its configuration", entry.ha_mac));
    draft.step(Act::Restart, "restart it, once", Effect::Destructive, REBOOT_LIMIT_S);
    draft.step(Act::VerifyStandby, "wait for it; prove it", Effect::ReadOnly, REBOOT_LIMIT_S);
    Ok(())
}

fn finish_bootstrap(draft: &mut Draft, subject: &mut Subject, access: &Access<'_>) -> Result<(), Trouble> {
    if access.pair.is_none() {
        return Err(refuse("recover.needs-pair", "the HA password is the pair's: its site file says where it is")
            .hint("name it as PAIR/b, or the pair beside its line:  --as PAIR/b"));
    }
    draft.change(Act::EndJob, "end the job that waits");
    draft.change(Act::FinishBootstrap, "HA address, user and FTP");
    subject.afterwards.push(format!("jumplead bootstrap {}   gives it the active's configuration", access.pair_word()));
    Ok(())
}

fn look_at_the_pair(access: &Access<'_>) -> String {
    format!("when it is up:  jumplead bootstrap {} --plan-only", access.pair_word())
}

/// The standby by a road that no console server hears.
fn over_the_cable(access: &Access<'_>) -> String {
    let pair = access.pair_word();
    let member = access.member().unwrap_or(Member::B);
    if access.servers().is_empty() { format!("{pair}/{member}") } else { format!("via:{pair}/{}", member.other()) }
}

fn ha_password(draft: &mut Draft, subject: &mut Subject, access: &Access<'_>, asked: &Asked) -> Result<(), Trouble> {
    let again = over_the_cable(access);
    if access.pair.is_none() {
        return Err(refuse("recover.needs-pair", "the HA password is the pair's").hint("name it as PAIR/b"));
    }
    if !subject.ours {
        return Err(refuse("recover.unfit", "another build's scripts keep the HA password in a way of their own")
            .hint("change it by that build's own procedure, on the active"));
    }
    let servers = access.servers_of_both();
    if !servers.is_empty() {
        let heard = format!("{} would hear the new password, too", servers.join(", "));
        return Err(refuse("recover.overheard", heard)
            .hint(format!("through the active:  jumplead recover {again} ha-password --new-ha-password REF")));
    }
    let Some(reference) = &asked.new_password else {
        return Err(refuse("recover.new-password", "no new HA password was given")
            .hint("where it comes from, never itself:  --new-ha-password env:NAME, file:PATH or prompt"));
    };
    subject.new_password = Some(reference.clone());
    draft.change(Act::HaPassword, "the user ha and the HA password");
    draft.change(Act::SaveOwn, "its own backup, saved with it");
    let active = draft.member.map(Member::other);
    for (id, member, title, effect) in [
        (Act::PeerHaPassword, active, "the same on the active", Effect::Reversible),
        (Act::VerifyHaPassword, None, "the active asks the standby with it", Effect::ReadOnly),
    ] {
        draft.steps.push(Step { id, member, title: title.into(), effect, limit_s: STEP_LIMIT_S, alone: false });
    }
    draft.note("between the two the active can't push or ask; VRRP and the data ports don't know the password");
    draft.note("the active's next check finds a change, and syncs once");
    subject.afterwards.push("set secrets.ha_password of the site file to the new one".into());
    Ok(())
}

/// A protected boot loader hears no key and boots over no network: said before anything is planned on it.
fn not_protected(access: &Access<'_>, found: &Found, before: &Before, procedure: Procedure) -> Result<(), Trouble> {
    let Some(earlier) = before.earlier.as_ref().filter(|earlier| earlier.protected == Some(true)) else {
        return Ok(());
    };
    // What stands there shows that it does, whatever was so once.
    let hears = matches!(found, Found::Line { state: Line::Menu(_) | Line::Installer | Line::Etherboot, .. });
    if hears || !matches!(procedure, Procedure::Etherboot | Procedure::Netinstall) {
        return Ok(());
    }
    let message = format!(
        "its boot loader is protected, by what it said in run {}: it takes no key and no Etherboot",
        earlier.run
    );
    Err(refuse("recover.protected", message)
        .hint(
            "its button, held for the time that was set (20 s to 10 min), erases everything and boots it over Ethernet",
        )
        .hint(format!("then, with the board on the line:  jumplead recover {}", quoted(&access.target))))
}

/// A loop of starts: there is no menu yet, and no other way to one.
pub(super) fn catch_window(draft: &mut Draft, subject: &Subject) {
    if !subject.looping {
        return;
    }
    draft.step(
        Act::CatchWindow,
        "TYPE THE ANNOUNCED KEY into the boot loader's window in its next start; its menu opens",
        Effect::Reversible,
        WINDOW_LIMIT_S,
    );
    draft.note("a key typed into a boot loader's window is what is never done elsewhere: here it is the plan, and the only way in");
    draft.note("it is typed while the window stands on the line and at no other time; a window that is missed: the next start is waited for");
    draft.note("where only <Delete> opens the menu and does not, Ctrl+E is typed, if the banner announces it and no serial number is to be proved");
}

pub(super) fn boot_port(draft: &mut Draft) {
    draft.note("needs a cable on the port marked BOOT (ether1) to a host; an HA cable on ether8 never boots a router");
}
