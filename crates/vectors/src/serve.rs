//! This project's library behind the shim protocol.

use std::io::{self, BufRead, Write};

use serde_json::{Map, Value};

use crate::implementation::{Implementation, Request};
use crate::ours::Ours;
use crate::shim::{AnswerLine, RequestLine};

/// Answers requests, a line each, until the input ends.
///
/// # Errors
///
/// What reading and writing may fail with; `InvalidData` for a line that is no request.
pub fn serve(input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<()> {
    let mut ours = Ours::new();
    for line in input.lines() {
        let line: RequestLine<Map<String, Value>> = serde_json::from_str(&line?)?;
        let request = Request {
            operation: line.operation,
            protocol: line.protocol,
            input: line.input,
        };
        let answer = ours.perform(&request).map_err(io::Error::other)?;
        serde_json::to_writer(
            &mut *output,
            &AnswerLine {
                id: line.id,
                answer,
            },
        )?;
        output.write_all(b"\n")?;
        output.flush()?;
    }
    Ok(())
}
