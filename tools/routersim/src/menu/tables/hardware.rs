//! Ports, consoles, health and other menus that a board has.

use super::interface::{LIST_MENU, SINGLE_MENU};
use super::short::{count, list, no, single, text, time, word, yes};
use crate::menu::config::Item;
use crate::menu::def::{Export, Menu, V6, V7, Verbs, flag, prop};
use crate::menu::hooks::{Hooks, Named};
use crate::menu::kind::Kind;
use crate::menu::refused::Refused;
use crate::menu::row::Row;
use crate::system::{System, Who};

pub(super) static MENUS: &[&Menu] = &[
    &PORT,
    &CONSOLE,
    &HEALTH_V6,
    &HEALTH_V7,
    &WATCHDOG,
    &LEDS,
    &CPU,
    &DISK,
    &CONSOLE_SETTINGS,
    &NTP_SERVER,
    &NTP_SERVERS,
];

/// The serial ports, and who has them.
struct Serial;

impl Hooks for Serial {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let v7 = sys.spec.version.is_v7();
        let set = sys.config(|config| config.items(PORT.path).to_vec());
        let row = |((name, present), id): ((String, bool), u32)| {
            let mut row = Row::new(id)
                .with("name", name.as_str())
                .with("used-by", sys.port_user(&name))
                .with("channels", "1")
                .with("baud-rate", if v7 { "auto" } else { "115200" })
                .with("data-bits", "8")
                .with("parity", "none")
                .with("stop-bits", "1")
                .with("flow-control", "none");
            let kept = set.iter().filter(|item| item.get("name") == Some(&name)).flat_map(|item| &item.values);
            kept.for_each(|(property, value)| row.put(property, value.as_str()));
            row.flag("inactive", !present);
            row
        };
        Some(sys.serial_ports().into_iter().zip(1..).map(row).collect())
    }

    /// The settings are kept and change nothing: the line is as fast as its cable's other end was told. A port keeps its name.
    fn set_row(&self, sys: &System, id: u32, named: &Named, who: &Who) -> Option<Result<(), Refused>> {
        let name = sys.rows(&PORT).into_iter().find(|row| row.id == id).map(|row| row.text("name").to_owned());
        let renamed = |(property, value): &&(String, String)| property == "name" && Some(value) != name.as_ref();
        if named.iter().find(renamed).is_some() {
            return Some(Err(sys.not_simulated("/port/set name", &who.user)));
        }
        Some(super::services::keep_row(sys, &PORT, "name", id, named))
    }
}

list!(PORT, "/port", [
    text("name"),
    text("device").ro(),
    count("channels").ro(),
    text("used-by").ro(),
    word("baud-rate"),
    word("data-bits"),
    word("parity"),
    word("stop-bits"),
    word("flow-control"),
    word("dtr").quiet(),
    word("rts").quiet(),
], columns ["device", "name", "channels", "used-by", "baud-rate"], verbs: Verbs::SET, export: Export::SetNamed("name"),
    flags: &[flag('I', "inactive")], hooks: &Serial);

struct Consoles;

impl Hooks for Consoles {
    fn fill(&self, _sys: &System, item: &Item, row: &mut Row) -> bool {
        row.flag("used", !item.disabled);
        true
    }
}

list!(CONSOLE, "/system/console", [word("port").ro(), word("term").or("vt102")], columns ["port", "term"],
    verbs: Verbs::SET.and(Verbs::ENABLE), export: Export::No,
    flags: &[flag('X', "disabled"), flag('U', "used"), flag('F', "free")], hooks: &Consoles);

/// A board at rest in a cool room.
const HEALTH: &[(&str, &str, &str)] =
    &[("voltage", "24", "V"), ("temperature", "38", "C"), ("cpu-temperature", "45", "C")];

struct HealthV6;

impl Hooks for HealthV6 {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let mut row = Row::new(0);
        for (name, value, unit) in HEALTH.iter().filter(|_| sys.board.routerboard) {
            row.put(name, format!("{value}{unit}"));
        }
        Some(vec![row])
    }
}

single!(HEALTH_V6, "/system/health", [
    word("voltage").ro(),
    word("temperature").ro(),
    word("cpu-temperature").ro(),
], verbs: Verbs::READ, export: Export::No, when: V6, hooks: &HealthV6);

struct HealthV7;

impl Hooks for HealthV7 {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let all = HEALTH.iter().zip(1..).filter(|_| sys.board.routerboard);
        Some(
            all.map(|((name, value, unit), id)| {
                Row::new(id).with("name", *name).with("value", *value).with("type", *unit)
            })
            .collect(),
        )
    }
}

list!(HEALTH_V7, "/system/health", [text("name").ro(), word("value").ro(), word("type").ro()],
    columns ["name", "value", "type"], verbs: Verbs::READ, export: Export::No, when: V7, hooks: &HealthV7);

single!(
    WATCHDOG,
    "/system/watchdog",
    [
        yes("watchdog-timer"),
        word("watch-address").or("none"),
        time("ping-start-after-boot").or("5m"),
        time("ping-timeout").or("1m"),
        yes("automatic-supout"),
        no("auto-send-supout"),
    ]
);
list!(LEDS, "/system/leds", [word("leds").req(), word("type").or("off"), word("interface")],
    columns ["leds", "type", "interface"], flags: &[flag('X', "disabled"), flag('*', "default")]);

struct Cpu;

impl Hooks for Cpu {
    fn rows(&self, sys: &System) -> Option<Vec<Row>> {
        let cores = (0..sys.board.cpu_count).zip(1..);
        Some(
            cores
                .map(|(cpu, id)| {
                    Row::new(id).with("cpu", format!("cpu{cpu}")).with("load", "1").with("irq", "0").with("disk", "0")
                })
                .collect(),
        )
    }
}

list!(CPU, "/system/resource/cpu", [word("cpu").ro(), count("load").ro(), count("irq").ro(), count("disk").ro()],
    columns ["cpu", "load", "irq", "disk"], verbs: Verbs::READ, export: Export::No, hooks: &Cpu);
list!(DISK, "/disk", [word("slot").ro(), word("type").ro(), prop("size", Kind::Bytes).ro(), prop("free", Kind::Bytes).ro()],
    columns ["slot", "type", "size", "free"], verbs: Verbs::READ, export: Export::No, when: V7);
single!(CONSOLE_SETTINGS, "/console/settings", [
    yes("sanitize-names").or("no"),
    yes("log-script-errors"),
    word("tab-width").or("8").quiet(),
], when: |v, _| v.at_least(7, 16));
single!(NTP_SERVER, "/system/ntp/server", [
    no("enabled"),
    no("broadcast"),
    no("multicast"),
    no("manycast"),
    word("broadcast-addresses").or("").quiet(),
    no("use-local-clock").when(V7),
    count("local-clock-stratum").or("5").when(V7),
], when: V7);
list!(NTP_SERVERS, "/system/ntp/client/servers", [
    word("address").req(),
    count("min-poll").or("6"),
    count("max-poll").or("10"),
    yes("iburst"),
    word("auth-key").or("none"),
], columns ["address", "min-poll", "max-poll", "iburst"],
    flags: &[flag('D', "dynamic").last(), flag('X', "disabled")], when: V7);
