"""Reads the target's catalogue: what is there, what type each column really has, and a fingerprint of all of it."""

import hashlib
from typing import Any

import psycopg
from sqlalchemy import Engine, text

from zenni_tui.model.record import Record

Connection = psycopg.Connection[tuple[Any, ...]]


class Relation(Record, frozen=True):
    """A relation of the target's schema; `kind` as in pg_class.relkind; `filled` tells whether it holds a row."""

    name: str
    kind: str
    filled: bool


def relations(engine: Engine, schema: str) -> tuple[Relation, ...]:
    """Return the tables, views and other relations of a schema, in order of names."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT c.relname, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'i', 'S') ORDER BY 1"
            ),
            {"schema": schema},
        ).all()
        quote = engine.dialect.identifier_preparer.quote_identifier

        def filled(name: str) -> bool:
            table = f"{quote(schema)}.{quote(name)}"
            # Not through text(), which would take a colon in a name for a parameter.
            found = connection.exec_driver_sql(f"SELECT EXISTS (SELECT 1 FROM {table})")  # noqa: S608 - quoted by the dialect
            return bool(found.scalar())

        return tuple(Relation(name, kind, kind in ("r", "p") and filled(name)) for name, kind in rows)


def enum_names(engine: Engine, schema: str) -> frozenset[str]:
    """Return the names of a schema's types that are not the row types of its tables."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
                " WHERE n.nspname = :schema AND t.typrelid = 0 AND t.typelem = 0"
            ),
            {"schema": schema},
        ).all()
    return frozenset(name for (name,) in rows)


def column_types(engine: Engine, schema: str) -> dict[tuple[str, str], str]:
    """Return the type of every column of a schema's tables as the server spells it, enums without their schema."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT c.relname, a.attname, CASE t.typtype WHEN 'e' THEN t.typname"
                " ELSE format_type(a.atttypid, a.atttypmod) END"
                " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid"
                " WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
            ),
            {"schema": schema},
        ).all()
    return {(table, column): kind for table, column, kind in rows}


_FINGERPRINT = """
WITH here AS (
    SELECT oid, nspname, coalesce(nspacl, acldefault('n', nspowner)) AS nspacl FROM pg_namespace
    WHERE nspname NOT IN ('zenni_tui', 'information_schema') AND nspname NOT LIKE 'pg\\_%%'
)
SELECT 'schema', nspname, nspacl::text FROM here
UNION ALL
SELECT 'default privileges', concat_ws(' ', d.defaclrole::regrole, here.nspname, d.defaclobjtype), d.defaclacl::text
FROM pg_default_acl d JOIN here ON here.oid = d.defaclnamespace
UNION ALL
SELECT 'relation', here.nspname || '.' || c.relname, c.relkind::text || ' ' || coalesce((
           SELECT string_agg(one::text, ',' ORDER BY one::text) FROM unnest(coalesce(c.relacl, CASE
               WHEN c.relkind = 'S' THEN acldefault('s', c.relowner)
               WHEN c.relkind IN ('r', 'p', 'v', 'm', 'f') THEN acldefault('r', c.relowner) END)) AS one), '')
       || ' ' || pg_get_userbyid(c.relowner) || ' ' || c.relpersistence::text || ' ' || c.relrowsecurity::text
       || ' ' || c.relforcerowsecurity::text || ' ' || coalesce(c.reloptions::text, '')
       || CASE WHEN c.relkind IN ('v', 'm') THEN md5(pg_get_viewdef(c.oid)) ELSE '' END
FROM pg_class c JOIN here ON here.oid = c.relnamespace
UNION ALL
SELECT 'column', here.nspname || '.' || c.relname || '.' || a.attname,
       format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull::text || ' ' || a.attidentity::text || ' '
       || a.attgenerated::text || ' '
       || coalesce((SELECT string_agg(one::text, ',' ORDER BY one::text) FROM unnest(a.attacl) AS one), '') || ' '
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN here ON here.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', here.nspname || '.' || conrelid::regclass::text || '.' || conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN here ON here.oid = k.connamespace
UNION ALL
SELECT 'index', here.nspname || '.' || c.relname, pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN here ON here.oid = c.relnamespace
UNION ALL
SELECT 'type', here.nspname || '.' || t.typname,
       t.typtype::text || coalesce((SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum e
                                    WHERE e.enumtypid = t.oid), '')
FROM pg_type t JOIN here ON here.oid = t.typnamespace
UNION ALL
SELECT 'sequence', here.nspname || '.' || c.relname,
       concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache, s.seqcycle)
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN here ON here.oid = c.relnamespace
UNION ALL
SELECT 'policy', here.nspname || '.' || c.relname || '.' || p.polname,
       concat_ws(' ', p.polcmd, p.polpermissive, p.polroles, pg_get_expr(p.polqual, p.polrelid),
                 pg_get_expr(p.polwithcheck, p.polrelid))
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN here ON here.oid = c.relnamespace
UNION ALL
SELECT 'function', here.nspname || '.' || p.oid::regprocedure::text,
       concat_ws(' ', md5(p.prosrc), p.prosecdef, p.proconfig, p.proacl, p.provolatile)
FROM pg_proc p JOIN here ON here.oid = p.pronamespace
UNION ALL
SELECT 'trigger', here.nspname || '.' || c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid) || t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN here ON here.oid = c.relnamespace WHERE NOT t.tgisinternal
UNION ALL
SELECT 'extension', extname, extversion FROM pg_extension
ORDER BY 1, 2, 3
"""


class Fingerprint(Record, frozen=True):
    """A digest of every object of the database outside our schema, and how many objects it covers."""

    sha256: str
    objects: int


def fingerprint(connection: Connection) -> Fingerprint:
    """Take the fingerprint of schemas, relations, columns, rules, indexes, types, policies, functions and triggers."""
    rows = connection.execute(_FINGERPRINT.replace("%%", "%")).fetchall()
    text_form = "\n".join("\t".join(map(str, row)) for row in rows)
    return Fingerprint(hashlib.sha256(text_form.encode()).hexdigest(), len(rows))
