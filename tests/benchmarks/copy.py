r"""The copy step against `psql \copy ... (FORMAT binary)` of a file rendered beforehand, into a bare table.

Ours is the time of the step itself within a rehearsal from its beginning to its end: reading, converting, sending,
checkpoints and commits of all tables. The limit is psql from its start to its end, on the same server, for the rows of
"Booking" alone.
"""

import time
from pathlib import Path

import psycopg

from zenni_tui.model.runbook import StepId
from zenni_tui.target import ddl

from .figures import Claim, Figures, alternate
from .ground import Ground, Prepared, rehearsal, seconds

LIMIT, OURS = r"psql \copy, binary", "copy step"


def measure(ground: Ground) -> list[Claim]:
    """Alternate both."""
    source = ground.bookings(ground.rows)
    prepared = Prepared(ground, source)
    rendered = ground.scratch / f"rendered-{ground.rows}.copy"
    render(ground, prepared, rendered)
    figures = Figures()
    works = {
        LIMIT: lambda: limit(ground, prepared, rendered),
        OURS: lambda: seconds(rehearsal(ground, source), StepId.COPY),
    }
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


def render(ground: Ground, prepared: Prepared, rendered: Path) -> None:
    """Copy once, and have psql write the rows to a file."""
    with ground.database() as database:
        trial = prepared.trial(database)
        trial.until(StepId.COPY)
        trial.stop()
        ground.psql(database, rf"""\copy "Booking" to '{rendered}' (format binary)""")


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
