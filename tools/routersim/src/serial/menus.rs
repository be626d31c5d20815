//! The texts and keys of RouterBOOT's menus (transcripts 01, 08, 09, 11; the spellings are the booter's own).

/// A key of the main menu and its line.
pub type Entry = (u8, &'static str);

/// RouterBOOT 7 (transcript 08).
pub const MODERN: &[Entry] = &[
    (b'd', "boot delay"),
    (b'k', "boot key"),
    (b's', "serial console"),
    (b'n', "silent boot"),
    (b'o', "boot device"),
    (b'z', "extra kernel parameters"),
    (b'r', "reset booter configuration"),
    (b'e', "format storage"),
    (b'w', "repartition nand"),
    (b'g', "upgrade firmware"),
    (b'i', "board info"),
    (b'p', "boot protocol"),
    (b'b', "booter options"),
    (b'j', "boot os"),
    (b't', "hardware tests"),
    (b'l', "erase license"),
    (b'x', "exit setup"),
];

/// RouterBOOT 6 (transcript 11).
pub const OLDER: &[Entry] = &[
    (b'd', "boot delay"),
    (b'k', "boot key"),
    (b's', "serial console"),
    (b'n', "silent boot"),
    (b'o', "boot device"),
    (b'r', "reset booter configuration"),
    (b'e', "format nand"),
    (b'w', "repartition nand"),
    (b'g', "upgrade firmware"),
    (b'i', "board info"),
    (b'p', "boot protocol"),
    (b't', "test ram memory"),
    (b'x', "exit setup"),
];

/// A submenu: its heading, and its keys with their lines. (transcript 09)
#[derive(Debug)]
pub struct Sub {
    /// As the record calls it.
    pub name: &'static str,
    /// First line.
    pub heading: &'static str,
    /// Keys.
    pub entries: &'static [Entry],
}

/// `d`
pub const DELAY: Sub = Sub {
    name: "boot delay",
    heading: "Select boot delay:",
    entries: &[
        (b'1', "1s"),
        (b'2', "2s"),
        (b'3', "3s"),
        (b'4', "4s"),
        (b'5', "5s"),
        (b'6', "6s"),
        (b'7', "7s"),
        (b'8', "8s"),
        (b'9', "9s"),
    ],
};
/// `k`
pub const KEY: Sub = Sub {
    name: "boot key",
    heading: "Select key which will enter setup on boot:",
    entries: &[(b'1', "any key"), (b'2', "<Delete> key only")],
};
/// `s`
pub const SERIAL: Sub = Sub {
    name: "serial console",
    heading: "Select baud rate for serial console:",
    entries: &[
        (b'1', "115200"),
        (b'2', "57600"),
        (b'3', "38400"),
        (b'4', "19200"),
        (b'5', "9600"),
        (b'6', "4800"),
        (b'7', "2400"),
        (b'8', "1200"),
        (b'9', "off"),
    ],
};
/// `n`
pub const SILENT: Sub = Sub { name: "silent boot", heading: "Silent boot:", entries: &[(b'0', "off"), (b'1', "on")] };
/// `o`
pub const DEVICE: Sub = Sub {
    name: "boot device",
    heading: "Select boot device:",
    entries: &[
        (b'e', "boot over Ethernet"),
        (b'n', "boot from NAND, if fail then Ethernet"),
        (b'1', "boot Ethernet once, then NAND"),
        (b'o', "boot from NAND only"),
        (b'b', "boot chosen device"),
    ],
};
/// `p`
pub const PROTOCOL: Sub = Sub {
    name: "boot protocol",
    heading: "Choose which boot protocol to use:",
    entries: &[(b'1', "bootp protocol"), (b'2', "dhcp protocol")],
};
/// `b`
pub const BOOTER: Sub = Sub {
    name: "booter options",
    heading: "Select which booter you want to load:",
    entries: &[(b'1', "load regular booter"), (b'2', "force backup-booter loading")],
};
/// `g`
pub const UPGRADE: Sub = Sub {
    name: "upgrade firmware",
    heading: "Upgrade firmware options:",
    entries: &[(b'e', "upgrade firmware over ethernet"), (b's', "upgrade firmware over serial port")],
};
