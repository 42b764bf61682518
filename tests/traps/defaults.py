"""Traps of defaults: each spelling, judged by what an insert without the column gives."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from traps.target import Check, Target
from traps.words import Trap, warn


def gives(table: str, expected: Any | Callable[[Any], bool], *, quiet: bool = False) -> Check:
    """Return the check of the value an insert leaves in `v`; unless `quiet`, a finding may stand in its place."""

    def check(target: Target) -> None:
        ((found,),) = target.rows(f"INSERT INTO {table} (id) VALUES (99) RETURNING v")
        right = expected(found) if callable(expected) else (found == expected and type(found) is type(expected))
        if not right:
            told = target.told("default_not_carried", table)
            assert not quiet, f"{table} gave {found!r}, not {expected!r}"
            assert told, f"{table} gave {found!r}, not {expected!r}, and nothing was said"
            assert found is None, f"{table} gave {found!r} though its default was not carried"

    return check


def _trap(name: str, declared: str, expected: Any | Callable[[Any], bool], *, exact: bool = False) -> Trap:
    table = f"def_{name}"
    return Trap(
        f"default/{name}",
        f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, v {declared}); INSERT INTO {table} VALUES (1, NULL);",
        checks=(gives(table, expected, quiet=exact),),
        may=() if exact else ("default_not_carried", "mixed_classes", "date_zone_assumed"),
    )


def _year(value: Any) -> bool:
    return getattr(value, "year", 0) > 2000


def _stamp(value: Any) -> bool:
    return isinstance(value, str) and value[:2] == "20" and value[10] in " T"


def _recent(value: Any) -> bool:
    return isinstance(value, int) and value > 1_700_000_000


SIMPLE: tuple[tuple[str, str, Any], ...] = (
    ("integer", "INTEGER DEFAULT 5", 5),
    ("negative", "INTEGER DEFAULT -5", -5),
    ("plus", "INTEGER DEFAULT +5", 5),
    ("quoted_number", "INTEGER DEFAULT '7'", 7),
    ("double_quoted_number", 'INTEGER DEFAULT "7"', 7),
    ("real", "REAL DEFAULT 1.5", 1.5),
    ("exponent", "REAL DEFAULT 1e3", 1000.0),
    ("negative_real", "REAL DEFAULT -.5", -0.5),
    ("whole_real", "REAL DEFAULT 3", 3.0),
    ("text", "TEXT DEFAULT 'hello'", "hello"),
    ("quotes", "TEXT DEFAULT 'it''s \"so\" \\ 100% :x'", 'it\'s "so" \\ 100% :x'),
    ("double_quoted", 'TEXT DEFAULT "dq"', "dq"),
    ("bare_word", "TEXT DEFAULT draft", "draft"),
    ("empty", "TEXT DEFAULT ''", ""),
    ("number_in_text", "TEXT DEFAULT 5", "5"),
    ("word_that_is_a_function", "TEXT DEFAULT 'CURRENT_TIMESTAMP'", "CURRENT_TIMESTAMP"),
    ("null", "TEXT DEFAULT NULL", None),
    ("null_in_brackets", "INTEGER DEFAULT (NULL)", None),
    ("one_boolean", "BOOLEAN DEFAULT 1", True),
    ("false_boolean", "BOOLEAN DEFAULT FALSE", False),
    ("quoted_boolean", "BOOLEAN DEFAULT 'true'", True),
    ("bracketed", "INTEGER DEFAULT (5)", 5),
    ("bracketed_text", "TEXT DEFAULT ('x')", "x"),
    ("now", "DATETIME DEFAULT CURRENT_TIMESTAMP", _year),
    ("now_in_lower_case", "DATETIME DEFAULT current_timestamp", _year),
    ("datetime_now", "DATETIME DEFAULT (datetime('now'))", _year),
    ("true_in_integer", "INTEGER DEFAULT true", 1),
)

HARD: tuple[tuple[str, str, Any], ...] = (
    ("hexadecimal", "INTEGER DEFAULT 0x10", 16),
    ("real_in_text", "TEXT DEFAULT 1.0", "1.0"),
    ("number_cut_in_text", "TEXT DEFAULT 007", "7"),
    ("text_in_integer", "INTEGER DEFAULT 'abc'", lambda v: v is None),
    ("empty_in_integer", "INTEGER DEFAULT ''", lambda v: v is None),
    ("blob", "BLOB DEFAULT x'00ff'", b"\x00\xff"),
    ("joined", "TEXT DEFAULT ('a' || 'b')", "ab"),
    ("sum", "INTEGER DEFAULT (1 + 1)", 2),
    ("division", "INTEGER DEFAULT (7 / 2)", 3),
    ("function", "INTEGER DEFAULT (abs(-3))", 3),
    ("random_id", "TEXT DEFAULT (lower(hex(randomblob(16))))", lambda v: isinstance(v, str) and len(v) == 32),
    ("random", "INTEGER DEFAULT (random())", lambda v: isinstance(v, int)),
    ("unix_seconds", "INTEGER DEFAULT (strftime('%s', 'now'))", _recent),
    ("unixepoch", "INTEGER DEFAULT (unixepoch())", _recent),
    ("iso_text", "TEXT DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", _stamp),
    ("now_in_text", "TEXT DEFAULT CURRENT_TIMESTAMP", _stamp),
    ("datetime_in_text", "TEXT DEFAULT (datetime('now', 'localtime'))", _stamp),
    ("date_now", "DATE DEFAULT CURRENT_DATE", _year),
    ("date_function", "DATE DEFAULT (date('now'))", _year),
    ("time_now", "TIME DEFAULT CURRENT_TIME", lambda v: hasattr(v, "hour")),
    ("julian_now", "REAL DEFAULT (julianday('now'))", lambda v: isinstance(v, float) and v > 2_460_000),
    ("later", "DATETIME DEFAULT (datetime('now', '+1 day'))", _year),
    ("date_text", "DATETIME DEFAULT '2024-02-29 12:00:00'", _year),
    ("date_number", "DATETIME DEFAULT 0", lambda v: getattr(v, "year", None) == 1970),
    ("json_array", "JSON DEFAULT '[]'", []),
    ("prisma_array", "TEXT DEFAULT []", lambda v: v in ("", "[]", None)),
    ("decimal", "DECIMAL(10,2) DEFAULT 0.10", lambda v: v is not None and str(v) == "0.10"),
    ("very_wide_decimal", "NUMERIC(1000,500) DEFAULT 5.5", lambda v: v is not None and v == Decimal("5.5")),
    ("wide_boolean", "BOOLEAN DEFAULT 'yes'", True),
    ("untyped_text", "DEFAULT 'x'", lambda v: v in ("x", b"x")),
    ("case", "TEXT DEFAULT (CASE WHEN 1 THEN 'a' ELSE 'b' END)", "a"),
)

PASSING = (
    *(_trap(n, d, e, exact=True) for n, d, e in SIMPLE),
    *(_trap(n, d, e) for n, d, e in HARD),
    Trap(
        "default/untranslatable",
        "CREATE TABLE def_none (id INTEGER PRIMARY KEY, v TEXT DEFAULT (printf('%!.3s|', soundex('x'))));",
        (warn("default_not_carried", "def_none", "v"),),
        (gives("def_none", lambda v: v is None),),
    ),
    Trap(
        "default/not_null_and_no_default",
        "CREATE TABLE def_must (id INTEGER PRIMARY KEY, v TEXT NOT NULL, w TEXT NOT NULL DEFAULT '');"
        " INSERT INTO def_must VALUES (1, 'a', 'b');",
        checks=(
            lambda target: (
                None
                if target.rows("INSERT INTO def_must (v) VALUES ('x') RETURNING w") == [("",)]
                else (_ for _ in ()).throw(AssertionError("no default"))
            ),
        ),
    ),
)
