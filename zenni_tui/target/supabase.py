"""Supabase as it shows itself to a client: host names, roles, schemas, and what follows from them.

Facts: https://supabase.com/docs/guides/database/connecting-to-postgres and /guides/platform/database-size.
"""

import re

SESSION_POOLER = "aws-<n>-<region>.pooler.supabase.com:5432"
SESSION_PORT = 5432
TRANSACTION_PORT = 6543
SCHEMAS = frozenset({"auth", "storage", "realtime", "extensions", "graphql", "graphql_public", "vault", "pgbouncer"})
"""Schemas of the platform's own; nothing in them is ever touched."""
ROLES = ("anon", "authenticated")
"""The roles behind the Data API, which anybody on the internet may use."""
FREE_BYTES = 500_000_000
GROWTH = 1.5

_DIRECT = re.compile(r"db\.([a-z0-9]+)\.supabase\.(?:co|com|net)", re.IGNORECASE)
_POOLER = re.compile(r"[a-z0-9.-]+\.pooler\.supabase\.(?:co|com|net)", re.IGNORECASE)


def ref_of_direct_host(host: str) -> str:
    """Return the project's ref of a direct host name, empty for any other."""
    found = _DIRECT.fullmatch(host)
    return found[1] if found else ""


def is_pooler(host: str) -> bool:
    """Return whether a host is Supabase's pooler."""
    return _POOLER.fullmatch(host) is not None


def application_urls(host: str, user: str, database: str, application: str) -> tuple[str, str] | None:
    """Return the pooled and the direct URL for the application, its password left open; None for other targets.

    The pooled one is in transaction mode, which Prisma wants to be told. What a host name doesn't tell is left open.
    """
    ref = ref_of(host, user)
    if not ref:
        return None
    role = application or user.partition(".")[0]
    pooler = host if is_pooler(host) else SESSION_POOLER.partition(":")[0]
    pooled = f"postgresql://{role}.{ref}:[PASSWORD]@{pooler}:{TRANSACTION_PORT}/{database}?pgbouncer=true"
    return pooled, f"postgresql://{role}:[PASSWORD]@db.{ref}.supabase.co:{SESSION_PORT}/{database}"


def ref_of(host: str, user: str) -> str:
    """Return the project's ref from a host or, at the pooler, from the user `role.ref`; empty when neither tells."""
    return ref_of_direct_host(host) or (user.partition(".")[2] if is_pooler(host) else "")
