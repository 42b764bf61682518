"""pooling.md: how many connections there are, who pools them, and how the pool is set and managed."""

from collections.abc import Iterable

from zenni_tui.report.document import Block, Bullets, Code, Heading, Line, Mono, Paragraph, Table
from zenni_tui.target import supabase

from .connection import shell_target, urls
from .facts import Facts, origin

NAME = "pooling.md"


def blocks(facts: Facts) -> Iterable[Block]:
    """Yield the document."""
    yield Heading(1, "Connection pooling")
    yield origin(facts)
    yield Heading(2, "What was found")
    yield Table(("", ""), tuple(_found(facts)))
    yield Heading(2, "Settings")
    yield Bullets(tuple(_settings(facts)))
    yield Heading(2, "Managing it")
    yield Paragraph("Who holds connections, by role, program and state:")
    yield Code(f'psql {shell_target(facts)} -c "{_WHO}"', "sh")
    yield Paragraph("To bound the application's role, so that it can't take the last ones (as an administrator):")
    role = facts.role.replace('"', '""')
    yield Code(f'ALTER ROLE "{role}" CONNECTION LIMIT {_limit(facts)};', "sql")
    yield Paragraph("To end what idles in a transaction by itself:")
    yield Code(f"ALTER ROLE \"{role}\" SET idle_in_transaction_session_timeout = '60s';", "sql")
    yield Paragraph(
        (
            "Pool use is watched: ",
            Mono("[watch] pool_role, pool_size, connections"),
            f" raise from {facts.upkeep.watch.connections:.0%} on.",
        )
    )


_WHO = (
    "SELECT usename, application_name, state, count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' GROUP BY 1, 2, 3 ORDER BY 4 DESC"
)


def _limit(facts: Facts) -> str:
    return str(facts.upkeep.watch.pool_size) if facts.upkeep.watch.pool_size else "20"


def _found(facts: Facts) -> Iterable[tuple[Line, ...]]:
    yield "pooler", facts.check("pooler") or "not looked for"
    yield "sessions", facts.check("limits") or "not looked for"
    yield "round trip", facts.check("line") or "not measured"
    yield "role of the application", Mono(facts.role)
    yield "pool by the configuration", _pool(facts)


def _pool(facts: Facts) -> str:
    size = facts.upkeep.watch.pool_size
    return f"{size} connections (pool_size of the watch)" if size else "not given (pool_size of the watch)"


def _settings(facts: Facts) -> Iterable[Line]:
    for words, url in urls(facts).items():
        yield f"{words}: ", Mono(url)
    if supabase.ref_of(facts.target.host, facts.target.user):
        yield (
            f"Port {supabase.TRANSACTION_PORT} shares sessions between transactions (transaction mode): no prepared"
            " statements, no SET that outlives a transaction, no session locks, no LISTEN."
        )
        port = supabase.SESSION_PORT
        yield f"Port {port} keeps a session for each client: for migrations, psql, pg_dump and zenni-tui."
    if facts.prisma is not None:
        yield from _prisma(facts)
    yield (
        "Every process of the application has a pool of its own: the number of processes times the pool must stay below"
        " the sessions above, with room for backups and the watch."
    )


def _prisma(facts: Facts) -> Iterable[Line]:
    if (facts.prisma or 0) >= 7:  # noqa: PLR2004 - from 7 on the driver has the pool
        yield (
            "Prisma 7 takes its pool from the driver adapter: ",
            Mono("new PrismaPg({ connectionString, max: 5 })"),
            ".",
        )
        return
    yield (
        f"Prisma {facts.prisma} opens twice the number of processors plus one connections for each process; set it by ",
        Mono("connection_limit"),
        " in the URL, and how long a query waits for one by ",
        Mono("pool_timeout"),
        ", such as ",
        Mono("?connection_limit=5&pool_timeout=10"),
        ".",
    )
