"""prepare: the first write. Takes the lease, makes schema, types and bare tables; its undo removes all the run made."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from typing import TypeVar

from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model.plan import Plan
from zenni_tui.model.runbook import StepId
from zenni_tui.target import access, bookkeeping, catalogue, ddl, sessions
from zenni_tui.users import user

from . import adopt, lease, papers
from .patience import insist
from .pool import Pool
from .run import Run, Step

T = TypeVar("T")

_AT_ONCE = 200


class Prepare(Step):
    """Makes empty tables, in one transaction with the note of what was made."""

    id = StepId.PREPARE
    each_time = True

    async def run(self, run: Run) -> str:
        """Enter the run in the target, keep its lease alive, and create what the plan says."""
        # In a run that goes on the workers' start takes the core that this step leaves idle.
        Pool.of(run).warm(run.snapshot.stat().st_size)
        summary = await run.insist("the first write", lambda: self._make(run, run.plan()))
        run.cleanup.append(asyncio.create_task(lease.keep(run)).cancel)
        return summary

    def _make(self, run: Run, plan: Plan) -> str:
        with run.to.connect() as connection:
            there = any(
                r for r in connection.execute("SELECT to_regnamespace(quote_ident(%s))", (plan.schema,)) if r[0]
            )
            run.fence = enter(run, connection, plan)
            run.check(self.id, "lease", f"taken, fencing number {run.fence}")
            made = set(bookkeeping.made(connection, run.request.run_id))
            statements = [
                s
                for s in ddl.create_tables(plan, schema_there=there and ("schema", plan.schema) not in made)
                if (s.kind, s.name) not in made
            ]
            if plan.adopted and not any(kind == "adopted" for kind, _ in made):
                with connection.transaction():
                    bookkeeping.fenced(connection, run.fence)
                    adopt.take(connection, run.request.run_id, plan)
            for some in batched(statements):
                with connection.transaction():
                    bookkeeping.fenced(connection, run.fence)
                    connection.execute(ddl.together(some))
                    bookkeeping.note_made(connection, run.request.run_id, ((s.kind, s.name) for s in some))
            self._grant(run, connection, plan)
        self._same_types(run, plan)
        return f"{len(plan.tables)} tables and {len(plan.enums)} types made"

    def _grant(self, run: Run, connection: bookkeeping.Connection, plan: Plan) -> None:
        with connection.transaction():
            bookkeeping.fenced(connection, run.fence)
            for kind, name, text in access.of_schema(connection, plan):
                connection.execute(text.encode())
                bookkeeping.note_made(connection, run.request.run_id, [(kind, name)])

    def _same_types(self, run: Run, plan: Plan) -> None:
        real = catalogue.column_types(run.to.engine(), plan.schema)
        for table in plan.tables:
            for column in table.columns:
                found = real.get((table.name, column.name))
                if found != str(column.type):
                    raise StepFailed(
                        "A column did not become what the plan says.",
                        where=f'"{table.name}"."{column.name}"',
                        why=f"{column.type} was planned, the catalogue says {found}.",
                        next_step="Roll back: zenni-tui rollback.",
                    )
        run.check(self.id, "catalogue", f"the types of {len(real)} columns are the plan's")

    async def undo(self, run: Run) -> str:
        """Drop what this run made and prove by the fingerprint that the target is as it was."""
        return await insist(run.patience, "the way back", lambda: self._drop(run))

    def _drop(self, run: Run) -> str:
        with run.to.connect() as connection:
            run_id = run.request.run_id
            if not bookkeeping.exists(connection) or (row := bookkeeping.find(connection, run_id)) is None:
                return "the run had written nothing"
            bookkeeping.not_live(connection)
            _claim(run, connection)
            everything = bookkeeping.made(connection, run_id)
            with connection.transaction():
                bookkeeping.fenced(connection, run.fence)
                adopt.give_back(connection, row.schema_name, everything)
            made = _parents_last(everything)
            for some in batched(made):
                with connection.transaction():
                    bookkeeping.fenced(connection, run.fence)
                    connection.execute("SET LOCAL lock_timeout = '20s'")
                    drops = (ddl.drop(kind, name, row.schema_name) for kind, name in some)
                    connection.execute(";\n".join(drops).encode())
                    bookkeeping.forget_made(connection, run_id, some)
            with connection.transaction():
                bookkeeping.fenced(connection, run.fence)
                bookkeeping.leave(connection, run_id)
            now = catalogue.fingerprint(connection)
        if now.sha256 != row.fingerprint:
            raise StepFailed(
                "Everything this run made is gone, but the target is not as it was before the run.",
                where=run.to.label(),
                why="The fingerprint of its catalogue differs: somebody else changed something meanwhile.",
                next_step="Compare the database's objects with what you expect; the run has nothing left there.",
            )
        return f"{len(made)} objects dropped; target as it was: fingerprint of {now.objects} objects is equal"


def live(run: Run) -> NotReady | None:
    """Return why nothing may be taken back, because the application works on the target; None when it doesn't.

    Raises NotReady for a target that can't be reached.
    """
    with run.to.connect() as connection:
        try:
            bookkeeping.not_live(connection)
        except NotReady as error:
            return error
    return None


def _claim(run: Run, connection: bookkeeping.Connection) -> None:
    """Hold the lease for an undo: the one this engine has, if it has it still, or else one taken now."""
    if run.fence:
        with connection.transaction():
            bookkeeping.fenced(connection, run.fence)
    sessions.end_all(connection, run.to.name)
    run.fence = run.fence or bookkeeping.take(connection, run.request.run_id, owner())


def batched(things: Sequence[T]) -> Iterable[Sequence[T]]:
    """Yield things in batches: each relation holds a lock to its transaction's end, and room for locks is bounded."""
    for start in range(0, len(things), _AT_ONCE):
        yield things[start : start + _AT_ONCE]


def _parents_last(made: list[tuple[str, str]]) -> list[tuple[str, str]]:
    order = {"defaults": -1, "usage": -1, "view": 0, "table": 1, "type": 2, "schema": 3}
    return sorted((m for m in made if m[0] in order), key=lambda thing: order[thing[0]])


def enter(run: Run, connection: bookkeeping.Connection, plan: Plan) -> int:
    """Enter the run in the target, or come back to it, and take the lease; returns the fencing number."""
    source = run.state().source
    row = bookkeeping.RunRow(
        run.request.run_id,
        str(run.request.kind),
        plan.schema,
        source.sha256 if source else "",
        plan.hash,
        catalogue.fingerprint(connection).sha256,
    )
    # They may hold locks for 45 s.
    sessions.end_all(connection, run.to.name)
    return bookkeeping.begin(connection, row, owner(), papers.packed(run.folder))


def owner() -> str:
    """Return who holds a lease that this engine takes, for others to read."""
    return f"{user()}@{socket.gethostname()}"
