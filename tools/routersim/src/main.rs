//! `routersim run ROUTER.toml [--seed N]`: one simulated router on this host's network interfaces.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use routersim::quirks::listing;
use routersim::real::{RealError, run};
use routersim::spec::{Spec, SpecError, Version};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: routersim run ROUTER.toml [--seed N]
       routersim quirks [VERSION]

Runs the router that ROUTER.toml describes until SIGTERM or SIGINT. Its [ports] name interfaces of this
host (ether8 = \"veth1\"), which takes CAP_NET_RAW. When its console runs, one JSON line says so on
standard output.

`quirks` lists the oddities of real routers that are simulated: the switch of each (a key below
[quirks] in ROUTER.toml), its value in VERSION, or in 6.44.6 and 7.18.2, and where it is known from.
";
/// Wrong usage, as sysexits has it.
const EXIT_USAGE: u8 = 64;
/// The specification or the host doesn't allow it.
const EXIT_FAILED: u8 = 1;

fn say(text: &str) {
    // Nobody listens: nothing to do about it.
    let _ = io::stderr().write_all(text.as_bytes());
}

fn usage() -> ExitCode {
    let _ = io::stdout().write_all(USAGE.as_bytes());
    ExitCode::SUCCESS
}

fn print_quirks(version: Option<Version>) -> ExitCode {
    match io::stdout().write_all(listing(version).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(EXIT_FAILED),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (path, seed) = match words.as_slice() {
        ["help"] | ["run" | "quirks", "--help" | "-h"] => return usage(),
        words if matches!(words.first(), Some(&("--help" | "-h"))) => return usage(),
        ["run", path] => (*path, None),
        ["run", path, "--seed", seed] | ["run", "--seed", seed, path] => match seed.parse::<u64>() {
            Ok(seed) => (*path, Some(seed)),
            Err(_) => {
                say(USAGE);
                return ExitCode::from(EXIT_USAGE);
            }
        },
        ["quirks"] => return print_quirks(None),
        ["quirks", version] => match version.parse() {
            Ok(version) => return print_quirks(Some(version)),
            Err(_) => {
                say(USAGE);
                return ExitCode::from(EXIT_USAGE);
            }
        },
        ["--version" | "-V"] => {
            let _ = writeln!(io::stdout(), "routersim {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        _ => {
            say(USAGE);
            return ExitCode::from(EXIT_USAGE);
        }
    };
    // The standard library's hash keys are the system's randomness, and here it need not be more than different.
    let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    match start(Path::new(path), seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("routersim: {} [{}]\n", error, error.code()));
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn load(path: &Path) -> Result<Spec, SpecError> {
    let unreadable = |error: io::Error| SpecError::File { name: path.display().to_string(), cause: error.to_string() };
    let mut spec = Spec::from_toml(&std::fs::read_to_string(path).map_err(unreadable)?)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    spec.load_files(|name| std::fs::read_to_string(folder.join(name)))?;
    Ok(spec)
}

fn start(path: &Path, seed: u64) -> Result<(), RealError> {
    let spec = load(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RealError::Output)?;
    runtime.block_on(async {
        // Before the router starts, so that a signal at any time is a clean stop.
        let mut terminate = signal(SignalKind::terminate()).map_err(RealError::Output)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(RealError::Output)?;
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let ready = |report: &routersim::real::Ready| {
            let mut line = serde_json::to_string(report).map_err(io::Error::other)?;
            line.push('\n');
            let mut out = io::stdout().lock();
            out.write_all(line.as_bytes()).and_then(|()| out.flush())
        };
        run(spec, seed, ready, stop).await
    })
}
