"""catch_up: what the application has written since the snapshot comes to the target as well."""

import asyncio
from contextlib import closing

import msgspec

from zenni_tui.errors import StepFailed
from zenni_tui.model import events as e
from zenni_tui.model.findings import Severity, blocking
from zenni_tui.model.runbook import Meanwhile, StepId
from zenni_tui.source import capture, database

from .arming import token
from .following import Following
from .forward import Model, kept_out
from .kept import Kept
from .run import Run, Step


class CatchUp(Step):
    """Begins at the log's position inside the snapshot; a run that waits for the switch follows on from here."""

    id = StepId.CATCH_UP
    each_time = True

    def asked(self, run: Run) -> bool:
        """Return whether the orders want writes to be followed."""
        return run.request.meanwhile is Meanwhile.FOLLOW

    async def check(self, run: Run) -> None:
        """See that the snapshot was taken with the log in it; raises StepFailed."""
        self._model, self._begin = await asyncio.to_thread(_begin, run)

    async def run(self, run: Run) -> str:
        """Apply the log until the target is less than a second behind, compare what was changed, and follow on."""
        run.following = following = Following(run, self._model, self._begin)
        await following.begin()
        applied = await following.catch_up(lambda done, total: _progress(run, done, total))
        summary = "what changed is compared at the switch, when nobody has to wait for it"
        if await asyncio.to_thread(lambda: following.may_compare):
            summary = await following.verify_changed()
            run.check(self.id, "changed rows", summary)
        self._mended(run)
        following.go_on()
        return f"{applied:,} changes applied; {summary}"

    def _mended(self, run: Run) -> None:
        """Tell of the values that held the following up, and were mended in the application without a choice."""
        mended = [
            msgspec.structs.replace(f, severity=Severity.INFO, advice="It was mended in the application.", repairs=())
            for f in blocking(run.state().findings)
        ]
        run.find(self.id, mended, {})


def _begin(run: Run) -> tuple[Model, int]:
    with closing(database.open_frozen(run.snapshot)) as snapshot:
        if capture.armed(snapshot) != token(run):
            raise StepFailed(
                "The snapshot was taken without the log of changes.",
                where=str(run.snapshot),
                why="Nobody can say which writes are in it and which came later.",
                next_step="Roll back (zenni-tui rollback) and begin again.",
            )
        schema, plan = run.schema(), run.plan_repaired()
        kept = Kept(run.folder, run.choices())
        return Model(schema, plan, kept_out(snapshot, schema, plan), kept), capture.position(snapshot)


def _progress(run: Run, done: int, total: int) -> None:
    run.tell(e.Progress(StepId.CATCH_UP, done, max(done, total), "changes"))
