"""SQL for doing by hand, with psql and sqlite3 alone, what the program would do: counters, and the way back of rows."""

import re
from collections.abc import Mapping, Sequence

from psycopg import sql

from zenni_tui.model.plan import ColumnPlan, Kind, Plan, TablePlan
from zenni_tui.model.schema import Value
from zenni_tui.target import freeze, load

Samples = Mapping[str, Sequence[Value]]
"""Some stored values of a table's columns, by source column: they show which forms the file has."""

_RAW = frozenset({Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.REAL, Kind.DOUBLE, Kind.NUMERIC})
_INSTANTS = frozenset({Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE})
_MILLISECONDS = 10**11
"""Larger numbers are milliseconds since 1970, smaller ones seconds."""
_ISO, _SPACED = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"', "YYYY-MM-DD HH24:MI:SS"
_WITH_T = re.compile(r"\d{4}-\d\d-\d\dT")


def forward(plan: Plan, given: Mapping[str, int]) -> str:
    """Return the psql script that lets the target's counters go on; `given` as for `load.set_counters`."""
    return "".join(f"{one.as_string()};\n" for one in load.counters(plan.schema, plan.tables, given))


def shut(plan: Plan) -> str:
    """Return the psql script that makes the target's tables refuse writes, all of them or none."""
    made = freeze.statements(plan.schema, (t.name for t in plan.tables))
    return "".join(f"{line};\n" for line in ("BEGIN", *(one.as_string() for one in made), "COMMIT"))


def back(plan: Plan, samples: Mapping[str, Samples]) -> str:
    """Return the psql script that prints the sqlite3 script which carries the written rows back to the old file.

    Values come in the forms that prevail in the file. Of tables without a key all rows are carried.
    """
    first = ("PRAGMA foreign_keys = OFF;", "BEGIN IMMEDIATE;", "UPDATE zenni_tui_gate SET open = 1;")
    said = [*(_say(line) for line in first), *(_gone(plan, t) for t in plan.tables)]
    said += [_there(plan, t, samples.get(t.name, {})) for t in plan.tables]
    return "\n".join([*said, _say("COMMIT;")]) + "\n"


def _say(line: str) -> str:
    return sql.SQL("SELECT {};").format(sql.Literal(line)).as_string()


def _written(table: TablePlan) -> str:
    name = sql.Literal(table.name).as_string()
    return (
        "SELECT w.key FROM (SELECT number, key FROM zenni_tui.change UNION SELECT number, key FROM zenni_tui.written) w"
        f" JOIN zenni_tui.captured c USING (number) WHERE c.table_name = {name}"
    )


def _gone(plan: Plan, table: TablePlan) -> str:
    """Return the query that prints a DELETE for each written row."""
    target = _sqlite(table.source)
    key = plan.row_key(table)
    if not key:
        return f"SELECT {_literal(f'DELETE FROM {target};')} WHERE EXISTS ({_written(table)});"
    names = [_sqlite(table.column(name).source or "") for name in key]
    same = " || ' AND ' || ".join(
        f"{_literal(f'{name} = ')} || {_quoted(f'k.key[{place}]')}" for place, name in enumerate(names, 1)
    )
    return (
        f"SELECT {_literal(f'DELETE FROM {target} WHERE ')} || {same} || ';' FROM ({_written(table)}) AS k"
        " WHERE cardinality(k.key) > 0;"
    )


def _there(plan: Plan, table: TablePlan, samples: Samples) -> str:
    """Return the query that prints an INSERT for each written row that is still there."""
    columns = table.loaded
    names = ", ".join(_sqlite(c.source or "") for c in columns)
    values = " || ', ' || ".join(f"coalesce({_value(c, samples.get(c.source or '', ()))}, 'NULL')" for c in columns)
    place = sql.Identifier(plan.schema, table.name).as_string()
    key = plan.row_key(table)
    texts = ", ".join(f"t.{_name(c)}::text" for c in key)
    chosen = f"ARRAY[{texts}] IN ({_written(table)})" if key else f"EXISTS ({_written(table)})"
    head = _literal(f"INSERT INTO {_sqlite(table.source)} ({names}) VALUES (")
    return f"SELECT {head} || {values} || ');' FROM {place} AS t WHERE {chosen};"


def _value(column: ColumnPlan, samples: Sequence[Value]) -> str:
    name = f"t.{_name(column.name)}"
    kind = column.type.kind
    text = _mostly(samples, str)
    if kind is Kind.BYTEA:
        return f"'X''' || encode({name}, 'hex') || ''''"
    if kind is Kind.BOOLEAN and not text:
        return f"({name}::integer)::text"
    if kind in _RAW and not text:
        return f"replace({name}::text, 'Infinity', '9e999')"
    return _instant(name, samples, text=text) if kind in _INSTANTS else _quoted(f"{name}::text")


def _instant(name: str, samples: Sequence[Value], *, text: bool) -> str:
    if text:
        iso = any(isinstance(s, str) and _WITH_T.match(s) for s in samples)
        return _quoted(f"to_char({name}, '{_ISO if iso else _SPACED}')")
    numbers = [abs(s) for s in samples if isinstance(s, int | float)]
    unit = 1 if numbers and max(numbers) < _MILLISECONDS else 1000
    return f"((extract(epoch FROM {name}) * {unit})::bigint)::text"


def _mostly(samples: Sequence[Value], kind: type) -> bool:
    return 2 * sum(isinstance(s, kind) for s in samples) > len(samples)


def _quoted(expression: str) -> str:
    return f"'''' || replace({expression}, '''', '''''') || ''''"


def _literal(text: str) -> str:
    return sql.Literal(text).as_string()


def _name(name: str) -> str:
    return sql.Identifier(name).as_string()


def _sqlite(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
