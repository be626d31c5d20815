//! Which packages a board takes, by its exact name. Names of one family don't share it: an RB450Gx4 is no RB450, a CRS354 no
//! CRS328. A board that is not here is not known here, and nothing is refused for that.

/// Where an architecture is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// From memory, found in no source \[verify\]: said, and never a reason to refuse a package.
    Unverified,
    /// A public transcript, a router's own `/system resource` in public text, or a public table of processors (TILE-Gx).
    Printed,
    /// The vendor's product matrix (mikrotik.com/products/matrix, its export of 2026-03-25).
    Matrix,
}

impl Source {
    /// For people.
    pub fn says(self) -> &'static str {
        match self {
            Self::Unverified => "from memory, to be verified",
            Self::Printed => "as such boards have printed it, or their processor",
            Self::Matrix => "the vendor's product matrix",
        }
    }
}

/// Architectures, as packages name them, with the boards that are known to run them. Names without the case (`-RM`, `-IN`) and
/// without the revision, which boards don't print.
const BOARDS: &[(&str, Source, &[&str])] = &[
    (
        "arm64",
        Source::Matrix,
        &[
            "CCR2004-1G-2XS-PCIe",
            "CCR2004-1G-12S+2XS",
            "CCR2004-16G-2S+",
            "CCR2116-12G-4S+",
            "CCR2216-1G-12XS-2XQ",
            "CRS304-4XG",
            "CRS418-8P-8G-2S+",
            "CRS520-4XS-16XQ",
            "CRS804-4DDQ-h",
            "CRS812-8DS-2DQ-2DDQ",
            "RB5009UG+S+",
            "RB5009UPr+S+",
            "RDS2216-2XG-4S+4XS-2XQ",
            "hAP ax^2",
            "hAP ax^3",
            "C52iG-5HaxD2HaxD",
            "C53UiG+5HPaxD2HPaxD",
        ],
    ),
    (
        "arm",
        Source::Matrix,
        &[
            "CRS305-1G-4S+",
            "CRS309-1G-8S+",
            "CRS310-1G-5S-4S+",
            "CRS310-8G+2S+",
            "CRS317-1G-16S+",
            "CRS318-16P-2S+",
            "CRS318-1Fi-15Fr-2S",
            "CRS320-8P-8B-4S+",
            "CRS326-24G-2S+",
            "CRS328-24P-4S+",
            "CRS328-4C-20S-4S+",
            "L009UiGS",
            "L009UiGS-2HaxD",
            "RB1100AHx4",
            "RB1100x4",
            "RB1100Dx4",
            "RB4011iGS+",
            "RB4011iGS+5HacQ2HnD",
            "RB450Gx4",
            "E50UG",
            "E60iUGS",
            "RBD52G-5HacD2HnD",
            "RBD53iG-5HacD2HnD",
        ],
    ),
    ("arm", Source::Printed, &["RB3011UiAS"]),
    (
        "mipsbe",
        Source::Matrix,
        &[
            "CRS106-1C-5S",
            "CRS112-8P-4S",
            "CRS312-4C+8XG",
            "CRS326-24S+2Q+",
            "CRS326-4C+20G+2Q+",
            "CRS354-48G-4S+2Q+",
            "CRS354-48P-4S+2Q+",
            "CRS504-4XQ",
            "CRS510-8XS-2XQ",
            "CRS518-16XS-2XQ",
            "RB750UP",
            "hEX PoE lite",
            "hEX lite",
            "RB960PGS",
            "hEX PoE",
            "RB951Ui-2nD",
            "RB951Ui-2HnD",
            "RB952Ui-5ac2nD",
            "RB962UiGS-5HacT2HnT",
            "RB911G-5HPnD",
            "RB912UAG-2HPnD",
            "RB912UAG-5HPnD",
            "RB922UAGS-5HPacD",
        ],
    ),
    ("mipsbe", Source::Printed, &["RB2011UAS"]),
    ("mipsbe", Source::Unverified, &["RB2011UiAS", "RB2011UiAS-2HnD", "RB450", "RB450G", "RB433", "RB493G"]),
    ("mmips", Source::Matrix, &["RB750Gr3", "hEX", "RB760iGS", "hEX S", "RBM33G"]),
    ("smips", Source::Matrix, &["RB941-2nD", "hAP lite"]),
    ("smips", Source::Unverified, &["RB931-2nD", "hAP mini"]),
    (
        "tile",
        Source::Printed,
        &[
            "CCR1009-7G-1C",
            "CCR1009-7G-1C-1S+",
            "CCR1009-8G-1S-1S+",
            "CCR1016-12G",
            "CCR1016-12S-1S+",
            "CCR1036-12G-4S",
            "CCR1036-8G-2S+",
        ],
    ),
    ("tile", Source::Unverified, &["CCR1072-1G-8S+"]),
    ("ppc", Source::Printed, &["RB600A"]),
    ("ppc", Source::Unverified, &["RB600", "RB800", "RB1100", "RB1100AH", "RB1100AHx2"]),
];

/// The name that counts: as RouterOS prints it, by whatever name a boot loader, a label or a shop has it.
fn plain(board: &str) -> String {
    let board = board.trim();
    let name = board.strip_prefix("RouterBOARD ").or_else(|| board.strip_prefix("RouterBoard ")).unwrap_or(board);
    let mut name = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("RB{name}") } else { name.to_owned() };
    // A revision: `r2`, but the `r3` of an RB750Gr3 makes it another board.
    if BOARDS.iter().all(|(_, _, names)| !names.contains(&name.as_str())) {
        for revision in ["r2", "r3", "r4"] {
            name = name.strip_suffix(revision).map_or(name.clone(), str::to_owned);
        }
    }
    for case in ["-TC", "-IN", "-RM", "-OUT", "-PC", "IN", "RM", "OUT", "PC"] {
        name = name.strip_suffix(case).map_or(name.clone(), str::to_owned);
    }
    name
}

/// The architecture of a board's packages, and where that is known from. `None` where it is not known here.
pub fn architecture(board: &str) -> Option<(&'static str, Source)> {
    let name = plain(board);
    let known = BOARDS.iter().find(|(_, _, names)| names.iter().any(|known| known.eq_ignore_ascii_case(&name)))?;
    Some((known.0, known.1))
}

/// Architectures that a package may name. One without any is x86's.
pub const ARCHITECTURES: [&str; 8] = ["arm", "arm64", "mipsbe", "mmips", "ppc", "smips", "tile", "x86"];

/// The architecture that a package's own name says: `routeros-7.18.2-tile.npk`, `routeros-tile-6.49.18.npk`.
pub fn of_package(file: &str) -> Option<&'static str> {
    let name = file.rsplit('/').next().unwrap_or(file);
    let stem = name.strip_suffix(".npk")?;
    if !stem.starts_with("routeros-") {
        return None;
    }
    let told = ARCHITECTURES.into_iter().find(|arch| stem.split('-').any(|part| part == *arch));
    told.or_else(|| (stem.split('-').count() == 2).then_some("x86"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_by_each_of_their_names() {
        for (board, wanted) in [
            ("CCR1009-7G-1C", "tile"),
            ("RouterBOARD 3011UiAS", "arm"),
            ("RB3011UiAS-RM", "arm"),
            ("RouterBoard 450", "mipsbe"),
            ("RB450Gx4", "arm"),
            ("RB941-2nD-TC", "smips"),
            ("RB750Gr3", "mmips"),
            ("RB750UPr2", "mipsbe"),
            ("CRS354-48G-4S+2Q+", "mipsbe"),
            ("CRS354-48G-4S+2Q+RM", "mipsbe"),
            ("CRS328-24P-4S+RM", "arm"),
            ("CRS312-4C+8XG-RM", "mipsbe"),
            ("RB5009UG+S+IN", "arm64"),
            ("CCR2004-16G-2S+r2", "arm64"),
            ("CCR2004-16G-2S+PC", "arm64"),
            ("RB4011iGS+RM", "arm"),
            ("RouterBoard 600A", "ppc"),
        ] {
            assert_eq!(architecture(board).map(|known| known.0), Some(wanted), "{board}");
        }
        for board in ["CHR", "", "RB4", "CRS3", "RB9999", "CCR1009"] {
            assert_eq!(architecture(board), None, "{board}");
        }
    }

    #[test]
    fn no_board_is_listed_twice_and_each_is_found() {
        let all: Vec<&str> = BOARDS.iter().flat_map(|(_, _, names)| names.iter().copied()).collect();
        for (at, name) in all.iter().enumerate() {
            assert!(!all.iter().skip(at + 1).any(|other| other.eq_ignore_ascii_case(name)), "{name}");
            assert!(architecture(name).is_some(), "{name} can't be found by its own name");
        }
        assert!(BOARDS.iter().all(|(arch, _, _)| ARCHITECTURES.contains(arch)));
    }

    #[test]
    fn packages_by_their_names() {
        for (file, wanted) in [
            ("routeros-7.18.2-tile.npk", Some("tile")),
            ("/srv/npk/routeros-tile-6.49.18.npk", Some("tile")),
            ("routeros-7.18.2-arm64.npk", Some("arm64")),
            ("routeros-7.18.2-arm.npk", Some("arm")),
            ("routeros-7.18.2.npk", Some("x86")),
            ("all.npk", None),
            ("x", None),
        ] {
            assert_eq!(of_package(file), wanted, "{file}");
        }
    }
}
