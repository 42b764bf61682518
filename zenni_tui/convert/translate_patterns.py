"""LIKE and GLOB (https://sqlite.org/lang_expr.html, "The LIKE, GLOB, REGEXP, MATCH, and extract operators")."""

from .translate_source import Untranslatable
from .translate_terms import Class, Term, as_text, plain, string, truth, typed

_GLOB_TO_LIKE = {"*": "%", "?": "_", "%": "\\%", "_": "\\_", "\\": "\\\\"}


def _subject(term: Term) -> Term:
    return as_text(plain(term))


def like(subject: Term, pattern: Term, escape: Term | None = None) -> Term:
    """Return `subject LIKE pattern`: letters A to Z match without case, others as they are."""
    subject, pattern = _subject(subject), _subject(pattern)
    if Class.NULL in (subject.of, pattern.of):
        return truth("NULL::boolean")
    mark = "" if escape is None else _escape(pattern, escape)
    sides = [f'lower({typed(t)} COLLATE "C")' for t in (subject, pattern)]
    # The backslash is PostgreSQL's own escape.
    clause = "" if mark == "\\" else f" ESCAPE {string(mark)}"
    return truth(f"({sides[0]} LIKE {sides[1]}{clause})")


def _escape(pattern: Term, escape: Term) -> str:
    mark, text = escape.value, pattern.value
    if not isinstance(mark, str) or len(mark) != 1 or mark.isalpha() or mark in "%_" or not isinstance(text, str):
        raise Untranslatable("The ESCAPE of a LIKE is not one plain character, or the pattern is no literal.")
    if text.replace(mark * 2, "").endswith(mark):
        raise Untranslatable("A LIKE pattern ends with its escape character.")
    return mark


def glob(subject: Term, pattern: Term) -> Term:
    """Return `subject GLOB pattern`, for a literal pattern."""
    subject, pattern = _subject(subject), _subject(pattern)
    if Class.NULL in (subject.of, pattern.of):
        return truth("NULL::boolean")
    if not isinstance(pattern.value, str):
        raise Untranslatable("The pattern of a GLOB is no literal.")
    left = f'{typed(subject)} COLLATE "C"'
    if "[" not in pattern.value:
        wanted = "".join(_GLOB_TO_LIKE.get(c, c) for c in pattern.value)
        # The backslash is PostgreSQL's own escape.
        return truth(f"({left} LIKE {string(wanted)})")
    return truth(f"({left} ~ {string('^' + _regex(pattern.value) + '$')})")


def _regex(pattern: str) -> str:
    parts, at = [], 0
    while at < len(pattern):
        if pattern[at] == "[":
            part, at = _set(pattern, at + 1)
        else:
            part, at = {"*": ".*", "?": "."}.get(pattern[at]) or _character(pattern[at]), at + 1
        parts.append(part)
    return "".join(parts)


def _character(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    return f"\\U{ord(character):08x}"


def _set(pattern: str, at: int) -> tuple[str, int]:
    """Return a bracket's regular expression and the place behind it; a `]` first in it is a member."""
    inverted = pattern[at : at + 1] == "^"
    at += inverted
    end = pattern.find("]", at + 1)
    if end < 0:
        raise Untranslatable("A bracket of a GLOB pattern is not closed.")
    members, inside = [], pattern[at:end]
    place = 0
    while place < len(inside):
        upto = inside[place + 2 : place + 3] if inside[place + 1 : place + 2] == "-" else ""
        members.append(_range(inside[place], upto))
        place += 3 if upto else 1
    return f"[{'^' if inverted else ''}{''.join(members)}]", end + 1


def _range(first: str, last: str) -> str:
    if not last:
        return _character(first)
    if last < first:
        raise Untranslatable("A range of a GLOB pattern runs backwards.")
    return f"{_character(first)}-{_character(last)}"
