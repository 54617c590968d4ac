//! Days of the calendar.

const SECONDS: u64 = 86_400;

/// The day, UTC, of a time in seconds since 1970: `2026-11-21`. After Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`: eras of 400 years that begin on 1 March, so that the leap day is the last of its year.
#[must_use]
pub fn day(seconds: u64) -> String {
    let days = seconds / SECONDS + 719_468; // Since 1 March of the year 0.
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + 400 * era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_the_calendar_over_leap_years() {
        let days = [0, 951_782_400, 951_868_800, 1_709_164_800, 1_795_253_400, 4_107_542_400].map(day);
        assert_eq!(days, ["1970-01-01", "2000-02-29", "2000-03-01", "2024-02-29", "2026-11-21", "2100-03-01"]);
    }

    #[test]
    fn every_day_of_four_centuries_comes_after_the_one_before() {
        let days: Vec<String> = (0..146_097).map(|days| day(days * SECONDS)).collect();
        assert!(days.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(days[146_096], "2369-12-31");
    }
}
