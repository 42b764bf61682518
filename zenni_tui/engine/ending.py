"""What a run leaves behind at its end: the evidence of every run, and a migration's documents."""

import logging

from zenni_tui.model.runbook import RunKind
from zenni_tui.report import evidence
from zenni_tui.steps.run import Run

from . import documents, tasks
from .journal import Journal

log = logging.getLogger(__name__)


def write(run: Run, journal: Journal) -> None:
    """Write evidence and documents; on a full disk the journal's reserve goes to the evidence. Raises nothing."""
    try:
        _evidence(run)
    except OSError:
        journal.make_room()
        try:
            _evidence(run)
        except OSError as error:
            log.error("action=evidence_failed why=%r", str(error))  # noqa: TRY400 - the disk's fault, not the code's
    _document(run)


def _evidence(run: Run) -> None:
    evidence.write(run.folder, run.state(), tasks.standing(run.request.source, run.request.timeline))


def _document(run: Run) -> None:
    """Write a migration's documents; whatever is wrong with them changes nothing of how the run ended."""
    if run.request.kind is not RunKind.MIGRATE:
        return
    try:
        documents.write(run.folder, run.state())
    except Exception:
        log.exception("action=documents_failed")
