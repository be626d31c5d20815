//! What the configuration asks of the network, and what menus ask of it.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use mactelnet::MacAddr;

use super::core::{Socket, System};
use crate::menu::kind::{mask, parse_cidr};
use crate::menu::tables::INTERFACE_MENUS;
use crate::menu::time::parse_duration;
use crate::menu::{Config, Item};
use crate::net::{
    Address, Allowed, Bond, BondMode, Bridge, BridgePort, Counters, Identity, LoginKind, LoopProtect, NetConfig, Port,
    PortId, Prefix, Route, Services, TcpService, Vrrp, VrrpState,
};
use crate::quirks::LoginMethod;
use crate::ssh::Offer;

impl System {
    /// The socket that came up under that default name, once its driver has.
    pub fn socket(&self, default_name: &str) -> Option<Socket> {
        self.sockets.borrow().iter().find(|socket| socket.present && socket.default_name == default_name).cloned()
    }

    /// Names of all interfaces that are there.
    pub fn interface_names(&self) -> Vec<String> {
        let sockets = self.sockets.borrow();
        self.config(|config| {
            let mut names = Vec::new();
            for path in INTERFACE_MENUS {
                for item in config.items(path) {
                    let hidden = item.get("default-name").is_some_and(|default_name| {
                        !sockets.iter().any(|socket| socket.present && socket.default_name == default_name)
                    });
                    if let (false, Some(name)) = (hidden, item.get("name")) {
                        names.push(name.to_owned());
                    }
                }
            }
            names
        })
    }

    /// Whether an interface runs.
    pub fn is_running(&self, interface: &str) -> bool {
        self.net().is_some_and(|net| net.is_running(interface))
    }

    /// What passed an Ethernet port, or the slaves of a bond together, since this start.
    pub fn counters(&self, interface: &str) -> Option<Counters> {
        let net = self.net()?;
        let port = |name: &str| {
            let item = self.config(|config| config.by_name("/interface/ethernet", name).cloned())?;
            Some(net.counters(self.socket(item.get("default-name")?)?.index))
        };
        let bond = self.config(|config| config.by_name("/interface/bonding", interface).and_then(bond));
        let Some(bond) = bond else { return port(interface) };
        Some(bond.slaves.iter().filter_map(|slave| port(slave)).fold(Counters::default(), |sum, one| Counters {
            rx_bytes: sum.rx_bytes + one.rx_bytes,
            tx_bytes: sum.tx_bytes + one.tx_bytes,
            rx_packets: sum.rx_packets + one.rx_packets,
            tx_packets: sum.tx_packets + one.tx_packets,
            downs: sum.downs,
            up: sum.up.max(one.up),
        }))
    }

    /// `loop-protect-status` of an Ethernet port.
    pub fn loop_status(&self, port: PortId) -> &'static str {
        self.net().map_or("off", |net| net.loop_status(port))
    }

    /// The MAC by which an Ethernet port, a bond or a bridge speaks now.
    pub fn mac_of(&self, interface: &str) -> Option<MacAddr> {
        self.net().and_then(|net| net.mac(interface))
    }

    /// Role of a VRRP interface.
    pub fn vrrp_state(&self, name: &str) -> Option<VrrpState> {
        self.net().and_then(|net| net.vrrp_state(name))
    }

    /// The bridge that an interface is a port of.
    pub fn bridge_of(&self, interface: &str) -> Option<String> {
        self.config(|config| {
            let ports = config.items("/interface/bridge/port");
            let port = ports.iter().find(|port| !port.disabled && port.get("interface") == Some(interface))?;
            port.get("bridge").map(str::to_owned)
        })
    }

    /// A bridge's address: the administrator's, or its first port's.
    pub fn bridge_mac(&self, bridge: &Item) -> MacAddr {
        if let Some(mac) = bridge.get("admin-mac").and_then(|mac| mac.parse().ok()) {
            return mac;
        }
        let name = bridge.get("name");
        let port = self.config(|config| {
            let ports = config.items("/interface/bridge/port");
            let port = ports.iter().find(|port| port.get("bridge") == name)?;
            config.by_name("/interface/ethernet", port.get("interface")?).cloned()
        });
        match port {
            Some(port) => self.ethernet_mac(&port),
            // RouterOS makes one up; this one is told apart by the item's number.
            None => MacAddr([0x02, 0x4D, 0x28, 0xB0, 0, u8::try_from(bridge.id % 256).unwrap_or(0)]),
        }
    }

    /// `mac-address` of a stored Ethernet interface.
    fn ethernet_mac(&self, item: &Item) -> MacAddr {
        let own = item.get("mac-address").and_then(|mac| mac.parse().ok());
        own.or_else(|| self.socket(item.get("default-name")?).map(|socket| socket.mac)).unwrap_or_default()
    }

    /// The enabled bond that an interface is a slave of.
    pub fn bond_of(&self, interface: &str) -> Option<String> {
        self.config(|config| {
            let bonds = config.items("/interface/bonding").iter().filter(|item| !item.disabled).filter_map(bond);
            bonds.into_iter().find(|bond| bond.slaves.iter().any(|slave| slave == interface)).map(|bond| bond.name)
        })
    }

    /// Networks that are connected: prefix, own address, interface, whether it runs.
    pub fn connected(&self) -> Vec<(String, String, String, bool)> {
        let addresses = self.config(|config| config.items("/ip/address").to_vec());
        let mut list = Vec::new();
        for item in addresses.iter().filter(|item| !item.disabled) {
            let Some((ip, length)) = item.get("address").and_then(parse_cidr) else { continue };
            let interface = item.get("interface").unwrap_or_default().to_owned();
            let up = self.is_running(&interface);
            let network = Ipv4Addr::from(u32::from(ip) & mask(length));
            list.push((format!("{network}/{length}"), ip.to_string(), interface, up));
        }
        list
    }

    /// Whether a gateway lies on a connected network whose interface runs.
    pub fn reaches(&self, gateway: &str) -> bool {
        match gateway.parse::<Ipv4Addr>() {
            Ok(gateway) => self.connected().iter().any(|(prefix, _, _, up)| {
                *up && parse_cidr(prefix).is_some_and(|(address, length)| Prefix { address, length }.contains(gateway))
            }),
            Err(_) => self.is_running(gateway),
        }
    }

    /// Brings the network to what the configuration says now.
    pub fn reconfigure(&self) {
        if let Some(net) = self.net() {
            net.apply(self.net_config());
        }
    }

    /// What the configuration asks of the network.
    pub fn net_config(&self) -> NetConfig {
        let sockets = self.sockets.borrow().clone();
        let storage = self.storage.borrow();
        let config = &storage.config;
        let ports = config.items("/interface/ethernet").iter().filter_map(|item| {
            let default_name = item.get("default-name")?;
            let socket = sockets.iter().find(|socket| socket.present && socket.default_name == default_name)?;
            Some(Port {
                index: socket.index,
                name: item.get("name")?.to_owned(),
                default_name: default_name.to_owned(),
                orig_mac: socket.mac,
                mac: item.get("mac-address").and_then(|mac| mac.parse().ok()).unwrap_or(socket.mac),
                disabled: item.disabled,
                loop_protect: loop_protect(item),
            })
        });
        let ports = ports.collect();
        let bridges = config.items("/interface/bridge").iter().filter_map(|item| {
            let name = item.get("name")?.to_owned();
            let members = config.items("/interface/bridge/port").iter();
            let members = members.filter(|port| port.get("bridge") == Some(name.as_str())).filter_map(|port| {
                Some(BridgePort { interface: port.get("interface")?.to_owned(), disabled: port.disabled })
            });
            let members = members.collect();
            Some(Bridge { mac: self.bridge_mac(item), disabled: item.disabled, ports: members, name })
        });
        let bridges = bridges.collect();
        NetConfig {
            ports,
            bonds: config.items("/interface/bonding").iter().filter_map(bond).collect(),
            bridges,
            vrrps: self.vrrps(config),
            addresses: config.items("/ip/address").iter().filter_map(address).collect(),
            routes: config.items("/ip/route").iter().filter_map(route).collect(),
            services: self.services(config),
            identity: Identity {
                identity: single(config, "/system/identity", "name", "MikroTik").to_owned(),
                version: format!("{} {}", self.spec.version.with_channel(), self.spec.version.build_time()),
                platform: "MikroTik".to_owned(),
                board: self.board.name.to_owned(),
                software_id: self.software_id(),
                booted: self.booted,
            },
        }
    }

    fn vrrps(&self, config: &Config) -> Vec<Vrrp> {
        let number = |item: &Item, name: &str, or: u8| item.get(name).and_then(|text| text.parse().ok()).unwrap_or(or);
        let written = &self.volatile.borrow().vrrp_writes;
        let list = config.items("/interface/vrrp").iter().filter_map(|item| {
            Some(Vrrp {
                writes: written.get(&item.id).copied().unwrap_or(0),
                name: item.get("name")?.to_owned(),
                parent: item.get("interface")?.to_owned(),
                vrid: number(item, "vrid", 1),
                priority: number(item, "priority", 100),
                interval: item.get("interval").and_then(parse_duration).unwrap_or(Duration::from_secs(1)),
                preemption: item.get("preemption-mode") != Some("no"),
                disabled: item.disabled,
                runs_without_link: !self.quirks.vrrp_needs_link,
            })
        });
        list.collect()
    }

    fn services(&self, config: &Config) -> Services {
        let service = |name: &str, port: u16| {
            config.by_name("/ip/service", name).map_or_else(
                || TcpService::at(port),
                |item| TcpService {
                    enabled: !item.disabled,
                    port: item.get("port").and_then(|port| port.parse().ok()).unwrap_or(port),
                    addresses: item
                        .get("address")
                        .or(item.get("available-from"))
                        .unwrap_or_default()
                        .split(',')
                        .filter_map(parse_cidr)
                        .map(|(address, length)| Prefix { address, length })
                        .collect(),
                },
            )
        };
        let strong = single(config, "/ip/ssh", "strong-crypto", "no") == "yes";
        let mac_server = single(config, "/tool/mac-server", "allowed-interface-list", "all");
        let ping = single(config, "/tool/mac-server/ping", "enabled", "yes") == "yes";
        let discovery = single(config, "/ip/neighbor/discovery-settings", "discover-interface-list", "!dynamic");
        Services {
            ftp: service("ftp", 21),
            ssh: service("ssh", 22),
            ssh_offer: Offer::of(self.spec.version.is_v7(), strong),
            mac_telnet: self.allowed(config, mac_server),
            mac_telnet_login: match self.quirks.login {
                LoginMethod::Md5 => LoginKind::Md5,
                LoginMethod::EcSrp5 => LoginKind::EcSrp5,
            },
            mac_ping: if ping { Allowed::All } else { Allowed::None },
            discovery: self.allowed(config, discovery),
        }
    }

    /// The interfaces of an interface list.
    fn allowed(&self, config: &Config, list: &str) -> Allowed {
        match list {
            // No simulated interface is dynamic.
            "all" | "static" | "!dynamic" => Allowed::All,
            "none" | "dynamic" => Allowed::None,
            _ => {
                let members = config.items("/interface/list/member").iter();
                let members = members.filter(|item| !item.disabled && item.get("list") == Some(list));
                let names: BTreeSet<String> =
                    members.filter_map(|item| item.get("interface").map(str::to_owned)).collect();
                Allowed::Only(names)
            }
        }
    }

    /// `/system license software-id`: made from the serial number, so that it stays.
    pub fn software_id(&self) -> String {
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNPQRSTUVW";
        let digest = md5::compute(self.spec.serial_number.as_bytes());
        let text: String = digest.0.iter().take(8).map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
        format!("{}-{}", &text[..4], &text[4..])
    }
}

/// A value of a menu of one.
fn single<'a>(config: &'a Config, menu: &str, name: &str, or: &'a str) -> &'a str {
    config.items(menu).first().and_then(|item| item.get(name)).unwrap_or(or)
}

fn bond(item: &Item) -> Option<Bond> {
    let named = |name: &str| item.get(name).filter(|text| !text.is_empty() && *text != "none");
    Some(Bond {
        name: item.get("name")?.to_owned(),
        disabled: item.disabled,
        slaves: item.get("slaves")?.split(',').map(|name| name.trim().to_owned()).collect(),
        primary: named("primary").map(str::to_owned),
        forced_mac: named("forced-mac-address").and_then(|mac| mac.parse().ok()),
        mode: match item.get("mode").unwrap_or("balance-rr") {
            "balance-rr" | "balance-xor" => BondMode::Spread,
            "broadcast" => BondMode::Broadcast,
            _ => BondMode::One,
        },
    })
}

fn loop_protect(item: &Item) -> Option<LoopProtect> {
    let time =
        |name: &str, or| Duration::from_secs(item.get(name).and_then(parse_duration).map_or(or, |time| time.as_secs()));
    (item.get("loop-protect") == Some("on")).then(|| LoopProtect {
        send_interval: time("loop-protect-send-interval", 5).max(Duration::from_secs(1)),
        disable_time: time("loop-protect-disable-time", 300),
    })
}

fn address(item: &Item) -> Option<Address> {
    let (address, prefix) = parse_cidr(item.get("address")?)?;
    Some(Address { address, prefix, interface: item.get("interface")?.to_owned(), disabled: item.disabled })
}

/// A static route with an address as gateway; one through an interface needs an address to ask for, which the
/// simulated network does not have.
fn route(item: &Item) -> Option<Route> {
    let (address, length) = parse_cidr(item.get("dst-address").unwrap_or("0.0.0.0/0"))?;
    Some(Route {
        destination: Prefix { address, length },
        gateway: item.get("gateway")?.parse().ok()?,
        distance: item.get("distance").and_then(|text| text.parse().ok()).unwrap_or(1),
        disabled: item.disabled,
    })
}
