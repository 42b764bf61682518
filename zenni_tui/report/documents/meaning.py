"""What a column's values were in SQLite and what they mean in PostgreSQL, in one sentence."""

from zenni_tui.model.plan import ColumnPlan, Counter, Epoch, Kind
from zenni_tui.model.schema import ColumnProfile

_WHOLE = {Kind.SMALLINT: "2", Kind.INTEGER: "4", Kind.BIGINT: "8"}
_DATES = {Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE, Kind.TIME}


def held(profile: ColumnProfile) -> str:
    """Return what a column really held, such as `20,000 integers, 3 NULLs`."""
    counts = {
        "integer": profile.integers,
        "real": profile.reals,
        "text": profile.texts,
        "BLOB": profile.blobs,
        "NULL": profile.nulls,
    }
    parts = [f"{count:,} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count]
    return ", ".join(parts) or "no rows"


def meaning(column: ColumnPlan, profile: ColumnProfile) -> str:
    """Return how a column's stored values become the target's."""
    if column.generated is not None:
        return f"computed by the server: {column.generated}"
    if column.source is None:
        return "new: the source has no such column"
    told = [_by_type(column, profile)]
    told += [f"repaired by choice: {r.action} for {r.code}" for r in column.repairs]
    if column.counter is Counter.SERIAL:
        told.append("counts by itself (a sequence of its own)")
    elif column.counter is Counter.IDENTITY:
        told.append("counts by itself (identity)")
    return "; ".join(filter(None, told))


def _by_type(column: ColumnPlan, profile: ColumnProfile) -> str:
    kind = column.type.kind
    if kind in _DATES:
        return _date(column, profile)
    if kind in _WHOLE:
        range_of = f", {profile.smallest:,} to {profile.largest:,}" if profile.smallest is not None else ""
        return f"whole numbers of {_WHOLE[kind]} bytes{range_of if profile.largest is not None else ''}"
    return _OTHERS.get(kind, "")


_OTHERS = {
    Kind.BOOLEAN: "0 is false, 1 is true",
    Kind.NUMERIC: "exact decimals; SQLite held binary floating point or text",
    Kind.DOUBLE: "the same 8-byte floating point as SQLite's",
    Kind.REAL: "4-byte floating point: about 6 digits",
    Kind.BYTEA: "bytes as they were",
    Kind.JSON: "JSON text, kept letter by letter",
    Kind.JSONB: "JSON, checked and stored decomposed: the order of keys and double keys are not kept",
    Kind.UUID: "the same 128 bits; letters of either case are one value now",
    Kind.ENUM: "a closed set of words that the server checks",
    Kind.VARCHAR: "text whose length the server checks",
    Kind.CHAR: "text padded to its length",
    Kind.TEXT: "text as it was",
}


def _date(column: ColumnPlan, profile: ColumnProfile) -> str:
    zone = column.zone or "UTC"
    numbers = profile.integers + profile.reals
    told = [_number(column)] if numbers else []
    told += [f"texts without a zone were read as {zone}"] if profile.texts else []
    kept = {
        Kind.TIMESTAMP: "holds UTC, without saying so",
        Kind.TIMESTAMPTZ: "a moment, shown in the session's time zone",
        Kind.DATE: "a calendar day",
        Kind.TIME: "a time of day",
    }[column.type.kind]
    return "; ".join([kept, *told])


def _number(column: ColumnPlan) -> str:
    return "numbers were Julian days" if column.epoch is Epoch.JULIAN else f"numbers were {column.epoch} since 1970 UTC"
