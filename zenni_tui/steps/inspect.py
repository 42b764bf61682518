"""inspect: what the file declares, table by table; where a name is not UTF-8, in a working copy of the snapshot."""

import asyncio
import sqlite3

import msgspec

from zenni_tui.errors import NotReady
from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import NOT_UTF8, SourceSchema
from zenni_tui.source import database, inspect, snapshot, working
from zenni_tui.source.tokens import Unparsable

from .run import Run, Step


class Inspect(Step):
    """Reads the schema of the snapshot."""

    id = StepId.INSPECT

    def stands(self, run: Run) -> bool:
        """Return whether the working copy is there, if one was needed; made anew it is the same."""
        names = (n for t in run.schema().tables for n in (t.stored, *(c.stored for c in t.columns)))
        return run.working.exists() or not any(names)

    async def run(self, run: Run) -> str:
        """Read every declaration and count the rows."""
        await asyncio.to_thread(run.working.unlink, missing_ok=True)
        try:
            schema = await inspect.read_file(run.backup)
        except sqlite3.Error as error:
            raise database.unreadable(run.source, error) from error
        if any((t.problem or "").endswith(NOT_UTF8) for t in schema.tables):
            schema = await _renamed(run, schema)
        await asyncio.to_thread(run.save, "schema.json", schema)
        facts = run.state().source or e.SourceFacts(str(run.source))
        run.tell(
            e.SourceSeen(
                msgspec.structs.replace(facts, tables=sum(t.kind == "table" for t in schema.tables), rows=schema.rows)
            )
        )
        indexes = sum(len(t.indexes) for t in schema.tables)
        keys = sum(len(t.foreign_keys) for t in schema.tables)
        plain = [t for t in schema.tables if t.kind == "table"]
        run.check(self.id, "tables", f"{len(plain)} tables, {schema.rows:,} rows, {schema.encoding}")
        run.check(self.id, "rules", f"{indexes} indexes, {keys} foreign keys")
        others = len(schema.others) + len(schema.tables) - len(plain)
        if others:
            run.check(self.id, "others", f"{others} views, triggers, virtual tables or parts of them", ok=None)
        return f"{len(plain)} tables, {schema.rows:,} rows"


async def _renamed(run: Run, schema: SourceSchema) -> SourceSchema:
    """Return what a working copy declares whose names are UTF-8, and the schema as it is where none can be made."""
    await asyncio.to_thread(snapshot.room_for, run.backup, run.folder)
    scratch = run.working.with_suffix(".new")
    try:
        stored = await asyncio.to_thread(working.make, run.backup, scratch)
        await snapshot.integrity(scratch)
        schema = working.marked(await inspect.read_file(scratch), stored)
    except (sqlite3.Error, Unparsable, NotReady) as error:
        await asyncio.to_thread(scratch.unlink, missing_ok=True)
        run.check(StepId.INSPECT, "names", f"names that are not UTF-8 can't be replaced: {error}", ok=None)
        return schema
    await asyncio.to_thread(scratch.replace, run.working)
    run.check(StepId.INSPECT, "names", f"{len(stored)} that are not UTF-8, replaced in {run.working.name}", ok=None)
    return schema
