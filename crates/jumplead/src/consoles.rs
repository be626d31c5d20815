//! Console servers by name: `console://NAME/LINE`, with `consoles.toml` in the configuration folder.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serial_console::io::{Endpoint, Transport};
use serial_console::{BadFraming, LineSettings, Wires};

/// What comes with us; the operator's own file adds to it.
const PRESETS: &str = include_str!("consoles.toml");
/// The operator's file.
pub const FILE: &str = "consoles.toml";

/// The base ports of one kind of server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Kind {
    rfc2217: Option<u16>,
    telnet: Option<u16>,
    tcp: Option<u16>,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    host: String,
    kind: String,
    /// The line's speed, its framing and its wires, where the server can be told.
    #[serde(default = "usual")]
    baud: u32,
    framing: Option<String>,
    dtr: Option<bool>,
    rts: Option<bool>,
}

fn usual() -> u32 {
    LineSettings::default().baud
}

impl Server {
    fn settings(&self) -> Result<(LineSettings, Wires), String> {
        let usual = LineSettings::at(self.baud);
        let framing = self.framing.as_ref().map(|framing| format!("{} {}", self.baud, framing).parse());
        let settings = framing.transpose().map_err(|error: BadFraming| error.to_string())?.unwrap_or(usual);
        Ok((settings, Wires { dtr: self.dtr, rts: self.rts }))
    }
}

/// All that is known of console servers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consoles {
    kind: BTreeMap<String, Kind>,
    server: BTreeMap<String, Server>,
}

impl Consoles {
    /// The presets, and the operator's file in `folder` where there is one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|error| format!("{}: {error}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::parse(""),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut all: Self = toml::from_str(PRESETS).map_err(|error| error.to_string())?;
        let own: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        all.kind.extend(own.kind);
        all.server = own.server;
        Ok(all)
    }

    /// Where a line of a server is. RFC 2217 is preferred, since it alone says at which speed the line is.
    ///
    /// # Errors
    /// What is not known.
    pub fn endpoint(&self, name: &str, line: u16) -> Result<Endpoint, String> {
        let server = self.server.get(name).ok_or_else(|| format!("{FILE} has no [server.{name}]"))?;
        let kinds = || self.kind.keys().cloned().collect::<Vec<_>>().join(", ");
        let kind =
            self.kind.get(&server.kind).ok_or_else(|| format!("kind `{}` is none of {}", server.kind, kinds()))?;
        let (settings, wires) = server.settings().map_err(|why| format!("[server.{name}]: {why}"))?;
        let (base, transport) = [
            (kind.rfc2217, Transport::Rfc2217(settings, wires)),
            (kind.telnet, Transport::Telnet),
            (kind.tcp, Transport::Raw),
        ]
        .into_iter()
        .find_map(|(base, transport)| base.map(|base| (base, transport)))
        .ok_or_else(|| format!("kind `{}` has no port", server.kind))?;
        let port = base.checked_add(line).ok_or_else(|| format!("there is no line {line}"))?;
        Ok(Endpoint::Net { host: server.host.clone(), port, transport })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "[server.oob]\nhost = \"oob.example\"\nkind = \"opengear\"\n[server.old]\nhost = \"192.0.2.9\"\n\
        kind = \"shelf\"\n[server.slow]\nhost = \"h\"\nkind = \"opengear\"\nbaud = 9600\nframing = \"7e1\"\nrts = false\n[server.bad]\nhost = \"h\"\nkind = \"opengear\"\n\
        framing = \"9n1\"\n[server.odd]\nhost = \"h\"\nkind = \"x\"\n\
        [kind.shelf]\ntcp = 7000\n";

    fn at(host: &str, port: u16, transport: Transport) -> Result<Endpoint, String> {
        Ok(Endpoint::Net { host: host.into(), port, transport })
    }

    #[test]
    fn a_line_is_where_its_kind_counts_it() {
        let consoles = Consoles::parse(OWN).unwrap();
        assert_eq!(
            consoles.endpoint("oob", 3),
            at("oob.example", 5003, Transport::Rfc2217(LineSettings::default(), Wires::default()))
        );
        assert_eq!(consoles.endpoint("old", 1), at("192.0.2.9", 7001, Transport::Raw));
        let (slow, wires) = ("9600 7E1".parse().unwrap(), Wires { dtr: None, rts: Some(false) });
        assert_eq!(consoles.endpoint("slow", 1), at("h", 5001, Transport::Rfc2217(slow, wires)));
        assert!(consoles.endpoint("bad", 1).unwrap_err().contains("[server.bad]: a framing is written like"));
        assert!(consoles.endpoint("odd", 1).unwrap_err().contains("opengear"));
        assert!(consoles.endpoint("no", 1).unwrap_err().contains("[server.no]"));
        assert!(consoles.endpoint("old", 65_000).is_err());
    }

    #[test]
    fn every_preset_has_a_port_and_a_wrong_file_says_so() {
        let presets = Consoles::parse("").unwrap();
        assert!(presets.kind.len() >= 6);
        assert!(presets.kind.values().all(|kind| *kind != Kind::default()));
        assert!(Consoles::parse("[server.x]\nhots = \"h\"\n").is_err());
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Consoles::load(folder.path()), Ok(presets));
        std::fs::write(folder.path().join(FILE), "x").unwrap();
        assert!(Consoles::load(folder.path()).unwrap_err().contains(FILE));
    }
}
