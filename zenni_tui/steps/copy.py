"""copy: every row into the bare tables, span by span, each with its checkpoint."""

from collections.abc import Iterable

import msgspec

from zenni_tui.model import events as e
from zenni_tui.model.plan import Plan, Span, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.runbook import StepId
from zenni_tui.target import bookkeeping, load

from .meter import Meter
from .pool import Pool
from .run import Run, Step
from .workers import load_span


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
        self, run: Run, plan: Plan, tallies: dict[str, _Tally], missing: list[tuple[TablePlan, Span]]
    ) -> None:
        meter = Meter(run, self.id)
        meter.skip(sum(t.rows for t in tallies.values()))

        def done(result: load.Loaded, name: str, *_: object) -> None:
            tallies[name] = _add(tallies[name], result)
            tally = tallies[name]
            run.tell(
                e.TableProgress(self.id, name, tally.rows, plan.table(name).rows, tally.bytes, round(tally.seconds, 3))
            )
            meter.add(result.rows, plan.rows, name)

        ticket = load.Ticket(run.request.run_id, run.fence)
        await Pool.of(run).each(((t.name, s, ticket) for t, s in missing), load_span, done)

    async def undo(self, run: Run) -> str:  # noqa: ARG002 - the signature is every step's
        """Leave it to prepare, which drops the tables with their rows."""
        return "rows go with their tables"


def _add(tally: _Tally, loaded: load.Loaded) -> _Tally:
    return msgspec.structs.replace(
        tally,
        rows=tally.rows + loaded.rows,
        bytes=tally.bytes + loaded.bytes,
        seconds=tally.seconds + loaded.seconds,
    )


def _tallied(plan: Plan, there: dict[tuple[str, int], tuple[int, int]]) -> dict[str, _Tally]:
    tallies = {t.name: _Tally() for t in plan.tables}
    for (name, _), (rows, size) in there.items():
        tallies[name] = _add(tallies[name], load.Loaded(rows, size, 0.0))
    return tallies


def _arrived(run: Run) -> dict[tuple[str, int], tuple[int, int]]:
    with run.to.connect() as connection:
        return bookkeeping.checkpoints(connection, run.request.run_id)


def _missing(plan: Plan, there: dict[tuple[str, int], tuple[int, int]]) -> Iterable[tuple[TablePlan, Span]]:
    for table in sorted(plan.tables, key=lambda t: -t.rows):
        for span in table.spans:
            if (table.name, span.number) not in there:
                yield table, span
