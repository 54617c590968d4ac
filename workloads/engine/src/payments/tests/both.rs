//! What a request is answered, whichever implementation answers.

use perfplan_harness::contract;

use super::super::cases;
use super::super::rules::{LARGEST_AMOUNT, LONGEST_KEY, LONGEST_REFERENCE};
use super::super::traffic::{self, Traffic};
use super::*;
use crate::tape::Random;

/// The payment with one piece of its text replaced.
fn with(piece: &str, other: &str) -> String {
    assert!(PAYMENT.contains(piece), "{piece}");
    PAYMENT.replace(piece, other)
}

fn error(code: &str) -> String {
    format!(r#"{{"error":"{code}"}}"#)
}

#[test]
fn a_payment_moves_its_amount_once_and_is_answered_with_a_receipt() {
    for (name, mut payments) in each() {
        assert_eq!(pay(&mut *payments, "a", PAYMENT), (201, RECEIPT.to_owned()), "{name}");
        assert_eq!(statement(&*payments, "acct-000085"), (200, PAID.to_owned()), "{name}");
        assert!(statement(&*payments, "acct-000090").1.contains("1000000001250"), "{name}");
        assert_eq!(payments.sum(), 0, "{name}");
    }
}

#[test]
fn what_is_wrong_with_a_payment_is_told_and_nothing_is_booked() {
    let long = "x".repeat(LONGEST_REFERENCE + 1);
    let cases = [
        (with("}", ""), 400, "malformed_json"),
        (String::new(), 400, "malformed_json"),
        (with("rent", "\u{1}"), 400, "malformed_json"),
        (with(r#""amount":1250,"#, ""), 422, "not_a_payment"),
        (with("1250", r#""1250""#), 422, "not_a_payment"),
        (with("1250", "12.5"), 422, "not_a_payment"),
        (with("reference", "note"), 422, "not_a_payment"),
        (with("1250", "0"), 422, "invalid_amount"),
        (with("1250", "-1"), 422, "invalid_amount"),
        (with("1250", &(LARGEST_AMOUNT + 1).to_string()), 422, "invalid_amount"),
        (with("acct-000090", "acct-000085"), 422, "same_account"),
        (with("rent", &long), 422, "reference_too_long"),
        (with("EUR", "XAU"), 422, "unknown_currency"),
        (with("EUR", "USD"), 422, "currency_mismatch"),
        (with("acct-000090", "acct-000086"), 422, "currency_mismatch"),
        (with("acct-000085", "acct-000086"), 422, "currency_mismatch"),
        (with("acct-000085", "nobody"), 422, "unknown_account"),
        (with("acct-000090", "nobody"), 422, "unknown_account"),
        (with("acct-000085", "acct-000000"), 402, "insufficient_funds"),
        (with("acct-000085", "world-EUR"), 402, "insufficient_funds"),
    ];
    for (name, mut payments) in each() {
        for (number, (body, status, code)) in cases.iter().enumerate() {
            let key = format!("key-{number}");
            assert_eq!(pay(&mut *payments, &key, body), (*status, error(code)), "{name}: {body}");
        }
        assert_eq!(ledger(&*payments), ledger(&*each()[0].1), "{name}");
    }
}

#[test]
fn a_body_that_is_no_utf_8_is_no_json() {
    for (name, mut payments) in each() {
        let mut answer = Answer::default();
        payments.pay(Some(b"a"), b"{\"from\":\"\xff\"}", &mut answer);
        assert_eq!((answer.status, answer.body), (400, error("malformed_json").into_bytes()), "{name}");
    }
}

#[test]
fn a_key_is_asked_for_and_has_to_be_a_short_word() {
    for (name, mut payments) in each() {
        let mut answer = Answer::default();
        payments.pay(None, PAYMENT.as_bytes(), &mut answer);
        assert_eq!((answer.status, answer.body), (400, error("missing_idempotency_key").into_bytes()), "{name}");
        for key in ["", "a b", "käse", &"k".repeat(LONGEST_KEY + 1)] {
            let said = pay(&mut *payments, key, PAYMENT);
            assert_eq!(said, (400, error("invalid_idempotency_key")), "{name}: {key:?}");
        }
        assert_eq!(pay(&mut *payments, &"k".repeat(LONGEST_KEY), PAYMENT).0, 201, "{name}");
    }
}

#[test]
fn a_key_that_came_before_gets_the_same_answer_and_books_nothing_more() {
    let poor = with("acct-000085", "acct-000080");
    for (name, mut payments) in each() {
        for _ in 0..3 {
            assert_eq!(pay(&mut *payments, "a", PAYMENT), (201, RECEIPT.to_owned()), "{name}");
            assert_eq!(pay(&mut *payments, "b", &poor), (402, error("insufficient_funds")), "{name}");
        }
        let other = with("1250", "1251");
        assert_eq!(pay(&mut *payments, "a", &other), (409, error("idempotency_key_reused")), "{name}");
        assert_eq!(statement(&*payments, "acct-000085").1, PAID, "{name}");
        // Money has come since, but the key stands for what was answered.
        assert_eq!(pay(&mut *payments, "c", &with("acct-000090", "acct-000080")).0, 201, "{name}");
        assert_eq!(pay(&mut *payments, "b", &poor).0, 402, "{name}");
        assert_eq!(pay(&mut *payments, "d", &poor).0, 201, "{name}");
    }
}

#[test]
fn a_refusal_is_not_kept_so_that_the_client_may_correct_itself() {
    for (name, mut payments) in each() {
        assert_eq!(pay(&mut *payments, "a", &with("1250", "0")).0, 422, "{name}");
        assert_eq!(pay(&mut *payments, "a", &with("}", "")).0, 400, "{name}");
        assert_eq!(pay(&mut *payments, "a", PAYMENT).0, 201, "{name}");
    }
}

#[test]
fn keys_are_forgotten_by_count_the_oldest_first() {
    for (name, mut payments) in each() {
        for number in 0..=KEYS {
            assert_eq!(pay(&mut *payments, &format!("key-{number}"), PAYMENT).0, 201, "{name}");
        }
        let other = with("1250", "1");
        assert_eq!(pay(&mut *payments, "key-1", &other).0, 409, "{name}: the second is known");
        assert_eq!(pay(&mut *payments, "key-0", &other).0, 201, "{name}: the first is not");
        assert_eq!(pay(&mut *payments, "key-1", &other).0, 201, "{name}: it made room for that");
        assert_eq!(pay(&mut *payments, "key-3", &other).0, 409, "{name}");
    }
}

#[test]
fn escapes_in_text_are_understood_and_written_again() {
    let body = with("rent", r#"\u0022caf\u00e9\u0022 \ud83c\udf75 \n"#).replace("acct-000085", r"acct-\u003000085");
    let receipt = RECEIPT.replace("rent", "\\\"café\\\" 🍵 \\n");
    for (name, mut payments) in each() {
        assert_eq!(pay(&mut *payments, "a", &body), (201, receipt.clone()), "{name}");
    }
}

#[test]
fn an_account_that_is_not_there_is_not_found() {
    for (name, payments) in each() {
        assert_eq!(statement(&*payments, "acct-999999"), (404, error("no_such_account")), "{name}");
    }
}

/// The statements of all accounts.
fn ledger(payments: &dyn Payments) -> Vec<(u16, String)> {
    accounts().iter().map(|opened| statement(payments, &opened.id)).collect()
}

/// A request that may be anything: from the traffic, a repetition, another body to a known key, damaged, or poor ones' money.
fn anything(random: &mut Random, traffic: &Traffic) -> (Vec<u8>, Vec<u8>) {
    let position = u64::from(random.below(400));
    let sent = traffic.request_in_order(u64::from(random.below(3)), position);
    let (mut key, mut body) = (traffic::key(sent.key).to_vec(), sent.body.as_bytes().to_vec());
    match random.below(12) {
        0 if !body.is_empty() => {
            let at = random.below(body.len() as u32) as usize;
            body[at] = random.below(256) as u8;
        }
        1 => body.truncate(random.below(body.len() as u32 + 1) as usize),
        2 => key.truncate(random.below(3) as usize),
        3 => body = PAYMENT.replace("acct-000090", &opening::id(random.below(20) as usize * 5)).into_bytes(),
        4 => body = PAYMENT.replace("acct-000085", &opening::id(random.below(20) as usize * 5)).into_bytes(),
        _ => {}
    }
    (key, body)
}

#[test]
fn any_sequence_of_requests_has_equal_answers_and_leaves_equal_ledgers() {
    for seed in 0..20 {
        let traffic = Traffic::record(512, ACCOUNTS, seed);
        let mut random = Random::seeded(seed);
        let [(_, mut before), (_, mut after)] = each();
        let (mut expected, mut answer) = (Answer::default(), Answer::default());
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let (key, body) = anything(&mut random, &traffic);
            before.pay(Some(&key), &body, &mut expected);
            after.pay(Some(&key), &body, &mut answer);
            assert_eq!(answer, expected, "{} to {}", String::from_utf8_lossy(&body), String::from_utf8_lossy(&key));
            seen.insert(answer.status);
        }
        assert_eq!(ledger(&*after), ledger(&*before), "seed {seed}");
        assert_eq!((before.sum(), after.sum()), (0, 0), "seed {seed}");
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [201, 400, 402, 409, 422], "seed {seed}");
    }
}

#[test]
fn the_handlers_give_equal_results() {
    contract::results_are_equal(cases::handle_before, cases::handle_after);
}

#[test]
fn an_iteration_depends_on_its_index_alone() {
    contract::results_depend_on_the_index_alone(cases::handle_before);
    contract::results_depend_on_the_index_alone(cases::handle_after);
}

#[test]
fn four_in_five_of_the_traffic_are_booked_and_every_kind_of_answer_occurs() {
    let traffic = Traffic::record(4_096, ACCOUNTS, 17);
    let (_, mut payments) = each().into_iter().next().unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for position in 0..4_000 {
        let sent = traffic.request_in_order(0, position);
        let key = String::from_utf8(traffic::key(sent.key).to_vec()).unwrap();
        *counts.entry(pay(&mut *payments, &key, sent.body).0).or_insert(0) += 1;
    }
    assert!((3_000..3_400).contains(&counts[&201]), "{counts:?}");
    for status in [400, 402, 409, 422] {
        assert!(counts[&status] >= 50, "{counts:?}");
    }
}
