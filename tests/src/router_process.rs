//! The simulated router as a process, with a host beside it: each in a namespace of its own, one cable between them.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use lab::netns::{Namespace, veth};
use tempfile::TempDir;

use crate::binary;

/// The burnt-in address of the router's port on the cable, `ether8`.
pub const MAC: &str = "74:4D:28:00:00:0B";
/// The router's address on the cable, where it has one.
pub const ROUTER: &str = "10.9.8.1";
/// The host's address on it.
pub const HOST: &str = "10.9.8.2";
/// The password of `admin`.
pub const PASSWORD: &str = "lab";
/// Both versions that everything is tested with.
pub const VERSIONS: [&str; 2] = ["6.44.6", "7.22.1"];
/// Runs a test with both versions, beside each other: what foreign programs do most is wait.
pub fn with_both(test: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        for version in VERSIONS {
            let test = &test;
            scope.spawn(move || test(version));
        }
    });
}

/// Real time that anything here may take; a loaded machine is slow, a hang is not.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes of a child's output, as they come.
#[derive(Debug)]
pub struct Lines(Receiver<Vec<u8>>, Vec<u8>);

impl Lines {
    /// Of what `source` gives.
    pub fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut source = BufReader::new(source);
            loop {
                let bytes = source.fill_buf().map(<[u8]>::to_vec).unwrap_or_default();
                source.consume(bytes.len());
                if bytes.is_empty() || sender.send(bytes).is_err() {
                    return;
                }
            }
        });
        Self(receiver, Vec::new())
    }

    /// Reads until `end` was seen; everything since the last call.
    pub fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.1.windows(end.len()).position(|window| window == end.as_bytes()) {
                let rest = self.1.split_off(at + end.len());
                let seen = std::mem::replace(&mut self.1, rest);
                return String::from_utf8_lossy(&seen).into_owned();
            }
            match self.0.recv_timeout(PATIENCE) {
                Ok(bytes) => self.1.extend(bytes),
                Err(error) => panic!(
                    "waited for {end:?} and saw {:?} ({})",
                    String::from_utf8_lossy(&self.1),
                    if error == RecvTimeoutError::Timeout { "silence" } else { "end" }
                ),
            }
        }
    }
}

/// A child that is ended with the test.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a router is to be.
#[derive(Debug, Clone)]
pub struct Plan {
    version: String,
    address: bool,
    setup: String,
    quirks: String,
    password: &'static str,
}

impl Plan {
    /// A router of this version, named SIM, with [`ROUTER`] on the cable.
    pub fn new(version: &str) -> Self {
        Self {
            version: version.to_owned(),
            address: true,
            setup: String::new(),
            quirks: String::new(),
            password: PASSWORD,
        }
    }

    /// It has no address.
    #[must_use]
    pub fn without_address(mut self) -> Self {
        self.address = false;
        self
    }

    /// Its admin has no password, as on a router that was erased: the first login asks for one.
    #[must_use]
    pub fn without_password(mut self) -> Self {
        self.password = "";
        self
    }

    /// Commands that make its configuration.
    #[must_use]
    pub fn setup(mut self, commands: &str) -> Self {
        self.setup.push_str(commands);
        self.setup.push('\n');
        self
    }

    /// A line of its specification's quirks.
    #[must_use]
    pub fn quirk(mut self, line: &str) -> Self {
        self.quirks.push_str(line);
        self.quirks.push('\n');
        self
    }

    fn specification(&self) -> String {
        let address = format!("/ip address add address={ROUTER}/24 interface=ether8\n");
        format!(
            "name = \"B\"\nversion = \"{}\"\nserial_number = \"7F0002\"\ntime_scale = 0.01\nsetup = '''\n\
             /system identity set name=SIM\n{}{}'''\n[macs]\nether8 = \"{MAC}\"\n[ports]\nether8 = \"r8\"\n\
             [quirks]\nlicense_question = false\n{}[[users]]\nname = \"admin\"\npassword = \"{}\"\n",
            self.version,
            if self.address { &address } else { "" },
            self.setup,
            self.quirks,
            self.password,
        )
    }

    /// Starts it and waits until it can be logged in to.
    pub fn start(&self) -> Rig {
        let (namespace, host) = (Namespace::new("router").unwrap(), Namespace::new("host").unwrap());
        veth((&namespace, "r8", None), (&host, "h0", None)).unwrap();
        host.address("h0", &format!("{HOST}/24")).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ROUTER.toml"), self.specification()).unwrap();
        let (router, ready) = start(&namespace, &folder);
        Rig { host, router, ready, namespace, folder }
    }
}

fn start(namespace: &Namespace, folder: &TempDir) -> (Running, serde_json::Value) {
    let mut child = namespace
        .command(binary::routersim().to_str().unwrap())
        .arg("run")
        .arg(folder.path().join("ROUTER.toml"))
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = Lines::of(child.stdout.take().unwrap());
    let router = Running(child);
    let ready = serde_json::from_str(&lines.until("\n")).unwrap();
    (router, ready)
}

/// A running router and the host on its cable (interface `h0`).
#[derive(Debug)]
pub struct Rig {
    /// Where foreign programs run.
    pub host: Namespace,
    /// The process.
    pub router: Running,
    /// What it said of itself when it was ready.
    pub ready: serde_json::Value,
    // Dropped last: the namespace and the specification outlive the process.
    /// Where the router runs.
    pub namespace: Namespace,
    /// For the test's own files; the router's specification is among them.
    pub folder: TempDir,
}

impl Rig {
    /// Pulls the router's plug.
    pub fn cut_power(&mut self) {
        let _ = self.router.0.kill();
        let _ = self.router.0.wait();
    }

    /// Switches it on again: it is new, as its specification says.
    pub fn restart(&mut self) {
        self.cut_power();
        (self.router, self.ready) = start(&self.namespace, &self.folder);
    }

    /// A program on the host, to be run.
    pub fn command(&self, program: &str) -> Command {
        self.host.command(program)
    }

    /// A program on the host, run to its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Output {
        self.command(program).args(arguments).output().unwrap()
    }
}

/// All that a program said.
pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
