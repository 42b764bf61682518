"""Connections that fail say why, and the catalogue's fingerprint sees every change."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from zenni_tui.errors import NotReady
from zenni_tui.target import bookkeeping, catalogue, libpq
from zenni_tui.target.connect import Target as Place

Target = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def target(database: dict[str, str]) -> Iterator[Target]:
    """Yield a session in the test's own database."""
    with Place(database, database.get("password"), name="tests").connect() as connection:
        yield connection


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        return int(link.getsockname()[1])


CAUSES = [
    ({}, "wrong", "refused the password"),
    ({}, "", "none was given"),
    ({"dbname": "no_such_database"}, None, "no such database"),
    ({"user": "nobody_here"}, None, "password|no such"),
    ({"port": ""}, None, "Nothing listens"),
    ({"host": "no-such-host.invalid"}, None, "can't be resolved"),
    ({"sslmode": "require"}, None, "no TLS"),
    ({"sslmode": "verify-full", "sslrootcert": "/no/such/file.pem"}, None, "certificate|no TLS"),
]


@pytest.mark.parametrize(("changes", "password", "words"), CAUSES, ids=str)
def test_a_failed_connection_says_why(
    database: dict[str, str], monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], password: str | None, words: str
) -> None:
    """Each cause has its own sentence and advice; the password is in none of it."""
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    secret = database["password"] if password is None else password
    changed = {**database, **changes}
    if changed["port"] == "":
        changed["port"] = str(free_port())
    place = Place(changed, secret, name="tests")
    with pytest.raises(NotReady, match=words) as raised:
        place.connect()
    problem = raised.value.problem
    assert problem.next_step
    assert problem.where == place.label()
    assert not secret or secret not in str(problem)


def test_the_password_is_kept_apart(database: dict[str, str]) -> None:
    """What is shown or stored of a target has no password, wherever it came in."""
    place = Place(database, database["password"], name="tests")
    assert "password" not in place.parameters
    assert database["password"] not in f"{place.label()} {place.facts('public')} {vars(place)['parameters']}"


def test_a_session_is_pinned_whatever_the_database_says(database: dict[str, str], target: Target) -> None:
    """Defaults of the database that change how values are read and printed don't reach our sessions."""
    name = target.info.dbname
    for setting, value in (("TimeZone", "America/St_Johns"), ("DateStyle", "SQL, DMY"), ("statement_timeout", "1s")):
        target.execute(f"ALTER DATABASE {name} SET {setting} = '{value}'".encode())
    with Place(database, database["password"], name="tests").connect() as pinned:
        found = [
            pinned.execute(f"SHOW {s}".encode()).fetchone() for s in ("TimeZone", "DateStyle", "statement_timeout")
        ]
        assert found == [("UTC",), ("ISO, YMD",), ("0",)]
        assert pinned.autocommit


async def test_the_second_driver_reaches_the_same_database(database: dict[str, str], target: Target) -> None:
    """The second driver gets the same host, port, role and database as psycopg."""
    connection = await Place(database, database["password"], name="tests").connect_async()
    try:
        there = await connection.fetchrow("SELECT current_database(), current_user, inet_server_port()")
    finally:
        await connection.close()
    here = target.execute("SELECT current_database(), current_user, inet_server_port()").fetchone()
    assert tuple(there or ()) == here


async def test_a_service_file_serves_both_drivers(
    database: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target named in pg_service.conf, its password in a file of libpq's, is reached by asyncpg as well."""
    keys = tmp_path / "pgpass"
    keys.write_text(
        ":".join([database["host"], database["port"], database["dbname"], database["user"], database["password"]])
    )
    keys.chmod(0o600)
    lines = [f"{k}={database[k]}" for k in ("host", "port", "dbname", "user")]
    (tmp_path / "services").write_text("\n".join(["[house]", *lines, f"passfile={keys}", ""]))
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    place = Place({"service": "house"}, None, name="tests")
    with place.connect() as connection:
        here = connection.execute("SELECT current_database()").fetchone()
    other = await place.connect_async()
    try:
        assert (await other.fetchval("SELECT current_database()"),) == here
    finally:
        await other.close()
    assert "password" not in place.parameters
    assert libpq.password(place.settings()) == database["password"]


BASE = """
CREATE TABLE t (id integer PRIMARY KEY, v text, n numeric(5, 2) DEFAULT 1);
CREATE TABLE u (id integer REFERENCES t);
CREATE VIEW w AS SELECT id FROM t;
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE SEQUENCE s;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
CREATE INDEX i ON t (v);
CREATE ROLE somebody_%s;
"""
CHANGES = [
    "CREATE TABLE x ()",
    "DROP TABLE u",
    "ALTER TABLE t RENAME TO tt",
    "ALTER TABLE t RENAME v TO vv",
    "ALTER TABLE t ADD x integer",
    "ALTER TABLE t DROP v",
    "ALTER TABLE t ALTER v TYPE varchar(10)",
    "ALTER TABLE t ALTER n TYPE numeric(5, 3)",
    "ALTER TABLE t ALTER v SET NOT NULL",
    "ALTER TABLE t ALTER n SET DEFAULT 2",
    "ALTER TABLE t ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
    "ALTER TABLE t ADD CHECK (id > 0)",
    "ALTER TABLE u DROP CONSTRAINT u_id_fkey",
    "ALTER TABLE u DROP CONSTRAINT u_id_fkey, ADD CONSTRAINT u_id_fkey FOREIGN KEY (id) REFERENCES t ON DELETE CASCADE",
    "ALTER TABLE u SET UNLOGGED",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY p ON t USING (id > 1)",
    "ALTER TABLE t SET (fillfactor = 50)",
    "CREATE INDEX j ON t (id DESC)",
    "DROP INDEX i",
    "DROP INDEX i; CREATE UNIQUE INDEX i ON t (v)",
    "CREATE OR REPLACE VIEW w AS SELECT id + 0 AS id FROM t",
    "ALTER TYPE mood ADD VALUE 'c'",
    "ALTER TYPE mood RENAME VALUE 'a' TO 'z'",
    "CREATE DOMAIN d AS text CHECK (VALUE <> '')",
    "ALTER SEQUENCE s INCREMENT 5",
    "ALTER SEQUENCE s AS integer",
    "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "ALTER FUNCTION f() SECURITY DEFINER",
    "ALTER FUNCTION f() SET search_path = 'public'",
    "DROP TRIGGER g ON t",
    "ALTER TABLE t DISABLE TRIGGER g",
    "GRANT SELECT ON t TO PUBLIC",
    "GRANT SELECT (v) ON t TO PUBLIC",
    "GRANT CREATE ON SCHEMA public TO PUBLIC",
    "ALTER TABLE t OWNER TO somebody_%s",
    "CREATE SCHEMA other",
    "CREATE EXTENSION citext",
]


def test_every_change_of_the_catalogue_changes_the_fingerprint(target: Target) -> None:
    """Each kind of DDL gives another fingerprint, and taking it back gives the first one again."""
    name = target.info.dbname
    with target.transaction(force_rollback=True):
        target.execute(BASE.replace("%s", name).encode())
        first = catalogue.fingerprint(target)
        assert catalogue.fingerprint(target) == first
        unseen = []
        for change in CHANGES:
            with target.transaction(force_rollback=True):
                target.execute(change.replace("%s", name).encode())
                if catalogue.fingerprint(target).sha256 == first.sha256:
                    unseen.append(change)
            assert catalogue.fingerprint(target) == first
        assert unseen == []


def test_rows_statistics_and_our_own_schema_leave_the_fingerprint(target: Target) -> None:
    """What a run leaves nothing of must not look like a change: rows, ANALYZE, drawn numbers, our bookkeeping."""
    target.execute("CREATE TABLE t (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v text)")
    first = catalogue.fingerprint(target)
    target.execute("INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 100)")
    target.execute("ANALYZE t")
    row = bookkeeping.RunRow("one", "migrate", "public", "s", "p", first.sha256)
    bookkeeping.begin(target, row, "ann@here")
    assert catalogue.fingerprint(target) == first
    with target.transaction():
        bookkeeping.leave(target, "one")
    assert catalogue.fingerprint(target) == first
