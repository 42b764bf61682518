"""verify: every value of every row against the snapshot, and every rule against the plan, by a reading of its own."""

import asyncio

from zenni_tui.compare import records, structure
from zenni_tui.compare.session import pin_session
from zenni_tui.errors import StepFailed
from zenni_tui.model import events as e
from zenni_tui.model.plan import Plan, Span
from zenni_tui.model.record import Record, to_json
from zenni_tui.model.runbook import StepId, TableVerdict

from . import assertions
from .meter import Meter
from .pool import Pool
from .run import Run, Step
from .workers import TableEnd, close_table, compare_span


class _Tally(Record, frozen=True):
    source: int = 0
    differing: int = 0
    repaired: int = 0


class Verify(Step):
    """Rows by their key in the spans they were copied in, then counts of both sides, then structure."""

    id = StepId.VERIFY

    async def run(self, run: Run) -> str:
        """Compare everything; raises StepFailed with the first difference when there is one."""
        plan = run.plan()
        keys = {t.name: plan.row_key(t) for t in plan.tables}
        self._differences: list[records.Difference] = []
        tallies = await self._rows(run, plan, keys)
        compared = await self._counts(run, plan, keys, tallies)
        rules = await asyncio.to_thread(_structure, run, plan)
        for line in rules.differences:
            run.check(self.id, line.object, line.message, ok=False)
        held = await asyncio.to_thread(_assertions, run, plan)
        if held:
            run.check(self.id, "assertions", f"{held} find the same on both sides")
        run.check(
            self.id,
            "structure",
            f"{rules.checks:,} checks, {len(rules.differences)} differences",
            ok=not rules.differences,
        )
        await asyncio.to_thread(self._keep, run)
        if any(t.verdict is not TableVerdict.IDENTICAL for t in compared) or rules.differences:
            raise self._failure(run, compared, rules)
        rows = sum(t.rows_source for t in compared)
        return f"{rows:,} rows of {len(compared)} tables identical, {rules.checks:,} structure checks passed"

    async def _rows(self, run: Run, plan: Plan, keys: dict[str, tuple[str, ...]]) -> dict[str, _Tally]:
        tallies = {t.name: _Tally() for t in plan.tables}
        keyed = [t for t in plan.tables if keys[t.name]]
        meter, total = Meter(run, self.id), plan.rows

        def done(result: records.SpanComparison, name: str, _: object, span: Span) -> None:
            tally = tallies[name]
            tallies[name] = _Tally(
                tally.source + result.rows_source,
                tally.differing + result.rows_differing,
                tally.repaired + result.rows_repaired,
            )
            self._differences += result.differences
            run.tell(e.TableProgress(self.id, name, tallies[name].source, plan.table(name).rows))
            meter.add(span.rows, total, name)

        jobs = ((t.name, keys[t.name], s) for t in keyed for s in t.spans)
        await Pool.of(run).each(jobs, compare_span, done)
        return tallies

    async def _counts(
        self, run: Run, plan: Plan, keys: dict[str, tuple[str, ...]], tallies: dict[str, _Tally]
    ) -> list[e.TableCompared]:
        compared: list[e.TableCompared] = []

        def done(result: TableEnd, name: str, *_: object) -> None:
            self._differences += result.differences
            tally = tallies[name]
            wrong = tally.differing + result.rows_differing
            short = keys[name] and tally.source != plan.table(name).rows
            equal = result.rows_source - result.rows_quarantined == result.rows_target
            whole = equal and not wrong and not short and result.rows_source == plan.table(name).rows
            event = e.TableCompared(
                name,
                result.rows_source,
                result.rows_target,
                wrong,
                TableVerdict.IDENTICAL if whole else TableVerdict.DIFFERS,
                "",
                tally.repaired + result.rows_repaired,
                result.rows_quarantined,
            )
            run.tell(event)
            compared.append(event)

        await Pool.of(run).each(((t.name, keys[t.name], run.folder) for t in plan.tables), close_table, done)
        return compared

    def _keep(self, run: Run) -> None:
        run.write("differences.jsonl", b"".join(to_json(d) + b"\n" for d in self._differences))

    def _failure(self, run: Run, compared: list[e.TableCompared], rules: records.StructureComparison) -> StepFailed:
        wrong = [t for t in compared if t.verdict is not TableVerdict.IDENTICAL]
        first = self._differences[0] if self._differences else None
        why = "; ".join(d.message for d in rules.differences[:2])
        if first is not None:
            why = (
                f"{first.kind}: key {first.key}, column {first.column}: {first.source_value!r} in the source,"
                f" {first.target_value!r} in the target. {why}"
            )
        return StepFailed(
            f"Verification found differences: {len(wrong)} tables, {len(rules.differences)} rules.",
            where=", ".join(t.table for t in wrong)[:200] or "structure",
            why=why,
            next_step=f"All of them: {run.folder / 'differences.jsonl'}. Don't switch; roll back, or verify again.",
        )


def _structure(run: Run, plan: Plan) -> records.StructureComparison:
    with run.to.connect() as connection:
        pin_session(connection)
        return structure.compare_structure(connection, plan)


def _assertions(run: Run, plan: Plan) -> int:
    if not run.request.assertions:
        return 0
    with run.to.connect() as connection:
        pin_session(connection)
        return assertions.on_target(run, connection, plan)
