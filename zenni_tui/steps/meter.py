"""Tells how far a step is, at most four times a second."""

import time

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId

from .run import Run

_LONGEST_SILENCE = 0.25


class Meter:
    """Counts work in one unit and reckons the time that is left from the mean rate of this attempt."""

    def __init__(self, run: Run, step: StepId, unit: str = "rows") -> None:
        self._run, self._step, self._unit = run, step, unit
        self._done = self._before = 0
        self._started, self._told = time.monotonic(), 0.0

    def skip(self, count: int) -> None:
        """Count work that an earlier attempt did: it is done, but says nothing of the rate."""
        self._done += count
        self._before += count

    def add(self, count: int, total: int, note: str) -> None:
        """Count work done, and tell of it when it is time and at the end."""
        self._done += count
        now = time.monotonic()
        if now - self._told < _LONGEST_SILENCE and self._done < total:
            return
        self._told = now
        eta = (now - self._started) / max(self._done - self._before, 1) * (total - self._done)
        self._run.tell(e.Progress(self._step, self._done, total, self._unit, round(eta, 1), note))
