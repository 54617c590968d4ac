//! Which subscriber has which number, and who knows whom.

use std::ops::{Range, RangeInclusive};

use rand::{Rng, RngExt};

use crate::config::Config;
use crate::msisdn::{RANGE, compose_msisdn, numeric};

/// How many numbers to either side of a subscriber's the acquaintances among neighbours lie.
pub(crate) const NEAR: u64 = 50;

/// How likely an acquaintance is one of the neighbours: families and firms get their numbers in a row.
const NEIGHBOUR: f64 = 0.95;

/// The numbers of a network: its ranges are filled one after another, so that neighbours have neighbouring numbers and a
/// chunk of subscribers is a range of keys in the database.
#[derive(Clone, Debug)]
pub(crate) struct Numbering {
    /// Ascending.
    prefixes: Vec<u64>,
    /// Subscribers of each range but the last.
    per_range: u64,
    subscribers: u64,
}

impl Numbering {
    /// # Panics
    /// Where there are less than two subscribers, who know nobody, or more than the ranges have numbers.
    pub(crate) fn new(config: &Config, subscribers: u64) -> Self {
        let mut prefixes = numeric(&config.prefixes);
        prefixes.sort_unstable();
        let per_range = subscribers.div_ceil(prefixes.len() as u64);
        let fits = subscribers >= 2 && per_range <= RANGE;
        assert!(fits, "{} ranges of numbers are not for {subscribers} subscribers", prefixes.len());
        Self { prefixes, per_range, subscribers }
    }

    pub(crate) fn subscribers(&self) -> u64 {
        self.subscribers
    }

    /// Of all ranges, ascending.
    pub(crate) fn prefixes(&self) -> &[u64] {
        &self.prefixes
    }

    /// Which of the prefixes a subscriber's number begins with, and the rest of it.
    #[inline]
    pub(crate) fn place(&self, subscriber: u64) -> (usize, u64) {
        ((subscriber / self.per_range) as usize, subscriber % self.per_range)
    }

    #[inline]
    pub(crate) fn msisdn(&self, subscriber: u64) -> u64 {
        let (range, number) = self.place(subscriber);
        compose_msisdn(self.prefixes[range], number)
    }

    /// The keys of a chunk of subscribers, which is not empty.
    pub(crate) fn keys(&self, chunk: &Range<u64>) -> RangeInclusive<u64> {
        self.msisdn(chunk.start)..=self.msisdn(chunk.end - 1)
    }

    /// Someone whom a subscriber knows, nearly always one of the neighbours, else any subscriber; never themselves.
    pub(crate) fn acquaintance(&self, subscriber: u64, rng: &mut impl Rng) -> u64 {
        let (first, last) = if rng.random_bool(NEIGHBOUR) {
            (subscriber.saturating_sub(NEAR), (subscriber + NEAR).min(self.subscribers - 1))
        } else {
            (0, self.subscribers - 1)
        };
        other(subscriber, first..last, rng)
    }

    /// Any subscriber but this one, each as likely.
    pub(crate) fn anybody(&self, subscriber: u64, rng: &mut impl Rng) -> u64 {
        other(subscriber, 0..self.subscribers - 1, rng)
    }
}

/// One of `others`, which are one less than there are: from the subscriber on, everyone moves up by one.
fn other(subscriber: u64, others: Range<u64>, rng: &mut impl Rng) -> u64 {
    let drawn = rng.random_range(others);
    if drawn >= subscriber { drawn + 1 } else { drawn }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fit, random};

    fn network(subscribers: u64) -> Numbering {
        Numbering::new(&Config::load(), subscribers)
    }

    #[test]
    fn numbers_ascend_with_the_subscribers_over_all_ranges() {
        for count in [2, 4, 5, 1_003] {
            let numbering = network(count);
            let numbers: Vec<u64> = (0..count).map(|subscriber| numbering.msisdn(subscriber)).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "{count} subscribers: {numbers:?}");
        }
        assert_eq!(
            [0, 199, 200, 999].map(|s| network(1_000).msisdn(s)),
            [79_030_000_000, 79_030_000_199, 79_100_000_000, 79_850_000_199]
        );
    }

    #[test]
    fn a_chunk_may_span_two_ranges() {
        assert_eq!(network(1_000).keys(&(198..203)), 79_030_000_198..=79_100_000_002);
    }

    #[test]
    #[should_panic(expected = "5 ranges of numbers are not for 50000001 subscribers")]
    fn more_subscribers_than_numbers_are_refused() {
        network(5 * RANGE + 1);
    }

    #[test]
    fn of_a_hundred_acquaintances_ninety_five_are_neighbours_and_nobody_is_their_own() {
        let numbering = network(100_000);
        let mut rng = random::of_iteration(1);
        for subscriber in [0, 3, 50_000, 99_999] {
            let known: Vec<u64> = (0..10_000).map(|_| numbering.acquaintance(subscriber, &mut rng)).collect();
            let near = known.iter().filter(|other| other.abs_diff(subscriber) <= NEAR).count();
            assert!((9_400..9_600).contains(&near), "{near} of 10000 are neighbours of {subscriber}");
            assert!(!known.contains(&subscriber), "{subscriber}");
            assert!(known.iter().all(|&other| other < 100_000));
        }
    }

    #[test]
    fn anybody_is_each_other_subscriber_as_likely() {
        let mut rng = random::of_iteration(3);
        for subscriber in [0, 4, 9] {
            let mut known = vec![0; 10];
            (0..9_000).for_each(|_| known[network(10).anybody(subscriber, &mut rng) as usize] += 1);
            assert_eq!(known.remove(subscriber as usize), 0);
            assert!(fit::chi_square(&known, &[1.0; 9]) > 1e-3, "{known:?}");
        }
    }

    #[test]
    fn both_neighbours_at_the_edge_of_the_circle_are_known() {
        let mut rng = random::of_iteration(2);
        let known: Vec<u64> = (0..20_000).map(|_| network(1_000).acquaintance(500, &mut rng)).collect();
        assert!([450, 499, 501, 550].iter().all(|other| known.contains(other)));
    }
}
