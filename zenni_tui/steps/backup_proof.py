"""The proof that the new database can be backed up: a dump of it, restored elsewhere and compared wholly."""

import asyncio

from zenni_tui.errors import ZenniError, unusable
from zenni_tui.model.runbook import StepId
from zenni_tui.model.switching import UNPROVEN
from zenni_tui.sandbox import proof

from .run import Run

FILE = "target.dump"
CHECK = "restore proof"
_PAUSE = 0.1


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


class Gate:
    """Lets a rollback window end only with a proven backup; while that is made, the window goes on as before."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._proof: asyncio.Task[proof.Proved] | None = None

    async def opens(self) -> bool:
        """Return whether the window may end now: somebody wants it, and the backup is proven or waived."""
        if not self._run.finishing.is_set():
            return False
        if self._waived():
            return True
        if self._proof is None:
            self._run.say("Proving a backup of the new database before the window ends.")
            self._proof = asyncio.create_task(prove(self._run, StepId.WATCH))
        done, _ = await asyncio.wait([self._proof], timeout=_PAUSE)
        return bool(done) and self._proven(done.pop())

    def _waived(self) -> bool:
        decided = [d.what for d in self._run.state().decisions if d.what.step is StepId.WATCH]
        return not self._run.request.upkeep.backup.before_final or UNPROVEN in (
            decided[-1].overrides if decided else ()
        )

    def _proven(self, task: "asyncio.Task[proof.Proved]") -> bool:
        self._proof = None
        try:
            task.result()
        except (ZenniError, OSError) as error:
            problem = error.problem if isinstance(error, ZenniError) else unusable(error).problem
            found = " ".join(filter(None, (problem.what, problem.where, problem.why)))
            advice = f"{problem.next_step} Then finish again; or without it, with the word FINISH+{UNPROVEN}."
            self._run.check(StepId.WATCH, CHECK, found, ok=False, advice=advice)
            self._run.say(f"The window stays open: {found} {advice}", "error")
            self._run.finishing.clear()
            return False
        return True

    def close(self) -> None:
        """Wait for a proof no longer."""
        if self._proof is not None:
            self._proof.cancel()
