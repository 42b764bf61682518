"""Takes away copies of customers' data that no run needs any more; what was found and decided stays."""

from collections.abc import Iterator
from pathlib import Path

from zenni_tui.model.record import Record
from zenni_tui.model.runbook import RunKind, Verdict
from zenni_tui.source import working

from . import client, folders

_OVER = frozenset({Verdict.PASSED, Verdict.ROLLED_BACK, Verdict.NOT_READY})


class Spare(Record, frozen=True):
    """The copies that one run has left behind, and the bytes that they take."""

    run_id: str
    folder: str
    files: tuple[str, ...]
    size: int


def spare() -> Iterator[Spare]:
    """Yield what can go, newest run first: the snapshots of all runs that only read or rehearsed, and are over.

    Never a migration's, which is its backup; none that a result kept with --keep is compared with; none of a run that
    failed or was stopped; and not the newest of each source, which `verify` and `queries` read. Raises OSError.
    """
    seen: set[str] = set()
    for summary in client.runs():
        folder, source = Path(summary.folder), client.source_of(Path(summary.folder))
        newest = source not in seen
        files = [f for f in (folder / working.SNAPSHOT, folder / working.WORKING) if f.exists()]
        if files:
            seen.add(source)
        if files and source and not newest and not _needed(summary):
            yield Spare(folder.name, str(folder), tuple(map(str, files)), sum(f.stat().st_size for f in files))


def _needed(summary: client.RunSummary) -> bool:
    state = summary.state
    if summary.alive or state.kind is RunKind.MIGRATE or state.verdict not in _OVER:
        return True
    return state.verdict is Verdict.PASSED and client.request_of(Path(summary.folder)).keep


def take(spare: Spare) -> bool:
    """Delete the copies unless an engine has begun to work on the run meanwhile; returns whether. Raises OSError."""
    lock = folders.Lock(Path(spare.folder) / folders.ENGINE_LOCK)
    if not lock.acquire():
        return False
    try:
        for file in spare.files:
            Path(file).unlink(missing_ok=True)
    finally:
        lock.release()
    return True
