"""The verb `documents`: what a team needs to know of its new database, written from its migration."""

import json
import sys
from pathlib import Path

from zenni_tui.cli import Options, settings_of
from zenni_tui.engine import client, folders
from zenni_tui.engine.client import Follower
from zenni_tui.errors import ExitCode, NotReady
from zenni_tui.model.runbook import RunKind
from zenni_tui.model.upkeep import Upkeep

from .looking import chosen
from .orders import upkeep_of


def write(options: Options) -> int:
    """Write the documents and print where they are."""
    into = Path(options.into).absolute() if options.into else None
    folder = written(_run_of(options), into, upkeep_of(settings_of(options), options))
    made = sorted(p.name for p in folder.iterdir() if p.is_file())
    print(json.dumps({"folder": str(folder), "files": made}) if options.json else folder)
    return int(ExitCode.PASSED)


def written(run: Path, into: Path | None, upkeep: Upkeep) -> Path:
    """Write the documents of a run, into a named folder or its own, and return that; raises NotReady, OSError."""
    from zenni_tui.engine import documents  # noqa: PLC0415 - for this verb only

    follower = Follower(run)
    follower.poll()
    made = documents.write(run, follower.state, into, upkeep)
    if made is None:
        raise NotReady(
            "This run has no plan that documents could be made of.",
            where=str(run),
            next_step="Rehearse first: zenni-tui rehearse; or name another run: --run-dir.",
        )
    return made


def _run_of(options: Options) -> Path:
    """Return the run that is named, else the newest migration that has a plan, else the newest run that has one."""
    if options.run_dir:
        return chosen(options)
    planned = [f for f in folders.run_folders() if (f / folders.PLAN).exists()]
    live = (f for f in planned if client.request_of(f).kind is RunKind.MIGRATE)
    found = next(live, None) or next(iter(planned), None)
    if found is None:
        return chosen(options)
    print(f"Of the run {found.name}.", file=sys.stderr)
    return found
