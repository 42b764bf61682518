CREATE SCHEMA IF NOT EXISTS zenni_tui;

CREATE TABLE zenni_tui.captured (
    number      integer PRIMARY KEY,
    schema_name text NOT NULL,
    table_name  text NOT NULL,
    relation    oid NOT NULL,
    key         text[] NOT NULL,
    types       text[] NOT NULL
);

-- One row for each row that a statement wrote; no key: the whole table. Neither numbers nor the ids of transactions come
-- in the order of commits, so a reader takes what its snapshot sees and the one before did not see.
CREATE TABLE zenni_tui.change (
    xid    xid8 NOT NULL DEFAULT pg_current_xact_id(),
    number integer NOT NULL,
    key    text[]
);

-- Which rows the log spoke of before it was trimmed; an empty key: the whole table.
CREATE TABLE zenni_tui.written (
    number integer NOT NULL,
    key    text[] NOT NULL,
    PRIMARY KEY (number, key)
);
