r"""The copy step against `psql \copy ... (FORMAT binary)` of a file rendered beforehand, into a bare table.

Ours is the time of the step itself: reading, converting, sending, checkpoints and commits of all tables, and what is
left of the workers' start, which begins beside the step before. The limit is psql from its start to its end, on the
same server, for the rows of "Booking" alone.
"""

import time
from pathlib import Path

import psycopg

from zenni_tui.model.runbook import StepId
from zenni_tui.target import ddl

from .figures import Claim, Figures, alternate
from .ground import Ground, Prepared, seconds

LIMIT, OURS = r"psql \copy, binary", "copy step"


def measure(ground: Ground) -> list[Claim]:
    """Alternate both."""
    prepared = Prepared(ground, ground.bookings(ground.rows))
    rendered = ground.scratch / f"rendered-{ground.rows}.copy"
    ours(ground, prepared, rendered)
    figures = Figures()
    works = {LIMIT: lambda: limit(ground, prepared, rendered), OURS: lambda: ours(ground, prepared)}
    alternate(figures, ground.rounds, works)
    figures.show(LIMIT)
    prepared.remove()
    rendered.unlink()
    print(f"  {ground.rows / min(figures.rounds[OURS]):,.0f} rows/s")
    worst = max(figures.rounds[OURS]) / min(figures.rounds[LIMIT])
    return [
        Claim("copy to its limit, best rounds", figures.ratio(OURS, LIMIT), 1.25),
        Claim("worst round of the copy to the best of its limit", worst, 1.6),
    ]


def ours(ground: Ground, prepared: Prepared, rendered: Path | None = None) -> float:
    """Copy once, have psql write the rows to a file when one is named, and return the step's seconds."""
    with ground.database() as database:
        trial = prepared.trial(database)
        state = trial.until(StepId.COPY)
        trial.stop()
        if rendered is not None:
            ground.psql(database, rf"""\copy "Booking" to '{rendered}' (format binary)""")
        return seconds(state, StepId.COPY)


def limit(ground: Ground, prepared: Prepared, rendered: Path, port: int | None = None) -> float:
    """Load the file by psql into a bare table, through the server's own port or another, and return the seconds."""
    with ground.database() as database:
        with psycopg.connect(**database, autocommit=True) as connection:
            for statement in ddl.create_tables(prepared.plan, schema_there=True):
                connection.execute(statement.sql.encode())
        line = database | ({"port": str(port)} if port else {})
        started = time.monotonic()
        ground.psql(line, rf"""\copy "Booking" from '{rendered}' (format binary)""")
        return time.monotonic() - started
