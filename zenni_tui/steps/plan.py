"""plan: types, names, order; and the last moment at which nothing has been written."""

import asyncio
from pathlib import Path

import msgspec

from zenni_tui.application import prisma, prisma_proposal
from zenni_tui.convert.alternatives import alternatives
from zenni_tui.errors import NotReady
from zenni_tui.model import events as e
from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Severity, blocking
from zenni_tui.model.plan import Access, TablePlan
from zenni_tui.model.plan import Plan as PlanRecord
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.runbook import StepId
from zenni_tui.report.evidence import PROPOSAL
from zenni_tui.target import access, adopted, ddl

from . import adopt, dry_run
from .run import SERVERS_WORD, Decided, Run, Step
from .target import open_target


class Plan(Step):
    """Fixes the plan, or names everything that stands in its way, in one go."""

    id = StepId.PLAN

    async def run(self, run: Run) -> str:
        """Write plan.json and schema.sql; raises NotReady when a finding blocks."""
        decided = run.load("decided.json", Decided)
        plan, _ = await asyncio.to_thread(
            run.draft, run.load("profiles.json", Profiles), decided.choices, decided.quarantine
        )
        await open_target(run)
        plan, taken = await asyncio.to_thread(adopt.settle, run, plan)
        run.find(self.id, taken, {})
        plan, exposed = await asyncio.to_thread(_settle_access, run, plan, decided.choices)
        run.find(self.id, exposed, {})
        if not (taken or blocking(exposed)):
            plan, refused = await asyncio.to_thread(dry_run.attempt, run, plan)
            run.find(self.id, refused, {})
        run.find(self.id, _left_out_by_choice(decided.choices), {})
        await asyncio.to_thread(run.save, "plan.json", plan)
        await asyncio.to_thread(run.write, "schema.sql", ddl.script(plan).encode())
        await asyncio.to_thread(_propose, run, plan)
        profiles = run.load("profiles.json", Profiles)
        others = await asyncio.to_thread(alternatives, plan, profiles.tables, profiles.shapes)
        await asyncio.to_thread(run.save, "types.json", others)
        self._tell(run, plan)
        blockers = blocking(run.state().findings)
        if blockers:
            raise NotReady(
                f"{len(blockers)} findings stand in the way; nothing was written.",
                where=", ".join(sorted({f.table or f.code for f in blockers}))[:200],
                why=blockers[0].message,
                next_step=f"{blockers[0].advice} All findings with all keys: {run.folder / 'findings.jsonl'}",
            )
        return f"{len(plan.tables)} tables, {plan.rows:,} rows, {len(plan.indexes)} indexes, types from {plan.origin}"

    def _tell(self, run: Run, plan: PlanRecord) -> None:
        tables = tuple(e.TableNames(t.source, t.name, t.rows, _renamed(t)) for t in plan.tables)
        left = tuple(e.TableNames(n.name, n.rule, n.rows) for n in plan.not_migrated)
        run.tell(e.PlanMade(plan.hash, tables, left))
        origin = run.request.prisma_schema or "the file's own declarations"
        run.check(self.id, "types", f"from {origin}")
        run.check(self.id, "DDL", f"{run.folder / 'schema.sql'}")
        if plan.adopted:
            run.check(self.id, "adopted", f"empty in the target already: {', '.join(plan.adopted)}", ok=None)
        for left_out in plan.not_migrated:
            run.check(self.id, left_out.name, f"not migrated: {left_out.rule}", ok=None)


def _propose(run: Run, plan: PlanRecord) -> None:
    """Write the change to schema.prisma that the choices ask for, or nothing where they ask for none."""
    text = ""
    if run.request.prisma_schema is not None:
        path = Path(run.request.prisma_schema)
        text = prisma_proposal.difference(path, prisma.read_schema(path), plan)
    if text:
        run.write(PROPOSAL, text.encode())
        found = f"the change that these choices ask for: {run.folder / PROPOSAL}"
        advice = "zenni-tui updates proposes it with all else that the application needs"
        run.check(StepId.PLAN, "schema.prisma", found, ok=None, advice=advice)
    else:
        (run.folder / PROPOSAL).unlink(missing_ok=True)


def _settle_access(run: Run, plan: PlanRecord, choices: Choices) -> tuple[PlanRecord, tuple[Finding, ...]]:
    role = run.request.application_role
    with run.to.connect() as connection:
        state = adopted.look(connection, plan, role)
        plan = msgspec.structs.replace(plan, access=Access(secured=state.secured))
        plan, findings = access.settle(connection, plan, choices, role)
    if plan.access.row_security:
        state = msgspec.structs.replace(state, hidden=())
    return plan, (*findings, *adopted.findings(state, role))


def _left_out_by_choice(choices: Choices) -> list[Finding]:
    """Return what the server refused in an earlier round and the operator left out, so that the report lists it."""
    found = []
    for name, repair in choices.repairs.items():
        code, _, where = name.partition("/")
        if code.endswith(SERVERS_WORD) and code != access.OPEN:
            table, _, column = where.partition("/")
            text = f'What the server refused of "{table}" ({column}) is left out by choice.'
            found.append(Finding(code, Severity.ERROR, text, "", table, column or None, 1, chosen=repair))
    return found


def _renamed(table: TablePlan) -> tuple[e.ColumnNames, ...]:
    """Return all column names on both sides when the table's or a column's name changes."""
    pairs = tuple(e.ColumnNames(c.source or "", c.name) for c in table.carried)
    return pairs if table.source != table.name or any(c.source != c.target for c in pairs) else ()
