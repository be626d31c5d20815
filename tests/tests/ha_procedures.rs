//! The procedures of a pair with our scripts, typed as a person would at the serial consoles: install, upgrade, rebuild. Each in
//! both ways of sync.

use jumplead_tests::ha_pair::{OPEN, PASSWORD, Pair, VERSIONS};
use lab::NodeHandle;
use mactelnet::MacAddr;
use routersim::kernel::{PipeReader, PipeWriter};
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::spec::{Spec, Version};

/// `sync=` of `$HAInstall`.
const WAYS: [&str; 2] = ["backup", "quiet"];
const ADMIN: &str = "Person-At_3am";

/// Somebody at the serial console of one router.
struct Person<'a> {
    pair: &'a Pair,
    router: NodeHandle<Router>,
    typed: PipeWriter,
    shown: std::cell::RefCell<PipeReader>,
    seen: String,
}

impl<'a> Person<'a> {
    fn at(pair: &'a Pair, router: &NodeHandle<Router>) -> Self {
        let (_, typed, shown) = router.with(|router, now| router.open_serial(now)).expect("a console");
        let mut person = Person { pair, router: router.clone(), typed, shown: shown.into(), seen: String::new() };
        person.logs_in("");
        person
    }

    fn keys(&self, text: &str) {
        self.router.with(|router, now| {
            self.typed.push(text.as_bytes());
            router.handle_timeout(now);
        });
    }

    fn look(&mut self) {
        let bytes = self.shown.borrow_mut().take(1 << 20);
        self.seen.push_str(&String::from_utf8_lossy(&bytes));
    }

    /// Waits until one of these is on the screen since the last look; which, and what stood before it is gone.
    fn sees(&mut self, any: &[&str], seconds: u64) -> usize {
        for _ in 0..seconds * 5 {
            self.look();
            let found = any.iter().enumerate().filter_map(|(which, text)| Some((self.seen.find(text)?, which))).min();
            if let Some((at, which)) = found {
                self.seen = self.seen.split_off(at + any[which].len());
                return which;
            }
            self.pair.world.run_until(self.pair.world.now() + std::time::Duration::from_millis(200));
        }
        panic!("none of {any:?} within {seconds} s, but:\n{}\n{}", self.seen, self.pair.tail());
    }

    /// Answers whatever stands at the end of the screen, until that is a command prompt.
    fn logs_in(&mut self, first: &str) {
        let second = if first.is_empty() { ADMIN } else { "" };
        let mut passwords = [first, second].into_iter().cycle();
        for _ in 0..60 {
            self.pair.wait(1);
            self.look();
            let screen = self.seen.trim_end().to_owned();
            let ends = |text: &str| screen.ends_with(text);
            let answer = match () {
                () if ends("Login:") => "admin+ct511w4098h\r".to_owned(),
                () if ends("new password>") => format!("{ADMIN}\r"),
                () if ends("Password:") => format!("{}\r", passwords.next().unwrap_or_default()),
                () if ends("[Y/n]") || ends("[Y/n]:") => "n".to_owned(),
                () if ends("] >") => return self.seen.clear(),
                () => continue,
            };
            self.seen.clear();
            self.keys(&answer);
        }
        panic!("no login:\n{}\n{}", self.seen, self.pair.tail());
    }

    /// Types a line and waits for the next prompt; what was shown.
    fn line(&mut self, text: &str) -> String {
        self.pair.wait(1);
        self.look();
        self.seen.clear();
        self.keys(&format!("{text}\r"));
        let mut all = String::new();
        // the line's own echo ends before the next prompt, which stands at the start of a line
        for _ in 0..1500 {
            self.pair.world.run_until(self.pair.world.now() + std::time::Duration::from_millis(200));
            self.look();
            all.push_str(&std::mem::take(&mut self.seen));
            if all.trim_end_matches(' ').ends_with("] >")
                && all.matches("] >").count() > usize::from(all.starts_with('['))
                && all.contains('\n')
            {
                return all;
            }
        }
        panic!("no prompt after {text}:\n{all}\n{}", self.pair.tail());
    }

    /// Through the HA port to the other router.
    fn hops(&mut self, mac: &str, password: &str) {
        self.pair.wait(1);
        self.look();
        self.seen.clear();
        self.keys(&format!("/tool mac-telnet {mac}\r"));
        self.sees(&["Login:"], 60);
        self.seen.insert_str(0, "Login:");
        self.logs_in(password);
    }

    /// A whole router, and nothing left on it.
    fn resets(&mut self) {
        self.line("/file remove [find]");
        self.keys("/system reset-configuration no-defaults=yes skip-backup=yes\r");
        self.sees(&["[y/N]:"], 20);
        self.keys("y");
    }
}

fn up(pair: &Pair, router: &NodeHandle<Router>) {
    pair.until("it goes down", 60, |pair| pair.phase(router) != Phase::Up);
    pair.until("it is back", 150, |pair| pair.phase(router) == Phase::Up);
    pair.wait(40);
}

/// What `$HABootstrap` prints, pasted on the other router through `/tool mac-telnet`, and the sync behind it.
fn brings_in(pair: &Pair, person: &mut Person<'_>, other: &NodeHandle<Router>, mac: &str) {
    let said = person.line("$HABootstrap");
    let lines: Vec<String> =
        said.lines().map(str::trim).filter(|line| line.starts_with(":if ([")).map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{said}");
    person.hops(mac, "");
    for line in &lines[..2] {
        person.line(line);
    }
    assert!(person.line(&lines[2]).contains("HA_BOOTSTRAPPED"));
    person.keys("/quit\r");
    person.sees(&["] > "], 30);
    let said = person.line("$HASyncStandby");
    // the ten-minute check may have begun it just before
    let begun = said.contains("already running");
    assert!(begun || said.contains("NEED TO PUSH") && said.contains("pushed"), "{said}");
    up(pair, other);
    let said = person.line("$HASyncStandby");
    assert!(said.contains("GOOD"), "{said}\n{}", pair.tail());
}

/// Every sync since the start was of this way.
fn synced_by(pair: &Pair, which: usize, way: &str) {
    let loaded = pair.seen(which, |kind| matches!(kind, EventKind::BackupLoaded { .. }));
    let made_again = pair.seen(which, |kind| matches!(kind, EventKind::ConfigErased { keep_users: true, .. }));
    assert_eq!((loaded > 0, made_again > 0), (way == "backup", way == "quiet"), "{way}\n{}", pair.tail());
}

/// What lay on a router before it was erased.
const DIRT: &str = "/ip address add address=10.1.1.1/24 interface=ether2\n/system identity set name=old\n";

/// A router like B, of another serial number and other addresses.
fn another(version: Version, number: u8) -> Spec {
    let mut spec = Spec::pair_b().version(version);
    spec.serial_number = format!("7F00{number:02X}");
    spec.base_mac = MacAddr([0x74, 0x4D, 0x28, number, 0, 1]);
    spec.macs.insert("ether8".into(), format!("74:4D:28:00:00:{number:02X}"));
    spec
}

/// The admin's password: 7.x asks for one at the first login.
fn password(version: Version) -> &'static str {
    if version.is_v7() { ADMIN } else { "" }
}

/// The desk from which the file comes: something that speaks FTP, on A's ether1.
struct Desk(NodeHandle<Router>);

impl Desk {
    fn at(pair: &Pair, version: Version) -> Self {
        let desk = pair.world.add("desk", Router::new(another(version, 0x0D), 78).expect("a router"));
        pair.world.connect(pair.a.port(0), desk.port(0), lab::CABLE);
        desk.with(Router::power_on);
        pair.until("the desk is up", 120, |pair| pair.phase(&desk) == Phase::Up);
        pair.run(&desk, "/ip address add address=192.0.2.9/24 interface=ether1");
        Self(desk)
    }

    /// Puts the file on A, where it was not.
    fn uploads(&self, pair: &Pair, version: Version, text: &str, person: &mut Person<'_>) {
        self.0.with(|desk, _| desk.system().unwrap().write_file("HA_init.rsc", text.as_bytes().to_vec()).unwrap());
        person.line("/file remove [find name=\"HA_init.rsc\"]");
        let upload =
            "/tool fetch upload=yes mode=ftp address=192.0.2.1 user=admin src-path=HA_init.rsc dst-path=HA_init.rsc";
        pair.run(&self.0, &format!("{upload} password=\"{}\"", password(version)));
        let said = person.line(":put [/file get [find name=\"HA_init.rsc\"] size]");
        assert!(said.lines().any(|line| line.trim() == text.len().to_string()), "{said}");
    }
}

/// What must be the same on both before anything: the model, the ports, RouterOS, and the boot firmware on either.
fn described(person: &mut Person<'_>) -> String {
    let mut all = String::new();
    for question in [
        ":put [/system routerboard get model]",
        ":put [/system resource get version]",
        ":put [/system routerboard get current-firmware]",
        ":foreach i in=[/interface ethernet find] do={:put [/interface ethernet get $i default-name]}",
    ] {
        let said = person.line(question);
        // without its echo and the prompt
        all.extend(said.lines().filter(|line| !line.contains("] >")).map(|line| format!("{}\n", line.trim())));
    }
    let firmware =
        person.line(":put ([/system routerboard get current-firmware] = [/system routerboard get upgrade-firmware])");
    assert!(firmware.lines().any(|line| line.trim() == "true"), "{firmware}");
    all
}

/// Steps 1 to 11.
fn install(version: Version, way: &str) -> Pair {
    installed(version, way).0
}

fn installed(version: Version, way: &str) -> (Pair, Desk) {
    let pair = Pair::of(Spec::pair_a().version(version).setup(DIRT), Spec::pair_b().version(version).setup(DIRT), 41);
    pair.cable.cut();
    // 1 to 3: the same model and version, a serial console on both; 4: both are erased
    let all = [&pair.a, &pair.b].map(|router| {
        let mut person = Person::at(&pair, router);
        let said = described(&mut person);
        person.resets();
        up(&pair, router);
        said
    });
    assert_eq!(all[0], all[1]);
    assert!(all[0].contains(&version.to_string()) && all[0].contains("ether8"), "{}", all[0]);
    // 5: the cable; 6: an address to bring the file; 7: the file
    pair.cable.restore();
    let desk = Desk::at(&pair, version);
    let mut a = Person::at(&pair, &pair.a);
    a.line("/ip address add address=192.0.2.1/24 interface=ether1");
    desk.uploads(&pair, version, &bootstrap::ha::render_init(), &mut a);
    assert!(a.line("/import HA_init.rsc").contains("executed successfully"));
    // 8; what the quiet way does not carry is shown before it is chosen
    let call = format!(
        "$HAInstall interface=\"ether8\" macA=\"74:4D:28:00:00:0A\" macB=\"74:4D:28:00:00:0B\" password=\"{PASSWORD}\" sync={way}"
    );
    let mut said = a.line(&call);
    if way == "quiet" {
        assert!(said.contains("NOT CARRIED: users") && said.contains("nothing changed"), "{said}");
        assert_eq!(pair.get(&pair.a, "[:len [/system script find name=ha_config_base]]"), "0");
        said = a.line(&format!("{call} accept=yes"));
    }
    assert!(said.contains("this router is A (74:4D:28:00:00:0A)"), "{said}");
    pair.until("A is active", 30, |pair| pair.master(&pair.a));
    pair.wait(10);
    // 9 to 11
    brings_in(&pair, &mut a, &pair.b, "74:4D:28:00:00:0B");
    assert!(pair.master(&pair.a) && !pair.master(&pair.b));
    assert_eq!((pair.get(&pair.a, OPEN), pair.get(&pair.b, OPEN)), ("8".into(), "1".into()));
    synced_by(&pair, 1, way);
    drop(a);
    (pair, desk)
}

/// The test at the end of step 11: the active restarts, the other one takes over; it comes back as the standby, and gets the
/// role again without a restart.
fn fails_over(pair: &Pair) {
    let mut a = Person::at(pair, &pair.a);
    a.keys("/system reboot\r");
    a.sees(&["[y/N]:"], 20);
    a.keys("y");
    pair.until("B takes over", 30, |pair| pair.master(&pair.b));
    pair.wait(5);
    assert_eq!(pair.get(&pair.b, OPEN), "8");
    up(pair, &pair.a);
    assert!(pair.master(&pair.b) && !pair.master(&pair.a));
    assert_eq!(pair.get(&pair.a, OPEN), "1");
    drop(a);
    let mut b = Person::at(pair, &pair.b);
    if !b.line("$HASyncStandby").contains("GOOD") {
        up(pair, &pair.a);
        let said = b.line("$HASyncStandby");
        assert!(said.contains("GOOD"), "{said}\n{}", pair.tail());
    }
    let said = b.line("$HASwitchRole");
    assert!(said.contains("DONE"), "{said}\n{}", pair.tail());
    pair.wait(10);
    assert!(pair.master(&pair.a) && !pair.master(&pair.b));
}

/// A new router in the place of one that died.
fn replaced(pair: &mut Pair, a: bool, version: Version) {
    let spec = another(version, 0x0C).setup(DIRT).file("notes.txt", "somebody's");
    let new = pair.world.add("C", Router::new(spec, 77).expect("a router"));
    let (dead, alive) = if a { (&pair.a, &pair.b) } else { (&pair.b, &pair.a) };
    dead.with(Router::power_cut);
    pair.wait(10);
    let cable = pair.world.connect(alive.port(7), new.port(7), lab::CABLE);
    pair.cable = cable;
    if a {
        pair.a = new;
    } else {
        pair.b = new;
    }
    let new = if a { &pair.a } else { &pair.b };
    new.with(Router::power_on);
    pair.until("the new one is up", 120, |pair| pair.phase(if a { &pair.a } else { &pair.b }) == Phase::Up);
    // it comes from somewhere: erased like both at first
    let new = if a { &pair.a } else { &pair.b };
    Person::at(pair, new).resets();
    up(pair, new);
    assert_eq!(pair.get(new, "[/system identity get name]"), "MikroTik");
    assert!(!pair.files(new).iter().any(|name| name == "notes.txt"));
}

fn boots(pair: &Pair, which: usize) -> usize {
    pair.seen(which, |kind| matches!(kind, EventKind::Phase(Phase::RouterBoot)))
}

fn runs() -> impl Iterator<Item = (Version, &'static str)> {
    VERSIONS.into_iter().flat_map(|version| WAYS.map(|way| (version, way)))
}

#[test]
fn install_and_upgrade() {
    for (version, way) in runs() {
        let (pair, desk) = installed(version, way);
        // each way once: it is minutes of the pair's time
        if (version == VERSIONS[0]) == (way == "backup") {
            fails_over(&pair);
        }
        // upgrade, 1 and 2: the new build is imported on the active
        let build = bootstrap::ha::build();
        let newer = bootstrap::ha::render_init().replace(&build, "jumplead next - 00000000");
        let mut a = Person::at(&pair, &pair.a);
        desk.uploads(&pair, version, &newer, &mut a);
        assert!(a.line("/import HA_init.rsc").contains("executed successfully"));
        // 3: the standby gets it; 4: it is looked at through the active
        assert!(a.line("$HAPushStandby").contains("pushed"));
        up(&pair, &pair.b);
        // with the active's password, since the sync
        a.hops("74:4D:28:00:00:0B", password(version));
        let said = a.line(":put [:len [/log find message~\"START jumplead next\"]]");
        assert!(said.lines().any(|line| line.trim() == "1"), "{said}\n{}", pair.tail());
        a.keys("/quit\r");
        a.sees(&["] > "], 30);
        // 5 and 6
        assert!(a.line("$HASyncStandby").contains("GOOD"));
        let before = (boots(&pair, 0), boots(&pair, 1));
        let said = a.line("$HASwitchRole");
        assert!(said.contains("DONE, the other router is active"), "{version}: {said}\n{}", pair.tail());
        // 7: nobody restarted, and the new active finds the old one in sync
        assert_eq!((boots(&pair, 0), boots(&pair, 1)), before);
        let mut b = Person::at(&pair, &pair.b);
        assert!(b.line("$HASyncStandby").contains("GOOD"), "{version}\n{}", pair.tail());
        assert!(pair.master(&pair.b) && !pair.master(&pair.a));
        synced_by(&pair, 1, way);
    }
}

#[test]
fn rebuild_with_a_active() {
    for (version, way) in runs() {
        let mut pair = install(version, way);
        replaced(&mut pair, false, version);
        let mut a = Person::at(&pair, &pair.a);
        let said =
            a.line("$HAInstall interface=$haInterface macA=$haMacMe macB=\"74:4D:28:00:00:0C\" password=$haPassword");
        assert!(said.contains("the other one is 74:4D:28:00:00:0C and gets 169.254.23.2"), "{said}");
        assert_eq!(pair.get(&pair.a, OPEN), "8");
        brings_in(&pair, &mut a, &pair.b, "74:4D:28:00:00:0C");
        assert_eq!(pair.get(&pair.b, "[/system identity get name]"), "MikroTik_HA_B_STANDBY");
    }
}

#[test]
fn rebuild_with_b_active() {
    for (version, way) in runs() {
        let mut pair = install(version, way);
        replaced(&mut pair, true, version);
        assert!(pair.master(&pair.b));
        let mut b = Person::at(&pair, &pair.b);
        let said =
            b.line("$HAInstall interface=$haInterface macB=$haMacMe macA=\"74:4D:28:00:00:0C\" password=$haPassword");
        assert!(said.contains("the other one is 74:4D:28:00:00:0C and gets 169.254.23.1"), "{said}");
        brings_in(&pair, &mut b, &pair.a, "74:4D:28:00:00:0C");
        assert!(pair.master(&pair.b) && !pair.master(&pair.a));
        assert_eq!(
            pair.get(&pair.b, "[/interface ethernet get ether1 mac-address]"),
            "74:4D:28:0A:00:01",
            "the network's MACs stay"
        );
        assert_eq!(pair.get(&pair.a, OPEN), "1");
    }
}
