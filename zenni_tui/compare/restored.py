"""What schemas of a PostgreSQL database hold, so that a restored one can be told from the one that was dumped.

Every row of every table counts, by the sum of hashes that the verifier uses, and every object by its definition.
"""

from collections.abc import Sequence

from psycopg import sql

from zenni_tui.model.plan import ColumnPlan, Kind, TargetType
from zenni_tui.model.record import Record

from .digest import Digest, table_digest
from .session import Target

_VIEW = "view text"
_SHOWN = 20

_COLUMNS = """
SELECT n.nspname, c.relname, coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE a.attnum > 0), '{}')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'r' AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
GROUP BY 1, 2 ORDER BY 1, 2
"""
# A NOT NULL is a constraint from PostgreSQL 18 on only; every version has it among the columns.
_SHAPE = """
WITH here AS (SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY(%(schemas)s)),
mine AS (
  SELECT c.*, here.nspname, format('%%I.%%I', here.nspname, c.relname) AS name
  FROM pg_catalog.pg_class c JOIN here ON here.oid = c.relnamespace WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
)
SELECT 'relation' AS kind, name, concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity) AS told
FROM mine WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL
SELECT 'column', format('%%s.%%I', mine.name, a.attname),
  concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
    pg_get_expr(e.adbin, e.adrelid))
FROM mine JOIN pg_catalog.pg_attribute a ON a.attrelid = mine.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum
WHERE mine.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT 'constraint', format('%%s.%%I', mine.name, k.conname), pg_get_constraintdef(k.oid)
FROM mine JOIN pg_catalog.pg_constraint k ON k.conrelid = mine.oid WHERE k.contype <> 'n'
UNION ALL
SELECT 'index', format('%%I', x.relname), concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid)
FROM mine JOIN pg_catalog.pg_index i ON i.indrelid = mine.oid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
UNION ALL
SELECT 'sequence', mine.name,
  concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcycle)
FROM mine JOIN pg_catalog.pg_sequence s ON s.seqrelid = mine.oid
UNION ALL
SELECT 'trigger', format('%%s.%%I', mine.name, t.tgname), concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
FROM mine JOIN pg_catalog.pg_trigger t ON t.tgrelid = mine.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'policy', format('%%s.%%I', mine.name, p.polname), concat_ws(' ', p.polcmd, p.polpermissive,
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
  ARRAY(SELECT rolname FROM pg_catalog.pg_roles WHERE oid = ANY(p.polroles) ORDER BY 1)::text)
FROM mine JOIN pg_catalog.pg_policy p ON p.polrelid = mine.oid
UNION ALL
SELECT 'view text', mine.name, pg_get_viewdef(mine.oid) FROM mine WHERE mine.relkind IN ('v', 'm')
UNION ALL
SELECT 'enum', format('%%I.%%I', here.nspname, t.typname), string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
FROM pg_catalog.pg_type t JOIN here ON here.oid = t.typnamespace JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
GROUP BY 1, 2
UNION ALL
SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', p.prokind, p.prosecdef, p.provolatile, p.prosrc)
FROM pg_catalog.pg_proc p JOIN here ON here.oid = p.pronamespace WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1, 2, 3
"""
_SEQUENCES = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'S' ORDER BY 1, 2
"""
_STATE = sql.SQL("SELECT last_value, is_called FROM {}")


class Contents(Record, frozen=True):
    """All tables with their digests, all objects with their definitions, and how far each sequence has counted."""

    major: int
    tables: dict[str, Digest]
    shape: tuple[tuple[str, str, str], ...]
    counters: dict[str, tuple[int, bool]]

    def within(self, schema: str) -> tuple[int, int]:
        """Return how many tables a schema has, and how many rows."""
        rows = [d.rows for name, d in self.tables.items() if name.startswith(f"{schema}.")]
        return len(rows), sum(rows)


def contents(target: Target, schemas: Sequence[str]) -> Contents:
    """Read all that some schemas hold, in the open transaction if there is one; the session must be pinned.

    Raises `psycopg.Error`.
    """
    # Definitions then name every schema, whatever the session would find without.
    target.execute("SELECT set_config('search_path', '', %s)", (not target.autocommit,))
    named = {"schemas": list(schemas)}
    tables = {
        f"{schema}.{name}": _digest(target, schema, name, columns)
        for schema, name, columns in target.execute(_COLUMNS, named).fetchall()
    }
    shape = tuple((kind, name, told or "") for kind, name, told in target.execute(_SHAPE, named))
    return Contents(target.info.server_version // 10_000, tables, shape, counters(target, schemas))


def _digest(target: Target, schema: str, name: str, columns: Sequence[str]) -> Digest:
    parts: list[tuple[ColumnPlan, sql.Composable]] = [
        (ColumnPlan(None, c, TargetType(Kind.TEXT)), sql.SQL("t.{}::text").format(sql.Identifier(c))) for c in columns
    ]
    nothing = (ColumnPlan(None, "", TargetType(Kind.TEXT)), sql.SQL("''"))
    return table_digest(target, sql.Identifier(schema, name), parts or [nothing])


def counters(target: Target, schemas: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """Return for each sequence its last value, and whether that was given out; no transaction holds them still."""
    found = target.execute(_SEQUENCES, {"schemas": list(schemas)}).fetchall()
    states = ((s, n, target.execute(_STATE.format(sql.Identifier(s, n))).fetchone()) for s, n in found)
    return {f"{s}.{n}": (int(state[0]), bool(state[1])) for s, n, state in states if state is not None}


def differences(dumped: Contents, found: Contents, after: dict[str, tuple[int, bool]]) -> tuple[str, ...]:
    """Return what a restored database has otherwise, in words; `after` are the counters when the dump had ended."""
    return (*_tables(dumped, found), *_shapes(dumped, found), *_counters(dumped, found, after))[:_SHOWN]


def _tables(dumped: Contents, found: Contents) -> list[str]:
    told = []
    for name, expected in dumped.tables.items():
        there = found.tables.get(name)
        if there is None:
            told.append(f"table {name} is missing")
        elif None in (there.total, expected.total):
            told.append(f"table {name} has a row whose text is too long to be compared")
        elif there.rows != expected.rows:
            told.append(f"table {name} has {there.rows:,} rows, not {expected.rows:,}")
        elif there.total != expected.total:
            told.append(f"table {name} has as many rows, but not the same ones")
    return told + [f"table {name} was not dumped" for name in found.tables if name not in dumped.tables]


def _shapes(dumped: Contents, found: Contents) -> list[str]:
    # Another version may write the same view in other words.
    left_out = set() if dumped.major == found.major else {_VIEW}
    expected, there = ({line for line in c.shape if line[0] not in left_out} for c in (dumped, found))
    lost = [f"{kind} {name} is not as it was: {told}" for kind, name, told in sorted(expected - there)]
    return lost + [f"{kind} {name} was otherwise: {told}" for kind, name, told in sorted(there - expected)]


def _counters(dumped: Contents, found: Contents, after: dict[str, tuple[int, bool]]) -> list[str]:
    told = []
    for name, before in dumped.counters.items():
        there, until = found.counters.get(name), after.get(name, before)
        if there is None or not min(before, until) <= there <= max(before, until):
            told.append(f"sequence {name} stands at {there}, not at {before}")
    return told
