//! This project's library behind the shim protocol.

use std::io::ErrorKind;

use omemo_vectors::{Expected, serve};
use serde_json::{Value, json};

use crate::common::committed;

fn served(requests: &str) -> Vec<Value> {
    let mut answers = Vec::new();
    serve(&mut requests.as_bytes(), &mut answers).unwrap();
    let answers = String::from_utf8(answers).unwrap();
    answers
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_line_gets_the_answer_that_the_vectors_have() {
    for (name, file) in committed() {
        let steps: Vec<_> = file.cases.iter().flat_map(|case| &case.steps).collect();
        let mut requests = String::new();
        for (id, step) in (1..).zip(&steps) {
            let request = json!({
                "id": id,
                "operation": step.operation,
                "protocol": omemo::short_name(file.protocol),
                "input": step.input,
            });
            requests += &format!("{request}\n");
        }
        let answers = served(&requests);
        assert_eq!(answers.len(), steps.len(), "{name}");
        for ((id, step), answer) in (1..).zip(steps).zip(answers) {
            assert_eq!(answer["id"], id, "{name}");
            match &step.expected {
                Expected::Refused(reason) => assert_eq!(answer["refused"], **reason, "{name}"),
                Expected::Output(output) => {
                    for (field, value) in output.iter().filter(|(field, _)| !field.ends_with("_or"))
                    {
                        assert_eq!(&answer["output"][field], value, "{name}, {field}");
                    }
                }
            }
        }
    }
}

#[test]
fn what_a_request_lacks_is_unsupported() {
    let request = r#"{"id": 5, "operation": "public-key", "protocol": "legacy", "input": {}}"#;
    let answers = served(request);
    let [answer] = answers.as_slice() else {
        panic!("{answers:?}");
    };
    assert_eq!(answer["id"], 5);
    assert!(answer["unsupported"].as_str().unwrap().contains("secret"));
}

#[test]
fn a_line_that_is_no_request_ends_it() {
    for line in [
        "nonsense",
        "{}",
        r#"{"id": 1, "operation": "fly", "protocol": "legacy", "input": {}}"#,
        r#"{"id": 1, "operation": "hello", "protocol": "omemo:1", "input": {}}"#,
    ] {
        let error = serve(&mut line.as_bytes(), &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{line}");
    }
}
