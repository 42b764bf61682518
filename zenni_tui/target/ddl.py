"""Writes the plan as PostgreSQL DDL; SQLAlchemy's compiler quotes every name and literal."""

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql.base import PGDialect, PGIdentifierPreparer
from sqlalchemy.schema import CreateSchema, CreateTable, DropSchema, DropTable
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
    ViewPlan,
)
from zenni_tui.model.record import Record

from . import access


class _Quoting(PGIdentifierPreparer):
    """Quotes every name: SQLAlchemy's list of reserved words lacks some, such as collation."""

    def _requires_quotes(self, value: str) -> bool:  # noqa: ARG002 - the base decides by the word
        return True


class _Dialect(PGDialect):
    preparer = _Quoting


# Any parameter style but the driver's own: that one doubles every % for statements that have parameters.
_DIALECT = _Dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_QUOTE = _DIALECT.identifier_preparer.quote_identifier


class Statement(Record, frozen=True):
    """One statement and what it makes; `table` is the table whose rows it reads, if any."""

    kind: str
    name: str
    sql: str
    table: str = ""

    @property
    def thing(self) -> tuple[str, str, str]:
        """Return what it makes as `existing.things` names it: kind, table, name."""
        return self.kind, self.table, self.name


class _Serial(sa.types.UserDefinedType[int]):
    """SERIAL by name: the compiler's own comes with a primary key, which is made after the rows."""

    cache_ok = True

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def get_col_spec(self, **_: object) -> str:
        return {Kind.SMALLINT: "SMALLSERIAL", Kind.BIGINT: "BIGSERIAL"}.get(self.kind, "SERIAL")


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
        return _verbatim(default.text)
    # A plain string is rendered by the compiler as a quoted literal.
    return sa.text(default.text) if kind in _BARE and _harmless(default.text) else default.text


def _verbatim(expression: str) -> sa.TextClause:
    # A colon would begin a parameter.
    return sa.text(expression.replace(":", "\\:"))


def _harmless(text: str) -> bool:
    if text.startswith("-") and not any(c in "123456789" for c in text):
        return False  # as a bare number the server reads it as numeric, which has no negative zero
    return text in ("true", "false") or all(c in "0123456789+-.eE" for c in text)


def _column(column: ColumnPlan, schema: str, enums: Iterable[EnumPlan]) -> sa.Column[Any]:
    kind = _type(column.type, schema, enums)
    if column.counter is Counter.SERIAL:
        kind = _Serial(column.type.kind)
    parts: list[sa.schema.SchemaItem] = []
    if column.counter is Counter.IDENTITY:
        parts.append(sa.Identity(always=False))
    if column.generated is not None:
        parts.append(sa.Computed(_verbatim(column.generated), persisted=True))
    return sa.Column(
        column.name,
        kind,
        *parts,
        nullable=not column.not_null,
        server_default=_default(column.default, column.type.kind),
        autoincrement="auto" if column.counter is Counter.IDENTITY else False,
    )


def _table(table: TablePlan, plan: Plan) -> sa.Table:
    columns = (_column(c, plan.schema, plan.enums) for c in table.columns)
    return sa.Table(table.name, sa.MetaData(schema=plan.schema), *columns)


def _sql(construct: sa.schema.ExecutableDDLElement) -> str:
    # Line breaks and tabs stay: they may be part of a name or a literal.
    return str(construct.compile(dialect=_DIALECT)).strip()


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(_QUOTE, names))


def _relation(plan: Plan, name: str) -> str:
    return f"{_QUOTE(plan.schema)}.{_QUOTE(name)}"


def _rule(plan: Plan, table: str, name: str, rule: str) -> str:
    return f"ALTER TABLE {_relation(plan, table)} ADD CONSTRAINT {_QUOTE(name)} {rule}"


def create_tables(plan: Plan, *, schema_there: bool) -> tuple[Statement, ...]:
    """Return the statements that make the schema, the enums and the bare tables, in order."""
    statements = []
    if not schema_there:
        statements.append(Statement("schema", plan.schema, _sql(CreateSchema(plan.schema))))
    for enum in (n for n in plan.enums if n.name not in plan.adopted):
        made = pg.ENUM(*enum.labels, name=enum.name, schema=plan.schema)
        statements.append(Statement("type", enum.name, _sql(pg.CreateEnumType(made))))
    # Counters make sequences "table_column_seq" by themselves and step aside for a table that has the name already.
    tables = sorted((t for t in plan.tables if t.name not in plan.adopted), key=lambda t: not t.name.endswith("_seq"))
    statements += [Statement("table", t.name, _also(_create_table(t, plan), access.of_table(plan, t))) for t in tables]
    return tuple(statements)


def _also(first: str, others: Iterable[str]) -> str:
    return ";\n".join((first, *others))


def _create_table(table: TablePlan, plan: Plan) -> str:
    return _sql(CreateTable(_table(table, plan)))


def primary_keys(plan: Plan) -> tuple[Statement, ...]:
    """Return the statements that add the primary keys."""
    return tuple(
        Statement("primary key", k.name, _rule(plan, t.name, k.name, f"PRIMARY KEY ({_names(k.columns)})"), t.name)
        for t in plan.tables
        if (k := t.key) is not None
    )


def primary_key_indexes(plan: Plan, tables: Collection[str]) -> tuple[Statement, ...]:
    """Return the statements that make the unique indexes of the primary keys of tables.

    Unlike the key itself an index can be built by one session while another builds the next one of the same table.
    """
    return tuple(
        Statement("index", k.name, _index(IndexPlan(k.name, t.name, k.columns, unique=True), plan), t.name)
        for t in plan.tables
        if t.name in tables and (k := t.key) is not None
    )


def attached_keys(plan: Plan, tables: Collection[str]) -> tuple[Statement, ...]:
    """Return the statements that make the primary keys of tables of those indexes, which takes no time."""
    return tuple(
        Statement(
            "primary key", k.name, _rule(plan, t.name, k.name, f"PRIMARY KEY USING INDEX {_QUOTE(k.name)}"), t.name
        )
        for t in plan.tables
        if t.name in tables and (k := t.key) is not None
    )


def indexes(plan: Plan) -> tuple[Statement, ...]:
    """Return the statements that make the other indexes."""
    return tuple(Statement("index", i.name, _index(i, plan), i.table) for i in plan.indexes)


def _index(index: IndexPlan, plan: Plan) -> str:
    expressions = index.expressions or (None,) * len(index.columns)
    descending = index.descending or (False,) * len(index.columns)
    parts = ", ".join(
        (_QUOTE(column) if text is None else f"({text})") + (" DESC" if down else "")
        for column, text, down in zip(index.columns, expressions, descending, strict=True)
    )
    unique = "UNIQUE " if index.unique else ""
    where = f" WHERE {index.where}" if index.where is not None else ""
    return f"CREATE {unique}INDEX {_QUOTE(index.name)} ON {_relation(plan, index.table)} ({parts}){where}"


def checks(plan: Plan) -> tuple[Statement, ...]:
    """Return the statements that add the CHECK rules."""
    return tuple(
        Statement("check", c.name, _rule(plan, t.name, c.name, f"CHECK ({c.expression})"), t.name)
        for t in plan.tables
        for c in t.checks
    )


def views(plan: Plan) -> tuple[Statement, ...]:
    """Return the statements that make the views."""
    return tuple(Statement("view", v.name, _also(_view(v, plan), access.of_view(plan, v.name))) for v in plan.views)


def _view(view: ViewPlan, plan: Plan) -> str:
    return f"CREATE VIEW {_relation(plan, view.name)} AS {view.query}"


def foreign_keys(plan: Plan, unchecked: Collection[str] = ()) -> tuple[Statement, ...]:
    """Return the statements that add the foreign keys; those of the tables `unchecked` don't look at their rows."""
    return tuple(
        Statement("foreign key", k.name, _foreign_key(k, plan, unchecked=k.table in unchecked), k.table)
        for k in plan.foreign_keys
    )


def validations(plan: Plan, tables: Collection[str]) -> tuple[Statement, ...]:
    """Return the statements that let foreign keys of tables, added unchecked, look at the rows.

    They keep nobody from reading or writing the parent, so that keys of several tables are checked at once.
    """
    return tuple(
        Statement(
            "validation",
            k.name,
            f"ALTER TABLE {_relation(plan, k.table)} VALIDATE CONSTRAINT {_QUOTE(k.name)}",
            k.table,
        )
        for k in plan.foreign_keys
        if k.table in tables and k.validated
    )


def _foreign_key(key: ForeignKeyPlan, plan: Plan, *, unchecked: bool) -> str:
    parent = f"{_relation(plan, key.parent)} ({_names(key.parent_columns)})"
    rule = f"FOREIGN KEY ({_names(key.columns)}) REFERENCES {parent}"
    rule += "" if key.on_delete == "NO ACTION" else f" ON DELETE {key.on_delete}"
    rule += "" if key.on_update == "NO ACTION" else f" ON UPDATE {key.on_update}"
    rule += " DEFERRABLE INITIALLY DEFERRED" if key.deferred else ""
    rule += "" if key.validated and not unchecked else " NOT VALID"
    return _rule(plan, key.table, key.name, rule)


def drop(kind: str, name: str, schema: str) -> str:
    """Return the statement that drops one thing this run made; it never cascades to what others made."""
    if kind == "schema":
        return _sql(DropSchema(name))
    if kind in ("usage", "defaults"):
        return access.take_back(kind, name, schema)
    if kind in ("type", "view"):
        return f"DROP {kind.upper()} {_QUOTE(schema)}.{_QUOTE(name)}"
    return _sql(DropTable(sa.Table(name, sa.MetaData(schema=schema))))


def rules(plan: Plan) -> tuple[Statement, ...]:
    """Return all that is made after the rows: keys, indexes and checks table by table, foreign keys, views."""
    return (*primary_keys(plan), *indexes(plan), *checks(plan), *foreign_keys(plan), *views(plan))


def together(statements: Iterable[Statement]) -> bytes:
    """Return statements as one text, for one round trip: the server carries out all of them or, at an error, none."""
    return "\n;\n".join(s.sql for s in statements).encode()


def script(plan: Plan) -> str:
    """Return the whole DDL of a plan, for reading."""
    return "".join(f"{s.sql};\n\n" for s in (*create_tables(plan, schema_there=False), *rules(plan)))
