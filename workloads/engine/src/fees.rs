//! Fees in fixed point: integer arithmetic in registers, hardly any memory.

use perfplan_harness::{Size, Suite, amount};

use crate::tape::{Random, Tape};

const TRADES: usize = amount(1_000);

pub(crate) fn register(suite: &mut Suite) {
    suite.case("fees/arithmetic", charge).about("computes the tiered fees of 1000 trades in fixed point");
}

/// A trade to be charged.
#[derive(Clone, Copy, Debug)]
struct Trade {
    /// In hundredths of a cent.
    price: u32,
    quantity: u32,
    /// What the client traded this month, in cents.
    volume: u64,
    /// Takers pay the full rate, makers four tenths of it.
    taker: bool,
}

/// A rate, in millionths, for clients whose volume (cents) is below a limit.
struct Tier {
    below: u64,
    rate: u64,
}

const TIERS: [Tier; 5] = [
    Tier { below: 1_000_000, rate: 1_500 },
    Tier { below: 10_000_000, rate: 1_200 },
    Tier { below: 100_000_000, rate: 900 },
    Tier { below: 1_000_000_000, rate: 650 },
    Tier { below: u64::MAX, rate: 400 },
];

/// Cents; no trade is charged less, or more.
const LEAST: u64 = 1;
const MOST: u64 = 500_000;

const MILLION: u64 = 1_000_000;

/// The fee of a trade, in cents. Can't overflow: a price and a quantity of 32 bits make 64 bits, which shrink a hundredfold
/// before the rate (at most 1500) multiplies the remainder and the quotient apart.
#[inline]
fn fee(trade: &Trade) -> u64 {
    let notional = u64::from(trade.price) * u64::from(trade.quantity) / 100;
    let tier = TIERS.iter().take_while(|tier| tier.below <= trade.volume).count().min(TIERS.len() - 1);
    let rate = if trade.taker { TIERS[tier].rate } else { TIERS[tier].rate * 4 / 10 };
    let whole = notional / MILLION * rate;
    let rest = divide_half_even(notional % MILLION * rate);
    (whole + rest).clamp(LEAST, MOST)
}

/// By a million, halves to the even neighbour, as accountants round.
#[inline]
fn divide_half_even(value: u64) -> u64 {
    let (quotient, rest) = (value / MILLION, value % MILLION);
    let up = rest > MILLION / 2 || (rest == MILLION / 2 && quotient % 2 == 1);
    quotient + u64::from(up)
}

fn trade(random: &mut Random) -> Trade {
    Trade {
        price: 1 + random.below(5_000_000),
        quantity: 1 + random.below(10_000),
        volume: random.word() >> (30 + random.below(20)),
        taker: random.below(2) == 0,
    }
}

fn charge(size: Size) -> impl FnMut(u64) -> u64 {
    let trades = Tape::record(size.pick(256, 1_024, 100_000), 8, trade);
    move |index| trades.window(index, TRADES).fold(index, |sum, trade| sum.rotate_left(1).wrapping_add(fee(trade)))
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn fees_follow_tier_side_floor_and_cap() {
        // 100 pieces at 50.00 are 5,000.00.
        let trade = Trade { price: 500_000, quantity: 100, volume: 0, taker: true };
        assert_eq!(fee(&trade), 750, "0.15 % in the first tier");
        assert_eq!(fee(&Trade { taker: false, ..trade }), 300, "a maker pays 0.06 %");
        assert_eq!(fee(&Trade { volume: 1_000_000, ..trade }), 600, "a limit belongs to the next tier");
        assert_eq!(fee(&Trade { volume: u64::MAX, ..trade }), 200, "the last tier has no end");
        assert_eq!(fee(&Trade { price: 1, quantity: 1, ..trade }), LEAST);
        assert_eq!(fee(&Trade { price: u32::MAX, quantity: u32::MAX, ..trade }), MOST);
    }

    #[test]
    fn halves_go_to_the_even_neighbour() {
        let rounded = [500_000, 1_500_000, 2_500_000, 2_500_001, 2_499_999].map(divide_half_even);
        assert_eq!(rounded, [0, 2, 2, 3, 2]);
    }

    #[test]
    fn fees_agree_with_wide_arithmetic_on_random_trades() {
        let mut random = Random::seeded(9);
        for _ in 0..10_000 {
            let trade = trade(&mut random);
            let notional = u128::from(trade.price) * u128::from(trade.quantity) / 100;
            let tier = TIERS.iter().find(|tier| trade.volume < tier.below).unwrap_or(&TIERS[4]);
            let rate = u128::from(if trade.taker { tier.rate } else { tier.rate * 4 / 10 });
            let (quotient, rest) = (notional * rate / 1_000_000, notional * rate % 1_000_000);
            let up = rest > 500_000 || (rest == 500_000 && quotient % 2 == 1);
            assert_eq!(u128::from(fee(&trade)), (quotient + u128::from(up)).clamp(1, 500_000), "{trade:?}");
        }
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(charge);
    }
}
