//! The filter held to its words, and to never panicking.

use super::*;
use proptest::prelude::*;

const COLUMNS: &[&str] = &["HEALTH", "SERVICE", "RUN/WANT", "CPU%", "IMAGE TAG", "AGE"];

fn cells(name: &str) -> Option<String> {
    let cell = match name {
        "HEALTH" => "✖ FAIL",
        "SERVICE" => "checkout",
        "RUN/WANT" => "5/6",
        "CPU%" => "64",
        "IMAGE TAG" => "3f9ac1e",
        "AGE" => "9m02s",
        _ => return None,
    };
    Some(cell.to_owned())
}

fn keeps(filter: &str) -> bool {
    let query = Query::parse(filter, COLUMNS).unwrap_or_else(|error| panic!("{filter}: {error}"));
    query.matches("checkout payments-prod checkout:412", &cells)
}

#[test]
fn the_terms_keep_what_they_say() {
    for filter in [
        "",
        "check",
        "chkt",
        "check prod",
        "re:^check.*412$",
        "\"checkout pay\"",
        "service:check",
        "serv:CHECK !x",
        "image:3f9",
        "imagetag:re:^3f",
        "age<10m",
        "age>=9m02s",
        "cpu>50",
        "cpu<=64",
        "run=5/6",
        "runwant>4",
        "!ledger",
        "!age>10m",
        "health:fail",
        "checkout:412",
        "!10.2.1.14:8080",
    ] {
        assert_eq!(keeps(filter), filter != "serv:CHECK !x", "{filter}");
    }
    for filter in
        ["ledger", "!check", "check ledger", "re:^pay", "Check", "age>10m", "cpu<50", "service:pay", "run=6/6", "zqx", "\"out  pay\""]
    {
        assert!(!keeps(filter), "{filter}");
    }
}

#[test]
fn a_term_that_is_being_typed_keeps_everything() {
    for filter in ["!", "re:", "!re:", "age<", "age<=", "service:", "\"", "service=", "  "] {
        assert!(keeps(filter), "{filter}");
    }
}

#[test]
fn letters_scattered_far_apart_are_an_accident() {
    let query = Query::parse("prod", &[]).expect("a filter");
    assert!(query.matches("payments-prod", &|_| None));
    assert!(!query.matches("pricing worker for orders and deliveries", &|_| None));
    for part in ["s", "ed", "r-a"] {
        assert!(Query::parse(part, &[]).is_ok_and(|query| query.matches("ledger-apis", &|_| None)), "{part}");
    }
    let abbreviation = Query::parse("lapi", &[]).expect("a filter");
    assert!(abbreviation.matches("ledger-api", &|_| None));
}

#[test]
fn what_cannot_be_read_is_said_in_one_line() {
    for (filter, wanted) in [
        ("re:(", "not a regular expression: unclosed group"),
        ("age<soon", "AGE< wants a number or a time, such as 80, 10m or 2d"),
        ("helth:fail", "no column \"helth\": did you mean \"health\"?"),
        ("memory>5", "no column \"memory\"; known are health, service, run, cpu, image, age"),
    ] {
        assert_eq!(Query::parse(filter, COLUMNS).map(|_| ()), Err(wanted.to_owned()));
    }
    let huge = format!("re:{}", "(a{1000}){1000}");
    assert!(Query::parse(&huge, &[]).is_err_and(|error| !error.contains('\n')));
}

#[test]
fn the_best_match_scores_highest() {
    let query = Query::parse("check", &[]).expect("a filter");
    let score = |text| query.score(text);
    assert!(score("service checkout") > score("service c-h-e-c-k"));
    assert_eq!(score("service ledger"), None);
    assert_eq!(Query::default().score("anything"), Some(0));
    assert_eq!(Query::parse("!check", &[]).ok().and_then(|query| query.score("checkout")), None);
}

proptest! {
    #[test]
    fn no_text_makes_the_filter_panic(filter in "\\PC{0,40}", text in "\\PC{0,80}") {
        if let Ok(query) = Query::parse(&filter, COLUMNS) {
            let _ = query.matches(&text, &|_| Some(text.clone()));
            let _ = query.score(&text);
        }
    }

    #[test]
    fn made_of_its_own_signs_it_does_not_panic_either(filter in "(re:|!|\"|age|cpu|<|>|=|:| |[a-z(\\[*]|9m|é){0,20}") {
        if let Ok(query) = Query::parse(&filter, COLUMNS) {
            let _ = query.matches("checkout payments-prod", &cells);
        }
    }

    #[test]
    fn a_part_of_a_text_is_found_in_it(text in "[a-z-]{4,30}", from in 0..3usize) {
        let part = &text[from..];
        let query = Query::parse(&format!("\"{part}\" {part}"), &[]).expect("a filter");
        prop_assert!(query.matches(&text, &|_| None) || part.starts_with('!'));
    }
}
