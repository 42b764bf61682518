"""Keeps the lease on the target alive while the engine works, and notices when it is lost."""

import asyncio

import asyncpg

from zenni_tui.errors import Halted, Interrupted
from zenni_tui.target import bookkeeping
from zenni_tui.target.short import BROKEN, in_words

from .run import Run
from .steering import awake
from .strain import Strain

_EVERY = 5.0
_PATIENCE = 5.0
_MARGIN = 5.0


async def keep(run: Run) -> None:
    """Renew the lease every few seconds until cancelled; sets `run.lease_lost` when another engine has taken it.

    A line that is down is not a lost lease: the fence in every chunk's transaction is what protects the data. But
    nothing new is begun from shortly before the lease's end until it is renewed.
    """
    connection: asyncpg.Connection[asyncpg.Record] | None = None
    failed = False
    strain = Strain(run)
    paper = await asyncio.to_thread(_identity, run)
    try:
        while True:
            if await asyncio.to_thread(_identity, run) != paper:
                run.halted = _folder_gone(run)
            try:
                if connection is None or connection.is_closed():
                    connection = await run.to.connect_async()
                asked = awake()
                if not await asyncio.wait_for(bookkeeping.renew(connection, run.fence), _PATIENCE):
                    run.lease_lost.set()
                    return
                run.steering.leased_until = asked + bookkeeping.LEASE_SECONDS - _MARGIN
                if failed:
                    run.patience.over()
                failed = False
                if not await strain.look(connection):
                    connection.terminate()
            except BROKEN as error:
                connection, failed = None, True
                _bear(run, in_words(error))
            await asyncio.sleep(_EVERY)
    finally:
        if connection is not None:
            connection.terminate()


def _bear(run: Run, why: str) -> None:
    run.say(f"The lease could not be renewed, trying again: {why}", "warning")
    if awake() < run.steering.leased_until:
        return
    try:
        run.patience.met(Interrupted("The lease can't be renewed.", where="the lease", why=why))
    except Halted as spent:
        run.halted = spent


def _identity(run: Run) -> int | None:
    try:
        return (run.folder / "request.json").stat().st_ino
    except OSError:
        return None


def _folder_gone(run: Run) -> Halted:
    return Halted(
        "The run directory is gone.",
        where=str(run.folder),
        why="Somebody deleted or moved it while the run was at work.",
        next_step="The target knows the run: zenni-tui resume --target URL, or zenni-tui rollback --target URL.",
    )
