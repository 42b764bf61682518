"""Makes a lost run directory anew from what the target knows of its run."""

from pathlib import Path

import msgspec

from zenni_tui.errors import StepFailed
from zenni_tui.files import write_private
from zenni_tui.model import events as e
from zenni_tui.model.record import from_json
from zenni_tui.model.request import Request
from zenni_tui.steps import papers
from zenni_tui.target import bookkeeping
from zenni_tui.target.connect import Target

from . import folders
from .client import create
from .journal import Journal


def recall(parameters: dict[str, str], password: str | None, folder: Path | None = None) -> Path | None:
    """Return the directory of the run that the target knows, made anew if it is lost; None when it knows none.

    Of several runs it is the last. Raises NotReady when the target can't be reached, UsageError for a folder in use.
    """
    target = Target(parameters, password, name="zenni-tui")
    with target.connect() as connection:
        found = bookkeeping.last_run(connection)
    if found is None:
        return None
    run_id, kept = found
    home = folders.runs_home() / run_id
    if (home / folders.EVENTS).exists():
        return home.resolve()
    return _anew(run_id, kept, parameters, folder)


def _anew(run_id: str, kept: bytes, parameters: dict[str, str], folder: Path | None) -> Path:
    if not kept:
        raise StepFailed(
            "The target knows this run, but nothing by which it could go on from here.",
            where=run_id,
            why="It was begun by an older version.",
            next_step="Drop what the table zenni_tui.made lists, then the schema zenni_tui.",
        )
    home = folders.runs_home() / run_id
    if home.is_symlink():
        home.unlink()
    found = papers.unpacked(kept)
    # The target is where it was found, whatever it was called then.
    request = msgspec.structs.replace(from_json(found.pop(folders.REQUEST), Request), target=parameters)
    place = create(request, folder)
    for name, data in found.items():
        write_private(place / name, data)
    journal = Journal(place / folders.EVENTS)
    journal.append(e.Said("warning", "The run directory was lost; this one was made from what the target knows."))
    journal.close()
    return place
