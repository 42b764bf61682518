"""The way back: what PostgreSQL shows becomes a stored value that means the same, in the file's own form."""

import sqlite3
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql
from test_convert_values import ANY, COLUMNS, CORPUS, LIKELY, MOOD, name_of

from zenni_tui.convert import encode
from zenni_tui.convert.restore import Restorer
from zenni_tui.convert.unfit import Unfit
from zenni_tui.model.plan import ColumnPlan, Epoch, Kind, TargetType
from zenni_tui.model.schema import Value
from zenni_tui.target.connect import Target

Session = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def target(server: Any) -> Iterator[Session]:
    """Yield a session with the settings that all our sessions have; every case is rolled back."""
    server.create_database("convert_restore")
    named = server.conninfo("convert_restore")
    with Target(named, named["password"], name="tests").connect() as connection:
        labels = sql.SQL(", ").join(map(sql.Literal, MOOD.labels))
        connection.execute(sql.SQL("CREATE TYPE mood AS ENUM ({})").format(labels))
        yield connection
    server.drop_database("convert_restore")


def shown(target: Session, column: ColumnPlan, values: Sequence[Value]) -> list[str | None]:
    """Load values and return them as PostgreSQL shows them."""
    field = encode.field_encoder(column, (MOOD,))
    head = struct.pack("!hi", 2, 4)
    data = b"".join(head + struct.pack("!i", n) + field(value) for n, value in enumerate(values))
    with target.transaction(force_rollback=True), target.cursor() as cursor:
        target.execute(f"CREATE TEMPORARY TABLE t (n integer, c {column.type})".encode())
        with cursor.copy("COPY t FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(encode.HEADER + data + encode.TRAILER)
        return [text for (text,) in target.execute("SELECT c::text FROM t ORDER BY n")]


def fit(column: ColumnPlan, values: Sequence[Value]) -> list[Value]:
    """Return the values that the column takes."""
    field = encode.field_encoder(column, (MOOD,))
    taken = []
    for value in values:
        try:
            field(value)
        except Unfit:
            continue
        taken.append(value)
    return taken


def bits(value: Value) -> object:
    """Return a value so that -0.0 and 0.0, and 1 and 1.0, are two."""
    return (type(value), struct.pack("!d", value)) if isinstance(value, float) else (type(value), value)


def check(target: Session, column: ColumnPlan, values: Sequence[Value]) -> int:
    """Check that a value that is known stays, and that one that is not becomes one that means the same."""
    taken = fit(column, values)
    restorer = Restorer(column, (MOOD,), taken[::3])
    for value, text in zip(taken, shown(target, column, taken), strict=True):
        assert bits(restorer.restore(text, value, known=True)) == bits(value)
        assert restorer.meaning(restorer.restore(text)) == restorer.meaning(value), (value, text)
        assert text is None or any(restorer.meaning(f) == restorer.meaning(value) for f in restorer.forms(text))
        for other in taken[:5]:
            assert restorer.meaning(restorer.restore(text, other, known=True)) == restorer.meaning(value)
    return len(taken)


@pytest.mark.parametrize("column", COLUMNS, ids=name_of)
def test_hard_values_come_back(target: Session, column: ColumnPlan) -> None:
    """Each of some hundred hard values that a type takes comes back, to the bit where the row still holds it."""
    assert check(target, column, CORPUS) > 1


@pytest.mark.parametrize("column", COLUMNS, ids=name_of)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_comes_back(target: Session, column: ColumnPlan, data: st.DataObject) -> None:
    """Whatever PostgreSQL took comes back."""
    one = st.one_of(ANY, LIKELY.get(column.type.kind, ANY))
    check(target, column, data.draw(st.lists(one, min_size=20, max_size=40)))


def column(kind: TargetType, **more: Any) -> ColumnPlan:
    """Return a column."""
    return ColumnPlan("c", "c", kind, **more)


STAMP, FINE = TargetType(Kind.TIMESTAMP, 3), TargetType(Kind.TIMESTAMP)
NEW = "2026-03-29 03:30:00"


@pytest.mark.parametrize(
    ("plan", "sample", "text", "expected"),
    [
        (column(STAMP), 1_700_000_000_123, NEW, 1_774_755_000_000),
        (column(STAMP, epoch=Epoch.SECONDS), 1_700_000_000, NEW, 1_774_755_000),
        (column(STAMP, epoch=Epoch.SECONDS), 1_700_000_000, NEW + ".25", "2026-03-29T03:30:00.250+00:00"),
        (column(STAMP, epoch=Epoch.SECONDS), 1_700_000_000.5, NEW + ".25", 1_774_755_000.25),
        (column(FINE, epoch=Epoch.MICROSECONDS), 1, NEW + ".000001", 1_774_755_000_000_001),
        (column(STAMP, epoch=Epoch.JULIAN), 2_460_000.5, NEW, 2_461_128.6458333335),
        (column(STAMP), "2024-01-01T00:00:00.000Z", NEW, "2026-03-29T03:30:00.000Z"),
        (column(STAMP), "2024-01-01T00:00:00.000+00:00", NEW + ".5", "2026-03-29T03:30:00.500+00:00"),
        (column(STAMP), "2024-01-01 00:00:00", NEW, "2026-03-29 03:30:00"),
        (column(STAMP), "2024-01-01 00:00:00", NEW + ".123", "2026-03-29T03:30:00.123+00:00"),
        (column(STAMP), "2024-01-01 00:00", NEW, "2026-03-29 03:30"),
        (column(STAMP), "2024-01-01T00:00:00+0330", NEW, "2026-03-29T07:00:00+0330"),
        (column(STAMP), "2024-01-01", "2026-03-29 00:00:00", "2026-03-29"),
        (column(STAMP, zone="Europe/Helsinki"), "2024-01-01 10:00:00", NEW, "2026-03-29 06:30:00"),
        (column(STAMP, zone="Europe/Helsinki"), "2024-01-01 10:00:00", "2026-01-01 00:00:00", "2026-01-01 02:00:00"),
        (column(TargetType(Kind.TIMESTAMPTZ)), "2024-01-01T00:00:00Z", NEW + "+00", "2026-03-29T03:30:00Z"),
        (column(STAMP), 5, "0044-03-15 12:00:00 BC", -63_517_780_800_000),
        (column(STAMP), "2024-01-01", "0044-03-15 12:00:00 BC", "-000043-03-15T12:00:00.000+00:00"),
        (column(STAMP), "2024-01-01T00:00:00.000Z", "12026-01-01 00:00:00", "+012026-01-01T00:00:00.000Z"),
        (column(TargetType(Kind.DATE)), "2024-01-01", "2026-03-29", "2026-03-29"),
        (column(TargetType(Kind.DATE)), 1_704_067_200_000, "2026-03-29", 1_774_742_400_000),
        (column(TargetType(Kind.TIME)), "09:00", "17:30:00", "17:30"),
        (column(TargetType(Kind.TIME)), "09:00", "17:30:01", "17:30:01"),
        (column(TargetType(Kind.BOOLEAN)), 0, "true", 1),
        (column(TargetType(Kind.BOOLEAN)), "No", "true", "Yes"),
        (column(TargetType(Kind.BOOLEAN)), "TRUE", "false", "FALSE"),
        (column(TargetType(Kind.NUMERIC, 10, 2)), 12, "7.00", 7),
        (column(TargetType(Kind.NUMERIC, 10, 2)), 12, "7.10", 7.1),
        (
            column(TargetType(Kind.NUMERIC)),
            12.5,
            "0.1000000000000000055511151231257827",
            "0.1000000000000000055511151231257827",
        ),
        (column(TargetType(Kind.NUMERIC)), "12.50", "7.1", "7.1"),
        (
            column(TargetType(Kind.JSONB)),
            '{"a":[1]}',
            '{"b": "x, y: z", "c": [1, 2.50]}',
            '{"b":"x, y: z","c":[1,2.50]}',
        ),
        (column(TargetType(Kind.JSONB)), '{"a": [1]}', '{"b": [1, 2]}', '{"b": [1, 2]}'),
        (
            column(TargetType(Kind.UUID)),
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
            "b" * 8 + "-0000" * 3 + "-" + "c" * 12,
            "BBBBBBBB-0000-0000-0000-CCCCCCCCCCCC",
        ),
        (column(TargetType(Kind.DOUBLE)), 1.5, "-0", -0.0),
        (column(TargetType(Kind.DOUBLE)), 2, "5", 5),
        (column(TargetType(Kind.DOUBLE)), 2, "5.5", 5.5),
        (column(TargetType(Kind.BYTEA)), b"x", "\\x00ff", b"\x00\xff"),
        (column(TargetType(Kind.TEXT)), "7", "8", "8"),
        (column(TargetType(Kind.TEXT)), 7, "8", 8),
        (column(TargetType(Kind.TEXT)), 7, "08", "08"),
        (column(TargetType(Kind.BIGINT)), "7", "8", "8"),
    ],
)
def test_new_values_take_the_files_form(plan: ColumnPlan, sample: Value, text: str, expected: Value) -> None:
    """A new value is written as the column's others are; where that form can't hold it, in one that can."""
    assert bits(Restorer(plan, (), [sample, None]).restore(text)) == bits(expected)
    assert bits(Restorer(plan).restore(text, sample, known=True)) == bits(expected)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.TIMESTAMP, "infinity"),
        (Kind.DATE, "-infinity"),
        (Kind.DOUBLE, "NaN"),
        (Kind.NUMERIC, "NaN"),
    ],
)
def test_what_sqlite_cannot_hold_is_named(kind: Kind, text: str) -> None:
    """Values that PostgreSQL has and SQLite hasn't are refused with the reason, not guessed."""
    with pytest.raises(Unfit, match=r"\w"):
        Restorer(column(TargetType(kind))).restore(text)


def test_null_and_dates_of_no_form() -> None:
    """NULL is NULL, and a sample that is no date at all shows no form."""
    restorer = Restorer(column(STAMP), (), ["soon", b"x", 1_700_000_000_000])
    assert restorer.restore(None, 5, known=True) is None
    assert restorer.restore(NEW) == 1_774_755_000_000


def test_a_restored_value_survives_sqlite() -> None:
    """In a column whose affinity changes what is stored, what is read again still means the same."""
    with sqlite3.connect(":memory:") as file:
        for affinity in ("INTEGER", "REAL", "NUMERIC", "TEXT", "BLOB"):
            file.execute(f"CREATE TABLE {affinity} (c {affinity})")
            for plan, text in (
                (column(TargetType(Kind.DOUBLE)), "0.1"),
                (column(TargetType(Kind.BIGINT)), "9007199254740993"),
            ):
                value = Restorer(plan).restore(text)
                (read,) = file.execute(f"INSERT INTO {affinity} VALUES (?) RETURNING c", (value,)).fetchone()
                same = Restorer(plan).meaning_of_text(text)
                try:
                    kept = Restorer(plan).meaning(read) == same
                except Unfit:
                    kept = False
                assert kept == ((affinity, text) not in {("REAL", "9007199254740993"), ("TEXT", "0.1")}), (
                    affinity,
                    text,
                )
    file.close()
