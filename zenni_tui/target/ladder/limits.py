"""The eighth rung: sessions enough for us, for fewer workers if need be, and what would end a long piece of work."""

import asyncio
import contextlib
from typing import Any

import asyncpg

from zenni_tui.errors import NotReady
from zenni_tui.target import supabase
from zenni_tui.target.causes import explain
from zenni_tui.target.short import BROKEN, in_words

from .ground import QUERY_SECONDS, Ground, Rung

SESSIONS_BESIDE = 2
"""The engine's own: one for DDL and questions, one for the lease."""
SESSIONS_EACH = 2
"""A worker's: one to write, and one to compare or to build indexes with, since each pins settings of its own."""
_PARTS = ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout")

_QUERY = """
SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true)::int, 0) AS most,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role_most,
       (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database_most,
       (SELECT json_object_agg(name, reset_val || coalesce(unit, '')) FROM pg_settings
        WHERE name = ANY ($1::text[]) AND reset_val <> '0')::text AS timeouts,
       pg_database_size(current_database()) AS bytes,
       EXISTS (SELECT 1 FROM pg_roles WHERE rolname IN ('anon', 'authenticated')
               HAVING count(*) = 2) AND to_regnamespace('auth') IS NOT NULL AS supabase
"""


async def look(ground: Ground) -> Rung:
    """Open as many sessions as a run needs, at once, and read the limits; raises NotReady if one worker has no room."""
    wanted = SESSIONS_EACH * ground.workers + SESSIONS_BESIDE
    found = await ground.ask(_QUERY, list(_PARTS))
    got, error = await _open(ground, wanted - 1)
    ground.room = (got + 1 - SESSIONS_BESIDE) // SESSIONS_EACH
    if error is not None and ground.room < 1:
        raise _too_few(ground, got + 1, wanted, found, error)
    notes = [f"{wanted} sessions at once are there ({found['used']} of {found['most']} were in use)"]
    if error is not None:
        notes = [f"{_short(got + 1, wanted, found)}: room for {_workers(ground.room)} instead of {ground.workers}"]
    if found["timeouts"]:
        notes.append(f"by default sessions have {found['timeouts'].strip('{} ')}; ours switch that off")
    notes.append(f"the database has {found['bytes']:,} bytes, the source {ground.load:,}")
    advice = _more(ground, error) if error is not None else ""
    advice += _disk(found["bytes"], ground.load) if found["supabase"] else ""
    return Rung(
        f"{wanted} sessions at once: {SESSIONS_EACH} for each worker, {SESSIONS_BESIDE} more; timeouts; size",
        "; ".join(notes),
        None if advice else True,
        advice.strip(),
    )


async def _open(ground: Ground, count: int) -> tuple[int, Exception | None]:
    """Open sessions beside the one there is; returns how many came, and why the first of the others did not."""
    answers = await asyncio.gather(*(_session(ground) for _ in range(count)), return_exceptions=True)
    await asyncio.gather(*(_leave(link) for link in answers if isinstance(link, asyncpg.Connection)))
    errors = [a for a in answers if isinstance(a, BaseException)]
    for error in errors:
        if not isinstance(error, BROKEN):
            raise error
    trouble = next((e for e in errors if isinstance(e, Exception)), None)
    return count - len(errors), trouble


async def _leave(link: "asyncpg.Connection[asyncpg.Record]") -> None:
    # The next rung needs the place, and the server frees it only when it has heard of the end.
    with contextlib.suppress(*BROKEN):
        await link.close(timeout=QUERY_SECONDS)


async def _session(ground: Ground) -> "asyncpg.Connection[asyncpg.Record]":
    link = await ground.target.connect_async()
    try:
        # A pooler lets clients in that it has no session for yet.
        await asyncio.wait_for(link.execute("SELECT 1"), QUERY_SECONDS)
    except BaseException:
        link.terminate()
        raise
    return link


def _too_few(ground: Ground, got: int, wanted: int, found: Any, error: Exception) -> NotReady:
    return NotReady(
        "There are not enough connections left for a run.",
        where=ground.where,
        why=f"{_short(got, wanted, found)}. The first that was refused: {in_words(error)}",
        next_step=f"Make room: {_room(ground, error)}",
    )


def _short(got: int, wanted: int, found: Any) -> str:
    limits = [f"max_connections leaves {found['most']}, {found['used']} were in use"]
    limits += [f"the role may have {found['role_most']}"] if found["role_most"] >= 0 else []
    limits += [f"the database may have {found['database_most']}"] if found["database_most"] >= 0 else []
    return f"{wanted} sessions are wanted and {got} were given; {'; '.join(limits)}"


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def _more(ground: Ground, error: Exception) -> str:
    return f"The run will work with {_workers(ground.room or 1)}. To have all, make room: {_room(ground, error)} "


def _room(ground: Ground, error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "close others, or raise the pool's size: what waits for a session is a pooler."
    return explain(error, ground.where).next_step


def _disk(bytes_now: int, load: int) -> str:
    after = bytes_now + load
    if after <= supabase.FREE_BYTES:
        return ""
    return (
        f"About {after:,} bytes will be there: Supabase's free plan turns read-only above {supabase.FREE_BYTES:,},"
        " and paid disks grow by half at most, a few times a day. See that the disk is large enough before the run."
    )
