//! Real ptys and real sockets of this host, against each other.

use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::rfc2217::{Purge, ServerConfig, ServerEvent};
use crate::settings::{LineSettings, LineState, ModemState, StopBits, Wires};

/// Far more than any of this takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn real<F: std::future::Future<Output = ()>>(work: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(PATIENCE, work).await.expect("it hangs") });
}

fn at(path: &std::path::Path, baud: u32) -> Endpoint {
    Endpoint::Local { path: path.to_str().unwrap().into(), settings: LineSettings::at(baud), wires: Wires::default() }
}

/// Reads from a pty until that much has come, writing it back.
async fn echo(pty: &mut Pty, count: usize) {
    let mut seen = 0;
    while seen < count {
        let bytes = pty.read().await.unwrap();
        seen += bytes.len();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let written = pty.write(rest);
            rest = &rest[written..];
            if written == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
}

#[test]
fn a_port_carries_every_byte_at_its_speed_and_is_left_as_it_was_found() {
    real(async {
        let mut pty = Pty::open(9600, None).unwrap();
        let mut line = Line::open(&at(pty.path(), 57_600)).await.unwrap();
        assert_eq!(pty.baud(), 57_600);
        let all: Vec<u8> = (0..=255).cycle().take(20_000).collect();
        let mut back = vec![0; all.len()];
        let (mut reader, mut writer) = tokio::io::split(line);
        let (sent, read, ()) =
            tokio::join!(writer.write_all(&all), reader.read_exact(&mut back), echo(&mut pty, all.len()));
        sent.unwrap();
        read.unwrap();
        assert_eq!(back, all);
        line = reader.unsplit(writer);
        // A pty has no wires, and says nothing wrong by that.
        assert_eq!(line.modem(), None);
        assert_eq!(line.set_wires(Some(true), Some(false)).await.unwrap(), Outcome::NotSupported);
        assert_eq!(line.send_break(Duration::from_millis(1)).await.unwrap(), Outcome::NotSupported);
        line.set_baud(250_000).await.unwrap();
        assert_eq!(pty.baud(), 250_000);
        drop(line);
        assert_eq!(pty.baud(), 9600);
    });
}

/// Framing reaches the driver; what it did not take, and wires that are not there, are said and nothing else.
#[test]
fn a_port_that_takes_less_than_was_asked_says_so() {
    real(async {
        let pty = Pty::open(9600, None).unwrap();
        let with = |framing: &str, wires| Endpoint::Local {
            path: pty.path().to_str().unwrap().into(),
            settings: framing.parse().unwrap(),
            wires,
        };
        let line = Line::open(&with("57600 8N2", Wires::default())).await.unwrap();
        assert_eq!((line.notes(), pty.settings().to_string().as_str()), (&[] as &[String], "57600 8N2"));
        drop(line);
        assert_eq!(pty.settings().stop, StopBits::One);
        // A pty has eight bits, no parity and no wires.
        let line = Line::open(&with("7E1", Wires { dtr: Some(true), rts: Some(false) })).await.unwrap();
        let notes = line.notes().join("\n");
        assert!(notes.contains("has the framing 8N1, not 7E1"), "{notes}");
        assert!(notes.contains("has no modem lines: DTR=1 RTS=0 is left away"), "{notes}");
    });
}

#[test]
fn a_console_server_is_told_framing_and_wires_at_once_and_again() {
    real(async {
        let asked = Transport::Rfc2217("9600 7E2".parse().unwrap(), Wires { dtr: Some(false), rts: None });
        let (mut server, port) = offered(Offer::Rfc2217(ServerConfig::default())).await;
        let wanted = serve(&mut server, async {
            let mut line = Line::open(&net(port, asked)).await.unwrap();
            assert_eq!(line.notes(), &[] as &[String]);
            echoed(&mut line).await;
            line.set_wires(None, Some(true)).await.unwrap();
            echoed(&mut line).await;
            line.shutdown().await.unwrap();
            line.reopen(PATIENCE).await.unwrap();
            echoed(&mut line).await;
        })
        .await;
        let wires: Vec<_> =
            wanted.iter().filter(|event| matches!(event, ServerEvent::Dtr(_) | ServerEvent::Rts(_))).cloned().collect();
        let again = [ServerEvent::Dtr(false), ServerEvent::Rts(true)];
        assert_eq!(wires, [&again[..], &again[..]].concat(), "what was asked for by hand holds, too");
        let framed = wanted.iter().rfind(|event| matches!(event, ServerEvent::Line(_)));
        assert_eq!(framed, Some(&ServerEvent::Line("9600 7E2".parse().unwrap())));
        // One that has no wires says nothing about them: a note.
        let (mut server, port) = offered(Offer::Rfc2217(ServerConfig { modem: None, ..ServerConfig::default() })).await;
        serve(&mut server, async {
            let line = Line::open(&net(port, asked)).await.unwrap();
            assert!(line.notes()[0].contains("did not confirm DTR=0"), "{:?}", line.notes());
        })
        .await;
    });
}

/// One program ends and the next one begins before the first end was noticed.
#[test]
fn a_port_that_changes_hands_unnoticed_is_waited_for_in_peace() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        real(async {
            let mut pty = Pty::open(9600, None).unwrap();
            let open = |pty: &Pty| std::fs::OpenOptions::new().read(true).write(true).open(pty.path()).unwrap();
            let mut first = open(&pty);
            first.write_all(b"a").unwrap();
            assert_eq!(pty.read().await.unwrap(), b"a");
            let silent = Duration::from_millis(100);
            assert!(tokio::time::timeout(silent, pty.read()).await.is_err());
            drop(first);
            tokio::time::sleep(silent).await;
            let mut second = open(&pty);
            assert!(tokio::time::timeout(silent, pty.read()).await.is_err(), "nothing was typed");
            second.write_all(b"b").unwrap();
            assert_eq!(pty.read().await.unwrap(), b"b");
        });
        done.send(()).unwrap();
    });
    // A reader that never lets go would hang with its whole thread.
    ended.recv_timeout(Duration::from_secs(20)).unwrap();
}

/// Whoever found the port set to drop DTR when it is closed: it is not, also where we are killed in between.
#[test]
fn closing_a_port_drops_no_wire() {
    real(async {
        let pty = Pty::open(9600, None).unwrap();
        // Held open: our own closing is not the last one, as that of a second program is not.
        let slave = std::fs::OpenOptions::new().read(true).write(true).open(pty.path()).unwrap();
        let mut found = tcgetattr(&slave).unwrap();
        found.control_modes.insert(ControlModes::HUPCL);
        tcsetattr(&slave, OptionalActions::Now, &found).unwrap();
        let line = Line::open(&at(pty.path(), 57_600)).await.unwrap();
        assert!(!tcgetattr(&slave).unwrap().control_modes.contains(ControlModes::HUPCL), "while it is open");
        drop(line);
        let left = tcgetattr(&slave).unwrap();
        found.control_modes.remove(ControlModes::HUPCL);
        assert_eq!(left.control_modes, found.control_modes);
        assert_eq!(left.output_speed(), 9600, "all the rest comes back");
    });
}

#[test]
fn what_a_server_tells_of_its_line_is_counted() {
    real(async {
        let (mut server, port) = offered(Offer::Rfc2217(ServerConfig::default())).await;
        let mut line = {
            let place = net(port, Transport::Rfc2217(LineSettings::default(), Wires::default()));
            let open = Line::open(&place);
            let mut open = std::pin::pin!(open);
            loop {
                tokio::select! { biased; line = &mut open => break line.unwrap(), event = server.next() => drop(event.unwrap()) }
            }
        };
        assert_eq!(line.told().line(), None);
        let machine = server.server().unwrap();
        for state in [LineState::BREAK, LineState::FRAMING | LineState::OVERRUN, LineState::FRAMING, 0x60] {
            machine.set_line_state(LineState(state));
        }
        machine.set_modem(ModemState { cd: false, ri: false, dsr: true, cts: false });
        server.write(b"x");
        let mut space = [0; 1];
        let read = line.read_exact(&mut space);
        tokio::select! { biased; read = read => drop(read.unwrap()), event = server.next() => panic!("{event:?}") }
        let told = line.told();
        assert_eq!((told.breaks, told.framing, told.parity, told.overruns), (1, 2, 0, 1));
        assert_eq!(told.modem.map(|modem| (modem.dsr, modem.cts, modem.cd)), Some((true, false, false)));
        let said = told.line().unwrap();
        assert!(said.contains("a break, 1x") && said.contains("stop bit") && !said.contains("parity"), "{said}");
        assert_eq!(line.told(), Told::default(), "once");
    });
}

#[test]
fn a_port_in_use_names_its_holder() {
    real(async {
        let pty = Pty::open(115_200, None).unwrap();
        let slave = std::fs::OpenOptions::new().read(true).write(true).open(pty.path()).unwrap();
        let _line = Line::open(&at(pty.path(), 115_200)).await.unwrap();
        let mut theirs = tcgetattr(&slave).unwrap();
        theirs.control_modes.insert(ControlModes::HUPCL);
        tcsetattr(&slave, OptionalActions::Now, &theirs).unwrap();
        let error = Line::open(&at(pty.path(), 115_200)).await.unwrap_err();
        // The holder is this very process, which is not named to itself.
        assert!(matches!(&error, Error::Busy { holders, .. } if holders.is_empty()), "{error:?}");
        assert_eq!(tcgetattr(&slave).unwrap().control_modes, theirs.control_modes, "who has it keeps its settings");
        // Who made a pseudo terminal has both of its ends, and reads nothing here: it is no holder.
        assert_eq!(holders(pty.path()), []);
        let missing = Line::open(&at("/dev/no-such-port".as_ref(), 9600)).await.unwrap_err();
        assert_eq!(missing.code(), "serial.port.missing");
        let unusable = Line::open(&at("/dev/null".as_ref(), 9600)).await.unwrap_err();
        assert_eq!(unusable.code(), "serial.port.unusable");
    });
}

#[test]
fn a_port_that_another_program_reads_without_a_lock_is_in_use() {
    real(async {
        let pty = Pty::open(115_200, None).unwrap();
        let slave = std::fs::OpenOptions::new().read(true).write(true).open(pty.path()).unwrap();
        let mut reader = std::process::Command::new("sleep").arg("60").stdin(slave).spawn().unwrap();
        let error = Line::open(&at(pty.path(), 115_200)).await.unwrap_err();
        let said = error.to_string();
        assert!(error.code() == "serial.port.busy" && said.contains(&format!("sleep (pid {})", reader.id())), "{said}");
        reader.kill().unwrap();
        reader.wait().unwrap();
        let line = Line::open(&at(pty.path(), 115_200)).await.unwrap();
        drop(line);
    });
}

#[test]
fn an_unplugged_adapter_is_an_error_at_once_and_comes_back() {
    real(async {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("line");
        let pty = Pty::open(115_200, Some(&link)).unwrap();
        let mut line = Line::open(&at(&link, 115_200)).await.unwrap();
        let mut space = [0; 16];
        drop(pty);
        let mut errors = 0;
        for _ in 0..3 {
            errors += usize::from(line.read(&mut space).await.is_err());
        }
        assert_eq!(errors, 3, "end of file would be read for ever");
        assert_eq!(line.write_all(b"x").await.unwrap_err().kind(), std::io::ErrorKind::NotConnected);
        let gone = line.reopen(Duration::from_millis(1)).await.unwrap_err();
        assert_eq!(gone.code(), "serial.port.gone");
        let mut again = Pty::open(115_200, Some(&link)).unwrap();
        line.reopen(PATIENCE).await.unwrap();
        let (read, ()) = tokio::join!(
            async {
                line.write_all(b"back").await.unwrap();
                let mut space = [0; 4];
                line.read_exact(&mut space).await.map(|_| space)
            },
            echo(&mut again, 4)
        );
        assert_eq!(&read.unwrap(), b"back");
    });
}

async fn offered(offer: Offer) -> (Offered, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (Offered::new(listener, offer), port)
}

fn net(port: u16, transport: Transport) -> Endpoint {
    Endpoint::Net { host: "127.0.0.1".into(), port, transport }
}

/// Serves until `done`, giving data back to who sent it; what else the client wanted is the answer.
async fn serve(offered: &mut Offered, done: impl std::future::Future<Output = ()>) -> Vec<ServerEvent> {
    let mut wanted = Vec::new();
    let mut done = std::pin::pin!(done);
    loop {
        tokio::select! {
            biased;
            event = offered.next() => match event.unwrap() {
                ServerEvent::Data(data) => offered.write(&data),
                other => wanted.push(other),
            },
            () = &mut done => return wanted,
        }
    }
}

async fn echoed(line: &mut Line) {
    let all: Vec<u8> = (0..=255).cycle().take(8_000).collect();
    for chunk in all.chunks(1000) {
        line.write_all(chunk).await.unwrap();
        line.flush().await.unwrap();
        let mut back = vec![0; chunk.len()];
        line.read_exact(&mut back).await.unwrap();
        assert_eq!(back, chunk);
    }
}

#[test]
fn every_transport_carries_every_byte_and_rfc2217_carries_the_rest() {
    real(async {
        let (mut server, port) = offered(Offer::Raw).await;
        serve(&mut server, async {
            let mut line = Line::open(&net(port, Transport::Raw)).await.unwrap();
            echoed(&mut line).await;
            assert_eq!(line.send_break(Duration::ZERO).await.unwrap(), Outcome::NotSupported);
        })
        .await;
        let (mut server, port) = offered(Offer::Rfc2217(ServerConfig::default())).await;
        let wanted = serve(&mut server, async {
            let mut line =
                Line::open(&net(port, Transport::Rfc2217(LineSettings::at(9600), Wires::default()))).await.unwrap();
            assert_eq!(line.notes(), &[] as &[String]);
            echoed(&mut line).await;
            assert_eq!(line.send_break(Duration::from_millis(5)).await.unwrap(), Outcome::Done);
            assert_eq!(line.set_wires(Some(false), None).await.unwrap(), Outcome::Done);
            assert_eq!(line.set_baud(19_200).await.unwrap(), Outcome::Done);
            echoed(&mut line).await;
            assert_eq!(line.modem(), Some(ModemState { cd: true, dsr: true, cts: true, ri: false }));
        })
        .await;
        // What came at the old speed is not read at the new one.
        let rest = [ServerEvent::Break(true), ServerEvent::Break(false), ServerEvent::Dtr(false)];
        let speeds = [9600, 19_200].map(|baud| ServerEvent::Line(LineSettings::at(baud)));
        let purged = [ServerEvent::Purge(Purge::Receive)];
        assert_eq!(wanted, [&speeds[..1], &rest[..], &speeds[1..], &purged[..]].concat());
        let (mut server, port) = offered(Offer::Rfc2217(ServerConfig::default())).await;
        serve(&mut server, async {
            let mut line = Line::open(&net(port, Transport::Telnet)).await.unwrap();
            echoed(&mut line).await;
        })
        .await;
    });
}

/// A raw port behind the URL of another kind: it answers no option, and the line is open all the same, with a word about it.
#[test]
fn a_server_that_answers_no_option_is_a_note_not_a_wait() {
    real(async {
        for transport in [Transport::Telnet, Transport::Rfc2217(LineSettings::default(), Wires::default())] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let router = async {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(b"Login: ").await.unwrap();
                let mut typed = Vec::new();
                while !typed.ends_with(b"admin") {
                    typed.push(stream.read_u8().await.unwrap());
                }
            };
            let operator = async {
                let mut line = Line::open(&net(port, transport)).await.unwrap();
                let notes = line.notes().join("\n");
                assert!(notes.contains("answers no telnet option"), "{notes:?}");
                assert!(notes.contains(&format!("tcp://127.0.0.1:{port}")), "{notes:?}");
                let mut said = [0; 7];
                line.read_exact(&mut said).await.unwrap();
                assert_eq!(&said, b"Login: ");
                line.write_all(b"admin").await.unwrap();
                line.flush().await.unwrap();
            };
            tokio::join!(router, operator);
        }
    });
}

#[test]
fn who_comes_second_is_told_and_who_finds_nobody_too() {
    real(async {
        let (mut server, port) = offered(Offer::Rfc2217(ServerConfig::default())).await;
        serve(&mut server, async {
            let settings = LineSettings::default();
            let _first = Line::open(&net(port, Transport::Rfc2217(settings, Wires::default()))).await.unwrap();
            let error = Line::open(&net(port, Transport::Rfc2217(settings, Wires::default()))).await.unwrap_err();
            assert!(matches!(&error, Error::InUse { text, .. } if text == "Port already in use"), "{error:?}");
            // On a raw line the words come as data, and the end behind them is no end of a session.
            let mut raw = Line::open(&net(port, Transport::Raw)).await.unwrap();
            let mut said = Vec::new();
            let ended = raw.read_to_end(&mut said).await.unwrap_err();
            assert_eq!(ended.kind(), std::io::ErrorKind::ResourceBusy);
        })
        .await;
        drop(server);
        let error = Line::open(&net(port, Transport::Raw)).await.unwrap_err();
        assert_eq!(error.code(), "serial.net.connect");
    });
}

#[test]
fn a_server_without_com_port_is_a_note_not_a_failure() {
    real(async {
        let config = ServerConfig { com_port: false, modem: None, ..ServerConfig::default() };
        let (mut server, port) = offered(Offer::Rfc2217(config)).await;
        serve(&mut server, async {
            let mut line =
                Line::open(&net(port, Transport::Rfc2217(LineSettings::default(), Wires::default()))).await.unwrap();
            assert!(line.notes()[0].contains("no RFC 2217"), "{:?}", line.notes());
            echoed(&mut line).await;
            assert_eq!(line.set_wires(Some(true), None).await.unwrap(), Outcome::NotSupported);
        })
        .await;
    });
}
