"""The verbs that speak to a live engine, or start one on a run that there is."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from zenni_tui import headless
from zenni_tui.cli import Options, settings_of
from zenni_tui.engine import client, folders
from zenni_tui.engine.client import Follower
from zenni_tui.errors import ExitCode, NotReady

from . import chosen_repairs, words
from .looking import chosen, follower_of
from .starting import engage, follow, wizard


def attach(options: Options) -> int:
    """Watch the live run: on the screen, or in lines without taking control of it."""
    folder = chosen(options)
    if options.screen:
        return wizard(options, follow=folder)
    return headless.follow(folder, events=options.events, as_json=options.json, control=False)


_ENDING_SECONDS = 10.0


def stop(options: Options) -> int:
    """Ask the engine to stop and wait until it has."""
    follower = follower_of(options)
    if not follower.alive:
        raise NotReady("No engine is running.", where=str(follower.folder), next_step="zenni-tui status")
    reply = follower.send("stop")
    print(reply.message, file=sys.stderr)
    if not reply.ok:
        return int(ExitCode.FAILED)
    while follower.alive:
        time.sleep(0.1)
    follower.poll()
    print(f"verdict: {follower.state.verdict}", file=sys.stderr)
    return int(follower.state.exit_code or 0)


def steer(name: str, *fields: str) -> Callable[[Options], int]:
    """Return the verb that gives a live engine a command with some of the options."""

    def verb(options: Options) -> int:
        follower = follower_of(options)
        if not follower.alive:
            raise NotReady("No engine is running.", where=str(follower.folder), next_step="zenni-tui status")
        reply = follower.send(name, **{field: getattr(options, field) for field in fields})
        print(reply.message, file=sys.stderr)
        return int(ExitCode.PASSED if reply.ok else ExitCode.FAILED)

    return verb


def again(action: str) -> Callable[[Options], int]:
    """Return the verb that starts an engine on a run that there is, for one of its actions."""

    def verb(options: Options) -> int:
        follower = Follower(_known_to_the_target(options) or chosen(options))
        follower.poll()
        entries = follower.state.entries
        said = words.spoken(follower.state, action, options)
        repairs = chosen_repairs.of(follower.state, options.repairs)
        if follower.alive and repairs:
            chosen_repairs.send(follower, repairs, said["by"])
            return int(ExitCode.PASSED)
        if follower.alive:
            if action != "rollback":
                raise NotReady("An engine is at work on this run already.", next_step="zenni-tui attach")
            reply = follower.send("rollback", **said)
            if reply.heard or not _gone(follower):
                words.ordered(reply)
            else:
                engage(options, follower.folder, action, words=said)
        else:
            engage(options, follower.folder, action, words={**said, **chosen_repairs.packed(repairs)})
        points = [words.window_open(time.time())] + ([headless.waits(entries)] if action == "run" else [])
        return follow(
            follower.folder, options, skip=entries, until=lambda state: _first(point(state) for point in points)
        )

    return verb


def _gone(follower: Follower) -> bool:
    """Return whether an engine that did not hear a command was just ending by itself."""
    deadline = time.monotonic() + _ENDING_SECONDS
    while follower.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    return not follower.alive


def _first(codes: Iterable[ExitCode | None]) -> ExitCode | None:
    return next((code for code in codes if code is not None), None)


def _known_to_the_target(options: Options) -> Path | None:
    """Return the run that a named target knows, its directory made anew when it is lost."""
    there = options.run_dir or client.live_run() or client.last_run()
    lost = there is None or not (Path(there) / folders.EVENTS).exists()
    if not lost and (options.run_dir or not options.target):
        return None
    settings = settings_of(options)
    if settings.target is None:
        return None
    from zenni_tui.engine import recall  # noqa: PLC0415 - brings the drivers, which other verbs don't need

    found = recall.recall(settings.target, settings.password, Path(options.run_dir) if options.run_dir else None)
    if found is not None:
        print(f"The target knows this run: {found}", file=sys.stderr)
    return found
