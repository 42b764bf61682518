"""The other types that would hold every value of a column: what an operator can choose without a second thought."""

from collections.abc import Iterator, Mapping

from zenni_tui.model.choices import Alternatives
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, parse_type
from zenni_tui.model.schema import ColumnProfile, TableProfile, TextShape

from . import types
from .decisions import Shapes

_ALL = ("text", "smallint", "integer", "bigint", "double precision", "boolean", "bytea")
_MICROS = 6
_FROM_TEXT = {"jsonb": ("jsonb", "json"), "timestamp(3)": ("timestamp(3)", "timestamptz(3)")}


def alternatives(plan: Plan, profiles: Mapping[str, TableProfile], shapes: Shapes) -> Alternatives:
    """Return the other types for the columns of a plan, as far as what the audit learned of them proves."""
    made = {}
    for table in plan.tables:
        known, looks = profiles[table.source].columns, shapes.get(table.source, {})
        found = {
            c.source: tuple(_others(c, known[c.source], looks.get(c.source)))
            for c in table.loaded
            if c.source is not None and c.counter is None
        }
        made[table.source] = {name: others for name, others in found.items() if others}
    return Alternatives({name: found for name, found in made.items() if found})


def _others(column: ColumnPlan, profile: ColumnProfile, shape: TextShape | None) -> Iterator[str]:
    for word in dict.fromkeys((*_by_profile(profile), *_by_shape(shape), *_instants(column))):
        if parse_type(word) != column.type:
            yield word


def _by_profile(profile: ColumnProfile) -> Iterator[str]:
    yield from (word for word in _ALL if types.conclusive(parse_type(word), profile))
    if not (profile.texts or profile.blobs):
        yield "numeric"


def _by_shape(shape: TextShape | None) -> Iterator[str]:
    for word in shape.types if shape else ():
        yield from _FROM_TEXT.get(word, (word,))


def _instants(column: ColumnPlan) -> Iterator[str]:
    """Yield what holds the instants that the column's own type holds."""
    if column.type.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ) and not column.repairs:
        size = _MICROS if column.type.size is None else column.type.size
        for digits in dict.fromkeys((size, _MICROS)):
            yield from (f"timestamp({digits})", f"timestamptz({digits})")
