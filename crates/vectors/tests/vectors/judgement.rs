//! The vectors on this project's library, and what becomes of them when they are wrong.

use omemo_vectors::{
    Case, Deviations, Expected, Judge, Ours, Outcome, Reasons, VectorFile, run_case,
};
use serde_json::Value;

use crate::common::committed;

fn outcome(name: &str, file: &VectorFile, case: &Case, reasons: Reasons) -> Outcome {
    let judge = Judge {
        reasons,
        deviations: Deviations::default(),
    };
    run_case(&mut Ours::new(), (name, file), case, &judge).unwrap()
}

fn fails(name: &str, file: &VectorFile, case: &Case, reasons: Reasons) -> bool {
    matches!(outcome(name, file, case, reasons), Outcome::Failed { .. })
}

#[test]
fn this_library_does_all_of_it_with_the_very_reasons() {
    for (name, file) in committed() {
        for case in &file.cases {
            let found = outcome(&name, &file, case, Reasons::Exact);
            assert_eq!(found, Outcome::Passed, "{name}/{}", case.id);
        }
    }
}

/// Whether something is in it of which a digit can be altered.
fn alter(value: &mut Value) -> bool {
    match value {
        Value::String(text) => match text.pop() {
            Some(last) => {
                text.push(if last == '0' { '1' } else { '0' });
                true
            }
            None => false,
        },
        Value::Number(number) => {
            *value = (number.as_i64().unwrap() + 1).into();
            true
        }
        Value::Bool(flag) => {
            *flag = !*flag;
            true
        }
        Value::Array(list) => list.iter_mut().any(alter),
        Value::Object(fields) => fields.values_mut().any(alter),
        Value::Null => false,
    }
}

/// The cases with each of the expectations altered that can be, one at a time.
fn altered(case: &Case) -> Vec<(String, Case)> {
    let mut all = Vec::new();
    for (number, step) in case.steps.iter().enumerate() {
        let Expected::Output(output) = &step.expected else {
            continue;
        };
        // What is listed under `_or` is as good: altering it changes nothing.
        for name in output.keys().filter(|name| !name.ends_with("_or")) {
            let mut wrong = output.clone();
            if alter(&mut wrong[name.as_str()]) {
                let mut case = case.clone();
                case.steps[number].expected = Expected::Output(wrong);
                all.push((format!("step {}, {name}", number + 1), case));
            }
        }
    }
    all
}

#[test]
fn an_output_that_is_off_by_one_digit_fails() {
    let mut tried = 0;
    for (name, file) in committed() {
        for case in &file.cases {
            for (what, case) in altered(case) {
                tried += 1;
                let id = &case.id;
                assert!(
                    fails(&name, &file, &case, Reasons::Any),
                    "{name}/{id}, {what}"
                );
            }
        }
    }
    assert!(tried > 1_000, "only {tried} outputs were altered");
}

#[test]
fn a_refusal_where_something_must_come_out_fails() {
    for (name, file) in committed() {
        for case in &file.cases {
            for number in 0..case.steps.len() {
                let mut case = case.clone();
                case.flags.clear();
                let step = &mut case.steps[number];
                // What is expected turns round; an answer never is both.
                step.expected = match step.expected {
                    Expected::Output(_) => Expected::Refused("mac".into()),
                    Expected::Refused(_) => Expected::Output(serde_json::Map::new()),
                };
                let id = &case.id;
                assert!(
                    fails(&name, &file, &case, Reasons::Any),
                    "{name}/{id}, step {}",
                    number + 1
                );
            }
        }
    }
}

#[test]
fn another_reason_counts_for_this_library_alone() {
    for (name, file) in committed() {
        for case in &file.cases {
            let mut case = case.clone();
            let mut refused = false;
            for step in &mut case.steps {
                if let Expected::Refused(reason) = &mut step.expected {
                    *reason = "another".into();
                    refused = true;
                }
            }
            let id = &case.id;
            let strict = fails(&name, &file, &case, Reasons::Exact);
            assert_eq!(strict, refused, "{name}/{id}");
            let found = outcome(&name, &file, &case, Reasons::Any);
            assert_eq!(found, Outcome::Passed, "{name}/{id}");
        }
    }
}
