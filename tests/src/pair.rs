//! A pair of simulated routers as processes, in network namespaces, with cables between them: what the real binary
//! meets as if it were hardware. Needs root.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bootstrap::ha::{PairConfig, render_installed};
use lab::netns::{Namespace, veth};
use tempfile::TempDir;

use crate::binary::{self, Ended};

/// Planted where they are needed, and looked for where they may not be.
pub const HA_PASSWORD: &str = "Pl4nted-HA-Quince.77";
/// Of A's admin.
pub const ADMIN_PASSWORD: &str = "Pl4nted-Admin-Medlar.88";
/// Both.
pub const SECRETS: [&str; 2] = [HA_PASSWORD, ADMIN_PASSWORD];

/// The host's interface, cabled to A's first port.
pub const INTERFACE: &str = "host0";
/// MAC of A's first port.
pub const MAC_A: &str = "74:4D:28:0A:00:01";
/// A's serial adapter, where it has one.
pub const ADAPTER: &str = "usb1";
/// MAC of B's port on the cable between both.
const MAC_B: &str = "74:4D:28:00:00:0B";

/// In B's own namespace.
pub const BOOT_SERVER: &str = "127.0.0.1:4070";

/// A reboot of 60 s becomes one of 1.8 s.
const TIME_SCALE: f64 = 0.03;
/// How long a simulated router may take to start on a busy machine.
const START: Duration = Duration::from_secs(180);

/// What differs from the standard pair.
#[derive(Debug, Clone)]
pub struct Settings {
    /// RouterOS version of both.
    pub version: &'static str,
    /// Commands that B has had before it arrived.
    pub b_setup: String,
    /// B's serial number.
    pub b_serial: &'static str,
    /// B is switched on when A is the active: of two members on one cable the first one up would be it.
    pub b_late: bool,
    /// A stand-in of netinstall can be on the cable of B's BOOT port: it connects to [`BOOT_SERVER`] where B is.
    pub b_boot: bool,
    /// B's console hangs on A's serial adapter, [`ADAPTER`], and nowhere else.
    pub b_on_a: bool,
    /// Of both, for what a start takes.
    pub time_scale: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: "7.18.2",
            b_setup: String::new(),
            b_serial: "7F0002",
            b_late: false,
            b_boot: false,
            b_on_a: false,
            time_scale: TIME_SCALE,
        }
    }
}

/// A process that is killed when nobody holds it any more.
#[derive(Debug)]
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Sends it a signal by its number's name, as in `INT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "no signal could be sent");
    }
}

/// Two routers, their cables, the host.
#[derive(Debug)]
pub struct Pair {
    /// Where jumplead runs.
    pub host: Namespace,
    a: Namespace,
    /// Where B's end of the cable between both is, as `ether8`.
    pub b: Namespace,
    /// Holds the two halves of the cable between both, where it was laid in halves.
    joint: Option<Namespace>,
    /// Home, site file, state folder.
    pub folder: TempDir,
    routers: Vec<Process>,
}

/// The standard pair, as its routers know it.
fn config() -> PairConfig {
    PairConfig {
        interface: "ether8".into(),
        mac_a: "74:4D:28:00:00:0A".into(),
        mac_b: "74:4D:28:00:00:0B".into(),
        password: HA_PASSWORD.into(),
    }
}

/// Commands that leave A the active of a pair whose B is missing.
pub fn installed() -> String {
    lab::pair::active_setup(&render_installed(&config()), ADMIN_PASSWORD)
}

/// Commands that make B the standby of that pair, with A's users, as a sync does.
pub fn standby() -> String {
    format!(
        "/system identity set name=edge-1\n{}/user set [find name=admin] password=\"{ADMIN_PASSWORD}\"\n",
        render_installed(&config())
    )
}

/// Of another pair: this router is its active, alone.
pub fn active_of_another_pair() -> String {
    let pair = PairConfig {
        interface: "ether8".into(),
        mac_a: "74:4D:28:00:00:0B".into(),
        mac_b: "74:4D:28:00:00:0C".into(),
        password: HA_PASSWORD.into(),
    };
    format!("/system identity set name=core-9\n{}", render_installed(&pair))
}

fn router(name: &str, serial: &str, last: &str, settings: &Settings, setup: &str, ports: &[&str]) -> String {
    let ports: String = ports.iter().map(|port| format!("{port} = \"{port}\"\n")).collect();
    // A literal string of several lines takes everything but three single quotes.
    assert!(!setup.contains("'''"));
    format!(
        "name = \"{name}\"\nversion = \"{}\"\nserial_number = \"{serial}\"\nbase_mac = \"74:4D:28:{last}:00:01\"\n\
         time_scale = {}\nsetup = '''\n{setup}'''\n[macs]\nether8 = \"74:4D:28:00:00:{last}\"\n[ports]\n{ports}",
        settings.version, settings.time_scale
    )
}

/// Commands of somebody's earlier use: B must be reset.
pub fn used_before() -> String {
    "/system identity set name=branch-office-7\n/interface bridge add name=lan\n\
     /interface bridge port add bridge=lan interface=ether3\n/ip address add address=192.168.50.1/24 interface=lan\n\
     /system script add name=nightly source=\":log info nightly\"\n"
        .to_owned()
}

/// Starts a router in `namespace`; the second part ends when its console runs.
fn start(namespace: &Namespace, file: &Path, seed: u64) -> (Process, impl FnOnce() + use<>) {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace.name()]).arg(binary::routersim());
    command.arg("run").arg(file).args(["--seed", &seed.to_string()]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("a router starts");
    let out = child.stdout.take().expect("it was piped");
    let ready = move || {
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("a router says that it is ready");
        assert!(line.contains("\"ready\""), "the router did not start: {line}");
    };
    (Process(child), ready)
}

/// Counts the VRRP interfaces of which a router is the master.
const MASTERS: &str = ":put [:len [/interface vrrp find where master]]";

/// Asks until a router's VRRP is the master.
fn wait_for_active(ask: impl Fn() -> Ended) {
    let until = Instant::now() + START;
    loop {
        let asked = ask();
        if asked.out.trim() == "1" {
            return;
        }
        assert!(Instant::now() < until, "the router does not become the active: {}{}", asked.out, asked.err);
        std::thread::sleep(Duration::from_millis(300));
    }
}

impl Pair {
    /// Both are up, and A is the active.
    pub fn new(settings: &Settings) -> Self {
        let pair = Self::starting(settings, None);
        pair.wait_for_active("edge-1/a");
        pair
    }

    /// Two routers that each became an active before the cable joined them. On one cable from the beginning their VRRP
    /// would make one of them, whichever was first, the other's backup.
    pub fn of_two_actives(settings: &Settings) -> Self {
        let pair = Self::starting(settings, Some(Namespace::new("joint").expect("a namespace")));
        pair.wait_for_active("edge-1/a");
        let joint = pair.joint.as_ref().expect("it was laid in halves");
        // B's own VRRP may not see A's: it is asked through the half that ends here.
        let target = format!("mac://{MAC_B}%half-b");
        wait_for_active(|| {
            let mut command = joint.command(&binary::jumplead().display().to_string());
            command.args(["exec", &target, "--", MASTERS]);
            binary::isolate(&mut command, &pair.home());
            command.output().expect("jumplead starts").into()
        });
        let joined = ["link add joint type bridge", "link set half-a master joint", "link set half-b master joint"];
        for command in joined.into_iter().chain(["link set joint up"]) {
            joint.run("ip", &command.split(' ').collect::<Vec<_>>()).expect("the cable is joined");
        }
        pair
    }

    /// Router A's process does not run, or runs again: what is sent to it meanwhile waits for it.
    pub fn freeze_a(&self, frozen: bool) {
        let [a, ..] = self.routers.as_slice() else { unreachable!("a pair has two routers") };
        a.signal(if frozen { "STOP" } else { "CONT" });
    }

    fn wait_for_active(&self, target: &str) {
        wait_for_active(|| self.exec(target, MASTERS));
    }

    fn starting(settings: &Settings, joint: Option<Namespace>) -> Self {
        let [host, a, b] = ["host", "a", "b"].map(|name| Namespace::new(name).expect("a namespace"));
        if let Some(joint) = &joint {
            veth((&a, "ether8", None), (joint, "half-a", None)).expect("half a cable");
            veth((&b, "ether8", None), (joint, "half-b", None)).expect("half a cable");
        } else {
            veth((&a, "ether8", None), (&b, "ether8", None)).expect("a cable");
        }
        veth((&a, "ether1", None), (&host, INTERFACE, None)).expect("a cable");
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        let line = folder.path().join("b.line");
        let mut spec_a = router("A", "7F0001", "0A", settings, &installed(), &["ether1", "ether8"]);
        if settings.b_on_a {
            spec_a += &format!("[serial.adapters.{ADAPTER}]\ndevice = \"{}\"\n", line.display());
        }
        let file_a = write("a.toml", &spec_a);
        let mut spec_b = router("B", settings.b_serial, "0B", settings, &settings.b_setup, &["ether8"]);
        spec_b += &format!("[serial]\npty = \"{}\"\n", line.display());
        if settings.b_boot {
            b.address("lo", "192.0.2.78/32").expect("an address");
            spec_b += &format!("[booter]\nserver = \"{BOOT_SERVER}\"\n");
        }
        let file_b = write("b.toml", &spec_b);
        let (router_a, ready_a) = start(&a, &file_a, 1);
        let mut pair = Self { host, a, b, joint, folder, routers: vec![router_a] };
        std::fs::create_dir_all(pair.home().join("config/jumplead")).expect("a folder");
        pair.site("ether8", "74:4D:28:00:00:0B", "7F0002");
        if settings.b_late {
            pair.wait_for_active("edge-1/a");
        }
        let (router_b, ready_b) = start(&pair.b, &file_b, 2);
        pair.routers.push(router_b);
        ready_a();
        ready_b();
        // The routers' own files hold the secrets; what is searched for them afterwards is the rest.
        for file in [file_a, file_b] {
            std::fs::remove_file(file).expect("it was there");
        }
        pair
    }

    /// The user's home.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Where jumplead keeps runs.
    pub fn state(&self) -> PathBuf {
        self.home().join("state/jumplead")
    }

    /// B's serial console: a pseudo terminal of this host.
    pub fn line_b(&self) -> String {
        format!("serial://{}", self.folder.path().join("b.line").display())
    }

    /// Writes the site file.
    pub fn site(&self, interface: &str, mac_b: &str, serial_b: &str) {
        self.site_reaching(&["via:a"], interface, mac_b, serial_b);
    }

    /// Writes the site file, with these roads to B.
    pub fn site_reaching(&self, reach_b: &[&str], interface: &str, mac_b: &str, serial_b: &str) {
        let text = format!(
            "format = 1\n[pair]\nname = \"edge-1\"\nha_interface = \"{interface}\"\n[pair.a]\n\
             ha_mac = \"74:4D:28:00:00:0A\"\nserial_number = \"7F0001\"\nreach = [\"mac://{MAC_A}%{INTERFACE}\"]\n\
             user = \"admin\"\npassword = \"env:EDGE1_A\"\n[pair.b]\nha_mac = \"{mac_b}\"\n\
             serial_number = \"{serial_b}\"\nreach = {reach_b:?}\n[secrets]\nha_password = \"env:EDGE1_HA\"\n"
        );
        std::fs::write(self.home().join("config/jumplead/edge-1.toml"), text).expect("a site file");
    }

    /// Writes a site file that takes each router for the other.
    pub fn swapped_site(&self) {
        let text = format!(
            "format = 1\n[pair]\nname = \"edge-1\"\nha_interface = \"ether8\"\n[pair.a]\n\
             ha_mac = \"74:4D:28:00:00:0B\"\nserial_number = \"7F0002\"\nreach = [\"via:b\"]\n\
             user = \"admin\"\npassword = \"env:EDGE1_A\"\n[pair.b]\nha_mac = \"74:4D:28:00:00:0A\"\n\
             serial_number = \"7F0001\"\nreach = [\"mac://{MAC_A}%{INTERFACE}\"]\n\
             user = \"admin\"\npassword = \"env:EDGE1_A\"\n[secrets]\nha_password = \"env:EDGE1_HA\"\n"
        );
        std::fs::write(self.home().join("config/jumplead/edge-1.toml"), text).expect("a site file");
    }

    /// jumplead on the host, with the secrets in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", self.host.name()]);
        self.dress(&mut command, arguments);
        command
    }

    /// Makes a program that starts another one in the host's namespace start jumplead there.
    pub fn dress(&self, command: &mut Command, arguments: &[&str]) {
        command.arg(binary::jumplead()).args(arguments);
        binary::isolate(command, &self.home());
        command.env("EDGE1_A", ADMIN_PASSWORD).env("EDGE1_HA", HA_PASSWORD);
    }

    /// Runs jumplead to its end.
    pub fn jumplead(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().expect("jumplead starts").into()
    }

    /// One command on a router.
    pub fn exec(&self, target: &str, command: &str) -> Ended {
        self.jumplead(&["exec", target, "--", command])
    }

    /// What confirms the plan: its fingerprint, and what it erases.
    #[track_caller]
    pub fn plan(&self) -> String {
        let planned = self.jumplead(&["bootstrap", "edge-1", "--plan-only"]).expect(0);
        let (_, rest) = planned.err.split_once("--confirm ").expect("the next command");
        rest.split_whitespace().next().expect("what confirms it").to_owned()
    }

    /// Pulls the cable between both routers, or puts it back.
    pub fn ha_cable(&self, plugged: bool) {
        let state = if plugged { "up" } else { "down" };
        self.b.run("ip", &["link", "set", "ether8", state]).expect("a cable");
    }

    /// Pulls the host's cable, or puts it back.
    pub fn host_cable(&self, plugged: bool) {
        let state = if plugged { "up" } else { "down" };
        self.a.run("ip", &["link", "set", "ether1", state]).expect("a cable");
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // Before their interfaces go.
        self.routers.clear();
    }
}
