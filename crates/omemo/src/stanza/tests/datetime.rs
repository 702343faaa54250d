use proptest::prelude::*;

use super::at;
use crate::stanza::datetime::{format, parse};

#[test]
fn dates_of_the_specification() {
    assert_eq!(parse("1969-07-21T02:56:15Z"), Some(at(-14_159_025)));
    assert_eq!(parse("1969-07-20T21:56:15-05:00"), Some(at(-14_159_025)));
    assert_eq!(parse("2004-01-25T06:05:00+01:00"), Some(at(1_075_007_100)));
    assert_eq!(format(at(1_075_007_100)), "2004-01-25T05:05:00Z");
}

#[test]
fn what_clients_write_is_read() {
    let noon = Some(at(1_795_348_800));
    for text in [
        "2026-11-22T12:00:00Z",
        " 2026-11-22T12:00:00Z\n",
        "2026-11-22T12:00:00.000Z",
        "2026-11-22T12:00:00.123456789Z",
        "2026-11-22T12:00:00.5+00:00",
        "2026-11-22T14:30:00+02:30",
        "2026-11-22T12:00:00",
        "2026-11-22T11:59:60Z",
    ] {
        assert_eq!(parse(text), noon, "{text:?}");
    }
}

#[test]
fn what_is_no_date_is_refused() {
    for text in [
        "",
        "T",
        "2026-11-22",
        "2026-11-22T",
        "2026-11-22 12:00:00Z",
        "2026-11-22T12:00Z",
        "2026-13-22T12:00:00Z",
        "2026-00-22T12:00:00Z",
        "2026-11-31T12:00:00Z",
        "2026-11-00T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T12:60:00Z",
        "2026-11-22T12:00:61Z",
        "2026-11-22T12:00:00.Z",
        "2026-11-22T12:00:00z",
        "2026-11-22T12:00:00+2:00",
        "2026-11-22T12:00:00+15:00",
        "2026-11-22T12:00:00+0200",
        "26-11-22T12:00:00Z",
        "-2026-11-22T12:00:00Z",
        "20261-11-22T12:00:00Z",
        "2026-11-22-01T12:00:00Z",
        "2026-11-22T12:00:0\u{e9}Z",
        "2026-1\u{e9}-22T12:00:00Z",
        "+026-11-22T12:00:00Z",
    ] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn extremes_are_written_as_the_nearest_date() {
    assert_eq!(format(at(i64::MAX)), "9999-12-31T23:59:59Z");
    assert_eq!(format(at(i64::MIN)), "0001-01-01T00:00:00Z");
    assert_eq!(format(at(951_782_400)), "2000-02-29T00:00:00Z");
}

proptest! {
    #[test]
    fn round_trip(seconds in -62_135_596_800_i64..=253_402_300_799) {
        prop_assert_eq!(parse(&format(at(seconds))), Some(at(seconds)));
    }

    #[test]
    fn any_text_is_safe(text in "\\PC{0,40}|[0-9T:.Z+-]{0,40}") {
        let _ = parse(&text);
    }
}
