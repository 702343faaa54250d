//! What stands beside the content: who, to whom and when.

use serde_json::{Map, Value};

use super::super::Disagreement;
use super::super::xml::Reader;
use super::super::xml::Verdict::{Accepted, Hardened, Refused, Tolerated};
use super::{CONTENT, TIME, TO, envelope};

/// `from` and `to`.
pub(super) fn jids(
    reader: &mut Reader<'_>,
    output: &Map<String, Value>,
) -> Result<(), Disagreement> {
    let with = |jid: &str| envelope(&format!("{CONTENT}<from jid='{jid}'/>{TO}{TIME}"));
    reader.same(
        output,
        [
            (
                "from-case",
                "JIDs are normalised before they are compared.",
                Tolerated,
                with("Juliet@CAPULET.example"),
            ),
            (
                "from-full",
                "A full JID stands for its account.",
                Tolerated,
                with("juliet@capulet.example/balcony"),
            ),
        ],
    )?;
    reader.all([
        (
            "from-server",
            "A JID without a local part.",
            Accepted,
            with("capulet.example"),
        ),
        (
            "from-unicode",
            "A JID in another script.",
            Accepted,
            with("\u{3b9}\u{3bf}\u{3c5}\u{3bb}\u{3b9}\u{3b5}\u{3c4}\u{3b1}@capulet.example"),
        ),
        (
            "to-room",
            "To a room.",
            Accepted,
            envelope(&format!(
                "{CONTENT}<to jid='balcony@rooms.capulet.example'/>"
            )),
        ),
    ])?;
    let (long_local, long_domain) = (
        "j".repeat(1_024),
        format!("{}example", "capulet.".repeat(128)),
    );
    let (long_local, long_domain) = (
        format!("{long_local}@capulet.example"),
        format!("juliet@{long_domain}"),
    );
    let none = [
        ("empty", "", "Nothing in the place of a JID."),
        ("at", "@", "A JID of nothing but its sign."),
        ("no-local", "@capulet.example", "An empty local part."),
        ("no-domain", "juliet@", "No domain."),
        (
            "no-resource",
            "juliet@capulet.example/",
            "An empty resource.",
        ),
        (
            "space",
            "juliet capulet@capulet.example",
            "A space in the local part.",
        ),
        (
            "quote",
            "juliet&quot;@capulet.example",
            "A quotation mark in the local part.",
        ),
        (
            "two-signs",
            "juliet@capulet@example",
            "Two signs, so that the domain has one.",
        ),
        (
            "control",
            "juliet&#10;x@capulet.example",
            "A line feed in the local part.",
        ),
        (
            "long-local",
            &long_local,
            "A local part of 1,024 bytes, one more than there may be.",
        ),
        (
            "long-domain",
            &long_domain,
            "A domain of more than 1,023 bytes.",
        ),
    ];
    for side in ["from", "to"] {
        let beside = |child: &str| envelope(&format!("{CONTENT}{child}"));
        for (name, jid, about) in none {
            let about = format!("{about} It can be compared with nothing.");
            let xml = beside(&format!("<{side} jid='{jid}'/>"));
            reader.read(
                format!("{side}-{name}"),
                about,
                Refused("attribute-value"),
                xml,
            )?;
        }
        let missing = Refused("missing-attribute");
        reader.read(
            format!("{side}-missing"),
            "The JID is missing.",
            missing,
            beside(&format!("<{side}/>")),
        )?;
        let text = beside(&format!("<{side}>juliet@capulet.example</{side}>"));
        reader.read(
            format!("{side}-as-text"),
            "The JID is the text.",
            missing,
            text,
        )?;
        let elsewhere = beside(&format!(
            "<{side} xmlns:a='urn:example:a' a:jid='juliet@capulet.example'/>"
        ));
        reader.read(
            format!("{side}-namespace"),
            "The JID is in a namespace.",
            missing,
            elsewhere,
        )?;
    }
    Ok(())
}

/// XEP-0082 §3.2.
pub(super) fn times(reader: &mut Reader<'_>) -> Result<(), Disagreement> {
    let with = |stamp: &str| envelope(&format!("{CONTENT}<time stamp='{stamp}'/>"));
    let good = [
        ("utc", "2026-03-14T15:09:26Z", Accepted, "In UTC."),
        (
            "fraction",
            "2026-03-14T15:09:26.535Z",
            Accepted,
            "Parts of seconds are dropped.",
        ),
        (
            "ahead",
            "2026-03-14T17:09:26+02:00",
            Accepted,
            "Two hours ahead.",
        ),
        (
            "behind",
            "2026-03-14T11:39:26.5-03:30",
            Accepted,
            "Three hours and a half behind.",
        ),
        ("leap-day", "2024-02-29T00:00:00Z", Accepted, "A leap day."),
        (
            "leap-day-2000",
            "2000-02-29T23:59:59Z",
            Accepted,
            "A leap day of a century.",
        ),
        (
            "epoch",
            "1970-01-01T00:00:00Z",
            Accepted,
            "When counting began.",
        ),
        (
            "before",
            "1969-07-21T02:56:15Z",
            Accepted,
            "Before counting began.",
        ),
        (
            "late",
            "9999-12-31T23:59:59Z",
            Accepted,
            "As late as it can be said.",
        ),
        (
            "no-zone",
            "2026-03-14T15:09:26",
            Tolerated,
            "Without a time zone, as clients in use write UTC.",
        ),
        (
            "leap-second",
            "2016-12-31T23:59:60Z",
            Tolerated,
            "A leap second counts as the one after it.",
        ),
        (
            "white-space",
            " 2026-03-14T15:09:26Z ",
            Tolerated,
            "White space around it.",
        ),
    ];
    for (name, stamp, verdict, about) in good {
        reader.read(format!("time-{name}"), about, verdict, with(stamp))?;
    }
    let none = [
        ("empty", "", "Nothing in the place of a time."),
        ("word", "yesterday", "A word."),
        ("number", "1773500966", "Seconds since 1970."),
        ("date", "2026-03-14", "A date without a time."),
        ("legacy", "20260314T15:09:26", "The form of XEP-0091."),
        ("space", "2026-03-14 15:09:26Z", "A space for the T."),
        ("lower-case", "2026-03-14t15:09:26z", "In lower case."),
        ("year", "26-03-14T15:09:26Z", "A year of two digits."),
        ("digits", "2026-3-14T15:09:26Z", "A month of one digit."),
        ("month", "2026-13-14T15:09:26Z", "A month that is none."),
        ("month-zero", "2026-00-14T15:09:26Z", "A month 0."),
        (
            "day",
            "2026-04-31T15:09:26Z",
            "A day that the month has not.",
        ),
        ("day-zero", "2026-04-00T15:09:26Z", "A day 0."),
        (
            "no-leap-day",
            "2023-02-29T15:09:26Z",
            "A leap day in a year that has none.",
        ),
        (
            "no-leap-day-1900",
            "1900-02-29T15:09:26Z",
            "A leap day in a century that has none.",
        ),
        ("hour", "2026-03-14T25:09:26Z", "An hour that is none."),
        ("minute", "2026-03-14T15:60:26Z", "A minute that is none."),
        ("second", "2026-03-14T15:09:61Z", "A second that is none."),
        (
            "fraction-empty",
            "2026-03-14T15:09:26.Z",
            "A dot without parts of seconds.",
        ),
        ("comma", "2026-03-14T15:09:26,535Z", "A comma for the dot."),
        (
            "zone",
            "2026-03-14T15:09:26+0200",
            "A zone without its colon.",
        ),
        (
            "zone-hours",
            "2026-03-14T15:09:26+15:00",
            "A zone further ahead than any.",
        ),
        (
            "zone-minutes",
            "2026-03-14T15:09:26+02:60",
            "A zone with minutes that are none.",
        ),
        ("zone-name", "2026-03-14T15:09:26CET", "A zone by name."),
        ("two-zones", "2026-03-14T15:09:26Z+02:00", "Two zones."),
        ("sign", "2026-03-14T15:+9:26Z", "A sign in a number."),
    ];
    for (name, stamp, about) in none {
        reader.read(
            format!("time-{name}"),
            about,
            Refused("attribute-value"),
            with(stamp),
        )?;
    }
    let missing = Refused("missing-attribute");
    reader.all([
        (
            "time-missing",
            "The stamp is missing.",
            missing,
            envelope(&format!("{CONTENT}<time/>")),
        ),
        (
            "time-as-text",
            "The stamp is the text.",
            missing,
            envelope(&format!("{CONTENT}<time>2026-03-14T15:09:26Z</time>")),
        ),
        (
            "time-plus",
            "A year with a sign before it.",
            Hardened("attribute-value"),
            with("+2026-03-14T15:09:26Z"),
        ),
    ])
}
