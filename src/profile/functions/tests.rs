//! Shares by hand count.

use super::*;

/// 10 samples: `parse` itself 5, `run` itself 2 (once below itself), `alloc` 2, one stack unknown.
const ROUND: &str = "main;run;parse 4\nmain;run;run 2\nmain;run;parse;alloc 2\nworker;parse 1\nmain 1\n";

fn folded(text: &str) -> Folded {
    Folded::parse(text).unwrap()
}

fn named<'a>(functions: &'a [FunctionShare], name: &str) -> &'a FunctionShare {
    functions.iter().find(|function| function.name == name).unwrap()
}

fn names(functions: &[FunctionShare]) -> Vec<&str> {
    functions.iter().map(|function| function.name.as_str()).collect()
}

#[test]
fn own_and_total_shares_are_as_counted_by_hand() {
    let round = folded(ROUND);
    let of = |name: &'static str| share(&round, &move |other| other == name).unwrap();
    assert_eq!(of("parse"), Shares { own: 0.5, total: 0.7 });
    assert_eq!(of("run"), Shares { own: 0.2, total: 0.8 }, "recursion counts once");
    assert_eq!(of("main"), Shares { own: 0.0, total: 0.0 }, "a thread is no function");
    assert_eq!(share(&round, &|_| true).unwrap(), Shares { own: 0.9, total: 0.9 });
    assert_eq!(share(&Folded::default(), &|_| true), None);
}

#[test]
fn functions_together_share_a_stack_once() {
    let both = share(&folded(ROUND), &|name| name == "parse" || name == "alloc").unwrap();
    assert_eq!(both, Shares { own: 0.7, total: 0.7 });
}

#[test]
fn every_share_of_the_list_is_what_asking_for_the_function_says() {
    let rounds = [folded(ROUND), folded("main;run;parse 1\nmain;sort 3")];
    let functions = top(&rounds, 100);
    assert_eq!(functions.len(), 4);
    for function in &functions {
        for (at, round) in rounds.iter().enumerate() {
            let alone = share(round, &|name| name == function.name).unwrap();
            assert_eq!((function.own[at], function.total[at]), (alone.own, alone.total), "{}", function.name);
        }
    }
}

#[test]
fn the_functions_that_matter_come_first_and_absent_ones_read_0() {
    let rounds = [folded("main;run;parse 9\nmain;run;late 1"), folded("main;run;parse 10"), Folded::default()];
    let functions = top(&rounds, 2);
    assert_eq!(names(&functions), ["parse", "run"], "one is at work itself, the other causes it");
    assert_eq!(named(&functions, "parse").own, [0.9, 1.0], "the round without stacks is left out");
    assert_eq!(named(&top(&rounds, 3), "late").own, [0.1, 0.0]);
    assert!(top(&[], 5).is_empty());
    assert!(top(&rounds, 0).is_empty());
}

#[test]
fn a_pair_lists_the_same_functions_by_their_difference() {
    let before = [folded("main;run;parse 50\nmain;run;slow 40\nmain;run;same 10")];
    let after =
        [folded("main;run;parse 80\nmain;run;fresh 10\nmain;run;same 10"), folded("main;run;parse 9\nmain;run;same 1")];
    let (was, is) = of_pair((&before, 1.0), (&after, 1.0), 3);
    assert_eq!(names(&was), ["slow", "parse", "fresh"]);
    assert_eq!(names(&was), names(&is));
    assert_eq!((&named(&was, "slow").own, &named(&is, "slow").own), (&vec![0.4], &vec![0.0, 0.0]));
    assert_eq!((&named(&was, "fresh").own, &named(&is, "fresh").own), (&vec![0.0], &vec![0.1, 0.0]));
    assert_eq!(
        names(&of_pair((&before, 1.0), (&[], 1.0), 2).0),
        ["parse", "run"],
        "against nothing, all of it is a difference"
    );
    assert_eq!(of_pair((&[], 1.0), (&[], 1.0), 5), (vec![], vec![]));
}

#[test]
fn where_a_program_does_more_of_everything_weights_tell_what_grew_most() {
    let same = [folded("main;sort 9\nmain;parse 1")];
    assert_eq!(names(&of_pair((&same, 100.0), (&same, 130.0), 2).0), ["sort", "parse"]);
    assert_eq!(
        names(&of_pair((&same, 100.0), (&same, 100.0), 2).0),
        ["parse", "sort"],
        "by name where nothing differs"
    );
}

#[test]
fn the_way_from_main_downwards_does_not_take_all_the_room() {
    let deep = "main;start;lang;call;main::main;run;case;";
    let functions = top(&[folded(&format!("{deep}parse 5\n{deep}sort 3\n{deep}hash 2"))], 6);
    assert_eq!(names(&functions), ["parse", "call", "sort", "case", "hash", "lang"]);
}

#[test]
fn equal_functions_are_in_the_order_of_their_names() {
    let functions = top(&[folded("main;b 1\nmain;a 1\nmain;c 1")], 3);
    assert_eq!(names(&functions), ["a", "b", "c"]);
}
