"""What the rungs of the ladder share: the target, what earlier rungs learned, and bounded ways to ask."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import asyncpg

from zenni_tui.errors import NotReady
from zenni_tui.model.record import Record
from zenni_tui.target.connect import Target
from zenni_tui.target.libpq import Door
from zenni_tui.target.short import BROKEN, broke_off, in_words

T = TypeVar("T")

NAME_SECONDS = 5.0
TCP_SECONDS = 5.0
QUERY_SECONDS = 10.0


class Rung(Record, frozen=True):
    """How one check went: what was tried, what was found, what to do; `ok` None is to be known and blocks nothing."""

    tried: str
    found: str
    ok: bool | None = True
    advice: str = ""


class Address(NamedTuple):
    """One address of a door, as the socket module wants it."""

    family: int
    place: tuple[Any, ...]

    def __str__(self) -> str:
        host, port = self.place[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass
class Ground:
    """One climb; `workers` is how many sessions the run wants beside its own two, `load` the source's bytes.

    Rungs fill in what they learn: the addresses of each door, those that answered, the server's version, for how
    many workers it has sessions, the bytes a second that the line carries.
    """

    target: Target
    schema: str
    run_id: str
    workers: int = 2
    load: int = 0
    addresses: dict[Door, tuple[Address, ...]] = field(default_factory=dict)
    open: dict[Door, Address] = field(default_factory=dict)
    version: str = ""
    room: int | None = None
    rate: float = 0.0
    _link: "asyncpg.Connection[asyncpg.Record] | None" = None

    @property
    def where(self) -> str:
        """Return the target for people."""
        return self.target.label()

    async def link(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a session without pinned settings, opened when first needed."""
        if self._link is None or self._link.is_closed():
            self._link = await self.fresh()
        return self._link

    async def fresh(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a session of its own; raises NotReady."""
        try:
            return await self.target.connect_async()
        except BROKEN as error:
            raise NotReady(
                "A further connection to the target failed.",
                where=self.where,
                why=in_words(error),
                next_step="See that the server has connections left: a run needs two for each worker and two more.",
            ) from error

    async def ask(self, query: str, *values: object) -> "asyncpg.Record":
        """Return the first row of a query, in a read-only transaction, which every pooler keeps together."""
        link = await self.link()

        async def row() -> "asyncpg.Record":
            async with link.transaction(readonly=True):
                return await link.fetchrow(query, *values)

        return await self.bounded(row())

    async def bounded(self, work: Awaitable[T], seconds: float | None = None) -> T:
        """Wait for an answer of the server, but not for ever; raises NotReady."""
        seconds = seconds or QUERY_SECONDS
        try:
            return await asyncio.wait_for(work, seconds)
        except TimeoutError as error:
            raise NotReady(
                "The server stopped answering.",
                where=self.where,
                why=f"It took the connection, then said nothing for {seconds:.0f} s.",
                next_step="See that the VPN is up and the server isn't overloaded, then check again.",
            ) from error
        except BROKEN as error:
            raise broke_off(error, self.where) from error

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Tell in our words of what breaks off several questions, or the transaction around them; raises NotReady."""
        try:
            yield
        except BROKEN as error:
            raise broke_off(error, self.where) from error

    def close(self) -> None:
        """Let go of the session, without waiting for a line that may be dead."""
        if self._link is not None:
            self._link.terminate()
            self._link = None


class Outcome:
    """What a call gave or raised."""

    value: Any = None
    error: BaseException | None = None


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what a call gives that can't be interrupted, such as the system's resolver; raises TimeoutError.

    It goes on in a thread of its own, which nobody waits for at the program's end.
    """
    outcome = Outcome()

    def call() -> None:
        try:
            outcome.value = work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            outcome.error = error

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise TimeoutError
    if outcome.error is not None:
        raise outcome.error
    value: T = outcome.value
    return value
