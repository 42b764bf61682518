"""Vitals of what is stored: tables, dead rows, bloat, disk, row security, replication. Pure."""

from zenni_tui.model.statistics import Facts, StandbyFacts, TableFacts
from zenni_tui.model.vitals import Limits, Sign, Vital

from .signs import MB, SHOWN, beyond, blind, grant, there
from .words import named, share, size, span, things

_HALF = 0.5
_WRAPAROUND, _TRANSACTION_IDS = 0.5, 2**31
_NO_BLOAT = "Tables under 10 MB, and those without ANALYZE or whose statistics we may not read, are left out."


def _worst(tables: tuple[TableFacts, ...], field: str) -> list[TableFacts]:
    return sorted(tables, key=lambda t: -getattr(t, field))[:SHOWN]


def tables(facts: Facts) -> Vital:
    """Return the tables and their sizes, indexes apart."""
    if (unseen := blind("tables", "tables", facts, "tables")) is not None:
        return unseen
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
    if (unseen := blind("dead_rows", "dead rows", facts, "tables")) is not None:
        return unseen
    signs = tuple(s for t in facts.tables if (s := _dead(t, facts, limits)))
    rows = tuple(
        (named(t.schema, t.name), f"{t.dead:,}", f"{t.rows:,}", _vacuumed(t), "on" if t.kept else "OFF")
        for t in _worst(facts.tables, "dead")
    )
    total = sum(t.dead for t in facts.tables)
    words = f"{total:,}" + ("" if facts.server.autovacuum else "; autovacuum is OFF on this server")
    columns = ("table", "dead", "live", "last vacuum", "autovacuum")
    return Vital("dead_rows", "dead rows", words, float(total), columns, rows, signs=signs)


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
    if (unseen := blind("bloat", "bloat", facts, "tables")) is not None:
        return unseen
    known = tuple(t for t in facts.tables if t.wasted >= 0)
    signs = tuple(_empty(t, limits) for t in known if t.wasted >= t.bytes * _HALF)
    rows = tuple((named(t.schema, t.name), size(t.wasted), size(t.bytes)) for t in _worst(known, "wasted"))
    total = sum(t.wasted for t in known)
    columns = ("table", "empty", "size")
    note = "" if known else _NO_BLOAT
    return Vital("bloat", "bloat", f"about {size(total)}", float(total), columns, rows, note, signs=signs)


def _empty(t: TableFacts, limits: Limits) -> Sign:
    text = f"About {size(t.wasted)} of {named(t.schema, t.name)}'s {size(t.bytes)} are empty (an estimate)."
    return beyond("watch_bloat", f"{t.schema}.{t.name}", t.wasted, limits.bloat_mb * MB, text, (t.schema, t.name))


def disk(facts: Facts, limits: Limits) -> Vital:
    """Return the database's size of what the plan allows, whether it takes writes, and its transaction ids."""
    server = facts.server
    words, part, note = size(server.bytes), float(server.bytes), ""
    signs = [_wraparound(server.wraparound)]
    if limits.disk_mb:
        part = server.bytes / (limits.disk_mb * MB)
        words = f"{size(server.bytes)} of {size(limits.disk_mb * MB)} ({share(part)})"
        signs += [beyond("watch_disk", "database", part, limits.disk, f"The database has {words}.")]
    else:
        note = "SQL does not tell how large the disk is: set [watch] disk_mb."
        note += " Supabase's free plan turns read-only above 500 MB." if server.supabase else ""
    if server.read_only:
        text = "New transactions are read-only by default: the application's writes fail."
        signs += [there("watch_read_only", "database", text)]
        words += ", READ-ONLY"
    rows = (("size", size(server.bytes)), ("oldest transaction id", f"{server.wraparound:,}"))
    return Vital("disk", "disk", words, part, ("what", "now"), rows, note, signs=tuple(signs))


def _wraparound(age: int) -> Sign:
    part = age / _TRANSACTION_IDS
    text = f"The oldest transaction id is {age:,} transactions old ({share(part)} of what there are)."
    return beyond("watch_wraparound", "database", part, _WRAPAROUND, text)


def row_security(facts: Facts) -> Vital:
    """Return the tables of `public` that Supabase's Data API opens to everybody."""
    if (unseen := blind("row_security", "row security", facts, "tables")) is not None:
        return unseen
    if not facts.server.supabase:
        return Vital("row_security", "row security", "no Data API here")
    found = [t for t in facts.tables if t.exposed]
    words = f"{things(len(found), 'table')} OPEN to the internet" if found else "no table of public is open"
    rows = tuple((named(t.schema, t.name), f"{t.rows:,}") for t in found[:SHOWN])
    signs = tuple(map(_exposed, found))
    return Vital("row_security", "row security", words, float(len(found)), ("table", "rows"), rows, signs=signs)


def _exposed(t: TableFacts) -> Sign:
    text = (
        f"{named(t.schema, t.name)} has no row security, and anon or authenticated may use it: the Data API opens its"
        " rows to the internet."
    )
    return there("watch_open_to_api", f"{t.schema}.{t.name}", text, (t.schema, t.name))


def replication(facts: Facts, limits: Limits) -> Vital:
    """Return how far standbys are behind, and what unused slots keep on the disk."""
    if (unseen := blind("replication", "replication", facts, "standbys")) is not None:
        return unseen
    rows = tuple(
        (x.name, x.kind, x.state, span(x.seconds) if x.seconds >= 0 else "", size(x.bytes) if x.bytes >= 0 else "")
        for x in facts.standbys
    )
    behind = max((x.seconds for x in facts.standbys), default=-1.0)
    words = f"{len(facts.standbys)} attached" + (f", {span(behind)} behind" if behind >= 0 else "")
    mute = any(x.kind == "standby" and not x.state for x in facts.standbys)
    note = f"How far standbys are is shown to pg_monitor only: {grant(facts)}" if mute else ""
    columns = ("name", "kind", "state", "behind", "bytes")
    signs = tuple(s for x in facts.standbys for s in _behind(x, limits))
    words = words if facts.standbys else "none"
    return Vital("replication", "replication", words, max(behind, 0.0), columns, rows, note, signs=signs)


def _behind(x: StandbyFacts, limits: Limits) -> list[Sign]:
    signs = []
    if x.seconds >= 0:
        subject, text = f"{x.kind} {x.name}", f"{x.name} is {span(x.seconds)} behind."
        signs += [beyond("watch_replication", subject, x.seconds, limits.replication_seconds, text, lower=_HALF)]
    if x.kind == "slot" and x.state == "inactive" and x.bytes >= 0:
        text = f"Nobody reads replication slot {named(x.name)}; it keeps {size(x.bytes)} of WAL on the disk."
        signs += [beyond("watch_slot", x.name, x.bytes, limits.replication_mb * MB, text, (x.name,))]
    return signs
