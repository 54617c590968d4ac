//! The picture, the JSON, and what holds for every format.

use super::super::examples::*;
use super::super::{REPORT_FORMAT, Style, View, forest, json, markdown, performance_summary, terminal};
use crate::verdict::{Row, Verdict};

#[test]
fn no_name_can_move_the_cursor_or_turn_the_text() {
    let (run, judgement) = hostile();
    let view = View::of(&run, &judgement).differing(vec![("\u{1b}[2J".into(), "\u{202e}".into(), "\u{7}\n".into())]);
    let summary = performance_summary(&[(&run, &judgement)]);
    for text in [terminal(&view, Style { colour: false, width: 100 }), markdown(&view), forest(&view).unwrap(), summary]
    {
        let odd: Vec<char> =
            text.chars().filter(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c)).collect();
        assert!(odd.is_empty(), "{odd:?}");
    }
    assert!(!json(&run, &judgement).chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn scripts_get_counts_rows_and_machine_without_samples() {
    let mut run = run(&["w::a"]);
    run.measurements = vec![measured("w::a", 1, &[&[5.0]])];
    let mut rows = calm_rows();
    rows.push(Row { p: f64::NAN, ..row("w::a", Verdict::Regressed, 0.02, 0.01) });
    let text = json(&run, &judgement(rows));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["format"], REPORT_FORMAT);
    assert_eq!(
        (&value["counts"]["rows"], &value["counts"]["regressed"], &value["counts"]["tolerated"]),
        (&4.into(), &1.into(), &1.into())
    );
    assert_eq!(value["judgement"]["rows"][3]["verdict"], "regressed");
    assert_eq!(value["judgement"]["rows"][3]["p"], serde_json::Value::Null);
    assert_eq!(value["environment"]["fingerprint"]["cpu.model"], "AMD EPYC 7B13");
    assert!(!text.contains("batches") && text.ends_with("}\n"));
}

#[test]
fn the_picture_is_xml_with_a_mark_per_row_and_names_as_text() {
    let (run, judgement) = hostile();
    let picture = forest(&View::of(&run, &judgement)).unwrap();
    let document = roxmltree::Document::parse(&picture).unwrap();
    assert!(document.descendants().all(|node| !node.has_tag_name("script")));
    let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).map(str::trim).collect();
    for name in ["w::a", "w::b", "w::c", "same code", "+3.00 %", "regressed", "unchanged (same code)", "tolerance"] {
        assert!(texts.contains(&name), "{name} in {texts:?}");
    }
}

#[test]
fn the_picture_grows_with_its_rows_and_survives_numbers_that_are_none() {
    let height = |rows: Vec<Row>| {
        let picture = forest(&View::of(&run(&[]), &judgement(rows))).unwrap();
        let document = roxmltree::Document::parse(&picture).unwrap();
        document.root_element().attribute("height").unwrap().parse::<i32>().unwrap()
    };
    let wild = row("w::wild", Verdict::Undecided, f64::NAN, f64::INFINITY);
    assert_eq!(height(calm_rows()) - height(vec![wild]), 44);
    assert!(height(Vec::new()) > 0);
}
