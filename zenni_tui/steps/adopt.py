"""Empty tables that the application's own migrations made in the target: taken as they are, given back as they were."""

import json
from collections.abc import Iterable

import msgspec
from psycopg import sql

from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import Kind, Plan, TablePlan, parse_type
from zenni_tui.target import adopted, bookkeeping, catalogue
from zenni_tui.target.bookkeeping import Connection
from zenni_tui.target.existing import Things

from .run import Run

_KINDS = {"r": "table", "p": "table", "v": "view", "m": "view", "f": "foreign table", "i": "index", "S": "sequence"}


def casts(run: Run, plan: Plan) -> dict[str, str]:
    """Return the types that columns of empty tables in the target already have: the catalogue decides over the plan."""
    if run.target is None:
        return {}
    there = _empty_tables(run, plan)
    types = catalogue.column_types(run.to.engine(), plan.schema) if there else {}
    found = {}
    for table in plan.tables:
        for column in table.carried:
            real = types.get((table.name, column.name)) if table.name in there else None
            if real is None or real == str(column.type) or column.type.kind is Kind.ENUM:
                continue
            try:
                found[f"{table.source}.{column.source}"] = str(parse_type(real))
            except ValueError:
                continue  # named as a difference when the plan is held against the table
    return found


def _empty_tables(run: Run, plan: Plan) -> set[str]:
    wanted = {t.name for t in plan.tables}
    relations = catalogue.relations(run.to.engine(), plan.schema)
    return {r.name for r in relations if r.kind == "r" and not r.filled and r.name in wanted}


def settle(run: Run, plan: Plan) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan with what it adopts, and a finding for each name that is taken by something else."""
    engine = run.to.engine()
    there = _empty_tables(run, plan)
    types = catalogue.column_types(engine, plan.schema)
    findings: list[Finding] = []
    for name in sorted(there):
        findings += _differences(plan.table(name), {c: t for (table, c), t in types.items() if table == name})
    wanted = {t.name for t in plan.tables if t.name not in there} | {v.name for v in plan.views}
    wanted |= {i.name for i in plan.indexes if i.table not in there}
    wanted |= {t.key.name for t in plan.tables if t.key and t.name not in there}
    findings += [_taken(plan.schema, r) for r in catalogue.relations(engine, plan.schema) if r.name in wanted]
    named = catalogue.enum_names(engine, plan.schema)
    enums = {n.name for n in plan.enums if n.name in named}
    if not there:
        findings += [_type_taken(plan.schema, name) for name in sorted(enums)]
    return msgspec.structs.replace(plan, adopted=(*sorted(there), *sorted(enums))), tuple(findings)


def _differences(table: TablePlan, real: dict[str, str]) -> Iterable[Finding]:
    planned = {c.name: str(c.type) for c in table.columns}
    for name in sorted(planned.keys() | real.keys()):
        if planned.get(name) != real.get(name):
            yield Finding(
                "target_table_differs",
                Severity.ERROR,
                f'The empty table "{table.name}" of the target differs: column "{name}" is'
                f" {real.get(name, 'missing')} there and {planned.get(name, 'missing')} in the plan.",
                "Bring the application's migrations and schema.prisma together, or drop the empty table.",
                table.source,
                name,
                1,
            )


def _taken(schema: str, relation: catalogue.Relation) -> Finding:
    thing = f'The target already has a {_KINDS[relation.kind]} "{schema}"."{relation.name}"'
    code, state = ("target_table_filled", ", and it holds rows") if relation.filled else ("target_name_taken", "")
    return Finding(
        code,
        Severity.ERROR,
        f"{thing}{state}.",
        "Did an earlier run leave it? Take that one back first: F8 on its screen, or zenni-tui rollback. Else empty "
        "the target yourself, or choose another schema or database: nothing of it is touched.",
        relation.name,
        None,
        1,
    )


def _type_taken(schema: str, name: str) -> Finding:
    return Finding(
        "target_name_taken",
        Severity.ERROR,
        f'The target already has a type "{schema}"."{name}".',
        "Nothing of it is touched: drop it yourself, or choose another schema or database.",
        name,
        None,
        1,
    )


_KEYS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND k.connamespace = to_regnamespace(quote_ident(%s)) AND c.relname = ANY(%s)
ORDER BY 1, 2
"""

_COUNTERS = """
SELECT c.relname, a.attname, s.last_value
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
JOIN LATERAL (SELECT pg_get_serial_sequence(format('%%I.%%I', %s::text, c.relname), a.attname) AS name) q ON true
JOIN pg_sequences s ON format('%%I.%%I', s.schemaname, s.sequencename)::regclass = q.name::regclass
WHERE c.relnamespace = to_regnamespace(quote_ident(%s)) AND c.relname = ANY(%s) AND a.attnum > 0
"""


def take(connection: Connection, run_id: str, plan: Plan) -> None:
    """Note the adopted tables, set their foreign keys aside, so that rows can come in any order, and give them rights.

    Called within the transaction that notes it; the definitions are kept in the target before anything is dropped.
    """
    tables = [t.name for t in plan.tables if t.name in plan.adopted]
    keys = connection.execute(_KEYS, (plan.schema, tables)).fetchall()
    counters = connection.execute(_COUNTERS, (plan.schema, plan.schema, tables)).fetchall()
    notes = [("adopted", name) for name in tables]
    notes += [("set aside", json.dumps(row)) for row in keys]
    notes += [("counter", json.dumps(row)) for row in counters]
    notes += [("rights", text) for t in adopted.tables(plan) for text in adopted.way_back(connection, plan, t)]
    bookkeeping.note_made(connection, run_id, notes)
    for table, name, _ in keys:
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                sql.Identifier(plan.schema, table), sql.Identifier(name)
            )
        )
    for planned in adopted.tables(plan):
        adopted.change(connection, plan, planned)


def put_back(connection: Connection, schema: str, notes: Iterable[tuple[str, str]], there: Things) -> None:
    """Make the foreign keys again that were set aside and are not there."""
    for kind, text in notes:
        if kind == "set aside":
            table, name, definition = json.loads(text)
            if ("foreign key", table, name) not in there:
                # The definition is the server's own text, quoted by it.
                add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} ").format(
                    sql.Identifier(schema, table), sql.Identifier(name)
                )
                connection.execute(add + sql.SQL(definition))


def give_back(connection: Connection, schema: str, notes: list[tuple[str, str]]) -> None:
    """Empty the adopted tables and give them their foreign keys, counters and rights back; within one transaction."""
    tables = [name for kind, name in notes if kind == "adopted"]
    if not tables:
        return
    for table, name, _ in connection.execute(_KEYS, (schema, tables)).fetchall():
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier(schema, table), sql.Identifier(name))
        )
    every = sql.SQL(", ").join(sql.Identifier(schema, t) for t in tables)
    connection.execute(sql.SQL("TRUNCATE {}").format(every))
    put_back(connection, schema, notes, set())
    # The notes are read last first, and rights are revoked before they are granted anew.
    for text in reversed([text for kind, text in notes if kind == "rights"]):
        connection.execute(text.encode())
    for kind, text in notes:
        if kind == "counter":
            table, column, last = json.loads(text)
            connection.execute(
                "SELECT setval(pg_get_serial_sequence(format('%%I.%%I', %s::text, %s::text), %s), %s, %s)",
                (schema, table, column, last or 1, last is not None),
            )
