"""Who may use what a run makes: the Data API's roles kept out, the application's own role let in."""

from collections.abc import Iterable
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import Access, Plan, TablePlan

from .supabase import ROLES

Connection = psycopg.Connection[tuple[Any, ...]]

OPEN = "open_to_api"
MISSING = "application_role_missing"
POLICY = "application"
_RIGHTS = "SELECT, INSERT, UPDATE, DELETE"
_REPAIRS = (
    Repair("rls_enable", lossless=True, text="enable row level security: the Data API then shows no row"),
    Repair("api_revoke", lossless=True, text="revoke every right on these tables from anon and authenticated"),
    Repair("leave_open", lossless=True, text="leave them open: the application uses the Data API"),
)
_OPEN_TO = """
SELECT r.rolname FROM pg_roles r JOIN pg_namespace n ON n.nspname = %(schema)s
WHERE r.rolname = ANY (%(roles)s) AND has_schema_privilege(r.oid, n.oid, 'USAGE')
  AND (%(new)s AND EXISTS (SELECT FROM pg_default_acl d, aclexplode(d.defaclacl) a
                           WHERE d.defaclrole = current_user::regrole AND d.defaclobjtype = 'r'
                             AND d.defaclnamespace IN (n.oid, 0) AND a.grantee IN (r.oid, 0))
       OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid AND c.relname = ANY (%(adopted)s)
                  AND NOT c.relrowsecurity AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE')))
ORDER BY 1
"""
_MISSING_GRANTS = """
SELECT NOT coalesce(has_schema_privilege(%(role)s, n.oid, 'USAGE'), false),
       NOT EXISTS (SELECT FROM pg_default_acl d, aclexplode(d.defaclacl) a
                   WHERE d.defaclrole = current_user::regrole AND d.defaclobjtype = 'r'
                     AND d.defaclnamespace = n.oid AND a.grantee = %(role)s::regrole)
FROM (SELECT to_regnamespace(quote_ident(%(schema)s))::oid AS oid) n
"""


def settle(connection: Connection, plan: Plan, choices: Choices, application: str) -> tuple[Plan, tuple[Finding, ...]]:
    """Return the plan with who may use its tables, and findings: tables open to the internet, a role that isn't there.

    `application` is the role that the application logs in as, empty when it is ours.
    """
    findings: list[Finding] = []
    roles, secured = _open_to(connection, plan), plan.access.secured
    access = Access(open_to=roles, secured=secured)
    if roles:
        found = _exposed(plan, roles)
        chosen = choices.chosen(found)
        findings.append(msgspec.structs.replace(found, chosen=chosen))
        closed = roles if chosen in ("rls_enable", "api_revoke") else ()
        access = Access(
            open_to=tuple(r for r in roles if r not in closed) if chosen != "rls_enable" else (),
            closed_to=closed if chosen == "api_revoke" else (),
            row_security=chosen == "rls_enable",
            view_closed_to=closed,
            secured=secured,
        )
    if application and application != connection.info.user:
        if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (application,)).fetchall():
            findings.append(_no_role(application))
        access = msgspec.structs.replace(access, application=application)
    return msgspec.structs.replace(plan, access=access), tuple(findings)


def _open_to(connection: Connection, plan: Plan) -> tuple[str, ...]:
    values = {
        "schema": plan.schema,
        "roles": list(ROLES),
        "adopted": list(plan.adopted),
        "new": any(t.name not in plan.adopted for t in plan.tables) or bool(plan.views),
    }
    return tuple(name for (name,) in connection.execute(_OPEN_TO, values))


def _exposed(plan: Plan, roles: tuple[str, ...]) -> Finding:
    return Finding(
        OPEN,
        Severity.WARNING,
        f'Tables in schema "{plan.schema}" are open to {", ".join(roles)}: anybody on the internet could read and'
        " write them through the project's Data API.",
        "Choose rls_enable, api_revoke or leave_open; or load into another schema ([target] schema), which it doesn't"
        " show.",
        count=len(plan.tables),
        repairs=_REPAIRS,
    )


def _no_role(application: str) -> Finding:
    return Finding(
        MISSING,
        Severity.ERROR,
        f'The application\'s role "{application}" is not there, so nothing can be granted to it.',
        "Create it (CREATE ROLE … LOGIN), or correct [target] application_role.",
        count=1,
    )


def of_table(plan: Plan, table: TablePlan, *, policy: bool = True) -> Iterable[str]:
    """Yield the statements that follow a table's own, in the same transaction: it is never open in between."""
    access, name = plan.access, sql.Identifier(plan.schema, table.name)
    counters = [c.name for c in table.columns if c.counter is not None]
    for role in access.closed_to:
        yield _text("REVOKE ALL ON TABLE {} FROM {}", name, sql.Identifier(role))
        yield from (_of_sequence("REVOKE ALL ON SEQUENCE %s FROM %I", plan, table, c, role) for c in counters)
    if access.row_security:
        yield _text("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", name)
    if access.application:
        application = sql.Identifier(access.application)
        yield _text(f"GRANT {_RIGHTS} ON TABLE {{}} TO {{}}", name, application)
        for column in counters:
            yield _of_sequence("GRANT USAGE, SELECT ON SEQUENCE %s TO %I", plan, table, column, access.application)
        if access.row_security and policy:
            ours = sql.Identifier(POLICY)
            yield _text("CREATE POLICY {} ON {} TO {} USING (true) WITH CHECK (true)", ours, name, application)


def of_view(plan: Plan, view: str) -> Iterable[str]:
    """Yield the statements that follow a view's own; it reads its tables as its owner, whatever their policies."""
    name = sql.Identifier(plan.schema, view)
    for role in plan.access.view_closed_to:
        yield _text("REVOKE ALL ON TABLE {} FROM {}", name, sql.Identifier(role))
    if plan.access.application:
        yield _text("GRANT SELECT ON TABLE {} TO {}", name, sql.Identifier(plan.access.application))


def of_schema(connection: Connection, plan: Plan) -> Iterable[tuple[str, str, str]]:
    """Yield kind, name and SQL of what the application's role still lacks in the schema; for tables to come, too."""
    if not plan.access.application:
        return
    role, schema = sql.Identifier(plan.access.application), sql.Identifier(plan.schema)
    row = connection.execute(_MISSING_GRANTS, {"role": plan.access.application, "schema": plan.schema}).fetchone()
    usage, defaults = row or (True, True)
    if usage:
        yield "usage", plan.access.application, _text("GRANT USAGE ON SCHEMA {} TO {}", schema, role)
    if defaults:
        grant = f"ALTER DEFAULT PRIVILEGES IN SCHEMA {{}} GRANT {_RIGHTS} ON TABLES TO {{}}"
        yield "defaults", plan.access.application, _text(grant, schema, role)


def take_back(kind: str, role: str, schema: str) -> str:
    """Return the statement that undoes what `of_schema` gave."""
    names = sql.Identifier(schema), sql.Identifier(role)
    if kind == "usage":
        return _text("REVOKE USAGE ON SCHEMA {} FROM {}", *names)
    return _text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA {{}} REVOKE {_RIGHTS} ON TABLES FROM {{}}", *names)


def _text(template: str, *parts: sql.Composable) -> str:
    return sql.SQL(template).format(*parts).as_string()


def _of_sequence(template: str, plan: Plan, table: TablePlan, column: str, role: str) -> str:
    # Only the server knows the name that it gave to a column's sequence.
    words = "DO $do$ BEGIN EXECUTE format({}, pg_get_serial_sequence({}, {}), {}); END $do$"
    relation = sql.Identifier(plan.schema, table.name).as_string()
    return _text(words, *map(sql.Literal, (template, relation, column, role)))
