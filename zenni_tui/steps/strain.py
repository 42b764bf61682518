"""Looks now and then at what the copy does to its target: standbys that fall behind, a database that fills up."""

import asyncio
from typing import TYPE_CHECKING

from zenni_tui.errors import Halted
from zenni_tui.target import strain

from .brakes import Cause
from .run import Run

if TYPE_CHECKING:
    from asyncpg import Connection as Short
    from asyncpg import Record as Row

_MB = 1e6
_NEAR = 0.9
_CAUGHT_UP = 0.5
_SECONDS = 5.0


class Strain:
    """Backs off to one worker while a bound is passed or near; halts the run where the database passes its own.

    A run that was resumed beyond that bound goes on: its operator has been told.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._bounds = run.request.bounds
        self._below = False

    async def look(self, connection: "Short[Row]") -> None:
        """Look once, in a few seconds at most; raises what the driver raises."""
        if self._bounds.lag_mb:
            lag = await asyncio.wait_for(strain.lag(connection), _SECONDS)
            self._lags(lag / _MB if lag is not None else 0.0)
        if self._bounds.size_mb:
            self._fills(await asyncio.wait_for(strain.size(connection), _SECONDS) / _MB)

    def _lags(self, lag: float) -> None:
        most, brakes = self._bounds.lag_mb, self._run.steering.brakes
        if lag > most:
            why = f"A standby is more than {most:,.0f} MB of WAL behind ([copy] lag_mb)."
            brakes.hold(Cause.LAG, 1, why)
        elif lag < most * _CAUGHT_UP:
            brakes.free(Cause.LAG, "The standbys have caught up.")

    def _fills(self, size: float) -> None:
        most, brakes = self._bounds.size_mb, self._run.steering.brakes
        if size > most and self._below:
            self._run.halted = _full(size, most, self._run.to.label())
        elif size > most * _NEAR:
            why = (
                f"The database has reached {_NEAR * 100:.0f} % of the {most:,.0f} MB that it may take ([copy] size_mb)."
            )
            brakes.hold(Cause.DISK, 1, why)
        else:
            brakes.free(Cause.DISK, f"The database has room again, of {most:,.0f} MB.")
        self._below = self._below or size <= most


def _full(size: float, most: float, where: str) -> Halted:
    return Halted(
        "The database takes more room than it may.",
        where=where,
        why=f"It has {size:,.0f} MB, [copy] size_mb allows {most:,.0f}.",
        next_step="Make room; then zenni-tui resume, which goes on beyond the bound, or zenni-tui rollback.",
    )
