"""One look of the watch: at a few tables, at thousands, and over a line of 40 ms.

The looks of one connection, as the screen makes them; the first of each round is shown apart, since later ones ask
what costs much less often.
"""

import asyncio
import time

import psycopg

from zenni_tui.sandbox.proxy import Line, Proxy
from zenni_tui.target.connect import Target
from zenni_tui.target.statistics import Probe

from .figures import Claim, Figures
from .ground import Ground

_LATENCY = 0.020
_LOOKS = 10
_FEW, _MANY = 12, 2000
_TABLE = "CREATE TABLE t{0} (id serial PRIMARY KEY, a int REFERENCES t0, b text); CREATE INDEX ON t{0} (b);"


def measure(ground: Ground) -> list[Claim]:
    """Look at both databases, near and far."""
    figures = Figures("ms")
    for count in (_FEW, _MANY):
        with ground.database() as database, Proxy(ground.server.port) as proxy:
            _make(database, count)
            proxy.line = Line(latency=_LATENCY)
            for _ in range(ground.rounds):
                _round(figures, f"{count:,} tables", database)
                _round(figures, f"{count:,} tables, 40 ms", database | {"port": str(proxy.port)})
    figures.show()
    return [
        Claim(f"ms of a look at {_FEW} tables, best round", min(figures.rounds[f"{_FEW} tables"]), 100),
        Claim(f"ms of a look at {_MANY:,} tables, best round", min(figures.rounds[f"{_MANY:,} tables"]), 500),
        Claim("ms of a look over 40 ms, best round", min(figures.rounds[f"{_FEW} tables, 40 ms"]), 2000),
    ]


def _make(database: dict[str, str], count: int) -> None:
    with psycopg.connect(**database, autocommit=True) as connection:
        for first in range(0, count, 100):
            tables = range(first, min(first + 100, count))
            connection.execute("".join(_TABLE.format(number) for number in tables).encode())
        connection.execute("ANALYZE")


def _round(figures: Figures, name: str, database: dict[str, str]) -> None:
    first, *later = asyncio.run(_looks(Target(database, database["password"], name="zenni-tui benchmark")))
    figures.add(f"{name}, the first", first)
    figures.add(name, sum(later) / len(later))


async def _looks(target: Target) -> list[float]:
    probe, spent = Probe(target), []
    for _ in range(_LOOKS):
        started = time.monotonic()
        await probe.read()
        spent.append((time.monotonic() - started) * 1000)
    probe.close()
    return spent
