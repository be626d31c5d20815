//! Network namespaces and veth pairs, through `ip`: where simulated routers meet real programs. Needs root.

use std::io;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use mactelnet::MacAddr;

/// Numbers the namespaces of one process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Why there is no namespace.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program can't be started.
    #[error("`{command}`: {error}")]
    Start {
        /// What was to run.
        command: String,
        /// Why it didn't.
        error: io::Error,
    },
    /// A program failed.
    #[error("`{command}`: {said}")]
    Failed {
        /// What ran.
        command: String,
        /// Its standard error.
        said: String,
    },
}

fn run(program: &str, arguments: &[&str]) -> Result<Output, Error> {
    let command = || format!("{program} {}", arguments.join(" "));
    let output =
        Command::new(program).args(arguments).output().map_err(|error| Error::Start { command: command(), error })?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Failed { command: command(), said })
}

/// Whether namespaces can be made, and these programs are there; else what is missing.
pub fn missing(programs: &[&str]) -> Option<String> {
    let own = Namespace::new("probe");
    if let Err(error) = own {
        return Some(format!("no network namespaces ({error})"));
    }
    let gone = programs.iter().find(|program| run("which", &[program]).is_err());
    gone.map(|program| format!("`{program}` is not installed"))
}

/// For tests: false, said aloud, when something is missing. With `CI=true` that is a failure.
///
/// # Panics
/// Something is missing and `CI=true`.
pub fn available(test: &str, programs: &[&str]) -> bool {
    let Some(why) = missing(programs) else { return true };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test} can't run in CI: {why}");
    // The harness hides what a passing test prints; straight to the descriptor it is seen.
    let _ = io::Write::write_all(&mut io::stderr(), format!("SKIPPED {test}: {why}\n").as_bytes());
    false
}

/// A network namespace of our own; dropping it removes it and the interfaces inside.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one, with its loopback up and IPv6 off (no stray frames). `label` is a part of its name.
    ///
    /// # Errors
    /// No permission, or no `ip`.
    pub fn new(label: &str) -> Result<Self, Error> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("jumplead-{}-{number}-{label}", std::process::id());
        run("ip", &["netns", "add", &name])?;
        let namespace = Self { name };
        namespace.run("ip", &["link", "set", "lo", "up"])?;
        // A kernel without IPv6 has nothing to switch off.
        let _ = namespace.run("sysctl", &["-qw", "net.ipv6.conf.default.disable_ipv6=1"]);
        Ok(namespace)
    }

    /// Its name, for `ip netns exec`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A program to be run inside.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Runs a program inside to its end.
    ///
    /// # Errors
    /// It can't be started, or it failed.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<Output, Error> {
        let mut all = vec!["netns", "exec", &self.name, program];
        all.extend(arguments);
        run("ip", &all)
    }

    /// Gives an interface an address, as `10.0.0.1/24`.
    ///
    /// # Errors
    /// As [`Namespace::run`].
    pub fn address(&self, interface: &str, address: &str) -> Result<(), Error> {
        self.run("ip", &["address", "add", address, "dev", interface]).map(drop)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // It may be gone already; there is nobody to tell.
        let _ = run("ip", &["netns", "delete", &self.name]);
    }
}

/// A cable between two namespaces: both interfaces up, with these MACs where given.
///
/// # Errors
/// As [`Namespace::run`].
pub fn veth(a: (&Namespace, &str, Option<MacAddr>), b: (&Namespace, &str, Option<MacAddr>)) -> Result<(), Error> {
    let peer = ["peer", "name", b.1, "netns", b.0.name()];
    let mut arguments = vec!["link", "add", a.1, "netns", a.0.name(), "type", "veth"];
    arguments.extend(peer);
    run("ip", &arguments)?;
    for (namespace, interface, mac) in [a, b] {
        if let Some(mac) = mac {
            namespace.run("ip", &["link", "set", interface, "address", &mac.to_string()])?;
        }
        namespace.run("ip", &["link", "set", interface, "up"])?;
    }
    Ok(())
}
