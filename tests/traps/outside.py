"""An outside comparison of two databases: sqlite3 and psycopg by hand, nothing of the program under test."""

import json
import re
import sqlite3
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, cast

import psycopg

# From 294247-01-10 04:00:54.775807 on extract(epoch) keeps but four digits of a second, though all of whole ones.
_INSTANT = (
    "(trunc(extract(epoch FROM date_trunc('second', {0}))) * 1000000"
    " + mod(extract(microseconds FROM {0})::bigint, 1000000))::text"
)
_READ = {
    "timestamp": _INSTANT,
    "timestamptz": _INSTANT,
    "date": "({0} - date '1970-01-01')::text",
}
_NATIVE = ("bytea", "bool", "int2", "int4", "int8", "float8")
_TRUE = {1: True, 0: False} | dict.fromkeys(("1", "t", "true", "y", "yes", "on"), True)
_TRUE |= dict.fromkeys(("0", "f", "false", "n", "no", "off"), False)
_UNITS: dict[str, Callable[[Any], int]] = {
    "s": lambda v: round(Fraction(repr(v)) * 10**6),
    "ms": lambda v: round(Fraction(repr(v)) * 1000),
    "us": lambda v: round(Fraction(repr(v))),
    "julian": lambda v: round((Fraction(repr(v)) - Fraction("2440587.5")) * 86_400_000) * 1000,
}
_WHEN = re.compile(
    r"([+-]?\d{4,6})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)? ?(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)


def _micros(text: str) -> int:
    year, month, day, hour, minute, second, part, zone = cast("re.Match[str]", _WHEN.fullmatch(text)).groups()
    # The calendar repeats after 400 years of 146,097 days.
    cycles, of_cycle = divmod(int(year), 400)
    days = date(of_cycle + 400, int(month), int(day)).toordinal() + (cycles - 1) * 146_097 - 719_163
    seconds = days * 86_400 + int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    if zone and zone.upper() != "Z":
        seconds -= int(zone[0] + "1") * (int(zone[1:3]) * 3600 + int(zone[-2:]) * 60)
    return seconds * 10**6 + int(Fraction("0" + (part or ".0")) * 10**6)


def _decimal(value: Any) -> Decimal:
    """Return a number without its trailing zeros, nor the sign of zero, which numeric doesn't have."""
    with localcontext(prec=200_000):
        return Decimal(repr(value) if isinstance(value, float) else value).normalize() + 0


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((k, _plain(v)) for k, v in value.items()))
    if isinstance(value, list):
        return ("list", *map(_plain, value))
    return ("number", str(_decimal(value))) if isinstance(value, Decimal) else value


def _json(text: str) -> Any:
    return ("json", repr(_plain(json.loads(text, parse_float=Decimal, parse_int=Decimal))))


def _text(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    head, e, tail = repr(value).partition("e")
    head = {"inf": "Inf", "-inf": "-Inf"}.get(head, head)
    return head + (".0" if e and "." not in head else "") + e + tail


def _clock(text: str) -> str:
    whole = text if text.count(":") == 2 else text + ":00"
    return whole.rstrip("0").rstrip(".") if "." in whole else whole


def _wanted(value: Any, kind: str, unit: str) -> Any:
    if value is None:
        return None
    if kind in ("timestamp", "timestamptz"):
        return str(_micros(value) if isinstance(value, str) else _UNITS[unit](value))
    if kind == "date":
        return str((_micros(value) if isinstance(value, str) else _UNITS[unit](value)) // 86_400_000_000)
    made: dict[str, Callable[[Any], Any]] = {
        "bool": lambda v: _TRUE[v.lower() if isinstance(v, str) else v],
        "float8": lambda v: struct.pack("!d", v),
        "numeric": _decimal,
        "jsonb": lambda v: _json(_text(v)),
        "uuid": lambda v: v.lower().replace("-", "").strip("{}"),
        "time": _clock,
    }
    if kind in ("int2", "int4", "int8"):
        return int(value)
    return value if kind == "bytea" else made.get(kind, _text)(value)


def _held(value: Any, kind: str) -> Any:
    if value is None:
        return None
    made: dict[str, Callable[[Any], Any]] = {
        "float8": lambda v: struct.pack("!d", v),
        "numeric": _decimal,
        "jsonb": _json,
        "uuid": lambda v: v.replace("-", ""),
        "time": _clock,
        "bytea": bytes,
    }
    return made.get(kind, lambda v: v)(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _kinds(target: psycopg.Connection[Any], table: str) -> dict[str, str]:
    return dict(
        target.execute(
            "SELECT attname, typname FROM pg_attribute JOIN pg_type t ON t.oid = atttypid JOIN pg_class c"
            " ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND relname = %s AND attnum > 0",
            (table,),
        ).fetchall()
    )


def _column(source: list[Any], target: list[Any], kind: str) -> list[Any]:
    """Return a column's wanted values; numbers of a date column may count any one unit, the same in all rows."""
    held = Counter(target)
    best: list[Any] = []
    for unit in _UNITS:
        wanted = [_read_alone(v, kind, unit) for v in source]
        if not best or (Counter(wanted) - held).total() < (Counter(best) - held).total():
            best = wanted
        if Counter(wanted) == held:
            break
    return best


def _read_alone(value: Any, kind: str, unit: str) -> Any:
    try:
        return _wanted(value, kind, unit)
    except (ArithmeticError, ValueError, KeyError, AttributeError, TypeError) as error:
        return ("unreadable", repr(error))


def differences(
    source: sqlite3.Connection,
    target: psycopg.Connection[Any],
    table: dict[str, Any],
    without: tuple[str, ...] = (),
    *,
    changed: Mapping[str, int] | None = None,
    apart: int = 0,
) -> list[str]:
    """Compare one table of a result, wholly, as a bag of rows; returns what differs, in words.

    `without` are columns ("Table.column") that were left behind; `changed` says of how many rows a repair may have
    changed a column's value, and `apart` how many rows may have been kept out.
    """
    changed = changed or {}
    source.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    renamed = {c["source"]: c["target"] for c in table.get("columns") or ()}
    names = [c[1] for c in source.execute("SELECT * FROM pragma_table_xinfo(?)", (table["source"],)) if c[6] != 1]
    names = [n for n in names if f"{table['source']}.{n}" not in without]
    kinds = _kinds(target, table["target"])
    lost = [n for n in names if renamed.get(n, n) not in kinds]
    if lost:
        return [f"{table['source']}: no columns {lost}"]
    there = [(renamed.get(n, n), kinds[renamed.get(n, n)]) for n in names]
    read = (n if k in _NATIVE else _READ.get(k, "{0}::text").format(n) for n, k in ((_quoted(a), b) for a, b in there))
    rows = target.execute(f"SELECT {', '.join(read)} FROM public.{_quoted(table['target'])}").fetchall()
    held = [[_held(r[i], k) for r in rows] for i, (_, k) in enumerate(there)]
    listed = ", ".join(map(_quoted, names))
    raw = source.execute(f"SELECT {listed} FROM {_quoted(table['source'])} NOT INDEXED").fetchall()
    if len(raw) != len(rows) + apart:
        return [f"{table['source']}: {len(raw)} rows became {len(rows)}"]
    wanted = [_column([r[i] for r in raw], held[i], k) for i, (_, k) in enumerate(there)]
    wrong = [
        n
        for n, a, b in zip(names, wanted, held, strict=True)
        if (Counter(a) - Counter(b)).total() > changed.get(f"{table['source']}.{n}", 0) + apart
    ]
    whole = [i for i, n in enumerate(names) if f"{table['source']}.{n}" not in changed]
    rows_wanted, rows_held = (Counter(zip(*(side[i] for i in whole), strict=True)) for side in (wanted, held))
    if not wrong and ((rows_wanted - rows_held).total() > apart or rows_held - rows_wanted):
        wrong = ["rows are mixed up"]
    return [f"{table['source']}: {wrong}"] if wrong else []
