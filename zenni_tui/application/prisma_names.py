"""The names Prisma gives to what the schema leaves unnamed, cut as Prisma cuts them.

From `psl/psl-core/src/datamodel_connector/constraint_names.rs` and `sql_schema_calculator.rs` in prisma-engines: the
suffix always stays whole, and what stands before it is cut to whole characters.
"""

from collections.abc import Iterable

LIMIT = 63
"""PostgreSQL's longest identifier in bytes (NAMEDATALEN - 1)."""


def _cut(stem: str, suffix: str) -> str:
    kept = stem.encode()[: LIMIT - len(suffix)]
    return kept.decode(errors="ignore") + suffix


def primary_key(table: str) -> str:
    """Return the name of a primary key."""
    return _cut(table, "_pkey")


def index(table: str, columns: Iterable[str], *, unique: bool) -> str:
    """Return the name of an index or a unique key."""
    return _cut("_".join((table, *columns)), "_key" if unique else "_idx")


def foreign_key(table: str, columns: Iterable[str]) -> str:
    """Return the name of a foreign key."""
    return _cut("_".join((table, *columns)), "_fkey")


def relation_table(relation: str) -> str:
    """Return the name of the table of an implicit many-to-many relation."""
    return f"_{relation}"[:LIMIT]


def relation_part(table: str, suffix: str) -> str:
    """Return the name of a key or index of such a table; `suffix` such as `_AB_pkey` begins with its underscore."""
    return _cut(table, suffix)
