"""Capture in the application's file: no changed row is missed, and nothing of ours stays behind."""

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspected import schema_of

from zenni_tui.engine import rehearsals
from zenni_tui.model.plan import Plan
from zenni_tui.model.schema import SourceSchema
from zenni_tui.source import capture, freeze, live

TABLES = """
CREATE TABLE Service (id TEXT PRIMARY KEY, name TEXT UNIQUE COLLATE NOCASE, price REAL);
CREATE TABLE "Booking %s" (
  id INTEGER PRIMARY KEY, service TEXT REFERENCES Service ON DELETE CASCADE ON UPDATE CASCADE,
  code TEXT, "day""s" INTEGER, UNIQUE (code, "day""s"));
CREATE UNIQUE INDEX lower_code ON "Booking %s" (lower(code), length(service)) WHERE "day""s" > 3;
CREATE TABLE Pair (a INTEGER, b TEXT, note TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE Loose (note TEXT);
"""
BEGINNING = """
INSERT INTO Service VALUES ('a', 'a', 1), ('b', 'b', 2), ('c', NULL, 3), ('d', 'd', 4);
INSERT INTO "Booking %s" VALUES (1, 'a', 'a', 1), (2, 'b', 'b', 5), (3, 'a', 'bb', 6), (4, 'd', NULL, 2);
INSERT INTO Pair VALUES (1, 'a', 'a'), (2, 'a', 'b'), (2, 'b', 'b');
"""
KEYS: dict[str, tuple[str, ...]] = {"Service": ("id",), "Booking %s": ("id",), "Pair": ("b", "a"), "Loose": ()}
COLUMNS = {
    "Service": ("id", "name", "price"),
    "Booking %s": ("id", "service", "code", 'day"s'),
    "Pair": ("a", "b", "note"),
    "Loose": ("note",),
}

Contents = dict[str, dict[object, tuple[object, ...]]]


def make(path: Path) -> SourceSchema:
    """Make a file with unique rules of every kind and return its schema as it is inspected."""
    with sqlite3.connect(path) as connection:
        connection.executescript(TABLES)
    connection.close()
    return schema_of(path)


def dump(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Return the schema and the counters as SQLite keeps them."""
    return connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name").fetchall()


def contents(connection: sqlite3.Connection) -> Contents:
    """Return all rows by key."""
    found: Contents = {}
    for table, key in KEYS.items():
        rows = connection.execute(f"SELECT {', '.join(_q(c) for c in COLUMNS[table])} FROM {_q(table)}").fetchall()
        places = [COLUMNS[table].index(c) for c in key]
        found[table] = {tuple(r[p] for p in places) if key else i: r for i, r in enumerate(sorted(rows, key=repr))}
    return found


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class Follower:
    """A copy kept in step by nothing but the log."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.position = capture.position(connection)
        self.copy = contents(connection)

    def catch_up(self, most: int = 1000) -> None:
        """Apply what the log says."""
        left = 1
        while left:
            with live.reading(self.connection):
                changes = capture.changes(self.connection, self.position, most)
                for table, keys in changes.keys.items():
                    found = capture.rows(self.connection, table, KEYS[table], COLUMNS[table], keys)
                    for key in keys:
                        self.copy[table].pop(key, None)
                    self.copy[table].update(found)
                for table in changes.whole:
                    self.copy[table] = contents(self.connection)[table]
            self.position, left = changes.upto, changes.left


WRITES = {
    "insert": "INSERT OR {0} INTO Service VALUES ({1}, {2}, {3})",
    "upsert": "INSERT INTO Service VALUES ({1}, {2}, {3}) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
    "rename": "UPDATE OR {0} Service SET id = {1} WHERE id = {2}",
    "name": "UPDATE OR {0} Service SET name = {2} WHERE price > {3}",
    "close": "DELETE FROM Service WHERE id = {1}",
    "book": 'INSERT OR {0} INTO "Booking %s" VALUES ({3}, {1}, {2}, {3})',
    "book next": 'INSERT OR {0} INTO "Booking %s" (service, code, "day""s") VALUES ({1}, {2}, {3})',
    "move": 'UPDATE OR {0} "Booking %s" SET "day""s" = {3}, code = {2} WHERE id % 2 = 0',
    "shift": 'UPDATE OR {0} "Booking %s" SET id = id + {3}',
    "pair": "INSERT OR {0} INTO Pair VALUES ({3}, {1}, {2})",
    "repair": "UPDATE OR {0} Pair SET a = {3}, b = {1} WHERE note = {2}",
    "loose": "INSERT INTO Loose VALUES ({2})",
    "clear": 'DELETE FROM "Booking %s" WHERE id > {3}',
}
VALUES = st.sampled_from(["'a'", "'A'", "'b'", "'é'", "''"])
WRITE = st.tuples(
    st.sampled_from(sorted(WRITES)),
    st.sampled_from(["REPLACE", "REPLACE", "REPLACE", "IGNORE", "ABORT", "FAIL", "ROLLBACK"]),
    VALUES,
    VALUES,
    st.integers(0, 6).map(str),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SourceSchema]:
    """Return a file and its schema."""
    path = tmp_path_factory.mktemp("capture") / "app.db"
    return path, make(path)


def armed_copy(made: tuple[Path, SourceSchema]) -> sqlite3.Connection:
    """Return an armed copy of the file in memory, with some rows."""
    path, schema = made
    memory = sqlite3.connect(":memory:", isolation_level=None)
    with sqlite3.connect(path) as file:
        file.backup(memory)
    file.close()
    memory.executescript(BEGINNING)
    capture.arm(memory, schema, KEYS, "t")
    return memory


@settings(max_examples=150, deadline=None)
@given(st.lists(WRITE, min_size=1, max_size=25), st.booleans(), st.booleans(), st.integers(1, 4))
def test_no_change_is_missed(
    made: tuple[Path, SourceSchema],
    writes: list[tuple[str, ...]],
    recursive: bool,  # noqa: FBT001 - hypothesis gives positions
    enforced: bool,  # noqa: FBT001 - as above
    most: int,
) -> None:
    """Whatever an application writes, with any conflict policy, a copy that follows the log is equal."""
    memory = armed_copy(made)
    memory.execute(f"PRAGMA foreign_keys = {int(enforced)}")
    memory.execute(f"PRAGMA recursive_triggers = {int(recursive)}")
    follower = Follower(memory)
    for name, *values in writes:
        with contextlib.suppress(sqlite3.IntegrityError):
            memory.execute(WRITES[name].format(*values))
        follower.catch_up(most)
        assert follower.copy == contents(memory)
    memory.close()


@pytest.mark.parametrize(
    "write",
    [
        "INSERT OR REPLACE INTO Service VALUES ('x', 'B', 9)",
        "UPDATE OR REPLACE Service SET name = 'B' WHERE id = 'a'",
        "UPDATE OR REPLACE Service SET id = 'b' WHERE id = 'a'",
        'UPDATE OR REPLACE "Booking %s" SET rowid = 2 WHERE id = 1',
        "INSERT OR REPLACE INTO \"Booking %s\" VALUES (9, 'a', 'a', 1)",
        "INSERT OR REPLACE INTO \"Booking %s\" VALUES (9, 'x', 'B', 5), (10, 'y', 'b', 6)",
        'UPDATE OR REPLACE "Booking %s" SET service = \'x\', code = \'A\', "day""s" = 4 + id % 2 WHERE id < 3',
        "INSERT OR REPLACE INTO Pair VALUES (2, 'a', 'new')",
        "UPDATE OR REPLACE Pair SET b = 'a' WHERE b = 'b'",
    ],
)
def test_the_victims_of_replace_are_logged(made: tuple[Path, SourceSchema], write: str) -> None:
    """A row that REPLACE deletes for any unique rule's sake, without a delete trigger, is gone from the copy too."""
    memory = armed_copy(made)
    follower = Follower(memory)
    before = sum(map(len, contents(memory).values()))
    memory.execute(write)
    follower.catch_up()
    assert follower.copy == contents(memory)
    assert sum(map(len, follower.copy.values())) <= before
    memory.close()


@pytest.fixture
def armed(tmp_path: Path) -> Iterator[tuple[sqlite3.Connection, SourceSchema]]:
    """Yield an armed file, open, and its schema."""
    path = tmp_path / "app.db"
    schema = make(path)
    connection = live.open_live(path)
    capture.arm(connection, schema, KEYS, "t")
    yield connection, schema
    connection.close()


def test_nothing_of_ours_stays_behind(tmp_path: Path) -> None:
    """After disarming, the file's schema is what it was, to the letter, and `sqlite_sequence` was not made."""
    path = tmp_path / "app.db"
    schema = make(path)
    connection = live.open_live(path)
    before = dump(connection)
    capture.arm(connection, schema, KEYS, "t")
    assert capture.is_armed(connection)
    connection.execute("INSERT INTO Service VALUES ('a', 'b', 1)")
    assert dump(connection) != before
    capture.disarm(connection)
    assert dump(connection) == before
    assert not capture.is_armed(connection)
    connection.close()


def test_numbers_never_begin_again(armed: tuple[sqlite3.Connection, SourceSchema]) -> None:
    """Neither forgetting what was applied nor arming anew gives a number twice: a reader would pass the change over."""
    connection, schema = armed
    connection.execute("INSERT INTO Loose VALUES ('1'), ('2'), ('3')")
    top = capture.position(connection)
    capture.forget(connection, top)
    assert capture.changes(connection, 0, 10).entries == 1
    capture.arm(connection, schema, KEYS, "t")
    assert capture.position(connection) == top
    connection.execute("INSERT INTO Loose VALUES ('4')")
    assert capture.changes(connection, top, 10).whole == ("Loose",)


def test_a_rebuilt_table_is_missed(armed: tuple[sqlite3.Connection, SourceSchema]) -> None:
    """A migration that rebuilds a table, as Prisma's do, drops our triggers silently; that is seen, by table."""
    connection, schema = armed
    version = capture.schema_version(connection)
    assert capture.lost(connection, schema) == ()
    connection.executescript(
        "CREATE TABLE new_Service (id TEXT PRIMARY KEY, name TEXT UNIQUE, price REAL);"
        "INSERT INTO new_Service SELECT * FROM Service; DROP TABLE Service; ALTER TABLE new_Service RENAME TO Service"
    )
    assert capture.schema_version(connection) != version
    assert capture.lost(connection, schema) == ("Service",)
    connection.execute("DROP TRIGGER zenni_tui_change_2_after_delete")
    assert capture.lost(connection, schema) == ("Service", "Booking %s")


def test_a_long_log_is_read_in_parts(armed: tuple[sqlite3.Connection, SourceSchema]) -> None:
    """A burst of changes is read in parts, each telling how many rows of the log are left."""
    connection, _ = armed
    connection.executemany("INSERT INTO Pair VALUES (?, 'x', NULL)", [(i,) for i in range(50)])
    first = capture.changes(connection, 0, 30)
    rest = capture.changes(connection, first.upto, 30)
    assert (first.entries, first.left, rest.left) == (30, capture.position(connection) - first.upto, 0)
    keys: Mapping[str, tuple[capture.Key, ...]] = first.keys
    assert {*keys["Pair"], *rest.keys["Pair"]} == {("x", i) for i in range(50)}


def test_nobody_sees_what_is_ours(tmp_path: Path) -> None:
    """An armed and frozen file declares what it declared before, and a rehearsal of the one is one of the other."""
    plain, armed = tmp_path / "plain.db", tmp_path / "armed.db"
    schema = make(plain)
    make(armed)
    with contextlib.closing(live.open_live(armed)) as file:
        capture.arm(file, schema, KEYS, "t")
        freeze.freeze(file)
    assert schema_of(armed) == schema_of(plain)
    plan = Plan("public", ())
    assert rehearsals.shape(plan, schema_of(armed)) == rehearsals.shape(plan, schema_of(plain))
    with contextlib.closing(live.open_live(armed)) as file:
        assert live.clear(file) > 0
        with contextlib.closing(live.open_live(plain)) as other:
            assert dump(file) == dump(other)


def test_a_file_bears_the_token_of_its_arming(armed: tuple[sqlite3.Connection, SourceSchema]) -> None:
    """Which arming a run relies on is told by the file itself, as long as it is armed."""
    connection, schema = armed
    assert capture.armed(connection) == "t"
    capture.arm(connection, schema, KEYS, "another")
    assert capture.armed(connection) == "another"
    capture.disarm(connection)
    assert capture.armed(connection) is None
