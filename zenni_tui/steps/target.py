"""Gives a run its target and takes it away again."""

import asyncio

import psycopg

from zenni_tui.errors import NotReady
from zenni_tui.model.runbook import StepId
from zenni_tui.sandbox import server
from zenni_tui.target import bookkeeping, sessions
from zenni_tui.target.connect import Target

from .run import Run


async def open_target(run: Run) -> None:
    """Give the run its target: start or find the embedded server, or take the one that was named."""
    if run.target is not None:
        return
    held = await asyncio.to_thread(_embedded, run.request.run_id)
    run.cleanup.append(held.close)
    parameters = held.conninfo()
    name = sessions.name_of(run.request.run_id)
    run.target = Target(parameters, parameters["password"], name=name, embedded=True)
    run.check(StepId.REACH, "embedded PostgreSQL", f"started on {held.host}:{held.port}, for this run only")


def _embedded(run_id: str) -> server.Server:
    return server.attach(run_id) or server.start(run_id, keep_data=True)


async def close_target(run: Run, *, keep: bool) -> None:
    """Let go of what the run holds; an embedded server is removed with its data unless the run may go on later."""
    for release in reversed(run.cleanup):
        await asyncio.to_thread(release)
    run.cleanup.clear()
    if run.target is None:
        return
    if run.target.embedded and not keep:
        await asyncio.to_thread(server.remove, run.request.run_id)
    elif not run.target.embedded and run.fence:
        await asyncio.to_thread(_release, run)


def _release(run: Run) -> None:
    try:
        with run.to.connect() as connection:
            bookkeeping.release(connection, run.fence)
    except (NotReady, psycopg.Error) as error:
        run.say(f"The lease could not be given back, it expires by itself: {error}", "warning")
