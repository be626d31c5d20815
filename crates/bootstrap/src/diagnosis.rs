//! What state a router of a pair is in, by name, with the evidence, and the procedure that fits.
//!
//! Two looks lead here: what stands on a console's line before anybody has logged in, and what the router says of itself.
//! Nothing is decided by the identity: a restored router carries the other one's until its first VRRP event
//! (ha-system.md section 8).

use crate::facts::Facts;
use crate::mac::Mac;
use crate::signs::Signs;
use crate::state::{self, State};
use crate::target::Member;
use routeros::wake::{Menu, State as Line};
use routeros::{Error, Shell};
use serde::Serialize;
use std::time::Duration;

/// What an operator calls the states of a router (ha-system.md section 3): those that show on one router alone.
///
/// Two don't. F4, split brain, is two actives: one of them is [`Name::X1`] with a dead HA link, and says that only a look at the
/// other one tells. S2, the load of a backup, is over within a second: the session drops, and what shows next is [`Name::S3`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
pub enum Name {
    /// Factory configuration.
    E0,
    /// Erased.
    E1,
    /// Has the pair's scripts, is not installed.
    P1,
    /// The pair's scripts are being set up.
    P2,
    /// Active; whether the other member answers was not to be seen.
    X,
    /// Active, and the other member does not answer.
    X1,
    /// Active, and the other member answers.
    X2,
    /// Its bootstrap is under way.
    B1,
    /// Bootstrapped, waits for the active's configuration.
    B2,
    /// The active is putting its configuration on it.
    S1,
    /// Starts.
    S3,
    /// Standby.
    S4,
    /// Startup failed: data ports closed.
    F1,
    /// The HA port's address is neither router's.
    F2,
    /// The console restarted under a running router.
    F3,
    /// Active, and no push brings the standby in sync.
    F5,
    /// The bootstrap waits for something that does not come.
    F6,
    /// A configuration was sent and not loaded.
    F7,
    /// Stuck in the boot loader, nothing to boot from, or in a loop of starts.
    F8,
    /// Configured by somebody, not a member of a pair.
    Configured,
    /// None of the above, or not to be told yet.
    Unknown,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The state.
    pub state: Name,
    /// The same in words.
    pub says: String,
    /// What shows it.
    pub evidence: Vec<String>,
    /// What to do, a step each; the first is read-only.
    pub procedure: Vec<String>,
    /// What not to do now.
    pub never: Option<String>,
    /// Its startup is held: a restart runs nothing of it.
    #[serde(skip)]
    pub held: bool,
}

impl Diagnosis {
    fn new(state: Name, says: impl Into<String>) -> Self {
        Self { state, says: says.into(), evidence: Vec::new(), procedure: Vec::new(), never: None, held: false }
    }

    /// With this word, as a shell takes it, where a command says TARGET: it can be typed as it stands.
    #[must_use]
    pub fn at(self, target: &str) -> Self {
        self.with("TARGET", target)
    }

    /// The same with the pair's name where a command says PAIR.
    #[must_use]
    pub fn of_pair(self, pair: &str) -> Self {
        self.with("PAIR", pair)
    }

    fn with(mut self, name: &str, word: &str) -> Self {
        for step in &mut self.procedure {
            *step = step.replace(name, word);
        }
        self
    }

    fn shown(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        // A hostile name must not reach a terminal.
        let plain = |text: String| text.chars().take(200).map(|c| if c.is_control() { '.' } else { c }).collect();
        self.evidence.extend(evidence.into_iter().map(plain));
        self
    }

    fn then(mut self, steps: &[&str]) -> Self {
        self.procedure.extend(steps.iter().map(|step| (*step).to_owned()));
        self
    }

    fn never(mut self, what: &str) -> Self {
        self.never = Some(what.to_owned());
        self
    }
}

/// Log lines of the startup that are kept.
const MAX_LOG: usize = 60;
/// After so long a startup has ended or hangs: 12 s of work, 120 s of retries, the boot itself.
const STARTUP: Duration = Duration::from_secs(200);
/// A bootstrap that is not done by then is not under way any more: RouterOS 7 ends the script after a reset at 120 s.
const BOOTSTRAPS: Duration = Duration::from_secs(130);
/// Times that a bootstrap says that it waits, 5 s apart, until nobody believes it any more.
const WAITS: usize = 3;
/// The address of a factory configuration.
const FACTORY_ADDRESS: &str = "192.168.88.1/24";

/// What the startup's log says, oldest first. It is RAM: of this boot only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartupLog(Vec<String>);

impl StartupLog {
    /// Takes lines as the router logged them.
    pub fn of(text: &str) -> Self {
        let lines: Vec<String> = text.lines().map(|line| line.trim().to_owned()).filter(|l| !l.is_empty()).collect();
        Self(lines.into_iter().rev().take(MAX_LOG).rev().collect())
    }

    /// Reads it. Changes nothing.
    ///
    /// # Errors
    /// Those of [`Shell::run`].
    pub async fn read(shell: &Shell) -> Result<Self, Error> {
        let command = ":foreach i in=[/log find where message~\"ha_startup|ha_checkchanges: PAUSED|ha_watch: HA LINK|HA_|bootstrap\"] do={:put [/log get $i message]}";
        Ok(Self::of(&shell.run(command).await?.text))
    }

    /// Lines of the newest start.
    fn newest(&self) -> &[String] {
        let start = self.0.iter().rposition(|line| line.contains("ha_startup: START")).unwrap_or(0);
        self.0.get(start..).unwrap_or_default()
    }

    /// Its startup compared its HA port's address with the pair's, and it is neither.
    pub fn is_unknown(&self) -> bool {
        self.has("I AM UNKNOWN").is_some()
    }

    /// Its check has given up to push: by our scripts' words.
    pub fn paused(&self) -> Option<&String> {
        self.has("ha_checkchanges: PAUSED")
    }

    fn count(&self, words: &str) -> usize {
        self.newest().iter().filter(|line| line.contains(words)).count()
    }

    /// Its startup's own words for a failure. Others may log theirs with our names in them.
    fn failure(&self) -> Option<&String> {
        self.newest().iter().rev().find(|line| {
            let said = line.split_once("ha_startup:").map(|(_, said)| said.trim_start());
            said.is_some_and(|said| said.starts_with("FAILED"))
        })
    }

    fn has(&self, words: &str) -> Option<&String> {
        self.newest().iter().rev().find(|line| line.contains(words))
    }

    /// What the newest start failed at: the number of its last step, `none` where it logged none. The same twice is the same
    /// failure. `None`: it did not fail, as far as the log says.
    pub fn signature(&self) -> Option<String> {
        let failed = self.failure().is_some() || self.has("I AM UNKNOWN").is_some();
        let ended = self.has("ha_startup: DONE").is_some();
        (failed || (self.has("ha_startup: START").is_some() && !ended)).then(|| {
            let step =
                self.last_step().and_then(|(line, _)| line.split_once("ha_startup: ")?.1.split_whitespace().next());
            step.unwrap_or("none").chars().filter(|c| c.is_ascii_graphic()).take(40).collect()
        })
    }

    /// The newest start ended in a failure, and what was done since in place ended well.
    pub fn mended(&self) -> bool {
        let at = |words: &str| self.newest().iter().rposition(|line| line.contains(words));
        at("ha_startup: DONE").is_some_and(|done| at("ha_startup: FAILED").is_none_or(|failed| done > failed))
    }

    /// The last line of the startup, and what it says that was being done.
    pub fn last_step(&self) -> Option<(&str, &'static str)> {
        self.newest().iter().rev().find_map(|line| {
            let step = line.split_once("ha_startup: ")?.1;
            if step.contains("FAILED") || step.contains("debug version") {
                None
            } else {
                Some((line.as_str(), meaning(step)))
            }
        })
    }
}

/// What has been done when a startup logs this, and what comes next: of our scripts and of the original ones.
fn meaning(step: &str) -> &'static str {
    let number = step.split_whitespace().next().unwrap_or_default();
    match number {
        "START" => "it has begun; the data ports are about to be closed",
        "0.1" | "0.2" => "functions and configuration are loaded; it waits for the HA port",
        "delaying1" => "the HA port is not there yet",
        "0.2b" | "0.3" => "VRRP and bonds are off; every Ethernet port is being switched off",
        "1" if step.contains("data ports closed") => "the data ports are closed; the HA port comes next",
        "version" | "1" => "the schedulers are set anew",
        "2" if step.contains("I AM") => "it knows which router it is; address, VRRP and rules come next",
        "2" | "2.1" | "2.2" | "2.3" | "delaying2" => "the HA port is being set up; tried again each second, 120 times",
        "I" => "it compared its HA port's address with the pair's",
        "3" if step.contains("HA port") => "the HA port is up; user, keys and VRRP come next",
        "3" | "3.1" | "3.5" => "it knows its address; route and firewall come next",
        "4" if step.contains("VRRP") => "everything but VRRP is up; it is about to be switched on",
        "4" | "4.1" | "4.2" | "4.3" => "route and firewall are set; VRRP comes next",
        "5" => "VRRP is made; the schedulers come next",
        "6" => "the schedulers are made; SSH keys and the user ha come next",
        "7" | "7.1" | "7.2" | "7.3" | "7.4" => "SSH keys and the user ha are set; FTP comes next",
        "8" => "FTP's addresses are set; VRRP is about to be switched on",
        "9" | "9.1" => "VRRP is on",
        "DONE" => "it ended well",
        "ERROR" => "it was run a second time",
        _ => "no step that is known",
    }
}

/// The state that a router's own words show. `member` where a site file says who it should be.
pub fn of_facts(
    facts: &Facts,
    member: Option<Member>,
    ha_interface: &str,
    log: &StartupLog,
    signs: &Signs,
) -> Diagnosis {
    let ours = facts.ha.as_ref();
    let interface = ours.map_or(ha_interface, |ha| ha.interface.as_str());
    let own: Option<Mac> = facts.port(interface).and_then(|port| port.orig_mac);
    let member = member.or_else(|| {
        let ha = ours?;
        [(Member::A, ha.mac_a), (Member::B, ha.mac_b)]
            .into_iter()
            .find(|(_, mac)| mac.is_some() && *mac == own)
            .map(|m| m.0)
    });
    let mut evidence = vec![format!(
        "{}, {}, serial number {}, up {} s, HA port {interface} {}",
        facts.board,
        facts.version,
        facts.serial.as_deref().unwrap_or("none"),
        facts.uptime.as_secs(),
        own.map_or("absent".to_owned(), |mac| mac.to_string()),
    )];
    if let Some(vrrp) = facts.vrrp {
        let role = if vrrp.master { "master" } else { "backup" };
        evidence.push(format!("HA_VRRP {}", if vrrp.disabled { "switched off" } else { role }));
    }
    let open = state::open_data_ports(facts, interface);
    if facts.scripts.iter().any(|script| script == "ha_startup") {
        evidence.push(format!("data ports on: {}", if open.is_empty() { "none".to_owned() } else { open.join(", ") }));
    }
    if let Some((line, means)) = log.last_step() {
        evidence.push(format!("last startup line: {line} ({means})"));
    }
    let found = failure(facts, own, log, signs).unwrap_or_else(|| settled(facts, member, interface, log, signs));
    let found = if signs.held { held(found) } else { found };
    let shown = found.evidence.clone();
    Diagnosis { evidence: Vec::new(), ..found }.shown(evidence.into_iter().chain(shown))
}

/// The states that are failures, by what only they show.
fn failure(facts: &Facts, own: Option<Mac>, log: &StartupLog, signs: &Signs) -> Option<Diagnosis> {
    let line = |words: &str| log.has(words).cloned();
    if let Some(said) = line("I AM UNKNOWN") {
        let ha = facts.ha.as_ref();
        let known = |mac: Option<Mac>| mac.map_or("none".to_owned(), |mac| mac.to_string());
        let of_pair =
            format!("the pair's are {} and {}", known(ha.and_then(|h| h.mac_a)), known(ha.and_then(|h| h.mac_b)));
        return Some(
            Diagnosis::new(Name::F2, "its HA port's address is neither of the pair's: it never becomes a member")
                .shown([said, of_pair, format!("its own is {}", known(own))])
                .then(&[
                    "/interface ethernet print detail   compare orig-mac-address with the site file",
                    "a replaced router: run the bootstrap with its own address in the site file",
                    "a port that moved: put the HA cable and haInterface on the same port on both routers",
                ])
                .never("don't plug in its data cables: it still has the other one's addresses"),
        );
    }
    if let Some(said) = line("ATTEMPTED TO RUN AGAIN").or_else(|| line("console restarted")) {
        return Some(
            Diagnosis::new(Name::F3, "RouterOS's console process restarted under a running router")
                .shown([said])
                .then(&[
                    "/log print where message~\"ha_startup\"",
                    "on the active with closed data ports: switch them on one by one; VRRP did not move",
                    "then restart this router in a quiet hour, the standby first being proved",
                ])
                .never("don't run ha_startup by hand on an active: it closes every data port"),
        );
    }
    let bare = !facts.scripts.iter().any(|script| script == "ha_startup");
    if let Some(said) = log.failure().filter(|_| !bare && !log.mended()) {
        return Some(failed(said.clone()));
    }
    if let Some(said) = log.paused().filter(|_| facts.is_active() && signs.pushes > 1) {
        return Some(
            Diagnosis::new(Name::F5, "active; no push brings the standby in sync, and no more are made")
                .shown([said.clone(), format!("pushes in a row without effect: {}", signs.pushes)])
                .then(&[
                    "$HAInSync   says what differs",
                    "no procedure here yet; by hand: the same RouterOS on both, and a version of the configuration that stays the same",
                    "then $HASyncStandby, once, and look at the standby",
                ])
                .never("don't push again and again: each push restarts the standby"),
        );
    }
    let began = log.has("ha_startup: START").is_some();
    if !installs(facts, signs)
        && began
        && log.has("ha_startup: DONE").is_none()
        && facts.uptime > STARTUP
        && !facts.is_active()
    {
        return Some(failed("it began to start and never ended".to_owned()));
    }
    let waits = log.count("bootstrap failed");
    if let Some(said) = line("bootstrap failed").filter(|_| bare && (waits >= WAITS || facts.uptime > BOOTSTRAPS)) {
        return Some(
            Diagnosis::new(Name::F6, "the bootstrap waits for something that does not come").shown([said]).then(&[
                "/log print where message~\"bootstrap\"",
                "port not there: its name or speed; user refused: the password policy of /user settings",
                "resume the run: it adds address and user itself",
            ]),
        );
    }
    let sent = facts.files.iter().any(|file| file == "HA_b2s.backup" || file == "flash/HA_b2s.backup");
    (bare && sent && signs.push.is_none()).then(|| {
        Diagnosis::new(Name::F7, "the active's configuration was sent and not loaded")
            .shown(["HA_b2s.backup is there, the pair's scripts are not".to_owned()])
            .then(&[
                "/system resource print   version and board must be the active's",
                "make them equal, then resume the run: the active sends it again",
            ])
            .never("don't load the backup by hand with data cables in: it carries the active's addresses")
    })
}

fn failed(said: String) -> Diagnosis {
    Diagnosis::new(Name::F1, "its startup failed: data ports closed, VRRP off, it takes over nothing")
        .shown([said])
        .then(&[
            "/log print where message~\"ha_startup\"   save it first: it is gone with the next start",
            "leave it as it is: the active is not touched, only the standby is missing",
            "mend what the last startup line names, then restart it once",
            "the same failure again: keep its data cables out and load nothing; a third restart shows nothing new",
        ])
        .never("don't switch its data ports on: it may have the active's addresses")
}

/// What a quarantine left: whatever stands there now, the next start brings none of it up.
fn held(found: Diagnosis) -> Diagnosis {
    let what = "its startup is held: the scheduler ha_startup is off, a restart runs nothing of it (quarantine)";
    let mut found = found.shown([what.to_owned()]);
    found.held = true;
    if found.state == Name::S4 {
        found.state = Name::Unknown;
        found.says = "it looks like the standby, and its startup is held: after a restart it takes over nothing".into();
    }
    let again = if found.state == Name::F2 { "right-mac" } else { "repair" };
    found.procedure.insert(
        0,
        format!(
            "back, when the cause is gone: /system scheduler enable [find name~\"^ha_\"], then restart it once; or in place: \
             jumplead recover TARGET {again}"
        ),
    );
    found
}

/// `$HAInstall` is at work: our script of it, or a startup before there is a scheduler that would start one.
fn installs(facts: &Facts, signs: &Signs) -> bool {
    let has = |names: &[String]| names.iter().any(|name| name == "ha_startup");
    let by_hand = !has(&facts.schedulers) && signs.runs("ha_startup");
    has(&facts.scripts) && !facts.is_active() && (signs.runs("ha_install") || by_hand)
}

/// The active, by what it sees of the other one.
fn active(facts: &Facts, interface: &str, log: &StartupLog, signs: &Signs) -> Diagnosis {
    let data = facts.ports.iter().any(|port| port.default_name != interface);
    if data && signs.peer != Some(true) && state::open_data_ports(facts, interface).is_empty() {
        return Diagnosis::new(Name::Unknown, "VRRP master, and its data ports are closed: it forwards nothing")
            .shown(log.has("REFUSED").cloned())
            .then(&[
                "jumplead diagnose PAIR/a, and PAIR/b: is the other one active? Then this one is to be its standby",
                "the other one is down: restart this one once; its startup, then VRRP, open its ports",
            ])
            .never("don't open its data ports by hand while the other one may be up: both have the same addresses");
    }
    match signs.peer {
        None => Diagnosis::new(Name::X, "active").then(&["nothing to do"]),
        Some(true) => Diagnosis::new(Name::X2, "active, and the other member answers").then(&["nothing to do"]),
        Some(false) => {
            let link = facts.port(interface).map(|port| if port.running { "has link" } else { "has no link" });
            Diagnosis::new(Name::X1, "active, alone: the other member does not answer")
                .shown([format!("{interface} {}", link.unwrap_or("is not there"))])
                .shown(log.has("ha_watch: HA LINK DEAD").cloned())
                .shown(["whether the other one is active, too (F4), only a look at both shows".to_owned()])
                .then(&[
                    "jumplead diagnose PAIR/a, and PAIR/b: is the other one active, too?",
                    "it is: no procedure here yet; by hand: shut the data ports of the one without traffic, its VRRP off, then the cable",
                    "it is down: mend it beside the router; this one goes on alone",
                ])
                .never("don't plug the HA cable in before you know the other one's role: both have the same addresses")
        }
    }
}

/// The states of a router in order, or on its way.
fn settled(facts: &Facts, member: Option<Member>, interface: &str, log: &StartupLog, signs: &Signs) -> Diagnosis {
    let bare = !facts.scripts.iter().any(|script| script == "ha_startup");
    if let Some(said) = signs.push.clone().filter(|_| bare) {
        return Diagnosis::new(Name::S1, "the active is putting its configuration on it")
            .shown([said])
            .then(&["look again in two minutes: it loads it, and restarts"])
            .never("don't restart it, and don't pull the HA cable");
    }
    if let Some(said) = log.has("bootstrap failed").filter(|_| bare) {
        return Diagnosis::new(Name::B1, "its bootstrap is under way, and waits")
            .shown([said.clone()])
            .then(&["look again in two minutes"]);
    }
    if installs(facts, signs) {
        return Diagnosis::new(Name::P2, "the pair's scripts are being set up on it")
            .shown(signs.jobs.iter().filter(|job| job.starts_with("ha_")).map(|job| format!("{job} runs")))
            .then(&["look again in a minute; its ports go down for some seconds"]);
    }
    let installed = facts.schedulers.iter().any(|scheduler| scheduler == "ha_startup");
    let starting = log.has("ha_startup: START").is_some() && log.has("ha_startup: DONE").is_none();
    match state::classify(facts, member.unwrap_or(Member::B), interface) {
        State::Active => active(facts, interface, log, signs),
        State::HaUnsettled if starting || (installed && !signs.held && facts.uptime < STARTUP) => {
            Diagnosis::new(Name::S3, "it is starting").then(&["look again in two minutes"])
        }
        State::Standby => Diagnosis::new(Name::S4, "standby").then(&["on the active: $HAInSync"]),
        State::HaUnsettled if facts.vrrp.is_none() && facts.ha.as_ref().is_none_or(|ha| ha.mac_a.is_none()) => {
            Diagnosis::new(Name::P1, "it has the pair's scripts and is not installed")
                .then(&["$HAInstall, as docs/ha-scripts.md says"])
        }
        State::HaUnsettled => {
            Diagnosis::new(Name::Unknown, "it has the pair's scripts and is neither active nor standby")
                .then(&["/log print where message~\"ha_startup\"", "/interface vrrp print"])
                .never("don't switch VRRP on before you know which router is the active")
        }
        State::Bootstrapped => Diagnosis::new(Name::B2, "bootstrapped; it waits for the active's configuration")
            .then(&["on the active: $HASyncStandby, or resume the run"]),
        State::Erased => Diagnosis::new(Name::E1, "erased").then(&["jumplead bootstrap PAIR"]),
        State::Configured => {
            let factory = facts.addresses.iter().any(|address| address.address == FACTORY_ADDRESS);
            let left = state::leftovers(facts, member.unwrap_or(Member::B), interface);
            let (name, says) = if factory {
                (Name::E0, "factory configuration")
            } else {
                (Name::Configured, "configured by somebody")
            };
            Diagnosis::new(name, says)
                .shown(left.into_iter().take(8))
                .then(&["jumplead bootstrap PAIR --plan-only   says what would be erased"])
        }
    }
}

/// The state that a console's line shows without a login. `None`: log in, the line is in order.
pub fn of_line(line: &Line) -> Option<Diagnosis> {
    let seen = [format!("on the line: {line}")];
    let stuck = |says: &str| Diagnosis::new(Name::F8, says).shown(seen.clone());
    let netinstall: &[&str] = &[
        "is there a cable on the port that is marked BOOT (ether1)? Only that port boots over the network; an HA cable on ether8 never does",
        "hold Ctrl+E on the console from power-on, or set \"boot Ethernet once\" in the menu",
        "on a host on that cable: netinstall-cli -i INTERFACE PACKAGE keeps the configuration; the exact one:  jumplead recover TARGET netinstall",
    ];
    Some(match line {
        Line::Menu(Menu::Format) => stuck("the boot loader asks whether to erase everything")
            .then(&["jumplead console, then Ctrl-C and Enter: anything but the word itself; then x"])
            .never("don't type the word"),
        Line::Menu(_) => stuck("stopped in the boot loader's menu: a key came in while it booted")
            .then(&[
                "jumplead recover TARGET leave-loader: a plan, one question, and it boots; by hand: jumplead console, then x alone",
                "find what typed: noise, a second router, another program",
            ])
            .never("e, l, w, r and g destroy at once"),
        Line::NoKernel | Line::Etherboot => stuck("it finds nothing to boot from").then(netinstall),
        Line::Installer => stuck("the network installer waits for its server").then(netinstall),
        Line::Dead => stuck("the system stopped").then(&["cut its power once; the same again:"]).then(netinstall),
        Line::BootLoop(found) => {
            let last = match found.last.as_str() {
                "" => "no system said anything between them".to_owned(),
                line => format!("the last line before the newest start: {line}"),
            };
            let board = found.board.as_ref().map(|board| format!("board, by its banner: {board}"));
            Diagnosis::new(Name::F8, "boot loop: it starts again and again, and comes to no login prompt")
                .shown([format!("{} starts in {} s, nothing typed", found.starts, found.took.as_secs()), last])
                .shown(board)
                .then(&[
                    "look on; a kernel that dies at the same line each time is a broken system, another one each time its power or memory",
                    "its power: another supply, another socket, once",
                    "a cable on the port marked BOOT (ether1), then:  jumplead recover TARGET etherboot --plan-only",
                ])
                .never("don't type while it boots: that is what the plan of etherboot does, in its one step")
        }
        Line::KeyWindow | Line::Booting => Diagnosis::new(Name::S3, "it boots")
            .shown(seen)
            .then(&["wait for its login prompt, up to five minutes"])
            .never("don't touch a key: any byte opens the boot loader's menu"),
        Line::Garbage => Diagnosis::new(Name::Unknown, "the line has another speed")
            .shown(seen)
            .then(&["try ?baud=9600 (x86), or what RouterBOOT was set to"]),
        Line::Silent => Diagnosis::new(Name::Unknown, "nothing answers on the line").shown(seen).then(&[
            "power? its LED; then the cable: RJ45 console or DB9, see docs/serial.md",
            "a box with silent boot says nothing for up to five minutes: wait, then look again",
            "a command that says nothing may be running: wait, or end it and somebody's session with it by --take-over",
        ]),
        Line::Text => Diagnosis::new(Name::Unknown, "somebody's command is running").shown(seen).then(&["look again"]),
        Line::Login | Line::Password | Line::Asked(_) | Line::Prompt(_) | Line::HalfTyped(_) => return None,
    })
}

/// Somebody else's session on the line, in [`Line::session`]'s words: it was left as it is.
pub fn of_session(who: &str) -> Diagnosis {
    Diagnosis::new(Name::Unknown, "somebody is at work on this line; it was left as it is")
        .shown([format!("on the line: {who}")])
        .then(&[
            "ask who that is, and look again when he is done",
            "to end that session, the half-typed line with it:  --take-over",
        ])
        .never("a session that ends in safe mode takes its changes back, or keeps them: ask first")
}

/// A line that was listened to for so long, with nothing asked.
pub fn of_listening(listened: std::time::Duration) -> Diagnosis {
    Diagnosis::new(Name::Unknown, "nothing was said on the line, and nothing was asked")
        .shown([format!(
            "listened for {:.1} s, typed nothing: an idle router says nothing by itself",
            listened.as_secs_f64()
        )])
        .then(&["without --listen the line is asked; a session of somebody else is left as it is"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Address, Vrrp};
    use crate::state::tests::{active, erased};

    fn name(facts: &Facts, log: &str) -> Name {
        of_facts(facts, None, "ether8", &StartupLog::of(log), &Signs::default()).state
    }

    fn closed(mut facts: Facts) -> Facts {
        for port in &mut facts.ports {
            port.disabled = port.default_name != "ether8";
        }
        facts
    }

    #[test]
    fn every_state_by_its_evidence() {
        assert_eq!(name(&erased("7F0002", 0x0b), ""), Name::E1);
        let mut factory = erased("7F0002", 0x0b);
        let lan = Address {
            address: "192.168.88.1/24".into(),
            interface: "ether1".into(),
            dynamic: false,
            comment: "".into(),
        };
        factory.addresses.push(lan);
        assert_eq!(name(&factory, ""), Name::E0);
        factory.addresses[0].address = "10.0.0.1/24".into();
        assert_eq!(name(&factory, ""), Name::Configured);
        assert_eq!(name(&active(), "ha_startup: START x\nha_startup: DONE"), Name::X);
        let backup = Some(Vrrp { disabled: false, master: false });
        let mut standby = closed(Facts { vrrp: backup, uptime: Duration::from_secs(900), ..active() });
        assert_eq!(name(&standby, "ha_startup: START x\nha_startup: DONE"), Name::S4);
        standby.vrrp = Some(Vrrp { disabled: true, master: false });
        let failed = "ha_startup: START x\nha_startup: 2 I AM B\nha_startup: FAILED - DISABLED ALL INTERFACES";
        let diagnosis = of_facts(&standby, None, "ether8", &StartupLog::of(failed), &Signs::default());
        assert_eq!(diagnosis.state, Name::F1);
        assert!(
            diagnosis.evidence.iter().any(|line| line.contains("2 I AM B (it knows which router it is")),
            "{diagnosis:#?}"
        );
        assert_eq!(name(&standby, "ha_startup: START x\nha_startup: 3 HA port"), Name::F1, "it never ended");
        standby.uptime = Duration::from_secs(30);
        assert_eq!(name(&standby, "ha_startup: START x\nha_startup: 3 HA port"), Name::S3);
        assert_eq!(name(&standby, "ha_startup: START x\nha_startup: I AM UNKNOWN - WRONG MAC"), Name::F2);
        assert_eq!(name(&active(), "ha_startup: ERROR ATTEMPTED TO RUN AGAIN!!! 1d"), Name::F3);
        let waits = "ha_startup: 0.0 B bootstrap failed...waiting\n";
        let young = Facts { uptime: Duration::from_secs(30), ..erased("7F0002", 0x0b) };
        assert_eq!(name(&young, waits), Name::B1);
        assert_eq!(name(&young, &waits.repeat(3)), Name::F6);
        assert_eq!(name(&Facts { uptime: Duration::from_secs(300), ..young }, waits), Name::F6, "it was cut off");
        let sent = Facts { files: vec!["HA_b2s.backup".into()], ..erased("7F0002", 0x0b) };
        assert_eq!(name(&sent, ""), Name::F7);
        let prepared = Facts { vrrp: None, ha: None, uptime: Duration::from_secs(900), ..active() };
        assert_eq!(name(&prepared, ""), Name::P1);
        // Somebody else's line with our names in it is no startup's.
        let others =
            "HA_site: backup FAILED\nha_startup: START x\nha_startup: DONE\nHA_site: copy FAILED of ha_startup: x";
        assert_eq!(name(&active(), others), Name::X);
        assert_eq!(StartupLog::of(others).signature(), None);
        assert_eq!(name(&erased("7F0002", 0x0b), "HA_site: backup FAILED"), Name::E1);
        assert_eq!(name(&erased("7F0002", 0x0b), "ha_startup: FAILED"), Name::E1, "there is no ha_startup");
        // What was mended in place is no failure any more.
        let mended =
            "ha_startup: START x\nha_startup: FAILED - DATA PORTS CLOSED\nha_startup: START y\nha_startup: DONE";
        assert_eq!(name(&active(), mended), Name::X);
        // A failure of the boot before is history.
        assert_eq!(name(&active(), "ha_startup: FAILED\nha_startup: START x\nha_startup: DONE"), Name::X);
    }

    #[test]
    fn lines_that_nobody_has_to_log_in_for() {
        for (line, wanted) in [
            (Line::Menu(Menu::Main), Some(Name::F8)),
            (Line::NoKernel, Some(Name::F8)),
            (Line::Dead, Some(Name::F8)),
            (Line::BootLoop(routeros::boot::BootLoop { starts: 3, ..Default::default() }), Some(Name::F8)),
            (Line::Booting, Some(Name::S3)),
            (Line::Silent, Some(Name::Unknown)),
            (Line::Login, None),
        ] {
            assert_eq!(of_line(&line).map(|diagnosis| diagnosis.state), wanted, "{line}");
        }
        // Each says what to do.
        assert!(of_line(&Line::Silent).is_some_and(|diagnosis| !diagnosis.procedure.is_empty()));
    }

    #[test]
    fn no_name_reaches_a_terminal_raw() {
        let facts = Facts { board: "x\x1b[2J".into(), ..erased("7F0002", 0x0b) };
        let diagnosis = of_facts(&facts, None, "ether8", &StartupLog::default(), &Signs::default());
        assert!(!diagnosis.evidence.iter().any(|line| line.contains('\x1b')), "{diagnosis:?}");
    }
}
