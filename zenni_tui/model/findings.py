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


class Finding(Record, frozen=True):
    """One finding; `keys` holds up to `SHOWN_KEYS` primary keys, all of them are in the evidence folder."""

    code: str
    severity: Severity
    message: str
    advice: str
    table: str | None = None
    column: str | None = None
    count: int = 0
    keys: tuple[str, ...] = ()


def blocking(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that forbid writing."""
    return tuple(f for f in findings if f.severity is Severity.ERROR)
