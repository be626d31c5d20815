//! What a terminal of this host is set to.

use rustix::termios::{ControlModes, Termios};

use crate::settings::{DataBits, LineSettings, Parity, StopBits};

/// Speed and framing, as the driver has them: it need not have taken what was asked for.
pub fn settings_of(found: &Termios) -> LineSettings {
    let modes = found.control_modes;
    let data = match modes & ControlModes::CSIZE {
        ControlModes::CS5 => DataBits::Five,
        ControlModes::CS6 => DataBits::Six,
        ControlModes::CS7 => DataBits::Seven,
        _ => DataBits::Eight,
    };
    let parity = match (modes.contains(ControlModes::PARENB), modes.contains(ControlModes::PARODD)) {
        (false, _) => Parity::None,
        (true, false) => Parity::Even,
        (true, true) => Parity::Odd,
    };
    let stop = if modes.contains(ControlModes::CSTOPB) { StopBits::Two } else { StopBits::One };
    LineSettings { data, parity, stop, ..LineSettings::at(found.output_speed()) }
}
