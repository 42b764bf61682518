"""What an outsider sees: both databases by hand-written SQL, and everything that there is in the target but rows."""

import os
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg

_TABLES = {
    "Client": (
        "SELECT id, name, score, since FROM Client ORDER BY id",
        'SELECT id, name, score, (extract(epoch FROM since) * 1000)::bigint FROM "Client" ORDER BY id',
    ),
    "Visit": (
        "SELECT id, client, note, seen, picture FROM Visit ORDER BY id",
        'SELECT id, client, note, seen::int, picture FROM "Visit" ORDER BY id COLLATE "C"',
    ),
    "Code": (
        "SELECT place, number, CAST(worth AS TEXT) FROM Code ORDER BY place, number",
        'SELECT place, number, trim_scale(worth)::text FROM "Code" ORDER BY place COLLATE "C", number',
    ),
    "Line": (
        "SELECT at, said FROM Line ORDER BY at, said",
        'SELECT at, said FROM "Line" ORDER BY at, said COLLATE "C"',
    ),
    "Empty": ("SELECT id, why FROM Empty", 'SELECT id, why FROM "Empty"'),
    "Seen": (
        "SELECT client, visits FROM Seen ORDER BY client",
        'SELECT client, visits FROM "Seen" ORDER BY client',
    ),
}

_INVENTORY = """
SELECT 'relation', n.nspname || '.' || c.relname || ' ' || c.relkind::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT {system}
UNION ALL SELECT 'type', n.nspname || '.' || t.typname
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE NOT {system}
UNION ALL SELECT 'routine', n.nspname || '.' || p.proname
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE NOT {system}
UNION ALL SELECT 'constraint', n.nspname || '.' || c.conname || ' ' || c.convalidated::text
    || ' ' || pg_get_constraintdef(c.oid)
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE NOT {system}
UNION ALL SELECT 'index', pg_get_indexdef(i.indexrelid) || ' ' || i.indisvalid::text
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT {system}
UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'rule', rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE NOT {system}
UNION ALL SELECT 'schema', nspname FROM pg_namespace n WHERE NOT {system}
UNION ALL SELECT 'temporary', n.nspname || '.' || c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname LIKE 'pg\\_temp%'
UNION ALL SELECT 'extension', extname FROM pg_extension
UNION ALL SELECT 'role', rolname FROM pg_roles
UNION ALL SELECT 'setting', array_to_string(setconfig, ',') FROM pg_db_role_setting
UNION ALL SELECT 'prepared', gid FROM pg_prepared_xacts
UNION ALL SELECT 'large object', oid::text FROM pg_largeobject_metadata
UNION ALL SELECT 'slot', slot_name FROM pg_replication_slots
UNION ALL SELECT 'privilege', n.nspname || ' ' || a.defaclacl::text
  FROM pg_default_acl a JOIN pg_namespace n ON n.oid = a.defaclnamespace
ORDER BY 1, 2
""".format(system="(n.nspname ~ '^pg_' OR n.nspname = 'information_schema')")

_OTHERS = "datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"


def differences(source: Path, target: dict[str, str]) -> list[str]:
    """Return what differs between source and target, in words: each row there once, with its values, or not."""
    with closing(sqlite3.connect(source)) as ours, psycopg.connect(**target) as theirs:
        return [line for name, queries in _TABLES.items() for line in _differences(name, queries, ours, theirs)]


def _differences(
    name: str, queries: tuple[str, str], ours: sqlite3.Connection, theirs: psycopg.Connection[Any]
) -> list[str]:
    wanted, held = ours.execute(queries[0]).fetchall(), theirs.execute(queries[1]).fetchall()
    if wanted == held:
        return []
    first = next((pair for pair in zip(wanted, held, strict=False) if pair[0] != pair[1]), None)
    return [f"{name}: {len(wanted)} rows became {len(held)}; the first pair that differs: {first}"]


def inventory(target: dict[str, str]) -> list[str]:
    """Return everything that the target's catalogues hold beside the system's own, by kind and name."""
    with psycopg.connect(**target) as theirs:
        return [f"{kind} {name}" for kind, name in theirs.execute(_INVENTORY)]


def sessions(target: dict[str, str]) -> list[str]:
    """Return the sessions of others in this database, with what they do."""
    with psycopg.connect(**target) as theirs:
        rows = theirs.execute(f"SELECT application_name, state, query FROM pg_stat_activity WHERE {_OTHERS}")
        return [f"{name}: {state} {query}" for name, state, query in rows]


def backends(target: dict[str, str]) -> list[int]:
    """Return the server's processes that work for others in this database."""
    with psycopg.connect(**target) as theirs:
        return [pid for (pid,) in theirs.execute(f"SELECT pid FROM pg_stat_activity WHERE {_OTHERS}")]


def kill(target: dict[str, str], pid: int) -> None:
    """Kill -9 one of the server's processes, and wait until the server has ended all others for it."""
    with psycopg.connect(**target, autocommit=True) as witness, suppress(psycopg.OperationalError):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # One that was just leaving takes nobody along.
        while witness.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
            time.sleep(0.01)


def answers(target: dict[str, str]) -> bool:
    """Return whether the server takes connections."""
    try:
        psycopg.connect(**target).close()
    except psycopg.OperationalError:
        return False
    return True


def transactions(target: dict[str, str]) -> list[str]:
    """Return the transactions of others that have been open for more than half a second."""
    with psycopg.connect(**target) as theirs:
        rows = theirs.execute(
            f"SELECT query FROM pg_stat_activity WHERE {_OTHERS} AND clock_timestamp() - xact_start > interval '0.5 s'"
        )
        return [query for (query,) in rows]


def checkpoints(target: dict[str, str]) -> list[tuple[str, int, int]]:
    """Return the rows of our own schema that tell what has arrived: table, spans, rows."""
    with psycopg.connect(**target) as theirs:
        return theirs.execute(
            "SELECT table_name, count(*), sum(rows)::int FROM zenni_tui.checkpoint GROUP BY 1 ORDER BY 1"
        ).fetchall()


def expire(target: dict[str, str]) -> None:
    """Let the lease be over, as if its engine had been away for half a minute."""
    with psycopg.connect(**target) as theirs:
        theirs.execute("UPDATE zenni_tui.lease SET expires = now() - interval '1 second'")
