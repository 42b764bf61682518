"""The account of a structure's comparison: each check counts, each that fails is told."""

import re
from collections.abc import Sequence

from .records import StructureComparison, StructureDifference

NONE = "none"


class Ledger:
    """Counts checks and keeps what they noticed."""

    def __init__(self) -> None:
        self._checks = 0
        self._differences: list[StructureDifference] = []

    def same(self, name: str, expected: str, found: str, message: str) -> bool:
        """Check that both texts are the same."""
        return self.holds(name, expected, found, message, ok=expected == found)

    def holds(self, name: str, expected: str, found: str, message: str, *, ok: bool) -> bool:
        """Check what is the same though it may be spelled otherwise."""
        self._checks += 1
        if not ok:
            self._differences.append(StructureDifference(name, expected, found, message))
        return ok

    def nothing(self, name: str, found: Sequence[str], message: str) -> bool:
        """Check that there is none of something."""
        return self.same(name, NONE, listed(found), message)

    def closed(self) -> StructureComparison:
        """Return the account."""
        return StructureComparison(self._checks, tuple(self._differences))


def listed(names: Sequence[str] | None) -> str:
    """Return names as one text in parentheses."""
    if not names:
        return NONE
    return f"({', '.join(map(_plainly, names))})"


def _plainly(name: str) -> str:
    # A name that holds a comma must not read like two names.
    return name if re.fullmatch(r"[^,()\"]*", name) else repr(name)
