"""What a trap is: how its tables are made, and the outcome that was written down before the program ran."""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from traps.target import Check

Make = str | Callable[[sqlite3.Connection], None]
"""A script of SQL, or a function for what needs more: functions and collations that only the maker has, or bytes."""


@dataclass(frozen=True)
class Want:
    """A finding that must be made; `code` and `severity` may name alternatives with `|`, `table` "*" is any table.

    `count` and `keys` are not compared when None. `offers` are repairs that must be among those offered, by id or by
    its beginning (`rename:`). `choose` is the repair to take in the second run; `rename:*` is the first such offer.
    """

    code: str
    table: str | None
    column: str | None = None
    count: int | None = None
    keys: tuple[str, ...] | None = None
    severity: str = "error"
    offers: tuple[str, ...] = ()
    choose: str | None = None


def warn(code: str, table: str | None, column: str | None = None, **more: object) -> Want:
    """Return a wanted finding that doesn't block."""
    return Want(code, table, column, severity="warning|info", **more)  # type: ignore[arg-type]


@dataclass(frozen=True, repr=False)
class Trap:
    """One trap, named `family/variant`.

    Errors among `wants` block the first run, exit 3; what they `choose` is in the second run's config. Findings
    with a code in `may` are neither wanted nor wrong, as long as they don't block. The checks hold in the target
    after the run that passes. `compared` is False where a repair changes values, so that the checks alone judge.
    """

    name: str
    make: Make
    wants: tuple[Want, ...] = ()
    checks: tuple[Check, ...] = ()
    may: tuple[str, ...] = ()
    compared: bool = True
    casts: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def family(self) -> str:
        """Return the family: the name before the slash."""
        return self.name.partition("/")[0]

    @property
    def blocks(self) -> bool:
        """Return whether the first run must end with exit 3."""
        return any(w.severity == "error" for w in self.wants)

    @property
    def chosen(self) -> tuple[Want, ...]:
        """Return the wanted findings for which a repair is taken."""
        return tuple(w for w in self.wants if w.choose)


@dataclass(frozen=True, repr=False)
class Group:
    """Traps that share a file, since none disturbs another's outcome.

    `before` sets up the empty file; `after` gets the finished file's path when all connections are closed. `crash` is
    `wal` or `journal`: what a writer leaves beside the file when it is killed. `prisma` is the schema.prisma beside it.
    """

    name: str
    traps: tuple[Trap, ...]
    before: str = ""
    after: Callable[[Path], None] | None = None
    crash: str | None = None
    prisma: str | None = None
    options: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def blocks(self) -> bool:
        """Return whether any trap blocks the first run."""
        return any(t.blocks for t in self.traps)
