"""What each verb does, headless or by opening the screen."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from . import headless
from .cli import Options, settings_of
from .config import Settings
from .engine import client, folders
from .engine.client import Follower
from .errors import ExitCode, NotReady, UsageError
from .model.request import Request
from .model.result import result
from .model.runbook import RunKind, StepState

if TYPE_CHECKING:
    from .sandbox.demo import Demo

_NONE = "There is no run yet."


class Offer:
    """What the wizard can start, and how; the screen knows no more than this."""

    def __init__(self, settings: Settings, options: Options, *, hints: tuple[str, ...] = (), demo: str = "") -> None:
        self._settings = settings
        self._options = options
        self._demo = demo or None
        self.source = settings.source or "no source named yet (--source FILE)"
        self.target = _label(settings)
        self.live = False
        self.hints = hints
        kinds = [RunKind.REHEARSE, RunKind.CHECK, RunKind.AUDIT, RunKind.PLAN]
        self.kinds = tuple(kinds + ([RunKind.MIGRATE] if settings.target else [])) if settings.source else ()

    def start(self, kind: RunKind) -> Path:
        """Create a run that waits for the operator before it writes, and start its engine."""
        settings = aimed(kind, self._settings, self._options)
        request = request_for(kind, settings, self._options, gated=True, demo=self._demo)
        folder = client.create(request, Path(self._options.run_dir) if self._options.run_dir else None)
        engage(self._options, folder, "run", settings.password)
        return folder

    def resume(self, folder: Path) -> None:
        """Start an engine that goes on where the run ended."""
        engage(self._options, folder, "run")

    def check_again(self, folder: Path) -> None:
        """Start an engine that looks again at what stood in the way to the target."""
        engage(self._options, folder, "check")

    def rollback(self, folder: Path) -> None:
        """Start an engine that takes the run back."""
        engage(self._options, folder, "rollback")


def engage(options: Options, folder: Path, action: str, password: str | None = None) -> None:
    """Start an engine on a run, with the password that settings or the demo know, and the demo kept alive by it."""
    request = client.request_of(folder)
    if request.demo is None:
        client.launch(folder, action=action, password=password or _password(options, request))
        return
    from .sandbox import demo as sandbox  # noqa: PLC0415 - brings the server's launcher

    with sandbox.open_demo(Path(request.demo)) as made:
        client.launch(folder, action=action, password=made.target["password"], hold_fds=[made.hold.fileno()])


def _label(settings: Settings) -> str:
    if settings.target is None:
        return "embedded PostgreSQL"
    from .target import libpq  # noqa: PLC0415 - half of the start-up time, for the verbs that need it

    return libpq.label(settings.target)


def aimed(kind: RunKind, settings: Settings, options: Options) -> Settings:
    """Return the settings with staging for a target, when this is a rehearsal and the command line names no other."""
    if kind is not RunKind.REHEARSE or settings.staging is None or options.target:
        return settings
    return msgspec.structs.replace(settings, target=settings.staging, password=settings.staging_password)


def request_for(
    kind: RunKind, settings: Settings, options: Options, *, gated: bool = False, demo: str | None = None
) -> Request:
    """Return the orders for a new run; raises UsageError for what can't be meant."""
    if not settings.source:
        raise UsageError("No source is named.", next_step="Give --source FILE, ZENNI_SOURCE, or [source] path.")
    try:
        settings.source.encode()
    except UnicodeEncodeError:
        raise UsageError(
            "The path of the source is not valid UTF-8.", next_step="Make a link to it with a plain name and name that."
        ) from None
    if kind is RunKind.MIGRATE and settings.target is None:
        raise UsageError(
            "A migration needs a target.", next_step="Give --target URL, ZENNI_TARGET_URL, or [target] url."
        )
    if options.keep and settings.target is None:
        raise UsageError(
            "--keep needs a --target: an embedded PostgreSQL ends with its run.",
            next_step="Give --target URL of a PostgreSQL of yours.",
        )
    return Request(
        folders.new_run_id(kind),
        kind,
        str(Path(settings.source).absolute()),
        settings.target,
        settings.schema,
        _prisma(settings),
        keep=options.keep or kind is RunKind.MIGRATE,
        gated=gated,
        workers=settings.workers,
        chunk_rows=settings.chunk_rows,
        retry_minutes=settings.retry_minutes,
        choices=msgspec.structs.replace(settings.choices, accept_lossless=options.accept_repairs),
        demo=demo,
        application_role=settings.application_role,
        second_copy=settings.second_copy,
        rehearsal_hours=settings.rehearsal_hours if kind is RunKind.MIGRATE else 0.0,
        confirmed=options.confirm,
        rung=_rung(options.rung),
        assertions=settings.verify.assertions,
        assertions_target=settings.verify.on_target,
    )


def _rung(name: str) -> str:
    if not name:
        return ""
    from .target import ladder  # noqa: PLC0415 - brings the drivers

    if name not in ladder.NAMES:
        raise UsageError(f"No check of the target is called {name!r}.", next_step=f"Known: {', '.join(ladder.NAMES)}")
    return name


def _prisma(settings: Settings) -> str | None:
    from .application import prisma  # noqa: PLC0415 - brings the parser, which most verbs don't need

    if settings.prisma_schema == "none":
        return None
    found = (
        prisma.find_schema(Path(settings.source)) if settings.prisma_schema == "auto" else Path(settings.prisma_schema)
    )
    return str(found.absolute()) if found else None


def begin(request: Request, settings: Settings, options: Options) -> Path:
    """Create the run directory and start the engine; returns the directory."""
    folder = client.create(request, Path(options.run_dir) if options.run_dir else None)
    engage(options, folder, "run", settings.password)
    return folder


def _run(kind: RunKind) -> Callable[[Options], int]:
    def verb(options: Options) -> int:
        settings = settings_of(options)
        if options.screen:
            return wizard(options, settings, start=kind)
        settings = aimed(kind, settings, options)
        if kind is RunKind.MIGRATE and not options.yes:
            raise UsageError(
                "A migration writes to the live target.", next_step="Say so with --yes, or run it on a terminal."
            )
        folder = begin(request_for(kind, settings, options), settings, options)
        return _headless(folder, options)

    return verb


def _headless(folder: Path, options: Options, *, skip: int = 0) -> int:
    return headless.follow(folder, events=options.events, as_json=options.json, skip=skip)


def wizard(
    options: Options, settings: Settings | None = None, *, start: RunKind | None = None, follow: Path | None = None
) -> int:
    """Open the screen: on a live run, on a new one, or on the list of what can be done."""
    from .ui import app  # noqa: PLC0415 - Textual is for those who look

    offer = Offer(settings or settings_of(options), options)
    if start is not None:
        follow = offer.start(start)
    app.run(offer, follow or client.live_run(), ascii_only=options.ascii)
    return int(ExitCode.PASSED)


def default(options: Options) -> int:
    """Open the wizard, which attaches to a live run; without a terminal, tell how things stand."""
    return wizard(options) if options.screen else status(options)


def demo(options: Options) -> int:
    """Make the demo, then the wizard on it, or a rehearsal in lines."""
    from .sandbox import demo as sandbox  # noqa: PLC0415 - brings the server's launcher

    place = Path(options.folder) if options.folder else folders.state_home() / "demo"
    print("Making the sample application and starting PostgreSQL ...", file=sys.stderr)
    made = sandbox.open_demo(place, bookings=options.bookings, seed=options.seed, trouble=tuple(options.trouble))
    with made:
        settings = _demo_settings(made, options)
        hints = (f"demo application: {made.app_url}", f"its folder: {made.folder}")
        for hint in hints:
            print(hint, file=sys.stderr)
        if options.screen:
            from .ui import app  # noqa: PLC0415 - Textual is for those who look

            live = client.live_run()
            app.run(Offer(settings, options, hints=hints, demo=str(made.folder)), live, ascii_only=options.ascii)
            return int(ExitCode.PASSED)
        request = request_for(RunKind.REHEARSE, settings, options, demo=str(made.folder))
        return _headless(begin(request, settings, options), options)


def _demo_settings(made: "Demo", options: Options) -> Settings:
    """Return the demo's own settings, in which only the command line's choices about the copy are kept."""
    named = dict(made.target)
    password = named.pop("password", None)
    base = settings_of(options)
    return Settings(
        str(made.source),
        str(made.schema),
        base.choices,
        named,
        password,
        "public",
        base.workers,
        base.chunk_rows,
        retry_minutes=base.retry_minutes,
    )


def plan(options: Options) -> int:
    """Make the plan; with --ddl print its SQL and nothing else on standard output."""
    if not options.ddl:
        return _run(RunKind.PLAN)(options)
    settings = settings_of(options)
    folder = begin(request_for(RunKind.PLAN, settings, options), settings, options)
    code = headless.follow(folder, events=False, as_json=False)
    ddl = folder / "schema.sql"
    if ddl.exists():
        sys.stdout.write(ddl.read_text())
    return code


def chosen(options: Options) -> Path:
    """Return the run that a verb speaks of: the one named, the live one, or the last."""
    found = Path(options.run_dir) if options.run_dir else client.live_run() or client.last_run()
    if found is None or not (found / folders.EVENTS).exists():
        raise NotReady(_NONE, where=str(found or folders.runs_home()), next_step="Start one: zenni-tui demo")
    return found


def _follower(options: Options) -> Follower:
    follower = Follower(chosen(options))
    follower.poll()
    return follower


def status(options: Options) -> int:
    """Tell how the run stands, in lines or as the result document."""
    follower = _follower(options)
    state = follower.state
    if options.json:
        print(json.dumps(result(state, str(follower.folder)), ensure_ascii=False))
        return int(ExitCode.PASSED)
    word = "running" if follower.alive else str(state.verdict or "interrupted")
    print(f"{state.run_id}: {word}")
    predictions = state.expected.steps if state.expected else ()
    foretold = {p.step: f" expected {p.typical:.0f} s ({p.low:.0f} to {p.high:.0f})" for p in predictions}
    for step in state.steps:
        done = f" {step.done:,}/{step.total:,} {step.unit}" if step.total else ""
        ahead = foretold.get(step.id, "") if step.state is StepState.PENDING else ""
        print(f"  {step.id:9} {step.state:8}{done}{ahead} {step.summary}".rstrip())
    if state.expected and not state.ended:
        print(f"expected: {state.expected.words}")
    if state.paused and not state.ended:
        print(f"paused by {state.paused.by}; go on: zenni-tui unpause")
    if state.throttled:
        print(f"throttle: {state.throttled.words}")
    if state.retrying:
        print(f"target: {state.retrying.story(time.time())} ({state.retrying.why})")
    if state.waiting:
        print(f"waiting: {state.waiting.question}")
    if state.problem and not state.ended:
        print(headless.told(state.problem))
    print(f"evidence: {follower.folder}")
    return int(ExitCode.PASSED)


def attach(options: Options) -> int:
    """Watch the live run: on the screen, or in lines without taking control of it."""
    folder = chosen(options)
    if options.screen:
        return wizard(options, follow=folder)
    return headless.follow(folder, events=options.events, as_json=options.json, control=False)


def stop(options: Options) -> int:
    """Ask the engine to stop and wait until it has."""
    follower = _follower(options)
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


def _steer(name: str, *fields: str) -> Callable[[Options], int]:
    def verb(options: Options) -> int:
        follower = _follower(options)
        if not follower.alive:
            raise NotReady("No engine is running.", where=str(follower.folder), next_step="zenni-tui status")
        reply = follower.send(name, **{field: getattr(options, field) for field in fields})
        print(reply.message, file=sys.stderr)
        return int(ExitCode.PASSED if reply.ok else ExitCode.FAILED)

    return verb


def _again(action: str) -> Callable[[Options], int]:
    def verb(options: Options) -> int:
        follower = Follower(_known_to_the_target(options) or chosen(options))
        follower.poll()
        entries = follower.state.entries
        if follower.alive:
            if action != "rollback":
                raise NotReady("An engine is at work on this run already.", next_step="zenni-tui attach")
            follower.send("rollback")
        else:
            engage(options, follower.folder, action)
        return _headless(follower.folder, options, skip=entries)

    return verb


def _known_to_the_target(options: Options) -> Path | None:
    """Return the run that a named target knows, its directory made anew when it is lost."""
    there = options.run_dir or client.live_run() or client.last_run()
    lost = there is None or not (Path(there) / folders.EVENTS).exists()
    if not lost and (options.run_dir or not options.target):
        return None
    settings = settings_of(options)
    if settings.target is None:
        return None
    from .engine import recall  # noqa: PLC0415 - brings the drivers, which other verbs don't need

    found = recall.recall(settings.target, settings.password, Path(options.run_dir) if options.run_dir else None)
    if found is not None:
        print(f"The target knows this run: {found}", file=sys.stderr)
    return found


def _password(options: Options, request: Request) -> str | None:
    if request.target is None:
        return None
    settings = settings_of(options)
    theirs, ours = request.target, settings.target
    if _same(theirs, settings.staging):
        return settings.staging_password
    if ours is not None and not _same(theirs, ours):
        raise UsageError(
            "The target named now is not the one this run began with.",
            why=f"The run's is {theirs.get('host')}:{theirs.get('port')}/{theirs.get('dbname')}.",
            next_step="Leave the target out, or name the same one.",
        )
    return settings.password


def _same(one: dict[str, str], other: dict[str, str] | None) -> bool:
    return other is not None and all(one.get(k) == other.get(k) for k in ("host", "port", "dbname"))


def logs(options: Options) -> int:
    """Print the journal in lines, or as events."""
    follower = Follower(chosen(options))
    narrator = headless.Narrator(events=options.events or options.json)
    for entry in follower.poll():
        narrator.tell(entry)
    return int(ExitCode.PASSED)


def report(options: Options) -> int:
    """Print the report, made from the journal as it stands."""
    from .report import evidence  # noqa: PLC0415 - for this verb only

    follower = _follower(options)
    if options.json:
        print(json.dumps(result(follower.state, str(follower.folder)), ensure_ascii=False))
    else:
        print(evidence.markdown(follower.state))
    return int(ExitCode.PASSED)


def runs(options: Options) -> int:
    """List all runs."""
    for summary in client.runs():
        word = "running" if summary.alive else str(summary.state.verdict or "interrupted")
        if options.json:
            print(json.dumps({"run_id": summary.state.run_id, "state": word, "evidence": summary.folder}))
        else:
            print(f"{summary.state.run_id:40} {word:12} {summary.folder}")
    return int(ExitCode.PASSED)


def explain(options: Options) -> int:
    """Tell what a code means."""
    from .model.codes import CODES  # noqa: PLC0415 - for this verb only

    text = CODES.get(options.code)
    if text is None:
        raise UsageError(f"No finding has the code {options.code!r}.", next_step=f"Known: {', '.join(sorted(CODES))}")
    print(text)
    return int(ExitCode.PASSED)


VERBS: dict[str | None, Callable[[Options], int]] = {
    None: default,
    "demo": demo,
    "rehearse": _run(RunKind.REHEARSE),
    "check": _run(RunKind.CHECK),
    "audit": _run(RunKind.AUDIT),
    "plan": plan,
    "migrate": _run(RunKind.MIGRATE),
    "verify": lambda options: _again("repair" if options.repair else "verify")(options),
    "rollback": _again("rollback"),
    "resume": _again("run"),
    "status": status,
    "attach": attach,
    "stop": stop,
    "pause": _steer("pause"),
    "unpause": _steer("unpause"),
    "throttle": _steer("throttle", "workers", "rows", "mb"),
    "logs": logs,
    "report": report,
    "runs": runs,
    "explain": explain,
}
