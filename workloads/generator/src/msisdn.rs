//! Telephone numbers: an MSISDN is a number range's prefix and seven digits.

use perfplan_harness::{Checksum, Size, Suite, amount};
use rand::{Rng, RngExt};

use crate::config::Config;
use crate::random;

/// Subscriber numbers that a range holds: seven digits.
pub(crate) const RANGE: u64 = 10_000_000;

/// How many subscribers further the next iteration starts: the same with and without `one-percent-more`.
const STRIDE: usize = 200;

/// Calls of an iteration, with a number of either party.
const CALLS: usize = amount(STRIDE);

/// How likely the other party is a subscriber of the same network.
const ON_NET: f64 = 0.7;

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("msisdn/formatted", formatted)
        .about("the numbers of caller and called for 200 calls, each formatted as text and parsed again");
    suite
        .case("msisdn/arithmetic", arithmetic)
        .about("the numbers of caller and called for 200 calls, each composed by a multiplication and an addition");
}

/// Before: by way of text. 0 where the prefix is no number.
pub(crate) fn format_msisdn(prefix: &str, number: u64) -> u64 {
    format!("{prefix}{number:07}").parse().unwrap_or(0)
}

/// After: by arithmetic. `number` has at most seven digits.
#[inline]
pub(crate) fn compose_msisdn(prefix: u64, number: u64) -> u64 {
    debug_assert!(number < RANGE, "{number} has more than seven digits");
    prefix * RANGE + number
}

/// The ranges as numbers, for [`compose_msisdn`]. 0 where a prefix is no number.
pub(crate) fn numeric(prefixes: &[String]) -> Vec<u64> {
    prefixes.iter().map(|prefix| prefix.parse().unwrap_or(0)).collect()
}

/// The range and number of a subscriber: neighbours are in different ranges.
#[inline]
fn place<P>(prefixes: &[P], subscriber: u64) -> (&P, u64) {
    (&prefixes[subscriber as usize % prefixes.len()], subscriber % RANGE)
}

/// The range and number of a call's other party: one of the network's `subscribers`, or any number.
#[inline]
fn other_party<'a, P>(prefixes: &'a [P], subscribers: u64, rng: &mut impl Rng) -> (&'a P, u64) {
    if rng.random_bool(ON_NET) {
        place(prefixes, rng.random_range(0..subscribers))
    } else {
        (&prefixes[rng.random_range(0..prefixes.len())], rng.random_range(0..RANGE))
    }
}

/// The numbers of iteration `index`.
#[inline]
fn calls<P>(prefixes: &[P], subscribers: u64, index: u64, msisdn: impl Fn(&P, u64) -> u64) -> u64 {
    let mut rng = random::of_iteration(index);
    let mut numbers = Checksum::default();
    let first = index.wrapping_mul(STRIDE as u64) % subscribers;
    for subscriber in first..first + CALLS as u64 {
        let (own_range, own) = place(prefixes, subscriber);
        let (other_range, other) = other_party(prefixes, subscribers, &mut rng);
        numbers.add(msisdn(own_range, own));
        numbers.add(msisdn(other_range, other));
    }
    numbers.value()
}

fn subscribers(size: Size) -> u64 {
    size.pick(10_000, 100_000, 1_000_000)
}

fn formatted(size: Size) -> impl FnMut(u64) -> u64 {
    let prefixes = Config::load().prefixes;
    move |index| calls(&prefixes, subscribers(size), index, |prefix, number| format_msisdn(prefix, number))
}

fn arithmetic(size: Size) -> impl FnMut(u64) -> u64 {
    let prefixes = numeric(&Config::load().prefixes);
    move |index| calls(&prefixes, subscribers(size), index, |&prefix, number| compose_msisdn(prefix, number))
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(formatted);
        contract::results_depend_on_the_index_alone(arithmetic);
    }

    #[test]
    fn before_and_after_name_the_same_numbers() {
        contract::results_are_equal(formatted, arithmetic);
    }

    #[test]
    fn arithmetic_equals_formatting_up_to_the_edges_of_a_range() {
        for prefix in ["7916", "1", "0", "0049151", "99999"] {
            let value = numeric(&[prefix.to_owned()])[0];
            for number in [0, 1, 9, 10, 999_999, 1_000_000, 1_234_567, 9_999_998, 9_999_999] {
                assert_eq!(compose_msisdn(value, number), format_msisdn(prefix, number), "{prefix} and {number}");
            }
        }
    }

    #[test]
    fn numbers_keep_their_leading_zeros() {
        assert_eq!(compose_msisdn(7916, 0), 79_160_000_000);
        assert_eq!(compose_msisdn(7916, 42), 79_160_000_042);
        assert_eq!(compose_msisdn(7916, 9_999_999), 79_169_999_999);
    }

    #[test]
    fn two_subscribers_of_a_network_never_share_a_number() {
        let prefixes = numeric(&Config::load().prefixes);
        let mut numbers: Vec<u64> = (0..10_000)
            .map(|subscriber| place(&prefixes, subscriber))
            .map(|(&prefix, number)| compose_msisdn(prefix, number))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 10_000);
    }

    #[test]
    fn seven_of_ten_other_parties_are_subscribers() {
        let prefixes = ["1".to_owned(), "2".to_owned()];
        let mut rng = random::of_iteration(5);
        // Of any numbers, one in a million is below 10 by chance.
        let on_net = (0..100_000).filter(|_| other_party(&prefixes, 10, &mut rng).1 < 10).count();
        assert!((69_300..70_700).contains(&on_net), "{on_net} of 100000");
    }
}
