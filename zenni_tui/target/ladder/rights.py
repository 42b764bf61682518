"""The seventh rung: what our role may do."""

from typing import Any

from zenni_tui.errors import NotReady

from .ground import Ground, Rung

_QUERY = """
SELECT current_user::text AS role, r.rolsuper AS super, r.rolbypassrls AS sees_all,
       has_database_privilege(current_database(), 'CREATE') AS may_create,
       to_regnamespace('zenni_tui') IS NOT NULL
           AND has_schema_privilege(to_regnamespace('zenni_tui')::oid, 'CREATE, USAGE') AS ours_there,
       to_regnamespace(quote_ident($1)) IS NOT NULL AS schema_there,
       coalesce(has_schema_privilege(to_regnamespace(quote_ident($1))::oid, 'CREATE'), false)
           AND coalesce(has_schema_privilege(to_regnamespace(quote_ident($1))::oid, 'USAGE'), false) AS may_create_here,
       pg_has_role('pg_monitor', 'MEMBER') AS monitors,
       pg_has_role('pg_signal_backend', 'MEMBER') AS signals
FROM pg_roles r WHERE r.rolname = current_user
"""


async def look(ground: Ground) -> Rung:
    """Ask the server what our role may do; raises NotReady."""
    found = await ground.ask(_QUERY, ground.schema)
    judge(found, ground.schema, ground.where)
    kind = "superuser" if found["super"] else "no superuser, and none is needed"
    watch = "" if found["monitors"] else "; other roles' sessions can't be seen in full (no pg_monitor)"
    text = f'{found["role"]} ({kind}) may create schemas, and tables in schema "{ground.schema}"{watch}'
    return Rung("CREATE on the database, CREATE and USAGE on the schema, pg_monitor", text)


def judge(found: Any, schema: str, where: str) -> None:
    """Raise NotReady for the first right that is missing."""
    if not (found["may_create"] or (found["ours_there"] and found["schema_there"])):
        raise NotReady(
            "The role may not create schemas in this database.",
            where=where,
            why=f'"{found["role"]}" lacks the CREATE privilege on the database, where our bookkeeping goes.',
            next_step="GRANT CREATE ON DATABASE … TO the role.",
        )
    if found["schema_there"] and not found["may_create_here"]:
        raise NotReady(
            f'The role may not create tables in schema "{schema}".',
            where=where,
            why=f'"{found["role"]}" lacks the CREATE or USAGE privilege there.',
            next_step="GRANT CREATE, USAGE ON SCHEMA … TO the role.",
        )
