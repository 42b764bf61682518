"""switch: the application goes over to PostgreSQL; until its new side is started, any failure takes all of it back."""

import asyncio
from collections.abc import Sequence

from zenni_tui.errors import ZenniError
from zenni_tui.model.application import Which
from zenni_tui.model.runbook import StepId
from zenni_tui.model.switching import Act, begun, downtime, is_live
from zenni_tui.target import freeze

from . import actions, preflight
from . import switch_actions as a
from .actions import Action
from .hold import hold
from .run import Run, Step
from .unwritten import Proof


class Switch(Step):
    """A runbook of its own, of actions that can be taken back."""

    id = StepId.SWITCH

    async def run(self, run: Run) -> str:
        """Do what isn't done yet; raises NotReady with nothing changed, StepFailed with all of it taken back."""
        proof = Proof()
        try:
            if not begun(run.state(), self.id):
                await preflight.look(run, proof)
            await self._go(run, book(proof))
        finally:
            await asyncio.to_thread(proof.close)
        whole = downtime(run.state())
        return (
            f"on the new side; nobody could write for {whole.seconds:.1f} s,"
            f" {whole.ours:.1f} s of it ours and {whole.theirs:.1f} s the application's"
        )

    async def _go(self, run: Run, book: Sequence[Action]) -> None:
        try:
            await actions.forward(run, self.id, book)
        except ZenniError:
            if not is_live(run.state()):
                run.say("The new side has not been started: everything is taken back at once.", "warning")
                await actions.back(run, self.id, book)
            raise

    async def undo(self, run: Run) -> str:
        """Take back a switch that stands half done; a rollback after it falls back instead."""
        await hold(run)
        await actions.back(run, self.id, book(Proof()))
        await actions.at_target(run, "the freeze", freeze.thaw)
        return "the old side serves"


def book(proof: Proof) -> tuple[Action, ...]:
    """Return the switch's actions, in order."""
    new = Which.NEW
    return (
        a.Command(Act.BUILD, "build the new side", new, "build", settings=True),
        a.Command(Act.ANNOUNCE, "announce the switch", new, "switch"),
        a.Freeze(proof),
        a.Drain(),
        a.Compare(proof),
        a.Counters(),
        a.Constraints(),
        a.Capture(),
        a.GoLive(),
        a.Environment(),
        a.Command(Act.DEPLOY, "start the new side: deploy", new, "switch"),
        a.Command(Act.RESTART, "start the new side: restart", new, "switch"),
        a.Healthy(new),
        a.Command(Act.SMOKE, "try the new side: smoke tests", new, "switch", settings=True),
        a.Command(Act.ANNOUNCED, "announce that the new side serves", new, "switched", must=False),
        a.Settle(),
    )
