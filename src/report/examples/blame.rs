//! Reasons of changes, and profiles, made up for tests.

use crate::samples::{FunctionShare, Profile, Run};
use crate::verdict::{Beside, Blame, Blamed, Judgement, Sampled, Verdict, Work};

use super::{EVIL, judgement, row, run};

fn beside(metric: &str, before: f64, after: f64) -> Beside {
    Beside { metric: metric.parse().unwrap(), before, after }
}

/// Why a row of `engine::book/hash` changed by 11.2 %: 120 ns in formatting, and 14 ns that nothing can be said of.
pub(crate) fn blame() -> Blame {
    let sampled = || Sampled {
        event: "cpu-clock".to_owned(),
        method: "dwarf".to_owned(),
        samples: 4_812,
        rooted: 4_809,
        notes: Vec::new(),
    };
    let function = |name: &str, change_ns: f64, half: f64, own, total| Blamed {
        name: name.to_owned(),
        own,
        total,
        change_ns,
        low_ns: change_ns - half,
        high_ns: change_ns + half,
    };
    Blame {
        case: "engine::book/hash".parse().unwrap(),
        part: None,
        pair: (1, 0),
        change_ns: 134.0,
        within: None,
        sampled: vec![sampled(), sampled()],
        functions: vec![
            function("core::fmt::write", 120.0, 10.0, (0.12, 0.213), (0.301, 0.384)),
            function("<engine::book::Book as core::fmt::Display>::fmt", 14.2, 21.0, (0.034, 0.038), (0.34, 0.42)),
        ],
        counters: vec![
            beside("wall", 1_196.0, 1_330.0),
            beside("instructions", 4_102.0, 4_566.0),
            beside("faults.minor", 12.0, 12.0),
            beside("alloc.count", 3.0, 4.0),
            beside("syscalls", 0.0, 2.0),
        ],
        work: Work::Differs,
    }
}

/// A run in which that row regressed.
pub(crate) fn blamed() -> (Run, Judgement) {
    let mut judgement = judgement(vec![row("engine::book/hash", Verdict::Regressed, 0.112, 0.008)]);
    judgement.blames = vec![blame()];
    (run(&[]), judgement)
}

/// A profile with two rounds per function.
pub(crate) fn profile(functions: &[(&str, [f64; 2], [f64; 2])]) -> Profile {
    let function = |(name, own, total): &(&str, [f64; 2], [f64; 2])| FunctionShare {
        name: (*name).to_owned(),
        own: own.to_vec(),
        total: total.to_vec(),
    };
    Profile {
        arm: 0,
        event: "cpu-clock".to_owned(),
        method: "dwarf".to_owned(),
        samples: 4_812,
        rooted: 4_809,
        lost: 0,
        notes: Vec::new(),
        functions: functions.iter().map(function).collect(),
    }
}

/// Whose every text is hostile.
pub(super) fn hostile() -> Blame {
    let mut blame = Blame { case: "w::a".parse().unwrap(), ..blame() };
    for side in &mut blame.sampled {
        (side.event, side.method, side.notes) = (EVIL.to_owned(), EVIL.to_owned(), vec![EVIL.to_owned()]);
    }
    blame.functions.iter_mut().for_each(|function| function.name = EVIL.to_owned());
    blame.functions[0].change_ns = f64::NAN;
    blame
}
