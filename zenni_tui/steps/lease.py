"""Keeps the lease on the target alive while the engine works, and notices when it is lost."""

import asyncio

import asyncpg

from zenni_tui.target import bookkeeping

from .run import Run

_EVERY = 5.0
_PATIENCE = 5.0


async def keep(run: Run) -> None:
    """Renew the lease every few seconds until cancelled; sets `run.lease_lost` when another engine has taken it.

    A line that is down is not a lost lease: the fence in every chunk's transaction is what protects the data.
    """
    connection: asyncpg.Connection[asyncpg.Record] | None = None
    try:
        while True:
            try:
                if connection is None or connection.is_closed():
                    connection = await run.to.connect_async()
                if not await asyncio.wait_for(bookkeeping.renew(connection, run.fence), _PATIENCE):
                    run.lease_lost.set()
                    return
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                run.say(f"The lease could not be renewed, trying again: {error or type(error).__name__}", "warning")
                connection = None
            await asyncio.sleep(_EVERY)
    finally:
        if connection is not None:
            connection.terminate()
