//! Why a line can't be had, or ended.

use std::fmt;

/// A process that has a port open, or says by a lock file that it is its own.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// The program's name, where it may be read.
    pub program: String,
    /// The lock file that says so, where nothing else does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.lock {
            Some(file) => write!(f, "{} (pid {}, by its lock file {file})", self.program, self.pid),
            None => write!(f, "{} (pid {})", self.program, self.pid),
        }
    }
}

/// Why a line can't be had, or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such device.
    #[error("there is no port {path}")]
    Missing {
        /// As it was written.
        path: String,
    },
    /// The user may not open it.
    #[error("no permission to open {path}")]
    Permission {
        /// As it was written.
        path: String,
        /// The group that may.
        group: Option<String>,
    },
    /// Somebody else has it.
    #[error("{path} is in use{}", by(.holders))]
    Busy {
        /// As it was written.
        path: String,
        /// Who, as far as it can be seen.
        holders: Vec<Holder>,
    },
    /// It opens, and is no serial port, or refuses the settings.
    #[error("{path} can't be used: {why}")]
    Unusable {
        /// As it was written.
        path: String,
        /// Why.
        why: String,
    },
    /// The adapter is not there any more.
    #[error("{path} is gone: the adapter was unplugged, or its far end closed")]
    Gone {
        /// As it was written.
        path: String,
    },
    /// No connection to the console server.
    #[error("{place} can't be reached: {why}")]
    Connect {
        /// Host and port.
        place: String,
        /// Why.
        why: String,
    },
    /// The console server says that somebody else has the line.
    #[error("{place} says: {text}")]
    InUse {
        /// Host and port.
        place: String,
        /// Its words.
        text: String,
    },
    /// The console server says that it can't open its own port.
    #[error("{place} has no line to give: {text}")]
    NoDevice {
        /// Host and port.
        place: String,
        /// Its words.
        text: String,
    },
    /// The console server closed the connection before anything came.
    #[error("{place} closed the connection at once")]
    Closed {
        /// Host and port.
        place: String,
    },
}

fn by(holders: &[Holder]) -> String {
    let names: Vec<String> = holders.iter().map(ToString::to_string).collect();
    if names.is_empty() { " by another program".into() } else { format!(" by {}", names.join(", ")) }
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "serial.port.missing",
            Self::Permission { .. } => "serial.port.permission",
            Self::Busy { .. } => "serial.port.busy",
            Self::Unusable { .. } => "serial.port.unusable",
            Self::Gone { .. } => "serial.port.gone",
            Self::Connect { .. } => "serial.net.connect",
            Self::InUse { .. } => "serial.net.in-use",
            Self::NoDevice { .. } => "serial.net.no-device",
            Self::Closed { .. } => "serial.net.closed",
        }
    }

    /// What to do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { .. } => vec!["which ports there are:  jumplead ports".into()],
            Self::Permission { group: Some(group), .. } => {
                vec![format!("join the group, then log in anew:  sudo usermod -aG {group} $USER")]
            }
            Self::Permission { group: None, .. } => vec!["only root may open it; see  ls -l".into()],
            Self::Busy { holders, .. } => {
                let mut hints = vec!["end that program; a serial line has one reader".to_owned()];
                // A process id is given to another program some day.
                let files = holders.iter().filter_map(|holder| holder.lock.as_ref());
                hints.extend(files.map(|file| {
                    format!("it has nothing to do with this port? then the file is an old one:  rm {file}")
                }));
                hints
            }
            Self::Unusable { .. } => vec!["which ports there are:  jumplead ports".into()],
            Self::Gone { .. } => vec!["look at the adapter's plug, then do it again".into()],
            Self::Connect { .. } => {
                vec!["is it the port of the line, and in the right mode (raw, telnet, RFC 2217)?".into()]
            }
            Self::InUse { .. } => vec!["close the other session on the console server".into()],
            Self::NoDevice { .. } => {
                vec!["look at the console server: is its adapter plugged in, and no stale lock file left?".into()]
            }
            Self::Closed { .. } => vec!["another session may hold the line; ask the console server".into()],
        }
    }

    /// As an error of a stream, which keeps it as its source.
    pub fn into_io(self) -> std::io::Error {
        let kind = match self {
            Self::InUse { .. } | Self::Busy { .. } => std::io::ErrorKind::ResourceBusy,
            Self::Connect { .. } | Self::Closed { .. } | Self::NoDevice { .. } => std::io::ErrorKind::ConnectionRefused,
            Self::Missing { .. } => std::io::ErrorKind::NotFound,
            Self::Permission { .. } => std::io::ErrorKind::PermissionDenied,
            Self::Unusable { .. } => std::io::ErrorKind::InvalidInput,
            Self::Gone { .. } => std::io::ErrorKind::NotConnected,
        };
        std::io::Error::new(kind, self)
    }
}
