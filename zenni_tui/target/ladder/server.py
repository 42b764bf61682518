"""The fifth rung: whether this server, and this database, can take the data."""

from typing import Any

from zenni_tui.errors import NotReady

from .ground import Ground, Rung

OLDEST = 140000
"""PostgreSQL 14, the oldest release with `extract` in numeric, on which verification relies."""

_QUERY = """
SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version,
       current_setting('server_encoding') AS encoding, d.datcollate AS collation, d.datctype AS ctype,
       current_setting('TimeZone') AS zone, pg_is_in_recovery() AS standby,
       (SELECT s.reset_val::bool FROM pg_settings s WHERE s.name = 'default_transaction_read_only') AS read_only,
       pg_database_size(d.oid) AS bytes
FROM pg_database d WHERE d.datname = current_database()
"""


async def look(ground: Ground) -> Rung:
    """Read version, encoding, collation, time zone and whether the server takes writes; raises NotReady."""
    found = await ground.ask(_QUERY)
    judge(found, ground.where)
    ground.version = found["version"]
    text = (
        f"PostgreSQL {found['version']}, {found['encoding']}, collation {found['collation']}, time zone"
        f" {found['zone']}, takes writes, {found['bytes']:,} bytes"
    )
    advice = ""
    if found["zone"] not in ("UTC", "Etc/UTC", "GMT"):
        advice = f"Sessions of the application will be in {found['zone']}; ours are in UTC."
    return Rung("version, encoding, collation, time zone, read-only mode, recovery", text, advice=advice)


def judge(found: Any, where: str) -> None:
    """Raise NotReady for the first thing about the server that forbids a migration."""
    for bad, what, why, advice in (
        (
            found["number"] < OLDEST,
            "The server is too old.",
            f"It is {found['version']}; 14 is the oldest that works.",
            "Upgrade it, or take another server.",
        ),
        (
            found["encoding"] != "UTF8",
            "The database's encoding is not UTF8.",
            f"It is {found['encoding']}.",
            "Create the database with ENCODING 'UTF8'.",
        ),
        (
            found["standby"],
            "The server takes no writes.",
            "It is a standby, in recovery.",
            "Connect to the primary: name all hosts and target_session_attrs=read-write.",
        ),
        (
            found["read_only"],
            "The server takes no writes.",
            "default_transaction_read_only is on, for this server, database or role.",
            "Find out who set it and why; Supabase does when the disk is full: enlarge it, then switch it off.",
        ),
    ):
        if bad:
            raise NotReady(what, where=where, why=why, next_step=advice)
