//! Sorting what arrived by price and time: branchy, unpredictable work.

use perfplan_harness::{Size, Suite, amount};

use crate::tape::Tape;

const BATCHES: usize = amount(100);

/// Orders that arrive together.
const TOGETHER: usize = 16;

pub(crate) fn register(suite: &mut Suite) {
    suite.case("orders/sort", sort).about("sorts 100 batches of 16 orders by price, then time");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    id: u64,
    /// In ticks. Few values, so that time decides often.
    price: u32,
    /// Arrival, in nanoseconds since the open.
    time: u64,
}

type Batch = [Order; TOGETHER];

/// Best price first; at one price, first come first served.
fn rank(batch: &mut Batch) {
    batch.sort_unstable_by_key(|order| (order.price, order.time));
}

fn sort(size: Size) -> impl FnMut(u64) -> u64 {
    // With a quarter of these a branch predictor learns the comparisons by heart, in some processes and not in others.
    let batches = Tape::record(size.pick(128, 4_096, 65_536), 1, |random| {
        std::array::from_fn(|_| Order { id: random.word(), price: random.below(32), time: random.word() >> 20 })
    });
    move |index| {
        let mut sum = 0_u64;
        for batch in batches.window(index, BATCHES) {
            let mut batch: Batch = *batch;
            rank(&mut batch);
            // Ends and middle: a wrong order shows, and reading all sixteen would cost as much as some of the sorting.
            for place in [0, TOGETHER / 2, TOGETHER - 1] {
                sum = sum.rotate_left(7).wrapping_add(batch[place].id);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn a_better_price_comes_first_and_at_one_price_the_earlier_order() {
        let mut batch: Batch =
            std::array::from_fn(|i| Order { id: i as u64, price: (i % 2) as u32, time: 100 - i as u64 });
        rank(&mut batch);
        let ids = batch.map(|order| order.id);
        assert_eq!(ids, [14, 12, 10, 8, 6, 4, 2, 0, 15, 13, 11, 9, 7, 5, 3, 1]);
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(sort);
    }
}
