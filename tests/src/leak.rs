//! Looks for secrets where none may be.

use std::path::Path;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 without padding, of `bytes` behind `lead` bytes that are not known: only what those don't touch.
fn base64(bytes: &[u8], lead: usize) -> String {
    let whole: Vec<u8> = std::iter::repeat_n(0, lead).chain(bytes.iter().copied()).collect();
    let mut text = String::new();
    for group in whole.chunks_exact(3) {
        let bits = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        for shift in [18, 12, 6, 0] {
            text.push(char::from(BASE64[(bits >> shift) as usize & 63]));
        }
    }
    // The first group holds what was made up.
    text.split_off(if lead == 0 { 0 } else { 4 })
}

/// All forms in which a secret could lie about: as it is, backwards, hexadecimal, base64 at each of three offsets.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        ("clear", secret.as_bytes().to_vec()),
        ("reversed", secret.bytes().rev().collect()),
        ("upper-case hex", hex.to_uppercase().into_bytes()),
        ("hex", hex.into_bytes()),
        ("UTF-16", secret.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    for lead in 0..3 {
        forms.push(("base64", base64(secret.as_bytes(), lead).into_bytes()));
    }
    forms
}

/// In which form `bytes` hold one of `secrets`.
pub fn found(bytes: &[u8], secrets: &[&str]) -> Option<String> {
    for (number, secret) in secrets.iter().enumerate() {
        for (form, needle) in forms(secret) {
            if bytes.windows(needle.len()).any(|window| window == needle) {
                return Some(format!("secret {number} in {form}"));
            }
        }
    }
    None
}

/// Fails if a file below `folder` holds one of `secrets`. Says how many files were read.
#[track_caller]
pub fn none_below(folder: &Path, secrets: &[&str]) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("a folder that can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files += none_below(&path, secrets);
        } else {
            files += 1;
            let bytes = std::fs::read(&path).expect("a file that can be read");
            let leak = found(&bytes, secrets);
            assert!(leak.is_none(), "{}: {}", path.display(), leak.unwrap_or_default());
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn every_form_is_found() {
        let secret = "Pl4nted-s3cret";
        // RFC 4648 vectors of `x`, `xx` and nothing before the secret.
        for hiding in ["a Pl4nted-s3cret b", "terc3s-detn4lP", "506c346e7465642d733363726574", "UGw0bnRlZC1zM2NyZXQ="] {
            assert!(found(hiding.as_bytes(), &[secret]).is_some(), "{hiding}");
        }
        assert!(found(b"eFBsNG50ZWQtczNjcmV0", &[secret]).is_some());
        assert!(found(b"eHhQbDRudGVkLXMzY3JldA==", &[secret]).is_some());
        assert!(found(b"Pl4nted-s3cre", &[secret]).is_none());
    }
}
