"""The verification of every value of every row against the copy of the same run.

Both are the times of the steps in a rehearsal from its beginning to its end, structure and counts included in the
verification.
"""

from zenni_tui.model.runbook import StepId

from .figures import Claim, Figures
from .ground import Ground, rehearsal, seconds

COPY, VERIFY, AUDIT = "copy step", "verify step", "audit step"


def measure(ground: Ground) -> list[Claim]:
    """Copy and verify several times; the last audit is shown beside."""
    source, figures = ground.bookings(ground.rows), Figures()
    for _ in range(ground.rounds):
        state = rehearsal(ground, source)
        for name, step in ((COPY, StepId.COPY), (VERIFY, StepId.VERIFY)):
            figures.add(name, seconds(state, step))
    figures.add(AUDIT, seconds(state, StepId.AUDIT))
    figures.show(COPY)
    return [Claim("verification to the copy, best rounds", figures.ratio(VERIFY, COPY), 1.0)]
