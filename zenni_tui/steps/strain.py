"""Looks now and then at what the copy does to its target: standbys that fall behind, room that comes to its end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from zenni_tui.errors import Halted
from zenni_tui.target import strain
from zenni_tui.target.short import BROKEN, in_words

from .brakes import Cause
from .run import Run

if TYPE_CHECKING:
    from asyncpg import Connection as Short
    from asyncpg import Record as Row

    Look = Callable[[Short[Row]], Awaitable[None]]

_MB = 1e6
_NEAR = 0.9
_LITTLE = 2.0
_CAUGHT_UP = 0.5
_SECONDS = 5.0
_TRIES = 3
"""So often without an answer, and a look is given up: the size of very many files takes a server minutes."""
_DENIED = (asyncpg.SyntaxOrAccessError, asyncpg.FeatureNotSupportedError, asyncpg.ObjectNotInPrerequisiteStateError)
_STANDBYS, _SIZE, _DISK = "how far standbys are behind", "how large the database is", "where it keeps its data"


class Strain:
    """Backs off to one worker while a bound is passed or near; halts the run where it passes one of room.

    A run that began or was resumed beyond such a bound goes on: its operator has been told. What the server doesn't
    tell is said once and not asked any more.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._bounds = bounds = run.request.bounds
        looks: tuple[tuple[str, float, Look], ...] = (
            (_STANDBYS, bounds.lag_mb, self._look_at_standbys),
            (_SIZE, bounds.size_mb, self._look_at_size),
            (_DISK, bounds.free_mb, self._look_at_disk),
        )
        self._looks = {name: look for name, bound, look in looks if bound}
        self._unanswered = dict.fromkeys(self._looks, 0)
        self._folders: tuple[Path, ...] | None = None
        self._had_room: set[Cause] = set()

    async def look(self, connection: "Short[Row]") -> bool:
        """Look once, in a few seconds each; returns whether the connection may be used any more."""
        for name, look in list(self._looks.items()):
            try:
                await asyncio.wait_for(look(connection), _SECONDS)
                self._unanswered[name] = 0
            except _DENIED as error:
                self._give_up(name, in_words(error))
            except BROKEN as error:
                self._unanswered[name] += 1
                if self._unanswered[name] == _TRIES:
                    self._give_up(name, in_words(error))
                return False
        return True

    def _give_up(self, name: str, why: str) -> None:
        del self._looks[name]
        self._run.say(f"The target does not tell {name}, so nothing is held back for that: {why}")

    async def _look_at_standbys(self, connection: "Short[Row]") -> None:
        lag, most, brakes = await strain.lag(connection), self._bounds.lag_mb, self._run.steering.brakes
        if lag.hidden:
            self._give_up(_STANDBYS, "there are some, but their state is for members of pg_monitor only.")
        elif lag.bytes > most * _MB:
            brakes.hold(Cause.LAG, 1, f"A standby is more than {most:,.0f} MB of WAL behind ([copy] lag_mb).")
        elif lag.bytes < most * _MB * _CAUGHT_UP:
            brakes.free(Cause.LAG, "The standbys have caught up.")

    async def _look_at_size(self, connection: "Short[Row]") -> None:
        size, most = await strain.size(connection) / _MB, self._bounds.size_mb
        bound = f"of the {most:,.0f} MB that it may take ([copy] size_mb)."
        near = f"The database has reached {_NEAR * 100:.0f} % {bound}" if size > most * _NEAR else ""
        self._heed(Cause.DISK, near, f"The database has room again, of {most:,.0f} MB.")
        why = f"It has {size:,.0f} MB, [copy] size_mb allows {most:,.0f}."
        self._halt(Cause.DISK, size > most, "The database takes more room than it may.", why)

    async def _look_at_disk(self, connection: "Short[Row]") -> None:
        if self._folders is None:
            self._folders = await strain.places(connection)
        known, least = await asyncio.to_thread(strain.free, self._folders), self._bounds.free_mb
        if known is None:
            del self._looks[_DISK]  # it is elsewhere, as most are
            return
        free = known / _MB
        why = f"The server's disk has {free:,.0f} MB left, {least:,.0f} are to stay free ([copy] free_mb)."
        self._heed(Cause.SPACE, why if free < least * _LITTLE else "", "The server's disk has room again.")
        self._halt(Cause.SPACE, free < least, "The server's disk is nearly full.", why)

    def _heed(self, cause: Cause, near: str, free: str) -> None:
        brakes = self._run.steering.brakes
        if near:
            brakes.hold(cause, 1, near)
        else:
            brakes.free(cause, free)

    def _halt(self, cause: Cause, passed: bool, what: str, why: str) -> None:  # noqa: FBT001 - one caller a bound
        if not passed:
            self._had_room.add(cause)
        elif cause in self._had_room:
            advice = "Make room; then zenni-tui resume, which goes on beyond the bound, or zenni-tui rollback."
            self._run.halted = Halted(what, where=self._run.to.label(), why=why, next_step=advice)
