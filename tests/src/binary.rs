//! The real binaries, as they lie beside the test in the target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

/// `target/debug`, or whatever the profile's folder is: tests lie in its `deps`.
fn folder() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows where it is");
    own.ancestors().nth(2).expect("tests lie in target/PROFILE/deps").to_path_buf()
}

/// The newest change of a file below `folder` that goes into a binary.
fn newest(folder: &Path) -> SystemTime {
    let mut last = SystemTime::UNIX_EPOCH;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            last = last.max(newest(&path));
        } else if let Ok(changed) = entry.metadata().and_then(|data| data.modified()) {
            last = last.max(changed);
        }
    }
    last
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the workspace").to_path_buf()
}

/// A binary that is there and not older than the sources; built when it isn't.
fn built(name: &str, arguments: &[&str]) -> PathBuf {
    let path = folder().join(name);
    let sources = workspace();
    let changed = newest(&sources.join("crates")).max(newest(&sources.join("tools")));
    let fresh = path.metadata().and_then(|data| data.modified()).is_ok_and(|made| made >= changed);
    if !fresh {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "--bin", name]).args(arguments).current_dir(&sources);
        match folder().file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => {}
            Some(profile) => drop(command.args(["--profile", profile])),
        }
        let status = command.status().expect("cargo can be started");
        assert!(status.success(), "`{name}` could not be built");
    }
    assert!(path.exists(), "no {}: build it first", path.display());
    path
}

/// The command line.
pub fn jumplead() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| built("jumplead", &["-p", "jumplead"]))
}

/// The simulated router as a process.
pub fn routersim() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| built("routersim", &["-p", "routersim", "--features", "real"]))
}

/// Takes everything of the caller's environment away that would change what jumplead does, and gives it a home.
pub fn isolate(command: &mut Command, home: &Path) {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS", "JUMPLEAD_LOG"] {
        command.env_remove(name);
    }
    for name in ["JUMPLEAD_STATE_DIR", "JUMPLEAD_USER", "JUMPLEAD_PASSWORD"] {
        command.env_remove(name);
    }
    command.env("HOME", home).env("XDG_STATE_HOME", home.join("state")).env("XDG_CONFIG_HOME", home.join("config"));
    command.env("XDG_DATA_HOME", home.join("data"));
    command.stdin(Stdio::null());
}

/// How a program ended and what it said.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Exit code; a signal's end has none.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ended {
    /// Fails with the end of what was said unless the exit code is this one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", end_of(&self.out), end_of(&self.err));
        self
    }

    /// Fails unless the exit code and the error's stable code are these.
    #[track_caller]
    pub fn refused(self, code: i32, error: &str) -> Self {
        let ended = self.expect(code);
        assert!(ended.err.contains(&format!("error[{error}]")), "no error[{error}] in:\n{}", ended.err);
        ended
    }
}

/// A failed test says how it ended: all of a long run's events would hide the next test's failure in a log that is cut.
pub fn end_of(text: &str) -> &str {
    const SHOWN: usize = 3000;
    &text[text.ceil_char_boundary(text.len().saturating_sub(SHOWN))..]
}
