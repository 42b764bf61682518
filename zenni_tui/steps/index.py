"""index: keys, indexes, foreign keys and counters, then ANALYZE; what exists already is left as it is."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterable

from psycopg import sql

from zenni_tui.model.plan import Plan
from zenni_tui.model.runbook import StepId
from zenni_tui.target import bookkeeping, ddl, existing, load
from zenni_tui.target.connect import Target

from . import adopt, history
from .ahead import Ahead
from .building import Builder, Pack, batched, by_table, fenced, largest_first, packed, total, work
from .meter import Meter
from .run import Run, Step

Statements = tuple[ddl.Statement, ...]


class Index(Step):
    """Built after the rows, which is several times faster than with them; in several sessions at once."""

    id = StepId.INDEX

    async def run(self, run: Run) -> str:
        """Make everything that isn't there yet, with what was begun while rows were still copied."""
        plan = run.plan()
        self._work, ahead = work(plan), Ahead.of(run)
        self._meter, self._total = Meter(run, self.id, unit="objects"), total(plan, self._work)
        await self._build(run, plan, ahead)
        await run.insist("counters and statistics", lambda: self._finish(run, plan))
        checks = sum(len(t.checks) for t in plan.tables)
        early = f"; {ahead.made} of all while rows were still copied" if ahead.made else ""
        return (
            f"{len(plan.indexes)} indexes, {len(plan.foreign_keys)} foreign keys, {checks} checks,"
            f" {len(plan.views)} views, {self._counters} counters set{early}"
        )

    async def _build(self, run: Run, plan: Plan, ahead: Ahead) -> None:
        async def wave(statements: Statements, queues: Callable[[Statements], Iterable[list[Pack]]]) -> None:
            there = await self._there(run)
            await self._all(run, queues(tuple(s for s in statements if s.thing not in there)))

        async def joined() -> None:
            await ahead.end()
            made = await self._there(run) if in_hand else set()
            self._told([s for s in in_hand if s.thing in made])

        in_hand = ahead.close()
        there = await self._there(run) - {s.thing for s in in_hand}
        self._meter.skip(sum(s.thing in there for s in self._work.all))
        first = [s for s in self._work.first if s.thing not in there and s not in in_hand]
        await self._all(run, ([pack] for pack in largest_first(plan, first)), joined())
        await wave(self._work.first, lambda left: ([pack] for pack in largest_first(plan, left)))
        await wave(self._work.then, lambda left: by_table(plan, left))
        await wave(self._work.keys, lambda left: [list(batched(list(left)))])
        await wave(self._work.checks, lambda left: by_table(plan, left))
        await wave(self._work.views, lambda left: [[[s] for s in left]])

    async def _there(self, run: Run) -> existing.Things:
        return await run.insist("the catalogue", lambda: _things(run.to, run.plan().schema))

    async def _all(self, run: Run, queues: Iterable[list[Pack]], beside: Awaitable[None] | None = None) -> None:
        """Make what queues hold in as many sessions as there are workers; `beside` takes the place of one at first."""
        waiting = iter([q for q in queues if q])

        async def session(before: Awaitable[None] | None) -> None:
            builder = Builder(run, self._told)
            try:
                if before is not None:
                    await before
                for queue in waiting:
                    await run.insist(f'table "{queue[0][0].table}"', functools.partial(builder.make, queue))
            finally:
                await asyncio.to_thread(builder.hang_up)

        # All come to their end before an error is raised, so that nothing works on behind a stopped run.
        others = [session(None) for _ in range(run.steering.workers - 1)]
        ends = await asyncio.gather(session(beside), *others, return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    def _told(self, pack: Pack) -> None:
        if pack:
            self._meter.add(len(pack), self._total, f"{pack[-1].kind} {pack[-1].name}")

    def _finish(self, run: Run, plan: Plan) -> None:
        self._counters = 0
        there = _things(run.to, plan.schema)
        with run.to.connect() as connection:
            with fenced(connection, run):
                adopt.put_back(connection, plan.schema, bookkeeping.made(connection, run.request.run_id), there)
            for tables in packed(plan, plan.tables, lambda t: t.name):
                run.safe_point()
                with fenced(connection, run):
                    self._counters += load.set_counters(connection, plan.schema, tables)
                    names = sql.SQL(", ").join(sql.Identifier(plan.schema, t.name) for t in tables)
                    connection.execute(sql.SQL("ANALYZE {}").format(names))
                self._meter.add(2 * len(tables), self._total, f"statistics of {tables[-1].name}")
            history.enter(run, connection, plan)

    async def undo(self, run: Run) -> str:  # noqa: ARG002 - the signature is every step's
        """Leave it to prepare, which drops the tables with their indexes."""
        return "indexes go with their tables"


def _things(target: Target, schema: str) -> existing.Things:
    with target.connect() as connection:
        return existing.things(connection, schema)
