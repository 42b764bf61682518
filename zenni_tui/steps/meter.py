"""Tells how far a step is, at most four times a second, and how long the rest will take."""

import time

from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId

from .run import Run

_LONGEST_SILENCE = 0.25
_STALE = 5.0
_WINDOW = 60.0


class Forecast:
    """Reckons the time that is left: by the mean rate of this attempt or that of the last minute, whichever is slower.

    Times are seconds on any clock. Work comes in pieces; a piece that takes more than a minute widens the window.
    """

    def __init__(self, now: float) -> None:
        self._started = now
        self._seen: list[tuple[float, int]] = [(now, 0)]

    def note(self, now: float, done: int) -> None:
        """Take in how much was done since the beginning."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] < now - _WINDOW and self._seen[1][1] < done:  # noqa: PLR2004 - two points make a rate
            self._seen.pop(0)

    def left(self, now: float, rest: int) -> float | None:
        """Return the seconds that the rest will take, None while nothing was done."""
        done = self._seen[-1][1]
        if not rest:
            return 0.0
        if not done:
            return None
        old = next((s for s in reversed(self._seen) if s[0] <= now - _WINDOW and s[1] < done), self._seen[0])
        recent = (now - old[0]) / (done - old[1]) if done > old[1] else 0.0
        return max((now - self._started) / done, recent) * rest


class Meter:
    """Counts work in one unit; the run's current meter is told of the time that passes without any."""

    def __init__(self, run: Run, step: StepId, unit: str = "rows") -> None:
        self._run, self._step, self._unit = run, step, unit
        self._done = self._before = self._total = 0
        self._note = ""
        self._told = 0.0
        self._forecast = Forecast(time.monotonic())
        run.meter = self

    def skip(self, count: int) -> None:
        """Count work that an earlier attempt did: it is done, but says nothing of the rate."""
        self._done += count
        self._before += count

    def add(self, count: int, total: int, note: str) -> None:
        """Count work done, and tell of it when it is time and at the end."""
        self._done += count
        self._total, self._note = total, note
        now = time.monotonic()
        self._forecast.note(now, self._done - self._before)
        if now - self._told >= _LONGEST_SILENCE or self._done >= total:
            self._tell(now)

    def tick(self) -> None:
        """Tell again when nothing was done for a while: what is left then takes longer than was said."""
        now = time.monotonic()
        if self._total and now - self._told > _STALE:
            self._tell(now)

    def _tell(self, now: float) -> None:
        self._told = now
        left = self._forecast.left(now, self._total - self._done)
        eta = None if left is None else round(left, 1)
        self._run.tell(e.Progress(self._step, self._done, self._total, self._unit, eta, self._note))
