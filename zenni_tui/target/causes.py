"""What a failed connection means: libpq gives no SQLSTATE here, so its text, and the server's, decide."""

import re
from typing import NamedTuple

from zenni_tui.errors import NotReady


class Cause(NamedTuple):
    """A sign in the error's text, what it means, and what to do."""

    sign: str
    what: str
    advice: str


_CREDENTIALS = "Check ZENNI_TARGET_URL, PGPASSWORD or PGPASSFILE."
_FULL = "The server has no connection left."
_FULL_ADVICE = "Close others or raise the limit, then try again."
_POOL = "The pooler has no connection left."
_POOL_ADVICE = "Close others, raise the pool's size, or connect to the server directly."

CAUSES: tuple[Cause, ...] = (
    Cause(
        "root certificate file",
        "The authority's certificate to check the server with is not there.",
        "Give its file as sslrootcert, or use sslmode=require if the line is trusted.",
    ),
    Cause("password authentication failed", "The server refused the password.", _CREDENTIALS),
    Cause("SASL authentication failed", "The server refused the password.", _CREDENTIALS),
    Cause(
        "no password supplied",
        "The server wants a password and none was given.",
        "Set PGPASSWORD or PGPASSFILE, or put it into the 0600 config file.",
    ),
    Cause(
        "Tenant or user not found",
        "The pooler does not know this user.",
        "On Supabase's pooler the user is postgres.<project ref>.",
    ),
    Cause(
        "no such user",
        "The pooler does not know this user.",
        "Enter it in the pooler's user list, or correct the name.",
    ),
    Cause(
        "is not permitted to log in",
        "The role may not log in.",
        "ALTER ROLE … LOGIN, or name another role in the target's URL.",
    ),
    Cause(
        "permission denied for database",
        "The role may not connect to this database.",
        "GRANT CONNECT ON DATABASE … TO the role.",
    ),
    Cause(
        "no encryption",
        "The server accepts encrypted connections only.",
        "Use sslmode=require or stricter.",
    ),
    Cause(
        "SSL required",
        "The server accepts encrypted connections only.",
        "Use sslmode=require or stricter.",
    ),
    Cause(
        "no pg_hba.conf entry",
        "The server lets nobody in from this address, as this role, to this database.",
        "Ask its administrator for a line in pg_hba.conf; a managed server has a list of allowed addresses.",
    ),
    Cause(
        "pg_hba.conf rejects",
        "The server lets nobody in from this address, as this role, to this database.",
        "Ask its administrator for a line in pg_hba.conf; a managed server has a list of allowed addresses.",
    ),
    Cause(
        "valid client certificate",
        "The server wants a certificate from its clients.",
        "Give sslcert and sslkey in the target's URL.",
    ),
    Cause(
        "MaxClientsInSessionMode",
        _POOL,
        "Supabase's pool is as large as its pool size: raise that, or use the direct connection.",
    ),
    Cause("query_wait_timeout", _POOL, _POOL_ADVICE),
    Cause("no more connections allowed", _POOL, _POOL_ADVICE),
    Cause(
        "unsupported startup parameter",
        "The pooler refuses settings at the start of a connection.",
        "Leave options (PGOPTIONS) out of the target's settings.",
    ),
    Cause("remaining connection slots", _FULL, _FULL_ADVICE),
    Cause("too many", _FULL, _FULL_ADVICE),
    Cause("starting up", "The server is just starting.", "Wait a moment, then try again."),
    Cause("shutting down", "The server is shutting down.", "Start it again, then try again."),
    Cause(
        "session is read-only",
        "No host of the list takes writes.",
        "target_session_attrs asks for one that does: see which is the primary, and that it isn't read-only.",
    ),
    Cause(
        "is in hot standby mode",
        "No host of the list is a primary.",
        "target_session_attrs asks for one: name the primary.",
    ),
    Cause(
        "does not match host name",
        "The server's certificate is for another name.",
        "Connect by the name that the certificate bears.",
    ),
    Cause(
        "certificate verify failed",
        "The server's certificate can't be verified.",
        "Give the authority's file as sslrootcert.",
    ),
    Cause(
        "server does not support SSL",
        "The server offers no TLS.",
        "Use sslmode=prefer if the line is trusted, or switch TLS on.",
    ),
    Cause(
        "invalid response to SSL negotiation",
        "What listens there is no PostgreSQL.",
        "Check the port: PostgreSQL's is 5432, unless somebody chose another.",
    ),
    Cause(
        "expected authentication request",
        "What listens there is no PostgreSQL.",
        "Check the port: PostgreSQL's is 5432, unless somebody chose another.",
    ),
    Cause(
        "does not exist",
        "The server has no such database or role.",
        "Create it, or correct the name in the target's URL.",
    ),
    Cause("no such database", "The pooler knows no such database.", "Correct the name in the target's URL."),
    Cause(
        "Connection refused",
        "Nothing listens at that address and port.",
        "Check host and port, and that the server runs.",
    ),
    Cause("could not translate host name", "The host name can't be resolved.", "Check the name, the VPN and the DNS."),
    Cause("failed to resolve host", "The host name can't be resolved.", "Check the name, the VPN and the DNS."),
    Cause(
        "timeout expired",
        "The server did not answer in time.",
        "Check the VPN and the firewall between here and there.",
    ),
    Cause(
        "closed the connection unexpectedly",
        "The server closed the connection without a word.",
        "Look at its log; a proxy or firewall between may do that too.",
    ),
)


def explain(error: Exception, where: str) -> NotReady:
    """Turn a connection error into the operator's terms."""
    text = re.sub(r"\s+", " ", str(error)).strip()
    for sign, what, advice in CAUSES:
        if sign in text:
            return NotReady(what, where=where, why=text, next_step=advice)
    return NotReady(
        "The target can't be reached.", where=where, why=text, next_step="Try it with psql from this machine."
    )
