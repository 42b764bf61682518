"""Vitals of who is connected: connections, the pool, locks, open transactions. Pure."""

from collections.abc import Sequence

from zenni_tui.model.statistics import Facts, SessionFacts
from zenni_tui.model.vitals import Limits, Sign, Vital

from .signs import SHOWN, beyond, blind, grant
from .words import share, span, things

_IDLE = ("idle in transaction", "idle in transaction (aborted)")


def connections(facts: Facts, limits: Limits) -> Vital:
    """Return how many connections are in use, of those the server, or the database, lets ordinary roles have."""
    if (unseen := blind("connections", "connections", facts, "sessions")) is not None:
        return unseen
    used, most, bound = _bound(facts)
    part = used / max(most, 1)
    text = f"{used} of the {most} connections that {bound} allows are in use ({share(part)})."
    roles = sorted({x.role for x in facts.sessions if x.here and x.state == "idle"})
    sign = beyond("watch_connections", bound, part, limits.connections, text, tuple(roles))
    return Vital(
        "connections",
        "connections",
        f"{used} of {most}",
        part,
        ("count", "role", "application", "state"),
        _kinds(facts.sessions),
        hidden(facts),
        signs=(sign,),
    )


def _bound(facts: Facts) -> tuple[int, int, str]:
    """Return the connections in use, how many there may be, and who says so: whoever's limit is nearer."""
    server, used = facts.server, len(facts.sessions) + 1
    here = sum(x.here for x in facts.sessions) + 1
    if server.database_most >= 0 and here * server.most > used * server.database_most:
        return here, server.database_most, "the database"
    return used, server.most, "the server"


def _kinds(sessions: Sequence[SessionFacts]) -> tuple[tuple[str, ...], ...]:
    counts: dict[tuple[str, str, str], int] = {}
    for one in sessions:
        kind = (one.role, one.name, one.state or "unseen")
        counts[kind] = counts.get(kind, 0) + 1
    return tuple((str(n), *kind) for kind, n in sorted(counts.items(), key=lambda pair: -pair[1]))


def pools(facts: Facts, limits: Limits) -> Vital:
    """Return how full the application's pool is: its role's connections, of what the config or the role allows."""
    if (unseen := blind("pool", "pool", facts, "sessions")) is not None:
        return unseen
    role = limits.pool_role or facts.server.role
    bounds = {one.name: one.most for one in facts.roles}
    if limits.pool_size:
        bounds[role] = min(limits.pool_size, bounds.get(role, limits.pool_size))
    used = {name: sum(x.role == name for x in facts.sessions) for name in (*bounds, role)}
    if not bounds:
        unknown = f"How large the pool of {role} is isn't known: [watch] pool_size, or ALTER ROLE ... CONNECTION LIMIT."
        return Vital("pool", "pool", things(used[role], "session"), float(used[role]), unseen=unknown)
    full = {name: used[name] / most for name, most in bounds.items()}
    worst = max(full, key=lambda name: full[name])
    signs = tuple(
        beyond("watch_pool", name, part, limits.connections, _filled(name, used[name], bounds[name], part), (name,))
        for name, part in full.items()
    )
    rows = tuple((name, str(used[name]), str(bounds[name]), share(full[name])) for name in bounds)
    words = f"{used[worst]} of {bounds[worst]} ({worst})"
    return Vital("pool", "pool", words, full[worst], ("role", "used", "limit", "share"), rows, signs=signs)


def _filled(name: str, used: int, most: int, part: float) -> str:
    return f"{used} of the {most} connections of the pool of {name} are in use ({share(part)})."


def locks(facts: Facts, limits: Limits) -> Vital:
    """Return who waits for a lock, and for whom; one sign for each session at the root of the waiting."""
    if (unseen := blind("locks", "locks", facts, "sessions")) is not None:
        return unseen
    known = {x.pid: x for x in facts.sessions}
    waiting = [x for x in facts.sessions if x.blockers and x.here]
    held: dict[int, list[SessionFacts]] = {}
    for one in waiting:
        for root in _roots(one.pid, known):
            held.setdefault(root, []).append(one)
    signs = tuple(_blocked(known.get(root), root, those, limits) for root, those in held.items())
    rows = [(str(x.pid), span(x.waiting), x.relation, ", ".join(map(str, x.blockers)), x.query) for x in waiting]
    holders = [known[pid] for pid in held if pid in known and known[pid].seen]
    rows = [*rows[:SHOWN], *((str(x.pid), "holds", "", "", f"{x.state}: {x.query}") for x in holders)]
    worst = max((x.waiting for x in waiting), default=0.0)
    words = f"{things(len(waiting), 'session waits', 'sessions wait')}, {span(worst)}" if waiting else "nobody waits"
    columns = ("pid", "waits", "table", "for pid", "query")
    return Vital("locks", "locks", words, float(len(waiting)), columns, tuple(rows), hidden(facts), signs=signs)


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
    return beyond("watch_lock_wait", subject, seconds, limits.lock_seconds, text, names, lower=1.0)


def transactions(facts: Facts, limits: Limits) -> Vital:
    """Return the transactions that stay open, idle or at work: they hold locks, and vacuum off the dead rows."""
    if (unseen := blind("transactions", "transactions", facts, "sessions")) is not None:
        return unseen
    opened = sorted((x for x in facts.sessions if x.transaction), key=lambda x: -x.transaction)
    signs = tuple(_open(x, limits) for x in opened if x.here)
    rows = tuple((str(x.pid), x.role, span(x.transaction), x.state, x.query) for x in opened[:SHOWN])
    oldest = opened[0].transaction if opened else 0.0
    words = f"{len(opened)} open, the oldest {span(oldest)}" if opened else "none open"
    columns = ("pid", "role", "open", "state", "query")
    return Vital("transactions", "transactions", words, oldest, columns, rows, hidden(facts), signs=signs)


def _open(x: SessionFacts, limits: Limits) -> Sign:
    names = (str(x.pid), x.started, x.role)
    cost = "its locks stay, and dead rows can't be cleared away"
    if x.state in _IDLE:
        text = f"pid {x.pid}, role {x.role}, is idle in a transaction since {span(x.idle)}: {cost}."
        code, seconds, most = "watch_idle_in_transaction", x.idle, limits.idle_in_transaction_seconds
    else:
        text = f"pid {x.pid}, role {x.role}, has a transaction open since {span(x.transaction)}: {cost}."
        code, seconds, most = "watch_long_transaction", x.transaction, limits.transaction_seconds
    return beyond(code, f"{x.pid} {x.started}", seconds, most, text, names, lower=1.0)


def hidden(facts: Facts) -> str:
    """Return how many sessions are seen by number only, and what would show them."""
    count = sum(not x.seen for x in facts.sessions)
    return f"{things(count, 'session')} of others are seen by number only: {grant(facts)}" if count else ""
