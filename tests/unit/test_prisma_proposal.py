"""The change to schema.prisma: whatever type, index or enum is decided, the changed schema asks for exactly that."""

from pathlib import Path

import msgspec
import pytest

from zenni_tui.application import prisma, prisma_plan, prisma_proposal
from zenni_tui.model.plan import (
    ColumnPlan,
    Default,
    DefaultKind,
    EnumPlan,
    IndexPlan,
    Kind,
    Plan,
    TargetType,
    parse_type,
)

HEAD = 'datasource store {\n  provider = "sqlite"\n}\n'
MODEL = """
model Note {
  id    Int    @id @default(autoincrement())
  body  String? // the text
  when  DateTime? @db.Timestamp(3)
  tone  String @default("calm \\"water\\"") @map("tone_of")
  @@map("notes")
}
"""
TYPES = (
    "varchar(20)",
    "char(3)",
    "smallint",
    "integer",
    "bigint",
    "real",
    "double precision",
    "numeric(12,4)",
    "numeric(65,30)",
    "boolean",
    "timestamp(3)",
    "timestamp(6)",
    "timestamptz(3)",
    "date",
    "time",
    "time(3)",
    "bytea",
    "json",
    "jsonb",
    "uuid",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a schema of two files in one folder."""
    (tmp_path / "base.prisma").write_text(HEAD)
    (tmp_path / "notes.prisma").write_text(MODEL)
    return tmp_path


def _planned(path: Path) -> Plan:
    return prisma_plan.target_plan(prisma.read_schema(path))


def _with(plan: Plan, column: str, **changes: object) -> Plan:
    (table,) = plan.tables
    columns = tuple(msgspec.structs.replace(c, **changes) if c.name == column else c for c in table.columns)
    return msgspec.structs.replace(plan, tables=(msgspec.structs.replace(table, columns=columns),))


def _applied(path: Path, plan: Plan) -> Plan:
    """Return the plan of the schema that is proposed for a plan."""
    for file, text in prisma_proposal.proposed(path, prisma.read_schema(path), plan).items():
        Path(file).write_text(text)
    return _planned(path)


@pytest.mark.parametrize("column", ["body", "when"])
@pytest.mark.parametrize("word", TYPES)
def test_any_type_has_its_words(path: Path, word: str, column: str) -> None:
    """A column of any type that can be chosen reads back as that type, and everything else stays as it was."""
    plan = _with(_planned(path), column, type=parse_type(word))
    assert _applied(path, plan) == plan
    assert "// the text" in (path / "notes.prisma").read_text()


def test_an_enum_takes_its_default_along(path: Path) -> None:
    """Labels and a name that Prisma's language can't hold are mapped, and the default names its label's value."""
    labels = ('calm "water"', "calm_water", "9th", "storm")
    kind = TargetType(Kind.ENUM, enum="notes-tone")
    plan = _with(_planned(path), "tone_of", type=kind)
    plan = msgspec.structs.replace(plan, enums=(EnumPlan("notes-tone", labels),))
    assert _applied(path, plan) == plan


def test_new_columns_and_indexes_stand_in_the_model(path: Path) -> None:
    """What is added to the table is added to its model, by the fields' names, with a name where it isn't Prisma's."""
    before = _planned(path)
    (table,) = before.tables
    table = msgspec.structs.replace(table, columns=(*table.columns, ColumnPlan(None, "extra", TargetType(Kind.JSONB))))
    indexes = (
        IndexPlan("notes_when_tone_of_idx", "notes", ("when", "tone_of"), unique=False, descending=(True, False)),
        IndexPlan("its own", "notes", ("body",), unique=True, descending=(False,)),
    )
    plan = msgspec.structs.replace(before, tables=(table,), indexes=indexes)
    made = _applied(path, plan)
    assert [(c.name, c.type, c.not_null) for c in made.tables[0].columns][-1] == (
        "extra",
        TargetType(Kind.JSONB),
        False,
    )
    assert made.indexes == indexes


def test_a_default_of_a_date_is_the_servers(path: Path) -> None:
    """A text's default that would be no default of a DateTime stays the database's own."""
    plan = _with(_planned(path), "tone_of", type=parse_type("time"), default=Default(DefaultKind.LITERAL, "09:00"))
    (column,) = (c for c in _applied(path, plan).tables[0].columns if c.name == "tone_of")
    assert (column.type, column.default) == (parse_type("time"), Default(DefaultKind.EXPRESSION, "'09:00'"))


def test_nothing_is_proposed_for_prismas_own_plan(path: Path) -> None:
    """Without a decision there is no change; with one the provider changes too; what can't be said is told."""
    schema, plan = prisma.read_schema(path), _planned(path)
    assert not prisma_proposal.difference(path, schema, plan)
    changed = prisma_proposal.difference(path, schema, _with(plan, "body", type=parse_type("jsonb")))
    assert '+  provider = "postgresql"' in changed
    assert "+  body  Json? // the text" in changed
    partial = IndexPlan("part", "notes", ("body",), where='"body" IS NOT NULL')
    assert 'The index "part" has no words' in prisma_proposal.difference(
        path, schema, msgspec.structs.replace(plan, indexes=(partial,))
    )
