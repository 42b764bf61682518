"""What a comparison tells: counts that were counted, and differences by name."""

from enum import StrEnum

from zenni_tui.model.record import Record

KEPT_DIFFERENCES = 1000


class DifferenceKind(StrEnum):
    """How a row differs."""

    DIFFERS = "differs"
    """The row is on both sides and a value is not the same."""
    MISSING = "missing"
    """The row is in the source only."""
    EXTRA = "extra"
    """The row is in the target only."""


class Part(Record, frozen=True):
    """One column by which a row of the target is found: its canonical text, or the SHA-256 of a long one's UTF-8."""

    column: str
    text: str | None
    hashed: bool = False


class Difference(Record, frozen=True):
    """One difference; values in readable form, None is NULL or, for a missing or extra row, no row.

    `column` is None when the whole row is meant, `rowid` is the source row's where it has one. `where` finds the row
    in the target: by its key or, when it has none (`keyless`), by all its columns; empty when no row there can match.
    """

    table: str
    key: str
    column: str | None
    source_value: str | None
    target_value: str | None
    kind: DifferenceKind
    rowid: int | None = None
    where: tuple[Part, ...] = ()
    keyless: bool = False


class SpanComparison(Record, frozen=True):
    """One span: rows read from the source, rows found in the target by key, rows that differ or are missing.

    `differences` keeps the first `KEPT_DIFFERENCES`; `rows_differing` counts all. `rows_source` counts the quarantined
    rows too, which are not looked for; rows and values repaired were compared as repaired. `rows_surplus` of the
    differing ones are rows of the target whose key another row there has as well.
    """

    rows_source: int
    rows_found: int
    rows_differing: int
    differences: tuple[Difference, ...] = ()
    rows_quarantined: int = 0
    rows_repaired: int = 0
    values_repaired: int = 0
    rows_surplus: int = 0


class CountComparison(Record, frozen=True):
    """The rows of one table on both sides, each counted by its own database; the source's with the quarantined ones."""

    rows_source: int
    rows_target: int
    rows_quarantined: int = 0

    @property
    def equal(self) -> bool:
        """Return whether the target holds as many rows as the source, the quarantined ones apart."""
        return self.rows_source - self.rows_quarantined == self.rows_target


class ExtraComparison(Record, frozen=True):
    """Rows whose key occurs more often on one side; `differences` keeps the first `KEPT_DIFFERENCES`."""

    rows_extra: int
    rows_missing: int
    differences: tuple[Difference, ...] = ()


class MultisetComparison(Record, frozen=True):
    """All rows of a table without a key; a changed row counts once as missing and once as extra.

    `rows_source` counts the quarantined rows too, which are not looked for.
    """

    rows_source: int
    rows_target: int
    rows_missing: int
    rows_extra: int
    differences: tuple[Difference, ...] = ()
    rows_quarantined: int = 0
    rows_repaired: int = 0
    values_repaired: int = 0

    @property
    def rows_differing(self) -> int:
        """Return how many rows have no equal on the other side, the larger side's figure."""
        return max(self.rows_missing, self.rows_extra)


class StructureDifference(Record, frozen=True):
    """One part of the target that is not as planned."""

    object: str
    expected: str
    found: str
    message: str


class StructureComparison(Record, frozen=True):
    """How many checks were made of the target's structure, and what they noticed."""

    checks: int
    differences: tuple[StructureDifference, ...] = ()
