"""The plan made from a Prisma schema is what Prisma itself makes.

The expected SQL beside this file is the output of `prisma migrate diff --from-empty --script` of Prisma 7.10 for
PostgreSQL. Where a checkout of real project data lies beside the repository, it is compared too.
"""

import hashlib
from pathlib import Path

import pytest

from zenni_tui.application import prisma_baseline
from zenni_tui.application.prisma import SchemaUnreadable, read_schema
from zenni_tui.application.prisma_plan import target_plan
from zenni_tui.model.plan import Counter, Plan
from zenni_tui.model.record import from_json, to_json

GOLDEN = Path(__file__).with_name("test_prisma_golden")
SHARED = Path(__file__).parents[3] / "shared" / "data" / "prisma"

CASES = [(p, p.with_suffix(".sql")) for p in sorted(GOLDEN.glob("*.prisma"))]
CASES += [(SHARED / "schema.prisma", SHARED / "postgresql.ddl.sql")] if SHARED.is_dir() else []


@pytest.mark.parametrize(("schema", "expected"), CASES, ids=lambda p: p.stem)
def test_the_plan_is_prismas_own_ddl(schema: Path, expected: Path) -> None:
    """The baseline of the plan is what Prisma itself writes, to the byte; but for ASC, which is the default anyway."""
    text = prisma_baseline.script(target_plan(read_schema(schema)))
    assert text == expected.read_text(encoding="utf-8").replace('" ASC', '"')
    assert prisma_baseline.checksum(text) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(("schema", "expected"), CASES, ids=lambda p: p.stem)
def test_names_fit_postgresql(schema: Path, expected: Path) -> None:
    """No name made by Prisma's rules is longer than PostgreSQL keeps, and each is written in the expected SQL."""
    plan = target_plan(read_schema(schema))
    names = [i.name for i in plan.indexes] + [f.name for f in plan.foreign_keys]
    names += [t.key.name for t in plan.tables if t.key]
    sql = expected.read_text(encoding="utf-8")
    assert all(len(n.encode()) <= 63 and f'"{n}"' in sql for n in names)


def _plan_of(tmp_path: Path, body: str, head: str = 'provider = "sqlite"') -> Plan:
    path = tmp_path / "schema.prisma"
    path.write_text(f"datasource db {{\n{head}\n}}\n{body}", encoding="utf-8")
    return target_plan(read_schema(path))


def test_a_plan_knows_where_it_comes_from(tmp_path: Path) -> None:
    """A plan names its origin, feeds each column from the one of the same database name, and survives as JSON."""
    body = 'model A {\nid Int @id @map("the id")\n@@map("as")\n}\n'
    plan = _plan_of(tmp_path, body)
    table = plan.table("as")
    assert (plan.origin, plan.schema, plan.rows) == ("prisma", "public", 0)
    assert (table.source, table.columns[0].source, table.spans) == ("as", "the id", ())
    assert from_json(to_json(plan), Plan) == plan


def test_relation_mode_prisma_makes_no_foreign_keys(tmp_path: Path) -> None:
    """With `relationMode = "prisma"` the database has no foreign keys, relation tables included."""
    body = (
        'model A {\nid Int @id\nbs B[]\nm B[] @relation(name: "m")\n}\n'
        'model B {\nid Int @id\naid Int\na A @relation(fields: [aid], references: [id])\nm A[] @relation("m")\n}\n'
    )
    plan = _plan_of(tmp_path, body, 'provider = "sqlite"\nrelationMode = "prisma"')
    assert [t.name for t in plan.tables] == ["A", "B", "_m"]
    assert plan.foreign_keys == ()


def test_a_char_without_length_is_one_character(tmp_path: Path) -> None:
    """`@db.Char` is `character(1)`, as PostgreSQL's catalogue will say."""
    plan = _plan_of(tmp_path, "model A {\nid String @id @db.Char\n}\n", 'provider = "postgresql"')
    assert str(plan.table("A").columns[0].type) == "character(1)"


def test_a_counter_is_never_null(tmp_path: Path) -> None:
    """A serial column is NOT NULL in PostgreSQL even if the field is optional."""
    body = "model A {\nid Int @id\nn Int? @default(autoincrement())\n}\n"
    column = _plan_of(tmp_path, body, 'provider = "postgresql"').table("A").column("n")
    assert (column.not_null, column.counter, column.default) == (True, Counter.SERIAL, None)


def test_arguments_may_run_over_lines(tmp_path: Path) -> None:
    """Line ends and comments within brackets mean nothing."""
    body = 'model A {\nid Int\nb Int // one\n@@id([\n  id, // first\n\n  b,\n ],\n map: "k"\n)\n}'
    key = _plan_of(tmp_path, body).table("A").key
    assert key is not None
    assert (key.name, key.columns) == ("k", ("id", "b"))


REFUSED = {
    "money": ("id Int @id\nm Decimal @db.Money", "A.m has the native type @db.Money"),
    "timetz": ("id Int @id\nm DateTime @db.Timetz(3)", "A.m has the native type @db.Timetz"),
    "unsupported": ('id Int @id\nm Unsupported("circle")?', "A.m is Unsupported('circle')"),
    "list": ("id Int @id\nm String[]", "A.m is a list (String[])"),
    "unknown type": ("id Int @id\nm Strng", "A.m has the type Strng"),
    "bad enum": ("id Int @id\ne E @default(C)", "the default of A.e cannot be read"),
    "bad number": ("id Int @id\nm Int @default(1.5)", "the default of A.m cannot be read: '1.5'"),
    "bad base64": ('id Int @id\nm Bytes @default("a")', "the default of A.m cannot be read: 'a'"),
    "bad date": ('id Int @id\nm DateTime @default("today")', "the default of A.m cannot be read: 'today'"),
    "bad truth": ("id Int @id\nm Boolean @default(yes)", "the default of A.m cannot be read: 'yes'"),
    "function": ("id Int @id @default(sequence())", "the function sequence()"),
    "hash index": ("id Int @id\n@@index([id], type: Hash)", "an index of A has a type other than BTree"),
    "operator class": ('id Int @id\n@@index([id(ops: raw("x"))])', "has the argument `ops`"),
    "condition": ('id Int @id\n@@index([id], where: raw("id > 1"))', "has the argument `where`"),
    "full text": ("id String @id\n@@fulltext([id])", "has the attribute @fulltext"),
    "another schema": ('id Int @id\n@@schema("other")', "has the attribute @schema"),
    "no such field": ("id Int @id\n@@index([nope])", "the model A has no field nope"),
    "action": ("id Int @id\na A? @relation(fields: [id], references: [id], onDelete: Maybe)", "Maybe is no"),
    "no way back": ("id Int @id\nas A[]", "the relation A.as cannot be understood"),
    "no foreign side": ("id Int @id\na A? \nb A?", "no side of it names its `fields`"),
    "no such parent": ("id Int @id\na A? @relation(fields: [x], references: [id])", "A has no field x"),
}


@pytest.mark.parametrize(("fields", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_carried_is_refused_by_name(tmp_path: Path, fields: str, said: str) -> None:
    """Nothing is guessed or dropped: the error names the model, the field, the place and what to do."""
    with pytest.raises(SchemaUnreadable) as caught:
        _plan_of(tmp_path, f"enum E {{\nB\n}}\nmodel A {{\n{fields}\n}}\n")
    assert said in caught.value.what
    assert "schema.prisma:" in caught.value.where
    assert caught.value.why
    assert caught.value.next_step
