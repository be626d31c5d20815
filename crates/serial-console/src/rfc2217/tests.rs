//! Client against server, client against what was measured, and both against anything.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::settings::{DataBits, Flow, LineSettings, LineState, ModemState, Parity, StopBits, Wires};

const NOW: Duration = Duration::from_secs(5);

/// Both ends until neither has anything to say.
fn settle(client: &mut Client, server: &mut Server, now: Duration) {
    for _ in 0..50 {
        let (up, down) = (client.poll_transmit(), server.poll_transmit());
        if up.is_none() && down.is_none() {
            return;
        }
        server.handle_bytes(&up.unwrap_or_default());
        client.handle_bytes(now, &down.unwrap_or_default());
    }
    panic!("they never come to rest");
}

fn pair(config: ServerConfig, line: LineSettings) -> (Client, Server) {
    let mut client = Client::new(NOW, ClientConfig::rfc2217(line, Wires::default()));
    let mut server = Server::new(config);
    settle(&mut client, &mut server, NOW);
    (client, server)
}

#[test]
fn a_line_is_set_as_asked_and_every_byte_comes_through() {
    let line = LineSettings {
        data: DataBits::Seven,
        parity: Parity::Even,
        stop: StopBits::Two,
        flow: Flow::Hardware,
        ..LineSettings::at(9600)
    };
    let (mut client, mut server) = pair(ServerConfig::default(), line);
    assert!(client.is_settled());
    assert_eq!(server.line(), line);
    for setting in
        [Setting::ComPort, Setting::Baud, Setting::DataBits, Setting::Parity, Setting::StopBits, Setting::Flow]
    {
        assert_eq!(client.state(setting), Some(State::Confirmed), "{setting:?}");
    }
    assert_eq!(client.signature(), Some("jumplead"));
    assert_eq!(client.is_binary(), (true, true));
    let every: Vec<u8> = (0..=255).chain([255, 255, 13, 0, 13, 10, 255]).collect();
    assert_eq!(client.write(&every), every.len());
    assert_eq!(server.write(&every), every.len());
    settle(&mut client, &mut server, NOW);
    assert_eq!(client.take_data(usize::MAX), every);
    let mut got = Vec::new();
    while let Some(event) = server.poll_event() {
        if let ServerEvent::Data(data) = event {
            got.extend(data);
        }
    }
    assert_eq!(got, every);
}

#[test]
fn break_wires_and_purge() {
    let (mut client, mut server) = pair(ServerConfig::default(), LineSettings::default());
    while server.poll_event().is_some() {}
    client.send_break(NOW, Duration::from_millis(300));
    client.set_dtr(NOW, false);
    client.set_rts(NOW, true);
    client.purge(NOW, Purge::Receive);
    settle(&mut client, &mut server, NOW);
    client.handle_timeout(NOW + Duration::from_millis(299));
    assert_eq!(client.poll_timeout(), Some(NOW + Duration::from_millis(300)));
    client.handle_timeout(NOW + Duration::from_millis(300));
    settle(&mut client, &mut server, NOW);
    let events: Vec<ServerEvent> = std::iter::from_fn(|| server.poll_event()).collect();
    assert_eq!(
        events,
        [
            ServerEvent::Break(true),
            ServerEvent::Dtr(false),
            ServerEvent::Rts(true),
            ServerEvent::Purge(Purge::Receive),
            ServerEvent::Break(false),
        ]
    );
    assert_eq!(client.state(Setting::Dtr), Some(State::Confirmed));
    let modem = ModemState { cts: true, ..ModemState::default() };
    server.set_modem(modem);
    server.set_line_state(LineState(LineState::FRAMING));
    server.set_line_state(LineState(0x01));
    settle(&mut client, &mut server, NOW);
    assert_eq!(client.modem(), Some(modem));
    let told: Vec<Event> = std::iter::from_fn(|| client.poll_event()).filter(|e| matches!(e, Event::Line(_))).collect();
    assert_eq!(told, [Event::Line(LineState(LineState::FRAMING))], "only what the mask asks for");
}

/// What ser2net 4.3.11 does on a pty, byte for byte: no answer to DTR and RTS, the query itself as "no such wire".
#[test]
fn a_server_without_wires() {
    let (mut client, mut server) =
        pair(ServerConfig { modem: None, ..ServerConfig::default() }, LineSettings::default());
    assert!(client.is_settled());
    client.set_dtr(NOW, true);
    settle(&mut client, &mut server, NOW);
    assert!(matches!(client.state(Setting::Dtr), Some(State::Asked { .. })));
    client.handle_timeout(NOW + Duration::from_secs(1));
    assert_eq!(client.state(Setting::Dtr), Some(State::NotSupported));
    // Late is still an answer.
    client.handle_bytes(NOW + Duration::from_secs(2), &[255, 250, 44, 105, 8, 255, 240]);
    assert_eq!(client.state(Setting::Dtr), Some(State::Confirmed));
    client.handle_bytes(NOW + Duration::from_secs(2), &[255, 250, 44, 105, 7, 255, 240]);
    assert_eq!(client.state(Setting::Dtr), Some(State::NotSupported));
}

#[test]
fn oddities_of_servers() {
    let (client, _) = pair(ServerConfig { long_baud: true, ..ServerConfig::default() }, LineSettings::at(57600));
    assert_eq!(client.state(Setting::Baud), Some(State::Confirmed));
    // Refused, and never answered: the bytes flow all the same.
    let (client, _) = pair(ServerConfig { com_port: false, ..ServerConfig::default() }, LineSettings::default());
    assert_eq!(client.state(Setting::ComPort), Some(State::NotSupported));
    assert!(client.is_settled());
    let mut client = Client::new(NOW, ClientConfig::rfc2217(LineSettings::default(), Wires::default()));
    client.send_break(NOW, Duration::from_millis(1));
    client.set_rts(NOW, true);
    client.handle_bytes(NOW, b"MikroTik Login: ");
    let at = client.poll_timeout().unwrap();
    assert!(!client.is_settled());
    client.handle_timeout(at);
    assert_eq!(client.state(Setting::ComPort), Some(State::NotSupported));
    assert!(client.is_settled(), "no option was answered, and nothing is waited for any more");
    assert_eq!((client.is_mute(), client.is_binary()), (true, (false, false)));
    assert_eq!(client.take_data(100), b"MikroTik Login: ");
    assert!(client.poll_timeout().is_none());
    // Another speed than the one asked for.
    let mut client = Client::new(NOW, ClientConfig::rfc2217(LineSettings::default(), Wires::default()));
    client.handle_bytes(NOW, &[255, 253, 44, 255, 250, 44, 101, 0, 0, 0x25, 0x80, 255, 240]);
    assert_eq!(client.state(Setting::Baud), Some(State::Differs(9600)));
}

/// Each option has its own time: what is answered is in use, what is not is not supported, and a late word still counts.
#[test]
fn a_server_that_answers_some_options_or_none() {
    for config in [ClientConfig::telnet(), ClientConfig::rfc2217(LineSettings::default(), Wires::default())] {
        let mut client = Client::new(NOW, config);
        client.poll_transmit();
        // It may send binary; whether we may, it never says.
        client.handle_bytes(NOW, &[255, 251, 0]);
        while let Some(at) = client.poll_timeout() {
            assert!(at <= NOW + Duration::from_millis(1500));
            client.handle_timeout(at);
        }
        assert!(client.is_settled());
        assert_eq!((client.is_mute(), client.is_binary()), (false, (false, true)));
        assert_eq!(client.write(b"\xff"), 1);
        assert_eq!(client.poll_transmit().unwrap(), [255, 255]);
        client.handle_bytes(NOW + Duration::from_secs(9), &[255, 253, 0]);
        assert_eq!(client.is_binary(), (true, true));
        assert_eq!(client.poll_transmit(), None, "a late answer is not answered");
    }
}

#[test]
fn a_client_that_never_says_will_is_served() {
    let mut server = Server::new(ServerConfig::default());
    server.poll_transmit();
    server.handle_bytes(&[255, 250, 44, 1, 0, 0, 0x25, 0x80, 255, 240]);
    assert_eq!(server.poll_event(), Some(ServerEvent::Line(LineSettings::at(9600))));
    let answer = [255, 250, 44, 107, 0xb0, 255, 240, 255, 250, 44, 101, 0, 0, 0x25, 0x80, 255, 240];
    assert_eq!(server.poll_transmit().unwrap(), answer, "its wires first, as after any agreement");
}

#[test]
fn a_server_that_is_full_asks_for_silence() {
    let (mut client, mut server) = pair(ServerConfig::default(), LineSettings::default());
    server.suspend_client(true);
    settle(&mut client, &mut server, NOW);
    assert_eq!(client.write(b"x"), 0);
    server.suspend_client(false);
    settle(&mut client, &mut server, NOW);
    assert_eq!(client.write(b"x"), 1);
}

#[test]
fn a_server_that_changes_its_mind_is_not_answered_for_ever() {
    let mut client = Client::new(NOW, ClientConfig::telnet());
    let mut sent = 0;
    for _ in 0..10_000 {
        client.handle_bytes(NOW, &[255, 251, 1, 255, 252, 1]);
        sent += client.poll_transmit().map_or(0, |bytes| bytes.len());
    }
    assert!(sent < 1000, "{sent}");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..600), com_port: bool) {
        let mut client = Client::new(NOW, ClientConfig { line: Some(LineSettings::default()), com_port, ..ClientConfig::default() });
        let mut server = Server::new(ServerConfig { com_port, ..ServerConfig::default() });
        client.handle_bytes(NOW, &bytes);
        server.handle_bytes(&bytes);
        settle(&mut client, &mut server, NOW);
        while let Some(at) = client.poll_timeout() {
            client.handle_timeout(at);
        }
        prop_assert!(client.is_settled());
    }
}
