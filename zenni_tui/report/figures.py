"""The report's part about the queries of the config: times and plans of patterns, and metrics with their changes."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from zenni_tui.model.measures import MEASURES, Measures, Metric, Pattern, Reading, changes
from zenni_tui.model.record import from_json

from .document import Block, Bullets, Code, Heading, Paragraph, Strong, Table

_MOST_ROWS = 50


def sections(folder: Path) -> Iterable[Block]:
    """Yield what a run has measured; nothing when it was asked for nothing. Raises OSError."""
    path = folder / MEASURES
    if not path.exists():
        return
    measures = from_json(path.read_bytes(), Measures)
    if measures.patterns:
        yield Heading(2, "Query patterns")
        yield Table(("query", "ms in SQLite", "ms in PostgreSQL", "proof"), _times(measures), frozenset({1, 2}))
        for one in (p for p in measures.patterns if not p.why):
            yield from _plans(one)
    if measures.metrics:
        yield Heading(2, "Metrics")
        for each in measures.metrics:
            yield from _metric(each)


def _times(measures: Measures) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (p.name, f"{p.ms_source:.2f}", f"{p.ms_target:.2f}", p.why or f"{p.proof.state} {p.proof.why}".strip())
        for p in measures.patterns
    )


def _plans(one: Pattern) -> Iterable[Block]:
    yield Paragraph((Strong(one.name), ", planned by SQLite and by PostgreSQL:"))
    yield Code("\n".join(one.plan_source))
    yield Code("\n".join(one.plan_target))


def _metric(one: Metric) -> Iterable[Block]:
    yield Paragraph((Strong(one.name), f" {one.why or one.note}"))
    if one.why:
        return
    for before, after in zip(one.readings, one.readings[1:], strict=False):
        found = changes(one, before, after)
        words = f"{_moment(before)} to {_moment(after)}: {f'{len(found)} rows differ' if found else 'the same'}"
        yield Paragraph(words)
        if found:
            yield Bullets(tuple(c.words for c in found[:_MOST_ROWS]))
    last = one.readings[-1].rows[:_MOST_ROWS]
    if last:
        yield Table(one.columns, tuple(tuple("" if c is None else c for c in row) for row in last))


def _moment(reading: Reading) -> str:
    return f"{reading.place} {datetime.fromtimestamp(reading.at, UTC):%Y-%m-%d %H:%M}Z"
