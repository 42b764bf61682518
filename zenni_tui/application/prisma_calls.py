"""Calls of Prisma's client that answer otherwise on PostgreSQL, found in the code with the line to write instead.

Facts: Prisma's documentation on case sensitivity, sorting, null and undefined, JSON filters, and transactions
(https://www.prisma.io/docs/orm/prisma-client/queries), and PostgreSQL's on transactions that have failed.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from zenni_tui.model.queries import Behaviour

from .prisma_records import PrismaColumn, PrismaModel, PrismaSchema
from .scripts import callee, code, found, line, walk

if TYPE_CHECKING:
    from tree_sitter import Node

CODES = (
    "prisma_case",
    "prisma_text_order",
    "prisma_null_order",
    "prisma_json_path",
    "prisma_isolation",
    "prisma_caught",
    "prisma_skip_duplicates",
)
"""The codes of what is found here."""

_PARTS = frozenset({"contains", "startsWith", "endsWith"})
_READS = frozenset(
    "findMany findFirst findFirstOrThrow findUnique findUniqueOrThrow count aggregate groupBy $queryRaw".split()  # noqa: SIM905 - one line
)
_WRITES = frozenset("create createMany update updateMany upsert delete deleteMany $executeRaw".split())  # noqa: SIM905 - as above
_PLACES = """
(pair key: (_) @key (#any-of? @key "contains" "startsWith" "endsWith" "orderBy" "path")) @found
(call_expression function: (member_expression property: (_) @called
    (#any-of? @called "$transaction" "createMany"))) @found
"""
"""Where something may stand that is looked for here."""
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "function_declaration", "function"})
_LONGEST = 110

_CASE = "SQLite's LIKE disregards the case of A to Z, PostgreSQL's does not: fewer rows will be found."
_TEXT_ORDER = "SQLite orders texts by bytes, PostgreSQL by the database's language: another order."
_NULL_ORDER = "SQLite puts NULL first in ascending order and last in descending; PostgreSQL the other way round."
_JSON = "On SQLite a path into a document is a text, on PostgreSQL a list of keys."
_ISOLATION = (
    "It reads, then writes by what it has read. SQLite runs such transactions one after the other; PostgreSQL lets them"
    " overlap (read committed), so that two can both find a time free and both take it."
)
_CAUGHT = (
    "After an error PostgreSQL refuses every further statement of the transaction (25P02), though the error was caught;"
    " SQLite goes on."
)
_DUPLICATES = "Prisma's client for PostgreSQL leaves out rows that are there already; SQLite's could not."


class Calls:
    """Looks at scripts with the knowledge of a Prisma schema; without one only at transactions."""

    def __init__(self, schema: PrismaSchema | None) -> None:
        models = schema.models if schema is not None else ()
        self._models = {m.name[:1].lower() + m.name[1:]: m for m in models}
        self._by_name = {m.name: m for m in models}

    def in_script(self, name: str, root: "Node") -> Iterator[Behaviour]:
        """Yield what in a script's tree changes with the database, each place once."""
        seen = set()
        for node in found(name, root, _PLACES):
            for one in self._at(name, node):
                key = (one.code, one.line, one.text)
                if key not in seen:
                    seen.add(key)
                    yield one

    def _at(self, name: str, node: "Node") -> Iterator[Behaviour]:
        if node.type == "pair":
            yield from self._pair(name, node)
        elif node.type == "call_expression" and callee(node) == "$transaction":
            yield from _transaction(name, node)
        elif node.type == "call_expression" and callee(node) == "createMany" and self._model_of(node) is not None:
            yield from _create_many(name, node)

    def _pair(self, name: str, pair: "Node") -> Iterator[Behaviour]:
        key = _key(pair)
        value = pair.child_by_field_name("value")
        if key in _PARTS and value is not None:
            yield from self._part(name, pair)
        elif key == "orderBy" and value is not None:
            for each in _objects(value):
                yield from self._orders(name, pair, each)
        elif key == "path" and value is not None and value.type == "string" and code(value)[1:2] == "$":
            yield from self._path(name, pair, value)

    def _part(self, name: str, pair: "Node") -> Iterator[Behaviour]:
        whole, field = pair.parent, _around(pair)
        if whole is None or field is None or _has(whole, "mode"):
            return
        if self._is(field, _key(field), "String"):
            inside = code(whole).strip()[1:-1].strip().rstrip(",")
            written = f'{_key(field)}: {{ {_short(inside)}, mode: "insensitive" }}'
            yield Behaviour("prisma_case", name, line(pair), f"{_short(code(field))}: {_CASE}", f"Write: {written}")

    def _orders(self, name: str, order: "Node", keys: "Node") -> Iterator[Behaviour]:
        for pair in (c for c in keys.named_children if c.type == "pair"):
            value = pair.child_by_field_name("value")
            columns = self._columns(order, _key(pair))
            if value is None or not columns:
                continue
            shown = _short(code(pair))
            if all(c.type == "String" and not self._is_key(c) for c in columns):
                advice = f'If bytes must decide, give "{columns[0].name}" COLLATE "C" in the database; else nothing.'
                yield Behaviour("prisma_text_order", name, line(pair), f"{shown}: {_TEXT_ORDER}", advice)
            if all(c.optional for c in columns) and not (value.type == "object" and _has(value, "nulls")):
                yield Behaviour("prisma_null_order", name, line(pair), f"{shown}: {_NULL_ORDER}", _nulls(pair, value))

    def _is_key(self, column: PrismaColumn) -> bool:
        """Return whether a column is the key of a model, whose order means nothing to people."""
        return any(column in m.columns and m.key and column.name in m.key.columns for m in self._by_name.values())

    def _path(self, name: str, pair: "Node", value: "Node") -> Iterator[Behaviour]:
        field = _around(pair)
        if field is not None and self._is(field, _key(field), "Json"):
            keys = ", ".join(f'"{k}"' for k in re.findall(r"\w+", code(value)))
            text = f"{_short(code(field))}: {_JSON}"
            yield Behaviour("prisma_json_path", name, line(pair), text, f"Write: path: [{keys}]")

    def _is(self, place: "Node", field: str, kind: str) -> bool:
        columns = self._columns(place, field)
        return bool(columns) and all(c.type == kind for c in columns)

    def _columns(self, place: "Node", field: str) -> list[PrismaColumn]:
        """Return the columns that a field's name may mean: of the call's model, or of any when there is no call."""
        model, known = self._model(place)
        models = [model] if model is not None else [] if known else list(self._by_name.values())
        return [c for m in models if (c := m.column(field)) is not None]

    def _model(self, place: "Node") -> tuple[PrismaModel | None, bool]:
        """Return the model that a place in a call's arguments is about, and whether it stands in such a call."""
        path: list[str] = []
        node: Node | None = place.parent
        while node is not None and node.type != "call_expression":
            if node.type == "pair":
                path.append(_key(node))
            if node.type in _FUNCTIONS:
                return None, False
            node = node.parent
        model = self._model_of(node) if node is not None else None
        if model is None:
            return None, False
        for key in reversed(path):
            relation = next((r for r in model.relations if r.field == key), None)
            if relation is not None:
                model = self._by_name.get(relation.model, model)
        return model, True

    def _model_of(self, call: "Node") -> PrismaModel | None:
        """Return the model of a call like prisma.booking.findMany()."""
        called = call.child_by_field_name("function")
        of = called.child_by_field_name("object") if called is not None else None
        last = of.child_by_field_name("property") if of is not None else None
        return self._models.get(code(last)) if last is not None else None


def _key(pair: "Node") -> str:
    key = pair.child_by_field_name("key")
    return code(key).strip("\"'") if key is not None else ""


def _around(pair: "Node") -> "Node | None":
    """Return the pair whose object a pair stands in, through `not` and the like."""
    node = pair.parent
    while node is not None and node.type in ("object", "parenthesized_expression", "pair"):
        if node.type == "pair" and _key(node) not in ("not", "is"):
            return node
        node = node.parent
    return None


def _has(whole: "Node", key: str) -> bool:
    shorthand = (c for c in whole.named_children if c.type == "shorthand_property_identifier")
    return any(_key(c) == key for c in whole.named_children if c.type == "pair") or any(
        code(c) == key for c in shorthand
    )


def _objects(value: "Node") -> Iterator["Node"]:
    if value.type == "object":
        yield value
    elif value.type == "array":
        yield from (c for c in value.named_children if c.type == "object")


def _nulls(pair: "Node", value: "Node") -> str:
    if value.type == "object":
        return 'Write nulls: "first", or "last" for a descending order, into it.'
    shown = code(value)
    place = {'"desc"': '"last"', "'desc'": '"last"', '"asc"': '"first"', "'asc'": '"first"'}.get(shown, '"first"')
    return f"Write: {_key(pair)}: {{ sort: {shown}, nulls: {place} }}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _transaction(name: str, call: "Node") -> Iterator[Behaviour]:
    arguments = call.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    if not given or given[0].type not in _FUNCTIONS:
        return
    called = {callee(n) for n in walk(given[0]) if n.type == "call_expression"}
    bare = not any("isolationLevel" in code(g) for g in given[1:])
    if bare and called & _READS and called & _WRITES:
        advice = (
            'Write: $transaction(async (tx) => { … }, { isolationLevel: "Serializable" }), and try again after P2034;'
            " or let a unique constraint decide."
        )
        yield Behaviour("prisma_isolation", name, line(call), f"$transaction: {_ISOLATION}", advice)
    for node in walk(given[0]):
        body = node.child_by_field_name("body") if node.type == "try_statement" else None
        if body is not None and any(callee(n) in _WRITES for n in walk(body) if n.type == "call_expression"):
            advice = "Look before the write, use upsert or skipDuplicates, or catch the error outside the transaction."
            yield Behaviour("prisma_caught", name, line(node), f"try in $transaction: {_CAUGHT}", advice)


def _create_many(name: str, call: "Node") -> Iterator[Behaviour]:
    arguments = call.child_by_field_name("arguments")
    first = arguments.named_children[0] if arguments is not None and arguments.named_children else None
    if first is None or first.type != "object" or _has(first, "skipDuplicates") or not _guarded(call):
        return
    inside = code(first).strip()[1:-1].strip().rstrip(",")
    written = f"Write: createMany({{ {_short(inside)}, skipDuplicates: true }})"
    yield Behaviour("prisma_skip_duplicates", name, line(call), f"createMany in try: {_DUPLICATES}", written)


def _guarded(node: "Node") -> bool:
    """Return whether a call stands in a try, which then deals with rows that are there already."""
    around = node.parent
    while around is not None and around.type not in _FUNCTIONS:
        if around.type == "try_statement":
            return True
        around = around.parent
    return False
