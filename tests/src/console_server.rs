//! What stands between a host and a router's serial console: an adapter, or a console server, which can be unplugged.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::pair::{Pair, Process};

/// A program that holds a line may be slow to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of RFC 2217, in the host's own namespace.
const RFC2217: u16 = 4001;
/// Of bytes as they are.
const RAW: u16 = 4002;

/// The way to B's console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A port of the host: socat holds the far end, and the port is gone without it.
    Port,
    /// ser2net with RFC 2217.
    Rfc2217,
    /// ser2net, bytes and nothing else.
    Raw,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Port, Self::Rfc2217, Self::Raw];

    /// The programs that it takes.
    pub fn programs(self) -> [&'static str; 2] {
        ["ip", if self == Self::Port { "socat" } else { "ser2net" }]
    }
}

/// What is plugged in between, or lies beside the router.
#[derive(Debug)]
pub struct Server<'a> {
    pair: &'a Pair,
    way: Way,
    process: Option<Process>,
}

impl<'a> Server<'a> {
    /// Plugged in; B's only road is this one.
    pub fn new(pair: &'a Pair, way: Way) -> Self {
        let mut server = Self { pair, way, process: None };
        // ser2net finds not even 127.0.0.1 where no other address is (AI_ADDRCONFIG).
        pair.host.address("lo", "192.0.2.77/32").expect("an address");
        server.plug();
        pair.site_reaching(&[&server.url()], "ether8", "74:4D:28:00:00:0B", "7F0002");
        server
    }

    fn port(&self) -> PathBuf {
        self.pair.folder.path().join("adapter")
    }

    /// As the site file has it.
    pub fn url(&self) -> String {
        match self.way {
            Way::Port => format!("serial://{}", self.port().display()),
            Way::Rfc2217 => format!("rfc2217://127.0.0.1:{RFC2217}"),
            Way::Raw => format!("tcp://127.0.0.1:{RAW}"),
        }
    }

    /// The adapter is there, the server runs.
    ///
    /// # Panics
    /// It does not start.
    pub fn plug(&mut self) {
        let line = self.pair.folder.path().join("b.line").display().to_string();
        let mut command = if self.way == Way::Port {
            let mut command = self.pair.host.command("socat");
            command.arg(format!("PTY,link={},raw,echo=0", self.port().display()));
            command.arg(format!("FILE:{line},raw,echo=0"));
            command
        } else {
            let file = self.pair.folder.path().join("ser2net.yaml");
            let connection = |name: &str, accepter: &str, port: u16| {
                format!(
                    "connection: &{name}\n    accepter: {accepter},127.0.0.1,{port}\n    \
                     connector: serialdev(nouucplock=true),{line},115200n81,local\n"
                )
            };
            let text = connection("rfc", "telnet(rfc2217=true),tcp", RFC2217) + &connection("raw", "tcp", RAW);
            std::fs::write(&file, format!("%YAML 1.1\n---\n{text}")).expect("a file");
            let mut command = self.pair.host.command("ser2net");
            command.args(["-n", "-d", "-c"]).arg(file);
            command
        };
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.process = Some(Process(child.expect("it starts")));
        let until = Instant::now() + PATIENCE;
        while !self.answers() {
            assert!(Instant::now() < until, "{:?} is not there", self.way);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self) -> bool {
        if self.way == Way::Port {
            return self.port().exists();
        }
        let port = if self.way == Way::Raw { RAW } else { RFC2217 };
        let listening = self.pair.host.run("ss", &["-Hltn", &format!("sport = :{port}")]);
        listening.is_ok_and(|listening| !listening.stdout.is_empty())
    }

    /// Nothing is left of it at once, as of an adapter whose plug is drawn or a server without power.
    pub fn unplug(&mut self) {
        self.process = None;
        // socat had no time to remove its link.
        let _ = std::fs::remove_file(self.port());
    }
}
