"""audit: what the columns really hold, and every value, by key, that has no faithful form in PostgreSQL."""

import asyncio

import msgspec

from zenni_tui.convert import heeded, offers, planner, suspects, tried
from zenni_tui.convert.trial import Tried, Twins
from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Evidence, Severity
from zenni_tui.model.plan import ColumnPlan, Plan, Span, TablePlan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import TableProfile
from zenni_tui.source import database

from . import adopt, aftermath, assertions, integrity, mend, queries, shapes, shown_values
from .meter import Meter
from .pool import Pool
from .profiling import Profiling
from .run import SERVERS_WORD, Decided, Run, Step
from .workers import find_broken, find_twins, find_wide, try_span

_MENDING = frozenset({"type", "strip_nul", "utf8_replace", "utf8_latin1", "utf8_cp1252", "to_null", "to_value"})

_MANY_COLUMNS = 200
"""With fewer columns a row always fits a page, since each takes at most 18 bytes there, or 16 and alignment."""

_ROUNDS = 5
"""A repair may bring a new finding to light, whose repair may bring another; nothing real goes deeper."""


class Audit(Step):
    """Two passes: a fast profile of everything, then value by value where the profile can't decide."""

    id = StepId.AUDIT

    async def run(self, run: Run) -> str:
        """Profile, then draft and try the plan until no choice changes it; raises nothing for what it finds."""
        await asyncio.to_thread((run.folder / "findings.jsonl").unlink, missing_ok=True)
        profiles = await self._profiles(run)
        asked = run.choices()
        # What the server refused in the plan step is decided there; all else must be found here first.
        refused = {i: r for i, r in asked.repairs.items() if i.partition("/")[0].endswith(SERVERS_WORD)}
        active = msgspec.structs.replace(asked, repairs=refused)
        drafted, _ = await asyncio.to_thread(run.draft, profiles, active, {})
        there = await asyncio.to_thread(adopt.casts, run, drafted)
        active = msgspec.structs.replace(active, casts={**there, **active.casts})
        quarantine: dict[str, tuple[int, ...]] = {}
        seen: dict[str, Evidence] = {}
        widened: dict[str, Evidence] = {}
        fresh: dict[str, Evidence] = {}
        for _ in range(_ROUNDS):
            fresh = await self._round(run, profiles, active, quarantine)
            seen |= {i: e for i, e in fresh.items() if i not in seen}
            wider = {f"{t}.{c}": "numeric" for t, c in tried.too_narrow(fresh.values(), drafted)}
            if wider:
                seen = {i: e for i, e in seen.items() if f"{e.finding.table}.{e.finding.column}" not in wider}
                widened |= {e.finding.id: e for e in map(tried.widened, wider)}
                active = msgspec.structs.replace(active, casts={**wider, **active.casts})
                continue
            news = {i: c for i, e in seen.items() if i not in active.repairs and (c := asked.chosen(e.finding))}
            if not news:
                break
            active = active.with_repairs(news)
            quarantine = heeded.quarantined(seen, active)
        # What a round with the repair in force still finds has not been mended by it.
        unmended = [i for i in fresh if active.repairs.get(i, "").partition(":")[0] in _MENDING]
        active = active.without(unmended)
        # What no round finds any more, though nothing was chosen for it, went with what was chosen for another.
        seen = widened | {i: e for i, e in seen.items() if i in fresh or i in active.repairs}
        await asyncio.to_thread(run.save, "decided.json", Decided(asked, active, quarantine))
        seen = await asyncio.to_thread(shown_values.with_values, run, seen)
        self._tell(run, seen, active, asked)
        await asyncio.to_thread(_write_mend, run, seen)
        await asyncio.to_thread(queries.audit, run, profiles, active, quarantine)
        counts = {s: sum(f.severity is s for f in run.state().findings) for s in Severity}
        return ", ".join(f"{n} {s}" for s, n in counts.items() if n) or "no findings"

    def _tell(self, run: Run, seen: dict[str, Evidence], active: Choices, asked: Choices) -> None:
        heard = ((i, heeded.not_taken(e.finding, asked, active)) for i, e in seen.items())
        findings = [msgspec.structs.replace(f, chosen=active.repairs.get(i)) for i, f in heard]
        findings += heeded.unheeded(asked, active, run.schema())
        findings += heeded.casts(asked, run.schema())
        run.find(self.id, findings, {i: e.keys for i, e in seen.items() if e.keys})

    async def _round(
        self, run: Run, profiles: Profiles, choices: Choices, quarantine: dict[str, tuple[int, ...]]
    ) -> dict[str, Evidence]:
        plan, findings = await asyncio.to_thread(run.draft, profiles, choices, quarantine)
        found = [Evidence(f) for f in findings]
        found += await self._try(run, plan, profiles)
        found += await self._twins(run, plan, profiles)
        found += await self._wide(run, plan)
        found += await self._aftermath(run, plan)
        found += await asyncio.to_thread(_broken_rules, run, plan, profiles)
        found += await asyncio.to_thread(assertions.on_source, run)
        return tried.merged(found)

    async def _profiles(self, run: Run) -> Profiles:
        if (run.folder / "profiles.json").exists():
            return run.load("profiles.json", Profiles)
        tables = {t.name: t for t in run.schema().tables if t.problem is None}
        gathered = await Profiling.of(run).result(tables)
        made = {n: TableProfile(n, tables[n].rows, columns) for n, columns in gathered.profiles.items()}
        looks = await shapes.look(run, tables, made, gathered.spans)
        profiles = Profiles(made, {n: s for n, s in gathered.spans.items() if s}, looks)
        await asyncio.to_thread(run.save, "profiles.json", profiles)
        return profiles

    async def _try(self, run: Run, plan: Plan, profiles: Profiles) -> list[Evidence]:
        jobs = list(suspects.doubtful(plan, profiles.tables))
        total, meter = sum(t.rows for t, _ in jobs), Meter(run, self.id, unit="rows tried")
        results: dict[str, list[Tried]] = {t.source: [] for t in plan.tables}

        def done(result: Tried, name: str, *rest: object) -> None:
            results[name].append(result)
            span = rest[-1]
            assert isinstance(span, Span)  # noqa: S101 - the last part of a job
            meter.add(span.rows, total, name)

        spans = ((t.source, columns, plan.enums, s) for t, columns in jobs for s in t.spans)
        await Pool.of(run).each(spans, try_span, done)
        doubtful = {t.source: columns for t, columns in jobs}
        each = ((t, doubtful.get(t.source, []), results[t.source]) for t in plan.tables)
        return [found for one in each for found in tried.evidence(*one, plan, profiles.tables)]

    async def _wide(self, run: Run, plan: Plan) -> list[Evidence]:
        found: list[Evidence] = []

        def done(result: Twins, name: str, *_: object) -> None:
            if result.keys:
                table = next(t for t in plan.tables if t.source == name)
                finding = tried.too_wide(name, result.keys)
                apart = offers.with_quarantine(finding, plan, table, result.rowids, result.keys)
                found.append(Evidence(apart, result.keys, result.rowids))

        wide = (t for t in plan.tables if _MANY_COLUMNS < len(t.loaded) <= planner.MOST_COLUMNS)
        await Pool.of(run).each(((t.source, list(t.loaded), tried.ROW_BYTES) for t in wide), find_wide, done)
        return found

    async def _aftermath(self, run: Run, plan: Plan) -> list[Evidence]:
        found: list[Evidence] = []

        def done(result: tuple[aftermath.Broken, ...], table: TablePlan, *_: object) -> None:
            found.extend(aftermath.evidence(plan, table, result))

        await Pool.of(run).each(((t, plan.enums) for t in aftermath.concerned(plan)), find_broken, done)
        return found

    async def _twins(self, run: Run, plan: Plan, profiles: Profiles) -> list[Evidence]:
        found: list[Evidence] = []

        def done(result: Twins, name: str, columns: list[ColumnPlan], *_: object) -> None:
            if result.keys:
                table = next(t for t in plan.tables if t.source == name)
                finding = tried.duplicates(name, columns, result)
                apart = offers.with_quarantine(finding, plan, table, result.rowids, result.keys)
                found.append(Evidence(apart, result.keys, result.rowids))

        jobs = ((t.source, c, plan.enums, run.folder) for t, c in suspects.risky_keys(plan, profiles.tables))
        await Pool.of(run).each(jobs, find_twins, done)
        return found


def _write_mend(run: Run, seen: dict[str, Evidence]) -> None:
    snapshot = database.open_frozen(run.snapshot)
    try:
        text = mend.script(snapshot, run.schema(), run.request.source, seen.values())
    finally:
        snapshot.close()
    if text:
        run.write("mend.sql", text.encode())
        run.check(StepId.AUDIT, "mending", f"proposals for the source: {run.folder / 'mend.sql'}", ok=None)


def _broken_rules(run: Run, plan: Plan, profiles: Profiles) -> list[Evidence]:
    schema = run.schema()
    snapshot = database.open_frozen(run.snapshot)
    try:
        return [
            *integrity.no_tables(plan),
            *integrity.empty_keys(snapshot, schema, plan, profiles.tables),
            *integrity.exhausted_counters(plan, profiles.tables),
            *integrity.broken_checks(snapshot, schema, plan),
            *integrity.orphans(snapshot, schema, plan),
            *integrity.long_entries(snapshot, schema, plan, profiles.tables),
        ]
    finally:
        snapshot.close()
