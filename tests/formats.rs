//! Files that older versions wrote keep loading. One fixture per format; a new format adds one and changes none.

use std::path::Path;

use perfplan::{store, verdict};

#[test]
fn a_run_of_format_1_is_loaded_and_judged() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/run-format-1.json");
    let run = store::read_run(&path).unwrap();
    assert_eq!((run.format, run.measurements.len()), (1, 1));
    let judgement = verdict::judge(&run);
    assert_eq!(judgement.rows.len(), 1);
    assert_eq!(judgement.rows[0].rounds, 10);
}
