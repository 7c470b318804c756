//! The Gregorian calendar, as if it had always been in use. Days are counted from the first of January of
//! the year 1, a Monday, which is day 0.

/// The day that 1970 began with.
pub(super) const EPOCH: i64 = 719_162;

/// Days of 400, 100, 4 years and one that is no leap year.
const SPANS: [i64; 4] = [146_097, 36_524, 1_461, 365];

/// The number of a day.
pub(super) fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let past = year - 1;
    let before: i64 = (1..month).map(|month| length(year, month)).sum();
    365 * past + past / 4 - past / 100 + past / 400 + before + day - 1
}

/// Year, month and day of a number, in the years from 1 to 9999.
pub(super) fn date(number: i64) -> Option<[i64; 3]> {
    if !(0..day_number(10_000, 1, 1)).contains(&number) {
        return None;
    }
    let [of_400, of_100, of_4, of_1] = SPANS;
    let (mut year, mut rest) = (1 + 400 * (number / of_400), number % of_400);
    // The last of four centuries, and of four years, is a day longer.
    for (span, years, most) in [(of_100, 100, 3), (of_4, 4, 24), (of_1, 1, 3)] {
        let spans = (rest / span).min(most);
        (year, rest) = (year + years * spans, rest - span * spans);
    }
    let mut month = 1;
    while rest >= length(year, month) {
        rest -= length(year, month);
        month += 1;
    }
    Some([year, month, rest + 1])
}

/// Days of a month, from 1 to 12.
pub(super) fn length(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other_for_all_years() {
        // Counted one by one.
        let [mut year, mut month, mut day] = [1, 1, 1];
        for number in 0.. {
            assert_eq!(date(number), (year < 10_000).then_some([year, month, day]));
            assert_eq!(day_number(year, month, day), number);
            if year == 10_000 {
                break;
            }
            day += 1;
            if day > length(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(date(-1), None);
        assert_eq!(date(i64::MAX), None);
    }

    #[test]
    fn days_that_are_known() {
        assert_eq!(day_number(1970, 1, 1), EPOCH);
        // Thursday, Saturday and Tuesday, by `date -d` of GNU coreutils.
        let days = [(1970, 1, 1), (2000, 1, 1), (2014, 10, 21)];
        assert_eq!(days.map(|(year, month, day)| day_number(year, month, day) % 7), [3, 5, 1]);
    }
}
