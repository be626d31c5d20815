//! From the serial console of one router, over `/tool mac-telnet` and a cable, to the console of another.

#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop here")]

use std::time::Duration;

use mactelnet::Instant;
use routersim::kernel::{PipeReader, PipeWriter};
use routersim::quirks::{IdleLogout, QuirkOverrides};
use routersim::record::{Event, EventKind, Phase, Via};
use routersim::spec::Version;
use routersim::{Router, Spec};

/// Two routers, one cable from ether8 to ether8, and a terminal on A's serial port.
struct Pair {
    routers: [Router; 2],
    ports: [usize; 2],
    now: Instant,
    keys: Option<PipeWriter>,
    screen: Option<PipeReader>,
    shown: String,
    events: [Vec<Event>; 2],
}

impl Pair {
    fn new(version: Version, quirk: impl Fn(&mut QuirkOverrides)) -> Self {
        let spec = |spec: Spec| spec.version(version).quirk(&quirk);
        let routers = [Router::new(spec(Spec::pair_a()), 1).unwrap(), Router::new(spec(Spec::pair_b()), 2).unwrap()];
        let ports = [0, 1].map(|side: usize| routers[side].port("ether8").unwrap());
        let now = Instant::from_millis(1);
        let events = [Vec::new(), Vec::new()];
        let mut pair = Self { routers, ports, now, keys: None, screen: None, shown: String::new(), events };
        for (router, port) in pair.routers.iter_mut().zip(ports) {
            router.set_link(now, port, true);
            router.power_on(now);
        }
        let up = pair.until(600, |pair| pair.routers.iter().all(|router| router.phase() == Phase::Up));
        assert!(up, "never up");
        pair.wait(10);
        let (_, keys, screen) = pair.routers[0].open_serial(pair.now).unwrap();
        (pair.keys, pair.screen) = (Some(keys), Some(screen));
        pair
    }

    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for side in 0..2 {
                while let Some((port, frame)) = self.routers[side].poll_transmit() {
                    if port == self.ports[side] {
                        let other = 1 - side;
                        self.routers[other].handle_frame(self.now, self.ports[other], &frame);
                        moved = true;
                    }
                }
                while let Some(event) = self.routers[side].poll_event() {
                    self.events[side].push(event);
                }
            }
            if !moved {
                break;
            }
        }
        if let Some(screen) = &mut self.screen {
            self.shown.push_str(&String::from_utf8_lossy(&screen.take(usize::MAX)));
        }
    }

    /// Runs until `done`, at most for `seconds`.
    fn until(&mut self, seconds: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            self.settle();
            if done(self) {
                return true;
            }
            let next = self.routers.iter().filter_map(Router::poll_timeout).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            self.now = next.max(self.now);
            for router in &mut self.routers {
                router.handle_timeout(self.now);
            }
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.until(seconds, |_| false);
    }

    /// Types, and waits until the screen ends with one of `ends`; what was shown since.
    fn type_until(&mut self, keys: &str, ends: &[&str]) -> String {
        self.shown.clear();
        self.keys.as_ref().unwrap().push(keys.as_bytes());
        let now = self.now;
        self.routers[0].handle_timeout(now);
        let came = self.until(60, |pair| ends.iter().any(|end| pair.shown.ends_with(end)));
        assert!(came, "typed {keys:?}, waited for {ends:?}, saw {:?}", self.shown);
        std::mem::take(&mut self.shown)
    }

    /// Gives the password, and answers what a first login asks, up to the prompt. All that was shown.
    fn reach_prompt(&mut self, password: &str) -> String {
        let mut seen = self.type_until(password, &["] > ", "new password> ", "[Y/n]: \r\n"]);
        if seen.ends_with("[Y/n]: \r\n") {
            seen += &self.type_until("n", &["] > ", "new password> "]);
        }
        if seen.ends_with("new password> ") {
            seen += &self.type_until("\x03", &["] > "]);
        }
        seen
    }

    /// From nothing to A's prompt.
    fn log_in(&mut self) {
        self.type_until("", &["Login: "]);
        self.type_until("admin+ct160w4098h\r", &["Password: "]);
        self.reach_prompt("\r");
    }

    /// The near dialogue, up to the far prompt or back at the near one.
    fn hop(&mut self, address: &str, password: &str) -> String {
        let asked = self.type_until(&format!("/tool mac-telnet {address}\r"), &["Login: "]);
        assert!(asked.ends_with("\r\n\rLogin: "), "{asked:?}");
        self.type_until("admin+ct160w4098h\r", &["Password: "]);
        self.reach_prompt(password)
    }

    /// The serial number of the router whose prompt this is.
    fn serial(&mut self) -> String {
        let said = self.type_until(":put [/system routerboard get serial-number]\r", &["] > "]);
        said.split("\r\n").find_map(|line| line.strip_prefix("\r7F")).unwrap_or(&said).to_owned()
    }
}

fn b_logins(pair: &Pair) -> Vec<(String, bool)> {
    let logins = pair.events[1].iter().filter_map(|event| match &event.kind {
        EventKind::Login { user, via: Via::MacTelnet, ok } => Some((user.clone(), *ok)),
        _ => None,
    });
    logins.collect()
}

const B: &str = "74:4D:28:00:00:0B";

#[test]
fn there_and_back() {
    for version in [Version::new(6, 44, 6), Version::new(7, 18, 2)] {
        let mut pair = Pair::new(version, |_| ());
        pair.log_in();
        let there = pair.hop(B, "\r");
        assert!(there.starts_with(&format!("\r\n\rTrying {B}...\r\n\rConnected to {B}\r\n")), "{there:?}");
        assert_eq!(b_logins(&pair), [("admin".to_owned(), true)]);
        assert_eq!(pair.serial(), "0002");
        let back = pair.type_until("/quit\r", &["] > "]);
        assert!(back.contains("\rinterrupted\r\n"), "{back:?}");
        assert_eq!(pair.serial(), "0001");
    }
}

#[test]
fn a_wrong_password_is_said_in_routeros_words() {
    for version in [Version::new(6, 44, 6), Version::new(7, 18, 2)] {
        let mut pair = Pair::new(version, |_| ());
        pair.log_in();
        let refused = pair.hop(B, "wrong\r");
        assert_eq!(refused.matches("Login failed, incorrect username or password").count(), 1, "{refused:?}");
        assert_eq!(b_logins(&pair), [("admin".to_owned(), false)]);
        assert_eq!(pair.serial(), "0001");
    }
}

#[test]
fn nobody_there_is_an_error_at_the_near_prompt() {
    let mut pair = Pair::new(Version::new(7, 18, 2), |_| ());
    pair.log_in();
    let failed = pair.hop("74:4D:28:00:00:99 interface=ether8", "\r");
    assert!(failed.contains("\rTrying 74:4D:28:00:00:99...\r\n") && !failed.contains("Connected"), "{failed:?}");
    assert_eq!(pair.serial(), "0001");
}

#[test]
fn when_the_far_router_dies_what_is_typed_next_lands_on_the_near_one() {
    let mut pair = Pair::new(Version::new(6, 44, 6), |_| ());
    pair.log_in();
    pair.hop(B, "\r");
    let now = pair.now;
    pair.routers[1].power_cut(now);
    assert!(pair.until(180, |pair| pair.shown.contains("Welcome back!\r\n")), "{:?}", pair.shown);
    assert_eq!(pair.serial(), "0001");
}

#[test]
fn an_idle_far_session_ends_without_a_word() {
    // What 7.x does where nothing else is said.
    let mut pair = Pair::new(Version::new(7, 18, 2), |_| ());
    pair.log_in();
    pair.hop(B, "\r");
    pair.wait(25);
    assert_eq!(pair.serial(), "0002");
    pair.wait(31);
    assert_eq!(pair.shown, "", "neither the far router nor the near one says anything");
    pair.keys.as_ref().unwrap().push(b":put 1\r");
    let now = pair.now;
    pair.routers[0].handle_timeout(now);
    pair.wait(5);
    assert!(!pair.shown.contains("] > "), "{:?}", pair.shown);
}

/// 6.x asks for keepalives, not for keys; and 7.x can be told to.
#[test]
fn where_silence_counts_a_client_that_is_there_stays() {
    let told = Some(IdleLogout::Silence90);
    for (version, told) in [(Version::new(6, 44, 6), None), (Version::new(7, 18, 2), told)] {
        let mut pair = Pair::new(version, |quirks| quirks.idle_logout = told);
        pair.log_in();
        pair.hop(B, "\r");
        pair.wait(200);
        assert_eq!(pair.serial(), "0002", "{version}");
    }
}

#[test]
fn the_consoles_oddities_are_switched_by_the_specification() {
    let mut pair = Pair::new(Version::new(6, 44, 6), |quirks| {
        quirks.split_output = Some(Some(5));
        quirks.prompt_first = Some(true);
        quirks.hop_escape = Some(Some(0x1D));
        quirks.hop_farewell = Some(vec!["Bye from here".into()]);
    });
    pair.log_in();
    pair.hop(B, "\r");
    let said = pair.type_until(":put hello\r", &["\rhello\r\n"]);
    assert_eq!(said.matches("\r\r\r\r[admin@MikroTik] >").count(), 1, "the prompt came first: {said:?}");
    let said = pair.type_until("\x1d", &["] > "]);
    assert!(said.contains("\rBye from here\r\n"), "{said:?}");
    pair.type_until(":put [/system routerboard get serial-number]\r", &["\r7F0001\r\n"]);
}
