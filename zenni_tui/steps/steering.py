"""What the operator sets while a run works: pause, workers, and limits of speed."""

import asyncio
import threading
import time
from collections.abc import Callable

import msgspec

from zenni_tui.errors import Interrupted
from zenni_tui.model import events as e
from zenni_tui.model.request import Command
from zenni_tui.model.trouble import Trouble

from .brakes import Brakes
from .chunks import Chunks
from .pace import Signals

MOST_WORKERS = 16


def awake() -> float:
    """Return seconds on a clock that goes on while the machine or this process sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Steering:
    """The run's settings of the moment; each change is told, and reaches the workers within a running chunk."""

    def __init__(self, tell: Callable[[e.AnyEvent], object], settings: e.Throttled) -> None:
        self._tell = tell
        self.settings = settings
        self.signals = Signals()
        self.paused = False
        self.leased_until = float("inf")
        """On the clock of `awake`: from then on nothing new may be written until the lease is renewed."""
        self.brakes = Brakes(self._told, lambda: self.settings.workers)
        self.chunks = Chunks(lambda text: tell(e.Said("info", text)), self._share)
        self.chunks.wish(settings.chunk_rows)
        self._free = threading.Event()
        self._free.set()
        self._share()

    @property
    def workers(self) -> int:
        """Return how many workers may work now: those wished for, as far as the brakes let them."""
        return self.brakes.workers

    @property
    def closed(self) -> bool:
        """Return whether nothing new may begin."""
        return self.paused or awake() > self.leased_until

    def pause(self, by: str) -> None:
        """Let workers let go and begin nothing new."""
        self.paused = self.signals.hold = True
        self._free.clear()
        self._tell(e.Paused(by))

    def unpause(self, by: str) -> None:
        """Go on."""
        self.paused = self.signals.hold = False
        self._free.set()
        self._tell(e.Unpaused(by))

    def let_go(self, *, wanted: bool) -> None:
        """Let workers let go of what they have in hand, for a moment, or no more."""
        self.signals.hold = wanted or self.paused

    def stop(self) -> None:
        """Let workers let go for good: the run comes to its end."""
        self.signals.hold = True
        self._free.set()

    def reopen(self) -> None:
        """Take a pause or a stop back without a word: the run goes back now."""
        self.paused = self.signals.hold = False
        self._free.set()

    def set(self, command: Command) -> str:
        """Take over what a `throttle` command names and return the settings in words; raises ValueError."""
        named = {
            "workers": command.workers,
            "rows_per_second": command.rows,
            "mb_per_second": command.mb,
            "chunk_rows": command.chunk,
        }
        changes = {name: value for name, value in named.items() if value is not None}
        for name, value in changes.items():
            least, most = _BOUNDS[name]
            if not least <= value <= most:
                raise ValueError(f"{name.replace('_', ' ')} must be between {least:,} and {most:,}")
        self.settings = msgspec.structs.replace(self.settings, by=command.by, **changes)
        if changes:
            if "workers" in changes:
                self.brakes.release()
            if "chunk_rows" in changes:
                self.chunks.wish(self.settings.chunk_rows)
            self._share()
            self._tell(self.settings)
        return self.settings.words

    def yield_to(self, met: Interrupted) -> None:
        """Work with one worker less when the target has no room for all, with smaller chunks when the line was lost."""
        if met.trouble is Trouble.CROWDED:
            self.brakes.crowded()
        elif met.trouble is Trouble.LOST:
            self.chunks.lost()

    def _told(self, what: e.AnyEvent) -> None:
        self._share()
        self._tell(what)

    def _share(self) -> None:
        s = self.settings
        self.signals.chunk = self.chunks.rows
        self.signals.limits = s.rows_per_second / self.workers, s.mb_per_second * 1e6 / self.workers

    def wait(self, give_up: Callable[[], object]) -> None:
        """Wait in a thread until something new may begin; `give_up` may raise meanwhile."""
        give_up()
        while self.closed:
            self._free.wait(0.1)
            give_up()

    async def opened(self, give_up: Callable[[], object]) -> None:
        """Wait until something new may begin; `give_up` may raise meanwhile."""
        give_up()
        while self.closed:
            await asyncio.sleep(0.1)
            give_up()


_BOUNDS: dict[str, tuple[float, float]] = {
    "workers": (1, MOST_WORKERS),
    "rows_per_second": (0, 1_000_000_000),
    "mb_per_second": (0, 1_000_000),
    "chunk_rows": (0, 10_000_000),
}
