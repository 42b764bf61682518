"""What the documents are made of: one migration's plan, its journal, its configuration, and nothing else."""

import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from zenni_tui.application import packages, project
from zenni_tui.model import events as e
from zenni_tui.model.plan import ColumnPlan, ForeignKeyPlan, IndexPlan, Plan, TablePlan
from zenni_tui.model.profiles import Profiles
from zenni_tui.model.record import from_json
from zenni_tui.model.request import Request
from zenni_tui.model.runbook import StepId
from zenni_tui.model.schema import ColumnProfile, SourceColumn, SourceSchema
from zenni_tui.model.state import RunState
from zenni_tui.model.upkeep import Upkeep
from zenni_tui.report.document import Line, Mono, Paragraph


@dataclass(frozen=True)
class Proof:
    """The last proof of a backup in words; `at` in seconds since 1970 UTC."""

    at: float
    words: str
    ok: bool


@dataclass(frozen=True)
class Facts:
    """One migration, and how its database is kept."""

    folder: Path
    state: RunState
    request: Request
    plan: Plan
    schema: SourceSchema
    profiles: Profiles
    upkeep: Upkeep
    dumps: str = ""
    """The folder of the dumps."""
    proof: Proof | None = None

    @cached_property
    def outward(self) -> dict[str, list[ForeignKeyPlan]]:
        """Return the references of each table that has any."""
        found: dict[str, list[ForeignKeyPlan]] = {}
        for key in self.plan.foreign_keys:
            found.setdefault(key.table, []).append(key)
        return found

    @cached_property
    def inward(self) -> dict[str, list[ForeignKeyPlan]]:
        """Return the references to each table that there are any to."""
        found: dict[str, list[ForeignKeyPlan]] = {}
        for key in self.plan.foreign_keys:
            found.setdefault(key.parent, []).append(key)
        return found

    @property
    def target(self) -> e.TargetFacts:
        """Return where the database is; an empty place for a run that never saw one."""
        return self.state.target or e.TargetFacts("", 5432, "", self.plan.schema)

    @property
    def throwaway(self) -> bool:
        """Return whether the run's database was an embedded one, which is gone with the run."""
        return self.target.embedded

    @cached_property
    def project(self) -> project.Project | None:
        """Return the application's project around the source, if there is one."""
        return project.find(Path(self.request.source))

    @cached_property
    def prisma(self) -> int | None:
        """Return the major version of Prisma, None without Prisma."""
        found = self.project
        return packages.prisma_version(found.folder) if found else None

    @property
    def role(self) -> str:
        """Return the role that the application logs in as."""
        return self.request.application_role or self.target.user

    def check(self, name: str, step: StepId = StepId.REACH) -> str:
        """Return what a check has found last, empty when it was not made."""
        seen = self.seen(name, step)
        return seen.found if seen else ""

    def seen(self, name: str, step: StepId) -> e.CheckMade | None:
        """Return a check as it was made last, None when it was not."""
        return next((c for c in reversed(self.state.step(step).checks) if c.name == name), None)

    def table(self, plan: TablePlan) -> tuple[SourceColumn | None, ...]:
        """Return the source's columns beside a planned table's."""
        source = self.schema.table(plan.source)
        return tuple(source.column(c.source) if source and c.source else None for c in plan.columns)

    def profile(self, plan: TablePlan, column: ColumnPlan) -> ColumnProfile:
        """Return what the source's column really held; an empty profile when nothing is known."""
        table = self.profiles.tables.get(plan.source)
        return (table.columns.get(column.source or "") if table else None) or ColumnProfile()

    def command(self, verb: str) -> str:
        """Return a command of this program that finds this migration's settings by itself."""
        config = self.upkeep.config
        return f"zenni-tui {verb} --config {quoted(config)}" if config else f"zenni-tui {verb}"


def quoted(word: str) -> str:
    """Return a word as a shell takes it."""
    return shlex.quote(word)


def read(folder: Path, state: RunState) -> Facts | None:
    """Return the facts that a run directory holds, None when it has no plan yet; raises OSError."""
    if not (folder / "plan.json").exists():
        return None
    request = from_json((folder / "request.json").read_bytes(), Request)
    return Facts(
        folder,
        state,
        request,
        from_json((folder / "plan.json").read_bytes(), Plan),
        from_json((folder / "schema.json").read_bytes(), SourceSchema),
        from_json((folder / "profiles.json").read_bytes(), Profiles),
        request.upkeep,
    )


def origin(facts: Facts) -> Paragraph:
    """Return the sentence with which every document says what it is of."""
    t, state = facts.target, facts.state
    where = "an embedded PostgreSQL, gone with its run" if facts.throwaway else f"{t.host}:{t.port}/{t.database}"
    return Paragraph(
        (
            "Made by zenni-tui from run ",
            Mono(state.run_id),
            f" ({state.kind}, {state.verdict or 'not ended'}): ",
            Mono(facts.request.source),
            f" to PostgreSQL {t.server_version or 'of an unknown version'} at {where}, schema ",
            Mono(facts.plan.schema),
            ". Made anew by ",
            Mono("zenni-tui documents"),
            "; what is changed here by hand is lost then.",
        )
    )


def name_of(index: IndexPlan) -> tuple[Line, ...]:
    """Return an index as a table's row: its name, what it is of, what kind it is."""
    expressions = index.expressions or (None,) * len(index.columns)
    descending = index.descending or (False,) * len(index.columns)
    parts = zip(index.columns, expressions, descending, strict=False)
    told = ", ".join(f"{e or c}{' DESC' if d else ''}" for c, e, d in parts)
    where = f" WHERE {index.where}" if index.where else ""
    return Mono(index.name), Mono(f"{told}{where}"), "unique" if index.unique else ""
