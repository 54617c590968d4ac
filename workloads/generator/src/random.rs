//! Random numbers that depend on a seed and nothing else.

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
}
