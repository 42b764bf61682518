"""What the operator decided: kept in the config and in the plan, so that migration day repeats the rehearsal."""

from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

import msgspec

from .findings import Finding, Repair, Severity
from .plan import Epoch, parse_type
from .record import Record

CAST = "cast_chosen"
"""The code of the findings by which types are chosen."""

NONE = "none"
"""A choice that takes back what would be taken by itself."""


class Choices(Record, frozen=True):
    """Decisions by name.

    `repairs` maps a finding's id to a repair's id, `casts` "Table.column" to a type, `renames` "Table" or
    "Table.column" to a target name; `exclude` holds "Table" and "Table.column". `accept_lossless` takes each finding's
    first lossless repair where nothing else was chosen.
    """

    repairs: dict[str, str] = msgspec.field(default_factory=dict)
    casts: dict[str, str] = msgspec.field(default_factory=dict)
    renames: dict[str, str] = msgspec.field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    accept_lossless: bool = False

    @property
    def named(self) -> tuple[str, ...]:
        """Return every table and column that casts, renames and exclusions speak of."""
        return (*self.casts, *self.renames, *self.exclude)

    def chosen(self, finding: Finding) -> str | None:
        """Return the repair that holds for a finding; one that is not offered counts as not chosen."""
        offered = [r.id for r in finding.repairs]
        named = self.repairs.get(finding.id)
        if named is not None:
            return named if _offers(offered, named) and _sensible(named) else None
        if self.accept_lossless and finding.severity is Severity.ERROR:
            return next((r.id for r in finding.repairs if r.lossless), None)
        return None

    def without(self, findings: Iterable[str]) -> "Choices":
        """Return the choices without the repairs of some findings."""
        left = {f: r for f, r in self.repairs.items() if f not in set(findings)}
        return msgspec.structs.replace(self, repairs=left)

    def with_cast(self, column: str, kind: str) -> "Choices":
        """Return the choices with a type for "Table.column", or without one when `kind` is empty."""
        casts = {c: k for c, k in self.casts.items() if c != column}
        return msgspec.structs.replace(self, casts={**casts, column: kind} if kind else casts)

    def with_repairs(self, repairs: dict[str, str]) -> "Choices":
        """Return the choices with more repairs."""
        return msgspec.structs.replace(self, repairs={**self.repairs, **repairs})

    def with_chosen(self, findings: Iterable[Finding]) -> "Choices":
        """Return the choices with what was chosen for some findings, types among it."""
        chosen = {f.id: f for f in findings if f.chosen}
        casts = {f"{f.table}.{f.column}": (f.chosen or "").partition(":")[2] for f in chosen.values() if f.code == CAST}
        repairs = {i: f.chosen or "" for i, f in chosen.items() if f.code != CAST}
        return msgspec.structs.replace(self.with_repairs(repairs), casts={**self.casts, **casts})


class Alternatives(Record, frozen=True):
    """The other types that hold every value of a column, in an operator's words, by source table and column."""

    types: dict[str, dict[str, tuple[str, ...]]] = msgspec.field(default_factory=dict)

    def of(self, table: str, column: str) -> tuple[str, ...]:
        """Return those of one column; empty when none is known."""
        return self.types.get(table, {}).get(column, ())


def cast_finding(table: str, column: str, others: Iterable[str], chosen: str | None = None) -> Finding:
    """Return the finding by which a column's type is chosen; its repairs are other types."""
    ways = (Repair(f"type:{o}", lossless=True, text=f"let the column become {o}") for o in others)
    return Finding(
        CAST,
        Severity.INFO,
        f'"{table}"."{column}" becomes {chosen} by choice.'
        if chosen
        else f'"{table}"."{column}" may have another type.',
        "The types on offer hold every value there is today; any other type is tried on all values before it is used.",
        table,
        column,
        1,
        (),
        tuple(ways),
        f"type:{chosen}" if chosen else None,
    )


def _offers(offered: list[str], named: str) -> bool:
    # An offer such as `to_value:` or `rename:proposal` is taken with any argument of the operator's.
    return named in offered or any(":" in o and o.partition(":")[0] == named.partition(":")[0] for o in offered)


def _sensible(repair: str) -> bool:
    """Return whether a repair's argument can be what it says: a type, a zone, an epoch, a name."""
    action, colon, argument = repair.partition(":")
    makers: dict[str, Callable[[str], object]] = {"type": parse_type, "zone": ZoneInfo, "epoch": Epoch}
    try:
        makers.get(action, str)(argument)
    except (ValueError, KeyError, OSError):
        return False
    return bool(argument) or not colon or action == "to_value"
