"""What becomes of the operator's choices: the rows they keep out, and those that fit nothing."""

import difflib
from collections.abc import Iterable, Mapping

import msgspec

from zenni_tui.model.choices import NONE, Choices, cast_finding
from zenni_tui.model.findings import Evidence, Finding, Severity
from zenni_tui.model.schema import SourceSchema

_SHOWN = 40


def unheeded(asked: Choices, active: Choices, schema: SourceSchema) -> Iterable[Finding]:
    """Return the choices that were asked for and fit nothing in the file."""
    yield from (_unused(i, r) for i, r in asked.repairs.items() if i not in active.repairs and r != NONE)
    yield from (_unknown(n, schema) for n in asked.named if not _is_there(n, schema))


def not_taken(finding: Finding, asked: Choices, active: Choices) -> Finding:
    """Return a finding with a word on the choice that was made for it and could not be carried out."""
    wanted = asked.repairs.get(finding.id)
    if wanted is None or wanted == NONE or finding.id in active.repairs:
        return finding
    words = f'{finding.message} The choice "{wanted[:_SHOWN]}" was not taken: it is not on offer, or does not suit.'
    return msgspec.structs.replace(finding, message=words)


def casts(asked: Choices, schema: SourceSchema) -> Iterable[Finding]:
    """Return the types that were chosen for columns of the file, so that they are told, and can be taken back."""
    for name, kind in asked.casts.items():
        for table in schema.tables:
            column = table.column(name.removeprefix(f"{table.name}.")) if name.startswith(f"{table.name}.") else None
            if column is not None:
                yield cast_finding(table.name, column.name, (kind,), kind)


def quarantined(seen: Mapping[str, Evidence], active: Choices) -> dict[str, tuple[int, ...]]:
    """Return the rowids, in order, of the rows that the choices keep out, by source table."""
    rows: dict[str, set[int]] = {}
    for name, one in seen.items():
        if active.repairs.get(name) == "quarantine" and one.finding.table is not None:
            rows.setdefault(one.finding.table, set()).update(one.rowids)
    return {table: tuple(sorted(ids)) for table, ids in rows.items()}


def _unused(finding: str, repair: str) -> Finding:
    return Finding(
        "choice_unused",
        Severity.WARNING,
        f'The choice "{finding}" = "{repair}" was not taken: nothing found offers it, or its value does not suit.',
        "Choose anew in the wizard, or correct the line or take it out under [schema.repairs].",
        finding,
        None,
        1,
    )


def _is_there(name: str, schema: SourceSchema) -> bool:
    table = schema.table(name)
    head, _, column = name.rpartition(".")
    owner = schema.table(head) if head else None
    return table is not None or (owner is not None and owner.column(column) is not None)


def _unknown(name: str, schema: SourceSchema) -> Finding:
    near = difflib.get_close_matches(name, [t.name for t in schema.tables], n=1)
    return Finding(
        "choice_unused",
        Severity.WARNING,
        f'The config speaks of "{name}", which is not in the file.',
        f'Did you mean "{near[0]}"?' if near else "Look at exclude, [schema.casts] and [schema.renames].",
        name,
        None,
        1,
    )
