"""monitoring.md: how the database is watched, from when on somebody is told, and what to look at by hand."""

from collections.abc import Iterable

from zenni_tui.report.document import Block, Bullets, Code, Heading, Line, Mono, Paragraph, Table

from .connection import shell_target
from .facts import Facts, origin

NAME = "monitoring.md"
_MOST = 30


def blocks(facts: Facts) -> Iterable[Block]:
    """Yield the document."""
    yield Heading(1, "Monitoring")
    yield origin(facts)
    yield Heading(2, "Watching")
    yield Paragraph(("By eye: ", Mono(facts.command("watch")), ". By cron, once a minute:"))
    yield Code(f"* * * * * {facts.command('watch --once --json')} >/dev/null", "crontab")
    yield Paragraph(
        (
            "It ends with 0 when nothing is raised and with 1 otherwise. ",
            "When something is raised, and when it clears, it tells once whom ",
            Mono("[notify]"),
            " names." if facts.upkeep.told else " names, which is nobody yet.",
        )
    )
    yield Heading(2, "Thresholds")
    yield Table(("what", "raised from", "setting of watch"), tuple(_limits(facts)))
    yield Heading(2, "What to look at first in this database")
    yield Bullets(tuple(_first(facts)))
    yield Heading(2, "By hand")
    yield Code(f'psql {shell_target(facts)} -c "{_ACTIVITY}"', "sh")
    yield Paragraph(
        ("Later, whether what was migrated still stands as it was verified: ", Mono(facts.command("verify")), ".")
    )


_ACTIVITY = (
    "SELECT pid, usename, state, wait_event_type, now() - query_start AS since, left(query, 60) AS query"
    " FROM pg_stat_activity WHERE datname = current_database() ORDER BY query_start"
)


def _limits(facts: Facts) -> Iterable[tuple[Line, ...]]:
    w = facts.upkeep.watch
    told = {
        "connections": ("connections in use", f"{w.connections:.0%} of all, or of the application's pool"),
        "slow_query_ms": ("a slow statement", f"{w.slow_query_ms:g} ms on average, {w.slow_query_calls} calls"),
        "running_seconds": ("a query runs", f"{w.running_seconds:g} s"),
        "lock_seconds": ("somebody waits for a lock", f"{w.lock_seconds:g} s"),
        "idle_in_transaction_seconds": ("a session idles in a transaction", f"{w.idle_in_transaction_seconds:g} s"),
        "transaction_seconds": ("a transaction is open", f"{w.transaction_seconds:g} s"),
        "cache_misses": ("blocks not found in memory", f"{w.cache_misses:.0%}"),
        "dead_rows": ("dead rows of a table", f"{w.dead_rows:,} and {w.dead_share:.0%} of its rows"),
        "bloat_mb": ("empty space in a table", f"{w.bloat_mb:g} MB"),
        "unused_index_mb": ("an index that nobody uses", f"{w.unused_index_mb:g} MB"),
        "foreign_key_rows": ("a reference without an index", f"{w.foreign_key_rows:,} rows"),
        "sequence": ("numbers of a counter given out", f"{w.sequence:.0%}"),
        "rollbacks": ("transactions rolled back", f"{w.rollbacks:.0%}"),
        "temp_mb": ("queries spill to disk", f"{w.temp_mb:g} MB between two looks"),
        "replication_seconds": ("a standby is behind", f"{w.replication_seconds:g} s"),
        "disk": ("disk of the plan in use", f"{w.disk:.0%} of {w.disk_mb:g} MB" if w.disk_mb else "not known: disk_mb"),
        "errors": ("the application's error rate", f"{w.errors:.0%}" if w.error_rate or w.error_url else "not asked"),
        "query_factor": ("a query against its rehearsal", f"{w.query_factor:g} times, {w.query_ms:g} ms"),
    }
    for name, (what, limit) in told.items():
        yield what, limit, Mono(name)


def _first(facts: Facts) -> Iterable[Line]:
    plan = facts.plan
    largest = sorted(plan.tables, key=lambda t: -t.rows)[:3]
    rows = ", ".join(f"{t.name} ({t.rows:,} rows)" for t in largest if t.rows)
    if rows:
        yield f"The largest tables, where slow queries and dead rows show first: {rows}."
    bare = [k for k in plan.foreign_keys if not _indexed(facts, k.table, k.columns)]
    for key in bare[:_MOST]:
        yield (
            "A reference without an index: ",
            Mono(f"{key.table} ({', '.join(key.columns)})"),
            " to ",
            Mono(key.parent),
            ". Deleting there reads all of it.",
        )
    if len(bare) > _MOST:
        yield f"... and {len(bare) - _MOST:,} more references without an index."
    counted = [
        f"{t.name}.{c.name} ({t.counter:,} given out)"
        for t in plan.tables
        for c in t.columns
        if c.counter and t.counter
    ]
    if counted:
        yield f"Counters: {', '.join(counted)}."
    size = facts.check("limits")
    if size:
        yield f"At the migration: {size}."


def _indexed(facts: Facts, table: str, columns: tuple[str, ...]) -> bool:
    key = facts.plan.table(table).key
    leading = [i.columns[: len(columns)] for i in facts.plan.indexes_of(table) if i.where is None]
    leading += [key.columns[: len(columns)]] if key else []
    return any(set(c) == set(columns) for c in leading)
