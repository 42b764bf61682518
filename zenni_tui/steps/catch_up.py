"""catch_up: what the application has written since the snapshot comes to the target as well."""

from zenni_tui.model.runbook import StepId

from .run import Run, Step


class CatchUp(Step):
    """After verification: the target is the snapshot then, and nothing else."""

    id = StepId.CATCH_UP

    def asked(self, run: Run) -> bool:  # noqa: ARG002 - the signature is every step's
        """Return whether the orders want anything to be done about writes."""
        return False

    async def run(self, run: Run) -> str:  # noqa: ARG002 - the signature is every step's
        """Leave the target as it was verified."""
        return "writes after the snapshot stay behind"
