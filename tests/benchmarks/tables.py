"""Many small tables, one wide table, and the cost of a row as rows grow.

Whole runs (`rehearse`, with its undo) for the tables; for the growth, the steps copy, index and verify of each size,
per million rows.
"""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from large import many_tables, wide_table

from zenni_tui.model.runbook import StepId

from .figures import Claim, Figures
from .ground import Ground, Prepared, command, seconds

_TABLES, _COLUMNS, _WIDE_ROWS = 2000, 1000, 500
_SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
_STEPS = (StepId.COPY, StepId.INDEX, StepId.VERIFY)
_LINEAR = 1.25


def measure(ground: Ground) -> list[Claim]:
    """Measure all three."""
    many = ground.made(f"tables-{_TABLES}", lambda path: many_tables(path, _TABLES))
    wide = ground.made(f"columns-{_COLUMNS}", lambda path: wide_table(path, _COLUMNS, _WIDE_ROWS))
    figures = Figures()
    for _ in range(ground.rounds):
        for name, source in ((f"{_TABLES} tables", many), (f"{_COLUMNS} columns, {_WIDE_ROWS} rows", wide)):
            _whole(ground, figures, name, source)
    figures.show()
    best = min(figures.rounds[f"{_TABLES} tables"])
    return [Claim(f"seconds for {_TABLES} tables, best round", best, 30), *_growth(ground)]


def _whole(ground: Ground, figures: Figures, name: str, source: Path) -> None:
    with ground.database() as database:
        started = time.monotonic()
        result: dict[str, Any] = command("rehearse", "--source", str(source), database=database)
        figures.add(name, time.monotonic() - started)
    print("     ", ", ".join(f"{s['id']} {s['seconds']:.1f}" for s in result["steps"]), flush=True)


def _growth(ground: Ground) -> list[Claim]:
    figures = Figures("s per million rows")
    sizes = [s for s in _SIZES if s <= (_SIZES[-1] if ground.large else ground.rows)]
    for size in sizes:
        prepared = Prepared(ground, ground.bookings(size))
        for _ in range(ground.rounds):
            with ground.database() as database:
                state = prepared.trial(database).end()
            figures.add(f"{size:,} rows", sum(seconds(state, step) for step in _STEPS) / size * 1e6)
        prepared.remove()
    figures.show()
    names = list(figures.rounds)
    return [
        Claim(f"cost of a row at {large} to that at {small}", figures.ratio(large, small), _LINEAR)
        for small, large in pairwise(names)
    ]
