"""A Prisma schema as records: models, their columns, keys, indexes and relations, with database names throughout."""

from zenni_tui.model.record import Record

from .prisma_syntax import Attribute, Place, Value


class PrismaEnum(Record, frozen=True):
    """An enum; `labels` pairs each value's name with its label in the database."""

    name: str
    type_name: str
    labels: tuple[tuple[str, str], ...]


class PrismaColumn(Record, frozen=True):
    """A field that is a column; `type` is a scalar or an enum by its Prisma name."""

    field: str
    name: str
    type: str
    optional: bool
    place: Place
    native: Attribute | None = None
    default: Value | None = None


class PrismaKey(Record, frozen=True):
    """A primary key on database columns; `name` is None unless the schema says one."""

    columns: tuple[str, ...]
    name: str | None = None


class PrismaIndex(Record, frozen=True):
    """An index on database columns; `name` is None unless the schema says one."""

    columns: tuple[str, ...]
    descending: tuple[bool, ...]
    unique: bool
    name: str | None = None


class PrismaRelation(Record, frozen=True):
    """A relation field; `fields` and `references` are field names, empty on the side without the foreign key."""

    field: str
    model: str
    many: bool
    place: Place
    name: str | None = None
    fields: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    on_delete: str | None = None
    on_update: str | None = None
    constraint: str | None = None


class PrismaModel(Record, frozen=True):
    """A model or a view; `indexes` stand in the order in which Prisma creates them."""

    name: str
    table: str
    view: bool
    place: Place
    columns: tuple[PrismaColumn, ...]
    relations: tuple[PrismaRelation, ...]
    key: PrismaKey | None
    indexes: tuple[PrismaIndex, ...]

    def column(self, field: str) -> PrismaColumn | None:
        """Return the column of that Prisma field name."""
        return next((c for c in self.columns if c.field == field), None)


class PrismaSchema(Record, frozen=True):
    """A whole schema; `foreign_keys` is False when `relationMode = "prisma"` keeps them out of the database.

    `relation_keys` tells whether tables of implicit many-to-many relations have a primary key: until Prisma 5 they have
    a unique index.
    """

    path: str
    provider: str
    foreign_keys: bool
    enums: tuple[PrismaEnum, ...]
    models: tuple[PrismaModel, ...]
    relation_keys: bool = True

    def model(self, name: str) -> PrismaModel | None:
        """Return the model of that Prisma name."""
        return next((m for m in self.models if m.name == name), None)

    def enum(self, name: str) -> PrismaEnum | None:
        """Return the enum of that Prisma name."""
        return next((e for e in self.enums if e.name == name), None)
