"""Rights and row security of tables that the application's own migrations made: as they are, and the way back there."""

from collections.abc import Iterable
from typing import Any

import psycopg

from zenni_tui.model.findings import Finding, Severity
from zenni_tui.model.plan import Plan, TablePlan
from zenni_tui.model.record import Record

from . import access

Connection = psycopg.Connection[tuple[Any, ...]]

HIDDEN = "application_sees_no_rows"
FORCED = "row_security_forced"

_STATE = """
SELECT c.relname, c.relrowsecurity,
       c.relrowsecurity AND %(role)s <> '' AND NOT EXISTS (
           SELECT FROM pg_policy p, unnest(p.polroles) AS named WHERE p.polrelid = c.oid AND p.polpermissive
           AND p.polcmd IN ('*', 'r') AND (named = 0 OR pg_has_role(to_regrole(quote_ident(%(role)s)), named, 'USAGE')))
         AND NOT coalesce((SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %(role)s), false),
       row_security_active(c.oid)
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND c.relname = ANY(%(tables)s)
  AND c.relkind IN ('r', 'p')
ORDER BY 1
"""

_RIGHTS = """
WITH t AS (SELECT c.oid, format('%%I.%%I', n.nspname, c.relname) AS name, c.relacl, c.relrowsecurity
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND c.relkind IN ('r', 'p')),
     q AS (SELECT format('%%I.%%I', n.nspname, s.relname) AS name, s.relacl
           FROM t JOIN pg_depend d ON d.refobjid = t.oid AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
           JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace),
     given AS (SELECT 'TABLE ' || t.name AS thing, a.grantee, a.privilege_type AS privilege, a.is_grantable
               FROM t, aclexplode(t.relacl) a
               UNION ALL
               SELECT 'TABLE ' || t.name, a.grantee, format('%%s (%%I)', a.privilege_type, c.attname), a.is_grantable
               FROM t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0, aclexplode(c.attacl) a
               UNION ALL
               SELECT 'SEQUENCE ' || q.name, a.grantee, a.privilege_type, a.is_grantable FROM q, aclexplode(q.relacl) a)
SELECT 1, format('REVOKE ALL ON %%s FROM %%I', thing, role)
FROM unnest(%(roles)s::text[]) AS role,
     (SELECT 'TABLE ' || name AS thing FROM t UNION ALL SELECT 'SEQUENCE ' || name FROM q) AS things
UNION ALL
SELECT 2, format('GRANT %%s ON %%s TO %%I%%s', privilege, thing, r.rolname,
                 CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM given JOIN pg_roles r ON r.oid = given.grantee WHERE r.rolname = ANY (%(roles)s)
UNION ALL
SELECT 3, format('ALTER TABLE %%s DISABLE ROW LEVEL SECURITY', name) FROM t WHERE %(secure)s AND NOT relrowsecurity
UNION ALL
SELECT 4, format('DROP POLICY IF EXISTS %%I ON %%s', %(policy)s::text, name)
FROM t WHERE NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid AND p.polname = %(policy)s)
ORDER BY 1, 2
"""
"""The statements, quoted by the server itself, that make the rights of roles what they are now."""


class State(Record, frozen=True):
    """Adopted tables by name: with row security on, showing no row to the application's role, showing none to us."""

    secured: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()


def tables(plan: Plan) -> tuple[TablePlan, ...]:
    """Return the tables of a plan that are there already."""
    return tuple(t for t in plan.tables if t.name in plan.adopted)


def look(connection: Connection, plan: Plan, application: str) -> State:
    """Return how row security stands on a plan's adopted tables, for us and for the application's role."""
    names = [t.name for t in tables(plan)]
    values = {"schema": plan.schema, "tables": names, "role": application}
    rows = connection.execute(_STATE, values).fetchall() if names else []
    columns = zip(*([(name, *flags) for name, *flags in rows] or [("", False, False, False)]), strict=True)
    found, *flags = columns
    return State(*(tuple(name for name, on in zip(found, column, strict=True) if on) for column in flags))


def findings(state: State, application: str) -> Iterable[Finding]:
    """Yield what stands in the way of us or of the application's role."""
    for name in state.forced:
        yield Finding(
            FORCED,
            Severity.ERROR,
            f'Row security holds for our own role on the table "{name}": no row of it could be loaded or seen.',
            "ALTER TABLE … NO FORCE ROW LEVEL SECURITY, or connect as its owner or as a role with BYPASSRLS.",
            name,
            None,
            1,
        )
    for name in state.hidden:
        yield Finding(
            HIDDEN,
            Severity.WARNING,
            f'Row security is on for the table "{name}", and no policy shows its rows to the role "{application}".',
            "Create a policy for it in the application's migrations, or choose rls_enable, which makes one.",
            name,
            None,
            1,
        )


def way_back(connection: Connection, plan: Plan, table: TablePlan) -> list[str]:
    """Return the statements that make a table's rights and row security what they are now, whatever we change."""
    roles = [*plan.access.closed_to, *filter(None, [plan.access.application])]
    values = {
        "schema": plan.schema,
        "table": table.name,
        "roles": roles,
        "secure": plan.access.row_security,
        "policy": access.POLICY,
    }
    return [text for _, text in connection.execute(_RIGHTS, values)]


def change(connection: Connection, plan: Plan, table: TablePlan) -> None:
    """Give a table the rights and the row security of the plan; a policy of our policy's name stays as it is."""
    there = connection.execute(
        "SELECT FROM pg_policies WHERE (schemaname, tablename, policyname) = (%s, %s, %s)",
        (plan.schema, table.name, access.POLICY),
    ).fetchall()
    for text in access.of_table(plan, table, policy=not there):
        connection.execute(text.encode())
