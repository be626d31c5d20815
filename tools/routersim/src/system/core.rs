//! [`System`]: one boot of a router, from the kernel's start until it goes down.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use mactelnet::{Instant, MacAddr};

use super::device_mode::DeviceState;
use super::files::Files;
use super::history::History;
use super::jobs::Jobs;
use super::log::LogRing;
use crate::console::{LogLine, Notices};
use crate::kernel::{JobId, Kernel};
use crate::menu::Config;
use crate::menu::catalog::Collected;
use crate::menu::time::Calendar;
use crate::net::Net;
use crate::quirks::Quirks;
use crate::record::{EventKind, Phase, Recorder};
use crate::script::Globals;
use crate::spec::{Board, Spec, Version};

/// What outlives a reboot: the board's memory and what lies on its storage.
#[derive(Debug, Clone)]
pub struct Storage {
    /// The configuration.
    pub config: Config,
    /// Files.
    pub files: Files,
    /// What the operator's clock differs from the simulation's, seconds.
    pub clock_offset: i64,
    /// Whether the licence question is still to be asked.
    pub license_pending: bool,
    /// A reset or restore that the next start puts into force.
    pub pending: Option<Pending>,
    /// `run-after-reset`: the file to be run at the next start.
    pub run_after_reset: Option<String>,
    /// When each user logged in last, in seconds of the clock.
    pub last_logins: BTreeMap<String, u64>,
    /// Console sessions so far, over all boots.
    pub sessions: u64,
    /// Starts so far.
    pub boots: u64,
    /// RouterBOOT's version, and the one that left the factory with the board.
    pub firmware: Version,
    /// See [`Storage::firmware`].
    pub factory_firmware: Version,
    /// A firmware that the next start writes.
    pub firmware_next: Option<Version>,
    /// A RouterOS version that the next start installs.
    pub installing: Option<Version>,
    /// `/system package downgrade` was given: older packages are taken too.
    pub downgrade: bool,
    /// What the next start logs: topics and message.
    pub boot_notes: Vec<(String, String)>,
    /// Device mode.
    pub device: DeviceState,
    /// What disk actions of the log hold in their current file: `/log` shows it, from earlier boots too.
    pub disk_log: super::log::LogRing,
}

/// A change of the whole configuration that the next start makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pending {
    /// A reset.
    Reset(super::reset::Reset),
    /// A backup's configuration.
    Restore {
        /// File name.
        name: String,
        /// What was in it.
        config: Config,
    },
}

/// An Ethernet socket as this boot sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Position on the board.
    pub index: usize,
    /// The default name that it came up under.
    pub default_name: String,
    /// Burnt-in address.
    pub mac: MacAddr,
    /// Whether its driver has come up.
    pub present: bool,
}

/// What is to become of the whole router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerAction {
    /// Start again.
    Reboot,
    /// Stay off.
    Halt,
}

/// A boot's volatile state besides the script environment.
#[derive(Debug, Default)]
pub struct Volatile {
    /// The log.
    pub log: LogRing,
    /// History of changes.
    pub history: History,
    /// Scripts that run.
    pub jobs: Jobs,
    /// Run counts and last starts of scripts and schedulers, by menu and id.
    pub runs: BTreeMap<(&'static str, u32), (u64, u64)>,
    /// Generation of each scheduler item; a running timer of an older one ends.
    pub timers: BTreeMap<u32, u64>,
    /// When the timers of the scheduler's items run out next.
    pub due: BTreeMap<u32, Instant>,
    /// Address list entries with a timeout, by menu and id: the timeout as it was set, and when it is over.
    pub expiring: BTreeMap<(&'static str, u32), (String, Instant)>,
    /// Hosts of `/tool netwatch`, by the item's id.
    pub watched: BTreeMap<u32, super::netwatch::Watched>,
    /// How often each VRRP interface was set, by id: what quirk `vrrp_set_resets` goes by.
    pub vrrp_writes: BTreeMap<u32, u64>,
    /// Whether somebody tried to send an e-mail, which fails.
    pub mail_failed: bool,
    /// Who holds safe mode: session and user.
    pub safe_mode: Option<(crate::record::SessionId, String)>,
    /// Console sessions that are open: who, from where, since when.
    pub sessions: Vec<super::sessions::Open>,
}

/// One boot of a router.
pub struct System {
    /// What it is.
    pub spec: Rc<Spec>,
    /// Its oddities.
    pub quirks: Quirks,
    /// Its board.
    pub board: &'static Board,
    /// Events.
    pub recorder: Rc<Recorder>,
    /// What outlives it.
    pub storage: Rc<RefCell<Storage>>,
    /// Its jobs and its clock.
    pub kernel: Kernel,
    /// When uptime was zero.
    pub booted: Instant,
    /// Its Ethernet sockets.
    pub sockets: RefCell<Vec<Socket>>,
    /// Whether a live cable is in each socket.
    pub links: RefCell<Vec<bool>>,
    /// What a reboot forgets.
    pub volatile: RefCell<Volatile>,
    /// Global variables, by the user who owns them; one set for all is under the empty name.
    pub globals: RefCell<BTreeMap<String, Globals>>,
    /// Where critical log lines reach open consoles.
    pub notices: Notices,
    /// Its serial ports.
    pub(crate) ports: RefCell<super::ports::Ports>,
    pub(crate) me: Weak<System>,
    pub(crate) net: RefCell<Option<Net>>,
    pub(crate) phase: Cell<Phase>,
    pub(crate) power: Cell<Option<PowerAction>>,
    /// Kernel jobs that end with the console process: sessions, scripts, timers.
    pub(crate) console_jobs: RefCell<Vec<JobId>>,
    pub(crate) collected: Collected,
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "System({}, {:?})", self.spec.name, self.phase.get())
    }
}

impl System {
    /// Reads the configuration. It must not be changed meanwhile.
    pub fn config<T>(&self, read: impl FnOnce(&Config) -> T) -> T {
        read(&self.storage.borrow().config)
    }

    /// Changes the configuration.
    pub fn config_mut<T>(&self, change: impl FnOnce(&mut Config) -> T) -> T {
        change(&mut self.storage.borrow_mut().config)
    }

    /// Notes an event.
    pub fn note(&self, kind: EventKind) {
        self.recorder.note(self.kernel.now(), kind);
    }

    /// Time since this boot's uptime was zero.
    pub fn uptime(&self) -> Duration {
        self.kernel.now().saturating_since(self.booted)
    }

    /// Unix time as the router believes it to be.
    pub fn unix_time(&self) -> u64 {
        let now = self.spec.epoch + self.kernel.now().since_epoch().as_secs();
        now.saturating_add_signed(self.storage.borrow().clock_offset)
    }

    /// A moment of this boot as the router's clock names it, in the version's form.
    pub fn stamp_of(&self, at: Instant) -> String {
        let ago = self.kernel.now().saturating_since(at).as_secs();
        let when = Calendar::from_unix(self.unix_time().saturating_sub(ago));
        format!("{} {}", when.date(self.spec.version.is_v7()), when.time())
    }

    /// What the router is doing.
    pub fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        self.note(EventKind::Phase(phase));
    }

    /// The network, once it is up.
    pub fn net(&self) -> Option<Net> {
        self.net.borrow().clone()
    }

    /// A log line as consoles show it.
    pub fn log_line(&self, time: u64, topics: &str, message: &str) -> LogLine {
        let when = Calendar::from_unix(time);
        LogLine {
            stamp: format!("{} {}", when.date(self.spec.version.is_v7()), when.time()),
            clock: when.time(),
            topics: topics.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The shared handle on itself. A method that has `&self` is called through one, so there is always one.
    pub fn rc(&self) -> Option<Rc<System>> {
        self.me.upgrade()
    }
}
