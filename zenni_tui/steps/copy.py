"""copy: every row into the bare tables, span by span, each with its checkpoint."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from zenni_tui.convert.lanes import widest
from zenni_tui.model import events as e
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.record import Record
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import TableProfile
from zenni_tui.target import bookkeeping, load
from zenni_tui.target.bookkeeping import Part

from .ahead import Ahead
from .meter import Meter
from .pool import Pool
from .run import Run, Step
from .workers import load_parts

_TOGETHER_BYTES = 1024 * 1024
"""Up to here tables travel with others in one transaction; what a lost line costs stays small."""
_TOGETHER = 100
"""Each table holds a lock to the end of the transaction, and room for locks is bounded."""


class _Tally(Record, frozen=True):
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Copy(Step):
    """Bounded COPYs by several workers; what has arrived is skipped after a resume."""

    id = StepId.COPY

    async def run(self, run: Run) -> str:
        """Load every span that has no checkpoint yet, until the target itself says that none is missing."""
        plan = run.plan()
        while True:
            there = await run.insist("the checkpoints", lambda: _arrived(run))
            missing = list(_missing(plan, there))
            tallies = _tallied(plan, there)
            if not missing:
                return f"{plan.rows:,} rows, {sum(t.bytes for t in tallies.values()):,} bytes"
            await self._load(run, plan, tallies, missing)

    async def _load(
        self, run: Run, plan: Plan, tallies: dict[str, _Tally], missing: Sequence[tuple[TablePlan, Part]]
    ) -> None:
        meter = Meter(run, self.id)
        meter.skip(sum(t.rows for t in tallies.values()))
        left, ahead = Counter(t.name for t, _ in missing), Ahead.of(run)
        for table in plan.tables:
            if not left[table.name]:
                ahead.arrived(plan, table.name)

        ticket, chunks = load.Ticket(run.request.run_id, run.fence), run.steering.chunks

        def done(results: list[load.Loaded], parts: Sequence[Part], *_: object) -> Iterable[tuple[Any, ...]]:
            for part, result in zip(parts, results, strict=False):
                name = part.table
                tally = tallies[name] = _add(tallies[name], result)
                seconds = round(tally.seconds, 3)
                run.tell(e.TableProgress(self.id, name, tally.rows, plan.table(name).rows, tally.bytes, seconds))
                meter.add(result.rows, plan.rows, name)
                left[name] -= result.upto is None
                if not left[name]:
                    ahead.arrived(plan, name)
            chunks.took(sum(r.rows for r in results), sum(r.seconds for r in results))
            return ((rest, ticket) for rest in _left(parts, results))

        jobs = _jobs(missing, _profiles(run), lambda: chunks.rows)
        chunks.begin(run.request.chunk_rows, run.snapshot.stat().st_size / max(plan.rows, 1), run.steering.workers)
        try:
            await Pool.of(run).each(((parts, ticket) for parts in jobs), load_parts, done)
        except BaseException:
            await ahead.leave()
            raise
        finally:
            chunks.end()

    async def undo(self, run: Run) -> str:
        """Leave it to prepare, which drops the tables with their rows, once nobody builds on them any more."""
        await Ahead.of(run).leave()
        return "rows go with their tables"


def _add(tally: _Tally, loaded: load.Loaded) -> _Tally:
    return msgspec.structs.replace(
        tally,
        rows=tally.rows + loaded.rows,
        bytes=tally.bytes + loaded.bytes,
        seconds=tally.seconds + loaded.seconds,
    )


def _left(parts: Sequence[Part], results: Sequence[load.Loaded]) -> Iterable[tuple[Part, ...]]:
    """Yield what a chunk had no room for: the rest of its last span, and the parts behind that."""
    if results[-1].upto is not None:
        yield (_rest(parts[len(results) - 1], results[-1].rows, results[-1].upto),)
    if len(parts) > len(results):
        yield tuple(parts[len(results) :])


def _rest(part: Part, rows: int, upto: int) -> Part:
    span = msgspec.structs.replace(part.span, rows=part.span.rows - rows, after=upto)
    return Part(part.table, span, goes_on=True)


Arrived = dict[tuple[str, int], bookkeeping.Arrived]


def _tallied(plan: Plan, there: Arrived) -> dict[str, _Tally]:
    tallies = {t.name: _Tally() for t in plan.tables}
    for (name, _), what in there.items():
        tallies[name] = _add(tallies[name], load.Loaded(what.rows, what.bytes, 0.0))
    return tallies


def _arrived(run: Run) -> Arrived:
    with run.to.connect() as connection:
        return bookkeeping.checkpoints(connection, run.request.run_id)


def _missing(plan: Plan, there: Arrived) -> Iterable[tuple[TablePlan, Part]]:
    for table in sorted(plan.tables, key=lambda t: -t.rows):
        for span in table.spans:
            whole, what = Part(table.name, span), there.get((table.name, span.number))
            if what is None:
                yield table, whole
            elif what.upto < whole.upto:
                yield table, _rest(whole, what.rows, what.upto)


def _jobs(
    missing: Iterable[tuple[TablePlan, Part]], profiles: dict[str, TableProfile], chunk: Callable[[], int]
) -> Iterable[tuple[Part, ...]]:
    """Yield what one worker loads in one transaction: a span, more where chunks are larger, or many small tables."""
    small: list[Part] = []
    large: list[Part] = []
    weight = 0.0
    for table, part in missing:
        size = _weight(table, profiles)
        if size > _TOGETHER_BYTES:
            if large and (large[0].table != table.name or _rows(large) + part.span.rows > chunk()):
                yield tuple(large)
                large = []
            large.append(part)
            continue
        if small and (weight + size > _TOGETHER_BYTES or len(small) == _TOGETHER):
            yield tuple(small)
            small, weight = [], 0.0
        small.append(part)
        weight += size
    yield from (tuple(parts) for parts in (large, small) if parts)


def _rows(parts: Iterable[Part]) -> int:
    return sum(part.span.rows for part in parts)


def _weight(table: TablePlan, profiles: dict[str, TableProfile]) -> float:
    """Return the bytes that a table of one span takes at most; any other, or an unknown one, has no bound."""
    profile = profiles.get(table.source)
    if profile is None or len(table.spans) > 1:
        return math.inf
    return table.rows * sum(map(widest, profile.columns.values()))


def _profiles(run: Run) -> dict[str, TableProfile]:
    return run.load("profiles.json", Profiles).tables if (run.folder / "profiles.json").exists() else {}
