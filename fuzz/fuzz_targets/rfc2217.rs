//! Both sides of RFC 2217 against anything, then against each other: they come to rest.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use serial_console::LineSettings;
use serial_console::rfc2217::{Client, ClientConfig, Server, ServerConfig};

const NOW: Duration = Duration::from_secs(1);

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let com_port = choice & 1 != 0;
    let line = (choice & 2 != 0).then(LineSettings::default);
    let mut client = Client::new(NOW, ClientConfig { line, com_port });
    let mut server = Server::new(ServerConfig { com_port: choice & 4 != 0, ..ServerConfig::default() });
    for piece in bytes.chunks(usize::from(choice >> 3).max(1)) {
        client.handle_bytes(NOW, piece);
        server.handle_bytes(piece);
    }
    let mut rounds = 0;
    loop {
        let (up, down) = (client.poll_transmit(), server.poll_transmit());
        if up.is_none() && down.is_none() {
            break;
        }
        rounds += 1;
        assert!(rounds < 1000, "they never come to rest");
        server.handle_bytes(&up.unwrap_or_default());
        client.handle_bytes(NOW, &down.unwrap_or_default());
        while server.poll_event().is_some() || client.poll_event().is_some() {}
    }
    while let Some(at) = client.poll_timeout() {
        client.handle_timeout(at);
        client.poll_transmit();
    }
    assert!(client.take_data(usize::MAX).len() <= bytes.len() * 2 + 1000);
});
