"""SQLite's own tokens, so that a declaration's text is read and never guessed."""

import re
from enum import Enum, auto
from typing import NamedTuple


class Unparsable(ValueError):
    """A text is not what SQLite's grammar says; the message says where."""

    @property
    def reason(self) -> str:
        """Return where the reading ended and why."""
        return str(self)


class Is(Enum):
    """What a token is."""

    WORD = auto()
    """A keyword or a plain name."""
    QUOTED = auto()
    """A name in double quotes, backquotes or brackets."""
    STRING = auto()
    NUMBER = auto()
    BLOB = auto()
    SYMBOL = auto()
    END = auto()


class Token(NamedTuple):
    """One token and its place in the text, `start` to `end`."""

    kind: Is
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """Return a plain word in capitals; empty for anything else."""
        return self.text.upper() if self.kind is Is.WORD else ""

    @property
    def is_name(self) -> bool:
        """Tell whether this can be an identifier; SQLite takes a string for one, too."""
        return self.kind in (Is.WORD, Is.QUOTED, Is.STRING)

    @property
    def depth(self) -> int:
        """Return 1 for an opening parenthesis, -1 for a closing one, else 0."""
        return (self.text == "(") - (self.text == ")")

    @property
    def name(self) -> str:
        """Return the identifier that this token is, without its quotes."""
        if self.kind is Is.WORD:
            return self.text
        mark, inside = self.text[0], self.text[1:-1]
        return inside if mark == "[" else inside.replace(mark * 2, mark)


# The classes of https://sqlite.org/src/file/src/tokenize.c: every character beyond ASCII belongs to names.
_TOKEN = re.compile(
    r"""
      (?P<space> [ \t\n\f\r\ufeff]+ | --[^\n]* | /\*.*?(?:\*/|\Z) )
    | (?P<string> '(?:[^']|'')*' )
    | (?P<quoted> "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] )
    | (?P<blob> [xX]'[0-9a-fA-F]*' )
    | (?P<number> 0[xX][0-9a-fA-F_]+ | (?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)? )
    | (?P<word> [A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]* )
    | (?P<symbol> \|\| | ->>? | <[=>]? | <<  | >[=>]? | [=!]= | [-+*/%&|~=(),.;?:@$\#] )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_KINDS = {kind.name.lower(): kind for kind in Is}


def tokens(sql: str) -> list[Token]:
    """Return the tokens of a text, comments and spaces left out, with one END; raises Unparsable."""
    found: list[Token] = []
    place = 0
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        if match is None:
            raise Unparsable(f"character {place + 1} ({sql[place]!r}) begins nothing that SQLite knows")
        if match.lastgroup != "space":
            found.append(Token(_KINDS[match.lastgroup or ""], match[0], place, match.end()))
        place = match.end()
    return [*found, Token(Is.END, "", place, place)]
