-- Everything belongs to an account; a file may hold several. JIDs are normalised text, moments are
-- seconds since 1970, versions are 1 (omemo:2) and 2 (legacy), flags are 0 and 1.
-- Foreign keys are checked when a transaction commits, so the order of writing is free.
-- Rows with secrets are WITHOUT ROWID: each secret stands in one place, in the order it is read.

CREATE TABLE account (
    id           INTEGER PRIMARY KEY,
    jid          TEXT    NOT NULL UNIQUE,
    device       INTEGER NOT NULL,
    identity     BLOB    NOT NULL,
    generation   INTEGER NOT NULL,
    next_number  INTEGER NOT NULL,
    catching_up  INTEGER
) STRICT;

CREATE TABLE publication (
    account              INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    version              INTEGER NOT NULL,
    bundle_revision      INTEGER NOT NULL,
    published_revision   INTEGER NOT NULL,
    announced            INTEGER NOT NULL,
    next_pre_key         INTEGER NOT NULL,
    next_signed_pre_key  INTEGER NOT NULL,
    PRIMARY KEY (account, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE pre_key (
    account  INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    version  INTEGER NOT NULL,
    id       INTEGER NOT NULL,
    secret   BLOB    NOT NULL,
    used_at  INTEGER,
    PRIMARY KEY (account, version, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE signed_pre_key (
    account     INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    version     INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    secret      BLOB    NOT NULL,
    signature   BLOB    NOT NULL,
    made_at     INTEGER NOT NULL,
    retired_at  INTEGER,
    PRIMARY KEY (account, version, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE device_list (
    account     INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    version     INTEGER NOT NULL,
    jid         TEXT    NOT NULL,
    fetched_at  INTEGER NOT NULL,
    PRIMARY KEY (account, version, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    account          INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    version          INTEGER NOT NULL,
    jid              TEXT    NOT NULL,
    device           INTEGER NOT NULL,
    listed           INTEGER NOT NULL,
    identity         BLOB,
    label            TEXT,
    label_signature  BLOB,
    retry_after      INTEGER,
    failure          TEXT,
    PRIMARY KEY (account, version, jid, device)
) STRICT, WITHOUT ROWID;

-- `curve25519` is the part of `identity` by which identity keys are equal.
CREATE TABLE trust (
    account     INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    jid         TEXT    NOT NULL,
    curve25519  BLOB    NOT NULL,
    identity    BLOB    NOT NULL,
    level       TEXT    NOT NULL,
    PRIMARY KEY (account, jid, curve25519)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    account        INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    version        INTEGER NOT NULL,
    jid            TEXT    NOT NULL,
    device         INTEGER NOT NULL,
    ephemeral_key  BLOB    NOT NULL,
    state          BLOB    NOT NULL,
    last_used      INTEGER NOT NULL,
    PRIMARY KEY (account, version, jid, device, ephemeral_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE skipped (
    account        INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    jid            TEXT    NOT NULL,
    device         INTEGER NOT NULL,
    ephemeral_key  BLOB    NOT NULL,
    ratchet_key    BLOB    NOT NULL,
    number         INTEGER NOT NULL,
    message_key    BLOB    NOT NULL,
    sequence       INTEGER NOT NULL,
    PRIMARY KEY (account, version, jid, device, ephemeral_key, ratchet_key, number),
    FOREIGN KEY (account, version, jid, device, ephemeral_key) REFERENCES session
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TABLE seen (
    account  INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    version  INTEGER NOT NULL,
    jid      TEXT    NOT NULL,
    device   INTEGER NOT NULL,
    keys     BLOB    NOT NULL,
    PRIMARY KEY (account, version, jid, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE duty (
    account  INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    version  INTEGER NOT NULL,
    jid      TEXT    NOT NULL,
    device   INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    PRIMARY KEY (account, version, jid, device, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact (
    account  INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    jid      TEXT    NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
    account       INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    id            INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    jid           TEXT    NOT NULL,
    device        INTEGER NOT NULL,
    ratchet_key   BLOB    NOT NULL,
    number        INTEGER NOT NULL,
    chat          TEXT    NOT NULL,
    trust         TEXT    NOT NULL,
    stanza_id     TEXT,
    delay         INTEGER,
    time_differs  INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    content       TEXT    NOT NULL,
    PRIMARY KEY (account, id),
    UNIQUE (account, version, jid, device, ratchet_key, number)
) STRICT;

-- `served` has a line for each run of addresses of one account: its JID and device ids, separated
-- by spaces.
CREATE TABLE outbox (
    account     INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    ticket      INTEGER NOT NULL,
    message_id  TEXT,
    recipient   TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    served      TEXT    NOT NULL,
    made_at     INTEGER NOT NULL,
    handed_out  INTEGER NOT NULL,
    handed_by   INTEGER,
    handed_at   INTEGER,
    sent_at     INTEGER,
    stanza      TEXT    NOT NULL,
    PRIMARY KEY (account, ticket)
) STRICT;

CREATE INDEX outbox_by_message ON outbox (account, message_id);
