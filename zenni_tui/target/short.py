"""Short questions by either driver: what breaks one off, in our words."""

import asyncpg
import psycopg

from zenni_tui.errors import NotReady

BROKEN = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    psycopg.Error,
)
"""Everything that the drivers raise when a line is cut, from before the login to the middle of an answer."""

_LOST = "08"
"""SQLSTATE class of a lost connection; asyncpg gives it itself."""


def in_words(error: Exception) -> str:
    """Return the server's own words, or ours for a line that broke: the drivers tell then of their own inside."""
    if isinstance(error, TimeoutError):
        return "No answer came in time."
    if state := _said_by_server(error):
        return f"SQLSTATE {state}: {' '.join(str(error).split())}"
    known = error.strerror if isinstance(error, OSError) else None
    return f"The line broke before the answer came{f': {known}' if known else ''}."


def broke_off(error: Exception, where: str) -> NotReady:
    """Return what a question that was broken off means."""
    if _said_by_server(error):
        what, advice = "The server broke off a question.", "Look at the server's log, then check again."
    else:
        what = "The line to the server broke."
        advice = "See that the VPN and the server are up and nothing between cuts connections, then check again."
    return NotReady(what, where=where, why=in_words(error), next_step=advice)


def _said_by_server(error: Exception) -> str:
    """Return the SQLSTATE, empty when the error is the driver's own."""
    state = error.sqlstate if isinstance(error, asyncpg.PostgresError | psycopg.Error) else None
    return state if state and not state.startswith(_LOST) else ""
