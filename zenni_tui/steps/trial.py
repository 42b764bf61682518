"""A rehearsal's own trial of the new side: built, and the application's tests run against what was migrated."""

from zenni_tui.model.application import Which
from zenni_tui.model.runbook import StepId
from zenni_tui.model.switching import Act

from . import actions
from .run import Run, Step
from .switch_actions import Command

_NEW = Which.NEW
_TRIAL = (
    Command(Act.BUILD, "build the new side", _NEW, "rehearsal", settings=True),
    Command(Act.TESTS, "run the application's tests on the new side", _NEW, "rehearsal", settings=True),
)


class Trial(Step):
    """What a rehearsal can show of a switch; nothing is deployed, and the old side serves on."""

    id = StepId.SWITCH

    async def run(self, run: Run) -> str:
        """Do both; raises StepFailed."""
        await actions.forward(run, self.id, _TRIAL)
        found = [n for n in ("build", "application_tests") if run.request.application.command(n, _NEW)]
        return f"the new side was tried: {', '.join(found) or 'no command for it is configured'}"
