"""Vitals of what the schema is made of: indexes, foreign keys, constraints, sequences. Pure."""

from zenni_tui.model.statistics import Before, Facts, ForeignKeyFacts, IndexFacts, SequenceFacts, UncheckedFacts
from zenni_tui.model.vitals import Limits, Sign, Vital

from .signs import MB, SHOWN, beyond, blind, there
from .words import named, share, size

_HALF = 0.5
_WEEK = 7 * 86_400
_YOUNG = "Looked at, or counted, for less than a week: unused indexes are listed, not raised."


def indexes(facts: Facts, before: Before | None, limits: Limits) -> Vital:
    """Return how indexes are used, which ones nobody uses, and which are invalid."""
    if (unseen := blind("indexes", "indexes", facts, "indexes")) is not None:
        return unseen
    young = _young(facts, before)
    unused = [i for i in facts.indexes if not i.scans and not i.rule and i.valid]
    invalid = [i for i in facts.indexes if not i.valid and not i.building]
    signs = [*map(_invalid, invalid), *(_unused(i, limits) for i in unused if not young)]
    order = sorted(facts.indexes, key=lambda i: (i.valid, -i.bytes))[:SHOWN]
    rows = tuple((named(i.schema, i.name), i.table, size(i.bytes), f"{i.scans:,}", _index_word(i)) for i in order)
    lookups, scans = sum(t.lookups for t in facts.tables), sum(t.scans for t in facts.tables)
    part = lookups / (lookups + scans) if lookups + scans else 1.0
    words = f"{share(part)} of reads by index, {len(unused)} unused"
    words += f", {len(invalid)} INVALID" if invalid else ""
    columns = ("index", "table", "size", "scans", "state")
    note = _YOUNG if young and unused else ""
    return Vital("indexes", "indexes", words, part, columns, rows, note, signs=tuple(signs))


def _young(facts: Facts, before: Before | None) -> bool:
    """Return whether what runs once a week may not have had its turn yet, here or in the server's statistics."""
    watched = facts.at - before.first if before else 0.0
    return watched < _WEEK or 0 <= facts.server.counted < _WEEK


def _index_word(i: IndexFacts) -> str:
    if i.building:
        return "being built"
    if not i.valid:
        return "INVALID"
    return "rule" if i.rule else "used" if i.scans else "unused"


def _invalid(i: IndexFacts) -> Sign:
    text = f"{named(i.schema, i.name)} on {named(i.table)} is invalid: it is written to, and never read."
    return there("watch_invalid_index", f"{i.schema}.{i.name}", text, (i.schema, i.name))


def _unused(i: IndexFacts, limits: Limits) -> Sign:
    text = f"{named(i.schema, i.name)} on {named(i.table)} ({size(i.bytes)}) was never used, and slows every write."
    subject, most = f"{i.schema}.{i.name}", limits.unused_index_mb * MB
    return beyond("watch_unused_index", subject, i.bytes, most, text, (i.schema, i.name), lower=1.0)


def foreign_keys(facts: Facts, limits: Limits) -> Vital:
    """Return the foreign keys that no index serves: each delete of a parent reads the child's table whole."""
    if (unseen := blind("foreign_keys", "foreign keys", facts, "foreign_keys")) is not None:
        return unseen
    found = facts.foreign_keys
    rows = tuple((named(k.schema, k.table), ", ".join(k.columns), k.name, f"{k.rows:,}") for k in found[:SHOWN])
    words = f"{len(found)} without an index" if found else "each has an index"
    columns = ("table", "columns", "foreign key", "rows")
    signs = tuple(_unindexed(k, limits) for k in found)
    return Vital("foreign_keys", "foreign keys", words, float(len(found)), columns, rows, signs=signs)


def _unindexed(k: ForeignKeyFacts, limits: Limits) -> Sign:
    text = (
        f"No index begins with {named(k.schema, k.table)} ({', '.join(map(named, k.columns))}), foreign key"
        f" {named(k.name)}: each delete of a parent reads all of its {k.rows:,} rows."
    )
    subject, names = f"{k.schema}.{k.table}.{k.name}", (k.schema, k.table, *k.columns)
    return beyond("watch_foreign_key_index", subject, k.rows, limits.foreign_key_rows, text, names, lower=_HALF)


def constraints(facts: Facts) -> Vital:
    """Return the constraints that were never checked against old rows."""
    if (unseen := blind("constraints", "constraints", facts, "unchecked")) is not None:
        return unseen
    found = facts.unchecked
    rows = tuple((named(k.schema, k.table), k.name) for k in found[:SHOWN])
    words = f"{len(found)} NOT VALID" if found else "all valid"
    signs = tuple(map(_unchecked, found))
    return Vital("constraints", "constraints", words, float(len(found)), ("table", "constraint"), rows, signs=signs)


def _unchecked(k: UncheckedFacts) -> Sign:
    text = f"Constraint {named(k.name)} of {named(k.schema, k.table)} is NOT VALID: its old rows were never checked."
    return there("watch_not_valid", f"{k.schema}.{k.table}.{k.name}", text, (k.schema, k.table, k.name))


def sequences(facts: Facts, limits: Limits) -> Vital:
    """Return how near counters are to the last number that they, or their columns' types, can hold."""
    if (unseen := blind("sequences", "sequences", facts, "sequences")) is not None:
        return unseen
    used = sorted(((max(q.last, 0) / q.end, q) for q in facts.sequences), key=lambda pair: -pair[0])
    signs = tuple(_near_end(part, q, limits) for part, q in used)
    rows = tuple(
        (named(q.schema, q.name), f"{q.last:,}", f"{q.end:,}", _fills(q), share(part)) for part, q in used[:SHOWN]
    )
    words = f"{share(used[0][0])} used at most ({used[0][1].name})" if used else "none"
    columns = ("sequence", "last", "end", "column", "used")
    return Vital("sequences", "sequences", words, used[0][0] if used else 0.0, columns, rows, signs=signs)


def _fills(q: SequenceFacts) -> str:
    return f"{q.table}.{q.column} {q.type}" if q.column else ""


def _near_end(part: float, q: SequenceFacts, limits: Limits) -> Sign:
    whose = f" of {named(q.table, q.column)} ({q.type})" if q.column else ""
    text = f"Sequence {named(q.schema, q.name)}{whose} has given {q.last:,} of {q.end:,} ({share(part)})."
    names = (q.schema, q.name, q.table, q.column, q.type)
    return beyond("watch_sequence", f"{q.schema}.{q.name}", part, limits.sequence, text, names)
