//! The configuration that a router has when nobody configured it.

use crate::menu::tables::{INTERFACES, defaults as defaults_of};
use crate::menu::{Config, Item};
use crate::spec::{Spec, State};

/// Services: name, port, whether it starts disabled.
const SERVICES: &[(&str, u16, bool)] = &[
    ("telnet", 23, false),
    ("ftp", 21, false),
    ("www", 80, false),
    ("ssh", 22, false),
    ("www-ssl", 443, true),
    ("api", 8728, false),
    ("winbox", 8291, false),
    ("api-ssl", 8729, false),
];

/// Menus that a reset and a backup leave alone: they lie in the board.
pub const BOARD_MENUS: &[&str] = &["/system/routerboard/settings"];

/// Menus that `keep-users=yes` keeps.
pub const USER_MENUS: &[&str] = &["/user", "/user/group", "/user/settings"];

/// Logging actions and what they hold besides the defaults.
const LOG_ACTIONS: &[(&str, &[(&str, &str)])] =
    &[("memory", &[]), ("disk", &[("disk-file-name", "log")]), ("echo", &[("remember", "yes")]), ("remote", &[])];

const GROUPS: &[(&str, &str)] = &[
    ("read", "local,telnet,ssh,reboot,read,test,winbox,password,web,sniff,sensitive,api,romon,tikapp,rest-api"),
    ("write", "local,telnet,ssh,reboot,read,write,test,winbox,password,web,sniff,sensitive,api,romon,tikapp,rest-api"),
    (
        "full",
        "local,telnet,ssh,ftp,reboot,read,write,policy,test,winbox,password,web,sniff,sensitive,api,romon,dude,tikapp,rest-api",
    ),
];

/// A router after a reset: `admin` with the label's password, ports under their default names, no addresses.
pub fn erased(spec: &Spec) -> Config {
    let mut config = Config::default();
    for (name, _) in spec.port_macs() {
        let item = Item::default().with("name", name.as_str()).with("default-name", name.as_str());
        config.insert("/interface/ethernet", INTERFACES, item, None);
    }
    for list in ["all", "none", "dynamic", "static"] {
        let item = Item { builtin: true, ..Item::default() }.with("name", list);
        config.insert("/interface/list", "/interface/list", item, None);
    }
    for (name, port, disabled) in SERVICES {
        let item = Item { disabled: *disabled, ..Item::default() }.with("name", *name).with("port", port.to_string());
        config.insert("/ip/service", "/ip/service", item, None);
    }
    let console = Item { builtin: true, ..Item::default() }.with("port", super::ports::BUILT_IN).with("term", "vt102");
    config.insert("/system/console", "/system/console", console, None);
    for (name, values) in LOG_ACTIONS {
        let item = Item { builtin: true, ..Item::default() }.with("name", *name).with("target", *name);
        let item = values.iter().fold(item, |item, (name, value)| item.with(name, *value));
        config.insert("/system/logging/action", "/system/logging/action", item, None);
    }
    for topics in ["info", "error", "warning", "critical"] {
        let action = if topics == "critical" { "echo" } else { "memory" };
        let item = Item { builtin: true, ..Item::default() }.with("topics", topics).with("action", action);
        config.insert("/system/logging", "/system/logging", item, None);
    }
    for (name, policy) in GROUPS {
        let item = Item { builtin: true, ..Item::default() }.with("name", *name).with("policy", *policy);
        config.insert("/user/group", "/user/group", item, None);
    }
    let admin = Item::default()
        .with("name", "admin")
        .with("group", "full")
        .with("password", spec.factory_password.as_str())
        .with("comment", "system default user");
    config.insert("/user", "/user", admin, None);
    defaults_of::fill(&mut config, spec.version);
    config
}

/// [`erased`] with the factory's default configuration: all ports but the first in one bridge with 192.168.88.1/24,
/// and the interface lists that the MAC services are bound to.
pub fn defaults(spec: &Spec) -> Config {
    let mut config = erased(spec);
    for list in ["WAN", "LAN"] {
        let item = Item::default().with("name", list).with("comment", "defconf");
        config.insert("/interface/list", "/interface/list", item, None);
    }
    let bridge = Item::default().with("name", "bridge").with("comment", "defconf");
    config.insert("/interface/bridge", INTERFACES, bridge, None);
    for (name, _) in spec.port_macs().into_iter().skip(1) {
        let port = Item::default().with("interface", name).with("bridge", "bridge").with("comment", "defconf");
        config.insert("/interface/bridge/port", "/interface/bridge/port", port, None);
    }
    let member = Item::default().with("list", "LAN").with("interface", "bridge").with("comment", "defconf");
    config.insert("/interface/list/member", "/interface/list/member", member, None);
    let address =
        Item::default().with("address", "192.168.88.1/24").with("interface", "bridge").with("comment", "defconf");
    config.insert("/ip/address", "/ip/address", address, None);
    if let Some((first, _)) = spec.port_macs().into_iter().next() {
        let member = Item::default().with("list", "WAN").with("interface", first.as_str()).with("comment", "defconf");
        config.insert("/interface/list/member", "/interface/list/member", member, None);
        let client = Item::default().with("interface", first).with("comment", "defconf");
        config.insert("/ip/dhcp-client", "/ip/dhcp-client", client, None);
    }
    config.single_mut("/tool/mac-server").put("allowed-interface-list", "LAN");
    config.single_mut("/tool/mac-server/mac-winbox").put("allowed-interface-list", "LAN");
    config.single_mut("/ip/neighbor/discovery-settings").put("discover-interface-list", "LAN");
    config
}

/// The configuration in which a specification's router arrives.
pub fn arrival(spec: &Spec) -> Config {
    let mut config = match spec.state {
        State::Erased => erased(spec),
        State::Default => defaults(spec),
    };
    for user in &spec.users {
        let known = config.items("/user").iter().find(|item| item.get("name") == Some(&user.name)).map(|item| item.id);
        let id = known.unwrap_or_else(|| {
            let item = Item::default().with("name", user.name.as_str());
            config.insert("/user", "/user", item, None)
        });
        if let Some(item) = config.item_mut("/user", id) {
            item.put("group", user.group.as_str());
            item.put("password", user.password.as_str());
        }
    }
    for (name, value) in &spec.booter.settings {
        config.single_mut("/system/routerboard/settings").put(name, value.as_str());
    }
    for (name, source) in &spec.scripts {
        let script = Item::default().with("name", name.as_str()).with("owner", "admin").with("source", source.as_str());
        config.insert("/system/script", "/system/script", script, None);
    }
    config
}
