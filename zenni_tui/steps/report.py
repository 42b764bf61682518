"""report: the evidence as it stands before a rehearsal is rolled back; the engine writes it again at the end."""

import asyncio
import json

from zenni_tui.model.runbook import StepId
from zenni_tui.report import evidence
from zenni_tui.source import database

from .run import Run, Step


class Report(Step):
    """Keeps what a written rule leaves out, and writes report and result."""

    id = StepId.REPORT

    async def run(self, run: Run) -> str:
        """Write the evidence."""
        await asyncio.to_thread(_archive, run)
        await asyncio.to_thread(evidence.write, run.folder, run.state())
        run.check(self.id, "evidence", str(run.folder))
        return f"evidence in {run.folder}"


def _archive(run: Run) -> None:
    snapshot = database.open_frozen(run.snapshot)
    try:
        for left_out in run.plan().not_migrated:
            cursor = snapshot.execute(f"SELECT * FROM {database.quoted(left_out.name)}")  # noqa: S608 - a quoted name
            names = [d[0] for d in cursor.description]
            lines = [json.dumps(dict(zip(names, row, strict=True)), default=repr, ensure_ascii=False) for row in cursor]
            run.write(f"not_migrated.{_file_name(left_out.name)}.jsonl", "".join(f"{x}\n" for x in lines).encode())
    finally:
        snapshot.close()


def _file_name(table: str) -> str:
    return "".join(c if c.isalnum() or c in "_-" else "_" for c in table)[:80]
