//! 64 serial lines at 115200, each written in pieces of 256 bytes as fast as the line carries, each with a raw and a clean
//! log: what reading costs and the record that `console` keeps. The writers are another process.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jumplead::line_road::LineLink;
use jumplead::{Moment, Record};
use routeros::TermSize;
use serial_console::io::{Endpoint, Pty};
use serial_console::{LineSettings, Wires};
use tokio::io::AsyncReadExt as _;

const LINES: usize = 64;
const BAUD: u32 = 115_200;
const PIECE: usize = 256;
const LASTS: Duration = Duration::from_secs(15);
/// Clock ticks of /proc/self/stat in a second, on every Linux that we know.
const TICKS: f64 = 100.0;

/// Holds the far ends, says their names, and writes when told to.
async fn feed() {
    let mut ptys: Vec<Pty> = (0..LINES).map(|_| Pty::open(BAUD, None).unwrap()).collect();
    for pty in &ptys {
        println!("{}", pty.path().display());
    }
    std::io::stdout().flush().unwrap();
    // A pty notices who has it open only when it is read.
    for pty in &mut ptys {
        let _ = tokio::time::timeout(Duration::from_millis(200), pty.read()).await;
    }
    println!("go");
    let text: Vec<u8> = (0..PIECE - 2).map(|at| b'a' + u8::try_from(at % 26).unwrap()).chain(*b"\r\n").collect();
    let pause = Duration::from_secs_f64(f64::from(u32::try_from(PIECE * 10).unwrap()) / f64::from(BAUD));
    let mut next = tokio::time::interval(pause);
    let (begun, mut written) = (Instant::now(), 0);
    while begun.elapsed() < LASTS {
        next.tick().await;
        for pty in &mut ptys {
            written += pty.write(&text);
        }
    }
    println!("{written}");
}

/// Seconds of CPU that this process has had.
fn cpu() -> f64 {
    let mut stat = String::new();
    File::open("/proc/self/stat").unwrap().read_to_string(&mut stat).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / TICKS
}

async fn read(path: String, folder: std::path::PathBuf, number: usize) -> usize {
    let endpoint = Endpoint::Local { path, settings: LineSettings::at(BAUD), wires: Wires::default() };
    let mut line = LineLink::open(&endpoint, "bench").await.unwrap();
    let log = |kind: &str| folder.join(format!("{number}.{kind}"));
    let size = TermSize { cols: 80, rows: 24 };
    let mut record = Record::new(Some(&log("raw")), Some(&log("log")), size).unwrap();
    let begun = Instant::now();
    let (mut total, mut space) = (0, [0; 4096]);
    while let Ok(count) = line.read(&mut space).await {
        total += count;
        assert_eq!(record.heard(&Moment::of(begun), &space[..count]), None);
    }
    total
}

async fn measure(paths: Vec<String>, mut from: impl std::io::BufRead, folder: &Path) {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let lines: Vec<_> = paths
                .into_iter()
                .enumerate()
                .map(|(number, path)| tokio::task::spawn_local(read(path, folder.to_owned(), number)))
                .collect();
            tokio::time::sleep(Duration::from_millis(500)).await;
            // Everything is open, and nothing has been written yet.
            from.read_line(&mut String::new()).unwrap();
            let (before, begun) = (cpu(), Instant::now());
            let (mut total, mut read) = (0, 0);
            for line in lines {
                total += line.await.unwrap();
                read += 1;
            }
            let (spent, took) = (cpu() - before, begun.elapsed().as_secs_f64());
            let mut rest = String::new();
            from.read_to_string(&mut rest).unwrap();
            let written = rest.lines().last().unwrap_or_default().to_owned();
            println!(
                "{read} lines at {BAUD} with raw and clean logs: {:.1} % of a core (goal 10 %), {total} of {written} bytes in {took:.1} s, {:.0} KB/s",
                spent / took * 100.0,
                f64::from(u32::try_from(total / 1000).unwrap_or(u32::MAX)) / took
            );
        })
        .await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if std::env::args().nth(1).as_deref() == Some("feed") {
        return runtime.block_on(feed());
    }
    let folder = tempfile::tempdir().unwrap();
    let mut feeder = Command::new(std::env::current_exe().unwrap());
    let mut feeder = feeder.arg("feed").stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(feeder.stdout.take().unwrap());
    let mut paths = Vec::new();
    while paths.len() < LINES {
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        paths.push(line.trim().to_owned());
    }
    runtime.block_on(measure(paths, said, folder.path()));
    feeder.wait().unwrap();
}
