"""The statement that gives the SQLite file a column it lacks, for the operator to read and run.

SQLite's limits are those of https://sqlite.org/lang_altertable.html#alter_table_add_column; its types are those Prisma
writes (https://www.prisma.io/docs/orm/overview/databases/sqlite#type-mapping-between-sqlite-to-prisma-schema).
"""

from zenni_tui.model.plan import ColumnPlan, Default, DefaultKind, Kind, TablePlan

_DECLARED = {
    Kind.SMALLINT: "INTEGER",
    Kind.INTEGER: "INTEGER",
    Kind.BIGINT: "BIGINT",
    Kind.REAL: "REAL",
    Kind.DOUBLE: "REAL",
    Kind.NUMERIC: "DECIMAL",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.TIMESTAMP: "DATETIME",
    Kind.TIMESTAMPTZ: "DATETIME",
    Kind.DATE: "DATETIME",
    Kind.TIME: "DATETIME",
    Kind.BYTEA: "BLOB",
    Kind.JSON: "JSONB",
    Kind.JSONB: "JSONB",
}

_BARE = frozenset({"SMALLINT", "INTEGER", "BIGINT", "REAL", "DECIMAL", "BOOLEAN"})


def quoted(name: str) -> str:
    """Return a name as an SQL identifier, for people to read and to copy."""
    return '"' + name.replace('"', '""') + '"'


def add_column(table: TablePlan, column: ColumnPlan) -> str:
    """Return what to do to add the column to the SQLite file, with the statement where there is one."""
    if table.key and column.name in table.key.columns:
        return "SQLite cannot add a column of the primary key to a table: rebuild the table with a migration"
    head = f"ALTER TABLE {quoted(table.source)} ADD COLUMN {quoted(column.source or column.name)} {_declared(column)}"
    constant = _constant(column)
    if constant is not None:
        return f"add it to the SQLite file: `{head}{' NOT NULL' * column.not_null} DEFAULT {constant};`"
    if not column.not_null and column.default is None:
        return f"add it to the SQLite file: `{head};`"
    why = _why_no_constant(column.default)
    return f"add it to the SQLite file without a value: `{head};`, then give every row its value, since {why}"


def _declared(column: ColumnPlan) -> str:
    return _DECLARED.get(column.type.kind, "TEXT")


def _constant(column: ColumnPlan) -> str | None:
    if column.default is None or column.default.kind is not DefaultKind.LITERAL:
        return None
    text = column.default.text
    if column.type.kind is Kind.BYTEA:
        return f"x'{text.removeprefix(chr(92) + 'x')}'"
    if _declared(column) in _BARE:
        return text
    return "'" + text.replace("'", "''") + "'"


def _why_no_constant(default: Default | None) -> str:
    if default is None:
        return "schema.prisma gives no default"
    if default.kind is DefaultKind.NOW:
        return "SQLite adds no column whose default is the current time to a table with rows"
    return "the default in schema.prisma is an expression of PostgreSQL's"
