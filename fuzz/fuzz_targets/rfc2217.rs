//! Both sides of RFC 2217 against anything, then against each other: they come to rest. What is written meanwhile comes out at
//! the other end as it was, whatever was said about options before.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use serial_console::LineSettings;
use serial_console::rfc2217::{Client, ClientConfig, Server, ServerConfig, ServerEvent};

const NOW: Duration = Duration::from_secs(1);

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let com_port = choice & 1 != 0;
    let line = (choice & 2 != 0).then(LineSettings::default);
    let mut client = Client::new(NOW, ClientConfig { line, com_port, ..ClientConfig::default() });
    let mut server = Server::new(ServerConfig { com_port: choice & 4 != 0, ..ServerConfig::default() });
    for piece in bytes.chunks(usize::from(choice >> 3).max(1)) {
        client.handle_bytes(NOW, piece);
        server.handle_bytes(piece);
    }
    // What the greeting's answers to that are is no data; what is written from here on is. Where an end stands in the middle of
    // a command, or asks for silence, nothing is promised.
    let (mut sent, mut got) = (0, Vec::new());
    let mut rounds = 0;
    loop {
        // Written in the middle of the exchange, every special byte among it.
        if rounds < 8 {
            let data = [b'a', 0xff, b'\r', 0, b'\r', b'\n', 0xff, 0xff, u8::try_from(rounds).unwrap_or(0)];
            sent += server.write(&data);
            let taken = client.write(&data);
            assert!(taken <= data.len());
        }
        let (up, down) = (client.poll_transmit(), server.poll_transmit());
        if up.is_none() && down.is_none() {
            break;
        }
        rounds += 1;
        assert!(rounds < 1000, "they never come to rest");
        server.handle_bytes(&up.unwrap_or_default());
        client.handle_bytes(NOW, &down.unwrap_or_default());
        got.extend(client.take_data(usize::MAX));
        while server.poll_event().is_some() || client.poll_event().is_some() {}
    }
    while let Some(at) = client.poll_timeout() {
        client.handle_timeout(at);
        client.poll_transmit();
    }
    assert!(got.len() <= bytes.len() * 5 + sent + 1000);
    // From a clean start every byte comes through, once the options are settled.
    let mut client = Client::new(NOW, ClientConfig { line, com_port, ..ClientConfig::default() });
    let mut server = Server::new(ServerConfig { com_port: choice & 4 != 0, ..ServerConfig::default() });
    let mut settled = false;
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        let (to_server, to_client) = (client.poll_transmit(), server.poll_transmit());
        if to_server.is_none() && to_client.is_none() {
            if settled {
                break;
            }
            settled = true;
            // Whatever came with the greeting is no data of ours.
            (up, down) = (Vec::new(), Vec::new());
            let data = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
            assert_eq!((client.write(data), server.write(data)), (data.len(), data.len()));
            continue;
        }
        server.handle_bytes(&to_server.unwrap_or_default());
        client.handle_bytes(NOW, &to_client.unwrap_or_default());
        down.extend(client.take_data(usize::MAX));
        while let Some(event) = server.poll_event() {
            if let ServerEvent::Data(data) = event {
                up.extend(data);
            }
        }
    }
    let data = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    assert_eq!((up.as_slice(), down.as_slice()), (data, data));
});
