//! The anchor in a file.

use std::fs;

use crate::common::Outcome;
use omemo::Anchor;
use omemo_sqlite::FileAnchor;

#[test]
fn an_anchor_is_absent_and_then_what_was_written_last() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("anchor");
    let mut anchor = FileAnchor::new(&path);
    assert_eq!(anchor.read()?, None);
    for record in [[1; 16], [2; 16]] {
        anchor.write(&record)?;
        assert_eq!(anchor.read()?, Some(record));
        assert_eq!(FileAnchor::new(&path).read()?, Some(record));
        assert_eq!(
            fs::read_dir(directory.path())?.count(),
            1,
            "no other file is left"
        );
    }
    Ok(())
}

/// Killed between the two files: the old record stands.
#[test]
fn a_record_that_was_not_finished_counts_for_nothing() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("anchor");
    let mut anchor = FileAnchor::new(&path);
    anchor.write(&[1; 16])?;
    fs::write(directory.path().join("anchor.new"), [2; 7])?;
    assert_eq!(anchor.read()?, Some([1; 16]));
    anchor.write(&[3; 16])?;
    assert_eq!(anchor.read()?, Some([3; 16]));
    Ok(())
}

#[test]
fn what_cannot_be_read_or_written_is_an_error_that_names_the_file() -> Outcome {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("anchor");
    fs::write(&path, [1; 15])?;
    let error = FileAnchor::new(&path).read().unwrap_err().to_string();
    assert!(error.contains("anchor has not 16 bytes"), "{error}");

    let nowhere = directory.path().join("nowhere").join("anchor");
    let mut anchor = FileAnchor::new(&nowhere);
    assert_eq!(anchor.read()?, None);
    let error = anchor.write(&[1; 16]).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
    Ok(())
}
