"""audit: what the columns really hold, and every value, by key, that has no faithful form in PostgreSQL."""

import asyncio
import difflib
import functools
from collections.abc import Iterable

import msgspec

from zenni_tui.convert import offers, planner, types
from zenni_tui.convert.trial import Tried, Trouble, Twins, worse
from zenni_tui.model.choices import NONE, Choices
from zenni_tui.model.findings import SHOWN_KEYS, Finding, Repair, Severity
from zenni_tui.model.plan import ColumnPlan, Kind, Plan, Span, TablePlan
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import ColumnProfile, SourceSchema, SourceTable, TableProfile
from zenni_tui.source import audit, database, reader

from . import adopt, assertions, integrity, mend
from .integrity import Evidence
from .meter import Meter
from .run import SERVERS_WORD, Decided, Profiles, Run, Step
from .workers import Pool, find_twins, find_wide, profile_span, try_span

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
        fresh: dict[str, Evidence] = {}
        for _ in range(_ROUNDS):
            fresh = await self._round(run, profiles, active, quarantine)
            seen |= {i: e for i, e in fresh.items() if i not in seen}
            wider = {f"{t}.{c}": "numeric" for t, c in _too_narrow(fresh.values(), drafted)}
            if wider:
                seen = {i: e for i, e in seen.items() if f"{e.finding.table}.{e.finding.column}" not in wider}
                seen |= {e.finding.id: e for e in map(_widened, wider)}
                active = msgspec.structs.replace(active, casts={**wider, **active.casts})
                continue
            news = {i: c for i, e in seen.items() if i not in active.repairs and (c := asked.chosen(e.finding))}
            if not news:
                break
            active = active.with_repairs(news)
            quarantine = _quarantined(seen, active)
        # What a round with the repair in force still finds has not been mended by it.
        unmended = [i for i in fresh if active.repairs.get(i, "").partition(":")[0] in _MENDING]
        active = active.without(unmended)
        await asyncio.to_thread(run.save, "decided.json", Decided(asked, active, quarantine))
        self._tell(run, seen, active, asked)
        await asyncio.to_thread(_write_mend, run, seen)
        counts = {s: sum(f.severity is s for f in run.state().findings) for s in Severity}
        return ", ".join(f"{n} {s}" for s, n in counts.items() if n) or "no findings"

    def _tell(self, run: Run, seen: dict[str, Evidence], active: Choices, asked: Choices) -> None:
        findings = [msgspec.structs.replace(e.finding, chosen=active.repairs.get(i)) for i, e in seen.items()]
        unused = {i: r for i, r in asked.repairs.items() if i not in active.repairs and r != NONE}
        findings += [_unused(i, r) for i, r in unused.items()]
        findings += [_unknown(n, run.schema()) for n in asked.named if not _is_there(n, run.schema())]
        run.find(self.id, findings, {i: e.keys for i, e in seen.items() if e.keys})

    async def _round(
        self, run: Run, profiles: Profiles, choices: Choices, quarantine: dict[str, tuple[int, ...]]
    ) -> dict[str, Evidence]:
        plan, findings = await asyncio.to_thread(run.draft, profiles, choices, quarantine)
        found = [Evidence(f) for f in findings]
        found += await self._try(run, plan, profiles)
        found += await self._twins(run, plan, profiles)
        found += await self._wide(run, plan)
        found += await asyncio.to_thread(_broken_rules, run, plan, profiles)
        found += await asyncio.to_thread(assertions.on_source, run)
        made: dict[str, Evidence] = {}
        for one in found:
            made.setdefault(one.finding.id, one)
        return made

    async def _profiles(self, run: Run) -> Profiles:
        if (run.folder / "profiles.json").exists():
            return run.load("profiles.json", Profiles)
        tables = {t.name: t for t in run.schema().tables if t.problem is None}
        spans = await asyncio.to_thread(_spans, run, tables.values())
        total, meter = sum(t.rows for t in tables.values()), Meter(run, self.id)
        gathered = {t.name: dict.fromkeys((c.name for c in t.columns), ColumnProfile()) for t in tables.values()}

        def done(result: dict[str, ColumnProfile], name: str, span: Span) -> None:
            for column, profile in result.items():
                gathered[name][column] = audit.merge(gathered[name][column], profile)
            meter.add(span.rows, total, name)

        await Pool.of(run).each(((n, s) for n in tables for s in spans[n]), profile_span, done)
        made = {n: TableProfile(n, tables[n].rows, columns) for n, columns in gathered.items()}
        profiles = Profiles(made, {n: s for n, s in spans.items() if s})
        await asyncio.to_thread(run.save, "profiles.json", profiles)
        return profiles

    async def _try(self, run: Run, plan: Plan, profiles: Profiles) -> list[Evidence]:
        jobs = list(_doubtful(plan, profiles))
        total, meter = sum(t.rows for t, _ in jobs), Meter(run, self.id, unit="rows tried")
        tried: dict[str, list[Tried]] = {t.source: [] for t, _ in jobs}

        def done(result: Tried, name: str, *rest: object) -> None:
            tried[name].append(result)
            span = rest[-1]
            assert isinstance(span, Span)  # noqa: S101 - the last part of a job
            meter.add(span.rows, total, name)

        spans = ((t.source, columns, plan.enums, s) for t, columns in jobs for s in t.spans)
        await Pool.of(run).each(spans, try_span, done)
        return [e for t, columns in jobs for e in _evidence(t, columns, tried[t.source], plan, profiles)]

    async def _wide(self, run: Run, plan: Plan) -> list[Evidence]:
        found: list[Evidence] = []

        def done(result: Twins, name: str, *_: object) -> None:
            if result.keys:
                table = next(t for t in plan.tables if t.source == name)
                finding = _too_wide(name, result.keys)
                apart = integrity.with_quarantine(finding, plan, table, result.rowids, result.keys)
                found.append(Evidence(apart, result.keys, result.rowids))

        wide = (t for t in plan.tables if _MANY_COLUMNS < len(t.loaded) <= planner.MOST_COLUMNS)
        await Pool.of(run).each(((t.source, list(t.loaded), integrity.ROW_BYTES) for t in wide), find_wide, done)
        return found

    async def _twins(self, run: Run, plan: Plan, profiles: Profiles) -> list[Evidence]:
        found: list[Evidence] = []

        def done(result: Twins, name: str, columns: list[ColumnPlan], *_: object) -> None:
            if result.keys:
                table = next(t for t in plan.tables if t.source == name)
                finding = _equal(name, columns, result)
                apart = integrity.with_quarantine(finding, plan, table, result.rowids, result.keys)
                found.append(Evidence(apart, result.keys, result.rowids))

        jobs = ((t.source, c, plan.enums, run.folder) for t, c in _risky_keys(plan, profiles))
        await Pool.of(run).each(jobs, find_twins, done)
        return found


def _spans(run: Run, tables: Iterable[SourceTable]) -> dict[str, tuple[Span, ...]]:
    snapshot = database.open_frozen(run.snapshot)
    try:
        return {t.name: reader.spans(snapshot, t, run.request.chunk_rows) for t in tables}
    finally:
        snapshot.close()


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


def _doubtful(plan: Plan, profiles: Profiles) -> Iterable[tuple[TablePlan, list[ColumnPlan]]]:
    for table in plan.tables:
        known = profiles.tables[table.source].columns
        columns = [c for c in table.loaded if not types.conclusive(c.type, known[c.source or ""])]
        if columns:
            yield table, columns


def _risky_keys(plan: Plan, profiles: Profiles) -> Iterable[tuple[TablePlan, list[ColumnPlan]]]:
    """Yield unique keys whose different stored values may become equal ones."""
    keys = [(t.name, t.key.columns) for t in plan.tables if t.key]
    keys += [(i.table, i.columns) for i in plan.indexes if i.unique and all(i.columns) and i.where is None]
    for name, columns in keys:
        table = plan.table(name)
        parts = [table.column(c) for c in columns]
        known = profiles.tables[table.source].columns
        if all(p.generated is None for p in parts) and any(_merges(p, known[p.source or ""]) for p in parts):
            yield table, parts


def _merges(column: ColumnPlan, profile: ColumnProfile) -> bool:
    if column.repairs or column.zone:
        return True
    classes = (profile.integers > 0) + (profile.reals > 0) + (profile.texts > 0)
    if column.type.kind in (Kind.TEXT, Kind.VARCHAR, Kind.BYTEA, Kind.ENUM):
        return classes > 1
    return classes > 1 or profile.texts > 0


def _evidence(
    table: TablePlan, columns: list[ColumnPlan], tried: list[Tried], plan: Plan, profiles: Profiles
) -> Iterable[Evidence]:
    known = profiles.tables[table.source].columns
    by_source = {c.source: c for c in columns}
    merged: dict[tuple[str, str], list[Trouble]] = {}
    for trouble in (t for one in tried for t in one.troubles):
        merged.setdefault((trouble.column, trouble.code), []).append(trouble)
    referenced = any(k.parent == table.name for k in plan.foreign_keys)
    for (column, code), troubles in merged.items():
        keys = [k for t in troubles for k in t.keys]
        rowids = tuple(r for t in troubles for r in t.rowids)
        apart = len(rowids) == len(keys) and not referenced
        planned = by_source[column]
        reason = functools.reduce(worse, (t.reason for t in troubles))
        finding = offers.value_finding(table.source, planned, code, reason, keys, known[column], rowids=apart)
        yield Evidence(finding, tuple(keys), rowids)
    if plan.origin != "prisma":
        yield from _zones(table, by_source, tried)
    for name, planned in by_source.items():
        keys = [k for one in tried for k in one.doubled.get(name or "", ())]
        if keys:
            yield Evidence(_doubled(table, planned, keys), tuple(keys))


def _zones(table: TablePlan, columns: dict[str | None, ColumnPlan], tried: list[Tried]) -> Iterable[Evidence]:
    for name, column in columns.items():
        bare = sum(one.zoneless.get(name or "", 0) for one in tried)
        zoned = sum(one.zoned.get(name or "", 0) for one in tried)
        if bare and column.zone is None and column.type.kind is not Kind.DATE:
            yield Evidence(_zone_assumed(table, column, bare, zoned))


def _zone_assumed(table: TablePlan, column: ColumnPlan, bare: int, zoned: int) -> Finding:
    return Finding(
        "date_zone_assumed",
        Severity.WARNING if zoned else Severity.INFO,
        f'{bare:,} dates of "{table.source}"."{column.source}" name no time zone and are read as UTC, as SQLite does;'
        f" {zoned:,} name one.",
        "If they are local time, choose the zone, for example zone:Europe/Helsinki.",
        table.source,
        column.source,
        bare,
        (),
        (Repair("zone:", lossless=False, text="read them as local time of a zone: zone:NAME"),),
    )


def _doubled(table: TablePlan, column: ColumnPlan, keys: list[str]) -> Finding:
    return Finding(
        "json_duplicate_keys",
        Severity.ERROR,
        f'{len(keys):,} JSON values of "{table.source}"."{column.source}" name a key twice; jsonb keeps the last one.',
        "Mend the text in the source, or let the column become json, which keeps it as it is.",
        table.source,
        column.source,
        len(keys),
        tuple(keys[:SHOWN_KEYS]),
        (
            Repair("type:json", lossless=True, text="keep the text as it is: json"),
            Repair("type:text", lossless=True, text="keep the text as it is: text"),
            Repair("keep_last", lossless=False, text="let jsonb keep the last one"),
        ),
    )


def _equal(table: str, columns: list[ColumnPlan], twins: Twins) -> Finding:
    names = ", ".join(str(c.source) for c in columns)
    return Finding(
        "duplicate_under_target",
        Severity.ERROR,
        f'{len(twins.keys):,} rows of "{table}" have a unique key ({names}) that equals another row\'s once converted,'
        f" the first one that of {twins.others[0]}.",
        "Change or delete one row of each pair in the source.",
        table,
        columns[0].source,
        len(twins.keys),
        twins.keys[:SHOWN_KEYS],
        (Repair("type:text", lossless=True, text="keep the stored text: text"),) if len(columns) == 1 else (),
    )


def _too_wide(table: str, keys: tuple[str, ...]) -> Finding:
    return Finding(
        "row_too_wide",
        Severity.ERROR,
        f'{len(keys):,} rows of "{table}" need more than {integrity.ROW_BYTES:,} bytes in a page, even with all long'
        " values moved out of line.",
        "Leave columns behind, or split the table in a copy of the source.",
        table,
        None,
        len(keys),
        keys[:SHOWN_KEYS],
        (Repair("exclude", lossless=False, text="leave the table behind"),),
    )


def _too_narrow(found: Iterable[Evidence], plan: Plan) -> Iterable[tuple[str, str]]:
    """Yield declared columns whose values have more digits than the declaration: SQLite never heeded it."""
    if plan.origin == "prisma":
        return
    for one in found:
        table, column = one.finding.table, one.finding.column
        if one.finding.code == "number_too_precise" and table is not None and column is not None:
            planned = next(c for t in plan.tables if t.source == table for c in t.columns if c.source == column)
            if planned.type.kind is Kind.NUMERIC and planned.type.size is not None:
                yield table, column


def _widened(name: str) -> Evidence:
    table, _, column = name.rpartition(".")
    return Evidence(
        Finding(
            "type_widened",
            Severity.INFO,
            f'"{table}"."{column}" holds numbers with more digits than it declares; it becomes numeric.',
            "Nothing needs to be done; SQLite never heeded the declared digits.",
            table,
            column,
            1,
        )
    )


def _unused(finding: str, repair: str) -> Finding:
    return Finding(
        "choice_unused",
        Severity.WARNING,
        f'The choice "{finding}" = "{repair}" fits nothing that was found.',
        "Take it out of [schema.repairs], or see how the finding is spelled now.",
        finding,
        None,
        1,
    )


def _is_there(name: str, schema: SourceSchema) -> bool:
    table = schema.table(name)
    head, _, column = name.rpartition(".")
    owner = schema.table(head) if head else None
    return table is not None or (owner is not None and owner.column(column) is not None)


def _unknown(name: str, schema: SourceSchema) -> Finding:
    near = difflib.get_close_matches(name, [t.name for t in schema.tables], n=1)
    return Finding(
        "choice_unused",
        Severity.WARNING,
        f'The config speaks of "{name}", which is not in the file.',
        f'Did you mean "{near[0]}"?' if near else "Look at exclude, [schema.casts] and [schema.renames].",
        name,
        None,
        1,
    )


def _quarantined(seen: dict[str, Evidence], active: Choices) -> dict[str, tuple[int, ...]]:
    rows: dict[str, set[int]] = {}
    for name, one in seen.items():
        if active.repairs.get(name) == "quarantine" and one.finding.table is not None:
            rows.setdefault(one.finding.table, set()).update(one.rowids)
    return {table: tuple(sorted(ids)) for table, ids in rows.items()}
