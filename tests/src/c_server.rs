//! Debian's `mactelnetd` inside a network namespace.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use lab::netns::Namespace;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Where Debian puts it; not on everyone's PATH.
pub const MACTELNETD: &str = "/usr/sbin/mactelnetd";
/// Its only user.
pub const USER: &str = "mtlab";
/// The same user as `console` in a pipe names it: with RouterOS's console parameters, which are a part of the name to
/// this server.
const NAMES: [&str; 2] = [USER, "mtlab+ct511w4098h"];
/// The user's password.
pub const PASSWORD: &str = "lab-pw-1";
/// The shell's prompt: of `sh`, for a user that is not root.
pub const PROMPT: &str = "$ ";

/// Files of the host that the daemon reads or writes, each covered by one of ours.
const COVERED: [&str; 6] =
    ["/etc/mactelnetd.users", "/etc/passwd", "/etc/shadow", "/etc/motd", "/run/utmp", "/var/log/wtmp"];
/// It is there at once on an idle machine; only a hang ends here.
const START: Duration = Duration::from_secs(60);

/// The daemon; ended when dropped.
#[derive(Debug)]
pub struct CServer {
    child: Child,
    _folder: TempDir,
}

impl CServer {
    /// Starts it. `raw` is its mode without broadcasts (`-n`). It serves interfaces that have an IPv4 address, and ends
    /// at once where there is none, in either mode.
    ///
    /// Nothing of the host is touched: in a mount namespace of its own the daemon sees copies.
    ///
    /// # Errors
    /// It cannot be started, or does not listen within seconds.
    pub fn start(namespace: &Namespace, raw: bool) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("jumplead-mactelnetd-").tempdir()?;
        // The user's home.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let mut script = String::new();
        for path in COVERED {
            if !Path::new(path).exists() {
                continue;
            }
            let name = path.replace('/', "_");
            let (added, mode) = match path {
                "/etc/mactelnetd.users" => (NAMES.map(|name| format!("{name}:{PASSWORD}\n")).concat(), 0o600),
                "/etc/passwd" => {
                    let home = folder.path().display();
                    (NAMES.map(|name| format!("{name}:x:64999:64999::{home}:/bin/sh\n")).concat(), 0o644)
                }
                "/etc/shadow" => (NAMES.map(|name| format!("{name}:*:19000:0:99999:7:::\n")).concat(), 0o600),
                _ => (String::new(), 0o644),
            };
            let keep = matches!(path, "/etc/passwd" | "/etc/shadow");
            let mut content = if keep { fs::read(path)? } else { Vec::new() };
            content.extend_from_slice(added.as_bytes());
            let copy = folder.path().join(&name);
            fs::write(&copy, content)?;
            fs::set_permissions(&copy, Permissions::from_mode(mode))?;
            script += &format!("mount --bind {} {path} && ", copy.display());
        }
        script += &format!("exec {MACTELNETD} -f {}", if raw { "-n" } else { "" });
        let mut command = namespace.command("unshare");
        command.args(["-m", "sh", "-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // PS1 and HISTFILE are the user's, who has neither.
        command.env_remove("PS1").env_remove("ENV");
        let mut server = Self { child: command.spawn()?, _folder: folder };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    fn wait_until_it_listens(&mut self) -> io::Result<()> {
        // `ip`, `unshare` and `sh` each become the next, so the process is the daemon's, and its namespace's sockets
        // are listed here. 20561 is 5051 in hexadecimal.
        let sockets = format!("/proc/{}/net/udp", self.child.id());
        let begun = Instant::now();
        loop {
            if fs::read_to_string(&sockets).is_ok_and(|list| list.contains(":5051 ")) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("mactelnetd ended: {status}")));
            }
            if begun.elapsed() > START {
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for CServer {
    fn drop(&mut self) {
        // It tells its sessions and ends their shells; if it does not, it is ended all the same.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
