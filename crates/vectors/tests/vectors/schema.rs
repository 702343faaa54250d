//! `schema.json`: that it describes the files, and nothing else.

use std::collections::BTreeSet;
use std::fs;

use boon::{Compiler, SchemaIndex, Schemas};
use omemo_vectors::{Expected, Flag, Operation};
use serde_json::{Value, json};

use crate::common::{committed, folder};

/// Reasons that no case can have, and why.
const UNREACHED: [(&str, &str); 5] = [
    ("chain-exhausted", "it takes 2³² messages"),
    (
        "no-contribution",
        "keys that would give it are refused before",
    ),
    (
        "payload-ciphertext",
        "what the library seals can be decrypted, and nobody else has the key",
    ),
    ("utf-8", "no JSON can hold a text that is not UTF-8"),
    ("wrapper", "the elements of the vectors stand alone"),
];

struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn read() -> Self {
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.add_resource("schema.json", text()).unwrap();
        let index = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn error(&self, file: &Value) -> Option<String> {
        let error = self.schemas.validate(file, self.index).err()?;
        Some(format!("{error:#}").chars().take(2_000).collect())
    }
}

fn text() -> Value {
    let text = fs::read_to_string(folder().join("schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The values of a list of constants.
fn constants(list: &Value) -> BTreeSet<String> {
    let list = list["oneOf"].as_array().unwrap();
    let names: BTreeSet<String> = list
        .iter()
        .map(|entry| entry["const"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names.len(), list.len(), "a constant twice");
    names
}

#[test]
fn every_file_is_as_the_schema_says() {
    let schema = Schema::read();
    for (name, _) in committed() {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        if let Some(error) = schema.error(&file) {
            panic!("{name}.json: {error}");
        }
    }
}

fn file() -> Value {
    json!({
        "format": "omemo-test-vectors-1",
        "layer": "keys",
        "protocol": "legacy",
        "about": "An example.",
        "cases": [{
            "id": "public-key", "about": "A case.", "flags": ["limit"],
            "steps": [
                {
                    "operation": "public-key",
                    "input": {"secret": "05".repeat(32)},
                    "output": {"public": "05".repeat(32)},
                },
                {"operation": "decode-key", "input": {"key": ""}, "refused": "key-length"},
            ],
        }],
    })
}

#[test]
fn the_schema_refuses_what_is_no_vector() {
    let schema = Schema::read();
    assert_eq!(schema.error(&file()), None);
    let first = "/cases/0/steps/0";
    for (place, value) in [
        ("", json!([])),
        ("/format", json!("omemo-test-vectors-2")),
        ("/layer", json!("cake")),
        ("/protocol", json!("omemo:1")),
        ("/cases", json!([])),
        ("/cases/0/id", json!("a case")),
        ("/cases/0/flags", json!(["maybe"])),
        ("/cases/0/flags", json!(["limit", "limit"])),
        ("/cases/0/steps", json!([])),
        (
            "/cases/0/steps/0",
            json!({"operation": "restart", "input": {}}),
        ),
        ("/cases/0/steps/0/operation", json!("fly")),
        ("/cases/0/steps/0/operation", json!("hello")),
        ("/cases/0/steps/0/operation", json!("encode-identity")),
        ("/cases/0/steps/0/input", json!({})),
        ("/cases/0/steps/0/input/secret", json!("05".repeat(31))),
        ("/cases/0/steps/0/input/secret", json!("AB".repeat(32))),
        ("/cases/0/steps/0/output/public", json!(5)),
        ("/cases/0/steps/1/refused", json!("bad-weather")),
    ] {
        let mut wrong = file();
        *wrong.pointer_mut(place).unwrap() = value.clone();
        assert!(schema.error(&wrong).is_some(), "{place}: {value}");
    }
    for place in [
        "",
        "/cases/0",
        first,
        "/cases/0/steps/0/input",
        "/cases/0/steps/0/output",
    ] {
        let mut wrong = file();
        wrong.pointer_mut(place).unwrap()["more"] = json!("05");
        assert!(schema.error(&wrong).is_some(), "{place} with more");
    }
    let mut both = file();
    both.pointer_mut(first).unwrap()["refused"] = json!("key-length");
    assert!(schema.error(&both).is_some(), "an output and a refusal");
}

#[test]
fn the_reasons_of_the_schema_are_those_of_the_cases() {
    let mut found = BTreeSet::new();
    for (_, file) in committed() {
        for step in file.cases.iter().flat_map(|case| &case.steps) {
            if let Expected::Refused(reason) = &step.expected {
                found.insert(reason.clone());
            }
        }
    }
    for (reason, why) in UNREACHED {
        assert!(
            found.insert(reason.into()),
            "{reason} occurs; it is said that {why}"
        );
    }
    assert_eq!(constants(&text()["$defs"]["reason"]), found);
}

#[test]
fn operations_flags_and_layers_are_those_of_the_cases() {
    let schema = text();
    let (mut operations, mut layers) = (BTreeSet::new(), BTreeSet::new());
    for (_, file) in committed() {
        let steps = file.cases.iter().flat_map(|case| &case.steps);
        operations.extend(steps.map(|step| step.operation.to_string()));
        layers.insert(file.layer);
    }
    let step = &schema["$defs"]["step"];
    let known = constants(&step["properties"]["operation"]);
    assert_eq!(known, operations);
    for name in known {
        let _: Operation = serde_json::from_value(json!(name)).unwrap();
        let reference = json!({"$ref": format!("#/$defs/step-{name}")});
        let rule = step["allOf"]
            .as_array()
            .unwrap()
            .iter()
            .find(|rule| rule["if"]["properties"]["operation"]["const"] == json!(name));
        assert_eq!(rule.map(|rule| &rule["then"]), Some(&reference), "{name}");
    }
    assert_eq!(constants(&schema["properties"]["layer"]), layers);
    for flag in constants(&schema["$defs"]["flag"]) {
        let _: Flag = serde_json::from_value(json!(flag)).unwrap();
    }
}

/// What a part of the schema lacks, in itself and below.
fn faults(schema: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    let any = schema["properties"].is_null();
    if schema["type"] == "object" && !any && schema["additionalProperties"] != json!(false) {
        found.push(format!("{place} lets further fields pass"));
    }
    for kind in ["properties", "$defs"] {
        for (name, part) in schema[kind].as_object().into_iter().flatten() {
            let place = format!("{place}/{name}");
            if part["description"].is_null() && part["$ref"].is_null() {
                found.push(format!("{place} is not described"));
            }
            found.extend(faults(part, &place));
        }
    }
    if schema["items"].is_object() {
        found.extend(faults(&schema["items"], &format!("{place}[]")));
    }
    for entry in schema["oneOf"].as_array().into_iter().flatten() {
        if !entry["const"].is_null() && entry["description"].is_null() {
            found.push(format!("{place}: {} is not described", entry["const"]));
        }
    }
    found
}

#[test]
fn everything_in_the_schema_is_described_and_nothing_else_allowed() {
    assert_eq!(faults(&text(), ""), Vec::<String>::new());
}
