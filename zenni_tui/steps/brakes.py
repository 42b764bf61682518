"""What keeps a run from working with all the workers it was given, by cause, until the cause is gone."""

import time
from collections.abc import Callable
from enum import StrEnum

from zenni_tui.model import events as e

_QUIET = 60.0
_LONGEST_QUIET = 960.0


class Cause(StrEnum):
    """Why fewer work."""

    ROOM = "the ladder counted the sessions that there are"
    CROWD = "the server had no connection or memory for one more"
    LAG = "a standby lags behind"
    DISK = "the database nears its bound"
    SPACE = "the disk has little left"


class Brakes:
    """Each cause lets only so many work, the strictest holds, and one always works; each change is told.

    `wished` returns how many would work without any. After a server had no room for all, one more is tried when it has
    been quiet for a minute, and for twice as long after each time that it had none again.
    """

    def __init__(self, tell: Callable[[e.AnyEvent], object], wished: Callable[[], int]) -> None:
        self._tell, self._wished = tell, wished
        self._most: dict[Cause, int] = {}
        self._quiet, self._crowded_at = _QUIET / 2, 0.0

    @property
    def workers(self) -> int:
        """Return how many may work now."""
        return max(1, min([self._wished(), *self._most.values()]))

    def hold(self, cause: Cause, most: int, why: str) -> None:
        """Let no more than so many work for a cause; told when it is news."""
        if self._most.get(cause) != most:
            self._most[cause] = most
            self._say(why)

    def free(self, cause: Cause, why: str) -> None:
        """Take a cause as gone; told when it was there."""
        if self._most.pop(cause, None) is not None:
            self._say(why)

    def crowded(self, now: float | None = None) -> None:
        """Let one less work: the server has no room for all."""
        self._quiet = min(self._quiet * 2, _LONGEST_QUIET)
        self._crowded_at = time.monotonic() if now is None else now
        if self.workers > 1:
            self.hold(Cause.CROWD, self.workers - 1, "The target has no room for all.")

    def tick(self, now: float | None = None) -> None:
        """Take in that time passes: after a quiet while one more may try."""
        now = time.monotonic() if now is None else now
        if Cause.CROWD not in self._most or now - self._crowded_at < self._quiet:
            return
        self._crowded_at = now
        why = f"The target has had room for {self._quiet:.0f} s, so one more tries."
        if self._most[Cause.CROWD] + 1 < self._wished():
            self.hold(Cause.CROWD, self._most[Cause.CROWD] + 1, why)
        else:
            self.free(Cause.CROWD, why)

    def release(self) -> None:
        """Forget all causes: an operator has said how many are to work."""
        self._quiet = _QUIET / 2
        if self._most:
            self._most.clear()
            self._say("An operator wants it so.")

    def _say(self, why: str) -> None:
        self._tell(e.Eased(self.workers, self._wished(), why))
