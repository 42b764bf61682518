"""Writes a migration's documents, and notes each of them among the plan's deeds."""

from dataclasses import replace
from pathlib import Path

from zenni_tui.model.state import RunState
from zenni_tui.model.upkeep import Upkeep
from zenni_tui.report import documents
from zenni_tui.users import user

from . import backups, folders, ledger

FOLDER = "documents"


def write(run: Path, state: RunState, into: Path | None = None, upkeep: Upkeep | None = None) -> Path | None:
    """Write the documents of a run, and return their folder; None for a run that has no plan yet. Raises OSError.

    `upkeep` is what holds now, if that is known better than when the run began.
    """
    facts = documents.read(run, state)
    if facts is None:
        return None
    source, upkeep = facts.request.source, upkeep or facts.upkeep
    last = backups.last(source)
    facts = replace(
        facts,
        upkeep=upkeep,
        dumps=str(backups.place(upkeep.backup.folder)),
        proof=documents.Proof(last.at, last.words, last.ok) if last else None,
    )
    folder = into or folders.private(run / FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for name in documents.write(folder, facts):
        ledger.note(source, f"document {name}", user(), str(folder / name))
    return folder
