//! A small disk for the state folder, in a mount namespace of its own: it really fills up, and is really read-only.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::pair::{Pair, Process};

/// Room for a few runs; a full one is full within a page.
const SIZE: &str = "128k";
/// What fills it.
const FILLER: &str = "filler";

/// Ends with the process that holds the namespace, which ends with the test.
#[derive(Debug)]
pub struct Disk {
    holder: Process,
    folder: PathBuf,
}

impl Disk {
    /// Mounts one on a folder that only its own processes see it on.
    pub fn new(pair: &Pair) -> Self {
        let folder = pair.folder.path().join("disk");
        fs::create_dir(&folder).expect("a folder");
        let script =
            format!("mount -t tmpfs -o size={SIZE},mode=700 none {} && echo mounted && exec cat", folder.display());
        let mut command = pair.host.command("unshare");
        command.args(["-m", "sh", "-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        // `ip`, `unshare`, `sh` and `cat` each become the next; `cat` ends when the test lets go of its input.
        let mut holder = Process(command.spawn().expect("a mount namespace"));
        let mut line = String::new();
        BufReader::new(holder.0.stdout.take().expect("it was piped")).read_line(&mut line).expect("a line");
        assert_eq!(line.trim(), "mounted");
        Self { holder, folder }
    }

    /// The state folder on it, as jumplead names it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The same folder as the test reaches it.
    pub fn seen(&self) -> PathBuf {
        let inside = self.folder.strip_prefix("/").unwrap_or(&self.folder);
        Path::new("/proc").join(self.holder.0.id().to_string()).join("root").join(inside)
    }

    fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-m", "-n", "-t", &self.holder.0.id().to_string()]);
        command
    }

    /// jumplead on the host, with its state on this disk.
    pub fn command(&self, pair: &Pair, arguments: &[&str]) -> Command {
        let mut command = self.enter();
        pair.dress(&mut command, &["--state-dir", &self.folder.display().to_string()]);
        command.args(arguments);
        command
    }

    /// Takes all room that is left.
    pub fn fill(&self) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.seen().join(FILLER)).expect("a file");
        loop {
            match file.write(&[0xaa; 512]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Gives it back.
    pub fn make_room(&self) {
        fs::remove_file(self.seen().join(FILLER)).expect("it was there");
    }

    /// Makes it read-only, or writable again. No process may be writing to it.
    pub fn read_only(&self, on: bool) {
        let mode = if on { "remount,ro" } else { "remount,rw" };
        let status = self.enter().args(["mount", "-o", mode]).arg(&self.folder).status();
        assert!(status.is_ok_and(|status| status.success()), "{mode}");
    }
}
