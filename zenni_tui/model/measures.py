"""What the queries of the config found: timings with plans of query patterns, and metrics before and after."""

from .queries import Proof, ProofState
from .record import Record

MEASURES = "measures.json"
"""Where a run keeps them."""

Cells = tuple[str | None, ...]


class Pattern(Record, frozen=True):
    """A query of `[queries]`: its forms, its proof, the median times in milliseconds and the plans of both sides.

    `why` says what stood in the way, if anything did; then times are 0.
    """

    name: str
    source: str
    target: str = ""
    why: str = ""
    proof: Proof = Proof(ProofState.NONE)
    ms_source: float = 0.0
    ms_target: float = 0.0
    plan_source: tuple[str, ...] = ()
    plan_target: tuple[str, ...] = ()


class Reading(Record, frozen=True):
    """A metric's rows at a moment, in seconds since 1970 UTC; `place` is snapshot or target."""

    at: float
    place: str
    rows: tuple[Cells, ...]


class Metric(Record, frozen=True):
    """A query of `[metrics]`: its forms, columns, those that name a row, and what it found, the oldest first.

    `why` says why it could not be measured on the target, `note` what should be known of the comparison.
    """

    name: str
    source: str
    target: str = ""
    why: str = ""
    note: str = ""
    columns: tuple[str, ...] = ()
    key: tuple[int, ...] = ()
    readings: tuple[Reading, ...] = ()


class Measures(Record, frozen=True):
    """All of them; `schema` is the target's."""

    schema: str
    patterns: tuple[Pattern, ...] = ()
    metrics: tuple[Metric, ...] = ()


class Change(Record, frozen=True):
    """One row of a metric that is not as it was; a side without the row is None."""

    key: Cells
    before: Cells | None
    after: Cells | None

    @property
    def words(self) -> str:
        """Return the row and what became of it."""
        named = ", ".join("NULL" if k is None else k for k in self.key) or "the only row"
        if self.before is None:
            return f"{named}: new: {_shown(self.after)}"
        if self.after is None:
            return f"{named}: gone, was {_shown(self.before)}"
        return f"{named}: {_shown(self.before)} → {_shown(self.after)}"


def _shown(cells: Cells | None) -> str:
    return ", ".join("NULL" if c is None else c for c in cells or ())


def changes(metric: Metric, before: Reading, after: Reading) -> tuple[Change, ...]:
    """Return the rows of a metric that differ between two readings, found by their keys, in the order of the later."""
    old, new = _by_key(metric, before), _by_key(metric, after)
    found = [Change(k[0], old.get(k), new.get(k)) for k in (*new, *(k for k in old if k not in new))]
    return tuple(c for c in found if c.before != c.after)


def _by_key(metric: Metric, reading: Reading) -> dict[tuple[Cells, int], Cells]:
    """Return a reading's figures by the row's key; rows of one key are told apart by their order."""
    found: dict[tuple[Cells, int], Cells] = {}
    for row in reading.rows:
        key = tuple(row[i] for i in metric.key)
        figures = tuple(c for i, c in enumerate(row) if i not in metric.key)
        number = next(n for n in range(len(reading.rows) + 1) if (key, n) not in found)
        found[key, number] = figures
    return found
