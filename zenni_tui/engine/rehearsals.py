"""Remembers green rehearsals on this machine, so that migration day does only what was rehearsed."""

import os
import time

import msgspec

from zenni_tui.errors import NotReady
from zenni_tui.model.baseline import Baseline, Timing
from zenni_tui.model.measures import MEASURES, Measures
from zenni_tui.model.plan import Access, Plan
from zenni_tui.model.record import Record, digest, from_json, to_json
from zenni_tui.model.schema import SourceSchema
from zenni_tui.model.switching import UNTRIED
from zenni_tui.steps.run import Run

from . import baselines, folders

WORD = "UNREHEARSED"
"""What the operator types to migrate what was not rehearsed."""
_FILE = "rehearsals.jsonl"
_HOUR = 3600.0


class Rehearsal(Record, frozen=True):
    """One that passed: its run, when it ended in seconds since 1970 UTC, and what was rehearsed.

    `tried` tells that the application's new side was built and tested on it, as far as it is configured.
    """

    run_id: str
    at: float
    shape: str
    tried: bool = False


def shape(plan: Plan, schema: SourceSchema) -> str:
    """Return the digest of a plan and its source's schema, without what differs from day to day or target to target.

    The application's work changes rows and counters; what a target has already, and whom it lets in, is its own.
    """
    tables = tuple(msgspec.structs.replace(t, rows=0, spans=(), counter=None, quarantine=()) for t in plan.tables)
    left = tuple(msgspec.structs.replace(n, rows=0) for n in plan.not_migrated)
    bare = msgspec.structs.replace(plan, tables=tables, not_migrated=left, adopted=(), access=Access(), choices={})
    declared = tuple(msgspec.structs.replace(t, rows=0, counter=None) for t in schema.tables)
    return digest([bare, declared])


def remember(run: Run, *, tried: bool = False) -> None:
    """Note that this run's plan was rehearsed and everything passed."""
    line = to_json(Rehearsal(run.request.run_id, time.time(), shape(run.plan(), run.schema()), tried))
    path = folders.private(folders.state_home()) / _FILE
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as stream:  # noqa: PTH123 - a mode is needed
        stream.write(line + b"\n")
    _keep_times(run)


def _keep_times(run: Run) -> None:
    """Keep what the query patterns took, for the watch to compare with."""
    if not (run.folder / MEASURES).exists():
        return
    patterns = run.load(MEASURES, Measures).patterns
    timings = tuple(Timing(p.name, p.target, p.ms_target) for p in patterns if not p.why)
    baselines.keep(run.request.source, Baseline(run.request.run_id, time.time(), timings))


def green(run: Run, *, tried: bool = False) -> Rehearsal | None:
    """Return the newest rehearsal of this run's plan and source schema that is young enough, and `tried` if wanted."""
    path = folders.state_home() / _FILE
    wanted, now = shape(run.plan(), run.schema()), time.time()
    lines = path.read_bytes().splitlines() if path.exists() else []
    known = [from_json(line, Rehearsal) for line in lines if line]
    young = now - run.request.rehearsal_hours * _HOUR
    return next((r for r in reversed(known) if r.shape == wanted and r.at >= young and r.tried >= tried), None)


def without(run: Run) -> str:
    """Return what the report says of a migration that the operator wanted all the same."""
    hours = f"{run.request.rehearsal_hours:g} hours"
    return f"NOT REHEARSED in the last {hours}: the operator typed {WORD} to go on without"


def ask(run: Run) -> tuple[bool, str]:
    """Return whether and how this migration was rehearsed; raises NotReady when nobody wants it without."""
    found = green(run)
    hours = f"{run.request.rehearsal_hours:g} hours"
    if found is not None:
        return (
            True,
            f"{found.run_id} passed with this plan and schema, {(time.time() - found.at) / _HOUR:.1f} hours ago",
        )
    if run.request.confirmed == WORD:
        return False, without(run)
    raise NotReady(
        f"This plan has not been rehearsed in the last {hours}.",
        where=run.request.source,
        why="No rehearsal of the same plan and the same source schema has passed on this machine in that time.",
        next_step=f"Rehearse it: zenni-tui rehearse; or go on without, which the report will say: --confirm {WORD}.",
    )


def ask_for_sides(run: Run, waived: tuple[str, ...]) -> tuple[bool, str]:
    """Return whether and how the new side was tried; raises NotReady when it wasn't and nobody wants it without."""
    if not run.request.rehearsal_hours:
        return True, "no rehearsal is asked for"
    found = green(run, tried=True)
    if found is not None:
        return True, f"both sides: {found.run_id} built and tested the new one, the old one serves"
    if UNTRIED in waived:
        return False, f"NOT TRIED in a rehearsal: the operator typed {UNTRIED} to go on without"
    raise NotReady(
        "The new side has not been tried.",
        where="[application.new]",
        why="No rehearsal of this plan has built it and run the application's tests on it in the last"
        f" {run.request.rehearsal_hours:g} hours.",
        next_step="Roll back, rehearse with this config and migrate anew; or go on without, which the report says:"
        f" the word is then SWITCH+{UNTRIED} (m on the run's screen, or --confirm).",
    )
