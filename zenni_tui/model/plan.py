"""The plan: what PostgreSQL will hold, where each part comes from, and in which order."""

import functools
import re
from enum import StrEnum

import msgspec

from .record import Record, digest


class Kind(StrEnum):
    """A PostgreSQL type, by the name the server gives it in `format_type`."""

    TEXT = "text"
    VARCHAR = "character varying"
    CHAR = "character"
    SMALLINT = "smallint"
    INTEGER = "integer"
    BIGINT = "bigint"
    REAL = "real"
    DOUBLE = "double precision"
    NUMERIC = "numeric"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp without time zone"
    TIMESTAMPTZ = "timestamp with time zone"
    DATE = "date"
    TIME = "time without time zone"
    BYTEA = "bytea"
    JSON = "json"
    JSONB = "jsonb"
    UUID = "uuid"
    ENUM = "enum"


class TargetType(Record, frozen=True):
    """A type with its modifiers: `size` is a length, numeric precision or fractional-second digits."""

    kind: Kind
    size: int | None = None
    scale: int | None = None
    enum: str | None = None

    def __str__(self) -> str:
        if self.kind is Kind.ENUM:
            return self.enum or "enum"
        if self.size is None:
            return str(self.kind)
        head, _, tail = str(self.kind).partition(" without")
        if self.kind is Kind.TIMESTAMPTZ:
            head, tail = "timestamp", " with time zone"
        elif tail:
            tail = f" without{tail}"
        inside = f"{self.size},{self.scale}" if self.scale is not None else str(self.size)
        return f"{head}({inside}){tail}"


_SHORT = {
    "timestamp": Kind.TIMESTAMP,
    "timestamptz": Kind.TIMESTAMPTZ,
    "time": Kind.TIME,
    "varchar": Kind.VARCHAR,
    "char": Kind.CHAR,
    "decimal": Kind.NUMERIC,
    "int": Kind.INTEGER,
    "bool": Kind.BOOLEAN,
    "double": Kind.DOUBLE,
}
_TYPE = re.compile(r"([a-z ]+?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?(\s+with(?:out)? time zone)?")


def parse_type(text: str) -> TargetType:
    """Return the type that an operator names, such as `numeric(10,2)` or `timestamp(6)`; raises ValueError."""
    match = _TYPE.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is not a type that columns can become")
    name = match[1] + (match[4] or "")
    kinds = {str(k): k for k in Kind if k is not Kind.ENUM} | _SHORT
    if name not in kinds:
        raise ValueError(f"{text!r} is not a type that columns can become")
    return TargetType(kinds[name], int(match[2]) if match[2] else None, int(match[3]) if match[3] else None)


class DefaultKind(StrEnum):
    """How a column's default is meant."""

    LITERAL = "literal"
    """A constant, held as text and cast by the server to the column's type."""
    NOW = "now"
    """CURRENT_TIMESTAMP."""
    EXPRESSION = "expression"
    """PostgreSQL text made by this program from a Prisma `dbgenerated` attribute."""


class Default(Record, frozen=True):
    """A column's default."""

    kind: DefaultKind
    text: str = ""


class Counter(StrEnum):
    """How a column counts by itself."""

    SERIAL = "serial"
    IDENTITY = "identity"


class Epoch(StrEnum):
    """What a bare number means in a column of dates."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MICROSECONDS = "microseconds"
    JULIAN = "julian day"


class ValueRepair(Record, frozen=True):
    """What the operator chose for the values of one column that a finding's `code` names.

    `action` is `strip_nul`, `utf8_replace`, `utf8_latin1`, `utf8_cp1252`, `to_null` or `to_value` (with `value`, whose
    text is a double's number or a BLOB's hexadecimal digits where the column wants those). For orphans of a foreign key
    it is the table's `clearings` that say what becomes NULL.
    """

    code: str
    action: str
    value: str | None = None


class ColumnPlan(Record, frozen=True):
    """One target column; `source` is None when no source column feeds it; `epoch` reads bare numbers as dates.

    `zone` is the time zone of dates written without one, None for UTC. A column with `generated` (an expression in
    PostgreSQL's terms) is computed by the server: it is not loaded, but its values are compared.
    """

    source: str | None
    name: str
    type: TargetType
    not_null: bool = False
    default: Default | None = None
    counter: Counter | None = None
    epoch: Epoch = Epoch.MILLISECONDS
    zone: str | None = None
    generated: str | None = None
    repairs: tuple[ValueRepair, ...] = ()


class KeyPlan(Record, frozen=True):
    """A primary key."""

    name: str
    columns: tuple[str, ...]


class CheckPlan(Record, frozen=True):
    """A CHECK rule in PostgreSQL's terms."""

    name: str
    expression: str


class ViewPlan(Record, frozen=True):
    """A view: its query in PostgreSQL's terms."""

    name: str
    query: str


class IndexPlan(Record, frozen=True):
    """An index on target columns.

    Where it has an expression, `columns` holds an empty name and `expressions`, beside it, the text in PostgreSQL's
    terms; `expressions` is empty when there are none. `where` is a partial index's predicate.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    unique: bool = False
    descending: tuple[bool, ...] = ()
    expressions: tuple[str | None, ...] = ()
    where: str | None = None


class ForeignKeyPlan(Record, frozen=True):
    """A foreign key between target tables; actions in SQL's words."""

    name: str
    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    deferred: bool = False
    validated: bool = True


class EnumPlan(Record, frozen=True):
    """A native enum type and its labels in order."""

    name: str
    labels: tuple[str, ...]


class Span(Record, frozen=True):
    """Rows `after < rowid <= upto` of a table; both None means the whole table."""

    number: int
    rows: int
    after: int | None = None
    upto: int | None = None


class Reference(Record, frozen=True):
    """What columns of a table refer to, all by their names in the source; `parent_columns` stand beside `columns`."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


class Clearing(Record, frozen=True):
    """A source column that becomes NULL in just those rows whose reference finds no parent in the source."""

    column: str
    reference: Reference


class TablePlan(Record, frozen=True):
    """One table's way: source name, target name and columns, key, and the spans it is copied in.

    `quarantine` holds the rowids, in order, of the rows that the operator keeps out of the table, or their places, from
    1, in a table without rowids; they are copied to a side table instead. `rows` and `spans` count them.
    """

    source: str
    name: str
    columns: tuple[ColumnPlan, ...]
    key: KeyPlan | None = None
    rows: int = 0
    spans: tuple[Span, ...] = ()
    counter: int | None = None
    """The last number the source's counter gave out; None without a counter."""
    checks: tuple[CheckPlan, ...] = ()
    quarantine: tuple[int, ...] = ()
    clearings: tuple[Clearing, ...] = ()

    @property
    def carried(self) -> tuple[ColumnPlan, ...]:
        """Return the columns whose values come from the source and are compared with it."""
        return tuple(c for c in self.columns if c.source is not None)

    @property
    def loaded(self) -> tuple[ColumnPlan, ...]:
        """Return the columns that a COPY fills: the carried ones that the server does not compute."""
        return tuple(c for c in self.carried if c.generated is None)

    def column(self, name: str) -> ColumnPlan:
        """Return the column of that target name; raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


class NotMigrated(Record, frozen=True):
    """Something left out, with the rule that says so."""

    name: str
    rows: int
    rule: str


class Access(Record, frozen=True):
    """Who may use what the run makes, beside its owner.

    `open_to` are roles of a public API that can still use the tables, `closed_to` those whose rights on tables, and
    `view_closed_to` on views, are revoked; `row_security` hides all rows from those without a policy. `application` is
    the role that the application logs in as, empty when it is the owner. `secured` are tables that the application's
    migrations made with row security on, which stays on.
    """

    open_to: tuple[str, ...] = ()
    closed_to: tuple[str, ...] = ()
    view_closed_to: tuple[str, ...] = ()
    row_security: bool = False
    application: str = ""
    secured: tuple[str, ...] = ()


class Plan(Record, frozen=True, dict=True):
    """Everything the run will make and load."""

    schema: str
    tables: tuple[TablePlan, ...]
    enums: tuple[EnumPlan, ...] = ()
    indexes: tuple[IndexPlan, ...] = ()
    foreign_keys: tuple[ForeignKeyPlan, ...] = ()
    not_migrated: tuple[NotMigrated, ...] = ()
    views: tuple[ViewPlan, ...] = ()
    adopted: tuple[str, ...] = ()
    """Empty tables, and types, that the target has already: they are used as they are."""
    choices: dict[str, str] = msgspec.field(default_factory=dict)
    """The operator's choices this plan was made with: repair by finding."""
    origin: str = "declared"
    """`prisma` when a schema.prisma decided the types, `declared` when the file did."""
    access: Access = Access()

    def table(self, name: str) -> TablePlan:
        """Return the table of that target name; raises KeyError."""
        return self._by_name[name]

    @functools.cached_property
    def _by_name(self) -> dict[str, TablePlan]:
        return {t.name: t for t in reversed(self.tables)}

    def indexes_of(self, table: str) -> tuple[IndexPlan, ...]:
        """Return the indexes of the table of that target name, its primary key's excepted."""
        return tuple(self._indexes_by_table.get(table, ()))

    @functools.cached_property
    def _indexes_by_table(self) -> dict[str, list[IndexPlan]]:
        found: dict[str, list[IndexPlan]] = {}
        for index in self.indexes:
            found.setdefault(index.table, []).append(index)
        return found

    def row_key(self, table: TablePlan) -> tuple[str, ...]:
        """Return the columns that name a row on both sides: primary key, or unique index without NULLs; or none."""
        keys = [table.key.columns] if table.key else []
        keys += [i.columns for i in self.indexes_of(table.name) if i.unique and i.where is None]
        carried = {c.name for c in table.carried if c.not_null}
        return next((k for k in keys if set(k) <= carried), ())

    @functools.cached_property
    def rows(self) -> int:
        """Return the rows to be carried."""
        return sum(t.rows for t in self.tables)

    @property
    def hash(self) -> str:
        """Return the plan's identity; a resume with another one is refused."""
        return digest(self)
