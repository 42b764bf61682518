"""Vitals of what is stored: tables, dead rows, bloat, indexes, constraints, sequences, disk, row security. Pure."""

from zenni_tui.model.statistics import Facts, IndexFacts, SequenceFacts, TableFacts
from zenni_tui.model.vitals import Limits, Sign, Vital

from .words import named, share, size, span, things

_LOWER = 0.9
_HALF = 0.5
_MB = 1e6
_SHOWN = 50
_WEEK = 7 * 86_400
_WRAPAROUND, _TRANSACTION_IDS = 0.5, 2**31


def _worst(tables: tuple[TableFacts, ...], field: str) -> list[TableFacts]:
    return sorted(tables, key=lambda t: -getattr(t, field))[:_SHOWN]


def tables(facts: Facts) -> Vital:
    """Return the tables and their sizes, indexes apart."""
    if "tables" in facts.unseen:
        return _blind("tables", "tables", facts)
    data, index = sum(t.bytes for t in facts.tables), sum(t.index_bytes for t in facts.tables)
    rows = tuple(
        (named(t.schema, t.name), f"{t.rows:,}", size(t.bytes), size(t.index_bytes), f"{t.scans:,}", f"{t.lookups:,}")
        for t in _worst(facts.tables, "bytes")
    )
    words = f"{things(len(facts.tables), 'table')}, {size(data)}, indexes {size(index)}"
    columns = ("table", "rows", "size", "indexes", "read whole", "by index")
    return Vital("tables", "tables", words, float(data + index), columns, rows)


def dead_rows(facts: Facts, limits: Limits) -> Vital:
    """Return the rows that are dead and not cleared away, and what autovacuum does about them."""
    if "tables" in facts.unseen:
        return _blind("dead_rows", "dead rows", facts)
    worst = _worst(facts.tables, "dead")
    signs = tuple(s for t in worst if (s := _dead(t, facts, limits)))
    rows = tuple(
        (named(t.schema, t.name), f"{t.dead:,}", f"{t.rows:,}", _vacuumed(t), "on" if t.kept else "OFF") for t in worst
    )
    total = sum(t.dead for t in facts.tables)
    words = f"{total:,}" + ("" if facts.server.autovacuum else "; autovacuum is OFF on this server")
    return Vital("dead_rows", "dead rows", words, float(total), ("table", "dead", "live", "last vacuum", "autovacuum"),
                 rows, signs=signs)  # fmt: skip


def _dead(t: TableFacts, facts: Facts, limits: Limits) -> Sign | None:
    part = t.dead / max(t.dead + t.rows, 1)
    if part < limits.dead_share * _HALF:
        return None
    off = "" if t.kept and facts.server.autovacuum else "; autovacuum is OFF here"
    text = f"{named(t.schema, t.name)} holds {t.dead:,} dead rows ({share(part)}), {_vacuumed(t)}{off}."
    # Below the share it may stay raised, but is not raised.
    most = float(limits.dead_rows) if part >= limits.dead_share else float("inf")
    names = (t.schema, t.name, "" if t.kept else "off")
    return Sign("watch_dead_rows", f"{t.schema}.{t.name}", float(t.dead), most, limits.dead_rows * _HALF, text, names)


def _vacuumed(t: TableFacts) -> str:
    return "never vacuumed" if t.vacuumed < 0 else f"vacuumed {span(t.vacuumed)} ago"


def bloat(facts: Facts, limits: Limits) -> Vital:
    """Return the room that tables take beyond their rows, estimated from the planner's statistics."""
    if "tables" in facts.unseen:
        return _blind("bloat", "bloat", facts)
    known = [t for t in _worst(facts.tables, "wasted") if t.wasted >= 0]
    most = limits.bloat_mb * _MB
    signs = tuple(
        Sign("watch_bloat", f"{t.schema}.{t.name}", float(t.wasted), most, most * _LOWER,
             f"About {size(t.wasted)} of {named(t.schema, t.name)}'s {size(t.bytes)} are empty (an estimate).",
             (t.schema, t.name))
        for t in known if t.wasted >= t.bytes * _HALF
    )  # fmt: skip
    rows = tuple((named(t.schema, t.name), size(t.wasted), size(t.bytes)) for t in known)
    total = sum(t.wasted for t in known)
    unseen = (
        ""
        if known
        else "Tables under 10 MB, and those without ANALYZE or whose statistics we may not read, are left out."
    )
    return Vital("bloat", "bloat", f"about {size(total)}", float(total), ("table", "empty", "size"), rows, unseen,
                 signs=signs)  # fmt: skip


def indexes(facts: Facts, limits: Limits) -> Vital:
    """Return how indexes are used, which ones nobody uses, and which are invalid."""
    if "indexes" in facts.unseen:
        return _blind("indexes", "indexes", facts)
    # Statistics are kept over a restart; one that has run for less than a week may not have had its month's end yet.
    young = facts.server.up < _WEEK
    unused = [i for i in facts.indexes if not i.scans and not i.rule and i.valid]
    invalid = [i for i in facts.indexes if not i.valid and not i.building]
    signs = [_unused(i, limits) for i in unused if not young]
    signs += [
        Sign("watch_invalid_index", f"{i.schema}.{i.name}", 1.0, 1.0, 1.0,
             f"{named(i.schema, i.name)} on {named(i.table)} is invalid: it is written to, and never read.",
             (i.schema, i.name))
        for i in invalid
    ]  # fmt: skip
    order = sorted(facts.indexes, key=lambda i: (i.valid, -i.bytes))[:_SHOWN]
    rows = tuple((named(i.schema, i.name), i.table, size(i.bytes), f"{i.scans:,}", _index_word(i)) for i in order)
    lookups, scans = sum(t.lookups for t in facts.tables), sum(t.scans for t in facts.tables)
    part = lookups / (lookups + scans) if lookups + scans else 1.0
    words = f"{share(part)} of reads by index, {len(unused)} unused"
    words += f", {len(invalid)} INVALID" if invalid else ""
    note = "The server has run for less than a week: unused indexes are listed, not raised." if young and unused else ""
    return Vital("indexes", "indexes", words, part, ("index", "table", "size", "scans", "state"), rows, note,
                 signs=tuple(signs))  # fmt: skip


def _index_word(i: IndexFacts) -> str:
    if i.building:
        return "being built"
    if not i.valid:
        return "INVALID"
    return "rule" if i.rule else "used" if i.scans else "unused"


def _unused(i: IndexFacts, limits: Limits) -> Sign:
    text = f"{named(i.schema, i.name)} on {named(i.table)} ({size(i.bytes)}) was never used, and slows every write."
    most = limits.unused_index_mb * _MB
    return Sign("watch_unused_index", f"{i.schema}.{i.name}", float(i.bytes), most, most, text, (i.schema, i.name))


def foreign_keys(facts: Facts, limits: Limits) -> Vital:
    """Return the foreign keys that no index serves: each delete of a parent reads the child's table whole."""
    if "foreign_keys" in facts.unseen:
        return _blind("foreign_keys", "foreign keys", facts)
    found = facts.foreign_keys
    most = float(limits.foreign_key_rows)
    signs = tuple(
        Sign("watch_foreign_key_index", f"{k.schema}.{k.table}.{k.name}", float(k.rows), most, most * _HALF,
             f"No index begins with {named(k.schema, k.table)} ({', '.join(map(named, k.columns))}), foreign key"
             f" {named(k.name)}: each delete of a parent reads all of its {k.rows:,} rows.",
             (k.schema, k.table, *k.columns))
        for k in found
    )  # fmt: skip
    rows = tuple((named(k.schema, k.table), ", ".join(k.columns), k.name, f"{k.rows:,}") for k in found[:_SHOWN])
    words = f"{len(found)} without an index" if found else "each has an index"
    columns = ("table", "columns", "foreign key", "rows")
    return Vital("foreign_keys", "foreign keys", words, float(len(found)), columns, rows, signs=signs)


def constraints(facts: Facts) -> Vital:
    """Return the constraints that were never checked against old rows."""
    if "unchecked" in facts.unseen:
        return _blind("constraints", "constraints", facts, "unchecked")
    found = facts.unchecked
    signs = tuple(
        Sign("watch_not_valid", f"{k.schema}.{k.table}.{k.name}", 1.0, 1.0, 1.0,
             f"Constraint {named(k.name)} of {named(k.schema, k.table)} is NOT VALID: its old rows were never checked.",
             (k.schema, k.table, k.name))
        for k in found
    )  # fmt: skip
    rows = tuple((named(k.schema, k.table), k.name) for k in found[:_SHOWN])
    words = f"{len(found)} NOT VALID" if found else "all valid"
    return Vital("constraints", "constraints", words, float(len(found)), ("table", "constraint"), rows, signs=signs)


def sequences(facts: Facts, limits: Limits) -> Vital:
    """Return how near counters are to the last number that they, or their columns' types, can hold."""
    if "sequences" in facts.unseen:
        return _blind("sequences", "sequences", facts)
    used = sorted(((max(q.last, 0) / q.end, q) for q in facts.sequences), key=lambda pair: -pair[0])
    signs = tuple(_near_end(part, q, limits) for part, q in used)
    rows = tuple(
        (
            named(q.schema, q.name),
            f"{q.last:,}",
            f"{q.end:,}",
            f"{q.table}.{q.column} {q.type}".strip(". "),
            share(part),
        )
        for part, q in used[:_SHOWN]
    )
    words = f"{share(used[0][0])} used at most ({used[0][1].name})" if used else "none"
    columns = ("sequence", "last", "end", "column", "used")
    return Vital("sequences", "sequences", words, used[0][0] if used else 0.0, columns, rows, signs=signs)


def _near_end(part: float, q: SequenceFacts, limits: Limits) -> Sign:
    whose = f" of {named(q.table, q.column)} ({q.type})" if q.column else ""
    text = f"Sequence {named(q.schema, q.name)}{whose} has given {q.last:,} of {q.end:,} ({share(part)})."
    names = (q.schema, q.name, q.table, q.column, q.type)
    return Sign("watch_sequence", f"{q.schema}.{q.name}", part, limits.sequence, limits.sequence * _LOWER, text, names)


def disk(facts: Facts, limits: Limits) -> Vital:
    """Return the database's size of what the plan allows, whether it takes writes, and its transaction ids."""
    server = facts.server
    signs = []
    words, part, unseen = size(server.bytes), float(server.bytes), ""
    if limits.disk_mb:
        part = server.bytes / (limits.disk_mb * _MB)
        words = f"{size(server.bytes)} of {size(limits.disk_mb * _MB)} ({share(part)})"
        signs += [Sign("watch_disk", "database", part, limits.disk, limits.disk * _LOWER, f"The database has {words}.")]
    else:
        unseen = "SQL does not tell how large the disk is: set [watch] disk_mb."
        unseen += " Supabase's free plan turns read-only above 500 MB." if server.supabase else ""
    if server.read_only:
        text = "New transactions are read-only by default: the application's writes fail."
        signs += [Sign("watch_read_only", "database", 1.0, 1.0, 1.0, text)]
        words += ", READ-ONLY"
    age = server.wraparound / _TRANSACTION_IDS
    text = f"The oldest transaction id is {server.wraparound:,} transactions old ({share(age)} of what there are)."
    signs += [Sign("watch_wraparound", "database", age, _WRAPAROUND, _WRAPAROUND * _LOWER, text)]
    rows = (("size", size(server.bytes)), ("oldest transaction id", f"{server.wraparound:,}"))
    return Vital("disk", "disk", words, part, ("what", "now"), rows, unseen, signs=tuple(signs))


def row_security(facts: Facts) -> Vital:
    """Return the tables of `public` that Supabase's Data API opens to everybody."""
    if "tables" in facts.unseen:
        return _blind("row_security", "row security", facts)
    if not facts.server.supabase:
        return Vital("row_security", "row security", "no Data API here")
    found = [t for t in facts.tables if t.exposed]
    signs = tuple(
        Sign("watch_open_to_api", f"{t.schema}.{t.name}", 1.0, 1.0, 1.0,
             f"{named(t.schema, t.name)} has no row security, and anon or authenticated may use it: the Data API opens"
             " its rows to the internet.", (t.schema, t.name))
        for t in found
    )  # fmt: skip
    words = f"{things(len(found), 'table')} OPEN to the internet" if found else "no table of public is open"
    rows = tuple((named(t.schema, t.name), f"{t.rows:,}") for t in found[:_SHOWN])
    return Vital("row_security", "row security", words, float(len(found)), ("table", "rows"), rows, signs=signs)


def replication(facts: Facts, limits: Limits) -> Vital:
    """Return how far standbys are behind, and what unused slots keep on the disk."""
    if "standbys" in facts.unseen:
        return _blind("replication", "replication", facts, "standbys")
    signs = []
    for x in facts.standbys:
        if x.seconds >= 0:
            most = limits.replication_seconds
            text = f"{x.name} is {span(x.seconds)} behind."
            signs += [Sign("watch_replication", f"{x.kind} {x.name}", x.seconds, most, most * _HALF, text)]
        if x.kind == "slot" and x.state == "inactive" and x.bytes >= 0:
            most = limits.replication_mb * _MB
            text = f"Nobody reads replication slot {named(x.name)}; it keeps {size(x.bytes)} of WAL on the disk."
            signs += [Sign("watch_slot", x.name, float(x.bytes), most, most * _LOWER, text, (x.name,))]
    rows = tuple(
        (x.name, x.kind, x.state, span(x.seconds) if x.seconds >= 0 else "", size(x.bytes) if x.bytes >= 0 else "")
        for x in facts.standbys
    )
    behind = max((x.seconds for x in facts.standbys), default=-1.0)
    words = f"{len(facts.standbys)} attached" + (f", {span(behind)} behind" if behind >= 0 else "")
    hidden = any(x.kind == "standby" and not x.state for x in facts.standbys)
    unseen = f"How far standbys are is shown to pg_monitor: GRANT pg_monitor TO {facts.server.role}." if hidden else ""
    return Vital("replication", "replication", words if facts.standbys else "none", max(behind, 0.0),
                 ("name", "kind", "state", "behind", "bytes"), rows, unseen, signs=tuple(signs))  # fmt: skip


def _blind(name: str, title: str, facts: Facts, topic: str = "") -> Vital:
    why = facts.unseen.get(topic or name) or facts.unseen.get("tables", "")
    return Vital(name, title, "unseen", unseen=why, blind=True)
