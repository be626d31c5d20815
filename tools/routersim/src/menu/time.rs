//! RouterOS's writing of durations and of the calendar.

use std::time::Duration;

/// `1w2d3h4m5s6ms`, `10:00`, `01:02:03.5`, `1d02:03:04`, `90`: a duration, or `None`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (days, rest) = match text.split_once('d') {
        Some((head, tail)) if tail.contains(':') => (unit_sum(&format!("{head}d"))?, tail),
        _ => (Duration::ZERO, text),
    };
    if rest.contains(':') {
        return days.checked_add(clock(rest)?);
    }
    unit_sum(rest)
}

fn clock(text: &str) -> Option<Duration> {
    let parts: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [h, m] => (h, m, &"0"),
        [h, m, s] => (h, m, s),
        _ => return None,
    };
    let whole = |part: &str| part.parse::<u64>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()));
    let base = whole(hours)?.checked_mul(3600)?.checked_add(whole(minutes)?.checked_mul(60)?)?;
    Duration::from_secs(base).checked_add(seconds_with_fraction(seconds)?)
}

fn seconds_with_fraction(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if (whole.is_empty() && fraction.is_empty()) || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let nanos: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    Some(Duration::new(seconds, nanos))
}

fn unit_sum(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let scale = match unit {
            "w" => 604_800_000,
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" => 60_000,
            "" | "s" => 1_000,
            "ms" => 1,
            _ => return None,
        };
        let one = seconds_with_fraction(number)?;
        total = total.checked_add(one.checked_mul(scale)?.checked_div(1_000)?)?;
        rest = tail;
    }
    Some(total)
}

/// As properties are printed: `10m`, `1d`, `7s`, `1h30m`, `50ms`.
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let mut out = String::new();
    for (scale, unit) in [(604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")] {
        let n = match unit {
            "w" => seconds / scale,
            "d" => seconds % 604_800 / scale,
            "h" => seconds % 86_400 / scale,
            "m" => seconds % 3_600 / scale,
            _ => seconds % 60,
        };
        if n > 0 {
            out.push_str(&format!("{n}{unit}"));
        }
    }
    if duration.subsec_millis() > 0 {
        out.push_str(&format!("{}ms", duration.subsec_millis()));
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

/// `HH:MM:SS`, with days in front when there are some (`1d02:03:04`).
pub fn format_clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let days = if seconds >= 86_400 { format!("{}d", seconds / 86_400) } else { String::new() };
    format!("{days}{:02}:{:02}:{:02}", seconds % 86_400 / 3600, seconds % 3600 / 60, seconds % 60)
}

/// A day of the Gregorian calendar and the second in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// Year.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// Second of the day.
    pub second: u64,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

impl Calendar {
    /// From Unix time, UTC (days-to-civil arithmetic on a March-based year).
    pub fn from_unix(unix: u64) -> Self {
        let days = i64::try_from(unix / 86_400).unwrap_or(0) + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self {
            year,
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
            second: unix % 86_400,
        }
    }

    /// To Unix time, UTC.
    pub fn to_unix(self) -> u64 {
        let (y, m, d) = (self.year - i64::from(self.month <= 2), i64::from(self.month), i64::from(self.day));
        let era = y.div_euclid(400);
        let of_era = y.rem_euclid(400);
        let of_year = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        u64::try_from(days).unwrap_or(0) * 86_400 + self.second
    }

    /// The month as 6.x writes it.
    pub fn month_name(self) -> &'static str {
        MONTHS.get(usize::from(self.month).saturating_sub(1)).copied().unwrap_or("jan")
    }

    /// `jan/02/2026` on 6.x, `2026-01-02` on 7.x.
    pub fn date(self, v7: bool) -> String {
        if v7 {
            format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
        } else {
            format!("{}/{:02}/{:04}", self.month_name(), self.day, self.year)
        }
    }

    /// `03:04:05`
    pub fn time(self) -> String {
        format_clock(Duration::from_secs(self.second))
    }

    /// Either writing of a date.
    pub fn parse_date(text: &str) -> Option<Self> {
        let (year, month, day) = if let Some((month, rest)) = text.split_once('/') {
            let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
            let (day, year) = rest.split_once('/')?;
            (year.parse().ok()?, u8::try_from(month).ok()?, day.parse().ok()?)
        } else {
            let mut parts = text.split('-');
            let date = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            if parts.next().is_some() {
                return None;
            }
            date
        };
        ((1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self {
            year,
            month,
            day,
            second: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_write() {
        let secs = |text: &str| parse_duration(text).map(|d| d.as_millis());
        assert_eq!(secs("10m"), Some(600_000));
        assert_eq!(secs("24h"), Some(86_400_000));
        assert_eq!(secs("00:10:00"), Some(600_000));
        assert_eq!(secs("1d02:03:04"), Some(93_784_000));
        assert_eq!(secs(".05"), Some(50));
        assert_eq!(secs("1h30m"), Some(5_400_000));
        assert_eq!(secs("100ms"), Some(100));
        for bad in ["", "x", "10x", "1:2:3:4", "-1", "1..2"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        assert_eq!(format_duration(Duration::from_secs(86_400)), "1d");
        assert_eq!(format_duration(Duration::from_millis(90_050)), "1m30s50ms");
        assert_eq!(format_clock(Duration::from_secs(93_784)), "1d02:03:04");
    }

    #[test]
    fn the_calendar_goes_both_ways() {
        for unix in [0, 86_399, 951_782_400, 1_709_164_800, 1_767_323_045, 4_102_444_800] {
            assert_eq!(Calendar::from_unix(unix).to_unix(), unix);
        }
        let day = Calendar::from_unix(1_767_323_045);
        assert_eq!((day.date(false).as_str(), day.date(true).as_str()), ("jan/02/2026", "2026-01-02"));
        assert_eq!(day.time(), "03:04:05");
        assert_eq!(Calendar::parse_date("Jan/02/2026").map(|d| d.date(true)).as_deref(), Some("2026-01-02"));
        assert_eq!(Calendar::parse_date("2026-01-02").map(|d| d.date(false)).as_deref(), Some("jan/02/2026"));
        assert_eq!(Calendar::parse_date("2026-13-02"), None);
    }
}
