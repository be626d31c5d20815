//! The events.

use std::fmt;

use mactelnet::Instant;

/// One event and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Time on the simulation's clock.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
}

/// Names one console session of one router; never used again, also not after a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a router is doing as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// No power, or halted.
    Off,
    /// RouterBOOT: its banner and its key window.
    RouterBoot,
    /// The kernel loads and starts.
    Kernel,
    /// The kernel runs; configuration is being applied.
    Services,
    /// The console process runs: logins are possible.
    Up,
    /// A reboot or shutdown was asked for.
    ShuttingDown,
}

/// How a session or command came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// MAC-Telnet.
    MacTelnet,
    /// Serial console.
    Serial,
    /// FTP.
    Ftp,
    /// SSH: a console, or a single line.
    Ssh,
    /// The scheduler.
    Scheduler,
    /// A job started by `:execute`.
    Execute,
    /// A `.auto.rsc` file.
    AutoRsc,
    /// `on-master` or `on-backup` of a VRRP interface.
    Vrrp,
    /// A script of `/tool netwatch`.
    Netwatch,
    /// `run-after-reset`.
    Reset,
    /// A test's or the specification's own hand.
    Test,
}

/// How something that was asked for ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// A question was answered with no, or not answered.
    Declined,
    /// Refused, with RouterOS's words.
    Refused(String),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The router is in another phase.
    Phase(Phase),
    /// Power was cut by the outside, with `lost` file writes not yet on the storage.
    PowerCut {
        /// File writes lost.
        lost: usize,
    },
    /// The console process died and came back: globals gone, startup items due again.
    ConsoleCrash,
    /// A console session began.
    SessionOpened {
        /// Which.
        session: SessionId,
        /// From where.
        via: Via,
    },
    /// A console session ended.
    SessionClosed {
        /// Which.
        session: SessionId,
    },
    /// Bytes typed into a session.
    ConsoleIn {
        /// Which.
        session: SessionId,
        /// The bytes; passwords typed at a console are among them.
        bytes: Vec<u8>,
    },
    /// Bytes shown by a session.
    ConsoleOut {
        /// Which.
        session: SessionId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Somebody tried to log in.
    Login {
        /// Name given.
        user: String,
        /// From where.
        via: Via,
        /// Whether it was taken.
        ok: bool,
    },
    /// Configuration changed.
    Config {
        /// Menu, as `/ip/address`.
        menu: String,
        /// `add`, `set`, `remove`, `enable`, `disable`, `move`, `unset`.
        verb: &'static str,
        /// The item, as `*1` (empty for a menu of one).
        item: String,
        /// Names of the properties given; no values, since some are secrets.
        properties: Vec<String>,
        /// On whose behalf.
        user: String,
    },
    /// A command that erases, replaces or restarts the router was entered.
    Asked {
        /// Its path and verb, as `/system/reset-configuration`.
        command: &'static str,
        /// On whose behalf.
        user: String,
        /// From where.
        via: Via,
    },
    /// What became of it.
    Answered {
        /// Its path and verb.
        command: &'static str,
        /// How it ended.
        outcome: Outcome,
    },
    /// The configuration was erased.
    ConfigErased {
        /// Whether users were kept.
        keep_users: bool,
        /// Whether the factory's default configuration stays away.
        no_defaults: bool,
    },
    /// A backup's configuration took the place of the running one.
    BackupLoaded {
        /// File name.
        name: String,
    },
    /// A backup was written.
    BackupSaved {
        /// File name.
        name: String,
    },
    /// A command was given, or one with an argument, that this version has and the simulator doesn't model.
    NotSimulated {
        /// Its path and name, as `/interface/ethernet/monitor`, and the argument: `/ip/ssh/set ciphers`.
        command: String,
        /// On whose behalf.
        user: String,
    },
    /// A script began.
    ScriptStarted {
        /// `/system script` name, file name, or the first word of its text.
        name: String,
        /// What started it.
        via: Via,
        /// On whose behalf.
        user: String,
    },
    /// A script ended.
    ScriptEnded {
        /// Its name.
        name: String,
        /// Its error, if it failed.
        error: Option<String>,
    },
    /// A line of the log.
    Log {
        /// Topics, comma-separated.
        topics: String,
        /// Text.
        message: String,
    },
    /// A file appeared or changed.
    FileWritten {
        /// Name.
        name: String,
        /// Size, bytes.
        size: usize,
    },
    /// A file went away.
    FileRemoved {
        /// Name.
        name: String,
    },
    /// A VRRP interface took a role.
    Vrrp {
        /// Interface.
        interface: String,
        /// Whether it is master now.
        master: bool,
    },
    /// The boot loader took a key.
    BootKey {
        /// Which of its menus, or its key window.
        menu: &'static str,
        /// The key, as it was received.
        key: u8,
    },
    /// The boot loader formatted the storage: nothing is left to boot from.
    BootFormatted,
    /// The network installer wrote the storage anew.
    Installed {
        /// What it put there.
        version: String,
        /// Whether the configuration was kept.
        kept: bool,
    },
    /// A break arrived on the serial line.
    SerialBreak,
    /// Who is at the other end of the serial line drove its wires.
    SerialWires {
        /// Data terminal ready.
        dtr: bool,
        /// Request to send.
        rts: bool,
    },
    /// Characters on the serial line found no room: nobody had read the earlier ones.
    SerialLost {
        /// How many.
        bytes: usize,
    },
    /// A port of the board got or lost link, or was switched on or off.
    Port {
        /// Its name.
        name: String,
        /// Whether it runs.
        running: bool,
    },
}

impl EventKind {
    /// Whether the router's configuration or its life is gone or replaced by this.
    pub fn is_destructive(&self) -> bool {
        matches!(
            self,
            Self::ConfigErased { .. } | Self::BackupLoaded { .. } | Self::BootFormatted | Self::Installed { .. }
        )
    }
}
