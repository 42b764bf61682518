"""The verb that proposes the application's own changes for PostgreSQL: as a patch in a folder, or on a branch."""

import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from zenni_tui.application import project, repository, updates
from zenni_tui.application.patch import patch
from zenni_tui.application.updates import Updates
from zenni_tui.cli import Options, settings_of
from zenni_tui.config import Settings
from zenni_tui.engine import client, folders, ledger
from zenni_tui.errors import ExitCode, NotReady, UsageError
from zenni_tui.files import write_private
from zenni_tui.model.findings import blocking
from zenni_tui.model.plan import Plan
from zenni_tui.model.queries import QUERIES, Analysis, Judged
from zenni_tui.model.record import from_json
from zenni_tui.report import proposal

_DEED = "updates"
PATCH = "updates.patch"
_STORY = "updates.md"
FILES = "files"


class _Place(NamedTuple):
    """What the proposal is about: the run and its plan, the project's folder, its Prisma schema."""

    run: Path
    source: str
    plan: Plan
    folder: Path
    schema: Path
    judged: tuple[Judged, ...]


def propose(options: Options) -> int:
    """Propose the application's changes; nothing in its folder is touched."""
    if options.into and options.branch:
        raise UsageError("--into and --branch exclude each other.", next_step="Give one of them, or none.")
    settings = settings_of(options)
    place = _place(settings, _run(options, settings.source))
    if options.branch:
        made, where = _on_branch(place, options.branch)
    else:
        made, where = _in_folder(place, options.into)
    ledger.note(place.source, _DEED, client.whoami(), where)
    if options.json:
        print(json.dumps({"where": where, **msgspec.to_builtins(made)}, ensure_ascii=False))
    else:
        print(proposal.story(made, place.folder.name))
        print(f"written to: {where}", file=sys.stderr)
    return int(ExitCode.PASSED)


def proposed(settings: Settings, run: Path) -> tuple[str, str]:
    """Propose the changes of a run's plan in its directory; return their story and that folder. Raises ZenniError."""
    place = _place(settings, run)
    made, where = _in_folder(place, "")
    ledger.note(place.source, _DEED, client.whoami(), where)
    return proposal.story(made, place.folder.name), where


def _place(settings: Settings, run: Path) -> _Place:
    _check_ready(run)
    request = client.request_of(run)
    if request.prisma_schema is None:
        raise NotReady(
            "The last plan was made without a Prisma schema, so there is nothing to change for Prisma.",
            where=str(run),
            next_step="Name the schema, [source] prisma_schema in the config, and plan again: zenni-tui plan",
        )
    schema = Path(request.prisma_schema).resolve()
    folder = project.around(Path(request.source), schema, settings.application.directory)
    if folder is None:
        raise NotReady(
            "The application's project is not found.",
            where=str(schema),
            why="No folder around the Prisma schema that the plan was made with has a package.json or a settings file.",
            next_step="Name it, [application] directory in the config, or plan again with the schema that lies in it.",
        )
    plan = from_json((run / folders.PLAN).read_bytes(), Plan)
    return _Place(run, request.source, plan, folder, schema, _judged(run, folder))


def _judged(run: Path, folder: Path) -> tuple[Judged, ...]:
    """Return the queries that the run, or else the newest that looked, has found in the code of a folder."""
    for place in (run, *folders.run_folders()):
        if (place / QUERIES).exists():
            found = from_json((place / QUERIES).read_bytes(), Analysis)
            if Path(found.folder).resolve() == folder:
                return found.queries
    return ()


def _run(options: Options, source: str) -> Path:
    """Return the run that is named, or the newest with a plan for the source, of any source when none is named."""
    runs = [Path(options.run_dir)] if options.run_dir else folders.run_folders()
    wanted = str(Path(source).absolute()) if source and not options.run_dir else ""
    planned = (r for r in runs if (r / folders.PLAN).exists())
    found = next((r for r in planned if not wanted or client.request_of(r).source == wanted), None)
    if found is None:
        raise _no_plan(wanted)
    return found


def _no_plan(where: str) -> NotReady:
    return NotReady("There is no plan yet.", where=where, next_step="Make one: zenni-tui plan, or zenni-tui rehearse")


def _check_ready(run: Path) -> None:
    if not (run / folders.PLAN).exists():
        raise _no_plan(str(run))
    follower = client.Follower(run)
    follower.poll()
    blockers = blocking(follower.state.findings)
    if blockers:
        raise NotReady(
            "The plan is not settled: findings stand in its way, and what they change would be missing here.",
            where=str(run),
            why=blockers[0].message,
            next_step="Choose what becomes of them, [schema.repairs] in the config or the wizard, and plan again.",
        )


def _in_folder(place: _Place, named: str) -> tuple[Updates, str]:
    made = updates.propose(place.folder, place.schema, place.plan, place.judged)
    into = _emptied(Path(named).absolute()) if named else place.run / "updates"
    if not named:
        shutil.rmtree(into, ignore_errors=True)
    folders.private(into)
    top = repository.top(place.folder)
    prefix = f"{place.folder.relative_to(top).as_posix()}/" if top and top != place.folder else ""
    write_private(into / PATCH, patch(made.changes, made.moves, prefix).encode())
    write_private(into / _STORY, proposal.story(made, place.folder.name).encode())
    _write(into / FILES, made, place.folder)
    return made, str(into)


def _emptied(into: Path) -> Path:
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise UsageError("The folder is there and not empty; nothing is overwritten.", where=str(into))
    return into


def _write(into: Path, made: Updates, folder: Path) -> None:
    for name, data in updates.files(made, folder):
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.write_bytes(data)  # keeps its mode, which git keeps as well
        else:
            write_private(path, data)


def _on_branch(place: _Place, branch: str) -> tuple[Updates, str]:
    repository.check_name(place.folder, branch)
    with repository.second_tree(place.folder) as folder:
        schema = folder / place.schema.relative_to(place.folder)
        if not schema.exists():
            raise NotReady(
                "The Prisma schema is not in the last commit.",
                where=str(place.schema),
                why="A branch begins with what is committed.",
                next_step="Commit the project, or leave --branch out.",
            )
        made = updates.propose(folder, schema, place.plan, place.judged)
        if not made.changes:
            raise NotReady("There is nothing to change.", where=str(place.folder), why="It is on PostgreSQL already.")
        _write(folder, made, folder)
        for move in made.moves:
            (folder / move.path).unlink()
        paths = [c.path for c in made.changes] + [p for m in made.moves for p in (m.path, m.to)]
        commit = repository.commit(folder, branch, proposal.message(made), paths)
    return made, f"branch {branch}, commit {commit[:12]}"
