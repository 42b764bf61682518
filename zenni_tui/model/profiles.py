"""What an audit learned of a whole database."""

import msgspec

from .plan import Span
from .record import Record
from .schema import TableProfile, TextShape


class Profiles(Record, frozen=True):
    """What the audit learned of the tables, kept for the plan and for a resume."""

    tables: dict[str, TableProfile]
    spans: dict[str, tuple[Span, ...]]
    shapes: dict[str, dict[str, TextShape]] = msgspec.field(default_factory=dict)
    """What texts look like, by source table and column."""
