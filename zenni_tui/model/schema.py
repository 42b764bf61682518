"""What an SQLite file declares, as read from `sqlite_schema` and the PRAGMAs."""

from typing import TypeVar

import msgspec

from .record import Record

Value = None | int | float | str | bytes
"""One stored SQLite value; the five storage classes of https://sqlite.org/datatype3.html."""


NOT_UTF8 = "is not valid UTF-8"
"""How the `problem` of a table ends whose own name, or a column's, can't be written in a statement from here."""

_Named = TypeVar("_Named", "SourceColumn", "SourceTable")


def _named(things: tuple[_Named, ...], name: str) -> _Named | None:
    exact = next((t for t in things if t.name == name), None)
    if exact is not None:
        return exact
    # SQLite folds the case of ASCII only: "É" and "é" are two names.
    folded = name.encode().lower()
    return next((t for t in things if t.name.encode().lower() == folded), None)


class SourceColumn(Record, frozen=True):
    """One column; `key_position` counts from 1 in the primary key and is 0 outside it.

    `generated` is `virtual` or `stored`, `expression` then its SQL text; `collation` is in capitals. `stored` is as in
    `SourceTable`.
    """

    name: str
    declared: str
    not_null: bool = False
    default: str | None = None
    key_position: int = 0
    generated: str | None = None
    expression: str | None = None
    collation: str = "BINARY"
    stored: str | None = None


class SourceCheck(Record, frozen=True):
    """A CHECK rule: its SQL text without the outer parentheses."""

    expression: str
    name: str | None = None


class SourceIndex(Record, frozen=True):
    """One index; `columns` holds None where the index has an expression; `origin` as in PRAGMA index_list.

    `expressions` stands beside `columns` with the text where that is None; `where` is the text of a partial index.
    `constraint` is the name of the UNIQUE rule that made the index, if it has one.
    """

    name: str
    unique: bool
    origin: str
    columns: tuple[str | None, ...]
    descending: tuple[bool, ...] = ()
    partial: bool = False
    sql: str | None = None
    collations: tuple[str, ...] = ()
    expressions: tuple[str | None, ...] = ()
    where: str | None = None
    constraint: str | None = None


class SourceForeignKey(Record, frozen=True):
    """One foreign key; `parent_columns` is empty when the parent is named without columns."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: str
    on_update: str
    name: str | None = None
    deferred: bool = False


class SourceTable(Record, frozen=True):
    r"""One table; `counter` is its row in `sqlite_sequence`, None without AUTOINCREMENT.

    `kind` is `table`, or `virtual` or `shadow` for those that a module made; `module` is the virtual table's.
    `problem` says why the rows can't be read, for example a module or function that isn't there; `rows` is 0 then.
    `conflicts` are its ON CONFLICT rules in words; `note` says why its text could not be understood, so that checks,
    names of rules and expressions may be missing here. `stored` shows a name that is not UTF-8, with `\xNN` for its
    bytes; `name` is then the one that the working copy gives it.
    """

    name: str
    columns: tuple[SourceColumn, ...]
    indexes: tuple[SourceIndex, ...] = ()
    foreign_keys: tuple[SourceForeignKey, ...] = ()
    without_rowid: bool = False
    counter: int | None = None
    rows: int = 0
    sql: str = ""
    checks: tuple[SourceCheck, ...] = ()
    strict: bool = False
    kind: str = "table"
    module: str | None = None
    problem: str | None = None
    key_name: str | None = None
    conflicts: tuple[str, ...] = ()
    note: str | None = None
    stored: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """Return the primary key's columns in key order; empty when there is none."""
        members = [c for c in self.columns if c.key_position]
        return tuple(c.name for c in sorted(members, key=lambda c: c.key_position))

    @property
    def rowid_alias(self) -> str | None:
        """Return the INTEGER PRIMARY KEY column, which is the rowid itself (https://sqlite.org/lang_createtable.html#rowid)."""
        key = [c for c in self.columns if c.key_position]
        # An index of its own shows that the key is none: INTEGER PRIMARY KEY DESC.
        indexed = self.without_rowid or any(i.origin == "pk" for i in self.indexes)
        if len(key) == 1 and key[0].declared.upper() == "INTEGER" and not indexed:
            return key[0].name
        return None

    def column(self, name: str) -> SourceColumn | None:
        """Return the column of that name, compared without case as SQLite does."""
        return _named(self.columns, name)


class SourceObject(Record, frozen=True):
    """A view, trigger or virtual table, kept with its text."""

    kind: str
    name: str
    sql: str


class SourceSchema(Record, frozen=True):
    """Everything a database declares."""

    tables: tuple[SourceTable, ...]
    others: tuple[SourceObject, ...] = ()
    encoding: str = "UTF-8"

    def table(self, name: str) -> SourceTable | None:
        """Return the table of that name, compared without case as SQLite does."""
        return _named(self.tables, name)

    @property
    def rows(self) -> int:
        """Return the rows of all tables."""
        return sum(t.rows for t in self.tables)


class ColumnProfile(Record, frozen=True):
    """What one column really holds: rows per storage class, the range of its integers, the longest text or blob."""

    integers: int = 0
    reals: int = 0
    texts: int = 0
    blobs: int = 0
    nulls: int = 0
    smallest: int | None = None
    largest: int | None = None
    longest: int = 0
    longest_bytes: int = 0
    """The longest text or blob again, at most so many bytes; the other counts a text's characters."""
    seconds: int = 0
    """Integers that as seconds since 1970 would be dates from 1973 to 5138."""
    millis: int = 0
    """Integers that as milliseconds since 1970 would be dates from 1973 to 5138."""
    least_real: float | None = None
    greatest_real: float | None = None
    suspect_text: bool = False
    """True when some text holds NUL or is not valid UTF-8."""
    zoned: int = 0
    """Texts that are plainly moments of whole milliseconds and name a time zone."""
    zoneless: int = 0
    """Texts that are plainly such moments and name no zone; where neither counts a text, it may be one all the same."""
    words: tuple[str, ...] | None = ()
    """The different texts, in order, of a column that holds few, and short ones; None of any other."""


class TableProfile(Record, frozen=True):
    """The profiles of a table's columns, in column order, and where its chunks begin."""

    table: str
    rows: int
    columns: dict[str, ColumnProfile]


class Misfits(Record, frozen=True):
    """Rows that stand in the way of a rule nearly all others keep: how many, and the first of their keys."""

    count: int
    keys: tuple[str, ...]


class TextShape(Record, frozen=True):
    """What the texts of one column look like, `count` of them.

    `types` are the types, in an operator's words, that hold every one of them; `misfits` says of a type that holds
    nearly all which ones it doesn't. `values` are all the different texts where they are few. `distinct` is True when
    no text occurs twice, and `doubled` the rows whose text another row has, where they are few; both are looked at for
    names only.
    """

    count: int
    types: tuple[str, ...] = ()
    misfits: dict[str, Misfits] = msgspec.field(default_factory=dict)
    values: tuple[str, ...] = ()
    distinct: bool = False
    doubled: Misfits | None = None
