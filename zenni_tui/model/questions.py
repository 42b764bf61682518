"""What the config asks about the application: where its code lies, query patterns to time, and metrics to follow."""

from collections.abc import Mapping

import msgspec

from .record import Record

ON_TARGET = "on_target"
Named = dict[str, str | dict[str, str]]
"""Queries by name as a section of the config holds them, with a table `on_target` of PostgreSQL's forms among them."""


class Asked(Record, frozen=True):
    """Queries by name: SQLite's form, and PostgreSQL's where the config gives one."""

    on_source: dict[str, str] = msgspec.field(default_factory=dict)
    on_target: dict[str, str] = msgspec.field(default_factory=dict)


class Questions(Record, frozen=True):
    """`code` is the folder of the application's code, empty when it is to be looked for beside the source."""

    code: str = ""
    queries: Asked = Asked()
    metrics: Asked = Asked()


def asked(section: Named) -> Asked:
    """Return a section's queries; raises ValueError for forms of PostgreSQL's that belong to no query."""
    forms = section.get(ON_TARGET, {})
    if not isinstance(forms, Mapping):
        raise ValueError(f"{ON_TARGET} is a table of PostgreSQL's forms, no query")  # noqa: TRY004 - a mistake of the config
    own = {name: text for name, text in section.items() if isinstance(text, str)}
    tables = [n for n, v in section.items() if not isinstance(v, str) and n != ON_TARGET]
    if tables:
        raise ValueError(f"{tables[0]} is a table, where a query is meant")
    lost = [name for name in forms if name not in own]
    if lost:
        raise ValueError(f'"{lost[0]}" has a form for PostgreSQL, and none for SQLite')
    return Asked(own, dict(forms))
