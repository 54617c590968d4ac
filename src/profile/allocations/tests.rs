//! Made-up sites, and those of a real worker against a count by hand.

use std::collections::BTreeMap;
use std::fs;

use object::{Object, ObjectSymbol, SymbolKind};

use super::*;
use crate::profile::syscalls::fixture::{Worker, program};

fn site(calls: u64, bytes: u64, stack: &[u64]) -> Site {
    Site { calls, bytes, stack: stack.to_vec() }
}

fn named(address: u64) -> Vec<String> {
    let names: &[&str] = match address {
        1 => &["perfplan_harness::sites::note", "perfplan_harness::sites::Stack::here"],
        2 => {
            &["__rustc::__rust_alloc", "<perfplan_harness::allocator::Counting<A> as core::alloc::GlobalAlloc>::alloc"]
        }
        3 => &["app::load", "alloc::boxed::Box<T>::new", "alloc::alloc::exchange_malloc"],
        4 => &["app::main"],
        5 => &["perfplan_harness::allocator::during"],
        _ => &[],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn stacks_end_at_who_asked_for_memory_and_keep_inlined_functions() {
    let sites = [site(3, 96, &[1, 2, 3, 4, 5]), site(2, 10, &[1, 2, 4, 99, 5])];
    let folded = fold(&sites, "app", &mut named);
    let during = "app;perfplan_harness::allocator::during;app::main";
    assert_eq!(folded.calls.to_string(), format!("{during} 2\n{during};app::load;alloc::boxed::Box<T>::new 3\n"));
    assert_eq!(folded.bytes.to_string(), format!("{during} 10\n{during};app::load;alloc::boxed::Box<T>::new 96\n"));
}

#[test]
fn equal_stacks_are_one_and_a_stack_without_any_name_is_its_root() {
    let sites = [site(1, 8, &[1, 3]), site(2, 8, &[2, 3]), site(5, 40, &[99])];
    let folded = fold(&sites, "app", &mut named);
    assert_eq!(folded.calls.to_string(), "app 5\napp;app::load;alloc::boxed::Box<T>::new 3\n");
}

/// Where the program lies in the worker's memory.
fn base(pid: u32) -> u64 {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let line = maps.lines().find(|line| line.ends_with(program().to_str().unwrap())).unwrap();
    u64::from_str_radix(line.split('-').next().unwrap(), 16).unwrap()
}

#[test]
fn a_workers_sites_are_those_of_a_count_by_hand() {
    let mut worker = Worker::with("boxes");
    let base = base(worker.child.pid());
    let sites = worker.sites(10);
    worker.end();
    let data = fs::read(program()).unwrap();
    let file = object::File::parse(&*data).unwrap();
    let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
    let functions: BTreeMap<u64, (u64, String)> = functions
        .map(|symbol| {
            (symbol.address(), (symbol.size(), format!("{:#}", rustc_demangle::demangle(symbol.name().unwrap()))))
        })
        .collect();
    let mut resolve = |address: u64| {
        let address = address.wrapping_sub(base);
        let found = functions.range(..=address).next_back();
        found
            .filter(|(begin, (size, _))| address - **begin < *size)
            .map(|(_, (_, name))| name.clone())
            .into_iter()
            .collect()
    };
    let folded = fold(&sites, "boxes", &mut resolve);
    // By hand: 3 boxes of 8 bytes; a text of 10 bytes, asked again for 40 or 41. 10 iterations, half of them odd.
    assert_eq!((folded.calls.total(), folded.bytes.total()), (50, 10 * (24 + 10 + 40) + 5));
    let through = |folded: &Folded, name: &str| -> u64 {
        folded.stacks().filter(|stack| stack.functions().any(|f| f == name)).map(|stack| stack.count).sum()
    };
    assert_eq!((through(&folded.calls, "small::one_box"), through(&folded.bytes, "small::three_boxes")), (30, 240));
    assert_eq!((through(&folded.calls, "small::text"), through(&folded.bytes, "small::text")), (20, 505));
    let innermost: Vec<&str> = folded.calls.stacks().filter_map(|stack| stack.functions().next_back()).collect();
    assert!(innermost.iter().all(|name| !stands_between(name)), "{innermost:?}");
    assert!(folded.calls.stacks().all(|stack| stack.functions().any(|name| name == "small::main")), "{}", folded.calls);
}
