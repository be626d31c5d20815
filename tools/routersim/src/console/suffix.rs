//! The login-name suffix: `name+params`, each parameter an optional number and then one letter.

/// What a login name asks of its terminal. `None` of a number is `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalParams {
    /// `c` turns colours off.
    pub colours: bool,
    /// `t` turns the terminal probe off.
    pub probe: bool,
    /// `e`: repaint-only editing.
    pub dumb: bool,
    /// `NNNw`
    pub width: Option<u16>,
    /// `NNNh`
    pub height: Option<u16>,
}

impl Default for TerminalParams {
    fn default() -> Self {
        Self { colours: true, probe: true, dumb: false, width: None, height: None }
    }
}

/// Splits a login name at its first `+` into the bare name and what the rest asks for.
///
/// The number stands before its letter. Letters first is a mistake that ran for years in one driver:
/// `+cetw511h4098` is `w` (auto), `511h` and a number without a letter, which counts for nothing.
pub fn split_login(name: &[u8]) -> (&[u8], TerminalParams) {
    let mut params = TerminalParams::default();
    let Some(plus) = name.iter().position(|byte| *byte == b'+') else {
        return (name, params);
    };
    let mut number: Option<u16> = None;
    for byte in &name[plus + 1..] {
        if byte.is_ascii_digit() {
            let digit = u16::from(byte - b'0');
            number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
            continue;
        }
        // A number before c, t or e: 0 is off and another on, as the old manual's "on/off" columns read [I].
        let on = number.map(|number| number != 0);
        match byte {
            b'c' => params.colours = on.unwrap_or(false),
            b't' => params.probe = on.unwrap_or(false),
            b'e' => params.dumb = on.unwrap_or(true),
            b'w' => params.width = number.filter(|width| *width > 0),
            b'h' => params.height = number.filter(|height| *height > 0),
            _ => {}
        }
        number = None;
    }
    (&name[..plus], params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> (&str, TerminalParams) {
        let (bare, params) = split_login(name.as_bytes());
        (std::str::from_utf8(bare).unwrap(), params)
    }

    #[test]
    fn numbers_stand_before_their_letters() {
        let full = TerminalParams { colours: false, probe: false, dumb: false, width: Some(511), height: Some(4098) };
        assert_eq!(of("admin+ct511w4098h"), ("admin", full));
        assert!(of("admin+cte999w255h").1.dumb);
        assert_eq!(of("admin"), ("admin", TerminalParams::default()));
        assert_eq!(of("admin+"), ("admin", TerminalParams::default()));
        assert_eq!(of("a+c80w").1, TerminalParams { colours: false, width: Some(80), ..TerminalParams::default() });
    }

    #[test]
    fn letters_first_give_the_wrong_terminal() {
        let wrong = TerminalParams { colours: false, probe: false, dumb: true, width: None, height: Some(511) };
        assert_eq!(of("admin+cetw511h4098"), ("admin", wrong));
    }

    #[test]
    fn numbers_do_not_overflow() {
        assert_eq!(of("a+99999999999w").1.width, Some(u16::MAX));
        assert_eq!(of("a+0w").1.width, None);
    }
}
