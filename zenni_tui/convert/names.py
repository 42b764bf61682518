"""Target names: kept to the byte where PostgreSQL can, proposed where it can't."""

import hashlib
from collections.abc import Iterable

from zenni_tui.model.findings import Finding, Repair, Severity

LONGEST = 63
"""Bytes of an identifier (NAMEDATALEN - 1, https://www.postgresql.org/docs/current/limits.html)."""

_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
"""System columns (https://www.postgresql.org/docs/current/ddl-system-columns.html)."""


def quoted(name: str) -> str:
    """Quote an identifier of the target, for text that a plan carries; statements are quoted by the drivers."""
    return '"' + name.replace('"', '""') + '"'


def fitted(name: str) -> str:
    """Return a name that fits: cut at a character, with eight digits of its hash so that cut names stay apart."""
    raw = name.encode()
    if len(raw) <= LONGEST:
        return name
    short = raw[: LONGEST - 9].decode("utf-8", "ignore")
    return f"{short}_{hashlib.sha256(raw).hexdigest()[:8]}"


def enum_type(table: str, column: str) -> str:
    """Return the name of an enum made for a column, as people name types: `BookingStatus`."""
    return fitted("".join(part[:1].upper() + part[1:] for part in (table, column)))


def obstacle(name: str, taken: Iterable[str], *, column: bool) -> tuple[str, str] | None:
    """Return the code and the reason for which a name can't stay, None when it can."""
    size = len(name.encode())
    if not name:
        return "name_empty", "PostgreSQL has no empty names"
    if size > LONGEST:
        return "name_too_long", f"it has {size} bytes, PostgreSQL keeps {LONGEST}"
    if column and name in _SYSTEM:
        return "name_reserved", "PostgreSQL has a system column of that name in every table"
    if name in taken:
        return "name_collides", "something else in the schema has that name"
    return None


def not_utf8(stored: str | None) -> tuple[str, str] | None:
    """Return the code and the reason for which a name can't stay that is stored as these bytes; None for None."""
    return None if stored is None else ("name_not_utf8", f'it is stored as "{stored}", which is not valid UTF-8')


def proposal(name: str, taken: Iterable[str], *, column: bool) -> str:
    """Return a free name as near as possible to the one that can't stay."""
    base = fitted(name) or ("column" if column else "table")
    base = f"{base}_" if column and base in _SYSTEM else base
    free, number = base, 2
    while free in taken:
        free, number = f"{base}_{number}", number + 1
    return free


def finding(why: tuple[str, str], proposed: str, table: str, column: str | None = None) -> Finding:
    """Return the finding for a name that can't stay, with the renaming on offer."""
    code, reason = why
    thing = f'column "{column}" of "{table}"' if column is not None else f'"{table}"'
    return Finding(
        code,
        Severity.ERROR,
        f"The name of {thing} can't stay as it is: {reason}.",
        f'Rename it in the target, for example to "{proposed}"; the application must then use that name.',
        table,
        column,
        1,
        (),
        (Repair(f"rename:{proposed}", lossless=True, text=f'call it "{proposed}" in the target'),),
    )
