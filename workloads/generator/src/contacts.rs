//! Whom a subscriber calls: a circle of contacts, some called more often than others.

use std::sync::Arc;

use perfplan_harness::{Checksum, Size, Suite, amount, observe};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::rngs::SmallRng;
use rand::{Rng, RngExt};

use crate::random;

/// How many subscribers further the next iteration starts: the same with and without `one-percent-more`, so that both
/// begin with the same callers.
const STRIDE: usize = 200;

/// Calls of an iteration.
const CALLS: usize = amount(STRIDE);

/// Contacts of a subscriber.
pub(crate) const CIRCLE: usize = 30;

pub(crate) fn register(suite: &mut Suite) {
    suite.case("contacts/rebuilt", rebuilt).about(
        "200 calls by as many subscribers: each builds the caller's table of 30 contact weights anew and draws once",
    );
    suite.case("contacts/prepared", prepared).about(
        "200 calls by as many subscribers: each draws from the caller's table of 30 contact weights, built at set-up",
    );
}

/// The people whom a subscriber calls.
#[derive(Clone, Debug)]
pub(crate) struct Contacts {
    /// Numbers of subscribers.
    pool: Arc<[u32]>,
    /// How often each of the pool is called, against the others; shared rather than copied.
    weights: Arc<[f64]>,
}

impl Contacts {
    /// A circle for `subscriber`, one of `count`: a few are called often and many seldom (Zipf), how uneven differs from
    /// subscriber to subscriber.
    fn invent(subscriber: u32, count: u32, rng: &mut impl Rng) -> Self {
        let pool = (0..CIRCLE).map(|_| (subscriber + rng.random_range(1..count)) % count).collect();
        Self::of(pool, rng)
    }

    /// A circle of `pool`, whom the subscriber calls the less often the later they come in it.
    pub(crate) fn of(pool: Arc<[u32]>, rng: &mut impl Rng) -> Self {
        let exponent = rng.random_range(0.8..1.4);
        let weights = (1..=pool.len()).map(|rank| (rank as f64).powf(-exponent)).collect();
        Self { pool, weights }
    }

    pub(crate) fn pool(&self) -> &[u32] {
        &self.pool
    }

    #[cfg(test)]
    pub(crate) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Before: every draw builds its table. A place in the pool; `None` where there is nobody to call.
    #[inline]
    pub(crate) fn place(&self, rng: &mut impl Rng) -> Option<usize> {
        let table = WeightedIndex::new(self.weights.iter()).ok()?;
        Some(table.sample(rng))
    }

    fn draw(&self, rng: &mut impl Rng) -> Option<Drawn> {
        self.place(rng).map(|place| Drawn { place, subscriber: self.pool[place] })
    }
}

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Drawn {
    /// The place in the circle, from 0.
    place: usize,
    subscriber: u32,
}

/// After: contacts with their table, built once.
#[derive(Clone, Debug)]
pub(crate) struct PreparedContacts {
    contacts: Contacts,
    /// `None` where there is nobody to call.
    table: Option<WeightedIndex<f64>>,
}

impl From<Contacts> for PreparedContacts {
    fn from(contacts: Contacts) -> Self {
        let table = WeightedIndex::new(contacts.weights.iter()).ok();
        Self { contacts, table }
    }
}

impl PreparedContacts {
    pub(crate) fn pool(&self) -> &[u32] {
        self.contacts.pool()
    }

    /// A place in the pool; `None` where there is nobody to call.
    #[inline]
    pub(crate) fn place(&self, rng: &mut impl Rng) -> Option<usize> {
        self.table.as_ref().map(|table| table.sample(rng))
    }

    fn draw(&self, rng: &mut impl Rng) -> Option<Drawn> {
        self.place(rng).map(|place| Drawn { place, subscriber: self.contacts.pool[place] })
    }
}

fn subscribers(size: Size) -> impl Iterator<Item = Contacts> {
    let count = size.pick(500, 1_000, 100_000);
    let mut rng = random::of_inputs(1);
    (0..count).map(move |subscriber| Contacts::invent(subscriber, count, &mut rng))
}

/// The calls of iteration `index`: one by each of the subscribers from the iteration's first on, around the end.
///
/// `note` gets each contact's place in the circle, from 1, and 0 where there was nobody to call. Subscribers' own numbers
/// would be equally likely whatever the weights.
#[inline]
fn calls<C>(
    book: &[C],
    index: u64,
    draw: impl Fn(&C, &mut SmallRng) -> Option<Drawn>,
    mut note: impl FnMut(f64),
) -> u64 {
    let mut rng = random::of_iteration(index);
    let mut called = Checksum::default();
    let (around, onward) = book.split_at((index as usize).wrapping_mul(STRIDE) % book.len());
    for caller in onward.iter().chain(around).take(CALLS) {
        let contact = draw(caller, &mut rng);
        note(contact.map_or(0.0, |drawn| drawn.place as f64 + 1.0));
        called.add(contact.map_or(u64::MAX, |drawn| u64::from(drawn.subscriber)));
    }
    called.value()
}

fn rebuilt(size: Size) -> impl FnMut(u64) -> u64 {
    let book: Vec<Contacts> = subscribers(size).collect();
    move |index| calls(&book, index, |caller, rng| caller.draw(rng), |place| observe("contact", place))
}

fn prepared(size: Size) -> impl FnMut(u64) -> u64 {
    let book: Vec<PreparedContacts> = subscribers(size).map(PreparedContacts::from).collect();
    move |index| calls(&book, index, |caller, rng| caller.draw(rng), |place| observe("contact", place))
}

#[cfg(test)]
mod tests {
    use perfplan_harness::contract;

    use super::*;
    use crate::fit;

    const DRAWS: usize = 200_000;

    /// Contacts numbered from 0.
    fn numbered(weights: &[f64]) -> Contacts {
        Contacts { pool: (0..weights.len() as u32).collect(), weights: weights.into() }
    }

    fn zipf() -> Vec<f64> {
        (1..=CIRCLE).map(|rank| 1.0 / rank as f64).collect()
    }

    fn frequencies(count: usize, mut draw: impl FnMut(&mut SmallRng) -> Option<Drawn>) -> Vec<u64> {
        let mut rng = random::of_iteration(1);
        let mut drawn = vec![0; count];
        for _ in 0..DRAWS {
            let Drawn { place, subscriber } = draw(&mut rng).unwrap();
            assert_eq!(place, subscriber as usize, "a number of `numbered` is its place");
            drawn[place] += 1;
        }
        drawn
    }

    #[test]
    fn an_iteration_depends_on_its_index_alone() {
        contract::results_depend_on_the_index_alone(rebuilt);
        contract::results_depend_on_the_index_alone(prepared);
    }

    #[test]
    fn before_and_after_call_the_same_people() {
        contract::results_are_equal(rebuilt, prepared);
    }

    #[test]
    fn contacts_are_called_as_often_as_their_weights_say_before_and_after() {
        let contacts = numbered(&zipf());
        let prepared = PreparedContacts::from(contacts.clone());
        for drawn in [frequencies(CIRCLE, |rng| contacts.draw(rng)), frequencies(CIRCLE, |rng| prepared.draw(rng))] {
            assert!(fit::chi_square(&drawn, &zipf()) > 1e-3, "{drawn:?}");
        }
    }

    #[test]
    fn the_test_of_frequencies_sees_other_weights() {
        let drawn = frequencies(CIRCLE, |rng| numbered(&zipf()).draw(rng));
        let mut other = zipf();
        other[3] *= 1.1;
        assert!(fit::chi_square(&drawn, &other) < 1e-6, "{drawn:?}");
    }

    /// How often a case would observe each place when subscribers draw from the circles of `book`.
    fn observed(book: &[Contacts]) -> Vec<u64> {
        let mut observed = vec![0; CIRCLE];
        for index in 0..200 {
            calls(book, index, |caller, rng| caller.draw(rng), |place| observed[place as usize - 1] += 1);
        }
        observed
    }

    #[test]
    fn what_a_case_observes_is_as_the_weights_say_and_sees_other_weights() {
        let mut book: Vec<Contacts> = subscribers(Size::Default).collect();
        let mut expected = vec![0.0; CIRCLE];
        for contacts in &book {
            let sum: f64 = contacts.weights.iter().sum();
            expected.iter_mut().zip(contacts.weights()).for_each(|(all, weight)| *all += weight / sum);
        }
        let right = observed(&book);
        assert!(fit::chi_square(&right, &expected) > 1e-3, "{right:?}");
        for contacts in &mut book {
            contacts.weights = contacts.weights.iter().map(|weight| weight.powf(1.1)).collect();
        }
        let wrong = observed(&book);
        assert!(fit::chi_square(&wrong, &expected) < 1e-6, "{wrong:?}");
    }

    #[test]
    fn a_weight_of_zero_is_never_drawn() {
        let drawn = frequencies(3, |rng| numbered(&[1.0, 0.0, 1.0]).draw(rng));
        assert_eq!(drawn[1], 0, "{drawn:?}");
    }

    #[test]
    fn who_knows_nobody_calls_nobody() {
        let alone = numbered(&[]);
        let mut rng = random::of_iteration(0);
        assert_eq!(alone.draw(&mut rng), None);
        assert_eq!(PreparedContacts::from(alone).draw(&mut rng), None);
    }

    #[test]
    fn nobody_calls_themselves_and_everybody_has_a_full_circle() {
        for (subscriber, contacts) in subscribers(Size::Quick).enumerate() {
            assert_eq!((contacts.pool.len(), contacts.weights.len()), (CIRCLE, CIRCLE));
            assert!(!contacts.pool.contains(&(subscriber as u32)), "subscriber {subscriber}");
        }
    }

    #[test]
    fn a_clone_draws_the_same_and_shares_the_weights() {
        let original = PreparedContacts::from(numbered(&zipf()));
        let clone = original.clone();
        assert!(Arc::ptr_eq(&original.contacts.weights, &clone.contacts.weights));
        let draws = |from: &PreparedContacts| {
            let mut rng = random::of_iteration(3);
            (0..1_000).map(|_| from.draw(&mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(draws(&original), draws(&clone));
    }

    #[test]
    fn every_book_is_long_enough_for_an_iteration() {
        assert!(subscribers(Size::Quick).count() >= CALLS);
    }
}
