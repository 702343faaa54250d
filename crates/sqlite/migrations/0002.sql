-- What a device's whole life needs. Rows from before have no moments for what was not kept then, and
-- their sessions are as old as can be: those that nobody answered are renewed with the next message.

ALTER TABLE account ADD COLUMN label TEXT;
ALTER TABLE account ADD COLUMN standing TEXT NOT NULL DEFAULT 'active';
ALTER TABLE account ADD COLUMN anchored INTEGER NOT NULL DEFAULT 0;

ALTER TABLE pre_key ADD COLUMN withdrawn_at INTEGER;

ALTER TABLE device_list ADD COLUMN subscribed_at INTEGER;

ALTER TABLE device ADD COLUMN listed_at INTEGER;
ALTER TABLE device ADD COLUMN heard_at INTEGER;
ALTER TABLE device ADD COLUMN healed_at INTEGER;

ALTER TABLE session ADD COLUMN made_at INTEGER NOT NULL DEFAULT 0;

-- Whether `chat` is a room.
ALTER TABLE inbox ADD COLUMN room INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN transported BLOB;

-- Whether `recipient` is a room.
ALTER TABLE outbox ADD COLUMN room INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN tells_trust INTEGER NOT NULL DEFAULT 0;

ALTER TABLE trust ADD COLUMN decided_at INTEGER;

CREATE INDEX trust_by_key ON trust (account, curve25519);

CREATE TABLE opt_out (
    account      INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    jid          TEXT    NOT NULL,
    reason       TEXT,
    received_at  INTEGER NOT NULL,
    confirmed    INTEGER NOT NULL,
    PRIMARY KEY (account, jid)
) STRICT, WITHOUT ROWID;

-- Keys of decisions are Curve25519 values.
CREATE TABLE held_decision (
    account     INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    teller      TEXT    NOT NULL,
    teller_key  BLOB    NOT NULL,
    owner       TEXT    NOT NULL,
    key         BLOB    NOT NULL,
    trust       INTEGER NOT NULL,
    decided_at  INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    PRIMARY KEY (account, teller, teller_key, owner, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE owed_decision (
    account    INTEGER NOT NULL REFERENCES account DEFERRABLE INITIALLY DEFERRED,
    recipient  TEXT    NOT NULL,
    device     INTEGER NOT NULL,
    owner      TEXT    NOT NULL,
    key        BLOB    NOT NULL,
    trust      INTEGER NOT NULL,
    PRIMARY KEY (account, recipient, device, owner, key)
) STRICT, WITHOUT ROWID;

-- A skipped key names its session by a number: a peer with a long JID could fill megabytes with the names alone, of which
-- there are up to two thousand copies.
CREATE TABLE skipping (
    number         INTEGER PRIMARY KEY,
    account        INTEGER NOT NULL,
    version        INTEGER NOT NULL,
    jid            TEXT    NOT NULL,
    device         INTEGER NOT NULL,
    ephemeral_key  BLOB    NOT NULL,
    UNIQUE (account, version, jid, device, ephemeral_key),
    FOREIGN KEY (account, version, jid, device, ephemeral_key) REFERENCES session
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE skipped_key (
    session      INTEGER NOT NULL REFERENCES skipping ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ratchet_key  BLOB    NOT NULL,
    number       INTEGER NOT NULL,
    message_key  BLOB    NOT NULL,
    sequence     INTEGER NOT NULL,
    PRIMARY KEY (session, ratchet_key, number)
) STRICT, WITHOUT ROWID;

INSERT INTO skipping (account, version, jid, device, ephemeral_key)
    SELECT DISTINCT account, version, jid, device, ephemeral_key FROM skipped;

INSERT INTO skipped_key
    SELECT skipping.number, ratchet_key, skipped.number, message_key, sequence
    FROM skipped JOIN skipping USING (account, version, jid, device, ephemeral_key);

DROP TABLE skipped;
