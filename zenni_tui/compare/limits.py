"""What a column refuses beyond its kind: sizes, scales, labels; needed only where repairs are tied to such a refusal.

Without repairs nothing is lost by not asking: what a column can't hold differs from every value that it does hold.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from zenni_tui.model.plan import ColumnPlan, EnumPlan, Kind, TargetType
from zenni_tui.model.schema import Value

from . import dates
from .jsontext import json_or_not
from .unreadable import Unreadable
from .values import Stored, instant, reader

Limit = Callable[[Stored, str], str | None]
"""Takes a stored value and its canonical text, and names the finding when the column can't hold it."""

_MICROSECONDS = 6


def refusal(column: ColumnPlan, enums: Sequence[EnumPlan]) -> Callable[[Value], str | None]:
    """Return the function that names why a stored value has no form in the column, by a finding's code, or None.

    Raises KeyError when the column's enum is not among `enums`.
    """
    read = reader(column.type, column.epoch, column.zone)
    limit = _limit(column, enums)

    def refused(value: Value) -> str | None:
        if value is None:
            return "null_in_not_null" if column.not_null else None
        try:
            return limit(value, read(value))
        except Unreadable as reason:
            return reason.code

    return refused


def _limit(column: ColumnPlan, enums: Sequence[EnumPlan]) -> Limit:
    kind = column.type
    if kind.kind is Kind.ENUM:
        return _labelled({e.name: frozenset(e.labels) for e in enums}[kind.enum or ""])
    if kind.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
        return lambda value, _: _fine(instant(value, column.epoch, column.zone), kind)
    made: dict[Kind, Limit] = {
        Kind.VARCHAR: lambda _, text: _long(text, kind.size),
        Kind.CHAR: lambda value, text: _long(text, kind.size or 1) or _padded(value, text, kind.size or 1),
        Kind.NUMERIC: lambda _, text: _precise(text, kind),
        Kind.TIME: lambda _, text: _fine(int(text), kind),
        Kind.DATE: lambda _, text: "date_out_of_range" if int(text) >= dates.AFTER_MICROS // dates.DAY else None,
        Kind.JSON: _no_json,
        # TEXT has bytes as well, but who chose a repair for what is no BLOB meant all that is none.
        Kind.BYTEA: lambda value, _: None if isinstance(value, bytes) else "not_a_blob",
    }
    return made.get(kind.kind, lambda _, __: None)


def _labelled(labels: frozenset[str]) -> Limit:
    return lambda _, text: None if text in labels else "enum_unknown"


def _long(text: str, size: int | None) -> str | None:
    return "text_too_long" if size is not None and len(text) > size else None


def _padded(value: Stored, text: str, size: int) -> str | None:
    if not isinstance(value, str) or len(value) == len(text):
        return None
    return "text_too_long" if len(value) > size else "text_padded"


def _fine(micros: int, kind: TargetType) -> str | None:
    digits = _MICROSECONDS if kind.size is None else kind.size
    return "date_too_fine" if micros % 10 ** (_MICROSECONDS - digits) else None


def _precise(text: str, kind: TargetType) -> str | None:
    if kind.size is None:
        return None
    number, scale = Decimal(text), kind.scale or 0
    if number.is_infinite():
        return "number_infinite"
    decimals = len(text.partition(".")[2])
    fits = not number or (decimals <= scale and number.adjusted() < kind.size - scale)
    return None if fits else "number_too_precise"


def _no_json(value: Stored, text: str) -> str | None:
    if isinstance(value, str):
        json_or_not(text)
    elif value in (float("inf"), float("-inf")):
        return "json_invalid"
    return None
