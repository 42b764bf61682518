"""report: the evidence as it stands before a rehearsal is rolled back; the engine writes it again at the end."""

import asyncio
import json
import sqlite3

from zenni_tui.model.runbook import RunKind, StepId
from zenni_tui.report import evidence
from zenni_tui.sandbox import proof
from zenni_tui.source import database

from . import backup_proof, measures, queries
from .run import Run, Step


class Report(Step):
    """Keeps what a written rule leaves out, tries the application's queries, and writes report and result."""

    id = StepId.REPORT

    async def run(self, run: Run) -> str:
        """Write the evidence."""
        await asyncio.to_thread(_archive, run)
        plan = run.plan()
        if run.request.kind is RunKind.REHEARSE:
            await run.insist("the application's queries", lambda: queries.report(run, plan))
        await run.insist("the queries of the config", lambda: measures.report(run, plan))
        if run.request.prove_backup:
            await backup_proof.prove(run, self.id)
            proof.remove(run.folder / backup_proof.FILE)
        await asyncio.to_thread(evidence.write, run.folder, run.state())
        run.check(self.id, "evidence", str(run.folder))
        return f"evidence in {run.folder}"


def _archive(run: Run) -> None:
    snapshot = database.open_frozen(run.snapshot)
    try:
        for left_out in run.plan().not_migrated:
            try:
                run.write(f"not_migrated.{_file_name(left_out.name)}.jsonl", _rows(snapshot, left_out.name))
            # Python's driver decodes column names by itself, and raises its own error for those that aren't UTF-8.
            except (sqlite3.Error, UnicodeDecodeError) as error:
                run.check(StepId.REPORT, left_out.name, f"its rows can't be kept: {error}", ok=None)
    finally:
        snapshot.close()


def _rows(snapshot: sqlite3.Connection, table: str) -> bytes:
    cursor = snapshot.execute(f"SELECT * FROM {database.quoted(table)}")  # noqa: S608 - a quoted name
    names = [d[0] for d in cursor.description]
    lines = (json.dumps(dict(zip(names, row, strict=True)), default=repr, ensure_ascii=False) for row in cursor)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _file_name(table: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in table)[:80]
