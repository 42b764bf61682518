"""index: keys, indexes, foreign keys and counters, then ANALYZE; what exists already is left as it is."""

import asyncio
import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import psycopg
from psycopg import sql

from zenni_tui.errors import StepFailed
from zenni_tui.model.plan import Plan
from zenni_tui.model.runbook import StepId
from zenni_tui.model.trouble import Trouble
from zenni_tui.target import bookkeeping, ddl, load
from zenni_tui.target.connect import Target
from zenni_tui.target.sessions import Connection, Line, Watch
from zenni_tui.target.trouble import in_words, kind_of

from . import adopt
from .meter import Meter
from .run import Run, Step

T = TypeVar("T")

Pack = list[ddl.Statement]
"""Statements of one transaction and one round trip."""

_SMALL_ROWS = 20_000
"""Up to here a table's statements take less time than the round trips and commits that each would need."""

_AT_ONCE = 200
"""Statements of one transaction: each relation holds a lock to its end, and room for locks is bounded."""


class Index(Step):
    """Built after the rows, which is several times faster than with them; two tables at a time."""

    id = StepId.INDEX

    async def run(self, run: Run) -> str:
        """Make everything that isn't there yet."""
        plan = run.plan()
        there = await run.insist("the catalogue", lambda: _existing(run.to, plan.schema))
        own = (*ddl.primary_keys(plan), *ddl.indexes(plan), *ddl.checks(plan))
        keys, views = ddl.foreign_keys(plan), ddl.views(plan)
        self._meter = Meter(run, self.id, unit="objects")
        self._total = len(own) + len(keys) + len(views) + 2 * len(plan.tables)
        self._meter.skip(sum(s.name in there for s in (*own, *keys, *views)))
        await self._all(run, _by_table(plan, [s for s in own if s.name not in there]))
        await self._all(run, [[*_packed(plan, [s for s in keys if s.name not in there], lambda s: s.table)]])
        await self._all(run, [[[s] for s in views if s.name not in there]])
        await run.insist("counters and statistics", lambda: self._finish(run, plan))
        checks = sum(len(t.checks) for t in plan.tables)
        return (
            f"{len(plan.indexes)} indexes, {len(keys)} foreign keys, {checks} checks, {len(views)} views,"
            f" {self._counters} counters set"
        )

    async def _all(self, run: Run, queues: Iterable[list[Pack]]) -> None:
        waiting = iter([q for q in queues if q])

        async def work() -> None:
            builder = _Builder(run, self._told)
            try:
                for queue in waiting:
                    await run.insist(f'table "{queue[0][0].table}"', functools.partial(builder.make, queue))
            finally:
                await asyncio.to_thread(builder.line.close)

        # All come to their end before an error is raised, so that nothing works on behind a stopped run.
        ends = await asyncio.gather(*(work() for _ in range(run.steering.workers)), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    def _told(self, pack: Pack) -> None:
        self._meter.add(len(pack), self._total, f"{pack[-1].kind} {pack[-1].name}")

    def _finish(self, run: Run, plan: Plan) -> None:
        self._counters = 0
        there = _existing(run.to, plan.schema)
        with run.to.connect() as connection:
            with _fenced(connection, run):
                adopt.put_back(connection, plan.schema, bookkeeping.made(connection, run.request.run_id), there)
            for tables in _packed(plan, plan.tables, lambda t: t.name):
                run.safe_point()
                with _fenced(connection, run):
                    self._counters += load.set_counters(connection, plan.schema, tables)
                    names = sql.SQL(", ").join(sql.Identifier(plan.schema, t.name) for t in tables)
                    connection.execute(sql.SQL("ANALYZE {}").format(names))
                self._meter.add(2 * len(tables), self._total, f"statistics of {tables[-1].name}")

    async def undo(self, run: Run) -> str:  # noqa: ARG002 - the signature is every step's
        """Leave it to prepare, which drops the tables with their indexes."""
        return "indexes go with their tables"


class _Builder:
    """Makes queues of statements in one session, pack by pack; a call that failed can be repeated with what is left."""

    def __init__(self, run: Run, told: Callable[[Pack], None]) -> None:
        self._run, self._told = run, told
        self.line = Line(run.to)
        self._watch = Watch()
        self._doubt = False

    def make(self, queue: list[Pack]) -> None:
        """Make what a queue holds, and take it off as it is made."""
        if self._doubt:
            # The server may have done what it could no longer tell us; opening the line ended its session.
            _ = self.line.connection
            there = _existing(self._run.to, self._run.plan().schema)
            queue[0] = [s for s in queue[0] if s.name not in there]
        while queue:
            self._run.safe_point()
            self._doubt = True
            if queue[0]:
                with self._watch.over(self.line) as connection:
                    self._make_pack(connection, queue[0])
            self._doubt = False
            queue.pop(0)

    def _make_pack(self, connection: Connection, pack: Pack) -> None:
        try:
            with _fenced(connection, self._run):
                connection.execute(ddl.together(pack))
                made = [(s.kind, s.name) for s in pack if s.kind == "view"]
                bookkeeping.note_made(connection, self._run.request.run_id, made)
        except psycopg.Error as error:
            if kind_of(error) is not Trouble.REFUSED:
                raise
            if len(pack) == 1:
                raise _refused(pack[0], error) from error
            for statement in pack:
                self._make_pack(connection, [statement])
            return
        self._told(pack)


@contextlib.contextmanager
def _fenced(connection: Connection, run: Run) -> Iterator[None]:
    with connection.transaction():
        bookkeeping.fenced(connection, run.fence)
        yield


def _by_table(plan: Plan, statements: Iterable[ddl.Statement]) -> list[list[Pack]]:
    """Return what one worker makes at a time, largest first: one large table's, or many small ones'."""
    queues: dict[str, list[Pack]] = {}
    for pack in _packed(plan, statements, lambda s: s.table):
        queues.setdefault(pack[0].table, []).append(pack)
    return [queues[name] for name in sorted(queues, key=lambda n: -plan.table(n).rows)]


def _packed(plan: Plan, things: Iterable[T], table: Callable[[T], str]) -> Iterable[list[T]]:
    """Yield a large table's things one by one, and those of small tables many at a time."""
    small: list[T] = []
    for thing in things:
        if plan.table(table(thing)).rows > _SMALL_ROWS:
            yield [thing]
        else:
            small.append(thing)
    for start in range(0, len(small), _AT_ONCE):
        yield small[start : start + _AT_ONCE]


def _refused(statement: ddl.Statement, error: psycopg.Error) -> StepFailed:
    return StepFailed(
        f"The server refused the {statement.kind} {statement.name}.",
        where=f'table "{statement.table}"',
        why=in_words(error),
        next_step="Look at the rows it names; then resume, or roll back.",
    )


def _existing(target: Target, schema: str) -> set[str]:
    with target.connect() as connection:
        rows = connection.execute(
            "SELECT conname FROM pg_constraint WHERE connamespace = to_regnamespace(quote_ident(%(schema)s))"
            " UNION SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid"
            " WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND i.indisvalid"
            " UNION SELECT viewname FROM pg_views WHERE schemaname = %(schema)s",
            {"schema": schema},
        )
        return {name for (name,) in rows}
