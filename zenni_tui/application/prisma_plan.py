"""The plan that a Prisma schema decides: the very tables, names and rules `prisma migrate` would make on PostgreSQL.

Facts are from `schema-engine/connectors/sql-schema-connector/src/sql_schema_calculator.rs` in prisma-engines, and from
the output of `prisma migrate diff --from-empty --to-schema … --script` of Prisma 7.
"""

from zenni_tui.model.plan import (
    ColumnPlan,
    Counter,
    EnumPlan,
    ForeignKeyPlan,
    IndexPlan,
    KeyPlan,
    Plan,
    TablePlan,
)

from . import prisma_names as names
from .prisma_drift import drift
from .prisma_records import PrismaColumn, PrismaModel, PrismaSchema
from .prisma_relations import foreign_keys, relation_tables
from .prisma_types import counts, default, target_type

__all__ = ["drift", "target_plan"]


def target_plan(schema: PrismaSchema, *, namespace: str = "public") -> Plan:
    """Return the plan for a schema, without rows and spans; models in file order, then relation tables.

    Raises `SchemaUnreadable` for a type, a default or a relation that cannot be carried.
    """
    models = tuple(m for m in schema.models if not m.view)
    joins = tuple(relation_tables(schema))
    return Plan(
        namespace,
        (*(_table(schema, m) for m in models), *(j.table for j in joins)),
        tuple(EnumPlan(e.type_name, tuple(label for _, label in e.labels)) for e in schema.enums),
        (*(i for m in models for i in _indexes(m)), *(i for j in joins for i in j.indexes)),
        (*_foreign_keys(schema, models), *(f for j in joins for f in j.foreign_keys)),
        origin="prisma",
    )


def _foreign_keys(schema: PrismaSchema, models: tuple[PrismaModel, ...]) -> tuple[ForeignKeyPlan, ...]:
    found = tuple(f for m in models for f in foreign_keys(schema, m))
    return found if schema.foreign_keys else ()


def _table(schema: PrismaSchema, model: PrismaModel) -> TablePlan:
    key = KeyPlan(model.key.name or names.primary_key(model.table), model.key.columns) if model.key else None
    return TablePlan(model.table, model.table, tuple(_column(schema, model, c) for c in model.columns), key)


def _column(schema: PrismaSchema, model: PrismaModel, column: PrismaColumn) -> ColumnPlan:
    counter = Counter.SERIAL if counts(column) else None
    return ColumnPlan(
        column.name,
        column.name,
        target_type(schema, model, column),
        # A serial column is NOT NULL whatever the schema says (PostgreSQL, "Serial Types").
        not_null=not column.optional or counter is not None,
        default=default(schema, model, column),
        counter=counter,
    )


def _indexes(model: PrismaModel) -> tuple[IndexPlan, ...]:
    return tuple(
        IndexPlan(
            i.name or names.index(model.table, i.columns, unique=i.unique),
            model.table,
            i.columns,
            i.unique,
            i.descending,
        )
        for i in model.indexes
    )
