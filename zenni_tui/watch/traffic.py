"""Vitals of what goes on: connections, the pool, locks, transactions, queries, the server's counters. Pure."""

import hashlib
import re
from collections.abc import Iterable, Sequence

from zenni_tui.model.statistics import Before, CounterFacts, Facts, SessionFacts, StatementFacts
from zenni_tui.model.vitals import Limits, Sign, Vital

from .words import share, size, span, things

_LOWER = 0.9
"""What was raised clears below this part of its limit."""
_SHOWN = 50
_MANY_BLOCKS = 10_000
_MANY_TRANSACTIONS = 100
_IDLE = ("idle in transaction", "idle in transaction (aborted)")
_SHARED = "others' sessions are seen by number only: "
_SESSION_COLUMNS = ("pid", "role", "seconds", "state", "query")


def connections(facts: Facts, limits: Limits) -> Vital:
    """Return how many connections are in use, of those the server, or the database, lets ordinary roles have."""
    server, used = facts.server, len(facts.sessions) + 1
    most, bound = server.most, "the server"
    here = sum(x.here for x in facts.sessions) + 1
    if server.database_most >= 0 and here * most > used * max(server.database_most, 1):
        used, most, bound = here, server.database_most, "the database"
    part = used / max(most, 1)
    text = f"{used} of the {most} connections that {bound} allows are in use ({share(part)})."
    roles = sorted({x.role for x in facts.sessions if x.here and x.state == "idle"})
    sign = Sign("watch_connections", bound, part, limits.connections, limits.connections * _LOWER, text, tuple(roles))
    counts: dict[tuple[str, str, str], int] = {}
    for one in facts.sessions:
        kind = (one.role, one.name, one.state or "unseen")
        counts[kind] = counts.get(kind, 0) + 1
    rows = tuple((str(n), *kind) for kind, n in sorted(counts.items(), key=lambda pair: -pair[1]))
    return Vital(
        "connections",
        "connections",
        f"{used} of {most}",
        part,
        ("count", "role", "application", "state"),
        rows,
        _unseen(facts),
        signs=(sign,),
    )


def pools(facts: Facts, limits: Limits) -> Vital:
    """Return how full the application's pool is: its role's connections, of what the config or the role allows."""
    bounds = {role.name: role.most for role in facts.roles}
    role = limits.pool_role or facts.server.role
    if limits.pool_size:
        bounds[role] = min(limits.pool_size, bounds.get(role, limits.pool_size))
    used = {name: sum(x.role == name for x in facts.sessions) for name in bounds}
    if not bounds:
        here = sum(x.role == role for x in facts.sessions)
        words = "no limit known: [watch] pool_size, or ALTER ROLE ... CONNECTION LIMIT"
        return Vital("pool", "pool", things(here, "session"), float(here), unseen=f"Of {role} {words}.")
    full = {name: used[name] / most for name, most in bounds.items()}
    worst = max(full, key=lambda name: full[name])
    signs = tuple(
        Sign(
            "watch_pool",
            name,
            part,
            limits.connections,
            limits.connections * _LOWER,
            f"{used[name]} of the {bounds[name]} connections of the pool of {name} are in use ({share(part)}).",
            (name,),
        )
        for name, part in full.items()
    )
    rows = tuple((name, str(used[name]), str(bounds[name]), share(full[name])) for name in bounds)
    words = f"{used[worst]} of {bounds[worst]} ({worst})"
    return Vital("pool", "pool", words, full[worst], ("role", "used", "limit", "share"), rows, signs=signs)


def locks(facts: Facts, limits: Limits) -> Vital:
    """Return who waits for a lock, and for whom; one sign for each session at the root of the waiting."""
    known = {x.pid: x for x in facts.sessions}
    waiting = [x for x in facts.sessions if x.blockers and x.here]
    roots: dict[int, list[SessionFacts]] = {}
    for one in waiting:
        for root in _roots(one.pid, known):
            roots.setdefault(root, []).append(one)
    signs = tuple(_blocked(known.get(root), root, held, limits) for root, held in roots.items())
    rows = tuple(
        (str(x.pid), span(x.waiting), x.relation, ", ".join(map(str, x.blockers)), x.query) for x in waiting[:_SHOWN]
    )
    rows += tuple(
        (str(p), "holds", "", "", known[p].state + ": " + known[p].query) for p in roots if p in known and known[p].seen
    )
    worst = max((x.waiting for x in waiting), default=0.0)
    words = f"{things(len(waiting), 'session waits', 'sessions wait')}, {span(worst)}" if waiting else "nobody waits"
    columns = ("pid", "waits", "table", "for pid", "query")
    return Vital("locks", "locks", words, float(len(waiting)), columns, rows, _unseen(facts), signs=signs)


def _roots(pid: int, known: dict[int, SessionFacts]) -> set[int]:
    """Return the sessions at the end of a chain of waiting; a circle, which is a deadlock, has none."""
    found, seen, todo = set(), {pid}, [pid]
    while todo:
        one = known.get(todo.pop())
        for blocker in one.blockers if one else ():
            if blocker in seen:
                continue
            seen.add(blocker)
            if blocker in known and known[blocker].blockers:
                todo.append(blocker)
            else:
                found.add(blocker)
    return found


def _blocked(root: SessionFacts | None, pid: int, held: Sequence[SessionFacts], limits: Limits) -> Sign:
    seconds = max(x.waiting for x in held)
    tables = ", ".join(sorted({x.relation for x in held if x.relation})) or "a row or transaction"
    who = f"pid {pid}, role {root.role}, {root.state or 'state unseen'}" if root else f"pid {pid}, a background process"
    text = f"{things(len(held), 'session waits', 'sessions wait')} up to {span(seconds)} for a lock on {tables}: {who}."
    names = (str(pid), root.started, root.state) if root else ()
    subject = f"{pid} {root.started if root else ''}"
    return Sign("watch_lock_wait", subject, seconds, limits.lock_seconds, limits.lock_seconds, text, names)


def transactions(facts: Facts, limits: Limits) -> Vital:
    """Return the transactions that stay open, idle or at work: they hold locks, and vacuum off the dead rows."""
    opened = sorted((x for x in facts.sessions if x.transaction), key=lambda x: -x.transaction)
    signs = tuple(_open(x, limits) for x in opened if x.here)
    rows = tuple((str(x.pid), x.role, span(x.transaction), x.state, x.query) for x in opened[:_SHOWN])
    oldest = opened[0].transaction if opened else 0.0
    words = f"{len(opened)} open, the oldest {span(oldest)}" if opened else "none open"
    return Vital("transactions", "transactions", words, oldest, _SESSION_COLUMNS, rows, _unseen(facts), signs=signs)


def _open(x: SessionFacts, limits: Limits) -> Sign:
    idle = x.state in _IDLE
    seconds, most = (
        (x.idle, limits.idle_in_transaction_seconds) if idle else (x.transaction, limits.transaction_seconds)
    )
    story = (
        f"is idle in a transaction since {span(x.idle)}" if idle else f"has a transaction open since {span(seconds)}"
    )
    code = "watch_idle_in_transaction" if idle else "watch_long_transaction"
    text = f"pid {x.pid}, role {x.role}, {story}: its locks stay, and dead rows can't be cleared away."
    return Sign(code, f"{x.pid} {x.started}", seconds, most, most, text, (str(x.pid), x.started, x.role))


def queries(facts: Facts, before: Before | None, limits: Limits) -> Vital:
    """Return the queries that run long now, and the statements that were slow since the last look."""
    now = sorted((x for x in facts.sessions if x.state == "active" and x.here), key=lambda x: -x.running)
    spent = sorted(_since(facts.statements, before), key=lambda item: -item[2])
    signs = [_running(x, limits) for x in now if not x.blockers]
    signs += [_statement(one, calls, mean, limits) for one, calls, mean in spent]
    rows = [(f"now, pid {x.pid}", span(x.running), "", x.query) for x in now[:_SHOWN]]
    rows += [("since the last look", f"{mean:.1f} ms", f"{n:,}", one.query) for one, n, mean in spent[:_SHOWN] if n]
    slow = [one for one, calls, mean in spent if calls and mean >= limits.slow_query_ms]
    longest = now[0].running if now else 0.0
    words = f"{len(now)} running{f', the longest {span(longest)}' if now else ''}"
    words += f"; {things(len(slow), 'statement')} over {limits.slow_query_ms:.0f} ms" if slow else ""
    unseen = facts.unseen.get("statements", "") or _unseen(facts)
    return Vital("queries", "slow queries", words, longest, ("when", "time", "calls", "query"), tuple(rows), unseen,
                 signs=tuple(signs))  # fmt: skip


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
    most = limits.running_seconds
    names = (str(x.pid), x.started)
    return Sign("watch_slow_query", f"running {_likeness(x.query)}", x.running, most, most, text, names)


def _statement(one: StatementFacts, calls: int, mean: float, limits: Limits) -> Sign:
    most = limits.slow_query_ms
    text = f"A statement took {mean:.0f} ms on average in {things(calls, 'call')} (queryid {one.id.split('/')[0]})."
    few = calls < limits.slow_query_calls
    return Sign("watch_slow_statement", one.id, mean, most, most * _LOWER, text, asleep=few)


def _likeness(query: str) -> str:
    """Return what stands for a query whatever its values are."""
    bare = re.sub(r"'(?:[^']|'')*'|\b\d+\b", "?", query)
    return hashlib.sha256(" ".join(bare.split()).encode()).hexdigest()[:12]


def cache(facts: Facts, before: Before | None, limits: Limits) -> Vital:
    """Return the share of blocks found in PostgreSQL's own memory since the last look."""
    if facts.counters is None:
        return _blind("cache", "cache hits", facts)
    seen = _moved(facts.counters, before)
    blocks = seen.hits + seen.reads
    missed = seen.reads / blocks if blocks else 0.0
    text = f"{share(missed)} of {blocks:,} blocks were not in PostgreSQL's memory since the last look."
    sign = Sign(
        "watch_cache", "database", missed, limits.cache_misses, limits.cache_misses * _LOWER, text,
        asleep=blocks < _MANY_BLOCKS,
    )  # fmt: skip
    words = f"{share(1 - missed)} of {blocks:,} blocks"
    return Vital("cache", "cache hits", words, 1 - missed, signs=(sign,))


def counters(facts: Facts, before: Before | None, limits: Limits) -> Vital:
    """Return what went wrong since the last look: rollbacks, deadlocks, conflicts, spills to disk."""
    if facts.counters is None:
        return _blind("counters", "server errors", facts)
    total = facts.counters
    seen = _moved(total, before) if before else CounterFacts(0, 0, 0, 0, 0, 0, 0, 0)
    ended = seen.commits + seen.rollbacks
    undone = seen.rollbacks / ended if ended else 0.0
    spilt, most = seen.temp_bytes / 1e6, limits.temp_mb
    signs = (
        Sign("watch_rollbacks", "database", undone, limits.rollbacks, limits.rollbacks * _LOWER,
             f"{share(undone)} of {ended:,} transactions were rolled back since the last look.",
             asleep=ended < _MANY_TRANSACTIONS),
        _event("watch_deadlocks", seen.deadlocks, f"{things(seen.deadlocks, 'deadlock')} since the last look."),
        _event("watch_conflicts", seen.conflicts,
               f"{things(seen.conflicts, 'query', 'queries')} cancelled by replay on this standby."),
        Sign("watch_temp_files", "database", spilt, most, most,
             f"Queries spilt {size(seen.temp_bytes)} to disk in {things(seen.temp_files, 'file')}.",
             (facts.server.role,), asleep=not spilt),
    )  # fmt: skip
    names = ("commits", "rollbacks", "deadlocks", "conflicts", "temp_files", "temp_bytes")
    rows = tuple((n.replace("_", " "), f"{getattr(seen, n):,}", f"{getattr(total, n):,}") for n in names)
    words = f"{seen.rollbacks:,} of {ended:,} rolled back, {things(seen.deadlocks, 'deadlock')}"
    columns = ("counter", "since last", "in all")
    return Vital("counters", "server errors", words, undone, columns, rows, signs=signs)


def _event(code: str, count: int, text: str) -> Sign:
    return Sign(code, "database", float(count), 1.0, 1.0, text, asleep=not count)


def _moved(now: CounterFacts, before: Before | None) -> CounterFacts:
    """Return how far the counters went; all the way since their reset when there is no earlier look to go by."""
    old = before.counters if before else None
    if old is None or now.commits < old.commits:
        return now
    names = CounterFacts.__struct_fields__
    return CounterFacts(*(max(0, getattr(now, n) - getattr(old, n)) for n in names))


def _blind(name: str, title: str, facts: Facts) -> Vital:
    why = facts.unseen.get("counters") or "The server keeps no statistics of this database."
    return Vital(name, title, "unseen", unseen=why, blind=True)


def _unseen(facts: Facts) -> str:
    if facts.server.monitor or all(x.seen for x in facts.sessions):
        return facts.unseen.get("sessions", "")
    return f"{sum(not x.seen for x in facts.sessions)} {_SHARED}GRANT pg_monitor TO {facts.server.role}."
