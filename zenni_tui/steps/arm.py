"""arm: what the application writes from now on is logged in its own file, or refused."""

import asyncio
import secrets
from contextlib import closing

from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model.runbook import Meanwhile, StepId
from zenni_tui.model.schema import NOT_UTF8, SourceSchema, SourceTable
from zenni_tui.source import capture, freeze, live, neighbours, standins, watching

from .arming import declared, keep, token
from .run import Run, Step
from .unwritten import REFUSED

ANYWAY = "ARMED"
"""What the operator types to take the place of a run that is lost."""


class Arm(Step):
    """The only step before the switch that touches the application's file."""

    id = StepId.ARM

    def asked(self, run: Run) -> bool:
        """Return whether the orders want anything to be done about writes."""
        return run.request.meanwhile is not Meanwhile.NOTHING

    async def check(self, run: Run) -> None:
        """See that nobody else follows the source and every table can be watched; raises NotReady otherwise."""
        await asyncio.to_thread(_not_another, run)
        if run.request.meanwhile is Meanwhile.FOLLOW:
            self._schema = await declared(run)
            _watchable(run, self._schema)

    async def run(self, run: Run) -> str:
        """Log or refuse, in one short write to the file; a freeze is proven by attempts."""
        if run.request.meanwhile is Meanwhile.REFUSE:
            return await asyncio.to_thread(_refuse, run)
        return await asyncio.to_thread(_follow, run, self._schema)

    async def undo(self, run: Run) -> str:
        """Take everything of ours out of the file again."""
        return await asyncio.to_thread(_clear, run)


def _not_another(run: Run) -> None:
    with closing(live.open_live(run.source)) as connection:
        other = capture.armed(connection)
    if other is not None and other != token(run) and ANYWAY not in run.request.confirmed:
        raise NotReady(
            "Another run follows this source.",
            where=str(run.source),
            why="Its log and triggers are there; without them that run would miss writes, and have to begin again.",
            next_step="Roll that run back (zenni-tui runs lists them), or take its place, if it is lost for good:"
            f" --confirm {ANYWAY}.",
        )


def _watchable(run: Run, schema: SourceSchema) -> None:
    for table in schema.tables:
        why = _obstacle(table) if table.kind == "table" else ""
        if why:
            raise NotReady(
                "The application's writes can't be followed.",
                where=f'table "{table.name}" of {run.source}',
                why=why,
                next_step="Refuse writes meanwhile (--meanwhile refuse), or migrate while nobody writes"
                " (--meanwhile nothing).",
            )


def _obstacle(table: SourceTable) -> str:
    if (table.problem or "").endswith(NOT_UTF8):
        return f"{table.problem}, so that no trigger can name it."
    collations = {c.collation for c in table.columns} | {c.upper() for i in table.indexes for c in i.collations}
    unknown = sorted(collations - standins.BUILT_IN)
    if unknown:
        return f"It sorts by {', '.join(unknown)}, which only the application has; no row could be found by its key."
    return ""


def _follow(run: Run, schema: SourceSchema) -> str:
    tables = [t for t in schema.tables if t.kind == "table" and t.problem is None]
    keys = {t.name: watching.identifying(t) for t in tables}
    # Kept before it is used: an engine that dies in between knows the arming for its own.
    keep(run, secrets.token_hex(8))
    with closing(live.open_live(run.source)) as connection:
        capture.arm(connection, schema, keys, token(run))
    unkeyed = [name for name, key in keys.items() if not key]
    if unkeyed:
        found = f"rows can't be told apart, so that each change copies them whole again: {', '.join(unkeyed)}"
        run.check(StepId.ARM, "tables without a key", found, ok=None)
    return f"{len(keys)} tables are watched by triggers in the source; rollback takes them out"


def _refuse(run: Run) -> str:
    with closing(live.open_live(run.source)) as connection:
        freeze.freeze(connection)
        open_still = freeze.unfrozen(connection)
        # Who takes the triggers out, for however short a time, raises it.
        run.write(REFUSED, str(capture.schema_version(connection)).encode())
    opened = neighbours.having_open(run.source)
    if opened:
        names = ", ".join(f"{name} ({pid})" for pid, name in sorted(opened.items()))
        run.check(StepId.ARM, "neighbours", f"open in {names}: their writes are refused from now on", ok=None)
    if open_still:
        raise StepFailed(
            "The source still takes writes.",
            where=f"{run.source}: {', '.join(open_still)}",
            why="A row attempted in each table, and taken back, was not refused.",
            next_step="Stop the application for the time of the migration, and use --meanwhile nothing.",
        )
    run.check(StepId.ARM, "freeze", "a write attempted in every table was refused", tried="one row each, taken back")
    return f"every write is refused with: {freeze.MESSAGE}"


def _clear(run: Run) -> str:
    with closing(live.open_live(run.source)) as connection:
        if capture.armed(connection) not in (None, token(run)):
            return "another run has armed the source since then; that is left to it"
        gone = live.clear(connection)
    return f"{gone} objects of ours dropped from the source; it takes writes as before" if gone else "nothing was there"
