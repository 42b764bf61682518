"""How a session of the verifier is set, so that nobody's defaults change what is read."""

from typing import Any

import psycopg
from psycopg import sql

Target = psycopg.Connection[tuple[Any, ...]]

SETTINGS = {
    "client_encoding": "UTF8",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "row_security": "off",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "jit": "off",
}


def pin_session(target: Target) -> None:
    """Pin the settings that decide how PostgreSQL prints values, and prepare no statements.

    In autocommit the settings stay with the session; otherwise they hold until the open transaction ends, so
    that behind a transaction pooler they reach nobody else. With `row_security` off a policy that would hide rows
    is an error instead (https://www.postgresql.org/docs/current/ddl-rowsecurity.html). Raises `psycopg.Error`.
    """
    target.prepare_threshold = None
    for name, value in SETTINGS.items():
        target.execute("SELECT set_config(%s, %s, %s)", (name, value, not target.autocommit))


PARAMETER = "\ue000parameter\ue000"
"""Stands for a parameter in a composed query until `parameterized` has made it."""


def parameterized(query: sql.Composable, target: Target | None = None) -> sql.SQL:
    """Return a query whose marks are parameters; a % in a name would otherwise begin a placeholder."""
    return sql.SQL(query.as_string(target).replace("%", "%%").replace(PARAMETER, "%s"))
