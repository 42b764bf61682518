"""Digests of both sides against the comparison of single values, on a real SQLite file and a real PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from zenni_tui.compare.digest import Digest, Part, Piece, compare_part, pieces
from zenni_tui.compare.groups import Sides, compare_groups, condition, differing, holds, rows_within
from zenni_tui.compare.groups import add as add_groups
from zenni_tui.compare.lookup import layout
from zenni_tui.compare.rowbytes import LONG, SEPARATOR
from zenni_tui.compare.rows import compare_counts, compare_span
from zenni_tui.compare.session import pin_session
from zenni_tui.model.plan import ColumnPlan, KeyPlan, Kind, Span, TablePlan, TargetType, ValueRepair
from zenni_tui.model.schema import Value

Target = psycopg.Connection[tuple[Any, ...]]
WHOLE = (Span(0, 0), Piece())
KINDS = {
    "name": (TargetType(Kind.TEXT), False),
    "label": (TargetType(Kind.VARCHAR, 70_000), True),
    "count": (TargetType(Kind.BIGINT), False),
    "price": (TargetType(Kind.DOUBLE), False),
    "active": (TargetType(Kind.BOOLEAN), False),
    "at": (TargetType(Kind.TIMESTAMP, 3), False),
    "day": (TargetType(Kind.DATE), False),
    "bytes": (TargetType(Kind.BYTEA), False),
    "doc": (TargetType(Kind.JSONB), False),
    "cost": (TargetType(Kind.NUMERIC), False),
    "code": (TargetType(Kind.UUID), False),
}
TABLE = TablePlan(
    "sink",
    "Sink",
    (
        ColumnPlan("id", "id", TargetType(Kind.INTEGER), not_null=True),
        *(ColumnPlan(name, name, kind, not_null=never) for name, (kind, never) in KINDS.items()),
    ),
    KeyPlan("Sink_pkey", ("id",)),
)
STORED: dict[str, list[Value]] = {
    "name": [
        None,
        "",
        "=",
        "x",
        "x ",
        "1",
        1,
        1.0,
        0.1,
        0.1 + 2**-55,
        b"x",
        SEPARATOR,
        "\x1f",
        "ä" * LONG,
        "nul\0",
        "☃",
    ],
    "label": ["", "x", "=x", 1, f"a{SEPARATOR}b", "y" * (LONG + 1), "y" * LONG, b"y", None],
    "count": [None, 0, 1, "1", 1.0, 1.5, 2**63 - 1, -(2**63), b"1"],
    "price": [None, 0.0, -0.0, 0, 0.1, 0.1 + 2**-55, 5e-324, float("inf"), "0.1", 2**53 + 1],
    "active": [None, 0, 1, 2, "true", "f", 1.0],
    "at": [
        None,
        0,
        1_700_000_000_123,
        "2023-11-14T22:13:20.123Z",
        "2023-11-14 23:13:20.123+01:00",
        1.5,
        "0",
        b"0",
        10**17,
    ],
    "day": [None, 0, "1970-01-01", 86_400_000, "0001-01-01", 1],
    "bytes": [None, b"", b"\0", b"z" * (LONG + 1), "text"],
    "doc": [None, "[]", '{"b": 1, "a": 2}', '{"a":2,"b":1}', "1.0", 1, "null", "nonsense"],
    "cost": [None, 0, "0.0", "1.50", 1.5, "1e3", 1000, "x"],
    "code": [None, "0" * 32, "00000000-0000-0000-0000-000000000000", "{" + "a" * 32 + "}", "A" * 32, "-"],
}
HELD: dict[str, list[str | None]] = {
    "name": [None, "", "=", "x", "x ", "1", "1.0", "0.1", "0.10000000000000003", SEPARATOR, "\x1f", "ä" * LONG, "☃"],
    "label": ["", "x", "=x", "1", f"a{SEPARATOR}b", "y" * (LONG + 1), "y" * LONG],
    "count": [None, "0", "1", str(2**63 - 1), str(-(2**63))],
    "price": [None, "0", "-0", "0.1", "0.10000000000000003", "5e-324", "Infinity"],
    "active": [None, "false", "true"],
    "at": [None, "1970-01-01", "2023-11-14 22:13:20.123", "infinity", "1970-01-01 00:00:00.002"],
    "day": [None, "1970-01-01", "1970-01-02", "0001-01-01", "infinity"],
    "bytes": [None, "\\x", "\\x00", "\\x" + "7a" * (LONG + 1), "\\x74657874"],
    "doc": [None, "[]", '{"a": 2, "b": 1}', "1.0", "1", "null"],
    "cost": [None, "0", "1.5", "1000", "Infinity"],
    "code": [None, "0" * 32, "a" * 32],
}


@pytest.fixture
def target(database: dict[str, str]) -> Iterator[Target]:
    """Yield a pinned session of the test's own database, with the table that all tests fill."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in KINDS.items())
    with psycopg.connect(**database, autocommit=True) as connection:  # type: ignore[arg-type]
        pin_session(connection)
        connection.execute(f'CREATE TABLE "Sink" (id integer PRIMARY KEY, {columns})'.encode())
        yield connection


@pytest.fixture
def source(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield an SQLite file of the test's own, with a table that takes every class of value as it is."""
    connection = sqlite3.connect(tmp_path / "source.db")
    connection.execute(f"CREATE TABLE sink (id INTEGER PRIMARY KEY, {', '.join(KINDS)})")
    yield connection
    connection.close()


def fill(source: sqlite3.Connection, rows: list[list[Value]], target: Target, held: list[list[str | None]]) -> None:
    """Put rows into both tables, in the target in the opposite order."""
    marks = ", ".join("?" * (len(KINDS) + 1))
    source.execute("DELETE FROM sink")
    source.executemany(f"INSERT INTO sink VALUES ({marks})", [(i, *row) for i, row in enumerate(rows)])
    target.execute('TRUNCATE "Sink"')
    casts = ", ".join(f"%s::text::{kind}" for kind, _ in KINDS.values())
    for i, row in reversed(list(enumerate(held))):
        target.execute(f'INSERT INTO "Sink" VALUES (%s, {casts})'.encode(), (i, *row))


def equal_in_detail(source: sqlite3.Connection, target: Target, table: TablePlan = TABLE) -> bool:
    """Return what the comparison of single values says, counts included."""
    told = compare_span(source, target, "public", table, Span(0, 0))
    return told.rows_differing == 0 and compare_counts(source, target, "public", table).equal


@st.composite
def sides(draw: st.DrawFn) -> tuple[list[list[Value]], list[list[str | None]]]:
    """Draw rows for both sides that mean the same but for some values."""
    stored: list[list[Value]] = []
    held: list[list[str | None]] = []
    for _ in range(draw(st.integers(0, 3))):
        picks = [draw(st.sampled_from(same(name))) for name in KINDS]
        stored.append([pick[0] for pick in picks])
        held.append([pick[1] for pick in picks])
    for _ in range(draw(st.integers(0, 2)) if stored else 0):
        row, column = draw(st.integers(0, len(stored) - 1)), draw(st.sampled_from(range(len(KINDS))))
        name = list(KINDS)[column]
        if draw(st.booleans()):
            stored[row][column] = draw(st.sampled_from(STORED[name]))
        else:
            held[row][column] = draw(st.sampled_from(HELD[name]))
    if held and draw(st.integers(0, 5)) == 0:
        held.pop()
    return stored, held


def same(name: str) -> list[tuple[Value, str | None]]:
    """Return a few values that mean the same on both sides."""
    known: dict[str, list[tuple[Value, str | None]]] = {
        "name": [(None, None), ("", ""), ("=", "="), (1, "1"), ("\x1f", "\x1f"), ("ä" * LONG, "ä" * LONG), ("☃", "☃")],
        "label": [("", ""), ("x", "x"), ("=x", "=x"), (1, "1"), ("y" * (LONG + 1),) * 2, ("y" * LONG,) * 2],
        "count": [(None, None), (0, "0"), ("1", "1"), (1.0, "1"), (-(2**63), str(-(2**63)))],
        "price": [(None, None), (0.0, "0"), (-0.0, "-0"), (0, "0"), (5e-324, "5e-324"), (float("inf"), "Infinity")],
        "active": [(None, None), (0, "false"), ("true", "true"), (1.0, "true")],
        "at": [(None, None), (0, "1970-01-01"), ("2023-11-14 23:13:20.123+01:00", "2023-11-14 22:13:20.123")],
        "day": [(None, None), (0, "1970-01-01"), ("0001-01-01", "0001-01-01"), (86_400_000, "1970-01-02")],
        "bytes": [(None, None), (b"", "\\x"), (b"z" * (LONG + 1), "\\x" + "7a" * (LONG + 1)), ("text", "\\x74657874")],
        "doc": [(None, None), ('{"b": 1, "a": 2}', '{"a": 2, "b": 1}'), ("1.0", "1.0"), ("null", "null")],
        "cost": [(None, None), ("0.0", "0"), (1.5, "1.5"), ("1e3", "1000")],
        "code": [(None, None), ("0" * 32, "0" * 32), ("{" + "a" * 32 + "}", "a" * 32), ("A" * 32, "a" * 32)],
    }
    return known[name]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sides())
def test_digests_say_what_the_values_say(
    source: sqlite3.Connection, target: Target, drawn: tuple[list[list[Value]], list[list[str | None]]]
) -> None:
    """Whatever is stored: digests are equal only if all values are, and unequal or undecided if one is not."""
    fill(source, drawn[0], target, drawn[1])
    decided = compare_part(source, target, "public", TABLE, WHOLE)
    marked = any(isinstance(value, str) and SEPARATOR in value for row in drawn[0] for value in row)
    assert decided.equal == (equal_in_detail(source, target) and not marked)


@pytest.mark.parametrize("name", KINDS)
def test_each_value_meets_each_other(source: sqlite3.Connection, target: Target, name: str) -> None:
    """No stored value of a column is taken for one that the target holds in its place, unless it means the same."""
    column = next(c for c in TABLE.columns if c.name == name)
    table = TablePlan("sink", "Sink", (TABLE.columns[0], column), TABLE.key)
    equals = 0
    for held in HELD[name]:
        target.execute('TRUNCATE "Sink"')
        target.execute(f'INSERT INTO "Sink" (id, {name}) VALUES (0, %s::text::{KINDS[name][0]})'.encode(), (held,))
        for stored in STORED[name]:
            source.execute("DELETE FROM sink")
            source.execute(f"INSERT INTO sink (id, {name}) VALUES (0, ?)", (stored,))
            if isinstance(stored, str) and SEPARATOR in stored:
                assert not compare_part(source, target, "public", table, WHOLE).equal
                continue
            equal = compare_part(source, target, "public", table, WHOLE).equal
            assert equal == equal_in_detail(source, target, table), (stored, held)
            equals += equal
    assert equals


def numbered(source: sqlite3.Connection, target: Target) -> list[Part]:
    """Fill a thousand rows, in the target from the last to the first, and read them in ten parts."""
    source.executemany("INSERT INTO sink (id, name, label) VALUES (?1, ?1, 'x')", [(i,) for i in range(1, 1001)])
    query = "INSERT INTO \"Sink\" (id, name, label) SELECT i, i, 'x' FROM generate_series(1000, 1, -1) AS s (i)"
    target.execute(query)
    return read(source, target)


def read(source: sqlite3.Connection, target: Target) -> list[Part]:
    """Read the thousand rows in ten parts, whose spans and pieces hold different rows."""
    cuts: list[Piece | None] = list(pieces(target, "public", {"Sink": 3})["Sink"])
    spans = [Span(i, 100, i * 100 or None, i * 100 + 100 if i < 9 else None) for i in range(10)]
    cuts += [None] * (10 - len(cuts))
    return [compare_part(source, target, "public", TABLE, where) for where in zip(spans, cuts, strict=True)]


def test_parts_add_up_to_the_whole(source: sqlite3.Connection, target: Target) -> None:
    """Rows that lie in another order, and are read in parts that don't match, have equal digests in the end."""
    parts = numbered(source, target)
    assert sum(part.target.rows > 0 for part in parts) > 1
    assert not any(part.equal for part in parts)
    whole = reduce(add, parts)
    assert whole.equal
    assert (whole.source.digest.rows, whole.target.rows) == (1000, 1000)
    assert whole == compare_part(source, target, "public", TABLE, WHOLE)


CHANGES = [
    'DELETE FROM "Sink" WHERE id = 500',
    "INSERT INTO \"Sink\" (id, name, label) VALUES (1001, 'x', 'x')",
    "UPDATE \"Sink\" SET label = 'y' WHERE id = 7",
    "UPDATE \"Sink\" SET name = CASE id WHEN 1 THEN '2' ELSE '1' END WHERE id IN (1, 2)",
    'UPDATE "Sink" SET id = 2000 WHERE id = 3',
    'DELETE FROM "Sink" WHERE id = 4; INSERT INTO "Sink" SELECT 1001, name, label FROM "Sink" WHERE id = 5',
    'ALTER TABLE "Sink" ALTER count TYPE integer',
]


@pytest.mark.parametrize("change", CHANGES)
def test_one_row_makes_a_difference(source: sqlite3.Connection, target: Target, change: str) -> None:
    """A row too few, too many, changed, swapped, of another key, or a column of another type: not equal."""
    numbered(source, target)
    target.execute(change.encode())
    assert not reduce(add, read(source, target)).equal


def test_a_null_is_no_text_that_goes_on_in_the_next_column(source: sqlite3.Connection, target: Target) -> None:
    """In a column that should hold no NULL one can't be made up for by a separator in the next one."""
    columns = tuple(ColumnPlan(n, n, TargetType(Kind.TEXT), not_null=True) for n in ("a", "b", "c"))
    source.execute("CREATE TABLE three (a, b, c)")
    source.execute("INSERT INTO three VALUES ('x', 'y', 'z')")
    target.execute("CREATE TABLE three (a text, b text, c text)")
    target.execute("INSERT INTO three VALUES ('x', NULL, %s)", (f"y{SEPARATOR}z",))
    assert not compare_part(source, target, "public", TablePlan("three", "three", columns), WHOLE).equal


def test_repaired_and_quarantined_rows_are_counted(source: sqlite3.Connection, target: Target) -> None:
    """Rows kept out are not in the digest, repaired ones are as repaired; both are counted."""
    source.executemany("INSERT INTO sink (id, name, label) VALUES (?, ?, 'x')", [(1, "a\0b"), (2, "c"), (3, "d")])
    target.execute("INSERT INTO \"Sink\" (id, name, label) VALUES (1, 'ab', 'x'), (3, 'd', 'x')")
    name = ColumnPlan("name", "name", TargetType(Kind.TEXT), repairs=(ValueRepair("text_nul", "strip_nul"),))
    table = TablePlan("sink", "Sink", (TABLE.columns[0], name), TABLE.key, quarantine=(2,))
    part = compare_part(source, target, "public", table, WHOLE)
    assert part.equal
    assert (part.source.digest.rows, part.source.rows_quarantined, part.source.rows_repaired) == (2, 1, 1)


def test_a_table_of_many_columns_has_a_digest(source: sqlite3.Connection, target: Target) -> None:
    """More columns than a function takes arguments are joined all the same."""
    names = [f"c{i}" for i in range(300)]
    source.execute(f"CREATE TABLE wide ({', '.join(names)})")
    source.execute(f"INSERT INTO wide VALUES ({', '.join(map(str, range(300)))})")
    target.execute(f"CREATE TABLE wide ({', '.join(f'{n} int' for n in names)})".encode())
    target.execute(f"INSERT INTO wide VALUES ({', '.join(map(str, range(300)))})".encode())
    table = TablePlan("wide", "wide", tuple(ColumnPlan(n, n, TargetType(Kind.INTEGER)) for n in names))
    assert compare_part(source, target, "public", table, WHOLE).equal
    target.execute("UPDATE wide SET c299 = NULL")
    assert not compare_part(source, target, "public", table, WHOLE).equal


def test_what_is_undecided_stays_so() -> None:
    """No sum with an undecided part is decided, and two undecided ones are not equal."""
    unsure = Digest(1, None)
    assert Digest(1, "a") + unsure == Digest(2, None)
    assert not Part(target=unsure).equal


def grouped(source: sqlite3.Connection, target: Target, table: TablePlan) -> Sides:
    """Return the groups of both sides, each read in two parts."""
    shape = layout(target, "public", table)
    cuts = list(pieces(target, "public", {table.name: 2})[table.name])
    made = Sides({}, {})
    for where in ((Span(0, 0, None, 500), cuts[0]), (Span(1, 0, 500), None), *((None, cut) for cut in cuts[1:])):
        sides = compare_groups(source, target, shape, table, where, key=(0, 1), enums=())
        add_groups(made.source, sides.source)
        add_groups(made.target, sides.target)
    return made


def test_a_row_falls_into_the_same_group_on_both_sides(source: sqlite3.Connection, target: Target) -> None:
    """Whatever its key holds, NULL too: only the group of the row that differs is not the same, and it is found."""
    columns = tuple(
        ColumnPlan(n, n, TargetType(kind), not_null=never)
        for n, kind, never in (("k", Kind.TEXT, True), ("n", Kind.BIGINT, False), ("v", Kind.TEXT, False))
    )
    table = TablePlan("three", "three", columns, KeyPlan("three_pkey", ("k", "n")))
    source.execute("CREATE TABLE three (k, n, v)")
    target.execute("CREATE TABLE three (k text NOT NULL, n bigint, v text)")
    rows = [(f"ä☃{i}", i if i % 3 else None, "v") for i in range(1000)]
    source.executemany("INSERT INTO three VALUES (?, ?, ?)", rows)
    with target.cursor() as cursor:
        cursor.executemany("INSERT INTO three VALUES (%s, %s, %s)", rows[::-1])
    sides = grouped(source, target, table)
    assert (differing(sides), sum(n for n, _ in sides.target.values())) == ([], 1000)
    target.execute("UPDATE three SET v = NULL WHERE k = 'ä☃600'")
    (group,) = differing(grouped(source, target, table))
    rowids = rows_within(source, table, Span(0, 0), {group}, key=(0, 1))
    held = holds(columns[:2], {group})
    assert rowids == [i + 1 for i, row in enumerate(rows) if held((row[0], row[1] and str(row[1])))]
    assert 601 in rowids
    there = condition(columns[:2], layout(target, "public", table).expressions[:2], [group])
    found = target.execute(sql.SQL("SELECT k FROM three AS t{}").format(there)).fetchall()
    assert {k for (k,) in found} == {rows[rowid - 1][0] for rowid in rowids}
