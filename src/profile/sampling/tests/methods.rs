//! Each way to take stacks, and when they are taken.

use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use super::super::{Method, Options, Refused, Sampler};
use super::running::{Running, assert_rooted, built, command, forced, permitted, sampled, share, told};
use crate::process::find_program;
use crate::profile::symbols::Symbols;

#[test]
fn frame_pointers_are_followed_where_a_program_has_them() {
    let (_folder, program) = built(&["-g", "-Cforce-frame-pointers=yes"]);
    let Some(found) = sampled(&program, "deep", &forced(Method::FramePointers)) else { return };
    assert_eq!(found.method, Method::FramePointers);
    assert!(share(&found, &["work::main", "work::deep", "work::deep"]) > 0.9, "{}", told(&found));
    assert!(found.rooted as f64 > 0.9 * found.samples as f64, "{}", told(&found));
}

#[test]
fn perf_record_sees_the_same() {
    if find_program("perf").is_none() {
        return;
    }
    let (_folder, program) = built(&["-g"]);
    if sampled(&program, "libc", &Options::default()).is_none() {
        return;
    }
    let found = sampled(&program, "libc", &forced(Method::PerfProgram)).unwrap();
    assert_eq!(found.method, Method::PerfProgram);
    assert_rooted(&found);
    assert!(share(&found, &["work::main", "work::sort_by_libc", "work::compare"]) > 0.02, "{}", told(&found));
}

#[test]
fn the_best_method_comes_with_its_notes() {
    let (_folder, program) = built(&["-g"]);
    let Some(found) = sampled(&program, "split", &Options::default()) else { return };
    assert!(found.method == Method::Dwarf || !found.notes.is_empty());
    assert_eq!(found.event == "cpu-clock", found.notes.iter().any(|note| note.contains("timer")));
    assert!(found.duration >= Duration::from_millis(600) && found.duration < Duration::from_secs(5));
}

#[test]
fn time_in_the_kernel_is_marked_and_can_be_left_out() {
    let (_folder, program) = built(&["-g"]);
    let Some(found) = sampled(&program, "system", &Options::default()) else { return };
    assert_rooted(&found);
    if found.notes.iter().any(|note| note.contains("time in the kernel is not seen")) {
        return;
    }
    let inside = |line: &String| line.rsplit(';').next().unwrap().ends_with("_[k]");
    assert!(found.stacks.keys().any(inside), "{}", told(&found));
    let without = sampled(&program, "system", &Options { kernel: false, ..Options::default() }).unwrap();
    assert!(!without.stacks.keys().any(inside), "{}", told(&without));
}

#[test]
fn nothing_is_sampled_while_it_is_switched_off() {
    let (_folder, program) = built(&["-g"]);
    let running = Running::start(&program, "split");
    let Some(mut sampler) = permitted(Sampler::attach(running.0.id(), &Options::default())) else { return };
    thread::sleep(Duration::from_millis(300));
    for _ in 0..2 {
        sampler.start().unwrap();
        thread::sleep(Duration::from_millis(50));
        sampler.stop().unwrap();
        thread::sleep(Duration::from_millis(300));
    }
    let found = sampler.finish(&mut Symbols::new()).unwrap();
    let most = found.duration.as_secs_f64() * 1997.0 * 1.2 + 20.0;
    assert!(found.samples > 0 && (found.samples as f64) < most, "{} of {most}", found.samples);
}

/// A shell that waits for a line and then becomes the program.
fn waiting_shell(program: &std::path::Path) -> Running {
    let script = format!("read go; exec {} split", program.display());
    Running(command("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap())
}

fn sampled_from_exec(options: &Options) {
    let (_folder, program) = built(&["-g"]);
    let mut shell = waiting_shell(&program);
    thread::sleep(Duration::from_millis(100));
    let options = Options { on_exec: true, ..options.clone() };
    let Some(mut sampler) = permitted(Sampler::attach(shell.0.id(), &options)) else { return };
    shell.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
    thread::sleep(Duration::from_millis(600));
    sampler.stop().unwrap();
    let found = sampler.finish(&mut Symbols::new()).unwrap();
    assert!(found.samples > 50, "{}", told(&found));
    assert!(share(&found, &["work", "work::main", "work::turn"]) > 0.9, "{}", told(&found));
    assert!(!found.stacks.keys().any(|line| line.starts_with("sh;")), "{}", told(&found));
}

#[test]
fn sampling_can_begin_when_a_program_is_executed() {
    sampled_from_exec(&Options::default());
}

#[test]
fn perf_record_can_begin_when_a_program_is_executed() {
    let probe = Running::start("/bin/sleep".as_ref(), "5");
    let may = find_program("perf").is_some() && Sampler::attach(probe.0.id(), &forced(Method::PerfProgram)).is_ok();
    if may {
        sampled_from_exec(&forced(Method::PerfProgram));
    }
}

#[test]
fn threads_that_start_later_are_sampled_too() {
    let (_folder, program) = built(&["-g"]);
    let script = format!("read go; exec {} threads", program.display());
    let mut shell = Running(command("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap());
    thread::sleep(Duration::from_millis(100));
    let options = Options { on_exec: true, ..Options::default() };
    let Some(sampler) = permitted(Sampler::attach(shell.0.id(), &options)) else { return };
    shell.0.stdin.take().unwrap().write_all(b"go\n").unwrap();
    thread::sleep(Duration::from_millis(600));
    let found = sampler.finish(&mut Symbols::new()).unwrap();
    for (thread, function) in [("sorter-1", "work::first_work"), ("sorter-2", "work::second_work")] {
        assert!(share(&found, &[thread, function]) > 0.1, "{}", told(&found));
    }
}

#[test]
fn a_process_that_has_ended_is_no_reason_to_lose_its_samples() {
    let (_folder, program) = built(&["-g"]);
    let running = Running::start(&program, "split");
    let Some(mut sampler) = permitted(Sampler::attach(running.0.id(), &Options::default())) else { return };
    sampler.start().unwrap();
    thread::sleep(Duration::from_millis(300));
    drop(running);
    let found = sampler.finish(&mut Symbols::new()).unwrap();
    assert!(share(&found, &["work::main", "work::turn"]) > 0.9, "{}", told(&found));
}

#[test]
fn a_process_that_does_not_exist_is_an_error_that_says_so() {
    let error = Sampler::attach(u32::MAX >> 1, &Options::default()).unwrap_err();
    assert!(format!("{error:#}").contains("there is no process"), "{error:#}");
}

#[test]
fn a_process_that_has_ended_and_is_not_yet_reaped_is_an_error_that_says_so() {
    let mut running = Running::start("/bin/true".as_ref(), "");
    let refused = Sampler::attach(running.0.id(), &Options::default());
    if let Err(error) = &refused
        && !error.is::<Refused>()
    {
        assert!(format!("{error:#}").contains("has ended"), "{error:#}");
    }
    running.0.wait().unwrap();
    assert!(refused.is_err());
}
