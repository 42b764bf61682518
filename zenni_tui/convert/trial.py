"""Tries conversions without writing: which values have no faithful form, and which keys become equal."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import NoneType
from typing import cast

from zenni_tui.model.long import Lazy, Long
from zenni_tui.model.plan import ColumnPlan, EnumPlan, Kind
from zenni_tui.model.record import Record
from zenni_tui.model.schema import Value

from . import documents, encode, instants, long
from .types import DATES
from .unfit import Unfit


class Trouble(Record, frozen=True):
    """Values of one column that have no faithful form in its type: their keys and numbers."""

    column: str
    code: str
    reason: str
    keys: tuple[str, ...]
    rowids: tuple[int, ...] = ()


class Tried(Record, frozen=True):
    """One span's trial: troubles, and by date column how many texts name a zone and how many don't."""

    troubles: tuple[Trouble, ...]
    zoned: dict[str, int]
    zoneless: dict[str, int]
    doubled: dict[str, tuple[str, ...]]
    """By jsonb column, the keys of rows whose JSON names a key twice."""


class Twins(Record, frozen=True):
    """Rows whose key columns become equal in the target, and the keys of the rows that each one equals."""

    keys: tuple[str, ...]
    others: tuple[str, ...]
    rowids: tuple[int, ...] = ()


def attempt(
    batches: Iterable[Sequence[Sequence[Lazy]]],
    columns: Sequence[ColumnPlan],
    enums: Sequence[EnumPlan],
    *,
    lead: int,
) -> Tried:
    """Try to encode the values of rows; the first `lead` values of each row are its number and its key."""
    trials = [_Trial(column, enums) for column in columns]
    for rows in batches:
        for one, values in zip(trials, list(zip(*rows, strict=True))[lead:], strict=True):
            one.take(values, lambda position: named(at_once(rows[position][:lead])))  # noqa: B023 - called at once
    return Tried(
        tuple(trouble for one in trials for trouble in one.troubles()),
        {one.name: one.zoned for one in trials if one.zoned},
        {one.name: one.zoneless for one in trials if one.zoneless},
        {one.name: tuple(one.doubled) for one in trials if one.doubled},
    )


def at_once(values: Iterable[Lazy]) -> list[Value]:
    """Return values with the long ones read whole."""
    return [v.whole() if isinstance(v, Long) else v for v in values]


Key = tuple[str, int]
"""A row's key for people, and its number: its rowid, or its place in a table without rowids."""


def named(lead: Sequence[Value]) -> Key:
    """Return a row's key of the values that lead it: its number and its primary key."""
    number = lead[0]
    assert isinstance(number, int)  # noqa: S101 - rows are read with their numbers
    return key_text(lead, rowids=True), number


class _Trial:
    """One column's trial; values of which a quick look proves that they fit are not tried one by one."""

    def __init__(self, column: ColumnPlan, enums: Sequence[EnumPlan]) -> None:
        self.name = column.source or ""
        self.zoned = self.zoneless = 0
        self.doubled: list[str] = []
        self._kind = column.type.kind
        self._column = column
        self._field = encode.field_encoder(column, enums)
        self._quick = instants.quick(column)
        self._found: dict[str, tuple[str, list[Key]]] = {}

    def take(self, values: Sequence[Lazy], key_of: Callable[[int], Key]) -> None:
        kinds = set(map(type, values)) - {NoneType}
        if Long in kinds:
            values = self._checked(values, key_of)
            kinds = set(map(type, values)) - {NoneType}
        self._take(cast("Sequence[Value]", values), kinds, key_of)

    def _checked(self, values: Sequence[Lazy], key_of: Callable[[int], Key]) -> list[Value]:
        """Check long values in pieces where that can be, and return the others: those with nothing in their places."""
        if not long.in_pieces(self._column):
            return at_once(values)
        for position, value in enumerate(values):
            if isinstance(value, Long):
                self._note(lambda: long.check(self._column, value), position, key_of)  # noqa: B023 - called at once
        return [None if isinstance(v, Long) else v for v in values]

    def _take(self, values: Sequence[Value], kinds: set[type], key_of: Callable[[int], Key]) -> None:
        if self._quick is not None and self._quick.whole_fit(values):
            kinds.discard(int)
        if not kinds:
            return
        for position, value in enumerate(values):
            if type(value) in kinds:
                self._try(value, position, key_of)

    def _try(self, value: Value, position: int, key_of: Callable[[int], Key]) -> None:
        zoned = self._quick.zoned(value) if self._quick is not None and isinstance(value, str) else None
        if zoned is None and not self._note(lambda: self._field(value), position, key_of):
            return
        if not isinstance(value, str):
            return
        if self._kind in DATES:
            named = zoned if zoned is not None else instants.names_zone(value)
            self.zoned += named
            self.zoneless += not named
        elif self._kind is Kind.JSONB and documents.doubled(value):
            self.doubled.append(key_of(position)[0])

    def _note(self, deed: Callable[[], object], position: int, key_of: Callable[[int], Key]) -> bool:
        """Return whether a value is fit; one that isn't is noted."""
        try:
            deed()
        except Unfit as unfit:
            reason, keys = self._found.get(unfit.code, (unfit.reason, []))
            self._found[unfit.code] = (worse(reason, unfit.reason), keys)
            keys.append(key_of(position))
            return False
        return True

    def troubles(self) -> Iterable[Trouble]:
        for code, (why, keys) in self._found.items():
            yield Trouble(self.name, code, why, tuple(text for text, _ in keys), tuple(number for _, number in keys))


def worse(one: str, other: str) -> str:
    """Return the reason that leaves fewer ways out: no timestamp keeps what is finer than a microsecond."""
    return other if "microsecond" in other else one


def key_text(lead: Sequence[Value], *, rowids: bool) -> str:
    """Return a row's key for people: its primary key, or its rowid where it has none."""
    parts = lead[1:] if rowids and len(lead) > 1 else lead
    texts = [p.hex() if isinstance(p, bytes) else "NULL" if p is None else str(p) for p in parts]
    return ", ".join(t.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for t in texts)


def twins(
    rows: Iterable[Sequence[Value]],
    columns: Sequence[ColumnPlan],
    enums: Sequence[EnumPlan],
    *,
    lead: int,
    scratch: Path,
) -> Twins:
    """Find rows whose key becomes equal to an earlier row's; NULLs are never equal. `scratch` is made and removed."""
    fields = [encode.field_encoder(c, enums) for c in columns]
    scratch.touch(0o600)
    seen = sqlite3.connect(scratch, isolation_level=None)
    found: list[tuple[str, str, int]] = []
    try:
        seen.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; CREATE TABLE k (v PRIMARY KEY, t)"
        )
        for row in rows:
            try:
                parts = [field(v) for field, v in zip(fields, row[lead:], strict=True)]
            except Unfit:
                continue
            # Once repaired: NULL may have got a value, and a value may have become NULL.
            if encode.NULL in parts:
                continue
            key = b"".join(parts)
            text, number = named(row[:lead])
            if seen.execute("INSERT OR IGNORE INTO k VALUES (?, ?)", (key, text)).rowcount == 0:
                (other,) = seen.execute("SELECT t FROM k WHERE v = ?", (key,)).fetchone()
                found.append((text, other, number))
    finally:
        seen.close()
        scratch.unlink()
    keys, others, ids = zip(*found, strict=True) if found else ((), (), ())
    return Twins(tuple(keys), tuple(others), tuple(ids))


_FIXED = {Kind.SMALLINT: 2, Kind.INTEGER: 4, Kind.REAL: 4, Kind.DATE: 4, Kind.BOOLEAN: 1, Kind.UUID: 16}
_LONG = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.CHAR, Kind.NUMERIC, Kind.BYTEA, Kind.JSON, Kind.JSONB})
_HEADER, _POINTER = 23, 18
"""Bytes of a row's header and of the pointer that takes the place of a value stored out of line
(https://www.postgresql.org/docs/current/storage-page-layout.html, storage-toast.html)."""


def least_width(row: Sequence[Value], columns: Sequence[ColumnPlan]) -> int:
    """Return the bytes that a row needs in its page at least, whatever is moved out of line."""
    width = _HEADER + (len(columns) + 7) // 8
    for value, column in zip(row, columns, strict=True):
        if value is None:
            continue
        if column.type.kind in _LONG:
            size = len(value) + 1 if isinstance(value, str | bytes) else len(str(value)) // 2 + 4
            width += min(size, _POINTER)
        else:
            width += _FIXED.get(column.type.kind, 8)
    return width
