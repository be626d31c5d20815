//! Where a router is and how to reach it: one URL, the same in every command and file.

mod line;

use crate::mac::Mac;
use std::fmt;
use std::str::FromStr;

pub use line::{DEFAULT_BAUD, Framing, LineOptions, Parity, SPEEDS};

/// One of the two routers of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Member {
    /// The router whose HA port is `haMacA`; the active in a bootstrap.
    A,
    /// The other one.
    B,
}

impl Member {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "a",
            Self::B => "b",
        })
    }
}

impl FromStr for Member {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "a" => Ok(Self::A),
            "b" => Ok(Self::B),
            _ => Err(TargetError::new(text, "a member is `a` or `b`")),
        }
    }
}

/// Which MAC-Telnet login may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoginMode {
    /// EC-SRP5; MD5 only where that is no downgrade.
    #[default]
    Auto,
    /// EC-SRP5 or nothing.
    EcSrp5,
    /// MD5 is allowed: its answer can be guessed offline.
    Md5,
}

impl fmt::Display for LoginMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::EcSrp5 => "ec-srp5",
            Self::Md5 => "md5",
        })
    }
}

impl FromStr for LoginMode {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "ec-srp5" => Ok(Self::EcSrp5),
            "md5" => Ok(Self::Md5),
            _ => Err(TargetError::new(text, "a login is `auto`, `ec-srp5` or `md5`")),
        }
    }
}

/// A parsed TARGET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetUrl {
    /// `mac://MAC%IFACE?login=MODE`; in a site file the address may be left out and is then `ha_mac`.
    Mac {
        /// The router's port.
        mac: Option<Mac>,
        /// The host's interface; may be missing for reading only.
        interface: Option<String>,
        /// Which login, where it is said.
        login: Option<LoginMode>,
    },
    /// `serial:///dev/...?baud=N&framing=8n1&dtr=on&rts=on`
    Serial {
        /// The device.
        path: String,
        /// What the line is set to.
        line: LineOptions,
    },
    /// `rfc2217://host:port`, with the same options
    Rfc2217(HostPort, LineOptions),
    /// `tcp://host:port`
    Tcp(HostPort),
    /// `telnet://host:port`
    Telnet(HostPort),
    /// `console://NAME/LINE`: a line of a console server that the host's own `consoles.toml` names
    Console {
        /// The server's name there.
        server: String,
        /// Its line, counted as on the server.
        line: u16,
    },
    /// `console+ssh://host?login=user:port03`
    ConsoleSsh {
        /// The console server.
        host: String,
        /// Its SSH port.
        port: u16,
        /// The login that selects the line.
        login: String,
    },
    /// `ssh://user@host:port`
    Ssh {
        /// The user, where it is said.
        user: Option<String>,
        /// The router.
        host: String,
        /// Its SSH port.
        port: u16,
    },
    /// `via:PAIR/a`, inside a site file `via:a`: through that member's `/tool mac-telnet`; with `?port=usb1` by the console that
    /// is wired to that serial port of it, through its `/system serial-terminal`.
    Via {
        /// The pair, where it is another file's.
        pair: Option<String>,
        /// The member to go through.
        member: Member,
        /// Its serial port, where that is the road.
        port: Option<String>,
    },
    /// `PAIR/b`: whatever the site file says.
    Pair {
        /// The pair.
        pair: String,
        /// The member.
        member: Member,
    },
}

/// A target, or another argument, as one word of a shell: `&` and `?` of a URL would be the shell's.
pub fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/%@=,+".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A TCP end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// Text that is no TARGET. Never holds a password: such URLs are refused before they are shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {why}")]
pub struct TargetError {
    text: String,
    why: String,
}

impl TargetError {
    fn new(text: &str, why: impl Into<String>) -> Self {
        Self { text: text.chars().filter(|c| !c.is_control()).take(80).collect(), why: why.into() }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        "target.invalid"
    }
}

const SCHEMES: &str = "mac://, serial://, rfc2217://, tcp://, telnet://, console://NAME/LINE, console+ssh://, ssh://, via:PAIR/a, or PAIR/a and PAIR/b";

impl TargetUrl {
    /// The address of a `mac://` target, where it has one.
    pub fn mac(&self) -> Option<Mac> {
        match self {
            Self::Mac { mac, .. } => *mac,
            _ => None,
        }
    }

    /// A console's line, on which the boot loader listens too.
    pub fn is_line(&self) -> bool {
        matches!(
            self,
            Self::Serial { .. }
                | Self::Rfc2217(..)
                | Self::Tcp(_)
                | Self::Telnet(_)
                | Self::Console { .. }
                | Self::ConsoleSsh { .. }
                | Self::Via { port: Some(_), .. }
        )
    }

    /// A line behind a console server, which may write down what passes; a router that passes it on keeps nothing.
    pub fn is_server(&self) -> bool {
        self.is_line() && !matches!(self, Self::Serial { .. } | Self::Via { .. })
    }
}

impl FromStr for TargetUrl {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = |why: &str| TargetError::new(text, why);
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(fail("blanks and control characters have no place here"));
        }
        if let Some(rest) = text.strip_prefix("via:") {
            let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
            let query = Query::parse(query).map_err(|why| TargetError::new("via", why))?;
            query.only(&["port"]).map_err(|why| fail(&why))?;
            let port = query.get("port").map(serial_port).transpose().map_err(|why| fail(&why))?;
            let (pair, member) = match rest.split_once('/') {
                Some((pair, member)) => (Some(pair_name(pair).map_err(|why| fail(&why))?), member),
                None => (None, rest),
            };
            return Ok(Self::Via { pair, member: member.parse()?, port });
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return match text.rsplit_once('/') {
                Some((pair, member)) if member == "a" || member == "b" => {
                    Ok(Self::Pair { pair: pair.to_owned(), member: member.parse()? })
                }
                None if pair_name(text).is_ok() => {
                    Err(fail(&format!("which router? Of a pair: {text}/a or {text}/b; alone, one of {SCHEMES}")))
                }
                _ => Err(fail(&format!("where a router is, is one of {SCHEMES}"))),
            };
        };
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        // `user:password@` is the classic way in which a password gets into argv
        if place.split_once('@').is_some_and(|(user, _)| user.contains(':')) {
            return Err(TargetError::new(scheme, "a password has no place in a URL; use --password or the site file"));
        }
        let query = Query::parse(query).map_err(|why| TargetError::new(scheme, why))?;
        match scheme {
            "mac" => {
                let (mac, interface) = match place.split_once('%') {
                    Some((mac, interface)) => (mac, Some(interface_name(interface).map_err(|why| fail(&why))?)),
                    None => (place, None),
                };
                let mac =
                    if mac.is_empty() { None } else { Some(mac.parse::<Mac>().map_err(|e| fail(&e.to_string()))?) };
                if mac.is_some_and(|mac| !mac.is_station()) {
                    return Err(fail("this is a group's address, not a port's"));
                }
                let login = query.get("login").map(str::parse).transpose()?;
                query.only(&["login"]).map_err(|why| fail(&why))?;
                Ok(Self::Mac { mac, interface, login })
            }
            "serial" => {
                if !place.starts_with('/') {
                    return Err(fail("a serial port is written serial:///dev/..."));
                }
                query.only(line::KEYS).map_err(|why| fail(&why))?;
                let line = LineOptions::parse(&query).map_err(|why| fail(&why))?;
                Ok(Self::Serial { path: place.to_owned(), line })
            }
            "rfc2217" | "tcp" | "telnet" => {
                let settable = scheme == "rfc2217";
                if let Some(key) = line::KEYS.iter().find(|key| !settable && query.get(key).is_some()) {
                    return Err(fail(&format!(
                        "`{key}` is set at the console server: {scheme}:// can't tell it, rfc2217:// can"
                    )));
                }
                query.only(if settable { line::KEYS } else { &[] }).map_err(|why| fail(&why))?;
                let line = LineOptions::parse(&query).map_err(|why| fail(&why))?;
                let (host, port) = host_port(place).map_err(|why| fail(&why))?;
                let default = (scheme == "telnet").then_some(23);
                let port = port.or(default).ok_or_else(|| fail("the port is missing: host:port"))?;
                let end = HostPort { host, port };
                Ok(match scheme {
                    "rfc2217" => Self::Rfc2217(end, line),
                    "tcp" => Self::Tcp(end),
                    _ => Self::Telnet(end),
                })
            }
            "console" => {
                query.only(&[]).map_err(|why| fail(&why))?;
                let (server, line) = place.split_once('/').ok_or_else(|| fail("which line? console://NAME/3"))?;
                let server = pair_name(server).map_err(|_| fail("this is no name of a console server"))?;
                let line = line.parse().map_err(|_| fail("a line is a number: console://NAME/3"))?;
                Ok(Self::Console { server, line })
            }
            "console+ssh" => {
                let (host, port) = host_port(place).map_err(|why| fail(&why))?;
                let login = query.get("login").ok_or_else(|| fail("which line? ?login=user:port03"))?.to_owned();
                query.only(&["login"]).map_err(|why| fail(&why))?;
                Ok(Self::ConsoleSsh { host, port: port.unwrap_or(22), login })
            }
            "ssh" => {
                query.only(&[]).map_err(|why| fail(&why))?;
                let (user, place) = match place.split_once('@') {
                    Some((user, place)) if !user.is_empty() => (Some(user.to_owned()), place),
                    Some(_) => return Err(fail("the user before @ is empty")),
                    None => (None, place),
                };
                let (host, port) = host_port(place).map_err(|why| fail(&why))?;
                Ok(Self::Ssh { user, host, port: port.unwrap_or(22) })
            }
            _ => Err(fail(&format!("unknown kind `{scheme}`; one of {SCHEMES}"))),
        }
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac { mac, interface, login } => {
                f.write_str("mac://")?;
                if let Some(mac) = mac {
                    write!(f, "{mac}")?;
                }
                if let Some(interface) = interface {
                    write!(f, "%{interface}")?;
                }
                login.map_or(Ok(()), |login| write!(f, "?login={login}"))
            }
            Self::Serial { path, line } => write!(f, "serial://{path}{line}"),
            Self::Rfc2217(end, line) => write!(f, "rfc2217://{end}{line}"),
            Self::Tcp(end) => write!(f, "tcp://{end}"),
            Self::Telnet(end) => write!(f, "telnet://{end}"),
            Self::Console { server, line } => write!(f, "console://{server}/{line}"),
            Self::ConsoleSsh { host, port, login } => {
                write!(f, "console+ssh://{}?login={login}", Host { host, port: (*port != 22).then_some(*port) })
            }
            Self::Ssh { user, host, port } => {
                f.write_str("ssh://")?;
                if let Some(user) = user {
                    write!(f, "{user}@")?;
                }
                write!(f, "{}", Host { host, port: (*port != 22).then_some(*port) })
            }
            Self::Via { pair, member, port } => {
                f.write_str("via:")?;
                if let Some(pair) = pair {
                    write!(f, "{pair}/")?;
                }
                write!(f, "{member}")?;
                port.as_ref().map_or(Ok(()), |port| write!(f, "?port={port}"))
            }
            Self::Pair { pair, member } => write!(f, "{pair}/{member}"),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Host { host: &self.host, port: Some(self.port) }.fmt(f)
    }
}

/// A host, in brackets where it is an IPv6 address, and a port where it is not the usual one.
struct Host<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(self.host)?;
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The name of a pair: also a file's name, so nothing that leads out of a folder.
pub fn pair_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && text.len() <= 64
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if fits { Ok(text.to_owned()) } else { Err("a pair's name is letters, digits, `.`, `_` and `-`".to_owned()) }
}

/// Linux's limit for names of interfaces, 15 bytes.
fn interface_name(text: &str) -> Result<String, String> {
    let fits = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b'%');
    if fits { Ok(text.to_owned()) } else { Err(format!("`{text}` is no interface name")) }
}

/// A serial port as RouterOS names it: `serial0`, `usb1`.
fn serial_port(text: &str) -> Result<String, String> {
    let fits = (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("`{text}` is no serial port, which is one like serial0 or usb1"))
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
fn host_port(text: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("a bracket is not closed")?;
        (host, rest.strip_prefix(':'))
    } else {
        match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => return Err("write an IPv6 address in brackets".into()),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':')) {
        return Err(format!("`{host}` is no host"));
    }
    let port = match port {
        Some(port) => Some(port.parse::<u16>().ok().filter(|p| *p != 0).ok_or(format!("`{port}` is no port"))?),
        None => None,
    };
    Ok((host.to_owned(), port))
}

/// `key=value&key=value`.
struct Query<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Query<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let mut pairs = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or(format!("`{part}` lacks a value"))?;
            if matches!(key, "password" | "pass" | "pw") {
                return Err("a password has no place in a URL".into());
            }
            pairs.push((key, value));
        }
        Ok(Self(pairs))
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find(|(k, _)| *k == key).map(|(_, value)| *value)
    }

    fn only(&self, known: &[&str]) -> Result<(), String> {
        match self.0.iter().find(|(key, _)| !known.contains(key)) {
            Some((key, _)) => Err(format!("`{key}` is unknown here")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn console_servers_may_keep_what_passes() {
        let heard = |text: &str| text.parse::<TargetUrl>().unwrap().is_server();
        assert!(["tcp://h:1", "rfc2217://h:1", "telnet://h:1"].into_iter().all(heard));
        assert!(!["serial:///dev/x", "via:a", "via:a?port=usb1", "mac://74:4D:28:00:00:0B%e"].into_iter().any(heard));
    }

    #[test]
    fn every_form_comes_back_as_it_was_written() {
        for text in [
            "mac://74:4D:28:00:00:0B%eth1",
            "mac://74:4D:28:00:00:0B%eth1?login=md5",
            "mac://%eth1",
            "mac://",
            "serial:///dev/serial/by-id/usb-FTDI_A",
            "serial:///dev/ttyUSB0?baud=9600",
            "serial:///dev/ttyUSB0?framing=7e1",
            "serial:///dev/ttyUSB0?baud=9600&framing=8o2&dtr=on&rts=off",
            "rfc2217://oob.example:4001?baud=57600&rts=on",
            "rfc2217://oob.example:4001",
            "tcp://[2001:db8::1]:4001",
            "telnet://oob.example:23",
            "console://oob-1/3",
            "console+ssh://oob.example?login=user:port03",
            "ssh://admin@192.0.2.11",
            "ssh://192.0.2.11:2222",
            "via:a",
            "via:edge-1/a",
            "via:a?port=usb1",
            "via:edge-1/a?port=serial0",
            "edge-1/b",
        ] {
            let target: TargetUrl = text.parse().unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(target.to_string(), text);
        }
        let usual: TargetUrl = "rfc2217://h:1?baud=115200&framing=8N1&dtr=keep".parse().unwrap();
        assert_eq!(usual.to_string(), "rfc2217://h:1", "what is as usual is left away");
    }

    #[test]
    fn refusals_say_what_is_wrong_and_never_a_password() {
        for (text, why) in [
            ("eth1", "one of mac://"),
            ("http://x", "unknown kind"),
            ("mac://01:00:5E:00:00:01", "group's"),
            ("mac://74:4D:28:00:00:0B%", "interface"),
            ("mac://74:4D:28:00:00:0B?baud=1", "`baud` is unknown"),
            ("serial://ttyS0", "serial:///dev"),
            ("serial:///dev/ttyS0?baud=7", "baud"),
            ("serial:///dev/ttyS0?baud=fast", "`fast` is no baud rate, which is 300 to 4000000"),
            ("serial:///dev/ttyS0?framing=9n1", "7 or 8, then n, e or o, then 1 or 2"),
            ("serial:///dev/ttyS0?framing=8m1", "7 or 8, then n, e or o, then 1 or 2"),
            ("rfc2217://oob:1?framing=8n", "7 or 8, then n, e or o, then 1 or 2"),
            ("rfc2217://oob:1?framing=", "7 or 8"),
            ("serial:///dev/ttyS0?dtr=1", "dtr `1` is none of on, off and keep"),
            ("rfc2217://oob:1?rts=low", "rts `low` is none of on, off and keep"),
            ("serial:///dev/ttyS0?cts=on", "`cts` is unknown"),
            ("tcp://oob:1?framing=7e1", "`framing` is set at the console server: tcp:// can't tell it, rfc2217:// can"),
            ("telnet://oob:1?dtr=on", "`dtr` is set at the console server"),
            ("rfc2217://oob", "port is missing"),
            ("tcp://2001:db8::1:9", "brackets"),
            ("ssh://admin:hunter2@host", "no place in a URL"),
            ("ssh://host?password=hunter2", "no place"),
            ("via:c", "`a` or `b`"),
            ("via:../x/a", "a pair's name"),
            ("via:a?port=", "no serial port"),
            ("via:a?port=usb1;/system/reboot", "no serial port"),
            ("via:a?baud=9600", "`baud` is unknown"),
            ("mac://74:4D:28:00:00:0B%e\n", "control"),
        ] {
            let error = text.parse::<TargetUrl>().expect_err(text).to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
