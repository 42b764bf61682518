"""Finds the few rows in which large tables differ: a second reading in groups, then only the groups that differ."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from zenni_tui.compare import groups, records
from zenni_tui.compare.digest import Part, Piece
from zenni_tui.model.plan import Plan, Span, TablePlan
from zenni_tui.model.record import Record
from zenni_tui.model.runbook import StepId
from zenni_tui.source.reader import rowid_name

from .meter import Meter
from .pool import Pool
from .run import Run
from .workers import compare_span, group_part

_WORTH_ROWS = 20_000
"""Smaller tables are compared row by row in less time than a second reading takes."""
_FEW = groups.GROUPS // 8
"""With more groups that differ than this, nearly as much would be left to compare as there was."""

Keys = Mapping[str, tuple[str, ...]]


class Narrowed(Record, frozen=True):
    """One table's groups that differ, the target's rows in them, and what the comparison of each row in them found."""

    chosen: tuple[str, ...]
    rows_target: int
    rows_found: int = 0
    rows_differing: int = 0
    rows_surplus: int = 0
    differences: tuple[records.Difference, ...] = ()

    def __add__(self, span: records.SpanComparison) -> "Narrowed":
        return Narrowed(
            self.chosen,
            self.rows_target,
            self.rows_found + span.rows_found,
            self.rows_differing + span.rows_differing,
            self.rows_surplus + span.rows_surplus,
            self.differences + span.differences,
        )

    @property
    def all_found(self) -> bool:
        """Return whether the target has no rows in these groups but those of the source."""
        return self.rows_found == self.rows_target and not self.rows_surplus

    @property
    def explained(self) -> bool:
        """Return whether something was found that makes the digests differ."""
        return self.rows_differing > 0 or not self.all_found


def worth(run: Run, plan: Plan, digests: Mapping[str, Part], keys: Keys) -> list[TablePlan]:
    """Return the tables that differ, whose rows have keys and rowids, and that are large enough for it."""
    schema = run.schema()
    unequal = (t for t in plan.tables if digests[t.name].differs and keys[t.name] and t.rows >= _WORTH_ROWS)
    return [t for t in unequal if (declared := schema.table(t.source)) and rowid_name(declared)]


async def narrow(
    run: Run, tables: Sequence[TablePlan], keys: Keys, pieces: Mapping[str, Sequence[Piece]]
) -> dict[str, Narrowed]:
    """Return what was found in tables, by name, without those whose differences are too many or can't be explained."""
    if not tables:
        return {}
    run.say(
        f"Not the same by their digests, now read in groups of rows: {', '.join(t.name for t in tables)}", "warning"
    )
    sides = await _grouped(run, tables, keys, pieces)
    found = {
        name: Narrowed(tuple(chosen), sum(both.target[g][0] for g in chosen if g in both.target))
        for name, both in sides.items()
        if len(chosen := groups.differing(both)) <= _FEW
    }
    await _compare(run, [t for t in tables if t.name in found], keys, found)
    return {name: one for name, one in found.items() if one.explained}


async def _grouped(
    run: Run, tables: Sequence[TablePlan], keys: Keys, pieces: Mapping[str, Sequence[Piece]]
) -> dict[str, groups.Sides]:
    made = {t.name: groups.Sides({}, {}) for t in tables}
    meter, total = Meter(run, StepId.VERIFY, unit="rows in groups"), sum(t.rows for t in tables)

    def done(result: groups.Sides, name: str, _: object, span: Span | None, __: object) -> None:
        groups.add(made[name].source, result.source)
        groups.add(made[name].target, result.target)
        meter.add(span.rows if span else 0, total, name)

    jobs = ((t.name, keys[t.name], *both) for t in tables for both in zip_longest(t.spans, pieces[t.name]))
    await Pool.of(run).each(jobs, group_part, done)
    return made


async def _compare(run: Run, tables: Sequence[TablePlan], keys: Keys, found: dict[str, Narrowed]) -> None:
    meter, total = Meter(run, StepId.VERIFY, unit="rows sifted"), sum(t.rows for t in tables)

    def done(result: records.SpanComparison, name: str, _: object, span: Span, __: object) -> None:
        found[name] += result
        meter.add(span.rows, total, name)

    jobs = ((t.name, keys[t.name], span, frozenset(found[t.name].chosen)) for t in tables for span in t.spans)
    await Pool.of(run).each(jobs, compare_span, done)
