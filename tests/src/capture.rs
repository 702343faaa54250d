//! What a server of the lab saw: every stanza that it read or wrote, as its capture module wrote it down.

use std::fs;
use std::path::Path;

use minidom::Element;

/// One stanza as it passed a server.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The stanza as text, in the default namespace `jabber:client` or `jabber:server`.
    pub xml: String,
    /// Who is at the other end of the stream, as far as the server knew: a full JID of a client, or a domain.
    pub peer: String,
    /// Whether the server read it; else it wrote it.
    pub incoming: bool,
}

impl Capture {
    /// All stanzas of a server's capture file.
    ///
    /// # Panics
    ///
    /// When there is no such file.
    #[must_use]
    pub fn read_all(file: &Path) -> Vec<Self> {
        let text =
            fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // A server that was ended in the middle of a line leaves half of one.
        text.lines().filter_map(Self::parse_line).collect()
    }

    fn parse_line(line: &str) -> Option<Self> {
        let mut columns = line.splitn(4, '\t');
        let incoming = columns.next()? == "in";
        let _kind = columns.next()?;
        let peer = columns.next()?.to_owned();
        Some(Self {
            xml: columns.next()?.to_owned(),
            peer,
            incoming,
        })
    }

    /// The stanza, parsed.
    ///
    /// # Panics
    ///
    /// When it is no XML: servers don't pass such a thing on.
    #[must_use]
    pub fn stanza(&self) -> Element {
        // Streams declare the namespace once, so that a stanza alone has none. To the readers of these captures both are one.
        let stream: Element = format!("<stream xmlns='jabber:client'>{}</stream>", self.xml)
            .parse()
            .unwrap_or_else(|error| panic!("not XML: {error}: {}", self.xml));
        stream
            .children()
            .next()
            .cloned()
            .unwrap_or_else(|| panic!("no stanza in {}", self.xml))
    }
}
