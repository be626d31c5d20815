//! What one router is and has, read from its own console. Nothing here changes anything.

use crate::mac::Mac;
use crate::site::{Site, Sync};
use routeros::{Error, Outcome, Shell, Version};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// One router, as its console describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// `/system identity`.
    pub identity: String,
    /// `/system resource get version`, e.g. `6.44.6 (long-term)`.
    pub version: String,
    /// Board name.
    pub board: String,
    /// Serial number, where the board has one.
    pub serial: Option<String>,
    /// Boot firmware, where the board has one.
    pub firmware: Option<String>,
    /// Its boot loader says nothing on the serial console; only [`silent_boot`] asks for it.
    pub silent_boot: bool,
    /// Since the last boot.
    pub uptime: Duration,
    /// Ethernet ports, in the router's order.
    pub ports: Vec<Port>,
    /// IP addresses.
    pub addresses: Vec<Address>,
    /// Names of users.
    pub users: Vec<String>,
    /// Names of scripts.
    pub scripts: Vec<String>,
    /// Names of schedulers.
    pub schedulers: Vec<String>,
    /// Names of bridges.
    pub bridges: Vec<String>,
    /// Names of files.
    pub files: Vec<String>,
    /// Numbers of other configured items by menu, those above zero only.
    pub other: Vec<(String, u32)>,
    /// `HA_VRRP`, where it exists.
    pub vrrp: Option<Vrrp>,
    /// What its HA scripts say, where it has any.
    pub ha: Option<Ha>,
    /// FTP is served.
    pub ftp: bool,
}

/// An Ethernet port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// The name it was made with.
    pub default_name: String,
    /// The name it has.
    pub name: String,
    /// The burnt-in address.
    pub orig_mac: Option<Mac>,
    /// The address in use.
    pub mac: Option<Mac>,
    /// Switched off.
    pub disabled: bool,
    /// Has link.
    pub running: bool,
    /// The comment, `HA_RESCUE` on a rescue port.
    pub comment: String,
}

/// An IP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `192.0.2.1/24`
    pub address: String,
    /// The interface.
    pub interface: String,
    /// Made by something else, e.g. a DHCP client.
    pub dynamic: bool,
    /// `HA_AUTO` on those of the pair's own scripts.
    pub comment: String,
}

/// The pair's VRRP interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vrrp {
    /// Switched off.
    pub disabled: bool,
    /// This router is the active.
    pub master: bool,
}

/// What the HA scripts are set up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ha {
    /// The build's name as `ha_startup` has it.
    pub build: String,
    /// `haInterface`.
    pub interface: String,
    /// `haMacA`.
    pub mac_a: Option<Mac>,
    /// `haMacB`.
    pub mac_b: Option<Mac>,
    /// `haSync`, by builds that have more than one way.
    pub sync: Option<Sync>,
}

impl Ha {
    /// Scripts of this program, not another build's.
    pub fn is_ours(&self) -> bool {
        self.build.starts_with("jumplead")
    }

    /// They know the pair of this site file. As a standby of another pair a router looks like one of this pair, and VRRP makes
    /// it a backup as soon as a's HA port is on the same cable.
    pub fn is_of(&self, site: &Site) -> bool {
        self.interface == site.ha_interface && self.mac_a == Some(site.a.ha_mac) && self.mac_b == Some(site.b.ha_mac)
    }

    /// Neither address is one of this pair's. One that is leaves it a member of this pair with a wrong address (F2).
    pub fn is_of_another(&self, site: &Site) -> bool {
        let other = |named: Option<Mac>, own: Mac| named.is_some_and(|named| named != own);
        other(self.mac_a, site.a.ha_mac) && other(self.mac_b, site.b.ha_mac)
    }

    /// Which pair it is of, in words.
    pub fn pair(&self) -> String {
        let shown = |mac: Option<Mac>| mac.map_or_else(|| "-".to_owned(), |mac| mac.to_string());
        format!("{} {} / {}", self.interface, shown(self.mac_a), shown(self.mac_b))
    }
}

impl Facts {
    /// What is configured, short, and told apart by a hash: names and addresses, no counters and nothing dynamic.
    pub fn configuration(&self) -> String {
        let addresses: Vec<_> = self.addresses.iter().filter(|address| !address.dynamic).collect();
        let mut hash = Sha256::new();
        for address in &addresses {
            hash.update(format!("{} {}\n", address.address, address.interface));
        }
        for names in [&self.users, &self.scripts, &self.schedulers, &self.bridges] {
            // One list ends before the next one begins.
            hash.update(format!("{}\n{}\n", names.len(), names.join("\n")));
        }
        for (menu, count) in &self.other {
            hash.update(format!("{menu} {count}\n"));
        }
        let hash: String = hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!(
            "{}, {} addresses, {} users, {} scripts ({hash})",
            self.identity,
            addresses.len(),
            self.users.len(),
            self.scripts.len()
        )
    }

    /// Whether one of its ports has this address, by make or by configuration.
    pub fn has_mac(&self, mac: Mac) -> bool {
        self.ports.iter().any(|port| port.orig_mac == Some(mac) || port.mac == Some(mac))
    }

    /// The port of a default-name.
    pub fn port(&self, default_name: &str) -> Option<&Port> {
        self.ports.iter().find(|port| port.default_name == default_name)
    }

    /// The version's numbers.
    pub fn version(&self) -> Option<Version> {
        self.version.parse().ok()
    }

    /// Files survive a reboot only below `flash/` on such boards.
    pub fn has_flash_folder(&self) -> bool {
        self.files.iter().any(|file| file == "flash")
    }

    /// The active of a pair, as VRRP has it.
    pub fn is_active(&self) -> bool {
        self.vrrp.is_some_and(|vrrp| vrrp.master && !vrrp.disabled)
    }
}

/// The interface that carries the HA port's traffic: the bridge that it is in, or itself.
///
/// # Errors
/// As [`Shell::run`].
pub async fn hop_interface(shell: &Shell, ha_interface: &str) -> Result<String, Error> {
    let command = format!(
        ":local n [/interface ethernet get [find default-name=\"{ha_interface}\"] name]; \
         :local p [/interface bridge port find interface=$n]; \
         :if ([:len $p] > 0) do={{:put (\"hop=\" . [:tostr [/interface bridge port get [:pick $p 0] bridge]])}} \
         else={{:put (\"hop=\" . $n)}}"
    );
    let lines = Lines::of(&shell.run(command).await?.text);
    lines.one("hop").ok_or_else(|| garbled("the HA port's bridge", ""))
}

/// The facts that say who it is and what role it has, of a router that restarts every few seconds: over a line at a console
/// server all of them take longer than it stays up.
///
/// # Errors
/// Those of [`Shell::run`]; what a version doesn't know is left out instead.
pub async fn hurried(shell: &Shell, ha_interface: &str) -> Result<Facts, Error> {
    let mut facts = who(shell, ha_interface).await?;
    facts.vrrp = vrrp(&tolerant(shell, VRRP).await?);
    facts.ha = ha(&tolerant(shell, HA).await?);
    Ok(facts)
}

/// Reads the facts.
///
/// # Errors
/// Those of [`Shell::run`]; what a version doesn't know is left out instead.
pub async fn read(shell: &Shell, ha_interface: &str) -> Result<Facts, Error> {
    let mut facts = who(shell, ha_interface).await?;
    facts.firmware = exact(shell, "[/system routerboard get current-firmware]").await?;
    let lists = Lines::of(&shell.read(ADDRESSES).await?.done()?.text);
    facts.addresses = addresses(&lists);
    let lists = Lines::of(&shell.read(LISTS).await?.done()?.text);
    facts.users = lists.all("user");
    facts.scripts = lists.all("script");
    facts.schedulers = lists.all("scheduler");
    facts.bridges = lists.all("bridge");
    facts.files = Lines::of(&shell.read(FILES).await?.done()?.text).all("file");
    for menu in OTHER {
        let count = tolerant(shell, &format!(":put (\"count=\" . [:len [{menu} find where !dynamic]])")).await?;
        if let Some(count) = count.one("count").and_then(|n| n.parse().ok()).filter(|n| *n > 0) {
            facts.other.push((menu.to_owned(), count));
        }
    }
    facts.ftp = tolerant(shell, FTP).await?.one("ftp").as_deref() == Some("false");
    facts.vrrp = vrrp(&tolerant(shell, VRRP).await?);
    if facts.scripts.iter().any(|script| script == "ha_config") {
        facts.ha = ha(&tolerant(shell, HA).await?);
    }
    Ok(facts)
}

/// What it is, and its ports.
async fn who(shell: &Shell, ha_interface: &str) -> Result<Facts, Error> {
    let mut facts = Facts::default();
    let basics = Lines::of(&shell.read(BASICS).await?.done()?.text);
    facts.identity = basics.need("identity")?;
    facts.version = basics.need("version")?;
    facts.board = basics.need("board")?;
    facts.uptime = parse_time(&basics.need("uptime")?).ok_or_else(|| garbled("uptime", "no time"))?;
    // exact, by length and value: these decide which router is erased
    facts.serial = exact(shell, "[/system routerboard get serial-number]").await?;
    facts.ports = ports(&Lines::of(&shell.read(PORTS).await?.done()?.text));
    if let Some(port) = facts.ports.iter_mut().find(|port| port.default_name == ha_interface) {
        let expression = format!("[/interface ethernet get [find default-name=\"{ha_interface}\"] orig-mac-address]");
        port.orig_mac = exact(shell, &expression).await?.and_then(|text| text.parse().ok());
    }
    Ok(facts)
}

/// Whether its boot loader says nothing on the serial console, as far as the board has such a setting.
///
/// # Errors
/// Those of [`Shell::run`].
pub async fn silent_boot(shell: &Shell) -> Result<bool, Error> {
    Ok(matches!(tolerant(shell, SILENT_BOOT).await?.one("silent").as_deref(), Some("true" | "yes")))
}

/// Whether its boot loader is protected; `None` where the board has no such setting.
///
/// # Errors
/// Those of [`Shell::run`].
pub async fn protected(shell: &Shell) -> Result<Option<bool>, Error> {
    Ok(tolerant(shell, PROTECTED)
        .await?
        .one("protected")
        .map(|told| matches!(told.as_str(), "enabled" | "yes" | "true")))
}

/// What tells a router that has restarted from one that is about to, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// `/system identity`.
    pub identity: String,
    /// Since the last boot.
    pub uptime: Duration,
    /// Scripts and bridges: a router that was reset without defaults has none.
    pub configured: u32,
}

/// Reads it. Who it is, the console's own proof says.
///
/// # Errors
/// Those of [`Shell::run`].
pub async fn glance(shell: &Shell) -> Result<Glance, Error> {
    let lines = Lines::of(&shell.read(GLANCE).await?.done()?.text);
    let count = lines.need("configured")?.parse().map_err(|_| garbled("configured", "no number"))?;
    let uptime = parse_time(&lines.need("uptime")?).ok_or_else(|| garbled("uptime", "no time"))?;
    Ok(Glance { identity: lines.need("identity")?, uptime, configured: count })
}

/// The version of the configuration that the standby says it runs; `none` while it has none.
///
/// # Errors
/// Those of [`Shell::read_file`], a missing file excepted.
pub async fn standby_version(shell: &Shell) -> Result<Option<String>, Error> {
    match shell.read_file("HA_config-version.txt").await {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(Error::NoFile { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The version of the active's configuration as it is now.
///
/// # Errors
/// Those of [`Shell::run`].
pub async fn active_version(shell: &Shell) -> Result<String, Error> {
    let text = shell
        .run("/system script run ha_setconfigver; :global haMasterConfigVer; :put (\"ver=\" . $haMasterConfigVer)")
        .await?;
    Lines::of(&text.text)
        .one("ver")
        .filter(|v| !v.is_empty())
        .ok_or_else(|| garbled("the configuration's version", &text.text))
}

/// Ports on which `loop-protect` is on, by name, the HA port left out: they are shut when a clone of the router speaks.
///
/// # Errors
/// Those of [`Shell::run`].
pub async fn loop_protected(shell: &Shell, ha_interface: &str) -> Result<Vec<String>, Error> {
    let asked = format!(
        ":foreach i in=[/interface ethernet find loop-protect=on default-name!=\"{ha_interface}\"] do={{\
         :put (\"loop=\" . [/interface ethernet get $i name])}}"
    );
    Ok(tolerant(shell, &asked).await?.all("loop"))
}

/// What a way of sync can't carry on this router, in the words of its own script: `ha_quietlist`, or `ha_filelist`, which is
/// a part of that one and of the other way.
///
/// # Errors
/// Those of [`Shell::run`].
pub async fn not_carried(shell: &Shell, way: Sync) -> Result<Vec<String>, Error> {
    let asked = match way {
        Sync::Quiet => "/system script run ha_quietlist",
        Sync::Backup => {
            "/system script run ha_config; /system script run ha_filelist; :global haFileList; :put $haFileList"
        }
    };
    let output = shell.run(asked).await?;
    let of = |line: &str| {
        let (_, what) = line.split_once("NOT CARRIED: ")?;
        // the router's own text goes to terminals and journals
        Some(what.trim_end().chars().take(200).map(|c| if c.is_control() { '.' } else { c }).collect())
    };
    Ok(output.text.lines().filter_map(of).collect())
}

const BASICS: &str = ":put (\"identity=\" . [/system identity get name]); :put (\"version=\" . [/system resource get version]); \
     :put (\"board=\" . [/system resource get board-name]); :put (\"uptime=\" . [:tostr [/system resource get uptime]])";

const GLANCE: &str = ":put (\"identity=\" . [/system identity get name]); \
     :put (\"uptime=\" . [:tostr [/system resource get uptime]]); \
     :put (\"configured=\" . ([:len [/system script find]] + [:len [/interface bridge find]]))";

const PORTS: &str = ":foreach i in=[/interface ethernet find] do={\
     :put (\"port=\" . [/interface ethernet get $i default-name] . \"|\" . [/interface ethernet get $i mac-address] . \"|\" . \
     [/interface ethernet get $i disabled] . \"|\" . [/interface ethernet get $i running] . \"|\" . [/interface ethernet get $i name]); \
     :put (\"comment=\" . [/interface ethernet get $i comment])}";

const ADDRESSES: &str = ":foreach i in=[/ip address find] do={\
     :put (\"address=\" . [/ip address get $i address] . \"|\" . [/ip address get $i dynamic] . \"|\" . [/ip address get $i interface]); \
     :put (\"comment=\" . [/ip address get $i comment])}";

const LISTS: &str = ":foreach i in=[/user find] do={:put (\"user=\" . [/user get $i name])}; \
     :foreach i in=[/system script find] do={:put (\"script=\" . [/system script get $i name])}; \
     :foreach i in=[/system scheduler find] do={:put (\"scheduler=\" . [/system scheduler get $i name])}; \
     :foreach i in=[/interface bridge find] do={:put (\"bridge=\" . [/interface bridge get $i name])}";

const SILENT_BOOT: &str = ":put (\"silent=\" . [:tostr [/system routerboard settings get silent-boot]])";

const PROTECTED: &str = ":put (\"protected=\" . [:tostr [/system routerboard settings get protected-routerboot]])";

const FILES: &str = ":foreach i in=[/file find] do={:put (\"file=\" . [/file get $i name])}";

const VRRP: &str = ":foreach i in=[/interface vrrp find name=\"HA_VRRP\"] do={\
     :put (\"vrrp=\" . [/interface vrrp get $i disabled] . \"|\" . [/interface vrrp get $i master])}";

const FTP: &str = ":put (\"ftp=\" . [/ip service get [:pick [/ip service find name=\"ftp\"] 0] disabled])";

// ha_config defines globals and functions, nothing else
const HA: &str = "/system script run ha_config; :global haInterface; :global haMacA; :global haMacB; :global haSync; \
     :local s [/system script get [find name=\"ha_startup\"] source]; :local i [:find $s \"haStartupHAVersion \\\"\"]; \
     :if ([:typeof $i] = \"num\") do={:put (\"build=\" . [:pick $s ($i + 20) ($i + 100)])}; \
     :put (\"interface=\" . $haInterface); :put (\"macA=\" . $haMacA); :put (\"macB=\" . $haMacB); \
     :put (\"sync=\" . $haSync)";

/// Menus that are empty on an erased router.
const OTHER: [&str; 3] = ["/ip firewall filter", "/ip firewall nat", "/ip dhcp-client"];

/// What `:put` printed as `key=value` lines. Values are the router's own text: a line end in one makes a line without a key
/// that is known here, which is passed over.
pub(crate) struct Lines(Vec<(String, String)>);

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let pair = |line: &str| line.split_once('=').map(|(key, value)| (key.to_owned(), value.trim_end().to_owned()));
        Self(text.lines().filter_map(pair).collect())
    }

    pub(crate) fn one(&self, key: &str) -> Option<String> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| value.clone())
    }

    fn need(&self, key: &str) -> Result<String, Error> {
        self.one(key).ok_or_else(|| garbled(key, ""))
    }

    pub(crate) fn all(&self, key: &str) -> Vec<String> {
        self.0.iter().filter(|(k, _)| k == key).map(|(_, value)| value.clone()).collect()
    }
}

fn garbled(what: &str, seen: &str) -> Error {
    Error::Garbled { what: what.to_owned(), seen: seen.chars().take(200).flat_map(char::escape_debug).collect() }
}

/// A command that another version or board may not know: nothing then.
pub(crate) async fn tolerant(shell: &Shell, command: &str) -> Result<Lines, Error> {
    match shell.read(command).await? {
        Outcome::Done(output) => Ok(Lines::of(&output.text)),
        Outcome::Refused(_) => Ok(Lines(Vec::new())),
        unknown @ Outcome::Unknown(_) => Err(unknown.done().err().unwrap_or(Error::Closed)),
    }
}

/// The exact text of an expression; `None` where the router doesn't know it or has nothing there.
async fn exact(shell: &Shell, expression: &str) -> Result<Option<String>, Error> {
    match shell.value(expression).await {
        Ok(value) => Ok(String::from_utf8(value.bytes).ok().filter(|text| !text.is_empty())),
        Err(Error::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn ports(lines: &Lines) -> Vec<Port> {
    let mut ports: Vec<Port> = Vec::new();
    for (key, value) in &lines.0 {
        match key.as_str() {
            "port" => {
                // the name is last: it alone may hold anything
                let mut parts = value.splitn(5, '|');
                let mut next = || parts.next().unwrap_or_default().to_owned();
                ports.push(Port {
                    default_name: next(),
                    mac: next().parse().ok(),
                    disabled: next() == "true",
                    running: next() == "true",
                    name: next(),
                    orig_mac: None,
                    comment: String::new(),
                });
            }
            "comment" => {
                if let Some(port) = ports.last_mut() {
                    port.comment.clone_from(value);
                }
            }
            _ => {}
        }
    }
    ports
}

fn addresses(lines: &Lines) -> Vec<Address> {
    let mut addresses: Vec<Address> = Vec::new();
    for (key, value) in &lines.0 {
        match key.as_str() {
            "address" => {
                let mut parts = value.splitn(3, '|');
                let mut next = || parts.next().unwrap_or_default().to_owned();
                addresses.push(Address {
                    address: next(),
                    dynamic: next() == "true",
                    interface: next(),
                    comment: String::new(),
                });
            }
            "comment" => {
                if let Some(address) = addresses.last_mut() {
                    address.comment.clone_from(value);
                }
            }
            _ => {}
        }
    }
    addresses
}

fn vrrp(lines: &Lines) -> Option<Vrrp> {
    let text = lines.one("vrrp")?;
    let (disabled, master) = text.split_once('|')?;
    Some(Vrrp { disabled: disabled == "true", master: master == "true" })
}

fn ha(lines: &Lines) -> Option<Ha> {
    let build = lines.one("build").unwrap_or_default();
    Some(Ha {
        build: build.split('"').next().unwrap_or_default().to_owned(),
        interface: lines.one("interface")?,
        mac_a: lines.one("macA").and_then(|text| text.parse().ok()),
        mac_b: lines.one("macB").and_then(|text| text.parse().ok()),
        sync: match lines.one("sync").as_deref() {
            Some("quiet") => Some(Sync::Quiet),
            Some("backup") => Some(Sync::Backup),
            _ => None,
        },
    })
}

/// `1w2d03:04:05`, `00:01:02`, `3d00:00:01`, `1m30s`, `62`: as RouterOS writes times.
pub fn parse_time(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut number = String::new();
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next() {
        match c {
            '0'..='9' => number.push(c),
            'w' | 'd' | 'h' | 'm' | 's' => {
                let unit = match c {
                    'w' => 604_800,
                    'd' => 86_400,
                    'h' => 3600,
                    'm' => 60,
                    _ => 1,
                };
                seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
                number.clear();
            }
            ':' | '.' => break,
            _ => return None,
        }
        rest = rest.get(c.len_utf8()..)?;
    }
    if let Some(tail) = rest.strip_prefix(':') {
        let mut parts = tail.split(':');
        let minutes: u64 = parts.next()?.parse().ok()?;
        let last: u64 = parts.next()?.split('.').next()?.parse().ok()?;
        let hours: u64 = number.parse().ok()?;
        seconds = seconds.checked_add(hours.checked_mul(3600)?)?.checked_add(minutes * 60)?.checked_add(last)?;
        number.clear();
    }
    if !number.is_empty() {
        seconds = seconds.checked_add(number.parse().ok()?)?;
    }
    (!text.trim().is_empty()).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_routers_write_them() {
        for (text, seconds) in [
            ("00:00:07", 7),
            ("1d02:03:04", 93_784),
            ("2w3d00:00:01", 1_468_801),
            ("1m30s", 90),
            ("62", 62),
            ("00:00:10.500", 10),
            ("3m", 180),
        ] {
            assert_eq!(parse_time(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_time(""), None);
        assert_eq!(parse_time("soon"), None);
        assert_eq!(parse_time("99999999999999999999w"), None);
    }

    #[test]
    fn the_questions_parse() {
        for version in ["6.43.13", "7.24"] {
            let version: routeros_script::Version = version.parse().unwrap();
            for line in [BASICS, SILENT_BOOT, PORTS, ADDRESSES, LISTS, FILES, VRRP, FTP, HA] {
                if let Err(error) = routeros_script::parse(line.as_bytes(), version) {
                    panic!("{line}: {}", error.message);
                }
            }
        }
    }

    #[test]
    fn names_may_hold_the_separator() {
        let lines = Lines::of(
            "port=ether1|74:4D:28:00:00:03|false|true|up|link\ncomment=to = isp\nport=ether8|x|true|false|ether8\n",
        );
        let ports = ports(&lines);
        assert_eq!(ports[0].name, "up|link");
        assert_eq!(ports[0].comment, "to = isp");
        assert!(ports[1].disabled && ports[1].mac.is_none());
    }
}
