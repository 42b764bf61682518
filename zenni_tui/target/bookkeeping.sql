CREATE SCHEMA IF NOT EXISTS zenni_tui;

CREATE TABLE IF NOT EXISTS zenni_tui.run (
    run_id        text PRIMARY KEY,
    kind          text NOT NULL,
    schema_name   text NOT NULL,
    source_sha256 text NOT NULL,
    plan_hash     text NOT NULL,
    fingerprint   text NOT NULL,
    papers        bytea NOT NULL,
    started       timestamptz NOT NULL DEFAULT now()
);

-- From then on the application may have written here: nothing is dropped, emptied or loaded again.
ALTER TABLE zenni_tui.run ADD COLUMN IF NOT EXISTS live_since timestamptz;

-- One row at most. The fence is a key: taking the lease over waits for the chunks that checked it, renewing it does not.
CREATE TABLE IF NOT EXISTS zenni_tui.lease (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    fence     bigint NOT NULL UNIQUE,
    run_id    text NOT NULL,
    owner     text NOT NULL,
    expires   timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS zenni_tui.checkpoint (
    run_id     text NOT NULL,
    table_name text NOT NULL,
    span       integer NOT NULL,
    rows       bigint NOT NULL,
    bytes      bigint NOT NULL DEFAULT 0,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, table_name, span)
);

-- Of a span that arrives in parts, up to which rowid it has; the last part that came lies behind `since`.
ALTER TABLE zenni_tui.checkpoint ADD COLUMN IF NOT EXISTS upto bigint NOT NULL DEFAULT 9223372036854775807;
ALTER TABLE zenni_tui.checkpoint ADD COLUMN IF NOT EXISTS since bigint;

CREATE TABLE IF NOT EXISTS zenni_tui.made (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    kind   text NOT NULL,
    name   text NOT NULL
);

-- Rows that the operator keeps out of their tables, as JSON by column; a BLOB or text that is not UTF-8 is {"hex": ...}.
CREATE TABLE IF NOT EXISTS zenni_tui.quarantine (
    run_id     text NOT NULL,
    table_name text NOT NULL,
    source_row bigint NOT NULL,
    stored     json NOT NULL,
    PRIMARY KEY (run_id, table_name, source_row)
);

-- How far the log of changes in the source has been applied, written in the transaction that applies them.
CREATE TABLE IF NOT EXISTS zenni_tui.followed (
    run_id   text PRIMARY KEY,
    position bigint NOT NULL
);

-- Tables that changed before that position and are to be copied whole again.
ALTER TABLE zenni_tui.followed ADD COLUMN IF NOT EXISTS pending text[] NOT NULL DEFAULT '{}';
