"""Traps of PostgreSQL's limits: columns, row width, index width."""

import random
import sqlite3

from psycopg import errors

from traps.target import refuses, sees
from traps.words import Make, Trap, Want

_NOISE = random.Random(7)  # noqa: S311 - the same text each time


def _noise(length: int) -> str:
    return "".join(chr(_NOISE.randrange(33, 127)) for _ in range(length))


def _wide(name: str, columns: int, kind: str, value: object, *, rows: int = 1) -> Make:
    def make(database: sqlite3.Connection) -> None:
        named = ", ".join(f"c{i} {kind}" for i in range(columns - 1))
        database.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {named})")
        for row in range(rows):
            values = [value() if callable(value) else value for _ in range(columns - 1)]
            listed = ", ".join("?" if i < 900 else "NULL" if v is None else repr(v) for i, v in enumerate(values))
            database.execute(f"INSERT INTO {name} VALUES ({row + 1}, {listed})", values[:900])

    return make


def _indexed(name: str, *texts: str) -> Make:
    def make(database: sqlite3.Connection) -> None:
        database.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, t TEXT)")
        database.execute(f"CREATE INDEX {name}_t ON {name} (t)")
        database.executemany(f"INSERT INTO {name} (t) VALUES (?)", [(t,) for t in texts])

    return make


def _indexes(count: int) -> str:
    return ", ".join(f"c{i}" for i in range(count))


PASSING = (
    Trap(
        "wide/1000_integers", _wide("wide_int", 1000, "INTEGER", 7), checks=(sees("SELECT c998 FROM wide_int", (7,)),)
    ),
    Trap("wide/1000_short_texts", _wide("wide_text", 1000, "TEXT", "12345", rows=3)),
    Trap("wide/1600_columns", _wide("wide_max", 1600, "INTEGER", None)),
    Trap("wide/400_toasted_texts", _wide("wide_toast", 400, "TEXT", lambda: _noise(100))),
    Trap(
        "wide/32_columns_in_an_index",
        f"CREATE TABLE ix32 ({', '.join(f'c{i} INTEGER' for i in range(32))}, UNIQUE ({_indexes(32)}));"
        f" INSERT INTO ix32 VALUES ({', '.join('1' * 32)});",
        checks=(refuses(errors.UniqueViolation, f"INSERT INTO ix32 VALUES ({', '.join('1' * 32)})"),),
    ),
    Trap("index_entry/2600_bytes", _indexed("ix_fits", "a", _noise(2600))),
    Trap(
        "index_entry/but_compressible",
        _indexed("ix_packed", "a", "b" * 20_000),
        checks=(sees("SELECT count(*) FROM pg_indexes WHERE indexname = 'ix_packed_t'", (1,)),),
    ),
)

BLOCKED = (
    Trap(
        "too_many_columns/1601",
        _wide("wide_1601", 1601, "INTEGER", None),
        (Want("too_many_columns", "wide_1601", offers=("exclude",), choose="exclude"),),
        (sees("SELECT to_regclass('wide_1601')::text", (None,)),),
        compared=False,
    ),
    Trap(
        "too_many_columns/2000",
        _wide("wide_2000", 2000, "TEXT", "x"),
        (Want("too_many_columns", "wide_2000", offers=("exclude",), choose="exclude"),),
        may=("row_too_wide",),
        compared=False,
    ),
    Trap(
        "row_too_wide/integers",
        _wide("wide_row", 1200, "INTEGER", 7, rows=2),
        (Want("row_too_wide", "wide_row", None, 2, ("1", "2"), offers=("exclude", "quarantine"), choose="quarantine"),),
        (sees("SELECT count(*) FROM wide_row", (0,)),),
        compared=False,
    ),
    Trap(
        "row_too_wide/pointers_to_texts",
        _wide("wide_ptr", 600, "TEXT", lambda: _noise(200)),
        (Want("row_too_wide", "wide_ptr", None, 1, ("1",), offers=("exclude",), choose="exclude"),),
        (sees("SELECT to_regclass('wide_ptr')::text", (None,)),),
        compared=False,
    ),
    Trap(
        "index_too_many_columns/33",
        f"CREATE TABLE ix33 (id INTEGER PRIMARY KEY, {', '.join(f'c{i} INTEGER' for i in range(33))});"
        f" CREATE INDEX ix33_all ON ix33 ({_indexes(33)}); INSERT INTO ix33 (id, c32) VALUES (1, 5);",
        (Want("index_too_many_columns", "ix33", offers=("index_drop",), choose="index_drop"),),
        (sees("SELECT c32 FROM ix33", (5,)),),
    ),
    Trap(
        "index_too_many_columns/key_of_33",
        f"CREATE TABLE pk33 ({', '.join(f'c{i} INTEGER NOT NULL' for i in range(33))}, PRIMARY KEY ({_indexes(33)}));"
        f" INSERT INTO pk33 VALUES ({', '.join('1' * 33)});",
        (Want("index_too_many_columns", "pk33", offers=("index_drop",), choose="index_drop"),),
        (sees("SELECT c32 FROM pk33", (1,)),),
    ),
    Trap(
        "index_entry_too_long/3000_bytes",
        _indexed("ix_long", "a", _noise(3000), "b", _noise(9000)),
        (Want("index_entry_too_long", "ix_long", "t", 2, ("2", "4"), offers=("index_drop",), choose="index_drop"),),
        (sees("SELECT max(length(t)) FROM ix_long", (9000,)),),
    ),
    Trap(
        "index_entry_too_long/in_the_key",
        f"CREATE TABLE pk_long (k TEXT PRIMARY KEY NOT NULL, v TEXT) WITHOUT ROWID;"
        f" INSERT INTO pk_long VALUES ('a', 'x'), ('{_noise(3000).replace(chr(39), '!')}', 'y');",
        (Want("index_entry_too_long", "pk_long", "k", 1, offers=("index_drop", "quarantine"), choose="quarantine"),),
        (
            sees("SELECT k, v FROM pk_long", ("a", "x")),
            refuses(errors.UniqueViolation, "INSERT INTO pk_long VALUES ('a', 'z')"),
        ),
        compared=False,
    ),
)
