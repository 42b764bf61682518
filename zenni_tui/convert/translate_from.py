"""FROM and JOIN (https://sqlite.org/lang_select.html#the_from_clause): all joins bind from left to right."""

from collections.abc import Callable
from typing import Any

from .translate_compare import compare
from .translate_relations import Relation, Sources
from .translate_source import Untranslatable
from .translate_walk import Walker, folded

Node = Any
Maker = Callable[[Node, int], Relation]

_SIDES = {"": "JOIN", "LEFT": "LEFT JOIN", "RIGHT": "RIGHT JOIN", "FULL": "FULL JOIN"}
_WORDS = ("", "INNER", "CROSS", "OUTER")


def only(node: Node, known: set[str]) -> None:
    """Raise Untranslatable when a node has parts beyond the known ones."""
    extra = [k for k, v in node.args.items() if v and k not in known]
    if extra:
        raise Untranslatable(f"{extra[0].strip('_').upper()} in a SELECT has no form here.")


def sources(node: Node, walker: Walker, scope: Sources, relation: Maker) -> str:
    """Fill the scope and return the FROM clause, empty without one; `relation` makes one source by its number."""
    if node.args.get("from_") is None:
        return ""
    first = relation(node.args["from_"].this, 1)
    scope.add(first)
    parts = [f"FROM {first.sql}"]
    for number, join in enumerate(node.args.get("joins") or (), 2):
        only(join, {"this", "side", "kind", "on", "using"})
        parts.append(_join(join, walker, scope, relation(join.this, number)))
    return " ".join(parts)


def _join(join: Node, walker: Walker, scope: Sources, right: Relation) -> str:
    side, word = ((join.args.get(k) or "").upper() for k in ("side", "kind"))
    if side not in _SIDES or word not in _WORDS:
        raise Untranslatable("An unusual join.")
    scope.add(right)
    on = join.args.get("on")
    if join.args.get("using"):
        held = _using(join, walker, scope, right)
    elif on is None and side not in ("", "LEFT"):
        raise Untranslatable("A join lacks its condition.")
    else:
        held = walker.condition(on) if on is not None else "TRUE"
        if side == "FULL" and not _joinable(on):
            raise Untranslatable("PostgreSQL's FULL JOIN wants columns that are equal.")
    return f"{_SIDES[side]} {right.sql} ON {held}"


def _joinable(node: Node) -> bool:
    kind = type(node).__name__
    if kind == "Paren":
        return _joinable(node.this)
    if kind == "And":
        return _joinable(node.this) and _joinable(node.expression)
    return kind == "EQ" and all(type(n).__name__ == "Column" for n in (node.this, node.expression))


def _using(join: Node, walker: Walker, scope: Sources, right: Relation) -> str:
    if (join.args.get("side") or "").upper() not in ("", "LEFT"):
        raise Untranslatable("USING in a RIGHT or FULL JOIN.")
    held = []
    for column in join.args["using"]:
        name = str(walker.word(column).value)
        scope.hidden.add((right.name, folded(name)))
        one, two = scope.find(None, name), right.find(name)
        if one is None or two is None:
            raise Untranslatable(f'USING names "{name}", which one side lacks.')
        held.append(compare("=", one, two).sql)
    return f"({' AND '.join(held)})"
