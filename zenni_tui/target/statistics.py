"""Reads the target's statistics over one connection: short queries, each bounded, none that waits for a lock.

Facts: https://www.postgresql.org/docs/current/monitoring-stats.html and /docs/current/view-pg-locks.html. Most of it
any role may read; other roles' sessions are seen in full by members of pg_monitor only.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from psycopg import sql

from zenni_tui.errors import NotReady, StepFailed
from zenni_tui.model import statistics as s

from . import supabase
from .causes import explain
from .connect import Target

if TYPE_CHECKING:
    from asyncpg import Connection as Short
    from asyncpg import Record as Row

T = TypeVar("T")

QUERY_SECONDS = 5.0
"""The most that one question may take, the way there and back included."""
_SECOND_THOUGHT = 0.5
_LONGEST = 4_000.0
_BOUNDS = "SET LOCAL statement_timeout = 4000; SET LOCAL lock_timeout = 200; SET LOCAL jit = off"
_BROKEN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""A session that is ended in mid-question shows as an internal error of the client, too."""
_SETTLED = frozenset({"tables", "indexes", "foreign_keys", "unchecked", "sequences"})
"""What does not change from one look to the next."""
_COSTLY, _REST = 0.05, 50.0
_MOST_ROWS = 5_000
_BIG_PAGES = 1_280
"""Bloat is estimated from 10 MB on: below nobody cares."""

_SERVER = """
SELECT current_setting('server_version_num')::int AS version, current_user::text AS role,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0) AS most,
  d.datconnlimit AS database_most, pg_has_role('pg_monitor', 'USAGE') AS monitor, pg_is_in_recovery() AS standby,
  coalesce((SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only'), 'off') = 'on' AS read_only,
  current_setting('autovacuum')::bool AS autovacuum, pg_database_size(d.oid) AS bytes,
  coalesce(extract(epoch FROM clock_timestamp() - (SELECT stats_reset FROM pg_stat_database WHERE datid = d.oid)),
    -1)::float8 AS counted, age(d.datfrozenxid) AS wraparound,
  coalesce((SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements'), '') AS statements,
  (SELECT count(*) = 2 FROM pg_roles WHERE rolname IN ('anon', 'authenticated')) AS supabase
FROM pg_database d WHERE d.datname = current_database()
"""
# Whom we may not see has no backend_type; background processes that we may not see have no database.
_SESSIONS = f"""
SELECT a.pid, a.backend_start::text AS started, coalesce(a.usename::text, '') AS role,
  coalesce(a.application_name, '') AS name, a.datname = current_database() AS here,
  a.backend_type IS NOT NULL AS seen, coalesce(a.state, '') AS state,
  coalesce(extract(epoch FROM clock_timestamp() - a.query_start), 0)::float8 AS running,
  coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8 AS transaction,
  coalesce(extract(epoch FROM clock_timestamp() - a.state_change), 0)::float8 AS idle,
  coalesce(left(a.query, 400), '') AS query,
  CASE WHEN l.pid IS NULL THEN '{{}}' ELSE pg_blocking_pids(a.pid) END AS blockers,
  coalesce(extract(epoch FROM clock_timestamp() - l.waitstart), 0)::float8 AS waiting,
  coalesce((SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = l.relation AND a.datname = current_database()), '') AS relation
FROM pg_stat_activity a LEFT JOIN LATERAL (SELECT * FROM pg_locks k WHERE k.pid = a.pid AND NOT k.granted LIMIT 1) l
  ON true
WHERE a.pid <> pg_backend_pid() AND a.datname IS NOT NULL
  AND coalesce(a.backend_type, 'client backend') = 'client backend'
ORDER BY a.xact_start NULLS LAST LIMIT {_MOST_ROWS}
"""  # noqa: S608 - a number of ours
_COUNTERS = """
SELECT xact_commit AS commits, xact_rollback AS rollbacks, deadlocks, conflicts, temp_files, temp_bytes,
  blks_hit AS hits, blks_read AS reads
FROM pg_stat_database WHERE datname = current_database()
"""
_OTHERS = (
    "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'zenni_tui') AND n.nspname <> ALL ($1::text[])"
)
# Asking for a table's size takes a lock on it: one that is locked, or about to be, is told by its last known pages.
_TABLES = f"""
SELECT n.nspname::text AS schema, c.relname::text AS name, t.n_live_tup AS rows, t.n_dead_tup AS dead,
  CASE WHEN busy.is THEN c.relpages::bigint * current_setting('block_size')::int
    ELSE pg_table_size(c.oid) END AS bytes,
  CASE WHEN busy.is THEN 0 ELSE pg_indexes_size(c.oid) END AS index_bytes,
  coalesce(extract(epoch FROM now() - greatest(t.last_vacuum, t.last_autovacuum)), -1)::float8 AS vacuumed,
  coalesce('autovacuum_enabled=false' <> ALL (c.reloptions), true) AS kept,
  coalesce(t.seq_scan, 0) AS scans, coalesce(t.idx_scan, 0) AS lookups,
  CASE WHEN $2 THEN NOT c.relrowsecurity AND n.nspname = 'public'
    AND (has_table_privilege('anon', c.oid, 'SELECT, INSERT, UPDATE, DELETE')
      OR has_table_privilege('authenticated', c.oid, 'SELECT, INSERT, UPDATE, DELETE')) ELSE false END AS exposed,
  coalesce(w.wasted, -1) AS wasted
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_stat_user_tables t ON t.relid = c.oid
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_locks k JOIN pg_class o ON o.oid = k.relation
  LEFT JOIN pg_index x ON x.indexrelid = o.oid
  WHERE k.mode = 'AccessExclusiveLock' AND c.oid IN (o.oid, x.indrelid)
    AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS is) busy
LEFT JOIN LATERAL (SELECT greatest(0, c.relpages - ceil(c.reltuples * (28 + sum((1 - a.null_frac) * a.avg_width))
      / (current_setting('block_size')::int - 24)))::bigint * current_setting('block_size')::int AS wasted
  FROM pg_stats a WHERE a.schemaname = n.nspname AND a.tablename = c.relname AND NOT a.inherited
    AND c.relpages >= {_BIG_PAGES} HAVING count(*) > 0) w ON true
WHERE c.relkind IN ('r', 'm') AND {_OTHERS} ORDER BY c.relpages DESC LIMIT {_MOST_ROWS}
"""  # noqa: S608 - words of ours
_INDEXES = f"""
SELECT n.nspname::text AS schema, t.relname::text AS table, c.relname::text AS name, coalesce(u.idx_scan, 0) AS scans,
  c.relpages::bigint * current_setting('block_size')::int AS bytes,
  i.indisunique OR i.indisexclusion OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid) AS rule,
  i.indisvalid AND i.indisready AS valid,
  EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = c.oid) AS building
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_user_indexes u ON u.indexrelid = c.oid
WHERE {_OTHERS} ORDER BY c.relpages DESC LIMIT {_MOST_ROWS}
"""  # noqa: S608 - words of ours
_FOREIGN_KEYS = f"""
SELECT n.nspname::text AS schema, c.relname::text AS table, k.conname::text AS name,
  ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.n ORDER BY u.i) AS columns,
  greatest(coalesce(pg_stat_get_live_tuples(c.oid), 0), c.reltuples::bigint, 0) AS rows
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND {_OTHERS} AND NOT EXISTS (SELECT FROM pg_index i
  WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
    AND (i.indkey::int2[])[0:cardinality(k.conkey) - 1] @> k.conkey)
ORDER BY rows DESC LIMIT {_MOST_ROWS}
"""  # noqa: S608 - words of ours
_UNCHECKED = f"""
SELECT n.nspname::text AS schema, c.relname::text AS table, k.conname::text AS name
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT k.convalidated AND {_OTHERS} ORDER BY 1, 2, 3 LIMIT {_MOST_ROWS}
"""  # noqa: S608 - words of ours
# A column is a sequence's own (serial, identity), or has it in its default.
_SEQUENCES = f"""
SELECT n.nspname::text AS schema, c.relname::text AS name, coalesce(v.last_value, 0) AS last, q.seqmax AS most,
  coalesce(w.table, '') AS table, coalesce(w.column, '') AS column, coalesce(w.type, '') AS type,
  CASE w.type WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647 END::bigint AS column_most
FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_sequences v ON v.schemaname = n.nspname AND v.sequencename = c.relname
LEFT JOIN LATERAL (SELECT t.relname::text AS table, a.attname::text AS column, y.typname::text AS type
  FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid JOIN pg_type y ON y.oid = a.atttypid
  WHERE (a.attrelid, a.attnum) IN (
    SELECT p.refobjid, p.refobjsubid FROM pg_depend p WHERE p.classid = 'pg_class'::regclass AND p.objid = c.oid
      AND p.refclassid = 'pg_class'::regclass AND p.deptype IN ('a', 'i')
    UNION SELECT d.adrelid, d.adnum FROM pg_attrdef d JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass
      AND p.objid = d.oid AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid)
  ORDER BY y.typlen LIMIT 1) w ON true
WHERE q.seqincrement > 0 AND NOT q.seqcycle AND {_OTHERS} LIMIT {_MOST_ROWS}
"""  # noqa: S608 - words of ours
_STANDBYS = """
SELECT coalesce(nullif(application_name, ''), pid::text) AS name, 'standby' AS kind, coalesce(state, '') AS state,
  coalesce(extract(epoch FROM replay_lag), CASE WHEN state IS NULL THEN -1 ELSE 0 END)::float8 AS seconds,
  coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
    replay_lsn), -1)::bigint AS bytes
FROM pg_stat_replication
UNION ALL
SELECT slot_name::text, 'slot', CASE WHEN active THEN 'active' ELSE 'inactive' END, -1,
  coalesce(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
    restart_lsn), -1)::bigint
FROM pg_replication_slots
UNION ALL
SELECT 'this server', 'standby', 'replaying',
  CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE coalesce(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), -1) END::float8, -1
WHERE pg_is_in_recovery()
"""
_ROLES = "SELECT rolname::text AS name, rolconnlimit AS most FROM pg_roles WHERE rolconnlimit > 0"
# Only what an application asks: building an index takes long by its nature.
_STATEMENTS = """
SELECT queryid::text || '/' || userid::text AS id, sum(calls)::bigint AS calls, sum(total_exec_time)::float8 AS total,
  min(left(query, 400)) AS query
FROM {}.pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND queryid IS NOT NULL
  AND query ~* '^[\\s(]*(select|insert|update|delete|merge|with)\\M' AND query !~* 'pg_(stat_|catalog|class|locks)'
GROUP BY 1 ORDER BY 3 DESC LIMIT 100
"""


def grant(role: str) -> str:
    """Return the statement that lets a role see all sessions."""
    return sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(role)).as_string()


class Probe:
    """One connection, opened when needed and again when it was lost; `read` looks once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._link: Short[Row] | None = None
        self._unseen: dict[str, str] = {}
        self._kept: dict[str, tuple[float, Any]] = {}

    async def read(self) -> s.Facts:
        """Return what the target says of itself; raises NotReady when it can't be reached."""
        self._unseen = {}
        at = time.time()
        server = await self._server()
        system = sorted(supabase.SCHEMAS) if server.supabase else []
        counters = await self._all("counters", s.CounterFacts, _COUNTERS)
        facts = s.Facts(
            at,
            server,
            await self._all("sessions", s.SessionFacts, _SESSIONS),
            counters[0] if counters else None,
            await self._statements(server.statements),
            await self._all("tables", s.TableFacts, _TABLES, system, server.supabase),
            await self._all("indexes", s.IndexFacts, _INDEXES, system),
            await self._all("foreign_keys", s.ForeignKeyFacts, _FOREIGN_KEYS, system),
            await self._all("unchecked", s.UncheckedFacts, _UNCHECKED, system),
            await self._all("sequences", s.SequenceFacts, _SEQUENCES, system),
            await self._all("standbys", s.StandbyFacts, _STANDBYS),
            await self._all("roles", s.RoleFacts, _ROLES),
            self._unseen,
        )
        await self._end("COMMIT")
        return facts

    async def _server(self) -> s.ServerFacts:
        try:
            return (await self._ask(s.ServerFacts, _SERVER))[0]
        except _BROKEN:
            # A connection that idled may have been dropped on the way, and one failure is no news yet.
            self.close()
            await asyncio.sleep(_SECOND_THOUGHT)
        try:
            return (await self._ask(s.ServerFacts, _SERVER))[0]
        except _BROKEN as error:
            self.close()
            raise self._away(error) from error

    def _away(self, error: Exception) -> NotReady:
        if not isinstance(error, TimeoutError):
            return explain(error, self.target.label())
        return NotReady(
            "The target does not answer.",
            where=self.target.label(),
            why=f"Nothing came within {QUERY_SECONDS:.0f} s, twice.",
            next_step="See that the server runs and the way to it is open: zenni-tui check.",
        )

    async def _statements(self, schema: str) -> tuple[s.StatementFacts, ...]:
        if not schema:
            self._unseen["statements"] = (
                "pg_stat_statements is not installed: only queries that run at this moment are seen."
                " CREATE EXTENSION pg_stat_statements, with shared_preload_libraries = 'pg_stat_statements'."
            )
            return ()
        query = sql.SQL(_STATEMENTS).format(sql.Identifier(schema)).as_string()
        return await self._all("statements", s.StatementFacts, query)

    async def _all(self, topic: str, kind: Callable[..., T], query: str, *values: object) -> tuple[T, ...]:
        """Return the answer's rows; none, with the reason noted, when the server doesn't give them."""
        try:
            return await self._at_times(topic, kind, query, *values)
        except asyncpg.PostgresError as error:
            self._unseen[topic] = f"The server does not tell: {error}"
        except TimeoutError:
            # An answer may still come: the connection is of no use any more.
            self.close()
            self._unseen[topic] = f"No answer within {QUERY_SECONDS:.0f} s."
        except _BROKEN as error:
            self.close()
            self._unseen[topic] = f"The connection broke off: {error}"
        return ()

    async def _at_times(self, topic: str, kind: Callable[..., T], query: str, *values: object) -> tuple[T, ...]:
        """Ask what costs much, as of thousands of tables, less often: it may take a fiftieth of the time."""
        kept = self._kept.get(topic)
        if kept is not None and time.monotonic() < kept[0]:
            found: tuple[T, ...] = kept[1]
            return found
        began = time.monotonic()
        rows = await self._ask(kind, query, *values)
        now = time.monotonic()
        if topic in _SETTLED and now - began > _COSTLY:
            self._kept[topic] = (now + (now - began) * _REST, rows)
        return rows

    def forget(self) -> None:
        """Ask everything anew at the next look: something was changed."""
        self._kept.clear()

    async def _ask(self, kind: Callable[..., T], query: str, *values: object) -> tuple[T, ...]:
        found = await self._rows(query, *values)
        return tuple(kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}) for row in found)

    async def _rows(self, query: str, *values: object) -> "list[Row]":
        try:
            return await asyncio.wait_for(self._fetched(query, *values), QUERY_SECONDS)
        except asyncpg.PostgresError:
            # The transaction is lost; the next question begins another.
            await self._end("ROLLBACK")
            raise

    async def _fetched(self, query: str, *values: object) -> "list[Row]":
        if self._link is None or self._link.is_closed():
            self._link = await self.target.connect_async()
        if not self._link.is_in_transaction():
            # Behind a pooler a session's settings would be lost, or found by others; and one transaction for all
            # questions of a look spares a far line its round trips.
            await self._link.execute(f"BEGIN READ ONLY; {_BOUNDS}")
        found: list[Row] = await self._link.fetch(query, *values)
        return found

    async def _end(self, how: str) -> None:
        """End the transaction, if there is one: nothing stays open between two looks."""
        if self._link is None or self._link.is_closed() or not self._link.is_in_transaction():
            return
        try:
            await asyncio.wait_for(self._link.execute(how), QUERY_SECONDS)
        except _BROKEN:
            self.close()

    async def timed(self, query: str) -> float:
        """Return a query's planning and execution in milliseconds, as the server takes them; raises StepFailed.

        It is read-only, and broken off after four seconds, which then are its time.
        """
        try:
            rows = await self._rows(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query}")
        except asyncpg.QueryCanceledError:
            return _LONGEST
        except _BROKEN as error:
            self.close()
            raise StepFailed(
                "A query of [queries] could not be timed.", why=str(error) or f"No answer in {QUERY_SECONDS:.0f} s."
            ) from error
        await self._end("COMMIT")
        (plan,) = json.loads(rows[0][0])
        return float(plan["Planning Time"] + plan["Execution Time"])

    def close(self) -> None:
        """Let go of the session, without waiting for a line that may be dead."""
        if self._link is not None:
            with contextlib.suppress(OSError):
                self._link.terminate()
            self._link = None
