"""Tables that are copied whole again, as their rows can't be told apart: never all in memory, and not all the time."""

import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from zenni_tui.model.schema import Value

_IN_MEMORY, _PIECE = 4 * 1024 * 1024, 256 * 1024
_AT_ONCE = 512 * 1024
"""Bytes of stored values that are encoded at once."""
_REST = 10
"""For so many times as long as copying some tables took, they are left alone afterwards."""


class Spool:
    """COPY data that is written once and read in pieces: in memory while there is little, else in a file without name.

    Its disk space is free again when it is closed, or with the process.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115 - it outlives this function

    def write(self, data: bytes) -> None:
        """Append; raises OSError on a full disk."""
        self._file.write(data)

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Give the space back."""
        self._file.close()


def parts(rows: Iterator[tuple[Value, ...]]) -> Iterator[list[tuple[Value, ...]]]:
    """Yield rows in lists of at least one row that hold no more than is to be encoded at once."""
    some: list[tuple[Value, ...]] = []
    size = 0
    for row in rows:
        some.append(row)
        size += size_of(row)
        if size >= _AT_ONCE:
            yield some
            some, size = [], 0
    if some:
        yield some


def size_of(row: Sequence[Value]) -> int:
    """Return about how many bytes a row takes in memory."""
    return sum(len(value) if isinstance(value, str | bytes) else 32 for value in row)


class Turns:
    """When tables may be copied whole again: a large one that is written all the time would be copied all the time."""

    def __init__(self) -> None:
        self._free: dict[str, float] = {}

    def early(self, names: Collection[str]) -> set[str]:
        """Return those that were copied too short a time ago."""
        now = time.monotonic()
        return {name for name in names if self._free.get(name, 0.0) > now}

    def took(self, names: Collection[str], seconds: float) -> None:
        """Take note of how long it took to copy some tables, just now."""
        until = time.monotonic() + _REST * seconds
        self._free.update(dict.fromkeys(names, until))
