//! Stacks are complete and true however a program was built.

use super::super::{Method, Options};
use super::running::{assert_rooted, built, command, forced, sampled, share, told};
use crate::process::find_program;

/// Samples work through libc, whose functions have no frame pointers and, for the most part, no symbols.
fn assert_libc_work_is_followed(flags: &[&str]) {
    let (_folder, program) = built(flags);
    let Some(found) = sampled(&program, "libc", &forced(Method::Dwarf)) else { return };
    assert_rooted(&found);
    assert!(share(&found, &["work::main", "work::sort_by_libc", "work::compare"]) > 0.02, "{}", told(&found));
    assert!(share(&found, &["work::main", "work::copy_by_libc"]) > 0.05, "{}", told(&found));
    assert!(share(&found, &["work::main", "work::allocate"]) > 0.01, "{}", told(&found));
    // What main calls is below main and nowhere else.
    assert_eq!(share(&found, &["work::sort_by_libc"]), share(&found, &["work::main", "work::sort_by_libc"]));
}

#[test]
fn a_program_with_debug_information_is_followed_through_libc() {
    assert_libc_work_is_followed(&["-g"]);
}

#[test]
fn a_program_linked_by_lld_is_followed_through_libc() {
    assert_libc_work_is_followed(&["-g", "-Clink-arg=-fuse-ld=lld"]);
}

#[test]
fn a_program_linked_by_bfd_is_followed_through_libc() {
    assert_libc_work_is_followed(&["-g", "-Clinker-features=-lld"]);
}

#[test]
fn a_program_that_aborts_instead_of_unwinding_is_followed_through_libc() {
    assert_libc_work_is_followed(&["-Cdebuginfo=limited", "-Cpanic=abort"]);
}

#[test]
fn names_without_modules_are_told_of() {
    let (_folder, program) = built(&["-Cdebuginfo=line-tables-only"]);
    let Some(found) = sampled(&program, "split", &Options::default()) else { return };
    let told_of = |note: &String| note.contains("work are named without their modules");
    assert!(found.notes.iter().any(told_of), "{:?}", found.notes);
    assert!(share(&found, &["work::main", "work::turn", "work::heavy", "grind"]) > 0.5, "{}", told(&found));
}

/// C compilers leave `.eh_frame` out when they are asked to, and `.debug_frame` then has what debuggers need.
#[test]
fn code_without_unwind_tables_is_followed_by_its_debug_information() {
    if find_program("cc").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("work.c"), folder.path().join("work"));
    std::fs::write(&source, C_PROGRAM).unwrap();
    let without = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-exceptions", "-fomit-frame-pointer"];
    let built = command("cc").args(["-O1", "-g"]).args(without).arg("-o").arg(&program).arg(&source).status().unwrap();
    assert!(built.success());
    let Some(found) = sampled(&program, "", &forced(Method::Dwarf)) else { return };
    assert_rooted(&found);
    assert!(share(&found, &["main", "outer", "inner"]) > 0.9, "{}", told(&found));
}

const C_PROGRAM: &str = r"
static volatile unsigned long sum;
__attribute__((noinline)) void inner(unsigned long n) { for (unsigned long i = 0; i < n; i++) sum += i; sum++; }
__attribute__((noinline)) void outer(unsigned long n) { inner(n); sum += n; inner(n + 1); sum++; }
int main(void) { for (;;) outer(10000 + sum % 2); }
";

#[test]
fn a_program_with_frame_pointers_is_followed_through_libc() {
    assert_libc_work_is_followed(&["-g", "-Cforce-frame-pointers=yes"]);
}

#[test]
fn a_program_at_fixed_addresses_is_followed_through_libc() {
    assert_libc_work_is_followed(&["-g", "-Crelocation-model=static"]);
}

#[test]
fn a_program_with_symbols_and_no_debug_information_is_followed_through_libc() {
    assert_libc_work_is_followed(&["-Cstrip=debuginfo"]);
}

#[test]
fn a_stripped_program_is_followed_though_nothing_in_it_has_a_name() {
    let (_folder, program) = built(&["-Cstrip=symbols"]);
    let Some(found) = sampled(&program, "libc", &forced(Method::Dwarf)) else { return };
    assert!(found.rooted as f64 >= 0.99 * found.samples as f64, "{}", told(&found));
    assert!(share(&found, &["[work]"]) >= 0.99, "{}", told(&found));
}

#[test]
fn threads_are_told_apart_by_their_names() {
    let (_folder, program) = built(&["-g"]);
    let Some(found) = sampled(&program, "threads", &Options::default()) else { return };
    assert_rooted(&found);
    let (first, second) =
        (share(&found, &["sorter-1", "work::first_work"]), share(&found, &["sorter-2", "work::second_work"]));
    assert!(first > 0.1 && second > 0.1 && first + second > 0.9, "{first} {second}: {}", told(&found));
    assert_eq!(share(&found, &["sorter-1", "work::second_work"]), 0.0);
}

#[test]
fn a_recursion_that_fits_into_the_copy_is_complete() {
    let (_folder, program) = built(&["-g"]);
    let Some(found) = sampled(&program, "deep", &forced(Method::Dwarf)) else { return };
    assert_rooted(&found);
    assert!(share(&found, &["work::main", "work::deep", "work::deep", "work::deep"]) > 0.9, "{}", told(&found));
}

#[test]
fn a_stack_that_is_longer_than_its_copy_is_counted_as_truncated() {
    let (_folder, program) = built(&["-g"]);
    let Some(short) = sampled(&program, "deeper", &forced(Method::Dwarf)) else { return };
    assert!(short.truncated as f64 > 0.5 * short.samples as f64, "{} of {}", short.truncated, short.samples);
    assert!(short.rooted + short.truncated >= short.samples * 99 / 100);
    assert!(short.stacks.keys().any(|line| line.starts_with("work;[truncated];work::deep;")));
    let long = Options { stack_bytes: 64 * 1024, ..forced(Method::Dwarf) };
    assert_rooted(&sampled(&program, "deeper", &long).unwrap());
}

#[test]
fn the_kernels_code_in_every_process_is_unwound_and_named() {
    let (_folder, program) = built(&["-g"]);
    let Some(found) = sampled(&program, "time", &forced(Method::Dwarf)) else { return };
    assert!(found.rooted as f64 >= 0.99 * found.samples as f64, "{}", told(&found));
    assert!(share(&found, &["work::main", "work::tell_time"]) > 0.9, "{}", told(&found));
}

/// Two functions do 7 and 3 units of the same work; the smaller one is inlined. The number of samples allows for five
/// standard deviations of a binomial share, and a little for the loops' own beginnings.
#[test]
fn shares_are_what_the_work_is() {
    let (_folder, program) = built(&["-g"]);
    let Some(found) = sampled(&program, "split", &Options { kernel: false, ..Options::default() }) else { return };
    assert_rooted(&found);
    let (heavy, light) = (share(&found, &["work::turn", "work::heavy"]), share(&found, &["work::turn", "work::light"]));
    let allowed = 5.0 * (0.7 * 0.3 / found.samples as f64).sqrt() + 0.01;
    assert!((heavy - 0.7).abs() < allowed && (light - 0.3).abs() < allowed, "{heavy} {light} of {}", found.samples);
}
