"""Our schema in the target: the run, its lease with a fencing number, its checkpoints, and what it made."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql

from zenni_tui.errors import NotReady, Occupied, StepFailed
from zenni_tui.model.plan import Span
from zenni_tui.model.record import Record

from . import sessions

if TYPE_CHECKING:
    from asyncpg import Connection as Short
    from asyncpg import Record as Row

SCHEMA = "zenni_tui"
LEASE_SECONDS = 30
_GUARD = 0x7A656E6E69
"""Advisory lock of the set-up transaction ("zenni"); transaction-level ones work behind every pooler."""

Connection = psycopg.Connection[tuple[Any, ...]]


class RunRow(Record, frozen=True):
    """The run as the target knows it; it outlives the run directory."""

    run_id: str
    kind: str
    schema_name: str
    source_sha256: str
    plan_hash: str
    fingerprint: str


def exists(connection: Connection) -> bool:
    """Return whether our schema is there."""
    row = connection.execute("SELECT to_regclass('zenni_tui.made') IS NOT NULL").fetchone()
    return bool(row and row[0])


def holder(connection: Connection, run_id: str) -> str | None:
    """Return who else holds a lease that has not expired."""
    if not exists(connection):
        return None
    row = connection.execute(
        "SELECT format('run %%s of %%s, until %%s', run_id, owner, expires) FROM zenni_tui.lease"
        " WHERE run_id <> %s AND expires > now()",
        (run_id,),
    ).fetchone()
    return str(row[0]) if row else None


def occupied(by: str) -> Occupied:
    """Return the error for a target that another run holds."""
    return Occupied(
        "Another run holds this target.",
        why=by,
        next_step="Wait for it, or end it: zenni-tui status, zenni-tui stop, zenni-tui rollback.",
    )


def begin(connection: Connection, row: RunRow, owner: str, papers: bytes = b"") -> int:
    """Set up our schema, enter the run, take the lease and return its fencing number; raises Occupied or StepFailed.

    `papers` are kept, opaque, from the first time, for a run whose directory is lost.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_GUARD,))
        _set_up(connection)
        not_live(connection)
        connection.execute(
            "INSERT INTO zenni_tui.run (run_id, kind, schema_name, source_sha256, plan_hash, fingerprint, papers)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (run_id) DO NOTHING",
            (row.run_id, row.kind, row.schema_name, row.source_sha256, row.plan_hash, row.fingerprint, papers),
        )
        _same(connection, row)
        _end_zombies(connection, row.run_id)
        return take(connection, row.run_id, owner)


def _set_up(connection: Connection) -> None:
    """Make our schema, or what an older version of this program left out of it."""
    connection.execute(resources.files(__package__).joinpath("bookkeeping.sql").read_text())


_IDENTITY = {
    "source_sha256": "the source's content (SHA-256 of its snapshot)",
    "plan_hash": "the plan (its hash)",
    "schema_name": "the target's schema",
}


def _same(connection: Connection, row: RunRow) -> None:
    known = find(connection, row.run_id)
    if known is None:
        return
    for name, meaning in _IDENTITY.items():
        if getattr(known, name) != getattr(row, name):
            raise StepFailed(
                f"The run can't go on: {meaning} differs from the one it began with.",
                why=f"{getattr(known, name)} was recorded in the target, {getattr(row, name)} is given now.",
                next_step="Roll this run back and start a new one.",
            )


def _end_zombies(connection: Connection, run_id: str) -> None:
    """End the sessions of a run whose lease has expired: an engine that sleeps may hold a chunk open for ever."""
    row = connection.execute(
        "SELECT run_id FROM zenni_tui.lease WHERE run_id <> %s AND expires <= now()", (run_id,)
    ).fetchone()
    if row is not None:
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
            sessions.end_all(connection, sessions.name_of(row[0]))
    connection.execute("SET LOCAL lock_timeout = '15s'")


def take(connection: Connection, run_id: str, owner: str) -> int:
    """Take the lease, from an earlier engine of the same run too, and return its fencing number; raises Occupied."""
    # The first number is the time in microseconds: a lease made anew never repeats a number that a zombie holds.
    fence = connection.execute(
        "INSERT INTO zenni_tui.lease AS l (fence, run_id, owner, expires)"
        " VALUES ((extract(epoch FROM clock_timestamp()) * 1000000)::bigint, %(run)s, %(owner)s,"
        " now() + %(seconds)s * interval '1 second')"
        " ON CONFLICT (singleton) DO UPDATE SET fence = l.fence + 1, run_id = excluded.run_id, owner = excluded.owner,"
        " expires = excluded.expires WHERE l.expires <= now() OR l.run_id = excluded.run_id RETURNING fence",
        {"run": run_id, "owner": owner, "seconds": LEASE_SECONDS},
    ).fetchone()
    if fence is None:
        raise occupied(holder(connection, run_id) or "its lease has not expired")
    return int(fence[0])


async def renew(connection: "Short[Row]", fence: int) -> bool:
    """Put the lease's end off; returns False when another engine has taken it over, or rolled the run back."""
    import asyncpg  # noqa: PLC0415 - only the engine keeps a lease; a worker starts without it

    try:
        done = await connection.execute(
            "UPDATE zenni_tui.lease SET expires = now() + $1 * interval '1 second' WHERE fence = $2",
            LEASE_SECONDS,
            fence,
        )
    except asyncpg.UndefinedTableError:
        return False
    return bool(done == "UPDATE 1")


def release(connection: Connection, fence: int) -> None:
    """Let the lease expire now, if it is still the one with this number."""
    if exists(connection):
        connection.execute("UPDATE zenni_tui.lease SET expires = now() WHERE fence = %s", (fence,))


def fenced(connection: Connection, fence: int) -> None:
    """Within a transaction, hold our place until its end; raises Occupied when the lease was taken over."""
    try:
        row = connection.execute("SELECT 1 FROM zenni_tui.lease WHERE fence = %s FOR KEY SHARE", (fence,)).fetchone()
    except psycopg.errors.UndefinedTable:
        raise occupied("the run was rolled back by another engine") from None
    if row is None:
        raise occupied("its lease passed to another engine")


def find(connection: Connection, run_id: str) -> RunRow | None:
    """Return the run as the target knows it."""
    row = connection.execute(
        "SELECT run_id, kind, schema_name, source_sha256, plan_hash, fingerprint FROM zenni_tui.run WHERE run_id = %s",
        (run_id,),
    ).fetchone()
    return RunRow(*row) if row else None


def runs(connection: Connection) -> list[str]:
    """Return the runs that are known in the target, by id."""
    if not exists(connection):
        return []
    return [run_id for (run_id,) in connection.execute("SELECT run_id FROM zenni_tui.run ORDER BY run_id")]


def last_run(connection: Connection) -> tuple[str, bytes] | None:
    """Return the id and the papers of the run that entered this target last."""
    if not exists(connection):
        return None
    row = connection.execute("SELECT run_id, papers FROM zenni_tui.run ORDER BY started DESC LIMIT 1").fetchone()
    return (row[0], row[1]) if row else None


def note_made(connection: Connection, run_id: str, things: Iterable[tuple[str, str]]) -> None:
    """Record what this run makes, in the transaction that makes it."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO zenni_tui.made (run_id, kind, name) VALUES (%s, %s, %s)",
            [(run_id, kind, name) for kind, name in things],
        )


def forget_made(connection: Connection, run_id: str, things: Iterable[tuple[str, str]]) -> None:
    """Strike out what this run has dropped again, in the transaction that drops it."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "DELETE FROM zenni_tui.made WHERE run_id = %s AND kind = %s AND name = %s",
            [(run_id, kind, name) for kind, name in things],
        )


def made(connection: Connection, run_id: str) -> list[tuple[str, str]]:
    """Return what this run made, last first."""
    return [
        (kind, name)
        for kind, name in connection.execute(
            "SELECT kind, name FROM zenni_tui.made WHERE run_id = %s ORDER BY number DESC", (run_id,)
        )
    ]


END = 2**63 - 1
"""The last rowid that there can be: up to there a span has arrived that has no other end."""


class Arrived(NamedTuple):
    """What has arrived of a span: rows, bytes sent, and up to which rowid."""

    rows: int
    bytes: int
    upto: int


class Part(NamedTuple):
    """A span of a table, by its name, or what is left of it: then it goes on from where an earlier part ended."""

    table: str
    span: Span
    goes_on: bool = False

    @property
    def upto(self) -> int:
        """Return the rowid up to which it leads."""
        return END if self.span.upto is None else self.span.upto


def checkpoints(connection: Connection, run_id: str) -> dict[tuple[str, int], Arrived]:
    """Return what has arrived of every span that has begun to, by table and number."""
    rows = connection.execute(
        "SELECT table_name, span, rows, bytes, upto FROM zenni_tui.checkpoint WHERE run_id = %s", (run_id,)
    )
    return {(name, span): Arrived(*what) for name, span, *what in rows}


def check_in(connection: Connection, run_id: str, parts: Sequence[Part]) -> set[tuple[str, int]]:
    """Enter the checkpoints of parts whose rows are to follow in this transaction; returns which had not arrived yet.

    Waits for the end of another transaction that brings some of the same span, whatever part of it: from then on only
    what goes on from where that ended is due. Two that bring the same ones must enter them in the same order.
    """
    names, numbers, counts = [p.table for p in parts], [p.span.number for p in parts], [p.span.rows for p in parts]
    ends, since = [p.upto for p in parts], [p.span.after if p.goes_on else None for p in parts]
    return set(
        connection.execute(
            "INSERT INTO zenni_tui.checkpoint AS c (run_id, table_name, span, rows, upto, since)"
            " SELECT %s, * FROM unnest(%s::text[], %s::integer[], %s::bigint[], %s::bigint[], %s::bigint[])"
            " ON CONFLICT (run_id, table_name, span) DO UPDATE"
            " SET rows = c.rows + excluded.rows, upto = excluded.upto, since = excluded.since, at = clock_timestamp()"
            " WHERE c.upto = excluded.since RETURNING table_name, span",
            (run_id, names, numbers, counts, ends, since),
        )
    )


def note_sizes(connection: Connection, run_id: str, sizes: Mapping[tuple[str, int], int]) -> None:
    """Add to checkpoints of this transaction how many bytes were sent, by table and span."""
    names, numbers = [name for name, _ in sizes], [number for _, number in sizes]
    connection.execute(
        "UPDATE zenni_tui.checkpoint AS c SET bytes = c.bytes + s.bytes"
        " FROM unnest(%s::text[], %s::integer[], %s::bigint[]) AS s (table_name, span, bytes)"
        " WHERE c.run_id = %s AND c.table_name = s.table_name AND c.span = s.span",
        (names, numbers, list(sizes.values()), run_id),
    )


_LIVE = (
    "SELECT run_id, date_trunc('second', (to_jsonb(r) ->> 'live_since')::timestamptz) AT TIME ZONE 'UTC' || ' UTC'"
    " FROM zenni_tui.run AS r WHERE to_jsonb(r) ->> 'live_since' IS NOT NULL ORDER BY 2 LIMIT 1"
)
"""Read as a document: a target that an earlier version of this program began with has no such column."""


def keep_papers(connection: Connection, run_id: str, papers: bytes) -> None:
    """Keep newer papers of a run."""
    connection.execute("UPDATE zenni_tui.run SET papers = %s WHERE run_id = %s", (papers, run_id))


def mark_live(connection: Connection, run_id: str) -> None:
    """Note that from now on the application may write to what this run loaded; a second time changes nothing."""
    _set_up(connection)
    connection.execute(
        "UPDATE zenni_tui.run SET live_since = coalesce(live_since, clock_timestamp()) WHERE run_id = %s", (run_id,)
    )


def unmark_live(connection: Connection, run_id: str) -> None:
    """Note that the application no longer writes there, because it never began or was led back."""
    if live_since(connection) is not None:
        connection.execute("UPDATE zenni_tui.run SET live_since = NULL WHERE run_id = %s", (run_id,))


def live_since(connection: Connection) -> str | None:
    """Return since when the application may write here, as text, None when it may not."""
    found = _live(connection)
    return found[1] if found else None


def _live(connection: Connection) -> tuple[str, str] | None:
    row = connection.execute(_LIVE).fetchone() if exists(connection) else None
    return (str(row[0]), str(row[1])) if row else None


def not_live(connection: Connection, but_by: str = "") -> None:
    """Make sure that what the target holds is this program's alone to drop, empty or overwrite.

    Raises NotReady when the application works there, unless it does by that run.
    """
    found = _live(connection)
    if found is not None and found[0] != but_by:
        raise NotReady(
            "The application works on this target: nothing of it is dropped, emptied or loaded again.",
            where=f"run {found[0]}",
            why=f"It went live on {found[1]}; what was written since then would be lost.",
            next_step="The way back that loses nothing is the fall-back, which carries it back: zenni-tui rollback.",
        )


def leave(connection: Connection, run_id: str) -> None:
    """Within a transaction, forget the run; drop our schema when no other run is known."""
    # The set-up's lock: a run that enters at this moment must not lose its row to the drop.
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_GUARD,))
    _set_up(connection)
    for table in ("checkpoint", "made", "quarantine", "lease", "followed", "run"):
        connection.execute(sql.SQL("DELETE FROM {} WHERE run_id = %s").format(sql.Identifier(SCHEMA, table)), (run_id,))
    if connection.execute("SELECT 1 FROM zenni_tui.run LIMIT 1").fetchone() is None:
        connection.execute(
            "DROP TABLE zenni_tui.checkpoint, zenni_tui.made, zenni_tui.quarantine, zenni_tui.lease,"
            " zenni_tui.followed, zenni_tui.run"
        )
        # What was done at the watch's advice outlives a run that is taken back.
        if connection.execute("SELECT to_regclass('zenni_tui.deed')").fetchone() == (None,):
            connection.execute("DROP SCHEMA zenni_tui")
