//! End-to-end encryption for XMPP clients: OMEMO in both protocols in use, without I/O.
