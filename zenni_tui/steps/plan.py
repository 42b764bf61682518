"""plan: types, names, order; and the last moment at which nothing has been written."""

import asyncio

from zenni_tui.errors import NotReady
from zenni_tui.model import events as e
from zenni_tui.model.findings import Finding, Severity, blocking
from zenni_tui.model.plan import Plan as PlanRecord
from zenni_tui.model.runbook import StepId
from zenni_tui.target import catalogue, ddl

from . import dry_run
from .run import Decided, Profiles, Run, Step
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
        taken = await asyncio.to_thread(_collisions, run, plan)
        run.find(self.id, taken, {})
        if not taken:
            plan, refused = await asyncio.to_thread(dry_run.attempt, run, plan)
            run.find(self.id, refused, {})
        await asyncio.to_thread(run.save, "plan.json", plan)
        await asyncio.to_thread(run.write, "schema.sql", ddl.script(plan).encode())
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
        tables = tuple(e.TableNames(t.source, t.name, t.rows) for t in plan.tables)
        left = tuple(e.TableNames(n.name, n.rule, n.rows) for n in plan.not_migrated)
        run.tell(e.PlanMade(plan.hash, tables, left))
        origin = run.request.prisma_schema or "the file's own declarations"
        run.check(self.id, "types", f"from {origin}")
        run.check(self.id, "DDL", f"{run.folder / 'schema.sql'}")
        for left_out in plan.not_migrated:
            run.check(self.id, left_out.name, f"not migrated: {left_out.rule}", ok=None)


def _collisions(run: Run, plan: PlanRecord) -> list[Finding]:
    """Return a finding for each name that is already taken in the target."""
    engine = run.to.engine()
    wanted = {t.name for t in plan.tables} | {i.name for i in plan.indexes}
    wanted |= {t.key.name for t in plan.tables if t.key}
    taken = [r for r in catalogue.relations(engine, plan.schema) if r.name in wanted]
    findings = [_taken(plan.schema, r) for r in taken]
    types = catalogue.enum_names(engine, plan.schema)
    return findings + [_type_taken(plan.schema, n.name) for n in plan.enums if n.name in types]


def _taken(schema: str, relation: catalogue.Relation) -> Finding:
    kind = {"r": "table", "p": "table", "v": "view", "m": "view", "f": "foreign table", "i": "index", "S": "sequence"}
    thing = f'The target already has a {kind[relation.kind]} "{schema}"."{relation.name}"'
    code, state = ("target_table_filled", ", and it holds rows") if relation.filled else ("target_name_taken", "")
    return Finding(
        code,
        Severity.ERROR,
        f"{thing}{state}.",
        "Nothing of it is touched: empty the target yourself, or choose another schema or database.",
        relation.name,
        None,
        1,
    )


def _type_taken(schema: str, name: str) -> Finding:
    return Finding(
        "target_name_taken",
        Severity.ERROR,
        f'The target already has a type "{schema}"."{name}".',
        "Nothing of it is touched: drop it yourself, or choose another schema or database.",
        name,
        None,
        1,
    )
