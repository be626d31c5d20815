//! Jumplead: the command line, as a library, so that tests in the simulated world take the product's own roads.

// A failure is made once and ends the process: its size costs nothing.
#![allow(clippy::result_large_err)]

mod access;
mod ask;
mod cli;
#[cfg(test)]
mod cli_in_docs;
mod cmd;
mod console;
mod consoles;
mod failure;
mod folders;
pub mod known;
pub mod lab_roads;
pub mod line_road;
mod links;
mod logging;
pub mod mac_road;
mod output;
mod reach;
pub mod roads;
pub mod segment;
pub mod term;

/// What `diagnose` does at the line of a pair's member; for tests in the simulated world.
pub use cmd::diagnose::{How, of_member_on_line};

/// What keeps the logs of a console; for benchmarks.
pub use console::{record::Record, view::Moment};

use std::io::Write as _;
use std::pin::Pin;
use std::time::Duration;

use bootstrap::target::{Member, TargetUrl};
use clap::error::ErrorKind;

use cli::{Cli, Command, Config, Ha, Rehearse};
use console::link::{Alarm, no_alarm};
use console::pump::Options;
use failure::{Exit, Failure};
use links::HostLinks;
use mactelnet::MacAddr;
pub use output::Output;
use routeros::Suffix;
use serial_console::io::Endpoint;

/// The whole program; its exit code.
pub fn main() -> u8 {
    let words: Vec<_> = std::env::args_os().collect();
    let mut cli = match Cli::read(&words) {
        Ok(cli) => cli,
        Err(error) => return misread(&error),
    };
    let out = Output::new(&cli.global, name(&cli.command));
    let ended = logging::start(&cli.global).and_then(|()| start(&mut cli, &out)).and_then(|()| output::complete());
    match ended {
        Ok(()) => 0,
        Err(failure) => {
            out.failure(&failure);
            failure.status.unwrap_or(failure.exit as u8)
        }
    }
}

/// A command line that clap did not take, or that asked for help.
fn misread(error: &clap::Error) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::written(error.print().and_then(|()| std::io::stdout().flush()));
            let Err(lost) = output::complete() else { return 0 };
            Output { json: false, quiet: false, verbose: false, command: "jumplead" }.failure(&lost);
            return lost.exit as u8;
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => drop(error.print()),
        _ => {
            // There are no parsed options that could say so.
            let json = std::env::args_os().take_while(|word| word != "--").any(|word| word == "--json");
            let (message, hints) = paragraphs(&error.to_string());
            let out = Output { json, quiet: false, verbose: false, command: "jumplead" };
            out.failure(&hints.into_iter().fold(Failure::new(Exit::Usage, "usage.arguments", message), Failure::hint));
        }
    }
    Exit::Usage as u8
}

/// clap's text as a message of one line and its hints: the message, then tips and usage, a paragraph each.
fn paragraphs(text: &str) -> (String, Vec<String>) {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let mut parts = text
        .split("\n\n")
        .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|part| !part.is_empty());
    let message = parts.next().unwrap_or_default();
    let plain = |part: String| match part.strip_prefix("Usage: ") {
        Some(usage) => format!("usage:  {usage}"),
        None => part.strip_prefix("tip: ").unwrap_or(&part).to_owned(),
    };
    (message, parts.map(plain).collect())
}

const fn name(command: &Command) -> &'static str {
    match command {
        Command::Discover { .. } => "discover",
        Command::Ping { .. } => "ping",
        Command::Console(_) => "console",
        Command::Exec(_) => "exec",
        Command::Bootstrap { .. } => "bootstrap",
        Command::Resume { .. } => "resume",
        Command::Runs { .. } => "runs",
        Command::Ports => "ports",
        Command::Diagnose { .. } => "diagnose",
        Command::Recover { .. } => "recover",
        Command::Bundle { .. } => "bundle",
        Command::Doctor => "doctor",
        Command::Rehearse(_) => "rehearse",
        Command::Config { .. } => "config",
        Command::Lint { .. } => "lint",
        Command::Ha { .. } => "ha",
        Command::Explain { .. } => "explain",
        Command::Completions { .. } => "completions",
        Command::Man { .. } => "man",
    }
}

fn start(cli: &mut Cli, out: &Output) -> failure::Result {
    if let Command::Rehearse(args) = &cli.command {
        // The simulated world has a clock of its own.
        return cmd::rehearse::run(out, &Rehearse { pcap: cli.global.pcap.clone(), ..args.clone() });
    }
    cli.global.links = HostLinks::new(cli.global.link, cli.global.pcap.as_deref())?;
    let cli = &*cli;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Bug, "host.runtime", "the event loop could not be started").cause(error))?;
    let ended = runtime.block_on(async { dispatch(cli, out).await });
    farewell(&runtime);
    // A read of standard input may still wait in its thread; nobody needs its answer.
    runtime.shutdown_background();
    if let Some(warning) = cli.global.links.finish() {
        out.warn(warning);
    }
    ended
}

/// How long sessions that were let go may take to tell their routers. One that is not told keeps a user logged in there.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(1);

/// Lets what still runs in the background end.
fn farewell(runtime: &tokio::runtime::Runtime) {
    runtime.block_on(async {
        let end = tokio::time::Instant::now() + FAREWELL;
        while runtime.metrics().num_alive_tasks() > 0 && tokio::time::Instant::now() < end {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
}

/// A command on its way. The stack of who starts one holds that one alone: a frame for whichever it may be is as big as
/// the biggest of them, and all its pages would be touched first.
type Running<'a> = Pin<Box<dyn Future<Output = failure::Result> + 'a>>;

#[inline(never)]
fn running<'a, F: Future<Output = failure::Result> + 'a>(command: impl FnOnce() -> F) -> Running<'a> {
    Box::pin(command())
}

fn dispatch<'a>(cli: &'a Cli, out: &'a Output) -> Running<'a> {
    let global = &cli.global;
    let state = || folders::state(global.state_dir.as_deref());
    match &cli.command {
        Command::Discover { interface, watch: true, .. } => {
            running(move || cmd::discover::watch(out, &global.links, interface))
        }
        Command::Discover { interface, duration, watch: false } => running(move || {
            let found = cmd::discover::run(out, &global.links, interface, *duration);
            unless_stopped(|| interrupted("discover.interrupted"), found)
        }),
        Command::Recover { target, procedure, rescue, sheet: false } => {
            running(move || cmd::recover::run(out, global, target, *procedure, rescue))
        }
        Command::Bundle { target, output, member_of } => {
            let asked = (output.as_deref(), member_of.as_deref());
            let interrupted = || interrupted("bundle.interrupted").state("no bundle was written");
            running(move || unless_stopped(interrupted, cmd::bundle::run(out, global, target, asked.0, asked.1)))
        }
        Command::Diagnose { target, listen } => running(move || {
            unless_stopped(|| interrupted("diagnose.interrupted"), cmd::diagnose::run(out, global, target, *listen))
        }),
        Command::Config { what: Config::Init { name, interface, duration } } => {
            running(move || cmd::config::init(out, &global.links, name, interface, *duration))
        }
        Command::Ping { target, count, interval } => running(move || ping(global, out, target, *count, *interval)),
        Command::Console(asked) => {
            running(async move || console(global, out, asked).await.map_err(|failure| failure.of_target(&asked.target)))
        }
        Command::Exec(asked) => running(move || exec(global, out, asked)),
        Command::Bootstrap { pair, change } => running(move || cmd::bootstrap::run(out, global, pair, change)),
        Command::Resume { run, change } => running(move || cmd::bootstrap::resume(out, global, run.as_deref(), change)),
        Command::Ports => now(|| cmd::ports::run(out)),
        Command::Recover { target, sheet: true, .. } => now(|| cmd::recover::sheet(out, target)),
        Command::Doctor => now(|| cmd::doctor::run(out, &state()?)),
        Command::Config { what: Config::Check { pair } } => now(|| cmd::config::check(out, pair)),
        Command::Config { what: Config::Show { pair } } => now(|| cmd::config::show(out, pair)),
        Command::Config { what: Config::Schema } => now(|| cmd::made::schema(out)),
        Command::Runs { what } => now(|| cmd::runs::run(out, &state()?, what)),
        Command::Lint { files, routeros, form } => now(|| cmd::lint::run(out, files, routeros, *form)),
        Command::Ha { what: Ha::Render } => now(|| cmd::ha::render(out)),
        Command::Explain { code } => now(|| cmd::explain::run(out, code.as_deref())),
        Command::Completions { shell } => now(|| cmd::made::completions(out, *shell)),
        Command::Man { command } => now(|| cmd::made::man(out, command)),
        // Has a runtime of its own, see `start`.
        Command::Rehearse(args) => now(|| cmd::rehearse::run(out, args)),
    }
}

/// A command that waits for nobody.
fn now<'a>(command: impl FnOnce() -> failure::Result) -> Running<'a> {
    Box::pin(std::future::ready(command()))
}

async fn ping(global: &cli::Global, out: &Output, target: &str, count: u32, every: Duration) -> failure::Result {
    match reach::target(target)? {
        reach::Target::Mac(target) => {
            cmd::ping::run(out, &global.links, target.mac, target.interface.as_deref(), count, every).await
        }
        reach::Target::Member { pair, member, .. } => {
            let site = cmd::config::load(&pair)?;
            let entry = site.member(member);
            let mac = entry.reach.iter().find_map(|road| match road {
                TargetUrl::Mac { mac, interface, .. } => Some((mac.unwrap_or(entry.ha_mac), interface.clone())),
                _ => None,
            });
            let Some((mac, interface)) = mac else {
                let message = format!("no mac:// road leads to {member} of {pair}: this host is not on its segment");
                return Err(Failure::new(Exit::Usage, "usage.target", message)
                    .hint(format!("from the other router's console:  /ping {}", entry.ha_mac)));
            };
            cmd::ping::run(out, &global.links, MacAddr(mac.0), interface.as_deref(), count, every).await
        }
        reach::Target::Line { .. } => Err(Failure::new(Exit::Usage, "usage.target", "ping takes a mac:// target")
            .hint("as in  jumplead ping mac://74:4D:28:00:00:0B%eth1")),
    }
}

async fn exec(global: &cli::Global, out: &Output, asked: &cli::Exec) -> failure::Result {
    let target = reach::target(&asked.target)?;
    let reach = reach::Reach::new(global)?;
    cmd::exec::run(out, &reach, &target, asked).await.map_err(|failure| failure.of_target(&asked.target))
}

/// `work`, which a signal ends in good order: what it holds is given back, and `interrupted` says what was left.
async fn unless_stopped<T>(
    interrupted: impl FnOnce() -> Failure,
    work: impl Future<Output = failure::Result<T>>,
) -> failure::Result<T> {
    tokio::select! {
        biased;
        () = cmd::exec::stopped() => Err(interrupted()),
        ended = work => ended,
    }
}

/// A signal ended a command that only reads.
fn interrupted(code: &'static str) -> Failure {
    Failure::new(Exit::Interrupted, code, "interrupted").state("nothing was changed on a router")
}

/// The first prompt is waited for: what its way doesn't need is a future of its own.
async fn console(global: &cli::Global, out: &Output, asked: &cli::Console) -> failure::Result {
    let target = reach::target(&asked.target)?;
    let (shell, options) = (asked.shell, asked.terminal.options());
    if shell == cli::ShellKind::Posix && !matches!(target, reach::Target::Mac(_)) {
        return Err(Failure::new(Exit::Usage, "usage.shell", "--shell posix talks to a mac:// target only"));
    }
    // In a pipe each line is a command, and is typed only behind a login: a key to a boot loader acts at once.
    if let (reach::Target::Line { endpoint, url }, true) = (&target, term::interactive()) {
        return running(|| on_line(out, endpoint, url, &options)).await;
    }
    let reach = reach::Reach::new(global)?;
    if let (reach::Target::Member { pair, member, by }, Some(port)) = (&target, target.terminal())
        && term::interactive()
    {
        let reached = reach.pair(pair, *member, by.clone())?;
        return running(|| on_terminal(out, &reach, reached, *member, port, &options)).await;
    }
    // In a pipe nobody sees a question: a line meant as a command would be its answer, a new password for one.
    let script = shell == cli::ShellKind::Routeros && !term::interactive();
    let mac = match &target {
        reach::Target::Mac(mac) if !script => mac,
        _ => return running(|| member(&reach, &target, out, &options)).await,
    };
    let terminal = term::size().filter(|_| term::interactive());
    // A person's terminal answers the router's questions about its size itself; to a Unix server, which a pipe means, a suffix
    // would be a part of the name.
    let size = terminal.unwrap_or(cmd::exec::POSIX_SIZE);
    let (mut link, ready) = cmd::console::opened(reach.session(mac, Suffix::Plain, size), &options).await?;
    reach.warn(out);
    let alarm = Box::pin(link.second_router());
    running(|| cmd::console::run(&mut link, out, &options, ready, alarm)).await
}

/// The console of a line asks itself who we are: nothing is to be known beforehand, and nothing is sent.
async fn on_line(out: &Output, endpoint: &Endpoint, url: &str, options: &Options) -> failure::Result {
    let mut link = line_road::LineLink::open(endpoint, url).await.map_err(reach::failure)?;
    link.notes().iter().for_each(|note| out.warn(note));
    cmd::console::run(&mut link, out, options, cmd::console::ready(options)?, no_alarm()).await
}

/// Nothing is sent on this line either, but what is typed there is watched: the router on the way is not meant.
async fn on_terminal(
    out: &Output,
    reach: &reach::Reach,
    reached: reach::ReachedPair,
    member: Member,
    port: &str,
    options: &Options,
) -> failure::Result {
    let opened = cmd::console::opened(reached.terminal(member, port), options).await;
    reach.warn(out);
    let (mut link, ready) = opened?;
    link.end_at_near_prompt();
    let ended = cmd::console::run(&mut link, out, options, ready, no_alarm()).await;
    drop(link);
    bootstrap::road::Roads::let_go(&reached.roads).await;
    ended
}

/// A console behind a login of ours: proved where it is a member's, a line of a pipe at a time.
async fn member(reach: &reach::Reach, target: &reach::Target, out: &Output, options: &Options) -> failure::Result {
    let ((shell, to), ready) = cmd::console::opened(reach.console(target), options).await?;
    reach.warn(out);
    let alarm = to.map_or_else(no_alarm, |to| -> Alarm { Box::pin(to.second_router()) });
    cmd::console::member(shell, out, options, ready, alarm).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    /// What was spawned and let go still runs, but nothing holds the end up for long.
    #[test]
    fn sessions_that_were_let_go_are_ended_before_the_process_is() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let told = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&told);
        runtime.block_on(async {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(300)).await;
                tell.store(true, Ordering::Relaxed);
            });
            tokio::spawn(std::future::pending::<()>());
        });
        super::farewell(&runtime);
        assert!(told.load(Ordering::Relaxed));
    }
}
