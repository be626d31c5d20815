//! Secrets come by reference: `env:NAME`, `file:PATH`, `cmd:COMMAND`, `prompt`, `generate`.

use crate::store::{Store, StoreError};
use routeros::Secret;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The longest secret that is read, in bytes: longer is a wrong file.
const MAX_SECRET: usize = 512;
/// Length of a generated password: 4 categories, about 120 bits.
const GENERATED_LEN: usize = 24;

/// The state folder's part for generated secrets.
const FOLDER: &str = "secrets";

/// Where a secret is, not what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// A variable of the environment.
    Env(String),
    /// A file that others can't read.
    File(PathBuf),
    /// What a command prints.
    Cmd(String),
    /// Asked at the terminal.
    Prompt,
    /// Made up once, and kept in the state folder.
    Generate,
}

impl FromStr for SecretRef {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("cmd", command)) if !command.trim().is_empty() => Ok(Self::Cmd(command.to_owned())),
            None if text == "prompt" => Ok(Self::Prompt),
            None if text == "generate" => Ok(Self::Generate),
            // the text itself may be a password that someone wrote in the wrong place: it isn't repeated
            _ => Err(SecretError::Form),
        }
    }
}

impl SecretRef {
    /// Where a router's own password is, which it has already: none is made.
    ///
    /// # Errors
    /// [`SecretError::Form`], [`SecretError::Made`].
    pub fn of_a_router(text: &str) -> Result<Self, SecretError> {
        match text.parse()? {
            Self::Generate => Err(SecretError::Made),
            reference => Ok(reference),
        }
    }

    /// Whether something is there. Nothing is read, run or asked.
    ///
    /// # Errors
    /// What [`resolve`] would say now.
    pub fn is_there(&self) -> Result<(), SecretError> {
        match self {
            Self::Env(name) if std::env::var_os(name).is_none() => Err(SecretError::NoEnv(name.clone())),
            Self::File(path) => open(path).map(drop),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Cmd(_) => f.write_str("cmd:(not shown)"),
            Self::Prompt => f.write_str("prompt"),
            Self::Generate => f.write_str("generate"),
        }
    }
}

/// Why a secret can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not one of the forms.
    #[error("a secret is given as env:NAME, file:PATH, cmd:COMMAND, prompt or generate, never as itself")]
    Form,
    /// One that is made up, where a router has one.
    #[error("a password that is made up now (`generate`) is no router's")]
    Made,
    /// No such variable.
    #[error("the environment has no {0}")]
    NoEnv(String),
    /// The file can't be read.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// The system's words.
        why: String,
    },
    /// Others can read the file.
    #[error("{path} can be read by others (mode {mode:o}); chmod 600 it")]
    FileOpen {
        /// The file.
        path: String,
        /// Its mode.
        mode: u32,
    },
    /// The command failed.
    #[error("the command for {what} failed: {why}")]
    Cmd {
        /// Which secret.
        what: String,
        /// Exit status or the system's words; never its output.
        why: String,
    },
    /// Nobody to ask.
    #[error("{what} must be asked for, and there is no terminal to ask at")]
    NoPrompt {
        /// Which secret.
        what: String,
    },
    /// Ctrl-C or a signal at the question.
    #[error("interrupted")]
    Interrupted,
    /// It is empty, too long or holds line ends.
    #[error("{what} is {why}")]
    Unfit {
        /// Which secret.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The state folder failed.
    #[error("the state folder does not keep {what}: {why}")]
    Store {
        /// Which secret.
        what: String,
        /// Why.
        why: StoreError,
    },
}

impl SecretError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Form | Self::Made => "secret.form",
            Self::NoEnv(_) => "secret.env",
            Self::File { .. } => "secret.file",
            Self::FileOpen { .. } => "secret.file-open",
            Self::Cmd { .. } => "secret.cmd",
            Self::NoPrompt { .. } => "secret.prompt",
            Self::Interrupted => "secret.interrupted",
            Self::Unfit { .. } => "secret.unfit",
            Self::Store { .. } => "secret.store",
        }
    }
}

/// Why a question for a secret has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unasked {
    /// There is nobody to ask.
    Nobody,
    /// A signal or Ctrl-C came instead.
    Interrupted,
}

/// What resolving needs from the host: a person to ask, and randomness.
pub trait Asker {
    /// Asks for a secret without echo.
    ///
    /// # Errors
    /// [`Unasked`].
    fn prompt(&mut self, what: &str) -> Result<Secret, Unasked>;
    /// Fills `bytes` from the host's random source.
    fn random(&mut self, bytes: &mut [u8]);
}

/// Fetches the secret behind `reference`. `what` names it in questions and errors (`secrets.ha_password of edge-1`), `kept` in the
/// state folder (`edge-1.ha_password`).
///
/// # Errors
/// [`SecretError`]; never with a part of a secret in it.
pub fn resolve(
    reference: &SecretRef,
    what: &str,
    kept: &str,
    asker: &mut dyn Asker,
    store: &mut dyn Store,
) -> Result<Secret, SecretError> {
    let secret =
        match reference {
            SecretRef::Env(name) => Secret::new(variable(name, what)?),
            SecretRef::File(path) => read_file(path)?,
            SecretRef::Cmd(command) => run(command, what)?,
            SecretRef::Prompt => {
                return asker.prompt(what).map_err(|unasked| match unasked {
                    Unasked::Nobody => SecretError::NoPrompt { what: what.to_owned() },
                    Unasked::Interrupted => SecretError::Interrupted,
                });
            }
            SecretRef::Generate => {
                let failed = |why| SecretError::Store { what: what.to_owned(), why };
                match store.kept(FOLDER, kept).map_err(failed)? {
                    Some(text) => Secret::new(String::from_utf8(text).map_err(|_| SecretError::Unfit {
                        what: what.to_owned(),
                        why: "damaged in the state folder",
                    })?),
                    None => {
                        let secret = generate(asker);
                        // before any step uses it: a resumed run must find the same one
                        store.keep(FOLDER, kept, secret.reveal().as_bytes()).map_err(failed)?;
                        secret
                    }
                }
            }
        };
    check(&secret, what)?;
    Ok(secret)
}

fn variable(name: &str, what: &str) -> Result<String, SecretError> {
    std::env::var(name).map_err(|error| match error {
        std::env::VarError::NotPresent => SecretError::NoEnv(name.to_owned()),
        std::env::VarError::NotUnicode(_) => SecretError::Unfit { what: what.to_owned(), why: "no UTF-8 text" },
    })
}

fn check(secret: &Secret, what: &str) -> Result<(), SecretError> {
    let unfit = |why| Err(SecretError::Unfit { what: what.to_owned(), why });
    match secret.reveal() {
        "" => unfit("empty"),
        text if text.len() > MAX_SECRET => unfit("longer than any password"),
        text if text.contains(['\n', '\r', '\0']) => unfit("more than one line"),
        _ => Ok(()),
    }
}

fn unread(path: &Path, error: &std::io::Error) -> SecretError {
    SecretError::File { path: path.display().to_string(), why: error.to_string() }
}

/// Opens a file that is its owner's alone.
fn open(path: &Path) -> Result<std::fs::File, SecretError> {
    let file = std::fs::File::open(path).map_err(|error| unread(path, &error))?;
    let about = file.metadata().map_err(|error| unread(path, &error))?;
    if about.is_dir() {
        return Err(unread(path, &std::io::ErrorKind::IsADirectory.into()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SecretError::FileOpen { path: path.display().to_string(), mode });
        }
    }
    Ok(file)
}

fn read_file(path: &Path) -> Result<Secret, SecretError> {
    let text = std::io::read_to_string(open(path)?).map_err(|error| unread(path, &error))?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r'])))
}

fn run(command: &str, what: &str) -> Result<Secret, SecretError> {
    let fail = |why: String| SecretError::Cmd { what: what.to_owned(), why };
    let output = std::process::Command::new("sh")
        .args(["-c", command])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        return Err(fail(output.status.to_string()));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| fail("its output is no text".into()))?;
    Ok(Secret::new(text.trim_end_matches(['\n', '\r'])))
}

/// Four categories of characters (a router's password policy may want them), none that needs quoting anywhere, none that
/// people take for another.
fn generate(asker: &mut dyn Asker) -> Secret {
    const SETS: [&[u8]; 4] = [b"abcdefghijkmnpqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789", b"-_.+"];
    let mut text = String::with_capacity(GENERATED_LEN);
    let mut bytes = [0u8; 64];
    while text.len() < GENERATED_LEN {
        asker.random(&mut bytes);
        for pair in bytes.chunks_exact(2) {
            // the first four characters cover the categories
            let set = if text.len() < SETS.len() { SETS[text.len()] } else { SETS[usize::from(pair[0]) % 3] };
            // drawn again instead of taken modulo, so that no character is likelier
            let limit = 256 / set.len() * set.len();
            if usize::from(pair[1]) < limit && text.len() < GENERATED_LEN {
                text.push(char::from(set[usize::from(pair[1]) % set.len()]));
            }
        }
    }
    Secret::new(text)
}

/// Checks a password for the user `ha`: it travels inside scripts, files and console lines of both versions.
///
/// # Errors
/// What is wrong with it.
pub fn check_ha_password(secret: &Secret, what: &str) -> Result<(), SecretError> {
    let unfit = |why| Err(SecretError::Unfit { what: what.to_owned(), why });
    let text = secret.reveal();
    if !(8..=64).contains(&text.len()) {
        return unfit("not between 8 and 64 characters");
    }
    if !text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'$' | b'\\' | b'?' | b'#' | b';')) {
        return unfit("made of characters that a router's scripts don't take: letters, digits and -_.+ are safe");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SimStore;

    struct Nobody(u8);

    impl Asker for Nobody {
        fn prompt(&mut self, _: &str) -> Result<Secret, Unasked> {
            Err(Unasked::Nobody)
        }
        fn random(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self.0.wrapping_mul(37).wrapping_add(11);
                *byte = self.0;
            }
        }
    }

    #[test]
    fn forms_and_what_is_shown_of_them() {
        for text in ["env:EDGE", "file:/run/secrets/x", "prompt", "generate"] {
            assert_eq!(text.parse::<SecretRef>().unwrap().to_string(), text);
        }
        assert_eq!("cmd:pass show x".parse::<SecretRef>().unwrap().to_string(), "cmd:(not shown)");
        let error = "hunter2".parse::<SecretRef>().unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }

    #[test]
    fn a_generated_secret_is_kept_before_it_is_used() {
        let mut store = SimStore::default();
        let first = resolve(&SecretRef::Generate, "ha", "edge-1.ha_password", &mut Nobody(1), &mut store).unwrap();
        let again = resolve(&SecretRef::Generate, "ha", "edge-1.ha_password", &mut Nobody(9), &mut store).unwrap();
        assert!(first == again);
        assert_eq!(first.reveal().len(), GENERATED_LEN);
        check_ha_password(&first, "ha").unwrap();
    }

    #[test]
    fn files_that_others_can_read_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pw");
        std::fs::write(&path, "s3cret\n").unwrap();
        let reference = SecretRef::File(path.clone());
        let mut store = SimStore::default();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = resolve(&reference, "x", "x", &mut Nobody(0), &mut store).unwrap_err();
        assert!(matches!(error, SecretError::FileOpen { mode: 0o644, .. }));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(resolve(&reference, "x", "x", &mut Nobody(0), &mut store).unwrap() == Secret::new("s3cret"));
        let error = resolve(&SecretRef::Prompt, "x", "x", &mut Nobody(0), &mut store).unwrap_err();
        assert_eq!(error.code(), "secret.prompt");
    }
}
