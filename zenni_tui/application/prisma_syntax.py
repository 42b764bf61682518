"""The Prisma schema language as text: from the characters of a file to its blocks, fields and attributes.

Prisma's reference is https://www.prisma.io/docs/orm/reference/prisma-schema-reference; its grammar is
`psl/schema-ast/src/parser/datamodel.pest` in the prisma-engines repository.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, v_args
from lark.lark import PostLex

from zenni_tui.errors import NotReady
from zenni_tui.model.record import Record


class SchemaUnreadable(NotReady):
    """The Prisma schema cannot be read, or holds something this program cannot carry faithfully."""


class Text(Record, frozen=True, tag=True):
    """A quoted string, its escapes resolved."""

    value: str


class Number(Record, frozen=True, tag=True):
    """A number as it is written."""

    value: str


class Word(Record, frozen=True, tag=True):
    """A bare word: a field, an enum value, `true`, a referential action."""

    value: str


class Items(Record, frozen=True, tag=True):
    """A list in brackets."""

    values: tuple["Value", ...] = ()


class Call(Record, frozen=True, tag=True):
    """A function with its arguments, or a field with its index options."""

    name: str
    arguments: tuple["Argument", ...] = ()


Value = Text | Number | Word | Items | Call


class Argument(Record, frozen=True):
    """An argument; `name` is None for one given by position."""

    name: str | None
    value: Value


class Place(Record, frozen=True):
    """Where something stands in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Attribute(Record, frozen=True):
    """An attribute of a field (`@id`) or of a block (`@@id`), named without its signs."""

    name: str
    arguments: tuple[Argument, ...]
    place: Place


class Member(Record, frozen=True):
    """A field of a model, or a value of an enum, which has no type."""

    name: str
    type: str
    marks: str
    attributes: tuple[Attribute, ...]
    place: Place
    unsupported: str | None = None


class Setting(Record, frozen=True):
    """A key and its value in a datasource or generator."""

    name: str
    value: Value


class Block(Record, frozen=True):
    """A top-level block; `kind` is its keyword."""

    kind: str
    name: str
    members: tuple[Member, ...]
    attributes: tuple[Attribute, ...]
    settings: tuple[Setting, ...]
    place: Place


def unreadable(what: str, place: Place, why: str, next_step: str) -> SchemaUnreadable:
    """Return the error for something at a place in a schema."""
    return SchemaUnreadable(what, where=str(place), why=why, next_step=next_step)


class _BracketLines(PostLex):
    """Drop the line ends within brackets: there they have no meaning."""

    always_accept = ("_NL",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        depth = 0
        for token in stream:
            depth += (token.type in {"LPAR", "LSQB"}) - (token.type in {"RPAR", "RSQB"})
            if depth <= 0 or token.type != "_NL":
                yield token


@v_args(inline=True)
class _Records(Transformer[Token, tuple[Block, ...]]):
    """Turn the parser's tree into records."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._file = file

    def _place(self, token: Token) -> Place:
        return Place(self._file, token.line or 1, token.column or 1)

    def start(self, *blocks: Block) -> tuple[Block, ...]:
        return blocks

    def text(self, token: Token) -> Text:
        return Text(json.loads(token))

    def number(self, token: Token) -> Number:
        return Number(str(token))

    def word(self, token: Token) -> Word:
        return Word(str(token))

    def items(self, *parts: Any) -> Items:
        return Items(parts[1:-1])

    def call(self, name: Token, arguments: tuple[Argument, ...]) -> Call:
        return Call(str(name), arguments)

    def arguments(self, *parts: Any) -> tuple[Argument, ...]:
        return tuple(parts[1:-1])

    def argument(self, *parts: Any) -> Argument:
        return Argument(str(parts[0]) if len(parts) > 1 else None, parts[-1])

    def attribute(self, name: Token, arguments: tuple[Argument, ...] = ()) -> Attribute:
        return Attribute(str(name), arguments, self._place(name))

    def block_attribute(self, name: Token, arguments: tuple[Argument, ...] = ()) -> Attribute:
        return self.attribute(name, arguments)

    def unsupported(self, *parts: Token) -> Text:
        return Text(json.loads(parts[1]))

    def type(self, *parts: Any) -> tuple[str, str | None, str]:
        inner = next((p.value for p in parts if isinstance(p, Text)), None)
        marks = "".join(str(p) for p in parts[1:] if isinstance(p, Token))
        return str(parts[0]), inner, marks

    def field(self, name: Token, kind: tuple[str, str | None, str], *attributes: Attribute) -> Member:
        type_name, inner, marks = kind
        return Member(str(name), type_name, marks, attributes, self._place(name), inner)

    def enum_value(self, name: Token, *attributes: Attribute) -> Member:
        return Member(str(name), "", "", attributes, self._place(name))

    def setting(self, name: Token, value: Value) -> Setting:
        return Setting(str(name), value)

    def model(self, kind: Token, name: Token, *parts: Any) -> Block:
        return self._block(str(kind), name, parts)

    def enum(self, name: Token, *parts: Any) -> Block:
        return self._block("enum", name, parts)

    def config(self, kind: Token, name: Token, *parts: Any) -> Block:
        return self._block(str(kind), name, parts)

    def _block(self, kind: str, name: Token, parts: tuple[Any, ...]) -> Block:
        return Block(
            kind,
            str(name),
            tuple(p for p in parts if isinstance(p, Member)),
            tuple(p for p in parts if isinstance(p, Attribute)),
            tuple(p for p in parts if isinstance(p, Setting)),
            self._place(name),
        )


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("prisma.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", postlex=_BracketLines())


def parse(text: str, file: str) -> tuple[Block, ...]:
    """Return the blocks of a schema's text; `file` names it in errors.

    Raises `SchemaUnreadable` with the line, the column and the offending text.
    """
    try:
        tree = _parser().parse(text + "\n")
    except UnexpectedInput as error:
        raise _syntax_error(error, text, file) from error
    return _Records(file).transform(tree)


def _syntax_error(error: UnexpectedInput, text: str, file: str) -> SchemaUnreadable:
    lines = text.splitlines() or [""]
    line = error.line if isinstance(error.line, int) and error.line > 0 else len(lines)
    column = error.column if isinstance(error.column, int) and error.column > 0 else 1
    shown = lines[min(line, len(lines)) - 1].strip()
    return unreadable(
        f"the Prisma schema has a syntax error: {_found(error)} in the line `{shown}`",
        Place(file, line, column),
        "what cannot be read cannot be planned, and a guess could lose a table or a column",
        "run `npx prisma validate` in the project, mend the line, and start again",
    )


def _found(error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedCharacters):
        return f"unexpected {error.char!r}"
    token = getattr(error, "token", None)
    if token is None or token.type == "$END":
        return "the text ends too early"
    return "the line ends too early" if token.type == "_NL" else f"unexpected `{token}`"
