"""The SQL that makes canonical text in PostgreSQL 14 and later, of any session setting but DateStyle ISO."""

from psycopg import sql

from zenni_tui.model.plan import ColumnPlan, Kind

_TEXT = sql.SQL("{0}::text")
_BITS = sql.SQL("encode(float8send({0}::double precision), 'hex')")
_EXPRESSIONS: dict[Kind, sql.SQL] = {
    Kind.REAL: _BITS,
    Kind.DOUBLE: _BITS,
    Kind.NUMERIC: sql.SQL("trim_scale({0})::text"),
    # Infinities, and the last instants, of which extract(epoch) keeps too few digits, are named as text.
    Kind.TIMESTAMP: sql.SQL(
        "CASE WHEN isfinite({0}) AND {0} < timestamp '294247-01-10 04:00:54.775807'"
        " THEN (extract(epoch FROM {0}) * 1000000)::bigint::text ELSE {0}::text END"
    ),
    Kind.TIMESTAMPTZ: sql.SQL(
        "CASE WHEN isfinite({0}) AND {0} < timestamptz '294247-01-10 04:00:54.775807+00'"
        " THEN (extract(epoch FROM {0}) * 1000000)::bigint::text ELSE timezone('UTC', {0})::text END"
    ),
    Kind.DATE: sql.SQL("CASE WHEN isfinite({0}) THEN ({0} - date '1970-01-01')::text ELSE {0}::text END"),
    Kind.TIME: sql.SQL("(extract(epoch FROM {0}) * 1000000)::bigint::text"),
    Kind.BYTEA: sql.SQL("encode(sha256({0}), 'hex')"),
}
_CASTS: dict[Kind, sql.SQL] = {
    Kind.TEXT: sql.SQL("text"),
    Kind.VARCHAR: sql.SQL("text"),
    Kind.CHAR: sql.SQL("bpchar"),
    Kind.SMALLINT: sql.SQL("smallint"),
    Kind.INTEGER: sql.SQL("integer"),
    Kind.BIGINT: sql.SQL("bigint"),
    Kind.REAL: sql.SQL("double precision"),
    Kind.DOUBLE: sql.SQL("double precision"),
    Kind.NUMERIC: sql.SQL("numeric"),
    Kind.BOOLEAN: sql.SQL("boolean"),
    Kind.TIMESTAMP: sql.SQL("timestamp without time zone"),
    Kind.TIMESTAMPTZ: sql.SQL("timestamp with time zone"),
    Kind.DATE: sql.SQL("date"),
    Kind.TIME: sql.SQL("time without time zone"),
    Kind.BYTEA: sql.SQL("bytea"),
    Kind.JSON: sql.SQL("json"),
    Kind.JSONB: sql.SQL("jsonb"),
    Kind.UUID: sql.SQL("uuid"),
}


def canonical_sql(column: ColumnPlan, of: str | None = None) -> sql.Composable:
    """Return the expression for a column's canonical text; `of` is the table's alias in the query."""
    name = sql.Identifier(column.name) if of is None else sql.Identifier(of, column.name)
    return canonical_expression(name, column.type.kind)


def canonical_expression(expression: sql.Composable, kind: Kind) -> sql.Composable:
    """Return the canonical text of an expression that has that kind of type."""
    return _EXPRESSIONS.get(kind, _TEXT).format(expression)


def bare_type(kind: Kind) -> sql.Composable | None:
    """Return the type without modifiers to compare a key with, None where only its text can be compared."""
    return _CASTS.get(kind)


def full_type(schema: str, column: ColumnPlan) -> sql.Composable:
    """Return a column's type with its modifiers, as it stands in DDL."""
    if column.type.kind is Kind.ENUM:
        return sql.Identifier(schema, column.type.enum or "")
    return sql.SQL(str(column.type))
