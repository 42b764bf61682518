"""What the texts of `sqlite_schema` say, as records: what was written, not what SQLite makes of it."""

from zenni_tui.model.record import Record
from zenni_tui.model.schema import SourceCheck


class ColumnText(Record, frozen=True):
    """One column as it was written; `key` is `ASC`, `DESC` or empty when it is the primary key by itself.

    `null_conflict` is what ON CONFLICT says behind its NOT NULL.
    """

    name: str
    type: str
    collation: str | None = None
    generated: str | None = None
    expression: str | None = None
    default: str | None = None
    not_null: bool = False
    key: str | None = None
    null_conflict: str | None = None


class PartText(Record, frozen=True):
    """One part of a key or index: a column's name, or else an expression's text."""

    column: str | None
    expression: str | None = None
    collation: str | None = None
    descending: bool = False


class KeyText(Record, frozen=True):
    """A primary key or unique constraint, of a column or of the table."""

    parts: tuple[PartText, ...]
    name: str | None = None
    autoincrement: bool = False
    conflict: str | None = None

    @property
    def columns(self) -> tuple[str | None, ...]:
        """Return the columns' names."""
        return tuple(p.column for p in self.parts)


class ForeignKeyText(Record, frozen=True):
    """A foreign key; `parent_columns` is empty when the parent is named alone."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    name: str | None = None
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    match: str | None = None
    deferrable: bool = False
    deferred: bool = False


class TableText(Record, frozen=True):
    """A table as it was written; rules of columns and of the table are in one order, that of the text."""

    name: str
    columns: tuple[ColumnText, ...]
    key: KeyText | None = None
    uniques: tuple[KeyText, ...] = ()
    checks: tuple[SourceCheck, ...] = ()
    foreign_keys: tuple[ForeignKeyText, ...] = ()
    without_rowid: bool = False
    strict: bool = False

    def column(self, name: str) -> ColumnText | None:
        """Return the column of exactly that name."""
        return next((c for c in self.columns if c.name == name), None)


class IndexText(Record, frozen=True):
    """An index as it was written."""

    name: str
    table: str
    unique: bool
    parts: tuple[PartText, ...]
    where: str | None = None
