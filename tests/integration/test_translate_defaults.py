"""DEFAULTs: what SQLite inserts and what a real PostgreSQL inserts, side by side."""

import re
import sqlite3
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from zenni_tui.convert import translate
from zenni_tui.model.plan import Default, DefaultKind, Kind, TargetType

Pg = psycopg.Connection[tuple[Any, ...]]

BIG, TEXT, BOOL, DOUBLE = (TargetType(k) for k in (Kind.BIGINT, Kind.TEXT, Kind.BOOLEAN, Kind.DOUBLE))
MONEY, WHEN, BYTES = TargetType(Kind.NUMERIC, 10, 2), TargetType(Kind.TIMESTAMP, 3), TargetType(Kind.BYTEA)
DAY, CLOCK, JSON = TargetType(Kind.DATE), TargetType(Kind.TIME, 3), TargetType(Kind.JSONB)

CONSTANTS = [
    *(
        (t, "INTEGER", BIG)
        for t in ("0", "5", "-5", "- 5", "+5", "(5)", "'5'", "' 5 '", '"7"', "5.0", "1e3", "0x1F", "(1 + 2)")
    ),
    *(
        (t, "INTEGER", BIG)
        for t in ("9223372036854775807", "-9223372036854775808", "(length('abc'))", "TRUE", "(1 > 2)")
    ),
    *((t, "REAL", DOUBLE) for t in ("0", "0.1", "-1.5", "1e21", "'2.5'", "5", "(1 / 2.0)", "1e-300")),
    *((t, "DECIMAL(10,2)", MONEY) for t in ("0", "0.00", "12.34", "-0.5", "'12.30'", "99999999.99")),
    *((t, "BOOLEAN", BOOL) for t in ("0", "1", "true", "FALSE", "'1'", '"0"', "(1 = 1)", "(NOT 1)")),
    *(
        (t, "TEXT", TEXT)
        for t in ("'abc'", '"abc"', "abc", "[a b]", "`x`", "''", "'it''s'", '"say ""so"""', "5", "-5", "1.5", "1.50")
    ),
    *(
        (t, "TEXT", TEXT)
        for t in ("'\\'", "'$$ % :x'", "'; DROP TABLE d; --'", "'line\nfeed'", "('a' || 'b')", "(upper('ä'))", "true")
    ),
    *(
        (t, "TEXT", TEXT)
        for t in ("('x' || 5)", "(lower('ABC') || '-' || 7)", "'NULL'", "'CURRENT_TIMESTAMP'", "'😀'", "[]")
    ),
    *((t, "VARCHAR(5)", TargetType(Kind.VARCHAR, 5)) for t in ("'abcde'", "5")),
    *((t, "BLOB", BYTES) for t in ("x''", "X'00ff27'", "(x'ab')")),
    *((t, "DATETIME", WHEN) for t in ("'2024-02-29'", "'2024-02-29 12:34:56.789'")),
    *((t, "DATE", DAY) for t in ("'2024-02-29'",)),
    *((t, "TIME", CLOCK) for t in ("'12:34:56.789'",)),
    *((t, "JSON", JSON) for t in ("'[]'", '\'{"a": [1, "x"]}\'')),
    *((t, kind, TEXT) for t in ("NULL", "(NULL)", "null") for kind in ("TEXT",)),
]
MOMENTS = [
    *(
        (t, "DATETIME", WHEN)
        for t in ("CURRENT_TIMESTAMP", "current_timestamp", "(CURRENT_TIMESTAMP)", "(datetime('now'))")
    ),
    *((t, "DATETIME", WHEN) for t in ("(datetime())", "(strftime('%Y-%m-%d %H:%M:%f', 'now'))", "(datetime('NOW'))")),
    *((t, "DATETIME", WHEN) for t in ("(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", "(strftime('%Y-%m-%dT%H:%M:%SZ'))")),
    ("(date('now'))", "DATE", DAY),
    ("CURRENT_DATE", "DATE", DAY),
    ("CURRENT_TIME", "TIME", CLOCK),
    ("(time('now'))", "TIME", CLOCK),
]
NUMBERED = [
    *(
        (t, 1)
        for t in (
            "(strftime('%s', 'now'))",
            "(unixepoch())",
            "(unixepoch('now'))",
            "(CAST(strftime('%s','now') AS INTEGER))",
        )
    ),
    *((t, 1000) for t in ("(strftime('%s', 'now') * 1000)", "(1000 * unixepoch())")),
    ("(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))", 1000),
    ("(CAST((julianday('now') - 2440587.5) * 86400.0 AS INTEGER))", 1),
]
UUID = (
    "(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' ||"
    " substr('89ab', abs(random()) % 4 + 1, 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))"
)
SPELLED = (
    *("CURRENT_TIMESTAMP", "CURRENT_DATE", "current_time", "(datetime('now'))", "(date('now'))", UUID),
    *("(strftime('%s','now'))", "(strftime('%Y-%m-%d %H:%M:%f', 'now'))", "(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"),
    *("(strftime('%d.%m.%Y', 'now'))", "('at ' || CURRENT_TIMESTAMP)", "(lower(hex(randomblob(16))))"),
    *("(hex(randomblob(4)))", "(hex(randomblob(20)))"),
)
REFUSED = [
    *((t, WHEN) for t in ("1700000000", "1700000000000", "'tomorrow'", "'2024-02-30'", "''")),
    ("(datetime('now', 'localtime'))", WHEN),
    *(
        (t, WHEN)
        for t in ("(datetime('now', '+1 day'))", "(strftime('%W', 'now'))", "'2024-02-29 12:00:00.1234'", "(random())")
    ),
    *((t, BIG) for t in ("'abc'", "1.5", "9223372036854775808", "x'ab'", "(random_number())", "''")),
    *((t, BIG) for t in ("CURRENT_TIMESTAMP", "('5' || '')")),
    *((t, TargetType(Kind.INTEGER)) for t in ("2147483648",)),
    *((t, BOOL) for t in ("2", "'maybe'", "x'01'", "(random())")),
    *((t, MONEY) for t in ("0.001", "100000000", "'x'", "1e400")),
    *((t, TEXT) for t in ("x'ab'", "1e400", "0.1234567890123456", "(0.5 || '')", "(changes())", "(SELECT 1)")),
    *((t, TEXT) for t in ("'a\0b'", "(1", "((")),
    *((t, TargetType(Kind.VARCHAR, 3)) for t in ("'abcd'",)),
    *((t, BYTES) for t in ("'abc'", "5", "abc")),
    *((t, JSON) for t in ("'{'", "abc", "'\"\\u0000\"'")),
    *((t, TargetType(Kind.UUID)) for t in ("'not a uuid'",)),
    *((t, DAY) for t in ("'2024-02-29 12:00'", "20240229")),
    *((t, CLOCK) for t in ("'25:00'", "12")),
]


def _lite(text: str, declared: str) -> tuple[Any, str]:
    """Return what SQLite inserts, and the default as PRAGMA table_info tells it."""
    lite = sqlite3.connect(":memory:")
    lite.execute(f"CREATE TABLE d (id INTEGER PRIMARY KEY, c {declared} DEFAULT {text})")
    lite.execute("INSERT INTO d DEFAULT VALUES")
    value = lite.execute("SELECT c FROM d").fetchone()[0]
    told = lite.execute("PRAGMA table_info(d)").fetchall()[1][4]
    lite.close()
    return value, told


def _clause(default: Default | None, pg: Pg) -> str:
    if default is None:
        return ""
    made = {
        DefaultKind.LITERAL: lambda: sql.Literal(default.text).as_string(pg),
        DefaultKind.NOW: lambda: "CURRENT_TIMESTAMP",
        DefaultKind.EXPRESSION: lambda: default.text,
    }
    return f" DEFAULT {made[default.kind]()}"


def _inserted(pg: Pg, kind: TargetType, default: Default | None) -> Any:
    with pg.transaction(force_rollback=True):
        pg.execute(f"CREATE TABLE d (id int, c {kind}{_clause(default, pg)})".encode())
        pg.execute("INSERT INTO d (id) VALUES (1)")
        cast = "::text" if kind.kind in (Kind.DATE, Kind.TIME, Kind.JSONB) else ""
        row = pg.execute(f"SELECT c{cast} FROM d".encode()).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
def pg(database: dict[str, str]) -> Any:
    """Yield a connection in a far time zone."""
    with psycopg.connect(**database, autocommit=True, prepare_threshold=None) as connection:  # type: ignore[arg-type]
        connection.execute("SET timezone = 'Pacific/Auckland'")
        yield connection


def _comparable(value: Any, kind: TargetType) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat(" ", "milliseconds").removesuffix(" 00:00:00.000").removesuffix(".000")
    if kind.kind is Kind.BOOLEAN and isinstance(value, int | str):
        return bool(int(value))
    if kind.kind is Kind.NUMERIC and value is not None:
        return float(value)
    return value


def test_constants_are_inserted_alike(pg: Pg) -> None:
    """A default that is a constant, or made of constants, puts the same value into a row of either database."""
    for text, declared, kind in CONSTANTS:
        value, told = _lite(text, declared)
        default = translate.default(told, kind)
        found = _inserted(pg, kind, default)
        expected = found if kind is JSON and found == value else value
        assert _comparable(found, kind) == _comparable(expected, kind), (text, default)
        assert translate.default(text, kind) == default, f"{text} with its parentheses"


def test_moments_are_inserted_alike(pg: Pg) -> None:
    """A default that means the present is the present in UTC, whatever the session's time zone is."""
    for text, declared, kind in MOMENTS:
        value, told = _lite(text, declared)
        found = _inserted(pg, kind, translate.default(told, kind))
        if kind is WHEN:
            assert abs((found - datetime.fromisoformat(value).replace(tzinfo=None)).total_seconds()) < 100, text
            assert translate.default(told, TargetType(Kind.TIMESTAMPTZ, 3)) == Default(DefaultKind.NOW)
        else:
            # The hour, or the day, which only a run across its end changes.
            assert str(found)[:2] == str(value)[:2], text


def test_numbers_of_the_present_are_inserted_alike(pg: Pg) -> None:
    """A default that counts seconds or milliseconds since 1970 counts them still; in a date column it is a moment."""
    for text, unit in NUMBERED:
        value, told = _lite(text, "INTEGER")
        found = _inserted(pg, BIG, translate.default(told, BIG))
        assert abs(found - value) < 100 * unit, (text, found, value)
    for text, _ in NUMBERED[:6]:
        assert translate.default(text, WHEN) == Default(DefaultKind.EXPRESSION, "(timezone('UTC', now()))")


def test_texts_are_spelled_alike(pg: Pg) -> None:
    """A moment or a random value in a text column has the same form, character class by character class."""
    for text in SPELLED:
        value, told = _lite(text, "TEXT")
        found = _inserted(pg, TEXT, translate.default(told, TEXT))
        forms = [re.sub(r"[0-9a-fA-F]" if "random" in text else r"\d", "9", str(v)) for v in (value, found)]
        assert forms[0] == forms[1], (text, value, found)
        assert "random" not in text or found.islower() == value.islower() or found.isdigit() or value.isdigit()


def test_random_values_differ(pg: Pg) -> None:
    """A random default is made anew for each row."""
    for text, kind in (("random()", BIG), ("lower(hex(randomblob(16)))", TEXT), ("randomblob(8)", BYTES)):
        default = translate.default(text, kind)
        assert _inserted(pg, kind, default) != _inserted(pg, kind, default)
    unique = translate.default("lower(hex(randomblob(16)))", TargetType(Kind.UUID))
    assert unique == Default(DefaultKind.EXPRESSION, "gen_random_uuid()")


@pytest.mark.parametrize(("text", "kind"), REFUSED)
def test_doubtful_defaults_are_refused(text: str, kind: TargetType) -> None:
    """A default that is ambiguous, unknown or no value of the column's type is refused with a sentence."""
    with pytest.raises(translate.Untranslatable) as refusal:
        translate.default(text, kind)
    assert refusal.value.reason.endswith(".")


def test_a_bare_list_is_an_empty_list_for_json() -> None:
    """DEFAULT [], as Prisma writes it, is an empty list in a JSON column."""
    assert translate.default("[]", JSON) == Default(DefaultKind.LITERAL, "[]")


def test_numerics_keep_their_digits(pg: Pg) -> None:
    """A decimal default is exact, not the nearest double."""
    found = _inserted(pg, TargetType(Kind.NUMERIC), translate.default("0.1", TargetType(Kind.NUMERIC)))
    assert found == Decimal("0.1")
