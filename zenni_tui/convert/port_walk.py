"""What is known while one query is carried over: its names, the kinds of its values, and what was noticed."""

from dataclasses import dataclass, field
from typing import Any

from zenni_tui.model.plan import Kind
from zenni_tui.model.queries import Mark

from .port_nodes import Node, is_number, made, name_of, shown
from .port_scope import Field, Names
from .port_tokens import render

_KINDS: dict[Kind, str] = {
    Kind.BOOLEAN: "boolean",
    **dict.fromkeys((Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.DATE), "instant"),
    Kind.TIME: "clock",
    **dict.fromkeys((Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT), "integer"),
    **dict.fromkeys((Kind.REAL, Kind.DOUBLE), "real"),
    Kind.NUMERIC: "numeric",
    **dict.fromkeys((Kind.TEXT, Kind.VARCHAR, Kind.CHAR, Kind.ENUM), "text"),
    **dict.fromkeys((Kind.JSON, Kind.JSONB), "json"),
    Kind.BYTEA: "blob",
    Kind.UUID: "uuid",
}
NUMBERS = frozenset({"integer", "real", "numeric"})
_TRUTHS = frozenset(
    word
    for line in (
        "EQ NEQ LT LTE GT GTE Is NullSafeEQ NullSafeNEQ In Between Like ILike Glob Escape RegexpLike",
        "Exists And Or Not Boolean",
    )
    for word in line.split()
)
_ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Mod", "Neg", "BitwiseAnd", "BitwiseOr")
_CASTS = {
    **dict.fromkeys(("INT", "BIGINT", "SMALLINT", "TINYINT"), "integer"),
    **dict.fromkeys(("TEXT", "VARCHAR", "CHAR"), "text"),
    **dict.fromkeys(("DOUBLE", "FLOAT"), "real"),
    "DECIMAL": "numeric",
    "BOOLEAN": "boolean",
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ", "DATE"), "instant"),
}
_COUNTS = frozenset({"count", "length", "unicode", "instr", "strpos", "row_number", "rank", "dense_rank", "ntile"})
_FIRST = frozenset({"min", "max", "coalesce", "ifnull", "nullif", "abs", "lag", "lead", "first_value", "last_value"})
_FIRST_TEXT = frozenset({"lower", "upper", "trim", "ltrim", "rtrim", "replace", "substr", "substring", "string_agg"})


@dataclass(frozen=True)
class Use:
    """What a parameter stands for: the column it is compared with or stored in, and `how`.

    Without a column it is compared with an `expression` of SQLite's over `relation`, a table's name and its alias; or
    `how` alone says what it is.
    """

    field: Field | None
    how: str
    expression: str = ""
    relation: tuple[str, str] = ("", "")


@dataclass
class Porting:
    """One query on its way; `stuck` tells why a person must see to it.

    `schema` goes before each table's name, if there is one; `exact` asks for the same answer where a form that people
    would rather write answers a little more.
    """

    names: Names
    spellings: tuple[str, ...] = ()
    schema: str = ""
    exact: bool = False
    marks: list[Mark] = field(default_factory=list)
    notes: list[Mark] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    fields: dict[int, Field] = field(default_factory=dict)
    former: dict[int, Any] = field(default_factory=dict)
    uses: dict[str, Use] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    random: bool = False
    unknown: bool = False
    kept: list[Any] = field(default_factory=list)

    def mark(self, name: str, node: Node, why: str) -> None:
        """Note something that is SQLite's own."""
        self._add(self.marks, Mark(name, self.text(node), why))

    def note(self, name: str, node: Node, why: str) -> None:
        """Note something that works, and should be known."""
        self._add(self.notes, Mark(name, self.text(node), why))

    def stick(self, why: str) -> None:
        """Note that no form can be proposed."""
        if why not in self.stuck:
            self.stuck.append(why)

    def _add(self, to: list[Mark], mark: Mark) -> None:
        if mark not in to:
            to.append(mark)

    def text(self, node: Node) -> str:
        """Return a node's text as it stood before anything was changed."""
        return render(shown(self.former.get(id(node), node)), lambda n: self.spellings[n - 1])

    def remember(self, tree: Node) -> None:
        """Find out what every name means, and keep each node's text, while nothing is changed yet."""
        # The texts are for marks, which few nodes get: what is written out then is a copy that nothing changes.
        for node, former in zip(list(tree.walk()), list(tree.copy().walk()), strict=True):
            self.kept.append(node)
            self.former[id(node)] = former
            if name_of(node) == "Column":
                found = self.names.field(node)
                if found is not None:
                    self.fields[id(node)] = found

    def field_of(self, node: Node) -> Field | None:
        """Return the table's column that a node is, in parentheses or not."""
        while name_of(node) == "Paren":
            node = node.this
        return self.fields.get(id(node)) or node.meta.get("field")

    def zoned(self, node: Node) -> bool:
        """Return whether a node is a column of instants with a time zone."""
        found = self.field_of(node)
        return found is not None and found.plan.type.kind is Kind.TIMESTAMPTZ

    def kind(self, node: Node) -> str | None:  # noqa: PLR0911 - one kind of node each
        """Return the kind of a value in PostgreSQL, None when it isn't known."""
        if "kind" in node.meta:
            return str(node.meta["kind"])
        found = self.field_of(node)
        if found is not None:
            return _KINDS[found.plan.type.kind]
        name = name_of(node)
        if name in ("Paren", "Alias", "Filter", "Window", "Collate"):
            return self.kind(node.this)
        if name == "Literal":
            return "text" if node.is_string else "integer" if node.name.isdigit() else "real"
        if name in _TRUTHS:
            return "boolean"
        if name == "Placeholder":
            return "parameter"
        if name == "DPipe":
            return "text"
        if name == "Cast":
            return _CASTS.get(node.args["to"].this.name)
        if name == "Anonymous":
            return self._called(node)
        return self._combined(node) if name in (*_ARITHMETIC, "Case", "Subquery") else None

    def _called(self, node: Node) -> str | None:
        name = node.name.lower()
        if name in _COUNTS:
            return "integer"
        if name in _FIRST_TEXT:
            return "text"
        if name in _FIRST and node.expressions:
            kinds = [self.kind(e) for e in node.expressions]
            return next((k for k in kinds if k not in (None, "parameter")), None)
        if name == "sum" and node.expressions:
            return self.kind(node.expressions[0])
        return "numeric" if name == "avg" else None

    def _combined(self, node: Node) -> str | None:
        name = name_of(node)
        if name == "Subquery":
            inside = node.this
            return self.kind(inside.expressions[0]) if name_of(inside) == "Select" else None
        if name == "Case":
            parts = [i.args["true"] for i in node.args["ifs"]] + [node.args.get("default")]
        else:
            parts = [node.this, node.args.get("expression")]
        kinds = [self.kind(p) for p in parts if p is not None]
        if name != "Case" and "real" in kinds:
            return "real"
        return next((k for k in kinds if k not in (None, "parameter")), None)

    def as_number(self, node: Node) -> Node:
        """Return a truth value as 0 or 1; other values as they are."""
        if self.kind(node) != "boolean":
            return node
        return made("_x::integer", "integer", x=node)

    def is_constant(self, node: Node) -> bool:
        """Return whether a node is a number or a string."""
        return is_number(node) or name_of(node) == "Literal"
