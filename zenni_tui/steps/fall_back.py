"""fall_back: the application goes back to the old file, which then has every write of the new side."""

import asyncio
from collections.abc import Sequence

from zenni_tui.errors import ZenniError
from zenni_tui.model.actions import find
from zenni_tui.model.application import Which
from zenni_tui.model.runbook import StepId
from zenni_tui.model.switching import Act, begun, downtime

from . import actions, preflight
from . import fall_back_actions as b
from . import switch_actions as a
from .actions import Action
from .run import Run, Step
from .way_back import WayBack


class FallBack(Step):
    """A runbook of its own; what can't be done now is tried again by the next rollback, which goes on from there."""

    id = StepId.FALL_BACK

    async def run(self, run: Run) -> str:
        """Do what isn't done yet; before the old side may write, a failure gives the new side back at once."""
        way = await asyncio.to_thread(WayBack, run)
        try:
            if not begun(run.state(), self.id):
                run.check(self.id, "decision", preflight.decision(run, self.id))
                # What can't be followed back comes to light, and what can is done, while the new side still serves.
                await run.insist("following back", way.once)
            await self._go(run, book(way))
        finally:
            await asyncio.to_thread(way.close)
        whole = downtime(run.state(), self.id)
        return (
            f"on the old side again, with every write of the new one; nobody could write for {whole.seconds:.1f} s,"
            f" {whole.ours:.1f} s of it ours and {whole.theirs:.1f} s the application's"
        )

    async def _go(self, run: Run, book: Sequence[Action]) -> None:
        try:
            await actions.forward(run, self.id, book)
        except ZenniError:
            if find(run.state().actions, self.id, Act.THAW) is None:
                run.say("The old side has not been opened: the new one goes on serving.", "warning")
                await actions.back(run, self.id, book)
            raise


def book(way: WayBack) -> tuple[Action, ...]:
    """Return the fall-back's actions, in order."""
    old = Which.OLD
    return (
        a.Command(Act.BUILD, "build the old side", old, "build", settings=True),
        a.Command(Act.ANNOUNCE, "announce the way back", old, "fall_back", must=False),
        b.FreezeTarget(),
        b.DrainBack(way),
        b.CompareBack(way),
        b.Thaw(),
        b.SettingsBack(),
        a.Command(Act.DEPLOY, "start the old side: deploy", old, "fall_back"),
        a.Command(Act.RESTART, "start the old side: restart", old, "fall_back"),
        a.Healthy(old),
        a.Command(Act.ANNOUNCED, "announce that the old side serves", old, "fallen_back", must=False),
        b.SettleBack(),
    )
