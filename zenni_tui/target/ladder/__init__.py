"""The ladder: what stands between this machine and the target, rung by rung; nothing in it writes there.

Each rung says what it tried, what it found and what to do, can be climbed alone, and waits a bounded time.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from . import contents, limits, line, login, name, pooler, rights, server, tcp, tls
from .ground import NAME_SECONDS, QUERY_SECONDS, TCP_SECONDS, Ground, Rung


class Step(NamedTuple):
    """A rung's place: its name, what it does, the most seconds it waits for one answer, and how it looks."""

    name: str
    story: str
    most: float
    look: Callable[[Ground], Awaitable[Rung]]


STEPS: tuple[Step, ...] = (
    Step("name", "resolving the host's name", NAME_SECONDS, name.look),
    Step("tcp", "knocking at the port", TCP_SECONDS, tcp.look),
    Step("tls", "looking at TLS and the certificate", TCP_SECONDS, tls.look),
    Step("login", "logging in", QUERY_SECONDS, login.look),
    Step("server", "reading the server's version and state", QUERY_SECONDS, server.look),
    Step("pooler", "looking for a pooler", QUERY_SECONDS, pooler.look),
    Step("rights", "asking what the role may do", QUERY_SECONDS, rights.look),
    Step("limits", "opening as many sessions as a run needs", QUERY_SECONDS, limits.look),
    Step("line", "measuring the line", QUERY_SECONDS, line.look),
    Step("contents", "looking what is there already", QUERY_SECONDS, contents.look),
)
NAMES: tuple[str, ...] = tuple(step.name for step in STEPS)

__all__ = ["NAMES", "STEPS", "Ground", "Rung", "Step"]
