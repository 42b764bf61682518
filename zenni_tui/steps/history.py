"""The application's baseline, entered in Prisma's history of the target as applied: nothing is left to deploy."""

from zenni_tui.application import prisma_baseline
from zenni_tui.model.plan import Plan
from zenni_tui.model.runbook import StepId
from zenni_tui.target import bookkeeping, history
from zenni_tui.target.bookkeeping import Connection

from .building import fenced
from .run import Run

_FILE = "baseline.sql"
_CHECK = "baseline"


def enter(run: Run, connection: Connection, plan: Plan) -> None:
    """Enter the baseline that the orders ask for; a history that is there, ours or the application's own, is kept."""
    name = run.request.baseline
    if not name:
        return
    text = prisma_baseline.script(plan)
    checksum = prisma_baseline.checksum(text)
    there = history.applied(connection, plan.schema)
    run.write(_FILE, text.encode())
    if there is None:
        with fenced(connection, run):
            history.begin(connection, plan, name, checksum)
            bookkeeping.note_made(connection, run.request.run_id, [("table", history.TABLE)])
    if there is None or there.get(name) == checksum:
        run.check(StepId.INDEX, _CHECK, f"{name}, SHA-256 {checksum}, is in {history.TABLE} as applied")
        return
    found = f"the target has a history of {len(there)} migrations, which is left as it is"
    advice = (
        f"Compare the project's baseline with {run.folder / _FILE}; npx prisma migrate status tells what is missing."
    )
    run.check(StepId.INDEX, _CHECK, found, ok=None, advice=advice)
