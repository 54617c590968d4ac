//! What perfplan relies on, as checks for the tests of your own cases.
//!
//! perfplan compares the checksum of a batch over all builds and repeats iterations at will. A case whose results depend on
//! what ran before breaks off in the middle of a run, on the machine that measures. Here it fails in `cargo test`.
//!
//! ```
//! use perfplan_harness::{Size, contract};
//!
//! fn numbers(size: Size) -> Vec<u64> {
//!     (0..size.pick(100, 1_000, 100_000)).map(|i| (i * 7919) % 10_007).collect()
//! }
//!
//! fn stable(size: Size) -> impl FnMut(u64) -> u64 {
//!     let numbers = numbers(size);
//!     move |iteration| {
//!         let mut scratch = numbers.clone();
//!         scratch.sort();
//!         scratch[iteration as usize % scratch.len()]
//!     }
//! }
//!
//! fn unstable(size: Size) -> impl FnMut(u64) -> u64 {
//!     let numbers = numbers(size);
//!     move |iteration| {
//!         let mut scratch = numbers.clone();
//!         scratch.sort_unstable();
//!         scratch[iteration as usize % scratch.len()]
//!     }
//! }
//!
//! // In `#[test]` functions beside the cases:
//! contract::results_depend_on_the_index_alone(stable);
//! contract::results_depend_on_the_index_alone(unstable);
//! contract::results_are_equal(stable, unstable);
//! ```
//!
//! Results count as equal where their [`Digest`]s are equal, as in a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::protocol::CONTROL;
use crate::{Checksum, Digest, Load, Size};

/// Iterations that are run in other orders.
const REORDERED: u64 = 40;
/// Iterations that a before and an after are compared in.
const COMPARED: u64 = 100;

/// Checks that an iteration gives the same result whenever it runs. `setup` is what [`Suite::case`](crate::Suite::case)
/// takes; it is called three times with [`Size::Quick`]. One of the three works in order, one backwards, and one does every
/// iteration twice.
///
/// # Panics
/// Where a result depends on more than the index of its iteration; and where at most half of the results differ from each
/// other, since a checksum could then not tell that work is missing.
#[track_caller]
pub fn results_depend_on_the_index_alone<W, R>(setup: impl Fn(Size) -> W)
where
    W: FnMut(u64) -> R,
    R: Digest,
{
    let fresh = || digested(setup(Size::Quick));
    let (mut forth, mut back, mut twice) = (fresh(), fresh(), fresh());
    let expected: Vec<u64> = (0..REORDERED).map(&mut forth).collect();
    for (index, &result) in expected.iter().enumerate().rev() {
        let index = index as u64;
        assert_eq!(back(index), result, "digest of iteration {index}, run backwards");
        assert_eq!((twice(index), twice(index)), (result, result), "digests of iteration {index}, run twice");
    }
    let mut distinct = expected.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() > expected.len() / 2, "only {} of {} results differ", distinct.len(), expected.len());
}

/// Checks that the case before and the case after an optimisation do the same work, iteration by iteration, at
/// [`Size::Quick`] and at [`Size::Default`].
///
/// # Panics
/// Where the results of an iteration differ.
#[track_caller]
pub fn results_are_equal<A, B, R, S>(before: impl Fn(Size) -> A, after: impl Fn(Size) -> B)
where
    A: FnMut(u64) -> R,
    B: FnMut(u64) -> S,
    R: Digest,
    S: Digest,
{
    for size in [Size::Quick, Size::Default] {
        let (mut before, mut after) = (digested(before(size)), digested(after(size)));
        for index in 0..COMPARED {
            assert_eq!(before(index), after(index), "digests of iteration {index} at size {size}");
        }
    }
}

/// Checks that the load before and the load after an optimisation get the same answers, and the same ones in every batch, at
/// [`Size::Quick`] and [`Size::Default`]. Each does two batches of [`Load::ARRIVALS`] requests, `rate` per second.
///
/// # Panics
/// Where the checksums of two batches differ, and where a request fails.
#[track_caller]
pub fn loads_are_equal<A, B>(rate: f64, before: impl Fn(Size) -> A, after: impl Fn(Size) -> B)
where
    A: FnMut(&Load),
    B: FnMut(&Load),
{
    for size in [Size::Quick, Size::Default] {
        let (mut before, mut after) = (before(size), after(size));
        let first = Load::run(rate, Load::ARRIVALS, &mut before).checksum;
        let again = Load::run(rate, Load::ARRIVALS, &mut before).checksum;
        assert_eq!(again, first, "the checksum of the second batch before the optimisation, at size {size}");
        for batch in ["first", "second"] {
            let sample = Load::run(rate, Load::ARRIVALS, &mut after);
            assert_eq!(
                sample.checksum, first,
                "the checksum of the {batch} batch after the optimisation, at size {size}"
            );
        }
    }
}

/// Checks that `program list` names `cases` and no others, in any order, each with words of
/// [`Case::about`](crate::Case::about). Plans and stored runs refer to cases by name: a renamed one breaks them silently.
///
/// ```no_run
/// # use perfplan_harness::contract;
/// // In the tests of a package with a program: env!("CARGO_BIN_EXE_my-crate")
/// contract::cases_are_listed("target/debug/my-crate", &["sort/stable", "sort/unstable"]);
/// ```
///
/// # Panics
/// Where the list differs, where a case is described by less than two words, and where the program can't be run or fails.
#[track_caller]
pub fn cases_are_listed(program: impl AsRef<Path>, cases: &[&str]) {
    let program = program.as_ref();
    // With this variable set the program would wait for commands instead.
    #[expect(clippy::disallowed_methods, reason = "the tool's room for processes is not this crate's")]
    let output = match Command::new(program).arg("list").env_remove(CONTROL).output() {
        Ok(output) => output,
        Err(error) => panic!("{} list: {error}", program.display()),
    };
    assert!(output.status.success(), "{} list: {}", program.display(), output.status);
    let listed = String::from_utf8_lossy(&output.stdout);
    let faults = faults(&listed, cases);
    assert!(faults.is_empty(), "{}\nlisted are:\n{listed}", faults.join("\n"));
}

/// The digest of each result.
fn digested<R: Digest>(mut work: impl FnMut(u64) -> R) -> impl FnMut(u64) -> u64 {
    move |index| {
        let mut checksum = Checksum::default();
        work(index).digest(&mut checksum);
        checksum.value()
    }
}

/// What is wrong with a list of cases.
fn faults(listed: &str, cases: &[&str]) -> Vec<String> {
    let lines = listed.lines().filter(|line| !line.is_empty());
    let listed: BTreeMap<&str, &str> = lines.map(|line| line.split_once(' ').unwrap_or((line, ""))).collect();
    let missing = cases.iter().filter(|case| !listed.contains_key(*case)).map(|case| format!("{case} is not listed"));
    let unknown = listed.keys().filter(|case| !cases.contains(case)).map(|case| format!("{case} is not expected"));
    let terse = listed.iter().filter(|(_, about)| about.split_whitespace().count() < 2);
    missing.chain(unknown).chain(terse.map(|(case, _)| format!("{case} does not say what it does"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squares(_: Size) -> impl FnMut(u64) -> u64 {
        |index| index * index
    }

    #[test]
    fn a_case_without_memory_keeps_the_contract_whatever_it_returns() {
        results_depend_on_the_index_alone(squares);
        results_depend_on_the_index_alone(|_| |index: u64| vec![index.to_string(); 2]);
        results_are_equal(squares, |_| |index: u64| (0..index).map(|i| 2 * i + 1).sum::<u64>());
    }

    #[test]
    #[should_panic(expected = "digest of iteration 39, run backwards")]
    fn a_result_that_depends_on_what_ran_before_is_found() {
        results_depend_on_the_index_alone(|_| {
            let mut sum = 0;
            move |index: u64| {
                sum += index;
                sum
            }
        });
    }

    #[test]
    #[should_panic(expected = "run twice")]
    fn a_result_that_differs_the_second_time_is_found() {
        results_depend_on_the_index_alone(|_| {
            let mut last = None;
            move |index: u64| (last.replace(index) == Some(index), index)
        });
    }

    #[test]
    #[should_panic(expected = "only 1 of 40 results differ")]
    fn results_that_are_all_alike_are_refused() {
        results_depend_on_the_index_alone(|_| |_| ());
    }

    #[test]
    #[should_panic(expected = "digests of iteration 99 at size default")]
    fn an_optimisation_that_loses_work_at_a_larger_size_is_found() {
        results_are_equal(squares, |size| move |index: u64| index * index.min(size.pick(99, 98, 97)));
    }

    #[test]
    fn a_list_is_complete_has_no_more_and_says_what_each_case_does() {
        let listed = "a/b   adds two numbers\nlong  multiplies them\n";
        assert!(faults(listed, &["long", "a/b"]).is_empty());
        assert_eq!(faults(listed, &["a/b", "long", "lon"]), ["lon is not listed"]);
        assert_eq!(faults(listed, &["a/b"]), ["long is not expected"]);
        assert_eq!(faults("a/b  adds\n", &["a/b"]), ["a/b does not say what it does"]);
        assert_eq!(faults("\n", &["a/b"]), ["a/b is not listed"]);
    }

    /// Answers at once, with what `answer` makes of the index and the number of batches before.
    fn answering(answer: fn(u64, u64) -> u64) -> impl Fn(Size) -> Box<dyn FnMut(&Load)> {
        move |_| {
            let mut batches = 0;
            Box::new(move |load| {
                load.arrivals().for_each(|request| load.done(request, request.due, &answer(request.index, batches)));
                batches += 1;
            })
        }
    }

    #[test]
    fn loads_with_the_same_answers_are_equal() {
        loads_are_equal(1e6, answering(|index, _| index * 2), answering(|index, _| index + index));
    }

    #[test]
    #[should_panic(expected = "the first batch after the optimisation, at size quick")]
    fn one_other_answer_of_a_load_is_found() {
        loads_are_equal(1e6, answering(|index, _| index), answering(|index, _| index.min(198)));
    }

    #[test]
    #[should_panic(expected = "the second batch after the optimisation")]
    fn answers_of_a_load_that_depend_on_what_ran_before_are_found() {
        loads_are_equal(1e6, answering(|index, _| index), answering(|index, batches| index + batches));
    }

    #[test]
    #[should_panic(expected = "/nowhere/program list: ")]
    fn a_program_that_is_not_there_is_named() {
        cases_are_listed("/nowhere/program", &[]);
    }
}
