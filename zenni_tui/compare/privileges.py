"""Who may use the target's tables, against the plan, as the server itself judges it."""

from zenni_tui.model.plan import Plan

from .ledger import Ledger
from .session import Target

# CASE, since the planner may ask about a sequence's rights before it knows that it is one.
_TABLES = """
SELECT c.relname, c.relrowsecurity,
       ARRAY(SELECT r FROM unnest(%(closed)s::text[]) r
             WHERE has_table_privilege(r, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')),
       ARRAY(SELECT p FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p
             WHERE %(role)s <> '' AND NOT has_table_privilege(nullif(%(role)s, ''), c.oid, p)),
       EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*'
               AND %(role)s <> '' AND to_regrole(quote_ident(%(role)s))::oid = ANY (p.polroles)),
       ARRAY(SELECT s.relname::text FROM pg_depend d JOIN pg_class s ON s.oid = d.objid
             WHERE d.refobjid = c.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0 AND %(role)s <> ''
               AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(nullif(%(role)s, ''), s.oid, 'USAGE') END)
FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND c.relkind IN ('r', 'p')
"""
_SCHEMA = "SELECT has_schema_privilege(%s, to_regnamespace(quote_ident(%s))::oid, 'USAGE')"


def compare_privileges(target: Target, plan: Plan, ledger: Ledger) -> None:
    """Compare rights and row security of every table, whoever made it; raises `psycopg.Error`."""
    access = plan.access
    values = {"schema": plan.schema, "closed": list(access.closed_to), "role": access.application}
    found = {row[0]: row[1:] for row in target.execute(_TABLES, values)}
    for table in plan.tables:
        if table.name not in found:
            continue
        name, (secured, still_open, lacking, policy, sequences) = f"table {table.name}", found[table.name]
        planned = access.row_security or table.name in access.secured
        ledger.same(name, _secured(planned), _secured(secured), "Its row security is not the plan's.")
        ledger.nothing(name, still_open, "Roles of the Data API still have rights on it.")
        ledger.nothing(name, lacking, f'The application\'s role "{access.application}" lacks rights on it.')
        ledger.nothing(
            name, sequences, f'The application\'s role "{access.application}" may not draw from its counter.'
        )
        wanted = bool(access.application) and access.row_security
        ledger.holds(
            name, "a policy", "none", "Row security hides its rows from the application.", ok=policy or not wanted
        )
    if access.application:
        row = target.execute(_SCHEMA, (access.application, plan.schema)).fetchone()
        message = f'The application\'s role "{access.application}" may not use the schema.'
        ledger.holds(f"schema {plan.schema}", "USAGE", "none", message, ok=bool(row and row[0]))


def _secured(on: bool) -> str:  # noqa: FBT001 - one shape for both sides
    return "row security on" if on else "row security off"
