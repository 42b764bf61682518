"""fall_back: the application goes back to the old file, which has every write of the new side. Only forwards."""

import asyncio

from zenni_tui.model.application import Which
from zenni_tui.model.runbook import StepId
from zenni_tui.model.switching import Act, downtime

from . import actions
from . import fall_back_actions as b
from . import switch_actions as a
from .actions import Action
from .run import Run, Step
from .way_back import WayBack


class FallBack(Step):
    """A runbook of its own; what can't be done now is tried again by the next rollback, which goes on from there."""

    id = StepId.FALL_BACK

    async def run(self, run: Run) -> str:
        """Do what isn't done yet."""
        way = await asyncio.to_thread(WayBack, run)
        try:
            await actions.forward(run, self.id, book(way))
        finally:
            await asyncio.to_thread(way.close)
        whole = downtime(run.state(), self.id)
        return (
            f"on the old side again, with every write of the new one; nobody could write for {whole.seconds:.1f} s,"
            f" {whole.ours:.1f} s of it ours and {whole.theirs:.1f} s the application's"
        )


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
