//! How fast, beside the C tools in the same run: start of the client to its first prompt, and bulk over a cable with a
//! round trip of 2 ms. Prints; gates nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // a benchmark ends at the first surprise

use std::io::{Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jumplead_tests::binary::jumplead;
use jumplead_tests::c_server::{CServer, MACTELNETD, PASSWORD, USER};
use jumplead_tests::first_prompt::{CLIENT, SERVER, TwoHosts, addressed, killed, theirs};
use jumplead_tests::inside::inside;
use jumplead_tests::our_server::{self, OurServer, bulk};
use jumplead_tests::relay::Relay;
use lab::netns::{Namespace, missing, veth};
use mactelnet::auth::Password;
use mactelnet::client::{Config, GapPolicy, LoginPolicy};
use mactelnet::faults::Faults;
use mactelnet::io::Session;
use mactelnet::io::raw::{Capture, RawLink};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How often each client is started, unless JUMPLEAD_STARTS says otherwise.
const STARTS: usize = 40;
/// How often each way is measured, in turn: on a machine at work three runs behind each other differ by more than the ways do.
const RUNS: usize = 9;
const ONE_WAY: Duration = Duration::from_millis(1);
/// What the C pair carries in about half a second at that round trip.
const BYTES: usize = 200_000;
/// A shell that prints as many bytes and says when it begins.
const THEIR_BULK: &str = "stty -echo -onlcr; echo BEGIN; head -c 200000 /dev/zero | tr '\\000' x; exit\r";

fn main() {
    if let Some(why) = missing(&[MACTELNETD, "mactelnet", "unshare"]) {
        println!("SKIPPED: bench_peers: {why}");
        return;
    }
    starts();
    transfers();
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn fastest(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn starts() {
    let hosts = TwoHosts::new();
    let (mut c, mut ours) = (Vec::new(), Vec::new());
    let starts = std::env::var("JUMPLEAD_STARTS").ok().and_then(|text| text.parse().ok()).unwrap_or(STARTS);
    for _ in 0..starts {
        c.push(hosts.prompted(hosts.theirs(), killed));
        ours.push(hosts.prompted(hosts.ours(&[jumplead()]), killed));
    }
    // The fastest says what the programs take; the median what this machine, busy as it is, makes of it.
    let (c_best, ours_best) = (fastest(&c), fastest(&ours));
    let (c, ours) = (median(c), median(ours));
    println!("start of the client to its first prompt, {starts} each in turn, mactelnetd 0.4.4 over a veth pair");
    println!("  mactelnet 0.4.4  median {:8.2} ms   fastest {:8.2} ms", ms(c), ms(c_best));
    println!("  jumplead         median {:8.2} ms   fastest {:8.2} ms", ms(ours), ms(ours_best));
    let (median, fastest) = (ms(ours) / ms(c), ms(ours_best) / ms(c_best));
    println!("  ratio            median {median:8.2}      fastest {fastest:8.2}      (goal <= 1.0)");
}

/// Output of their client: from BEGIN to the end.
fn c_client() -> Duration {
    let mut child = theirs().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(THEIR_BULK.as_bytes()).unwrap();
    let (mut seen, mut buffer, mut begun) = (Vec::new(), [0; 16_384], None);
    let mut stdout = child.stdout.take().unwrap();
    loop {
        let n = stdout.read(&mut buffer).unwrap();
        if n == 0 {
            break;
        }
        seen.extend_from_slice(&buffer[..n]);
        if begun.is_none() && find(&seen, b"BEGIN\n").is_some() {
            begun = Some(Instant::now());
        }
    }
    let took = begun.expect("their shell began").elapsed();
    check(&seen, &vec![b'x'; BYTES]);
    killed(child);
    took
}

fn find(seen: &[u8], what: &[u8]) -> Option<usize> {
    seen.windows(what.len()).position(|window| window == what)
}

fn check(seen: &[u8], wanted: &[u8]) {
    let whole = find(seen, &wanted[..64]).is_some_and(|at| seen[at..].starts_with(wanted));
    assert!(whole, "the transfer is not whole: {} bytes seen", seen.len());
}

async fn connect(gap: GapPolicy) -> Session {
    let mut config = Config::new(CLIENT, SERVER, USER, Password::from(PASSWORD), [1; 32]);
    config.login = LoginPolicy::Md5;
    config.gap = gap;
    let link = Box::new(RawLink::open("v0", Capture::MacServices).unwrap());
    Session::connect(link, config).await.unwrap()
}

/// From `begin` in the output to the session's end.
async fn read_all(session: &mut Session, begin: &[u8]) -> (Vec<u8>, Duration) {
    let (mut seen, mut buffer, mut begun) = (Vec::new(), vec![0; 65_536], None);
    loop {
        let n = session.read(&mut buffer).await.unwrap();
        if n == 0 {
            return (seen, begun.map_or(Duration::ZERO, |begun: Instant| begun.elapsed()));
        }
        seen.extend_from_slice(&buffer[..n]);
        if begun.is_none() && find(&seen, begin).is_some() {
            begun = Some(Instant::now());
        }
    }
}

async fn our_client_their_server() -> Duration {
    let mut session = connect(GapPolicy::OneOutstanding).await;
    session.write_all(THEIR_BULK.as_bytes()).await.unwrap();
    let (seen, took) = read_all(&mut session, b"BEGIN\n").await;
    check(&seen, &vec![b'x'; BYTES]);
    took
}

async fn our_client_our_server(gap: GapPolicy) -> Duration {
    let mut session = connect(gap).await;
    session.write_all(format!("echo BEGIN\rbulk {BYTES}\rexit\r").as_bytes()).await.unwrap();
    let (seen, took) = read_all(&mut session, b"BEGIN\r\n").await;
    check(&seen, &bulk(BYTES));
    assert!(seen.ends_with(b"bye\r\n") && find(&seen, our_server::PROMPT.as_bytes()).is_some());
    took
}

fn transfers() {
    let [server, relay, client] = ["server", "relay", "client"].map(|label| Namespace::new(label).unwrap());
    veth((&server, "v0", Some(SERVER)), (&relay, "r0", None)).unwrap();
    veth((&relay, "r1", None), (&client, "v0", Some(CLIENT))).unwrap();
    addressed(&server, "192.0.2.1/24");
    addressed(&client, "192.0.2.2/24");
    let _relay = Relay::start(&relay, "r0", "r1", Faults::delay(ONE_WAY), 1).unwrap();
    let rate = |times: Vec<Duration>| f64::from(u32::try_from(BYTES).unwrap()) / 1e3 / median(times).as_secs_f64();
    let with_theirs = |work: &dyn Fn() -> Duration| {
        let _daemon = CServer::start(&server, true).unwrap();
        work()
    };
    let with_ours = |gap| inside(&client, || our_client_our_server(gap));
    let (mut c, mut unproved, mut one, mut proved) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        c.push(with_theirs(&|| inside(&client, || async { c_client() })));
        unproved.push(with_theirs(&|| inside(&client, our_client_their_server)));
        let _ours = OurServer::start(&server, "v0").unwrap();
        one.push(with_ours(GapPolicy::OneOutstanding));
        proved.push(with_ours(GapPolicy::Prove));
    }
    let [c, unproved, one, proved] = [c, unproved, one, proved].map(rate);
    println!("{BYTES} bytes down at a round trip of 2 ms, median of {RUNS}, each way in turn");
    println!("  mactelnet 0.4.4 from mactelnetd 0.4.4   {c:8.0} KB/s");
    println!("  ours from mactelnetd 0.4.4 (unproved)   {unproved:8.0} KB/s   ratio {:.2} (goal >= 1.0)", unproved / c);
    println!("  ours from ours, not proved              {one:8.0} KB/s   ratio {:.2}", one / c);
    println!("  ours from ours, proved                  {proved:8.0} KB/s   ratio {:.2} (goal >= 8)", proved / c);
}
