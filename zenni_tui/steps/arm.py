"""arm: what the application writes from now on is logged in its own file, or refused."""

from zenni_tui.model.runbook import StepId

from .run import Run, Step


class Arm(Step):
    """The only step before the switch that touches the application's file."""

    id = StepId.ARM

    def asked(self, run: Run) -> bool:  # noqa: ARG002 - the signature is every step's
        """Return whether the orders want anything to be done about writes."""
        return False

    async def run(self, run: Run) -> str:  # noqa: ARG002 - the signature is every step's
        """Leave the source as it is."""
        return "writes after the snapshot stay behind"
