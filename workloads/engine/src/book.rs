//! One side of an order book in a B-tree: pointer-heavy work that allocates a little.

use std::collections::BTreeMap;

use perfplan_harness::{Size, Suite, amount};

use crate::tape::{Random, Tape};

const QUOTES: usize = amount(100);

pub(crate) fn register(suite: &mut Suite) {
    suite
        .case("book/btree", quotes)
        .about("100 quotes on a book in a BTreeMap: two orders are placed, the best price is read, both are withdrawn");
}

/// The orders resting at one price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Level {
    quantity: u64,
    orders: u32,
}

/// The asks of one instrument; the lowest price is the best.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Book {
    levels: BTreeMap<u64, Level>,
}

impl Book {
    fn place(&mut self, price: u64, quantity: u64) {
        let level = self.levels.entry(price).or_default();
        level.quantity += quantity;
        level.orders += 1;
    }

    fn best(&self) -> Option<(u64, Level)> {
        self.levels.first_key_value().map(|(&price, &level)| (price, level))
    }

    /// Takes an order off that was placed with this price and quantity; an empty level goes.
    fn withdraw(&mut self, price: u64, quantity: u64) {
        let Some(level) = self.levels.get_mut(&price) else {
            return;
        };
        level.orders -= 1;
        level.quantity -= quantity;
        if level.orders == 0 {
            self.levels.remove(&price);
        }
    }
}

/// Two orders that are in the book at the same time.
struct Quote {
    near: (u64, u64),
    far: (u64, u64),
}

impl Quote {
    /// Prices around and inside a book whose prices are below `range`.
    fn random(random: &mut Random, range: u32) -> Self {
        let mut order = |below: u32| (u64::from(random.below(below)), 1 + u64::from(random.below(1_000)));
        Self { near: order(range / 64), far: order(range) }
    }
}

fn quotes(size: Size) -> impl FnMut(u64) -> u64 {
    let depth = size.pick(64, 1_024, 65_536);
    // Every fourth price is taken on average: an order opens a new level about as often as it joins one.
    let range = depth * 4;
    let mut book = Book::default();
    let mut random = Random::seeded(2);
    for _ in 0..depth {
        book.place(u64::from(random.below(range)), 1 + u64::from(random.below(1_000)));
    }
    let quotes = Tape::record(4_096, 3, |random| Quote::random(random, range));
    move |index| {
        let mut sum = 0_u64;
        for quote in quotes.window(index, QUOTES) {
            book.place(quote.near.0, quote.near.1);
            book.place(quote.far.0, quote.far.1);
            if let Some((price, level)) = book.best() {
                sum = sum.rotate_left(5).wrapping_add(price ^ level.quantity);
            }
            book.withdraw(quote.near.0, quote.near.1);
            book.withdraw(quote.far.0, quote.far.1);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;

    #[test]
    fn the_lowest_price_is_best_and_goes_with_its_last_order() {
        let mut book = Book::default();
        book.place(12, 5);
        book.place(10, 1);
        book.place(10, 2);
        assert_eq!(book.best(), Some((10, Level { quantity: 3, orders: 2 })));
        book.withdraw(10, 1);
        assert_eq!(book.best(), Some((10, Level { quantity: 2, orders: 1 })));
        book.withdraw(10, 2);
        assert_eq!(book.best(), Some((12, Level { quantity: 5, orders: 1 })));
    }

    #[test]
    fn a_quote_leaves_the_book_as_it_was() {
        let mut book = Book::default();
        let mut random = Random::seeded(4);
        for _ in 0..500 {
            book.place(u64::from(random.below(800)), 7);
        }
        let before = book.clone();
        for _ in 0..500 {
            let quote = Quote::random(&mut random, 800);
            book.place(quote.near.0, quote.near.1);
            book.place(quote.far.0, quote.far.1);
            book.withdraw(quote.near.0, quote.near.1);
            book.withdraw(quote.far.0, quote.far.1);
        }
        assert_eq!(book, before);
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(quotes);
    }
}
