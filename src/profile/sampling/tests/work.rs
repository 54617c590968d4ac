//! The program that the tests sample. It does one kind of work, endlessly, with known functions in known places.

use std::env;
use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::thread;

unsafe extern "C" {
    fn qsort(
        base: *mut c_void,
        count: usize,
        size: usize,
        compare: extern "C" fn(*const c_void, *const c_void) -> c_int,
    );
}

fn main() {
    let kind = env::args().nth(1).unwrap_or_default();
    match kind.as_str() {
        "split" => loop {
            turn();
        },
        "libc" => through_libc(),
        "threads" => threads(),
        "deep" => loop {
            black_box(deep(40));
        },
        "deeper" => loop {
            black_box(deep(1500));
        },
        "time" => tell_time(),
        "system" => in_the_kernel(),
        _ => panic!("no kind of work is called {kind}"),
    }
}

/// Units of work that take the same time each.
#[inline(always)]
fn grind(units: u64) -> u64 {
    let mut state = black_box(units);
    for _ in 0..units * 1000 {
        state = black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
    state
}

/// 7 units in a function, 3 in one that is inlined.
#[inline(never)]
fn turn() {
    black_box(heavy(black_box(7)));
    black_box(light(black_box(3)));
}

#[inline(never)]
fn heavy(units: u64) -> u64 {
    grind(units)
}

#[inline(always)]
fn light(units: u64) -> u64 {
    grind(units)
}

fn through_libc() {
    let mut numbers: Vec<u64> = Vec::new();
    let (source, mut target) = (vec![7_u8; 1 << 14], vec![0_u8; 1 << 14]);
    loop {
        numbers.clear();
        numbers.extend((0..2000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        sort_by_libc(&mut numbers);
        copy_by_libc(&source, &mut target);
        allocate();
    }
}

#[inline(never)]
fn sort_by_libc(numbers: &mut [u64]) {
    unsafe { qsort(numbers.as_mut_ptr().cast(), numbers.len(), 8, compare) };
    black_box(numbers);
}

extern "C" fn compare(left: *const c_void, right: *const c_void) -> c_int {
    let (left, right) = unsafe { (*left.cast::<u64>(), *right.cast::<u64>()) };
    black_box(left).cmp(&right) as c_int
}

#[inline(never)]
fn copy_by_libc(source: &[u8], target: &mut [u8]) {
    for _ in 0..50 {
        target[..black_box(source.len())].copy_from_slice(source);
        black_box(&mut *target);
    }
}

#[inline(never)]
fn allocate() {
    let kept: Vec<Box<[u8]>> = (0..800).map(|size| vec![7; black_box(size)].into_boxed_slice()).collect();
    black_box(kept);
}

fn threads() {
    let named = |name: &str, work: fn(u64) -> u64| {
        let endless = move || loop {
            black_box(work(black_box(5)));
        };
        thread::Builder::new().name(name.to_owned()).spawn(endless).unwrap()
    };
    let workers = [named("sorter-1", first_work), named("sorter-2", second_work)];
    for worker in workers {
        let _ = worker.join();
    }
}

#[inline(never)]
fn first_work(units: u64) -> u64 {
    grind(units)
}

#[inline(never)]
fn second_work(units: u64) -> u64 {
    grind(units + 1)
}

#[inline(never)]
fn deep(depth: u64) -> u64 {
    if depth == 0 { grind(20) } else { black_box(deep(depth - 1)) + 1 }
}

fn tell_time() {
    loop {
        black_box(std::time::Instant::now());
    }
}

fn in_the_kernel() {
    loop {
        black_box(std::fs::metadata("/proc/self/status").is_ok());
    }
}
