"""Rows read as Arrow columns against the same rows read value by value, and against a real PostgreSQL."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zenni_tui.compare import columnar
from zenni_tui.compare.columns import column_reader
from zenni_tui.compare.digest import Piece, compare_part, source_digest
from zenni_tui.compare.rowbytes import SEPARATOR, Undecided, bytes_of, marked
from zenni_tui.compare.session import pin_session
from zenni_tui.model.plan import ColumnPlan, Epoch, Kind, Plan, Span, TablePlan, TargetType, ValueRepair
from zenni_tui.model.schema import SourceColumn, SourceTable, Value
from zenni_tui.source import arrow, audit
from zenni_tui.steps.spelling import Spelling

WHOLE = Span(0, 0)
DATES = st.builds(
    "{:04}-{:02}-{:02}{}".format,
    st.integers(1900, 2100) | st.sampled_from([0, 1, 9, 10, 100, 1000, 9999]),
    st.integers(1, 12) | st.sampled_from([0, 13]),
    st.integers(1, 28) | st.integers(29, 32),
    st.just("")
    | st.builds(
        "{}{:02}:{:02}{}{}".format,
        st.sampled_from(["T", " ", "t"]),
        st.integers(0, 24),
        st.integers(0, 60),
        st.just("")
        | st.builds(":{:02}{}".format, st.integers(0, 60), st.from_regex(r"(\.[0-9]{1,7})?", fullmatch=True)),
        st.sampled_from(
            ["", "Z", "z", " Z", "+00:00", "-00:00", "+02:00", "-15:59", "+16:00", "+02:60", "+0200", "+02"]
        ),
    ),
)
"""Texts of dates that all are, or nearly are, such as the verifier reads."""
TEXTS = st.text(st.sampled_from("aä☃=\x1d\x1e\x1f")) | st.text(st.characters(codec="utf-8", exclude_characters="\0"))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 2) | st.integers(0, 4 * 10**12)
CLASSES: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.TEXT: TEXTS,
    Kind.VARCHAR: TEXTS,
    Kind.JSON: TEXTS,
    Kind.ENUM: TEXTS,
    Kind.SMALLINT: NUMBERS,
    Kind.INTEGER: NUMBERS,
    Kind.BIGINT: NUMBERS,
    Kind.NUMERIC: NUMBERS,
    Kind.BOOLEAN: st.integers(0, 1) | st.just(2),
    Kind.DOUBLE: st.floats(allow_nan=False),
    Kind.BYTEA: st.binary(),
    Kind.TIMESTAMP: NUMBERS | DATES,
    Kind.TIMESTAMPTZ: NUMBERS | DATES,
    Kind.DATE: st.integers(-40_000, 60_000).map(lambda day: day * 86_400_000) | NUMBERS | DATES,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the place of a file with a table that takes every class of value as it is."""
    with closing(sqlite3.connect(tmp_path / "source.db")) as source:
        source.execute("CREATE TABLE sink (a, b, c, d, e, f, g, h)")
    return tmp_path / "source.db"


@pytest.fixture
def source(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to the file."""
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def store(source: sqlite3.Connection, rows: list[tuple[Value, ...]]) -> None:
    """Let the table hold these rows and no others."""
    names = "abcdefgh"[: len(rows[0])]
    source.execute("DELETE FROM sink")
    marks = ", ".join("?" * len(names))
    source.executemany(f"INSERT INTO sink ({', '.join(names)}) VALUES ({marks})", rows)
    source.commit()


def spelling(rows: list[tuple[Value, ...]], columns: tuple[ColumnPlan, ...], most: int = 256) -> Spelling:
    """Return how a table of these rows is read column by column."""
    names = [c.source or "" for c in columns]
    declared = SourceTable("sink", tuple(SourceColumn(c.source or "", str(c.type)) for c in columns))
    profiles = {n: audit.profile(values) for n, values in zip(names, zip(*rows, strict=True), strict=True)}
    table = TablePlan("sink", "Sink", columns)
    return Spelling(declared, table, Plan("public", (table,)), profiles, most)


def by_value(column: ColumnPlan, values: list[Value]) -> list[bytes] | None:
    """Return the bytes of rows of one column as the general way makes them, None where it can't decide."""
    try:
        return bytes_of([marked(column_reader(column)(values), column)], [column])
    except (TypeError, Undecided):
        return None


def by_column(path: Path, column: ColumnPlan, values: list[Value]) -> list[bytes] | None:
    """Return the same as read in lanes; None where it can't decide, raises Declined where there is no such way."""
    classes = columnar.lanes(column, audit.profile(values))
    if not classes:
        raise columnar.Declined
    table = SourceTable("sink", (SourceColumn("a", ""),))
    lanes = [arrow.Lane("a", one if len(classes) > 1 else None) for one in classes]
    with arrow.open_frozen(path) as cursor:
        batch = arrow.read(cursor, table, lanes, WHOLE, 1000)
    part = columnar.part_reader(column, classes)(batch.columns[1:])
    try:
        return [bytes(one) for one in columnar.row_bytes([part], batch.num_rows).to_pylist()]
    except Undecided:
        return None


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(list(CLASSES)), st.sampled_from(Epoch))
def test_the_bytes_are_those_that_single_values_make(
    source: sqlite3.Connection, path: Path, data: st.DataObject, kind: Kind, epoch: Epoch
) -> None:
    """Whatever a lane accepts, it makes byte for byte what reading each value by itself makes."""
    never_null = data.draw(st.booleans())
    column = ColumnPlan("a", "a", TargetType(kind), not_null=never_null, epoch=epoch)
    held = CLASSES[kind] if never_null else st.none() | CLASSES[kind]
    values = data.draw(st.lists(held, min_size=1, max_size=4))
    store(source, [(value,) for value in values])
    try:
        quick = by_column(path, column, values)
    except columnar.Declined:
        return
    assert quick == by_value(column, values)


def test_a_mark_in_two_halves_is_none(source: sqlite3.Connection, path: Path) -> None:
    """Rows of which one ends as the mark between columns begins, and the next begins as it ends, are told apart."""
    column, values = ColumnPlan("a", "a", TargetType(Kind.TEXT), not_null=True), [SEPARATOR[:2], SEPARATOR[2:]]
    store(source, [(value,) for value in values])
    assert by_column(path, column, values) == by_value(column, values) == [value.encode() for value in values]


PLAIN: dict[Kind, list[Value]] = {
    Kind.TEXT: ["", "ä", None, "\x1d"],
    Kind.ENUM: ["x", None],
    Kind.BIGINT: [0, -1, 2**63 - 1, None],
    Kind.NUMERIC: [100, None],
    Kind.BOOLEAN: [0, 1, None],
    Kind.DOUBLE: [0.0, -0.0, 5e-324, float("-inf"), None],
    Kind.BYTEA: [b"", b"\0", None],
    Kind.TIMESTAMP: [
        *(0, -1, 1_700_000_000_123, "2024-02-29", "0100-01-01 00:00", "2024-02-29T23:59:59.999999Z", None),
        *("1969-12-31 23:59:59.9", "9999-12-31T23:59:59-15:59", "0001-01-01 00:00:00+15:59"),
    ],
    Kind.TIMESTAMPTZ: ["2024-02-29 10:00:00.000+00:00"],
    Kind.DATE: [0, -86_400_000, "2024-02-29", "2024-02-29T00:00:00.000Z", None],
}


@pytest.mark.parametrize("kind", PLAIN)
def test_plain_values_go_by_columns(source: sqlite3.Connection, path: Path, kind: Kind) -> None:
    """What databases of applications hold is not declined, and has the same bytes."""
    column = ColumnPlan("a", "a", TargetType(kind))
    store(source, [(value,) for value in PLAIN[kind]])
    assert by_column(path, column, PLAIN[kind]) == by_value(column, PLAIN[kind])


MIXED = (
    ColumnPlan("a", "a", TargetType(Kind.TEXT)),
    ColumnPlan("b", "b", TargetType(Kind.TIMESTAMP)),
    ColumnPlan("c", "c", TargetType(Kind.BIGINT)),
    ColumnPlan("d", "d", TargetType(Kind.TEXT), not_null=True),
    ColumnPlan("e", "e", TargetType(Kind.DOUBLE)),
)
MIXED_ROWS = st.tuples(
    st.none() | TEXTS, st.none() | NUMBERS | DATES, st.none() | NUMBERS, TEXTS, st.none() | st.floats(allow_nan=False)
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(MIXED_ROWS, min_size=1, max_size=4))
def test_rows_that_sqlite_writes_have_the_digest_of_their_values(
    source: sqlite3.Connection, path: Path, rows: list[tuple[Value, ...]]
) -> None:
    """Whatever the columns hold, marks and NULLs beside each other too, and whichever way is taken in the end."""
    store(source, rows)
    found = spelling(rows, MIXED).digest(path, source, WHOLE)
    assert found == source_digest(source, TablePlan("sink", "Sink", MIXED), WHOLE, ())


UNSEEN: list[tuple[str, Value]] = [("a", b"x"), ("c", b"1"), ("d", b"x"), ("d", None), ("a", None), ("c", None)]


@pytest.mark.parametrize(("name", "value"), UNSEEN)
def test_no_value_hides_in_what_sqlite_joins(source: sqlite3.Connection, path: Path, name: str, value: Value) -> None:
    """A BLOB or a NULL of which the audit knew nothing is not taken for the text that SQLite makes of it."""
    rows: list[tuple[Value, ...]] = [("x", 0, 1, "x", 0.5)] * 3
    lanes = spelling(rows, MIXED)
    assert lanes.by_row
    store(source, rows)
    source.execute(f"UPDATE sink SET {name} = ? WHERE rowid = 2", (value,))
    source.commit()
    found = lanes.digest(path, source, WHOLE)
    assert found == source_digest(source, TablePlan("sink", "Sink", MIXED), WHOLE, ())
    assert (found.digest.total is None) == (isinstance(value, bytes) or name == "d")


def test_numbers_could_hide_where_texts_are_no_duty(source: sqlite3.Connection, path: Path) -> None:
    """Of columns that are not declared as text only texts are read in a lane: what else is there shows."""
    columns = (ColumnPlan("a", "a", TargetType(Kind.TEXT), not_null=True),)
    declared = SourceTable("sink", (SourceColumn("a", "STRING"),))
    table = TablePlan("sink", "Sink", columns)
    profiles = {"a": audit.profile(["x"])}
    lanes = Spelling(declared, table, Plan("public", (table,)), profiles, 256)
    assert not lanes.by_row
    store(source, [("x",), (0.1 + 2**-55,)])
    assert lanes.digest(path, source, WHOLE) == source_digest(source, table, WHOLE, ())


COLUMNS = (
    ColumnPlan("a", "id", TargetType(Kind.INTEGER), not_null=True),
    ColumnPlan("b", "at", TargetType(Kind.TIMESTAMP, 3)),
    ColumnPlan("c", "name", TargetType(Kind.TEXT)),
    ColumnPlan("d", "price", TargetType(Kind.DOUBLE)),
    ColumnPlan("e", "made", TargetType(Kind.TIMESTAMPTZ, 3), not_null=True),
    ColumnPlan("f", "doc", TargetType(Kind.JSONB)),
    ColumnPlan("g", "bytes", TargetType(Kind.BYTEA)),
    ColumnPlan("h", "cost", TargetType(Kind.NUMERIC)),
)
TABLE = TablePlan("sink", "Sink", COLUMNS)
MILLIS = 1_700_000_000_000
ROWS: list[tuple[Value, ...]] = [
    (
        i,
        None if i % 5 == 0 else MILLIS + i if i % 2 else f"2024-01-01T00:00:00.{i % 1000:03}Z",
        None if i % 7 == 0 else f"ä{i}",
        (i - 1) / 8,
        MILLIS - i,
        f'{{"n": {i}}}',
        i.to_bytes(2),
        i if i % 2 else i / 4,
    )
    for i in range(1, 1201)
]
ROW = "id integer, at timestamp(3), name text, price float8, made timestamptz(3), doc jsonb, bytes bytea, cost numeric"


@pytest.fixture
def target(database: dict[str, str]) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """Yield a pinned session, with a table that holds what the rows mean."""
    with psycopg.connect(**database, autocommit=True) as connection:  # type: ignore[arg-type]
        pin_session(connection)
        connection.execute(f'CREATE TABLE "Sink" ({ROW})'.encode())
        connection.execute(
            """INSERT INTO "Sink" SELECT i, CASE WHEN i % 5 = 0 THEN NULL
              WHEN i % 2 = 1 THEN timestamp '2023-11-14 22:13:20' + i * interval '1 millisecond'
              ELSE timestamp '2024-01-01' + (i % 1000) * interval '1 millisecond' END,
              CASE WHEN i % 7 <> 0 THEN 'ä' || i END, (i - 1) / 8.0,
              timestamptz '2023-11-14 22:13:20+00' - i * interval '1 millisecond',
              json_build_object('n', i), int2send(i::smallint), CASE WHEN i % 2 = 1 THEN i ELSE i / 4.0 END
            FROM generate_series(1200, 1, -1) AS s (i)"""
        )
        yield connection


def equal(source: sqlite3.Connection, path: Path, target: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Return whether both sides are the same by their digests, the source read in lanes."""
    lanes = spelling(ROWS, COLUMNS)
    read = partial(lanes.digest, path, source)
    part = compare_part(source, target, "public", TABLE, (WHOLE, Piece()), read=read, short={"name"})
    assert lanes.by_row
    assert lanes.by_value == ("doc", "cost")
    assert part.target.total is not None
    assert part.source.digest.total is not None
    return part.equal


def test_lanes_and_single_values_make_one_row(
    source: sqlite3.Connection, path: Path, target: psycopg.Connection[tuple[Any, ...]]
) -> None:
    """A table of columns of both ways has the digest that the target has, and that all values one by one have."""
    store(source, ROWS)
    assert equal(source, path, target)
    assert spelling(ROWS, COLUMNS).digest(path, source, WHOLE) == source_digest(source, TABLE, WHOLE, ())


CHANGES = [
    "UPDATE \"Sink\" SET at = at + interval '1 millisecond' WHERE id = 1199",
    'UPDATE "Sink" SET at = NULL WHERE id = 1',
    "UPDATE \"Sink\" SET at = 'infinity' WHERE id = 5",
    "UPDATE \"Sink\" SET at = '-infinity' WHERE id = 5",
    "UPDATE \"Sink\" SET made = made - interval '1 millisecond' WHERE id = 600",
    "UPDATE \"Sink\" SET name = name || ' ' WHERE id = 257",
    "UPDATE \"Sink\" SET name = '' WHERE id = 7",
    'UPDATE "Sink" SET price = price * (1 + 2.220446049250313e-16) WHERE id = 2',
    'UPDATE "Sink" SET price = \'-0\' WHERE id = 4; UPDATE "Sink" SET price = 0 WHERE id = 4',
    "UPDATE \"Sink\" SET doc = '{}' WHERE id = 1200",
    'UPDATE "Sink" SET bytes = set_bit(bytes, 7, 1 - get_bit(bytes, 7)) WHERE id = 256',
    'UPDATE "Sink" SET cost = cost + 1e-20 WHERE id = 3',
    'DELETE FROM "Sink" WHERE id = 700',
    'INSERT INTO "Sink" SELECT * FROM "Sink" WHERE id = 700',
    'UPDATE "Sink" SET at = made, made = at WHERE id = 11',
    'UPDATE "Sink" SET at = s.at FROM "Sink" s WHERE ("Sink".id, s.id) IN ((1, 3), (3, 1))',
]


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_of_the_target_is_found(
    source: sqlite3.Connection, path: Path, target: psycopg.Connection[tuple[Any, ...]], change: str
) -> None:
    """A bit, a NULL, a microsecond, a row too few or too many in the target: not equal."""
    store(source, ROWS)
    target.execute(change.encode())
    assert not equal(source, path, target)


SOURCE_CHANGES = [
    "UPDATE sink SET b = b + 1 WHERE a = 1199",
    "UPDATE sink SET b = NULL WHERE a = 2",
    "UPDATE sink SET b = 0 WHERE a = 5",
    "UPDATE sink SET c = 'x' WHERE a = 513",
    "UPDATE sink SET c = '' WHERE a = 7",
    "UPDATE sink SET d = -d WHERE a = 2",
    "UPDATE sink SET e = e + 1 WHERE a = 256",
    "UPDATE sink SET f = '[]' WHERE a = 257",
    "UPDATE sink SET g = x'0000' WHERE a = 1200",
    "UPDATE sink SET h = 1.5 WHERE a = 1",
    "DELETE FROM sink WHERE a = 1200",
    "INSERT INTO sink SELECT * FROM sink WHERE a = 1",
]


@pytest.mark.parametrize("change", SOURCE_CHANGES)
def test_one_change_of_the_source_is_found(
    source: sqlite3.Connection, path: Path, target: psycopg.Connection[tuple[Any, ...]], change: str
) -> None:
    """The same for the source, in the first batch of rows, in the last, and where they meet."""
    store(source, ROWS)
    source.execute(change)
    source.commit()
    assert not equal(source, path, target)


def test_a_column_that_turns_out_otherwise_goes_value_by_value(source: sqlite3.Connection, path: Path) -> None:
    """From the batch on in which a date has a shape of its own: the digest stays that of the values."""
    rows: list[tuple[Value, ...]] = [(i, f"2024-01-01T00:00:00{'+02' if i == 300 else 'Z'}", "x") for i in range(900)]
    columns = (
        COLUMNS[0],
        ColumnPlan("b", "at", TargetType(Kind.TIMESTAMP, 3)),
        ColumnPlan("c", "name", TargetType(Kind.TEXT), repairs=(ValueRepair("text_nul", "strip_nul"),)),
    )
    store(source, rows)
    lanes = spelling(rows, columns)
    assert lanes.by_value == ("name",)
    found = lanes.digest(path, source, WHOLE)
    assert found == source_digest(source, TablePlan("sink", "Sink", columns), WHOLE, ())
    assert lanes.by_value == ("at", "name")


@pytest.mark.parametrize("text", [f"a{SEPARATOR}b", SEPARATOR])
def test_a_text_with_the_mark_between_columns_is_undecided(source: sqlite3.Connection, path: Path, text: str) -> None:
    """Such a row could be taken for another one."""
    rows: list[tuple[Value, ...]] = [(1, 0, text)]
    store(source, rows)
    assert spelling(rows, COLUMNS[:3]).digest(path, source, WHOLE).digest.total is None
