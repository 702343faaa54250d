//! Vectors as text: a step a line, so that people can read them and version control can compare them.

use serde_json::Error;

use crate::case::{Case, VectorFile};

/// The file's text, which is JSON and ends with a line feed.
///
/// # Errors
///
/// What serialisation may fail with.
pub fn to_text(file: &VectorFile) -> Result<String, Error> {
    let mut head = vec![
        ("format", quoted(&file.format)?),
        ("layer", quoted(&file.layer)?),
        ("protocol", quoted(omemo::short_name(file.protocol))?),
        ("about", quoted(&file.about)?),
    ];
    if let Some(source) = &file.source {
        head.push(("source", quoted(source)?));
    }
    let head: String = head
        .into_iter()
        .map(|(name, value)| format!("  \"{name}\": {value},\n"))
        .collect();
    let cases = file.cases.iter().map(case).collect::<Result<Vec<_>, _>>()?;
    Ok(format!(
        "{{\n{head}  \"cases\": [\n{}\n  ]\n}}\n",
        cases.join(",\n")
    ))
}

fn case(case: &Case) -> Result<String, Error> {
    let mut text = format!(
        "    {{\"id\": {}, \"about\": {},",
        quoted(&case.id)?,
        quoted(&case.about)?
    );
    if !case.flags.is_empty() {
        text += &format!(" \"flags\": {},", serde_json::to_string(&case.flags)?);
    }
    let steps = case
        .steps
        .iter()
        .map(|step| Ok(format!("      {}", serde_json::to_string(step)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    text += &format!(" \"steps\": [\n{}\n    ]}}", steps.join(",\n"));
    Ok(text)
}

fn quoted(text: &str) -> Result<String, Error> {
    serde_json::to_string(text)
}
