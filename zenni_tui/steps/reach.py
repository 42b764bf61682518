"""reach: is the source there, does the target answer, and may we work in it? Writes nothing."""

import asyncio

import asyncpg
import psycopg

from zenni_tui.errors import NotReady
from zenni_tui.model import events as e
from zenni_tui.model.runbook import RunKind, StepId
from zenni_tui.sandbox import server
from zenni_tui.source import database
from zenni_tui.target import bookkeeping, catalogue, ladder
from zenni_tui.target.connect import Target

from .run import Run, Step


class Reach(Step):
    """Prerequisites, each shown with what was looked at and found."""

    id = StepId.REACH
    each_time = True

    async def run(self, run: Run) -> str:
        """Look at the source's header, open the target and judge it."""
        found = await asyncio.to_thread(database.look, run.source)
        run.check(self.id, "source", f"{run.source}: {found}")
        if run.request.kind in (RunKind.AUDIT, RunKind.PLAN) and run.request.embedded:
            run.check(self.id, "target", "not needed: nothing will be written", ok=None)
            return "source found"
        await open_target(run)
        await asyncio.to_thread(self._judge, run)
        await self._second_driver(run)
        return f"source found, target {run.to.label()} answers"

    def _judge(self, run: Run) -> None:
        schema, where = run.request.schema, run.to.label()
        with run.to.connect() as connection:
            found = ladder.stand(connection, schema)
            run.tell(e.TargetSeen(run.to.facts(schema, found.version)))
            run.check(self.id, "server", f"PostgreSQL {found.version}, {found.size:,} bytes in {where}")
            ladder.judge(found, schema, where)
            run.check(self.id, "rights", f'may create schemas and tables in schema "{schema}"')
            other = bookkeeping.holder(connection, run.request.run_id)
            if other is not None:
                raise bookkeeping.occupied(other)
            run.check(self.id, "lease", "no other run holds this target")
        there = [r for r in catalogue.relations(run.to.engine(), schema) if r.kind in ("r", "p")]
        text = f"{len(there)} tables, {sum(r.filled for r in there)} of them with rows" if there else "empty"
        run.check(self.id, "contents", f'schema "{schema}": {text}', ok=None if there else True)

    async def _second_driver(self, run: Run) -> None:
        try:
            connection = await run.to.connect_async()
            await asyncio.wait_for(connection.fetchval("SELECT 1"), 10)
            await connection.close()
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise NotReady(
                "A second connection to the target failed.",
                where=run.to.label(),
                why=str(error) or type(error).__name__,
                next_step="See that the server has connections left: a run needs one for each worker and two more.",
            ) from error
        run.check(self.id, "second connection", "answers")


async def open_target(run: Run) -> None:
    """Give the run its target: start or find the embedded server, or take the one that was named."""
    if run.target is not None:
        return
    held = await asyncio.to_thread(_embedded, run.request.run_id)
    run.cleanup.append(held.close)
    parameters = held.conninfo()
    name = f"zenni-tui {run.request.run_id}"
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
            bookkeeping.release(connection, run.request.run_id)
    except (NotReady, psycopg.Error) as error:
        run.say(f"The lease could not be given back, it expires by itself: {error}", "warning")
