"""Says which columns may be encoded as a whole: those whose stored values the audit has proven to be of known classes.

A lane is one storage class of one column, read apart from the others; this module needs no Arrow and costs no start-up.
"""

from zenni_tui.model.plan import ColumnPlan, Epoch, Kind
from zenni_tui.model.schema import ColumnProfile

_MOMENTS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE})
_TOGETHER: dict[Kind, tuple[frozenset[str], ...]] = {
    Kind.SMALLINT: (frozenset({"integer"}),),
    Kind.INTEGER: (frozenset({"integer"}),),
    Kind.BIGINT: (frozenset({"integer"}),),
    Kind.BOOLEAN: (frozenset({"integer"}),),
    Kind.REAL: (frozenset({"real"}),),
    Kind.DOUBLE: (frozenset({"real"}), frozenset({"integer"}), frozenset({"integer", "real"})),
    Kind.TEXT: (frozenset({"text"}), frozenset({"integer"})),
    Kind.VARCHAR: (frozenset({"text"}), frozenset({"integer"})),
    Kind.ENUM: (frozenset({"text"}),),
    Kind.BYTEA: (frozenset({"blob"}),),
} | dict.fromkeys(_MOMENTS, (frozenset({"integer"}), frozenset({"text"}), frozenset({"integer", "text"})))


def classes(profile: ColumnProfile) -> tuple[str, ...]:
    """Return the storage classes that a column holds besides NULL, by the names that `typeof` gives them."""
    counts = {"integer": profile.integers, "real": profile.reals, "text": profile.texts, "blob": profile.blobs}
    return tuple(name for name, count in counts.items() if count)


def lanes(column: ColumnPlan, profile: ColumnProfile) -> tuple[str, ...]:
    """Return the storage classes to read a column in, none when it has to be encoded value by value."""
    found = classes(profile)
    if column.repairs or profile.suspect_text or frozenset(found) not in _TOGETHER.get(column.type.kind, ()):
        return ()
    if column.type.kind in _MOMENTS:
        by_zone = "text" in found and column.zone is not None
        by_julian_day = "integer" in found and column.epoch is Epoch.JULIAN
        return () if by_zone or by_julian_day else found
    return found


def widest(profile: ColumnProfile) -> int:
    """Return the bytes that a value of a column takes at most when it is read into memory."""
    return 8 + profile.longest_bytes
