"""What the target bears: how far its standbys are behind, how large the database is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Connection as Short
    from asyncpg import Record as Row

_LAG = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN
    (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) FROM pg_stat_replication) END::bigint
"""


async def lag(connection: "Short[Row]") -> int | None:
    """Return the bytes of WAL that the slowest standby has yet to replay; None without one, or where it can't be seen.

    What standbys have replayed is shown to members of pg_monitor only
    (https://www.postgresql.org/docs/current/monitoring-stats.html).
    """
    found = await connection.fetchval(_LAG)
    return None if found is None else int(found)


async def size(connection: "Short[Row]") -> int:
    """Return the bytes of the database, WAL apart."""
    return int(await connection.fetchval("SELECT pg_database_size(current_database())"))
