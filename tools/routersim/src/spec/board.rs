//! The boards that can be simulated: names, ports, what their menus report.

/// What a port is; RouterOS derives the default name from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortKind {
    /// `etherN`
    Ether,
    /// `sfpN`
    Sfp,
    /// `sfp-sfpplusN`
    SfpPlus,
}

/// One model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// As `/system routerboard get model` and `/system resource get board-name` say it.
    pub name: &'static str,
    /// `/system resource get architecture-name`
    pub architecture: &'static str,
    /// Processor, as `/system resource` says it.
    pub cpu: &'static str,
    /// Cores.
    pub cpu_count: u32,
    /// RAM, bytes.
    pub memory: u64,
    /// Storage, bytes.
    pub storage: u64,
    /// Whether the board has RouterBOOT and a serial number (a CHR has neither).
    pub routerboard: bool,
    /// Whether file writes stay in RAM for a while (NAND boards with many cores, ha-system.md section 4.1).
    pub slow_write_back: bool,
    /// Ports in hardware order: kind and count of each run.
    pub ports: &'static [(PortKind, u8)],
}

impl Board {
    /// Default names of all ports, in hardware order.
    pub fn port_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for &(kind, count) in self.ports {
            for n in 1..=count {
                names.push(match kind {
                    PortKind::Ether => format!("ether{n}"),
                    PortKind::Sfp => format!("sfp{n}"),
                    PortKind::SfpPlus => format!("sfp-sfpplus{n}"),
                });
            }
        }
        names
    }

    /// The board of that name, in any case.
    pub fn by_name(name: &str) -> Option<&'static Board> {
        BOARDS.iter().find(|board| board.name.eq_ignore_ascii_case(name))
    }
}

const MB: u64 = 1024 * 1024;

/// All boards known.
///
/// The CCR1009-7G-1C is given eight `etherN` ports: its eighth socket is the combo port, which the
/// pair's reference installation names `ether8` (as on the CCR1009-8G).
pub const BOARDS: &[Board] = &[
    Board {
        name: "CCR1009-7G-1C",
        architecture: "tile",
        cpu: "tilegx",
        cpu_count: 9,
        memory: 1024 * MB,
        storage: 128 * MB,
        routerboard: true,
        slow_write_back: true,
        ports: &[(PortKind::Ether, 8)],
    },
    Board {
        name: "CCR1009-8G-1S-1S+",
        architecture: "tile",
        cpu: "tilegx",
        cpu_count: 9,
        memory: 2048 * MB,
        storage: 128 * MB,
        routerboard: true,
        slow_write_back: true,
        ports: &[(PortKind::SfpPlus, 1), (PortKind::Sfp, 1), (PortKind::Ether, 8)],
    },
    Board {
        name: "RB4011iGS+",
        architecture: "arm",
        cpu: "ARMv7",
        cpu_count: 4,
        memory: 1024 * MB,
        storage: 512 * MB,
        routerboard: true,
        slow_write_back: true,
        ports: &[(PortKind::Ether, 10), (PortKind::SfpPlus, 1)],
    },
    Board {
        name: "RB750Gr3",
        architecture: "mmips",
        cpu: "MIPS 1004Kc V2.15",
        cpu_count: 4,
        memory: 256 * MB,
        storage: 16 * MB,
        routerboard: true,
        slow_write_back: false,
        ports: &[(PortKind::Ether, 5)],
    },
    Board {
        name: "CHR",
        architecture: "x86_64",
        cpu: "Intel(R)",
        cpu_count: 1,
        memory: 256 * MB,
        storage: 128 * MB,
        routerboard: false,
        slow_write_back: false,
        ports: &[(PortKind::Ether, 8)],
    },
];
