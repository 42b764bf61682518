"""The checks of a target before anything is written to it; none of them writes."""

from typing import Any

import psycopg

from zenni_tui.errors import NotReady
from zenni_tui.model.record import Record

OLDEST = 140000
"""PostgreSQL 14, the oldest release with `extract` in numeric, on which verification relies."""


class Standing(Record, frozen=True):
    """What one look at the target found: version, rights, encoding, read-only state, size in bytes."""

    version_number: int
    version: str
    may_create: bool
    schema_there: bool
    may_create_here: bool
    encoding: str
    read_only: bool
    size: int


def stand(connection: psycopg.Connection[Any], schema: str) -> Standing:
    """Look at the target in one query."""
    row = connection.execute(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
        " has_database_privilege(current_database(), 'CREATE'),"
        " to_regnamespace(quote_ident(%(schema)s)) IS NOT NULL,"
        " coalesce(has_schema_privilege(to_regnamespace(quote_ident(%(schema)s))::oid, 'CREATE'), false),"
        " current_setting('server_encoding'),"
        " pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool,"
        " pg_database_size(current_database())",
        {"schema": schema},
    ).fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return Standing(*row)


def judge(found: Standing, schema: str, where: str) -> None:
    """Raise NotReady for the first thing that forbids a migration."""
    for bad, what, why, advice in (
        (
            found.version_number < OLDEST,
            "The server is too old.",
            f"It is {found.version}; 14 is the oldest that works.",
            "Upgrade it, or take another server.",
        ),
        (
            found.encoding != "UTF8",
            "The database's encoding is not UTF8.",
            f"It is {found.encoding}.",
            "Create the database with ENCODING 'UTF8'.",
        ),
        (
            found.read_only,
            "The server takes no writes.",
            "It is a standby, or default_transaction_read_only is on.",
            "Connect to the primary; on Supabase look at the disk's usage.",
        ),
        (
            not found.may_create,
            "The role may not create schemas in this database.",
            "It lacks the CREATE privilege on the database, where our bookkeeping goes.",
            "GRANT CREATE ON DATABASE … TO the role.",
        ),
        (
            found.schema_there and not found.may_create_here,
            f'The role may not create tables in schema "{schema}".',
            "It lacks the CREATE privilege there.",
            "GRANT CREATE, USAGE ON SCHEMA … TO the role.",
        ),
    ):
        if bad:
            raise NotReady(what, where=where, why=why, next_step=advice)
