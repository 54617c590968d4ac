//! Made-up files, hostile ones, and real runs.

use std::path::Path;

use perfplan_harness::protocol::Command;

use super::*;
use crate::process::{self, Spec};
use crate::profile::syscalls::fixture::{Worker, program};

const FILE: &str = "# callgrind format
version: 1
creator: callgrind-3.19.0
part: 1
desc: Trigger: Client Request
positions: line
events: Ir Dr
summary: 999 0

ob=(1) /lib/libc.so.6
fl=(1) a.c
fn=(1) _ZN5small4main17h7c6105234be42f0eE
16 100 5
+3 20
cfn=(2) even
calls=2 10
* 300 7
fn=(2)
10 50
cfn=(3) even'2
calls=1 10
-2 250
fn=(3)
10 200 1
cfn=(3)
calls=1 10
10 9999
jump=3 5
5
fn=0x1234
1 50
totals: 420 6
";

fn cost(own: u64, inclusive: u64) -> Cost {
    Cost { own, inclusive }
}

fn only(text: &str) -> Dump {
    let [dump] = <[Dump; 1]>::try_from(parse(text.as_bytes()).unwrap()).unwrap();
    dump
}

fn says(text: &str) -> String {
    format!("{:#}", parse(text.as_bytes()).unwrap_err())
}

#[test]
fn a_file_is_read_with_names_numbers_recursions_and_code_without_a_name() {
    let dump = only(FILE);
    assert!(dump.is_requested());
    assert_eq!((dump.part, dump.total), (1, 420));
    let expected = [("[libc.so.6]", cost(50, 50)), ("even", cost(250, 300)), ("small::main", cost(120, 420))];
    assert_eq!(dump.functions.iter().map(|(name, cost)| (name.as_str(), *cost)).collect::<Vec<_>>(), expected);
}

#[test]
fn other_positions_and_events_in_other_places_are_read() {
    let text = "positions: instr line\nevents: Dr Ir\nfn=f\n0x10 5 1 7\n+3 +1 0 0x10\n* * 3\nsummary: 4 23\n";
    assert_eq!((only(text).total, only(text).functions["f"]), (23, cost(23, 23)));
}

#[test]
fn several_parts_of_a_file_are_several_dumps_with_the_same_names() {
    let second = "part: 2\ndesc: Trigger: Program termination\npositions: line\nevents: Ir\nfn=(2)\n1 7\ntotals: 7\n";
    let dumps = parse(format!("{FILE}\n{second}").as_bytes()).unwrap();
    assert_eq!((dumps.len(), dumps[1].part, dumps[1].functions["even"]), (2, 2, cost(7, 7)));
    assert!(!dumps[1].is_requested());
}

#[test]
fn sums_that_do_not_agree_are_an_error() {
    assert!(says(&FILE.replace("totals: 420", "totals: 421")).contains("come to 420, and the file's totals say 421"));
    assert!(says("events: Ir\nfn=f\n1 5\nsummary: 6\n").contains("summary say 6"));
    assert!(says(FILE.split("totals").next().unwrap()).contains("summary say 999"), "a summary is better than nothing");
    assert!(says("events: Ir\nfn=f\n1 5\n").contains("breaks off"));
}

#[test]
fn what_is_not_the_format_is_an_error_with_its_line() {
    let cases = [
        ("", "without costs"),
        ("version: 2\n", "line 1 of callgrind's file: \"version: 2\": version 2 of the format"),
        ("events: Dr\n", "does not count instructions"),
        ("1 2\n", "a cost before the line `events`"),
        ("events: Ir\n1 2\n", "line 2 of callgrind's file: \"1 2\": a cost of no function"),
        ("events: Ir\nfn=(3)\n", "no name has the number 3"),
        ("events: Ir\nfn=f\n1 x\n", "\"x\" is no count"),
        ("events: Ir\nfn=f\n1 -5\n", "\"-5\" is no count"),
        ("events: Ir\nfn=f\n1 99999999999999999999\n", "is no count"),
        ("events: Ir\nfn=f\n1 18446744073709551615\n1 1\n", "larger than 64 bits hold"),
        ("events: Ir\nfn=f\n1 18446744073709551615\nfn=g\n1 1\ntotals: 0\n", "larger than 64 bits hold"),
        ("nonsense\n", "neither a name nor a cost"),
        ("events: Ir\nwat=1\n", "is no word of the format"),
    ];
    for (text, expected) in cases {
        assert!(says(text).contains(expected), "{text:?}: {}", says(text));
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let bytes = FILE.as_bytes();
    for at in 0..bytes.len() {
        let mut broken = bytes.to_vec();
        for byte in [b'0', b'=', b'(', b'\n', 0xff, b':'] {
            broken[at] = byte;
            let _ = parse(&broken);
        }
        let _ = parse(&bytes[..at]);
    }
}

/// A program under callgrind, in this folder; `None` without valgrind.
fn wrapped(folder: &Path, program: &Path) -> Option<Spec> {
    let prefix = Callgrind::find().ok()?.prefix(folder, Children::Left);
    Some(Spec::new(&prefix[0]).args(&prefix[1..]).arg(program))
}

/// The dumps of a worker that did `n` iterations between fences so many times; `None` without valgrind.
fn traced(case: &str, n: u64, times: usize) -> Option<Vec<Dump>> {
    let folder = tempfile::tempdir().unwrap();
    let spec = wrapped(folder.path(), program())?;
    let mut worker = Worker::of(&spec, case);
    (0..times).for_each(|_| drop(worker.sample(&Command::Trace(n))));
    worker.end();
    Some(read(folder.path()).unwrap())
}

#[test]
fn a_whole_programs_instructions_are_callgrinds_own_total() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("a %p b");
    std::fs::create_dir(&odd).unwrap();
    let (source, program) = (folder.path().join("p.rs"), folder.path().join("p"));
    let text = "#[inline(never)] fn twice(n: u64) -> u64 { (0..n).fold(0, |a, b| std::hint::black_box(a ^ b)) }
        fn main() { std::process::exit((twice(100_000) & 1) as i32) }";
    std::fs::write(&source, text).unwrap();
    let rustc = Spec::new("rustc").args(["-O", "-o"]).arg(&program).arg(&source);
    process::run(&rustc).unwrap().check("compiling").unwrap();
    let Some(spec) = wrapped(&odd, &program) else { return };
    process::run(&spec).unwrap().check("valgrind").unwrap();
    let dumps = read(&odd).unwrap();
    assert_eq!((dumps.len(), dumps[0].trigger.as_str()), (1, "Program termination"));
    let file = std::fs::read_dir(&odd).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(file).unwrap();
    let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().parse::<u64>().unwrap();
    assert_eq!((dumps[0].total, dumps[0].total), (line("totals:"), line("summary:")));
    let twice = dumps[0].functions["p::twice"];
    assert!((300_000..1_500_000).contains(&twice.own) && twice.inclusive == twice.own, "{twice:?}");
    assert!(dumps[0].functions["p::main"].inclusive >= twice.own);
}

#[test]
fn the_dump_between_a_workers_fences_holds_the_work_and_nothing_else() {
    let Some(dumps) = traced("work", 10, 2) else { return };
    let requested: Vec<&Dump> = dumps.iter().filter(|dump| dump.is_requested()).collect();
    assert_eq!((dumps.len(), requested.len()), (3, 2), "one per trace, and the end");
    assert_eq!(requested[0].total, requested[1].total, "the same work again");
    let (light, heavy) = (requested[0].functions["small::light"], requested[0].functions["small::heavy"]);
    assert!((2.9..3.1).contains(&(heavy.own as f64 / light.own as f64)), "{light:?} {heavy:?}");
    let around = requested[0].total - light.own - heavy.own;
    assert!(around < 1_000, "{around} instructions round ten iterations: {:?}", requested[0].functions);
    let twice = &traced("work", 20, 1).unwrap()[0];
    assert_eq!(twice.functions["small::light"].own, 2 * light.own);
}

#[test]
fn all_threads_count_and_recursion_counts_once() {
    let Some(dumps) = traced("threads", 5, 1) else { return };
    let (light, heavy) = (dumps[0].functions["small::light"], dumps[0].functions["small::heavy"]);
    assert!((2.9..3.1).contains(&(heavy.own as f64 / light.own as f64)), "{light:?} {heavy:?}");
    let dumps = traced("recursion", 5, 1).unwrap();
    let (even, total) = (dumps[0].functions["small::even"], dumps[0].total);
    assert!(even.inclusive <= total && even.inclusive as f64 > 0.9 * total as f64, "{even:?} of {total}");
    let (odd, light) = (dumps[0].functions["small::odd"], dumps[0].functions["small::light"]);
    assert!(even.inclusive == even.own + odd.own + light.own && odd.inclusive < even.inclusive, "{even:?} {odd:?}");
}
