"""How fast the workers go: signals that the engine sets and every worker heeds within a running chunk."""

import time
from multiprocessing.sharedctypes import RawArray
from typing import Any

GRACE = 0.5
"""Seconds that a chunk in hand still has to come to its end when a worker should let go."""
_HOLD, _ROWS, _BYTES, _CHUNK = range(4)
_NAP = 0.1


class Held(Exception):
    """The worker was told to let go; what it had in hand was taken back and will be done again."""


class Signals:
    """What the engine tells all workers at once: to let go, how fast each may be, how large a chunk; 0: no limit."""

    def __init__(self) -> None:
        self._shared: Any = RawArray("d", 4)

    def __getstate__(self) -> Any:
        return self._shared

    def __setstate__(self, shared: Any) -> None:
        self._shared = shared

    @property
    def hold(self) -> bool:
        """Return whether workers should let go."""
        return bool(self._shared[_HOLD])

    @hold.setter
    def hold(self, value: bool) -> None:
        self._shared[_HOLD] = float(value)

    @property
    def limits(self) -> tuple[float, float]:
        """Return rows and bytes a second for one worker."""
        return self._shared[_ROWS], self._shared[_BYTES]

    @limits.setter
    def limits(self, value: tuple[float, float]) -> None:
        self._shared[_ROWS], self._shared[_BYTES] = value

    @property
    def chunk(self) -> int:
        """Return the rows of one transaction at most."""
        return int(self._shared[_CHUNK])

    @chunk.setter
    def chunk(self, rows: int) -> None:
        self._shared[_CHUNK] = float(rows)


class Pace:
    """One worker's pace: two buckets that fill with time, and hold what a second lets through."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._owed = [0.0, 0.0]
        self._paid_at = time.monotonic()
        self.begin()

    def begin(self) -> None:
        """Begin a new job."""
        self._held_at = 0.0
        self.let_go = False
        """Whether this job was told to let go."""

    @property
    def chunk(self) -> int:
        """Return the rows of one transaction at most, 0 for no limit."""
        return self._signals.chunk

    @property
    def held(self) -> bool:
        """Return whether the worker should have let go by now."""
        if not self._signals.hold:
            self._held_at = 0.0
            return False
        self._held_at = self._held_at or time.monotonic()
        self.let_go = self.let_go or time.monotonic() - self._held_at > GRACE
        return self.let_go

    def spend(self, rows: int, size: int) -> None:
        """Note what was done and sleep until it was not too fast; raises Held."""
        self._owed[0] += rows
        self._owed[1] += size
        while True:
            if self.held:
                raise Held
            left = self._pay()
            if left <= 0:
                return
            time.sleep(min(left, _NAP))

    def _pay(self) -> float:
        """Take off what the time since the last look lets through; return the seconds that are still owed."""
        now = time.monotonic()
        passed, self._paid_at = now - self._paid_at, now
        limits = self._signals.limits
        for n, limit in enumerate(limits):
            self._owed[n] = max(self._owed[n] - passed * limit, -limit) if limit else 0.0
        return max((owed / limit for owed, limit in zip(self._owed, limits, strict=True) if limit), default=0.0)
