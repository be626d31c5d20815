//! Commands that bring a member of the standard pair into one of the states of ha-system.md 4.5: for our HA scripts, and for
//! stand-ins of the original ones (own making: single scripts of ours are replaced). Each shows at the next start.

/// F1, ours: the password that seals its secrets is gone, so its startup fails.
pub const PASSWORD_GONE: &str = "/ppp secret remove HA_PASSWORD";

/// F2: a replaced router; the pair's configuration names another address than the one that B has.
pub const WRONG_MAC: &str = ":local s [/system script get ha_config_base source]; :local i [:find $s \"74:4D:28:00:00:0B\"]; \
    /system script set ha_config_base source=([:pick $s 0 $i] . \"74:4D:28:00:00:FF\" . [:pick $s ($i + 17) [:len $s]])";

/// As the startup of another build leaves it, which failed: to be said once that one is up.
pub const SILENT: &str = "/interface vrrp disable HA_VRRP; /ip service set ftp disabled=yes";

/// Replaces a script's text.
fn stand_in(name: &str, source: &str) -> String {
    let source = source.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('\n', "\\n");
    format!("/system script set {name} source=\"{source}\"")
}

/// F1 of another build: its startup fails at once; its boot job closes the ports.
pub fn fails_at_once() -> String {
    stand_in("ha_startup", ":error \"something\"")
}

/// F2's loop, the original's way with a wrong address: 15 s after it has noticed, it restarts, for ever.
pub fn loops() -> String {
    let source = "/log warning \"ha_startup: START\"\n:global haInterface\n/system script run ha_config\n:global haIdentity\n\
        :if ($haIdentity = \"UNKNOWN\") do={\n/log error \"ha_startup: I AM UNKNOWN - WRONG MAC\"\n:delay 15\n/system reboot\n} else={\n\
        /interface vrrp enable HA_VRRP\n/log warning \"ha_startup: DONE\"\n}";
    stand_in("ha_startup", source)
}

/// F6: the bootstrap of an erased router waits for something that does not come.
pub const WAITS: &str = ":local done false\n:while (!$done) do={\n:do {\n/user add name=ha group=nowhere password=short\n:set done true\n} \
    on-error={ /log error \"ha_startup: 0.0 B bootstrap failed...waiting\"; :delay 5 }\n}\n";
