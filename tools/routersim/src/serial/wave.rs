//! What a UART at the wrong speed or framing makes of characters: the bits are laid out in time and sampled again.

use serial_console::{LineSettings, Parity, StopBits};

/// Bits that a line is idle between two writes, so that a receiver finds the next start bit.
const IDLE: usize = 12;
/// Characters that are laid out at once.
const CHUNK: usize = 256;

/// `bytes`, sent 8N1 at `sent` bits a second, as a receiver at `read` bits a second gets them. A character without its stop
/// bit is kept, as RouterOS's and Linux's consoles do.
pub fn seen_at(bytes: &[u8], sent: u32, read: u32) -> Vec<u8> {
    seen_by(bytes, LineSettings::at(sent), LineSettings::at(read))
}

/// The same with the framing of both. A character with the wrong parity is kept, too: nobody asked the UART to check it.
pub fn seen_by(bytes: &[u8], sent: LineSettings, read: LineSettings) -> Vec<u8> {
    if sent == read || sent.baud == 0 || read.baud == 0 {
        return bytes.to_vec();
    }
    let width = f64::from(sent.baud) / f64::from(read.baud);
    bytes.chunks(CHUNK).flat_map(|chunk| sample(&wave(chunk, sent), width, read)).collect()
}

fn has_parity(line: LineSettings) -> bool {
    line.parity != Parity::None
}

/// Idle, start bit, data bits from the lowest on, parity bit, stop bits.
fn wave(bytes: &[u8], line: LineSettings) -> Vec<bool> {
    let mut bits = vec![true; 2];
    for byte in bytes {
        bits.push(false);
        let data = (0..line.data.count()).map(|bit| byte >> bit & 1 == 1);
        let odd = data.clone().filter(|bit| *bit).count() % 2 == 1;
        bits.extend(data);
        match line.parity {
            Parity::None => {}
            Parity::Even => bits.push(odd),
            Parity::Odd => bits.push(!odd),
            Parity::Mark => bits.push(true),
            Parity::Space => bits.push(false),
        }
        bits.push(true);
        bits.extend((line.stop != StopBits::One).then_some(true));
    }
    bits.extend([true; IDLE]);
    bits
}

/// `width` is how many of the sender's bits one of the receiver's lasts.
fn sample(bits: &[bool], width: f64, line: LineSettings) -> Vec<u8> {
    let data = line.data.count();
    let stop = f64::from(data) + f64::from(u8::from(has_parity(line))) + 1.5;
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
        let byte = (0..data).fold(0u8, |byte, bit| byte | u8::from(at(time + width * (1.5 + f64::from(bit)))) << bit);
        out.push(byte);
        time += width * stop;
        // Without a stop bit the receiver waits for the line to rest.
        while time < end && !at(time) {
            time += width / 16.0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serial_console::{LineSettings, Parity};

    use super::{seen_at, seen_by};

    #[test]
    fn the_right_speed_and_nearly_the_right_one_read_well() {
        let text = b"MikroTik Login: ";
        assert_eq!(seen_at(text, 115_200, 115_200), text);
        assert_eq!(seen_at(text, 115_200, 117_000), text, "1.5 % off is what crystals are");
    }

    #[test]
    fn a_framing_is_read_by_its_like() {
        let [eight, odd, two, seven] = ["8N1", "8O1", "8N2", "7E1"].map(|text| text.parse::<LineSettings>().unwrap());
        let text = b"MikroTik Login: ";
        for line in [eight, odd, two, seven] {
            // Another speed of the receiver's clock: the bits are laid out, not passed on.
            assert_eq!(seen_by(text, line, LineSettings { baud: 116_000, ..line }), text, "{line}");
        }
        // A second stop bit is a pause; who waits for a parity bit takes the next start bit for it.
        assert_eq!(seen_by(text, two, eight), text);
        assert_ne!(seen_by(text, eight, odd), text);
        // Seven bits and parity are eight bits to whoever asks for eight.
        let read = seen_by(text, seven, eight);
        assert_ne!(read, text);
        assert_eq!(read.iter().map(|byte| byte & 0x7f).collect::<Vec<_>>(), text);
        assert_eq!(seen_by(text, eight, seven), text);
        assert_eq!(seen_by(&[0xe9], eight, LineSettings { parity: Parity::None, ..seven }), [0x69]);
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
