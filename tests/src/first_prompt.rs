//! A client from its start to its first prompt, over a veth pair to Debian's server.

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lab::netns::{Namespace, veth};
use mactelnet::MacAddr;

use crate::binary::isolate;
use crate::c_server::{CServer, PASSWORD, PROMPT, USER};
use crate::inside::inside;

/// The server's end of a cable.
pub const SERVER: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
/// The client's end of a cable.
pub const CLIENT: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);

/// Two hosts, each with an address for the C tools, and a home for ours.
#[derive(Debug)]
pub struct TwoHosts {
    server: Namespace,
    client: Namespace,
    home: tempfile::TempDir,
}

impl TwoHosts {
    /// The cable is plugged in.
    ///
    /// # Panics
    /// The namespaces can't be made.
    pub fn new() -> Self {
        let made = || Namespace::new("server").and_then(|server| Ok((server, Namespace::new("client")?)));
        let (server, client) = made().unwrap_or_else(|error| panic!("{error}"));
        veth((&server, "v0", Some(SERVER)), (&client, "v0", Some(CLIENT))).unwrap_or_else(|error| panic!("{error}"));
        for (host, address) in [(&server, "192.0.2.1/24"), (&client, "192.0.2.2/24")] {
            addressed(host, address);
        }
        let home = tempfile::TempDir::new().unwrap_or_else(|error| panic!("{error}"));
        Self { server, client, home }
    }

    /// Debian's client, with an environment of its own, as ours has: it is made before a start, and takes its time.
    pub fn theirs(&self) -> Command {
        let mut command = theirs();
        isolate(&mut command, self.home.path());
        command
    }

    /// Our client, started by these words.
    pub fn ours<W: AsRef<OsStr>>(&self, program: &[W]) -> Command {
        let (first, rest) = program.split_first().unwrap_or_else(|| panic!("no program"));
        let mut command = Command::new(first);
        isolate(&mut command, self.home.path());
        command.args(rest).args(["console", "--shell", "posix", "mac://02:00:00:00:00:01%v0?login=md5"]);
        command.env("JUMPLEAD_USER", USER).env("JUMPLEAD_PASSWORD", PASSWORD);
        command
    }

    /// Starts a client; when its first prompt was read, and what `end` makes of it. A daemon each: theirs spoils itself
    /// for others when a session ends.
    ///
    /// # Panics
    /// There is no prompt.
    pub fn prompted(&self, client: Command, end: impl FnOnce(Child) + Send) -> Duration {
        let daemon = CServer::start(&self.server, true).unwrap_or_else(|error| panic!("{error}"));
        let took = inside(&self.client, || async { first_prompt(client, end) });
        drop(daemon);
        took
    }
}

impl Default for TwoHosts {
    fn default() -> Self {
        Self::new()
    }
}

/// Debian's client.
pub fn theirs() -> Command {
    let mut command = Command::new("mactelnet");
    command.args(["-n", "-A", "-u", USER, "-p", PASSWORD, &SERVER.to_string()]);
    command
}

/// Gives a host an address and a way to everybody, which the C tools need.
///
/// # Panics
/// It can't be set.
pub fn addressed(host: &Namespace, address: &str) {
    let set = host.address("v0", address).and_then(|()| host.run("ip", &["route", "add", "default", "dev", "v0"]));
    drop(set.unwrap_or_else(|error| panic!("{error}")));
}

fn first_prompt(mut client: Command, end: impl FnOnce(Child)) -> Duration {
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begun = Instant::now();
    let mut child = client.spawn().unwrap_or_else(|error| panic!("{client:?}: {error}"));
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while !seen.ends_with(PROMPT.as_bytes()) {
        let n = child.stdout.as_mut().and_then(|stdout| stdout.read(&mut buffer).ok()).unwrap_or(0);
        assert!(n > 0, "a session without a prompt: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..n]);
    }
    let took = begun.elapsed();
    end(child);
    took
}

/// Kills a client.
pub fn killed(mut client: Child) {
    let _ = client.kill();
    let _ = client.wait();
}
