"""What reach looks at on the source's side: rights, neighbours, disks, the application's project, the second copy."""

import os
import shutil
import stat
from pathlib import Path

from zenni_tui.application import project
from zenni_tui.errors import NotReady
from zenni_tui.model.application import Which
from zenni_tui.model.runbook import StepId
from zenni_tui.source import neighbours, snapshot

from .run import Run


def look(run: Run) -> None:
    """Tell of everything around the source; raises NotReady for what forbids a run. Opens no database."""
    _rights(run)
    _neighbours(run)
    _disk(run)
    _project(run)
    _sides(run)
    _criteria(run)
    if run.request.second_copy:
        _second_copy(run, Path(run.request.second_copy))


def _tell(run: Run, name: str, tried: str, found: str, advice: str = "") -> None:
    run.check(StepId.REACH, name, found, ok=None if advice else True, advice=advice, tried=tried)


def _rights(run: Run) -> None:
    real = run.source.resolve()
    facts = real.stat()
    mode = stat.filemode(facts.st_mode)
    advice = ""
    if not os.access(real, os.W_OK) or not os.access(real.parent, os.W_OK):
        advice = "Reading is enough for a rehearsal; refusing or following the application's writes needs more."
    elif facts.st_mode & stat.S_IROTH:
        advice = "Every user of this machine can read it: chmod o-r, if that isn't meant."
    found = f"{mode}, owner {facts.st_uid}; we may {_may(real)}, and {_may(real.parent)} its folder"
    _tell(run, "rights of the file", "mode and owner of file and folder", found, advice)


def _may(path: Path) -> str:
    return "read and write" if os.access(path, os.W_OK) else "read"


def _neighbours(run: Run) -> None:
    opened = neighbours.having_open(run.source)
    tried = "who has the file open (/proc), who locks it (/proc/locks)"
    if opened is None:
        _tell(run, "neighbours", tried, "this system doesn't tell", "See yourself which programs use the file.")
        return
    locked = neighbours.holding_locks(run.source)
    found = f"open in {_listed(opened)}" if opened else "nobody has it open"
    found += f"; locked just now by {_listed(locked)}" if locked else ""
    advice = "" if opened else "If the application runs, it runs as another user or elsewhere, or uses another file."
    _tell(run, "neighbours", tried, found, advice)


def _listed(processes: dict[int, str]) -> str:
    return ", ".join(f"{name} ({pid})" for pid, name in sorted(processes.items()))


def _disk(run: Run) -> None:
    if not run.snapshot.exists():
        snapshot.room_for(run.source, run.folder)
    free = shutil.disk_usage(run.folder).free
    _tell(run, "disk", f"free space for the backup in {run.folder}", f"{free:,} bytes free")


def _project(run: Run) -> None:
    found = project.find(run.source)
    tried = "package.json, .env and lock files in the folders above the file; schema.prisma"
    if found is None:
        _tell(run, "application", tried, "no project found around the file")
        return
    parts = [str(found.folder), f"settings in {found.settings.name}" if found.settings else "no .env"]
    parts += [found.manager] if found.manager else []
    parts += [f"Prisma: {run.request.prisma_schema}" if run.request.prisma_schema else "no schema.prisma"]
    advice = ""
    if found.database is not None and found.database != run.source.resolve():
        advice = f"Its DATABASE_URL names another file, {found.database}: see that the right one is migrated."
    _tell(run, "application", tried, ", ".join(parts), advice)


def _second_copy(run: Run, folder: Path) -> None:
    need, where = run.source.stat().st_size, str(folder)
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise NotReady(
            "The second copy's folder can't be written.",
            where=where,
            why="It isn't there, or this user may not write in it.",
            next_step="Make it, mount it, or correct [source] second_copy.",
        )
    free = shutil.disk_usage(folder).free
    if free < need:
        raise NotReady(
            "There is not enough disk space for the second copy.",
            where=where,
            why=f"{need:,} bytes are needed, {free:,} are free.",
            next_step="Free some space there, or name another folder in [source] second_copy.",
        )
    _tell(run, "second copy", f"free space in {where}", f"{free:,} bytes free")


def _sides(run: Run) -> None:
    application = run.request.application
    if not application.can_switch:
        return
    found = []
    for which in Which:
        side = application.side(which)
        commands = [n for n in ("build", "deploy", "restart") if application.command(n, which)]
        settings = ", ".join(sorted(side.settings)) or "its settings as they are"
        found.append(f"{which}: {settings}; {', '.join(commands) or 'no command'}")
    _tell(run, "both sides", "[application] of the config", "; ".join(found))


def _criteria(run: Run) -> None:
    if not run.request.application.can_switch:
        return
    wanted = run.request.rollback
    watched = {
        "health down for": f"{wanted.health_down_seconds:g} s" if wanted.health_down_seconds else "",
        "error rate above": f"{wanted.error_rate:g}" if wanted.error_rate else "",
        "downtime above": f"{wanted.downtime_budget_seconds:g} s" if wanted.downtime_budget_seconds else "",
        "verification failed": "yes" if wanted.verification_failed else "",
    }
    signs = ", ".join(f"{name} {limit}" for name, limit in watched.items() if limit) or "none"
    who = ", ".join(wanted.who_may_decide) or "everybody"
    _tell(run, "criteria", "[rollback] of the config", f"signs for going back: {signs}; {who} may decide")
