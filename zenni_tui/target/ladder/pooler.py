"""The sixth rung: is there a pooler between, and does it keep sessions together? Found out by trying."""

import secrets

import asyncpg

from zenni_tui.errors import NotReady
from zenni_tui.target import libpq, supabase

from .ground import Ground, Rung

_MARK = "zenni_tui.probe"
_WAIT_SECONDS = 5.0
_ROUNDS = 3
"""On a busy pooler the other session may be given another server session than the one we have just let go."""


async def look(ground: Ground) -> Rung:
    """Compare the server process that libpq's protocol named with the one that answers; then mark a session.

    A pooler names a process of its own. In transaction mode another session's open transaction takes the server
    session away from under the mark. Raises NotReady for a pooler that doesn't keep sessions together.
    """
    tried = "whether the process that greeted us is the one that answers, and whether a session stays ours"
    link = await ground.link()
    answering = (await ground.ask("SELECT pg_backend_pid() AS pid"))["pid"]
    if answering == link.get_server_pid():
        return Rung(tried, "none: the server itself answers")
    if not await _kept(ground):
        raise _shared(ground)
    return Rung(tried, "a pooler in session mode: each session of ours is ours alone")


async def _kept(ground: Ground) -> bool:
    mark = secrets.token_hex(8)
    other = await ground.fresh()
    try:
        for _ in range(_ROUNDS):
            await ground.ask("SELECT set_config($1, $2, false)", _MARK, mark)
            await _hold(ground, other)
            found = await ground.ask("SELECT current_setting($1, true) AS mark", _MARK)
            if found["mark"] != mark:
                return False
            await ground.bounded(other.execute("ROLLBACK"))
    except NotReady as error:
        if isinstance(error.__cause__, TimeoutError):
            # The pool has one session: the other's transaction has it, and it would be ours in session mode.
            return False
        raise
    finally:
        other.terminate()
    return True


async def _hold(ground: Ground, other: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        await ground.bounded(other.execute("BEGIN; SELECT pg_backend_pid()"), _WAIT_SECONDS)
    except NotReady as error:
        raise NotReady(
            "The pooler has no second connection for us.",
            where=error.where,
            why=error.why,
            next_step="Raise the pool's size or close other clients; or connect to the server directly.",
        ) from None


def _shared(ground: Ground) -> NotReady:
    door = ground.target.in_use or libpq.doors(ground.target.parameters)[0]
    at_supabase = supabase.is_pooler(door.host) or door.port == supabase.TRANSACTION_PORT
    advice = (
        f"Use port {supabase.SESSION_PORT} of the same host: there the pooler keeps sessions."
        if at_supabase
        else "Name the server itself (usually port 5432), or a pool with pool_mode = session."
    )
    return NotReady(
        "The pooler shares sessions between its clients (transaction mode).",
        where=str(door),
        why="What a session is told is lost to it and found by others: settings, locks and long COPY would go astray.",
        next_step=advice,
    )
