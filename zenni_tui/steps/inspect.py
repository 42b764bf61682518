"""inspect: what the file declares, table by table."""

import asyncio
import sqlite3

import msgspec

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId
from zenni_tui.source import database, inspect

from .run import Run, Step


class Inspect(Step):
    """Reads the schema of the snapshot."""

    id = StepId.INSPECT

    async def run(self, run: Run) -> str:
        """Read every declaration and count the rows."""
        try:
            snapshot = await database.connect_frozen(run.snapshot)
            try:
                schema = await inspect.read_schema(snapshot)
            finally:
                await snapshot.close()
        except sqlite3.Error as error:
            raise database.unreadable(run.source, error) from error
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
