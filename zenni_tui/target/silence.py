"""Notices that a line is dead, and breaks it off, so that whoever waits on it learns of it.

Keepalives don't tell: a proxy or a tunnel on the way answers them. A line is dead when for some time no byte moved on
it, and the server, asked by another connection, does not say that it works for us.
"""

import contextlib
import functools
import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

RV = TypeVar("RV")

SILENCE = 15.0
"""Seconds without a byte in either direction after which a line is suspected dead."""
ANSWER = 15.0
"""Seconds that the server has to say, by another connection, that it works for us."""
_TICK = 0.1


class Silent(psycopg.OperationalError):
    """Nothing came any more, and the server does not work for us: the line is dead."""


class Heard(psycopg.Connection[tuple[Any, ...]]):
    """A session that looks after its line whenever somebody waits for the server; a dead one raises Silent."""

    silence, answer = SILENCE, ANSWER

    def at_work(self) -> bool:
        """Return whether the server, asked by another connection, works for this one; called in another thread."""
        return False

    def given_up(self) -> None:
        """Take in that the line was cut; the server may not know, and go on holding what the session locked."""

    def wait(self, gen: PQGen[RV], interval: float = _TICK, timeout: float | None = None) -> RV:
        """Wait as the driver does."""
        return super().wait(self._looked_after(gen), interval, timeout)

    def _looked_after(self, gen: PQGen[RV]) -> PQGen[RV]:
        ear: Ear | None = None
        cut = False
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready or cut:
                    ear = None
                elif ear is None:
                    ear = Ear(functools.partial(_moved, self.fileno()), self.at_work, self.silence, self.answer)
                elif ear.is_dead():
                    cut = True
                    cut_off(self.fileno())
                wanted = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result
        except psycopg.OperationalError as error:
            if not cut:
                raise
            self.given_up()
            raise Silent(
                f"Nothing came for {self.silence:.0f} s, and the server, asked anew, does not work for us: a dead line."
            ) from error


class Ear:
    """Listens to one line while somebody waits on it.

    `moved` returns what changes while something moves, `at_work` asks the server and may take as long as it wants.
    """

    def __init__(
        self,
        moved: Callable[[], object],
        at_work: Callable[[], bool],
        silence: float = SILENCE,
        answer: float = ANSWER,
    ) -> None:
        self._look, self._at_work = moved, at_work
        self._silence, self._answer = silence, answer
        self._moved, self._at = moved(), time.monotonic()
        self._asked: _Question | None = None

    def is_dead(self) -> bool:
        """Return whether the line is dead by now; to be called again and again."""
        now, moved = time.monotonic(), self._look()
        if moved != self._moved or (self._asked is not None and self._asked.found):
            self._moved, self._at, self._asked = moved, now, None
        if now - self._at <= self._silence:
            return False
        self._asked = self._asked or _Question(self._at_work, now + self._answer)
        return self._asked.found is False or (self._asked.found is None and now > self._asked.until)


class _Question:
    """One question to the server: `found` is None until it is answered."""

    def __init__(self, ask: Callable[[], bool], until: float) -> None:
        self.until = until
        self.found: bool | None = None
        self._ask = ask
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self.found = self._ask()


def cut_off(wire: int) -> None:
    """End a line for both sides, so that whoever waits on it learns of it."""
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(wire)) as line:
        line.shutdown(socket.SHUT_RDWR)


def _moved(wire: int) -> tuple[int, int]:
    """Return the bytes acknowledged and received (struct tcp_info of linux/tcp.h); a local socket tells none."""
    with contextlib.suppress(OSError, struct.error), socket.socket(fileno=os.dup(wire)) as line:
        if line.family != socket.AF_UNIX and hasattr(socket, "TCP_INFO"):
            acknowledged, received = struct.unpack_from(
                "QQ", line.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136), 120
            )
            return (acknowledged, received)
    return (0, 0)
