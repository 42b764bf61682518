"""Plans the columns of a table that no Prisma schema describes, and applies the operator's choices to any column."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from zenni_tui.model.choices import Choices
from zenni_tui.model.findings import Finding, Repair, Severity
from zenni_tui.model.plan import (
    ColumnPlan,
    Counter,
    Epoch,
    Kind,
    TargetType,
    ValueRepair,
    parse_type,
)
from zenni_tui.model.schema import ColumnProfile, SourceColumn, SourceTable

from . import names, translate, types

Found = Callable[[Finding], None]
Meanings = Mapping[str, translate.Column]
"""What the translator knows of a table's columns, by source name."""

_VALUE_REPAIRS = frozenset({"strip_nul", "utf8_replace", "utf8_latin1", "utf8_cp1252", "to_null", "to_value"})


def column(table: SourceTable, source: SourceColumn, profile: ColumnProfile, name: str, found: Found) -> ColumnPlan:
    """Plan one column from its declaration and its content, without its default and expression."""
    kind = types.choose(source, profile)
    reading = types.reading_of(profile)
    if kind.kind in types.DATES and reading.others:
        found(_ambiguous(table, source, profile, reading))
    if kind.kind is Kind.TEXT and types.mixed(profile) and not profile.blobs:
        found(_mixed(table, source, profile))
    return ColumnPlan(
        source.name,
        name,
        kind,
        source.not_null or bool(source.key_position),
        None,
        Counter.IDENTITY if table.rowid_alias == source.name else None,
        reading.epoch,
    )


def chosen(plan: ColumnPlan, table: str, choices: Choices) -> ColumnPlan:
    """Return a column as the operator's casts and repairs make it; raises ValueError for a type nobody knows."""
    cast = choices.casts.get(f"{table}.{plan.source}")
    changes: dict[str, object] = {"type": parse_type(cast)} if cast else {}
    for finding, repair in choices.repairs.items():
        if finding.partition("/")[2] != f"{table}/{plan.source}":
            continue
        action, _, argument = repair.partition(":")
        if action == "type":
            changes["type"] = parse_type(argument)
        elif action == "enum":
            changes["type"] = TargetType(Kind.ENUM, enum=names.enum_type(table, plan.name))
        elif action == "epoch":
            changes["epoch"] = Epoch(argument)
        elif action == "zone":
            changes["zone"] = argument
    changes["repairs"] = tuple(value_repairs(f"{table}/{plan.source}", choices))
    return msgspec.structs.replace(plan, **changes)


def value_repairs(place: str, choices: Choices) -> Iterator[ValueRepair]:
    """Yield what the operator chose for values of a column, named "table/column"."""
    for finding, repair in choices.repairs.items():
        code, _, where = finding.partition("/")
        action, _, argument = repair.partition(":")
        if where == place and action in _VALUE_REPAIRS:
            yield ValueRepair(code, action, argument if action == "to_value" else None)


def excluded(table: str, column: str, choices: Choices) -> bool:
    """Return whether the operator leaves a column behind."""
    if f"{table}.{column}" in choices.exclude:
        return True
    return any(
        repair == "exclude" and finding.partition("/")[2] == f"{table}/{column}"
        for finding, repair in choices.repairs.items()
    )


def with_expressions(table: SourceTable, plan: ColumnPlan, meanings: Meanings, found: Found) -> ColumnPlan:
    """Add a declared column's default or generation expression, translated, or say why it isn't carried."""
    source = table.column(plan.source or "")
    if source is None:
        return plan
    if source.generated is not None:
        return _generated(table, source, plan, meanings, found)
    try:
        default = translate.default(source.default, plan.type) if source.default is not None else None
    except translate.Untranslatable as error:
        found(_default_lost(table, source, error.reason))
        default = None
    return msgspec.structs.replace(plan, default=default if plan.counter is None else None)


def _generated(
    table: SourceTable, source: SourceColumn, plan: ColumnPlan, meanings: Meanings, found: Found
) -> ColumnPlan:
    reason = "its expression is not known"
    try:
        if source.expression is not None:
            expression = translate.expression(source.expression, meanings, plan.type, indexed=True)
            return msgspec.structs.replace(plan, generated=expression, not_null=source.not_null)
    except translate.Untranslatable as error:
        reason = error.reason
    finding = _generated_lost(table, source, reason)
    found(finding)
    return plan


def _generated_lost(table: SourceTable, source: SourceColumn, reason: str) -> Finding:
    return Finding(
        "generated_not_carried",
        Severity.ERROR,
        f'The generated column "{table.name}"."{source.name}" AS ({source.expression}) has no equal here:'
        f" {reason.rstrip('.')}.",
        "Carry its values in an ordinary column, and compute them in the application from then on.",
        table.name,
        source.name,
        1,
        (),
        (
            Repair("as_column", lossless=True, text="an ordinary column with the values of today"),
            Repair("exclude", lossless=False, text="leave the column behind"),
        ),
    )


def _default_lost(table: SourceTable, source: SourceColumn, reason: str) -> Finding:
    return Finding(
        "default_not_carried",
        Severity.WARNING,
        f'The default {source.default} of "{table.name}"."{source.name}" is not carried: {reason.rstrip(".")}.',
        "Set a default in PostgreSQL after the migration, or let the application give the value.",
        table.name,
        source.name,
        1,
    )


def _ambiguous(table: SourceTable, source: SourceColumn, profile: ColumnProfile, reading: types.Reading) -> Finding:
    epochs = (reading.epoch, *reading.others)
    ends = f"{profile.smallest} to {profile.largest}" if profile.integers else f"{profile.least_real} and on"
    decision = "both occur" if reading.torn else f"they are read as {reading.epoch}"
    return Finding(
        "date_ambiguous",
        Severity.ERROR if reading.torn else Severity.WARNING,
        f'The numbers in "{table.name}"."{source.name}" reach from {ends}: they may count {" or ".join(epochs)}'
        f" since 1970; {decision}.",
        "Say what they count, if that is not so.",
        table.name,
        source.name,
        profile.integers + profile.reals,
        (),
        tuple(Repair(f"epoch:{e}", lossless=False, text=f"read all of them as {e}") for e in epochs),
    )


def _mixed(table: SourceTable, source: SourceColumn, profile: ColumnProfile) -> Finding:
    return Finding(
        "mixed_classes",
        Severity.WARNING,
        f'"{table.name}"."{source.name}" holds {profile.integers:,} integers, {profile.reals:,} reals and'
        f" {profile.texts:,} texts; it becomes text, so that numbers become their text.",
        "See that the application reads text there, or give it a type: [schema.casts].",
        table.name,
        source.name,
        profile.integers + profile.reals,
    )
