"""Values for the parameters of the application's queries, taken from the snapshot, so that queries find something."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from zenni_tui.compare import values
from zenni_tui.compare.unreadable import Unreadable
from zenni_tui.convert.port import Use
from zenni_tui.convert.port_scope import Field
from zenni_tui.model.plan import Kind
from zenni_tui.source.asking import Unanswered, ask
from zenni_tui.source.database import quoted

_ROWS = 240
_SECONDS = 5.0
_TRIALS = 12
_CONSTANTS: dict[str, Any] = {
    "rows": 10,
    "skip": 0,
    "modifier": "-100 years",
    "moment": "2025-02-01",
    "tested": "x",
}
"""Values for what stands for no column: of LIMIT and OFFSET, a date function's, and what is only compared with NULL."""
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, as all instants here
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Sample:
    """One value for each parameter :p1, :p2, ..., as SQLite stores it and as PostgreSQL takes it."""

    source: tuple[Any, ...]
    target: tuple[Any, ...]


def samples(snapshot: sqlite3.Connection, uses: Mapping[str, Use], count: int) -> Iterator[Sample]:
    """Yield values for all parameters, those of a table from one of its rows; none when one's meaning is unknown."""
    known = [uses.get(f"p{n}") for n in range(1, count + 1)]
    if any(u is None or not (u.field or u.expression or u.how in _CONSTANTS) for u in known):
        return
    if not known:
        yield Sample((), ())
        return
    given = [u for u in known if u is not None]
    rows = _rows(snapshot, given) | _values(snapshot, given)
    most = max((len(r) for r in rows.values()), default=1)
    for number in range(0, most, max(1, most // _TRIALS)):
        pairs = [_pair(u, rows, number) for u in given]
        yield Sample(tuple(p[0] for p in pairs), tuple(p[1] for p in pairs))


def _rows(snapshot: sqlite3.Connection, uses: list[Use]) -> dict[str, list[dict[str, Any]]]:
    """Return some rows of each table whose columns are asked for, with values that PostgreSQL takes."""
    wanted: dict[str, dict[str, Field]] = {}
    for use in uses:
        if use.field is not None:
            wanted.setdefault(use.field.table.source, {})[use.field.plan.source or ""] = use.field
    found = {}
    for table, fields in wanted.items():
        names = ", ".join(quoted(n) for n in fields)
        where = " AND ".join(f"{quoted(n)} IS NOT NULL" for n in fields)
        text = f"SELECT {names} FROM main.{quoted(table)} WHERE {where} LIMIT {_ROWS}"  # noqa: S608 - quoted names
        rows = [dict(zip(fields, row, strict=True)) for row in _read(snapshot, text)]
        found[table] = [r for r in rows if all(_fits(f, r[n]) for n, f in fields.items())]
    return found


def _read(snapshot: sqlite3.Connection, text: str) -> list[tuple[Any, ...]]:
    """Return a query's rows; texts that are not UTF-8 come with surrogates, which fit nowhere."""
    strict = snapshot.text_factory
    snapshot.text_factory = lambda raw: raw.decode(errors="surrogateescape")
    try:
        return snapshot.execute(text).fetchall()
    finally:
        snapshot.text_factory = strict


def _values(snapshot: sqlite3.Connection, uses: list[Use]) -> dict[str, list[dict[str, Any]]]:
    """Return some values of each expression that a parameter is compared with."""
    found = {}
    for use in (u for u in uses if u.expression):
        table, alias = use.relation
        inside = f"SELECT {use.expression} AS found FROM main.{quoted(table)} AS {quoted(alias)} LIMIT {_ROWS}"  # noqa: S608 - the application's own text, and quoted names
        with suppress(Unanswered):
            rows = ask(snapshot, inside, {}, most=_ROWS, seconds=_SECONDS).rows
            found[use.expression] = [{"": row[0]} for row in rows if row[0] is not None]
    return found


def _fits(field: Field, value: Any) -> bool:
    try:
        as_target(field, value)
        str(value).encode()
    except (Unreadable, OverflowError, ValueError):
        return False
    return True


def _pair(use: Use, rows: Mapping[str, list[dict[str, Any]]], number: int) -> tuple[Any, Any]:
    if use.field is None and not use.expression:
        return _CONSTANTS[use.how], _CONSTANTS[use.how]
    name = (use.field.plan.source or "") if use.field is not None else ""
    own = rows.get(use.field.table.source if use.field is not None else use.expression, [])
    if not own:
        return None, None
    if use.how in ("low", "high"):
        choose = min if use.how == "low" else max
        value = choose((r[name] for r in own), key=lambda v: _rank(use.field, v))
    else:
        value = own[number % len(own)][name]
    if use.how == "like" and isinstance(value, str):
        value = _like(value)
        return value, value
    return value, as_target(use.field, value) if use.field is not None else value


def _rank(field: Field | None, value: Any) -> Any:
    found = as_target(field, value) if field is not None else value
    return (str(type(found)), found)


def _like(text: str) -> str:
    """Return a pattern that finds a text, with the case of A to Z changed, which SQLite does not mind."""
    word = _WORD.search(text)
    part = word[0][:4] if word else text[:3]
    return f"%{''.join(c.swapcase() if c.isascii() else c for c in part)}%"


def as_target(field: Field, value: Any) -> Any:
    """Return a stored value as PostgreSQL's driver takes it; raises Unreadable for one without a form there."""
    kind = field.plan.type.kind
    text = values.canonical(value, field.plan.type, field.plan.epoch, field.plan.zone)
    if text is None or kind is Kind.BYTEA:
        return value
    if kind in (Kind.DOUBLE, Kind.REAL):
        return float(value)
    maker = _MAKERS.get(kind)
    return maker(text) if maker is not None else str(value)


_MAKERS: dict[Kind, Callable[[str], Any]] = {
    Kind.BOOLEAN: lambda text: text == "true",
    Kind.TIMESTAMP: lambda text: _EPOCH + timedelta(microseconds=int(text)),
    Kind.TIMESTAMPTZ: lambda text: (_EPOCH + timedelta(microseconds=int(text))).replace(tzinfo=UTC),
    Kind.DATE: lambda text: _EPOCH.date() + timedelta(days=int(text)),
    **dict.fromkeys((Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT), int),
    Kind.NUMERIC: Decimal,
}
