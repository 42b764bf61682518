"""Findings: what stands in the way, or should be known, with keys and a way out."""

from collections.abc import Iterable
from enum import StrEnum

from .record import Record

SHOWN_KEYS = 20


class Severity(StrEnum):
    """How much a finding weighs: `error` blocks, `warning` wants a look, `info` tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Repair(Record, frozen=True):
    """A way out of a finding; `lossless` ones change no value, only types or names."""

    id: str
    lossless: bool
    text: str


class Finding(Record, frozen=True):
    """One finding; `keys` holds up to `SHOWN_KEYS` primary keys, all of them are in the evidence folder.

    `values` holds what stands in the column in these rows, shortened, where that is known; it is for screens alone.
    `chosen` is the id of the repair that the operator took; a finding with one no longer blocks.
    """

    code: str
    severity: Severity
    message: str
    advice: str
    table: str | None = None
    column: str | None = None
    count: int = 0
    keys: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()
    chosen: str | None = None
    values: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return the name by which a choice refers to it: `code/table/column`."""
        return "/".join(part for part in (self.code, self.table, self.column) if part)


class Evidence(Record, frozen=True):
    """A finding with all its rows: their keys, and their rowids where they have any."""

    finding: Finding
    keys: tuple[str, ...] = ()
    rowids: tuple[int, ...] = ()


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that forbid writing."""
    return tuple(f for f in findings if f.severity is Severity.ERROR and f.chosen is None)
