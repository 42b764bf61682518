"""Reads SQLite's SQL: our own scanner, which knows SQLite's quoting to the letter, then sqlglot's parser.

Every literal and every name reaches the parser as the number of a `Word` in quotes, so that nothing inside them can be
taken for syntax; sqlglot's idea of precedence is checked against SQLite's own (https://sqlite.org/lang_expr.html).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

LONGEST = 100_000
"""Characters of SQL that are read; more is no rule a person wrote."""

_LARGEST = (1 << 63) - 1
_DIGITS = 19


class Untranslatable(ValueError):
    """An expression without a surely equal form in PostgreSQL; `reason` is one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Word:
    """One literal or name: `kind` is `string`, `blob`, `number`, `now` or `name`, `quote` the mark around a name."""

    kind: str
    value: str | int | float | bytes
    quote: str = ""


@dataclass(frozen=True)
class Token:
    """A token of the text; `kind` is a Word's kind, `keyword` or `mark`."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Source:
    """A parsed text: sqlglot's tree, and the words that its literals and quoted identifiers number."""

    tree: "exp.Expr"
    words: tuple[Word, ...]


_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\f\r]+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<blob>[xX]'(?:[0-9a-fA-F]{2})*')
    |(?P<string>'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w$]))
    |(?P<bare>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    |(?P<mark>\|\||<<|>>|<=|>=|<>|!=|==|[-+*/%&|<>=~(),.])""",
    re.VERBOSE | re.DOTALL,
)

_KEYWORDS = frozenset(
    word
    for line in (
        "AND OR NOT IS NULL ISNULL NOTNULL IN LIKE GLOB REGEXP MATCH ESCAPE BETWEEN",
        "CASE WHEN THEN ELSE END CAST AS COLLATE EXISTS DISTINCT FROM TRUE FALSE SELECT",
    )
    for word in line.split()
)
_CLAUSES = frozenset(
    word
    for line in (
        "ALL JOIN LEFT RIGHT FULL OUTER INNER CROSS NATURAL ON USING WHERE GROUP BY HAVING ORDER ASC DESC",
        "LIMIT OFFSET UNION INTERSECT EXCEPT WITH RECURSIVE VALUES OVER FILTER WINDOW",
    )
    for word in line.split()
)
_NULLS = ("NULLS FIRST", "NULLS LAST")
_NOW = {"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"}
_OPERAND_END = {"string", "blob", "number", "now", "name"}
_OPERAND_WORDS = {")", "END", "NULL", "TRUE", "FALSE", "ISNULL", "NOTNULL"}


def scan(text: str, *, clauses: bool = False) -> tuple[Token, ...]:
    """Return the tokens of a text, comments left out; `clauses` knows the words of a SELECT too."""
    if len(text) > LONGEST or "\0" in text:
        raise Untranslatable("It is too long or holds a NUL character.")
    tokens = tuple(_tokens(text, _KEYWORDS | _CLAUSES if clauses else _KEYWORDS))
    return tuple(_ordering(tokens)) if clauses else tokens


def _ordering(tokens: Sequence[Token]) -> Iterator[Token]:
    """Make keywords of NULLS FIRST and NULLS LAST; apart, their words are ordinary names."""
    shown = [t.text.upper() for t in tokens] + [""]
    for number, token in enumerate(tokens):
        pairs = (f"{shown[number - 1]} {shown[number]}", f"{shown[number]} {shown[number + 1]}")
        known = token.kind == "name" and any(p in _NULLS for p in pairs)
        yield replace(token, kind="keyword") if known else token


def _tokens(text: str, keywords: frozenset[str]) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise Untranslatable(f"The character {text[position]!r} has no meaning in a rule.")
        kind, position = str(match.lastgroup), match.end()
        if kind != "space":
            yield Token(_kind_of(kind, match[0], keywords), match[0], match.start(), match.end())


def _kind_of(kind: str, text: str, keywords: frozenset[str]) -> str:
    if kind == "quoted":
        return "name"
    if kind != "bare":
        return kind
    upper = text.upper()
    return "keyword" if upper in keywords else "now" if upper in _NOW else "name"


def word(token: Token) -> Word:
    """Return the word that a token of a name or constant stands for."""
    text = token.text
    if token.kind == "string":
        return Word("string", text[1:-1].replace("''", "'"))
    if token.kind == "blob":
        return Word("blob", bytes.fromhex(text[2:-1]))
    if token.kind == "number":
        return Word("number", _number(text))
    if token.kind == "name" and text[0] in '"`[':
        return Word("name", text[1:-1].replace(text[0] * 2, text[0]), text[0])
    return Word(token.kind, text)


def _number(text: str) -> float:
    if text[:2] in ("0x", "0X"):
        value = int(text, 16)
        if value >= 1 << 64:
            raise Untranslatable("A hexadecimal number is too large.")
        return value - (1 << 64) if value > _LARGEST else value
    # One beyond the largest stays whole: with a minus before it, it is the smallest.
    whole = text.isdigit() and len(text.lstrip("0")) <= _DIGITS and int(text) <= _LARGEST + 1
    return int(text) if whole else float(text)


_AFFINITY_WORDS = (("INT", "BIGINT"), ("CHAR", "TEXT"), ("CLOB", "TEXT"), ("TEXT", "TEXT"), ("BLOB", "BLOB"))
_REAL_WORDS = ("REAL", "FLOA", "DOUB")


def affinity(declared: str) -> str:
    """Return `integer`, `text`, `blob`, `real` or `numeric` (https://sqlite.org/datatype3.html section 3.1)."""
    upper = declared.upper()
    for part, name in _AFFINITY_WORDS:
        if part in upper:
            return "integer" if name == "BIGINT" else name.lower()
    if not upper.strip():
        return "blob"
    return "real" if any(part in upper for part in _REAL_WORDS) else "numeric"


_CAST_TYPES = {"integer": "BIGINT", "text": "TEXT", "blob": "BLOB", "real": "DOUBLE", "numeric": "DECIMAL"}


class _Writer:
    """Writes tokens as text that means the same to sqlglot, and collects the words."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._casts: list[bool] = []
        self.words: list[Word] = []

    def text(self) -> str:
        parts = []
        while self._at < len(self._tokens):
            parts.append(self._next())
        if self._casts:
            raise Untranslatable("Its parentheses are not balanced.")
        return " ".join(p for p in parts if p)

    def _next(self) -> str:
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "mark":
            return self._mark(token)
        if token.kind == "keyword":
            if token.text.upper() == "AS" and self._casts and self._casts[-1]:
                return "AS " + self._type()
            return token.text.upper()
        self.words.append(word(token))
        number = len(self.words) - 1
        return f'"{number}"' if token.kind == "name" else f"'{number}'"

    def _mark(self, token: Token) -> str:
        if token.text == "(":
            before = self._tokens[self._at - 2] if self._at > 1 else None
            self._casts.append(before is not None and before.text.upper() == "CAST")
        elif token.text == ")":
            if not self._casts:
                raise Untranslatable("Its parentheses are not balanced.")
            self._casts.pop()
        elif token.text == "+" and not self._after_operand():
            return self._unary_plus()
        return token.text

    def _after_operand(self) -> bool:
        if self._at < 2:  # noqa: PLR2004 - the mark itself and what stands before it
            return False
        before = self._tokens[self._at - 2]
        return before.kind in _OPERAND_END or before.text.upper() in _OPERAND_WORDS

    def _unary_plus(self) -> str:
        # It takes a column's affinity away, and sqlglot drops it.
        if self._at < len(self._tokens) and self._tokens[self._at].kind == "number":
            return ""
        raise Untranslatable("A unary plus takes away the column's affinity, which PostgreSQL has no word for.")

    def _type(self) -> str:
        start, depth = self._at, 0
        while self._at < len(self._tokens):
            mark = self._tokens[self._at].text
            if mark == ")" and depth == 0:
                break
            depth += (mark == "(") - (mark == ")")
            self._at += 1
        declared = " ".join(t.text for t in self._tokens[start : self._at])
        return _CAST_TYPES[affinity(declared)]


def expression(text: str) -> Source:
    """Parse one scalar expression; raises Untranslatable."""
    tokens = scan(text)
    if not tokens:
        raise Untranslatable("It is empty.")
    writer = _Writer(tokens)
    select = _parsed(f"SELECT ({writer.text()})")
    only = select.expressions[0]
    if len(select.expressions) != 1 or any(v for k, v in select.args.items() if k != "expressions"):
        raise Untranslatable("It is more than one expression.")
    check_precedence(only)
    return Source(only, tuple(writer.words))


def query(tokens: Sequence[Token]) -> Source:
    """Parse the tokens of a SELECT; raises Untranslatable."""
    writer = _Writer(tokens)
    tree = _parsed(writer.text())
    check_precedence(tree)
    return Source(tree, tuple(writer.words))


def _parsed(text: str) -> "exp.Expr":
    # It takes a tenth of a second to import, and many runs have nothing to translate.
    import sqlglot  # noqa: PLC0415
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    try:
        return sqlglot.parse_one(text, dialect="sqlite")
    except (SqlglotError, RecursionError):
        raise Untranslatable("Its syntax is not understood.") from None


_LEVELS = {
    "Or": 1,
    "And": 2,
    "Not": 3,
    **dict.fromkeys(("EQ", "NEQ", "Is", "NullSafeEQ", "NullSafeNEQ", "In", "Between", "Like", "Glob", "Escape"), 4),
    **dict.fromkeys(("RegexpLike", "Match", "ILike", "SimilarTo"), 4),
    **dict.fromkeys(("LT", "LTE", "GT", "GTE"), 5),
    **dict.fromkeys(("BitwiseAnd", "BitwiseOr", "BitwiseLeftShift", "BitwiseRightShift"), 7),
    **dict.fromkeys(("Add", "Sub"), 8),
    **dict.fromkeys(("Mul", "Div", "Mod"), 9),
    "DPipe": 10,
    "Collate": 11,
    **dict.fromkeys(("Neg", "BitwiseNot"), 12),
}
_PRIMARY = 13
_PREFIX = ("Not", "Neg", "BitwiseNot")


def check_precedence(tree: "exp.Expr") -> None:
    """Raise Untranslatable where sqlglot grouped operators otherwise than SQLite's grammar (parse.y) does."""
    for node in tree.walk():
        name = type(node).__name__
        level = _LEVELS.get(name)
        if level is None:
            continue
        left, rights = node.args.get("this"), _right_of(node)
        # A postfix NOT NULL or NOT IN comes as a prefix Not, which is weaker: what is doubtful is refused.
        fits = _level(left) >= level and all(_level(r) > level or level <= 2 for r in rights)  # noqa: PLR2004 - AND, OR
        if name in _PREFIX:
            fits = _level(left) >= level
        if not fits:
            raise Untranslatable("Operators follow one another without parentheses; their order is not certain.")


def _right_of(node: "exp.Expr") -> list[object]:
    if type(node).__name__ == "Between":
        return [node.args["low"], node.args["high"]]
    right = node.args.get("expression")
    return [] if right is None else [right]


def _level(node: object) -> int:
    return _LEVELS.get(type(node).__name__, _PRIMARY)
