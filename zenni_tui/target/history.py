"""Prisma's history in the target: a migration entered as applied, in the table that Prisma itself makes.

From `sql_migration_persistence.rs` and `apply_migration.rs` in prisma-engines.
"""

import uuid
from collections.abc import Iterator

from psycopg import sql

from zenni_tui.model.plan import Plan, TablePlan

from . import access
from .bookkeeping import Connection

TABLE = "_prisma_migrations"

_CREATE = sql.SQL(
    """
    CREATE TABLE {table} (
        "id" VARCHAR(36) PRIMARY KEY NOT NULL,
        "checksum" VARCHAR(64) NOT NULL,
        "finished_at" TIMESTAMPTZ,
        "migration_name" VARCHAR(255) NOT NULL,
        "logs" TEXT,
        "rolled_back_at" TIMESTAMPTZ,
        "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
        "applied_steps_count" INTEGER NOT NULL DEFAULT 0
    )
    """
)
_ENTER = sql.SQL(
    "INSERT INTO {table} (id, checksum, migration_name, started_at, finished_at, applied_steps_count)"
    " VALUES (%s, %s, %s, clock_timestamp(), clock_timestamp(), 1)"
)


def applied(connection: Connection, schema: str) -> dict[str, str] | None:
    """Return the checksums of the migrations that are applied, by name; None when the target has no history."""
    there = connection.execute("SELECT to_regclass(format('%%I.%%I', %s::text, %s::text))", (schema, TABLE)).fetchone()
    if there is None or there[0] is None:
        return None
    found = sql.SQL("SELECT migration_name, checksum FROM {} WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL")
    return dict(connection.execute(found.format(sql.Identifier(schema, TABLE))).fetchall())


def begin(connection: Connection, plan: Plan, name: str, checksum: str) -> None:
    """Within a transaction, make the history and enter one migration, as open to others as the plan's own tables."""
    table = sql.Identifier(plan.schema, TABLE)
    connection.execute(_CREATE.format(table=table))
    for statement in _rights(plan):
        connection.execute(statement.encode())
    connection.execute(_ENTER.format(table=table), (str(uuid.uuid4()), checksum, name))


def _rights(plan: Plan) -> Iterator[str]:
    yield from access.of_table(plan, TablePlan(TABLE, TABLE, ()))
