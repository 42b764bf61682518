"""Writes the plan as PostgreSQL DDL, through SQLAlchemy's compiler, which quotes every name and literal."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import (
    AddConstraint,
    CreateIndex,
    CreateSchema,
    CreateTable,
    DropSchema,
    DropTable,
)
from sqlalchemy.types import TypeEngine

from zenni_tui.model.plan import (
    ColumnPlan,
    Counter,
    Default,
    DefaultKind,
    EnumPlan,
    ForeignKeyPlan,
    IndexPlan,
    Kind,
    Plan,
    TablePlan,
    TargetType,
)
from zenni_tui.model.record import Record

_DIALECT = pg.dialect()  # type: ignore[no-untyped-call]
_QUOTE = _DIALECT.identifier_preparer.quote_identifier


class Statement(Record, frozen=True):
    """One statement and what it makes; `table` is the table whose rows it reads, if any."""

    kind: str
    name: str
    sql: str
    table: str = ""


class _DoublePrecision(sa.types.UserDefinedType[float]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "DOUBLE PRECISION"


def _type(kind: TargetType, schema: str, enums: Iterable[EnumPlan]) -> TypeEngine[Any]:
    if kind.kind is Kind.ENUM:
        labels = next(e.labels for e in enums if e.name == kind.enum)
        return pg.ENUM(*labels, name=kind.enum, schema=schema, create_type=False)
    made: dict[Kind, TypeEngine[Any]] = {
        Kind.TEXT: sa.TEXT(),
        Kind.VARCHAR: sa.VARCHAR(kind.size),
        Kind.CHAR: sa.CHAR(kind.size),
        Kind.SMALLINT: sa.SMALLINT(),
        Kind.INTEGER: sa.INTEGER(),
        Kind.BIGINT: sa.BIGINT(),
        Kind.REAL: sa.REAL(),
        Kind.DOUBLE: _DoublePrecision(),
        Kind.NUMERIC: sa.NUMERIC(kind.size, kind.scale),
        Kind.BOOLEAN: sa.BOOLEAN(),
        Kind.TIMESTAMP: pg.TIMESTAMP(precision=kind.size),
        Kind.TIMESTAMPTZ: pg.TIMESTAMP(timezone=True, precision=kind.size),
        Kind.DATE: sa.DATE(),
        Kind.TIME: pg.TIME(precision=kind.size),
        Kind.BYTEA: pg.BYTEA(),
        Kind.JSON: pg.JSON(),
        Kind.JSONB: pg.JSONB(),
        Kind.UUID: pg.UUID(),
    }
    return made[kind.kind]


_BARE = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.REAL, Kind.DOUBLE, Kind.NUMERIC, Kind.BOOLEAN})


def _default(default: Default | None, kind: Kind) -> sa.TextClause | sa.Computed | str | None:
    if default is None:
        return None
    if default.kind is DefaultKind.NOW:
        return sa.text("CURRENT_TIMESTAMP")
    if default.kind is DefaultKind.EXPRESSION:
        return sa.text(default.text.replace(":", "\\:"))
    # A plain string is rendered by the compiler as a quoted literal.
    return sa.text(default.text) if kind in _BARE and _harmless(default.text) else default.text


def _harmless(text: str) -> bool:
    return text in ("true", "false") or all(c in "0123456789+-.eE" for c in text)


def _column(column: ColumnPlan, schema: str, enums: Iterable[EnumPlan]) -> sa.Column[Any]:
    serial = column.counter is Counter.SERIAL
    parts = [sa.Identity(always=False)] if column.counter is Counter.IDENTITY else []
    return sa.Column(
        column.name,
        _type(column.type, schema, enums),
        *parts,
        nullable=not column.not_null,
        server_default=_default(column.default, column.type.kind),
        autoincrement=serial,
        # SQLAlchemy writes SERIAL for the autoincrementing column of a primary key only; the key itself comes later.
        primary_key=serial,
    )


def _table(table: TablePlan, plan: Plan) -> sa.Table:
    made = sa.Table(
        table.name, sa.MetaData(schema=plan.schema), *(_column(c, plan.schema, plan.enums) for c in table.columns)
    )
    made.constraints.discard(made.primary_key)
    return made


def _sql(construct: sa.schema.ExecutableDDLElement) -> str:
    return " ".join(str(construct.compile(dialect=_DIALECT)).split("\n")).replace("\t", "    ").strip()


def _bare_table(name: str, schema: str, columns: Iterable[str]) -> sa.Table:
    return sa.Table(name, sa.MetaData(schema=schema), *(sa.Column(c) for c in dict.fromkeys(columns)))


def create_tables(plan: Plan, *, schema_there: bool) -> tuple[Statement, ...]:
    """Return the statements that make the schema, the enums and the bare tables, in order."""
    statements = []
    if not schema_there:
        statements.append(Statement("schema", plan.schema, _sql(CreateSchema(plan.schema))))
    for enum in plan.enums:
        made = pg.ENUM(*enum.labels, name=enum.name, schema=plan.schema)
        statements.append(Statement("type", enum.name, _sql(pg.CreateEnumType(made))))
    statements += [Statement("table", t.name, _create_table(t, plan)) for t in plan.tables]
    return tuple(statements)


def _create_table(table: TablePlan, plan: Plan) -> str:
    return str(CreateTable(_table(table, plan)).compile(dialect=_DIALECT)).strip().replace("\t", "    ")


def primary_keys(plan: Plan) -> tuple[Statement, ...]:
    """Return the statements that add the primary keys."""
    statements = []
    for table in plan.tables:
        if table.key is not None:
            bare = _bare_table(table.name, plan.schema, table.key.columns)
            key = sa.PrimaryKeyConstraint(*(bare.c[c] for c in table.key.columns), name=table.key.name)
            bare.append_constraint(key)
            statements.append(Statement("primary key", table.key.name, _sql(AddConstraint(key)), table.name))
    return tuple(statements)


def indexes(plan: Plan) -> tuple[Statement, ...]:
    """Return the statements that make the other indexes."""
    return tuple(Statement("index", i.name, _index(i, plan), i.table) for i in plan.indexes)


def _index(index: IndexPlan, plan: Plan) -> str:
    bare = _bare_table(index.table, plan.schema, index.columns)
    descending = index.descending or (False,) * len(index.columns)
    parts = [bare.c[c].desc() if down else bare.c[c] for c, down in zip(index.columns, descending, strict=True)]
    return _sql(CreateIndex(sa.Index(index.name, *parts, unique=index.unique)))


def foreign_keys(plan: Plan) -> tuple[Statement, ...]:
    """Return the statements that add the foreign keys."""
    return tuple(Statement("foreign key", k.name, _foreign_key(k, plan), k.table) for k in plan.foreign_keys)


def _foreign_key(key: ForeignKeyPlan, plan: Plan) -> str:
    metadata = sa.MetaData(schema=plan.schema)
    columns = {key.parent: list(key.parent_columns)}
    columns.setdefault(key.table, []).extend(key.columns)
    made = {
        name: sa.Table(name, metadata, *(sa.Column(c) for c in dict.fromkeys(names))) for name, names in columns.items()
    }
    constraint = sa.ForeignKeyConstraint(
        [made[key.table].c[c] for c in key.columns],
        [made[key.parent].c[c] for c in key.parent_columns],
        name=key.name,
        ondelete=None if key.on_delete == "NO ACTION" else key.on_delete,
        onupdate=None if key.on_update == "NO ACTION" else key.on_update,
    )
    made[key.table].append_constraint(constraint)
    return _sql(AddConstraint(constraint))


def drop(kind: str, name: str, schema: str) -> str:
    """Return the statement that drops one thing this run made; it never cascades to what others made."""
    if kind == "schema":
        return _sql(DropSchema(name))
    if kind == "type":
        return f"DROP TYPE {_QUOTE(schema)}.{_QUOTE(name)}"
    return _sql(DropTable(sa.Table(name, sa.MetaData(schema=schema))))


def script(plan: Plan) -> str:
    """Return the whole DDL of a plan, for reading."""
    parts = (*create_tables(plan, schema_there=False), *primary_keys(plan), *indexes(plan), *foreign_keys(plan))
    return "".join(f"{s.sql};\n\n" for s in parts)
