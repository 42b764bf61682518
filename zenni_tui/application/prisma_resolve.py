"""From blocks to records: names mapped, attributes understood, and whatever isn't understood refused.

The order of indexes is Prisma's: `@unique` on fields, then `@@index`, then `@@unique`
(`psl/parser-database/src/attributes.rs` in prisma-engines).
"""

from collections.abc import Iterable, Mapping

from .prisma_records import (
    PrismaColumn,
    PrismaEnum,
    PrismaIndex,
    PrismaKey,
    PrismaModel,
    PrismaRelation,
    PrismaSchema,
)
from .prisma_syntax import Attribute, Block, Call, Items, Member, Place, Text, Value, Word, unreadable

SCALARS = frozenset({"String", "Boolean", "Int", "BigInt", "Float", "Decimal", "DateTime", "Json", "Bytes"})

ACTIONS = {
    "Cascade": "CASCADE",
    "Restrict": "RESTRICT",
    "NoAction": "NO ACTION",
    "SetNull": "SET NULL",
    "SetDefault": "SET DEFAULT",
}

_FIELD_ATTRIBUTES = frozenset({"id", "unique", "default", "map", "relation", "ignore", "updatedAt"})
_BLOCK_ATTRIBUTES = frozenset({"id", "unique", "index", "map", "ignore"})
_REASON = "PostgreSQL must get exactly what Prisma would make, and this program does not know how to make this"
_ADVICE = (
    "check it with `npx prisma validate`; if Prisma accepts it, leave it out for the migration and add it afterwards"
)


def resolve(blocks: Iterable[Block], path: str) -> PrismaSchema:
    """Return the schema that the blocks describe; raises `SchemaUnreadable` at what is not understood."""
    blocks = tuple(blocks)
    settings = _datasource(blocks)
    types = {b.name: b.kind for b in blocks if b.kind in {"enum", "model", "view", "type"}}
    return PrismaSchema(
        path,
        settings.get("provider", ""),
        settings.get("relationMode", "foreignKeys") != "prisma",
        tuple(_enum(b) for b in blocks if b.kind == "enum"),
        tuple(_Model(b, types).made() for b in blocks if b.kind in {"model", "view"}),
    )


def _datasource(blocks: tuple[Block, ...]) -> dict[str, str]:
    found = (s for b in blocks if b.kind == "datasource" for s in b.settings)
    return {s.name: s.value.value for s in found if isinstance(s.value, Text)}


def _enum(block: Block) -> PrismaEnum:
    _known(block.attributes, frozenset({"map"}), block.name)
    labels = tuple((m.name, _mapped(m.attributes, m.name)) for m in block.members)
    return PrismaEnum(block.name, _mapped(block.attributes, block.name), labels)


def _known(attributes: Iterable[Attribute], names: frozenset[str], owner: str) -> None:
    for attribute in attributes:
        if attribute.name not in names and "." not in attribute.name:
            what = f"{owner} has the attribute @{attribute.name}, which is not supported"
            raise unreadable(what, attribute.place, _REASON, _ADVICE)


def arguments(attribute: Attribute, positional: str, known: Iterable[str]) -> dict[str, Value]:
    """Return an attribute's arguments by name; the one without a name is `positional`.

    Raises `SchemaUnreadable` for a name that is not in `known`.
    """
    given = {a.name or positional: a.value for a in attribute.arguments}
    for name in given.keys() - {positional, *known}:
        what = f"@{attribute.name} has the argument `{name}`, which is not supported"
        raise unreadable(what, attribute.place, _REASON, _ADVICE)
    return given


def _one(attributes: Iterable[Attribute], name: str) -> Attribute | None:
    return next((a for a in attributes if a.name == name), None)


def _text(given: Mapping[str, Value], *names: str) -> str | None:
    for name in names:
        value = given.get(name)
        if isinstance(value, Text):
            return value.value
    return None


def _mapped(attributes: Iterable[Attribute], otherwise: str) -> str:
    attribute = _one(attributes, "map")
    return otherwise if attribute is None else _text(arguments(attribute, "name", ()), "name") or otherwise


def _word(value: Value | None, place: Place) -> str:
    if isinstance(value, Word):
        return value.value
    raise unreadable(f"a name is expected, not {value}", place, _REASON, _ADVICE)


class _Model:
    """One model block on its way to a record."""

    def __init__(self, block: Block, types: Mapping[str, str]) -> None:
        self._block = block
        self._types = types
        self._names = {m.name: _mapped(m.attributes, m.name) for m in block.members if not self._related(m)}
        if block.kind != "view":
            self._check()

    def _check(self) -> None:
        """Refuse what is not understood; a view is no table, so nothing of it is made."""
        block = self._block
        _known(block.attributes, _BLOCK_ATTRIBUTES, f"the model {block.name}")
        for member in block.members:
            _known(member.attributes, _FIELD_ATTRIBUTES, self._called(member))
            if not self._related(member):
                self._check_type(member)

    def made(self) -> PrismaModel:
        members = self._block.members
        return PrismaModel(
            self._block.name,
            _mapped(self._block.attributes, self._block.name),
            self._block.kind == "view",
            self._block.place,
            tuple(self._column(m) for m in members if not self._related(m)),
            tuple(self._relation(m) for m in members if self._related(m)),
            self._key(),
            tuple(self._indexes()),
        )

    def _called(self, member: Member) -> str:
        return f"the field {self._block.name}.{member.name}"

    def _related(self, member: Member) -> bool:
        return self._types.get(member.type) in {"model", "view"}

    def _column(self, member: Member) -> PrismaColumn:
        default = _one(member.attributes, "default")
        return PrismaColumn(
            member.name,
            self._names[member.name],
            member.type,
            member.marks == "?",
            member.place,
            next((a for a in member.attributes if "." in a.name), None),
            arguments(default, "value", ("map",)).get("value") if default else None,
        )

    def _check_type(self, member: Member) -> None:
        called = self._called(member)
        if member.type == "Unsupported":
            why = f"Prisma knows the type {member.unsupported!r} by its text only, and its values have no known form"
            what, step = f"{called} is Unsupported({member.unsupported!r})", "give the field a type of Prisma's"
        elif "[" in member.marks:
            what, why = f"{called} is a list ({member.type}[])", "SQLite has no arrays, so there are no values to carry"
            step = "move the list to a table of its own or into a Json field, and add the array afterwards"
        elif member.type not in SCALARS and self._types.get(member.type) != "enum":
            what, why = f"{called} has the type {member.type}, which the schema does not declare", _REASON
            step = "check the spelling, and that every file of the schema lies in the same folder"
        else:
            return
        raise unreadable(what, member.place, why, step)

    def _relation(self, member: Member) -> PrismaRelation:
        attribute = _one(member.attributes, "relation")
        known = ("fields", "references", "onDelete", "onUpdate", "map")
        given = arguments(attribute, "name", known) if attribute else {}
        return PrismaRelation(
            member.name,
            member.type,
            "[" in member.marks,
            member.place,
            _text(given, "name"),
            self._listed(given.get("fields"), member.place),
            self._listed(given.get("references"), member.place),
            self._action(given.get("onDelete"), member.place),
            self._action(given.get("onUpdate"), member.place),
            _text(given, "map"),
        )

    def _listed(self, value: Value | None, place: Place) -> tuple[str, ...]:
        if value is None:
            return ()
        values = value.values if isinstance(value, Items) else (value,)
        return tuple(_word(v, place) for v in values)

    def _action(self, value: Value | None, place: Place) -> str | None:
        if value is None:
            return None
        name = _word(value, place)
        if name not in ACTIONS:
            raise unreadable(f"{name} is no referential action", place, _REASON, f"use one of {', '.join(ACTIONS)}")
        return ACTIONS[name]

    def _key(self) -> PrismaKey | None:
        for member in self._block.members:
            attribute = _one(member.attributes, "id")
            if attribute:
                given = arguments(attribute, "map", ("sort",))
                return PrismaKey((self._names[member.name],), _text(given, "map"))
        attribute = _one(self._block.attributes, "id")
        if attribute is None:
            return None
        given = arguments(attribute, "fields", ("name", "map"))
        columns = tuple(name for name, _ in self._sorted(given.get("fields"), attribute.place))
        return PrismaKey(columns, _text(given, "map"))

    def _indexes(self) -> Iterable[PrismaIndex]:
        for member in self._block.members:
            attribute = _one(member.attributes, "unique")
            if attribute:
                given = arguments(attribute, "map", ("sort",))
                backwards = given.get("sort") == Word("Desc")
                yield PrismaIndex((self._names[member.name],), (backwards,), unique=True, name=_text(given, "map"))
        for kind in ("index", "unique"):
            for attribute in self._block.attributes:
                if attribute.name == kind:
                    yield self._index(attribute)

    def _index(self, attribute: Attribute) -> PrismaIndex:
        given = arguments(attribute, "fields", ("name", "map", "type"))
        if given.get("type", Word("BTree")) != Word("BTree"):
            what = f"an index of {self._block.name} has a type other than BTree"
            raise unreadable(what, attribute.place, _REASON, _ADVICE)
        fields = self._sorted(given.get("fields"), attribute.place)
        unique = attribute.name == "unique"
        # `name` of an index is an old word for `map`; that of a unique key is the client's and not in the database.
        name = _text(given, "map") if unique else _text(given, "map", "name")
        return PrismaIndex(tuple(c for c, _ in fields), tuple(d for _, d in fields), unique, name)

    def _sorted(self, value: Value | None, place: Place) -> tuple[tuple[str, bool], ...]:
        values = value.values if isinstance(value, Items) else (value,)
        return tuple(self._sorted_column(v, place) for v in values)

    def _sorted_column(self, value: Value | None, place: Place) -> tuple[str, bool]:
        backwards = False
        if isinstance(value, Call):
            options = arguments(Attribute(value.name, value.arguments, place), "sort", ())
            backwards = options.get("sort") == Word("Desc")
            value = Word(value.name)
        name = _word(value, place)
        if name not in self._names:
            what = f"the model {self._block.name} has no field {name} for its key or index"
            raise unreadable(what, place, _REASON, _ADVICE)
        return self._names[name], backwards
