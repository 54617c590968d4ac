//! What is encoded is decoded again, and its numbers all lead somewhere.

use std::io::Read;

use flate2::read::GzDecoder;

use super::*;

const CPU: Options<'_> = Options {
    sample_type: "samples",
    unit: "count",
    period: Some(Period { kind: "cpu", unit: "nanoseconds", every: 1_000_000 }),
    duration: Some(Duration::from_secs(2)),
};

const STACKS: &str = "main;run;parse 3\nmain;run 4\nworker;run;parse 5\nidle 1\n";

fn decoded(bytes: &[u8]) -> Profile {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    Profile::decode(plain.as_slice()).unwrap()
}

fn text(profile: &Profile, index: i64) -> &str {
    &profile.string_table[usize::try_from(index).unwrap()]
}

/// The stacks of a profile as folded lines again, by one of its values.
fn folded(profile: &Profile, value: usize) -> Folded {
    let name = |id: &u64| {
        let location = profile.location.iter().find(|location| location.id == *id).unwrap();
        let function = profile.function.iter().find(|function| function.id == location.line[0].function_id).unwrap();
        text(profile, function.name)
    };
    let mut folded = Folded::default();
    for sample in &profile.sample {
        let [label] = sample.label.as_slice() else { panic!("{sample:?}") };
        assert_eq!(text(profile, label.key), "thread");
        let frames = [text(profile, label.str)].into_iter().chain(sample.location_id.iter().rev().map(name));
        folded.add(frames, u64::try_from(sample.value[value]).unwrap());
    }
    folded
}

#[test]
fn stacks_come_back_with_their_threads_counts_and_times() {
    let stacks = Folded::parse(STACKS).unwrap();
    let profile = decoded(&gz(&stacks, &CPU).unwrap());
    assert_eq!(folded(&profile, 0), stacks);
    let times = stacks.stacks().map(|stack| (stack.folded(), stack.count * 1_000_000)).collect::<Folded>();
    assert_eq!(folded(&profile, 1), times);
    assert_eq!((profile.function.len(), profile.location.len(), profile.sample.len()), (2, 2, 4));
}

#[test]
fn types_and_period_are_named() {
    let profile = decoded(&gz(&Folded::parse(STACKS).unwrap(), &CPU).unwrap());
    let named = |of: &ValueType| (text(&profile, of.r#type).to_owned(), text(&profile, of.unit).to_owned());
    let types: Vec<_> = profile.sample_type.iter().map(named).collect();
    let expected =
        [("samples", "count"), ("cpu", "nanoseconds")].map(|(kind, unit)| (kind.to_owned(), unit.to_owned()));
    assert_eq!(types, expected);
    assert_eq!(profile.period_type.as_ref().map(named), Some(expected[1].clone()));
    assert_eq!((profile.period, profile.duration_nanos), (1_000_000, 2_000_000_000));
    assert_eq!(text(&profile, profile.default_sample_type), "cpu");
}

#[test]
fn the_first_text_is_empty_and_none_stands_twice() {
    let profile = decoded(&gz(&Folded::parse("thread;count;samples;count 3").unwrap(), &CPU).unwrap());
    assert_eq!(profile.string_table[0], "");
    let distinct: std::collections::BTreeSet<&String> = profile.string_table.iter().collect();
    assert_eq!(distinct.len(), profile.string_table.len());
}

/// The numbers of the fields of a message, and what the fields of a length hold, read without knowing the message.
fn fields(mut bytes: &[u8]) -> Vec<(u32, &[u8])> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (tag, wire) = prost::encoding::decode_key(&mut bytes).unwrap();
        let number = prost::encoding::decode_varint(&mut bytes).unwrap();
        let length = if wire == prost::encoding::WireType::LengthDelimited { number } else { 0 };
        let (held, rest) = bytes.split_at(usize::try_from(length).unwrap());
        found.push((tag, held));
        bytes = rest;
    }
    found
}

#[test]
fn fields_have_the_numbers_of_profile_proto() {
    let bytes = profile(&Folded::parse("main;run 4").unwrap(), &CPU).encode_to_vec();
    let all = fields(&bytes);
    let tags = |of: &[(u32, &[u8])]| of.iter().map(|(tag, _)| *tag).collect::<Vec<_>>();
    assert_eq!(tags(&all), [&[1, 1, 2, 4, 5][..], &[6; 8], &[10, 11, 12, 14]].concat());
    let inside = |tag: u32| fields(all.iter().find(|(found, _)| *found == tag).unwrap().1);
    assert_eq!(tags(&inside(1)), [1, 2], "type and unit");
    assert_eq!(tags(&inside(2)), [1, 2, 3], "locations, values, labels");
    assert_eq!(tags(&fields(inside(2)[2].1)), [1, 2], "key and text");
    assert_eq!(tags(&inside(4)), [1, 4], "number and lines");
    assert_eq!(tags(&fields(inside(4)[1].1)), [1], "function");
    assert_eq!(tags(&inside(5)), [1, 2, 3], "number, name, name of the system");
}

#[test]
fn bytes_need_no_period_and_equal_profiles_are_equal_files() {
    let heap = Options { sample_type: "alloc_space", unit: "bytes", period: None, duration: None };
    let stacks = Folded::parse("main;alloc 4096").unwrap();
    let bytes = gz(&stacks, &heap).unwrap();
    assert_eq!(bytes, gz(&stacks, &heap).unwrap());
    let profile = decoded(&bytes);
    assert_eq!(profile.sample[0].value, [4096]);
    assert_eq!((profile.sample_type.len(), profile.period_type, profile.period), (1, None, 0));
    assert!(decoded(&gz(&Folded::default(), &heap).unwrap()).sample.is_empty());
}
