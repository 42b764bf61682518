"""Tries again when the target is away: later each time, within a budget, and always so that the operator sees it."""

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import psycopg
import sqlalchemy.exc

from zenni_tui.errors import Halted, Interrupted, NotReady
from zenni_tui.model import events as e
from zenni_tui.model.runbook import StepId
from zenni_tui.target import trouble

T = TypeVar("T")

_FIRST, _LONGEST = 0.5, 30.0
_QUIET = 60.0
_MINUTES = 90.0


class Patience:
    """What a run still bears: the time since the target last did anything for us counts, up to the budget in seconds.

    `step` returns the step at work. May be used from several threads at once.
    """

    def __init__(self, tell: Callable[[e.AnyEvent], object], step: Callable[[], StepId], budget: float) -> None:
        self._tell, self._step, self._budget = tell, step, budget
        self._lock = threading.Lock()
        self._since: float | None = None
        self._tries = 0
        self._last = self._next = 0.0

    @property
    def waits(self) -> float:
        """Return the seconds until it makes sense to try again, 0 when it does now."""
        return max(0.0, self._next - time.monotonic())

    @contextlib.contextmanager
    def shortened(self, budget: float) -> Iterator[None]:
        """Bear less for a while, from now on: somebody waits, and what is done can be taken back."""
        with self._lock:
            before, self._budget = self._budget, min(budget, self._budget)
            self._since = None if self._since is None else time.monotonic()
        try:
            yield
        finally:
            self._budget = before

    @property
    def troubled(self) -> bool:
        """Return whether the target was last seen away: then one attempt at a time is enough."""
        return self._since is not None

    def met(self, met: Interrupted) -> None:
        """Take a failure in; tells when the next attempt is. Raises Halted when the budget is spent."""
        with self._lock:
            now = time.monotonic()
            if self.waits:
                return  # others fell into the same hole; its end is waited for already
            self._since = now if self._since is None else self._since
            left = self._budget - (now - self._since)
            if left <= 0:
                raise _spent(met, self._budget)
            self._tries = 1 if now - self._last > _QUIET + _LONGEST else self._tries + 1
            pause = min(_FIRST * 2 ** (self._tries - 1), _LONGEST) * random.uniform(0.7, 1.0)  # noqa: S311 - no secret
            self._last, self._next = now, now + min(pause, left)
            clock = time.time()
            self._tell(
                e.Retrying(
                    self._step(),
                    str(met.trouble),
                    met.where,
                    met.why,
                    clock - (now - self._since),
                    clock + self._next - now,
                    clock + left,
                    self._tries,
                )
            )

    def over(self) -> None:
        """Take a success in."""
        with self._lock:
            if self._since is not None:
                self._tell(e.Recovered(self._step(), round(time.monotonic() - self._since, 1), self._tries))
                self._since, self._next = None, 0.0


def _spent(met: Interrupted, budget: float) -> Halted:
    return Halted(
        "The target stayed away too long.",
        where=met.where,
        why=f"Nothing could be done for {_span(budget)}; last: {met.why}",
        next_step="What has arrived stays. When the target is back: zenni-tui resume, or zenni-tui rollback.",
    )


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= _MINUTES else f"{seconds:.0f} s"


async def insist(
    patience: Patience, where: str, deed: Callable[[], T], *, give_up: Callable[[], object] = lambda: None
) -> T:
    """Do something to the target in a thread, again and again while its trouble may pass.

    The deed must be one that can be repeated. `give_up` is called while waiting and may raise. Raises Halted, or what
    the deed raises.
    """
    while True:
        try:
            result = await asyncio.to_thread(deed)
        except (psycopg.Error, sqlalchemy.exc.DBAPIError, NotReady) as error:
            _bear(patience, where, error)
            while patience.waits:
                give_up()
                await asyncio.sleep(min(patience.waits, 0.2))
        else:
            patience.over()
            return result


def _bear(patience: Patience, where: str, error: Exception) -> None:
    raw = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    if not isinstance(raw, psycopg.Error | NotReady):
        raise error
    made = trouble.told(raw, where)
    if isinstance(made, Halted):
        raise made from error
    if not isinstance(made, Interrupted):
        raise error
    patience.met(made)
