"""The switch with many rows behind it and writes until its freeze: our share of the downtime; the lag after a burst."""

import random
import shutil
import sqlite3
import threading
import time
from pathlib import Path

import clients
from psycopg.conninfo import make_conninfo
from support import Program, follow
from switching import Application, migrate, switch

from zenni_tui.engine.client import Follower

from .figures import Claim, Figures
from .ground import Ground

WRITES_PER_SECOND, BURST = 200, 10_000
_TOLD_WITHIN = 3.0
_OURS, _ALL, _LAG = "our share", "nobody could write", "the largest lag of a burst"


def measure(ground: Ground) -> list[Claim]:
    """Switch with a tenth of the rows, then with all of them."""
    figures = Figures()
    sizes = (ground.rows // 10, ground.rows)
    for rows in sizes:
        for _ in range(ground.rounds):
            _round(ground, rows, figures)
    figures.show()
    claims = [
        Claim(f"seconds of downtime, our share, {r:,} rows", max(figures.rounds[f"{_OURS}, {r:,}"]), 3) for r in sizes
    ]
    claims += [Claim(f"seconds of {_LAG}, {r:,} rows", max(figures.rounds[f"{_LAG}, {r:,}"]), 1) for r in sizes]
    return claims


class _Writer(threading.Thread):
    """Changes a booking so many times a second, each time as a transaction of its own, until it is refused."""

    def __init__(self, file: Path, rows: int) -> None:
        super().__init__(daemon=True)
        self._file, self._rows = file, rows
        self.done = threading.Event()
        self.written = 0

    def run(self) -> None:
        """Write."""
        link = sqlite3.connect(self._file, timeout=10, isolation_level=None)
        started = time.monotonic()
        while not self.done.is_set():
            try:
                link.execute(
                    "UPDATE Booking SET note = ? WHERE id = ?",
                    (f"n{self.written}", random.randint(1, self._rows)),  # noqa: S311 - a load
                )
            except sqlite3.DatabaseError:
                break
            self.written += 1
            time.sleep(max(0.0, started + self.written / WRITES_PER_SECOND - time.monotonic()))
        link.close()


def _round(ground: Ground, rows: int, figures: Figures) -> None:
    home = ground.scratch / "switch"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    program = Program(home)
    application = Application(
        home / "app", schema="PRAGMA journal_mode = WAL;" + clients.SCHEMA + clients.BEFORE % rows
    )
    with ground.database() as database:
        environment = {"ZENNI_TARGET_URL": make_conninfo("", **database)}
        writer = _Writer(application.file, rows)
        writer.start()
        migrate(program, application, environment, "--meanwhile", "follow")
        follower = follow(program)
        figures.add(f"{_LAG}, {rows:,}", _burst(application, follower, rows))
        done = switch(program, environment)
        assert done.code == 0, done.narration
        writer.done.set()
        writer.join()
        print(f"    {writer.written} writes before the freeze")
        totals = done.document["totals"]
        figures.add(f"{_OURS}, {rows:,}", totals["downtime_seconds_ours"])
        figures.add(f"{_ALL}, {rows:,}", totals["downtime_seconds"])
        program.run("finish", "--confirm", "FINISH", environment=environment)


def _burst(application: Application, follower: Follower, rows: int) -> float:
    link = sqlite3.connect(application.file, timeout=10, isolation_level=None)
    first = min(rows, BURST)
    link.execute("UPDATE Booking SET note = 'burst' WHERE id <= ?", (first,))
    link.close()
    # It is told once a second, each time with the largest since it was told before.
    most, until = 0.0, time.monotonic() + _TOLD_WITHIN
    while time.monotonic() < until:
        follower.poll()
        if (lag := follower.state.lag) is not None:
            most = max(most, lag.seconds)
            until = max(until, time.monotonic() + _TOLD_WITHIN) if lag.changes else until
        time.sleep(0.05)
    return most
