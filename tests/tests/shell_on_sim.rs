//! The shell on simulated routers, by MAC-Telnet and over a hop: two programs that share no reading of the console.
#![expect(clippy::unwrap_used, reason = "a world that can't be built is a test that fails")]

use lab::pair::{Pair, Settings};
use mactelnet::MacAddr;
use mactelnet::auth::{Method, Password};
use mactelnet::client::{Config, LoginPolicy};
use mactelnet::faults::Faults;
use mactelnet::io::fault::FaultLink;
use mactelnet::io::memory::MemoryLink;
use mactelnet::io::{Link, Session};
use routeros::{
    ByteLink, Command, Destructive, Error, FileName, Gone, HopOptions, LoginOptions, Outcome, Proof, RefusalClass,
    Secret, Shell, Suffix,
};
use routersim::quirks::LoginMethod;
use routersim::record::{EventKind, Phase};
use routersim::router::Router;
use routersim::spec::{UserSpec, Version};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::Instant;

const MAC_A: &str = "74:4D:28:00:00:0A";
const MAC_B: &str = "74:4D:28:00:00:0B";
const V6: Version = Version::new(6, 44, 6);
const V7: Version = Version::new(7, 18, 2);

#[derive(Debug)]
struct MacLink(Session);

impl ByteLink for MacLink {
    fn describe(&self) -> String {
        "mac://A%sim".into()
    }

    fn resize(&mut self, cols: u16, rows: u16) {
        self.0.resize(cols, rows);
    }
}

impl AsyncRead for MacLink {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for MacLink {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

fn proof(mac: &str) -> Proof {
    Proof::ha_port("ether8", mac).unwrap()
}

fn options(suffix: Suffix) -> LoginOptions {
    LoginOptions { suffix, ..LoginOptions::new("admin") }
}

/// A pair that has booted, driven along tokio's paused clock, and the host's link.
fn pair(version: Version, adapt: impl FnOnce(&mut Settings)) -> (Pair, MemoryLink) {
    let mut settings = Settings::standard(1, "/system identity set name=\"edge [1] > x\"\n");
    settings.a.version = version;
    settings.b.version = version;
    adapt(&mut settings);
    let (pair, link) = Pair::new(&settings).unwrap();
    pair.power_on();
    assert!(pair.boot(Duration::from_secs(600), Duration::from_secs(10)));
    tokio::task::spawn_local(pair.world.clone().drive(1.0));
    (pair, link)
}

async fn session(link: impl Link + 'static, pair: &Pair, login_name: &str, password: &str, md5: bool) -> MacLink {
    let board = pair.a.look(|router| router.spec().port_macs());
    let peer = board[0].1;
    let local = MacAddr([0x02, 0, 0, 0, 0, 0x77]);
    let mut config = Config::new(local, peer, login_name, Password::new(password.as_bytes().to_vec()), [7; 32]);
    config.login = LoginPolicy::Auto { md5_allowed: md5, reason: "test".into() };
    // As the product does: the size that the console will be told anyway.
    let size = Suffix::Network.size();
    (config.terminal.columns, config.terminal.rows) = (size.cols, size.rows);
    MacLink(Session::connect(Box::new(link), config).await.unwrap())
}

async fn log_in(link: MemoryLink, pair: &Pair, options: LoginOptions) -> Shell {
    let link = session(link, pair, &options.login_name(), "", true).await;
    Shell::login(link, options).await.unwrap()
}

/// Runs `test` in the simulated world.
fn simulated(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

/// The login that 6.43 and 6.44 ask for is not known: both are tried on both, and each says which it was.
#[test]
fn an_old_router_is_logged_in_to_by_either_login() {
    const PASSWORD: &str = "Old-Router_5";
    for (version, login) in [Version::new(6, 43, 16), V6]
        .into_iter()
        .flat_map(|version| [(version, LoginMethod::Md5), (version, LoginMethod::EcSrp5)])
    {
        simulated(async {
            let (pair, link) = pair(version, |settings| {
                settings.a = settings.a.clone().user("admin", PASSWORD, "full").quirk(|q| q.login = Some(login));
            });
            let options = options(Suffix::Network);
            let link = session(link, &pair, &options.login_name(), PASSWORD, login == LoginMethod::Md5).await;
            let wanted = if login == LoginMethod::Md5 { Method::Md5 } else { Method::EcSrp5 };
            assert_eq!(link.0.method(), wanted, "{version}");
            let shell = Shell::login(link, options).await.unwrap();
            assert_eq!(shell.run(":put (6 * 7)").await.unwrap().text, "42", "{version} {login:?}");
            shell.close().await.unwrap();
        });
    }
}

fn hop_to_b(suffix: Suffix) -> HopOptions {
    HopOptions {
        host: MAC_B.into(),
        interface: "ether8".into(),
        login: LoginOptions { proof: Some(proof(MAC_B)), ..options(suffix) },
    }
}

fn system<R>(router: &lab::NodeHandle<Router>, pick: impl FnOnce(&Router) -> R) -> R {
    router.look(pick)
}

#[test]
fn login_does_not_stall() {
    for version in [V6, V7] {
        for suffix in [Suffix::Network, Suffix::Plain] {
            simulated(async {
                let (pair, link) = pair(version, |_| {});
                let start = Instant::now();
                let shell = log_in(link, &pair, options(suffix)).await;
                let took = start.elapsed();
                assert!(took < Duration::from_secs(4), "{version} {suffix:?}: {took:?}");
                assert_eq!(shell.prompt(), "[admin@edge [1] > x] >");
                shell.close().await.unwrap();
            });
        }
    }
}

/// At a round trip of 140 ms: one for each thing that the router asks behind END_AUTH. (One more lies between END_AUTH and
/// the first thing shown; what the router itself works meanwhile is not ours.) An answer that waits for anything, a quiet
/// line or a timer, shows here.
#[test]
fn the_prompt_comes_within_a_round_trip_for_each_question() {
    const ROUND_TRIP: Duration = Duration::from_millis(140);
    for version in [V6, V7] {
        for (suffix, asks_size) in [(Suffix::Network, false), (Suffix::Plain, true)] {
            simulated(async {
                let (pair, link) = pair(version, |_| {});
                pair.take_events();
                let link = FaultLink::new(link, Faults::delay(ROUND_TRIP / 2), 1);
                let options = options(suffix);
                let link = session(link, &pair, &options.login_name(), "", true).await;
                let shell = Shell::login(link, options).await.unwrap();
                let (mut first, mut shown, mut prompt) = (None, Vec::new(), None);
                for (_, event) in pair.take_events().into_iter().filter(|(who, _)| *who == 'A') {
                    if let EventKind::ConsoleOut { bytes, .. } = event.kind
                        && prompt.is_none()
                    {
                        first.get_or_insert(event.at);
                        shown.extend_from_slice(&bytes);
                        let text = String::from_utf8_lossy(&shown);
                        prompt = text.contains("[admin@edge [1] > x] >").then_some(event.at);
                    }
                }
                let shown = String::from_utf8_lossy(&shown).into_owned();
                let count = |question: &str| u32::try_from(shown.matches(question).count()).unwrap();
                let sizes = count("\x1b[6n");
                assert_eq!(sizes > 0, asks_size, "{version} {suffix:?}: {shown:?}");
                let questions = sizes + count("[Y/n]") + count("password>");
                let took = prompt.unwrap().saturating_since(first.unwrap());
                println!("{version} {suffix:?}: {questions} questions, prompt {took:?} after the first thing shown");
                // the world's steps are of a millisecond
                let limit = questions * (ROUND_TRIP + Duration::from_millis(2));
                assert!(took <= limit, "{version} {suffix:?}: {questions} questions, {took:?}");
                shell.close().await.unwrap();
            });
        }
    }
}

/// A person at B's console through A: what is typed acts on B alone, however the session ends, and neither router keeps it.
#[test]
fn a_person_at_the_far_console_is_brought_back_safely() {
    for quits in [false, true] {
        simulated(async {
            let (pair, link) = pair(V7, |_| {});
            let shell = log_in(link, &pair, options(Suffix::Network)).await;
            shell.prove(proof(MAC_A)).await.unwrap();
            let shell = shell.hop(hop_to_b(Suffix::Network)).await.unwrap();
            let mut console = shell.attach().await.unwrap();
            pair.take_events();
            let mut typed = b"/system identity set name=typed-here\r".to_vec();
            typed.extend_from_slice(if quits { b"/quit\r" } else { b":put half" });
            console.write_all(&typed).await.unwrap();
            let mut shown = Vec::new();
            let reading = tokio::time::timeout(Duration::from_secs(20), console.read_to_end(&mut shown)).await;
            let shown = String::from_utf8_lossy(&shown).into_owned();
            assert!(shown.contains("typed-here"), "{shown:?}");
            assert_eq!((reading.is_ok(), console.is_over()), (quits, quits), "{shown:?}");
            if quits {
                // the near router's prompt stands there: nothing goes to it
                assert!(console.write_all(b"/system identity set name=wrong-router\r").await.is_err());
            }
            console.leave().await.unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
            let events = pair.take_events();
            let of = |who: char, fits: fn(&EventKind) -> bool| {
                events.iter().filter(|(at, event)| *at == who && fits(&event.kind)).count()
            };
            assert_eq!(of('A', |kind| matches!(kind, EventKind::Config { .. })), 0, "{quits}");
            assert_eq!(of('B', |kind| matches!(kind, EventKind::Config { .. })), 1, "{quits}");
            for who in ['A', 'B'] {
                assert_eq!(of(who, |kind| matches!(kind, EventKind::SessionClosed { .. })), 1, "{who} {quits}");
            }
        });
    }
}

#[test]
fn commands_refusals_and_values() {
    for version in [V6, V7] {
        simulated(async {
            let (pair, link) = pair(version, |_| {});
            let shell = log_in(link, &pair, options(Suffix::Network)).await;
            assert_eq!(shell.version().await.unwrap().to_string(), version.to_string());
            shell.prove(proof(MAC_A)).await.unwrap();
            let output = shell.run(":put [/system identity get name]").await.unwrap();
            assert_eq!(output.text, "edge [1] > x");
            assert_eq!(output.identity.as_deref(), Some(MAC_A));
            for (command, class) in [
                ("/system no-such-thing print", RefusalClass::BadCommand),
                ("/ip address add address=nonsense interface=ether2", RefusalClass::BadValue),
                ("/ip address add address=10.0.0.1/24 interface=ether99", RefusalClass::BadValue),
                ("/ip address remove *77", RefusalClass::NoItem),
                (":error \"my own words\"", RefusalClass::Other),
                ("/system reboot", RefusalClass::Question),
            ] {
                let outcome = shell.exec(command).await.unwrap();
                let Outcome::Refused(refusal) = outcome else { panic!("{version} {command}: {outcome:?}") };
                assert!(
                    refusal.class == class
                        || (class == RefusalClass::BadCommand && refusal.class == RefusalClass::Syntax),
                    "{version} {command}: {refusal:?}"
                );
            }
            assert_eq!(system(&pair.a, Router::phase), Phase::Up);
            let text = "plain";
            assert_eq!(shell.value(&format!("\"{text}\"")).await.unwrap().text(), text);
            let all: Vec<u8> = (1..=255).collect();
            let literal = routeros::text::quote(&all);
            assert_eq!(shell.value(&literal).await.unwrap().bytes, all, "{version}");
            let long = "0123456789 ".repeat(60);
            assert_eq!(shell.value(&routeros::text::quote(&long)).await.unwrap().text(), long);
            let values = shell
                .values(&["[/system identity get name]", "[/ip address get *77 address]", "[:len [/interface find]]"])
                .await
                .unwrap();
            assert!(values[0].is_some() && values[1].is_none() && values[2].is_some(), "{values:?}");
            whole_output(&shell).await;
            let Err(Error::WrongRouter { found, .. }) = shell.prove(proof(MAC_B)).await else { panic!() };
            assert_eq!(found, MAC_A);
            // an identity that is no UTF-8: in the prompt of every answer, and a value like any other
            shell.run("/system identity set name=\"gr\\FCn\"").await.unwrap();
            assert_eq!(shell.value("[/system identity get name]").await.unwrap().bytes, b"gr\xFCn", "{version}");
            let output = shell.run("/system identity print").await.unwrap();
            assert!(output.text.contains("name: gr"), "{version}: {}", output.text);
            let export = shell.run("/system identity export").await.unwrap().text;
            assert!(export.contains("set name=\"gr\\FCn\""), "{version}: {export}");
            shell.close().await.unwrap();
        });
    }
}

/// Rows wider than the terminal: no pager stops them, and lines that the router breaks are whole again.
async fn whole_output(shell: &Shell) {
    let source = (0..100).map(|n| format!("#{n:012};")).collect::<String>();
    let quoted = routeros::text::quote(&source);
    shell.run(format!("/system script add name=wide source={quoted}")).await.unwrap();
    shell.run(format!("/system scheduler add name=wide on-event={quoted}")).await.unwrap();
    for command in [
        "/system script print detail",
        "/system/script print detail",
        "/system scheduler print",
        "/system scheduler print detail",
        "/system scheduler pr where name=wide",
    ] {
        // 6.x knows no path in one word.
        let Outcome::Done(output) = shell.exec(command).await.unwrap() else { continue };
        assert!(output.text.contains(&source) && output.joined > 0 && !output.truncated, "{command}: {output:?}");
    }
    // Where it can't be told not to page it ends all the same, and says what is missing.
    let output = shell.run(":if (true) do={/system scheduler print}").await.unwrap();
    assert!(output.cut && output.truncated && output.text.contains("#000000000000;"), "{output:?}");
    let refused = shell.exec("/system script print; /system script print nonsense=1").await.unwrap();
    let Outcome::Refused(refusal) = refused else { panic!("{refused:?}") };
    assert!(refusal.position.is_none_or(|(_, column)| (43..=53).contains(&column)), "{refusal:?}");
    for length in [600_usize, 1022, 1500] {
        let text: String = ('a'..='z').cycle().take(length).collect();
        let output = shell.run(format!(":put \"{text}\"")).await.unwrap();
        assert_eq!((output.text, output.joined), (text, length.div_ceil(511) - 1));
    }
}

#[test]
fn files_are_written_and_read_back() {
    for version in [V6, V7] {
        simulated(async {
            let (pair, link) = pair(version, |_| {});
            let shell = log_in(link, &pair, options(Suffix::Network)).await;
            shell.prove(proof(MAC_A)).await.unwrap();
            let name = FileName::ours("HA_jumplead_test.rsc").unwrap();
            let content: Vec<u8> =
                (0..3000u32).flat_map(|i| format!("line {i} $x \"?\" \\ \t[{{\r\n").into_bytes()).take(4000).collect();
            for content in [&content[..], b"short", b""] {
                shell.put_file(&name, content).await.unwrap();
                assert_eq!(shell.read_file(name.as_str()).await.unwrap(), content);
            }
            let big = vec![b'x'; 5000];
            let put = shell.put_file(&name, &big).await;
            if version < V7 {
                let refused = put.unwrap_err();
                assert!(matches!(refused, Error::FileTooLarge { .. }), "{refused:?}");
                assert!(
                    refused.to_string().contains("4095 that this RouterOS takes from a console; to its address: `scp")
                );
                // As a script it is not too long, and runs.
                let script = format!(":global ran done\n# {}", "x".repeat(5000));
                shell.put_script(&name, script.as_bytes()).await.unwrap();
                shell.run(format!("/system script run {}", name.as_str())).await.unwrap();
                assert_eq!(shell.run(":global ran; :put $ran").await.unwrap().text.trim(), "done");
                let refused = shell.put_script(&name, &vec![b'x'; 65_537]).await.unwrap_err();
                assert!(refused.to_string().ends_with("65536 that this RouterOS takes as the source of a script"));
            } else {
                put.unwrap();
            }
            shell.remove_file(&name).await.unwrap();
            assert!(!shell.file_exists(name.as_str()).await.unwrap());
            assert_eq!(shell.read_file(name.as_str()).await, Err(Error::NoFile { name: name.as_str().into() }));
        });
    }
}

#[test]
fn a_hop_to_an_erased_neighbour_and_back() {
    for version in [V6, V7] {
        for suffix in [Suffix::Network, Suffix::Plain] {
            simulated(async {
                let (pair, link) = pair(version, |_| {});
                let near = log_in(link, &pair, options(Suffix::Network)).await;
                near.prove(proof(MAC_A)).await.unwrap();
                let start = Instant::now();
                let far = near.hop(hop_to_b(suffix)).await.unwrap();
                assert!(start.elapsed() < Duration::from_secs(8), "{version} {suffix:?}: {:?}", start.elapsed());
                assert_eq!(far.value("[/system identity get name]").await.unwrap().text(), "MikroTik");
                let serial = far.value("[/system routerboard get serial-number]").await.unwrap();
                assert_eq!(serial.text(), "7F0002");
                let name = FileName::ours("HA_jumplead_boot.rsc").unwrap();
                let content = b"/ip address add address=169.254.23.2/24 interface=ether8\n".repeat(20);
                far.put_file(&name, &content).await.unwrap();
                let near = far.unhop().await.unwrap();
                assert_eq!(near.value("[/system identity get name]").await.unwrap().text(), "edge [1] > x");
                assert!(!near.file_exists(name.as_str()).await.unwrap());
                near.close().await.unwrap();
            });
        }
    }
}

#[test]
fn a_far_password_is_tried_from_the_ladder() {
    for version in [V6, V7] {
        simulated(async {
            let (pair, link) = pair(version, |settings| {
                let user = UserSpec { name: "admin".into(), password: "LABEL123".into(), group: "full".into() };
                settings.b.users = vec![user];
            });
            let near = log_in(link, &pair, options(Suffix::Network)).await;
            let mut hop = hop_to_b(Suffix::Network);
            hop.login.passwords = vec![Secret::from("wrong"), Secret::default()];
            let failed = near.hop(hop.clone()).await.unwrap_err();
            assert_eq!(failed.error, Error::LoginRejected { user: "admin".into(), tried: 2 }, "{version}");
            let near = failed.near.expect("the near shell");
            hop.login.passwords = vec![Secret::from("wrong"), Secret::from("LABEL123")];
            let far = near.hop(hop).await.unwrap();
            far.run("/system identity set name=B").await.unwrap();
            far.close().await.unwrap();
            let _ = pair;
        });
    }
}

#[test]
fn a_reset_over_the_hop_reaches_b_alone_and_gives_a_back() {
    for version in [V6, V7] {
        simulated(async {
            let (pair, link) = pair(version, |_| {});
            let near = log_in(link, &pair, options(Suffix::Network)).await;
            near.prove(proof(MAC_A)).await.unwrap();
            let far = near.hop(hop_to_b(Suffix::Network)).await.unwrap();
            let act = Destructive::new(
                proof(MAC_B),
                "/system reset-configuration no-defaults=yes keep-users=no skip-backup=yes",
            )
            .unwrap();
            // Meant for another router: nothing happens here.
            let other = Destructive::new(proof(MAC_A), "/system reset-configuration no-defaults=yes").unwrap();
            let wrong = far.destroy(&other).await;
            assert!(matches!(wrong, Err(Error::WrongRouter { .. })), "{wrong:?}");
            let near = far.unhop().await.unwrap();
            let far = near.hop(hop_to_b(Suffix::Network)).await.unwrap();
            pair.take_events();
            let outcome = far.destroy(&act).await.unwrap();
            assert!(matches!(outcome, Outcome::Done(_) | Outcome::Unknown(_)), "{outcome:?}");
            let gone = far.wait_gone(Duration::from_secs(120), Duration::from_secs(300)).await;
            let Ok(Gone::BackAt(near)) = gone else { panic!("{version}: {gone:?}") };
            assert_eq!(near.value("[/system identity get name]").await.unwrap().text(), "edge [1] > x");
            tokio::time::sleep(Duration::from_secs(120)).await;
            let erased: Vec<char> = pair
                .take_events()
                .into_iter()
                .filter(|(_, event)| matches!(event.kind, EventKind::ConfigErased { .. }))
                .map(|(who, _)| who)
                .collect();
            assert_eq!(erased, ['B'], "{version}");
        });
    }
}

#[test]
fn a_cable_pulled_in_the_middle_leaves_unknown() {
    simulated(async {
        let (pair, link) = pair(V7, |_| {});
        let near = log_in(link, &pair, options(Suffix::Network)).await;
        let far = near.hop(hop_to_b(Suffix::Network)).await.unwrap();
        pair.ha_wire.cut();
        let command =
            Command { timeout: Some(Duration::from_secs(120)), ..Command::new("/system identity set name=x") };
        let outcome = far.exec(command).await;
        assert!(matches!(outcome, Ok(Outcome::Unknown(_)) | Err(Error::HopLost { .. })), "{outcome:?}");
        let renamed = pair.take_events().into_iter().any(|(who, event)| {
            who == 'A' && matches!(&event.kind, EventKind::Config { menu, .. } if menu == "/system/identity")
        });
        assert!(!renamed, "A is not to be renamed");
    });
}

/// What was typed at B's console, by lines.
fn typed_at(pair: &Pair, who: char) -> Vec<String> {
    let mut bytes = Vec::new();
    for (at, event) in pair.take_events() {
        if let (true, EventKind::ConsoleIn { bytes: more, .. }) = (at == who, event.kind) {
            bytes.extend(more);
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.split('\r').filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The lines that were meant for B, each of their ends typed at A: whichever byte the hop ends at.
async fn lines_for_b(version: Version) -> Vec<String> {
    let (pair, link) = pair(version, |_| {});
    let near = log_in(link, &pair, options(Suffix::Network)).await;
    let far = near.hop(hop_to_b(Suffix::Network)).await.unwrap();
    pair.take_events();
    far.run("/user add name=ha group=full password=\"x y\"").await.unwrap();
    far.run("/system identity set name=B; /ip address add address=169.254.23.2/24 interface=ether8").await.unwrap();
    for act in ["/system reboot", "/system reset-configuration no-defaults=yes keep-users=no skip-backup=yes"] {
        // The second may come too late for an answer; it is typed all the same.
        let _ = far.destroy(&Destructive::new(proof(MAC_B), act).unwrap()).await;
    }
    typed_at(&pair, 'B')
}

#[test]
fn no_end_of_a_line_for_b_acts_on_a() {
    for version in [V6, V7] {
        simulated(async {
            let lines = lines_for_b(version).await;
            assert!(lines.iter().any(|line| line.contains("/user add")), "{lines:?}");
            assert_eq!(lines.iter().filter(|line| line.contains(":execute")).count(), 2, "{lines:?}");
            let (pair, link) = pair(version, |settings| settings.b.users.clear());
            let mut console = session(link, &pair, "admin+ct511w4098h", "", true).await;
            tokio::time::sleep(Duration::from_secs(20)).await;
            pair.take_events();
            let mut shown = vec![0; 1 << 16];
            for line in &lines {
                for at in 0..line.len() {
                    // Ctrl-C first: what stood open before is nobody's.
                    let typed = format!("\x03{}\r", &line[at..]);
                    console.write_all(typed.as_bytes()).await.unwrap();
                    let _ = tokio::time::timeout(Duration::from_millis(700), async {
                        while console.read(&mut shown).await.is_ok_and(|count| count > 0) {}
                    })
                    .await;
                    for (who, event) in pair.take_events() {
                        let acts = matches!(
                            event.kind,
                            EventKind::Config { .. } | EventKind::Asked { .. } | EventKind::ConfigErased { .. }
                        );
                        assert!(!(who == 'A' && acts), "{}: {event:?}", &line[at..]);
                    }
                }
            }
            assert_eq!(pair.a.look(Router::phase), Phase::Up);
            // The eyes are open: an unguarded line would have been seen.
            console.write_all(b"\x03/system identity set name=seen\r").await.unwrap();
            tokio::time::sleep(Duration::from_secs(2)).await;
            let seen = |(who, event): &(char, routersim::record::Event)| {
                *who == 'A' && matches!(event.kind, EventKind::Config { .. })
            };
            assert!(pair.take_events().iter().any(seen));
        });
    }
}
