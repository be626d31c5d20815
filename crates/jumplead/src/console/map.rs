//! Line ends and erase keys of other systems, by the names that `tio` and `stty` use.

/// What is done to the bytes. `I...` to what comes, `O...` to what is typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Map {
    icrnl: bool,
    igncr: bool,
    inlcr: bool,
    inlcrnl: bool,
    icrcrnl: bool,
    ocrnl: bool,
    onlcr: bool,
    ocrcrnl: bool,
    odelbs: bool,
    obsdel: bool,
}

/// All names, for help and errors.
pub const NAMES: &str = "ICRNL, IGNCR, INLCR, INLCRNL, ICRCRNL, OCRNL, ONLCR, OCRCRNL, ODELBS, OBSDEL";

impl std::str::FromStr for Map {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut map = Self::default();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let flag = match name.to_ascii_uppercase().as_str() {
                "ICRNL" => &mut map.icrnl,
                "IGNCR" => &mut map.igncr,
                "INLCR" => &mut map.inlcr,
                "INLCRNL" => &mut map.inlcrnl,
                "ICRCRNL" => &mut map.icrcrnl,
                "OCRNL" => &mut map.ocrnl,
                "ONLCR" => &mut map.onlcr,
                "OCRCRNL" => &mut map.ocrcrnl,
                "ODELBS" => &mut map.odelbs,
                "OBSDEL" => &mut map.obsdel,
                _ => return Err(format!("`{name}` is none of {NAMES}")),
            };
            *flag = true;
        }
        Ok(map)
    }
}

impl Map {
    /// What came, as it is shown.
    pub fn inward(self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            match byte {
                b'\r' if self.igncr => {}
                b'\r' if self.icrnl => out.push(b'\n'),
                b'\r' if self.icrcrnl => out.extend(b"\r\n"),
                b'\n' if self.inlcr => out.push(b'\r'),
                b'\n' if self.inlcrnl => out.extend(b"\r\n"),
                other => out.push(other),
            }
        }
        out
    }

    /// What was typed, as it is sent.
    pub fn outward(self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for &byte in bytes {
            match byte {
                b'\r' if self.ocrnl => out.push(b'\n'),
                b'\r' if self.ocrcrnl => out.extend(b"\r\n"),
                b'\n' if self.onlcr => out.push(b'\r'),
                0x7f if self.odelbs => out.push(0x08),
                0x08 if self.obsdel => out.push(0x7f),
                other => out.push(other),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Map;

    #[test]
    fn each_name_does_its_one_thing() {
        for (name, typed, sent, came, shown) in [
            ("", "a\r\n\x7f", "a\r\n\x7f", "a\r\n", "a\r\n"),
            ("icrnl", "\r", "\r", "a\r", "a\n"),
            ("IGNCR", "\r", "\r", "a\r\n", "a\n"),
            ("INLCR", "\n", "\n", "\n", "\r"),
            ("INLCRNL", "\n", "\n", "a\n", "a\r\n"),
            ("ICRCRNL", "\r", "\r", "a\r", "a\r\n"),
            ("OCRNL", "\r", "\n", "\r", "\r"),
            ("ONLCR", "\n", "\r", "\n", "\n"),
            ("OCRCRNL", "\r", "\r\n", "\r", "\r"),
            ("ODELBS", "\x7f", "\x08", "\x7f", "\x7f"),
            ("OBSDEL", "\x08", "\x7f", "\x08", "\x08"),
            ("INLCRNL,ODELBS", "\x7f", "\x08", "\n", "\r\n"),
        ] {
            let map: Map = name.parse().unwrap();
            assert_eq!(map.outward(typed.as_bytes()), sent.as_bytes(), "{name}");
            assert_eq!(map.inward(came.as_bytes()), shown.as_bytes(), "{name}");
        }
        assert!("IXNL".parse::<Map>().unwrap_err().contains("INLCRNL"));
    }
}
