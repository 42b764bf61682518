"""Recognizes what a column's texts may be meant for: which types to try on them, and which are one of a few words."""

import re
from collections.abc import Iterable, Sequence

SAMPLE = 200
"""Rows of a table that are looked at first."""

FEW = 12
"""More different texts than these are no closed set."""

LONGEST_WORD = 40
NAMES = frozenset({"name", "title", "label", "slug", "code", "sku", "username", "email", "isbn"})
"""What a column is called whose texts people take for names of rows."""

_ENOUGH, _OFTEN = 10, 5
_NEARLY = 0.9
_LOOKS = {
    "jsonb": re.compile(r"\s*[\[{].*[\]}]\s*", re.DOTALL),
    "time": re.compile(r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?", re.ASCII),
    "date": re.compile(r"\d{4}-\d\d-\d\d", re.ASCII),
    "timestamp(3)": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII),
    "uuid": re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.ASCII | re.IGNORECASE),
}
_WORD = re.compile(rf"(?=.*[^\W\d_])[\w.+-]{{1,{LONGEST_WORD}}}")


def candidates(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the types, in an operator's words, that most of some texts look like."""
    return tuple(k for k, looks in _LOOKS.items() if texts and _share(texts, looks) >= _NEARLY)


def _share(texts: Sequence[str], looks: re.Pattern[str]) -> float:
    return sum(looks.fullmatch(t) is not None for t in texts) / len(texts)


def nearly(count: int, misfits: int) -> bool:
    """Return whether so few of a column's texts are misfits that the others make a rule."""
    return misfits <= count * (1 - _NEARLY)


def may_be_closed(texts: Sequence[str]) -> bool:
    """Return whether some texts are words of a small set; all texts of the column decide."""
    return bool(texts) and len(set(texts)) <= FEW and all(_WORD.fullmatch(t) for t in texts)


def few(texts: Iterable[str]) -> tuple[str, ...] | None:
    """Return the different ones of some texts in order, None when they are too many for a closed set."""
    words = set(texts)
    return tuple(sorted(words)) if len(words) <= FEW else None


def closed(count: int, values: Sequence[str]) -> bool:
    """Return whether a column's different texts are a closed set: few words that each come often."""
    enough = count >= _ENOUGH and len(values) * _OFTEN <= count
    return enough and may_be_closed(values) and not candidates(values)
