"""Takes the run's place at its target again, for what is done after the migration: nothing is made, only held."""

import asyncio

from zenni_tui.target import bookkeeping, sessions

from . import lease
from .actions import at_target, patiently
from .prepare import owner
from .run import Run
from .target import open_target


async def hold(run: Run, *, patient: bool = False) -> None:
    """Open the target and keep the run's lease alive; twice is as good as once.

    A target that is away is tried for as long as the copy would, where one is patient. Raises Occupied, NotReady,
    Halted or Stopped.
    """
    await open_target(run)
    if run.fence:
        return

    def take(connection: bookkeeping.Connection) -> int:
        sessions.end_all(connection, run.to.name)
        return bookkeeping.take(connection, run.request.run_id, owner())

    run.fence = await (patiently if patient else at_target)(run, "the lease", take)
    run.cleanup.append(asyncio.create_task(lease.keep(run)).cancel)
