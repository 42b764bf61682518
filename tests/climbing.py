"""Climbing the ladder in tests."""

from typing import NamedTuple

import certificates
from postgres17 import Postgres17

from zenni_tui.errors import ZenniError
from zenni_tui.target import ladder
from zenni_tui.target.connect import Target

AUTHORITY = certificates.authority()


class Climb(NamedTuple):
    """How far a climb came: what each rung found, where it stopped and why."""

    found: dict[str, ladder.Rung]
    stopped: str
    error: ZenniError | None

    @property
    def words(self) -> str:
        """Return the error's parts in one text."""
        e = self.error
        return f"{e.what} | {e.where} | {e.why} | {e.next_step}" if e else ""


async def climb(target: Target, *names: str, workers: int = 2, load: int = 0) -> Climb:
    """Climb the ladder, or some rungs of it."""
    ground = ladder.Ground(target, "public", "here", workers, load)
    found: dict[str, ladder.Rung] = {}
    try:
        for step in ladder.STEPS:
            if not names or step.name in names:
                try:
                    found[step.name] = await step.look(ground)
                except ZenniError as error:
                    return Climb(found, step.name, error)
    finally:
        ground.close()
    return Climb(found, "", None)


def target(server: Postgres17, database: str = "postgres", **changes: str) -> Target:
    """Return a database of the server as a target."""
    return Target(
        server.conninfo(database) | {"sslmode": "require"} | changes, changes.get("password", server.password), name="t"
    )
