"""What the target bears: how far its standbys are behind, how large the database is, what its disks have left."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psutil

if TYPE_CHECKING:
    from asyncpg import Connection as Short
    from asyncpg import Record as Row

_LAG = """
SELECT coalesce(bool_or(state IS NULL), false), max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn))::bigint
FROM pg_stat_replication
"""
_PLACES = """
SELECT pg_backend_pid(), inet_client_port(),
    (SELECT setting FROM pg_settings WHERE name = 'data_directory'),
    (SELECT pg_tablespace_location(dattablespace) FROM pg_database WHERE datname = current_database())
"""


class Lag(NamedTuple):
    """Whether there are standbys whose state this role may not see, and the bytes of WAL that one has yet to replay."""

    hidden: bool
    bytes: int


async def lag(connection: "Short[Row]") -> Lag:
    """Return how far the slowest standby is behind.

    What standbys have replayed is shown to members of pg_monitor only
    (https://www.postgresql.org/docs/current/monitoring-stats.html).
    """
    hidden, found = await connection.fetchrow(_LAG) or (False, None)
    return Lag(hidden, int(found or 0))


async def size(connection: "Short[Row]") -> int:
    """Return the bytes of the database, WAL apart."""
    return int(await connection.fetchval("SELECT pg_database_size(current_database())"))


async def places(connection: "Short[Row]") -> tuple[Path, ...]:
    """Return the folders of a server on this machine in which it keeps the database; none of any other server.

    A server elsewhere, in a container or at the other end of a tunnel, may name folders that are here, too: the process
    that answers must be one of ours, with the port of this very connection in its title (update_process_title).
    """
    pid, port, *folders = await connection.fetchrow(_PLACES) or (0, None)
    return tuple(Path(f) for f in folders if f) if _is_here(pid, port) else ()


def _is_here(pid: int, port: int | None) -> bool:
    try:
        title = " ".join(psutil.Process(pid).cmdline())
    except (psutil.Error, ValueError):
        return False
    return title.startswith("postgres: ") and (f"({port})" if port else "[local]") in title


def free(folders: tuple[Path, ...]) -> int | None:
    """Return the bytes that are free where there are fewest, None where no folder can be looked at."""
    found = []
    for folder in folders:
        try:
            disk = os.statvfs(folder)
        except OSError:
            continue
        found.append(disk.f_bavail * disk.f_frsize)
    return min(found, default=None)
