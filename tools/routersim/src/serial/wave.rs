//! What a UART at the wrong speed makes of characters: the bits are laid out in time and sampled again.

/// Bits that a line is idle between two writes, so that a receiver finds the next start bit.
const IDLE: usize = 12;
/// Characters that are laid out at once.
const CHUNK: usize = 256;

/// `bytes`, sent 8N1 at `sent` bits a second, as a receiver at `read` bits a second gets them. A character without its stop
/// bit is kept, as RouterOS's and Linux's consoles do.
pub fn seen_at(bytes: &[u8], sent: u32, read: u32) -> Vec<u8> {
    if sent == read || sent == 0 || read == 0 {
        return bytes.to_vec();
    }
    bytes.chunks(CHUNK).flat_map(|chunk| sample(&wave(chunk), f64::from(sent) / f64::from(read))).collect()
}

/// Idle, start bit, eight data bits from the lowest on, stop bit.
fn wave(bytes: &[u8]) -> Vec<bool> {
    let mut bits = vec![true; 2];
    for byte in bytes {
        bits.push(false);
        bits.extend((0..8).map(|bit| byte >> bit & 1 == 1));
        bits.push(true);
    }
    bits.extend([true; IDLE]);
    bits
}

/// `width` is how many of the sender's bits one of the receiver's lasts.
fn sample(bits: &[bool], width: f64) -> Vec<u8> {
    // The line rests before and after what is given.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let at = |time: f64| bits.get(time as usize).copied().unwrap_or(true);
    let (mut out, mut time) = (Vec::new(), 0.0);
    #[allow(clippy::cast_precision_loss)]
    let end = bits.len() as f64;
    while time < end {
        if at(time) {
            time += width.min(1.0) / 16.0;
            continue;
        }
        // A start bit that is over in its middle was noise.
        if at(time + width / 2.0) {
            time += width / 2.0;
            continue;
        }
        let byte = (0..8).fold(0u8, |byte, bit| byte | u8::from(at(time + width * (1.5 + f64::from(bit)))) << bit);
        out.push(byte);
        time += width * 9.5;
        // Without a stop bit the receiver waits for the line to rest.
        while time < end && !at(time) {
            time += width / 16.0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::seen_at;

    #[test]
    fn the_right_speed_and_nearly_the_right_one_read_well() {
        let text = b"MikroTik Login: ";
        assert_eq!(seen_at(text, 115_200, 115_200), text);
        assert_eq!(seen_at(text, 115_200, 117_000), text, "1.5 % off is what crystals are");
    }

    #[test]
    fn the_wrong_speed_is_garbage() {
        let text = b"RouterBOOT booter 7.18.2\r\n";
        for other in [9600, 19_200, 38_400, 57_600, 230_400] {
            let seen = seen_at(text, 115_200, other);
            assert_ne!(seen, text, "{other}");
            assert!(!seen.is_empty(), "{other}");
        }
        // A slow sender's character is many of a fast receiver's.
        assert!(seen_at(text, 9600, 115_200).len() > text.len());
        assert!(seen_at(text, 115_200, 9600).len() < text.len());
    }
}
