"""How often a screen looks at a run: it must not take from the engine beside it what a small machine has."""

import time

_MOST = 0.05
"""Of one core."""
_SOONEST, _LATEST = 0.4, 1.0


class Share:
    """Stretches the time between two looks when looking and drawing cost much processor time."""

    def __init__(self) -> None:
        self._spent = time.process_time()

    def pause(self) -> float:
        """Return the seconds to the next look, by what this process has spent since the last one."""
        spent = time.process_time()
        cost, self._spent = spent - self._spent, spent
        return min(max(cost / _MOST, _SOONEST), _LATEST)
