"""SQL texts as code holds them: statements told apart, and their parameters put into one form."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HOLE = "\ue000{}\ue001"
"""Stands in a text for what the code puts in at run time, by its number."""

LONGEST = 100_000
"""Characters of a statement that is read; longer ones are data."""

_TOKEN = re.compile(
    r"""(?P<skip>--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]\n]*\])
    |(?P<hole>\ue000\d+\ue001)
    |(?P<parameter>\?\d*|[:@$][A-Za-z_0-9]+)
    |(?P<end>;)
    |(?P<word>[A-Za-z_][A-Za-z_0-9]*)
    |(?P<space>\s+)
    |(?P<other>::|.)""",
    re.VERBOSE | re.DOTALL,
)
_HOLE = re.compile("\ue000(\\d+)\ue001")

_LOOKED_AT = 4_000
_COMMENTS = re.compile(r"\A\s*(?:--[^\n]*\n\s*|/\*(?:[^*]|\*(?!/))*\*/\s*)*")
_LOOKS = re.compile(
    r"""(?:SELECT\s.*\bFROM\b|SELECT\s+[\w$]+\(
    |WITH\s+(?:RECURSIVE\s+)?["\w]+\s*(?:\([^)]*\)\s*)?AS\s*(?:NOT\s+)?(?:MATERIALIZED\s*)?\(
    |INSERT\s+(?:OR\s+\w+\s+)?INTO\s|REPLACE\s+INTO\s|UPDATE\s.+\sSET\s|DELETE\s+FROM\s|PRAGMA\s+\w
    |CREATE\s+(?:TEMP|TEMPORARY|TABLE|UNIQUE|INDEX|VIEW|TRIGGER|VIRTUAL)\s|ALTER\s+TABLE\s
    |DROP\s+(?:TABLE|INDEX|VIEW|TRIGGER)\s|ATTACH\s|VACUUM\b|BEGIN\s+(?:IMMEDIATE|EXCLUSIVE|DEFERRED))""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Statement:
    """One statement: its SQL with parameters as :p1, :p2, ..., their spellings, lines before it, and what was put in.

    `assembled` tells that a hole stands where no parameter can be known to stand.
    """

    sql: str
    parameters: tuple[str, ...]
    lines: int
    assembled: bool


def looks_like_sql(text: str) -> bool:
    """Return whether a string begins as a statement does, its keywords all in capitals or all in small letters."""
    shown = _COMMENTS.sub("", text[:_LOOKED_AT], count=1)
    word = re.match(r"[A-Za-z]+", shown)
    if word is None or word[0] not in (word[0].upper(), word[0].lower()):
        return False
    return _LOOKS.match(shown if word[0].isupper() else shown.upper()) is not None


def statements(text: str, holes: Sequence[str] = (), *, bound: bool = False) -> Iterator[Statement]:
    """Yield the statements of a text; `holes` are the codes that fill it, which `bound` says are parameters."""
    # Code can spell characters by their halves, and halves alone, which no query can hold.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    made = _Maker(holes, bound=bound)
    line, started = 0, 0
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "end":
            yield from made.finished(started)
            made = _Maker(holes, bound=bound)
        else:
            if made.empty and kind not in ("space", "skip"):
                started = line
            made.add(kind, match[0])
        line += match[0].count("\n")
    yield from made.finished(started)


class _Maker:
    """Puts one statement together."""

    def __init__(self, holes: Sequence[str], *, bound: bool) -> None:
        self._holes = holes
        self._bound = bound
        self._parts: list[str] = []
        self._parameters: list[str] = []
        self._assembled = False
        self.empty = True

    def add(self, kind: str, text: str) -> None:
        if kind == "skip" or (kind == "space" and self.empty):
            # A comment separates words as a space does.
            self._parts += [" "] if not self.empty else []
            return
        self.empty = False
        self._parts.append(self._shown(kind, text))

    def _shown(self, kind: str, text: str) -> str:
        if kind == "hole":
            return self._hole(int(text[1:-1]))
        if kind == "parameter":
            return self._parameter(text)
        if kind == "quoted" and _HOLE.search(text):
            self._assembled = True
            return _HOLE.sub("x", text)
        return text

    def _hole(self, number: int) -> str:
        spelled = self._holes[number]
        if not self._bound or re.search(r"\bPrisma\s*\.\s*(?:raw|sql|empty)\b", spelled):
            self._assembled = True
        return self._numbered("${" + spelled + "}")

    def _parameter(self, text: str) -> str:
        if text != "?" and text in self._parameters:
            return f":p{self._parameters.index(text) + 1}"
        return self._numbered(text)

    def _numbered(self, spelled: str) -> str:
        self._parameters.append(spelled)
        return f":p{len(self._parameters)}"

    def finished(self, line: int) -> Iterator[Statement]:
        sql = "".join(self._parts).strip()
        if sql and len(sql) <= LONGEST:
            yield Statement(sql, tuple(self._parameters), line, self._assembled)
