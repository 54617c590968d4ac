//! The history of a number, invented: handsets are changed, SIM cards swapped, and numbers given up are handed to somebody
//! else after a quarantine.

use rand::RngExt;
use rand::rngs::SmallRng;

use super::snapshot::SubscriberSnapshotNumeric;
use crate::random::{self, Purpose};

/// The first second of the day that is generated: 4 March 2024, UTC.
pub(crate) const DAY: u64 = 1_709_510_400;
/// What the database knows ends with the week after it began.
const END: u64 = DAY + 7 * 86_400;
/// Numbers were given out from ten years before the day on.
const BEGIN: u64 = DAY - 10 * YEAR;
const YEAR: u64 = 31_557_600;

/// Mean time until something changes about a number, seconds.
const BETWEEN_CHANGES: f64 = 1.8 * YEAR as f64;
/// How likely a change is a new handset.
const HANDSET: f64 = 0.6;
/// How likely a change, where it is no new handset, is a new SIM card of the same owner.
const SIM_CARD: f64 = 0.55;
/// How likely a new SIM card is another network's, to which the owner took the number.
const PORTED: f64 = 0.1;
/// How long a number that was given up belongs to nobody, seconds.
const QUARANTINE: std::ops::Range<u64> = 90 * 86_400..180 * 86_400;

/// The networks of the country.
const NETWORKS: [u32; 4] = [25_001, 25_002, 25_020, 25_099];

/// What was ever known of `subscriber`'s number, by time; never empty. Depends on `seed` and `subscriber` alone.
pub(crate) fn history(seed: u64, subscriber: u64) -> Vec<SubscriberSnapshotNumeric> {
    let mut rng = random::of(seed, Purpose::History, subscriber);
    let mut issued = Issued { subscriber, count: 0 };
    let mut history = Vec::new();
    let mut valid_from = rng.random_range(BEGIN..DAY);
    let mut mccmnc = NETWORKS[0];
    let (mut imsi, mut imei) = (issued.imsi(mccmnc), issued.imei());
    loop {
        let valid_to = valid_from + until_change(&mut rng);
        let known = valid_to < END;
        let valid_to = if known { valid_to } else { u64::MAX };
        history.push(SubscriberSnapshotNumeric { valid_from, valid_to, imsi, imei, mccmnc });
        if !known {
            return history;
        }
        valid_from = valid_to;
        if rng.random_bool(HANDSET) {
            imei = issued.imei();
        } else if rng.random_bool(SIM_CARD) {
            if rng.random_bool(PORTED) {
                mccmnc = NETWORKS[rng.random_range(0..NETWORKS.len())];
            }
            imsi = issued.imsi(mccmnc);
        } else {
            valid_from += rng.random_range(QUARANTINE);
            if valid_from >= END {
                return history;
            }
            (imsi, imei) = (issued.imsi(mccmnc), issued.imei());
        }
    }
}

/// Seconds until the next change, at least one: they come at random, as likely at any time (exponential).
fn until_change(rng: &mut SmallRng) -> u64 {
    let uniform: f64 = rng.random();
    1 + (-(1.0 - uniform).ln() * BETWEEN_CHANGES) as u64
}

/// What was issued to the owners of one number. Nothing is issued twice in the whole network.
struct Issued {
    subscriber: u64,
    count: u64,
}

impl Issued {
    /// SIM cards and handsets that one number ever sees; more would be others'.
    const MOST: u64 = 200;
    /// Both identities have so many values within a network: ten digits.
    const VALUES: u64 = 10_000_000_000;

    /// Ten digits. Multiplying by a number without factors in common with `VALUES` only changes their order.
    fn next(&mut self) -> u64 {
        let place = self.subscriber * Self::MOST + self.count % Self::MOST;
        self.count += 1;
        (place % Self::VALUES).wrapping_mul(1_000_000_007) % Self::VALUES
    }

    fn imsi(&mut self, mccmnc: u32) -> u64 {
        u64::from(mccmnc) * Self::VALUES + self.next()
    }

    fn imei(&mut self) -> u64 {
        let body = 35_000_000_000_000 + self.next();
        body * 10 + check_digit(body)
    }
}

/// The digit that makes a number's sum right (Luhn; 3GPP TS 23.003, annex B).
fn check_digit(body: u64) -> u64 {
    let (mut rest, mut sum, mut doubled) = (body, 0, true);
    while rest > 0 {
        let digit = rest % 10 * if doubled { 2 } else { 1 };
        sum += digit / 10 + digit % 10;
        (rest, doubled) = (rest / 10, !doubled);
    }
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const COUNT: u64 = 20_000;

    fn all() -> impl Iterator<Item = Vec<SubscriberSnapshotNumeric>> {
        (0..COUNT).map(|subscriber| history(1, subscriber))
    }

    #[test]
    fn a_history_depends_on_the_seed_and_the_subscriber_alone() {
        assert_eq!(history(1, 7), history(1, 7));
        assert_ne!(history(1, 7), history(2, 7));
        assert_ne!(history(1, 7), history(1, 8));
    }

    #[test]
    fn snapshots_follow_each_other_without_overlaps() {
        for history in all() {
            assert!(history.iter().all(|snapshot| snapshot.valid_from < snapshot.valid_to));
            assert!(history.windows(2).all(|pair| pair[0].valid_to <= pair[1].valid_from), "{history:?}");
        }
    }

    #[test]
    fn a_number_has_some_snapshots_and_one_in_thirty_has_no_owner_today() {
        let (mut snapshots, mut without) = (0, 0);
        for history in all() {
            snapshots += history.len();
            without += usize::from(!history.iter().any(|snapshot| snapshot.holds_at(DAY)));
        }
        let mean = snapshots as f64 / COUNT as f64;
        assert!((3.3..4.0).contains(&mean), "{mean} snapshots");
        assert!((0.025..0.04).contains(&(without as f64 / COUNT as f64)), "{without} without an owner");
    }

    #[test]
    fn after_a_quarantine_everything_about_a_number_is_another_persons() {
        let mut reassigned = 0;
        for history in all() {
            for pair in history.windows(2) {
                let gap = pair[1].valid_from - pair[0].valid_to;
                assert!(gap == 0 || QUARANTINE.contains(&gap), "{gap} s");
                let changed = (pair[0].imsi != pair[1].imsi, pair[0].imei != pair[1].imei);
                assert!(if gap > 0 { changed == (true, true) } else { changed.0 != changed.1 }, "{pair:?}");
                reassigned += u64::from(gap > 0);
            }
        }
        assert!(reassigned > COUNT / 3, "{reassigned}");
    }

    #[test]
    fn no_sim_card_and_no_handset_belongs_to_two_numbers() {
        let (mut imsis, mut imeis) = (HashSet::new(), HashSet::new());
        for history in all() {
            let of = |part: fn(&SubscriberSnapshotNumeric) -> u64| history.iter().map(part).collect::<HashSet<u64>>();
            assert!(of(|snapshot| snapshot.imsi).into_iter().all(|imsi| imsis.insert(imsi)));
            assert!(of(|snapshot| snapshot.imei).into_iter().all(|imei| imeis.insert(imei)));
        }
    }

    #[test]
    fn identities_have_fifteen_digits_and_name_their_network() {
        for snapshot in all().flatten() {
            assert_eq!(snapshot.imsi / Issued::VALUES, u64::from(snapshot.mccmnc));
            assert_eq!((snapshot.imsi.ilog10(), snapshot.imei.ilog10()), (14, 14));
        }
    }

    #[test]
    fn the_check_digit_is_that_of_the_standards_example() {
        // GSM Association, TS.06: IMEI 49-015420-323751-8.
        assert_eq!(check_digit(49_015_420_323_751), 8);
    }
}
