//! The file that speedscope reads, read as the format says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

fn written(profiles: &[(&str, &Folded)], counted: Counted) -> Value {
    serde_json::from_str(&json(profiles, counted)).unwrap()
}

/// Stacks and weights of one profile of a file.
fn read(file: &Value, at: usize) -> BTreeMap<String, u64> {
    let name = |index: &Value| {
        let index = usize::try_from(index.as_u64().unwrap()).unwrap();
        file["shared"]["frames"][index]["name"].as_str().unwrap().to_owned()
    };
    let profile = &file["profiles"][at];
    let stacks = profile["samples"].as_array().unwrap().iter();
    let names = stacks.map(|stack| stack.as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(";"));
    let weights = profile["weights"].as_array().unwrap();
    assert_eq!(names.len(), weights.len());
    names.zip(weights.iter().map(|weight| weight.as_u64().unwrap())).collect()
}

#[test]
fn every_profile_comes_back_with_frames_shared() {
    let before = Folded::parse("main;run;\"quoted\"</script> 3\nmain;run 4").unwrap();
    let after = Folded::parse("main;run;new 5").unwrap();
    let file = written(&[("before", &before), ("after", &after)], Counted::Samples);
    for (at, folded) in [&before, &after].into_iter().enumerate() {
        assert_eq!(read(&file, at).iter().map(|(stack, count)| (stack, *count)).collect::<Folded>(), *folded);
        assert_eq!(file["profiles"][at]["endValue"], folded.total());
        assert_eq!(file["profiles"][at]["startValue"], 0);
        assert_eq!(file["profiles"][at]["type"], "sampled");
        assert_eq!(file["profiles"][at]["unit"], "none");
    }
    assert_eq!(file["shared"]["frames"].as_array().unwrap().len(), 4);
    assert_eq!(file["profiles"][1]["name"], "after (samples)");
    assert_eq!(file["$schema"], SCHEMA);
    assert_eq!(file["name"], "before, after");
}

#[test]
fn bytes_have_their_unit_and_no_profile_is_a_file_too() {
    let folded = Folded::parse("main;alloc 4096").unwrap();
    assert_eq!(written(&[("heap", &folded)], Counted::Bytes)["profiles"][0]["unit"], "bytes");
    assert_eq!(written(&[], Counted::Bytes)["profiles"].as_array().unwrap().len(), 0);
}
