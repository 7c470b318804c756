//! A time, and the parts of one that rows can be told apart by.

use super::calendar::{day_number, length};
use super::shown::quoted;

/// A part of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimePart {
    /// The year, as `2014`.
    Year,
    /// The month, from 1.
    Month,
    /// The day of the month, from 1.
    Day,
    /// `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`.
    Weekday,
    /// The hour of the day, from 0.
    Hour,
    /// The minute of the hour, from 0.
    Minute,
}

impl TimePart {
    /// All parts.
    pub const ALL: [TimePart; 6] = [
        TimePart::Year,
        TimePart::Month,
        TimePart::Day,
        TimePart::Weekday,
        TimePart::Hour,
        TimePart::Minute,
    ];

    /// What stands behind the dot in the name of its column.
    pub fn name(self) -> &'static str {
        match self {
            TimePart::Year => "year",
            TimePart::Month => "month",
            TimePart::Day => "day",
            TimePart::Weekday => "weekday",
            TimePart::Hour => "hour",
            TimePart::Minute => "minute",
        }
    }

    /// The name of the column that holds this part of the column called `of`.
    pub fn column(self, of: &str) -> String {
        format!("{of}.{}", self.name())
    }
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What a time is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// A time, as far as it is known: its [`Unit`]s in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Time(pub(super) [Option<i64>; 6]);

impl Time {
    pub(super) fn set(&mut self, unit: Unit, width: usize, digits: &[u8]) -> Result<(), String> {
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(format!("{} is no {} of {width} digits", quoted(digits), unit.name()));
        }
        let number = digits.iter().fold(0, |number, digit| 10 * number + i64::from(digit - b'0'));
        let century = if (unit, width) == (Unit::Year, 2) { 2000 } else { 0 };
        self.0[unit as usize] = Some(century + number);
        Ok(())
    }

    /// Refuses what no clock and no calendar shows.
    pub(super) fn check(self) -> Result<Self, String> {
        let [year, month, ..] = self.0;
        let days = length(year.unwrap_or(2000), month.unwrap_or(1).clamp(1, 12));
        let ranges = [1..=9999, 1..=12, 1..=days, 0..=23, 0..=59, 0..=60];
        let units = [Unit::Year, Unit::Month, Unit::Day, Unit::Hour, Unit::Minute, Unit::Second];
        for ((unit, range), number) in units.into_iter().zip(ranges).zip(self.0) {
            if let Some(number) = number.filter(|number| !range.contains(number)) {
                return Err(format!("there is no {} {number}", unit.name()));
            }
        }
        Ok(self)
    }

    /// Appends the text of a part, which the pattern has.
    pub(super) fn write(self, part: TimePart, text: &mut Vec<u8>) {
        let [year, month, day, hour, minute, _] = self.0;
        let number = match part {
            TimePart::Year => year,
            TimePart::Month => month,
            TimePart::Day => day,
            TimePart::Hour => hour,
            TimePart::Minute => minute,
            TimePart::Weekday => {
                let weekday = |((year, month), day)| (day_number(year, month, day) % 7) as usize;
                let weekday = year.zip(month).zip(day).map(weekday);
                text.extend_from_slice(weekday.map_or("", |day| WEEKDAYS[day]).as_bytes());
                return;
            }
        };
        if let Some(number) = number {
            text.extend_from_slice(number.to_string().as_bytes());
        }
    }
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Unit::Year => "year",
            Unit::Month => "month",
            Unit::Day => "day",
            Unit::Hour => "hour",
            Unit::Minute => "minute",
            Unit::Second => "second",
        }
    }
}
