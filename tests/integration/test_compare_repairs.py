"""Repairs, quarantine, zones and computed columns, compared between a real SQLite file and a real PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from zenni_tui.compare.extra import find_extra
from zenni_tui.compare.multiset import compare_multiset
from zenni_tui.compare.records import Difference, DifferenceKind, SpanComparison
from zenni_tui.compare.repair import Delete, deletion, orders
from zenni_tui.compare.rows import compare_counts, compare_span
from zenni_tui.compare.session import pin_session
from zenni_tui.model.plan import (
    Clearing,
    ColumnPlan,
    EnumPlan,
    KeyPlan,
    Kind,
    Reference,
    Span,
    TablePlan,
    TargetType,
    ValueRepair,
)

Target = psycopg.Connection[tuple[Any, ...]]
WHOLE = Span(0, 0)
STATE = EnumPlan("state", ("ok", "bad"))


def column(name: str, kind: Kind, *repairs: ValueRepair, size: int | None = None) -> ColumnPlan:
    """Return a column of the same name on both sides."""
    enum = "state" if kind is Kind.ENUM else None
    return ColumnPlan(name, name, TargetType(kind, size, enum=enum), repairs=repairs)


ID = column("id", Kind.INTEGER)
NOTE = column("note", Kind.TEXT)


def keyed(*columns: ColumnPlan, key: str = "id", quarantine: tuple[int, ...] = ()) -> TablePlan:
    """Return the table `t` with a primary key."""
    return TablePlan("t", "t", columns, KeyPlan("t_pkey", (key,)), quarantine=quarantine)


@pytest.fixture
def target(database: dict[str, str]) -> Iterator[Target]:
    """Yield a pinned session of the test's own database."""
    with psycopg.connect(**database, autocommit=True) as connection:  # type: ignore[arg-type]
        pin_session(connection)
        yield connection


@pytest.fixture
def source(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield an SQLite file of the test's own."""
    connection = sqlite3.connect(tmp_path / "source.db")
    yield connection
    connection.close()


def span(source: sqlite3.Connection, target: Target, table: TablePlan, part: Span = WHOLE) -> SpanComparison:
    """Compare a span of the test's table."""
    return compare_span(source, target, "public", table, part, enums=(STATE,))


REPAIRED = keyed(
    ID,
    column("note", Kind.TEXT, ValueRepair("text_nul", "strip_nul"), ValueRepair("text_not_utf8", "utf8_cp1252")),
    column("state", Kind.ENUM, ValueRepair("enum_unknown", "to_value", "bad")),
    column("size", Kind.INTEGER, ValueRepair("not_an_integer", "to_null")),
)


def test_repaired_values_are_compared_as_repaired_and_counted(source: sqlite3.Connection, target: Target) -> None:
    """Three rows hold four values that the operator let be repaired; the fourth row is as it was."""
    source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note, state, size)")
    source.execute("INSERT INTO t VALUES (1, CAST(x'8000' AS TEXT), 'ok', 'n/a'), (2, 'x', 'odd', 2)")
    source.execute("INSERT INTO t VALUES (3, CAST(x'e9' AS TEXT), 'ok', 3), (4, 'é', 'ok', 4)")
    target.execute("CREATE TYPE state AS ENUM ('ok', 'bad')")
    target.execute("CREATE TABLE t (id integer PRIMARY KEY, note text, state state, size integer)")
    target.execute(
        "INSERT INTO t VALUES (1, '€', 'ok', NULL), (2, 'x', 'bad', 2), (3, 'é', 'ok', 3), (4, 'é', 'ok', 4)"
    )
    assert span(source, target, REPAIRED) == SpanComparison(4, 4, 0, rows_repaired=3, values_repaired=4)
    target.execute("UPDATE t SET note = '?' WHERE id = 3; UPDATE t SET size = NULL WHERE id = 4")
    result = span(source, target, REPAIRED)
    assert [(d.key, d.column, d.source_value, d.target_value) for d in result.differences] == [
        ("3", "note", "é", "?"),
        ("4", "size", "4", None),
    ]


def test_an_unrepaired_value_stays_a_difference(source: sqlite3.Connection, target: Target) -> None:
    """A repair for one finding is none for another, and bytes outside the code page have no reading."""
    source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note)")
    source.execute("INSERT INTO t VALUES (1, CAST(x'81' AS TEXT)), (2, x'61')")
    target.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    target.execute("INSERT INTO t VALUES (1, ''), (2, 'a')")
    result = span(source, target, keyed(*REPAIRED.columns[:2]))
    assert (result.rows_differing, result.values_repaired) == (2, 1)


def test_rows_are_found_by_their_repaired_key(source: sqlite3.Connection, target: Target, tmp_path: Path) -> None:
    """A key that was stripped, decoded or read in a zone is looked up as it became."""
    source.execute("CREATE TABLE t (k TEXT PRIMARY KEY, note TEXT)")
    source.execute("INSERT INTO t VALUES (CAST(x'6100' AS TEXT), 'x'), (CAST(x'e9' AS TEXT), 'y'), ('b', 'z')")
    target.execute("CREATE TABLE t (k text PRIMARY KEY, note text)")
    target.execute("INSERT INTO t VALUES ('a', 'x'), ('é', 'y'), ('b', 'z')")
    key = msgspec.structs.replace(REPAIRED.columns[1], source="k", name="k")
    table = keyed(key, NOTE, key="k")
    assert span(source, target, table) == SpanComparison(3, 3, 0, rows_repaired=2, values_repaired=2)
    assert find_extra(source, target, "public", table, tmp_path / "scratch").differences == ()
    source.executescript("DROP TABLE t; CREATE TABLE t (at TEXT PRIMARY KEY, note TEXT)")
    source.execute("INSERT INTO t VALUES ('2024-07-01 12:00', 'x'), ('2024-03-31 03:30', 'never')")
    target.execute("DROP TABLE t; CREATE TABLE t (at timestamptz PRIMARY KEY, note text)")
    target.execute("INSERT INTO t VALUES ('2024-07-01 12:00+03', 'x')")
    at = msgspec.structs.replace(column("at", Kind.TIMESTAMPTZ), zone="Europe/Helsinki")
    result = span(source, target, keyed(at, NOTE, key="at"))
    assert (result.rows_found, result.rows_differing) == (1, 1)
    assert result.differences[0].source_value is not None
    assert "clocks" in result.differences[0].source_value


def test_only_orphans_lose_their_reference(source: sqlite3.Connection, target: Target, tmp_path: Path) -> None:
    """A composite reference is judged whole, by the parent's collation, with and without a key, beside quarantine."""
    source.executescript(
        """CREATE TABLE up (a INTEGER, b TEXT COLLATE NOCASE, PRIMARY KEY (a, b)); INSERT INTO up VALUES (1, 'k');
        CREATE TABLE t (id INTEGER PRIMARY KEY, x INTEGER, y TEXT);
        INSERT INTO t VALUES (1, 1, 'K'), (2, 1, 'l'), (3, 2, NULL), (4, 2, 'k'), (5, 9, 'z');"""
    )
    target.execute("CREATE TABLE t (id integer PRIMARY KEY, x integer, y text)")
    target.execute("INSERT INTO t VALUES (1, 1, 'K'), (2, 1, NULL), (3, 2, NULL), (4, 2, NULL)")
    refers = Reference(("x", "y"), "up", ("a", "b"))
    whole = keyed(ID, column("x", Kind.INTEGER), column("y", Kind.TEXT), quarantine=(5,))
    table = msgspec.structs.replace(whole, clearings=(Clearing("y", refers),))
    good = SpanComparison(5, 4, 0, rows_quarantined=1, rows_repaired=2, values_repaired=2)
    assert span(source, target, table) == good
    assert find_extra(source, target, "public", table, tmp_path / "scratch").differences == ()
    bare = msgspec.structs.replace(table, key=None)
    unkeyed = compare_multiset(source, target, "public", bare, tmp_path / "scratch")
    assert (unkeyed.rows_differing, unkeyed.rows_repaired) == (0, 2)
    target.execute("UPDATE t SET y = NULL WHERE id = 1; UPDATE t SET y = 'k' WHERE id = 4")
    assert [(d.key, d.source_value, d.target_value) for d in span(source, target, table).differences] == [
        ("1", "K", None),
        ("4", None, "k"),
    ]


@pytest.mark.parametrize(
    ("kind", "text", "value"), [(Kind.DOUBLE, "-0.5", "-0.5"), (Kind.BYTEA, "00fF", "\\x00ff"), (Kind.TEXT, "", "")]
)
def test_a_value_takes_the_place_of_null(
    source: sqlite3.Connection, target: Target, kind: Kind, text: str, value: str
) -> None:
    """Where NULL is forbidden the operator's text is read as the column's type; other rows keep what they hold."""
    source.executescript("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, NULL), (2, NULL)")
    target.execute(f"CREATE TABLE t (id integer PRIMARY KEY, v {kind} NOT NULL)".encode())
    target.execute("INSERT INTO t VALUES (1, %s), (2, %s)", (value, value))
    given = msgspec.structs.replace(column("v", kind, ValueRepair("null_in_not_null", "to_value", text)), not_null=True)
    assert span(source, target, keyed(ID, given)) == SpanComparison(2, 2, 0, rows_repaired=2, values_repaired=2)


@pytest.fixture
def five(source: sqlite3.Connection, target: Target) -> TablePlan:
    """Fill five rows into the source and three of them into the target; the second and fourth are in quarantine."""
    source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)")
    source.executemany("INSERT INTO t VALUES (?, ?)", [(i, f"n{i}") for i in range(1, 6)])
    target.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    target.execute("INSERT INTO t VALUES (1, 'n1'), (3, 'n3'), (5, 'n5')")
    return keyed(ID, NOTE, quarantine=(2, 4))


def test_quarantined_rows_are_counted_and_not_looked_for(
    source: sqlite3.Connection, target: Target, five: TablePlan, tmp_path: Path
) -> None:
    """The target holds the source's rows but those; with a key, by spans, and without one."""
    assert span(source, target, five) == SpanComparison(5, 3, 0, rows_quarantined=2)
    assert span(source, target, five, Span(1, 2, after=3, upto=4)) == SpanComparison(1, 0, 0, rows_quarantined=1)
    counts = compare_counts(source, target, "public", five)
    assert (counts.rows_source, counts.rows_target, counts.rows_quarantined, counts.equal) == (5, 3, 2, True)
    whole = compare_multiset(source, target, "public", msgspec.structs.replace(five, key=None), tmp_path / "scratch")
    assert (whole.rows_source, whole.rows_target, whole.rows_differing, whole.rows_quarantined) == (5, 3, 0, 2)


def test_a_quarantined_row_in_the_target_is_extra(
    source: sqlite3.Connection, target: Target, five: TablePlan, tmp_path: Path
) -> None:
    """Counts differ, and the row is named; a quarantined rowid that the source hasn't got counts for nothing."""
    target.execute("INSERT INTO t VALUES (4, 'n4')")
    assert not compare_counts(source, target, "public", five).equal
    extra = find_extra(source, target, "public", five, tmp_path / "scratch")
    assert [(d.key, d.kind) for d in extra.differences] == [("4", DifferenceKind.EXTRA)]
    whole = compare_multiset(source, target, "public", msgspec.structs.replace(five, key=None), tmp_path / "scratch")
    assert [d.key for d in whole.differences] == ["id=4, note=n4"]
    unknown = msgspec.structs.replace(five, quarantine=(2, 4, 99))
    assert compare_counts(source, target, "public", unknown).rows_quarantined == 2


def test_rows_without_rowid_are_in_quarantine_by_their_place(source: sqlite3.Connection, target: Target) -> None:
    """Places count in the table's own order, from 1, whatever index covers the columns; one past the end is none."""
    source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note) WITHOUT ROWID")
    source.execute("CREATE INDEX i ON t (note DESC)")
    source.execute("INSERT INTO t VALUES (7, 'c'), (3, 'a'), (5, 'b')")
    target.execute("CREATE TABLE t (id integer PRIMARY KEY, note text)")
    target.execute("INSERT INTO t VALUES (5, 'b')")
    table = keyed(ID, NOTE, quarantine=(1, 3, 9))
    assert span(source, target, table) == SpanComparison(3, 1, 0, rows_quarantined=2)
    assert compare_counts(source, target, "public", table).equal
    target.execute("UPDATE t SET id = 3, note = 'a'")
    assert span(source, target, table).rows_differing == 1


def test_values_that_both_servers_compute_are_compared(source: sqlite3.Connection, target: Target) -> None:
    """A generated column, virtual or stored, differs where its expressions mean different things."""
    source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INT AS (id * 2), s TEXT AS ('n' || id) STORED)")
    source.execute("INSERT INTO t VALUES (1), (2)")
    target.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, v integer GENERATED ALWAYS AS (id + 2) STORED,"
        " s text GENERATED ALWAYS AS ('n' || id::text) STORED)"
    )
    target.execute("INSERT INTO t VALUES (1), (2)")
    computed = [
        msgspec.structs.replace(column(n, k), generated="x") for n, k in (("v", Kind.INTEGER), ("s", Kind.TEXT))
    ]
    (difference,) = span(source, target, keyed(ID, *computed)).differences
    assert (difference.key, difference.column, difference.source_value) == ("1", "v", "2")


def mend(source: sqlite3.Connection, target: Target, table: TablePlan, told: tuple[Difference, ...]) -> None:
    """Carry out what is ordered, with rows of `id` and `note` that need no conversion."""
    work = orders(told)
    with target.transaction():
        for delete in work.deletes:
            target.execute(*deletion("public", table, delete))
        for reload in work.reloads:
            for rowid in reload.rowids:
                row = source.execute("SELECT * FROM t WHERE rowid = ?", (rowid,)).fetchone()
                target.execute("INSERT INTO t VALUES (%s, %s)", row)


def test_what_is_ordered_mends_the_target(
    source: sqlite3.Connection, target: Target, five: TablePlan, tmp_path: Path
) -> None:
    """A changed, a lost, a surplus, a doubled and a quarantined row: deleted by key, loaded again, and all is well."""
    target.execute("ALTER TABLE t DROP CONSTRAINT t_pkey, ALTER id DROP NOT NULL")
    target.execute("UPDATE t SET note = 'x' WHERE id = 1; DELETE FROM t WHERE id = 3")
    target.execute("INSERT INTO t VALUES (5, 'n5'), (2, 'n2'), (77, NULL), (NULL, 'lost')")
    extra = find_extra(source, target, "public", five, tmp_path / "scratch")
    mend(source, target, five, (*span(source, target, five).differences, *extra.differences))
    assert span(source, target, five).rows_differing == 0
    assert target.execute("SELECT * FROM t ORDER BY id").fetchall() == [(1, "n1"), (3, "n3"), (5, "n5")]


def test_what_is_ordered_mends_a_table_without_key(source: sqlite3.Connection, target: Target, tmp_path: Path) -> None:
    """Rows are found by all they hold, long texts by their digest, and only those too many go."""
    source.execute("CREATE TABLE t (id, note)")
    source.executemany("INSERT INTO t VALUES (?, ?)", [(1, "a"), (1, "a"), (2, "x" * 900), (3, None)])
    target.execute("CREATE TABLE t (id integer, note text)")
    with target.cursor() as cursor:
        rows = [(1, "a")] * 4 + [(2, "x" * 899 + "y"), (None, None), (3, None)]
        cursor.executemany("INSERT INTO t VALUES (%s, %s)", rows)
    table = TablePlan("t", "t", (ID, NOTE))
    result = compare_multiset(source, target, "public", table, tmp_path / "scratch")
    assert (result.rows_missing, result.rows_extra) == (1, 4)
    mend(source, target, table, result.differences)
    assert compare_multiset(source, target, "public", table, tmp_path / "scratch").rows_differing == 0


KEYS: list[tuple[Kind, Any, str]] = [
    (Kind.TEXT, "it's", "it's"),
    (Kind.TEXT, "k" * 1000, "k" * 1000),
    (Kind.DOUBLE, 0.1, "0.1"),
    (Kind.NUMERIC, "1.50", "1.5"),
    (Kind.BOOLEAN, 1, "true"),
    (Kind.BYTEA, b"\x00\xff", "\\x00ff"),
    (Kind.UUID, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    (Kind.TIMESTAMP, "-000044-03-15T12:00:00.000Z", "0045-03-15 12:00 BC"),
    (Kind.TIMESTAMPTZ, 1_700_000_000_123, "2023-11-14 22:13:20.123+00"),
    (Kind.DATE, "2024-02-29", "2024-02-29"),
    (Kind.TIME, "23:59:59.5", "23:59:59.5"),
    (Kind.JSONB, '{"b": 1, "a": 2}', '{"a": 2, "b": 1}'),
    (Kind.ENUM, "bad", "bad"),
]


@pytest.mark.parametrize("keyless", [False, True])
def test_rows_to_be_deleted_are_found_whatever_their_type(
    source: sqlite3.Connection, target: Target, tmp_path: Path, *, keyless: bool
) -> None:
    """By a key and by their content, no other row goes with them."""
    target.execute("CREATE TYPE state AS ENUM ('ok', 'bad')")
    for kind, stored, literal in KEYS:
        source.executescript("DROP TABLE IF EXISTS t; CREATE TABLE t (k, note)")
        source.execute("INSERT INTO t VALUES (?, 'ours')", (stored,))
        made = "state" if kind is Kind.ENUM else str(kind)
        target.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (k {made}, note text)".encode())
        target.execute(f"INSERT INTO t VALUES (%s::text::{made}, 'theirs'), (NULL, 'n')".encode(), (literal,))
        table = keyed(column("k", kind), NOTE, key="k")
        if keyless:
            table = msgspec.structs.replace(table, key=None)
            found = compare_multiset(source, target, "public", table, tmp_path / "scratch").differences
        else:
            found = span(source, target, table).differences
        theirs = [d for d in found if not d.key.startswith("k=NULL")]
        (delete,) = orders(theirs).deletes
        assert target.execute(*deletion("public", table, delete)).rowcount == 1
        assert target.execute("SELECT note FROM t").fetchall() == [("n",)]


def test_a_whole_table_is_deleted_when_that_is_ordered(target: Target, five: TablePlan) -> None:
    """Without conditions every row goes."""
    assert target.execute(*deletion("public", five, Delete("t"))).rowcount == 3
