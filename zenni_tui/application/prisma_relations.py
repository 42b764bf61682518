"""Relations between models: foreign keys, and the tables of implicit many-to-many relations.

The rules are Prisma's (`psl/parser-database/src/relations.rs` and `sql_schema_calculator.rs` in prisma-engines): the
side with `fields` holds the foreign key; when both sides are lists, a table of its own stands between them, with column
A for the model whose name sorts first, or, within one model, for the field whose name does.
"""

from collections.abc import Iterator

from zenni_tui.model.plan import ColumnPlan, ForeignKeyPlan, IndexPlan, KeyPlan, TablePlan, TargetType
from zenni_tui.model.record import Record

from . import prisma_names as names
from .prisma_records import PrismaColumn, PrismaModel, PrismaRelation, PrismaSchema
from .prisma_syntax import SchemaUnreadable, unreadable
from .prisma_types import target_type

_CASCADE = "CASCADE"


class RelationTable(Record, frozen=True):
    """The table of an implicit many-to-many relation with all that belongs to it."""

    table: TablePlan
    indexes: tuple[IndexPlan, ...]
    foreign_keys: tuple[ForeignKeyPlan, ...]


def foreign_keys(schema: PrismaSchema, model: PrismaModel) -> Iterator[ForeignKeyPlan]:
    """Yield the foreign keys of a model in the order of its fields."""
    for relation in model.relations:
        parent = _target(schema, model, relation)
        opposite = _opposite(model, relation, parent)
        if model.view or parent.view:
            continue
        if relation.fields:
            yield _foreign_key(model, relation, parent)
        elif not relation.many and not (opposite and opposite.fields):
            raise _broken(model, relation, "no side of it names its `fields`")


def _target(schema: PrismaSchema, model: PrismaModel, relation: PrismaRelation) -> PrismaModel:
    parent = schema.model(relation.model)
    if parent is None:
        raise _broken(model, relation, f"the model {relation.model} is not there")
    return parent


def _opposite(model: PrismaModel, relation: PrismaRelation, parent: PrismaModel) -> PrismaRelation | None:
    fits = (r for r in parent.relations if r.model == model.name and r.name == relation.name and (r is not relation))
    return next(fits, None)


def _broken(model: PrismaModel, relation: PrismaRelation, why: str) -> SchemaUnreadable:
    return unreadable(
        f"the relation {model.name}.{relation.field} cannot be understood: {why}",
        relation.place,
        "without it a foreign key would be missing in PostgreSQL",
        "check it with `npx prisma validate` and mend it",
    )


def _foreign_key(model: PrismaModel, relation: PrismaRelation, parent: PrismaModel) -> ForeignKeyPlan:
    columns = _columns(model, relation, model, relation.fields)
    parents = _columns(model, relation, parent, relation.references)
    if len(columns) != len(parents):
        raise _broken(model, relation, "`fields` and `references` have different lengths")
    child = tuple(c.name for c in columns)
    # Prisma's rule: one required field among several makes the whole relation required.
    otherwise = "SET NULL" if all(c.optional for c in columns) else "RESTRICT"
    return ForeignKeyPlan(
        relation.constraint or names.foreign_key(model.table, child),
        model.table,
        child,
        parent.table,
        tuple(c.name for c in parents),
        relation.on_delete or otherwise,
        relation.on_update or _CASCADE,
    )


def _columns(
    model: PrismaModel, relation: PrismaRelation, owner: PrismaModel, fields: tuple[str, ...]
) -> tuple[PrismaColumn, ...]:
    found = []
    for field in fields:
        column = owner.column(field)
        if column is None:
            raise _broken(model, relation, f"{owner.name} has no field {field}")
        found.append(column)
    return tuple(found)


def relation_tables(schema: PrismaSchema) -> Iterator[RelationTable]:
    """Yield the tables of the implicit many-to-many relations in Prisma's order."""
    for model in schema.models:
        for relation in model.relations:
            if relation.many and not model.view:
                yield from _relation_table(schema, model, relation)


def _relation_table(schema: PrismaSchema, model: PrismaModel, relation: PrismaRelation) -> Iterator[RelationTable]:
    other = _target(schema, model, relation)
    opposite = _opposite(model, relation, other)
    if opposite is None:
        raise _broken(model, relation, f"{other.name} has no field that leads back")
    is_first = (model.name, relation.field) <= (other.name, opposite.field)
    if opposite.many and is_first and not other.view:
        yield _made(schema, model, other, relation)


def _made(schema: PrismaSchema, first: PrismaModel, second: PrismaModel, relation: PrismaRelation) -> RelationTable:
    name = names.relation_table(relation.name or f"{first.name}To{second.name}")
    keys = {"A": (first, _key_column(first, relation)), "B": (second, _key_column(second, relation))}
    columns = tuple(_column(side, target_type(schema, *key)) for side, key in keys.items())
    key = KeyPlan(names.relation_part(name, "_AB_pkey"), ("A", "B")) if schema.relation_keys else None
    indexes = [IndexPlan(names.relation_part(name, "_B_index"), name, ("B",), descending=(False,))]
    if key is None:
        unique = names.relation_part(name, "_AB_unique")
        indexes.insert(0, IndexPlan(unique, name, ("A", "B"), unique=True, descending=(False, False)))
    links = tuple(
        ForeignKeyPlan(
            names.relation_part(name, f"_{side}_fkey"), name, (side,), model.table, (column.name,), _CASCADE, _CASCADE
        )
        for side, (model, column) in keys.items()
    )
    return RelationTable(TablePlan(name, name, columns, key), tuple(indexes), links if schema.foreign_keys else ())


def _column(side: str, kind: TargetType) -> ColumnPlan:
    return ColumnPlan(side, side, kind, not_null=True)


def _key_column(model: PrismaModel, relation: PrismaRelation) -> PrismaColumn:
    if model.key and len(model.key.columns) == 1:
        return next(c for c in model.columns if c.name == model.key.columns[0])
    raise _broken(model, relation, f"{model.name} has no key of a single field")
