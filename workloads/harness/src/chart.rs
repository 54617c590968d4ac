//! Latencies as text, for people.

use hdrhistogram::Histogram;

use crate::latency::Latencies;

/// The longest bar.
const WIDTH: u64 = 50;

/// Rates, percentiles, and how many arrivals took how long.
pub(crate) fn latencies(latencies: &Latencies) -> String {
    let (intended, achieved) = (latencies.intended(), latencies.achieved());
    let count = latencies.histogram.len();
    let mut text = format!("  {count} arrivals, {intended:.1} per second intended, {achieved:.1} achieved");
    for (name, ns) in latencies.percentiles() {
        text += &format!("\n  {name:<13} {:>9}", time(ns));
    }
    text + &bars(&latencies.histogram)
}

/// A row for each step of 1, 2, 5, 10, 20, ... from the quickest to the slowest. A single arrival has a bar too.
fn bars(histogram: &Histogram<u64>) -> String {
    let rows = rows(histogram);
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let row = |(from, count): &(u64, u64)| {
        let bar = "#".repeat((count * WIDTH).div_ceil(most) as usize);
        format!("\n  from {:>8} {count:>8} {bar}", time(*from as f64)).trim_end().to_owned()
    };
    rows.iter().map(row).collect()
}

/// The lower edges of the steps, in nanoseconds, and how many arrivals fall in each.
fn rows(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let mut rows: Vec<(u64, u64)> = Vec::new();
    let mut edges = edges().peekable();
    for value in histogram.iter_recorded() {
        while edges.peek().is_some_and(|edge| *edge <= value.value_iterated_to()) {
            rows.extend(edges.next().map(|edge| (edge, 0)));
        }
        if let Some((_, count)) = rows.last_mut() {
            *count += value.count_at_value();
        }
    }
    let quickest = rows.iter().position(|(_, count)| *count > 0).unwrap_or(rows.len());
    rows.split_off(quickest)
}

/// From nothing to beyond the longest latency that is told apart.
fn edges() -> impl Iterator<Item = u64> {
    let decades = (0..11).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    std::iter::once(0).chain(decades)
}

/// Nanoseconds with a unit that suits them.
fn time(ns: f64) -> String {
    match ns {
        ..1e3 => format!("{ns:.0} ns"),
        ..1e6 => format!("{:.1} us", ns / 1e3),
        ..1e9 => format!("{:.2} ms", ns / 1e6),
        _ => format!("{:.2} s", ns / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::latency::{self, OpenLoop};

    fn of(values: &[(u64, u64)]) -> Histogram<u64> {
        let mut histogram = latency::histogram();
        values.iter().for_each(|(ns, count)| histogram.record_n(*ns, *count).unwrap());
        histogram
    }

    #[test]
    fn rows_go_in_steps_of_one_two_five_from_the_quickest_to_the_slowest() {
        let rows = rows(&of(&[(60, 3), (99, 1), (100, 5), (450, 1), (1_000, 2)]));
        assert_eq!(rows, [(50, 4), (100, 5), (200, 1), (500, 0), (1_000, 2)]);
        assert!(super::rows(&of(&[])).is_empty());
    }

    #[test]
    fn the_longest_latency_and_the_shortest_have_their_rows() {
        let rows = rows(&of(&[(0, 1), (59_000_000_000, 1)]));
        assert_eq!((rows[0], *rows.last().unwrap()), ((0, 1), (50_000_000_000, 1)));
    }

    #[test]
    fn a_table_has_the_rates_the_percentiles_and_bars() {
        let histogram = of(&[(60_000, 9_800), (5_000_000, 190), (30_000_000, 10)]);
        let text = latencies(&Latencies::of(OpenLoop::at(500.0), histogram, Duration::from_secs(40)));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  10000 arrivals, 500.0 per second intended, 250.0 achieved");
        assert_eq!(lines[1], "  latency.p50     60.0 us");
        assert_eq!(lines[4], "  latency.p99     5.00 ms");
        assert_eq!(lines[9], format!("  from  50.0 us     9800 {}", "#".repeat(50)));
        assert_eq!(lines[10], "  from 100.0 us        0", "an empty step has its row: {text}");
        assert_eq!(*lines.last().unwrap(), "  from 20.00 ms       10 #", "{text}");
    }
}
