"""verify: every value of every row against the snapshot, and every rule against the plan, by a reading of its own."""

import asyncio

from zenni_tui.compare import digest, records, structure
from zenni_tui.compare.session import pin_session
from zenni_tui.errors import StepFailed
from zenni_tui.model import events as e
from zenni_tui.model.plan import Plan, Span, TablePlan
from zenni_tui.model.record import Record, to_json
from zenni_tui.model.runbook import StepId, TableVerdict

from . import assertions, narrow
from .meter import Meter
from .pool import Pool
from .run import Run, Step
from .verified import Verified, forget
from .workers import TableEnd, close_groups, close_table, compare_span, count_table, digest_part


class _Tally(Record, frozen=True):
    source: int = 0
    repaired: int = 0
    differing: int = 0
    surplus: int = 0


class Verify(Step):
    """All rows by digests of both sides; one by one those that may differ; then counts and structure."""

    id = StepId.VERIFY

    async def run(self, run: Run) -> str:
        """Compare everything; raises StepFailed with the first difference when there is one."""
        plan = run.plan()
        keys = _keys(plan)
        self._differences: list[records.Difference] = []
        digests = await self._digests(run, plan)
        large = await asyncio.to_thread(narrow.worth, run, plan, digests, keys)
        narrowed = await narrow.narrow(run, large, keys, self._pieces)
        doubtful = [t for t in plan.tables if not digests[t.name].equal and t.name not in narrowed]
        tallies = await self._rows(run, doubtful, keys)
        tallies |= {n: _Tally(*_counted(d)) for n, d in digests.items() if n not in tallies}
        for name, one in narrowed.items():
            tallies[name] = _Tally(*_counted(digests[name]), one.rows_differing, one.rows_surplus)
            self._differences += one.differences
        compared = await self._counts(run, plan, tallies, digests, narrowed)
        rules = await run.insist("the catalogue", lambda: _structure(run, plan))
        for line in rules.differences:
            run.check(self.id, line.object, _told(line), ok=False)
        held = await run.insist("the assertions", lambda: _assertions(run, plan))
        if held:
            run.check(self.id, "assertions", f"{held} find the same on both sides")
        run.check(
            self.id,
            "structure",
            f"{rules.checks:,} checks, {len(rules.differences)} differences",
            ok=not rules.differences,
        )
        await asyncio.to_thread(self._keep, run)
        await asyncio.to_thread(forget, run)
        if any(t.verdict is not TableVerdict.IDENTICAL for t in compared) or rules.differences:
            raise self._failure(run, compared, rules)
        rows = sum(t.rows_source for t in compared)
        summary = f"{rows:,} rows of {len(compared)} tables identical, {rules.checks:,} structure checks passed"
        return f"{summary}{_open_to(plan)}"

    async def _digests(self, run: Run, plan: Plan) -> dict[str, digest.Part]:
        """Read everything on both sides; what an attempt before this one has read stands in its file."""
        known = await asyncio.to_thread(Verified, run, plan)
        pieces = self._pieces = known.pieces or await run.insist("the sizes of tables", lambda: _pieces(run, plan))
        await asyncio.to_thread(known.begin, pieces)
        rows = {t.name: 0 for t in plan.tables}
        for (name, _), part in known.parts.items():
            rows[name] += _counted(part)[0]
        meter = Meter(run, self.id)
        meter.skip(sum(rows.values()))

        def done(part: digest.Part, name: str, number: int, *_: object) -> None:
            known.keep(name, number, part)
            rows[name] += _counted(part)[0]
            run.tell(e.TableProgress(self.id, name, rows[name], plan.table(name).rows))
            meter.add(_counted(part)[0], plan.rows, name)

        await Pool.of(run).each(known.missing(), digest_part, done)
        return known.tables()

    async def _rows(self, run: Run, doubtful: list[TablePlan], keys: dict[str, tuple[str, ...]]) -> dict[str, _Tally]:
        tallies = {t.name: _Tally() for t in doubtful}
        meter, total = Meter(run, self.id, unit="rows one by one"), sum(t.rows for t in doubtful)
        if doubtful:
            run.say(f"Not the same by their digests, now compared value by value: {', '.join(tallies)}", "warning")

        def done(result: records.SpanComparison, name: str, _: object, span: Span) -> None:
            tally = tallies[name]
            tallies[name] = _Tally(
                tally.source + result.rows_source,
                tally.repaired + result.rows_repaired,
                tally.differing + result.rows_differing,
                tally.surplus + result.rows_surplus,
            )
            self._differences += result.differences
            meter.add(span.rows, total, name)

        jobs = ((t.name, keys[t.name], s) for t in doubtful if keys[t.name] for s in t.spans)
        await Pool.of(run).each(jobs, compare_span, done)
        return tallies

    async def _counts(
        self,
        run: Run,
        plan: Plan,
        tallies: dict[str, _Tally],
        digests: dict[str, digest.Part],
        narrowed: dict[str, narrow.Narrowed],
    ) -> list[e.TableCompared]:
        compared: list[e.TableCompared] = []
        keys = _keys(plan)
        named = {_row(d) for d in self._differences if d.column is None}

        def done(result: TableEnd, name: str, *_: object) -> None:
            self._differences += [d for d in result.differences if _row(d) not in named]
            tally = tallies[name]
            # The rows that only the target has are counted with those whose key it has twice.
            wrong = tally.differing + max(0, result.rows_differing - tally.surplus)
            short = (keys[name] or digests[name].equal) and tally.source != plan.table(name).rows
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

        there = {n: d.target.rows for n, d in digests.items()}
        extra = {n: one for n, one in narrowed.items() if not one.all_found}
        sound = [n for n, d in digests.items() if d.equal or n in narrowed.keys() - extra.keys()]
        await Pool.of(run).each(((n, there[n]) for n in sound), count_table, done)
        parts = ((n, keys[n], one.chosen, there[n], run.folder) for n, one in extra.items())
        await Pool.of(run).each(parts, close_groups, done)
        others = ((n, keys[n], run.folder) for n in digests if n not in {*sound, *extra})
        await Pool.of(run).each(others, close_table, done)
        return compared

    def _keep(self, run: Run) -> None:
        run.write("differences.jsonl", b"".join(to_json(d) + b"\n" for d in self._differences))

    def _failure(self, run: Run, compared: list[e.TableCompared], rules: records.StructureComparison) -> StepFailed:
        wrong = [t for t in compared if t.verdict is not TableVerdict.IDENTICAL]
        first = self._differences[0] if self._differences else None
        why = " ".join(f"{d.object}: {_told(d)}" for d in rules.differences[:2])
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


def _told(difference: records.StructureDifference) -> str:
    return f"{difference.message} Planned: {difference.expected}; found: {difference.found}."


def _keys(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {t.name: plan.row_key(t) for t in plan.tables}


def _row(difference: records.Difference) -> tuple[str, str, records.DifferenceKind]:
    return difference.table, difference.key, difference.kind


def _counted(part: digest.Part) -> tuple[int, int]:
    """Return how many rows were read of the source, those in quarantine included, and how many had been repaired."""
    return part.source.digest.rows + part.source.rows_quarantined, part.source.rows_repaired


def _pieces(run: Run, plan: Plan) -> dict[str, tuple[digest.Piece, ...]]:
    with run.to.connect() as connection:
        pin_session(connection)
        return digest.pieces(connection, plan.schema, {t.name: len(t.spans) for t in plan.tables})


def _open_to(plan: Plan) -> str:
    roles = ", ".join(plan.access.open_to)
    return f"; WARNING: the tables are open to {roles} through the Data API (explain open_to_api)" if roles else ""


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
