"""audit: what the columns really hold, and every value, by key, that has no faithful form in PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import Iterable

from zenni_tui.convert import types
from zenni_tui.model.findings import SHOWN_KEYS, Finding, Severity
from zenni_tui.model.plan import ColumnPlan, Plan, Span, TablePlan
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import ColumnProfile, SourceTable, TableProfile
from zenni_tui.source import audit, database, reader

from .meter import Meter
from .run import Profiles, Run, Step, finding_id
from .workers import Pool, Trouble, check_span, profile_span

_ADVICE = {
    "text_nul": "Remove the NUL characters in the source.",
    "text_not_utf8": "Write the text anew in UTF-8 in the source.",
    "enum_unknown": "Correct the value, or add the label to the enum in schema.prisma.",
    "not_an_integer": "Correct the value, or declare the column TEXT.",
    "not_a_boolean": "Correct the value to 0 or 1.",
    "date_too_fine": "Cut the value to milliseconds in the source, or plan a finer type.",
    "date_unreadable": "Write the date as YYYY-MM-DDTHH:MM:SS.mmm+00:00 or as milliseconds since 1970.",
}


class Audit(Step):
    """Two passes: a fast profile of everything, then value by value where the profile can't decide."""

    id = StepId.AUDIT

    async def run(self, run: Run) -> str:
        """Profile, draft the plan, try the doubtful columns, look for orphans; raises nothing for what it finds."""
        profiles = await self._profile(run)
        await asyncio.to_thread(run.save, "profiles.json", profiles)
        plan, findings = await asyncio.to_thread(run.draft, profiles)
        run.find(self.id, findings)
        await self._try(run, plan, profiles)
        run.find(self.id, _empty_keys(plan, profiles))
        orphans, keys = await asyncio.to_thread(_orphans, run, plan)
        run.find(self.id, orphans, keys)
        counts = {s: sum(f.severity is s for f in run.state().findings) for s in Severity}
        return ", ".join(f"{n} {s}" for s, n in counts.items() if n) or "no findings"

    async def _profile(self, run: Run) -> Profiles:
        tables = {t.name: t for t in run.schema().tables}
        spans = await asyncio.to_thread(_spans, run, tables.values())
        total, meter = sum(t.rows for t in tables.values()), Meter(run, self.id)
        gathered = {t.name: dict.fromkeys((c.name for c in t.columns), ColumnProfile()) for t in tables.values()}

        def done(result: dict[str, ColumnProfile], name: str, span: Span) -> None:
            for column, profile in result.items():
                gathered[name][column] = audit.merge(gathered[name][column], profile)
            meter.add(span.rows, total, name)

        await Pool.of(run).each(((n, s) for n in tables for s in spans[n]), profile_span, done)
        made = {n: TableProfile(n, tables[n].rows, columns) for n, columns in gathered.items()}
        return Profiles(made, {n: s for n, s in spans.items() if s})

    async def _try(self, run: Run, plan: Plan, profiles: Profiles) -> None:
        jobs = list(_doubtful(plan, profiles))
        total, meter = sum(t.rows for t, _ in jobs), Meter(run, self.id, unit="rows tried")
        found: dict[tuple[str, str, str, str], list[str]] = {}

        def done(result: list[Trouble], name: str, _: object, __: object, span: Span) -> None:
            for t in result:
                found.setdefault((name, t.column, t.code, t.reason), []).extend(t.keys)
            meter.add(span.rows, total, name)

        await Pool.of(run).each(
            ((t.source, columns, plan.enums, s) for t, columns in jobs for s in t.spans), check_span, done
        )
        types_of = {(t.source, c.source): c.type for t in plan.tables for c in t.columns}
        findings = [_finding(where, keys, str(types_of[where[0], where[1]])) for where, keys in found.items()]
        run.find(self.id, findings, {finding_id(f): k for f, k in zip(findings, found.values(), strict=True)})


def _spans(run: Run, tables: Iterable[SourceTable]) -> dict[str, tuple[Span, ...]]:
    snapshot = database.open_frozen(run.snapshot)
    try:
        return {t.name: reader.spans(snapshot, t, run.request.chunk_rows) for t in tables}
    finally:
        snapshot.close()


def _doubtful(plan: Plan, profiles: Profiles) -> Iterable[tuple[TablePlan, list[ColumnPlan]]]:
    for table in plan.tables:
        known = profiles.tables[table.source].columns
        columns = [c for c in table.carried if not types.conclusive(c.type.kind, known[c.source or ""])]
        if columns:
            yield table, columns


def _finding(where: tuple[str, str, str, str], keys: list[str], kind: str) -> Finding:
    table, column, code, reason = where
    values = "1 value" if len(keys) == 1 else f"{len(keys):,} values"
    return Finding(
        code,
        Severity.ERROR,
        f'{values} of "{table}"."{column}" can\'t become {kind}: {reason}.',
        _ADVICE.get(code, "Correct these rows in the source, or exclude the table in the config."),
        table,
        column,
        len(keys),
        tuple(keys[:SHOWN_KEYS]),
    )


def _empty_keys(plan: Plan, profiles: Profiles) -> Iterable[Finding]:
    for table in plan.tables:
        known = profiles.tables[table.source].columns
        for column in table.carried:
            nulls = known[column.source or ""].nulls
            if column.not_null and nulls:
                yield Finding(
                    "null_in_not_null",
                    Severity.ERROR,
                    f'{nulls:,} rows of "{table.source}" hold NULL in "{column.source}", which must not be NULL there.',
                    "Give these rows a value in the source, or make the column optional in schema.prisma.",
                    table.source,
                    column.source,
                    nulls,
                )


def _orphans(run: Run, plan: Plan) -> tuple[list[Finding], dict[str, list[str]]]:
    findings: list[Finding] = []
    all_keys: dict[str, list[str]] = {}
    carried = {t.source for t in plan.tables}
    snapshot = database.open_frozen(run.snapshot)
    try:
        for table in run.schema().tables:
            if table.name in carried and table.foreign_keys:
                for finding, keys in _violations(snapshot, table):
                    all_keys[finding_id(finding)] = keys
                    findings.append(finding)
    finally:
        snapshot.close()
    return findings, all_keys


def _violations(snapshot: sqlite3.Connection, table: SourceTable) -> Iterable[tuple[Finding, list[str]]]:
    found: dict[tuple[int, str], list[int]] = {}
    try:
        # Table by table: one malformed foreign key ends the whole check.
        for _, rowid, parent, number in snapshot.execute(f"PRAGMA foreign_key_check({database.quoted(table.name)})"):
            found.setdefault((number, parent), []).append(rowid)
    except sqlite3.OperationalError as error:
        yield _malformed(table.name, str(error)), []
        return
    for (number, parent), rowids in found.items():
        columns = table.foreign_keys[len(table.foreign_keys) - 1 - number].columns
        keys = [_key_of(snapshot, table, r) for r in rowids]
        yield _orphan(table.name, columns, parent, keys), keys


def _malformed(table: str, why: str) -> Finding:
    return Finding(
        "foreign_key_malformed",
        Severity.ERROR,
        f'The foreign keys of "{table}" can\'t be checked: {why}.',
        "Make the referenced columns a primary key or unique in a copy of the source, or exclude the table.",
        table,
        None,
        1,
    )


def _key_of(snapshot: sqlite3.Connection, table: SourceTable, rowid: int | None) -> str:
    name = reader.rowid_name(table)
    if not table.key or name is None or rowid is None:
        return f"rowid {rowid}"
    columns = ", ".join(database.quoted(c) for c in table.key)
    sql = f"SELECT {columns} FROM {database.quoted(table.name)} WHERE {name} = ?"  # noqa: S608 - quoted names
    return ", ".join(map(str, snapshot.execute(sql, (rowid,)).fetchone()))


def _orphan(table: str, columns: tuple[str, ...], parent: str, keys: list[str]) -> Finding:
    rows = "1 row" if len(keys) == 1 else f"{len(keys):,} rows"
    return Finding(
        "foreign_key_orphans",
        Severity.ERROR,
        f'{rows} of "{table}" refer by "{", ".join(columns)}" to a row of "{parent}" that does not exist.',
        "Restore the missing parents, or correct or delete these rows in the source.",
        table,
        columns[0],
        len(keys),
        tuple(keys[:SHOWN_KEYS]),
    )
