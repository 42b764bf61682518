"""Profiles what columns really hold, a batch at a time, in operations that run at C speed."""

import codecs
import functools
import itertools
import sqlite3
from collections.abc import Sequence
from typing import TypeVar, cast

import msgspec

from zenni_tui.convert import instants, shapes
from zenni_tui.model.long import Lazy, Long
from zenni_tui.model.plan import Span
from zenni_tui.model.schema import ColumnProfile, SourceTable, Value

from . import long

V = TypeVar("V", int, float, str, bytes)

SECONDS_BEGIN, SECONDS_END = 100_000_000, 100_000_000_000
"""As seconds since 1970 these are the years 1973 and 5138; as milliseconds, the second of January 1970 and 1973."""

MILLIS_END = 100_000_000_000_000
"""As milliseconds since 1970 this is the year 5138."""


def profile_span(source: sqlite3.Connection, table: SourceTable, span: Span) -> dict[str, ColumnProfile]:
    """Profile every column of a span of a table."""
    columns = [c.name for c in table.columns]
    profiles = dict.fromkeys(columns, ColumnProfile())
    for rows in long.batches(source, table, columns, span):
        for column, values in zip(columns, zip(*rows, strict=True), strict=True):
            profiles[column] = merge(profiles[column], profile(values))
    return profiles


def profile(values: Sequence[Lazy]) -> ColumnProfile:
    """Profile one batch of a column's values."""
    kinds = set(map(type, values))
    if Long not in kinds:
        return _profile(cast("Sequence[Value]", values), kinds)
    parts = [_profile_long(v) for v in values if isinstance(v, Long)]
    others = [v for v in values if not isinstance(v, Long)]
    return functools.reduce(merge, parts, _profile(others, kinds - {Long}))


def _profile_long(value: Long) -> ColumnProfile:
    if not value.text:
        return ColumnProfile(blobs=1, longest=value.size, longest_bytes=value.size)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    characters = size = 0
    suspect = False
    for piece in itertools.chain(value.pieces(), [None]):
        text = decoder.decode(piece or b"", final=piece is None)
        characters += len(text)
        size += _longest_bytes([text], text)
        suspect = suspect or _suspect(text)
    return ColumnProfile(texts=1, longest=characters, longest_bytes=size, suspect_text=suspect, words=None)


def _profile(values: Sequence[Value], kinds: set[type]) -> ColumnProfile:
    whole, reals = _of(int, values, kinds), _of(float, values, kinds)
    texts, blobs = _of(str, values, kinds), _of(bytes, values, kinds)
    together, longest_blob = "".join(texts), max(map(len, blobs), default=0)
    zoned, zoneless = instants.plain(texts)
    longest_text, suspect = max(map(len, texts), default=0), _suspect(together)
    return ColumnProfile(
        integers=len(whole),
        reals=len(reals),
        texts=len(texts),
        blobs=len(blobs),
        nulls=len(values) - len(whole) - len(reals) - len(texts) - len(blobs),
        smallest=min(whole, default=None),
        largest=max(whole, default=None),
        longest=max(longest_text, longest_blob),
        longest_bytes=max(_longest_bytes(texts, together), longest_blob),
        seconds=_between(whole, SECONDS_BEGIN, SECONDS_END),
        millis=_between(whole, SECONDS_END, MILLIS_END),
        least_real=min(reals, default=None),
        greatest_real=max(reals, default=None),
        suspect_text=suspect,
        zoned=zoned,
        zoneless=zoneless,
        words=None if suspect or longest_text > shapes.LONGEST_WORD else _words(texts),
    )


def _of(kind: type[V], values: Sequence[Value], kinds: set[type]) -> Sequence[V]:
    """Return the values of one class; a batch of one class is itself, which most are."""
    if kind not in kinds:
        return ()
    return cast("Sequence[V]", values) if len(kinds) == 1 else [v for v in values if type(v) is kind]


def _between(whole: Sequence[int], begin: int, end: int) -> int:
    if not whole or (least := min(whole)) >= end or (greatest := max(whole)) < begin:
        return 0
    return len(whole) if begin <= least and greatest < end else sum(begin <= v < end for v in whole)


def _longest_bytes(texts: Sequence[str], together: str) -> int:
    if together.isascii():
        return max(map(len, texts), default=0)
    return max(len(t.encode("utf-8", "surrogatepass")) for t in texts)


def _words(texts: Sequence[str]) -> tuple[str, ...] | None:
    # Most columns have many, and the first texts say so.
    return shapes.few(texts) if shapes.few(texts[: shapes.SAMPLE]) is not None else None


def _suspect(text: str) -> bool:
    if "\0" in text:
        return True
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


_COUNTS = ("integers", "reals", "texts", "blobs", "nulls", "seconds", "millis", "zoned", "zoneless")


def merge(one: ColumnProfile, other: ColumnProfile) -> ColumnProfile:
    """Return the profile of two batches together."""
    sums = {k: getattr(one, k) + getattr(other, k) for k in _COUNTS}
    smallest = [v for v in (one.smallest, other.smallest) if v is not None]
    largest = [v for v in (one.largest, other.largest) if v is not None]
    return msgspec.structs.replace(
        one,
        **sums,
        smallest=min(smallest, default=None),
        largest=max(largest, default=None),
        longest=max(one.longest, other.longest),
        longest_bytes=max(one.longest_bytes, other.longest_bytes),
        least_real=min(_known(one.least_real, other.least_real), default=None),
        greatest_real=max(_known(one.greatest_real, other.greatest_real), default=None),
        suspect_text=one.suspect_text or other.suspect_text,
        words=None if one.words is None or other.words is None else shapes.few((*one.words, *other.words)),
    )


def _known(*values: float | None) -> list[float]:
    return [v for v in values if v is not None]
