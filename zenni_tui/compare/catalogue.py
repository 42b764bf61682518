"""What the target's catalogue says, read by the verifier itself from pg_catalog (PostgreSQL 14 and later)."""

from collections import defaultdict
from typing import Any, NamedTuple

from psycopg import sql

from .session import Target

# to_jsonb reads the columns that only newer servers have: conenforced (18), indnullsnotdistinct (15).
_TABLES = """
SELECT c.relname, c.oid::bigint, c.relkind::text, c.relpersistence::text
FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')
"""
_COLUMNS = """
SELECT a.attrelid::bigint, a.attname, a.attnum, format_type(a.atttypid, a.atttypmod),
  CASE WHEN y.typtype = 'e' AND y.typnamespace = c.relnamespace THEN y.typname END,
  a.attnotnull, a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid),
  NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = c.oid AND n.contype = 'n'
    AND n.conkey = ARRAY[a.attnum] AND NOT n.convalidated),
  used.objid::bigint,
  CASE WHEN a.attcollation <> y.typcollation THEN a.attcollation::regcollation::text END
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN LATERAL (SELECT p.refobjid AS objid FROM pg_depend p
  JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
  WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass
  LIMIT 1) used ON true
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
_SEQUENCES = """
SELECT s.oid::bigint, n.nspname, s.relname, o.refobjid::bigint, o.refobjsubid, q.seqincrement, q.seqcycle
FROM pg_class s
JOIN pg_namespace n ON n.oid = s.relnamespace
JOIN pg_sequence q ON q.seqrelid = s.oid
LEFT JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = s.oid
  AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i') AND o.refobjsubid > 0
WHERE s.relkind = 'S'
"""
_CONSTRAINTS = """
SELECT k.conname, k.conrelid::bigint, k.contype::text, k.convalidated, k.condeferrable,
  coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true),
  coalesce(k.confdeltype::text, ''), coalesce(k.confupdtype::text, ''), pn.nspname, p.relname,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i),
  ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i),
  NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A')),
  k.condeferred, pg_get_expr(k.conbin, k.conrelid), k.confmatchtype = 'f'
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_class p ON p.oid = k.confrelid
LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE c.relnamespace = %s::regnamespace AND k.contype IN ('p', 'f', 'c')
"""
INDEXES = """
SELECT x.relname, t.relname, i.indisunique, i.indisvalid AND i.indisready AND i.indislive,
  pg_get_expr(i.indpred, i.indrelid), coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
  ARRAY(SELECT CASE WHEN i.indkey[n - 1] = 0 THEN pg_get_indexdef(i.indexrelid, n, true)
      ELSE (SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1])
    END FROM generate_series(1, i.indnkeyatts) AS n ORDER BY n),
  ARRAY(SELECT (i.indoption[n - 1] & 1) = 1 FROM generate_series(1, i.indnkeyatts) AS n ORDER BY n),
  i.indimmediate, i.indisprimary, m.amname, i.indnatts > i.indnkeyatts,
  ARRAY(SELECT CASE WHEN i.indkey[n - 1] = 0 THEN 'expression' ELSE '' END
      || CASE WHEN o.opcdefault THEN '' ELSE ' ' || o.opcname END
      || CASE WHEN i.indcollation[n - 1] <> coalesce(a.attcollation, 0)
         THEN ' COLLATE ' || i.indcollation[n - 1]::regcollation ELSE '' END
      || CASE WHEN i.indoption[n - 1] IN (1, 2) THEN ' with NULLs elsewhere' ELSE '' END
    FROM generate_series(1, i.indnkeyatts) AS n
    JOIN pg_opclass o ON o.oid = i.indclass[n - 1]
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[n - 1] AND a.attnum > 0
    ORDER BY n)
FROM pg_index i
JOIN pg_class x ON x.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_am m ON m.oid = x.relam
"""
_VIEWS = """
SELECT c.relname, pg_get_viewdef(c.oid) FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'v'
"""
# Triggers of our own bookkeeping schema are ours: they capture changes while a run is under way.
_TRIGGERS = """
SELECT t.tgrelid::bigint, 'trigger ' || t.tgname FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE c.relnamespace = %s::regnamespace AND NOT t.tgisinternal AND n.nspname <> 'zenni_tui'
UNION ALL
SELECT r.ev_class::bigint, 'rule ' || r.rulename FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')
ORDER BY 2
"""
_ENUMS = """
SELECT y.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
FROM pg_type y LEFT JOIN pg_enum e ON e.enumtypid = y.oid
WHERE y.typnamespace = %s::regnamespace AND y.typtype = 'e' GROUP BY y.typname
"""
_STATE = sql.SQL("SELECT last_value, is_called FROM {}")
_LARGEST = sql.SQL("SELECT max({})::numeric::text FROM {}")


class FoundTable(NamedTuple):
    """One table; `kind` and `persistence` as in pg_class."""

    name: str
    oid: int
    kind: str
    persistence: str


class FoundColumn(NamedTuple):
    """One column; `enum` names an enum type of the table's schema, `sequence` is what the default draws from.

    `collation` is None where it is the type's own.
    """

    table: int
    name: str
    number: int
    type: str
    enum: str | None
    not_null: bool
    identity: str
    generated: str
    default: str | None
    not_null_valid: bool
    sequence: int | None
    collation: str | None


class FoundSequence(NamedTuple):
    """One sequence with the column that owns it."""

    oid: int
    schema: str
    name: str
    table: int | None
    column: int | None
    increment: int
    cycles: bool


class FoundConstraint(NamedTuple):
    """One primary key, foreign key or check; actions as in pg_constraint."""

    name: str
    table: int
    kind: str
    validated: bool
    deferrable: bool
    enforced: bool
    on_delete: str
    on_update: str
    parent_schema: str | None
    parent: str | None
    columns: list[str]
    parent_columns: list[str]
    triggers_on: bool
    deferred: bool
    expression: str | None
    matches_full: bool


class FoundIndex(NamedTuple):
    """One index; an expression stands in `columns` as its text.

    `oddities` has a text for each column, empty where operator class, collation and the place of NULLs are the usual.
    """

    name: str
    table: str
    unique: bool
    valid: bool
    predicate: str | None
    nulls_equal: bool
    columns: list[str]
    descending: list[bool]
    immediate: bool
    primary: bool
    method: str
    includes: bool
    oddities: list[str]


class Catalogue:
    """One schema of the target as its catalogue has it now; raises `psycopg.Error`."""

    def __init__(self, target: Target, schema: str) -> None:
        self._target = target
        self.schema = schema
        found = target.execute("SELECT to_regnamespace(quote_ident(%s))::text", (schema,)).fetchone()
        self._namespace = found[0] if found else None
        self.tables = {row[0]: FoundTable(*row) for row in self._read(_TABLES)}
        self.columns: dict[int, dict[str, FoundColumn]] = defaultdict(dict)
        for row in self._read(_COLUMNS):
            self.columns[row[0]][row[1]] = FoundColumn(*row)
        sequences = [FoundSequence(*row) for row in target.execute(_SEQUENCES).fetchall()]
        self._sequences = {s.oid: s for s in sequences}
        self._owned = {(s.table, s.column): s for s in sequences}
        self.constraints: dict[int, list[FoundConstraint]] = defaultdict(list)
        for row in self._read(_CONSTRAINTS):
            self.constraints[row[1]].append(FoundConstraint(*row))
        self.indexes = {
            row[0]: FoundIndex(*row) for row in self._read(INDEXES + "WHERE x.relnamespace = %s::regnamespace")
        }
        self.indexes_of: dict[str, list[FoundIndex]] = defaultdict(list)
        for index in self.indexes.values():
            self.indexes_of[index.table].append(index)
        self.views: dict[str, str] = dict(self._read(_VIEWS))
        self.triggers: dict[int, list[str]] = defaultdict(list)
        for table, name in self._read(_TRIGGERS):
            self.triggers[table].append(name)
        self.enums = {row[0]: tuple(row[1]) for row in self._read(_ENUMS)}

    def _read(self, query: str) -> list[tuple[Any, ...]]:
        if self._namespace is None:
            return []
        return self._target.execute(query.encode(), (self._namespace,) * query.count("%s")).fetchall()

    def sequence_of(self, table: FoundTable, column: FoundColumn) -> FoundSequence | None:
        """Return the sequence that fills the column: its default's, or the one it owns."""
        if column.identity:
            return self._owned.get((table.oid, column.number))
        return self._sequences.get(column.sequence or 0)

    def next_value(self, sequence: FoundSequence) -> int:
        """Return the number that the sequence will give out next, without drawing it."""
        name = sql.Identifier(sequence.schema, sequence.name)
        last, called = self._target.execute(_STATE.format(name)).fetchone() or (0, False)
        return int(last) + (sequence.increment if called else 0)

    def largest(self, table: str, column: str) -> int:
        """Return the largest number in the column, 0 when there is none."""
        query = _LARGEST.format(sql.Identifier(column), sql.Identifier(self.schema, table))
        (largest,) = self._target.execute(query).fetchone() or (None,)
        return int(largest or 0)
