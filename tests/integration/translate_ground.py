"""One table in both databases, with the same rows, to evaluate an expression and its translation in both."""

import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

from zenni_tui.convert.translate_terms import Column, Columns
from zenni_tui.model.plan import Kind, TargetType

Pg = psycopg.Connection[tuple[Any, ...]]

DECLARED = (
    ("id", "INTEGER PRIMARY KEY", TargetType(Kind.BIGINT)),
    ("i", "INTEGER", TargetType(Kind.BIGINT)),
    ("j", "BIGINT", TargetType(Kind.BIGINT)),
    ("k", "INT", TargetType(Kind.INTEGER)),
    ("r", "REAL", TargetType(Kind.DOUBLE)),
    ("q", "DOUBLE", TargetType(Kind.DOUBLE)),
    ("n", "DECIMAL(10,2)", TargetType(Kind.NUMERIC, 10, 2)),
    ("s", "TEXT", TargetType(Kind.TEXT)),
    ("t", "VARCHAR(40)", TargetType(Kind.VARCHAR, 40)),
    ("c", "TEXT COLLATE NOCASE", TargetType(Kind.TEXT)),
    ("p", "TEXT COLLATE RTRIM", TargetType(Kind.TEXT)),
    ("b", "BOOLEAN", TargetType(Kind.BOOLEAN)),
    ("a", "BOOLEAN", TargetType(Kind.BOOLEAN)),
    ("d", "DATETIME", TargetType(Kind.TIMESTAMP, 3)),
    ("e", "DATETIME", TargetType(Kind.TIMESTAMP, 3)),
    ("z", "TIMESTAMP", TargetType(Kind.TIMESTAMPTZ, 3)),
    ("day", "DATE", TargetType(Kind.DATE)),
    ("clock", "TIME", TargetType(Kind.TIME, 3)),
    ("x", "BLOB", TargetType(Kind.BYTEA)),
    ("y", "BLOB", TargetType(Kind.BYTEA)),
    ("doc", "JSON", TargetType(Kind.JSONB)),
    ('odd "name" % :x', "INTEGER", TargetType(Kind.BIGINT)),
)
COLLATIONS = {"c": "NOCASE", "p": "RTRIM"}
COLUMNS: Columns = {name: Column(name, kind, None, COLLATIONS.get(name, "BINARY")) for name, _, kind in DECLARED}
Row = dict[str, Any]


ROWS: list[Row] = [
    {},
    {"i": 0, "j": 0, "k": 0, "r": 0.0, "q": 0.0, "n": "0", "s": "", "t": "", "c": "", "p": "", "b": 0, "a": 1},
    {"x": b"", "y": b"\x00", "doc": "{}"},
    {"i": 1, "j": 2, "k": 3, "r": 0.5, "q": 1.5, "n": "12.34", "s": "abc", "t": "ABC", "c": "aBc", "p": "abc  "},
    {"b": 1, "a": 0, "x": b"abc", "y": b"\xff\x00", "doc": '{"a": "x"}'},
    {"i": -7, "j": 2, "k": -3, "r": -2.5, "q": 2.5, "n": "-0.01", "s": "it's", "t": "50%", "c": "It'S", "p": " x"},
    {"b": 1, "a": 1, "x": b"\xff", "y": b"", "doc": '{"a": null}'},
    {"i": 2**63 - 1, "j": -(2**63), "k": 2**31 - 1, "r": 9.3e18, "q": 1e22, "n": "99999999.99", "s": "ÄÖÜ äöü"},
    {"t": "äöü", "c": "Äb", "p": "ä ", "x": b"\x01", "doc": '{"a": {"b": "x"}}'},
    {"i": -(2**63), "j": 2**63 - 1, "k": -(2**31), "r": -9.3e18, "q": -1e300, "n": "-99999999.99"},
    {"s": "a_b%c\\d", "t": "a.b@c.de", "c": "A_B%C\\D", "p": "\t"},
    {"i": 5, "j": 5, "k": 5, "r": 5.0, "q": 0.1, "n": "5", "s": "5", "t": "5.0", "c": "5", "p": "5", "b": 0, "a": 0},
    {"i": 2**53 + 1, "j": 2**53, "k": 12345, "r": float(2**53), "q": 9007199254740994.0, "n": "0.10", "s": "😀x€"},
    {"i": 2**53 + 1, "r": float(2**53 + 2), "j": 2**63 - 1, "q": float(2**63), "t": "😀", "c": "😀X", "p": "€", "b": 1},
    {"i": 42, "j": -42, "k": 7, "r": math.inf, "q": -math.inf, "n": "1.5", "s": "Zebra", "t": "apple", "c": "zebra"},
    {"i": 60, "j": 7, "k": 31, "r": 0.49999999999999994, "q": 4503599627370497.5, "s": "hello world", "t": "world"},
    {"c": "HELLO world", "p": "hello   ", "s": "hello", "t": "HELLO", "i": 12, "r": 11.999999999999998},
    {"i": -60, "j": -7, "k": -1, "r": -0.5, "q": -0.2, "s": "a]b", "t": "2024-02-29", "c": "x]", "p": "-", "b": 1},
    {"i": 3, "j": 0, "k": 0, "r": 2.5, "q": 3.5, "s": "line\nfeed", "t": "user@example.com", "c": " padded ", "a": 1},
    {"i": 100, "j": 100, "k": 100, "r": 1e-300, "q": 100.0, "s": "  12x", "t": "-0017", "c": "+3", "p": "9" * 20},
    {"x": b"abcdef", "y": b"cd", "s": "-9223372036854775809", "t": "\u00a012", "p": "\t\n 007", "k": 7, "b": 1},
    {"d": "2024-02-29 23:59:59.999", "e": "2024-03-01 00:00:00.000", "z": "1999-12-31 12:34:56.789"},
    {"d": "1969-12-31 23:59:59.001", "e": "1969-12-31 23:59:59.001", "z": "1970-01-01 00:00:00.000"},
    {"d": "0001-01-01 00:00:00.000", "e": "9999-12-31 23:59:59.999", "z": "2000-02-28 01:02:03.004"},
    {"day": "2024-02-29", "clock": "23:59:59.999"},
    {"day": "1970-01-01", "clock": "00:00:00.000", "d": "2023-01-01 00:00:00.000", "e": "2023-01-01 00:00:00.001"},
    {"day": "2000-12-31", "clock": "12:00:00.500"},
    {'odd "name" % :x': 1, "doc": '{"a": true, "b": [1]}', "x": b"\x27\x5c", "s": "\\", "t": "'"},
    {'odd "name" % :x': 0, "doc": '{"a": 5, "b": "y"}', "s": '"', "t": "$$", "c": "--", "p": "/*"},
]


def corpus(name: str) -> dict[str, list[str]]:
    """Return the lines of a file beside this one by their section."""
    sections: dict[str, list[str]] = {}
    for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            sections[line[1:-1]] = []
        elif line and not line.startswith("#"):
            sections[list(sections)[-1]].append(line)
    return sections


def quoted(name: str) -> str:
    """Return a name in quotes, which both databases take."""
    return '"' + name.replace('"', '""') + '"'


def _shown_to_sqlite(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value


def source(rows: Sequence[Row]) -> sqlite3.Connection:
    """Return an SQLite database with the rows."""
    lite = sqlite3.connect(":memory:")
    lite.execute(f"CREATE TABLE g ({', '.join(f'{quoted(n)} {d}' for n, d, _ in DECLARED)})")
    _fill(lite, rows, "?")
    return lite


@contextmanager
def target(database: dict[str, str], rows: Sequence[Row]) -> Iterator[Pg]:
    """Yield a connection to a PostgreSQL database with the rows, in a language other than C where there is one."""
    with psycopg.connect(**database, autocommit=True) as pg:  # type: ignore[arg-type]
        pg.execute(f"CREATE TABLE g ({', '.join(f'{quoted(n)} {k}' for n, _, k in DECLARED)})".encode())
        pg.execute("SET timezone = 'Pacific/Auckland'")
        fill_target(pg, rows)
        yield pg


def fill_target(pg: Pg, rows: Sequence[Row]) -> None:
    """Put rows into the target's table."""
    _fill(pg, [_utc(r) for r in rows], "%s")


def _utc(row: Row) -> Row:
    return {
        k: f"{v}+00" if k == "z" and v is not None else bool(v) if k in "ab" and v is not None else v
        for k, v in row.items()
    }


def _fill(connection: Any, rows: Sequence[Row], mark: str) -> None:
    for number, row in enumerate(rows, 1):
        values = {"id": number, **row}
        names = ", ".join(quoted(n) for n in values).replace("%", "%%" if mark == "%s" else "%")
        shown = [_shown_to_sqlite(v) for v in values.values()] if mark == "?" else list(values.values())
        connection.execute(f"INSERT INTO g ({names}) VALUES ({', '.join(mark for _ in values)})", shown)


def truths(lite: sqlite3.Connection, text: str) -> list[int | None]:
    """Return a condition's three-valued truth by row, as SQLite sees it."""
    rows = lite.execute(f"SELECT CASE WHEN ({text}\n) THEN 1 WHEN NOT ({text}\n) THEN 0 END FROM g ORDER BY id")
    return [r[0] for r in rows]


def values(lite: sqlite3.Connection, text: str) -> list[Any]:
    """Return an expression's values by row, as SQLite sees them."""
    return [r[0] for r in lite.execute(f"SELECT ({text}\n) FROM g ORDER BY id")]


REFUSED = object()
"""PostgreSQL's answer where arithmetic leaves 64 bits or a double's range."""

_HUGE = 1 << 20


def answers(pg: Pg, sql: str) -> list[Any]:
    """Return an expression's values by row, as PostgreSQL sees them, in Python types like SQLite's."""
    try:
        return [_plain(r[0]) for r in pg.execute(f"SELECT {sql} FROM g ORDER BY id".encode())]
    except psycopg.errors.NumericValueOutOfRange:
        numbers = [r[0] for r in pg.execute("SELECT id FROM g ORDER BY id")]
        return [_answer(pg, sql, number) for number in numbers]


def _answer(pg: Pg, sql: str, number: int) -> Any:
    try:
        row = pg.execute(f"SELECT {sql} FROM g WHERE id = {number}".encode()).fetchone()
    except psycopg.errors.NumericValueOutOfRange:
        huge = f"abs(i::numeric) >= {_HUGE} OR abs(j::numeric) >= {_HUGE} OR abs(k::numeric) >= {_HUGE}"
        far = pg.execute(f"SELECT {huge} FROM g WHERE id = {number}".encode()).fetchone()
        assert far == (True,), f"{sql} is refused for an ordinary row"
        return REFUSED
    assert row is not None
    return _plain(row[0])


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return bytes(value) if isinstance(value, memoryview) else value


def same(one: Any, two: Any) -> bool:
    """Return whether two values are the same, a whole number and its double included."""
    if isinstance(one, float) and isinstance(two, float) and one == two == 0:
        return math.copysign(1, one) == math.copysign(1, two)
    if two is REFUSED:
        return True
    number = isinstance(one, int | float) and isinstance(two, int | float)
    return one == two and (number or type(one) is type(two))
