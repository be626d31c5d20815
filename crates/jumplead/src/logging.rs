//! Where the log goes: to stderr (with `-v`) and to `--log-file`, which has what `-vv` shows without being asked. It holds
//! addresses, types and lengths, no session bytes.

use std::io::IsTerminal as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::OnceLock;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

use crate::cli::{Color, Global};
use crate::failure::{Exit, Failure, Result};

/// Overrides what is logged, in tracing's own words.
const DIRECTIVES: &str = "JUMPLEAD_LOG";

/// What is logged: JUMPLEAD_LOG, or `level`. Directives are parsed only where there are some: their parser costs a good
/// part of a quick command's start.
fn filter<S: Subscriber>(level: LevelFilter) -> Box<dyn tracing_subscriber::layer::Filter<S> + Send + Sync> {
    let given = std::env::var_os(DIRECTIVES).is_some();
    match given.then(|| tracing_subscriber::EnvFilter::try_from_env(DIRECTIVES)) {
        Some(Ok(directives)) => Box::new(directives),
        _ => Box::new(level),
    }
}

/// To stderr, in colours where the command's own words have some.
fn terminal(
    level: LevelFilter,
    colours: bool,
) -> impl Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a> + Send + Sync {
    let layer = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr).with_target(false);
    tracing_subscriber::registry().with(layer.with_filter(filter(level)))
}

/// Begins to log as the command line says.
pub fn start(global: &Global) -> Result {
    let level = match global.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let colours = match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()),
    };
    let Some(path) = &global.log_file else {
        if level == LevelFilter::WARN && std::env::var_os(DIRECTIVES).is_none() {
            // Nothing was set before.
            let _ = tracing::subscriber::set_global_default(Late { colours, made: OnceLock::new() });
        } else {
            terminal(level, colours).init();
        }
        return Ok(());
    };
    let file = std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(|error| {
        Failure::new(Exit::Usage, "host.log-file", format!("the log file {} can't be written", path.display()))
            .cause(error)
    })?;
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(std::sync::Mutex::new(file));
    // First, since what is noted of a span is written once, for all, as the first one wants it: without colours.
    let screen = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr).with_target(false);
    let kept = level.max(LevelFilter::DEBUG);
    let both =
        tracing_subscriber::registry().with(layer.with_filter(filter(kept))).with(screen.with_filter(filter(level)));
    both.init();
    Ok(())
}

/// Warnings to stderr, by what is made when there is the first one: most commands have none, and making it is some 8 % of
/// what a quick command computes until it begins (callgrind).
struct Late {
    colours: bool,
    made: OnceLock<Box<dyn Subscriber + Send + Sync>>,
}

impl Late {
    fn made(&self) -> &(dyn Subscriber + Send + Sync) {
        &**self.made.get_or_init(|| Box::new(terminal(LevelFilter::WARN, self.colours)))
    }
}

impl Subscriber for Late {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.made().new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.made().record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.made().record_follows_from(span, follows);
    }

    fn event(&self, event: &Event<'_>) {
        // Per-layer filters note in `enabled` what `event` is to show.
        if self.made().enabled(event.metadata()) {
            self.made().event(event);
        }
    }

    fn enter(&self, span: &Id) {
        self.made().enter(span);
    }

    fn exit(&self, span: &Id) {
        self.made().exit(span);
    }
}
