"""Rows compared between a real SQLite file and a real PostgreSQL, both filled by hand."""

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from zenni_tui.compare.expressions import canonical_sql
from zenni_tui.compare.extra import find_extra
from zenni_tui.compare.multiset import compare_multiset
from zenni_tui.compare.records import KEPT_DIFFERENCES, Difference, DifferenceKind, Part, SpanComparison
from zenni_tui.compare.rows import compare_counts, compare_span
from zenni_tui.compare.session import pin_session
from zenni_tui.compare.source import batches
from zenni_tui.compare.values import canonical
from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import ColumnPlan, KeyPlan, Kind, Span, TablePlan, TargetType
from zenni_tui.model.schema import Value

Target = psycopg.Connection[tuple[Any, ...]]
WHOLE = Span(0, 0)
SINK = TablePlan(
    "sink",
    "Sink",
    (
        ColumnPlan("id", "id", TargetType(Kind.INTEGER)),
        ColumnPlan("name", "name", TargetType(Kind.TEXT)),
        ColumnPlan("price", "price", TargetType(Kind.DOUBLE)),
        ColumnPlan("active", "active", TargetType(Kind.BOOLEAN)),
        ColumnPlan("at", "at", TargetType(Kind.TIMESTAMP, 3)),
        ColumnPlan("bytes", "bytes", TargetType(Kind.BYTEA)),
        ColumnPlan("doc", "doc", TargetType(Kind.JSONB)),
        ColumnPlan("cost", "cost", TargetType(Kind.NUMERIC)),
    ),
    KeyPlan("Sink_pkey", ("id",)),
)
ROWS: list[tuple[Value, ...]] = [
    (1, "Ääkkönen", 0.0, 1, 1_700_000_000_123, b"\x00\x01", '{"b": 1, "a": 2}', 1.5),
    (2, "", -0.0, 0, "2023-11-14T22:13:20.123+00:00", b"", "[]", 10),
    (3, None, None, None, None, None, None, None),
    (4, "x" * 100_000, 1e300, 1, -62_135_596_800_000, b"z" * 100_000, '"s"', "0.10"),
    (5, "line\n\ttab", float("inf"), 0, "-000044-03-15T12:00:00.000Z", b"\xff", "1.50", 12345678901234567890.0),
]
TARGET_ROWS = [
    (1, "Ääkkönen", "0", True, "2023-11-14 22:13:20.123", b"\x00\x01", '{"a": 2, "b": 1}', "1.50"),
    (2, "", "-0", False, "2023-11-14 22:13:20.123", b"", "[]", "10"),
    (3, None, None, None, None, None, None, None),
    (4, "x" * 100_000, "1e300", True, "0001-01-01 00:00:00", b"z" * 100_000, '"s"', "0.1"),
    (5, "line\n\ttab", "inf", False, "0045-03-15 12:00:00 BC", b"\xff", "1.50", "12345678901234567000"),
]


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


@pytest.fixture
def sink(source: sqlite3.Connection, target: Target) -> None:
    """Fill the same five rows on both sides."""
    source.execute("CREATE TABLE sink (id INTEGER PRIMARY KEY, name, price, active, at, bytes BLOB, doc, cost)")
    source.executemany("INSERT INTO sink VALUES (?, ?, ?, ?, ?, ?, ?, ?)", ROWS)
    target.execute(
        'CREATE TABLE "Sink" (id integer PRIMARY KEY, name text, price double precision, active boolean,'
        " at timestamp(3), bytes bytea, doc jsonb, cost numeric)"
    )
    with target.cursor() as cursor:
        cursor.executemany('INSERT INTO "Sink" VALUES (%s, %s, %s::text::float8, %s, %s, %s, %s, %s)', TARGET_ROWS)


def span(source: sqlite3.Connection, target: Target, table: TablePlan = SINK, part: Span = WHOLE) -> SpanComparison:
    """Compare a span of the test's table."""
    return compare_span(source, target, "public", table, part)


@pytest.mark.usefixtures("sink")
def test_equal_tables_have_no_difference(source: sqlite3.Connection, target: Target) -> None:
    """Dates as numbers and texts, both zeros, infinity, NULL, long values and reordered JSON are the same rows."""
    assert span(source, target) == SpanComparison(5, 5, 0)
    assert compare_counts(source, target, "public", SINK).equal
    assert source.text_factory is str


@pytest.mark.usefixtures("sink")
def test_spans_cover_their_rowids_only(source: sqlite3.Connection, target: Target) -> None:
    """A span begins after one rowid and includes its last."""
    target.execute('UPDATE "Sink" SET name = %s WHERE id IN (1, 2, 4)', ("changed",))
    result = span(source, target, part=Span(1, 2, after=1, upto=3))
    assert (result.rows_source, result.rows_found, result.rows_differing) == (2, 2, 1)
    assert [d.key for d in result.differences] == ["2"]


CHANGES = [
    ("name = name || ' '", "name", "Ääkkönen", "Ääkkönen "),
    ("price = '-0'", "price", "0.0", "-0.0"),
    ("price = 0.1::float4", "price", "0.0", "0.10000000149011612"),
    ("active = false", "active", "true", "false"),
    ("at = at + interval '1 millisecond'", "at", "2023-11-14 22:13:20.123", "2023-11-14 22:13:20.124"),
    ("at = 'infinity'", "at", "2023-11-14 22:13:20.123", "infinity"),
    ("at = NULL", "at", "2023-11-14 22:13:20.123", None),
    ("cost = 1.51", "cost", "1.5", "1.51"),
    ('doc = \'{"a": 2, "b": 1.0}\'', "doc", '{"a": 2, "b": 1}', '{"a": 2, "b": 1.0}'),
]


@pytest.mark.usefixtures("sink")
def test_one_changed_value_is_named(source: sqlite3.Connection, target: Target) -> None:
    """A blank, the sign of a zero, a millisecond: table, key, column and both values are told."""
    for change, column, ours, theirs in CHANGES:
        before = f'CREATE TABLE kept AS SELECT * FROM "Sink"; UPDATE "Sink" SET {change} WHERE id = 1'
        target.execute(before.encode())
        result = span(source, target)
        assert result.rows_differing == 1
        (told,) = result.differences
        assert told == Difference("Sink", "1", column, ours, theirs, DifferenceKind.DIFFERS, 1, (Part("id", "1"),))
        target.execute('DELETE FROM "Sink"; INSERT INTO "Sink" SELECT * FROM kept; DROP TABLE kept')


@pytest.mark.usefixtures("sink")
def test_one_bit_in_a_long_blob_is_noticed(source: sqlite3.Connection, target: Target) -> None:
    """One bit of a hundred thousand bytes makes another digest."""
    target.execute('UPDATE "Sink" SET bytes = set_bit(bytes, 500, 1 - get_bit(bytes, 500)) WHERE id = 4')
    (difference,) = span(source, target).differences
    assert (difference.key, difference.column) == ("4", "bytes")
    assert difference.source_value != difference.target_value


@pytest.mark.usefixtures("sink")
def test_a_long_text_is_shown_where_it_parts(source: sqlite3.Connection, target: Target) -> None:
    """A changed letter deep in a long text stands in the piece that is shown."""
    target.execute('UPDATE "Sink" SET name = overlay(name placing %s from 70000) WHERE id = 4', ("Q",))
    (difference,) = span(source, target).differences
    assert difference.target_value is not None
    assert "Q" in difference.target_value
    assert len(difference.target_value) < 500


@pytest.mark.usefixtures("sink")
def test_swapped_values_are_two_rows_that_differ(source: sqlite3.Connection, target: Target) -> None:
    """Sums and counts stay the same when two rows swap a value; the rows don't."""
    target.execute('UPDATE "Sink" SET name = CASE id WHEN 1 THEN %s ELSE %s END WHERE id IN (1, 2)', ("", "Ääkkönen"))
    result = span(source, target)
    assert result.rows_differing == 2
    assert [(d.key, d.column, d.source_value, d.target_value) for d in result.differences] == [
        ("1", "name", "Ääkkönen", ""),
        ("2", "name", "", "Ääkkönen"),
    ]


@pytest.mark.usefixtures("sink")
def test_missing_and_extra_rows_are_named(source: sqlite3.Connection, target: Target, tmp_path: Path) -> None:
    """A lost row is missing; one that the source hasn't got is found by its key, even when the counts agree."""
    target.execute('UPDATE "Sink" SET id = 77 WHERE id = 2')
    result = span(source, target)
    assert (result.rows_source, result.rows_found, result.rows_differing) == (5, 4, 1)
    (told,) = result.differences
    assert told == Difference("Sink", "2", None, None, None, DifferenceKind.MISSING, 2, (Part("id", "2"),))
    scratch = tmp_path / "scratch"
    extra = find_extra(source, target, "public", SINK, scratch)
    assert (extra.rows_extra, extra.rows_missing) == (1, 1)
    assert [(d.key, d.kind) for d in extra.differences] == [
        ("77", DifferenceKind.EXTRA),
        ("2", DifferenceKind.MISSING),
    ]
    assert not scratch.exists()


@pytest.mark.usefixtures("sink")
def test_a_key_held_twice_by_the_target_is_noticed(source: sqlite3.Connection, target: Target, tmp_path: Path) -> None:
    """Without its primary key the target can hold a row twice: the surplus is counted and named."""
    target.execute('ALTER TABLE "Sink" DROP CONSTRAINT "Sink_pkey"')
    target.execute('INSERT INTO "Sink" SELECT * FROM "Sink" WHERE id = 3')
    counts = compare_counts(source, target, "public", SINK)
    assert (counts.rows_source, counts.rows_target, counts.equal) == (5, 6, False)
    result = span(source, target)
    assert [(d.key, d.kind) for d in result.differences] == [("3", DifferenceKind.EXTRA)]
    assert find_extra(source, target, "public", SINK, tmp_path / "scratch").rows_extra == 1


@pytest.mark.usefixtures("sink")
def test_columns_of_another_type_are_differences_not_errors(source: sqlite3.Connection, target: Target) -> None:
    """A boolean that became an integer and a timestamp that became text differ in every row that has a value."""
    target.execute('ALTER TABLE "Sink" ALTER active TYPE integer USING active::integer, ALTER at TYPE text')
    result = span(source, target)
    assert result.rows_differing == 4
    assert {d.column for d in result.differences} == {"active", "at"}
    target.execute('ALTER TABLE "Sink" DROP COLUMN at')
    assert {d.target_value for d in span(source, target).differences if d.column == "at"} == {"(no such column)"}


@pytest.mark.usefixtures("sink")
def test_a_missing_table_says_what_to_do(source: sqlite3.Connection, target: Target) -> None:
    """The comparison can't be made, and says why."""
    target.execute('DROP TABLE "Sink"')
    with pytest.raises(StepFailed) as raised:
        span(source, target)
    assert raised.value.where == "public.Sink"


def test_texts_that_postgresql_cannot_hold_are_differences(source: sqlite3.Connection, target: Target) -> None:
    """NUL and invalid UTF-8 have no reading, in a value as in a key; a backslash-u0000 written out has one."""
    source.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)")
    source.execute("INSERT INTO t VALUES ('a', CAST(x'61ff' AS TEXT)), ('b', CAST(x'610062' AS TEXT))")
    source.execute("INSERT INTO t VALUES (CAST(x'6300' AS TEXT), 'x'), (CAST(x'ff' AS TEXT), 'y'), (NULL, 'z')")
    source.execute("INSERT INTO t VALUES ('\\u0000', 'fine'), ('d', x'64')")
    target.execute("CREATE TABLE t (k text PRIMARY KEY, v text)")
    target.execute("INSERT INTO t VALUES ('a', 'a?'), ('b', 'ab'), ('c', 'x'), ('\\u0000', 'fine'), ('d', 'd')")
    kinds = [ColumnPlan(name, name, TargetType(Kind.TEXT)) for name in ("k", "v")]
    result = span(source, target, TablePlan("t", "t", tuple(kinds), KeyPlan("t_pkey", ("k",))))
    assert (result.rows_source, result.rows_found, result.rows_differing) == (7, 4, 6)
    told = {d.key: (d.kind.value, d.source_value) for d in result.differences}
    assert told["a"] == ("differs", "'a\\udcff' (text that is not valid UTF-8)")
    assert told["b"] == ("differs", "'a\\x00b' (text with NUL, which PostgreSQL cannot hold)")
    assert told["d"] == ("differs", "x'64' (a BLOB in a column of text)")
    assert [d.kind for d in result.differences].count(DifferenceKind.MISSING) == 3


KEYED: list[tuple[TargetType, Value, str]] = [
    (TargetType(Kind.TIMESTAMP, 3), 1_700_000_000_123, "2023-11-14 22:13:20.123"),
    (TargetType(Kind.TIMESTAMP), "-000044-03-15T12:00:00.000Z", "0045-03-15 12:00 BC"),
    (TargetType(Kind.TIMESTAMPTZ), "2023-11-14T22:13:20+02:00", "2023-11-14 20:13:20+00"),
    (TargetType(Kind.TIMESTAMPTZ), "-000044-03-15T12:00:00.000Z", "0045-03-15 12:00+00 BC"),
    (TargetType(Kind.DATE), "2024-02-29", "2024-02-29"),
    (TargetType(Kind.TIME), "23:59:59.5", "23:59:59.5"),
    (TargetType(Kind.DOUBLE), 0.1, "0.1"),
    (TargetType(Kind.NUMERIC), "12.50", "12.5"),
    (TargetType(Kind.NUMERIC, 6, 2), 12.5, "12.5"),
    (TargetType(Kind.BIGINT), 2**62, str(2**62)),
    (TargetType(Kind.SMALLINT), 7, "7"),
    (TargetType(Kind.UUID), "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    (TargetType(Kind.BYTEA), b"\x00\xff", "\\x00ff"),
    (TargetType(Kind.BOOLEAN), 1, "true"),
    (TargetType(Kind.VARCHAR, 20), 'it\'s "so"', 'it\'s "so"'),
    (TargetType(Kind.CHAR, 9), "ab ", "ab"),
    (TargetType(Kind.JSONB), '{"b": 1, "a": 2}', '{"a": 2, "b": 1}'),
]


@pytest.mark.parametrize("key", [("a",), ("b", "a")])
def test_keys_of_every_type_find_their_rows(
    source: sqlite3.Connection, target: Target, tmp_path: Path, key: tuple[str, ...]
) -> None:
    """A single and a composite key are looked up whatever their type; a key outside the type is just missing."""
    for kind, stored, literal in KEYED:
        source.executescript("DROP TABLE IF EXISTS t; CREATE TABLE t (a, b, v)")
        source.executemany("INSERT INTO t VALUES (?, ?, ?)", [(stored, 1, "x"), ("nonsense" * 9, 2, "y")])
        make = f"DROP TABLE IF EXISTS t; CREATE TABLE t (a {kind}, b integer, v text, PRIMARY KEY (b, a))"
        target.execute(make.encode())
        target.execute(f"INSERT INTO t VALUES (%s::text::{kind}, 1, 'x')".encode(), (literal,))
        columns = (
            ColumnPlan("a", "a", kind),
            ColumnPlan("b", "b", TargetType(Kind.INTEGER)),
            ColumnPlan("v", "v", TargetType(Kind.TEXT)),
        )
        table = TablePlan("t", "t", columns, KeyPlan("t_pkey", key))
        result = span(source, target, table)
        assert (result.rows_source, result.rows_found, result.rows_differing) == (2, 1, 1)
        extra = find_extra(source, target, "public", table, tmp_path / "scratch")
        assert (extra.rows_extra, extra.rows_missing) == (0, 1)


def test_enum_keys_and_unique_indexes_find_rows(source: sqlite3.Connection, target: Target) -> None:
    """A table without primary key is found by a unique index's columns, enums by their labels."""
    source.execute("CREATE TABLE t (a, b) ")
    source.executemany("INSERT INTO t VALUES (?, ?)", [("no-show", 1), ("unknown", 2)])
    target.execute("CREATE TYPE state AS ENUM ('ok', 'no-show')")
    target.execute("CREATE TABLE t (a state NOT NULL, b integer, UNIQUE (a))")
    target.execute("INSERT INTO t VALUES ('no-show', 1)")
    columns = (
        ColumnPlan("a", "a", TargetType(Kind.ENUM, enum="state")),
        ColumnPlan("b", "b", TargetType(Kind.INTEGER)),
    )
    table = TablePlan("t", "t", columns)
    with pytest.raises(KeyError):
        span(source, target, table)
    result = compare_span(source, target, "public", table, WHOLE, unique=("a",))
    assert (result.rows_found, result.rows_differing) == (1, 1)
    assert result.differences[0].key == "unknown"


def test_tables_without_rowid_and_shadowed_rowids_are_read(source: sqlite3.Connection, target: Target) -> None:
    """WITHOUT ROWID is read in one go; a column called rowid isn't taken for the rowid."""
    source.execute('CREATE TABLE w (k TEXT PRIMARY KEY, "ro""w" INT) WITHOUT ROWID')
    source.executemany("INSERT INTO w VALUES (?, ?)", [(f"k{i}", i) for i in range(5000)])
    source.execute("CREATE TABLE r (rowid TEXT, _rowid_ TEXT)")
    source.executemany("INSERT INTO r VALUES (?, ?)", [("a", "b"), ("c", "d")])
    target.execute('CREATE TABLE w (k text PRIMARY KEY, "ro""w" integer)')
    target.execute("INSERT INTO w SELECT 'k' || i, i FROM generate_series(0, 4999) i")
    target.execute("CREATE TABLE r (rowid text PRIMARY KEY, _rowid_ text)")
    target.execute("INSERT INTO r VALUES ('a', 'b'), ('c', 'd')")
    k, n = ColumnPlan("k", "k", TargetType(Kind.TEXT)), ColumnPlan('ro"w', 'ro"w', TargetType(Kind.INTEGER))
    without = TablePlan("w", "w", (k, n), KeyPlan("w_pkey", ("k",)))
    assert span(source, target, without) == SpanComparison(5000, 5000, 0)
    names = tuple(ColumnPlan(name, name, TargetType(Kind.TEXT)) for name in ("rowid", "_rowid_"))
    shadowed = TablePlan("r", "r", names, KeyPlan("r_pkey", ("rowid",)))
    assert span(source, target, shadowed, Span(0, 1, after=1, upto=2)) == SpanComparison(1, 1, 0)


def test_a_table_without_rowid_gives_each_row_once(source: sqlite3.Connection) -> None:
    """Long values, and texts that aren't UTF-8, change how the rest is read, but no row comes twice or not at all."""
    source.execute("CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID")
    source.execute("CREATE INDEX w_v ON w (v)")
    columns = tuple(ColumnPlan(n, n, TargetType(Kind.TEXT)) for n in ("k", "v"))
    table = TablePlan("w", "w", columns, KeyPlan("w_pkey", ("k",)))
    source.executemany("INSERT INTO w VALUES (?, ?)", [(f"k{i:05}", str(i)) for i in range(9000)])
    assert [batch.rows for batch in batches(source, table, WHOLE)] == [2000, 2000, 2000, 2000, 1000]
    source.execute("UPDATE w SET v = ? WHERE k IN ('k00000', 'k05000')", ("x" * 100_000,))
    source.execute("UPDATE w SET v = CAST(x'61ff' AS TEXT) WHERE k = 'k07000'")
    read = dict(pair for batch in batches(source, table, WHOLE) for pair in zip(*batch.columns, strict=True))
    assert sum(batch.rows for batch in batches(source, table, WHOLE)) == len(read) == 9000
    long = {k for k, v in read.items() if len(str(v)) == 100_000}
    assert (long, read["k07000"]) == ({"k00000", "k05000"}, "a\udcff")
    assert source.text_factory is str


def test_differences_kept_are_limited_and_all_are_counted(source: sqlite3.Connection, target: Target) -> None:
    """Memory stays bounded when everything differs; the count is whole."""
    source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    source.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(-10, 4990)])
    target.execute("CREATE TABLE t (id integer PRIMARY KEY)")
    table = TablePlan("t", "t", (ColumnPlan("id", "id", TargetType(Kind.INTEGER)),), KeyPlan("t_pkey", ("id",)))
    result = span(source, target, table)
    assert (result.rows_source, result.rows_differing, len(result.differences)) == (5000, 5000, KEPT_DIFFERENCES)


def test_rows_without_key_are_compared_as_a_multiset(
    source: sqlite3.Connection, target: Target, tmp_path: Path
) -> None:
    """A row held once too often, one too few and a changed one are counted and named by their content."""
    source.execute("CREATE TABLE log (at, line)")
    source.executemany("INSERT INTO log VALUES (?, ?)", [(0, "a"), (0, "a"), (1000, "b"), (2000, None), (3000, "c ")])
    target.execute("CREATE TABLE log (at timestamp, line text)")
    lines = [(0, "a"), (0, "a"), (2, None), (1, "b"), (3, "c ")]
    insert = "INSERT INTO log VALUES (timestamp '1970-01-01' + %s * interval '1 second', %s)"
    with target.cursor() as cursor:
        cursor.executemany(insert, lines)
    columns = (
        ColumnPlan("at", "at", TargetType(Kind.TIMESTAMP)),
        ColumnPlan("line", "line", TargetType(Kind.TEXT)),
    )
    table, scratch = TablePlan("log", "log", columns), tmp_path / "scratch"
    same = compare_multiset(source, target, "public", table, scratch)
    assert (same.rows_source, same.rows_target, same.rows_differing, same.differences) == (5, 5, 0, ())
    target.execute("INSERT INTO log VALUES ('1970-01-01', 'a')")
    target.execute("UPDATE log SET line = 'c' WHERE line = 'c '")
    result = compare_multiset(source, target, "public", table, scratch)
    assert (result.rows_target, result.rows_missing, result.rows_extra, result.rows_differing) == (6, 1, 2, 2)
    assert sorted((d.kind.value, d.key) for d in result.differences) == [
        ("extra", "at=1970-01-01 00:00:00, line=a"),
        ("extra", "at=1970-01-01 00:00:03, line=c"),
        ("missing", "at=1970-01-01 00:00:03, line=c "),
    ]
    assert not scratch.exists()


def test_the_scratch_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """Keys are data: the file that tallies them has mode 0600 while it is there."""
    from zenni_tui.compare.tally import tally_in  # noqa: PLC0415 - the only test that looks at it

    with tally_in(tmp_path / "scratch") as tally:
        assert tally.add([b"a", b"b", b"a"], 1) == 3
        assert stat.S_IMODE((tmp_path / "scratch").stat().st_mode) == 0o600


SAME_TEXT: list[tuple[TargetType, Value, str]] = [
    *KEYED,
    (TargetType(Kind.REAL), 0.5, "0.5"),
    (TargetType(Kind.DOUBLE), 5e-324, "5e-324"),
    (TargetType(Kind.DOUBLE), -1.7976931348623157e308, "-1.7976931348623157e308"),
    (TargetType(Kind.NUMERIC), 5e-324, "5e-324"),
    (TargetType(Kind.NUMERIC), 1e300, "1e300"),
    (TargetType(Kind.NUMERIC), float("-inf"), "-Infinity"),
    (TargetType(Kind.NUMERIC), "-0.000", "-0.000"),
    (TargetType(Kind.TIMESTAMP), 9_224_318_015_999_999, "294276-12-31 23:59:59.999"),
    (TargetType(Kind.TIMESTAMPTZ), 9_224_318_015_999_999, "294276-12-31 23:59:59.999+00"),
    (TargetType(Kind.TIMESTAMP), -210_866_803_200_000, "4714-11-24 00:00 BC"),
    (TargetType(Kind.TIMESTAMP), "9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999"),
    (TargetType(Kind.DATE), "0001-01-01", "0001-01-01"),
    (TargetType(Kind.DATE), "-004713-11-24", "4714-11-24 BC"),
    (TargetType(Kind.JSONB), '{"ä":1e2,"b":[1.0e-2,"\\u00e4\\/\\u007f"],"b":-0}', '{"ä":1e2,"b":-0}'),
    (TargetType(Kind.JSON), ' {"b": 1}', ' {"b": 1}'),
    (TargetType(Kind.TEXT), 1e21, "1.0e+21"),
]


@pytest.mark.parametrize("zone", ["UTC", "America/St_Johns"])
def test_both_sides_make_the_same_canonical_text(target: Target, zone: str) -> None:
    """PostgreSQL's expression and the own reading agree, in any session time zone."""
    target.execute("SELECT set_config('TimeZone', %s, false)", (zone,))
    for kind, stored, literal in SAME_TEXT:
        target.execute(f"DROP TABLE IF EXISTS t; CREATE TABLE t (c {kind})".encode())
        target.execute(f"INSERT INTO t VALUES (%s::text::{kind})".encode(), (literal,))
        expression = canonical_sql(ColumnPlan("c", "c", kind)).as_string(target)
        found = target.execute(f"SELECT {expression} FROM t".encode()).fetchone()
        assert found == (canonical(stored, kind),)
