"""The verbs about the customer's plan: its tasks, its timeline, its risks, and what a person signs off."""

import json
import sys

import msgspec

from zenni_tui.cli import Options, settings_of
from zenni_tui.config import Settings
from zenni_tui.engine import client, tasks
from zenni_tui.errors import ExitCode, UsageError
from zenni_tui.report import roadmap


def source_of(settings: Settings) -> str:
    """Return the source that the tasks are about: the one named, or the last run's; raises UsageError."""
    if settings.source:
        return settings.source
    last = client.last_run()
    if last is None:
        raise UsageError("No source is named.", next_step="Give --source FILE, ZENNI_SOURCE, or [source] path.")
    return client.request_of(last).source


def show(options: Options) -> int:
    """Print the plan's tasks with their state, its timeline, or its risks."""
    settings = settings_of(options)
    views = tasks.standing(source_of(settings), settings.timeline)
    if options.json:
        print(json.dumps(msgspec.to_builtins(views), ensure_ascii=False))
        return int(ExitCode.PASSED)
    if options.timeline:
        sys.stdout.write(roadmap.timeline(views))
    elif options.risks:
        sys.stdout.write(roadmap.risks(views))
    elif options.coverage:
        sys.stdout.write(roadmap.coverage(views))
    else:
        for view in views:
            left = f" (missing: {', '.join(view.missing)})" if view.missing and view.evidence else ""
            print(f"{view.task.id:4}{view.state:11} {view.task.words}{left}")
    return int(ExitCode.PASSED)


def sign(options: Options) -> int:
    """Sign a task off that a person must do."""
    settings = settings_of(options)
    deed = tasks.sign(source_of(settings), options.task, options.by, options.note, ok=not options.undo)
    print(f"{deed.name}: {'signed' if deed.ok else 'taken back'} by {deed.by}", file=sys.stderr)
    return int(ExitCode.PASSED)
