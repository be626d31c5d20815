//! The words of the command line: the one place where `--help` comes from.

use std::env::VarError;
use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use bootstrap::path::Confirmation;
use bootstrap::plan::is_fingerprint;
use bootstrap::recover::Procedure;
use clap::builder::TypedValueParser as _;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

use crate::console::map::Map;
use crate::console::pump::Options;
use crate::console::view::Times;
use crate::links::{HostLinks, How};

const AFTER_HELP: &str = "\
TARGET   mac://74:4D:28:00:00:0B%eth1   a router on the segment of eth1
         serial:///dev/ttyUSB0          its console on a serial port of this host [?baud=9600&framing=7e1&dtr=off&rts=on]
         rfc2217://HOST:PORT            its console at a console server, with the same options; also tcp://, telnet://, console://
         via:PAIR/a?port=usb1           b's console on a serial port of a; via:PAIR/a through a on the HA port
         PAIR/a  PAIR/b                 a member of a pair, by the roads of its site file
PAIR     a site file, or the name of one in the configuration folder

Only `bootstrap`, `recover` and `resume` change anything, and only after a plan was shown and confirmed.
Try the whole job without hardware:  jumplead rehearse";

/// Brings an erased MikroTik standby router with no IP address into a high-availability pair, over the pair's own cable.
#[derive(Debug, Parser)]
#[command(name = "jumplead", version, after_help = AFTER_HELP, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line.
    ///
    /// `console` and `exec` are waited for at their first byte, and a tree of all commands, each with a copy of the options
    /// that stand everywhere, was a tenth of that wait. So the options of such a command are tried first, alone, then with
    /// those that stand everywhere, in one level; what they don't take, the whole tree decides: it takes the same lines in
    /// the same way.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let alone = match words {
            [_, name, rest @ ..] if name == "console" => alone(rest, Command::Console),
            [_, name, rest @ ..] if name == "exec" => alone(rest, Command::Exec),
            _ => None,
        };
        let (global, command) = match alone {
            Some(read) => read,
            None => {
                // It is not taken apart: the process ends with it.
                let mut whole = ManuallyDrop::new(Self::command());
                let read = Self::from_arg_matches(&whole.try_get_matches_from_mut(words)?);
                let Self { global, command } = read.map_err(|error| error.format(&mut whole))?;
                (global, command)
            }
        };
        Ok(Self { global: global.or_environment()?, command })
    }
}

/// The options behind a command's name, where they are all right and nobody asks for help.
fn alone<A: Args>(words: &[OsString], command: fn(A) -> Command) -> Option<(Global, Command)> {
    let level = || clap::Command::new("jumplead").no_binary_name(true).disable_help_flag(true);
    let read = |level: clap::Command| {
        let mut level = ManuallyDrop::new(level);
        level.try_get_matches_from_mut(words).ok().map(ManuallyDrop::new)
    };
    if let Some(mut own) = read(A::augment_args(level())) {
        return Some((Global::default(), command(A::from_arg_matches_mut(&mut own).ok()?)));
    }
    // Of one level, which has nothing to hand down.
    let mut matches = read(A::augment_args(Global::augment_args(level())).mut_args(|arg| arg.global(false)))?;
    let global = Global::from_arg_matches_mut(&mut matches).ok()?;
    Some((global, command(A::from_arg_matches_mut(&mut matches).ok()?)))
}

/// What every command takes. The default is what is meant where no word says otherwise.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// One JSON object on stdout; long commands print events as JSON lines
    #[arg(long, global = true)]
    pub json: bool,
    /// When to colour; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_default_value = true)]
    pub color: Color,
    /// Say less
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more (-vv: still more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Write the log to a file too
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Where runs and what was learnt about routers are kept [default: ~/.local/state/jumplead]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Never ask; a question becomes an error that names the missing option
    #[arg(long, global = true)]
    pub non_interactive: bool,
    /// End another user's session that stands on a serial line, with its half-typed line; without it such a session is named
    /// and left alone
    #[arg(long, global = true)]
    pub take_over: bool,
    /// How frames leave this host: raw, or by UDP sockets where the right for raw ones can't be had. UDP is for looking and
    /// talking only
    #[arg(long, global = true, value_name = "HOW", default_value = "raw", hide_default_value = true)]
    pub link: How,
    /// Write the frames that pass to a file that Wireshark opens; what is typed and shown is zeroed, except in a rehearsal
    #[arg(long, global = true, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// The user to log in as, for a single TARGET
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Where the password comes from: env:NAME, file:PATH, cmd:COMMAND or prompt. Never the password itself
    #[arg(long, global = true, value_name = "REF")]
    pub password: Option<String>,
    /// What `--link` and `--pcap` come to, once they are carried out.
    #[arg(skip)]
    pub links: HostLinks,
}

impl Global {
    /// With what the environment says where no word did.
    fn or_environment(mut self) -> Result<Self, clap::Error> {
        if self.state_dir.is_none() {
            self.state_dir = std::env::var_os("JUMPLEAD_STATE_DIR").map(PathBuf::from);
        }
        if self.user.is_none() {
            self.user = match std::env::var("JUMPLEAD_USER") {
                Ok(user) => Some(user),
                Err(VarError::NotPresent) => None,
                Err(VarError::NotUnicode(_)) => {
                    return Err(clap::Error::raw(ErrorKind::InvalidUtf8, "JUMPLEAD_USER is no UTF-8 text"));
                }
            };
        }
        Ok(self)
    }
}

/// When to colour what is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

// A command's options are put together when it is the one: a good part of a quick command's start.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Routers on the segments, merged by router
    Discover {
        /// Interfaces to ask on; `*` stands for any text [default: all that are up; not the ports of a bridge, bond or team]
        #[arg(long, short, value_name = "GLOB")]
        interface: Vec<String>,
        /// How long to listen
        #[arg(long = "for", value_name = "TIME", default_value = "3s", value_parser = duration)]
        duration: Duration,
        /// Go on until interrupted, a line for each change
        #[arg(long)]
        watch: bool,
    },
    /// Serial ports of this host: adapter, driver, who holds them
    Ports,
    /// MAC-Ping: times and loss
    Ping {
        /// A router, as mac://MAC%INTERFACE
        target: String,
        /// How many requests
        #[arg(short = 'c', long = "count", value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
        /// Time between requests
        #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
        interval: Duration,
    },
    /// A terminal on a router; Ctrl-] opens the menu, nothing is sent on attach
    ///
    /// In a pipe each line is a command of its own. One that the router refuses ends nothing: its words are printed, the next
    /// line runs, and the exit code is 0 all the same. `exec` has a status for one command.
    Console(Console),
    /// One command on a router: clean output, true exit status
    Exec(Exec),
    /// What state a router is in, what shows it and what to do; changes nothing
    Diagnose {
        /// A router
        target: String,
        /// Type nothing at all: only listen on its serial line
        #[arg(long)]
        listen: bool,
    },
    /// One router in trouble: what is seen, a plan, one question, what was done and what it proved
    Recover {
        /// A router; with --sheet only its name is used
        target: String,
        /// What to do; without one, what was found and which procedures fit
        #[arg(value_name = "PROCEDURE", value_parser = procedures())]
        procedure: Option<Procedure>,
        #[command(flatten)]
        rescue: RescueOptions,
        /// Print a page for the person who stands beside the router, and stop
        #[arg(long)]
        sheet: bool,
    },
    /// What a router says of its trouble, or both of a pair, in one redacted file for a colleague; changes nothing
    Bundle {
        /// A router, or a pair
        target: String,
        /// The file; it must not be there yet. `-` is standard output [default: jumplead-bundle-TIME.txt]
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The pair's member that a single TARGET leads to, as in edge-1/b
        #[arg(long = "as", value_name = "PAIR/b")]
        member_of: Option<String>,
    },
    /// An erased member becomes the proved standby: ERASES ROUTER B when it is not clean
    Bootstrap {
        /// The pair
        pair: String,
        #[command(flatten)]
        change: Change,
    },
    /// Goes on with a run that stopped
    Resume {
        /// The run [default: the newest that can be resumed]
        run: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Past runs
    Runs {
        #[command(subcommand)]
        what: Runs,
    },
    /// What this host can do, and what it lacks
    Doctor,
    /// The main job on simulated routers inside the process: no hardware, no root, no packages
    Rehearse(Rehearse),
    /// The site file
    Config {
        #[command(subcommand)]
        what: Config,
    },
    /// A RouterOS script as the router would judge it, and what a console would do to it in a paste
    Lint {
        /// Script files; `-` is standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The RouterOS version
        #[arg(long, value_name = "VERSION", default_value = "7.24")]
        routeros: String,
        /// Print what `:put [:parse ...]` prints instead, on a router without extra packages
        #[arg(long)]
        form: bool,
    },
    /// The HA scripts that the pair itself runs
    Ha {
        #[command(subcommand)]
        what: Ha,
    },
    /// What an error code means and what to do
    Explain {
        /// The code that stands behind the word error; without one, all codes
        code: Option<String>,
    },
    /// What a shell needs to complete command lines, on stdout
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// A manual page, on stdout:  jumplead man | man -l -
    Man {
        /// The command whose page it is, as in `man config init`; without one, the page of all
        command: Vec<String>,
    },
}

// Options of `recover`. No doc comment, as for `Change`.
#[derive(Debug, Clone, Default, Args)]
pub struct RescueOptions {
    /// Show the plan and stop; the router stays as it is
    #[arg(long)]
    pub plan_only: bool,
    /// Go ahead with the plan of this fingerprint, without a question
    #[arg(long, value_name = "FINGERPRINT", value_parser = confirmation)]
    pub confirm: Option<String>,
    /// Probe every step, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The pair's member that a single TARGET leads to, as in edge-1/b
    #[arg(long = "as", value_name = "PAIR/b")]
    pub member_of: Option<String>,
    /// known-good may load the ACTIVE'S backup: while it starts the router speaks for the active on its data ports
    #[arg(long)]
    pub accept_cloned_window: bool,
    /// netinstall: the program, netinstall-cli
    #[arg(long, value_name = "PATH")]
    pub netinstall: Option<String>,
    /// netinstall: the RouterOS package for this board; again for each further package
    #[arg(long, value_name = "FILE")]
    pub package: Vec<String>,
    /// netinstall, etherboot: what this board's packages are for, where nothing else says it or somebody knows it better
    #[arg(long, value_name = "ARCHITECTURE", value_parser = clap::builder::PossibleValuesParser::new(bootstrap::recover::ARCHITECTURES))]
    pub architecture: Option<String>,
    /// netinstall: this host's interface on the cable to the port marked BOOT
    #[arg(long, value_name = "INTERFACE")]
    pub boot_interface: Option<String>,
    /// ha-password: where the new one comes from: env:NAME, file:PATH or prompt. Never the password itself
    #[arg(long, value_name = "REF")]
    pub new_ha_password: Option<String>,
}

fn procedures() -> impl clap::builder::TypedValueParser<Value = Procedure> {
    let values = Procedure::ALL.map(|one| clap::builder::PossibleValue::new(one.name()).help(one.says()));
    clap::builder::PossibleValuesParser::new(values).try_map(|name| name.parse::<Procedure>())
}

/// What the other end of a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShellKind {
    Routeros,
    Posix,
}

// Options of every command that changes a router. No doc comment: with deferred options clap would take it for what the
// command does.
#[derive(Debug, Clone, Default, Args)]
pub struct Change {
    /// Show the plan and stop
    #[arg(long)]
    pub plan_only: bool,
    /// Go ahead with the plan of this fingerprint, without a question; one that erases router b is confirmed with b's serial
    /// number behind it, FINGERPRINT:SERIAL
    #[arg(long, value_name = "FINGERPRINT[:SERIAL]", value_parser = confirmation)]
    pub confirm: Option<String>,
    /// Probe every step, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Stop after this step
    #[arg(long, value_name = "STEP")]
    pub stop_after: Option<String>,
    /// Accept a failed check; identity checks can't be waived
    #[arg(long, value_name = "CHECK")]
    pub waive: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub struct Rehearse {
    /// The seed of everything that varies
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Many runs, one a seed; prints a summary and the seeds that failed
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with_all = ["seed", "real_time"])]
    pub seeds: Option<Range<u64>>,
    /// What goes wrong in the runs of --seeds
    #[arg(long, value_name = "WHICH", default_value = "none")]
    pub faults: Faults,
    /// On the wall clock: as long as the real thing takes
    #[arg(long)]
    pub real_time: bool,
    /// Where both cables are recorded: the option of all commands.
    #[arg(skip)]
    pub pcap: Option<PathBuf>,
    /// Router b still carries an old configuration: it must be reset
    #[arg(long)]
    pub dirty: bool,
    /// The road to router b
    #[arg(long, value_name = "ROAD", default_value = "via-a")]
    pub road: Road,
    /// The RouterOS version of both routers
    #[arg(long, value_name = "VERSION", default_value = ROUTEROS)]
    pub routeros: String,
    /// How the pair syncs
    #[arg(long, value_name = "WAY", default_value = "backup")]
    pub sync: Way,
}

/// The usual version of a rehearsal.
pub const ROUTEROS: &str = "7.18.2";

/// How the pair of a rehearsal syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// Router b loads router a's backup
    Backup,
    /// Router b is reset and made again from router a's export, its data ports shut
    Quiet,
}

/// How router b is reached in a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Road {
    /// Through router a, by its own MAC-Telnet client
    ViaA,
    /// The host sits on the HA segment
    Mac,
    /// Router b's serial console alone, boot loader and all
    Serial,
    /// The same console, on a serial port of router a
    ViaSerial,
    /// Through router a, of which there is nothing but its own serial console
    SerialA,
    /// Both consoles by one line: router a's, and router b's on a serial port of a
    SerialBoth,
}

/// What goes wrong in a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Faults {
    None,
    All,
}

#[derive(Debug, Subcommand)]
pub enum Runs {
    /// One line a run, newest first
    List,
    /// One run: its plan, its steps, how it ended
    Show { run: String },
    /// The events of a run, as they were shown
    Replay { run: String },
    /// The journal of a run as JSON lines
    Export { run: String },
}

#[derive(Debug, Subcommand)]
pub enum Ha {
    /// HA_init.rsc on stdout, for people who install by hand; no secret is in it
    Render,
}

#[derive(Debug, Subcommand)]
pub enum Config {
    /// A site file from what is found on the segments, printed on stdout
    Init {
        /// Name of the pair
        #[arg(long, default_value = "edge-1")]
        name: String,
        /// Interfaces to look on
        #[arg(long, short, value_name = "GLOB")]
        interface: Vec<String>,
        /// How long to listen
        #[arg(long = "for", value_name = "TIME", default_value = "3s", value_parser = duration)]
        duration: Duration,
    },
    /// Whether a site file is right, and what is missing
    Check { pair: String },
    /// A site file as it is understood, secrets left out
    Show { pair: String },
    /// The JSON schema of site files, for editors
    Schema,
}

/// The plan that is confirmed. What has not even the form of one is refused before anybody is asked and a run is recorded.
fn confirmation(text: &str) -> Result<String, String> {
    if is_fingerprint(&Confirmation::written(text).fingerprint) {
        return Ok(text.to_owned());
    }
    Err("a plan's fingerprint is like f70f-10c3; --plan-only says it".to_owned())
}

/// `3s`, `250ms`, `2m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| "a time is a number and a unit, as in 3s, 250ms or 2m".to_owned())?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" | "" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(format!("unknown unit `{unit}`: use ms, s, m or h")),
    };
    if !(0.0..=604_800.0).contains(&seconds) {
        return Err("a time lies between 0 and 7 days".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A time that something may take.
fn patience(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("a command needs some time".to_owned()),
        time => Ok(time),
    }
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let bad = || "seeds are a range, as in 1..100 (the end is left out)".to_owned();
    let (from, to) = text.split_once("..").ok_or_else(bad)?;
    let range = from.parse().map_err(|_| bad())?..to.parse().map_err(|_| bad())?;
    if range.is_empty() { Err("this range holds no seed".to_owned()) } else { Ok(range) }
}

// No doc comments, as for `Change`.
#[derive(Debug, Clone, Args)]
pub struct Console {
    /// A router
    pub target: String,
    /// What answers at the other end
    #[arg(long, value_name = "SHELL", default_value = "routeros")]
    pub shell: ShellKind,
    #[command(flatten)]
    pub terminal: Terminal,
}

#[derive(Debug, Clone, Args)]
pub struct Exec {
    /// A router
    pub target: String,
    /// What answers at the other end
    #[arg(long, value_name = "SHELL", default_value = "routeros")]
    pub shell: ShellKind,
    /// How long the command may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = patience)]
    pub timeout: Duration,
    /// The command, in one or several words
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

// How a console is shown and kept.
#[derive(Debug, Clone, Args)]
pub struct Terminal {
    /// Appends the lines that are shown, each with its time and without control characters
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Appends what comes, byte for byte
    #[arg(long, value_name = "FILE")]
    log_raw: Option<PathBuf>,
    /// The time before each line
    #[arg(long, value_name = "FORM", default_value = "off")]
    times: Times,
    /// Shows bytes in hexadecimal
    #[arg(long)]
    hex: bool,
    /// Line ends and erase keys: ICRNL, IGNCR, INLCR, INLCRNL, ICRCRNL, OCRNL, ONLCR, OCRCRNL, ODELBS, OBSDEL
    #[arg(long, value_name = "NAMES", default_value = "")]
    map: Map,
    /// A status line at the bottom
    #[arg(long)]
    status: bool,
    /// Ends when the line is lost, instead of waiting for it
    #[arg(long)]
    no_reconnect: bool,
    /// How long each line of a pipe may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = patience)]
    timeout: Duration,
}

impl Terminal {
    pub fn options(&self) -> Options {
        Options {
            raw: self.log_raw.clone(),
            clean: self.log.clone(),
            times: self.times,
            hex: self.hex,
            map: self.map,
            status: self.status,
            once: self.no_reconnect,
            timeout: self.timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// A command alone reads a line as the whole tree does, and leaves all that is wrong to it.
    #[test]
    fn a_command_alone_reads_the_same() {
        let lines = [
            "console mac://74:4D:28:00:00:0B%eth1?login=md5 --shell posix -vvv --log-raw x --times since --map ODELBS",
            "console x --json --color never --non-interactive --password env:X --no-reconnect --hex --status",
            "console x",
            "console x --hex --times wall",
            "exec x -- /system identity print",
            "console x --map NONSENSE",
            "console x -q -v",
            "console --help",
            "console x -h",
            "console x --version",
            "console x --shel posix",
            "console -- x",
            "console x -- y",
            "exec x --timeout 2m -- /export console --json --help",
            "exec x",
            "exec --help",
            "exec x /system identity print",
            "--json console mac://74:4D:28:00:00:0B%eth1 --shell posix -v",
            "console --user console x",
            "--user console exec x -- /system identity print",
            "--user exec console x",
            "exec x -- console --json",
            "discover --watch --for 5s -qi eth*",
            "config show edge-1 --state-dir bootstrap",
            "runs list",
            "bootstrap edge-1 --plan-only --waive same-board",
            "ports --help",
            "--version ports",
            "config",
            "consol x",
            "console",
            "console x y",
            "-q -v ports",
            "ports ports",
            "",
        ];
        for line in lines {
            let words: Vec<OsString> =
                std::iter::once("jumplead").chain(line.split_whitespace()).map(Into::into).collect();
            let told = |read: Result<Cli, clap::Error>| match read {
                Ok(cli) => format!("{cli:?}"),
                Err(error) => format!("{:?} {error}", error.kind()),
            };
            assert_eq!(told(Cli::read(&words)), told(Cli::try_parse_from(&words)), "{line}");
        }
    }

    #[test]
    fn times_and_ranges() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("2 weeks").is_err());
        assert!(duration("-1s").is_err());
        assert_eq!(seeds("1..3"), Ok(1..3));
        assert!(seeds("3..1").is_err());
    }
}
