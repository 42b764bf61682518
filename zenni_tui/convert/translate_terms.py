"""The pieces of a translated expression: PostgreSQL text together with what SQLite knows of the value behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from zenni_tui.model.plan import ColumnPlan, Epoch, Kind, TargetType
from zenni_tui.model.schema import ColumnProfile, SourceColumn

from .translate_source import Untranslatable, affinity

INT64 = (-(1 << 63), (1 << 63) - 1)
EXACT = 1 << 53
"""Up to here every whole number is a double."""

DOUBTFUL = "doubtful"
"""The affinity of a subquery's computed column."""

_LONGEST_NAME = 63
_INT32_END = 1 << 31
_DOUBLE_DIGITS = 15


class Class(StrEnum):
    """What SQLite's value is, as far as the target type tells; all but OPAQUE may be NULL too."""

    INTEGER = "integer"
    REAL = "real"
    NUMBER = "number"
    """An integer or a real, row by row."""
    TEXT = "text"
    BLOB = "blob"
    BOOLEAN = "boolean"
    """The integers 0 and 1."""
    INSTANT = "instant"
    DAY = "day"
    CLOCK = "clock"
    ELEMENT = "element"
    """What json_extract takes from a document."""
    NULL = "null"
    OPAQUE = "opaque"
    """Only whether it is NULL is known."""


NUMBERS = frozenset({Class.INTEGER, Class.REAL, Class.NUMBER, Class.BOOLEAN})
TIMES = frozenset({Class.INSTANT, Class.DAY, Class.CLOCK})


class Column(NamedTuple):
    """A column that an expression may name.

    `affinity` is SQLite's of the declared type, None for the one usual for the target type. `numbers` says what a
    date's stored numbers count, None when dates are stored as text, all in one form. `doubt` says why nothing but
    NULL can be told of its values.
    """

    name: str
    type: TargetType
    affinity: str | None = None
    collation: str = "BINARY"
    numbers: Epoch | None = None
    doubt: str | None = None


Known = tuple[str, TargetType] | Column
Columns = Mapping[str, Known]


def column(source: SourceColumn, plan: ColumnPlan, profile: ColumnProfile | None = None) -> Column:
    """Return what is known of a source column that goes to a planned one; a profile settles what its dates are."""
    known = Column(plan.name, plan.type, affinity(source.declared), source.collation.upper())
    if profile is None:
        return known
    numbers = profile.integers + profile.reals
    dates = plan.type.kind in _TIME_CLASSES
    if profile.texts and (plan.type.kind is Kind.BOOLEAN or (dates and numbers)):
        return known._replace(doubt=f'The column "{source.name}" holds values of several kinds.')
    if dates and plan.zone is not None and plan.type.kind is not Kind.TIME:
        return known._replace(doubt=f'The dates of "{source.name}" are in a local time zone.')
    return known._replace(numbers=plan.epoch if dates and numbers else None)


@dataclass(frozen=True)
class Term:
    """A value: its PostgreSQL text and type `pg`, and SQLite's view of it.

    `low` and `high` bound the whole numbers it can be, None when nothing is known. A literal has its `value`, and
    `literal` is true. `direct` is true for a column's own value.
    """

    sql: str
    of: Class
    pg: Kind = Kind.TEXT
    affinity: str | None = None
    collation: str = "BINARY"
    explicit: bool = False
    direct: bool = False
    low: int | None = None
    high: int | None = None
    literal: bool = False
    value: int | float | str | bytes | None = None
    numbers: Epoch | None = None
    size: int | None = None
    doubt: str = ""

    def bounded(self, end: int) -> bool:
        """Return whether every whole number it can be is within -end..end."""
        return self.low is not None and self.high is not None and -end <= self.low and self.high <= end

    @property
    def whole(self) -> bool:
        """Return whether it is always a whole number within 64 bits."""
        known = self.low is not None and self.high is not None
        return self.of is Class.INTEGER and known and INT64[0] <= (self.low or 0) and (self.high or 0) <= INT64[1]

    @property
    def finite(self) -> bool:
        """Return whether it is a literal number other than zero or infinity."""
        number = self.literal and isinstance(self.value, int | float)
        return number and self.value not in (0, float("inf"), float("-inf"))


NULL = Term("NULL", Class.NULL, literal=True)


def identifier(name: str) -> str:
    """Return a name in PostgreSQL's quotes; raises Untranslatable for one that PostgreSQL can't hold."""
    if not name or "\0" in name or not _encodable(name) or len(name.encode()) > _LONGEST_NAME:
        raise Untranslatable("A name is empty, too long, holds a NUL character or is not valid UTF-8.")
    return '"' + name.replace('"', '""') + '"'


def string(text: str) -> str:
    """Return a string constant that means the same under every setting of standard_conforming_strings."""
    if "\0" in text or not _encodable(text):
        raise Untranslatable("A string holds a NUL character or is not valid UTF-8.")
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in text else f"'{quoted}'"


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def literal(value: float | str | bytes) -> Term:
    """Return a constant's term."""
    if isinstance(value, str):
        return Term(string(value), Class.TEXT, literal=True, value=value)
    if isinstance(value, bytes):
        return Term(f"decode('{value.hex()}', 'hex')", Class.BLOB, Kind.BYTEA, literal=True, value=value)
    if isinstance(value, int) and INT64[0] <= value <= INT64[1]:
        sql = str(value) if value >= 0 else f"({value})"
        return Term(sql, Class.INTEGER, _whole(value), low=value, high=value, literal=True, value=value)
    number = float(value)
    return Term(f"'{_spelled(number)}'::double precision", Class.REAL, Kind.DOUBLE, literal=True, value=number)


def _whole(value: int) -> Kind:
    return Kind.INTEGER if -_INT32_END <= value < _INT32_END else Kind.BIGINT


def _spelled(number: float) -> str:
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(number)


_TIME_CLASSES = {
    Kind.TIMESTAMP: Class.INSTANT,
    Kind.TIMESTAMPTZ: Class.INSTANT,
    Kind.DATE: Class.DAY,
    Kind.TIME: Class.CLOCK,
}
_RANGES = {
    Kind.SMALLINT: (-(1 << 15), (1 << 15) - 1),
    Kind.INTEGER: (-_INT32_END, _INT32_END - 1),
    Kind.BIGINT: INT64,
}
_TEXTS = (Kind.TEXT, Kind.VARCHAR, Kind.CHAR, Kind.ENUM)
_USUAL = {
    **dict.fromkeys(_TEXTS, ("text",)),
    **dict.fromkeys(_RANGES, ("integer", "numeric")),
    Kind.DOUBLE: ("real", "numeric", "integer", "blob"),
    Kind.REAL: ("real", "numeric", "integer", "blob"),
    Kind.NUMERIC: ("numeric", "integer", "real"),
    Kind.BOOLEAN: ("numeric", "integer"),
    Kind.BYTEA: ("blob", "numeric", "integer", "real", "text"),
    **dict.fromkeys(_TIME_CLASSES, ("numeric", "text", "integer", "real")),
    Kind.JSON: ("numeric", "text", "blob"),
    Kind.JSONB: ("numeric", "text", "blob"),
}
"""The affinities under which a stored value is known from the target's; the first is taken where none is told."""


def column_term(known: Known, prefix: str = "") -> Term:
    """Return the term of a column; `prefix` is its table's quoted name with a point, or empty."""
    told = known if isinstance(known, Column) else Column(*known)
    kind = told.type.kind
    usual = _USUAL.get(kind, ())
    given = told.affinity or (usual[0] if usual else "text")
    term = Term(prefix + identifier(told.name), Class.OPAQUE, kind, given, told.collation, direct=True)
    doubt = told.doubt or ("" if given in usual else _doubt(told))
    if doubt:
        return replace(term, doubt=doubt)
    return replace(_classed(term, told.type), numbers=told.numbers, size=told.type.size)


def _doubt(told: Column) -> str:
    if told.type.kind is Kind.UUID:
        return f'The spelling of the UUIDs in "{told.name}" is not kept.'
    return f'Values of several kinds may lie in "{told.name}", which is {told.type} in PostgreSQL.'


def _classed(term: Term, kind: TargetType) -> Term:
    if kind.kind in (Kind.DOUBLE, Kind.REAL, Kind.NUMERIC, *_RANGES):
        return _numeric(term, kind)
    if kind.kind in _TEXTS:
        cast = "::text" if kind.kind in (Kind.CHAR, Kind.ENUM) else ""
        return replace(term, of=Class.TEXT, sql=term.sql + cast)
    if kind.kind in (Kind.JSON, Kind.JSONB):
        return replace(term, doubt="JSON is spelled anew in PostgreSQL, so only json_valid and json_extract fit it.")
    if kind.kind is Kind.BYTEA:
        return replace(term, of=Class.BLOB)
    return replace(term, of=Class.BOOLEAN if kind.kind is Kind.BOOLEAN else _TIME_CLASSES[kind.kind])


def _numeric(term: Term, kind: TargetType) -> Term:
    if kind.kind in _RANGES:
        low, high = _RANGES[kind.kind]
        return replace(term, of=Class.INTEGER, low=low, high=high)
    if kind.kind is not Kind.NUMERIC:
        return replace(term, of=Class.REAL if term.affinity == "real" else Class.NUMBER)
    if kind.size is None or kind.size > _DOUBLE_DIGITS:
        return replace(term, of=Class.NUMBER)
    end = 10 ** max(kind.size - (kind.scale or 0), 0)
    return replace(term, of=Class.NUMBER, low=-end, high=end)


def usable(term: Term) -> Term:
    """Return the term; raises Untranslatable when only its being NULL is known."""
    if term.of is Class.OPAQUE:
        raise Untranslatable(term.doubt)
    return term


def plain(term: Term) -> Term:
    """Return an operand's term without affinity and collation, which only comparisons heed; raises Untranslatable."""
    if term.explicit and term.collation != "BINARY":
        raise Untranslatable("A COLLATE stands elsewhere than beside a comparison.")
    return replace(usable(term), affinity=None, collation="BINARY", explicit=False, direct=False)


def held(term: Term) -> Term:
    """Return a whole number within 64 bits; PostgreSQL refuses the row where SQLite goes over to doubles."""
    if term.of is not Class.INTEGER or term.whole:
        return term
    return replace(term, sql=f"{term.sql}::bigint", pg=Kind.BIGINT, low=INT64[0], high=INT64[1])


def as_integer(term: Term) -> Term:
    """Return a boolean as the integers 0 and 1; other terms as they are."""
    if term.of is not Class.BOOLEAN:
        return term
    return replace(term, sql=f"({term.sql})::integer", of=Class.INTEGER, pg=Kind.INTEGER, low=0, high=1, direct=False)


def as_double(term: Term) -> str:
    """Return the text of a number as double precision; SQLite's own conversion rounds the same."""
    term = held(as_integer(term))
    return term.sql if term.pg is Kind.DOUBLE else f"{term.sql}::double precision"


def as_text(term: Term) -> Term:
    """Return what SQLite writes for a text or whole number; raises Untranslatable for the rest."""
    term = held(as_integer(term))
    if term.of is Class.TEXT or term.of is Class.NULL:
        return term
    if term.of is not Class.INTEGER:
        raise Untranslatable("SQLite's spelling of this value as text has no PostgreSQL equivalent.")
    if term.literal:
        return replace(literal(str(term.value)), affinity=term.affinity)
    return replace(term, sql=f"{term.sql}::text", of=Class.TEXT, pg=Kind.TEXT, low=None, high=None, direct=False)


def typed(term: Term) -> str:
    """Return a text's SQL with its type beyond doubt."""
    return f"{term.sql}::text" if term.literal else term.sql


def truth(sql: str) -> Term:
    """Return the term of a PostgreSQL boolean."""
    return Term(sql, Class.BOOLEAN, Kind.BOOLEAN, low=0, high=1)


def condition(term: Term) -> str:
    """Return the PostgreSQL boolean of what SQLite takes as true when it is a number other than 0."""
    term = usable(term)
    if term.of is Class.BOOLEAN:
        return term.sql
    if term.of is Class.NULL:
        return "NULL::boolean"
    if term.of in NUMBERS:
        return f"({term.sql} <> 0)"
    raise Untranslatable("A value that is no number stands where a condition is meant.")
