"""Rows whose foreign key finds no parent, by SQLite's own rules of comparison."""

from zenni_tui.model.plan import Reference

from .database import quoted


def condition(key: Reference) -> str:
    """Return the SQL that is true for such rows of a table called c; every name in it is quoted.

    PRAGMA foreign_key_check won't do: one malformed key ends it, and it knows no keys of rows without rowids.
    """
    given = " AND ".join(f"c.{quoted(name)} IS NOT NULL" for name in key.columns)
    pairs = zip(key.parent_columns, key.columns, strict=True)
    # The parent's column comes first: its collation and affinity hold, as in SQLite's own check.
    same = " AND ".join(f"p.{quoted(theirs)} = c.{quoted(ours)}" for theirs, ours in pairs)
    return f"{given} AND NOT EXISTS (SELECT 1 FROM {quoted(key.parent)} AS p WHERE {same})"  # noqa: S608 - quoted names
