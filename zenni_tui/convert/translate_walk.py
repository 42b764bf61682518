"""Walks sqlglot's tree and puts a term together for each node; what is not in the tables here is refused."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .translate_arithmetic import ARITHMETIC, inverted, negative
from .translate_casts import cast
from .translate_compare import among, compare
from .translate_functions import call, chosen
from .translate_patterns import glob, like
from .translate_source import Untranslatable, Word
from .translate_terms import NULL, Class, Columns, Term, as_text, column_term, condition, literal, plain, truth, typed

if TYPE_CHECKING:
    from sqlglot import exp

Node = Any
"""A node of sqlglot's tree; its arguments are as dynamic as the grammar."""

_LONGEST = 100_000
"""Characters of one expression; functions that repeat their argument double it at each level."""

_COLLATIONS = ("BINARY", "NOCASE", "RTRIM")
_BOOLEANS = ("true", "false")


def folded(name: str) -> str:
    """Return a name as SQLite compares it: without the case of A to Z."""
    return "".join(c.lower() if c.isascii() else c for c in name)


class Scope:
    """The columns that an expression may name, by their folded names."""

    def __init__(self, columns: Columns) -> None:
        self._terms = {folded(name): known for name, known in columns.items()}

    def find(self, table: str | None, name: str) -> Term | None:
        """Return a column's term, None when there is none; a table's name before it is the one table's."""
        known = self._terms.get(folded(name))
        return column_term(known) if known is not None and table is None else None

    def alias(self, _table: str | None, _name: str) -> Node:
        """Return the expression that a name stands for, None when there is none."""
        return None


class Walker:
    """Makes terms of nodes; `words` are the literals and names that the nodes number."""

    def __init__(self, words: Sequence[Word], scope: Scope) -> None:
        self.words = words
        self.scope = scope

    def term(self, node: "exp.Expr") -> Term:
        """Return a node's term; raises Untranslatable."""
        rule = _RULES.get(type(node).__name__)
        if rule is None:
            raise Untranslatable(f"{type(node).__name__.upper()} has no form here.")
        made = rule(self, node)
        if len(made.sql) > _LONGEST:
            raise Untranslatable("Its form in PostgreSQL would be too long.")
        return made

    def word(self, node: Node) -> Word:
        """Return the word that an identifier or literal numbers."""
        text = getattr(node, "this", None)
        if not isinstance(text, str) or not text.isdecimal() or int(text) >= len(self.words):
            raise Untranslatable("Its syntax is not understood.")
        return self.words[int(text)]

    def column(self, node: Node) -> Term:
        """Return the term of a column's name, or of the string that a name in double quotes may be."""
        if node.args.get("db") is not None or node.args.get("catalog") is not None:
            raise Untranslatable("A column is named with its database.")
        word = self.word(node.this)
        name = str(word.value)
        table = str(self.word(t).value) if (t := node.args.get("table")) is not None else None
        found = self.scope.find(table, name)
        if found is not None:
            return found
        expression = self.scope.alias(table, name)
        if expression is not None:
            return self.term(expression)
        if table is None and word.quote == '"':
            return literal(name)
        raise Untranslatable(f'There is no column "{name}" here.')

    def function(self, node: Node) -> Term:
        """Return the term of a function call."""
        arguments = node.expressions
        if any(type(a).__name__ in ("Star", "Distinct") for a in arguments):
            raise Untranslatable("An aggregate stands where a value of one row is meant.")
        return call(str(self.word(node.this).value), [self.term(a) for a in arguments])

    def condition(self, node: "exp.Expr") -> str:
        """Return a node as a PostgreSQL boolean."""
        return condition(self.term(node))


def _literal(walker: Walker, node: Node) -> Term:
    word = walker.word(node)
    if word.kind == "now":
        raise Untranslatable("The present moment is no fixed value.")
    if word.kind == "name":
        raise Untranslatable("Its syntax is not understood.")
    return literal(word.value)


def _boolean(walker: Walker, node: Node) -> Term:
    if any(walker.scope.find(None, name) for name in _BOOLEANS):
        raise Untranslatable("A column is named as a truth value.")
    return literal(1 if node.this else 0)


def _negative(walker: Walker, node: Node) -> Term:
    # The smallest integer has no positive literal of its own.
    if type(node.this).__name__ == "Literal" and isinstance(value := walker.word(node.this).value, int):
        return literal(-value)
    return negative(walker.term(node.this))


def _comparison(op: str) -> Callable[[Walker, Node], Term]:
    return lambda walker, node: compare(op, walker.term(node.this), walker.term(node.expression))


def _operation(op: str) -> Callable[[Walker, Node], Term]:
    return lambda walker, node: ARITHMETIC[op](walker.term(node.this), walker.term(node.expression))


def _joined(word: str) -> Callable[[Walker, Node], Term]:
    def rule(walker: Walker, node: Node) -> Term:
        return truth(f"({walker.condition(node.this)} {word} {walker.condition(node.expression)})")

    return rule


def _is(walker: Walker, node: Node) -> Term:
    kind = type(node.expression).__name__
    if kind == "Null":
        return compare("IS", walker.term(node.this), NULL)
    if kind == "Boolean":
        word = "TRUE" if node.expression.this else "FALSE"
        return truth(f"({walker.condition(node.this)} IS {word})")
    return compare("IS", walker.term(node.this), walker.term(node.expression))


def _not(walker: Walker, node: Node) -> Term:
    return truth(f"(NOT {walker.condition(node.this)})")


def _in(walker: Walker, node: Node) -> Term:
    if any(node.args.get(k) is not None for k in ("query", "unnest", "field")):
        raise Untranslatable("A subquery has no form here.")
    return among(walker.term(node.this), [walker.term(m) for m in node.expressions])


def _between(walker: Walker, node: Node) -> Term:
    subject, low, high = (walker.term(node.args[k]) for k in ("this", "low", "high"))
    return truth(f"({compare('>=', subject, low).sql} AND {compare('<=', subject, high).sql})")


def _like(walker: Walker, node: Node, escape: Node = None) -> Term:
    mark = walker.term(escape) if escape is not None else None
    made = like(walker.term(node.this), walker.term(node.expression), mark)
    return truth(f"(NOT {made.sql})") if node.args.get("negate") else made


def _escape(walker: Walker, node: Node) -> Term:
    if type(node.this).__name__ != "Like":
        raise Untranslatable("An ESCAPE stands elsewhere than behind a LIKE.")
    return _like(walker, node.this, node.expression)


def _glob(walker: Walker, node: Node) -> Term:
    made = glob(walker.term(node.this), walker.term(node.expression))
    return truth(f"(NOT {made.sql})") if node.args.get("negate") else made


def _concatenated(walker: Walker, node: Node) -> Term:
    sides = [as_text(plain(walker.term(n))) for n in (node.this, node.expression)]
    if any(s.of is Class.NULL for s in sides):
        return NULL
    return Term(f"({' || '.join(typed(s) for s in sides)})", Class.TEXT)


def _case(walker: Walker, node: Node) -> Term:
    subject = node.args.get("this")
    default = node.args.get("default")
    of = walker.term(subject) if subject is not None else None
    cases = []
    for branch in node.args["ifs"]:
        when = walker.term(branch.this)
        held = condition(when) if of is None else compare("=", of, when).sql
        cases.append((held, walker.term(branch.args["true"])))
    return chosen(cases, walker.term(default) if default is not None else NULL)


_CASTS = {
    "BIGINT": "integer",
    "TEXT": "text",
    "BLOB": "blob",
    "VARBINARY": "blob",
    "DOUBLE": "real",
    "DECIMAL": "numeric",
}


def _cast(walker: Walker, node: Node) -> Term:
    to = _CASTS.get(node.args["to"].this.name)
    if to is None:
        raise Untranslatable("A CAST to an unusual type.")
    return cast(walker.term(node.this), to)


def _collate(walker: Walker, node: Node) -> Term:
    name = str(walker.word(node.expression).value).upper()
    if name not in _COLLATIONS:
        raise Untranslatable(f"The collation {name} belongs to the application.")
    return replace(walker.term(node.this), collation=name, explicit=True)


_RULES: dict[str, Callable[[Walker, Node], Term]] = {
    "Paren": lambda walker, node: walker.term(node.this),
    "Column": lambda walker, node: walker.column(node),
    "Literal": _literal,
    "Null": lambda _walker, _node: NULL,
    "Boolean": _boolean,
    "Anonymous": lambda walker, node: walker.function(node),
    "Neg": _negative,
    "BitwiseNot": lambda walker, node: inverted(walker.term(node.this)),
    "And": _joined("AND"),
    "Or": _joined("OR"),
    "Not": _not,
    "Is": _is,
    "In": _in,
    "Between": _between,
    "Like": _like,
    "Escape": _escape,
    "Glob": _glob,
    "DPipe": _concatenated,
    "Case": _case,
    "Cast": _cast,
    "Collate": _collate,
    "EQ": _comparison("="),
    "NEQ": _comparison("<>"),
    "LT": _comparison("<"),
    "LTE": _comparison("<="),
    "GT": _comparison(">"),
    "GTE": _comparison(">="),
    "NullSafeEQ": _comparison("IS"),
    "NullSafeNEQ": _comparison("IS NOT"),
    "Add": _operation("+"),
    "Sub": _operation("-"),
    "Mul": _operation("*"),
    "Div": _operation("/"),
    "Mod": _operation("%"),
    "BitwiseAnd": _operation("&"),
    "BitwiseOr": _operation("|"),
    "BitwiseLeftShift": _operation("<<"),
    "BitwiseRightShift": _operation(">>"),
}
