//! `rehearse`: the main job, for real, on simulated routers inside this process.

use std::cell::RefCell;
use std::io::BufWriter;
use std::rc::Rc;
use std::time::Duration;

use bootstrap::ha::{PairConfig, render_installed};
use bootstrap::journal::Clock;
use bootstrap::marker::Who;
use bootstrap::pair::{Pair, PairSecrets};
use bootstrap::road::Roads as _;
use bootstrap::site::Site;
use bootstrap::store::SimStore;
use lab::pair::{Settings, Topology};
use lab::serial::NullModem;
use lab::{Hub, Tap};
use mactelnet::io::Link as _;
use routeros::Secret;
use tokio::sync::watch;
use tokio::task::LocalSet;

use super::change::{self, Answer, Screen, Surroundings};
use super::theatre::{Theatre, Wait, own_part};
use crate::cli::{Change, Faults, ROUTEROS, Rehearse, Road, Way};
use crate::failure::{Exit, Failure, Result};
use crate::known::KnownRouters;
use crate::lab_roads::{LabLines, LabSegment};
use crate::mac_road::MacRoad;
use crate::output::{GREEN, Output};
use crate::roads::PairRoads;
use crate::segment::LazyWatch;
use crate::unless_stopped;

/// The secrets of a rehearsal protect nothing.
const HA_PASSWORD: &str = "Rehearsal-2-HA.x";
const ADMIN_PASSWORD: &str = "Rehearsal-1-admin";

/// Router A's serial adapter, where B's console hangs on one.
const ADAPTER: &str = "usb1";

/// How long both routers may take to start before the story begins.
const BOOT: Duration = Duration::from_secs(300);
/// And how long A may take to become the active.
const SETTLE: Duration = Duration::from_secs(60);

/// A bad serial line: one damaged character in so many, each way, and what a console server adds.
const LINE_ERROR_EVERY: u32 = 20_000;
const LINE_LATENCY: Duration = Duration::from_millis(20);
/// Which of them are damaged.
const LINE_SEED: u64 = 0x005E_11A1;

/// Where simulated wall-clock time begins: 2026-01-01.
const EPOCH: i64 = 1_767_225_600;

/// Runs outside any runtime: it makes its own, with the clock that it wants.
pub fn run(out: &Output, args: &Rehearse) -> Result {
    match &args.seeds {
        Some(_) if args.pcap.is_some() => {
            Err(Failure::new(Exit::Usage, "usage.arguments", "--pcap keeps one run, and --seeds asks for many")
                .hint("take the one you want to look at:  jumplead --pcap FILE rehearse --seed N"))
        }
        Some(seeds) => many(out, args, seeds.clone()),
        None => once(out, args),
    }
}

fn runtime(real_time: bool) -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(!real_time)
        .build()
        .map_err(|error| Failure::new(Exit::Bug, "host.runtime", "the event loop could not be started").cause(error))
}

fn once(out: &Output, args: &Rehearse) -> Result {
    let began = std::time::Instant::now();
    let runtime = runtime(args.real_time)?;
    let played = LocalSet::new().block_on(&runtime, unless_stopped(interrupted, play(out, args, !out.quiet, false)))?;
    if let Some(torn) = &played.torn {
        out.warn(torn);
    }
    if !out.json {
        if matches!(args.road, Road::ViaA | Road::Mac) {
            out.say(own_part(&played.waits));
        }
        out.say(format!(
            "{GREEN}The pair is proved.{GREEN:#} {:.0} s of router time in {:.2} s. Nothing outside this process was touched.",
            played.took.as_secs_f64(),
            began.elapsed().as_secs_f64()
        ));
        out.say(format!("Logins at router a by MAC-Telnet: {}", played.logins));
        if let (Some(file), None) = (&args.pcap, &played.torn) {
            out.say(format!("Both cables, for Wireshark: {}", file.display()));
        }
    }
    Ok(())
}

fn interrupted() -> Failure {
    Failure::new(Exit::Interrupted, "rehearse.interrupted", "interrupted").state("simulated routers only")
}

/// Many seeds, one line for each that fails.
fn many(out: &Output, args: &Rehearse, seeds: std::ops::Range<u64>) -> Result {
    let total = seeds.end - seeds.start;
    let mut failed = Vec::new();
    let silent = Output { quiet: true, json: false, ..out.clone() };
    for seed in seeds {
        let args = Rehearse { seed, seeds: None, ..args.clone() };
        let runtime = runtime(false)?;
        let played = LocalSet::new().block_on(&runtime, unless_stopped(interrupted, play(&silent, &args, false, true)));
        if let Err(failure) = played {
            if failure.exit == Exit::Interrupted {
                return Err(failure);
            }
            out.warn(format!("seed {seed}: {}: {}", failure.code, failure.message));
            failed.push(seed);
        }
    }
    out.say(format!("{} of {total} runs ended with the pair proved", total - failed.len() as u64));
    match failed.first() {
        None => Ok(()),
        Some(seed) => {
            Err(Failure::new(Exit::EndCheckFailed, "rehearse.seeds", format!("{} runs did not end well", failed.len()))
                .state("simulated routers only")
                .hint(format!("repeat one:  {}", repeated(args, *seed))))
        }
    }
}

/// The command that plays one seed again, with what is not as usual.
fn repeated(args: &Rehearse, seed: u64) -> String {
    let mut command = format!("jumplead rehearse --seed {seed}");
    if args.dirty {
        command.push_str(" --dirty");
    }
    let options = [
        ("road", value(&args.road), args.road != Road::ViaA),
        ("routeros", args.routeros.clone(), args.routeros != ROUTEROS),
        ("sync", value(&args.sync), args.sync != Way::Backup),
        ("faults", value(&args.faults), args.faults != Faults::None),
    ];
    for (name, value, unusual) in options {
        if unusual {
            command.push_str(&format!(" --{name} {value}"));
        }
    }
    command
}

/// The word by which an option's value is typed.
fn value(of: &impl clap::ValueEnum) -> String {
    of.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Wall-clock time of the story.
#[derive(Debug)]
struct StoryClock(tokio::time::Instant);

impl Clock for StoryClock {
    fn now(&self) -> jiff::Timestamp {
        let elapsed = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        jiff::Timestamp::from_millisecond(EPOCH.saturating_mul(1000).saturating_add(elapsed)).unwrap_or_default()
    }
}

fn bug(what: &str) -> Failure {
    Failure::new(Exit::Bug, "rehearse.setup", format!("the simulated pair could not be made: {what}"))
        .state("nothing was touched")
}

fn site(road: Road, sync: Way) -> Result<Site> {
    let (reach_a, reach_b) = match road {
        Road::ViaA => ("mac://74:4D:28:0A:00:01%host", "via:a"),
        Road::Mac => ("mac://%host", "mac://%host"),
        Road::Serial => ("mac://74:4D:28:0A:00:01%host", "serial:///dev/rehearsal"),
        Road::ViaSerial => ("mac://74:4D:28:0A:00:01%host", "via:a?port=usb1"),
        Road::SerialA => ("serial:///dev/rehearsal-a", "via:a"),
        Road::SerialBoth => ("serial:///dev/rehearsal-a", "via:a?port=usb1"),
    };
    let sync = value(&sync);
    let text = format!(
        r#"format = 1
[pair]
name = "rehearsal"
ha_interface = "ether8"
sync = "{sync}"
[pair.a]
ha_mac = "74:4D:28:00:00:0A"
serial_number = "7F0001"
reach = ["{reach_a}"]
user = "admin"
password = "env:REHEARSAL"
[pair.b]
ha_mac = "74:4D:28:00:00:0B"
serial_number = "7F0002"
reach = ["{reach_b}"]
[secrets]
ha_password = "env:REHEARSAL"
"#
    );
    Site::parse(&text).map_err(|error| bug(&error.to_string()))
}

/// A site file that the line which is printed would not overwrite.
fn free_name() -> String {
    let mut names = (1_u32..).map(|n| format!("edge-{n}.toml"));
    names.find(|name| !std::path::Path::new(name).exists()).unwrap_or_default()
}

/// Commands that make router A the active of a pair whose B is missing.
fn installed() -> String {
    let pair = PairConfig {
        interface: "ether8".into(),
        mac_a: "74:4D:28:00:00:0A".into(),
        mac_b: "74:4D:28:00:00:0B".into(),
        password: HA_PASSWORD.into(),
    };
    lab::pair::active_setup(&render_installed(&pair), ADMIN_PASSWORD)
}

/// What a whole run came to.
struct Played {
    /// How long it took on the routers' clock.
    took: Duration,
    /// MAC-Telnet logins at router A.
    logins: usize,
    /// What was waited for.
    waits: Vec<Wait>,
    /// Why the capture is not whole.
    torn: Option<String>,
}

/// One whole run. A mute one shows nothing, not even how it ended.
async fn play(out: &Output, args: &Rehearse, show: bool, mute: bool) -> Result<Played> {
    let version = args.routeros.parse().map_err(|_| {
        let of_another = args.routeros.parse::<routeros::Version>().is_ok();
        let why = if of_another { "not simulated: routers of 6.x and 7.x are" } else { "no RouterOS version" };
        Failure::new(Exit::Usage, "rehearse.routeros", format!("`{}` is {why}", args.routeros))
            .hint("write it as 7.18.2 or 6.44.6")
    })?;
    let mut settings =
        if args.dirty { Settings::dirty(args.seed, &installed()) } else { Settings::standard(args.seed, &installed()) };
    settings.topology = match args.road {
        Road::Mac => Topology::OnSegment,
        _ => Topology::BehindA,
    };
    settings.a = settings.a.version(version);
    let wired = matches!(args.road, Road::ViaSerial | Road::SerialBoth);
    if wired {
        settings.a = settings.a.adapter(ADAPTER);
    }
    settings.b = settings.b.version(version);
    let (pair, link) = lab::pair::Pair::new(&settings).map_err(|error| bug(&error.to_string()))?;
    let tap = match &args.pcap {
        None => Tap::new(),
        Some(path) => {
            let file = std::fs::File::create(path).map_err(|error| {
                Failure::new(Exit::Usage, "rehearse.pcap", format!("{} can't be written", path.display())).cause(error)
            })?;
            Tap::pcap(BufWriter::new(file)).map_err(|error| bug(&error.to_string()))?
        }
    };
    pair.power_on();
    if !pair.boot(BOOT, SETTLE) {
        return Err(bug("it did not start"));
    }
    let _ = pair.take_events();
    pair.ha_wire.tap(tap.clone());
    pair.host_wire.tap(tap.clone());
    if args.faults == Faults::All {
        let faults = mactelnet::faults::Faults {
            loss: 5.0,
            duplication: 5.0,
            reordering: 5.0,
            hold: Duration::from_millis(7),
            ..mactelnet::faults::Faults::default()
        };
        pair.ha_wire.set_all_faults(faults);
        pair.host_wire.set_all_faults(faults);
        let wire = routersim::serial::Wire {
            error_every: LINE_ERROR_EVERY,
            latency: LINE_LATENCY,
            seed: args.seed ^ LINE_SEED,
        };
        pair.b.with(|router, _| router.set_serial_wire(wire));
    }
    let world = tokio::task::spawn_local(pair.world.clone().drive(1.0));
    let wired = wired.then(|| NullModem::new((&pair.a, ADAPTER), (&pair.b, routersim::system::BUILT_IN)));

    let began = tokio::time::Instant::now();
    let site = Rc::new(site(args.road, args.sync)?);
    let folder = tempfile::tempdir().map_err(|error| bug(&error.to_string()))?;
    let known = KnownRouters::open(folder.path()).map_err(|error| bug(&error.to_string()))?;
    let host = link.info().mac;
    let mac = MacRoad {
        segment: Rc::new(LabSegment::new(Hub::new(link), args.seed)),
        watch: LazyWatch::default(),
        listen: true,
        known: Rc::new(RefCell::new(known)),
        warnings: Rc::default(),
    };
    let roads = PairRoads::new(Rc::clone(&site), mac, Rc::new(LabLines { a: pair.a.clone(), b: pair.b.clone() }));
    let secrets =
        PairSecrets { ha: Secret::new(HA_PASSWORD), a: Some(Secret::new(ADMIN_PASSWORD)), ..PairSecrets::default() };
    let job = Pair { site: &site, roads: &roads, secrets, seed: args.seed, who: Who::new(args.seed, "rehearsal") };
    let mut store = SimStore::default();
    let screen = Screen::new(out);
    let screen = Rc::new(RefCell::new(if mute { screen.mute() } else { screen }));
    let theatre = Theatre::new(pair, tap.clone(), host, screen, show && !out.json, out.verbose);
    let stage = tokio::task::spawn_local(theatre.clone().follow());
    let (_stop, stopped) = watch::channel(false);
    let clock = StoryClock(began);
    let around = Surroundings {
        out,
        store: &mut store,
        clock: &clock,
        sink: &mut theatre.clone(),
        stop: stopped,
        typed: &site.name,
        site_file: None,
        // The run is in memory. With your own pair, then.
        next: Some((format!("jumplead config init > {}", free_name()), repeated(args, args.seed))),
        kept: String::new(),
    };
    let change = Change::default();
    let ended = change::bootstrap(around, &job, &change, async |plan: &bootstrap::plan::Plan| {
        if show && let Some(serial) = &plan.erases {
            out.say(format!(
                "Plan {} erases router b (serial {serial}). The rehearsal answers for you: {serial}",
                plan.fingerprint
            ));
        }
        Answer::Yes { serial: plan.erases.clone() }
    })
    .await;
    roads.let_go().await;
    stage.abort();
    theatre.show_news();
    if show && !out.json {
        theatre.show_wires();
    }
    drop(wired);
    world.abort();
    ended?;
    let torn = tap
        .trouble()
        .zip(args.pcap.as_ref())
        .map(|(error, file)| format!("{} is not whole: {error}; what is in it ends in the middle", file.display()));
    Ok(Played { took: began.elapsed(), logins: theatre.logins(), waits: theatre.waits(), torn })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    /// Waiting for two reboots is some hundred hops, on one console of the active.
    #[test]
    fn a_dirty_run_logs_in_to_the_active_a_few_times() {
        let cli = Cli::try_parse_from(["jumplead", "-q", "rehearse", "--dirty"]).unwrap();
        let Command::Rehearse(args) = &cli.command else { panic!() };
        let out = Output { json: false, quiet: true, verbose: false, command: "rehearse" };
        let played = LocalSet::new().block_on(&runtime(false).unwrap(), play(&out, args, false, true)).unwrap();
        assert!((2..=MOST_LOGINS).contains(&played.logins), "{} logins", played.logins);
        assert_prompt(&played);
    }

    /// B's console on a serial port of A: the same few logins, since A's console comes back from each line.
    #[test]
    fn a_run_over_a_serial_port_of_the_active_logs_in_there_a_few_times() {
        let cli = Cli::try_parse_from(["jumplead", "-q", "rehearse", "--dirty", "--road", "via-serial"]).unwrap();
        let Command::Rehearse(args) = &cli.command else { panic!() };
        let out = Output { json: false, quiet: true, verbose: false, command: "rehearse" };
        let played = LocalSet::new().block_on(&runtime(false).unwrap(), play(&out, args, false, true)).unwrap();
        assert!((2..=MOST_LOGINS).contains(&played.logins), "{} logins", played.logins);
    }

    /// Of A there is nothing but its serial line, which has one reader: A's console and the way to B take turns on it.
    #[test]
    fn a_run_over_the_line_of_the_active_alone_ends_proved() {
        for road in ["serial-a", "serial-both"] {
            for version in ["6.44.6", "7.18.2"] {
                let line = ["jumplead", "-q", "rehearse", "--dirty", "--road", road, "--routeros", version];
                let cli = Cli::try_parse_from(line).unwrap();
                let Command::Rehearse(args) = &cli.command else { panic!() };
                let out = Output { json: false, quiet: true, verbose: false, command: "rehearse" };
                let played =
                    LocalSet::new().block_on(&runtime(false).unwrap(), Box::pin(play(&out, args, false, true)));
                assert!(played.is_ok(), "{road} {version}: {:?}", played.err());
            }
        }
    }

    #[test]
    fn a_failed_seed_is_repeated_as_it_was() {
        let line = "jumplead rehearse --dirty --road mac --routeros 6.44.6 --sync quiet --faults all --seeds 0..9";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Rehearse(args) = &cli.command else { panic!() };
        let again = repeated(args, 7);
        let cli = Cli::try_parse_from(again.split(' ')).unwrap();
        let Command::Rehearse(parsed) = &cli.command else { panic!() };
        assert_eq!(repeated(parsed, 7), again);
        assert_eq!(again.replace("--seed 7", "").len(), line.replace("--seeds 0..9", "").len());
    }

    const MOST_LOGINS: usize = 12;

    /// Routers that are ready wait for us no longer than for one look and two round trips, whatever the road.
    #[test]
    fn no_router_waits_for_us_on_the_segment() {
        let cli = Cli::try_parse_from(["jumplead", "-q", "rehearse", "--dirty", "--road", "mac"]).unwrap();
        let Command::Rehearse(args) = &cli.command else { panic!() };
        let out = Output { json: false, quiet: true, verbose: false, command: "rehearse" };
        let played = LocalSet::new().block_on(&runtime(false).unwrap(), play(&out, args, false, true)).unwrap();
        assert_prompt(&played);
    }

    fn assert_prompt(played: &Played) {
        assert_eq!(played.waits.len(), 2, "{:?}", played.waits);
        for wait in &played.waits {
            assert!(wait.own > Duration::ZERO && wait.own <= OWN_PART + 2 * ROUND_TRIP, "{wait:?}");
        }
    }

    /// The goal for each wait (docs/benchmarks.md).
    const OWN_PART: Duration = Duration::from_millis(250);
    /// Of the lab's wires, a router's own time for a packet included.
    const ROUND_TRIP: Duration = Duration::from_millis(2);
}
