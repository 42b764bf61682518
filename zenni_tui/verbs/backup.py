"""The verb `backup`: a dump of the new database, restored and compared before it counts."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from zenni_tui.cli import Options, settings_of
from zenni_tui.config import Settings
from zenni_tui.engine import client
from zenni_tui.errors import ExitCode, NotReady, UsageError

from .tasks import source_of

if TYPE_CHECKING:
    from zenni_tui.sandbox.proof import Proved
    from zenni_tui.target.connect import Target


def backup(options: Options) -> int:
    """Take a dump and prove it, or with --check prove one that is there; prints the file's path."""
    settings = settings_of(options)
    proved = _check(options, settings) if options.check_file else take(settings, options.into, _say)
    if options.json:
        print(json.dumps({"proved": True, **msgspec.to_builtins(proved), "words": proved.words}, ensure_ascii=False))
    else:
        print(proved.words, file=sys.stderr)
        print(proved.taken.file)
    return int(ExitCode.PASSED)


def _check(options: Options, settings: Settings) -> "Proved":
    from zenni_tui.engine import backups  # noqa: PLC0415 - brings the drivers, which other verbs don't need

    file = Path(options.check_file).absolute()
    if not file.is_file():
        raise UsageError("There is no such dump.", where=str(file), next_step="Name one that zenni-tui backup made.")
    return backups.check(file, source_of(settings))


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def take(settings: Settings, into: str, tell: Callable[[str], object]) -> "Proved":
    """Take a dump, into a named file or else the usual folder, and prove it; `tell` hears of it. Raises ZenniError."""
    from zenni_tui.engine import backups  # noqa: PLC0415 - as above

    with target_of(settings) as target:
        database = target.parameters.get("dbname", "")
        folder = backups.place(settings.backup.folder)
        file = Path(into).absolute() if into else backups.new_file(folder, database)
        if file.exists() or not file.parent.is_dir():
            why = "There is a file of that name already." if file.exists() else "The folder is not there."
            raise UsageError("The dump can't go there.", where=str(file), why=why, next_step="Name a new file.")
        tell(f"Dumping {target.label()} and restoring it for proof ...")
        proved = backups.take(target, settings.schema, file, source_of(settings))
    if not into:
        for gone in backups.thin(folder, database, settings.backup.keep):
            tell(f"Removed, as {settings.backup.keep} are kept: {gone}")
    return proved


@contextmanager
def target_of(settings: Settings, name: str = "zenni-tui backup") -> Iterator["Target"]:
    """Yield the target that is named, or else the last run's, of which the demo's is kept up; raises NotReady."""
    from zenni_tui.target.connect import Target  # noqa: PLC0415 - as above

    if settings.target is not None:
        yield Target(settings.target, settings.password, name=name)
        return
    last = client.last_run()
    request = client.request_of(last) if last else None
    if request is not None and request.demo is None and request.target is not None:
        yield Target(request.target, settings.password, name=name)
        return
    demo = request.demo if request else None
    if demo is None:
        raise NotReady("No target is named.", next_step="Give --target URL, ZENNI_TARGET_URL, or [target] url.")
    from zenni_tui.sandbox import demo as sandbox  # noqa: PLC0415 - brings the server's launcher

    with sandbox.open_demo(Path(demo)) as made:
        yield Target(made.target, made.target["password"], name=name)
