"""reach: is the source there, does the target answer, and may we work in it? Writes nothing."""

import asyncio

import asyncpg

from zenni_tui.errors import NotReady
from zenni_tui.model import events as e
from zenni_tui.model.runbook import RunKind, StepId
from zenni_tui.source import database
from zenni_tui.target import bookkeeping, catalogue, ladder

from .run import Run, Step
from .target import open_target


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
