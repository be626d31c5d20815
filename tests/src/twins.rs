//! Two simulated routers with one MAC address, and a host, on one switch; each cable can be pulled. Needs root.

use std::process::{Command, Stdio};

use lab::netns::{Namespace, veth};
use tempfile::TempDir;

use crate::binary::{self, Ended};
use crate::router_process::{Lines, PASSWORD, Running};

/// Of both.
pub const MAC: &str = "74:4D:28:00:00:0B";

/// The host's interface to the switch. It has another one, `h1`, whose cable leads nowhere.
pub const INTERFACE: &str = "h0";

/// The routers, the switch, the host.
#[derive(Debug)]
pub struct Twins {
    routers: Vec<Running>,
    host: Namespace,
    switch: Namespace,
    _homes: [Namespace; 2],
    folder: TempDir,
}

impl Twins {
    /// Both are up; the cable of the second is out.
    pub fn new() -> Self {
        let [host, switch, one, two] = ["host", "switch", "one", "two"].map(|name| Namespace::new(name).unwrap());
        switch.run("ip", &["link", "add", "sw", "type", "bridge"]).unwrap();
        switch.run("ip", &["link", "set", "sw", "up"]).unwrap();
        for (end, port, interface) in [(&host, "host", INTERFACE), (&one, "one", "r8"), (&two, "two", "r8")] {
            veth((end, interface, None), (&switch, port, None)).unwrap();
            switch.run("ip", &["link", "set", port, "master", "sw"]).unwrap();
        }
        veth((&host, "h1", None), (&switch, "nowhere", None)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let routers = [(&one, "ONE"), (&two, "TWO")].map(|(home, name)| {
            let file = folder.path().join(format!("{name}.toml"));
            let text = format!(
                "name = \"{name}\"\nversion = \"7.18.2\"\nserial_number = \"7F-{name}\"\ntime_scale = 0.01\nsetup = '''\n\
                 /system identity set name={name}\n'''\n[macs]\nether8 = \"{MAC}\"\n[ports]\nether8 = \"r8\"\n\
                 [quirks]\nlicense_question = false\n[[users]]\nname = \"admin\"\npassword = \"{PASSWORD}\"\n"
            );
            std::fs::write(&file, text).unwrap();
            let mut command = home.command(binary::routersim().to_str().unwrap());
            command.arg("run").arg(&file).stdout(Stdio::piped()).stderr(Stdio::inherit());
            let mut child = command.spawn().unwrap();
            let mut said = Lines::of(child.stdout.take().unwrap());
            (Running(child), said.until("\n"))
        });
        let config = folder.path().join("config/jumplead");
        std::fs::create_dir_all(&config).unwrap();
        // Their b, whichever it is; the password of both is in the environment.
        let site = format!(
            "format = 1\n[pair]\nname = \"edge-1\"\n[pair.a]\nha_mac = \"74:4D:28:00:00:0A\"\n\
             reach = [\"mac://74:4D:28:0A:00:01%{INTERFACE}\"]\npassword = \"env:JUMPLEAD_PASSWORD\"\n[pair.b]\n\
             ha_mac = \"{MAC}\"\nreach = [\"mac://%{INTERFACE}\"]\npassword = \"env:JUMPLEAD_PASSWORD\"\n\
             [secrets]\nha_password = \"env:TWINS_HA\"\n"
        );
        std::fs::write(config.join("edge-1.toml"), site).unwrap();
        let twins = Self {
            routers: routers.into_iter().map(|(router, _)| router).collect(),
            host,
            switch,
            _homes: [one, two],
            folder,
        };
        twins.cable("two", false);
        twins
    }

    /// Plugs the cable of the router `one` or `two` in, or pulls it.
    pub fn cable(&self, router: &str, plugged: bool) {
        self.switch.run("ip", &["link", "set", router, if plugged { "up" } else { "down" }]).unwrap();
    }

    /// Where jumplead runs.
    pub fn host(&self) -> &Namespace {
        &self.host
    }

    /// Where the switch is; its port `nowhere` is the other end of the host's `h1`.
    pub fn switch(&self) -> &Namespace {
        &self.switch
    }

    /// jumplead on the host.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.host.command(binary::jumplead().to_str().unwrap());
        command.args(arguments);
        binary::isolate(&mut command, self.folder.path());
        command.env("JUMPLEAD_PASSWORD", PASSWORD).env("TWINS_HA", "Twins-Pair_1");
        command
    }

    /// jumplead without the right to open raw sockets, run to its end; where `filtered`, its host drops what does not come from where
    /// it would be sent to.
    pub fn unprivileged(&self, filtered: bool, arguments: &[&str]) -> Ended {
        for which in ["all", INTERFACE] {
            let set = format!("echo {} > /proc/sys/net/ipv4/conf/{which}/rp_filter", u8::from(filtered));
            self.host.run("sh", &["-c", &set]).unwrap();
        }
        let mut command = self.host.command("setpriv");
        command.args(["--bounding-set=-net_raw", "--inh-caps=-net_raw"]).arg(binary::jumplead()).args(arguments);
        binary::isolate(&mut command, self.folder.path());
        command.env("JUMPLEAD_PASSWORD", PASSWORD);
        command.stdin(Stdio::null()).output().unwrap().into()
    }

    /// Where the host's files lie.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// jumplead, run to its end.
    pub fn jumplead(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).stdin(Stdio::null()).output().unwrap().into()
    }
}

impl Default for Twins {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Twins {
    fn drop(&mut self) {
        // Before their interfaces go.
        self.routers.clear();
    }
}
