"""A whole run with verification against pgloader's without.

Ours is `rehearse --keep` from the start of the program to its end: snapshot, inspection, audit, plan, schema, copy,
indexes, keys, ANALYZE, verification of every value, report. pgloader is told to keep DateTimes, which
are stored as integers and as text, as text: its own cast to timestamp loads no row, one to bigint none with text.
"""

import shutil
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from .figures import Claim, Figures, alternate
from .ground import Ground, command

OURS, PEER = "zenni-tui", "pgloader"
_ORDERS = """
LOAD DATABASE FROM sqlite://{source} INTO postgresql://{user}:{password}@{host}:{port}/{dbname}
WITH include drop, create tables, create indexes, reset sequences, quote identifiers
CAST type datetime to text drop default;
"""


def measure(ground: Ground) -> list[Claim]:
    """Alternate both where pgloader is installed, else measure ours alone."""
    source = ground.bookings(ground.rows)
    works = {OURS: lambda: _ours(ground, source)}
    if shutil.which("pgloader"):
        works |= {PEER: lambda: _pgloader(ground, source)}
    else:
        print("  pgloader is not installed: ours alone")
    figures = Figures()
    alternate(figures, ground.rounds, works)
    figures.show(PEER if PEER in works else None)
    return [Claim("whole run to pgloader's, best rounds", figures.ratio(OURS, PEER), 0.5)] if PEER in works else []


def _ours(ground: Ground, source: Path) -> float:
    with ground.database() as database:
        started = time.monotonic()
        command("rehearse", "--keep", "--source", str(source), database=database)
        return time.monotonic() - started


def _pgloader(ground: Ground, source: Path) -> float:
    with ground.database() as database:
        orders = ground.scratch / "pgloader.load"
        orders.touch(0o600)
        quoted = {k: quote(v, safe="") for k, v in database.items()}
        orders.write_text(_ORDERS.format(source=source, **quoted))
        started = time.monotonic()
        done = subprocess.run(["pgloader", "--quiet", orders], capture_output=True, text=True, check=False)
        spent = time.monotonic() - started
        orders.unlink()
        with psycopg.connect(**database) as connection:
            loaded = connection.execute('SELECT count(*) FROM "Booking"').fetchone()
        if loaded != (ground.rows,):
            raise SystemExit(
                f"pgloader loaded {loaded}, not {ground.rows}:\n{done.stdout[-1000:]}{done.stderr[-1000:]}"
            )
        return spent
