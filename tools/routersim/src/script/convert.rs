//! `:convert`: base64, hexadecimal, URL escapes, digests.

use sha2::Digest;

use super::builtins::Args;
use super::error::Error;
use super::value::Value;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn run(args: &Args) -> Result<Value, Error> {
    let value = args.need("value")?.text();
    let from = args.text("from").unwrap_or_else(|| "raw".to_owned());
    let to = args.text("to").unwrap_or_else(|| "raw".to_owned());
    let raw = match from.as_str() {
        "raw" => value,
        "base64" => from_base64(&value).ok_or_else(|| Error::failure("invalid base64"))?,
        "hex" => from_hex(&value).ok_or_else(|| Error::failure("invalid hex"))?,
        "url" => from_url(&value),
        _ => return Err(Error::no_match("from")),
    };
    let raw = match args.text("transform").as_deref() {
        None | Some("none") => raw,
        Some("md5") => md5::compute(&raw).0.to_vec(),
        Some("sha256") => sha2::Sha256::digest(&raw).to_vec(),
        Some("sha512") => sha2::Sha512::digest(&raw).to_vec(),
        Some("lc") => raw.to_ascii_lowercase(),
        Some("uc") => raw.to_ascii_uppercase(),
        Some("rot13") => raw.into_iter().map(rot13).collect(),
        Some("reverse") => raw.into_iter().rev().collect(),
        Some("crlf") => crlf(&raw.into_iter().filter(|byte| *byte != b'\r').collect::<Vec<u8>>()),
        Some("lf") => raw.into_iter().filter(|byte| *byte != b'\r').collect(),
        Some(_) => return Err(Error::no_match("transform")),
    };
    Ok(Value::str(match to.as_str() {
        "raw" => raw,
        "base64" => to_base64(&raw),
        "hex" => raw.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        "url" => to_url(&raw),
        _ => return Err(Error::no_match("to")),
    }))
}

pub(super) fn crlf(lf: &[u8]) -> Vec<u8> {
    lf.iter().flat_map(|byte| if *byte == b'\n' { &b"\r\n"[..] } else { std::slice::from_ref(byte) }).copied().collect()
}

fn rot13(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
        other => other,
    }
}

/// Bytes as base64, filled up with `=`.
pub fn to_base64(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len().div_ceil(3) * 4);
    for chunk in raw.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let index = (bits >> (18 - 6 * at) & 63) as usize;
            text.push(if at > chunk.len() { b'=' } else { BASE64.get(index).copied().unwrap_or(b'=') });
        }
    }
    text
}

/// Line ends are skipped; padding may be missing.
fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut raw = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    let mut padded = false;
    for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
        if *byte == b'=' {
            padded = true;
            continue;
        }
        let value = BASE64.iter().position(|symbol| symbol == byte)?;
        if padded {
            return None;
        }
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            raw.push((bits >> count & 255) as u8);
        }
    }
    if count >= 6 { None } else { Some(raw) }
}

fn nibble(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks(2).map(|pair| Some(nibble(*pair.first()?)? << 4 | nibble(*pair.get(1)?)?)).collect()
}

fn to_url(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in raw {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) {
            text.push(*byte);
        } else {
            text.extend(format!("%{byte:02X}").bytes());
        }
    }
    text
}

fn from_url(text: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte == b'%'
            && let [high, low, behind @ ..] = behind
            && let (Some(high), Some(low)) = (nibble(*high), nibble(*low))
        {
            raw.push(high << 4 | low);
            rest = behind;
        } else {
            raw.push(*byte);
        }
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_every_length() {
        for (raw, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("\u{ff}", "w78=")]
        {
            assert_eq!(to_base64(raw.as_bytes()), text.as_bytes());
            assert_eq!(from_base64(text.as_bytes()).as_deref(), Some(raw.as_bytes()));
        }
        assert_eq!(from_base64(b"Zm8=Zm8="), None);
        assert_eq!(from_base64(b"Z"), None);
        assert_eq!(from_base64(b"Zm\r\n9v"), Some(b"foo".to_vec()));
    }
}
