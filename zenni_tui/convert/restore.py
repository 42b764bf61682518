"""What a PostgreSQL value is as a stored SQLite value again, in the form that the file's own values have.

Whatever form is tried, the encoder of the way there is the judge: only a value that would become this very field again
is written. So a way back can be clumsy, but never wrong.
"""

import contextlib
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation

from zenni_tui.model.plan import ColumnPlan, EnumPlan, Kind
from zenni_tui.model.schema import Value

from . import documents, restore_dates
from .encode import NULL, field_encoder
from .unfit import Unfit

_INTEGERS = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT})
_DATES = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE, Kind.TIME})
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_JSON_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|\s+')
_JSONB_HEAD = 5
"""Bytes before the text in a jsonb's field: its length and its version."""
_NUMERIC_SCALE = 10
"""Bytes before the display scale in a numeric's field: its length, and its digits' count, weight and sign."""
_WORDS = (("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"), ("1", "0"))

Form = Callable[[str], Value]
"""Writes a value, given as PostgreSQL's text, in one form; raises ValueError where the form doesn't fit it."""


class Restorer:
    """The way back of one column; `samples` are stored values of the file that show its forms, the usual one often."""

    def __init__(self, column: ColumnPlan, enums: Iterable[EnumPlan] = (), samples: Sequence[Value] = ()) -> None:
        self._column = column
        self._encode = field_encoder(column, enums)
        self._plain = _plain(column)
        found = Counter(f for s in samples if s is not None and (f := shape(column, s)) is not None)
        self._usual = [form for form, _ in found.most_common()]

    def restore(self, text: str | None, stored: Value = None, *, known: bool = False) -> Value:
        """Return what to store for a value that PostgreSQL shows as `text`; `stored` is what the row holds if `known`.

        A stored value that means the same stays, to the bit; else the first form that holds the value exactly is
        taken: the stored value's own, the column's usual ones, the plain one. Raises Unfit when none does.
        """
        wanted = self.meaning_of_text(text)
        if known and self._means(stored, wanted):
            return stored
        if text is None:
            return None
        for value in self._written(text, stored if known else None):
            if self._means(value, wanted):
                return value
        raise Unfit("no_way_back", "no form that SQLite stores means this value")

    def forms(self, text: str) -> tuple[Value, ...]:
        """Return every form in which the file may hold this value, the likeliest first: to look a key up by."""
        wanted = self.meaning_of_text(text)
        return tuple(dict.fromkeys(v for v in self._written(text, None) if self._means(v, wanted)))

    def meaning_of_text(self, text: str | None) -> object:
        """Return what a value means in PostgreSQL, to compare it by; raises Unfit for one that SQLite can't store."""
        if text is None:
            return self.meaning(None)
        try:
            plain = self._plain(text)
        except (ValueError, OverflowError):
            raise Unfit("no_way_back", "SQLite has no such value") from None
        if plain != plain:  # noqa: PLR0124 - not a number, which SQLite stores as NULL
            raise Unfit("no_way_back", "SQLite stores NaN as NULL")
        return self.meaning(plain)

    def meaning(self, stored: Value) -> object:
        """Return what a stored value becomes in PostgreSQL, to compare it by; raises Unfit."""
        field = self._encode(stored)
        if field == NULL:
            return field
        if self._column.type.kind is Kind.NUMERIC:
            # Without the number of digits that are shown: 1.5 and 1.50 are one number.
            return field[:_NUMERIC_SCALE] + field[_NUMERIC_SCALE + 2 :]
        return documents.meaning(field[_JSONB_HEAD:].decode()) if self._column.type.kind is Kind.JSONB else field

    def _means(self, stored: Value, wanted: object) -> bool:
        try:
            return self.meaning(stored) == wanted
        except Unfit:
            return False

    def _written(self, text: str, stored: Value) -> Iterator[Value]:
        own = None if stored is None else shape(self._column, stored)
        for form in (own, *self._usual, *_others(self._column), self._plain):
            if form is not None:
                with contextlib.suppress(ValueError, OverflowError, Unfit):
                    yield form(text)


def _plain(column: ColumnPlan) -> Form:
    """Return the form that holds every value of the column's type, as far as SQLite can hold it at all."""
    kind = column.type.kind
    if kind in _INTEGERS:
        return int
    if kind in (Kind.DOUBLE, Kind.REAL):
        return float if kind is Kind.DOUBLE else _single
    if kind in _DATES:
        return restore_dates.plain(kind)
    plain: dict[Kind, Form] = {
        Kind.BOOLEAN: _bit,
        Kind.BYTEA: _blob,
        Kind.JSONB: _compact,
        Kind.NUMERIC: lambda text: float(text) if "Infinity" in text else text,
    }
    return plain.get(kind, str)


def _others(column: ColumnPlan) -> Sequence[Form]:
    """Return forms that a column is often in, for a table that is still empty."""
    if column.type.kind is Kind.NUMERIC:
        return (_whole, _real)
    if column.type.kind is Kind.UUID:
        return (str.lower, str.upper)
    return ()


def shape(column: ColumnPlan, stored: Value) -> Form | None:
    """Return the form that a stored value has, None when it is none that can be written again."""
    kind = column.type.kind
    if kind in _DATES:
        return restore_dates.shape(column, stored)
    if isinstance(stored, bytes):
        return _blob if kind is Kind.BYTEA else None
    if isinstance(stored, int):
        return _bit if kind is Kind.BOOLEAN else _whole
    if isinstance(stored, float):
        return _single if kind is Kind.REAL else _real
    return _text_shape(kind, stored) if isinstance(stored, str) else None


def _text_shape(kind: Kind, stored: str) -> Form | None:
    if kind is Kind.BOOLEAN:
        return _word_form(stored)
    if kind is Kind.UUID:
        return _UUIDS[stored.isupper(), "-" not in stored, stored.startswith("{")]
    if kind is Kind.JSONB:
        return _compact if _compact(stored) == stored else str
    return str


def _whole(text: str) -> Value:
    number = _decimal(text)
    if number != int(number) or not _SMALLEST <= number <= _LARGEST:
        raise ValueError(text)
    return int(number)


def _real(text: str) -> Value:
    return float(text)


def _single(text: str) -> float:
    """Return the double that is the 4-byte number which PostgreSQL shows by its own shortest digits."""
    (number,) = struct.unpack("!f", struct.pack("!f", float(text)))
    return float(number)


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not number.is_finite():
        raise ValueError(text)
    return number


def _bit(text: str) -> Value:
    return int(text in ("t", "true"))


def _blob(text: str) -> Value:
    if not text.startswith("\\x"):
        raise ValueError(text)
    return bytes.fromhex(text[2:])


def _compact(text: str) -> str:
    """Return JSON without the blanks between its parts, as JSON.stringify and Prisma write it."""
    return _JSON_PARTS.sub(lambda m: m[0] if m[0].startswith('"') else "", text)


def _word_form(stored: str) -> Form | None:
    pair = next((pair for pair in _WORDS if stored.lower() in pair), None)
    if pair is None:
        return None
    true, false = pair
    change = str.upper if stored.isupper() else str.capitalize if stored[:1].isupper() else str.lower
    return _Words(change(true), change(false))


class _Words:
    """Booleans in two words; equal words make equal forms, so that they can be counted."""

    def __init__(self, true: str, false: str) -> None:
        self._words = (false, true)

    def __call__(self, text: str) -> Value:
        return self._words[text in ("t", "true")]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Words) and self._words == other._words

    def __hash__(self) -> int:
        return hash(self._words)


def _uuid_form(*, upper: bool, bare: bool, braced: bool) -> Form:
    def form(text: str) -> Value:
        text = text.replace("-", "") if bare else text
        text = text.upper() if upper else text
        return f"{{{text}}}" if braced else text

    return form


_UUIDS = {
    (upper, bare, braced): _uuid_form(upper=upper, bare=bare, braced=braced)
    for upper in (False, True)
    for bare in (False, True)
    for braced in (False, True)
}
