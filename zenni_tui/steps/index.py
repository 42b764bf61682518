"""index: keys, indexes, foreign keys and counters, then ANALYZE; what exists already is left as it is."""

import asyncio
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Plan
from zenni_tui.model.runbook import StepId
from zenni_tui.target import bookkeeping, ddl, load

from . import adopt
from .meter import Meter
from .run import Run, Step

Connection = psycopg.Connection[tuple[Any, ...]]


class Index(Step):
    """Built after the rows, which is several times faster than with them; two tables at a time."""

    id = StepId.INDEX

    async def run(self, run: Run) -> str:
        """Make everything that isn't there yet."""
        plan = run.plan()
        there = await asyncio.to_thread(_existing, run, plan)
        by_table: dict[str, list[ddl.Statement]] = {}
        for statement in (*ddl.primary_keys(plan), *ddl.indexes(plan), *ddl.checks(plan)):
            by_table.setdefault(statement.table, []).append(statement)
        keys, views = ddl.foreign_keys(plan), ddl.views(plan)
        self._meter = Meter(run, self.id, unit="objects")
        self._total = sum(map(len, by_table.values())) + len(keys) + len(views) + 2 * len(plan.tables)
        sizes = {t.name: t.rows for t in plan.tables}
        queues = [by_table[name] for name in sorted(by_table, key=lambda n: -sizes[n])]
        await self._all(run, [[s for s in q if s.name not in there] for q in queues])
        self._meter.skip(sum(s.name in there for q in queues for s in q))
        await self._all(run, [[s for s in keys if s.name not in there]])
        await self._all(run, [[s for s in views if s.name not in there]])
        await asyncio.to_thread(self._finish, run, plan)
        checks = sum(len(t.checks) for t in plan.tables)
        return (
            f"{len(plan.indexes)} indexes, {len(keys)} foreign keys, {checks} checks, {len(views)} views,"
            f" {self._counters} counters set"
        )

    async def _all(self, run: Run, queues: Iterable[list[ddl.Statement]]) -> None:
        waiting = iter(queues)

        async def work() -> None:
            for queue in waiting:
                await asyncio.to_thread(self._make, run, queue)
                run.stop_here()

        # Both come to their end before an error is raised, so that nothing works on behind a stopped run.
        ends = await asyncio.gather(*(work() for _ in range(run.request.workers)), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    def _make(self, run: Run, queue: list[ddl.Statement]) -> None:
        if not queue:
            return
        with run.to.connect() as connection:
            for statement in queue:
                run.stop_here()
                try:
                    with connection.transaction():
                        bookkeeping.fenced(connection, run.fence)
                        connection.execute(statement.sql.encode())
                        if statement.kind == "view":
                            bookkeeping.note_made(connection, run.request.run_id, [("view", statement.name)])
                except psycopg.Error as error:
                    raise _refused(statement, error) from error
                self._meter.add(1, self._total, f"{statement.kind} {statement.name}")

    def _finish(self, run: Run, plan: Plan) -> None:
        self._counters = 0
        there = _existing(run, plan)
        with run.to.connect() as connection:
            adopt.put_back(connection, plan.schema, bookkeeping.made(connection, run.request.run_id), there)
            for table in plan.tables:
                run.stop_here()
                self._counters += load.set_counters(connection, plan.schema, table)
                connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(plan.schema, table.name)))
                self._meter.add(2, self._total, f"statistics of {table.name}")

    async def undo(self, run: Run) -> str:  # noqa: ARG002 - the signature is every step's
        """Leave it to prepare, which drops the tables with their indexes."""
        return "indexes go with their tables"


def _refused(statement: ddl.Statement, error: psycopg.Error) -> StepFailed:
    return StepFailed(
        f"The server refused the {statement.kind} {statement.name}.",
        where=f'table "{statement.table}"',
        why=f"SQLSTATE {error.sqlstate}: {' '.join(str(error).split())}",
        next_step="Look at the rows it names; then resume, or roll back.",
    )


def _existing(run: Run, plan: Plan) -> set[str]:
    with run.to.connect() as connection:
        rows = connection.execute(
            "SELECT conname FROM pg_constraint WHERE connamespace = to_regnamespace(quote_ident(%(schema)s))"
            " UNION SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid"
            " WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND i.indisvalid"
            " UNION SELECT viewname FROM pg_views WHERE schemaname = %(schema)s",
            {"schema": plan.schema},
        )
        return {name for (name,) in rows}
