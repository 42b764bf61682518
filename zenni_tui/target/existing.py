"""What of keys, indexes, checks and views is there already."""

from typing import Any

import psycopg

Things = set[tuple[str, str, str]]
"""Kind, table and name, as `ddl.Statement.thing` has them."""

_THINGS = """
SELECT CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'c' THEN 'check' ELSE 'foreign key' END, c.relname, k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype IN ('p', 'c', 'f') AND c.relnamespace = to_regnamespace(quote_ident(%(schema)s))
UNION ALL
SELECT 'validation', c.relname, k.conname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND k.convalidated AND c.relnamespace = to_regnamespace(quote_ident(%(schema)s))
UNION ALL
SELECT 'index', t.relname, c.relname
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
WHERE i.indisvalid AND c.relnamespace = to_regnamespace(quote_ident(%(schema)s))
UNION ALL
SELECT 'view', '', viewname FROM pg_views WHERE schemaname = %(schema)s
"""


def things(connection: psycopg.Connection[Any], schema: str) -> Things:
    """Return what is there in a schema, whoever made it."""
    return set(connection.execute(_THINGS, {"schema": schema}))
