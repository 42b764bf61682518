"""A plan of three tables, and the files that the plan step leaves in a run's directory for it."""

from ui_stories import Story

from zenni_tui.engine import folders
from zenni_tui.model import events as e
from zenni_tui.model.choices import Alternatives
from zenni_tui.model.plan import (
    CheckPlan,
    ColumnPlan,
    Default,
    DefaultKind,
    IndexPlan,
    KeyPlan,
    Kind,
    NotMigrated,
    Plan,
    TablePlan,
    TargetType,
    ValueRepair,
)
from zenni_tui.model.record import to_json
from zenni_tui.model.schema import SourceColumn, SourceSchema, SourceTable
from zenni_tui.target import ddl


def a_plan(amount: Kind = Kind.INTEGER) -> Plan:
    """Return a plan of three tables."""
    text_type, repair = TargetType(Kind.TEXT), ValueRepair("text_nul", "strip_nul")
    key = ColumnPlan("id", "id", TargetType(Kind.INTEGER), not_null=True)
    booking = TablePlan(
        "Booking",
        "Booking",
        (
            key,
            ColumnPlan("notes", "notes", text_type, repairs=(repair,)),
            ColumnPlan(
                "at", "starts_at", TargetType(Kind.TIMESTAMPTZ, 3), not_null=True, default=Default(DefaultKind.NOW)
            ),
            ColumnPlan("total", "total", TargetType(Kind.NUMERIC, 10, 2), generated='"price" * "count"'),
        ),
        KeyPlan("Booking_pkey", ("id",)),
        610_000,
        checks=(CheckPlan("positive", "total > 0"),),
        quarantine=(4, 9),
    )
    payment = TablePlan("Payment", "payments", (key, ColumnPlan("amount", "amount", TargetType(amount))), None, 184_002)
    user = TablePlan("User", "User", (key,), KeyPlan("User_pkey", ("id",)), 12_400)
    index = IndexPlan("Booking_notes_idx", "Booking", ("notes",))
    return Plan(
        "public", (booking, payment, user), (), (index,), (), (NotMigrated("_prisma_migrations", 7, "by rule"),)
    )


def declared() -> SourceSchema:
    """Return what the source declares of the plan's first table."""
    columns = (SourceColumn("id", "INTEGER", key_position=1), SourceColumn("notes", "VARCHAR(200)", default="''"))
    return SourceSchema((SourceTable("Booking", columns),))


def keep(story: Story, plan: Plan) -> e.PlanMade:
    """Write plan, SQL and schema into a run directory as the plan step does; return what the engine tells."""
    (story.folder / folders.PLAN).write_bytes(to_json(plan))
    (story.folder / folders.DDL).write_text(ddl.script(plan))
    (story.folder / folders.SCHEMA).write_bytes(to_json(declared()))
    (story.folder / folders.TYPES).write_bytes(to_json(Alternatives({"Booking": {"notes": ("jsonb", "json")}})))
    return e.PlanMade(plan.hash, tuple(e.TableNames(t.source, t.name, t.rows) for t in plan.tables))
