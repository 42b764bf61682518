"""The verification of every value of every row against the copy of the same run.

Both are the times of the steps, structure and counts included in the verification.
"""

from zenni_tui.model.runbook import StepId

from .figures import Claim, Figures
from .ground import Ground, Prepared, seconds

COPY, VERIFY, AUDIT = "copy step", "verify step", "audit step"


def measure(ground: Ground) -> list[Claim]:
    """Copy and verify several times; the audit, which a run does once, is shown beside."""
    prepared = Prepared(ground, ground.bookings(ground.rows))
    figures = Figures()
    for _ in range(ground.rounds):
        with ground.database() as database:
            state = prepared.trial(database).end()
        for name, step in ((COPY, StepId.COPY), (VERIFY, StepId.VERIFY)):
            figures.add(name, seconds(state, step))
    figures.add(AUDIT, seconds(state, StepId.AUDIT))
    figures.show(COPY)
    prepared.remove()
    return [Claim("verification to the copy, best rounds", figures.ratio(VERIFY, COPY), 1.0)]
