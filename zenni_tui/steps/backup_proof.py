"""The proof that the new database can be backed up: a dump of it, restored elsewhere and compared wholly."""

import asyncio

from zenni_tui.model.runbook import StepId
from zenni_tui.sandbox import proof

from .run import Run

FILE = "target.dump"
CHECK = "restore proof"


async def prove(run: Run, step: StepId) -> proof.Proved:
    """Dump the run's target into the run directory and prove the dump; told as the check `restore proof` of a step.

    Raises NotReady when this machine has no pg_dump that fits the server, or can't restore; StepFailed when the dump
    fails or is not the database.
    """
    file = run.folder / FILE
    taken = await asyncio.to_thread(proof.take, run.to, run.request.schema, file)
    proved = await asyncio.to_thread(proof.prove, file, taken)
    run.check(step, CHECK, proved.words)
    return proved
