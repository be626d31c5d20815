//! `ports`: the serial ports of this host, and who holds them.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;
use serial_console::io::Port;

use crate::failure::Result;
use crate::output::Output;

pub fn run(out: &Output) -> Result {
    let ports = serial_console::io::ports();
    if out.json {
        let ports: Vec<_> = ports.iter().map(|port| json!({"url": url(port), "port": port})).collect();
        out.object(json!({"ports": ports}), &[]);
        return Ok(());
    }
    if ports.is_empty() {
        out.say("This host has no serial port. A line of a console server is reached as  rfc2217://HOST:PORT  or  tcp://HOST:PORT");
        return Ok(());
    }
    out.data(table(&ports));
    Ok(())
}

/// By the name that lasts, where there is one.
fn url(port: &Port) -> String {
    format!("serial://{}", port.lasting.as_ref().unwrap_or(&port.path))
}

fn table(ports: &[Port]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["PORT", "ADAPTER", "DRIVER", "HELD BY", "URL"]);
    for port in ports {
        let adapter = port.usb.as_ref().map_or_else(
            || "-".to_owned(),
            |usb| {
                let name = usb.name.clone().unwrap_or_else(|| format!("{}:{}", usb.vendor, usb.product));
                usb.serial
                    .as_ref()
                    .map_or_else(|| format!("{name} at {}", usb.place), |serial| format!("{name} {serial}"))
            },
        );
        let held: Vec<String> = port.holders.iter().map(ToString::to_string).collect();
        let held = if held.is_empty() { "-".to_owned() } else { held.join(", ") };
        table.add_row([port.path.clone(), adapter, port.driver.clone(), held, url(port)]);
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serial_console::io::{Holder, Usb};

    #[test]
    fn a_row_says_which_adapter_it_is_and_who_has_it() {
        let usb = Usb {
            vendor: "0403".into(),
            product: "6001".into(),
            serial: Some("A50285BI".into()),
            name: Some("FT232R USB UART".into()),
            interface: None,
            place: "1-1.4".into(),
        };
        let port = Port {
            path: "/dev/ttyUSB0".into(),
            lasting: Some("/dev/serial/by-id/usb-FTDI_A50285BI-if00".into()),
            driver: "ftdi_sio".into(),
            usb: Some(usb),
            holders: vec![Holder { pid: 4711, program: "minicom".into(), lock: None }],
        };
        let text = table(&[port]);
        for part in
            ["FT232R USB UART A50285BI", "minicom (pid 4711)", "serial:///dev/serial/by-id/usb-FTDI_A50285BI-if00"]
        {
            assert!(text.contains(part), "{text}");
        }
    }
}
