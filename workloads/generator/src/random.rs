//! Random numbers that depend on a seed and nothing else.

use perfplan_harness::Checksum;
use rand::SeedableRng;
use rand::rngs::SmallRng;

/// The generator of iteration `index`: the same whenever the iteration runs.
#[inline]
pub(crate) fn of_iteration(index: u64) -> SmallRng {
    SmallRng::seed_from_u64(index)
}

/// The generator behind the inputs that a set-up makes. `name` keeps it apart from others, and from all iterations.
pub(crate) fn of_inputs(name: u32) -> SmallRng {
    SmallRng::seed_from_u64(!u64::from(name))
}

/// What random numbers are drawn for, apart from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The history of a subscriber's number.
    History = 1,
    /// The circle of a subscriber's contacts.
    Circle,
    /// The events of a chunk of subscribers.
    Events,
}

/// The generator of one subscriber or chunk, by number, in the world that `seed` stands for.
pub(crate) fn of(seed: u64, purpose: Purpose, number: u64) -> SmallRng {
    let mut mixed = Checksum::default();
    [seed, purpose as u64, number].into_iter().for_each(|word| mixed.add(word));
    SmallRng::seed_from_u64(mixed.value())
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn equal_seeds_give_equal_sequences_and_others_give_others() {
        let first = |mut rng: SmallRng| rng.random::<[u64; 4]>();
        assert_eq!(first(of_iteration(7)), first(of_iteration(7)));
        assert_ne!(first(of_iteration(7)), first(of_iteration(8)));
        assert_ne!(first(of_iteration(0)), first(of_inputs(0)));
    }

    #[test]
    fn seed_purpose_and_number_all_count() {
        let first = |seed, purpose, number| of(seed, purpose, number).random::<[u64; 4]>();
        let drawn = first(1, Purpose::History, 2);
        assert_eq!(drawn, first(1, Purpose::History, 2));
        let others =
            [(2, Purpose::History, 2), (1, Purpose::Circle, 2), (1, Purpose::History, 3), (2, Purpose::History, 1)];
        assert!(others.into_iter().all(|(seed, purpose, number)| first(seed, purpose, number) != drawn));
    }
}
