//! How times are written.

use super::calendar::{EPOCH, date};
use super::shown::quoted;
use super::time::{Time, TimePart, Unit};
use serde::{Deserialize, Serialize};

/// How a time is written: `unix` (seconds since 1970), `unix-ms` (milliseconds), or digits at fixed places,
/// as in `YYMMDDHH` and `YYYY-MM-DD HH:mm:ss`. There `YYYY` is the year, `YY` one from 2000 on, `MM` the
/// month, `DD` the day, `HH` or `hh` the hour, `mm` the minute, `ss` the second, `?` any one character and `*`
/// at the end anything; all else stands for itself. Times are taken as they are written, `unix` in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimePattern {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// Units of which so many are a second.
    Unix(i64),
    /// Pieces one after the other, and whether anything may follow.
    Places(Vec<Piece>, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Digits(Unit, usize),
    Byte(u8),
    Any,
}

/// What a pattern may be.
const FORMS: &str = "it is unix (seconds), unix-ms (milliseconds), or places of YYYY or YY, MM, DD, HH, mm and ss, as in \
                     YYYY-MM-DD HH:mm";

impl TimePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let kind = match text {
            "" => return Err(format!("the pattern of a time is empty; {FORMS}")),
            "unix" => Kind::Unix(1),
            "unix-ms" => Kind::Unix(1000),
            _ => places(text).map_err(|what| {
                let text = quoted(text);
                format!("{text} is no pattern of a time: {what}; {FORMS}")
            })?,
        };
        let pattern = TimePattern { text: text.into(), kind };
        match pattern.parts().count() {
            0 => Err(format!("{} has no year, month, day, hour or minute; {FORMS}", quoted(text))),
            _ => Ok(pattern),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts that such a time has.
    pub fn parts(&self) -> impl Iterator<Item = TimePart> {
        let has = |unit: Unit| match &self.kind {
            Kind::Unix(_) => true,
            Kind::Places(pieces, _) => {
                pieces.iter().any(|piece| matches!(piece, Piece::Digits(of, _) if *of == unit))
            }
        };
        let [year, month, day, hour, minute] =
            [Unit::Year, Unit::Month, Unit::Day, Unit::Hour, Unit::Minute].map(has);
        TimePart::ALL.into_iter().filter(move |part| match part {
            TimePart::Year => year,
            TimePart::Month => month,
            TimePart::Day => day,
            TimePart::Weekday => year && month && day,
            TimePart::Hour => hour,
            TimePart::Minute => minute,
        })
    }

    /// Reads a time; what is wrong with it otherwise.
    pub(super) fn read(&self, text: &[u8]) -> Result<Time, String> {
        match &self.kind {
            Kind::Unix(per_second) => unix(text, *per_second),
            Kind::Places(pieces, is_open) => at_places(text, pieces, *is_open),
        }
    }
}

/// The pieces of a pattern.
fn places(text: &str) -> Result<Kind, String> {
    let (fixed, is_open) = text.strip_suffix('*').map_or((text, false), |fixed| (fixed, true));
    let (mut rest, mut pieces) = (fixed.as_bytes(), Vec::new());
    while let [first, ..] = *rest {
        let run = rest.iter().take_while(|byte| **byte == first).count();
        let piece = match (unit(first), first, run) {
            (Some(unit), _, width) => digits(unit, first, width, &pieces)?,
            (None, b'?', _) => Piece::Any,
            (None, b'*', _) => return Err("'*' stands at the end only".into()),
            (None, byte, _) if byte.is_ascii() => Piece::Byte(byte),
            _ => return Err("it must be ASCII".into()),
        };
        rest = &rest[if matches!(piece, Piece::Digits(..)) { run } else { 1 }..];
        pieces.push(piece);
    }
    Ok(Kind::Places(pieces, is_open))
}

fn unit(letter: u8) -> Option<Unit> {
    Some(match letter {
        b'Y' => Unit::Year,
        b'M' => Unit::Month,
        b'D' => Unit::Day,
        b'H' | b'h' => Unit::Hour,
        b'm' => Unit::Minute,
        b's' => Unit::Second,
        _ => return None,
    })
}

fn digits(unit: Unit, letter: u8, width: usize, before: &[Piece]) -> Result<Piece, String> {
    let letter = char::from(letter);
    if before.iter().any(|piece| matches!(piece, Piece::Digits(other, _) if *other == unit)) {
        return Err(format!("'{letter}' is there twice"));
    }
    match (unit, width) {
        (_, 2) | (Unit::Year, 4) => Ok(Piece::Digits(unit, width)),
        (Unit::Year, _) => Err("a year is YY or YYYY".into()),
        _ => Err(format!("'{letter}' is there {width} times, not twice beside each other")),
    }
}

/// The time at fixed places of a text.
fn at_places(text: &[u8], pieces: &[Piece], is_open: bool) -> Result<Time, String> {
    let (mut rest, mut time) = (text, Time::default());
    let length = |piece: &Piece| if let Piece::Digits(_, width) = piece { *width } else { 1 };
    let wanted: usize = pieces.iter().map(length).sum();
    if text.len() < wanted || (text.len() > wanted && !is_open) {
        return Err(format!("it has {} characters, not {wanted}", text.len()));
    }
    for piece in pieces {
        let (head, tail) = rest.split_at(length(piece));
        match *piece {
            Piece::Byte(byte) if head != [byte] => {
                let place = text.len() - rest.len() + 1;
                return Err(format!("character {place} is not '{}'", char::from(byte)));
            }
            Piece::Digits(unit, width) => time.set(unit, width, head)?,
            _ => {}
        }
        rest = tail;
    }
    time.check()
}

/// The time so many units after the beginning of 1970.
fn unix(text: &[u8], per_second: i64) -> Result<Time, String> {
    let units: Option<i64> = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    let seconds = units.ok_or("it is no whole number")?.div_euclid(per_second);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let day = |days: i64| days.checked_add(EPOCH).and_then(date);
    let date = day(days).ok_or_else(|| match per_second == 1 && day(days / 1000).is_some() {
        true => "it is beyond the years 1 to 9999: milliseconds are unix-ms",
        false => "it is beyond the years 1 to 9999",
    })?;
    let [year, month, day] = date;
    let clock = [second / 3600, second / 60 % 60, second % 60];
    let [hour, minute, second] = clock;
    Ok(Time([year, month, day, hour, minute, second].map(Some)))
}

impl TryFrom<String> for TimePattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
    }
}

impl From<TimePattern> for String {
    fn from(pattern: TimePattern) -> Self {
        pattern.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a time, with blanks between them.
    fn parts(pattern: &str, text: &str) -> Result<String, String> {
        let pattern = TimePattern::new(pattern)?;
        let time = pattern.read(text.as_bytes())?;
        let part = |part: TimePart| {
            let mut text = Vec::new();
            time.write(part, &mut text);
            String::from_utf8(text).unwrap()
        };
        Ok(pattern.parts().map(part).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn times_have_the_parts_that_are_written() {
        let cases = [
            ("YYMMDDHH", "14102100", "2014 10 21 tue 0"),
            ("YYYY-MM-DD HH:mm:ss", "2014-10-21 07:05:59", "2014 10 21 tue 7 5"),
            ("YYYY-MM-DD?hh:mm*", "2000-02-29T23:59:60.123Z", "2000 2 29 tue 23 59"),
            ("DD/MM", "29/02", "2 29"),
            ("HH", "09", "9"),
            ("YYYY", "1999", "1999"),
            // By `date -u -d @...` of GNU coreutils.
            ("unix", "964982703", "2000 7 30 sun 18 45"),
            ("unix", "-1", "1969 12 31 wed 23 59"),
            ("unix-ms", "1413849600999", "2014 10 21 tue 0 0"),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(parts(pattern, text).as_deref(), Ok(expected), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let cases = [
            ("YYMMDDHH", "1410210", "it has 7 characters, not 8"),
            ("YYMMDDHH", "141021000", "it has 9 characters, not 8"),
            ("YYMMDDHH", "14102124", "there is no hour 24"),
            ("YYMMDDHH", "14132100", "there is no month 13"),
            ("YYMMDDHH", "14000100", "there is no month 0"),
            ("YYYYMMDD", "19000229", "there is no day 29"),
            ("YYYYMMDD", "00000101", "there is no year 0"),
            ("YYYY-MM", "2014/10", "character 5 is not '-'"),
            ("YYYY-MM*", "2014-1", "it has 6 characters, not 7"),
            ("HH:mm", "1x:00", "'1x' is no hour of 2 digits"),
            ("HH:mm", "-1:00", "'-1' is no hour of 2 digits"),
            ("unix", "1.5", "it is no whole number"),
            ("unix", "9223372036854775807", "it is beyond the years 1 to 9999"),
            ("unix", "-62135596801", "it is beyond the years 1 to 9999: milliseconds are unix-ms"),
            ("unix", "1413849600999", "it is beyond the years 1 to 9999: milliseconds are unix-ms"),
            ("unix-ms", "1413849600999000", "it is beyond the years 1 to 9999"),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(parts(pattern, text), Err(expected.into()), "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let cases = [
            ("YYYMM", "a year is YY or YYYY"),
            ("HHHH", "'H' is there 4 times"),
            ("HHmmhh", "'h' is there twice"),
            ("*HH", "'*' stands at the end only"),
            ("HH\u{fc}", "it must be ASCII"),
            ("ss", "has no year, month, day, hour or minute"),
            ("", "the pattern of a time is empty; it is unix (seconds), unix-ms"),
            ("unixms", "'m' is there 1 times, not twice beside each other; it is unix (seconds), "),
            ("*", "has no year"),
        ];
        for (pattern, expected) in cases {
            let error = TimePattern::new(pattern).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
