"""Vitals of what is done: slow queries, cache hits, and what the server's own counters tell of errors. Pure."""

import hashlib
import re
from collections.abc import Iterable

from zenni_tui.model.statistics import Before, CounterFacts, Facts, SessionFacts, StatementFacts
from zenni_tui.model.vitals import Limits, Sign, Vital

from .sessions import hidden
from .signs import MB, SHOWN, beyond, blind
from .words import share, size, span, things

_MANY_BLOCKS = 10_000
_MANY_TRANSACTIONS = 100
_NOTHING = CounterFacts(0, 0, 0, 0, 0, 0, 0, 0)


def queries(facts: Facts, before: Before | None, limits: Limits) -> Vital:
    """Return the queries that run long now, and the statements that were slow since the last look."""
    if (unseen := blind("queries", "slow queries", facts, "sessions")) is not None:
        return unseen
    now = sorted((x for x in facts.sessions if x.state == "active" and x.here), key=lambda x: -x.running)
    spent = sorted(_since(facts.statements, before), key=lambda item: -item[2])
    signs = [_running(x, limits) for x in now if not x.blockers]
    signs += [_statement(one, calls, mean, limits) for one, calls, mean in spent]
    rows = [(f"now, pid {x.pid}", span(x.running), "", x.query) for x in now[:SHOWN]]
    rows += [("since the last look", f"{mean:.1f} ms", f"{n:,}", one.query) for one, n, mean in spent[:SHOWN] if n]
    slow = sum(bool(calls) and mean >= limits.slow_query_ms for _, calls, mean in spent)
    longest = now[0].running if now else 0.0
    words = f"{len(now)} running{f', the longest {span(longest)}' if now else ''}"
    words += f"; {things(slow, 'statement')} over {limits.slow_query_ms:.0f} ms" if slow else ""
    columns = ("when", "time", "calls", "query")
    note = facts.unseen.get("statements", "") or hidden(facts)
    return Vital("queries", "slow queries", words, longest, columns, tuple(rows), note, signs=tuple(signs))


def _since(statements: Iterable[StatementFacts], before: Before | None) -> Iterable[tuple[StatementFacts, int, float]]:
    """Yield statements with calls and mean milliseconds since the last look; statistics that were reset begin anew."""
    known = before.statements if before else {}
    for one in statements:
        calls, total = known.get(one.id, (0, 0.0))
        if one.calls < calls:
            calls, total = 0, 0.0
        fresh = one.calls - calls
        yield one, fresh, (one.total - total) / fresh if fresh else 0.0


def _running(x: SessionFacts, limits: Limits) -> Sign:
    text = f"A query of role {x.role} (pid {x.pid}) has been running for {span(x.running)}."
    subject = f"running {_likeness(x.query)}"
    return beyond(
        "watch_slow_query", subject, x.running, limits.running_seconds, text, (str(x.pid), x.started), lower=1.0
    )


def _statement(one: StatementFacts, calls: int, mean: float, limits: Limits) -> Sign:
    text = f"A statement took {mean:.0f} ms on average in {things(calls, 'call')} (queryid {one.id.split('/')[0]})."
    few = calls < limits.slow_query_calls
    return beyond("watch_slow_statement", one.id, mean, limits.slow_query_ms, text, asleep=few)


def _likeness(query: str) -> str:
    """Return what stands for a query whatever its values are."""
    bare = re.sub(r"'(?:[^']|'')*'|\b\d+\b", "?", query)
    return hashlib.sha256(" ".join(bare.split()).encode()).hexdigest()[:12]


def cache(facts: Facts, before: Before | None, limits: Limits) -> Vital:
    """Return the share of blocks found in PostgreSQL's own memory since the last look."""
    if facts.counters is None:
        return _uncounted("cache", "cache hits", facts)
    seen = _moved(facts.counters, before)
    blocks = seen.hits + seen.reads
    missed = seen.reads / blocks if blocks else 0.0
    text = f"{share(missed)} of {blocks:,} blocks were not in PostgreSQL's memory since the last look."
    few = blocks < _MANY_BLOCKS
    sign = beyond("watch_cache", "database", missed, limits.cache_misses, text, asleep=few)
    return Vital("cache", "cache hits", f"{share(1 - missed)} of {blocks:,} blocks", 1 - missed, signs=(sign,))


def counters(facts: Facts, before: Before | None, limits: Limits) -> Vital:
    """Return what went wrong since the last look: rollbacks, deadlocks, conflicts, spills to disk."""
    if facts.counters is None:
        return _uncounted("counters", "server errors", facts)
    # What happened before the first look is no news.
    seen = _moved(facts.counters, before) if before else _NOTHING
    ended = seen.commits + seen.rollbacks
    undone = seen.rollbacks / ended if ended else 0.0
    names = ("commits", "rollbacks", "deadlocks", "conflicts", "temp_files", "temp_bytes")
    rows = tuple((n.replace("_", " "), f"{getattr(seen, n):,}", f"{getattr(facts.counters, n):,}") for n in names)
    words = f"{seen.rollbacks:,} of {ended:,} rolled back, {things(seen.deadlocks, 'deadlock')}"
    columns = ("counter", "since last", "in all")
    signs = _counted(seen, ended, undone, facts.server.role, limits)
    return Vital("counters", "server errors", words, undone, columns, rows, signs=signs)


def _counted(seen: CounterFacts, ended: int, undone: float, role: str, limits: Limits) -> tuple[Sign, ...]:
    rolled = f"{share(undone)} of {ended:,} transactions were rolled back since the last look."
    locked = f"{things(seen.deadlocks, 'deadlock')} since the last look."
    cancelled = f"{things(seen.conflicts, 'query', 'queries')} cancelled by replay on this standby."
    spilt = f"Queries spilt {size(seen.temp_bytes)} to disk in {things(seen.temp_files, 'file')}."
    few, temp = ended < _MANY_TRANSACTIONS, seen.temp_bytes / MB
    return (
        beyond("watch_rollbacks", "database", undone, limits.rollbacks, rolled, asleep=few),
        beyond("watch_deadlocks", "database", seen.deadlocks, 1, locked, asleep=not seen.deadlocks),
        beyond("watch_conflicts", "database", seen.conflicts, 1, cancelled, asleep=not seen.conflicts),
        beyond("watch_temp_files", "database", temp, limits.temp_mb, spilt, (role,), asleep=not temp),
    )


def _moved(now: CounterFacts, before: Before | None) -> CounterFacts:
    """Return how far the counters went; all the way since their reset when there is no earlier look to go by."""
    old = before.counters if before else None
    if old is None or now.commits < old.commits:
        return now
    names = CounterFacts.__struct_fields__
    return CounterFacts(*(max(0, getattr(now, n) - getattr(old, n)) for n in names))


def _uncounted(name: str, title: str, facts: Facts) -> Vital:
    why = facts.unseen.get("counters", "The server keeps no statistics of this database.")
    return Vital(name, title, "unseen", unseen=why, blind=True)
