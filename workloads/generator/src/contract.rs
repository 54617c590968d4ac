//! What every case promises, as checks for its tests.

use perfplan_harness::Size;

/// Three separate set-ups, one run in order, one backwards and one with every iteration twice, give equal results per
/// index; and different indices give different results, so that a checksum can tell them apart.
#[track_caller]
pub(crate) fn results_depend_on_the_index_alone<W: FnMut(u64) -> u64>(setup: impl Fn(Size) -> W) {
    let (mut forth, mut back, mut twice) = (setup(Size::Quick), setup(Size::Quick), setup(Size::Quick));
    let expected: Vec<u64> = (0..40).map(&mut forth).collect();
    for (index, &result) in expected.iter().enumerate().rev() {
        let index = index as u64;
        assert_eq!(back(index), result, "iteration {index}, run backwards");
        assert_eq!((twice(index), twice(index)), (result, result), "iteration {index}, run twice");
    }
    let mut distinct = expected.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > expected.len() / 2, "only {} of {} results differ", distinct.len(), expected.len());
}

/// The case before and the case after an optimisation do the same work.
#[track_caller]
pub(crate) fn results_are_equal<A, B>(before: impl Fn(Size) -> A, after: impl Fn(Size) -> B)
where
    A: FnMut(u64) -> u64,
    B: FnMut(u64) -> u64,
{
    for size in [Size::Quick, Size::Default] {
        let (mut before, mut after) = (before(size), after(size));
        for index in 0..100 {
            assert_eq!(before(index), after(index), "iteration {index} at {size:?}");
        }
    }
}
