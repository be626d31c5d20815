//! A simulated router as a process whose console is on a pseudo terminal, at RFC 2217 and as plain TCP, all of one line;
//! and ser2net in between. Needs neither root nor a namespace.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::binary::{Ended, isolate, jumplead, routersim};

/// A loaded machine is slow; a hang is not.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The password of `admin`.
pub const PASSWORD: &str = "lab";

/// A child that is ended with the test.
#[derive(Debug)]
pub struct Running(pub Child);

impl Running {
    /// Asks it to end: it has children of its own.
    pub fn terminate(mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The router.
#[derive(Debug)]
pub struct LineRouter {
    /// Home of what is run, and the router's own files.
    pub folder: TempDir,
    /// The pseudo terminal's lasting name.
    pub pty: String,
    /// `127.0.0.1:PORT`
    pub rfc2217: String,
    /// `127.0.0.1:PORT`
    pub tcp: String,
    /// Where a stand-in of netinstall connects, `127.0.0.1:PORT`.
    pub boot_server: String,
    process: Running,
}

/// Its specification, in its folder.
const FILE: &str = "router.toml";

impl LineRouter {
    /// B of the standard pair, with a password.
    pub fn start() -> Self {
        Self::with("", &format!("/user set [find name=admin] password=\"{PASSWORD}\"\n"))
    }

    /// The same with these lines of its specification, and these commands instead.
    pub fn with(spec: &str, setup: &str) -> Self {
        let mut router = Self::started(spec, setup, "", [0; 3]);
        let mut line = String::new();
        let out = router.process.0.stdout.take().expect("it was piped");
        BufReader::new(out).read_line(&mut line).expect("a router says that it is ready");
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let place = |name: &str| ready["serial"][name].as_str().unwrap_or_default().to_owned();
        (router.rfc2217, router.tcp) = (place("rfc2217"), place("tcp"));
        router.boot_server = ready["boot_server"].as_str().unwrap_or_default().to_owned();
        // Its file may hold secrets; what is searched for them is the rest.
        let _ = std::fs::remove_file(router.folder.path().join(FILE));
        router
    }

    /// One whose kernel loads and dies, so that it starts again and again, with the longest key window.
    pub fn in_a_loop(setup: &str) -> Self {
        // It is ready never: where it listens is said, not asked.
        let ports = [free_port(), free_port(), free_port()];
        let booter = "broken = true\n[booter.settings]\nboot-delay = \"9s\"\n";
        let router = Self::started("", setup, booter, ports);
        listens(ports[1]);
        router
    }

    fn started(spec: &str, setup: &str, booter: &str, ports: [u16; 3]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let pty = folder.path().join("line").display().to_string();
        let file = folder.path().join(FILE);
        assert!(!setup.contains("'''"));
        let [rfc2217, tcp, boot_server] = ports.map(|port| format!("127.0.0.1:{port}"));
        let text = format!(
            "name = \"B\"\nversion = \"7.18.2\"\nserial_number = \"7F0002\"\nbase_mac = \"74:4D:28:0B:00:01\"\ntime_scale = 0.02\nsetup = '''\n{setup}'''\n{spec}\n\
             [macs]\nether8 = \"74:4D:28:00:00:0B\"\n[serial]\npty = \"{pty}\"\nrfc2217 = \"{rfc2217}\"\ntcp = \"{tcp}\"\n\
             [booter]\nserver = \"{boot_server}\"\n{booter}"
        );
        std::fs::write(&file, text).expect("a file");
        let mut command = Command::new(routersim());
        command.arg("run").arg(&file).args(["--seed", "1"]).stdout(Stdio::piped());
        let process = Running(command.spawn().expect("a router starts"));
        Self { pty, rfc2217, tcp, boot_server, folder, process }
    }

    /// The three ways to its line.
    pub fn urls(&self) -> [String; 3] {
        [format!("serial://{}", self.pty), format!("rfc2217://{}", self.rfc2217), format!("tcp://{}", self.tcp)]
    }

    /// jumplead in the router's home.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut program = Command::new(jumplead());
        isolate(&mut program, self.folder.path());
        program.args(arguments).env("JUMPLEAD_PASSWORD", PASSWORD);
        program
    }

    /// jumplead, run to its end.
    pub fn jumplead(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().expect("jumplead starts").into()
    }

    /// A line that was printed to be typed, given to a shell as it stands.
    pub fn paste(&self, line: &str) -> Ended {
        let words = line.trim().strip_prefix("jumplead ").unwrap_or_else(|| panic!("no command of ours: {line}"));
        let mut shell = Command::new("sh");
        isolate(&mut shell, self.folder.path());
        shell.arg("-c").arg(format!("exec \"$0\" {words}")).arg(jumplead()).env("JUMPLEAD_PASSWORD", PASSWORD);
        shell.output().expect("a shell starts").into()
    }

    /// One command on the router.
    pub fn exec(&self, url: &str, command: &str) -> Ended {
        self.jumplead(&["exec", url, "--", command])
    }

    /// It answers at this place.
    #[track_caller]
    pub fn answers(&self, url: &str) {
        let ended = self.exec(url, ":put (6 * 7)").expect(0);
        assert_eq!(ended.out.trim(), "42", "{url}");
    }

    /// Restarts it, types noise into its key window, and lets go of the line with the boot loader's menu open.
    #[track_caller]
    pub fn into_the_loader(&self) {
        // Some seconds of real time: the command has let go of the line by then.
        self.exec(&format!("tcp://{}", self.tcp), ":execute \":delay 5; /system reboot\"").expect(0);
        noise_until_the_menu(&mut self.line());
    }

    /// The same, and its storage formatted there; it finds nothing to boot from then.
    #[track_caller]
    pub fn format(&self) {
        self.into_the_loader();
        format_and_leave(&mut self.line());
    }

    fn line(&self) -> TcpStream {
        let line = TcpStream::connect(&self.tcp).expect("its line");
        line.set_read_timeout(Some(MOMENT)).expect("a time limit");
        line
    }
}

/// Between two characters of noise.
pub const MOMENT: Duration = Duration::from_millis(4);

/// Types noise into a line on which a boot loader will come, until its menu is open. Reads of the line end soon.
#[track_caller]
pub fn noise_until_the_menu(line: &mut (impl std::io::Read + std::io::Write)) {
    typed_until(line, b" ", "your choice:");
}

/// Types these until that was said.
#[track_caller]
fn typed_until(line: &mut (impl std::io::Read + std::io::Write), keys: &[u8], words: &str) {
    let (until, mut seen, mut space) = (Instant::now() + PATIENCE, Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&seen).contains(words) {
        assert!(Instant::now() < until, "no {words}: {}", String::from_utf8_lossy(&seen));
        let _ = line.write_all(keys);
        match line.read(&mut space) {
            Ok(count) => seen.extend_from_slice(&space[..count]),
            Err(_) => std::thread::sleep(MOMENT),
        }
    }
}

/// Formats the storage in an open menu, and leaves it.
#[track_caller]
pub fn format_and_leave(line: &mut (impl std::io::Read + std::io::Write)) {
    for (keys, words) in [("e", "to confirm:"), ("yes\r", "your choice:"), ("x", "kernel loading failed")] {
        let _ = line.write_all(keys.as_bytes());
        typed_until(line, b"", words);
    }
}

/// A stand-in of netinstall-cli: it speaks nothing of its protocols, but stands for who has a package on the BOOT port's cable.
/// `connects` runs before, as `ip netns exec NAME` does.
pub fn netinstall_stand_in(folder: &Path, connects: &str, server: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let (host, port) = server.rsplit_once(':').expect("a place");
    let text = format!(
        "#!/bin/bash\n# netinstall-cli -i INTERFACE PACKAGE\n[ \"$1\" = -i ] || exit 2\n\
         exec {connects} bash -c 'exec 3<>/dev/tcp/{host}/{port} && echo \"$1 keep\" >&3 && exec cat <&3' netinstall \"${{3##*/}}\"\n"
    );
    let path = folder.join("netinstall-cli");
    std::fs::write(&path, text).expect("a file");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    path.display().to_string()
}

/// ser2net between a port and a socket, with RFC 2217 or plain; `None` where there is none, said aloud.
pub fn ser2net(test: &str, router: &LineRouter, accepter: &str) -> Option<(Running, u16)> {
    if !lab::netns::available(test, &["ser2net"]) {
        return None;
    }
    let port = free_port();
    let file = router.folder.path().join(format!("ser2net-{port}.yaml"));
    let text = format!(
        "%YAML 1.1\n---\nconnection: &line\n    accepter: {accepter},127.0.0.1,{port}\n    connector: serialdev(nouucplock=true),{},115200n81,local\n",
        router.pty
    );
    std::fs::write(&file, text).expect("a file");
    let mut command = Command::new("ser2net");
    command.args(["-n", "-d", "-c"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Running(command.spawn().expect("ser2net starts"));
    listens(port);
    Some((server, port))
}

/// Waits until somebody listens.
pub fn listens(port: u16) {
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "nobody listens on {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A port that nobody has, and that nobody is given: below those that the kernel hands to whoever names none, else a
/// connection of another test takes it before its server listens. A number is given once a process; where two processes
/// begin near each other, the second finds the first one's taken.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    const FIRST: u32 = 12_000;
    const PORTS: u32 = 20_000;
    loop {
        let next = std::process::id().wrapping_mul(61).wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + next % PORTS).expect("it is below the kernel's own");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Fails where `path` is readable by others.
#[track_caller]
pub fn owners_alone(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
}
