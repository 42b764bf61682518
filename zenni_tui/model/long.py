"""A stored value that is too long to be held at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .schema import Value


@dataclass(frozen=True, slots=True)
class Long:
    """A TEXT, else a BLOB, of so many bytes; `pieces` reads its bytes, in UTF-8 for a TEXT, from the beginning."""

    text: bool
    size: int
    pieces: Callable[[], Iterator[bytes]]

    def whole(self) -> str | bytes:
        """Return the value at once; bytes that are not UTF-8 become surrogates, as readers give them."""
        raw = b"".join(self.pieces())
        return raw.decode("utf-8", "surrogateescape") if self.text else raw


Lazy = Value | Long
