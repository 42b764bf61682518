"""Findings about values, and the repairs on offer for each."""

from collections.abc import Sequence

import msgspec

from zenni_tui.model.findings import SHOWN_KEYS, Finding, Repair, Severity
from zenni_tui.model.plan import ColumnPlan, DefaultKind, Kind, Plan, TablePlan, parse_type
from zenni_tui.model.schema import ColumnProfile

_UTF8 = (
    Repair("utf8_replace", lossless=False, text="put U+FFFD in place of what is not UTF-8"),
    Repair("utf8_latin1", lossless=False, text="read the whole value as Latin-1"),
    Repair("utf8_cp1252", lossless=False, text="read the whole value as Windows-1252"),
)
_STRIP = (Repair("strip_nul", lossless=False, text="remove the NUL characters"),)
_OWN = {"text_nul": _STRIP, "json_nul": _STRIP, "text_not_utf8": _UTF8}

_NUMBERS = {
    "integer_out_of_range": ("bigint", "numeric"),
    "integer_inexact": ("numeric",),
    "number_too_precise": ("numeric",),
    "number_infinite": ("numeric",),
    "real_inexact": ("double precision",),
    "real_out_of_range": ("double precision",),
    "date_has_time": ("timestamp(6)",),
    "blob_in_text": ("bytea",),
}
_NEUTRAL = dict.fromkeys((Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.REAL, Kind.DOUBLE, Kind.NUMERIC), "0") | {
    Kind.BOOLEAN: "false"
}
_WIDE = frozenset({Kind.TEXT, Kind.BYTEA})

KEY_AS_UNIQUE = Repair(
    "key_as_unique", lossless=True, text="make the key a unique index, in which NULLs are all different, as in SQLite"
)

_ADVICE = {
    "text_nul": "Remove the NUL characters in the source, or choose strip_nul.",
    "text_not_utf8": "Write the text anew in UTF-8 in the source, or choose how to read it.",
    "enum_unknown": "Correct the value, or add the label to the enum in schema.prisma.",
    "not_an_integer": "Correct the value in the source, or let the column become text.",
    "not_a_boolean": "Correct the value to 0 or 1, or let the column become another type.",
    "date_too_fine": "Let the column keep microseconds: timestamp(6).",
    "date_unreadable": "Write the date as YYYY-MM-DDTHH:MM:SS.mmm+00:00 or as milliseconds since 1970.",
    "blob_in_text": "Correct the value in the source, or let the column become bytea.",
}


def value_finding(  # noqa: PLR0917 - the parts of one sentence
    table: str, column: ColumnPlan, code: str, reason: str, keys: list[str], profile: ColumnProfile, *, rowids: bool
) -> Finding:
    """Return the finding for values that have no faithful form; `rowids` tells whether rows can be set aside."""
    count = len(keys)
    values = "1 value" if count == 1 else f"{count:,} values"
    return Finding(
        code,
        Severity.ERROR,
        f'{values} of "{table}"."{column.source}" can\'t become {column.type}: {reason}.',
        _ADVICE.get(code, "Correct these rows in the source, or choose one of the repairs."),
        table,
        column.source,
        count,
        tuple(keys[:SHOWN_KEYS]),
        tuple(r for r in repairs(column, code, profile, rowids=rowids) if not _in_vain(r, reason)),
    )


def _in_vain(repair: Repair, reason: str) -> bool:
    # No timestamp keeps what is finer than a microsecond.
    return repair.id.startswith("type:timestamp") and "microsecond" in reason


def repairs(column: ColumnPlan, code: str, profile: ColumnProfile, *, rowids: bool) -> tuple[Repair, ...]:
    """Return what can be done about values of a column, lossless ways first."""
    wider = [f"type:{t}" for t in _wider(column, code, profile) if parse_type(t) != column.type]
    offers = [Repair(w, lossless=True, text=f"let the column become {w.partition(':')[2]}") for w in wider]
    offers += _OWN.get(code, ())
    if not column.not_null:
        offers.append(Repair("to_null", lossless=False, text="make these values NULL"))
    if column.type.kind is not Kind.BYTEA:
        offers.append(Repair("to_value:", lossless=False, text="put one other value in their place: to_value:TEXT"))
    if rowids:
        offers.append(Repair("quarantine", lossless=False, text="keep these rows out, in a side table with the reason"))
    offers.append(Repair("exclude", lossless=False, text="leave the whole column behind"))
    return tuple(offers)


def _wider(column: ColumnPlan, code: str, profile: ColumnProfile) -> list[str]:
    known = list(_NUMBERS.get(code, ()))
    if code in ("not_an_integer", "not_a_boolean") and not (profile.texts or profile.blobs):
        known.append("numeric" if profile.reals else "bigint")
    if code == "date_too_fine" and (column.type.size or 6) < 6:  # noqa: PLR2004 - microseconds
        known.append("timestamp(6)")
    # Text holds whatever was stored as text or number, in SQLite's own spelling; only BLOBs have none.
    if (
        not profile.blobs
        and column.type.kind not in _WIDE
        and code not in ("blob_in_text", "text_nul", "text_not_utf8", "not_a_blob")
    ):
        known.append("text")
    if code == "not_a_blob":
        known.append("text")
    return [t for t in known if _holds_all(t, profile)]


def _holds_all(kind: str, profile: ColumnProfile) -> bool:
    """Return whether a type can hold the classes of all of a column's values, not only of those in trouble."""
    if kind == "bytea":
        return not (profile.texts or profile.integers or profile.reals)
    return kind not in ("bigint", "numeric", "double precision") or not (profile.texts or profile.blobs)


def instead_of_null(column: ColumnPlan) -> Repair:
    """Return the offer of a value for rows that hold NULL: the column's default, or 0, or false, or an empty text."""
    literal = column.default is not None and column.default.kind is DefaultKind.LITERAL
    proposed = column.default.text if column.default and literal else _NEUTRAL.get(column.type.kind, "")
    text = f"to_value:{proposed}" if proposed else "to_value:HEX" if column.type.kind is Kind.BYTEA else "to_value:TEXT"
    return Repair(f"to_value:{proposed}", lossless=False, text=f"give all these rows one value instead: {text}")


def with_quarantine(
    finding: Finding, plan: Plan, table: TablePlan, rowids: Sequence[int], keys: Sequence[str]
) -> Finding:
    """Offer to keep the rows out where that is possible: each has a rowid, and no other table refers to theirs."""
    if len(rowids) != len(keys) or any(k.parent == table.name for k in plan.foreign_keys):
        return finding
    way = Repair("quarantine", lossless=False, text="keep these rows out, in a side table with the reason")
    return msgspec.structs.replace(finding, repairs=(*finding.repairs, way))
